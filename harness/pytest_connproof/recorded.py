"""A connector's recordings in place of the network: to try a mapping, or an account's overrides, without an account.

Any recorded exchange may answer, as often as it is asked for; what no recording holds is an error that names the
nearest, and never goes to the network.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Self

from connproof.errors import CallWrong
from connproof.model import Account, Request, Response
from connproof.run import Call
from pytest_connproof import recording as recordings
from pytest_connproof.lane_run import call_of, credentials_of, shown_request
from pytest_connproof.recording import Lane
from pytest_connproof.replay import Ledger, UnmatchedRequest

__all__ = ["Recorded"]


class Recorded:
    """A transport: the recordings that lie in a connector's folder."""

    def __init__(self, folder: Path, account: Account) -> None:
        """Raises RecordingUnfit; CallWrong where there is none."""
        files = sorted((folder / "recordings").glob("*.json"))
        if not files:
            raise CallWrong(f"{folder.name} has no recordings", facts={"looked in": str(folder / "recordings")})
        lanes = [lane for path in files for lane in recordings.load(path).lanes]
        # What went well first: a request that was once throttled was answered another time.
        lanes.sort(key=lambda lane: any(exchange.response.status >= 300 for exchange in lane.exchanges))
        exchanges = tuple(replace(exchange, repeats=True) for lane in lanes for exchange in lane.exchanges)
        self._account, self._lanes = account, lanes
        self._credentials = credentials_of(account)
        self._ledger = Ledger(Lane("recordings", "unordered", None, exchanges, ""), credentials=self._credentials)

    def call(self, operation: str) -> Call:
        """How an operation was called when it was recorded; where it never was, a call without anything.

        Asked for in any other way, with the pages' own size, no recording would hold it.
        """
        lanes = [lane for lane in self._lanes if lane.operation == operation]
        # By the same account; else as the example account, which a lane does not name.
        for owner in (self._account.name, None):
            for lane in lanes:
                if owner == (lane.call.account if lane.call else None):
                    return call_of(lane)
        return Call()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Nothing is open."""

    async def send(self, request: Request) -> Response:
        try:
            return self._ledger.answer(request)
        except UnmatchedRequest as unmatched:
            near = [f"{miss.exchange.id}   {', '.join(map(str, miss.differences))}" for miss in unmatched.misses]
        raise CallWrong(
            "no recording holds this request",
            facts={"sent": shown_request(request, self._credentials), "nearest": tuple(near) or "none is alike"},
            fix="ask as a recorded call does, with its parameters and page size",
        )
