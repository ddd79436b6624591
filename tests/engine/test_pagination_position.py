"""Counted and keyed positions: offsets, page numbers and keys, and every place in which they are sent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connproof.errors import ConfigWrong, PageSizeLowered, ProviderBroke
from connproof.model import Request, Response
from connproof.places import JsonValue
from connproof.run import Call
from scripted import Provider, answer, connector, items, read, rows, scripted

OFFSET: dict[str, Any] = {"type": "offset", "offset_param": "start"}
PAGE: dict[str, Any] = {"type": "page", "page_param": "page"}
CURSOR: dict[str, Any] = {"type": "cursor", "cursor_field": "next"}
KEYSET: dict[str, Any] = {"type": "keyset", "key_field": "id", "key_param": "starting_after"}
SIZED: dict[str, Any] = {"page_size_param": "limit", "default_page_size": 2}


def lowering(most: int, last: int, **beside: JsonValue) -> Provider:
    """A provider with `last` records that reads start and limit, and never gives more than `most` at once."""

    def respond(request: Request) -> Response:
        pairs = dict(pair.split("=") for pair in request.url.partition("?")[2].split("&"))
        first = int(pairs.get("start", 0))
        end = min(last, first + min(most, int(pairs["limit"])))
        return answer({"items": rows(first + 1, end), **beside})

    return Provider(respond)


# P10: how far an offset moves.


def test_P10_offset_moves_by_the_records_returned() -> None:
    """The default step: what was returned is what was passed."""
    provider = scripted(items(1, 2), items(3), items())

    assert rows(1, 3) == read(connector({**OFFSET, **SIZED}), provider)
    assert ["/rows?limit=2&start=0", "/rows?limit=2&start=2", "/rows?limit=2&start=3"] == provider.asked


def test_P10_offset_moves_by_the_limit() -> None:
    """With `limit` the offset moves by the size asked for, also over the gaps that a provider leaves on purpose."""
    gaps = {"step": "limit", "short_page": "continue", "empty_page": "continue", "total_field": "total"}
    provider = scripted(items(1, total=3), items(total=3), items(5, 6, total=3))

    assert [*rows(1, 1), *rows(5, 6)] == read(connector({**OFFSET, **SIZED, **gaps}), provider)
    assert ["/rows?limit=2&start=0", "/rows?limit=2&start=2", "/rows?limit=2&start=4"] == provider.asked


def test_P10_offset_moves_by_what_the_response_reports() -> None:
    """With `reported` the response's own page size counts, whatever was asked for or returned."""
    config = connector({**OFFSET, "step": "reported", "step_field": "page.size"})
    provider = scripted(items(1, 2, page={"size": 5}), items(3, page={"size": 5}), items(page={"size": 5}))

    assert rows(1, 3) == read(config, provider)
    assert ["/rows?start=0", "/rows?start=5", "/rows?start=10"] == provider.asked


@pytest.mark.parametrize("reported", [{}, {"size": None}, {"size": "5"}, {"size": True}])
def test_P10_page_size_that_is_not_reported_is_an_error(reported: dict[str, JsonValue]) -> None:
    """Where the response reports no number, the next offset would be a guess."""
    config = connector({**OFFSET, "step": "reported", "step_field": "size"})

    with pytest.raises(ProviderBroke, match="does not report its page size"):
        read(config, scripted(items(1, **reported)))


@pytest.mark.parametrize("reported", [0, -5])
def test_P10_offset_that_cannot_move_is_an_error(reported: int) -> None:
    """A step of nothing or backwards would ask for the same page for ever."""
    config = connector({**OFFSET, "step": "reported", "step_field": "size"})

    with pytest.raises(ProviderBroke, match="the offset cannot move"):
        read(config, scripted(items(1, size=reported)))


def test_P10_empty_page_that_promises_more_cannot_move_an_offset() -> None:
    """An empty page says that there is more: to stop loses records, to go on asks the same again."""
    config = connector({**OFFSET, "stop_field": "more", "stop_when": False})

    with pytest.raises(ProviderBroke, match="the offset cannot move"):
        read(config, scripted(items(more=True)))


# A server that silently lowers the page size loses no record, or the read ends in an error.


@pytest.mark.parametrize("most", [1, 2, 3, 7, 50])
def test_P10_lowered_page_size_loses_no_record(most: int) -> None:
    """Stepping by what was returned reads everything, however small the pages really are."""
    config = connector({**OFFSET, "page_size_param": "limit", "default_page_size": 50})

    assert rows(1, 20) == read(config, lowering(most, 20))


def test_P10_longer_page_is_an_error_where_the_limit_steps() -> None:
    """More records than asked for, and a step of what was asked for: the next page would give some again."""
    config = connector({**OFFSET, "page_size_param": "limit", "default_page_size": 2, "step": "limit"})
    provider = scripted(items(1, 2, 3))

    with pytest.raises(ProviderBroke, match="longer than the step"):
        read(config, provider)


@pytest.mark.parametrize("words", [{}, {"short_page": "stop", "total_field": "total"}], ids=["plain", "with a total"])
def test_P10_lowered_page_size_is_an_error_where_the_limit_steps(words: dict[str, JsonValue]) -> None:
    """Stepping by the limit over a shorter page would skip records: the read ends there, loudly."""
    config = connector({**OFFSET, "page_size_param": "limit", "default_page_size": 10, "step": "limit", **words})
    into: list[JsonValue] = []

    with pytest.raises(PageSizeLowered, match='step by "returned"'):
        read(config, lowering(5, 20, total=20), into=into)

    assert [] == into


# P11 and P12: the first position.


@pytest.mark.parametrize(("words", "numbers"), [({}, ["1", "2"]), ({"first_page": 0}, ["0", "1"])])
def test_P11_first_page_number(words: dict[str, JsonValue], numbers: list[str]) -> None:
    """Pages are counted from 1, or from 0 where the config says so."""
    provider = scripted(items(1), items())

    read(connector({**PAGE, **words}), provider)

    assert numbers == [url.partition("page=")[2] for url in provider.asked]


@pytest.mark.parametrize("pagination", [PAGE, {**OFFSET, "first_offset": 1}], ids=["page", "offset"])
def test_P11_first_position_can_be_left_out(pagination: dict[str, Any]) -> None:
    """Where a provider's first number is unclear, omit_first asks without one; the second follows from it."""
    provider = scripted(items(1), items())

    read(connector({**pagination, "omit_first": True}), provider)

    assert ["/rows", f"/rows?{pagination.get('page_param') or 'start'}=2"] == provider.asked


def test_P12_offset_that_counts_from_one() -> None:
    """A 1-based offset moves from 1 by what was returned; what the response echoes is not looked at."""
    provider = scripted(items(1, 2, startIndex=0), items(3, startIndex=0), items(startIndex=0))

    assert rows(1, 3) == read(connector({**OFFSET, "offset_param": "startIndex", "first_offset": 1}), provider)
    assert ["/rows?startIndex=1", "/rows?startIndex=3", "/rows?startIndex=4"] == provider.asked


# P15: where the position is sent.

POST: dict[str, Any] = {"method": "POST", "body": {"filter": {"open": True}}}


def test_P15_cursor_in_the_json_body() -> None:
    """A cursor goes to its place in the body, beside what stands there; the first request has none."""
    config = connector({**CURSOR, "cursor_in": "body", "cursor_param": "page.after"}, POST)
    provider = scripted(items(1, next="c2"), items(2))

    assert rows(1, 2) == read(config, provider)
    assert [{"filter": {"open": True}}, {"filter": {"open": True}, "page": {"after": "c2"}}] == provider.bodies
    assert ["application/json"] * 2 == [request.header("content-type") for request in provider.requests]


def test_P15_cursor_in_a_body_keeps_its_class() -> None:
    """In a body an object or a number goes back as what it is."""
    config = connector({**CURSOR, "cursor_in": "body", "cursor_param": "after"}, POST)
    provider = scripted(items(1, next={"page": 2}), items(2, next=3), items(3))

    assert rows(1, 3) == read(config, provider)
    assert [{"page": 2}, 3] == [body["after"] for body in provider.bodies[1:] if isinstance(body, dict)]


def test_P15_variable_of_a_graphql_document() -> None:
    """A document's text is sent as it stands, braces and all; the cursor goes to its variables."""
    document = "query($after: String) { rows(after: $after) { nodes{id} pageInfo{endCursor} } }"
    config = connector(
        {**CURSOR, "cursor_in": "body", "cursor_param": "variables.after", "first_cursor": None},
        {"method": "POST", "body": {"query": document, "variables": {"first": 2}}},
    )
    provider = scripted(items(1, next="c2"), items(2))

    read(config, provider)

    assert [
        {"query": document, "variables": {"first": 2, "after": None}},
        {"query": document, "variables": {"first": 2, "after": "c2"}},
    ] == provider.bodies


def test_P15_cursor_in_a_header() -> None:
    """A cursor may be sent as a header."""
    provider = scripted(items(1, next="c2"), items(2))

    read(connector({**CURSOR, "cursor_in": "header", "cursor_param": "X-Cursor"}), provider)

    assert [None, "c2"] == [request.header("x-cursor") for request in provider.requests]


def test_P15_forged_cursor_header_is_refused() -> None:
    """A cursor with a line break would add a header of the provider's choice."""
    config = connector({**CURSOR, "cursor_in": "header", "cursor_param": "X-Cursor"})
    provider = scripted(items(1, next="c2\r\nx-admin: 1"))

    with pytest.raises(ProviderBroke, match="x-cursor"):
        read(config, provider)

    assert 1 == len(provider.requests)


def test_P15_position_inside_a_query_language() -> None:
    """Offset and page size stand in the middle of a text, and the text is encoded as one value."""
    config = connector(
        {
            "type": "offset",
            "offset_param": "offset",
            "offset_in": "template",
            "first_offset": 1,
            "page_size_param": "maxresults",
            "page_size_in": "template",
            "default_page_size": 2,
            "short_page": "stop",
        },
        {"query": {"query": "select * from X startposition {offset} maxresults {maxresults}"}},
    )
    provider = scripted(items(1, 2), items(3))

    assert rows(1, 3) == read(config, provider)
    assert [
        "/rows?query=select%20%2A%20from%20X%20startposition%201%20maxresults%202",
        "/rows?query=select%20%2A%20from%20X%20startposition%203%20maxresults%202",
    ] == provider.asked


def test_P15_position_in_the_path() -> None:
    """A page number may be a segment of the path; it is encoded as one."""
    config = connector(
        {**CURSOR, "cursor_param": "cursor", "cursor_in": "template", "first_cursor": "start"},
        {"path": "/rows/{cursor}/page"},
    )
    provider = scripted(items(1, next="a/b?c"), items(2))

    assert rows(1, 2) == read(config, provider)
    assert ["/rows/start/page", "/rows/a%2Fb%3Fc/page"] == provider.asked


@pytest.mark.parametrize("cursor", ["..", "."])
def test_P15_dot_segment_from_a_provider_is_refused(cursor: str) -> None:
    """A cursor that would lead to another path is an error."""
    config = connector(
        {**CURSOR, "cursor_param": "cursor", "cursor_in": "template", "first_cursor": "start"},
        {"path": "/rows/{cursor}/page"},
    )

    with pytest.raises(ProviderBroke):
        read(config, scripted(items(1, next=cursor)))


def test_P15_position_inside_a_text_body() -> None:
    """A body that is no JSON has its braces filled too."""
    config = connector(
        {**PAGE, "page_in": "template"},
        {"method": "POST", "body": "<Page>{page}</Page>", "headers": {"Content-Type": "text/xml"}},
    )
    provider = scripted(items(1), items())

    read(config, provider)

    assert [b"<Page>1</Page>", b"<Page>2</Page>"] == [request.body for request in provider.requests]
    assert "text/xml" == provider.requests[0].header("content-type")


@pytest.mark.parametrize(
    "pagination",
    [
        {**CURSOR, "cursor_param": "at", "cursor_in": "template"},
        {**PAGE, "page_param": "at", "page_in": "template", "omit_first": True},
        {**PAGE, "page_size_param": "at", "page_size_in": "template"},
    ],
    ids=["cursor", "omit_first", "page size"],
)
def test_P15_template_that_the_first_request_cannot_fill_is_refused(pagination: dict[str, Any]) -> None:
    """Braces that the first request would send as they stand are found when the config is read."""
    with pytest.raises(ConfigWrong, match="first request"):
        connector(pagination, {"query": {"q": "from {at}"}})


def test_P15_null_first_cursor_is_refused_outside_a_body() -> None:
    """Only a body can hold null: elsewhere the config is wrong, and says so when it is read."""
    with pytest.raises(ConfigWrong, match="null"):
        connector({**CURSOR, "first_cursor": None})


# P16: names that are not plain words.


def test_P16_bracketed_parameter_names() -> None:
    """A name in brackets is encoded like any other text and stands in the query once."""
    config = connector({**CURSOR, "cursor_field": "meta.after", "cursor_param": "page[after]",
                        "page_size_param": "page[size]", "default_page_size": 2})  # fmt: skip
    provider = scripted(items(1, meta={"after": "c2"}), items(2, meta={}))

    assert rows(1, 2) == read(config, provider)
    assert ["/rows?page%5Bsize%5D=2", "/rows?page%5Bsize%5D=2&page%5Bafter%5D=c2"] == provider.asked


def test_P16_quoted_member_names() -> None:
    """Names with other characters are quoted, in the response and in the body."""
    config = connector(
        {**CURSOR, "cursor_field": 'meta["o:next"]', "cursor_in": "body", "cursor_param": '["o:page"].after'}, POST
    )
    provider = scripted(items(1, meta={"o:next": "c2"}), items(2))

    read(config, provider)

    assert {"filter": {"open": True}, "o:page": {"after": "c2"}} == provider.bodies[1]


# P17: keys of records.


def test_P17_keyset_from_last_record() -> None:
    """The last record's key asks for what comes after it; an empty page ends the read."""
    provider = scripted(items(1, 2), items(3), items())

    assert rows(1, 3) == read(connector({**KEYSET, **SIZED}), provider)
    assert ["/rows?limit=2", "/rows?limit=2&starting_after=2", "/rows?limit=2&starting_after=3"] == provider.asked


def test_P17_keyset_from_first_record() -> None:
    """A provider that reads backwards is asked for what comes before the first record."""
    provider = scripted(items(5, 6), items(3, 4), items())

    read(connector({**KEYSET, "key_param": "before", "key_from": "first"}), provider)

    assert ["/rows", "/rows?before=5", "/rows?before=3"] == provider.asked


def test_P17_keyset_with_has_more() -> None:
    """With a stop field the last page is known, and no empty one is asked for."""
    provider = scripted(items(1, 2, more=True), items(3, more=False))

    assert rows(1, 3) == read(connector({**KEYSET, "stop_field": "more", "stop_when": False}), provider)
    assert 2 == len(provider.requests)


def test_P17_nested_key_in_the_body() -> None:
    """The key may stand deep in the record and go deep into the body, as what it is."""
    config = connector({**KEYSET, "key_field": "sort[0]", "key_in": "body", "key_param": "search.after"}, POST)
    provider = scripted(answer({"items": [{"sort": [17]}]}), items())

    read(config, provider)

    assert {"filter": {"open": True}, "search": {"after": 17}} == provider.bodies[1]


@pytest.mark.parametrize("record", [{}, {"id": None}, {"id": ""}, "a text"])
def test_P17_record_without_a_key_is_an_error(record: JsonValue) -> None:
    """A record that has no key cannot be gone on from: that is not the end."""
    with pytest.raises(ProviderBroke, match="the last record of the page has no key"):
        read(connector(KEYSET), scripted(answer({"items": [{"id": 1}, record]})))


def test_P17_key_of_zero_is_a_key() -> None:
    """0 is a key like any other."""
    provider = scripted(items(0), items())

    read(connector(KEYSET), provider)

    assert "/rows?starting_after=0" == provider.asked[1]


# P32: the page size.


def test_P32_callers_page_size_is_sent() -> None:
    """The caller's page size replaces the config's own."""
    provider = scripted(items())

    read(connector({**PAGE, **SIZED}), provider, Call(page_size=7))

    assert ["/rows?limit=7&page=1"] == provider.asked


def test_P15_page_size_in_body_and_header() -> None:
    """The page size has a placement of its own."""
    body = scripted(items())
    header = scripted(items())

    read(connector({**PAGE, **SIZED, "page_size_in": "body", "page_size_param": "page.size"}, POST), body)
    read(connector({**PAGE, **SIZED, "page_size_in": "header", "page_size_param": "Batch-Size"}), header)

    assert {"filter": {"open": True}, "page": {"size": 2}} == json.loads(body.requests[0].body or b"")
    assert "2" == header.requests[0].header("batch-size")
