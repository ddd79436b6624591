"""Walk through one listing page by page: ask, read, decide what to ask next.

This is the innermost part of a read. The parts around it (windows, restarts, records made whole, one listing for each
parent) are `Source`s too: each asks the one inside it for the next step, and keeps that one's position in its own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Protocol

from connproof import pagination
from connproof.config import BRACES
from connproof.config.notes import template_texts
from connproof.draft import Draft, as_text, without_parameter
from connproof.errors import CallWrong, PageUnreadable, ProviderBroke, ProviderSaid
from connproof.events import AsideRead, Listener
from connproof.guard import Guard
from connproof.model import Connector, Frozen, Operation, Page, Pagination, Position, XmlFormat
from connproof.pagination import End
from connproof.places import Absent, JsonValue, Place
from connproof.run.asking import Asking, page_size
from connproof.run.calls import Call
from connproof.run.sending import Answer, Door, Patience

__all__ = [
    "Listed",
    "Reading",
    "Source",
    "Step",
    "Walk",
    "key_mark",
    "known_params",
    "line_of",
    "on_behalf_of",
    "own_call",
    "records_of",
    "taken",
    "text_at",
]


@dataclass(frozen=True, slots=True)
class Step:
    """A page, the position that it was read at, and where the read goes on."""

    page: Page
    position: Position
    following: Position | End


class Source(Protocol):
    """Pages, one after the other.

    `at` is where a read that breaks off now would go on. It moves when a step is whole, and not before: after an
    error nothing is lost and nothing comes twice.
    """

    @property
    def at(self) -> Position: ...

    async def next(self) -> Step | End:
        """The next step; the end where only asking could tell that there is none. Not to be asked for after an end."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An operation as it is read: its first request, and how it is continued where another operation does that."""

    operation: Operation
    paging: Pagination
    draft: Draft
    size: int | None
    params: Mapping[str, str]
    continuing: tuple[Operation, Draft] | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What all parts of one read share. `started` is when it began, also where it was resumed since."""

    asking: Asking
    door: Door
    listener: Listener
    patience: Patience
    started: datetime

    @property
    def connector(self) -> Connector:
        return self.asking.connector

    def beside(self, operation: Operation, name: str) -> Operation:
        """Another operation of the same resource. The config has been held to it."""
        return self.connector.resources[operation.resource].operations[name]

    def listed(self, operation: Operation, call: Call) -> Listed:
        """A listing as a call means it. Raises CallWrong."""
        paging = operation.pagination
        assert paging is not None, "config gives every listing a pagination"
        draft, continuing = self.asking.draft(operation, own_call(self.connector, operation, call)), None
        if paging.frozen is not None:
            draft = draft.placed(paging.frozen.place, paging.frozen.param, _instant(paging.frozen, self.started))
        if paging.continue_with is not None:
            other = self.beside(operation, paging.continue_with)
            other = replace(other, pagination=paging, errors=(*other.errors, *operation.errors))
            continuing = other, self.asking.draft(other, Call(params=known_params(other, call.params)))
        return Listed(operation, paging, draft, page_size(paging, call, operation), call.params, continuing)

    async def aside(
        self, purpose: Literal["seed", "hydrate"], operation: Operation, params: Mapping[str, str]
    ) -> JsonValue | Absent:
        """What another operation answers, asked with those of the parameters that it has."""
        draft = self.asking.draft(operation, Call(params=known_params(operation, params)))
        try:
            document = _sent(await self.door.answer(operation, draft, self.patience), operation)
        except ProviderSaid as said:
            said.facts = {"while": f"asking {operation.id} ({purpose})", **said.facts}
            raise
        self.listener(AsideRead(purpose, operation.id, 0 if isinstance(document, Absent) else 1))
        return document


def taken(operation: Operation) -> frozenset[str]:
    """The names in braces that an operation has."""
    return frozenset(BRACES.findall(template_texts(operation)))


def own_call(connector: Connector, operation: Operation, call: Call) -> Call:
    """A call without the parameters that only the operations have that a listing is read with."""
    paging, hydrate = operation.pagination, operation.hydrate
    names = {nested.operation: {name for name, _ in nested.params} for nested in operation.nested}
    names |= {paging.seed.operation if paging and paging.seed else None: set()}
    names |= {paging.continue_with if paging else None: set()}
    names |= {hydrate.operation: {hydrate.param}} if hydrate else {}
    operations = connector.resources[operation.resource].operations
    theirs = {one for name, given in names.items() if name is not None for one in taken(operations[name]) - given}
    if not theirs:
        return call
    own = taken(operation)
    return replace(call, params={name: text for name, text in call.params.items() if name in own or name not in theirs})


def known_params(operation: Operation, params: Mapping[str, str]) -> dict[str, str]:
    names = taken(operation)
    return {name: value for name, value in params.items() if name in names}


def _instant(said: Frozen, at: datetime) -> str:
    if said.format == "iso8601":
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(int(at.timestamp() * (1000 if said.format == "epoch_ms" else 1)))


class Walk:
    """One listing from a position on, as far as its pages lead."""

    def __init__(self, reading: Reading, listed: Listed, position: Position | None = None) -> None:
        self._reading = reading
        self._listed = listed
        self._at = position or pagination.start(listed.paging)
        self._guard = Guard(listed.paging, listed.operation)

    @property
    def at(self) -> Position:
        """Without the key that some providers repeat in their next URL: signing adds it again."""
        return self._keyless(self._at)

    async def next(self) -> Step:
        listed, paging, guard = self._listed, self._listed.paging, self._guard
        if paging.seed is not None and self._at == Position():
            self._at = Position(await self._seed(paging.seed.operation, paging.seed.field))
        while True:
            at = self._at
            size = self._size(at)
            operation, draft = listed.operation, listed.draft
            if listed.continuing is not None and pagination.is_continued(paging, at):
                operation, draft = listed.continuing
            guard.bound(at)
            asked = pagination.ask(draft, paging, at, size)
            guard.request(asked.request(), at)
            try:
                page = await self._page(operation, asked, size)
            except ProviderSaid as said:
                if not self._can_reduce(said, at, size):
                    raise
                assert size is not None, "a size was sent"
                self._at = replace(at, state={**at.state, "size": max(size // 2, paging.min_page_size)})
                continue
            guard.page(page, at)
            following = pagination.advance(paging, at, page)
            if isinstance(following, Position):
                self._at = following
            elif following.bookmark is not None:
                following = replace(following, bookmark=self._keyless(following.bookmark))
            return Step(page, at, following)

    async def _page(self, operation: Operation, asked: Draft, size: int | None) -> Page:
        answer = await self._reading.door.answer(operation, asked, self._reading.patience)
        records = records_of(self._listed.operation, _sent(answer, operation), self._reading.connector)
        return Page(answer.request, answer.response, answer.document, records, size)

    async def _seed(self, name: str, field: Place) -> JsonValue:
        operation = self._reading.beside(self._listed.operation, name)
        document = await self._reading.aside("seed", operation, self._listed.params)
        seen = document if isinstance(document, Absent) else field.find(document)
        if isinstance(seen, Absent) or seen is None or seen == "":
            raise ProviderBroke(
                f"the answer of {operation.id} has no first cursor",
                facts={"looked at": field.text},
                fix='correct "field" of "seed"',
            )
        return seen

    # The page size.

    def _size(self, at: Position) -> int | None:
        reduced = at.state.get("size")
        return reduced if isinstance(reduced, int) else self._listed.size

    def _can_reduce(self, said: ProviderSaid, at: Position, size: int | None) -> bool:
        paging = self._listed.paging
        return (
            said.status in pagination.in_force(paging, at).reduce_on
            and size is not None
            and size > paging.min_page_size
            and pagination.sends_size(paging, at)
        )

    def _keyless(self, position: Position) -> Position:
        scheme = self._reading.connector.auth
        if scheme.type != "api_key" or scheme.place != "query" or not isinstance(position.value, str):
            return position
        return replace(position, value=without_parameter(position.value, scheme.name))


def _sent(answer: Answer, operation: Operation) -> JsonValue | Absent:
    """The body of a page or a record. Raises PageUnreadable where it got lost: that there is nothing is said."""
    if isinstance(answer.document, Absent) and not answer.says_nothing:
        raise PageUnreadable(
            f"the answer of {operation.id} has no body",
            status=answer.response.status,
            fix="a 204 says that there is nothing, a body that got lost does not; if the provider means nothing by it, "
            'say so: {"when": {"status": 200, "text": "^\\s*$"}, "means": "empty"}',
        )
    return answer.document


def records_of(operation: Operation, document: JsonValue | Absent, connector: Connector) -> tuple[JsonValue, ...]:
    """The records in a decoded body; the one record of an operation that gives one. Raises PageUnreadable."""
    if isinstance(document, Absent):
        return ()
    found = operation.response_path.find(document) if operation.response_path else document
    if not operation.is_list:
        if isinstance(found, Absent):
            raise _leads_nowhere(operation, document, connector)
        return (found,)
    if found is None or (
        isinstance(found, Absent) and operation.items_may_be_missing and _is_ours(operation, document)
    ):
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


def _is_ours(operation: Operation, document: JsonValue) -> bool:
    """Whether a body can be this operation's at all: XML with another root element is another machine's page."""
    if not isinstance(operation.decode, XmlFormat) or not operation.response_path or not operation.response_path.steps:
        return True
    return isinstance(document, dict) and operation.response_path.steps[0] in document


def _leads_nowhere(operation: Operation, document: JsonValue, connector: Connector) -> PageUnreadable:
    members = ", ".join(list(document)[:12]) if isinstance(document, dict) else _kind(document)
    return PageUnreadable(
        f'"{operation.response_path}" leads nowhere in the response of {operation.id}',
        facts={"config": line_of(connector, f"{operation.pointer}/response_path"), "it has": members},
        fix='correct "response_path"; if the provider leaves it out when empty, set "items_may_be_missing": true',
    )


def key_mark(operation: Operation, record: JsonValue) -> str:
    """What tells a record from every other of its listing: a digest of its key. Raises ProviderBroke if it has none."""
    assert operation.key is not None, "config demands a key where records are told apart"
    key = operation.key.find(record)
    if isinstance(key, Absent) or key is None or key == "":
        raise ProviderBroke(
            "a record has no key to be told by",
            facts={"key": operation.key.text},
            fix='point "key" at a member that every record has',
        )
    return hashlib.blake2b(json.dumps(key, sort_keys=True).encode(), digest_size=9).hexdigest()


def text_at(place: Place, record: JsonValue, what: str) -> str:
    """What stands in a record, as a parameter's text. Raises ProviderBroke where nothing does that could be sent."""
    seen = place.find(record)
    if isinstance(seen, Absent) or seen is None or seen == "":
        raise ProviderBroke(f"{what} has nothing to ask with", facts={"looked at": place.text})
    return as_text(seen)


@contextmanager
def on_behalf_of(where: Mapping[str, str]) -> Iterator[None]:
    """What is asked in here is asked for a record: an error says for which, and is never the caller's fault.

    The call was judged before anything was sent; a request that may not be sent now names what the record says.
    """
    try:
        yield
    except CallWrong as wrong:
        raise ProviderBroke(
            "what a record names cannot be sent",
            facts={**where, "seen": wrong.what},
            fix="nothing was sent; see whether the config takes it from the right place",
        ) from None
    except ProviderSaid as said:
        said.facts = {**where, **said.facts}
        raise


def line_of(connector: Connector, pointer: str) -> str:
    """Where a word of the config stands, as messages say it."""
    return f"{connector.source.name}:{connector.source.line(pointer)} {pointer}"


def _kind(value: JsonValue) -> str:
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else type(value).__name__ if value is not None else "null"
