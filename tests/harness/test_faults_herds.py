"""Fault table, herds and processes: many want one token at once, sleep with it in their hands, or die over it."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from token_stage import (
    ACCOUNT,
    ENDED,
    KEY,
    LIFETIME,
    ROW,
    Process,
    Stage,
    Stores,
    config,
    empty_store,
    numbers,
    run,
    stores,
)

from connproof.clock import SystemClock
from connproof.errors import RefreshPending
from connproof.model import Account, Secret, TokenPair
from connproof.stores import DatabaseTokens, Sealing
from connproof.tokens import Timing, Tokens
from postgres import empty_database
from pytest_connproof.provider import AuthorizationServer, InProcess, Resource, SimulatedProvider

LEASE = Timing().lease_s
POLL = Timing().poll_s


store = empty_store("sqlite", "postgres")


@pytest.mark.parametrize(("processes", "callers"), [(1, 50), (10, 5)])
def test_F01_a_herd_that_finds_the_token_ended_refreshes_once(store: Stores, processes: int, callers: int) -> None:
    """Fifty callers, in one process or in ten: one presentation, and one generation for all."""

    async def main() -> None:
        stage = await Stage(store).connected(ENDED)
        herd = [Process(stage, f"P{number}") for number in range(processes)]

        held = await asyncio.gather(*[process.asks() for process in herd for _ in range(callers)])

        assert [(0, "granted")] == stage.presented
        assert {2} == {one.generation for one in held}
        assert {"acme.1.AT_1"} == {one.access.reveal() for one in held}
        assert (2, 1, 1) == numbers(await stage.row())

    run(main)


def test_F01_a_herd_with_a_token_that_is_about_to_end_does_not_wait(store: Stores) -> None:
    """One goes on to refresh; nobody waits for it, and the old token is good until the new one is there."""

    async def main() -> None:
        stage = await Stage(store).connected(100)
        a = Process(stage, "A")
        stage.provider.plan("late")
        began = stage.time

        held = await asyncio.gather(*[a.asks() for _ in range(50)])
        assert (began, {1}) == (stage.time, {one.generation for one in held})

        a.wire.release()
        await a.settled()
        assert [(0, "granted")] == stage.presented
        assert 2 == (await a.access()).generation

    run(main)


def test_F03_machines_with_wrong_clocks_refresh_once(postgres_url: str) -> None:
    """Five minutes ahead, right, five minutes behind: who may refresh is judged by the database's clock alone."""
    connector = config()
    real = SystemClock()

    class Skewed(SystemClock):
        def __init__(self, seconds: float) -> None:
            self._ahead = timedelta(seconds=seconds)

        def now(self) -> datetime:
            return datetime.now(UTC) + self._ahead

    async def main(databases: list[DatabaseTokens]) -> None:
        server = AuthorizationServer(connector, ACCOUNT, rotation="strict", lifetime_s=LIFETIME)
        api = Resource(connector, connector.resources["rows"].operations["list"])
        pair = server.consent(real.now().timestamp() - LIFETIME - 1)
        provider = SimulatedProvider(server, api)
        provider.plan("late")
        await databases[0].connect(ROW, pair)
        wires, workers = [], []
        for number, database in enumerate(databases):
            clock = Skewed(300.0 * (number - 1))
            wires.append(InProcess(provider, lambda: real.now().timestamp(), who=str(number)))
            workers.append(
                Tokens(
                    database,
                    connector,
                    wires[-1].send,
                    clock=clock,
                    owner=str(number),
                    timing=Timing(poll_s=0.01, caller_s=60),
                )
            )

        asked = [asyncio.ensure_future(worker.access(ACCOUNT)) for worker in workers]
        while not any(wire.parked for wire in wires):  # noqa: ASYNC110  # the wire of the harness tells nobody
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.2)  # in which the others look many times, and one of them thinks the lease has long ended
        next(wire for wire in wires if wire.parked).release()
        held = await asyncio.gather(*asked)

        assert ["granted"] == [one.outcome for one in server.presentations]
        assert [(2, "acme.1.AT_1")] * 3 == [(one.generation, one.access.reveal()) for one in held]
        row = await databases[0].read(ROW)
        assert row is not None and row.expires_at is not None
        assert LIFETIME == pytest.approx(row.expires_at - await databases[0].now(), abs=5)

    url = empty_database(postgres_url)
    clocks = [Skewed(300.0 * (number - 1)) for number in range(3)]
    with (
        closing(DatabaseTokens(url, Sealing([KEY]), clocks[0])) as first,
        closing(DatabaseTokens(url, Sealing([KEY]), clocks[1])) as second,
        closing(DatabaseTokens(url, Sealing([KEY]), clocks[2])) as third,
    ):
        first.create()
        asyncio.run(main([first, second, third]))


@pytest.mark.parametrize("declared", ["none", 60, "strict"])
@pytest.mark.parametrize("step", ["claimed", "send"])
def test_F04_who_dies_before_it_sends_keeps_the_account_for_one_lease(store: Stores, declared: Any, step: str) -> None:
    """The next holder comes after the lease, and the refresh token is presented once."""

    async def main() -> None:
        stage = await Stage(store, declared).connected(ENDED)
        a, b = Process(stage, "A"), Process(stage, "B")
        began = stage.time
        a.dies_at(step)
        a.asks()

        assert 2 == (await b.access()).generation

        assert [(0, "granted")] == stage.presented
        assert LEASE < stage.times[0] - began < LEASE + 3 * POLL
        assert "ok" == (await stage.row()).state

    run(main)


def test_F04_while_the_token_lives_a_strict_provider_is_not_asked_again(store: Stores) -> None:
    """Nobody knows that nothing was sent: the old token is served, and its refresh token is presented at its end."""

    async def main() -> None:
        stage = await Stage(store, "strict").connected(100)
        a, b = Process(stage, "A"), Process(stage, "B")
        ends = stage.time + 100
        a.dies_at("send")
        a.asks()

        while stage.time < ends - 5:
            assert 1 == (await b.access()).generation
            await asyncio.sleep(3)
        assert [] == stage.presented
        await asyncio.sleep(ends - stage.time)

        assert 2 == (await b.access()).generation
        assert [(0, "granted")] == stage.presented

    run(main)


def test_F12_who_slept_past_its_lease_may_still_store(store: Stores) -> None:
    """Nobody refreshed meanwhile: the late successor is the only one there is."""

    async def main() -> None:
        stage = await Stage(store).connected(100)
        a, b = Process(stage, "A"), Process(stage, "B")
        halt = a.halts_at("sent")
        a.asks()
        await halt.reached.wait()
        await asyncio.sleep(5 * LEASE)
        assert 1 == (await b.access()).generation
        assert (await stage.row()).lease_until < stage.now

        halt.released.set()
        await a.settled()

        assert [(0, "granted")] == stage.presented
        row = await stage.row()
        assert ((2, 1, 1), "ok", ()) == (numbers(row), row.state, row.candidates)

    run(main)


def test_F12_a_late_holder_saves_an_account_that_another_has_claimed(store: Stores) -> None:
    """The lease is another's by then, whose request is on its way; the generation is the same, and that counts."""

    async def main() -> None:
        stage = await Stage(store, 60).connected(ENDED)
        a, b = Process(stage, "A"), Process(stage, "B")
        halt = a.halts_at("sent")
        a.asks()
        await halt.reached.wait()
        b.gate.clear()
        waiting = b.asks()
        await asyncio.sleep(LEASE + 1)
        assert "B" == (await stage.row()).lease_owner

        halt.released.set()
        await a.settled()
        row = await stage.row()
        assert ((2, 1, 1), "B") == (numbers(row), row.lease_owner)

        b.gate.set()
        await b.settled()
        assert [(0, "granted"), (0, "replayed")] == stage.presented
        row = await stage.row()
        assert (2, 1, 1) == numbers(row)
        assert ["acme.1.RT_2"] == [one.refresh.reveal() for one in row.candidates]
        assert 2 == (await waiting).generation

    run(main)


def test_F13_a_late_successor_waits_as_a_candidate(store: Stores) -> None:
    """Another refreshed within the grace: what comes late overwrites nothing, and is not thrown away."""

    async def main() -> None:
        stage = await Stage(store, 60).connected(ENDED)
        a, b = Process(stage, "A"), Process(stage, "B")
        halt = a.halts_at("sent")
        late = a.asks()
        await halt.reached.wait()

        assert 2 == (await b.access()).generation
        assert [(0, "granted"), (0, "replayed")] == stage.presented
        halt.released.set()
        await a.settled()

        row = await stage.row()
        assert ((2, 2, 2), "ok") == (numbers(row), row.state)
        assert [(1, "acme.1.RT_1")] == [(one.generation, one.refresh.reveal()) for one in row.candidates]
        assert "acme.1.AT_2" == (await late).access.reveal()
        assert 2 == len(stage.presented)

    run(main)


def test_F14_an_expired_holder_frees_nothing_of_its_successor(store: Stores) -> None:
    """It stored, slept until the next refresh was another's, and then gave "its" lease back."""

    async def main() -> None:
        stage = await Stage(store).connected(ENDED)
        a, b, c = Process(stage, "A"), Process(stage, "B"), Process(stage, "C")
        halt = a.halts_at("release")
        a.asks()
        await halt.reached.wait()
        await asyncio.sleep(LIFETIME + 1)
        b.gate.clear()
        waiting = b.asks()
        await asyncio.sleep(1)
        before = await stage.row()
        assert "B" == before.lease_owner

        halt.released.set()
        await a.settled()
        assert before == await stage.row()
        await Process(stage, "D", timing=Timing(caller_s=1)).refused(RefreshPending)

        b.gate.set()
        assert {3} == {(await waiting).generation, (await c.access()).generation}
        assert [(0, "granted"), (1, "granted")] == stage.presented

    run(main)


def test_F18_nothing_else_can_conflict_with_a_refresh(tmp_path: Path) -> None:
    """While the request is on its way others write to the same file: no transaction is open, no row is shared."""

    async def main() -> None:
        with stores("sqlite", tmp_path) as make:
            stage = await Stage(make).connected(ENDED)
            a = Process(stage, "A")
            halt = a.halts_at("sent")
            asked = a.asks()
            await halt.reached.wait()

            # Who may not wait for a lock at all gets one, where there is none.
            with closing(sqlite3.connect(tmp_path / "0.db", timeout=0, isolation_level=None)) as other:
                other.execute("CREATE TABLE health (account TEXT, fails INTEGER)")
                other.execute("INSERT INTO health VALUES (?, 7)", (ROW,))
            await stage.real.connect("sample/other", TokenPair(Secret("x"), Secret("another one's")))
            await stage.store.block_client("another client", "quota")
            halt.released.set()

            assert 2 == (await asked).generation
            assert [(0, "granted")] == stage.presented
            assert (2, 1, 1) == numbers(await stage.row())
            assert 1 == len(await stage.real.accounts("sample/other"))

    run(main)


def test_F18_other_accounts_change_while_one_is_refreshed(store: Stores) -> None:
    """Connected, refreshed and removed, each in a row of its own."""
    others = (ACCOUNT, Account("bob", ACCOUNT.credentials))

    async def main() -> None:
        stage = await Stage(store, accounts=others).connected(ENDED)
        a, b = Process(stage, "A"), Process(stage, "B")
        halt = a.halts_at("sent")
        asked = a.asks()
        await halt.reached.wait()
        assert 2 == (await b.access(others[1])).generation
        await stage.store.remove("sample/bob")
        halt.released.set()

        assert 2 == (await asked).generation
        assert [(0, "granted")] == stage.presented

    run(main)
