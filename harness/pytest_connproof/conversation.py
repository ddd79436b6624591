"""Play a read against a simulated API, and tell it as a short conversation: what was held, asked, answered, and got.

The read is driven by hand: nothing waits, and the same case gives the same conversation each time. A read that asks
far more often than there are pages is cut short, and counts as one that does not end.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol
from urllib.parse import unquote

from connproof.clock import Clock, FixedClock
from connproof.decode import decode_as_sent
from connproof.errors import ConnproofError, ProviderDown, ProviderSaid
from connproof.events import Event, LimitsSeen, Listener, ReadEnded, ignore
from connproof.model import Account, Connector, Headers, Operation, Request, Response
from connproof.places import ABSENT, Absent, JsonValue, Place
from connproof.run import Call, Engine, MappedPage
from pytest_connproof.lane_run import driven, shown_request
from pytest_connproof.provider.faces import Arrival

__all__ = [
    "Answering",
    "Conversation",
    "Exchanged",
    "Open",
    "alternately",
    "converse",
    "differences",
    "opened",
    "table",
]

_EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)
_MOST_SHOWN: Final = 14
_WIDEST: Final = 96


class Answering(Protocol):
    """What stands in for the provider."""

    def arrive(self, request: Request, now: float, *, who: str = "") -> Arrival: ...


class Endless(Exception):
    """The read was cut short: it asked far more often than there are pages."""


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A request and what came back; None where the connection broke off."""

    request: Request
    response: Response | None


@dataclass
class Conversation:
    """A read as it went. `ended` says why it ended well; `error` what it ended in else; `is_endless`, neither."""

    exchanges: list[Exchanged] = field(default_factory=list)
    records: list[JsonValue] = field(default_factory=list)
    error: ConnproofError | None = None
    ended: str | None = None
    is_endless: bool = False
    limits: dict[int, Headers] = field(default_factory=dict)  # what was told of quotas, by the request's number

    @property
    def resume(self) -> str | None:
        """The token with which the read goes on, where it ended in an error that has one."""
        return self.error.resume if isinstance(self.error, ProviderSaid) else None


class _Wire:
    """A transport over whoever answers, which keeps what was said."""

    def __init__(self, provider: Answering, told: Conversation, most: int, clock: Clock | None) -> None:
        self._provider = provider
        self._told = told
        self._most = most
        self.clock = clock or FixedClock(_EPOCH)

    async def send(self, request: Request) -> Response:
        if len(self._told.exchanges) >= self._most:
            raise Endless
        arrival = self._provider.arrive(request, self.clock.now().timestamp())
        self._told.exchanges.append(Exchanged(request, arrival.response))
        if arrival.response is None:
            late = arrival.delivery == "late"
            broken = ProviderDown("no whole answer within 60 seconds" if late else "the exchange broke off")
            broken.sent = arrival.delivery != "no act, no answer"
            raise broken
        return arrival.response


@dataclass
class Open:
    """A read that is under way: `turn` reads one more page."""

    pages: AsyncIterator[MappedPage]
    told: Conversation

    def turn(self) -> bool:
        """Read one more page; False where the read has ended."""
        told = self.told
        try:
            page = driven(_next(self.pages))
        except Endless:
            told.is_endless = True
            return False
        except ConnproofError as error:
            told.error = error
            return False
        if page is None:
            told.ended = told.ended or "complete"
            return False
        told.records.extend(page.records)
        return True


def opened(
    connector: Connector,
    account: Account,
    operation: Operation,
    provider: Answering,
    call: Call,
    *,
    most: int,
    clock: Clock | None = None,
) -> Open:
    """Begin to read a listing. `most` is how many requests it may send."""
    told = Conversation()

    def heard(event: Event) -> None:
        if isinstance(event, ReadEnded):
            told.ended = event.reason
        elif isinstance(event, LimitsSeen):
            told.limits[len(told.exchanges)] = event.headers

    engine = _engine(connector, account, _Wire(provider, told, most, clock), heard)
    return Open(engine.pages(operation.resource, operation.name, call), told)


def converse(
    connector: Connector,
    account: Account,
    operation: Operation,
    provider: Answering,
    call: Call,
    *,
    most: int,
    clock: Clock | None = None,
) -> Conversation:
    """Read a listing to its end. `most` is how many requests it may send."""
    read = opened(connector, account, operation, provider, call, most=most, clock=clock)
    while read.turn():
        continue
    return read.told


def alternately(
    connector: Connector,
    account: Account,
    operation: Operation,
    provider: Answering,
    calls: Sequence[Call],
    *,
    most: int,
) -> list[Conversation]:
    """Read a listing several times at once through one engine: each read a page, then the next read, and round."""
    shared = Conversation()
    engine = _engine(connector, account, _Wire(provider, shared, most, None), ignore)
    reads = [
        Open(engine.pages(operation.resource, operation.name, call), Conversation(shared.exchanges)) for call in calls
    ]
    left = reads
    while left:
        left = [read for read in left if read.turn()]
    return [read.told for read in reads]


def _engine(connector: Connector, account: Account, wire: _Wire, listener: Listener) -> Engine:
    return Engine(connector, wire, account=account, clock=wire.clock, listener=listener, nonce=lambda: "nonce")


async def _next(pages: AsyncIterator[MappedPage]) -> MappedPage | None:
    return await anext(pages, None)


def table(
    told: Conversation, operation: Operation, expected: Sequence[JsonValue], credentials: Iterable[str] = ()
) -> list[str]:
    """The conversation, an exchange a line, and below what was lost or repeated."""
    hidden = tuple(credentials)
    lines = []
    for number, one in enumerate(told.exchanges[:_MOST_SHOWN], 1):
        lines.append(f"{number:>3}  -> {_cut(shown_request(one.request, hidden))}")
        lines.append(f"     <- {_cut(_answer(one.response, operation))}")
    if len(told.exchanges) > _MOST_SHOWN:
        lines.append(f"     ... {len(told.exchanges) - _MOST_SHOWN} more exchanges")
    lines.append(f"     ended   {_end(told)}")
    lines += differences(told.records, expected)
    return lines


def differences(got: Sequence[JsonValue], expected: Sequence[JsonValue]) -> list[str]:
    """What was lost, repeated, added or out of order, a line each; [] where nothing was."""
    marks = {_whole(record): _mark(record) for record in (*expected, *got)}
    order, came = [_whole(record) for record in expected], [_whole(record) for record in got]
    wanted, given = Counter(order), Counter(came)
    lost, extra = wanted - given, given - wanted
    repeated = Counter({one: count for one, count in extra.items() if one in wanted})
    told = [("lost", lost), ("twice", repeated), ("strange", extra - repeated)]
    lines = [
        f"     {word:<8}{_named(Counter({marks[one]: n for one, n in some.items()}))}" for word, some in told if some
    ]
    if not lines and order != came:
        lines.append("     order   the records came in another order")
    return lines


def _whole(record: JsonValue) -> str:
    return json.dumps(record, sort_keys=True)


def _end(told: Conversation) -> str:
    if told.is_endless:
        return f"not at all: cut short after {len(told.exchanges)} requests"
    if told.error is not None:
        return f"in {type(told.error).__name__}: {told.error.what}"
    return f"as if all was well: {told.ended}" if told.ended else "broken off on purpose"


def _answer(response: Response | None, operation: Operation) -> str:
    if response is None:
        return "(the connection breaks off)"
    document = decode_as_sent(response, declared=operation.decode).value
    words = [str(response.status)]
    if not isinstance(document, Absent):
        found = operation.response_path.find(document) if operation.response_path else document
        words.append(_listed(found))
        words += [
            f"{place}={_short(seen)}" for place in _telling(operation) if (seen := place.find(document)) is not ABSENT
        ]
    for name in _headers(operation):
        if (value := response.header(name)) is not None:
            words.append(f"{name}: {_short(unquote(value))}")
    return "  ".join(word for word in words if word)


def _listed(found: JsonValue | Absent) -> str:
    if isinstance(found, list):
        return f"[{', '.join(_mark(record) for record in found[:6])}{', ...' if len(found) > 6 else ''}]"
    return "no list" if isinstance(found, Absent) else _short(found)


def _telling(operation: Operation) -> list[Place]:
    paging = operation.pagination
    if paging is None:
        return []
    places = [paging.cursor_field, paging.next_url_field, paging.stop_field, paging.total_field, paging.page_field]
    return [place for place in places if isinstance(place, Place)]


def _headers(operation: Operation) -> list[str]:
    paging = operation.pagination
    if paging is None:
        return []
    named = [paging.cursor_header, paging.stop_header, paging.total_header]
    named += [paging.header] if paging.type == "link_header" else []
    return [name for name in named if name]


def _mark(record: JsonValue) -> str:
    """What tells a record from others in print: its first short value."""
    if isinstance(record, dict):
        for name in ("id", "Id", "key"):
            if name in record:
                return str(record[name])
        return next((str(v) for v in record.values() if isinstance(v, str | int)), json.dumps(record)[:24])
    return json.dumps(record)[:24]


def _named(marks: Counter[str]) -> str:
    names = [name if count == 1 else f"{name} ({count})" for name, count in sorted(marks.items())]
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _short(value: JsonValue) -> str:
    return _cut(json.dumps(value, ensure_ascii=False), 40)


def _cut(text: str, most: int = _WIDEST) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."
