"""An account's row into what a worker may do with it: go on, refresh, wait, or tell its owner. Pure.

Whether a refresh token may be presented again while nobody knows what came of the first time is what
the connector declares of its provider, and of nothing else. While an access token lives it is served, whatever
becomes of its refresh.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from connproof.model import TokenRow
from connproof.tokens.timing import Timing

__all__ = ["MaySend", "Plan", "Promote", "Refuse", "Rest", "Rotation", "Wait", "decided", "lives", "rotation_of"]

Rotation: TypeAlias = Literal["none", "strict"] | int
"""What becomes of a refresh token that is used: it stays, it is spent, or it works for so many seconds more."""


@dataclass(frozen=True, slots=True)
class Rest:
    """There is nothing to do before `until`, by the store's clock; None: before a request is refused."""

    until: float | None


@dataclass(frozen=True, slots=True)
class MaySend:
    """Claim the account, and present its refresh token; `over_stale`, over what lies ahead and did not move."""

    over_stale: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again at `until`, by the store's clock.

    `leased`: another worker is at it. `stale`: it lies further ahead than anything that is written, as after a clock
    was set back: whether somebody is alive shows in whether the row moves.
    """

    until: float
    leased: bool = False
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Promote:
    """Go on with the newest candidate."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Nothing that a worker may do would help."""

    reason: str


Plan: TypeAlias = Rest | MaySend | Wait | Promote | Refuse


def rotation_of(declared: Rotation | None, *, refreshes: bool, timing: Timing) -> Rotation:
    """By which rule to act. What is not declared, or has a grace too short to be relied on, is strict.

    `refreshes`: whether a refresh token is presented at all; a grant without one spends nothing.
    """
    if not refreshes:
        return "none"
    if declared is None or (isinstance(declared, int) and not timing.is_long(declared)):
        return "strict"
    return declared


def lives(row: TokenRow, now: float, *, refused: int | None = None) -> bool:
    """Whether the access token can be used. `refused` is the generation whose token the provider has refused."""
    if row.access is None or row.generation == refused:
        return False
    return row.expires_at is None or now < row.expires_at


def decided(
    row: TokenRow,
    now: float,
    *,
    rotation: Rotation,
    refreshes: bool,
    timing: Timing,
    refused: int | None = None,
    unmoved: bool = False,
) -> Plan:
    """What may be done now, by the store's clock. Whether the access token can be used meanwhile, `lives` says.

    `unmoved`: the row was watched for the length of a lease after a stale Wait, and nobody moved it.
    """
    alive = lives(row, now, refused=refused)
    if alive:
        if row.expires_at is None:
            return Rest(None)
        due = row.expires_at - timing.margin(row.account, row.lifetime_s)
        if now < due:
            return Rest(due)
    if row.state == "needs_reauth":
        return Promote() if row.candidates else Refuse(row.reason)
    if row.state == "blocked_config":
        return Refuse(row.reason)
    if refreshes and row.refresh is None and not row.candidates:
        return Refuse("no_refresh_token")
    if not unmoved and row.lease_until >= now:
        return Wait(row.lease_until, leased=True, stale=row.lease_until > now + 2 * timing.lease_s)
    if not unmoved and row.not_before > now:
        return Wait(row.not_before, stale=row.not_before > now + timing.wait_most_s + timing.clock_error_s)
    if refreshes and row.refresh is None:
        return Promote()
    plan = _again(row, now, rotation, timing, alive=alive) if row.has_open_intent else MaySend()
    return MaySend(over_stale=True) if unmoved and isinstance(plan, MaySend) else plan


def _again(row: TokenRow, now: float, rotation: Rotation, timing: Timing, *, alive: bool) -> Plan:
    """What to do where the refresh token was presented, and nobody knows what came of it."""
    if any(one.generation == row.generation for one in row.candidates):
        # Its successor has come, without an access token: the predecessor must not be presented again.
        return Rest(row.expires_at) if alive else Promote()
    if rotation == "none":
        return MaySend()
    # A first time that lies ahead was written before a clock was set back: it says nothing.
    if isinstance(rotation, int) and 0 <= now - row.intent_first_at < rotation - timing.clock_error_s:
        return MaySend()
    # Once the access token has ended nothing alive can be harmed, and without the successor all is lost anyway.
    return Rest(row.expires_at) if alive else MaySend()
