"""Fault table, odd answers: what a token endpoint may say, and what a client makes of it without losing a token.

Each answer is one of the simulated provider's, by its name there.
"""

from __future__ import annotations

import asyncio
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
    empty_store,
    numbers,
    on_stores,
    row_of,
    run,
)

from connproof.errors import (
    ClientMisconfigured,
    ConnproofError,
    Reauthorise,
    RefreshPending,
)
from connproof.events import RequestSent, ResponseReceived
from connproof.model import Account, Secret, TokenPair
from connproof.places import JsonValue
from connproof.tokens import Timing
from pytest_connproof.provider import ANSWERS

BOB = Account("bob", ACCOUNT.credentials)


store = empty_store("sqlite", "postgres")


def of_row(row: str) -> list[str]:
    """The odd answers of a row of the fault table."""
    names = [name for name, answer in ANSWERS.items() if row in answer.rows]
    assert names
    return names


async def odd(stage: Stage, *names: str, times: int | None = 1) -> Process:
    """A process that has had these answers, each to one exchange; no other is under way."""
    a = Process(stage, "A")
    for name in names:
        stage.server.plan(name, times=times)
    await a.access()
    await a.settled()
    return a


# What counts as granted.


@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("offset", [600, -600])
def test_F21_a_wrong_clock_at_the_provider_moves_no_end(store: Stores, offset: float, *, absolute: bool) -> None:
    """A lifetime counts from its receipt; an absolute time is held against the Date header of the same answer."""
    words: dict[str, Any] = {"response": {"expires_at": "expires_at"}} if absolute else {}

    async def main() -> None:
        stage = await Stage(store, token=words, clock_offset_s=offset).connected(ENDED)
        a = Process(stage, "A")
        assert 2 == (await a.access()).generation

        row = await stage.row()
        assert row.expires_at is not None
        assert LIFETIME == pytest.approx(row.expires_at - stage.now, abs=2)  # a Date has whole seconds
        assert [] == a.notes
        await asyncio.sleep(LIFETIME - 10)
        assert 1 == await a.reads()
        await asyncio.sleep(20)
        assert 1 == await a.reads()
        assert ["granted", "granted"] == stage.outcomes

    run(main)


async def keeps_the_old(stage: Stage, name: str) -> None:
    """After this answer the account goes on with the refresh token that it had."""
    a = await odd(stage, name)
    row = await stage.row()
    assert (2, 1, 0) == numbers(row)
    assert ("ok", "", (), False) == (row.state, row.reason, row.candidates, row.has_open_intent)
    assert [] == a.notes
    assert "acme.1.AT_1" == (await a.access()).access.reveal()

    await asyncio.sleep(LIFETIME + 1)
    assert 3 == (await a.access()).generation
    assert [(0, "granted"), (0, "granted")] == stage.presented
    assert (3, 2, 2) == numbers(await stage.row())


@pytest.mark.parametrize("name", of_row("F24"))
def test_F24_an_answer_without_a_refresh_token_keeps_the_old(store: Stores, name: str) -> None:
    """RFC 6749, section 6: the generation grows all the same."""

    async def main() -> None:
        await keeps_the_old(await Stage(store).connected(MORE), name)

    run(main)


@pytest.mark.parametrize("name", of_row("F25"))
def test_F25_an_empty_refresh_token_is_none(store: Stores, name: str) -> None:
    """Nor is null, nor the same one again a new one."""

    async def main() -> None:
        await keeps_the_old(await Stage(store).connected(MORE), name)

    run(main)


@pytest.mark.parametrize("name", of_row("F26"))
def test_F26_a_lifetime_in_other_writing_is_a_lifetime(store: Stores, name: str) -> None:
    """3600 in quotes, as a float, or both."""

    async def main() -> None:
        stage = await Stage(store).connected(MORE)
        a = await odd(stage, name)

        row = await stage.row()
        assert (stage.now + LIFETIME, float(LIFETIME)) == (row.expires_at, row.lifetime_s)
        assert [] == a.notes

    run(main)


@on_stores("name, assumed", of_row("F27"), [900, None])
def test_F27_a_lifetime_that_is_none_costs_no_token(store: Stores, name: str, assumed: int | None) -> None:
    """The pair is kept first; its end is the config's, else an answer of the API says so; it is noted."""
    words: dict[str, JsonValue] = {} if assumed is None else {"assumed_lifetime_s": assumed}

    async def main() -> None:
        stage = await Stage(store, token=words).connected(MORE)
        a = await odd(stage, name)

        row = await stage.row()
        assert ((2, 1, 1), "ok") == (numbers(row), row.state)
        assert (None if assumed is None else stage.now + assumed) == row.expires_at
        assert ["expires_in is no lifetime"] == a.notes
        await asyncio.sleep(850)
        await a.access()
        await a.settled()
        assert (1 if assumed is None else 2) == len(stage.presented)  # no storm, and no token for ever by mistake

    run(main)


@pytest.mark.parametrize("name", of_row("F28"))
def test_F28_without_a_lifetime_the_configs_counts(store: Stores, name: str) -> None:
    """It is refreshed before that ends."""

    async def main() -> None:
        stage = await Stage(store, token={"assumed_lifetime_s": 900}).connected(MORE)
        a = await odd(stage, name)

        row = await stage.row()
        assert (stage.now + 900, 900.0) == (row.expires_at, row.lifetime_s)
        assert [] == a.notes

    run(main)


@pytest.mark.parametrize("name", of_row("F28"))
def test_F28_without_any_lifetime_a_401_ends_the_token(store: Stores, name: str) -> None:
    """Until then it is used, however long; then it is refreshed once and the request repeated."""

    async def main() -> None:
        stage = await Stage(store).connected(MORE)
        a = await odd(stage, name)
        assert (await stage.row()).expires_at is None
        await asyncio.sleep(LIFETIME - 1)
        assert 1 == await a.reads()
        assert 1 == len(stage.presented)
        await asyncio.sleep(2)

        assert 1 == await a.reads()
        assert [(0, "granted"), (1, "granted")] == stage.presented
        assert [True, False, True] == [one.alive for one in stage.server.served]

    run(main)


# What counts as refused, though it looks like a success.


@pytest.mark.parametrize("left", [MORE, ENDED])
def test_F30_an_error_in_a_success_is_an_error(store: Stores, left: float) -> None:
    """200 with "invalid_grant" is a refusal: nothing of it is stored, least of all null."""

    async def main() -> None:
        stage = await Stage(store).connected(left)
        stage.server.plan("error in a success")
        a = Process(stage, "A")
        if left == MORE:
            assert 1 == (await a.access()).generation
            await a.settled()
        else:
            await a.refused(Reauthorise)

        row = await stage.row()
        assert ((1, 0, 0), "needs_reauth", "revoked") == (numbers(row), row.state, row.reason)
        assert 1 == len(stage.presented)

    run(main)


def test_F30_not_ok_in_a_success_is_no_token(store: Stores) -> None:
    """{"ok": false} says nothing that is known: nothing is stored, and the old token is served."""

    async def main() -> None:
        stage = await Stage(store).connected(MORE)
        a = await odd(stage, "not ok in a success")

        row = await stage.row()
        assert ((1, 0, 0), "ambiguous", True) == (numbers(row), row.state, row.has_open_intent)
        assert 1 == (await a.access()).generation
        await asyncio.sleep(MORE)
        assert 2 == (await a.access()).generation  # it had not been acted on
        assert ["put off", "granted"] == stage.outcomes

    run(main)


@on_stores("declared, name", ["strict", 600, "none"], of_row("F31"))
def test_F31_a_success_that_cannot_be_read_may_have_rotated(
    store: Stores, declared: Any, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The outcome is unknown; the old token is served; what follows is as for a lost answer. No body is quoted."""

    async def main() -> None:
        stage = await Stage(store, declared).connected(MORE)
        a = await odd(stage, name)
        row = await stage.row()
        assert ((1, 0, 0), "ambiguous", "unreadable_answer") == (numbers(row), row.state, row.reason)
        assert (True, 1) == (row.has_open_intent, row.intent_count)
        assert 1 == (await a.access()).generation
        body = next(event.response.body for event in a.events if isinstance(event, ResponseReceived)).decode()
        await asyncio.sleep(MORE)

        said = ""
        try:
            assert 2 == (await a.access()).generation
        except ConnproofError as error:
            said = str(error)
        again = {"none": "granted", 600: "replayed", "strict": "reused"}[declared]
        assert [(0, "granted"), (0, again)] == stage.presented
        state = ("needs_reauth", "rotation_response_lost") if declared == "strict" else ("ok", "")
        row = await stage.row()
        assert state == (row.state, row.reason)
        assert bool(said) == (declared == "strict")
        assert not body or body not in f"{said}{caplog.text}{row}{a.events}"

    run(main)


@pytest.mark.parametrize("left", [MORE, ENDED])
def test_F32_a_refresh_token_alone_is_kept_and_used(store: Stores, left: float) -> None:
    """It is the only one that is good: its predecessor is never presented again."""

    async def main() -> None:
        stage = await Stage(store).connected(left)
        stage.server.plan("refresh token alone")
        a = Process(stage, "A")
        first = a.asks()
        await asyncio.sleep(0.5)
        row = await stage.row()
        assert ["acme.1.RT_1"] == [one.refresh.reveal() for one in row.candidates]
        assert ("ambiguous", "unreadable_answer") == (row.state, row.reason)

        if left == MORE:
            assert 1 == (await first).generation
            await asyncio.sleep(MORE)
        held = await a.access() if left == MORE else await first

        assert "acme.1.AT_2" == held.access.reveal()
        assert [(0, "granted"), (1, "granted")] == stage.presented
        row = await stage.row()
        assert ((3, 2, 2), "ok", ()) == (numbers(row), row.state, row.candidates)

    run(main)


# Refusals.


@pytest.mark.parametrize("left", [MORE, ENDED])
def test_F33_a_revoked_consent_is_not_tried_again(store: Stores, left: float) -> None:
    """One answer is enough: the reason is kept, and not one presentation follows. The row and its tokens stay."""

    async def main() -> None:
        stage = await Stage(store).connected(left)
        stage.server.plan("revoked")
        a, b = Process(stage, "A"), Process(stage, "B")
        if left == MORE:
            assert 1 == (await a.access()).generation
            await a.settled()
            assert 1 == (await b.access()).generation  # whether it still works is for the API to say
            await asyncio.sleep(MORE)
        for process in (a, b, a):
            said = await process.refused(Reauthorise)
            assert "revoked" == said.reason
            await asyncio.sleep(1000)

        assert ["dead"] == stage.outcomes
        row = await stage.row()
        assert ((1, 0, 0), "needs_reauth", "revoked") == (numbers(row), row.state, row.reason)

    run(main)


def test_F33_a_candidate_is_tried_before_the_owner_is_asked(store: Stores) -> None:
    """A successor that came late may be the one that is good."""

    async def main() -> None:
        stage = await Stage(store).connected(ENDED)
        a, b = Process(stage, "A"), Process(stage, "B")
        halt = a.halts_at("sent")
        a.asks()
        await halt.reached.wait()  # the provider has rotated; the answer is in A's hands
        stage.server.plan("revoked", acts="nothing")
        b.gate.clear()
        asked = b.asks()
        await asyncio.sleep(11)
        row = await stage.row()
        late = TokenPair(Secret(""), Secret("acme.1.RT_1"))
        assert await stage.store.keep_candidate(row, late)
        b.gate.set()

        held = await asked

        assert "acme.1.AT_2" == held.access.reveal()
        assert [(0, "granted"), (0, "put off"), (1, "granted")] == stage.presented
        assert "ok" == (await stage.row()).state

    run(main)


def test_F33_the_late_successor_may_be_the_only_one_that_is_good(store: Stores) -> None:
    """A's request arrived last, so that what it brought ends what B has stored: the refusal of B's is not the end."""

    async def main() -> None:
        stage = await Stage(store, 60).connected(ENDED)
        a, b = Process(stage, "A"), Process(stage, "B")
        halt = a.halts_at("beat")
        a.gate.clear()
        a.asks()
        await halt.reached.wait()
        assert 2 == (await b.access()).generation
        halt.released.set()
        a.gate.set()
        await a.settled()
        row = await stage.row()
        assert ((2, 1, 1), ["acme.1.RT_2"]) == (numbers(row), [one.refresh.reveal() for one in row.candidates])
        await asyncio.sleep(LIFETIME + 60)

        assert "acme.1.AT_3" == (await b.access()).access.reveal()
        assert [(0, "granted"), (0, "replayed"), (1, "superseded"), (2, "granted")] == stage.presented
        row = await stage.row()
        assert ((4, 3, 3), "ok", ()) == (numbers(row), row.state, row.candidates)

    run(main)


def test_F34_a_refusal_of_what_another_has_replaced_is_no_verdict(store: Stores) -> None:
    """A's request took longer than its lease; it is refused when B has stored the next pair, which A then uses."""

    async def main() -> None:
        stage = await Stage(store, 60).connected(ENDED)
        a, b = Process(stage, "A"), Process(stage, "B")
        halt = a.halts_at("beat")
        a.gate.clear()
        asked = a.asks()
        await halt.reached.wait()
        assert 2 == (await b.access()).generation
        stage.server.plan("revoked", acts="nothing")

        halt.released.set()
        a.gate.set()

        assert "acme.1.AT_1" == (await asked).access.reveal()
        assert [(0, "granted"), (0, "put off")] == stage.presented
        row = await stage.row()
        assert ((2, 1, 1), "ok", "") == (numbers(row), row.state, row.reason)

    run(main)


@pytest.mark.parametrize("name", of_row("F35"))
def test_F35_a_refused_client_is_nobodys_account(store: Stores, name: str) -> None:
    """The app is blocked: no account of it is marked, live tokens are served, and nobody asks until it is unblocked."""
    words: dict[str, JsonValue] = {"misconfigured_when": ["app_suspended"]}

    async def main() -> None:
        stage = await Stage(store, accounts=(ACCOUNT, BOB), token=words).connected(MORE)
        a = await odd(stage, name)
        blocks = [await stage.store.client_block(client) for client in (a.tokens.client(ACCOUNT), "another")]
        assert [True, False] == [bool(one) for one in blocks]
        for account in (ACCOUNT, BOB):
            row = await stage.row(row_of(account))
            assert ((1, 0, 0), "ok", False) == (numbers(row), row.state, row.has_open_intent)
            assert 1 == (await a.access(account)).generation
        await asyncio.sleep(MORE)
        for account in (ACCOUNT, BOB):
            said = await a.refused(ClientMisconfigured, account)
            assert "invented-client-secret" not in str(said)
            await asyncio.sleep(2000)
        assert ([(0, "put off")], ()) == (stage.presented, stage.servers[1].presentations)

        await stage.store.block_client(a.tokens.client(ACCOUNT), "")
        assert [2, 2] == [(await a.access(account)).generation for account in (ACCOUNT, BOB)]

    run(main)


@pytest.mark.parametrize("name", ["vendor code", "vendor code elsewhere", "vendor code in a success"])
def test_F36_a_vendors_word_for_revoked_is_the_configs_to_know(store: Stores, name: str) -> None:
    """Wherever it stands, and in whichever status: the owner must consent again."""
    words: dict[str, JsonValue] = {
        "revoked_when": ["BAD_REFRESH_TOKEN", "bad_refresh_token"],
        "response": {"error": ["error", "status"]},
    }

    async def main() -> None:
        stage = await Stage(store, token=words).connected(ENDED)
        a = Process(stage, "A")
        stage.server.plan(name)
        said = await a.refused(Reauthorise)
        await asyncio.sleep(LIFETIME)
        await a.refused(Reauthorise)

        assert ("revoked", ["dead"]) == (said.reason, stage.outcomes)
        assert ("needs_reauth", "revoked") == ((await stage.row()).state, (await stage.row()).reason)

    run(main)


@pytest.mark.parametrize("name", ["already revoked", "unknown code"])
def test_F36_what_nobody_knows_is_tried_and_then_shown(store: Stores, name: str) -> None:
    """An unknown refusal is not terminal in silence: five times with growing pauses, then it needs attention."""

    async def main() -> None:
        stage = await Stage(store).connected(ENDED)
        a = Process(stage, "A", timing=Timing(caller_s=0.5))
        stage.server.plan(name, times=None, acts="nothing")
        reasons = []
        for _ in range(Timing().attention):
            await a.refused(RefreshPending)
            row = await stage.row()
            assert "ambiguous" == row.state
            reasons.append(row.reason)
            await asyncio.sleep(row.not_before - stage.now)

        assert [*["refused"] * 4, "needs_attention"] == reasons
        assert ["put off"] * 5 == stage.outcomes
        said = await a.refused(RefreshPending)
        assert "needs_attention" in str(said)
        stage.server.ordinary()
        assert 2 == (await a.patient()).generation
        assert ("ok", "") == ((await stage.row()).state, (await stage.row()).reason)

    run(main)


@pytest.mark.parametrize(("name", "wait"), [("429, seconds", 120), ("429, date", 120), ("429", 1)])
def test_F37_a_throttle_is_waited_for_by_all(store: Stores, name: str, wait: int) -> None:
    """As long as the provider says, else as every failure; every worker keeps to it, and serves the old token."""

    async def main() -> None:
        stage = await Stage(store, "none").connected(200 if wait > 1 else MORE)
        ends = stage.time + (200 if wait > 1 else MORE)
        a, b = Process(stage, "A", timing=Timing(margin_s=900)), Process(stage, "B", timing=Timing(margin_s=900))
        stage.server.plan(name)
        throttled = stage.time
        await a.access()
        await a.settled()
        assert "throttled" == (await stage.row()).reason
        while len(stage.presented) == 1:
            assert {1} == {(await one.access()).generation for one in (a, b)}
            await asyncio.sleep(0.5)

        assert ["put off", "granted"] == stage.outcomes
        assert throttled + wait <= stage.times[1] <= throttled + wait + 2
        assert stage.time < ends
        assert ("ok", 0, 0.0) == ((row := await stage.row()).state, row.fail_count, row.not_before)

    run(main)


@on_stores("name, offset", ["429, seconds", "429, date"], [0, 600, -600])
def test_F37_after_the_end_of_the_token_callers_are_told_for_how_long(store: Stores, name: str, offset: int) -> None:
    """In any process, and whatever the provider's clock says: the seconds that are left, and no request is made."""

    async def main() -> None:
        stage = await Stage(store, clock_offset_s=offset).connected(ENDED)
        a, b = Process(stage, "A"), Process(stage, "B")
        stage.server.plan(name)
        first = await a.refused(RefreshPending)
        await asyncio.sleep(20)
        second = await b.refused(RefreshPending)

        assert (120, 100) == (first.seconds, second.seconds)
        assert 1 == len(stage.presented)
        await asyncio.sleep(100)
        assert 2 == (await b.access()).generation

    run(main)


@pytest.mark.parametrize("name", of_row("F40"))
def test_F40_a_redirect_is_refused(store: Stores, name: str) -> None:
    """No request leaves for where it leads: the refresh token is presented once, to whom it belongs."""

    async def main() -> None:
        stage = await Stage(store).connected(MORE)
        a = Process(stage, "A")
        stage.server.plan(name)
        assert 1 == (await a.access()).generation
        await a.settled()

        assert ["put off"] == stage.outcomes
        asked = [event.request.url for event in a.events if isinstance(event, RequestSent)]
        assert ["https://id.example/token"] == asked
        row = await stage.row()
        assert ((1, 0, 0), "ambiguous", "refused") == (numbers(row), row.state, row.reason)

    run(main)


@pytest.mark.parametrize("declared", ["none", 60, "strict"])
def test_F41_where_there_is_no_connection_nothing_is_unknown(store: Stores, declared: Any) -> None:
    """The intent is taken back; only the pause stays. A strict provider may be asked again while the token lives."""

    async def main() -> None:
        stage = await Stage(store, declared).connected(MORE)
        a = Process(stage, "A")
        a.wire.unreachable = True
        assert 1 == (await a.access()).generation
        await a.settled()
        row = await stage.row()
        assert ("ok", "unreachable", False, 1) == (row.state, row.reason, row.has_open_intent, row.fail_count)
        assert stage.now < row.not_before
        assert [] == stage.presented
        a.wire.unreachable = False
        await asyncio.sleep(3)
        assert 1 == (await a.access()).generation
        await a.settled()

        assert [(0, "granted")] == stage.presented
        assert 2 == (await a.access()).generation

    run(main)


def test_F41_an_older_intent_is_put_back(store: Stores) -> None:
    """Only one's own attempt is undone: what an earlier one came to is still unknown."""

    async def main() -> None:
        stage = await Stage(store, 60).connected(MORE)
        a = await odd(stage, "500")
        before = await stage.row()
        await asyncio.sleep(3)
        a.wire.unreachable = True
        await a.access()
        await a.settled()

        after = await stage.row()
        assert before.has_open_intent
        assert (before.intent_first_at, before.intent_count) == (after.intent_first_at, after.intent_count)
        assert (before.intent_epoch, "ambiguous", 2) == (after.intent_epoch, after.state, after.fail_count)

    run(main)


def test_F42_a_connection_that_breaks_while_it_is_written_to_is_not_tried_again(store: Stores) -> None:
    """Whether the provider acted is unknown: one presentation, and the transport adds none."""

    async def main() -> None:
        stage = await Stage(store).connected(MORE)
        stage.provider.plan("no act, no answer")
        a = Process(stage, "A")
        await a.access()
        await a.settled()

        assert ["unseen"] == stage.outcomes
        row = await stage.row()
        assert ("ambiguous", True, 1) == (row.state, row.has_open_intent, row.intent_count)

    run(main)
