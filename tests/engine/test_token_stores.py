"""The same for every token store: who may claim, what becomes of a late successor, and what is never lost."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from connproof.clock import FixedClock
from connproof.errors import SharedGrant
from connproof.model import Secret, TokenPair, TokenRow
from connproof.stores import DatabaseTokens, MemoryTokens, Sealing, TokenStore
from postgres import empty_database

run = asyncio.run
ACCOUNT = "shop/acme"
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="  # 0123456789abcdef, twice
ENDED, LONG = -1.0, 60.0  # a lease that has ended when it is taken needs no waiting


@pytest.fixture(scope="module")
def server(postgres_url: str) -> Iterator[tuple[str, DatabaseTokens]]:
    """A PostgreSQL database for the tests of this file, which all find it empty: its address, and a store in it."""
    url = empty_database(postgres_url)
    with created(url) as database:
        yield url, database


@contextmanager
def created(url: str) -> Iterator[DatabaseTokens]:
    with closing(DatabaseTokens(url, Sealing([KEY]), FixedClock(AT))) as database:
        database.create()
        yield database


def emptied(database: DatabaseTokens) -> DatabaseTokens:
    for row in run(database.accounts()):
        run(database.remove(row.account))
    return database


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TokenStore]:
    """An empty store of each kind."""
    if request.param == "memory":
        yield MemoryTokens(FixedClock(AT))
    elif request.param == "postgres":
        yield emptied(request.getfixturevalue("server")[1])
    else:
        with created(f"sqlite:///{tmp_path}/t.db") as database:
            yield database


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database of each kind."""
    if request.param == "postgres":
        address, database = request.getfixturevalue("server")
        emptied(database)
        return str(address)
    with created(address := f"sqlite:///{tmp_path}/t.db"):
        return address


def pair(number: int, **words: Any) -> TokenPair:
    """The pair of that number, in every part of it."""
    return TokenPair(Secret(f"AT_{number}"), **{"refresh": Secret(f"RT_{number}"), "expires_at": 1e9 + number, **words})


def connected(store: TokenStore, number: int = 0) -> TokenRow:
    return run(store.connect(ACCOUNT, pair(number)))


def claimed(store: TokenStore, seen: TokenRow | None = None, *, lease_s: float = LONG, owner: str = "a") -> TokenRow:
    seen = seen or there(store)
    row = run(store.claim(seen, owner=owner, lease_s=lease_s))
    assert row is not None
    return row


def there(store: TokenStore) -> TokenRow:
    row = run(store.read(ACCOUNT))
    assert row is not None
    return row


def late_holder(store: TokenStore) -> tuple[TokenRow, TokenRow]:
    """Whoever slept while it had the lease, and whoever has it now; for the same generation."""
    connected(store)
    slept = claimed(store, lease_s=ENDED)
    return slept, claimed(store, owner="b")


# connect, read, remove


def test_an_empty_store_has_nothing(store: TokenStore) -> None:
    """No row, nothing to remove, nobody blocked."""
    assert run(store.read(ACCOUNT)) is None
    assert run(store.remove(ACCOUNT)) is None
    assert [] == [*run(store.accounts())]
    assert "" == run(store.client_block("shop"))


def test_a_pair_is_read_back_whole(store: TokenStore) -> None:
    """With what the answer said about it, as generation one, and nobody at it."""
    run(store.connect(ACCOUNT, pair(7, refresh_expires_at=2e9, lifetime_s=3600.0)))

    row = there(store)

    assert (Secret("AT_7"), Secret("RT_7"), 1e9 + 7, 2e9, 3600.0) == (
        row.access,
        row.refresh,
        row.expires_at,
        row.refresh_expires_at,
        row.lifetime_s,
    )
    assert (1, "ok", "", 0, 0.0, 0.0, False) == (
        row.generation,
        row.state,
        row.reason,
        row.lease_epoch,
        row.lease_until,
        row.not_before,
        row.has_open_intent,
    )
    assert row.grant_id and row.refresh_mark and "RT_7" not in row.refresh_mark


def test_what_connect_gives_is_what_is_read(store: TokenStore) -> None:
    """The row as it is kept, and not as it was meant to be."""
    assert connected(store) == there(store)


def test_a_refresh_token_alone_can_be_connected(store: TokenStore) -> None:
    """An access token of no letters is none: whoever reads the row must refresh first."""
    row = run(store.connect(ACCOUNT, TokenPair(Secret(""), Secret("RT"))))

    assert (None, Secret("RT")) == (row.access, row.refresh)


def test_N4_a_new_consent_is_a_new_grant(store: TokenStore) -> None:
    """The next generation; no lease, intent, candidate, back-off or verdict is left; the lease epoch only grows."""
    first = connected(store)
    held = claimed(store)
    run(store.keep_candidate(held, pair(5)))
    run(store.back_off(held, not_before=9e9, undo=None))

    again = connected(store, 1)

    assert first.grant_id != again.grant_id
    assert (2, "ok", 0.0, 0.0, 0, False, (), 1) == (
        again.generation,
        again.state,
        again.lease_until,
        again.not_before,
        again.fail_count,
        again.has_open_intent,
        again.candidates,
        again.lease_epoch,
    )


def test_accounts_are_listed_by_name(store: TokenStore) -> None:
    """Those that begin so, capitals and all; wildcards of a database are letters like any other."""
    names = ["shop/b", "shop/B", "shop/a_1", "shop/ax1", "Shop/a", "other/a"]
    for number, name in enumerate(names):
        run(store.connect(name, pair(number)))

    assert ["shop/B", "shop/a_1", "shop/ax1", "shop/b"] == [row.account for row in run(store.accounts("shop/"))]
    assert ["shop/a_1"] == [row.account for row in run(store.accounts("shop/a_"))]
    assert sorted(names) == [row.account for row in run(store.accounts())]


def test_a_removed_account_is_given_back_once(store: TokenStore) -> None:
    """With its tokens, so that they can be revoked."""
    row = connected(store)

    assert row == run(store.remove(ACCOUNT))
    assert run(store.remove(ACCOUNT)) is None
    assert run(store.read(ACCOUNT)) is None


# F45


def current(store: TokenStore) -> None:
    run(store.connect("shop/other", pair(1)))


def spent(store: TokenStore) -> None:
    row = run(store.connect("shop/other", pair(1)))
    run(store.keep(claimed(store, row), pair(2)))


def waiting(store: TokenStore) -> None:
    row = run(store.connect("shop/other", pair(2)))
    run(store.keep_candidate(claimed(store, row), pair(1)))


@pytest.mark.parametrize("before", [current, spent, waiting])
def test_F45_two_accounts_cannot_have_one_refresh_token(
    store: TokenStore, before: Callable[[TokenStore], None]
) -> None:
    """Whether it is the other's now, was, or waits there; the message names both accounts and no token."""
    before(store)

    with pytest.raises(SharedGrant, match="shop/other") as caught:
        connected(store, 1)

    assert ACCOUNT in str(caught.value)
    assert "RT_1" not in str(caught.value)
    assert run(store.read(ACCOUNT)) is None


def test_F45_an_account_may_be_connected_again_with_its_own_token(store: TokenStore) -> None:
    """Some providers give the same refresh token at every consent."""
    connected(store, 1)

    assert 2 == connected(store, 1).generation


def test_F45_accounts_without_a_refresh_token_share_none(store: TokenStore) -> None:
    """No token is not a token that two have."""
    run(store.connect("shop/a", pair(1, refresh=None)))

    assert run(store.connect("shop/b", pair(2, refresh=None))).refresh is None


# claim


def test_a_claim_takes_the_lease_and_writes_the_intent(store: TokenStore) -> None:
    """One statement, and durable: whoever reads next sees both."""
    seen = connected(store)

    row = claimed(store, seen)

    now = run(store.now())
    assert row == there(store)
    assert ("a", 1, 1, 1, 1) == (
        row.lease_owner,
        row.lease_epoch,
        row.intent_generation,
        row.intent_epoch,
        row.intent_count,
    )
    assert row.has_open_intent
    assert row.intent_at == pytest.approx(row.intent_first_at, abs=0.1)
    assert abs(now - row.intent_at) < 30
    assert 60.0 == pytest.approx(row.lease_until - row.intent_at, abs=1)


def test_a_lease_that_lives_is_not_taken(store: TokenStore) -> None:
    """Not by another, and not a second time by its owner."""
    connected(store)
    row = claimed(store)

    assert run(store.claim(row, owner="b", lease_s=LONG)) is None
    assert run(store.claim(row, owner="a", lease_s=LONG)) is None
    assert row == there(store)


WRONG = {
    "grant": {"grant_id": "0"},
    "generation": {"generation": 2},
    "epoch": {"lease_epoch": 1},
    "state": {"state": "ambiguous"},
    "account": {"account": "shop/none"},
}


@pytest.mark.parametrize("seen", WRONG.values(), ids=WRONG)
def test_a_claim_needs_the_row_as_it_was_seen(store: TokenStore, seen: dict[str, Any]) -> None:
    """Somebody was there since, and what was seen says nothing any more."""
    row = connected(store)

    assert run(store.claim(replace(row, **seen), owner="a", lease_s=LONG)) is None
    assert row == there(store)


@pytest.mark.parametrize("state", ["needs_reauth", "blocked_config"])
def test_what_is_ended_is_not_claimed(store: TokenStore, state: Any) -> None:
    """Nobody presents a token that was refused for good."""
    connected(store)
    held = claimed(store)
    run(store.refuse(held, state=state, reason="revoked"))
    run(store.release(held))

    assert run(store.claim(there(store), owner="a", lease_s=LONG)) is None


def test_a_back_off_is_for_everybody(store: TokenStore) -> None:
    """Nobody claims before its end; then anybody does, although the state is ambiguous."""
    connected(store)
    now = run(store.now())
    run(store.back_off(claimed(store), not_before=now + 60, undo=None))
    waits = there(store)
    assert run(store.claim(waits, owner="b", lease_s=LONG)) is None

    ended = run(store.claim(waits, owner="b", lease_s=LONG, over_stale=True))
    assert ended is not None
    run(store.back_off(ended, not_before=now - 60, undo=None))

    assert 3 == claimed(store, owner="c").intent_count


def test_N2_an_older_intent_keeps_its_first_time_and_its_count(store: TokenStore) -> None:
    """The second claim of a generation sees that, and since when, its outcome is unknown."""
    connected(store)
    first = claimed(store, lease_s=ENDED)

    second = claimed(store, owner="b")

    assert first.intent_first_at == second.intent_first_at
    assert (2, 2, 2) == (second.intent_count, second.intent_epoch, second.lease_epoch)
    assert second.intent_at >= first.intent_at


def test_N2_the_intent_of_a_new_generation_begins_anew(store: TokenStore) -> None:
    """What was unknown about an older refresh token no longer matters."""
    connected(store)
    first = claimed(store)
    assert "stored" == run(store.keep(first, pair(1)))
    assert not there(store).has_open_intent
    run(store.release(first))

    assert (2, 1) == ((again := claimed(store)).intent_generation, again.intent_count)


def test_N8_a_lease_too_far_ahead_may_be_taken_over(store: TokenStore) -> None:
    """Where it is still the very one that was seen: the clock was set back, and its holder is dead."""
    connected(store)
    dead = claimed(store, lease_s=9e6)

    assert run(store.claim(dead, owner="b", lease_s=LONG)) is None
    row = run(store.claim(dead, owner="b", lease_s=LONG, over_stale=True))

    assert row is not None
    assert ("b", 2) == (row.lease_owner, row.lease_epoch)
    assert row.lease_until < dead.lease_until


def test_N8_a_lease_that_was_renewed_is_not_taken_over(store: TokenStore) -> None:
    """Its holder lives: it has written another end since."""
    connected(store)
    held = claimed(store, lease_s=9e6)
    run(store.beat(held, lease_s=LONG))

    assert run(store.claim(held, owner="b", lease_s=LONG, over_stale=True)) is None


def test_N8_a_back_off_that_was_written_since_holds(store: TokenStore) -> None:
    """Only the one that was seen, and judged to be of another time, is passed over."""
    connected(store)
    now = run(store.now())
    run(store.back_off(claimed(store), not_before=now + 9e6, undo=None))
    seen = replace(there(store), not_before=now + 8e6)

    assert run(store.claim(seen, owner="b", lease_s=LONG, over_stale=True)) is None


def test_N10_a_fresh_row_is_free(store: TokenStore) -> None:
    """No lease and no back-off are zero, which has passed; never nothing, which no comparison finds."""
    row = connected(store)

    assert (0.0, 0.0) == (row.lease_until, row.not_before)
    assert run(store.claim(row, owner="a", lease_s=LONG)) is not None


# beat, release


def test_a_holder_renews_its_lease(store: TokenStore) -> None:
    """Also one that has ended, while nobody else has taken it."""
    connected(store)
    held = claimed(store, lease_s=ENDED)

    assert run(store.beat(held, lease_s=LONG))
    assert there(store).lease_until > held.lease_until
    assert run(store.claim(there(store), owner="b", lease_s=LONG)) is None


def test_F14_an_expired_holder_touches_nothing_of_its_successor(store: TokenStore) -> None:
    """Neither renewed nor given back."""
    slept, holder = late_holder(store)

    assert not run(store.beat(slept, lease_s=9e6))
    assert not run(store.release(slept))
    assert holder == there(store)


def test_a_released_lease_is_free_and_is_not_renewed(store: TokenStore) -> None:
    """A beat that comes after the release does not bring it back; a release may be tried again."""
    connected(store)
    held = claimed(store)

    assert run(store.release(held))
    assert run(store.release(held))
    assert not run(store.beat(held, lease_s=LONG))
    assert 2 == claimed(store, owner="b").lease_epoch


def test_the_lease_of_an_older_consent_is_nobodys(store: TokenStore) -> None:
    """Who held it can do nothing to the new grant."""
    connected(store)
    held = claimed(store)
    fresh = connected(store, 1)

    assert [False] * 5 == [
        run(store.beat(held, lease_s=LONG)),
        run(store.release(held)),
        run(store.refuse(held, state="needs_reauth", reason="revoked")),
        run(store.back_off(held, not_before=9e9, undo=None)),
        run(store.keep_candidate(held, pair(9))),
    ]
    assert fresh == there(store)


# keep


def test_a_successor_is_the_next_generation(store: TokenStore) -> None:
    """Access, refresh and expiry of one answer; no intent, no trouble; the lease stays until it is given back."""
    connected(store)
    now = run(store.now())
    run(store.back_off(claimed(store), not_before=now - 1, undo=None, reason="timeout"))
    held = claimed(store)

    assert "stored" == run(store.keep(held, pair(1, lifetime_s=60.0)))

    row = there(store)
    assert (2, Secret("AT_1"), Secret("RT_1"), 1e9 + 1, 60.0) == (
        row.generation,
        row.access,
        row.refresh,
        row.expires_at,
        row.lifetime_s,
    )
    assert ("ok", "", 0, 0.0, None, 0) == (
        row.state,
        row.reason,
        row.fail_count,
        row.not_before,
        row.intent_generation,
        row.intent_count,
    )
    assert (held.lease_epoch, held.lease_epoch, held.lease_until) == (
        row.stored_epoch,
        row.lease_epoch,
        row.lease_until,
    )


def test_F24_N7_a_refresh_token_that_is_not_replaced_stays(store: TokenStore) -> None:
    """With its end, where the answer says nothing of that; access, expiry and generation are the answer's."""
    run(store.connect(ACCOUNT, pair(0, refresh_expires_at=2e9)))
    held = claimed(store)
    run(store.keep(held, pair(1, refresh=None)))
    run(store.release(held))
    run(store.keep(claimed(store), pair(2, refresh=None, refresh_expires_at=3e9)))

    row = there(store)

    assert (3, Secret("AT_2"), Secret("RT_0"), 3e9) == (
        row.generation,
        row.access,
        row.refresh,
        row.refresh_expires_at,
    )


def test_a_new_refresh_token_has_not_the_end_of_the_old(store: TokenStore) -> None:
    """Nobody knows when it ends."""
    run(store.connect(ACCOUNT, pair(0, refresh_expires_at=2e9)))

    run(store.keep(claimed(store), pair(1)))

    assert there(store).refresh_expires_at is None


def test_F12_a_late_holder_may_store_while_the_generation_stands(store: TokenStore) -> None:
    """It has the only copy of the newest refresh token; the lease of the other stays the other's."""
    slept, holder = late_holder(store)

    assert "stored" == run(store.keep(slept, pair(1)))

    row = there(store)
    assert (2, Secret("RT_1"), "b", 2) == (row.generation, row.refresh, row.lease_owner, row.lease_epoch)
    assert holder.lease_until == row.lease_until


def test_F13_a_late_successor_is_kept_as_a_candidate(store: TokenStore) -> None:
    """It overwrites nothing and is not lost."""
    slept, holder = late_holder(store)
    run(store.keep(holder, pair(2)))

    assert "moved" == run(store.keep(slept, pair(1)))

    row = there(store)
    assert (2, Secret("AT_2"), Secret("RT_2")) == (row.generation, row.access, row.refresh)
    assert [(1, Secret("RT_1"), Secret("AT_1"), 1e9 + 1)] == [
        (one.generation, one.refresh, one.access, one.expires_at) for one in row.candidates
    ]


def test_a_late_answer_without_a_refresh_token_leaves_nothing(store: TokenStore) -> None:
    """The one that was used is spent by now, and never comes back."""
    slept, holder = late_holder(store)
    run(store.keep(holder, pair(2)))

    assert "moved" == run(store.keep(slept, pair(1, refresh=None)))
    assert () == there(store).candidates


def test_a_late_answer_with_the_same_refresh_token_leaves_nothing(store: TokenStore) -> None:
    """Some providers give the same successor to whoever asks again; it is the current one already."""
    slept, holder = late_holder(store)
    run(store.keep(holder, pair(2)))

    assert "moved" == run(store.keep(slept, pair(1, refresh=Secret("RT_2"))))
    assert () == there(store).candidates


def test_N1_a_store_that_was_acknowledged_to_nobody_is_known(store: TokenStore) -> None:
    """Tried again, it is found to be one's own: no candidate, no further generation."""
    connected(store)
    held = claimed(store)
    assert "stored" == run(store.keep(held, pair(1)))

    assert "own" == run(store.keep(held, pair(1)))

    assert (2, ()) == ((row := there(store)).generation, row.candidates)


def test_N1_it_is_known_after_others_have_refreshed_too(store: TokenStore) -> None:
    """A refresh token that was current once is spent: as a candidate it would be presented again."""
    connected(store)
    held = claimed(store)
    run(store.keep(held, pair(1)))
    run(store.release(held))
    for number in range(2, 9):
        holder = claimed(store, owner="b")
        run(store.keep(holder, pair(number)))
        run(store.release(holder))

    assert "own" == run(store.keep(held, pair(1)))

    assert (9, Secret("RT_8"), ()) == ((row := there(store)).generation, row.refresh, row.candidates)


def test_N1_a_candidate_is_kept_once(store: TokenStore) -> None:
    """However often its writing is tried again."""
    slept, holder = late_holder(store)
    run(store.keep(holder, pair(2)))

    assert ["moved"] * 3 == [run(store.keep(slept, pair(1))) for _ in range(3)]
    assert 1 == len(there(store).candidates)


def test_a_great_many_refreshes_leave_no_trace_that_grows(store: TokenStore) -> None:
    """What is remembered of earlier pairs is bounded, and what is cut off is never misread."""
    connected(store)
    held: list[TokenRow] = []
    for number in range(1, 50):
        held.append(claimed(store))
        run(store.keep(held[-1], pair(number)))
        run(store.release(held[-1]))

    assert "own" == run(store.keep(held[-20], pair(30)))
    assert "moved" == run(store.keep(held[0], pair(1)))  # long forgotten: kept rather than lost


def test_F43_N4_a_result_of_an_older_consent_is_dropped(store: TokenStore) -> None:
    """The new grant wins, and has no candidate of the old."""
    connected(store)
    held = claimed(store)
    fresh = connected(store, 5)

    assert "gone" == run(store.keep(held, pair(1)))
    assert fresh == there(store)


def test_F44_a_result_for_a_removed_account_is_dropped(store: TokenStore) -> None:
    """No row reappears."""
    connected(store)
    held = claimed(store)
    run(store.remove(ACCOUNT))

    assert "gone" == run(store.keep(held, pair(1)))
    assert not run(store.keep_candidate(held, pair(1)))
    assert run(store.read(ACCOUNT)) is None


def test_I6_a_late_successor_ends_a_verdict(store: TokenStore) -> None:
    """Who presented the token first has its successor after all."""
    slept, holder = late_holder(store)
    run(store.refuse(holder, state="needs_reauth", reason="rotation_response_lost"))

    assert "stored" == run(store.keep(slept, pair(1)))
    assert ("ok", "") == ((row := there(store)).state, row.reason)


# candidates


def test_F32_a_refresh_token_without_an_access_token_is_kept(store: TokenStore) -> None:
    """As a candidate of the generation that was presented; once."""
    connected(store)
    held = claimed(store)

    assert run(store.keep_candidate(held, TokenPair(Secret(""), Secret("RT_1"))))
    assert run(store.keep_candidate(held, TokenPair(Secret(""), Secret("RT_1"))))

    assert [(1, Secret("RT_1"), None)] == [(c.generation, c.refresh, c.access) for c in there(store).candidates]
    assert 1 == there(store).generation


def test_the_newest_candidate_is_promoted(store: TokenStore) -> None:
    """To the next generation, with what it came with; the others wait on."""
    connected(store)
    held = claimed(store)
    run(store.keep_candidate(held, pair(1)))
    run(store.keep_candidate(held, pair(2)))
    run(store.refuse(held, state="ambiguous", reason="refused"))

    row = run(store.promote(there(store)))

    assert row == there(store)
    assert row is not None
    assert (2, Secret("AT_2"), Secret("RT_2"), 1e9 + 2, "ok", "") == (
        row.generation,
        row.access,
        row.refresh,
        row.expires_at,
        row.state,
        row.reason,
    )
    assert not row.has_open_intent
    assert [Secret("RT_1")] == [one.refresh for one in row.candidates]


def test_a_candidate_of_a_later_generation_goes_first(store: TokenStore) -> None:
    """Whenever it came."""
    slept, holder = late_holder(store)
    run(store.keep(holder, pair(2)))
    run(store.release(holder))
    run(store.keep_candidate(claimed(store), pair(3)))
    run(store.keep(slept, pair(1)))

    row = run(store.promote(there(store)))

    assert row is not None
    assert Secret("RT_3") == row.refresh


def test_nothing_is_promoted_where_nothing_is_as_seen(store: TokenStore) -> None:
    """No candidate; another generation; another grant: of two that promote, one does."""
    connected(store)
    assert run(store.promote(there(store))) is None
    run(store.keep_candidate(claimed(store), pair(1)))
    seen = there(store)

    assert run(store.promote(replace(seen, generation=2))) is None
    assert run(store.promote(replace(seen, grant_id="0"))) is None
    assert run(store.promote(seen)) is not None
    assert run(store.promote(seen)) is None


def test_a_promoted_candidate_is_not_a_candidate_again(store: TokenStore) -> None:
    """Its late holder may still try to store it."""
    slept, holder = late_holder(store)
    run(store.keep(holder, pair(2)))
    run(store.keep(slept, pair(1)))
    run(store.promote(there(store)))

    assert "moved" == run(store.keep(slept, pair(1)))
    assert (3, Secret("RT_1"), ()) == ((row := there(store)).generation, row.refresh, row.candidates)


# refuse, back_off


def test_a_verdict_is_written_once_and_keeps_the_tokens(store: TokenStore) -> None:
    """The row stays, with why; so does the intent, where an earlier outcome is still unknown."""
    connected(store)
    held = claimed(store)

    assert run(store.refuse(held, state="needs_reauth", reason="revoked"))

    row = there(store)
    assert ("needs_reauth", "revoked", Secret("RT_0"), Secret("AT_0")) == (
        row.state,
        row.reason,
        row.refresh,
        row.access,
    )
    assert row.has_open_intent


def test_N12_the_verdict_of_a_late_holder_is_dropped(store: TokenStore) -> None:
    """The current holder decides."""
    slept, holder = late_holder(store)

    assert not run(store.refuse(slept, state="needs_reauth", reason="revoked"))
    assert holder == there(store)


def test_F34_a_verdict_on_an_older_generation_is_dropped(store: TokenStore) -> None:
    """A late holder stored a successor while this one was refused."""
    slept, holder = late_holder(store)
    run(store.keep(slept, pair(1)))

    assert not run(store.refuse(holder, state="needs_reauth", reason="revoked"))
    assert not run(store.back_off(holder, not_before=9e9, undo=None))
    assert ("ok", 0.0) == ((row := there(store)).state, row.not_before)


def test_I8_nobody_needs_to_consent_while_a_candidate_waits(store: TokenStore) -> None:
    """One that came between the look and the verdict counts; other states do not throw it away."""
    connected(store)
    held = claimed(store)
    run(store.keep_candidate(held, pair(1)))

    assert not run(store.refuse(held, state="needs_reauth", reason="revoked"))
    assert run(store.refuse(held, state="ambiguous", reason="needs_attention"))
    assert ("ambiguous", 1) == ((row := there(store)).state, len(row.candidates))


def test_a_fault_after_the_sending_leaves_the_intent(store: TokenStore) -> None:
    """Ambiguous, counted, with the lease given back."""
    connected(store)
    held = claimed(store)

    assert run(store.back_off(held, not_before=1e9, undo=None, reason="timeout"))

    row = there(store)
    assert ("ambiguous", "timeout", 1, 1e9, 0.0, "") == (
        row.state,
        row.reason,
        row.fail_count,
        row.not_before,
        row.lease_until,
        row.lease_owner,
    )
    assert (True, 1) == (row.has_open_intent, row.intent_count)


def test_F41_a_fault_before_the_sending_undoes_the_intent(store: TokenStore) -> None:
    """As if it had never been, but for the back-off."""
    seen = connected(store)
    held = claimed(store, seen)

    assert run(store.back_off(held, not_before=1e9, undo=seen, reason="unreachable"))

    expected = replace(seen, reason="unreachable", fail_count=1, not_before=1e9, lease_epoch=1)
    assert expected == there(store)


def test_N2_undoing_brings_the_older_intent_back(store: TokenStore) -> None:
    """Its outcome is as unknown as before: first time, last time, epoch and count."""
    connected(store)
    run(store.back_off(claimed(store), not_before=0.0, undo=None, reason="timeout"))
    seen = there(store)

    run(store.back_off(claimed(store, seen), not_before=0.0, undo=seen))

    expected = replace(seen, fail_count=2, lease_epoch=2)
    assert expected == there(store)
    assert ("ambiguous", 1) == (expected.state, expected.intent_count)


def test_a_late_holder_lets_nobody_wait(store: TokenStore) -> None:
    """Its trouble is of another time."""
    slept, holder = late_holder(store)

    assert not run(store.back_off(slept, not_before=9e9, undo=None))
    assert holder == there(store)


# the OAuth client


def test_N14_a_blocked_client_is_told_apart_from_its_accounts(store: TokenStore) -> None:
    """Every account reads it, none is marked; the last reason counts, and "" takes it away."""
    row = connected(store)
    run(store.block_client("shop", "invalid_client"))
    run(store.block_client("shop", "unauthorized_client"))

    assert "unauthorized_client" == run(store.client_block("shop"))
    assert "" == run(store.client_block("other"))
    assert row == there(store)

    run(store.block_client("shop", ""))
    assert "" == run(store.client_block("shop"))


def test_N14_a_client_may_have_a_long_name(store: TokenStore) -> None:
    """Some are the address of a document, and some a signed text."""
    client = f"shop:https://id.example.com/{'c' * 1000}"

    run(store.block_client(client, "invalid_client"))

    assert "invalid_client" == run(store.client_block(client))
    run(store.block_client(client, ""))


# many at a time


def test_one_of_fifty_tasks_claims(store: TokenStore) -> None:
    """All have seen the same row."""
    seen = connected(store)

    async def everybody() -> list[TokenRow | None]:
        return await asyncio.gather(*(store.claim(seen, owner=f"{n}", lease_s=LONG) for n in range(50)))

    won = [row for row in run(everybody()) if row is not None]

    assert [there(store)] == won


def test_one_of_fifty_threads_claims(url: str) -> None:
    """Over several stores with connections of their own, all at the same moment."""
    together = Barrier(50)
    with ExitStack() as open_ones:
        stores = [open_ones.enter_context(closing(DatabaseTokens(url, Sealing([KEY])))) for _ in range(5)]
        seen = connected(stores[0])

        def one(number: int) -> TokenRow | None:
            together.wait(30)
            return run(stores[number % 5].claim(seen, owner=f"{number}", lease_s=LONG))

        with ThreadPoolExecutor(50) as threads:
            won = [row for row in threads.map(one, range(50)) if row is not None]

        assert [there(stores[0])] == won


def test_every_late_successor_of_many_threads_is_kept(url: str) -> None:
    """One is stored, and all the others are candidates."""
    with closing(DatabaseTokens(url, Sealing([KEY]), FixedClock(AT))) as own:
        connected(own)
        held = [claimed(own, lease_s=ENDED) for _ in range(12)]

        with ThreadPoolExecutor(12) as threads:
            became = [*threads.map(lambda n: run(own.keep(held[n], pair(n + 1))), range(12))]

        row = there(own)
        kept = {row.refresh, *(one.refresh for one in row.candidates)}
        assert {"stored": 1, "moved": 11} == {word: became.count(word) for word in became}
        assert {Secret(f"RT_{n + 1}") for n in range(12)} == kept


def test_F45_of_two_that_connect_one_token_at_once_one_is_refused(url: str) -> None:
    """However the two fall together."""
    with closing(DatabaseTokens(url, Sealing([KEY]), FixedClock(AT))) as own:

        def one(number: int) -> bool:
            try:
                run(own.connect(f"shop/{number}", pair(1)))
            except SharedGrant:
                return False
            return True

        with ThreadPoolExecutor(8) as threads:
            assert 1 == sum(threads.map(one, range(8)))
        assert 1 == len(run(own.accounts()))


CLAIMS = """
import asyncio, sys
from connproof.stores import DatabaseTokens, Sealing

store = DatabaseTokens(sys.argv[1], Sealing([sys.argv[2]]))
store.create()
seen = asyncio.run(store.read("shop/acme"))
print("ready", flush=True)
sys.stdin.readline()
won = asyncio.run(store.claim(seen, owner=sys.argv[3], lease_s=60))
print("won" if won else "lost")
store.close()
"""


def test_F02_one_of_two_processes_claims(tmp_path: Path) -> None:
    """On one SQLite file, which both say they would make."""
    url = f"sqlite:///{tmp_path}/t.db"
    with closing(DatabaseTokens(url, Sealing([KEY]))) as store:
        store.create()
        connected(store)
    command = [sys.executable, "-c", CLAIMS, url, KEY]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([*command, "a"], **pipes) as a, subprocess.Popen([*command, "b"], **pipes) as b:
        for process in (a, b):
            assert "ready\n" == process.stdout.readline()  # type: ignore[union-attr] # it is a pipe
        for process in (a, b):
            process.stdin.write("go\n")  # type: ignore[union-attr] # it is a pipe
            process.stdin.flush()  # type: ignore[union-attr] # it is a pipe
        said = sorted(process.communicate(timeout=60)[0].strip() for process in (a, b))

    assert ["lost", "won"] == said


# any order of it all


class Numbered(RuleBasedStateMachine):
    """Holders who sleep and come back in any order, against a provider that numbers its pairs."""

    def __init__(self, store: TokenStore, numbers: Iterator[int]) -> None:
        super().__init__()
        self.store = store
        self.numbers = numbers
        first = next(numbers)
        self.account = f"shop/{first}"
        self.row = run(store.connect(self.account, pair(first)))
        self.holders: list[TokenRow] = []
        self.received: dict[TokenRow, int] = {}
        self.kept: set[int] = set()
        self.current: set[int] = set()

    def there(self) -> TokenRow:
        row = run(self.store.read(self.account))
        assert row is not None
        return row

    @rule()
    def claim(self) -> None:
        won = run(self.store.claim(self.there(), owner=f"{len(self.holders)}", lease_s=ENDED))
        if won is not None:
            self.holders.append(won)

    @precondition(lambda self: self.holders)
    @rule(data=st.data())
    def keep(self, data: st.DataObject) -> None:
        """A holder stores what it was answered; once more, where it was not told that it had."""
        held = data.draw(st.sampled_from(self.holders))
        number = self.received.setdefault(held, next(self.numbers))
        if run(self.store.keep(held, pair(number))) in {"stored", "moved"}:
            self.kept.add(number)

    @precondition(lambda self: self.holders)
    @rule(data=st.data())
    def keep_candidate(self, data: st.DataObject) -> None:
        number = next(self.numbers)
        if run(self.store.keep_candidate(data.draw(st.sampled_from(self.holders)), pair(number))):
            self.kept.add(number)

    @rule()
    def promote(self) -> None:
        before = self.there()
        assert bool(before.candidates) == (run(self.store.promote(before)) is not None)

    @precondition(lambda self: self.holders)
    @rule(data=st.data(), state=st.sampled_from(["needs_reauth", "ambiguous"]))
    def refuse(self, data: st.DataObject, state: Any) -> None:
        before = self.there()
        if run(self.store.refuse(data.draw(st.sampled_from(self.holders)), state=state, reason="revoked")):
            assert state == "ambiguous" or not before.candidates

    @precondition(lambda self: self.holders)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        run(self.store.release(data.draw(st.sampled_from(self.holders))))

    @rule()
    def consent(self) -> None:
        self.kept = set()
        run(self.store.connect(self.account, pair(next(self.numbers))))

    @invariant()
    def the_generation_grows_with_every_new_pair(self) -> None:
        row = self.there()
        assert (row.generation - self.row.generation, row.refresh != self.row.refresh) in {(0, False), (1, True)}
        self.row = row

    @invariant()
    def a_row_is_of_one_pair(self) -> None:
        row = self.there()
        assert row.access is not None and row.refresh is not None and row.expires_at is not None
        assert 1 == len({row.access.reveal()[3:], row.refresh.reveal()[3:], f"{row.expires_at - 1e9:.0f}"})

    @invariant()
    def what_was_kept_waits_until_it_is_current_and_never_again(self) -> None:
        row = self.there()
        assert row.refresh is not None
        self.current.add(int(row.refresh.reveal()[3:]))
        waiting = [int(one.refresh.reveal()[3:]) for one in row.candidates]
        assert sorted(self.kept - self.current) == sorted(waiting)


def in_any_order(machine: Callable[[], Numbered], **words: int) -> None:
    run_state_machine_as_test(machine, settings=settings(**words))  # type: ignore[arg-type] # calls it, class or not


def test_any_order_of_steps_in_memory() -> None:
    """Pairs stay whole, generations grow, and what a provider issued is current, waits, or was current."""
    store, numbers = MemoryTokens(FixedClock(AT)), count()

    in_any_order(lambda: Numbered(store, numbers), max_examples=50, stateful_step_count=30)


def test_any_order_of_steps_in_a_database(url: str) -> None:
    """The same, in fewer orders."""
    numbers = count()
    with closing(DatabaseTokens(url, Sealing([KEY]), FixedClock(AT))) as store:
        in_any_order(lambda: Numbered(store, numbers), max_examples=10, stateful_step_count=20)
