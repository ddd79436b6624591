"""What can happen next: the events that workers have come to wait for, and what may go wrong with them.

Before it acts, everything a worker does to the outside is parked: a request until it leaves, an answer until it
arrives, a store call until it runs, a timer until it is due. When all workers stand still, one of the options is taken.
The first option is what would happen in an orderly world: who waits longest goes first, time passes only when nothing
else can happen, and nothing goes wrong. Taking a later option is a reordering: what it overtakes falls behind, so that
one reordering is enough to hold one event back until everything else has come to its end.

Who waits is told by the task's context, so workers may share a transport, a store and whatever else they like.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, Literal, Protocol, TypeAlias, TypeVar, cast
from urllib.parse import quote, urlsplit

from connproof.errors import ConnproofError, ProviderDown, StoreFailed
from connproof.model import Request, Response
from pytest_connproof.schedule.loop import WORKER, ControlledLoop, ScheduleUnfit, Timer, Turn

__all__ = ["START", "WAKES", "Event", "Faults", "Line", "Option", "Provider", "Went", "World"]

S = TypeVar("S")

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""What time it is when a scenario begins, by the provider's clock."""

Touch: TypeAlias = tuple[str, bool]
"""A thing outside the worker, and whether it may be changed."""

WAKES: Final = "(wakes)"
"""What is told of a worker for whom time has passed."""

_FRESH, _OVERTAKEN, _SLOW = range(3)
_FAULT: Final[Touch] = ("fault", True)
_READS: Final = frozenset({"now", "read", "accounts", "client_block"})


class Provider(Protocol):
    """Whoever answers. `now` is in seconds since 1970. An error it raises is what the caller gets for an answer."""

    def answer(self, request: Request, now: float) -> Response: ...


@dataclass(frozen=True, slots=True)
class Faults:
    """What may go wrong in one execution, and how often.

    `slow` events are held while time passes, for up to `slow_s` (without any, time stands still as long as something
    can happen);
    `crashes` of workers; `lost_answers` (the provider acted, the connection broke); `lost_writes` (a store did as it
    was told, and the acknowledgement was lost). With `late`, a request whose sender died or gave up may still arrive.
    """

    slow: int = 1
    slow_s: float = 150.0  # more than anybody waits for one answer
    crashes: int = 0
    lost_answers: int = 0
    lost_writes: int = 0
    late: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """Something that can happen. Its name is the same in every order that leads to it. `touches` None: everything."""

    name: str
    worker: str
    touches: frozenset[Touch] | None

    def commutes_with(self, other: Event) -> bool:
        """Whether both orders lead to the same, given that workers share no memory."""
        if self.worker == other.worker or self.touches is None or other.touches is None:
            return False
        return not any(
            mine == theirs and (changes or changed)
            for mine, changes in self.touches
            for theirs, changed in other.touches
        )


@dataclass(slots=True)
class Line:
    """One thing that happened: to whom, in which words, after how many seconds, and what the provider did meanwhile."""

    worker: str
    words: str
    at: float
    provider: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Option:
    """An event, and what makes it happen."""

    event: Event
    happen: Callable[[], None]
    kind: Literal["step", "event", "time", "fault"]


@dataclass(frozen=True, slots=True)
class Went:
    """What one who waited is told: the line that tells it, and whether its outcome is lost."""

    line: Line
    lost: bool


@dataclass(slots=True, eq=False)
class _Parked:
    event: Event
    words: str
    future: asyncio.Future[Went]
    act: Callable[[Line], None] | None
    loss: Literal["", "lost_answers", "lost_writes"]
    rank: int = _FRESH
    until: float = 0.0  # for how long it may be slow


class World:
    """Everything outside the workers of one execution."""

    def __init__(self, loop: ControlledLoop, faults: Faults) -> None:
        self.loop: Final = loop
        self.reached: Final[Counter[str]] = Counter()
        """How often each marked point was come by; faults are marked by their names."""
        self.results: Final[dict[str, object]] = {}
        """What each worker that came to its end returned or raised."""
        self.dead: Final[set[str]] = set()
        self.lines: Final[list[Line]] = []
        self.names: Final[dict[str, str]] = {}
        """How a secret text is told in a table: "at#1". What has no name here or in `patterns` is never shown."""
        self.patterns: Final[list[tuple[re.Pattern[str], Callable[[re.Match[str]], str]]]] = []
        """How a secret of a certain form is told."""
        self._faults = faults
        self._left = Counter(
            slow=faults.slow,
            crashes=faults.crashes,
            lost_answers=faults.lost_answers,
            lost_writes=faults.lost_writes,
        )
        self._parked: list[_Parked] = []
        self._numbers: Counter[str] = Counter()
        self._roots: dict[str, asyncio.Task[object]] = {}

    # What a scenario is made of.

    def transport(self, provider: Provider, *, deed: Callable[[], str] = lambda: "") -> ParkedTransport:
        """A Transport to a provider. `deed` tells what the last answer changed at the provider: "rt#0 spent"."""
        return ParkedTransport(self, provider, deed)

    def store(self, store: S, name: str = "store") -> S:
        """The same store, but every method waits for its turn. Two stores that share nothing have different names."""
        return cast("S", _ParkedStore(self, store, name))

    def clock(self, *, skew_s: float = 0.0) -> VirtualClock:
        """A clock on virtual time, wrong by `skew_s` where it tells the date."""
        return VirtualClock(self.loop, skew_s)

    async def step(self, name: str) -> None:
        """Mark a point as reached."""
        self.reached[name] += 1

    async def pause(self, words: str) -> None:
        """Wait for one's turn, as something that any other event may depend on."""
        await self.park(words, None)

    @property
    def now(self) -> float:
        """Seconds since 1970, by the provider's clock."""
        return START.timestamp() + self.loop.time()

    async def park(
        self,
        words: str,
        touches: frozenset[Touch] | None,
        *,
        act: Callable[[Line], None] | None = None,
        loss: Literal["", "lost_answers", "lost_writes"] = "",
    ) -> Went:
        """Wait until this is chosen. `act` is done then, also where the one who waited is dead or gave up (`late`)."""
        worker = WORKER.get()
        if not worker:
            raise ScheduleUnfit(f'"{words}" happens outside of all workers', fix="do it inside a worker's coroutine")
        self._numbers[worker] += 1
        event = Event(f"{worker}#{self._numbers[worker]}", worker, touches)
        parked = _Parked(event, words, self.loop.create_future(), act, loss)
        self._parked.append(parked)
        return await parked.future

    # What whoever drives the world needs.

    def start(self, worker: str, work: Coroutine[Any, Any, object]) -> None:
        """Begin a worker's work."""
        token = WORKER.set(worker)
        try:
            self._roots[worker] = task = self.loop.create_task(work, name=worker)
        finally:
            WORKER.reset(token)
        task.add_done_callback(partial(self._ended, worker))

    def waiting(self) -> list[str]:
        """The workers that are alive and have not come to their end."""
        return [worker for worker in self._roots if worker not in self.results and worker not in self.dead]

    def options(self, *, with_faults: bool = True) -> list[Option]:
        """All that can happen next, the orderly first."""
        self._parked = [parked for parked in self._parked if self._is_open(parked)]
        steps = [self._stepping(turn) for turn in self.loop.steps()]
        timers = self.loop.timers()
        for parked in self._parked:
            if parked.rank == _SLOW and any(timer.when > parked.until for timer in timers):
                parked.rank = _OVERTAKEN
        ranks = (_FRESH, _OVERTAKEN, _SLOW)
        fresh, overtaken, slow = ([parked for parked in self._parked if parked.rank == rank] for rank in ranks)
        due = [timer for timer in timers if timer.when <= self.loop.time()]
        slower = self._left["slow"] if with_faults else 0
        later = [] if due or steps or len(fresh) + len(overtaken) > slower else timers
        orderly = [
            *steps,
            *map(self._going, fresh),
            *map(self._firing, due),
            *map(self._going, overtaken),
            *map(self._firing, later),
            *map(self._going, slow),
        ]
        return [*orderly, *self._going_wrong()] if orderly and with_faults and not steps else orderly

    def take(self, options: Sequence[Option], index: int) -> None:
        """Let one of the options happen; parked events before it fall behind."""
        taken = options[index]
        if taken.kind != "fault":
            overtaken = {option.event.name for option in options[:index]}
            for parked in self._parked:
                if parked.event.name in overtaken and parked.rank != _SLOW:
                    parked.rank = _OVERTAKEN
                    if taken.kind == "time":
                        parked.rank, parked.until = _SLOW, self.loop.time() + self._faults.slow_s
                        self._spend("slow")
        taken.happen()

    def _ended(self, worker: str, task: asyncio.Task[object]) -> None:
        if task.cancelled():
            self.results[worker] = asyncio.CancelledError()
        else:
            self.results[worker] = task.exception() or task.result()

    def _is_open(self, parked: _Parked) -> bool:
        return not self._is_given_up(parked) or (self._faults.late and parked.act is not None)

    def _is_given_up(self, parked: _Parked) -> bool:
        return parked.future.done() or parked.event.worker in self.dead

    def _stepping(self, turn: Turn) -> Option:
        name = turn.task.get_name() if turn.task is not None else ""
        event = Event(f"{turn.worker} goes on ({name})", turn.worker, None)
        return Option(event, partial(self.loop.step, turn), "step")

    def _going(self, parked: _Parked) -> Option:
        return Option(parked.event, partial(self._go, parked), "event")

    def _firing(self, timer: Timer) -> Option:
        is_due = timer.when <= self.loop.time()
        event = Event(f"{timer.worker}'s timer {timer.number}", timer.worker, frozenset() if is_due else None)
        return Option(event, partial(self._fire, timer), "event" if is_due else "time")

    def _going_wrong(self) -> list[Option]:
        options = []
        for parked in self._parked:
            if parked.loss and self._left[parked.loss] and not self._is_given_up(parked):
                touches = None if parked.event.touches is None else parked.event.touches | {_FAULT}
                event = Event(f"{parked.event.name} is lost", parked.event.worker, touches)
                options.append(Option(event, partial(self._go, parked, lost=True), "fault"))
        if self._left["crashes"]:
            options += [
                Option(Event(f"{worker} dies", worker, frozenset({_FAULT})), partial(self._die, worker), "fault")
                for worker in self.waiting()
            ]
        return options

    def _go(self, parked: _Parked, *, lost: bool = False) -> None:
        self._parked.remove(parked)
        given_up = self._is_given_up(parked)
        if given_up:
            words = f"({parked.words}, late)"
            self.reached["late"] += 1
        else:
            words = f"{parked.words} (lost)" if lost else parked.words
        line = self._told(parked.event.worker, words)
        if lost:
            self._spend(parked.loss)
        if parked.act is not None:
            parked.act(line)
        if not given_up:
            parked.future.set_result(Went(line, lost))

    def _fire(self, timer: Timer) -> None:
        passes = timer.when > self.loop.time()
        self.loop.fire(timer)
        if passes:
            self._told(timer.worker, WAKES)

    def _die(self, worker: str) -> None:
        self._spend("crashes")
        self.dead.add(worker)
        self.loop.drop(worker)
        self._told(worker, "(dies)")

    def _told(self, worker: str, words: str) -> Line:
        line = Line(worker, words, self.loop.time())
        self.lines.append(line)
        return line

    def _spend(self, fault: str) -> None:
        self._left[fault] -= 1
        self.reached[fault] += 1

    # How things are told.

    def shown(self, texts: Sequence[str]) -> str:
        """The names of the secrets that occur in some texts, longest first so that no name hides in another."""
        found = []
        whole = "\n".join(texts)
        for secret in sorted(self.names, key=len, reverse=True):
            for spelling in {secret, quote(secret, safe="")}:
                if spelling in whole:
                    whole = whole.replace(spelling, "")
                    found.append(self.names[secret])
        for pattern, name in self.patterns:
            found += map(name, pattern.finditer(whole))
        return " ".join(dict.fromkeys(sorted(found)))


class VirtualClock:
    """A Clock on a controlled loop's time."""

    def __init__(self, loop: ControlledLoop, skew_s: float) -> None:
        self._loop = loop
        self._skew = skew_s

    def now(self) -> datetime:
        return START + timedelta(seconds=self._loop.time() + self._skew)

    def monotonic(self) -> float:
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class ParkedTransport:
    """A Transport that waits before the provider acts, and again before the answer arrives."""

    def __init__(self, world: World, provider: Provider, deed: Callable[[], str]) -> None:
        self._world = world
        self._provider = provider
        self._deed = deed

    async def send(self, request: Request) -> Response:
        """Raises what the provider raised for an answer, and ProviderDown where the answer is lost."""
        world = self._world
        came: list[Response | ConnproofError] = []

        def act(line: Line) -> None:
            token = WORKER.set(line.worker)
            try:
                came.append(self._provider.answer(request, world.now))
            except ConnproofError as error:
                came.append(error)
            finally:
                WORKER.reset(token)
            line.provider = self._deed()

        sent = " ".join(filter(None, (request.method, urlsplit(request.url).path, world.shown(_texts(request)))))
        await world.park(f"-> {sent}", frozenset({("provider", True)}), act=act)
        (answer,) = came
        if isinstance(answer, ConnproofError):
            await world.park("<- no answer", frozenset())
            raise answer
        told = f"{answer.status} {world.shown([answer.body.decode(errors='replace')])}".strip()
        went = await world.park(f"<- {told}", frozenset(), loss="lost_answers")
        if went.lost:
            raise ProviderDown("the connection broke before the answer came")
        return answer


class _ParkedStore:
    """A store each of whose methods waits before it runs."""

    def __init__(self, world: World, store: object, name: str) -> None:
        self._world = world
        self._store = store
        self._name = name

    def __getattr__(self, method: str) -> Callable[..., Coroutine[Any, Any, object]]:
        does = getattr(self._store, method)

        async def in_turn(*args: Any, **named: Any) -> object:
            changes = method not in _READS
            went = await self._world.park(
                f"{self._name}: {method}", self._touched(method, args), loss="lost_writes" if changes else ""
            )
            result: object = await does(*args, **named)
            went.line.words = f"{went.line.words} {_outcome(result)}".rstrip()
            if went.lost:
                raise StoreFailed("the store's acknowledgement was lost")
            return result

        return in_turn

    def _touched(self, method: str, args: Sequence[object]) -> frozenset[Touch] | None:
        """The row that a call is about. A call about time alone touches nothing; one about many rows, everything."""
        if method == "now":
            return frozenset()
        row = getattr(args[0], "account", args[0]) if args else None
        if not isinstance(row, str) or method in {"accounts", "connect"}:
            return None
        kind = "client" if "client" in method else "row"
        return frozenset({(f"{self._name} {kind} {row}", method not in _READS)})


def _texts(request: Request) -> list[str]:
    body = (request.body or b"").decode(errors="replace")
    return [request.url, body, *(text for _, text in request.headers)]


def _outcome(result: object) -> str:
    """A store's result in a word: never what it holds."""
    match result:
        case None | bool() | int():
            return f"-> {result}"
        case str() if 0 < len(result) <= 12:
            return f"-> {result}"
        case _:
            generation = getattr(result, "generation", None)
            return "" if generation is None else f"-> g{generation}"
