"""Made records look as recorded ones do, and nothing of a recording leads to pages that there are not."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from connproof.model import Operation, Response
from connproof.places import JsonValue
from pytest_connproof.provider.habits import Case
from pytest_connproof.provider.shape import Shape, records_of
from pytest_connproof.provider.writing import answered
from pytest_connproof.stage import Stage
from pytest_connproof.subject import Settings, Subject
from scripted import answer, connector

CONNECTORS: Final = Path(__file__).parents[2] / "connectors"
CURSOR: Final[dict[str, Any]] = {"type": "cursor", "cursor_field": "meta.next", "cursor_param": "after"}


def listing(pagination: dict[str, Any] | None = None, **operation: Any) -> Operation:
    return connector(pagination or CURSOR, operation).resources["rows"].operations["list"]


@cache
def subject(name: str) -> Subject:
    return Subject(CONNECTORS / name / "connector.json", Settings(as_of=date(2026, 1, 1)))


def page(stage: Stage, text: str) -> list[JsonValue]:
    """The documents of all pages of a case."""
    played = stage.play(Case.parse(text))
    assert played.told.error is None
    return [json.loads(one.response.body) for one in played.told.exchanges if one.response is not None]


# As the committed recordings have it.


@pytest.mark.parametrize(
    ("name", "operation", "envelope"),
    [
        ("github", "issues.list", None),
        ("github", "comments.list", None),
        ("hubspot", "contacts.list", {}),
        ("hubspot", "contacts.search", {"total": 14}),
        ("hubspot", "companies.list", {}),
        ("salesforce", "contacts.list", {"totalSize": 14}),
        ("salesforce", "accounts.list", {"totalSize": 8}),
    ],
)
def test_the_envelope_is_the_recorded_one(name: str, operation: str, envelope: JsonValue) -> None:
    """Without the records, and without what leads to a next page or says that there is one."""
    assert envelope == subject(name).stage(operation).shape.envelope


@pytest.mark.parametrize("name", ["github", "hubspot", "salesforce"])
def test_a_made_record_is_the_recorded_one_with_another_key(name: str) -> None:
    """The same members, and the same values but for the key and what is sorted by."""
    ours = subject(name)
    for operation in (one for one in ours.connector.operations() if one.is_list):
        stage = ours.stage(operation.id)
        recorded, (first, second) = stage.shape.record, records_of(operation, 2, stage.shape)
        assert isinstance(recorded, dict) and isinstance(first, dict) and isinstance(second, dict)
        differing = {member for member in recorded if recorded[member] != first[member]}

        assert {*recorded} == {*first}
        assert len(recorded) > 5
        assert operation.key is not None and operation.key.last_name in differing
        assert len(differing) <= 3
        assert type(operation.key.find(recorded)) is type(operation.key.find(first))
        assert operation.key.find(first) != operation.key.find(second)


def test_the_last_page_names_no_next_one() -> None:
    """The paging of a recorded first page does not stand on it."""
    *others, last = page(subject("hubspot").stage("contacts.list"), "records=5 size=2")

    assert [["paging", "results"]] * 2 == [sorted(one) for one in others if isinstance(one, dict)]
    assert isinstance(last, dict) and ["results"] == sorted(last)


def test_a_flag_is_said_anew_on_each_page() -> None:
    """What stood in the recording has no say."""
    pages = page(subject("salesforce").stage("contacts.list"), "records=401 size=200")

    assert [False, False, True] == [one["done"] for one in pages if isinstance(one, dict)]
    assert [14] * 3 == [one["totalSize"] for one in pages if isinstance(one, dict)]


# In general.


@pytest.mark.parametrize(
    ("words", "pagination", "document", "envelope"),
    [
        pytest.param({}, CURSOR, {"ok": True, "items": [{"id": 1}], "meta": {"next": "c", "url": "/x"}}, {"ok": True},
                     id="all that stands beside a cursor"),
        pytest.param({}, {**CURSOR, "cursor_field": "next"}, {"ok": 1, "next": "c", "items": [{"id": 1}]}, {"ok": 1},
                     id="a cursor at the top alone"),
        pytest.param({"response_path": "d.rows"}, {**CURSOR, "cursor_field": "d.next"},
                     {"d": {"rows": [{"id": 1}], "next": "c", "v": 1}}, {"d": {"v": 1}}, id="beside the records"),
        pytest.param({}, {**CURSOR, "stop_field": "m.more", "stop_when": False, "total_field": "m.n"},
                     {"items": [{"id": 1}], "m": {"more": True, "n": 7, "took": 3}}, {"m": {"took": 3}},
                     id="a flag and a total, and not what is beside them"),
        pytest.param({}, {"type": "page", "page_param": "p", "page_field": "page"}, {"page": 3, "items": [{"id": 1}]},
                     {}, id="the number of the page"),
        pytest.param({"response_path": "$"}, CURSOR, [{"id": 1}], None, id="a list has none"),
    ],
)  # fmt: skip
def test_what_leads_to_other_pages_is_left_out(
    words: dict[str, Any], pagination: dict[str, Any], document: JsonValue, envelope: JsonValue
) -> None:
    """Wherever the config says that it stands."""
    shape = Shape.of(listing(pagination, **words), [answer(document)])

    assert Shape(envelope, {"id": 1}) == shape


@pytest.mark.parametrize(
    "first",
    [answer({"items": []}), answer({"items": None}), answer({"error": "x"}), answer({"items": ["a"]}), Response(204)],
)
def test_the_first_answer_with_records_counts(first: Response) -> None:
    """One without any says nothing of what they look like; where all are so, it is bare."""
    assert Shape({"v": 2}, {"id": 7}) == Shape.of(listing(), [first, answer({"v": 2, "items": [{"id": 7}]})])
    assert Shape() == Shape.of(listing(), [first])


def test_what_is_made_is_never_shared() -> None:
    """A record that is changed changes no other, and not the shape."""
    shape = Shape(None, {"id": 1, "tags": ["a"]})
    one, other = records_of(listing(), 2, shape)
    assert isinstance(one, dict) and isinstance(one["tags"], list)
    one["tags"].append("b")

    assert {"id": 1001, "tags": ["a"]} == other
    assert {"id": 1, "tags": ["a"]} == shape.record


FIRST: Final = "2026-01-01T00:00:00Z"


def windowed(first: str) -> dict[str, Any]:
    return {**CURSOR, "window": {"field": "at", "param": "since", "cap": 9, "first": first}}


@pytest.mark.parametrize(
    ("words", "base", "expected"),
    [
        pytest.param({}, None, [{"id": "r0000"}, {"id": "r0001"}], id="bare"),
        pytest.param({"key": "k.id"}, {"k": {"id": 3, "v": 1}},
                     [{"k": {"id": 1000, "v": 1}}, {"k": {"id": 1001, "v": 1}}], id="the key's class"),
        pytest.param({"key": "$"}, None, ["r0000", "r0001"], id="nothing but its key"),
        pytest.param({"pagination": {"type": "keyset", "key_field": "seq", "key_param": "s"}, "key": "id"}, {"id": "x"},
                     [{"id": "r0000", "seq": "r0000"}, {"id": "r0001", "seq": "r0001"}], id="what pages go on by"),
        pytest.param({"pagination": windowed("1970"), "key": "id"}, None,
                     [{"id": "r0000", "at": 1}, {"id": "r0001", "at": 1}], id="counted windows"),
        pytest.param({"pagination": windowed("1970-01-01"), "key": "id"}, None,
                     [{"id": "r0000", "at": FIRST}, {"id": "r0001", "at": FIRST}], id="windows of times"),
    ],
)  # fmt: skip
def test_where_the_config_reads_a_record_has_a_value(
    words: dict[str, Any], base: JsonValue, expected: list[JsonValue]
) -> None:
    """Its key, what pages go on by, and what windows are sorted by: that one is shared by two."""
    assert expected == records_of(listing(words.pop("pagination", None), **words), 2, Shape(None, base))


def test_xml_says_true_and_false_in_its_own_words() -> None:
    """In an element and in an attribute alike, whichever version of the library writes them."""
    response = answered({"rows": {"row": {"@first": True, "last": False}}}, form="xml")

    assert response.body.endswith(b'<rows><row first="true"><last>false</last></row></rows>')
