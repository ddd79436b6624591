"""Fifty to three hundred inputs for each parser in every run, and again each input that once fell over.

The long session is `nox -s fuzz`; docs/fuzzing.md tells what it found.
"""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest
from fuzzer import SECONDS, Failure, Tally, failure, fuzzed, inputs, minimised
from targets import TARGETS, Outcome, Target

from connproof.errors import LimitExceeded

HERE = Path(__file__).parent
FOUND = sorted((HERE / "found").glob("*/*"))


@pytest.mark.parametrize("name", TARGETS)
def test_some_inputs_give_a_value_or_an_error_of_ours(name: str) -> None:
    """Some are read and some refused: neither the seeds nor the changes are for nothing."""
    tally = Tally(name)
    count = 40 + 2 * TARGETS[name].share
    for data in inputs(TARGETS[name], 1, 0, count):
        tally.add(data, failure(TARGETS[name], data), 0.0)

    assert {} == tally.failures
    assert 0 < tally.read < tally.inputs == count


@pytest.mark.parametrize("name", TARGETS)
def test_the_seeds_are_what_they_are_called(name: str) -> None:
    """Most are read: what is changed is nearly right."""
    target = TARGETS[name]

    came = [target.run(seed) for seed in target.seeds]

    assert 2 * came.count("read") > len(came)


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_once_fell_over_stands(path: Path) -> None:
    """Each file is one input, as it was found; its folder is the target."""
    came = failure(TARGETS[path.parent.name], path.read_bytes())

    assert not isinstance(came, Failure), came


def test_there_is_a_file_for_what_was_found() -> None:
    """Its folders are targets."""
    assert FOUND
    assert {path.parent.name for path in FOUND} <= set(TARGETS)


def test_the_same_seed_draws_the_same_inputs() -> None:
    """Whatever the process: a failure that somebody else found can be found again."""
    first = b"\0".join(islice(inputs(TARGETS["configs"], 7, 3, 20), 20)).hex()
    again = (
        "from fuzzer import inputs; from targets import TARGETS; "
        "print(b'\\0'.join(inputs(TARGETS['configs'], 7, 3, 20)).hex())"
    )

    said = subprocess.run(
        [sys.executable, "-c", again],
        cwd=HERE,
        env={**os.environ, "PYTHONHASHSEED": "5"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert first == said.stdout.strip()


# The session itself: what it calls a failure, and how it shows one.


def _fragile(data: bytes) -> Outcome:
    if b"boom" in data:
        raise KeyError("boom")
    return "read" if data.startswith(b"{") else "refused"


FRAGILE = Target("fragile", 1_000, _fragile, (b"{boo}", b"x"), (b"boom", b"m"))


def test_an_error_of_somebody_else_is_a_failure() -> None:
    """It is known by its class and its place, and not by its text."""
    came = failure(FRAGILE, b"a boom")

    assert isinstance(came, Failure)
    assert ("KeyError", True) == (came.kind, came.where.startswith("test_fuzz.py:"))


def test_a_failing_input_is_made_small() -> None:
    """What is left out changes nothing: the rest still fails in the same way."""
    came = failure(FRAGILE, b"abc" * 50 + b"boom" + b"def" * 50)
    assert isinstance(came, Failure)

    assert b"boom" == minimised(FRAGILE, b"abc" * 50 + b"boom" + b"def" * 50, came)


def test_one_defect_is_one_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many inputs meet it, with the shortest of them."""
    monkeypatch.setattr("fuzzer.TARGETS", {"fragile": FRAGILE})

    tally = fuzzed("fragile", 1, 0, 500)

    ((failed, data, times),) = tally.failures.values()
    assert ("KeyError", 500) == (failed.kind, tally.inputs)
    assert times > 1
    assert b"boom" in data
    assert tally.read > 0


def test_an_error_of_ours_that_a_target_does_not_expect_is_a_failure() -> None:
    """Which errors a parser may raise stands in its docstring, and here in its target."""

    def wrong(_data: bytes) -> Outcome:
        raise LimitExceeded("too much")

    assert isinstance(failure(Target("wrong", 1_000, wrong, (b"",), ()), b""), Failure)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no timer of processor time")
def test_what_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """By processor time, also inside a handler of every Exception."""

    def endless(_data: bytes) -> Outcome:
        while True:
            try:
                sum(range(1_000))
            except Exception:  # noqa: BLE001 what a parser may do
                return "refused"

    monkeypatch.setattr("fuzzer.TARGETS", {"endless": Target("endless", 1_000, endless, (b"a",), (b"b",))})
    monkeypatch.setattr("fuzzer.SECONDS", 0.02)

    ((failed, _, times),) = fuzzed("endless", 1, 0, 3).failures.values()

    assert ("TookTooLong", 3) == (failed.kind, times)
    assert SECONDS > 1


@pytest.mark.parametrize(("data", "code"), [(b"?page=2", 0), (b"xn--", 0)])
def test_an_input_is_replayed_from_its_line(data: bytes, code: int) -> None:
    """The line that a failure prints runs that input again."""
    said = subprocess.run(
        [sys.executable, str(HERE / "fuzzer.py"), "--target", "urls", "--replay", base64.b64encode(data).decode()],
        capture_output=True,
        text=True,
        check=False,
    )

    assert code == said.returncode
    assert f"urls, {len(data)} bytes: {data!r}\nread" == said.stdout.strip()
