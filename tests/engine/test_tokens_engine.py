"""An engine that signs with kept tokens: a refused one is refreshed and the request repeated, once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from connproof.errors import AccessRefused, Reauthorise, RefreshPending
from connproof.model import Connector, Request, Response
from connproof.run import Call, Engine, Record
from connproof.tokens import Tokens
from scripted import answer, items
from token_world import ACCOUNT, Play, World, asking, refusal
from virtual_time import run


@dataclass
class Api:
    """The provider's other side: it answers by the access token that a request brings."""

    respond: Callable[[str], Response]
    signed_with: list[str] = field(default_factory=list)

    async def send(self, request: Request) -> Response:
        await asyncio.sleep(0.1)
        token = (request.header("authorization") or "").removeprefix("Bearer ")
        self.signed_with.append(token)
        return self.respond(token)


def only(token: str) -> Callable[[str], Response]:
    """Answers to whoever has this token."""
    return lambda seen: items(1, 2) if seen == token else answer({"error": f"{seen} has ended"}, status=401)


def engine(world: World, api: Api, tokens: Tokens, config: Connector | None = None, **options: Any) -> Engine:
    return Engine(config or world.connector, api, account=ACCOUNT, clock=world.clock, tokens=tokens, **options)


async def records(of: Engine, call: Call | None = None) -> list[Record]:
    return [record async for record in of.read("rows", call=call)]


async def connected(*plays: Play | None, left: float = 3000) -> World:
    world = World("strict", *plays)
    await world.connect(left)
    return world


def test_each_request_is_signed_with_the_kept_token() -> None:
    """The account's credentials have none, and need none."""

    async def main() -> None:
        world, api = await connected(), Api(only("AT0"))

        assert [{"id": 1}, {"id": 2}] == await records(engine(world, api, world.worker()))
        assert ["AT0"] == api.signed_with

    run(main)


def test_F22_a_refused_token_is_refreshed_and_the_request_repeated_once() -> None:
    """The caller sees nothing of it."""

    async def main() -> None:
        world, api = await connected(), Api(only("AT1"))

        assert [{"id": 1}, {"id": 2}] == await records(engine(world, api, world.worker()))
        assert (["AT0", "AT1"], ["RT0"]) == (api.signed_with, world.endpoint.tokens)

    run(main)


def test_F22_a_second_refusal_goes_to_the_caller() -> None:
    """With a new token, too, it is a 401: no loop, and the next call refreshes nothing either."""

    async def main() -> None:
        world, api = await connected(), Api(only("none such"))
        asked = engine(world, api, world.worker())

        for _ in range(3):
            with pytest.raises(AccessRefused) as refused:
                await records(asked)
            assert 401 == refused.value.status
        assert ["AT0", "AT1", "AT1", "AT1"] == api.signed_with
        assert ["RT0"] == world.endpoint.tokens

    run(main)


def test_A6_the_configs_own_rule_refreshes_as_a_401_does() -> None:
    """A success that says auth_expired."""

    async def main() -> None:
        world = await connected()
        rule = {"when": {"body": {"error": "session"}}, "means": "auth_expired"}
        config = asking(beside={"errors": [rule]})
        ended = answer({"error": "session"})
        api = Api(lambda token: items(1) if token == "AT1" else ended)

        assert [{"id": 1}] == await records(engine(world, api, world.worker(), config))
        assert ["AT0", "AT1"] == api.signed_with

    run(main)


def test_F23_two_reads_with_a_token_that_ended_refresh_it_once() -> None:
    """The 401 of the second comes when the new token is there."""

    async def main() -> None:
        world, api = await connected(), Api(only("AT1"))
        tokens = world.worker()

        both = await asyncio.gather(*(records(engine(world, api, tokens)) for _ in range(2)))

        assert [[{"id": 1}, {"id": 2}]] * 2 == both
        assert ["RT0"] == world.endpoint.tokens

    run(main)


def test_a_raw_request_is_repeated_as_well() -> None:
    """Its answer stays as it came."""

    async def main() -> None:
        world, api = await connected(), Api(only("AT1"))
        asked = engine(world, api, world.worker())

        assert [200, 200] == [(await asked.raw("GET", "/rows")).status for _ in range(2)]
        assert ["AT0", "AT1", "AT1"] == api.signed_with

    run(main)


def test_a_lost_account_is_told_of_by_its_reason() -> None:
    """The 401 leads to a refresh, and that to invalid_grant."""

    async def main() -> None:
        world, api = await connected(refusal("invalid_grant")), Api(only("AT1"))

        with pytest.raises(Reauthorise) as lost:
            await records(engine(world, api, world.worker()))
        assert "revoked" == lost.value.reason

    run(main)


@pytest.mark.parametrize(("on_throttle", "waits"), [("raise", False), ("wait", True)])
def test_a_refresh_that_must_wait_is_a_throttle_to_the_caller(*, on_throttle: Any, waits: bool) -> None:
    """With patience the read goes on once the back-off is over."""

    async def main() -> None:
        throttled = Response(429, (("retry-after", "40"),))
        world, api = await connected(throttled, left=0), Api(only("AT1"))
        asked = engine(world, api, world.worker())
        call = Call(on_throttle=on_throttle)

        if waits:
            assert [{"id": 1}, {"id": 2}] == await records(asked, call)
        else:
            with pytest.raises(RefreshPending) as pending:
                await records(asked, call)
            assert 40 == pending.value.seconds

    run(main)


def test_an_error_shows_no_kept_token() -> None:
    """Providers echo what they were sent; the kept token is in none of the account's credentials."""

    async def main() -> None:
        world = await connected()
        api = Api(lambda seen: answer({"error": f"{seen} may not do this"}, status=403))
        config = asking(beside={"error_message": "error"})
        world.endpoint.plays = [answer({"access_token": "a-token-of-some-length", "expires_in": 3600})]
        tokens = world.worker()
        await tokens.rejected(ACCOUNT, 1)

        with pytest.raises(AccessRefused) as refused:
            await records(engine(world, api, tokens, config))
        shown = f"{refused.value} {refused.value.message} {refused.value.code}"
        assert "[credential] may not do this" in shown
        assert "a-token-of-some-length" not in shown

    run(main)
