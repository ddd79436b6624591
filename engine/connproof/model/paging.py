"""How one page leads to the next, and where a paginated read stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from connproof.model.wire import Placement, Request, Response
from connproof.places import ABSENT, Absent, JsonValue, Place

__all__ = [
    "Bookmark",
    "Frozen",
    "Lead",
    "Leads",
    "Page",
    "Pagination",
    "Position",
    "Seed",
    "Then",
    "Window",
]


@dataclass(frozen=True, slots=True)
class Lead:
    """A place where a response may name the next position; with `url_param`, a parameter of the URL there."""

    path: Place
    url_param: str | None = None


@dataclass(frozen=True, slots=True)
class Leads:
    """Several places where a response may name the next position: the first that holds a text or a number counts."""

    alternatives: tuple[Lead, ...]

    @property
    def text(self) -> str:
        return " or ".join(lead.path.text for lead in self.alternatives)

    @property
    def last_name(self) -> str | None:
        """What the first alternative ends in: the parameter's name, or the last member's."""
        first = self.alternatives[0]
        return first.url_param or first.path.last_name

    def find(self, document: JsonValue) -> JsonValue | Absent:
        """What stands at the first place that has anything but null and "", usable or not."""
        found = (lead.path.find(document) for lead in self.alternatives)
        return next((seen for seen in found if not (isinstance(seen, Absent) or seen is None or seen == "")), ABSENT)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Then:
    """The strategy that takes over once this many records were read."""

    after_records: int
    pagination: Pagination


@dataclass(frozen=True, slots=True)
class Window:
    """How a read starts anew from the last value of a sort field.

    `cap` is the most records that one window gives, None where none is known; `first` is the bound of the first
    window, ABSENT where that has none.
    """

    field: Place
    param: str
    place: Placement = "query"
    cap: int | None = None
    first: JsonValue | Absent = ABSENT


@dataclass(frozen=True, slots=True)
class Seed:
    """Where the first cursor comes from: another operation of the resource, and the place in its answer."""

    operation: str
    field: Place


@dataclass(frozen=True, slots=True)
class Bookmark:
    """What stands for "from here next time": what is found at `field`, or the last page's own next position.

    A found value is sent under `param`, or, without one, as the position itself.
    """

    field: Place | None = None
    param: str | None = None
    place: Placement = "query"


@dataclass(frozen=True, slots=True)
class Frozen:
    """A parameter that is made once, from the time at which the read starts."""

    param: str
    place: Placement = "query"
    format: Literal["iso8601", "epoch_s", "epoch_ms"] = "iso8601"


@dataclass(frozen=True, slots=True)
class Pagination:
    """How one page leads to the next. Every word of every strategy; each reads its own.

    The meaning and the default of each word stand in schema/connector.schema.json.
    """

    type: str
    pointer: str = "/pagination"

    cursor_field: Place | Leads | None = None
    cursor_header: str | None = None
    cursor_param: str | None = None
    cursor_in: Placement = "query"
    first_cursor: JsonValue | Absent = ABSENT
    seed: Seed | None = None
    continue_with: str | None = None

    offset_param: str | None = None
    offset_in: Placement = "query"
    first_offset: int = 0
    step: Literal["returned", "limit", "reported"] = "returned"
    step_field: Place | None = None

    page_param: str | None = None
    page_in: Placement = "query"
    first_page: int = 1
    page_field: Place | None = None

    key_field: Place | None = None
    key_from: Literal["last", "first"] = "last"
    key_param: str | None = None
    key_in: Placement = "query"

    next_url_field: Place | Leads | None = None
    rel: str = "next"
    header: str = "link"

    omit_first: bool = False
    then: Then | None = None
    own_params: Literal["keep", "drop"] = "keep"

    page_size_param: str | None = None
    page_size_in: Placement = "query"
    default_page_size: int | None = None
    max_page_size: int | None = None
    min_page_size: int = 1
    reduce_on: tuple[int, ...] = ()

    stop_field: Place | None = None
    stop_header: str | None = None
    stop_when: JsonValue = None
    empty_page: Literal["stop", "continue"] = "stop"
    short_page: Literal["stop", "continue"] | None = None
    total_field: Place | None = None
    total_header: str | None = None
    total_counts: Literal["records", "pages"] = "records"
    total_from: Literal["first", "each"] = "each"

    max_pages: int = 100_000
    max_empty_pages: int = 1_000
    max_records: int | None = None
    allow_repeats: bool = False

    window: Window | None = None
    on_expired: Literal["fail", "restart", "window"] = "fail"
    bookmark: Bookmark | None = None
    frozen: Frozen | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """Where a paginated read stands: all that the next request depends on, and nothing else.

    `value` is the strategy's own (a cursor, an offset, a page number, a URL, a key), ABSENT for a first
    request that names none. `total` is the total or page count latched from the first page.
    `pages` and `records` count what was read before this position, on raw records. `state` is what else has to be
    remembered, by name: a part of a read that has another inside it keeps the inner one's position there.
    """

    value: JsonValue | Absent = ABSENT
    total: int | None = None
    pages: int = 0
    records: int = 0
    state: Mapping[str, JsonValue] = field(default_factory=lambda: MappingProxyType({}))

    def __repr__(self) -> str:  # a next URL may hold a key, a cursor anything
        return f"Position(page {self.pages + 1}, after {self.records} records)"


@dataclass(frozen=True, slots=True)
class Page:
    """One page as read: the provider's own records, and what stood around them.

    `document` is the decoded body, ABSENT where the body was empty. `size` is the page size
    that was asked for, None where none was. `bookmark` is the token with which the next run goes on
    from the end of this one: on the last page, where the config says what it is.
    """

    request: Request
    response: Response
    document: JsonValue | Absent
    records: tuple[JsonValue, ...]
    size: int | None = None
    bookmark: str | None = None

    def __repr__(self) -> str:  # records are personal data; and asyncio takes the repr of what a task gave
        return f"Page({len(self.records)} records)"
