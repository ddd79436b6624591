"""Faults that break a read off: what came instead of one of the recorded answers.

Refused credentials and throttles are said in each form that the connector's own rules know: with a recorded answer of
this provider that is such, or else with one made as the rule's condition has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from connproof.conditions import holds
from connproof.errors import (
    AccessRefused,
    PageUnreadable,
    ProviderBusy,
    ProviderDown,
    ProviderSaid,
)
from connproof.model import Condition, Connector, ErrorRule, Meaning, Operation, Response, Trait
from connproof.places import ABSENT, Absent, JsonValue, Place
from pytest_connproof.answers import CAUGHT_AS
from pytest_connproof.counterfactual.altered import (
    Altered,
    Must,
    answered_with,
    is_of_one_listing,
    is_read,
    is_success,
    json_in,
    meaning_in,
    spread,
)
from pytest_connproof.provider.writing import answered, at_places
from pytest_connproof.recording import Exchange, Lane

__all__ = ["BREAKS", "breaks", "made_like"]

BREAKS: Final = ("refused", "throttled", "truncated", "html", "reset")

_MOST_PLACES: Final = 3  # of one lane: a long one is broken off at its first answer, at its last and between

_PAGE: Final = Response(
    200,
    (("content-type", "text/html; charset=utf-8"),),
    b"<!doctype html><html><head><meta charset=utf-8><title>Sign in</title></head><body><p>Sign in<br></body></html>",
)


@dataclass(frozen=True, slots=True)
class _Fault:
    """What comes instead of an answer. `response` None: nothing."""

    name: str
    how: str
    error: type[ProviderSaid]
    pointer: str
    fix: str
    response: Response | None = None


def breaks(connector: Connector, operation: Operation, lane: Lane, seen: Sequence[Response] = ()) -> Iterator[Altered]:
    """The lane broken off at each of its answers, in each way.

    `seen` are answers that this provider was recorded to give. Nothing of a lane that writes, and nothing of one that
    ends in an error.
    """
    if not is_read(operation, lane) or not is_success(connector, operation, lane):
        return
    everywhere = [*_refused(connector, operation, seen), *_throttled(connector, operation, seen)]
    everywhere += [*_page_of_html(connector, operation), _reset(operation)]
    for number in spread(len(lane.exchanges), _MOST_PLACES):
        at = lane.exchanges[number]
        for fault in (*everywhere, *_truncated(connector, operation, at)):
            answered = lane if fault.response is None else answered_with(lane, at, fault.response)
            lost = frozenset({at.id}) if fault.response is None else frozenset[str]()
            must = Must((fault.error,), goes_on=operation.is_list)
            yield Altered(fault.name, at, fault.how, answered, must, fault.pointer, fault.fix, lost)


# By the connector's own rules.


def _refused(connector: Connector, operation: Operation, seen: Sequence[Response]) -> Iterator[_Fault]:
    fix = "let a rule say auth_expired of what the provider answers to credentials that have ended, and of nothing else"
    bare = Response(401)
    for how, response, pointer in _said(connector, operation, "auth_expired", seen):
        yield _Fault("refused", how, AccessRefused, pointer, fix, response)
    verdict = meaning_in(connector, operation, bare)
    if verdict is None or _is_reduced(operation, bare):
        return
    if verdict.meaning == "auth_expired" or verdict.is_success:
        pointer = verdict.rule.pointer if verdict.rule else operation.pointer
        yield _Fault("refused", "answered with 401 and no body", AccessRefused, pointer, fix, bare)


def _throttled(connector: Connector, operation: Operation, seen: Sequence[Response]) -> Iterator[_Fault]:
    fix = "correct the condition, or the order of the rules: a throttle is the caller's to wait for"
    for how, response, pointer in _said(connector, operation, "throttled", seen):
        yield _Fault("throttled", how, ProviderBusy, pointer, fix, response)


def _said(
    connector: Connector, operation: Operation, meaning: Meaning, seen: Sequence[Response]
) -> Iterator[tuple[str, Response, str]]:
    """How each rule of this meaning is met: what was answered, the answer, and the rule's pointer."""

    def is_it(rule: ErrorRule, response: Response) -> bool:
        verdict = meaning_in(connector, operation, response)
        taken = verdict.rule if verdict else None
        return taken is not None and taken.pointer == rule.pointer and not _is_reduced(operation, response)

    for rule in connector.rules_for(operation):
        if rule.means != meaning:
            continue
        recorded = next((response for response in seen if is_it(rule, response)), None)
        made = made_like(rule.when) if recorded is None else None
        if recorded is not None:
            yield f"answered with the recorded {recorded.status} of {rule.pointer}", recorded, rule.pointer
        elif made is not None and is_it(rule, made):
            yield f"answered with {made.status}, made as {rule.pointer} says", made, rule.pointer


def _is_reduced(operation: Operation, response: Response) -> bool:
    """Whether the config asks again with a smaller page after this status."""
    return operation.pagination is not None and response.status in operation.pagination.reduce_on


_LITERAL: Final = re.compile(r"(?:\(\?[a-z]+\))?\^?((?:[\w \-:,'\"/]|\\[^\w])+)\$?", re.ASCII)


def made_like(condition: Condition) -> Response | None:
    """An answer of which a condition holds; None where a pattern that is no plain text has to be met."""
    said = next(iter(condition.statuses), 200)
    status = said if isinstance(said, int) else int(said[0]) * 100
    try:
        values: list[tuple[Place | str, JsonValue | Absent]] = [
            *((name, _meeting(trait)) for name, trait in condition.headers),
            *((place, _meeting(trait)) for place, trait in condition.body),
        ]
        text = None if condition.text is None else _text_of(condition.text)
    except ValueError:
        return None
    document, headers = at_places(values)
    response = answered(document, *headers, status=status)
    if text is not None:
        response = replace(response, body=text.encode()) if not condition.body else response
    elif not condition.body:
        response = replace(response, body=b"")
    found = json_in(response)
    return response if holds(condition, response, found) else None


def _meeting(trait: Trait) -> JsonValue | Absent:
    """A value that is as a trait says. Raises ValueError where none can be told."""
    if trait.present is False or trait.blank is True:
        return ABSENT
    if trait.equals:
        return trait.equals[0]
    return "seen" if trait.matches is None else _text_of(trait.matches)


def _text_of(pattern: str) -> str:
    """The text that a pattern without any choice is. Raises ValueError."""
    literal = _LITERAL.fullmatch(pattern)
    if literal is None:
        raise ValueError("no plain text")
    return re.sub(r"\\(.)", r"\1", literal[1])


# Whatever the connector says.


def _reset(operation: Operation) -> _Fault:
    fix = "this is a fault of the engine, not of the connector: report it"
    return _Fault("reset", "the connection was reset before an answer came", ProviderDown, operation.pointer, fix)


def _page_of_html(connector: Connector, operation: Operation) -> Iterator[_Fault]:
    """The page of a proxy or a login, with 200. Where texts are read as they come, nothing tells it from a page."""
    fix = 'declare "decode", or a rule of "errors" for such pages: whatever has no records must not read as none'
    error, pointer = _unless_said(connector, operation, _PAGE)
    if error is not None and not _reads_text(connector, operation):
        yield _Fault("html", "answered with 200 and a page of HTML", error, pointer, fix, _PAGE)


def _truncated(connector: Connector, operation: Operation, at: Exchange) -> Iterator[_Fault]:
    """A body that ends too early, at its half and at its last byte. Of a text, no end can be missed."""
    fix = 'let no rule of "errors" take for a success what cannot be read to its end'
    body = at.response.body.rstrip()
    if _reads_text(connector, operation) or body[:1] not in {b"{", b"[", b"<"}:
        return
    if body[:1] != b"<" and isinstance(json_in(at.response), Absent):
        return
    for length in sorted({len(body) // 2, len(body) - 1} - {0}):
        short = replace(at.response, body=body[:length])
        error, pointer = _unless_said(connector, operation, short)
        if error is not None:
            how = f"its body was cut off after {length} of {len(body)} bytes"
            yield _Fault("truncated", how, error, pointer, fix, short)


def _unless_said(
    connector: Connector, operation: Operation, response: Response
) -> tuple[type[ProviderSaid] | None, str]:
    """The error that an unreadable success is: what the rules say it is, None where that is a success."""
    verdict = meaning_in(connector, operation, response)
    if verdict is None or verdict.rule is None:
        return (PageUnreadable if verdict and verdict.is_success else None), operation.pointer
    return CAUGHT_AS.get(verdict.rule.means), verdict.rule.pointer


def _reads_text(connector: Connector, operation: Operation) -> bool:
    asked = (operation,) if is_of_one_listing(operation) else tuple(connector.operations())
    return any(one.decode == "text" for one in asked)
