"""One refresh, from the claim to the release: the intent is durable, one request leaves, its answer is kept.

What the provider gave is never dropped: a successor is written until the store takes it, whoever has the lease
by then. No transaction of the store is open while the request is on its way.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from connproof.auth import Signing
from connproof.auth.token_request import token_draft, with_tokens
from connproof.auth.token_response import TokenGranted, checked_variables
from connproof.clock import Clock
from connproof.errors import ConnproofError, ProviderBroke, StoreFailed
from connproof.events import Listener, RequestSent, ResponseReceived, TokenRefreshed
from connproof.model import Account, Auth, Request, Response, Secret, TokenPair, TokenRow
from connproof.stores.token_store import TokenStore
from connproof.tokens.judging import Client, Granted, Terminal, Transient, judged, unanswered
from connproof.tokens.steps import Guards, Steps
from connproof.tokens.timing import Timing

__all__ = ["Exchanges", "Fresh", "within"]

_T = TypeVar("_T")
_MOST_BETWEEN_ASKING: Final = 5.0  # seconds: a store that is back is soon given what it missed


@dataclass(frozen=True, slots=True)
class Fresh:
    """A pair that was just stored. `received` is when it came, by the worker's own monotonic clock."""

    generation: int
    pair: TokenPair
    received: float


@dataclass(frozen=True, slots=True)
class Exchanges:
    """How this worker refreshes the accounts of one connector."""

    store: TokenStore
    auth: Auth
    send: Callable[[Request], Awaitable[Response]] = field(repr=False)
    clock: Clock
    owner: str
    timing: Timing
    steps: Steps
    guards: Guards
    jitter: Callable[[], float]
    listener: Listener

    async def exchange(self, seen: TokenRow, account: Account, *, client: str, over_stale: bool) -> Fresh | None:
        """Refresh what was seen; None where somebody was first, or no token came of it: the row says which.

        Raises CallWrong where the account lacks what the request needs, StoreFailed; after neither was anything sent.
        """
        account = self._with_pair(account, seen)
        request = token_draft(self.auth, account, Signing.at(self.clock)).request()
        started = self.clock.monotonic()
        await self.steps("claim")
        claimed = await self.store.claim(seen, owner=self.owner, lease_s=self.timing.lease_s, over_stale=over_stale)
        if claimed is None:
            await self.pause()
            return None
        one = _Claimed(self, seen, claimed, account, client, started, self.clock.monotonic())
        await self.steps("claimed")
        beating = asyncio.create_task(one.beat())
        try:
            fresh = await one.presented(request)
        finally:
            beating.cancel()
        if beating.done():
            beating.result()  # what it died of, if it did
        return fresh

    async def pause(self, most: float = math.inf) -> None:
        """Somebody else is at the account: look again a little later, and not all at the same time."""
        await self.clock.sleep(min(most, self.timing.poll_s * (0.5 + self.jitter())))

    def _with_pair(self, account: Account, row: TokenRow) -> Account:
        """The account with its kept tokens, for the request, and so that no message quotes one."""
        return with_tokens(self.auth, account, access=row.access or Secret(""), refresh=row.refresh)


@dataclass(frozen=True, slots=True)
class _Claimed:
    """An account under this worker's lease. `claimed_at` is when, by the monotonic clock; `started`, just before."""

    by: Exchanges
    seen: TokenRow
    row: TokenRow
    account: Account
    client: str
    started: float
    claimed_at: float

    async def beat(self) -> None:
        """Renew the lease until it is another's, or this is cancelled."""
        timing = self.by.timing
        pause = timing.beat_s
        while True:
            await self.by.clock.sleep(pause)
            await asyncio.sleep(0)  # under a clock that only says that it slept, others must have their turn
            await self.by.steps("beat")
            try:
                if not await self.by.store.beat(self.row, lease_s=timing.lease_s):
                    return
                pause = timing.beat_s
            except StoreFailed:
                # Soon again: at worst the lease ends, and whoever is next finds the intent.
                pause = min(timing.poll_s, timing.beat_s)

    async def presented(self, request: Request) -> Fresh | None:
        """Present the refresh token, once, and write down what came of it."""
        by = self.by
        await by.steps("send")
        if by.clock.monotonic() - self.started > by.timing.lease_s / 2:
            # This worker was held up: by now another may think that it is dead.
            await self._back_off(Transient("late", sent=False))
            return None
        answer = await self._answer(request)
        received, now = by.clock.monotonic(), by.clock.now()
        await by.steps("sent")
        outcome = judged(by.auth, self.account, answer, now) if isinstance(answer, Response) else unanswered(answer)
        await by.steps("parsed")
        match outcome:
            case Granted():
                return await self._keep(outcome.granted, outcome.pair(self._store_time(received), now), received)
            case Terminal():
                await self._refused()
            case Client():
                await by.store.block_client(self.client, outcome.reason)
                # A client is authenticated before its token is looked at (RFC 6749, section 6): none was spent.
                await self._back_off(Transient("client_blocked", sent=False))
            case Transient():
                if outcome.successor is not None:
                    alone = TokenPair(Secret(""), outcome.successor)
                    await self._insisted(lambda: by.store.keep_candidate(self.row, alone))
                await self._back_off(outcome)
        return None

    async def _answer(self, request: Request) -> Response | ConnproofError | None:
        """The answer, or the fault in its place; None where there was none in time."""
        self.by.listener(RequestSent(request))
        asking = asyncio.ensure_future(self.by.send(request))
        try:
            if not await within(self.by.clock, asking, self.by.timing.exchange_s):
                return None
            response = asking.result()
        except ConnproofError as fault:
            return fault
        finally:
            asking.cancel()
        self.by.listener(ResponseReceived(response))
        return response

    async def _keep(self, granted: TokenGranted, pair: TokenPair, received: float) -> Fresh | None:
        fate = await self._insisted(lambda: self.by.store.keep(self.row, pair))
        await self.by.steps("kept")
        await self._release()
        if fate not in {"stored", "own"}:
            return None
        generation = self.row.generation + 1
        self.by.listener(TokenRefreshed(self.row.account, generation, (*granted.notes, *self._faults(granted))))
        return Fresh(generation, pair, received)

    def _faults(self, granted: TokenGranted) -> tuple[str, ...]:
        """What is wrong with the variables that came with a token: it is good by itself, and kept by now."""
        try:
            checked_variables(self.by.auth, granted)
        except ProviderBroke as wrong:
            return (wrong.what,)
        return ()

    async def _insisted(self, ask: Callable[[], Awaitable[_T]], step: str = "keep") -> _T:
        """Ask the store until it does it, each time anew: the worker alone knows what the provider said."""
        pause = self.by.timing.poll_s
        while True:
            await self.by.steps(step)
            try:
                return await ask()
            except StoreFailed:
                await self.by.clock.sleep(pause)
                pause = min(2 * pause, _MOST_BETWEEN_ASKING)

    async def _refused(self) -> None:
        """The provider refuses the refresh token for good: hold that against the row as it is now."""
        by, row = self.by, self.row
        if by.guards.reread:
            current = await self._insisted(lambda: by.store.read(row.account), "read")
            moved = current is None or (current.grant_id, current.generation) != (row.grant_id, row.generation)
            if moved or current is None:
                await self._release()
                return
            if current.candidates:
                await by.steps("promote")
                await by.store.promote(current)
                await self._release()
                return
        reason = self._reason()
        if not await self._insisted(lambda: by.store.refuse(row, state="needs_reauth", reason=reason), "refuse"):
            await by.pause()
        await self._release()

    def _reason(self) -> str:
        row = self.row
        if row.refresh_expires_at is not None and row.refresh_expires_at <= self._store_time(self.by.clock.monotonic()):
            return "expired_idle"
        if row.intent_count > 1 and self.by.auth.rotation != "none":
            return "rotation_response_lost"
        return "revoked"

    async def _back_off(self, outcome: Transient) -> None:
        by, failures = self.by, self.row.fail_count
        now = self._store_time(by.clock.monotonic())
        attention = outcome.is_riddle and failures + 1 >= by.timing.attention
        await by.steps("back_off")
        await by.store.back_off(
            self.row,
            not_before=now + by.timing.back_off(failures, outcome.wait_s, by.jitter()),
            undo=None if outcome.sent else self.seen,
            reason="needs_attention" if attention else outcome.reason,
        )

    async def _release(self) -> None:
        await self.by.steps("release")
        try:
            await self.by.store.release(self.row)
        except StoreFailed:
            return  # the lease ends by itself, and all that matters is written
        await self.by.steps("released")

    def _store_time(self, at: float) -> float:
        """A moment of the monotonic clock by the store's clock, as the claim told it."""
        return self.row.lease_until - self.by.timing.lease_s + at - self.claimed_at


async def within(clock: Clock, future: asyncio.Future[Any], seconds: float) -> bool:
    """Whether it is done within so many seconds; it goes on if it is not, or if this is cancelled."""
    alarm = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({future, alarm}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        alarm.cancel()
    return future.done()
