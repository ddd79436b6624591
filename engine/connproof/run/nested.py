"""Put together the lists inside each record that have pages of their own, so that the caller gets whole records.

What stands in the record is the first page. The next ones are read through the same door, so nothing leads to an
origin that is not allowed. A page of the listing is given when all of its records are whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from connproof import pagination
from connproof.errors import PageUnreadable
from connproof.events import AsideRead
from connproof.model import Nested, Operation, Page, Position
from connproof.pagination import End
from connproof.places import ABSENT, Absent, JsonValue, Place, put
from connproof.run.calls import Call
from connproof.run.walk import Listed, Reading, Source, Step, Walk, known_params, on_behalf_of, text_at

__all__ = ["NestedLists"]


class NestedLists:
    """A source whose records' lists are read to their ends. `params` are those with which it is read itself."""

    def __init__(self, reading: Reading, operation: Operation, inside: Source, params: Mapping[str, str]) -> None:
        """Raises CallWrong for a parameter that the operations lack through which further pages are read."""
        self._reading = reading
        self._operation = operation
        self._inside = inside
        self._params = params
        self.at = inside.at
        for nested in operation.nested:  # before anything is sent: whatever is wrong later comes from a record
            if nested.operation is not None:
                self._listing(nested.operation, {name: name for name, _ in nested.params})

    async def next(self) -> Step | End:
        step = await self._inside.next()
        if isinstance(step, End):
            return step
        records = [await self._whole(record, step.page, number) for number, record in enumerate(step.page.records, 1)]
        self.at = self._inside.at
        return replace(step, page=replace(step.page, records=tuple(records)))

    async def _whole(self, record: JsonValue, page: Page, number: int) -> JsonValue:
        for nested in self._operation.nested:
            value = nested.at.find(record)
            if isinstance(value, Absent) or value is None:
                continue
            with on_behalf_of({"while": f'reading "{nested.at}" of record {number} of the page'}):
                record = await self._with_all_pages(nested, record, value, page)
        return record

    async def _with_all_pages(self, nested: Nested, record: JsonValue, value: JsonValue, page: Page) -> JsonValue:
        items = _items(nested, value)
        first = Page(page.request, page.response, value, tuple(items), nested.pagination.default_page_size)
        following = pagination.advance(nested.pagination, pagination.start(nested.pagination), first)
        if isinstance(following, End):
            return record
        walk = Walk(self._reading, self._listed(nested, record), following)
        while isinstance(following, Position):
            step = await walk.next()
            self._reading.listener(AsideRead("nested", self._operation.id, len(step.page.records)))
            items += step.page.records
            following = step.following
        steps = (*nested.at.steps, *(nested.response_path.steps if nested.response_path else ()))
        return put(record, Place(nested.at.text, steps), items)

    def _listing(self, name: str, own: Mapping[str, str]) -> Listed:
        operation = self._reading.beside(self._operation, name)
        return self._reading.listed(operation, Call(params={**known_params(operation, self._params), **own}))

    def _listed(self, nested: Nested, record: JsonValue) -> Listed:
        """How the pages after the first are asked for: through an operation of their own, or by their URLs alone."""
        if nested.operation is not None:
            own = {name: text_at(place, record, "the record") for name, place in nested.params}
            return self._listing(nested.operation, own)
        operation = replace(
            self._operation,
            method="GET",
            pointer=nested.pointer,
            response_path=nested.response_path,
            items_may_be_missing=False,
            key=None,
            pagination=nested.pagination,
        )
        # A followed URL is complete: only the headers of the listing's own request go with it.
        own_draft = self._reading.asking.draft(self._operation, Call(params=known_params(operation, self._params)))
        draft = replace(own_draft, method="GET", query=(), body=ABSENT, common=(), long_url=None)
        return Listed(operation, nested.pagination, draft, nested.pagination.default_page_size, {})


def _items(nested: Nested, value: JsonValue) -> list[JsonValue]:
    found = nested.response_path.find(value) if nested.response_path else value
    if isinstance(found, Absent) or found is None:
        return []
    if not isinstance(found, list):
        raise PageUnreadable(
            "a record has no list where its pages begin",
            facts={"nested": nested.at.text, "response_path": str(nested.response_path or "$")},
            fix='point "response_path" of "nested" at the list',
        )
    return list(found)
