"""Connect to public addresses alone: a host is resolved, every address is judged, a judged one is connected to.

Nothing is resolved a second time between judging and connecting, so that a name cannot mean something else by then.
TLS and the Host header keep the name; the pool, too, tells connections apart by it and knows of no address.
Imported when a transport is opened and not before: loading the HTTP libraries takes long.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Final, TypeAlias

import httpcore
import httpx

from connproof.addresses import is_local_name, is_loopback, special_block
from connproof.errors import ProviderBroke

__all__ = ["PublicOnly", "Resolver", "system_resolver"]

Resolver: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host and port, in the order to try them. Raises OSError where there are none."""

_SECONDS_TO_CONNECT: Final = 5.0  # for an address that has another behind it


async def system_resolver(host: str, port: int) -> Sequence[str]:
    """What the system's own resolver gives, in its order."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class PublicOnly(httpx.AsyncBaseTransport):
    """One request to one response, over a pool of such connections (HTTP/1.1). Its errors are those of httpcore.

    To be used without httpx's client, which would log every URL with its query, and keep cookies.

    `allow_loopback` lets a host that names this machine reach it; any other host stays held to public addresses.
    """

    def __init__(self, resolver: Resolver, *, allow_loopback: bool) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            network_backend=_Judged(resolver, allow_loopback=allow_loopback),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        target = request.extensions.get("target", url.raw_path)  # an old httpcore does not know the extension
        assert isinstance(request.stream, httpx.AsyncByteStream)
        answer = await self._pool.handle_async_request(
            httpcore.Request(
                request.method,
                httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=target),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Body(httpx.AsyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._answer.aiter_stream():
            yield part

    async def aclose(self) -> None:
        await self._answer.aclose()


class _Judged(httpcore.AsyncNetworkBackend):
    """Connects to an address that was judged, never to a name."""

    def __init__(self, resolver: Resolver, *, allow_loopback: bool) -> None:
        self._resolver = resolver
        self._allow_loopback = allow_loopback
        self._sockets = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 the signature is the library's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            found = await self._resolver(host, port)
        except OSError as fault:
            raise httpcore.ConnectError("the host has no address") from fault
        addresses = self._judged(host, found)
        for address in addresses[:-1]:
            try:
                return await self._sockets.connect_tcp(
                    address, port, _SECONDS_TO_CONNECT, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue  # the next may answer
        if not addresses:
            raise httpcore.ConnectError("the host has no address")
        return await self._sockets.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)

    def _judged(self, host: str, found: Sequence[str]) -> list[str]:
        """The addresses, each in its one plain notation. Raises ProviderBroke where any of them is not public."""
        may_be_own = self._allow_loopback and (is_local_name(host) or host in {"127.0.0.1", "::1"})
        addresses = [ipaddress.ip_address(text) for text in found]
        for address in addresses:
            block = special_block(address)
            if block is not None and not (may_be_own and is_loopback(address)):
                raise ProviderBroke(
                    "the host is not on the public internet; nothing was sent",
                    facts={"host": host, "seen": f"one of its {len(found)} addresses is in {block}"},
                    fix="a provider has public addresses alone: correct the URL, or ask who runs that name",
                )
        return [str(address) for address in addresses]
