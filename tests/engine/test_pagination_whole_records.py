"""Records that a listing gives in part, as lists with pages of their own or as ids: the caller gets them whole."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from connproof.config import parse
from connproof.errors import (
    CallWrong,
    ConfigWrong,
    ForeignNextLink,
    NotFound,
    PageUnreadable,
    PaginationLoop,
    ProviderBroke,
)
from connproof.events import AsideRead, PageRead, ReadEnded
from connproof.model import Account, Request, Response
from connproof.places import JsonValue
from connproof.run import Call, Record
from pieces import Serve, asked_for, assert_resumable, connector_of_rows, numbered, path_of, resource
from scripted import Provider, answer, engine, items, read, rows, scripted

CURSOR: dict[str, Any] = {"type": "cursor", "cursor_field": "next"}
LINES: dict[str, Any] = {"response_path": "records", "pagination": {"type": "next_url", "next_url_field": "more"}}


def order(number: int, *lines: int, more: JsonValue = None) -> dict[str, JsonValue]:
    """An order with the first page of its lines."""
    records: list[JsonValue] = [{"id": line} for line in lines]
    return {"id": number, "lines": {"records": records, "more": more}}


def whole_order(number: int, first: int, last: int, more: JsonValue = None) -> dict[str, JsonValue]:
    records: JsonValue = rows(first, last)
    return {"id": number, "lines": {"records": records, "more": more}}


def lines(*ids: int, more: JsonValue = None) -> Response:
    """A further page of an order's lines: shaped as the first one is."""
    return answer({"records": [{"id": line} for line in ids], "more": more})


# P28: lists inside records.


def test_P28_all_pages_of_a_list_inside_a_record_are_read() -> None:
    """By their URLs, resolved against the listing's own request; the rest of the record stays as it is."""
    config = connector_of_rows({"type": "none"}, nested={"lines": LINES})
    provider = scripted(
        answer({"items": [order(1, 1, 2, more="/v1/more/2"), order(2, 9)]}), lines(3, 4, more="?p=3"), lines(5)
    )

    assert [whole_order(1, 1, 5, more="/v1/more/2"), whole_order(2, 9, 9)] == read(config, provider)
    assert ["/rows", "/more/2", "/more/2?p=3"] == provider.asked


def test_P28_a_record_without_the_list_stays_as_it_is() -> None:
    """Absent and null are no list with more pages."""
    records: list[JsonValue] = [{"id": 1}, {"id": 2, "lines": None}, order(3), order(4, 1)]
    config = connector_of_rows({"type": "none"}, nested={"lines": LINES})

    assert records == read(config, scripted(answer({"items": records})))


def test_P28_several_lists_deep_in_a_record() -> None:
    """Each by its own path; `has_more` ends one as it would end a listing."""
    config = connector_of_rows(
        {"type": "none"},
        nested={
            "a.subs": {
                "response_path": "data",
                "pagination": {
                    "type": "next_url",
                    "next_url_field": "url",
                    "stop_field": "has_more",
                    "stop_when": False,
                },
            },
            "lines": LINES,
        },
    )
    record: dict[str, Any] = {
        "a": {"subs": {"data": [1], "has_more": True, "url": "/v1/subs"}, "b": 0},
        **order(1, 1, more="/v1/l"),
    }
    provider = scripted(
        answer({"items": [record]}), answer({"data": [2], "has_more": False, "url": "/v1/subs"}), lines(2)
    )

    (read_back,) = read(config, provider)

    assert {"data": [1, 2], "has_more": True, "url": "/v1/subs"} == read_back["a"]["subs"]  # type: ignore[index,call-overload]  # it is an object
    assert rows(1, 2) == read_back["lines"]["records"]  # type: ignore[index,call-overload]  # it is an object
    assert 0 == read_back["a"]["b"]  # type: ignore[index,call-overload]  # it is an object


def nested_serve(request: Request) -> Response:
    """Two orders a page, each with two lines a page; order n has n lines."""
    path = path_of(request)
    if path == "/rows":
        begin = int(asked_for(request).get("next", 0))
        listed: list[JsonValue] = [_first_lines(number) for number in range(begin + 1, begin + 3)]
        return answer({"items": listed, "next": str(begin + 2) if begin < 4 else None})
    number, begin = (int(part) for part in path.strip("/").split("/"))
    return answer(_lines_of(number, begin))


def _first_lines(number: int) -> dict[str, JsonValue]:
    return {"id": number, "lines": _lines_of(number, 0)}


def _lines_of(number: int, begin: int) -> dict[str, JsonValue]:
    end = min(begin + 2, number)
    records: JsonValue = rows(begin + 1, end)
    return {"records": records, "more": f"/v1/{number}/{end}" if end < number else None}


def test_P28_a_nested_read_can_be_broken_off_anywhere() -> None:
    """A page is given when all of its records are whole; none is given twice, and none in part."""
    config = connector_of_rows(CURSOR, nested={"lines": LINES})
    expected: list[Record] = [
        whole_order(number, 1, number, more=f"/v1/{number}/2" if number > 2 else None) for number in range(1, 7)
    ]

    assert_resumable(config, lambda: nested_serve, expected)


def test_P28_a_nested_page_is_no_page_of_the_listing() -> None:
    """Pages and records count the listing's own."""
    provider = Provider(nested_serve)

    read(connector_of_rows(CURSOR, nested={"lines": LINES}), provider)

    assert 3 == len([event for event in provider.events if isinstance(event, PageRead)])
    assert ReadEnded("the page names no next one", 3, 6) == provider.events[-1]
    assert 6 == len([event for event in provider.events if isinstance(event, AsideRead)])


def test_P28_a_nested_link_to_another_origin_is_not_followed() -> None:
    """No credential goes elsewhere because a record says so; and no record is given in part."""
    records: list[Record] = []
    provider = scripted(answer({"items": [order(1, 1), order(2, 1, more="https://evil.example/x")]}))

    with pytest.raises(ForeignNextLink) as said:
        read(connector_of_rows({"type": "none"}, nested={"lines": LINES}), provider, into=records)

    assert ([], 1) == (records, len(provider.requests))
    assert 'reading "lines" of record 2 of the page' == said.value.facts["while"]
    assert said.value.resume


def test_P28_a_nested_list_that_goes_round_is_a_loop() -> None:
    """The same guard holds."""
    provider = scripted(answer({"items": [order(1, 1, more="/v1/a")]}), lines(2, more="/v1/b"), lines(3, more="/v1/a"))

    with pytest.raises(PaginationLoop):
        read(connector_of_rows({"type": "none"}, nested={"lines": LINES}), provider)


def test_P28_a_nested_value_that_is_no_list_is_an_error() -> None:
    """The config names the wrong place."""
    with pytest.raises(PageUnreadable, match="no list where its pages begin"):
        read(
            connector_of_rows({"type": "none"}, nested={"lines": LINES}),
            scripted(answer({"items": [{"id": 1, "lines": {"records": {"id": 1}}}]})),
        )


def test_P28_a_further_page_without_the_list_is_an_error() -> None:
    """A record may lack the list; a page that was asked for may not: what failed inside a 200 is no end of it."""
    provider = scripted(answer({"items": [order(1, 1, more="/v1/more/2")]}), answer({"error": "something failed"}))

    with pytest.raises(PageUnreadable, match='"records" leads nowhere'):
        read(connector_of_rows({"type": "none"}, nested={"lines": LINES}), provider)


def test_P28_pages_through_an_operation_of_their_own() -> None:
    """A list that names no URL: the operation is asked with what the record says, from where the first page ended."""
    listing = {
        "pagination": {"type": "none"},
        "nested": {
            "lines": {
                "response_path": "nodes",
                "pagination": {
                    "type": "cursor",
                    "cursor_field": "page.end",
                    "stop_field": "page.more",
                    "stop_when": False,
                },
                "operation": "lines",
                "params": {"order": "id"},
            }
        },
    }
    lines_of = {
        "path": "/lines",
        "method": "POST",
        "body": {"query": "q", "variables": {"order": "{order}"}},
        "returns": "list",
        "response_path": "data.lines.nodes",
        "pagination": {
            "type": "cursor",
            "cursor_field": "data.lines.page.end",
            "cursor_param": "variables.after",
            "cursor_in": "body",
            "stop_field": "data.lines.page.more",
            "stop_when": False,
        },
    }
    config = resource(list=listing, lines=lines_of)
    first: dict[str, Any] = {"nodes": [1, 2], "page": {"end": "c2", "more": True}}
    provider = scripted(
        answer({"items": [{"id": 7, "lines": first}]}),
        answer({"data": {"lines": {"nodes": [3], "page": {"end": "c3", "more": True}}}}),
        answer({"data": {"lines": {"nodes": [4], "page": {"end": "c4", "more": False}}}}),
    )

    assert [{"id": 7, "lines": {**first, "nodes": [1, 2, 3, 4]}}] == read(config, provider)
    assert ["/list", "/lines", "/lines"] == provider.asked
    assert (
        [{"order": "7", "after": "c2"}, {"order": "7", "after": "c3"}]
        == [
            body["variables"]  # type: ignore[index,call-overload]  # they are objects
            for body in provider.bodies[1:]
        ]
    )


def test_P28_headers_of_the_listing_go_with_its_nested_requests() -> None:
    """As the account's credentials do; its query and its body do not."""
    config = connector_of_rows(
        {"type": "none"},
        nested={"lines": LINES},
        headers={"X-Tenant": "{tenant}"},
        query={"q": "x"},
    )
    provider = scripted(answer({"items": [order(1, 1, more="/v1/more?p=2")]}), lines(2))

    read(config, provider, Call(params={"tenant": "t1"}))

    assert ["t1", "t1"] == [request.header("x-tenant") for request in provider.requests]
    assert ["/rows?q=x", "/more?p=2"] == provider.asked


# P30: ids, and a request for each.

GET: dict[str, Any] = {"path": "/rows/{id}", "response_path": "row"}
HYDRATE: dict[str, Any] = {"operation": "get", "param": "id", "from": "id"}


def hydrating(request: Request) -> Response:
    """Ids two a page; each record by itself."""
    path = path_of(request)
    if path == "/list":
        begin = int(asked_for(request).get("next", 0))
        return answer({**numbered(begin + 1, begin + 2), "next": str(begin + 2) if begin < 4 else None})
    number = int(path.removeprefix("/rows/"))
    return answer({"row": {"id": number, "name": f"n{number}"}})


def named(first: int, last: int) -> list[JsonValue]:
    return [{"id": number, "name": f"n{number}"} for number in range(first, last + 1)]


def test_P30_each_listed_record_is_asked_for() -> None:
    """In their order; the whole one replaces the listed one."""
    provider = Provider(hydrating)

    assert named(1, 6) == read(resource(list={"pagination": CURSOR, "hydrate": HYDRATE}, get=GET), provider)
    assert ["/list", "/rows/1", "/rows/2", "/list?next=2"] == provider.asked[:4]


def test_P30_a_hydrated_read_can_be_broken_off_anywhere() -> None:
    """A page is given when it is whole: nothing comes twice, and nothing is lost."""
    assert_resumable(resource(list={"pagination": CURSOR, "hydrate": HYDRATE}, get=GET), lambda: hydrating, named(1, 6))


def test_P30_a_hydrated_read_that_is_started_anew_can_be_broken_off_anywhere() -> None:
    """What was given already is left out before it is asked for again, one by one."""

    def provider() -> Serve:
        expiring = {2}

        def serve(request: Request) -> Response:
            begin = int(asked_for(request).get("next", 0))
            if path_of(request) == "/list" and begin in expiring:
                expiring.remove(begin)
                return Response(410)
            return hydrating(request)

        return serve

    rule = {"when": {"status": 410}, "means": "cursor_expired"}
    listing = {"key": "id", "pagination": {**CURSOR, "on_expired": "restart"}, "hydrate": HYDRATE, "errors": [rule]}
    config = resource(list=listing, get=GET)
    whole = Provider(provider())

    assert named(1, 6) == read(config, whole)
    assert 1 == whole.asked.count("/rows/1")
    assert_resumable(config, provider, named(1, 6))


def test_P30_ids_that_are_no_objects() -> None:
    """The listed record may be the id itself."""
    config = resource(list={"pagination": {"type": "none"}, "hydrate": {**HYDRATE, "from": "$"}}, get=GET)
    provider = scripted(answer({"items": ["a/b", 7]}), answer({"row": 1}), answer({"row": 2}))

    assert [1, 2] == read(config, provider)
    assert ["/list", "/rows/a%2Fb", "/rows/7"] == provider.asked


def test_P30_what_the_whole_record_lacks_can_be_kept() -> None:
    """Merged, the whole one's members win."""
    config = resource(list={"pagination": {"type": "none"}, "hydrate": {**HYDRATE, "merge": True}}, get=GET)
    provider = scripted(
        answer({"items": [{"id": 1, "score": 5, "name": None}]}), answer({"row": {"id": 1, "name": "n"}})
    )

    assert [{"id": 1, "score": 5, "name": "n"}] == read(config, provider)


def test_P30_a_record_that_is_not_there_ends_the_read() -> None:
    """It was listed: whoever reads must know. The page can be read again, and the error says which record."""
    config = resource(list={"pagination": CURSOR, "hydrate": HYDRATE}, get=GET)
    records: list[Record] = []

    with pytest.raises(NotFound) as said:
        read(config, scripted(items(1, 2, next="b"), answer({"row": {"id": 1}}), Response(404)), into=records)

    assert [] == records
    assert {"record": "2 of the page", "while": "asking rows.get (hydrate)"}.items() <= said.value.facts.items()
    assert "/2" not in str(said.value)
    resumed = scripted(items(1, next=None), answer({"row": {"id": 1}}))
    assert rows(1, 1) == read(config, resumed, Call(resume=said.value.resume))
    assert "/list" == resumed.asked[0]


def test_P30_a_whole_record_that_lost_its_body_ends_the_read() -> None:
    """The listed record must not pass for the whole one."""
    config = resource(list={"pagination": CURSOR, "hydrate": HYDRATE}, get=GET)

    with pytest.raises(PageUnreadable, match=r"the answer of rows\.get has no body"):
        read(config, scripted(items(1, next=None), Response(200)))


def test_P30_a_config_may_call_a_missing_record_empty() -> None:
    """Then the record stays as it was listed: nothing is left out in silence."""
    rule = {"when": {"status": 404}, "means": "empty"}
    config = resource(list={"pagination": {"type": "none"}, "hydrate": HYDRATE}, get={**GET, "errors": [rule]})
    provider = scripted(items(1, 2), Response(404), answer({"row": {"id": 2, "name": "n2"}}))

    assert [{"id": 1}, {"id": 2, "name": "n2"}] == read(config, provider)


@pytest.mark.parametrize("number", ["..", "."])
def test_P30_an_id_that_no_path_may_hold_is_the_providers_fault(number: str) -> None:
    """S12: it would lead elsewhere. Nothing is sent, and the caller is not blamed."""
    config = resource(list={"pagination": {"type": "none"}, "hydrate": HYDRATE}, get=GET)
    provider = scripted(answer({"items": [{"id": number}]}))

    with pytest.raises(ProviderBroke, match="what a record names cannot be sent") as said:
        read(config, provider)

    assert ("1 of the page", 1) == (said.value.facts["record"], len(provider.requests))
    assert said.value.resume


def test_P30_a_parameter_that_the_single_request_lacks_is_told_before_anything_is_sent() -> None:
    """Not after the first page."""
    config = resource(list={"hydrate": HYDRATE}, get={**GET, "path": "/t/{tenant}/rows/{id}"})

    with pytest.raises(CallWrong, match='needs the parameter "tenant"'):
        read(config, scripted())


@pytest.mark.parametrize("listed", [{}, {"id": None}, {"id": ""}, "text"], ids=str)
def test_P30_a_listed_record_without_an_id_is_an_error(listed: JsonValue) -> None:
    """There is nothing to ask with."""
    config = resource(list={"pagination": {"type": "none"}, "hydrate": HYDRATE}, get=GET)

    with pytest.raises(ProviderBroke, match="the listed record has nothing to ask with"):
        read(config, scripted(answer({"items": [listed]})))


def test_P30_only_objects_are_merged() -> None:
    """A text cannot take members."""
    config = resource(
        list={"pagination": {"type": "none"}, "hydrate": {**HYDRATE, "from": "$", "merge": True}}, get=GET
    )

    with pytest.raises(ProviderBroke, match="only objects can be merged"):
        read(config, scripted(answer({"items": ["a"]}), answer({"row": {"id": "a"}})))


def test_P30_the_calls_parameters_go_with_each_request() -> None:
    """As far as that operation has them."""
    config = resource(
        list={"path": "/t/{tenant}/rows", "pagination": {"type": "none"}, "hydrate": HYDRATE},
        get={**GET, "path": "/t/{tenant}/rows/{id}", "query": {"expand": "{expand}"}},
    )
    provider = scripted(items(1), answer({"row": 1}))

    read(config, provider, Call(params={"tenant": "t1", "expand": "all"}))

    assert ["/t/t1/rows", "/t/t1/rows/1?expand=all"] == provider.asked


def test_P30_a_limit_counts_whole_records() -> None:
    """As of any read."""
    config = resource(list={"pagination": CURSOR, "hydrate": HYDRATE}, get=GET)
    provider = Provider(hydrating)

    assert named(1, 2) == read(config, provider, Call(limit=2))
    assert 3 == len(provider.requests)


def test_P30_whole_records_with_nested_lists() -> None:
    """Lists are completed in the listed record, before it is asked for."""
    config = resource(
        list={"pagination": {"type": "none"}, "hydrate": {**HYDRATE, "merge": True}, "nested": {"lines": LINES}},
        get=GET,
    )
    provider = scripted(
        answer({"items": [order(1, 1, more="/v1/m")]}), lines(2), answer({"row": {"id": 1, "name": "n"}})
    )

    assert [{**whole_order(1, 1, 2, more="/v1/m"), "name": "n"}] == read(config, provider)


def test_P30_a_credential_goes_with_each_request() -> None:
    """Through the same door, signed as any request."""
    document = {
        "base_url": "https://api.example/v1",
        "auth": {"type": "bearer"},
        "resources": {
            "rows": {
                "list": {"method": "GET", "path": "/list", "response_path": "items", "hydrate": HYDRATE},
                "get": {"method": "GET", **GET},
            }
        },
    }
    config = parse(json.dumps(document).encode(), folder="sample")
    provider = scripted(items(1), answer({"row": 1}))

    async def whole() -> list[Record]:
        reader = engine(config, provider, account=Account("a", {"access_token": "s3cret"}))
        return [record async for record in reader.read("rows")]

    assert [1] == asyncio.run(whole())
    assert ["Bearer s3cret"] * 2 == [request.header("authorization") for request in provider.requests]


# What a config may not say.


@pytest.mark.parametrize(
    ("operation", "problem"),
    [
        ({"nested": {"lines": {"pagination": CURSOR}}}, '"operation" is missing beside the pagination'),
        ({"nested": {"lines": {"pagination": {"type": "link_header"}}}}, "says nothing of a list inside a record"),
        ({"nested": {"lines[0]": LINES}}, "is a path of member names alone"),
        ({"nested": {"lines": {**LINES, "params": {"a": "id"}}}}, 'says nothing without "operation"'),
        ({"nested": {"lines": {**LINES, "operation": "nope"}}}, 'no other operation "nope"'),
        ({"nested": {"lines": {**LINES, "operation": "get"}}}, "its pagination is of another type"),
        (
            {"nested": {"lines": {"pagination": {**LINES["pagination"], "bookmark": "next"}}}},
            "is for whole reads, not for a list inside a record",
        ),
        ({"hydrate": {**HYDRATE, "operation": "gte"}}, 'did you mean "get"?'),
        ({"hydrate": {**HYDRATE, "param": "ident"}}, 'rows.get has no parameter "ident"'),
        ({"hydrate": {**HYDRATE, "operation": "search"}}, "rows.search gives a list"),
        ({"hydrate": {"operation": "get", "param": "id"}}, '"from" is missing'),
    ],
)
def test_whole_records_that_could_not_work_are_refused(operation: dict[str, Any], problem: str) -> None:
    """When the config is read, with the place."""
    with pytest.raises(ConfigWrong) as wrong:
        resource(list=operation, get=GET, search={})

    assert problem in str(wrong.value)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("nested", {"lines": LINES}),
        ("hydrate", {"operation": "list", "param": "id", "from": "id"}),
        ("for_each", {"operation": "rows.list", "params": {"id": "id"}}),
    ],
)
def test_an_operation_that_gives_one_record_has_none_of_these(word: str, said: dict[str, Any]) -> None:
    """They are for listings."""
    with pytest.raises(ConfigWrong, match="is for a listing"):
        resource(list={}, get={**GET, word: said})
