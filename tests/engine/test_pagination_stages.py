"""Reads whose requests change on the way: a second strategy, a seed, an operation that continues, a shifting place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connproof.errors import CallWrong, ConfigWrong, ProviderBroke, ProviderBusy
from connproof.events import AsideRead, PageRead
from connproof.model import Request, Response
from connproof.places import JsonValue
from connproof.run import Call
from pieces import BUSY, asked_for, assert_resumable, in_pieces, numbered, path_of, resource
from scripted import Provider, answer, connector, items, read, rows, scripted

PAGE: dict[str, Any] = {"type": "page", "page_param": "page"}
SIZED: dict[str, Any] = {"page_size_param": "per_page", "default_page_size": 2}
TOKEN: dict[str, Any] = {"type": "cursor", "cursor_field": "info.token", "cursor_param": "page_token"}
HYBRID: dict[str, Any] = {
    **PAGE,
    **SIZED,
    "stop_field": "info.more",
    "stop_when": False,
    "then": {"after_records": 4, "pagination": TOKEN},
}


def hybrid(last: int) -> Any:
    """A provider that counts pages of two up to four records, and then only knows tokens; a token is an offset."""

    def serve(request: Request) -> Response:
        said = asked_for(request)
        begin = int(said["page_token"][1:]) if "page_token" in said else (int(said["page"]) - 1) * 2
        if "page_token" not in said and begin >= 4:
            return Response(400)
        end = min(begin + 2, last)
        return answer({"items": rows(begin + 1, end), "info": {"more": end < last, "token": f"t{end}"}})

    return lambda: serve


# P20: pages first, then a token.


def test_P20_a_token_takes_over_at_the_count() -> None:
    """The page that reaches the count names the token; from there on no page number is sent."""
    provider = Provider(hybrid(7)())

    assert rows(1, 7) == read(connector(HYBRID), provider)
    assert [
        "/rows?per_page=2&page=1",
        "/rows?per_page=2&page=2",
        "/rows?per_page=2&page_token=t4",
        "/rows?per_page=2&page_token=t6",
    ] == provider.asked


@pytest.mark.parametrize("last", [0, 1, 2, 3, 4, 5, 6, 9])
def test_P20_no_record_is_lost_where_the_stages_meet(last: int) -> None:
    """Short of the count, at it and beyond, in one go or broken off anywhere."""
    assert_resumable(connector(HYBRID), hybrid(last), rows(1, last))


def test_P20_the_read_can_end_before_the_token_takes_over() -> None:
    """What ends the first stage ends the read; the token on that page is not followed."""
    provider = scripted(items(1, 2, info={"more": True, "token": "a"}), items(3, info={"more": False, "token": "b"}))

    assert rows(1, 3) == read(connector(HYBRID), provider)
    assert "the provider says so" == provider.ended


def test_P20_more_without_a_token_is_an_error() -> None:
    """The page that reaches the count says that there is more, and names no token: stopping would lose the rest."""
    provider = scripted(
        items(1, 2, info={"more": True}), items(3, 4, info={"more": True, "token": None}), items(5, info={})
    )

    with pytest.raises(ProviderBroke, match="names nothing to go on with"):
        read(connector(HYBRID), provider)


def test_P20_without_a_word_of_more_a_missing_token_is_the_end() -> None:
    """A second stage ends as its own strategy does."""
    config = connector({**PAGE, "then": {"after_records": 2, "pagination": TOKEN}})
    provider = scripted(items(1, 2, info={"token": "a"}), items(3, info={"token": ""}))

    assert rows(1, 3) == read(config, provider)
    assert "the page names no next one" == provider.ended


def test_P20_an_offset_can_hand_over_to_a_link() -> None:
    """Any strategy in which the page names the next one can take over."""
    link = {"type": "link_header"}
    config = connector({"type": "offset", "offset_param": "start", "then": {"after_records": 2, "pagination": link}})
    following = answer(numbered(2), ("link", "</v1/rows?after=2>; rel=next"))
    provider = scripted(items(1), following, items(3))

    assert rows(1, 3) == read(config, provider)
    assert ["/rows?start=0", "/rows?start=1", "/rows?after=2"] == provider.asked


def test_P20_the_second_stage_may_have_ends_of_its_own() -> None:
    """What it says replaces what the first one says; the rest is as there."""
    own = {**TOKEN, "stop_field": "done", "stop_when": True}
    config = connector({**HYBRID, "then": {"after_records": 2, "pagination": own}})
    provider = scripted(items(1, 2, info={"more": True, "token": "a"}), items(3, done=True, info={"token": "b"}))

    assert rows(1, 3) == read(config, provider)
    assert "/rows?per_page=2&page_token=a" == provider.asked[1]


# P23: the first cursor from elsewhere.

ACTIVITIES: dict[str, Any] = {
    "list": {
        "key": "id",
        "query": {"kinds": "{kinds}"},
        "pagination": {
            "type": "cursor",
            "cursor_field": "next",
            "cursor_param": "nextPageToken",
            "stop_field": "more",
            "stop_when": False,
            "seed": {"operation": "token", "field": "data.first"},
        },
    },
    "token": {"path": "/token", "query": {"since": "{since}"}, "response_path": "data"},
}


def activities(request: Request) -> Response:
    if path_of(request) == "/token":
        return answer({"data": {"first": f"{asked_for(request)['since']}-0"}})
    begin = int(asked_for(request)["nextPageToken"].partition("-")[2])
    return answer({"items": rows(begin + 1, begin + 2), "next": f"x-{begin + 2}", "more": begin + 2 < 6})


def test_P23_the_first_cursor_comes_from_another_operation() -> None:
    """Each of the two takes the parameters of the call that it has."""
    provider = Provider(activities)

    assert rows(1, 6) == read(resource(**ACTIVITIES), provider, Call(params={"since": "2026", "kinds": "a,b"}))
    assert "/token?since=2026" == provider.asked[0]
    assert "/list?kinds=a%2Cb&nextPageToken=2026-0" == provider.asked[1]


def test_P23_a_parameter_that_neither_has_is_refused() -> None:
    """A parameter that nothing would send is a mistake."""
    with pytest.raises(CallWrong, match='has no parameter "sinse"'):
        read(resource(**ACTIVITIES), scripted(), Call(params={"sinse": "2026", "kinds": "a"}))


def test_P23_a_token_belongs_to_the_seeds_parameters_too() -> None:
    """Another day's activities are another listing."""
    with pytest.raises(ProviderBusy) as busy:
        read(resource(**ACTIVITIES), scripted(BUSY), Call(params={"since": "2026"}))

    with pytest.raises(CallWrong, match="of another read"):
        read(resource(**ACTIVITIES), scripted(), Call(params={"since": "2025"}, resume=busy.value.resume))


def test_P23_a_seeded_read_can_be_resumed_at_any_request() -> None:
    """Also where the seed itself was refused, or the first page after it."""
    listing = {**ACTIVITIES["list"], "query": {"q": "{since}"}}
    config = resource(list=listing, token=ACTIVITIES["token"])

    assert_resumable(config, lambda: activities, rows(1, 6), params={"since": "2026"})


def test_P23_the_seed_is_no_page() -> None:
    """It is told as what it is, so that pages and their answers can still be counted."""
    config = resource(list={**ACTIVITIES["list"], "query": {"q": "{since}"}}, token=ACTIVITIES["token"])
    provider = Provider(activities)

    read(config, provider, Call(params={"since": "1"}))

    assert AsideRead("seed", "rows.token", 1) in provider.events
    assert 3 == len([event for event in provider.events if isinstance(event, PageRead)])


@pytest.mark.parametrize("document", [{}, {"data": {}}, {"data": {"first": None}}, {"data": {"first": ""}}], ids=str)
def test_P23_a_seed_without_a_cursor_is_an_error(document: JsonValue) -> None:
    """A first page without the cursor would be the start of another listing."""
    config = resource(list={**ACTIVITIES["list"], "query": {"q": "{since}"}}, token=ACTIVITIES["token"])
    provider = scripted(answer(document))

    with pytest.raises(ProviderBroke, match=r"the answer of rows\.token has no first cursor"):
        read(config, provider, Call(params={"since": "1"}))


# P24: an operation that continues.

FOLDER: dict[str, Any] = {
    "list": {
        "method": "POST",
        "path": "/list_folder",
        "body": {"path": "{folder}", "recursive": True},
        "pagination": {
            "type": "cursor",
            "cursor_field": "cursor",
            "cursor_in": "body",
            "stop_field": "has_more",
            "stop_when": False,
            "page_size_param": "limit",
            "page_size_in": "body",
            "default_page_size": 2,
            "continue_with": "more",
        },
    },
    "more": {"method": "POST", "path": "/list_folder/continue", "headers": {"X-Kind": "more"}},
}


def folder(request: Request) -> Response:
    body = json.loads(request.body or b"{}")
    begin = int(body["cursor"]) if path_of(request) == "/list_folder/continue" else 0
    end = min(begin + 2, 5)
    return answer({"items": rows(begin + 1, end), "cursor": str(end), "has_more": end < 5})


def test_P24_pages_after_the_first_go_through_another_operation() -> None:
    """Its own path, its own body with the cursor alone, its own headers; no page size is added to its body."""
    provider = Provider(folder)

    assert rows(1, 5) == read(resource(**FOLDER), provider, Call(params={"folder": "/a"}))
    assert ["/list_folder", "/list_folder/continue", "/list_folder/continue"] == provider.asked
    assert {"path": "/a", "recursive": True, "limit": 2} == provider.bodies[0]
    assert [{"cursor": "2"}, {"cursor": "4"}] == provider.bodies[1:]
    assert [None, "more", "more"] == [request.header("x-kind") for request in provider.requests]


def test_P24_a_resumed_read_is_continued() -> None:
    """A position with a cursor goes to the operation that continues, also as the first request of a run."""
    assert_resumable(resource(**FOLDER), lambda: folder, rows(1, 5), params={"folder": "/a"})


def test_P24_another_method_and_the_cursor_in_the_path() -> None:
    """The cursor may be a segment of the continuing path, though the first request has none."""
    paging = {"type": "cursor", "cursor_field": "locator", "cursor_in": "template", "continue_with": "more"}
    config = resource(
        list={"method": "POST", "path": "/query", "body": {"q": "all"}, "pagination": paging},
        more={"path": "/query/{locator}"},
    )
    provider = scripted(items(1, locator="a/b"), items(2))

    assert rows(1, 2) == read(config, provider)
    assert [("POST", "/query"), ("GET", "/query/a%2Fb")] == [
        (request.method, asked) for request, asked in zip(provider.requests, provider.asked, strict=True)
    ]


def test_P24_a_rule_of_the_listing_holds_for_its_continuation() -> None:
    """An error inside a success is one on every page, whoever asks for it."""
    rule = {"when": {"body": {"error": {"present": True}}}, "means": "failed"}
    config = resource(list={**FOLDER["list"], "errors": [rule]}, more=FOLDER["more"])
    provider = scripted(items(1, cursor="1", has_more=True), answer({"error": "x", "items": []}))

    with pytest.raises(Exception, match="says that it failed"):
        read(config, provider, Call(params={"folder": "/a"}))


# P27: a next position that is now this, now that.


@pytest.mark.parametrize(
    ("first", "sent"),
    [
        ({"next": {"page": 2, "starting_after": "abc"}}, "abc"),
        ({"next": "https://api.example/v1/rows?per_page=2&starting_after=a%2Fc"}, "a%2Fc"),
        ({"next": "/v1/rows?starting_after=q"}, "q"),
        ({"next": {"starting_after": 7}}, "7"),
    ],
    ids=["an object", "a URL", "a path", "a number"],
)
def test_P27_a_cursor_from_an_object_or_from_a_url(first: JsonValue, sent: str) -> None:
    """The first place at which a text or a number stands counts."""
    places = ["pages.next.starting_after", {"path": "pages.next", "url_param": "starting_after"}]
    provider = scripted(items(1, pages=first), items(2, pages={}))

    assert rows(1, 2) == read(connector({"type": "cursor", "cursor_field": places}), provider)
    assert f"/rows?starting_after={sent}" == provider.asked[1]


@pytest.mark.parametrize("last", [{}, {"pages": None}, {"pages": {"next": None}}, {"pages": {"next": ""}}], ids=str)
def test_P27_nothing_at_any_place_is_the_end(last: dict[str, JsonValue]) -> None:
    """Absent, null and "" at all of them."""
    places = ["pages.next.starting_after", {"path": "pages.next", "url_param": "starting_after"}]

    assert rows(1, 1) == read(connector({"type": "cursor", "cursor_field": places}), scripted(items(1, **last)))


@pytest.mark.parametrize(
    "following", [{"page": 2}, "https://api.example/v1/rows?page=2", ["x"], True, "no URL"], ids=str
)
def test_P27_a_next_position_that_nobody_can_read_is_an_error(following: JsonValue) -> None:
    """The page leads on, but not where the config looks: stopping would lose the rest."""
    places = ["pages.next.starting_after", {"path": "pages.next", "url_param": "starting_after"}]

    with pytest.raises(ProviderBroke, match="names a next one, but not where the config looks") as said:
        read(connector({"type": "cursor", "cursor_field": places}), scripted(items(1, pages={"next": following})))

    assert "pages.next" in said.value.facts["seen"]


def test_P27_a_next_url_in_several_places() -> None:
    """An object where a text is due falls to the next place."""
    config = connector({"type": "next_url", "next_url_field": ["links.next", "links.next.href"]})
    provider = scripted(
        items(1, links={"next": {"href": "/v1/rows?p=2"}}), items(2, links={"next": "/v1/rows?p=3"}), items(3)
    )

    assert rows(1, 3) == read(config, provider)
    assert ["/rows", "/rows?p=2", "/rows?p=3"] == provider.asked


# P11: the index of the first page where nobody knows it.


@pytest.mark.parametrize(("first", "asked"), [(0, ["1", "2"]), (1, ["2", "3"]), ("0", ["1", "2"])])
def test_P11_the_response_says_whether_pages_count_from_zero(first: JsonValue, asked: list[str]) -> None:
    """With the first index left to the provider, the next page is the reported one plus one."""
    config = connector({**PAGE, "omit_first": True, "page_field": "pages.page"})
    begin = int(str(first))
    provider = scripted(items(1, pages={"page": first}), items(2, pages={"page": begin + 1}), items())

    assert rows(1, 2) == read(config, provider)
    assert ["/rows", *(f"/rows?page={number}" for number in asked)] == provider.asked


def test_P11_a_response_without_its_page_number_is_an_error() -> None:
    """Counting on would be a guess."""
    config = connector({**PAGE, "omit_first": True, "page_field": "pages.page"})

    with pytest.raises(ProviderBroke, match="does not report its page number"):
        read(config, scripted(items(1)))


# P15: the places of bodies that are no plain JSON.


def test_P15_an_element_of_a_soap_body() -> None:
    """Page, count and the frozen time stand in an XML text; what is put there is escaped, and sent as XML."""
    envelope = "<Filter><At>{at}</At><Page>{n}</Page><Count>{size}</Count><Q a='{q}'/></Filter>"
    config = connector(
        {
            **PAGE,
            "page_param": "n",
            "page_in": "template",
            "page_size_param": "size",
            "page_size_in": "template",
            "default_page_size": 2,
            "frozen": {"param": "at", "in": "template", "format": "epoch_s"},
        },
        {"method": "POST", "body": envelope, "encode": "xml"},
    )
    provider = scripted(items(1, 2), items())

    read(config, provider, Call(params={"q": "<&'"}))

    first, second = ((request.body or b"").decode() for request in provider.requests)
    assert first.endswith("<Page>1</Page><Count>2</Count><Q a='&lt;&amp;&apos;'/></Filter>")
    assert first.replace("<Page>1<", "<Page>2<") == second
    assert "text/xml; charset=utf-8" == provider.requests[0].header("content-type")


def test_P15_a_cursor_in_an_xml_body_is_escaped() -> None:
    """A provider's cursor cannot add markup to the request."""
    config = connector(
        {"type": "cursor", "cursor_field": "next", "cursor_param": "c", "cursor_in": "template", "first_cursor": "0"},
        {"method": "POST", "body": "<C>{c}</C>", "encode": "xml"},
    )
    provider = scripted(items(1, next="</C><Admin/>"), items(2))

    read(config, provider)

    assert b"<C>&lt;/C&gt;&lt;Admin/&gt;</C>" == provider.requests[1].body


def test_P15_a_graphql_cursor_can_be_resumed() -> None:
    """The variable keeps its place in the body, from whichever page the read goes on."""
    paging = {
        "type": "cursor",
        "cursor_field": "page.end",
        "cursor_param": "variables.after",
        "cursor_in": "body",
        "first_cursor": None,
        "stop_field": "page.more",
        "stop_when": False,
    }
    config = connector(paging, {"method": "POST", "body": {"query": "query($after: String) { rows }"}})

    def serve(request: Request) -> Response:
        begin = int(json.loads(request.body or b"")["variables"]["after"] or 0)
        return answer({"items": rows(begin + 1, begin + 2), "page": {"end": str(begin + 2), "more": begin < 4}})

    assert_resumable(config, lambda: serve, rows(1, 6))


# What a config may not say.


@pytest.mark.parametrize(
    ("pagination", "problem"),
    [
        ({**PAGE, "then": {"after_records": 1, "pagination": {"type": "offset", "offset_param": "o"}}}, "counts too"),
        (
            {"type": "cursor", "cursor_field": "c", "seed": {"operation": "nope", "field": "x"}},
            'no other operation "nope"',
        ),
        ({"type": "cursor", "cursor_field": "c", "continue_with": "list"}, 'no other operation "list"'),
        (
            {"type": "cursor", "cursor_field": "c", "first_cursor": "*", "seed": {"operation": "get", "field": "x"}},
            'stands beside "first_cursor"',
        ),
        (
            {
                "type": "cursor",
                "cursor_field": "c",
                "continue_with": "get",
                "seed": {"operation": "get", "field": "x"},
            },
            'stands beside "seed"',
        ),
        ({"type": "cursor", "cursor_field": [], "cursor_param": "c"}, "is empty"),
        ({"type": "cursor", "cursor_field": [{"path": "c"}], "cursor_param": "c"}, '"url_param" is missing'),
        ({"type": "cursor", "cursor_field": ["a[*]"], "cursor_param": "c"}, "one value is meant here"),
    ],
)
def test_stages_that_contradict_themselves_are_refused(pagination: dict[str, Any], problem: str) -> None:
    """When the config is read, with the place."""
    with pytest.raises(ConfigWrong) as wrong:
        resource(list={"pagination": pagination}, get={"path": "/one"})

    assert problem in str(wrong.value)


def test_P20_a_token_for_another_config_is_refused() -> None:
    """A position of two stages means nothing to a listing that has one."""
    with pytest.raises(ProviderBusy) as busy:
        read(connector(HYBRID), scripted(BUSY))
    one_stage = {word: value for word, value in HYBRID.items() if word != "then"}

    with pytest.raises(CallWrong, match="of another read"):
        read(connector(one_stage), scripted(), Call(resume=busy.value.resume))


def test_P24_broken_off_twice_at_the_same_request() -> None:
    """A resumed read that is throttled at once gives the same place again."""
    broken = iter([False, True, True, True])

    assert rows(1, 5) == in_pieces(resource(**FOLDER), folder, lambda *_: next(broken, False), params={"folder": "/a"})
