"""Tokens in this process's memory: for tests, and for a script that ends before its access token does.

Every method does what it does between two awaits, so that no other task sees half of it: tasks of one event loop
may share a store. Nothing is sealed, as nothing is written.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from connproof.clock import Clock, SystemClock
from connproof.model import Secret, TokenPair, TokenRow, TokenState
from connproof.stores.successors import (
    CLAIMABLE,
    FREE,
    MOST_PAST,
    SETTLED,
    candidate_of,
    intent_of,
    newest,
    promoted,
    refuse_shared,
    successor_of,
    usable,
)
from connproof.stores.token_store import Stored

__all__ = ["MemoryTokens"]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A row; of each pair that was current before, the lease epoch that stored it and its refresh token's mark."""

    row: TokenRow
    past: tuple[tuple[int, str], ...] = ()

    @property
    def every(self) -> tuple[tuple[int, str], ...]:
        return ((self.row.stored_epoch, self.row.refresh_mark), *self.past)


class MemoryTokens:
    """A TokenStore, whose clock is the one that is given."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._kept: dict[str, _Kept] = {}
        self._blocked: dict[str, str] = {}
        self._key = secrets.token_bytes(32)

    async def now(self) -> float:
        return self._now()

    async def read(self, account: str) -> TokenRow | None:
        kept = self._kept.get(account)
        return kept.row if kept else None

    async def accounts(self, prefix: str = "") -> Sequence[TokenRow]:
        return [kept.row for name, kept in sorted(self._kept.items()) if name.startswith(prefix)]

    async def connect(self, account: str, pair: TokenPair) -> TokenRow:
        mark = self._mark(pair.refresh)
        for other, kept in self._kept.items():
            if mark and other != account and self._knows(kept, mark):
                refuse_shared(account, other)
        before = self._kept[account].row if account in self._kept else None
        row = TokenRow(
            account,
            secrets.token_hex(16),
            before.generation + 1 if before else 1,
            usable(pair),
            pair.refresh,
            pair.expires_at,
            pair.refresh_expires_at,
            pair.lifetime_s,
            refresh_mark=mark,
            lease_epoch=before.lease_epoch if before else 0,
        )
        self._kept[account] = _Kept(row)
        return row

    async def claim(self, seen: TokenRow, *, owner: str, lease_s: float, over_stale: bool = False) -> TokenRow | None:
        now, kept = self._now(), self._of(seen)
        if kept is None or seen.state not in CLAIMABLE:
            return None
        row = kept.row
        as_seen = (row.generation, row.lease_epoch, row.state) == (seen.generation, seen.lease_epoch, seen.state)
        free = row.lease_until < now and row.not_before <= now
        stands_still = (row.lease_until, row.not_before) == (seen.lease_until, seen.not_before)
        if not as_seen or not (free or (over_stale and stands_still)):
            return None
        return self._write(
            kept,
            lease_owner=owner,
            lease_epoch=row.lease_epoch + 1,
            lease_until=now + lease_s,
            intent_generation=row.generation,
            intent_epoch=row.lease_epoch + 1,
            intent_at=now,
            intent_first_at=row.intent_first_at if row.has_open_intent else now,
            intent_count=row.intent_count + 1 if row.has_open_intent else 1,
        )

    async def beat(self, claimed: TokenRow, *, lease_s: float) -> bool:
        kept = self._leased(claimed)
        if kept is None or kept.row.lease_owner != claimed.lease_owner:
            return False
        self._write(kept, lease_until=self._now() + lease_s)
        return True

    async def keep(self, claimed: TokenRow, pair: TokenPair) -> Stored:
        kept = self._of(claimed)
        if kept is None:
            return "gone"
        if claimed.lease_epoch in {epoch for epoch, _ in kept.every}:
            return "own"
        if kept.row.generation != claimed.generation:
            self._append(kept, claimed, pair)
            return "moved"
        self._succeed(kept, successor_of(claimed, pair), stored_epoch=claimed.lease_epoch)
        return "stored"

    async def keep_candidate(self, claimed: TokenRow, refresh: TokenPair) -> bool:
        kept = self._of(claimed)
        if kept is None:
            return False
        self._append(kept, claimed, refresh)
        return True

    async def promote(self, seen: TokenRow) -> TokenRow | None:
        kept = self._of(seen)
        if kept is None or kept.row.generation != seen.generation or not kept.row.candidates:
            return None
        one = newest(kept.row.candidates)
        rest = tuple(other for other in kept.row.candidates if other is not one)
        return self._succeed(kept, promoted(one), stored_epoch=0, candidates=rest)

    async def refuse(self, claimed: TokenRow, *, state: TokenState, reason: str) -> bool:
        kept = self._claimed(claimed)
        if kept is None or (state == "needs_reauth" and kept.row.candidates):
            return False
        self._write(kept, state=state, reason=reason)
        return True

    async def back_off(self, claimed: TokenRow, *, not_before: float, undo: TokenRow | None, reason: str = "") -> bool:
        kept = self._claimed(claimed)
        if kept is None:
            return False
        if undo is None:
            outcome: dict[str, Any] = {"state": "ambiguous", "reason": reason}
        else:
            outcome = {"reason": reason or undo.reason, **intent_of(undo)}
        self._write(kept, **FREE, not_before=not_before, fail_count=kept.row.fail_count + 1, **outcome)
        return True

    async def release(self, claimed: TokenRow) -> bool:
        kept = self._leased(claimed)
        if kept is None:
            return False
        self._write(kept, **FREE)
        return True

    async def remove(self, account: str) -> TokenRow | None:
        kept = self._kept.pop(account, None)
        return kept.row if kept else None

    async def block_client(self, client: str, reason: str) -> None:
        self._blocked[client] = reason

    async def client_block(self, client: str) -> str:
        return self._blocked.get(client, "")

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _mark(self, token: Secret | None) -> str:
        return "" if token is None else hmac.digest(self._key, token.reveal().encode(), "sha256").hex()[:32]

    def _knows(self, kept: _Kept, mark: str) -> bool:
        waiting = {self._mark(one.refresh) for one in kept.row.candidates}
        return mark in waiting or mark in {mark for _, mark in kept.every}

    def _of(self, row: TokenRow) -> _Kept | None:
        """What is kept of the account, where the grant is still the row's."""
        kept = self._kept.get(row.account)
        return kept if kept and kept.row.grant_id == row.grant_id else None

    def _leased(self, claimed: TokenRow) -> _Kept | None:
        """The same, where nobody has claimed it since."""
        kept = self._of(claimed)
        return kept if kept and kept.row.lease_epoch == claimed.lease_epoch else None

    def _claimed(self, claimed: TokenRow) -> _Kept | None:
        """The same, where no successor was stored since either."""
        kept = self._leased(claimed)
        return kept if kept and kept.row.generation == claimed.generation else None

    def _write(self, kept: _Kept, **changes: Any) -> TokenRow:
        row = replace(kept.row, **changes)
        self._kept[row.account] = _Kept(row, kept.past)
        return row

    def _append(self, kept: _Kept, claimed: TokenRow, pair: TokenPair) -> None:
        late = candidate_of(claimed, pair)
        if late is not None and not self._knows(kept, self._mark(late.refresh)):
            self._write(kept, candidates=(*kept.row.candidates, late))

    def _succeed(self, kept: _Kept, pair: TokenPair, **changes: Any) -> TokenRow:
        """The next generation. Lease and epoch stay as they are."""
        return self._write(
            replace(kept, past=kept.every[:MOST_PAST]),
            **SETTLED,
            generation=kept.row.generation + 1,
            access=usable(pair),
            refresh=pair.refresh,
            expires_at=pair.expires_at,
            refresh_expires_at=pair.refresh_expires_at,
            lifetime_s=pair.lifetime_s,
            refresh_mark=self._mark(pair.refresh),
            **changes,
        )
