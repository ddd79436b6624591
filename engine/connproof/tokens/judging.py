"""What became of one request to a token endpoint: granted, refused for good, or nobody knows. Pure.

Only an answer can be terminal; whatever happens on the way is transient, however often. What may have
been sent counts as sent: a refresh token is taken for unspent only where certainly not one byte of it left.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from connproof.auth.token_response import TokenGranted, read_token_response, token_document
from connproof.errors import CallWrong, ConnproofError, ProviderSaid
from connproof.model import Account, Auth, Response, Secret, TokenPair
from connproof.standards.retry_after import read_retry_after

__all__ = ["Client", "Granted", "Outcome", "Terminal", "Transient", "judged", "unanswered"]


@dataclass(frozen=True, slots=True)
class Granted:
    """A new pair, and what else the answer says."""

    granted: TokenGranted = field(repr=False)

    def pair(self, received_at: float, now: datetime) -> TokenPair:
        """As it is kept: its ends by the store's clock. `now` is the time that the answer was read with."""
        lifetime = _seconds(self.granted.expires_at, now)
        refresh_lifetime = _seconds(self.granted.refresh_expires_at, now)
        return TokenPair(
            self.granted.access_token,
            self.granted.refresh_token,
            expires_at=None if lifetime is None else received_at + lifetime,
            refresh_expires_at=None if refresh_lifetime is None else received_at + refresh_lifetime,
            lifetime_s=lifetime,
        )


@dataclass(frozen=True, slots=True)
class Terminal:
    """The refresh token is refused for good (invalid_grant, or the config's word for it)."""


@dataclass(frozen=True, slots=True)
class Client:
    """The OAuth client itself is refused: the account has nothing to do with it. `reason` is the provider's code."""

    reason: str


@dataclass(frozen=True, slots=True)
class Transient:
    """No token, and nothing final. `sent` False: certainly nothing left.

    `reason` is a word for what was seen; `wait_s` is what the provider asks for. `successor` is a refresh token that
    came without an access token.
    """

    reason: str
    sent: bool = True
    wait_s: int | None = None
    successor: Secret | None = None

    @property
    def is_riddle(self) -> bool:
        """Whether it was a plain refusal that neither RFC 6749 nor the config has a meaning for."""
        return self.reason == "refused"


Outcome: TypeAlias = Granted | Terminal | Client | Transient


def judged(auth: Auth, account: Account, response: Response, now: datetime) -> Outcome:
    """What an answer means. `now` is when it arrived."""
    read = read_token_response(auth, account, response, token_document(response), now)
    if isinstance(read, TokenGranted):
        return Granted(read)
    match read.kind:
        case "revoked":
            return Terminal()
        case "misconfigured":
            return Client(read.code or f"http_{read.status}")
        case "transient":
            wait_s = read_retry_after(response, now=now).seconds
            return Transient(_word(read.status), wait_s=wait_s, successor=read.refresh_token)
        case "refused":
            return Transient("refused", successor=read.refresh_token)


def unanswered(fault: ConnproofError | None) -> Transient:
    """What it means that there was no answer; None: not within the time there was."""
    if fault is None:
        return Transient("no_answer")
    not_sent = isinstance(fault, CallWrong) or (isinstance(fault, ProviderSaid) and fault.sent is False)
    return Transient("unreachable", sent=False) if not_sent else Transient("no_answer")


def _word(status: int) -> str:
    if status == 429:
        return "throttled"
    return "provider_failed" if status >= 300 else "unreadable_answer"


def _seconds(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else (at - now) / timedelta(seconds=1)
