"""A token endpoint in memory, with numbered tokens and a count of who presented which; a store, and workers on it.

It is small on purpose: what a real authorization server does besides is simulated by the harness.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from connproof.errors import ProviderDown
from connproof.model import Account, Connector, Request, Response, Secret, TokenPair, TokenRow
from connproof.places import JsonValue
from connproof.stores.token_memory import MemoryTokens
from connproof.tokens import Tokens
from scripted import answer, connector
from virtual_time import VirtualClock

ACCOUNT = Account("ada", {"client_id": "client-one", "client_secret": "invented-client-secret"})
KEY = "sample/ada"
LIFETIME = 3600
GRACE = 1800

Play = Response | ProviderDown | Callable[["Endpoint", str], Awaitable[Response]]


def asking(rotation: JsonValue = "strict", *, beside: dict[str, Any] | None = None, **token: Any) -> Connector:
    """A connector that asks for tokens; `token` has further words of its endpoint, `beside` of the connector."""
    declared: dict[str, JsonValue] = {"url": "https://id.example/token", "client_auth": "body", **token}
    said: dict[str, JsonValue] = {"grace_s": rotation} if isinstance(rotation, int) else {}
    return connector(auth={"type": "oauth2", "token": declared, "rotation": said or rotation}, **(beside or {}))


@dataclass
class Endpoint:
    """What a refresh token is worth. The next of `plays` stands in for the usual answer; None among them is usual."""

    clock: VirtualClock
    rotation: JsonValue = "strict"
    lifetime: JsonValue = LIFETIME
    plays: list[Play | None] = field(default_factory=list)
    presented: list[tuple[float, str]] = field(default_factory=list)
    current: int = 0
    spent_at: dict[int, float] = field(default_factory=dict)
    is_revoked: bool = False

    async def send(self, request: Request) -> Response:
        form = dict(parse_qsl((request.body or b"").decode()))
        token = form.get("refresh_token", "")
        self.presented.append((self.clock.monotonic(), token))
        play = self.plays.pop(0) if self.plays else None
        if isinstance(play, Response):
            return play
        if isinstance(play, ProviderDown):
            raise play
        return self.act(token) if play is None else await play(self, token)

    def act(self, token: str, **more: JsonValue) -> Response:
        """Judge a refresh token as such a provider does: reuse of a spent one revokes all."""
        number = int(token.removeprefix("RT"))
        now = self.clock.monotonic()
        good = number == self.current or (
            isinstance(self.rotation, int) and now - self.spent_at.get(number, -1e9) <= self.rotation
        )
        if self.is_revoked or not good:
            self.is_revoked = self.is_revoked or self.rotation == "strict"
            return refusal("invalid_grant")
        if self.rotation == "none":
            return answer({"access_token": f"AT{len(self.presented)}", "expires_in": self.lifetime, **more})
        self.spent_at.setdefault(number, now)
        self.current += 1
        granted: dict[str, JsonValue] = {
            "access_token": f"AT{self.current}",
            "refresh_token": f"RT{self.current}",
            "expires_in": self.lifetime,
            **more,
        }
        return answer({name: value for name, value in granted.items() if value is not None})

    @property
    def tokens(self) -> list[str]:
        """The refresh tokens that were presented, in order."""
        return [token for _, token in self.presented]

    @property
    def times(self) -> list[float]:
        return [at for at, _ in self.presented]


def refusal(code: str, status: int = 400, *headers: tuple[str, str]) -> Response:
    """An error as RFC 6749 has it."""
    return answer({"error": code}, *headers, status=status)


def no_answer(*, sent: bool | None = None) -> ProviderDown:
    """The exchange broke off; nobody knows when, or before anything was sent."""
    fault = ProviderDown("the exchange broke off")
    fault.sent = sent
    return fault


async def lost(endpoint: Endpoint, token: str) -> Response:
    """The provider acts, and its answer never comes."""
    endpoint.act(token)
    raise no_answer()


def late(seconds: float) -> Callable[[Endpoint, str], Awaitable[Response]]:
    """The provider acts at once; its answer takes so long."""

    async def play(endpoint: Endpoint, token: str) -> Response:
        acted = endpoint.act(token)
        await endpoint.clock.sleep(seconds)
        return acted

    return play


class World:
    """One account that is connected as AT0 and RT0, and ends in `left` seconds."""

    def __init__(self, rotation: JsonValue = "strict", *plays: Play | None, **token: Any) -> None:
        self.clock = VirtualClock()
        self.store = MemoryTokens(self.clock)
        self.endpoint = Endpoint(self.clock, rotation, plays=[*plays])
        self.connector = asking(rotation, **token)
        self.steps: list[str] = []

    def worker(self, owner: str = "A", **options: Any) -> Tokens:
        """A process of its own, as far as the store can tell; its steps are noted."""

        async def noted(step: str) -> None:
            self.steps.append(step)

        usual = {"send": self.endpoint.send, "clock": self.clock, "steps": noted, "jitter": lambda: 0.5}
        return Tokens(self.store, self.connector, owner=owner, **{**usual, **options})

    async def connect(self, left: float | None, *, refresh: str | None = "RT0", **more: Any) -> TokenRow:
        now = await self.store.now()
        ends = None if left is None else now + left
        lifetime = None if left is None else float(LIFETIME)
        kept = None if refresh is None else Secret(refresh)
        return await self.store.connect(KEY, TokenPair(Secret("AT0"), kept, ends, lifetime_s=lifetime, **more))

    def swap(self, **methods: Callable[..., Awaitable[Any]]) -> None:
        """Let the store's methods be these."""
        for name, method in methods.items():
            setattr(self.store, name, method)

    async def row(self) -> TokenRow:
        row = await self.store.read(KEY)
        assert row is not None
        return row
