"""LIM: recorded throttles: each reaches the caller at once, nothing else is taken for one, and reads go on after it."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

from connproof.conditions import holds
from connproof.errors import ProviderBusy, ProviderSaid
from connproof.model import Condition, Operation, RateLimit, Response
from pytest_connproof.answers import document_in, meaning_of, records_in
from pytest_connproof.counterfactual import answered_with, asked_before, first_other, rest, spread
from pytest_connproof.finding import Evidence, Finding, Inconclusive, rows
from pytest_connproof.lane_run import LaneRun
from pytest_connproof.recording import Exchange
from pytest_connproof.replay import Use
from pytest_connproof.subject import Subject

_MOST_BREAKS: Final = 12  # of one lane: a long one is broken off at its start, at its end and at places between


def throttles_reach_the_caller(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 the checks share one signature
    """Each recorded throttle ends its read as ProviderBusy, with no request after it; a listing's has a token."""
    throttles, unused = 0, []
    for lane_id, exchange in _exchanges(subject):
        meaning = meaning_of(subject.connector, subject.operation(subject.lanes[lane_id].lane), exchange.response)
        if exchange.response.status != HTTPStatus.TOO_MANY_REQUESTS and meaning.meaning != "throttled":
            continue
        run = subject.run(lane_id)
        use = next((use for use in run.tally.used if use.exchange is exchange), None)
        if use is None:
            unused.append(exchange.id)
            continue
        throttles += 1
        if wrong := _kept_from_the_caller(run, use):
            rule = meaning.rule
            means = f"{meaning.meaning}, says {subject.place_of(rule.pointer)}" if rule else str(meaning.meaning)
            raise Finding(
                f"a throttle is kept from the caller: {wrong}",
                rows(
                    {
                        "answer": f"{exchange.id}   HTTP {exchange.response.status}",
                        "means": means,
                        "read": f"{lane_id} ended: {run.outcome}",
                        "fix": "a throttle is the caller's to wait for: let no rule give it another meaning",
                    }
                ),
            )
    if unused:
        raise Inconclusive(f"recorded throttles were not asked for: {', '.join(unused)}", "see RPL-001")
    if not throttles:
        raise Inconclusive("no recording holds a throttle", "record a lane that ends in one")
    if unmet := _unmet(subject):
        raise Inconclusive(f"no recorded answer is a throttle by {', '.join(unmet)}", "record a lane that ends in one")
    return {"throttles": throttles}


def look_alikes_are_no_throttles(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 as above
    """Beside each throttle there is an answer of its status that is none, and what holds records is a page."""
    answers, others = 0, set[int]()
    for lane_id, exchange in _exchanges(subject):
        operation = subject.operation(subject.lanes[lane_id].lane)
        response, run = exchange.response, subject.run(lane_id)
        meaning = meaning_of(subject.connector, operation, response)
        last = run.tally.used[-1].exchange if run.tally.used else None
        if meaning.meaning == "throttled":
            if 200 <= response.status < 300 and _holds_records(operation, response):
                rule = meaning.rule
                raise Finding(
                    "a page with records is taken for a throttle",
                    rows(
                        {
                            "answer": f"{exchange.id}   HTTP {response.status}",
                            "means": f"throttled, says {subject.place_of(rule.pointer) if rule else ''}",
                            "fix": "say in the condition what a throttle alone has; "
                            "some providers send Retry-After with every answer",
                        }
                    ),
                )
            continue
        if response.status == HTTPStatus.TOO_MANY_REQUESTS:
            continue
        if last is exchange and isinstance(run.error, ProviderBusy):
            raise Finding(
                "an answer that is no throttle reached the caller as one",
                rows({"answer": f"{exchange.id}   HTTP {response.status}", "means": str(meaning.meaning)}),
            )
        answers += 1
        others.add(response.status)
    if doubtful := [
        f"{said} ({rule.pointer}/when)"
        for rule in (subject.connector.rate_limit or RateLimit()).throttled
        for said in rule.when.statuses
        if _needs_a_look_alike(rule.when, said) and not any(_is_status(status, said) for status in others)
    ]:
        raise Inconclusive(
            f"no recorded answer has a throttle's status and is none: {', '.join(doubtful)}",
            "record a lane that ends in one",
        )
    if not answers:
        raise Inconclusive("every recorded answer is a throttle", "record a lane that succeeds")
    return {"answers": answers, "statuses": len(others)}


def nothing_is_lost_to_a_throttle(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 as above
    """A listing with a 429 in the place of any of its answers goes on from its token: same records, nothing twice."""
    lanes = breaks = 0
    paged = {operation.id for operation in subject.paged}
    for lane_id, recorded in subject.lanes.items():
        if recorded.lane.operation not in paged or subject.grants(recorded.lane):  # what was refreshed is not again
            continue
        run = subject.run(lane_id)
        if run.unmatched is not None or run.error is not None or len(run.pages) < 2:
            continue
        lanes += 1
        for number in spread(len(run.tally.used), _MOST_BREAKS):
            _broken_off(subject, lane_id, run, number)
            breaks += 1
    if not lanes:
        raise Inconclusive("no listing was read past its first page", "see RPL-006, or record a lane of several pages")
    return {"lanes": lanes, "breaks": breaks}


# LIM-001.


def _kept_from_the_caller(run: LaneRun, use: Use) -> str:
    if run.tally.requests > use.order:
        return "another request was sent after it"
    if not isinstance(run.error, ProviderBusy):
        return "it is no ProviderBusy"
    if run.operation.is_list and run.error.resume is None:
        return "it has no resume token"
    return ""


def _unmet(subject: Subject) -> list[str]:
    """The declared throttles that no recorded answer is, by pointer."""
    answers = [
        (exchange.response, document_in(subject.operation(subject.lanes[lane_id].lane), exchange.response))
        for lane_id, exchange in _exchanges(subject)
    ]
    rules = subject.connector.rate_limit.throttled if subject.connector.rate_limit else ()
    return [rule.pointer for rule in rules if not any(holds(rule.when, *answer) for answer in answers)]


# LIM-003.


def _holds_records(operation: Operation, response: Response) -> bool:
    """Whether records stand in an answer, and not only something that could be taken for the one."""
    found = records_in(operation, response)
    return (
        bool(found)
        if operation.is_list
        else operation.response_path is not None and any(isinstance(one, dict) for one in found)
    )


def _needs_a_look_alike(when: Condition, said: int | str) -> bool:
    """Whether a status means something else too: the condition says more than it, or HTTP has a word for it."""
    if said == HTTPStatus.TOO_MANY_REQUESTS:
        return False
    if when != Condition(statuses=when.statuses):
        return True
    return isinstance(said, int) and said in {*HTTPStatus} and said < HTTPStatus.INTERNAL_SERVER_ERROR


def _is_status(status: int, said: int | str) -> bool:
    return status == said or f"{status // 100}xx" == said


# LIM-004.


def _broken_off(subject: Subject, lane_id: str, whole: LaneRun, number: int) -> None:
    """Break a read off at one request and go on. Raises Finding."""
    lane = subject.lanes[lane_id].lane
    at = whole.tally.used[number].exchange
    throttle = Response(429, (("retry-after", "1"),))
    broken = subject.replayed(lane_id, answered_with(lane, at, throttle))
    where = f"request {number + 1} of {len(whole.tally.used)}, {at.id}, was answered with 429"
    token = broken.error.resume if isinstance(broken.error, ProviderSaid) else None
    if not isinstance(broken.error, ProviderBusy) or token is None:
        raise Finding(
            f"{lane_id} cannot be gone on with after a throttle",
            rows({"broken off": where, "ended": broken.outcome, "token": "none" if token is None else "there is one"}),
        )
    resumed = subject.replayed(lane_id, rest(lane, broken), resume=token)
    if resumed.unmatched is not None:
        asked = resumed.unmatched.request
        raise Finding(
            f"{lane_id} goes on from its token with a request that was not due",
            rows(
                {
                    "broken off": where,
                    "then asked": f"{asked.method} {asked.url.partition('?')[0]}",
                    "which is": "asked a second time" if asked_before(lane, broken, asked) else "not recorded",
                }
            ),
        )
    other = first_other(whole.records, (*broken.records, *resumed.records))
    if other is not None or resumed.error is not None:
        raise Finding(
            f"{lane_id}, broken off and gone on with, is not what it is in one",
            rows(
                {
                    "broken off": where,
                    "in one": f"{len(whole.records)} records",
                    "in two": f"{len(broken.records)} and {len(resumed.records)} records, then {resumed.outcome}",
                    "first other": "none" if other is None else str(other),
                }
            ),
        )


# What the checks share.


def _exchanges(subject: Subject) -> Iterator[tuple[str, Exchange]]:
    for lane_id, recorded in subject.lanes.items():
        for exchange in subject.answered(recorded.lane):
            yield lane_id, exchange


def has_a_throttle(subject: Subject) -> bool:
    """Whether a recording holds an answer that is a throttle by HTTP's own word."""
    return any(exchange.response.status == HTTPStatus.TOO_MANY_REQUESTS for _, exchange in _exchanges(subject))
