"""Fuzz the parsers, and print what fell over as a line to paste.

    python tests/fuzz/fuzzer.py --inputs 1000000 --seed 1 [--target links] [--jobs 2]
    python tests/fuzz/fuzzer.py --target links --replay PGE+

A seed, a target and a number are one input, whatever the number of jobs and on every machine. It ends with 1 where
anything came but a value or an error of ours, or where one input took longer than two seconds of this process.
docs/fuzzing.md says what was found.
"""

from __future__ import annotations

import argparse
import base64
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any, Final, Literal, Self

from mutations import Mutator
from targets import TARGETS, Outcome, Target

__all__ = ["SECONDS", "Failure", "Tally", "failure", "fuzzed", "inputs", "minimised"]

SECONDS: Final = 2.0  # of processor time for one input: hundreds of times what the slowest ordinary one takes
_CHUNK: Final = 5_000
_MOST_BYTES_OF_MEMORY: Final = 4 * 2**30
_MOST_SECONDS_TO_MINIMISE: Final = 10.0


class TookTooLong(BaseException):
    """Raised into a run by the timer. Not an Exception, so that no handler of the code under test takes it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What fell over: the error's class and where in our code it came from, which tells one defect from another."""

    kind: str
    where: str
    text: str


@dataclass(slots=True)
class Tally:
    """What became of the inputs of one target."""

    target: str
    inputs: int = 0
    read: int = 0
    seconds: float = 0.0
    slowest: tuple[float, bytes] = (0.0, b"")
    failures: dict[tuple[str, str], tuple[Failure, bytes, int]] = field(default_factory=dict)

    def add(self, data: bytes, came: Outcome | Failure, seconds: float) -> None:
        self.inputs += 1
        self.seconds += seconds
        self.slowest = max(self.slowest, (seconds, data), key=lambda one: one[0])
        if isinstance(came, Failure):
            self._note(came, data, 1)
        else:
            self.read += came == "read"

    def join(self, other: Tally) -> None:
        self.inputs += other.inputs
        self.read += other.read
        self.seconds += other.seconds
        self.slowest = max(self.slowest, other.slowest, key=lambda one: one[0])
        for failed, data, times in other.failures.values():
            self._note(failed, data, times)

    def _note(self, failed: Failure, data: bytes, times: int) -> None:
        first, known, before = self.failures.get((failed.kind, failed.where), (failed, data, 0))
        shorter = data if len(data) < len(known) else known
        self.failures[failed.kind, failed.where] = (first, shorter, before + times)


def inputs(target: Target, seed: int, chunk: int, count: int) -> Iterator[bytes]:
    """The inputs of one chunk."""
    mutator, random = Mutator(target.seeds, target.words), Random(f"{seed}/{target.name}/{chunk}")
    return (mutator.draw(random) for _ in range(count))


def failure(target: Target, data: bytes) -> Failure | Outcome:
    """What running an input comes to."""
    began = time.process_time()
    try:
        outcome = target.run(data)
    except TookTooLong:
        return Failure("TookTooLong", "", f"more than {SECONDS:g} seconds for {len(data):,} bytes")
    except Exception as error:  # noqa: BLE001 whatever is raised here is what is looked for
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if "connproof" in Path(frame.filename).parts] or frames
        at = ours[-1]
        return Failure(
            type(error).__name__,
            f"{Path(at.filename).name}:{at.lineno} ({at.name})",
            str(error).partition("\n")[0][:200],
        )
    if time.process_time() - began > SECONDS:  # where one call into C took all the time, the timer could not end it
        return Failure("TookTooLong", "", f"more than {SECONDS:g} seconds for {len(data):,} bytes")
    return outcome


def minimised(target: Target, data: bytes, failed: Failure) -> bytes:
    """A shorter input that fails in the same way: pieces are left out, large ones first, as long as it still does."""
    until = time.process_time() + _MOST_SECONDS_TO_MINIMISE
    size = len(data) // 2
    while size:
        at = 0
        while at < len(data):
            if time.process_time() > until:
                return data
            shorter = data[:at] + data[at + size :]
            came = failure(target, shorter)
            if isinstance(came, Failure) and (came.kind, came.where) == (failed.kind, failed.where):
                data = shorter
            else:
                at += size
        size = min(size // 2, len(data))
    return data


def fuzzed(name: str, seed: int, chunk: int, count: int) -> Tally:
    """One chunk of a target's inputs, run."""
    target, tally = TARGETS[name], Tally(name)
    with _Timer() as timer:
        for data in inputs(target, seed, chunk, count):
            began = time.process_time()
            timer.start()
            came = failure(target, data)
            timer.stop()
            tally.add(data, came, time.process_time() - began)
    return tally


class _Timer:
    """Ends what takes too long, by processor time: a busy machine changes nothing. Not on Windows."""

    def __enter__(self) -> Self:
        if sys.platform != "win32":
            self._before: Any = signal.signal(signal.SIGPROF, _raise)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if sys.platform != "win32":
            signal.signal(signal.SIGPROF, self._before)

    def start(self) -> None:
        if sys.platform != "win32":
            signal.setitimer(signal.ITIMER_PROF, SECONDS)

    def stop(self) -> None:
        if sys.platform != "win32":
            signal.setitimer(signal.ITIMER_PROF, 0)


def _raise(_number: int, _frame: object) -> None:
    raise TookTooLong


def _bounded() -> None:
    """An input that asks for endless memory ends in an error, not in a machine that swaps."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES_OF_MEMORY, _MOST_BYTES_OF_MEMORY))


def _chunks(name: str, count: int) -> Iterator[tuple[str, int, int]]:
    for chunk in range(-(-count // _CHUNK)):
        yield name, chunk, min(_CHUNK, count - chunk * _CHUNK)


def _run(names: Sequence[str], count: int, seed: int, jobs: int) -> list[Tally]:
    shares = sum(TARGETS[name].share for name in names)
    work = [chunk for name in names for chunk in _chunks(name, -(-count * TARGETS[name].share // shares))]
    tallies = {name: Tally(name) for name in names}
    with ProcessPoolExecutor(jobs, get_context("spawn"), _bounded) as pool:
        for name, tally in zip(
            [name for name, _, _ in work],
            pool.map(fuzzed, *zip(*((name, seed, chunk, size) for name, chunk, size in work), strict=True)),
            strict=True,
        ):
            tallies[name].join(tally)
            if tallies[name].inputs >= count * TARGETS[name].share // shares:
                print(_line(tallies[name]), flush=True)
    return list(tallies.values())


def _line(tally: Tally) -> str:
    seconds, slowest = tally.slowest
    failed = sum(times for _, _, times in tally.failures.values())
    return (
        f"{tally.target:<20}{tally.inputs:>10,}{tally.read:>10,}{tally.inputs - tally.read - failed:>10,}{failed:>8,}"
        f"{tally.seconds:>8.0f} s{seconds * 1000:>9.0f} ms {len(slowest):>8,} bytes"
    )


def _told(tally: Tally) -> Iterator[str]:
    for failed, data, times in tally.failures.values():
        least = minimised(TARGETS[tally.target], data, failed) if failed.kind != "TookTooLong" else data
        yield f"\n{tally.target}: {failed.kind} at {failed.where}, {times:,} times: {failed.text}"
        yield f"    {least[:300]!r}"
        yield f"    python tests/fuzz/fuzzer.py --target {tally.target} --replay {base64.b64encode(least).decode()}"


def _replay(target: Target, data: bytes) -> Literal[0, 1]:
    print(f"{target.name}, {len(data):,} bytes: {data[:300]!r}")
    with _Timer() as timer:
        timer.start()
        print(target.run(data))
    return 0


def main() -> int:
    said = argparse.ArgumentParser(description="Fuzz the parsers of connproof.")
    said.add_argument("--inputs", type=int, default=1_000_000, help="how many, over all targets (default: a million)")
    said.add_argument("--seed", type=int, default=1)
    said.add_argument("--target", choices=sorted(TARGETS), help="one alone; default: all, each with its share")
    said.add_argument("--jobs", type=int, default=1, help="processes")
    said.add_argument("--replay", metavar="BASE64", help="one input again, with its traceback; needs --target")
    words = said.parse_args()
    if words.replay is not None:
        if words.target is None:
            said.error("--replay needs --target")
        return _replay(TARGETS[words.target], base64.b64decode(words.replay))
    names = [words.target] if words.target else list(TARGETS)
    print(
        f"seed {words.seed}\n{'target':<20}{'inputs':>10}{'read':>10}{'refused':>10}{'failed':>8}{'time':>10}   slowest"
    )
    tallies = _run(names, words.inputs, words.seed, words.jobs)
    findings = [line for tally in tallies for line in _told(tally)]
    print("\n".join([f"{sum(tally.inputs for tally in tallies):,} inputs", *findings]))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
