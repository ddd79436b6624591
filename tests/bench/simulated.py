"""A bad world for one account: four workers, a provider that rotates, a database, and what goes wrong between them.

Time is virtual, and whatever is left to chance is drawn from one seed. What a worker has sent goes on without it: a
request arrives, and a statement is done, also where the worker is dead by then.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any, Final, Literal, TypeAlias, TypeVar

from connproof.config import parse
from connproof.errors import ConnproofError, ProviderDown, StoreFailed
from connproof.model import Account, Connector, Request, Response, Secret
from connproof.places import JsonValue
from pytest_connproof.provider import AuthorizationServer, Numbered
from pytest_connproof.schedule import ControlledLoop
from pytest_connproof.schedule.loop import WORKER
from pytest_connproof.schedule.world import VirtualClock

__all__ = ["LIFETIME_S", "MIXES", "ROTATIONS", "WORKERS", "Mix", "Rotation", "Wire", "World"]

T = TypeVar("T")

Rotation: TypeAlias = Literal["strict"] | int
ROTATIONS: Final[dict[str, Rotation]] = {"strict": "strict", "grace:60": 60}

WORKERS: Final = 4
LIFETIME_S: Final = 1800.0
_BETWEEN_CALLS_S: Final = 20.0  # on average, of one worker
_RARE: Final = 10  # so much longer while the kept token has long to live, or is lost: nothing but looks happens then
_LONG_S: Final = 360.0
_RESTART_S: Final = 30.0
_QUICK_S: Final = (0.1, 0.5)
_SLOW_S: Final = (5.0, 40.0)
_DATABASE: Final = 0.1  # of what one way to the provider takes
_AROUND_S: Final = 0.2  # a worker may also die so long before the first byte leaves, and after the answer came

_OUTSIDE: Final = Context()  # what happens there is no worker's, and happens whoever is dead


@dataclass(frozen=True, slots=True)
class Mix:
    """How likely it is that: one way is slow; a worker dies in an exchange; an answer is lost on its way back; a
    transaction meets a failover, which undoes it or loses its acknowledgement, one as often as the other."""

    slow: float = 0.0
    crash: float = 0.0
    lost: float = 0.0
    failover: float = 0.0


MIXES: Final = {
    "slow 5 %": Mix(slow=0.05),
    "slow 5 %, crash 0.5 %": Mix(slow=0.05, crash=0.005),
    "slow 1 %, lost response 1 %": Mix(slow=0.01, lost=0.01),
    "slow 1 %, failover 1 %": Mix(slow=0.01, failover=0.01),
    "all: 5 %, 0.5 %, 1 %, 1 %": Mix(slow=0.05, crash=0.005, lost=0.01, failover=0.01),
}


class World:
    """What the workers share, and what happens to it. While it is `calm`, nothing goes wrong."""

    def __init__(self, loop: ControlledLoop, mix: Mix, rotation: Rotation, seed: int) -> None:
        self.loop: Final = loop
        self.jitter: Final = Random(f"jitter {seed}").random
        self.clock: Final = VirtualClock(loop, 0.0)
        self.connector: Final = _connector(rotation)
        self.account: Final = Account("acme", {"client_id": "client", "client_secret": "of the client"})
        self.server: Final = AuthorizationServer(self.connector, self.account, rotation=rotation, lifetime_s=LIFETIME_S)
        self.calm = False
        self.dead: Final[set[str]] = set()
        self.kept: Final[set[str]] = set()
        """Every refresh token that was ever written down."""
        self.orphans: Final[set[str]] = set()
        """Every refresh token whose answer was lost, or whose worker died over it."""
        # One stream each, so that the same answers are lost whatever a design does with the database.
        self._network = Random(f"network {seed}")
        self._database = Random(f"database {seed}")
        self._calls = Random(f"calls {seed}")
        self._mix = mix
        self._lives = 0
        self._follow: Callable[[], None] = lambda: None

    @property
    def now(self) -> float:
        return self.clock.now().timestamp()

    def serves(self, access: Secret) -> bool:
        """Whether the API answers a request with this access token, at this moment."""
        headers = (("authorization", f"Bearer {access.reveal()}"),)
        return self.server.serves(Request("GET", "https://api.example/v1/rows", headers), self.now)

    def later(self, seconds: float, happens: Callable[[], object]) -> None:
        """Let it happen, whoever is dead by then."""
        self.loop.call_later(seconds, happens, context=_OUTSIDE.copy())

    def populate(
        self, worker: Callable[[str], Callable[[], Awaitable[object]]], good_until: Callable[[], float]
    ) -> None:
        """Start the workers; one that dies is soon followed by another, which remembers nothing.

        `good_until` tells when the access token ends that is kept; math.inf where none is hoped for any more.
        """

        def begin() -> None:
            self._lives += 1
            name = f"worker {self._lives}"
            self.spawn(name, self._work(worker(name), good_until))

        self._follow = begin
        for _ in range(WORKERS):
            begin()

    def spawn(self, name: str, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Let a worker begin."""
        token = WORKER.set(name)
        try:
            return self.loop.create_task(work, name=name)
        finally:
            WORKER.reset(token)

    def run(self, until: float) -> None:
        """Let time pass, in seconds from the beginning. Raises whatever error no caller is meant to see."""
        self.loop.settle()
        while (timers := self.loop.timers()) and timers[0].when <= until:
            self.loop.fire(timers[0])
            self.loop.settle()
        for _, error in self.loop.defects():
            raise error

    async def stored(self, act: Callable[[], T], *, writes: bool = True) -> T:
        """One transaction. Raises StoreFailed where the database fails over: it is done then, or it is not."""
        chance = self._database
        fails = writes and self._is_so(chance, self._mix.failover)
        happens = not fails or chance.random() < 0.5

        def acted() -> T:
            done = [act()] if happens else []
            if fails:
                raise StoreFailed("the database failed over")
            return done[0]

        return await self._crossed(acted, self._way(chance) * _DATABASE, self._way(chance) * _DATABASE)

    async def asked(self, worker: str, request: Request) -> Response:
        """One request to the token endpoint. Raises ProviderDown where no answer comes."""
        chance = self._network
        up, down = self._way(chance), self._way(chance)
        dies, lost = self._is_so(chance, self._mix.crash), self._is_so(chance, self._mix.lost)
        if dies:
            at = chance.uniform(-_AROUND_S, up + down + _AROUND_S)
            if at < 0:
                self._die(worker)
                await self.loop.create_future()  # nothing of a dead worker goes on
            self.later(at, partial(self._die, worker))

        def acted() -> Response:
            before = len(self.server.issued)
            response = self.server.answer(request, self.now, who=worker)
            if dies or lost:
                self.orphans.update(
                    str(Numbered("acme", one.family, "RT", one.number)) for one in self.server.issued[before:]
                )
            if lost:
                raise ProviderDown("the connection broke before the answer came")
            return response

        return await self._crossed(acted, up, down)

    async def _crossed(self, act: Callable[[], T], up: float, down: float) -> T:
        done: asyncio.Future[T] = self.loop.create_future()

        def arrived() -> None:
            try:
                outcome = act()
            except ConnproofError as error:
                self.later(down, partial(_failed, done, error))
            else:
                self.later(down, partial(_told, done, outcome))

        self.later(up, arrived)
        return await done

    def _way(self, chance: Random) -> float:
        return chance.uniform(*(_SLOW_S if self._is_so(chance, self._mix.slow) else _QUICK_S))

    def _is_so(self, chance: Random, share: float) -> bool:
        """Whether it goes wrong this time."""
        return chance.random() < share and not self.calm

    async def _work(self, ask: Callable[[], Awaitable[object]], good_until: Callable[[], float]) -> None:
        while True:
            left = good_until() - self.now
            pause = self._calls.expovariate(1 / _BETWEEN_CALLS_S)
            await asyncio.sleep(min(pause * _RARE, left - _LONG_S + pause) if left > _LONG_S else pause)
            try:
                await ask()
            except ConnproofError:
                continue  # a caller is told so, and comes again

    def _die(self, worker: str) -> None:
        if worker not in self.dead:
            self.dead.add(worker)
            self.loop.drop(worker)
            self.later(_RESTART_S, self._follow)


@dataclass(frozen=True, slots=True)
class Wire:
    """A worker's way to the token endpoint."""

    world: World
    worker: str

    async def send(self, request: Request) -> Response:
        return await self.world.asked(self.worker, request)


def _told(done: asyncio.Future[T], outcome: T) -> None:
    if not done.done():
        done.set_result(outcome)


def _failed(done: asyncio.Future[T], error: ConnproofError) -> None:
    if not done.done():
        done.set_exception(error)


def _connector(rotation: Rotation) -> Connector:
    declared: JsonValue = rotation if isinstance(rotation, str) else {"grace_s": rotation}
    token: JsonValue = {"url": "https://id.example/oauth/token", "client_auth": "body"}
    return parse(
        json.dumps(
            {
                "base_url": "https://api.example/v1",
                "auth": {"type": "oauth2", "rotation": declared, "token": token},
                "resources": {"rows": {"list": {"method": "GET", "path": "/rows"}}},
            }
        ).encode(),
        folder="simulated",
    )
