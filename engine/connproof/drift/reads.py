"""Which places of an operation's answers the config reads, and which of its words reads each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from connproof.mapping.members import Names, members_read
from connproof.model import Connector, Operation, Pagination, Words
from connproof.places import Place

__all__ = ["Read", "names_of", "reads_of"]


@dataclass(frozen=True, slots=True)
class Read:
    """A place that a word of the config reads: member names from the top of the body, without steps into lists.

    `pointer` is the word's. `whole`: what stands below is read with it.
    """

    names: Names
    pointer: str
    whole: bool = False


def reads_of(connector: Connector, operation: Operation) -> tuple[Read, ...]:
    """Every place that the config reads in an answer of this operation. Raises ExpressionRefused."""
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
        yield from _reads_of_pages(operation.pagination, record)
    for rule in (*operation.errors, *connector.errors):
        for place, _ in rule.when.body:
            yield Read(names_of(place), f"{rule.pointer}/when/body")
        for word, words in (("code", rule.code), ("message", rule.message)):
            yield from _reads_of_words(words, f"{rule.pointer}/{word}")
    if connector.api_version is not None and isinstance(connector.api_version.served, Place):
        yield Read(names_of(connector.api_version.served), "/api_version/served/body")
    for mapping in connector.models_of(operation.resource):
        for field in mapping.fields:
            for names in sorted(members_read(field.expression)):
                yield Read((*record, *names), field.pointer, whole=True)


def _reads_of_pages(pagination: Pagination, record: Names) -> Iterator[Read]:
    for word in fields(pagination):
        place = getattr(pagination, word.name)
        if isinstance(place, Place):
            above = record if word.name == "key_field" else ()  # the key is a record's, all else the page's
            yield Read((*above, *names_of(place)), f"{pagination.pointer}/{word.name}")


def _reads_of_words(words: Words | None, pointer: str) -> Iterator[Read]:
    for place in words.places if words else ():
        if isinstance(place, Place):
            yield Read(names_of(place), pointer)
