"""What happened during a read, in order.

The engine emits events and never looks at who listens: progress, reports and checks do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from connproof.model import Headers, Position, Request, Response

__all__ = [
    "AsideRead",
    "Event",
    "LimitsSeen",
    "Listener",
    "PageRead",
    "ReadEnded",
    "RequestSent",
    "ResponseReceived",
    "TokenRefreshed",
    "ignore",
]


@dataclass(frozen=True, slots=True)
class RequestSent:
    """A request is about to leave."""

    request: Request


@dataclass(frozen=True, slots=True)
class ResponseReceived:
    """The answer to the last request sent."""

    response: Response


@dataclass(frozen=True, slots=True)
class PageRead:
    """A page was read: its position, its raw record count, and where it leads (None: the end)."""

    position: Position
    records: int
    next: Position | None


@dataclass(frozen=True, slots=True)
class AsideRead:
    """An answer was read that is no page of the listing, but that the listing needs: what for, and which operation's.

    `records` is how many records it gave.
    """

    purpose: Literal["seed", "nested", "hydrate", "for_each"]
    operation: str
    records: int


@dataclass(frozen=True, slots=True)
class ReadEnded:
    """The read came to its end by itself: why, after how many pages and raw records.

    `bookmark` is the token with which the next run goes on from here; None where the config names no bookmark, or the
    last page has none.
    """

    reason: str
    pages: int
    records: int
    bookmark: str | None = None


@dataclass(frozen=True, slots=True)
class LimitsSeen:
    """What the last response says of rate limits, in one form for all providers; `notes` on what it says wrongly."""

    headers: Headers
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TokenRefreshed:
    """An account's new tokens are kept, under this generation; `notes` on what the answer says wrongly."""

    account: str
    generation: int
    notes: tuple[str, ...] = ()


Event: TypeAlias = LimitsSeen | RequestSent | ResponseReceived | PageRead | AsideRead | ReadEnded | TokenRefreshed
Listener: TypeAlias = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Listen to nothing."""
