"""An HTTP server on a free port of 127.0.0.1, with a thread for each connection: the ground of both that we have.

When it closes, its threads and connections have ended.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

__all__ = ["Connections", "Heard", "Listening"]


class Connections:
    """The connections that are open, to be ended from outside."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._is_over = False

    def add(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.add(connection)
            if self._is_over:
                _end(connection)

    def discard(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.discard(connection)

    def end(self) -> None:
        """End those that are open, and each that is added from now on."""
        with self._lock:
            self._is_over = True
            for connection in self._open:
                _end(connection)


class Heard(BaseHTTPRequestHandler):
    """What is said on one connection of `connections`. Nothing is logged: a request line may hold a credential."""

    protocol_version = "HTTP/1.1"
    connections: ClassVar[Connections]

    def setup(self) -> None:
        super().setup()
        self.connections.add(self.connection)

    def finish(self) -> None:
        self.connections.discard(self.connection)
        super().finish()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the signature is the library's
        """As above."""


class Listening:
    """The server, from the moment at which it is made until `close`."""

    def __init__(self, handler: type[Heard]) -> None:
        self._connections = handler.connections
        self._server = _Threads(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def url(self) -> str:
        """The origin."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._connections.end()
        self._server.server_close()
        self._thread.join()


class _Threads(ThreadingHTTPServer):
    daemon_threads = False  # its threads end with it, and leave no socket behind


def _end(connection: socket.socket) -> None:
    with suppress(OSError):  # its other end may be gone already
        connection.shutdown(socket.SHUT_RDWR)
