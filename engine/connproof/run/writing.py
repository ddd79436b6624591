"""Write: one record or many, as the operation's words say, and tell the fate of each."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

from connproof.conditions import all_hold, named
from connproof.draft import as_text
from connproof.errors import CallWrong, PageUnreadable, ProviderSaid
from connproof.model import Elements, Position
from connproof.places import ABSENT, Absent, JsonValue, Place, put
from connproof.run.asking import Asking, Target
from connproof.run.calls import Call, Element, Written
from connproof.run.listing import placed, records_of
from connproof.run.mapped import Mapper
from connproof.run.sending import Door, Patience

__all__ = ["Writing", "elements_of"]


class Writing:
    """One write of one operation. A throttle is raised with nothing written, or with what was written before it."""

    def __init__(
        self,
        asking: Asking,
        door: Door,
        mapper: Mapper,
        target: Target,
        call: Call,
        *,
        nonce: Callable[[], str],
    ) -> None:
        operation, mapping = target
        if operation.is_list:
            raise CallWrong(f"{operation.id} is a listing", fix="ask for it with `read`")
        self._asking = asking
        self._door = door
        self._mapper = mapper
        self._operation = operation
        self._mapping = mapping
        self._call = call
        self._nonce = nonce
        self._patience = Patience.of(call)

    async def one(self, record: JsonValue | Absent) -> Written:
        """Write one record; ABSENT for an operation that sends none, such as delete."""
        if self._operation.batch is not None and not isinstance(record, Absent):
            return await self.many([record])
        return await self._sent(record, 0)

    async def many(self, records: Sequence[JsonValue]) -> Written:
        """Write several records, as many at once as the provider takes. Raises CallWrong where it takes one.

        An error after the first request has the results so far in its `written`.
        """
        batch = self._operation.batch
        if batch is None:
            raise CallWrong(
                f"{self._operation.id} writes one record at a time",
                facts={"config": f"{self._operation.pointer} has no batch"},
                fix="write them one by one",
            )
        whole = Written(0)
        for start in range(0, len(records), batch.max):
            try:
                part = await self._sent(list(records[start : start + batch.max]), start)
            except ProviderSaid as said:
                said.written = (*whole.elements, *said.written)
                raise
            whole = replace(part, elements=(*whole.elements, *part.elements))
        return whole

    async def _sent(self, record: JsonValue | Absent, start: int) -> Written:
        operation = self._operation
        key = self._call.idempotency_key
        if key is not None and start:  # one key marks one request
            key = f"{key}-{start}"
        if key is None and operation.idempotency is not None:
            key = self._nonce()
        draft = self._asking.draft(operation, await self._filled(record))
        if operation.idempotency is not None and key is not None:
            draft = draft.placed(operation.idempotency.place, operation.idempotency.name, key)
        try:
            answer = await self._door.answer(operation, draft, self._patience)
            if operation.elements is not None:
                found: JsonValue = None if isinstance(answer.document, Absent) else answer.document
                elements = elements_of(operation.elements, answer.document, start)
                if isinstance(record, list) and len(elements) != len(record):
                    raise self._untold(len(record), elements)
                return Written(answer.response.status, found, None, elements, key)
            (record_back,) = records_of(operation, answer.document, self._asking.connector) or (None,)
        except ProviderSaid as said:
            placed(said, self._asking.connector, operation, Position())
            raise
        return Written(answer.response.status, record_back, _id(operation.key, record_back), (), key)

    def _untold(self, sent: int, elements: tuple[Element, ...]) -> PageUnreadable:
        pointer = f"{self._operation.pointer}/elements"
        untold = PageUnreadable(
            f"the answer tells the fate of {len(elements)} of the {sent} records that were sent",
            facts={"config": str(self._asking.connector.source.standing(pointer))},
            fix='correct "at" and "failures_at"; what was written, the provider alone knows now',
        )
        untold.written = elements
        return untold

    async def _filled(self, record: JsonValue | Absent) -> Call:
        """The call with the body that the record makes; in a text body, with the texts for its braces."""
        operation, call = self._operation, self._call
        if isinstance(record, Absent):
            return call
        if operation.batch is not None and isinstance(record, list):
            items: JsonValue = [self._body({}, await self._outgoing(one)) for one in record]
            base: JsonValue = {} if isinstance(operation.body, Absent) else operation.body
            return replace(call, body=put(base, operation.batch.at, items))
        if isinstance(operation.body, str):
            texts = {
                name: as_text(value) for name, value in (await self._outgoing(record)).items() if value is not None
            }
            return replace(call, params={**call.params, **texts})
        if self._mapping is None:
            return replace(call, body=record)
        return replace(
            call,
            body=self._body({} if isinstance(operation.body, Absent) else operation.body, await self._outgoing(record)),
        )

    async def _outgoing(self, record: JsonValue) -> dict[str, JsonValue]:
        if self._mapping is not None:
            return await self._mapper.outgoing(self._mapping, self._operation, record)
        if not isinstance(record, dict):
            raise CallWrong(f"{self._operation.id} writes an object", facts={"seen": type(record).__name__})
        return {json.dumps([name]): value for name, value in record.items()}

    def _body(self, base: JsonValue, members: dict[str, JsonValue]) -> JsonValue:
        for path, value in members.items():
            base = put(base, Place.parse(path), value)
        return base


def elements_of(words: Elements, document: JsonValue | Absent, start: int = 0) -> tuple[Element, ...]:
    """The fate of each element of a batch. `start` is the index of its first.

    The elements of `failures_at` come after those of `at`, counted on.
    """
    results = [(one, _has_failed(words, one)) for one in _list(words.at, document)]
    failures = [(one, True) for one in _list(words.failures_at, document)]
    return tuple(
        _element(words, one, start + index, failed=failed) for index, (one, failed) in enumerate([*results, *failures])
    )


def _has_failed(words: Elements, result: JsonValue) -> bool:
    if words.failed:
        return all_hold(words.failed, result)
    status = _status(words.status, result)
    return status is not None and not 200 <= status < 300


def _element(words: Elements, result: JsonValue, index: int, *, failed: bool) -> Element:
    return Element(
        index,
        not failed,
        id=_id(words.id, result),
        status=_status(words.status, result),
        code=named(words.code, None, result) if failed else "",
        message=named(words.message, None, result)[:1_000] if failed else "",
    )


def _list(place: Place | None, document: JsonValue | Absent) -> list[JsonValue]:
    found = ABSENT if place is None or isinstance(document, Absent) else place.find(document)
    return found if isinstance(found, list) else []


def _status(place: Place | None, result: JsonValue) -> int | None:
    found = place.find(result) if place else ABSENT
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) == 3:
        return int(found)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _id(place: Place | None, record: JsonValue) -> str | None:
    found = place.find(record) if place else ABSENT
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else None
