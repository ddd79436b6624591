"""Fault table, accounts and clients: consent given anew, accounts removed or shared, other keys, a wrong rotation."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from token_stage import ACCOUNT, ENDED, KEY, MORE, ROW, Process, Stage, Stores, config, empty_store, run, stores

from connproof.errors import CallWrong, SharedGrant, StoreFailed
from connproof.stores import DatabaseTokens, MemoryTokens, Sealing
from connproof.tokens import Tokens
from pytest_connproof.provider import AuthorizationServer
from pytest_connproof.schedule import Explored, Faults, Play, Scenario, World, explore

OTHER_KEY = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="


store = empty_store("sqlite", "postgres")


@pytest.mark.parametrize("left", [MORE, ENDED])
def test_F43_a_consent_during_a_refresh_wins(store: Stores, left: float) -> None:
    """The late result belongs to the grant before: it is dropped, and never comes back, as a candidate neither."""

    async def main() -> None:
        stage = await Stage(store).connected(left)
        a = Process(stage, "A")
        stage.provider.plan("late")
        asked = a.asks()
        await asyncio.sleep(1)
        granted = await stage.store.connect(ROW, stage.server.consent(stage.now))
        a.wire.release()
        await a.settled()

        assert granted == await stage.row()
        assert "acme.2.AT_0" == (await a.access()).access.reveal()
        expected = (1, "acme.1.AT_0") if left == MORE else (2, "acme.2.AT_0")
        assert expected == ((await asked).generation, (await asked).access.reveal())
        assert 1 == await a.reads()
        assert ["granted"] == stage.outcomes

    run(main)


@pytest.mark.parametrize("declared", ["none", 60, "strict"])
def test_F43_a_refusal_of_the_older_grant_marks_nobody(store: Stores, declared: Any) -> None:
    """The request arrives after the consent: what it presents is dead, and that says nothing of the new grant."""

    async def main() -> None:
        stage = await Stage(store, declared).connected(ENDED)
        a = Process(stage, "A")
        a.gate.clear()
        asked = a.asks()
        await asyncio.sleep(1)
        granted = await stage.store.connect(ROW, stage.server.consent(stage.now))
        a.gate.set()

        assert "acme.2.AT_0" == (await asked).access.reveal()
        assert ["dead"] == stage.outcomes
        await a.settled()
        assert granted == await stage.row()

    run(main)


@pytest.mark.parametrize("step", ["sent", "parsed", "keep", "kept"])
def test_F44_a_removed_account_does_not_come_back(store: Stores, step: str) -> None:
    """Whatever the step at which it was removed: no row appears, and the caller is told that there is none."""

    async def main() -> None:
        stage = await Stage(store).connected(ENDED)
        a = Process(stage, "A")
        halt = a.halts_at(step)
        asked = a.asks()
        await halt.reached.wait()
        assert await stage.store.remove(ROW) is not None
        halt.released.set()
        await a.settled()

        assert await stage.store.read(ROW) is None
        assert [] == await stage.store.accounts()
        if step == "kept":  # it was stored, and the caller was there before the owner left
            assert "acme.1.AT_1" == (await asked).access.reveal()
        else:
            with pytest.raises(CallWrong, match="not connected"):
                await asked
        with pytest.raises(CallWrong, match="not connected"):
            await Process(stage, "B").access()
        assert ["granted"] == stage.outcomes

    run(main)


def test_F45_one_grant_is_one_account(store: Stores) -> None:
    """A second row with the same refresh token is refused when it is connected, also after a refresh."""

    async def main() -> None:
        stage = await Stage(store).connected(MORE)
        pair = stage.server.consent(stage.now)
        await stage.store.connect(ROW, pair)
        with pytest.raises(SharedGrant):
            await stage.real.connect("sample/twin", pair)
        await asyncio.sleep(stage.lifetime)
        await Process(stage, "A").access()
        with pytest.raises(SharedGrant):
            await stage.real.connect("sample/twin", pair)

        assert await stage.real.read("sample/twin") is None
        assert [(0, "granted")] == stage.presented

    run(main)


def test_F50_a_row_that_no_key_opens_is_left_as_it_is(tmp_path: Path) -> None:
    """Another key is not the owner's fault: no request, no write, no consent; with the right key it goes on."""

    def bytes_of() -> list[Any]:
        with closing(sqlite3.connect(tmp_path / "0.db")) as connection:
            return connection.execute("SELECT * FROM connproof_tokens").fetchall()

    async def main() -> None:
        with stores("sqlite", tmp_path) as make:
            stage = await Stage(make, judged=False).connected(ENDED)  # the store is exchanged
            right, before = stage.store, bytes_of()
            with closing(DatabaseTokens(f"sqlite:///{tmp_path}/0.db", Sealing([OTHER_KEY]), stage.clock)) as other:
                stage.store = other
                a = Process(stage, "A")
                row = await stage.row()
                assert ("blocked_config", "unreadable", None, None) == (row.state, row.reason, row.access, row.refresh)
                for _ in range(3):
                    failed = await a.refused(StoreFailed)
                    assert KEY not in str(failed)
                    await asyncio.sleep(1000)
                assert ([], before) == (stage.presented, bytes_of())
            with closing(
                DatabaseTokens(f"sqlite:///{tmp_path}/0.db", Sealing([OTHER_KEY, KEY]), stage.clock)
            ) as rotated:
                stage.store = rotated
                assert 2 == (await Process(stage, "B").access()).generation
            stage.store = right
            assert "unreadable" == (await stage.row()).reason  # the newest key has sealed it

            assert [(0, "granted")] == stage.presented

    run(main)


def declared_and_done(declared: Any) -> Explored:
    """Two reads with a lost answer between them, in every order, at a provider that is strict whatever is declared."""

    def make(world: World) -> Play:
        connector = config(declared)
        server = AuthorizationServer(connector, ACCOUNT, rotation="strict", lifetime_s=3600)
        memory = MemoryTokens(world.clock())
        pair = server.consent(world.now - 3500)
        connect = memory.connect(ROW, pair)
        with pytest.raises(StopIteration):
            connect.send(None)
        transport = world.transport(server)
        clock = world.clock()

        async def work() -> None:
            tokens = Tokens(memory, connector, transport.send, owner="A", clock=clock, jitter=lambda: 0.5)
            for _ in range(2):
                await tokens.access(ACCOUNT)
                await tokens.drained()
                await clock.sleep(10)

        def judge() -> Sequence[str]:
            return [] if server.families[-1] else ["a replay has ended the grant, while its access token lived"]

        return Play({"A": work()}, judge)

    return explore(Scenario(make, Faults(slow=0, lost_answers=1)))


@pytest.mark.parametrize("declared", ["none", 600])
def test_F51_a_rotation_that_is_declared_wrong_is_found(declared: Any) -> None:
    """Declared harmless, a replay is made; at a strict provider it ends the grant, and the schedule says how."""
    failure = declared_and_done(declared).failure

    assert failure is not None
    assert ("a replay has ended the grant, while its access token lived",) == failure.broken
    assert any("lost" in line.words for line in failure.lines)


def test_F51_declared_as_it_is_the_same_fault_harms_nothing() -> None:
    """No order of events makes a replay before the access token's end."""
    explored = declared_and_done("strict")

    assert (None, True) == (explored.failure, explored.complete)
    assert explored.reached["lost_answers"] > 0
