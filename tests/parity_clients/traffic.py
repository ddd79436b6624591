"""Recorded exchanges of one call, whoever recorded them, and the connector that reads them.

Our connectors' recordings are written from documentation; the corpus was recorded by others, and is read where it lies.
What neither has, several pages of some providers, the simulated provider plays.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

import formats
from connproof import config
from connproof.model import Account, Request, Response
from connproof.places import JsonValue
from connproof.run import Call, Engine
from connproof.transport import Transport
from listings import ABSENT, CORPUS
from pytest_connproof import recording
from pytest_connproof.foreign import Tape, Taped
from pytest_connproof.lane_run import driven, forms_of
from pytest_connproof.provider.api import Api
from pytest_connproof.provider.habits import Case
from pytest_connproof.provider.shape import Shape
from pytest_connproof.recording import Exchange, Lane
from pytest_connproof.replay import Ledger, ReplayTransport, Tally
from pytest_connproof.stage import Stage
from pytest_connproof.subject import Party, Settings, Subject
from readings import read_by, records_on

__all__ = ["Corpus", "NotHere", "Ours", "Simulated", "Source", "Traffic"]

ROOT: Final = Path(__file__).parents[2]
_CONFIGS: Final = Path(__file__).parent / "configs"
_SHARED_CONFIGS: Final = ROOT / "tests" / "corpus" / "configs"


class NotHere(Exception):
    """The traffic lies outside this repository, and not on this machine."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """One call. `kind` says where its exchanges come from; `signed`: whether they hold what a credential is held to."""

    party: Party
    lane: Lane
    kind: str
    signed: bool

    @property
    def key(self) -> str | None:
        place = self.party.operation(self.lane).key
        return place.text if place else None

    @property
    def recorded(self) -> list[JsonValue]:
        """The records on the recorded pages, found without the engine: by the plain names that lead to them."""
        operation = self.party.operation(self.lane)
        return [record for each in self.lane.exchanges for record in records_on(each.response, operation)]

    def read(self, transport: Transport) -> list[JsonValue]:
        """What the engine gives of it in the provider's own form. Raises as the engine does."""
        operation = self.party.operation(self.lane)
        engine = Engine(self.party.connector, transport, account=self.party.account)
        said, target, name = self.lane.call, operation.resource, operation.name
        call = Call(raw=True)
        if said is not None:
            call = replace(call, params=said.params, query=said.query, body=said.body, page_size=said.page_size)

        async def read() -> list[JsonValue]:
            if operation.is_list:
                return [record async for record in engine.read(target, name, call)]
            return [await engine.one(target, name, call)]

        return driven(read())

    def replayed(self) -> tuple[list[JsonValue], Tally]:
        """What the engine gives of its exchanges, and what it asked for."""
        ledger = Ledger(self.lane, credentials=forms_of(self.party.connector.auth, self.party.account))
        return self.read(ReplayTransport(ledger)), ledger.tally()


class Source(Protocol):
    """Where traffic is found."""

    @property
    def name(self) -> str: ...

    def traffic(self) -> Traffic:
        """The traffic. Raises NotHere."""


@dataclass(frozen=True, slots=True)
class Ours:
    """A lane of a connector of this repository, or of another `root`."""

    connector: str
    lane: str
    root: Path = ROOT

    @property
    def name(self) -> str:
        return f"{self.connector} {self.lane}"

    def traffic(self) -> Traffic:
        file = config.locate(self.root / "connectors" / self.connector)
        subject = Subject(file, Settings(as_of=datetime.now(UTC).date()))
        recorded = subject.lanes[self.lane]
        return Traffic(subject.party(recorded.lane), recorded.lane, recorded.recording.provenance.kind, signed=True)


@dataclass(frozen=True, slots=True)
class Corpus:
    """Exchanges of a file of the corpus, from `first` on, `count` of them, read by an operation of a config.

    `cut` are texts that the recorder put in the place of others, and those others.
    """

    config: str
    operation: str
    file: str
    first: int = 0
    count: int = 1
    cut: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        source = "/".join(self.file.split("/")[:2])
        return f"{source} {self.operation}"

    def traffic(self) -> Traffic:
        if not CORPUS.is_dir():
            raise NotHere(ABSENT)
        exchanges = _tape(CORPUS / self.file).exchanges[self.first : self.first + self.count]
        whole = [self._whole(each) for each in exchanges]
        (reading,) = read_by(_document(self.config), whole, lambda operation: operation.id == self.operation)
        return Traffic(Party(reading.connector, reading.account), reading.lane, "recorded", signed=False)

    def _whole(self, taped: Taped) -> Taped:
        """The exchange with what its recorder cut out put back."""
        request, response, url, body = taped.request, taped.response, taped.request.url, taped.response.body
        for instead, text in self.cut:
            url, body = url.replace(instead, text), body.replace(instead.encode(), text.encode())
        answered = Response(response.status, response.headers, body)
        return replace(taped, request=replace(request, url=url), response=answered)


@dataclass(frozen=True, slots=True)
class Simulated:
    """A listing of so many records, read from the simulated provider in the dialect of a config, `size` at a time.

    `record` is what a record looks like, and `envelope` what stands around them.
    """

    config: str
    operation: str
    records: int
    size: int
    record: Mapping[str, JsonValue]
    envelope: Mapping[str, JsonValue] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.config} {self.operation}"

    def traffic(self) -> Traffic:
        connector = config.parse(json.dumps(_document(self.config)).encode(), folder=self.config)
        (operation,) = (one for one in connector.operations() if one.id == self.operation)
        shape = Shape(dict(self.envelope), dict(self.record))
        stage = Stage(connector, Account(), operation, {self.operation: shape})
        provider = _Noting(stage.api(Case(self.records, self.size, {})))
        lane = Lane(self.operation, "strict", recording.Call(page_size=self.size), (), "")
        whole = Traffic(Party(connector, Account()), lane, "simulated", signed=False)
        whole.read(provider)
        return replace(whole, lane=replace(lane, exchanges=tuple(provider.exchanges)))


class _Noting:
    """A transport that asks a provider, and keeps what was said."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.exchanges: list[Exchange] = []

    async def send(self, request: Request) -> Response:
        response = self._api.answer(request)
        name = f"{self._api.operation.id}/{len(self.exchanges) + 1}"
        self.exchanges.append(Exchange(name, request, response, repeats=False, pointer=""))
        return response


def _document(name: str) -> dict[str, Any]:
    """The config of this name: one of this folder, or of those that read the corpus."""
    own = _CONFIGS / f"{name}.json"
    document: dict[str, Any] = json.loads((own if own.exists() else _SHARED_CONFIGS / own.name).read_bytes())
    return document


@cache
def _tape(path: Path) -> Tape:
    return formats.read(path)
