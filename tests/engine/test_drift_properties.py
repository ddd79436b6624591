"""What holds of shapes whatever the documents: a contract allows what it was told from, and any part of it."""

from __future__ import annotations

import json

import jsonschema_rs
from hypothesis import given, settings
from hypothesis import strategies as st

from connproof.drift import compare, infer
from connproof.places import JsonValue

NAMES = st.sampled_from(["a", "b", "id", "@odata.next", "101", "102", "x y", "ada@north.example"])
TEXTS = st.sampled_from(["", "open", "closed", "2026-01-01", "2026-01-01T00:00:00Z", "ada@north.example", "Ada Quill"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
DOCUMENTS: st.SearchStrategy[JsonValue] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
LISTS = st.lists(DOCUMENTS, max_size=12)


@settings(max_examples=200, deadline=None)
@given(documents=LISTS)
def test_every_document_meets_the_shape_told_from_it(documents: list[JsonValue]) -> None:
    """By another reader of JSON Schema."""
    schema = infer(documents).schema()

    assert [] == [one for one in documents if not jsonschema_rs.is_valid(schema, one)]


@settings(max_examples=200, deadline=None)
@given(documents=LISTS, data=st.data())
def test_no_part_of_what_was_agreed_on_is_drift(documents: list[JsonValue], data: st.DataObject) -> None:
    """Whatever some of the documents look like, the contract of all of them allows it."""
    part = data.draw(st.lists(st.sampled_from(documents), max_size=12)) if documents else []

    assert () == compare(infer(documents).schema(), infer(part))


@settings(max_examples=100, deadline=None)
@given(documents=LISTS, data=st.data())
def test_order_never_matters(documents: list[JsonValue], data: st.DataObject) -> None:
    """Byte for byte."""
    other = data.draw(st.permutations(documents))

    assert json.dumps(infer(documents).schema()) == json.dumps(infer(other).schema())


@settings(max_examples=100, deadline=None)
@given(before=LISTS, after=LISTS)
def test_what_no_schema_reader_accepts_is_drift(before: list[JsonValue], after: list[JsonValue]) -> None:
    """The comparison lets nothing through that is invalid by the contract as JSON Schema."""
    contract = infer(before).schema()

    invalid = [one for one in after if not jsonschema_rs.is_valid(contract, one)]

    assert not invalid or compare(contract, infer(after))
