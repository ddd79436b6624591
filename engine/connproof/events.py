"""What happened during a read, in order.

The engine emits events and never looks at who listens: progress, reports and checks do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from connproof.model import Position, Request, Response

__all__ = ["Event", "Listener", "PageRead", "ReadEnded", "RequestSent", "ResponseReceived", "ignore"]


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
class ReadEnded:
    """The read came to its end by itself: why, after how many pages and raw records."""

    reason: str
    pages: int
    records: int


Event: TypeAlias = RequestSent | ResponseReceived | PageRead | ReadEnded
Listener: TypeAlias = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Listen to nothing."""
