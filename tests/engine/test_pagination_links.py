"""Following links: the header, next URLs in bodies, whose bytes are sent, and where nothing is sent at all."""

from __future__ import annotations

from typing import Any

import pytest

from connproof.errors import ForeignNextLink, ProviderBroke
from connproof.places import JsonValue
from connproof.run import Call
from scripted import BASE, answer, connector, items, read, rows, scripted

LINK: dict[str, Any] = {"type": "link_header"}
NEXT: dict[str, Any] = {"type": "next_url", "next_url_field": "next"}


# P5: the Link header, through a read. Its grammar has tests of its own.


@pytest.mark.parametrize(
    "lines",
    [
        [f'<{BASE}/rows?ids=1,2;3>; rel="next"'],
        [f"<{BASE}/rows?ids=1,2;3>;rel=next"],
        [f'<{BASE}/rows?p=1>; rel="prev"', f'<{BASE}/rows?ids=1,2;3>; REL="Next"'],
        [f'<{BASE}/old>; rel="deprecation"; title="a, b", <{BASE}/rows?ids=1,2;3>; rel="last next"'],
        ['</v1/rows?ids=1,2;3>; title="x; rel=prev"; rel=next'],
    ],
    ids=["comma and semicolon inside", "unquoted, no space", "several lines", "several relations", "path only"],
)
def test_P5_link_header_leads_on(lines: list[str]) -> None:
    """Every legal way to write the next link leads to the same request."""
    provider = scripted(answer({"items": rows(1, 1)}, *(("link", line) for line in lines)), items(2))

    assert rows(1, 2) == read(connector(LINK), provider)
    assert ["/rows", "/rows?ids=1,2;3"] == provider.asked


@pytest.mark.parametrize(
    "line",
    [
        f'<{BASE}/rows?p=2>; rel="prev"',
        f'<{BASE}/rows?p=2>; rel="deprecation"; title="rel=next"',
        f'<{BASE}/rows?p=2>; rel="nextish"',
        f'<{BASE}/rows?p=2>; rel="next"; anchor="https://api.example/other"',
        "",
    ],
)
def test_P5_other_links_end_the_read(line: str) -> None:
    """A link that is not this page's next one is not followed."""
    provider = scripted(answer({"items": rows(1, 1)}, ("link", line)))

    assert rows(1, 1) == read(connector(LINK), provider)
    assert "the page names no next one" == provider.ended


def test_P5_header_and_relation_can_be_named() -> None:
    """A provider with its own header and relation has both declared; the header's case does not count."""
    config = connector({**LINK, "header": "X-Links", "rel": "older"})
    provider = scripted(answer({"items": rows(1, 1)}, ("x-links", f"<{BASE}/rows?p=2>; rel=Older")), items(2))

    assert rows(1, 2) == read(config, provider)


def test_P5_two_next_links_are_an_error() -> None:
    """Two different next pages: following either would be a guess."""
    line = f"<{BASE}/rows?p=2>; rel=next, <{BASE}/rows?p=3>; rel=next"
    provider = scripted(answer({"items": rows(1, 1)}, ("link", line)))

    with pytest.raises(ProviderBroke, match="ambiguous_next"):
        read(connector(LINK), provider)

    assert 1 == len(provider.requests)


# P6: the URL as it stands.


@pytest.mark.parametrize(
    ("reference", "sent"),
    [
        (f"{BASE}/rows?after=a%2Fb%20c+d%2f&x=%7Ey", f"{BASE}/rows?after=a%2Fb%20c+d%2f&x=%7Ey"),
        ("/v1/rows?after=2", f"{BASE}/rows?after=2"),
        ("?after=2", f"{BASE}/rows?after=2"),
        ("rows/more?after=2", f"{BASE}/rows/more?after=2"),
        ("//api.example/v1/rows?after=2", f"{BASE}/rows?after=2"),
        (f"{BASE}/rows?q='x'|\"y\"&filter[a]={{b}}", f"{BASE}/rows?q='x'|\"y\"&filter[a]={{b}}"),
        ("?q=é", f"{BASE}/rows?q=%C3%A9"),
        ("https://API.example:443/v1/rows?p=2", "https://API.example:443/v1/rows?p=2"),
    ],
)
def test_P6_next_url_is_sent_as_it_stands(reference: str, sent: str) -> None:
    """Absolute, path-only and query-only forms are resolved; no byte that the provider encoded is encoded again."""
    provider = scripted(items(1, next=reference), items(2))

    assert rows(1, 2) == read(connector(NEXT), provider)
    assert sent == provider.requests[1].url


@pytest.mark.parametrize("last", [{}, {"next": None}, {"next": ""}], ids=["absent", "null", "empty"])
def test_P6_next_url_ends_when_there_is_none(last: dict[str, JsonValue]) -> None:
    """An absent, a null and an empty next URL all end the read."""
    assert rows(1, 1) == read(connector(NEXT), scripted(items(1, **last)))


@pytest.mark.parametrize("seen", [0, False, {"href": "/v1/rows?p=2"}, ["/v1/rows?p=2"]])
def test_P6_next_url_that_is_no_text_is_an_error(seen: JsonValue) -> None:
    """What is there but is no URL is not the end."""
    with pytest.raises(ProviderBroke, match="the next URL is not a text"):
        read(connector(NEXT), scripted(items(1, next=seen)))


def test_P16_next_url_under_a_quoted_name() -> None:
    """A member name with a dot or an at sign is quoted in the path."""
    provider = scripted(answer({"items": rows(1, 1), "@odata.nextLink": f"{BASE}/rows?$skiptoken=x"}), items(2))

    assert rows(1, 2) == read(connector({**NEXT, "next_url_field": '["@odata.nextLink"]'}), provider)
    assert "/rows?$skiptoken=x" == provider.asked[1]


def test_P6_relative_link_is_resolved_against_the_page_that_named_it() -> None:
    """The second page's query-only link belongs to the second page's path."""
    provider = scripted(items(1, next="/v1/scroll/7?p=2"), items(2, next="?p=3"), items(3))

    assert rows(1, 3) == read(connector(NEXT), provider)
    assert ["/rows", "/scroll/7?p=2", "/scroll/7?p=3"] == provider.asked


# P7: no request to another origin.


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/v1/rows?p=2",
        "http://api.example/v1/rows?p=2",
        "https://api.example:8443/v1/rows?p=2",
        "//evil.example/rows",
        "https://api.example@evil.example/rows",
        "https:evil.example/rows",
        "/\\evil.example/rows",
        "@evil.example/rows",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://api.example.evil.example/rows",
    ],
)
@pytest.mark.parametrize("kind", ["link_header", "next_url"])
def test_P7_foreign_next_link_is_refused(kind: str, target: str) -> None:
    """A link to another scheme, host or port is an error, and nothing is sent there."""
    config = connector(LINK if kind == "link_header" else NEXT)
    provider = scripted(answer({"items": rows(1, 1), "next": target}, ("link", f"<{target}>; rel=next")))

    with pytest.raises(ForeignNextLink):
        read(config, provider)

    assert ["/rows"] == provider.asked


def test_P7_allowed_origin_may_be_followed() -> None:
    """A further origin is followed where the config allows it."""
    provider = scripted(items(1, next="https://eu.api.example/v1/rows?p=2"), items(2))

    assert rows(1, 2) == read(connector(NEXT, allowed_origins=["https://eu.api.example"]), provider)


def test_P7_error_shows_no_query() -> None:
    """The query of a foreign link may hold a credential: the error leaves it out."""
    provider = scripted(items(1, next="https://evil.example/v1/rows?token=s3cret"))

    with pytest.raises(ForeignNextLink) as said:
        read(connector(NEXT), provider)

    assert "evil.example" in str(said.value)
    assert "s3cret" not in str(said.value)


# P8 and P9: the operation's own parameters after page 1.

FILTERS: dict[str, JsonValue] = {"query": {"status": "open", "expand": ["a", "b"]}}
SIZE: dict[str, JsonValue] = {"page_size_param": "limit", "default_page_size": 2}


def test_P8_own_params_are_dropped_for_a_followed_url() -> None:
    """A next URL is complete as it stands: neither filters nor page size are added to it."""
    provider = scripted(items(1, next="?after=2"), items(2))

    read(connector({**NEXT, **SIZE}, FILTERS), provider)

    assert ["/rows?status=open&expand=a&expand=b&limit=2", "/rows?after=2"] == provider.asked


def test_P8_own_params_are_added_where_the_config_keeps_them() -> None:
    """With `keep` the URL gets those that it lacks, each once."""
    provider = scripted(items(1, next="?after=2&status=open"), items(2))

    read(connector({**NEXT, "own_params": "keep"}, FILTERS), provider)

    assert "/rows?after=2&status=open&expand=a&expand=b" == provider.asked[1]


def test_P8_cursor_as_the_sole_parameter() -> None:
    """Some providers refuse any parameter beside a cursor: with `drop` it goes alone, also without a page size."""
    config = connector({"type": "cursor", "cursor_field": "next", "own_params": "drop", **SIZE}, FILTERS)
    provider = scripted(items(1, next="c2"), items(2))

    read(config, provider, Call(query=(("since", "2026"),)))

    assert ["/rows?status=open&expand=a&expand=b&since=2026&limit=2", "/rows?next=c2"] == provider.asked


def test_P8_what_is_sent_with_every_request_stays() -> None:
    """`drop` is about the operation's own parameters: the connector's query and version go with every request."""
    config = connector(
        {"type": "cursor", "cursor_field": "next", "own_params": "drop"},
        FILTERS,
        query={"format": "json"},
        api_version={"value": "75", "in": "query", "name": "minor"},
    )
    provider = scripted(items(1, next="c2"), items(2))

    read(config, provider)

    assert "/rows?format=json&minor=75&next=c2" == provider.asked[1]


def test_P9_own_params_are_kept_beside_a_cursor() -> None:
    """Most providers want the very same parameters with each cursor."""
    provider = scripted(items(1, next="c2"), items(2, next="c3"), items(3))

    read(connector({"type": "cursor", "cursor_field": "next", **SIZE}, FILTERS), provider, Call(query=(("q", "x y"),)))

    own = "/rows?status=open&expand=a&expand=b&q=x%20y&limit=2"
    assert [own, f"{own}&next=c2", f"{own}&next=c3"] == provider.asked
