"""The shapes in which providers hold things: dates, ids, custom fields, metadata, one thing in two classes."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connproof.clock import FixedClock
from connproof.config import parse
from connproof.decode import decode
from connproof.errors import ConfigWrong, MappingFailed
from connproof.mapping import CompiledMapping, compile_mapping, load_model
from connproof.mapping.instants import instant
from connproof.model import Response
from connproof.places import ABSENT, JsonValue

CLOCK = FixedClock(datetime(2024, 5, 6, tzinfo=UTC))
UNIFIED = Path(__file__).parents[2] / "connectors" / "unified"


def compiled(expressions: dict[str, str], schema: JsonValue | None = None, **words: Any) -> CompiledMapping:
    """As a config says it, so that every word goes the whole way."""
    document = {
        "base_url": "https://api.example",
        "auth": {"type": "none"},
        "resources": {"rows": {"list": {"method": "GET", "path": "/rows"}}},
        "unified": {"crm.contact": {"resource": "rows", "fields": expressions, **words}},
    }
    mapping = parse(json.dumps(document, indent=1).encode(), folder="sample").unified["crm.contact"]
    return compile_mapping(mapping, schema=schema, clock=CLOCK, bindings={})


def mapped(expression: str, record: JsonValue) -> JsonValue | Any:
    """The one field that the expression gives; ABSENT where it gives none."""
    return compiled({"x": expression}).apply(record).get("x", ABSENT)


def decoded(body: str) -> Any:
    return decode(Response(200, (("content-type", "application/json"),), body.encode()))


# E8: ids and numbers, from the bytes to the record.


@pytest.mark.parametrize(
    ("expression", "body", "expected"),
    [
        pytest.param("ts", '{"ts": "1700000000.000100"}', "1700000000.000100", id="decimal-text"),
        pytest.param("id", '{"id": "5725767000000411001"}', "5725767000000411001", id="digits-in-a-text"),
        pytest.param("id", '{"id": 9007199254740993}', 9007199254740993, id="beyond-2-53"),
        pytest.param(
            "id", '{"id": 123456789012345678901234567890}', 123456789012345678901234567890, id="beyond-64-bits"
        ),
        pytest.param("$id(id)", '{"id": 5725767000000411001}', "5725767000000411001", id="id"),
        pytest.param("$id(id)", '{"id": "007"}', "007", id="leading-zeros"),
        pytest.param(
            "[ids.$id($)]",
            '{"ids": [9007199254740993, 1000000000000001]}',
            ["9007199254740993", "1000000000000001"],
            id="ids",
        ),
        pytest.param("owner.id ~> $id", '{"owner": {"id": 10152368852405295}}', "10152368852405295", id="below"),
        pytest.param("n", '{"n": 1.10}', 1.1, id="number"),
        pytest.param("n", '{"n": 1.0}', 1.0, id="whole-number"),
    ],
)
def test_E8_no_digit_is_lost(expression: str, body: str, expected: JsonValue) -> None:
    """Through decoding and mapping, and in its own class."""
    value = mapped(expression, decoded(body))

    assert expected == value and type(expected) is type(value)


# E9: times and days.

TIMES = [
    ("iso8601", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
    ("iso8601", "2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678Z"),
    ("iso8601", "2026-01-02T03:04:05.6Z", "2026-01-02T03:04:05.600Z"),
    ("iso8601", "2026-01-02T03:04:05.000+0000", "2026-01-02T03:04:05.000Z"),
    ("iso8601", "2026-01-02T03:04:05.1239999Z", "2026-01-02T03:04:05.123Z"),
    ("iso8601", "2026-05-14T14:37:59+03:00", "2026-05-14T11:37:59Z"),
    ("iso8601", "2026-03-31T16:49:28-07:00", "2026-03-31T23:49:28Z"),
    ("iso8601", "2026-01-02T00:30:00+01", "2026-01-01T23:30:00Z"),
    ("iso8601", "2026-04-28T11:56Z", "2026-04-28T11:56:00Z"),
    ("iso8601", "2026-01-02 03:04:05 +0530", "2026-01-01T21:34:05Z"),
    ("iso8601", "2024-02-29t23:59:59z", "2024-02-29T23:59:59Z"),
    ("iso8601", "0000-00-00", None),
    ("iso8601", "0000-00-00 00:00:00", None),
    ("iso8601", "", None),
    ("iso8601", None, None),
    ("naive_utc", "2026-01-02 03:04:05", "2026-01-02T03:04:05Z"),
    ("naive_utc", "2026-04-20T00:00:00", "2026-04-20T00:00:00Z"),
    ("naive_utc", "2026-01-02 03:04", "2026-01-02T03:04:00Z"),
    ("naive_utc", "0000-00-00 00:00:00", None),
    ({"zone": "+02:00"}, "2026-01-02 03:04:05", "2026-01-02T01:04:05Z"),
    ("epoch_s", 1700000000, "2023-11-14T22:13:20Z"),
    ("epoch_s", 0, "1970-01-01T00:00:00Z"),
    ("epoch_s", -1, "1969-12-31T23:59:59Z"),
    ("epoch_s", "1700000000", "2023-11-14T22:13:20Z"),
    ("epoch_s", "1700000000.000100", "2023-11-14T22:13:20.000Z"),
    ("epoch_s", "1700000000.999999", "2023-11-14T22:13:20.999Z"),
    ("epoch_s", 1700000000.5, "2023-11-14T22:13:20.500Z"),
    ("epoch_s", 1700000000.0, "2023-11-14T22:13:20Z"),
    ("epoch_ms", 1773301260632, "2026-03-12T07:41:00.632Z"),
    ("epoch_ms", "1773301260000", "2026-03-12T07:41:00.000Z"),
    ("epoch_ms", -1, "1969-12-31T23:59:59.999Z"),
    ("epoch_ms", "", None),
    ("dotnet", "/Date(1518685950940+0000)/", "2018-02-15T09:12:30.940Z"),
    ("dotnet", "/Date(1518685950940+1300)/", "2018-02-15T09:12:30.940Z"),
    ("dotnet", "/Date(1777032291887)/", "2026-04-24T12:04:51.887Z"),
    ("dotnet", "/Date(-62135596800000+0000)/", "0001-01-01T00:00:00.000Z"),
    ({"format": "%m/%d/%Y %I:%M %p", "zone": "UTC"}, "1/2/2026 3:04 pm", "2026-01-02T15:04:00Z"),
    ({"format": "%m/%d/%Y %I:%M %p", "zone": "UTC"}, "12/31/2026 12:00 AM", "2026-12-31T00:00:00Z"),
    ({"format": "%d.%m.%Y %H:%M:%S", "zone": "-03:30"}, "01.02.2026 23:00:00", "2026-02-02T02:30:00Z"),
    ({"format": "%Y%m%d%H%M%S", "zone": "UTC"}, "20260102030405", "2026-01-02T03:04:05Z"),
    ({"format": "%d %b %Y %H:%M:%S %z"}, "02 JAN 2026 03:04:05 +0100", "2026-01-02T02:04:05Z"),
    (
        {"format": "%b %d, %Y at %H:%M:%S.%f", "zone": "UTC"},
        "September 2, 2026 at 03:04:05.5",
        "2026-09-02T03:04:05.500Z",
    ),
]


@pytest.mark.parametrize(("form", "value", "expected"), [pytest.param(*row, id=f"{row[0]} {row[1]}") for row in TIMES])
def test_E9_a_time_becomes_one_in_utc(form: Any, value: JsonValue, expected: str | None) -> None:
    """RFC 3339, with milliseconds where the value or its form has them; no date is null."""
    assert expected == mapped(f"$instant(a, {json.dumps(form)})", {"a": value})
    assert form != "iso8601" or expected == mapped("$instant(a)", {"a": value})


def test_E9_nothing_gives_nothing() -> None:
    """A time that is not there is not null."""
    assert {} == compiled({"x": "$instant(a)", "y": '$date(a, "epoch_s")'}).apply({})


UNFIT = [
    ("iso8601", "2026-01-02T03:04:05", "says no zone"),
    ("iso8601", "2026-01-02 03:04:05", "says no zone"),
    ("iso8601", "2026-01-02", "expected a time"),
    ("iso8601", "02/01/2026", "expected a time"),
    ("iso8601", "2026-02-30T00:00:00Z", "no such day"),
    ("iso8601", "2026-01-02T24:00:00Z", "no such time"),
    ("iso8601", "2026-01-02T03:04:05+99:00", "offset"),
    ("iso8601", "0001-01-01T00:00:00+01:00", "beyond the years"),
    ("iso8601", "\u0662\u0660\u0662\u0666-01-02T03:04:05Z", "expected a time"),
    ("iso8601", " 2026-01-02T03:04:05Z", "expected a time"),
    ("iso8601", 1700000000, "an integer is not iso8601"),
    ("iso8601", True, "a boolean is not iso8601"),
    ("iso8601", [], "a list is not iso8601"),
    ("naive_utc", "2026-01-02T03:04:05Z", "a zone of its own"),
    ("epoch_s", "2026-01-02", "expected a number"),
    ("epoch_s", True, "a boolean is not epoch_s"),
    ("epoch_s", 1773301260632, "of another unit"),
    ("epoch_s", "1e9", "expected a number"),
    ("epoch_ms", 10**17, "beyond the years"),
    ("dotnet", "1518685950940", "expected a time such as /Date"),
    ({"format": "%m/%d/%Y %H:%M", "zone": "UTC"}, "2026-01-02 03:04", "not written as the format says"),
    ({"format": "%m/%d/%Y %H:%M", "zone": "UTC"}, "13/02/2026 03:04", "no such day"),
    ({"format": "%m/%d/%Y %I:%M %p", "zone": "UTC"}, "1/2/2026 13:04 pm", "not one of twelve"),
    ({"format": "%d %b %Y %H:%M", "zone": "UTC"}, "02 Mai 2026 03:04", "no English name"),
    ({"format": "%m/%d/%Y"}, "1/2/2026", "a day without a time"),
    ({"format": "%m/%d/%Y %H:%M"}, "1/2/2026 03:04", "has a zone"),
    ({"format": "%m/%d/%Y %H:%M %z", "zone": "UTC"}, "1/2/2026 03:04 +0100", "has a zone"),
    ({"format": "%m/%d/%y %H:%M", "zone": "UTC"}, "1/2/26 03:04", "%y may not stand there"),
    ({"format": "%d/%d/%Y", "zone": "UTC"}, "1/2/2026", "once each"),
    ({"format": "%d/%m", "zone": "UTC"}, "1/2", "a format has %Y"),
    ({"format": "%Y%m%d%H%M", "zone": "UTC"}, "2026112304", "not written as the format says"),
    ({"format": ["%Y"], "zone": "UTC"}, "2026", "a format is a text"),
    ({"format": "%Y-%m-%d %", "zone": "UTC"}, "2026-01-02 ", "may not stand there"),
    ({"zone": "Europe/Berlin"}, "2026-01-02 03:04:05", "a zone is"),
    ({"pattern": "%Y"}, "2026", "format and zone"),
    ({}, "2026", "format and zone"),
    ("iso", "2026-01-02T03:04:05Z", "there is no such form; the forms are iso8601, "),
    (1, "2026-01-02T03:04:05Z", "there is no such form"),
    (None, "2026-01-02T03:04:05Z", "there is no such form"),
]


@pytest.mark.parametrize(("form", "value", "said"), [pytest.param(*row, id=f"{row[0]} {row[1]}") for row in UNFIT])
def test_E9_what_does_not_fit_is_an_error(form: Any, value: JsonValue, said: str) -> None:
    """Of the field, with the shape of what was seen and none of it."""
    with pytest.raises(MappingFailed) as caught:
        mapped(f"$instant(a, {json.dumps(form)})", {"a": value})

    assert "x" == caught.value.field
    assert said in caught.value.facts["cause"]


def test_E9_an_error_shows_a_shape_alone() -> None:
    """What stands where a date should be may be anybody's."""
    with pytest.raises(MappingFailed, match='a text like "aaa 99, aaaaa"') as caught:
        mapped("$instant(a)", {"a": "Eva 12, Bjørk"})

    assert "Eva" not in str(caught.value) and "12" not in caught.value.facts["cause"]


DAYS = [
    ("iso8601", "2026-01-02", "2026-01-02"),
    ("iso8601", "2013-12-07-08:00", "2013-12-07"),
    ("iso8601", "2013-12-07Z", "2013-12-07"),
    ("iso8601", "0999-01-02", "0999-01-02"),
    ("iso8601", "0000-00-00", None),
    ("iso8601", "", None),
    ("naive_utc", "2026-04-20T00:00:00", "2026-04-20"),
    ("dotnet", "/Date(1776643200000+0000)/", "2026-04-20"),
    ("epoch_ms", 1776643200000, "2026-04-20"),
    ("epoch_s", 1776643199, "2026-04-19"),
    ({"format": "%m/%d/%Y"}, "4/20/2026", "2026-04-20"),
    ({"format": "%d-%b-%Y"}, "20-Apr-2026", "2026-04-20"),
]


@pytest.mark.parametrize(("form", "value", "expected"), [pytest.param(*row, id=f"{row[0]} {row[1]}") for row in DAYS])
def test_E9_a_day_is_the_one_that_was_written(form: Any, value: JsonValue, expected: str | None) -> None:
    """A count since 1970 is the day in UTC."""
    assert expected == mapped(f"$date(a, {json.dumps(form)})", {"a": value})


@pytest.mark.parametrize("value", ["2026-01-02T03:04:05Z", "2026-02-30", "20260102", 20260102])
def test_E9_a_time_is_no_day(value: JsonValue) -> None:
    """Which day it is depends on the zone: nobody is asked to guess."""
    with pytest.raises(MappingFailed, match="is not iso8601"):
        mapped("$date(a)", {"a": value})


@given(
    moment=st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)),  # noqa: DTZ001 - made aware below
    minutes=st.integers(-23 * 60, 23 * 60),
)
def test_E9_every_spelling_of_a_moment_is_the_same(moment: datetime, minutes: int) -> None:
    """ISO in any zone, both counts, and the notation of a count in a text."""
    utc = moment.replace(microsecond=0, tzinfo=UTC)
    local = (utc + timedelta(minutes=minutes)).replace(tzinfo=None).isoformat()
    offset = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    seconds = (utc - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    expected = utc.replace(tzinfo=None).isoformat() + "Z"

    assert expected == instant(local + offset)
    assert expected == instant(local + offset.replace(":", ""))
    assert expected == instant(local, {"zone": offset})
    assert expected == instant(seconds, "epoch_s")
    assert expected.replace("Z", ".000Z") == instant(seconds * 1000, "epoch_ms")
    assert expected.replace("Z", ".000Z") == instant(f"/Date({seconds * 1000}+0100)/", "dotnet")


def test_E9_what_it_gives_is_what_the_models_want() -> None:
    """The shipped models check date-time and date."""
    mapping = compiled(
        {"id": "id", "created_at": '$instant(at, "dotnet")', "updated_at": "$instant(changed)"},
        load_model(UNIFIED, "crm.contact"),
    )

    assert {"id": "1", "created_at": "2018-02-15T09:12:30.940Z", "updated_at": None} == mapping.apply(
        {"id": "1", "at": "/Date(1518685950940+0000)/", "changed": ""}
    )


# E10: custom fields.

SHAPES: dict[str, tuple[dict[str, Any] | list[dict[str, Any]], str, Any]] = {
    "flat-suffix": (
        {"keys": {"suffix": "__c"}},
        '{"Id": "1", "Region__c": "EU", "Score__c": 1.0, "Gone__c": null, "Blank__c": "", "Ref__r": {}}',
        {"Region__c": "EU", "Score__c": 1.0, "Gone__c": None, "Blank__c": ""},
    ),
    "flat-suffix-bare": (
        {"keys": {"suffix": "__c"}, "names": "bare"},
        '{"Id": "1", "Region__c": "EU"}',
        {"Region": "EU"},
    ),
    "flat-prefix": (
        {"at": "fields", "keys": {"prefix": "customfield_"}},
        '{"fields": {"summary": "x", "customfield_2": {"value": "a"}, "customfield_1": 9007199254740993}}',
        {"customfield_2": {"value": "a"}, "customfield_1": 9007199254740993},
    ),
    "flat-prefix-bare": (
        {"keys": {"prefix": "cf_"}, "names": "bare"},
        '{"id": 1, "cf_region": false, "cf_": 0}',
        {"region": False, "": 0},
    ),
    "hash-keys": (
        {"keys": {"pattern": "[0-9a-f]{40}(_[a-z_]+)?"}},
        json.dumps({"id": 1, "a" * 40: 12, "a" * 40 + "_currency": "EUR", "b" * 39: 1, "x" + "b" * 40: 2}),
        {"a" * 40: 12, "a" * 40 + "_currency": "EUR"},
    ),
    "nested-map": (
        {"at": "customFields"},
        '{"customFields": {"Region": "EU", "Tags": ["a", "b"], "None": null}}',
        {"Region": "EU", "Tags": ["a", "b"], "None": None},
    ),
    "nested-map-but": (
        {"at": "properties", "keys": {"except": ["email", "@odata.etag"]}},
        '{"properties": {"email": "a@example.com", "shoe_size": "44", "@odata.etag": "x"}}',
        {"shoe_size": "44"},
    ),
    "pairs": (
        {"at": "custom_fields", "key": "id", "value": "value"},
        '{"custom_fields": [{"id": 27642, "value": "745"}, {"id": "b", "value": null}, {"id": 3}]}',
        {"27642": "745", "b": None},
    ),
    "pairs-deeper": (
        {"at": "meta.list", "key": "field.name", "value": "content[0]", "keys": {"prefix": "c"}},
        '{"meta": {"list": [{"field": {"name": "ca"}, "content": [1, 2]}, {"field": {"name": "x"}, "content": [3]}]}}',
        {"ca": 1},
    ),
    "two-parallel-forms": (
        {"at": "keyed_custom_fields", "value": "value"},
        '{"custom_fields": {"r": "EU"}, "keyed_custom_fields": {"r": {"name": "R", "type": "text", "value": "EU"}}}',
        {"r": "EU"},
    ),
    "typed-union": (
        {"at": "properties", "typed_by": "type"},
        """{"properties": {"Size": {"id": "a", "type": "number", "number": 3}, "Odd": {"type": "formula"},
            "Done": {"type": "checkbox", "checkbox": false}, "Due": {"type": "date", "date": null}}}""",
        {"Size": 3, "Done": False, "Due": None},
    ),
    "typed-pairs": (
        {"at": "fields", "key": "name", "typed_by": "kind"},
        '{"fields": [{"name": "Size", "kind": "number", "number": 3}]}',
        {"Size": 3},
    ),
    "urn-extension": (
        {"keys": {"prefix": "urn:"}},
        '{"schemas": ["urn:x"], "userName": "ann", "urn:scim:extension:enterprise:2.0:User": {"department": "R"}}',
        {"urn:scim:extension:enterprise:2.0:User": {"department": "R"}},
    ),
    "several-places": (
        [{"keys": {"suffix": "__c"}}, {"at": "more.list", "key": "id", "value": "v"}],
        '{"A__c": 1, "more": {"list": [{"id": "B", "v": 2}]}}',
        {"A__c": 1, "B": 2},
    ),
    "none-of-them": ({"keys": {"suffix": "__c"}}, '{"Id": "1"}', {}),
    "an-empty-map": ({"at": "customFields"}, '{"customFields": {}}', {}),
    "an-empty-list-for-a-map": ({"at": "customFields"}, '{"customFields": []}', {}),
    "null-for-a-list": ({"at": "fields", "key": "id", "value": "v"}, '{"fields": null}', {}),
    "not-there": ({"at": "customFields"}, '{"id": 1}', ABSENT),
}


def exactly(value: Any) -> str:
    """With classes and order: in Python 1 == 1.0 == True, and objects have none."""
    return json.dumps(value) if value is not ABSENT else "ABSENT"


@pytest.mark.parametrize("shape", SHAPES)
def test_E10_custom_fields_of_every_shape(shape: str) -> None:
    """From the bytes to one object: no value changes, null stays, the order is the record's."""
    source, body, expected = SHAPES[shape]
    mapping = compiled({"id": "id"}, custom_fields={"from": source})
    record = decoded(body)

    assert exactly(expected) == exactly(mapping.apply(record).get("custom_fields", ABSENT))
    assert mapping.apply(record) == mapping.apply_by_jsonata(record)


def test_E10_custom_fields_stand_last_in_the_field_that_the_config_names() -> None:
    """And nowhere where the config does not say where they are."""
    record: JsonValue = {"id": "1", "A__c": 2}

    assert [("id", "1"), ("extra", {"A__c": 2})] == list(
        compiled({"id": "id"}, custom_fields={"into": "extra", "from": {"keys": {"suffix": "__c"}}})
        .apply(record)
        .items()
    )
    assert {"id": "1"} == compiled({"id": "id"}).apply(record)


def test_E10_nothing_is_shared_with_the_record() -> None:
    """A caller who changes one changes nothing of the other."""
    record: dict[str, Any] = {"c": {"a": {"b": [1]}}}
    mapping = compiled({"id": "id"}, custom_fields={"from": {"at": "c"}})

    before = copy.deepcopy(record)
    out: Any = mapping.apply(record)
    out["custom_fields"]["a"]["b"].append(2)

    assert before == record


@pytest.mark.parametrize(
    ("source", "record", "said"),
    [
        pytest.param(
            {"at": "f", "key": "id", "value": "v"},
            {"f": [{"id": "7", "v": 1}, {"id": 7, "v": "secret"}]},
            'two custom fields are called "7"',
            id="pairs-collide",
        ),
        pytest.param(
            [{"keys": {"suffix": "__c"}}, {"at": "f"}],
            {"A__c": 1, "f": {"A__c": 1}},
            'two custom fields are called "A__c"',
            id="places-collide",
        ),
        pytest.param({"at": "f"}, {"f": "secret"}, "f is a string, and should be an object", id="a-text-for-a-map"),
        pytest.param({"at": "f"}, {"f": 0}, "f is an integer, and should be an object", id="zero-for-a-map"),
        pytest.param({"at": "f"}, {"f": [{"id": 1}]}, "f is an array, and should be an object", id="a-list-for-a-map"),
        pytest.param(
            {"at": "f", "key": "id", "value": "v"},
            {"f": {"id": 1}},
            "f is an object, and should be a list",
            id="a-map-for-a-list",
        ),
        pytest.param(
            {"at": "f", "key": "id", "value": "v"},
            {"f": [{"v": "secret"}]},
            "the name at id is nothing, and should be a text or an integer",
            id="no-name",
        ),
        pytest.param(
            {"at": "f", "key": "id", "value": "v"}, {"f": [{"id": True}]}, "the name at id is a boolean", id="odd-name"
        ),
        pytest.param(
            {"at": "f", "typed_by": "type"}, {"f": {"A": {"n": 3}}}, '"A" does not say of what type', id="no-type"
        ),
        pytest.param({"at": "f", "typed_by": "type"}, {"f": {"A": "secret"}}, "it is: a string", id="no-union"),
    ],
)
def test_E10_what_is_not_as_declared_is_an_error(source: Any, record: JsonValue, said: str) -> None:
    """Of the output field, with its line; never one of two values, never a field silently left out."""
    mapping = compiled({"id": "id"}, custom_fields={"from": source})
    with pytest.raises(MappingFailed) as caught:
        mapping.apply(record)

    assert ("custom_fields", "/unified/crm.contact/custom_fields") == (caught.value.field, caught.value.pointer)
    assert caught.value.line > 0
    assert said in caught.value.facts["cause"]
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("words", "pointer", "said"),
    [
        ({"from": {}}, "/from", "would take the whole record"),
        ({"from": {"at": "a", "names": "bare"}}, "/from/names", "says nothing"),
        ({"from": {"at": "a", "value": "v", "typed_by": "t"}}, "/from/typed_by", "beside"),
        ({"from": {"key": "id", "value": "v", "keys": {"prefix": "x"}}}, "/from/key", "no list is named"),
        ({"from": {"at": "a", "key": "id"}}, "/from/key", "nothing where the value does"),
        ({"from": [{"at": "a"}, {"at": "b[*]"}]}, "/from/1/at", "finds a list"),
        ({"from": {"at": "a.."}}, "/from/at", "not a path"),
        ({"from": {"keys": {"pattern": "(?=a)"}}}, "/from/keys/pattern", "not a regular expression"),
        ({"from": {"at": "a", "kyes": 1}}, "/from/kyes", "did you mean"),
        ({"from": []}, "/from", ""),
        ({"into": "x"}, "", "from"),
    ],
)
def test_E10_a_config_that_says_nothing_is_refused(words: dict[str, Any], pointer: str, said: str) -> None:
    """With its pointer, before any record is read."""
    with pytest.raises(ConfigWrong) as caught:
        compiled({"id": "id"}, custom_fields=words)

    problem = caught.value.problems[0]
    assert f"/unified/crm.contact/custom_fields{pointer}" == problem.pointer
    assert said in str(problem)


@pytest.mark.parametrize(
    ("fields", "custom", "said"),
    [
        ({"id": "id", "custom_fields": "c"}, {"from": {"at": "c"}}, "an expression for 'custom_fields' already"),
        ({"id": "id"}, {"into": "customs", "from": {"at": "c"}}, "no field 'customs' (did you mean custom_fields?)"),
        ({"id": "id", "remote_data": "c"}, None, "the provider's own record"),
    ],
)
def test_E10_the_models_words_hold_for_the_field_too(fields: dict[str, str], custom: Any, said: str) -> None:
    """It is a field as the others are."""
    words = {"custom_fields": custom} if custom else {}

    with pytest.raises(ConfigWrong) as caught:
        compiled(fields, load_model(UNIFIED, "crm.contact"), **words)

    assert said in str(caught.value)


@pytest.mark.parametrize("model", ["crm.contact", "crm.account", "ticketing.issue"])
def test_E10_the_shipped_models_take_custom_fields(model: str) -> None:
    """Of any name and class; and a connector that declares none has none."""
    mapping = compiled({"id": "$id(id)"}, load_model(UNIFIED, model), custom_fields={"from": {"at": "c"}})

    assert {"id": "1", "custom_fields": {"A b": [None, 1]}} == mapping.apply({"id": 1, "c": {"A b": [None, 1]}})
    assert {"id": "1"} == mapping.apply({"id": 1})


# E11: what a provider says about a record, and is none of it.

RECORD: JsonValue = {
    "attributes": {"type": "Contact"},
    "$approved": True,
    "Name": "Ann",
    "Note": None,
    "Owner": {"attributes": {"type": "User"}, "links": [], "Id": "5"},
    "Tags": [{"links": [], "Name": "a"}, {"Name": ""}],
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        pytest.param(
            '$sift(Owner, function($v, $k) { $not($k in ["attributes", "links"]) })', {"Id": "5"}, id="named-members"
        ),
        pytest.param(
            "$keys($sift(function($v, $k) { $not($contains($k, /^\\$/)) }))",
            ["attributes", "Name", "Note", "Owner", "Tags"],
            id="members-of-a-pattern",
        ),
        pytest.param(
            '$ ~> |**|{}, ["attributes", "links", "$approved"]|',
            {"Name": "Ann", "Note": None, "Owner": {"Id": "5"}, "Tags": [{"Name": "a"}, {"Name": ""}]},
            id="everywhere",
        ),
    ],
)
def test_E11_metadata_can_be_left_out(expression: str, expected: JsonValue) -> None:
    """JSONata has the words; null and "" stay, and the record is not changed."""
    record = copy.deepcopy(RECORD)

    assert exactly(expected) == exactly(mapped(expression, record))
    assert RECORD == record


def test_E11_remote_data_is_the_record_as_it_came() -> None:
    """With its metadata, on request alone, checked by no model, and shared with nobody."""
    mapping = compiled({"id": "Owner.Id"}, load_model(UNIFIED, "crm.contact"))
    record: Any = copy.deepcopy(RECORD)

    out: Any = mapping.apply(record, remote_data=True)
    assert {"id": "5", "remote_data": RECORD} == out
    out["remote_data"]["Tags"][0]["Name"] = "changed"

    assert RECORD == record
    assert {"id": "5"} == mapping.apply(record)


# E12: one thing in two classes.


@pytest.mark.parametrize(
    ("expression", "value", "expected"),
    [
        ('$type(a) = "string" ? a : a.id', "cus_1", "cus_1"),
        ('$type(a) = "string" ? a : a.id', {"id": "cus_1"}, "cus_1"),
        ('a = null ? null : $type(a) = "string" ? a : a.id', None, None),
        ('$type(a) = "string" ? a : a.id', ABSENT, ABSENT),
        ('$type(a) = "object" ? a.message : a', {"message": "no"}, "no"),
        ("[a.id]", {"id": 1}, [1]),
        ("[a.id]", [{"id": 1}], [1]),
        ("[a.id]", [{"id": 1}, {"id": 2}], [1, 2]),
        ("[a.id]", [], []),
        ("[a.id]", ABSENT, []),
        ("[a]", [[1]], [[1]]),
        ("[a]", 1, [1]),
        ("[a]", [], []),
        ("[a]", ABSENT, []),
        ("a = null ? [] : [a]", None, []),
        ('$type(a) = "array" ? {} : a', [], {}),
        ('$type(a) = "array" ? {} : a', {"next": "x"}, {"next": "x"}),
        ('$type(a) = "array" ? {} : a', None, None),
        ('$type(a) = "array" ? {} : a', ABSENT, ABSENT),
        ("a = null ? null : $boolean(a)", True, True),
        ("a = null ? null : $boolean(a)", 1, True),
        ("a = null ? null : $boolean(a)", 0, False),
        ("a = null ? null : $boolean(a)", False, False),
        ("a = null ? null : $boolean(a)", None, None),
        ("a = null ? null : $boolean(a)", ABSENT, ABSENT),
        ('$lookup({"T": true, "F": false}, a)', "F", False),
        ('$lookup({"T": true, "F": false}, a)', "no", ABSENT),
        ('$type(a) = "object" ? a."#text" : a', {"@currency": "EUR", "#text": "5"}, "5"),
        ('$type(a) = "object" ? a."#text" : a', "5", "5"),
    ],
)
def test_E12_one_thing_in_two_classes(expression: str, value: Any, expected: Any) -> None:
    """JSONata has a safe way for each; `[...]` makes a list of none, one and many alike."""
    record = {} if value is ABSENT else {"a": value}

    assert exactly(expected) == exactly(mapped(expression, record))


# E13: absent, null, "" and a value are four.


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("{}", {}),
        ('{"a": null}', {"x": None, "y": None}),
        ('{"a": ""}', {"x": "", "y": ""}),
        ('{"a": 0}', {"x": 0, "y": 0}),
    ],
)
def test_E13_absent_null_and_blank_stay_what_they_are(body: str, expected: JsonValue) -> None:
    """From the bytes to the record, by the fast path and through an expression."""
    mapping = compiled({"x": "a", "y": "(a)"})

    assert exactly(expected) == exactly(mapping.apply(decoded(body)))
    assert exactly(expected) == exactly(mapping.apply_by_jsonata(decoded(body)))


@pytest.mark.parametrize(
    ("expression", "of_absent", "of_null", "of_blank"),
    [
        ('a = "" ? null : a', ABSENT, None, None),
        ("$exists(a) ? a : null", None, None, ""),
        ("a != null ? a", ABSENT, ABSENT, ""),
        ("a in [true] ? true : false", False, False, False),
    ],
)
def test_E13_a_mapping_may_say_that_two_are_the_same(
    expression: str, of_absent: Any, of_null: Any, of_blank: Any
) -> None:
    """Where a provider writes one for the other."""
    records: tuple[JsonValue, ...] = ({}, {"a": None}, {"a": ""})

    assert (of_absent, of_null, of_blank) == tuple(mapped(expression, record) for record in records)


# Where a field comes from.


def test_every_field_says_where_it_comes_from() -> None:
    """Its value, its expression with document, level and line, and what that reads of the record."""
    mapping = compiled(
        {"id": "$id(id)", "name": "name.first & ' ' & name.last", "gone": "`odd name`.b", "all": "*"},
        custom_fields={"from": {"at": "c"}},
    )

    rows = {
        field.name: (field.value, field.expression, field.paths)
        for field in mapping.explained({"id": 7, "name": {"first": "Ann", "last": "B"}, "c": {"x": 1}})
    }

    assert ["id", "name", "gone", "all", "custom_fields"] == list(rows)
    assert ("7", "$id(id)", ("id",)) == rows["id"]
    assert ("Ann B", "name.first & ' ' & name.last", ("name.first", "name.last")) == rows["name"]
    assert (ABSENT, "`odd name`.b", ('["odd name"].b',)) == rows["gone"]
    assert ("$",) == rows["all"][2]
    assert ({"x": 1}, "(custom fields)", ("c",)) == rows["custom_fields"]


def test_a_field_says_which_document_and_line_gave_it() -> None:
    """As the rule does, whatever layer it came from."""
    first = compiled({"id": "id"}).explained({"id": 1})[0]

    assert ("platform base", "connector.json", "/unified/crm.contact/fields/id") == (
        first.level,
        first.document,
        first.pointer,
    )
    assert first.line > 0
