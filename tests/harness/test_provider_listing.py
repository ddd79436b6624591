"""A simulated listing, asked by hand: what it answers, byte by byte, and what each of its habits makes of that."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

import pytest

from connproof.errors import CallWrong
from connproof.model import Account, Request, Response
from connproof.pagination import STRATEGIES
from connproof.places import JsonValue
from connproof.run import Call
from pytest_connproof.conversation import Conversation, converse, differences
from pytest_connproof.provider.api import Api, scaled
from pytest_connproof.provider.habits import HABITS, Case, Terms, playable
from pytest_connproof.provider.halves import HALVES
from scripted import BASE, connector

OWNER = Account("acme")
JSON: Final = "application/json"
FORM: Final = (("content-type", "application/x-www-form-urlencoded"),)

CURSOR: dict[str, Any] = {"type": "cursor", "cursor_field": "next", "cursor_param": "after"}
SIZED: dict[str, Any] = {"page_size_param": "limit", "default_page_size": 2}
OFFSET: dict[str, Any] = {"type": "offset", "offset_param": "offset", **SIZED}
PAGE: dict[str, Any] = {"type": "page", "page_param": "page", **SIZED}
KEYSET: dict[str, Any] = {"type": "keyset", "key_field": "id", "key_param": "after"}
LINKS: dict[str, Any] = {"type": "link_header"}
NEXT: dict[str, Any] = {"type": "next_url", "next_url_field": "next"}
XML: dict[str, Any] = {"decode": {"type": "xml", "force_list": ["Row"]}, "response_path": "Rows.Row"}
TITLED: Final = '<?xml version="1.0" encoding="utf-8"?>\n'


def api(paging: dict[str, Any], case: str, operation: dict[str, Any] | None = None, **words: Any) -> Api:
    """A provider of the listing `rows`, that holds and does what the case says."""
    config = connector(paging, operation, **words)
    return Api(config, OWNER, config.resources["rows"].operations["list"], Case.parse(case))


def get(target: str) -> Request:
    return Request("GET", f"{BASE}{target}", ())


def posted(target: str, body: str, headers: tuple[tuple[str, str], ...] = ()) -> Request:
    return Request("POST", f"{BASE}{target}", headers, body.encode())


def shown(response: Response) -> list[str]:
    """The status, the headers but for the content type, and the body, as they stand on the wire."""
    headers = [f"{name}: {value}" for name, value in response.headers if name != "content-type"]
    return [str(response.status), *headers, response.body.decode()]


def read(provider: Api, call: Call | None = None, most: int = 60) -> Conversation:
    """What the engine makes of it."""
    return converse(provider.connector, OWNER, provider.operation, provider, call or Call(raw=True), most=most)


# Each strategy's half.


def test_every_strategy_has_a_half() -> None:
    """What the engine can walk, a provider can serve."""
    assert [] == without_half(STRATEGIES)


def test_a_strategy_without_a_half_is_named() -> None:
    """So that a new one is not forgotten."""
    assert ["by_tarot"] == without_half({**STRATEGIES, "by_tarot": STRATEGIES["none"]})


def without_half(strategies: Any) -> list[str]:
    """The strategies that no server half answers."""
    return sorted({*strategies} - {*HALVES})


@dataclass(frozen=True)
class Said:
    """A listing, and what was asked of it and answered, in this order."""

    paging: dict[str, Any]
    exchanges: list[tuple[Request, list[str]]]
    operation: dict[str, Any] | None = None
    case: str = "records=3 size=2"


def ids(*numbers: int) -> str:
    return ", ".join(f'{{"id": "r{number:04d}"}}' for number in numbers)


def row(number: int) -> str:
    return f"<Row><id>r{number:04d}</id></Row>"


HALF: dict[str, Said] = {
    "cursor": Said(
        CURSOR,
        [
            (get("/rows"), ["200", f'{{"next": "c1", "items": [{ids(0, 1)}]}}']),
            (get("/rows?after=c1"), ["200", f'{{"items": [{ids(2)}]}}']),
            (get("/rows?after=c1"), ["200", f'{{"items": [{ids(2)}]}}']),
            (get("/rows?after=c2"), ["400", '{"error": "no such place was ever named"}']),
            (get("/rows?after="), ["400", '{"error": "no such place was ever named"}']),
            (get("/rows?after=c1&after=c1"), ["400", '{"error": "the parameter after is sent 2 times"}']),
        ],
    ),
    "cursor that begins with a text": Said(
        {**CURSOR, "first_cursor": "*"},
        [
            (get("/rows"), ["400", '{"error": "the first page is asked for without its cursor"}']),
            (get("/rows?after=%2A"), ["200", f'{{"next": "c1", "items": [{ids(0, 1)}]}}']),
            (get("/rows?after=c1"), ["200", f'{{"items": [{ids(2)}]}}']),
        ],
    ),
    "cursor in a header, sent in a body": Said(
        {"type": "cursor", "cursor_header": "x-next", "cursor_param": "page.token", "cursor_in": "body"},
        [
            (posted("/rows", "{}"), ["200", "x-next: c1", f'{{"items": [{ids(0, 1)}]}}']),
            (posted("/rows", '{"page": {"token": "c1"}}'), ["200", f'{{"items": [{ids(2)}]}}']),
            (posted("/rows", '{"page": {"token": null}}'), ["200", "x-next: c1", f'{{"items": [{ids(0, 1)}]}}']),
        ],
        {"method": "POST", "body": {}},
    ),
    "cursor at one of several places": Said(
        {**CURSOR, "cursor_field": [{"path": "paging.url", "url_param": "from"}, {"path": "next", "url_param": "x"}]},
        [
            (
                get("/rows"),
                ["200", f'{{"paging": {{"url": "https://example.invalid/?from=c1"}}, "items": [{ids(0, 1)}]}}'],
            ),
            (get("/rows?after=c1"), ["200", f'{{"items": [{ids(2)}]}}']),
        ],
    ),
    "cursor, flag and total": Said(
        {**CURSOR, "stop_field": "more", "stop_when": False, "total_field": "meta.total"},
        [
            (
                get("/rows"),
                ["200", f'{{"next": "c1", "more": true, "meta": {{"total": 3}}, "items": [{ids(0, 1)}]}}'],
            ),
            (get("/rows?after=c1"), ["200", f'{{"more": false, "meta": {{"total": 3}}, "items": [{ids(2)}]}}']),
        ],
    ),
    "flag and total in headers": Said(
        {**CURSOR, "stop_header": "x-end", "stop_when": "yes", "total_header": "x-total", "total_counts": "pages"},
        [
            (get("/rows"), ["200", "x-end: more", "x-total: 2", f'{{"next": "c1", "items": [{ids(0, 1)}]}}']),
            (get("/rows?after=c1"), ["200", "x-end: yes", "x-total: 2", f'{{"items": [{ids(2)}]}}']),
        ],
    ),
    "offset": Said(
        OFFSET,
        [
            (get("/rows?offset=0&limit=2"), ["200", f'{{"items": [{ids(0, 1)}]}}']),
            (get("/rows?limit=1&offset=1"), ["200", f'{{"items": [{ids(1)}]}}']),
            (get("/rows?offset=2"), ["200", f'{{"items": [{ids(2)}]}}']),
            (get("/rows?offset=3&limit=2"), ["200", '{"items": []}']),
            (get("/rows?limit=2"), ["400", '{"error": "the parameter offset is missing"}']),
            (get("/rows?offset=-1"), ["400", '{"error": "the parameter offset is no offset"}']),
            (get("/rows?offset=0&limit=0"), ["400", '{"error": "the parameter limit is no page size"}']),
            (get("/rows?offset=0&limit=two"), ["400", '{"error": "the parameter limit is no page size"}']),
        ],
    ),
    "offset from 1, with the step in the answer": Said(
        {**OFFSET, "first_offset": 1, "step": "reported", "step_field": "count", "omit_first": True},
        [
            (get("/rows?limit=2"), ["200", f'{{"count": 2, "items": [{ids(0, 1)}]}}']),
            (get("/rows?limit=2&offset=3"), ["200", f'{{"count": 1, "items": [{ids(2)}]}}']),
            (get("/rows?limit=2&offset=0"), ["400", '{"error": "the parameter offset is no offset"}']),
        ],
    ),
    "page": Said(
        {**PAGE, "page_field": "page", "total_field": "pages", "total_counts": "pages"},
        [
            (get("/rows?page=1&limit=2"), ["200", f'{{"page": 1, "pages": 2, "items": [{ids(0, 1)}]}}']),
            (get("/rows?page=2&limit=2"), ["200", f'{{"page": 2, "pages": 2, "items": [{ids(2)}]}}']),
            (get("/rows?page=3&limit=1"), ["200", f'{{"page": 3, "pages": 3, "items": [{ids(2)}]}}']),
            (get("/rows?page=0&limit=2"), ["400", '{"error": "the parameter page is no page"}']),
            (get("/rows?limit=2"), ["400", '{"error": "the parameter page is missing"}']),
        ],
    ),
    "page from 0, in a text": Said(
        {**PAGE, "page_in": "template", "first_page": 0},
        [
            (get("/rows?q=p0&limit=2"), ["200", f'{{"items": [{ids(0, 1)}]}}']),
            (get("/rows?q=p1&limit=2"), ["200", f'{{"items": [{ids(2)}]}}']),
            (get("/rows?q=1&limit=2"), ["400", '{"error": "the parameter q is not as documented"}']),
        ],
        {"query": {"q": "p{page}"}},
    ),
    "keyset": Said(
        {**KEYSET, "stop_field": "has_more", "stop_when": False},
        [
            (get("/rows"), ["200", f'{{"has_more": true, "items": [{ids(0, 1)}]}}']),
            (get("/rows?after=r0001"), ["200", f'{{"has_more": false, "items": [{ids(2)}]}}']),
            (get("/rows?after=r0000"), ["200", f'{{"has_more": false, "items": [{ids(1, 2)}]}}']),
            (get("/rows?after=r0002"), ["200", '{"has_more": false, "items": []}']),
            (get("/rows?after=r0003"), ["400", '{"error": "no record has this key"}']),
        ],
    ),
    "keyset that goes backwards": Said(
        {**KEYSET, "key_from": "first", "stop_field": "has_more", "stop_when": False, "total_field": "total"},
        [
            (get("/rows"), ["200", f'{{"has_more": true, "total": 5, "items": [{ids(3, 4)}]}}']),
            (get("/rows?after=r0003"), ["200", f'{{"has_more": true, "total": 5, "items": [{ids(1, 2)}]}}']),
            (get("/rows?after=r0001"), ["200", f'{{"has_more": false, "total": 5, "items": [{ids(0)}]}}']),
            (get("/rows?after=r0000"), ["200", '{"has_more": false, "total": 5, "items": []}']),
        ],
        case="records=5 size=2",
    ),
    "link header": Said(
        LINKS,
        [
            (
                get("/rows?mine=a%20b"),
                ["200", f'link: <{BASE}/rows?after=c1&mine=a%20b>; rel="next"', f'{{"items": [{ids(0, 1)}]}}'],
            ),
            (get("/rows?after=c1&mine=a%20b"), ["200", f'{{"items": [{ids(2)}]}}']),
            (get("/rows?after=c1"), ["400", '{"error": "the link is not followed as it was given: mine"}']),
            (
                get("/rows?after=c1&mine=a%20b&mine=a%20b"),
                ["400", '{"error": "the link is not followed as it was given: mine"}'],
            ),
            (get("/rows?after=c7"), ["400", '{"error": "no such place was ever named"}']),
        ],
    ),
    "link header of another name and relation": Said(
        {"type": "link_header", "header": "x-links", "rel": "older"},
        [(get("/rows"), ["200", f'x-links: <{BASE}/rows?after=c1>; rel="older"', f'{{"items": [{ids(0, 1)}]}}'])],
    ),
    "next URL": Said(
        NEXT,
        [
            (get("/rows"), ["200", f'{{"next": "{BASE}/rows?after=c1", "items": [{ids(0, 1)}]}}']),
            (get("/rows?after=c1"), ["200", f'{{"items": [{ids(2)}]}}']),
        ],
    ),
    "next URL whose own parameters the client adds": Said(
        {**NEXT, "own_params": "keep"},
        [
            (get("/rows?expand=1"), ["200", f'{{"next": "{BASE}/rows?after=c1", "items": [{ids(0, 1)}]}}']),
            (get("/rows?after=c1&expand=1"), ["200", f'{{"items": [{ids(2)}]}}']),
        ],
        {"query": {"expand": "1"}},
    ),
    "none": Said({"type": "none"}, [(get("/rows"), ["200", f'{{"items": [{ids(0, 1, 2)}]}}'])]),
    "none, and the body is the list": Said(
        {"type": "none"}, [(get("/rows"), ["200", f"[{ids(0, 1, 2)}]"])], {"response_path": "$"}
    ),
    "XML": Said(
        {**CURSOR, "cursor_field": "Rows.Next", "total_field": "Rows.Total"},
        [
            (
                get("/rows"),
                [
                    "200",
                    f"{TITLED}<Rows><Next>c1</Next><Total>3</Total>{row(0)}{row(1)}</Rows>",
                ],
            ),
            (get("/rows?after=c1"), ["200", f"{TITLED}<Rows><Total>3</Total>{row(2)}</Rows>"]),
        ],
        XML,
    ),
    "XML without records": Said(
        {**CURSOR, "cursor_field": "Rows.Next", "total_field": "Rows.Total"},
        [(get("/rows"), ["200", f"{TITLED}<Rows><Total>0</Total></Rows>"])],
        {**XML, "items_may_be_missing": True},
        "records=0 size=2",
    ),
    "XML without records, and nothing beside them": Said(
        {**CURSOR, "cursor_field": "Rows.Next"},
        [(get("/rows"), ["200", f"{TITLED}<Rows></Rows>"])],
        {**XML, "items_may_be_missing": True},
        "records=0 size=2",
    ),
}


@pytest.mark.parametrize("name", HALF)
def test_a_half_answers_by_the_configs_words(name: str) -> None:
    """Whatever is asked in the config's dialect, and nothing else."""
    said = HALF[name]
    provider = api(said.paging, said.case, said.operation)

    assert [answer for _, answer in said.exchanges] == [shown(provider.answer(asked)) for asked, _ in said.exchanges]


@pytest.mark.parametrize(
    ("paging", "own"), [(NEXT, {}), ({**LINKS, "own_params": "keep"}, {"expand": "1"}), (CURSOR, {})]
)
def test_a_long_url_is_the_same_request_as_a_form(paging: dict[str, Any], own: dict[str, str]) -> None:
    """One that the provider gave is no exception: each byte of its query is there."""
    words = {"long_url": {"over": 30, "form": {"_method": "GET"}}, "query": own}
    provider = api(paging, f"records=5 size=2 {'long' if paging is CURSOR else 'percents twice'}", words)

    told = read(provider)

    assert (None, list(provider.expected)) == (told.error, told.records)
    assert {"GET", "POST"} >= {request.method for request in provider.requests}
    assert "POST" == provider.requests[-1].method


@pytest.mark.parametrize("records", range(6))
def test_the_engine_reads_xml_pages_of_two_records_one_and_none(records: int) -> None:
    """What has one element is a list all the same, and what has none is one without records."""
    paging = {**CURSOR, "cursor_field": "Rows.Next"}
    provider = api(paging, f"records={records} size=2 live_end", {**XML, "items_may_be_missing": True})

    told = read(provider)

    assert (None, records) == (told.error, len(told.records))
    assert list(provider.expected) == told.records


# Each habit.

FLAG: dict[str, Any] = {"stop_field": "more", "stop_when": False}
FACTS: dict[str, Any] = {"source": "invented"}


@dataclass(frozen=True)
class Shown:
    """A habit on a listing of `case`: what is asked last, and what that is answered."""

    paging: dict[str, Any]
    asked: list[str]
    answer: list[str]
    operation: dict[str, Any] | None = None
    case: str = "records=5 size=2"


def items(*numbers: int, **beside: JsonValue) -> str:
    """A page as it stands on the wire: what is beside the records first."""
    return json.dumps({**beside, "items": [{"id": f"r{number:04d}"} for number in numbers]})


def link(url: str, rel: str = "next") -> str:
    return f'link: <{url}>; rel="{rel}"'


DECOYS: Final = (
    '</help>; title="c, <https://docs.example.invalid/d>; rel=next"; rel=help',
    '<https://docs.example.invalid/a,b;c>; rel="deprecation"; title="a, <b>; rel=\\"next\\""',
)

HABIT: dict[str, Shown] = {
    "lowers": Shown({**CURSOR, **SIZED}, ["/rows?limit=2"], ["200", items(0, next="c1")]),
    "generous=2": Shown({**CURSOR, **SIZED}, ["/rows?limit=2"], ["200", items(0, 1, 2, 3, next="c1")]),
    "short": Shown(CURSOR, ["/rows"], ["200", items(0, next="c1")]),
    "short=2": Shown(CURSOR, ["/rows", "/rows?after=c1"], ["200", items(2, next="c2")]),
    "filtered": Shown(CURSOR, ["/rows"], ["200", items(1, next="c1")]),
    "hollow=2": Shown({**CURSOR, "empty_page": "continue"}, ["/rows", "/rows?after=c1"], ["200", items(next="c2")]),
    "refuses_size": Shown(
        {**CURSOR, **SIZED, "reduce_on": [413]}, ["/rows?limit=2"], ["413", '{"error": "the page is too large"}']
    ),
    "null_items": Shown(CURSOR, ["/rows"], ["200", '{"items": null}'], case="records=0 size=2"),
    "no_items": Shown(CURSOR, ["/rows"], ["200", "{}"], case="records=0 size=2"),
    "no_content": Shown(CURSOR, ["/rows"], ["204", ""], case="records=0 size=2"),
    "null_end": Shown(CURSOR, ["/rows"], ["200", items(0, next=None)], case="records=1 size=2"),
    "blank_end": Shown(NEXT, ["/rows"], ["200", items(0, next="")], case="records=1 size=2"),
    "live_end": Shown(CURSOR, ["/rows"], ["200", items(0, 1, next="c1")], case="records=2 size=2"),
    "numbers": Shown(CURSOR, ["/rows"], ["200", items(0, 1, next=0)]),
    "digits": Shown(CURSOR, ["/rows"], ["200", items(0, 1, next="0")]),
    "signs": Shown(CURSOR, ["/rows"], ["200", items(0, 1, next="a+b%2F&c=#0 /?;")]),
    "letters": Shown(CURSOR, ["/rows"], ["200", items(0, 1, next="\u0439\u00e9\u4e2d0")]),
    "blanks": Shown(CURSOR, ["/rows"], ["200", items(0, 1, next=" ")]),
    "long": Shown(CURSOR, ["/rows"], ["200", items(0, 1, next="0" + 2_000 * "x")]),
    "path_only": Shown(NEXT, ["/rows"], ["200", items(0, 1, next="/v1/rows?after=c1")]),
    "query_only": Shown(NEXT, ["/rows"], ["200", items(0, 1, next="?after=c1")]),
    "own_port": Shown(NEXT, ["/rows"], ["200", items(0, 1, next="https://api.example:443/v1/rows?after=c1")]),
    "twice": Shown(NEXT, ["/rows"], ["200", items(0, 1, next=f"{BASE}/rows?after=c1&x_tag=a&x_tag=b")]),
    "percents": Shown(NEXT, ["/rows"], ["200", items(0, 1, next=f"{BASE}/rows?after=c1&x_note=%C3%A9%2Fa%20b%2B")]),
    "decoys": Shown(
        LINKS,
        ["/rows"],
        [
            "200",
            f'link: {", ".join(DECOYS)}, <{BASE}/rows?after=c1>; rel="next", <?first=1,2>; rel="first prev"',
            items(0, 1),
        ],
    ),
    "lines": Shown(LINKS, ["/rows"], ["200", f"link: <{BASE}/rows?after=c1>;rel=next", items(0, 1)]),
    "itself=2": Shown(CURSOR, ["/rows", "/rows?after=c1"], ["200", items(2, 3, next="c1")]),
    "circle=2": Shown(CURSOR, ["/rows", "/rows?after=c1"], ["200", items(2, 3, next="c2")]),
    "deaf": Shown(CURSOR, ["/rows", "/rows?after=c1"], ["200", items(0, 1, next="c2")]),
    "no_progress": Shown({**CURSOR, **FLAG}, ["/rows", "/rows?after=c1"], ["200", items(next="c2", more=True)]),
    "foreign": Shown(NEXT, ["/rows"], ["200", items(0, 1, next="https://elsewhere.invalid/v1/rows?after=c1")]),
    "forgets=2": Shown(CURSOR, ["/rows", "/rows?after=c1"], ["410", '{"error": "cursor_expired"}']),
    "worded_flag": Shown({**CURSOR, **FLAG}, ["/rows"], ["200", items(0, 1, next="c1", more="true")]),
    "no_flag": Shown({**CURSOR, **FLAG}, ["/rows"], ["200", items(0, 1, next="c1")]),
    "eager_flag": Shown({**CURSOR, **FLAG}, ["/rows"], ["200", items(0, more=True)], case="records=1 size=2"),
    "worded_total": Shown({**CURSOR, "total_field": "n"}, ["/rows"], ["200", items(0, 1, next="c1", n="5")]),
    "null_total": Shown({**CURSOR, "total_field": "n"}, ["/rows"], ["200", items(0, 1, next="c1", n=None)]),
    "high_total=3": Shown({**CURSOR, "total_field": "n"}, ["/rows"], ["200", items(0, 1, next="c1", n=8)]),
    "growing_total": Shown(
        {**CURSOR, "total_field": "n"}, ["/rows", "/rows?after=c1"], ["200", items(2, 3, next="c2", n=6)]
    ),
    "zero_total": Shown(
        {**CURSOR, "total_field": "n"}, ["/rows", "/rows?after=c1"], ["200", items(2, 3, next="c2", n=0)]
    ),
    "wrong_echo": Shown(
        {**PAGE, "page_field": "page"},
        ["/rows?limit=2&page=1", "/rows?limit=2&page=2"],
        ["200", items(2, 3, page=1)],
    ),
}


def with_habit(word: str) -> Api:
    """A provider that has this habit alone."""
    said = HABIT[word]
    return api(said.paging, f"{said.case} {word}", said.operation)


def test_each_habit_is_shown_below() -> None:
    """None is left out, and none is here that there is not."""
    assert [*HABITS] == list(dict.fromkeys(word.partition("=")[0] for word in HABIT))


@pytest.mark.parametrize("word", HABIT)
def test_a_habit_shows_in_an_answer(word: str) -> None:
    """It says what stands here, counts that it showed, and is one that the config leaves open."""
    provider = with_habit(word)
    name = word.partition("=")[0]

    *_, answer = [shown(provider.answer(get(target))) for target in HABIT[word].asked]

    assert HABIT[word].answer == answer
    assert 1 <= provider.shown[name]
    assert {name} == {*provider.shown}
    assert name in playable(terms(provider))


@pytest.mark.parametrize("word", HABIT)
def test_what_must_come_of_a_habit_comes(word: str) -> None:
    """As the engine reads it: every record once and in order, or an error, as its row says."""
    provider = with_habit(word)
    must = provider.case.must(terms(provider))
    call = Call(raw=True, page_size=2 if "page_size_param" in HABIT[word].paging else None)

    told = read(provider, call)

    assert not told.is_endless
    assert must != "told" or told.error is not None
    assert must != "complete" or told.error is None
    assert told.error is not None or [] == differences(told.records, provider.expected)


def terms(provider: Api) -> Terms:
    operation = provider.operation
    assert operation.pagination is not None, "it is a listing"
    return Terms(operation, operation.pagination, operation.provider_facts)


def test_a_total_is_zero_from_the_second_page_on() -> None:
    """The first one has the true one."""
    provider = api({**CURSOR, "total_field": "n"}, "records=5 size=2 zero_total")

    assert ["200", items(0, 1, next="c1", n=5)] == shown(provider.answer(get("/rows")))


def test_links_in_several_lines() -> None:
    """Decoys beside them: a line each, in no quotes but where a title needs them."""
    provider = api(LINKS, "records=5 size=2 decoys lines")

    assert [
        "200",
        *(f"link: {decoy}" for decoy in DECOYS),
        f"link: <{BASE}/rows?after=c1>;rel=next",
        "link: <?first=1,2>;rel=first prev",
        items(0, 1),
    ] == shown(provider.answer(get("/rows")))


def test_a_place_is_forgotten_once() -> None:
    """Asked for again, it is known."""
    provider = api(CURSOR, "records=5 size=2 forgets=2")
    provider.answer(get("/rows"))

    assert [410, 200] == [provider.answer(get("/rows?after=c1")).status for _ in range(2)]


def test_a_habit_that_had_no_occasion_has_not_shown() -> None:
    """One page is the first and the last: nobody asked for a place that could be deaf to it."""
    provider = api(CURSOR, "records=2 size=2 deaf forgets=2 null_items")

    told = read(provider)

    assert ([], 2) == ([*provider.shown.elements()], len(told.records))


def test_a_place_is_steady_while_records_come_and_go() -> None:
    """A cursor goes on after the record that it was named after, wherever that stands by now."""
    provider = api(CURSOR, "records=5 size=2")
    provider.answer(get("/rows"))
    del provider.listing.rows[0]

    assert ["200", items(2, 3, next="c2")] == shown(provider.answer(get("/rows?after=c1")))


def test_a_place_that_counts_moves_with_the_records() -> None:
    """Where the config says so of its provider."""
    provider = api(CURSOR, "records=5 size=2", {"provider_facts": {**FACTS, "steady_places": False}})
    provider.answer(get("/rows"))
    del provider.listing.rows[0]

    assert ["200", items(3, 4)] == shown(provider.answer(get("/rows?after=c1")))


def test_pages_are_one_by_one_where_the_config_demands_it() -> None:
    """A handle that is the same for each page leads on all the same."""
    provider = api({**CURSOR, "allow_repeats": True}, "records=5 size=2")
    every = [
        shown(provider.answer(get(target)))[1] for target in ("/rows", "/rows?after=handle-1", "/rows?after=handle-1")
    ]

    assert [items(0, 1, next="handle-1"), items(2, 3, next="handle-1"), items(4)] == every


# Cases.

CASES = [
    Case(7, 3, {}),
    Case(0, 1, {"null_items": 1}),
    Case(7, 3, {"lowers": 2, "null_end": 1}),
    Case(1000, 25, {name: habit.values[-1] for name, habit in HABITS.items()}),
    *(Case(4, 2, {name: value}) for name, habit in HABITS.items() for value in habit.values),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.text[:60])
def test_a_case_is_its_line(case: Case) -> None:
    """What is printed can be pasted."""
    assert case == Case.parse(case.text)


def test_a_line_is_read_in_any_order_and_spacing() -> None:
    """As people write it."""
    assert Case(7, 3, {"null_end": 1, "lowers": 2}) == Case.parse("  null_end   lowers=2 size=3\trecords=7\n")


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("records=7 size=3 lower=2", 'did you mean "lowers"?'),
        ("records=7 size=3 Null_End", 'did you mean "null_end"?'),
        ("records=7 size=3 lowers=-1", 'did you mean "lowers"?'),
        ("records=7 size=x", 'did you mean "size"?'),
        ("records=7 size=3 zzz", f"known here: {', '.join(sorted(['records', 'size', *HABITS]))}"),
    ],
)
def test_a_misspelt_word_is_told_with_the_nearest(text: str, nearest: str) -> None:
    """A case that silently lacked a habit would prove nothing."""
    with pytest.raises(CallWrong) as told:
        Case.parse(text)

    assert text.rsplit(maxsplit=1)[-1] in told.value.what
    assert nearest == told.value.fix


@pytest.mark.parametrize("text", ["", "size=3", "records=7", "records=7 size=0", "null_end"])
def test_a_case_says_how_much_there_is(text: str) -> None:
    """How many records, and how many on a page."""
    with pytest.raises(CallWrong, match="a case says records=N and size=N"):
        Case.parse(text)


@pytest.mark.parametrize("text", ["records=7 size=3 size=4", "records=7 size=3 lowers lowers=2", "records size=3"])
def test_a_word_that_is_ambiguous_is_refused(text: str) -> None:
    """Said twice, or without the number that it needs."""
    with pytest.raises(CallWrong):
        Case.parse(text)


def test_what_a_case_says_in_words() -> None:
    """A sentence for each habit, with its number."""
    case = Case.parse("records=7 size=3 lowers=2 null_end")

    assert [
        "gives no more than 2 records a page, whatever is asked for",
        "says null where no page follows",
    ] == case.told()


@pytest.mark.parametrize(
    ("text", "must"),
    [
        ("records=5 size=2", "complete"),
        ("records=5 size=2 null_end", "complete"),
        ("records=5 size=2 null_end no_items", "either"),
        ("records=5 size=2 deaf no_items", "told"),
    ],
)
def test_what_must_come_of_several_habits(text: str, must: str) -> None:
    """An error before all else, then the more lenient."""
    assert must == Case.parse(text).must(terms(api(CURSOR, text)))


# What stands beside a listing.


def resource(operations: dict[str, Any]) -> dict[str, Any]:
    return {"rows": {name: {"method": "GET", **words} for name, words in operations.items()}}


LIST: dict[str, Any] = {"path": "/rows", "response_path": "items"}


def whole_api(case: str, operations: dict[str, Any], others: dict[str, Any] | None = None, *, size: int = 0) -> Api:
    """A provider of a resource with these operations, of whose `list` the case tells."""
    config = connector(resources={**resource(operations), **(others or {})})
    operation = config.resources["rows"].operations["list"]
    if size:
        config, operation = scaled(config, operation, size)
    return Api(config, OWNER, operation, Case.parse(case))


SEEDED = {
    "list": {**LIST, "pagination": {**CURSOR, "seed": {"operation": "begin", "field": "job.first"}}},
    "begin": {"path": "/begin", "method": "POST", "body": {"kind": "all"}},
}


def test_a_seed_is_asked_of_its_operation() -> None:
    """It names the first place; a listing that is asked without it is refused."""
    provider = whole_api("records=3 size=2", SEEDED)

    assert ["400"] == shown(provider.answer(get("/rows")))[:1]
    assert ["200", '{"job": {"first": "c1"}}'] == shown(provider.answer(posted("/begin", '{"kind": "all"}')))
    assert ["200", items(0, 1, next="c2")] == shown(provider.answer(get("/rows?after=c1")))
    assert ["200", items(2)] == shown(provider.answer(get("/rows?after=c2")))


def test_a_seed_is_given_to_a_request_as_documented_alone() -> None:
    """Its operation has a dialect, too."""
    assert "400" == shown(whole_api("records=3 size=2", SEEDED).answer(posted("/begin", "{}")))[0]


CONTINUED = {
    "list": {**LIST, "path": "/begin", "query": {"sort": "id"}, "pagination": {**CURSOR, "continue_with": "more"}},
    "more": {"path": "/more", "query": {"lang": "en"}, "response_path": "items", "returns": "list"},
}


def test_another_operation_continues_a_listing() -> None:
    """With parameters of its own, and without those of the first."""
    provider = whole_api("records=3 size=2", CONTINUED)

    assert ["200", items(0, 1, next="c1")] == shown(provider.answer(get("/begin?sort=id")))
    assert ["200", items(2)] == shown(provider.answer(get("/more?lang=en&after=c1")))
    assert "400" == shown(provider.answer(get("/more?after=c1")))[0]


def test_a_continuation_without_a_place_is_no_beginning() -> None:
    """A listing begins with its own operation."""
    provider = whole_api("records=3 size=2", CONTINUED)

    assert "400" == shown(provider.answer(get("/more?lang=en")))[0]


THEN = {
    **OFFSET,
    "then": {"after_records": 4, "pagination": {"type": "cursor", "cursor_field": "next", "cursor_param": "scroll"}},
}


def test_another_strategy_takes_over() -> None:
    """Both are named all along, and each is understood."""
    provider = api(THEN, "records=5 size=2")

    assert ["200", items(0, 1, next="c1")] == shown(provider.answer(get("/rows?offset=0&limit=2")))
    assert ["200", items(2, 3, next="c2")] == shown(provider.answer(get("/rows?scroll=c1&limit=2")))
    assert ["200", items(4)] == shown(provider.answer(get("/rows?offset=4&limit=2")))


HYDRATED = {
    "list": {**LIST, "response_path": "ids", "hydrate": {"operation": "get", "param": "id", "from": "$"}},
    "get": {"path": "/rows/{id}", "query": {"full": "1"}, "response_path": "row"},
}


def test_each_record_is_given_whole() -> None:
    """By its own operation, and to a request as documented alone."""
    listing = {**LIST, "hydrate": {"operation": "get", "param": "id", "from": "id"}}
    provider = whole_api("records=2 size=2", {"list": listing, "get": HYDRATED["get"]})

    assert ["200", '{"row": {"id": "r0001", "whole": true}}'] == shown(provider.answer(get("/rows/r0001?full=1")))
    assert "400" == shown(provider.answer(get("/rows/r0001")))[0]
    assert "404" == shown(provider.answer(get("/rows/r0007?full=1")))[0]
    assert ({"id": "r0000", "whole": True}, {"id": "r0001", "whole": True}) == provider.expected


def test_a_listing_of_bare_ids_is_hydrated() -> None:
    """The record itself is what it is asked by."""
    provider = whole_api("records=2 size=2", HYDRATED)

    assert ["200", '{"ids": ["r0000", "r0001"]}'] == shown(provider.answer(get("/rows")))
    assert ["200", '{"row": {"id": "r0001", "whole": true}}'] == shown(provider.answer(get("/rows/r0001?full=1")))


PARENTS = {"groups": {"list": {"method": "GET", "path": "/groups", "response_path": "groups", "key": "name"}}}
EACH = {
    **LIST,
    "path": "/groups/{group}/rows",
    "pagination": CURSOR,
    "for_each": {"operation": "groups.list", "params": {"group": "name"}, "into": "group"},
}


def test_one_listing_for_each_parent() -> None:
    """Places and records of one are none of another's."""
    provider = whole_api("records=3 size=2", {"list": EACH}, PARENTS)

    assert ["200", '{"groups": [{"name": "p0"}, {"name": "p1"}, {"name": "p2"}]}'] == shown(
        provider.answer(get("/groups"))
    )
    assert ["200", '{"next": "c1", "items": [{"id": "r0000-p1"}, {"id": "r0001-p1"}]}'] == shown(
        provider.answer(get("/groups/p1/rows"))
    )
    assert "400" == shown(provider.answer(get("/groups/p2/rows?after=c1")))[0]
    assert "404" == shown(provider.answer(get("/groups/p3/rows")))[0]
    assert {"id": "r0002-p2", "group": {"name": "p2"}} == provider.expected[-1]
    assert 9 == len(provider.expected)


def test_operations_that_share_a_path_are_told_apart() -> None:
    """By what they send there."""
    groups = {"groups": {"list": {"method": "POST", "path": "/ask", "body": {"q": "groups"}, "response_path": "items"}}}
    each = {"operation": "groups.list", "params": {"group": "id"}}
    asking = {"method": "POST", "path": "/ask", "body": {"q": "rows of {group}"}, "for_each": each}
    provider = whole_api("records=3 size=2", {"list": {**LIST, **asking}}, groups)

    told = read(provider)

    assert (None, list(provider.expected)) == (told.error, told.records)
    assert 9 == len(told.records)


WINDOW: dict[str, Any] = {**CURSOR, "window": {"field": "at", "param": "since", "cap": 1000}}


def dated(*numbers: int, **beside: JsonValue) -> str:
    """Records of which each two share a time."""
    records = [{"id": f"r{number:04d}", "at": number // 2 + 1} for number in numbers]
    return json.dumps({**beside, "items": records})


def windowed(records: int) -> tuple[Api, int]:
    """A provider whose windows have a cap, and the cap."""
    provider = whole_api(f"records={records} size=2", {"list": {**LIST, "key": "id", "pagination": WINDOW}}, size=2)
    paging = provider.operation.pagination
    assert paging is not None and paging.window is not None and paging.window.cap is not None
    return provider, paging.window.cap


def test_a_window_ends_at_its_cap_and_begins_at_a_value() -> None:
    """Values are shared by two records; a window has all that have its first value."""
    provider, cap = windowed(40)
    assert 1 == cap % 2

    last = cap // 2
    pages = [shown(provider.answer(get(f"/rows?after=c{number}" if number else "/rows"))) for number in range(last + 1)]
    beyond = provider.answer(get(f"/rows?since={last + 1}"))

    for number, page in enumerate(pages[:-1]):
        assert ["200", dated(2 * number, 2 * number + 1, next=f"c{number + 1}")] == page
    assert ["200", dated(cap - 1)] == pages[-1]
    assert ["200", dated(cap - 1, cap, next=f"c{last + 1}")] == shown(beyond)
    assert ["200", dated(cap + 1, cap + 2, next=f"c{last + 2}")] == shown(
        provider.answer(get(f"/rows?since={last + 1}&after=c{last + 1}"))
    )


@pytest.mark.parametrize("windows", range(4))
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_windows_have_every_record_once(windows: int, more: int) -> None:
    """Around every multiple of the cap."""
    _, cap = windowed(0)
    provider, _ = windowed(max(0, windows * cap + more))

    told = read(provider)

    assert (None, []) == (told.error, differences(told.records, provider.expected))


@pytest.mark.parametrize("records", range(8))
@pytest.mark.parametrize("habits", ["", "short=2", "lowers", "filtered", "forgets=2"])
def test_pages_that_go_backwards_have_every_record_once(records: int, habits: str) -> None:
    """In the order of the pages, whatever size they have."""
    paging = {**KEYSET, **SIZED, "key_from": "first", "on_expired": "restart"}
    gone = [{"when": {"status": 410}, "means": "cursor_expired"}]
    provider = api(paging, f"records={records} size=3 {habits}", {"key": "id"}, errors=gone)

    told = read(provider, Call(raw=True, page_size=3))

    assert (None, []) == (told.error, differences(told.records, provider.expected))
    assert len(provider.listing.rows) == records


def test_what_is_scaled() -> None:
    """Bounds that a simulation could not reach in time, and nothing else."""
    window = {"field": "at", "param": "since", "cap": 1000}
    then = {"after_records": 9000, "pagination": NEXT}
    config = connector(
        {**OFFSET, "window": window, "then": then, "max_empty_pages": 500, "max_pages": 77}, {"key": "id"}
    )
    whole = config.resources["rows"].operations["list"]

    small, operation = scaled(config, whole, 5)
    said = operation.pagination

    assert said is not None and said.window is not None and said.then is not None
    assert (1, 10, 20) == ((said.window.cap or 0) % 5, said.then.after_records, said.max_empty_pages)
    assert 3 * 5 < (said.window.cap or 0) < 10 * 5
    assert ("at", 77, "next_url") == (said.window.field.text, said.max_pages, said.then.pagination.type)
    assert operation is small.resources["rows"].operations["list"]
    assert whole is config.resources["rows"].operations["list"]


# Who may ask.


OF_ACME = {"access_token": "t1", "api_key": "k 1", "user": "u", "pass": "p"}
BASIC = {"type": "basic", "username": "{user}", "password": "{pass}"}


@pytest.mark.parametrize(
    ("auth", "target", "headers", "status"),
    [
        ({"type": "bearer"}, "/rows", [("authorization", "Bearer t1")], 200),
        ({"type": "bearer"}, "/rows", [("authorization", "Bearer t2")], 401),
        ({"type": "bearer"}, "/rows", [("authorization", "t1")], 401),
        ({"type": "bearer"}, "/rows", [], 401),
        ({"type": "api_key", "in": "header", "name": "X-Key", "prefix": "key "}, "/rows", [("x-key", "key k 1")], 200),
        ({"type": "api_key", "in": "header", "name": "X-Key", "prefix": "key "}, "/rows", [("x-key", "k 1")], 401),
        ({"type": "api_key", "in": "query", "name": "key"}, "/rows?key=k%201", [], 200),
        ({"type": "api_key", "in": "query", "name": "key"}, "/rows?key=k%202", [], 401),
        ({"type": "api_key", "in": "query", "name": "key"}, "/rows?key=k%201&key=k%201", [], 401),
        ({"type": "api_key", "in": "query", "name": "key"}, "/rows", [], 401),
        (BASIC, "/rows", [("authorization", "Basic dTpw")], 200),
        (BASIC, "/rows", [("authorization", "Basic dTpx")], 401),
        (BASIC, "/rows", [("authorization", "Basic no base64")], 401),
        ({"type": "none"}, "/rows", [], 200),
    ],
)
def test_a_request_without_the_accounts_credentials_is_refused(
    auth: dict[str, Any], target: str, headers: list[tuple[str, str]], status: int
) -> None:
    """Before anything else is looked at."""
    config = connector(CURSOR, auth=auth)
    operation = config.resources["rows"].operations["list"]
    provider = Api(config, Account("acme", OF_ACME), operation, Case.parse("records=1 size=2"))

    assert status == provider.answer(Request("GET", f"{BASE}{target}", tuple(headers))).status


def test_an_account_without_credentials_is_refused() -> None:
    """It has nothing to ask with; no error comes of that but the provider's."""
    config = connector(CURSOR, auth={"type": "bearer"})
    operation = config.resources["rows"].operations["list"]
    provider = Api(config, OWNER, operation, Case.parse("records=1 size=2"))

    assert 401 == provider.answer(Request("GET", f"{BASE}/rows", (("authorization", "Bearer "),))).status


def test_what_no_operation_asks_for_is_not_there() -> None:
    """Another path, another method."""
    provider = api(CURSOR, "records=1 size=2")

    assert [404, 404] == [provider.answer(asked).status for asked in (get("/other"), posted("/rows", ""))]
