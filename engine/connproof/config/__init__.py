"""connector.json to a Connector: read once, judged whole.

Three steps, each of which reports everything it finds, with JSON pointer, line and column: the JSON
itself, the shipped schema (shape and words), and meaning (what one word says about another).
A Connector that exists is one that passed all three, and did so again with every layer that was laid on it:
what is wrong then is that layer's, and stands in its document.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from connproof.config.meaning import judge
from connproof.config.notes import BRACES, CREDENTIALS, Notes, origin_fault
from connproof.config.reading import read
from connproof.config.variables import with_samples
from connproof.documents import Source, read_json
from connproof.errors import CallWrong, ConfigWrong, Problem
from connproof.model import Connector
from connproof.overrides import Layer, lay
from connproof.places import JsonValue
from connproof.schemas import shipped

__all__ = ["BRACES", "CREDENTIALS", "layered", "load", "load_account_document", "locate", "parse"]


def locate(path: Path) -> Path:
    """The connector.json that a path means: the file itself, or the one in this folder.

    Raises CallWrong, naming the connectors that are near.
    """
    if path.is_file():
        return path
    if (path / "connector.json").is_file():
        return path / "connector.json"
    near = sorted(other.parent.name for other in path.parent.glob("*/connector.json")) if path.parent.is_dir() else []
    seen = "the folder has no connector.json" if path.is_dir() else "no such file or folder"
    raise CallWrong(
        f"no connector at {path}",
        facts={"seen": seen, **({"there are": ", ".join(near)} if near else {})},
        fix="name a connector's folder or its connector.json",
    )


def load(path: Path, layers: Sequence[Layer] = (), *, allow_loopback: bool = False) -> Connector:
    """Read a connector from its folder or its file, with layers laid on. Raises CallWrong, ConfigWrong.

    `allow_loopback` lets base_url be plain http on a loopback address, for tests and benchmarks.
    """
    file = locate(path)
    folder = file.resolve().parent.name
    return layered(file.read_bytes(), layers, folder=folder, name=str(file), allow_loopback=allow_loopback)


def parse(data: bytes, *, folder: str, name: str = "connector.json", allow_loopback: bool = False) -> Connector:
    """A connector from the bytes of its document. `folder` is the name its folder gives it."""
    return layered(data, (), folder=folder, name=name, allow_loopback=allow_loopback)


def layered(
    data: bytes,
    layers: Sequence[Layer],
    *,
    folder: str,
    name: str = "connector.json",
    allow_loopback: bool = False,
) -> Connector:
    """As `parse`, with layers laid on in their order: the environment's, then the account's.

    Raises ConfigWrong for the first of the documents in which something is wrong, with all that is wrong in it.
    """
    value, source = read_json(data, name)
    connector = _judged(value, source, name, folder, allow_loopback=allow_loopback)
    for layer in layers:
        assert isinstance(value, dict), "the schema says so"
        value, source = lay(value, source, layer)
        connector = _judged(value, source, layer.document, folder, allow_loopback=allow_loopback)
    return connector


def _judged(value: JsonValue, source: Source, name: str, folder: str, *, allow_loopback: bool) -> Connector:
    """The connector that a document says. `name` is the document in which anything wrong stands."""
    problems = shipped("connproof", "connector").problems(value, source)
    if problems or not isinstance(value, dict):
        raise ConfigWrong(name, _in_order([*problems, *_origin_problems(value, source, allow_loopback=allow_loopback)]))
    notes = Notes(source)
    connector = read(value, folder, notes)
    judge(connector, value, notes, allow_loopback=allow_loopback)
    if notes.problems:
        raise ConfigWrong(name, _in_order(notes.problems))
    return connector


def _in_order(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(set(problems), key=lambda problem: (problem.line, problem.column, problem.message))


def _origin_problems(value: JsonValue, source: Source, *, allow_loopback: bool) -> list[Problem]:
    """What is wrong with the origin alone: it can be judged even where the rest of the document cannot."""
    base_url = value.get("base_url") if isinstance(value, dict) else None
    wrong = origin_fault(with_samples(base_url), allow_loopback=allow_loopback) if isinstance(base_url, str) else None
    return [source.problem("/base_url", *wrong)] if wrong else []


def load_account_document(path: Path) -> dict[str, Any]:
    """An account file's document: `credentials`, `variables`, `overrides`, `name`, each optional.

    Raises CallWrong, ConfigWrong; no message shows a value of it.
    """
    if not path.is_file():
        raise CallWrong(
            f"no account file at {path}", fix='write {"credentials": {...}} there, or name another with --account'
        )
    value, source = read_json(path.read_bytes(), str(path))
    problems = shipped("connproof", "account").problems(value, source)
    if problems or not isinstance(value, dict):
        raise ConfigWrong(str(path), problems)
    return value
