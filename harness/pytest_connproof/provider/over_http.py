"""The simulated provider over HTTP on 127.0.0.1, for other processes and for what only a real wire can show.

Each connection has a thread, and requests are acted on one at a time. When the server closes, its threads have ended.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from connproof.model import Headers, Request, Response
from pytest_connproof.listening import Connections, Heard, Listening
from pytest_connproof.provider.faces import Simulated

__all__ = ["Loopback"]

_MOST_WAIT_S: Final = 30.0


class Loopback:
    """The provider over HTTP/1.1 with kept-alive connections, on a free port while its context is open.

    Open it first, then read the connector with `url` for its origin, and set `provider`. `now` is asked as each
    request arrives. Who asked is what the User-Agent header says, so give each process its own. `spelt` writes the
    names of an answer's headers: upper and lower case are one.
    """

    def __init__(
        self,
        now: Callable[[], float],
        provider: Simulated | None = None,
        *,
        spelt: Callable[[str], str] = str,
    ) -> None:
        self.provider = provider
        self.spelt = spelt
        self.now = now
        self._parked = _Parked()

    def __enter__(self) -> Self:
        self._listening = Listening(_handler(self, self._parked))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._parked.let_go()
        self._listening.close()

    @property
    def url(self) -> str:
        """The origin of this server."""
        return self._listening.url

    def wait_parked(self, count: int = 1) -> None:
        """Return once so many requests wait to be released. Raises TimeoutError where they never come."""
        self._parked.wait_parked(count)

    def release(self) -> None:
        """Let the request go on that has waited longest."""
        self._parked.release()


class _Parked:
    """The requests that wait until they are released, or the server closes."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[threading.Event] = deque()
        self._is_closing = False

    def hold(self) -> bool:
        """Wait until the request is released; False where the server closes instead."""
        released = threading.Event()
        with self._changed:
            if self._is_closing:
                return False
            self._waiting.append(released)
            self._changed.notify_all()
        released.wait()
        return not self._is_closing

    def wait_parked(self, count: int) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._waiting) >= count, _MOST_WAIT_S):
                raise TimeoutError(f"{len(self._waiting)} of {count} requests are parked")

    def release(self) -> None:
        with self._changed:
            self._waiting.popleft().set()

    def let_go(self) -> None:
        with self._changed:
            self._is_closing = True
            for released in self._waiting:
                released.set()


def _handler(face: Loopback, parked: _Parked) -> type[Heard]:
    class Handler(Heard):
        connections = Connections()

        def handle_one_request(self) -> None:
            self.close_connection = True
            request = self._request()
            if request is None:
                return
            assert face.provider is not None, "set `provider` before anybody asks"
            who = request.header("user-agent") or ""
            arrival = face.provider.arrive(request, face.now(), who=who)
            response = arrival.response
            if arrival.delivery in {"late", "acts late"} and not parked.hold():
                response = None
            elif arrival.delivery == "acts late":
                response = face.provider.act(request, face.now(), who=who)
            if response is None:
                self._break_off()
                return
            with suppress(OSError):  # whoever asked may have gone
                self.wfile.write(_wire(response, face.spelt))
                self.close_connection = (request.header("connection") or "").lower() == "close"

        def _request(self) -> Request | None:
            with suppress(OSError):  # a process that is killed breaks its connection off
                self.raw_requestline = self.rfile.readline(65_537)
                if self.raw_requestline and self.parse_request():
                    size = int(self.headers.get("content-length", 0))
                    body = self.rfile.read(size)
                    if len(body) == size:
                        headers: Headers = tuple((name.lower(), value) for name, value in self.headers.items())
                        return Request(self.command, f"{face.url}{self.path}", headers, body or None)
            return None

        def _break_off(self) -> None:
            # To linger for no time at all is a reset (RST), where an ordinary close would be an end (FIN).
            self.connections.discard(self.connection)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.rfile.close()
            self.connection.close()

    return Handler


def _wire(response: Response, spelt: Callable[[str], str]) -> bytes:
    has_body = response.status not in {204, 304}
    lines = [f"HTTP/1.1 {response.status} -", *(f"{spelt(name)}: {value}" for name, value in response.headers)]
    lines += [f"content-length: {len(response.body)}"] if has_body else []
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (response.body if has_body else b"")
