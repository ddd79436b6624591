"""Fault table, crashes and lost answers: what is lost is asked for again where the provider allows it, else said aloud.

Here a process dies between two steps of its refresh, in this process; real ones are killed in test_token_processes.py.
"""

from __future__ import annotations

import asyncio
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fault_store import EVERY, WRITES
from token_stage import ENDED, KEY, LIFETIME, Process, Stage, Stores, empty_store, numbers, run, stores

from connproof.errors import Reauthorise, RefreshPending, StoreFailed
from connproof.stores import DatabaseTokens, Sealing
from connproof.tokens import Timing

LEASE = Timing().lease_s
POLL = Timing().poll_s
LOST = "rotation_response_lost"


store = empty_store("sqlite", "postgres")


async def lost_aloud(stage: Stage, process: Process) -> None:
    """The account is lost, everybody is told why, and nobody presents anything any more."""
    said = await process.refused(Reauthorise)
    row = await stage.row()
    assert (LOST, "needs_reauth", LOST) == (said.reason, row.state, row.reason)
    presented = len(stage.presented)
    await asyncio.sleep(LIFETIME)
    await process.refused(Reauthorise)
    await Process(stage, "later").refused(Reauthorise)
    assert presented == len(stage.presented)


# F05: the request was sent, and lost before the provider acted.


@pytest.mark.parametrize("declared", ["none", 60, "strict"])
def test_F05_a_request_that_was_lost_with_its_sender_is_sent_again(store: Stores, declared: Any) -> None:
    """After the lease, as the access token has ended: nobody could know that the provider had not acted."""

    async def main() -> None:
        stage = await Stage(store, declared).connected(ENDED)
        a, b = Process(stage, "A"), Process(stage, "B")
        stage.provider.plan("no act, no answer")
        a.dies_unanswered = True
        a.asks()
        await asyncio.sleep(1)
        row = await stage.row()
        assert (True, 1, "A") == (row.has_open_intent, row.intent_count, row.lease_owner)

        assert 2 == (await b.access()).generation

        assert [(0, "unseen"), (0, "granted")] == stage.presented
        assert LEASE < stage.times[1] - stage.times[0] < LEASE + 3 * POLL
        row = await stage.row()
        assert ("ok", False) == (row.state, row.has_open_intent)

    run(main)


def test_F05_a_strict_provider_is_asked_again_at_the_end_of_the_token(store: Stores) -> None:
    """Until then the old token is served, and nobody waits."""

    async def main() -> None:
        stage = await Stage(store, "strict").connected(100)
        a, b = Process(stage, "A"), Process(stage, "B")
        stage.provider.plan("no act, no answer")
        a.dies_unanswered = True
        a.asks()
        ends = stage.time + 100
        while stage.time < ends - 1:
            began = stage.time
            assert (1, began) == ((await b.access()).generation, stage.time)
            await asyncio.sleep(7)
        assert ["unseen"] == stage.outcomes

        await asyncio.sleep(max(ends - stage.time, 0))
        assert 2 == (await b.access()).generation
        assert ["unseen", "granted"] == stage.outcomes
        assert "ok" == (await stage.row()).state

    run(main)


# F06: the provider acted, and whoever had its answer died.


@pytest.mark.parametrize("step", ["sent", "parsed", "keep"])
@pytest.mark.parametrize(("declared", "again"), [("none", "granted"), (60, "replayed")])
def test_F06_a_kind_provider_gives_the_lost_answer_again(store: Stores, declared: Any, again: str, step: str) -> None:
    """With no rotation, or within its grace: the next holder recovers by itself."""

    async def main() -> None:
        stage = await Stage(store, declared).connected(ENDED)
        a, b = Process(stage, "A"), Process(stage, "B")
        a.dies_at(step)
        a.asks()

        held = await b.access()

        assert [(0, "granted"), (0, again)] == stage.presented
        assert (2, "acme.1.AT_2") == (held.generation, held.access.reveal())
        row = await stage.row()
        assert ("ok", False) == (row.state, row.has_open_intent)
        assert 1 == await b.reads()

    run(main)


@pytest.mark.parametrize("step", ["sent", "parsed", "keep"])
def test_F06_the_lost_answer_of_a_strict_provider_is_said_aloud(store: Stores, step: str) -> None:
    """While the old token lives it is served; at its end the one replay that can harm nothing, and then the reason."""

    async def main() -> None:
        stage = await Stage(store, "strict").connected(100)
        a, b = Process(stage, "A"), Process(stage, "B")
        a.dies_at(step)
        a.asks()
        await asyncio.sleep(90)
        assert 1 == (await b.access()).generation
        assert ["granted"] == stage.outcomes
        await asyncio.sleep(11)

        await lost_aloud(stage, b)
        assert [(0, "granted"), (0, "reused")] == stage.presented

    run(main)


def test_F06_a_grace_that_has_passed_is_strict(store: Stores) -> None:
    """Nobody looked while it lasted: then the token is not presented before the access token's end."""

    async def main() -> None:
        stage = await Stage(store, 60).connected(100)
        a, b = Process(stage, "A"), Process(stage, "B")
        a.dies_at("parsed")
        a.asks()
        await asyncio.sleep(70)

        assert 1 == (await b.access()).generation
        assert ["granted"] == stage.outcomes
        await asyncio.sleep(31)
        await lost_aloud(stage, b)
        assert ["granted", "reused"] == stage.outcomes

    run(main)


# F07 and F08: the store's part.


@pytest.mark.parametrize("declared", [60, "strict"])
def test_F07_a_crash_before_the_commit_leaves_the_old_pair(store: Stores, declared: Any) -> None:
    """Whole, and from there it is as if the answer had been lost."""

    async def main() -> None:
        stage = await Stage(store, declared).connected(ENDED)
        a, b = Process(stage, "A"), Process(stage, "B")
        a.store.fails("keep", crash=a.die)
        a.asks()
        await asyncio.sleep(1)
        assert (1, 0, 0) == numbers(await stage.row())

        if declared == "strict":
            await asyncio.sleep(LEASE)
            await lost_aloud(stage, b)
            assert (1, 0, 0) == numbers(await stage.row())
        else:
            assert 2 == (await b.access()).generation
            assert (2, 2, 2) == numbers(await stage.row())

    run(main)


def test_F07_a_crash_after_the_commit_leaves_the_new_pair(store: Stores) -> None:
    """Whole, and nobody presents anything again."""

    async def main() -> None:
        stage = await Stage(store).connected(ENDED)
        a, b = Process(stage, "A"), Process(stage, "B")
        a.store.fails("keep", acts=True, crash=a.die)
        a.asks()
        await asyncio.sleep(1)

        assert (2, 1, 1) == numbers(await stage.row())
        assert "acme.1.AT_1" == (await b.access()).access.reveal()
        assert [(0, "granted")] == stage.presented

    run(main)


def test_F07_a_crash_inside_the_transaction_rolls_it_back(tmp_path: Path) -> None:
    """The statements have run and the commit has not: of the new pair nothing is seen, of the old one everything."""
    import sqlalchemy as sa

    async def main() -> None:
        with stores("sqlite", tmp_path) as make:
            stage = await Stage(make, 60).connected(ENDED)
            assert isinstance(stage.real, DatabaseTokens)
            database = stage.real._engine
            a, b = Process(stage, "A"), Process(stage, "B")
            failed: list[str] = []

            def lost(connection: sa.Connection) -> None:
                reads = connection.get_execution_options().get("connproof_reads")
                if a.steps[-1:] == ["keep"] and not reads and len(failed) < 3:
                    failed.append("commit")
                    raise sa.exc.OperationalError("COMMIT", None, Exception("disk I/O error"))

            sa.event.listen(database, "commit", lost)
            asked = a.asks()
            await asyncio.sleep(POLL / 2)
            assert (["commit"], (1, 0, 0)) == (failed, numbers(await stage.row()))

            assert 2 == (await asked).generation
            assert (["commit"] * 3, (2, 1, 1)) == (failed, numbers(await stage.row()))
            assert 2 == (await b.access()).generation
            assert [(0, "granted")] == stage.presented

    run(main)


@pytest.mark.parametrize("step", ["kept", "release"])
def test_F08_a_crash_after_the_commit_keeps_nobody_waiting(store: Stores, step: str) -> None:
    """The new pair is served at once; the lease ends by itself, and is in nobody's way at the next refresh."""

    async def main() -> None:
        stage = await Stage(store).connected(ENDED)
        a, b = Process(stage, "A"), Process(stage, "B")
        a.dies_at(step)
        a.asks()
        await asyncio.sleep(1)
        began = stage.time
        assert (2, began) == ((await b.access()).generation, stage.time)
        assert "A" == (await stage.row()).lease_owner
        await asyncio.sleep(LIFETIME)

        assert 3 == (await b.access()).generation
        assert [(0, "granted"), (1, "granted")] == stage.presented

    run(main)


@pytest.mark.parametrize("acts", [False, True])
@pytest.mark.parametrize("declared", [60, "strict"])
def test_F07_a_crash_at_any_call_of_the_store_leaves_one_pair(store: Stores, declared: Any, *, acts: bool) -> None:
    """Before or after each of them did what it was asked: the account goes on, or says why it does not."""

    async def crashed_at(call: int) -> tuple[str, list[str]]:
        stage = await Stage(store, declared).connected(ENDED)
        a, b = Process(stage, "A"), Process(stage, "B")
        a.store.fails(*EVERY, at=call, acts=acts, crash=a.die)
        a.asks()
        await asyncio.sleep(1)
        row = await stage.row()
        assert numbers(row) in {(1, 0, 0), (2, 1, 1)}
        was_lost = row.generation == 1 and stage.outcomes == ["granted"]
        if was_lost and declared == "strict":
            await asyncio.sleep(LEASE)
            await lost_aloud(stage, b)
        else:
            assert 2 == (await b.access()).generation
            assert [*["granted"] * (not was_lost), *["granted", "replayed"] * was_lost] == stage.outcomes
            assert "ok" == (await stage.row()).state
        return "".join(a.store.failed), stage.outcomes

    crashes = [run(partial(crashed_at, call)) for call in range(1, 8)]
    died = [failed for failed, _ in crashes]
    assert ["now", "read", "client_block", "claim", "keep", "release", ""] == died
    lost = ["granted", "reused"] if declared == "strict" else ["granted", "replayed"]
    assert {"keep"} - ({"keep"} if acts else set()) == {failed for failed, outcomes in crashes if outcomes == lost}


# F09 to F11: whoever waits is not who refreshes.


@pytest.mark.parametrize("delivery", ["acts, no answer", "no act, no answer"])
@pytest.mark.parametrize("declared", ["none", 60, "strict"])
def test_F09_a_lost_answer_is_not_asked_for_by_the_transport(store: Stores, declared: Any, delivery: Any) -> None:
    """One presentation, the outcome unknown: the intent stays, and the old token is served."""

    async def main() -> None:
        stage = await Stage(store, declared).connected(100)
        a, b = Process(stage, "A"), Process(stage, "B")
        stage.provider.plan(delivery)
        assert 1 == (await a.access()).generation
        await a.settled()

        assert 1 == len(stage.presented)
        row = await stage.row()
        assert ("ambiguous", "no_answer", True, "") == (row.state, row.reason, row.has_open_intent, row.lease_owner)
        assert stage.now < row.not_before <= stage.now + 2
        assert {1} == {(await one.access()).generation for one in (a, b)}
        assert 1 == len(stage.presented)

    run(main)


@pytest.mark.parametrize(("declared", "again"), [("none", "granted"), (60, "replayed")])
def test_F09_a_kind_provider_gives_a_lost_answer_again(store: Stores, declared: Any, again: str) -> None:
    """After the back-off, while the old token still lives."""

    async def main() -> None:
        stage = await Stage(store, declared).connected(100)
        a = Process(stage, "A")
        stage.provider.plan("acts, no answer")
        await a.access()
        await a.settled()
        await asyncio.sleep(3)
        await a.access()
        await a.settled()

        assert [(0, "granted"), (0, again)] == stage.presented
        row = await stage.row()
        assert (2, "ok", "", 0) == (row.generation, row.state, row.reason, row.fail_count)

    run(main)


def test_F09_the_lost_answer_of_a_strict_provider_is_said_aloud(store: Stores) -> None:
    """At the end of the token, and not before; not one presentation more than it takes to know."""

    async def main() -> None:
        stage = await Stage(store, "strict").connected(100)
        a = Process(stage, "A")
        stage.provider.plan("acts, no answer")
        ends = stage.time + 100
        while stage.time < ends - 1:
            assert 1 == (await a.access()).generation
            await asyncio.sleep(3)
        await asyncio.sleep(max(ends - stage.time, 0))
        assert ["granted"] == stage.outcomes

        await lost_aloud(stage, a)
        assert [(0, "granted"), (0, "reused")] == stage.presented

    run(main)


def test_F10_an_answer_after_the_callers_time_is_kept(store: Stores) -> None:
    """The caller is told that the refresh is pending; the exchange goes on for as long as it takes, under its lease."""

    async def main() -> None:
        stage = await Stage(store).connected(ENDED)
        a, b = (Process(stage, name, timing=Timing(caller_s=5)) for name in "AB")
        stage.provider.plan("late")
        began = stage.time

        pending = await a.refused(RefreshPending)
        assert (began + 5, True) == (stage.time, (pending.seconds or 0) > 0)
        assert "pending" not in (await stage.row()).state
        await b.refused(RefreshPending)  # the heart beats: nobody else takes the lease
        await asyncio.sleep(began + 60 - stage.time)
        a.wire.release()
        await a.settled()

        assert [(0, "granted")] == stage.presented
        assert (2, 1, 1) == numbers(await stage.row())
        assert {2} == {(await one.access()).generation for one in (a, b)}

    run(main)


def test_F11_a_caller_that_goes_away_takes_nothing_along(store: Stores) -> None:
    """Cancelled after every number of turns until it would have been done: the exchange goes on, once."""

    async def cancelled_after(turns: int) -> bool:
        stage = await Stage(store).connected(ENDED)
        a = Process(stage, "A")
        asked = a.asks()
        for _ in range(turns):
            await asyncio.sleep(0)
        was_done = asked.done()
        asked.cancel()
        await asyncio.sleep(0)
        began = bool(a.steps.count("claim"))
        await a.settled()
        assert (2 if began else 1) == (await stage.row()).generation

        assert 2 == (await a.access()).generation
        assert [(0, "granted")] == stage.presented
        assert (2, 1, 1) == numbers(await stage.row())
        return was_done

    turns = 0
    while not run(partial(cancelled_after, turns)):
        turns += 1
    assert 5 < turns


@pytest.mark.parametrize("step", ["claim", "claimed", "send", "sent", "parsed", "keep", "kept", "release", "released"])
def test_F11_of_two_callers_one_may_go_away_at_any_step(store: Stores, step: str) -> None:
    """The other is served by the exchange that the first began."""

    async def main() -> None:
        stage = await Stage(store).connected(ENDED)
        a = Process(stage, "A")
        halt = a.halts_at(step)
        first = a.asks()
        await halt.reached.wait()
        second = a.asks()
        first.cancel()
        await asyncio.sleep(1)
        halt.released.set()

        assert 2 == (await second).generation
        assert first.cancelled()
        assert [(0, "granted")] == stage.presented

    run(main)


# F15 to F19: the store is away, slow to agree, behind, or full.


def test_F15_without_a_claim_nobody_sends(store: Stores) -> None:
    """While the token lives it is served; after its end the error says that it is the store."""

    async def main() -> None:
        stage = await Stage(store).connected(100)
        a = Process(stage, "A")
        a.store.fails("claim", times=None)
        assert 1 == (await a.access()).generation
        await a.settled()
        assert ["claim"] == a.store.failed
        await asyncio.sleep(101)

        failed = await a.refused(StoreFailed)

        assert "token store" in str(failed)
        assert [] == stage.presented
        a.store.recovers()
        assert 2 == (await a.access()).generation
        assert [(0, "granted")] == stage.presented

    run(main)


def test_F15_a_store_that_is_away_ends_no_token(store: Stores) -> None:
    """Not one call comes through: the token in memory is good for as long as it lives, and not longer."""

    async def main() -> None:
        stage = await Stage(store).connected(600)
        a = Process(stage, "A")
        assert 1 == (await a.access()).generation
        a.store.fails(*EVERY, times=None)
        ends = stage.time + 600
        while stage.time < ends - 1:
            assert 1 == (await a.access()).generation
            await asyncio.sleep(50)
        await asyncio.sleep(max(ends - stage.time, 0))

        await a.refused(StoreFailed)
        await Process(stage, "B").access()  # it has a way to the store
        assert ["granted"] == stage.outcomes

    run(main)


@pytest.mark.parametrize("acts", [False, True])
@pytest.mark.parametrize("fails", [1, 2, 7])
def test_F16_a_commit_that_fails_is_tried_again(store: Stores, fails: int, *, acts: bool) -> None:
    """Each time in a new transaction; where only the acknowledgement was lost, the store knows its own commit."""

    async def main() -> None:
        stage = await Stage(store).connected(ENDED)
        a, b = Process(stage, "A"), Process(stage, "B")
        a.store.fails("keep", times=fails, acts=acts)

        held = await a.patient()
        await a.settled()

        assert (2, "acme.1.AT_1") == (held.generation, held.access.reveal())
        assert [(0, "granted")] == stage.presented
        assert fails + 1 == a.store.calls.count("keep")
        row = await stage.row()
        assert ((2, 1, 1), (), "", "ok") == (numbers(row), row.candidates, row.lease_owner, row.state)
        assert 2 == (await b.access()).generation

    run(main)


def test_F16_a_store_that_is_away_for_an_hour_loses_nothing(store: Stores) -> None:
    """The lease has ended long since; what a strict provider gave is written when the store is back."""

    async def main() -> None:
        stage = await Stage(store).connected(ENDED)
        a = Process(stage, "A")
        stage.provider.plan("late")
        a.asks()
        await asyncio.sleep(1)
        a.store.fails(*EVERY, times=None)
        a.wire.release()
        await asyncio.sleep(3600)
        assert (1, 0, 0) == numbers(await stage.row())
        a.store.recovers()
        await a.settled()

        assert [(0, "granted")] == stage.presented
        assert (2, 1, 1) == numbers(await stage.row())

    run(main)


def test_F17_a_replica_that_is_behind_makes_nobody_send(store: Stores) -> None:
    """It shows the pair before the last refresh: the claim sees that, however often it is tried."""

    async def main() -> None:
        stage = await Stage(store).connected(ENDED)
        a, b = Process(stage, "A"), Process(stage, "B")
        old = await stage.row()
        await a.access()
        b.store.lags(old)

        await b.refused(RefreshPending)
        assert [(0, "granted")] == stage.presented
        assert b.store.calls.count("claim") > 3
        b.store.lags(None)

        assert 2 == (await b.access()).generation
        assert [(0, "granted")] == stage.presented
        row = await stage.row()
        assert (False, "") == (row.has_open_intent, row.lease_owner)

    run(main)


def test_F19_a_full_disk_is_seen_before_anything_is_sent(store: Stores) -> None:
    """The claim is the probe: no room for it, no request."""

    async def main() -> None:
        stage = await Stage(store).connected(100)
        a = Process(stage, "A")
        a.store.fails(*WRITES, times=None)
        assert 1 == (await a.access()).generation
        await a.settled()
        await asyncio.sleep(100)

        await a.refused(StoreFailed)

        assert [] == stage.presented
        assert not (await stage.row()).has_open_intent

    run(main)


def test_F19_a_disk_that_fills_up_meanwhile_loses_nothing(store: Stores) -> None:
    """There was room for the claim and there is none for the answer: it is kept in memory until there is."""

    async def main() -> None:
        stage = await Stage(store).connected(ENDED)
        a = Process(stage, "A")
        halt = a.halts_at("sent")
        a.asks()
        await halt.reached.wait()
        a.store.fails(*WRITES, times=None)
        halt.released.set()
        await asyncio.sleep(300)
        assert (1, 0, 0) == numbers(await stage.row())
        a.store.recovers()

        held = await a.patient()

        assert (2, "acme.1.AT_1") == (held.generation, held.access.reveal())
        assert [(0, "granted")] == stage.presented
        assert (2, 1, 1) == numbers(await stage.row())

    run(main)


def test_F19_a_database_that_cannot_be_written_sends_nothing(tmp_path: Path) -> None:
    """A real one, opened to be read alone: the old token is served from it, and its end is the store's fault."""

    async def main() -> None:
        with stores("sqlite", tmp_path) as make:
            stage = await Stage(make).connected(100)
            url = f"sqlite:///file:{tmp_path}/0.db?mode=ro&uri=true"
            with closing(DatabaseTokens(url, Sealing([KEY]), stage.clock)) as stage.store:
                a = Process(stage, "A")
                assert 1 == (await a.access()).generation
                await a.settled()
                await asyncio.sleep(100)
                failed = await a.refused(StoreFailed)

                assert "readonly" in str(failed)
                assert [] == stage.presented

    run(main)
