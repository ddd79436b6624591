"""Each LIM check that is played passes with its throttles counted, and fails on an engine that is known to be bad."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from projects import CHECK, Project

from connproof import ratelimit
from connproof.errors import ProviderBusy
from connproof.model import Position
from connproof.outcome import Verdict, judged
from connproof.resume import resumed
from connproof.run import listing, sending
from pytest_connproof.checks import targets
from pytest_connproof.finding import Finding, Inconclusive

TARGET = "orders.list"
PAGING = "/resources/orders/list/pagination"
THROTTLED = "/rate_limit/throttled"
PLAYED = ("LIM-005", "LIM-006", "LIM-007", "LIM-008")


def _refuted(project: Project, check: str) -> str:
    with pytest.raises(Finding) as found:
        project.judge(check, TARGET)
    return str(found.value)


@pytest.mark.parametrize(
    ("check", "evidence"),
    [
        ("LIM-005", {"declared_throttle": 9, "too_many": 9, "unavailable": 9}),
        ("LIM-006", {"declared_throttle": 6, "too_many": 6, "unavailable": 6}),
        ("LIM-007", {"look_alike": 3, "polite": 6}),
        ("LIM-008", {"throttled": 9}),
    ],
)
def test_LIM_passes_with_its_throttles_counted(orders: Project, check: str, evidence: dict[str, int]) -> None:
    """A pass says how often each fault was played: each form at the first, the middle and the last request."""
    assert evidence == orders.judge(check, TARGET)


@pytest.mark.parametrize("check", PLAYED)
def test_LIM_passes_where_nothing_is_said_of_limits(deals: Project, check: str) -> None:
    """What HTTP says of 429, 503 and Retry-After is played without a word of the config."""
    assert sum(deals.judge(check, "deals.list").values()) > 0


@pytest.mark.parametrize("check", PLAYED)
def test_LIM_played_is_judged_on_every_listing_with_pages(orders: Project, check: str) -> None:
    """And on no other operation."""
    assert [TARGET] == [*targets(CHECK[check], orders.subject())]


# LIM-005


async def _again(self: Any, operation: Any, draft: Any, _patience: Any, **_: Any) -> Any:
    """A throttle is swallowed, and the request sent once more."""
    for _attempt in range(2):
        request = self.signed(draft)
        try:
            return self._read(operation, request, await self.send(request, draft.url), self._account)
        except ProviderBusy as busy:
            said = busy
    raise said


def test_LIM_005_fails_on_a_throttle_that_is_swallowed_and_retried(
    orders: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The conversation shows the request that nobody asked for."""
    monkeypatch.setattr(sending.Door, "answer", _again)

    told = _refuted(orders, "LIM-005")

    assert told.startswith(
        "orders.list: a throttle does not reach the caller as it is: what went wrong is passed over\n"
        "\n"
        "  1  -> GET /v2/orders\n"
        "     <- 403  no list\n"
        "  2  -> GET /v2/orders\n"
    )
    assert re.search(r"config +connectors/orders/connector.json:\d+   /rate_limit/throttled/0\n", told)
    assert "answers request 1 with a throttle that the config declares" in told


def _read_otherwise(monkeypatch: pytest.MonkeyPatch, name: str, change: Callable[[Any], Any]) -> None:
    """An engine that makes something else of what it read."""
    real = getattr(ratelimit._Reading, name)
    monkeypatch.setattr(ratelimit._Reading, name, lambda *args, **more: change(real(*args, **more)))


@pytest.mark.parametrize(
    ("name", "change", "said", "told"),
    [
        ("wait", lambda seconds: seconds and seconds - 1, "retry-after 37", "retry-after 36"),
        ("wait", lambda _: None, "retry-after 37", "nothing"),
        ("count", lambda number: number and number + 1, "ratelimit-limit 100", "ratelimit-limit 101"),
    ],
    ids=["a second too short", "no wait", "one more"],
)
def test_LIM_005_fails_on_limits_that_are_told_otherwise(
    orders: Project, monkeypatch: pytest.MonkeyPatch, *, name: str, change: Callable[[Any], Any], said: str, told: str
) -> None:
    """What was said, what was told, and where the config says how it is read."""
    _read_otherwise(monkeypatch, name, change)

    lines = _refuted(orders, "LIM-005").splitlines()

    assert lines[0].endswith("what was said of quotas is told otherwise")
    (wanted,) = [line for line in lines if line.startswith("  said ")]
    (got,) = [line for line in lines if line.startswith("  told ")]
    assert said in wanted
    assert told in got


def test_LIM_005_fails_on_a_moment_that_is_read_as_a_delay(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty-six years are no wait: the reset is missing."""
    monkeypatch.setattr(ratelimit._Reading, "_from_now", lambda _self, epoch: epoch)

    told = _refuted(orders, "LIM-005")

    assert "ratelimit-remaining 0, ratelimit-reset 51" in told
    assert 'ratelimit "minute";r=0\n' in told or 'ratelimit "minute";r=0,' in told


@pytest.mark.parametrize("minutes", [7, -7], ids=["the provider's clock is fast", "it is slow"])
def test_LIM_005_fails_on_moments_held_against_the_readers_clock(
    orders: Project, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    """The Date of the answer is minutes off: a moment less the reader's own time is wrong by as much."""
    monkeypatch.setattr("pytest_connproof.interrupted._SKEWS_S", (60.0 * minutes,) * 2)
    assert sum(orders.judge("LIM-005", TARGET).values()) > 0

    monkeypatch.setattr(ratelimit, "sent_at", lambda *_, **__: None)

    assert _refuted(orders, "LIM-005").splitlines()[0].endswith("what was said of quotas is told otherwise")


def test_LIM_005_fails_on_a_throttle_by_another_name(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever catches throttles misses it."""
    monkeypatch.setattr(sending, "judged", lambda *args, **more: _not(judged(*args, **more), "throttled", "forbidden"))

    assert (
        _refuted(orders, "LIM-005")
        .splitlines()[0]
        .endswith("it reaches the caller as AccessRefused, where ProviderBusy is due")
    )


def _not(verdict: Verdict, meaning: str, other: Any) -> Verdict:
    return Verdict(other, verdict.rule) if verdict.meaning == meaning else verdict


def test_LIM_005_fails_with_a_doubt_on_a_throttle_that_can_never_be(orders: Project) -> None:
    """A rule behind one that holds wherever it does decides on nothing."""
    (rule,) = orders.read("connector.json")["rate_limit"]["throttled"]
    orders.change("connector.json", THROTTLED, [rule, rule])

    with pytest.raises(Inconclusive, match="no throttle can be written from the condition of /rate_limit/throttled/1"):
        orders.judge("LIM-005", TARGET)


# LIM-006


def test_LIM_006_fails_on_a_read_that_is_begun_anew(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was given comes a second time."""
    monkeypatch.setattr(listing, "resumed", lambda *_: Position())

    told = _refuted(orders, "LIM-006")

    assert told.startswith("orders.list: a throttled read cannot be gone on with: records come twice\n")
    assert "     twice   r0000, r0001\n" in told


def test_LIM_006_fails_on_a_page_that_is_passed_over(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token leads behind the record that was never given."""
    orders.change("connector.json", PAGING, {"type": "offset", "offset_param": "start"})
    assert sum(orders.judge("LIM-006", TARGET).values()) > 0

    def further(text: str, digest: str) -> Position:
        at = resumed(text, digest)
        return replace(at, value=int(str(at.value)) + 1) if at.pages else at

    monkeypatch.setattr(listing, "resumed", further)

    assert "records are lost" in _refuted(orders, "LIM-006").splitlines()[0]


def test_LIM_006_fails_on_an_engine_without_tokens(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can go on."""
    monkeypatch.setattr(listing, "token", lambda *_: None)

    assert _refuted(orders, "LIM-006").splitlines()[0].endswith("its error has no resume token")


# LIM-007


def test_LIM_007_fails_on_an_engine_that_takes_every_403_for_a_throttle(
    orders: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may not read waits for ever."""
    monkeypatch.setattr(sending, "judged", lambda *args, **more: _not(judged(*args, **more), "forbidden", "throttled"))

    told = _refuted(orders, "LIM-007")

    assert told.startswith(
        "orders.list: what is no throttle is taken otherwise: "
        "it reaches the caller as ProviderBusy, where AccessRefused is due\n"
    )
    assert "(HTTP 403 without error.code)\n" in told


@pytest.mark.parametrize(
    "when",
    [{"header": {"retry-after": {"present": True}}}, {"header": {"x-quota-left": "0"}}],
    ids=["Retry-After", "nothing left"],
)
def test_LIM_007_fails_on_a_condition_that_a_success_meets(orders: Project, when: dict[str, Any]) -> None:
    """Some providers say with every answer how long to wait; and the last request of a quota is a good one."""
    orders.change("connector.json", THROTTLED, [{"when": when}])

    told = _refuted(orders, "LIM-007")

    assert "a success ends the read in ProviderBusy\n" in told
    assert "  fix        name a status in the condition" in told


def test_LIM_007_fails_on_quotas_that_are_told_otherwise_in_a_success(
    orders: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Callers slow down by what a good answer says."""
    monkeypatch.setattr(ratelimit, "sent_at", lambda *_, **__: None)

    assert _refuted(orders, "LIM-007").splitlines()[0].endswith("what was said of quotas is told otherwise")


# LIM-008


def test_LIM_008_fails_on_an_engine_that_keeps_a_throttle_for_all(
    orders: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One account's quota stops every other."""
    real, kept = sending.Door.answer, list[ProviderBusy]()

    async def answer(self: Any, *args: Any, **more: Any) -> Any:
        if kept:
            raise ProviderBusy("the provider is throttling")
        try:
            return await real(self, *args, **more)
        except ProviderBusy as busy:
            kept.append(busy)
            raise

    monkeypatch.setattr(sending.Door, "answer", answer)

    told = _refuted(orders, "LIM-008")

    assert told.startswith("orders.list: a throttle of one account ends another's read in ProviderBusy\n")
    assert "ended   in ProviderBusy: the provider is throttling\n" in told
    assert "of another account (HTTP 403, nothing of how long)\n" in told
    assert "api-key" not in told


def test_LIM_008_fails_on_an_engine_that_signs_for_another(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first account's key is sent with the requests of both."""
    first: list[Any] = []
    real = sending.Door.signed

    def signed(self: Any, draft: Any, **more: Any) -> Any:
        first.append(self._account)
        monkeypatch.setattr(self, "_account", first[0])
        return real(self, draft, **more)

    monkeypatch.setattr(sending.Door, "signed", signed)

    assert _refuted(orders, "LIM-008").splitlines()[0].endswith("is signed for by another")
