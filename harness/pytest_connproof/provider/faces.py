"""The simulated provider behind a transport: in this process, or over HTTP on 127.0.0.1 for other processes.

A request may be answered, acted on and never answered, lost before it is acted on, or answered when the test says
so. Nothing sleeps and nothing is left to chance: what is planned happens to the requests in the order they arrive.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final, Literal, Self, TypeAlias

from connproof.errors import ProviderDown
from connproof.model import Headers, Request, Response
from connproof.transport import shown_url
from pytest_connproof.provider.authorization import AuthorizationServer
from pytest_connproof.provider.resource import Resource

__all__ = ["Arrival", "Delivery", "InProcess", "Loopback", "Side", "SimulatedProvider"]

Delivery: TypeAlias = Literal["answered", "acts, no answer", "no act, no answer", "late"]
"""What becomes of a request: answered; acted on, and the connection breaks off; the connection breaks off before that;
acted on, and the answer waits until it is released."""

Side: TypeAlias = Literal["token", "api"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """What became of a request. `response` None: there is none, the connection breaks off."""

    delivery: Delivery
    response: Response | None = None


class SimulatedProvider:
    """The token endpoint and the API of one connector, for one or more accounts.

    A request goes to the account whose token it presents; one that presents none of theirs goes to the first.
    """

    def __init__(self, servers: AuthorizationServer | Sequence[AuthorizationServer], api: Resource) -> None:
        self.servers = (servers,) if isinstance(servers, AuthorizationServer) else tuple(servers)
        self.api = api
        self._planned: dict[Side, deque[Delivery]] = {"token": deque(), "api": deque()}
        self._guard = threading.Lock()

    def plan(self, *deliveries: Delivery, side: Side = "token") -> None:
        """What becomes of the next requests to this side; those after them are answered."""
        with self._guard:
            self._planned[side].extend(deliveries)

    def arrive(self, request: Request, now: float, *, who: str = "") -> Arrival:
        """Act on a request at `now`, or lose it, as planned. Requests are taken one at a time, from any thread."""
        with self._guard:
            side: Side = "token" if self.servers[0].is_asked(request) else "api"
            planned = self._planned[side]
            delivery: Delivery = planned.popleft() if planned else "answered"
            server = next((one for one in self.servers if one.is_for(request)), self.servers[0])
            if delivery == "no act, no answer":
                if side == "token":
                    server.unseen(request, now, who=who)
                return Arrival(delivery)
            if side == "token":
                response = server.answer(request, now, who=who)
            else:
                response = self.api.answer(server, request, now, who=who)
            return Arrival(delivery, None if delivery == "acts, no answer" else response)


class InProcess:
    """A transport that is the provider itself. `who` is said of every request; `now` is asked as each one arrives.

    Where the connection breaks off it raises ProviderDown, as the network's transport does. While `unreachable` is set
    there is no connection at all, and no request arrives.
    """

    def __init__(self, provider: SimulatedProvider, now: Callable[[], float], *, who: str = "") -> None:
        self._provider = provider
        self._now = now
        self._who = who
        self._parked: deque[asyncio.Event] = deque()
        self.unreachable = False

    @property
    def parked(self) -> int:
        """How many answers wait to be released."""
        return len(self._parked)

    def release(self) -> None:
        """Let the answer go that has waited longest."""
        self._parked.popleft().set()

    async def send(self, request: Request) -> Response:
        if self.unreachable:
            raise _broken(request, "ConnectError", sent=False)
        arrival = self._provider.arrive(request, self._now(), who=self._who)
        if arrival.response is None:
            raise _broken(request, "ReadError", sent=True)
        if arrival.delivery == "late":
            released = asyncio.Event()
            self._parked.append(released)
            try:
                await released.wait()
            finally:
                if not released.is_set():  # whoever asked gave up: nobody is left to answer
                    self._parked.remove(released)
        return arrival.response


def _broken(request: Request, seen: str, *, sent: bool) -> ProviderDown:
    where = f"{request.method} {shown_url(request.url)}"
    failed = ProviderDown("the exchange broke off", facts={"request": where, "seen": seen})
    failed.sent = sent
    return failed


_MOST_WAIT_S: Final = 30.0


class Loopback:
    """The provider over HTTP/1.1 with kept-alive connections, on a free port while its context is open.

    Open it first, then read the connector with `url` for its origin, and set `provider`. `now` is asked as each
    request arrives. Who asked is what the User-Agent header says, so give each process its own.
    """

    def __init__(self, now: Callable[[], float], provider: SimulatedProvider | None = None) -> None:
        self.provider = provider
        self.now = now
        self._wires = _Wires()

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", 0), _handler(self, self._wires))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._wires.close()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """The origin of this server."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def wait_parked(self, count: int = 1) -> None:
        """Return once so many answers wait to be released. Raises TimeoutError where they never come."""
        self._wires.wait_parked(count)

    def release(self) -> None:
        """Let the answer go that has waited longest."""
        self._wires.release()


class _Wires:
    """What the threads of a server share: the connections that are open, and the answers that wait."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._open: set[socket.socket] = set()
        self._parked: deque[threading.Event] = deque()
        self._is_closing = False

    def opened(self, connection: socket.socket) -> None:
        with self._changed:
            self._open.add(connection)
            if self._is_closing:
                _end(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._changed:
            self._open.discard(connection)

    def hold(self) -> bool:
        """Wait until the answer is released; False where the server closes instead."""
        released = threading.Event()
        with self._changed:
            if self._is_closing:
                return False
            self._parked.append(released)
            self._changed.notify_all()
        released.wait()
        return not self._is_closing

    def wait_parked(self, count: int) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._parked) >= count, _MOST_WAIT_S):
                raise TimeoutError(f"{len(self._parked)} of {count} answers are parked")

    def release(self) -> None:
        with self._changed:
            self._parked.popleft().set()

    def close(self) -> None:
        with self._changed:
            self._is_closing = True
            for released in self._parked:
                released.set()
            for connection in self._open:
                _end(connection)


def _end(connection: socket.socket) -> None:
    with suppress(OSError):  # its other end may be gone already
        connection.shutdown(socket.SHUT_RDWR)


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # its threads end with it, and leave no socket behind


def _handler(face: Loopback, wires: _Wires) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            wires.opened(self.connection)

        def finish(self) -> None:
            wires.closed(self.connection)
            super().finish()

        def handle_one_request(self) -> None:
            self.close_connection = True
            request = self._request()
            if request is None:
                return
            assert face.provider is not None, "set `provider` before anybody asks"
            arrival = face.provider.arrive(request, face.now(), who=request.header("user-agent") or "")
            if arrival.response is None or (arrival.delivery == "late" and not wires.hold()):
                self._break_off()
                return
            with suppress(OSError):  # whoever asked may have gone
                self.wfile.write(_wire(arrival.response))
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
            wires.closed(self.connection)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.rfile.close()
            self.connection.close()

    return Handler


def _wire(response: Response) -> bytes:
    has_body = response.status not in {204, 304}
    lines = [f"HTTP/1.1 {response.status} -", *(f"{name}: {value}" for name, value in response.headers)]
    lines += [f"content-length: {len(response.body)}"] if has_body else []
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (response.body if has_body else b"")
