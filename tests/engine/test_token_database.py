"""Tokens in a database: what is written, what a wrong key, a full disk or a fork do, and that no loop waits."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connproof.clock import FixedClock
from connproof.errors import CallWrong, ClientMisconfigured, SharedGrant, StoreFailed
from connproof.model import Secret, TokenPair, TokenRow
from connproof.stores import DatabaseTokens, Sealing, new_key
from connproof.stores.token_transactions import _connected
from postgres import empty_database

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


@pytest.fixture(params=["sqlite", "postgres"])
def old(request: pytest.FixtureRequest, url: str) -> Iterator[str]:
    """The address of a store with two accounts, one of which has a candidate, sealed under the old key."""
    url = url if request.param == "sqlite" else empty_database(request.getfixturevalue("postgres_url"))
    with closing(DatabaseTokens(url, Sealing([OLD]))) as kept:
        kept.create()
        run(kept.connect("shop/beta", TokenPair(Secret("AT_b"))))
        run(kept.connect(ACCOUNT, PAIR))
        late = TokenPair(Secret("AT_1"), Secret("RT_1"), 3e9)
        run(kept.keep_candidate(claimed(kept), late))
        run(kept.keep_candidate(there(kept), TokenPair(Secret(""), Secret("RT_2"))))
        yield url


def there(store: DatabaseTokens) -> TokenRow:
    row = run(store.read(ACCOUNT))
    assert row is not None
    return row


def test_what_is_idle_is_sealed_anew(old: str) -> None:
    """Every part of it; the old key opens nothing any more, and the row is as it was but for the token's mark."""
    with closing(DatabaseTokens(old, Sealing([OLD]))) as before, closing(DatabaseTokens(old, Sealing([NEW]))) as after:
        was = run(before.accounts())
        with closing(DatabaseTokens(old, Sealing([NEW, OLD]))) as both:
            assert {ACCOUNT: "resealed", "shop/beta": "resealed"} == run(both.reseal())
            assert {ACCOUNT: "newest", "shop/beta": "newest"} == run(both.reseal())
        row = there(after)

        assert [replace(one, refresh_mark="") for one in was] == [
            replace(one, refresh_mark="") for one in run(after.accounts())
        ]
        assert [Secret("RT_1"), Secret("RT_2")] == [one.refresh for one in row.candidates]
        assert {"unreadable"} == {one.reason for one in run(before.accounts())}
        # And what is known by a mark is known by the new key's.
        for refresh in (REFRESH, "RT_1"):
            with pytest.raises(SharedGrant):
                run(after.connect("shop/gamma", TokenPair(Secret("AT"), Secret(refresh))))
        assert run(after.keep_candidate(row, TokenPair(Secret(""), Secret("RT_2"))))
        assert row == there(after)


def test_a_refresh_goes_on_while_its_row_is_sealed_anew(old: str) -> None:
    """The claim holds, and so does the fence."""
    with closing(DatabaseTokens(old, Sealing([NEW, OLD]))) as both:
        held = there(both)
        run(both.reseal())

        assert run(both.beat(held, lease_s=60))
        assert "stored" == run(both.keep(held, TokenPair(Secret("AT_3"), Secret("RT_3"))))


@pytest.mark.parametrize("column", ["access", "refresh", "candidates"])
def test_F50_what_no_key_opens_is_not_sealed_anew(store: DatabaseTokens, url: str, column: str) -> None:
    """Nothing of the row, or its key would no longer be missed."""
    run(store.keep_candidate(claimed(store), TokenPair(Secret(""), Secret("RT_1"))))
    rows(url, f"UPDATE connproof_tokens SET {column} = ?", f"mark {'0' * 8}.AAAA\n")
    was = rows(url)
    with closing(DatabaseTokens(url, Sealing([NEW, OLD]), FixedClock(AT))) as both:
        assert {ACCOUNT: "unreadable"} == run(both.reseal())

    assert was == rows(url)


@pytest.mark.parametrize("column", ["access", "refresh", "refresh_mark", "candidates"])
def test_one_part_under_an_older_key_is_enough(store: DatabaseTokens, url: str, column: str) -> None:
    """As where a late worker has appended a candidate that has not the new key yet."""
    run(store.keep_candidate(claimed(store), TokenPair(Secret(""), Secret("RT_1"))))
    ((was,),) = rows(url, f"SELECT {column} FROM connproof_tokens")
    with closing(DatabaseTokens(url, Sealing([NEW, OLD]), FixedClock(AT))) as both:
        run(both.reseal())
        rows(url, f"UPDATE connproof_tokens SET {column} = ?", was)

        assert {ACCOUNT: "resealed"} == run(both.reseal())

    ((now,),) = rows(url, f"SELECT {column} FROM connproof_tokens")
    assert not set(was.split()) & set(now.split())


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


def test_I14_no_frame_of_a_failed_write_has_a_token_in_it(store: DatabaseTokens, url: str) -> None:
    """Some who report an exception send what every function on the way had in hand."""
    held = claimed(store)
    run(store.keep(held, TokenPair(Secret("AT_1"), Secret("RT_1"))))
    run(store.release(held))
    rows(
        url,
        "CREATE TRIGGER full BEFORE UPDATE OF candidates ON connproof_tokens"
        " BEGIN SELECT RAISE(ABORT, 'disk is full'); END",
    )

    with pytest.raises(StoreFailed, match="disk is full") as caught:
        run(store.keep_candidate(claimed(store), TokenPair(Secret(ACCESS), Secret("canary-late"))))

    context: BaseException | None = caught.value
    seen = []
    while context is not None:
        seen += [repr(frame.f_locals) for frame, _ in traceback.walk_tb(context.__traceback__) if "conn" in repr(frame)]
        context = context.__context__
    assert len(seen) > 3
    assert "canary" not in "".join(seen)


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


@pytest.mark.parametrize("code", [sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_RECOVERY])
def test_a_journal_that_is_busy_is_left_as_it_is(code: int) -> None:
    """Also where somebody sets right just now what a crash has left; another fault is one."""

    class Driver:
        isolation_level: str | None = ""

        def __init__(self, code: int) -> None:
            self.code = code
            self.asked: list[str] = []

        def execute(self, statement: str) -> None:
            self.asked.append(statement)
            if "journal_mode" in statement:
                fault = sqlite3.OperationalError("told by its code")
                fault.sqlite_errorcode = self.code
                raise fault

    busy = Driver(code)
    _connected(busy, None)

    assert "PRAGMA synchronous=FULL" == busy.asked[-1]
    with pytest.raises(sqlite3.OperationalError):
        _connected(Driver(sqlite3.SQLITE_CANTOPEN), None)


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


# many machines


@pytest.fixture(scope="module")
def server(postgres_url: str) -> str:
    """A database on the server, with one account; its URL."""
    url = empty_database(postgres_url)
    with closing(DatabaseTokens(url, Sealing([OLD]))) as store:
        store.create()
        run(store.connect(ACCOUNT, PAIR))
    return url


@pytest.fixture
def served(server: str) -> Iterator[DatabaseTokens]:
    """A store on the server."""
    with closing(DatabaseTokens(server, Sealing([OLD]))) as kept:
        yield kept


def test_I13_a_row_that_another_keeps_locked_is_not_waited_for_without_end(
    served: DatabaseTokens, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads that wait for one account would be missed by all the others."""
    import psycopg

    monkeypatch.setattr("connproof.stores.token_transactions._PATIENCE_S", 0.1)
    seen = run(served.read(ACCOUNT))
    assert seen is not None
    with psycopg.connect(server) as other:
        other.execute("SELECT * FROM connproof_tokens FOR UPDATE")

        with pytest.raises(StoreFailed, match="lock timeout"):
            run(asyncio.wait_for(served.claim(seen, owner="a", lease_s=60), 5))

    assert seen == run(served.read(ACCOUNT))


def test_F12_a_process_that_sleeps_in_a_transaction_keeps_no_row(
    served: DatabaseTokens, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends its transaction; when it goes on it is told so."""
    monkeypatch.setattr("connproof.stores.token_transactions._PATIENCE_S", 0.1)

    def written(store: DatabaseTokens) -> bool:
        try:
            return store._written(store._tokens.c.account == ACCOUNT, reason="")
        except StoreFailed:  # it was locked still
            return False

    def sleep_while_it_is_written(awake: DatabaseTokens) -> None:
        with served._writing() as asleep:
            asleep.execute(served._tokens.delete())
            assert any(written(awake) for _ in range(20))
            asleep.execute(served._tokens.delete())

    with closing(DatabaseTokens(server, Sealing([OLD]))) as other, pytest.raises(StoreFailed):
        sleep_while_it_is_written(other)
    assert run(served.read(ACCOUNT)) is not None


def test_a_pooler_may_give_another_connection_to_the_server_each_time(served: DatabaseTokens) -> None:
    """Which knows nothing of statements that were prepared on the one before."""
    for _ in range(8):
        assert run(served.read(ACCOUNT)) is not None
    with served._engine.begin() as connection:  # said so that the driver does not hear it either
        connection.exec_driver_sql("DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$")

    assert run(served.read(ACCOUNT)) is not None


def test_whoever_is_late_is_told_so_whatever_the_server_isolates(postgres_url: str) -> None:
    """By a stricter default, who waits for a row that is written would hear of a failure, and not that it was late."""
    import psycopg

    url = empty_database(postgres_url)
    with (
        psycopg.connect(url, autocommit=True) as other,
        closing(DatabaseTokens(url, Sealing([OLD]))) as store,
        ThreadPoolExecutor(1) as thread,
    ):
        other.execute(f"ALTER DATABASE {other.info.dbname} SET default_transaction_isolation = 'serializable'".encode())
        store.create()
        seen = run(store.connect(ACCOUNT, PAIR))
        with other.transaction():
            other.execute("UPDATE connproof_tokens SET lease_epoch = 1")
            late = thread.submit(lambda: run(store.claim(seen, owner="a", lease_s=60)))
            while other.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone() is None:
                assert not late.done(), late.result()

        assert late.result() is None


def test_what_is_sealed_anew_is_what_others_have_written(served: DatabaseTokens, server: str) -> None:
    """A successor that is stored at the same moment is not overwritten by what was there before it."""
    import psycopg

    with (
        psycopg.connect(server, autocommit=True) as other,
        closing(DatabaseTokens(server, Sealing([NEW, OLD]))) as both,
        ThreadPoolExecutor(1) as thread,
    ):
        with other.transaction():
            other.execute("UPDATE connproof_tokens SET access = NULL")
            late = thread.submit(lambda: run(both.reseal()))
            while other.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone() is None:
                assert not late.done(), late.result()

        assert {ACCOUNT: "resealed"} == late.result()
        assert there(both).access is None
        run(served.connect(ACCOUNT, PAIR))


def test_a_server_that_falls_silent_is_noticed(served: DatabaseTokens) -> None:
    """In the same time as one that takes nothing any more, by the kernel: nothing here could ask for it."""
    with served._engine.connect() as connection:
        parameters = connection.connection.driver_connection.info.get_parameters()  # type: ignore[union-attr] # it is one

    assert {
        "tcp_user_timeout": "5000",
        "keepalives_idle": "2",
        "keepalives_interval": "1",
    }.items() <= parameters.items()


def test_whoever_may_make_no_tables_can_use_those_that_are_there(server: str) -> None:
    """As an application on a server often may not."""
    import psycopg

    with psycopg.connect(server) as owner:
        owner.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        owner.execute("CREATE ROLE app LOGIN")
        owner.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app")

    with closing(DatabaseTokens(server.replace("postgres@", "app@"), Sealing([OLD]))) as store:
        store.create()
        assert run(store.read(ACCOUNT)) is not None


CLOSES = """
import asyncio, os, sys
from connproof.stores import DatabaseTokens, Sealing

def backend():
    with store._engine.connect() as connection:
        return connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()

store = DatabaseTokens(sys.argv[1], Sealing([sys.argv[2]]))
asyncio.run(store.read("shop/acme"))
before, parents = backend(), store._engine.pool
if (child := os.fork()) == 0:
    store.create() if sys.argv[3] == "create" else store.close()
    os._exit(0 if store._engine.pool is not parents else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), before == backend())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("what", ["create", "close"])
def test_F49_what_a_forked_process_makes_or_closes_is_its_own(server: str, what: str) -> None:
    """Its parent goes on over the connection that it had."""
    command = [sys.executable, "-W", "ignore", "-c", CLOSES, server, OLD, what]

    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)

    assert "0 True\n" == told.stdout
