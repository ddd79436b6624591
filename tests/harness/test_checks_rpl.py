"""What RPL asks of the ledger and of the records passes with something counted, and fails on each way to be wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from projects import Project

from connproof.run import Call, Engine, MappedPage
from pytest_connproof import lane_run
from pytest_connproof.finding import Finding, Inconclusive

FILE = "recordings/deals.json"
PAGE = "/lanes/0/exchanges"
UNMATCHED = "the run ended at a request that is not in the recording\n  fix  see RPL-002"


@pytest.mark.parametrize(
    ("check", "target", "evidence"),
    [
        ("RPL-001", "deals.list", {"exchanges": 3}),
        ("RPL-001", "deals.list#throttled", {"exchanges": 1}),
        ("RPL-002", "deals.list", {"requests": 3}),
        ("RPL-004", "deals.list", {"pages": 3}),
        ("RPL-004", "deals.list#throttled", {"pages": 1}),
        ("RPL-005", "deals.list", {"records": 5, "exchanges": 3}),
        ("RPL-005", "deals.get", {"records": 1, "exchanges": 1}),
        ("RPL-005", "deals.list#throttled", {"records": 0, "exchanges": 1}),
        ("RPL-006", "", {"listings": 1, "pages": 3}),
    ],
)
def test_RPL_passes_with_counts(deals: Project, check: str, target: str, evidence: dict[str, int]) -> None:
    """A pass says how much it looked at; a lane that ends in a recorded error passes too."""
    assert evidence == deals.judge(check, target)


@pytest.mark.parametrize(
    ("check", "evidence"),
    [
        ("RPL-001", {"exchanges": 2}),
        ("RPL-002", {"requests": 2}),
        ("RPL-005", {"records": 3, "exchanges": 2}),
    ],
)
def test_RPL_passes_on_a_cursor_in_a_body_and_a_key_in_the_query(
    finder: Project, check: str, evidence: dict[str, int]
) -> None:
    """Where things are sent is the config's affair."""
    assert evidence == finder.judge(check, "hits.search")


@pytest.mark.parametrize("check", ["RPL-001", "RPL-004"])
def test_RPL_fails_with_a_doubt_after_an_unknown_request(deals: Project, check: str) -> None:
    """What only follows from another finding is no second one: RPL-002 says what is wrong."""
    deals.edit("connector.json", '"deals-2"', '"deals-3"')

    with pytest.raises(Inconclusive) as doubt:
        deals.judge(check, "deals.list")

    assert UNMATCHED == str(doubt.value)


# RPL-001


def test_RPL_001_fails_on_a_read_that_stops_early(deals: Project) -> None:
    """One character of cursor_field: the message names the word, its line, and where the recording has the cursor."""
    deals.edit("connector.json", '"paging.next.after"', '"paging.nxet.after"')

    with pytest.raises(Finding) as found:
        deals.judge("RPL-001", "deals.list")

    assert (
        "deals.list: 2 recorded exchanges not asked for\n"
        "\n"
        "  unused     deals.list/2, deals.list/3\n"
        "  ended by   the page names no next one, after 1 request\n"
        '  cursor     read from "paging.nxet.after" (connector.json:25); the recording offers "paging.next.after"\n'
        "  ledger     1 used, 0 unmatched, 2 unused (deals.list/2, deals.list/3)\n"
        "  fix        correct what the next page is read from; or take out of the recording what no caller needs"
    ) == str(found.value)


def test_RPL_001_fails_on_a_cursor_in_a_body(finder: Project) -> None:
    """The hint looks for the cursor in what the next recorded body sends."""
    finder.edit("connector.json", '"cursor_field": "next_page"', '"cursor_field": "nextpage"')

    with pytest.raises(Finding) as found:
        finder.judge("RPL-001", "hits.search")

    assert "hits.search: 1 recorded exchange not asked for" == found.value.what
    assert 'read from "nextpage" (connector.json:23); the recording offers "next_page"' in found.value.facts


def test_RPL_001_fails_on_a_request_that_is_missing(deals: Project) -> None:
    """The second page no longer names the third: the third was recorded for nothing."""
    deals.drop(FILE, f"{PAGE}/1/response/json/paging")

    with pytest.raises(Finding) as found:
        deals.judge("RPL-001", "deals.list")

    assert "deals.list: 1 recorded exchange not asked for" == found.value.what
    assert "unused     deals.list/3" in found.value.facts


def test_RPL_001_fails_on_an_operation_that_nothing_exercises(deals: Project) -> None:
    """An operation without a recording is not certified."""
    deals.drop(FILE, "/lanes/2")

    with pytest.raises(Inconclusive) as doubt:
        deals.judge("RPL-001", "deals.get")

    assert 'no recording exercises deals.get\n  fix  add a lane "deals.get" to a recording' == str(doubt.value)


def test_RPL_001_fails_on_an_operation_that_only_ever_failed(deals: Project) -> None:
    """A recorded 404 shows how an operation fails, not that it works."""
    deals.change(FILE, "/lanes/2/exchanges/0/response/status", 404)

    with pytest.raises(Inconclusive) as doubt:
        deals.judge("RPL-001", "deals.get")

    assert "no recording shows deals.get succeed\n  fix  record a lane in which the provider does" == str(doubt.value)


def test_RPL_001_fails_with_a_doubt_where_the_read_broke(deals: Project) -> None:
    """Exchanges left over because the read tripped are a consequence: RPL-004 says of what."""
    deals.edit("connector.json", '"response_path": "results"', '"response_path": "result"')

    with pytest.raises(Inconclusive, match="the run ended early: PageUnreadable"):
        deals.judge("RPL-001", "deals.list")


# RPL-002


def test_RPL_002_fails_on_a_cursor_from_the_wrong_place(deals: Project) -> None:
    """A cursor that is there, but another one: what was sent, the nearest, and where the right one stands."""
    deals.change(FILE, f"{PAGE}/0/response/json/paging/prev", {"after": "c0"})
    deals.edit("connector.json", '"paging.next.after"', '"paging.prev.after"')

    with pytest.raises(Finding) as found:
        deals.judge("RPL-002", "deals.list")

    assert (
        "request 2 is not in the recording\n"
        "\n"
        "  sent      GET /v1/deals?limit=2&after=c0\n"
        '  nearest   deals.list/2   differs in  query.after   recorded "c2"   sent "c0"\n'
        '            deals.list/3   differs in  query.after   recorded "c3"   sent "c0"\n'
        '  cursor    read from "paging.prev.after" (connector.json:25); the recording offers "paging.next.after"\n'
        "  ledger    1 used, 1 unmatched, 2 unused (deals.list/2, deals.list/3)"
    ) == str(found.value)


def test_RPL_002_fails_on_a_page_visited_twice(deals: Project) -> None:
    """The same request again is in the recording, but was used already."""
    deals.change(FILE, f"{PAGE}/1/response/json/paging/next/after", "c2")
    deals.change("connector.json", "/resources/deals/list/pagination/allow_repeats", True)

    with pytest.raises(Finding) as found:
        deals.judge("RPL-002", "deals.list")

    assert (
        "request 3 is not in the recording\n"
        "\n"
        "  sent      GET /v1/deals?limit=2&after=c2     (2nd time)\n"
        "  nearest   deals.list/2   every part equal; already used by request 2\n"
        '            deals.list/3   differs in  query.after   recorded "c3"   sent "c2"\n'
        '  cursor    read from "paging.next.after" (connector.json:25)\n'
        "  ledger    2 used, 1 unmatched, 1 unused (deals.list/3)"
    ) == str(found.value)


@pytest.mark.parametrize(("times", "said"), [(3, "3rd"), (11, "11th"), (22, "22nd"), (112, "112th")])
def test_RPL_002_fails_on_a_page_visited_again_and_says_how_often(deals: Project, times: int, said: str) -> None:
    """A listing that was recorded going round in a circle is asked once more than it was recorded."""
    first, second, _ = deals.exchanges()
    second["response"]["json"]["paging"]["next"]["after"] = "c2"
    rounds = [{**second, "id": f"deals.list/{number}"} for number in range(2, times + 1)]
    deals.record([first, *rounds])
    deals.change("connector.json", "/resources/deals/list/pagination/allow_repeats", True)

    with pytest.raises(Finding) as found:
        deals.judge("RPL-002", "deals.list")

    assert f"sent      GET /v1/deals?limit=2&after=c2     ({said} time)\n" in found.value.facts


def test_RPL_002_fails_on_an_extra_request(deals: Project) -> None:
    """A page that was not recorded is asked for."""
    deals.record(deals.exchanges()[:2])

    with pytest.raises(Finding) as found:
        deals.judge("RPL-002", "deals.list")

    assert (
        "request 3 is not in the recording\n"
        "\n"
        "  sent      GET /v1/deals?limit=2&after=c3\n"
        '  nearest   deals.list/1   differs in  query.after   recorded (not recorded)   sent "c3"; used by request 1\n'
        '            deals.list/2   differs in  query.after   recorded "c2"   sent "c3"; used by request 2\n'
        "  ledger    2 used, 1 unmatched, 0 unused"
    ) == str(found.value)


@pytest.mark.parametrize(
    ("old", "new", "nearest"),
    [
        ('"deals-2"', '"deals-3"', 'header.x-feature   recorded "deals-2"   sent "deals-3"'),
        (
            '"x-feature"',
            '"x-featura"',
            f'header.x-feature   recorded "deals-2"   sent (not sent)\n{"":39}header.x-featura   recorded (not',
        ),
        ('"2026-07"', '"2026-08"', 'header.x-api-version   recorded "2026-07"   sent "2026-08"'),
        ('"/deals"', '"/deal"', 'path   recorded "/v1/deals"   sent "/v1/deal"'),
        ('"limit"', '"limits"', 'query.limit   recorded "2"   sent (not sent)'),
        ('"default_page_size": 2', '"default_page_size": 3', 'query.limit   recorded "2"   sent "3"'),
        (
            '"list": {\n        "method": "GET"',
            '"list": {\n        "method": "POST"',
            'method   recorded "GET"   sent "POST"',
        ),
        (
            '"base_url": "https://api.deals',
            '"base_url": "https://api.daels',
            'origin   recorded "https://api.deals.example"   sent "https://api.daels.example"',
        ),
    ],
)
def test_RPL_002_fails_on_one_character_of_a_request(deals: Project, old: str, new: str, nearest: str) -> None:
    """A header's name and value, the version, the path, a parameter: the part that differs is named."""
    deals.edit("connector.json", old, new)

    with pytest.raises(Finding) as found:
        deals.judge("RPL-002", "deals.list")

    assert "request 1 is not in the recording" == found.value.what
    assert f"nearest   deals.list/1   differs in  {nearest}" in found.value.facts


def test_RPL_002_fails_on_another_body(finder: Project) -> None:
    """A body differs in a leaf, by its pointer."""
    finder.change("connector.json", "/resources/hits/search/body", {"filter": {"open": "true"}})

    with pytest.raises(Finding) as found:
        finder.judge("RPL-002", "hits.search")

    assert (
        "request 1 is not in the recording\n"
        "\n"
        '  sent      POST /query?key=(credential) {"filter":{"open":"true"}}\n'
        '  nearest   hits.search/1   differs in  body/filter/open   recorded true   sent "true"\n'
        '            hits.search/2   differs in  body/filter/open   recorded true   sent "true"\n'
        '                                        body/page/token   recorded "p2"   sent (not sent)\n'
        "  ledger    0 used, 1 unmatched, 2 unused (hits.search/1, hits.search/2)"
    ) == str(found.value)


def test_RPL_002_fails_on_another_scheme_without_the_credential(deals: Project) -> None:
    """What stands before a credential is shown, the credential itself is not."""
    deals.change("connector.json", "/auth/prefix", "Token ")

    with pytest.raises(Finding) as found:
        deals.judge("RPL-002", "deals.list")

    assert (
        'header.authorization   recorded "Bearer {{secret:access_token#1}}"   sent "Token (credential)"'
    ) in found.value.facts
    assert "example-access-token" not in str(found.value)


def test_RPL_002_fails_on_basic_without_the_credential(deals: Project) -> None:
    """Base64 hides nothing: the pair of Basic is a credential too, even where none was recorded."""
    deals.change("connector.json", "/auth", {"type": "basic", "username": "{access_token}", "password": ""})
    deals.drop(FILE, "/lanes/2/exchanges/0/request/headers/2")

    with pytest.raises(Finding) as found:
        deals.judge("RPL-002", "deals.get")

    assert 'header.authorization   recorded (not recorded)   sent "Basic (credential)"' in found.value.facts


def test_RPL_002_fails_on_a_request_before_its_turn(deals: Project) -> None:
    """The recorded order is part of what was recorded."""
    one, two, three = deals.exchanges()
    deals.record([one, three, two])

    with pytest.raises(Finding) as found:
        deals.judge("RPL-002", "deals.list")

    assert (
        "request 2 came before its turn\n"
        "\n"
        "  answered by   deals.list/2\n"
        "  order         strict: the exchanges before it were not used yet\n"
        '  fix           if the provider\'s traffic has no order here, set "order": "unordered" on the lane'
    ) == str(found.value)


def test_RPL_002_passes_out_of_turn_in_an_unordered_lane(deals: Project) -> None:
    """Where the provider's traffic has no order, none is held."""
    one, two, three = deals.exchanges()
    deals.record([one, three, two])
    deals.change(FILE, "/lanes/0/order", "unordered")

    assert {"requests": 3} == deals.judge("RPL-002", "deals.list")


def test_RPL_002_fails_with_a_doubt_where_nothing_was_sent(deals: Project) -> None:
    """A call that the engine refuses sends nothing, and shows nothing."""
    deals.drop("accounts/example.json", "/credentials/access_token")

    with pytest.raises(Inconclusive, match='no credential "access_token"'):
        deals.judge("RPL-002", "deals.list")


# RPL-004


def test_RPL_004_fails_on_a_response_path_that_leads_nowhere(deals: Project) -> None:
    """One character of response_path: the word, its line, and what the response has."""
    deals.edit("connector.json", '"response_path": "results"', '"response_path": "result"')

    with pytest.raises(Finding) as found:
        deals.judge("RPL-004", "deals.list")

    assert (
        "deals.list ended in PageUnreadable\n"
        "\n"
        '  "result" leads nowhere in the response of deals.list\n'
        "    asked   deals.deals.list, page 1, after 0 records\n"
        "    config  connectors/deals/connector.json:21 /resources/deals/list/response_path\n"
        "    it has  results, paging\n"
        '    fix     correct "response_path"; if the provider leaves it out when empty, '
        'set "items_may_be_missing": true'
    ) == str(found.value)


def test_RPL_004_fails_on_a_page_that_names_its_own_cursor(deals: Project) -> None:
    """A repeated cursor is a loop."""
    deals.change(FILE, f"{PAGE}/1/response/json/paging/next/after", "c2")

    with pytest.raises(Finding) as found:
        deals.judge("RPL-004", "deals.list")

    assert "deals.list ended in PaginationLoop" == found.value.what
    assert "page 3 would ask again what page 2 asked" in found.value.facts
    assert "connectors/deals/connector.json:23 /resources/deals/list/pagination" in found.value.facts


def test_RPL_004_fails_on_a_mapping_that_trips(deals: Project) -> None:
    """An expression that fails names record, field, expression and line."""
    deals.edit("connector.json", '"amount": "properties.amount"', '"amount": "$number(properties.dealname)"')

    with pytest.raises(Finding) as found:
        deals.judge("RPL-004", "deals.list")

    assert "deals.list ended in MappingFailed" == found.value.what
    assert "$number(properties.dealname)" in found.value.facts


def test_RPL_004_fails_on_a_success_that_cannot_be_read(deals: Project) -> None:
    """A body that is not what its type says is no answer of the provider's, though its status is the last one."""
    response = {"status": 200, "headers": [["content-type", "application/json"]], "text": ["<html>"]}
    deals.change(FILE, "/lanes/2/exchanges/0/response", response)

    with pytest.raises(Finding, match=r"deals\.get ended in PageUnreadable"):
        deals.judge("RPL-004", "deals.get")


def test_RPL_004_passes_on_a_provider_that_refuses_midway(deals: Project) -> None:
    """A listing that ends in a recorded 500 is there to show just that."""
    pages = deals.exchanges()[:2]
    pages[1]["response"]["status"] = 500
    deals.record(pages)

    assert {"pages": 1} == deals.judge("RPL-004", "deals.list")
    assert {"records": 2, "exchanges": 2} == deals.judge("RPL-005", "deals.list")


# RPL-005


class _Wrong(Engine):
    """An engine that gives other records than it read; `wrong` says how."""

    @staticmethod
    def wrong(records: tuple[Any, ...]) -> tuple[Any, ...]:
        return records

    async def pages(
        self, target: str, operation: str | None = None, call: Call | None = None
    ) -> AsyncIterator[MappedPage]:
        async for page in super().pages(target, operation, call):
            yield replace(page, records=self.wrong(page.records))


class _Loses(_Wrong):
    @staticmethod
    def wrong(records: tuple[Any, ...]) -> tuple[Any, ...]:
        return records[:1]


class _Repeats(_Wrong):
    @staticmethod
    def wrong(records: tuple[Any, ...]) -> tuple[Any, ...]:
        return records[:1] * len(records)


class _Reverses(_Wrong):
    @staticmethod
    def wrong(records: tuple[Any, ...]) -> tuple[Any, ...]:
        return records[::-1]


class _Changes(_Wrong):
    @staticmethod
    def wrong(records: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple({**record, "amount": 0} for record in records)


def _with_a_write(deals: Project) -> None:
    """A lane that changes a deal. What the provider answers is the deal, in its own form."""
    answer = deals.exchanges(2)[0]["response"]
    deals.change(
        "connector.json", "/resources/deals/update", {"method": "PATCH", "path": "/deals/{id}", "key": "id", "body": {}}
    )
    deals.change("connector.json", "/unified/crm.deal/write", {"update": {"properties.dealname": "name"}})
    lanes = deals.read(FILE)["lanes"]
    request = {**lanes[2]["exchanges"][0]["request"], "method": "PATCH", "json": {"properties": {"dealname": "Roof"}}}
    headers = [*request["headers"], ["content-type", "application/json"]]
    exchange = {"id": "deals.update/1", "request": {**request, "headers": headers}, "response": answer}
    call = {"params": {"id": "101"}, "record": {"name": "Roof"}}
    lane = {"id": "deals.update", "order": "strict", "call": call, "exchanges": [exchange]}
    deals.change(FILE, "/lanes", [*lanes, lane])


@pytest.mark.parametrize(
    ("check", "target", "evidence"),
    [
        ("RPL-004", "deals.update", {"pages": 1}),
        ("RPL-005", "deals.update", {"records": 1, "exchanges": 1}),
        ("MAP-002", "crm.deal", {"records": 6, "fields": 36}),
    ],
)
def test_RPL_005_takes_what_a_write_gives_for_the_providers_own(
    deals: Project, check: str, target: str, evidence: dict[str, int]
) -> None:
    """A write hands on the provider's answer as it came: no mapping is asked about it."""
    _with_a_write(deals)

    assert evidence == deals.judge(check, target)


def test_RPL_005_names_nothing_in_a_write_that_is_answered_without_a_body(deals: Project) -> None:
    """A 204 has no record, so the operation's key leads nowhere in none."""
    _with_a_write(deals)
    deals.change(FILE, "/lanes/3/exchanges/0/response", {"status": 204, "headers": []})

    assert {"records": 1, "exchanges": 1} == deals.judge("RPL-005", "deals.update")


def test_RPL_005_takes_a_record_that_is_answered_without_a_body(deals: Project) -> None:
    """E4: a 204 to what asks for one record gives none, and no mapping is asked about it."""
    (exchange,) = deals.exchanges(2)
    deals.record([{**exchange, "response": {"status": 204, "headers": []}}], 2)

    assert {"records": 1, "exchanges": 1} == deals.judge("RPL-005", "deals.get")


def test_RPL_005_fails_on_records_lost(deals: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that drops a record of each page is found by counting in the recording itself."""
    monkeypatch.setattr(lane_run, "Engine", _Loses)

    with pytest.raises(Finding) as found:
        deals.judge("RPL-005", "deals.list")

    assert (
        "the recording holds 5 records, the caller got 3\n"
        "\n"
        "  pages    deals.list/1   2 records\n"
        "           deals.list/2   2 records\n"
        "           deals.list/3   1 record\n"
        "  config   connectors/deals/connector.json:21 response_path results"
    ) == str(found.value)


@pytest.mark.parametrize(
    ("engine", "number", "facts"),
    [
        (_Repeats, 2, '  recorded   deals.list/1   id="102"\n  got        record 1   id="101"'),
        (_Reverses, 1, '  recorded   deals.list/1   id="101"\n  got        record 2   id="102"'),
        (_Changes, 1, '  recorded   deals.list/1   id="101"\n  got        a record of no recorded page'),
    ],
)
def test_RPL_005_fails_on_records_that_only_count_right(
    deals: Project, monkeypatch: pytest.MonkeyPatch, engine: type[_Wrong], number: int, facts: str
) -> None:
    """One lost and one given twice is the right number of records, and wrong."""
    monkeypatch.setattr(lane_run, "Engine", engine)

    with pytest.raises(Finding) as found:
        deals.judge("RPL-005", "deals.list")

    assert (f"record {number} that the caller got is not record {number} of the recording\n\n{facts}") == str(
        found.value
    )


def test_RPL_005_fails_on_a_key_that_leads_nowhere(deals: Project) -> None:
    """A listing whose records have no key where the config says cannot be guarded against repetition."""
    deals.change("connector.json", "/resources/deals/list/key", "dealId")

    with pytest.raises(Finding) as found:
        deals.judge("RPL-005", "deals.list")

    assert (
        '"dealId" leads nowhere in 5 of 5 recorded records\n'
        "\n"
        "  config   connectors/deals/connector.json:22\n"
        "  it has   id, properties, updatedAt\n"
        '  fix      point "key" at what identifies a record'
    ) == str(found.value)


@pytest.mark.parametrize(
    ("old", "new"), [('"deals-2"', '"deals-3"'), ('"response_path": "results"', '"response_path": "result"')]
)
def test_RPL_005_fails_with_a_doubt_where_the_run_ended_early(deals: Project, old: str, new: str) -> None:
    """Records that never came are a consequence of what RPL-002 or RPL-004 say."""
    deals.edit("connector.json", old, new)

    with pytest.raises(Inconclusive, match="the run ended early"):
        deals.judge("RPL-005", "deals.list")


def test_RPL_005_passes_on_a_limit(deals: Project) -> None:
    """A caller who wants three gets three, and the third page is not asked for."""
    deals.change(FILE, "/lanes/0/call", {"limit": 3})
    deals.record(deals.exchanges()[:2])

    assert {"records": 3, "exchanges": 2} == deals.judge("RPL-005", "deals.list")


# RPL-006


@pytest.mark.parametrize("cursor_field", ["paging.next.after", "no.such.place"])
def test_RPL_006_fails_on_a_listing_of_one_page(deals: Project, cursor_field: str) -> None:
    """On one page any cursor_field looks right: whether the next page is found was never seen."""
    deals.change("connector.json", "/resources/deals/list/pagination/cursor_field", cursor_field)
    deals.record(deals.exchanges()[:1])
    deals.drop(FILE, f"{PAGE}/0/response/json/paging")

    with pytest.raises(Inconclusive) as doubt:
        deals.judge("RPL-006")

    assert (
        "no recording reads a second page of deals.list\n"
        '  fix  record one that does; or, if there never is a second page, set "pagination": {"type": "none"}'
    ) == str(doubt.value)
