"""The loop: what is asked and of whom, resuming, limits, mapping through a read, one record, and raw requests."""

from __future__ import annotations

import asyncio
import base64
import json
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from connproof.errors import (
    AccessRefused,
    CallWrong,
    ForeignNextLink,
    MappingFailed,
    PageUnreadable,
    ProviderBusy,
    ProviderDown,
    ProviderSaid,
)
from connproof.events import PageRead, ReadEnded, RequestSent, ResponseReceived
from connproof.model import Account, Connector, Request, Response
from connproof.places import JsonValue
from connproof.run import Call, Engine, MappedPage, Record
from scripted import BASE, Provider, answer, connector, engine, items, read, rows, scripted

LAST, SIZE = 7, 3


def serve(request: Request) -> Response:
    """Seven records, three a page, for every strategy at once; the total stands on the first page alone."""
    said = dict(parse_qsl(urlsplit(request.url).query)) | json.loads(request.body or b"{}")
    begin = (int(said["page"]) - 1) * SIZE if "page" in said else int(said.get("start", 0))
    end, more = min(begin + SIZE, LAST), begin + SIZE < LAST
    to = f"/v1/rows?start={end}"
    return answer(
        {
            "items": rows(begin + 1, end),
            "next": str(end) if more else None,
            "url": to if more else None,
            "total": LAST if begin == 0 else 0,
            "more": more,
        },
        *([("link", f"<{to}>; rel=next")] if more else []),
    )


SIZED: dict[str, Any] = {"page_size_param": "limit", "default_page_size": SIZE}
POST: dict[str, Any] = {"method": "POST", "body": {}}
STRATEGIES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "cursor": ({"type": "cursor", "cursor_field": "next", "cursor_param": "start"}, {}),
    "cursor in body": ({"type": "cursor", "cursor_field": "next", "cursor_param": "start", "cursor_in": "body"}, POST),
    "cursor alone": ({"type": "cursor", "cursor_field": "next", "cursor_param": "start", "own_params": "drop"}, {}),
    "offset": ({"type": "offset", "offset_param": "start"}, {}),
    "offset by limit": (
        {"type": "offset", "offset_param": "start", "step": "limit", "short_page": "stop", **SIZED},
        {},
    ),
    "offset, total latched": (
        {"type": "offset", "offset_param": "start", "total_field": "total", "total_from": "first"},
        {},
    ),
    "offset, first omitted": ({"type": "offset", "offset_param": "start", "omit_first": True}, {}),
    "page": ({"type": "page", "page_param": "page"}, {}),
    "page, stop field": ({"type": "page", "page_param": "page", "stop_field": "more", "stop_when": False}, {}),
    "page in template": ({"type": "page", "page_param": "n", "page_in": "template"}, {"query": {"page": "{n}"}}),
    "link_header": ({"type": "link_header"}, {"query": {"q": "x"}}),
    "next_url": ({"type": "next_url", "next_url_field": "url"}, {"query": {"q": "x"}}),
    "keyset": ({"type": "keyset", "key_field": "id", "key_param": "start"}, {}),
}

BUSY = Response(
    429,
    (
        ("retry-after", "7"),
        ("x-ratelimit-remaining", "0"),
        ("x-request-id", "r1"),
        ("set-cookie", "session=s3cret"),
        ("authorization", "s3cret"),
    ),
    b"slow down",
)


def failing(at: int, failure: Response | ProviderSaid = BUSY) -> Provider:
    """The provider above, but its answer number `at` (from 1) is this failure."""

    numbers = count(1)

    def respond(request: Request) -> Response:
        if next(numbers) != at:
            return serve(request)
        if isinstance(failure, ProviderSaid):
            raise failure
        return failure

    return Provider(respond)


def stopped(
    config: Connector, at: int, failure: Response | ProviderSaid = BUSY, **call: Any
) -> tuple[list[Record], str]:
    """The records of a read that ends in a failure, and its resume token."""
    records: list[Record] = []
    with pytest.raises(ProviderSaid) as said:
        read(config, failing(at, failure), Call(**call), into=records)
    assert said.value.resume is not None
    return records, said.value.resume


# Resuming.


@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_resumed_read_gives_exactly_the_rest(strategy: str, at: int) -> None:
    """Wherever a throttle stops a read, the token leads on from there: nothing is lost and nothing comes twice."""
    config = connector(*STRATEGIES[strategy])
    whole = Provider(serve)
    read(config, whole)

    records, token = stopped(config, at)
    rest = Provider(serve)
    resumed = read(config, rest, Call(resume=token))

    assert rows(1, LAST) == records + resumed
    assert whole.asked[at - 1 :] == rest.asked
    assert whole.bodies[at - 1 :] == rest.bodies


@pytest.mark.parametrize(
    "failure",
    [
        Response(401),
        Response(404),
        Response(503),
        Response(302, (("location", "/"),)),
        answer({"unexpected": []}),
        Response(200, (("content-type", "application/json"),), b"{"),
        Response(200, (("content-type", "text/html"),), b"<html>"),
        ProviderDown("the exchange broke off"),
    ],
    ids=["401", "404", "503", "redirect", "no list", "half a body", "html", "no answer"],
)
def test_every_failure_of_the_provider_can_be_resumed(failure: Response | ProviderSaid) -> None:
    """Not only a throttle: whatever the provider did, the read goes on from the very request that failed."""
    config = connector(*STRATEGIES["cursor"])

    records, token = stopped(config, 2, failure)

    assert rows(1, SIZE) == records
    assert rows(SIZE + 1, LAST) == read(config, Provider(serve), Call(resume=token))


def test_read_can_be_resumed_again() -> None:
    """A resumed read that is throttled gives a token of its own."""
    config = connector(*STRATEGIES["offset, total latched"])
    first, token = stopped(config, 2)
    second, token = stopped(config, 2, resume=token)

    third = read(config, Provider(serve), Call(resume=token))

    assert [rows(1, 3), rows(4, 6), rows(7, 7)] == [first, second, third]


def test_page_numbers_go_on_in_a_resumed_read() -> None:
    """A resumed read counts on: its errors and events speak of the whole listing."""
    config = connector(*STRATEGIES["cursor"])
    _, token = stopped(config, 3)
    provider = Provider(serve)

    read(config, provider, Call(resume=token))

    assert [ReadEnded("the page names no next one", 3, LAST)] == [
        e for e in provider.events if isinstance(e, ReadEnded)
    ]


def other_reads() -> list[tuple[Connector, Call]]:
    pagination, _ = STRATEGIES["cursor"]
    sized = {**pagination, **SIZED}
    return [
        (connector(sized, {"path": "/others"}), Call()),
        (connector(sized, {"query": {"status": "open"}}), Call()),
        (connector(sized), Call(query=(("status", "open"),))),
        (connector(sized), Call(page_size=2)),
        (connector(sized, base_url="https://other.example/v1"), Call()),
    ]


@pytest.mark.parametrize("other", range(5), ids=["path", "query", "call's query", "page size", "origin"])
def test_token_of_another_read_is_refused(other: int) -> None:
    """A token leads on in the read that gave it and in no other."""
    _, token = stopped(connector({**STRATEGIES["cursor"][0], **SIZED}), 2)
    config, call = other_reads()[other]
    provider = Provider(serve)

    with pytest.raises(CallWrong, match="a resume token of another read"):
        read(config, provider, Call(query=call.query, page_size=call.page_size, resume=token))

    assert [] == provider.requests


@pytest.mark.parametrize("token", ["", "x", "garbage", "e30", "bnVsbA", "é", "a" * 5000, "!!!!", "=", "W10=="])
def test_garbage_for_a_token_is_refused(token: str) -> None:
    """What is no token is told from one, and nothing is asked."""
    provider = Provider(serve)

    with pytest.raises(CallWrong, match="not a resume token"):
        read(connector(*STRATEGIES["cursor"]), provider, Call(resume=token))

    assert [] == provider.requests


def test_damaged_token_is_refused_wherever_it_is_damaged() -> None:
    """One wrong or missing character never leads to another place of the listing."""
    config = connector(*STRATEGIES["cursor"])
    _, token = stopped(config, 2)
    changed = [token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(len(token) - 1)]

    refused = 0
    for damaged in [*changed, token[:-4], token[4:], token + "AAAA"]:
        with pytest.raises(CallWrong, match="not a resume token"):
            read(config, Provider(serve), Call(resume=damaged))
        refused += 1

    assert len(token) + 2 == refused


def test_token_holds_no_credential() -> None:
    """A token may be printed and stored: it has the place in the listing, and not on whose behalf it is read."""
    config = connector(STRATEGIES["cursor"][0], auth={"type": "api_key", "in": "query", "name": "key"}, base_url=BASE)
    account = Account("a", {"api_key": "s3cret"})
    with pytest.raises(ProviderBusy) as said:
        read(config, failing(2), account=account)
    token = said.value.resume or ""

    assert "s3cret" not in str(said.value)
    assert [] == [shift for shift in range(4) if b"s3cret" in _decoded(token[shift:])]


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text[: len(text) // 4 * 4])


# A throttle.


def test_throttle_goes_to_the_caller_at_once() -> None:
    """A 429 is sent to the provider once, never again; the caller gets its wait and the headers that may be shown."""
    provider = failing(2)

    with pytest.raises(ProviderBusy) as said:
        read(connector(*STRATEGIES["cursor"]), provider)

    assert 2 == len(provider.requests)
    assert (429, 7) == (said.value.status, said.value.seconds)
    assert (("retry-after", "7"), ("x-ratelimit-remaining", "0"), ("x-request-id", "r1")) == said.value.headers
    assert "slow down" not in str(said.value)


# Limits and counting.


@pytest.mark.parametrize(("limit", "asked"), [(0, 0), (1, 1), (2, 1), (3, 1), (4, 2), (6, 2), (7, 3), (100, 3)])
def test_limit_ends_the_read_without_another_page(limit: int, asked: int) -> None:
    """As many records as wanted, and no request for any beyond."""
    provider = Provider(serve)

    records = read(connector(*STRATEGIES["cursor"]), provider, Call(limit=limit))

    assert rows(1, min(limit, LAST)) == records
    assert asked == len(provider.requests)


def test_pages_are_counted_on_raw_records() -> None:
    """A limit cuts what the caller gets, not what the events say of the page."""
    provider = Provider(serve)

    read(connector(*STRATEGIES["cursor"]), provider, Call(limit=4))

    assert [(0, 3), (3, 3)] == [(e.position.records, e.records) for e in provider.events if isinstance(e, PageRead)]
    assert [] == [e for e in provider.events if isinstance(e, ReadEnded)]


def test_events_come_in_order() -> None:
    """Request, response, page; at the end why, and how much."""
    provider = Provider(serve)

    read(connector(*STRATEGIES["page, stop field"]), provider)

    assert [RequestSent, ResponseReceived, PageRead] * 3 + [ReadEnded] == [type(event) for event in provider.events]
    assert ReadEnded("the provider says so", 3, LAST) == provider.events[-1]


@pytest.mark.parametrize("size", [0, -1, 1, 101])
def test_page_size_out_of_bounds_is_refused(size: int) -> None:
    """A page size that the provider does not have is refused before anything is sent."""
    paging = {**STRATEGIES["cursor"][0], **SIZED, "min_page_size": 2, "max_page_size": 100}
    provider = Provider(serve)

    with pytest.raises(CallWrong, match=f"no page size {size}") as said:
        read(connector(paging), provider, Call(page_size=size))

    assert "2 to 100" == said.value.facts["allowed"]
    assert [] == provider.requests


def test_page_size_where_there_is_none_is_refused() -> None:
    """A wish that could not be sent is not ignored."""
    with pytest.raises(CallWrong, match="has no page size"):
        read(connector(*STRATEGIES["cursor"]), Provider(serve), Call(page_size=2))


# What is asked.


def shop(**words: Any) -> Connector:
    """A connector with several resources and operations."""
    resources = {
        "orders": {
            "list": {"method": "GET", "path": "/orders", "response_path": "items"},
            "get": {"method": "GET", "path": "/orders/{order_id}", "key": "id"},
            "lines": {"method": "GET", "path": "/orders/{order_id}/lines", "response_path": "items", "returns": "list"},
            "find": {
                "method": "POST",
                "path": "/find",
                "returns": "list",
                "response_path": "items",
                "headers": {"X-Shop": "shop {shop}"},
                "query": {"q": "name = {name}"},
                "body": {"where": ["{name}", 1], "text": "{unfilled}"},
            },
        },
        "customers": {"list": {"method": "GET", "path": "/customers", "response_path": "items"}},
    }
    return connector(resources=resources, **words)


@pytest.mark.parametrize(
    ("target", "operation", "what", "fix"),
    [
        ("order", None, 'sample has no resource "order"', 'did you mean "orders"?'),
        ("zzz", None, 'sample has no resource "zzz"', "known here: customers, orders"),
        ("orders", "lst", 'sample.orders has no operation "lst"', 'did you mean "list"?'),
        ("customers", "get", 'sample.customers has no operation "get"', "known here: list"),
    ],
)
def test_unknown_word_names_the_nearest(target: str, operation: str | None, what: str, fix: str) -> None:
    """A resource or an operation that is not there: the nearest one, or all there are."""
    with pytest.raises(CallWrong) as said:
        _collect(shop(), scripted(), target, operation)

    assert (what, fix) == (said.value.what, said.value.fix)


def _collect(
    config: Connector,
    provider: Provider,
    target: str,
    operation: str | None = None,
    call: Call | None = None,
    **options: Any,
) -> list[Record]:
    async def whole() -> list[Record]:
        return [record async for record in engine(config, provider, **options).read(target, operation, call)]

    return asyncio.run(whole())


def _one(
    config: Connector,
    provider: Provider,
    target: str,
    operation: str | None = None,
    call: Call | None = None,
    **options: Any,
) -> Record:
    return asyncio.run(engine(config, provider, **options).one(target, operation, call))


def test_missing_parameter_is_named() -> None:
    """A path parameter that the call leaves out is an error before anything is sent."""
    with pytest.raises(CallWrong, match=r'sample.orders.lines needs the parameter "order_id"'):
        _collect(shop(), scripted(), "orders", "lines")


@pytest.mark.parametrize(
    ("operation", "params", "fix"),
    [
        ("lines", {"order_id": "1", "ordr_id": "2"}, 'did you mean "order_id"?'),
        ("list", {"id": "1"}, "leave it out"),
    ],
)
def test_unknown_parameter_is_refused(operation: str, params: dict[str, str], fix: str) -> None:
    """A parameter that nothing would send is a mistake, not a wish to be ignored."""
    with pytest.raises(CallWrong, match="has no parameter") as said:
        _collect(shop(), scripted(), "orders", operation, Call(params=params))

    assert fix == said.value.fix


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("a b", "a%20b"),
        ("../admin", "..%2Fadmin"),
        ("a/b?c#d", "a%2Fb%3Fc%23d"),
        ("%2e%2e", "%252e%252e"),
        ("é\n", "%C3%A9%0A"),
        ("{order_id}", "%7Border_id%7D"),
        ("...", "..."),
    ],
)
def test_path_parameter_is_one_segment(value: str, sent: str) -> None:
    """S12: whatever a parameter holds, it stays the one segment that it stands for."""
    provider = scripted(items())

    _collect(shop(), provider, "orders", "lines", Call(params={"order_id": value}))

    assert [f"/orders/{sent}/lines"] == provider.asked


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_path_parameter_that_leads_elsewhere_is_refused(value: str) -> None:
    """S12: an empty or a dot segment would name another path."""
    provider = scripted()

    with pytest.raises(CallWrong, match="order_id"):
        _collect(shop(), provider, "orders", "lines", Call(params={"order_id": value}))

    assert [] == provider.requests


def test_parameters_fill_query_headers_and_body() -> None:
    """Names in braces are filled wherever they stand; braces that nobody fills stay."""
    provider = scripted(items())

    _collect(shop(), provider, "orders", "find", Call(params={"name": "a&b", "shop": "7"}))

    assert ["/find?q=name%20%3D%20a%26b"] == provider.asked
    assert "shop 7" == provider.requests[0].header("x-shop")
    assert [{"where": ["a&b", 1], "text": "{unfilled}"}] == provider.bodies


def test_parameter_with_a_line_break_forges_no_header() -> None:
    """S13: a control character in a header is refused before anything is sent."""
    provider = scripted()

    with pytest.raises(CallWrong, match="x-shop"):
        _collect(shop(), provider, "orders", "find", Call(params={"name": "a", "shop": "7\r\nx-admin: 1"}))

    assert [] == provider.requests


def test_body_of_the_call_replaces_the_configs() -> None:
    """The caller may send another body."""
    provider = scripted(items())

    _collect(shop(), provider, "orders", "find", Call(params={"name": "a"}, body={"own": True}))

    assert [{"own": True}] == provider.bodies


# V1 and V5: versions and headers.


@pytest.mark.parametrize(
    ("version", "words", "url", "header"),
    [
        ({"in": "path"}, {"base_url": "https://api.example/{api_version}"}, "https://api.example/v59.0/rows", None),
        ({"in": "header", "name": "Api-Version"}, {}, f"{BASE}/rows", "v59.0"),
        ({"in": "query", "name": "api-version"}, {}, f"{BASE}/rows?api-version=v59.0", None),
    ],
    ids=["path", "header", "query"],
)
def test_V1_version_is_one_variable(
    version: dict[str, Any], words: dict[str, Any], url: str, header: str | None
) -> None:
    """The version stands once in the config and is sent where the provider wants it."""
    provider = scripted(items())

    read(connector(api_version={"value": "v59.0", **version}, **words), provider)

    assert (url, header) == (provider.requests[0].url, provider.requests[0].header("api-version"))


def test_V1_version_in_an_operations_path_and_body() -> None:
    """`namespace` puts the version into the operation's own texts."""
    operation = {"method": "POST", "path": "/{api_version}/rows", "body": "<ns v='{api_version}'/>"}
    provider = scripted(items())

    read(connector(None, operation, api_version={"value": "v59.0", "in": "namespace"}), provider)

    assert ["/v59.0/rows"] == provider.asked
    assert b"<ns v='v59.0'/>" == provider.requests[0].body


def test_V5_headers_of_connector_and_operation() -> None:
    """Mandatory headers go with every request of the connector or of one operation; the operation's own win."""
    config = connector(
        None,
        {"headers": {"Prefer": "transient", "ACCEPT": "text/json"}},
        headers={"Accept": "application/json", "X-App": "a"},
    )
    provider = scripted(items())

    read(config, provider)

    assert {"accept": "text/json", "x-app": "a", "prefer": "transient"} == dict(provider.requests[0].headers)


def test_query_of_the_operation_wins_over_the_connectors() -> None:
    """A name that both declare is sent once, with the operation's value; the caller's is added beside."""
    config = connector(None, {"query": {"format": "xml"}}, query={"format": "json", "tz": "utc"})
    provider = scripted(items())

    read(config, provider, Call(query=(("q", "1"),)))

    assert ["/rows?tz=utc&format=xml&q=1"] == provider.asked


# Accounts.


def tenant(**variable: Any) -> Connector:
    variables = {"tenant": {"pattern": "[a-z0-9-]+", **variable}}
    return connector(base_url="https://{tenant}.api.example/v1", variables=variables)


def test_variable_of_the_account_makes_the_base_url() -> None:
    """Each account has its own host where the config says so."""
    provider = scripted(items())

    read(tenant(), provider, account=Account("a", variables={"tenant": "acme-1"}))

    assert ["https://acme-1.api.example/v1/rows"] == provider.asked


@pytest.mark.parametrize(
    "value", ["evil.example/", "evil.example#", "a@evil.example", "x.evil\n", "..", "", "ACME", "a b"]
)
def test_S05_variable_that_leads_elsewhere_is_refused(value: str) -> None:
    """S05: a value beyond the declared pattern never becomes part of a URL."""
    with pytest.raises(CallWrong, match="does not match its pattern"):
        Engine(tenant(), scripted(), account=Account("a", variables={"tenant": value}))


def test_missing_variable_is_named() -> None:
    """The account lacks a variable: which, and what asks for it."""
    with pytest.raises(CallWrong, match='the account "a" has no variable "tenant"'):
        Engine(tenant(), scripted(), account=Account("a"))


def test_secret_variable_is_not_shown() -> None:
    """A variable that is declared secret stays out of messages."""
    with pytest.raises(CallWrong) as said:
        Engine(tenant(secret=True), scripted(), account=Account("a", variables={"tenant": "S3CRET"}))

    assert "S3CRET" not in str(said.value)


# One record.


def test_one_record() -> None:
    """An operation such as get gives its record."""
    provider = scripted(answer({"id": 5}))

    assert {"id": 5} == _one(shop(), provider, "orders", call=Call(params={"order_id": "5"}))
    assert ["/orders/5"] == provider.asked
    assert ReadEnded("one record", 1, 1) == provider.events[-1]


def test_one_record_without_a_body_is_none() -> None:
    """A 204 has no record to give."""
    assert None is _one(shop(), scripted(Response(204)), "orders", call=Call(params={"order_id": "5"}))


def test_one_record_that_is_null_is_none() -> None:
    """A JSON null is the record that was given."""
    assert None is _one(shop(), scripted(answer(None)), "orders", call=Call(params={"order_id": "5"}))


def test_error_of_one_record_says_where() -> None:
    """The status has its class, and the operation its name; there is nothing to resume."""
    with pytest.raises(AccessRefused) as said:
        _one(shop(), scripted(Response(403)), "orders", call=Call(params={"order_id": "5"}))

    assert "sample.orders.get" == said.value.facts["asked"]
    assert None is said.value.resume


def test_list_and_one_are_told_apart() -> None:
    """`read` gives lists and `one` gives one record; each says which the other is."""
    with pytest.raises(CallWrong, match=r"orders\.get gives one record"):
        _collect(shop(), scripted(), "orders", "get", Call(params={"order_id": "5"}))
    with pytest.raises(CallWrong, match=r"orders\.list gives a list"):
        _one(shop(), scripted(), "orders", "list")


def test_one_record_whose_path_leads_nowhere_is_an_error() -> None:
    """A record that is not where the config says is not taken for None."""
    config = connector(None, {"returns": "one", "response_path": "data.row"})

    with pytest.raises(PageUnreadable, match=r'"data\.row" leads nowhere'):
        _one(config, scripted(answer({"data": {}})), "rows", "list")


# Mapping.

CONTACT: dict[str, Any] = {"resource": "rows", "fields": {"id": "$string(id)", "name": "name"}}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "name": {"type": "string"}},
    "required": ["id"],
    "additionalProperties": False,
}


def people(*names: JsonValue) -> Response:
    return answer({"items": [{"id": number, "name": name} for number, name in enumerate(names, 1)], "next": None})


def test_resource_with_one_model_is_mapped() -> None:
    """A read of the resource or of the model gives mapped records; a raw read the provider's own."""
    config = connector(unified={"crm.contact": CONTACT})

    assert [{"id": "1", "name": "a"}] == _collect(config, scripted(people("a")), "rows")
    assert [{"id": "1", "name": "a"}] == _collect(config, scripted(people("a")), "crm.contact")
    assert [{"id": 1, "name": "a"}] == _collect(config, scripted(people("a")), "crm.contact", None, Call(raw=True))


def test_two_models_on_one_resource_must_be_named() -> None:
    """Which model is meant would be a guess: the caller names one, or asks for raw records."""
    config = connector(unified={"crm.contact": CONTACT, "crm.lead": {"resource": "rows", "fields": {"key": "id"}}})

    with pytest.raises(CallWrong, match="several unified models") as said:
        _collect(config, scripted(), "rows")

    assert "crm.contact, crm.lead" == said.value.facts["models"]
    assert [{"key": 1}] == _collect(config, scripted(people("a")), "crm.lead")
    assert [{"id": 1, "name": "a"}] == _collect(config, scripted(people("a")), "rows", None, Call(raw=True))


def test_mapping_error_names_record_field_expression_and_page() -> None:
    """Whoever has to correct the mapping learns which record, which field, which expression, and where it stands."""
    config = connector(
        {"type": "cursor", "cursor_field": "next"},
        {"key": "id"},
        unified={"crm.contact": {"resource": "rows", "fields": {"id": "$string(id)", "name": "$uppercase(name)"}}},
    )
    provider = scripted(
        answer({"items": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}], "next": "c2"}),
        answer({"items": [{"id": 3, "name": "c"}, {"id": 4, "name": 17}], "next": None}),
    )

    with pytest.raises(MappingFailed) as said:
        _collect(config, provider, "crm.contact", models={"crm.contact": SCHEMA})

    assert ("name", "$uppercase(name)", "/unified/crm.contact/fields/name") == (
        said.value.field,
        said.value.expression,
        said.value.pointer,
    )
    assert "4 (page 2) id=4" == said.value.facts["record"]
    assert "sample.rows.list as crm.contact" == said.value.facts["connector"]
    assert said.value.line > 0


def test_mapped_record_is_held_against_its_model() -> None:
    """What the model's schema refuses is an error with its field, and shows the kind of what was seen alone."""
    config = connector(unified={"crm.contact": CONTACT})

    with pytest.raises(MappingFailed, match="name") as said:
        _collect(config, scripted(people("a", {"secret": "s3cret"})), "rows", models={"crm.contact": SCHEMA})

    assert "2 (page 1)" == said.value.facts["record"]
    assert "s3cret" not in str(said.value)


def test_limit_maps_no_record_beyond_it() -> None:
    """A record that nobody asked for cannot fail."""
    config = connector(unified={"crm.contact": CONTACT})
    provider = scripted(people("a", {"no": "text"}))

    assert 1 == len(_collect(config, provider, "rows", None, Call(limit=1), models={"crm.contact": SCHEMA}))


def test_one_record_is_mapped() -> None:
    """`one` maps as `read` does."""
    config = connector(None, {"returns": "one", "response_path": "$"}, unified={"crm.contact": CONTACT})

    assert {"id": "1", "name": "a"} == _one(config, scripted(answer({"id": 1, "name": "a"})), "crm.contact", "list")


# Pages, and reads beside each other.


def test_pages_show_what_stood_around_the_records() -> None:
    """Page by page, with the response and the document."""

    async def whole() -> list[MappedPage]:
        return [page async for page in engine(connector(*STRATEGIES["cursor"]), Provider(serve)).pages("rows")]

    pages = asyncio.run(whole())

    assert [3, 3, 1] == [len(page.records) for page in pages]
    assert [0, 3, 6] == [page.position.records for page in pages]
    assert isinstance(pages[0].page.document, dict) and "3" == pages[0].page.document["next"]


@pytest.mark.parametrize("strategy", ["cursor", "offset", "link_header", "keyset"])
def test_reads_beside_each_other_share_nothing(strategy: str) -> None:
    """One engine serves several reads at a time: each has its own pages, guard and end."""
    provider = Provider(serve)
    one = engine(connector(*STRATEGIES[strategy]), provider)

    async def whole() -> list[list[Record]]:
        async def single() -> list[Record]:
            return [record async for record in one.read("rows")]

        return await asyncio.gather(*(single() for _ in range(5)))

    assert [rows(1, LAST)] * 5 == asyncio.run(whole())


def test_failure_of_one_read_leaves_the_others() -> None:
    """A throttle ends the read that it hit and no other."""
    provider = failing(5)
    one = engine(connector(*STRATEGIES["cursor"]), provider)

    async def single() -> int | str:
        try:
            return len([record async for record in one.read("rows")])
        except ProviderBusy as busy:
            return busy.resume or ""

    async def whole() -> list[int | str]:
        return await asyncio.gather(*(single() for _ in range(3)))

    ended = asyncio.run(whole())
    token = next(value for value in ended if isinstance(value, str))

    assert 2 == ended.count(LAST)
    assert rows(SIZE + 1, LAST) == _collect(
        connector(*STRATEGIES["cursor"]), Provider(serve), "rows", None, Call(resume=token)
    )


# Raw requests.

SIGNED: dict[str, Any] = {
    "auth": {"type": "bearer"},
    "headers": {"X-App": "a"},
    "query": {"format": "json"},
    "allowed_origins": ["https://files.example"],
}
ACCOUNT = Account("a", {"access_token": "t0ken"})


def _raw(provider: Provider, method: str, path: str, **options: Any) -> Response:
    return asyncio.run(engine(connector(**SIGNED), provider, account=ACCOUNT).raw(method, path, **options))


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("/me", f"{BASE}/me?format=json"),
        ("/me?fields=a%2Cb&x=1+2", f"{BASE}/me?fields=a%2Cb&x=1+2&format=json"),
        ("/me?format=xml", f"{BASE}/me?format=xml"),
        ("/me?next=https://other.example/", f"{BASE}/me?next=https://other.example/&format=json"),
        (f"{BASE}/me", f"{BASE}/me?format=json"),
        ("https://files.example/f/1", "https://files.example/f/1?format=json"),
        ("//evil.example/me", f"{BASE}//evil.example/me?format=json"),
    ],
)
def test_raw_request_goes_below_base_url(path: str, url: str) -> None:
    """A path is added to base_url as it stands; what goes with every request and the credentials are there too."""
    provider = scripted(answer({}))

    _raw(provider, "get", path)

    assert [url] == [request.url for request in provider.requests]
    assert ("GET", "Bearer t0ken", "a") == (
        provider.requests[0].method,
        provider.requests[0].header("authorization"),
        provider.requests[0].header("x-app"),
    )


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/me",
        "http://api.example/v1/me",
        "https://api.example:8443/me",
        "https://api.example.evil.example/",
    ],
)
def test_raw_request_to_a_foreign_origin_is_refused(path: str) -> None:
    """Credentials go to the connector's own origins alone."""
    provider = scripted()

    with pytest.raises(ForeignNextLink):
        _raw(provider, "GET", path)

    assert [] == provider.requests


@pytest.mark.parametrize(
    "path", ["me", "", "/a b", "/a\nb", "ftp://api.example/", "https://u:s3cret@api.example/", "@evil.example"]
)
def test_raw_path_that_is_none_is_refused(path: str) -> None:
    """What is no path and no URL is the caller's mistake, and says so."""
    provider = scripted()

    with pytest.raises(CallWrong, match="not a path") as said:
        _raw(provider, "GET", path)

    assert [] == provider.requests
    assert "s3cret" not in str(said.value)


@pytest.mark.parametrize(
    "header", [("x-a", "1\r\nx-admin: 1"), ("x-a", "1\0"), ("x a", "1"), ("x-a\r\nx-b", "1"), ("", "1"), ("x-a", "✓")]
)
def test_raw_header_that_cannot_be_sent_is_refused(header: tuple[str, str]) -> None:
    """S13: neither a name nor a value may end the header."""
    provider = scripted()

    with pytest.raises(CallWrong, match="no header may have"):
        _raw(provider, "GET", "/me", headers=(header,))

    assert [] == provider.requests


def test_raw_answer_is_as_it_came() -> None:
    """Any status is an answer; its bytes are not touched, and nothing is raised."""
    body = b'\xef\xbb\xbf{"a": NaN}\xff'
    given = Response(418, (("content-type", "application/json"),), body)

    assert given is _raw(scripted(given), "DELETE", "/me", body=b"\x00")


def test_raw_body_query_and_headers_are_sent() -> None:
    """What the caller adds is sent; a header of the connector is replaced by the caller's own."""
    provider = scripted(answer({}))

    _raw(provider, "POST", "/me", query=(("q", "a b"), ("q", "c")), headers=(("X-App", "mine"),), body=b"raw")

    assert ["/me?format=json&q=a%20b&q=c"] == provider.asked
    assert ("mine", b"raw") == (provider.requests[0].header("x-app"), provider.requests[0].body)


def test_raw_request_cannot_replace_the_credentials() -> None:
    """An authorization header of the caller's does not go out beside or instead of the account's."""
    provider = scripted(answer({}))

    _raw(provider, "GET", "/me", headers=(("Authorization", "Bearer other"),))

    assert "Bearer t0ken" == provider.requests[0].header("authorization")


def test_a_resume_token_holds_no_key() -> None:
    """A provider may repeat the key in its next URL; the token leaves it out, and signing adds it again."""
    keyed = connector(
        {"type": "next_url", "next_url_field": "next"}, auth={"type": "api_key", "in": "query", "name": "key"}
    )
    account = Account(credentials={"api_key": "canary-key-1"})
    following = f"{BASE}/rows?key=canary-key-1&page=2"

    with pytest.raises(ProviderBusy) as busy:
        read(keyed, scripted(items(1, next=following), Response(429)), account=account)
    token = busy.value.resume or ""
    provider = scripted(items(2))
    rest = read(keyed, provider, Call(resume=token), account=account)

    assert b"canary" not in base64.urlsafe_b64decode(token + "==")
    assert rows(2, 2) == rest
    assert ["/rows?page=2&key=canary-key-1"] == provider.asked
