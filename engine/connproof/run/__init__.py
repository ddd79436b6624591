"""The engine: read a listing, one record, write, or pass a request through. The one part that knows all the others.

Which part you are in is in the names: `Engine.read` -> `Listing.pages` -> `Door.answer` -> `transport.send`.
Records are handed on page by page and none is kept: memory stays flat however long the listing is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from connproof.clock import Clock, SystemClock
from connproof.decode import Limits
from connproof.errors import CallWrong, MappingFailed, ProviderSaid
from connproof.events import Listener, ReadEnded, ignore
from connproof.mapping import CompiledMapping, compile_mapping
from connproof.model import Account, Connector, Headers, Operation, Position, Query, Request, Response, UnifiedMapping
from connproof.places import ABSENT, JsonValue
from connproof.run.asking import Asking
from connproof.run.calls import Call, Element, MappedPage, Record, Written
from connproof.run.listing import Listing, placed, records_of
from connproof.run.sending import Door, Patience
from connproof.transport import Transport

__all__ = ["Call", "Element", "Engine", "MappedPage", "Record", "Written"]


class Engine:
    """One connector on behalf of one account, over one transport.

    `models` holds the JSON Schema of every unified model that may be mapped to. `mappings` holds what was compiled
    already, and takes what is compiled now: engines of one connector, account and clock may share it.
    """

    def __init__(
        self,
        connector: Connector,
        transport: Transport,
        *,
        account: Account | None = None,
        models: Mapping[str, JsonValue] | None = None,
        clock: Clock | None = None,
        listener: Listener = ignore,
        limits: Limits | None = None,
        mappings: dict[str, CompiledMapping] | None = None,
    ) -> None:
        self._connector = connector
        self._account = account or Account()
        self._models = models or {}
        self._clock = clock or SystemClock()
        self._listener = listener
        self._mappings = {} if mappings is None else mappings
        self._asking = Asking(connector, self._account)
        self._door = Door(
            connector,
            self._account,
            self._asking.base_url,
            transport,
            clock=self._clock,
            listener=listener,
            limits=limits or Limits(),
        )

    async def read(self, target: str, operation: str | None = None, call: Call | None = None) -> AsyncIterator[Record]:
        """The records of a resource, or of a unified model, one after the other.

        `target` is a resource ("contacts") or a unified model ("crm.contact"). A resource that one model is mapped
        from gives that model's records, unless the call says raw. `operation` defaults to list.
        Raises CallWrong, MappingFailed, and any ProviderSaid, which then has a resume token.
        """
        async for mapped in self.pages(target, operation, call):
            for record in mapped.records:
                yield record

    async def pages(
        self, target: str, operation: str | None = None, call: Call | None = None
    ) -> AsyncIterator[MappedPage]:
        """As `read`, page by page, with what stood around the records."""
        call = call or Call()
        asked, mapping = self._asking.target(target, operation, raw=call.raw)
        if not asked.is_list:
            raise CallWrong(f"{asked.id} gives one record", fix="ask for it with `one`")
        given = 0
        if call.limit is not None and call.limit <= 0:
            return
        async for page, position in Listing(self._asking, self._door, self._listener, asked, call).pages():
            wanted = page.records if call.limit is None else page.records[: call.limit - given]
            yield MappedPage(page, position, self._mapped(wanted, mapping, asked, position))
            given += len(wanted)
            if call.limit is not None and given >= call.limit:
                return

    async def one(self, target: str, operation: str | None = None, call: Call | None = None) -> Record:
        """The one record of an operation such as get; mapped as `read` maps."""
        call = call or Call()
        asked, mapping = self._asking.target(target, operation or "get", raw=call.raw)
        if asked.is_list:
            raise CallWrong(f"{asked.id} gives a list", fix="ask for it with `read`")
        try:
            answer = await self._door.answer(asked, self._asking.draft(asked, call), Patience.of(call))
            records = records_of(asked, answer.document, self._connector)
        except ProviderSaid as said:
            placed(said, self._connector, asked, Position())
            raise
        if answer.document is ABSENT:
            return None
        mapped = self._mapped(records, mapping, asked, Position())
        self._listener(ReadEnded("one record", 1, len(mapped)))
        return mapped[0]

    async def raw(
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
        headers: Headers = (),
        body: bytes | None = None,
    ) -> Response:
        """Any request through the authenticated connection; the answer as it came, whatever its status.

        `path` is below base_url, or a URL of an allowed origin. Raises CallWrong, ForeignNextLink.
        """
        signed = self._door.signed(self._asking.raw(method, path, query, headers))
        return await self._door.send(Request(signed.method, signed.url, signed.headers, body), signed.url)

    # Mapping.

    def _mapped(
        self, records: tuple[JsonValue, ...], mapping: UnifiedMapping | None, operation: Operation, position: Position
    ) -> tuple[Record, ...]:
        if mapping is None:
            return records
        compiled = self._mappings.get(mapping.model) or self._compiled(mapping)
        mapped: list[Record] = []
        for index, record in enumerate(records):
            try:
                mapped.append(compiled.apply(record))
            except MappingFailed as failed:
                failed.facts = {
                    "connector": f"{self._connector.name}.{operation.id} as {mapping.model}",
                    "record": f"{position.records + index + 1} (page {position.pages + 1}){_key_of(operation, record)}",
                    **failed.facts,
                }
                raise
        return tuple(mapped)

    def _compiled(self, mapping: UnifiedMapping) -> CompiledMapping:
        bindings: dict[str, JsonValue] = {
            "account": {"name": self._account.name},
            "connector": {"name": self._connector.name},
            "resource": {"name": mapping.resource},
        }
        compiled = compile_mapping(
            mapping,
            schema=self._models.get(mapping.model),
            clock=self._clock,
            bindings=bindings,
            document=self._connector.source.name,
        )
        self._mappings[mapping.model] = compiled
        return compiled


def _key_of(operation: Operation, record: JsonValue) -> str:
    key = operation.key.find(record) if operation.key else ABSENT
    return f" {operation.key}={key}" if isinstance(key, str | int) else ""
