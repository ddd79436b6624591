"""The replay cases that catch the most mistakes in a config, through the providers' own configs.

Case 18 (a refresh whose answer was lost) is about refreshing tokens: it is not here. Of case 5 the classification is
here, and not the refresh that follows it.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import pytest

import providers
from connproof.clock import FixedClock
from connproof.config import parse
from connproof.errors import AccessRefused, PaginationLoop, ProviderBusy, ProviderSaid
from connproof.events import ReadEnded
from connproof.model import Request, Response
from connproof.places import JsonValue
from connproof.run import Call
from providers import document, loaded, soap, xml
from scripted import Provider, answer, scripted

NOW = datetime(2026, 5, 14, 14, 37, 29, tzinfo=UTC)
DATE = ("date", "Thu, 14 May 2026 14:37:29 GMT")


def refused(name: str, target: str, *answers: Response, params: dict[str, str] | None = None) -> ProviderSaid:
    """The error that a listing of this provider ends in."""
    with pytest.raises(ProviderSaid) as caught:
        providers.read(
            loaded(name), scripted(*answers), target, call=Call(raw=True, params=params or {}), clock=FixedClock(NOW)
        )
    return caught.value


def test_case_01_a_live_cursor_on_the_last_page_is_not_followed() -> None:
    """Zendesk: `has_more` alone says whether there is more; cursor and next link stay filled."""
    page: JsonValue = {
        "groups": [{"id": 1}],
        "meta": {"has_more": False, "after_cursor": "eyJvIjoibmFtZSJ9", "before_cursor": "eyJi"},
        "links": {"prev": None, "next": "https://acme.zendesk.com/api/v2/groups.json?page%5Bafter%5D=eyJvIjoibmFtZSJ9"},
    }
    provider = scripted(answer(page))

    assert [{"id": 1}] == providers.read(loaded("zendesk"), provider, "groups")
    assert 1 == len(provider.requests)


def test_case_02_a_page_without_its_list_is_not_the_end() -> None:
    """Marketo: no `result` beside `moreResult: true` is an empty page, and the last one still names a token."""
    provider = scripted(
        answer({"requestId": "a#0", "success": True, "nextPageToken": "GWP"}),
        answer(
            {"requestId": "a#1", "success": True, "moreResult": True, "nextPageToken": "GWQ", "result": [{"id": 1}]}
        ),
        answer({"requestId": "a#2", "success": True, "moreResult": True, "nextPageToken": "GWR"}),
        answer(
            {"requestId": "a#3", "success": True, "moreResult": False, "nextPageToken": "GWS", "result": [{"id": 2}]}
        ),
    )

    records = providers.read(loaded("marketo"), provider, "activities", call=Call(raw=True, params={"since": "2026"}))

    assert [{"id": 1}, {"id": 2}] == records
    assert [None, "GWP", "GWQ", "GWR"] == [_query(request).get("nextPageToken") for request in provider.requests]


def test_case_03_an_empty_page_with_a_next_link_is_not_the_end() -> None:
    """Graph: filters may empty a page while the listing goes on."""
    following = "https://graph.microsoft.com/v1.0/users?$skiptoken=RFNwd"
    provider = scripted(answer({"value": [], "@odata.nextLink": following}), answer({"value": [{"id": "87d3"}]}))

    assert [{"id": "87d3"}] == providers.read(loaded("microsoft-graph"), provider, "users")
    assert following == provider.requests[1].url


@pytest.mark.parametrize("pagination", ["next_url", "link_header"])
def test_case_04_a_link_that_announces_deprecation_is_no_page(pagination: str) -> None:
    """Graph: the Link header has a comma inside its URL, and another relation than next."""
    config = document("microsoft-graph")
    if pagination == "link_header":
        config["resources"]["permissions"]["list"]["pagination"] = {"type": "link_header"}
    notice = '<https://developer.microsoft.com/changelog?$filterby=v1.0,Removal&from=2021>;rel="deprecation";type="text/html"'
    page = answer(
        {"value": [{"id": "p1"}]},
        ("link", notice),
        ("link", notice),
        ("deprecation", "Fri, 03 Sep 2021 23:59:59 GMT"),
        ("sunset", "Sun, 01 Oct 2023 23:59:59 GMT"),
    )
    provider = scripted(page)
    connector = parse(json.dumps(config).encode(), folder="microsoft-graph")

    records = providers.read(connector, provider, "permissions", call=Call(raw=True, params={"item": "01AB"}))

    assert [{"id": "p1"}] == records
    assert 1 == len(provider.requests)


@pytest.mark.parametrize("code", ["token_expired", "invalid_auth"])
def test_case_05_an_expired_token_inside_a_200_is_told(code: str) -> None:
    """Slack: `ok` is false, the status is 200, and the next page was never read."""
    page = answer({"ok": True, "members": [{"id": "U1"}], "response_metadata": {"next_cursor": "dXNl"}})

    error = refused("slack", "users", page, answer({"ok": False, "error": code}))

    assert (AccessRefused, "auth_expired", code, 200) == (type(error), error.meaning, error.code, error.status)
    assert error.resume is not None


@pytest.mark.parametrize(
    ("code", "meaning", "seconds"),
    [("REQUEST_LIMIT_EXCEEDED", "throttled", 86_400), ("INSUFFICIENT_ACCESS", "forbidden", None)],
)
def test_case_06_one_403_is_a_throttle_and_the_other_is_not(code: str, meaning: str, seconds: int | None) -> None:
    """Salesforce: the code in the body's root list decides; the quota is of 24 hours, and used up."""
    response = answer([{"message": "...", "errorCode": code}], ("sforce-limit-info", "api-usage=5000/5000"), status=403)

    error = refused("salesforce", "contacts", response)

    assert (meaning, code) == (error.meaning, error.code)
    assert seconds == getattr(error, "seconds", None)


@pytest.mark.parametrize(
    ("message", "headers", "meaning", "seconds"),
    [
        ("You have exceeded a secondary rate limit. Please wait", (), "throttled", 60),
        ("You have exceeded a secondary rate limit. Please wait", (("retry-after", "120"),), "throttled", 120),
        (
            "API rate limit exceeded for user ID 1.",
            (("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1778769479"), DATE),
            "throttled",
            30,
        ),
        ("Resource not accessible by personal access token", (("x-ratelimit-remaining", "4999"),), "forbidden", None),
    ],
    ids=["secondary, without a header", "secondary, with Retry-After", "primary", "no permission"],
)
def test_case_07_a_403_is_told_by_its_headers_or_its_text(
    message: str, headers: tuple[tuple[str, str], ...], meaning: str, seconds: int | None
) -> None:
    """GitHub: the same status for two kinds of throttle and for a missing permission."""
    response = answer({"message": message, "documentation_url": "https://docs.github.com/rest"}, *headers, status=403)

    error = refused("github", "issues", response, params={"owner": "acme", "repo": "shop"})

    assert (meaning, seconds) == (error.meaning, getattr(error, "seconds", None))


@pytest.mark.parametrize(
    ("error", "status", "seconds"),
    [
        (
            {
                "errors": [{"domain": "usageLimits", "reason": "userRateLimitExceeded"}],
                "code": 403,
                "message": "User-rate limit exceeded.  Retry after 2026-05-14T14:37:59.000Z",
            },
            403,
            30,
        ),
        (
            {
                "code": 429,
                "status": "RESOURCE_EXHAUSTED",
                "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "21.5s"}],
            },
            429,
            22,
        ),
        ({"errors": [{"domain": "usageLimits", "reason": "quotaExceeded"}], "code": 403, "message": "Over"}, 403, None),
    ],
    ids=["a moment in the message", "a duration in the details", "no time"],
)
def test_case_08_the_wait_stands_in_the_body(error: JsonValue, status: int, seconds: int | None) -> None:
    """Google: 403 or 429, and the time in a sentence or deep in the body."""
    said = refused("google", "files", answer({"error": error}, DATE, status=status))

    assert isinstance(said, ProviderBusy)
    assert seconds == said.seconds


def test_case_08_a_403_of_another_reason_is_no_throttle() -> None:
    """Google: a missing permission has the same status."""
    said = refused("google", "files", answer({"error": {"errors": [{"reason": "forbidden"}], "code": 403}}, status=403))

    assert "forbidden" == said.meaning


def test_case_09_a_wait_of_hours_is_never_slept() -> None:
    """Xero: a daily limit says 66975 seconds. A caller who would wait a minute gets it raised, with a resume token."""
    throttled = Response(429, (("retry-after", "66975"), ("x-rate-limit-problem", "day")), b"")
    clock = FixedClock(NOW)
    with pytest.raises(ProviderBusy) as caught:
        providers.read(
            loaded("xero"), scripted(throttled), "contacts", call=Call(raw=True, on_throttle="wait"), clock=clock
        )

    assert (66_975, NOW) == (caught.value.seconds, clock.now())
    assert caught.value.resume is not None


def test_case_10_an_error_in_XML_to_a_client_of_JSON() -> None:
    """QuickBooks: the body is read as what it is, and its code found."""
    fault = (
        '<IntuitResponse time="2026-05-14T07:37:29-07:00" xmlns="http://schema.intuit.com/finance/v3">'
        '<Fault type="AuthenticationFault"><Error code="100"><Message>General Authentication Error</Message>'
        "<Detail>AuthenticationFailed; statusCode: 401</Detail></Error></Fault></IntuitResponse>"
    )

    error = refused("quickbooks", "customers", xml(fault, status=401))

    assert ("auth_expired", "100") == (error.meaning, error.code)
    assert "AuthenticationFailed; statusCode: 401" == error.message


def test_case_11_an_empty_answer_without_its_list() -> None:
    """QuickBooks: the name of the entity is absent where there is none; that is an empty page, and the end."""
    provider = scripted(answer({"QueryResponse": {}, "time": "2026-05-14T03:37:44.000-07:00"}))

    assert [] == providers.read(loaded("quickbooks"), provider, "customers")


def test_case_12_no_content_is_an_empty_page() -> None:
    """Zoho: 204, without a body and without a content type."""
    assert [] == providers.read(loaded("zoho"), scripted(Response(204)), "contacts")


def test_case_13_after_2000_records_a_token_takes_over() -> None:
    """Zoho: `page` reaches 2000 records; the 2001st needs the token of the page before it."""
    pages = [
        answer(
            {
                "data": [{"id": str(200 * page + number)} for number in range(200)],
                "info": {"page": page + 1, "more_records": True, "next_page_token": f"c{page + 1}"},
            }
        )
        for page in range(10)
    ]
    last = answer({"data": [{"id": "2000"}], "info": {"more_records": False, "next_page_token": None}})
    provider = scripted(*pages, last)

    records = providers.read(loaded("zoho"), provider, "contacts")

    assert [{"id": str(number)} for number in range(2001)] == records
    positions = [
        (query.get("page"), query.get("page_token")) for query in (_query(request) for request in provider.requests)
    ]
    assert [(str(page), None) for page in range(1, 11)] == positions[:-1]
    assert (None, "c10") == positions[-1]


@pytest.mark.parametrize("left", [0, 1])
def test_case_14_the_last_page_names_no_token(left: int) -> None:
    """Jira: without a token it is over, whatever `isLast` says or does not say."""
    last = answer({"issues": [{"id": "2"}] * left, "isLast": True})
    page = answer({"issues": [{"id": "1"}], "nextPageToken": "CAEa", "isLast": False})

    records = providers.read(loaded("jira"), scripted(page, last), "issues")

    assert [{"id": "1"}, {"id": "2"}][: 1 + left] == records


def test_case_14_a_token_that_repeats_is_a_loop() -> None:
    """Jira: the same token again would read the same page for ever."""
    page = answer({"issues": [{"id": "1"}], "nextPageToken": "CAEa", "isLast": False})
    again = answer({"issues": [{"id": "2"}], "nextPageToken": "CAEa", "isLast": False})

    assert isinstance(refused("jira", "issues", page, again), PaginationLoop)


def test_case_15_a_total_that_is_later_zero_is_that_of_the_first_page() -> None:
    """Workday: the total is right at offset 0, and 0 after it."""
    first = answer({"total": 3, "data": [{"id": "a"}]})
    provider = scripted(first, *(answer({"total": 0, "data": [{"id": each}]}) for each in ("b", "c")))

    assert ["a", "b", "c"] == [
        record["id"]
        for record in providers.read(loaded("workday-rest"), provider, "workers")
        if isinstance(record, dict)
    ]


def test_case_16_one_element_is_a_list_too() -> None:
    """Workday: one worker is one element in XML, and still a page of one; so is a worker with one id."""
    one = (
        '<wd:Get_Workers_Response xmlns:wd="urn:com.workday/bsvc" wd:version="v44.0"><wd:Response_Results>'
        "<wd:Total_Results>1</wd:Total_Results><wd:Total_Pages>1</wd:Total_Pages><wd:Page_Results>1</wd:Page_Results>"
        "<wd:Page>1</wd:Page></wd:Response_Results><wd:Response_Data><wd:Worker><wd:Worker_Reference>"
        '<wd:ID wd:type="WID">3aa5</wd:ID></wd:Worker_Reference><wd:Worker_Data><wd:Worker_ID>21001</wd:Worker_ID>'
        "</wd:Worker_Data></wd:Worker></wd:Response_Data></wd:Get_Workers_Response>"
    )

    assert [
        {
            "Worker_Reference": {"ID": [{"@type": "WID", "#text": "3aa5"}]},
            "Worker_Data": {"Worker_ID": "21001"},
        }
    ] == providers.read(loaded("workday"), scripted(soap(one)), "workers")


@pytest.mark.parametrize("data", ["", "<wd:Response_Data/>"], ids=["absent", "empty"])
def test_case_16_no_element_is_an_empty_page(data: str) -> None:
    """Workday: nothing found, in either form."""
    none = (
        '<wd:Get_Workers_Response xmlns:wd="urn:com.workday/bsvc"><wd:Response_Results><wd:Total_Results>0'
        "</wd:Total_Results><wd:Total_Pages>0</wd:Total_Pages><wd:Page_Results>0</wd:Page_Results><wd:Page>1</wd:Page>"
        f"</wd:Response_Results>{data}</wd:Get_Workers_Response>"
    )

    assert [] == providers.read(loaded("workday"), scripted(soap(none)), "workers")


def test_case_17_a_cursor_is_the_only_parameter() -> None:
    """Greenhouse: whatever stands beside the cursor is refused; filters and page size are of the first request."""

    def respond(request: Request) -> Response:
        query = _query(request)
        if "cursor" in query and len(query) > 1:
            return answer({"message": "cursor must be the only parameter"}, status=422)
        if "cursor" in query:
            return answer([{"id": 2}])
        return answer([{"id": 1}], ("link", '<https://harvest.greenhouse.io/v3/candidates?cursor=b2Zm>; rel="next"'))

    provider = Provider(respond)

    assert [{"id": 1}, {"id": 2}] == providers.read(loaded("greenhouse"), provider, "candidates")
    assert [{"updated_after", "per_page"}, {"cursor"}] == [set(_query(request)) for request in provider.requests]


def test_case_19_an_expired_iterator_starts_the_read_anew_without_doubles() -> None:
    """Airtable: 422 on the second page; the listing is read from its start, and what was given is not given again."""
    gone = answer({"error": {"type": "LIST_RECORDS_ITERATOR_NOT_AVAILABLE"}}, status=422)
    provider = scripted(
        answer({"records": [{"id": "rec1"}, {"id": "rec2"}], "offset": "itr1/rec2"}),
        gone,
        answer({"records": [{"id": "rec1"}, {"id": "rec2"}], "offset": "itr2/rec2"}),
        answer({"records": [{"id": "rec3"}]}),
    )
    call = Call(raw=True, params={"base_id": "app1", "table": "Contacts"})

    records = providers.read(loaded("airtable"), provider, "records", call=call)

    assert [{"id": "rec1"}, {"id": "rec2"}, {"id": "rec3"}] == records
    assert [None, "itr1/rec2", None, "itr2/rec2"] == [_query(each).get("offset") for each in provider.requests]


def test_case_20_a_stream_without_an_end_stops_where_nothing_is() -> None:
    """Okta: the System Log always names a next page. An empty one ends the run; the next run begins at its link."""
    following = "https://acme.okta.com/api/v1/logs?after=1790_{}"
    provider = scripted(
        answer([{"uuid": "e1"}], ("link", f'<{following.format(1)}>; rel="next"')),
        answer([], ("link", f'<{following.format(2)}>; rel="next"')),
    )

    assert [{"uuid": "e1"}] == providers.read(loaded("okta"), provider, "logs")

    (ended,) = [event for event in provider.events if isinstance(event, ReadEnded)]
    again = scripted(answer([], ("link", f'<{following.format(3)}>; rel="next"')))
    assert [] == providers.read(loaded("okta"), again, "logs", call=Call(raw=True, resume=ended.bookmark))
    assert [following.format(2)] == [request.url for request in again.requests]


def _query(request: Request) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))
