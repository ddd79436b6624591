"""One connector folder as the checks see it: each part read once, when it is first asked for.

A part that cannot be read raises what its own loader raises: the check that asked for it cannot work, which
is not the same as a finding.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal

from connproof import config
from connproof.clock import FixedClock
from connproof.documents import child, read_json
from connproof.errors import CallWrong, ConfigWrong
from connproof.mapping import CompiledMapping, load_model
from connproof.model import Account, Connector, Operation, Request, Response, UnifiedMapping, frozen
from connproof.overrides import Layer
from connproof.places import JsonValue
from connproof.stores import account_in
from connproof.versions import DEFAULT_HORIZON_DAYS
from pytest_connproof import recording as recordings
from pytest_connproof.answers import meaning_of, records_in
from pytest_connproof.contracts import Answers, Drift, answers_of, contract_path, contracted, drift_from
from pytest_connproof.finding import Inconclusive
from pytest_connproof.grants import grants_in, of_operations
from pytest_connproof.lane_run import LaneRun, credentials_of, is_write, play, shown_request
from pytest_connproof.net import HttpxNet
from pytest_connproof.parity import Deviation, load_deviations
from pytest_connproof.provider.shape import Shape
from pytest_connproof.recording import Exchange, Lane, Recording, RecordingUnfit
from pytest_connproof.snapshots import Baseline, Snapshot, SnapshotFolder
from pytest_connproof.stage import Stage

__all__ = ["DEFAULT_MAX_AGE_DAYS", "Party", "RecordedLane", "Settings", "Subject"]

DEFAULT_MAX_AGE_DAYS: Final = 365


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run is told. `as_of` is the day on which evidence and waivers are judged.

    What a provider ends within `horizon_days` of it is due. With a `schedule` ("0,1,1"), token checks play that one
    alone; with `campaign`, drawn ones besides those that they search. `provider_rotation` is what the simulated
    provider does, whatever the config declares. With a `provider_case` ("records=7 size=3"), checks of listings play
    that one alone; `provider_seed` draws other cases.
    """

    as_of: date
    max_age_days: int = DEFAULT_MAX_AGE_DAYS
    horizon_days: int = DEFAULT_HORIZON_DAYS
    update_snapshots: bool = False
    update_new_only: bool = False
    schedule: str | None = None
    campaign: bool = False
    provider_rotation: Literal["none", "strict"] | int | None = None
    provider_case: str | None = None
    provider_seed: int = 0


@dataclass(frozen=True, slots=True)
class RecordedLane:
    """A lane and the recording that it stands in."""

    recording: Recording
    lane: Lane


@dataclass(frozen=True, slots=True)
class Party:
    """An account, and the connector with that account's overrides laid on."""

    connector: Connector
    account: Account

    def operation(self, lane: Lane) -> Operation:
        resource, _, name = lane.operation.partition(".")
        return self.connector.resources[resource].operations[name]


class Subject:
    """A connector under certification.

    Beside its folder stand the unified models (`unified/`); beside the folder of connectors, the snapshots.
    """

    def __init__(self, file: Path, settings: Settings) -> None:
        # A path that starts inside the connector's folder does not say where the snapshots stand.
        file = file if len(file.parents) > 2 else file.resolve()
        self.file = file
        self.folder = file.parent
        self.name = file.resolve().parent.name
        self.settings = settings
        self.snapshots = SnapshotFolder(self.folder.parent.parent / "snapshots" / self.name)
        self.net = HttpxNet()
        self._runs: dict[str, LaneRun] = {}
        self._mappings: dict[tuple[datetime, str | None], dict[str, CompiledMapping]] = {}

    @cached_property
    def connector(self) -> Connector:
        return config.load(self.file)

    @cached_property
    def document(self) -> Mapping[str, Any]:
        """The connector's document as it stands in the file. Only of one that was read as a connector."""
        document: dict[str, Any] = json.loads(self.file.read_bytes())
        return frozen(document)

    @cached_property
    def recording_files(self) -> tuple[Path, ...]:
        return tuple(sorted((self.folder / "recordings").glob("*.json")))

    @cached_property
    def _loaded(self) -> Mapping[Path, Recording | RecordingUnfit]:
        loaded: dict[Path, Recording | RecordingUnfit] = {}
        for path in self.recording_files:
            try:
                loaded[path] = recordings.load(path)
            except RecordingUnfit as unfit:
                loaded[path] = unfit
        return loaded

    def recording(self, file_name: str) -> Recording:
        """The recording of this name. Raises RecordingUnfit."""
        found = self._loaded[self.folder / "recordings" / file_name]
        if isinstance(found, RecordingUnfit):
            raise found
        return found

    @cached_property
    def recordings(self) -> tuple[Recording, ...]:
        """The recordings that can be read; of the others, REC-001 says why not."""
        return tuple(found for found in self._loaded.values() if isinstance(found, Recording))

    @cached_property
    def lanes(self) -> Mapping[str, RecordedLane]:
        """Every lane whose operation the config has, by id, in the order of the files."""
        known = {operation.id for operation in self.connector.operations()}
        return frozen(
            {
                lane.id: RecordedLane(recording, lane)
                for recording in self.recordings
                for lane in recording.lanes
                if lane.operation in known
            }
        )

    @cached_property
    def paged(self) -> tuple[Operation, ...]:
        """The operations that have pages, says the config."""
        every = self.connector.operations()
        return tuple(one for one in every if one.pagination is not None and one.pagination.type != "none")

    def stage(self, operation: str) -> Stage:
        """A listing, by its operation's id, before a simulated provider; records look as the recordings show them."""
        resource, _, name = operation.partition(".")
        asked = self.connector.resources[resource].operations[name]
        return Stage(self.connector, self.account, asked, self._shapes)

    @cached_property
    def _shapes(self) -> Mapping[str, Shape]:
        every = {operation.id: operation for operation in self.connector.operations() if operation.is_list}
        answers: dict[str, list[Response]] = {name: [] for name in every}
        for recorded in self.lanes.values():
            for exchange in self.answered(recorded.lane) if recorded.lane.operation in every else ():
                operation = every[recorded.lane.operation]
                if meaning_of(self.connector, operation, exchange.response).is_success:
                    answers[operation.id].append(exchange.response)
        return frozen({name: Shape.of(every[name], found) for name, found in answers.items()})

    @cached_property
    def account(self) -> Account:
        """The example account, as which recordings are replayed."""
        path = self.folder / "accounts" / "example.json"
        if not path.exists() and self.connector.auth.type == "none" and not self.connector.variables:
            return Account("example")
        if not path.exists():
            raise CallWrong(
                f"{self.name} has no example account",
                facts={"expected at": str(path), "needed by": f'auth "{self.connector.auth.type}"'},
                fix="write invented credentials there: recordings are replayed with them",
            )
        said = config.load_account_document(path)
        return Account("example", frozen(said.get("credentials", {})), frozen(said.get("variables", {})))

    @cached_property
    def credentials(self) -> tuple[str, ...]:
        """Every credential of every account: none of them is ever shown."""
        accounts = [self.account, *(party.account for party in self.parties.values())]
        return tuple(dict.fromkeys(text for account in accounts for text in credentials_of(account)))

    @cached_property
    def models(self) -> Mapping[str, JsonValue]:
        """The unified models that the connector maps to."""
        folder = self.folder.parent / "unified"
        return frozen({model: load_model(folder, model) for model in self.connector.unified})

    @cached_property
    def surface(self) -> tuple[str, ...]:
        """What callers can rely on: each operation, and each field of each unified model."""
        operations = [operation.id for operation in self.connector.operations()]
        mappings = self.connector.unified.values()
        return tuple(sorted([*operations, *(f"{m.model}/{rule.name}" for m in mappings for rule in m.fields)]))

    @property
    def last_certificate(self) -> Path:
        return self.folder.parent.parent / "certificates" / f"{self.name}.json"

    @cached_property
    def promised(self) -> tuple[str, ...]:
        """The surface that the last certificate promised, () where there is none. Raises ConfigWrong."""
        if not self.last_certificate.exists():
            return ()
        value, source = read_json(self.last_certificate.read_bytes(), str(self.last_certificate))
        said = value.get("surface") if isinstance(value, dict) else None
        if not isinstance(said, list):
            problem = source.problem(
                "/surface", "is no list: what was promised cannot be told", "restore the certificate"
            )
            raise ConfigWrong(str(self.last_certificate), [problem])
        return tuple(str(name) for name in said)

    @cached_property
    def gone(self) -> Mapping[str, tuple[Deviation, ...]]:
        """What was promised and is no more, with the waivers that say so and are valid."""
        valid = [d for d in self.deviations if d.kind == "missing" and self.settings.as_of <= d.expires]
        names = sorted({*self.promised} - {*self.surface})
        return frozen({name: tuple(d for d in valid if d.path == child("", name)) for name in names})

    @cached_property
    def deviations(self) -> tuple[Deviation, ...]:
        return load_deviations(self.folder / "deviations.json")

    @cached_property
    def answers(self) -> Mapping[str, Answers]:
        """The answers that mean success, by operation: what their shape is."""
        return answers_of(self.connector, self.recordings)

    @cached_property
    def contracts(self) -> tuple[str, ...]:
        """The operations, by id, that there is a contract for."""
        return contracted(self.folder)

    def drift(self, operation: str) -> Drift:
        """What differs from an operation's contract. Raises ConfigWrong for a contract that is none."""
        return drift_from(self.connector, self.folder, operation, self.answers.get(operation))

    def operation(self, lane: Lane) -> Operation:
        resource, _, name = lane.operation.partition(".")
        return self.connector.resources[resource].operations[name]

    def answered(self, lane: Lane) -> tuple[Exchange, ...]:
        """The exchanges of a lane that operations are answered by: all but those in which a token is asked for."""
        return of_operations(self.connector, lane)

    def grants(self, lane: Lane) -> tuple[Exchange, ...]:
        """The exchanges of a lane in which a token is asked for."""
        return grants_in(self.connector, lane)

    def run(self, lane_id: str) -> LaneRun:
        """The lane, replayed: once, however many checks ask."""
        if lane_id not in self._runs:
            self._runs[lane_id] = self.replayed(lane_id, self.lanes[lane_id].lane)
        return self._runs[lane_id]

    def replayed(self, lane_id: str, lane: Lane, *, resume: str | None = None, lost: Collection[str] = ()) -> LaneRun:
        """A run of a lane's call on exchanges that may have been changed, from a resume token. Kept nowhere.

        The answers to the exchanges that `lost` names never arrive.
        """
        party = self.party(lane)
        return play(
            party.connector,
            party.operation(lane),
            lane,
            account=party.account,
            models=self.models,
            clock=FixedClock(self.day(lane_id)),
            mappings=self._compiled(lane_id),
            net=self.net,
            resume=resume,
            lost=lost,
        )

    def maps(self, lane_id: str, model: str) -> bool:
        """Whether a lane's records become records of this model."""
        mapping = self.mapping(self.lanes[lane_id].lane)
        return mapping is not None and mapping.model == model

    def recorded_records(self, lane_id: str) -> tuple[JsonValue, ...]:
        """The provider's own records in the answers that a lane's run used, read without the engine's loop."""
        run = self.run(lane_id)
        answers = (use.exchange.response for use in run.tally.used if not use.grants)
        return tuple(
            record
            for response in answers
            if meaning_of(self.connector, run.operation, response).is_success
            for record in records_in(run.operation, response)
            if record is not None
        )

    def mapped(self, lane_id: str, records: Sequence[JsonValue]) -> tuple[JsonValue, ...]:
        """What the lane's mapping makes of provider records, each by itself: what should have reached the caller."""
        mapping = self.mapping(self.lanes[lane_id].lane)
        # What is read by itself may be answered without a body: there is nothing to map then.
        if mapping is None or all(record is None for record in records):
            return tuple(records)
        compiled = self.compiled(lane_id)
        return tuple(compiled.apply(record) for record in records)

    def compiled(self, lane_id: str) -> CompiledMapping:
        """The mapping that a lane's records went through. Raises Inconclusive where none did."""
        run = self.run(lane_id)
        mapping = self.mapping(run.lane)
        found = self._compiled(lane_id).get(mapping.model) if mapping else None
        if found is None:
            raise Inconclusive(f"no record of {lane_id} was mapped: {run.outcome}", "see CFG-001 and RPL-004")
        return found

    def party(self, lane: Lane) -> Party:
        """The account on whose behalf a lane was called, and the connector as that account has it.

        Raises CallWrong, ConfigWrong: no such account, or overrides that may not be.
        """
        name = lane.call.account if lane.call and lane.call.account else None
        if name is None:
            return Party(self.connector, self.account)
        if name not in self.parties:
            raise CallWrong(
                f'{self.name} has no account "{name}", on whose behalf {lane.id} was called',
                facts={"expected at": f"{self.folder}/accounts/{name}.json", "there are": ", ".join(self.parties)},
                fix="add the account file, or correct the name in the recording",
            )
        return self.parties[name]

    @cached_property
    def parties(self) -> Mapping[str, Party]:
        """Every account that lies in the folder, by the name of its file."""
        files = sorted((self.folder / "accounts").glob("[!.]*.json"))
        return frozen({file.stem: self._party(file) for file in files})

    def _party(self, file: Path) -> Party:
        layer = Layer("account", file.stem, file.read_bytes(), str(file))
        connector = config.layered(self.file.read_bytes(), [layer], folder=self.name, name=str(self.file))
        return Party(connector, replace(account_in(file), name=file.stem))

    def _compiled(self, lane_id: str) -> dict[str, CompiledMapping]:
        lane = self.lanes[lane_id].lane
        owner = lane.call.account if lane.call else None
        return self._mappings.setdefault((self.day(lane_id), owner), {})

    def day(self, lane_id: str) -> datetime:
        """When a lane is replayed: when it was recorded."""
        return _day_of(self.lanes[lane_id].recording)

    def mapping(self, lane: Lane) -> UnifiedMapping | None:
        """The unified mapping that a lane's records go through: that of its resource, and none where it writes."""
        operation = self.operation(lane)
        found = () if is_write(operation, lane) else self.connector.models_of(operation.resource)
        return found[0] if len(found) == 1 else None

    def snapshot(self, lane_id: str) -> Snapshot:
        """The stored snapshot of a lane. Raises Inconclusive where there is none."""
        stored = self.snapshots.read(lane_id)
        if stored is None:
            raise Inconclusive(
                f"{lane_id} has no snapshot, so there is nothing to compare with",
                f"run with --snapshot-update, then review {self.snapshots.path(lane_id).name} as you would code",
            )
        return stored

    def line_of(self, pointer: str) -> str:
        """Where a place of the config stands, as findings show it: FILE:LINE."""
        return f"{self.file}:{self.connector.source.line(pointer)}"

    def place_of(self, pointer: str) -> str:
        """The same, and which place it is: FILE:LINE   POINTER."""
        return f"{self.line_of(pointer)}   {pointer}"

    def shown(self, run: LaneRun, request: Request) -> str:
        """A request of a run on one line, without any credential."""
        return shown_request(request, (*self.credentials, *(one.text for one in run.tally.granted.values())))

    def taken(self, lane_id: str) -> Snapshot:
        """What this engine returned for a lane, as a snapshot that says so."""
        run = self.run(lane_id)
        requests = tuple(self.shown(run, request) for request in run.requests)
        by = Baseline("engine", f"connproof {version('connproof')}")
        return self.snapshot_of(lane_id, by, run.outcome, requests, run.records)

    def snapshot_of(
        self,
        lane_id: str,
        baseline: Baseline,
        outcome: str,
        requests: tuple[str, ...],
        records: tuple[JsonValue, ...],
    ) -> Snapshot:
        """What somebody returned for a lane, with the model and the key that the config says its records have."""
        lane = self.lanes[lane_id].lane
        operation, mapping = self.operation(lane), self.mapping(lane)
        own_key = operation.key.text if operation.key else None
        return Snapshot(
            lane=lane_id,
            baseline=baseline,
            model=mapping.model if mapping else None,
            key=_model_key(self.models.get(mapping.model)) if mapping else own_key,
            outcome=outcome,
            requests=requests,
            records=records,
        )

    @cached_property
    def digests(self) -> Mapping[str, str]:
        """SHA-256 of everything that the verdict rests on, by what it is."""
        unified = [self.folder.parent / "unified" / (model.replace(".", "/") + ".schema.json") for model in self.models]
        parts = {
            "config": [self.file],
            "contract": [contract_path(self.folder, operation) for operation in self.contracts],
            "account": sorted((self.folder / "accounts").glob("*.json")),
            "recordings": list(self.recording_files),
            "deviations": sorted(self.folder.glob("deviations.json")),
            "snapshots": sorted(self.snapshots.folder.glob("*.json")),
            "unified": sorted(path for path in unified if path.exists()),
        }
        return frozen({name: _digest(files) for name, files in parts.items() if files})


def _digest(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.name}\0{len(content)}\0".encode())
        digest.update(content)
    return f"sha256:{digest.hexdigest()}"


def _day_of(recording: Recording) -> datetime:
    """When a replay takes place: when the traffic was recorded, so that it gives the same for ever."""
    said = recording.provenance.recorded_at or recording.provenance.written_at
    if said is None:
        return datetime(2000, 1, 1, tzinfo=UTC)
    if "T" in said:
        return datetime.fromisoformat(said)
    return datetime.combine(date.fromisoformat(said), time(), UTC)


def _model_key(schema: JsonValue) -> str | None:
    key = schema.get("x-key") if isinstance(schema, dict) else None
    return key if isinstance(key, str) else None
