"""Retry-After and the dates of HTTP. Ids are those of the project's table of inputs."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connproof.model import Response
from connproof.ratelimit import read_limits
from connproof.standards.http_date import parse_http_date
from connproof.standards.retry_after import RetryAfter, read_retry_after

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
IMF = "%a, %d %b %Y %H:%M:%S GMT"
MALFORMED = RetryAfter(None, ("malformed: retry-after",))
NO_DATE = ("no_date: held against our own clock",)


def said(*lines: str, date: datetime | None = NOW, status: int = 429) -> RetryAfter:
    """What a response with these Retry-After lines says, its Date being this."""
    dates = () if date is None else (("date", date.strftime(IMF)),)
    return read_retry_after(Response(status, (*dates, *(("retry-after", line) for line in lines))), now=NOW)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(["120"], RetryAfter(120), id="RA01"),
        pytest.param([" 120\t"], RetryAfter(120), id="RA01-white-space"),
        pytest.param(["0"], RetryAfter(0), id="RA02"),
        pytest.param(["-5"], MALFORMED, id="RA03-negative"),
        pytest.param(["1.5"], MALFORMED, id="RA03-decimal"),
        pytest.param(["120, 60"], MALFORMED, id="RA04"),
        pytest.param(["120", "60"], MALFORMED, id="RA05"),
        pytest.param(["120", "120"], MALFORMED, id="RA05-equal"),
        pytest.param(["1000000"], RetryAfter(1_000_000), id="RA06"),
        pytest.param(["Mon, 23 Nov 2026 12:01:30 GMT"], RetryAfter(90), id="RA07"),
        pytest.param(["Mon, 23 Nov 2026 11:59:59 GMT"], RetryAfter(0), id="RA10"),
        pytest.param(["Sunday, 06-Nov-94 08:49:37 GMT"], RetryAfter(0), id="RA11"),
        pytest.param(["Mon, 23 Nov 2026 12:01:30 +0200"], MALFORMED, id="RA16-offset"),
        pytest.param(["Mon, 23 Nov 2026 12:01:30 EST"], MALFORMED, id="RA16-EST"),
        pytest.param(["Mon, 23 Nov 2026 12:01:30"], MALFORMED, id="RA16-none"),
        pytest.param(["Mon, 23 Nov 2026 12:01:60 GMT"], RetryAfter(120), id="RA17"),
        pytest.param(["\u0663"], MALFORMED, id="RA18-arabic"),
        pytest.param(["\xb2"], MALFORMED, id="RA18-superscript"),
        pytest.param(["1_000"], MALFORMED, id="RA18-underscore"),
        pytest.param(["0x10"], MALFORMED, id="RA18-hex"),
        pytest.param(["1e3"], MALFORMED, id="RA18-exponent"),
        pytest.param([""], MALFORMED, id="RA18-empty"),
        pytest.param(["1" * 100_000], MALFORMED, id="RA18-100-kB"),
        pytest.param(["2026-11-23T00:00:00Z"], MALFORMED, id="RA19"),
        pytest.param([], RetryAfter(None), id="absent"),
    ],
)
def test_what_a_header_says(lines: list[str], expected: RetryAfter) -> None:
    """Seconds, or nothing and a note; never an exception."""
    assert expected == said(*lines)


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        pytest.param(NOW, RetryAfter(60), id="RA07"),
        pytest.param(NOW - timedelta(minutes=10), RetryAfter(660), id="RA08"),
        pytest.param(None, RetryAfter(60, NO_DATE), id="RA09"),
    ],
)
def test_a_date_is_held_against_the_providers_own_clock(date: datetime | None, expected: RetryAfter) -> None:
    """Where the provider's clock is wrong, both its headers are; without a Date, ours must do, and it is told."""
    assert expected == said("Mon, 23 Nov 2026 12:01:00 GMT", date=date)


def test_RA07_rounds_up() -> None:
    """A part of a second is waited for too."""
    half = NOW - timedelta(milliseconds=500)
    response = Response(429, (("retry-after", NOW.strftime(IMF)),))

    assert 1 == read_retry_after(response, now=half).seconds


@pytest.mark.parametrize("status", [429, 503, 301, 302])
def test_RA20_is_read_whatever_the_status(status: int) -> None:
    """It stands on a redirect too."""
    assert RetryAfter(7) == said("7", status=status)


@pytest.mark.parametrize(("throttled", "expected"), [(True, 7), (False, None)])
def test_RA20_is_waited_for_on_a_throttle_alone(throttled: bool, expected: int | None) -> None:
    """On a redirect or a success nobody waits for it."""
    response = Response(429 if throttled else 302, (("retry-after", "7"),))

    assert expected == read_limits(None, response, None, now=NOW, throttled=throttled).retry_after_s


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Sun, 06 Nov 1994 08:49:37 GMT", datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC), id="RA07"),
        pytest.param("Sunday, 06-Nov-94 08:49:37 GMT", datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC), id="RA11"),
        pytest.param("Sunday, 06-Nov-69 08:49:37 GMT", datetime(2069, 11, 6, 8, 49, 37, tzinfo=UTC), id="RA12"),
        pytest.param("Sunday, 06-Nov-77 08:49:37 GMT", datetime(1977, 11, 6, 8, 49, 37, tzinfo=UTC), id="RA13"),
        pytest.param("Monday, 23-Nov-76 12:00:00 GMT", datetime(2076, 11, 23, 12, tzinfo=UTC), id="RA12-50-years"),
        pytest.param(
            "Monday, 23-Nov-76 12:00:01 GMT", datetime(1976, 11, 23, 12, 0, 1, tzinfo=UTC), id="RA13-and-more"
        ),
        pytest.param("Sun Nov  6 08:49:37 1994", datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC), id="RA14"),
        pytest.param("Sun Nov 16 08:49:37 1994", datetime(1994, 11, 16, 8, 49, 37, tzinfo=UTC), id="RA14-two-digits"),
        pytest.param("Mon, 06 Nov 1994 08:49:37 GMT", datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC), id="RA15"),
        pytest.param("Sun, 06 Nov 1994 08:49:37 UTC", datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC), id="UTC-is-GMT"),
        pytest.param("Sat, 31 Dec 2016 23:59:60 GMT", datetime(2017, 1, 1, tzinfo=UTC), id="RA17"),
        pytest.param("Fri, 31 Dec 9999 23:59:60 GMT", None, id="RA17-beyond-all-years"),
        pytest.param("Sun, 06 Nov 1994 08:49:61 GMT", None, id="second-61"),
        pytest.param("Sun, 06 Nov 1994 24:00:00 GMT", None, id="hour-24"),
        pytest.param("Sun, 30 Feb 2026 08:49:37 GMT", None, id="30-February"),
        pytest.param("Sun, 06 Nov 0000 08:49:37 GMT", None, id="year-0"),
        pytest.param("sun, 06 nov 1994 08:49:37 gmt", None, id="lower-case"),
        pytest.param("Sun, 6 Nov 1994 08:49:37 GMT", None, id="one-digit-day"),
        pytest.param("Sun, 06 Nov 94 08:49:37 GMT", None, id="two-digit-year"),
        pytest.param("Xyz, 06 Nov 1994 08:49:37 GMT", None, id="no-weekday"),
        pytest.param("Sun, \u06606 Nov 1994 08:49:37 GMT", None, id="other-digits"),
        pytest.param("Sun, 06 Nov 1994 08:49:37 GMT\n", None, id="line-end"),
    ],
)
def test_dates_of_http(text: str, expected: datetime | None) -> None:
    """Three forms, one zone, ASCII digits, and the RFC's own rule for two-digit years."""
    assert expected == parse_http_date(text, now=NOW)


def test_two_digit_years_count_from_now() -> None:
    """In 2099, 05 lies six years ahead."""
    late = datetime(2099, 6, 1, tzinfo=UTC)

    assert datetime(2105, 1, 1, tzinfo=UTC) == parse_http_date("Thursday, 01-Jan-05 00:00:00 GMT", now=late)


def test_the_time_of_day_may_be_in_any_zone() -> None:
    """`now` is a moment, whichever zone it is written in."""
    elsewhere = NOW.astimezone(timezone(timedelta(hours=13)))

    assert parse_http_date("Monday, 23-Nov-76 12:00:00 GMT", now=elsewhere) == datetime(2076, 11, 23, 12, tzinfo=UTC)


@given(st.integers(-30_000_000_000, 250_000_000_000).map(lambda seconds: NOW + timedelta(seconds=seconds)))
def test_what_is_printed_is_read_back(at: datetime) -> None:
    """IMF-fixdate and asctime say the whole year."""
    assert at == parse_http_date(at.strftime(IMF), now=NOW)
    assert at == parse_http_date(f"{at:%a} {at:%b} {at.day:2} {at:%H:%M:%S %Y}", now=NOW)


@given(st.text(max_size=60))
def test_no_text_raises(text: str) -> None:
    """Any text is a wait, or none and a note."""
    found = said(text)

    assert (found.seconds is None) is (found.notes == MALFORMED.notes)


@pytest.mark.parametrize("piece", ["Sun, ", "0", " ", "Sunday, 06-Nov-"])
def test_hostile_headers_take_no_time(piece: str) -> None:
    """RA18: 100 kB of anything."""
    before = time.perf_counter()

    assert MALFORMED == said((piece * 100_000)[:100_000])

    assert time.perf_counter() - before < 0.5
