"""Which places of an operation's answers the config reads, and which of its words reads each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace

from connproof.errors import ConfigWrong, Problem
from connproof.mapping.members import Names, members_read
from connproof.mapping.values import ExpressionRefused
from connproof.model import Connector, Elements, FieldRule, Operation, Pagination, RateLimit, Seed, Then
from connproof.places import Place

__all__ = ["Read", "names_of", "reads_before_mapping", "reads_of"]

# The words of pagination whose paths are looked up in a record; all others' are looked up in the page.
_OF_A_RECORD = frozenset({"key_field", "window"})


@dataclass(frozen=True, slots=True)
class Read:
    """A place that a word of the config reads: member names from the top of the body, without steps into lists.

    `pointer` is the word's. `whole`: what stands below is read with it.
    """

    names: Names
    pointer: str
    whole: bool = False


def reads_of(connector: Connector, operation: Operation) -> tuple[Read, ...]:
    """Every place that the config reads in an answer of this operation.

    Raises ConfigWrong for an expression that is none.
    """
    return (*reads_before_mapping(connector, operation), *_of_mappings(connector, operation))


def reads_before_mapping(connector: Connector, operation: Operation) -> tuple[Read, ...]:
    """As `reads_of`, without what the mapping reads in a record."""
    return tuple(_reads(connector, operation))


def names_of(place: Place) -> Names:
    """The member names of a path."""
    return tuple(step for step in place.steps if isinstance(step, str))


def _reads(connector: Connector, operation: Operation) -> Iterator[Read]:
    record = names_of(operation.response_path) if operation.response_path else ()
    if operation.response_path is not None:
        yield Read(record, f"{operation.pointer}/response_path")
    if operation.key is not None:
        yield Read((*record, *names_of(operation.key)), f"{operation.pointer}/key")
    if operation.pagination is not None:
        yield from _of_pages(operation.pagination, (), record)
    yield from _of_what_is_asked_next(connector, operation, record)
    for rule in connector.rules_for(operation):
        yield from _below((), rule, rule.pointer)
    if operation.elements is not None:
        yield from _of_elements(operation.elements)
    yield from _of_limits(connector.rate_limit or RateLimit())
    if connector.api_version is not None:
        yield from _below((), connector.api_version.served, "/api_version/served/body")


def _of_mappings(connector: Connector, operation: Operation) -> Iterator[Read]:
    record = names_of(operation.response_path) if operation.response_path else ()
    for mapping in connector.models_of(operation.resource):
        for field in mapping.fields:
            for names in _read_by(field, connector.source.name):
                yield Read((*record, *names), field.pointer, whole=True)
        if mapping.custom_fields is not None:
            for source in mapping.custom_fields.sources:
                yield Read((*record, *names_of(source.at)), mapping.custom_fields.rule.pointer, whole=True)


def _of_pages(pagination: Pagination, page: Names, record: Names) -> Iterator[Read]:
    for word in fields(pagination):
        said, pointer = getattr(pagination, word.name), f"{pagination.pointer}/{word.name}"
        if isinstance(said, Then):
            yield from _of_pages(said.pagination, page, record)
        elif not isinstance(said, Seed):  # that is read in another operation's answers
            yield from _below(record if word.name in _OF_A_RECORD else page, said, pointer)


def _of_what_is_asked_next(connector: Connector, operation: Operation, record: Names) -> Iterator[Read]:
    """What further requests are made from: the lists inside a record, the record itself, or the whole answer."""
    for nested in operation.nested:
        page = (*record, *names_of(nested.at))
        yield Read(page, nested.pointer)
        inner = (*page, *names_of(nested.response_path)) if nested.response_path else page
        yield from _of_pages(nested.pagination, page, inner)
        yield from _below(record, nested.params, nested.pointer)
    yield from _below(record, operation.hydrate, f"{operation.pointer}/hydrate")
    for other in connector.operations():
        if other.for_each is not None and other.for_each.operation == operation.id:
            yield from _below(record, other.for_each, other.for_each.pointer)
        seed = other.pagination.seed if other.pagination else None
        if seed is not None and other.pagination and (other.resource, seed.operation) == _named(operation):
            yield Read(names_of(seed.field), f"{other.pagination.pointer}/seed")


def _of_limits(limits: RateLimit) -> Iterator[Read]:
    yield from _below((), limits.wait, "/rate_limit/wait")
    for throttle in limits.throttled:
        yield from _below((), throttle, throttle.pointer)
    for index, budget in enumerate(limits.budgets):
        for word in fields(budget):
            yield from _below((), getattr(budget, word.name), f"/rate_limit/budgets/{index}/{word.name}")


def _of_elements(elements: Elements) -> Iterator[Read]:
    for word, at in (("at", elements.at), ("failures_at", elements.failures_at)):
        inner = names_of(at) if at else ()
        if at is not None:
            yield Read(inner, f"{elements.pointer}/{word}")
        yield from _below(inner, replace(elements, at=None, failures_at=None), elements.pointer)


def _read_by(field: FieldRule, document: str) -> list[Names]:
    try:
        return sorted(members_read(field.expression))
    except ExpressionRefused as refused:
        raise ConfigWrong(document, [Problem(field.pointer, field.line, 0, refused.message, refused.hint)]) from None


def _named(operation: Operation) -> tuple[str, str]:
    return operation.resource, operation.name


def _below(base: Names, said: object, pointer: str) -> Iterator[Read]:
    """A read for each path, however deep in what a word says."""
    if isinstance(said, Place):
        yield Read((*base, *names_of(said)), pointer)
    elif isinstance(said, tuple):
        for one in said:
            yield from _below(base, one, pointer)
    elif is_dataclass(said):
        for field in fields(said):
            yield from _below(base, getattr(said, field.name), pointer)
