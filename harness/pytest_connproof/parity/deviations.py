"""deviations.json to the differences that are meant, and a comparison to what stays open without them.

A deviation waives one kind of difference at one path, until its last day. What it does not name exactly stays
open: no prefix, no wildcard but `*` for a list's index, no kind for all kinds. One of the kind `requests` waives
what a lane asks for, and nothing of its records.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, cast

from connproof.documents import Source, child, read_json
from connproof.errors import ConfigWrong, Problem
from connproof.places import JsonValue
from connproof.schemas import shipped
from pytest_connproof.parity.compare import Comparison, Difference, Kind

__all__ = [
    "REQUESTS",
    "Deviation",
    "Judged",
    "Waivable",
    "expired",
    "load_deviations",
    "read_deviations",
    "unused",
    "waive",
]

REQUESTS: Final = "requests"

Waivable: TypeAlias = Kind | Literal["requests"]
"""A kind of difference of records; or that a lane asks otherwise, or otherwise often, than its baseline did."""

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FEW_WORDS = 3


@dataclass(frozen=True, slots=True)
class Deviation:
    """One difference that is meant. `expires` is the last day on which it waives; `line` is where it stands."""

    lane: str
    path: str
    kind: Waivable
    reason: str
    owner: str
    expires: date
    line: int = field(default=0, compare=False)

    def covers(self, difference: Difference, lane: str) -> bool:
        return self.lane in {"*", lane} and (self.path, self.kind) == (difference.pattern, difference.kind)

    def covers_requests(self, lane: str) -> bool:
        return (self.lane, self.kind) == (lane, REQUESTS)


@dataclass(frozen=True, slots=True)
class Judged:
    """The differences of a comparison, each once: open, or waived by at least one of `used`."""

    open: tuple[Difference, ...]
    waived: tuple[Difference, ...]
    used: frozenset[Deviation]


def load_deviations(path: Path) -> tuple[Deviation, ...]:
    """The deviations in a connector's folder, in the document's order; none where there is no such file.

    Raises ConfigWrong with every problem and its line.
    """
    return read_deviations(path.read_bytes(), str(path)) if path.exists() else ()


def read_deviations(data: bytes, name: str) -> tuple[Deviation, ...]:
    """The deviations of a document; `name` is what messages call it. Raises ConfigWrong as `load_deviations` does."""
    value, source = read_json(data, name)
    problems = [*shipped("pytest_connproof", "deviations").problems(value, source), *_said_wrong(value, source)]
    if problems:
        raise ConfigWrong(name, sorted(problems, key=lambda problem: (problem.line, problem.column)))
    entries = cast("dict[str, list[dict[str, Any]]]", value)["deviations"]  # the schema holds
    return tuple(
        Deviation(**{**entry, "expires": date.fromisoformat(entry["expires"])}, line=source.line(f"/deviations/{i}"))
        for i, entry in enumerate(entries)
    )


def waive(comparison: Comparison, deviations: Iterable[Deviation], lane: str, as_of: date) -> Judged:
    """Part the meant differences of a lane from the open ones, on the day `as_of`."""
    valid = [deviation for deviation in deviations if as_of <= deviation.expires]
    still_open: list[Difference] = []
    waived: list[Difference] = []
    used: set[Deviation] = set()
    for difference in comparison.differences:
        covering = [deviation for deviation in valid if deviation.covers(difference, lane)]
        used.update(covering)
        (waived if covering else still_open).append(difference)
    return Judged(tuple(still_open), tuple(waived), frozenset(used))


def unused(deviations: Iterable[Deviation], used: Iterable[Deviation], as_of: date) -> tuple[Deviation, ...]:
    """The deviations that waived nothing in any lane though they could have: the difference is gone, so can they.

    `used` is what all judged lanes used together. The expired ones are not named here again.
    """
    known = frozenset(used)
    return tuple(d for d in deviations if d not in known and as_of <= d.expires)


def expired(deviations: Iterable[Deviation], as_of: date) -> tuple[Deviation, ...]:
    """The deviations whose last day is over."""
    return tuple(deviation for deviation in deviations if deviation.expires < as_of)


def _said_wrong(value: JsonValue, source: Source) -> Iterator[Problem]:
    """What a schema cannot say, in every entry that has the members for it."""
    entries = value.get("deviations") if isinstance(value, dict) else None
    first: dict[tuple[JsonValue, ...], str] = {}
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if not isinstance(entry, dict):
            continue
        at = child("/deviations", index)
        reason, owner, expires = entry.get("reason"), entry.get("owner"), entry.get("expires")
        if isinstance(reason, str) and len(reason.split()) < _FEW_WORDS:
            yield source.problem(f"{at}/reason", "says too little", "say in a few words why the difference is meant")
        if isinstance(owner, str) and not owner.strip():
            yield source.problem(f"{at}/owner", "is empty", "name who answers for it")
        if isinstance(expires, str) and not _is_day(expires):
            yield source.problem(f"{at}/expires", f"{expires[:40]!r} is no day", "write it as YYYY-MM-DD")
        what = (entry.get("lane"), entry.get("path"), entry.get("kind"))
        if entry.get("kind") == REQUESTS and entry.get("path"):
            yield source.problem(f"{at}/path", "requests have no path", 'write ""')
        if (entry.get("lane"), entry.get("kind")) == ("*", REQUESTS):
            yield source.problem(f"{at}/lane", "waives the requests of every lane", "name the one lane")
        if all(isinstance(part, str) for part in what):
            if what in first:
                hint = f"first on line {source.line(first[what])}"
                yield source.problem(at, "waives the same difference a second time", hint)
            first.setdefault(what, at)


def _is_day(text: str) -> bool:
    if not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
