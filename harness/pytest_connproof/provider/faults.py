"""What goes wrong on the way: one table of faults, and a provider at which one request goes wrong.

Each fault has as many forms as the config has rules, places and units for it (`forms`). To add a fault: a row in
FAULTS, and what makes its forms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from connproof.model import Operation, Request
from pytest_connproof.provider import forms
from pytest_connproof.provider.api import Api
from pytest_connproof.provider.faces import Arrival
from pytest_connproof.provider.forms import Form, Scene
from pytest_connproof.provider.slots import Slots
from pytest_connproof.provider.telling import answer_by

__all__ = ["FAULTS", "Fault", "Faulty", "Form", "Outcome", "Scene", "asked_of", "unplayable"]

Outcome: TypeAlias = Literal["throttle", "error", "as if nothing"]
"""What must come of a fault: the caller hears of a throttle, with what was said of quotas; an error that is what the
config or HTTP calls it; nothing at all. In no case a hole: the read goes on from where it ended."""


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


FAULTS: Final[Mapping[str, Fault]] = MappingProxyType(
    {
        "declared_throttle": Fault(
            "answers request {n} with a throttle that the config declares, and what there is to say of quotas",
            "throttle",
            forms.declared,
            'check "wait" and "budgets" of "rate_limit": places, units, and "choose"',
            "each rule that means a throttle, with each place and unit under `wait` and `budgets`",
        ),
        "throttle_beside_records": Fault(
            "gives request {n} its records, and beside them a throttle that the config declares",
            "throttle",
            forms.throttles_beside,
            "check the rules before it",
            "each rule that means a throttle and may hold for a 200 by its body alone",
        ),
        "too_many": Fault(
            "answers request {n} with 429, and what there is to say of quotas",
            "throttle",
            forms.too_many,
            'let no rule give a 429 another meaning; check "wait" and "budgets" of "rate_limit"',
            "every connector, unless a rule is about each 429",
        ),
        "unavailable": Fault(
            "answers request {n} with 503, and when to come back",
            "error",
            forms.unavailable,
            'check "wait" of "rate_limit"',
            "every connector, unless a rule is about each 503",
        ),
        "look_alike": Fault(
            "answers request {n} as a throttle does, without one of the things that make it one",
            "error",
            forms.look_alikes,
            "let the condition ask for what a throttle alone has",
            "each part of each rule that means a throttle, as long as something else is meant without it",
        ),
        "polite": Fault(
            "gives request {n} its records, with Retry-After and a quota that is used up",
            "as if nothing",
            forms.polite,
            "name a status in the condition: some providers say with every answer how long to wait and what is left",
            "every connector, with each quota under `budgets`",
        ),
        "declared_error": Fault(
            "answers request {n} with an error that the config declares",
            "error",
            forms.by_rules,
            'check "means" of the rule, and the rules before it',
            "each rule of `errors`",
        ),
        "error_beside_records": Fault(
            "gives request {n} its records, and beside them an error that the config declares",
            "error",
            forms.errors_beside,
            'check "means" of the rule, and the rules before it',
            "each other rule that may hold for a 200 by its body alone",
        ),
        "refused": Fault(
            "answers request {n} with a 4xx that no rule is about",
            "error",
            forms.refused,
            "report it: what HTTP says of a status holds without a word of the config",
        ),
        "strange": Fault(
            "answers request {n} with 200 and an error that the config does not know",
            "error",
            forms.strange,
            'check "response_path", and add a rule to "errors"',
            "every listing whose place of records may not be missing",
        ),
        "fault": Fault(
            "answers request {n} with a fault of its own: 500, 502 with a page of HTML, 503, 504, 408",
            "error",
            forms.own_faults,
            "report it: what HTTP says of a status holds without a word of the config",
            "every connector, unless a rule is about it",
        ),
        "cut": Fault(
            "sends half of the body of its answer to request {n}",
            "error",
            forms.cut,
            'check "decode": a body that is cut must not be read as a whole one',
            "every answer with a body",
        ),
        "html": Fault(
            "answers request {n} with 200 and a page of HTML",
            "error",
            forms.html,
            'check "decode" and "items_may_be_missing"',
            "every connector that reads no plain text",
        ),
        "nothing": Fault(
            "answers request {n} with 200 and no body",
            "error",
            forms.nothing,
            'let a rule say "empty" only of what means that there is nothing',
            "every connector, unless a rule is about it",
        ),
        "reset": Fault(
            "is not reached with request {n}: the connection breaks off",
            "error",
            forms.reset,
            "report it: no word of the config is about connections",
        ),
        "torn": Fault(
            "breaks off in the middle of its answer to request {n}",
            "error",
            forms.torn,
            "report it: no word of the config is about connections",
        ),
        "slow": Fault(
            "is slower with its answer to request {n} than the reader's deadline",
            "error",
            forms.slow,
            "report it: no word of the config is about connections",
        ),
    }
)
"""Each fault by its name, in the order of docs/simulated-provider.md."""
