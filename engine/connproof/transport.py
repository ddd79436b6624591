"""The only door to the network: one method, request in, response out.

Whatever stands behind the door (the network, a replayed recording, a simulated provider), the
engine sees the same method. The network's own door leads to public addresses alone, follows no redirect,
reads no proxy or .netrc from the environment, keeps no cookie, decodes no more than it was told to, and ends in time.
"""

from __future__ import annotations

import zlib
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, Self

from connproof.errors import CallWrong, ConnproofError, LimitExceeded, PageUnreadable, ProviderDown, ProviderSaid
from connproof.model import TRANSPORT_HEADERS, Request, Response

if TYPE_CHECKING:
    import httpx

    from connproof.network import PublicOnly, Resolver

__all__ = ["Bounds", "HttpxTransport", "Transport", "shown_url"]

# Of whoever called us, and of no concern to a provider (W3C Trace Context and Baggage).
_CALLERS_OWN: Final = frozenset({"baggage", "traceparent", "tracestate"})

_ENCODING_BYTES: Final = 65_536  # more than any encoding adds to a body that cannot be compressed


class Transport(Protocol):
    """Answer one request. Raises ProviderSaid, or one of its kinds, where there is no answer."""

    async def send(self, request: Request) -> Response: ...


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one response may cost. Seconds for the whole exchange; the body's bytes on the wire and after decoding."""

    seconds: float = 60.0
    body_bytes: int = 64 * 1024 * 1024
    header_bytes: int = 64 * 1024
    header_lines: int = 1000


def shown_url(url: str) -> str:
    """A URL as messages may show it: without its query, which may hold a credential."""
    path, question, _ = url.partition("?")
    return f"{path}?..." if question else path


class HttpxTransport:
    """The network, through httpx. Use as an async context manager: it owns a connection pool.

    A host is resolved once for each connection, every address is judged, and what is connected to is one of the
    judged addresses. `allow_loopback` lets a URL that names this machine itself reach it, for tests and benchmarks.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        bounds: Bounds | None = None,
        allow_loopback: bool = False,
        resolver: Resolver | None = None,
    ) -> None:
        self._user_agent = user_agent
        self._bounds = bounds or Bounds()
        self._allow_loopback = allow_loopback
        self._resolver = resolver
        self._network: PublicOnly | None = None

    async def __aenter__(self) -> Self:
        from connproof.network import PublicOnly, system_resolver  # half of a command's start-up time

        self._network = PublicOnly(self._resolver or system_resolver, allow_loopback=self._allow_loopback)
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._network is not None:
            await self._network.aclose()
            self._network = None

    def within(self, bounds: Bounds) -> HttpxTransport:
        """The same connections under other bounds, once they are open: a token endpoint is waited for longer."""
        other = copy(self)
        other._bounds = bounds  # noqa: SLF001 it is one of our own
        return other

    async def send(self, request: Request) -> Response:
        import asyncio

        if self._network is None:
            raise RuntimeError("HttpxTransport is not open: use `async with`")
        _refuse(request)
        leaving = _Leaving()
        where = {"request": f"{request.method} {shown_url(request.url)}"}
        try:
            async with asyncio.timeout(self._bounds.seconds):
                return await self._exchange(self._network, request, leaving)
        except TimeoutError:
            failed: ConnproofError = ProviderDown(f"no whole answer within {self._bounds.seconds:g} seconds")
        except _faults() as fault:
            failed = ProviderDown("the exchange broke off", facts={"seen": type(fault).__name__})
        except ConnproofError as said:
            failed = said
        if isinstance(failed, ProviderSaid):
            failed.sent = leaving.sent
        # Nothing hangs on what is raised: other errors have texts and frames with the query in them, or with data.
        failed.facts = {**where, **failed.facts}
        failed.__context__ = None
        raise failed.with_traceback(None)

    async def _exchange(self, network: PublicOnly, request: Request, leaving: _Leaving) -> Response:
        answer = await network.handle_async_request(self._built(request, leaving))
        try:
            headers = tuple(
                (name.decode("latin-1").lower(), text.decode("latin-1")) for name, text in answer.headers.raw
            )
            if len(headers) > self._bounds.header_lines:
                raise LimitExceeded(f"the response has more than {self._bounds.header_lines} header lines")
            if sum(len(name) + len(text) for name, text in headers) > self._bounds.header_bytes:
                raise LimitExceeded(f"the response headers are longer than {self._bounds.header_bytes} bytes")
            inflate = _Inflate(answer.headers.get("content-encoding", ""), self._bounds.body_bytes)
            async for chunk in answer.aiter_raw():
                inflate.feed(chunk)
            return Response(answer.status_code, headers, inflate.whole())
        finally:
            await answer.aclose()

    def _built(self, request: Request, leaving: _Leaving) -> httpx.Request:
        """The request with what HTTP needs besides: the transport's own headers, where the request has none such."""
        import httpx

        own = {"user-agent": self._user_agent, "accept": "application/json", "accept-encoding": "gzip, deflate"}
        given = {name.lower() for name, _ in request.headers}
        headers = (*((name, text) for name, text in own.items() if name not in given), *request.headers)
        try:
            return httpx.Request(
                request.method,
                request.url,
                headers=[(name.encode("ascii"), text.encode("latin-1")) for name, text in headers],
                content=request.body,
                extensions={
                    "target": _target(request.url),
                    "trace": leaving,
                    # A handshake that ends by its own timeout closes its socket; a cancelled one would leave it open.
                    "timeout": {"connect": self._bounds.seconds / 3},
                },
            )
        except (httpx.InvalidURL, UnicodeError):  # UnicodeError: a host that looks encoded and is not
            seen = f"{len(request.url):,} characters"
            raise CallWrong(
                "the URL cannot be sent: it is too long, or its host is none", facts={"seen": seen}
            ) from None


class _Leaving:
    """Watches a request leave: `sent` is False while there is no more than a connection, and none of it on the wire.

    None where the network told of nothing.
    """

    def __init__(self) -> None:
        self.sent: bool | None = None

    async def __call__(self, event: str, details: object) -> None:  # noqa: ARG002 the signature is the library's
        """Called by httpcore, as the extension "trace"."""
        if event.endswith("send_request_headers.started"):
            self.sent = True
        elif self.sent is None and event.startswith("connection."):
            self.sent = False


def _faults() -> tuple[type[Exception], ...]:
    """What an exchange that breaks off raises; whoever stands in for the network raises the errors of httpx."""
    import httpcore
    import httpx

    return httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, httpx.HTTPError


def _refuse(request: Request) -> None:
    """Raise CallWrong for what HTTP could not carry, or what is not the config's to say."""
    if not request.url.isascii():
        raise CallWrong("the URL has a character that cannot be sent", fix="percent-encode it as UTF-8")
    for name, text in request.headers:
        lower = name.lower()
        if lower in TRANSPORT_HEADERS or lower.startswith("proxy-"):
            raise CallWrong(f'the header "{lower}" is set by the transport alone', fix="leave it out")
        if lower in _CALLERS_OWN:
            raise CallWrong(f'the header "{lower}" is the caller\'s own and is not passed on', fix="leave it out")
        if not name.isascii() or any(character > "\xff" for character in text):
            raise CallWrong(
                f'the header "{lower}" has a character that cannot be sent', fix="Latin-1 is all it can hold"
            )


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
        self._taken = 0
        self._chunks: list[bytes] = []
        self._is_encoded = name not in {"", "identity"}
        self._decoder = _decoder()

    def feed(self, chunk: bytes) -> None:
        if not self._is_encoded:
            self._keep(chunk)
            return
        self._taken += len(chunk)
        if self._taken > self._most + _ENCODING_BYTES:  # members that hold nothing could go on for ever
            raise self._too_long()
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
            raise self._too_long()
        self._chunks.append(chunk)

    def _too_long(self) -> LimitExceeded:
        return LimitExceeded(f"the response body is longer than {self._most} bytes", fix="ask for smaller pages")


def _decoder() -> zlib._Decompress:
    return zlib.decompressobj(32 + zlib.MAX_WBITS)  # zlib tells gzip and zlib framing apart by itself
