"""The words of the engine as frozen data: connector, account, request, response, page.

Everything here is a value. A connector is what its connector.json says, read once; a request
and a response are what crosses the one seam to the network, whichever network it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, TypeVar

from connproof.documents import PLATFORM_BASE, Source
from connproof.places import ABSENT, Absent, JsonValue, Place

__all__ = [
    "RETRY_AFTER",
    "Account",
    "ApiVersion",
    "Assertion",
    "Auth",
    "Batch",
    "Bookmark",
    "BudgetRule",
    "Condition",
    "Connector",
    "CustomFields",
    "CustomSource",
    "Elements",
    "Ending",
    "ErrorRule",
    "FieldRule",
    "Filter",
    "ForEach",
    "Format",
    "Frozen",
    "Grant",
    "Headers",
    "Hydrate",
    "Idempotency",
    "Lead",
    "Leads",
    "LimitSource",
    "LimitUnit",
    "LongUrl",
    "Meaning",
    "Nested",
    "Operation",
    "Page",
    "Pagination",
    "Placement",
    "Position",
    "Query",
    "RateLimit",
    "Request",
    "Resource",
    "Response",
    "Secret",
    "Seed",
    "Source",
    "Then",
    "Throttle",
    "TokenAnswer",
    "TokenEndpoint",
    "Trait",
    "UnifiedMapping",
    "Variable",
    "Window",
    "Words",
    "XmlFormat",
    "frozen",
]

Headers: TypeAlias = tuple[tuple[str, str], ...]
Query: TypeAlias = tuple[tuple[str, str], ...]

# Set by the transport or the framing of HTTP itself: whoever else names one could smuggle a request.
# Beside them stands every name that begins with "proxy-".
TRANSPORT_HEADERS: Final = frozenset(
    {
        "connection",
        "content-length",
        "cookie",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
Placement: TypeAlias = Literal["query", "body", "header", "template"]
Meaning: TypeAlias = Literal[
    "success",
    "empty",
    "throttled",
    "auth_expired",
    "auth_revoked",
    "forbidden",
    "not_found",
    "invalid",
    "cursor_expired",
    "version_gone",
    "transient",
    "failed",
]

Grant: TypeAlias = Literal["refresh_token", "client_credentials", "jwt_bearer", "none"]

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
    """A value in braces, which an account gives: its whole text must match `pattern` (RE2 syntax).

    `source` says who gives it; `path` is where it stands in a token answer, or in the answer of the `operation` that
    discovers it. `in_host` is how it is written inside base_url's host.
    """

    name: str
    pattern: str
    secret: bool = False
    source: Literal["account", "token_response", "discovery"] = "account"
    path: Place | None = None
    operation: str | None = None
    in_host: Literal["as_is", "lower", "lower_hyphen"] = "as_is"

    def for_host(self, value: str) -> str:
        """The value as it is written inside a host."""
        match self.in_host:
            case "lower":
                return value.lower()
            case "lower_hyphen":
                return value.lower().replace("_", "-")
            case "as_is":
                return value


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
class XmlFormat:
    """How elements become members. The meaning and the default of each word stand in schema/connector.schema.json.

    A place of one name means every element, or attribute, of that name; a longer one is a path from the root element.
    `namespaces` may be pairs of URI and prefix.
    """

    force_list: tuple[Place, ...] = ()
    attributes: Literal["keep", "drop"] = "keep"
    attribute_prefix: str = "@"
    text: str = "#text"
    namespaces: Literal["strip", "keep"] | tuple[tuple[str, str], ...] = "strip"
    booleans: tuple[Place, ...] = ()


Format: TypeAlias = Literal["json", "text"] | XmlFormat


@dataclass(frozen=True, slots=True)
class Auth:
    """How a request says on whose behalf it is. Every word of every scheme; each reads its own.

    Paths are looked up in the account's credentials. `username`, `password`, `realm` and the values of `headers` are
    texts in which a name in braces is one of `variables`, or else a path into the credentials. `headers` are sent
    beside whatever the scheme sends. `rotation` is what becomes of a refresh token when it is used: an int is
    the seconds for which the old one still works, None where the config does not say.
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

    headers: Headers = ()
    variables: Mapping[str, Variable] = field(default_factory=lambda: MappingProxyType({}))

    consumer_key_path: Place | None = None
    consumer_secret_path: Place | None = None
    token_secret_path: Place | None = None
    realm: str | None = None
    realm_format: Literal["as_is", "upper_underscore"] = "as_is"

    digest: bool = False

    token: TokenEndpoint | None = None
    rotation: Literal["none", "strict"] | int | None = None

    @property
    def urls(self) -> tuple[tuple[str, str], ...]:
        """Every URL that the auth itself asks, as JSON pointer and text."""
        if self.token is None:
            return ()
        both = (("url", self.token.url), ("refresh_url", self.token.refresh_url))
        return tuple((f"{self.token.pointer}/{word}", url) for word, url in both if url is not None)


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """How a token is asked for (RFC 6749, or a login), and how the answer is read.

    `url`, `body` and the values of `params` and `headers` are texts with braces; those of the URL are variables alone.
    `body` is the whole of an XML request.
    `lifetime_s` outranks what the answer says, `assumed_lifetime_s` holds where it says nothing.
    The `*_when` are error codes that mean more here than RFC 6749 says.
    """

    url: str
    pointer: str
    grant: Grant = "refresh_token"
    refresh_url: str | None = None
    method: Literal["GET", "POST"] = "POST"
    encode: Literal["form", "json", "query", "xml"] = "form"
    body: str | None = None
    client_auth: Literal["basic", "body", "id_only", "private_key_jwt", "bearer_jwt", "none"] = "none"
    client_auth_prefix: str = "Basic "
    client_auth_encoded: bool = False
    client_id_path: Place | None = None
    client_secret_path: Place | None = None
    refresh_token_path: Place | None = None
    params: tuple[tuple[str, JsonValue], ...] = ()
    headers: Headers = ()
    scope: tuple[str, ...] = ()
    scope_separator: str = " "
    jwt: Assertion | None = None
    answer: TokenAnswer | None = None
    lifetime_s: int | None = None
    assumed_lifetime_s: int | None = None
    revoked_when: tuple[str, ...] = ()
    misconfigured_when: tuple[str, ...] = ()
    transient_when: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assertion:
    """A signed JWT (RFC 7519) that stands for the client or the user (RFC 7523). Texts may have braces.

    `subject` None leaves the claim out; `audience` None is the URL that is asked.
    """

    algorithm: str
    pointer: str
    key_path: Place | None = None
    key_id_path: Place | None = None
    issuer: str = "{client_id}"
    subject: str | None = None
    audience: str | None = None
    lifetime_s: int = 300
    claims: tuple[tuple[str, JsonValue], ...] = ()


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """Where a token endpoint's answer says what.

    Of several places the first that holds a text or number counts; of `refresh_expires_in` the one that ends first.
    """

    access_token: Words
    refresh_token: Words
    expires_in: Words
    expires_at: Words
    refresh_expires_in: Words
    scope: Words
    error: Words
    error_description: Words
    expires_in_unit: Literal["s", "ms"] = "s"
    expires_at_unit: Literal["iso8601", "epoch_s", "epoch_ms"] = "iso8601"


@dataclass(frozen=True, slots=True)
class Trait:
    """What a value must be; all that is given must hold.

    `equals` one of these, class included; `matches` an RE2 pattern somewhere in its text; `present` at all; `blank`
    (absent, null, "", [], {}) or not.
    """

    equals: tuple[JsonValue, ...] = ()
    matches: str | None = None
    present: bool | None = None
    blank: bool | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """What a response must be like, in all parts.

    `statuses` are codes or hundreds (404, "4xx"; () any), headers stand by lower-case name, `body` are places of the
    decoded body, `text` is an RE2 pattern somewhere in the body's text. A place with `[*]` holds where it holds for one
    of the elements.
    """

    statuses: tuple[int | str, ...] = ()
    headers: tuple[tuple[str, Trait], ...] = ()
    body: tuple[tuple[Place, Trait], ...] = ()
    text: str | None = None

    @property
    def reads_body(self) -> bool:
        return bool(self.body) or self.text is not None


@dataclass(frozen=True, slots=True)
class Words:
    """Where an answer names a thing: places of its body and names of headers, the first that has a text counts."""

    places: tuple[Place | str, ...] = ()  # a str is a header's lower-case name


@dataclass(frozen=True, slots=True)
class ErrorRule:
    """One rule of what a response means. `code` and `message` outrank the connector's own."""

    when: Condition
    means: Meaning
    pointer: str
    code: Words | None = None
    message: Words | None = None


LimitUnit: TypeAlias = Literal[
    "count",
    "delta_s",
    "delta_ms",
    "epoch_s",
    "epoch_ms",
    "http_date",
    "iso8601",
    "duration",
    "retry_after",
    "structured",
]


@dataclass(frozen=True, slots=True)
class LimitSource:
    """Where a number of a rate limit stands.

    In one of `header` (lower-case), `body`, `text` (RE2 with one group over the body's text), or nowhere: `fixed`.
    `member` picks the value of one name of a header's list, `pattern` (RE2 with one group) a part of what was found.
    `values` gives seconds for names. What is then left is read as `unit`; seconds beyond `max_s` are no value.
    """

    header: str | None = None
    body: Place | None = None
    text: str | None = None
    fixed: int | None = None
    member: str | None = None
    pattern: str | None = None
    values: Mapping[str, int] | None = None
    unit: LimitUnit = "count"
    max_s: int | None = None


@dataclass(frozen=True, slots=True)
class BudgetRule:
    """One quota and where a response tells of it. None is what the provider does not tell."""

    name: str
    limit: LimitSource | None = None
    remaining: LimitSource | None = None
    used: LimitSource | None = None
    reset: LimitSource | None = None
    window: LimitSource | None = None
    refill_per_s: LimitSource | None = None
    needed: LimitSource | None = None


@dataclass(frozen=True, slots=True)
class Throttle:
    """An answer that is a throttle, and where this one says how long to wait; () where it is as everywhere."""

    when: Condition
    pointer: str
    wait: tuple[LimitSource, ...] = ()


RETRY_AFTER: Final = LimitSource(header="retry-after", unit="retry_after")


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What a connector says of the provider's rate limits. `standard` is the form of the IETF draft's fields."""

    throttled: tuple[Throttle, ...] = ()
    wait: tuple[LimitSource, ...] = (RETRY_AFTER,)
    choose: Literal["first", "longest"] = "longest"
    default_wait_s: int | None = None
    budgets: tuple[BudgetRule, ...] = ()
    standard: Literal["pair", "triple", "dictionary"] | None = None


@dataclass(frozen=True, slots=True)
class Elements:
    """Where the results of a batch stand, each with its own fate. Places inside `at` are looked up in an element.

    An element failed where `failed` holds; `failures_at` is a second list, of failed elements alone.
    """

    pointer: str
    at: Place | None = None
    failed: tuple[tuple[Place, Trait], ...] = ()
    failures_at: Place | None = None
    id: Place | None = None
    status: Place | None = None
    code: Words = Words()
    message: Words = Words()


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
    max_records: int | None = None
    allow_repeats: bool = False

    window: Window | None = None
    on_expired: Literal["fail", "restart", "window"] = "fail"
    bookmark: Bookmark | None = None
    frozen: Frozen | None = None


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
    """One output field: its JSONata expression, and the level and the document that gave it."""

    name: str
    expression: str
    pointer: str
    line: int
    level: str = PLATFORM_BASE
    document: str = ""


@dataclass(frozen=True, slots=True)
class CustomSource:
    """One place of custom fields: an object's members, or with `key` a list's elements.

    `at` is looked up in the record; `key`, `value` and `typed_by` in each member or element. `bare` takes prefix and
    suffix off the names.
    """

    at: Place
    prefix: str = ""
    suffix: str = ""
    pattern: str | None = None
    exceptions: frozenset[str] = frozenset()
    bare: bool = False
    key: Place | None = None
    value: Place | None = None
    typed_by: Place | None = None


@dataclass(frozen=True, slots=True)
class CustomFields:
    """All fields that an account itself defined, as one object.

    `rule` says which output field takes it, and where that stands; its expression is none of JSONata's.
    """

    rule: FieldRule
    sources: tuple[CustomSource, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """A unified model's filter: the provider's parameter, its place, and the expression that makes its value.

    `rule` is None where the value is sent as it is. `otherwise` fills a template where the caller does not filter.
    """

    name: str
    param: str
    place: Placement
    rule: FieldRule | None
    otherwise: str
    pointer: str


@dataclass(frozen=True, slots=True)
class UnifiedMapping:
    """How a resource's records become records of a unified model, such as crm.contact."""

    model: str
    resource: str
    fields: tuple[FieldRule, ...]
    pointer: str
    custom_fields: CustomFields | None = None
    filters: tuple[Filter, ...] = ()
    writes: Mapping[str, tuple[FieldRule, ...]] = field(default_factory=lambda: MappingProxyType({}))


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
    decode: Format | None = None
    headers: Headers = ()
    query: Query = ()
    unified: Mapping[str, UnifiedMapping] = field(default_factory=lambda: MappingProxyType({}))
    errors: tuple[ErrorRule, ...] = ()
    error_code: Words = Words()
    error_message: Words = Words()
    rate_limit: RateLimit | None = None

    def rules_for(self, operation: Operation) -> tuple[ErrorRule, ...]:
        """What an answer to an operation means, in the order in which it is asked: whether it is a throttle, first."""
        throttled = self.rate_limit.throttled if self.rate_limit else ()
        throttles = (ErrorRule(one.when, "throttled", one.pointer) for one in throttled)
        return (*throttles, *operation.errors, *self.errors)

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
