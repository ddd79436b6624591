"""What crosses the seam to the network: one request, one response, and the words of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, TypeVar

__all__ = [
    "TRANSPORT_HEADERS",
    "Headers",
    "Placement",
    "Query",
    "Request",
    "Response",
    "frozen",
]

Headers: TypeAlias = tuple[tuple[str, str], ...]
Query: TypeAlias = tuple[tuple[str, str], ...]
# Set by the transport or the framing of HTTP itself: whoever else names one could smuggle a request.
# Beside them stands every name that begins with "proxy-".
TRANSPORT_HEADERS: Final = frozenset(
    {
        "connection",
        "content-length",
        "cookie",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
Placement: TypeAlias = Literal["query", "body", "header", "template"]


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `url` is absolute and exactly as it goes out, query included.

    `headers` are those that the config is responsible for, with lower-case names; a transport
    adds its own (host, user-agent, content-length) and shows them to nobody.
    """

    method: str
    url: str
    headers: Headers = ()
    body: bytes | None = None

    def header(self, name: str) -> str | None:
        """The value of a header, its lines joined by ", "; None where it is not sent."""
        return _joined(self.headers, name)

    def __repr__(self) -> str:  # a URL or a header may hold a credential
        return f"Request({self.method} {self.url.split('?', 1)[0]})"


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response, its body decoded from any content encoding. Header names are lower-case."""

    status: int
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The value of a header, its lines joined by ", "; None where it was not sent."""
        return _joined(self.headers, name)

    def __repr__(self) -> str:
        return f"Response({self.status}, {len(self.body)} bytes)"


def _joined(headers: Headers, name: str) -> str | None:
    lines = [value for key, value in headers if key == name]
    return ", ".join(lines) if lines else None


_K = TypeVar("_K")
_V = TypeVar("_V")


def frozen(items: Mapping[_K, _V]) -> Mapping[_K, _V]:
    """A read-only view of a copy."""
    return MappingProxyType(dict(items))
