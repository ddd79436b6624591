"""Clocks: the machine's, and one that stands still."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest

from connproof.clock import Clock, FixedClock, SystemClock

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def test_a_fixed_clock_stands_still() -> None:
    """However often it is asked, it is the same time."""
    clock = FixedClock(NOON)

    assert [NOON, NOON, 0.0] == [clock.now(), clock.now(), clock.monotonic()]


def test_a_fixed_clock_moves_by_what_it_slept() -> None:
    """Wall time and monotonic time move together, at once."""
    clock = FixedClock(NOON)

    asyncio.run(clock.sleep(90))
    asyncio.run(clock.sleep(0.5))

    assert NOON + timedelta(seconds=90.5) == clock.now()
    assert 90.5 == clock.monotonic()


def test_a_fixed_clock_keeps_its_zone() -> None:
    """A time with another offset is the same moment."""
    clock = FixedClock(datetime(2026, 1, 2, 14, tzinfo=timezone(timedelta(hours=2))))

    assert NOON == clock.now()


def test_a_fixed_clock_without_a_zone_is_refused() -> None:
    """A naive time would mean another moment on every machine."""
    with pytest.raises(ValueError, match="needs an aware datetime"):
        FixedClock(datetime(2026, 1, 2))  # noqa: DTZ001 the naive time is the case


def test_the_systems_clock_is_in_utc_and_only_grows() -> None:
    """Dates are aware, waits are measured on a clock that nobody sets back."""
    clock: Clock = SystemClock()
    before = clock.monotonic()

    asyncio.run(clock.sleep(0))

    assert timedelta(0) == clock.now().utcoffset()
    assert before <= clock.monotonic()
