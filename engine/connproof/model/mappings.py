"""How a resource's records become records of a unified model, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from connproof.documents import PLATFORM_BASE
from connproof.model.wire import Placement
from connproof.places import Place

__all__ = [
    "CustomFields",
    "CustomSource",
    "FieldRule",
    "Filter",
    "UnifiedMapping",
]


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One output field: its JSONata expression, and the level and the document that gave it."""

    name: str
    expression: str
    pointer: str
    line: int
    level: str = PLATFORM_BASE
    document: str = ""


@dataclass(frozen=True, slots=True)
class CustomSource:
    """One place of custom fields: an object's members, or with `key` a list's elements.

    `at` is looked up in the record; `key`, `value` and `typed_by` in each member or element. `bare` takes prefix and
    suffix off the names.
    """

    at: Place
    prefix: str = ""
    suffix: str = ""
    pattern: str | None = None
    exceptions: frozenset[str] = frozenset()
    bare: bool = False
    key: Place | None = None
    value: Place | None = None
    typed_by: Place | None = None


@dataclass(frozen=True, slots=True)
class CustomFields:
    """All fields that an account itself defined, as one object.

    `rule` says which output field takes it, and where that stands; its expression is none of JSONata's.
    """

    rule: FieldRule
    sources: tuple[CustomSource, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """A unified model's filter: the provider's parameter, its place, and the expression that makes its value.

    `rule` is None where the value is sent as it is. `otherwise` fills a template where the caller does not filter.
    """

    name: str
    param: str
    place: Placement
    rule: FieldRule | None
    otherwise: str
    pointer: str


@dataclass(frozen=True, slots=True)
class UnifiedMapping:
    """How a resource's records become records of a unified model, such as crm.contact."""

    model: str
    resource: str
    fields: tuple[FieldRule, ...]
    pointer: str
    custom_fields: CustomFields | None = None
    filters: tuple[Filter, ...] = ()
    writes: Mapping[str, tuple[FieldRule, ...]] = field(default_factory=lambda: MappingProxyType({}))
