"""Tokens in a database: what is written, what a wrong key, a full disk or a fork do, and that no loop waits."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connproof.clock import FixedClock
from connproof.errors import CallWrong, ClientMisconfigured, StoreFailed
from connproof.model import Secret, TokenPair, TokenRow
from connproof.stores import DatabaseTokens, Sealing, new_key

run = asyncio.run
ACCOUNT = "shop/acme"
ACCESS, REFRESH = "canary-access-5f1e77", "canary-refresh-90ab12"
PAIR = TokenPair(Secret(ACCESS), Secret(REFRESH), 2e9)
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OLD, NEW = new_key(), new_key()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/tokens.db"


@pytest.fixture
def store(url: str) -> Iterator[DatabaseTokens]:
    """A store with one account."""
    with closing(DatabaseTokens(url, Sealing([OLD]), FixedClock(AT))) as kept:
        kept.create()
        run(kept.connect(ACCOUNT, PAIR))
        yield kept


def rows(url: str, statement: str = "SELECT * FROM connproof_tokens", *values: Any) -> list[Any]:
    """What the file itself has."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        return connection.execute(statement, values).fetchall()


def claimed(store: DatabaseTokens) -> TokenRow:
    seen = run(store.read(ACCOUNT))
    assert seen is not None
    row = run(store.claim(seen, owner="a", lease_s=60))
    assert row is not None
    return row


def test_no_token_is_in_the_file(store: DatabaseTokens, tmp_path: Path) -> None:
    """Neither the pair nor a candidate, in the file or what lies beside it."""
    run(store.keep_candidate(claimed(store), TokenPair(Secret("canary-late-a"), Secret("canary-late-r"))))

    files = b"".join(path.read_bytes() for path in tmp_path.glob("tokens.db*"))

    assert b"shop/acme" in files
    assert b"canary" not in files


def test_tables_have_nothing_else_in_them(store: DatabaseTokens, url: str) -> None:
    """F18: no write of another matter can conflict with a refresh."""
    assert run(store.client_block("shop")) == ""
    assert {"connproof_tokens", "connproof_token_clients"} == {
        name for (name,) in rows(url, "SELECT name FROM sqlite_schema WHERE type = 'table'")
    }


def test_a_file_is_written_ahead_and_in_full(store: DatabaseTokens) -> None:
    """What was acknowledged outlives a loss of power; who reads does not wait for who writes."""
    with store._engine.connect() as connection:
        told = [connection.exec_driver_sql(f"PRAGMA {word}").scalar() for word in ("journal_mode", "synchronous")]

    assert ["wal", 2] == told


def test_the_file_is_its_owners_alone(store: DatabaseTokens, tmp_path: Path) -> None:
    """And so is what the database lays beside it."""
    assert run(store.now()) == AT.timestamp()
    assert {0o600} == {path.stat().st_mode & 0o777 for path in tmp_path.glob("tokens.db*")}


def test_N8_a_file_has_the_clock_that_it_is_given(url: str) -> None:
    """Leases are judged by it."""
    with closing(DatabaseTokens(url, Sealing([OLD]), FixedClock(AT + timedelta(hours=1)))) as later:
        later.create()
        run(later.connect(ACCOUNT, PAIR))

        assert (AT + timedelta(hours=1, minutes=1)).timestamp() == claimed(later).lease_until


def test_F03_a_server_has_its_own_clock(postgres_url: str) -> None:
    """Whatever the machine thinks that asks it."""
    with closing(DatabaseTokens(postgres_url, Sealing([OLD]), FixedClock(AT - timedelta(days=999)))) as store:
        first, second = run(store.now()), run(store.now())

    assert abs(first - datetime.now(UTC).timestamp()) < 60
    assert first < second


# keys


def test_F50_a_row_under_another_key_is_blocked_and_stays_as_it_is(store: DatabaseTokens, url: str) -> None:
    """Its tokens are None; nobody claims it; with the key it is what it was."""
    was, before = rows(url), run(store.read(ACCOUNT))
    with closing(DatabaseTokens(url, Sealing([NEW]), FixedClock(AT))) as other:
        row = run(other.read(ACCOUNT))
        assert row is not None
        assert ("blocked_config", "unreadable", None, None, 2e9) == (
            row.state,
            row.reason,
            row.access,
            row.refresh,
            row.expires_at,
        )
        assert [row] == run(other.accounts())
        assert run(other.claim(row, owner="a", lease_s=60)) is None
        assert run(other.promote(row)) is None

    assert was == rows(url)
    assert before == run(store.read(ACCOUNT))


@pytest.mark.parametrize("column", ["access", "refresh", "candidates"])
def test_F50_one_text_that_does_not_open_blocks_the_row(store: DatabaseTokens, url: str, column: str) -> None:
    """What opens is there all the same: an access token that lives still serves. Candidates wait for their key."""
    run(store.keep_candidate(claimed(store), TokenPair(Secret(""), Secret("RT_1"))))
    rows(url, f"UPDATE connproof_tokens SET {column} = ?", f"mark {'0' * 8}.AAAA\n")

    row = run(store.read(ACCOUNT))

    assert row is not None
    readable = {"access": row.access, "refresh": row.refresh, "candidates": row.candidates}
    assert ("blocked_config", "unreadable") == (row.state, row.reason)
    assert [column] == [name for name, value in readable.items() if not value]
    assert run(store.promote(row)) is None or column != "candidates"


def test_F50_a_text_that_was_moved_does_not_open(store: DatabaseTokens, url: str) -> None:
    """Whoever can write to the table can give nobody another's tokens."""
    run(store.connect("shop/beta", TokenPair(Secret("AT_b"), Secret("RT_b"))))
    rows(url, "UPDATE connproof_tokens SET access = (SELECT access FROM connproof_tokens WHERE account = 'shop/beta')")

    row = run(store.read(ACCOUNT))

    assert row is not None
    assert ("blocked_config", None) == (row.state, row.access)


def test_every_refresh_seals_under_the_newest_key(store: DatabaseTokens, url: str) -> None:
    """A refresh token that stays is sealed anew too: some providers never give another."""
    assert run(store.read(ACCOUNT)) is not None
    with closing(DatabaseTokens(url, Sealing([NEW, OLD]), FixedClock(AT))) as both:
        run(both.keep(claimed(both), TokenPair(Secret("AT_1"))))

    with closing(DatabaseTokens(url, Sealing([NEW]), FixedClock(AT))) as after:
        row = run(after.read(ACCOUNT))

    assert row is not None
    assert ("ok", Secret("AT_1"), Secret(REFRESH)) == (row.state, row.access, row.refresh)


def test_F45_a_shared_token_is_known_under_an_older_key(store: DatabaseTokens, url: str) -> None:
    """As long as that key is there."""
    assert run(store.read(ACCOUNT)) is not None
    with (
        closing(DatabaseTokens(url, Sealing([NEW, OLD]), FixedClock(AT))) as both,
        pytest.raises(CallWrong, match=ACCOUNT),
    ):
        run(both.connect("shop/beta", PAIR))


# failures


def test_F15_a_store_that_is_not_there_fails_and_shows_nothing(tmp_path: Path) -> None:
    """No password, no token, not even in what led to it."""
    url = f"postgresql://user:s3cret@/tokens?host={tmp_path}"
    with (
        closing(DatabaseTokens(url, Sealing([OLD]))) as store,
        pytest.raises(StoreFailed, match="postgresql:///tokens") as caught,
    ):
        run(store.connect(ACCOUNT, PAIR))

    shown = "".join(traceback.format_exception(caught.value))
    assert not [word for word in ("s3cret", ACCESS, REFRESH) if word in shown]


def test_a_store_without_its_tables_fails(url: str) -> None:
    """And says where to read on."""
    with closing(DatabaseTokens(url, Sealing([OLD]))) as store, pytest.raises(StoreFailed, match=r"docs/stores\.md"):
        run(store.read(ACCOUNT))


def test_F19_a_disk_that_is_full_refuses_the_claim(store: DatabaseTokens) -> None:
    """Before anything is sent; what is there can still be read."""
    before = run(store.read(ACCOUNT))
    assert before is not None
    with store._engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StoreFailed, match="full") as caught:
        run(store.claim(before, owner="a" * 100_000, lease_s=60))

    assert REFRESH not in str(caught.value)
    assert before == run(store.read(ACCOUNT))


def test_a_writer_that_does_not_end_is_waited_for_and_told(store: DatabaseTokens, url: str) -> None:
    """Whoever reads meanwhile does not wait at all."""
    before = run(store.read(ACCOUNT))
    assert before is not None
    with store._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 1")  # the pool's one connection until now
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        assert before == run(store.read(ACCOUNT))
        with pytest.raises(StoreFailed, match="locked"):
            run(store.claim(before, owner="a", lease_s=60))


def test_an_error_of_the_caller_is_not_the_stores(store: DatabaseTokens) -> None:
    """A transaction that is left by another exception is rolled back, and the exception is as it was."""

    def broken_off() -> None:
        with store._writing() as connection:
            connection.execute(store._tokens.delete())
            raise ClientMisconfigured("of another matter")

    with pytest.raises(ClientMisconfigured):
        broken_off()

    assert run(store.read(ACCOUNT)) is not None


def test_N1_a_commit_that_nobody_acknowledged_is_found_to_be_ones_own(store: DatabaseTokens, url: str) -> None:
    """F16: it is tried again over another connection, which sees it."""
    held = claimed(store)
    pair = TokenPair(Secret("AT_1"), Secret("RT_1"))
    lose_one_acknowledgement(store)

    with pytest.raises(StoreFailed):
        run(store.keep(held, pair))
    with closing(DatabaseTokens(url, Sealing([OLD]), FixedClock(AT))) as again:
        assert "own" == run(again.keep(held, pair))
        row = run(again.read(ACCOUNT))

    assert row is not None
    assert (2, Secret("RT_1"), ()) == (row.generation, row.refresh, row.candidates)


def lose_one_acknowledgement(store: DatabaseTokens) -> None:
    """The next commit happens, and whoever asked for it hears that the connection is lost."""
    import sqlalchemy as sa

    dialect: Any = store._engine.dialect
    commit = dialect.do_commit

    def lost(connection: Any) -> None:
        commit(connection)
        dialect.do_commit = commit
        raise sa.exc.OperationalError("COMMIT", None, ConnectionError("connection lost"))

    dialect.do_commit = lost


def test_a_file_may_be_made_by_several_at_once(url: str) -> None:
    """Whoever is refused the change of the journal, which does not wait, goes on all the same."""
    import sqlalchemy as sa

    with (
        closing(DatabaseTokens(url, Sealing([OLD]), FixedClock(AT))) as store,
        closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        sa.event.listen(store._engine, "connect", lambda *_: other.rollback())

        store.create()

        run(store.connect(ACCOUNT, PAIR))
    with closing(DatabaseTokens(url, Sealing([OLD]), FixedClock(AT))) as store:
        assert run(store.read(ACCOUNT)) is not None
    assert [("wal",)] == rows(url, "PRAGMA journal_mode")


@pytest.mark.parametrize("url", ["", "tokens.db", "nosuch://user:s3cret@host/db", "sqlite://", "sqlite:///:memory:"])
def test_what_is_no_database_is_refused(url: str) -> None:
    """Without the address in the message: it may hold a password."""
    with pytest.raises(CallWrong) as caught:
        DatabaseTokens(url, Sealing([OLD]))

    assert "s3cret" not in str(caught.value)
    assert "token" in str(caught.value)


# the loop, and processes


def test_N9_no_loop_waits_for_the_database(store: DatabaseTokens, url: str) -> None:
    """While a claim waits for its turn to write, other tasks go on; a heartbeat would be one of them."""
    seen = run(store.read(ACCOUNT))
    assert seen is not None
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def both() -> tuple[int, TokenRow | None]:
        waiting = asyncio.create_task(store.claim(seen, owner="a", lease_s=60))
        turns = 0
        while not waiting.done() and turns < 1000:
            await asyncio.sleep(0)
            turns += 1
        other.rollback()
        return turns, await waiting

    turns, row = run(both())
    other.close()

    assert (1000, 1) == (turns, row.lease_epoch if row else None)


FORKS = """
import asyncio, os, sys
from connproof.stores import DatabaseTokens, Sealing

store = DatabaseTokens(sys.argv[1], Sealing([sys.argv[2]]))
here = asyncio.run(store.read("shop/acme"))
parents = store._engine.pool
child = os.fork()
if child == 0:
    won = asyncio.run(store.claim(here, owner="child", lease_s=60))
    os._exit(0 if won and store._engine.pool is not parents else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), asyncio.run(store.read("shop/acme")).lease_owner)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_F49_a_forked_process_goes_on_with_threads_and_connections_of_its_own(store: DatabaseTokens, url: str) -> None:
    """Although its parent has used the store before."""
    assert run(store.read(ACCOUNT)) is not None
    command = [sys.executable, "-W", "ignore", "-c", FORKS, url, OLD]

    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)

    assert "0 child\n" == told.stdout


def test_F49_so_does_one_on_a_server(postgres_url: str) -> None:
    """Two processes on one connection would read each other's answers."""
    with closing(DatabaseTokens(postgres_url, Sealing([OLD]))) as store:
        store.create()
        run(store.connect(ACCOUNT, PAIR))
        command = [sys.executable, "-W", "ignore", "-c", FORKS, postgres_url, OLD]

        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        run(store.remove(ACCOUNT))

    assert "0 child\n" == told.stdout


def test_start_up_loads_no_cipher_and_no_database() -> None:
    """Most runs keep no tokens."""
    asked = (
        "import connproof.cli, sys; print([m for m in ('sqlalchemy', 'cryptography', 'keyring') if m in sys.modules])"
    )

    loaded = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert "[]" == loaded.stdout.strip()
