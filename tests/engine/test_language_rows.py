"""Rows of the language's page that no one part of the engine answers for alone, through the providers' configs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

import providers
from connproof.config import layered
from connproof.events import ReadEnded
from connproof.model import Request, Response
from connproof.overrides import Layer
from connproof.places import JsonValue
from connproof.run import Call
from providers import loaded
from scripted import Provider, answer, scripted


def members(value: JsonValue) -> Mapping[str, JsonValue]:
    """The members of an object."""
    assert isinstance(value, dict)
    return value


SINCE = "2026-05-14T14:37:29Z"


@pytest.mark.parametrize(
    ("name", "page", "expected"),
    [
        ("zoho", Response(204), {"if-modified-since": SINCE}),
        ("xero", answer({"pagination": {"pageCount": 0}, "Contacts": []}), {"if-modified-since": SINCE[:-1]}),
        (
            "salesforce",
            answer({"totalSize": 0, "done": True, "records": []}),
            {"q": f"SELECT Id, FirstName, LastName, Email FROM Contact WHERE SystemModstamp > {SINCE}"},
        ),
        (
            "quickbooks",
            answer({"QueryResponse": {}}),
            {
                "query": f"SELECT * FROM Customer WHERE MetaData.LastUpdatedTime > '{SINCE}' STARTPOSITION 1"
                " MAXRESULTS 100"
            },
        ),
    ],
)
def test_P15_a_filter_of_the_model_goes_where_the_provider_wants_it(
    name: str, page: Response, expected: dict[str, str]
) -> None:
    """A header, or a part of a query language, from one word of the unified model."""
    provider = scripted(page)
    call = Call(filters={"modified_after": SINCE})

    assert [] == providers.read(loaded(name), provider, "crm.contact", call=call)
    sent = {**dict(provider.requests[0].headers), **dict(parse_qsl(urlsplit(provider.requests[0].url).query))}
    assert expected == {word: sent.get(word) for word in expected}


@pytest.mark.parametrize("name", ["zoho", "xero"])
def test_V6_nothing_was_modified_since(name: str) -> None:
    """The filter makes the request a conditional one, and a 304 is its empty answer."""
    call = Call(filters={"modified_after": SINCE})

    assert [] == providers.read(loaded(name), scripted(Response(304)), "crm.contact", call=call)


@pytest.mark.parametrize(
    ("name", "back", "body", "expected"),
    [
        (
            "salesforce",
            answer({"id": "003x", "success": True, "errors": []}, status=201),
            b'{"FirstName":"Ann","LastName":"Ek","Email":"a@ex.test"}',
            "003x",
        ),
        (
            "hubspot",
            answer({"id": "501", "properties": {}}, status=201),
            b'{"properties":{"firstname":"Ann","lastname":"Ek"}}',
            "501",
        ),
        (
            "quickbooks",
            answer({"Customer": {"Id": "58"}, "time": "..."}),
            b'{"DisplayName":"Ann Ek","PrimaryEmailAddr":{"Address":"a@ex.test"}}',
            "58",
        ),
        ("stripe", answer({"id": "cus_1", "object": "customer"}), b"name=Ann+Ek", "cus_1"),
    ],
)
def test_a_unified_record_is_written_in_the_providers_words(
    name: str, back: Response, body: bytes, expected: str
) -> None:
    """Nested members, or a form; and the new record's id from wherever the answer has it."""
    record: JsonValue = {
        "first_name": "Ann",
        "last_name": "Ek",
        "name": "Ann Ek",
        "emails": [{"email": "a@ex.test"}],
    }
    provider = scripted(back)

    written = asyncio.run(providers.engine(loaded(name), provider).write("crm.contact", "create", record))

    assert expected == written.id
    assert body == provider.requests[0].body


def search_with_a_cap(ids: list[int]) -> Provider:
    """A search that is sorted by id, and refuses to go beyond its 10000th result."""

    def respond(request: Request) -> Response:
        asked = json.loads(request.body or b"")
        since, offset = int(asked["filterGroups"][0]["filters"][0]["value"]), int(asked.get("after", 0))
        found, end = [each for each in ids if each >= since], offset + asked["limit"]
        if end > 10_000:
            return answer({"status": "error", "category": "VALIDATION_ERROR"}, status=400)
        page: dict[str, JsonValue] = {"results": [{"id": str(each)} for each in found[offset:end]]}
        return answer(page if end >= len(found) else {**page, "paging": {"next": {"after": str(end)}}})

    return Provider(respond)


def listing_with_a_last_page(rows: list[tuple[int, str]]) -> Provider:
    """Tickets sorted by their time, in pages of 100 of which the 300th is the last that is given."""

    def respond(request: Request) -> Response:
        asked = dict(parse_qsl(urlsplit(request.url).query))
        page, found = int(asked.pop("page", 1)), [row for row in rows if row[1] >= asked["updated_since"]]
        if page > 300:
            return answer({"description": "Validation failed"}, status=400)
        url = f"https://acme.freshdesk.com/api/v2/tickets?{urlencode({**asked, 'page': page + 1})}"
        link = (("link", f'<{url}>; rel="next"'),) if page * 100 < len(found) else ()
        return answer([{"id": row[0], "updated_at": row[1]} for row in found[page * 100 - 100 : page * 100]], *link)

    return Provider(respond)


def test_P21_a_capped_search_is_read_beyond_its_cap() -> None:
    """HubSpot: one search gives 10000 results. The next one starts at the last id, and nothing is doubled."""
    ids = list(range(90, 10_290))
    provider = search_with_a_cap(ids)

    records = providers.read(loaded("hubspot"), provider, "contacts", "search")

    assert [{"id": str(each)} for each in ids] == records
    assert 52 == len(provider.requests)


def test_P21_a_listing_is_read_beyond_its_last_page() -> None:
    """Freshdesk: 300 pages are all, and several tickets share a time. None is lost or doubled at the seam."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [(each, (start + timedelta(seconds=each // 7)).strftime("%Y-%m-%dT%H:%M:%SZ")) for each in range(30_050)]

    records = providers.read(loaded("freshdesk"), listing_with_a_last_page(rows), "tickets")

    assert [each for each, _ in rows] == [members(record)["id"] for record in records]


CALENDAR = {"calendar": "primary"}


def bookmark_of(provider: Provider) -> str | None:
    """Where the next run begins."""
    return [event.bookmark for event in provider.events if isinstance(event, ReadEnded)][-1]


@pytest.mark.parametrize(
    ("name", "target", "first", "second", "asked"),
    [
        pytest.param(
            "google",
            "events",
            answer({"items": [{"id": "1"}], "nextSyncToken": "s1"}),
            answer({"items": [{"id": "2"}], "nextSyncToken": "s2"}),
            "https://www.googleapis.com/calendar/v3/calendars/primary/events?maxResults=250&syncToken=s1",
            id="google, a sync token",
        ),
        pytest.param(
            "microsoft-graph",
            "changes",
            answer({"value": [{"id": "1"}], "@odata.deltaLink": "https://graph.microsoft.com/v1.0/users/delta?$d=1"}),
            answer({"value": [{"id": "2"}], "@odata.deltaLink": "https://graph.microsoft.com/v1.0/users/delta?$d=2"}),
            "https://graph.microsoft.com/v1.0/users/delta?$d=1",
            id="microsoft-graph, a delta link",
        ),
    ],
)
def test_P25_the_next_run_asks_for_what_changed(
    name: str, target: str, first: Response, second: Response, asked: str
) -> None:
    """And has a bookmark of its own at its end."""
    params = CALENDAR if name == "google" else {}
    earlier, later = scripted(first), scripted(second)
    providers.read(loaded(name), earlier, target, call=Call(raw=True, params=params))
    resumed = Call(raw=True, params=params, resume=bookmark_of(earlier))

    assert [{"id": "2"}] == providers.read(loaded(name), later, target, call=resumed)
    assert [asked] == [request.url for request in later.requests]
    assert bookmark_of(later) not in {None, bookmark_of(earlier)}


def test_P25_a_bookmark_that_is_too_old_starts_the_read_anew() -> None:
    """Google: a sync token that expired is a 410. Everything is read again, without it."""
    earlier = scripted(answer({"items": [{"id": "1"}], "nextSyncToken": "s1"}))
    providers.read(loaded("google"), earlier, "events", call=Call(raw=True, params=CALENDAR))
    later = scripted(answer({}, status=410), answer({"items": [{"id": "1"}, {"id": "2"}], "nextSyncToken": "s2"}))
    resumed = Call(raw=True, params=CALENDAR, resume=bookmark_of(earlier))

    assert [{"id": "1"}, {"id": "2"}] == providers.read(loaded("google"), later, "events", call=resumed)
    assert ["syncToken" in request.url for request in later.requests] == [True, False]


def test_A15_a_header_that_only_some_accounts_need_is_theirs_to_give() -> None:
    """Stripe: requests on behalf of a sub-account name it; those of other accounts have no such header."""
    layer = {"overrides": {"resources": {"customers": {"list": {"headers": {"Stripe-Account": "acct_1"}}}}}}
    config = (providers.CONFIGS / "stripe.json").read_bytes()
    layers = [Layer("account", "acme", json.dumps(layer).encode(), "accounts/acme.json")]
    sent = []
    for connector in (layered(config, layers, folder="stripe"), loaded("stripe")):
        provider = scripted(answer({"has_more": False, "data": []}))
        providers.read(connector, provider, "customers")
        sent.append(provider.requests[0].header("stripe-account"))

    assert ["acct_1", None] == sent
