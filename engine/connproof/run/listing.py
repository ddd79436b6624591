"""Read a listing: put its parts together, give its pages one by one, say where it goes on.

Every error that the provider causes carries a resume token: the read goes on from the very request that
failed, with nothing lost or repeated.

    a page, asked for, read, and what to ask next      Walk
      in windows, or started anew                      Windows, Restarts
        with the lists inside its records              NestedLists
          with each record asked for by itself         Hydrated
            once for each parent                       FannedOut

Each part that the config does not name is left out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from connproof.errors import CallWrong, ProviderBroke, ProviderSaid
from connproof.events import Listener, PageRead, ReadEnded
from connproof.model import Connector, ForEach, Operation, Page, Position, frozen
from connproof.pagination import End
from connproof.places import Absent, JsonValue
from connproof.resume import call_digest, resumed, token
from connproof.run.asking import Asking, page_size
from connproof.run.calls import Call
from connproof.run.fanned_out import FannedOut
from connproof.run.hydrated import Hydrated
from connproof.run.nested import NestedLists
from connproof.run.restarts import Restarts
from connproof.run.sending import Door, Patience
from connproof.run.walk import Listed, Reading, Source, Walk, known_params, line_of, own_call, records_of, taken
from connproof.run.windows import Windows

__all__ = ["Listing", "placed", "records_of"]


class Listing:
    """One read of one listing."""

    def __init__(self, asking: Asking, door: Door, listener: Listener, operation: Operation, call: Call) -> None:
        """Raises CallWrong."""
        assert operation.pagination is not None, "config gives every listing a pagination"
        self._connector = asking.connector
        self._listener = listener
        self._operation = operation
        self._digest = _digest(asking, operation, call)
        position = None if call.resume is None else resumed(call.resume, self._digest)
        # What is frozen is the time at which the read began: it stays the same in every resumed read.
        self._is_frozen = any(one.pagination and one.pagination.frozen for one in _all_read(asking, operation))
        try:
            self._started = _started(position) or door.now()
            reading = Reading(asking, door, listener, Patience.of(call), self._started)
            self._source = _source(reading, operation, call, _without(position, "started"))
        except (KeyError, TypeError, ValueError, AttributeError):
            if position is None:
                raise
            raise CallWrong("not a resume token", fix="pass the token as it was given, whole") from None

    async def pages(self) -> AsyncIterator[tuple[Page, Position]]:
        """Every page with the position that it was read at. Raises ProviderSaid, with a resume token."""
        source, digest = self._source, self._digest
        while True:
            try:
                step = await source.next()
            except ProviderSaid as said:
                position = self._stamped(source.at)
                said.resume = token(digest, position)
                placed(said, self._connector, self._operation, position)
                raise
            if isinstance(step, End):
                self._listener(ReadEnded(step.reason, step.pages, step.records))
                return
            page, position, following = step.page, self._stamped(step.position), step.following
            if isinstance(following, Position):
                self._listener(PageRead(position, len(page.records), self._stamped(following)))
                yield page, position
                continue
            bookmark = token(digest, following.bookmark) if following.bookmark else None
            self._listener(PageRead(position, len(page.records), None))
            yield replace(page, bookmark=bookmark) if bookmark else page, position
            self._listener(ReadEnded(following.reason, following.pages, following.records, bookmark))
            return

    def _stamped(self, position: Position) -> Position:
        """The position, with the time at which the read began where something depends on that."""
        if not self._is_frozen:
            return position
        return replace(position, state=frozen({**position.state, "started": self._started.isoformat()}))


def _source(reading: Reading, operation: Operation, call: Call, position: Position | None) -> Source:
    """The parts that an operation names, one around the other. Raises CallWrong."""
    each = operation.for_each
    if each is None:
        return _one_listing(reading, operation, call, position)
    parent = _parent(reading.connector, each)
    own, parents_call = _shared_out(operation, parent, call)

    def parents(at: Position | None) -> Source:
        return _source(reading, parent, parents_call, at)

    def children(params: Mapping[str, str], at: Position | None) -> Source:
        return _one_listing(reading, operation, replace(own, params={**own.params, **params}), at)

    return FannedOut(reading, operation, parents, children, position or Position())


def _one_listing(reading: Reading, operation: Operation, call: Call, position: Position | None) -> Source:
    listed = reading.listed(operation, call)
    source = _pages(reading, listed, position)
    if operation.nested:
        source = NestedLists(reading, operation, source, call.params)
    if operation.hydrate is not None:
        source = Hydrated(reading, operation, source, call.params)
    return source


def _pages(reading: Reading, listed: Listed, position: Position | None) -> Source:
    operation, paging = listed.operation, listed.paging

    def walk(bound: JsonValue | Absent, at: Position | None) -> Source:
        window, draft = paging.window, listed.draft
        bound = window.first if window and isinstance(bound, Absent) else bound
        if window is None or isinstance(bound, Absent):
            return Walk(reading, listed, at)
        return Walk(reading, replace(listed, draft=draft.placed(window.place, window.param, bound)), at)

    def inside(at: Position | None) -> Source:
        if paging.window is None:
            return Walk(reading, listed, at)
        return Windows(operation, paging, walk, at or Position())

    if paging.on_expired == "restart":
        return Restarts(operation, paging, inside, position or Position())
    return inside(position)


def _shared_out(operation: Operation, parent: Operation, call: Call) -> tuple[Call, Call]:
    """A call as the children's and as the parents': each takes the parameters that it has.

    Raises CallWrong for a parameter that the parents give.
    """
    assert operation.for_each is not None, "else there are no parents"
    for name, _ in operation.for_each.params:
        if name in call.params:
            raise CallWrong(f'the parameter "{name}" of {operation.id} comes from {parent.id}', fix="leave it out")
    own, theirs = taken(operation), known_params(parent, call.params)
    # What neither has stays with the children, where it is refused.
    ours = {name: value for name, value in call.params.items() if name in own or name not in theirs}
    return replace(call, params=ours), Call(params=theirs)


def _digest(asking: Asking, operation: Operation, call: Call) -> str:
    """What tells this read from another. A child's parameters stand in it by their names."""
    paging = operation.pagination
    assert paging is not None, "config gives every listing a pagination"
    parts = [
        word
        for word, said in (
            ("then", paging.then),
            ("window", paging.window),
            ("restart", paging.on_expired == "restart"),
            ("frozen", paging.frozen),
            ("for_each", operation.for_each),
        )
        if said
    ]
    if operation.for_each is not None:
        parent = _parent(asking.connector, operation.for_each)
        call, theirs = _shared_out(operation, parent, call)
        parts.append(_digest(asking, parent, theirs))
        call = replace(call, params={**call.params, **{name: name for name, _ in operation.for_each.params}})
    own = own_call(asking.connector, operation, call)
    parts += [f"{name}={text}" for name, text in sorted(call.params.items()) if name not in own.params]
    draft = asking.draft(operation, own)
    return call_digest(asking.connector.name, operation.id, draft.request(), page_size(paging, call, operation), parts)


def _all_read(asking: Asking, operation: Operation) -> Iterator[Operation]:
    """The listing, and those that it is read for each record of."""
    yield operation
    if operation.for_each is not None:
        yield from _all_read(asking, _parent(asking.connector, operation.for_each))


def _parent(connector: Connector, each: ForEach) -> Operation:
    return next(other for other in connector.operations() if other.id == each.operation)


def _started(position: Position | None) -> datetime | None:
    said = position.state.get("started") if position else None
    return datetime.fromisoformat(said) if isinstance(said, str) else None


def _without(position: Position | None, name: str) -> Position | None:
    if position is None or name not in position.state:
        return position
    return replace(position, state=frozen({key: value for key, value in position.state.items() if key != name}))


def placed(said: ProviderSaid, connector: Connector, operation: Operation, position: Position) -> None:
    """Say in an error where in the read it happened."""
    at = operation.pointer
    if operation.pagination and isinstance(said, ProviderBroke):
        at = operation.pagination.pointer
    page = f", page {position.pages + 1}, after {position.records} records" if operation.is_list else ""
    said.facts = {
        "asked": f"{connector.name}.{operation.id}{page}",
        **({} if "config" in said.facts else {"config": line_of(connector, said.rule or at)}),
        **said.facts,
    }
