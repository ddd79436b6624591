"""The synchronous face: the same records and errors as the asynchronous one, a transport that is always closed."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from collections.abc import Generator
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from connproof import sync
from connproof.errors import AccessRefused, CallWrong, ProviderBusy
from connproof.events import Event, ReadEnded
from connproof.model import Account, Connector, Request, Response
from connproof.run import Call, Record
from connproof.transport import Transport
from scripted import BASE, Provider, answer, connector, engine, items, rows, scripted

CURSOR: dict[str, Any] = {"type": "cursor", "cursor_field": "next"}
BUSY = Response(429, (("retry-after", "7"),))


@dataclass
class Opening:
    """A provider that has to be opened and closed, and counts both."""

    provider: Provider
    opened: int = 0
    closed: int = 0

    async def __aenter__(self) -> Transport:
        self.opened += 1
        return self.provider

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closed += 1


def three_pages() -> Provider:
    return scripted(items(1, 2, next="a"), items(3, next="b"), items(4, 5))


def unsynced(config: Connector, provider: Provider, call: Call | None = None) -> list[Record]:
    async def whole() -> list[Record]:
        return [record async for record in engine(config, provider).read("rows", call=call)]

    return asyncio.run(whole())


@pytest.mark.parametrize("call", [None, Call(limit=3), Call(limit=0), Call(raw=True)], ids=["all", "3", "0", "raw"])
def test_sync_read_equals_the_async_one(call: Call | None) -> None:
    """Records, requests and events are those of Engine.read."""
    config = connector(CURSOR, unified={"crm.contact": {"resource": "rows", "fields": {"key": "$string(id)"}}})
    other = three_pages()
    opening = Opening(three_pages())
    events: list[Event] = []

    records = list(sync.read(config, "rows", call=call, transport=opening, listener=events.append))

    assert unsynced(config, other, call) == records
    assert other.events == events
    assert (other.asked, 1, 1) == (opening.provider.asked, opening.opened, opening.closed)


def test_nothing_is_asked_before_the_first_record_is() -> None:
    """Making the iterator opens nothing; each page is asked for when its first record is wanted."""
    opening = Opening(three_pages())

    records = sync.read(connector(CURSOR), "rows", transport=opening)
    before = (opening.opened, len(opening.provider.requests))
    first = [next(records) for _ in range(2)]
    after_page = len(opening.provider.requests)
    third = next(records)

    assert ((0, 0), rows(1, 2), 1) == (before, first, after_page)
    assert ({"id": 3}, 2) == (third, len(opening.provider.requests))
    records.close()


def test_closing_early_closes_the_transport() -> None:
    """A read that nobody wants to the end asks no more and leaves nothing open."""
    opening = Opening(three_pages())
    records = sync.read(connector(CURSOR), "rows", transport=opening)
    next(records)

    records.close()

    assert (1, 1, 1) == (opening.opened, opening.closed, len(opening.provider.requests))
    assert [] == list(records)


def test_error_in_the_middle_closes_the_transport() -> None:
    """The records before the error have been given, the error has its token, and nothing stays open."""
    config, opening, given = connector(CURSOR), Opening(scripted(items(1, next="a"), BUSY)), list[Record]()

    with pytest.raises(ProviderBusy) as said:
        given.extend(_each(sync.read(config, "rows", transport=opening), given))

    assert (rows(1, 1), 1) == (given, opening.closed)
    rest = sync.read(config, "rows", call=Call(resume=said.value.resume), transport=Opening(scripted(items(2))))
    assert rows(2, 2) == list(rest)


def _each(records: Generator[Record, None, None], given: list[Record]) -> list[Record]:
    for record in records:
        given.append(record)  # noqa: PERF402 they must be there when the read fails
    return []


def test_wrong_call_closes_the_transport() -> None:
    """An error before the first request leaves nothing open either."""
    opening = Opening(scripted())

    with pytest.raises(CallWrong):
        next(sync.read(connector(CURSOR), "nothing", transport=opening))

    assert (1, 1) == (opening.opened, opening.closed)


def test_sync_one_equals_the_async_one() -> None:
    """`one` gives the record, tells the listener, and closes the transport."""
    config = connector(None, {"returns": "one", "response_path": "$"})
    opening = Opening(scripted(answer({"id": 5})))
    events: list[Event] = []

    record = sync.one(config, "rows", "list", transport=opening, listener=events.append)

    assert ({"id": 5}, 1) == (record, opening.closed)
    assert ReadEnded("one record", 1, 1) == events[-1]


def test_error_of_one_closes_the_transport() -> None:
    """An error of `one` comes through, and nothing stays open."""
    opening = Opening(scripted(Response(401)))

    with pytest.raises(AccessRefused):
        sync.one(connector(None, {"returns": "one"}), "rows", "list", transport=opening)

    assert 1 == opening.closed


def test_sync_raw_equals_the_async_one() -> None:
    """`raw` sends the signed request and gives the answer as it came."""
    opening = Opening(scripted(Response(404, (), b"\x00")))
    account = Account("a", {"access_token": "t"})

    given = sync.raw(
        connector(auth={"type": "bearer"}),
        "POST",
        "/x",
        transport=opening,
        account=account,
        query=(("q", "1"),),
        body=b"b",
    )

    assert (Response(404, (), b"\x00"), 1) == (given, opening.closed)
    assert [Request("POST", f"{BASE}/x?q=1", (("authorization", "Bearer t"),), b"b")] == opening.provider.requests


# Memory.


def _peak(pages: int) -> int:
    """Bytes at the highest point of a read of so many pages, each of 2 records of some 2,000 bytes."""

    class Endless:
        async def send(self, request: Request) -> Response:
            number = int(dict(parse_qsl(urlsplit(request.url).query)).get("next", 1))
            records = [{"id": number * 100 + i, "text": "x" * 2_000} for i in range(2)]
            body = {"items": records, "next": number + 1 if number < pages else None}
            return Response(200, (("content-type", "application/json"),), json.dumps(body).encode())

        async def __aenter__(self) -> Transport:
            return self

        async def __aexit__(self, *exc: object) -> None: ...

    tracemalloc.start()
    try:
        read = sum(1 for _ in sync.read(connector(CURSOR, {"key": "id"}), "rows", transport=Endless()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert pages * 2 == read
    return peak


def test_memory_stays_flat_over_pages() -> None:
    """Ten times the pages, but no page is kept: the guard against loops remembers two short marks of each."""
    _peak(5)  # what is loaded once
    few, many = _peak(200), _peak(2_000)

    assert many - few < 1_800 * 500  # bytes; the 1,800 pages themselves hold some 7 MB
