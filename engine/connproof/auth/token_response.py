"""Read what a token endpoint answered: granted, or refused and whose fault that is. Never an exception.

A token is a Secret from here on, and no text of the provider is kept that could hold one. What is malformed
counts as not said, with a note: a refresh token that was given is never lost over a lifetime that cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Final, Literal, TypeAlias
from urllib.parse import parse_qsl

from connproof.conditions import named
from connproof.credentials import matches
from connproof.decode import Limits, decode_as_sent
from connproof.decode.parts import media_type
from connproof.errors import ProviderBroke, printable, shortened
from connproof.model import Account, Auth, Response, Secret, TokenAnswer, TokenEndpoint, Words, frozen
from connproof.places import ABSENT, Absent, JsonValue, Place
from connproof.scrub import MARK, Scrubber, texts_in
from connproof.standards.http_date import sent_at

__all__ = ["Refusal", "TokenGranted", "TokenRefused", "checked_variables", "read_token_response", "token_document"]

Refusal: TypeAlias = Literal["revoked", "misconfigured", "transient", "refused"]

_MOST_BYTES: Final = 1024 * 1024
_MOST_READ: Final = 4096  # of a text that may hold credentials, before it is looked through
_MOST_CODE: Final = 100
_MOST_DESCRIPTION: Final = 300
_MOST_SECONDS: Final = 100 * 366 * 86_400  # what lasts longer is no lifetime, and no date can hold it
_NO_ERROR: Final = (ABSENT, None, "", False)
_NOTHING: Final = (ABSENT, None, "")
_WHOLE = re.compile(r"([0-9]{1,18})(?:\.0+)?")
_BARE = re.compile(rb"(:\s*)(NaN|-?Infinity)(?=\s*[,}])")
_JWT = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*")  # an assertion that was just signed is in no account

# RFC 6749, section 5.2, and 4.1.2.1 for the transient ones. What stands in neither list stays "refused".
_MEANINGS: Final[Mapping[str, Refusal]] = MappingProxyType(
    {
        "invalid_grant": "revoked",
        "invalid_client": "misconfigured",
        "unauthorized_client": "misconfigured",
        "unsupported_grant_type": "misconfigured",
        "invalid_scope": "misconfigured",
        "server_error": "transient",
        "temporarily_unavailable": "transient",
        "slow_down": "transient",
    }
)


@dataclass(frozen=True, slots=True)
class TokenGranted:
    """A token, and what was said about it. Times are aware.

    `refresh_token` None means that the one that was used stays. `expires_at` None means that nobody knows.
    `extras` are the texts where the connector's variables stand, as they came: see `checked_variables`.
    `notes` say what could not be read.
    """

    access_token: Secret
    refresh_token: Secret | None = None
    expires_at: datetime | None = None
    refresh_expires_at: datetime | None = None
    scope: tuple[str, ...] = field(default=(), repr=False)
    extras: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenRefused:
    """No token, and who must act.

    `revoked`: the account's owner, by consenting again or by other credentials. `misconfigured`: whoever runs the
    connector's client. `transient`: nobody; the outcome may be unknown, and the refresh token may have been spent.
    `refused`: somebody must look. `code` and `description` are the provider's, bounded, printable, without credentials.
    `refresh_token` is a successor that came without an access token: it must be kept.
    """

    kind: Refusal
    status: int
    code: str = ""
    description: str = ""
    refresh_token: Secret | None = None


def token_document(response: Response) -> JsonValue | Absent:
    """The body of a token endpoint's answer: JSON or XML, whatever it is called, or a form as some providers send it.

    ABSENT where it is none of these: the page of a proxy, or nothing.
    """
    if media_type(response) == "application/x-www-form-urlencoded":
        body = response.body[:_MOST_BYTES].decode("utf-8", "replace")
        pairs: list[tuple[str, JsonValue]] = [*parse_qsl(body, keep_blank_values=True)]
        return dict(reversed(pairs))
    sent = decode_as_sent(response, limits=Limits(body_bytes=_MOST_BYTES))
    if sent.kind not in {"json", "xml"} and (quoted := _BARE.sub(rb'\1"\2"', response.body)) != response.body:
        # No JSON, but written by some servers for a lifetime: the tokens beside it may be the only ones there are.
        sent = decode_as_sent(replace(response, body=quoted), limits=Limits(body_bytes=_MOST_BYTES))
    return sent.value if sent.kind in {"json", "xml"} else ABSENT


def read_token_response(
    auth: Auth, account: Account, response: Response, document: JsonValue | Absent, now: datetime
) -> TokenGranted | TokenRefused:
    """What the answer means. `document` is its body as `token_document` reads it; `now` is when it arrived.

    Of the account only the credentials are used, to keep them out of what the provider says.
    """
    assert auth.token is not None and auth.token.answer is not None, "who asks for a token has an endpoint"
    answer = _Answer(auth.token, auth.token.answer, response, document, now)
    access = answer.token(auth.token.answer.access_token)
    if access is None or answer.is_error:
        return answer.refused(account)
    return TokenGranted(
        access,
        answer.token(auth.token.answer.refresh_token),
        expires_at=answer.expires_at(),
        refresh_expires_at=answer.refresh_expires_at(),
        scope=answer.scope(),
        extras=answer.extras(auth),
        notes=tuple(answer.notes),
    )


def checked_variables(auth: Auth, granted: TokenGranted) -> Mapping[str, str]:
    """The variables that came with a token, each wholly what its pattern allows. An absent one is not in it.

    Raises ProviderBroke: a base URL that leads elsewhere would take the token there. The token itself is good, and
    is to be kept first.
    """
    for name, text in granted.extras.items():
        declared = auth.variables[name]
        if not matches(declared, text):
            raise ProviderBroke(
                f'the token answer\'s "{name}" does not match its pattern; nothing was sent there',
                facts={
                    "pattern": declared.pattern,
                    "stands at": str(declared.path),
                    **({} if declared.secret else {"seen": shortened(printable(text), _MOST_CODE)}),
                },
                fix="if it is the provider's own, let the pattern allow it",
            )
    return granted.extras


class _Answer:
    """One answer, and what could not be read in it."""

    def __init__(
        self,
        endpoint: TokenEndpoint,
        places: TokenAnswer,
        response: Response,
        document: JsonValue | Absent,
        now: datetime,
    ) -> None:
        self._endpoint = endpoint
        self._places = places
        self._response = response
        self._document = document
        self._now = now
        self.notes: list[str] = []

    def token(self, words: Words) -> Secret | None:
        text = self._text(words)
        return Secret(text) if text.isprintable() and text else None

    @property
    def is_error(self) -> bool:
        """Whether it says so by its status, or has an error. An error that is null, "" or false is none."""
        if not 200 <= self._response.status < 300:
            return True
        found = [self._at(place) for place in self._places.error.places]
        return any(value not in _NO_ERROR for value in found)

    def refused(self, account: Account) -> TokenRefused:
        successor = self.token(self._places.refresh_token)
        known = [*texts_in(dict(account.credentials)), *([successor.reveal()] if successor else [])]
        scrubber = Scrubber(known)

        def shown(text: str, most: int) -> str:
            return shortened(printable(scrubber.text(_JWT.sub(MARK, text[:_MOST_READ]))), most)

        status = self._response.status
        if not self.is_error:
            # Neither a token nor a reason: the refresh token may have been spent.
            seen = "no access token" if isinstance(self._document, dict) else "no object"
            return TokenRefused("transient", status, "", f"a success with {seen}", successor)
        code = self._text(self._places.error)
        description = self._text(self._places.error_description)
        kind = _kind(self._endpoint, code, status)
        return TokenRefused(kind, status, shown(code, _MOST_CODE), shown(description, _MOST_DESCRIPTION), successor)

    def expires_at(self) -> datetime | None:
        endpoint = self._endpoint
        if endpoint.lifetime_s is not None:
            return self._now + timedelta(seconds=endpoint.lifetime_s)
        lifetime = self._lifetime(self._text(self._places.expires_in))
        if lifetime is not None:
            return self._now + lifetime
        if self._says(self._places.expires_in):
            self.notes.append("expires_in is no lifetime")
        if text := self._text(self._places.expires_at):
            at = _INSTANTS[self._places.expires_at_unit](text)
            # By the provider's clock: only the time between its two dates means the same here.
            left = None if at is None else at - (sent_at(self._response, now=self._now) or self._now)
            if left is not None and timedelta(0) < left <= timedelta(seconds=_MOST_SECONDS):
                return self._now + left
            self.notes.append("expires_at is no time to come")
        assumed = endpoint.assumed_lifetime_s
        return None if assumed is None else self._now + timedelta(seconds=assumed)

    def refresh_expires_at(self) -> datetime | None:
        said = {str(place): self._text(Words((place,))) for place in self._places.refresh_expires_in.places}
        lifetimes = {place: self._lifetime(text) for place, text in said.items() if text}
        self.notes += [f"{place} is no lifetime" for place, lifetime in lifetimes.items() if lifetime is None]
        readable = [lifetime for lifetime in lifetimes.values() if lifetime is not None]
        return self._now + min(readable) if readable else None

    def scope(self) -> tuple[str, ...]:
        for place in self._places.scope.places:
            found = self._at(place)
            if isinstance(found, str):
                return tuple(one for one in found.split(self._endpoint.scope_separator) if one)
            if isinstance(found, list):
                return tuple(one for one in found if isinstance(one, str))
        return ()

    def extras(self, auth: Auth) -> Mapping[str, str]:
        places = {n: v.path for n, v in auth.variables.items() if v.source == "token_response" and v.path is not None}
        found = {name: self._text(Words((place,))) for name, place in places.items()}
        return frozen({name: text for name, text in found.items() if text})

    def _says(self, words: Words) -> bool:
        """Whether anything at all stands there."""
        return any(self._at(place) not in _NOTHING for place in words.places)

    def _text(self, words: Words) -> str:
        return named(words, self._response, self._document)

    def _at(self, place: Place | str) -> JsonValue | Absent:
        if isinstance(place, str):
            header = self._response.header(place)
            return ABSENT if header is None else header
        return ABSENT if isinstance(self._document, Absent) else place.find(self._document)

    def _lifetime(self, text: str) -> timedelta | None:
        """A lifetime above zero, as a whole number; a provider may write it as a float, or in quotes."""
        number = _whole(text)
        seconds = number / 1000 if self._places.expires_in_unit == "ms" else number
        return timedelta(seconds=seconds) if 0 < seconds <= _MOST_SECONDS else None


def _kind(endpoint: TokenEndpoint, code: str, status: int) -> Refusal:
    """The config's word first. A fault or a throttle is never terminal by what else its body says."""
    declared: tuple[tuple[tuple[str, ...], Refusal], ...] = (
        (endpoint.revoked_when, "revoked"),
        (endpoint.misconfigured_when, "misconfigured"),
        (endpoint.transient_when, "transient"),
    )
    for codes, kind in declared:
        if code in codes:
            return kind
    if status in {408, 425, 429} or status >= 500:
        return "transient"
    if code in _MEANINGS:
        return _MEANINGS[code]
    if status == 401:
        # Where no client says who it is, as in a login, the account's own credentials were refused.
        return "revoked" if endpoint.client_auth == "none" else "misconfigured"
    return "refused"


def _whole(text: str) -> int:
    """A whole number above zero; 0 for any other text."""
    found = _WHOLE.fullmatch(text)
    return int(found[1]) if found else 0


def _iso(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _epoch(text: str, *, per_second: int = 1) -> datetime | None:
    seconds = _whole(text) // per_second
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds <= _MOST_SECONDS else None


_INSTANTS: Final[Mapping[str, Callable[[str], datetime | None]]] = MappingProxyType(
    {"iso8601": _iso, "epoch_s": _epoch, "epoch_ms": partial(_epoch, per_second=1000)}
)
