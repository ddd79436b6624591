"""The forms in which a fault is played for one operation of one config: what is answered, and what must come of it.

Written from the config: one form for each rule, place and unit that a fault is about; of what HTTP alone decides, one
for each status. What a form means is said by the config's own rules, as they are read here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, TypeAlias

from connproof.conditions import holds
from connproof.model import Condition, Connector, ErrorRule, LimitSource, Meaning, Operation, RateLimit, Response
from connproof.places import Absent, JsonValue, Place
from pytest_connproof.answers import document_in
from pytest_connproof.provider.faces import Arrival, Delivery
from pytest_connproof.provider.quotas import Number, heard, said_in, tellings, written
from pytest_connproof.provider.telling import answer_by, answers_like
from pytest_connproof.provider.writing import answered, dated, placed

__all__ = [
    "Form",
    "Scene",
    "by_rules",
    "cut",
    "declared",
    "errors_beside",
    "html",
    "look_alikes",
    "nothing",
    "own_faults",
    "polite",
    "refused",
    "reset",
    "slow",
    "strange",
    "throttles_beside",
    "too_many",
    "torn",
    "unavailable",
]

_ANY_DAY: Final = 1_767_225_600.0  # forms are tried on it: what is said then can be said at any time
_POLITE_S: Final = "120"
_HTML: Final = b"<html><head><title>Sign in</title></head><body><p>Please sign in.</p></body></html>"
_REFUSALS: Final = (400, 401, 403, 404, 409, 410, 422)
_NAMED: Final[Mapping[int, Meaning]] = MappingProxyType(
    {401: "auth_expired", 403: "forbidden", 404: "not_found", 408: "transient", 410: "not_found", 429: "throttled"}
)
_HUNDREDS: Final[Mapping[int, Meaning]] = MappingProxyType({2: "success", 4: "invalid", 5: "transient"})
_FAULTS: Final[Mapping[int, Response]] = MappingProxyType(
    {
        500: answered({"error": "internal"}, status=500),
        502: Response(502, (("content-type", "text/html"),), _HTML),
        503: answered({"error": "unavailable"}, status=503),
        504: Response(504),
        408: Response(408),
    }
)


@dataclass(frozen=True, slots=True)
class Scene:
    """Whose answer goes wrong: an operation's, of a connector."""

    connector: Connector
    operation: Operation

    @property
    def limits(self) -> RateLimit:
        return self.connector.rate_limit or RateLimit()

    @property
    def rules(self) -> tuple[ErrorRule, ...]:
        return self.connector.rules_for(self.operation)

    def deciding(self, response: Response) -> ErrorRule | None:
        """The first rule that holds for an answer."""
        document = document_in(self.operation, response)
        return next((rule for rule in self.rules if holds(rule.when, response, document)), None)

    def waits(self, rule: ErrorRule | None) -> tuple[LimitSource, ...]:
        """Where a throttle says how long to wait, by the rule that makes it one."""
        own = next((one.wait for one in self.limits.throttled if rule and one.pointer == rule.pointer), ())
        return own or self.limits.wait


Played: TypeAlias = Callable[[Callable[[], Response], float], Arrival | None]
"""What becomes of a request, from the answer that it would have had, at the provider's own time; None where the fault
cannot be played on that answer."""


@dataclass(frozen=True, slots=True)
class Form:
    """One way in which a fault is played.

    `means` is what the config, or HTTP, calls it: "success" is no error, None an answer that is not what the config
    declares. `pointer` is what the config says of it, "" where HTTP decides. `told` are the normalised headers that
    reach the caller, all of them; None where a fault says nothing of quotas. `acts`: the provider took the request, and
    its answer is lost.
    """

    what: str
    means: Meaning | None
    play: Played
    pointer: str = ""
    told: Mapping[str, str] | None = None
    acts: bool = False


# Throttles.


def declared(scene: Scene) -> Iterator[Form]:
    """Each rule that means a throttle, with what it may say of quotas."""
    for rule in scene.rules:
        base = answer_by(scene.connector, scene.operation, rule) if rule.means == "throttled" else None
        if base is not None:
            yield from _telling(scene, base, rule, "throttled")


def too_many(scene: Scene) -> Iterator[Form]:
    """A 429, with what it may say of quotas."""
    yield from _telling(scene, answered({"error": "slow down"}, status=429), None, "throttled")


def unavailable(scene: Scene) -> Iterator[Form]:
    """A 503, with when to come back."""
    yield from _telling(scene, _FAULTS[503], None, "transient")


def _telling(scene: Scene, base: Response, rule: ErrorRule | None, means: Meaning) -> Iterator[Form]:
    """An answer with everything that it may say of quotas, as long as it is the same rule's."""
    waits, pointer = scene.waits(rule), rule.pointer if rule else ""
    has = {(one.source.header, str(one.source.body)): one for one in said_in(scene.limits, waits, base)}
    for telling in tellings(scene.limits, waits):
        trial = written(base, telling.numbers, _ANY_DAY)
        decides = scene.deciding(trial) if trial else None
        if trial is None or (decides.pointer if decides else "") != pointer:
            continue
        said = {(one.source.header, str(one.source.body)) for one in telling.numbers}
        numbers = (*telling.numbers, *(one for place, one in has.items() if place not in said))
        yield Form(
            f"HTTP {base.status}, {telling.what}",
            means,
            _instead(_writer(base, telling.numbers)),
            pointer,
            heard(scene.limits, waits, numbers, waiting=True),
        )


def _writer(base: Response, numbers: Sequence[Number]) -> Callable[[float], Response]:
    def write(sent: float) -> Response:
        return written(base, numbers, sent) or base

    return write


# What looks like a throttle.


def look_alikes(scene: Scene) -> Iterator[Form]:
    """Each rule that means a throttle, without one of its parts, where that means something else."""
    for rule in scene.rules:
        if rule.means != "throttled":
            continue
        for what, when in _less(rule.when):
            for response, _ in answers_like(when, (400,)):
                decides = scene.deciding(response)
                means = decides.means if decides else _by_status(response.status)
                if means not in {"throttled", "success", "empty"}:
                    yield Form(
                        f"HTTP {response.status} without {what}", means, _instead(_always(response)), rule.pointer
                    )


def _less(when: Condition) -> Iterator[tuple[str, Condition]]:
    """A condition without one of its parts, status aside."""
    for name, _ in when.headers:
        yield name, replace(when, headers=tuple(pair for pair in when.headers if pair[0] != name))
    for place, _ in when.body:
        yield place.text, replace(when, body=tuple(pair for pair in when.body if pair[0] != place))
    if when.text is not None:
        yield "its words", replace(when, text=None)


def polite(scene: Scene) -> Iterator[Form]:
    """The true answer, with Retry-After and a quota that is used up."""
    for telling in tellings(scene.limits, ()):
        if _politely(answered({}), telling.numbers, _ANY_DAY) is not None:
            told = heard(scene.limits, (), telling.numbers, waiting=False) if telling.numbers else None
            yield Form(f"Retry-After, and {telling.what}", "success", _graced(telling.numbers), told=told)


def _graced(numbers: Sequence[Number]) -> Played:
    def play(answer: Callable[[], Response], sent: float) -> Arrival | None:
        response = _politely(answer(), numbers, sent)
        return Arrival("answered", response) if response else None

    return play


def _politely(response: Response, numbers: Sequence[Number], sent: float) -> Response | None:
    """A success with Retry-After, a Date and these numbers; None where its body has no room for them."""
    if any(number.source.header is None for number in numbers) and not response.body.startswith(b"{"):
        return None
    done = written(response, numbers, sent)
    more = [(name, text) for name, text in (("retry-after", _POLITE_S), dated(sent)) if response.header(name) is None]
    return done and replace(done, headers=(*done.headers, *(one for one in more if done.header(one[0]) is None)))


# Errors.


def by_rules(scene: Scene) -> Iterator[Form]:
    """Each rule that means an error."""
    for rule in scene.rules:
        if rule.means not in {"success", "empty", "throttled"}:
            response = answer_by(scene.connector, scene.operation, rule)
            if response is not None:
                yield Form(f"HTTP {response.status}", rule.means, _instead(_always(response)), rule.pointer)


def errors_beside(scene: Scene) -> Iterator[Form]:
    """The true answer, and beside its records what a rule asks for that means an error."""
    yield from (form for form in _beside_records(scene) if form.means != "throttled")


def throttles_beside(scene: Scene) -> Iterator[Form]:
    """As `errors_beside`, of rules that mean a throttle."""
    yield from (form for form in _beside_records(scene) if form.means == "throttled")


def _beside_records(scene: Scene) -> Iterator[Form]:
    """The records, and what a rule asks for beside them: of each rule that a 200 can meet by its body alone."""
    for rule in scene.rules:
        when = rule.when
        if rule.means in {"success", "empty"} or when.headers or when.text or not when.body:
            continue
        _, document = next(answers_like(when, (200,)))
        values = [(place, _first(document, place)) for place, _ in when.body]
        page = _with(answered({}), values)
        decides = scene.deciding(page) if page else None
        if decides is not None and decides.pointer == rule.pointer:
            yield Form("HTTP 200, with records", rule.means, _beside(values, scene, rule), rule.pointer)


def _beside(values: Sequence[tuple[Place, JsonValue | Absent]], scene: Scene, rule: ErrorRule) -> Played:
    def play(answer: Callable[[], Response], sent: float) -> Arrival | None:
        response = _with(answer(), values)
        decides = scene.deciding(response) if response else None
        if response is None or decides is None or decides.pointer != rule.pointer:
            return None
        return Arrival("answered", replace(response, headers=(*response.headers, dated(sent))))

    return play


def _with(response: Response, values: Sequence[tuple[Place, JsonValue | Absent]]) -> Response | None:
    """An answer with these values in its body, beside what it has; None where its body is no object."""
    if not response.body.startswith(b"{"):
        return None
    document: JsonValue = json.loads(response.body)
    for place, value in values:
        if isinstance(value, Absent):
            return None
        document = placed(document, place, value)
    return replace(response, body=json.dumps(document).encode())


def _first(document: JsonValue, place: Place) -> JsonValue | Absent:
    found = place.find(document)
    return found[0] if place.is_many and isinstance(found, list) and found else found


def refused(scene: Scene) -> Iterator[Form]:
    """A 4xx that no rule is about."""
    for status in _REFUSALS:
        yield from _bare(scene, answered({"error": "refused"}, status=status))


def own_faults(scene: Scene) -> Iterator[Form]:
    """A 5xx or 408 that no rule is about."""
    for response in _FAULTS.values():
        yield from _bare(scene, response)


def _bare(scene: Scene, response: Response) -> Iterator[Form]:
    """An answer that no rule is about."""
    if scene.deciding(response) is None:
        yield Form(f"HTTP {response.status}", _by_status(response.status), _instead(_always(response)))


def _by_status(status: int) -> Meaning:
    """What HTTP calls a status."""
    return _NAMED.get(status) or _HUNDREDS[status // 100]


# Bodies and connections.


def cut(scene: Scene) -> Iterator[Form]:  # noqa: ARG001 the faults share one signature
    """Half of the true answer."""

    def play(answer: Callable[[], Response], sent: float) -> Arrival | None:
        response = answer()
        half = response.body[: len(response.body) // 2]
        if not half:
            return None
        return Arrival("answered", replace(response, body=half, headers=(*response.headers, dated(sent))))

    yield Form("the first half of its body", None, play, acts=True)


def strange(scene: Scene) -> Iterator[Form]:
    """A 200 with an error that no rule is about."""
    response = answered({"error": "something failed"})
    operation, form = scene.operation, Form("HTTP 200", None, _instead(_always(response)))
    if operation.is_list and not operation.items_may_be_missing and scene.deciding(response) is None:
        yield form


def html(scene: Scene) -> Iterator[Form]:
    """A page of HTML."""
    response = Response(200, (("content-type", "text/html; charset=utf-8"),), _HTML)
    decides = scene.deciding(response)
    means = decides.means if decides and decides.means not in {"success", "empty"} else None
    if scene.operation.decode != "text":
        pointer = decides.pointer if decides else ""
        yield Form("HTTP 200, a page of HTML", means, _instead(_always(response)), pointer)


def nothing(scene: Scene) -> Iterator[Form]:
    """A 200 without a body."""
    response = Response(200, (("content-type", "application/json"), ("content-length", "0")))
    if scene.deciding(response) is None:
        yield Form("HTTP 200 without a body", None, _instead(_always(response)))


def reset(scene: Scene) -> Iterator[Form]:  # noqa: ARG001 as above
    """No connection."""
    yield Form("nothing was taken", "transient", lambda _answer, _sent: Arrival("no act, no answer"))


def torn(scene: Scene) -> Iterator[Form]:  # noqa: ARG001 as above
    """The request is taken, and the connection breaks off."""
    yield Form("it was taken", "transient", _unanswered("acts, no answer"), acts=True)


def slow(scene: Scene) -> Iterator[Form]:  # noqa: ARG001 as above
    """The request is taken, and nothing comes in time."""
    yield Form("it was taken", "transient", _unanswered("late"), acts=True)


def _unanswered(delivery: Delivery) -> Played:
    def play(answer: Callable[[], Response], sent: float) -> Arrival:  # noqa: ARG001 nothing is sent
        answer()
        return Arrival(delivery)

    return play


def _instead(make: Callable[[float], Response]) -> Played:
    """Another answer in the place of the true one, sent at the provider's time."""

    def play(answer: Callable[[], Response], sent: float) -> Arrival:  # noqa: ARG001 it is not asked for
        response = make(sent)
        return Arrival("answered", replace(response, headers=(*response.headers, dated(sent))))

    return play


def _always(response: Response) -> Callable[[float], Response]:
    return lambda _: response
