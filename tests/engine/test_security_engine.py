"""Hostile parameters, answers and expressions, through the engine: what is sent, what is given, what messages show."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest

from connproof.decode import Limits
from connproof.errors import (
    CallWrong,
    ConfigWrong,
    ConnproofError,
    ForeignNextLink,
    LimitExceeded,
    MappingFailed,
    PageUnreadable,
    PaginationLoop,
    ProviderBroke,
    ProviderBusy,
    ProviderSaid,
    RequestRefused,
)
from connproof.model import Account, Connector, Request, Response
from connproof.places import JsonValue
from connproof.run import Call, Engine, Record
from scripted import BASE, Provider, answer, connector, engine, items, read, rows, scripted

CANARY = "c4nary-S3cret-0f-Th1s-t3st"
ACCOUNT = Account("main", credentials={"api_key": CANARY, "access_token": CANARY})
CURSOR = {"type": "cursor", "cursor_field": "next"}


def given(config: Connector, provider: Provider, call: Call | None = None, **options: Any) -> list[Record]:
    """All records of the listing."""

    async def whole() -> list[Record]:
        return [record async for record in engine(config, provider, **options).read("rows", call=call)]

    return asyncio.run(whole())


# Parameters.


@pytest.mark.parametrize(
    "value", ["../admin", "%2e%2e%2f", "..%2f..", "a/b", "a\\b", "a?x=1", "a#b", "a\nb", "...", "{x}"]
)
def test_S12_path_parameter_stays_one_segment(value: str) -> None:
    """Read by anybody, the path has the segments that the config gave it, and the value is in its own."""
    provider = scripted(items())

    read(connector(None, {"path": "/users/{id}/rows"}), provider, Call(params={"id": value}))

    path = provider.requests[0].url.removeprefix("https://api.example")
    assert path.isascii() and "?" not in path and "#" not in path and "\\" not in path
    assert ["", "v1", "users", value, "rows"] == [unquote(segment) for segment in path.split("/")]


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_S12_path_parameter_that_is_another_path_is_refused(value: str) -> None:
    """An empty segment and dots name another path however they are encoded."""
    provider = scripted()

    with pytest.raises(CallWrong, match="one non-empty segment"):
        read(connector(None, {"path": "/users/{id}/rows"}), provider, Call(params={"id": value}))

    assert [] == provider.requests


@pytest.mark.parametrize("value", ["a\rb", "a\nb", "a\r\nx-admin: 1", "a\0b", "\u20ac", "a\x7f", "\n"])
def test_S13_value_that_no_header_may_hold_is_refused(value: str) -> None:
    """Nothing is cut off, nothing is sent."""
    provider = scripted()

    with pytest.raises(CallWrong, match="x-shop"):
        read(connector(None, {"headers": {"X-Shop": "{shop}"}}), provider, Call(params={"shop": value}))

    assert [] == provider.requests


@pytest.mark.parametrize("value", ["a\rb", "a\r\nx-admin: 1", "a\0b", "\u20ac", "a&b=c", "a#b", "a b+c"])
def test_S13_value_in_a_query_is_one_value(value: str) -> None:
    """It is encoded, whatever it holds."""
    provider = scripted(items())

    read(connector(None, {"query": {"q": "{q}"}}), provider, Call(params={"q": value}))

    url = provider.requests[0].url
    assert url.isascii() and url.isprintable()
    assert value == unquote(url.partition("?q=")[2])
    assert 1 == url.count("=")


@pytest.mark.parametrize("ending", ["\n", "\r\nx-admin: 1", "\0", "\u20ac"])
def test_S13_credential_that_no_header_may_hold_is_refused(ending: str) -> None:
    """The commonest is a line break at the end of a pasted key; it is not shown."""
    provider = scripted()

    with pytest.raises(CallWrong) as said:
        read(
            connector(auth={"type": "bearer"}), provider, account=Account(credentials={"access_token": CANARY + ending})
        )

    assert [] == provider.requests
    assert CANARY not in str(said.value)


# Expressions.

HOST = [
    "__class__",
    "$.__class__",
    "$.__class__.__mro__",
    "$.constructor",
    "constructor.constructor",
    "$._x",
    "$.__dict__",
    "name.__class__",
    "name.__len__",
    "$lookup($, '__class__')",
    "$lookup(name, '__class__')",
    "$string.__globals__",
    "$sum.__code__",
    "$now.__init__",
    "$id.function",
    "$account.__class__",
    "$each($account, function($v, $k) { $v.__class__ })",
    "$__builtins__",
    "$import",
    "$require",
    "$globalThis",
    "$$.__proto__",
]


def mapped(expression: str, record: JsonValue) -> list[Record]:
    unified = {"crm.contact": {"resource": "rows", "fields": {"x": expression}}}
    provider = scripted(answer({"items": [record]}))
    return given(connector(unified=unified), provider, account=ACCOUNT)


@pytest.mark.parametrize("expression", HOST)
def test_S21_host_attributes_are_nothing(expression: str) -> None:
    """A record is data: what Python knows of its objects is not there."""
    assert [{}] == mapped(expression, {"name": "a"})


@pytest.mark.parametrize("name", ["__class__", "constructor", "__proto__", "_x"])
def test_S21_such_a_name_is_an_ordinary_one(name: str) -> None:
    """Where the provider's record has it, it is a member like any other."""
    assert [{"x": "data"}] == mapped(f"$.{name}", {name: "data"})


@pytest.mark.parametrize(
    "expression", ["$sum", "function($x) { $x }", "[$now]", "{'f': $string}", "$registerFunction('a', 1)"]
)
def test_S21_no_function_is_given_or_registered(expression: str) -> None:
    """A result is JSON, or an error that says where."""
    try:
        found = mapped(expression, {"name": "a"})
    except (MappingFailed, ConfigWrong) as refused:
        assert "x" in str(refused)  # noqa: PT017 either outcome is right
    else:
        assert json.dumps(found) in {"[{}]", '[{"x": []}]', '[{"x": {}}]'}


@pytest.mark.parametrize(
    "expression",
    [
        "$account",
        "$connector",
        "$resource",
        "$$",
        "$auth",
        "$auth.token",
        "$credentials",
        "$token",
        "$secrets",
        "$env",
        "$request",
        "$headers",
        "$account.credentials",
        "$account.**",
        "$merge([$account, $connector, $resource, $])",
        "$keys($account)",
        "$lookup($account, 'credentials')",
    ],
)
def test_S33_expressions_see_no_credential(expression: str) -> None:
    """They are bound to names of account, connector and resource, and to nothing that is secret."""
    found = mapped(f"$string({expression})", {"name": "a"})

    assert CANARY not in json.dumps(found)


@pytest.mark.parametrize("path", ["$.auth.token", "auth.token", "account.credentials", '["$auth"]'])
def test_S33_paths_see_no_credential(path: str) -> None:
    """A path looks into the response alone."""
    config = connector({**CURSOR, "cursor_field": path, "cursor_param": "after"}, auth={"type": "bearer"})
    provider = scripted(items(1))

    read(config, provider, account=ACCOUNT)

    assert ["/rows"] == provider.asked


# Answers.

HOSTILE_BODIES = {
    "NaN": b'{"items": [{"id": NaN}]}',
    "Infinity": b'{"items": [{"id": -Infinity}]}',
    "1e999": b'{"items": [{"id": 1e999}]}',
    "5,000 digits": b'{"items": [' + b"9" * 5000 + b"]}",
    "lone surrogate": b'{"items": ["\\ud800"]}',
    "byte order mark": b'\xef\xbb\xbf{"items": []}',
    "UTF-16": '{"items": []}'.encode("utf-16"),
    "Latin-1": '{"items": ["é"]}'.encode("latin-1"),
    "100,000 brackets": b'{"items": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "100,000 brackets open": b"[" * 100_000,
    "300 levels": b'{"items": ' + b"[" * 300 + b"]" * 300 + b"}",
}


@pytest.mark.parametrize("name", HOSTILE_BODIES)
def test_S25_hostile_json_in_an_answer_is_an_error(name: str) -> None:
    """Typed, placed and short; the read could go on."""
    provider = scripted(Response(200, (("content-type", "application/json"),), HOSTILE_BODIES[name]))

    with pytest.raises((PageUnreadable, LimitExceeded)) as said:
        read(connector(), provider)

    assert str(said.value.facts["asked"]).startswith("sample.rows.list, page 1")
    assert said.value.resume is not None
    assert len(str(said.value)) < 1000


@pytest.mark.parametrize("name", HOSTILE_BODIES)
def test_S25_raw_gives_the_bytes_as_they_came(name: str) -> None:
    """What cannot be read can still be passed on."""
    provider = scripted(Response(200, (("content-type", "application/json"),), HOSTILE_BODIES[name]))

    found = asyncio.run(Engine(connector(), provider).raw("GET", "/rows"))

    assert HOSTILE_BODIES[name] == found.body


def test_S29_page_of_a_million_records_is_an_error_where_a_bound_is_declared() -> None:
    """None of them is given: a part would look like the whole."""
    million = b'{"items": [' + b"1," * 999_999 + b"1]}"
    provider = scripted(Response(200, (("content-type", "application/json"),), million))
    seen: list[Record] = []

    with pytest.raises(LimitExceeded, match="more than 500000 records"):
        read(connector({"type": "page", "page_param": "page", "max_records": 500_000}), provider, into=seen)

    assert [] == seen


def test_S29_body_beyond_the_bound_is_an_error() -> None:
    """One string of 50 MB is a body of 50 MB; the bound is on bytes, and is not a cut."""
    body = b'{"items": ["' + b"x" * 50_000_000 + b'"]}'
    provider = scripted(Response(200, (("content-type", "application/json"),), body))

    with pytest.raises(LimitExceeded, match="larger than 10,000,000 bytes") as said:
        given(connector(), provider, limits=Limits(body_bytes=10_000_000))

    assert len(str(said.value)) < 1000


def loop_of(name: str) -> tuple[Connector, Provider]:
    """A provider that never ends, and a connector that reads it."""
    count = iter(range(1, 10_000))
    texts: dict[str, tuple[dict[str, Any], Any]] = {
        "cursor A, A": (CURSOR, lambda n: items(n, next="A")),
        "cursor A, B, A, B": (CURSOR, lambda n: items(n, next="AB"[n % 2])),
        "cursor A, B, C, A": (CURSOR, lambda n: items(n, next="ABC"[n % 3])),
        "empty pages": (CURSOR, lambda n: items(next=str(n))),
        "next URL": ({"type": "next_url", "next_url_field": "next"}, lambda n: items(n, next=f"{BASE}/rows?p={n % 4}")),
        "offset that is ignored": ({"type": "offset", "offset_param": "offset"}, lambda _: items(1, 2)),
        "page that is ignored": ({"type": "page", "page_param": "page"}, lambda _: items(1, 2)),
        "total that grows": (
            {"type": "offset", "offset_param": "offset", "total_field": "total"},
            lambda n: items(n, total=n + 1),
        ),
    }
    paging, respond = texts[name]
    return connector({**paging, "max_pages": 50}, {"key": "id"}), Provider(lambda _: respond(next(count)))


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("cursor A, A", 2),
        ("cursor A, B, A, B", 3),
        ("cursor A, B, C, A", 4),
        ("next URL", 5),
        ("offset that is ignored", 2),
        ("page that is ignored", 2),
    ],
)
def test_S30_loop_ends_in_an_error(name: str, asked: int) -> None:
    """Whatever was asked or got before, not only just before, ends the read."""
    config, provider = loop_of(name)

    with pytest.raises(PaginationLoop):
        read(config, provider)

    assert asked == len(provider.requests)


@pytest.mark.parametrize("name", ["empty pages", "total that grows"])
def test_S30_endless_listing_ends_at_its_bound(name: str) -> None:
    """Where each page is a new one, the declared number of pages is the end, as an error."""
    config, provider = loop_of(name)

    with pytest.raises(LimitExceeded, match="more than 50 pages"):
        read(config, provider)

    assert 50 == len(provider.requests)


def test_S30_constant_handle_is_allowed_where_it_is_declared() -> None:
    """A handle that stays the same is no loop where the config says so."""
    provider = scripted(items(1, next="A"), items(2, next="A"), items(3))

    assert rows(1, 3) == read(connector({**CURSOR, "allow_repeats": True}), provider)


@pytest.mark.parametrize("place", ["query", "body", "header", "template"])
def test_S31_cursor_of_a_megabyte_is_refused(place: str) -> None:
    """Wherever it would go; and it is in no resume token either."""
    provider = scripted(items(1, next="x" * 1_000_000))
    paging = {**CURSOR, "cursor_param": "after", "cursor_in": place, "first_cursor": "0"}
    operation = {"method": "POST", **({"path": "/rows/{after}"} if place == "template" else {})}

    with pytest.raises(LimitExceeded, match="too long") as said:
        read(connector(paging, operation), provider)

    assert 1 == len(provider.requests)
    assert len(said.value.resume or "") < 1000
    assert len(str(said.value)) < 1000


@pytest.mark.parametrize("cursor", ["a\r\nx-admin: 1", "a\nb", "a\0b", "\u20ac"])
def test_S31_cursor_with_a_line_break_forges_no_header(cursor: str) -> None:
    """It is the provider's fault, and nothing is sent."""
    provider = scripted(items(1, next=cursor))

    with pytest.raises(ProviderBroke, match='"x-after" would hold a character'):
        read(connector({**CURSOR, "cursor_param": "x-after", "cursor_in": "header"}), provider)

    assert 1 == len(provider.requests)


@pytest.mark.parametrize(
    "cursor", ["https://evil.example/", "//evil.example", "a\r\nb", "../x?y#z", "{version}", "&admin=1"]
)
def test_S31_cursor_is_a_value_and_nothing_else(cursor: str) -> None:
    """A URL in it is not followed, and what it holds is encoded."""
    provider = scripted(items(1, next=cursor), items(2))

    read(connector(CURSOR), provider)

    second = provider.requests[1].url
    assert second.startswith(f"{BASE}/rows?next=")
    assert cursor == unquote(second.partition("?next=")[2])
    assert second.isascii() and second.isprintable()


@pytest.mark.parametrize("cursor", ["", ".", ".."])
def test_S31_cursor_leads_to_no_other_path(cursor: str) -> None:
    """In a path it is one segment, or nothing."""
    provider = scripted(items(1, next=cursor))
    paging = {**CURSOR, "cursor_param": "after", "cursor_in": "template", "first_cursor": "0"}

    if cursor:
        with pytest.raises(ProviderBroke, match="no segment of a path"):
            read(connector(paging, {"path": "/rows/{after}"}), provider)
    else:
        assert rows(1, 1) == read(connector(paging, {"path": "/rows/{after}"}), provider)

    assert ["/rows/0"] == provider.asked


# Messages.

QUERY_KEY = {"type": "api_key", "in": "query", "name": "api_key"}
BEARER = {"type": "bearer"}
ECHO = json.dumps({"error": f"bad token Bearer {CANARY}", "url": f"{BASE}/rows?api_key={CANARY}"}).encode()

ECHOES = {
    "401": Response(401, (("content-type", "application/json"), ("www-authenticate", f"Bearer {CANARY}")), ECHO),
    "400": Response(400, (("content-type", "application/json"),), ECHO),
    "429": Response(429, (("retry-after", "7"), ("x-echo", CANARY)), ECHO),
    "500 as text": Response(500, (("content-type", "text/html"),), f"<p>{CANARY}</p>".encode()),
    "302": Response(302, (("location", f"https://evil.example/?api_key={CANARY}"),)),
    "not JSON": Response(200, (("content-type", "application/json"),), b"Bearer " + CANARY.encode()),
    "a broken string": Response(200, (("content-type", "application/json"),), b'{"items": "' + CANARY.encode()),
    "another type": Response(200, (("content-type", "text/html"),), ECHO),
    "no list": Response(200, (("content-type", "application/json"),), json.dumps({"items": CANARY}).encode()),
    "foreign link": items(1, next=f"https://evil.example/rows?api_key={CANARY}"),
    "userinfo link": items(1, next=f"https://{CANARY}@api.example/rows"),
    "broken link": items(1, next=f"https:rows?api_key={CANARY}"),
    "looping link": items(1, next=f"{BASE}/rows?api_key={CANARY}"),
}


def failure(answered: Response, auth: dict[str, Any]) -> ProviderSaid:
    """How a read ends whose provider answers so, always."""
    config = connector({"type": "next_url", "next_url_field": "next"}, auth=auth)
    provider = Provider(lambda _: answered)
    with pytest.raises(ProviderSaid) as said:
        read(config, provider, account=ACCOUNT)
    assert any(CANARY in f"{request.url}{request.headers}" for request in provider.requests)
    return said.value


@pytest.mark.parametrize("auth", [QUERY_KEY, BEARER], ids=["query", "bearer"])
@pytest.mark.parametrize("echo", ECHOES)
def test_S34_no_text_of_an_error_shows_the_credential(echo: str, auth: dict[str, Any]) -> None:
    """Not its message, its facts, its repr or its headers, whatever the provider echoes."""
    error = failure(ECHOES[echo], auth)

    assert CANARY not in f"{error}{error!r}{error.facts}{error.fix}{error.headers}{error.args}"


FAULTS = {
    "401": Response(401),
    "302": Response(302, (("location", "/x"),)),
    "not JSON": Response(200, (("content-type", "application/json"),), b"{"),
    "no list": answer({"items": 1}),
    "foreign link": items(1, next="https://evil.example/rows"),
    "looping link": items(1, next=f"{BASE}/rows"),
}


@pytest.mark.parametrize("auth", [QUERY_KEY, BEARER], ids=["query", "bearer"])
@pytest.mark.parametrize("fault", FAULTS)
def test_S34_no_frame_of_a_traceback_shows_the_credential(fault: str, auth: dict[str, Any]) -> None:
    """Crash reporters print the local variables of every frame, of every error that hangs on this one."""
    shown = list(locals_of(failure(FAULTS[fault], auth)))

    assert shown
    assert [] == [name for name, text in shown if CANARY in text]


def locals_of(error: BaseException | None) -> Iterator[tuple[str, str]]:
    """Name and repr of every local variable of our own frames, through causes and contexts."""
    while error is not None:
        trace = error.__traceback__
        while trace is not None:
            code = trace.tb_frame.f_code
            if "/connproof/" in code.co_filename:
                for name, value in trace.tb_frame.f_locals.items():
                    yield f"{code.co_name}.{name}", repr(value)
            trace = trace.tb_next
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("echo", ["foreign link", "looping link", "302", "400", "not JSON"])
def test_S35_urls_are_shown_without_their_query(echo: str) -> None:
    """Where a URL is shown at all, it ends before what may be secret."""
    text = str(failure(ECHOES[echo], QUERY_KEY))

    assert "api_key" not in text
    assert "sample.rows.list" in text


def test_S35_values_have_no_repr() -> None:
    """What stands in a debugger or a log of objects is short, and no secret."""
    request = Request("GET", f"{BASE}/rows?api_key={CANARY}", (("authorization", CANARY),), CANARY.encode())
    response = Response(200, (("set-cookie", CANARY),), CANARY.encode())

    assert CANARY not in f"{request!r}{request}{response!r}{response}{ACCOUNT!r}{ACCOUNT}"


def test_S41_nothing_that_a_response_names_is_fetched() -> None:
    """Links to documentation, schemas and policies are read by people."""
    headers = (
        ("deprecation", "@1688169599"),
        ("sunset", "Wed, 11 Nov 2026 23:59:59 GMT"),
        ("link", '<https://evil.example/d>; rel="deprecation", <https://evil.example/s>; rel="sunset"'),
        ("link", '<https://evil.example/schema>; rel="describedby", </preload.js>; rel="preload"'),
        ("content-location", "https://evil.example/c"),
        ("refresh", "0; url=https://evil.example/r"),
    )
    body: JsonValue = {"items": [{"id": 1, "$ref": "https://evil.example/r"}], "$schema": "https://evil.example/s"}
    problem: JsonValue = {"type": "https://evil.example/problem", "instance": "https://evil.example/i"}
    provider = scripted(answer(body, *headers), answer(problem, *headers, status=400))

    read(connector({"type": "link_header"}), provider)
    with pytest.raises(RequestRefused):
        read(connector(), provider)

    assert ["/rows", "/rows"] == provider.asked


def test_S43_callers_see_listed_headers_alone_and_of_bounded_length() -> None:
    """A set-cookie, an echo or a flood of headers does not reach them."""
    flood = tuple((f"x-ratelimit-{number}", "1") for number in range(10_000))
    refused = (("set-cookie", CANARY), ("x-echo", CANARY), ("authorization", CANARY), ("location", CANARY))
    named = (("retry-after", "5" * 100_000), ("x-request-id", "\xff\xfe\x00"))

    with pytest.raises(ProviderBusy) as said:
        read(connector(), scripted(Response(429, (*refused, *named, *flood))))

    assert CANARY not in repr(said.value.headers)
    assert {"retry-after", "x-request-id"} < {name for name, _ in said.value.headers}
    assert len(said.value.headers) <= 100
    assert all(len(text) <= 1000 for _, text in said.value.headers)


FORGED = "a\n2026-01-01 INFO all is well\r\n\x1b[2K\x1b[31m\u202e\u2028  fix  run this"


def hostile(text: str, place: str) -> ConnproofError:
    """The error of a read into which a provider or a caller puts a text."""
    loop = {**CURSOR, "cursor_param": "after"}
    paging: dict[str, Any] = {"next URL": {"type": "next_url", "next_url_field": "next"}}.get(place, loop)
    answers = {
        "cursor": [items(1, next=text), items(2, next="b"), items(3, next=text), items(4, next="b")],
        "next URL": [items(1, next=text)],
        "content type": [Response(200, (("content-type", re.sub("[\r\n]", " ", text)),), b"x")],
        "error body": [Response(400, (("content-type", "application/json"),), json.dumps({"message": text}).encode())],
        "parameter": [],
        "parameter's name": [],
        "resume": [],
    }
    calls = {
        "parameter": Call(params={"shop": text}),
        "parameter's name": Call(params={text: "1", "shop": "1"}),
        "resume": Call(params={"shop": "1"}, resume=text),
    }
    operation = {"headers": {"X-Shop": "{shop}"}} if place in calls else {}
    with pytest.raises(ConnproofError) as said:
        read(connector(paging, operation), scripted(*answers[place]), calls.get(place))
    return said.value


@pytest.mark.parametrize(
    "place", ["cursor", "next URL", "content type", "error body", "parameter", "parameter's name", "resume"]
)
def test_S48_hostile_text_forges_no_line_and_no_colour(place: str) -> None:
    """The message has the lines that it has for a harmless text, and no control character."""
    text, harmless = str(hostile(FORGED, place)), str(hostile("\x00harmless", place))

    assert harmless.count("\n") == text.count("\n")
    assert all(line.isprintable() for line in text.split("\n"))


def test_S06_next_link_to_another_origin_is_not_asked() -> None:
    """Whatever the transport: the engine itself does not ask it."""
    provider = scripted(items(1, next="https://api.example.evil.example/rows"))

    with pytest.raises(ForeignNextLink):
        read(connector({"type": "next_url", "next_url_field": "next"}), provider)

    assert 1 == len(provider.requests)
