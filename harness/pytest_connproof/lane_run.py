"""Run one lane of a recording through the engine, and keep all that checks ask about.

The replay never waits for anything, so no event loop is needed: the read is driven by hand, which makes it
fast and the same each time. A lane in which a token is asked for has a loop of its own, whose time is not the
machine's. No httpx call of this process escapes while it runs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, unquote

from connproof.auth import Signing, sign
from connproof.auth.token_request import token_draft
from connproof.clock import Clock, FixedClock
from connproof.draft import Draft
from connproof.errors import CallWrong, ConnproofError, ProviderSaid
from connproof.events import AsideRead, Event, LimitsSeen, Listener, PageRead, ReadEnded, RequestSent, ignore
from connproof.mapping import CompiledMapping
from connproof.model import Account, Auth, Connector, Operation, Request
from connproof.places import ABSENT, JsonValue
from connproof.run import Call, Engine
from connproof.transport import Transport
from pytest_connproof.grants import grants_in
from pytest_connproof.net import HttpxNet
from pytest_connproof.recording import Lane
from pytest_connproof.replay import Ledger, ReplayTransport, Tally, UnmatchedRequest, Use
from pytest_connproof.spelling import hidden
from pytest_connproof.xml_bodies import on_one_line, parts_of

__all__ = [
    "LaneRun",
    "asks_for",
    "call_of",
    "credentials_of",
    "driven",
    "forms_of",
    "is_write",
    "play",
    "shown_request",
]

_T = TypeVar("_T")

COMPLETE = "complete"
_FORM: Final = re.compile(r"[^\s=&<{\[\"][^\s=&]*=[^\s&]*(?:&[^\s=&]+=[^\s&]*)*")
_WHENEVER: Final = FixedClock(datetime(2000, 1, 1, tzinfo=UTC))  # a pair is the same at any time


@dataclass(frozen=True, slots=True)
class LaneRun:
    """What came of a lane: the records the caller got, how the read ended, and the ledger's account.

    `outcome` is "complete", or the error's name with the HTTP status. `unmatched` is the request that the
    recording does not hold, where one ended the run. `pages` has one entry a page, in order; `asked` says how many
    requests had been sent when that page was whole. `limits` is what was told of rate limits, by the request's number.
    """

    lane: Lane
    operation: Operation
    records: tuple[JsonValue, ...]
    outcome: str
    error: ConnproofError | None
    unmatched: UnmatchedRequest | None
    requests: tuple[Request, ...]
    pages: tuple[PageRead, ...]
    ended: ReadEnded | None
    tally: Tally
    asked: tuple[int, ...] = ()
    limits: Mapping[int, LimitsSeen] = field(default_factory=dict)
    asides: Mapping[int, AsideRead] = field(default_factory=dict)  # by the request's number: no page of the listing

    def origin_of(self, index: int) -> str | None:
        """Where the record of this index stands: the exchange, and the place in its body."""
        before = 0
        for whole_at, page in zip(self.asked, self.pages, strict=True):
            # The page's own answer is the last of its requests that was not made for one of its records.
            uses = [use for use in self.tally.used if use.order <= whole_at and self.is_of_a_page(use)]
            if uses and index < before + page.records:
                path = self.operation.response_path
                inside = f"{path}[{index - before}]" if path else f"[{index - before}]"
                return f"exchange {uses[-1].exchange.id}  {inside}"
            before += page.records
        return None

    def is_of_a_page(self, use: Use) -> bool:
        """Whether an answer is the lane's operation's own: neither a record asked for by itself, nor a token."""
        return use.order not in self.asides and not use.grants


@dataclass(slots=True)
class _Listening:
    also: Listener
    requests: list[Request] = field(default_factory=list)
    pages: list[PageRead] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    limits: dict[int, LimitsSeen] = field(default_factory=dict)
    asides: dict[int, AsideRead] = field(default_factory=dict)
    ended: ReadEnded | None = None

    def __call__(self, event: Event) -> None:
        self.also(event)
        if isinstance(event, RequestSent):
            self.requests.append(event.request)
        elif isinstance(event, PageRead):
            self.pages.append(event)
            self.asked.append(len(self.requests))
        elif isinstance(event, LimitsSeen):
            self.limits[len(self.requests)] = event
        elif isinstance(event, AsideRead):
            self.asides[len(self.requests)] = event
        elif isinstance(event, ReadEnded):
            self.ended = event


class _Counted:
    """Nonces of a replay: the same in each."""

    def __init__(self) -> None:
        self._given = 0

    def __call__(self) -> str:
        self._given += 1
        return f"nonce-{self._given}"


def play(
    connector: Connector,
    operation: Operation,
    lane: Lane,
    *,
    account: Account,
    models: Mapping[str, JsonValue],
    clock: Clock,
    mappings: dict[str, CompiledMapping] | None = None,
    net: HttpxNet | None = None,
    resume: str | None = None,
    listener: Listener = ignore,
    lost: Collection[str] = (),
) -> LaneRun:
    """Replay a lane, from a resume token where one is given.

    Errors that the engine may report are part of the result; any other is raised. `listener` hears every event first.
    The answers to the exchanges that `lost` names, by id, never arrive.

    `mappings` are those that were compiled for this connector, account and clock, as Engine takes them. `net` is the
    net that no httpx call escapes; without one, a net is opened for this run.
    """
    grants = [exchange.id for exchange in grants_in(connector, lane)]
    ledger = Ledger(lane, credentials=forms_of(connector.auth, account), grants=grants)
    listening = _Listening(listener)
    records: list[JsonValue] = []
    error: ConnproofError | None = None
    unmatched: UnmatchedRequest | None = None
    with (net or HttpxNet()).answering(ledger):
        try:
            transport: Transport = ReplayTransport(ledger, lost=lost)
            kept = None
            if grants:
                from pytest_connproof.lane_tokens import LaneTokens  # most lanes need no loop

                kept = LaneTokens(
                    connector, operation, account, ledger, transport, began=clock.now(), listener=listening
                )
            engine = Engine(
                connector,
                kept or transport,
                account=account,
                models=models,
                clock=clock,
                listener=listening,
                mappings=mappings,
                nonce=_Counted(),
                tokens=kept.tokens if kept else None,
            )
            (kept.run if kept else driven)(_read(engine, operation, lane, records, resume))
        except UnmatchedRequest as miss:
            unmatched = miss
        except ConnproofError as ended:
            error = ended
    return LaneRun(
        lane=lane,
        operation=operation,
        records=tuple(records),
        outcome=_outcome(error, unmatched),
        error=error,
        unmatched=unmatched,
        requests=tuple(listening.requests),
        pages=tuple(listening.pages),
        ended=listening.ended,
        tally=ledger.tally(),
        asked=tuple(listening.asked),
        limits=listening.limits,
        asides=listening.asides,
    )


async def _read(engine: Engine, operation: Operation, lane: Lane, records: list[JsonValue], resume: str | None) -> None:
    """Call the operation as the lane says; what the caller gets goes into `records`, before an error too."""
    call, record = replace(call_of(lane), resume=resume), lane.call.record if lane.call else ABSENT
    if isinstance(record, list) and operation.batch is not None:
        written = await engine.write_many(operation.resource, operation.name, record, call)
        records.extend(element.document() for element in written.elements)
    elif is_write(operation, lane):
        written = await engine.write(operation.resource, operation.name, record, call)
        fates = [element.document() for element in written.elements]
        records.extend(fates if operation.elements else [written.record])
    elif operation.is_list:
        async for page in engine.pages(operation.resource, operation.name, call):
            records.extend(page.records)
    else:
        records.append(await engine.one(operation.resource, operation.name, call))


def is_write(operation: Operation, lane: Lane) -> bool:
    """Whether a lane writes: what its caller gets is then the provider's own answer, which nothing maps."""
    says_what = lane.call is not None and lane.call.record is not ABSENT
    return says_what or operation.method in {"PUT", "PATCH", "DELETE"}


def call_of(lane: Lane) -> Call:
    """How a lane's operation was called when it was recorded."""
    said = lane.call
    if said is None:
        return Call()
    return Call(
        params=said.params,
        query=said.query,
        page_size=said.page_size,
        limit=said.limit,
        body=said.body,
        filters=said.filters,
    )


def driven(coroutine: Coroutine[Any, Any, _T]) -> _T:
    try:
        coroutine.send(None)
    except StopIteration as done:
        value: _T = done.value
        return value
    coroutine.close()
    raise RuntimeError("the replayed read waited for something, though a replay answers at once")


def _outcome(error: ConnproofError | None, unmatched: UnmatchedRequest | None) -> str:
    if unmatched is not None:
        return "UnmatchedRequest"
    if error is None:
        return COMPLETE
    status = error.status if isinstance(error, ProviderSaid) else None
    return type(error).__name__ + (f" {status}" if status is not None else "")


def credentials_of(account: Account) -> tuple[str, ...]:
    """Every text in an account's credentials, however deep."""
    found: list[str] = []

    def gather(value: JsonValue) -> None:
        if isinstance(value, str) and value:
            found.append(value)
        elif isinstance(value, dict | list):
            for inner in value.values() if isinstance(value, dict) else value:
                gather(inner)

    gather(dict(account.credentials))
    return tuple(found)


def forms_of(auth: Auth, account: Account) -> tuple[str, ...]:
    """An account's credentials, and the form in which they are sent encoded: pairs of HTTP Basic, the client's too."""
    texts = credentials_of(account)
    try:
        if auth.type == "basic":
            return (*texts, sign(Draft("GET", ""), auth, account).headers[0][1].removeprefix("Basic "))
        if auth.token is not None and auth.token.client_auth == "basic":
            asked = token_draft(auth, account, Signing.at(_WHENEVER)).request()
            return (*texts, (asked.header("authorization") or "").removeprefix(auth.token.client_auth_prefix))
    except CallWrong:  # one is missing: the read will say which
        return texts
    return texts


def shown_request(request: Request, credentials: Sequence[str]) -> str:
    """A request on one line, for snapshots and messages: no header, no credential."""
    _, slash, rest = request.url.partition("://")[2].partition("/")
    text = f"{request.method} {slash}{rest}"
    if request.body:
        text += f" {_compact(request.body)}"
    return hidden(text, credentials)


def asks_for(shown: str) -> tuple[JsonValue, ...]:
    """What a request that was shown on one line asks for, however it is spelt: query, form and JSON have no order."""
    method, _, rest = shown.partition(" ")
    url, _, body = rest.partition(" ")
    path, _, query = url.partition("?")
    segments: list[JsonValue] = [unquote(segment) for segment in path.split("/")]
    pairs: list[JsonValue] = [f"{name}={value}" for name, value in _pairs(query)]
    return method, segments, pairs, _said(body)


def _pairs(encoded: str) -> list[tuple[str, str]]:
    return sorted(parse_qsl(encoded, keep_blank_values=True, errors="surrogateescape"))


def _said(body: str) -> str:
    """What a body says, the same for each spelling."""
    if _looks_like_xml(body):
        return json.dumps(dict(parts_of(body.encode("utf-8", "backslashreplace"))), sort_keys=True)
    if _FORM.fullmatch(body):
        return json.dumps(_pairs(body))
    try:
        return json.dumps(json.loads(body), sort_keys=True)
    except ValueError:
        return body


def _compact(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, separators=(",", ":"))
    except ValueError:
        text = body.decode("utf-8", "backslashreplace")
    return on_one_line(text) if _looks_like_xml(text) else text


def _looks_like_xml(body: str) -> bool:
    return body.lstrip().startswith("<")
