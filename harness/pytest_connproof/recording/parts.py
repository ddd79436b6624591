"""What a recording is made of: provenance, lanes, and exchanges of plain requests and responses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from connproof.documents import Source
from connproof.errors import ConnproofError, Problem, printable
from connproof.model import Query, Request, Response
from connproof.places import ABSENT, Absent, JsonValue

FORMAT: Final = "connproof-recording/1"

Kind: TypeAlias = Literal["recorded", "imported", "documented", "synthetic"]
Order: TypeAlias = Literal["strict", "unordered"]

# The members of a provenance that are texts, in the order in which they are written.
PROVENANCE_TEXTS: Final = ("kind", "recorded_at", "written_at", "source", "recorder", "origin", "api_version")


class RecordingUnfit(ConnproofError):
    """A recording that cannot be used as it is; whoever made it must make it again. Holds every problem."""

    def __init__(self, path: Path, problems: Iterable[Problem]) -> None:
        self.path = path
        self.problems = tuple(problems)
        count = len(self.problems)
        super().__init__(f"{path} has {count} problem{'s' if count != 1 else ''}")

    def __str__(self) -> str:
        return "\n".join([printable(self.what), *(f"  {self.path}:{problem}" for problem in self.problems)])


@dataclass(frozen=True, slots=True)
class Redaction:
    """How often each rule of the redactor was applied, and the spellings in which no secret was found."""

    rules: Mapping[str, int]
    proved: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the traffic comes from.

    `recorded` (live traffic) has `recorded_at` (RFC 3339); `imported` has `origin` (the foreign format
    and the file's name); `documented` (from the provider's reference) and `synthetic` (from a simulated
    provider) have `written_at` (a date). `unverified` are facts without a source.
    """

    kind: Kind
    source: str
    recorded_at: str | None = None
    written_at: str | None = None
    recorder: str | None = None
    origin: str | None = None
    api_version: str | None = None
    unverified: tuple[str, ...] = ()
    redaction: Redaction | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """How a lane's operation is called; `query` is sent beside the config's own. None and ABSENT: not said.

    `account` is the account file on whose behalf; without one, the example account. `record` is what a write writes,
    a list for a batch; `filters` are the unified model's.
    """

    params: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    page_size: int | None = None
    limit: int | None = None
    body: JsonValue | Absent = ABSENT
    query: Query = ()
    account: str | None = None
    record: JsonValue | Absent = ABSENT
    filters: Mapping[str, JsonValue] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer. `repeats`: the same request may come again. `pointer`: in the file."""

    id: str
    request: Request
    response: Response
    repeats: bool
    pointer: str


@dataclass(frozen=True, slots=True)
class Lane:
    """The exchanges of one call. The id is `contacts.list` or, with a scenario, `contacts.list#throttled`."""

    id: str
    order: Order
    call: Call | None
    exchanges: tuple[Exchange, ...]
    pointer: str

    @property
    def operation(self) -> str:
        return self.id.partition("#")[0]

    @property
    def scenario(self) -> str | None:
        return self.id.partition("#")[2] or None


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording, read. `source` knows the line of everything in the file."""

    path: Path
    provenance: Provenance
    lanes: tuple[Lane, ...]
    source: Source

    def exchanges(self) -> Iterator[Exchange]:
        """Every exchange, in the file's order."""
        for lane in self.lanes:
            yield from lane.exchanges
