"""Which recorded exchanges ask for a token, and what stands in them: told from the config's `auth` alone.

An exchange of the token endpoint is no page and no answer of an operation, whichever lane it stands in. It is known by
its address and by what it asks for; what the account's variables stand for in the address is left open, so that
traffic of any account is known.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qsl, unquote_plus, urlencode
from xml.sax.saxutils import unescape

from connproof.auth.token_response import TokenGranted, TokenRefused, read_token_response, token_document
from connproof.config import BRACES, CREDENTIALS
from connproof.model import Account, Auth, Connector, Request, Response, TokenEndpoint
from connproof.places import JsonValue
from pytest_connproof.recording import Exchange, Lane
from pytest_connproof.redact.shapes import tells
from pytest_connproof.replay import address

__all__ = [
    "GRANT_TYPES",
    "asks_for_token",
    "credentials_in",
    "grants_in",
    "of_operations",
    "outcome_of",
    "parameters_of",
    "with_distinct_credentials",
]

GRANT_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "refresh_token": "refresh_token",
        "client_credentials": "client_credentials",
        "jwt_bearer": "urn:ietf:params:oauth:grant-type:jwt-bearer",
    }
)
"""What a request calls each grant (RFC 6749, RFC 7523)."""

_ANY_TEXT: Final = "any-text-at-all"  # one that is the same in each part of a URL, in any spelling of that
_WHENEVER: Final = datetime(2000, 1, 1, tzinfo=UTC)  # whether a token was granted has nothing to do with the time


def grants_in(connector: Connector, lane: Lane) -> tuple[Exchange, ...]:
    """The exchanges of a lane that ask for a token."""
    if connector.auth.token is None:
        return ()
    return tuple(exchange for exchange in lane.exchanges if asks_for_token(connector.auth, exchange.request))


def of_operations(connector: Connector, lane: Lane) -> tuple[Exchange, ...]:
    """The other ones: those that operations are answered by."""
    if connector.auth.token is None:
        return lane.exchanges
    return tuple(exchange for exchange in lane.exchanges if not asks_for_token(connector.auth, exchange.request))


def asks_for_token(auth: Auth, request: Request) -> bool:
    """Whether a request goes to the config's token endpoint, for what the config asks for there."""
    endpoint = auth.token
    if endpoint is None or not any(_is_address(url, request.url) for _, url in auth.urls):
        return False
    if endpoint.body is not None:
        return _filled_in(endpoint.body, _text(request)) is not None
    said = parameters_of(request)
    fixed = {name: value for name, value in endpoint.params if not isinstance(value, str) or "{" not in value}
    if endpoint.grant == "none":  # a login may stand at the address of operations
        return all(said.get(name) == value for name, value in fixed.items())
    wanted = fixed.get("grant_type", GRANT_TYPES[endpoint.grant])
    return said.get("grant_type", wanted) == wanted


def parameters_of(request: Request) -> Mapping[str, JsonValue]:
    """What a token request says, in its query and in its form or JSON object."""
    said: dict[str, JsonValue] = dict(parse_qsl(request.url.partition("?")[2], keep_blank_values=True))
    text = (request.body or b"").decode("utf-8", "replace")
    try:
        document = json.loads(text)
    except ValueError:
        return {**said, **dict(parse_qsl(text, keep_blank_values=True))}
    return {**said, **document} if isinstance(document, dict) else said


def outcome_of(
    auth: Auth, account: Account, response: Response, now: datetime = _WHENEVER
) -> TokenGranted | TokenRefused:
    """What a token endpoint's recorded answer means to the config; how long a token lives is told from `now`."""
    return read_token_response(auth, account, response, token_document(response), now)


def credentials_in(auth: Auth, request: Request, response: Response) -> Iterator[tuple[str, str]]:
    """The credentials of a token exchange, at the places that the config says: each, and what its kind is called."""
    endpoint = auth.token
    assert endpoint is not None, "what asks for tokens says where"
    said = parameters_of(request) if endpoint.body is None else _filled_in(endpoint.body, _text(request)) or {}
    for name, kind in _kinds(auth).items():
        if isinstance(text := said.get(name), str):
            yield from ((spelt, kind) for spelt in dict.fromkeys((text, unescape(text) if endpoint.body else text)))
    yield from _in_header(endpoint, request)
    came = outcome_of(auth, Account(), response)
    if isinstance(came, TokenGranted):
        yield came.access_token.reveal(), "session_token" if auth.type == "session" else "access_token"
    if came.refresh_token is not None:
        yield came.refresh_token.reveal(), "refresh_token"


def with_distinct_credentials(auth: Auth, request: Request) -> Request:
    """A token request in which no credential is a word or a number that may stand anywhere.

    What is secret is sought in all that was recorded: of a PIN, or of a user called admin, its kind is said too.
    """
    endpoint, kinds, text = auth.token, _kinds(auth), _text(request)
    assert endpoint is not None, "what asks for tokens says where"

    def distinct(name: str, value: JsonValue) -> JsonValue:
        is_common = name in kinds and isinstance(value, str) and value and not tells(value)
        return f"the {kinds[name]}: {value}" if is_common else value

    def encoded(pairs: str) -> str:
        said = parse_qsl(pairs, keep_blank_values=True)
        told = [(name, str(distinct(name, value))) for name, value in said]
        return pairs if told == said else urlencode(told)

    if endpoint.body is not None:
        filled = _filled_in(endpoint.body, text) or {}
        text = CREDENTIALS.sub(lambda word: str(distinct(word[1], filled[word[1]])), endpoint.body) if filled else text
    else:
        text = _distinct_in(text, distinct, encoded)
    address, mark, query = request.url.partition("?")
    body = None if request.body is None else text.encode("utf-8", "surrogateescape")
    return replace(request, url=address + mark + encoded(query), body=body)


def _distinct_in(text: str, distinct: Callable[[str, JsonValue], JsonValue], encoded: Callable[[str], str]) -> str:
    """A JSON object by its members, anything else as a form."""
    try:
        document = json.loads(text)
    except ValueError:
        return encoded(text)
    if not isinstance(document, dict):
        return text
    return json.dumps({name: distinct(name, value) for name, value in document.items()}, ensure_ascii=False)


def _kinds(auth: Auth) -> Mapping[str, str]:
    """What holds a credential, parameters or words of the document, and what its kind is called."""
    assert auth.token is not None, "what asks for tokens says where"
    if auth.token.body is not None:
        return {word: _kind(word) for word in CREDENTIALS.findall(auth.token.body) if word not in auth.variables}
    braced = ((name, CREDENTIALS.fullmatch(value)) for name, value in auth.token.params if isinstance(value, str))
    own = {name: _kind(found[1]) for name, found in braced if found and found[1] not in auth.variables}
    return {**{name: name for name in _OF_THE_CLIENT}, **own}


def _kind(path: str) -> str:
    return re.sub("[^a-z0-9]+", "_", path.lower()).strip("_")


def _filled_in(template: str, text: str) -> Mapping[str, str] | None:
    """What stands in a document for each word in braces, as it is spelt there; None in another document."""
    first, *rest = CREDENTIALS.split(template)
    words, literals, pattern = rest[::2], rest[1::2], re.escape(first)
    for at, (word, literal) in enumerate(zip(words, literals, strict=True)):
        known = words.index(word)
        pattern += (f"(?P<w{at}>.*?)" if known == at else f"(?P=w{known})") + re.escape(literal)
    found = re.fullmatch(pattern, text, re.DOTALL)
    return None if found is None else {word: found[f"w{words.index(word)}"] for word in words}


def _text(request: Request) -> str:
    return (request.body or b"").decode("utf-8", "surrogateescape")


_OF_THE_CLIENT: Final = ("refresh_token", "client_id", "client_secret", "client_assertion", "assertion")


def _in_header(endpoint: TokenEndpoint, request: Request) -> Iterator[tuple[str, str]]:
    """The client's pair as it is sent in the header, and its two sides."""
    sent = request.header("authorization") or ""
    prefix = endpoint.client_auth_prefix
    pair = sent[len(prefix) :] if sent.lower().startswith(prefix.lower()) else ""
    try:
        inside = base64.b64decode(pair, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return
    user, colon, password = inside.partition(":")
    if colon:
        yield pair, "basic"
        for side, name in ((user, "client_id"), (password, "client_secret")):
            yield from ((text, name) for text in dict.fromkeys((side, unquote_plus(side))) if text)


def _is_address(template: str, url: str) -> bool:
    """Whether a URL is that of a template, queries aside; a name in braces stands for any text without a slash."""
    try:
        asked, declared = "".join(address(url)), "".join(address(BRACES.sub(_ANY_TEXT, template)))
    except ValueError:
        return False
    return re.fullmatch("[^/]+".join(map(re.escape, declared.split(_ANY_TEXT))), asked) is not None
