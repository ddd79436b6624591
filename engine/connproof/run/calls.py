"""What a caller asks for, and what the caller gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from connproof.model import Page, Placement, Position, Query
from connproof.places import ABSENT, Absent, JsonValue

__all__ = ["Call", "Element", "MappedPage", "Record", "Written"]

Record = JsonValue


@dataclass(frozen=True, slots=True)
class Call:
    """How an operation is called. `params` fill the names in braces; `query` is sent beside the config's own.

    `filters` are a unified model's own, which the config turns into the provider's parameters; `placements` are further
    values and where they are sent. `page_size` overrides
    the config's default; `limit` ends the read after that many records; `resume` is a token from an earlier read of
    the same call; `raw` leaves records as the provider gave them; `remote_data` puts the provider's record beside the
    unified fields. A throttle is raised at once, unless `on_throttle` is "wait": then the read waits, `max_wait_s`
    seconds in all. `idempotency_key` marks a write; without one, one is made where the config asks for it.
    """

    params: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    query: Query = ()
    body: JsonValue | Absent = ABSENT
    filters: Mapping[str, JsonValue] = field(default_factory=lambda: MappingProxyType({}))
    placements: tuple[tuple[Placement, str, JsonValue], ...] = ()
    page_size: int | None = None
    limit: int | None = None
    resume: str | None = None
    raw: bool = False
    remote_data: bool = False
    on_throttle: Literal["raise", "wait"] = "raise"
    max_wait_s: float = 60.0
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class MappedPage:
    """A page and its records as the caller gets them: mapped, or raw where nothing maps them."""

    page: Page
    position: Position
    records: tuple[Record, ...]

    def __repr__(self) -> str:  # as that of a page
        return f"MappedPage({len(self.records)} records)"


@dataclass(frozen=True, slots=True)
class Element:
    """What became of one element of a batch. `index` counts within its list, from 0.

    `code` and `message` are the provider's own, "" where it succeeded; `message` may quote what was sent.
    """

    index: int
    ok: bool
    id: str | None = None
    status: int | None = None
    code: str = ""
    message: str = field(default="", repr=False)

    def document(self) -> dict[str, JsonValue]:
        """As data, without what is not said, and without the provider's words."""
        told: dict[str, JsonValue] = {"index": self.index, "ok": self.ok}
        said = {"id": self.id, "status": self.status, "code": self.code or None}
        return told | {name: value for name, value in said.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Written:
    """What came of a write: the status, the record as the provider gave it back, and what became of each element.

    `record` is None where the answer has no body (204). `elements` is () for a write of one record.
    """

    status: int
    record: Record = field(default=None, repr=False)
    id: str | None = None
    elements: tuple[Element, ...] = ()
    idempotency_key: str | None = None

    @property
    def failed(self) -> tuple[Element, ...]:
        """The elements that failed, in their order."""
        return tuple(element for element in self.elements if not element.ok)

    def document(self) -> dict[str, JsonValue]:
        """As data, without what is not said."""
        told: dict[str, JsonValue] = {"status": self.status, "id": self.id, "record": self.record}
        told["elements"] = [element.document() for element in self.elements] or None
        told["idempotency_key"] = self.idempotency_key
        return {name: value for name, value in told.items() if value is not None}
