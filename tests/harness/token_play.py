"""Workers with the real Tokens over one store and one simulated provider, to be played in every order."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

from connproof.clock import Clock
from connproof.errors import ConnproofError, RefreshPending
from connproof.model import Account, Connector, Request, Response
from connproof.stores.token_memory import MemoryTokens
from connproof.tokens import Guards, Held, Timing, Tokens
from pytest_connproof.provider import AuthorizationServer, Rotation
from pytest_connproof.provider.invariants import Asking, Watched, broken, marks
from pytest_connproof.schedule import START, Play, World, at_once
from pytest_connproof.schedule.loop import WORKER
from scripted import connector

T = TypeVar("T")

ACCOUNT = Account("acme", {"client_id": "c:1", "client_secret": "known to nobody", "refresh_token": "none yet"})
KEY = "sample/acme"
TIMING = Timing(poll_s=6.0, caller_s=15.0)
"""With few looks at an account that another worker refreshes: each is a step in which others may come first."""


@cache
def declared(rotation: Rotation) -> Connector:
    """A connector that declares this of its provider."""
    said = {"grace_s": rotation} if isinstance(rotation, int) else rotation
    token = {"url": "https://id.example/token", "client_auth": "none"}
    return connector(auth={"type": "oauth2", "rotation": said, "token": token})


@dataclass(frozen=True, slots=True)
class Patient:
    """A clock on which no exchange is given up."""

    clock: Clock

    def now(self) -> Any:
        return self.clock.now()

    def monotonic(self) -> float:
        return self.clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        if seconds == TIMING.exchange_s:
            await asyncio.get_running_loop().create_future()
        await self.clock.sleep(seconds)


@dataclass(frozen=True)
class Cast:
    """Who plays, and how.

    `age_s` is how old the token is at the beginning, `lifetime_s` how long one lives, `again_s` after how long a worker
    asks once more (None: it does not). `beats` is how often a lease is renewed before its holder seems dead:
    without it a worker that waits would never come to an end. `pauses` lets others in, and death, before every step.
    With `rejects` the
    provider has ended the first access token before its time, and each worker finds out by a 401.
    """

    rotation: Rotation = "strict"
    workers: str = "AB"
    age_s: float = 1000.0
    lifetime_s: float = 1000.0
    again_s: float | None = None
    beats: int = 0
    pauses: bool = False
    rejects: bool = False
    guards: Guards = field(default_factory=Guards)
    store: type[MemoryTokens] = MemoryTokens

    def __call__(self, world: World) -> Play:
        return Stage(self, world).play()


class Stage:
    """One execution."""

    def __init__(self, cast: Cast, world: World) -> None:
        self.cast, self.world = cast, world
        self.connector = declared(cast.rotation)
        self.server = AuthorizationServer(
            self.connector, ACCOUNT, rotation=cast.rotation, lifetime_s=cast.lifetime_s, prefix="acme"
        )
        pair = self.server.consent(START.timestamp() - cast.age_s)
        if cast.rejects:
            self.server.end_access()
        world.names.update({f"acme.1.{kind}_{n}": f"{kind}_{n}" for n in range(6) for kind in ("AT", "RT")})
        self.watched = Watched(cast.store(world.clock()), {KEY: self.server})
        at_once(self.watched.connect(KEY, pair))
        self.store = world.store(self.watched)
        self.askings: list[Asking] = []
        self.steps: dict[str, str] = {}
        self.is_quiet = False
        self.done = ""

    def play(self) -> Play:
        return Play({name: self.work(name) for name in self.cast.workers}, self.judged, afterwards=self.later)

    def tokens(self, me: str, *, is_watched: bool = True) -> Tokens:
        left = self.cast.beats

        async def step(name: str) -> None:
            nonlocal left
            self.steps[me] = name
            await self.world.step(name)
            if name == "beat":
                left -= 1
                if left < 0:
                    await self.world.loop.create_future()
            elif self.cast.pauses and is_watched:
                await self.world.pause(f"({name})")

        return Tokens(
            self.store,
            self.connector,
            self.world.transport(self, deed=self.deed).send,
            clock=Patient(self.world.clock()),
            owner=me,
            timing=TIMING,
            steps=step,
            guards=self.cast.guards,
            jitter=lambda: 0.5,
        )

    def answer(self, request: Request, now: float) -> Response:
        if not self.server.is_asked(request):
            return Response(200 if self.server.serves(request, now, who=WORKER.get()) else 401)
        response = self.server.answer(request, now, who=WORKER.get())
        one = self.server.presentations[-1]
        self.done = f"RT_{one.number} {one.outcome}"
        return response

    def deed(self) -> str:
        done, self.done = self.done, ""
        return done

    async def work(self, me: str) -> object:
        tokens = self.tokens(me)
        try:
            first = await self.asked(me, tokens.access(ACCOUNT))
            if self.cast.rejects and isinstance(first, Held) and not await self.served(first):
                row = at_once(self.watched.read(KEY))
                if row is not None and row.generation > first.generation:
                    self.world.reached["late 401"] += 1
                return await self.asked(me, tokens.rejected(ACCOUNT, first.generation))
            if self.cast.again_s is None:
                return first
            await self.world.clock().sleep(self.cast.again_s)
            return await self.asked(me, tokens.access(ACCOUNT))
        finally:
            await tokens.drained()

    async def served(self, held: Held) -> bool:
        """Whether the API takes a token."""
        headers = (("authorization", f"Bearer {held.access.reveal()}"),)
        transport = self.world.transport(self, deed=self.deed)
        return (await transport.send(Request("GET", "https://api.example/rows", headers))).status == 200

    async def asked(self, who: str, asking: Coroutine[Any, Any, Held]) -> object:
        """What a caller gets, and how long it waits for it."""
        began, ends = self.world.loop.time(), self.ends
        result: object
        try:
            result = await asking
        except ConnproofError as error:
            result = error
        ended = self.world.loop.time()
        self.askings.append(Asking(who, began, ended, result, lived=ended < ends))
        return result

    @property
    def ends(self) -> float:
        """When the access token ends that is kept, on the loop's clock; at once where the provider refuses it."""
        row = self.watched.history(KEY)[-1].after
        lives = not self.cast.rejects and row is not None and row.expires_at is not None
        return row.expires_at - START.timestamp() if lives and row and row.expires_at else 0.0

    async def later(self) -> object:
        """When the dust has settled: a token's end away, somebody asks until there is an answer."""
        tokens = self.tokens("later", is_watched=False)
        result: object = None
        for _ in range(2):
            await self.world.clock().sleep(self.cast.lifetime_s + TIMING.lease_s)
            for _ in range(2):
                result = await self.asked("later", tokens.access(ACCOUNT))
                if not isinstance(result, RefreshPending):
                    break
                await self.world.clock().sleep(result.seconds or 1)
        await tokens.drained()
        self.is_quiet = True
        return result

    def judged(self) -> Sequence[str]:
        history, reached = self.watched.history(KEY), self.world.reached
        for mark in marks(history):
            reached[mark] += 1
        for who in self.world.dead:
            reached[f"death at {self.steps.get(who, 'nothing')}"] += 1
        for one in self.server.presentations:
            reached[f"RT {one.outcome}"] += 1
        lost = reached["crashes"] + reached["lost_answers"]
        askings = [] if reached["slow"] else self.askings  # a store call that is held has no end
        return broken(
            self.server,
            history,
            self.cast.rotation,
            timing=TIMING,
            lost=lost,
            quiet=self.is_quiet,
            askings=askings,
        )
