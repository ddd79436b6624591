"""Read one listing once for each record of another: for each tenant, each project, each parent.

The parents are read page by page as they are needed. A position is the parents' page, the parent's index on it, and
the position in that parent's own listing; a digest of what the parent is asked by shows, when the read is
resumed, that the parent at that index is still the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace

from connproof.errors import CursorExpired, ProviderBroke
from connproof.events import AsideRead
from connproof.model import ForEach, Operation, Position, frozen
from connproof.pagination import End
from connproof.places import Absent, JsonValue
from connproof.resume import packed, unpacked
from connproof.run.walk import Reading, Source, Step, on_behalf_of, text_at

__all__ = ["FannedOut"]


class FannedOut:
    """A listing for each parent. `parents` and `children` open the two: at a position, or at their start."""

    def __init__(
        self,
        reading: Reading,
        operation: Operation,
        parents: Callable[[Position | None], Source],
        children: Callable[[Mapping[str, str], Position | None], Source],
        position: Position,
    ) -> None:
        assert operation.for_each is not None, "else the listing is read once"
        self._reading = reading
        self._each: ForEach = operation.for_each
        self._open = children
        state = position.state
        self._parents = parents(unpacked(state["parents"]) if "parents" in state else None)
        self._page_at = self._parents.at  # of the page of parents that is being gone through
        self._page: tuple[JsonValue, ...] | None = None
        self._number = 0  # of parents before that page
        self._is_last_page = False
        index, mark = state.get("index", 0), state.get("parent")
        if not isinstance(index, int):
            raise TypeError("no index")
        self._index, self._mark = index, mark
        self._child: Source | None = None
        self._child_at = unpacked(state["child"]) if "child" in state else None
        self.at = position

    async def next(self) -> Step | End:
        while True:
            if self._page is None:
                if self._is_last_page or not await self._next_parents():
                    return End("every parent was read", self.at.pages, self.at.records)
                continue
            if self._index >= len(self._page):
                self._turn_over()
                continue
            step = await self._read(self._page[self._index])
            if isinstance(step, Step):
                return step

    async def _next_parents(self) -> bool:
        """Read a page of parents; whether there was one."""
        step = await self._parents.next()
        if isinstance(step, End):
            return False
        self._reading.listener(AsideRead("for_each", self._each.operation, len(step.page.records)))
        self._page, self._number = step.page.records, step.position.records
        self._is_last_page = isinstance(step.following, End)
        mark, self._mark = self._mark, None
        if mark and mark != self._mark_at(self._index):
            raise CursorExpired(
                "the parents are no longer those that the read was broken off at",
                facts={"parents": self._each.operation},
                fix="read the listing anew: its place cannot be found again",
            )
        return True

    def _turn_over(self) -> None:
        """Leave a page of parents behind."""
        self._page, self._index = None, 0
        self._page_at = self._parents.at
        if not self._is_last_page:
            self.at = self._position(self.at.pages, self.at.records)

    async def _read(self, parent: JsonValue) -> Step | None:
        """A page of a parent's listing; None where that turns out to have no more."""
        at = self.at
        # By its number: what a parent is, is the account's own.
        with on_behalf_of({"parent": f"{self._number + self._index + 1} of {self._each.operation}"}):
            if self._child is None:
                self._child = self._open(self._own(parent), self._child_at)
                self._child_at = None
            step = await self._child.next()
            page = None
            if isinstance(step, Step):
                page = replace(step.page, records=self._marked(step.page.records, parent))
        ended = step if isinstance(step, End) else step.following
        if isinstance(ended, End):
            self._child, self._index = None, self._index + 1
        if page is None or isinstance(step, End):
            self.at = self._position(at.pages, at.records)
            return None
        pages, records = at.pages + 1, at.records + len(page.records)
        self.at = self._position(pages, records)
        assert self._page is not None, "a parent was read from it"
        if self._child is None and self._is_last_page and self._index >= len(self._page):
            return Step(page, at, End("every parent was read", pages, records))
        return Step(page, at, self.at)

    def _own(self, parent: JsonValue) -> dict[str, str]:
        return {name: text_at(place, parent, "the parent") for name, place in self._each.params}

    def _marked(self, records: tuple[JsonValue, ...], parent: JsonValue) -> tuple[JsonValue, ...]:
        """The records, each with its parent where the config says so."""
        into = self._each.into
        if into is None:
            return records
        marked: list[JsonValue] = []
        for record in records:
            if not isinstance(record, dict) or into in record:
                raise ProviderBroke(
                    f'the parent cannot be put into a record as "{into}"',
                    facts={"seen": "there is such a member" if isinstance(record, dict) else "the record is no object"},
                    fix='choose another name for "into"',
                )
            marked.append({**record, into: parent})
        return tuple(marked)

    def _position(self, pages: int, records: int) -> Position:
        state: dict[str, JsonValue] = {"parents": packed(self._page_at)}
        if self._page is not None:
            state |= {"index": self._index, "parent": self._mark_at(self._index)}
        if self._child is not None:
            state["child"] = packed(self._child.at)
        return Position(pages=pages, records=records, state=frozen(state))

    def _mark_at(self, index: int) -> str:
        """What tells the parent of an index, "" beyond the last one."""
        if self._page is None or index >= len(self._page):
            return ""
        found = (place.find(self._page[index]) for _, place in self._each.params)
        said = json.dumps([None if isinstance(value, Absent) else value for value in found])
        return hashlib.blake2b(said.encode(), digest_size=9).hexdigest()
