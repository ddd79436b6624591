"""What is derived from a recording and its config: which faults, at which places, and what must come of each."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from projects import CHECK, Description, Project, build

from connproof.errors import CallWrong
from connproof.model import Condition, Response, Trait
from connproof.places import Place
from pytest_connproof.checks import targets
from pytest_connproof.checks.altered import broken_off, with_odd_fields, with_odd_pages
from pytest_connproof.counterfactual import Altered
from pytest_connproof.counterfactual.breaks import made_like

BASE = "https://api.rows.example/v1"
ROWS = [{"id": number, "title": f"Row {number}"} for number in range(1, 6)]


def _listing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchanges: list[Any], **words: Any) -> Project:
    """A project of one listing, `rows.list`; `words` are the operation's, `errors` and `rate_limit` the connector's."""
    own: dict[str, Any] = {name: words.pop(name) for name in ("errors", "rate_limit") if name in words}
    call = words.pop("call", None)
    operation = {"method": "GET", "path": "/rows", "response_path": "rows", "key": "id", **words}
    numbered = [{"id": f"rows.list/{number}", **exchange} for number, exchange in enumerate(exchanges, 1)]
    said: dict[str, Any] = {"call": call} if call else {}
    lane = {"id": "rows.list", "order": "strict", **said, "exchanges": numbered}
    documents = {
        "connectors/rows/connector.json": {
            "base_url": BASE,
            "auth": {"type": "none"},
            **own,
            "resources": {"rows": {"list": operation}},
        },
        "connectors/rows/recordings/rows.json": {
            "format": "connproof-recording/1",
            "provenance": {"kind": "synthetic", "written_at": "2026-11-01", "source": "invented for the tests"},
            "lanes": [lane],
        },
    }
    monkeypatch.chdir(tmp_path)
    return build(Description("rows", MappingProxyType(documents)), tmp_path)


def _got(query: str, body: Any, *headers: list[str], path: str = "/rows", **request: Any) -> dict[str, Any]:
    asked = {"method": "GET", "url": f"{BASE}{path}", **request}
    if query:
        asked["query"] = [list(pair) for pair in parse_qsl(query)]
    kind = ["content-type", "application/json"]
    return {"request": asked, "response": {"status": 200, "headers": [kind, *headers], "json": body}}


def _rows(start: int, end: int, **more: Any) -> dict[str, Any]:
    return {"rows": ROWS[start:end], **more}


LINK = ["link", f'<{BASE}/rows?page=2>; rel="next"']
SIZED = {"page_size_param": "limit", "default_page_size": 2}
STRATEGIES: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
    "cursor": (
        {"type": "cursor", "cursor_field": "next"},
        [_got("", _rows(0, 3, next="c3")), _got("next=c3", _rows(3, 5))],
    ),
    "cursor that is a number, and the end is said": (
        {"type": "cursor", "cursor_field": "next", "stop_field": "more", "stop_when": False},
        [_got("", _rows(0, 3, next=3, more=True)), _got("next=3", _rows(3, 5, next=5, more=False))],
    ),
    "cursor in a header": (
        {"type": "cursor", "cursor_header": "x-next", "cursor_param": "after"},
        [_got("", _rows(0, 3), ["x-next", "c3"]), _got("after=c3", _rows(3, 5))],
    ),
    "cursor in one of two places": (
        {"type": "cursor", "cursor_field": ["next", "meta.next"], "cursor_param": "after"},
        [_got("", _rows(0, 3, meta={"next": "c3"})), _got("after=c3", _rows(3, 5, meta={}))],
    ),
    "next url": (
        {"type": "next_url", "next_url_field": "next"},
        [_got("", _rows(0, 3, next=f"{BASE}/rows/c3")), _got("", _rows(3, 5), path="/rows/c3")],
    ),
    "next url, relative": (
        {"type": "next_url", "next_url_field": "next"},
        [_got("", _rows(0, 3, next="?at=3")), _got("at=3", _rows(3, 5, next=None))],
    ),
    "link header": ({"type": "link_header"}, [_got("", _rows(0, 3), LINK), _got("page=2", _rows(3, 5))]),
    "offset and total": (
        {"type": "offset", "offset_param": "from", "total_field": "total", **SIZED},
        [
            _got("limit=2&from=0", _rows(0, 2, total=5)),
            _got("limit=2&from=2", _rows(2, 4, total=5)),
            _got("limit=2&from=4", _rows(4, 5, total=5)),
        ],
    ),
    "offset, by its page size": (
        {"type": "offset", "offset_param": "from", "step": "limit", "total_field": "total", **SIZED},
        [_got("limit=2&from=0", _rows(0, 2, total=4)), _got("limit=2&from=2", _rows(2, 4, total=4))],
    ),
    "offset, to an empty page": (
        {"type": "offset", "offset_param": "from", "omit_first": True},
        [_got("", _rows(0, 3)), _got("from=3", _rows(3, 5)), _got("from=5", _rows(5, 5))],
    ),
    "offset, by what is reported": (
        {"type": "offset", "offset_param": "from", "step": "reported", "step_field": "size", "total_field": "total"},
        [_got("from=0", _rows(0, 3, size=3, total=5)), _got("from=3", _rows(3, 5, size=3, total=5))],
    ),
    "page, of so many": (
        {"type": "page", "page_param": "page", "total_field": "pages", "total_counts": "pages"},
        [_got("page=1", _rows(0, 3, pages=2)), _got("page=2", _rows(3, 5, pages=2))],
    ),
    "page, as reported": (
        {"type": "page", "page_param": "page", "page_field": "at", "stop_field": "last", "stop_when": True},
        [_got("page=1", _rows(0, 3, at="1", last=False)), _got("page=2", _rows(3, 5, at="2", last=True))],
    ),
    "keyset": (
        {"type": "keyset", "key_field": "id", "key_param": "after"},
        [_got("", _rows(0, 3)), _got("after=3", _rows(3, 5)), _got("after=5", _rows(5, 5))],
    ),
}


@pytest.mark.parametrize(("paging", "exchanges"), STRATEGIES.values(), ids=STRATEGIES)
def test_every_strategy_is_held_to_all_faults_of_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, paging: dict[str, Any], exchanges: list[dict[str, Any]]
) -> None:
    """However pages lead to the next: each fault can be derived of a whole recording, and the engine stands it."""
    project = _listing(tmp_path, monkeypatch, exchanges, pagination=paging)

    played = project.judge("RPL-008", "rows.list")

    leads = paging["type"] in {"cursor", "next_url", "link_header"}
    is_empty_at_end = exchanges[-1]["response"]["json"]["rows"] == []
    again = (len(exchanges) - 1) * (2 if leads else 1)
    assert {"again": again, "gone": 2 if is_empty_at_end else 3, "cut": 1} == played
    assert 0 < min(value for name, value in project.judge("RPL-007", "rows.list").items() if name != "throttled")


def _query(altered: Altered) -> list[str]:
    return [urlsplit(exchange.request.url).query for exchange in altered.lane.exchanges]


def _ids(altered: Altered) -> list[list[int]]:
    return [[row["id"] for row in json.loads(one.response.body)["rows"]] for one in altered.lane.exchanges]


def _derived(project: Project, fault: str) -> list[Altered]:
    subject = project.subject()
    every = (*broken_off(subject, "rows.list"), *with_odd_pages(subject, "rows.list"))
    return [altered for altered in every if altered.fault == fault]


def test_a_listing_is_cut_as_its_provider_would_ask_and_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of pages of three come pages of one: each is asked for at its own place, and the totals stay."""
    paging, exchanges = STRATEGIES["offset, by what is reported"]

    (cut,) = _derived(_listing(tmp_path, monkeypatch, exchanges, pagination=paging), "cut")

    assert ["from=0", "from=1", "from=2", "from=3", "from=4"] == _query(cut)
    assert [[1], [2], [3], [4], [5]] == _ids(cut)
    sizes = {(body["size"], body["total"]) for one in cut.lane.exchanges for body in [json.loads(one.response.body)]}
    assert {(1, 5)} == sizes


def test_a_cut_listing_in_a_body_is_asked_for_there(finder: Project) -> None:
    """A cursor that goes into a JSON body, beside all that the recording has in it."""
    subject = finder.subject()

    (cut,) = [altered for altered in with_odd_pages(subject, "hits.search") if altered.fault == "cut"]

    bodies = [json.loads(exchange.request.body or b"null") for exchange in cut.lane.exchanges]
    tokens = [body.get("page", {}).get("token") for body in bodies]
    assert [None, "p2-cut-1", "p2-cut-2"] == tokens
    assert {"again": 2, "gone": 3, "cut": 1} == finder.judge("RPL-008", "hits.search")


@pytest.mark.parametrize(
    ("paging", "missing"),
    [
        pytest.param({"type": "page", "page_param": "page", "short_page": "stop"}, "cut", id="a short page is the end"),
        pytest.param(
            {"type": "offset", "offset_param": "page", "step": "limit", "short_page": "continue"}, "cut", id="gaps"
        ),
        pytest.param({"type": "page", "page_param": "page", "allow_repeats": True}, "again", id="repeats are allowed"),
        pytest.param({"type": "page", "page_param": "page", "max_pages": 3}, "cut", id="more pages than may be"),
    ],
)
def test_what_the_config_rules_out_is_not_derived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, paging: dict[str, Any], missing: str
) -> None:
    """Where config and recording do not say what must come of a fault, it is no fault that is played."""
    first = 0 if paging["type"] == "offset" else 1
    pages = [_rows(0, 2), _rows(2, 4), _rows(4, 5)]
    step = 2 if paging["type"] == "offset" else 1
    exchanges = [_got(f"limit=2&page={first + n * step}", body) for n, body in enumerate(pages)]
    project = _listing(tmp_path, monkeypatch, exchanges, pagination={**paging, **SIZED})

    derived = Counter(altered.fault for altered in with_odd_pages(project.subject(), "rows.list"))

    assert {"again", "gone", "cut"} - {missing} == set(derived)


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        pytest.param({}, {"status": 404}, id="an error ends the lane"),
        pytest.param({"call": {"limit": 4}}, {}, id="the caller wants no more"),
    ],
)
def test_pages_are_left_alone_where_a_lane_is_no_whole_listing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: dict[str, Any], changes: dict[str, Any]
) -> None:
    """Such a lane is no target of the check: it neither passes nor fails."""
    paging, (first, second) = STRATEGIES["cursor"]
    second = {**second, "response": {**second["response"], **changes}}
    project = _listing(tmp_path, monkeypatch, [first, second], pagination=paging, **words)

    assert [] == list(targets(CHECK["RPL-008"], project.subject()))


# What breaks a read off.


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        pytest.param(Condition(statuses=(403,)), Response(403), id="a status"),
        pytest.param(Condition(statuses=("4xx",)), Response(400), id="hundreds"),
        pytest.param(
            Condition(statuses=(401,), headers=(("x-why", Trait(equals=("expired",))),)),
            Response(401, (("x-why", "expired"),)),
            id="a header",
        ),
        pytest.param(
            Condition(body=((Place.parse("error.code"), Trait(equals=(17,))),)),
            Response(200, (), b'{"error": {"code": 17}}'),
            id="a place of the body",
        ),
        pytest.param(
            Condition(body=((Place.parse("[*].code"), Trait(matches="(?i)^too fast$")),)),
            Response(200, (), b'[{"code": "too fast"}]'),
            id="a pattern that is a plain text",
        ),
        pytest.param(
            Condition(body=((Place.parse("a"), Trait(present=True)), (Place.parse("b"), Trait(present=False)))),
            Response(200, (), b'{"a": "seen"}'),
            id="there and not there",
        ),
        pytest.param(Condition(text="slow down"), Response(200, (), b"slow down"), id="a text"),
    ],
)
def test_an_answer_is_made_as_a_condition_says(condition: Condition, expected: Response) -> None:
    """What the config knows a refusal or a throttle by is enough to say it."""
    made = made_like(condition)

    assert made is not None
    assert (expected.status, expected.body) == (made.status, made.body)
    assert [*expected.headers] == [pair for pair in made.headers if pair[0] != "content-type"]


@pytest.mark.parametrize(
    "condition",
    [
        pytest.param(Condition(text="slow|wait"), id="a choice"),
        pytest.param(Condition(body=((Place.parse("a"), Trait(matches="[0-9]+")),)), id="a class"),
        pytest.param(Condition(text="slow", body=((Place.parse("a"), Trait(equals=(1,))),)), id="a text and a place"),
    ],
)
def test_no_answer_is_made_where_it_would_be_a_guess(condition: Condition) -> None:
    """A pattern with choices says more than one thing; a recorded answer is waited for."""
    assert made_like(condition) is None


def test_each_declared_form_of_a_refusal_and_a_throttle_is_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every rule of either meaning, at every answer; what a rule before it takes, it cannot be."""
    paging, exchanges = STRATEGIES["cursor"]
    ended = {"when": {"status": 200, "body": {"error": "ended"}}, "means": "auth_expired"}
    never = {"when": {"status": 401, "body": {"error": "late"}}, "means": "auth_expired"}
    errors = [ended, {"when": {"status": 401, "body": {"error": {"present": True}}}, "means": "forbidden"}, never]
    throttled = {"throttled": [{"when": {"status": 503}}, {"when": {"status": 429, "header": {"x-full": "1"}}}]}
    project = _listing(tmp_path, monkeypatch, exchanges, pagination=paging, errors=errors, rate_limit=throttled)

    derived = {(one.fault, one.how, one.pointer) for one in broken_off(project.subject(), "rows.list")}

    assert {
        ("refused", "answered with 200, made as /errors/0 says", "/errors/0"),
        ("refused", "answered with 401 and no body", "/resources/rows/list"),
        ("throttled", "answered with 503, made as /rate_limit/throttled/0 says", "/rate_limit/throttled/0"),
        ("throttled", "answered with 429, made as /rate_limit/throttled/1 says", "/rate_limit/throttled/1"),
    } == {one for one in derived if one[0] in {"refused", "throttled"}}
    assert {"refused": 4, "throttled": 4, "truncated": 4, "html": 2, "reset": 2} == project.judge(
        "RPL-007", "rows.list"
    )


def test_a_recorded_answer_is_taken_before_a_made_one(orders: Project) -> None:
    """What the provider was seen to say has more in it than the condition asks for."""
    throttles = [one for one in broken_off(orders.subject(), "orders.list") if one.fault == "throttled"]

    assert {"answered with the recorded 403 of /rate_limit/throttled/0"} == {one.how for one in throttles}
    assert ["orders.list/1", "orders.list/2", "orders.list/3"] == [one.at.id for one in throttles]


@pytest.mark.parametrize(("means", "expected"), [("transient", 2), ("empty", 0)])
def test_a_page_of_html_is_what_the_rules_make_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, means: str, expected: int
) -> None:
    """A rule that tells such pages outranks the decoder; one that takes them for no records leaves nothing to hold."""
    rule = {"when": {"header": {"content-type": {"matches": "^text/html"}}}, "means": means}
    paging, exchanges = STRATEGIES["cursor"]
    project = _listing(tmp_path, monkeypatch, exchanges, pagination=paging, errors=[rule])

    assert expected == project.judge("RPL-007", "rows.list")["html"]


def test_a_long_lane_is_broken_off_at_three_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At its first answer, at its last and between, so that a long recording costs no more than a short one."""
    pages = [_got(f"page={n}", {"rows": [{"id": n}], "pages": 20}) for n in range(1, 21)]
    paging = {"type": "page", "page_param": "page", "total_field": "pages", "total_counts": "pages"}
    project = _listing(tmp_path, monkeypatch, pages, pagination=paging)

    resets = _derived(project, "reset")

    assert [f"rows.list/{number}" for number in (1, 11, 20)] == [one.at.id for one in resets]
    assert {3} == {project.judge("RPL-007", "rows.list")[name] for name in ("refused", "html", "reset")}


def test_a_listing_in_xml_is_broken_off_as_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its bodies can be cut, and its last page can be gone; its records are not written anew."""
    pages = ["<rows><row><id>1</id></row><row><id>2</id></row></rows>", "<rows><row><id>3</id></row></rows>"]
    exchanges = [_got(f"page={number}", None) for number in (1, 2)]
    for exchange, page in zip(exchanges, pages, strict=True):
        exchange["response"] = {"status": 200, "headers": [["content-type", "application/xml"]], "text": [page]}
    exchanges[0]["response"]["headers"].append(["x-pages", "2"])
    exchanges[1]["response"]["headers"].append(["x-pages", "2"])
    paging = {"type": "page", "page_param": "page", "total_header": "x-pages", "total_counts": "pages"}
    words = {"response_path": "rows.row", "decode": {"type": "xml", "force_list": ["row"]}}
    project = _listing(tmp_path, monkeypatch, exchanges, pagination=paging, **words)

    assert {"refused": 2, "throttled": 0, "truncated": 4, "html": 2, "reset": 2} == project.judge(
        "RPL-007", "rows.list"
    )
    assert {"again": 0, "gone": 2, "cut": 0} == project.judge("RPL-008", "rows.list")


# Records.


def test_each_member_that_is_mapped_is_retyped_once_each_way(deals: Project) -> None:
    """Where it stands, and not where it is null or missing; the provider's record is otherwise as it was."""
    derived = [one for one in with_odd_fields(deals.subject(), "deals.list") if one.fault == "retyped"]

    told = Counter(one.how.partition(" of record")[0] for one in derived)
    members = ["id", "properties.amount", "properties.dealname", "properties.owner", "properties.stage", "updatedAt"]
    assert {f'"{member}"': 2 for member in members} == told
    assert {2} == {one.index for one in derived}, "the one in the middle"
    assert {"deals.list/2"} == {one.at.id for one in derived}


def test_a_field_that_takes_in_all_may_change_with_a_new_member(deals: Project) -> None:
    """An expression that reads whatever stands there means it so: the other fields are compared."""
    deals.edit("connector.json", '"name": "properties.dealname"', '"name": "$string($count($keys($)))"')

    assert 1 == deals.judge("RPL-009", "deals.list")["added"]


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ("RPL-007", ["deals.list", "deals.get"]),
        ("RPL-008", ["deals.list"]),
        ("RPL-009", ["deals.list", "deals.get"]),
    ],
)
def test_lanes_without_a_fault_are_no_target(deals: Project, check: str, expected: list[str]) -> None:
    """A lane that ends in an error, a record alone where pages are asked about: neither passed nor failed."""
    assert expected == list(targets(CHECK[check], deals.subject()))


def test_a_write_is_not_broken_off(orders: Project) -> None:
    """What was written is not written again to see what comes of it."""
    assert ["orders.list", "orders.get"] == list(targets(CHECK["RPL-007"], orders.subject()))


def test_a_lane_that_nobody_can_call_is_a_target_still(deals: Project) -> None:
    """Its check says why: a broken account must not make checks disappear."""
    deals.change("recordings/deals.json", "/lanes/0/call", {"account": "nobody"})

    assert "deals.list" in list(targets(CHECK["RPL-008"], deals.subject()))
    with pytest.raises(CallWrong, match='deals has no account "nobody", on whose behalf'):
        deals.judge("RPL-008", "deals.list")


def test_of_thousands_of_records_few_members_are_retyped(deals: Project) -> None:
    """Each retyped member is one more read of the whole lane."""
    exchanges = deals.exchanges()
    deal = exchanges[2]["response"]["json"]["results"][0]
    exchanges[2]["response"]["json"]["results"] = [{**deal, "id": str(number)} for number in range(200, 6200)]
    deals.record(exchanges)

    derived = Counter(one.fault for one in with_odd_fields(deals.subject(), "deals.list"))

    assert {"retyped": 4, "added": 1} == derived


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        ("open", ["a number", "an object"]),
        (1.5, ["a text", "an object"]),
        (True, ["a text", "an object"]),
        (["a", "b"], ["an object"]),
        ({"code": "a"}, ["a list"]),
        (None, []),
    ],
)
def test_a_member_becomes_what_providers_make_of_it(deals: Project, value: Any, kinds: list[str]) -> None:
    """Bare or wrapped, one or many; what is null has no type that could be another."""
    deals.change("recordings/deals.json", "/lanes/2/exchanges/0/response/json/properties/stage", value)

    derived = [one for one in with_odd_fields(deals.subject(), "deals.get") if '"properties.stage"' in one.how]

    assert kinds == [one.how.partition(" is ")[2].partition(", and was")[0] for one in derived]
    assert {0} >= {one.index for one in derived}


def test_what_the_next_page_is_asked_by_keeps_its_type(deals: Project) -> None:
    """A key of another type would lead elsewhere, and no recording says where."""
    paging = {"type": "keyset", "key_field": "id", "key_param": "after", "page_size_param": "limit"}
    deals.change("connector.json", "/resources/deals/list/pagination", {**paging, "default_page_size": 2})

    told = {one.how.partition(" of record")[0] for one in with_odd_fields(deals.subject(), "deals.list")}

    assert '"id"' not in told
    assert '"properties.stage"' in told


def test_a_status_that_asks_for_smaller_pages_breaks_nothing_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The config says that such an answer is asked for again: nobody recorded what then comes."""
    paging = {"type": "cursor", "cursor_field": "next", "reduce_on": [401, 404], **SIZED}
    exchanges = [_got("limit=2", _rows(0, 2, next="c2")), _got("limit=2&next=c2", _rows(2, 4))]
    project = _listing(tmp_path, monkeypatch, exchanges, pagination=paging)

    assert 0 == project.judge("RPL-007", "rows.list")["refused"]
    assert ["is an empty page", "answered with 410 and no body"] == [one.how for one in _derived(project, "gone")]


def test_a_cursor_in_a_header_is_invented_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the recorded second page has its place, the pages between have theirs."""
    paging = {"type": "cursor", "cursor_field": "next", "cursor_in": "header", "cursor_param": "x-after"}
    exchanges = [_got("", _rows(0, 3, next="c3")), _got("", _rows(3, 5), headers=[["x-after", "c3"]])]
    project = _listing(tmp_path, monkeypatch, exchanges, pagination=paging)

    (cut,) = _derived(project, "cut")

    expected = [None, *(f"c3-cut-{number}" for number in range(1, 5))]
    assert expected == [exchange.request.header("x-after") for exchange in cut.lane.exchanges]
    assert 1 == project.judge("RPL-008", "rows.list")["cut"]


def test_a_place_in_the_path_is_not_invented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which part of a path is the page, the recording does not say."""
    paging = {"type": "page", "page_param": "page", "page_in": "template", "total_field": "n", "total_counts": "pages"}
    exchanges = [_got("", _rows(0, 3, n=2), path="/rows/1"), _got("", _rows(3, 5, n=2), path="/rows/2")]
    project = _listing(tmp_path, monkeypatch, exchanges, pagination=paging, path="/rows/{page}")

    assert {"again": 1, "gone": 3, "cut": 0} == project.judge("RPL-008", "rows.list")


def test_a_text_has_no_end_that_could_be_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where bodies are read as texts, neither half of one nor a page of HTML can be told."""
    exchange = _got("", None)
    exchange["response"] = {"status": 200, "headers": [["content-type", "text/plain"]], "text": ["a row"]}
    project = _listing(tmp_path, monkeypatch, [exchange], decode="text", response_path="$", pagination={"type": "none"})
    operation = project.read("connector.json")["resources"]["rows"]["list"]
    single = {key: value for key, value in operation.items() if key in {"method", "path", "decode"}}
    project.change("connector.json", "/resources/rows", {"get": single})
    project.change("recordings/rows.json", "/lanes/0/id", "rows.get")

    played = project.judge("RPL-007", "rows.get")

    assert {"refused": 1, "throttled": 0, "truncated": 0, "html": 0, "reset": 1} == played
