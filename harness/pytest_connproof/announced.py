"""What the config knows and recorded answers say of the API's version: that it ends, and which one was served."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from connproof.model import Connector
from connproof.places import ABSENT
from connproof.versions import Announcement, announced, declared, served
from pytest_connproof.answers import document_in
from pytest_connproof.grants import of_operations
from pytest_connproof.recording import Exchange, Lane, Recording

__all__ = ["Heard", "announcements", "known_endings", "served_versions"]


@dataclass(frozen=True, slots=True)
class Heard:
    """An announcement, and the answer in which it was heard first."""

    announcement: Announcement
    recording: Recording
    exchange: Exchange

    @property
    def where(self) -> str:
        return f"{self.recording.path.name}  exchange {self.exchange.id}"


def known_endings(connector: Connector) -> tuple[Announcement, ...]:
    """What the config says: of its version, then of each operation."""
    found = list(declared(connector.api_version)) if connector.api_version else []
    for operation in connector.operations():
        found += declared(operation.ending, operation=operation.id) if operation.ending else ()
    return tuple(found)


def announcements(connector: Connector, recordings: Iterable[Recording], *, as_of: date) -> tuple[Heard, ...]:
    """Everything that is announced, each thing once an operation, in the order of the recordings."""
    now = datetime.combine(as_of, time(), UTC)
    found: dict[Announcement, Heard] = {}
    for recording, lane, exchange in _exchanges(connector, recordings):
        for one in announced(exchange.response, connector.api_version, operation=lane.operation, now=now):
            found.setdefault(one, Heard(one, recording, exchange))
    return tuple(found.values())


def served_versions(connector: Connector, recordings: Iterable[Recording]) -> tuple[Heard, ...]:
    """The versions that answers say they are of, other than the one asked for or not: each once an operation."""
    version = connector.api_version
    if version is None or version.served is None:
        return ()
    by = version.served if isinstance(version.served, str) else version.served.text
    found: dict[Announcement, Heard] = {}
    operations = {operation.id: operation for operation in connector.operations()}
    for recording, lane, exchange in _exchanges(connector, recordings):
        operation = operations.get(lane.operation)
        document = document_in(operation, exchange.response) if operation else ABSENT
        text = served(exchange.response, document, version)
        if text is not None:
            one = Announcement("served", by, text=text, operation=lane.operation)
            found.setdefault(one, Heard(one, recording, exchange))
    return tuple(found.values())


def _exchanges(connector: Connector, recordings: Iterable[Recording]) -> Iterator[tuple[Recording, Lane, Exchange]]:
    for recording in recordings:
        for lane in recording.lanes:
            for exchange in of_operations(connector, lane):
                yield recording, lane, exchange
