"""Drafts: where values are placed, what is encoded when, and what is refused."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connproof import config, draft
from connproof.draft import Draft, as_text, encoded, has_parameter, segment
from connproof.errors import CallWrong, LimitExceeded, ProviderBroke
from connproof.model import Placement, Query
from connproof.places import JsonValue

URL = "https://api.example.com/v1/things"
GET = Draft("GET", URL)
POST = Draft("POST", URL, body={"filter": {"a": 1}, "page": None})


# Texts.


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", ""),
        ("a b", "a b"),
        (0, "0"),
        (False, "false"),
        (True, "true"),
        (1.5, "1.5"),
        (10**20, "100000000000000000000"),
        (-1, "-1"),
    ],
)
def test_a_scalar_has_one_text(value: JsonValue, expected: str) -> None:
    """Presence, not truth: 0, false and "" are values."""
    assert expected == as_text(value)


@pytest.mark.parametrize(("value", "kind"), [(None, "null"), ({}, "an object"), ([], "a list")])
def test_what_has_no_text_is_refused(value: JsonValue, kind: str) -> None:
    """A path that points at an object was meant to point inside it."""
    with pytest.raises(ProviderBroke, match=f"{kind} cannot be sent back as a parameter"):
        as_text(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a/b", "a%2Fb"),
        ("../admin", "..%2Fadmin"),
        ("%2e%2e%2f", "%252e%252e%252f"),
        ("a?x=1", "a%3Fx%3D1"),
        ("a#b", "a%23b"),
        ("é \n", "%C3%A9%20%0A"),
        ("...", "..."),
        ("a-b_c.d~e", "a-b_c.d~e"),
        ("{id}", "%7Bid%7D"),
    ],
)
def test_a_path_parameter_is_one_segment(value: str, expected: str) -> None:
    """S12: whatever it holds, it cannot become two segments or a query."""
    assert expected == segment("id", value)


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_a_segment_that_leads_elsewhere_is_refused(value: str) -> None:
    """S12: no encoding can hold these in place."""
    with pytest.raises(CallWrong, match=r'the path parameter "id" is'):
        segment("id", value)


# The query.


@given(
    st.lists(
        st.tuples(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
    )
)
def test_query_pairs_come_back_as_they_went(pairs: list[tuple[str, str]]) -> None:
    """Whatever stands in a name or a value, a server reads the same pairs in the same order."""
    request = Draft("GET", URL, tuple(pairs)).request()

    assert pairs == parse_qsl(urlsplit(request.url).query, keep_blank_values=True, separator="&")
    assert request.url.isascii()
    assert request.url.partition("?")[0] == URL


def test_reserved_characters_are_encoded() -> None:
    """Space is %20 and plus is %2B: nothing is left for servers to read two ways."""
    assert "page%5Bafter%5D=a%20%2B%2F%3D%26" == encoded((("page[after]", "a +/=&"),))


def test_a_query_is_added_to_one_that_stands() -> None:
    """A base URL or a followed one may have a query already."""
    assert f"{URL}?a=1&b=2" == Draft("GET", f"{URL}?a=1", (("b", "2"),)).request().url


def test_the_same_name_may_be_sent_several_times() -> None:
    """A list in the config is several pairs."""
    assert f"{URL}?id=1&id=2" == Draft("GET", URL, (("id", "1"), ("id", "2"))).request().url


@pytest.mark.parametrize(
    ("url", "name", "expected"),
    [
        ("https://a/?limit=1", "limit", True),
        ("https://a/?x=1&page%5Bsize%5D=2", "page[size]", True),
        ("https://a/?page+size=2", "page size", True),
        ("https://a/?limit", "limit", True),
        ("https://a/?limits=1", "limit", False),
        ("https://a/?x=limit", "limit", False),
        ("https://a/limit=1", "limit", False),
        ("https://a/?x=1#limit=1", "limit", False),
        ("https://a/", "", False),
        ("https://a/?x=a?limit=1", "limit", False),
    ],
)
def test_a_parameter_is_seen_however_it_is_encoded(url: str, name: str, expected: bool) -> None:
    """A parameter that a followed URL has is not sent a second time."""
    if name:
        assert expected is has_parameter(url, name)
    else:
        assert has_parameter(url, name) is True  # no query is one empty pair; no config can name the empty name


# Placing.


@pytest.mark.parametrize("where", ["query", "header", "body"])
@given(value=st.text(alphabet=st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1))
def test_placing_twice_is_placing_once(where: Placement, value: str) -> None:
    """A value replaces the one that stood there: no page sends two cursors."""
    base = Draft("POST", URL, (("q", "{after}"),))
    once = base.placed(where, "after", value)

    assert once == base.placed(where, "after", "first").placed(where, "after", value)
    assert once == once.placed(where, "after", value)


def test_a_value_in_the_query_replaces_every_old_one() -> None:
    """The config's own parameter of this name gives way; the others stay in order."""
    base = Draft("GET", URL, (("after", "a"), ("x", "1"), ("after", "b")))

    assert (("x", "1"), ("after", "0")) == base.placed("query", "after", 0).query


def test_a_value_in_a_header_replaces_the_old_one() -> None:
    """Header names are compared without case and kept in lower case."""
    base = Draft("GET", URL, headers=(("x-after", "a"),))

    assert (("x-after", "true"),) == base.placed("header", "X-After", True).request().headers


@pytest.mark.parametrize(
    ("name", "value", "body"),
    [
        ("after", "c", {"filter": {"a": 1}, "page": None, "after": "c"}),
        ("filter.after", 0, {"filter": {"a": 1, "after": 0}, "page": None}),
        ("page.after", None, {"filter": {"a": 1}, "page": {"after": None}}),
        ('["a.b"]', [1], {"filter": {"a": 1}, "page": None, "a.b": [1]}),
    ],
)
def test_a_value_in_the_body_keeps_its_class(name: str, value: JsonValue, body: JsonValue) -> None:
    """A number stays a number; missing objects on the way are made; the base draft is as it was."""
    placed = POST.placed("body", name, value)

    assert body == placed.body
    assert json.dumps(body, separators=(",", ":")).encode() == placed.request().body
    assert {"filter": {"a": 1}, "page": None} == POST.body


def test_a_body_is_made_where_there_is_none() -> None:
    """A search without filters still sends its cursor."""
    request = Draft("POST", URL).placed("body", "page.after", "c").request()

    assert b'{"page":{"after":"c"}}' == request.body
    assert "application/json" == request.header("content-type")


@pytest.mark.parametrize("body", ["<xml/>", [1], {"page": "text"}])
def test_a_body_without_such_a_place_is_refused(body: JsonValue) -> None:
    """A caller's own body of another shape is an error of the call, not lost and not a crash."""
    with pytest.raises(CallWrong, match=r"the body has no place for 'page\.after'"):
        Draft("POST", URL, body=body).placed("body", "page.after", "c")


# Braces.


def test_braces_are_filled_in_every_text() -> None:
    """Query values, headers and texts inside the body; never a member's name."""
    base = Draft("POST", URL, (("q", "a {n} {n}"),), (("x-n", "<{n}>"),), {"{n}": ["{n}", {"k": "{n}", "i": 1}]})

    request = base.placed("template", "n", 2).request()

    assert f"{URL}?q=a%202%202" == request.url
    assert "<2>" == request.header("x-n")
    assert b'{"{n}":["2",{"k":"2","i":1}]}' == request.body


def test_braces_in_the_path_are_filled_with_a_segment() -> None:
    """P15: a position in the path is encoded, so that it stays in its place."""
    base = Draft("GET", f"{URL}/from/{{cursor}}/rows")

    assert f"{URL}/from/a%2Fb%3F/rows" == base.placed("template", "cursor", "a/b?").request().url


def test_a_text_body_is_sent_as_it_is() -> None:
    """XML or GraphQL as text: filled, encoded as UTF-8, and no content type is made up."""
    request = Draft("POST", URL, body="<é n='{n}'/>").placed("template", "n", "1").request()

    assert "<é n='1'/>".encode() == request.body
    assert request.header("content-type") is None


GRAPHQL = "query { things(first: {first}) { nodes { id } pageInfo { endCursor } } } fragment F on T {id}"


def test_braces_that_nobody_fills_stay() -> None:
    """A GraphQL document is full of them."""
    request = Draft("POST", URL, body={"query": GRAPHQL}).placed("template", "first", 50).request()

    assert {"query": GRAPHQL.replace("{first}", "50")} == json.loads(request.body or b"")


def test_a_filled_text_is_not_filled_again() -> None:
    """A value that looks like a name in braces is a value."""
    base = Draft("GET", URL, (("q", "{a}"),)).filled({"a": "{b}", "b": "never"})

    assert f"{URL}?q=%7Bb%7D" == base.request().url


def test_braces_are_filled_once() -> None:
    """Each page is drafted anew: what stands in braces is there for one value."""
    once = Draft("GET", URL, (("q", "{after}"),)).placed("template", "after", "1")

    assert once == once.placed("template", "after", "2")


def test_a_cursor_is_never_read_as_a_template() -> None:
    """The config's braces are filled before anything from outside is placed."""
    base = Draft("POST", URL, (("v", "{api_version}"),), body={}).filled({"api_version": "v3"})

    request = base.placed("query", "after", "{api_version}").placed("body", "cursor", "{api_version}").request()

    assert f"{URL}?v=v3&after=%7Bapi_version%7D" == request.url
    assert {"cursor": "{api_version}"} == json.loads(request.body or b"")


def test_drafts_and_configs_mean_the_same_braces() -> None:
    """What the config accepts as a name in braces, a draft fills."""
    assert config.BRACES.pattern == draft._BRACES.pattern


# What every request has beside its own.


def test_own_parameters_win_over_common_ones() -> None:
    """A parameter of the operation, or a placed one, replaces the connector's of that name."""
    base = Draft("GET", URL, (("b", "own"),), common=(("a", "1"), ("b", "common"), ("c", "1")))

    assert f"{URL}?a=1&c=1&b=own" == base.request().url
    assert f"{URL}?a=1&b=own&c=2" == base.placed("query", "c", 2).request().url


# Following.

FOLLOWED = "https://api.example.com/v1/things?cursor=a%2Fb+c&LIMIT=5&limit=7"


@pytest.mark.parametrize(("keep_own", "expected"), [(False, FOLLOWED), (True, f"{FOLLOWED}&v=2&fields=a%2Cb&Limit=1")])
def test_a_followed_url_stays_as_written(keep_own: bool, expected: str) -> None:
    """Byte for byte; kept parameters are added where the URL lacks them, by exact name."""
    base = Draft(
        "GET", URL, (("fields", "a,b"), ("limit", "50"), ("Limit", "1")), (("x-a", "1"),), common=(("v", "2"),)
    )

    request = base.following(FOLLOWED, keep_own=keep_own).request()

    assert expected == request.url
    assert (("x-a", "1"),) == request.headers


def test_braces_in_a_followed_url_are_the_providers() -> None:
    """A name in braces that comes from the provider is not ours to fill."""
    base = Draft("GET", URL).filled({"tenant": "t"})

    assert f"{URL}?q={{tenant}}" == base.following(f"{URL}?q={{tenant}}", keep_own=False).request().url


# Headers that cannot be sent.


@pytest.mark.parametrize("value", ["a\r\nx-admin: 1", "a\n", "\x00", "\x7f", "\u4e2d"])
def test_an_unsendable_header_is_refused(value: str) -> None:
    """S13: from a credential, a parameter or the provider, no line break and nothing beyond Latin-1 goes out."""
    with pytest.raises(CallWrong, match='the header "x-key" has a character that no header may have'):
        GET.with_header("X-Key", value).request()
    with pytest.raises(CallWrong, match='the header "x-t" has a character that no header may have'):
        Draft("GET", URL, headers=(("x-t", "{t}"),)).filled({"t": value}).request()
    with pytest.raises(ProviderBroke, match='the header "x-after" would hold a character'):
        GET.placed("header", "X-After", value)


@pytest.mark.parametrize("name", ["x key", "x:key", "x\r\nkey", "", ":authority"])
def test_an_unsendable_header_name_is_refused(name: str) -> None:
    """S14: a raw call's own header names are held to the same form."""
    with pytest.raises(CallWrong, match="has a character that no header may have"):
        GET.with_header(name, "1").request()


def test_a_refused_header_is_not_shown() -> None:
    """It may be a credential."""
    with pytest.raises(CallWrong) as refused:
        GET.with_header("authorization", "Bearer s3cret\n").request()

    assert "s3cret" not in str(refused.value)


def test_an_endless_url_is_refused() -> None:
    """A cursor of a megabyte is not sent, and not cut."""
    with pytest.raises(LimitExceeded, match="the URL would be too long"):
        GET.placed("query", "after", "x" * 40_000).request()


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_a_position_in_the_path_that_leads_elsewhere_is_refused(value: str) -> None:
    """The provider's own cursor cannot climb out of its place."""
    with pytest.raises(ProviderBroke, match="no segment of a path"):
        Draft("GET", f"{URL}/{{cursor}}/x").placed("template", "cursor", value)


# The request.


def test_a_bare_draft_is_a_bare_request() -> None:
    """No query, no header and no body that nobody asked for."""
    request = GET.request()

    assert ("GET", URL, (), None) == (request.method, request.url, request.headers, request.body)


def test_an_own_content_type_stays() -> None:
    """Some providers want their own JSON type."""
    base = Draft("POST", URL, headers=(("content-type", "application/scim+json"),), body={})

    assert (("content-type", "application/scim+json"),) == base.request().headers


def test_a_json_body_is_compact_utf8() -> None:
    """One form, so that recordings compare."""
    assert '{"ü":[1,"é"]}'.encode() == Draft("POST", URL, body={"ü": [1, "é"]}).request().body


@pytest.mark.parametrize("query", [(), (("a", "1"),)])
def test_a_draft_is_a_value(query: Query) -> None:
    """Every step gives a new draft."""
    base = Draft("POST", URL, query)

    base.placed("query", "x", 1)
    base.placed("template", "x", 1)
    base.with_header("x", "1")
    base.following("https://b/", keep_own=False)

    assert Draft("POST", URL, query) == base
