"""Reads that are broken off and resumed: the same records must come of them as of a read in one go."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from connproof.config import parse
from connproof.errors import ProviderBusy
from connproof.model import Connector, Request, Response
from connproof.places import JsonValue
from connproof.run import Call, Record
from scripted import BASE, Provider, read

BUSY = Response(429, (("retry-after", "1"),), b"")
Serve = Callable[[Request], Response]


def resource(pagination: dict[str, Any] | None = None, /, **operations: dict[str, Any]) -> Connector:
    """A connector with one resource, `rows`; what is not said of an operation is as a listing has it."""
    said = {
        name: {"method": "GET", "path": f"/{name}", "response_path": "items", **words}
        for name, words in operations.items()
    }
    document: dict[str, Any] = {"base_url": BASE, "auth": {"type": "none"}, "resources": {"rows": said}}
    if pagination is not None:
        document["pagination"] = pagination
    return parse(json.dumps(document, indent=1).encode(), folder="sample")


def connector_of_rows(pagination: dict[str, Any], **operation: Any) -> Connector:
    """A connector with one listing, `rows`, at /rows."""
    return resource(list={"path": "/rows", "pagination": pagination, **operation})


def asked_for(request: Request) -> dict[str, str]:
    """The query of a request."""
    return dict(parse_qsl(urlsplit(request.url).query))


def path_of(request: Request) -> str:
    """The path of a request, without the base URL's."""
    return urlsplit(request.url).path.removeprefix("/v1")


def numbered(*ids: int, **beside: JsonValue) -> dict[str, JsonValue]:
    """A page's document: records with these ids, and what stands beside them."""
    return {"items": [{"id": number} for number in ids], **beside}


def at(number: int) -> Callable[[int, Request], bool]:
    """Breaks a read at its request of this number, from 1."""
    return lambda sent, _: sent == number


def in_pieces(config: Connector, serve: Serve, broken: Callable[[int, Request], bool], **call: Any) -> list[Record]:
    """The records of a read that is throttled where `broken` says so, and resumed each time until it is done."""
    records: list[Record] = []
    sent = 0

    def respond(request: Request) -> Response:
        nonlocal sent
        sent += 1
        return BUSY if broken(sent, request) else serve(request)

    resume: str | None = None
    for _ in range(300):
        try:
            read(config, Provider(respond), Call(resume=resume, **call), into=records)
        except ProviderBusy as busy:
            resume = busy.resume or pytest.fail("a throttle without a resume token")
        else:
            return records
    pytest.fail("the read never came to its end")


def assert_resumable(config: Connector, serve: Callable[[], Serve], expected: list[Record], **call: Any) -> None:
    """A read gives these records in one go, broken off at any one request, and broken off at every request once.

    `serve` makes a provider anew for each read.
    """
    whole = Provider(serve())
    assert expected == read(config, whole, Call(**call))
    for number in range(1, len(whole.requests) + 1):
        assert expected == in_pieces(config, serve(), at(number), **call), f"broken at {number}"
    seen = set[tuple[str, str, bytes | None]]()

    def first_time(_: int, request: Request) -> bool:
        mark = (request.method, request.url, request.body)
        is_new = mark not in seen
        seen.add(mark)
        return is_new

    assert expected == in_pieces(config, serve(), first_time, **call)
