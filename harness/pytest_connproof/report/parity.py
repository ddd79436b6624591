"""A connector's parity as a table for people and as a document for machines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias

from connproof.errors import printable
from pytest_connproof.connector_parity import ConnectorParity, FieldRow, LaneRows, Verdict
from pytest_connproof.finding import counted
from pytest_connproof.lane_parity import LaneParity, Requests
from pytest_connproof.parity import REQUESTS, Deviation
from pytest_connproof.report.terminal import fitted
from pytest_connproof.snapshots import Baseline

__all__ = ["EXIT_CODES", "as_document", "as_text", "request_changes", "whose"]

FORMAT: Final = "connproof-parity/1"

EXIT_CODES: Final[dict[Verdict, int]] = {"holds": 0, "differs": 1, "inconclusive": 3}

_COLOURS: Final = {"good": "\x1b[32m", "bad": "\x1b[31m", "doubt": "\x1b[33m"}
_PLAIN: Final = "\x1b[0m"
_OF_VERDICT: Final[dict[Verdict, str]] = {"holds": "good", "differs": "bad", "inconclusive": "doubt"}
_SHORT_COMMIT: Final = 12
_MOST_REQUESTS: Final = 6
_WIDEST_PATH: Final = 36


# For people.


def as_text(told: ConnectorParity, *, width: int, colour: bool) -> str:
    """A block for each lane, then what is of the connector as a whole, then one line with the verdict."""
    paint = _paint(colour=colour)
    lines: list[str] = []
    for lane in told.lanes:
        lines += [*_lane_lines(told, lane, width, paint), ""]
    lines += _whole_lines(told, paint)
    return "\n".join([*lines, _summary(told, paint)]) + "\n"


_Paint: TypeAlias = Callable[[str, str], str]


def _paint(*, colour: bool) -> _Paint:
    return lambda text, how: f"{_COLOURS[how]}{text}{_PLAIN}" if colour and how in _COLOURS else text


def _lane_lines(told: ConnectorParity, lane: LaneRows, width: int, paint: _Paint) -> Iterator[str]:
    yield f"{lane.lane}  {lane.model or 'as the provider has it'}"
    parity = lane.parity
    if parity is None:
        yield f"  {paint('not compared', 'doubt')}  {lane.why}"
        if lane.fix:
            yield f"  fix           {lane.fix}"
        return
    yield f"  baseline  {whose(parity.stored.baseline, width - 12)}"
    now, before = len(parity.run.records), len(parity.stored.records)
    yield f"  records   {counted(now, 'record')}" + (f"; the baseline has {before}" if now != before else "")
    if parity.ends_alike:
        yield f"  ended     {parity.run.outcome}, as the baseline"
    else:
        yield f"  ended     {paint(parity.run.outcome, 'bad')}; the baseline: {parity.stored.outcome}"
        yield from (f"            {printable(line)}" for line in str(parity.run.error or "").splitlines()[:1])
    yield from _request_lines(told, parity, paint)
    if lane.rows:
        yield from _table(told, lane.rows, width, paint)


def request_changes(requests: Requests) -> tuple[str, ...]:
    """What only one side asked for, a line each; in words where both asked for the same things."""
    lines = [*(f"- {line}" for line in requests.gone), *(f"+ {line}" for line in requests.new)]
    return tuple(map(printable, lines)) or ("the same ones in another order, or another number of times",)


def _request_lines(told: ConnectorParity, parity: LaneParity, paint: _Paint) -> Iterator[str]:
    requests = parity.requests
    count = counted(len(requests.now), "request")
    if requests.are_equal:
        yield f"  requests  {count}, as the baseline"
        return
    waiver = parity.waives_requests[0] if parity.waives_requests else None
    state = paint("differ", "bad" if waiver is None else "doubt")
    yield f"  requests  {count}; the baseline made {len(requests.before)}: {state}"
    lines = request_changes(requests)
    yield from (f"            {line}" for line in lines[:_MOST_REQUESTS])
    if len(lines) > _MOST_REQUESTS:
        yield f"            (+{len(lines) - _MOST_REQUESTS} more)"
    if waiver is not None:
        yield f"            {_waived(told, waiver)}"


def _table(told: ConnectorParity, rows: Sequence[FieldRow], width: int, paint: _Paint) -> Iterator[str]:
    """The rows in columns that fit; a path that is too long for its column has a line of its own."""
    paths = [printable(row.path) or "(record)" for row in rows]
    wide = min(max(len(text) for text in ["field", *paths]), _WIDEST_PATH)
    words = max(len(text) for text in ["class", *(row.word for row in rows)])
    counts = [f"{row.records} of {row.of}" for row in rows]
    amounts = max(len(text) for text in ["records", *counts])
    home = next((row.by for row in rows if row.by is not None and row.by.file == told.file), None)
    if home is not None:
        yield f"  mapped    in {home.file} ({home.level})"
    yield f"  {'field':<{wide}}  {'class':<{words}}  {'records':<{amounts}}  {'mapped by' if home else ''}".rstrip()
    for row, path, count in zip(rows, paths, counts, strict=True):
        room = width - (2 + wide + 2 + words + 2 + amounts + 2)
        how = "bad" if row.is_open else "good" if row.is_equal else "doubt"
        word = paint(row.word, how) + " " * (words - len(row.word))
        if len(path) > wide:
            yield f"  {path}"
        column = path if len(path) <= wide else ""
        yield f"  {column:<{wide}}  {word}  {count:<{amounts}}  {fitted(_rule(told, row), room)}".rstrip()
        yield from (f"      {line}" for line in _row_details(told, row, width - 6))


def _rule(told: ConnectorParity, row: FieldRow) -> str:
    if row.by is None:
        return "" if row.kind is None or not row.path else "nothing: no field of this name is mapped"
    where = "" if row.by.file == told.file else row.by.file
    level = "" if row.by.file == told.file else f"  ({row.by.level})"
    return printable(f"{where}:{row.by.line}  {row.by.expression}{level}")


def _row_details(told: ConnectorParity, row: FieldRow, room: int) -> Iterator[str]:
    if row.example is not None:
        key, old, new = row.example
        change = f"{row.change}:  " if row.change else ""
        whole = f"{change}{old}  ->  {new}   at {key}"
        lines = (
            [whole] if len(whole) <= room else [*([row.change] if change else []), f"{old}  ->", f"{new}   at {key}"]
        )
        yield from lines
    if row.waived_by is not None:
        yield _waived(told, row.waived_by)
    elif row.expired is not None:
        owner = printable(row.expired.owner)
        yield f"its waiver ended on {row.expired.expires}: {told.deviations}:{row.expired.line}, {owner}"


def _waived(told: ConnectorParity, waiver: Deviation) -> str:
    return f"waived until {waiver.expires} by {told.deviations}:{waiver.line}, {printable(waiver.owner)}"


def _whole_lines(told: ConnectorParity, paint: _Paint) -> Iterator[str]:
    said = [
        *(
            f"{paint('expired', 'bad')}        {told.deviations}:{d.line}  {_what(d)}, until {d.expires}, "
            f"{printable(d.owner)}"
            for d in told.late
        ),
        *(f"{paint('waives nothing', 'bad')} {told.deviations}:{d.line}  {_what(d)}: take it out" for d in told.idle),
        *(
            f"{paint('not exercised', 'doubt')}  {printable(model)}/{printable(rule.name)}  "
            f"{rule.document or told.file}:{rule.line}"
            for model, rule in told.unexercised
        ),
    ]
    yield from said
    if said:
        yield ""


def _what(deviation: Deviation) -> str:
    path = "" if deviation.kind == REQUESTS else f"{deviation.path or '(record)'} "
    return printable(f"{deviation.lane}  {path}({deviation.kind})")


def _summary(told: ConnectorParity, paint: _Paint) -> str:
    rows = [row for lane in told.lanes for row in lane.rows if row.kind is not None]
    waived = sum(row.waived_by is not None for row in rows) + sum(bool(p.waives_requests) for p in told.compared)
    open_ones = [f"{lane.lane}:{row.path}:{row.kind}" for lane in told.lanes for row in lane.rows if row.is_open]
    open_ones += [f"{parity.stored.lane}::{REQUESTS}" for parity in told.compared if not parity.requests_hold]
    counts = [
        f"{sum(parity.holds for parity in told.compared)} of {counted(len(told.lanes), 'lane')} as the baseline",
        counted(len(open_ones), "open difference"),
        f"{waived} waived",
    ]
    line = f"{told.connector}  {paint(f'parity {told.verdict}', _OF_VERDICT[told.verdict])}: {', '.join(counts)}"
    notes = [*told.doubts()] if told.verdict == "inconclusive" else []
    notes = notes or [f"{told.of_old_code} of {counted(len(told.compared), 'baseline')} from old code"]
    if open_ones:
        notes.append(f"what is meant: --accept {open_ones[0]} --reason TEXT --owner TEXT --expires DAY")
    return "\n".join([line, *(f"  {printable(note)}" for note in notes)])


def whose(baseline: Baseline, room: int) -> str:
    """Who returned a baseline, in words; of a command that is longer than the room, its beginning."""
    if baseline.kind != "old code":
        return f"this engine's own ({baseline.by}), reviewed"
    commit, _, state = (baseline.commit or "").partition(" ")
    at = f", commit {commit[:_SHORT_COMMIT]}{f' {state}' if state else ''}" if commit else ""
    label = "old code: "
    return f"{label}{fitted(printable(baseline.by), room - len(label) - len(at))}{at}"


# For machines.


def as_document(told: ConnectorParity) -> dict[str, Any]:
    """The same, with nothing left out but what values are longer than people are shown."""
    return {
        "format": FORMAT,
        "connector": told.connector,
        "verdict": told.verdict,
        "doubts": [*told.doubts()],
        "lanes": [_lane_document(told, lane) for lane in told.lanes],
        "waivers_expired": [_waiver(told, deviation) for deviation in told.late],
        "waivers_unused": [_waiver(told, deviation) for deviation in told.idle],
        "not_exercised": [
            {"model": model, "field": rule.name, "file": rule.document or told.file, "line": rule.line}
            for model, rule in told.unexercised
        ],
    }


def _lane_document(told: ConnectorParity, lane: LaneRows) -> dict[str, Any]:
    parity = lane.parity
    if parity is None:
        return {"lane": lane.lane, "model": lane.model, "compared": False, "why": lane.why, "fix": lane.fix}
    waivers = parity.waives_requests
    return {
        "lane": lane.lane,
        "model": lane.model,
        "compared": True,
        "holds": parity.holds,
        "baseline": parity.stored.baseline.document(),
        "records": {"old": len(parity.stored.records), "new": len(parity.run.records)},
        "outcome": {"old": parity.stored.outcome, "new": parity.run.outcome},
        "requests": {
            "old": [*parity.requests.before],
            "new": [*parity.requests.now],
            "equal": parity.requests.are_equal,
            "waived_by": _waiver(told, waivers[0]) if waivers else None,
        },
        "fields": [_row_document(told, row) for row in lane.rows],
    }


def _row_document(told: ConnectorParity, row: FieldRow) -> dict[str, Any]:
    return {
        "path": row.path,
        "class": row.word,
        "change": row.change,
        "records": row.records,
        "of": row.of,
        "example": dict(zip(("key", "old", "new"), row.example, strict=True)) if row.example else None,
        "mapped_by": row.by._asdict() if row.by else None,
        "waived_by": _waiver(told, row.waived_by) if row.waived_by else None,
    }


def _waiver(told: ConnectorParity, deviation: Deviation) -> dict[str, Any]:
    return {
        "file": told.deviations,
        "line": deviation.line,
        "lane": deviation.lane,
        "path": deviation.path,
        "kind": deviation.kind,
        "reason": deviation.reason,
        "owner": deviation.owner,
        "expires": deviation.expires.isoformat(),
    }
