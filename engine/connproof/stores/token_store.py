"""Where tokens live: the few statements that every token store has, each one short transaction.

No transaction is ever open while anybody talks to a provider. Every write names what it expects to find, so that a
worker which slept, crashed or came late changes nothing that is not its own. A store fails by raising StoreFailed;
what was not acknowledged may have happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias

from connproof.model import TokenPair, TokenRow, TokenState

__all__ = ["Stored", "TokenStore"]

Stored: TypeAlias = Literal["stored", "own", "moved", "gone"]
"""What became of a successor: stored; stored before, and only the acknowledgement was lost; kept as a candidate, as the
generation had moved; dropped, as the account is gone or was authorised anew."""


class TokenStore(Protocol):
    """One row an account. Every method is one transaction; secrets are sealed before they are written."""

    async def now(self) -> float:
        """The store's own clock: what leases and back-offs are judged by."""
        ...

    async def read(self, account: str) -> TokenRow | None:
        """The row as it is, whole: its parts belong to one generation.

        Where a token of it cannot be unsealed, that one is None, and the state is blocked_config ("unreadable").
        """
        ...

    async def accounts(self, prefix: str = "") -> Sequence[TokenRow]:
        """The rows whose account begins so, by name."""
        ...

    async def connect(self, account: str, pair: TokenPair) -> TokenRow:
        """Keep the tokens of a new consent: a new grant, the next generation, no lease, no intent, no candidate.

        Raises SharedGrant where another account has this very refresh token: two rows would spend it twice.
        """
        ...

    async def claim(self, seen: TokenRow, *, owner: str, lease_s: float, over_stale: bool = False) -> TokenRow | None:
        """Take the lease and write down the intent to present this generation's refresh token, in one statement.

        Only where grant, generation, lease epoch and state (ok, ambiguous) are still as seen, so that `seen` is what
        an undo puts back; and where the lease has ended and `not_before` has passed, or, with `over_stale`, both are
        still the very ones seen: whoever asks so judges that the clock was set back. The older intent of the same
        generation keeps its first time, and its count grows. None where somebody else was first.
        """
        ...

    async def beat(self, claimed: TokenRow, *, lease_s: float) -> bool:
        """Renew one's own lease; False where it is no longer one's own, or was given back."""
        ...

    async def keep(self, claimed: TokenRow, pair: TokenPair) -> Stored:
        """Store a successor under the next generation.

        Only grant and generation must be as claimed, whoever has the lease by now. Where the generation has moved, the
        successor is appended to the candidates in the same transaction.
        """
        ...

    async def keep_candidate(self, claimed: TokenRow, refresh: TokenPair) -> bool:
        """Append a refresh token that came without a usable access token; False where the grant is another.

        An access token of no letters is none, here and in `connect` and `keep`. One that is current, was, or is a
        candidate already is not appended: a spent token never comes back.
        """
        ...

    async def promote(self, seen: TokenRow) -> TokenRow | None:
        """Make the newest candidate the current pair, under the next generation; None where nothing is as seen."""
        ...

    async def refuse(self, claimed: TokenRow, *, state: TokenState, reason: str) -> bool:
        """Write a terminal answer down: only where grant, generation and lease epoch are one's own.

        `needs_reauth` only where no candidate waits: one may have come since the last look, and is to be promoted. The
        intent stays, as an earlier outcome may still be unknown.
        """
        ...

    async def back_off(self, claimed: TokenRow, *, not_before: float, undo: TokenRow | None, reason: str = "") -> bool:
        """Let everybody wait until `not_before`, count the failure, and give the lease back.

        `undo` is the row as it was before the claim, where nothing was sent: its older intent is put back. Without it
        the intent stays, and the state becomes ambiguous.
        """
        ...

    async def release(self, claimed: TokenRow) -> bool:
        """Give one's own lease back; False where it is another's by now, whose it stays."""
        ...

    async def remove(self, account: str) -> TokenRow | None:
        """Forget an account; the row as it was, so that its tokens can be revoked."""
        ...

    async def block_client(self, client: str, reason: str) -> None:
        """Write down that an OAuth client is misconfigured: every account of that client reads it ("" unblocks)."""
        ...

    async def client_block(self, client: str) -> str:
        """Why an OAuth client is blocked, "" where it is not."""
        ...
