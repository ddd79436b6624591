"""Whether old code can be deleted, told to people and to machines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any, Final, TypeAlias

from connproof.errors import printable
from pytest_connproof.audit.references import Reference
from pytest_connproof.finding import counted
from pytest_connproof.migrated import Migration, Obstacle, OldLane, Verdict
from pytest_connproof.parity import Deviation
from pytest_connproof.report.parity import whose
from pytest_connproof.report.terminal import fitted

__all__ = ["EXIT_CODES", "as_document", "as_text"]

FORMAT: Final = "connproof-migrated/1"
EXIT_CODES: Final[dict[Verdict, int]] = {"can be deleted": 0, "cannot be deleted yet": 1, "cannot be told yet": 3}

_COLOURS: Final[dict[Verdict, str]] = {
    "can be deleted": "\x1b[1;32m",
    "cannot be deleted yet": "\x1b[1;31m",
    "cannot be told yet": "\x1b[1;33m",
}
_PLAIN: Final = "\x1b[0m"
_MOST: Final = 40
_WIDEST: Final = 48
_SHOWN_FILES: Final = 3
_LABEL: Final = 15  # columns before a fact: a margin, its label, a gap
_MOST_CHARACTERS: Final = 120  # of a command or a reason
_LEAST_ROOM: Final = 20


# For people.


def as_text(told: Migration, *, width: int, colour: bool) -> str:
    """The verdict first, then what it rests on, then what stands in the way, each with where.

    It is wrapped to the width, in columns, but for a place that is longer; commands and reasons have a beginning.
    """
    word = f"{_COLOURS[told.verdict]}{told.verdict}{_PLAIN}" if colour else told.verdict
    references = told.references
    lines = [f"{_shown(told.code, width - len(told.verdict) - 2)}  {word}", "", *_facts(told, width - _LABEL)]
    lines += _section("in the way", [_obstacle_row(one) for one in told.obstacles if not one.doubt], width)
    lines += _section("not known", [_obstacle_row(one) for one in told.obstacles if one.doubt], width)
    tests, mentions = ([_reference_row(one) for one in references.of(use)] for use in ("test", "mentions"))
    lines += _section("tests that go with it, or are to be mended", tests, width)
    lines += _section("spoken of, in comments and documents", mentions, width)
    return "\n".join(lines) + "\n"


def _shown(code: Sequence[str], room: int) -> str:
    """The first files of the code, as many as there is room for; one at least."""
    texts = [
        ", ".join(code[:shown]) + (f" and {len(code) - shown} more" if len(code) > shown else "")
        for shown in range(min(len(code), _SHOWN_FILES), 0, -1)
    ]
    return next((text for text in texts if len(text) <= room), texts[-1])


def _facts(told: Migration, room: int) -> Iterator[str]:
    yield from _labelled("connector", [told.connector], room)
    yield from _labelled("certificate", [told.certificate], room)
    of_this = [_lane_line(lane) for lane in told.lanes]
    yield from _labelled("baselines", of_this or ["none that this code returned"], room)
    waived = [_waived(lane.lane, waiver) for lane in told.lanes for waiver in lane.waived]
    yield from _labelled("waived", waived, room)
    others = [f"{name}  {fitted(by, _MOST_CHARACTERS)}" for name, by in told.others]
    yield from _labelled("other lists", others, room)
    yield from _labelled("fields", [f"{told.fields} mapped"], room)
    yield from _labelled("looked at", [f"{told.references.files} files below {told.tree.name}/"], room)


def _labelled(label: str, facts: Sequence[str], room: int) -> Iterator[str]:
    for number, line in enumerate(line for fact in facts for line in _wrapped(fact, room)):
        yield f"  {'' if number else label:<{_LABEL - 4}}  {line}"


def _lane_line(lane: OldLane) -> str:
    count = counted(lane.records, "record")
    return f"{lane.lane}  {count}, {whose(lane.by, _MOST_CHARACTERS)}"


def _waived(lane: str, waiver: Deviation) -> str:
    what = waiver.kind if waiver.kind == "requests" else f"{waiver.path or '(record)'} ({waiver.kind})"
    return f"{lane}  {what} until {waiver.expires}, {waiver.owner}: {fitted(waiver.reason, _MOST_CHARACTERS)}"


def _wrapped(text: str, room: int) -> list[str]:
    """A text in lines that fit; the second and any further are indented."""
    return wrap(printable(text), max(room, _LEAST_ROOM), subsequent_indent="  ", break_on_hyphens=False)


_Row: TypeAlias = tuple[str, Sequence[str]]
"""Where, and what is said of it."""


def _obstacle_row(one: Obstacle) -> _Row:
    return printable(one.where), [text for text in (one.what, one.fix) if text]


def _reference_row(one: Reference) -> _Row:
    return printable(f"{one.path}:{one.line}"), [one.how]


def _section(heading: str, rows: Sequence[_Row], width: int) -> Iterator[str]:
    """Rows in two columns; a place that is too long for its column has a line of its own."""
    if not rows:
        return
    yield ""
    yield f"  {heading}"
    wide = min(max(len(where) for where, _ in rows), _WIDEST, width // 2 - 4)
    for where, said in rows[:_MOST]:
        column = where
        if len(where) > wide:
            yield f"    {where}"
            column = ""
        for line in [line for text in said for line in _wrapped(text, width - wide - 6)]:
            yield f"    {column:<{wide}}  {line}"
            column = ""
    if len(rows) > _MOST:
        yield f"    (+{len(rows) - _MOST} more: --json has all)"


# For machines.


def as_document(told: Migration) -> dict[str, Any]:
    """The same, with every reference."""
    references = told.references
    return {
        "format": FORMAT,
        "connector": told.connector,
        "legacy": [*told.code],
        "verdict": told.verdict,
        "certificate": told.certificate,
        "baselines": [
            {
                "lane": lane.lane,
                "baseline": lane.by.document(),
                "records": lane.records,
                "waived": [_waiver(waiver) for waiver in lane.waived],
            }
            for lane in told.lanes
        ],
        "other_listings": [{"operation": name, "baseline": by} for name, by in told.others],
        "fields": told.fields,
        "files": references.files,
        "in_the_way": [_obstacle(one) for one in told.obstacles if not one.doubt],
        "not_known": [_obstacle(one) for one in told.obstacles if one.doubt],
        "tests": [_reference(one) for one in references.of("test")],
        "mentions": [_reference(one) for one in references.of("mentions")],
    }


def _waiver(waiver: Deviation) -> dict[str, Any]:
    return {
        "line": waiver.line,
        "lane": waiver.lane,
        "path": waiver.path,
        "kind": waiver.kind,
        "reason": waiver.reason,
        "owner": waiver.owner,
        "expires": waiver.expires.isoformat(),
    }


def _obstacle(one: Obstacle) -> dict[str, Any]:
    return {"where": one.where, "what": one.what, "fix": one.fix}


def _reference(one: Reference) -> dict[str, Any]:
    return {"file": one.path, "line": one.line, "how": one.how}
