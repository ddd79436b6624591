"""Work becomes one transaction in a database, and its failure a StoreFailed that shows nothing of what was asked.

Each runs in a thread of the store, so that the event loop goes on. What the store was asked may still happen after the
caller was cancelled. Nobody waits without end: not for a file, for a row, or for a server that is gone.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from connproof.clock import Clock
from connproof.errors import StoreFailed
from connproof.stores.opening import cause_of, opened

if TYPE_CHECKING:
    import sqlalchemy

__all__ = ["Transactions"]

_LOCK: Final = 0x636F6E6E  # which advisory lock of PostgreSQL is ours; any number that others have not
_THREADS: Final = 4
# A store that cannot be asked says so while the lease of whoever asks still runs.
_PATIENCE_S: Final = 5
_CONNECT: Final[dict[str, dict[str, Any]]] = {
    "sqlite": {"timeout": float(_PATIENCE_S)},
    "postgresql": {
        "connect_timeout": _PATIENCE_S,
        "tcp_user_timeout": _PATIENCE_S * 1000,
        "keepalives_idle": 2,
        "keepalives_interval": 1,
        "prepare_threshold": None,  # behind a pooler the next transaction may be on a connection that has none prepared
    },
}

_Given = TypeVar("_Given")


class Transactions:
    """A database that a store asks: an SQLite file, whose clock is the one that is given, or a PostgreSQL server."""

    def __init__(self, url: str, clock: Clock) -> None:
        """Raises CallWrong."""
        import sqlalchemy as sa  # who keeps tokens elsewhere has no use for it

        self._engine, self._shown = opened(url, "token", **_CONNECT)
        self._clock = clock
        self._is_file = self._engine.dialect.name == "sqlite"
        self._process = os.getpid()
        self._threads = _threads()
        self._parents: list[sqlalchemy.Pool] = []  # kept, as to be forgotten is to be closed
        if self._is_file:
            sa.event.listen(self._engine, "connect", _connected)
        sa.event.listen(self._engine, "begin", _begun_in_file if self._is_file else _begun_on_server)

    def close(self) -> None:
        self._part_from_parent()
        self._threads.shutdown()
        self._engine.dispose()

    def _time(self) -> sqlalchemy.ColumnElement[float]:
        """The store's clock, inside a statement."""
        import sqlalchemy as sa

        if self._is_file:
            return sa.literal(self._clock.now().timestamp(), sa.Double)
        # Not now(), which stands still from the begin of a transaction, however long that waited for a row.
        return sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Double)

    def _part_from_parent(self) -> None:
        """In a process that was forked: threads and connections are the parent's, and are not to be closed here."""
        if self._process == os.getpid():
            return
        self._threads = _threads()
        self._parents.append(self._engine.pool)
        self._engine.dispose(close=False)
        self._process = os.getpid()  # last: another thread of this process may be here too

    async def _ask(self, work: Callable[[], _Given]) -> _Given:
        self._part_from_parent()
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    @contextmanager
    def _writing(self, **options: Any) -> Iterator[sqlalchemy.Connection]:
        """One transaction. What the database refuses is told without what was asked."""
        import sqlalchemy as sa

        try:
            with self._engine.execution_options(**options).begin() as connection:
                yield connection
        except sa.exc.SQLAlchemyError as fault:
            raise StoreFailed(
                "the token store did not do what it was asked, or did not say so",
                facts={"store": self._shown, "cause": cause_of(fault)},
                fix="is it there, and were its tables made? see docs/stores.md",
            ) from None

    def _reading(self) -> AbstractContextManager[sqlalchemy.Connection]:
        return self._writing(connproof_reads=True)

    def _alone(self, connection: sqlalchemy.Connection) -> None:
        """Let nobody else do, until the end of the transaction, what asks for this too. SQLite has one writer."""
        import sqlalchemy as sa

        if not self._is_file:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))

    def _prepare(self) -> None:
        """Before tables are made, which is done in the caller's own thread: a file that is new is its owner's alone."""
        self._part_from_parent()
        if not self._is_file:
            return
        path = self._engine.url.database
        assert path is not None, "a store in memory was refused"
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as fault:
            raise StoreFailed(
                "the file of the token store cannot be written",
                facts={"store": self._shown, "cause": fault.strerror or type(fault).__name__},
                fix="make its folder, and let this user write there",
            ) from None


def _threads() -> ThreadPoolExecutor:
    """The store's own: those of the event loop may all be looking up names, and a lease would end meanwhile."""
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="connproof-tokens")


def _connected(connection: Any, _record: object) -> None:
    """A new connection to an SQLite file."""
    import sqlite3

    connection.isolation_level = None  # transactions begin as they are told to, and not as the driver thinks
    try:
        connection.execute("PRAGMA journal_mode=WAL")  # which the file remembers
    except sqlite3.OperationalError as fault:
        # It does not wait its turn. Somebody else changes it just now; and a transaction holds in either mode.
        if fault.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:  # what is above that says why
            raise
    connection.execute("PRAGMA synchronous=FULL")  # what was acknowledged outlives a loss of power


def _begun_in_file(connection: sqlalchemy.Connection) -> None:
    """One that is to write says so first, as it could not wait for its turn later."""
    connection.exec_driver_sql("BEGIN" if _only_reads(connection) else "BEGIN IMMEDIATE")


def _begun_on_server(connection: sqlalchemy.Connection) -> None:
    """One that writes waits for no lock without end, and no other waits so for one that fell asleep here.

    Said for the transaction alone, as a pooler may stand between. The server's defaults may be others: who waits for a
    row is to be told what it has become, and not that the two could not be put in order.
    """
    if not _only_reads(connection):
        patience = round(_PATIENCE_S * 1000)
        connection.exec_driver_sql(
            f"SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = {patience};"
            f" SET LOCAL idle_in_transaction_session_timeout = {patience}"
        )


def _only_reads(connection: sqlalchemy.Connection) -> bool:
    return bool(connection.get_execution_options().get("connproof_reads"))
