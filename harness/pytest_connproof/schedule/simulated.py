"""The simulated provider as a world's provider: its tokens have names in the table, and its deeds are told.

Pair n of a family is told as at#n and rt#n; where a later family has begun, with a new consent, as at#1.n and rt#1.n.
"""

from __future__ import annotations

import re
from typing import Final

from connproof.errors import ProviderDown
from connproof.model import Request, Response
from pytest_connproof.provider import SimulatedProvider
from pytest_connproof.schedule.loop import WORKER
from pytest_connproof.schedule.world import ParkedTransport, World

__all__ = ["reaching"]

_TOKEN: Final = re.compile(r"([0-9]+)\.(AT|RT)_([0-9]+)")


class _Told:
    """Passes requests on, and says what became of them."""

    def __init__(self, provider: SimulatedProvider) -> None:
        self._provider = provider
        self.deed = ""

    def answer(self, request: Request, now: float) -> Response:
        """Raises ProviderDown where the provider is told not to answer."""
        seen = [(len(server.presentations), len(server.issued)) for server in self._provider.servers]
        arrival = self._provider.arrive(request, now, who=WORKER.get())
        deeds = []
        for server, (presented, issued) in zip(self._provider.servers, seen, strict=True):
            deeds += [
                one.outcome if one.number is None else f"{_name(one.family or 0, 'rt', one.number)} {one.outcome}"
                for one in server.presentations[presented:]
            ]
            deeds += [f"issues {_name(one.family, 'at', one.number)}" for one in server.issued[issued:]]
        self.deed = "; ".join(deeds)
        if arrival.response is None:
            raise ProviderDown("the connection broke before the answer came")
        return arrival.response


def reaching(world: World, provider: SimulatedProvider) -> ParkedTransport:
    """A Transport of a world to a simulated provider, whose accounts are connected."""
    world.patterns.append((_TOKEN, lambda found: _name(int(found[1]), found[2].lower(), int(found[3]))))
    told = _Told(provider)
    return world.transport(told, deed=lambda: told.deed)


def _name(family: int, kind: str, number: int) -> str:
    return f"{kind}#{family}.{number}" if family else f"{kind}#{number}"
