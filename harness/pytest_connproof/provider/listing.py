"""A simulated listing: records that a provider holds, given page by page in the dialect of a connector's config.

Pure but for what it remembers: the places that it has named, which page it forgot, and which habits have shown. What it
is asked for is read by the server's half of the config's strategy, and never by the engine's.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from connproof.model import Connector, Operation, Pagination, Response, XmlFormat
from connproof.places import ABSENT, Absent, JsonValue, Place
from pytest_connproof.provider.habits import Case, Terms
from pytest_connproof.provider.halves import HALVES
from pytest_connproof.provider.places import Held, Places, Served, UnknownPlace
from pytest_connproof.provider.shape import Shape, records_of
from pytest_connproof.provider.slots import Said, Slots
from pytest_connproof.provider.telling import answer_meaning
from pytest_connproof.provider.writing import Form, answered, at_places, placed

__all__ = ["Listing", "Terms"]

_TOKENS: Final = ("after", "place", "token_of_next")


class Listing:
    """One operation's listing. `rows` may be changed between requests: data moves.

    `shown` counts the habits that have shown in an answer: of others, a read has said nothing. `answers` counts what
    was asked of it, and `last` is the newest page.
    """

    def __init__(
        self, connector: Connector, operation: Operation, slots: Slots, case: Case, shape: Shape | None = None
    ) -> None:
        assert operation.pagination is not None, "config gives every listing a pagination"
        self.operation = operation
        self.paging: Pagination = operation.pagination
        self.case = case
        self.shown: Counter[str] = Counter()
        self.answers = 0
        self.last: tuple[JsonValue, ...] = ()
        self._connector = connector
        self._shape = shape or Shape()
        self.rows = _rows(operation, case, self._shape)
        facts = operation.provider_facts
        self._places = Places(
            case.habits,
            steady=facts.steady_places is not False,
            token=next(name for name in _TOKENS if name not in slots.own_names),
            own=self._own,
            fired=self._fired,
            repeats=self.paging.allow_repeats,
            size=case.size,
        )
        self._forgot = False
        self._is_backwards = self.paging.type == "keyset" and self.paging.key_from == "first"
        self._begun: set[float] = set()
        if any(held.is_hidden for held in self.rows):
            self.shown.update(name for name in ("filtered", "hollow") if name in case.habits)

    @property
    def expected(self) -> tuple[JsonValue, ...]:
        """The records that a reader must get, in order; where pages go backwards, in the order of the pages."""
        if not self._is_backwards:
            return tuple(held.record for held in self.rows if not held.is_hidden)
        pages: list[list[JsonValue]] = [[]]
        for held in _backwards(self.rows):
            if held.order in self._begun:
                pages.append([])
            pages[-1] += [] if held.is_hidden else [held.record]
        return tuple(record for page in pages for record in reversed(page))

    @property
    def seed(self) -> JsonValue:
        """What another operation gives as the first cursor."""
        self._places.rows = self.rows
        return self._places.seed()

    def answer(self, said: Said, *, begun: bool = False) -> Response:
        """What the provider answers to a request of this operation; `begun`, of one that continues it."""
        self.answers += 1
        paging = self._in_force(said)
        rows = _backwards(self._in_window(said)) if self._is_backwards else self._in_window(said)
        follows = paging.type in {"link_header", "next_url"}
        is_first_page = not follows or isinstance(said.find("query", self._places.token), Absent)
        dropped = paging.own_params == "drop" and not follows and not self._is_first(paging, said)
        wrong = said.lacks or (said.lacks_query if is_first_page and not dropped else "")
        if begun and self._is_first(paging, said):
            wrong = wrong or "it names no place to go on from"
        if wrong:
            return self._refused(wrong)
        size = self._size(paging, said)
        if isinstance(size, Response):
            return size
        places = self._places
        places.rows, places.size = rows, size
        try:
            start = HALVES[paging.type].asked(paging, said, places)
        except UnknownPlace as unknown:
            return self._refused(str(unknown))
        size = places.size
        if self._forgets(start, size):
            return answer_meaning(self._connector, self.operation, "cursor_expired")
        return self._page(paging, said, start, size)

    def first_page(self, said: Said) -> Response:
        """The first page, as an answer to a request that asked for something around it."""
        self._places.rows, self._places.size = self.rows, self.case.size
        return self._page(self.paging, said, 0, self.case.size)

    def seen_as(self, operation: Operation) -> Listing:
        """The same listing in another operation's dialect: places that one names are known to the other."""
        assert operation.pagination is not None, "a listing's dialect has one"
        other = copy.copy(self)
        other.operation, other.paging = operation, operation.pagination
        return other

    def _page(self, paging: Pagination, said: Said, start: int, size: int) -> Response:
        rows, habits = self._places.rows, self.case.habits
        asked = start
        if "deaf" in habits and start:
            self._fired("deaf")
            start = 0
        stop = len(rows) if paging.type == "none" else min(start + size, len(rows))
        nominal = habits.get("short", 0) * self.case.size - 1
        if start < nominal < stop < len(rows) + 1 and nominal < len(rows) - 1:
            self._fired("short")
            stop = nominal
        number = start // size + 1
        shown = tuple(held.record for held in rows[start:stop] if not held.is_hidden)
        if self._is_backwards:
            shown = shown[::-1]
            self._begun.update(held.order for held in rows[start : start + 1])
        ahead = stop + asked - start  # of what was asked for, also where another page is given
        leads_to = ahead if ahead < len(rows) and paging.type != "none" else None
        more = leads_to is not None
        if "no_progress" in habits and start:
            self._fired("no_progress")
            shown, leads_to, more = (), max(stop, start) + 1, True
        elif leads_to is not None and habits.get("itself") == number:
            self._fired("itself")
            leads_to = start
        elif leads_to is not None and habits.get("circle") == number:
            self._fired("circle")
            leads_to = 0
        elif leads_to is None and "live_end" in habits and start < len(rows):
            self._fired("live_end")
            leads_to = len(rows)
        if not shown and not more and "no_content" in habits:
            self._fired("no_content")
            return Response(204)
        self.last = shown
        served = Served(said, number, size, start, stop, shown, leads_to)
        leading = [paging, paging.then.pagination] if paging.then else [paging]
        values = [lead for one in leading for lead in HALVES[one.type].leads(one, served, self._places)]
        values += self._flag(paging, more=more)
        values += self._total(paging, start, size)
        return self._written(shown, values)

    def _written(
        self, shown: Sequence[JsonValue], values: Iterable[tuple[Place | str, JsonValue | Absent]]
    ) -> Response:
        operation, habits = self.operation, self.case.habits
        form: Form = "xml" if isinstance(operation.decode, XmlFormat) else "json"
        records: JsonValue | Absent = list(shown)
        if not shown and "null_items" in habits:
            self._fired("null_items")
            records = None
        elif not shown and "no_items" in habits:
            self._fired("no_items")
            records = ABSENT
        document, headers = at_places(values, form)
        place = operation.response_path
        if place is None or not place.steps:
            body: JsonValue = [] if isinstance(records, Absent) else records
        else:
            body = _over(self._shape.envelope, document)
            if not isinstance(records, Absent) and (records or form == "json"):
                body = placed(body, place, records)
            elif form == "xml":
                body = _with_parents(body, place)
        return answered(body, *headers, form=form)

    # What is asked.

    def _in_force(self, said: Said) -> Pagination:
        then = self.paging.then
        if then is None:
            return self.paging
        other = then.pagination
        param, where = (
            (other.cursor_param, other.cursor_in) if other.type == "cursor" else (self._places.token, "query")
        )
        taken_over = param is not None and not isinstance(said.find(where, param), Absent)
        return other if taken_over else self.paging

    def _is_first(self, paging: Pagination, said: Said) -> bool:
        words = {"cursor": "cursor", "offset": "offset", "page": "page", "keyset": "key"}
        word = words.get(paging.type, "")
        if not word:
            return True
        sent = said.find(getattr(paging, f"{word}_in"), getattr(paging, f"{word}_param") or "")
        first = getattr(paging, f"first_{word}", ABSENT)
        return isinstance(sent, Absent) or str(sent) == str(first)

    def _in_window(self, said: Said) -> list[Held]:
        window = self.paging.window
        if window is None:
            return self.rows
        bound = said.find(window.place, window.param)
        rows = self.rows
        if not isinstance(bound, Absent):
            rows = [held for held in rows if _order_of(window.field.find(held.record)) >= _order_of(bound)]
        return rows[: window.cap]

    def _size(self, paging: Pagination, said: Said) -> int | Response:
        """How many rows a page of this answer has."""
        habits, size = self.case.habits, self.case.size
        if paging.page_size_param is not None:
            sent = said.find(paging.page_size_in, paging.page_size_param)
            if not isinstance(sent, Absent):
                if not str(sent).isdecimal() or int(str(sent)) < 1:
                    return self._refused(f"the parameter {paging.page_size_param} is no page size")
                size = int(str(sent))
        if 0 < habits.get("refuses_size", 0) < size:
            self._fired("refuses_size")
            return answered({"error": "the page is too large"}, status=paging.reduce_on[0])
        if 0 < habits.get("lowers", 0) < size:
            self._fired("lowers")
            return habits["lowers"]
        if "generous" in habits and len(self.rows) > size:
            self._fired("generous")
        return size + habits.get("generous", 0)

    def _forgets(self, start: int, size: int) -> bool:
        if self._forgot or not start or start // size + 1 != self.case.habits.get("forgets"):
            return False
        self._forgot = True
        self._fired("forgets")
        return True

    def _refused(self, what: str) -> Response:
        return answered({"error": what}, status=400)

    def _own(self, said: Said) -> list[tuple[str, str]]:
        """The parameters that a link carries, so that it can be followed by itself."""
        if self.paging.own_params == "keep":
            return []
        left_out = {self._places.token, "x_tag", "x_note"}
        if self.operation.long_url is not None:
            left_out |= {name for name, _ in self.operation.long_url.form}
        if self._connector.auth.type == "api_key" and self._connector.auth.place == "query":
            left_out.add(self._connector.auth.name)
        return [pair for pair in said.query if pair[0] not in left_out]

    # What is said of more.

    def _flag(self, paging: Pagination, *, more: bool) -> list[tuple[Place | str, JsonValue | Absent]]:
        place: Place | str | None = paging.stop_field or paging.stop_header
        habits, wanted = self.case.habits, paging.stop_when
        if place is None:
            return []
        if "no_flag" in habits:
            self._fired("no_flag")
            return []
        if "eager_flag" in habits and not more:
            self._fired("eager_flag")
            more = True
        value: JsonValue = _other(wanted) if more else wanted
        if "worded_flag" in habits and isinstance(value, bool):
            self._fired("worded_flag")
            value = "true" if value else "false"
        return [(place, value)]

    def _total(self, paging: Pagination, start: int, size: int) -> list[tuple[Place | str, JsonValue | Absent]]:
        place: Place | str | None = paging.total_field or paging.total_header
        habits = self.case.habits
        if place is None:
            return []
        total: JsonValue = (
            len(self.expected) if paging.total_counts == "records" else -(-len(self._places.rows) // size)
        )
        assert isinstance(total, int)
        if "high_total" in habits:
            self._fired("high_total")
            total += habits["high_total"]
        if "growing_total" in habits and start:
            self._fired("growing_total")
            total += start // size
        if "zero_total" in habits and start:
            self._fired("zero_total")
            total = 0
        if "null_total" in habits:
            self._fired("null_total")
            return [(place, None)]
        if "worded_total" in habits:
            self._fired("worded_total")
            return [(place, str(total))]
        return [(place, total)]

    def _fired(self, habit: str) -> None:
        self.shown[habit] += 1


def _rows(operation: Operation, case: Case, shape: Shape) -> list[Held]:
    made = records_of(operation, case.records, shape)
    rows = [Held(float(index), record) for index, record in enumerate(made)]
    hollow, size = case.habits.get("hollow", 0), case.size
    for index, held in enumerate(rows):
        in_hollow = hollow and (hollow - 1) * size <= index < hollow * size
        held.is_hidden = bool(in_hollow) or ("filtered" in case.habits and size > 1 and index % size == 0)
    return rows


def _backwards(rows: Sequence[Held]) -> list[Held]:
    """The rows as they are walked from the end on."""
    return [Held(-held.order, held.record, held.is_hidden) for held in reversed(rows)]


def _other(wanted: JsonValue) -> JsonValue:
    """What a flag says that does not say the end."""
    if isinstance(wanted, bool):
        return not wanted
    if isinstance(wanted, int | float):
        return wanted + 1
    return "more" if wanted != "more" else "further"


def _order_of(value: JsonValue | Absent) -> tuple[int, float, str]:
    text = "" if value is None or isinstance(value, Absent) else str(value)
    try:
        return 0, float(text), ""
    except ValueError:
        return 1, 0.0, text


def _with_parents(document: JsonValue, place: Place) -> JsonValue:
    """The document with the elements in which a list would stand, that has none: XML has no other word for it."""
    around = Place(place.text, place.steps[:-1])
    is_there = not around.steps or not isinstance(around.find(document), Absent)
    return document if is_there else placed(document, around, None)


def _over(under: JsonValue, over: JsonValue) -> JsonValue:
    if isinstance(under, dict) and isinstance(over, dict):
        return {**under, **{name: _over(under.get(name), value) for name, value in over.items()}}
    return over
