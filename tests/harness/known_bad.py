"""Ways of refreshing a token that go wrong, each in a few lines, and two that do not.

Two workers find the access token refused. The provider is strict: every refresh spends the refresh token, and a spent
one that comes back ends the whole grant.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from connproof.errors import ProviderDown
from connproof.model import Request, Response
from connproof.transport import Transport
from pytest_connproof.schedule import Faults, Play, Scenario, World

BASE = "https://api.example"
ACCOUNT = "shop/acme"
LEASE_S = 10.0


class Strict:
    """The provider. The refresh token of generation n is "secret-rt-n-", the access token likewise."""

    def __init__(self, world: World, *, tells_refresh: bool = True, lifetime_s: float = 1800.0) -> None:
        self._world = world
        self._tells_refresh = tells_refresh
        self._lifetime = lifetime_s
        self.newest = 0
        self.refreshes = 0
        self.is_revoked = False
        self.ends_at = 0.0  # the first access token has come to its end
        self.deed = ""
        self._name(0)

    def _name(self, number: int) -> None:
        for kind in ("at", "rt"):
            self._world.names[f"secret-{kind}-{number}-"] = f"{kind}#{number}"

    def answer(self, request: Request, now: float) -> Response:
        self.deed = ""
        if not request.url.endswith("/token"):
            live = request.header("authorization") == f"Bearer secret-at-{self.newest}-" and now < self.ends_at
            return Response(200 if live and not self.is_revoked else 401)
        self.refreshes += 1
        (sent,) = parse_qs((request.body or b"").decode())["refresh_token"]
        if self.is_revoked or sent != f"secret-rt-{self.newest}-":
            self.is_revoked = True
            self.deed = f"{self._world.shown([sent])} is spent: all revoked"
            return Response(400, body=b'{"error": "invalid_grant"}')
        spent = f"rt#{self.newest} spent; " if self._tells_refresh else ""
        self.newest += self._tells_refresh
        self._name(self.newest)
        self.ends_at = now + self._lifetime
        self.deed = f"{spent}issues at#{self.newest} rt#{self.newest}" if spent else f"issues at#{self.newest}"
        tokens = {"access_token": f"secret-at-{self.newest}-", "expires_at": self.ends_at}
        if self._tells_refresh:
            tokens["refresh_token"] = f"secret-rt-{self.newest}-"
        return Response(200, body=json.dumps(tokens).encode())


@dataclass(frozen=True, slots=True)
class Row:
    """What the small store keeps of the account."""

    access: str | None = "secret-at-0-"
    refresh: str | None = "secret-rt-0-"
    generation: int = 0
    owner: str = ""
    epoch: int = 0
    until: float = 0.0


@dataclass
class Small:
    """A store with one row, and what became of it."""

    now: Callable[[], float]
    row: Row = field(default_factory=Row)
    torn: list[str] = field(default_factory=list)
    freed: list[str] = field(default_factory=list)

    async def read(self, account: str) -> Row:
        assert account == ACCOUNT
        if str(self.row.access).removeprefix("secret-at") != str(self.row.refresh).removeprefix("secret-rt"):
            self.torn.append(f"{self.row.access} was read with {self.row.refresh}")
        return self.row

    async def write(self, account: str, **changes: Any) -> None:
        assert account == ACCOUNT
        self.row = replace(self.row, **changes)

    async def write_if(self, account: str, expected: dict[str, object], **changes: Any) -> bool:
        assert account == ACCOUNT
        if any(getattr(self.row, name) != value for name, value in expected.items()):
            return False
        self.row = replace(self.row, **changes)
        return True

    async def claim(self, account: str, owner: str) -> Row | None:
        """The row with the lease taken, None while it is another's."""
        assert account == ACCOUNT
        if self.row.until > self.now():
            return None
        self.row = replace(self.row, owner=owner, epoch=self.row.epoch + 1, until=self.now() + LEASE_S)
        return self.row

    async def free(self, account: str, owner: str, *, whoever_has_it: bool) -> None:
        assert account == ACCOUNT
        if whoever_has_it or self.row.owner == owner:
            if self.row.owner != owner and self.row.until > self.now():
                self.freed.append(f"{owner} freed the lease of {self.row.owner}")
            self.row = replace(self.row, owner="", until=0.0)


@dataclass
class Stage:
    """What every scenario stands on."""

    world: World
    server: Strict
    store: Small
    transport: Transport

    @classmethod
    def of(cls, world: World, **provider: Any) -> Stage:
        server = Strict(world, **provider)
        store = Small(lambda: world.now)
        return cls(world, server, store, world.transport(server, deed=lambda: server.deed))

    async def get(self, access: str | None) -> int:
        request = Request("GET", f"{BASE}/deals", (("authorization", f"Bearer {access}"),))
        return (await self.transport.send(request)).status

    async def post(self, refresh: str | None) -> dict[str, Any]:
        """The answer of the token endpoint; empty where it refuses."""
        response = await self.transport.send(Request("POST", f"{BASE}/token", (), f"refresh_token={refresh}".encode()))
        tokens: dict[str, Any] = json.loads(response.body) if response.status == 200 else {}
        return tokens

    # What must be true in the end.

    def no_replay(self) -> list[str]:
        return ["a spent refresh token was presented (I2)"] if self.server.is_revoked else []

    def one_refresh(self) -> list[str]:
        count = self.server.refreshes
        return [f"{count} refreshes, 1 allowed: at#0 was no longer the current token"] if count > 1 else []

    def all_served(self) -> list[str]:
        results = self.world.results
        return [f"worker {worker} got {results[worker]}" for worker in sorted(results) if results[worker] != 200]

    def pairs_whole(self) -> list[str]:
        return [f"{self.world.shown([text])} were read together (I5)" for text in self.store.torn]

    def nothing_dropped(self) -> list[str]:
        newest = self.server.newest
        is_kept = self.store.row.refresh == f"secret-rt-{newest}-"
        return [] if is_kept else [f"rt#{newest} was issued, and is kept nowhere (I4)"]

    def own_lease(self) -> list[str]:
        return self.store.freed

    def all_of_it(self) -> list[str]:
        return [*self.no_replay(), *self.one_refresh(), *self.all_served(), *self.pairs_whole()]


Rule = Callable[[Stage], Sequence[str]]


# One process: the tokens are in memory, and the workers share them.


class InMemory:
    """No lock: whoever is refused refreshes."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.access, self.refresh = "secret-at-0-", "secret-rt-0-"
        self.lock = asyncio.Lock()
        self.running: asyncio.Task[None] | None = None

    async def work(self) -> int:
        access = self.access
        status = await self.stage.get(access)
        if status == 401:
            await self.renew(access)
            status = await self.stage.get(self.access)
        return status

    async def renew(self, rejected: str) -> None:
        del rejected
        await self.exchange()

    async def exchange(self) -> None:
        tokens = await self.stage.post(self.refresh)
        if tokens:
            self.access, self.refresh = tokens["access_token"], tokens["refresh_token"]


class LockWithoutLook(InMemory):
    """A lock, but whoever comes second does not look whether there is anything left to do."""

    async def renew(self, rejected: str) -> None:
        del rejected
        async with self.lock:
            await self.exchange()


class Late401(InMemory):
    """One exchange for all who ask while it runs; a 401 that comes later starts another."""

    async def renew(self, rejected: str) -> None:
        del rejected
        if self.running is None or self.running.done():
            self.running = asyncio.create_task(self.exchange())
        await asyncio.shield(self.running)


class LookUnderLock(InMemory):
    """Right: under the lock, refresh only if the rejected token is still the current one."""

    async def renew(self, rejected: str) -> None:
        async with self.lock:
            if rejected == self.access:
                await self.exchange()


class GapBeforeTheTask(InMemory):
    """One exchange for all, but between the look and the start another task may go on."""

    async def renew(self, rejected: str) -> None:
        if rejected != self.access:
            return
        if self.running is None:
            await asyncio.sleep(0)
            self.running = asyncio.create_task(self.exchange())
        await asyncio.shield(self.running)


def in_memory(engine: type[InMemory], workers: str = "AB") -> Callable[[World], Play]:
    def make(world: World) -> Play:
        stage = Stage.of(world)
        shared = engine(stage)
        return Play({name: shared.work() for name in workers}, stage.all_of_it)

    return make


# Two processes: the tokens are in the store, which is all that the workers share.

Renew = Callable[[Stage, Small, str, Row], Coroutine[Any, Any, None]]


async def two_writes(stage: Stage, store: Small, me: str, seen: Row) -> None:
    """The access token and the refresh token are written one after the other."""
    row = await claimed(stage, store, me, seen)
    if row.generation == seen.generation:
        tokens = await stage.post(row.refresh)
        await store.write(ACCOUNT, access=tokens["access_token"])
        await store.write(ACCOUNT, refresh=tokens["refresh_token"], generation=row.generation + 1)
    await store.free(ACCOUNT, me, whoever_has_it=False)


async def fenced(stage: Stage, store: Small, me: str, seen: Row) -> None:
    """Only who has the lease may write: the successor that comes late is thrown away."""
    row = await claimed(stage, store, me, seen)
    if row.generation == seen.generation:
        tokens = await stage.post(row.refresh)
        if tokens:
            pair = {"access": tokens["access_token"], "refresh": tokens["refresh_token"]}
            await store.write_if(ACCOUNT, {"epoch": row.epoch}, generation=row.generation + 1, **pair)
    await store.free(ACCOUNT, me, whoever_has_it=False)


async def freed_by_anybody(stage: Stage, store: Small, me: str, seen: Row) -> None:
    """Whoever comes to the end frees the lease, also where it has become another's."""
    row = await claimed(stage, store, me, seen)
    if row.generation == seen.generation:
        await kept(stage, store, row)
    await store.free(ACCOUNT, me, whoever_has_it=True)


async def sent_again(stage: Stage, store: Small, me: str, seen: Row) -> None:
    """An answer that does not come is asked for again."""
    row = await claimed(stage, store, me, seen)
    if row.generation == seen.generation:
        try:
            await kept(stage, store, row)
        except ProviderDown:
            await kept(stage, store, row)
    await store.free(ACCOUNT, me, whoever_has_it=False)


async def right(stage: Stage, store: Small, me: str, seen: Row) -> None:
    """Under the lease, refresh only if the generation is still the one that was refused."""
    row = await claimed(stage, store, me, seen)
    if row.generation == seen.generation:
        await kept(stage, store, row)
    await store.free(ACCOUNT, me, whoever_has_it=False)


async def claimed(stage: Stage, store: Small, me: str, seen: Row) -> Row:
    """The row with the lease; as it is, where the generation has moved meanwhile."""
    while (row := await store.claim(ACCOUNT, me)) is None:
        await stage.world.clock().sleep(LEASE_S)
        row = await store.read(ACCOUNT)
        if row.generation != seen.generation:
            return row
    return row


async def kept(stage: Stage, store: Small, row: Row) -> None:
    tokens = await stage.post(row.refresh)
    if tokens:
        pair = {"access": tokens["access_token"], "refresh": tokens["refresh_token"]}
        await store.write_if(ACCOUNT, {"generation": row.generation}, generation=row.generation + 1, **pair)


def in_store(renew: Renew, rule: Rule = Stage.all_of_it, workers: str = "AB") -> Callable[[World], Play]:
    def make(world: World) -> Play:
        stage = Stage.of(world)
        store = world.store(stage.store)

        async def work(me: str) -> int:
            row = await store.read(ACCOUNT)
            status = await stage.get(row.access)
            if status == 401:
                await renew(stage, store, me, row)
                status = await stage.get((await store.read(ACCOUNT)).access)
            return status

        return Play({name: work(name) for name in workers}, partial(rule, stage))

    return make


# No race at all: what goes wrong does so in the orderly schedule.


def null_refresh(world: World) -> Play:
    """An answer without a refresh token overwrites the one that is still needed."""
    stage = Stage.of(world, tells_refresh=False)
    store = world.store(stage.store)

    async def work() -> int:
        row = await store.read(ACCOUNT)
        tokens = await stage.post(row.refresh)
        await store.write(ACCOUNT, access=tokens["access_token"], refresh=tokens.get("refresh_token"))
        return await stage.get(tokens["access_token"])

    return Play({"A": work()}, stage.nothing_dropped)


def epoch_as_delta(world: World) -> Play:
    """The second since 1970 at which a token ends is read as the seconds for which it lives."""
    stage = Stage.of(world, lifetime_s=60.0)
    clock = world.clock()

    async def work() -> int:
        tokens = await stage.post("secret-rt-0-")
        ends = clock.now().timestamp() + tokens["expires_at"]
        await clock.sleep(61.0)
        if ends < clock.now().timestamp():
            tokens = await stage.post(tokens["refresh_token"])
        return await stage.get(tokens["access_token"])

    return Play({"A": work()}, stage.all_served)


@dataclass(frozen=True)
class Bad:
    """A known-bad scenario, the smallest schedule that shows it, and what its table says, in this order."""

    scenario: Scenario
    schedule: tuple[int, ...]
    tells: tuple[str, ...]


QUICK = Faults(slow=0)
BAD = {
    "no lock": Bad(
        Scenario(in_memory(InMemory), QUICK),
        (),
        ("-> POST /token rt#0", "-> POST /token rt#0", "rt#0 is spent: all revoked", "(I2)"),
    ),
    "lock without a look": Bad(
        Scenario(in_memory(LockWithoutLook), QUICK),
        (),
        ("rt#0 spent; issues at#1 rt#1", "-> POST /token rt#1", "2 refreshes, 1 allowed"),
    ),
    "late 401": Bad(
        Scenario(in_memory(Late401), QUICK),
        (1,),
        ("-> POST /token rt#0", "-> GET /deals at#0", "<- 401", "-> POST /token rt#1", "2 refreshes, 1 allowed"),
    ),
    "gap before the task": Bad(
        Scenario(in_memory(GapBeforeTheTask), QUICK, every_await=True),
        (0, 0, 0, 0, 0, 0, 0, 1),
        ("-> POST /token rt#0", "-> POST /token rt#0", "rt#0 is spent: all revoked", "(I2)"),
    ),
    "two writes": Bad(
        Scenario(in_store(two_writes, Stage.pairs_whole), QUICK, apart=True),
        (0, 1, 0, 0, 0, 0, 0, 1),
        ("<- 200 at#1 rt#1", "store: write", "store: read", "store: write", "at#1 rt#0 were read together (I5)"),
    ),
    "fence on the lease": Bad(
        Scenario(in_store(fenced, Stage.nothing_dropped), apart=True),
        (0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
        ("store: claim", "-> POST /token rt#0", "10", "store: claim", "write_if -> False", "(I4)"),
    ),
    "freed by anybody": Bad(
        Scenario(in_store(freed_by_anybody, Stage.own_lease), apart=True),
        (0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1),
        ("store: claim -> g0", "10", "store: claim -> g0", "A freed the lease of B"),
    ),
    "sent again": Bad(
        Scenario(in_store(sent_again, Stage.no_replay), Faults(slow=0, lost_answers=1), apart=True),
        (0, 0, 0, 0, 0, 0, 0, 0, 1),
        ("-> POST /token rt#0", "<- 200 at#1 rt#1 (lost)", "-> POST /token rt#0", "rt#0 is spent: all revoked"),
    ),
    "null refresh token": Bad(
        Scenario(null_refresh),
        (),
        ("-> POST /token rt#0", "<- 200 at#0", "rt#0 was issued, and is kept nowhere (I4)"),
    ),
    "epoch as delta": Bad(
        Scenario(epoch_as_delta),
        (),
        ("<- 200 at#1 rt#1", "61", "-> GET /deals at#1", "<- 401", "worker A got 401"),
    ),
}

# The same rules, and the same that may go wrong.
GOOD = {
    "look under the lock": Scenario(in_memory(LookUnderLock), QUICK),
    "look under the lease": Scenario(in_store(right), QUICK, apart=True),
    "keeps what comes late": Scenario(in_store(right, Stage.nothing_dropped), apart=True),
    "frees its own lease": Scenario(in_store(right, Stage.own_lease), apart=True),
}
