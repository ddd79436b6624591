"""Mapping: what compiling refuses, what applying gives, and that the fast path means the same."""

from __future__ import annotations

import importlib.metadata
import json
import math
import subprocess
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connproof.clock import FixedClock
from connproof.errors import ConfigWrong, MappingFailed
from connproof.mapping import CompiledMapping, compile_mapping, load_model
from connproof.mapping.paths import member_names
from connproof.model import FieldRule, UnifiedMapping
from connproof.places import JsonValue

NOON = FixedClock(datetime(2024, 5, 6, 12, 0, 0, 123_456, tzinfo=UTC))
UNIFIED = Path(__file__).parents[2] / "connectors" / "unified"

SCHEMA: JsonValue = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "name": {"type": ["string", "null"]},
        "emails": {"type": ["array", "null"], "items": {"$ref": "#/$defs/email"}},
        "seen_at": {"type": "string", "format": "date-time"},
    },
    "required": ["id"],
    "additionalProperties": False,
    "$defs": {"email": {"type": "object", "properties": {"email": {"type": "string"}}}},
}


def compiled(
    expressions: Mapping[str, str],
    schema: JsonValue | None = None,
    bindings: Mapping[str, JsonValue] | None = None,
) -> CompiledMapping:
    rules = tuple(
        FieldRule(name, text, f"/unified/crm.contact/fields/{name}", line)
        for line, (name, text) in enumerate(expressions.items(), 10)
    )
    mapping = UnifiedMapping("crm.contact", "contacts", rules, "/unified/crm.contact")
    return compile_mapping(mapping, schema=schema, clock=NOON, bindings=bindings or {})


def classes(value: object) -> object:
    """The value with the class of everything in it: in Python 1 == 1.0 == True."""
    if isinstance(value, dict):
        return dict, [(key, classes(inner)) for key, inner in value.items()]
    if isinstance(value, list):
        return type(value), [classes(inner) for inner in value]
    return type(value), repr(value)


# Compiling.


def test_every_bad_expression_is_told_at_once() -> None:
    """One error names each bad expression with its pointer, its line and what is wrong with it."""
    with pytest.raises(ConfigWrong) as caught:
        compiled({"id": "id", "a": "name.", "b": "$eval('1')", "c": "/(?=x)/"})

    assert [("/unified/crm.contact/fields/a", 11), ("/unified/crm.contact/fields/b", 12)] == [
        (problem.pointer, problem.line) for problem in caught.value.problems[:2]
    ]
    assert 3 == len(caught.value.problems)
    assert "RE2" in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "  ", "/* only a comment */", "/* no end", 'a } , "z": {"q": 1', "a, b", "a)", "{", "'", "`a", "1e400"]
)
def test_a_text_that_is_no_expression_is_refused(text: str) -> None:
    """No text gets through that is not one whole expression, whichever error the library raises for it."""
    with pytest.raises(ConfigWrong):
        compiled({"id": text})


@pytest.mark.parametrize("text", ["a /* the end */", "/* the start */ a", "a\n", 'a /* " } ] */ \n'])
def test_comments_may_stand_anywhere(text: str) -> None:
    """A comment changes nothing, also at the very end."""
    assert {"x": 1, "y": 2} == compiled({"x": text, "y": "b"}).apply({"a": 1, "b": 2})


@pytest.mark.parametrize(
    "text",
    [
        "(" * 3000 + ")" * 3000,
        "[" * 3000 + "]" * 3000,
        " & ".join(['"a"'] * 4000),
        "a?" * 3000,
        "x" * 20_001,
        "-" * 500,
    ],
    ids=["parentheses", "brackets", "concatenation", "ternaries", "length", "signs"],
)
def test_a_monstrous_text_is_refused(text: str) -> None:
    """Length and nesting are bounded before the parser's own recursion is."""
    with pytest.raises(ConfigWrong, match=r"levels deep|at most 20000 are read"):
        compiled({"id": text})


def test_a_field_that_the_model_does_not_have_is_refused() -> None:
    """A misspelt field is told with the nearest one, before any record is read."""
    with pytest.raises(ConfigWrong, match=r"has no field 'emial'.*did you mean emails\?"):
        compiled({"id": "$id(id)", "emial": "email"}, SCHEMA)


def test_a_required_field_that_is_not_mapped_is_refused() -> None:
    """A mapping that could never give a valid record does not compile."""
    with pytest.raises(ConfigWrong, match="requires the field 'id', which is not mapped"):
        compiled({"name": "name"}, SCHEMA)


def test_a_schema_that_is_none_is_refused() -> None:
    """A broken JSON Schema is a problem of the config, not a crash."""
    with pytest.raises(ConfigWrong, match="not a JSON Schema"):
        compiled({"id": "id"}, {"type": "objekt"})


def test_a_schema_is_never_fetched() -> None:
    """A reference to another document is refused: nothing is asked of the network."""
    with pytest.raises(ConfigWrong, match="a model stands alone"):
        compiled({"id": "id"}, {"properties": {"id": {"$ref": "https://schemas.example/id.json"}}})


# Applying.


def test_fields_keep_the_order_of_the_config() -> None:
    """Compiled and evaluated fields stand in the order in which the config names them."""
    mapped = compiled({"z": "b", "m": "$uppercase(a)", "a": "a"}).apply({"a": "x", "b": 1})

    assert [("z", 1), ("m", "X"), ("a", "x")] == list(mapped.items())


@pytest.mark.parametrize("text", ["a", "a.b", "$lookup($, 'a')", "(a)", "a ? a : a"])
def test_missing_leaves_the_field_out(text: str) -> None:
    """A field whose expression gives nothing is not in the record."""
    assert {} == compiled({"x": text}).apply({})


@pytest.mark.parametrize("text", ["a", "$lookup($, 'a')", "(a)", "null", "b[0]", "$id(a)"])
def test_null_is_kept(text: str) -> None:
    """A field whose expression gives null is in the record, as null."""
    assert {"x": None} == compiled({"x": text}).apply({"a": None, "b": [None]})


def test_one_field_sees_nothing_of_another() -> None:
    """A variable that one expression binds is unknown to the next."""
    assert {"x": 1} == compiled({"x": "$y := 1", "z": "$y"}).apply({})


@pytest.mark.parametrize("text", ["a", "(a)", "{'k': a}.k", "$account", "a.b", "[a]"])
def test_a_result_shares_nothing_with_the_record(text: str) -> None:
    """Changing a mapped record changes neither the provider's record nor what is bound."""
    record: JsonValue = {"a": {"b": [{"c": 1}]}}
    account: JsonValue = {"b": [{"c": 1}]}
    mapping = compiled({"x": text}, bindings={"account": account})

    def spoil(value: JsonValue) -> None:
        for inner in list(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()):
            spoil(inner)
        if isinstance(value, dict | list):
            value.clear()

    spoil(mapping.apply(record)["x"])

    assert {"a": {"b": [{"c": 1}]}} == record
    assert {"b": [{"c": 1}]} == account


@pytest.mark.parametrize("text", ["[1..3]", "a.n", "$map(a, function($v){$v.n})", "[a.n]", "$append(1, [2, 3])"])
def test_results_are_made_of_plain_classes(text: str) -> None:
    """No list class of the library leaves the mapping."""
    mapped = compiled({"x": text}).apply({"a": [{"n": 1}, {"n": 2}, {"n": 3}]})

    assert classes({"x": [1, 2, 3]}) == classes(mapped)


def test_metadata_is_bound() -> None:
    """$account, $connector and $resource are what the caller binds."""
    bindings: dict[str, JsonValue] = {"account": {"name": "acme"}, "connector": "demo", "resource": "contacts"}
    mapping = compiled({"x": '$connector & "/" & $resource & "/" & $account.name'}, bindings=bindings)

    assert {"x": "demo/contacts/acme"} == mapping.apply({})


def test_time_is_the_clock_s() -> None:
    """$now and $millis read our clock, with a picture too."""
    mapping = compiled({"now": "$now()", "day": "$now('[Y]-[M01]-[D01]')", "ms": "$millis()"})

    assert {"now": "2024-05-06T12:00:00.123Z", "day": "2024-05-06", "ms": 1714996800123} == mapping.apply({})


@pytest.mark.parametrize("given", [5890840712243076, 10**30, 0, -7])
def test_an_integer_id_keeps_every_digit(given: int) -> None:
    """$id turns an integer into exactly its digits."""
    assert {"x": str(given)} == compiled({"x": "$id(a)"}).apply({"a": given})


def test_a_text_id_stays_as_it_is() -> None:
    """$id does not touch text, and works inside $map."""
    assert {"x": ["007", "8"]} == compiled({"x": "$map(a, $id)"}).apply({"a": ["007", 8]})


@pytest.mark.parametrize("given", [1.0, 1.5, True, [1, 2], {"a": 1}])
def test_anything_else_is_no_id(given: JsonValue) -> None:
    """$id refuses what has no exact text."""
    with pytest.raises(MappingFailed, match=r"\$id takes an integer or a string and was given a"):
        compiled({"x": "$id(a)"}).apply({"a": given})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, []),
        ({"mail": None}, None),
        ({"mail": []}, []),
        ({"mail": {"email": "a@example.com"}}, [{"email": "a@example.com"}]),
        ({"mail": [{"email": "a@example.com"}]}, [{"email": "a@example.com"}]),
    ],
)
@pytest.mark.parametrize("text", ["mail", "(mail)"])
def test_where_the_model_says_array_there_is_an_array(text: str, given: JsonValue, expected: JsonValue) -> None:
    """One value becomes a list of one and nothing an empty list; null stays null."""
    assert {"id": "1", "emails": expected} == compiled({"id": "'1'", "emails": text}, SCHEMA).apply(given)


# Failing.


def test_a_failure_names_the_field_and_nothing_of_the_record() -> None:
    """The first failing field is named with its place; the record's values are not."""
    mapping = compiled({"id": "id", "x": "$number(secret)", "y": "$number(secret)"})

    record: JsonValue = {"id": "1", "secret": "hunter2"}  # here, so that the line that fails does not show it
    with pytest.raises(MappingFailed) as caught:
        mapping.apply(record)

    failed = caught.value
    assert ("x", "$number(secret)", "/unified/crm.contact/fields/x", 11) == (
        failed.field,
        failed.expression,
        failed.pointer,
        failed.line,
    )
    assert (None, None) == (failed.__cause__, failed.__context__)
    assert "hunter2" not in "".join(traceback.format_exception(failed))


@pytest.mark.parametrize(
    "text", ["$error(secret)", "secret * 2", "$toMillis(secret)", "{'f': $string}", "$assert(false, secret)"]
)
def test_no_failure_shows_a_value(text: str) -> None:
    """Whatever the library says about a value, our error does not repeat it."""
    with pytest.raises(MappingFailed) as caught:
        compiled({"x": text}).apply({"secret": "hunter2"})

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("expressions", "field", "words"),
    [
        ({"id": "id", "name": "name"}, "id", r'expected +type "string"\n +seen +an integer at /id'),
        ({"id": "nothing", "name": "name"}, "id", r"expected +required\n +seen +nothing at /id"),
        ({"name": "names", "id": "id"}, "name", r'expected +type \["string", "null"\]\n +seen +an array at /name'),
        (
            {"id": "'1'", "emails": "{'email': id}"},
            "emails",
            r'expected +type "string"\n +seen +an integer at /emails/0/email',
        ),
        ({"id": "'1'", "seen_at": "name"}, "seen_at", r'expected +format "date-time"\n +seen +a string at /seen_at'),
    ],
)
def test_a_result_that_the_model_does_not_allow(expressions: dict[str, str], field: str, words: str) -> None:
    """The field, what the schema expects and the kind of what was seen are told; no value is."""
    with pytest.raises(MappingFailed, match=words) as caught:
        compiled(expressions, SCHEMA).apply({"id": 4711, "name": "hunter2", "names": ["hunter2"]})

    assert field == caught.value.field
    assert "hunter2" not in str(caught.value) and "4711" not in str(caught.value)


# The fast path.

AWKWARD: list[Any] = [
    *(1.0, 1.5, -1, -0.0, 0.1, 1e-7, 1e15, 1e21, 0, 1, False, True, None, ""),
    *(2**53 - 1, 2**53 + 2, 1234567890123456, 123456789012345678901, 1500000000000),
    *("x", " X-y ", "12", "é😀z", "2024-01-02T03:04:05Z", "2024-01-02", "2024-01-02T03:04:05.123+02:00"),
    *("2024-01-02 03:04:05", [], [1], [None], [1, 2, 3], ["x"], ["x", "y"], [[1]], [[1], [2, 3]]),
    *({}, {"b": 1}, {"b": None}, {"b": []}, {"b": [5]}),
    *([{"b": 1}], [{"b": 1}, {"b": None}, {}], [{"b": [1]}, {"b": [2, 3]}]),
]
RECORDS: list[Any] = [[], None, [{"a": 1}], [{"a": 1}, {"a": 2}], {}, *({"a": value} for value in AWKWARD)]
DEEPER: list[Any] = [
    *({"a": {"b": value}} for value in AWKWARD),
    *({"a": {"b": {"c": value}}} for value in AWKWARD),
    *([{"a": value}, {"a": {"b": 1}}] for value in AWKWARD),
]
PATHS = [
    "a",
    "a.b",
    "a.b.c",
    "`a`",
    "a.`b`",
    '"a".b',
    "a . b",
    "b",
    "a.b.c.d",
    "a.in",
    "(a)",
    "a[]",
    "a.b[]",
    "$.a",
    "a[0]",
    "*",
]


def test_there_are_48_awkward_inputs() -> None:
    """The table is the one of the design, complete."""
    assert 48 == len(RECORDS)


@pytest.mark.parametrize("text", PATHS)
def test_the_fast_path_means_what_jsonata_means(text: str) -> None:
    """For every awkward record: the same value of the same classes, and missing where it is missing."""
    mapping = compiled({"x": text})

    fast = [classes(mapping.apply(record)) for record in RECORDS + DEEPER]

    assert [classes(mapping.apply_by_jsonata(record)) for record in RECORDS + DEEPER] == fast


@pytest.mark.parametrize("text", PATHS)
def test_one_field_means_what_it_means_in_an_object(text: str) -> None:
    """Evaluated by itself, an expression gives what the plain library gives for it inside an object."""
    from jsonata.jsonata import Jsonata  # not above: whoever imports it first decides the recursion limit

    library = Jsonata(f'{{"x": {text}}}')
    mapping = compiled({"x": text})
    objects = [record for record in RECORDS + DEEPER if isinstance(record, dict)]

    plain = [json.dumps(library.evaluate(record, {})) for record in objects]

    assert plain == [json.dumps(mapping.apply(record)) for record in objects]


@pytest.mark.parametrize(
    ("text", "record", "guard"),
    [
        ("a", [{"a": 1}], "a record that is no object"),
        ("a", None, "a record that is no object"),
        ("a.b", {"a": [{"b": 1}]}, "a list on the way"),
        ("a.b.c", {"a": {"b": [{"c": 1}]}}, "a list on the way"),
        ("a.b", {"a": "x"}, "a scalar on the way"),
        ("a.b.c", {"a": {"b": 1}}, "a scalar on the way"),
    ],
)
def test_a_guard_sends_the_whole_record_to_jsonata(text: str, record: JsonValue, guard: str) -> None:
    """Where the two could differ the closure does not answer, and that is counted."""
    mapping = compiled({"x": text})

    mapping.apply({"a": {"b": {"c": 1}}})
    mapped = mapping.apply(record)

    assert mapping.apply_by_jsonata(record) == mapped
    assert (2, {guard: 1}) == (mapping.stats.records, dict(mapping.stats.deoptimised))


@pytest.mark.parametrize(
    ("value", "guard"),
    [
        (math.nan, "a number that is not finite"),
        ([math.inf], "a leaf that is no JSON"),
        ((1,), "a leaf that is no JSON"),
    ],
)
def test_a_leaf_that_is_no_json_fails_either_way(value: JsonValue, guard: str) -> None:
    """What no decoder of ours gives is left to jsonata, and its result is refused."""
    mapping = compiled({"x": "a"})

    with pytest.raises(MappingFailed, match="is no JSON value"):
        mapping.apply({"a": value})

    assert {guard: 1} == dict(mapping.stats.deoptimised)


def test_stats_name_the_fields_that_jsonata_evaluates() -> None:
    """Only what is no plain path is evaluated for every record."""
    assert ("b", "d") == compiled({"a": "a", "b": "a & ''", "c": "a.b.c", "d": "a[0]"}).stats.evaluated


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "_a1.B",
        "`a b`",
        "a.`b.c`.d",
        "`and`",
        "and_",
        "inn.nulls",
        ".".join("a" * 75),
        "a" * 150,
        "`" + "`.`".join("x" * 37) + "`",
    ],
)
def test_the_names_read_off_a_text_are_those_of_its_syntax_tree(text: str) -> None:
    """The library's own parser gives a path of the very names that the fast path walks."""
    from jsonata.jsonata import Jsonata  # as above

    tree = Jsonata(text).ast

    assert ("path", tuple(step.value for step in tree.steps)) == (tree.type, member_names(text))
    assert {"name"} == {step.type for step in tree.steps}


@pytest.mark.parametrize(
    "text",
    [
        "and",
        "a.in",
        "or.b",
        "true",
        "false",
        "null",
        "function",
        "a.true",
        "",
        "a.",
        ".a",
        "a..b",
        "1a",
        "ä",
        "$",
        "``",
        "a b",
        "a\n",
        "a" * 151,
    ],
)
def test_any_other_text_is_the_library_s_to_read(text: str) -> None:
    """A word with another meaning, and what is not surely a path, is never taken for one."""
    assert None is member_names(text)


def test_a_mapping_of_paths_never_loads_jsonata() -> None:
    """The library is loaded when something needs it: an expression, or a record that a guard sends there."""
    program = """
import sys
from datetime import UTC, datetime
from connproof.clock import FixedClock
from connproof.mapping import compile_mapping
from connproof.mapping.paths import member_names
from connproof.model import FieldRule, UnifiedMapping
mapping = UnifiedMapping("crm.contact", "contacts", (FieldRule("x", "a.b", "", 1),), "")
compiled = compile_mapping(mapping, schema=None, clock=FixedClock(datetime(2024, 5, 6, tzinfo=UTC)), bindings={})
print(compiled.apply({"a": {"b": 1}}), "jsonata" in sys.modules)
print(compiled.apply({"a": [{"b": 1}]}), "jsonata" in sys.modules)
"""
    seen = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "{'x': 1} False\n{'x': 1} True\n" == seen.stdout


def test_a_mapping_of_paths_never_reaches_jsonata(monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing but paths and a record that passes, the library is not called at all."""
    from jsonata.jsonata import Jsonata  # as above

    mapping = compiled({"x": "a", "y": "a.b", "z": "a.b.c"})
    monkeypatch.setattr(Jsonata, "evaluate", None)

    assert {"x": {"b": {"c": 1}}, "y": {"c": 1}, "z": 1} == mapping.apply({"a": {"b": {"c": 1}}})


# The models.


@pytest.mark.parametrize("model", ["crm.contact", "crm.account", "ticketing.issue"])
def test_our_models_load_and_are_described(model: str) -> None:
    """Each is closed, keyed by a required id, and says for every other field what it is and that it may be null."""
    schema: Any = load_model(UNIFIED, model)

    assert "$id" not in schema
    assert ("id", ["id"], False) == (schema["x-key"], schema["required"], schema["additionalProperties"])
    properties = schema["properties"]
    assert [] == [name for name, rule in properties.items() if not (rule["title"] and rule["description"])]
    assert ["id"] == [name for name, rule in properties.items() if "null" not in rule["type"]]


def test_a_contact_may_be_all_null() -> None:
    """Every field but the id may be null, and may be absent."""
    schema = load_model(UNIFIED, "crm.contact")
    assert isinstance(schema, dict) and isinstance(schema["properties"], dict)
    fields = {**dict.fromkeys(schema["properties"], "null"), "id": "$id(id)"}

    assert {**dict.fromkeys(fields), "id": "7"} == compiled(fields, schema).apply({"id": 7})
    assert {"id": "7"} == compiled({"id": "$id(id)"}, schema).apply({"id": 7})


def test_a_model_that_is_not_there() -> None:
    """The error lists the models that are."""
    with pytest.raises(ConfigWrong, match=r"no model 'crm\.lead' \(the models are .*crm\.account, crm\.contact, "):
        load_model(UNIFIED, "crm.lead")


@pytest.mark.parametrize("model", ["contact", "../crm.contact", "crm.contact.x", "crm/contact", ""])
def test_a_name_that_is_no_model_s(model: str) -> None:
    """A model's name leads nowhere but into its folder."""
    with pytest.raises(ConfigWrong, match="is no model's name"):
        load_model(UNIFIED, model)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{\n "type": }', r"2:10 .*not JSON"),
        (b'"\xff"', "not UTF-8"),
        (b"[]", "must be an object, this is an array"),
        (b'{"type": "objekt"}', "not a JSON Schema"),
        (b'{"properties": {"id": {}}}', '"x-key" names none'),
        (b'{"properties": {"id": {}}, "x-key": "key"}', '"x-key" names none'),
    ],
)
def test_a_model_that_is_broken(tmp_path: Path, content: bytes, words: str) -> None:
    """Each way of being no model is told, with the file."""
    (tmp_path / "crm").mkdir()
    (tmp_path / "crm" / "contact.schema.json").write_bytes(content)

    with pytest.raises(ConfigWrong, match=words):
        load_model(tmp_path, "crm.contact")


# The environment.


def test_jsonata_is_jsonata_python() -> None:
    """Two other distributions install a package of the same name over this one."""
    assert ["jsonata-python"] == importlib.metadata.packages_distributions()["jsonata"]
