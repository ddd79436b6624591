"""Recorded traffic on 127.0.0.1, for code in any language: plain HTTP by its own URL, and a proxy for any host.

Every request, however it came, is one Request with its whole URL, given to one function, one at a time; nothing is
passed on to anybody. When the server closes, its threads and connections have ended.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from http.client import responses
from http.server import BaseHTTPRequestHandler
from socketserver import StreamRequestHandler
from types import TracebackType
from typing import Final, Self, TypeAlias

from connproof.model import Headers, Request, Response
from pytest_connproof.authority import Authority
from pytest_connproof.listening import Connections, Heard, Listening

__all__ = ["Answer", "LoopbackServer"]

Answer: TypeAlias = Callable[[Request], Response]

_LONGEST_LINE: Final = 65_536
_HANDSHAKE_S: Final = 10.0
# Said of one connection, or of a body as it was once sent: not of this answer.
_OF_THE_WIRE: Final = frozenset(
    {"connection", "content-encoding", "content-length", "keep-alive", "proxy-connection", "trailer", "upgrade"}
    | {"transfer-encoding"}
)
_WITHOUT_BODY: Final = frozenset({204, 304})


class LoopbackServer:
    """Answers on a free port of 127.0.0.1 while its context is open.

    A request to `url` has a URL that begins with it. As a proxy it is asked for whole URLs, or opens a tunnel in which
    it speaks TLS as the host that was asked for. `distrusted` are the hosts in whose place it was not believed.
    """

    def __init__(self, answer: Answer, authority: Authority) -> None:
        self.distrusted: set[str] = set()
        self._answer = answer
        self._authority = authority
        self._turn = threading.Lock()

    def __enter__(self) -> Self:
        self._listening = Listening(_handler(self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.close()

    @property
    def url(self) -> str:
        """The origin of this server, which is the URL of the proxy too."""
        return self._listening.url

    def answered(self, request: Request) -> Response:
        with self._turn:
            return self._answer(request)

    def speaking_as(self, host: str, connection: socket.socket) -> socket.socket | None:
        """The connection as a TLS one; None where whoever asked does not believe that this is the host."""
        connection.settimeout(_HANDSHAKE_S)
        try:
            secured = self._authority.context(host).wrap_socket(connection, server_side=True)
        except OSError:  # ssl.SSLError is one
            self.distrusted.add(host)
            return None
        secured.settimeout(None)
        return secured


def _handler(server: LoopbackServer) -> type[Heard]:
    class Handler(Heard):
        connections = Connections()
        tunnel = ""  # the origin that this connection is a tunnel to

        def finish(self) -> None:
            super().finish()
            if self.tunnel:  # the socket that the server knows was given up for this one
                self.connection.close()

        def handle_one_request(self) -> None:
            self.close_connection = True
            with suppress(OSError):  # whoever asked may have gone
                self.raw_requestline = self.rfile.readline(_LONGEST_LINE + 1)
                if not self.raw_requestline or not self.parse_request():
                    return
                if self.command == "CONNECT" and not self.tunnel:
                    self._open_tunnel()
                    return
                body = _body(self)
                if body is None:
                    self.send_error(400)
                    return
                headers: Headers = tuple((name.lower(), value) for name, value in self.headers.items())
                response = server.answered(Request(self.command, self._url(), headers, body or None))
                self.close_connection = (self.headers.get("connection") or "").lower() == "close"
                self.connection.sendall(_wire(response, is_head=self.command == "HEAD"))

        def _url(self) -> str:
            if not self.tunnel and self.path.partition("://")[0].lower() == "http":
                return self.path  # a proxy is asked for whole URLs
            return f"{self.tunnel or server.url}{self.path}"

        def _open_tunnel(self) -> None:
            host, _, port = self.path.rpartition(":")
            self.connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self.connections.discard(self.connection)
            secured = server.speaking_as(host.strip("[]").lower(), self.connection)
            if secured is None:
                return
            self.rfile.close()
            self.request = secured
            StreamRequestHandler.setup(self)  # the same connection, read and written through TLS
            self.tunnel = f"https://{host.lower()}{'' if port == '443' else f':{port}'}"
            self.connections.add(self.connection)
            self.close_connection = False

    return Handler


def _body(handler: BaseHTTPRequestHandler) -> bytes | None:
    """The body of the request whose headers were read, in the framing that they say; None for one that is broken."""
    try:
        if "chunked" not in (handler.headers.get("transfer-encoding") or "").lower():
            size = int(handler.headers.get("content-length", 0))
            body = handler.rfile.read(size)
            return body if len(body) == size else None
        chunks = []
        while size := int(handler.rfile.readline(_LONGEST_LINE).partition(b";")[0], 16):
            chunks.append(handler.rfile.read(size))
            handler.rfile.readline(_LONGEST_LINE)
        while handler.rfile.readline(_LONGEST_LINE).strip():
            continue  # a trailer
    except ValueError:
        return None
    return b"".join(chunks)


def _wire(response: Response, *, is_head: bool) -> bytes:
    has_body = response.status not in _WITHOUT_BODY
    lines = [f"HTTP/1.1 {response.status} {responses.get(response.status, '-')}"]
    lines += [f"{name}: {value}" for name, value in response.headers if name.lower() not in _OF_THE_WIRE]
    lines += [f"content-length: {len(response.body)}"] if has_body else []
    head = "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")
    return head + (response.body if has_body and not is_head else b"")
