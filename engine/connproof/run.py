"""The loop: ask, read a page, map its records, ask again. The only module that knows all the others.

Which loop you are in is in the names: `read` -> `_pages` -> `_page` -> `_send` -> `transport.send`.
Records are handed on page by page and none is kept: memory stays flat however long the listing is.
Every error that the provider causes carries a resume token: the read goes on from the very request that
failed, with nothing lost or repeated.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType

from connproof import auth, pagination
from connproof.clock import Clock, SystemClock
from connproof.config import BRACES
from connproof.decode import Limits, decode
from connproof.draft import Draft, segment, without_parameter
from connproof.errors import (
    CallWrong,
    ForeignNextLink,
    MappingFailed,
    PageUnreadable,
    ProviderBroke,
    ProviderSaid,
)
from connproof.events import Listener, PageRead, ReadEnded, RequestSent, ResponseReceived, ignore
from connproof.guard import Guard
from connproof.links import origin
from connproof.mapping import CompiledMapping, compile_mapping
from connproof.model import (
    Account,
    Connector,
    Headers,
    Operation,
    Page,
    Pagination,
    Position,
    Query,
    Request,
    Response,
    UnifiedMapping,
)
from connproof.outcome import classify
from connproof.places import ABSENT, Absent, JsonValue
from connproof.resume import call_digest, resumed, token
from connproof.schemas import nearest
from connproof.transport import Transport, shown_url

__all__ = ["Call", "Engine", "MappedPage", "Record"]

Record = JsonValue


@dataclass(frozen=True, slots=True)
class Call:
    """How an operation is called. `params` fill the names in braces; `query` is sent beside the config's own.

    `page_size` overrides the config's default; `limit` ends the read after that many records; `resume` is
    a token from an earlier read of the same call; `raw` leaves records as the provider gave them.
    """

    params: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    query: Query = ()
    body: JsonValue | Absent = ABSENT
    page_size: int | None = None
    limit: int | None = None
    resume: str | None = None
    raw: bool = False


@dataclass(frozen=True, slots=True)
class MappedPage:
    """A page and its records as the caller gets them: mapped, or raw where nothing maps them."""

    page: Page
    position: Position
    records: tuple[Record, ...]

    def __repr__(self) -> str:  # as that of a page
        return f"MappedPage({len(self.records)} records)"


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
        self._transport = transport
        self._account = account or Account()
        self._models = models or {}
        self._clock = clock or SystemClock()
        self._listener = listener
        self._limits = limits or Limits()
        self._mappings = {} if mappings is None else mappings
        self._base_url = _base_url(connector, self._account)
        self._origins = frozenset({origin(self._base_url), *connector.allowed_origins})

    # Reading.

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
        asked, mapping = self._target(target, operation, call)
        if not asked.is_list:
            raise CallWrong(f"{asked.id} gives one record", fix="ask for it with `one`")
        given = 0
        if call.limit is not None and call.limit <= 0:
            return
        async for page, position in self._pages(asked, call):
            wanted = page.records if call.limit is None else page.records[: call.limit - given]
            yield MappedPage(page, position, self._mapped(wanted, mapping, asked, position))
            given += len(wanted)
            if call.limit is not None and given >= call.limit:
                return

    async def one(self, target: str, operation: str | None = None, call: Call | None = None) -> Record:
        """The one record of an operation such as get; mapped as `read` maps."""
        call = call or Call()
        asked, mapping = self._target(target, operation or "get", call)
        if asked.is_list:
            raise CallWrong(f"{asked.id} gives a list", fix="ask for it with `read`")
        try:
            draft = self._draft(asked, call)
            page = await self._page(asked, self._signed(draft), draft.url, None)
        except ProviderSaid as said:
            self._place(said, asked, Position())
            raise
        if page.document is ABSENT:
            return None
        records = self._mapped(page.records, mapping, asked, Position())
        self._listener(ReadEnded("one record", 1, len(records)))
        return records[0]

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
        url = f"{self._base_url}{path}" if path.startswith("/") else path
        try:
            origin(url)
        except ValueError as wrong:
            raise CallWrong(
                f"not a path: {wrong}",
                fix="start it with a slash, or give a whole URL; encode what may not stand there",
            ) from None
        draft = self._with_commons(Draft(method.upper(), url, query, tuple((n.lower(), v) for n, v in headers)))
        signed = self._signed(draft)
        return await self._send(Request(signed.method, signed.url, signed.headers, body), signed.url)

    # What is asked, and of whom.

    def _target(self, target: str, operation: str | None, call: Call) -> tuple[Operation, UnifiedMapping | None]:
        connector = self._connector
        mapping: UnifiedMapping | None = None
        if target in connector.unified:
            mapping = connector.unified[target]
            resource = connector.resources[mapping.resource]
        elif target in connector.resources:
            resource = connector.resources[target]
            models = connector.models_of(target)
            if len(models) > 1 and not call.raw:
                raise CallWrong(
                    f'several unified models are mapped from "{target}"',
                    facts={"models": ", ".join(model.model for model in models)},
                    fix="ask for one of the models, or for raw records",
                )
            mapping = models[0] if models else None
        else:
            known = [*connector.resources, *connector.unified]
            raise CallWrong(f'{connector.name} has no resource "{target}"', fix=nearest(target, known))
        name = operation or "list"
        if name not in resource.operations:
            raise CallWrong(
                f'{connector.name}.{resource.name} has no operation "{name}"', fix=nearest(name, resource.operations)
            )
        return resource.operations[name], None if call.raw else mapping

    def _draft(self, operation: Operation, call: Call) -> Draft:
        filled = set[str]()

        def fill(name: str) -> str:
            filled.add(name)
            if name not in call.params:
                raise CallWrong(
                    f'{self._connector.name}.{operation.id} needs the parameter "{name}"',
                    facts={"path": operation.path},
                    fix=f"pass {name}",
                )
            return segment(name, call.params[name])

        version = self._connector.api_version
        path = operation.path.replace("{api_version}", version.value) if version else operation.path
        paged = _template_names(operation.pagination)
        path = BRACES.sub(lambda found: found[0] if found[1] in paged else fill(found[1]), path)
        fills = {name: value for name, value in call.params.items() if name not in filled}
        if unknown := [name for name in fills if f"{{{name}}}" not in _texts(operation)]:
            raise CallWrong(
                f'{self._connector.name}.{operation.id} has no parameter "{unknown[0]}"',
                fix=nearest(unknown[0], BRACES.findall(_texts(operation)))
                if "{" in _texts(operation)
                else "leave it out",
            )
        if version:
            fills["api_version"] = version.value
        own = Draft(
            operation.method,
            self._base_url + path,
            operation.query,
            operation.headers,
            operation.body if isinstance(call.body, Absent) else call.body,
            encode=operation.encode,
        ).filled(fills)
        return self._with_commons(replace(own, query=(*own.query, *call.query)))

    def _with_commons(self, draft: Draft) -> Draft:
        """The draft with what every request has: the connector's headers, query and version. Its own win."""
        connector = self._connector
        headers, query = dict(connector.headers), list(connector.query)
        version = connector.api_version
        if version and version.name and version.place == "header":
            headers[version.name.lower()] = version.value
        if version and version.name and version.place == "query":
            query.append((version.name, version.value))
        common = Draft(draft.method, draft.url, tuple(query), tuple(headers.items()))
        if version:
            common = common.filled({"api_version": version.value})
        headers = {**dict(common.headers), **dict(draft.headers)}
        return replace(draft, headers=tuple(headers.items()), common=common.query)

    # Page by page.

    async def _pages(self, operation: Operation, call: Call) -> AsyncIterator[tuple[Page, Position]]:
        paging = operation.pagination
        assert paging is not None, "config gives every listing a pagination"
        size = _page_size(paging, call, operation)
        draft = self._draft(operation, call)
        digest = call_digest(self._connector.name, operation.id, draft.request(), size)
        position = pagination.start(paging) if call.resume is None else resumed(call.resume, digest)
        guard = Guard(paging, operation)
        while True:
            try:
                guard.bound(position)
                asked = pagination.ask(draft, paging, position, size)
                request = self._signed(asked)
                guard.request(request, position)
                page = await self._page(operation, request, asked.url, size)
                guard.page(page, position)
                following = pagination.advance(paging, position, page)
            except ProviderSaid as said:
                said.resume = token(digest, self._keyless(position))
                self._place(said, operation, position)
                raise
            after = following if isinstance(following, Position) else None
            self._listener(PageRead(position, len(page.records), after))
            yield page, position
            if not isinstance(following, Position):
                self._listener(ReadEnded(following.reason, following.pages, following.records))
                return
            position = following

    async def _page(self, operation: Operation, request: Request, url: str, size: int | None) -> Page:
        response = await self._send(request, url)
        error = classify(response)
        if error is not None:
            raise error
        document = decode(response, limits=self._limits, declared=self._connector.decode)
        return Page(request, response, document, self._records(operation, document), size)

    def _keyless(self, position: Position) -> Position:
        """The position without the key that some providers repeat in their next URL: signing adds it again."""
        scheme = self._connector.auth
        if scheme.type != "api_key" or scheme.place != "query" or not isinstance(position.value, str):
            return position
        return replace(position, value=without_parameter(position.value, scheme.name))

    def _signed(self, draft: Draft) -> Request:
        return auth.sign(draft, self._connector.auth, self._account).request()

    async def _send(self, request: Request, url: str) -> Response:
        try:
            allowed = origin(request.url) in self._origins
        except ValueError:
            allowed = False
        if not allowed:
            raise ForeignNextLink(
                "the request would leave the connector's origins; nothing was sent",
                facts={"leads to": shown_url(url), "allowed": ", ".join(sorted(self._origins))},
                fix='if the provider really serves pages from there, add the origin to "allowed_origins"',
            )
        self._listener(RequestSent(request))
        response = await self._transport.send(request)
        self._listener(ResponseReceived(response))
        return response

    def _records(self, operation: Operation, document: JsonValue | Absent) -> tuple[JsonValue, ...]:
        if isinstance(document, Absent):
            return ()
        found = operation.response_path.find(document) if operation.response_path else document
        if not operation.is_list:
            if isinstance(found, Absent):
                raise self._leads_nowhere(operation, document)
            return (found,)
        if found is None or (isinstance(found, Absent) and operation.items_may_be_missing):
            return ()
        if isinstance(found, Absent):
            raise self._leads_nowhere(operation, document)
        if not isinstance(found, list):
            raise PageUnreadable(
                f"{operation.id} has no list of records where response_path points",
                facts={"response_path": str(operation.response_path or "$"), "seen": _kind(found)},
                fix='point "response_path" at the list',
            )
        return tuple(found)

    def _leads_nowhere(self, operation: Operation, document: JsonValue) -> PageUnreadable:
        members = ", ".join(list(document)[:12]) if isinstance(document, dict) else _kind(document)
        return PageUnreadable(
            f'"{operation.response_path}" leads nowhere in the response of {operation.id}',
            facts={"config": self._line(f"{operation.pointer}/response_path"), "it has": members},
            fix='correct "response_path"; if the provider leaves it out when empty, set "items_may_be_missing": true',
        )

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

    def _line(self, pointer: str) -> str:
        return f"{self._connector.source.name}:{self._connector.source.line(pointer)} {pointer}"

    def _place(self, said: ProviderSaid, operation: Operation, position: Position) -> None:
        """Say where in the read it happened."""
        at = (
            operation.pagination.pointer
            if operation.pagination and isinstance(said, ProviderBroke)
            else operation.pointer
        )
        page = f", page {position.pages + 1}, after {position.records} records" if operation.is_list else ""
        said.facts = {
            "asked": f"{self._connector.name}.{operation.id}{page}",
            **({} if "config" in said.facts else {"config": self._line(at)}),
            **said.facts,
        }


def _page_size(paging: Pagination, call: Call, operation: Operation) -> int | None:
    size = call.page_size
    if size is None:
        return paging.default_page_size
    if paging.page_size_param is None:
        raise CallWrong(
            f"{operation.id} has no page size", facts={"config": f"{paging.pointer} has no page_size_param"}
        )
    if size < paging.min_page_size or (paging.max_page_size is not None and size > paging.max_page_size):
        bounds = f"{paging.min_page_size} to {paging.max_page_size or 'any'}"
        raise CallWrong(f"{operation.id} has no page size {size}", facts={"allowed": bounds})
    return size


def _template_names(paging: Pagination | None) -> frozenset[str]:
    if paging is None:
        return frozenset()
    words = ("cursor", "offset", "page", "key", "page_size")
    return frozenset(getattr(paging, f"{word}_param") for word in words if getattr(paging, f"{word}_in") == "template")


@lru_cache(maxsize=1024)
def _texts_of(path: str, query: Query, headers: Headers, body: str) -> str:
    return "\n".join([path, *(value for _, value in (*query, *headers)), body])


def _texts(operation: Operation) -> str:
    body = "" if isinstance(operation.body, Absent) else json.dumps(operation.body)
    return _texts_of(operation.path, operation.query, operation.headers, body)


def _base_url(connector: Connector, account: Account) -> str:
    values = {"api_version": connector.api_version.value} if connector.api_version else {}
    for name, variable in connector.variables.items():
        value = account.variables.get(name)
        if value is None:
            raise CallWrong(
                f'the account "{account.name}" has no variable "{name}"',
                facts={"needed by": f"{connector.source.name} /base_url"},
                fix=f'add "{name}" to the variables of the account file',
            )
        import re2  # most connectors have no variable, and no use for it

        if not re2.fullmatch(variable.pattern, value):
            raise CallWrong(
                f'the variable "{name}" of the account "{account.name}" does not match its pattern',
                facts={"pattern": variable.pattern, **({} if variable.secret else {"seen": value})},
            )
        values[name] = value
    url = BRACES.sub(lambda found: values[found[1]], connector.base_url)
    try:
        origin(url)
    except ValueError as wrong:
        raise CallWrong(f"base_url with the account's variables is not a URL: {wrong}") from None
    return url


def _key_of(operation: Operation, record: JsonValue) -> str:
    key = operation.key.find(record) if operation.key else ABSENT
    return f" {operation.key}={key}" if isinstance(key, str | int) else ""


def _kind(value: JsonValue) -> str:
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else type(value).__name__ if value is not None else "null"
