"""The search finds what is known to be bad, with the smallest schedule, tells it readably, and finds nothing else."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from known_bad import (
    ACCOUNT,
    BAD,
    GOOD,
    QUICK,
    Late401,
    LookUnderLock,
    Renew,
    Stage,
    fenced,
    freed_by_anybody,
    in_memory,
    right,
    sent_again,
    two_writes,
)

from pytest_connproof.schedule import Explored, Faults, Play, Scenario, World, campaign, explore, headline, replay
from pytest_connproof.schedule import table as told


@cache
def searched(scenario: Scenario) -> Explored:
    return explore(scenario, reorderings=2 if scenario.every_await else None, most=2_000)


def table(scenario: Scenario) -> str:
    failure = searched(scenario).failure
    assert failure is not None
    return told(failure)


@pytest.mark.parametrize("name", BAD)
def test_known_bad_is_found_with_its_smallest_schedule(name: str) -> None:
    """Each needs so many reorderings and no more, and is found at the first place where they suffice."""
    bad = BAD[name]

    failure = searched(bad.scenario).failure

    assert failure is not None
    assert bad.schedule == failure.schedule


@pytest.mark.parametrize("name", BAD)
def test_known_bad_is_told_in_http_words(name: str) -> None:
    """What matters stands in the table, in the order in which it happened, and no secret does."""
    text = table(BAD[name].scenario)

    place = 0
    for words in BAD[name].tells:
        place = text.find(words, place) + len(words)
        assert len(words) <= place, f"{words} does not follow:\n{text}"
    assert "secret-" not in text


@pytest.mark.parametrize("name", BAD)
def test_known_bad_happens_again(name: str) -> None:
    """The schedule alone brings the failure back, as often as it is wanted."""
    failure = searched(BAD[name].scenario).failure
    assert failure is not None

    again = replay(BAD[name].scenario, failure.schedule)

    assert (failure.lines, failure.broken) == (again.lines, again.broken)


def test_a_late_401_takes_three_choices_at_most() -> None:
    """One event held back is enough: a search by reorderings meets it at once."""
    explored = searched(BAD["late 401"].scenario)

    assert explored.failure is not None
    assert 3 >= len(explored.failure.schedule)
    assert 1 == explored.failure.reorderings
    assert 10 >= explored.executions


@pytest.mark.parametrize("name", ["look under the lock", "look under the lease"])
def test_what_is_right_is_explored_completely(name: str) -> None:
    """Two workers, every order there is: nothing is found, and nothing is missing."""
    explored = explore(GOOD[name])

    assert (True, None) == (explored.complete, explored.failure)
    assert 90 < explored.executions


@pytest.mark.parametrize("name", ["keeps what comes late", "frees its own lease"])
def test_what_is_right_holds_while_one_event_is_slow(name: str) -> None:
    """The rules of which two of the bad ones fall foul are kept by the right one, past the end of its lease."""
    explored = explore(GOOD[name], reorderings=2)

    assert (True, None) == (explored.complete, explored.failure)
    assert 0 < explored.reached["slow"]


def test_three_workers_to_two_reorderings() -> None:
    """A third worker is only a longer search."""
    explored = explore(Scenario(in_memory(LookUnderLock, "ABC"), QUICK), reorderings=2)

    assert (True, None) == (explored.complete, explored.failure)


def test_right_at_every_await() -> None:
    """The right one holds also where other tasks go on at each of its awaits."""
    explored = explore(replace(GOOD["look under the lock"], every_await=True), reorderings=2)

    assert (True, None) == (explored.complete, explored.failure)


def test_a_gap_between_two_awaits_is_seen_at_every_await_alone() -> None:
    """On the wire the gap has no length: the layer of every await is not the same search again."""
    explored = explore(replace(BAD["gap before the task"].scenario, every_await=False))

    assert (True, None) == (explored.complete, explored.failure)


def test_a_campaign_finds_the_late_401_and_shrinks_it() -> None:
    """Drawn schedules find it without order, and report it with one reordering."""
    explored = campaign(Scenario(in_memory(Late401), QUICK), examples=100)

    assert explored.failure is not None
    assert 1 == explored.failure.reorderings
    assert "2 refreshes, 1 allowed" in told(explored.failure)


def test_a_campaign_finds_nothing_in_what_is_right() -> None:
    """And says that this was no complete search."""
    explored = campaign(GOOD["look under the lock"], examples=30)

    assert (False, None) == (explored.complete, explored.failure)
    assert 30 == explored.executions


# Reduction: what it leaves out must never hide a verdict.


def verdicts(renew: Renew, faults: Faults, *, reduces: bool) -> tuple[set[tuple[str, ...]], int]:
    """Every verdict that any order leads to: one worker refreshes, the other looks on."""
    found = set()

    def make(world: World) -> Play:
        stage = Stage.of(world)
        store = world.store(stage.store)

        async def refresh() -> int:
            await renew(stage, store, "A", stage.store.row)
            return 200

        async def look() -> int:
            return await stage.get((await store.read(ACCOUNT)).access)

        def judge() -> list[str]:
            found.add((*stage.all_of_it(), *stage.nothing_dropped(), *stage.own_lease()))
            return []

        return Play({"A": refresh(), "B": look()}, judge)

    explored = explore(Scenario(make, faults, apart=True), reduces=reduces)
    assert explored.complete
    return found, explored.executions + explored.left


@pytest.mark.parametrize("renew", [two_writes, fenced, freed_by_anybody, sent_again, right])
def test_reduction_finds_the_same_as_the_whole_search(renew: Renew) -> None:
    """All verdicts of all orders, with fewer executions."""
    faults = Faults(slow=0, lost_answers=1)

    whole, executions = verdicts(renew, faults, reduces=False)
    reduced, fewer = verdicts(renew, faults, reduces=True)

    assert whole == reduced
    assert fewer < executions


def test_a_regression_is_pinned_by_its_numbers() -> None:
    """The late 401 by its schedule: red with the bad one, green with the right one."""
    bad = replay(Scenario(in_memory(Late401), QUICK), "1")
    good = replay(Scenario(in_memory(LookUnderLock), QUICK), "1")

    assert ("2 refreshes, 1 allowed: at#0 was no longer the current token",) == bad.broken
    assert () == good.broken


def test_the_example_in_the_documentation_is_true() -> None:
    """The page shows what is found, as it is told."""
    page = (Path(__file__).parents[2] / "docs" / "races.md").read_text(encoding="utf-8")
    explored = searched(BAD["late 401"].scenario)
    assert explored.failure is not None

    text = f"{headline(explored.failure, explored.executions)}\n{told(explored.failure)}"

    assert f"```\n{text}\n```" in page
