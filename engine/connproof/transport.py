"""The only door to the network: one method, request in, response out.

Whatever stands behind the door (the network, a replayed recording, a simulated provider), the
engine sees the same method. The network's own door follows no redirect, reads no proxy or .netrc from
the environment, keeps no cookie, decodes no more than it was told to, and ends in time.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

from connproof.errors import LimitExceeded, PageUnreadable, ProviderDown
from connproof.model import Request, Response

if TYPE_CHECKING:
    import httpx

__all__ = ["Bounds", "HttpxTransport", "Transport", "shown_url"]


class Transport(Protocol):
    """Answer one request. Raises ProviderSaid, or one of its kinds, where there is no answer."""

    async def send(self, request: Request) -> Response: ...


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one response may cost. Seconds for the whole exchange; bytes after decoding."""

    seconds: float = 60.0
    body_bytes: int = 64 * 1024 * 1024
    header_bytes: int = 64 * 1024


def shown_url(url: str) -> str:
    """A URL as messages may show it: without its query, which may hold a credential."""
    path, question, _ = url.partition("?")
    return f"{path}?..." if question else path


class HttpxTransport:
    """The network, through httpx. Use as an async context manager: it owns a connection pool."""

    def __init__(self, *, user_agent: str, bounds: Bounds | None = None) -> None:
        self._user_agent = user_agent
        self._bounds = bounds or Bounds()
        self._client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        import httpx  # half of the start-up time of a command that sends nothing

        self._client = httpx.AsyncClient(
            follow_redirects=False,
            trust_env=False,
            timeout=None,  # noqa: S113 `send` bounds the whole exchange
            headers={
                "user-agent": self._user_agent,
                "accept": "application/json",
                "accept-encoding": "gzip, deflate",
            },
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def send(self, request: Request) -> Response:
        import asyncio

        import httpx

        if self._client is None:
            raise RuntimeError("HttpxTransport is not open: use `async with`")
        where = {"request": f"{request.method} {shown_url(request.url)}"}
        try:
            async with asyncio.timeout(self._bounds.seconds):
                return await self._exchange(self._client, request)
        except TimeoutError:
            raise ProviderDown(f"no whole answer within {self._bounds.seconds:g} seconds", facts=where) from None
        except httpx.HTTPError as fault:
            # The fault's own text may quote the URL with its query.
            raise ProviderDown("the exchange broke off", facts={**where, "seen": type(fault).__name__}) from None

    async def _exchange(self, client: httpx.AsyncClient, request: Request) -> Response:
        client.cookies.clear()  # a provider may set cookies; none is ever sent back
        sent = client.build_request(
            request.method,
            request.url,
            headers=[(name.encode("ascii"), text.encode("latin-1")) for name, text in request.headers],
            content=request.body,
            extensions={"target": _target(request.url)},
        )
        answer = await client.send(sent, stream=True)
        try:
            headers = tuple(
                (name.decode("latin-1").lower(), text.decode("latin-1")) for name, text in answer.headers.raw
            )
            if sum(len(name) + len(text) for name, text in headers) > self._bounds.header_bytes:
                raise LimitExceeded(f"the response headers are longer than {self._bounds.header_bytes} bytes")
            inflate = _Inflate(answer.headers.get("content-encoding", ""), self._bounds.body_bytes)
            async for chunk in answer.aiter_raw():
                inflate.feed(chunk)
            return Response(answer.status_code, headers, inflate.whole())
        finally:
            await answer.aclose()


def _target(url: str) -> bytes:
    """Path and query byte for byte: httpx by itself would encode some characters again and resolve dots."""
    path, question, query = url.partition("//")[2].partition("?")
    return f"/{path.partition('/')[2]}{question}{query}".encode("ascii")


class _Inflate:
    """Gather a body, decoding at most one content encoding and never more than `most` bytes."""

    def __init__(self, encoding: str, most: int) -> None:
        name = encoding.strip().lower()
        if name not in {"", "identity", "gzip", "x-gzip", "deflate"}:
            raise PageUnreadable(
                f'the body is encoded as "{name[:40]}"',
                fix="gzip and deflate were offered; a provider that answers otherwise cannot be read",
            )
        self._most = most
        self._size = 0
        self._chunks: list[bytes] = []
        self._is_encoded = name not in {"", "identity"}
        self._decoder = _decoder()

    def feed(self, chunk: bytes) -> None:
        if not self._is_encoded:
            self._keep(chunk)
            return
        while chunk:
            if self._decoder.eof:  # a gzip body may have several members, one after the other
                self._decoder = _decoder()
            try:
                self._keep(self._decoder.decompress(chunk, self._most - self._size + 1))
            except zlib.error:
                raise PageUnreadable("the body is not in the content encoding that its header names") from None
            chunk = self._decoder.unused_data

    def whole(self) -> bytes:
        if self._is_encoded and self._chunks and not self._decoder.eof:
            raise PageUnreadable("the compressed body is cut off")
        return b"".join(self._chunks)

    def _keep(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > self._most:
            raise LimitExceeded(f"the response body is longer than {self._most} bytes", fix="ask for smaller pages")
        self._chunks.append(chunk)


def _decoder() -> zlib._Decompress:
    return zlib.decompressobj(32 + zlib.MAX_WBITS)  # zlib tells gzip and zlib framing apart by itself
