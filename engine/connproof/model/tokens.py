"""A connected account's tokens as they are kept: the pair, its generation, the lease, and the intent to use it.

All times are seconds since 1970 by the store's own clock, but for `expires_at` and `refresh_expires_at`, which
are by the clock that the provider's answers were held against.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from connproof.model.access import Secret

__all__ = ["Candidate", "TokenPair", "TokenRow", "TokenState"]

TokenState: TypeAlias = Literal["ok", "ambiguous", "needs_reauth", "blocked_config"]


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What one answer granted. `refresh` None: the one that was used stays. None elsewhere: the answer did not say.

    `lifetime_s` is how long the access token lives from its receipt, where that is known.
    """

    access: Secret
    refresh: Secret | None = None
    expires_at: float | None = None
    refresh_expires_at: float | None = None
    lifetime_s: float | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A successor that came late, or without an access token: never thrown away while it may be the only one alive.

    It was granted for `generation`. `access` is None where the answer held a refresh token alone.
    """

    generation: int
    refresh: Secret
    access: Secret | None = None
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One account's tokens, and who is about to refresh them.

    `generation` grows by one with every stored successor: it is the fence. `grant_id` is new with every consent of
    the owner. `stored_epoch` is the lease epoch that stored this generation, and `refresh_mark` a keyed digest of the
    refresh token. `intent_generation` is the generation that was, or may have been, presented: first at
    `intent_first_at`, last at `intent_at` under `intent_epoch`, `intent_count` times; None where there is none.
    """

    account: str
    grant_id: str
    generation: int
    access: Secret | None
    refresh: Secret | None
    expires_at: float | None = None
    refresh_expires_at: float | None = None
    lifetime_s: float | None = None
    state: TokenState = "ok"
    reason: str = ""
    stored_epoch: int = 0
    refresh_mark: str = ""
    lease_owner: str = ""
    lease_epoch: int = 0
    lease_until: float = 0.0
    intent_generation: int | None = None
    intent_epoch: int = 0
    intent_at: float = 0.0
    intent_first_at: float = 0.0
    intent_count: int = 0
    fail_count: int = 0
    not_before: float = 0.0
    candidates: tuple[Candidate, ...] = ()

    @property
    def has_open_intent(self) -> bool:
        """Whether this generation's refresh token was, or may have been, presented, with no outcome known."""
        return self.intent_generation == self.generation
