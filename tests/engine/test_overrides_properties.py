"""What holds of all layers: nothing changes nothing, the later wins, and no account sees another's."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import fields, is_dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connproof.config import layered, parse
from connproof.documents import Source
from connproof.model import Connector, FieldRule
from connproof.overrides import Layer, merge_patch
from connproof.places import JsonValue

BASE: dict[str, Any] = {
    "base_url": "https://api.example.com",
    "auth": {"type": "none"},
    "pagination": {"type": "cursor", "cursor_field": "next", "page_size_param": "limit", "default_page_size": 10},
    "resources": {
        "contacts": {
            "list": {
                "method": "POST",
                "path": "/contacts",
                "query": {"q": "all"},
                "headers": {"X-Tier": "one"},
                "body": {"filters": [{"a": 1}]},
                "overridable": ["query.q", "query.r", "headers.X-Tier"],
            }
        }
    },
    "unified": {"crm.contact": {"resource": "contacts", "fields": {"id": "id", "a": "one", "b": "two"}}},
}
BASE_DATA = json.dumps(BASE).encode()

texts = st.sampled_from(["x", "y", "z.w", "0", "[1]"])
given_or_removed = st.one_of(st.none(), texts)
patches = st.fixed_dictionaries(
    {},
    optional={
        "pagination": st.fixed_dictionaries(
            {}, optional={"default_page_size": st.one_of(st.none(), st.integers(1, 99))}
        ),
        "unified": st.fixed_dictionaries(
            {},
            optional={
                "crm.contact": st.fixed_dictionaries(
                    {}, optional={"fields": st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), given_or_removed)}
                ),
                "crm.deal": st.fixed_dictionaries(
                    {
                        "resource": st.just("contacts"),
                        "fields": st.dictionaries(st.sampled_from(["id"]), texts, min_size=1),
                    }
                ),
            },
        ),
        "resources": st.fixed_dictionaries(
            {
                "contacts": st.fixed_dictionaries(
                    {
                        "list": st.fixed_dictionaries(
                            {},
                            optional={
                                "query": st.dictionaries(st.sampled_from(["q", "r"]), given_or_removed, min_size=1),
                                "headers": st.dictionaries(st.just("X-Tier"), given_or_removed, min_size=1),
                            },
                        )
                    }
                )
            }
        ),
    },
)
documents: st.SearchStrategy[JsonValue] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(0, 9), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)),
    max_leaves=12,
)


def account(patch: Any, name: str = "acme") -> Layer:
    return Layer("account", name, json.dumps({"overrides": patch}).encode(), f"{name}.json")


def over(*layers: Layer) -> Connector:
    return layered(BASE_DATA, layers, folder="example")


def said(value: Any) -> Any:
    """All that a connector says, without who said it where."""
    if isinstance(value, FieldRule):
        return value.name, value.expression
    if isinstance(value, Source):
        return value.name
    if is_dataclass(value):
        return {field.name: said(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple | list):
        return [said(inner) for inner in value]
    return [(key, said(inner)) for key, inner in value.items()] if hasattr(value, "items") else value


ALONE = said(parse(BASE_DATA, folder="example"))


@given(st.sampled_from([{}, {"unified": {}}, {"pagination": {}}, {"unified": {"crm.contact": {"fields": {}}}}]))
def test_a_layer_that_says_nothing_is_the_identity(patch: Any) -> None:
    """Wherever its empty objects stand."""
    assert ALONE == said(over(account(patch)))


@given(patches)
def test_a_layer_that_repeats_is_the_identity(patch: Any) -> None:
    """What is given a second time, by a later level, is as it was."""
    once = over(account(patch, "one"))

    assert said(once) == said(over(account(patch, "one"), account(patch, "two")))


@given(patches, patches)
def test_the_later_layer_wins(first: Any, second: Any) -> None:
    """Two layers are what RFC 7396 makes of the document, one after the other."""
    merged: Any = merge_patch(merge_patch(BASE, first), second)

    assert said(parse(json.dumps(merged).encode(), folder="example")) == said(
        over(account(first, "one"), account(second, "two"))
    )


@given(patches, patches)
def test_no_account_sees_another(one: Any, other: Any) -> None:
    """What A reads is the same whatever B's layer is, before and after B's is read."""
    before = over(account(one, "a"))
    told = said(before)

    b = over(account(other, "b"))
    b.resources["contacts"].operations["list"].body["filters"].append("b's own")  # type: ignore[index, union-attr, call-overload]  # a document, as BASE has it

    assert told == said(before) == said(over(account(one, "a")))
    assert ALONE == said(parse(BASE_DATA, folder="example"))


@given(patches)
def test_every_field_names_its_giver(patch: Any) -> None:
    """The account's where its layer has the field, the base everywhere else."""
    expressions = patch.get("unified", {}).get("crm.contact", {}).get("fields", {})

    levels = {rule.name: rule.level for rule in over(account(patch)).unified["crm.contact"].fields}

    assert {name: "account:acme" if name in expressions else "platform base" for name in levels} == levels
    assert {"id", "a", "b", *expressions} - {name for name, text in expressions.items() if text is None} == set(levels)


@given(documents, documents)
def test_merging_changes_neither_side(target: JsonValue, patch: JsonValue) -> None:
    """A pure function: the same result each time."""
    kept = deepcopy((target, patch))

    assert merge_patch(target, patch) == merge_patch(target, patch)
    assert kept == (target, patch)


@given(documents, documents)
def test_merging_twice_is_merging_once(target: JsonValue, patch: JsonValue) -> None:
    """RFC 7396 says what is to be there afterwards, not what is to be done."""
    once = merge_patch(target, patch)

    assert once == merge_patch(once, patch)


@given(documents)
def test_an_empty_patch_is_the_identity_on_objects(target: JsonValue) -> None:
    """And makes an object of all else."""
    assert (target if isinstance(target, dict) else {}) == merge_patch(target, {})
