"""One simulated listing behind two faces: in this process and over HTTP a read is the same conversation."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from connproof.clock import SystemClock
from connproof.config import parse
from connproof.model import Account, Connector, Request, Response
from connproof.run import Call, Engine, Record
from connproof.stores.token_memory import MemoryTokens
from connproof.tokens import Tokens
from connproof.transport import HttpxTransport, Transport
from pytest_connproof.provider import AuthorizationServer, InProcess, Resource, SimulatedProvider
from pytest_connproof.provider.api import Api
from pytest_connproof.provider.habits import Case
from pytest_connproof.provider.over_http import Loopback

NOW: Final = datetime(2026, 11, 23, 15, 0, 7, tzinfo=UTC)
AT: Final = NOW.timestamp()
KEYED: Final = Account("acme", {"api_key": "k1"})
KEY: Final[dict[str, Any]] = {"type": "api_key", "in": "header", "name": "X-Key"}
CLIENT: Final = Account("acme", {"client_id": "c1", "client_secret": "s1"})


def shop(origin: str, listing: dict[str, Any], auth: dict[str, Any]) -> Connector:
    """A connector with one listing."""
    words = {"method": "GET", "path": "/rows", "response_path": "items", **listing}
    document = {"base_url": f"{origin}/v1", "auth": auth, "resources": {"rows": {"list": words}}}
    return parse(json.dumps(document).encode(), folder="shop", allow_loopback=True)


def api(config: Connector, account: Account, case: str) -> Api:
    return Api(config, account, config.resources["rows"].operations["list"], Case.parse(case))


def read(engine: Callable[[Transport], Engine], face: Transport | None = None) -> list[Record]:
    """All records, through a face of this process or else through the network."""

    async def whole() -> list[Record]:
        if face is not None:
            return [record async for record in engine(face).read("rows", call=Call(raw=True))]
        async with HttpxTransport(user_agent="two-faces", allow_loopback=True) as network:
            return [record async for record in engine(network).read("rows", call=Call(raw=True))]

    return asyncio.run(whole())


def asked(provider: Api) -> list[tuple[str, str, bytes | None]]:
    """What the provider was asked, but for the headers that a network adds."""
    return [(request.method, request.url, request.body) for request in provider.requests]


LISTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "cursor in the query": (
        {"pagination": {"type": "cursor", "cursor_field": "next"}, "query": {"q": "a b&c=d+e%20\u00e9"}},
        "records=7 size=2 signs null_end",
    ),
    "cursor in another script": (
        {"pagination": {"type": "cursor", "cursor_field": "next"}},
        "records=7 size=2 letters live_end",
    ),
    "cursor in a body": (
        {
            "method": "POST",
            "body": {"filter": {"a": [1, None, "\u00e9"]}},
            "pagination": {"type": "cursor", "cursor_field": "next", "cursor_in": "body", "cursor_param": "p.next"},
        },
        "records=5 size=2 numbers",
    ),
    "cursor in a header": (
        {"pagination": {"type": "cursor", "cursor_header": "X-Next", "cursor_in": "header", "cursor_param": "X-From"}},
        "records=5 size=2",
    ),
    "Link headers": ({"pagination": {"type": "link_header"}}, "records=7 size=2 decoys lines twice percents"),
    "one Link header": ({"pagination": {"type": "link_header"}, "query": {"e": "x y"}}, "records=7 size=2 decoys"),
    "next URL": ({"pagination": {"type": "next_url", "next_url_field": "next"}}, "records=7 size=2 path_only percents"),
    "offset": (
        {"pagination": {"type": "offset", "offset_param": "from"}},
        "records=4 size=2 no_content",
    ),
    "page in XML": (
        {
            "pagination": {"type": "page", "page_param": "p", "stop_header": "X-More", "stop_when": "no"},
            "decode": {"type": "xml", "force_list": ["Row"]},
            "response_path": "Rows.Row",
        },
        "records=5 size=2",
    ),
    "a long URL": (
        {"pagination": {"type": "cursor", "cursor_field": "next"}, "long_url": {"over": 99, "form": {"_m": "GET"}}},
        "records=5 size=2 long",
    ),
}


def odd(name: str) -> str:
    """As few spell it: X-nExT."""
    return "".join(letter.upper() if number % 2 else letter for number, letter in enumerate(name.lower()))


@pytest.mark.parametrize("spelt", [str, str.upper, odd], ids=["as is", "upper", "odd"])
@pytest.mark.parametrize("name", LISTINGS)
def test_both_faces_are_one_conversation(name: str, spelt: Callable[[str], str]) -> None:
    """The same requests and the same records, whatever case the names of headers have on the wire."""
    listing, case = LISTINGS[name]
    with Loopback(lambda: AT, spelt=spelt) as face:
        config = shop(face.url, listing, KEY)
        near, far = api(config, KEYED, case), api(config, KEYED, case)
        face.provider = far

        def engine(transport: Transport) -> Engine:
            return Engine(config, transport, account=KEYED)

        here, there = read(engine, InProcess(near, lambda: AT)), read(engine)

    assert list(near.expected) == here
    assert list(far.expected) == there
    assert asked(near) == asked(far)
    assert near.shown == far.shown
    assert {*near.case.habits} <= {*near.shown}


def test_names_of_headers_are_spelt_as_told() -> None:
    """On the wire itself, where a client that is asked for them would not see it."""
    with Loopback(lambda: AT, spelt=odd) as face:
        config = shop(face.url, {"pagination": {"type": "link_header"}}, KEY)
        face.provider = api(config, KEYED, "records=3 size=2")
        connection = http.client.HTTPConnection(urlsplit(face.url).netloc)
        connection.request("GET", "/v1/rows", headers={"X-KEY": "k1"})
        answer = connection.getresponse()
        answer.read()
        connection.close()

    assert (200, {"cOnTeNt-tYpE", "lInK", "content-length"}) == (answer.status, {*answer.headers})


def test_over_the_wire_credentials_are_asked_for_too() -> None:
    """Whoever has none is refused there as in process."""
    with Loopback(lambda: AT) as face:
        config = shop(face.url, {}, KEY)
        face.provider = api(config, Account("acme", {"api_key": "another"}), "records=1 size=2")
        request = Request("GET", f"{face.url}/v1/rows", (("x-key", "k1"),))

        async def ask() -> Response:
            async with HttpxTransport(user_agent="two-faces", allow_loopback=True) as network:
                return await network.send(request)

        assert 401 == asyncio.run(ask()).status


# Tokens that end while a listing is read.


class Hands(SystemClock):
    """The machine's clock, and by how much it was moved by hand."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return super().monotonic() + self.passed

    def timestamp(self) -> float:
        return self.now().timestamp()


class Shop:
    """A listing behind tokens that live for ten minutes. `between` is what happens after each page, by its number."""

    def __init__(self, origin: str, clock: Hands, between: Callable[[Shop, int], None]) -> None:
        token = {"url": f"{origin}/token", "client_auth": "body"}
        paging = {"type": "cursor", "cursor_field": "next"}
        self.clock = clock
        self.config = shop(origin, {"pagination": paging}, {"type": "oauth2", "token": token, "rotation": "strict"})
        self.server = AuthorizationServer(self.config, CLIENT, rotation="strict", lifetime_s=600)
        self._store = MemoryTokens(clock)
        asyncio.run(self._store.connect("shop/acme", self.server.consent(clock.timestamp())))
        self.api = api(self.config, CLIENT, "records=9 size=2 live_end")

        def serve(request: Request) -> Response:
            answer = self.api.serve(request)
            between(self, len(self.api.requests))
            return answer

        resource = Resource(self.config, self.api.operation, serve=serve)
        self.provider = SimulatedProvider(self.server, resource)

    def engine(self, transport: Transport) -> Engine:
        """An engine that keeps its tokens in a store."""
        tokens = Tokens(self._store, self.config, transport.send, owner="w1", clock=self.clock)
        return Engine(self.config, transport, account=CLIENT, clock=self.clock, tokens=tokens)


def time_passes(shop_: Shop, _page: int) -> None:
    """Five minutes a page, of the ten for which a token lives."""
    shop_.clock.passed += 310


def access_ends(shop_: Shop, page: int) -> None:
    """The provider ends access tokens before their time; not so soon that one that is new is ended too."""
    shop_.clock.passed += 45
    if page % 2:
        shop_.server.end_access()


@contextmanager
def behind(face: str, between: Callable[[Shop, int], None]) -> Iterator[tuple[Shop, Callable[[], list[Record]]]]:
    """A shop behind this face, and how it is read."""
    clock = Hands()
    if face == "in process":
        here = Shop("https://shop.example", clock, between)
        yield here, lambda: read(here.engine, InProcess(here.provider, clock.timestamp))
        return
    with Loopback(clock.timestamp, spelt=odd) as wire:
        there = Shop(wire.url, clock, between)
        wire.provider = there.provider
        yield there, lambda: read(there.engine)


@pytest.mark.parametrize("face", ["in process", "over HTTP"])
@pytest.mark.parametrize("between", [time_passes, access_ends])
def test_nothing_is_lost_while_a_token_is_refreshed(face: str, between: Callable[[Shop, int], None]) -> None:
    """In the middle of a listing, because it is due or because the provider refuses the old one; each page once."""
    with behind(face, between) as (here, whole):
        records = whole()

    assert list(here.api.expected) == records
    assert 6 == len(here.api.requests)
    assert 2 <= len(here.server.presentations)
    assert {"granted"} == {one.outcome for one in here.server.presentations}
