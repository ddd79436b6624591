"""Lists inside the records of a simulated listing: the first page stands in the record, the others are served."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

import pytest

from connproof.model import Account, Request, Response
from connproof.places import JsonValue
from connproof.run import Call, Engine
from providers import account, loaded
from pytest_connproof.conversation import Conversation, converse, differences
from pytest_connproof.provider.api import Api
from pytest_connproof.provider.habits import Case
from pytest_connproof.provider.shape import Shape
from scripted import BASE, connector

OWNER = Account("acme")
CURSOR: Final[dict[str, Any]] = {"type": "cursor", "cursor_field": "next", "cursor_param": "after"}
BY_URL: Final[dict[str, Any]] = {"response_path": "rows", "pagination": {"type": "next_url", "next_url_field": "more"}}


def through(paging: dict[str, Any], further: dict[str, Any] | None = None, **words: Any) -> dict[str, Any]:
    """Orders whose lines have further pages, which another operation gives."""
    lines = {"response_path": "data", "pagination": paging, "operation": "lines", "params": {"order": "id"}}
    operation = {"path": "/orders/{order}/lines", "response_path": "lines", "returns": "list", "query": {"e": "1"}}
    return {
        "list": {"path": "/rows", "response_path": "items", "pagination": CURSOR, "nested": {"lines": lines}, **words},
        "lines": {**operation, "pagination": further or paging},
    }


def whole_api(case: str, operations: dict[str, Any], others: dict[str, Any] | None = None, **options: Any) -> Api:
    """A provider of a resource with these operations, of whose `list` the case tells."""
    resources = {"rows": {name: {"method": "GET", **words} for name, words in operations.items()}, **(others or {})}
    config = connector(resources=resources)
    return Api(config, OWNER, config.resources["rows"].operations["list"], Case.parse(case), **options)


def by_url(case: str, **words: Any) -> Api:
    nested = {"lines": BY_URL}
    return whole_api(case, {"list": {"path": "/rows", "response_path": "items", "nested": nested, **words}})


def get(target: str) -> Request:
    return Request("GET", f"{BASE}{target}", ())


def said(response: Response) -> JsonValue:
    assert 200 == response.status, response.body
    found: JsonValue = json.loads(response.body)
    return found


def ids(whose: int, *numbers: int) -> list[JsonValue]:
    """Records of one list: no two lists share a key."""
    return [{"id": f"r{number:04d}-p{whose}"} for number in numbers]


def read(provider: Api, call: Call | None = None) -> Conversation:
    return converse(provider.connector, OWNER, provider.operation, provider, call or Call(raw=True), most=200)


def test_a_first_page_leads_on_by_its_url() -> None:
    """In the record, and then under that URL, as long as there are pages."""
    provider = by_url("records=2 size=5")
    further = f"{BASE}/lists-inside/0/0?after="

    assert {
        "items": [
            {"id": "r0000", "lines": {"more": f"{further}c1", "rows": ids(0, 0, 1)}},
            {"id": "r0001", "lines": {"rows": []}},
        ]
    } == said(provider.answer(get("/rows")))
    assert {"more": f"{further}c2", "rows": ids(0, 2, 3)} == said(provider.answer(get("/lists-inside/0/0?after=c1")))
    assert {"rows": ids(0, 4)} == said(provider.answer(get("/lists-inside/0/0?after=c2")))


def test_a_further_page_belongs_to_its_record() -> None:
    """The place of another record's list is not known, and neither is a record that there is not."""
    provider = by_url("records=5 size=5")
    provider.answer(get("/rows"))

    assert 400 == provider.answer(get("/lists-inside/0/2?after=c1")).status
    assert 404 == provider.answer(get("/lists-inside/0/9?after=c1")).status


def test_a_further_page_is_asked_of_its_operation() -> None:
    """By what stands in the record; that operation has words and a place for its list of its own."""
    provider = whole_api("records=1 size=5", through(CURSOR))

    assert {"items": [{"id": "r0000", "lines": {"next": "c1", "data": ids(0, 0, 1)}}]} == said(
        provider.answer(get("/rows"))
    )
    assert {"next": "c2", "lines": ids(0, 2, 3)} == said(provider.answer(get("/orders/r0000/lines?e=1&after=c1")))
    assert 400 == provider.answer(get("/orders/r0000/lines?after=c2")).status
    assert 404 == provider.answer(get("/orders/r0007/lines?e=1&after=c2")).status


def test_a_list_is_read_from_its_beginning_too() -> None:
    """The operation gives the first page as well as the others."""
    provider = whole_api("records=1 size=5", through({"type": "offset", "offset_param": "skip"}))

    assert {"lines": ids(0, 0, 1)} == said(provider.answer(get("/orders/r0000/lines?e=1&skip=0")))


SIZED: Final[dict[str, Any]] = {"page_size_param": "n", "default_page_size": 4}
PAGINGS: dict[str, tuple[dict[str, Any], dict[str, Any] | None]] = {
    "cursor": (CURSOR, None),
    "cursor from another place": (CURSOR, {**CURSOR, "cursor_field": "meta.after"}),
    "offset": ({"type": "offset", "offset_param": "skip"}, None),
    "offset by the limit": (
        {"type": "offset", "offset_param": "skip", "step": "limit", "short_page": "stop", **SIZED},
        None,
    ),
    "page": ({"type": "page", "page_param": "p", **SIZED}, None),
    "page with a total": ({"type": "page", "page_param": "p", "total_field": "t", "total_counts": "pages"}, None),
    "keyset": ({"type": "keyset", "key_field": "id", "key_param": "last", "stop_field": "m", "stop_when": False}, None),
    "next URL": ({"type": "next_url", "next_url_field": "url"}, None),
}


@pytest.mark.parametrize("records", [0, 1, 2, 6])
@pytest.mark.parametrize("name", PAGINGS)
def test_whole_records_are_what_is_expected(name: str, records: int) -> None:
    """As the engine puts them together, for every strategy and lists of every length."""
    provider = whole_api(f"records={records} size=2", through(*PAGINGS[name]))

    told = read(provider)

    assert (None, []) == (told.error, differences(told.records, provider.expected))
    assert list(provider.expected) == told.records
    lengths = [len(record["lines"]["data"]) for record in provider.expected]  # type: ignore[index,call-overload,arg-type]  # they are objects
    assert lengths == [provider_length(name, number) for number in range(records)]


def provider_length(name: str, number: int) -> int:
    """How long the list of a record is: around the first two multiples of its page size, and nothing."""
    size = {"offset by the limit": 4, "page": 4}.get(name, 2)
    return (2 * size + 1, 0, size, 1, size + 1)[number % 5]


def test_several_lists_and_one_for_each_parent() -> None:
    """Each record of each parent has both, and none has another's."""
    groups = {"groups": {"list": {"method": "GET", "path": "/groups", "response_path": "groups"}}}
    operations = through(CURSOR, path="/groups/{group}/rows")
    operations["list"] |= {
        "nested": {**operations["list"]["nested"], "a.b": BY_URL},
        "for_each": {"operation": "groups.list", "params": {"group": "id"}, "into": "group"},
    }
    provider = whole_api("records=4 size=2", operations, groups)

    told = read(provider)

    assert 12 == len(told.records)
    assert list(provider.expected) == told.records
    assert {"list", "lines"} == {*operations}
    lines = [line["id"] for record in told.records for line in (*record["lines"]["data"], *record["a"]["b"]["rows"])]  # type: ignore[index,call-overload,misc]  # they are objects
    assert len(lines) > 2 * 12


def test_what_is_given_whole_has_its_lists_as_its_own_operation_gives_them() -> None:
    """That takes the place of what was listed, with the list's first page alone."""
    operations = through(CURSOR, hydrate={"operation": "get", "param": "id", "from": "id"})
    provider = whole_api("records=3 size=2", {**operations, "get": {"path": "/rows/{id}"}})

    told = read(provider)

    assert list(provider.expected) == told.records
    assert [True] * 3 == [record["whole"] for record in told.records]  # type: ignore[index,call-overload]  # they are objects


def test_each_record_of_each_parent_is_given_whole() -> None:
    """Whichever parent it belongs to."""
    groups = {"groups": {"list": {"method": "GET", "path": "/groups", "response_path": "groups"}}}
    listing = {
        "path": "/groups/{group}/rows",
        "response_path": "items",
        "for_each": {"operation": "groups.list", "params": {"group": "id"}},
        "hydrate": {"operation": "get", "param": "id", "from": "id"},
    }
    provider = whole_api("records=2 size=2", {"list": listing, "get": {"path": "/rows/{id}"}}, groups)

    told = read(provider)

    assert (None, 6) == (told.error, len(told.records))
    assert list(provider.expected) == told.records


def test_a_list_looks_as_it_was_recorded() -> None:
    """What stands around it, and its records; what led to its further pages is left out."""
    record: JsonValue = {"id": 7, "lines": {"rows": [{"id": 70, "sku": "x"}], "more": "/m/1", "object": "list"}}
    nested = {"path": "/rows", "response_path": "items", "nested": {"lines": BY_URL}}
    shapes = {"rows.list": Shape({"ok": True}, record)}
    provider = whole_api("records=2 size=5", {"list": nested}, shapes=shapes)

    assert {
        "ok": True,
        "items": [
            {
                "id": 1000,
                "lines": {
                    "rows": [{"id": 1000, "sku": "x"}, {"id": 1001, "sku": "x"}],
                    "more": f"{BASE}/lists-inside/0/0?after=c1",
                    "object": "list",
                },
            },
            {"id": 1001, "lines": {"rows": [], "object": "list"}},
        ],
    } == said(provider.answer(get("/rows")))
    assert list(provider.expected) == read(provider).records


XML = {"decode": {"type": "xml", "force_list": ["Row", "Line"]}, "response_path": "Rows.Row"}


def test_in_XML_a_list_stands_in_its_record_whole() -> None:
    """However long it is."""
    line = {"response_path": "Line", "pagination": {"type": "next_url", "next_url_field": "More"}}
    provider = by_url("records=5 size=5", **XML, nested={"Lines": line})

    told = read(provider)

    assert (None, 5) == (told.error, len(told.records))
    assert [5, 0, 2, 1, 3] == [len((record["Lines"] or {}).get("Line", [])) for record in told.records]  # type: ignore[index,call-overload,union-attr,arg-type]  # they are objects
    assert 1 == len(told.exchanges)


@pytest.mark.parametrize(("name", "operation"), [("stripe", "invoices.list"), ("salesforce", "accounts.list")])
@pytest.mark.parametrize("records", [0, 1, 7])
def test_lists_inside_records_of_providers(name: str, operation: str, records: int) -> None:
    """In their own dialects."""
    config, (resource, _, own) = loaded(name), operation.partition(".")
    listing = config.resources[resource].operations[own]
    size = listing.pagination.min_page_size if listing.pagination else 1
    provider = Api(config, account(name), listing, Case(records, max(3, size), {}))

    told = converse(config, account(name), listing, provider, Call(raw=True, page_size=max(3, size)), most=100)

    assert (None, records) == (told.error, len(told.records))
    assert list(provider.expected) == told.records
    assert (len(told.exchanges) > 1) == (records > 0)


# Reads beside each other.


class TurnByTurn:
    """A transport after each request of which whoever else reads has a turn."""

    def __init__(self, provider: Api) -> None:
        self._provider = provider
        self.order: list[str] = []

    async def send(self, request: Request) -> Response:
        self.order.append(request.url)
        await asyncio.sleep(0)
        return self._provider.answer(request)


def test_parents_with_children_that_page_in_parallel() -> None:
    """Two reads of three parents each, a request of one between two of the other: neither loses or repeats a record."""
    groups = {"groups": {"list": {"method": "GET", "path": "/groups", "response_path": "groups"}}}
    each = {"operation": "groups.list", "params": {"group": "id"}}
    provider = whole_api("records=5 size=2", through(CURSOR, path="/groups/{group}/rows", for_each=each), groups)
    wire = TurnByTurn(provider)

    async def reading() -> list[Any]:
        engine = Engine(provider.connector, wire, account=OWNER)
        return [record async for record in engine.read("rows", call=Call(raw=True))]

    async def both() -> tuple[list[Any], list[Any]]:
        return await asyncio.gather(reading(), reading())

    first, second = asyncio.run(both())

    assert list(provider.expected) == first
    assert list(provider.expected) == second
    assert wire.order[::2] == wire.order[1::2]


def test_children_of_several_parents_that_page_in_parallel() -> None:
    """A place that one child named is none of another's, even while both are read."""
    groups = {"groups": {"list": {"method": "GET", "path": "/groups", "response_path": "groups"}}}
    each = {"operation": "groups.list", "params": {"group": "id"}}
    provider = whole_api("records=5 size=2", through(CURSOR, path="/groups/{group}/rows", for_each=each), groups)

    def page(group: int, after: str = "") -> tuple[list[str], str | None]:
        document: Any = said(provider.answer(get(f"/groups/p{group}/rows{after}")))
        return [record["id"] for record in document["items"]], document.get("next")

    walked: dict[int, list[str]] = {0: [], 1: [], 2: []}
    after = dict.fromkeys(walked, "")
    for _ in range(3):
        for group in walked:
            records, following = page(group, after[group])
            walked[group] += records
            after[group] = f"?after={following}"

    assert {group: [f"r{n:04d}-p{group}" for n in range(5)] for group in walked} == walked
