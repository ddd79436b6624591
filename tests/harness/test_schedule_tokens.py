"""The engine's own token lifecycle under the search: two workers, every order, on a strict provider and one with grace.

The workers share a store and nothing else, as processes do. What must hold is read off the provider and the store.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from connproof.config import parse
from connproof.errors import Reauthorise, RefreshPending
from connproof.model import Account, Connector, Request
from connproof.stores.token_memory import MemoryTokens
from connproof.tokens import Held, Timing, Tokens
from connproof.transport import Transport
from pytest_connproof.provider import AuthorizationServer, Resource, Rotation, SimulatedProvider
from pytest_connproof.schedule import Faults, Play, Scenario, World, at_once, explore, reaching, table

ACCOUNT = Account("acme", {"client_id": "client-one", "client_secret": "invented-client-secret"})
TIMING = Timing(poll_s=4.0)  # few looks, so that few orders differ in nothing but how often somebody looked
QUIET_S = 300.0
FAULTS = ("crashes", "lost_answers", "lost_writes", "slow")


def connector(rotation: Rotation) -> Connector:
    document = {
        "base_url": "https://api.example",
        "auth": {
            "type": "oauth2",
            "token": {"url": "https://id.example/token", "client_auth": "body"},
            "rotation": {"grace_s": rotation} if isinstance(rotation, int) else rotation,
        },
        "resources": {"rows": {"list": {"method": "GET", "path": "/rows", "response_path": "items"}}},
    }
    return parse(json.dumps(document).encode(), folder="sample")


@dataclass(frozen=True)
class Worker:
    """Calls the API as an engine would: asks for a token, and once more after a 401."""

    tokens: Tokens
    transport: Transport

    async def work(self) -> int:
        held = await self.tokens.access(ACCOUNT)
        status = await self.get(held)
        return status if status != 401 else await self.get(await self.tokens.rejected(ACCOUNT, held.generation))

    async def get(self, held: Held) -> int:
        headers = (("authorization", f"Bearer {held.access.reveal()}"),)
        return (await self.transport.send(Request("GET", "https://api.example/rows", headers))).status


def calling(rotation: Rotation, *, ended: bool) -> Callable[[World], Play]:
    """Two workers find the access token ended, or (not `ended`) alive by its date and refused."""
    declared = connector(rotation)
    listing = declared.resources["rows"].operations["list"]

    def make(world: World) -> Play:
        server = AuthorizationServer(declared, ACCOUNT, rotation=rotation, lifetime_s=3600.0)
        pair = server.consent(world.now)
        server.end_access()
        memory = MemoryTokens(world.clock())
        at_once(memory.connect(f"{declared.name}/acme", replace(pair, expires_at=world.now) if ended else pair))
        transport = reaching(world, SimulatedProvider(server, Resource(declared, listing)))
        store = world.store(memory)

        def worker(owner: str) -> Worker:
            clock = world.clock()
            lent = Tokens(
                store,
                declared,
                transport.send,
                clock=clock,
                owner=owner,
                timing=TIMING,
                jitter=lambda: 0.5,
                steps=world.step,
            )
            return Worker(lent, transport)

        async def later() -> str:
            await world.clock().sleep(QUIET_S)
            while True:
                try:
                    return str(await worker("later").work())
                except Reauthorise as lost:
                    return lost.reason
                except RefreshPending as pending:
                    await world.clock().sleep(pending.seconds or TIMING.lease_s)

        def judge() -> list[str]:
            """I2 and one refresh where nothing goes wrong; I7 whatever does."""
            broken = []
            early = [one for one in server.presentations if one.who != "later"]
            if not any(world.reached[fault] for fault in FAULTS):
                broken += [f"rt#{one.number} {one.outcome} (I2)" for one in early if one.outcome != "granted"]
                broken += [f"{len(early)} refreshes, 1 allowed"] if len(early) > 1 else []
                broken += [f"worker {name} got {world.results[name]}" for name in "AB" if world.results[name] != 200]
            outcomes = {"200", "rotation_response_lost"} if rotation == "strict" else {"200"}
            said = world.results["later"]
            broken += [] if said in outcomes else [f"later: {said} (I7)"]
            return broken

        return Play({name: worker(name).work() for name in "AB"}, judge, afterwards=later)

    return make


@pytest.mark.parametrize("ended", [True, False], ids=["ended", "refused"])
@pytest.mark.parametrize("rotation", ["strict", 600], ids=["strict", "grace"])
def test_two_workers_in_every_order(rotation: Rotation, ended: bool) -> None:
    """One refresh, both served: in every order there is."""
    explored = explore(Scenario(calling(rotation, ended=ended), Faults(slow=0), apart=True))

    assert explored.failure is None, table(explored.failure)
    assert explored.complete
    assert explored.executions == explored.reached["kept"] > 10


@pytest.mark.parametrize("rotation", ["strict", 600], ids=["strict", "grace"])
def test_a_worker_dies_anywhere(rotation: Rotation) -> None:
    """After a quiet time the account works, or says that the answer with its new tokens was lost: never neither."""
    explored = explore(Scenario(calling(rotation, ended=True), Faults(slow=0, crashes=1), apart=True), most=500)

    assert explored.failure is None, table(explored.failure)
    assert explored.complete
    assert 0 < explored.reached["crashes"]


def test_an_acknowledgement_is_lost_anywhere() -> None:
    """What was stored is stored: no successor is presented, or given up, for want of a word."""
    explored = explore(Scenario(calling("strict", ended=True), Faults(slow=0, lost_writes=1), apart=True), most=500)

    assert explored.failure is None, table(explored.failure)
    assert explored.complete
    assert 0 < explored.reached["lost_writes"]


def test_one_event_is_slow() -> None:
    """Also past the end of the lease, and of the exchange."""
    explored = explore(Scenario(calling("strict", ended=True), apart=True), reorderings=1)

    assert explored.failure is None, table(explored.failure)
    assert explored.complete
    assert 0 < explored.reached["slow"]
    assert 0 < explored.reached["beat"]
