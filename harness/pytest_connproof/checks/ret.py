"""RET: zero retention: what a provider sent stands in what the caller gets, and nowhere else.

A lane is replayed with a canary in every text of its answers, under watch: files that are written, log records,
what is printed, what events and results show in print, and the text and traceback of every error.
"""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, TypeAlias
from xml.sax.saxutils import unescape

from connproof.errors import ConnproofError
from connproof.model import Operation, Response
from connproof.places import Absent, JsonValue, Place, put
from pytest_connproof.answers import meaning_of
from pytest_connproof.finding import Evidence, Finding, Inconclusive, rows
from pytest_connproof.lane_run import LaneRun
from pytest_connproof.recording import Exchange, Lane
from pytest_connproof.subject import Subject
from pytest_connproof.watch import Watch

CANARY: Final = "connproof-canary-qxzj"

Mark: TypeAlias = Callable[[str], bool]


def payloads_reach_the_caller_alone(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 the checks share one signature
    """Every lane that succeeds is read with canaries; they arrive, and leave no trace on the way."""
    arrived = lanes = 0
    for lane_id in _succeeding(subject):
        for mark in (_word, _sentence):
            run, watch = _watched(subject, lane_id, _marked(subject, lane_id, mark))
            _refuse(lane_id, watch.found(CANARY), "what a provider sent was left behind")
            if run.outcome == subject.run(lane_id).outcome:  # else a word meant something: fewer are marked
                _refuse(lane_id, _printed(run), "what a provider sent stands in print")
                lanes += 1
                arrived += json.dumps(run.records).count(CANARY)
                break
    if not arrived:
        raise Inconclusive("no text of any record reached the caller", "record a lane whose records have texts")
    return {"lanes": lanes, "canaries": arrived}


def errors_hold_no_payload(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 as above
    """Each lane is read again with a last page that is cut off, or has a text for its records: no error shows it.

    Each recorded error is read again with canaries in what it says.
    """
    errors = 0
    for lane_id in _refused(subject):
        *before, last = subject.lanes[lane_id].lane.exchanges
        lane = replace(subject.lanes[lane_id].lane, exchanges=(*before, _with_canary(last, None, _sentence)))
        run, watch = _watched(subject, lane_id, lane)
        _refuse(lane_id, watch.found(CANARY), "what a provider said of an error was left behind")
        if run.error is not None:
            errors += 1
            _refuse(lane_id, _in_error(run.error), "an error quotes what the provider said")
    for lane_id in _succeeding(subject):
        for what, broken in (("cut off", _cut), ("a text", _retyped)):
            lane = _marked(subject, lane_id, _sentence)
            *before, last = lane.exchanges
            body = broken(subject.operation(lane), last.response.body)
            run, watch = _watched(subject, lane_id, replace(lane, exchanges=(*before, _with_body(last, body))))
            _refuse(lane_id, watch.found(CANARY), f"a page that is {what} was left behind")
            if run.error is not None:
                errors += 1
                _refuse(lane_id, _in_error(run.error), f"the error about a page that is {what} shows it")
    if not errors:
        raise Inconclusive("no page could be broken so that the read fails", "record a lane with a JSON body")
    return {"errors": errors}


def _succeeding(subject: Subject) -> list[str]:
    """The lanes in which every answer is a success."""
    found = [
        lane_id
        for lane_id, recorded in subject.lanes.items()
        if all(
            meaning_of(subject.connector, subject.operation(recorded.lane), exchange.response).is_success
            for exchange in recorded.lane.exchanges
        )
    ]
    if not found:
        raise Inconclusive("no recorded lane succeeds", "record one")
    return found


def _refused(subject: Subject) -> list[str]:
    """The lanes whose last answer is an error."""
    return [
        lane_id
        for lane_id, recorded in subject.lanes.items()
        if not meaning_of(
            subject.connector, subject.operation(recorded.lane), recorded.lane.exchanges[-1].response
        ).is_success
    ]


def _watched(subject: Subject, lane_id: str, lane: Lane) -> tuple[LaneRun, Watch]:
    with Watch() as watch:
        run = subject.replayed(lane_id, lane)
    return run, watch


def _refuse(lane_id: str, where: Sequence[str], what: str) -> None:
    if where:
        fix = "this is a fault of the engine, not of the connector: report it"
        raise Finding(f"{what}: {lane_id}", rows({"found in": list(where)[:8], "fix": fix}))


def _printed(run: LaneRun) -> list[str]:
    return [type(thing).__name__ for thing in (*run.pages, run.ended) if CANARY in repr(thing)]


def _in_error(error: ConnproofError) -> list[str]:
    found = ["its text"] if CANARY in str(error) else []
    if CANARY in "".join(traceback.format_exception(error)):
        found.append("its traceback")
    return found


# Canaries, and broken pages.


def _marked(subject: Subject, lane_id: str, mark: Mark) -> Lane:
    """The lane with the canary in every text of its records that `mark` finds fit for it."""
    lane = subject.lanes[lane_id].lane
    path = subject.operation(lane).response_path
    answered = {exchange.id for exchange in subject.answered(lane)}  # a token's answer has no record in it
    marked = (_with_canary(one, path, mark) if one.id in answered else one for one in lane.exchanges)
    return replace(lane, exchanges=tuple(marked))


def _with_canary(exchange: Exchange, path: Place | None, mark: Mark) -> Exchange:
    if exchange.response.body.lstrip()[:1] == b"<":
        return _with_body(exchange, _each_text(exchange.response.body, mark))
    try:
        document: JsonValue = json.loads(exchange.response.body)
        found = path.find(document) if path else document
        changed = document if isinstance(found, Absent) else put(document, path or Place.parse("$"), _each(found, mark))
    except ValueError:  # no JSON, or records at a place that cannot be written to
        return exchange
    return _with_body(exchange, json.dumps(changed).encode())


def _each_text(body: bytes, mark: Mark) -> bytes:
    """XML with the canary behind each text between two tags; what is no UTF-8 stays as it is."""

    def marked(found: re.Match[str]) -> str:
        return f"{found[1]} {CANARY}" if mark(unescape(found[1])) else found[0]

    try:
        return re.sub("(?<=>)([^<>]+)(?=</)", marked, body.decode()).encode()
    except UnicodeDecodeError:
        return body


def _word(text: str) -> bool:
    """What a machine may read back (a URL, a number, a date, a code) is left alone."""
    return _sentence(text) or (any(c.isalpha() for c in text) and not set(text) & set("/:=_%@0123456789"))


def _sentence(text: str) -> bool:
    return " " in text.strip() and any(c.isalpha() for c in text) and not set(text) & set("/:=_%@")


def _each(value: JsonValue, mark: Mark) -> JsonValue:
    if isinstance(value, str):
        return f"{value} {CANARY}" if mark(value) else value
    if isinstance(value, list):
        return [_each(inner, mark) for inner in value]
    if isinstance(value, dict):
        return {name: _each(inner, mark) for name, inner in value.items()}
    return value


def _cut(operation: Operation, body: bytes) -> bytes:  # noqa: ARG001 both breaks share one signature
    return body[:-1] if body else body


def _retyped(operation: Operation, body: bytes) -> bytes:
    text: JsonValue = f"no records but {CANARY}"
    try:
        document: JsonValue = json.loads(body)
        whole = put(document, operation.response_path, text) if operation.response_path else text
    except ValueError:
        return f"not even JSON but {CANARY}".encode()
    return json.dumps(whole).encode()


def _with_body(exchange: Exchange, body: bytes) -> Exchange:
    return replace(exchange, response=Response(exchange.response.status, exchange.response.headers, body))
