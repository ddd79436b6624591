"""The door to the network, over a real connection: exact bytes out, bounded bytes in, nothing from the environment."""

from __future__ import annotations

import asyncio
import gzip
import socket
import zlib
from collections.abc import Iterable
from pathlib import Path

import pytest

from connproof.errors import CallWrong, ConnproofError, LimitExceeded, PageUnreadable, ProviderDown
from connproof.model import Headers, Request, Response
from connproof.transport import Bounds, HttpxTransport, shown_url
from loopback import Answer, Asked, Loopback

BODY = b'{"items": [1, 2, 3]}'


def exchange(requests: Iterable[Request], bounds: Bounds | None = None) -> list[Response]:
    """Every answer, over one transport."""

    async def whole() -> list[Response]:
        async with HttpxTransport(user_agent="test/1", bounds=bounds, allow_loopback=True) as transport:
            return [await transport.send(request) for request in requests]

    return asyncio.run(whole())


def get(answer: Answer, *, target: str = "/", headers: Headers = (), bounds: Bounds | None = None) -> Response:
    """What one request gets from a provider with this one answer."""
    with Loopback(lambda _: answer) as provider:
        return exchange([Request("GET", provider.url + target, headers)], bounds)[0]


def seen(request_headers: Headers = (), *, target: str = "/", method: str = "GET", body: bytes | None = None) -> Asked:
    """A request as the provider sees it."""
    with Loopback(lambda _: Response(200)) as provider:
        exchange([Request(method, provider.url + target, request_headers, body)])
        return provider.asked[0]


# Out.


@pytest.mark.parametrize(
    "target",
    [
        "/a%2Fb",
        "/a%2fb?x=%c3%a9",
        "/rows?q=a%20b+c",
        "/rows?q='x'|\"y\"",
        "/rows?filter[a]={b}&d=e^f`g",
        "/rows?$skiptoken=x;y,z&empty=&flag",
        "/rows?a=1?b=2/c",
        "/rows?",
        "//double//slash",
        "/%2e%2e/rows",
        "/x/../rows",
        "/100%?a=%zz",
    ],
)
def test_target_is_sent_byte_for_byte(target: str) -> None:
    """What the provider encoded, and how, goes back to it as it was."""
    assert target == seen(target=target).target


def test_no_path_is_the_root() -> None:
    """A URL of an origin alone asks for its root."""
    assert ["/", "/?a=1"] == [seen(target="").target, seen(target="?a=1").target]


def test_headers_are_sent_and_few_are_added() -> None:
    """The request's own headers win over the transport's; no other is added than HTTP needs."""
    asked = seen((("accept", "text/csv"), ("x-own", "a, b")))

    assert ("text/csv", "a, b", "test/1") == tuple(asked.header(name) for name in ("accept", "x-own", "user-agent"))
    assert {"accept", "accept-encoding", "host", "user-agent", "x-own"} == {n for n, _ in asked.headers}


def test_latin_1_header_goes_out_as_one_byte_each() -> None:
    """A header value beyond ASCII is sent in Latin-1, as HTTP has it."""
    assert "é" == seen((("x-name", "é"),)).header("x-name")


def test_body_is_sent_as_it_is() -> None:
    """Body bytes are not touched."""
    asked = seen(method="POST", body=b"\x00\xff{}")

    assert ("POST", b"\x00\xff{}", "4") == (asked.method, asked.body, asked.header("content-length"))


@pytest.mark.parametrize("value", ["a\r\nx-admin: 1", "a\nb", "a\0b"])
def test_forged_header_is_never_sent(value: str) -> None:
    """Whatever reaches the transport, a line break in a header does not reach the wire."""
    with Loopback(lambda _: Response(200)) as provider, pytest.raises(ConnproofError):
        exchange([Request("GET", provider.url, (("x-a", value),))])

    assert [] == provider.asked


# What stays outside.


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_not_followed(status: int) -> None:
    """S08: no redirect is followed, so no credential can leave with one."""
    with Loopback(lambda _: Response(status, (("location", "/elsewhere"),))) as provider:
        answers = exchange([Request("GET", f"{provider.url}/rows")])

    assert [status] == [answer.status for answer in answers]
    assert ["/rows"] == provider.targets


def test_cookie_is_not_sent_back() -> None:
    """S44: a provider may set cookies; none is kept."""
    with Loopback(lambda _: Response(200, (("set-cookie", "session=1; Path=/"),))) as provider:
        exchange([Request("GET", provider.url)] * 3)

    assert [None] * 3 == [asked.header("cookie") for asked in provider.asked]


def test_S16_environment_is_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A proxy and a ~/.netrc of the machine change nothing about what is sent, and where."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login trap password trap\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with Loopback(lambda _: Response(500)) as proxy, Loopback(lambda _: Response(200)) as provider:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)

        answers = exchange([Request("GET", provider.url)])

    assert [200] == [answer.status for answer in answers]
    assert [] == proxy.asked
    assert None is provider.asked[0].header("authorization")


# In.


def test_response_is_kept_as_it_came() -> None:
    """Status, body bytes, and every header line in its order, names in lower case."""
    headers = (("Link", "<a>; rel=next"), ("X-B", "1"), ("LINK", "<b>; rel=prev"))

    answer = get(Response(207, headers, b"\x00\xff"))

    assert (207, b"\x00\xff") == (answer.status, answer.body)
    assert "<a>; rel=next, <b>; rel=prev" == answer.header("link")
    assert ["link", "x-b", "link"] == [name for name, _ in answer.headers[:3]]


def two_members(data: bytes) -> bytes:
    return gzip.compress(data[:5]) + gzip.compress(data[5:])


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(BODY)),
        ("GZip", gzip.compress(BODY)),
        ("x-gzip", gzip.compress(BODY)),
        ("gzip", two_members(BODY)),
        ("deflate", zlib.compress(BODY)),
        ("identity", BODY),
        ("", BODY),
    ],
    ids=["gzip", "case", "x-gzip", "two members", "deflate", "identity", "empty name"],
)
def test_content_encoding_is_decoded(encoding: str, body: bytes) -> None:
    """The offered encodings, whole, become the body that they hold."""
    assert BODY == get(Response(200, (("content-encoding", encoding),), body)).body


def test_empty_body_needs_no_decoding() -> None:
    """A 204 may name an encoding and has no body."""
    assert b"" == get(Response(204, (("content-encoding", "gzip"),))).body


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(BODY)[:-5]),
        ("gzip", gzip.compress(BODY) + gzip.compress(BODY)[:-5]),
        ("gzip", gzip.compress(BODY) + b"more"),
        ("gzip", BODY),
        ("deflate", zlib.compress(BODY)[:-2]),
        ("br", BODY),
        ("gzip, gzip", gzip.compress(gzip.compress(BODY))),
    ],
    ids=["cut", "second member cut", "trailing bytes", "not gzip", "deflate cut", "not offered", "stacked"],
)
def test_body_that_cannot_be_decoded_whole_is_an_error(encoding: str, body: bytes) -> None:
    """A damaged, cut or unasked-for encoding never becomes a shorter body."""
    with pytest.raises(PageUnreadable):
        get(Response(200, (("content-encoding", encoding),), body))


@pytest.mark.parametrize("members", [1, 50], ids=["one bomb", "many members"])
def test_gzip_bomb_is_stopped_at_the_bound(members: int) -> None:
    """S27: decoding stops at the bound on decoded bytes, however small the wire was."""
    bomb = gzip.compress(bytes(10_000_000 // members)) * members

    with pytest.raises(LimitExceeded, match="longer than 100000 bytes"):
        get(Response(200, (("content-encoding", "gzip"),), bomb), bounds=Bounds(body_bytes=100_000))


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_body_bound_is_exact(encoding: str) -> None:
    """A body of just the bound is read; one byte more is an error."""
    body = gzip.compress(BODY) if encoding == "gzip" else BODY
    response = Response(200, (("content-encoding", encoding),), body)

    assert BODY == get(response, bounds=Bounds(body_bytes=len(BODY))).body
    with pytest.raises(LimitExceeded):
        get(response, bounds=Bounds(body_bytes=len(BODY) - 1))


def test_endless_body_is_stopped() -> None:
    """S28: a body without an end is read up to the bound."""
    endless = b"HTTP/1.1 200 -\r\ntransfer-encoding: chunked\r\n\r\n" + b"1000\r\n" + bytes(0x1000) + b"\r\n"

    with pytest.raises(LimitExceeded):
        get(endless + b"1000\r\n" + bytes(0x1000), bounds=Bounds(body_bytes=5000))


def test_headers_beyond_the_bound_are_an_error() -> None:
    """S43: so many header bytes are not taken in."""
    with pytest.raises(LimitExceeded, match="headers are longer than 1000 bytes"):
        get(Response(200, (("x-long", "a" * 2000),)), bounds=Bounds(header_bytes=1000))


# No answer.


def test_refused_connection_shows_no_query() -> None:
    """The error says where, and nothing of the query, which may hold a credential."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/rows"
        with pytest.raises(ProviderDown) as said:
            exchange([Request("GET", f"{url}?api_key=s3cret")])

    assert f"GET {url}?..." == said.value.facts["request"]
    assert "s3cret" not in str(said.value)
    assert None is said.value.__cause__


def test_answer_that_never_comes_ends_in_time() -> None:
    """S28: one bound holds for the whole exchange, from the first byte sent to the last received."""
    with Loopback(lambda _: None) as provider, pytest.raises(ProviderDown, match=r"within 0\.1 seconds") as said:
        exchange([Request("GET", f"{provider.url}/rows?key=s3cret")], Bounds(seconds=0.1))

    assert "s3cret" not in str(said.value)


@pytest.mark.parametrize(
    "wire",
    [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 200 -\r\ncontent-length: 10\r\n\r\nabc"],
    ids=["closed", "another protocol", "cut"],
)
def test_broken_exchange_is_the_providers_fault(wire: bytes) -> None:
    """What is no whole HTTP answer is ProviderDown, never a short body."""
    with pytest.raises(ProviderDown, match="the exchange broke off"):
        get(wire)


def test_transport_must_be_open() -> None:
    """Using it outside its context is a fault of the program."""
    with pytest.raises(RuntimeError, match="async with"):
        asyncio.run(HttpxTransport(user_agent="x").send(Request("GET", "http://127.0.0.1/")))


@pytest.mark.parametrize(
    ("url", "shown"), [("https://a/b?key=1", "https://a/b?..."), ("https://a/b", "https://a/b"), ("/b?", "/b?...")]
)
def test_shown_url(url: str, shown: str) -> None:
    """Messages show a URL without its query."""
    assert shown == shown_url(url)


@pytest.mark.parametrize("url", ["https://xn--b.example/a?key=k-0001", "https://a.example/?key=k-0001" + "x" * 70_000])
def test_a_url_that_the_http_client_refuses_is_an_error_of_ours(url: str) -> None:
    """Its own errors are no part of the tree, and quote the URL."""
    with pytest.raises(CallWrong, match="cannot be sent") as refusal:
        exchange([Request("GET", url)])

    assert "k-0001" not in str(refusal.value)
