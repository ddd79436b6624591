"""The zoo: engines and configs that are known to be bad, and the check that must catch each: one table, ANIMALS.

An animal is one word of a good connector's config said wrong, or one small function of the engine done wrong. Some
need other ground than the good connector offers: that is laid first, and passes the check as long as the animal is not
there. Workers that lose an account's tokens between them have a place of their own: tests/harness/known_bad.py.
"""

# ruff: noqa: ARG001 each bad function has the signature of the good one that it stands for

from __future__ import annotations

import json
import logging
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, Literal, Self, TypeAlias
from urllib.parse import quote

import pytest
from projects import RENEWED_AUTH, RENEWED_CREDENTIALS, Project, renewed_exchanges

from connproof import config, outcome, overrides, pagination, ratelimit
from connproof.decode import as_json
from connproof.documents import Source, read_json
from connproof.draft import Draft
from connproof.errors import MappingFailed, PageUnreadable, ProviderBusy, ProviderDown, ProviderSaid
from connproof.guard import Guard
from connproof.links import next_target, origin
from connproof.mapping import CompiledMapping
from connproof.model import Account, Auth, Connector, Operation, Page, Pagination, Position, Request, Response, Secret
from connproof.outcome import Verdict
from connproof.pagination import cursor, keyset, link_header, next_url, offset, page
from connproof.places import ABSENT, Absent, JsonValue
from connproof.resume import token
from connproof.run import listing, sending, walk
from connproof.run.calls import Record
from connproof.run.mapped import Mapper
from connproof.run.sending import Answer, Door, Patience
from connproof.run.walk import Step, Walk
from connproof.stores import token_memory
from connproof.tokens import Held, Tokens

__all__ = ["ANIMALS", "Animal"]

CONFIG: Final = "connector.json"
DEALS: Final = "recordings/deals.json"


# How an animal is made.


@dataclass(frozen=True)
class Says:
    """A word of a config, or of what stands beside it, with another value."""

    pointer: str
    value: Any
    file: str = CONFIG
    shown: str = ""  # what stands in print instead of the value

    def __str__(self) -> str:
        return f"{self.pointer}: {self.shown or json.dumps(self.value)}"

    def let_loose(self, project: Project, patch: pytest.MonkeyPatch) -> None:  # noqa: ARG002 all ways share one signature
        project.change(self.file, self.pointer, self.value)


@dataclass(frozen=True)
class Lacks:
    """A word of a config left out."""

    pointer: str

    def __str__(self) -> str:
        return f"{self.pointer}: left out"

    def let_loose(self, project: Project, patch: pytest.MonkeyPatch) -> None:  # noqa: ARG002 as above
        project.drop(CONFIG, self.pointer)


@dataclass(frozen=True)
class Does:
    """A function of the engine that does something else. `owner` is a module or a class."""

    owner: Any
    name: str
    instead: Any

    def __str__(self) -> str:
        return f"{self.owner.__name__.removeprefix('connproof.')}.{self.name}"

    def let_loose(self, project: Project, patch: pytest.MonkeyPatch) -> None:  # noqa: ARG002 as above
        patch.setattr(self.owner, self.name, self.instead)


Way: TypeAlias = Says | Lacks | Does


@dataclass(frozen=True)
class Animal:
    """One that is known to be bad: what it does wrong, the check that catches it, and what the finding must tell.

    `at` is what the check is judged on. `ground` is laid before it, and is good.
    """

    name: str
    wrong: str
    check: str
    home: Literal["park", "deals", "orders"]
    at: str
    way: Way
    tells: tuple[str, ...]
    ground: tuple[Way, ...] = ()


# Where the next page begins.

_following_cursor, _placed_cursor = cursor.following, cursor.place


def _own_step(paging: Pagination, page: Page) -> int:
    return page.size or len(page.records)


def _step_by_what_is_left(paging: Pagination, page: Page) -> int:
    return len(page.records)


def _one_later(paging: Pagination) -> int:
    return paging.first_page + 1


def _truthy_cursor(paging: Pagination, position: Position, page: Page) -> JsonValue | Absent:
    return _following_cursor(paging, position, page) or ABSENT


def _zero_is_none(paging: Pagination, position: Position, page: Page) -> JsonValue | Absent:
    seen = _following_cursor(paging, position, page)
    return ABSENT if seen == "0" else seen


def _as_documented(paging: Pagination, position: Position, page: Page) -> JsonValue | Absent:
    return _following_cursor(replace(paging, cursor_header=str(paging.cursor_header).title()), position, page)


def _spliced(draft: Draft, paging: Pagination, value: JsonValue) -> Draft:
    return replace(draft, url=f"{draft.url}?{paging.cursor_param}={value}")


class Latest:
    """One place for the cursor of every read: what a module's global is."""

    cursor: JsonValue | Absent = ABSENT

    @classmethod
    def place(cls, draft: Draft, paging: Pagination, value: JsonValue) -> Draft:
        return _placed_cursor(draft, paging, value if isinstance(cls.cursor, Absent) else cls.cursor)

    @classmethod
    def following(cls, paging: Pagination, position: Position, page: Page) -> JsonValue | Absent:
        cls.cursor = _following_cursor(paging, position, page)
        return cls.cursor


def _first_key(paging: Pagination, position: Position, page: Page) -> JsonValue | Absent:
    return page.records[0]["id"] if page.records else ABSENT  # type: ignore[index, call-overload]  # the park's records


# Links.


def _query_again(draft: Draft, paging: Pagination, value: JsonValue) -> Draft:
    return replace(draft, url=str(value))


def _encoded_again(draft: Draft, paging: Pagination, value: JsonValue) -> Draft:
    return draft.following(quote(str(value), safe=":/?&="), keep_own=False)


def _glued(paging: Pagination, position: Position, page: Page) -> JsonValue | Absent:
    link = paging.next_url_field.find(page.document)  # type: ignore[union-attr, arg-type]  # the park's listing has both
    return ABSENT if not link else link if str(link).startswith("http") else f"https://api.park.example{link}"


def _split_at_commas(paging: Pagination, position: Position, page: Page) -> JsonValue | Absent:
    for part in (page.response.header("link") or "").split(","):
        target, _, parameters = part.strip().partition(">;")
        if re.search(r"rel=\"?next\b", parameters):
            return next_target(f"{target}>; rel=next", response_url=page.request.url) or ABSENT
    return ABSENT


_send = Door.send


async def _anywhere(self: Door, request: Request, shown: str) -> Response:
    self._origins |= {origin(request.url)}
    return await _send(self, request, shown)


# Where a listing ends.

_end, _says_more, _records_of = pagination._end, pagination._says_more, walk.records_of


def _ended_by_nothing(paging: Pagination, page: Page, *rest: Any, **more: Any) -> str | None:
    return _end(paging, page, *rest, **more) if page.records else "an empty page"


def _asked_to_nothing(paging: Pagination, page: Page, *rest: Any, **more: Any) -> str | None:
    return None if page.records else _end(paging, page, *rest, **more)


def _less(paging: Pagination, page: Page) -> bool | None:
    more = _says_more(paging, page)
    return None if more is None else not more


def _truthy_flag(paging: Pagination, page: Page) -> bool | None:
    return not paging.stop_field.find(page.document)  # type: ignore[union-attr, arg-type]  # the park's listing has both


def _any_total(paging: Pagination, page: Page) -> int | None:
    return paging.total_field.find(page.document) if paging.total_field else None  # type: ignore[return-value, arg-type]  # as above


def _null_is_wrong(operation: Operation, document: JsonValue | Absent, connector: Connector) -> tuple[JsonValue, ...]:
    found = _records_of(operation, document, connector)
    if isinstance(document, dict) and operation.response_path and operation.response_path.find(document) is None:
        raise PageUnreadable("no list of records")
    return found


class WithoutLastPage(Walk):
    """Gives what a page has once it knows what comes after it, and nothing comes after the last."""

    async def next(self) -> Step:
        step = await super().next()
        if isinstance(step.following, Position):
            return step
        return replace(step, page=replace(step.page, records=()))


# Guards.


class Forgetful(Guard):
    """Compares with the page before, and with none that came earlier."""

    def bound(self, position: Position) -> None:
        for kept in (self._requests, self._pages):
            for mark in [*kept][:-1]:
                del kept[mark]
        super().bound(position)


class Patient(Guard):
    """Asks for ever, if only it is told that there is more."""

    def bound(self, position: Position) -> None:
        pass


class Blind(Guard):
    """Never looks at what came."""

    def page(self, page: Page, position: Position) -> None:
        pass


class Everybodys(Guard):
    """The first that is made, for all."""

    def __new__(cls, paging: Pagination, operation: Operation) -> Self:
        if "one" not in cls.__dict__:
            cls.one = super().__new__(cls)
            Guard.__init__(cls.one, paging, operation)
        kept: Self = cls.one
        return kept

    one: Any

    def __init__(self, paging: Pagination, operation: Operation) -> None:
        pass


# Where a read goes on.


def _a_page_late(digest: str, position: Position) -> str:
    assert isinstance(position.value, int)
    return token(digest, replace(position, value=position.value + 1))


def _without_the_place_inside(digest: str, position: Position) -> str:
    return token(digest, replace(position, state={}))


def _from_the_beginning(digest: str, position: Position) -> str:
    return token(digest, Position())


def _no_token(digest: str, position: Position) -> None:
    return None


class PageEarly(Walk):
    """Says that it stands where its last page began."""

    _before: Position | None = None

    @property
    def at(self) -> Position:
        return self._before or super().at

    async def next(self) -> Step:
        at = self._at
        step = await super().next()
        self._before = at
        return step


# What answers mean.

_judged, _error_of, _answer = outcome.judged, outcome.error_of, Door.answer


def _waits_by_itself(call: Any) -> Patience:
    return Patience(3_600)


def _403_is_a_throttle(response: Response, *rest: Any, **more: Any) -> Verdict:
    return Verdict("throttled") if response.status == 403 else _judged(response, *rest, **more)


async def _fault_is_the_end(self: Door, operation: Operation, draft: Draft, *rest: Any, **more: Any) -> Answer:
    try:
        return await _answer(self, operation, draft, *rest, **more)
    except ProviderDown:
        return Answer(draft.request(), Response(204), ABSENT, says_nothing=True)


async def _half_is_all(self: Door, operation: Operation, draft: Draft, *rest: Any, **more: Any) -> Answer:
    try:
        return await _answer(self, operation, draft, *rest, **more)
    except PageUnreadable:
        return Answer(draft.request(), Response(204), ABSENT, says_nothing=True)


def _every_200_is_well(response: Response, *rest: Any, **more: Any) -> Verdict:
    return Verdict("success") if response.status == 200 else _judged(response, *rest, **more)


def _retry_after_is_a_throttle(response: Response, *rest: Any, **more: Any) -> Verdict:
    return Verdict("throttled") if response.header("retry-after") else _judged(response, *rest, **more)


class Breaker:
    """Once an account was throttled, nobody may ask."""

    tripped: ClassVar[list[ProviderBusy]] = []

    @staticmethod
    async def answer(door: Door, *rest: Any, **more: Any) -> Answer:
        for busy in Breaker.tripped:
            raise busy
        try:
            return await _answer(door, *rest, **more)
        except ProviderBusy as busy:
            Breaker.tripped.append(busy)
            raise


def _quoting(verdict: Verdict, response: Response, *rest: Any, **more: Any) -> ProviderSaid:
    error = _error_of(verdict, response, *rest, **more)
    error.facts["body"] = response.body.decode()
    return error


def _logging(operation: Operation, document: JsonValue | Absent, connector: Connector) -> tuple[JsonValue, ...]:
    records = _records_of(operation, document, connector)
    logging.getLogger("connproof").debug("read %s", records)
    return records


# Rate limits.


def _unscaled(number: Any, parts: int) -> Any:
    return number


def _by_its_own_clock(self: Any, epoch: Any) -> Any:
    return None if epoch is None else epoch - ratelimit._epoch(self._now)


# Values.

_by_paths, _unified, _merged = CompiledMapping._by_paths, Mapper.unified, overrides._merged


def _none_is_a_text(self: CompiledMapping, record: JsonValue) -> dict[str, JsonValue]:
    return {name: str(value) if value is None else value for name, value in _by_paths(self, record).items()}


def _every_number_is_a_float(self: CompiledMapping, record: JsonValue) -> dict[str, JsonValue]:
    mapped = _by_paths(self, record)
    return {name: float(value) if type(value) is int else value for name, value in mapped.items()}


def _through_a_float(digits: str) -> int:
    return int(float(digits))


async def _dropping(self: Mapper, records: Sequence[JsonValue], *rest: Any, **more: Any) -> tuple[Record, ...]:
    mapped: list[Record] = []
    for record in records:
        with suppress(MappingFailed):
            mapped += await _unified(self, [record], *rest, **more)
    return tuple(mapped)


class Base:
    """A connector's document that is read once: good, as long as nobody changes it."""

    kept: ClassVar[dict[str, Any]] = {}

    @staticmethod
    def read(data: bytes, name: str) -> Any:
        value, source = read_json(data, name)
        is_base = name.endswith(CONFIG)
        return (Base.kept.setdefault(data.decode(), value) if is_base else value), source

    @staticmethod
    def lay(document: dict[str, Any], source: Source, layer: overrides.Layer) -> Any:
        merged, standing = overrides.lay(document, source, layer)
        document.update(merged)
        return document, standing


def _null_is_nothing(target: Any, patch: Any, pointer: str, changed: Any) -> JsonValue:
    def without(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: without(inner) for name, inner in value.items() if inner is not None}

    return _merged(target, without(patch), pointer, changed)


# Tokens.


def _the_old_token(auth: Auth, account: Account, *, access: Secret, refresh: Secret | None = None) -> Account:
    return account


async def _every_401_counts(self: Tokens, account: Account, generation: int) -> Held:
    self._copies.pop(self.key(account), None)
    row = await self._store.read(self.key(account))
    self._refused[self.key(account)] = row.generation if row else generation
    return await self._held(account)


def _what_the_answer_has(claimed: Any, pair: Any) -> Any:
    return pair


# The grounds.

LIST: Final = "/resources/deals/list"
EXCHANGES: Final = "/lanes/0/exchanges"
REFRESHED: Final = (
    Says(
        "/auth",
        {
            "type": "oauth2",
            "token_path": "access_token",
            "token": {"url": "https://id.deals.example/token", "client_auth": "none"},
        },
    ),
    Says(
        "/credentials",
        {"access_token": "example-a", "refresh_token": "example-r", "client_id": "example-c"},
        "accounts/example.json",
    ),
)
RENEWED: Final = (
    Says("/auth", dict(RENEWED_AUTH)),
    Says("/credentials", dict(RENEWED_CREDENTIALS), "accounts/example.json"),
    Says(EXCHANGES, renewed_exchanges(), DEALS),
)
FLAGGED: Final = (
    *(Says(f"{EXCHANGES}/{n}/response/json/more", n < 2, DEALS) for n in range(3)),
    Says(f"{LIST}/pagination/stop_field", "more"),
    Says(f"{LIST}/pagination/stop_when", False),
)
A_LARGE_NUMBER: Final = (
    Says(f"{EXCHANGES}/0/response/json/results/1/properties/amount", 9_007_199_254_740_993, DEALS),
)


def _paging(name: str, word: str) -> str:
    return f"/resources/{name}/list/pagination/{word}"


ANIMALS: Final = (
    Animal(
        "own step",
        "steps by the page size that it asked for, though the provider gives fewer",
        "PAG-001",
        "park",
        "counted.list",
        Does(offset, "_step", _own_step),
        ("gives no more than 1 records a page", "lost"),
    ),
    Animal(
        "short page",
        "stops on a short page, though the provider may give fewer than asked for",
        "PAG-001",
        "park",
        "counted.list",
        Says(_paging("counted", "short_page"), "stop"),
        ("a short page", "lost", "/resources/counted/list/pagination/short_page"),
    ),
    Animal(
        "empty page",
        "stops on an empty page that names a next one",
        "PAG-001",
        "park",
        "named.list",
        Does(pagination, "_end", _ended_by_nothing),
        ("an empty page in the middle", "lost"),
    ),
    Animal(
        "A-B-A",
        "compares a cursor with the last one alone: two that name each other are read for ever",
        "PAG-004",
        "park",
        "named.list",
        Does(walk, "Guard", Forgetful),
        ("leads from page 2 back to the first", "does not end"),
    ),
    Animal(
        "truthy cursor",
        "takes the cursor 0 for none",
        "PAG-001",
        "park",
        "named.list",
        Does(cursor, "following", _truthy_cursor),
        ("names its places by numbers, from 0 on", "lost"),
    ),
    Animal(
        "zero as a text",
        'takes the cursor "0" for none',
        "PAG-001",
        "park",
        "named.list",
        Does(cursor, "following", _zero_is_none),
        ("names its places by digits", "lost"),
    ),
    Animal(
        "count after filter",
        "steps by the records that are left after the provider's filter",
        "PAG-001",
        "park",
        "striding.list",
        Does(offset, "_step", _step_by_what_is_left),
        ("filters the first record of each page out",),
    ),
    Animal(
        "one guard for all",
        "shares what it keeps of a read with every other read",
        "PAG-005",
        "park",
        "named.list",
        Does(walk, "Guard", Everybodys),
        ("ends in an error",),
    ),
    Animal(
        "global cursor",
        "keeps the cursor in one place for all reads: two at once take each other's",
        "PAG-005",
        "park",
        "named.list",
        Does(cursor, "place", Latest.place),
        ("two reads at once",),
        ground=(Does(cursor, "following", Latest.following),),
    ),
    Animal(
        "query doubled",
        "adds its own parameters to a next link that has them already",
        "PAG-001",
        "park",
        "led.list",
        Does(next_url, "place", _query_again),
        ("ends in an error", "RequestRefused"),
    ),
    Animal(
        "encoded again",
        "encodes bytes of a next link that are encoded already",
        "PAG-001",
        "park",
        "led.list",
        Does(next_url, "place", _encoded_again),
        ("has bytes in its link that are encoded already",),
    ),
    Animal(
        "glued link",
        "puts a next link that is no whole URL behind the host, whatever its form",
        "PAG-001",
        "park",
        "led.list",
        Does(next_url, "following", _glued),
        ("gives the query of the next page alone",),
    ),
    Animal(
        "stranger's link",
        "follows a next link to another host, and signs the request with the account's credentials",
        "PAG-004",
        "park",
        "led.list",
        Does(Door, "send", _anywhere),
        ("leads to another host", "as if all was well"),
    ),
    Animal(
        "split at commas",
        "splits a Link header at its commas, also at those inside a URL or a title",
        "PAG-001",
        "park",
        "linked.list",
        Does(link_header, "following", _split_at_commas),
        ("with commas in them", "ends in an error"),
    ),
    Animal(
        "header as documented",
        "looks for a header in the case of the provider's documentation",
        "PAG-001",
        "park",
        "marked.list",
        Does(cursor, "following", _as_documented),
        ("lost",),
    ),
    Animal(
        "cursor spliced",
        "puts a cursor into the URL as it stands",
        "PAG-001",
        "park",
        "named.list",
        Does(cursor, "place", _spliced),
        ("has + % & # = / ? and blanks in its cursors",),
    ),
    Animal(
        "first key",
        "goes on from the first record of a page, not the last",
        "PAG-001",
        "park",
        "keyed.list",
        Does(keyset, "following", _first_key),
        ("twice",),
    ),
    Animal(
        "first page skipped",
        "begins with the page after the first: the index is off by one",
        "PAG-001",
        "park",
        "numbered.list",
        Does(page, "first", _one_later),
        ("lost",),
    ),
    Animal(
        "flag inverted",
        "reads the flag that says that there is more the other way round",
        "PAG-001",
        "park",
        "flagged.list",
        Does(pagination, "_says_more", _less),
        ("each says that there is more", "more=false"),
    ),
    Animal(
        "flag declared inverted",
        "declares the flag with the wrong polarity",
        "RPL-001",
        "deals",
        "deals.list",
        Says(f"{LIST}/pagination/stop_when", True),
        ("2 recorded exchanges not asked for", "the provider says so"),
        ground=FLAGGED,
    ),
    Animal(
        "truthy flag",
        'takes the text "false" for true: the first page is the last',
        "PAG-004",
        "park",
        "flagged.list",
        Does(pagination, "_says_more", _truthy_flag),
        ('says "true" and "false" where it should say true and false', "as if all was well"),
        ground=(Says(_paging("flagged", "stop_field"), "last"), Says(_paging("flagged", "stop_when"), True)),
    ),
    Animal(
        "any total",
        "believes a total that is 0 from the second page on",
        "PAG-004",
        "park",
        "totalled.list",
        Does(pagination, "_total", _any_total),
        ("says 0 for its total from the second page on", "lost"),
    ),
    Animal(
        "null list",
        "takes null, where a list has no records, for a broken page",
        "PAG-001",
        "park",
        "numbered.list",
        Does(walk, "records_of", _null_is_wrong),
        ("says null for a list without records", "ends in an error"),
    ),
    Animal(
        "endless patience",
        "goes on for ever with empty pages that say that there is more",
        "PAG-004",
        "park",
        "flagged.list",
        Does(walk, "Guard", Patient),
        ("does not end", "max_empty_pages"),
    ),
    Animal(
        "blind guard",
        "never sees that the provider gives the same page, whatever page is asked for",
        "PAG-004",
        "park",
        "numbered.list",
        Does(walk, "Guard", Blind),
        ("gives its first page, whatever place is asked for", "does not end"),
    ),
    Animal(
        "asked to nothing",
        "asks once more though a flag says that this was the last page",
        "PAG-002",
        "park",
        "flagged.list",
        Does(pagination, "_end", _asked_to_nothing),
        ("requests for 1 page, where 1 tell all",),
    ),
    Animal(
        "one stone",
        "takes the one element of an XML list for a record's members",
        "PAG-001",
        "park",
        "stones.list",
        Lacks("/resources/stones/list/decode/force_list"),
        ("ends in an error", "no list of records"),
    ),
    Animal(
        "a page late",
        "resumes with the page after the one that failed",
        "PAG-003",
        "park",
        "numbered.list",
        Does(listing, "token", _a_page_late),
        ("does not go on from there", "lost"),
    ),
    Animal(
        "a page early",
        "resumes with the page before the one that failed",
        "LIM-004",
        "deals",
        "",
        Does(listing, "Walk", PageEarly),
        ("asked a second time",),
    ),
    Animal(
        "no place inside",
        "leaves out of its resume token for which parent it was reading, and where",
        "PAG-003",
        "park",
        "leaves.list",
        Does(listing, "token", _without_the_place_inside),
        ("does not go on from there",),
    ),
    Animal(
        "last page lost",
        "drops the records of the page that ends the listing",
        "RPL-005",
        "deals",
        "deals.list",
        Does(listing, "Walk", WithoutLastPage),
        ("the recording holds 5 records, the caller got 4",),
    ),
    Animal(
        "wrong parameter",
        "sends the cursor under a name that the provider does not know",
        "RPL-002",
        "deals",
        "deals.list",
        Says(f"{LIST}/pagination/cursor_param", "cursor"),
        ("request 2 is not in the recording", "after"),
    ),
    Animal(
        "N+1",
        "asks for each record by itself though the listing has it whole",
        "RPL-002",
        "deals",
        "deals.list",
        Says(f"{LIST}/hydrate", {"operation": "get", "param": "id", "from": "id"}),
        ("request 2 is not in the recording", "/v1/deals/101"),
    ),
    Animal(
        "swallowed 429",
        "waits for a throttle by itself and asks again: its caller never hears of it",
        "LIM-001",
        "orders",
        "",
        Does(Patience, "of", _waits_by_itself),
        ("another request was sent after it",),
    ),
    Animal(
        "throttle without a token",
        "lets a caller know of a throttle, but not how to go on",
        "LIM-001",
        "orders",
        "",
        Does(listing, "token", _no_token),
        ("it has no resume token",),
    ),
    Animal(
        "any 403",
        "takes every 403 for a throttle",
        "LIM-003",
        "orders",
        "",
        Does(sending, "judged", _403_is_a_throttle),
        ("an answer that is no throttle reached the caller as one", "403"),
    ),
    Animal(
        "any declared 403",
        "declares every 403 to be a throttle",
        "PAR-001",
        "orders",
        "orders.get#forbidden",
        Says("/rate_limit/throttled/0/when", {"status": 403}),
        ("ProviderBusy 403", "AccessRefused 403"),
    ),
    Animal(
        "polite page",
        "takes a page for a throttle because it says Retry-After",
        "LIM-003",
        "orders",
        "",
        Says("/rate_limit/throttled/0/when", {"header": {"retry-after": {"present": True}}}),
        ("a page with records is taken for a throttle",),
    ),
    Animal(
        "epoch as delta",
        "reads the second since 1970 at which a quota is restored as the seconds until then",
        "LIM-002",
        "orders",
        "",
        Says("/rate_limit/budgets/0/reset/unit", "delta_s"),
        ("x-quota-reset is not what /rate_limit/budgets/0/reset declares", "delta_s"),
    ),
    Animal(
        "skewed clock",
        "holds the provider's moments against its own clock, not against the Date of the answer",
        "LIM-005",
        "orders",
        "orders.list",
        Does(ratelimit._Reading, "_from_now", _by_its_own_clock),
        ("a throttle does not reach the caller as it is",),
    ),
    Animal(
        "milliseconds as seconds",
        "reads a wait in milliseconds as one in seconds: a thousand times as long",
        "LIM-005",
        "orders",
        "orders.list",
        Does(ratelimit, "_scaled", _unscaled),
        ("a throttle does not reach the caller as it is",),
    ),
    Animal(
        "from the beginning",
        "resumes a throttled read with its first page",
        "LIM-006",
        "orders",
        "orders.list",
        Does(listing, "token", _from_the_beginning),
        ("a throttled read cannot be gone on with", "twice"),
    ),
    Animal(
        "impatient",
        "takes every answer with Retry-After for a throttle",
        "LIM-007",
        "orders",
        "orders.list",
        Does(sending, "judged", _retry_after_is_a_throttle),
        ("what is no throttle is taken otherwise",),
    ),
    Animal(
        "one breaker for all",
        "lets no account ask once one of them was throttled",
        "LIM-008",
        "orders",
        "orders.list",
        Does(Door, "answer", Breaker.answer),
        ("a throttle of one account ends another's read",),
    ),
    Animal(
        "every 200 is well",
        "never looks into a 200 for an error: the listing has a hole, or ends there",
        "ERR-005",
        "orders",
        "orders.list",
        Does(sending, "judged", _every_200_is_well),
        ("as if all was well",),
    ),
    Animal(
        "error as data",
        "takes an error inside a 200 for a record",
        "ERR-002",
        "orders",
        "",
        Lacks("/errors"),
        ("an answer that is read as a success says that something failed", "error"),
    ),
    Animal(
        "silent element",
        "tells the caller that every element of a batch succeeded",
        "ERR-004",
        "orders",
        "",
        Says("/resources/imports/create/elements/failed", {"done": "no"}),
        ("element 2 succeeded",),
    ),
    Animal(
        "fault as the end",
        "takes a fault of the provider, or a connection that broke off, for the end of the listing",
        "ERR-006",
        "orders",
        "orders.list",
        Does(Door, "answer", _fault_is_the_end),
        ("what went wrong is taken for the end", "lost"),
    ),
    Animal(
        "half is all",
        "takes a body that was cut off for a page without records, and so for the end",
        "RPL-007",
        "deals",
        "deals.list",
        Does(Door, "answer", _half_is_all),
        ("PageUnreadable",),
    ),
    Animal(
        "None",
        'turns null into the text "None"',
        "PAR-001",
        "deals",
        "deals.list",
        Does(CompiledMapping, "_by_paths", _none_is_a_text),
        ("owner_id", "None"),
    ),
    Animal(
        "float",
        "turns an integer into a float",
        "MAP-001",
        "deals",
        "crm.deal",
        Does(CompiledMapping, "_by_paths", _every_number_is_a_float),
        ("the fast path and jsonata-python differ", "amount"),
    ),
    Animal(
        "through a float",
        "reads an integer of more than 53 bits through a float",
        "RPL-005",
        "deals",
        "deals.list",
        Does(as_json, "_PARSER", json.JSONDecoder(parse_int=_through_a_float)),
        ("record 2 that the caller got is not record 2 of the recording",),
        ground=A_LARGE_NUMBER,
    ),
    Animal(
        "swallowed record",
        "leaves out a record that cannot be mapped, and says nothing",
        "RPL-009",
        "deals",
        "deals.list",
        Does(Mapper, "unified", _dropping),
        ("does not give every record",),
    ),
    Animal(
        "leaking override",
        "lays an account's override on the base itself, where every other account reads it",
        "OVR-002",
        "orders",
        "",
        Does(config, "lay", Base.lay),
        ("depends on what others read",),
        ground=(Does(config, "read_json", Base.read),),
    ),
    Animal(
        "null ignored",
        "leaves a field in place that a layer takes away by null",
        "OVR-003",
        "deals",
        "crm.deal",
        Does(overrides, "_merged", _null_is_nothing),
        ("null does not take",),
    ),
    Animal(
        "other credential",
        "sends the refresh token where the access token belongs",
        "RPL-003",
        "deals",
        "deals.list",
        Says("/auth/token_path", "refresh_token"),
        ("another credential was sent", "access_token"),
    ),
    Animal(
        "key in the config",
        "keeps a live key in the config",
        "CFG-003",
        "deals",
        "",
        Says("/headers/x-feature", "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a", shown="a live key"),
        ("looks like a credential", "/headers/x-feature"),
    ),
    Animal(
        "talkative log",
        "logs the records that it reads",
        "RET-001",
        "orders",
        "",
        Does(walk, "records_of", _logging),
        ("left behind",),
    ),
    Animal(
        "talkative error",
        "quotes the provider's body in an error",
        "RET-002",
        "orders",
        "",
        Does(sending, "error_of", _quoting),
        ("an error quotes what the provider said",),
    ),
    Animal(
        "late 401",
        "refreshes once more when an old access token is refused late",
        "TOK-002",
        "deals",
        "",
        Does(Tokens, "rejected", _every_401_counts),
        ("2 exchanges, allowed 1",),
        ground=REFRESHED,
    ),
    Animal(
        "null refresh token",
        "overwrites the refresh token with nothing where an answer has no new one",
        "TOK-001",
        "deals",
        "",
        Does(token_memory, "successor_of", _what_the_answer_has),
        ("I4: RT_0 was kept, and keep put nothing in its place",),
        ground=(*REFRESHED, Says("/auth/rotation", "none")),
    ),
    Animal(
        "old token",
        "goes on with the access token that was refused, though a new one was granted",
        "RPL-003",
        "deals",
        "deals.list",
        Does(sending, "with_tokens", _the_old_token),
        ("request 3 carries another credential", "{{secret:access_token#2}}", "{{secret:access_token#1}}"),
        ground=RENEWED,
    ),
    Animal(
        "rotation denied",
        "declares that a used refresh token works for ever, though each refresh replaces it",
        "TOK-005",
        "deals",
        "",
        Says("/auth/rotation", "none"),
        ("replaces the refresh token", "/auth/rotation"),
        ground=RENEWED,
    ),
)
