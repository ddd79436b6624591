"""LIM, played: throttles in every form that the config declares, at any point of a read, against the simulated API.

The provider's clock is minutes off the reader's, and its numbers are written where and in the units that the config
declares. What a caller must hear is reckoned from those numbers, by nothing that the engine reads them with.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from itertools import islice
from typing import Any, Final

from connproof.model import Account, frozen
from pytest_connproof.conversation import Answering, Conversation, Open, opened, table
from pytest_connproof.finding import Evidence, Finding, Inconclusive, rows
from pytest_connproof.interrupted import Plan, told_as_a_finding
from pytest_connproof.lane_run import forms_of
from pytest_connproof.provider.api import Api
from pytest_connproof.provider.faults import FAULTS, Faulty, Scene, unplayable
from pytest_connproof.provider.habits import Case
from pytest_connproof.stage import Played, Stage
from pytest_connproof.subject import Subject

_THROTTLES: Final = ("declared_throttle", "throttle_beside_records", "too_many", "unavailable")


def throttles_are_told_right(subject: Subject, target: str) -> Evidence:
    """Each throttle, in each form and at any point, ends the read at once, with what was said of quotas and no more."""
    stage = subject.stage(target)
    plan = Plan(stage, _THROTTLES)
    for one in plan.plays():
        if wrong := one.wrong():
            raise told_as_a_finding(one, f"a throttle does not reach the caller as it is: {wrong}", subject.file)
    if missing := [one for one in unplayable(Scene(stage.connector, stage.operation)) if "/throttled/" in one]:
        raise Inconclusive(
            f"no throttle can be written from the condition of {', '.join(missing)}",
            "another rule decides before it, or its pattern is none that can be spelt out: simplify it",
        )
    return plan.counted


def throttled_reads_go_on(subject: Subject, target: str) -> Evidence:
    """A read that a throttle broke off, wherever it was, goes on from its token: nothing lost, nothing twice."""
    plan = Plan(subject.stage(target), _THROTTLES, ((5, 2), (4, 2), (1, 2)), every_form=False)
    for one in plan.plays():
        if wrong := one.lost():
            raise told_as_a_finding(one, f"a throttled read cannot be gone on with: {wrong}", subject.file)
    return plan.counted


def look_alikes_are_passed_on(subject: Subject, target: str) -> Evidence:
    """A throttle's status without what makes it one is an error of its own; a success with Retry-After is a success."""
    plan = Plan(subject.stage(target), ("look_alike", "polite"))
    for one in plan.plays():
        if wrong := one.wrong() or one.lost():
            raise told_as_a_finding(one, f"what is no throttle is taken otherwise: {wrong}", subject.file)
    return plan.counted


def a_throttle_is_its_accounts_own(subject: Subject, target: str) -> Evidence:
    """Two accounts read in turns, and one of them is throttled: the other reads as if it were alone."""
    stage = subject.stage(target)
    other = replace(stage, account=_another(stage.account))
    case = next(Plan(stage, ()).cases())
    alone = other.play(case)
    if alone.wrong:
        raise Inconclusive(f"{target} cannot be read undisturbed: {alone.wrong}", "see PAG-001")
    throttled = 0
    for fault in _THROTTLES:
        for form in islice(FAULTS[fault].forms(Scene(stage.connector, stage.operation)), 1):
            for at in range(1, len(alone.told.exchanges) + 1):
                one, api = stage.api(case), other.api(case)
                reads = _opened(stage, case, one, Faulty(one, form, at)), _opened(other, case, api, api)
                _in_turns(*(reads if at % 2 else reversed(reads)))
                throttled += 1
                told = reads[1].told
                mixed = _signed_for(told, stage) or _signed_for(reads[0].told, other)
                if wrong := _disturbed(told, alone.told) or mixed:
                    says = f"{FAULTS[fault].says.format(n=at)} of another account ({form.what})"
                    raise _shared(subject, alone, told, f"{target}: a throttle of one account {wrong}", says)
    return {"throttled": throttled}


def _disturbed(told: Conversation, alone: Conversation) -> str:
    """What is otherwise in a read than when nobody else reads; "" where nothing is."""
    if told.error is not None:
        return f"ends another's read in {type(told.error).__name__}"
    if told.limits:
        return "is told to another as its own quota"
    is_other = len(told.exchanges) != len(alone.exchanges) or told.records != alone.records
    return "changes another's read" if is_other else ""


def _signed_for(told: Conversation, stage: Stage) -> str:
    """What is wrong where a read was signed with the credentials of this account, which is not its own."""
    texts = forms_of(stage.connector.auth, stage.account)
    sent = [text for one in told.exchanges for _, text in (*one.request.headers, ("", one.request.url))]
    return "is signed for by another" if any(secret in text for secret in texts for text in sent) else ""


def _shared(subject: Subject, alone: Played, told: Conversation, what: str, says: str) -> Finding:
    case = alone.case
    facts = {
        "provider": [f"holds {case.records} records, {case.size} on a page, for each account", says],
        "config": subject.place_of("/auth"),
        "fix": "report it: nothing that one account meets may be kept where another one comes by",
    }
    lines = table(told, alone.api.operation, alone.api.expected, (*subject.credentials, *alone.credentials))
    return Finding(what, "\n".join([*lines, "", rows(facts)]))


def _another(account: Account) -> Account:
    """An account with credentials of its own."""
    return Account(f"{account.name}-2", frozen(_renamed(dict(account.credentials))), account.variables)


def _renamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _renamed(inner) for name, inner in value.items()}
    return f"another-{sha256(value.encode()).hexdigest()[:12]}" if isinstance(value, str) else value


def _opened(stage: Stage, case: Case, api: Api, provider: Answering) -> Open:
    most = stage.most(case)
    return opened(api.connector, stage.account, api.operation, provider, stage.call(case), most=most)


def _in_turns(*reads: Open) -> None:
    left = [*reads]
    while left:
        left = [read for read in left if read.turn()]
