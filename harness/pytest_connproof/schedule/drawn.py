"""Schedules drawn by Hypothesis: for scenarios too large to search, and for campaigns that run all night.

A schedule is a list of indices; whatever fails is shrunk, so that what is reported leaves the orderly way as rarely
and as late as Hypothesis can make it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from pytest_connproof.schedule.playing import Failure, Performance, Scenario, perform, repeat
from pytest_connproof.schedule.search import Explored
from pytest_connproof.schedule.world import Event

__all__ = ["campaign"]


class _Broken(Exception):
    """Tells Hypothesis that a schedule fails."""


def campaign(scenario: Scenario, *, examples: int = 200, seed: int = 0, length: int = 60) -> Explored:
    """Play drawn schedules of up to `length` choices; the same seed draws the same ones.

    `complete` is never true. An error of the scenario is raised as it is.
    """
    from hypothesis import HealthCheck, given, settings
    from hypothesis import seed as seeded
    from hypothesis import strategies as st

    reached: Counter[str] = Counter()
    played = deepest = 0
    failed: Performance | None = None

    @seeded(seed)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(st.lists(st.integers(0, 9), max_size=length))
    def one(drawn: list[int]) -> None:
        nonlocal played, deepest, failed
        performance = perform(scenario, _Wrapping(drawn))
        repeat(scenario, performance, _Wrapping(drawn))
        played += 1
        reached.update(performance.reached)
        deepest = max(deepest, sum(1 for point in performance.points if len(point.events) > 1))
        if performance.broken:
            failed = performance  # the last one is what it was shrunk to
            raise _Broken

    with suppress(_Broken):  # the result tells it
        one()
    failure = None if failed is None else Failure(failed.schedule, failed.lines, failed.broken)
    return Explored(played, 0, deepest, complete=False, reached=reached, failure=failure)


class _Wrapping:
    """Take the drawn options, counted round where there are not so many; then the first ones."""

    def __init__(self, drawn: Sequence[int]) -> None:
        self._left = iter(drawn)

    def __call__(self, events: Sequence[Event]) -> int:
        return next(self._left, 0) % len(events) if len(events) > 1 else 0
