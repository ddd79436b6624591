"""The engine for scripts that are not async: the same reads, driven by a loop of their own.

for record in sync.read(load(Path("connectors/deals")), "deals", account=account):
    ...
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from connproof.events import Listener, ignore
from connproof.model import Account, Connector, Headers, Query, Response
from connproof.places import ABSENT, Absent, JsonValue
from connproof.run import Call, Engine, MappedPage, Record, Written
from connproof.transport import Transport

__all__ = ["Opening", "one", "raw", "read", "write"]

_T = TypeVar("_T")
Opening = AbstractAsyncContextManager[Transport]


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
) -> Generator[Record, None, None]:
    """As `Engine.read`. The transport is open from the first record asked for to the end, or to `close`."""
    with asyncio.Runner() as runner:
        opened = runner.run(transport.__aenter__())
        try:
            engine = Engine(connector, opened, account=account, models=models, listener=listener)
            pages = engine.pages(target, operation, call)
            while (page := runner.run(_next(pages))) is not None:
                yield from page.records
        finally:
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
) -> Record:
    """As `Engine.one`."""
    return _with_engine(
        transport,
        lambda opened: Engine(connector, opened, account=account, models=models, listener=listener).one(
            target, operation, call
        ),
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
) -> Written:
    """As `Engine.write`; a list of records is a batch, as for `Engine.write_many`."""

    def ask(opened: Transport) -> Coroutine[Any, Any, Written]:
        engine = Engine(connector, opened, account=account, models=models, listener=listener)
        if isinstance(record, list):
            return engine.write_many(target, operation, record, call)
        return engine.write(target, operation, record, call)

    return _with_engine(transport, ask)


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
) -> Response:
    """As `Engine.raw`."""
    return _with_engine(
        transport,
        lambda opened: Engine(connector, opened, account=account).raw(
            method, path, query=query, headers=headers, body=body
        ),
    )


def _with_engine(transport: Opening, ask: Callable[[Transport], Coroutine[Any, Any, _T]]) -> _T:
    async def whole() -> _T:
        async with transport as opened:
            return await ask(opened)

    return asyncio.run(whole())
