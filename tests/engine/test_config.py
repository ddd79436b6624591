"""connector.json to a Connector: what is promised, what each word becomes, and everything that is refused."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connproof.auth import SCHEMES
from connproof.config import load, load_account_document, locate, parse
from connproof.errors import CallWrong, ConfigWrong, Problem
from connproof.model import (
    Assertion,
    Auth,
    Batch,
    Bookmark,
    Condition,
    Connector,
    Elements,
    Ending,
    ErrorRule,
    ForEach,
    Frozen,
    Hydrate,
    Idempotency,
    LongUrl,
    Nested,
    Operation,
    Pagination,
    ProviderFacts,
    Seed,
    Then,
    TokenAnswer,
    TokenEndpoint,
    Trait,
    Variable,
    Window,
    Words,
)
from connproof.pagination import STRATEGIES
from connproof.places import ABSENT, Place
from connproof.schemas import shipped

Document = dict[str, Any]

SCHEMA: Document = shipped("connproof", "connector").document
DEFINITIONS: Document = SCHEMA["$defs"]
TYPES = tuple(DEFINITIONS["pagination"]["properties"]["type"]["enum"])
AUTHS = tuple(DEFINITIONS["auth"]["properties"]["type"]["enum"])


def minimal() -> Document:
    """The least that a connector says."""
    return {
        "base_url": "https://api.example.com",
        "auth": {"type": "none"},
        "resources": {"rows": {"list": {"method": "GET", "path": "/rows"}}},
    }


def edited(document: Document, edits: Document) -> Document:
    """A copy in which each JSON pointer has its value; missing objects on the way are made."""
    result = copy.deepcopy(document)
    for pointer, value in edits.items():
        *way, last = (step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
        here: Any = result
        for step in way:
            here = here[int(step)] if isinstance(here, list) else here.setdefault(step, {})
        here[last] = value
    return result


def loaded(document: Document, *, allow_loopback: bool = False) -> Connector:
    """The connector of a document."""
    return parse(json.dumps(document, indent=1).encode(), folder="example", allow_loopback=allow_loopback)


def refused(document: Document) -> tuple[Problem, ...]:
    """Every problem of a document; each stands on the line of what its pointer names."""
    text = json.dumps(document, indent=1)
    with pytest.raises(ConfigWrong) as caught:
        parse(text.encode(), folder="example")
    lines = text.split("\n")
    for problem in caught.value.problems:
        last = problem.pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
        assert last.isdigit() or not last or json.dumps(last) in lines[problem.line - 1], problem
    return caught.value.problems


def told(document: Document) -> list[str]:
    """Pointer and message of every problem."""
    return [f"{problem.pointer} {problem.message}" for problem in refused(document)]


def operation_of(connector: Connector) -> Operation:
    """The first operation."""
    return next(connector.operations())


def pagination_of(connector: Connector) -> Pagination:
    """The pagination of the first operation."""
    pagination = operation_of(connector).pagination
    assert pagination is not None
    return pagination


# What is promised.

SHORTEST = b"""{
  "base_url": "https://api.hubspot.com",
  "auth": { "type": "oauth2", "token_path": "access_token" },
  "pagination": { "type": "cursor", "cursor_field": "paging.next.after" },
  "resources": {
    "contacts": {
      "list": { "method": "GET", "path": "/crm/v3/objects/contacts", "response_path": "results" }
    }
  }
}
"""

BLOCK = (
    """{"type": "cursor", "cursor_field": "paging.next.after", "page_size_param": "limit", "default_page_size": 100}"""
)


def test_the_shortest_connector_is_valid_for_ever() -> None:
    """The document that users were promised loads, and means what they were told."""
    connector = parse(SHORTEST, folder="shortest")
    operation = operation_of(connector)
    pagination = pagination_of(connector)

    assert ("shortest", "https://api.hubspot.com") == (connector.name, connector.base_url)
    assert Auth("oauth2", token_path=Place.parse("access_token"), prefix="Bearer ") == connector.auth
    assert ("contacts.list", "GET", "/crm/v3/objects/contacts") == (operation.id, operation.method, operation.path)
    assert Place.parse("results") == operation.response_path
    assert ("cursor", "after", "query") == (pagination.type, pagination.cursor_param, pagination.cursor_in)
    assert operation.is_list


def test_the_shortest_block_with_a_page_size_is_valid_for_ever() -> None:
    """The second promise: four words page through a listing."""
    pagination = pagination_of(loaded(edited(minimal(), {"/pagination": json.loads(BLOCK)})))

    assert ("after", "limit", 100) == (
        pagination.cursor_param,
        pagination.page_size_param,
        pagination.default_page_size,
    )


# Every word reaches the model.


def words_of(definition: str) -> Document:
    """The own words of a definition, without the one that chooses it."""
    return {word: schema for word, schema in DEFINITIONS[definition].get("properties", {}).items() if word != "type"}


def paging_words(kind: str) -> Document:
    """All words that a strategy may have."""
    shared = words_of("paging") if "allOf" in DEFINITIONS[f"pagination_{kind}"] else {}
    return {**words_of(f"pagination_{kind}"), **shared}


LEAST: dict[str, Document] = {
    "cursor": {"cursor_field": "a.b"},
    "offset": {"offset_param": "o"},
    "page": {"page_param": "p"},
    "link_header": {},
    "next_url": {"next_url_field": "n"},
    "keyset": {"key_field": "id", "key_param": "k"},
    "none": {},
}

# What must stand beside a word for it to mean something.
BESIDE: dict[str, Document] = {
    "cursor_in": {"first_cursor": "*"},
    "cursor_header": {"cursor_param": "b"},
    "step": {"step_field": "size"},
    "step_field": {"step": "reported"},
    "stop_field": {"stop_when": True},
    "stop_header": {"stop_when": "true"},
    "stop_when": {"stop_field": "done"},
    "total_counts": {"total_field": "total"},
    "total_from": {"total_field": "total"},
    "page_size_in": {"page_size_param": "size", "default_page_size": 5},
    "default_page_size": {"page_size_param": "size"},
    "max_page_size": {"page_size_param": "size"},
    "min_page_size": {"page_size_param": "size"},
    "short_page": {"page_size_param": "size", "default_page_size": 5},
    "reduce_on": {"page_size_param": "size"},
    "on_expired": {"window": {"field": "x.window", "param": "w"}},
    "window": {"on_expired": "window"},
}

# Words that have words of their own: what a document says, and what the model holds.
PARTS: dict[str, tuple[Any, Any]] = {
    "seed": ({"operation": "other", "field": "x.seed"}, Seed("other", Place.parse("x.seed"))),
    "continue_with": ("other", "other"),
    "then": (
        {"after_records": 7, "pagination": {"type": "next_url", "next_url_field": "x.then"}},
        Then(
            7,
            Pagination(
                "next_url",
                "/pagination/then/pagination",
                next_url_field=Place.parse("x.then"),
                own_params="drop",
                empty_page="continue",
            ),
        ),
    ),
    "reduce_on": ([413, 500], (413, 500)),
    "window": (
        {"cap": 7, "field": "x.window", "param": "X-w", "in": "header", "first": "0"},
        Window(Place.parse("x.window"), "X-w", "header", 7, "0"),
    ),
    "bookmark": (
        {"field": "x.bookmark", "param": "b", "in": "query"},
        Bookmark(Place.parse("x.bookmark"), "b"),
    ),
    "frozen": ({"param": "X-f", "in": "header", "format": "epoch_ms"}, Frozen("X-f", "header", "epoch_ms")),
}
# Strategies for which a word that all have makes no sense.
SENSELESS = {("page", "reduce_on")}


def another_value(word: str, schema: Document) -> Any:
    """A valid value that is not the default."""
    if word in PARTS:
        return PARTS[word][0]
    if "$ref" in schema:
        return f"x.{word}"
    if "enum" in schema:
        others = [value for value in schema["enum"] if value != schema.get("default")]
        return (others or schema["enum"])[-1]
    if schema["type"] == "boolean":
        return not schema["default"]
    if schema["type"] == "integer":
        return 7
    return {"cursor_param": "b", "page_size_param": "size"}.get(word, f"X-{word}")


def paging_document(kind: str, word: str, value: Any) -> Document:
    """A document whose only listing has this word; every parameter has a place in braces."""
    said = {"type": kind, **LEAST[kind], **BESIDE.get(word, {}), word: value}
    if word == "cursor_header":
        del said["cursor_field"]
    return edited(
        minimal(),
        {
            "/pagination": said,
            "/resources/rows/list/query": {"q": "{b}{o}{p}{size}{X-cursor_param}"},
            "/resources/rows/list/key": "id",
            "/resources/rows/other": {"method": "GET", "path": "/other", "query": {"q": "{b}"}},
        },
    )


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        pytest.param(kind, word, id=f"{kind}-{word}")
        for kind in TYPES
        for word in paging_words(kind)
        if (kind, word) not in SENSELESS
    ],
)
def test_every_word_of_pagination_reaches_the_model(kind: str, word: str) -> None:
    """A word that the schema has is never swallowed: paths are parsed, header names are in lower case."""
    schema = paging_words(kind)[word]
    value = another_value(word, schema)

    read = getattr(pagination_of(loaded(paging_document(kind, word, value))), word)

    if word in PARTS:
        value = PARTS[word][1]
    elif "$ref" in schema:
        value = Place.parse(value)
    assert (value.lower() if word.endswith("header") else value) == read


@pytest.mark.parametrize("kind", TYPES)
def test_defaults_of_pagination_are_those_of_the_schema(kind: str) -> None:
    """What the schema states and what the engine does cannot drift apart."""
    pagination = pagination_of(loaded(edited(minimal(), {"/pagination": {"type": kind, **LEAST[kind]}})))
    stated = {
        word: () if schema.get("default") == [] else schema.get("default", ABSENT if word == "first_cursor" else None)
        for word, schema in paging_words(kind).items()
        if word not in LEAST[kind] and word != "cursor_param"
    }

    assert stated == {word: getattr(pagination, word) for word in stated}


@pytest.mark.parametrize(("path", "name"), [("paging.next.after", "after"), ("cursor", "cursor"), ('a["b.c"]', "b.c")])
def test_the_cursors_parameter_defaults_to_its_last_name(path: str, name: str) -> None:
    """Most providers name the parameter as they name the field."""
    document = edited(minimal(), {"/pagination": {"type": "cursor", "cursor_field": path}})

    assert name == pagination_of(loaded(document)).cursor_param


ENDPOINT: Document = {"url": "https://id.example.com/t", "client_auth": "none"}
LOGIN: Document = {"url": "https://id.example.com/login", "params": {"user": "{user}"}}
AUTH_LEAST: dict[str, Document] = {
    "api_key": {"in": "header", "name": "x-k"},
    "session": {"name": "x-s", "login": LOGIN},
}
AUTH_BESIDE: dict[str, Document] = {"realm_format": {"realm": "r"}, "rotation": {"token": ENDPOINT}}
AUTH_ANOTHER: Document = {
    "in": "query",
    "name": "k",
    "headers": {"X-A": "{b}"},
    "rotation": {"grace_s": 30},
    "token": ENDPOINT,
    "login": LOGIN,
}
AUTH_READ: Document = {
    "headers": (("x-a", "{b}"),),
    "rotation": 30,
    "token": ("/auth/token", "https://id.example.com/t"),
    "login": ("/auth/login", "https://id.example.com/login"),
}


def auth_of(said: Document) -> Auth:
    """The auth of a document whose only operation has a body that WS-Security can sign."""
    operation = {"method": "POST", "path": "/rows", "encode": "xml", "body": "{ws_security}"}
    return loaded(edited(minimal(), {"/auth": said, "/resources/rows/list": operation})).auth


@pytest.mark.parametrize("kind", AUTHS)
def test_defaults_of_auth_are_those_of_the_schema(kind: str) -> None:
    """A path that is not said is the schema's, parsed."""
    auth = auth_of({"type": kind, **AUTH_LEAST.get(kind, {})})
    stated = {word: schema["default"] for word, schema in words_of(f"auth_{kind}").items() if "default" in schema}

    assert kind == auth.type
    assert stated == {word: text_of(getattr(auth, word)) for word in stated}


def text_of(value: Any) -> Any:
    """A place as a config writes it; anything else as it is."""
    return str(value) if isinstance(value, Place) else value


@pytest.mark.parametrize(
    ("kind", "word"),
    [pytest.param(kind, word, id=f"{kind}-{word}") for kind in AUTHS for word in words_of(f"auth_{kind}")],
)
def test_every_word_of_auth_reaches_the_model(kind: str, word: str) -> None:
    """`in` is the place, `login` a token endpoint; paths are parsed, header names are in lower case."""
    schema = words_of(f"auth_{kind}")[word]
    value = AUTH_ANOTHER.get(word) or another_value(word, schema)

    auth = auth_of({"type": kind, **AUTH_LEAST.get(kind, {}), **AUTH_BESIDE.get(word, {}), word: value})

    read = getattr(auth, {"in": "place", "login": "token"}.get(word, word))
    if isinstance(read, TokenEndpoint):
        read = (read.pointer, read.url)
    assert AUTH_READ.get(word, value) == text_of(read)


JWT: Document = {"algorithm": "RS256", "key_path": "key"}
TOKEN_BESIDE: dict[str, Document] = {
    "jwt": {"grant": "jwt_bearer"},
    "encode": {"method": "POST"},
    "body": {"encode": "xml", "grant": "none"},
    "client_auth": {"jwt": JWT, "grant": "none"},
    "grant": {"client_auth": "none"},
}
TOKEN_ANOTHER: Document = {
    "url": "https://other.example.com",
    "refresh_url": "https://other.example.com",
    "client_auth": "bearer_jwt",
    "grant": "none",
    "encode": "json",
    "method": "GET",
    "scope": ["a", "b"],
    "params": {"p": 1},
    "headers": {"X-P": "1"},
    "revoked_when": ["r"],
    "misconfigured_when": ["m"],
    "transient_when": ["t"],
}
TOKEN_READ: Document = {
    "scope": ("a", "b"),
    "params": (("p", 1),),
    "headers": (("x-p", "1"),),
    "revoked_when": ("r",),
    "misconfigured_when": ("m",),
    "transient_when": ("t",),
}
TOKEN_WORDS = [*DEFINITIONS["token_request"]["properties"], *DEFINITIONS["token_endpoint"]["properties"]]


def endpoint_of(words: Document) -> TokenEndpoint:
    """The token endpoint of OAuth 2 with these words."""
    token = auth_of({"type": "oauth2", "token": {**ENDPOINT, **words}}).token
    assert token is not None
    return token


@pytest.mark.parametrize("word", [word for word in TOKEN_WORDS if word not in {"jwt", "response"}])
def test_every_word_of_a_token_endpoint_reaches_the_model(word: str) -> None:
    """Paths are parsed, lists are kept in their order."""
    known = {**DEFINITIONS["token_request"]["properties"], **DEFINITIONS["token_endpoint"]["properties"]}
    value = TOKEN_ANOTHER.get(word) or another_value(word, known[word])

    read = getattr(endpoint_of({**TOKEN_BESIDE.get(word, {}), word: value}), word)

    assert TOKEN_READ.get(word, value) == text_of(read)


def test_every_word_of_an_assertion_reaches_the_model() -> None:
    """Texts stay texts: they are filled when it is signed."""
    said = {
        "algorithm": "ES256",
        "key_path": "k",
        "key_id_path": "i",
        "issuer": "{a}",
        "subject": "{b}",
        "audience": "c",
        "lifetime_s": 9,
        "claims": {"d": True},
    }

    read = endpoint_of({"grant": "jwt_bearer", "jwt": said}).jwt

    assert DEFINITIONS["assertion"]["properties"].keys() == said.keys()
    assert {**said, "claims": (("d", True),), "pointer": "/auth/token/jwt"} == {
        field.name: text_of(getattr(read, field.name)) for field in dataclasses.fields(Assertion)
    }


def test_every_word_of_a_token_answer_reaches_the_model() -> None:
    """Every place may be elsewhere, and the units are as said."""
    units = {"expires_in_unit": "ms", "expires_at_unit": "epoch_s"}
    places = [word for word in DEFINITIONS["token_answer"]["properties"] if word not in units]

    read = endpoint_of({"response": {**{word: f"x.{word}" for word in places}, **units}}).answer

    expected = {**{word: Words((Place.parse(f"x.{word}"),)) for word in places}, **units}
    assert expected == {field.name: getattr(read, field.name) for field in dataclasses.fields(TokenAnswer)}


def test_defaults_of_a_token_endpoint_are_those_of_the_schema() -> None:
    """Of the endpoint, its assertion and its answer."""
    endpoint = endpoint_of({"client_auth": "private_key_jwt", "jwt": JWT})
    parts = {
        "token_request": endpoint,
        "token_endpoint": endpoint,
        "assertion": endpoint.jwt,
        "token_answer": endpoint.answer,
    }
    stated = {
        (part, word): schema["default"]
        for part in parts
        for word, schema in DEFINITIONS[part]["properties"].items()
        if "default" in schema
    }

    assert stated == {(part, word): text_of(getattr(parts[part], word)) for part, word in stated}
    assert ("form", "query") == (endpoint.encode, endpoint_of({"method": "GET"}).encode)


LIST = "/resources/rows/list"
FULL: Document = {
    "$schema": "connector.schema.json",
    "connector": "example",
    "title": "An example",
    "docs": "https://docs.example.com",
    "owner": "somebody",
    "base_url": "https://{region}.example.com/{api_version}/",
    "variables": {
        "region": {
            "pattern": "[a-z]{2}",
            "source": "discovery",
            "operation": "rows.get",
            "path": "region",
            "in_host": "lower",
            "secret": True,
        }
    },
    "allowed_origins": ["https://files.example.com"],
    "provider_facts": {"lowers_page_size": True, "short_pages": True, "source": "https://docs.example.com/pages"},
    "api_version": {
        "value": "v3",
        "in": "path",
        "name": "version",
        "source": "https://docs.example.com/versions",
        "deprecated": "2026-06-15",
        "sunset": "2027-06",
        "notice": "https://docs.example.com/changes",
        "served": {"header": "X-Version"},
        "deprecation_headers": ["X-Deprecated"],
    },
    "decode": "json",
    "errors": [
        {
            "when": {"status": "2xx", "body": {"errors[*].code": ["a", 1], "n": {"present": True}}, "text": "x+"},
            "means": "failed",
            "code": "errors[0].code",
            "message": [{"header": "X-Error"}, "message"],
        }
    ],
    "error_code": "code",
    "error_message": ["detail", {"header": "X-Why"}],
    "rate_limit": {
        "throttled": [{"when": {"status": 403}, "wait": [{"fixed_s": 3}]}],
        "wait": [{"header": "X-Wait", "unit": "delta_s"}],
        "choose": "first",
        "default_wait_s": 60,
        "budgets": [{"name": "day", "remaining": {"header": "X-Left"}, "window": {"fixed_s": 86_400}}],
        "standard": "pair",
    },
    "headers": {"X-All": "1"},
    "query": {"all": True, "n": 5, "ids": ["a", 2, False]},
    "auth": {"type": "bearer"},
    "pagination": {"type": "page", "page_param": "page"},
    "resources": {
        "rows": {
            "list": {
                "method": "POST",
                "path": "/rows/{parent}",
                "query": {"q": "x"},
                "headers": {"X-One": "{tenant}"},
                "body": {"filter": []},
                "encode": "form",
                "decode": {"type": "xml", "force_list": ["rows.row"], "namespaces": {"urn:a": "a"}},
                "response_path": "data[*].row",
                "items_may_be_missing": True,
                "provider_facts": {
                    "lowers_page_size": False,
                    "filters_pages": True,
                    "empty_pages": False,
                    "steady_places": True,
                },
                "key": "id",
                "returns": "list",
                "pagination": {"type": "offset", "offset_param": "offset"},
                "nested": {
                    "lines": {"response_path": "data", "pagination": {"type": "next_url", "next_url_field": "next"}}
                },
                "hydrate": {"operation": "get", "param": "id", "from": "id", "merge": True},
                "for_each": {"operation": "rows.search", "params": {"parent": "id"}, "into": "parent"},
                "errors": [{"when": {"status": [409, "5xx"], "header": {"X-Left": 0}}, "means": "transient"}],
                "elements": {"at": "results", "failed": {"ok": False}, "id": "id"},
                "ending": {
                    "deprecated": "2026-06",
                    "sunset": "2027-06-30",
                    "notice": "https://docs.example.com/changes",
                },
                "idempotency": {"name": "Idempotency-Key"},
                "batch": {"at": "inputs", "max": 10},
                "long_url": {"over": 2000, "form": {"_method": "GET"}},
                "overridable": ["query.q", "headers.X-Two"],
            },
            "get": {"method": "GET", "path": "/rows/{id}"},
            "search": {"method": "GET", "path": "/search"},
            "import": {"method": "POST", "path": "/import", "body": "text"},
        }
    },
    "unified": {
        "crm.contact": {
            "resource": "rows",
            "fields": {"name": "$.name", "id": "$.id"},
            "query": {"state": "s", "since": {"param": "b.since", "in": "body", "value": "$ + 1", "otherwise": "x"}},
            "write": {"import": {"a.b": "name"}},
            "custom_fields": {"from": {"at": "more", "keys": {"prefix": "cf_"}}},
        }
    },
}


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        ("name", "example"),
        ("title", "An example"),
        ("base_url", "https://{region}.example.com/{api_version}"),
        (
            "variables",
            {
                "region": Variable(
                    "region",
                    "[a-z]{2}",
                    secret=True,
                    source="discovery",
                    path=Place.parse("region"),
                    operation="rows.get",
                    in_host="lower",
                )
            },
        ),
        ("allowed_origins", ("https://files.example.com",)),
        ("decode", "json"),
        ("headers", (("x-all", "1"),)),
        ("query", (("all", "true"), ("n", "5"), ("ids", "a"), ("ids", "2"), ("ids", "false"))),
        (
            "errors",
            (
                ErrorRule(
                    Condition(
                        ("2xx",),
                        body=(
                            (Place.parse("errors[*].code"), Trait(equals=("a", 1))),
                            (Place.parse("n"), Trait(present=True)),
                        ),
                        text="x+",
                    ),
                    "failed",
                    "/errors/0",
                    Words((Place.parse("errors[0].code"),)),
                    Words(("x-error", Place.parse("message"))),
                ),
            ),
        ),
        ("error_code", Words((Place.parse("code"),))),
        ("error_message", Words((Place.parse("detail"), "x-why"))),
        ("api_version.value", "v3"),
        ("api_version.place", "path"),
        ("api_version.name", "version"),
        ("api_version.source", "https://docs.example.com/versions"),
        ("api_version.deprecated", "2026-06-15"),
        ("api_version.sunset", "2027-06"),
        ("api_version.notice", "https://docs.example.com/changes"),
        ("api_version.served", "x-version"),
        ("api_version.deprecation_headers", ("x-deprecated",)),
    ],
)
def test_every_word_of_the_connector_reaches_the_model(attribute: str, expected: Any) -> None:
    """Names of headers are in lower case; a query list is several pairs; booleans are true and false."""
    here: Any = loaded(FULL)
    for name in attribute.split("."):
        here = getattr(here, name)

    assert expected == here


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        ("resource", "rows"),
        ("name", "list"),
        ("method", "POST"),
        ("path", "/rows/{parent}"),
        ("pointer", "/resources/rows/list"),
        ("query", (("q", "x"),)),
        ("headers", (("x-one", "{tenant}"),)),
        ("body", {"filter": []}),
        ("encode", "form"),
        ("response_path", Place.parse("data[*].row")),
        ("items_may_be_missing", True),
        ("provider_facts", ProviderFacts(False, True, True, False, True, "https://docs.example.com/pages")),
        ("key", Place.parse("id")),
        ("is_list", True),
        (
            "errors",
            (
                ErrorRule(
                    Condition((409, "5xx"), headers=(("x-left", Trait(equals=("0",))),)),
                    "transient",
                    "/resources/rows/list/errors/0",
                ),
            ),
        ),
        (
            "elements",
            Elements(
                "/resources/rows/list/elements",
                at=Place.parse("results"),
                failed=((Place.parse("ok"), Trait(equals=(False,))),),
                id=Place.parse("id"),
            ),
        ),
        ("ending", Ending("2026-06", "2027-06-30", "https://docs.example.com/changes")),
        ("idempotency", Idempotency("idempotency-key")),
        ("batch", Batch(Place.parse("inputs"), 10)),
        ("long_url", LongUrl(2000, (("_method", "GET"),))),
        ("overridable", ("query.q", "headers.X-Two")),
        ("pagination", Pagination("offset", pointer="/resources/rows/list/pagination", offset_param="offset")),
        (
            "nested",
            (
                Nested(
                    Place.parse("lines"),
                    Pagination(
                        "next_url",
                        "/resources/rows/list/nested/lines/pagination",
                        next_url_field=Place.parse("next"),
                        own_params="drop",
                        empty_page="continue",
                    ),
                    "/resources/rows/list/nested/lines",
                    Place.parse("data"),
                ),
            ),
        ),
        ("hydrate", Hydrate("get", "id", Place.parse("id"), merge=True)),
        (
            "for_each",
            ForEach("rows.search", (("parent", Place.parse("id")),), "/resources/rows/list/for_each", "parent"),
        ),
    ],
)
def test_every_word_of_an_operation_reaches_the_model(attribute: str, expected: Any) -> None:
    """An operation's own pagination replaces the connector's."""
    assert expected == getattr(operation_of(loaded(FULL)), attribute)


def resolved(schema: Document) -> Document:
    """What a schema refers to."""
    while "$ref" in schema:
        schema = DEFINITIONS[schema["$ref"].removeprefix("#/$defs/")]
    return schema


def branch_of(schema: Document, value: Any) -> Document:
    """The part of a schema that says what an object's members, or a list's elements, may be."""
    word = "items" if isinstance(value, list) else "properties"
    schema = resolved(schema)
    others = [schema.get(way, {}) for way in ("then", "else")] + schema.get("anyOf", []) + schema.get("oneOf", [])
    found = [schema, *map(resolved, others)]
    return next((one for one in found if word in one), schema)


def levels(schema: Document, value: Any, pointer: str = "") -> Iterator[tuple[str, Document, Document]]:
    """Every object of a document that its schema describes: its pointer, its schema, itself."""
    schema = branch_of(schema, value)
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from levels(schema.get("items", {}), inner, f"{pointer}/{index}")
    if not isinstance(value, dict):
        return
    yield pointer, schema, value
    parts = [schema, *map(resolved, schema.get("allOf", []))]
    words = {name: word for part in parts for name, word in part.get("properties", {}).items()}
    for name, inner in value.items():
        below = words.get(name) or schema.get("additionalProperties")
        if isinstance(below, dict):
            yield from levels(below, inner, f"{pointer}/{name}")


def test_the_full_document_has_every_word() -> None:
    """The tables above leave none out; those of auth and pagination have tables of their own."""
    missing = {
        f"{pointer}/{word}"
        for pointer, schema, value in levels(SCHEMA, FULL)
        if pointer in {"", "/variables/region", "/api_version", LIST, "/unified/crm.contact"}
        for word in schema["properties"]
        if word not in value
    }

    assert set() == missing


def test_a_mapping_reaches_the_model_with_its_lines() -> None:
    """Each field knows its expression and where it stands."""
    mapping = loaded(FULL).unified["crm.contact"]
    lines = json.dumps(FULL, indent=1).split("\n")

    assert ("crm.contact", "rows", "/unified/crm.contact") == (mapping.model, mapping.resource, mapping.pointer)
    assert [("name", "$.name"), ("id", "$.id")] == [(rule.name, rule.expression) for rule in mapping.fields]
    assert ['"name": "$.name",', '"id": "$.id"'] == [lines[rule.line - 1].strip() for rule in mapping.fields]
    assert "/unified/crm.contact/fields/name" == mapping.fields[0].pointer


def test_defaults_of_an_operation_are_those_of_the_schema() -> None:
    """What is not said is absent, never empty."""
    operation = operation_of(loaded(minimal()))
    stated = DEFINITIONS["operation"]["properties"]

    assert stated["items_may_be_missing"]["default"] is operation.items_may_be_missing
    assert operation.body is ABSENT
    assert (None, None, (), ()) == (operation.response_path, operation.key, operation.query, operation.headers)
    assert Pagination("none") == operation.pagination


def test_defaults_of_a_connector_are_empty() -> None:
    """A variable is no secret unless it is said."""
    connector = loaded(minimal())
    variable = SCHEMA["properties"]["variables"]["additionalProperties"]["properties"]

    assert ("", {}, (), None, None, (), (), {}) == (
        connector.title,
        connector.variables,
        connector.allowed_origins,
        connector.api_version,
        connector.decode,
        connector.headers,
        connector.query,
        connector.unified,
    )
    assert variable["secret"]["default"] is Variable("x", "x").secret


@pytest.mark.parametrize(
    ("name", "said", "is_list"),
    [
        ("list", {}, True),
        ("search", {}, True),
        ("get", {}, False),
        ("export", {}, False),
        ("export", {"returns": "list"}, True),
        ("list", {"returns": "one"}, False),
        ("export", {"pagination": {"type": "link_header"}}, True),
        ("export", {"pagination": {"type": "none"}}, False),
        ("get", {"returns": "one", "pagination": {"type": "none"}}, False),
    ],
)
def test_what_gives_a_list(name: str, said: Document, is_list: bool) -> None:
    """List, search, and whatever declares pages or says so; only a list has a pagination."""
    document = edited(minimal(), {"/resources/rows": {name: {"method": "GET", "path": "/x", **said}}})
    operation = operation_of(loaded(edited(document, {"/pagination": {"type": "link_header"}})))

    assert is_list is operation.is_list
    assert is_list is (operation.pagination is not None)


def test_a_listing_without_pages_says_so() -> None:
    """`none` in an operation wins over the connector's own pagination."""
    document = edited(FULL, {"/resources/rows/list/pagination": {"type": "none"}})

    assert "none" == pagination_of(loaded(document)).type


@pytest.mark.parametrize(("word", "value"), [("first_offset", 5.0), ("max_pages", 5.0), ("default_page_size", 5.0)])
def test_a_whole_number_is_an_integer(word: str, value: float) -> None:
    """JSON Schema lets 5.0 pass for an integer; it is sent and counted as 5."""
    document = edited(
        minimal(), {"/pagination": {"type": "offset", "offset_param": "o", "page_size_param": "n", word: value}}
    )

    assert "5" == str(getattr(pagination_of(loaded(document)), word))


# No drift between the schema, the model and the code.


def test_the_model_of_pagination_has_the_words_of_the_schema() -> None:
    """A word that only one side knows would be silently ignored."""
    words = {word for kind in TYPES for word in paging_words(kind)}

    assert words | {"type", "pointer"} == {field.name for field in dataclasses.fields(Pagination)}


def test_the_model_of_auth_has_the_words_of_the_schema() -> None:
    """`in` is called place; a login is a token endpoint; the variables stand beside."""
    words = {word for kind in AUTHS for word in words_of(f"auth_{kind}")}

    assert words - {"in", "login"} | {"place", "type", "pointer", "variables"} == {
        field.name for field in dataclasses.fields(Auth)
    }


def test_the_model_of_a_token_endpoint_has_the_words_of_the_schema() -> None:
    """`response` is called answer."""
    assert {*TOKEN_WORDS} - {"response"} | {"answer", "pointer"} == {
        field.name for field in dataclasses.fields(TokenEndpoint)
    }


def test_the_model_of_an_operation_has_the_words_of_the_schema() -> None:
    """`returns` is read into is_list."""
    words = set(DEFINITIONS["operation"]["properties"])

    assert words - {"returns"} | {"is_list", "resource", "name", "pointer"} == {
        field.name for field in dataclasses.fields(Operation)
    }


def test_the_model_of_a_connector_has_the_words_of_the_schema() -> None:
    """What is for people stays in the document; pagination and facts that are shared stand in each operation."""
    words = set(SCHEMA["properties"]) - {"$schema", "docs", "owner", "connector", "pagination", "provider_facts"}

    assert words | {"name", "source"} == {field.name for field in dataclasses.fields(Connector)}


def test_there_is_a_strategy_for_every_type() -> None:
    """And none that a config cannot name."""
    assert set(TYPES) == set(STRATEGIES)
    assert {f"pagination_{kind}" for kind in TYPES} == {name for name in DEFINITIONS if name.startswith("pagination_")}


@pytest.mark.parametrize("kind", TYPES)
def test_a_strategy_has_the_words_of_its_definition(kind: str) -> None:
    """Its own words, without those that every strategy shares."""
    assert set(words_of(f"pagination_{kind}")) == STRATEGIES[kind].WORDS


def test_there_is_a_scheme_for_every_auth() -> None:
    """And none that a config cannot name."""
    assert set(AUTHS) == set(SCHEMES)
    assert {f"auth_{kind}" for kind in AUTHS} == {name for name in DEFINITIONS if name.startswith("auth_")}


# Closed everywhere.


TOKEN: Document = {**ENDPOINT, "jwt": JWT, "response": {"scope": "scope"}}
AUTHED: tuple[tuple[str, Document], ...] = (
    ("auth_oauth2", {"type": "oauth2", "token": TOKEN, "rotation": {"grace_s": 60}}),
    ("auth_session", {"type": "session", "name": "X-S", "login": {"url": "https://a.example.com"}}),
)
CLOSED = [pointer for pointer, schema, _ in levels(SCHEMA, FULL) if "unevaluatedProperties" in schema]


def test_every_object_is_closed_or_a_map_of_names() -> None:
    """Nothing but a request's body is free; the walk reaches every closed object of the schema."""
    walked = [*levels(SCHEMA, FULL)]
    walked += [level for name, said in AUTHED for level in levels(DEFINITIONS[name], said, "/auth")]
    open_levels = {
        pointer
        for pointer, schema, _ in walked
        if "unevaluatedProperties" not in schema and "additionalProperties" not in schema and pointer != "/auth"
    }

    assert {"/resources/rows/list/body"} == open_levels
    assert json.dumps(SCHEMA).count('"unevaluatedProperties": false') == len(
        {id(schema) for _, schema, _ in walked if "unevaluatedProperties" in schema}
    )


@pytest.mark.parametrize("pointer", CLOSED)
def test_an_unknown_member_is_refused_with_the_nearest_word(pointer: str) -> None:
    """At every level; a misspelt word never means its default."""
    schema = next(schema for at, schema, _ in levels(SCHEMA, FULL) if at == pointer)
    word = max(schema["properties"], key=len)

    (problem,) = refused(edited(FULL, {f"{pointer}/{word}x": 1}))

    assert (f"{pointer}/{word}x", f'unknown member "{word}x"') == (problem.pointer, problem.message)
    assert f'did you mean "{word}"?' == problem.hint


@pytest.mark.parametrize("pointer", CLOSED)
@pytest.mark.parametrize("name", ["__proto__", "__class__", "constructor", "$ref", "", "pointer", "a/b~c"])
def test_a_name_of_another_world_is_refused(pointer: str, name: str) -> None:
    """S22, S46: no prototype, no include, no empty key, no attribute of the model."""
    escaped = name.replace("~", "~0").replace("/", "~1")

    (problem,) = refused(edited(FULL, {f"{pointer}/{escaped}": 1}))

    assert f'unknown member "{name}"' == problem.message


@pytest.mark.parametrize(
    "pointer",
    [
        "/variables/__proto__",
        "/variables/Region",
        "/resources/__class__",
        "/resources/a~1b",
        "/resources/..",
        "/resources/rows/__init__",
        "/unified/contact",
        "/unified/__proto__.x",
        "/unified/crm.contact/fields/__proto__",
        "/unified/crm.contact/fields/Name",
        "/headers/a b",
        "/headers/:authority",
        "/headers/a\n",
    ],
)
def test_a_name_of_our_own_has_a_form(pointer: str) -> None:
    """S22, S47, S14: names become files, messages and headers; none leads anywhere else."""
    at = pointer.replace("\n", "\\n")
    messages = [str(problem) for problem in refused(edited(FULL, {pointer: {}}))]

    assert any(f"  {at}  " in message and "does not match ^[" in message for message in messages)


@pytest.mark.parametrize("name", ["", "Example", "../x", "a/b", "a\\b", ".x", "x\n", "x y"])
def test_a_connectors_name_has_a_form(name: str) -> None:
    """S47: it stands in file names."""
    assert [f"/connector {json.dumps(name)} does not match ^[a-z0-9][a-z0-9._-]*$"] == told(
        edited(minimal(), {"/connector": name})
    )


def scalars(schema: Document, value: Any, pointer: str = "") -> Iterator[tuple[str, Document]]:
    """Every scalar word of a document, and its schema."""
    for at, level, _ in levels(schema, value, pointer):
        for word, inner in level.get("properties", {}).items():
            found = DEFINITIONS["path"] if inner.get("$ref", "").endswith("/path") else inner
            if "enum" in found or found.get("type") in ("string", "integer", "boolean"):
                yield f"{at}/{word}", found


@pytest.mark.parametrize("pointer", [pointer for pointer, _ in scalars(SCHEMA, FULL) if not pointer.endswith("/type")])
@pytest.mark.parametrize("value", [None, [], {}, 1.5], ids=repr)
def test_a_value_of_another_class_is_refused(pointer: str, value: Any) -> None:
    """Null, a list, an object and a fraction are no word, at any place."""
    found = [problem for problem in refused(edited(FULL, {pointer: value})) if problem.pointer == pointer]

    assert 1 == len(found)
    assert found[0].message.startswith("expected ") or found[0].message.endswith(" is not a valid word here")


def wrong_value(schema: Document) -> Any:
    """A scalar of the class that looks most like the right one."""
    if "$ref" in schema or schema.get("type") == "string" or "object" in schema.get("type", ()):
        return 7
    if schema.get("type") == "integer":
        return "7"
    if schema.get("type") == "boolean":
        return "true"
    return 7 if "enum" in schema else {}


@pytest.mark.parametrize(
    ("kind", "word"), [pytest.param(kind, word, id=f"{kind}-{word}") for kind in TYPES for word in paging_words(kind)]
)
def test_a_word_of_pagination_of_another_class_is_refused(kind: str, word: str) -> None:
    """ "7" is not 7 and "true" is not true."""
    document = paging_document(kind, word, wrong_value(paging_words(kind)[word]))

    (problem,) = refused(document)

    assert f"/pagination/{word}" == problem.pointer
    assert problem.message.startswith("expected ") or problem.message.endswith(" is not a valid word here")


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        pytest.param(kind, word, id=f"{kind}-{word}")
        for kind in TYPES
        for word in sorted({other for one in TYPES for other in paging_words(one)} - set(paging_words(kind)))
    ],
)
def test_a_word_of_another_strategy_is_refused(kind: str, word: str) -> None:
    """A word that the strategy would not read is a mistake, not a comment."""
    said = {"type": kind, **LEAST[kind], word: "x"}

    assert [f'/pagination/{word} unknown member "{word}"'] == told(edited(minimal(), {"/pagination": said}))


# Everything at once, in order.

FIVE_MISTAKES = b"""{
  "base_url": "http://api.example.com",
  "auth": { "type": "oauth2", "token_pth": "access_token" },
  "pagination": { "type": "curser", "cursor_field": "paging.next.after" },
  "resources": {
    "contacts": {
      "list": { "method": "GTE", "path": "crm/contacts", "response_path": "results" }
    }
  }
}
"""


FIVE_PROBLEMS = r"""x.json has 5 problems
  x.json:2:3  /base_url  is not https (credentials are never sent in the clear)
  x.json:3:31  /auth/token_pth  unknown member "token_pth" (did you mean "token_path"?)
  x.json:4:19  /pagination/type  "curser" is not a valid word here (did you mean "cursor"?)
  x.json:7:17  /resources/contacts/list/method  "GTE" is not a valid word here (did you mean "GET"?)
  x.json:7:34  /resources/contacts/list/path  "crm/contacts" does not match ^/[^\s?#\\]*$"""


def test_five_mistakes_are_told_at_once() -> None:
    """Each with its line and column, in the document's order, with the nearest word."""
    with pytest.raises(ConfigWrong) as caught:
        parse(FIVE_MISTAKES, folder="x", name="x.json")

    assert FIVE_PROBLEMS.split("\n") == str(caught.value).split("\n")


def test_mistakes_of_meaning_are_told_at_once() -> None:
    """Where the words are right, everything that they say wrongly comes in the order of the lines."""
    document = edited(
        FULL,
        {
            "/connector": "other",
            "/headers/Host": "x",
            "/auth": {"type": "basic", "username": "{a..b}"},
            "/resources/rows/get/path": "/rows/../{id}",
            "/resources/rows/list/pagination/stop_when": True,
            "/unified/crm.contact/resource": "row",
        },
    )

    problems = refused(document)

    assert [
        "/connector",
        "/headers/Host",
        "/auth/username",
        "/resources/rows/list/pagination/stop_when",
        "/resources/rows/get/path",
        "/unified/crm.contact/resource",
    ] == [problem.pointer for problem in problems]
    assert sorted(problem.line for problem in problems) == [problem.line for problem in problems]


def test_a_mistake_in_a_shared_pagination_is_told_once() -> None:
    """However many listings use it."""
    document = edited(
        FULL,
        {
            "/pagination": {"type": "page", "page_param": "p", "stop_when": True},
            "/resources/rows/list2": {"method": "GET", "path": "/x", "returns": "list"},
        },
    )

    assert ['/pagination/stop_when says nothing without "stop_field" or "stop_header"'] == told(document)


# Meaning: what one word says about another.

NO_PATH = "not a path: expected a member name (quote other characters: [\"@odata.nextLink\"]) at character 3 of 'a..b'"
NO_STEP = 'expected a number, * or a quoted name, then "]"'
PAGES = "/pagination"
SENT = {"page_size_param": "n"}
CURSOR = {"type": "cursor", "cursor_field": "c"}
OFFSET = {"type": "offset", "offset_param": "o"}
TEMPLATE = {f"{LIST}/query": {"q": "from {c}"}}
POST = {f"{LIST}/method": "POST"}


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        pytest.param({"/connector": "other"}, ['/connector is not the name of its folder, "example"'], id="name"),
        # Variables.
        pytest.param(
            {"/base_url": "https://{a}.example.com/{b}"},
            ["/base_url {a} is not declared", "/base_url {b} is not declared"],
            id="variable-undeclared",
        ),
        pytest.param({"/variables/a/pattern": "x"}, ["/variables/a is used nowhere"], id="variable-unused"),
        pytest.param(
            {"/base_url": "https://{a}.example.com", "/variables/a/pattern": "(?=x)"},
            ["/variables/a/pattern is not a regular expression: invalid perl operator: (?="],
            id="pattern-look-around",
        ),
        pytest.param(
            {"/base_url": "https://{a}.example.com", "/variables/a/pattern": r"(x)\1"},
            [r"/variables/a/pattern is not a regular expression: invalid escape sequence: \1"],
            id="pattern-back-reference",
        ),
        pytest.param(
            {"/base_url": "https://{a}.example.com", "/variables/a/pattern": "("},
            ["/variables/a/pattern is not a regular expression: missing ): ("],
            id="pattern-unbalanced",
        ),
        pytest.param(
            {"/base_url": "https://{a}.example.com", "/variables/a/pattern": ".*"},
            ["/variables/a/pattern lets 'x/' through, which leads to another origin"],
            id="S05-anything",
        ),
        pytest.param(
            {"/base_url": "https://{a}.example.com", "/variables/a/pattern": "[^/]+"},
            ["/variables/a/pattern lets 'x?' through, which leads to another origin"],
            id="S05-no-slash",
        ),
        pytest.param(
            {"/base_url": "https://{a}.example.com", "/variables/a/pattern": "[a-z@.]+"},
            ["/variables/a/pattern lets 'x@x' through, which leads to another origin"],
            id="S05-user-name",
        ),
        # Paths of the request.
        pytest.param({"/base_url": "https://a.example/v1/../v2"}, ["/base_url has a dot segment"], id="base-dots"),
        pytest.param(
            {"/base_url": "https://a.example/ü"}, ["/base_url has a character outside ASCII"], id="base-not-ascii"
        ),
        pytest.param(
            {"/base_url": "https://a.example/{a-b}"},
            ["/base_url has a brace that is not around a name"],
            id="base-braces",
        ),
        pytest.param({f"{LIST}/path": "/a/./b"}, [f"{LIST}/path has a dot segment"], id="path-dot"),
        pytest.param({f"{LIST}/path": "/.."}, [f"{LIST}/path has a dot segment"], id="path-dots"),
        pytest.param({f"{LIST}/path": "/ü"}, [f"{LIST}/path has a character outside ASCII"], id="path-not-ascii"),
        pytest.param(
            {f"{LIST}/path": "/a/{user-id}"}, [f"{LIST}/path has a brace that is not around a name"], id="path-braces"
        ),
        pytest.param(
            {f"{LIST}/path": "/a/{id"}, [f"{LIST}/path has a brace that is not around a name"], id="path-brace"
        ),
        pytest.param(
            {f"{LIST}/path": "/a\x00"},
            [f"{LIST}/path the character '\\x00' may not stand in a URL"],
            id="path-control",
        ),
        # Bodies.
        pytest.param({f"{LIST}/body": {}}, [f"{LIST}/body GET has no body"], id="get-with-body"),
        pytest.param({f"{LIST}/method": "HEAD", f"{LIST}/body": ""}, [f"{LIST}/body HEAD has no body"], id="head-body"),
        pytest.param({f"{LIST}/encode": "form"}, [f"{LIST}/encode GET has no body"], id="get-with-encoding"),
        pytest.param(
            {**POST, f"{LIST}/encode": "form", PAGES: {**CURSOR, "cursor_in": "body", "cursor_param": "a.b"}},
            [f"{PAGES}/cursor_param leads into a member, and a form has one level"],
            id="form-level",
        ),
        pytest.param(
            {**POST, f"{LIST}/encode": "form", PAGES: {**CURSOR, "cursor_in": "body", "first_cursor": None}},
            [f"{PAGES}/first_cursor null can stand in a JSON body alone"],
            id="form-null",
        ),
        # Pages.
        pytest.param(
            {f"{LIST}/returns": "one", f"{LIST}/pagination": CURSOR},
            [f"{LIST}/pagination an operation that returns one record has no pages"],
            id="one-with-pages",
        ),
        pytest.param(
            {PAGES: {**CURSOR, "default_page_size": 5}},
            [f'{PAGES}/default_page_size "page_size_param" is missing'],
            id="size-sent-nowhere",
        ),
        pytest.param(
            {PAGES: {**CURSOR, **SENT, "default_page_size": 5, "max_page_size": 4}},
            [f"{PAGES}/default_page_size 5 is more than max_page_size 4"],
            id="size-too-large",
        ),
        pytest.param(
            {PAGES: {**CURSOR, **SENT, "default_page_size": 5, "min_page_size": 6}},
            [f"{PAGES}/default_page_size 5 is less than min_page_size 6"],
            id="size-too-small",
        ),
        pytest.param(
            {PAGES: {**OFFSET, "step": "reported"}}, [f'{PAGES}/step "step_field" is missing'], id="step-reported"
        ),
        pytest.param(
            {PAGES: {**OFFSET, "step": "limit"}}, [f'{PAGES}/step "default_page_size" is missing'], id="step-limit"
        ),
        pytest.param(
            {PAGES: {**OFFSET, "step_field": "n"}},
            [f'{PAGES}/step_field says nothing without "step": "reported"'],
            id="step-field-unused",
        ),
        pytest.param(
            {PAGES: {**CURSOR, "short_page": "stop"}},
            [f'{PAGES}/short_page "default_page_size" is missing'],
            id="short-page",
        ),
        *(
            pytest.param(
                {PAGES: {**CURSOR, word: value}},
                [f'{PAGES}/{word} says nothing without "{needed}"'],
                id=f"{word}-alone",
            )
            for word, value, needed in (
                ("stop_when", False, 'stop_field" or "stop_header'),
                ("total_counts", "pages", 'total_field" or "total_header'),
                ("total_from", "first", 'total_field" or "total_header'),
                ("page_size_in", "body", "page_size_param"),
                ("max_page_size", 5, "page_size_param"),
                ("min_page_size", 5, "page_size_param"),
            )
        ),
        *(
            pytest.param(
                {PAGES: {**CURSOR, f"{word}_field": "a", f"{word}_header": "b", "stop_when": 1, "stop_field": "a"}},
                [f'{PAGES}/{word}_header stands beside "{word}_field"'],
                id=f"{word}-twice",
            )
            for word in ("stop", "total")
        ),
        # Paths into documents.
        *(
            pytest.param(
                {PAGES: {**said, word: "a..b"}},
                [f"{PAGES}/{word} {NO_PATH}"],
                id=f"{word}-no-path",
            )
            for word, said in (
                ("cursor_field", CURSOR),
                ("stop_field", {**CURSOR, "stop_when": 1}),
                ("total_field", CURSOR),
                ("next_url_field", {"type": "next_url"}),
                ("key_field", {"type": "keyset", "key_param": "k"}),
                ("step_field", {**OFFSET, "step": "reported"}),
            )
            if word != "step_field"
        ),
        pytest.param(
            {PAGES: {**CURSOR, "cursor_field": "a[*].c"}},
            [f"{PAGES}/cursor_field [*] finds a list, and one value is meant here"],
            id="many-cursors",
        ),
        pytest.param(
            {f"{LIST}/key": "a[*]"}, [f"{LIST}/key [*] finds a list, and one value is meant here"], id="many-keys"
        ),
        pytest.param(
            {f"{LIST}/response_path": "a["},
            [f"{LIST}/response_path not a path: {NO_STEP} at character 3 of 'a['"],
            id="response-path",
        ),
        pytest.param(
            {"/auth": {"type": "bearer", "token_path": "a b"}},
            ["/auth/token_path " + NO_PATH.replace("a member name", '"." or "["').replace("3 of 'a..b'", "2 of 'a b'")],
            id="token-path",
        ),
        pytest.param(
            {"/auth": {"type": "api_key", "in": "query", "name": "k", "key_path": "a[*]"}},
            ["/auth/key_path [*] finds a list, and one value is meant here"],
            id="key-path",
        ),
        pytest.param(
            {"/auth": {"type": "basic", "password": "{a..b}"}},
            [f"/auth/password {NO_PATH}"],
            id="basic-path",
        ),
        # Where a position is sent.
        pytest.param(
            {PAGES: {"type": "cursor", "cursor_header": "x-next"}},
            [f'{PAGES} "cursor_param" is missing'],
            id="cursor-header-without-param",
        ),
        pytest.param(
            {PAGES: {"type": "cursor", "cursor_field": "a[0]"}},
            [f'{PAGES} "cursor_param" is missing'],
            id="cursor-without-name",
        ),
        pytest.param(
            {PAGES: {**CURSOR, "first_cursor": None}},
            [f"{PAGES}/first_cursor null can stand in a JSON body alone"],
            id="null-cursor",
        ),
        pytest.param(
            {PAGES: {**CURSOR, "cursor_param": "c", "cursor_in": "body"}},
            [f"{PAGES}/cursor_param goes into the body, but rows.list is GET"],
            id="body-of-get",
        ),
        pytest.param(
            {**POST, PAGES: {**CURSOR, "cursor_in": "body", "cursor_param": "a[0]"}},
            [f"{PAGES}/cursor_param cannot write to 'a[0]': only member names can be written to"],
            id="body-index",
        ),
        pytest.param(
            {**POST, f"{LIST}/body": "<xml/>", PAGES: {**CURSOR, "cursor_in": "body", "cursor_param": "c"}},
            [f"{PAGES}/cursor_param cannot write to 'c': 'c' would be a member of a str"],
            id="body-text",
        ),
        pytest.param(
            {**POST, PAGES: {**CURSOR, "cursor_in": "body", "cursor_param": "$"}},
            [f"{PAGES}/cursor_param would replace the whole body"],
            id="body-root",
        ),
        pytest.param(
            {**POST, PAGES: {**CURSOR, "cursor_in": "body", "cursor_param": "a..b"}},
            [f"{PAGES}/cursor_param {NO_PATH}"],
            id="body-no-path",
        ),
        pytest.param(
            {PAGES: {**CURSOR, "cursor_param": "c", "cursor_in": "template", "first_cursor": "*"}},
            [f"{PAGES}/cursor_param {{c}} stands nowhere in rows.list's path, query, headers or body"],
            id="template-nowhere",
        ),
        pytest.param(
            {**TEMPLATE, PAGES: {**CURSOR, "cursor_param": "c", "cursor_in": "template"}},
            [f"{PAGES}/cursor_param the first request would send {{c}} as it stands"],
            id="template-without-first-cursor",
        ),
        pytest.param(
            {**TEMPLATE, PAGES: {"type": "offset", "offset_param": "c", "offset_in": "template", "omit_first": True}},
            [f"{PAGES}/offset_param the first request would send {{c}} as it stands"],
            id="template-without-first-offset",
        ),
        pytest.param(
            {**TEMPLATE, PAGES: {**CURSOR, "page_size_param": "c", "page_size_in": "template"}},
            [f"{PAGES}/page_size_param the first request would send {{c}} as it stands"],
            id="template-without-size",
        ),
        pytest.param(
            {
                f"{LIST}/query": {"q": "{page[after]}"},
                PAGES: {**CURSOR, "cursor_param": "page[after]", "cursor_in": "template", "first_cursor": 0},
            },
            [f"{PAGES}/cursor_param 'page[after]' cannot stand in braces"],
            id="template-name",
        ),
        pytest.param(
            {PAGES: {"type": "keyset", "key_field": "id", "key_param": "c", "key_in": "template"}},
            [f'{PAGES}/key_in "template" is not a valid word here'],
            id="template-key",
        ),
        # Versions.
        pytest.param(
            {f"{LIST}/path": "/{api_version}/rows"}, [" {api_version} is used but not declared"], id="version"
        ),
        pytest.param(
            {"/headers/x-v": "{api_version}"}, [" {api_version} is used but not declared"], id="version-header"
        ),
        pytest.param(
            {"/api_version": {"value": "v1", "in": "path"}},
            ["/api_version/in says path, but {api_version} stands nowhere"],
            id="version-unused",
        ),
        pytest.param(
            {"/api_version": {"value": "v1", "in": "header"}}, ['/api_version "name" is missing'], id="version-nameless"
        ),
        pytest.param(
            {"/variables/api_version/pattern": "x", "/base_url": "https://a.example/{api_version}"},
            [" {api_version} is used but not declared", "/variables/api_version is the version's own name"],
            id="version-as-variable",
        ),
        # Mappings.
        pytest.param(
            {"/unified/crm.contact": {"resource": "row", "fields": {"a": "$"}}},
            ['/unified/crm.contact/resource there is no resource "row"'],
            id="unified",
        ),
    ],
)
def test_a_contradiction_is_refused(edits: Document, expected: list[str]) -> None:
    """Each rule of meaning, with its message and its line; nothing else is blamed."""
    assert expected == told(edited(minimal(), edits))


@pytest.mark.parametrize(
    "edits",
    [
        pytest.param({f"{LIST}/path": "/a/{userId}/b.c/..d/{_x}"}, id="path"),
        pytest.param({"/base_url": "https://{a}.example.com", "/variables/a/pattern": "[a-z0-9-]+"}, id="host"),
        pytest.param(
            {"/base_url": "https://{a}", "/variables/a/pattern": "[a-z0-9.-]+(:[0-9]+)?"}, id="host-of-ones-own"
        ),
        pytest.param({"/base_url": "https://a.example/{a}/x", "/variables/a/pattern": "[a-z/]+"}, id="base-path"),
        pytest.param({**TEMPLATE, PAGES: {**CURSOR, "cursor_in": "template", "first_cursor": ""}}, id="first-cursor"),
        pytest.param(
            {f"{LIST}/path": "/{c}", PAGES: {"type": "page", "page_param": "c", "page_in": "template"}}, id="page"
        ),
        pytest.param({**POST, PAGES: {**CURSOR, "cursor_in": "body", "first_cursor": None}}, id="null-in-body"),
        pytest.param({**POST, f"{LIST}/body": {"a": None}, PAGES: {**CURSOR, "cursor_in": "body"}}, id="body"),
        pytest.param({PAGES: {**OFFSET, **SENT, "default_page_size": 5, "step": "limit"}}, id="step-limit"),
        pytest.param(
            {"/api_version": {"value": "v1", "in": "namespace"}, **POST, f"{LIST}/body": "{api_version}"}, id="ns"
        ),
        pytest.param({"/headers/X-A": "{tenant}", f"{LIST}/headers/X-A": "2"}, id="header-replaced"),
        pytest.param({f"{LIST}/response_path": "$"}, id="root"),
        pytest.param({"/auth": {"type": "basic", "username": "{api_token}/token", "password": ""}}, id="basic"),
        pytest.param(
            {"/auth": {"type": "api_key", "in": "header", "name": "Authorization", "prefix": "Token "}}, id="key"
        ),
        pytest.param({"/connector": "example"}, id="name"),
    ],
)
def test_what_makes_sense_is_let_through(edits: Document) -> None:
    """The rules above refuse no config that a provider needs."""
    assert loaded(edited(minimal(), edits)).name == "example"


# Headers.


@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "content-length",
        "Transfer-Encoding",
        "Connection",
        "Cookie",
        "Expect",
        "Keep-Alive",
        "TE",
        "Trailer",
        "Upgrade",
        "Proxy-Authorization",
        "proxy-connection",
    ],
)
@pytest.mark.parametrize("where", ["/headers", f"{LIST}/headers"])
def test_a_header_of_the_transport_is_refused(name: str, where: str) -> None:
    """S14: a config that sets one could smuggle a request."""
    assert [f'{where}/{name} "{name.lower()}" is set by the transport alone'] == told(
        edited(minimal(), {f"{where}/{name}": "1"})
    )


@pytest.mark.parametrize(
    ("edits", "pointer"),
    [
        ({"/auth": {"type": "api_key", "in": "header", "name": "NAME"}}, "/auth/name"),
        ({"/api_version": {"value": "1", "in": "header", "name": "NAME"}}, "/api_version/name"),
        ({PAGES: {**CURSOR, "cursor_param": "NAME", "cursor_in": "header"}}, f"{PAGES}/cursor_param"),
        ({PAGES: {**CURSOR, "page_size_param": "NAME", "page_size_in": "header"}}, f"{PAGES}/page_size_param"),
    ],
)
@pytest.mark.parametrize("name", ["Host", "Bad Name", "a:b", "x\r\ny"])
def test_a_header_named_elsewhere_is_held_to_the_same(edits: Document, pointer: str, name: str) -> None:
    """S14: a key's, a version's or a cursor's header is a header."""
    document = json.loads(json.dumps(edits).replace('"NAME"', json.dumps(name)))

    (problem,) = refused(edited(minimal(), document))

    assert pointer == problem.pointer
    assert "is not a header name" in problem.message or "is set by the transport alone" in problem.message


def test_credentials_stand_in_auth_alone() -> None:
    """An authorization header in the config would be a secret in a file that is shared."""
    assert ["/headers/Authorization credentials stand in auth alone"] == told(
        edited(minimal(), {"/headers/Authorization": "Bearer x"})
    )


def test_one_header_in_two_cases_is_refused() -> None:
    """HTTP sees one header; neither of the two values would be silently lost."""
    assert ["/headers/x-a stands here a second time: case makes no other header"] == told(
        edited(minimal(), {"/headers/X-A": "1", "/headers/x-a": "2"})
    )


@pytest.mark.parametrize("value", ["a\r\nx: 1", "a\n", "\x00", "é", "\x7f"])
def test_a_value_that_no_header_may_hold_is_refused(value: str) -> None:
    """S13: not even a line break at its very end."""
    (problem,) = refused(edited(minimal(), {"/headers/x-a": value}))
    (prefix,) = refused(edited(minimal(), {"/auth": {"type": "bearer", "prefix": value}}))

    assert ("/headers/x-a", "/auth/prefix") == (problem.pointer, prefix.pointer)
    assert r"does not match ^[\t\x20-\x7e]*$" in problem.message


# base_url and origins.


@pytest.mark.parametrize(
    ("url", "message"),
    [
        pytest.param("http://api.example.com", "is not https", id="S01-http"),
        pytest.param("http://127.0.0.1:8080", "is not https", id="S01-loopback"),
        pytest.param("HTTP://api.example.com", "is not https", id="S01-case"),
        pytest.param("ftp://api.example.com", "the scheme must be http or https", id="ftp"),
        pytest.param("file:///etc/passwd", "the scheme must be http or https", id="file"),
        pytest.param("api.example.com", "the scheme must be http or https", id="no-scheme"),
        pytest.param("https:api.example.com", "no host after //", id="no-slashes"),
        pytest.param("https://", "no host after //", id="no-host"),
        pytest.param("https://user:pw@api.example.com", "a user name or password", id="S04-userinfo"),
        pytest.param("https://api.example.com\\@evil.example", "a backslash", id="S04-backslash"),
        pytest.param("https://api.example.com#x", "has a query or a fragment", id="S04-fragment"),
        pytest.param("https://api.example.com?x=1", "has a query or a fragment", id="query"),
        pytest.param("https://api.example.com/\x01", "may not stand in a URL", id="S04-control"),
        pytest.param("https://api.exam\tple.com", "may not stand in a URL", id="S04-tab"),
        pytest.param("https://api.example.com\n", "may not stand in a URL", id="S04-line-break"),
        pytest.param("https://\u0430pi.example.com", "not a host name in ASCII letters", id="S04-look-alike"),
        pytest.param("https://\u24d4vil.example", "not a host name in ASCII letters", id="S04-circled"),
        pytest.param("https://api.example.com:0", "no such port", id="S04-port-0"),
        pytest.param("https://api.example.com:99999", "no such port", id="S04-port-99999"),
        pytest.param("https://api%2eexample.com", "not a host name in ASCII letters", id="percent"),
        pytest.param("https://[::1", "not a host name in ASCII letters", id="bracket"),
    ],
)
def test_a_base_url_that_cannot_be_pinned_is_refused(url: str, message: str) -> None:
    """S01, S04: one origin, over https, that every parser reads alike; a password in it is not shown."""
    problems = refused(edited(minimal(), {"/base_url": url}))

    assert ["/base_url"] == [problem.pointer for problem in problems]
    assert message in problems[0].message
    assert "pw" not in problems[0].message


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:1"])
def test_plain_http_is_for_loopback_alone_and_when_asked(host: str) -> None:
    """S01: tests and benchmarks may, a config may not."""
    document = edited(minimal(), {"/base_url": f"http://{host}"})

    assert f"http://{host}" == loaded(document, allow_loopback=True).base_url
    assert ["/base_url is not https"] == told(document)


@pytest.mark.parametrize("host", ["127.0.0.1.evil.example", "localhost.evil.example", "127.0.0.2", "10.0.0.1"])
def test_what_only_looks_like_loopback_is_not(host: str) -> None:
    """S01: the whole host counts."""
    text = json.dumps(edited(minimal(), {"/base_url": f"http://{host}"})).encode()

    with pytest.raises(ConfigWrong, match="is not https"):
        parse(text, folder="example", allow_loopback=True)


@pytest.mark.parametrize(
    ("allowed", "message"),
    [
        ("http://files.example.com", "is not https"),
        ("https://files.example.com/x", "is not a bare origin"),
        ("https://files.example.com/", "is not a bare origin"),
        ("https://FILES.example.com", "is not a bare origin"),
        ("https://files.example.com:443", "is not a bare origin"),
        ("*.example.com", "is not an origin that can be pinned: *.example.com: the scheme must be http or https"),
        ("https://*.example.com", "is not an origin that can be pinned: "),
        ("https://files.example.com?x", "is not a bare origin"),
    ],
)
def test_an_allowed_origin_is_a_bare_origin(allowed: str, message: str) -> None:
    """No wildcard, no path, one spelling: it is compared as it stands."""
    (problem,) = refused(edited(minimal(), {"/allowed_origins": ["https://a.example", allowed]}))

    assert "/allowed_origins/1" == problem.pointer
    assert problem.message.startswith(message)


def test_an_origin_is_judged_beside_wrong_words() -> None:
    """What can be said without the rest of the document is said at once."""
    assert ["/base_url is not https", '/auth "type" is missing'] == told(
        edited(minimal(), {"/base_url": "http://a.example", "/auth": {}})
    )


# The document as a text.


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(b'{"base_url": "https://a",\n "base_url": "https://b"}', "stands here a second time", id="S24"),
        pytest.param(b'{"pagination": {"max_pages": NaN}}', "NaN is not JSON", id="S25-nan"),
        pytest.param(b'{"pagination": {"max_pages": 1e999}}', "a number out of range", id="S25-1e999"),
        pytest.param(b"[" * 100_000, "nested deeper", id="S25-brackets"),
        pytest.param(b"\xef\xbb\xbf{}", "starts with a byte order mark", id="S25-bom"),
        pytest.param("{}".encode("utf-16"), "is UTF-16", id="S25-utf-16"),
        pytest.param(b'{"title": "\\ud800"}', "a lone surrogate", id="S25-surrogate"),
        pytest.param(b"base_url: https://a.example", "expected a value", id="S26-yaml"),
        pytest.param(b"[]", "expected an object, found a list", id="list"),
        pytest.param(b"null", "expected an object, found null", id="null"),
        pytest.param(b"{}", '"base_url" is missing', id="empty"),
    ],
)
def test_a_text_that_is_no_config_is_refused(text: bytes, message: str) -> None:
    """S24, S25, S26: strict JSON with one reading, or an error with its place."""
    with pytest.raises(ConfigWrong) as caught:
        parse(text, folder="x", name="x/connector.json")

    assert message in str(caught.value)
    assert text.count(b"\n") + 1 == caught.value.problems[0].line


def test_nothing_is_included() -> None:
    """S46: a reference to a file is an unknown member, at any place, and is not followed."""
    document = edited(minimal(), {"/resources/rows/list": {"$ref": "file:///etc/passwd"}})

    assert [
        '/resources/rows/list "method" is missing',
        '/resources/rows/list "path" is missing',
        '/resources/rows/list/$ref unknown member "$ref"',
    ] == told(document)


# Files.


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of connectors with one in it."""
    (tmp_path / "example").mkdir()
    (tmp_path / "example" / "connector.json").write_text(json.dumps(minimal()), encoding="utf-8")
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_a_connector_is_found_by_its_folder_or_its_file(folder: Path) -> None:
    """Either way its name is its folder's."""
    file = folder / "example" / "connector.json"

    assert [file, file] == [locate(folder / "example"), locate(file)]
    assert ["example", "example"] == [load(folder / "example").name, load(file).name]
    assert str(file) == load(file).source.name


def test_a_connector_is_found_from_inside_its_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path without a folder has one all the same."""
    monkeypatch.chdir(folder / "example")

    assert ["example", "example"] == [load(Path("connector.json")).name, load(Path()).name]


@pytest.mark.parametrize(
    ("name", "seen"), [("exmple", "no such file or folder"), ("empty", "the folder has no connector.json")]
)
def test_a_connector_that_is_not_there_names_its_neighbours(folder: Path, name: str, seen: str) -> None:
    """A misspelt name is one glance away from the right one."""
    with pytest.raises(CallWrong) as caught:
        load(folder / name)

    assert {"seen": seen, "there are": "example"} == caught.value.facts


def test_a_connector_without_neighbours_is_told_plainly(tmp_path: Path) -> None:
    """No list of nothing."""
    with pytest.raises(CallWrong) as caught:
        locate(tmp_path / "no" / "where")

    assert {"seen": "no such file or folder"} == caught.value.facts


def test_an_account_file_is_read(tmp_path: Path) -> None:
    """Credentials are a document of any shape; variables are texts."""
    said = {"name": "main", "credentials": {"oauth": {"access_token": "t"}}, "variables": {"region": "eu"}}
    path = tmp_path / "account.json"
    path.write_text(json.dumps(said), encoding="utf-8")

    assert said == load_account_document(path)


def test_a_missing_account_file_is_told(tmp_path: Path) -> None:
    """With what to write there."""
    with pytest.raises(CallWrong, match="no account file at") as caught:
        load_account_document(tmp_path / "account.json")

    assert "--account" in caught.value.fix


SECRET = "s3cr3t-v4lu3"


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        (f'{{"credentials": "{SECRET}"}}', "/credentials"),
        (f'{{"credentials": ["{SECRET}"]}}', "/credentials"),
        (f'{{"credential": {{"access_token": "{SECRET}"}}}}', "/credential"),
        (f'{{"access_token": "{SECRET}"}}', "/access_token"),
        (f'{{"variables": {{"region": ["{SECRET}"]}}}}', "/variables/region"),
        (f'{{"variables": "{SECRET}"}}', "/variables"),
        (f'{{"name": {{"x": "{SECRET}"}}}}', "/name"),
        (f'"{SECRET}"', ""),
        (f'{{"credentials": {{"a": "{SECRET}", "a": "{SECRET}"}}}}', "/credentials/a"),
        (f'{{"credentials": {{"a": {SECRET}}}}}', "/credentials/a"),
        (f'{{"credentials": {{"a": \'{SECRET}\'}}}}', "/credentials/a"),
        (f'{{"credentials": {{"a": "{SECRET}" "{SECRET}"}}}}', "/credentials/a"),
        (f'{{"credentials": {{"a": "{SECRET}', "/credentials/a"),
    ],
)
def test_a_wrong_account_file_shows_no_secret(tmp_path: Path, text: str, pointer: str) -> None:
    """Whatever is wrong with it: the place is told, no value of it is."""
    path = tmp_path / "account.json"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigWrong) as caught:
        load_account_document(path)

    assert pointer == caught.value.problems[0].pointer
    assert SECRET not in str(caught.value)
    assert SECRET[:3] not in str(caught.value)


def test_an_account_files_unknown_word_has_a_nearest_one(tmp_path: Path) -> None:
    """The one word that people get wrong."""
    path = tmp_path / "account.json"
    path.write_text('{"credential": {}}', encoding="utf-8")

    with pytest.raises(ConfigWrong, match='did you mean "credentials"') as caught:
        load_account_document(path)

    assert 1 == len(caught.value.problems)
