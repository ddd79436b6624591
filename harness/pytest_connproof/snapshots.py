"""The parity baseline on disk: what each lane of a connector returned, reviewed by people.

One file a lane, `snapshots/<connector>/<lane>.json`, stored and updated through syrupy (`--snapshot-update`).
The file's name is the lane's id, spelt so that no two ids share a file on any file system. A
snapshot says truthfully where it comes from: the old code, or this engine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from syrupy.data import Snapshot as Stored
from syrupy.data import SnapshotCollection
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from connproof.documents import read_json
from connproof.errors import ConfigWrong
from connproof.places import JsonValue
from connproof.schemas import shipped
from pytest_connproof.atomic import write_whole

__all__ = ["Baseline", "Snapshot", "SnapshotFolder"]

FORMAT: Final = "connproof-snapshot/1"

_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._-#")


@dataclass(frozen=True, slots=True)
class Baseline:
    """Who returned what the snapshot holds. `kind` is `engine` or `old code`; `by` names it.

    Of old code, `digest` is of its files, and `commit` the one that was checked out; None where not known.
    """

    kind: str
    by: str
    commit: str | None = None
    digest: str | None = None

    def document(self) -> dict[str, JsonValue]:
        said = {"kind": self.kind, "by": self.by, "commit": self.commit, "digest": self.digest}
        return {name: text for name, text in said.items() if text is not None}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a lane returned: its records, how it ended, what was asked for, and who said so.

    `key` is the place of the primary key in a record, None to compare by position. `outcome` is
    "complete", or the name of the error with its status. `requests` are shown without credentials.
    """

    lane: str
    baseline: Baseline
    model: str | None
    key: str | None
    outcome: str
    requests: tuple[str, ...]
    records: tuple[JsonValue, ...]

    def document(self) -> dict[str, JsonValue]:
        return {
            "format": FORMAT,
            "lane": self.lane,
            "baseline": self.baseline.document(),
            "model": self.model,
            "key": self.key,
            "outcome": self.outcome,
            "requests": list(self.requests),
            "records": list(self.records),
        }


class _OneLane(SingleFileSnapshotExtension):
    """syrupy's storage for one JSON file a snapshot; a file is written whole or not at all."""

    _write_mode = WriteMode.TEXT
    file_extension = "json"

    @classmethod
    def write_snapshot_collection(
        cls, *, snapshot_collection: SnapshotCollection, name_order: dict[str, int] | None = None
    ) -> None:
        del name_order  # one snapshot a file: there is no order
        stored = next(iter(snapshot_collection))
        write_whole(Path(snapshot_collection.location), str(stored.data))


class SnapshotFolder:
    """The snapshots of one connector."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._storage = _OneLane()
        self._read: dict[str, Snapshot | None] = {}

    def path(self, lane: str) -> Path:
        return self.folder / f"{_file_name(lane)}.json"

    def read(self, lane: str) -> Snapshot | None:
        """The stored snapshot, None where there is none; read once. Raises ConfigWrong for a file that is none."""
        if lane not in self._read:
            self._read[lane] = self._from_disk(lane)
        return self._read[lane]

    def _from_disk(self, lane: str) -> Snapshot | None:
        path = self.path(lane)
        text = self._storage.read_snapshot_data_from_location(
            snapshot_location=str(path), snapshot_name=lane, session_id=""
        )
        if text is None:
            return None
        value, source = read_json(str(text).encode(), str(path))
        problems = shipped("pytest_connproof", "snapshot").problems(value, source)
        if not problems and isinstance(value, dict) and value["lane"] != lane:
            problems = [source.problem("/lane", f"is not the lane that the file is named after, {lane}")]
        if problems or not isinstance(value, dict):
            raise ConfigWrong(str(path), problems)
        return _snapshot(value)

    def write(self, snapshot: Snapshot) -> Path:
        """Store a snapshot; the file is replaced whole."""
        path = self.path(snapshot.lane)
        collection = SnapshotCollection(location=str(path))
        text = json.dumps(snapshot.document(), indent=2, ensure_ascii=False) + "\n"
        collection.add(Stored(name=snapshot.lane, data=text))
        self._storage.write_snapshot_collection(snapshot_collection=collection)
        self._read[snapshot.lane] = snapshot
        return path

    def lanes(self) -> Iterator[str]:
        """The lanes that have a snapshot, by their files' names."""
        for path in sorted(self.folder.glob("*.json")):
            yield unquote(path.stem)

    def remove(self, lane: str) -> None:
        self._read.pop(lane, None)
        self._storage.delete_snapshots(snapshot_location=str(self.path(lane)), snapshot_names={lane})


def _file_name(lane: str) -> str:
    # Capitals are spelt out too: on some file systems "A.json" and "a.json" are one file.
    return "".join(c if c in _PLAIN else "".join(f"%{byte:02x}" for byte in c.encode()) for c in lane)


def _snapshot(said: Mapping[str, Any]) -> Snapshot:
    return Snapshot(
        lane=said["lane"],
        baseline=Baseline(**said["baseline"]),
        model=said["model"],
        key=said["key"],
        outcome=said["outcome"],
        requests=tuple(said["requests"]),
        records=tuple(said["records"]),
    )
