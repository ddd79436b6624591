"""Every guard of a refresh is needed: with all of them no order of events breaks a rule, without one some order does.

The engine's own Tokens are played over one store and one simulated provider, in every order that the bound allows.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest
from token_play import ACCOUNT, KEY, TIMING, Cast, Stage, declared

from connproof.auth import Signing
from connproof.auth.token_request import token_draft
from connproof.errors import RefreshPending
from connproof.model import Secret, TokenPair, TokenRow, TokenState
from connproof.stores.token_memory import MemoryTokens
from connproof.stores.token_store import Stored
from connproof.tokens import STEPS, Guards, Held
from pytest_connproof.provider import AuthorizationServer, Rotation
from pytest_connproof.provider.invariants import MARKS, Asking, broken
from pytest_connproof.schedule import (
    START,
    Explored,
    Faults,
    Play,
    Scenario,
    World,
    at_once,
    explore,
    headline,
    replay,
    table,
)

REORDERINGS = int(os.environ.get("CONNPROOF_REORDERINGS", "0"))  # 3 takes ten minutes; 0: as few as stand here


@cache
def searched(cast: Cast, faults: Faults, reorderings: int | None, *, repeats: bool = False) -> Explored:
    """Each execution once: that these scenarios repeat is seen in the campaign below."""
    scenario = Scenario(cast, faults, apart=True)
    return explore(scenario, reorderings=reorderings, most=100_000, repeats=repeats)


def told(explored: Explored) -> str:
    """What was found, for whoever reads why a test failed."""
    if explored.failure is None:
        return f"nothing is broken in {explored.executions} executions (complete: {explored.complete})"
    return f"{headline(explored.failure, explored.executions)}\n{table(explored.failure)}"


# With every guard.

WRONG = {
    "held": Faults(slow=1),
    "death": Faults(slow=0, crashes=1),
    "lost answer": Faults(slow=0, lost_answers=1),
}
ROTATIONS: tuple[Rotation, ...] = ("strict", 60, "none")


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("rotation", ROTATIONS)
def test_two_workers_break_no_rule_in_any_order(rotation: Rotation, wrong: str) -> None:
    """Every order there is, with one event held while time passes, one death, or one answer lost."""
    explored = searched(Cast(rotation), WRONG[wrong], None)

    assert (True, None) == (explored.complete, explored.failure), told(explored)


@pytest.mark.parametrize(
    ("faults", "reorderings"),
    [
        pytest.param(Faults(slow=0), 2, id="nothing"),
        pytest.param(Faults(slow=0, lost_answers=1), 2, id="lost answer"),
        pytest.param(Faults(slow=0, crashes=1, lost_answers=1), 1, id="death and lost answer"),
    ],
)
@pytest.mark.parametrize("rotation", ["strict", 60])
def test_three_workers_break_no_rule(rotation: Rotation, faults: Faults, reorderings: int) -> None:
    """In every order with so many reorderings, of which each thing that goes wrong is one."""
    explored = searched(Cast(rotation, workers="ABC"), faults, REORDERINGS or reorderings)

    assert (True, None) == (explored.complete, explored.failure), told(explored)


# Without one.


class Overwrites(MemoryTokens):
    """A successor is stored whatever generation it finds."""

    async def keep(self, claimed: TokenRow, pair: TokenPair) -> Stored:
        current = self._of(claimed)
        if current is not None:
            claimed = replace(claimed, generation=current.row.generation)
        return await super().keep(claimed, pair)


class ClaimsUnseen(MemoryTokens):
    """The lease is given whatever became of the row that was seen."""

    async def claim(self, seen: TokenRow, *, owner: str, lease_s: float, over_stale: bool = False) -> TokenRow | None:
        current = self._of(seen)
        if current is not None:
            seen = current.row
        return await super().claim(seen, owner=owner, lease_s=lease_s, over_stale=over_stale)


class WritesNoIntent(MemoryTokens):
    """The lease is taken, and nothing says that a token is about to be presented."""

    async def claim(self, seen: TokenRow, **how: Any) -> TokenRow | None:
        claimed = await super().claim(seen, **how)
        kept = None if claimed is None else self._of(claimed)
        return None if kept is None else self._write(kept, intent_generation=None, intent_count=0)


class FreesAnybodys(MemoryTokens):
    """Whoever comes to its end gives the lease back, also where it is another's by now."""

    async def release(self, claimed: TokenRow) -> bool:
        current = self._of(claimed)
        return current is not None and await super().release(current.row)


@dataclass(frozen=True)
class Removed:
    """A guard that is not there, and which invariant that breaks.

    `leaves` is how often the order must be left, `length` the most choices that may take.
    """

    cast: Cast
    faults: Faults
    breaks: str
    leaves: int = 1
    length: int = 10
    reorderings: int | None = None


DUE = 950.0  # the old token lives, and is to be refreshed by now
REMOVED = {
    "generation, when storing": Removed(Cast(60, store=Overwrites), Faults(slow=1), "I4"),
    "generation, when claiming": Removed(Cast(store=ClaimsUnseen), Faults(slow=0), "I2", length=7),
    "intent, in deciding": Removed(
        Cast(workers="A", age_s=DUE, again_s=12, guards=Guards(intent=False)),
        Faults(slow=0, lost_answers=1),
        "I3",
        length=1,
    ),
    "intent, in the store": Removed(
        Cast(age_s=DUE, again_s=12, store=WritesNoIntent), Faults(slow=0, crashes=1), "I3", reorderings=2
    ),
    "epoch of a release": Removed(
        Cast(60, age_s=5, lifetime_s=5, store=FreesAnybodys), Faults(slow=1), "I1", leaves=2, length=20, reorderings=2
    ),
    "exchange apart from its caller": Removed(
        Cast(workers="A", guards=Guards(detached=False)), Faults(slow=1), "I4", length=3
    ),
    "reading again when refused": Removed(Cast(60, guards=Guards(reread=False)), Faults(slow=1), "I7", length=9),
}


@pytest.mark.parametrize("name", REMOVED)
def test_I19_without_a_guard_a_rule_is_broken(name: str) -> None:
    """The search finds the order in which the guard was needed: a short one, as nothing shorter was left out."""
    removed = REMOVED[name]
    explored = searched(removed.cast, removed.faults, removed.reorderings)

    assert explored.failure is not None, told(explored)
    assert removed.breaks in {sentence.partition(":")[0] for sentence in explored.failure.broken}, told(explored)
    assert removed.leaves == explored.failure.reorderings, told(explored)
    assert removed.length >= len(explored.failure.schedule), told(explored)


@pytest.mark.parametrize("name", REMOVED)
def test_I19_with_the_guard_in_its_place_the_same_search_finds_nothing(name: str) -> None:
    """It is the missing guard that was found, and not the scenario."""
    removed = REMOVED[name]
    whole = replace(removed.cast, guards=Guards(), store=MemoryTokens)
    explored = searched(whole, removed.faults, removed.reorderings)

    assert (True, None) == (explored.complete, explored.failure), told(explored)


# What has been come by (I18).

DEATHS = {f"death at {step}" for step in STEPS}
CAMPAIGN: dict[str, tuple[Cast, Faults]] = {
    "late holders": (Cast(60), Faults(slow=1)),
    "late holders, strict": (Cast("strict"), Faults(slow=1)),
    "lost answers": (Cast(60), Faults(slow=0, lost_answers=1)),
    "lost answers, strict": (Cast("strict"), Faults(slow=0, lost_answers=1)),
    "refused tokens": (Cast("strict", age_s=0, rejects=True), Faults(slow=0)),
    "deaths": (Cast("strict", workers="A", pauses=True), Faults(slow=0, crashes=1)),
}
SOMETIMES = {*MARKS, *DEATHS, "late 401", "lost_answers"}


def test_I18_all_that_may_happen_has_happened_in_the_campaign() -> None:
    """A campaign without a late holder, a promoted candidate, or a death at every step has shown nothing about them."""
    reached: Counter[str] = Counter()
    for cast, faults in CAMPAIGN.values():
        explored = searched(cast, faults, 1, repeats=True)
        assert (True, None) == (explored.complete, explored.failure), told(explored)
        reached += explored.reached

    assert set() == SOMETIMES - {mark for mark, count in reached.items() if count}


# Every other rule can be broken too.


class Tears(MemoryTokens):
    """The access token is stored, and the refresh token that came with it is not."""

    async def keep(self, claimed: TokenRow, pair: TokenPair) -> Stored:
        return await super().keep(claimed, replace(pair, refresh=claimed.refresh))


class StandsStill(MemoryTokens):
    """A successor is stored under the generation of what it succeeds."""

    async def keep(self, claimed: TokenRow, pair: TokenPair) -> Stored:
        fate, kept = await super().keep(claimed, pair), self._of(claimed)
        if kept is not None:
            self._write(kept, generation=claimed.generation)
        return fate


class GivesUp(MemoryTokens):
    """An answer that did not come is taken for a refusal."""

    async def back_off(self, claimed: TokenRow, **_: Any) -> bool:
        return await self.refuse(claimed, state="needs_reauth", reason="no_answer") and await super().release(claimed)


class SaysNothing(MemoryTokens):
    """An account is given up, and nobody writes down why."""

    async def refuse(self, claimed: TokenRow, *, state: TokenState, reason: str) -> bool:
        del reason
        return await super().refuse(claimed, state=state, reason="")


BROKEN_STORES: dict[str, tuple[type[MemoryTokens], Faults]] = {
    "I5": (Tears, Faults(slow=0)),
    "I6": (StandsStill, Faults(slow=0)),
    "I7": (SaysNothing, Faults(slow=0, lost_answers=1)),
    "I8": (GivesUp, Faults(slow=0, lost_answers=1)),
}


@pytest.mark.parametrize("rule", BROKEN_STORES)
def test_a_store_that_breaks_a_rule_is_found(rule: str) -> None:
    """What the store does wrong is seen from outside."""
    store, faults = BROKEN_STORES[rule]
    explored = searched(Cast(workers="A", store=store), faults, 1)

    assert explored.failure is not None, told(explored)
    assert rule in {sentence.partition(":")[0] for sentence in explored.failure.broken}, told(explored)


HELD = Held(1, Secret("at"))
ASKINGS = {
    "too long": (Asking("A", 0, 20, HELD), ["I10: A waited 20 s, and may wait 15 s"]),
    "long enough": (Asking("A", 0, 15, HELD), []),
    "with a token": (Asking("A", 0, 1, HELD, lived=True), ["I10: A had a token that lived, waited 1 s and got Held"]),
    "in vain": (
        Asking("A", 0, 0, RefreshPending("later"), lived=True),
        ["I10: A had a token that lived, waited 0 s and got RefreshPending"],
    ),
}


@pytest.mark.parametrize(("asking", "expected"), ASKINGS.values(), ids=ASKINGS)
def test_I10_is_judged_by_what_callers_waited_for(asking: Asking, expected: list[str]) -> None:
    """A caller waits as long as it may, and not at all where its token lives."""
    assert expected == broken(server(), [], "strict", askings=[asking])


def test_I11_requests_without_end_are_a_storm() -> None:
    """Each may be lost for another reason; nobody may ask so often."""
    asked = server()
    request = token_draft(asked.connector.auth, asked.account, Signing(START, lambda: "0" * 32)).request()
    for second in range(3600):
        asked.unseen(request, START.timestamp() + second)

    (rule,) = {sentence.partition(":")[0] for sentence in broken(asked, [], "strict")} - {"I1"}
    assert "I11" == rule


def server() -> AuthorizationServer:
    one = AuthorizationServer(declared("strict"), ACCOUNT, rotation="strict")
    one.consent(START.timestamp())
    return one


def test_I10_a_caller_waits_no_longer_than_it_may() -> None:
    """Another worker refreshes without an end: whoever has no token is told so when its time is over."""
    waited = []

    def make(world: World) -> Play:
        stage = Stage(Cast(), world)
        row = at_once(stage.watched.read(KEY))
        assert row is not None
        at_once(stage.watched.claim(row, owner="another", lease_s=19))

        async def work() -> None:
            await stage.asked("A", stage.tokens("A").access(ACCOUNT))
            waited.append(stage.askings[0].ended - stage.askings[0].began)

        return Play({"A": work()}, list)

    replay(Scenario(make, Faults(slow=0)), "0")

    assert TIMING.caller_s >= max(waited)
