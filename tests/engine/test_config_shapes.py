"""The words about shape: what `decode` and `custom_fields` of a config become, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connproof.config import layered, parse
from connproof.errors import ConfigWrong
from connproof.model import Connector, CustomSource, Format, XmlFormat
from connproof.overrides import Layer
from connproof.places import Place
from connproof.schemas import shipped

DEFINITIONS = shipped("connproof", "connector").document["$defs"]


def document_of(decode: Any = None, operation: Any = None, custom: Any = None) -> bytes:
    listing = {"method": "GET", "path": "/rows", **({"decode": operation} if operation else {})}
    mapping = {"resource": "rows", "fields": {"id": "id"}, **({"custom_fields": custom} if custom else {})}
    document = {
        "base_url": "https://api.example",
        "auth": {"type": "none"},
        "resources": {"rows": {"list": listing}},
        "unified": {"crm.contact": mapping},
        **({"decode": decode} if decode else {}),
    }
    return json.dumps(document, indent=1).encode()


def loaded(decode: Any = None, operation: Any = None, custom: Any = None) -> Connector:
    return parse(document_of(decode, operation, custom), folder="sample")


def format_of(decode: Any = None, operation: Any = None) -> Format | None:
    """How bodies of the one operation are read."""
    return loaded(decode, operation).resources["rows"].operations["list"].decode


@pytest.mark.parametrize(
    ("connector", "operation", "expected"),
    [
        (None, None, None),
        ("json", None, "json"),
        ("xml", None, XmlFormat()),
        ("text", None, "text"),
        ({"type": "xml"}, None, XmlFormat()),
        ("xml", "text", "text"),
        ("json", {"type": "xml", "attributes": "drop"}, XmlFormat(attributes="drop")),
        (None, "xml", XmlFormat()),
    ],
)
def test_E7_an_operation_decodes_as_it_says_or_as_the_connector_does(
    connector: Any, operation: Any, expected: Format | None
) -> None:
    """The operation's own word wins as a whole."""
    assert expected == format_of(connector, operation)


XML_WORDS: dict[str, tuple[Any, Any]] = {
    "force_list": (["a.b", '["x:y"].z', "n"], (Place.parse("a.b"), Place.parse('["x:y"].z'), Place.parse("n"))),
    "attributes": ("drop", "drop"),
    "attribute_prefix": ("$", "$"),
    "text": ("$", "$"),
    "namespaces": ({"urn:a": "a", "urn:b": ""}, (("urn:a", "a"), ("urn:b", ""))),
    "booleans": (['a["@b"]'], (Place.parse('a["@b"]'),)),
}


def test_E7_the_table_has_every_word_of_the_schema() -> None:
    """And the defaults that the schema states are the model's."""
    words = DEFINITIONS["decode"]["properties"]
    stated = {word: said["default"] for word, said in words.items() if "default" in said}

    assert set(words) - {"type"} == set(XML_WORDS)
    assert stated == {word: getattr(XmlFormat(), word) for word in stated}


@pytest.mark.parametrize("word", XML_WORDS)
def test_E7_every_word_reaches_the_model(word: str) -> None:
    """Paths are parsed."""
    said, expected = XML_WORDS[word]

    assert expected == getattr(format_of({"type": "xml", word: said}), word)


@pytest.mark.parametrize(
    ("decode", "pointer", "said"),
    [
        ("yaml", "", "not a valid word"),
        ("xlm", "", "did you mean"),
        ({"force_list": []}, "", '"type" is missing'),
        ({"type": "json"}, "/type", "xml"),
        ({"type": "xml", "force": []}, "/force", "did you mean"),
        ({"type": "xml", "force_list": ["a[*].b"]}, "/force_list/0", "element names alone"),
        ({"type": "xml", "force_list": ["a", "a[0]"]}, "/force_list/1", "element names alone"),
        ({"type": "xml", "force_list": ["$"]}, "/force_list/0", "element names alone"),
        ({"type": "xml", "booleans": ["a:b"]}, "/booleans/0", "not a path"),
        ({"type": "xml", "attribute_prefix": ""}, "/attribute_prefix", ""),
        ({"type": "xml", "text": "value"}, "/text", ""),
        ({"type": "xml", "text": "@text"}, "/text", "begins as attributes do"),
        ({"type": "xml", "namespaces": "drop"}, "/namespaces", "not a valid word"),
        ({"type": "xml", "namespaces": {"urn:a": "a:"}}, "/namespaces/urn:a", ""),
    ],
)
@pytest.mark.parametrize("place", ["", "/resources/rows/list"])
def test_E7_a_word_that_means_nothing_is_refused(decode: Any, pointer: str, said: str, place: str) -> None:
    """On the connector and on an operation, with its pointer."""
    with pytest.raises(ConfigWrong) as caught:
        format_of(None, decode) if place else format_of(decode)

    (problem,) = caught.value.problems
    assert f"{place}/decode{pointer}" == problem.pointer
    assert said in str(problem)


SOURCE_WORDS: dict[str, tuple[dict[str, Any], str, Any]] = {
    "at": ({"at": "a.b"}, "at", Place.parse("a.b")),
    "keys": ({"keys": {"prefix": "p"}}, "prefix", "p"),
    "keys/prefix": ({"keys": {"prefix": "p"}}, "prefix", "p"),
    "keys/suffix": ({"keys": {"suffix": "s"}}, "suffix", "s"),
    "keys/pattern": ({"keys": {"pattern": "[a-f]+"}}, "pattern", "[a-f]+"),
    "keys/except": ({"keys": {"except": ["x", "y"]}}, "exceptions", frozenset({"x", "y"})),
    "names": ({"keys": {"prefix": "p"}, "names": "bare"}, "bare", True),
    "key": ({"at": "a", "key": "id", "value": "v"}, "key", Place.parse("id")),
    "value": ({"at": "a", "value": "v"}, "value", Place.parse("v")),
    "typed_by": ({"at": "a", "typed_by": "t"}, "typed_by", Place.parse("t")),
}


def sources_of(said: Any) -> tuple[CustomSource, ...]:
    custom = loaded(custom=said).unified["crm.contact"].custom_fields
    assert custom is not None
    return custom.sources


def test_E10_the_table_has_every_word_of_the_schema() -> None:
    """Those of a source and of its keys."""
    words = DEFINITIONS["custom_source"]["properties"]

    assert {*words, *(f"keys/{word}" for word in words["keys"]["properties"])} == set(SOURCE_WORDS)


@pytest.mark.parametrize("word", SOURCE_WORDS)
def test_E10_every_word_reaches_the_model(word: str) -> None:
    """One source and a list of one are the same."""
    said, attribute, expected = SOURCE_WORDS[word]

    assert expected == getattr(sources_of({"from": said})[0], attribute)
    assert sources_of({"from": said}) == sources_of({"from": [said]})


def test_E10_a_source_that_says_little_means_the_record_and_every_name() -> None:
    """What is not said is the schema's default."""
    assert (CustomSource(Place.parse("a")),) == sources_of({"from": {"at": "a"}})
    assert "$" == sources_of({"from": {"keys": {"prefix": "p"}}})[0].at.text


def test_E10_the_field_knows_its_line() -> None:
    """As every field does."""
    custom = loaded(custom={"into": "extra", "from": {"at": "a"}}).unified["crm.contact"].custom_fields

    assert custom is not None
    assert ("extra", "/unified/crm.contact/custom_fields") == (custom.rule.name, custom.rule.pointer)
    assert custom.rule.line > 0


@pytest.mark.parametrize(
    ("patch", "level", "pointer"),
    [
        ({"fields": {"id": "$id(id)"}}, "platform base", "/unified/crm.contact/custom_fields"),
        (
            {"custom_fields": {"from": {"at": "b"}}},
            "account:acme",
            "/overrides/unified/crm.contact/custom_fields/from/at",
        ),
        ({"custom_fields": {"into": "x"}}, "account:acme", "/overrides/unified/crm.contact/custom_fields/into"),
    ],
)
def test_E10_the_field_says_which_layer_gave_a_part_of_it(patch: Any, level: str, pointer: str) -> None:
    """An account that changes one word of it answers for the field, with the line of that word."""
    data = json.dumps({"overrides": {"unified": {"crm.contact": patch}}}).encode()
    layer = Layer("account", "acme", data, "accounts/acme.json")

    custom = (
        layered(document_of(custom={"from": {"at": "a"}}), [layer], folder="sample")
        .unified["crm.contact"]
        .custom_fields
    )

    assert custom is not None
    assert (level, pointer) == (custom.rule.level, custom.rule.pointer)
    assert ("accounts/acme.json" if level.startswith("account") else "connector.json") == custom.rule.document
