"""Records through the mappings of one connector on behalf of one account: in both directions, and filters too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from connproof.clock import Clock
from connproof.draft import as_text
from connproof.errors import CallWrong, MappingFailed
from connproof.mapping import ApartMapping, CompiledMapping, compile_mapping
from connproof.model import Account, Connector, FieldRule, Operation, Position, UnifiedMapping
from connproof.places import ABSENT, Absent, JsonValue
from connproof.run.calls import Call, Record
from connproof.schemas import nearest

if TYPE_CHECKING:
    from connproof.mapping.apart import Apart

__all__ = ["Mapper"]


class Mapper:
    """Compiles each mapping when it is first needed. `compiled` may be shared: see Engine.

    One process serves all expressions of the account's layer; it is started when the first is needed.
    """

    def __init__(
        self,
        connector: Connector,
        account: Account,
        models: Mapping[str, JsonValue],
        clock: Clock,
        compiled: dict[str, CompiledMapping],
        *,
        apart: Apart | None = None,
    ) -> None:
        self._connector = connector
        self._account = account
        self._models = models
        self._clock = clock
        self._compiled = compiled
        self._given_apart = apart

    async def unified(
        self,
        records: Sequence[JsonValue],
        mapping: UnifiedMapping | None,
        operation: Operation,
        position: Position,
        *,
        remote_data: bool = False,
    ) -> tuple[Record, ...]:
        """Provider records as the caller gets them. Raises MappingFailed, which says which record it was."""
        if mapping is None:
            return tuple(records)
        compiled = self.reading(mapping)
        mapped: list[Record] = []
        for index, record in enumerate(records):
            try:
                mapped.append(
                    await compiled.applied(record, remote_data=remote_data)
                    if isinstance(compiled, ApartMapping)
                    else compiled.apply(record, remote_data=remote_data)
                )
            except MappingFailed as failed:
                failed.facts = {
                    "connector": f"{self._connector.name}.{operation.id} as {mapping.model}",
                    "record": f"{position.records + index + 1} (page {position.pages + 1}){_key_of(operation, record)}",
                    **failed.facts,
                }
                raise
        return tuple(mapped)

    def reading(self, mapping: UnifiedMapping) -> CompiledMapping:
        """The mapping from the provider's record to the unified one."""
        return self._of(mapping.model, mapping, self._models.get(mapping.model))

    async def outgoing(self, mapping: UnifiedMapping, operation: Operation, record: JsonValue) -> dict[str, JsonValue]:
        """What a write sends of a unified record: place in the provider's record to value.

        Raises CallWrong where the config does not say how, MappingFailed where an expression fails.
        """
        rules = mapping.writes.get(operation.name)
        if rules is None:
            raise CallWrong(
                f'{mapping.model} has no mapping for "{operation.name}"',
                facts={"config": f"{self._connector.source.name} {mapping.pointer}/write"},
                fix="add it there, or write the provider's own record (raw)",
            )
        out = self._of(f"{mapping.model} {operation.name}", _only(mapping, rules), None)
        return await out.applied(record) if isinstance(out, ApartMapping) else out.apply(record)

    async def filtered(self, call: Call, mapping: UnifiedMapping | None) -> Call:
        """The call with its filters as the provider's parameters. Raises CallWrong for one that the config lacks."""
        filters = {one.name: one for one in mapping.filters} if mapping else {}
        if unknown := [name for name in call.filters if name not in filters]:
            what = mapping.model if mapping else "a raw read"
            raise CallWrong(f'{what} has no filter "{unknown[0]}"', fix=nearest(unknown[0], filters) if filters else "")
        placed = list(call.placements)
        params = dict(call.params)
        for name, one in filters.items():
            value: JsonValue | Absent = call.filters.get(name, ABSENT)
            if value is not ABSENT and one.rule is not None and mapping is not None:
                made = self._of(f"{mapping.model} filter {name}", _only(mapping, (one.rule,)), None)
                given = await made.applied(value) if isinstance(made, ApartMapping) else made.apply(value)
                value = given.get(name, ABSENT)
            if one.place == "template":
                params[one.param] = one.otherwise if isinstance(value, Absent) else as_text(value)
            elif not isinstance(value, Absent):
                placed.append((one.place, one.param, value))
        return replace(call, params=params, placements=tuple(placed))

    @cached_property
    def _apart(self) -> Apart:
        from connproof.mapping.apart import Apart  # most accounts need none

        return self._given_apart or Apart()

    def _of(self, name: str, mapping: UnifiedMapping, schema: JsonValue) -> CompiledMapping:
        if name not in self._compiled:
            bindings: dict[str, JsonValue] = {
                "account": {"name": self._account.name},
                "connector": {"name": self._connector.name},
                "resource": {"name": mapping.resource},
            }
            self._compiled[name] = compile_mapping(
                mapping,
                schema=schema,
                clock=self._clock,
                bindings=bindings,
                document=self._connector.source.name,
                source=self._connector.source,
                apart=lambda: self._apart,
            )
        return self._compiled[name]


def _only(mapping: UnifiedMapping, rules: tuple[FieldRule, ...]) -> UnifiedMapping:
    return UnifiedMapping(mapping.model, mapping.resource, rules, mapping.pointer)


def _key_of(operation: Operation, record: JsonValue) -> str:
    key = operation.key.find(record) if operation.key else ABSENT
    return f" {operation.key}={key}" if isinstance(key, str | int) else ""
