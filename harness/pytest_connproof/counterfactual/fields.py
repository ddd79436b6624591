"""Faults of records: a member whose JSON type is another, and one that nobody has heard of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from connproof.errors import MappingFailed
from connproof.mapping.members import Names, members_read
from connproof.model import Connector, Operation, UnifiedMapping
from connproof.places import JsonValue
from pytest_connproof.answers import records_in
from pytest_connproof.counterfactual.altered import (
    Altered,
    Must,
    answered_with,
    is_of_one_listing,
    is_read,
    is_success,
    with_records,
)
from pytest_connproof.recording import Exchange, Lane

__all__ = ["FIELDS", "odd_fields", "takes_in_all"]

FIELDS: Final = ("retyped", "added")

_NEW: Final = "connproof_new_member"
# Each fault reads the lane again: of one with thousands of records, fewer members are retyped.
_MOST_MAPPED: Final = 20_000
_FEWEST_RETYPED: Final = 4


def odd_fields(connector: Connector, operation: Operation, mapping: UnifiedMapping, lane: Lane) -> Iterator[Altered]:
    """The lane with one member of one record retyped, each that the mapping reads; and with one more in each record."""
    if not is_read(operation, lane) or not is_of_one_listing(operation):
        return
    if any(exchange.repeats for exchange in lane.exchanges) or not is_success(connector, operation, lane):
        return
    pages = [(exchange, tuple(records_in(operation, exchange.response))) for exchange in lane.exchanges]
    limit = lane.call.limit if lane.call else None
    records = [record for _, own in pages for record in own][:limit]
    if not records or not all(isinstance(record, dict) for record in records):
        return
    yield from _added(operation, mapping, lane, pages, len(records))
    most = max(_FEWEST_RETYPED, _MOST_MAPPED // len(records))
    yield from islice(_retyped(operation, mapping, lane, pages, len(records)), most)


def takes_in_all(expression: str) -> bool:
    """Whether an expression reads whatever stands in a record, so that what is new there is its affair too."""
    return () in members_read(expression)


def _added(
    operation: Operation,
    mapping: UnifiedMapping,
    lane: Lane,
    pages: Sequence[tuple[Exchange, tuple[JsonValue, ...]]],
    count: int,
) -> Iterator[Altered]:
    changed = lane
    for exchange, records in pages:
        more: list[JsonValue] = [{**one, _NEW: {"a": [1]}} if isinstance(one, dict) else one for one in records]
        response = with_records(operation, exchange.response, more) if records else exchange.response
        if response is None:
            return
        changed = answered_with(changed, exchange, response)
    how = f'each record here and on every other page has a new member, "{_NEW}"'
    fix = "name in the expression the members that it needs"
    yield Altered("added", pages[0][0], how, changed, Must((), count), mapping.pointer, fix)


def _retyped(
    operation: Operation,
    mapping: UnifiedMapping,
    lane: Lane,
    pages: Sequence[tuple[Exchange, tuple[JsonValue, ...]]],
    count: int,
) -> Iterator[Altered]:
    places = [(exchange, own, at) for exchange, own in pages for at in range(len(own))][:count]
    # In the middle first: what is before a fault and what is after it must both be seen.
    order = sorted(range(len(places)), key=lambda index: abs(index - len(places) // 2))
    key_field = operation.pagination.key_field if operation.pagination else None
    done: set[Names] = {()}
    for rule in mapping.fields:
        for names in sorted(members_read(rule.expression)):
            found = next(((i, seen) for i in order if (seen := _reached(places[i][1][places[i][2]], names))), None)
            if found is None or found[1][0] in done:
                continue
            index, (reached, value) = found
            done.add(reached)
            if key_field is not None and reached == key_field.steps:
                continue  # by it the next page is asked for
            exchange, own, at = places[index]
            for kind, other in _others(value):
                record = _with(own[at], reached, other)
                response = with_records(operation, exchange.response, [*own[:at], record, *own[at + 1 :]])
                if response is not None:
                    yield Altered(
                        "retyped",
                        exchange,
                        f'"{".".join(reached)}" of record {at + 1} on it is {kind}, and was {_kind(value)}',
                        answered_with(lane, exchange, response),
                        Must((MappingFailed,), count),
                        rule.pointer,
                        "let the model say what the field may be, and the expression make nothing else of it",
                        index=index,
                    )


def _reached(record: JsonValue, names: Names) -> tuple[Names, JsonValue] | None:
    """How far a path leads through objects, and what stands there; None for nothing, null or a path into nothing."""
    here: JsonValue = record
    for depth, name in enumerate(names):
        if not isinstance(here, dict):
            return None if here is None else (names[:depth], here)
        if here.get(name) is None:
            return None
        here = here[name]
    return (names, here) if names else None


def _others(value: JsonValue) -> Iterator[tuple[str, JsonValue]]:
    """The value as of another type, and in the way in which providers come to it: bare, or wrapped in an object."""
    if isinstance(value, str):
        yield "a number", 7
    elif isinstance(value, list):
        yield "an object", {str(number): one for number, one in enumerate(value)}
        return
    elif isinstance(value, dict):
        yield "a list", [value]
        return
    else:
        yield "a text", str(value).lower()
    yield "an object", {"value": value}


def _with(here: JsonValue, names: Names, value: JsonValue) -> JsonValue:
    if not names:
        return value
    members = here if isinstance(here, dict) else {}
    return {**members, names[0]: _with(members.get(names[0]), names[1:], value)}


def _kind(value: JsonValue) -> str:
    kinds = {str: "a text", list: "a list", dict: "an object", bool: "true or false"}
    return kinds.get(type(value), "a number")
