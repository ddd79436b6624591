"""A whole simulated API: a connector's listing, and what else is asked while it is read, in the config's own dialect.

    the listing itself, page by page                    Listing
      its first cursor, from another operation          seed
      its next pages, through another operation         continue_with
      each record by itself                             hydrate
      one listing for each parent                       for_each
      lists inside records, with pages of their own     nested

What no operation asks for is a 404, and what lacks the account's credentials a 401.
"""

from __future__ import annotations

import base64
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from urllib.parse import parse_qsl, urlsplit

from connproof.credentials import credential, filled
from connproof.errors import CallWrong
from connproof.model import Account, Connector, Operation, Request, Response, Window
from connproof.places import JsonValue, Place
from pytest_connproof.provider.faces import Arrival
from pytest_connproof.provider.habits import Case
from pytest_connproof.provider.inside import insides
from pytest_connproof.provider.listing import Listing
from pytest_connproof.provider.shape import Shape, marked_apart
from pytest_connproof.provider.slots import Said, Slots
from pytest_connproof.provider.telling import answer_meaning
from pytest_connproof.provider.writing import answered, at_places, placed

__all__ = ["Api", "is_signed", "scaled"]

_PARENTS = 3
_MOST_EMPTY = 20


def scaled(connector: Connector, operation: Operation, size: int) -> tuple[Connector, Operation]:
    """The connector with the bounds of this listing that no simulation could reach in time made small.

    A window's cap, the records after which another strategy takes over, and the empty pages that end a read: numbers,
    of which a read means the same whatever they are.
    """
    paging = operation.pagination
    if paging is None or paging.type == "none":
        return connector, operation
    changed = replace(paging, max_empty_pages=min(paging.max_empty_pages, _MOST_EMPTY))
    if paging.window is not None and paging.window.cap is not None:
        changed = replace(changed, window=_capped(paging.window, 6 * size + 1))
    if paging.then is not None:
        changed = replace(changed, then=replace(paging.then, after_records=2 * size))
    operation = replace(operation, pagination=changed)
    resource = connector.resources[operation.resource]
    operations = MappingProxyType({**resource.operations, operation.name: operation})
    resources = {**connector.resources, operation.resource: replace(resource, operations=operations)}
    return replace(connector, resources=MappingProxyType(resources)), operation


def _capped(window: Window, most: int) -> Window:
    return replace(window, cap=min(window.cap or most, most))


@dataclass(frozen=True, slots=True)
class _Route:
    slots: Slots
    answer: Callable[[Said], Response]


class Api:
    """The API of one connector as one account sees it, for reads of one listing.

    `requests` is everything that was asked, `shown` counts the habits that have shown. It answers at once and waits for
    nothing; `arrive` and `act` are what the faces ask, so it is reached in process and over HTTP alike.
    """

    def __init__(
        self,
        connector: Connector,
        account: Account,
        operation: Operation,
        case: Case,
        *,
        shapes: Mapping[str, Shape] = MappingProxyType({}),
    ) -> None:
        self.connector = connector
        self.account = account
        self.operation = operation
        self.case = case
        self.requests: list[Request] = []
        self._shapes = shapes
        self._guard = threading.Lock()
        self._children: dict[str, Listing] = {}
        self._routes: list[_Route] = []
        self._parents: Listing | None = None
        if operation.for_each is not None:
            self._parents = self._listed(_named(connector, operation.for_each.operation), Case(_PARENTS, 2, {}))
        shape = shapes.get(operation.id, Shape())
        self._insides = tuple(insides(connector, account, operation, shape))
        self._routes += [_Route(inside.slots, inside.answer) for inside in self._insides]
        self.listing = self._listed(operation, case) if self._parents is None else self._fanned_out()
        for number, held in enumerate(held for one in self._every for held in one.rows):
            for inside in self._insides:
                held.record = inside.begun(held.record, number)
        self._besides()

    @property
    def shown(self) -> Counter[str]:
        """How often each habit has shown."""
        return sum((one.shown for one in self._every), Counter[str]())

    @property
    def answers(self) -> int:
        """How many requests were for a page of the listing."""
        return sum(one.answers for one in self._every)

    @property
    def listings(self) -> int:
        """How many listings of the operation there are: one for each parent, where there are parents."""
        return len(self._children) or 1

    @property
    def _every(self) -> tuple[Listing, ...]:
        """The listing, or those of all parents."""
        return tuple(self._children.values()) or (self.listing,)

    @property
    def expected(self) -> tuple[JsonValue, ...]:
        """The provider's own records that a reader must get, in order."""
        if self._parents is None:
            return tuple(self._whole(record) for record in self.listing.expected)
        return tuple(
            self._marked(self._whole(record), parent)
            for parent in self._parents.expected
            for record in self._child(parent).expected
        )

    def arrive(self, request: Request, now: float, *, who: str = "") -> Arrival:  # noqa: ARG002 the faces say both
        """What becomes of a request: it is answered. Requests are taken one at a time, from any thread."""
        with self._guard:
            return Arrival("answered", self.answer(request))

    def act(self, request: Request, now: float, *, who: str = "") -> Response:  # noqa: ARG002 as above
        """The answer to a request that arrived before."""
        with self._guard:
            return self.answer(request)

    def answer(self, request: Request) -> Response:
        """What the API answers."""
        if is_signed(self.connector, self.account, request):
            return self.serve(request)
        self.requests.append(request)
        return answer_meaning(self.connector, self.operation, "auth_expired")

    def serve(self, request: Request) -> Response:
        """What it answers to whoever may ask: for an API whose tokens somebody else judges."""
        self.requests.append(request)
        # Operations may share a path, and differ in what they send there.
        every = [(one, one.slots.read(request)) for one in self._routes if one.slots.is_for(request)]
        right = [(route, said) for route, said in every if not (said.lacks or said.lacks_query)]
        for route, said in right or every:
            return route.answer(said)
        return answered({"error": "no such path"}, status=404)

    # What stands behind each path.

    def _listed(self, operation: Operation, case: Case) -> Listing:
        slots = self._slots(operation)
        listing = Listing(self.connector, operation, slots, case, self._shapes.get(operation.id))
        self._routes.append(_Route(slots, listing.answer))
        return listing

    def _slots(self, operation: Operation) -> Slots:
        return Slots(self.connector, self.account, operation)

    def _fanned_out(self) -> Listing:
        assert self._parents is not None, "there is one listing for each of them"
        slots = self._slots(self.operation)
        for parent in self._parents.rows:
            parent.record = self._asked_by(parent.record, parent.order)
        for parent in self._parents.rows:
            listing = Listing(self.connector, self.operation, slots, self.case, self._shapes.get(self.operation.id))
            for held in listing.rows:
                held.record = marked_apart(self.operation, held.record, int(parent.order))
            self._children[self._mark(parent.record)] = listing
        self._routes.append(_Route(slots, self._of_parent))
        return next(iter(self._children.values()))

    def _asked_by(self, record: JsonValue, order: float) -> JsonValue:
        """A parent with values of its own where its children are asked for by it."""
        assert self.operation.for_each is not None, "it is one's parent"
        for _, place in self.operation.for_each.params:
            record = placed(record, place, f"p{int(order)}")
        return record

    def _of_parent(self, said: Said) -> Response:
        assert self.operation.for_each is not None, "it is asked for by a parent"
        names = [name for name, _ in self.operation.for_each.params]
        mark = "\0".join(said.named.get(name, "") for name in names)
        child = self._children.get(mark)
        return answered({"error": "no such parent"}, status=404) if child is None else child.answer(said)

    def _mark(self, parent: JsonValue) -> str:
        assert self.operation.for_each is not None, "it is one's parent"
        return "\0".join(str(place.find(parent)) for _, place in self.operation.for_each.params)

    def _child(self, parent: JsonValue) -> Listing:
        return self._children[self._mark(parent)]

    def _marked(self, record: JsonValue, parent: JsonValue) -> JsonValue:
        into = self.operation.for_each.into if self.operation.for_each else None
        return {**record, into: parent} if into is not None and isinstance(record, dict) else record

    def _besides(self) -> None:
        """What is asked beside the listing: its seed, its continuation, each record whole."""
        paging, connector = self.operation.pagination, self.connector
        if paging is not None and paging.seed is not None:
            seed, field = _named(connector, f"{self.operation.resource}.{paging.seed.operation}"), paging.seed.field
            self._beside(seed, lambda _: _at(field, self.listing.seed))
        if paging is not None and paging.continue_with is not None:
            other = _named(connector, f"{self.operation.resource}.{paging.continue_with}")
            self._beside(other, lambda said: self.listing.answer(said, begun=True))
        if self.operation.hydrate is not None:
            single = _named(connector, f"{self.operation.resource}.{self.operation.hydrate.operation}")
            self._beside(single, lambda said: self._single(single, said))

    def _beside(self, operation: Operation, answer: Callable[[Said], Response]) -> None:
        """Answer another operation's requests that are as it says."""

        def held_to(said: Said) -> Response:
            wrong = said.lacks or said.lacks_query
            return answered({"error": wrong}, status=400) if wrong else answer(said)

        self._routes.append(_Route(self._slots(operation), held_to))

    def _single(self, single: Operation, said: Said) -> Response:
        assert self.operation.hydrate is not None, "else nothing is asked for by itself"
        wanted = said.named.get(self.operation.hydrate.param) or said.find("query", self.operation.hydrate.param)
        for record in (record for one in self._every for record in one.expected):
            if str(self.operation.hydrate.source.find(record)) == str(wanted):
                return _at(single.response_path, _hydrated(record))
        return answer_meaning(self.connector, single, "not_found")

    def _whole(self, record: JsonValue) -> JsonValue:
        """The record as a reader puts it together. What its own operation gives takes the place of what was listed."""
        if self.operation.hydrate is not None:
            return _hydrated(record)
        for inside in self._insides:
            record = inside.whole(record)
        return record


def _named(connector: Connector, id_: str) -> Operation:
    resource, _, name = id_.partition(".")
    return connector.resources[resource].operations[name]


def _hydrated(record: JsonValue) -> JsonValue:
    return {**record, "whole": True} if isinstance(record, dict) else {"id": record, "whole": True}


def _at(place: Place | None, value: JsonValue) -> Response:
    if place is None or not place.steps:
        return answered(value)
    document, _ = at_places([(place, value)])
    return answered(document)


def is_signed(connector: Connector, account: Account, request: Request) -> bool:
    """Whether a request carries the account's credentials where the config says that they belong.

    Of signatures that cannot be told from the account alone (OAuth 1, WS-Security, a session) nothing is asked.
    """
    auth = connector.auth
    try:
        match auth.type:
            case "bearer" | "oauth2":
                assert auth.token_path is not None, "the schema requires it"
                token = credential(account, auth.token_path, auth.pointer)
                return request.header(auth.name.lower()) == f"{auth.prefix}{token}"
            case "api_key":
                assert auth.key_path is not None, "config gives it a default"
                key = auth.prefix + credential(account, auth.key_path, auth.pointer)
                if auth.place == "header":
                    return request.header(auth.name.lower()) == key
                sent = parse_qsl(urlsplit(request.url).query, keep_blank_values=True)
                return [value for name, value in sent if name == auth.name] == [key]
            case "basic":
                pair = ":".join(filled(text, auth, account, auth.pointer) for text in (auth.username, auth.password))
                return request.header("authorization") == f"Basic {base64.b64encode(pair.encode()).decode()}"
            case _:
                return True
    except CallWrong:
        return False
