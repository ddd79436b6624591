"""Lists inside records that have pages of their own: the first page stands in the record, the others are asked for.

Each record has a listing of its own for each such list, walked by the same halves as any other. In XML a list stands in
its record whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from connproof.model import Account, Connector, Nested, Operation, Pagination, Request, Response, XmlFormat
from connproof.places import ABSENT, Absent, JsonValue, Place
from pytest_connproof.provider.habits import Case
from pytest_connproof.provider.listing import Listing
from pytest_connproof.provider.shape import Shape, marked_apart
from pytest_connproof.provider.slots import Said, Slots
from pytest_connproof.provider.writing import answered, placed

__all__ = ["Inside", "insides"]

_SMALL: Final = 2
_LONG: Final = 20  # records whose lists have several pages: each costs the reader requests
_WHOSE: Final = "whose_list"


class Inside:
    """One of the lists that an operation's records have inside.

    `slots` and `answer` are the route of its further pages.
    """

    def __init__(
        self, connector: Connector, account: Account, operation: Operation, nested: Nested, shape: Shape
    ) -> None:
        self.nested = nested
        number = operation.nested.index(nested)
        self._connector = connector
        own = replace(
            operation,
            name=f"{operation.name}-{number}",
            key=None,
            response_path=nested.response_path,
            pagination=nested.pagination,
            nested=(),
            hydrate=None,
            for_each=None,
        )
        pages = own
        if nested.operation is not None:
            pages = connector.resources[operation.resource].operations[nested.operation]
        self._names = tuple(name for name, _ in nested.params)
        if nested.pagination.type == "next_url":  # a URL leads wherever the provider likes
            path, self._names = f"/lists-inside/{number}/{{{_WHOSE}}}", (_WHOSE,)
            pages = replace(pages, method="GET", path=path, query=(), body=ABSENT, long_url=None)
        self._pages = pages
        self._first = replace(own, key=pages.key, decode=None)
        seen = nested.at.find(shape.record)
        self._shape = Shape() if isinstance(seen, Absent) else Shape.seen(own, seen) or Shape()
        self.slots = Slots(connector, account, pages)
        self._key = operation.key or Place.parse("id")
        self._of: dict[str, Listing] = {}
        self._asked: dict[str, Listing] = {}

    def begun(self, record: JsonValue, number: int) -> JsonValue:
        """The record with the first page of its list. `number` tells it from every other, and how long its list is."""
        size = _size(self.nested.pagination, self._pages.pagination)
        lengths = (2 * size + 1, 0, size, 1, size + 1)
        case = Case(lengths[number % len(lengths)] if number < _LONG else number % 2, size, {})
        listing = Listing(self._connector, self._pages, self.slots, case, self._shape)
        for held in listing.rows:
            held.record = marked_apart(self._pages, held.record, number)
        asked = [str(number)] if self._names == (_WHOSE,) else [str(p.find(record)) for _, p in self.nested.params]
        self._of[str(self._key.find(record))] = self._asked["\0".join(asked)] = listing
        if isinstance(self._pages.decode, XmlFormat):
            place = self.nested.response_path
            items: list[JsonValue] = list(listing.expected)
            return placed(record, self.nested.at, items if place is None else placed({}, place, items))
        path = urlsplit(self.slots.base)._replace(path=urlsplit(self.slots.base).path + self._pages.path).geturl()
        said = Said(Request("GET", path.replace(f"{{{_WHOSE}}}", str(number)), ()), (), (), ABSENT, {})
        first: JsonValue = json.loads(listing.seen_as(self._first).first_page(said).body)
        return placed(record, self.nested.at, first)

    def whole(self, record: JsonValue) -> JsonValue:
        """The record with its list as a reader puts it together: all of its pages in the first one's place."""
        listing = self._of.get(str(self._key.find(record)))
        if listing is None or not listing.expected:
            return record
        inner = self.nested.response_path.steps if self.nested.response_path else ()
        return placed(record, Place("", (*self.nested.at.steps, *inner)), list(listing.expected))

    def answer(self, said: Said) -> Response:
        """What a request for a further page is answered."""
        listing = self._asked.get("\0".join(said.named.get(name, "") for name in self._names))
        return answered({"error": "no such record"}, status=404) if listing is None else listing.answer(said)


def insides(connector: Connector, account: Account, operation: Operation, shape: Shape) -> Iterator[Inside]:
    """The lists inside an operation's records, in the order of the config."""
    for nested in operation.nested:
        yield Inside(connector, account, operation, nested, shape)


def _size(first: Pagination, further: Pagination | None) -> int:
    """How many are on a first page: as many as on the others, wherever a reader could hold it to that."""
    if first.default_page_size is not None:
        return first.default_page_size
    counts_pages = first.type == "page" or (first.type == "offset" and first.step == "limit")
    return (further.default_page_size if further and counts_pages else None) or _SMALL
