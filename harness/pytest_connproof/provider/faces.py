"""The simulated provider behind a transport: in this process, or over HTTP on 127.0.0.1 for other processes.

A request may be answered, acted on and never answered, lost before it is acted on, or held until the test says so.
Nothing sleeps and nothing is left to chance: what is planned happens to requests in the order in which they arrive.
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

Delivery: TypeAlias = Literal["answered", "acts, no answer", "no act, no answer", "late", "acts late"]
"""What becomes of a request: answered; acted on, and the connection breaks off; the connection breaks off before that;
acted on, and the answer waits until it is released; acted on only then, even if whoever asked has given up."""

Side: TypeAlias = Literal["token", "api"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """What became of a request. `response` None: there is none, or, of one that "acts late", not yet: see `act`."""

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
            server, side = self._taker(request)
            delivery: Delivery = self._planned[side].popleft() if self._planned[side] else "answered"
            if delivery == "acts late":
                return Arrival(delivery)
            if delivery == "no act, no answer":
                if side == "token":
                    server.unseen(request, now, who=who)
                return Arrival(delivery)
            response = self._acted(request, now, who)
            return Arrival(delivery, None if delivery == "acts, no answer" else response)

    def act(self, request: Request, now: float, *, who: str = "") -> Response:
        """Act on a request that arrived before, whatever is planned for others."""
        with self._guard:
            return self._acted(request, now, who)

    def _acted(self, request: Request, now: float, who: str) -> Response:
        server, side = self._taker(request)
        if side == "token":
            return server.answer(request, now, who=who)
        return self.api.answer(server, request, now, who=who)

    def _taker(self, request: Request) -> tuple[AuthorizationServer, Side]:
        server = next((one for one in self.servers if one.is_for(request)), self.servers[0])
        return server, "token" if server.is_asked(request) else "api"


@dataclass(slots=True)
class _Parked:
    act: Callable[[], Response]
    released: asyncio.Event
    response: Response | None = None


class InProcess:
    """A transport that is the provider itself. `who` is said of every request; `now` is asked as each one arrives.

    Where the connection breaks off it raises ProviderDown, as the network's transport does. While `unreachable` is set
    there is no connection at all, and no request arrives.
    """

    def __init__(self, provider: SimulatedProvider, now: Callable[[], float], *, who: str = "") -> None:
        self._provider = provider
        self._now = now
        self._who = who
        self._parked: deque[_Parked] = deque()
        self.unreachable = False

    @property
    def parked(self) -> int:
        """How many requests wait to be released."""
        return len(self._parked)

    def release(self) -> None:
        """Let the request go on that has waited longest."""
        parked = self._parked.popleft()
        parked.response = parked.act()
        parked.released.set()

    async def send(self, request: Request) -> Response:
        if self.unreachable:
            raise _broken(request, "ConnectError", sent=False)
        arrival = self._provider.arrive(request, self._now(), who=self._who)
        if arrival.delivery in {"late", "acts late"}:
            return await self._parking(request, arrival)
        if arrival.response is None:
            raise _broken(request, "ReadError", sent=True)
        return arrival.response

    async def _parking(self, request: Request, arrival: Arrival) -> Response:
        def act() -> Response:
            return arrival.response or self._provider.act(request, self._now(), who=self._who)

        parked = _Parked(act, asyncio.Event())
        self._parked.append(parked)
        try:
            await parked.released.wait()
        finally:
            if arrival.response is not None and not parked.released.is_set():
                self._parked.remove(parked)  # whoever asked gave up: nobody is left to answer, and all else is done
        assert parked.response is not None, "it is released with a response"
        return parked.response


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
        """Return once so many requests wait to be released. Raises TimeoutError where they never come."""
        self._wires.wait_parked(count)

    def release(self) -> None:
        """Let the request go on that has waited longest."""
        self._wires.release()


class _Wires:
    """What the threads of a server share: the connections that are open, and the requests that wait."""

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
        """Wait until the request is released; False where the server closes instead."""
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
                raise TimeoutError(f"{len(self._parked)} of {count} requests are parked")

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
            who = request.header("user-agent") or ""
            arrival = face.provider.arrive(request, face.now(), who=who)
            response = arrival.response
            if arrival.delivery in {"late", "acts late"} and not wires.hold():
                response = None
            elif arrival.delivery == "acts late":
                response = face.provider.act(request, face.now(), who=who)
            if response is None:
                self._break_off()
                return
            with suppress(OSError):  # whoever asked may have gone
                self.wfile.write(_wire(response))
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

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the signature is the library's
            """Nothing is logged: a request line may hold a credential."""

    return Handler


def _wire(response: Response) -> bytes:
    has_body = response.status not in {204, 304}
    lines = [f"HTTP/1.1 {response.status} -", *(f"{name}: {value}" for name, value in response.headers)]
    lines += [f"content-length: {len(response.body)}"] if has_body else []
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (response.body if has_body else b"")
