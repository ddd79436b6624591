"""Layers over a connector: what they may say, what comes out, and who gave each value."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connproof.clock import SystemClock
from connproof.config import layered, parse
from connproof.documents import MAX_DEPTH, Source, read_json
from connproof.errors import ConfigWrong, Problem
from connproof.live import check_mappings
from connproof.model import Connector, FieldRule
from connproof.overrides import MAX_LAYER_BYTES, Layer, merge_patch, overridable, read_layer
from connproof.places import JsonValue

BASE: dict[str, Any] = {
    "base_url": "https://api.example.com",
    "auth": {"type": "oauth2"},
    "pagination": {"type": "cursor", "cursor_field": "next", "page_size_param": "limit", "max_page_size": 100},
    "resources": {
        "contacts": {
            "list": {
                "method": "GET",
                "path": "/contacts",
                "query": {"q": "all", "fields": "id"},
                "headers": {"X-Tier": "one"},
                "overridable": ["query.q", "query.archived", "headers.X-Tier"],
            },
            "search": {
                "method": "GET",
                "path": "/search",
                "pagination": {"type": "page", "page_param": "p", "page_size_param": "n", "default_page_size": 20},
            },
        }
    },
    "unified": {
        "crm.contact": {"resource": "contacts", "fields": {"id": "id", "first_name": "first", "last_name": "last"}}
    },
}
BASE_DATA = json.dumps(BASE, indent=1).encode()
NOW_OVERRIDABLE = (
    "/unified",
    "/pagination/default_page_size",
    "/resources/contacts/list/query/q",
    "/resources/contacts/list/query/archived",
    "/resources/contacts/list/headers/X-Tier",
    "/resources/contacts/search/pagination/default_page_size",
)


def account(overrides: Any, name: str = "acme") -> Layer:
    data = json.dumps({"credentials": {"access_token": "t0ken"}, "overrides": overrides}, indent=1).encode()
    return Layer("account", name, data, f"accounts/{name}.json")


def environment(overrides: Any, name: str = "staging") -> Layer:
    return Layer("environment", name, json.dumps({"overrides": overrides}).encode(), f"environments/{name}.json")


def over(*layers: Layer) -> Connector:
    return layered(BASE_DATA, layers, folder="example")


def fields(connector: Connector, model: str = "crm.contact") -> dict[str, str]:
    return {rule.name: rule.expression for rule in connector.unified[model].fields}


def rule(connector: Connector, name: str) -> FieldRule:
    return next(rule for rule in connector.unified["crm.contact"].fields if rule.name == name)


def refused(*layers: Layer) -> ConfigWrong:
    with pytest.raises(ConfigWrong) as caught:
        over(*layers)
    return caught.value


def pointers(problems: tuple[Problem, ...]) -> set[str]:
    return {problem.pointer for problem in problems}


# RFC 7396.


@pytest.mark.parametrize(
    ("target", "patch", "expected"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
    ids=[f"A{number:02}" for number in range(1, 16)],
)
def test_a_layer_merges_as_rfc_7396_says(target: JsonValue, patch: JsonValue, expected: JsonValue) -> None:
    """Every example of the RFC's appendix A."""
    assert expected == merge_patch(target, patch)


@pytest.mark.parametrize("value", [0, "", False, [], {}])
def test_only_null_removes(value: JsonValue) -> None:
    """Presence counts, not truth."""
    assert {"a": value} == merge_patch({"a": 1}, {"a": value})


def test_members_keep_their_order() -> None:
    """The target's order, then what is new in the patch's."""
    merged = merge_patch({"b": 1, "a": 2, "c": 3}, {"z": 1, "c": 0, "y": 2, "a": None})

    assert isinstance(merged, dict)
    assert ["b", "c", "z", "y"] == list(merged)


def test_what_is_merged_shares_nothing() -> None:
    """A later change to the target or the patch reaches no result, nor the other way round."""
    target: dict[str, Any] = {"kept": {"list": [1]}, "both": {"a": [1]}}
    patch: dict[str, Any] = {"given": {"list": [2]}, "both": {"b": [2]}}
    merged: Any = merge_patch(target, patch)

    merged["kept"]["list"].append(9)
    merged["given"]["list"].append(9)
    merged["both"]["a"].append(9)
    merged["both"]["b"].append(9)

    assert {"kept": {"list": [1]}, "both": {"a": [1]}} == target
    assert {"given": {"list": [2]}, "both": {"b": [2]}} == patch


# What a layer may say.


def test_what_is_overridable_is_listed() -> None:
    """The mappings, the page sizes of paginations that are there, and what operations declare."""
    assert NOW_OVERRIDABLE == overridable(BASE)


def test_fields_are_added_replaced_and_removed() -> None:
    """In the connector's order; new ones come after, in the layer's."""
    patch = {"last_name": None, "phone": "phone", "first_name": "given", "email": "email"}

    read = over(account({"unified": {"crm.contact": {"fields": patch}}}))

    assert {"id": "id", "first_name": "given", "phone": "phone", "email": "email"} == fields(read)
    assert ["id", "first_name", "phone", "email"] == list(fields(read))


def test_a_whole_model_may_be_mapped_by_a_layer() -> None:
    """One that the connector does not map."""
    read = over(account({"unified": {"crm.account": {"resource": "contacts", "fields": {"id": "company"}}}}))

    assert {"id": "company"} == fields(read, "crm.account")


def test_page_sizes_may_be_given() -> None:
    """The connector's own, and that of an operation that has its own pagination."""
    read = over(
        environment(
            {
                "pagination": {"default_page_size": 50},
                "resources": {"contacts": {"search": {"pagination": {"default_page_size": 5}}}},
            }
        )
    )

    sizes = [operation.pagination.default_page_size for operation in read.operations() if operation.pagination]
    assert [50, 5] == sizes


def test_declared_query_parameters_and_headers_may_be_given_and_removed() -> None:
    """What the operation lists under overridable, whether it has a value already or not."""
    patch = {"query": {"q": None, "archived": False}, "headers": {"X-Tier": "two"}}

    operation = over(account({"resources": {"contacts": {"list": patch}}})).resources["contacts"].operations["list"]

    assert (("fields", "id"), ("archived", "false")) == operation.query
    assert (("x-tier", "two"),) == operation.headers


@pytest.mark.parametrize(
    ("patch", "pointer"),
    [
        ({"base_url": "https://evil.example"}, "/overrides/base_url"),
        ({"auth": {"type": "none"}}, "/overrides/auth"),
        ({"auth": {"token_path": "other"}}, "/overrides/auth"),
        ({"auth": None}, "/overrides/auth"),
        ({"auth": {}}, "/overrides/auth"),
        ({"allowed_origins": ["https://evil.example"]}, "/overrides/allowed_origins"),
        ({"variables": {"region": {"pattern": ".*"}}}, "/overrides/variables"),
        ({"errors": []}, "/overrides/errors"),
        ({"rate_limit": {}}, "/overrides/rate_limit"),
        ({"headers": {"X-All": "1"}}, "/overrides/headers"),
        ({"query": {"all": "1"}}, "/overrides/query"),
        ({"api_version": {"value": "v9", "in": "path"}}, "/overrides/api_version"),
        ({"decode": "json"}, "/overrides/decode"),
        ({"title": "Mine"}, "/overrides/title"),
        ({"connector": "other"}, "/overrides/connector"),
        ({"nonsense": 1}, "/overrides/nonsense"),
        ({"pagination": None}, "/overrides/pagination"),
        ({"pagination": 5}, "/overrides/pagination"),
        ({"pagination": {"type": "none"}}, "/overrides/pagination/type"),
        ({"pagination": {"max_page_size": 10_000}}, "/overrides/pagination/max_page_size"),
        ({"resources": None}, "/overrides/resources"),
        ({"resources": {"contacts": None}}, "/overrides/resources/contacts"),
        ({"resources": {"contacts": {"list": None}}}, "/overrides/resources/contacts/list"),
        ({"resources": {"contacts": {"list": {"path": "/other"}}}}, "/overrides/resources/contacts/list/path"),
        ({"resources": {"contacts": {"list": {"query": None}}}}, "/overrides/resources/contacts/list/query"),
        (
            {"resources": {"contacts": {"list": {"query": {"fields": "all"}}}}},
            "/overrides/resources/contacts/list/query/fields",
        ),
        (
            {"resources": {"contacts": {"list": {"query": {"fields": None}}}}},
            "/overrides/resources/contacts/list/query/fields",
        ),
        (
            {"resources": {"contacts": {"list": {"headers": {"x-tier": "two"}}}}},
            "/overrides/resources/contacts/list/headers/x-tier",
        ),
        (
            {"resources": {"contacts": {"list": {"pagination": {"default_page_size": 5}}}}},
            "/overrides/resources/contacts/list/pagination",
        ),
        (
            {"resources": {"contacts": {"list": {"overridable": ["query.fields"]}}}},
            "/overrides/resources/contacts/list/overridable",
        ),
        (
            {"resources": {"contacts": {"delete": {"method": "DELETE", "path": "/"}}}},
            "/overrides/resources/contacts/delete",
        ),
    ],
)
@pytest.mark.parametrize("level", [account, environment])
def test_S23_what_is_not_overridable_is_refused(level: Any, patch: dict[str, Any], pointer: str) -> None:
    """Given or removed, at either level; the message has the layer's document and what may be overridden."""
    wrong = refused(level(patch))

    assert {pointer} == pointers(wrong.problems)
    assert level(patch).document == wrong.document
    assert all("overridden" in problem.message or "removed" in problem.message for problem in wrong.problems)
    assert all("overridable here: /" in problem.hint for problem in wrong.problems)


def test_S23_everything_that_is_refused_is_told_at_once() -> None:
    """In the order of the document's lines, with its pointers and lines; no value of it is shown."""
    wrong = refused(
        Layer(
            "environment",
            "staging",
            b'{"overrides": {\n "base_url": "https://s3cret.example",\n "auth": null,\n'
            b' "pagination": {"default_page_size": 5,\n  "type": "none"}}}',
            "environments/staging.json",
        )
    )

    assert [("/overrides/base_url", 2), ("/overrides/auth", 3), ("/overrides/pagination/type", 5)] == [
        (problem.pointer, problem.line) for problem in wrong.problems
    ]
    assert "environments/staging.json:2:2  /overrides/base_url  may not be overridden" in str(wrong)
    assert "s3cret" not in str(wrong)


def test_the_nearest_overridable_things_are_named() -> None:
    """What stands in the same place, where something does."""
    wrong = refused(account({"resources": {"contacts": {"list": {"query": {"fields": "all"}}}}}))

    assert (
        "overridable here: /resources/contacts/list/query/q, /resources/contacts/list/query/archived"
        == wrong.problems[0].hint
    )


@pytest.mark.parametrize("name", ["__proto__", "constructor", "__class__", "$ref", ""])
@pytest.mark.parametrize(
    "place",
    [
        lambda name: {name: {"a": 1}},
        lambda name: {"unified": {name: {}}},
        lambda name: {"unified": {"crm.contact": {"fields": {name: "id"}}}},
        lambda name: {"unified": {"crm.contact": {"custom_fields": [{name: "id"}]}}},
        lambda name: {"resources": {name: {"list": {}}}},
    ],
    ids=["root", "unified", "field", "in a list", "resource"],
)
def test_S22_names_that_lead_elsewhere_are_refused(name: str, place: Any) -> None:
    """At any depth, once, by the layer's own rule and before anything is merged."""
    wrong = refused(account(place(name)))

    assert [f"{name!r} may not be a member's name in a layer"] == [problem.message for problem in wrong.problems]


def test_S20_a_layer_of_a_megabyte_is_refused_unread() -> None:
    """An expression of 1 MB does not reach the parser."""
    huge = account({"unified": {"crm.contact": {"fields": {"id": "a" * 1_000_000}}}})

    assert f"a layer has at most {MAX_LAYER_BYTES:,}" in refused(huge).problems[0].message


@pytest.mark.parametrize(
    ("expression", "said"),
    [("(" * 3_000 + "id" + ")" * 3_000, "nest"), ("a" + " + a" * 25_000, "characters; at most")],
    ids=["nesting", "length"],
)
def test_S20_an_expression_beyond_the_caps_is_refused_in_the_layer(expression: str, said: str) -> None:
    """Like the connector's own expressions, when they are compiled."""
    read = over(account({"unified": {"crm.contact": {"fields": {"id": expression}}}}))

    with pytest.raises(ConfigWrong, match=said) as caught:
        check_mappings(read, {}, SystemClock())
    assert ("accounts/acme.json", "/overrides/unified/crm.contact/fields/id") == (
        caught.value.document,
        caught.value.problems[0].pointer,
    )


def test_S20_a_layer_that_nests_too_deep_is_refused() -> None:
    """Three thousand objects, one in the other."""
    deep = '{"overrides":' + '{"unified":' * 3_000 + "1" + "}" * 3_001

    wrong = refused(Layer("account", "acme", deep.encode(), "accounts/acme.json"))

    assert f"nested deeper than {MAX_DEPTH}" in wrong.problems[0].message


def test_S24_a_name_that_stands_twice_in_a_layer_is_refused() -> None:
    """The last one does not win."""
    twice = b'{"overrides": {"pagination": {"default_page_size": 1, "default_page_size": 2}}}'

    assert "a second time" in refused(Layer("account", "acme", twice, "a.json")).problems[0].message


@pytest.mark.parametrize("text", [b"overrides: &a [*a, *a]", b"overrides: !!python/object/apply:os.system [id]"])
def test_S26_a_layer_is_json_and_nothing_else(text: bytes) -> None:
    """Anchors and tags of YAML are a syntax fault."""
    assert "expected a value" in refused(Layer("environment", "staging", text, "e.json")).problems[0].message


def test_S46_a_reference_to_a_file_is_not_followed() -> None:
    """There are no includes, in a layer or in a connector."""
    base = {**BASE, "resources": {**BASE["resources"], "$ref": "file:///etc/passwd"}}

    assert {"/overrides/unified/$ref"} == pointers(refused(account({"unified": {"$ref": "file:///etc/x"}})).problems)
    with pytest.raises(ConfigWrong, match=r"\$ref"):
        parse(json.dumps(base).encode(), folder="example")


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"[]", "expected an object"),
        (b'{"overrides": []}', "expected an object"),
        (b'{"overrides": null}', "expected an object"),
        (b'{"override": {}}', 'did you mean "overrides"?'),
    ],
)
@pytest.mark.parametrize("level", ["environment", "account"])
def test_a_layer_has_a_closed_shape(level: Any, document: bytes, said: str) -> None:
    """The schemas of both documents are closed."""
    assert said in str(refused(Layer(level, "x", document, "x.json")))


def test_an_environment_has_no_credentials() -> None:
    """They belong to an account."""
    assert "/credentials" in str(refused(Layer("environment", "x", b'{"credentials": {}}', "x.json")))


# What is wrong after a layer is that layer's.


@pytest.mark.parametrize(
    ("patch", "pointer", "said"),
    [
        ({"unified": {"crm.contact": {"feilds": {}}}}, "/overrides/unified/crm.contact/feilds", "unknown member"),
        ({"unified": {"crm.contact": {"resource": "no"}}}, "/overrides/unified/crm.contact/resource", "no resource"),
        ({"unified": {"crm.contact": {"resource": None}}}, "/overrides/unified/crm.contact", '"resource" is missing'),
        ({"unified": {"crm.contact": {"fields": {"id": 5}}}}, "/overrides/unified/crm.contact/fields/id", "a string"),
        ({"unified": "none"}, "/overrides/unified", "expected an object"),
        ({"pagination": {"default_page_size": 101}}, "/overrides/pagination/default_page_size", "max_page_size 100"),
        ({"pagination": {"default_page_size": "9"}}, "/overrides/pagination/default_page_size", "an integer"),
    ],
)
def test_what_a_layer_makes_wrong_stands_in_its_document(patch: Any, pointer: str, said: str) -> None:
    """The merged document is judged like any connector; a problem has the layer's document, pointer and line."""
    wrong = refused(environment({"pagination": {"default_page_size": 7}}), account(patch))

    assert "accounts/acme.json" == wrong.document
    assert {pointer} == pointers(wrong.problems)
    assert said in str(wrong)
    assert all(problem.line > 1 for problem in wrong.problems)


def test_the_first_document_with_a_problem_is_told() -> None:
    """A layer is judged over what is right."""
    wrong = refused(environment({"unified": {"crm.contact": {"a": 1}}}), account({"auth": None}))

    assert "environments/staging.json" == wrong.document


@pytest.mark.parametrize(
    ("filtered", "said"),
    [
        ({"param": "Authorization", "in": "header"}, "credentials stand in auth alone"),
        ({"param": "Host", "in": "header"}, "set by the transport alone"),
        ({"param": "key"}, '"key" holds the credential'),
        ("key", '"key" holds the credential'),
    ],
    ids=json.dumps,
)
def test_S23_a_filter_does_not_reach_the_credential(filtered: Any, said: str) -> None:
    """An account maps its filters as it likes, but to no parameter that the connector itself may not set."""
    base = {**BASE, "auth": {"type": "api_key", "in": "query", "name": "key"}}
    layer = account({"unified": {"crm.contact": {"query": {"email": filtered}}}})

    with pytest.raises(ConfigWrong) as caught:
        layered(json.dumps(base).encode(), [layer], folder="example")

    assert "accounts/acme.json" == caught.value.document
    assert said in caught.value.problems[0].message + caught.value.problems[0].hint


@pytest.mark.parametrize(
    ("patch", "at"),
    [
        ({"query": {"email": {"param": "mail", "value": "(("}}}, "query/email/value"),
        ({"write": {"list": {"name": "(("}}}, "write/list/name"),
    ],
)
def test_expressions_of_filters_and_writes_are_compiled_too(patch: Any, at: str) -> None:
    """Not only those of the fields that are read."""
    read = over(account({"unified": {"crm.contact": patch}}))

    with pytest.raises(ConfigWrong) as caught:
        check_mappings(read, {}, SystemClock())

    assert [f"/overrides/unified/crm.contact/{at}"] == [problem.pointer for problem in caught.value.problems]


def test_custom_fields_may_be_declared_by_an_account() -> None:
    """Who knows where its own fields are; the rule has the account's level."""
    rule = {"from": {"at": "custom"}}
    read = over(account({"unified": {"crm.contact": {"custom_fields": rule}}})).unified["crm.contact"]

    assert read.custom_fields is not None
    assert "account:acme" == read.custom_fields.rule.level


def test_a_declared_header_must_be_one_that_a_config_may_set() -> None:
    """And is written as the operation writes it."""
    listing = {**BASE["resources"]["contacts"]["list"]}
    listing["overridable"] = ["headers.Host", "headers.Authorization", "headers.x-tier", "query.limit"]
    document = {**BASE, "resources": {"contacts": {"list": listing}}}

    with pytest.raises(ConfigWrong) as caught:
        parse(json.dumps(document).encode(), folder="example")

    at = "/resources/contacts/list/overridable"
    assert [f"{at}/0", f"{at}/1", f"{at}/2"] == [problem.pointer for problem in caught.value.problems]


# Who gave what.


def test_every_field_knows_its_level_and_its_line() -> None:
    """The base, the environment and the account, each with its own document."""
    read = over(
        environment({"unified": {"crm.contact": {"fields": {"first_name": "env"}}}}),
        account({"unified": {"crm.contact": {"fields": {"phone": "tel"}}}}),
    )

    where = {r.name: (r.level, r.document, r.pointer) for r in read.unified["crm.contact"].fields}
    at = "/unified/crm.contact/fields"
    assert {
        "id": ("platform base", "connector.json", f"{at}/id"),
        "first_name": ("environment:staging", "environments/staging.json", f"/overrides{at}/first_name"),
        "last_name": ("platform base", "connector.json", f"{at}/last_name"),
        "phone": ("account:acme", "accounts/acme.json", f"/overrides{at}/phone"),
    } == where
    assert (
        b'"phone"'
        in account({"unified": {"crm.contact": {"fields": {"phone": "tel"}}}}).data.splitlines()[
            rule(read, "phone").line - 1
        ]
    )


def test_a_value_that_is_repeated_is_given_by_the_layer() -> None:
    """It would stay should the one below change."""
    read = over(account({"unified": {"crm.contact": {"fields": {"id": "id"}}}}))

    assert ("account:acme", "id") == (rule(read, "id").level, rule(read, "id").expression)


def test_the_later_layer_has_the_last_word() -> None:
    """On a value, on its removal, and on its return."""
    one = environment({"unified": {"crm.contact": {"fields": {"id": "env", "first_name": None}}}})
    two = account({"unified": {"crm.contact": {"fields": {"id": "acc", "first_name": "back"}}}})

    read = over(one, two)

    assert {"id": "acc", "last_name": "last", "first_name": "back"} == fields(read)
    assert {"account:acme"} == {rule(read, "id").level, rule(read, "first_name").level}


def test_a_whole_that_is_replaced_is_the_later_layers() -> None:
    """What an earlier layer said inside of it is gone, with its level."""
    one = environment({"unified": {"crm.account": {"resource": "contacts", "fields": {"id": "env", "name": "n"}}}})
    gone = account({"unified": {"crm.account": None}})
    back = Layer(
        "account",
        "acme",
        account({"unified": {"crm.account": {"resource": "contacts", "fields": {"id": "acc"}}}}).data,
        "again.json",
    )

    read = over(one, gone, back)

    assert {"id": "acc"} == fields(read, "crm.account")
    assert "again.json" == read.unified["crm.account"].fields[0].document


def test_the_source_tells_of_every_pointer_where_it_stands() -> None:
    """For messages: the file, the line and the level of what was given, of what is below it and of all else."""
    read = over(account({"pagination": {"default_page_size": 9}}))

    given, kept = read.source.standing("/pagination/default_page_size"), read.source.standing("/pagination/type")
    assert ("accounts/acme.json", "/overrides/pagination/default_page_size", "account:acme") == (
        given.document,
        given.pointer,
        given.level,
    )
    assert ("connector.json", "/pagination/type", "platform base") == (kept.document, kept.pointer, kept.level)
    assert given.line == read.source.line("/pagination/default_page_size") > 1


def test_a_removed_field_that_the_model_requires_is_the_removers() -> None:
    """The message leads to the layer's null."""
    model: JsonValue = {
        "type": "object",
        "properties": {name: {} for name in ("id", "first_name", "last_name")},
        "required": ["id"],
    }
    read = over(account({"unified": {"crm.contact": {"fields": {"id": None}}}}))

    with pytest.raises(ConfigWrong, match="requires the field 'id'") as caught:
        check_mappings(read, {"crm.contact": model}, SystemClock())
    assert ("accounts/acme.json", "/overrides/unified/crm.contact/fields/id") == (
        caught.value.document,
        caught.value.problems[0].pointer,
    )


def test_a_broken_expression_is_told_with_the_layers_line() -> None:
    """Compiled like the connector's own."""
    layer = account({"unified": {"crm.contact": {"fields": {"id": "(("}}}})

    with pytest.raises(ConfigWrong) as caught:
        check_mappings(over(layer), {}, SystemClock())

    assert "accounts/acme.json" == caught.value.document
    assert b'"(("' in layer.data.splitlines()[caught.value.problems[0].line - 1]


def test_nothing_of_an_accounts_credentials_stays() -> None:
    """Not in the connector, not in what its layer is printed as."""
    layer = account({"pagination": {"default_page_size": 9}})
    _, source = read_layer(layer)

    assert "t0ken" not in repr(layer) + repr(over(layer))
    assert "" == source._text
    assert source.line("/overrides/pagination") == read_json(layer.data, "x")[1].line("/overrides/pagination")


def test_a_source_by_itself_is_the_platform_base() -> None:
    """A document that nothing is laid on."""
    standing = Source("connector.json", '{\n "a": 1}').standing("/a")

    assert "connector.json:2 /a" == str(standing)
    assert "platform base" == standing.level
