"""Shapes are told from documents, whatever their order, and a difference matters as far as the config reads it."""

from __future__ import annotations

import json
import random
from typing import Any

import jsonschema_rs
import pytest

from connproof.config import parse
from connproof.documents import read_json
from connproof.drift import FORMATS, Difference, Read, compare, infer, reads_of
from connproof.errors import ConfigWrong
from connproof.model import Connector
from connproof.places import JsonValue
from connproof.schemas import shipped

# Inference.


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ([], {}),
        ([None], {"type": "null"}),
        ([1, 2], {"type": "integer"}),
        ([1, 1.5], {"type": "number"}),
        ([1.0], {"type": "number"}),
        ([True, 1], {"type": ["integer", "boolean"]}),
        (["x", None], {"type": ["string", "null"]}),
        ([{}], {"type": "object"}),
        ([[]], {"type": "array"}),
        ([[1], []], {"type": "array", "items": {"type": "integer"}}),
        (
            [{"b": 1, "a": "x"}, {"a": None}],
            {
                "type": "object",
                "properties": {"a": {"type": ["string", "null"]}, "b": {"type": "integer"}},
                "required": ["a"],
            },
        ),
        (
            [{"a": {}}, None],
            {"type": ["object", "null"], "properties": {"a": {"type": "object"}}, "required": ["a"]},
        ),
    ],
)
def test_shape_of_documents(documents: list[JsonValue], expected: dict[str, Any]) -> None:
    """Types are told apart as JSON does, and a member is required if every object at that place has it."""
    assert expected == infer(documents).schema()


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.678+01:00"], "date-time"),
        (["2026-01-02T03:04:05.000+0000"], "date-time-basic-offset"),
        (["2026-01-02 03:04:05", "2026-01-02T03:04:05.5"], "date-time-local"),
        (["2026-12-31", ""], "date"),
        (["123e4567-e89b-12d3-a456-426614174000"], "uuid"),
        (["ada@north.example", "person-1@redacted.invalid"], "email"),
        (["https://north.example/a?b=c", "s3://bucket/key"], "uri"),
        (["2026-01-02T03:04:05Z", "2026-01-02"], None),
        (["2026-13-02"], None),
        (["", ""], None),
        (["101", "102"], None),
        (["{{secret:access_token#1}}"], None),
    ],
)
def test_format_is_told_when_every_text_has_it(texts: list[str], expected: str | None) -> None:
    """An empty text has every form; one text of another form is enough to have none."""
    assert expected == infer(texts).schema().get("format")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["open", "closed"] * 10, ["closed", "open"]),
        (["open", "closed", None] * 10, ["closed", "open", None]),
        (["open", "closed", ""] * 10, ["", "closed", "open"]),
        (["open", "closed"] * 9, None),
        (["open"] * 100, None),
        (["open"] * 100 + ["closed"] * 2, None),
        (["d-1", "d-2"] * 50, None),
        (["Ada Quill", "Bo Reed"] * 50, None),
        (["open", "closed", 1] * 50, None),
        (list("abcdefgh") * 10, list("abcdefgh")),
        (list("abcdefghi") * 20, None),
    ],
)
def test_closed_set_is_told_from_many_sightings(values: list[JsonValue], expected: list[Any] | None) -> None:
    """At most 8 words, each met 3 times, all 10 times as often as there are words; ids and names are no words."""
    assert expected == infer(values).schema().get("enum")


@pytest.mark.parametrize(
    ("documents", "is_map"),
    [
        ([{"101": 1, "102": 2}], True),
        ([{"U024BE7LH": {}, "U0G9QF9C6": {}}], True),
        ([{"123e4567-e89b-12d3-a456-426614174000": 1, "00000000-e89b-12d3-a456-426614174000": 1}], True),
        ([{"101": 1}], True),
        ([{"ada@north.example": 1}, {"person-1@redacted.invalid": 2}], True),
        ([{"@odata.nextLink": 1}], False),
        ([{}], False),
        ([{"101": 1, "name": 2}], False),
        ([{"address1": "x", "address2": "y"}], False),
        ([{f"field_{letter}": 1} for letter in "abcdefghijklmnopqrstuvwxyz"], True),
        ([{f"field_{letter}": 1 for letter in "abcdefghijklmnopqrstuvwxyz"}] * 2, False),
    ],
)
def test_members_named_by_data_are_a_map(documents: list[JsonValue], *, is_map: bool) -> None:
    """Ids as names, or many names of which no object has half, are no fields: the next object has others."""
    schema = infer(documents).schema()

    assert is_map is ("additionalProperties" in schema)
    assert not (is_map and "properties" in schema)


PAGES: list[JsonValue] = [
    {
        "results": [
            {
                "id": number,
                "state": ["open", "closed"][number % 2],
                "at": f"2026-10-{1 + number % 28:02}T00:00:00Z",
                "by_user": {str(1000 + number): {"seen": number / 2}, str(2000 + number): {"seen": None}},
                **({"note": "x"} if number % 3 else {}),
            }
            for number in range(start, start + 10)
        ]
    }
    for start in range(0, 50, 10)
]


@pytest.mark.parametrize("seed", range(5))
def test_shape_does_not_depend_on_order(seed: int) -> None:
    """The same documents, pages and members in another order, are the same file, byte for byte."""
    pages = [json.loads(json.dumps(page)) for page in PAGES]
    shuffled = random.Random(seed)
    shuffled.shuffle(pages)
    for page in pages:
        shuffled.shuffle(page["results"])
        page["results"] = [dict(reversed(record.items())) for record in page["results"]]

    assert json.dumps(infer(PAGES).schema()) == json.dumps(infer(pages).schema())


@pytest.mark.parametrize("cut", range(6))
def test_parts_merge_to_the_whole(cut: int) -> None:
    """What was counted apart gives the same shape together."""
    part, rest = infer(PAGES[:cut]), infer(PAGES[cut:])

    part.merge(rest)

    assert infer(PAGES).schema() == part.schema()


def test_shape_is_a_schema_that_its_documents_meet() -> None:
    """Another reader of JSON Schema accepts the shape, and every document that it was told from."""
    validator = jsonschema_rs.Draft202012Validator(infer(PAGES).schema())

    assert [True] * len(PAGES) == [validator.is_valid(page) for page in PAGES]


def test_shape_is_a_contract() -> None:
    """What is told is what a contract may say."""
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "a.list", **infer(PAGES).schema()}
    value, source = read_json(json.dumps(document).encode(), "a.list.schema.json")

    assert [] == shipped("connproof", "contract").problems(value, source)


def test_formats_are_those_of_a_contract() -> None:
    """A contract may name the formats that can be told, and no other."""
    said = shipped("connproof", "contract").document["$defs"]["shape"]["properties"]["format"]["enum"]

    assert list(FORMATS) == said


# Comparison.


def _told(difference: Difference) -> tuple[str, str, str, str]:
    return difference.kind, difference.path, difference.expected, difference.seen


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([{"a": 1}], [{"a": 1}], []),
        ([{"a": 1}, {}], [{}], []),
        ([{"a": 1}, {"a": None}], [{"a": 2}], []),
        ([{"a": 1.5}], [{"a": 2}], []),
        ([{"a": [1]}], [{"a": []}], []),
        ([{"a": None}], [{"a": "x"}], [("new", "a", "null alone", "string (all 1)")]),
        ([{"a": 1}], [{"a": 1, "b": "2026-01-01"}], [("new", "b", "not there", "string (date), in all 1")]),
        ([{"a": 1}], [{}, {}], [("removed", "a", "in every object", "in none of 2 objects")]),
        ([{"a": 1}], [{"a": 1}, {}], [("no_longer_required", "a", "in every object", "in 1 of 2")]),
        ([{"a": 1}, {}], [{"a": 1}] * 20, [("newly_required", "a", "in some objects", "in all 20 objects")]),
        ([{"a": 1}, {}], [{"a": 1}] * 19, []),
        ([{"a": 1}], [{"a": "1"}, {"a": 1}], [("retyped", "a", "integer", "string (1 of 2)")]),
        ([{"a": "x"}], [{"a": None}], [("retyped", "a", "string", "null (all 1)")]),
        ([{"a": 1}], [{"a": 1.5}], [("retyped", "a", "integer", "number (all 1)")]),
        ([{"a": {"b": 1}}], [{"a": [1]}], [("retyped", "a", "object", "array (all 1)")]),
        ([{"a": []}], [{"a": [1]}], [("new", "a[*]", "no element", "integer")]),
        (
            [{"a": "2026-01-01T00:00:00.000+0000"}],
            [{"a": "2026-01-01T00:00:00.000Z"}],
            [("reformatted", "a", "date-time-basic-offset", "date-time")],
        ),
        ([{"a": "2026-01-01"}], [{"a": "1 Jan"}], [("reformatted", "a", "date", "texts of another form")]),
        ([{"a": "2026-01-01"}], [{"a": ""}], []),
        (
            [{"a": "open"}, {"a": "closed"}] * 10,
            [{"a": "merged"}, {"a": "open"}, {"a": "Ada Quill"}],
            [("enum", "a", '"closed", "open"', '(another text), "merged"')],
        ),
        (
            [{"a": "open"}, {"a": "shut"}] * 10,
            [{"a": x} for x in "abcdefghi"],
            [("enum", "a", '"open", "shut"', "many other texts")],
        ),
        ([{"101": 1, "102": 1}], [{"103": 1, "104": 1}], []),
        ([{"101": 1, "102": 1}], [{"103": 1, "104": "x"}], [("retyped", "*", "integer", "string (1 of 2)")]),
        ([{"@odata.next": 1}], [{"@odata.next": "x"}], [("retyped", '["@odata.next"]', "integer", "string (all 1)")]),
        ([1], ["x"], [("retyped", "$", "integer", "string (all 1)")]),
    ],
)
def test_differences(
    before: list[JsonValue], after: list[JsonValue], expected: list[tuple[str, str, str, str]]
) -> None:
    """Every difference is named with its place, what was expected, and how often what was seen instead."""
    assert expected == [_told(found) for found in compare(infer(before).schema(), infer(after))]


def test_nothing_seen_is_no_drift() -> None:
    """Without a document nothing can have changed: whoever compares says that there was none."""
    assert () == compare(infer([{"a": 1}]).schema(), infer([]))


def test_contract_lets_through_what_a_reviewer_leaves_open() -> None:
    """A contract that says less allows more: `additionalProperties` true, and a place without a type."""
    contract = {"type": "object", "properties": {"a": {}}, "additionalProperties": True}

    assert () == compare(contract, infer([{"a": 1, "b": 2}, {"a": {"x": "y"}}]))


READ_A = Read(("results", "a"), "/unified/crm.deal/fields/a")
READ_AS_A_WHOLE = Read(("results", "a"), "/unified/crm.deal/fields/a", whole=True)


BY_A = (READ_A.pointer,)


@pytest.mark.parametrize(
    ("before", "after", "read", "severity", "read_by"),
    [
        ({"a": 1}, {"a": "x"}, READ_A, "block", BY_A),
        ({"b": 1}, {"b": "x"}, READ_A, "warn", ()),
        ({"a": 1}, {}, READ_A, "block", BY_A),
        ({"b": 1}, {}, READ_A, "warn", ()),
        ({}, {"a": 1}, READ_A, "block", BY_A),
        ({}, {"b": 1}, READ_A, "note", ()),
        ({"a": None}, {"a": 1}, READ_A, "warn", BY_A),
        ({"a": {"x": 1}}, {"a": {"x": "y"}}, READ_A, "warn", ()),
        ({"a": {"x": 1}}, {"a": {"x": "y"}}, READ_AS_A_WHOLE, "block", BY_A),
        ({"a": {"x": 1}}, {"a": {"x": 1, "y": 1}}, READ_AS_A_WHOLE, "warn", BY_A),
        ({"a": "2026-01-01"}, {"a": "x"}, READ_A, "block", BY_A),
    ],
)
def test_what_the_config_reads_decides(
    before: dict[str, JsonValue], after: dict[str, JsonValue], read: Read, severity: str, read_by: tuple[str, ...]
) -> None:
    """A difference at what is read, or inside what is read as a whole, blocks; elsewhere it warns, or is a note."""
    found = compare(infer([{"results": [before]}]).schema(), infer([{"results": [after]}]), [read])

    assert [(severity, read_by)] == [(difference.severity, difference.read_by) for difference in found]


def test_another_word_of_a_set_warns_at_most() -> None:
    """The set was told from what was met: another word is news, also where it is read."""
    contract = infer([{"a": "open"}, {"a": "closed"}] * 10).schema()

    found = compare(contract, infer([{"a": "merged"}]), [Read(("a",), "/x")])

    assert ["warn"] == [difference.severity for difference in found]


def test_place_above_what_is_read_blocks() -> None:
    """Where a list or an object on the way goes away or changes its type, what is read below is gone with it."""
    reads = [Read(("paging", "next", "after"), "/pagination/cursor_field")]

    found = compare(infer([{"paging": {"next": {"after": "x"}}}]).schema(), infer([{"paging": "x"}, {}]), reads)

    assert [("no_longer_required", "block"), ("retyped", "block")] == [(d.kind, d.severity) for d in found]


# What a config reads.

CONFIG = {
    "base_url": "https://api.deals.example",
    "auth": {"type": "none"},
    "resources": {
        "deals": {
            "list": {
                "method": "GET",
                "path": "/deals",
                "response_path": "data.rows",
                "key": "id",
                "pagination": {
                    "type": "keyset",
                    "key_field": "sort.key",
                    "key_param": "since",
                    "stop_field": "data.more",
                    "stop_when": False,
                },
            },
            "get": {"method": "GET", "path": "/deals/{id}"},
        }
    },
    "unified": {
        "crm.deal": {
            "resource": "deals",
            "fields": {"id": "id", "name": "properties.name", "lines": "lines[kind='x'].{\"sku\": sku}"},
        }
    },
}


def _connector(document: dict[str, Any]) -> Connector:
    return parse(json.dumps(document, indent=2).encode(), folder="deals")


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (
            "list",
            {
                ("data", "rows"): "/resources/deals/list/response_path",
                ("data", "rows", "id"): "/unified/crm.deal/fields/id",
                ("data", "rows", "sort", "key"): "/resources/deals/list/pagination/key_field",
                ("data", "more"): "/resources/deals/list/pagination/stop_field",
                ("data", "rows", "properties", "name"): "/unified/crm.deal/fields/name",
                ("data", "rows", "lines", "kind"): "/unified/crm.deal/fields/lines",
                ("data", "rows", "lines", "sku"): "/unified/crm.deal/fields/lines",
            },
        ),
        (
            "get",
            {
                ("id",): "/unified/crm.deal/fields/id",
                ("properties", "name"): "/unified/crm.deal/fields/name",
                ("lines", "kind"): "/unified/crm.deal/fields/lines",
                ("lines", "sku"): "/unified/crm.deal/fields/lines",
            },
        ),
    ],
)
def test_reads_of_an_operation(operation: str, expected: dict[tuple[str, ...], str]) -> None:
    """Every place that the config names, from the top of the body: a record's members stand below `response_path`."""
    connector = _connector(CONFIG)

    found = reads_of(connector, connector.resources["deals"].operations[operation])

    assert expected == {read.names: read.pointer for read in found}


def test_reads_of_an_error_rule() -> None:
    """What says that an answer is an error is read as well."""
    rule = {"when": {"body": {"ok": False}}, "means": "failed", "message": "error.text"}
    connector = _connector({**CONFIG, "errors": [rule]})

    found = reads_of(connector, connector.resources["deals"].operations["get"])

    assert {("ok",): "/errors/0", ("error", "text"): "/errors/0"} == {
        read.names: read.pointer for read in found if read.pointer.startswith("/errors")
    }


def test_reads_of_limits_and_of_what_a_batch_says() -> None:
    """Each word has its own pointer, so that a finding names its line."""
    limits = {
        "throttled": [
            {"when": {"status": 200, "body": {"code": "BUSY"}}, "wait": [{"body": "retry", "unit": "delta_s"}]}
        ],
        "wait": [{"body": "later", "unit": "delta_s"}],
        "budgets": [
            {"name": "a", "remaining": {"header": "x-left", "unit": "count"}},
            {"name": "b", "remaining": {"body": "cost.left", "unit": "count"}, "window": 60},
        ],
    }
    elements = {"at": "results", "failed": {"ok": False}, "failures_at": "failures"}
    create = {"method": "POST", "path": "/deals", "returns": "one", "elements": elements}
    connector = _connector({**CONFIG, "rate_limit": limits, "unified": {}, "resources": {"deals": {"create": create}}})

    found = reads_of(connector, connector.resources["deals"].operations["create"])

    assert {
        ("code",): "/rate_limit/throttled/0",
        ("retry",): "/rate_limit/throttled/0",
        ("later",): "/rate_limit/wait",
        ("cost", "left"): "/rate_limit/budgets/1/remaining",
        ("results",): "/resources/deals/create/elements/at",
        ("results", "ok"): "/resources/deals/create/elements",
        ("failures",): "/resources/deals/create/elements/failures_at",
        ("failures", "ok"): "/resources/deals/create/elements",
    } == {read.names: read.pointer for read in found}


def test_reads_of_the_served_version() -> None:
    """Where an answer says its version is read too."""
    version = {"value": "1", "in": "query", "name": "v", "served": {"body": "meta.version"}}
    connector = _connector({**CONFIG, "api_version": version})

    found = reads_of(connector, connector.resources["deals"].operations["get"])

    assert Read(("meta", "version"), "/api_version/served/body") in found


def test_reads_of_what_further_requests_are_made_from() -> None:
    """A cursor at one of several places, a list inside a record, and what another operation takes from this one's."""
    listing = {
        "method": "GET",
        "path": "/deals",
        "response_path": "rows",
        "pagination": {
            "type": "cursor",
            "cursor_param": "after",
            "cursor_field": ["next.after", {"path": "next.url", "url_param": "after"}],
        },
        "nested": {"lines": {"response_path": "rows", "pagination": {"type": "next_url", "next_url_field": "next"}}},
    }
    notes = {
        "method": "GET",
        "path": "/deals/{deal}/notes",
        "for_each": {"operation": "deals.list", "params": {"deal": "meta.id"}},
    }
    connector = _connector(
        {**CONFIG, "unified": {}, "resources": {"deals": {"list": listing}, "notes": {"list": notes}}}
    )

    found = reads_of(connector, connector.resources["deals"].operations["list"])

    assert {
        ("rows",),
        ("next", "after"),
        ("next", "url"),
        ("rows", "lines"),
        ("rows", "lines", "next"),
        ("rows", "meta", "id"),
    } == {read.names for read in found}


def test_reads_of_a_mapping_that_is_none() -> None:
    """The mistake has its place in the config."""
    unified = {"crm.deal": {"resource": "deals", "fields": {"id": "id.("}}}
    connector = _connector({**CONFIG, "unified": unified})

    with pytest.raises(ConfigWrong, match=r"/unified/crm\.deal/fields/id"):
        reads_of(connector, connector.resources["deals"].operations["get"])
