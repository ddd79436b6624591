"""A token store that fails or crashes at a call of one's choice, before or after it did what it was asked.

Around a real store: what comes through is the real store's doing. A failure is StoreFailed, as a database that is away,
read-only or full raises it; one after the deed is an acknowledgement that was lost.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, cast

from connproof.errors import StoreFailed
from connproof.model import TokenRow
from connproof.stores import TokenStore

__all__ = ["EVERY", "WRITES", "FaultStore"]

EVERY: Final = tuple(name for name in vars(TokenStore) if not name.startswith("_"))
"""Every call of a store there is."""

WRITES: Final = tuple(name for name in EVERY if name not in {"now", "read", "accounts", "client_block"})
"""What needs room on the disk."""


@dataclass
class _Fault:
    methods: tuple[str, ...]
    passed: int  # calls that are let through first
    left: int | None
    acts: bool
    crash: Callable[[], Awaitable[None]] | None


class FaultStore:
    """`calls` has every call's method, `failed` those that did not come through."""

    def __init__(self, store: TokenStore) -> None:
        self._store = store
        self._faults: list[_Fault] = []
        self._snapshot: TokenRow | None = None
        self.calls: list[str] = []
        self.failed: list[str] = []

    @property
    def face(self) -> TokenStore:
        """What a worker is given."""
        return cast("TokenStore", self)

    def fails(
        self,
        *methods: str,
        at: int = 1,
        times: int | None = 1,
        acts: bool = False,
        crash: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Fail at the `at`-th call from now on of these methods, `times` in a row (None: for ever), or `crash` there.

        With `acts` the store does what it is asked first.
        """
        self._faults.append(_Fault(methods, at - 1, times, acts, crash))

    def recovers(self) -> None:
        """Nothing fails any more."""
        self._faults.clear()

    def lags(self, row: TokenRow | None) -> None:
        """Every read gives this old row, as a replica does that is behind; None: no more."""
        self._snapshot = row

    def __getattr__(self, method: str) -> Callable[..., Awaitable[object]]:
        does = getattr(self._store, method)

        async def call(*args: Any, **named: Any) -> object:
            self.calls.append(method)
            fault = self._due(method)
            if fault is None:
                if method == "read" and self._snapshot is not None:
                    return self._snapshot
                return await does(*args, **named)
            if fault.acts:
                await does(*args, **named)
            self.failed.append(method)
            if fault.crash is not None:
                await fault.crash()
            raise StoreFailed("the token store did not do what it was asked, or did not say so")

        return call

    def _due(self, method: str) -> _Fault | None:
        for fault in self._faults:
            if method not in fault.methods or fault.left == 0:
                continue
            if fault.passed:
                fault.passed -= 1
                continue
            if fault.left is not None:
                fault.left -= 1
            return fault
        return None
