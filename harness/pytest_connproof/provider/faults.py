"""What goes wrong on the way: one table of faults, and a provider at which one request goes wrong.

Each fault has as many forms as the config has rules, places and units for it; of what HTTP alone decides, one for each
status. A form says what must come of it, by the config's own rules as they are read here. To add a fault: a row in
FAULTS, and what makes its forms.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from connproof.conditions import holds
from connproof.model import (
    Condition,
    Connector,
    ErrorRule,
    LimitSource,
    Meaning,
    Operation,
    RateLimit,
    Request,
    Response,
)
from connproof.places import Absent, JsonValue, Place
from pytest_connproof.answers import document_in
from pytest_connproof.provider.api import Api
from pytest_connproof.provider.faces import Arrival, Delivery
from pytest_connproof.provider.quotas import Number, heard, said_in, tellings, written
from pytest_connproof.provider.slots import Slots
from pytest_connproof.provider.telling import answer_by, answers_like
from pytest_connproof.provider.writing import answered, dated, placed

__all__ = ["FAULTS", "Fault", "Faulty", "Form", "Outcome", "Scene", "unplayable"]

Outcome: TypeAlias = Literal["throttle", "error", "as if nothing"]
"""What must come of a fault: the caller hears of a throttle, with what was said of quotas; an error that is what the
config or HTTP calls it; nothing at all. In no case a hole: the read goes on from where it ended."""

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


@dataclass(frozen=True, slots=True)
class Fault:
    """What a provider, or the way to it, does to request {n}; what must come of it; for whom it can be played.

    `fix` is what to look at in the config where something else comes of it.
    """

    says: str
    must: Outcome
    forms: Callable[[Scene], Iterator[Form]]
    fix: str
    played_for: str = "every connector"


class Faulty:
    """An API at which one request goes wrong: the `at`-th that arrives. Its clock is `skew_s` ahead of the reader's."""

    def __init__(self, api: Api, form: Form, at: int, *, skew_s: float = 0.0) -> None:
        self._api = api
        self._form = form
        self._at = at
        self._skew_s = skew_s
        self._arrived = 0
        self.was_played = False

    def arrive(self, request: Request, now: float, *, who: str = "") -> Arrival:
        """What becomes of a request: it is answered, but for the one."""
        self._arrived += 1
        if self._arrived != self._at:
            return self._api.arrive(request, now, who=who)
        arrival = self._form.play(lambda: self._api.answer(request), now + self._skew_s)
        self.was_played = arrival is not None
        return arrival or self._api.arrive(request, now, who=who)


def asked_of(api: Api) -> Callable[[Request], Operation]:
    """Which operation a request of a read is for: the listing's own, or one that it is read with."""
    listing, every = api.operation, api.connector.operations()
    others = [one for one in every if one.id != listing.id and (not one.is_list or listing.for_each)]
    known = [(one, Slots(api.connector, api.account, one)) for one in (listing, *others) if one.batch is None]
    continuing = listing.pagination.continue_with if listing.pagination else None

    def asked(request: Request) -> Operation:
        found = next((one for one, slots in known if slots.is_for(request)), listing)
        if found.resource == listing.resource and found.name == continuing:
            return replace(found, errors=(*found.errors, *listing.errors))
        return found

    return asked


def unplayable(scene: Scene) -> tuple[str, ...]:
    """The rules of throttles and errors, by pointer, for which no answer can be written from their conditions."""
    rules = [rule for rule in scene.rules if rule.means not in {"success", "empty"}]
    return tuple(rule.pointer for rule in rules if answer_by(scene.connector, scene.operation, rule) is None)


# Throttles.


def _declared(scene: Scene) -> Iterator[Form]:
    for rule in scene.rules:
        base = answer_by(scene.connector, scene.operation, rule) if rule.means == "throttled" else None
        if base is not None:
            yield from _telling(scene, base, rule, "throttled")


def _too_many(scene: Scene) -> Iterator[Form]:
    yield from _telling(scene, answered({"error": "slow down"}, status=429), None, "throttled")


def _unavailable(scene: Scene) -> Iterator[Form]:
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


def _look_alikes(scene: Scene) -> Iterator[Form]:
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


def _polite(scene: Scene) -> Iterator[Form]:
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


def _by_rules(scene: Scene) -> Iterator[Form]:
    for rule in scene.rules:
        if rule.means not in {"success", "empty", "throttled"}:
            response = answer_by(scene.connector, scene.operation, rule)
            if response is not None:
                yield Form(f"HTTP {response.status}", rule.means, _instead(_always(response)), rule.pointer)


def _errors_beside(scene: Scene) -> Iterator[Form]:
    yield from (form for form in _beside_records(scene) if form.means != "throttled")


def _throttles_beside(scene: Scene) -> Iterator[Form]:
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


def _refused(scene: Scene) -> Iterator[Form]:
    for status in _REFUSALS:
        yield from _bare(scene, answered({"error": "refused"}, status=status))


def _faults(scene: Scene) -> Iterator[Form]:
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


def _cut(scene: Scene) -> Iterator[Form]:  # noqa: ARG001 the faults share one signature
    def play(answer: Callable[[], Response], sent: float) -> Arrival | None:
        response = answer()
        half = response.body[: len(response.body) // 2]
        if not half:
            return None
        return Arrival("answered", replace(response, body=half, headers=(*response.headers, dated(sent))))

    yield Form("the first half of its body", None, play, acts=True)


def _strange(scene: Scene) -> Iterator[Form]:
    response = answered({"error": "something failed"})
    operation, form = scene.operation, Form("HTTP 200", None, _instead(_always(response)))
    if operation.is_list and not operation.items_may_be_missing and scene.deciding(response) is None:
        yield form


def _html(scene: Scene) -> Iterator[Form]:
    response = Response(200, (("content-type", "text/html; charset=utf-8"),), _HTML)
    decides = scene.deciding(response)
    means = decides.means if decides and decides.means not in {"success", "empty"} else None
    if scene.operation.decode != "text":
        pointer = decides.pointer if decides else ""
        yield Form("HTTP 200, a page of HTML", means, _instead(_always(response)), pointer)


def _nothing(scene: Scene) -> Iterator[Form]:
    response = Response(200, (("content-type", "application/json"), ("content-length", "0")))
    if scene.deciding(response) is None:
        yield Form("HTTP 200 without a body", None, _instead(_always(response)))


def _reset(scene: Scene) -> Iterator[Form]:  # noqa: ARG001 as above
    yield Form("nothing was taken", "transient", lambda _answer, _sent: Arrival("no act, no answer"))


def _torn(scene: Scene) -> Iterator[Form]:  # noqa: ARG001 as above
    yield Form("it was taken", "transient", _unanswered("acts, no answer"), acts=True)


def _slow(scene: Scene) -> Iterator[Form]:  # noqa: ARG001 as above
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


FAULTS: Final[Mapping[str, Fault]] = MappingProxyType(
    {
        "declared_throttle": Fault(
            "answers request {n} with a throttle that the config declares, and what there is to say of quotas",
            "throttle",
            _declared,
            'check "wait" and "budgets" of "rate_limit": places, units, and "choose"',
            "each rule that means a throttle, with each place and unit under `wait` and `budgets`",
        ),
        "throttle_beside_records": Fault(
            "gives request {n} its records, and beside them a throttle that the config declares",
            "throttle",
            _throttles_beside,
            "check the rules before it",
            "each rule that means a throttle and may hold for a 200 by its body alone",
        ),
        "too_many": Fault(
            "answers request {n} with 429, and what there is to say of quotas",
            "throttle",
            _too_many,
            'let no rule give a 429 another meaning; check "wait" and "budgets" of "rate_limit"',
            "every connector, unless a rule is about each 429",
        ),
        "unavailable": Fault(
            "answers request {n} with 503, and when to come back",
            "error",
            _unavailable,
            'check "wait" of "rate_limit"',
            "every connector, unless a rule is about each 503",
        ),
        "look_alike": Fault(
            "answers request {n} as a throttle does, without one of the things that make it one",
            "error",
            _look_alikes,
            "let the condition ask for what a throttle alone has",
            "each part of each rule that means a throttle, as long as something else is meant without it",
        ),
        "polite": Fault(
            "gives request {n} its records, with Retry-After and a quota that is used up",
            "as if nothing",
            _polite,
            "name a status in the condition: some providers say with every answer how long to wait and what is left",
            "every connector, with each quota under `budgets`",
        ),
        "declared_error": Fault(
            "answers request {n} with an error that the config declares",
            "error",
            _by_rules,
            'check "means" of the rule, and the rules before it',
            "each rule of `errors`",
        ),
        "error_beside_records": Fault(
            "gives request {n} its records, and beside them an error that the config declares",
            "error",
            _errors_beside,
            'check "means" of the rule, and the rules before it',
            "each other rule that may hold for a 200 by its body alone",
        ),
        "refused": Fault(
            "answers request {n} with a 4xx that no rule is about",
            "error",
            _refused,
            "report it: what HTTP says of a status holds without a word of the config",
        ),
        "strange": Fault(
            "answers request {n} with 200 and an error that the config does not know",
            "error",
            _strange,
            'check "response_path", and add a rule to "errors"',
            "every listing whose place of records may not be missing",
        ),
        "fault": Fault(
            "answers request {n} with a fault of its own: 500, 502 with a page of HTML, 503, 504, 408",
            "error",
            _faults,
            "report it: what HTTP says of a status holds without a word of the config",
            "every connector, unless a rule is about it",
        ),
        "cut": Fault(
            "sends half of the body of its answer to request {n}",
            "error",
            _cut,
            'check "decode": a body that is cut must not be read as a whole one',
            "every answer with a body",
        ),
        "html": Fault(
            "answers request {n} with 200 and a page of HTML",
            "error",
            _html,
            'check "decode" and "items_may_be_missing"',
            "every connector that reads no plain text",
        ),
        "nothing": Fault(
            "answers request {n} with 200 and no body",
            "error",
            _nothing,
            'let a rule say "empty" only of what means that there is nothing',
            "every connector, unless a rule is about it",
        ),
        "reset": Fault(
            "is not reached with request {n}: the connection breaks off",
            "error",
            _reset,
            "report it: no word of the config is about connections",
        ),
        "torn": Fault(
            "breaks off in the middle of its answer to request {n}",
            "error",
            _torn,
            "report it: no word of the config is about connections",
        ),
        "slow": Fault(
            "is slower with its answer to request {n} than the reader's deadline",
            "error",
            _slow,
            "report it: no word of the config is about connections",
        ),
    }
)
"""Each fault by its name, in the order of docs/simulated-provider.md."""
