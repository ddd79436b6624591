"""Which version each connector targets and what is known of its end, as a table for people and for machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from connproof.errors import printable, shortened
from connproof.model import Connector
from connproof.versions import Announcement, State, days_left, state
from pytest_connproof.announced import announcements, known_endings, served_versions
from pytest_connproof.recording import Recording

__all__ = ["Line", "Target", "as_document", "as_text", "is_due", "target_of"]

_HEADINGS: Final = ("connector", "version", "sent in", "state", "says", "on", "days left", "said by")
_ORDER: Final[tuple[State, ...]] = ("past", "due", "later", "told")
_MOST_CHARACTERS: Final = 70


@dataclass(frozen=True, slots=True)
class Line:
    """One announcement, how it stands on the day, and where it was found."""

    announcement: Announcement
    state: State
    days_left: int | None
    where: str


@dataclass(frozen=True, slots=True)
class Target:
    """A connector, and all that is said about its version."""

    connector: Connector
    file: Path
    lines: tuple[Line, ...]


def target_of(connector: Connector, file: Path, recordings: Sequence[Recording], *, as_of: date, within: int) -> Target:
    """All that the config and the recorded answers say, the most pressing first."""
    version = connector.api_version
    found: list[tuple[Announcement, str]] = [
        (one, f"{file}:{connector.source.line(_pointer(connector, one))}") for one in known_endings(connector)
    ]
    found += [(heard.announcement, heard.where) for heard in announcements(connector, recordings, as_of=as_of)]
    found += [
        (heard.announcement, heard.where)
        for heard in served_versions(connector, recordings)
        if version is not None and heard.announcement.text != version.value
    ]
    among = [one for one, _ in found]
    lines = [
        Line(
            one,
            state(one, among, as_of=as_of, within=within),
            days_left(one.day, as_of) if one.day else None,
            where,
        )
        for one, where in found
    ]
    return Target(connector, file, tuple(sorted(lines, key=lambda line: _ORDER.index(line.state))))


def _pointer(connector: Connector, known: Announcement) -> str:
    if not known.operation:
        return f"/api_version/{known.kind}"
    (operation,) = (one for one in connector.operations() if one.id == known.operation)
    return f"{operation.pointer}/ending/{known.kind}"


def is_due(targets: Sequence[Target]) -> bool:
    """Whether anything has ended, or ends within the horizon."""
    return any(line.state in {"past", "due"} for target in targets for line in target.lines)


def as_text(targets: Sequence[Target], *, as_of: date, within: int) -> str:
    """A row for each announcement, and one for a connector of which nothing is announced."""
    cells = [_HEADINGS, *(row for target in targets for row in _rows(target))]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    table = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    pressing = sum(line.state in {"past", "due"} for target in targets for line in target.lines)
    told = f"{pressing} past or due" if pressing else "nothing is due"
    return "\n".join([*table, "", f"{told} within {within} days of {as_of}"]) + "\n"


def _rows(target: Target) -> list[tuple[str, ...]]:
    version = target.connector.api_version
    head = (
        target.connector.name,
        version.value if version else "-",
        " ".join(filter(None, (version.place, version.name))) if version else "no api_version",
    )
    if not target.lines:
        return [(*head, "-", "nothing is announced", "", "", "")]
    return [(*(head if number == 0 else ("", "", "")), *_cells(line)) for number, line in enumerate(target.lines)]


def _cells(line: Line) -> tuple[str, ...]:
    said = line.announcement
    text = f": {said.text}" if said.text and said.by != "config" else ""
    by = f"{said.by}  {line.where}" if said.operation == "" else f"{said.by}  {said.operation}, {line.where}"
    return (
        line.state,
        shortened(printable(said.kind + text), _MOST_CHARACTERS),
        said.day or "",
        "" if line.days_left is None else str(line.days_left),
        by,
    )


def as_document(targets: Sequence[Target], *, as_of: date, within: int) -> dict[str, Any]:
    """The same, whole."""
    return {
        "as_of": as_of.isoformat(),
        "within_days": within,
        "due": is_due(targets),
        "connectors": [_connector(target) for target in targets],
    }


def _connector(target: Target) -> dict[str, Any]:
    version = target.connector.api_version
    said = None if version is None else {"value": version.value, "in": version.place, "source": version.source}
    return {
        "connector": target.connector.name,
        "file": target.file.as_posix(),
        "api_version": said,
        "announcements": [
            {
                "state": line.state,
                "kind": line.announcement.kind,
                "day": line.announcement.day,
                "days_left": line.days_left,
                "operation": line.announcement.operation or None,
                "by": line.announcement.by,
                "text": line.announcement.text,
                "where": line.where,
            }
            for line in target.lines
        ],
    }
