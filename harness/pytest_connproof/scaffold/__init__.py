"""A new connector from a few answers: valid at once, written whole or not at all, never over anything.

The folder is made beside its place and gets its name in one step, when everything in it was found right.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from connproof.errors import CallWrong
from connproof.mapping import load_model
from connproof.named import faults_of
from pytest_connproof.scaffold.asking import Answered, Unanswered, from_options, from_terminal
from pytest_connproof.scaffold.document import account_of, connector_of
from pytest_connproof.scaffold.faults import CONNECTORS, MODELS, mapped_fields, refuse_existing, refuse_place
from pytest_connproof.scaffold.questions import QUESTIONS, Question
from pytest_connproof.scaffold.readme import readme_of

__all__ = [
    "QUESTIONS",
    "Answered",
    "Question",
    "Scaffold",
    "Unanswered",
    "from_options",
    "from_terminal",
    "refuse_place",
    "scaffold_of",
    "write",
]


@dataclass(frozen=True, slots=True)
class Scaffold:
    """The files of a connector's folder, by their path in it. `unmapped` are the model's fields that nothing gives."""

    name: str
    files: Mapping[str, str]
    unmapped: tuple[str, ...]

    @property
    def folder(self) -> Path:
        return CONNECTORS / self.name


def scaffold_of(answered: Answered) -> Scaffold:
    """What the answers make."""
    answers = answered.context.answers
    model = answers["model"]
    fields = mapped_fields(model, answered.context) if model else {}
    schema = load_model(MODELS, model) if model else None
    properties = schema["properties"] if isinstance(schema, dict) else None
    unmapped = tuple(name for name in properties if name not in fields) if isinstance(properties, dict) else ()
    files = {
        "connector.json": _json(connector_of(answers, fields)),
        "accounts/example.json": _json(account_of(answers)),
        "README.md": readme_of(answers, unmapped),
    }
    return Scaffold(answers["connector"], files, unmapped)


def write(scaffold: Scaffold) -> None:
    """Write the folder. Raises CallWrong where there is one, OSError; then nothing is there that was not before."""
    refuse_existing(scaffold.folder)
    made = not CONNECTORS.exists()
    CONNECTORS.mkdir(exist_ok=True)
    # One folder deeper than connectors are looked for: killed in between, it is taken for none.
    beside = Path(mkdtemp(dir=CONNECTORS, prefix=f".{scaffold.name}.", suffix=".partial"))
    try:
        home = beside / scaffold.name
        for inside, text in scaffold.files.items():
            path = home / inside
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        (home / "recordings").mkdir()
        _refuse_faults(home)
        try:
            home.rename(scaffold.folder)
        except OSError:
            refuse_existing(scaffold.folder)  # somebody was faster
            raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        if made:
            with suppress(OSError):  # it has something in it now
                CONNECTORS.rmdir()


def _refuse_faults(home: Path) -> None:
    """What `connproof check` would say. The questions leave nothing for it; if they ever do, nothing is written."""
    if faults := faults_of(home / "connector.json", allow_loopback=False):
        raise CallWrong(
            "the answers make no valid connector", facts={"seen": tuple(faults)}, fix="change what it names"
        )


def _json(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
