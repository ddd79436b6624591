"""Read a listing anew where its provider no longer knows the place, and give only what was not given yet.

What was given is known by its keys, as long as they fit into memory. Beyond that, and in a read that was resumed, it is
known by a digest of all keys in their order: as many records are left out, and only if they are the same ones. A
read is started anew once for each time that it got further; it never goes round in circles.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from connproof.errors import CursorExpired
from connproof.guard import within
from connproof.model import Operation, Pagination, Position, frozen
from connproof.pagination import End
from connproof.places import JsonValue
from connproof.resume import packed, unpacked
from connproof.run.walk import Source, Step, key_mark

__all__ = ["Restarts"]

_MOST_KEYS: Final = 100_000  # about ten megabytes; a longer listing is known by its order alone


@dataclass(slots=True)
class _Known:
    """What was given: how many records, and their keys. `keys` is None where they are not all in memory."""

    count: int = 0
    chain: str = ""  # the digest of all keys in their order
    keys: set[str] | None = None

    def add(self, key: str) -> None:
        self.count += 1
        self.chain = _linked(self.chain, key)
        if self.keys is not None:
            self.keys.add(key)


@dataclass(frozen=True, slots=True)
class _Skip:
    """How many records are still to be left out by their order, and the digest of those that were."""

    left: int
    chain: str = ""


class Restarts:
    """One listing, started anew where its place is gone. `inside` opens it: at a position, or at its start."""

    def __init__(
        self, operation: Operation, paging: Pagination, inside: Callable[[Position | None], Source], position: Position
    ) -> None:
        self._operation = operation
        self._paging = paging
        self._open = inside
        state = position.state
        given, skip = state.get("given", ""), state.get("skip")
        self._known = _Known(position.records, str(given), set() if position.records == 0 else None)
        self._skip = _Skip(*_pair(skip)) if skip is not None else None
        self._unseen: set[str] = set()  # keys that the read anew has not come to yet
        self._begun_at = position.records if self._skip else -1
        self._inside = inside(unpacked(state["inner"]) if "inner" in state else None)
        self.at = position

    async def next(self) -> Step | End:
        while True:
            at = self.at
            try:
                step = await self._inside.next()
            except CursorExpired as gone:
                self._start_anew(gone, at)
                continue
            if isinstance(step, End):
                return End(step.reason, at.pages, at.records)
            return self._read(step, at)

    def _start_anew(self, gone: CursorExpired, at: Position) -> None:
        count = self._known.count
        is_stuck = self._begun_at == count
        self._begun_at = count
        self._unseen = set(self._known.keys or ())
        self._skip = _Skip(count) if self._known.keys is None else None
        self.at = self._from_the_start(at.pages, at.records)
        if is_stuck:
            gone.fix = "the listing was read anew and its place is gone again before anything new came; try later"
            raise gone
        self._inside = self._open(None)

    def _read(self, step: Step, at: Position) -> Step:
        known, skip, is_anew, kept = self._known, self._skip, self._begun_at >= 0, list[JsonValue]()
        marks = [key_mark(self._operation, record) for record in step.page.records]
        fresh: list[str] = []
        for record, key in zip(step.page.records, marks, strict=True):
            if skip is not None:
                skip = self._left_out(skip, key)
            elif not (is_anew and known.keys is not None and key in known.keys):
                kept.append(record)
                fresh.append(key)
        is_end = isinstance(step.following, End)
        if is_end and skip is not None:
            raise _changed()
        pages, records = at.pages + 1, at.records + len(kept)
        within(self._paging, pages, records)
        for key in fresh:
            known.add(key)
        self._unseen.difference_update(marks)
        if known.keys is not None and len(known.keys) > _MOST_KEYS and not self._unseen:
            known.keys = None
        self._skip = skip
        page = replace(step.page, records=tuple(kept))
        if isinstance(step.following, End):
            mark = step.following.bookmark
            mark = Position(state=frozen({"inner": packed(mark)})) if mark else None
            return Step(page, at, End(step.following.reason, pages, records, mark))
        self.at = self._from_the_start(pages, records) if self._unseen else self._position(pages, records)
        return Step(page, at, self.at)

    def _left_out(self, skip: _Skip, key: str) -> _Skip | None:
        skip = _Skip(skip.left - 1, _linked(skip.chain, key))
        if skip.left:
            return skip
        if skip.chain != self._known.chain:
            raise _changed()
        return None

    def _position(self, pages: int, records: int) -> Position:
        skip: dict[str, JsonValue] = {"skip": [self._skip.left, self._skip.chain]} if self._skip else {}
        state = {"given": self._known.chain, **skip, "inner": packed(self._inside.at)}
        return Position(pages=pages, records=records, state=frozen(state))

    def _from_the_start(self, pages: int, records: int) -> Position:
        """Where a read goes on that has to leave out by order all that was given."""
        state: dict[str, JsonValue] = {"given": self._known.chain}
        if self._known.count:
            state["skip"] = [self._known.count, ""]
        return Position(pages=pages, records=records, state=frozen(state))


def _changed() -> CursorExpired:
    return CursorExpired(
        "the place in the listing is gone, and the listing is no longer the one that was read up to there",
        fix="read the listing anew: what was given already cannot be told from what was not",
    )


def _linked(chain: str, key: str) -> str:
    return hashlib.blake2b(f"{chain} {key}".encode(), digest_size=9).hexdigest()


def _pair(said: JsonValue) -> tuple[int, str]:
    if not isinstance(said, list) or len(said) != 2:
        raise ValueError("no pair")
    left, chain = said
    if not isinstance(left, int) or not isinstance(chain, str):
        raise TypeError("no number and text")
    return left, chain
