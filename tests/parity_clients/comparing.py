"""A client's listing of recorded traffic, beside the engine's reading of the same: run, compared, judged.

The client runs in a process of its own, as old code does, and is answered from the recording alone. Nothing is made
alike before the comparison. What the engine gives is held to the recorded pages themselves, so that a difference that
is expected of a client cannot be the engine's; an expectation that nothing meets is a fault.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from connproof.model import Request, Response
from connproof.places import ABSENT, Absent, JsonValue
from pytest_connproof.authority import Authority
from pytest_connproof.old_code import RanTooLong, leading_to, run
from pytest_connproof.parity import Comparison, Difference, Kind, compare
from pytest_connproof.served import Served
from pytest_connproof.server import LoopbackServer
from traffic import NotHere, Source, Traffic

__all__ = ["Client", "Compared", "Expected", "Listing", "Waived", "compared", "unused"]

PROGRAMS: Final = Path(__file__).parent / "programs"
_TIMEOUT_S: Final = 120.0
_LAST_LINES: Final = 6

Spelling = Callable[[Request], Request]


@dataclass(frozen=True, slots=True)
class Client:
    """A distribution, and the program that lists with it: in programs/, or at a path of its own."""

    name: str
    program: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What a client is asked to list.

    `arguments` are the program's, `$name` being a word of the account, of the call or of the first recorded query
    (`payment[type]` is `$payment_type`).
    `spelt` turns a request of the client into the words of whoever was recorded, and says in its docstring what it
    does; `ignored` are recorded headers that the client sends otherwise.
    """

    client: Client
    source: Source
    arguments: tuple[str, ...]
    spelt: Spelling | None = None
    ignored: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.client.name}: {self.source.name}"


@dataclass(frozen=True, slots=True)
class Expected:
    """Differences of one kind that a client is known to make, and why.

    They are met at each of `paths`, or wherever the client has one of `values` (as JSON) and the engine nothing.
    """

    client: str
    kind: Kind
    reason: str
    paths: tuple[str, ...] = ()
    values: tuple[str, ...] = ()

    def met_by(self, listing: Listing, difference: Difference) -> str | None:
        """Which of `paths` or `values` a difference of a listing is; None for none."""
        if (self.client, self.kind) != (listing.client.name, difference.kind):
            return None
        if difference.pattern in self.paths:
            return difference.pattern
        old, new = difference.old, difference.new
        said = json.dumps(old) if new is ABSENT and not isinstance(old, Absent) else None
        return said if said in self.values else None


class Waived(NamedTuple):
    """A difference that is expected: by what, and by which path or value of it."""

    difference: Difference
    by: Expected
    at: str


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of a listing: `comparison` (the client's records being the old ones), or why there is none.

    `requests` are those of the client and of the engine. `faults` are what may not be, beside unexpected differences.
    """

    listing: Listing
    version: str = "-"
    kind: str = "-"
    requests: tuple[int, int] = (0, 0)
    comparison: Comparison | None = None
    waived: tuple[Waived, ...] = ()
    unexpected: tuple[Difference, ...] = ()
    faults: tuple[str, ...] = ()
    skipped: str = ""


def compared(listing: Listing, expected: Sequence[Expected]) -> Compared:
    """Run the client, read the same with the engine, compare."""
    try:
        found = Compared(listing, version(listing.client.name))
    except PackageNotFoundError:
        return Compared(listing, faults=("it is not installed: it is in the dependency group `clients`",))
    try:
        traffic = listing.source.traffic()
    except NotHere as away:
        return replace(found, skipped=str(away))
    found = replace(found, kind=traffic.kind)
    records, tally = traffic.replayed()
    served = _Spelt(listing, traffic)
    listed, faults = _listed(listing, traffic, served)
    if changed := compare(traffic.recorded, records, key=None).differences:
        faults.append(f"the engine itself gives other records than are recorded, {len(changed)} differences")
    found = replace(found, requests=(served.asked, tally.requests), faults=(*faults, *served.faults()))
    if listed is None:
        return found
    comparison = compare(listed, records, key=traffic.key)
    waived: list[Waived] = []
    unexpected: list[Difference] = []
    for difference in comparison.differences:
        covering = (Waived(difference, one, at) for one in expected if (at := one.met_by(listing, difference)))
        covered = next(covering, None)
        if covered is None:
            unexpected.append(difference)
        else:
            waived.append(covered)
    return replace(found, comparison=comparison, waived=tuple(waived), unexpected=tuple(unexpected))


def unused(expected: Sequence[Expected], every: Sequence[Compared]) -> list[str]:
    """What is expected and was not met, of the clients all of whose listings were compared."""
    asked = {each.listing.client.name for each in every}
    whole = asked - {each.listing.client.name for each in every if each.comparison is None}
    met = {(waived.by, waived.at) for each in every for waived in each.waived}
    return [
        f"{one.client}: {one.kind} at {at}" if at in one.paths else f"{one.client}: {one.kind} with {at}"
        for one in expected
        if one.client in whole
        for at in (*one.paths, *one.values)
        if (one, at) not in met
    ]


class _Spelt:
    """The recorded lane, answering a client that has its own way to ask."""

    def __init__(self, listing: Listing, traffic: Traffic) -> None:
        # Of a request that others recorded, the credential was cut out.
        ignored = listing.ignored if traffic.signed else (*listing.ignored, "authorization")
        self.served = Served(traffic.party, traffic.lane, ignored=ignored)
        self.asked = 0
        self._spelt = listing.spelt
        self._changed = False

    def answer(self, request: Request) -> Response:
        self.asked += 1
        spelt = self._spelt(request) if self._spelt else request
        self._changed |= spelt != request
        return self.served.answer(spelt)

    def faults(self) -> list[str]:
        """What the client did not ask for, and what it did beside; and a spelling that nothing needs."""
        told = self.served.facts()
        said = [f"{what}: {line}" for what in ("not recorded", "not used", "no trust") for line in told.get(what, ())]
        return [*said, "its requests need no other spelling"] if self._spelt and not self._changed else said


def _listed(listing: Listing, traffic: Traffic, spelt: _Spelt) -> tuple[list[JsonValue] | None, list[str]]:
    """The records that the client's program printed; None, and what it said, where it failed."""
    served = spelt.served
    with TemporaryDirectory(prefix="connproof-clients-") as name:
        folder = Path(name)
        authority = Authority(folder)
        with LoopbackServer(spelt.answer, authority) as server:
            served.home, served.distrusted = server.url, server.distrusted
            environment = {
                "CONNPROOF_ACCESS_TOKEN": str(traffic.party.account.credentials.get("access_token", "example-token")),
                "CONNPROOF_BASE_URL": served.base_url_at_home,
                **leading_to(server.url, authority.certificate),
            }
            arguments = [Template(text).substitute(_words(traffic)) for text in listing.arguments]
            command = [sys.executable, str(PROGRAMS / listing.client.program), *arguments]
            try:
                ran = run(command, environment=environment, timeout_s=_TIMEOUT_S, folder=folder)
            except RanTooLong as late:
                return None, [f"it was ended after {_TIMEOUT_S:g} s", *_last_lines(late.stderr)]
    if ran.code:
        return None, [f"it ended with exit code {ran.code}", *_last_lines(ran.stderr)]
    return json.loads(ran.stdout), []


def _words(traffic: Traffic) -> Mapping[str, str]:
    """The words that arguments may name."""
    lane = traffic.lane
    params = lane.call.params if lane.call else {}
    query = parse_qsl(urlsplit(lane.exchanges[0].request.url).query)
    asked = {re.sub(r"\W+", "_", name).strip("_"): value for name, value in query}
    return {**traffic.party.account.variables, **params, **asked}


def _last_lines(text: bytes) -> list[str]:
    return text.decode("utf-8", "replace").strip().split(os.linesep)[-_LAST_LINES:]
