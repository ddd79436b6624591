"""One lane beside its baseline: the records, how it ended, what was asked for, and what of that is waived.

What a check refutes and what a command tells is this same comparison.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connproof.model import FieldRule
from pytest_connproof.finding import Inconclusive
from pytest_connproof.lane_run import LaneRun, asks_for
from pytest_connproof.parity import Comparison, Deviation, Judged, MappedBy, compare, unused, waive
from pytest_connproof.recording import Lane
from pytest_connproof.snapshots import Snapshot
from pytest_connproof.subject import Subject

__all__ = ["LaneParity", "Requests", "idle", "lane_parity", "mapped_by", "matched", "rules_of", "unexercised"]


@dataclass(frozen=True, slots=True)
class Requests:
    """What a lane's baseline asked for and what the config asks for, each on one line, in order."""

    before: tuple[str, ...]
    now: tuple[str, ...]

    @property
    def are_equal(self) -> bool:
        return [asks_for(line) for line in self.before] == [asks_for(line) for line in self.now]

    @property
    def gone(self) -> tuple[str, ...]:
        """What only the baseline asked for."""
        known = [asks_for(line) for line in self.now]
        return tuple(line for line in self.before if asks_for(line) not in known)

    @property
    def new(self) -> tuple[str, ...]:
        """What only the config asks for."""
        known = [asks_for(line) for line in self.before]
        return tuple(line for line in self.now if asks_for(line) not in known)


@dataclass(frozen=True, slots=True)
class LaneParity:
    """A lane's run and its baseline, compared. `waives_requests` are the valid waivers of requests that differ."""

    stored: Snapshot
    run: LaneRun
    comparison: Comparison
    judged: Judged
    requests: Requests
    waives_requests: tuple[Deviation, ...]

    @property
    def ends_alike(self) -> bool:
        return self.stored.outcome == self.run.outcome

    @property
    def requests_hold(self) -> bool:
        return self.requests.are_equal or bool(self.waives_requests)

    @property
    def holds(self) -> bool:
        """Whether nothing differs but what is waived. How a lane ends cannot be waived."""
        return self.ends_alike and not self.judged.open and self.requests_hold

    @property
    def used(self) -> frozenset[Deviation]:
        return self.judged.used | frozenset(self.waives_requests)


def lane_parity(subject: Subject, lane_id: str) -> LaneParity:
    """A lane's run, whatever came of it, beside its baseline. Raises Inconclusive where there is none."""
    stored, run = subject.snapshot(lane_id), subject.run(lane_id)
    as_of = subject.settings.as_of
    comparison = compare(stored.records, run.records, key=stored.key)
    requests = Requests(stored.requests, subject.taken(lane_id).requests)
    covering = [d for d in subject.deviations if d.covers_requests(lane_id) and as_of <= d.expires]
    return LaneParity(
        stored=stored,
        run=run,
        comparison=comparison,
        judged=waive(comparison, subject.deviations, lane_id, as_of),
        requests=requests,
        waives_requests=() if requests.are_equal else tuple(covering),
    )


def matched(subject: Subject, lane_id: str) -> LaneRun:
    """The lane's run, where the recording answered all of it: else what it returned is no more than a consequence."""
    run = subject.run(lane_id)
    if run.unmatched is not None:
        raise Inconclusive("the run ended at a request that is not in the recording", "see RPL-002")
    return run


def idle(subject: Subject) -> tuple[Deviation, ...]:
    """The waivers that are valid and waive nothing any more, neither in a lane nor of what was promised."""
    used = {waiver for waivers in subject.gone.values() for waiver in waivers}
    for lane_id in subject.lanes:
        if subject.snapshots.read(lane_id) is not None:
            used |= lane_parity(subject, lane_id).used
    return unused(subject.deviations, used, subject.settings.as_of)


def unexercised(subject: Subject) -> Iterator[tuple[str, FieldRule]]:
    """The mapped fields, with their model, that have no value in any recorded record."""
    for mapping in subject.connector.unified.values():
        seen: set[str] = set()
        for lane_id, recorded in subject.lanes.items():
            if subject.mapping(recorded.lane) == mapping:
                for record in subject.run(lane_id).records:
                    if isinstance(record, dict):
                        seen |= {name for name, value in record.items() if value not in (None, "", [], {})}
        yield from ((mapping.model, rule) for rule in mapping.fields if rule.name not in seen)


def rules_of(subject: Subject, lane: Lane) -> tuple[FieldRule, ...]:
    """The rules that map a lane's records, as the account has them for which it was called; () where none does."""
    mapping = subject.mapping(lane)
    if mapping is None:
        return ()
    own = subject.party(lane).connector.unified[mapping.model]
    return (*own.fields, *((own.custom_fields.rule,) if own.custom_fields else ()))


def mapped_by(subject: Subject, lane: Lane, pattern: str) -> MappedBy | None:
    """The rule that gives what stands at a path, None for a record as a whole, and where nothing is mapped."""
    name = pattern.split("/")[1].replace("~1", "/").replace("~0", "~") if pattern else ""
    rule = next((rule for rule in rules_of(subject, lane) if rule.name == name), None)
    if rule is None:
        return None
    return MappedBy(rule.document or str(subject.file), rule.line, rule.name, rule.expression, rule.level)
