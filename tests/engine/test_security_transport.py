"""Hostile networks and providers, over real connections: where a request may go, and what an answer may cost."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import socket
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpcore
import pytest

from connproof.config import parse
from connproof.errors import (
    CallWrong,
    ConnproofError,
    ForeignNextLink,
    LimitExceeded,
    PageUnreadable,
    ProviderBroke,
    ProviderDown,
)
from connproof.model import Account, Headers, Request, Response
from connproof.run import Engine, Record
from connproof.transport import Bounds, HttpxTransport
from loopback import Answer, Asked, Loopback

PUBLIC, OTHER = "93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"
CANARY = "c4nary-S3cret-0f-Th1s-t3st"


# Where connections lead. Nothing is resolved and nobody is connected to: the wire is a list.


@dataclass
class Wire(httpcore.AsyncNetworkBackend):
    """Takes every connection but those to a dead address, and answers 200; keeps what it was told."""

    dead: frozenset[str] = frozenset()
    connected: list[tuple[str, int]] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    written: bytes = b""

    async def connect_tcp(self, host: str, port: int, *_: Any) -> httpcore.AsyncNetworkStream:
        self.connected.append((host, port))
        if host in self.dead:
            raise httpcore.ConnectError("unreachable")
        return Stream(self)


class Stream(httpcore.AsyncNetworkStream):
    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._answer = b"HTTP/1.1 200 -\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002, ASYNC109 the library's signature
        answer, self._answer = self._answer, b""
        return answer

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109 the library's signature
        self._wire.written += buffer

    async def aclose(self) -> None:
        """There is nothing to close."""

    async def start_tls(
        self,
        ssl_context: object,  # noqa: ARG002 the library's signature
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 the library's signature
    ) -> httpcore.AsyncNetworkStream:
        self._wire.names.append(server_hostname)
        return self


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """Stands where sockets would."""
    wire = Wire()
    monkeypatch.setattr(httpcore, "AnyIOBackend", lambda: wire)
    return wire


@dataclass
class Names:
    """A name server: one answer for each time it is asked, the last one for ever."""

    answers: list[Sequence[str]]
    asked: list[tuple[str, int]] = field(default_factory=list)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not answer:
            raise socket.gaierror("no such name")
        return answer


def exchange(names: Names, *urls: str, allow_loopback: bool = False) -> list[Response]:
    async def whole() -> list[Response]:
        async with HttpxTransport(user_agent="x", resolver=names, allow_loopback=allow_loopback) as transport:
            return [await transport.send(Request("GET", url, (("authorization", CANARY),))) for url in urls]

    return asyncio.run(whole())


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "192.168.0.1",
        "0.0.0.1",
        "::1",
        "fc00::1",
        "fe80::1%eth0",
        "::ffff:127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
    ],
)
@pytest.mark.parametrize("beside", [(), (PUBLIC,), (PUBLIC, OTHER)], ids=["alone", "after one", "after two"])
def test_S02_private_address_is_not_connected_to(address: str, beside: tuple[str, ...], wire: Wire) -> None:
    """One private address among public ones is enough: nothing is sent to any of them."""
    with pytest.raises(ProviderBroke, match="not on the public internet") as said:
        exchange(Names([(*beside, address)]), f"https://api.example.com/rows?key={CANARY}")

    assert [] == wire.connected
    assert "api.example.com" == said.value.facts["host"]
    assert address not in str(said.value)
    assert CANARY not in str(said.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "http://2130706433/", "http://[::1]/", "http://0x7f.1/"])
def test_S02_address_in_a_url_is_judged_too(url: str, wire: Wire) -> None:
    """Whoever made the request: at the door every host is resolved and judged, by the system's own reading of it."""

    async def whole() -> Response:
        async with HttpxTransport(user_agent="x") as transport:
            return await transport.send(Request("GET", url))

    with pytest.raises(ProviderBroke, match="not on the public internet"):
        asyncio.run(whole())

    assert [] == wire.connected


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:9/", "10.0.0.1"),
        ("http://localhost:9/", "192.168.0.1"),
        ("http://api.example.com/", "127.0.0.1"),
        ("http://api.example.com/", "::1"),
    ],
)
def test_S02_loopback_flag_opens_loopback_alone(url: str, address: str, wire: Wire) -> None:
    """A URL that names this machine may reach it; no other name may, and it reaches nothing else."""
    with pytest.raises(ProviderBroke):
        exchange(Names([(address,)]), url, allow_loopback=True)

    assert [] == wire.connected


def test_S03_connection_leads_to_the_address_that_was_judged(wire: Wire) -> None:
    """The name is asked for once; TLS and the Host header keep it."""
    names = Names([(PUBLIC,), ("127.0.0.1",)])

    exchange(names, "https://api.example.com/rows")

    assert [("api.example.com", 443)] == names.asked
    assert [(PUBLIC, 443)] == wire.connected
    assert ["api.example.com"] == wire.names
    assert b"\r\nHost: api.example.com\r\n" in wire.written


def test_S03_name_that_means_another_host_by_now_is_judged_anew(wire: Wire) -> None:
    """The next connection resolves again, and is refused."""
    names = Names([(PUBLIC,), ("127.0.0.1",)])

    with pytest.raises(ProviderBroke, match="not on the public internet"):
        exchange(names, "https://api.example.com/1", "https://api.example.com/2")

    assert [(PUBLIC, 443)] == wire.connected
    assert 2 == len(names.asked)


def test_S03_next_judged_address_is_tried(wire: Wire) -> None:
    """A host of several addresses is reached while one of them answers."""
    wire.dead = frozenset({PUBLIC})

    exchange(Names([(PUBLIC, OTHER)]), "https://api.example.com")

    assert [(PUBLIC, 443), (OTHER, 443)] == wire.connected


@pytest.mark.parametrize(("answers", "connected"), [([()], []), ([(PUBLIC,)], [(PUBLIC, 443)])], ids=["none", "dead"])
def test_host_that_cannot_be_reached_is_down(
    answers: list[Sequence[str]], connected: list[tuple[str, int]], wire: Wire
) -> None:
    """No name, or nobody there: the provider's fault, to be tried later."""
    wire.dead = frozenset({PUBLIC})

    with pytest.raises(ProviderDown, match="broke off"):
        exchange(Names(answers), "https://api.example.com")

    assert connected == wire.connected


# Next links and redirects, with a sink that nobody may connect to.


@pytest.fixture
def sink() -> Iterator[socket.socket]:
    """A listener; a connection to it would wait to be accepted."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


def connections(sink: socket.socket) -> int:
    taken = 0
    while True:
        try:
            sink.accept()[0].close()
        except BlockingIOError:
            return taken
        taken += 1


AUTHS: dict[str, dict[str, str]] = {
    "Authorization": {"type": "bearer", "token_path": "key"},
    "X-Api-Key": {"type": "api_key", "in": "header", "name": "X-Api-Key", "key_path": "key"},
    "Private-Token": {"type": "api_key", "in": "header", "name": "Private-Token", "key_path": "key"},
    "query": {"type": "api_key", "in": "query", "name": "api_key", "key_path": "key"},
}


def read(provider: Loopback, auth: str = "Authorization", *, method: str = "GET", **pagination: Any) -> list[Record]:
    """All rows of a provider, as an account whose one credential is the canary."""
    said = {
        "base_url": provider.url,
        "auth": AUTHS[auth],
        "pagination": pagination or {"type": "none"},
        "resources": {"rows": {"list": {"method": method, "path": "/rows", "response_path": "items"}}},
    }
    config = parse(json.dumps(said).encode(), folder="sample", allow_loopback=True)

    async def whole() -> list[Record]:
        async with HttpxTransport(user_agent="x", allow_loopback=True) as transport:
            engine = Engine(config, transport, account=Account(credentials={"key": CANARY}))
            return [record async for record in engine.read("rows")]

    return asyncio.run(whole())


def leaving(provider: Loopback, sink: socket.socket, auth: str, link: str, place: str) -> None:
    """Read a listing whose first page names this next link; hold that nobody was told of it."""
    port = sink.getsockname()[1]
    link = link.replace("SINK", str(port)).replace("HERE", provider.url.partition("//")[2])
    body = json.dumps({"items": [{"id": 1}], "next": link if place == "body" else None}).encode()
    headers = (
        ("content-type", "application/json"),
        *((("link", f'<{link}>; rel="next"'),) if place == "header" else ()),
    )
    provider.respond = lambda _: Response(200, headers, body)
    paging = {"type": "next_url", "next_url_field": "next"} if place == "body" else {"type": "link_header"}

    with pytest.raises(ForeignNextLink) as said:
        read(provider, auth, **paging)

    assert 0 == connections(sink)
    assert 1 == len(provider.asked)
    assert CANARY not in str(said.value)


@pytest.fixture
def provider() -> Iterator[Loopback]:
    with Loopback(lambda _: Response(404)) as provider:
        yield provider


@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.1:SINK/rows",
        "HTTP://127.0.0.1:SINK/rows",
        "http://localhost:SINK/rows",
        "https://127.0.0.1:SINK/rows",
        "https://HERE/rows",
        "http://127.0.0.1/rows",
        "http://HERE.evil.example/rows",
        "http://127.0.0.1:SINK/http://HERE/",
        "http://127.0.0.1:SINK?http://HERE",
    ],
)
@pytest.mark.parametrize("place", ["body", "header"])
def test_S06_foreign_next_link_is_not_asked(provider: Loopback, sink: socket.socket, link: str, place: str) -> None:
    """Another host, scheme or port: the sink sees no connection at all."""
    leaving(provider, sink, "query", link, place)


@pytest.mark.parametrize(
    "link",
    [
        "//127.0.0.1:SINK/rows",
        "https:127.0.0.1:SINK",
        "http:127.0.0.1:SINK/rows",
        "/\\127.0.0.1:SINK/rows",
        "\\\\127.0.0.1:SINK\\rows",
        "@127.0.0.1:SINK/rows",
        "http://HERE@127.0.0.1:SINK/rows",
        "http://HERE\\@127.0.0.1:SINK/rows",
        "http://127.0.0.1:SINK\\@HERE/rows",
        "javascript:fetch('http://127.0.0.1:SINK')",
        "file:///etc/passwd",
        "data:application/json,{}",
    ],
)
@pytest.mark.parametrize("place", ["body", "header"])
def test_S07_next_link_that_parsers_read_differently_is_refused(
    provider: Loopback, sink: socket.socket, link: str, place: str
) -> None:
    """By its form: whichever way it is read, it is not asked."""
    leaving(provider, sink, "Authorization", link, place)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("auth", AUTHS)
def test_S08_redirect_to_another_origin_takes_no_credential(
    provider: Loopback, sink: socket.socket, auth: str, status: int
) -> None:
    """Nothing goes where a redirect leads, whatever the credential is called and wherever it stands."""
    where = f"http://127.0.0.1:{sink.getsockname()[1]}/rows"
    provider.respond = lambda _: Response(status, (("location", where),))

    with pytest.raises(ProviderBroke, match="redirects") as said:
        read(provider, auth)

    assert 0 == connections(sink)
    assert 1 == len(provider.asked)
    assert CANARY in str(provider.asked[0])
    assert CANARY not in str(said.value)


def test_S08_cookie_is_not_sent_at_all(provider: Loopback) -> None:
    """So that none can be taken along either."""
    with pytest.raises(CallWrong, match='"cookie" is set by the transport alone'):
        send(Request("GET", provider.url, (("Cookie", CANARY),)))

    assert [] == provider.asked


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_S09_redirect_on_the_same_origin_is_not_followed(provider: Loopback, status: int, method: str) -> None:
    """So that no POST becomes a GET."""
    provider.respond = lambda _: Response(status, (("location", "/elsewhere"),))

    with pytest.raises(ProviderBroke, match="redirects"):
        read(provider, method=method)

    assert [(method, "/rows")] == [(asked.method, asked.target) for asked in provider.asked]


@pytest.mark.parametrize("location", ["/rows", "", "?again"])
def test_S10_redirect_loop_ends_at_once(provider: Loopback, location: str) -> None:
    """It is asked once, and never again."""
    provider.respond = lambda _: Response(302, (("location", location),))

    with pytest.raises(ProviderBroke, match="redirects"):
        read(provider)

    assert ["/rows"] == provider.targets


# What goes out.


def send(*requests: Request, bounds: Bounds | None = None) -> list[Response]:
    async def whole() -> list[Response]:
        async with HttpxTransport(user_agent="x", bounds=bounds, allow_loopback=True) as transport:
            return [await transport.send(request) for request in requests]

    return asyncio.run(whole())


@pytest.mark.parametrize("value", ["a\rb", "a\nb", "a\r\nx-admin: 1", "a\0b", "a\r\n", "\nab"])
@pytest.mark.parametrize("name", ["x-a", "authorization"])
def test_S13_line_break_in_a_header_never_reaches_the_wire(provider: Loopback, name: str, value: str) -> None:
    """The door's own check, behind all the others."""
    with pytest.raises(ConnproofError):
        send(Request("GET", provider.url, ((name, value),)))

    assert [] == provider.asked


@pytest.mark.parametrize("request_", [("/\u00e9", ()), ("/", (("x-a", "\u20ac"),))], ids=["URL", "header"])
def test_S13_character_that_http_cannot_send_is_refused(provider: Loopback, request_: tuple[str, Headers]) -> None:
    """It is neither dropped nor written otherwise."""
    path, headers = request_

    with pytest.raises(CallWrong, match="cannot be sent"):
        send(Request("GET", provider.url + path, headers))

    assert [] == provider.asked


@pytest.mark.parametrize(
    "name", ["traceparent", "tracestate", "Baggage", "cookie", "Host", "Proxy-Authorization", "transfer-encoding", "TE"]
)
def test_S42_callers_own_header_is_not_passed_on(provider: Loopback, name: str) -> None:
    """Tracing, cookies and the framing of the caller's own request are no business of the provider's."""
    with pytest.raises(CallWrong, match=f'"{name.lower()}" is'):
        send(Request("GET", provider.url, ((name, CANARY),)))

    assert [] == provider.asked


def test_S42_nothing_is_sent_that_nobody_asked_for(provider: Loopback) -> None:
    """What a request has beside its own headers is this."""
    provider.respond = lambda _: Response(200)

    send(Request("GET", provider.url))

    assert {"host", "user-agent", "accept", "accept-encoding"} == {name for name, _ in provider.asked[0].headers}


def test_S34_logs_hold_no_credential(provider: Loopback, caplog: pytest.LogCaptureFixture) -> None:
    """Not even at the lowest level, of any library: no header, no query."""
    provider.respond = lambda _: Response(200, (("content-type", "application/json"),), b'{"items": []}')
    caplog.set_level(logging.DEBUG)

    for auth in AUTHS:
        read(provider, auth)

    assert len(AUTHS) == sum(CANARY in str(asked) for asked in provider.asked)
    assert caplog.records
    assert CANARY not in caplog.text


# What comes in. The servers run in the loop of the transport itself: they write what no well-behaved one would.

Writing = Callable[[asyncio.StreamWriter], Awaitable[None]]
Serving = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(serving: Serving) -> AsyncIterator[str]:
    """The URL of a server in this loop; whoever is still served at the end is cut off."""
    served: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        served.append(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):  # the other side has gone
            await serving(reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for task in served:
            task.cancel()
        await asyncio.gather(*served)


def answered(writing: Writing, bounds: Bounds) -> Response:
    """What one request gets from a server that writes this."""

    async def whole() -> Response:
        async def serving(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            await writing(writer)
            await writer.drain()
            writer.close()

        async with (
            listening(serving) as url,
            HttpxTransport(user_agent="x", bounds=bounds, allow_loopback=True) as transport,
        ):
            return await transport.send(Request("GET", f"{url}/rows?key={CANARY}"))

    return asyncio.run(whole())


def writes(head: bytes, again: bytes = b"", *, seconds: float = 0) -> Writing:
    """Write the head, then the rest again and again."""

    async def writing(writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while again:
            writer.write(again)
            await writer.drain()
            await asyncio.sleep(seconds)

    return writing


def bomb(megabytes: int) -> bytes:
    """Zeros in gzip, made a megabyte at a time: what follows a full flush can be repeated."""
    packing = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    megabyte = packing.compress(bytes(1024 * 1024)) + packing.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08" + bytes(7) + megabyte * megabytes


def test_S27_compression_bomb_costs_no_more_than_the_bound() -> None:
    """Of 300 MB in a third of one, a megabyte is decoded."""
    body = bomb(300)
    assert len(body) < 400_000
    head = b"HTTP/1.1 200 -\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(body)

    tracemalloc.start()
    try:
        with pytest.raises(LimitExceeded, match="longer than 1000000 bytes"):
            answered(writes(head + body), Bounds(body_bytes=1_000_000))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 8_000_000


@pytest.mark.parametrize(
    "encoding", [", ".join(["gzip"] * 100), "gzip, gzip", "gzip,identity", "br", "zstd", "x" * 60_000]
)
def test_S27_encodings_that_were_not_offered_are_refused(encoding: str) -> None:
    """One at most, of those that were offered; the message shows no more of the name than it needs."""
    head = b"HTTP/1.1 200 -\r\ncontent-encoding: %s\r\ncontent-length: 2\r\n\r\n{}" % encoding.encode()

    with pytest.raises(PageUnreadable, match="the body is encoded as") as said:
        answered(writes(head), Bounds())

    assert len(str(said.value)) < 500


def test_S27_encoding_in_many_lines_is_refused() -> None:
    """A hundred header lines are a hundred encodings."""
    head = b"HTTP/1.1 200 -\r\n" + b"content-encoding: gzip\r\n" * 100 + b"content-length: 2\r\n\r\n{}"

    with pytest.raises(PageUnreadable, match="the body is encoded as"):
        answered(writes(head), Bounds())


@pytest.mark.parametrize(
    ("length", "body"),
    [(b"1000000", b"{}"), (b"1", b'{"items": []}'), (b"-5", b"{}"), (b"2, 3", b"{}"), (b"0x2", b"{}")],
)
def test_S27_content_length_that_lies_gives_no_other_body(length: bytes, body: bytes) -> None:
    """More than comes is an error; less than comes is cut where it says, and the rest is no second answer."""
    head = b"HTTP/1.1 200 -\r\ncontent-length: " + length + b"\r\n\r\n"

    if length == b"1":
        assert b"{" == answered(writes(head + body), Bounds()).body
    else:
        with pytest.raises(ProviderDown, match="broke off"):
            answered(writes(head + body), Bounds())


def test_S27_members_that_hold_nothing_end() -> None:
    """Endless gzip members of no bytes decode to nothing, for ever."""
    empty = zlib.compressobj(wbits=16 + zlib.MAX_WBITS).flush()
    head = b"HTTP/1.1 200 -\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n"

    with pytest.raises(LimitExceeded, match="longer than 1000 bytes"):
        answered(writes(head, empty * 100), Bounds(body_bytes=1000))


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 -\r\ncontent-length: 100000\r\n\r\n",
        b"HTTP/1.1 200 -\r\nconnection: close\r\n\r\n",
        b"HTTP/1.1 200 -\r\nx-slow: ",
        b"HTTP/1.1 ",
    ],
    ids=["body", "body without an end", "header", "status line"],
)
def test_S28_slow_answer_ends_in_time(head: bytes) -> None:
    """A byte now and then keeps no exchange alive: the deadline is for the whole."""
    with pytest.raises(ProviderDown, match=r"no whole answer within 0\.15 seconds") as said:
        answered(writes(head, b"2", seconds=0.005), Bounds(seconds=0.15))

    assert CANARY not in str(said.value)
    assert None is said.value.__cause__ is said.value.__context__  # whose frames hold the URL


@pytest.mark.parametrize(
    ("head", "again", "error"),
    [
        (b"HTTP/1.1 200 -\r\nconnection: close\r\n\r\n", b"x" * 1000, LimitExceeded),
        (b"HTTP/1.1 200 -\r\ntransfer-encoding: chunked\r\n\r\n", b"3e8\r\n" + b"x" * 1000 + b"\r\n", LimitExceeded),
        (b"HTTP/1.1 200 -\r\n", b"x-a: b\r\n" * 100, ProviderDown),
        (b"HTTP/1.1 200 -\r\nx-a: ", b"b" * 1000, ProviderDown),
        (b"", b"H" * 1000, ProviderDown),
        (b"HTTP/1.1 200 -\r\ntransfer-encoding: chunked\r\n\r\n", b"0" * 1000, ProviderDown),
        (b"HTTP/1.1 200 -\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", b"x-a: b\r\n" * 100, ProviderDown),
    ],
    ids=["body", "chunks", "headers", "header", "status line", "chunk length", "trailers"],
)
def test_S28_endless_answer_ends(head: bytes, again: bytes, error: type[ConnproofError]) -> None:
    """Whatever part of an answer has no end."""
    with pytest.raises(error):
        answered(writes(head, again), Bounds(seconds=2, body_bytes=100_000))


def test_S28_endless_early_hints_end_in_time() -> None:
    """Each of them is whole and small; only the clock sees that no answer comes."""
    with pytest.raises(ProviderDown, match="no whole answer within"):
        answered(writes(b"", b"HTTP/1.1 103 -\r\nlink: x\r\n\r\n" * 10), Bounds(seconds=0.15))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([b"x-long: " + b"a" * 70_000], "longer than 65536 bytes"),
        ([b"x-%d: b" % number for number in range(5_000)], "more than 1000 header lines"),
    ],
    ids=["70 kB", "5,000 lines"],
)
def test_S43_headers_beyond_measure_are_an_error(lines: Iterable[bytes], message: str) -> None:
    """They are not cut: what was cut could be what counts."""
    head = b"HTTP/1.1 200 -\r\n" + b"\r\n".join(lines) + b"\r\ncontent-length: 0\r\n\r\n"

    with pytest.raises(LimitExceeded, match=message):
        answered(writes(head), Bounds())


def test_S43_header_bytes_become_text_one_by_one() -> None:
    """Bytes beyond ASCII are no reason to fail: Latin-1 reads them all."""
    head = b"HTTP/1.1 200 -\r\nx-name: \xff\xfe\x80\r\ncontent-length: 0\r\n\r\n"

    assert "\xff\xfe\x80" == answered(writes(head), Bounds()).header("x-name")


# Connections and accounts.


def kept_open(asked: list[tuple[int, bytes]]) -> Serving:
    """A server that keeps every connection open: which connection asked what."""
    numbers: list[int] = []

    async def serving(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(numbers)
        numbers.append(number)
        while True:
            asked.append((number, await reader.readuntil(b"\r\n\r\n")))
            writer.write(b"HTTP/1.1 200 -\r\nset-cookie: who=first\r\ncontent-length: 0\r\n\r\n")

    return serving


def test_S45_connection_carries_one_accounts_credential_at_a_time() -> None:
    """Over one connection, each request has its own account's credential; the connection itself has none."""
    asked: list[tuple[int, bytes]] = []

    async def whole() -> None:
        async with (
            listening(kept_open(asked)) as url,
            HttpxTransport(user_agent="x", allow_loopback=True) as transport,
        ):
            for credential in ("first", "second", None):
                headers: Headers = (("authorization", f"Bearer {credential}"),) if credential else ()
                await transport.send(Request("GET", url, headers))

    asyncio.run(whole())

    assert [0, 0, 0] == [number for number, _ in asked]
    assert [(True, False), (False, True), (False, False)] == [
        (b"Bearer first" in said, b"Bearer second" in said) for _, said in asked
    ]
    assert not any(b"cookie" in said.lower() for _, said in asked)


def test_S45_two_transports_share_no_connection() -> None:
    """Where a credential did belong to a connection, a transport for each account would keep them apart."""
    asked: list[tuple[int, bytes]] = []

    async def whole() -> None:
        async with (
            listening(kept_open(asked)) as url,
            HttpxTransport(user_agent="x", allow_loopback=True) as one,
            HttpxTransport(user_agent="x", allow_loopback=True) as other,
        ):
            for transport in (one, other, one):
                await transport.send(Request("GET", url))

    asyncio.run(whole())

    assert [0, 1, 0] == [number for number, _ in asked]


def test_S45_no_credential_belongs_to_a_connection() -> None:
    """No client certificate and no login of the connection: whoever adds one gives each account its own pool."""
    taken = set(inspect.signature(HttpxTransport).parameters)

    assert {"user_agent", "bounds", "allow_loopback", "resolver"} == taken


def test_S44_cookie_of_one_account_reaches_no_other(provider: Loopback) -> None:
    """There is no cookie jar: what a provider sets is not sent back to anybody."""

    def respond(_: Asked) -> Answer:
        return Response(200, (("set-cookie", "session=1; Path=/"), ("set-cookie", "all=2; Domain=127.0.0.1")))

    provider.respond = respond

    send(*[Request("GET", provider.url, (("authorization", account),)) for account in ("a", "b", "a")])

    assert [None] * 3 == [asked.header("cookie") for asked in provider.asked]
