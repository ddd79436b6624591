"""A throttle reaches the caller at once, with the wait and the limits in one form; who wants to wait says so."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connproof.clock import FixedClock
from connproof.errors import ProviderBusy, ProviderDown
from connproof.events import LimitsSeen
from connproof.model import Connector, Headers, Response
from connproof.places import JsonValue
from connproof.run import Call
from scripted import Provider, answer, connector, engine, items, scripted
from scripted import read as scripted_read

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DATE = ("date", "Mon, 23 Nov 2026 12:10:00 GMT")  # ten minutes ahead of our clock
PAGED: dict[str, Any] = {"type": "page", "page_param": "page"}

WORDS: dict[str, Any] = {
    "throttled": [
        {"when": {"status": 403, "header": {"x-left": "0"}}, "wait": [{"header": "x-reset", "unit": "epoch_s"}]},
        {
            "when": {"body": {"policyName": {"present": True}}},
            "wait": [{"body": "policyName", "values": {"DAILY": 86400, "SECONDLY": 1}}],
        },
    ],
    "budgets": [
        {
            "name": "hour",
            "limit": {"header": "x-limit", "unit": "count"},
            "remaining": {"header": "x-left", "unit": "count"},
            "reset": {"header": "x-reset", "unit": "epoch_s"},
        }
    ],
}


def limits(*, left: int) -> Headers:
    """What this provider sends with each answer: an hour's quota that is restored 90 seconds after its own Date."""
    reset = int((NOW + timedelta(minutes=10, seconds=90)).timestamp())
    return (("x-limit", "100"), ("x-left", str(left)), ("x-reset", str(reset)), DATE)


def read(config: Connector, provider: Provider, call: Call, clock: FixedClock | None = None) -> list[JsonValue]:
    """All records of the listing, and after a throttle those before it."""

    async def whole() -> list[JsonValue]:
        return [one async for one in engine(config, provider, clock=clock or FixedClock(NOW)).read("rows", call=call)]

    return asyncio.run(whole())


def busy(response: Response, **words: Any) -> ProviderBusy:
    """The throttle that a read ends in."""
    provider = scripted(response)
    with pytest.raises(ProviderBusy) as caught:
        read(connector(**words), provider, Call())
    assert 1 == len(provider.requests)
    return caught.value


def test_R5_a_throttle_is_raised_at_once_with_its_wait() -> None:
    """However long the wait is: it is the caller's to decide."""
    error = busy(Response(429, (("retry-after", "66975"),)))

    assert 66975 == error.seconds
    assert (("retry-after", "66975"),) == error.headers
    assert (("retry-after", "66975"),) == error.limits
    assert error.resume is not None


def test_R3_a_declared_unit_is_seconds_from_now_for_the_caller() -> None:
    """An epoch by the provider's own clock, which is ten minutes ahead of ours."""
    error = busy(answer({}, *limits(left=0), status=403), rate_limit=WORDS)

    assert 90 == error.seconds
    assert {
        "retry-after": "90",
        "ratelimit-limit": "100",
        "ratelimit-remaining": "0",
        "ratelimit-reset": "90",
    }.items() <= dict(error.limits).items()


@pytest.mark.parametrize(("policy", "seconds"), [("DAILY", 86400), ("SECONDLY", 1), ("OTHER", None)])
def test_R6_a_policys_name_says_the_wait(policy: str, seconds: int | None) -> None:
    """A name that is not declared says none."""
    assert seconds == busy(answer({"policyName": policy}, status=429), rate_limit=WORDS).seconds


def test_R7_what_is_left_is_told_with_every_answer() -> None:
    """So that a caller may pace itself before it is throttled."""
    provider = scripted(answer({"items": [{"id": 1}]}, *limits(left=7)))
    read(connector(rate_limit=WORDS), provider, Call())

    (seen,) = [event for event in provider.events if isinstance(event, LimitsSeen)]
    assert (("ratelimit-limit", "100"), ("ratelimit-remaining", "7"), ("ratelimit-reset", "90")) == seen.headers[:3]


def test_R10_a_concurrency_limit_is_a_throttle_with_its_own_words() -> None:
    """A 400 whose code says so; other 400s are not."""
    words = {
        "throttled": [
            {"when": {"status": 400, "body": {"code": "CONCURRENCY_LIMIT"}}, "wait": [{"fixed_s": 5}]},
        ]
    }

    assert 5 == busy(answer({"code": "CONCURRENCY_LIMIT"}, status=400), rate_limit=words).seconds


def test_the_rule_that_decides_says_the_wait() -> None:
    """One without a wait of its own leaves it to the connector's, whatever a later rule that holds too would say."""
    words = {"throttled": [{"when": {"status": 429}}, {"when": {"status": [403, 429]}, "wait": [{"fixed_s": 60}]}]}

    assert 120 == busy(Response(429, (("retry-after", "120"),)), rate_limit=words).seconds


def test_R13_a_503_says_when_to_come_back() -> None:
    """It is a fault and no throttle; its Retry-After is the caller's to follow."""
    with pytest.raises(ProviderDown) as caught:
        read(connector(), scripted(Response(503, (("retry-after", "9"),))), Call())

    assert (9, (("retry-after", "9"),)) == (caught.value.seconds, caught.value.limits)


WAITING = Call(on_throttle="wait", max_wait_s=100)


def test_who_wants_to_wait_waits_and_loses_nothing() -> None:
    """The same request is made again after the provider's own wait, on the engine's clock."""
    clock = FixedClock(NOW)
    provider = scripted(items(1, 2), Response(429, (("retry-after", "30"),)), items(3), items())

    assert [{"id": 1}, {"id": 2}, {"id": 3}] == read(connector(PAGED), provider, WAITING, clock)
    assert 30 == clock.monotonic()
    assert provider.asked[1] == provider.asked[2]


@pytest.mark.parametrize(
    ("waits", "spent"),
    [
        pytest.param(["101"], 0, id="one that is longer than all patience"),
        pytest.param(["60", "41"], 60, id="two that are, together"),
        pytest.param([None], 0, id="one without a wait"),
        pytest.param(["0"] * 101, 0, id="a provider that says 0 for ever"),
    ],
)
def test_patience_has_an_end(waits: list[str | None], spent: int) -> None:
    """Then the throttle is raised, with its resume token; no wait is invented."""
    clock = FixedClock(NOW)
    provider = scripted(*(Response(429, () if wait is None else (("retry-after", wait),)) for wait in waits))
    with pytest.raises(ProviderBusy) as caught:
        read(connector(PAGED), provider, WAITING, clock)

    assert spent == clock.monotonic()
    assert caught.value.resume is not None


def test_a_resumed_read_loses_and_repeats_nothing() -> None:
    """Broken off by a throttle at every page in turn, the parts make the whole."""
    pages = [items(1, 2), items(3), items(4, 5), items()]
    whole = read(connector(PAGED), scripted(*pages), Call())
    for at in range(len(pages)):
        got: list[JsonValue] = []
        with pytest.raises(ProviderBusy) as caught:
            scripted_read(connector(PAGED), scripted(*pages[:at], Response(429)), into=got)
        scripted_read(connector(PAGED), scripted(*pages[at:]), Call(resume=caught.value.resume), into=got)

        assert whole == got
