"""Times and custom fields as real providers sent them, beside what a few lines of Python make of the same bodies."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

import formats
from connproof.clock import FixedClock
from connproof.config import parse
from connproof.mapping import compile_mapping
from connproof.mapping.instants import instant
from listings import ABSENT as NO_CORPUS
from listings import CORPUS
from pytest_connproof.foreign import ForeignUnreadable

needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason=NO_CORPUS)

Object = dict[str, Any]


@cache
def documents(source: str) -> tuple[Any, ...]:
    """Every JSON document that a source recorded as an answer, or keeps in a file by itself."""
    return tuple(
        document
        for path in sorted((CORPUS / source).rglob("*"))
        if path.is_file() and path.suffix in {".json", ".yml", ".yaml"} and path.name != "SOURCE.json"
        for text in _texts(path)
        for document in _parsed(text)
    )


def _texts(path: Any) -> list[bytes]:
    try:
        return [taped.response.body for taped in formats.read(path).exchanges]
    except ForeignUnreadable:
        return [path.read_bytes()]


def _parsed(text: bytes) -> list[Any]:
    try:
        return [json.loads(text)]
    except ValueError:  # another format, or an empty body
        return []


def every(value: Any) -> Iterator[Any]:
    """A value and all that stands below it."""
    yield value
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from every(inner)


# E9: times.

ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
DOTNET = re.compile(r"/Date\((-?\d+)([+-]\d{4})?\)/")

# How many different times a source has, at the least: fewer would mean that they are no longer found.
TIMES = {
    "greenhouse/greenhouse_io": 40,
    "hubspot/nango-hubspot": 100,
    "jira/active_project": 30,
    "jira/jira-ruby": 20,
    "notion/notion-ruby-client": 10,
    "pipedrive/nango-pipedrive": 50,
    "quickbooks/nango-quickbooks": 50,
    "salesforce/nango-salesforce": 400,
    "xero/nango-xero": 100,
    "zoho/nango-zoho-crm": 50,
}


def told(moment: datetime) -> str:
    """To milliseconds, cut off; the fraction is not what is compared here."""
    return moment.replace(tzinfo=None).isoformat()[:19]


@needs_corpus
@pytest.mark.parametrize("source", TIMES)
def test_E9_every_recorded_time_is_read(source: str) -> None:
    """With a zone as ISO, without one as UTC, and as a count in a text: the moment that the standard library finds."""
    texts = {text for document in documents(source) for text in every(document) if isinstance(text, str)}
    compared = 0
    for text in sorted(texts):
        if (found := ISO.fullmatch(text)) and not text.startswith("0000"):
            moment = datetime.fromisoformat(text)
            expected = told(moment.astimezone(UTC) if found[3] else moment)
            given = instant(text, "iso8601" if found[3] else "naive_utc")
        elif found := DOTNET.fullmatch(text):
            expected = told(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(found[1])))
            given = instant(text, "dotnet")
        else:
            continue
        assert (text, expected) == (text, str(given)[:19])
        compared += 1

    assert TIMES[source] <= compared


# E10: custom fields. A row has the source, which objects are records, what the config says, and the same in Python.


def members(record: Object, wanted: Callable[[str], Any]) -> Object:
    return {name: value for name, value in record.items() if wanted(name)}


HASH = re.compile("[0-9a-f]{40}")

SHAPES: list[tuple[str, str, Callable[[Object], Any], Object, Callable[[Object], Object]]] = [
    (
        "suffix",
        "salesforce/nango-salesforce",
        lambda record: any(name.endswith("__c") for name in record),
        {"keys": {"suffix": "__c"}},
        lambda record: members(record, lambda name: name.endswith("__c")),
    ),
    (
        "prefix",
        "jira/jira-ruby",
        lambda record: any(name.startswith("customfield_") for name in record.get("fields") or ()),
        {"at": "fields", "keys": {"prefix": "customfield_"}},
        lambda record: members(record["fields"], lambda name: name.startswith("customfield_")),
    ),
    (
        "hash",
        "pipedrive/pipedrive_ruby",
        lambda record: any(HASH.fullmatch(name) for name in record),
        {"keys": {"pattern": "[0-9a-f]{40}(_[a-z_]+)?"}},
        lambda record: members(
            record, lambda name: HASH.fullmatch(name[:40]) and re.fullmatch("(_[a-z_]+)?", name[40:])
        ),
    ),
    (
        "nested",
        "greenhouse/greenhouse_io",
        lambda record: isinstance(record.get("custom_fields"), dict),
        {"at": "custom_fields"},
        lambda record: record["custom_fields"],
    ),
    (
        "pairs",
        "quickbooks/qbo_api",
        lambda record: isinstance(record.get("CustomField"), list),
        {"at": "CustomField", "key": "DefinitionId", "value": "StringValue"},
        lambda record: {
            field["DefinitionId"]: field["StringValue"] for field in record["CustomField"] if "StringValue" in field
        },
    ),
    (
        "union",
        "notion/notion-ruby-client",
        lambda record: record.get("object") == "page" and isinstance(record.get("properties"), dict),
        {"at": "properties", "typed_by": "type"},
        lambda record: {name: field[field["type"]] for name, field in record["properties"].items()},
    ),
    (
        "properties",
        "hubspot/nango-hubspot",
        lambda record: isinstance(record.get("properties"), dict) and "id" in record,
        {"at": "properties", "keys": {"except": ["email", "hs_object_id"]}},
        lambda record: members(record["properties"], lambda name: name not in {"email", "hs_object_id"}),
    ),
]


@needs_corpus
@pytest.mark.parametrize(("shape", "source", "is_record", "words", "expected"), SHAPES, ids=[row[0] for row in SHAPES])
def test_E10_every_recorded_custom_field_arrives(
    shape: str, source: str, is_record: Callable[[Object], Any], words: Object, expected: Callable[[Object], Object]
) -> None:
    """Names, values, classes and order, for every object of the corpus that has them."""
    config = {
        "base_url": "https://api.example",
        "auth": {"type": "none"},
        "resources": {"rows": {"list": {"method": "GET", "path": "/rows"}}},
        "unified": {"crm.contact": {"resource": "rows", "fields": {"x": "x"}, "custom_fields": {"from": words}}},
    }
    mapping = compile_mapping(
        parse(json.dumps(config).encode(), folder="sample").unified["crm.contact"],
        schema=None,
        clock=FixedClock(datetime(2026, 1, 1, tzinfo=UTC)),
        bindings={},
    )
    records = [
        value
        for document in documents(source)
        for value in every(document)
        if isinstance(value, dict) and is_record(value)
    ]

    for record in records:
        assert json.dumps(expected(record)) == json.dumps(mapping.apply(record)["custom_fields"])

    assert records, f"{source} has no record of the shape {shape}"
