"""Faults of pages: one that comes again, one that is gone, all of them shorter than was asked for.

Only a plain listing tells from its recording how its provider would go on with them: its own pages in their order, in
JSON, each leading to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

from connproof.draft import as_text
from connproof.errors import PageSizeLowered, PaginationLoop, ProviderSaid
from connproof.model import Connector, Headers, Lead, Leads, Operation, Pagination, Placement, Request, Response
from connproof.places import ABSENT, Absent, JsonValue, Place
from pytest_connproof.answers import records_in
from pytest_connproof.counterfactual.altered import (
    Altered,
    Must,
    answered_with,
    as_json,
    is_of_one_listing,
    is_success,
    json_in,
    meaning_in,
    spread,
    with_records,
)
from pytest_connproof.provider.writing import placed
from pytest_connproof.recording import Exchange, Lane

__all__ = ["PAGES", "odd_pages"]

PAGES: Final = ("again", "gone", "cut")

_MOST_PLACES: Final = 3  # of one lane, as where a read is broken off
_LEADS: Final = ("cursor_field", "next_url_field")


@dataclass(frozen=True, slots=True)
class _Listing:
    """A recorded listing: each exchange a page, with its records."""

    connector: Connector
    operation: Operation
    paging: Pagination
    lane: Lane
    records: tuple[tuple[JsonValue, ...], ...]

    @property
    def pages(self) -> tuple[Exchange, ...]:
        return self.lane.exchanges

    def before(self, number: int) -> int:
        """How many records stand on the pages before this one."""
        return sum(map(len, self.records[:number]))


def odd_pages(connector: Connector, operation: Operation, lane: Lane) -> Iterator[Altered]:
    """The lane with pages as they should not be. Nothing of one that has no second page, or ends in an error."""
    paging = operation.pagination
    is_limited = lane.call is not None and lane.call.limit is not None
    if paging is None or paging.type == "none" or is_limited or not is_of_one_listing(operation):
        return
    if len(lane.exchanges) < 2 or lane.order != "strict" or any(exchange.repeats for exchange in lane.exchanges):
        return
    if not is_success(connector, operation, lane):
        return
    records = tuple(tuple(records_in(operation, exchange.response)) for exchange in lane.exchanges)
    listing = _Listing(connector, operation, paging, lane, records)
    yield from _again(listing)
    yield from _gone(listing)
    yield from _cut(listing)


# A page that comes again. Where repeats are allowed, it is one of those.


def _again(listing: _Listing) -> Iterator[Altered]:
    paging, whole = listing.paging, listing.before(len(listing.pages))
    if paging.allow_repeats:
        return
    for number in spread(len(listing.pages) - 1, _MOST_PLACES):
        before, at = listing.pages[number : number + 2]
        same_lead = _with_lead_of(paging, at.response, before.response)
        if same_lead is not None:
            yield Altered(
                "again",
                at,
                f"names as the next page what {before.id} named: itself",
                answered_with(listing.lane, at, same_lead),
                Must((PaginationLoop,), whole),
                _lead_pointer(paging),
                "this is a fault of the engine, unless a stop rule ends the read before: correct that one then",
            )
        same_records = with_records(listing.operation, at.response, listing.records[number])
        if same_records is not None and listing.records[number]:
            yield Altered(
                "again",
                at,
                f"holds the records of {before.id} once more",
                answered_with(listing.lane, at, same_records),
                Must((PaginationLoop,)),
                f"{listing.operation.pointer}/key" if listing.operation.key else listing.operation.pointer,
                'point "key" at what identifies a record: by it a page is known that came before',
            )


def _with_lead_of(paging: Pagination, response: Response, other: Response) -> Response | None:
    """A page that says of the next one all that another says; None where pages are counted, or it cannot be written."""
    if paging.type not in {"cursor", "next_url", "link_header"}:
        return None
    names = {name for name in (paging.cursor_header, paging.stop_header) if name is not None}
    names |= {paging.header} if paging.type == "link_header" else set()
    kept = tuple(pair for pair in response.headers if pair[0] not in names)
    changed = replace(response, headers=(*kept, *(pair for pair in other.headers if pair[0] in names)))
    places = [place for word in _LEADS for place in _places(getattr(paging, word))]
    places += [paging.stop_field] if paging.stop_field else []
    if not places:
        return changed if changed != response else None
    document, model = json_in(response), json_in(other)
    if isinstance(document, Absent) or isinstance(model, Absent):
        return None
    for place in places:
        said = place.find(model)
        if not isinstance(said, Absent):
            document = placed(document, place, said)
        elif not isinstance(place.find(document), Absent):
            document = placed(document, place, None)
    is_written = all(_or_null(place.find(document)) == _or_null(place.find(model)) for place in places)
    return as_json(changed, document) if is_written else None


def _places(field: Place | Leads | None) -> list[Place]:
    if isinstance(field, Leads):
        return [lead.path for lead in field.alternatives]
    return [field] if field is not None else []


def _or_null(value: JsonValue | Absent) -> JsonValue:
    return None if isinstance(value, Absent) else value


def _lead_pointer(paging: Pagination) -> str:
    word = next((word for word in (*_LEADS, "cursor_header") if getattr(paging, word) is not None), "type")
    return f"{paging.pointer}/{word}"


# A last page that is gone, though the one before it named it.


def _gone(listing: _Listing) -> Iterator[Altered]:
    number = len(listing.pages) - 1
    at, left, pointer = listing.pages[number], listing.before(number), listing.paging.pointer
    # Where an empty page is no end, a read that counts its pages would go on behind the recording.
    counts_on = listing.paging.type == "page" and listing.paging.empty_page == "continue"
    empty = with_records(listing.operation, at.response, ()) if listing.records[number] and not counts_on else None
    if empty is not None:
        yield Altered(
            "gone",
            at,
            "is an empty page",
            answered_with(listing.lane, at, empty),
            Must((ProviderSaid,), left),
            pointer,
            "see what the config says of an empty page, and of the end",
        )
    for status in (404, 410):
        response = Response(status)
        if status in listing.paging.reduce_on:
            continue
        verdict = meaning_in(listing.connector, listing.operation, response)
        yield Altered(
            "gone",
            at,
            f"answered with {status} and no body",
            answered_with(listing.lane, at, response),
            Must((ProviderSaid,), left if verdict and verdict.is_success else None),
            verdict.rule.pointer if verdict and verdict.rule else pointer,
            "let no rule take for an end of the listing what is none",
        )


# Pages that are shorter than was asked for, as of a server that knows better.


def _cut(listing: _Listing) -> Iterator[Altered]:
    """The same records on more pages. Nothing where the config itself rules such a server out."""
    paging, pages = listing.paging, listing.pages
    says_end = paging.stop_field or paging.stop_header or paging.total_field or paging.total_header
    if paging.short_page == "stop" and not says_end:
        return  # a short page is the one end that this listing has
    if paging.type == "offset" and paging.step == "limit" and paging.short_page == "continue":
        return  # what is missing on a page is a gap that the provider leaves
    every = [record for records in listing.records for record in records]
    size = max(map(len, listing.records)) // 2
    if size < 1:
        return
    parts = [every[at : at + size] for at in range(0, len(every), size)]
    parts += [] if listing.records[-1] else [[]]
    cut = None if len(parts) > paging.max_pages else _cut_into(listing, parts, size)
    if cut is not None:
        yield Altered(
            "cut",
            pages[0],
            f"it and the others hold {size} records at most: {len(parts)} pages instead of {len(pages)}",
            replace(listing.lane, exchanges=cut),
            Must((PageSizeLowered,) if paging.type == "offset" else (), len(every)),
            paging.pointer,
            "go on from what the provider names or returned, and never from the page size that was asked for",
        )


def _cut_into(listing: _Listing, parts: Sequence[Sequence[JsonValue]], size: int) -> tuple[Exchange, ...] | None:
    """The exchanges of a listing whose pages are these; None where one cannot be asked for, or written."""
    first, last = listing.pages[0], listing.pages[-1]
    cut: list[Exchange] = []
    starts = [0, *accumulate(map(len, parts))]
    for number, part in enumerate(parts):
        shown = last if number + 1 == len(parts) else first  # only the last page says that it is the last
        answer = with_records(listing.operation, shown.response, part)
        answer = answer and _counted(listing, answer, number, len(parts), size)
        request = first.request
        if number:
            way = _way(listing, number, starts[number], parts[number - 1])
            before = None if way is None else way.named(cut[-1].response)
            if way is None or before is None:
                return None
            cut[-1], request = replace(cut[-1], response=before), way.request
        if answer is None:
            return None
        cut.append(replace(first, id=f"{listing.lane.id}/cut-{number + 1}", request=request, response=answer))
    return tuple(cut)


def _counted(listing: _Listing, answer: Response, number: int, pages: int, size: int) -> Response | None:
    """A page that tells its own number, the size of its like and how many there are, where the config reads that."""
    paging, document = listing.paging, json_in(answer)
    values: list[tuple[Place | None, int]] = [
        (paging.page_field, paging.first_page + number),
        (paging.step_field, size),
        (paging.total_field if paging.total_counts == "pages" else None, pages),
    ]
    if isinstance(document, Absent) or (paging.total_header and paging.total_counts == "pages"):
        return None
    for place, value in values:
        seen = ABSENT if place is None else place.find(document)
        if place is not None and not isinstance(seen, Absent):
            document = placed(document, place, str(value) if isinstance(seen, str) else value)
    return as_json(answer, document)


@dataclass(frozen=True, slots=True)
class _Way:
    """How a page is asked for, and how the page before it names it."""

    request: Request
    named: Callable[[Response], Response | None]


def _way(listing: _Listing, number: int, start: int, before: Sequence[JsonValue]) -> _Way | None:
    """The way to a page with this number and first record; None where the recording does not show how it is asked."""
    paging, second = listing.paging, listing.pages[1].request
    match paging.type:
        case "offset":
            return _sent(second, paging.offset_in, paging.offset_param, paging.first_offset + start)
        case "page":
            return _sent(second, paging.page_in, paging.page_param, paging.first_page + number)
        case "keyset":
            record = before[-1 if paging.key_from == "last" else 0] if before else None
            key = ABSENT if paging.key_field is None else paging.key_field.find(record)
            return None if isinstance(key, Absent) else _sent(second, paging.key_in, paging.key_param, key)
        case "link_header":
            url = _marked(second.url, number)
            link = f'<{url}>; rel="{paging.rel}"'
            return _Way(replace(second, url=url), lambda page: _with_header(page, paging.header, link))
        case "next_url":
            return _followed(listing, number)
        case _:
            return _named(listing, number)


def _followed(listing: _Listing, number: int) -> _Way | None:
    found = _lead_of(listing.paging.next_url_field, listing.pages[0].response)
    if found is None or not isinstance(found[1], str):
        return None
    second, place, named = listing.pages[1].request, found[0], _marked(found[1], number)
    return _Way(replace(second, url=_marked(second.url, number)), lambda page: _with(page, place, named))


def _named(listing: _Listing, number: int) -> _Way | None:
    """By a cursor that nobody has seen yet."""
    paging, first, second = listing.paging, listing.pages[0].response, listing.pages[1].request
    if paging.cursor_header is not None:
        name, text = paging.cursor_header, f"{first.header(paging.cursor_header)}-cut-{number}"
        sent = _sent(second, paging.cursor_in, paging.cursor_param, text)
        return sent and _Way(sent.request, lambda page: _with_header(page, name, text))
    found = _lead_of(paging.cursor_field, first)
    if found is None or not isinstance(found[1], str | int):
        return None
    place, seen = found
    cursor = seen * 1000 + number if isinstance(seen, int) else f"{seen}-cut-{number}"
    sent = _sent(second, paging.cursor_in, paging.cursor_param, cursor)
    return sent and _Way(sent.request, lambda page: _with(page, place, cursor))


def _lead_of(field: Place | Leads | None, page: Response) -> tuple[Place, JsonValue] | None:
    """The place where a page names the next one, and what it says there; None where that is a part of a URL."""
    document = json_in(page)
    if isinstance(document, Absent):
        return None
    leads = field.alternatives if isinstance(field, Leads) else (Lead(field),) if field else ()
    found = ((lead, lead.path.find(document)) for lead in leads)
    named = next(((lead, said) for lead, seen in found if (said := _or_null(seen)) is not None and said != ""), None)
    return None if named is None or named[0].url_param else (named[0].path, named[1])


def _with(page: Response, place: Place, value: JsonValue) -> Response | None:
    document = json_in(page)
    return None if isinstance(document, Absent) else as_json(page, placed(document, place, value))


def _with_header(page: Response, name: str, value: str) -> Response:
    kept: Headers = tuple(pair for pair in page.headers if pair[0] != name)
    return replace(page, headers=(*kept, (name, value)))


def _marked(url: str, number: int) -> str:
    """A URL that leads elsewhere."""
    return f"{url}{'&' if '?' in url else '?'}cut={number}"


def _sent(request: Request, where: Placement, name: str | None, value: JsonValue) -> _Way | None:
    """A request with another value where a recorded one has its place in the listing."""
    changed: Request | None = None
    if name is not None and where == "query":
        changed = _with_query(request, name, as_text(value))
    elif name is not None and where == "header" and request.header(name.lower()) is not None:
        kept = tuple(pair for pair in request.headers if pair[0] != name.lower())
        changed = replace(request, headers=(*kept, (name.lower(), as_text(value))))
    elif name is not None and where == "body":
        changed = _with_body(request, name, value)
    return None if changed is None else _Way(changed, lambda page: page)


def _with_query(request: Request, name: str, text: str) -> Request | None:
    address, _, query = request.url.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    if name not in dict(pairs):
        return None
    changed = [(key, text if key == name else said) for key, said in pairs]
    return replace(request, url=f"{address}?{urlencode(changed, quote_via=quote, safe='')}")


def _with_body(request: Request, name: str, value: JsonValue) -> Request | None:
    document, place = json_in(Response(200, (), request.body or b"")), Place.parse(name)
    if isinstance(document, Absent) or isinstance(place.find(document), Absent):
        return None
    return replace(request, body=as_json(Response(200), placed(document, place, value)).body)
