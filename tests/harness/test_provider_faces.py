"""The simulated provider behind a transport: what becomes of a request, in this process and over a wire."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from connproof.auth import Signing, sign
from connproof.auth.token_request import token_draft, with_tokens
from connproof.clock import FixedClock
from connproof.config import parse
from connproof.draft import Draft
from connproof.errors import AccessRefused, ConnproofError, ProviderDown
from connproof.model import Account, Connector, Request, Response, Secret
from connproof.outcome import judged
from connproof.run import Engine
from connproof.transport import HttpxTransport, Transport
from providers import NAMES, account, loaded
from pytest_connproof.answers import document_in
from pytest_connproof.provider import (
    AuthorizationServer,
    Delivery,
    InProcess,
    Presentation,
    Resource,
    SimulatedProvider,
)
from pytest_connproof.provider.over_http import Loopback
from pytest_connproof.provider.telling import answer_meaning
from scripted import connector

NOW = datetime(2026, 11, 23, 15, 0, 7, tzinfo=UTC)
AT = NOW.timestamp()
SIGNING = Signing(NOW, lambda: "0123456789abcdef")
OWNER = Account("acme", {"client_id": "c1", "client_secret": "s1"})


def token(number: int, kind: str = "RT") -> str:
    """The text of a token of the first family."""
    return f"acme.1.{kind}_{number}"


def shop(origin: str = "https://api.example", **words: Any) -> Connector:
    """A connector with one listing; its token endpoint has the same origin."""
    document = {
        "base_url": origin,
        "auth": {"type": "oauth2", "token": {"url": f"{origin}/token", "client_auth": "body"}},
        "resources": {"rows": {"list": {"method": "GET", "path": "/rows", "response_path": "items"}}},
        **words,
    }
    return parse(json.dumps(document).encode(), folder="shop", allow_loopback=True)


def simulated(config: Connector, *names: str, **options: Any) -> SimulatedProvider:
    """The provider of a connector, with one consent for each of these accounts."""
    servers = [
        AuthorizationServer(config, Account(name, OWNER.credentials), rotation="strict", **options)
        for name in names or ("acme",)
    ]
    for server in servers:
        server.consent(AT)
    return SimulatedProvider(servers, Resource(config, config.resources["rows"].operations["list"]))


def refreshing(config: Connector, refresh: str) -> Request:
    """The engine's request with this refresh token."""
    whose = with_tokens(config.auth, OWNER, access=Secret("unused"), refresh=Secret(refresh))
    return token_draft(config.auth, whose, SIGNING).request()


def calling(config: Connector, access: str) -> Request:
    """The engine's request for rows with this access token."""
    whose = with_tokens(config.auth, OWNER, access=Secret(access))
    return sign(Draft("GET", f"{config.base_url}/rows"), config.auth, whose, SIGNING).request()


def outcomes(provider: SimulatedProvider, index: int = 0) -> list[tuple[int | None, str]]:
    return [(one.number, one.outcome) for one in provider.servers[index].presentations]


# In this process.


def test_an_engine_reads_through_it() -> None:
    """With a live token it has its records, and with a dead one the provider's refusal."""
    config = shop()
    provider = simulated(config, lifetime_s=60)

    def read(whose: Account, now: float) -> list[Any]:
        async def whole() -> list[Any]:
            engine = Engine(config, InProcess(provider, lambda: now), account=whose, clock=FixedClock(NOW))
            return [record async for record in engine.read("rows")]

        return asyncio.run(whole())

    assert [{"id": "1"}] == read(provider.servers[0].account, AT)
    with pytest.raises(AccessRefused) as refused:
        read(provider.servers[0].account, AT + 60)
    assert "auth_expired" == refused.value.meaning


def test_a_token_request_is_answered() -> None:
    """And kept under the name of whoever asked."""
    config = shop()
    provider = simulated(config)

    response = asyncio.run(InProcess(provider, lambda: AT + 1, who="w1").send(refreshing(config, token(0))))

    assert 200 == response.status
    assert (Presentation(0, AT + 1, "granted", 1, "w1"),) == provider.servers[0].presentations


@pytest.mark.parametrize(
    ("delivery", "expected", "again"),
    [("acts, no answer", (0, "granted"), (0, "reused")), ("no act, no answer", (0, "unseen"), (0, "granted"))],
)
def test_the_connection_breaks_off(delivery: Delivery, expected: tuple[int, str], again: tuple[int, str]) -> None:
    """The client cannot tell whether the provider acted before that; the history can."""
    config = shop()
    provider = simulated(config)
    face = InProcess(provider, lambda: AT)
    provider.plan(delivery)

    with pytest.raises(ProviderDown) as broken:
        asyncio.run(face.send(refreshing(config, token(0))))
    asyncio.run(face.send(refreshing(config, token(0))))

    assert broken.value.sent is True
    assert [expected, again] == outcomes(provider)


def test_what_never_arrives_is_no_presentation() -> None:
    """Without a connection nothing was sent, and the client knows it."""
    config = shop()
    provider = simulated(config)
    face = InProcess(provider, lambda: AT)
    face.unreachable = True

    with pytest.raises(ProviderDown) as broken:
        asyncio.run(face.send(refreshing(config, token(0))))

    assert broken.value.sent is False
    assert [] == outcomes(provider)


def test_a_late_answer_waits_until_it_is_released() -> None:
    """The provider has acted meanwhile."""
    config = shop()
    provider = simulated(config)
    face = InProcess(provider, lambda: AT)
    provider.plan("late")

    async def story() -> tuple[bool, list[tuple[int | None, str]], Response]:
        asking = asyncio.create_task(face.send(refreshing(config, token(0))))
        await asyncio.sleep(0)
        assert 1 == face.parked
        before = asking.done(), outcomes(provider)
        face.release()
        return *before, await asking

    is_done, meanwhile, response = asyncio.run(story())

    assert (False, [(0, "granted")]) == (is_done, meanwhile)
    assert 200 == response.status


def test_whoever_gives_up_leaves_nothing_parked() -> None:
    """A cancelled request has no answer to release."""
    config = shop()
    provider = simulated(config)
    face = InProcess(provider, lambda: AT)
    provider.plan("late")

    async def story() -> int:
        asking = asyncio.create_task(face.send(refreshing(config, token(0))))
        await asyncio.sleep(0)
        assert 1 == face.parked
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        return face.parked

    assert 0 == asyncio.run(story())


def test_a_request_may_arrive_late() -> None:
    """The provider acts when it is released, though whoever asked has long given up: that pair nobody gets."""
    config = shop()
    provider = simulated(config)
    face = InProcess(provider, lambda: AT)
    provider.plan("acts late")

    async def story() -> list[tuple[int | None, str]]:
        asking = asyncio.create_task(face.send(refreshing(config, token(0))))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        before = outcomes(provider)
        face.release()
        return before

    assert [] == asyncio.run(story())
    assert [(0, "granted")] == outcomes(provider)


def test_a_request_that_arrives_late_is_answered() -> None:
    """Whoever waits for it has the pair."""
    config = shop()
    provider = simulated(config)
    face = InProcess(provider, lambda: AT)
    provider.plan("acts late")

    async def story() -> Response:
        asking = asyncio.create_task(face.send(refreshing(config, token(0))))
        await asyncio.sleep(0)
        face.release()
        return await asking

    assert 200 == asyncio.run(story()).status


def test_the_api_has_deliveries_of_its_own() -> None:
    """A delayed 401, and tokens meanwhile."""
    config = shop()
    provider = simulated(config)
    provider.plan("no act, no answer", side="api")
    face = InProcess(provider, lambda: AT)

    with pytest.raises(ProviderDown):
        asyncio.run(face.send(calling(config, token(0, "AT"))))

    assert 200 == asyncio.run(face.send(refreshing(config, token(0)))).status
    assert () == provider.servers[0].served


def test_each_account_has_its_own_grants() -> None:
    """A request goes to the account whose token it has; another's trouble is not its own."""
    config = shop()
    provider = simulated(config, "acme", "globex")
    face = InProcess(provider, lambda: AT)
    for refresh in ("globex.1.RT_0", "globex.1.RT_0", "acme.1.RT_0"):
        asyncio.run(face.send(refreshing(config, refresh)))

    assert 401 == asyncio.run(face.send(calling(config, "globex.1.AT_0"))).status
    assert 200 == asyncio.run(face.send(calling(config, "acme.1.AT_0"))).status
    assert [(0, "granted")] == outcomes(provider, 0)
    assert [(0, "granted"), (0, "reused")] == outcomes(provider, 1)


# The API's refusal.


def test_the_api_may_refuse_every_token() -> None:
    """However alive it is; and the history says that it was."""
    config = shop()
    provider = simulated(config)
    provider.api.refuses_all = True

    response = asyncio.run(InProcess(provider, lambda: AT).send(calling(config, token(0, "AT"))))

    assert 401 == response.status
    assert [True] == [served.alive for served in provider.servers[0].served]


@pytest.mark.parametrize(
    ("rule", "status", "body"),
    [
        ({"body": {"errors[*].code": ["601", "602"]}}, 401, b'{"errors": [{"code": "601"}]}'),
        ({"status": 200, "body": {"error": {"matches": "^token\\.old$"}}}, 200, b'{"error": "token.old"}'),
        ({"status": "4xx", "body": {"fault": {"present": True}}}, 400, b'{"fault": "x"}'),
        ({"status": 500, "text": "Client\\.authenticationError"}, 500, b"Client.authenticationError"),
    ],
)
def test_the_refusal_is_what_a_rule_calls_expired(rule: dict[str, Any], status: int, body: bytes) -> None:
    """A provider that has words of its own for it uses them."""
    config = connector(errors=[{"when": rule, "means": "auth_expired"}])

    response = answer_meaning(config, config.resources["rows"].operations["list"], "auth_expired")

    assert (status, body) == (response.status, response.body)


def test_a_rule_that_cannot_be_written_leaves_a_401() -> None:
    """Nothing that the pattern means can be written, and nothing is made up."""
    rules = [{"when": {"status": 400, "body": {"error": {"matches": "^E$[0-9]"}}}, "means": "auth_expired"}]
    config = connector(errors=rules)

    assert 401 == answer_meaning(config, config.resources["rows"].operations["list"], "auth_expired").status


@pytest.mark.parametrize("name", [name for name in NAMES if loaded(name).auth.token is not None])
def test_every_providers_refusal_is_read_as_expired(name: str) -> None:
    """By the engine, through the connector's own rules."""
    config = loaded(name)
    operation = next(one for one in config.operations() if one.is_list)
    server = AuthorizationServer(config, account(name), rotation="strict")
    server.consent(AT)
    api = Resource(config, operation)
    access = with_tokens(config.auth, server.account, access=Secret("a dead one"))
    request = sign(Draft("GET", "https://api.example"), config.auth, access, SIGNING).request()

    response = api.answer(server, request, AT)

    verdict = judged(response, document_in(operation, response), config.rules_for(operation))
    assert "auth_expired" == verdict.meaning


# Over HTTP.


@contextmanager
def on_a_wire(*names: str) -> Iterator[tuple[Loopback, SimulatedProvider, Connector]]:
    with Loopback(lambda: AT) as face:
        config = shop(face.url)
        face.provider = simulated(config, *names)
        yield face, face.provider, config


def over_http(use: Callable[[Transport], Awaitable[Any]], who: str = "w1") -> Any:
    async def whole() -> Any:
        async with HttpxTransport(user_agent=who, allow_loopback=True) as transport:
            return await use(transport)

    return asyncio.run(whole())


def test_it_is_asked_over_a_wire() -> None:
    """Both sides, on one kept-alive connection; who asked is what the client calls itself."""
    with on_a_wire() as (_, provider, config):

        async def both(transport: Transport) -> list[int]:
            requests = (refreshing(config, token(0)), calling(config, token(1, "AT")))
            return [(await transport.send(request)).status for request in requests]

        statuses = over_http(both)

    assert [200, 200] == statuses
    assert (Presentation(0, AT, "granted", 1, "w1"),) == provider.servers[0].presentations
    assert [(1, True, "w1")] == [(one.number, one.alive, one.who) for one in provider.servers[0].served]


@pytest.mark.parametrize(("delivery", "expected"), [("acts, no answer", "granted"), ("no act, no answer", "unseen")])
def test_the_wire_breaks_off(delivery: Delivery, expected: str) -> None:
    """By a reset; the request was sent, and came once."""
    with on_a_wire() as (_, provider, config):
        provider.plan(delivery)
        with pytest.raises(ConnproofError) as broken:
            over_http(lambda transport: transport.send(refreshing(config, token(0))))

    assert isinstance(broken.value, ProviderDown)
    assert broken.value.sent is True
    assert [(0, expected)] == outcomes(provider)


def test_a_kept_connection_closes_as_the_request_is_written() -> None:
    """Where an HTTP library would send it again by itself: one presentation shows that ours does not."""
    with on_a_wire() as (_, provider, config):
        provider.plan("no act, no answer")

        async def twice(transport: Transport) -> None:
            await transport.send(calling(config, token(0, "AT")))
            await transport.send(refreshing(config, token(0)))

        with pytest.raises(ProviderDown):
            over_http(twice)

    assert [(0, "unseen")] == outcomes(provider)


def test_connections_are_kept_alive() -> None:
    """Two answers on one connection, without a body and with one."""
    with on_a_wire() as (face, _, _config):
        connection = http.client.HTTPConnection(urlsplit(face.url).netloc)
        statuses = []
        for path in ("/rows", "/token"):
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            statuses.append((answer.status, answer.will_close))
        connection.close()

    assert [(401, False), (405, False)] == statuses


@pytest.mark.parametrize(("delivery", "expected"), [("late", [(0, "granted")]), ("acts late", [])])
def test_a_late_answer_comes_over_the_wire_when_released(
    delivery: Delivery, expected: list[tuple[int | None, str]]
) -> None:
    """The provider has acted or not, and the client waits."""
    with on_a_wire() as (face, provider, config):
        provider.plan(delivery)
        answers: list[Response] = []

        def ask() -> None:
            answers.append(over_http(lambda transport: transport.send(refreshing(config, token(0)))))

        client = threading.Thread(target=ask)
        client.start()
        face.wait_parked()
        meanwhile = (list(answers), outcomes(provider))
        face.release()
        client.join()

    assert ([], expected) == meanwhile
    assert [(0, "granted")] == outcomes(provider)
    assert [200] == [answer.status for answer in answers]


def test_closing_ends_what_is_parked() -> None:
    """Nobody waits for ever: the connection breaks off."""
    failures: list[ConnproofError] = []
    with on_a_wire() as (face, provider, config):
        provider.plan("late")

        def ask() -> None:
            try:
                over_http(lambda transport: transport.send(refreshing(config, token(0))))
            except ConnproofError as error:
                failures.append(error)

        client = threading.Thread(target=ask)
        client.start()
        face.wait_parked()
    client.join()

    assert [ProviderDown] == [type(failure) for failure in failures]


def test_many_clients_at_once_are_taken_one_by_one() -> None:
    """Of eight that present one token at the same time one is first, and the others are reuse."""
    with on_a_wire() as (_, provider, config):
        start = threading.Barrier(8)

        def ask() -> None:
            start.wait()
            over_http(lambda transport: transport.send(refreshing(config, token(0))))

        clients = [threading.Thread(target=ask) for _ in range(8)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()

    assert ["granted", "reused", *["dead"] * 6] == [outcome for _, outcome in outcomes(provider)]
