"""The numbered steps of a refresh: where a test, or a crash, may stand between two of them.

A watcher is awaited before each step, and may raise, pause or end the process. None of it is patched in.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

__all__ = ["STEPS", "Guards", "Steps", "unwatched"]

Steps: TypeAlias = Callable[[str], Awaitable[None]]

STEPS: Final = ("read", "claim", "claimed", "send", "sent", "parsed", "keep", "kept", "release", "released")
"""A refresh that succeeds, in order. "beat", "promote", "refuse" and "back_off" stand where they occur."""


@dataclass(frozen=True, slots=True)
class Guards:
    """What stands between a refresh and a lost token. A test removes one, and must see the loss.

    `intent`: a token that was presented with no outcome known is presented again by the declared rotation alone.
    `detached`: an exchange goes on when its caller gives up. `reread`: a refusal is held against the row as it is now.
    The other guards are the store's: the generation in every write, the lease epoch in every release.
    """

    intent: bool = True
    detached: bool = True
    reread: bool = True


async def unwatched(step: str) -> None:
    """Watch nothing."""
