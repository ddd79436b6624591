"""Fault table, time: clocks that jump, short lifetimes, trouble that lasts, herds of accounts, long silence."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from token_stage import (
    ACCOUNT,
    ENDED,
    LIFETIME,
    MORE,
    Process,
    Stage,
    Stores,
    config,
    empty_store,
    numbers,
    on_stores,
    row_of,
    run,
)

from connproof.errors import Reauthorise, RefreshPending
from connproof.model import Account, Request, Response, Secret, TokenPair
from connproof.places import JsonValue
from connproof.stores import MemoryTokens
from connproof.stores.token_memory import _Kept
from connproof.tokens import Timing, Tokens
from pytest_connproof.provider import ANSWERS
from scripted import answer
from virtual_time import VirtualClock
from virtual_time import run as run_leaping

HOUR, DAY = 3600.0, 86_400.0


store = empty_store("sqlite", "postgres")


JUMPS = [(0.0, 0), *((jump, at) for jump in (HOUR, -HOUR, 1.0, -1.0) for at in (600, 3400))]
JUMPED = [("sqlite", *one) for one in JUMPS] + [("postgres", HOUR, 600), ("postgres", -HOUR, 3400)]


@pytest.mark.parametrize(("store", "jump", "at"), JUMPED, indirect=["store"])
def test_F20_a_clock_that_jumps_costs_one_refresh_at_most(store: Stores, jump: float, at: float) -> None:
    """The machine's and the store's, for good: every read is served, and nothing loops or is never refreshed."""

    async def main() -> int:
        stage = await Stage(store).connected(LIFETIME)
        a = Process(stage, "A", same_clock=True)
        while stage.time < 4 * HOUR:
            if at <= stage.time < at + 100:
                stage.clock.ahead = jump
            assert 1 == await a.reads()
            await asyncio.sleep(100)
        await a.settled()
        assert {"granted"} == set(stage.outcomes)
        assert "ok" == (await stage.row()).state
        return len(stage.presented)

    assert run(main) in ({3, 4, 5} if jump else {4})


def test_F20_a_dead_holders_lease_does_not_last_an_hour(store: Stores) -> None:
    """It died just before the clock was set back: its lease lies far ahead, but it does not move, and is taken over."""

    async def main() -> None:
        stage = await Stage(store).connected(ENDED)
        a, b = (Process(stage, name, same_clock=True) for name in "AB")
        a.dies_at("send")
        a.asks()
        await asyncio.sleep(1)
        began, stage.clock.ahead = stage.time, -HOUR

        assert 1 == await b.reads()  # by that clock the token lives; the API knows better

        assert [(0, "granted")] == stage.presented
        assert Timing().lease_s <= stage.time - began < 2 * Timing().lease_s
        assert 2 == (await stage.row()).generation

    run(main)


def test_F29_a_short_lifetime_makes_no_storm(store: Stores) -> None:
    """Twenty seconds, for ten minutes, used every second: the margin is a share of it."""

    async def main() -> None:
        stage = await Stage(store, lifetime_s=20).connected(20)
        a = Process(stage, "A")
        for _ in range(600):
            assert 1 == await a.reads()
            await asyncio.sleep(1)
        await a.settled()

        assert 600 / 20 <= len(stage.presented) <= 600 / 15
        assert {"granted"} == set(stage.outcomes)
        assert all(later - sooner >= 15 for sooner, later in zip(stage.times, stage.times[1:], strict=False))
        assert all(one.alive for one in stage.server.served)

    run(main)


@pytest.mark.parametrize("name", ["lifetime below the margin"])
def test_F29_the_margin_of_a_short_answer_is_its_own(store: Stores, name: str) -> None:
    """One answer of twenty seconds among long ones: it is not due at once."""

    async def main() -> None:
        stage = await Stage(store).connected(MORE)
        a = Process(stage, "A")
        stage.server.plan(name)
        await a.access()
        await a.settled()
        for _ in range(15):
            await a.access()
            await asyncio.sleep(1)

        assert (1, 20.0) == (len(stage.presented), (await stage.row()).lifetime_s)

    run(main)


@pytest.mark.parametrize("jitter", [0.0, 0.5, 0.999])
def test_F38_ten_failures_are_ten_longer_pauses(store: Stores, jitter: float) -> None:
    """Each pause is a share of twice the one before, up to a quarter of an hour; a success begins anew."""

    async def main() -> None:
        stage = await Stage(store).connected(ENDED)
        a = Process(stage, "A", jitter=lambda: jitter)
        stage.server.plan("500", times=10)

        assert 2 == (await a.patient()).generation

        assert [*["put off"] * 10, "granted"] == stage.outcomes
        pauses = [later - sooner for sooner, later in zip(stage.times, stage.times[1:], strict=False)]
        for number, pause in enumerate(pauses):
            least = max(Timing().poll_s, min(900.0, 2.0 * 2**number) * jitter)
            assert least - 0.001 <= pause <= least + 1.5
        row = await stage.row()
        assert ("ok", "", 0, 0.0, False) == (row.state, row.reason, row.fail_count, row.not_before, row.has_open_intent)

    run(main)


@on_stores("name, declared", [name for name, one in ANSWERS.items() if "F38" in one.rows], ["none", 600])
def test_F38_every_failure_of_the_provider_leaves_the_outcome_open(store: Stores, name: str, declared: Any) -> None:
    """The old token is served meanwhile, and the next try brings the new one."""

    async def main() -> None:
        stage = await Stage(store, declared).connected(250)
        a = Process(stage, "A", timing=Timing(margin_s=900))
        stage.server.plan(name)
        assert 1 == (await a.access()).generation
        await a.settled()
        row = await stage.row()
        assert ("ambiguous", "provider_failed", True) == (row.state, row.reason, row.has_open_intent)
        while len(stage.presented) == 1:
            assert 1 == (await a.access()).generation
            await asyncio.sleep(1)
        await a.settled()

        assert stage.times[1] - stage.times[0] >= (120 if name == "503, seconds" else 1)
        assert "ok" == (await stage.row()).state
        assert 2 == (await a.access()).generation

    run(main)


@pytest.mark.parametrize(
    ("declared", "trouble"), [("none", "500"), (600, "500"), ("strict", "500"), ("strict", "no answer")]
)
def test_F39_a_week_of_trouble_revokes_nothing(declared: Any, trouble: str) -> None:
    """It stays transient however long; after it the account goes on, and nobody had to consent."""

    async def main() -> None:
        stage = await Stage(MemoryTokens, declared, judged=False).connected(MORE)  # a long history takes long to judge
        a = Process(stage, "A")
        if trouble == "500":
            stage.server.plan(trouble, times=None)
        a.is_cut_off = trouble == "no answer"
        began, states = stage.time, set()
        while stage.time < began + 7 * DAY:
            try:
                assert 1 == (await a.access()).generation
                await asyncio.sleep(60)
            except RefreshPending as pending:
                await asyncio.sleep(pending.seconds or 1)
            states.add((await stage.row()).state)
        assert states <= {"ok", "ambiguous"}
        assert 7 * DAY / 900 <= len(stage.presented) <= 7 * DAY / 400
        stage.server.ordinary()
        a.is_cut_off = False

        assert 2 == (await a.patient()).generation
        assert ["granted"] == [one for one in stage.outcomes if one not in {"put off", "unseen"}]
        assert ("ok", "") == ((await stage.row()).state, (await stage.row()).reason)

    run(main)


def test_F46_ten_thousand_accounts_are_not_due_at_once() -> None:
    """They were connected together; their margins spread them over minutes, always the same way."""
    timing = Timing()
    due = Counter(math.floor(LIFETIME - timing.margin(f"sample/{number}", LIFETIME)) for number in range(10_000))

    assert timing.margin_s / 2 - 1 <= max(due) - min(due) <= timing.margin_s / 2 + 1
    assert max(due.values()) < 150  # on average 67


def test_F46_ten_thousand_accounts_that_ended_at_once_are_all_served() -> None:
    """No more exchanges at a time than the bound; each account is refreshed once, and none starves."""
    many = 10_000
    accounts = [Account(f"a{number}", {"client_id": "c", "client_secret": "s"}) for number in range(many)]

    async def main() -> None:
        clock = VirtualClock()
        memory = MemoryTokens(clock)
        presented: Counter[str] = Counter()
        under_way: list[int] = [0, 0]

        async def send(request: Request) -> Response:
            token = (request.body or b"").decode().partition("refresh_token=RT")[2].partition("&")[0]
            presented[token] += 1
            under_way[0] += 1
            under_way[1] = max(under_way)
            await clock.sleep(0.04)
            under_way[0] -= 1
            granted: dict[str, JsonValue] = {
                "access_token": f"AT{token}.1",
                "refresh_token": f"RT{token}.1",
                "expires_in": LIFETIME,
            }
            return answer(granted)

        ended = (await memory.now()) - 1
        first = await memory.connect("first", TokenPair(Secret("AT"), Secret("RT"), ended, lifetime_s=LIFETIME))
        for number, account in enumerate(accounts):
            # To connect them compares each with all others, which takes a minute.
            row = replace(first, account=row_of(account), refresh=Secret(f"RT{number}"), refresh_mark="")
            memory._kept[row.account] = _Kept(row)
        tokens = Tokens(memory, config(), send, clock=clock, owner="A", jitter=lambda: 0.5)

        asked = await asyncio.gather(*[tokens.access(account) for account in accounts])

        assert {2} == {held.generation for held in asked}
        assert ({1}, many) == (set(presented.values()), len(presented))
        assert Timing().at_once == under_way[1]

    run_leaping(main)


def test_F47_an_account_that_hangs_delays_no_other(store: Stores) -> None:
    """All but one of the places are taken by exchanges that have no answer: the next account is served at once."""
    many = tuple(Account(f"a{number}", ACCOUNT.credentials) for number in range(Timing().at_once))

    async def main() -> None:
        stage = await Stage(store, accounts=many).connected(ENDED)
        a = Process(stage, "A")
        *hanging, free = many
        for _ in hanging:
            stage.provider.plan("late")
        waiting = [a.asks(account) for account in hanging]
        await asyncio.sleep(1)
        assert len(hanging) == a.wire.parked
        began = stage.time

        assert (2, began) == ((await a.access(free)).generation, stage.time)

        for one in waiting:
            with pytest.raises(RefreshPending):
                await one
        for _ in hanging:
            a.wire.release()
        await a.settled()
        assert {2} == {(await a.access(account)).generation for account in many}

    run(main)


IDLE: dict[str, JsonValue] = {"response": {"refresh_expires_in": "refresh_token_expires_in"}}


def test_F48_a_refresh_token_that_lay_unused_is_told_apart(store: Stores) -> None:
    """Its end was declared: the reason is that, and not that somebody revoked it."""

    async def main() -> None:
        stage = await Stage(store, token=IDLE, idle_s=30 * DAY).connected(MORE)
        a = Process(stage, "A")
        await asyncio.sleep(31 * DAY)

        said = await a.refused(Reauthorise)

        assert ("expired_idle", ["expired"]) == (said.reason, stage.outcomes)
        row = await stage.row()
        assert ((1, 0, 0), "needs_reauth", "expired_idle") == (numbers(row), row.state, row.reason)
        await a.refused(Reauthorise)
        assert 1 == len(stage.presented)

    run(main)


def test_F48_a_refresh_token_that_is_used_does_not_end(store: Stores) -> None:
    """Each refresh brings its end anew, and the row knows it: 29 days, again and again."""

    async def main() -> None:
        stage = await Stage(store, token=IDLE, idle_s=30 * DAY).connected(MORE)
        a = Process(stage, "A")
        for generation in range(2, 8):
            await asyncio.sleep(29 * DAY)
            assert generation == (await a.access()).generation
            assert stage.now + 30 * DAY == (await stage.row()).refresh_expires_at

        assert {"granted"} == set(stage.outcomes)

    run(main)
