"""One execution: a scenario and a list of choices in, everything that happened out.

A scenario builds its workers, its provider and its store anew each time, so that the choices are all that makes
one execution differ from another. Whoever plays says which option is taken wherever there is more than one.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from connproof.errors import CallWrong, ConnproofError
from pytest_connproof.schedule.loop import ControlledLoop, Endless, ScheduleUnfit
from pytest_connproof.schedule.world import Event, Faults, Line, World

__all__ = [
    "FIX",
    "Choose",
    "Failure",
    "Performance",
    "Play",
    "Point",
    "Scenario",
    "Schedule",
    "Unrepeatable",
    "perform",
    "repeat",
    "replay",
    "spelled",
]

FIX: Final = "take the clock, chance and names from the world, and build everything anew in make"
_MOST_POINTS: Final = 5_000
_LAST: Final = 100


class Unrepeatable(ConnproofError):
    """The same choices led to something else: the scenario depends on what nobody chose. No verdict is possible."""


Schedule: TypeAlias = tuple[int, ...]
"""Which option was taken at each point that had more than one; beyond its end, always the first (0)."""

Choose: TypeAlias = Callable[[Sequence[Event]], int | None]
"""Which of the events is next, as an index; None to leave the execution there."""


def _nothing() -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Play:
    """The workers of one execution by name, and what must be true of what they did.

    `judge` is asked at the end, `always` after every event: each says what is broken, in sentences, and a broken
    `always` ends the execution. `afterwards` is the work of one more worker, "later", which begins when nothing can
    happen any more; nothing goes wrong then.
    """

    workers: Mapping[str, Coroutine[Any, Any, object]]
    judge: Callable[[], Sequence[str]]
    always: Callable[[], Sequence[str]] = _nothing
    afterwards: Callable[[], Coroutine[Any, Any, object]] | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is played.

    `apart`: the workers share nothing but the world's stores and providers, as processes do, and no verdict depends on
    the order of what touches different things; an exhaustive search may then leave out orders that cannot matter.
    `every_await`: choose also which task goes on wherever several could, and let events come in between.
    """

    make: Callable[[World], Play]
    faults: Faults = field(default_factory=Faults)
    apart: bool = False
    every_await: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """A moment of choice: everything that could happen, and what did."""

    events: tuple[Event, ...]
    taken: int


@dataclass(frozen=True, slots=True)
class Performance:
    """What happened in one execution. `ended` is False where it was left before its end, and nothing was judged."""

    points: tuple[Point, ...]
    lines: tuple[Line, ...]
    broken: tuple[str, ...]
    reached: Counter[str]
    ended: bool

    @property
    def schedule(self) -> Schedule:
        """The choices that lead here, without the zeros at the end."""
        return trimmed(tuple(point.taken for point in self.points if len(point.events) > 1))


@dataclass(frozen=True, slots=True)
class Failure:
    """A schedule that breaks the rules, and what happened under it."""

    schedule: Schedule
    lines: tuple[Line, ...]
    broken: tuple[str, ...]

    @property
    def reorderings(self) -> int:
        """At how many points the schedule leaves the orderly way."""
        return sum(1 for choice in self.schedule if choice)


def trimmed(schedule: Schedule) -> Schedule:
    """A schedule without the zeros at its end: they are taken anyway."""
    while schedule and schedule[-1] == 0:
        schedule = schedule[:-1]
    return schedule


def spelled(schedule: Schedule) -> str:
    """A schedule as a command line has it: "0,1,1"; the orderly one is "0"."""
    return ",".join(map(str, schedule)) or "0"


def parsed(text: str) -> Schedule:
    """The schedule that `spelled` wrote. Raises CallWrong."""
    if not re.fullmatch(r"[0-9]{1,4}(,[0-9]{1,4})*", text, re.ASCII):
        raise CallWrong(
            "the schedule cannot be read",
            facts={"seen": text[:100]},
            fix='write the numbers with commas between: "0,1,1"',
        )
    return trimmed(tuple(map(int, text.split(","))))


def perform(scenario: Scenario, choose: Choose) -> Performance:
    """Play a scenario once.

    A worker that waits for ever, comes to no end, or ends in an error that no engine raises on purpose, breaks the
    rules by itself.
    Raises ScheduleUnfit where it cannot be played.
    """
    loop = ControlledLoop(apart=scenario.apart)  # type: ignore[abstract]  # without files, sockets and signals
    with loop.entered():
        world = World(loop, scenario.faults)
        play = scenario.make(world)
        for worker, work in play.workers.items():
            world.start(worker, work)
        points: list[Point] = []
        broken: list[str] = []
        has_come_later = False
        while not broken:
            if scenario.every_await:
                loop.run_callbacks()
            else:
                try:
                    loop.settle()
                except Endless as endless:
                    broken.append(endless.what)
                    break
            broken += play.always()
            options = world.options(with_faults=not has_come_later)
            if broken:
                break
            if not options:
                if has_come_later or play.afterwards is None:
                    break
                has_come_later = True
                world.start("later", play.afterwards())
                continue
            if len(points) == _MOST_POINTS:
                broken += _endless(points)
                break
            events = tuple(option.event for option in options)
            taken = choose(events)
            if taken is None:
                return Performance(tuple(points), tuple(world.lines), (), world.reached, ended=False)
            points.append(Point(events, taken))
            world.take(options, taken)
        if not broken:
            broken += [f"worker {worker} waits for ever" for worker in world.waiting()]
            broken += [
                f"worker {worker} was cancelled"
                for worker, result in world.results.items()
                if isinstance(result, asyncio.CancelledError)
            ]
            broken += [f"worker {worker} ended in {type(error).__name__}" for worker, error in loop.defects()]
            broken += loop.troubles
            broken += play.judge()
        return Performance(tuple(points), tuple(world.lines), tuple(broken), world.reached, ended=True)


def _endless(points: Sequence[Point]) -> list[str]:
    """Whoever still did something in the end."""
    busy = sorted({point.events[point.taken].worker for point in points[-_LAST:]})
    return [f"worker {worker} has not come to its end after {len(points):,} events" for worker in busy]


def repeat(scenario: Scenario, first: Performance, choose: Choose) -> None:
    """Play the same once more. Raises Unrepeatable where anything differs."""
    second = perform(scenario, choose)
    if first == second:
        return
    where = next(
        (
            f"{number}: {one.words} / {other.words}"
            for number, (one, other) in enumerate(zip(first.lines, second.lines, strict=False), 1)
            if one != other
        ),
        "at the end",
    )
    raise Unrepeatable(
        "the same schedule led to something else the second time",
        facts={"schedule": spelled(first.schedule), "first difference": where},
        fix=FIX,
    )


def replay(scenario: Scenario, schedule: Schedule | str) -> Performance:
    """Play a schedule again, twice like any other.

    Raises CallWrong for its text, ScheduleUnfit where it does not fit any more, Unrepeatable.
    """
    choices = parsed(schedule) if isinstance(schedule, str) else schedule
    following = _Following(choices)
    performance = perform(scenario, following)
    repeat(scenario, performance, _Following(choices))
    if following.left:
        raise ScheduleUnfit(
            f"the schedule {spelled(choices)} has more choices than the execution has",
            fix="the scenario or the code has changed: search again, and pin what is found now",
        )
    return performance


class _Following:
    """Take the options that a schedule says; beyond its end the first ones."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self.left = list(schedule)

    def __call__(self, events: Sequence[Event]) -> int:
        choice = self.left.pop(0) if self.left and len(events) > 1 else 0
        if choice >= len(events):
            raise ScheduleUnfit(
                f"the schedule {spelled(self._schedule)} takes option {choice} where there are {len(events)}",
                facts={"could happen": tuple(event.name for event in events)},
                fix="the scenario or the code has changed: search again, and pin what is found now",
            )
        return choice
