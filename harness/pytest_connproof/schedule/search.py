"""Look for an order of events that breaks the rules, the smallest first.

The orders are searched by their number of reorderings, then by their length: what is found first is what is easiest to
read. Each execution begins anew and follows its own list of choices; at every point that the list leaves open it takes
the first option, and all other options of that point become lists to be followed later. So none is followed twice.

Where workers are apart and the search is to be exhaustive, orders that differ only in events that commute are followed
once: sleep sets (Godefroid 1996). An event that was followed from a point sleeps in the point's later branches until
something happens that it depends on. That leaves out executions, never a reachable end.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from pytest_connproof.schedule.playing import FIX, Failure, Scenario, Schedule, Unrepeatable, perform, repeat, spelled
from pytest_connproof.schedule.world import Event

__all__ = ["Explored", "explore"]

_Asleep: TypeAlias = frozenset[Event]
_NONE: Final[_Asleep] = frozenset()


@dataclass(frozen=True, slots=True)
class Explored:
    """What a search did.

    `executions` came to their end; `left` were left because all that could go on is covered by others. `deepest` is
    the most choices that one had. `complete` says that nothing within the bound is missing.
    """

    executions: int
    left: int
    deepest: int
    complete: bool
    reached: Counter[str]
    failure: Failure | None


class _Path:
    """Follow a list of choices, then the first options; remember who slept at each point."""

    def __init__(self, choices: Schedule, asleep: _Asleep, *, reduces: bool) -> None:
        self._choices = choices
        self._given = asleep
        self._asleep = asleep
        self._reduces = reduces
        self.taken: list[int] = []
        self.branches: list[tuple[int, tuple[Event, ...], _Asleep]] = []

    def __call__(self, events: Sequence[Event]) -> int | None:
        if len(self.taken) < len(self._choices):
            choice = self._choices[len(self.taken)] if len(events) > 1 else 0
            if choice >= len(events):
                raise self._unlike()
            if len(events) > 1:
                self.taken.append(choice)
            return choice
        awake = [index for index, event in enumerate(events) if event not in self._asleep]
        if not awake:
            return None
        choice = awake[0]
        if len(events) > 1:
            self.branches.append((len(self.taken), tuple(events), self._asleep))
            self.taken.append(choice)
        self._asleep = self._woken_by(events[choice], self._asleep)
        return choice

    def check(self) -> None:
        """Raises Unrepeatable where the execution had fewer choices than the one that it branches off from."""
        if len(self.taken) < len(self._choices):
            raise self._unlike()

    def _unlike(self) -> Unrepeatable:
        return Unrepeatable(
            "what could be reordered in one execution is not there in the next",
            facts={"schedule": spelled(self._choices)},
            fix=FIX,
        )

    def others(self) -> list[tuple[Schedule, _Asleep]]:
        """All that was not taken where the list left it open, and who sleeps there."""
        found = []
        for place, events, asleep in self.branches:
            first = self.taken[place]
            followed = {events[first]}
            for index in range(first + 1, len(events)):
                if events[index] in asleep:
                    continue
                branch = self._woken_by(events[index], asleep | followed) if self._reduces else _NONE
                found.append(((*self.taken[:place], index), branch))
                followed.add(events[index])
        return found

    def _woken_by(self, event: Event, asleep: _Asleep) -> _Asleep:
        return frozenset(sleeper for sleeper in asleep if sleeper.commutes_with(event)) if self._reduces else _NONE


def explore(
    scenario: Scenario,
    *,
    reorderings: int | None = None,
    most: int = 20_000,
    reduces: bool = True,
    repeats: bool = True,
) -> Explored:
    """Search a scenario, with at most so many reorderings (None: all there are) and so many executions.

    Raises Unrepeatable where the second run of an execution differs from the first. Without `repeats` only one that
    breaks a rule is played twice: for a scenario that is known to depend on nothing but the schedule.
    """
    reducing = reduces and scenario.apart and not scenario.every_await and reorderings is None
    reached: Counter[str] = Counter()
    executions = left = deepest = 0
    # By cost, by length, by the choices themselves; a list of choices occurs once.
    frontier: list[tuple[int, int, Schedule, _Asleep]] = [(0, 0, (), _NONE)]
    while frontier:
        if executions + left >= most:
            return Explored(executions, left, deepest, complete=False, reached=reached, failure=None)
        cost, _, choices, asleep = heapq.heappop(frontier)
        path = _Path(choices, asleep, reduces=reducing)
        performance = perform(scenario, path)
        path.check()
        if repeats or performance.broken:
            repeat(scenario, performance, _Path(choices, asleep, reduces=reducing))
        deepest = max(deepest, len(path.taken))
        if performance.ended:
            executions += 1
            reached += performance.reached
        else:
            left += 1
        if performance.broken:
            failure = Failure(performance.schedule, performance.lines, performance.broken)
            if reducing and failure.reorderings:
                failure = _smaller(scenario, failure, most=most, repeats=repeats) or failure
            return Explored(executions, left, deepest, complete=False, reached=reached, failure=failure)
        for other, sleepers in path.others():
            if reorderings is None or cost < reorderings:
                price = sum(1 for choice in other if choice)
                heapq.heappush(frontier, (price, len(other), other, sleepers))
    return Explored(executions, left, deepest, complete=True, reached=reached, failure=None)


def _smaller(scenario: Scenario, failure: Failure, *, most: int, repeats: bool) -> Failure | None:
    """The same search without leaving out anything, up to the reorderings known to be enough: its first is smallest."""
    return explore(scenario, reorderings=failure.reorderings, most=most, reduces=False, repeats=repeats).failure
