"""What can be asked of a resource, and of which version of the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from connproof.model.answers import Elements, ErrorRule, Format
from connproof.model.paging import Pagination
from connproof.model.wire import Headers, Placement, Query
from connproof.places import ABSENT, Absent, JsonValue, Place

__all__ = [
    "ApiVersion",
    "Batch",
    "Ending",
    "ForEach",
    "Hydrate",
    "Idempotency",
    "LongUrl",
    "Nested",
    "Operation",
    "ProviderFacts",
    "Resource",
]


@dataclass(frozen=True, slots=True)
class Ending:
    """What is known of an operation's end: days (2027-09-01), or months where the provider names no day (2027-09)."""

    deprecated: str | None = None
    sunset: str | None = None
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class ApiVersion:
    """The provider's API version that the connector targets, where it is sent, and what is known of its end.

    `deprecated` and `sunset` are days (2027-09-01), or months where the provider names no day (2027-09). `served` is
    where an answer says its version: the lower-case name of a header, or a place of the body.
    """

    value: str
    place: Literal["path", "header", "query", "namespace"]
    name: str | None = None
    source: str | None = None
    deprecated: str | None = None
    sunset: str | None = None
    notice: str | None = None
    served: str | Place | None = None
    deprecation_headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Nested:
    """A list inside each record that has pages of its own. `at` leads to the value that is its first page.

    Its next pages are read by following its URLs, or through `operation`, whose parameters are taken from the record.
    """

    at: Place
    pagination: Pagination
    pointer: str
    response_path: Place | None = None
    operation: str | None = None
    params: tuple[tuple[str, Place], ...] = ()


@dataclass(frozen=True, slots=True)
class Hydrate:
    """The operation that gives each listed record whole; `source` is where its parameter stands in the listed one."""

    operation: str
    param: str
    source: Place
    merge: bool = False


@dataclass(frozen=True, slots=True)
class ForEach:
    """The listing ("resource.operation") for each of whose records this one is read; places are in such a record."""

    operation: str
    params: tuple[tuple[str, Place], ...]
    pointer: str
    into: str | None = None


@dataclass(frozen=True, slots=True)
class Idempotency:
    """Where a write carries the key that lets a provider know a repetition, and what the key is like."""

    name: str
    place: Placement = "header"


@dataclass(frozen=True, slots=True)
class Batch:
    """Where a body holds several records, and how many at most."""

    at: Place
    max: int


@dataclass(frozen=True, slots=True)
class LongUrl:
    """From how many characters on a URL's query is sent as a form in a POST, and what stands in it besides."""

    over: int
    form: Query = ()


@dataclass(frozen=True, slots=True)
class ProviderFacts:
    """What is known of how a provider pages; None is what is not. Told in schema/connector.schema.json."""

    lowers_page_size: bool | None = None
    short_pages: bool | None = None
    filters_pages: bool | None = None
    empty_pages: bool | None = None
    steady_places: bool | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked of a resource: list, get, create, or an own name."""

    resource: str
    name: str
    method: str
    path: str
    pointer: str
    query: Query = ()
    headers: Headers = ()
    body: JsonValue | Absent = ABSENT
    encode: Literal["json", "form", "xml", "text"] = "json"
    decode: Format | None = None
    response_path: Place | None = None
    items_may_be_missing: bool = False
    key: Place | None = None
    pagination: Pagination | None = None
    overridable: tuple[str, ...] = ()
    is_list: bool = False
    errors: tuple[ErrorRule, ...] = ()
    elements: Elements | None = None
    ending: Ending | None = None
    idempotency: Idempotency | None = None
    batch: Batch | None = None
    long_url: LongUrl | None = None
    nested: tuple[Nested, ...] = ()
    hydrate: Hydrate | None = None
    for_each: ForEach | None = None
    provider_facts: ProviderFacts = ProviderFacts()

    @property
    def id(self) -> str:
        """`contacts.list`: how recordings, checks and messages name it."""
        return f"{self.resource}.{self.name}"


@dataclass(frozen=True, slots=True)
class Resource:
    name: str
    operations: Mapping[str, Operation]
