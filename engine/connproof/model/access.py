"""On whose behalf a request is made: variables, auth, token endpoints, and the account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from connproof.model.answers import Words
from connproof.model.wire import Headers
from connproof.places import JsonValue, Place

__all__ = [
    "Account",
    "Assertion",
    "Auth",
    "Grant",
    "Secret",
    "TokenAnswer",
    "TokenEndpoint",
    "Variable",
]


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


Grant: TypeAlias = Literal["refresh_token", "client_credentials", "jwt_bearer", "none"]


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
        if not isinstance(other, Secret):
            return False
        from hmac import compare_digest  # few runs compare secrets

        return compare_digest(
            other._value.encode("utf-8", "surrogatepass"), self._value.encode("utf-8", "surrogatepass")
        )

    def __hash__(self) -> int:
        return hash(self._value)


@dataclass(frozen=True, slots=True)
class Account:
    """One connected account: its credentials (a document) and its variables (name to text)."""

    name: str = "default"
    credentials: Mapping[str, JsonValue] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
