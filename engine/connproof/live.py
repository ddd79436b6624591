"""Engines whose configs are as the store has them now: a change takes effect on the next request, without a restart.

Every call asks the store for three revisions and reads again only what has another one than last time. What
is compiled belongs to one connector, environment and account; no two of them share a mapping. Credentials are
read for each engine anew and are kept nowhere here.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from connproof.clock import Clock, SystemClock
from connproof.config import layered
from connproof.decode import Limits
from connproof.errors import CallWrong, ConfigWrong
from connproof.events import Listener, ignore
from connproof.mapping import CompiledMapping, compile_mapping
from connproof.model import Account, Connector, UnifiedMapping
from connproof.places import JsonValue
from connproof.run import Engine
from connproof.stores import AccountStore, ConfigStore, Kept, Key, as_layer
from connproof.transport import Transport

__all__ = ["Live", "check_mappings"]

_Keys: TypeAlias = tuple[Key, ...]
_Revisions: TypeAlias = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class _Made:
    """What was made of the documents when they had these revisions."""

    revisions: _Revisions
    account_name: str
    connector: Connector
    mappings: dict[str, CompiledMapping] = field(default_factory=dict)


class Live:
    """The engines of every connector and account in a store. For use in one event loop."""

    def __init__(
        self,
        store: ConfigStore,
        accounts: AccountStore,
        transport: Transport,
        *,
        models: Mapping[str, JsonValue],
        clock: Clock | None = None,
        listener: Listener = ignore,
        limits: Limits | None = None,
        most: int = 1_000,
        allow_loopback: bool = False,
    ) -> None:
        """`models` is what an engine takes. `most` is how many connectors with their accounts are kept compiled."""
        self._store = store
        self._accounts = accounts
        self._transport = transport
        self._models = models
        self._clock = clock or SystemClock()
        self._listener = listener
        self._limits = limits
        self._most = most
        self._allow_loopback = allow_loopback
        self._made: OrderedDict[_Keys, _Made] = OrderedDict()
        self._kept: dict[Key, Kept] = {}

    async def engine(self, connector: str, account: str, environment: str | None = None) -> Engine:
        """An engine for one request or read: with the documents as they are now, whatever comes after.

        A layer that is not in the store changes nothing; an environment that is named must be there. Raises CallWrong,
        ConfigWrong: also for expressions that cannot be compiled, before anything is asked of the provider.
        """
        environments = [Key(connector, "environment", environment)] if environment is not None else []
        keys = (Key(connector), *environments, Key(connector, "account", account))
        owner, revisions = await asyncio.to_thread(self._look, keys)
        made = self._made.get(keys)
        if made is None or (made.revisions, made.account_name) != (revisions, owner.name):
            made = _Made(revisions, owner.name, await asyncio.to_thread(self._connector, keys, revisions))
            self._made[keys] = made
        self._made.move_to_end(keys)
        while len(self._made) > self._most:
            self._made.popitem(last=False)
        return Engine(
            made.connector,
            self._transport,
            account=owner,
            models=self._models,
            clock=self._clock,
            listener=self._listener,
            limits=self._limits,
            mappings=made.mappings,
        )

    def _look(self, keys: _Keys) -> tuple[Account, _Revisions]:
        owner = self._accounts.account(keys[-1].connector, keys[-1].name)
        return owner, self._store.revisions(keys)

    def _connector(self, keys: _Keys, revisions: _Revisions) -> Connector:
        # The revisions are older than what is read here: if it changes in between, the next request reads it again.
        documents = {key: self._document(key, revision) for key, revision in zip(keys, revisions, strict=True)}
        for key, kept in documents.items():
            if kept is None and key.level != "account":
                raise CallWrong(f"the store has no {key}", fix="put the document there, or name another")
        own = documents.pop(keys[0])
        assert own is not None, "that is said above"
        connector = layered(
            own.data,
            [as_layer(key, kept) for key, kept in documents.items() if kept is not None],
            folder=keys[0].connector,
            name=own.document,
            allow_loopback=self._allow_loopback,
        )
        check_mappings(connector, self._models, self._clock)
        return connector

    def _document(self, key: Key, revision: str | None) -> Kept | None:
        """A document, read again where its revision is another. An account's may hold credentials, and is not kept."""
        kept = self._kept.get(key)
        if kept is None or kept.revision != revision:
            kept = self._store.read(key)
            if kept is not None and key.level != "account":
                self._kept[key] = kept
        return kept


def check_mappings(connector: Connector, models: Mapping[str, JsonValue], clock: Clock) -> None:
    """Compile every mapping, to see that it can be. Raises ConfigWrong, with all that is wrong in one document."""
    wrong: list[ConfigWrong] = []
    for mapping, schema in _directions(connector, models):
        try:
            compile_mapping(
                mapping,
                schema=schema,
                clock=clock,
                bindings={},
                document=connector.source.name,
                source=connector.source,
            )
        except ConfigWrong as found:
            wrong.append(found)
    if wrong:
        first = wrong[0].document
        raise ConfigWrong(first, [problem for one in wrong if one.document == first for problem in one.problems])


def _directions(
    connector: Connector, models: Mapping[str, JsonValue]
) -> Iterator[tuple[UnifiedMapping, JsonValue | None]]:
    """Every mapping as it is read, written and filtered by; only what is read is held against the model."""
    for mapping in connector.unified.values():
        yield mapping, models.get(mapping.model)
        filters = tuple((one.rule,) for one in mapping.filters if one.rule is not None)
        for rules in (*mapping.writes.values(), *filters):
            yield UnifiedMapping(mapping.model, mapping.resource, rules, mapping.pointer), None
