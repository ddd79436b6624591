"""Each RPL check passes on a whole project with something counted, and fails on each way to be wrong."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from projects import Project

from connproof import outcome, pagination
from connproof.decode import decode
from connproof.errors import AccessRefused, CallWrong, MappingFailed, PageUnreadable, ProviderDown, ProviderSaid
from connproof.guard import Guard
from connproof.mapping import CompiledMapping
from connproof.resume import resumed
from connproof.run import Call, Engine, MappedPage, listing, sending
from connproof.run import mapped as mapped_module
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
        ("RPL-003", "deals.list", {"requests": 3, "credentials": 1}),
        ("RPL-004", "deals.list", {"pages": 3}),
        ("RPL-004", "deals.list#throttled", {"pages": 1}),
        ("RPL-005", "deals.list", {"records": 5, "exchanges": 3}),
        ("RPL-005", "deals.get", {"records": 1, "exchanges": 1}),
        ("RPL-005", "deals.list#throttled", {"records": 0, "exchanges": 1}),
        ("RPL-006", "", {"listings": 1, "pages": 3}),
        ("RPL-007", "deals.list", {"refused": 3, "throttled": 0, "truncated": 6, "html": 3, "reset": 3}),
        ("RPL-007", "deals.get", {"refused": 1, "throttled": 0, "truncated": 2, "html": 1, "reset": 1}),
        ("RPL-008", "deals.list", {"again": 4, "gone": 3, "cut": 1}),
        ("RPL-009", "deals.list", {"retyped": 12, "added": 1}),
        ("RPL-009", "deals.get", {"retyped": 12, "added": 1}),
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
        ("RPL-003", {"requests": 2, "credentials": 1}),
        ("RPL-005", {"records": 3, "exchanges": 2}),
    ],
)
def test_RPL_passes_on_a_cursor_in_a_body_and_a_key_in_the_query(
    finder: Project, check: str, evidence: dict[str, int]
) -> None:
    """Where things are sent is the config's affair."""
    assert evidence == finder.judge(check, "hits.search")


@pytest.mark.parametrize("check", ["RPL-001", "RPL-003", "RPL-004"])
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


# RPL-003


def test_RPL_003_fails_on_another_credential_of_the_account(deals: Project) -> None:
    """token_path points at another token: every request matches, and yet it is the wrong one."""
    deals.change("connector.json", "/auth/token_path", "refresh_token")

    with pytest.raises(Finding) as found:
        deals.judge("RPL-003", "deals.list")

    assert (
        "another credential was sent for {{secret:access_token#1}}\n"
        "\n"
        '  expected   the account\'s "access_token"\n'
        "  auth       connectors/deals/connector.json:12\n"
        "  fix        point auth at the credential that the recorded request carried"
    ) == str(found.value)


def test_RPL_003_fails_with_a_doubt_where_the_credential_cannot_be_told(deals: Project) -> None:
    """Of several credentials, one that the placeholder does not name may be any."""
    text = deals.path(FILE).read_text()
    deals.write(FILE, text.replace("{{secret:access_token#1}}", "{{secret:token#1}}"))

    with pytest.raises(Inconclusive) as doubt:
        deals.judge("RPL-003", "deals.list")

    assert (
        'the account has several credentials, none named "token": which one {{secret:token#1}} is, cannot be told\n'
        '  fix  name it "token" in accounts/example.json and under auth'
    ) == str(doubt.value)


def test_RPL_003_passes_where_there_is_only_one_credential(deals: Project) -> None:
    """It can be no other, whatever it is called."""
    text = deals.path(FILE).read_text()
    deals.write(FILE, text.replace("{{secret:access_token#1}}", "{{secret:token#1}}"))
    deals.drop("accounts/example.json", "/credentials/refresh_token")

    assert 1 == deals.judge("RPL-003", "deals.list")["credentials"]


def test_RPL_003_passes_on_a_signature_that_several_credentials_made(deals: Project) -> None:
    """What is signed anew for each request names no credential: one placeholder stands for all of it."""
    signed = {"type": "oauth1", "consumer_key_path": "a", "consumer_secret_path": "b", "token_path": "c"}
    deals.change("connector.json", "/auth", {**signed, "token_secret_path": "access_token"})
    for name in "abc":
        deals.change("accounts/example.json", f"/credentials/{name}", f"example-credential-{name}")
    for number in range(3):
        header = ["authorization", f"OAuth {{{{secret:authorization#{number + 1}}}}}"]
        deals.change(FILE, f"{PAGE}/{number}/request/headers/2", header)

    assert {"requests": 3, "credentials": 3} == deals.judge("RPL-003", "deals.list")


def test_RPL_003_fails_on_what_is_no_credential(deals: Project) -> None:
    """The whole header was redacted, its scheme included: what stands there is more than a credential."""
    text = deals.path(FILE).read_text()
    deals.write(FILE, text.replace("Bearer {{secret", "{{secret"))

    with pytest.raises(Finding) as found:
        deals.judge("RPL-003", "deals.list")

    assert (
        "what was sent for {{secret:access_token#1}} is no credential of the account\n"
        "\n"
        "  auth   connectors/deals/connector.json:12\n"
        "  fix    check where auth reads it from"
    ) == str(found.value)


def test_RPL_003_fails_on_requests_without_a_credential(deals: Project) -> None:
    """A recording without any placeholder shows no credential in its place."""
    text = deals.path(FILE).read_text()
    deals.write(FILE, text.replace("{{secret:access_token#1}}", "example-access-token"))

    with pytest.raises(Finding) as found:
        deals.judge("RPL-003", "deals.list")

    assert (
        "no request carried a credential\n"
        "\n"
        "  auth       bearer   connectors/deals/connector.json:12\n"
        "  recorded   no placeholder in any request"
    ) == str(found.value)


def _sent_twice(project: Project, sent: str, where: str, value: Any) -> None:
    """Let the config send a text a second time, and the recording have the placeholder there."""
    project.change("connector.json", where, value)
    for index in range(3):
        request = project.exchanges()[index]["request"]
        request["query"].append(["t", "{{secret:access_token#1}}"])
        project.change(FILE, f"{PAGE}/{index}/request", request)
    assert sent in project.path("connector.json").read_text()


@pytest.mark.parametrize("token", ["example-access-token", "example/access+token=="])
def test_RPL_003_fails_on_a_credential_in_two_places(deals: Project, token: str) -> None:
    """Beside its slot a credential ends in logs: the place is named, however it is encoded."""
    deals.change("accounts/example.json", "/credentials/access_token", token)
    _sent_twice(deals, token, "/resources/deals/list/query", {"t": token})

    with pytest.raises(Finding) as found:
        deals.judge("RPL-003", "deals.list")

    assert "request 1 carries a credential outside its slot" == found.value.what
    assert "found in   query t" in found.value.facts
    assert "slot       header authorization" in found.value.facts
    assert token not in str(found.value)


def test_RPL_003_fails_on_a_credential_beside_a_key_in_the_query(finder: Project) -> None:
    """A key that belongs into one parameter does not belong into the body, nor into another parameter."""
    finder.change("connector.json", "/resources/hits/search/body", {"filter": {"open": True}, "as": "example-api-key"})
    for index, page in enumerate([{}, {"page": {"token": "p2"}}]):
        body = {"filter": {"open": True}, "as": "{{secret:api_key#1}}", **page}
        finder.change("recordings/hits.json", f"{PAGE}/{index}/request/json", body)

    with pytest.raises(Finding) as found:
        finder.judge("RPL-003", "hits.search")

    assert (
        "request 1 carries a credential outside its slot\n"
        "\n"
        "  found in   body\n"
        "  slot       query key\n"
        '  sent       POST /query?key=(credential) {"filter":{"open":true},"as":"(credential)"}'
    ) == str(found.value)


BASIC = {"type": "basic", "username": "{access_token}", "password": "{refresh_token}"}


def test_RPL_003_passes_on_basic(deals: Project) -> None:
    """The pair of Basic is one form of the account's credentials."""
    deals.change("connector.json", "/auth", BASIC)
    text = deals.path(FILE).read_text()
    deals.write(FILE, text.replace("Bearer {{secret:access_token#1}}", "Basic {{secret:basic#1}}"))

    assert {"requests": 3, "credentials": 1} == deals.judge("RPL-003", "deals.list")


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


# RPL-007 to RPL-009: altered lanes


def _refuted(project: Project, check: str, target: str = "deals.list") -> Finding:
    with pytest.raises(Finding) as found:
        project.judge(check, target)
    return found.value


@pytest.mark.parametrize("check", ["RPL-007", "RPL-008", "RPL-009"])
def test_RPL_fails_with_a_doubt_where_the_lane_itself_is_not_read(deals: Project, check: str) -> None:
    """What is wrong without any fault is told by the checks of the lane as it was recorded."""
    deals.edit("connector.json", '"response_path": "results"', '"response_path": "result"')

    with pytest.raises(Inconclusive, match=r"^the run ended early: PageUnreadable"):
        deals.judge(check, "deals.list")


def test_RPL_008_fails_with_a_doubt_where_a_page_was_not_asked_for(deals: Project) -> None:
    """A read that stops early has no pages to be altered: RPL-001 says where it stops."""
    deals.edit("connector.json", '"paging.next.after"', '"paging.nxet.after"')

    with pytest.raises(Inconclusive, match=r"^the run did not ask for every recorded exchange\n  fix  see RPL-001"):
        deals.judge("RPL-008", "deals.list")


# RPL-007


def _taken_for(monkeypatch: pytest.MonkeyPatch, error: type[ProviderSaid], is_it: Callable[[Any], bool]) -> None:
    """An engine to which an answer is another error."""
    real = outcome.error_of

    def otherwise(verdict: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        return error("other") if is_it(response) else real(verdict, response, *args, **kwargs)

    monkeypatch.setattr(sending, "error_of", otherwise)


def test_RPL_007_fails_on_refused_credentials_by_another_name(deals: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The finding shows the altered conversation: what was altered, asked, expected, and which line decides."""
    _taken_for(monkeypatch, ProviderDown, lambda response: response.status == 401)

    assert (
        "deals.list, broken off, does not end in the error that it must\n"
        "\n"
        "  altered    deals.list/1: answered with 401 and no body\n"
        "  asked      1  GET /v1/deals?limit=2   deals.list/1   (altered)\n"
        "  came       ProviderDown, after 0 records\n"
        "  expected   AccessRefused; then the rest, from its resume token\n"
        "  config     connectors/deals/connector.json:18   /resources/deals/list\n"
        "  fix        let a rule say auth_expired of what the provider answers to credentials that have ended, and of "
        "nothing else"
    ) == str(_refuted(deals, "RPL-007"))


def test_RPL_007_fails_on_a_throttle_by_another_name(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the form that the connector declares: a 403 with words of its own, taken from what was recorded."""
    _taken_for(monkeypatch, AccessRefused, lambda response: b"too_fast" in response.body)

    facts = _refuted(orders, "RPL-007", "orders.list").facts

    assert "altered    orders.list/1: answered with the recorded 403 of /rate_limit/throttled/0\n" in facts
    assert "came       AccessRefused, after 0 records\n  expected   ProviderBusy; then the rest" in facts


def test_RPL_007_fails_on_a_401_that_means_no_records(deals: Project) -> None:
    """A rule that takes refused credentials for an empty page makes a hole of them; it is named with its line."""
    deals.change("connector.json", "/errors", [{"when": {"status": 401}, "means": "empty"}])

    facts = _refuted(deals, "RPL-007").facts

    assert "came       complete, after 0 records\n  expected   AccessRefused" in facts
    assert re.search(r"config +connectors/deals/connector\.json:\d+   /errors/0\n", facts)


def _lenient(monkeypatch: pytest.MonkeyPatch, body: Any, is_it: Callable[[Any], bool]) -> None:
    """An engine that makes something of a body that cannot be read."""
    real = decode

    def lenient(response: Any, **words: Any) -> Any:
        return body if is_it(response) else real(response, **words)

    monkeypatch.setattr("connproof.run.sending.decode", lenient)


def _is_cut(response: Any) -> bool:
    return bool(response.body[:1] == b"{") and not response.body.endswith(b"}")


def test_RPL_007_fails_on_a_body_that_is_mended(deals: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a page, read as far as it goes, is a hole."""
    _lenient(monkeypatch, {"results": []}, _is_cut)

    found = _refuted(deals, "RPL-007")

    assert "deals.list, broken off, does not end in the error that it must" == found.what
    assert re.search(r"altered +deals.list/1: its body was cut off after (\d+) of \d+ bytes\n", found.facts)
    assert "came       complete, after 0 records\n  expected   PageUnreadable" in found.facts


def test_RPL_007_takes_a_body_that_is_cut_off_for_no_empty_one(deals: Project) -> None:
    """E4: a rule about an empty list says nothing of half a list, which is there and cannot be read."""
    empty = {"when": {"status": 200, "body": {"$": {"blank": True}}}, "means": "not_found"}
    deals.change("connector.json", "/resources/deals/get/errors", [empty])

    played = {"refused": 1, "throttled": 0, "truncated": 2, "html": 1, "reset": 1}
    assert played == deals.judge("RPL-007", "deals.get")


def test_RPL_007_fails_on_a_page_of_html_that_is_an_empty_page(deals: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody's login page, taken for the end of the listing."""
    _lenient(monkeypatch, {"results": []}, lambda response: response.body.startswith(b"<"))

    facts = _refuted(deals, "RPL-007").facts

    assert "altered    deals.list/1: answered with 200 and a page of HTML\n" in facts
    assert "came       complete, after 0 records\n" in facts


def test_RPL_007_fails_on_an_engine_that_tries_again_after_a_reset(
    deals: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One request for one: whether a lost one is repeated is for the caller to say."""
    real = sending.Door.send

    async def again(self: Any, request: Any, shown: str) -> Any:
        try:
            return await real(self, request, shown)
        except ProviderDown:
            return await real(self, request, shown)

    monkeypatch.setattr(sending.Door, "send", again)

    facts = _refuted(deals, "RPL-007").facts

    assert (
        "altered    deals.list/1: the connection was reset before an answer came\n"
        "  asked      1  GET /v1/deals?limit=2   deals.list/1   (altered)\n"
        "             2  GET /v1/deals?limit=2   what is not recorded, or was answered already\n"
        "  came       UnmatchedRequest, after 0 records\n"
    ) in facts


def test_RPL_007_fails_on_an_error_without_a_token(deals: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be gone on with begins anew, and may never end."""
    monkeypatch.setattr(listing, "token", lambda *_: None)

    assert "deals.list cannot be gone on with: its error has no resume token" == _refuted(deals, "RPL-007").what


@pytest.mark.parametrize(
    ("at", "to", "what"),
    [
        ("c2", "c3", "deals.list, broken off and gone on with, is not what it is in one"),
        ("c3", "c2", "deals.list goes on from its token by asking for a page that the caller has already"),
        ("c3", "c9", "deals.list goes on from its token by asking for what is not recorded"),
    ],
)
def test_RPL_007_fails_on_a_token_that_leads_elsewhere(
    deals: Project, monkeypatch: pytest.MonkeyPatch, at: str, to: str, what: str
) -> None:
    """To the page after the one that failed, to one before it, or to none that there is."""
    real = resumed

    def elsewhere(text: str, call: str) -> Any:
        position = real(text, call)
        return replace(position, value=to) if position.value == at else position

    monkeypatch.setattr(listing, "resumed", elsewhere)

    found = _refuted(deals, "RPL-007")

    assert what == found.what
    assert "then asked" in found.facts


# RPL-008


def test_RPL_008_fails_on_an_engine_that_asks_again(deals: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a guard, a page that names itself is asked for for ever."""
    monkeypatch.setattr(Guard, "request", lambda *_: None)

    assert (
        "deals.list is read on behind what its provider served\n"
        "\n"
        "  altered    deals.list/2: names as the next page what deals.list/1 named: itself\n"
        "  asked      1  GET /v1/deals?limit=2   deals.list/1\n"
        "             2  GET /v1/deals?limit=2&after=c2   deals.list/2   (altered)\n"
        "             3  GET /v1/deals?limit=2&after=c2   what is not recorded, or was answered already\n"
        "  came       UnmatchedRequest, after 4 records\n"
        "  expected   PaginationLoop, or an end by itself after 5 records\n"
        "  config     connectors/deals/connector.json:25   /resources/deals/list/pagination/cursor_field\n"
        "  fix        this is a fault of the engine, unless a stop rule ends the read before: correct that one then"
    ) == str(_refuted(deals, "RPL-008"))


def test_RPL_008_fails_on_an_engine_that_takes_a_page_twice(deals: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that ignores the place it is asked for gives the same records under another name."""
    monkeypatch.setattr(Guard, "page", lambda *_: None)

    found = _refuted(deals, "RPL-008")

    assert "deals.list: the caller gets records that were not served, or not in this order" == found.what
    assert "altered       deals.list/2: holds the records of deals.list/1 once more\n" in found.facts
    assert "first other   record 3\n  expected      PaginationLoop\n" in found.facts


def test_RPL_008_fails_on_an_engine_that_takes_a_404_for_the_end(
    deals: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that was named and is not there is no end of the listing."""

    def nothing(response: Any, *given: Any, **words: Any) -> Any:
        return outcome.Verdict("empty") if response.status == 404 else outcome.judged(response, *given, **words)

    monkeypatch.setattr("connproof.run.sending.judged", nothing)

    found = _refuted(deals, "RPL-008")

    assert "deals.list has a hole: it ends as if it were whole" == found.what
    assert "altered    deals.list/3: answered with 404 and no body\n" in found.facts
    assert "came       complete, after 4 records\n  expected   ProviderSaid\n" in found.facts


def test_RPL_008_fails_on_an_empty_page_that_is_no_error_of_its_own(
    deals: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that trips over a page without records says nothing that a caller could act on."""
    real = pagination._end

    def trips(paging: Any, page: Any, *rest: Any, **more: Any) -> Any:
        if not page.records:
            raise CallWrong("no records")
        return real(paging, page, *rest, **more)

    monkeypatch.setattr(pagination, "_end", trips)

    found = _refuted(deals, "RPL-008")

    assert "deals.list ends in another error than it must" == found.what
    assert "altered    deals.list/3: is an empty page\n" in found.facts


def test_RPL_008_fails_on_an_engine_that_stops_on_a_short_page(deals: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that lowers the page size without a word makes every page a short one."""
    real = pagination._end

    def short(paging: Any, page: Any, *rest: Any, **more: Any) -> Any:
        is_short = page.size is not None and len(page.records) < page.size
        return "a short page" if is_short else real(paging, page, *rest, **more)

    monkeypatch.setattr(pagination, "_end", short)

    found = _refuted(deals, "RPL-008")

    assert "deals.list has a hole: it ends as if it were whole" == found.what
    assert "it and the others hold 1 records at most: 5 pages instead of 3\n" in found.facts
    assert "came       complete, after 1 record\n  expected   an end by itself after 5 records\n" in found.facts


# RPL-009


def test_RPL_009_fails_on_a_record_that_is_left_out(deals: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that cannot be mapped is told, and never dropped."""
    real = CompiledMapping.apply

    async def unified(self: Any, records: Any, mapping: Any, *_: Any, **__: Any) -> Any:
        compiled = self.reading(mapping)
        mapped = []
        for record in records:
            with suppress(MappingFailed):
                mapped.append(real(compiled, record))
        return tuple(mapped)

    monkeypatch.setattr(mapped_module.Mapper, "unified", unified)

    found = _refuted(deals, "RPL-009")

    assert "deals.list does not give every record" == found.what
    assert 'altered       deals.list/2: "id" of record 1 on it is a number, and was a text\n' in found.facts
    assert "expected      MappingFailed, or an end by itself after 5 records\n" in found.facts
    assert "/unified/crm.deal/fields/id\n" in found.facts


def test_RPL_009_fails_on_a_record_that_its_model_does_not_allow(
    deals: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes out is held against the model by another validator than the engine's."""
    monkeypatch.setattr(CompiledMapping, "_allowed", lambda *_: None)

    assert "deals.list: a record is given that crm.deal does not allow: /id (type)" == _refuted(deals, "RPL-009").what


@pytest.mark.parametrize(
    ("member", "value", "lacking"),
    [("field", "other", "field"), ("expression", "1", "expression"), ("facts", {"record": "1 (page 1)"}, "record")],
)
def test_RPL_009_fails_on_an_error_that_names_another_place(
    deals: Project, monkeypatch: pytest.MonkeyPatch, member: str, value: Any, lacking: str
) -> None:
    """Record, field and expression: without them nobody finds what has changed."""
    real = mapped_module.Mapper.unified

    async def unified(self: Any, *given: Any, **words: Any) -> Any:
        try:
            return await real(self, *given, **words)
        except MappingFailed as failed:
            setattr(failed, member, value)
            raise

    monkeypatch.setattr(mapped_module.Mapper, "unified", unified)

    assert f"deals.list: the error does not name the {lacking}" == _refuted(deals, "RPL-009").what


def test_RPL_009_fails_on_a_member_that_is_passed_on(deals: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a provider adds is nobody's until a mapping asks for it."""
    real = CompiledMapping.apply

    def passing_on(self: Any, record: Any, **words: Any) -> Any:
        return {
            **real(self, record, **words),
            **{name: record[name] for name in record if name.startswith("connproof")},
        }

    monkeypatch.setattr(CompiledMapping, "apply", passing_on)

    assert "deals.list: a member that nobody asked for changes connproof_new_member" == _refuted(deals, "RPL-009").what


def test_RPL_009_fails_on_a_type_that_breaks_the_read_otherwise(
    deals: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that knows records by a text alone trips over a number."""

    def by_text(self: Any, page: Any, position: Any) -> None:  # noqa: ARG001 the engine's signature
        if not all(isinstance(record["id"], str) for record in page.records):
            raise PageUnreadable("a key that is no text")

    monkeypatch.setattr(Guard, "page", by_text)

    assert "deals.list ends in another error than it must" == _refuted(deals, "RPL-009").what
