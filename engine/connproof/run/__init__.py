"""The engine: read a listing, one record, write, or pass a request through. The one part that knows all the others.

Which part you are in is in the names: `Engine.read` -> `Listing.pages` -> `Door.answer` -> `transport.send`.
Records are handed on page by page and none is kept: memory stays flat however long the listing is.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from connproof.clock import Clock, SystemClock
from connproof.decode import Limits
from connproof.errors import CallWrong, ProviderSaid
from connproof.events import Listener, ReadEnded, ignore
from connproof.mapping import CompiledMapping
from connproof.model import Account, Connector, Headers, Position, Query, Response
from connproof.places import ABSENT, Absent, JsonValue
from connproof.run.asking import Asking, fitting
from connproof.run.calls import Call, Element, MappedPage, Record, Written
from connproof.run.listing import Listing, placed, records_of
from connproof.run.mapped import Mapper
from connproof.run.sending import Door, Patience
from connproof.run.writing import Writing
from connproof.transport import Transport

if TYPE_CHECKING:
    from connproof.mapping.apart import Apart
    from connproof.tokens import Tokens

__all__ = ["Call", "Element", "Engine", "MappedPage", "Record", "Written"]


class Engine:
    """One connector on behalf of one account, over one transport.

    `models` holds the JSON Schema of every unified model that may be mapped to. `mappings` holds what was compiled
    already, and takes what is compiled now: engines of one connector, account and clock may share it. `nonce` makes
    texts that come once: idempotency keys, and the nonces of signatures. With `tokens` each request is signed with the
    account's kept access token, not with one of its credentials; they may serve many engines. `apart` evaluates the
    expressions of the account's layer; by default in a process of this engine's own.
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
        nonce: Callable[[], str] = lambda: secrets.token_hex(16),
        tokens: Tokens | None = None,
        apart: Apart | None = None,
    ) -> None:
        self._connector = connector
        self._account = account or Account()
        clock = clock or SystemClock()
        self._listener = listener
        self._nonce = nonce
        self._asking = Asking(connector, self._account)
        self._door = Door(
            connector,
            self._account,
            self._asking.base_url,
            transport,
            clock=clock,
            listener=listener,
            limits=limits or Limits(),
            nonce=nonce,
            tokens=tokens,
        )
        self._mapper = Mapper(
            connector, self._account, models or {}, clock, {} if mappings is None else mappings, apart=apart
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
        call, mapping = await self._mapper.filtered(call, mapping), None if call.raw else mapping
        given = 0
        if call.limit is not None and call.limit <= 0:
            return
        async for page, position in Listing(self._asking, self._door, self._listener, asked, call).pages():
            wanted = page.records if call.limit is None else page.records[: call.limit - given]
            # The bookmark of a page that is cut would pass over those that are not wanted.
            shown = page if len(wanted) == len(page.records) else replace(page, bookmark=None)
            records = await self._mapper.unified(wanted, mapping, asked, position, remote_data=call.remote_data)
            yield MappedPage(shown, position, records)
            given += len(wanted)
            if call.limit is not None and given >= call.limit:
                return

    async def one(self, target: str, operation: str | None = None, call: Call | None = None) -> Record:
        """The one record of an operation such as get; mapped as `read` maps."""
        call = call or Call()
        asked, mapping = self._asking.target(target, operation or "get", raw=call.raw)
        mapping = None if call.raw else mapping
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
        mapped = await self._mapper.unified(records, mapping, asked, Position(), remote_data=call.remote_data)
        self._listener(ReadEnded("one record", 1, len(mapped)))
        return mapped[0]

    async def write(
        self,
        target: str,
        operation: str,
        record: JsonValue | Absent = ABSENT,
        call: Call | None = None,
    ) -> Written:
        """Write a record of a unified model (or the provider's own, if the call says raw or nothing maps it).

        `record` is ABSENT where the operation sends none, such as delete.
        Raises CallWrong, MappingFailed, ProviderSaid.
        """
        return await self._writing(target, operation, call).one(record)

    async def write_many(
        self, target: str, operation: str, records: Sequence[JsonValue], call: Call | None = None
    ) -> Written:
        """Write several records by an operation that takes a batch; `Written.elements` has the fate of each.

        Raises as `write`; a ProviderSaid has in `written` the elements of the requests that went before.
        """
        return await self._writing(target, operation, call).many(records)

    def _writing(self, target: str, operation: str, call: Call | None) -> Writing:
        call = call or Call()
        asked, mapping = self._asking.target(target, operation, raw=call.raw)
        mapping = None if call.raw else mapping
        return Writing(self._asking, self._door, self._mapper, (asked, mapping), call, nonce=self._nonce)

    async def discovered(self) -> dict[str, str]:
        """The variables that are found by asking, once an account is connected: name to value.

        They belong into the account's variables; each is as its pattern has it.
        Raises CallWrong where the answer lacks one, ProviderSaid.
        """
        values: dict[str, str] = {}
        for variable in self._connector.variables.values():
            if variable.source == "discovery" and variable.operation is not None and variable.path is not None:
                resource, _, name = variable.operation.partition(".")
                asked, _ = self._asking.target(resource, name, raw=True)
                draft = self._asking.draft(asked, Call())
                answer = await self._door.answer(asked, draft, Patience.of(Call()), finding=variable.name)
                values[variable.name] = fitting(variable, answer.document)
        return values

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
        return await self._door.raw(self._asking.raw(method, path, query, headers), body)
