"""Read a listing page by page: ask, read, decide what to ask next.

Every error that the provider causes carries a resume token: the read goes on from the very request that
failed, with nothing lost or repeated.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from connproof import pagination
from connproof.draft import Draft, without_parameter
from connproof.errors import PageUnreadable, ProviderBroke, ProviderSaid
from connproof.events import Listener, PageRead, ReadEnded
from connproof.guard import Guard
from connproof.model import Connector, Operation, Page, Position
from connproof.places import Absent, JsonValue
from connproof.resume import call_digest, resumed, token
from connproof.run.asking import Asking, page_size
from connproof.run.calls import Call
from connproof.run.sending import Door, Patience

__all__ = ["Listing", "placed", "records_of"]


class Listing:
    """One read of one listing."""

    def __init__(self, asking: Asking, door: Door, listener: Listener, operation: Operation, call: Call) -> None:
        assert operation.pagination is not None, "config gives every listing a pagination"
        self._connector = asking.connector
        self._door = door
        self._listener = listener
        self._operation = operation
        self._paging = operation.pagination
        self._size = page_size(self._paging, call, operation)
        self._draft = asking.draft(operation, call)
        self._call = call
        self._patience = Patience.of(call)

    async def pages(self) -> AsyncIterator[tuple[Page, Position]]:
        """Every page with the position that it was read at. Raises ProviderSaid, with a resume token."""
        paging, operation, call = self._paging, self._operation, self._call
        digest = call_digest(self._connector.name, operation.id, self._draft.request(), self._size)
        position = pagination.start(paging) if call.resume is None else resumed(call.resume, digest)
        guard = Guard(paging, operation)
        while True:
            try:
                guard.bound(position)
                asked = pagination.ask(self._draft, paging, position, self._size)
                guard.request(asked.request(), position)
                page = await self._page(asked)
                guard.page(page, position)
                following = pagination.advance(paging, position, page)
            except ProviderSaid as said:
                said.resume = token(digest, self._keyless(position))
                placed(said, self._connector, operation, position)
                raise
            after = following if isinstance(following, Position) else None
            self._listener(PageRead(position, len(page.records), after))
            yield page, position
            if not isinstance(following, Position):
                self._listener(ReadEnded(following.reason, following.pages, following.records))
                return
            position = following

    async def _page(self, asked: Draft) -> Page:
        answer = await self._door.answer(self._operation, asked, self._patience)
        records = records_of(self._operation, answer.document, self._connector)
        return Page(answer.request, answer.response, answer.document, records, self._size)

    def _keyless(self, position: Position) -> Position:
        """The position without the key that some providers repeat in their next URL: signing adds it again."""
        scheme = self._connector.auth
        if scheme.type != "api_key" or scheme.place != "query" or not isinstance(position.value, str):
            return position
        return replace(position, value=without_parameter(position.value, scheme.name))


def records_of(operation: Operation, document: JsonValue | Absent, connector: Connector) -> tuple[JsonValue, ...]:
    """The records in a decoded body; the one record of an operation that gives one. Raises PageUnreadable."""
    if isinstance(document, Absent):
        return ()
    found = operation.response_path.find(document) if operation.response_path else document
    if not operation.is_list:
        if isinstance(found, Absent):
            raise _leads_nowhere(operation, document, connector)
        return (found,)
    if found is None or (isinstance(found, Absent) and operation.items_may_be_missing):
        return ()
    if isinstance(found, Absent):
        raise _leads_nowhere(operation, document, connector)
    if not isinstance(found, list):
        raise PageUnreadable(
            f"{operation.id} has no list of records where response_path points",
            facts={"response_path": str(operation.response_path or "$"), "seen": _kind(found)},
            fix='point "response_path" at the list',
        )
    return tuple(found)


def _leads_nowhere(operation: Operation, document: JsonValue, connector: Connector) -> PageUnreadable:
    members = ", ".join(list(document)[:12]) if isinstance(document, dict) else _kind(document)
    return PageUnreadable(
        f'"{operation.response_path}" leads nowhere in the response of {operation.id}',
        facts={"config": _line(connector, f"{operation.pointer}/response_path"), "it has": members},
        fix='correct "response_path"; if the provider leaves it out when empty, set "items_may_be_missing": true',
    )


def placed(said: ProviderSaid, connector: Connector, operation: Operation, position: Position) -> None:
    """Say in an error where in the read it happened."""
    at = operation.pointer
    if operation.pagination and isinstance(said, ProviderBroke):
        at = operation.pagination.pointer
    page = f", page {position.pages + 1}, after {position.records} records" if operation.is_list else ""
    said.facts = {
        "asked": f"{connector.name}.{operation.id}{page}",
        **({} if "config" in said.facts else {"config": _line(connector, said.rule or at)}),
        **said.facts,
    }


def _line(connector: Connector, pointer: str) -> str:
    return f"{connector.source.name}:{connector.source.line(pointer)} {pointer}"


def _kind(value: JsonValue) -> str:
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else type(value).__name__ if value is not None else "null"
