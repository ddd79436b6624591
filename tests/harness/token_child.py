"""Workers that are processes of their own: each refreshes one account, and ends or stops itself where it is told to.

Run as a program this is their nursery: it imports the engine once and then only forks, so that a worker is there
at once; it reads one order a line, as JSON, and answers each with one line. A worker is forked before there is
any store, connection, thread or event loop, unless a test is about just that.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import resource
import signal
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple, NoReturn, Self, TypeAlias

import anyio.lowlevel
import sqlalchemy as sa

import connproof.network  # noqa: F401 so that no worker has to load the HTTP libraries by itself
from connproof.config import parse
from connproof.errors import ConnproofError, Reauthorise
from connproof.model import Account
from connproof.stores import DatabaseTokens, Sealing
from connproof.tokens import Timing, Tokens
from connproof.transport import HttpxTransport

__all__ = ["KEY", "TIMING", "Act", "Ended", "Job", "Nursery", "SharedClock"]

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="  # 0123456789abcdef, twice
TIMING = Timing(poll_s=0.1)
_MOST_SECONDS = 30

Act: TypeAlias = Literal["kill", "stop", "fill the disk", "make room"]


class SharedClock:
    """The time of everybody who reads the same file: it moves when a test says so. Only waiting is real."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.monotonic(), UTC)

    def monotonic(self) -> float:
        return float(self._path.read_text())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def set(self, seconds: float) -> None:
        new = self._path.with_suffix(".new")
        new.write_text(repr(seconds))
        new.replace(self._path)  # nobody reads half of it


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker is to do: ask once for the account's access token, and write down what it got at `said`.

    `acts` is what it does to itself, by point: a step of the exchange, "keep 3" for the third time at one, or
    "keep: written" between a statement and its commit. At the point `gate` it waits for all that were started with it.
    With `forks` it opens its store and uses it, and then so many children of its own do the job, by what they inherit.
    """

    name: str
    store: str
    config: dict[str, Any]
    account: dict[str, str]
    clock: str
    said: str
    acts: dict[str, Act] = field(default_factory=dict)
    gate: str = ""
    forks: int = 0


class Ended(NamedTuple):
    """What became of a worker: it stopped, a signal ended it, or it came to its end with this status."""

    how: Literal["stopped", "killed", "exited"]
    number: int


class Nursery:
    """The program, seen from a test. Every worker that is left is killed at its end."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=30)

    def start(self, *jobs: Job) -> list[int]:
        """Their process ids. Returns once all those with a gate have come there, and it was opened."""
        found: list[int] = self._order("start", [asdict(job) for job in jobs])
        return found

    def wait(self, pid: int) -> Ended:
        """Until it stops or ends."""
        return Ended(*self._order("wait", pid))

    def _order(self, verb: str, what: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([verb, what]), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())


# From here on, in the nursery.


def _serve() -> None:
    transport = asyncio.run(_opened())
    left: set[int] = set()
    for line in sys.stdin:
        verb, what = json.loads(line)
        if verb == "start":
            said: Any = _started([Job(**job) for job in what], transport)
            left.update(said)
        else:
            said = _waited(what)
            if said.how != "stopped":
                left.discard(what)
        print(json.dumps(said), flush=True)  # noqa: T201 what a program answers
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


async def _opened() -> HttpxTransport:
    """A transport with no connection yet, and all loaded that a first request would load."""
    anyio.Event()
    async with anyio.Lock():
        await anyio.lowlevel.checkpoint()
    return await HttpxTransport(user_agent="worker", allow_loopback=True).__aenter__()


def _started(jobs: Sequence[Job], transport: HttpxTransport) -> list[int]:
    ready, tell = os.pipe()
    gate, opens = os.pipe()
    pids = [_forked(_Worker(job, _Gate(tell, gate), transport), (ready, opens)) for job in jobs]
    os.close(tell)
    os.close(gate)
    expected = sum(job.forks or 1 for job in jobs if job.gate)
    while expected and (came := os.read(ready, expected)):  # nothing: all that are missing have ended
        expected -= len(came)
    os.close(opens)
    os.close(ready)
    return pids


def _waited(pid: int) -> Ended:
    _, status = os.waitpid(pid, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return Ended("stopped", os.WSTOPSIG(status))
    if os.WIFSIGNALED(status):
        return Ended("killed", os.WTERMSIG(status))
    return Ended("exited", os.WEXITSTATUS(status))


class _Gate(NamedTuple):
    """Opens for all at once: its pipe comes to its end."""

    tell: int
    gate: int

    def pass_(self) -> None:
        os.write(self.tell, b".")
        os.read(self.gate, 1)


def _forked(worker: _Worker, others: Sequence[int]) -> int:
    pid = os.fork()
    if pid == 0:
        for end in others:
            os.close(end)
        _end(worker.work)
    return pid


def _end(work: Any) -> NoReturn:
    """Do it and leave, without what the nursery would do at its end."""
    status = 1
    try:
        work()
        status = 0
    except BaseException:  # noqa: BLE001 whatever it is, it must not go on as the nursery
        traceback.print_exc()
    finally:
        os._exit(status)


class _Worker:
    def __init__(self, job: Job, gate: _Gate, transport: HttpxTransport) -> None:
        self._job = job
        self._gate = gate
        self._transport = transport
        self._step = ""
        self._times: Counter[str] = Counter()
        self._steps: list[str] = []

    def work(self) -> None:
        job, clock = self._job, SharedClock(Path(self._job.clock))
        sa.event.listen(sa.Engine, "after_cursor_execute", self._executed)
        connector = parse(json.dumps(job.config).encode(), folder="shop", allow_loopback=True)
        with closing(DatabaseTokens(job.store, Sealing([KEY]), clock)) as store:
            tokens = Tokens(
                store, connector, self._transport.send, owner=job.name, clock=clock, timing=TIMING, steps=self._at_step
            )
            if not job.forks:
                self._say(asyncio.run(self._asked(tokens)), job.said)
                return
            asyncio.run(store.accounts())  # now it has a thread and a connection
            children = [self._child(number, tokens) for number in range(job.forks)]
            for child in children:
                assert os.waitpid(child, 0)[1] == 0

    def _child(self, number: int, tokens: Tokens) -> int:
        pid = os.fork()
        if pid == 0:
            _end(lambda: self._say(asyncio.run(self._asked(tokens)), f"{self._job.said}.{number}"))
        return pid

    async def _asked(self, tokens: Tokens) -> dict[str, Any]:
        async with asyncio.timeout(_MOST_SECONDS):  # a worker that waits for ever fails its test
            try:
                held = await tokens.access(Account("acme", self._job.account))
            except ConnproofError as error:
                reason = error.reason if isinstance(error, Reauthorise) else ""
                return {"error": type(error).__name__, "reason": reason}
            finally:
                await tokens.drained()
                await self._transport.__aexit__()
        return {"generation": held.generation, "access": held.access.reveal()}

    def _say(self, what: dict[str, Any], path: str) -> None:
        self._act("make room")
        Path(path).write_text(json.dumps({**what, "steps": self._steps, "drawn": random.random()}))

    async def _at_step(self, step: str) -> None:
        self._step = step
        self._steps.append(step)
        self._reached(step)

    def _executed(self, _connection: object, _cursor: object, statement: str, *_more: object) -> None:
        """Called by SQLAlchemy: a statement was carried out, and is not committed."""
        if statement.startswith("UPDATE"):
            self._reached(f"{self._step}: written")

    def _reached(self, point: str) -> None:
        self._times[point] += 1
        times = self._times[point]
        if times == 1 and point == self._job.gate:
            self._gate.pass_()
        act = self._job.acts.get(point if times == 1 else f"{point} {times}")
        if act is not None:
            self._act(act)

    def _act(self, act: Act) -> None:
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        match act:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "stop":
                os.kill(os.getpid(), signal.SIGSTOP)
            case "fill the disk":  # no file takes a further byte from this process: EFBIG, much as ENOSPC
                resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
            case "make room":
                resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


if __name__ == "__main__":
    _serve()
