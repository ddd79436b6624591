"""Sort imported traffic into lanes: each the exchanges of one call of one operation, and how it was called.

A request that goes where an answer pointed is the next page of the same call; any other is held against the
method and the path of every operation. A token request belongs to the call for which the token was needed: the one
that was refused before it, or that goes on after it. Nothing is guessed: what no operation fits is told apart, what
several fit equally well is refused. Whether the lanes replay is for the checks to say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from connproof.config import BRACES
from connproof.errors import CallWrong
from connproof.model import Connector, Operation, Request, Response, frozen
from connproof.places import JsonValue, Place
from connproof.schemas import nearest
from pytest_connproof.answers import meaning_of
from pytest_connproof.grants import asks_for_token
from pytest_connproof.recording import Call, RawLane

__all__ = ["Pair", "Sorted", "in_one_lane", "no_operation", "sort"]

Pair = tuple[Request, Response]

_POSITIONS: Final = ("cursor", "offset", "page", "key")
_MOST_SHOWN: Final = 8
_LEADING: Final = frozenset({"link_header", "next_url"})


@dataclass(frozen=True, slots=True)
class Sorted:
    """A lane for each call, and the requests that no operation fits."""

    lanes: tuple[RawLane, ...]
    unknown: tuple[Request, ...]


def in_one_lane(lane: str, pairs: Sequence[Pair], connector: Connector | None) -> RawLane:
    """All in one lane, as the caller names it. Raises CallWrong for one whose operation the config does not have."""
    if connector is None:
        return RawLane(lane, tuple(pairs))
    name = lane.partition("#")[0]
    operations = {operation.id: operation for operation in connector.operations()}
    if name not in operations:
        raise CallWrong(f'{connector.name} has no operation "{name}"', fix=nearest(name, operations))
    first = next((request for request, _ in pairs if not asks_for_token(connector.auth, request)), None)
    params = None if first is None else _params_in_path(operations[name], first, connector)
    call = None if first is None or params is None else _call(operations[name], params, first, connector)
    return RawLane(lane, tuple(pairs), call=call)


def sort(pairs: Sequence[Pair], connector: Connector, taken: Collection[str] = ()) -> Sorted:
    """Traffic in lanes named after their operations; further calls of the same operation are numbered from 2.

    `taken` are the lanes of the connector's other recordings: a lane stands in one recording only.
    """
    opened: list[_Opened] = []
    unknown: list[Request] = []
    last: _Opened | None = None
    grants: list[Pair] = []  # since the last request of an operation
    for request, response in pairs:
        if asks_for_token(connector.auth, request):
            grants.append((request, response))
            continue
        lane = next((lane for lane in reversed(opened) if lane.repeats(request, connector)), None) if grants else None
        lane = lane or next((lane for lane in reversed(opened) if lane.leads_to(request)), None)
        if lane is None:
            fitting = _fitting(request, connector)
            if fitting is None:
                unknown.append(request)
                continue
            operation, call = fitting
            lane = next((lane for lane in reversed(opened) if lane.goes_on_with(request, operation, call)), None)
        if lane is None:
            names = chain([operation.id], (f"{operation.id}#{number}" for number in count(2)))
            used = {*taken, *(other.id for other in opened)}
            lane = _Opened(next(name for name in names if name not in used), operation, call)
            opened.append(lane)
        lane.pairs += [*grants, (request, response)]
        grants.clear()
        last = lane
    if last is not None and last.was_refused(connector):
        last.pairs += grants
    else:
        unknown += [request for request, _ in grants]
    lanes = (RawLane(lane.id, tuple(lane.pairs), call=lane.call) for lane in opened)
    return Sorted(tuple(lanes), tuple(unknown))


def no_operation(unknown: Sequence[Request], connector: Connector) -> CallWrong:
    """What to say of traffic that no operation fits."""
    asked = list(dict.fromkeys(_asked(request) for request in unknown))
    more = [f"(+{len(asked) - _MOST_SHOWN} more)"] if len(asked) > _MOST_SHOWN else []
    operations = list(connector.operations())
    width = max(len(operation.id) for operation in operations)
    return CallWrong(
        f"some of the traffic fits no operation of {connector.name}",
        facts={
            "asked": (*asked[:_MOST_SHOWN], *more),
            "there are": tuple(f"{one.id:<{width}}  {one.method} {one.path}" for one in operations),
        },
        fix="add the operations to the config first, leave the rest out with --known-only, or use --lane",
    )


@dataclass(slots=True)
class _Opened:
    id: str
    operation: Operation
    call: Call | None
    pairs: list[Pair] = field(default_factory=list)

    def was_refused(self, connector: Connector) -> bool:
        """Whether the last answer says that the credentials have ended."""
        return meaning_of(connector, self.operation, self.pairs[-1][1]).meaning == "auth_expired"

    def repeats(self, request: Request, connector: Connector) -> bool:
        """Whether this is the request that was refused, with other credentials."""
        sent = self.pairs[-1][0]
        same = (sent.method, sent.url, sent.body) == (request.method, request.url, request.body)
        return same and self.was_refused(connector)

    def leads_to(self, request: Request) -> bool:
        """Whether the last answer names this URL as its next page."""
        paging, answer = self.operation.pagination, self.pairs[-1][1]
        if paging is None or paging.type not in _LEADING:
            return False
        url = urlsplit(request.url)
        relative = f"{url.path}?{url.query}" if url.query else url.path
        said = answer.body.decode("utf-8", "replace").replace("\\/", "/")
        links = answer.header(paging.header) or ""
        return any(f'"{target}"' in said or f"<{target}>" in links for target in (request.url, relative))

    def goes_on_with(self, request: Request, operation: Operation, call: Call | None) -> bool:
        """Whether this is a later request of the same call: one that was sent before begins a new one."""
        if operation != self.operation or any(request == sent for sent, _ in self.pairs):
            return False
        paging = operation.pagination
        if paging is not None and paging.own_params == "drop" and call and self.call:
            return call.params == self.call.params
        return call == self.call


def _fitting(request: Request, connector: Connector) -> tuple[Operation, Call | None] | None:
    """The operation that asks this, and how it was called; None where none does. Raises CallWrong for several."""
    fits: list[tuple[Operation, dict[str, str]]] = []
    for operation in connector.operations():
        params = _params_in_path(operation, request, connector)
        if params is not None:
            fits.append((operation, params))
    if not fits:
        return None
    # The path with the fewest names in it says most: /deals/recent before /deals/{id}.
    fewest = min(len(params) for _, params in fits)
    best = [(operation, params) for operation, params in fits if len(params) == fewest]
    if len(best) > 1:
        raise CallWrong(
            f"several operations of {connector.name} ask {_asked(request)}",
            facts={"there are": ", ".join(operation.id for operation, _ in best)},
            fix="name the one that was called with --lane",
        )
    operation, params = best[0]
    return operation, _call(operation, params, request, connector)


def _asked(request: Request) -> str:
    return f"{request.method} {urlsplit(request.url).path}"


def _params_in_path(operation: Operation, request: Request, connector: Connector) -> dict[str, str] | None:
    """The values of the names in braces, None where the request is not this operation's."""
    if request.method != operation.method:
        return None
    version = connector.api_version.value if connector.api_version else ""
    base, path = (
        text.replace("{api_version}", version) for text in (urlsplit(connector.base_url).path, operation.path)
    )
    # Splitting at the names leaves texts and names in turn.
    steps = BRACES.split(path)
    names = steps[1::2]
    shape = "([^/]+)".join(re.escape(text) for text in steps[::2])
    base_shape = "[^/]+".join(re.escape(text) for text in BRACES.split(base.rstrip("/"))[::2])
    found = re.fullmatch(base_shape + shape, urlsplit(request.url).path)
    if found is None:
        return None
    return {name: unquote(value) for name, value in zip(names, found.groups(), strict=True)}


def _call(operation: Operation, params: dict[str, str], request: Request, connector: Connector) -> Call | None:
    """How the operation was called: what neither the config nor the pagination puts into the request."""
    sent = parse_qsl(urlsplit(request.url).query, keep_blank_values=True)
    body = _json(request)
    paging, auth, version = operation.pagination, connector.auth, connector.api_version
    positions = {getattr(paging, f"{word}_param") for word in _POSITIONS} if paging else set()
    own = {name for name, _ in (*operation.query, *connector.query)}
    own |= {auth.name} if auth.type == "api_key" and auth.place == "query" else set()
    own |= {version.name} if version and version.name and version.place == "query" else set()
    filled = {
        text[1:-1]: value for name, text in operation.query if BRACES.fullmatch(text) for n, value in sent if n == name
    }
    size: int | None = None
    if paging and paging.page_size_param:
        own.add(paging.page_size_param)
        said = dict(sent).get(paging.page_size_param) if paging.page_size_in == "query" else None
        if paging.page_size_in == "body":
            said = str(Place.parse(paging.page_size_param).find(body))
        if said and re.fullmatch("[0-9]{1,6}", said) and int(said) != paging.default_page_size:
            size = int(said)
    call = Call(
        params=frozen({name: value for name, value in {**params, **filled}.items() if name not in positions}),
        page_size=size,
        query=tuple((name, value) for name, value in sent if name not in own | positions),
    )
    return None if call == Call() else call


def _json(request: Request) -> JsonValue:
    try:
        document: JsonValue = json.loads(request.body or b"null")
    except ValueError:
        return None
    return document
