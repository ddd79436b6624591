"""The words of the engine as frozen data: connector, account, request, response, page.

Everything here is a value. A connector is what its connector.json says, read once; a request
and a response are what crosses the one seam to the network, whichever network it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, TypeVar

from connproof.documents import Source
from connproof.places import ABSENT, Absent, JsonValue, Place

__all__ = [
    "Account",
    "ApiVersion",
    "Auth",
    "Connector",
    "FieldRule",
    "Headers",
    "Operation",
    "Page",
    "Pagination",
    "Placement",
    "Position",
    "Query",
    "Request",
    "Resource",
    "Response",
    "Secret",
    "Source",
    "UnifiedMapping",
    "Variable",
    "frozen",
]

Headers: TypeAlias = tuple[tuple[str, str], ...]
Query: TypeAlias = tuple[tuple[str, str], ...]
Placement: TypeAlias = Literal["query", "body", "header", "template"]

_K = TypeVar("_K")
_V = TypeVar("_V")


def frozen(items: Mapping[_K, _V]) -> Mapping[_K, _V]:
    """A read-only view of a copy."""
    return MappingProxyType(dict(items))


# What crosses the seam to the network.


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `url` is absolute and exactly as it goes out, query included.

    `headers` are those that the config is responsible for, with lower-case names; a transport
    adds its own (host, user-agent, content-length) and shows them to nobody.
    """

    method: str
    url: str
    headers: Headers = ()
    body: bytes | None = None

    def header(self, name: str) -> str | None:
        """The value of a header, its lines joined by ", "; None where it is not sent."""
        return _joined(self.headers, name)

    def __repr__(self) -> str:  # a URL or a header may hold a credential
        return f"Request({self.method} {self.url.split('?', 1)[0]})"


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response, its body decoded from any content encoding. Header names are lower-case."""

    status: int
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The value of a header, its lines joined by ", "; None where it was not sent."""
        return _joined(self.headers, name)

    def __repr__(self) -> str:
        return f"Response({self.status}, {len(self.body)} bytes)"


def _joined(headers: Headers, name: str) -> str | None:
    lines = [value for key, value in headers if key == name]
    return ", ".join(lines) if lines else None


# What a connector.json says.


@dataclass(frozen=True, slots=True)
class Variable:
    """A value in braces in `base_url`: its whole text must match `pattern` (RE2 syntax)."""

    name: str
    pattern: str
    secret: bool = False


@dataclass(frozen=True, slots=True)
class ApiVersion:
    """The provider's API version that the connector targets, and where it is sent."""

    value: str
    place: Literal["path", "header", "query", "namespace"]
    name: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Auth:
    """How a request says on whose behalf it is. Paths are looked up in the account's credentials.

    `none`; `api_key` (`key_path`, `name` and `place` of the slot, `prefix`); `basic` (`username`
    and `password`, templates over credentials such as "{api_token}", a side may be ""); `bearer` and
    `oauth2` (`token_path`, `prefix`).
    """

    type: str
    token_path: Place | None = None
    key_path: Place | None = None
    name: str = "authorization"
    place: Literal["header", "query"] = "header"
    prefix: str = ""
    username: str = ""
    password: str = ""
    pointer: str = "/auth"


@dataclass(frozen=True, slots=True)
class Pagination:
    """How one page leads to the next. Every word of every strategy; each reads its own.

    The meaning and the default of each word stand in schema/connector.schema.json.
    """

    type: str
    pointer: str = "/pagination"

    cursor_field: Place | None = None
    cursor_header: str | None = None
    cursor_param: str | None = None
    cursor_in: Placement = "query"
    first_cursor: JsonValue | Absent = ABSENT

    offset_param: str | None = None
    offset_in: Placement = "query"
    first_offset: int = 0
    step: Literal["returned", "limit", "reported"] = "returned"
    step_field: Place | None = None

    page_param: str | None = None
    page_in: Placement = "query"
    first_page: int = 1

    key_field: Place | None = None
    key_from: Literal["last", "first"] = "last"
    key_param: str | None = None
    key_in: Placement = "query"

    next_url_field: Place | None = None
    rel: str = "next"
    header: str = "link"

    omit_first: bool = False
    own_params: Literal["keep", "drop"] = "keep"

    page_size_param: str | None = None
    page_size_in: Placement = "query"
    default_page_size: int | None = None
    max_page_size: int | None = None
    min_page_size: int = 1

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
    max_records: int | None = None
    allow_repeats: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked of a resource. `kind` is list, get or an own name."""

    resource: str
    name: str
    method: str
    path: str
    pointer: str
    query: Query = ()
    headers: Headers = ()
    body: JsonValue | Absent = ABSENT
    encode: Literal["json", "form"] = "json"
    response_path: Place | None = None
    items_may_be_missing: bool = False
    key: Place | None = None
    pagination: Pagination | None = None
    is_list: bool = False

    @property
    def id(self) -> str:
        """`contacts.list`: how recordings, checks and messages name it."""
        return f"{self.resource}.{self.name}"


@dataclass(frozen=True, slots=True)
class Resource:
    name: str
    operations: Mapping[str, Operation]


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One output field: its JSONata expression and where that stands."""

    name: str
    expression: str
    pointer: str
    line: int
    level: str = "platform base"


@dataclass(frozen=True, slots=True)
class UnifiedMapping:
    """How a resource's records become records of a unified model, such as crm.contact."""

    model: str
    resource: str
    fields: tuple[FieldRule, ...]
    pointer: str


@dataclass(frozen=True, slots=True)
class Connector:
    """A connector.json, read. `source` knows the line of everything in it."""

    name: str
    base_url: str
    auth: Auth
    resources: Mapping[str, Resource]
    source: Source
    title: str = ""
    variables: Mapping[str, Variable] = field(default_factory=lambda: MappingProxyType({}))
    allowed_origins: tuple[str, ...] = ()
    api_version: ApiVersion | None = None
    decode: Literal["json"] | None = None
    headers: Headers = ()
    query: Query = ()
    unified: Mapping[str, UnifiedMapping] = field(default_factory=lambda: MappingProxyType({}))

    def operations(self) -> Iterator[Operation]:
        """Every operation, in the document's order."""
        for resource in self.resources.values():
            yield from resource.operations.values()

    def models_of(self, resource: str) -> tuple[UnifiedMapping, ...]:
        """The unified models that are mapped from this resource."""
        return tuple(mapping for mapping in self.unified.values() if mapping.resource == resource)


# On whose behalf, and where in a read.


class Secret:
    """A credential. Only `reveal` shows it; printing does not."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value: Final = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(...)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


@dataclass(frozen=True, slots=True)
class Account:
    """One connected account: its credentials (a document) and its variables (name to text)."""

    name: str = "default"
    credentials: Mapping[str, JsonValue] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a paginated read stands: all that the next request depends on, and nothing else.

    `value` is the strategy's own (a cursor, an offset, a page number, a URL, a key), ABSENT for a first
    request that names none. `total` is the total or page count latched from the first page.
    `pages` and `records` count what was read before this position, on raw records.
    """

    value: JsonValue | Absent = ABSENT
    total: int | None = None
    pages: int = 0
    records: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """One page as read: the provider's own records, and what stood around them.

    `document` is the decoded body, ABSENT where the body was empty. `size` is the page size
    that was asked for, None where none was.
    """

    request: Request
    response: Response
    document: JsonValue | Absent
    records: tuple[JsonValue, ...]
    size: int | None = None

    def __repr__(self) -> str:  # records are personal data; and asyncio takes the repr of what a task gave
        return f"Page({len(self.records)} records)"
