"""An account's access token for whoever asks, refreshed in time, once for all: callers, tasks, processes, machines.

The store is the truth. A worker holds in memory copies of frozen pairs, with which it may go on for a while, and
the exchanges that it has under way itself. A caller whose token lives never waits, and is told of no trouble.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Final

from connproof.clock import Clock, SystemClock
from connproof.errors import (
    CallWrong,
    ClientMisconfigured,
    ConnproofError,
    Reauthorise,
    RefreshPending,
    StoreFailed,
)
from connproof.events import Listener, ignore
from connproof.model import Account, Connector, Request, Response, Secret, TokenRow
from connproof.stores.token_store import TokenStore
from connproof.tokens.deciding import (
    MaySend,
    Plan,
    Promote,
    Refuse,
    Rest,
    Wait,
    decided,
    lives,
    rotation_of,
)
from connproof.tokens.exchange import Exchanges, Fresh, within
from connproof.tokens.steps import Guards, Steps, unwatched
from connproof.tokens.timing import Timing

__all__ = ["Held", "Tokens"]

_WHY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "revoked": "the provider says that access was revoked",
        "rotation_response_lost": "an answer with new tokens was lost on the way, and the provider gives no other",
        "expired_idle": "its refresh token ended, as it was not used for too long",
        "no_refresh_token": "its access token has ended, and it has no refresh token",
    }
)


@dataclass(frozen=True, slots=True)
class Held:
    """An access token, and the generation that it belongs to."""

    generation: int
    access: Secret


@dataclass(frozen=True, slots=True)
class _Copy:
    """A pair in memory: used without a look at the store until `look_at`, and not at all after `ends_at`."""

    grant_id: str
    held: Held
    look_at: float
    ends_at: float


@dataclass(frozen=True, slots=True)
class _Look:
    """A row as it was read, when that was by the store's clock and by the worker's own, and what may be done."""

    row: TokenRow
    now: float
    at: float
    plan: Plan
    blocked: str = ""


class Tokens:
    """The tokens of one connector's accounts, as one worker uses them. May serve many engines; one event loop alone.

    `send` carries requests to the token endpoint: it waits as long as `timing.exchange_s`, and follows and repeats
    nothing. `owner` names this worker, in the store's leases. `jitter` gives numbers from [0, 1).
    """

    def __init__(
        self,
        store: TokenStore,
        connector: Connector,
        send: Callable[[Request], Awaitable[Response]],
        *,
        owner: str,
        clock: Clock | None = None,
        timing: Timing | None = None,
        steps: Steps = unwatched,
        guards: Guards | None = None,
        jitter: Callable[[], float] = random.random,
        listener: Listener = ignore,
    ) -> None:
        if connector.auth.token is None:
            raise CallWrong(
                f"{connector.name} does not say where a token is asked for: its tokens cannot be kept for it",
                facts={"seen at": f"connector.json {connector.auth.pointer}"},
                fix="declare the token endpoint, or use the engine without tokens",
            )
        self._store = store
        self._connector = connector
        self._clock = clock or SystemClock()
        self._timing = timing or Timing()
        self._steps = steps
        self._guards = guards or Guards()
        self._endpoint = connector.auth.token
        self._refreshes = self._endpoint.grant == "refresh_token"
        self._rotation = rotation_of(connector.auth.rotation, refreshes=self._refreshes, timing=self._timing)
        self._exchanges = Exchanges(
            store,
            connector.auth,
            send,
            self._clock,
            owner,
            self._timing,
            steps,
            self._guards,
            jitter,
            listener,
        )
        self._copies: dict[str, _Copy] = {}
        self._refused: dict[str, int] = {}
        self._forced_at: dict[str, float] = {}
        self._watched: dict[str, tuple[float, TokenRow]] = {}
        # The loop itself holds a task by a weak reference alone: one that nobody waits for would be lost.
        self._flights: dict[str, asyncio.Task[None]] = {}
        self._places = asyncio.Semaphore(self._timing.at_once)

    async def access(self, account: Account) -> Held:
        """An access token that lives. Waits for it where there is none, up to `timing.caller_s`.

        Raises Reauthorise, ClientMisconfigured, RefreshPending, StoreFailed; CallWrong where the account was never
        connected, or lacks what the token request needs.
        """
        return await self._held(account)

    async def rejected(self, account: Account, generation: int) -> Held:
        """An access token after the provider refused that of `generation`: a newer one, refreshed where it must be.

        The very same where this worker has just had it refreshed for such a refusal: then its age is not the
        reason. Raises as `access`.
        """
        key = self.key(account)
        held = self._copied(key)
        if held is not None and held.generation != generation:
            return held
        if self._refused.get(key) != generation:
            since = self._clock.monotonic() - self._forced_at.get(key, -math.inf)
            if since < self._timing.forced_s:
                self._copies.pop(key, None)  # another worker may have a newer one by now
            else:
                self._refused[key] = generation
        return await self._held(account)

    async def drained(self) -> None:
        """Wait for the exchanges under way: at shutdown, before the transport and the store are closed."""
        while self._flights:
            await asyncio.wait([*self._flights.values()])

    async def unblock(self, account: Account) -> None:
        """Let the account's OAuth client be used again: its id, secret and rights are right now."""
        await self._store.block_client(self.client(account), "")

    def key(self, account: Account) -> str:
        """What the account is called in the store."""
        return f"{self._connector.name}/{account.name}"

    def client(self, account: Account) -> str:
        """What the account's OAuth client is called in the store: one that it brings itself has its id in its name."""
        path = self._endpoint.client_id_path
        found = None if path is None else path.find(dict(account.credentials))
        return f"{self._connector.name}:{found}" if isinstance(found, str) and found else self._connector.name

    async def _held(self, account: Account) -> Held:
        key, until = self.key(account), self._clock.monotonic() + self._timing.caller_s
        while True:
            held = self._copied(key)
            if held is not None:
                return held
            try:
                look = await self._look(account, key)
            except StoreFailed:
                held = self._copied(key, however_old=True)
                if held is not None:
                    return held
                raise
            flight = self._flown(look, account, key)
            held = self._copy(look, key)
            if held is not None:
                return held
            await self._waited(look, flight, account, until)

    def _copied(self, key: str, *, however_old: bool = False) -> Held | None:
        """The pair in memory, where it may be used: while this worker refreshes it, the old one for all others."""
        copy, now = self._copies.get(key), self._clock.monotonic()
        if copy is None or now >= copy.ends_at or copy.held.generation == self._refused.get(key):
            return None
        return copy.held if however_old or now < copy.look_at or key in self._flights else None

    async def _look(self, account: Account, key: str) -> _Look:
        await self._steps("read")
        now = await self._store.now()
        row = await self._store.read(key)
        at = self._clock.monotonic()
        if row is None:
            self._copies.pop(key, None)
            raise CallWrong(
                f'the account "{account.name}" of {self._connector.name} is not connected: no tokens are kept for it',
                fix="connect it, as with `connproof accounts add`",
            )
        plan = self._decided(row, now, unmoved=False)
        if isinstance(plan, Wait) and plan.stale and self._stood_still(key, row):
            plan = self._decided(row, now, unmoved=True)
        if not isinstance(plan, MaySend):
            return _Look(row, now, at, plan)
        return _Look(row, now, at, plan, blocked=await self._store.client_block(self.client(account)))

    def _decided(self, row: TokenRow, now: float, *, unmoved: bool) -> Plan:
        return decided(
            row,
            now,
            rotation=self._rotation if self._guards.intent else "none",
            refreshes=self._refreshes,
            timing=self._timing,
            refused=self._refused.get(row.account),
            unmoved=unmoved,
        )

    def _stood_still(self, key: str, row: TokenRow) -> bool:
        """Whether the row was the same for as long as a lease: a holder that is alive would have moved it."""
        now = self._clock.monotonic()
        since, before = self._watched.get(key, (now, None))
        if before != row:
            self._watched[key] = (now, row)
            return False
        return now - since >= self._timing.lease_s

    def _flown(self, look: _Look, account: Account, key: str) -> asyncio.Task[None] | None:
        """The worker's own exchange for the account: the one under way, or a new one where there may be one."""
        if key not in self._flights and not look.blocked:
            if isinstance(look.plan, MaySend):
                self._start(key, self._refresh(look, account, key, over_stale=look.plan.over_stale))
            elif isinstance(look.plan, Promote):
                self._start(key, self._promote(look.row))
        return self._flights.get(key)

    def _start(self, key: str, flight: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(flight)
        self._flights[key] = task
        task.add_done_callback(partial(self._landed, key))

    def _landed(self, key: str, flight: asyncio.Task[None]) -> None:
        del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # whoever waited for it raises it; where nobody did, the row says what is to be done

    async def _refresh(self, look: _Look, account: Account, key: str, *, over_stale: bool) -> None:
        async with self._places:
            fresh = await self._exchanges.exchange(
                look.row, account, client=self.client(account), over_stale=over_stale
            )
        if fresh is None:
            return
        if self._refused.get(key) == look.row.generation:
            self._forced_at[key] = self._clock.monotonic()
        self._copies[key] = self._copy_of(fresh, look.row)

    async def _promote(self, row: TokenRow) -> None:
        await self._steps("promote")
        if await self._store.promote(row) is None:
            await self._exchanges.pause()

    def _copy_of(self, fresh: Fresh, before: TokenRow) -> _Copy:
        held, pair = Held(fresh.generation, fresh.pair.access), fresh.pair
        look_at = fresh.received + self._timing.look_s
        if pair.lifetime_s is None:
            return _Copy(before.grant_id, held, look_at, math.inf)
        ends_at = fresh.received + pair.lifetime_s
        margin = self._timing.margin(before.account, pair.lifetime_s)
        return _Copy(before.grant_id, held, min(look_at, ends_at - margin), ends_at)

    def _copy(self, look: _Look, key: str) -> Held | None:
        """The row's own pair, now in memory, where it lives; a newer one that is there stays."""
        row, copy = look.row, self._copies.get(key)
        if copy is not None and copy.grant_id == row.grant_id and copy.held.generation > row.generation:
            return self._copied(key, however_old=True)
        if row.access is None or not lives(row, look.now, refused=self._refused.get(key)):
            return None
        look_s = min(self._timing.look_s, self._rests(look))
        lives_s = math.inf if row.expires_at is None else row.expires_at - look.now
        held = Held(row.generation, row.access)
        self._copies[key] = _Copy(row.grant_id, held, look.at + look_s, look.at + lives_s)
        return held

    def _rests(self, look: _Look) -> float:
        """For how many seconds a look at the store would tell nothing new, as far as one can know."""
        match look.plan:
            case Rest(until=None) | Refuse():
                return math.inf
            case Rest(until=then) | Wait(until=then, leased=False) if then is not None:
                return then - look.now
            case _:
                return self._timing.poll_s

    async def _waited(self, look: _Look, flight: asyncio.Task[None] | None, account: Account, until: float) -> None:
        """Wait for what could bring a token, as long as this caller may; raise what stands against it."""
        left = until - self._clock.monotonic()
        if flight is not None:
            await self._joined(flight, left)
            return
        if look.blocked:
            raise self._misconfigured(look, self.client(account))
        match look.plan:
            case Refuse(reason):
                raise self._lost(look.row, reason)
            case Wait(stale=False, leased=False, until=then):
                if then - look.now > left:
                    raise self._pending(look.row, then - look.now)
                await self._clock.sleep(then - look.now)
            case Wait():
                if left <= 0:
                    raise self._pending(look.row, self._timing.lease_s)
                await self._exchanges.pause(left)
            case MaySend() | Promote() | Rest():
                raise AssertionError("one that may send has a flight, and one that rests has a token that lives")

    async def _joined(self, flight: asyncio.Task[None], left: float) -> None:
        try:
            if not await within(self._clock, flight, max(left, 0)):
                raise self._pending(None, self._timing.lease_s)
        finally:
            if not self._guards.detached:
                flight.cancel()
        flight.result()

    def _pending(self, row: TokenRow | None, seconds: float) -> RefreshPending:
        pending = RefreshPending(
            "the access token has ended, and its refresh is not done",
            facts={"last seen": row.reason} if row is not None and row.reason else None,
            fix="try again later: the refresh goes on by itself",
        )
        pending.seconds = max(1, math.ceil(seconds))
        return pending

    def _lost(self, row: TokenRow, reason: str) -> ConnproofError:
        if row.state == "blocked_config":
            return StoreFailed(
                "the account's tokens cannot be read from their store",
                facts={"account": row.account, "reason": reason},
                fix="give the key that they were sealed with; they are still there",
            )
        lost = Reauthorise(
            f"the account must be connected again: {_WHY.get(reason, reason)}",
            facts={"account": row.account, "reason": reason},
            fix="let its owner give consent once more",
        )
        lost.reason = reason
        return lost

    def _misconfigured(self, look: _Look, client: str) -> ClientMisconfigured:
        return ClientMisconfigured(
            f"the token endpoint of {self._connector.name} refuses the OAuth client itself",
            facts={"client": client, "it says": look.blocked},
            fix="correct its id, secret or rights, then `connproof accounts unblock`; no new consent is needed",
        )
