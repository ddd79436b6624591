"""A provider in memory and the small connectors that read it: what is answered stands in the test itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from connproof.config import parse
from connproof.events import Event, ReadEnded
from connproof.model import Account, Connector, Request, Response
from connproof.places import JsonValue
from connproof.run import Call, Engine, Record

BASE = "https://api.example/v1"


def rows(first: int, last: int) -> list[JsonValue]:
    """The records with the ids from `first` to `last`, both included."""
    return [{"id": number} for number in range(first, last + 1)]


def answer(document: JsonValue, *headers: tuple[str, str], status: int = 200) -> Response:
    """A JSON response."""
    return Response(status, (("content-type", "application/json"), *headers), json.dumps(document).encode())


def items(*ids: int, **beside: JsonValue) -> Response:
    """A page: these records under `items`, and what else stands beside them."""
    return answer({"items": [{"id": number} for number in ids], **beside})


@dataclass
class Provider:
    """A transport that answers by a function, and keeps every request and event."""

    respond: Callable[[Request], Response]
    requests: list[Request] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    async def send(self, request: Request) -> Response:
        self.requests.append(request)
        await asyncio.sleep(0)  # so that reads beside each other take turns
        return self.respond(request)

    @property
    def asked(self) -> list[str]:
        """The URL of every request, without the base URL."""
        return [request.url.removeprefix(BASE) for request in self.requests]

    @property
    def bodies(self) -> list[JsonValue]:
        """The JSON body of every request."""
        return [json.loads(request.body or b"null") for request in self.requests]

    @property
    def ended(self) -> str:
        """Why the last read ended."""
        return [event.reason for event in self.events if isinstance(event, ReadEnded)][-1]


def scripted(*answers: Response) -> Provider:
    """A provider with one answer for each request, in this order, and none beyond."""
    left = iter(answers)

    def respond(request: Request) -> Response:
        given = next(left, None)
        assert given is not None, f"one request more than the test has answers for: {request.url}"
        return given

    return Provider(respond)


def connector(
    pagination: dict[str, Any] | None = None, operation: dict[str, Any] | None = None, **words: Any
) -> Connector:
    """A connector with one listing, `rows`, at /rows; its records stand under `items`."""
    listing: dict[str, Any] = {"method": "GET", "path": "/rows", "response_path": "items"}
    paging: dict[str, Any] = {} if pagination is None else {"pagination": pagination}
    said: dict[str, Any] = {
        "base_url": BASE,
        "auth": {"type": "none"},
        "resources": {"rows": {"list": {**listing, **paging, **(operation or {})}}},
        **words,
    }
    return parse(json.dumps(said, indent=1).encode(), folder="sample")


def engine(config: Connector, provider: Provider, **options: Any) -> Engine:
    """An engine whose events the provider keeps."""
    return Engine(config, provider, listener=provider.events.append, **options)


def read(
    config: Connector,
    provider: Provider,
    call: Call | None = None,
    *,
    target: str = "rows",
    account: Account | None = None,
    into: list[Record] | None = None,
) -> list[Record]:
    """All records of the listing. Those read before an error stand in `into`."""
    records: list[Record] = [] if into is None else into

    async def whole() -> list[Record]:
        async for record in engine(config, provider, account=account).read(target, call=call):
            records.append(record)  # noqa: PERF401 they must be there when the read fails
        return records

    return asyncio.run(whole())
