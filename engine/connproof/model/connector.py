"""A whole connector.json, read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from connproof.documents import Source
from connproof.model.access import Auth, Variable
from connproof.model.answers import NOWHERE, ErrorRule, Format, Words
from connproof.model.limits import RateLimit
from connproof.model.mappings import UnifiedMapping
from connproof.model.operations import ApiVersion, Operation, Resource
from connproof.model.wire import Headers, Query

__all__ = [
    "Connector",
]


@dataclass(frozen=True, slots=True)
class Connector:
    """A connector.json, read. `source` knows the line of everything in it."""

    name: str
    base_url: str
    auth: Auth
    resources: Mapping[str, Resource]
    source: Source
    title: str = ""
    variables: Mapping[str, Variable] = field(default_factory=lambda: MappingProxyType({}))
    allowed_origins: tuple[str, ...] = ()
    api_version: ApiVersion | None = None
    decode: Format | None = None
    headers: Headers = ()
    query: Query = ()
    unified: Mapping[str, UnifiedMapping] = field(default_factory=lambda: MappingProxyType({}))
    errors: tuple[ErrorRule, ...] = ()
    error_code: Words = NOWHERE
    error_message: Words = NOWHERE
    rate_limit: RateLimit | None = None

    def rules_for(self, operation: Operation) -> tuple[ErrorRule, ...]:
        """What an answer to an operation means, in the order in which it is asked: whether it is a throttle, first."""
        throttled = self.rate_limit.throttled if self.rate_limit else ()
        throttles = (ErrorRule(one.when, "throttled", one.pointer) for one in throttled)
        return (*throttles, *operation.errors, *self.errors)

    def operations(self) -> Iterator[Operation]:
        """Every operation, in the document's order."""
        for resource in self.resources.values():
            yield from resource.operations.values()

    def models_of(self, resource: str) -> tuple[UnifiedMapping, ...]:
        """The unified models that are mapped from this resource."""
        return tuple(mapping for mapping in self.unified.values() if mapping.resource == resource)
