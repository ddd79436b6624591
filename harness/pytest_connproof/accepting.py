"""Differences of a lane that are meant, to entries of the connector's deviations.json: shown first, written whole.

Only what differs, and is not waived, can be accepted. What is written reads as what was shown, and every other entry as
before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from connproof.errors import CallWrong, ConfigWrong, ConnproofError
from connproof.schemas import nearest
from pytest_connproof.atomic import write_whole
from pytest_connproof.connector_parity import ConnectorParity, LaneRows, connector_parity
from pytest_connproof.finding import counted
from pytest_connproof.lane_parity import LaneParity
from pytest_connproof.named import lane_named
from pytest_connproof.parity import REQUESTS, Deviation, Waivable, read_deviations
from pytest_connproof.parity.entries import EMPTY, with_entry
from pytest_connproof.report.parity import request_changes
from pytest_connproof.subject import Subject

__all__ = ["Accepted", "NotAccepted", "Wanted", "accept", "wanted"]

_MOST_DAYS: Final = 366


class NotAccepted(ConnproofError):
    """Whoever was asked said no: nothing was written."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be accepted: one difference of a lane, or with `kind` None all that are open."""

    lane: str
    path: str = ""
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A waiver to be written, and what it waives, in words. `extends` is the expired one whose place it takes."""

    deviation: Deviation
    shown: tuple[str, ...]
    extends: Deviation | None


def wanted(subject: Subject, text: str) -> Wanted:
    """LANE:PATH:KIND, LANE::requests, or LANE alone for all that is open in it. Raises CallWrong."""
    lane, colon, rest = text.partition(":")
    path, second, kind = rest.rpartition(":")
    if not colon:
        return Wanted(lane_named(subject, lane))
    if not second or not kind or not (path == "" or path.startswith("/")):
        raise CallWrong(
            f"--accept {text} is not LANE:PATH:KIND",
            fix="write it as deals.list:/amount:type, as deals.list::requests, or as deals.list for all that is open",
        )
    return Wanted(lane_named(subject, lane), path, kind)


def accept(
    subject: Subject,
    those: Sequence[Wanted],
    *,
    reason: str,
    owner: str,
    expires: date,
    ask: Callable[[str], bool] | None,
) -> str:
    """Write waivers for what is wanted; what was written, in words.

    `ask` is shown what would be accepted and answers whether it is meant; with None it was said before. Raises
    CallWrong for what cannot be accepted, NotAccepted where the answer is no; nothing is written then.
    """
    _within_reach(expires, subject.settings.as_of)
    told = connector_parity(subject, tuple(dict.fromkeys(one.lane for one in those)))
    found = [accepted for one in those for accepted in _accepted(told, one, reason, owner, expires)]
    chosen = [*{accepted.deviation: accepted for accepted in found}.values()]
    path = subject.folder / "deviations.json"
    text = _text(subject, path, chosen)
    shown = "\n".join(_shown(told, chosen))
    if ask is not None and not ask(f"{shown}\n"):
        raise NotAccepted("not accepted: nothing was written")
    write_whole(path, text)
    done = f"{path}  written: {counted(len(chosen), 'waiver')} until {expires}, {owner}"
    return done if ask is not None else f"{shown}\n{done}"


def _within_reach(expires: date, as_of: date) -> None:
    last = as_of + timedelta(days=_MOST_DAYS)
    if expires < as_of:
        raise CallWrong(f"--expires {expires} is past", fix=f"name a day from {as_of} on")
    if expires > last:
        raise CallWrong(
            f"--expires {expires} is too far away", fix=f"name a day up to {last}: a waiver is looked at once a year"
        )


def _accepted(told: ConnectorParity, one: Wanted, reason: str, owner: str, expires: date) -> list[Accepted]:
    lane = next(lane for lane in told.lanes if lane.lane == one.lane)
    chosen = [
        Accepted(deviation := Deviation(one.lane, path, kind, reason, owner, expires), shown, _ended(told, deviation))
        for path, kind, shown in _open(lane, _compared(lane))
        if one.kind is None or (path, kind) == (one.path, one.kind)
    ]
    if not chosen:
        raise _nothing(told, lane, one)
    return chosen


def _compared(lane: LaneRows) -> LaneParity:
    """Raises CallWrong for a lane whose differences are not the matter yet."""
    if lane.parity is None:
        raise CallWrong(f"{lane.lane} cannot be compared: {lane.why}", fix=lane.fix)
    if not lane.parity.ends_alike:
        raise CallWrong(
            f"{lane.lane} ended in {lane.parity.run.outcome}; the baseline: {lane.parity.stored.outcome}",
            fix="mend that first: how a lane ends cannot be waived",
        )
    return lane.parity


def _open(lane: LaneRows, parity: LaneParity) -> Iterator[tuple[str, Waivable, tuple[str, ...]]]:
    """What differs in a lane and is not waived: path, kind, and how it is shown."""
    if not parity.requests_hold:
        counts = f"{len(parity.requests.now)} now, {len(parity.requests.before)} in the baseline"
        yield "", REQUESTS, (counts, *request_changes(parity.requests))
    for row in lane.rows:
        if row.kind is not None and row.is_open and row.example is not None:
            key, old, new = row.example
            count = f"{row.records} of {row.of} records{f', {row.change}' if row.change else ''}"
            yield row.path, row.kind, (count, f"{old}  ->  {new}   at {key}")


def _ended(told: ConnectorParity, deviation: Deviation) -> Deviation | None:
    """The expired waiver of the same difference, which the new one replaces."""
    same = (deviation.lane, deviation.path, deviation.kind)
    return next((late for late in told.late if (late.lane, late.path, late.kind) == same), None)


def _nothing(told: ConnectorParity, lane: LaneRows, one: Wanted) -> CallWrong:
    """Why there is nothing to accept, and what there would be."""
    open_ones = [f"{lane.lane}:{path}:{kind}" for path, kind, _ in _open(lane, _compared(lane))]
    if one.kind is None:
        return CallWrong(f"nothing is open in {one.lane}: there is nothing to accept", fix="leave --accept out")
    asked = f"{one.lane}:{one.path}:{one.kind}"
    waiver = _waiver(lane, one)
    if waiver is not None:
        return CallWrong(f"{asked} is waived already", facts={"by": f"{told.deviations}:{waiver.line}"})
    return CallWrong(
        f"{asked} does not differ",
        facts={"open": tuple(open_ones) or "nothing in this lane"},
        fix=nearest(asked, open_ones) if open_ones else "leave --accept out",
    )


def _waiver(lane: LaneRows, one: Wanted) -> Deviation | None:
    if one.kind == REQUESTS and lane.parity is not None:
        return next(iter(lane.parity.waives_requests), None)
    return next((row.waived_by for row in lane.rows if (row.path, row.kind) == (one.path, one.kind)), None)


# What is written.


def _text(subject: Subject, path: Path, chosen: Sequence[Accepted]) -> str:
    """The document with the waivers. Raises CallWrong for a reason or an owner that says too little."""
    text = path.read_bytes().decode() if path.exists() else EMPTY
    there = [(each.lane, each.path, each.kind) for each in subject.deviations]
    for accepted in chosen:
        deviation = accepted.deviation
        entry = {
            "lane": deviation.lane,
            "path": deviation.path,
            "kind": deviation.kind,
            "reason": deviation.reason,
            "owner": deviation.owner,
            "expires": deviation.expires.isoformat(),
        }
        same = (deviation.lane, deviation.path, deviation.kind)
        text = with_entry(text, entry, instead_of=there.index(same) if accepted.extends else None)
    try:
        read_deviations(text.encode(), str(path))
    except ConfigWrong as wrong:
        problem = wrong.problems[0]
        option = problem.pointer.rpartition("/")[2]
        raise CallWrong(f"--{option} {problem.message}", fix=problem.hint) from None
    return text


def _shown(told: ConnectorParity, chosen: Sequence[Accepted]) -> Iterator[str]:
    """What would be waived, with an example each, and what is written about it."""
    for accepted in chosen:
        deviation = accepted.deviation
        path = [] if deviation.kind == REQUESTS else [deviation.path or "(record)"]
        yield "  ".join([deviation.lane, *path, deviation.kind])
        yield from (f"  {line}" for line in accepted.shown)
        if accepted.extends is not None:
            yield f"  extends the waiver of line {accepted.extends.line}, which ended on {accepted.extends.expires}"
    for lane in told.lanes:
        if lane.parity is not None and lane.parity.stored.baseline.kind == "engine":
            yield f"{lane.lane}'s baseline is this engine's own: --snapshot-update takes it anew, and needs no waiver"
