"""What a successor of a kept pair is, and what else a token store writes: the same in every one, by field of TokenRow.

A refresh token is told by its mark. One that is current, or was, or waits as a candidate, is known: it is never
kept a second time, as a spent one that came back as a candidate would be presented again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, NoReturn

from connproof.errors import SharedGrant
from connproof.model import Candidate, Secret, TokenPair, TokenRow, TokenState

__all__ = [
    "CLAIMABLE",
    "FREE",
    "MOST_PAST",
    "SETTLED",
    "candidate_of",
    "intent_of",
    "newest",
    "promoted",
    "refuse_shared",
    "successor_of",
    "usable",
]

CLAIMABLE: Final[Collection[TokenState]] = ("ok", "ambiguous")

# How many earlier pairs are told apart. A write that is tried again comes a few refreshes late at the most.
MOST_PAST: Final = 32

FREE: Final[Mapping[str, Any]] = MappingProxyType({"lease_owner": "", "lease_until": 0.0})
"""A lease that nobody has. Its epoch stays: it only ever grows."""

SETTLED: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "state": "ok",
        "reason": "",
        "intent_generation": None,
        "intent_epoch": 0,
        "intent_at": 0.0,
        "intent_first_at": 0.0,
        "intent_count": 0,
        "fail_count": 0,
        "not_before": 0.0,
    }
)
"""A generation whose refresh token nobody has presented yet."""


def usable(pair: TokenPair) -> Secret | None:
    """The access token; None where the answer had a refresh token alone."""
    return pair.access if pair.access.reveal() else None


def successor_of(claimed: TokenRow, pair: TokenPair) -> TokenPair:
    """The pair with what stays as it was: the refresh token, and its end, where the answer has no new one."""
    if pair.refresh is not None:
        return pair
    ends = claimed.refresh_expires_at if pair.refresh_expires_at is None else pair.refresh_expires_at
    return replace(pair, refresh=claimed.refresh, refresh_expires_at=ends)


def candidate_of(claimed: TokenRow, pair: TokenPair) -> Candidate | None:
    """The pair as a late successor; None where it has no refresh token, and so nothing that must not be lost."""
    if pair.refresh is None:
        return None
    return Candidate(claimed.generation, pair.refresh, usable(pair), pair.expires_at)


def newest(candidates: Iterable[Candidate]) -> Candidate:
    """The one that was granted for the latest generation, and of these the last that came."""
    return max(reversed([*candidates]), key=lambda one: one.generation)


def promoted(candidate: Candidate) -> TokenPair:
    """A candidate as the pair that it is to be."""
    return TokenPair(candidate.access or Secret(""), candidate.refresh, candidate.expires_at)


def intent_of(row: TokenRow) -> dict[str, Any]:
    """The intent of a row, to be put back."""
    return {
        "intent_generation": row.intent_generation,
        "intent_epoch": row.intent_epoch,
        "intent_at": row.intent_at,
        "intent_first_at": row.intent_first_at,
        "intent_count": row.intent_count,
    }


def refuse_shared(account: str, other: str) -> NoReturn:
    raise SharedGrant(
        "another account has this very refresh token: each would spend it, and both could lose their access",
        facts={"account": account, "has it already": other},
        fix="let the owner consent once more for this account, or use the other one",
    )
