"""Schemas: every problem at once, each in words a person can act on."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connproof.documents import read_json
from connproof.places import JsonValue
from connproof.schemas import ShippedSchema, nearest, shipped


def told(schema: dict[str, Any], value: JsonValue) -> list[str]:
    """The problems of a value that stands on one line, without their columns."""
    read, source = read_json(json.dumps(value).encode(), "x.json")
    return [
        f"{problem.pointer} {problem.message}" + (f" ({problem.hint})" if problem.hint else "")
        for problem in ShippedSchema(schema).problems(read, source)
    ]


CLOSED = {"properties": {"cursor_field": {}, "cursor_param": {}}, "unevaluatedProperties": False}
LONG = "x" * 70


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        pytest.param(
            CLOSED,
            {"cursor_feild": 1},
            ['/cursor_feild unknown member "cursor_feild" (did you mean "cursor_field"?)'],
            id="unevaluatedProperties",
        ),
        pytest.param(
            {"properties": {"a": {}, "b": {}}, "additionalProperties": False},
            {"zz/z": 1},
            ['/zz~1z unknown member "zz/z" (known here: a, b)'],
            id="additionalProperties",
        ),
        pytest.param(
            {"required": ["a", "b", "c"]}, {"b": 1}, [' "a" is missing', ' "c" is missing'], id="required-each"
        ),
        pytest.param(
            {"dependentRequired": {"a": ["b", "c"], "d": ["e"]}},
            {"a": 1, "c": 1},
            ['/a "a" needs "b" beside it'],
            id="dependentRequired",
        ),
        pytest.param(
            {"enum": ["keep", "drop"]},
            "kep",
            [' "kep" is not a valid word here (did you mean "keep"?)'],
            id="enum-near",
        ),
        pytest.param(
            {"enum": ["keep", "drop"]}, 5, [" 5 is not a valid word here (known here: keep, drop)"], id="enum-class"
        ),
        pytest.param({"type": "string"}, 1, [" expected a string, found an integer"], id="type"),
        pytest.param(
            {"type": ["string", "number", "null"]},
            [],
            [" expected a string, a number or null, found a list"],
            id="type-several",
        ),
        pytest.param({"type": "integer"}, True, [" expected an integer, found a boolean"], id="type-boolean"),
        pytest.param({"type": "integer"}, 1.5, [" expected an integer, found a number"], id="type-number"),
        pytest.param({"type": "array"}, {}, [" expected a list, found an object"], id="type-object"),
        pytest.param({"type": "object"}, None, [" expected an object, found null"], id="type-null"),
        pytest.param({"type": "boolean"}, "true", [" expected true or false, found a string"], id="type-text"),
        pytest.param(
            {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
            {},
            [" expected one of a, b: one is needed"],
            id="oneOf-none",
        ),
        pytest.param(
            {"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
            7,
            [" expected an object, found an integer"],
            id="oneOf-of-another-class",
        ),
        pytest.param(
            {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
            {"a": 1, "b": 1},
            [" expected one of a, b: not a and b together"],
            id="oneOf-both",
        ),
        pytest.param(
            {"anyOf": [{"type": "string"}, {"type": "null"}]},
            1,
            [" 1 is none of the forms that may stand here"],
            id="anyOf",
        ),
        pytest.param({"pattern": "^a+$"}, "b", [' "b" does not match ^a+$'], id="pattern"),
        pytest.param(
            {"propertyNames": {"pattern": "^a+$"}}, {"b/": 1}, ['/b~1 "b/" does not match ^a+$'], id="pattern-of-a-name"
        ),
        pytest.param({"pattern": "^a+$"}, LONG, [f' "{LONG[:59]}... does not match ^a+$'], id="pattern-long"),
        pytest.param({"minProperties": 1}, {}, [" is empty"], id="minProperties"),
        pytest.param({"minItems": 2}, [1], [" is too short: minItems is 2"], id="minItems"),
        pytest.param({"minLength": 1}, "", [" is empty"], id="minLength"),
        pytest.param({"minimum": 1}, 0, [" 0 is out of range: minimum is 1"], id="minimum"),
        pytest.param({"maximum": 1}, 2.5, [" 2.5 is out of range: maximum is 1"], id="maximum"),
        pytest.param({"maxLength": 2}, "abc", [' "abc" is out of range: maxLength is 2'], id="maxLength"),
        pytest.param({"maxItems": 1}, [1, 2], [" a list is out of range: maxItems is 1"], id="maxItems"),
        pytest.param({"uniqueItems": True}, ["a", "a"], [" holds the same thing twice"], id="uniqueItems"),
        pytest.param({"multipleOf": 2}, 3, [" 3 fails multipleOf 2"], id="another-keyword"),
        pytest.param(
            {"not": {"type": "object"}}, {}, [" an object fails not {'type': 'object'}"], id="another-keyword-object"
        ),
    ],
)
def test_each_keyword_has_its_words(schema: dict[str, Any], value: JsonValue, expected: list[str]) -> None:
    """What was expected, what was found, and the nearest valid word."""
    assert expected == told(schema, value)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [("^a$", "a\n"), (r"^/\S*$", "/a\n"), (r"^[^\s]*$", "a\u00a0b"), (r"^\d$", "\u0663"), (r"^\w$", "\u00e9")],
)
def test_a_pattern_means_the_same_to_both_readings(pattern: str, text: str) -> None:
    """A line break at the end, or a character of another script, is not let through by a difference of dialects."""
    assert 1 == len(told({"properties": {"a": {"pattern": pattern}}}, {"a": text}))
    assert 1 == len(told({"propertyNames": {"pattern": pattern}}, {text: 1}))


def test_what_only_the_fast_reading_refuses_is_refused() -> None:
    """A document that one validator refuses never passes because the other finds no words for it."""
    schema = ShippedSchema({"type": "string"})
    _, source = read_json(b'"a"', "x.json")
    schema._fast = jsonschema_rs.Draft202012Validator({"type": "object"})

    assert ["1:1  /  is not what the schema allows"] == [str(problem) for problem in schema.problems("a", source)]


def test_problems_come_in_the_order_of_the_document() -> None:
    """By line and column, whatever the order of the schema's keywords."""
    text = b'{\n "b": "x",\n "c": 1,\n "a": 1\n}'
    read, source = read_json(text, "x.json")
    schema = {
        "properties": {"a": {"type": "string"}, "b": {"type": "integer"}},
        "required": ["d"],
        "unevaluatedProperties": False,
    }

    found = ShippedSchema(schema).problems(read, source)

    assert [
        '1:1  /  "d" is missing',
        "2:2  /b  expected an integer, found a string",
        '3:2  /c  unknown member "c" (known here: a, b)',
        "4:2  /a  expected a string, found an integer",
    ] == [str(problem) for problem in found]


def test_the_words_of_a_chosen_branch_are_known() -> None:
    """Through $ref, allOf and if/then: a fault in a branch does not make its other words unknown."""
    schema = shipped("connproof", "connector").document
    paging = {"$defs": schema["$defs"], "$ref": "#/$defs/pagination"}

    assert ["/max_pages expected an integer, found a string"] == told(
        paging, {"type": "cursor", "cursor_field": "a", "max_pages": "x"}
    )


def test_a_wrong_type_hides_the_judgement_of_other_words() -> None:
    """Where the word that chooses the branch is wrong, it alone is told."""
    schema = shipped("connproof", "connector").document
    paging = {"$defs": schema["$defs"], "$ref": "#/$defs/pagination"}

    assert ['/type "cursr" is not a valid word here (did you mean "cursor"?)'] == told(
        paging, {"type": "cursr", "cursor_field": "a"}
    )
    assert [' "type" is missing'] == told(paging, {"cursor_field": "a"})


@pytest.mark.parametrize(
    ("word", "words", "expected"),
    [
        ("pagnation", ["pagination", "auth"], 'did you mean "pagination"?'),
        ("PAGINATION", ["pagination", "auth"], "known here: auth, pagination"),
        ("x", ["b", "a"], "known here: a, b"),
        ("lst", ("list", "last"), 'did you mean "list"?'),
    ],
)
def test_the_nearest_word_or_all_are_named(word: str, words: list[str], expected: str) -> None:
    """A typing error has one answer; a word of another language has them all."""
    assert expected == nearest(word, words)


@pytest.mark.parametrize("name", ["connector", "account"])
def test_shipped_schemas_are_schemas(name: str) -> None:
    """What ships is valid by its own dialect, and closed at the root."""
    schema = shipped("connproof", name).document

    jsonschema.Draft202012Validator.check_schema(schema)

    assert schema["unevaluatedProperties"] is False
    assert shipped("connproof", name) is shipped("connproof", name)


WORDS = st.sampled_from(
    ["type", "cursor", "cursor_field", "cursor_param", "max_pages", "stop_when", "a", "own_params", "drop"]
)
DOCUMENTS: st.SearchStrategy[dict[str, JsonValue]] = st.dictionaries(
    WORDS,
    st.none() | st.booleans() | st.integers(-1, 3) | st.floats(0, 2) | WORDS | st.just({}) | st.just("a\n"),
    max_size=5,
)


@given(DOCUMENTS)
def test_both_validators_agree(value: dict[str, JsonValue]) -> None:
    """What the fast one lets through has no problem, and what it refuses has one at least."""
    definitions = shipped("connproof", "connector").document["$defs"]
    schema = {"$defs": definitions, "$ref": "#/$defs/pagination"}

    by_words = jsonschema.Draft202012Validator(schema).is_valid(value)

    assert by_words == (told(schema, value) == [])


@pytest.mark.parametrize("word", ["method", "path"])
def test_a_missing_member_of_an_operation_is_seen(word: str) -> None:
    """The fast validator must agree; versions before 0.46.1 let such an operation through."""
    operation = {"method": "GET", "path": "/x"}
    del operation[word]
    document = {"base_url": "https://a.example", "auth": {"type": "none"}, "resources": {"r": {"list": operation}}}
    value, source = read_json(json.dumps(document).encode(), "connector.json")

    (problem,) = shipped("connproof", "connector").problems(value, source)

    assert ("/resources/r/list", f'"{word}" is missing') == (problem.pointer, problem.message)
