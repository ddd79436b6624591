"""What records and their envelope look like: as in recorded answers where there are some, else as bare as can be.

A made record is the recorded one with other values where the config reads: its key, what pages are sorted by, and what
other operations are asked by.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from connproof.model import Lead, Leads, Operation, Response
from connproof.places import Absent, JsonValue, Place
from pytest_connproof.answers import document_in
from pytest_connproof.provider.writing import placed

__all__ = ["Shape", "marked_apart", "records_of"]


@dataclass(frozen=True, slots=True)
class Shape:
    """What stands around the records of an answer, and a record."""

    envelope: JsonValue = None
    record: JsonValue = None

    @classmethod
    def of(cls, operation: Operation, successes: Iterable[Response]) -> Shape:
        """As the first recorded success has it; bare where none has records. What leads to other pages is left out."""
        documents = (document_in(operation, response) for response in successes)
        shapes = (cls.seen(operation, one) for one in documents if not isinstance(one, Absent))
        return next((shape for shape in shapes if shape is not None), cls())

    @classmethod
    def seen(cls, operation: Operation, document: JsonValue) -> Shape | None:
        """As one answer has it; None for one without records."""
        found = _records(operation, document)
        if not isinstance(found, list) or not found or not isinstance(found[0], dict):
            return None
        envelope: JsonValue = document if isinstance(document, dict) else None
        for steps in _leading(operation):
            envelope = _without(envelope, steps)
        return cls(envelope, found[0])


def records_of(operation: Operation, count: int, shape: Shape) -> list[JsonValue]:
    """So many records, no two with the same key, sorted by whatever the config says that they are sorted by."""
    return [_record(operation, number, shape.record) for number in range(count)]


def _record(operation: Operation, number: int, base: JsonValue) -> JsonValue:
    record: JsonValue = copy.deepcopy(base) if isinstance(base, dict) else {}
    keys = [operation.key or Place.parse("id")]
    paging = operation.pagination
    if paging is not None and paging.key_field is not None:
        keys.append(paging.key_field)
    if operation.hydrate is not None:
        keys.append(operation.hydrate.source)
    keys += [place for nested in operation.nested for _, place in nested.params]
    if any(not place.steps for place in keys):
        return _key(base, number)  # the record is nothing but its key
    for place in keys:
        record = placed(record, place, _key(place.find(record), number))
    if paging is not None and paging.window is not None:
        field = paging.window.field
        value = _sorted_value(paging.window.first, number, shared=all(field != key for key in keys))
        record = placed(record, field, str(value) if isinstance(field.find(base), str) else value)
    return record


def marked_apart(operation: Operation, record: JsonValue, number: int) -> JsonValue:
    """The record as one of the `number`-th list of its kind: no two lists share a key."""
    place = operation.key or Place.parse("id")
    found = place.find(record)
    if isinstance(found, Absent):
        return record
    return placed(record, place, found + number * 100_000 if isinstance(found, int) else f"{found}-p{number}")


def _key(like: JsonValue | Absent, number: int) -> JsonValue:
    return 1_000 + number if isinstance(like, int) and not isinstance(like, bool) else f"r{number:04d}"


def _sorted_value(first: JsonValue | Absent, number: int, *, shared: bool) -> JsonValue:
    """A value that grows; where it is not the key, two records share one."""
    step = number // 2 if shared else number
    if isinstance(first, str) and not first.isdecimal():
        return f"2026-01-01T{step // 3600:02d}:{step // 60 % 60:02d}:{step % 60:02d}Z"
    return step + 1


def _records(operation: Operation, document: JsonValue) -> JsonValue | Absent:
    return operation.response_path.find(document) if operation.response_path else document


def _leading(operation: Operation) -> Iterator[tuple[object, ...]]:
    """Where the records stand, and what leads to other pages: of a next one, with all that stands beside it."""
    records = operation.response_path.steps if operation.response_path else ()
    yield records
    paging = operation.pagination
    if paging is None:
        return
    fields = [paging.cursor_field, paging.next_url_field]
    for field in fields:
        places = field.alternatives if isinstance(field, Leads) else () if field is None else (Lead(field),)
        for steps in (lead.path.steps for lead in places):
            around = steps[:-1]
            yield steps if records[: len(around)] == around else around
    for place in (paging.stop_field, paging.total_field, paging.page_field, paging.step_field):
        if place is not None:
            yield place.steps


def _without(here: JsonValue, steps: tuple[object, ...]) -> JsonValue:
    """The document without what stands there, and without objects that have nothing else."""
    if not steps or not isinstance(here, dict) or not isinstance(steps[0], str) or steps[0] not in here:
        return here
    first, rest = steps[0], steps[1:]
    left = _without(here[first], rest) if rest else None
    others = {name: value for name, value in here.items() if name != first}
    return others if not rest or left == {} else {**here, first: left}
