"""The controlled loop and the world on it: what can happen, when, and what a dead worker still does (nothing)."""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Any

import pytest

from connproof.errors import CallWrong, ProviderDown, StoreFailed
from connproof.model import Request, Response
from pytest_connproof.schedule import (
    START,
    Faults,
    Performance,
    Play,
    Scenario,
    ScheduleUnfit,
    Unrepeatable,
    World,
    explore,
    replay,
    table,
)
from pytest_connproof.schedule.loop import WORKER, ControlledLoop
from pytest_connproof.schedule.playing import perform

Work = Callable[[World], Coroutine[Any, Any, object]]

QUICK = Faults(slow=0)


class Echo:
    """A provider that answers everything, and counts."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def answer(self, request: Request, now: float) -> Response:
        assert now >= START.timestamp()
        self.asked.append(request.url.rpartition("/")[2])
        return Response(200, body=str(len(self.asked)).encode())


@dataclass
class Rows:
    """A store of texts, one a row; what was done to each, in its order."""

    rows: dict[str, list[str]] = field(default_factory=dict)

    async def read(self, account: str) -> tuple[str, ...]:
        return tuple(self.rows.get(account, ()))

    async def write(self, account: str, text: str) -> int:
        self.rows.setdefault(account, []).append(text)
        return len(self.rows[account])


def request(path: str) -> Request:
    return Request("GET", f"https://api.example/{path}")


def alone(work: Work, **said: Any) -> Scenario:
    """A scenario of one worker, about which nothing is demanded."""
    return Scenario(lambda world: Play({"A": work(world)}, list), **said)


def played(work: Work, *choices: int, **said: Any) -> Performance:
    """Once, with what lies outside of the scenario as that one time left it."""
    left = iter(choices)
    return perform(alone(work, **said), lambda events: next(left, 0) if len(events) > 1 else 0)


def told(performance: Performance) -> list[str]:
    return [line.words for line in performance.lines]


def noting(into: list[Any], seen: Callable[[], object]) -> Callable[[], Sequence[str]]:
    """A judge that demands nothing, and notes what there is to see at the end."""

    def judge() -> Sequence[str]:
        into.append(seen())
        return ()

    return judge


# Time.


def test_time_passes_only_when_nothing_else_can_happen() -> None:
    """An hour's sleep takes no time, and comes after whatever can be done at once."""
    seen: list[object] = []

    def make(world: World) -> Play:
        seen.clear()
        clock = world.clock(skew_s=60)

        async def sleeps() -> None:
            await clock.sleep(3600)
            seen.extend((clock.monotonic(), (clock.now() - START).total_seconds(), world.now - START.timestamp()))

        async def works() -> None:
            await world.transport(Echo()).send(request("x"))
            seen.append("worked")

        return Play({"A": sleeps(), "B": works()}, list)

    replay(Scenario(make), "0")

    assert ["worked", 3600.0, 3660.0, 3600.0] == seen


def test_a_deadline_ends_what_is_slow() -> None:
    """asyncio's own timeouts go by virtual time."""

    async def work(world: World) -> str:
        try:
            async with asyncio.timeout(5):
                await world.transport(Echo()).send(request("x"))
        except TimeoutError:
            return f"gave up after {world.loop.time():g} s"
        return "answered"

    results: list[object] = []

    def make(world: World) -> Play:
        return Play({"A": work(world)}, noting(results, lambda: world.results["A"]))

    explore(Scenario(make), reorderings=1)

    assert {"answered", "gave up after 5 s"} == set(results)


# Crashes.


def test_of_a_dead_worker_nothing_runs_again() -> None:
    """No `finally`, no task that it started, no timer: until all was judged."""
    done: list[str] = []
    judged: list[list[str]] = []

    async def work(world: World) -> None:
        async def beat() -> None:
            while True:
                await asyncio.sleep(1)
                done.append("beat")

        beating = asyncio.create_task(beat())
        try:
            await world.transport(Echo()).send(request("x"))
            await world.transport(Echo()).send(request("y"))
        finally:
            await asyncio.sleep(0)
            done.append("finally")
            beating.cancel()

    def make(world: World) -> Play:
        done.clear()
        return Play({"A": work(world)}, noting(judged, lambda: [*done]))

    alive = replay(Scenario(make, Faults(slow=0)), "0")
    died = replay(Scenario(make, Faults(slow=0, crashes=1)), "0,1")

    assert ["-> GET /x", "(dies)"] == told(died)
    assert "<- 200" in told(alive)
    assert [["finally"], ["finally"], [], []] == judged  # each is played twice


def test_a_crash_is_tried_at_every_point() -> None:
    """Before each of the four events, and not after the last."""
    ends: list[int] = []

    async def work(world: World) -> None:
        transport = world.transport(Echo())
        await transport.send(request("x"))
        await transport.send(request("y"))

    def make(world: World) -> Play:
        return Play({"A": work(world)}, noting(ends, lambda: len(world.lines)))

    explored = explore(Scenario(make, Faults(slow=0, crashes=1)))

    assert 4 == explored.reached["crashes"]
    assert {1, 2, 3, 4} == set(ends)


def test_a_request_of_a_dead_worker_may_arrive_late() -> None:
    """What has left cannot be called back: the provider acts though nobody listens."""
    echo = Echo()

    async def work(world: World) -> None:
        await world.transport(echo).send(request("x"))

    performance = played(work, 1, faults=Faults(slow=0, crashes=1, late=True))

    assert ["(dies)", "(-> GET /x, late)"] == told(performance)
    assert ["x"] == echo.asked
    assert 1 == performance.reached["late"]


# What goes wrong on the way.


def test_a_lost_answer_is_a_broken_connection() -> None:
    """The provider has acted; the caller cannot know."""
    echo = Echo()

    async def work(world: World) -> None:
        with pytest.raises(ProviderDown, match="before the answer came"):
            await world.transport(echo).send(request("x"))

    performance = played(work, 1, faults=Faults(slow=0, lost_answers=1))

    assert ["-> GET /x", "<- 200 (lost)"] == told(performance)
    assert ["x"] == echo.asked


def test_a_lost_acknowledgement_comes_after_the_write() -> None:
    """The store did as it was told, and did not say so."""
    rows = Rows()

    async def work(world: World) -> None:
        with pytest.raises(StoreFailed):
            await world.store(rows).write("a", "text")

    played(work, 1, faults=Faults(slow=0, lost_writes=1))

    assert {"a": ["text"]} == rows.rows


def test_what_writes_nothing_loses_no_acknowledgement() -> None:
    """A store that is asked for the time, or for its rows, has nothing to acknowledge."""

    class Asked:
        async def now(self) -> float:
            return 0.0

        async def accounts(self) -> list[str]:
            return []

    async def work(world: World) -> None:
        store = world.store(Asked())
        await store.now()
        await store.accounts()

    explored = explore(alone(work, faults=Faults(slow=0, lost_writes=1)))

    assert (1, 0) == (explored.executions, explored.reached["lost_writes"])


def test_faults_are_counted() -> None:
    """A campaign in which a fault never fired proves nothing about it."""

    async def work(world: World) -> None:
        with pytest.raises(ProviderDown):
            await world.transport(Echo()).send(request("x"))
        await world.step("gave up")

    performance = played(work, 1, faults=Faults(slow=0, lost_answers=1))

    assert {"lost_answers": 1, "gave up": 1} == performance.reached


# What breaks the rules by itself, and what is no verdict.


def test_a_deadlock_is_found() -> None:
    """Two locks in two orders: some schedule ends with both waiting."""

    def make(world: World) -> Play:
        one, two = asyncio.Lock(), asyncio.Lock()

        async def work(first: asyncio.Lock, second: asyncio.Lock) -> None:
            async with first:
                await world.pause("works")
                async with second:
                    pass

        return Play({"A": work(one, two), "B": work(two, one)}, list)

    failure = explore(Scenario(make)).failure

    assert failure is not None
    assert ("worker A waits for ever", "worker B waits for ever") == failure.broken


def test_an_error_that_nobody_raises_on_purpose_is_told() -> None:
    """A None where a token should be is what a race looks like."""

    async def work(world: World) -> None:
        await world.pause("works")
        raise KeyError("token")

    assert ("worker A ended in KeyError",) == played(work).broken


def test_an_error_of_a_task_that_nobody_waits_for_is_told() -> None:
    """What goes wrong in the background is a race too; that somebody took the error's word for it changes nothing."""

    async def work(world: World) -> None:
        async def beat() -> None:
            await world.pause("beats")
            raise KeyError("lease")

        beating = asyncio.create_task(beat())
        beating.add_done_callback(lambda task: task.exception())
        await world.pause("works")
        await world.pause("works on")

    assert ("worker A ended in KeyError",) == played(work).broken


def test_always_ends_the_execution_where_it_breaks() -> None:
    """The table ends with the event after which the rule no longer held."""

    def make(world: World) -> Play:
        rows = Rows()

        async def work() -> None:
            await world.store(rows).write("a", "one")
            await world.store(rows).write("a", "two")

        return Play({"A": work()}, list, always=lambda: ["a row was written"] if rows.rows else [])

    assert ["store: write -> 1"] == told(replay(Scenario(make), "0"))


def test_later_comes_after_everything_else() -> None:
    """One more worker looks at what the others left, and nothing goes wrong any more."""

    def make(world: World) -> Play:
        rows = Rows()

        async def work() -> None:
            await world.store(rows).write("a", "one")

        async def look() -> object:
            return await world.store(rows).read("a")

        return Play({"A": work()}, lambda: [repr(world.results["later"])], afterwards=look)

    assert ("('one',)",) == replay(Scenario(make, Faults(crashes=1)), "0").broken
    assert ("()",) == replay(Scenario(make, Faults(crashes=1)), "1").broken


def test_what_is_not_repeatable_is_no_verdict() -> None:
    """Chance that nobody chose is an error of the harness."""
    chance = iter(range(100))

    async def work(world: World) -> None:
        await world.transport(Echo()).send(request(f"x{next(chance)}"))

    with pytest.raises(Unrepeatable, match="1: -> GET /x0 / -> GET /x1"):
        explore(alone(work))


def test_what_is_not_repeatable_is_no_verdict_of_a_schedule_either() -> None:
    """A pinned schedule is played twice like any other."""
    chance = iter(range(100))

    async def work(world: World) -> None:
        await world.transport(Echo()).send(request(f"x{next(chance)}"))

    with pytest.raises(Unrepeatable):
        replay(alone(work), "0")


def test_what_was_only_marked_must_be_repeatable_too() -> None:
    """A certificate counts it."""
    chance = iter(range(100))

    async def work(world: World) -> None:
        await world.step(f"point {next(chance)}")

    with pytest.raises(Unrepeatable):
        explore(alone(work))


@pytest.mark.parametrize("fewer", ["A", "AB"])
def test_options_that_are_gone_are_no_verdict(fewer: str) -> None:
    """From the third execution on the scenario is another."""
    count = iter(range(100))

    def make(world: World) -> Play:
        transport = world.transport(Echo())
        names = "ABC" if next(count) < 2 else fewer
        return Play({name: transport.send(request("x")) for name in names}, list)

    with pytest.raises(Unrepeatable, match="could be reordered"):
        explore(Scenario(make, QUICK))


def test_without_repeats_only_what_breaks_a_rule_is_played_twice() -> None:
    """Nobody is told of a failure that may not come again."""
    played: list[str] = []

    async def work(world: World) -> None:
        played.append("once more")
        await world.transport(Echo()).send(request(f"x{len(played)}"))
        if fails:
            raise ValueError

    fails = False
    explored = explore(alone(work), reorderings=0, repeats=False)
    assert (None, explored.executions + explored.left) == (explored.failure, len(played))

    fails = True
    with pytest.raises(Unrepeatable):
        explore(alone(work), reorderings=0, repeats=False)


def test_what_is_left_over_is_thrown_away_in_silence() -> None:
    """Also where a `finally` waits once more, and where the scenario is refused: no warning is raised long after."""

    async def work(world: World) -> None:
        try:
            await world.transport(Echo()).send(request("x"))
        finally:
            await asyncio.sleep(1)

    def make(world: World) -> Play:
        return Play({"A": work(world)}, list, always=lambda: ["enough"] if world.lines else [])

    broken = replay(Scenario(make), "0").broken
    with pytest.raises(ScheduleUnfit):
        replay(Scenario(make), "9,9")
    gc.collect()

    assert ("enough",) == broken


def test_a_thread_is_refused() -> None:
    """Nobody could decide when it runs."""

    async def work(world: World) -> None:
        del world
        with suppress(ScheduleUnfit):  # a worker cannot hide it
            await asyncio.to_thread(print)

    with pytest.raises(ScheduleUnfit, match="would run in a thread"):
        played(work)


def test_a_worker_that_comes_to_no_end_is_told() -> None:
    """Asking for ever is as wrong as waiting for ever; the table shows how it begins and how it ends."""

    def make(world: World) -> Play:
        async def asks() -> None:
            transport = world.transport(Echo())
            while True:
                await transport.send(request("x"))

        async def works() -> None:
            await world.transport(Echo()).send(request("y"))

        return Play({"A": asks(), "B": works()}, list)

    failure = explore(Scenario(make, QUICK, apart=True)).failure

    assert failure is not None
    assert ("worker A has not come to its end after 5,000 events",) == failure.broken
    assert 83 == len(table(failure).splitlines())
    assert "\n  5000  <- 200" in table(failure)


def test_a_worker_that_spins_is_told() -> None:
    """It waits for nothing, so that time stands still for everybody."""

    async def work(world: World) -> None:
        del world
        while True:  # noqa: ASYNC110  # it spins on purpose
            await asyncio.sleep(0)

    assert ("worker A spins: it goes on for ever while time stands still",) == played(work).broken


def test_workers_that_are_apart_cannot_wake_each_other() -> None:
    """A lock that two processes share does not exist: the reduction would rest on a wrong word."""

    def make(world: World) -> Play:
        gate = asyncio.Event()

        async def opens() -> None:
            await world.pause("opens")
            gate.set()

        return Play({"A": opens(), "B": gate.wait()}, list)

    with pytest.raises(ScheduleUnfit, match="worker A wakes worker B"):
        explore(Scenario(make, apart=True))


@pytest.mark.parametrize("schedule", ["3", "0,0,0,0,0,0,0,1"])
def test_a_schedule_that_does_not_fit_is_refused(schedule: str) -> None:
    """A pinned regression must not pass because it no longer says anything."""

    def make(world: World) -> Play:
        transport = world.transport(Echo())
        return Play({name: transport.send(request("x")) for name in "AB"}, list)

    with pytest.raises(ScheduleUnfit, match="search again"):
        replay(Scenario(make, QUICK), schedule)


@pytest.mark.parametrize("schedule", ["", "0,", "a", "-1", "0;1", "1,99999"])
def test_a_schedule_that_cannot_be_read_is_refused(schedule: str) -> None:
    """Numbers, with commas between."""
    with pytest.raises(CallWrong, match="cannot be read"):
        replay(Scenario(lambda _: Play({}, list)), schedule)


# Reduction.


SEEDS = (0, 1, 4, 8, 9)


def scripted(seed: int, ends: set[object]) -> Scenario:
    """Three workers, each with one or two deeds on two rows, a provider and time; odd seeds have a crash."""
    chance = random.Random(seed)
    deeds = {
        name: [chance.choice(("read", "write", "ask", "sleep")) for _ in range(chance.choice((2, 2, 3)))]
        for name in "ABC"
    }
    rows_of = {name: [chance.choice("xy") for _ in deeds[name]] for name in "ABC"}

    def make(world: World) -> Play:
        rows, echo = Rows(), Echo()
        store, transport = world.store(rows), world.transport(echo)
        seen: dict[str, list[object]] = {name: [] for name in "ABC"}

        async def work(me: str) -> None:
            for number, (deed, row) in enumerate(zip(deeds[me], rows_of[me], strict=True)):
                match deed:
                    case "read":
                        seen[me].append(await store.read(row))
                    case "write":
                        seen[me].append(await store.write(row, f"{me}{number}"))
                    case "ask":
                        seen[me].append((await transport.send(request(f"{me}{number}"))).body)
                    case _:
                        await world.clock().sleep(1)
                        seen[me].append(world.loop.time())

        def judge() -> Sequence[str]:
            ends.add(repr((sorted(rows.rows.items()), echo.asked, seen, sorted(world.dead))))
            return []

        return Play({name: work(name) for name in "ABC"}, judge)

    return Scenario(make, Faults(slow=1, crashes=seed % 2), apart=True)


@pytest.mark.parametrize("seed", SEEDS)
def test_reduction_reaches_every_end(seed: int) -> None:
    """What each worker saw, what became of each row, in which order the provider was asked, who died: all the same."""
    whole: set[object] = set()
    reduced: set[object] = set()

    every = explore(scripted(seed, whole), reduces=False)
    fewer = explore(scripted(seed, reduced))

    assert every.complete and fewer.complete
    assert whole == reduced
    assert fewer.executions < every.executions


# Telling.


def test_no_secret_is_told() -> None:
    """Only what has a name is shown, by its name, also where it is percent-encoded."""

    async def work(world: World) -> None:
        world.names["key/1"] = "at#1"
        await world.transport(Echo()).send(
            Request("GET", "https://api.example/x?a=key%2F1&b=other", (("key", "hidden"),))
        )

    text = table(played(work))

    assert "-> GET /x at#1" in text
    assert not {"key", "other", "hidden"} & set(text.replace("%2F", " ").split())


def test_what_is_repeated_is_told_once() -> None:
    """A heartbeat fills no page; the numbers show that something was left out."""

    async def work(world: World) -> None:
        for _ in range(30):
            await world.clock().sleep(5)
            await world.store(Rows()).read("a")

    assert [
        "  #  s  worker A     provider",
        "  2  5  store: read",
        "  replay   0",
    ] == [line.replace("   #", "  #").replace("   2", "  2") for line in table(played(work)).splitlines()]


def test_an_empty_context_is_nobodys() -> None:
    """What a worker asks for in a context of its own happens although the worker has died."""
    loop = ControlledLoop()  # type: ignore[abstract]  # without files, sockets and signals
    seen: list[str] = []

    def note() -> None:
        seen.append(WORKER.get())

    with loop.entered():
        mine = copy_context()
        mine.run(WORKER.set, "A")
        mine.run(lambda: loop.call_soon(note, context=Context()))
        mine.run(loop.call_soon, note)
        loop.settle()

    assert ["", "A"] == seen
