"""The engine for scripts that are not async: the same reads, driven by a loop of their own.

for record in sync.read(load(Path("connectors/deals")), "deals", account=account):
    ...
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from connproof.events import Listener, ignore
from connproof.model import Account, Connector, Headers, Query, Response
from connproof.places import ABSENT, Absent, JsonValue
from connproof.run import Call, Engine, MappedPage, Record, Written
from connproof.transport import Transport

if TYPE_CHECKING:
    from connproof.tokens import Tokens

__all__ = ["Keeping", "Opening", "one", "raw", "read", "write"]

_T = TypeVar("_T")
Opening = AbstractAsyncContextManager[Transport]
Keeping: TypeAlias = "Callable[[Transport], Tokens] | None"
"""Makes what keeps the account's tokens, over the transport that is open; its exchanges end before the call does."""


def read(
    connector: Connector,
    target: str,
    operation: str | None = None,
    call: Call | None = None,
    *,
    transport: Opening,
    account: Account | None = None,
    models: Mapping[str, JsonValue] | None = None,
    listener: Listener = ignore,
    tokens: Keeping = None,
) -> Generator[Record, None, None]:
    """As `Engine.read`. The transport is open from the first record asked for to the end, or to `close`."""
    with asyncio.Runner() as runner:
        opened = runner.run(transport.__aenter__())
        kept: Tokens | None = None
        try:
            kept = tokens(opened) if tokens else None
            engine = Engine(connector, opened, account=account, models=models, listener=listener, tokens=kept)
            pages = engine.pages(target, operation, call)
            while (page := runner.run(_next(pages))) is not None:
                yield from page.records
        finally:
            if kept is not None:
                runner.run(kept.drained())
            runner.run(transport.__aexit__(None, None, None))


async def _next(pages: AsyncIterator[MappedPage]) -> MappedPage | None:
    return await anext(pages, None)


def one(
    connector: Connector,
    target: str,
    operation: str | None = None,
    call: Call | None = None,
    *,
    transport: Opening,
    account: Account | None = None,
    models: Mapping[str, JsonValue] | None = None,
    listener: Listener = ignore,
    tokens: Keeping = None,
) -> Record:
    """As `Engine.one`."""
    return _with_engine(
        transport,
        tokens,
        lambda opened, kept: Engine(
            connector, opened, account=account, models=models, listener=listener, tokens=kept
        ).one(target, operation, call),
    )


def write(
    connector: Connector,
    target: str,
    operation: str,
    record: JsonValue | Absent = ABSENT,
    call: Call | None = None,
    *,
    transport: Opening,
    account: Account | None = None,
    models: Mapping[str, JsonValue] | None = None,
    listener: Listener = ignore,
    tokens: Keeping = None,
) -> Written:
    """As `Engine.write`; a list of records is a batch, as for `Engine.write_many`."""

    def ask(opened: Transport, kept: Tokens | None) -> Coroutine[Any, Any, Written]:
        engine = Engine(connector, opened, account=account, models=models, listener=listener, tokens=kept)
        if isinstance(record, list):
            return engine.write_many(target, operation, record, call)
        return engine.write(target, operation, record, call)

    return _with_engine(transport, tokens, ask)


def raw(
    connector: Connector,
    method: str,
    path: str,
    *,
    transport: Opening,
    account: Account | None = None,
    query: Query = (),
    headers: Headers = (),
    body: bytes | None = None,
    tokens: Keeping = None,
) -> Response:
    """As `Engine.raw`."""
    return _with_engine(
        transport,
        tokens,
        lambda opened, kept: Engine(connector, opened, account=account, tokens=kept).raw(
            method, path, query=query, headers=headers, body=body
        ),
    )


def _with_engine(
    transport: Opening, tokens: Keeping, ask: Callable[[Transport, Tokens | None], Coroutine[Any, Any, _T]]
) -> _T:
    async def whole() -> _T:
        async with transport as opened:
            kept = tokens(opened) if tokens else None
            try:
                return await ask(opened, kept)
            finally:
                if kept is not None:
                    await kept.drained()

    return asyncio.run(whole())
