"""A row of tokens as a table has it: sealed when it is written, opened when it is read.

Nothing here asks a database. A row that does not open wholly is read as blocked_config, with what does open.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from connproof.model import Candidate, Secret, TokenPair, TokenRow
from connproof.stores.sealing import Sealing
from connproof.stores.successors import usable

if TYPE_CHECKING:
    import sqlalchemy

__all__ = ["Late", "Rows", "tables"]

_UNREADABLE: Final = "unreadable"
_TOKENS: Final = "connproof_tokens"
_CLIENTS: Final = "connproof_token_clients"


class Rows:
    """Rows of one installation, whose keys these are."""

    def __init__(self, sealing: Sealing) -> None:
        self._sealing = sealing

    def marks(self, token: Secret | None) -> tuple[str, ...]:
        """By which a token is known, whenever it was written."""
        return self._sealing.marks(token)

    def columns(self, account: str, pair: TokenPair) -> dict[str, Any]:
        """The columns of a pair, its tokens sealed."""
        return {
            **self._sealed(account, usable(pair), pair.refresh),
            "expires_at": pair.expires_at,
            "refresh_expires_at": pair.refresh_expires_at,
            "lifetime_s": pair.lifetime_s,
        }

    def line(self, account: str, one: Candidate) -> str:
        """A candidate as it is appended to the others: its mark, and all of it sealed."""
        said = [one.generation, one.refresh.reveal(), one.access.reveal() if one.access else None, one.expires_at]
        sealed = self._sealing.seal(json.dumps(said), account=account, column="candidates")
        return f"{self._sealing.mark(one.refresh)} {sealed}\n"

    def candidate(self, account: str, line: str) -> Candidate | None:
        """None where no key opens it."""
        text = self._sealing.open(line.partition(" ")[2], account=account, column="candidates")
        if text is None:
            return None
        generation, refresh, access, expires_at = json.loads(text)
        return Candidate(generation, Secret(refresh), None if access is None else Secret(access), expires_at)

    def row(self, found: sqlalchemy.Row[Any]) -> TokenRow:
        columns = dict(found._mapping)  # noqa: SLF001 - its public name, which no column's can hide
        account, candidates = columns["account"], columns.pop("candidates").splitlines()
        del columns["past"]
        opened = [self.candidate(account, line) for line in candidates]
        readable = tuple(one for one in opened if one is not None)
        is_readable = len(readable) == len(opened)
        for name in ("access", "refresh"):
            if (sealed := columns[name]) is not None:
                text = self._sealing.open(sealed, account=account, column=name)
                columns[name] = None if text is None else Secret(text)
                is_readable = is_readable and text is not None
        if not is_readable:
            columns |= {"state": "blocked_config", "reason": _UNREADABLE}
        return TokenRow(**columns, candidates=readable)

    def resealed(self, found: sqlalchemy.Row[Any]) -> dict[str, Any] | None:
        """The columns that an older key has sealed, under the newest: none where there are none.

        None in their place where something does not open. Marks of earlier pairs stay as they are: what they were
        made of is gone.
        """
        row = self.row(found)
        if (row.state, row.reason) == ("blocked_config", _UNREADABLE):
            return None
        texts = filter(None, [found.access, found.refresh, found.refresh_mark, *found.candidates.split()])
        if all(map(self._sealing.is_newest, texts)):
            return {}
        lines = (self.line(row.account, one) for one in row.candidates)
        return {**self._sealed(row.account, row.access, row.refresh), "candidates": "".join(lines)}

    def _sealed(self, account: str, access: Secret | None, refresh: Secret | None) -> dict[str, str | None]:
        tokens = {"access": access, "refresh": refresh}
        sealed = {
            name: None if token is None else self._sealing.seal(token.reveal(), account=account, column=name)
            for name, token in tokens.items()
        }
        return {**sealed, "refresh_mark": self._sealing.mark(refresh)}


@dataclass(frozen=True, slots=True)
class Late:
    """A row as late successors are held against it."""

    generation: int
    stored_epoch: int
    refresh_mark: str
    past: str
    candidates: str

    @property
    def epochs(self) -> set[int]:
        """Under which lease epochs the current pair and those before it were stored."""
        return {self.stored_epoch, *(int(line.partition(" ")[0]) for line in self._lines)}

    def knows(self, marks: Sequence[str]) -> bool:
        """Whether a refresh token is current, was, or is a candidate."""
        waiting = (line.partition(" ")[0] for line in self.candidates.splitlines())
        known = {self.refresh_mark, *waiting, *(line.partition(" ")[2] for line in self._lines)}
        return not known.isdisjoint(marks)

    @property
    def _lines(self) -> list[str]:
        """An epoch and a mark each; the last may have been cut off."""
        return self.past.rpartition("\n")[0].splitlines()


def tables() -> tuple[sqlalchemy.Table, sqlalchemy.Table]:
    import sqlalchemy as sa

    def text(name: str) -> sqlalchemy.Column[str]:
        return sa.Column(name, sa.Text, nullable=False)

    def number(name: str, kind: Any = sa.BigInteger) -> sqlalchemy.Column[Any]:
        return sa.Column(name, kind, nullable=False, server_default="0")

    every = sa.MetaData()
    tokens = sa.Table(
        _TOKENS,
        every,
        sa.Column("account", sa.String(250), primary_key=True),
        text("grant_id"),
        number("generation"),
        sa.Column("access", sa.Text),
        sa.Column("refresh", sa.Text),
        sa.Column("expires_at", sa.Double),
        sa.Column("refresh_expires_at", sa.Double),
        sa.Column("lifetime_s", sa.Double),
        text("state"),
        text("reason"),
        number("stored_epoch"),
        text("refresh_mark"),
        text("past"),
        text("lease_owner"),
        number("lease_epoch"),
        number("lease_until", sa.Double),  # never null: no comparison with null is true
        sa.Column("intent_generation", sa.BigInteger),
        number("intent_epoch"),
        number("intent_at", sa.Double),
        number("intent_first_at", sa.Double),
        number("intent_count"),
        number("fail_count"),
        number("not_before", sa.Double),
        text("candidates"),
    )
    clients = sa.Table(_CLIENTS, every, sa.Column("client", sa.Text, primary_key=True), text("reason"))
    return tokens, clients
