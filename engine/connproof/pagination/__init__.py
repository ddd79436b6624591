"""Decide the next request of a paginated read.

A strategy sees one page and names the value that the next request depends on, or ABSENT. It does no
I/O and keeps no state between pages: all that a read has to remember is a `Position`, so any read
can be resumed from one. What ends a read is decided here, once, for every strategy; so is which strategy
is in force, and what a run leaves for the next one. A position's `state` here: "then", the second strategy has taken
over; "since", what an earlier run's bookmark says; "size", the page size that the provider could bear.

To add one: write a file here with `WORDS` (its words in the schema), `first`, `place` and `following`,
then list it in STRATEGIES.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Protocol, cast

from connproof.draft import Draft
from connproof.errors import LimitExceeded, ProviderBroke
from connproof.links import resolve
from connproof.model import Page, Pagination, Position
from connproof.pagination import cursor, keyset, link_header, next_url, none, offset, page
from connproof.places import ABSENT, Absent, JsonValue

__all__ = [
    "STRATEGIES",
    "End",
    "Strategy",
    "advance",
    "ask",
    "in_force",
    "is_continued",
    "sends_size",
    "start",
    "template_names",
]

_MOST_CHARACTERS: Final = 32_768  # as of a URL


class Strategy(Protocol):
    """What a strategy's module offers."""

    WORDS: frozenset[str]

    def first(self, pagination: Pagination) -> JsonValue | Absent:
        """The value that the first request depends on."""

    def place(self, draft: Draft, pagination: Pagination, value: JsonValue) -> Draft:
        """The draft that asks for this value."""

    def following(self, pagination: Pagination, position: Position, page: Page) -> JsonValue | Absent:
        """The value after this page; ABSENT where the page names none."""


STRATEGIES: Final[Mapping[str, Strategy]] = MappingProxyType(
    {
        name: cast("Strategy", module)
        for name, module in {
            "cursor": cursor,
            "offset": offset,
            "page": page,
            "link_header": link_header,
            "next_url": next_url,
            "keyset": keyset,
            "none": none,
        }.items()
    }
)


_FOLLOWS: Final = frozenset({"link_header", "next_url"})
_LEADS: Final = frozenset({"cursor", "link_header", "next_url"})  # a page without records can name the next one
_FOR_ALL_RUNS: Final = ("then", "since")


@dataclass(frozen=True, slots=True)
class End:
    """The read is complete, and why, after how many pages and raw records. `bookmark` is where the next run begins."""

    reason: str
    pages: int
    records: int
    bookmark: Position | None = None


def start(pagination: Pagination) -> Position:
    """Where a read begins."""
    return Position(STRATEGIES[pagination.type].first(pagination))


def in_force(pagination: Pagination, position: Position) -> Pagination:
    """The strategy that is in force at a position: the first one, or the one that has taken over."""
    return pagination.then.pagination if pagination.then and "then" in position.state else pagination


def is_continued(pagination: Pagination, position: Position) -> bool:
    """Whether the page at this position is asked for through the operation that `continue_with` names."""
    begun = position.value is not ABSENT and position.value != pagination.first_cursor
    return pagination.continue_with is not None and begun


def sends_size(pagination: Pagination, position: Position) -> bool:
    """Whether the request for this position says a page size.

    A followed URL is complete, nothing is added to its query; so is an operation that continues another. A size
    sent elsewhere is sent each time.
    """
    pagination = in_force(pagination, position)
    if pagination.page_size_param is None:
        return False
    if is_continued(pagination, position):
        return pagination.page_size_in == "header"
    return pagination.page_size_in != "query" or not _follows_url(pagination, position)


def ask(draft: Draft, pagination: Pagination, position: Position, size: int | None) -> Draft:
    """The draft that asks for the page at this position, `size` records long where a size is sent."""
    is_first, is_own = position.pages == 0, not is_continued(pagination, position)
    mark, since = pagination.bookmark, position.state.get("since", ABSENT)
    pagination, sized = in_force(pagination, position), sends_size(pagination, position)
    if size is not None and sized and pagination.page_size_param is not None:
        draft = draft.placed(pagination.page_size_in, pagination.page_size_param, size)
    follows_url = _follows_url(pagination, position)
    if not is_first and pagination.own_params == "drop" and not follows_url and is_own:
        draft = replace(draft, query=())
    if mark is not None and mark.param is not None and not isinstance(since, Absent):
        draft = draft.placed(mark.place, mark.param, since)
    first = STRATEGIES[pagination.type].first(pagination)
    is_omitted = pagination.omit_first and is_first and position.value == first
    if isinstance(position.value, Absent) or is_omitted:
        return draft
    return STRATEGIES[pagination.type].place(draft, pagination, position.value)


def _follows_url(pagination: Pagination, position: Position) -> bool:
    return isinstance(position.value, str) and pagination.type in _FOLLOWS


def template_names(pagination: Pagination | None) -> frozenset[str]:
    """The names in braces that paging fills, and no call."""
    if pagination is None:
        return frozenset()
    words = ("cursor", "offset", "page", "key", "page_size")
    placed = [(getattr(pagination, f"{word}_in"), getattr(pagination, f"{word}_param")) for word in words]
    placed += [(part.place, part.param) for part in (pagination.window, pagination.frozen) if part is not None]
    then = template_names(pagination.then.pagination) if pagination.then else frozenset[str]()
    return then | {name for where, name in placed if where == "template" and name is not None}


def advance(pagination: Pagination, position: Position, page: Page) -> Position | End:
    """Where the read goes on after this page, or its end.

    In this order: what the provider says outright (stop field or header), which outranks the next three; an
    empty page; a total, which outranks a short page; a short page; a strategy that finds nothing to go on with.
    The strategy that asked for the page judges it; where another takes over, that one finds what to go on with.
    Raises ProviderBroke where the page contradicts itself: going on or stopping would be a guess.
    """
    whole, pagination = pagination, in_force(pagination, position)
    pages, records = position.pages + 1, position.records + len(page.records)
    if pagination.type == "none":
        return End("one response is the whole listing", pages, records)
    says_more = _says_more(pagination, page)
    latched = pagination.total_from == "first" and position.pages > 0
    total = position.total if latched else _total(pagination, page)
    reason = _end(pagination, page, pages, records, total, says_more=says_more)
    if reason is None:
        state, going_on = position.state, pagination
        if pagination.then is not None and records >= pagination.then.after_records:
            state, going_on = {**state, "then": True}, pagination.then.pagination
        value = STRATEGIES[going_on.type].following(going_on, position, page)
        if not isinstance(value, Absent):
            _refuse_endless(value)
            return Position(value, total if pagination.total_from == "first" else None, pages, records, state)
        if says_more:
            raise ProviderBroke(
                "the page says that there is more, but names nothing to go on with",
                facts={"says more": str(pagination.stop_field or pagination.stop_header)},
                fix="check the path of the cursor, or the polarity of stop_when",
            )
        reason = "the page names no next one"
    return End(reason, pages, records, _bookmark(whole, position, page))


def _refuse_endless(value: JsonValue) -> None:
    """A cursor is kept, sent back and put into resume tokens: one of a megabyte is none."""
    size = len(value if isinstance(value, str) else json.dumps(value))
    if size > _MOST_CHARACTERS:
        raise LimitExceeded(
            "what the page names as the next one is too long",
            facts={"seen": f"{size:,} characters", "most": f"{_MOST_CHARACTERS:,}"},
            fix="nothing was sent; see whether the config reads it from the right place",
        )


def _bookmark(pagination: Pagination, position: Position, page: Page) -> Position | None:
    """Where the next run begins, after this last page; None where the page does not say."""
    mark = pagination.bookmark
    if mark is None:
        return None
    if mark.field is None:
        return _next_time(pagination, position, page)
    seen = ABSENT if isinstance(page.document, Absent) else mark.field.find(page.document)
    if isinstance(seen, Absent) or seen is None or seen == "":
        return None
    _refuse_endless(seen)
    if mark.param is not None:
        return Position(state={"since": seen})
    if pagination.type in _FOLLOWS:
        if not isinstance(seen, str):
            raise ProviderBroke(
                "the bookmark is no URL",
                facts={"bookmark": mark.field.text, "seen": type(seen).__name__},
                fix='point it at the URL itself, or name its "param"',
            )
        seen = resolve(seen, page.request.url)
    return Position(seen)


def _next_time(pagination: Pagination, position: Position, page: Page) -> Position | None:
    """The last page's own next position; after a page without records, which may name none, its own place."""
    value: JsonValue | Absent = ABSENT
    if page.records or pagination.type in _LEADS:
        value = STRATEGIES[pagination.type].following(pagination, position, page)
    if isinstance(value, Absent):
        if page.records:
            return None  # its own place would give its records again
        value = position.value
    return Position(value, state={name: position.state[name] for name in _FOR_ALL_RUNS if name in position.state})


def _end(
    pagination: Pagination, page: Page, pages: int, records: int, total: int | None, *, says_more: bool | None
) -> str | None:
    if says_more is not None:
        return None if says_more else "the provider says so"
    if not page.records and pagination.empty_page == "stop":
        return "an empty page"
    if total is not None:
        return "the total is reached" if (pages if pagination.total_counts == "pages" else records) >= total else None
    if pagination.short_page == "stop" and page.size is not None and len(page.records) < page.size:
        return "a short page"
    return None


def _says_more(pagination: Pagination, page: Page) -> bool | None:
    """What the stop field or header says: True there is more, False the end, None nothing."""
    if pagination.stop_header is not None:
        seen: JsonValue | Absent = page.response.header(pagination.stop_header)
        seen = ABSENT if seen is None else seen
    elif pagination.stop_field is not None:
        seen = ABSENT if isinstance(page.document, Absent) else pagination.stop_field.find(page.document)
    else:
        return None
    wanted = pagination.stop_when
    if isinstance(seen, Absent) or (seen is None and wanted is not None):
        return None
    if isinstance(wanted, bool) and not isinstance(seen, bool):
        raise ProviderBroke(
            "the stop field is not true or false",
            facts={"field": str(pagination.stop_field or pagination.stop_header), "seen": type(seen).__name__},
            fix='declare the value it has in "stop_when", with its class',
        )
    return not (type(seen) is type(wanted) and seen == wanted)


def _total(pagination: Pagination, page: Page) -> int | None:
    """The page's own total, None where it has none that is a count."""
    if pagination.total_header is not None:
        seen: JsonValue | Absent = page.response.header(pagination.total_header)
    elif pagination.total_field is not None and not isinstance(page.document, Absent):
        seen = pagination.total_field.find(page.document)
    else:
        return None
    if isinstance(seen, str) and seen.isascii() and seen.isdigit() and len(seen) <= 15:
        seen = int(seen)
    if not isinstance(seen, int) or isinstance(seen, bool) or seen < 0:
        return None
    on_page = len(page.records) if pagination.total_counts == "records" else min(1, len(page.records))
    if seen < on_page:
        raise ProviderBroke(
            "the total is smaller than the page that names it",
            facts={
                "field": str(pagination.total_field or pagination.total_header),
                "seen": f"{seen} on a page of {len(page.records)} records",
            },
            fix='point it at the true total; if only the first page has that, set "total_from": "first"',
        )
    return seen
