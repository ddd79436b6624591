"""How one provider speaks, told from its config alone: a token request read, and its answer written.

What the config declares is what this provider insists on: URL, method, form, client authentication, scope, further
parameters and headers. The request is taken apart here, never compared with one that the engine would write.
A parameter that nobody declared is ignored (RFC 6749, section 3.2).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import parse_qsl, unquote_plus

from connproof.auth.token_request import token_url
from connproof.config import CREDENTIALS
from connproof.credentials import credential, filled, variable
from connproof.decode import decode
from connproof.draft import as_text
from connproof.errors import CallWrong, ProviderBroke
from connproof.links import origin
from connproof.model import Account, Assertion, Auth, Request, Response, TokenAnswer, TokenEndpoint, Words, XmlFormat
from connproof.places import ABSENT, Absent, JsonValue, Place
from pytest_connproof.grants import GRANT_TYPES
from pytest_connproof.provider.writing import answered, at_places, dated

__all__ = ["Asked", "Dialect", "Fault", "Grant", "Kind", "as_told"]

Kind: TypeAlias = Literal["revoked", "misconfigured", "transient"]

_CODES: Final[Mapping[Kind, str]] = {
    "revoked": "invalid_grant",
    "misconfigured": "invalid_client",
    "transient": "temporarily_unavailable",
}
_CLIENT_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_TYPES: Final[Mapping[str, frozenset[str]]] = {
    "form": frozenset({"application/x-www-form-urlencoded"}),
    "json": frozenset({"application/json"}),
    "xml": frozenset({"text/xml", "application/xml"}),
}
_SKEW_S: Final = 60  # that a signed assertion may come from a clock that is ahead

Params: TypeAlias = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Asked:
    """A token request that is understood, of a client that is known. `refresh` None: its grant presents no token."""

    refresh: str | None


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a token request is refused before anybody looks at its token. `code` "" is no answer of OAuth: a 404."""

    status: int
    code: str
    description: str


def as_told(lifetime: JsonValue) -> JsonValue | Absent:
    """The lifetime as the config wants it written."""
    return lifetime


@dataclass(frozen=True, slots=True)
class Grant:
    """What an answer grants. `told` turns the lifetime, as it would be written, into what is written."""

    access: JsonValue | Absent
    refresh: JsonValue | Absent
    lifetime_s: float
    refresh_lifetime_s: float | None = None
    told: Callable[[JsonValue], JsonValue | Absent] = as_told


class Dialect:
    """One connector's token endpoint and access slot, for one account.

    Of several places for one value the one numbered `alternative` is written, or else the last. Raises CallWrong where
    the config has no token endpoint, or the account lacks a credential that the endpoint would check.
    """

    def __init__(self, auth: Auth, account: Account, *, alternative: int = 0) -> None:
        if auth.token is None or auth.token.answer is None:
            raise CallWrong(
                f'the connector\'s auth, "{auth.type}", has no token endpoint to be simulated',
                facts={"seen at": f"connector.json {auth.pointer}"},
            )
        self._auth = auth
        self._account = account
        self._endpoint: TokenEndpoint = auth.token
        self._places: TokenAnswer = auth.token.answer
        self._alternative = alternative
        self._form: Literal["json", "xml"] = "xml" if auth.token.encode == "xml" else "json"
        self._url = token_url(auth, account, refreshing=auth.token.grant == "refresh_token")
        self._address = _address(self._url)
        self._own_query = parse_qsl(self._url.partition("?")[2], keep_blank_values=True)
        self._client = _Client(auth.token, auth, account, self._url)
        self._wanted = {name: self._pattern(value, f"params/{name}") for name, value in self._endpoint.params}
        self._leaves = None if auth.token.body is None else _leaves(auth.token.body.encode())
        self._in_body = {text: self._pattern(text, "body") for _, text in self._leaves or ()}

    # The access slot.

    def token_in(self, request: Request) -> str | None:
        """The access token in the slot that the config names; None where there is none."""
        held = request.header(self._auth.name)
        prefix = self._auth.prefix
        return held[len(prefix) :] if held is not None and held.startswith(prefix) else None

    # The request.

    def is_asked(self, request: Request) -> bool:
        """Whether the request is for the token endpoint."""
        return _address(request.url) == self._address

    def refresh_in(self, request: Request) -> str | None:
        """The refresh token that a request presents, however wrong it is otherwise."""
        if self._leaves is not None:
            captured, _ = self._document(request)
            return captured
        params = self._parameters(request)
        return None if isinstance(params, Fault) else self._presented(params)

    def read(self, request: Request, now: float) -> Asked | Fault:
        """What is asked, at `now` by the provider's clock in seconds since 1970. Checked in the order of a server."""
        endpoint = self._endpoint
        if not self.is_asked(request):
            return Fault(404, "", "no such path")
        if request.method != endpoint.method:
            return Fault(405, "", f"only {endpoint.method} is served")
        sent = parse_qsl(request.url.partition("?")[2], keep_blank_values=True)
        if any(pair not in sent for pair in self._own_query):
            return Fault(400, "invalid_request", "the URL is not as documented")
        for name, text in endpoint.headers:
            if request.header(name) != filled(text, self._auth, self._account, f"{endpoint.pointer}/headers/{name}"):
                return Fault(400, "invalid_request", f"the header {name} is not as documented")
        if self._leaves is not None:
            return self._client.header_fault(request, now) or self._read_document(request)
        params = self._parameters(request)
        if isinstance(params, Fault):
            return params
        fault = (
            self._client.header_fault(request, now)
            or self._client.fault(params, now)
            or self._grant_fault(params, now)
            or self._params_fault(params)
        )
        if fault is not None:
            return fault
        presented = self._presented(params)
        if endpoint.grant == "refresh_token" and not presented:
            return Fault(400, "invalid_request", "the parameter refresh_token is missing")
        return Asked(presented)

    def _parameters(self, request: Request) -> Params | Fault:
        encode = self._endpoint.encode
        if encode == "query":
            pairs = parse_qsl(request.url.partition("?")[2], keep_blank_values=True)
            return _once([pair for pair in pairs if pair not in self._own_query])
        if request.body is None:
            return {}
        if (wrong := self._type_fault(request)) is not None:
            return wrong
        text = request.body.decode("utf-8", "replace")
        if encode == "form":
            return _once(parse_qsl(text, keep_blank_values=True))
        try:
            document: JsonValue = json.loads(text)
        except ValueError:
            document = None
        return document if isinstance(document, dict) else Fault(400, "invalid_request", "the body is no JSON object")

    def _type_fault(self, request: Request) -> Fault | None:
        called = (request.header("content-type") or "").partition(";")[0].strip().lower()
        declared = dict(self._endpoint.headers).get("content-type")
        wanted = _TYPES[self._endpoint.encode] if declared is None else {declared.partition(";")[0].strip().lower()}
        return None if called in wanted else Fault(400, "invalid_request", "the body is of another type")

    def _grant_fault(self, params: Params, now: float) -> Fault | None:
        endpoint = self._endpoint
        grant = GRANT_TYPES.get(endpoint.grant)
        if grant is not None and "grant_type" not in self._wanted:
            if "grant_type" not in params:
                return Fault(400, "invalid_request", "the parameter grant_type is missing")
            if params["grant_type"] != grant:
                return Fault(400, "unsupported_grant_type", "another grant is served here")
        if endpoint.grant == "jwt_bearer" and not self._client.signed(params.get("assertion"), now):
            return Fault(400, self.code_of("revoked"), "the assertion is not valid")
        scope = endpoint.scope_separator.join(endpoint.scope)
        if scope and "scope" not in self._wanted and params.get("scope") != scope:
            return Fault(400, "invalid_scope", "the scope is another")
        return None

    def _params_fault(self, params: Params) -> Fault | None:
        for name, wanted in self._wanted.items():
            if name not in params:
                return Fault(400, "invalid_request", f"the parameter {name} is missing")
            if not wanted.fits(params[name], as_texts=self._endpoint.encode != "json"):
                return self._unlike(name, wanted)
        return None

    def _unlike(self, name: str, wanted: _Pattern) -> Fault:
        if wanted.holds_credential:
            login = self._endpoint.grant == "none"
            return Fault(401 if login else 400, self.code_of("revoked"), f"{name} is not known")
        code = {"grant_type": "unsupported_grant_type", "scope": "invalid_scope"}.get(name, "invalid_request")
        return Fault(400, code, f"{name} is not as documented")

    def _presented(self, params: Params) -> str | None:
        for name, wanted in self._wanted.items():
            if wanted.captures:
                return wanted.captured(params.get(name))
        found = params.get("refresh_token") if self._endpoint.grant == "refresh_token" else None
        return found if isinstance(found, str) else None

    # A request that is one document of XML: element by element as the config's own.

    def _read_document(self, request: Request) -> Asked | Fault:
        captured, fault = self._document(request)
        return fault or Asked(captured)

    def _document(self, request: Request) -> tuple[str | None, Fault | None]:
        wrong = self._type_fault(request)
        sent, wanted_leaves = _leaves(request.body or b""), self._leaves or ()
        if wrong is not None or [where for where, _ in sent] != [where for where, _ in wanted_leaves]:
            return None, wrong or Fault(400, "invalid_request", "the document is not as documented")
        captured: str | None = None
        for (_, text), (where, template) in zip(sent, wanted_leaves, strict=True):
            wanted = self._in_body[template]
            captured = captured or wanted.captured(text)
            if not wanted.fits(text, as_texts=True):
                return captured, self._unlike(where.rpartition("/")[2], wanted)
        return captured, None

    def _pattern(self, value: JsonValue, word: str) -> _Pattern:
        if not isinstance(value, str):
            return _Pattern(value, None, holds_credential=False)
        pointer = f"{self._endpoint.pointer}/{word}"
        parts, at, captures, secret = "", 0, False, False
        for found in CREDENTIALS.finditer(value):
            parts += re.escape(value[at : found.start()])
            declared, place = self._auth.variables.get(found[1]), Place.parse(found[1])
            if declared is not None:
                parts += re.escape(variable(declared, self._account, pointer))
            elif place == self._endpoint.refresh_token_path:
                parts += "(?P=refresh)" if captures else "(?P<refresh>.+)"
                captures = True
            else:
                parts += re.escape(credential(self._account, place, pointer))
                secret = True
            at = found.end()
        return _Pattern(value, re.compile(parts + re.escape(value[at:]), re.DOTALL), holds_credential=secret)

    # The answer.

    def code_of(self, kind: Kind) -> str:
        """The error code by which this provider says so: the first that its config declares, else RFC 6749's."""
        declared: Mapping[Kind, tuple[str, ...]] = {
            "revoked": self._endpoint.revoked_when,
            "misconfigured": self._endpoint.misconfigured_when,
            "transient": self._endpoint.transient_when,
        }
        return next(iter(declared[kind]), _CODES[kind])

    def granted(self, grant: Grant, now: float) -> Response:
        """The answer that grants this, at `now` by the provider's clock."""
        places, endpoint = self._places, self._endpoint
        scope = endpoint.scope_separator.join(endpoint.scope)
        values: list[tuple[Words, JsonValue | Absent]] = [
            (places.access_token, grant.access),
            (places.refresh_token, grant.refresh),
            *self._lifetime(grant, now),
            (places.refresh_expires_in, self._in_unit(grant.refresh_lifetime_s)),
            (places.scope, scope or ABSENT),
        ]
        extras: list[tuple[Place | str, JsonValue | Absent]] = [
            (declared.path, self._account.variables.get(name, ABSENT))
            for name, declared in self._auth.variables.items()
            if declared.source == "token_response" and declared.path is not None
        ]
        if self._form == "json":
            extras.append((Place.parse("token_type"), "Bearer"))
        return self._answered([*self._chosen(values), *extras], now)

    def refused(self, code: str, now: float, *, status: int = 400, description: str = "") -> Response:
        """The answer that says this error code, where this provider says errors."""
        values = [(self._places.error, code), (self._places.error_description, description or ABSENT)]
        return self._answered(self._chosen(values), now, status=status)

    def faulted(self, fault: Fault, now: float) -> Response:
        """The answer to a request that is wrong."""
        if not fault.code:
            page = f"<!doctype html><title>{fault.description}</title>".encode()
            return Response(fault.status, (("content-type", "text/html"), dated(now)), page)
        code = self.code_of("misconfigured") if fault.code == _CODES["misconfigured"] else fault.code
        return self.refused(code, now, status=fault.status, description=fault.description)

    def _lifetime(self, grant: Grant, now: float) -> list[tuple[Words, JsonValue | Absent]]:
        """At the place of an absolute time where the config has one, else at that of a lifetime."""
        if not self._places.expires_at.places:
            return [(self._places.expires_in, grant.told(self._counted(grant.lifetime_s)))]
        at = now + grant.lifetime_s
        match self._places.expires_at_unit:
            case "iso8601":
                told: JsonValue = datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
            case "epoch_s":
                told = int(at)
            case "epoch_ms":
                told = int(at * 1000)
        return [(self._places.expires_at, grant.told(told))]

    def _in_unit(self, seconds: float | None) -> int | Absent:
        return ABSENT if seconds is None else self._counted(seconds)

    def _counted(self, seconds: float) -> int:
        return int(seconds * 1000) if self._places.expires_in_unit == "ms" else int(seconds)

    def _chosen(
        self, values: Iterable[tuple[Words, JsonValue | Absent]]
    ) -> list[tuple[Place | str, JsonValue | Absent]]:
        return [
            (words.places[min(self._alternative, len(words.places) - 1)], value)
            for words, value in values
            if words.places
        ]

    def _answered(
        self, values: list[tuple[Place | str, JsonValue | Absent]], now: float, *, status: int = 200
    ) -> Response:
        document, headers = at_places(values, self._form)
        own = (dated(now), ("cache-control", "no-store"))  # RFC 6749, section 5.1
        return answered(document, *own, *headers, status=status, form=self._form)


class _Client:
    """What the endpoint knows of its client, and how it checks that (RFC 6749, section 2.3; RFC 7523)."""

    def __init__(self, endpoint: TokenEndpoint, auth: Auth, account: Account, url: str) -> None:
        self._endpoint = endpoint
        self._auth = auth
        self._account = account
        self._url = url
        has_pair = endpoint.client_auth in {"basic", "body"}
        self._id = self._held(endpoint.client_id_path) if has_pair or endpoint.client_auth == "id_only" else ""
        self._secret = self._held(endpoint.client_secret_path) if has_pair else ""
        self._key: Any = None if endpoint.jwt is None else _public_key(endpoint.jwt, self._held(endpoint.jwt.key_path))

    def header_fault(self, request: Request, now: float) -> Fault | None:
        """Where the client says who it is in the header: whether it is this one."""
        sent = request.header("authorization") or ""
        match self._endpoint.client_auth:
            case "basic":
                known = self._pair(sent) == (self._id, self._secret)
            case "bearer_jwt":
                known = sent.startswith("Bearer ") and self.signed(sent.removeprefix("Bearer "), now)
            case _:
                known = True
        return None if known else Fault(401, "invalid_client", "the client is not known")

    def fault(self, params: Params, now: float) -> Fault | None:
        """Where the client says who it is among the parameters: whether it is this one."""
        match self._endpoint.client_auth:
            case "body":
                known = (params.get("client_id"), params.get("client_secret")) == (self._id, self._secret)
            case "id_only":
                known = params.get("client_id") == self._id
            case "private_key_jwt":
                is_typed = params.get("client_assertion_type") == _CLIENT_ASSERTION
                known = is_typed and self.signed(params.get("client_assertion"), now)
            case _:
                known = True
        return None if known else Fault(401, "invalid_client", "the client is not known")

    def signed(self, assertion: JsonValue, now: float) -> bool:
        """Whether an assertion is this client's, for this endpoint, and valid now."""
        import jwt

        said = self._endpoint.jwt
        assert said is not None, "config demands it"
        if not isinstance(assertion, str):
            return False
        try:
            header = jwt.get_unverified_header(assertion)
            claims = jwt.decode(
                assertion,
                self._key,
                algorithms=[said.algorithm],
                # Checked below, by the clock that is given.
                options={"verify_aud": False, "verify_exp": False, "verify_iat": False},
            )
        except jwt.PyJWTError:
            return False
        wanted: dict[str, JsonValue] = {
            "iss": self._text(said.issuer),
            "aud": self._url if said.audience is None else self._text(said.audience),
            **({} if said.subject is None else {"sub": self._text(said.subject)}),
            **{name: self._text(value) if isinstance(value, str) else value for name, value in said.claims},
        }
        issued, ends = claims.get("iat"), claims.get("exp")
        return (
            all(claims.get(name) == value for name, value in wanted.items())
            and (said.key_id_path is None or header.get("kid") == self._held(said.key_id_path))
            and isinstance(issued, int)
            and isinstance(ends, int)
            and issued - _SKEW_S <= now < ends
            and isinstance(claims.get("jti"), str)
        )

    def _pair(self, sent: str) -> tuple[str, str] | None:
        prefix = self._endpoint.client_auth_prefix
        try:
            text = base64.b64decode(sent.removeprefix(prefix), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None
        if not sent.startswith(prefix):
            return None
        if not self._endpoint.client_auth_encoded:
            # An id may have a colon too: the pair is known by its whole.
            return (self._id, self._secret) if text == f"{self._id}:{self._secret}" else None
        name, _, secret = text.partition(":")
        return unquote_plus(name), unquote_plus(secret)

    def _text(self, template: str) -> str:
        return filled(template, self._auth, self._account, f"{self._endpoint.pointer}/jwt")

    def _held(self, place: Place | None) -> str:
        assert place is not None, "config gives it a default, or demands it"
        return credential(self._account, place, self._endpoint.pointer, multiline=True)


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A value of the config, its braces filled but for the refresh token, which is captured."""

    value: JsonValue
    text: re.Pattern[str] | None
    holds_credential: bool

    @property
    def captures(self) -> bool:
        return self.text is not None and bool(self.text.groupindex)

    def fits(self, sent: JsonValue, *, as_texts: bool) -> bool:
        if self.text is not None:
            return isinstance(sent, str) and self.text.fullmatch(sent) is not None
        if as_texts:
            return sent == as_text(self.value)
        return sent == self.value and isinstance(sent, bool) is isinstance(self.value, bool)

    def captured(self, sent: JsonValue) -> str | None:
        found = self.text.fullmatch(sent) if self.captures and self.text and isinstance(sent, str) else None
        return found["refresh"] if found else None


def _address(url: str) -> tuple[str, str] | None:
    """Origin and path: a query tells one request from another, not one endpoint."""
    plain = url.partition("?")[0]
    try:
        return origin(plain), "/" + plain.partition("//")[2].partition("/")[2]
    except ValueError:
        return None


def _once(pairs: list[tuple[str, str]]) -> Params | Fault:
    params: dict[str, JsonValue] = dict(pairs)
    return params if len(params) == len(pairs) else Fault(400, "invalid_request", "a parameter is sent twice")


def _leaves(body: bytes) -> tuple[tuple[str, str], ...]:
    """Every text and attribute of a document of XML, with where it stands; none where it is no such document."""
    try:
        document = decode(Response(200, (), body), declared=XmlFormat(namespaces="keep"))
    except ProviderBroke:
        return ()
    return () if isinstance(document, Absent) else tuple(_leaves_in(document, ""))


def _leaves_in(value: JsonValue, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name in sorted(value):
            yield from _leaves_in(value[name], f"{at}/{name}")
    elif isinstance(value, list):
        for index, element in enumerate(value):
            yield from _leaves_in(element, f"{at}/{index}")
    else:
        yield at, value if isinstance(value, str) else ""


def _public_key(said: Assertion, key: str) -> Any:
    """The half of the account's key with which a signature is checked. `Any`: one class for each kind of key."""
    if said.algorithm == "HS256":
        return key
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    return load_pem_private_key(key.encode(), password=None).public_key()
