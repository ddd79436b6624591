"""An event loop in which nothing happens by itself: no I/O, no threads, and a time that stands still until it is moved.

Whoever drives it runs what is ready, sees when nothing is, and decides what comes next. Every callback belongs to the
worker in whose context it was scheduled, so that a whole tree of tasks, detached ones included, can be named, and
can die: of a dead worker nothing runs any more, no `finally` either.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, TypeVarTuple, Unpack

from connproof.errors import ConnproofError

__all__ = ["WORKER", "ControlledLoop", "Endless", "ScheduleUnfit", "Timer", "Turn", "at_once"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

WORKER: Final[ContextVar[str]] = ContextVar("worker", default="")
"""The worker that the running code belongs to; tasks inherit it."""

_MOST_TURNS: Final = 100_000  # between two events: far more than any worker needs


class ScheduleUnfit(ConnproofError):
    """The scenario, or the schedule, cannot be run as it is: an error of the harness's user, and no verdict."""


class Endless(ScheduleUnfit):
    """A worker goes on for ever while time stands still."""


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """One callback that is ready. `task` is the task whose next step it is, None for any other callback."""

    handle: asyncio.Handle
    worker: str
    task: asyncio.Task[Any] | None


@dataclass(frozen=True, slots=True, order=True)
class Timer:
    """A callback that waits for its time. `number` counts the timers of its worker."""

    when: float
    order: int
    worker: str = field(compare=False)
    number: int = field(compare=False)
    handle: asyncio.TimerHandle = field(compare=False)


class ControlledLoop(asyncio.AbstractEventLoop):
    """The loop. With `apart`, a worker that wakes another is an error: they are said to share no memory."""

    def __init__(self, *, apart: bool = False) -> None:
        self._apart = apart
        self._now = 0.0
        self._ready: deque[Turn] = deque()
        self._timers: list[Timer] = []
        self._orders = 0
        self._numbers: dict[str, int] = {}
        self._dead: set[str] = set()
        self._acting = ""
        self._is_running = False
        # Strong references: what dies or is left over must not be collected, and so finish, before it was judged.
        self._tasks: list[tuple[str, asyncio.Task[Any]]] = []
        self.troubles: list[str] = []
        self._unfit: ScheduleUnfit | None = None

    # What whoever drives the loop needs.

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Be the running loop; at the end, throw away whatever is left."""
        outer = asyncio._get_running_loop()  # noqa: SLF001  # asyncio's own name for what loops are made with
        asyncio._set_running_loop(self)  # noqa: SLF001
        self._is_running = True
        try:
            yield
        finally:
            self._dispose()
            self._is_running = False
            asyncio._set_running_loop(outer)  # noqa: SLF001

    def settle(self) -> None:
        """Run all that is ready, in order, until nothing is. Raises Endless where that is never so."""
        worker = ""
        for _ in range(_MOST_TURNS):
            if not self._ready:
                return
            turn = self._ready.popleft()
            worker = turn.worker
            self._run(turn)
        raise Endless(f"worker {worker} spins: it goes on for ever while time stands still")

    def run_callbacks(self) -> None:
        """Run whatever is ready and no step of a task: futures telling their waiters, for the most part."""
        while (turn := next((turn for turn in self._ready if turn.task is None), None)) is not None:
            self._ready.remove(turn)
            self._run(turn)

    def steps(self) -> list[Turn]:
        """The tasks that could run now, in the order in which they became ready."""
        return [turn for turn in self._ready if turn.task is not None and not _is_off(turn.handle)]

    def step(self, turn: Turn) -> None:
        """Run one of them, up to its next await."""
        self._ready.remove(turn)
        self._run(turn)

    def timers(self) -> list[Timer]:
        """Those that are due; where none is, those that will be due first."""
        while self._timers and _is_off(self._timers[0].handle):
            heapq.heappop(self._timers)
        live = [timer for timer in self._timers if not _is_off(timer.handle)]
        first = max(self._now, min((timer.when for timer in live), default=0.0))
        return sorted(timer for timer in live if timer.when <= first)

    def fire(self, timer: Timer) -> None:
        """Let time pass until a timer is due, and make its callback ready."""
        self._now = max(self._now, timer.when)
        self._timers.remove(timer)
        heapq.heapify(self._timers)
        self._ready.append(Turn(timer.handle, timer.worker, None))

    def drop(self, worker: str) -> None:
        """Let a worker die: nothing of it runs again."""
        self._dead.add(worker)
        self._ready = deque(turn for turn in self._ready if turn.worker != worker)
        self._timers = [timer for timer in self._timers if timer.worker != worker]
        heapq.heapify(self._timers)

    def defects(self) -> list[tuple[str, BaseException]]:
        """Errors that no engine raises on purpose, of tasks that ended in one, and whose they are; none is told twice.

        Also of a task that nobody waited for: what went wrong in it would never be seen.
        """
        ends = [(worker, task.exception()) for worker, task in self._tasks if task.done() and not task.cancelled()]
        found = [(who, error) for who, error in ends if error is not None and not isinstance(error, ConnproofError)]
        return list({id(error): (who, error) for who, error in reversed(found)}.values())[::-1]

    def _run(self, turn: Turn) -> None:
        if _is_off(turn.handle) or turn.worker in self._dead:
            return
        self._acting = turn.worker
        try:
            turn.handle._run()  # noqa: SLF001  # asyncio's own name for what loops run
        finally:
            self._acting = ""
        if self._unfit is not None:
            raise self._unfit

    def _refused(self, unfit: ScheduleUnfit) -> ScheduleUnfit:
        """Keep it: a worker that catches it, or ends in it, must not make a verdict of it."""
        self._unfit = unfit
        return unfit

    def _queue(self, turn: Turn) -> None:
        if turn.worker in self._dead:
            return
        if self._apart and "" not in {self._acting, turn.worker} and turn.worker != self._acting:
            raise self._refused(
                ScheduleUnfit(
                    f"worker {self._acting} wakes worker {turn.worker}, but is said to share no memory with it",
                    fix="say apart=False: orders are then left out no more",
                )
            )
        self._ready.append(turn)

    def _dispose(self) -> None:
        """Close what is left over. Nothing of it can happen any more, and nobody looks at what it does."""
        self._ready.clear()
        self._timers.clear()
        for _, task in self._tasks:
            if not task.done():
                coroutine = task.get_coro()
                assert isinstance(coroutine, Coroutine)  # what create_task was given
                _close(coroutine)
            elif not task.cancelled():
                task.exception()  # seen: the results of workers are kept, and others failed in their own silence

    # What asyncio needs.

    def time(self) -> float:
        return self._now

    def call_soon(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        context = copy_context() if context is None else context  # an empty one is false
        handle = asyncio.Handle(callback, args, self, context)
        owner = getattr(callback, "__self__", None)
        if self._is_running:
            self._queue(Turn(handle, context.get(WORKER, ""), owner if isinstance(owner, asyncio.Task) else None))
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        context = copy_context() if context is None else context  # an empty one is false
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        worker = context.get(WORKER, "")
        if self._is_running and worker not in self._dead:
            self._orders += 1
            self._numbers[worker] = number = self._numbers.get(worker, 0) + 1
            heapq.heappush(self._timers, Timer(when, self._orders, worker, number, handle))
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        # asyncio's own names count the tasks of the whole process, and would never be the same twice.
        task = asyncio.Task(coro, loop=self, name=name or f"task {len(self._tasks) + 1}", context=context)
        self._tasks.append((WORKER.get() if context is None else context.get(WORKER, ""), task))
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        # What was left over is destroyed while it is pending: that was the purpose.
        if self._is_running:
            error = context.get("exception")
            self.troubles.append(f"{context.get('message', 'a callback failed')}: {type(error).__name__}")

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return self._is_running

    def is_closed(self) -> bool:
        return False

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        del executor, args
        raise self._refused(
            ScheduleUnfit(
                f"{getattr(func, '__qualname__', func)} would run in a thread, whose order nobody decides",
                fix="give the scenario a store that keeps everything in memory",
            )
        )

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Every loop is told of it by asyncio; here a cancelled timer is dropped when it is come upon."""


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """What a coroutine gives that waits for nothing, such as a store's in memory. Raises ScheduleUnfit if it waits."""
    try:
        work.send(None)
    except StopIteration as ended:
        given: T = ended.value
        return given
    work.close()
    raise ScheduleUnfit("what was to be done at once waits for something", fix="await it in a worker")


def _is_off(handle: asyncio.Handle) -> bool:
    return handle.cancelled()


def _close(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Close a coroutine that may await, or raise, in its `finally`."""
    for _ in range(100):
        try:
            coroutine.close()
        except RuntimeError:  # it awaited once more: close it there
            continue
        except Exception:  # noqa: BLE001  # what it says while it is thrown away interests nobody
            return
        return
