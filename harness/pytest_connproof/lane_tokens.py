"""The tokens of a replayed lane: the example account's, kept in memory, and refreshed as the recording shows.

Time is the loop's own: it passes only where nothing else can happen, so that a replay waits for nothing. A token
request that no refusal precedes was made because the access token had ended: time passes there until it has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final, TypeVar

from connproof.events import Listener
from connproof.model import Account, Connector, Operation, Request, Response, Secret, TokenPair
from connproof.places import Place
from connproof.stores.token_memory import MemoryTokens
from connproof.tokens import Tokens
from connproof.transport import Transport
from pytest_connproof.answers import meaning_of
from pytest_connproof.grants import asks_for_token
from pytest_connproof.recording import Lane
from pytest_connproof.replay import Ledger
from pytest_connproof.schedule.loop import ControlledLoop, at_once

__all__ = ["LaneTokens"]

_T = TypeVar("_T")
_LIFETIME_S: Final = 3600.0


class LaneTokens:
    """A transport that knows when the lane's access token ends, and the tokens that are refreshed through it.

    `transport` answers from `ledger`. `began` is when the lane is replayed; `listener` hears the token requests.
    """

    def __init__(
        self,
        connector: Connector,
        operation: Operation,
        account: Account,
        ledger: Ledger,
        transport: Transport,
        *,
        began: datetime,
        listener: Listener,
    ) -> None:
        self._loop = ControlledLoop()  # type: ignore[abstract]  # what it does not have, nobody here needs
        self._clock = _LoopClock(self._loop, began)
        self._store = MemoryTokens(self._clock)
        self._transport = transport
        self._ledger = ledger
        self._last_before_end = frozenset(_last_before_end(connector, operation, ledger.lane))
        self.tokens = Tokens(
            self._store,
            connector,
            self.send,
            owner="replay",
            clock=self._clock,
            jitter=_middle,
            listener=listener,
        )
        self._key = self.tokens.key(account)
        auth, first = connector.auth, ledger.lane.exchanges[0]
        pair = TokenPair(
            _held(account, auth.token_path) or Secret(""),
            _held(account, auth.token.refresh_token_path if auth.token else None),
            expires_at=began.timestamp() + (0 if asks_for_token(auth, first.request) else _LIFETIME_S),
            lifetime_s=_LIFETIME_S,
        )
        at_once(self._store.connect(self._key, pair))

    async def send(self, request: Request) -> Response:
        response = await self._transport.send(request)
        if self._ledger.tally().used[-1].exchange.id in self._last_before_end:
            row = await self._store.read(self._key)
            if row is not None and row.expires_at is not None:
                await self._clock.sleep(row.expires_at - await self._store.now() + 1)
        return response

    def run(self, read: Coroutine[Any, Any, _T]) -> _T:
        """Drive the read to its end. Raises what it raises; RuntimeError where it waits for what never comes."""
        with self._loop.entered():
            task = self._loop.create_task(read)
            while True:
                self._loop.settle()
                if task.done():
                    return task.result()
                timers = self._loop.timers()
                if not timers:
                    raise RuntimeError("the replayed read waits for something that never comes")
                self._loop.fire(timers[0])


class _LoopClock:
    """The loop's time, from the moment at which the lane is replayed."""

    def __init__(self, loop: ControlledLoop, began: datetime) -> None:
        self._loop = loop
        self._began = began

    def now(self) -> datetime:
        return self._began + timedelta(seconds=self._loop.time())

    def monotonic(self) -> float:
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _last_before_end(connector: Connector, operation: Operation, lane: Lane) -> list[str]:
    """The exchanges, by id, after which the access token ends: a token is asked for then, though none was refused."""
    return [
        before.id
        for before, exchange in pairwise(lane.exchanges)
        if asks_for_token(connector.auth, exchange.request)
        and not asks_for_token(connector.auth, before.request)
        and meaning_of(connector, operation, before.response).meaning != "auth_expired"
    ]


def _held(account: Account, path: Place | None) -> Secret | None:
    found = None if path is None else path.find(dict(account.credentials))
    return Secret(found) if isinstance(found, str) and found else None


def _middle() -> float:
    return 0.5
