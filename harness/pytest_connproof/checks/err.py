"""ERR: errors: each recorded one reaches the caller as what it is, none passes for a success, no element's is lost.

What failed is looked for in the recorded bodies by the shapes that providers use, not by the config's words: an error
that the config does not know is found by no rule of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias

from connproof.errors import ProviderSaid
from connproof.model import Elements, ErrorRule, Operation
from connproof.outcome import Verdict
from connproof.places import Absent, JsonValue, Place
from pytest_connproof.answers import CAUGHT_AS, document_in, meaning_of
from pytest_connproof.finding import Evidence, Finding, Inconclusive, rows
from pytest_connproof.lane_run import LaneRun
from pytest_connproof.recording import Exchange
from pytest_connproof.subject import Subject

_MEMBERS_SHOWN: Final = 12


def errors_reach_the_caller(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 the checks share one signature
    """Each recorded error ends its read as what the rules call it, with the code and the message that it names."""
    connector = subject.connector
    errors, found, sought, unused = 0, {"code": 0, "message": 0}, 0, []
    for lane_id, exchange, operation in _answers(subject):
        verdict, run = meaning_of(connector, operation, exchange.response), subject.run(lane_id)
        if verdict.is_success:
            continue
        use = next((use for use in run.tally.used if use.exchange is exchange), None)
        if use is None:
            unused.append(exchange.id)
            continue
        if run.tally.requests > use.order and _may_go_on(subject, operation, exchange.response.status, verdict):
            continue
        errors += 1
        error = run.error
        expected = CAUGHT_AS[verdict.meaning]
        meanings = [meaning_of(connector, one, exchange.response).meaning for one in _read_with(subject, operation)]
        if (
            run.tally.requests > use.order
            or type(error) not in {CAUGHT_AS.get(meaning) for meaning in meanings}
            or not isinstance(error, ProviderSaid)
            or error.status != exchange.response.status
        ):
            raise Finding(
                "a recorded error does not reach the caller as what it is",
                rows(
                    {
                        "answer": f"{exchange.id}   HTTP {exchange.response.status}",
                        "means": _means(subject, verdict),
                        "expected": f"{expected.__name__} {exchange.response.status}",
                        "read": f"{lane_id} ended: {run.outcome}",
                    }
                ),
            )
        document = document_in(operation, exchange.response)
        words = _words(subject, verdict)
        if not words or not isinstance(document, dict | list) or not document:
            continue  # a proxy's page names nothing, nor does an empty list
        sought += 1
        named = {word for word in words if getattr(error, word)}
        for word in named:
            found[word] += 1
        if not named:
            raise Finding(
                f"a recorded error names no {' and no '.join(words)}",
                rows(
                    {
                        "answer": f"{exchange.id}   HTTP {exchange.response.status}",
                        "declared": [subject.place_of(pointer) for pointer in words.values()],
                        "it has": ", ".join(_members(document, ""))[:300] or "no members",
                    }
                ),
            )
    if unused and not errors:
        raise Inconclusive(f"no recorded error was asked for: {', '.join(unused)}", "see RPL-001")
    if not errors:
        raise Inconclusive("every recorded error was recovered from", "record a lane that ends in one")
    for word, pointer in (("code", "/error_code"), ("message", "/error_message")):
        if sought and not found[word] and getattr(connector, pointer[1:]).places:
            raise Finding(
                f"no recorded error names a {word}",
                rows({"declared": subject.place_of(pointer), "looked at": f"{sought} answers"}),
            )
    return {"errors": errors, "codes": found["code"], "messages": found["message"]}


def successes_hold_no_error(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 as above
    """No recorded answer that is read as a success says in its body that something failed."""
    looked = 0
    for _, exchange, operation in _answers(subject):
        verdict = meaning_of(subject.connector, operation, exchange.response)
        document = document_in(operation, exchange.response)
        if verdict.meaning != "success" or isinstance(document, Absent) or not exchange.response.body:
            continue
        looked += 1
        for path, said in _failures(operation, document):
            if _is_covered(path, verdict, operation.elements):
                continue
            place = _shown(path)
            raise Finding(
                "an answer that is read as a success says that something failed",
                rows(
                    {
                        "answer": f"{exchange.id}   HTTP {exchange.response.status}",
                        "place": f"{place}   {said}",
                        "operation": subject.place_of(operation.pointer),
                        "fix": [
                            f'"errors": [{{"when": {{"body": {{"{place}": ...}}}}, "means": "failed"}}]',
                            'or "elements" for a batch; where it is no failure, a rule like this that means "success"',
                        ],
                    }
                ),
            )
    if not looked:
        raise Inconclusive("no recorded success has a body", "record a lane that succeeds")
    return {"answers": looked}


def every_rule_is_exercised(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 as above
    """Every error rule is what decides on a recorded answer."""
    deciding = {
        verdict.rule.pointer
        for _, exchange, operation in _answers(subject)
        if (verdict := meaning_of(subject.connector, operation, exchange.response)).rule is not None
    }
    rules = declared_rules(subject)
    idle = [f"{rule.pointer} ({rule.means})" for rule in rules if rule.pointer not in deciding]
    if idle:
        raise Inconclusive(
            f"{len(idle)} of {len(rules)} error rules decide on no recorded answer: {', '.join(idle)}",
            "record an answer that each is about, or take out a rule that another one always outruns",
        )
    return {"rules": len(rules)}


def failing_elements_are_told(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 as above
    """Each element of a recorded batch has the fate that its result says, and none is left out."""
    elements = failed = 0
    for lane_id, recorded in subject.lanes.items():
        words = subject.operation(recorded.lane).elements
        if words is None:
            continue
        run = subject.run(lane_id)
        if run.unmatched is not None or _broke(subject, run):
            raise Inconclusive(f"{lane_id} ended early: {run.outcome}", "see RPL-002 and RPL-004")
        results = [result for use in run.tally.used for result in _results(subject, run, words, use.exchange)]
        told = [isinstance(fate, dict) and fate.get("ok") is True for fate in run.records]
        if run.error is None and len(told) != len(results):
            raise Finding(
                f"{lane_id}: the answers hold {len(results)} results, the caller was told of {len(told)}",
                rows({"config": subject.place_of(words.pointer)}),
            )
        for number, (ok, (result, is_failure)) in enumerate(zip(told, results, strict=False), 1):
            said = False if is_failure else _fate(result)
            elements += 1
            failed += 0 if ok else 1
            if said is not None and said is not ok:
                raise Finding(
                    f"{lane_id}: the caller is told that element {number} {'succeeded' if ok else 'failed'}",
                    rows(
                        {
                            "config": subject.place_of(words.pointer),
                            "it has": ", ".join(_members(result, "")) or "no members",
                            "fix": 'correct "failed": what a failing element has at which place',
                        }
                    ),
                )
    if not failed:
        raise Inconclusive("no recorded batch has a failing element", "record one, of which another element succeeds")
    return {"elements": elements, "failed": failed}


# What answers say.

_Names: TypeAlias = tuple[str, ...]

_FALSE: Final = frozenset({"false", "0", "no"})
_NOTHING: Final = frozenset({"", "0", "false", "none", "null", "ok"})
_FAILED: Final = frozenset({"error", "fail", "failed", "failure"})
_EVERY: Final = "[*]"
_DEEPEST: Final = 3  # Envelope.Body.Fault


def _is_false(value: JsonValue) -> bool:
    return value is False or (isinstance(value, str) and value.strip().lower() in _FALSE)


def _is_something(value: JsonValue) -> bool:
    return value.strip().lower() not in _NOTHING if isinstance(value, str) else bool(value)


def _is_failed(value: JsonValue) -> bool:
    return isinstance(value, str) and value.strip().lower() in _FAILED


def _is_filled(value: JsonValue) -> bool:
    return isinstance(value, list | dict) and bool(value)


def _is_some(value: JsonValue) -> bool:
    return isinstance(value, int | float) and value > 0


# The names under which providers say so, without case, "_", "-" and a prefix, and what stands there where it failed.
_OF_A_RECORD: Final[Mapping[str, Callable[[JsonValue], bool]]] = MappingProxyType(
    {
        "ok": _is_false,
        "success": _is_false,
        "error": _is_something,
        "errors": _is_something,
        "fault": _is_something,
    }
)
_OF_AN_ENVELOPE: Final[Mapping[str, Callable[[JsonValue], bool]]] = MappingProxyType(
    {
        **_OF_A_RECORD,
        "issuccess": _is_false,
        "status": _is_failed,
        "numerrors": _is_some,
        "errorcount": _is_some,
        "failedcount": _is_some,
        "failurecount": _is_some,
    }
)
_COUNTS: Final = frozenset({"numerrors", "errorcount", "failedcount", "failurecount"})


def _plain(name: str) -> str:
    return name.rpartition(":")[2].replace("_", "").replace("-", "").lower()


def _failures(operation: Operation, document: JsonValue) -> Iterator[tuple[_Names, str]]:
    """Every place of a body that says that something failed: the names that lead there, and what it says."""
    found = operation.response_path.find(document) if operation.response_path else document
    reads = operation.method in {"GET", "HEAD"} or operation.is_list
    if reads and found is document:
        # The record itself, or nothing but records: its own state is data.
        yield from _of(document, _OF_A_RECORD, ()) if isinstance(document, dict) and not operation.is_list else ()
        return
    yield from _around(document, found if reads else None, (), _DEEPEST)


def _around(value: JsonValue, records: JsonValue | Absent, path: _Names, depth: int) -> Iterator[tuple[_Names, str]]:
    """As `_failures`, of all that stands around the records."""
    if isinstance(value, list):
        for element in value:
            hits = list(_of(element, {"success": _is_false, "errors": _is_something}, (*path, _EVERY)))
            yield from hits[:1]
        return
    if not isinstance(value, dict):
        return
    yield from _of(value, _OF_AN_ENVELOPE, path)
    for name, inner in value.items():
        if depth and inner is not records and _plain(name) not in _OF_AN_ENVELOPE:
            yield from _around(inner, records, (*path, name), depth - 1)


def _of(
    value: JsonValue, shapes: Mapping[str, Callable[[JsonValue], bool]], path: _Names
) -> Iterator[tuple[_Names, str]]:
    for name, inner in value.items() if isinstance(value, dict) else ():
        is_failure = shapes.get(_plain(name))
        if is_failure is None and shapes is _OF_AN_ENVELOPE and _plain(name).endswith("errors"):
            is_failure = _is_filled
        if is_failure is not None and is_failure(inner):
            yield (*path, name), _kind(inner)


def _kind(value: JsonValue) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | dict):
        return f"{'a list' if isinstance(value, list) else 'an object'} of {len(value)}"
    return "a number" if isinstance(value, int | float) else "a text"


def _is_covered(path: _Names, verdict: Verdict, elements: Elements | None) -> bool:
    """Whether the rule that decided is about this place, or what stands there is told element by element."""
    said = [place for place, _ in verdict.rule.when.body] if verdict.rule else []
    lists = [place for place in (elements.at, elements.failures_at) if place] if elements else []
    if elements and _plain(path[-1]) in _COUNTS:
        return True
    names = tuple(name for name in path if name != _EVERY)
    named, inside = [_names(place) for place in said], [_names(place) for place in lists]
    return any(names == place[: len(names)] or place == names[: len(place)] for place in named) or any(
        place == names[: len(place)] for place in inside
    )


def _names(place: Place) -> _Names:
    return tuple(step for step in place.steps if isinstance(step, str))


def _broke(subject: Subject, run: LaneRun) -> bool:
    """Whether a run ended in an error though its last answer is none."""
    last = run.tally.used[-1].exchange.response if run.tally.used else None
    return run.error is not None and (last is None or meaning_of(subject.connector, run.operation, last).is_success)


def _results(subject: Subject, run: LaneRun, words: Elements, exchange: Exchange) -> Iterator[tuple[JsonValue, bool]]:
    """Each result of a recorded batch answer, and whether it stands among the failures."""
    if not meaning_of(subject.connector, run.operation, exchange.response).is_success:
        return
    document = document_in(run.operation, exchange.response)
    for place, is_failure in ((words.at, False), (words.failures_at, True)):
        found = place.find(document) if place and not isinstance(document, Absent) else None
        if isinstance(found, list):
            yield from ((result, is_failure) for result in found)


def _fate(result: JsonValue) -> bool | None:
    """Whether a result says that its element succeeded; None where it says so in no usual way."""
    if not isinstance(result, dict):
        return None
    if any(_of(result, _OF_AN_ENVELOPE, ())):
        return False
    said = {_plain(name): value for name, value in result.items()}
    code = next((said[name] for name in ("httpstatuscode", "statuscode", "status", "code") if name in said), None)
    if isinstance(code, str) and code.isdecimal():
        code = int(code)
    if isinstance(code, int) and not isinstance(code, bool) and 100 <= code < 600:
        return 200 <= code < 300
    return True if any(said.get(name) is True for name in ("success", "ok", "issuccess")) else None


# What the checks share.


def has_an_error(subject: Subject) -> bool:
    """Whether a recording holds an answer that is no success."""
    return any(
        not meaning_of(subject.connector, operation, exchange.response).is_success
        for _, exchange, operation in _answers(subject)
    )


def declared_rules(subject: Subject) -> Sequence[ErrorRule]:
    """Every error rule, in the document's order."""
    of_operations = (rule for operation in subject.connector.operations() for rule in operation.errors)
    return [*subject.connector.errors, *of_operations]


def _answers(subject: Subject) -> Iterator[tuple[str, Exchange, Operation]]:
    """Every recorded answer, its lane, and the operation that gave it: maybe one that the lane's is read with."""
    operations = {operation.id: operation for operation in subject.connector.operations()}
    for lane_id, recorded in subject.lanes.items():
        run = subject.run(lane_id)
        asides = {id(use.exchange): run.asides[use.order] for use in run.tally.used if use.order in run.asides}
        for exchange in subject.answered(recorded.lane):
            aside = asides.get(id(exchange))
            yield lane_id, exchange, operations[aside.operation if aside else recorded.lane.operation]


def _read_with(subject: Subject, operation: Operation) -> Sequence[Operation]:
    """The operations whose error may end a read of this one: where it is read with others, whichever they are."""
    paging = operation.pagination
    is_alone = not (operation.hydrate or operation.for_each or operation.nested) and (
        paging is None or not (paging.seed or paging.continue_with)
    )
    return [operation] if is_alone else [operation, *subject.connector.operations()]


def _may_go_on(subject: Subject, operation: Operation, status: int, verdict: Verdict) -> bool:
    """Whether the config says how a read goes on after this error."""
    paging = operation.pagination
    if paging is not None and (
        status in paging.reduce_on or (verdict.meaning == "cursor_expired" and paging.on_expired != "fail")
    ):
        return True
    return verdict.meaning == "auth_expired" and subject.connector.auth.token is not None


def _words(subject: Subject, verdict: Verdict) -> dict[str, str]:
    """Where the config looks for an error's code and message: word to pointer, of those that it has."""
    rule, connector = verdict.rule, subject.connector
    words: dict[str, str] = {}
    for word, own, general in (
        ("code", rule.code if rule else None, connector.error_code),
        ("message", rule.message if rule else None, connector.error_message),
    ):
        if own is not None and own.places and rule is not None:
            words[word] = f"{rule.pointer}/{word}"
        elif general.places:
            words[word] = f"/error_{word}"
    return words


def _means(subject: Subject, verdict: Verdict) -> str:
    said = verdict.meaning or "nothing known"
    return f"{said}, says {subject.place_of(verdict.rule.pointer)}" if verdict.rule else f"{said}, says its status"


def _members(value: JsonValue, path: str) -> list[str]:
    """The places of a body's values, without the values."""
    if isinstance(value, dict):
        inner = [one for name, below in value.items() for one in _members(below, f"{path}.{name}" if path else name)]
        return inner[:_MEMBERS_SHOWN]
    if isinstance(value, list):
        return _members(value[0], f"{path}[0]") if value else [path]
    return [path]


def _shown(path: _Names) -> str:
    """As a config writes it."""
    steps = (name if name == _EVERY else f".{name}" if name.isidentifier() else f'["{name}"]' for name in path)
    return "".join(steps).removeprefix(".")
