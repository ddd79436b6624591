"""RPL-007 to RPL-009: what recordings show beyond what was recorded: each lane again, with one fault in it.

The faults are derived by `counterfactual`; here the altered lanes are replayed and what comes of each is judged. A lane
of which no fault of a kind can be derived is no target of that check. None is derived of a lane in which a token is
asked for: what comes of a fault there is for the tokens' own checks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from connproof.errors import ConnproofError, MappingFailed, ProviderSaid
from connproof.model import UnifiedMapping
from connproof.places import JsonValue
from pytest_connproof.answers import meaning_of
from pytest_connproof.counterfactual import (
    BREAKS,
    FIELDS,
    PAGES,
    Altered,
    asked_before,
    breaks,
    first_other,
    odd_fields,
    odd_pages,
    rest,
    takes_in_all,
)
from pytest_connproof.finding import Evidence, Finding, Inconclusive, counted, rows
from pytest_connproof.lane_run import LaneRun
from pytest_connproof.subject import Party, Subject

_SHOWN_REQUESTS: Final = 6

Judge = Callable[[Subject, str, LaneRun, Altered], None]
Derived = Callable[[Subject, str], Iterator[Altered]]


def broken_reads_go_on(subject: Subject, target: str) -> Evidence:
    """Broken off at any of its answers, a read ends in the right error, and its token gives the rest, and only that."""
    return _held(subject, target, BREAKS, broken_off, _goes_on)


def odd_pages_leave_no_hole(subject: Subject, target: str) -> Evidence:
    """With a page that comes again, is gone or is shorter, the read ends in an error, or gives all that was served."""
    return _held(subject, target, PAGES, with_odd_pages, _leaves_no_hole)


def odd_fields_change_nothing_unseen(subject: Subject, target: str) -> Evidence:
    """A member of another type maps to what the model allows or is told by its place; a new member changes nothing."""
    return _held(subject, target, FIELDS, with_odd_fields, _changes_nothing_unseen)


# What is derived of a lane.


def broken_off(subject: Subject, lane_id: str) -> Iterator[Altered]:
    lane = subject.lanes[lane_id].lane
    party = subject.party(lane)
    seen = [
        exchange.response
        for recorded in subject.lanes.values()
        for exchange in subject.answered(recorded.lane)
        if not meaning_of(subject.connector, subject.operation(recorded.lane), exchange.response).is_success
    ]
    return breaks(party.connector, party.operation(lane), lane, seen)


def with_odd_pages(subject: Subject, lane_id: str) -> Iterator[Altered]:
    lane = subject.lanes[lane_id].lane
    party = subject.party(lane)
    return odd_pages(party.connector, party.operation(lane), lane)


def with_odd_fields(subject: Subject, lane_id: str) -> Iterator[Altered]:
    lane = subject.lanes[lane_id].lane
    party = subject.party(lane)
    mapping = _mapping(party, lane_id)
    return iter(()) if mapping is None else odd_fields(party.connector, party.operation(lane), mapping, lane)


def bears(derived: Derived, subject: Subject, lane_id: str) -> bool:
    """Whether a fault can be derived of a lane. Of one that nobody can call, its check says why."""
    if subject.grants(subject.lanes[lane_id].lane):
        return False
    try:
        return next(derived(subject, lane_id), None) is not None
    except ConnproofError:
        return True


def _mapping(party: Party, lane_id: str) -> UnifiedMapping | None:
    found = party.connector.models_of(lane_id.partition(".")[0])
    return found[0] if len(found) == 1 else None


def _held(subject: Subject, target: str, faults: Sequence[str], derived: Derived, judge: Judge) -> Evidence:
    """How often each fault was played. Raises Finding for the first that did not come to what it must."""
    whole = subject.run(target)
    if whole.unmatched is not None or whole.error is not None:
        raise Inconclusive(f"the run ended early: {whole.outcome}", "see RPL-002 and RPL-004")
    if whole.tally.unused:
        raise Inconclusive("the run did not ask for every recorded exchange", "see RPL-001")
    played = dict.fromkeys(faults, 0)
    for altered in derived(subject, target):
        judge(subject, target, whole, altered)
        played[altered.fault] += 1
    return played


# RPL-007.


def _goes_on(subject: Subject, target: str, whole: LaneRun, altered: Altered) -> None:
    broken = subject.replayed(target, altered.lane, lost=altered.lost)
    refuse = _Refusal(subject, target, altered)
    if not isinstance(broken.error, altered.must.errors):
        raise refuse.because(f"{target}, broken off, does not end in the error that it must", broken)
    if not altered.must.goes_on:
        return
    token = broken.error.resume if isinstance(broken.error, ProviderSaid) else None
    if token is None:
        raise refuse.because(f"{target} cannot be gone on with: its error has no resume token", broken)
    lane = subject.lanes[target].lane
    resumed = subject.replayed(target, rest(lane, broken), resume=token)
    if resumed.unmatched is not None:
        again = asked_before(lane, broken, resumed.unmatched.request)
        why = "a page that the caller has already" if again else "what is not recorded"
        raise refuse.because(f"{target} goes on from its token by asking for {why}", broken, resumed)
    other = first_other(whole.records, (*broken.records, *resumed.records))
    if other is not None or resumed.error is not None:
        what = f"{target}, broken off and gone on with, is not what it is in one"
        raise refuse.because(what, broken, resumed, other)


# RPL-008.


def _leaves_no_hole(subject: Subject, target: str, whole: LaneRun, altered: Altered) -> None:
    run = subject.replayed(target, altered.lane)
    refuse, must = _Refusal(subject, target, altered), altered.must
    if run.unmatched is not None:
        raise refuse.because(f"{target} is read on behind what its provider served", run)
    other = first_other(whole.records[: len(run.records)], run.records)
    if other is not None:
        what = f"{target}: the caller gets records that were not served, or not in this order"
        raise refuse.because(what, run, other=other)
    if run.error is None and len(run.records) == must.complete:
        return
    if isinstance(run.error, must.errors):
        return
    if run.error is None:
        raise refuse.because(f"{target} has a hole: it ends as if it were whole", run)
    raise refuse.because(f"{target} ends in another error than it must", run)


# RPL-009.


def _changes_nothing_unseen(subject: Subject, target: str, whole: LaneRun, altered: Altered) -> None:
    run = subject.replayed(target, altered.lane)
    refuse = _Refusal(subject, target, altered)
    mapping = _mapping(subject.party(subject.lanes[target].lane), target)
    assert mapping is not None, "nothing is derived where nothing is mapped"
    if isinstance(run.error, altered.must.errors) and isinstance(run.error, MappingFailed):
        if wrong := _not_told(run.error, mapping, altered.index or 0):
            raise refuse.because(f"{target}: the error does not name {wrong}", run)
        if first_other(whole.records[: len(run.records)], run.records) is not None:
            raise refuse.because(f"{target}: a record before the altered one is another", run)
        return
    if run.unmatched is not None or run.error is not None:
        raise refuse.because(f"{target} ends in another error than it must", run)
    wanted, got = list(whole.records), list(run.records)
    if len(wanted) != len(got):
        raise refuse.because(f"{target} does not give every record", run, other=first_other(wanted, got))
    if altered.index is not None:
        if wrong := _not_allowed(subject, mapping, got[altered.index]):
            raise refuse.because(f"{target}: a record is given that {mapping.model} does not allow: {wrong}", run)
        del wanted[altered.index], got[altered.index]
        if (other := first_other(wanted, got)) is not None:
            raise refuse.because(f"{target}: a record that was not altered is another", run, other=other)
        return
    for number, (one, two) in enumerate(zip(wanted, got, strict=True), 1):
        if fields := _changed(mapping, one, two):
            rule = next((rule for rule in mapping.fields if rule.name == fields[0]), None)
            raise refuse.because(
                f"{target}: a member that nobody asked for changes {', '.join(fields)}",
                run,
                other=number,
                pointer=rule.pointer if rule else mapping.pointer,
            )


def _not_told(failed: MappingFailed, mapping: UnifiedMapping, index: int) -> str:
    """What an error about a record does not say, "" where it says all."""
    rule = next((rule for rule in mapping.fields if rule.name == failed.field), None)
    said = failed.facts.get("record", "")
    if not str(said).startswith(f"{index + 1} (page "):
        return "the record"
    if rule is None:
        return "the field"
    return "" if failed.expression == rule.expression else "the expression"


def _not_allowed(subject: Subject, mapping: UnifiedMapping, record: JsonValue) -> str:
    import jsonschema  # an independent word on what the model allows

    model: Any = subject.models[mapping.model]
    checker = jsonschema.Draft202012Validator(model, format_checker=jsonschema.FormatChecker())
    error = next(iter(checker.iter_errors(record)), None)
    return "" if error is None else f"/{'/'.join(map(str, error.absolute_path))} ({error.validator})"


def _changed(mapping: UnifiedMapping, one: JsonValue, two: JsonValue) -> list[str]:
    """The fields in which two records differ, but those that are there to take in whatever a record has."""
    if not isinstance(one, dict) or not isinstance(two, dict):
        return [] if json.dumps(one) == json.dumps(two) else ["the record"]
    wide = {rule.name for rule in mapping.fields if takes_in_all(rule.expression)}
    wide |= {mapping.custom_fields.rule.name} if mapping.custom_fields else set()
    return [name for name in {**one, **two} if name not in wide and _text(one, name) != _text(two, name)]


def _text(record: Mapping[str, JsonValue], name: str) -> str:
    return json.dumps(record[name]) if name in record else ""


# What a finding shows.


class _Refusal:
    """A finding in the making: the altered conversation, what had to come of it, and what came."""

    def __init__(self, subject: Subject, target: str, altered: Altered) -> None:
        self._subject = subject
        self._target = target
        self._altered = altered

    def because(
        self,
        what: str,
        run: LaneRun,
        resumed: LaneRun | None = None,
        other: int | None = None,
        *,
        pointer: str | None = None,
    ) -> Finding:
        altered = self._altered
        facts: dict[str, str | Sequence[str]] = {
            "altered": f"{altered.at.id}: {altered.how}",
            "asked": [*_conversation(self._subject, run, altered)],
            "came": _ended(run),
        }
        if resumed is not None:
            facts["then asked"] = [*_conversation(self._subject, resumed, replace(altered, lost=frozenset()))]
            facts["then came"] = _ended(resumed)
        if other is not None:
            facts["first other"] = f"record {other}"
        facts["expected"] = str(altered.must)
        facts["config"] = self._subject.place_of(altered.pointer if pointer is None else pointer)
        facts["fix"] = altered.fix
        return Finding(what, rows(facts))


def _ended(run: LaneRun) -> str:
    return f"{run.outcome}, after {counted(len(run.records), 'record')}"


def _conversation(subject: Subject, run: LaneRun, altered: Altered) -> Iterator[str]:
    """Each request and by what it was answered; of many, the last."""
    recorded = {id(exchange) for exchange in subject.lanes[run.lane.id].lane.exchanges}
    answered = {use.order: use.exchange for use in run.tally.used}
    skipped = max(0, len(run.requests) - _SHOWN_REQUESTS)
    if skipped:
        yield f"... {skipped} requests before"
    for order, request in enumerate(run.requests[skipped:], skipped + 1):
        by = answered.get(order)
        told = "what is not recorded, or was answered already" if by is None else by.id
        is_altered = by is not None and (id(by) not in recorded or by.id in altered.lost)
        yield f"{order}  {subject.shown(run, request)}   {told}{'   (altered)' if is_altered else ''}"
