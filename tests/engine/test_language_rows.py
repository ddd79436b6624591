"""Rows of the language's page that no one part of the engine answers for alone, through the providers' configs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

import providers
from connproof.errors import AccessRefused, ProviderBusy, ProviderSaid
from connproof.events import ReadEnded
from connproof.model import Request, Response
from connproof.places import JsonValue
from connproof.run import Call
from providers import loaded, soap, xml
from scripted import Provider, answer, scripted

PARAMS = {"github": {"owner": "acme", "repo": "shop"}, "airtable": {"base_id": "app1", "table": "T"}}


def refused(name: str, target: str, response: Response) -> ProviderSaid:
    """The error that a listing of this provider ends in whose first answer this is."""
    with pytest.raises(ProviderSaid) as caught:
        providers.read(loaded(name), scripted(response), target, call=Call(raw=True, params=PARAMS.get(name, {})))
    return caught.value


def members(value: JsonValue) -> Mapping[str, JsonValue]:
    """The members of an object."""
    assert isinstance(value, dict)
    return value


def marketo(code: str) -> Response:
    return answer({"requestId": "e42b", "success": False, "errors": [{"code": code, "message": "..."}]})


FAULT: JsonValue = {
    "warnings": None,
    "fault": {
        "error": [{"message": "message=AuthenticationFailed; errorCode=003200; statusCode=401", "code": "3200"}],
        "type": "AUTHENTICATION",
    },
    "queryResponse": None,
    "time": 1633520295688,
}

SESSION: JsonValue = [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]


@pytest.mark.parametrize(
    ("name", "target", "response", "code"),
    [
        pytest.param("salesforce", "contacts", answer(SESSION, status=401), "INVALID_SESSION_ID", id="salesforce"),
        pytest.param("slack", "users", answer({"ok": False, "error": "token_expired"}), "token_expired", id="slack"),
        pytest.param("marketo", "leads", marketo("601"), "601", id="marketo, invalid"),
        pytest.param("marketo", "leads", marketo("602"), "602", id="marketo, expired"),
        pytest.param("zoho", "contacts", answer({"code": "INVALID_TOKEN"}, status=401), "INVALID_TOKEN", id="zoho"),
        pytest.param("quickbooks", "customers", answer(FAULT, status=401), "3200", id="quickbooks, JSON"),
        pytest.param(
            "quickbooks",
            "customers",
            xml(
                '<IntuitResponse><Fault type="AUTHENTICATION"><Error code="3200"/></Fault></IntuitResponse>', status=401
            ),
            "3200",
            id="quickbooks, XML",
        ),
        pytest.param(
            "workday",
            "workers",
            soap("<Fault><faultcode>SOAP-ENV:Client.authenticationError</faultcode></Fault>", status=500),
            "SOAP-ENV:Client.authenticationError",
            id="workday, a fault",
        ),
        pytest.param("github", "issues", answer({"message": "Bad credentials"}, status=401), "", id="any 401"),
    ],
)
def test_A6_an_expired_token_is_known_by_status_and_body(name: str, target: str, response: Response, code: str) -> None:
    """Whatever the status is: this is the answer after which a token is refreshed."""
    error = refused(name, target, response)

    assert (AccessRefused, "auth_expired") == (type(error), error.meaning)
    assert code == error.code or not code


@pytest.mark.parametrize(
    ("name", "target", "response", "meaning"),
    [
        pytest.param("slack", "users", answer({"ok": False, "error": "missing_scope"}), "forbidden", id="no scope"),
        pytest.param("slack", "users", answer({"ok": False, "error": "token_revoked"}), "auth_revoked", id="revoked"),
        pytest.param("marketo", "leads", marketo("603"), "forbidden", id="no right"),
        pytest.param("marketo", "leads", marketo("610"), "failed", id="another code"),
        pytest.param("salesforce", "contacts", answer([{"errorCode": "X"}], status=403), "forbidden", id="a 403"),
        pytest.param(
            "workday",
            "workers",
            soap("<Fault><faultcode>SOAP-ENV:Client.validationError</faultcode></Fault>", status=500),
            "invalid",
            id="another fault",
        ),
        pytest.param("workday", "workers", Response(500, (), b"oops"), "transient", id="a plain 500"),
    ],
)
def test_A6_what_no_new_token_would_change_is_not_called_expired(
    name: str, target: str, response: Response, meaning: str
) -> None:
    """A refresh for each of these would be in vain; some providers count them."""
    assert meaning == refused(name, target, response).meaning


def fates(name: str, target: str, operation: str, response: Response) -> list[tuple[bool, str | None, str]]:
    """What is told of each element of a batch of two: whether it was written, its id, its code or else its message."""
    engine = providers.engine(loaded(name), scripted(response))
    written = asyncio.run(engine.write_many(target, operation, [{"a": 1}, {"a": 2}], Call(raw=True)))
    return [(element.ok, element.id, element.code or element.message) for element in written.elements]


def fault(code: str) -> JsonValue:
    return {"Error": [{"Message": "...", "Detail": "...", "code": code, "element": ""}], "type": "ValidationFault"}


@pytest.mark.parametrize(
    ("name", "target", "operation", "response", "expected"),
    [
        pytest.param(
            "hubspot",
            "contacts",
            "create_many",
            answer(
                {
                    "status": "COMPLETE",
                    "results": [{"id": "501"}],
                    "numErrors": 1,
                    "errors": [{"status": "error", "category": "VALIDATION_ERROR", "message": "..."}],
                },
                status=207,
            ),
            [(True, "501", ""), (False, None, "VALIDATION_ERROR")],
            id="hubspot",
        ),
        pytest.param(
            "salesforce",
            "contacts",
            "create_many",
            answer(
                [
                    {"id": "003x", "success": True, "errors": []},
                    {"success": False, "errors": [{"statusCode": "REQUIRED_FIELD_MISSING", "fields": ["LastName"]}]},
                ]
            ),
            [(True, "003x", ""), (False, None, "REQUIRED_FIELD_MISSING")],
            id="salesforce, a collection",
        ),
        pytest.param(
            "salesforce",
            "contacts",
            "composite",
            answer(
                {
                    "compositeResponse": [
                        {"body": {"id": "003x", "success": True}, "httpStatusCode": 201, "referenceId": "a"},
                        {"body": [{"errorCode": "NOT_FOUND"}], "httpStatusCode": 404, "referenceId": "b"},
                    ]
                }
            ),
            [(True, "003x", ""), (False, None, "NOT_FOUND")],
            id="salesforce, a composite",
        ),
        pytest.param(
            "salesforce",
            "contacts",
            "batch",
            answer(
                {
                    "hasErrors": True,
                    "results": [
                        {"statusCode": 201, "result": {"id": "003x"}},
                        {"statusCode": 412, "result": [{"errorCode": "BATCH_PROCESSING_HALTED"}]},
                    ],
                }
            ),
            [(True, "003x", ""), (False, None, "BATCH_PROCESSING_HALTED")],
            id="salesforce, a batch",
        ),
        pytest.param(
            "salesforce",
            "contacts",
            "graph",
            answer({"graphs": [{"graphId": "1", "isSuccessful": True}, {"graphId": "2", "isSuccessful": False}]}),
            [(True, "1", ""), (False, "2", "")],
            id="salesforce, graphs",
        ),
        pytest.param(
            "zoho",
            "contacts",
            "create_many",
            answer(
                {
                    "data": [
                        {"code": "SUCCESS", "details": {"id": "57257"}, "message": "record added", "status": "success"},
                        {"code": "MANDATORY_NOT_FOUND", "details": {}, "message": "...", "status": "error"},
                    ]
                },
                status=207,
            ),
            [(True, "57257", ""), (False, None, "MANDATORY_NOT_FOUND")],
            id="zoho",
        ),
        pytest.param(
            "quickbooks",
            "customers",
            "batch",
            answer(
                {"BatchItemResponse": [{"Customer": {"Id": "58"}, "bId": "1"}, {"Fault": fault("610"), "bId": "2"}]}
            ),
            [(True, "1", ""), (False, "2", "610")],
            id="quickbooks",
        ),
        pytest.param(
            "xero",
            "contacts",
            "create_many",
            answer(
                {
                    "Contacts": [
                        {"ContactID": "bd22", "ValidationErrors": []},
                        {"ContactID": "0000", "ValidationErrors": [{"Message": "The name is taken"}]},
                    ]
                }
            ),
            [(True, "bd22", ""), (False, "0000", "The name is taken")],
            id="xero",
        ),
        pytest.param(
            "marketo",
            "leads",
            "upsert_many",
            answer(
                {
                    "success": True,
                    "result": [
                        {"id": 50, "status": "created"},
                        {"status": "skipped", "reasons": [{"code": "1007", "message": "Multiple leads match"}]},
                    ],
                }
            ),
            [(True, "50", ""), (False, None, "1007")],
            id="marketo",
        ),
    ],
)
def test_E2_each_element_of_a_batch_has_its_own_fate(
    name: str, target: str, operation: str, response: Response, expected: list[tuple[bool, str | None, str]]
) -> None:
    """One fails inside a 2xx, the other is written: each provider says so in its own shape."""
    assert expected == fates(name, target, operation, response)


@pytest.mark.parametrize(
    ("name", "operation", "response"),
    [
        ("salesforce", "create_many", answer([{"errorCode": "INVALID_FIELD", "message": "..."}], status=400)),
        ("marketo", "upsert_many", marketo("1003")),
        ("quickbooks", "batch", answer({"Fault": fault("4000"), "time": "..."})),
    ],
)
def test_E2_a_batch_that_failed_whole_is_an_error(name: str, operation: str, response: Response) -> None:
    """Nothing was written, and no element has a fate: that is not a batch in which nothing failed."""
    target = next(r for r, found in loaded(name).resources.items() if operation in found.operations)
    with pytest.raises(ProviderSaid):
        fates(name, target, operation, response)


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


NOW = datetime(2026, 5, 14, 14, 37, 29, tzinfo=UTC)
DATE = ("date", "Thu, 14 May 2026 14:37:29 GMT")
SOON = str(int(NOW.timestamp()) + 60)
RESET = ("x-rate-limit-reset", SOON)
COST: JsonValue = {
    "requestedQueryCost": 112,
    "throttleStatus": {"maximumAvailable": 2000, "currentlyAvailable": 12, "restoreRate": 50},
}
THROTTLED: JsonValue = [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]


def said(*headers: tuple[str, str], status: int = 429, body: JsonValue = None) -> Response:
    return answer(body, DATE, *headers, status=status)


def after(seconds: str) -> tuple[str, str]:
    return "retry-after", seconds


@pytest.mark.parametrize(
    ("name", "target", "response", "seconds"),
    [
        ("hubspot", "contacts", said(body={"errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING"}), 10),
        ("hubspot", "contacts", said(body={"errorType": "RATE_LIMIT", "policyName": "DAILY"}), 86_400),
        ("pipedrive", "persons", said(("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "2")), 2),
        ("zoho", "contacts", said(body={"code": "TOO_MANY_REQUESTS", "status": "error"}), None),
        ("greenhouse", "candidates", said(after("7"), ("x-ratelimit-remaining", "0")), 7),
        ("bamboohr", "directory", said(after("30"), status=503), 30),
        ("bamboohr", "directory", said(after("30")), 30),
        ("netsuite", "customers", said(body={"o:errorDetails": [{"o:errorCode": "CONCURRENCY_LIMIT_EXCEEDED"}]}), None),
        ("netsuite", "customers", said(status=400, body={"error": {"code": "SSS_REQUEST_LIMIT_EXCEEDED"}}), None),
        ("quickbooks", "customers", said(body={"fault": {"error": [{"code": "3001"}], "type": "SERVICE"}}), 60),
        ("quickbooks", "customers", xml("<e>message=ThrottleExceeded; errorCode=003001</e>", status=403), 60),
        ("xero", "contacts", said(after("27"), ("x-rate-limit-problem", "minute")), 27),
        ("xero", "contacts", said(("x-rate-limit-problem", "day")), 86_400),
        ("slack", "users", said(after("30"), body={"ok": False, "error": "ratelimited"}), 30),
        ("stripe", "customers", said(body={"error": {"code": "rate_limit"}}), None),
        ("zendesk", "tickets", Response(429, (after("58"), ("content-type", "text/plain")), b"Number of allowed"), 58),
        ("shopify", "customers", said(after("2.0"), ("x-shopify-shop-api-call-limit", "40/40")), 2),
        ("shopify", "customers", said(status=200, body={"errors": THROTTLED, "extensions": {"cost": COST}}), 2),
        ("jira", "issues", said(after("5"), ("x-ratelimit-reset", "2026-05-14T14:56Z")), 5),
        ("jira", "issues", said(("x-ratelimit-reset", "2026-05-14T14:38Z")), 31),
        ("jira", "issues", said(after("9"), status=503), 9),
        ("intercom", "contacts", said(("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", SOON)), 60),
        ("notion", "users", said(after("12"), body={"code": "rate_limited"}), 12),
        ("notion", "users", said(after("12"), status=529, body={"code": "service_overload"}), 12),
        ("airtable", "records", said(body={"errors": [{"error": "RATE_LIMIT_REACHED"}]}), 30),
        ("microsoft-graph", "users", said(after("10"), body={"error": {"code": "TooManyRequests"}}), 10),
        ("microsoft-graph", "users", said(body={"error": {"code": "UnknownError", "message": ""}}), None),
        ("marketo", "leads", marketo("606"), 20),
        ("marketo", "leads", marketo("607"), 86_400),
        ("marketo", "leads", marketo("615"), None),
        ("freshdesk", "tickets", said(after("42")), 42),
        ("okta", "users", said(*((f"x-rate-limit-{word}", "0") for word in ("limit", "remaining")), RESET), 60),
        ("scim", "users", said(after("5"), body={"status": "429"}), 5),
        ("workday-rest", "workers", said(), None),
    ],
)
def test_R4_each_provider_says_in_its_own_way_how_long(
    name: str, target: str, response: Response, seconds: int | None
) -> None:
    """A header, a name, a sentence, the documentation, or nothing: then nothing is made up."""
    error = refused(name, target, response)

    assert isinstance(error, ProviderBusy)
    assert seconds == error.seconds


@pytest.mark.parametrize(
    ("name", "target", "response", "meaning"),
    [
        ("bamboohr", "directory", said(status=503), "transient"),
        (
            "netsuite",
            "customers",
            said(status=400, body={"o:errorDetails": [{"o:errorCode": "USER_ERROR"}]}),
            "invalid",
        ),
        ("notion", "users", said(status=409, body={"code": "conflict_error"}), "transient"),
        ("stripe", "customers", said(body={"error": {"code": "lock_timeout"}}), "transient"),
        ("quickbooks", "customers", said(status=403, body={"Fault": {"Error": [{"code": "3100"}]}}), "forbidden"),
        ("xero", "contacts", said(status=403, body={"Title": "Forbidden"}), "forbidden"),
        ("shopify", "customers", said(status=200, body={"errors": [{"message": "Field is missing"}]}), "failed"),
        ("marketo", "leads", marketo("611"), "transient"),
    ],
)
def test_R2_each_providers_look_alike_is_no_throttle(name: str, target: str, response: Response, meaning: str) -> None:
    """The same status, or the same shape, and something else."""
    assert meaning == refused(name, target, response).meaning


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
