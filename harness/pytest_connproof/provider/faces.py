"""The simulated provider behind a transport of this process, and what becomes of requests on their way to it.

A request may be answered, acted on and never answered, lost before it is acted on, or held until the test says so.
Nothing sleeps and nothing is left to chance: what is planned happens to requests in the order in which they arrive.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from connproof.errors import ProviderDown
from connproof.model import Request, Response
from connproof.transport import shown_url
from pytest_connproof.provider.authorization import AuthorizationServer
from pytest_connproof.provider.resource import Resource

__all__ = ["Arrival", "Delivery", "InProcess", "Side", "Simulated", "SimulatedProvider"]

Delivery: TypeAlias = Literal["answered", "acts, no answer", "no act, no answer", "late", "acts late"]
"""What becomes of a request: answered; acted on, and the connection breaks off; the connection breaks off before that;
acted on, and the answer waits until it is released; acted on only then, even if whoever asked has given up."""

Side: TypeAlias = Literal["token", "api"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """What became of a request. `response` None: there is none, or, of one that "acts late", not yet: see `act`."""

    delivery: Delivery
    response: Response | None = None


class Simulated(Protocol):
    """What stands behind a face. It may be asked from any thread; `now` is in seconds since 1970."""

    def arrive(self, request: Request, now: float, *, who: str = "") -> Arrival:
        """Act on a request, or lose it, or let it wait."""

    def act(self, request: Request, now: float, *, who: str = "") -> Response:
        """Act on a request that arrived before, and waited."""


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

    def __init__(self, provider: Simulated, now: Callable[[], float], *, who: str = "") -> None:
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
