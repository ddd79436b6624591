"""A token store that remembers what was done to it, and how far the provider's own history had come by then.

It does nothing else than the store that it stands before. Two methods that come at once must each be whole in
one step, as those of a store in memory are, or the rows before and after a deed are not its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from connproof.model import TokenPair, TokenRow, TokenState
from connproof.stores.token_store import Stored, TokenStore
from pytest_connproof.provider.authorization import AuthorizationServer

__all__ = ["Deed", "Watched"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Deed:
    """One call of a store: the row before and after it, and what it gave.

    `seen` is the row that the caller named. `at` is the store's time; `presented` and `served` are how many
    requests for a token, and with one, the provider had counted by then, which is what orders the two histories.
    """

    word: str
    at: float
    before: TokenRow | None
    after: TokenRow | None
    result: object
    presented: int
    served: int
    seen: TokenRow | None = None
    pair: TokenPair | None = field(default=None, repr=False)
    over_stale: bool = False

    @property
    def claims(self) -> bool:
        """Whether a lease was taken, and with it the right to present a refresh token once."""
        return self.word == "claim" and self.result is not None

    @property
    def owner(self) -> str:
        """Who claimed."""
        return "" if self.after is None else self.after.lease_owner


class Watched:
    """A TokenStore that does what another does, and remembers it. `servers` are the providers by account key."""

    def __init__(self, store: TokenStore, servers: Mapping[str, AuthorizationServer]) -> None:
        self._store = store
        self._servers = servers
        self._deeds: dict[str, list[Deed]] = {key: [] for key in servers}

    def history(self, account: str) -> tuple[Deed, ...]:
        """What was done to an account, in order."""
        return tuple(self._deeds[account])

    async def now(self) -> float:
        return await self._store.now()

    async def read(self, account: str) -> TokenRow | None:
        row = await self._store.read(account)
        await self._note("read", account, row, row)
        return row

    async def accounts(self, prefix: str = "") -> Sequence[TokenRow]:
        return await self._store.accounts(prefix)

    async def connect(self, account: str, pair: TokenPair) -> TokenRow:
        before = await self._store.read(account)
        row = await self._store.connect(account, pair)
        await self._note("connect", account, before, row, pair=pair)
        return row

    async def claim(self, seen: TokenRow, *, owner: str, lease_s: float, over_stale: bool = False) -> TokenRow | None:
        before = await self._store.read(seen.account)
        row = await self._store.claim(seen, owner=owner, lease_s=lease_s, over_stale=over_stale)
        await self._note("claim", seen.account, before, row, seen=seen, over_stale=over_stale)
        return row

    async def beat(self, claimed: TokenRow, *, lease_s: float) -> bool:
        before = await self._store.read(claimed.account)
        return await self._noted("beat", before, await self._store.beat(claimed, lease_s=lease_s), claimed)

    async def keep(self, claimed: TokenRow, pair: TokenPair) -> Stored:
        before = await self._store.read(claimed.account)
        return await self._noted("keep", before, await self._store.keep(claimed, pair), claimed, pair)

    async def keep_candidate(self, claimed: TokenRow, refresh: TokenPair) -> bool:
        before = await self._store.read(claimed.account)
        kept = await self._store.keep_candidate(claimed, refresh)
        return await self._noted("keep_candidate", before, kept, claimed, refresh)

    async def promote(self, seen: TokenRow) -> TokenRow | None:
        before = await self._store.read(seen.account)
        return await self._noted("promote", before, await self._store.promote(seen), seen)

    async def refuse(self, claimed: TokenRow, *, state: TokenState, reason: str) -> bool:
        before = await self._store.read(claimed.account)
        refused = await self._store.refuse(claimed, state=state, reason=reason)
        return await self._noted("refuse", before, refused, claimed)

    async def back_off(self, claimed: TokenRow, *, not_before: float, undo: TokenRow | None, reason: str = "") -> bool:
        before = await self._store.read(claimed.account)
        done = await self._store.back_off(claimed, not_before=not_before, undo=undo, reason=reason)
        return await self._noted("back_off" if undo is None else "undo", before, done, claimed)

    async def release(self, claimed: TokenRow) -> bool:
        before = await self._store.read(claimed.account)
        return await self._noted("release", before, await self._store.release(claimed), claimed)

    async def remove(self, account: str) -> TokenRow | None:
        row = await self._store.remove(account)
        await self._note("remove", account, row, row)
        return row

    async def block_client(self, client: str, reason: str) -> None:
        await self._store.block_client(client, reason)

    async def client_block(self, client: str) -> str:
        return await self._store.client_block(client)

    async def _noted(self, word: str, before: TokenRow | None, result: T, seen: TokenRow, pair: Any = None) -> T:
        await self._note(word, seen.account, before, result, seen=seen, pair=pair)
        return result

    async def _note(self, word: str, account: str, before: TokenRow | None, result: object, **more: Any) -> None:
        server = self._servers[account]
        after = before if word == "read" else await self._store.read(account)
        at = await self._store.now()
        deed = Deed(word, at, before, after, result, len(server.presentations), len(server.served), **more)
        self._deeds[account].append(deed)
