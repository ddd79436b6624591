"""Tokens in a table of their own: SQLite in a file for one machine, PostgreSQL for many. One set of statements.

Every write names what it expects to find, or keeps the row while it looks, in a transaction of its own which no
provider is ever waited for in. Tokens are sealed; a row whose tokens no key opens is read as blocked_config, and
stays as it is.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from connproof.clock import Clock, SystemClock
from connproof.model import TokenPair, TokenRow, TokenState
from connproof.stores.sealing import Sealing
from connproof.stores.successors import (
    CLAIMABLE,
    FREE,
    MOST_PAST,
    SETTLED,
    candidate_of,
    intent_of,
    newest,
    promoted,
    refuse_shared,
    successor_of,
)
from connproof.stores.token_rows import Late, Rows, tables
from connproof.stores.token_store import Stored
from connproof.stores.token_transactions import Transactions

if TYPE_CHECKING:
    import sqlalchemy

__all__ = ["DatabaseTokens", "Resealed"]

Resealed: TypeAlias = Literal["resealed", "newest", "unreadable"]
"""What became of an account's tokens: sealed anew; sealed under the newest key before; left as they are, as no key that
is here opens all of them."""

_PAST_LENGTH: Final = MOST_PAST * 50  # an epoch and a mark each


class DatabaseTokens(Transactions):
    """A TokenStore in a database. `create` makes its tables where they are not there; `close` gives connections back.

    SQLite has no clock of its own: it is the one that is given. PostgreSQL's is its server's. May be used from
    several threads, and goes on in a forked process.
    """

    def __init__(self, url: str, sealing: Sealing, clock: Clock | None = None) -> None:
        """`url` is SQLAlchemy's: sqlite:///tokens.db, postgresql://user@host/database. Raises CallWrong."""
        super().__init__(url, clock or SystemClock())
        self._rows = Rows(sealing)
        self._tokens, self._clients = tables()

    def create(self) -> None:
        """Make the tables, where they are not there. An SQLite file that is new is its owner's alone to read."""
        self._prepare()
        with self._writing() as connection:
            self._alone(connection)
            # It looks first: CREATE TABLE IF NOT EXISTS needs the right to make one that is there already.
            self._tokens.metadata.create_all(connection)

    async def now(self) -> float:
        if self._is_file:
            return self._clock.now().timestamp()
        return await self._ask(self._server_time)

    async def read(self, account: str) -> TokenRow | None:
        return await self._ask(partial(self._read, account))

    async def accounts(self, prefix: str = "") -> Sequence[TokenRow]:
        return await self._ask(partial(self._accounts, prefix))

    async def connect(self, account: str, pair: TokenPair) -> TokenRow:
        return await self._ask(partial(self._connect, account, pair))

    async def claim(self, seen: TokenRow, *, owner: str, lease_s: float, over_stale: bool = False) -> TokenRow | None:
        if seen.state not in CLAIMABLE:
            return None
        return await self._ask(partial(self._claim, seen, owner, lease_s, over_stale=over_stale))

    async def beat(self, claimed: TokenRow, *, lease_s: float) -> bool:
        own = (self._tokens.c.lease_owner == claimed.lease_owner,)
        return await self._ask(lambda: self._written(self._leased(claimed, *own), lease_until=self._time() + lease_s))

    async def keep(self, claimed: TokenRow, pair: TokenPair) -> Stored:
        return await self._ask(partial(self._keep, claimed, pair))

    async def keep_candidate(self, claimed: TokenRow, refresh: TokenPair) -> bool:
        return await self._ask(partial(self._keep_candidate, claimed, refresh))

    async def promote(self, seen: TokenRow) -> TokenRow | None:
        return await self._ask(partial(self._promote, seen))

    async def refuse(self, claimed: TokenRow, *, state: TokenState, reason: str) -> bool:
        none_waits = (self._tokens.c.candidates == "",) if state == "needs_reauth" else ()
        return await self._ask(lambda: self._written(self._claimed(claimed, *none_waits), state=state, reason=reason))

    async def back_off(self, claimed: TokenRow, *, not_before: float, undo: TokenRow | None, reason: str = "") -> bool:
        if undo is None:
            outcome: dict[str, Any] = {"state": "ambiguous", "reason": reason}
        else:
            outcome = {"reason": reason or undo.reason, **intent_of(undo)}
        more = {"not_before": not_before, "fail_count": self._tokens.c.fail_count + 1}
        return await self._ask(lambda: self._written(self._claimed(claimed), **FREE, **more, **outcome))

    async def release(self, claimed: TokenRow) -> bool:
        return await self._ask(lambda: self._written(self._leased(claimed), **FREE))

    async def remove(self, account: str) -> TokenRow | None:
        return await self._ask(partial(self._remove, account))

    async def block_client(self, client: str, reason: str) -> None:
        await self._ask(partial(self._block_client, client, reason))

    async def client_block(self, client: str) -> str:
        return await self._ask(partial(self._client_block, client))

    async def blocked_clients(self, connector: str) -> Mapping[str, str]:
        """The connector's OAuth clients that are blocked, by name, and why. For whoever looks after them."""
        return await self._ask(partial(self._blocked_clients, connector))

    async def reseal(self) -> Mapping[str, Resealed]:
        """Seal every account's tokens under the newest key, one transaction each; what became of each, by name.

        Nothing else of a row changes: whoever refreshes it meanwhile goes on.
        """
        fates = {name: await self._ask(partial(self._reseal, name)) for name in await self._ask(self._names)}
        return {name: fate for name, fate in fates.items() if fate is not None}

    # What a statement finds.

    def _of(self, row: TokenRow, *more: sqlalchemy.ColumnElement[bool]) -> sqlalchemy.ColumnElement[bool]:
        """The account, where the grant is still the row's."""
        import sqlalchemy as sa

        columns = self._tokens.c
        return sa.and_(columns.account == row.account, columns.grant_id == row.grant_id, *more)

    def _leased(self, claimed: TokenRow, *more: sqlalchemy.ColumnElement[bool]) -> sqlalchemy.ColumnElement[bool]:
        """The same, where nobody has claimed it since."""
        return self._of(claimed, self._tokens.c.lease_epoch == claimed.lease_epoch, *more)

    def _claimed(self, claimed: TokenRow, *more: sqlalchemy.ColumnElement[bool]) -> sqlalchemy.ColumnElement[bool]:
        """The same, where no successor was stored since either."""
        return self._leased(claimed, self._tokens.c.generation == claimed.generation, *more)

    # What each method does, in a thread and in one transaction.

    def _server_time(self) -> float:
        import sqlalchemy as sa

        with self._reading() as connection:
            return float(connection.execute(sa.select(self._time())).scalar_one())

    def _read(self, account: str) -> TokenRow | None:
        import sqlalchemy as sa

        with self._reading() as connection:
            found = connection.execute(sa.select(self._tokens).where(self._tokens.c.account == account)).first()
        return self._row(found)

    def _accounts(self, prefix: str) -> list[TokenRow]:
        import sqlalchemy as sa

        # Not LIKE, for which SQLite takes capitals and small letters to be the same.
        begins = sa.func.substr(self._tokens.c.account, 1, len(prefix)) == prefix
        with self._reading() as connection:
            found = connection.execute(sa.select(self._tokens).where(begins)).all()
        # Sorted here: PostgreSQL has its own mind about the order of names.
        return sorted((row for one in found if (row := self._row(one))), key=lambda row: row.account)

    def _connect(self, account: str, pair: TokenPair) -> TokenRow:
        import sqlalchemy as sa

        columns = self._tokens.c
        new = {
            **FREE,
            **SETTLED,
            **self._rows.columns(account, pair),
            "grant_id": secrets.token_hex(16),
            "stored_epoch": 0,
            "past": "",
            "candidates": "",
        }
        with self._writing() as connection:
            self._alone(connection)  # or two accounts could be given the same token at the same time
            known = [
                sa.or_(columns.refresh_mark == mark, columns.past.contains(mark), columns.candidates.contains(mark))
                for mark in self._rows.marks(pair.refresh)
            ]
            others = sa.select(columns.account).where(columns.account != account, sa.or_(sa.false(), *known))
            if other := connection.execute(others).scalar():
                refuse_shared(account, other)
            anew = sa.update(self._tokens).where(columns.account == account)
            anew = anew.values(**new, generation=columns.generation + 1)
            found = connection.execute(anew.returning(*columns)).first()
            if found is None:
                first = sa.insert(self._tokens).values(**new, account=account, generation=1, lease_epoch=0)
                found = connection.execute(first.returning(*columns)).one()
        return self._rows.row(found)

    def _claim(self, seen: TokenRow, owner: str, lease_s: float, *, over_stale: bool) -> TokenRow | None:
        import sqlalchemy as sa

        columns = self._tokens.c
        with self._writing() as connection:
            now = self._time()
            free = sa.and_(columns.lease_until < now, columns.not_before <= now)
            stands_still = sa.and_(columns.lease_until == seen.lease_until, columns.not_before == seen.not_before)
            is_again = columns.intent_generation == columns.generation
            claim = (
                sa.update(self._tokens)
                .where(self._claimed(seen, columns.state == seen.state, free | stands_still if over_stale else free))
                .values(
                    lease_owner=owner,
                    lease_epoch=columns.lease_epoch + 1,
                    lease_until=now + lease_s,
                    intent_generation=columns.generation,
                    intent_epoch=columns.lease_epoch + 1,
                    intent_at=now,
                    intent_first_at=sa.case((is_again, columns.intent_first_at), else_=now),
                    intent_count=sa.case((is_again, columns.intent_count + 1), else_=1),
                )
            )
            return self._row(connection.execute(claim.returning(*columns)).first())

    def _keep(self, claimed: TokenRow, pair: TokenPair) -> Stored:
        with self._writing() as connection:
            columns = self._tokens.c
            where = self._of(claimed, columns.generation == claimed.generation)
            whole = successor_of(claimed, pair)
            if self._succeeded(connection, where, claimed.account, whole, stored_epoch=claimed.lease_epoch):
                return "stored"
            late = self._late(connection, claimed)
            if late is None:
                return "gone"
            if claimed.lease_epoch in late.epochs:
                return "own"
            self._append(connection, late, claimed, pair)
            return "moved"

    def _keep_candidate(self, claimed: TokenRow, pair: TokenPair) -> bool:
        with self._writing() as connection:
            late = self._late(connection, claimed)
            if late is not None:
                self._append(connection, late, claimed, pair)
            return late is not None

    def _promote(self, seen: TokenRow) -> TokenRow | None:
        with self._writing() as connection:
            late = self._late(connection, seen)
            if late is None or late.generation != seen.generation:
                return None
            opened = {self._rows.candidate(seen.account, line): line for line in late.candidates.splitlines()}
            waiting = [one for one in opened if one is not None]
            if not waiting:
                return None
            one = newest(waiting)
            rest = late.candidates.replace(f"{opened[one]}\n", "")
            pair = promoted(one)
            found = self._succeeded(connection, self._of(seen), seen.account, pair, stored_epoch=0, candidates=rest)
            return self._row(found)

    def _remove(self, account: str) -> TokenRow | None:
        import sqlalchemy as sa

        gone = sa.delete(self._tokens).where(self._tokens.c.account == account)
        with self._writing() as connection:
            return self._row(connection.execute(gone.returning(*self._tokens.c)).first())

    def _block_client(self, client: str, reason: str) -> None:
        import sqlalchemy as sa

        here = self._clients.c.client == client
        with self._writing() as connection:
            self._alone(connection)
            connection.execute(sa.delete(self._clients).where(here))
            if reason:
                connection.execute(sa.insert(self._clients).values(client=client, reason=reason))

    def _client_block(self, client: str) -> str:
        import sqlalchemy as sa

        asked = sa.select(self._clients.c.reason).where(self._clients.c.client == client)
        with self._reading() as connection:
            return connection.execute(asked).scalar() or ""

    def _blocked_clients(self, connector: str) -> dict[str, str]:
        import sqlalchemy as sa

        columns = self._clients.c
        own = sa.func.substr(columns.client, 1, len(connector) + 1) == f"{connector}:"
        asked = sa.select(columns.client, columns.reason).where(sa.or_(columns.client == connector, own))
        with self._reading() as connection:
            found = connection.execute(asked).all()
        return {str(row.client): str(row.reason) for row in sorted(found, key=lambda row: row.client)}

    def _names(self) -> list[str]:
        import sqlalchemy as sa

        with self._reading() as connection:
            return sorted(connection.execute(sa.select(self._tokens.c.account)).scalars())

    def _reseal(self, account: str) -> Resealed | None:
        """None where the account is gone by now."""
        import sqlalchemy as sa

        here = self._tokens.c.account == account
        with self._writing() as connection:
            found = connection.execute(sa.select(self._tokens).where(here).with_for_update()).first()
            if found is None:
                return None
            columns = self._rows.resealed(found)
            if not columns:
                return "unreadable" if columns is None else "newest"
            connection.execute(sa.update(self._tokens).where(here).values(**columns))
            return "resealed"

    # Parts of them.

    def _written(self, where: sqlalchemy.ColumnElement[bool], **values: Any) -> bool:
        import sqlalchemy as sa

        with self._writing() as connection:
            return connection.execute(sa.update(self._tokens).where(where).values(**values)).rowcount > 0

    def _succeeded(
        self,
        connection: sqlalchemy.Connection,
        where: sqlalchemy.ColumnElement[bool],
        account: str,
        pair: TokenPair,
        **values: Any,
    ) -> sqlalchemy.Row[Any] | None:
        """Store the next generation. Lease and epoch stay as they are."""
        import sqlalchemy as sa

        columns = self._tokens.c
        last = sa.cast(columns.stored_epoch, sa.Text) + " " + columns.refresh_mark + "\n"
        new = {
            **SETTLED,
            **self._rows.columns(account, pair),
            "past": sa.func.substr(last + columns.past, 1, _PAST_LENGTH),
        }
        update = sa.update(self._tokens).where(where).values(**new, generation=columns.generation + 1, **values)
        return connection.execute(update.returning(*columns)).first()

    def _late(self, connection: sqlalchemy.Connection, row: TokenRow) -> Late | None:
        """What late successors are held against, locked; None where the account is gone or authorised anew."""
        import sqlalchemy as sa

        columns = self._tokens.c
        asked = sa.select(
            columns.generation, columns.stored_epoch, columns.refresh_mark, columns.past, columns.candidates
        )
        found = connection.execute(asked.where(self._of(row)).with_for_update()).first()
        return None if found is None else Late(*found)

    def _append(self, connection: sqlalchemy.Connection, late: Late, claimed: TokenRow, pair: TokenPair) -> None:
        import sqlalchemy as sa

        one = candidate_of(claimed, pair)
        if one is None or late.knows(self._rows.marks(one.refresh)):
            return
        candidates = self._tokens.c.candidates + self._rows.line(claimed.account, one)
        connection.execute(sa.update(self._tokens).where(self._of(claimed)).values(candidates=candidates))

    def _row(self, found: sqlalchemy.Row[Any] | None) -> TokenRow | None:
        return None if found is None else self._rows.row(found)
