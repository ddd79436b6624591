"""Whether anything was sent, told from a real wire: where that is certain, a refresh token is not taken for spent."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connproof.errors import ProviderSaid
from connproof.model import Request, Response
from connproof.tokens.judging import unanswered
from connproof.transport import Bounds, HttpxTransport
from loopback import Loopback

BODY = b"grant_type=refresh_token&refresh_token=RT0"


def post(url: str) -> Request:
    return Request("POST", url, (("content-type", "application/x-www-form-urlencoded"),), BODY)


def failed(*urls: str, seconds: float = 5.0) -> ProviderSaid:
    """How the last of these exchanges fails; those before it succeed."""

    async def whole() -> None:
        async with HttpxTransport(user_agent="test/1", allow_loopback=True) as transport:
            for url in urls:
                await transport.within(Bounds(seconds=seconds)).send(post(url))

    with pytest.raises(ProviderSaid) as said:
        asyncio.run(whole())
    return said.value


@contextmanager
def listening(talk: Callable[[socket.socket, int], None]) -> Iterator[str]:
    """A server that does this with each connection, which it counts; its origin without the scheme."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for number in range(10):
            try:
                connection, _ = server.accept()
            except OSError:
                return  # the test is over
            with connection:
                talk(connection, number)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"127.0.0.1:{server.getsockname()[1]}"
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


def own_certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that is signed by nobody else, with its key; a file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "own.pem"
    path.write_bytes(plain + certificate.public_bytes(pem))
    return path


def read_whole(connection: socket.socket) -> bytes:
    """A request with its body."""
    seen = b""
    while BODY not in seen and (part := connection.recv(65_536)):
        seen += part
    return seen


def reset(connection: socket.socket) -> None:
    """Close it so that the other side sees an error."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_F41_a_closed_port_was_sent_nothing() -> None:
    """Nobody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    fault = failed(f"http://127.0.0.1:{port}/token")

    assert (False, False) == (fault.sent, unanswered(fault).sent)


def test_F41_a_host_without_address_was_sent_nothing() -> None:
    """A name that no resolver may know (RFC 6761)."""

    async def nowhere(_host: str, _port: int) -> list[str]:
        raise OSError("no such name")

    async def whole() -> None:
        async with HttpxTransport(user_agent="test/1", resolver=nowhere) as transport:
            await transport.send(post("https://id.invalid/token"))

    with pytest.raises(ProviderSaid) as said:
        asyncio.run(whole())
    assert said.value.sent is False


def test_F41_an_address_that_is_not_public_was_sent_nothing() -> None:
    """The transport itself refuses to connect."""

    async def inside(_host: str, _port: int) -> list[str]:
        return ["10.0.0.1"]

    async def whole() -> None:
        async with HttpxTransport(user_agent="test/1", resolver=inside) as transport:
            await transport.send(post("https://id.example/token"))

    with pytest.raises(ProviderSaid) as said:
        asyncio.run(whole())
    assert said.value.sent is False


def test_F41_a_peer_that_cannot_speak_tls_was_sent_nothing() -> None:
    """The connection stands, and its handshake fails: no byte of the request is on the wire."""

    def plain(connection: socket.socket, _number: int) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with listening(plain) as peer:
        assert failed(f"https://{peer}/token").sent is False


def test_F41_a_peer_that_nobody_vouches_for_was_sent_nothing(tmp_path: Path) -> None:
    """It speaks TLS, and its certificate is its own word; whoever trusts that could send."""
    certificate = own_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    seen: list[bytes] = []

    def secure(connection: socket.socket, _number: int) -> None:
        with suppress(ssl.SSLError), context.wrap_socket(connection, server_side=True) as talked:
            seen.append(talked.recv(65_536))

    with listening(secure) as peer:
        fault = failed(f"https://{peer}/token")
        host, _, port = peer.partition(":")
        trusting = ssl.create_default_context(cafile=certificate)
        with trusting.wrap_socket(socket.create_connection((host, int(port))), server_hostname=host) as other:
            other.sendall(b"trusted")

    assert (False, False) == (fault.sent, unanswered(fault).sent)
    assert b"trusted" == b"".join(seen)


def test_a_handshake_that_never_ends_was_sent_nothing() -> None:
    """The time runs out before the request could leave."""

    def silent(connection: socket.socket, _number: int) -> None:
        connection.recv(65_536)
        over.wait(10)

    over = threading.Event()
    with listening(silent) as peer:
        fault = failed(f"https://{peer}/token", seconds=0.2)
        over.set()
    assert fault.sent is False


@pytest.mark.parametrize("resets", [True, False])
def test_F09_a_request_that_left_counts_as_sent(*, resets: bool) -> None:
    """The peer has it, and says nothing more; it gets it once."""
    presented: list[bytes] = []

    def cut(connection: socket.socket, _number: int) -> None:
        presented.append(read_whole(connection))
        if resets:
            reset(connection)

    with listening(cut) as peer:
        fault = failed(f"http://{peer}/token")

    assert (True, True) == (fault.sent, unanswered(fault).sent)
    assert [True] == [BODY in seen for seen in presented]


def test_a_hang_counts_as_sent() -> None:
    """And is given up after the bounds' own time."""
    with Loopback(lambda _: None) as provider:
        assert failed(f"{provider.url}/token", seconds=0.2).sent is True


def test_an_answer_that_is_cut_off_counts_as_sent() -> None:
    """The provider acted: that is why it answers."""
    with Loopback(lambda _: b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{") as provider:
        assert failed(f"{provider.url}/token").sent is True


def test_F42_a_kept_connection_that_closes_is_not_tried_again() -> None:
    """The second request goes out on the first one's connection, which the peer closes: it is presented once."""
    presented: list[bytes] = []

    def once(connection: socket.socket, _number: int) -> None:
        presented.append(read_whole(connection))
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        presented.append(read_whole(connection))
        reset(connection)

    with listening(once) as peer:
        fault = failed(f"http://{peer}/token", f"http://{peer}/token")

    assert (True, 2) == (fault.sent, sum(BODY in seen for seen in presented))


def test_F40_a_redirect_is_an_answer_like_any_other() -> None:
    """The transport follows none."""
    with Loopback(lambda _: Response(307, (("location", "/elsewhere"),))) as provider:

        async def whole() -> Response:
            async with HttpxTransport(user_agent="test/1", allow_loopback=True) as transport:
                return await transport.send(post(f"{provider.url}/token"))

        assert 307 == asyncio.run(whole()).status
        assert ["/token"] == provider.targets
