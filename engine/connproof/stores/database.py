"""The store that is a table: SQLite in a file for one machine, PostgreSQL for many. One set of statements.

A row is one document: (connector, level, name) is its key, `revision` what a writer must have seen. A write
is a single statement that names the revision it expects, so of two writers one is told that it was late.
Credentials have no column here, and no document that has any is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from connproof.errors import CallWrong
from connproof.stores.keys import Kept, Key, refuse_unfit, revision_of
from connproof.stores.opening import cause_of, opened

if TYPE_CHECKING:
    import sqlalchemy

__all__ = ["DatabaseStore"]

_TABLE: Final = "connproof_documents"


class DatabaseStore:
    """Configs and overrides in one table. `create` makes it where it is not there yet; `close` gives connections back.

    May be used from several threads.
    """

    def __init__(self, url: str) -> None:
        """`url` is SQLAlchemy's: sqlite:///configs.db, postgresql://user@host/database. Raises CallWrong."""
        import sqlalchemy as sa  # who reads configs from files has no use for it

        self._engine, self._shown = opened(url, "config")
        self._table = sa.Table(
            _TABLE,
            sa.MetaData(),
            sa.Column("connector", sa.String(100), primary_key=True),
            sa.Column("level", sa.String(20), primary_key=True),
            sa.Column("name", sa.String(100), primary_key=True),
            sa.Column("document", sa.Text, nullable=False),
            sa.Column("revision", sa.String(32), nullable=False),
        )

    def create(self) -> None:
        """Make the table, where it is not there."""
        with self._asking():
            self._table.metadata.create_all(self._engine)

    def close(self) -> None:
        self._engine.dispose()

    def read(self, key: Key) -> Kept | None:
        import sqlalchemy as sa

        columns = self._table.c
        with self._asking() as connection:
            row = connection.execute(sa.select(columns.document, columns.revision).where(self._is(key))).first()
        return Kept(row.document.encode(), f"{self._shown}#{key}", row.revision) if row else None

    def revisions(self, keys: Sequence[Key]) -> tuple[str | None, ...]:
        import sqlalchemy as sa

        columns = self._table.c
        asked = sa.select(columns.connector, columns.level, columns.name, columns.revision)
        with self._asking() as connection:
            rows = connection.execute(asked.where(sa.or_(sa.false(), *map(self._is, keys)))).all()
        found = {(row.connector, row.level, row.name): row.revision for row in rows}
        return tuple(found.get((key.connector, key.level, key.name)) for key in keys)

    def put(self, key: Key, data: bytes, *, expected: str | None) -> str | None:
        import sqlalchemy as sa

        refuse_unfit(self, key, data)
        new = {"document": data.decode(), "revision": revision_of(data)}
        with self._asking() as connection:
            if expected is not None:
                update = sa.update(self._table).where(self._is(key), self._table.c.revision == expected)
                return new["revision"] if connection.execute(update.values(new)).rowcount else None
            row = {"connector": key.connector, "level": key.level, "name": key.name, **new}
            try:
                connection.execute(sa.insert(self._table).values(row))
            except sa.exc.IntegrityError:  # it is there already
                return None
        return new["revision"]

    def _is(self, key: Key) -> sqlalchemy.ColumnElement[bool]:
        import sqlalchemy as sa

        columns = self._table.c
        return sa.and_(columns.connector == key.connector, columns.level == key.level, columns.name == key.name)

    @contextmanager
    def _asking(self) -> Iterator[sqlalchemy.Connection]:
        """One transaction. What the database refuses is told without what was asked."""
        import sqlalchemy as sa

        try:
            with self._engine.begin() as connection:
                yield connection
        except sa.exc.SQLAlchemyError as fault:
            raise CallWrong(
                "the config store could not do what it was asked",
                facts={"store": self._shown, "cause": cause_of(fault)},
                fix="is it there, and was its table made? see docs/stores.md",
            ) from None
