"""Real processes on one real store: who presents a refresh token, who dies or sleeps over it, and what is left.

The rows are those of the fault table. A worker kills or stops itself at a numbered step; nobody waits for time to
pass: the store's clock is moved. Faults of the store itself are in `test_token_store_faults`.
"""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Barrier
from typing import Any, NamedTuple

import pytest
from token_child import KEY, TIMING, Act, Ended, Job, Nursery, SharedClock

from connproof.auth import Signing, sign
from connproof.config import parse
from connproof.draft import Draft
from connproof.errors import Reauthorise
from connproof.model import Account, Request, Response, Secret, TokenRow
from connproof.stores import DatabaseTokens, Sealing
from connproof.tokens import STEPS, Held, Tokens
from connproof.transport import HttpxTransport
from postgres import empty_database
from pytest_connproof.provider import AuthorizationServer, InProcess, Resource, Rotation, SimulatedProvider
from pytest_connproof.provider.over_http import Loopback

AT = 1_790_000_000.0
LIFETIME = 3600
CREDENTIALS = {"client_id": "c1", "client_secret": "s1"}
OWNER = Account("acme", CREDENTIALS)
ACCOUNT = "shop/acme"
ROTATIONS: dict[str, Rotation] = {"none": "none", "grace": 60, "strict": "strict"}
KILLED = Ended("killed", signal.SIGKILL)
STOPPED = Ended("stopped", signal.SIGSTOP)
DONE = Ended("exited", 0)


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as nursery:
        yield nursery


@pytest.fixture(scope="module")
def token_server(postgres_url: str) -> str:
    """A PostgreSQL database for the tests of this file."""
    return empty_database(postgres_url)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a store of each kind; it may hold what a test before has left."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/tokens.db"
    server: str = request.getfixturevalue("token_server")
    return server


class World:
    """One account, its provider on the loopback, its store, and the clock that all go by.

    Its access token ends in `left` seconds. SQLite goes by that clock; PostgreSQL has its own, and the times of
    the account are moved instead.
    """

    def __init__(self, url: str, folder: Path, rotation: Rotation, left: float, resources: ExitStack) -> None:
        self._url = url
        self._folder = folder
        self._clock_file = folder / "clock"
        self.clock = SharedClock(self._clock_file)
        self.clock.set(AT)
        self.loopback = resources.enter_context(Loopback(self.clock.monotonic))
        origin = self.loopback.url
        self.config: dict[str, Any] = {
            "base_url": origin,
            "auth": {
                "type": "oauth2",
                "token": {"url": f"{origin}/token", "client_auth": "body"},
                "rotation": {"grace_s": rotation} if isinstance(rotation, int) else rotation,
            },
            "resources": {"rows": {"list": {"method": "GET", "path": "/rows", "response_path": "items"}}},
        }
        self.connector = parse(json.dumps(self.config).encode(), folder="shop", allow_loopback=True)
        self.server = AuthorizationServer(self.connector, OWNER, rotation=rotation, lifetime_s=LIFETIME)
        listing = self.connector.resources["rows"].operations["list"]
        self.provider = SimulatedProvider(self.server, Resource(self.connector, listing))
        self.loopback.provider = self.provider
        self.store = DatabaseTokens(url, Sealing([KEY]), self.clock)
        resources.callback(self.store.close)
        self.store.create()
        asyncio.run(self._connect(left))

    async def _connect(self, left: float) -> None:
        pair = self.server.consent(AT + left - LIFETIME)
        now = await self.store.now()
        await self.store.remove(ACCOUNT)
        await self.store.connect(
            ACCOUNT,
            type(pair)(pair.access, pair.refresh, expires_at=now + left, lifetime_s=pair.lifetime_s),
        )

    def job(self, name: str, **more: Any) -> Job:
        return Job(
            name, self._url, self.config, CREDENTIALS, str(self._clock_file), str(self._folder / f"{name}.json"), **more
        )

    def said(self, name: str) -> dict[str, Any]:
        """What a worker that came to its end has written down."""
        said: dict[str, Any] = json.loads((self._folder / f"{name}.json").read_text())
        return said

    def asked(self, who: str = "next") -> Held:
        """What a worker in this process gets that begins now."""

        async def ask() -> Held:
            send = InProcess(self.provider, self.clock.monotonic, who=who).send
            tokens = Tokens(self.store, self.connector, send, owner=who, clock=self.clock, timing=TIMING)
            async with asyncio.timeout(30):
                try:
                    return await tokens.access(OWNER)
                finally:
                    await tokens.drained()

        return asyncio.run(ask())

    def later(self, seconds: float) -> None:
        """Let so many seconds pass, for the store and for everybody."""
        self.clock.set(self.clock.monotonic() + seconds)
        if self._url.startswith("postgresql"):
            import psycopg

            times = ("lease_until", "not_before", "intent_at", "intent_first_at", "expires_at")
            moved = ", ".join(f"{name} = {name} - {seconds!r}" for name in times)
            with psycopg.connect(self._url) as connection:
                connection.execute(f"UPDATE connproof_tokens SET {moved}".encode())

    @property
    def row(self) -> TokenRow:
        row = asyncio.run(self.store.read(ACCOUNT))
        assert row is not None
        return row

    @property
    def presented(self) -> tuple[tuple[int | None, str], ...]:
        """Which refresh tokens came to the provider, by number, and what came of each."""
        return tuple((one.number, one.outcome) for one in self.server.presentations)

    def serves(self, access: Secret) -> bool:
        """Whether the provider's API takes an access token by now."""
        draft = Draft("GET", f"{self.config['base_url']}/rows")
        signing = Signing(self.clock.now(), lambda: "0123456789abcdef")
        account = Account(OWNER.name, {**CREDENTIALS, "access_token": access.reveal()})
        return self.server.serves(sign(draft, self.connector.auth, account, signing).request(), self.clock.monotonic())

    def is_well(self) -> bool:
        """Whether what the store calls good is good: its access token now, its refresh token afterwards."""
        row = self.row
        assert row.access is not None
        assert row.refresh is not None
        return (
            row.state == "ok"
            and self.serves(row.access)
            and self.server.would_grant(row.refresh.reveal(), self.clock.monotonic())
        )


@contextmanager
def connected(url: str, folder: Path, rotation: str = "strict", left: float = -1) -> Iterator[World]:
    with ExitStack() as resources:
        yield World(url, folder, ROTATIONS[rotation], left, resources)


# Many at once.


def test_F01_fifty_threads_present_the_token_once(tmp_path: Path) -> None:
    """Each has read that the access token ended before any of them goes on; all get what the one request gave."""
    together = Barrier(50)
    came: set[str] = set()

    async def ask(world: World, who: str) -> Held:
        async def all_at_the_claim(step: str) -> None:
            if step == "claim" and who not in came:
                came.add(who)
                together.wait(30)

        async def send(request: Request) -> Response:
            async with HttpxTransport(user_agent=who, allow_loopback=True) as transport:
                return await transport.send(request)

        tokens = Tokens(
            world.store, world.connector, send, owner=who, clock=world.clock, timing=TIMING, steps=all_at_the_claim
        )
        return await tokens.access(OWNER)

    with connected(f"sqlite:///{tmp_path}/tokens.db", tmp_path) as world, ThreadPoolExecutor(50) as threads:
        held = [*threads.map(lambda number: asyncio.run(ask(world, f"thread {number}")), range(50))]

        assert 50 == len(came)
        assert ((0, "granted"),) == world.presented
        assert {Held(2, Secret("acme.1.AT_1"))} == set(held)
        assert world.is_well()


def test_F02_twenty_processes_present_the_token_once(nursery: Nursery, store_url: str, tmp_path: Path) -> None:
    """All have read that the access token ended before any of them claims it."""
    with connected(store_url, tmp_path) as world:
        names = [f"process-{number}" for number in range(20)]
        pids = nursery.start(*(world.job(name, gate="claim") for name in names))

        assert {DONE} == {nursery.wait(pid) for pid in pids}
        assert 20 == len(set(pids))
        said = [world.said(name) for name in names]
        assert ((0, "granted"),) == world.presented
        assert {(2, "acme.1.AT_1")} == {(one.get("generation"), one.get("access")) for one in said}
        assert 1 == sum("send" in one["steps"] for one in said)
        assert world.is_well()


@pytest.mark.parametrize(
    ("store_url", "rotation"),
    [("sqlite", "none"), ("sqlite", "strict"), ("postgresql", "strict")],
    indirect=["store_url"],
)
def test_F02_processes_present_each_generation_once(
    nursery: Nursery, store_url: str, tmp_path: Path, rotation: str
) -> None:
    """Three generations, ended one after the other, with other workers each time."""
    with connected(store_url, tmp_path, rotation) as world:
        for generation in (2, 3, 4):
            names = [f"process-{generation}-{number}" for number in range(3)]
            pids = nursery.start(*(world.job(name, gate="claim") for name in names))
            assert {DONE} == {nursery.wait(pid) for pid in pids}
            assert {generation} == {world.said(name).get("generation") for name in names}
            world.later(LIFETIME + 1)

        numbers = (0, 0, 0) if rotation == "none" else (0, 1, 2)
        assert tuple((number, "granted") for number in numbers) == world.presented


# Killed at every step.


class Fate(NamedTuple):
    """What came of every presentation, which generation is stored, and why the account must be connected again."""

    presented: tuple[str, ...]
    generation: int = 2
    reason: str = ""


ANYHOW = "none", "grace", "strict"
NOTHING_LEFT = dict.fromkeys(ANYHOW, Fate(("granted",)))
NOT_ACTED_ON = dict.fromkeys(ANYHOW, Fate(("unseen", "granted")))
ANSWER_LOST = {
    "none": Fate(("granted", "granted")),
    "grace": Fate(("granted", "replayed")),
    "strict": Fate(("granted", "reused"), 1, "rotation_response_lost"),
}
STORED = dict.fromkeys(ANYHOW, Fate(("granted",)))
FATES: dict[str, dict[str, dict[str, Fate]]] = {
    "F04": dict.fromkeys(("read", "claim", "claim: written", "claimed", "send"), NOTHING_LEFT),
    "F05": {"sent": NOT_ACTED_ON},
    "F06": dict.fromkeys(("in flight", "sent", "parsed", "keep"), ANSWER_LOST),
    "F07": {"keep: written": ANSWER_LOST},
    "F08": dict.fromkeys(("kept", "release", "released"), STORED),
}
"""By row of the fault table, by the point at which a worker is killed, by rotation."""


# What becomes of a rotation is decided before any store is asked: under one of them each store is seen to do its part.
STORES = [("sqlite", "none"), ("sqlite", "grace"), ("sqlite", "strict"), ("postgresql", "strict")]


def points(*names: str) -> pytest.MarkDecorator:
    """Every point, on SQLite under every rotation, on PostgreSQL under the one that forgives nothing."""
    cases = [pytest.param(kind, how, point, id=f"{kind}-{how}-{point}") for kind, how in STORES for point in names]
    return pytest.mark.parametrize(("store_url", "rotation", "point"), cases, indirect=["store_url"])


def killed(nursery: Nursery, world: World, point: str) -> None:
    """A worker that is killed at the point."""
    acts: dict[str, Act] = {} if point == "in flight" else {point: "kill"}
    if point == "in flight":
        world.provider.plan("late")
    (pid,) = nursery.start(world.job("first", acts=acts))
    if point == "in flight":
        world.loopback.wait_parked()
        os.kill(pid, signal.SIGKILL)
    assert KILLED == nursery.wait(pid)


def hold_to(world: World, fate: Fate) -> None:
    """The next worker gets a token that the API takes, or is told why there is none. Never neither."""
    if fate.reason:
        with pytest.raises(Reauthorise) as lost:
            world.asked()
        assert fate.reason == lost.value.reason
        assert ("needs_reauth", fate.reason) == (world.row.state, world.row.reason)
    else:
        held = world.asked()
        assert fate.generation == held.generation
        assert world.serves(held.access)
        assert world.is_well()
    assert fate.presented == tuple(outcome for _, outcome in world.presented)
    assert fate.generation == world.row.generation


def test_every_step_has_a_fate() -> None:
    """A step that is added is killed at, or this fails."""
    assert {*STEPS} <= {point for fates in FATES.values() for point in fates}


@points(*FATES["F04"])
def test_F04_killed_before_anything_was_sent(
    nursery: Nursery, store_url: str, tmp_path: Path, point: str, rotation: str
) -> None:
    """Whoever is next, once the lease has ended, presents the token: for the first time."""
    with connected(store_url, tmp_path, rotation) as world:
        killed(nursery, world, point)
        world.later(TIMING.lease_s + 1)

        hold_to(world, FATES["F04"][point][rotation])


@points(*FATES["F05"])
def test_F05_killed_when_the_request_was_lost(
    nursery: Nursery, store_url: str, tmp_path: Path, point: str, rotation: str
) -> None:
    """The provider never saw it: presenting the token again succeeds, whatever the rotation."""
    with connected(store_url, tmp_path, rotation) as world:
        world.provider.plan("no act, no answer")
        killed(nursery, world, point)
        world.later(TIMING.lease_s + 1)

        hold_to(world, FATES["F05"][point][rotation])


@points(*FATES["F06"])
def test_F06_killed_with_the_only_copy_of_the_answer(
    nursery: Nursery, store_url: str, tmp_path: Path, point: str, rotation: str
) -> None:
    """A provider that answers again is asked again; with one that does not, the loss is said."""
    with connected(store_url, tmp_path, rotation) as world:
        killed(nursery, world, point)
        world.later(TIMING.lease_s + 1)

        hold_to(world, FATES["F06"][point][rotation])


@points(*FATES["F07"])
def test_F07_killed_between_the_write_and_its_commit(
    nursery: Nursery, store_url: str, tmp_path: Path, point: str, rotation: str
) -> None:
    """The old pair is there, whole; then as if it had not been written."""
    with connected(store_url, tmp_path, rotation) as world:
        before = world.row
        killed(nursery, world, point)

        after = world.row
        assert (before.generation, before.access, before.refresh) == (after.generation, after.access, after.refresh)
        world.later(TIMING.lease_s + 1)
        hold_to(world, FATES["F07"][point][rotation])


@points(*FATES["F08"])
def test_F08_killed_after_the_answer_was_stored(
    nursery: Nursery, store_url: str, tmp_path: Path, point: str, rotation: str
) -> None:
    """The new pair is served at once, under a lease that nobody has any more."""
    with connected(store_url, tmp_path, rotation) as world:
        killed(nursery, world, point)

        hold_to(world, FATES["F08"][point][rotation])


@pytest.mark.parametrize("point", ["sent", "keep: written"])
def test_F06_a_live_access_token_is_served_to_its_end_first(
    nursery: Nursery, store_url: str, tmp_path: Path, point: str
) -> None:
    """Strict: what nobody may know is not tried while a token lives; then once, and the loss is said."""
    with connected(store_url, tmp_path, left=60) as world:
        killed(nursery, world, point)
        world.later(TIMING.lease_s + 1)

        held = world.asked()
        assert 1 == held.generation
        assert world.serves(held.access)
        assert ((0, "granted"),) == world.presented
        world.later(60)
        hold_to(world, ANSWER_LOST["strict"])


# Stopped, and continued.


def go_on(nursery: Nursery, pid: int) -> Ended:
    os.kill(pid, signal.SIGCONT)
    return nursery.wait(pid)


@points("sent", "parsed", "keep")
def test_F12_a_late_answer_is_stored_where_nobody_was_first(
    nursery: Nursery, store_url: str, tmp_path: Path, point: str, rotation: str
) -> None:
    """The holder slept far past its lease with the answer in its hands; the generation has not moved."""
    with connected(store_url, tmp_path, rotation) as world:
        (pid,) = nursery.start(world.job("slow", acts={point: "stop"}))
        assert STOPPED == nursery.wait(pid)
        world.later(30)

        assert DONE == go_on(nursery, pid)
        assert 2 == world.said("slow").get("generation")
        assert ((0, "granted"),) == world.presented
        assert world.is_well()


def test_F12_nobody_presents_what_a_sleeper_may_have_spent(nursery: Nursery, store_url: str, tmp_path: Path) -> None:
    """Strict, and the access token lives: it is served; the sleeper's answer is stored when it wakes."""
    with connected(store_url, tmp_path, left=60) as world:
        (pid,) = nursery.start(world.job("slow", acts={"parsed": "stop"}))
        assert STOPPED == nursery.wait(pid)
        world.later(30)

        assert 1 == world.asked().generation
        assert DONE == go_on(nursery, pid)
        assert 2 == world.asked("third").generation
        assert ((0, "granted"),) == world.presented
        assert world.is_well()


@points("claim", "claimed", "send")
def test_F12_who_slept_before_it_sent_does_not_send(
    nursery: Nursery, store_url: str, tmp_path: Path, point: str, rotation: str
) -> None:
    """By then another may have the lease: here one had it, and the sleeper gets what that one stored."""
    with connected(store_url, tmp_path, rotation) as world:
        (pid,) = nursery.start(world.job("slow", acts={point: "stop"}))
        assert STOPPED == nursery.wait(pid)
        world.later(TIMING.lease_s + 1)

        assert 2 == world.asked().generation
        assert DONE == go_on(nursery, pid)
        assert 2 == world.said("slow").get("generation")
        assert ((0, "granted"),) == world.presented
        assert world.is_well()


def test_F12_a_late_answer_is_stored_whoever_has_the_lease(nursery: Nursery, tmp_path: Path) -> None:
    """Another has claimed, and is about to present the same token again: its answer, in turn, is kept as a candidate.

    That answer is the one the provider counts: when the stored token is refused, the candidate takes its place.
    On SQLite alone: when a candidate's access token ends is sealed, and cannot be moved by a statement.
    """
    with connected(f"sqlite:///{tmp_path}/tokens.db", tmp_path, "grace") as world:
        (slow,) = nursery.start(world.job("slow", acts={"parsed": "stop"}))
        assert STOPPED == nursery.wait(slow)
        world.later(TIMING.lease_s + 1)
        (other,) = nursery.start(world.job("other", acts={"send": "stop"}))
        assert STOPPED == nursery.wait(other)

        assert DONE == go_on(nursery, slow)
        assert "promote" not in world.said("slow")["steps"]
        assert (2, "other") == (world.row.generation, world.row.lease_owner)
        assert DONE == go_on(nursery, other)
        assert {2} == {world.said(name).get("generation") for name in ("slow", "other")}
        assert ["acme.1.RT_2"] == [one.refresh.reveal() for one in world.row.candidates]
        world.later(LIFETIME + 1)
        assert world.serves(world.asked().access)
        assert ((0, "granted"), (0, "replayed"), (1, "superseded"), (2, "granted")) == world.presented
        assert world.is_well()


def test_F13_a_late_answer_does_not_overwrite_its_successor(nursery: Nursery, store_url: str, tmp_path: Path) -> None:
    """With a grace another was answered too, and later: the late pair waits beside it, for the day it is needed."""
    with connected(store_url, tmp_path, "grace") as world:
        (pid,) = nursery.start(world.job("slow", acts={"parsed": "stop"}))
        assert STOPPED == nursery.wait(pid)
        world.later(TIMING.lease_s + 1)
        held = world.asked()

        assert DONE == go_on(nursery, pid)
        assert (held.generation, held.access.reveal()) == (2, "acme.1.AT_2")
        assert (2, "acme.1.AT_2") == (world.said("slow").get("generation"), world.said("slow").get("access"))
        assert ["acme.1.RT_1"] == [one.refresh.reveal() for one in world.row.candidates]
        assert ((0, "granted"), (0, "replayed")) == world.presented
        assert world.is_well()


def test_F13_the_verdict_on_a_spent_token_gives_way_to_its_late_successor(
    nursery: Nursery, store_url: str, tmp_path: Path
) -> None:
    """Strict, and another was refused meanwhile: the successor is stored and tried, and its own refusal is final."""
    with connected(store_url, tmp_path) as world:
        (pid,) = nursery.start(world.job("slow", acts={"parsed": "stop"}))
        assert STOPPED == nursery.wait(pid)
        world.later(TIMING.lease_s + 1)
        hold_to(world, ANSWER_LOST["strict"])

        assert DONE == go_on(nursery, pid)
        assert ("ok", 2) == (world.row.state, world.row.generation)
        world.later(LIFETIME)
        with pytest.raises(Reauthorise) as lost:
            world.asked("third")
        assert "revoked" == lost.value.reason
        assert ("needs_reauth", "revoked") == (world.row.state, world.row.reason)


def test_F14_an_expired_holder_frees_nobody_elses_lease(nursery: Nursery, store_url: str, tmp_path: Path) -> None:
    """It sleeps just before its release, until the next refresh is under way: a third worker must still wait."""
    with connected(store_url, tmp_path) as world:
        (old,) = nursery.start(world.job("old", acts={"release": "stop"}))
        assert STOPPED == nursery.wait(old)
        world.later(LIFETIME + 1)
        (new,) = nursery.start(world.job("new", acts={"send": "stop"}))
        assert STOPPED == nursery.wait(new)
        leased = world.row

        assert DONE == go_on(nursery, old)
        assert ("new", 2, 2) == (leased.lease_owner, leased.lease_epoch, leased.generation)
        assert leased == world.row
        assert DONE == go_on(nursery, new)
        assert 3 == world.said("new").get("generation")
        assert ((0, "granted"), (1, "granted")) == world.presented
        assert world.is_well()


# A full disk, a fork, a pickle.


def test_F19_a_full_disk_stops_the_request_before_it_is_sent(nursery: Nursery, tmp_path: Path) -> None:
    """The claim is the write that shows it: without a durable intent nothing leaves."""
    with connected(f"sqlite:///{tmp_path}/tokens.db", tmp_path) as world:
        before = world.row
        (pid,) = nursery.start(world.job("full", acts={"claim": "fill the disk"}))

        assert DONE == nursery.wait(pid)
        assert "StoreFailed" == world.said("full").get("error")
        assert () == world.presented
        assert before == world.row
        assert 2 == world.asked().generation


def test_F19_a_disk_that_fills_up_meanwhile_loses_nothing(nursery: Nursery, tmp_path: Path) -> None:
    """The answer is written again and again, until there is room."""
    with connected(f"sqlite:///{tmp_path}/tokens.db", tmp_path) as world:
        (pid,) = nursery.start(world.job("full", acts={"keep": "fill the disk", "keep 4": "make room"}))

        assert DONE == nursery.wait(pid)
        said = world.said("full")
        assert (2, 4) == (said.get("generation"), said["steps"].count("keep"))
        assert ((0, "granted"),) == world.presented
        assert world.is_well()


def test_F49_forked_workers_share_nothing_but_the_store(nursery: Nursery, store_url: str, tmp_path: Path) -> None:
    """Store and tokens were made before the fork, and the store used: each of five children is as if it had its own."""
    with connected(store_url, tmp_path) as world:
        (pid,) = nursery.start(world.job("parent", forks=5, gate="claim"))

        assert DONE == nursery.wait(pid)
        said = [json.loads((tmp_path / f"parent.json.{number}").read_text()) for number in range(5)]
        assert {2} == {one.get("generation") for one in said}
        assert ((0, "granted"),) == world.presented
        assert 5 == len({one["drawn"] for one in said})
        assert world.is_well()


def test_F49_a_pickled_client_is_refused(tmp_path: Path) -> None:
    """What has a lock, a thread or a connection cannot be shared so: each process makes its own."""
    with connected(f"sqlite:///{tmp_path}/tokens.db", tmp_path) as world:
        send = InProcess(world.provider, world.clock.monotonic).send
        for client in (world.store, Tokens(world.store, world.connector, send, owner="a")):
            with pytest.raises(
                (TypeError, AttributeError, pickle.PicklingError), match=r"(?i)can(?:no|')t (?:pickle|get)"
            ):
                pickle.dumps(client)
