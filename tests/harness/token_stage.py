"""One simulated provider, one real token store, and worker processes that can be halted or killed, on virtual time.

A test is one coroutine: it sleeps, and the time that passes is everybody's. Processes share the store and the provider
alone. One that dies does so between two of its steps: nothing of it runs again, no `finally` either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, TypeVarTuple, Unpack

import pytest
from fault_store import FaultStore

from connproof.errors import ConnproofError, ProviderDown, RefreshPending
from connproof.events import Event, TokenRefreshed
from connproof.model import Account, Connector, Request, Response, Secret, TokenRow
from connproof.places import JsonValue
from connproof.run import Engine
from connproof.stores import DatabaseTokens, MemoryTokens, Sealing, TokenStore
from connproof.tokens import Held, Timing, Tokens
from postgres import empty_database
from pytest_connproof.provider import AuthorizationServer, InProcess, Numbered, Resource, SimulatedProvider, numbered
from pytest_connproof.provider.invariants import Watched, broken
from pytest_connproof.schedule.loop import WORKER, ControlledLoop
from scripted import connector

if TYPE_CHECKING:
    import sqlalchemy

__all__ = [
    "ACCOUNT",
    "ENDED",
    "KEY",
    "LIFETIME",
    "MORE",
    "ROW",
    "Process",
    "Stage",
    "Stores",
    "config",
    "empty_store",
    "numbers",
    "on_stores",
    "row_of",
    "run",
    "stores",
]

T = TypeVar("T")
E = TypeVar("E", bound=ConnproofError)
Ts = TypeVarTuple("Ts")

START = datetime(2026, 5, 14, 12, tzinfo=UTC)
ACCOUNT = Account("acme", {"client_id": "client-one", "client_secret": "invented-client-secret"})
ROW = "sample/acme"
LIFETIME = 3600
ENDED, MORE = -1.0, 100.0  # for so long a first access token lives on that has ended, or is due for a refresh
KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="  # 0123456789abcdef, twice
_MOST_WAITS = 3000


class StageLoop(ControlledLoop):
    """Whose threads do their work at once: what a store in a file does has its place in the order, too."""

    def __init__(self) -> None:
        super().__init__()
        self.stages: list[Stage] = []

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        del executor
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as fault:  # noqa: BLE001  # it is the caller's, as from a thread
            done.set_exception(fault)
        return done


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a test to its end; then no account's history may break an invariant. Time passes where nobody is busy."""
    loop = StageLoop()  # type: ignore[abstract]  # without files, sockets and signals
    with loop.entered():
        task = loop.create_task(main())
        while True:
            loop.settle()
            if task.done():
                break
            timers = loop.timers()
            assert timers, "every task waits for another"
            loop.fire(timers[0])
        assert [] == loop.troubles
        given = task.result()
        for stage in loop.stages:
            assert [] == stage.broken()
        return given


def _stage_loop() -> StageLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, StageLoop)
    return loop


@dataclass
class StageClock:
    """Virtual time; `ahead` is by how much the date is wrong, and may be set at any time."""

    ahead: float = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.monotonic() + self.ahead)

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def config(declared: JsonValue = "strict", *, beside: dict[str, Any] | None = None, **token: JsonValue) -> Connector:
    """A connector with a listing, and a token endpoint that has these words; `declared` is the rotation.

    `beside` has further words of the connector.
    """
    endpoint: dict[str, JsonValue] = {"url": "https://id.example/token", "client_auth": "body", **token}
    rotation: JsonValue = {"grace_s": declared} if isinstance(declared, int) else declared
    return connector(auth={"type": "oauth2", "token": endpoint, "rotation": rotation}, **(beside or {}))


class PostgresOnStage(DatabaseTokens):
    """A PostgreSQL store by the stage's clock: its server's own would not move with virtual time."""

    def _time(self) -> sqlalchemy.ColumnElement[float]:
        import sqlalchemy as sa

        return sa.literal(self._clock.now().timestamp(), sa.Double)

    def empty(self) -> None:
        """Forget what the test before has left."""
        with self._engine.begin() as connection:
            for table in (self._tokens, self._clients):
                connection.execute(table.delete())


Stores: TypeAlias = Callable[[StageClock], TokenStore]


@cache
def postgres_database(server: str) -> str:
    """One database for all of these tests; its URL."""
    return empty_database(server)


@contextmanager
def stores(kind: str, folder: Path, url: str = "") -> Iterator[Stores]:
    """Makes the stores of a test, each empty. `url` is that of a PostgreSQL server."""
    with ExitStack() as opened:

        def store(clock: StageClock) -> TokenStore:
            if kind == "memory":
                return MemoryTokens(clock)
            if kind == "sqlite":
                file = folder / f"{len(list(folder.glob('*.db')))}.db"
                database = DatabaseTokens(f"sqlite:///{file}", Sealing([KEY]), clock)
            else:
                database = PostgresOnStage(postgres_database(url), Sealing([KEY]), clock)
            opened.callback(database.close)
            database.create()
            if isinstance(database, PostgresOnStage):
                database.empty()
            return database

        yield store


def empty_store(*kinds: str) -> Any:
    """The fixture `store`: makes empty stores, of each kind in turn."""

    @pytest.fixture(params=kinds)
    def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
        url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
        with stores(request.param, tmp_path, url) as make:
            yield make

    return store


def on_stores(names: str, *values: Iterable[Any]) -> pytest.MarkDecorator:
    """Every case on SQLite, and the first on PostgreSQL too: what an answer means is decided before a store is asked.

    `names` are those of the test's arguments, in one string; `values` has the values of each.
    """
    every = [*product(*values)]
    cases = [("sqlite", *case) for case in every] + [("postgres", *every[0])]
    return pytest.mark.parametrize(("store", *names.split(", ")), cases, indirect=["store"])


class Stage:
    """A provider and a store with connected accounts.

    `declared` is what the connector says of rotation, and the provider does. `left` is for how long the access
    tokens live on when the test begins. With `judged` every account's history is held against the invariants at the
    end.
    """

    def __init__(
        self,
        make_store: Stores,
        declared: JsonValue = "strict",
        *,
        accounts: tuple[Account, ...] = (ACCOUNT,),
        token: dict[str, JsonValue] | None = None,
        serve: Callable[[Request], Response] | None = None,
        beside: dict[str, Any] | None = None,
        judged: bool = True,
        **server: Any,
    ) -> None:
        self.clock = StageClock()
        self.real = make_store(self.clock)
        self.connector = config(declared, beside=beside, **(token or {}))
        options = {"rotation": declared, "lifetime_s": LIFETIME, **server}
        self.lifetime = float(options["lifetime_s"])
        self.servers = [AuthorizationServer(self.connector, one, **options) for one in accounts]
        self.accounts = accounts
        self.server = self.servers[0]
        operation = self.connector.resources["rows"].operations["list"]
        self.api = Resource(self.connector, operation, serve=serve)
        self.provider = SimulatedProvider(self.servers, self.api)
        self.watched = Watched(self.real, dict(zip(map(row_of, accounts), self.servers, strict=True)))
        self.store: TokenStore = self.watched if judged else self.real
        self.lost = 0  # answers that reached nobody who lived on
        if judged:
            _stage_loop().stages.append(self)

    def broken(self) -> list[str]:
        """Which invariants the histories of the accounts break, in sentences."""
        found = []
        for account, server in zip(self.accounts, self.servers, strict=True):
            unreadable = sum(1 for one in server.presentations if one.answer)
            history = self.watched.history(row_of(account))
            rotation = self.connector.auth.rotation
            found += broken(server, history, rotation, lost=self.lost + unreadable)
        return found

    @property
    def time(self) -> float:
        """Seconds since the test began."""
        return asyncio.get_running_loop().time()

    @property
    def now(self) -> float:
        """Seconds since 1970, by the true clock: that of the provider."""
        return START.timestamp() + self.time

    async def connected(self, left: float) -> Stage:
        """With the consent of every account's owner, and only so much of the first access token's life left."""
        for account, server in zip(self.accounts, self.servers, strict=True):
            pair = server.consent(self.now)
            await self.store.connect(f"{self.connector.name}/{account.name}", pair)
        await asyncio.sleep(self.lifetime - left)
        return self

    async def row(self, key: str = ROW) -> TokenRow:
        row = await self.store.read(key)
        assert row is not None
        return row

    @property
    def outcomes(self) -> list[str]:
        """What came of each presentation of a refresh token."""
        return [one.outcome for one in self.server.presentations]

    @property
    def presented(self) -> list[tuple[int | None, str]]:
        """The number of the refresh token of each presentation, and what came of it."""
        return [(one.number, one.outcome) for one in self.server.presentations]

    @property
    def times(self) -> list[float]:
        """When each presentation was, from the beginning of the test."""
        return [one.at - START.timestamp() for one in self.server.presentations]


@dataclass
class _Halt:
    step: str
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)


class Process:
    """A worker process: its own Tokens, its own way to the store and to the provider."""

    def __init__(self, stage: Stage, name: str, *, same_clock: bool = False, **options: Any):
        self._stage = stage
        self.name = name
        self.clock = stage.clock if same_clock else StageClock()
        self.store = FaultStore(stage.store)
        self.wire = InProcess(stage.provider, lambda: stage.now, who=name)
        self.events: list[Event] = []
        self.steps: list[str] = []
        self.gate = asyncio.Event()  # requests leave at once while it is set
        self.gate.set()
        self.dies_unanswered = False
        self.is_cut_off = False  # its requests for a token are lost on the way
        self._dies_at = ""
        self._halt: _Halt | None = None
        given: dict[str, Any] = {"jitter": lambda: 0.5, "timing": Timing(), **options}
        self.tokens = Tokens(
            self.store.face,
            stage.connector,
            self._send,
            clock=self.clock,
            owner=name,
            steps=self._step,
            listener=self.events.append,
            **given,
        )

    # What it does.

    def does(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin something in this process, that ends with it."""
        token = WORKER.set(self.name)
        try:
            return asyncio.get_running_loop().create_task(work)
        finally:
            WORKER.reset(token)

    def asks(self, account: Account = ACCOUNT) -> asyncio.Task[Held]:
        """A caller who wants an access token."""
        return self.does(self.tokens.access(account))

    async def access(self, account: Account = ACCOUNT) -> Held:
        return await self.asks(account)

    async def rejected(self, generation: int, account: Account = ACCOUNT) -> Held:
        return await self.does(self.tokens.rejected(account, generation))

    async def settled(self) -> None:
        """Until its exchanges have come to their end."""
        await self.does(self.tokens.drained())

    async def patient(self, account: Account = ACCOUNT) -> Held:
        """As `access`, again when it says that the refresh is not done."""
        for _ in range(_MOST_WAITS):
            try:
                return await self.access(account)
            except RefreshPending as pending:
                await asyncio.sleep(pending.seconds or 0)
        raise AssertionError("the refresh is pending for ever")

    async def refused(self, kind: type[E], account: Account = ACCOUNT) -> E:
        """The error that a caller gets, which is of this very kind."""
        with pytest.raises(kind) as caught:
            await self.access(account)
        assert kind is caught.type
        assert not any(secret in str(caught.value) for secret in ("AT_", "RT_", "invented-client-secret"))
        return caught.value

    def engine(self, account: Account = ACCOUNT) -> Engine:
        return Engine(self._stage.connector, self.wire, account=account, tokens=self.tokens, clock=self.clock)

    async def reads(self, account: Account = ACCOUNT) -> int:
        """How many records a read of the listing gives."""

        async def whole() -> int:
            return len([record async for record in self.engine(account).read("rows")])

        return await self.does(whole())

    @property
    def notes(self) -> list[str]:
        """What was noted of the token answers."""
        return [note for event in self.events if isinstance(event, TokenRefreshed) for note in event.notes]

    # What befalls it.

    def dies_at(self, step: str) -> None:
        self._dies_at = step

    def halts_at(self, step: str) -> _Halt:
        """Stop there, its heartbeat too, until `released` is set."""
        self._halt = _Halt(step)
        return self._halt

    async def die(self) -> None:
        self._stage.lost += 1
        loop = _stage_loop()
        loop.drop(self.name)
        await loop.create_future()

    async def _step(self, step: str) -> None:
        self.steps.append(step)
        if step == self._dies_at:
            await self.die()
        halt = self._halt
        if halt is None:
            return
        if step == halt.step:
            halt.reached.set()
        if halt.reached.is_set():
            await halt.released.wait()

    async def _send(self, request: Request) -> Response:
        await self.gate.wait()
        if self.is_cut_off:
            self._stage.provider.plan("no act, no answer")
        try:
            return await self.wire.send(request)
        except ProviderDown:
            self._stage.lost += 1
            if self.dies_unanswered:
                await self.die()
            raise


def row_of(account: Account) -> str:
    return f"sample/{account.name}"


def numbers(row: TokenRow) -> tuple[int, int | None, int | None]:
    """The generation, and the numbers of the access token and of the refresh token."""
    return row.generation, _number(row.access), _number(row.refresh)


def _number(token: Secret | None) -> int | None:
    if token is None:
        return None
    found = numbered(token.reveal())
    assert isinstance(found, Numbered)
    return found.number
