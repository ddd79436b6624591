"""Which API version a connector targets, and what is known of its end: what its config says, and what answers say.

An answer speaks of the operation that it answers, never of the whole connector. Nothing is fetched because an answer
names it: links are text. What cannot be read is a note, never a date. Nothing here ends a read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal, TypeAlias

from connproof.errors import ConnproofError, shortened
from connproof.links import parse
from connproof.model import ApiVersion, Ending, Response
from connproof.places import Absent, JsonValue, Place
from connproof.standards.lifecycle import read_lifecycle

__all__ = [
    "DEFAULT_HORIZON_DAYS",
    "Announcement",
    "State",
    "announced",
    "days_left",
    "declared",
    "is_known",
    "served",
    "state",
]

Kind: TypeAlias = Literal["deprecated", "sunset", "served", "successor", "warning", "note"]
State: TypeAlias = Literal["past", "due", "later", "told"]

DEFAULT_HORIZON_DAYS: Final = 180

_WARNING: Final = re.compile(r'\b299 \S{1,200} "((?:[^"\\]|\\.){0,1000})"')  # RFC 7234, section 5.5
_DEPRECATED: Final = re.compile(r"deprecat", re.IGNORECASE)
_MOST_READ: Final = 16_384
_MOST_TOLD: Final = 200


@dataclass(frozen=True, slots=True)
class Announcement:
    """One thing that is said about the end of a version.

    `by` is who says it: "config", or a header's name. `day` is a day or a month (2027-09), None where none is named.
    `operation` is the one that ends, "" for the version as a whole, of which the config alone speaks. `text` is the
    provider's own, cut.
    """

    kind: Kind
    by: str
    day: str | None = None
    text: str = ""
    operation: str = ""

    @property
    def is_of_an_end(self) -> bool:
        return self.kind in {"deprecated", "sunset", "served"}


def declared(known: ApiVersion | Ending, *, operation: str = "") -> tuple[Announcement, ...]:
    """What the config says of its version, or of an operation."""
    said: tuple[tuple[Kind, str | None], ...] = (("deprecated", known.deprecated), ("sunset", known.sunset))
    return tuple(Announcement(kind, "config", day, known.notice or "", operation) for kind, day in said if day)


def announced(
    response: Response, version: ApiVersion | None, *, operation: str, now: datetime
) -> tuple[Announcement, ...]:
    """What an answer says, whatever its status: the standard headers, and the provider's own that the config names.

    `now` (aware) decides what a date of two digits means.
    """
    return tuple(
        Announcement(kind, by, day, shortened(text, _MOST_TOLD), operation)
        for kind, by, day, text in _said(response, version, now)
    )


def _said(response: Response, version: ApiVersion | None, now: datetime) -> Iterator[tuple[Kind, str, str | None, str]]:
    lifecycle = read_lifecycle(response, now=now)
    if lifecycle is not None:
        if lifecycle.deprecated_at is not None:
            yield "deprecated", "deprecation", lifecycle.deprecated_at.date().isoformat(), ""
        elif lifecycle.deprecated:
            yield "deprecated", "deprecation", None, lifecycle.raw
        if lifecycle.sunset_at is not None:
            yield "sunset", "sunset", lifecycle.sunset_at.date().isoformat(), ""
        for note in lifecycle.notes:
            if note.startswith(("malformed", "inconsistent")):
                yield "note", note.rpartition(": ")[2], None, note
    yield from _linked(response.header("link"))
    for found in _WARNING.finditer((response.header("warning") or "")[:_MOST_READ]):
        yield "deprecated" if _DEPRECATED.search(found[1]) else "warning", "warning", None, found[1]
    for name in version.deprecation_headers if version else ():
        if (text := response.header(name)) is not None:
            yield "deprecated", name, None, text


def _linked(text: str | None) -> Iterator[tuple[Kind, str, str | None, str]]:
    try:
        links = parse(text or "")
    except ConnproofError:  # too long to be read, which whoever follows links says
        return
    kinds: tuple[tuple[str, Kind], ...] = (
        ("deprecation", "deprecated"),
        ("sunset", "note"),
        ("successor-version", "successor"),
    )
    for link in links:
        for relation, kind in kinds:
            if relation in link.relations:
                yield kind, "link", None, f"{relation}: {link.target}"


def served(response: Response, document: JsonValue | Absent, version: ApiVersion) -> str | None:
    """The version that an answer says it is of, None where it does not say. `document` is its decoded body."""
    if isinstance(version.served, Place):
        found = None if isinstance(document, Absent) else version.served.find(document)
        return str(found) if isinstance(found, str | int | float) and not isinstance(found, bool) else None
    return response.header(version.served) if version.served else None


def days_left(day: str, as_of: date) -> int:
    """Whole days until a day, or until the first of a month, negative after it."""
    first = date.fromisoformat(day if len(day) > len("2027-09") else f"{day}-01")
    return (first - as_of).days


def state(announcement: Announcement, among: Collection[Announcement], *, as_of: date, within: int) -> State:
    """Whether something ends by an announcement: past, due within so many days, or later. "told": it ends nothing.

    A deprecation whose sunset is known waits for it. One without a day, or a version that is no longer served, is due.
    """
    if not announcement.is_of_an_end:
        return "told"
    if announcement.kind == "deprecated" and any(
        other.kind == "sunset" and other.operation in {announcement.operation, ""} for other in among
    ):
        return "told"
    if announcement.day is None:
        return "due"
    left = days_left(announcement.day, as_of)
    return "past" if left < 0 else "due" if left <= within else "later"


def is_known(announcement: Announcement, known: ApiVersion | Ending | None) -> bool:
    """Whether the config says it too: of a sunset the day or its month, of a deprecation that there is one."""
    if known is None:
        return False
    if announcement.kind == "sunset":
        return known.sunset is not None and (announcement.day or "").startswith(known.sunset)
    if announcement.kind == "deprecated" and known.deprecated is not None:
        return announcement.day is None or announcement.day.startswith(known.deprecated)
    return announcement.kind == "deprecated" and announcement.day is None and known.sunset is not None
