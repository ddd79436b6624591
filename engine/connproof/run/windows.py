"""Read a listing that its provider caps, or whose cursors it forgets, window by window.

A window begins at the last value that was seen of the field by which the listing is sorted. The value itself is asked
for again, because records may share it; those that were given already are left out by their key. No record is
given twice, and where going on would lose one, the read ends in an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from connproof.errors import CursorExpired, ProviderBroke
from connproof.guard import within
from connproof.model import Operation, Pagination, Position, Window, frozen
from connproof.pagination import End
from connproof.places import ABSENT, Absent, JsonValue
from connproof.resume import packed, unpacked
from connproof.run.walk import Source, Step, key_mark

__all__ = ["Windows"]

_UNSORTED_FIX: Final = 'ask for the listing sorted by the "field" of "window", and check that the field is that one'


@dataclass(frozen=True, slots=True)
class _Edge:
    """The last value seen, ABSENT before the first, and the keys of the records given that have it."""

    value: JsonValue | Absent = ABSENT
    keys: tuple[str, ...] = ()

    def state(self, name: str) -> dict[str, JsonValue]:
        return {} if isinstance(self.value, Absent) else {name: self.value, f"{name}_keys": list(self.keys)}


class Windows:
    """One listing in as many windows as it takes. `walk` opens one, given its bound and the position inside it."""

    def __init__(
        self,
        operation: Operation,
        paging: Pagination,
        walk: Callable[[JsonValue | Absent, Position | None], Source],
        position: Position,
    ) -> None:
        assert paging.window is not None, "else there is one window, and no need of this"
        self._operation = operation
        self._paging = paging
        self._window: Window = paging.window
        self._open = walk
        state = position.state
        self._bound = _edge(state, "bound")
        self._newest = _edge(state, "newest")
        self._order = 0  # 1 ascending, -1 descending, 0 not known yet
        self._inside = walk(self._bound.value, unpacked(state["inner"]) if "inner" in state else None)
        self.at = position

    async def next(self) -> Step:
        while True:
            at = self.at
            try:
                step = await self._inside.next()
            except CursorExpired:
                if self._paging.on_expired != "window" or self._newest == self._bound:
                    raise  # nothing was read since the window was opened: another one would end the same
                self._reopen(at.pages, at.records)
                continue
            assert isinstance(step, Step), "a walk through one listing ends with a page"
            return self._read(step, at)

    def _read(self, step: Step, at: Position) -> Step:
        newest, keys, order = self._newest.value, list(self._newest.keys), self._order
        given, kept = frozenset(self._bound.keys), list[JsonValue]()
        for record in step.page.records:
            key = key_mark(self._operation, record)
            if key in given:
                continue
            value = self._value(record)
            order = self._held_to(order, newest, value)
            if not _same(value, newest):
                newest, keys = value, []
            keys.append(key)
            kept.append(record)
        pages, records = at.pages + 1, at.records + len(kept)
        within(self._paging, pages, records)
        in_window = step.position.records + len(step.page.records)
        is_stuck = _same(newest, self._bound.value)
        is_full = self._is_full(step, in_window, is_stuck=is_stuck)
        if is_full and is_stuck:
            raise ProviderBroke(
                "a whole window of records shares one value: no window can begin beyond it",
                facts={"field": self._window.field.text, "records in the window": str(in_window)},
                fix="sort and bound the listing by a field with more values",
            )
        page = replace(step.page, records=tuple(kept))
        self._newest, self._order = _Edge(newest, tuple(keys)), order
        if is_full:
            self._reopen(pages, records)
        elif isinstance(step.following, End):
            return Step(page, at, End(step.following.reason, pages, records))
        else:
            self.at = self._position(pages, records, self._inside.at)
        return Step(page, at, self.at)

    def _is_full(self, step: Step, in_window: int, *, is_stuck: bool) -> bool:
        """Whether the provider would refuse, or cut off, what comes next in this window."""
        if self._window.cap is None:
            return False
        size = step.page.size or 1
        if isinstance(step.following, End):
            # Pages may have come short because records were left out of them, and those fill the cap too. But where one
            # page is a whole window, every listing ends in a short one with nothing new.
            is_last = is_stuck and step.position.pages == 0
            places = (step.position.pages + 1) * size if step.page.size and not is_last else 0
            return max(in_window, places) >= self._window.cap
        # A page that would reach beyond the cap is refused whole.
        return in_window + size > self._window.cap

    def _reopen(self, pages: int, records: int) -> None:
        self._bound = self._newest
        self._inside = self._open(self._bound.value, None)
        self.at = self._position(pages, records, None)

    def _position(self, pages: int, records: int, inside: Position | None) -> Position:
        inner: dict[str, JsonValue] = {} if inside is None else {"inner": packed(inside)}
        state = {**self._bound.state("bound"), **self._newest.state("newest"), **inner}
        return Position(pages=pages, records=records, state=frozen(state))

    def _value(self, record: JsonValue) -> JsonValue:
        value = self._window.field.find(record)
        if isinstance(value, Absent) or value is None or isinstance(value, bool | list | dict):
            raise ProviderBroke(
                "a record has no value by which the listing could be sorted",
                facts={"field": self._window.field.text},
                fix='point the "field" of "window" at a text or a number that every record has',
            )
        return value

    def _held_to(self, order: int, before: JsonValue | Absent, value: JsonValue) -> int:
        """The order with this value. Raises ProviderBroke where the values turn back: a bound would lose some."""
        turn = _turn(before, value)
        if turn and order and turn != order:
            raise ProviderBroke(
                "the listing is not sorted by the field of its windows",
                facts={"field": self._window.field.text},
                fix=_UNSORTED_FIX,
            )
        return order or turn


def _turn(before: JsonValue | Absent, value: JsonValue) -> int:
    """1 up, -1 down, 0 no telling: only numbers, and times of one form, have an order that everybody shares."""
    if isinstance(before, int | float) and isinstance(value, int | float):
        return (value > before) - (value < before)
    if isinstance(before, str) and isinstance(value, str) and len(before) == len(value) and _is_time(before + value):
        return (value > before) - (value < before)
    return 0


def _is_time(text: str) -> bool:
    return text[:1].isdigit() and not set(text) - set("0123456789-:.TZ+ ")


def _same(one: JsonValue | Absent, other: JsonValue | Absent) -> bool:
    return type(one) is type(other) and one == other


def _edge(state: Mapping[str, JsonValue], name: str) -> _Edge:
    keys = state.get(f"{name}_keys", [])
    if not isinstance(keys, list):
        raise TypeError("no list of keys")
    return _Edge(state.get(name, ABSENT), tuple(str(key) for key in keys))
