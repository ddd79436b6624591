"""A connector's lanes beside their baselines: the rows that there are to tell, and the verdict.

Every mapped field has a row in each lane that has records, also where it is equal; every difference has one, waived or
not. Values are cut, and no credential of an account is among them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from connproof.documents import child
from connproof.errors import printable
from connproof.model import FieldRule
from connproof.scrub import Scrubber
from pytest_connproof.finding import Inconclusive
from pytest_connproof.lane_parity import LaneParity, idle, lane_parity, mapped_by, matched, rules_of, unexercised
from pytest_connproof.parity import Deviation, Group, Kind, MappedBy, expired, groups, shown_pair
from pytest_connproof.subject import Subject

__all__ = ["ConnectorParity", "FieldRow", "LaneRows", "Verdict", "connector_parity"]

Verdict: TypeAlias = Literal["holds", "differs", "inconclusive"]


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A mapped field that is equal, or one kind of difference at one path ("" for records as a whole).

    `kind` is None for what is equal: `records` then says how many have a value. `example` is a record's key, its old
    value and its new one. `waived_by` is the waiver that holds; `expired` the one that did.
    """

    path: str
    kind: Kind | None
    change: str
    records: int
    of: int
    example: tuple[str, str, str] | None = None
    by: MappedBy | None = None
    waived_by: Deviation | None = None
    expired: Deviation | None = None

    @property
    def word(self) -> str:
        """The kind; where neither side has a value in this lane, `no value`."""
        return self.kind or ("equal" if self.is_equal else "no value")

    @property
    def is_equal(self) -> bool:
        return self.kind is None and self.records > 0

    @property
    def is_open(self) -> bool:
        return self.kind is not None and self.waived_by is None


@dataclass(frozen=True, slots=True)
class LaneRows:
    """A lane and what is to be said of it; without `parity`, `why` says why it cannot be compared, and what to do."""

    lane: str
    model: str | None
    parity: LaneParity | None
    rows: tuple[FieldRow, ...] = ()
    why: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class ConnectorParity:
    """The lanes that were asked for. What is of the connector as a whole is judged where all of them were.

    `late` are waivers that have expired, `idle` those that waive nothing, `unexercised` the mapped fields, with their
    model, without a value in any record.
    """

    connector: str
    file: str
    deviations: str
    lanes: tuple[LaneRows, ...]
    late: tuple[Deviation, ...]
    idle: tuple[Deviation, ...]
    unexercised: tuple[tuple[str, FieldRule], ...]

    @property
    def compared(self) -> tuple[LaneParity, ...]:
        return tuple(lane.parity for lane in self.lanes if lane.parity is not None)

    @property
    def of_old_code(self) -> int:
        return sum(parity.stored.baseline.kind == "old code" for parity in self.compared)

    @property
    def verdict(self) -> Verdict:
        if self.late or self.idle or not all(parity.holds for parity in self.compared):
            return "differs"
        return "inconclusive" if [*self.doubts()] else "holds"

    def doubts(self) -> Iterator[str]:
        """Why nothing that differs is not yet parity."""
        if unknown := [lane.lane for lane in self.lanes if lane.parity is None]:
            yield f"{len(unknown)} lane{'s' * (len(unknown) != 1)} could not be compared: {', '.join(unknown)}"
        if self.unexercised:
            names = ", ".join(f"{model}/{rule.name}" for model, rule in self.unexercised)
            yield f"no record exercises {names}"
        if self.compared and not self.of_old_code:
            yield "no baseline is of old code: they are this engine's own, and show that nothing changed since then"


def connector_parity(subject: Subject, lanes: Sequence[str]) -> ConnectorParity:
    """Replay lanes, and compare what they give with their baselines. Raises what a part that cannot be read raises."""
    subject.net.open()
    try:
        told = tuple(_lane(subject, lane) for lane in lanes)
        whole = set(lanes) == set(subject.lanes)
        unused = idle(subject)
        return ConnectorParity(
            connector=subject.name,
            file=str(subject.file),
            deviations=str(subject.folder / "deviations.json"),
            lanes=told,
            late=tuple(
                d for d in expired(subject.deviations, subject.settings.as_of) if whole or d.lane in {*lanes, "*"}
            ),
            idle=tuple(d for d in unused if whole or d.lane in lanes),
            unexercised=tuple(unexercised(subject)) if whole else (),
        )
    finally:
        subject.net.close()


def _lane(subject: Subject, lane_id: str) -> LaneRows:
    lane = subject.lanes[lane_id].lane
    mapping = subject.mapping(lane)
    model = mapping.model if mapping else None
    try:
        matched(subject, lane_id)
        parity = lane_parity(subject, lane_id)
    except Inconclusive as doubt:
        return LaneRows(lane_id, model, None, why=doubt.reason, fix=doubt.fix)
    return LaneRows(lane_id, model, parity, tuple(_rows(subject, lane_id, parity)))


def _rows(subject: Subject, lane_id: str, parity: LaneParity) -> Iterator[FieldRow]:
    """Records as a whole first, then the mapped fields in the config's order, then what no mapping gives."""
    found = [_differing(subject, lane_id, group) for group in groups(parity.comparison)]
    yield from (row for row in found if not row.path)
    if not parity.run.records and not parity.stored.records:
        return
    rules = rules_of(subject, parity.run.lane)
    for rule in rules:
        own = [row for row in found if row.path and _first(row.path) == rule.name]
        yield from own or [_equal(subject, parity, rule.name)]
    named = {rule.name for rule in rules}
    rest = [row for row in found if row.path and _first(row.path) not in named]
    yield from rest
    if not rules and not found:
        count = len(parity.run.records)
        yield FieldRow("", None, "", count, count)


def _differing(subject: Subject, lane_id: str, group: Group) -> FieldRow:
    covering = [deviation for deviation in subject.deviations if deviation.covers(group.examples[0], lane_id)]
    as_of = subject.settings.as_of
    first = group.examples[0]
    scrub = Scrubber(subject.credentials).text
    old, new = shown_pair(first)
    return FieldRow(
        path=group.pattern,
        kind=group.kind,
        change=group.change,
        records=group.records,
        of=group.of,
        example=(scrub(printable(first.key)), scrub(old), scrub(new)),
        by=mapped_by(subject, subject.lanes[lane_id].lane, group.pattern),
        waived_by=next((deviation for deviation in covering if as_of <= deviation.expires), None),
        expired=next((deviation for deviation in covering if deviation.expires < as_of), None),
    )


def _equal(subject: Subject, parity: LaneParity, name: str) -> FieldRow:
    """A mapped field without a difference: in how many records it has a value."""
    records = [record for record in parity.run.records if isinstance(record, dict)]
    valued = sum(record.get(name) not in (None, "", [], {}) for record in records)
    by = mapped_by(subject, parity.run.lane, child("", name))
    return FieldRow(child("", name), None, "", valued, len(parity.run.records), by=by)


def _first(path: str) -> str:
    return path.split("/")[1].replace("~1", "/").replace("~0", "~")
