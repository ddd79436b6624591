"""Read a listing while its data moves: between two pages records come, go, or change places.

Hypothesis chooses the pages and the changes, as a state machine. What is judged at the end are the records that were
there all along: each must have come, and once. Where the strategy cannot promise that, nothing is changed that would
break it: what an offset or a page number counts shifts when anything before it comes or goes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from connproof.errors import PaginationLoop
from connproof.places import JsonValue
from pytest_connproof.conversation import Open, opened, table
from pytest_connproof.drawing import Wrong, quiet, unhinted
from pytest_connproof.provider.api import Api
from pytest_connproof.provider.habits import Case, Terms
from pytest_connproof.provider.places import Held
from pytest_connproof.provider.shape import records_of
from pytest_connproof.stage import Stage

__all__ = ["Moved", "Promise", "moves", "promised"]

_STEPS: Final = 14


@dataclass(frozen=True, slots=True)
class Promise:
    """What may change anywhere while a listing is read, and nothing be lost; elsewhere, only ahead of the reader."""

    insert: bool
    remove: bool
    ahead_insert: bool


def promised(terms: Terms) -> Promise:
    """What a strategy can promise. A total that counts what is gone ends a read early."""
    paging, facts = terms.paging, terms.facts
    names_places = (terms.is_led and not paging.allow_repeats) or paging.type == "keyset"
    steady = names_places if facts.steady_places is None else facts.steady_places
    latched = terms.has_total and paging.total_from == "first"
    return Promise(insert=steady and not latched, remove=steady and not terms.has_total, ahead_insert=not latched)


@dataclass(frozen=True, slots=True)
class Moved:
    """A read during which data moved, as it went: what happened, and what is wrong with what came of it."""

    case: Case
    lines: tuple[str, ...]
    wrong: str


class _Reader:
    """One read, and the changes between its pages."""

    def __init__(self, stage: Stage, case: Case) -> None:
        self.case = case
        self.changes = 0
        self._stage = stage
        self._promise = promised(stage.terms)
        self._api: Api = stage.api(case)
        self._listing = self._api.listing
        self._all_along = {_mark(held.record): held.record for held in self._listing.rows}
        self._given = set[str]()
        self._moved = set[str]()
        self._story: list[str] = []
        self._left = True
        self._made = records_of(self._api.operation, case.records + 2 * _STEPS, stage.shape)[case.records :]
        self._read: Open = opened(
            self._api.connector,
            stage.account,
            self._api.operation,
            self._api,
            stage.call(case),
            most=stage.most(case) + 6 * _STEPS,
        )

    @property
    def _position(self) -> int:
        """The index of the first row that was not given yet."""
        rows = self._listing.rows
        return next((index + 1 for index in reversed(range(len(rows))) if _mark(rows[index].record) in self._given), 0)

    def page(self) -> None:
        if self._left:
            before = len(self._read.told.records)
            self._left = self._read.turn()
            self._given.update(_mark(record) for record in self._read.told.records[before:])
            self._story.append("a page is read")

    def insert(self, where: int) -> None:
        rows = self._listing.rows
        low = 0 if self._promise.insert else self._position
        if not self._promise.ahead_insert and not self._promise.insert:
            return
        index = low + where % (len(rows) - low + 1)
        self._put(index, self._made.pop())
        self._story.append(f"a record comes, at {index}")
        self.changes += 1

    def remove(self, where: int) -> None:
        index = self._chosen(where)
        if index is not None:
            gone = self._listing.rows.pop(index)
            self._forget(gone.record)
            self._story.append(f"the record at {index} goes")
            self.changes += 1

    def move(self, where: int, to: int) -> None:
        if not (self._promise.insert and self._promise.remove):
            return
        index = self._chosen(where)
        if index is not None:
            gone = self._listing.rows.pop(index)
            self._forget(gone.record)
            at = to % (len(self._listing.rows) + 1)
            self._put(at, gone.record)
            self._moved.add(_mark(gone.record))
            self._story.append(f"the record at {index} moves to {at}")
            self.changes += 1

    def ended(self) -> Moved:
        """Read to the end, and judge."""
        while self._left:
            self._left = self._read.turn()
        told = self._read.told
        came = Counter(_mark(record) for record in told.records)
        wrong = ""
        if told.is_endless:
            wrong = "the read does not end while data moves"
        elif told.error is not None and not self._met_again():
            wrong = "the read ends in an error while data moves"
        elif told.error is None and any(came[mark] != 1 for mark in self._all_along):
            wrong = "a record that was there all along is lost, or comes twice, while data moves"
        return Moved(self.case, (*self._told(), *self._table()), wrong)

    def _met_again(self) -> bool:
        """Whether the read ended as a page began with a record that had moved there: that is told from no loop."""
        shown = self._listing.last
        return isinstance(self._read.told.error, PaginationLoop) and bool(shown) and _mark(shown[0]) in self._moved

    def _table(self) -> list[str]:
        told = self._read.told
        shown = replace(told, records=[record for record in told.records if _mark(record) in self._all_along])
        return table(shown, self._api.operation, list(self._all_along.values()))

    def _told(self) -> Sequence[str]:
        return [f"     {number}. {what}" for number, what in enumerate(self._story, 1)]

    def _chosen(self, where: int) -> int | None:
        """A row that may go; of a keyset not the one that the next page is asked for by."""
        low, rows = 0 if self._promise.remove else self._position, self._listing.rows
        anchors = {_mark(record) for record in (*self._listing.last[:1], *self._listing.last[-1:])}
        may = [index for index in range(low, len(rows)) if _mark(rows[index].record) not in anchors]
        return may[where % len(may)] if may else None

    def _put(self, index: int, record: JsonValue) -> None:
        rows = self._listing.rows
        before = rows[index - 1].order if index else rows[0].order - 2 if rows else 0.0
        after = rows[index].order if index < len(rows) else before + 2
        rows.insert(index, Held((before + after) / 2, record))

    def _forget(self, record: JsonValue) -> None:
        self._all_along.pop(_mark(record), None)


def moves(stage: Stage, *, examples: int, seed: int) -> tuple[Moved | None, int, int]:
    """The smallest read that goes wrong while data moves, None where none does; how many were played, and changes."""
    from hypothesis import seed as seeded
    from hypothesis import settings
    from hypothesis import strategies as st
    from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

    found: Moved | None = None
    played = changes = 0

    class Moving(RuleBasedStateMachine):
        @initialize(size=st.sampled_from(list(stage.sizes)), pages=st.integers(2, 4), more=st.integers(-1, 1))
        def begin(self, size: int, pages: int, more: int) -> None:
            self.reader = _Reader(stage, Case(pages * size + more, size, MappingProxyType({})))

        @rule()
        def page(self) -> None:
            self.reader.page()

        @rule(where=st.integers(0, 20))
        def insert(self, where: int) -> None:
            self.reader.insert(where)

        @rule(where=st.integers(0, 20))
        def remove(self, where: int) -> None:
            self.reader.remove(where)

        @rule(where=st.integers(0, 20), to=st.integers(0, 20))
        def move(self, where: int, to: int) -> None:
            self.reader.move(where, to)

        def teardown(self) -> None:
            nonlocal found, played, changes
            if not hasattr(self, "reader"):
                return
            moved = self.reader.ended()
            played += 1
            changes += self.reader.changes
            if moved.wrong:
                found = moved  # the last one is what it was shrunk to
                raise Wrong

    chosen = settings(quiet(examples), stateful_step_count=_STEPS)
    with suppress(Wrong), unhinted():  # what was found says it
        run_state_machine_as_test(seeded(seed)(Moving), settings=chosen)
    return found, played, changes


def _mark(record: JsonValue) -> str:
    return json.dumps(record, sort_keys=True)
