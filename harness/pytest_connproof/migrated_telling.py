"""Whether old code can be deleted, told to people and to machines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias

from connproof.errors import printable, shortened
from pytest_connproof.audit.references import Reference
from pytest_connproof.migrated import Migration, Obstacle, OldLane, Verdict
from pytest_connproof.parity import Deviation
from pytest_connproof.report.parity import whose

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
_REASON: Final = 100


# For people.


def as_text(told: Migration, *, colour: bool) -> str:
    """The verdict first, then what it rests on, then what stands in the way, a line each with where."""
    word = f"{_COLOURS[told.verdict]}{told.verdict}{_PLAIN}" if colour else told.verdict
    more = f" and {len(told.code) - _SHOWN_FILES} more" if len(told.code) > _SHOWN_FILES else ""
    references = told.references
    lines = [f"{', '.join(told.code[:_SHOWN_FILES])}{more}  {word}", "", *_facts(told)]
    definite = [one for one in told.obstacles if not one.doubt]
    lines += _section("in the way", definite, _obstacle_lines)
    lines += _section("not known", [one for one in told.obstacles if one.doubt], _obstacle_lines)
    lines += _section("tests that go with it, or are to be mended", references.of("test"), _reference_lines)
    lines += _section("spoken of, in comments and documents", references.of("mentions"), _reference_lines)
    return "\n".join(lines) + "\n"


def _facts(told: Migration) -> Iterator[str]:
    yield f"  connector    {told.connector}"
    yield f"  certificate  {printable(told.certificate)}"
    of_this = [_lane_line(lane) for lane in told.lanes] or ["none that this code returned"]
    yield from _labelled("baselines", of_this)
    waived = [(lane.lane, waiver) for lane in told.lanes for waiver in lane.waived]
    yield from _labelled("waived", [_waived(lane, waiver) for lane, waiver in waived])
    yield from _labelled("other lists", [f"{name}  {printable(by)}" for name, by in told.others])
    yield f"  fields       {told.fields} mapped"
    yield f"  looked at    {told.references.files} files below {told.tree.name}/"


def _lane_line(lane: OldLane) -> str:
    count = f"{lane.records} record{'s' if lane.records != 1 else ''}"
    return f"{lane.lane}  {count}, {whose(lane.by)}"


def _waived(lane: str, waiver: Deviation) -> str:
    where = printable(waiver.path) or "(record)"
    what = waiver.kind if waiver.kind == "requests" else f"{where} ({waiver.kind})"
    reason = shortened(printable(waiver.reason), _REASON)
    return f"{lane}  {what} until {waiver.expires}, {printable(waiver.owner)}: {reason}"


def _labelled(label: str, lines: Sequence[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield f"  {'' if number else label:<11}  {line}"


_Lines: TypeAlias = Callable[[Any, int], Iterator[str]]


def _section(heading: str, found: Sequence[Any], lines: _Lines) -> Iterator[str]:
    if not found:
        return
    yield ""
    yield f"  {heading}"
    wide = min(max(len(_where(one)) for one in found), _WIDEST)
    for one in found[:_MOST]:
        yield from lines(one, wide)
    if len(found) > _MOST:
        yield f"    (+{len(found) - _MOST} more: --json has all)"


def _where(one: Obstacle | Reference) -> str:
    return printable(one.where if isinstance(one, Obstacle) else f"{one.path}:{one.line}")


def _obstacle_lines(one: Obstacle, wide: int) -> Iterator[str]:
    yield f"    {_where(one):<{wide}}  {printable(one.what)}"
    if one.fix:
        yield f"    {'':<{wide}}  {printable(one.fix)}"


def _reference_lines(one: Reference, wide: int) -> Iterator[str]:
    yield f"    {_where(one):<{wide}}  {printable(one.how)}"


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
