"""Where a simulated provider reads each part of a request, and which requests it takes for wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connproof.model import Account, Connector, Request
from connproof.places import ABSENT, Absent, JsonValue
from pytest_connproof.provider.slots import Said, Slots
from scripted import BASE, connector

PAGED = {"type": "cursor", "cursor_field": "next", "page_size_param": "limit", "default_page_size": 3}
JSON = (("content-type", "application/json"),)
FORM = (("content-type", "application/x-www-form-urlencoded"),)
XML = (("content-type", "text/xml; charset=utf-8"),)


def slots(operation: dict[str, Any] | None = None, its: dict[str, str] | None = None, **words: Any) -> Slots:
    """The slots of a listing with these words, for an account whose variables `its` are."""
    config = connector(words.pop("pagination", PAGED), operation, **words)
    return Slots(config, Account("acme", {}, its or {}), _listing(config))


def _listing(config: Connector) -> Any:
    return config.resources["rows"].operations["list"]


def get(target: str, *headers: tuple[str, str]) -> Request:
    return Request("GET", f"{BASE}{target}", headers)


def post(body: str, headers: tuple[tuple[str, str], ...] = JSON, target: str = "/rows") -> Request:
    return Request("POST", f"{BASE}{target}", headers, body.encode())


def wrong(said: Said) -> str:
    return said.lacks or said.lacks_query


POSTED = {"method": "POST", "body": {"filter": {"active": True, "tags": ["a", "b"]}, "top": 5}}
SOAP = {
    "method": "POST",
    "encode": "xml",
    "body": "<Get><Org>{org}</Org><After>{after}</After></Get>",
    "decode": {"type": "xml", "force_list": ["Row"]},
    "response_path": "Rows.Row",
}


@pytest.mark.parametrize(
    ("words", "request_", "where", "name", "expected"),
    [
        pytest.param({}, get("/rows?limit=3&after=a%2Bb%20%26c"), "query", "after", "a+b &c", id="query"),
        pytest.param({}, get("/rows?after="), "query", "after", "", id="empty is sent"),
        pytest.param({}, get("/rows"), "query", "after", ABSENT, id="nothing is sent"),
        pytest.param({}, get("/rows?after=1&after=2"), "query", "after", "1", id="the first of two"),
        pytest.param({}, get("/rows", ("after", "c1")), "header", "After", "c1", id="header"),
        pytest.param({}, get("/rows"), "header", "after", ABSENT, id="no header"),
        pytest.param(POSTED, post('{"page": {"after": 0}}'), "body", "page.after", 0, id="body, zero"),
        pytest.param(POSTED, post('{"page": {"after": null}}'), "body", "page.after", None, id="body, null"),
        pytest.param(POSTED, post("{}"), "body", "page.after", ABSENT, id="body without it"),
        pytest.param(POSTED, post("no JSON"), "body", "after", ABSENT, id="body of another kind"),
        pytest.param(POSTED, post("after=c%201", FORM), "body", "after", "c 1", id="form"),
        pytest.param(
            {"path": "/rows/{after}/list"}, get("/rows/a%2Fb%3F/list"), "template", "after", "a/b?", id="in the path"
        ),
        pytest.param(
            {"query": {"q": "id > {after} limit {n}"}},
            get("/rows?q=id%20%3E%20x%20y%20limit%209"),
            "template",
            "after",
            "x y",
            id="in a query's text",
        ),
        pytest.param(
            {"headers": {"range": "rows={after}-"}}, get("/rows", ("range", "rows=5-")), "template", "after", "5",
            id="in a header's text",
        ),
        pytest.param(
            {"method": "POST", "body": {"query": '{ rows(after: "{after}") { id } }', "n": [{"x": "{n}"}]}},
            post(json.dumps({"query": '{ rows(after: "c 1") { id } }', "n": [{"x": "7"}]})),
            "template",
            "after",
            "c 1",
            id="in a text of a JSON body",
        ),
        pytest.param(
            {"method": "POST", "body": {"query": "{after}", "n": [{"x": "<{n}>"}]}},
            post(json.dumps({"query": "", "n": [{"x": "<7>"}]})),
            "template",
            "n",
            "7",
            id="deep in a JSON body",
        ),
        pytest.param(
            SOAP,
            post("<Get><Org>o</Org><After>a&amp;b&lt;&quot;&apos;&amp;lt;</After></Get>", XML),
            "template",
            "after",
            "a&b<\"'&lt;",
            id="in XML, escaped",
        ),
        pytest.param(
            {"method": "POST", "encode": "text", "body": "after={after}"},
            post("after=a&amp;b", (("content-type", "text/plain"),)),
            "template",
            "after",
            "a&amp;b",
            id="in a text, as it stands",
        ),
        pytest.param(
            {"long_url": {"over": 10, "form": {"_method": "GET"}}},
            post("after=c1&_method=GET", FORM),
            "query",
            "after",
            "c1",
            id="a long URL's form",
        ),
    ],
)  # fmt: skip
def test_a_value_is_read_where_it_is_sent(
    words: dict[str, Any], request_: Request, where: Any, name: str, expected: JsonValue | Absent
) -> None:
    """Decoded once, and told from null, from an empty text and from nothing."""
    found = slots(words).read(request_).find(where, name)

    assert (type(expected), expected) == (type(found), found)


def test_a_name_that_stands_twice_has_one_value() -> None:
    """A template with one name in two places captures it only if both say the same."""
    read = slots({"query": {"q": "{after} or {after}"}}).read

    assert "a" == read(get("/rows?q=a%20or%20a")).find("template", "after")
    assert ABSENT is read(get("/rows?q=a%20or%20b")).find("template", "after")


@pytest.mark.parametrize(
    ("words", "request_"),
    [
        pytest.param({}, get("/rows?anything=1"), id="its path"),
        pytest.param({"path": "/rows/{id}"}, get("/rows/7%2F8"), id="a name for one segment"),
        pytest.param({"path": "/{kind}/rows"}, get("/a%20b/rows"), id="a variable, encoded"),
        pytest.param({"long_url": {"over": 10}}, post("a=1", FORM), id="a long URL as a POST"),
    ],
)
def test_a_request_for_the_operation(words: dict[str, Any], request_: Request) -> None:
    """By its method and its path."""
    named = {"variables": {"kind": {"pattern": "[a-z ]+"}}} if "kind" in words.get("path", "") else {}

    assert slots(words, {"kind": "a b"}, **named).is_for(request_)


@pytest.mark.parametrize(
    ("words", "request_"),
    [
        pytest.param({}, get("/rows/"), id="a longer path"),
        pytest.param({}, get("/row"), id="a shorter path"),
        pytest.param({}, Request("GET", "https://api.example/v2/rows"), id="another base"),
        pytest.param({"path": "/rows.{id}"}, get("/rowsX7"), id="a dot is a dot"),
        pytest.param({"path": "/rows/{id}"}, get("/rows/7/8"), id="two segments for one"),
        pytest.param({"path": "/rows/{id}"}, get("/rows/"), id="no segment for one"),
        pytest.param({}, post("{}"), id="another method"),
    ],
)
def test_a_request_for_something_else(words: dict[str, Any], request_: Request) -> None:
    """Neither its path nor its method."""
    assert not slots(words).is_for(request_)


OWN: dict[str, Any] = {"query": {"expand": "lines", "q": "id > {after}"}, "headers": {"Accept-Version": "2"}}
SENT = (("accept-version", "2"),)


@pytest.mark.parametrize(
    ("words", "request_"),
    [
        pytest.param(OWN, get("/rows?expand=lines&q=id%20%3E%20&limit=2", *SENT), id="all of it"),
        pytest.param(OWN, get("/rows?limit=2&q=id%20%3E%209&expand=lines&mine=1", *SENT), id="in any order, and more"),
        pytest.param({"query": {"limit": "100"}}, get("/rows?limit=2"), id="a page size over the config's own"),
        pytest.param(POSTED, post('{"filter":{"tags":["a","b"],"active":true},"top":5,"x":1}'), id="a body"),
        pytest.param({"method": "POST", "encode": "form", "body": {"n": 5, "on": True}}, post("on=true&n=5", FORM),
                     id="a form"),
        pytest.param({"method": "POST", "encode": "form", "body": {"t": ["a", "b"]}}, post("t=a&t=b", FORM),
                     id="a form with a list"),
        pytest.param({"long_url": {"over": 10, "form": {"m": "GET"}}, "query": {"e": "x"}},
                     post("e=x&m=GET", FORM), id="a long URL's form"),
    ],
)  # fmt: skip
def test_a_request_as_documented(words: dict[str, Any], request_: Request) -> None:
    """What the config sends is there, and what a call adds is nobody's business."""
    assert "" == wrong(slots(words).read(request_))


@pytest.mark.parametrize(
    ("words", "request_", "said"),
    [
        pytest.param(OWN, get("/rows?q=id%20%3E%20", *SENT), "the parameter expand is not as documented", id="missing"),
        pytest.param(OWN, get("/rows?expand=Lines&q=id%20%3E%20", *SENT), "the parameter expand is not as documented",
                     id="another value"),
        pytest.param(OWN, get("/rows?expand=lines&q=id%20%3C%209", *SENT), "the parameter q is not as documented",
                     id="another text around a name"),
        pytest.param(OWN, get("/rows?expand=lines&expand=lines&q=id%20%3E%20", *SENT),
                     "the parameter expand is sent 2 times", id="twice"),
        pytest.param(OWN, get("/rows?expand=lines&q=id%20%3E%20"), "the header accept-version is not as documented",
                     id="no header"),
        pytest.param(OWN, get("/rows?expand=lines&q=id%20%3E%20", ("accept-version", "3")),
                     "the header accept-version is not as documented", id="another header"),
        pytest.param({}, get("/rows?limit=3&limit=3"), "the parameter limit is sent 2 times", id="a page size twice"),
        pytest.param(POSTED, post('{"filter":{"active":true},"top":5}'), "the body is not as documented",
                     id="a member less"),
        pytest.param(POSTED, post('{"filter":{"active":1,"tags":["a","b"]},"top":5}'), "the body is not as documented",
                     id="1 for true"),
        pytest.param(POSTED, post('{"filter":{"active":true,"tags":["b","a"]},"top":5}'),
                     "the body is not as documented", id="another order in a list"),
        pytest.param(POSTED, Request("POST", f"{BASE}/rows"), "the body is not as documented", id="no body"),
        pytest.param({"method": "POST", "encode": "form", "body": {"n": "5"}}, post("n=5&n=5", FORM),
                     "the body has a parameter twice", id="twice in a form"),
        pytest.param(SOAP, post("<Get><Org>o</Org></Get>", XML), "the body is not as documented", id="another XML"),
        pytest.param({"long_url": {"over": 10, "form": {"m": "GET"}}, "query": {"e": "x"}},
                     post("e=x", FORM), "the parameter m is not as documented", id="a form without its own"),
        pytest.param({"long_url": {"over": 10}, "query": {"e": "x"}}, post("e=x&e=x", FORM),
                     "the parameter e is sent 2 times", id="twice in a long URL's form"),
    ],
)  # fmt: skip
def test_a_request_that_is_refused(words: dict[str, Any], request_: Request, said: str) -> None:
    """It lacks what the config sends, has it twice or has it otherwise."""
    assert said == wrong(slots(words).read(request_))


def test_what_paging_sends_in_a_body_stands_over_the_configs_own() -> None:
    """The member that it replaces has any value; those beside it have theirs."""
    words = {"method": "POST", "body": {"page": {"limit": 100, "sort": "id"}}}
    read = slots(words, pagination={**PAGED, "page_size_param": "page.limit", "page_size_in": "body"}).read

    assert "" == wrong(read(post('{"page":{"limit":2,"sort":"id"}}')))
    assert "the body is not as documented" == wrong(read(post('{"page":{"limit":2}}')))


def test_what_every_request_has_gives_way_to_the_operations_own() -> None:
    """In the query and among the headers; the version counts among what every request has."""
    read = slots(
        {"query": {"e": "own"}, "headers": {"x-v": "own"}},
        query={"e": "all", "f": "all"},
        headers={"X-V": "all", "x-w": "all"},
        api_version={"value": "7", "in": "query", "name": "v"},
    ).read
    sent = (("x-v", "own"), ("x-w", "all"))

    assert "" == wrong(read(get("/rows?e=own&f=all&v=7", *sent)))
    assert "the parameter v is not as documented" == wrong(read(get("/rows?e=own&f=all", *sent)))
    assert "the parameter e is not as documented" == wrong(read(get("/rows?e=all&f=all&v=7", *sent)))


def test_an_accounts_variable_is_its_value() -> None:
    """In the query, in a header, and escaped in XML: a request with another tenant's is refused."""
    words = {**SOAP, "query": {"t": "{org}"}, "headers": {"x-org": "{org}"}}
    read = slots(words, {"org": "R&D"}, variables={"org": {"pattern": "[A-Z&]+"}}).read

    def asked(query: str, header: str, body: str) -> Said:
        text = f"<Get><Org>{body}</Org><After>7</After></Get>"
        return read(Request("POST", f"{BASE}/rows?t={query}", (*XML, ("x-org", header)), text.encode()))

    right = asked("R%26D", "R&D", "R&amp;D")

    assert ("", "7") == (wrong(right), right.find("template", "after"))
    assert "the parameter t is not as documented" == wrong(asked("S", "R&D", "R&amp;D"))
    assert "the header x-org is not as documented" == wrong(asked("R%26D", "S", "R&amp;D"))
    assert "the body is not as documented" == wrong(asked("R%26D", "R&D", "S"))


def test_names_that_links_must_not_take() -> None:
    """Those of the config's query, and those that paging writes there."""
    assert {"e", "f", "after", "limit"} == slots(
        {"query": {"e": "1"}}, query={"f": "1"}, pagination={**PAGED, "cursor_param": "after"}
    ).own_names
