"""The loopback server: however a request comes, it arrives whole, with the URL that was meant."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from connproof.model import Request, Response
from pytest_connproof.authority import Authority
from pytest_connproof.server import LoopbackServer


class Echo:
    """A server that keeps what it is asked, and says the URL back."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[Request] = []
        self.authority = Authority(folder)
        self.server = LoopbackServer(self.answer, self.authority)

    def answer(self, request: Request) -> Response:
        self.asked.append(request)
        wire = (("content-encoding", "gzip"), ("transfer-encoding", "chunked"), ("content-length", "7"))
        return Response(200, (("x-page", "2"), *wire), request.url.encode())

    def connection(self) -> http.client.HTTPConnection:
        host, _, port = self.server.url.removeprefix("http://").partition(":")
        return http.client.HTTPConnection(host, int(port), timeout=20)

    def tunnel(self, host: str, port: int = 443) -> http.client.HTTPSConnection:
        own, _, at = self.server.url.removeprefix("http://").partition(":")
        trusting = ssl.create_default_context(cafile=str(self.authority.certificate))
        trusting.verify_flags |= ssl.VERIFY_X509_STRICT
        connection = http.client.HTTPSConnection(own, int(at), timeout=20, context=trusting)
        connection.set_tunnel(host, port)
        return connection


@pytest.fixture
def echo(tmp_path: Path) -> Iterator[Echo]:
    """A server that is open."""
    echo = Echo(tmp_path)
    with echo.server:
        yield echo


def test_a_request_arrives_whole(echo: Echo) -> None:
    """Method, URL, headers in lower case, body; the answer has one length, its own."""
    connection = echo.connection()
    connection.request(
        "POST", "/v1/deals?a=1", body=b"{}", headers={"X-Team": "CRM", "Content-Type": "application/json"}
    )
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()

    assert f"{echo.server.url}/v1/deals?a=1" == text
    assert ("POST", b"{}", "CRM") == (echo.asked[0].method, echo.asked[0].body, echo.asked[0].header("x-team"))
    assert {"x-page": "2", "content-length": str(len(text))} == dict(answer.getheaders())


def test_a_body_in_chunks_is_one_body(echo: Echo) -> None:
    """As clients send what they do not know the length of."""
    connection = echo.connection()
    connection.request("POST", "/", body=iter([b"abc", b"defgh"]), encode_chunked=True)
    connection.getresponse().read()
    connection.request("GET", "/next")
    connection.getresponse().read()
    connection.close()

    assert [b"abcdefgh", None] == [request.body for request in echo.asked]


def test_an_answer_to_head_has_no_body(echo: Echo) -> None:
    """And the connection goes on behind it."""
    connection = echo.connection()
    connection.request("HEAD", "/")
    head = connection.getresponse()
    head.read()
    connection.request("GET", "/a")
    text = connection.getresponse().read().decode()
    connection.close()

    assert str(len(f"{echo.server.url}/")) == head.getheader("content-length")
    assert f"{echo.server.url}/a" == text


def test_a_proxy_is_asked_for_whole_urls(echo: Echo) -> None:
    """Plain HTTP to another host comes with its host."""
    connection = echo.connection()
    connection.request("GET", "http://api.shop.example/v1")
    text = connection.getresponse().read().decode()
    connection.close()

    assert "http://api.shop.example/v1" == text


@pytest.mark.parametrize(
    ("host", "port", "url"),
    [
        ("api.shop.example", 443, "https://api.shop.example/a"),
        ("api.shop.example", 8443, "https://api.shop.example:8443/a"),
        ("192.0.2.7", 443, "https://192.0.2.7/a"),
        (f"{'long-' * 12}x.shop.example", 443, f"https://{'long-' * 12}x.shop.example/a"),
    ],
)
def test_a_tunnel_is_answered_as_its_host(echo: Echo, host: str, port: int, url: str) -> None:
    """By a certificate that holds to the strict rules of X.509, on a connection that is kept."""
    connection = echo.tunnel(host, port)
    seen = []
    for _ in range(2):
        connection.request("GET", "/a")
        seen.append(connection.getresponse().read().decode())
    connection.close()

    assert [url, url] == seen
    assert set() == echo.server.distrusted


def test_who_does_not_trust_is_known(echo: Echo) -> None:
    """A client with other authorities ends the handshake; the server goes on."""
    connection = echo.tunnel("api.shop.example")
    stranger = http.client.HTTPSConnection(
        connection.host, connection.port, timeout=20, context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    )
    stranger.set_tunnel("other.example", 443)

    with pytest.raises(ssl.SSLCertVerificationError):
        stranger.request("GET", "/")
    stranger.close()
    connection.request("GET", "/a")
    connection.getresponse().read()
    connection.close()

    assert {"other.example"} == echo.server.distrusted


@pytest.mark.parametrize(
    "body", [b"content-length: x\r\n\r\n", b"transfer-encoding: chunked\r\n\r\nzz\r\n"], ids=["length", "chunk"]
)
def test_a_broken_framing_is_refused(echo: Echo, body: bytes) -> None:
    """It is no request, and nobody is asked."""
    with socket.create_connection((echo.connection().host, echo.connection().port), timeout=20) as raw:
        raw.sendall(b"POST / HTTP/1.1\r\nhost: x\r\n" + body)
        answer = raw.makefile("rb").readline()

    assert b"HTTP/1.1 400 Bad Request\r\n" == answer
    assert [] == echo.asked


def test_a_connection_that_is_open_ends_with_the_server(tmp_path: Path) -> None:
    """Whoever still waits is told by its end."""
    echo = Echo(tmp_path)
    with echo.server:
        connection = echo.tunnel("api.shop.example")
        connection.request("GET", "/")
        connection.getresponse().read()
        wire = connection.sock
    assert b"" == wire.recv(1)
    connection.close()
