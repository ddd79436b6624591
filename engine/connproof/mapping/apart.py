"""Expressions of strangers, evaluated in a process that can be killed, whose end is an answer like any other.

One process serves many records, one after the other. It knows nothing but what `ask` sends: no environment, no open
file, no credential. Whatever ends it, the next question starts another.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import weakref
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from threading import Event, Lock, Thread, Timer
from typing import IO, Any, Final

from connproof.clock import SystemClock
from connproof.places import ABSENT, Absent, JsonValue

__all__ = ["Answer", "Apart", "Bounds"]

_MIB: Final = 1024 * 1024
_ENDING_S: Final = 5.0
_STARTING_S: Final = 60.0  # loading Python and the library, on a machine that is busy
_PROGRAM: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from connproof.mapping.evaluator import main; main()"
)
# What an interpreter may need to start, and to tell local time as this one does. Nothing else of the environment.
_ENVIRONMENT: Final = ("SYSTEMROOT", "LD_LIBRARY_PATH", "TZ")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the expressions of one record may take together.

    Windows and macOS have no bound on memory, and Windows none on CPU time: there `wall_s` ends what they would.
    """

    cpu_s: float = 3.0  # somewhat above what one record may take in any process, which ends most without a kill
    wall_s: float = 10.0
    memory_bytes: int = 256 * _MIB  # of the whole process, which starts with about 60 MiB of addresses
    result_bytes: int = 4 * _MIB  # of each expression, as JSON
    idle_s: float = 60.0  # after which a process that nobody asks ends itself


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one expression: its value or ABSENT, else `failed` says why, or `ended` which bound it met."""

    value: JsonValue | Absent = ABSENT
    failed: str = ""
    ended: str = ""


class Apart:
    """At most one process, started when it is first needed and again when one has ended."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        self._bounds = bounds or Bounds()
        self._owner = 0
        self._process: _Process | None = None
        self._queue: ThreadPoolExecutor | None = None
        self._at_last: weakref.finalize[[int], Apart] | None = None

    @property
    def process_id(self) -> int | None:
        """Of the process that is there, None before the first question and after a bound was met."""
        return self._process.id if self._process is not None else None

    def ask(self, request: dict[str, Any]) -> Future[tuple[Answer, ...]]:
        """Evaluate a request: `expressions`, `record`, `bindings`, `now` (RFC 3339) and `milliseconds` for all.

        The answers are in the expressions' order. They end early with one that has `ended`. Questions wait for
        each other; none raises what an expression did.
        """
        if self._queue is None or self._owner != os.getpid():  # a fork has neither the thread nor a pipe of its own
            self._owner = os.getpid()
            self._process = None
            self._queue = ThreadPoolExecutor(1, "connproof-apart")
        return self._queue.submit(self._answers, request)

    def _answers(self, request: dict[str, Any]) -> tuple[Answer, ...]:
        line = json.dumps(request).encode() + b"\n"
        count = len(request["expressions"])
        answers = self._process.answers(line, count) if self._process is not None else ()
        if not answers:  # the first question, or nobody had asked for so long that the process had left
            self._forget()
            try:
                self._process = _Process(self._bounds)
            except OSError as error:
                return (Answer(ended=f"no process could be started ({error})"),)
            self._at_last = weakref.finalize(self, self._process.end, os.getpid())
            answers = self._process.answers(line, count)
        if answers and answers[-1].ended:
            self._forget()
        return answers

    def _forget(self) -> None:
        self._process = None
        if self._at_last is not None:
            self._at_last()


class _Process:
    """One process and its pipes."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._late = False
        self._clock = SystemClock()
        self._lock = Lock()
        self._until: float | None = None
        self._is_watched = False
        self._over = Event()
        path = json.dumps([os.path.abspath(entry) for entry in sys.path])  # noqa: PTH100 "" is here, and a zip is no folder
        self._process = subprocess.Popen(  # noqa: S603 this interpreter, with a program of our own
            [sys.executable, "-I", "-c", _PROGRAM, path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
        )
        assert self._process.stdin is not None and self._process.stdout is not None, "both are pipes"
        self._requests: IO[bytes] = self._process.stdin
        self._replies: IO[bytes] = self._process.stdout
        timer = Timer(_STARTING_S, self._overdue)
        timer.daemon = True
        timer.start()
        try:
            self._send(json.dumps(asdict(bounds)).encode() + b"\n")
            is_ready = self._replies.readline() == b"ready\n"
        except OSError:  # it ended before it had read them
            is_ready = False
        finally:
            timer.cancel()
        if is_ready:
            return
        code = self.end(os.getpid())
        raise OSError(f"exit code {code}")

    @property
    def id(self) -> int:
        return self._process.pid

    def answers(self, line: bytes, count: int) -> tuple[Answer, ...]:
        """The answers to a request of `count` expressions; () if the process had left before it was asked."""
        answers: list[Answer] = []
        with self._in_time():
            try:
                self._send(line)
                while len(answers) < count and not (answers and answers[-1].ended):
                    answers.append(self._answer(self._replies.readline(self._bounds.result_bytes + 2)))
            except OSError:  # it ended before it had read all
                answers.append(self._answer(b""))
        if answers and answers[-1].ended:
            code = self.end(os.getpid())
            if len(answers) == 1 and code == -getattr(signal, "SIGALRM", 0) and not self._late:
                return ()
        return tuple(answers)

    def end(self, owner: int) -> int | None:
        """Kill it, if this process started it, and give its exit code."""
        if owner != os.getpid():
            return None
        self._over.set()
        self._process.kill()
        code = self._process.wait()
        for pipe in (self._requests, self._replies):
            with contextlib.suppress(OSError):  # what was not sent any more
                pipe.close()
        return code

    def _send(self, line: bytes) -> None:
        self._requests.write(line)
        self._requests.flush()

    def _answer(self, line: bytes) -> Answer:
        if not line.endswith(b"\n"):
            return Answer(ended=self._why())
        try:
            said = json.loads(line)
        except RecursionError:  # it nests as deep as this process can just not read
            return Answer(failed="RecursionError inside JSONata")
        if "ended" in said:
            mib = self._bounds.memory_bytes if said["ended"] == "memory" else self._bounds.result_bytes
            what = "memory" if said["ended"] == "memory" else "result"
            return Answer(ended=f"{mib / _MIB:g} MiB of {what}")
        return Answer(said.get("value", ABSENT), said.get("failed", ""))

    def _why(self) -> str:
        """Which bound ended a process that gave no answer."""
        try:
            code = self._process.wait(_ENDING_S)
        except subprocess.TimeoutExpired:  # its replies ended, and it did not
            return "its process broke off"
        if self._late:
            return f"{self._bounds.wall_s:g} s of time"
        if code == -getattr(signal, "SIGPROF", 0):
            return f"{self._bounds.cpu_s:g} s of CPU time"
        return f"its process ended (exit code {code})"

    @contextlib.contextmanager
    def _in_time(self) -> Iterator[None]:
        """Kill the process if this takes longer than a question may. To start a thread for each would take longest."""
        with self._lock:
            self._until = self._clock.monotonic() + self._bounds.wall_s
            if not self._is_watched:
                self._is_watched = True
                Thread(target=self._watch, name="connproof-apart-watch", daemon=True).start()
        try:
            yield
        finally:
            with self._lock:
                self._until = None

    def _watch(self) -> None:
        """Look whenever the question that was there a moment ago should be over; leave when there is none."""
        left = self._bounds.wall_s
        while not self._over.wait(left):
            with self._lock:  # so that no question begins between the look and the leaving
                if self._until is None:
                    self._is_watched = False
                    return
                left = self._until - self._clock.monotonic()
                if left <= 0:
                    self._overdue()
                    return

    def _overdue(self) -> None:
        self._late = True
        self._process.kill()
