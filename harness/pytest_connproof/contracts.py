"""The contract of each operation: the reviewed shape of its answers, a JSON Schema beside the connector.

`contract/<operation id>.schema.json` is told from the recordings, reviewed by people, and then held against what is
recorded later. Only answers that mean success have a shape: what an error looks like is the error rules' to say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connproof.documents import read_json
from connproof.drift import DIALECT, Difference, Seen, compare, reads_of
from connproof.errors import ConfigWrong
from connproof.model import Connector, Operation
from connproof.places import Absent
from connproof.schemas import shipped
from pytest_connproof.answers import document_in, meaning_of
from pytest_connproof.grants import of_operations
from pytest_connproof.recording import Recording

__all__ = [
    "Answers",
    "Drift",
    "answers_of",
    "contract_path",
    "contract_text",
    "contracted",
    "drift_from",
    "drift_of",
    "load_contract",
]

_SUFFIX = ".schema.json"


@dataclass(slots=True)
class Answers:
    """The answers to one operation that some recordings hold: their shape, and how many they are."""

    operation: Operation
    seen: Seen = field(default_factory=Seen)
    count: int = 0


@dataclass(frozen=True, slots=True)
class Drift:
    """What became of one operation's shape.

    `differences` are None where nothing was compared: there is no contract, or no answer. `places` counts
    those of the answers.
    """

    operation: str
    contract: Path
    answers: int
    places: int
    differences: tuple[Difference, ...] | None

    @property
    def lacks_contract(self) -> bool:
        return self.differences is None and self.answers > 0


def contract_path(folder: Path, operation: str) -> Path:
    """Where the contract of an operation stands in a connector's folder."""
    return folder / "contract" / f"{operation}{_SUFFIX}"


def contracted(folder: Path) -> tuple[str, ...]:
    """The operations, by id, that a connector's folder has a contract for."""
    return tuple(sorted(path.name.removesuffix(_SUFFIX) for path in (folder / "contract").glob(f"*{_SUFFIX}")))


def answers_of(connector: Connector, recordings: Iterable[Recording]) -> Mapping[str, Answers]:
    """The answers to each operation that has any, by its id, in the order of the config."""
    every = {operation.id: Answers(operation) for operation in connector.operations()}
    lanes = [lane for recording in recordings for lane in recording.lanes if lane.operation in every]
    for lane in lanes:
        answers = every[lane.operation]
        for exchange in of_operations(connector, lane):
            if meaning_of(connector, answers.operation, exchange.response).meaning != "success":
                continue
            document = document_in(answers.operation, exchange.response)
            if not isinstance(document, Absent):
                answers.seen.add(document)
                answers.count += 1
    return {name: answers for name, answers in every.items() if answers.count}


def load_contract(path: Path) -> dict[str, Any]:
    """A contract. Raises ConfigWrong with every problem: a word that nothing compares is one."""
    value, source = read_json(path.read_bytes(), str(path))
    problems = shipped("connproof", "contract").problems(value, source)
    if problems or not isinstance(value, dict):
        raise ConfigWrong(str(path), problems)
    name = path.name.removesuffix(_SUFFIX)
    if value["title"] != name:
        raise ConfigWrong(str(path), [source.problem("/title", f'is not "{name}", the operation the file is named by')])
    return value


def contract_text(operation: str, seen: Seen) -> str:
    """The contract that was seen, as its file holds it: a member a line, types and words on one."""
    document = {"$schema": DIALECT, "title": operation, **seen.schema()}
    text = json.dumps(document, indent=2, ensure_ascii=False)
    return re.sub(r'("(?:type|enum)": )(\[[^][{}]*\])', lambda found: found[1] + _on_one_line(found[2]), text) + "\n"


def _on_one_line(text: str) -> str:
    return json.dumps(json.loads(text), ensure_ascii=False)


def drift_of(connector: Connector, folder: Path, answers: Mapping[str, Answers]) -> tuple[Drift, ...]:
    """Each operation that has answers or a contract: what differs. Raises ConfigWrong for a contract that is none."""
    named = {*contracted(folder), *answers}
    return tuple(
        drift_from(connector, folder, operation.id, answers.get(operation.id))
        for operation in connector.operations()
        if operation.id in named
    )


def drift_from(connector: Connector, folder: Path, operation: str, answers: Answers | None) -> Drift:
    """What differs from the contract of one operation. Raises ConfigWrong for a contract that is none."""
    path = contract_path(folder, operation)
    contract = load_contract(path) if path.exists() else None
    if answers is None:
        return Drift(operation, path, 0, 0, None)
    differences = None
    if contract is not None:
        differences = compare(contract, answers.seen, reads_of(connector, answers.operation))
    return Drift(operation, path, answers.count, answers.seen.places, differences)
