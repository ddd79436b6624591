"""What signing needs beside the request and the account: the time, and randomness."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from connproof.clock import Clock, SystemClock
from connproof.draft import Draft
from connproof.model import Account, Auth

__all__ = ["Scheme", "Signing"]


@dataclass(frozen=True, slots=True)
class Signing:
    """When a request is signed (an aware datetime), and where its nonces come from.

    A nonce is a text of letters and digits, never the same twice, of 128 bits or more.
    """

    now: datetime
    nonce: Callable[[], str]

    @staticmethod
    def at(clock: Clock | None = None) -> Signing:
        """The clock's time, by default the machine's, with nonces from the operating system."""
        return Signing((clock or SystemClock()).now(), lambda: os.urandom(16).hex())


Scheme: TypeAlias = Callable[[Draft, Auth, Account, Signing], Draft]
