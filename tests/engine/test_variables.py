"""An account's variables: where they stand, how they are written there, and where they may never lead."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from connproof.errors import CallWrong, ConfigWrong
from connproof.model import Account, frozen
from connproof.places import JsonValue
from connproof.run import Call
from scripted import BASE, answer, connector, engine, items, read, scripted


def account(**variables: str) -> Account:
    """An account with these variables."""
    return Account("acme", variables=frozen(variables))


def variable(pattern: str, **words: Any) -> dict[str, Any]:
    """The words of one variable."""
    return {"pattern": pattern, **words}


def first_request(config: Any, who: Account, call: Call | None = None) -> Any:
    """The one request of a listing with one page."""
    provider = scripted(items(1))
    read(config, provider, call, account=who)
    return provider.requests[0]


def test_A15_a_tenant_stands_in_a_header() -> None:
    """Each account has its own value in the same header."""
    config = connector(headers={"X-Tenant": "{tenant}"}, variables={"tenant": variable("[a-f0-9-]{4,40}")})

    assert "ab12" == first_request(config, account(tenant="ab12")).header("x-tenant")
    assert "cd34" == first_request(config, account(tenant="cd34")).header("x-tenant")


def test_A7_a_variable_stands_in_path_query_and_body() -> None:
    """In a path it is one encoded segment."""
    config = connector(
        operation={"method": "POST", "path": "/{realm}/rows", "query": {"r": "{realm}"}, "body": {"realm": "{realm}"}},
        variables={"realm": variable("[0-9 ]+")},
    )

    request = first_request(config, account(realm="12 34"))

    assert f"{BASE}/12%2034/rows?r=12%2034" == request.url
    assert b'{"realm":"12 34"}' == request.body


def test_A7_a_base_url_comes_from_the_account() -> None:
    """A token's answer names the instance: the whole origin is a variable, pinned by its pattern."""
    config = connector(
        base_url="{instance_url}/data",
        variables={
            "instance_url": variable(r"https://[a-z0-9-]+\.api\.example", source="token_response", path="instance_url")
        },
    )

    assert (
        "https://eu5.api.example/data/rows"
        == first_request(config, account(instance_url="https://eu5.api.example")).url
    )


@pytest.mark.parametrize("pattern", ["https://.*", ".*", "https://[^/]+", "https?://x", "https://[a-z.@]+"])
def test_A7_a_pattern_that_allows_any_origin_is_refused(pattern: str) -> None:
    """When the config is loaded: a token's answer must not be able to send credentials elsewhere."""
    with pytest.raises(ConfigWrong, match="which is any origin"):
        connector(base_url="{instance_url}/data", variables={"instance_url": variable(pattern)})


@pytest.mark.parametrize(
    "value", ["https://evil.example", "https://a.api.example.evil.example", "http://a.api.example"]
)
def test_A7_a_value_that_its_pattern_refuses_goes_nowhere(value: str) -> None:
    """Nothing is sent, and the message names variable and pattern."""
    config = connector(base_url="{u}/data", variables={"u": variable(r"https://[a-z]+\.api\.example")})
    provider = scripted()
    with pytest.raises(CallWrong, match='"u" of the account "acme" does not match its pattern'):
        read(config, provider, account=account(u=value))

    assert [] == provider.requests


@pytest.mark.parametrize(
    ("in_host", "host"),
    [("as_is", "1234567-SB1"), ("lower", "1234567-sb1")],
)
def test_V8_a_variable_has_its_own_form_in_the_host(in_host: str, host: str) -> None:
    """In lower case where the provider's host is; elsewhere it stands as the account has it."""
    config = connector(
        base_url="https://{account_id}.api.example",
        variables={"account_id": variable("[0-9A-Za-z-]+", in_host=in_host)},
        headers={"X-Realm": "{account_id}"},
    )

    request = first_request(config, account(account_id="1234567-SB1"))

    assert f"https://{host}.api.example/rows" == request.url
    assert "1234567-SB1" == request.header("x-realm")


def test_V8_an_underscore_becomes_a_hyphen_in_the_host_alone() -> None:
    """A sandbox account is 1234567_SB1 in a signature's realm, and 1234567-sb1 in the host."""
    config = connector(
        base_url="https://{account_id}.api.example",
        variables={"account_id": variable("[0-9]+(_[A-Z0-9]+)?", in_host="lower_hyphen")},
        query={"realm": "{account_id}"},
    )

    request = first_request(config, account(account_id="1234567_SB1"))

    assert "https://1234567-sb1.api.example/rows?realm=1234567_SB1" == request.url


def test_A8_a_discovery_gives_the_variables() -> None:
    """One request after the account was connected; its answer holds the tenant."""
    config = connector(
        headers={"X-Tenant": "{tenant}"},
        variables={
            "tenant": variable("[a-f0-9-]+", source="discovery", operation="connections.list", path="[0].tenantId")
        },
        resources={
            "rows": {"list": {"method": "GET", "path": "/rows", "response_path": "items"}},
            "connections": {"list": {"method": "GET", "path": "/connections"}},
        },
    )
    provider = scripted(answer([{"tenantId": "ab-12"}, {"tenantId": "cd"}]), items(1))

    found = asyncio.run(engine(config, provider).discovered())
    read(config, provider, account=account(**found))

    assert {"tenant": "ab-12"} == found
    assert ["/connections", "/rows"] == provider.asked
    assert [None, "ab-12"] == [request.header("x-tenant") for request in provider.requests]


def test_A8_a_discovery_needs_no_auth_header_that_it_is_to_find() -> None:
    """The header that names the variable is sent from the next request on."""
    config = connector(
        auth={"type": "bearer", "headers": {"X-Tenant": "{tenant}"}},
        variables={"tenant": variable("[a-f0-9-]+", source="discovery", operation="rows.find", path="[0].id")},
        resources={"rows": {"list": {"method": "GET", "path": "/rows"}, "find": {"method": "GET", "path": "/find"}}},
    )
    provider = scripted(answer([{"id": "ab-12"}]))
    who = Account("acme", credentials=frozen({"access_token": "a-token"}))

    assert {"tenant": "ab-12"} == asyncio.run(engine(config, provider, account=who).discovered())
    assert None is provider.requests[0].header("x-tenant")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "has no value for the variable"),
        ([{"tenantId": None}], "has no value for the variable"),
        ([{"tenantId": "x/../y"}], "does not match its pattern"),
    ],
)
def test_A8_a_discovery_without_a_fitting_value_says_so(document: JsonValue, message: str) -> None:
    """Nothing is guessed from what else the answer holds."""
    config = connector(
        headers={"X-Tenant": "{tenant}"},
        variables={"tenant": variable("[a-f0-9-]+", source="discovery", operation="rows.find", path="[0].tenantId")},
        resources={
            "rows": {
                "list": {"method": "GET", "path": "/rows"},
                "find": {"method": "GET", "path": "/find"},
            }
        },
    )

    with pytest.raises(CallWrong, match=message):
        asyncio.run(engine(config, scripted(answer(document))).discovered())


def test_a_variable_that_the_account_lacks_is_named() -> None:
    """Before anything is sent."""
    config = connector(headers={"X-Tenant": "{tenant}"}, variables={"tenant": variable("[a-z]+")})

    with pytest.raises(CallWrong, match='the account "acme" has no variable "tenant"'):
        read(config, scripted(), account=account())


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"variables": {"a": variable("x")}}, "/variables/a  is used nowhere"),
        ({"headers": {"X": "{a}"}, "variables": {"a": variable("(")}}, "/variables/a/pattern  is not a regular"),
        ({"headers": {"X": "{a}"}, "variables": {"a": variable("x", source="discovery")}}, '"path" is missing'),
        (
            {"headers": {"X": "{a}"}, "variables": {"a": variable("x", source="discovery", path="p", operation="o.p")}},
            '/variables/a/operation  there is no operation "o.p"',
        ),
        ({"headers": {"X": "{a}"}, "variables": {"a": variable("x", secret=True)}}, "a secret stands in auth alone"),
    ],
)
def test_a_variable_that_cannot_work_is_refused(words: dict[str, Any], expected: str) -> None:
    """When the config is loaded."""
    with pytest.raises(ConfigWrong) as caught:
        connector(**words)

    assert expected in str(caught.value)


def test_a_parameter_may_stand_in_several_places() -> None:
    """In the path as an encoded segment, elsewhere as it is."""
    config = connector(operation={"method": "POST", "path": "/of/{id}", "query": {"q": "{id}"}, "body": {"id": "{id}"}})

    request = first_request(config, account(), Call(params={"id": "a/b"}))

    assert f"{BASE}/of/a%2Fb?q=a%2Fb" == request.url
    assert b'{"id":"a/b"}' == request.body


# Request shaping.


@pytest.mark.parametrize(
    ("version", "url", "header"),
    [
        pytest.param({"value": "v60.0", "in": "path"}, "https://api.example/v60.0/rows", None, id="path"),
        pytest.param({"value": "2026-07", "in": "path"}, "https://api.example/2026-07/rows", None, id="quarter"),
        pytest.param({"value": "2022-06-28", "in": "header", "name": "X-Version"}, None, "2022-06-28", id="header"),
        pytest.param(
            {"value": "75", "in": "query", "name": "minor"}, "https://api.example/v1/rows?minor=75", None, id="query"
        ),
    ],
)
def test_V1_the_version_is_one_word_of_the_config(version: dict[str, str], url: str | None, header: str | None) -> None:
    """In a path segment, a header or the query."""
    base = "https://api.example/{api_version}" if version["in"] == "path" else BASE

    request = first_request(connector(api_version=version, base_url=base), account())

    assert (url or f"{BASE}/rows", header) == (request.url, request.header("x-version"))


def test_V5_an_operation_has_headers_of_its_own() -> None:
    """They stand beside the connector's, and win."""
    config = connector(
        headers={"Accept": "application/json", "X-A": "1"}, operation={"headers": {"Prefer": "transient", "X-A": "2"}}
    )

    request = first_request(config, account())

    assert ("application/json", "transient", "2") == tuple(map(request.header, ("accept", "prefer", "x-a")))


def test_V7_a_method_override_is_said_in_words() -> None:
    """POST with the method that is meant, for a provider that wants it so."""
    meant = {"headers": {"X-HTTP-Method-Override": "GET"}, "query": {"_method": "GET"}}
    config = connector(operation={"method": "POST", **meant})

    request = first_request(config, account())

    assert ("POST", f"{BASE}/rows?_method=GET", None) == (request.method, request.url, request.body)
    assert "GET" == request.header("x-http-method-override")


def test_V7_a_long_url_becomes_a_form() -> None:
    """From so many characters on, the query goes as a form; a shorter one stays in the URL."""
    config = connector(operation={"long_url": {"over": 200, "form": {"_method": "GET"}}})
    long = first_request(config, account(), Call(query=(("ids", "1," * 100),)))
    short = first_request(config, account(), Call(query=(("ids", "1,2"),)))

    assert ("POST", f"{BASE}/rows", "application/x-www-form-urlencoded") == (
        long.method,
        long.url,
        long.header("content-type"),
    )
    assert b"ids=" + b"1%2C" * 100 + b"&_method=GET" == long.body
    assert ("GET", f"{BASE}/rows?ids=1%2C2", None) == (short.method, short.url, short.body)


def test_V7_a_get_never_has_a_body() -> None:
    """A config that gives it one is refused."""
    with pytest.raises(ConfigWrong, match="GET has no body"):
        connector(operation={"body": {"a": 1}})


def test_V9_a_graphql_request_pages_through_its_variables() -> None:
    """The document stands in the body; the cursor goes into its variables."""
    config = connector(
        {
            "type": "cursor",
            "cursor_field": "data.rows.pageInfo.endCursor",
            "cursor_param": "variables.after",
            "cursor_in": "body",
            "stop_field": "data.rows.pageInfo.hasNextPage",
            "stop_when": False,
        },
        {
            "method": "POST",
            "path": "/graphql",
            "body": {
                "query": "query($after: String) { rows(after: $after) { nodes { id } } }",
                "variables": {"first": 2},
            },
            "response_path": "data.rows.nodes",
        },
    )

    def page(number: int, *, more: bool) -> Any:
        info: JsonValue = {"endCursor": f"c{number}", "hasNextPage": more}
        return answer({"data": {"rows": {"nodes": [{"id": number}], "pageInfo": info}}})

    provider = scripted(page(1, more=True), page(2, more=False))

    assert [{"id": 1}, {"id": 2}] == read(config, provider)
    assert [{"first": 2}, {"first": 2, "after": "c1"}] == [body["variables"] for body in provider.bodies]  # type: ignore[call-overload,index]  # they are objects


def test_V9_a_soap_request_is_a_text_with_escaped_values() -> None:
    """What fills its braces can be character data, and never markup."""
    config = connector(
        operation={
            "method": "POST",
            "body": "<Envelope><Body><Get><Ref>{ref}</Ref></Get></Body></Envelope>",
            "encode": "xml",
        }
    )

    request = first_request(config, account(), Call(params={"ref": '</Ref><Evil a="1">&\''}))

    assert "text/xml; charset=utf-8" == request.header("content-type")
    assert (
        b"<Envelope><Body><Get><Ref>&lt;/Ref&gt;&lt;Evil a=&quot;1&quot;&gt;&amp;&apos;</Ref></Get></Body></Envelope>"
        == request.body
    )
