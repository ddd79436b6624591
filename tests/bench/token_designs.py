"""Ways to keep one account's tokens among several workers: four that are in use and known to be bad, and ours.

All have the same workers, provider and database, and understand an answer by the same code. What differs is what they
write down, when, and what they hold each other by.
"""

from __future__ import annotations

import asyncio
import math
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, Literal, Protocol, TypeAlias, cast

from simulated import Wire, World

from connproof.auth import Signing
from connproof.auth.token_request import token_draft, with_tokens
from connproof.errors import ProviderDown
from connproof.model import Secret, TokenPair
from connproof.stores.token_memory import MemoryTokens
from connproof.stores.token_store import TokenStore
from connproof.tokens import Tokens
from connproof.tokens.judging import Granted, Terminal, judged
from pytest_connproof.schedule import at_once

__all__ = ["DESIGNS", "OURS", "Ask", "Design", "Kept"]

Ask: TypeAlias = Callable[[], Awaitable[str | None]]
"""One call of one worker: the access token that it is given, None where the account is said to be lost."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store says of the account. `refresh` are all refresh tokens that it holds; the access token ends then.

    `reason` is why it is lost, "" where it is not; `doubt`: it says that the outcome of a refresh is not known.
    """

    refresh: tuple[str, ...]
    expires_at: float
    reason: str = ""
    doubt: bool = False

    @property
    def good_until(self) -> float:
        return math.inf if self.reason else self.expires_at


class Design(Protocol):
    """One way to do it, in one world."""

    def __init__(self, world: World) -> None: ...

    def worker(self, name: str) -> Ask: ...

    def kept(self) -> Kept: ...


class Ours:
    """connproof.tokens, as it is."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._memory = MemoryTokens(world.clock)
        self._store = cast("TokenStore", _Remote(world, self._memory))
        at_once(self._memory.connect(f"{world.connector.name}/{world.account.name}", world.server.consent(world.now)))

    def worker(self, name: str) -> Ask:
        world = self._world
        tokens = Tokens(
            self._store,
            world.connector,
            Wire(world, name).send,
            owner=name,
            clock=world.clock,
            jitter=world.jitter,
        )

        async def ask() -> str:
            held = await tokens.access(world.account)
            if not world.serves(held.access):
                held = await tokens.rejected(world.account, held.generation)
            return held.access.reveal()

        return ask

    def kept(self) -> Kept:
        (row,) = at_once(self._memory.accounts())
        tokens = (row.refresh, *(one.refresh for one in row.candidates))
        return Kept(
            tuple(token.reveal() for token in tokens if token is not None),
            row.expires_at or 0.0,
            row.reason if row.state in {"needs_reauth", "blocked_config"} else "",
            row.has_open_intent,
        )


class _Remote:
    """A token store each of whose methods is one transaction of the world's database."""

    _READS: ClassVar = frozenset({"now", "read", "accounts", "client_block"})

    def __init__(self, world: World, store: TokenStore) -> None:
        self._world = world
        self._store = store

    def __getattr__(self, method: str) -> Callable[..., Coroutine[Any, Any, object]]:
        does = getattr(self._store, method)

        async def remote(*args: Any, **named: Any) -> object:
            def act() -> object:
                for pair in args:
                    if isinstance(pair, TokenPair) and pair.refresh is not None:
                        self._world.kept.add(pair.refresh.reveal())
                result: object = at_once(does(*args, **named))
                return result

            return await self._world.stored(act, writes=method not in self._READS)

        return remote


@dataclass(frozen=True, slots=True)
class _Row:
    """What the known-bad designs keep: the tokens, whether they are good, and a lock by whatever rule."""

    access: str
    refresh: str
    expires_at: float
    reason: str = ""
    holder: str = ""
    until: float = 0.0
    epoch: int = 0
    rests_until: float = 0.0
    refusals: int = 0


_MARGIN_S: Final = 300.0


class _KnownBad(ABC):
    """What they have in common: refresh in time, and mark the account when the provider refuses its token."""

    def __init__(self, world: World) -> None:
        self.world = world
        pair = world.server.consent(world.now)
        assert pair.refresh is not None, "a consent gives both"
        assert pair.expires_at is not None, "and says how long"
        self.row = _Row(pair.access.reveal(), pair.refresh.reveal(), pair.expires_at)

    def worker(self, name: str) -> Ask:
        async def ask() -> str | None:
            row = await self.read()
            if self.is_due(row):
                await self.refreshed(name)
                row = await self.read()
            return None if row.reason else row.access

        return ask

    def kept(self) -> Kept:
        return Kept((self.row.refresh,), self.row.expires_at, self.row.reason)

    @abstractmethod
    async def refreshed(self, me: str) -> None:
        """Refresh, by this design's rules; the row says what came of it."""

    def is_due(self, row: _Row) -> bool:
        return not row.reason and row.expires_at - self.world.now <= _MARGIN_S

    async def read(self) -> _Row:
        return await self.world.stored(lambda: self.row, writes=False)

    async def write(self, *, epoch: int | None = None, **changes: Any) -> bool:
        """Write, only under this lease epoch where one is given; whether it was."""

        def act() -> bool:
            if epoch is not None and self.row.epoch != epoch:
                return False
            self.row = replace(self.row, **changes)
            self.world.kept.add(self.row.refresh)
            return True

        return await self.world.stored(act)

    async def exchanged(self, me: str, row: _Row) -> dict[str, Any] | Literal["refused", "nothing"]:
        """The row's refresh token, presented once: what is to be written, or why there is nothing."""
        world, auth = self.world, self.world.connector.auth
        account = with_tokens(auth, world.account, access=Secret(row.access), refresh=Secret(row.refresh))
        request = token_draft(auth, account, Signing.at(world.clock)).request()
        try:
            response = await Wire(world, me).send(request)
        except ProviderDown:
            return "nothing"
        outcome = judged(auth, account, response, world.clock.now())
        if isinstance(outcome, Granted):
            pair = outcome.pair(world.now, world.clock.now())
            assert pair.refresh is not None, "this provider rotates"
            return {"access": pair.access.reveal(), "refresh": pair.refresh.reveal(), "expires_at": pair.expires_at}
        return "refused" if isinstance(outcome, Terminal) else "nothing"


class Naive(_KnownBad):
    """No lock: whoever sees that the token ends refreshes it, and writes what comes."""

    async def refreshed(self, me: str) -> None:
        came = await self.exchanged(me, await self.read())
        if came == "refused":
            await self.write(reason="refused")
        elif came != "nothing":
            await self.write(**came)


class BlindWrite(_KnownBad):
    """A lock that ends after 10 s, freed by whoever comes to the end; what comes is written whatever stands there.

    After a failure the account rests for 30 s; at the fourth refusal in a row it is marked.
    """

    async def refreshed(self, me: str) -> None:
        world, began = self.world, self.world.now
        while self.row.until > world.now:
            if world.now - began > 12:
                return
            await asyncio.sleep(0.25)
        self.row = replace(self.row, until=world.now + 10)
        row = await self.read()
        if self.is_due(row) and row.rests_until <= world.now:
            came = await self.exchanged(me, row)
            if came == "refused":
                refusals = self.row.refusals + 1
                reason = "refused" if refusals >= 4 else ""
                await self.write(refusals=refusals, reason=reason, rests_until=world.now + 30)
            elif came == "nothing":
                await self.write(rests_until=world.now + 30)
            else:
                await self.write(**came, refusals=0)
        self.row = replace(self.row, until=0.0)


class Fenced(_KnownBad):
    """A lease of 10 s with an epoch, the classic fencing token: who writes under an old epoch is turned away."""

    async def refreshed(self, me: str) -> None:
        world = self.world
        if self.row.until > world.now or self.row.rests_until > world.now:
            return
        epoch = self.row.epoch + 1
        self.row = replace(self.row, epoch=epoch, until=world.now + 10)
        row = await self.read()
        if self.is_due(row):
            came = await self.exchanged(me, row)
            if came == "refused":
                await self.write(epoch=epoch, reason="refused")
            elif came == "nothing":
                await self.write(epoch=epoch, rests_until=world.now + 30)
            else:
                await self.write(epoch=epoch, **came)
        if self.row.epoch == epoch:
            self.row = replace(self.row, until=0.0)


class RowLock(_KnownBad):
    """A transaction that locks the row stays open while the request is on its way, and ends with what came."""

    async def refreshed(self, me: str) -> None:
        world, began = self.world, self.world.now
        while self.row.holder and self.row.holder not in world.dead:
            if world.now - began > 60:
                return
            await asyncio.sleep(0.5)
        self.row = replace(self.row, holder=me)
        try:
            row = await self.read()
            if self.is_due(row) and row.rests_until <= world.now:
                came = await self.exchanged(me, row)
                if came == "refused":
                    await self.write(reason="refused")
                elif came == "nothing":
                    await self.write(rests_until=world.now + 10)
                else:
                    await self.write(**came)
        finally:
            self.row = replace(self.row, holder="")


OURS: Final = "connproof"
DESIGNS: Final[dict[str, type[Design]]] = {
    "no lock": Naive,
    "TTL key, blind write": BlindWrite,
    "lease + epoch fence": Fenced,
    "row lock over HTTP": RowLock,
    OURS: Ours,
}
