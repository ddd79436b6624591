"""The normaliser through configs: each way in which real APIs tell of their limits, and the rows of the checklist.

Header values are those of the providers' documentation and recorded answers; the moments are moved to one day.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connproof.errors import ConfigWrong
from connproof.model import Headers, RateLimit, Response
from connproof.places import ABSENT, Absent, JsonValue
from connproof.ratelimit import Budget, Limits, read_limits
from scripted import connector

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
DATE = ("date", "Mon, 23 Nov 2026 12:00:00 GMT")
EPOCH = int(NOW.timestamp())


def declared(**words: Any) -> RateLimit:
    """The words of `rate_limit`, read as a config is read."""
    found = connector(rate_limit=words).rate_limit
    assert found is not None
    return found


def answer(*headers: tuple[str, str], body: Any = None, status: int = 200) -> tuple[Response, JsonValue | Absent]:
    text = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Response(status, (DATE, *headers), text), (ABSENT if body is None or isinstance(body, bytes) else body)


def limits(config: RateLimit | None, *headers: tuple[str, str], body: Any = None, throttled: bool = False) -> Limits:
    response, document = answer(*headers, body=body)
    return read_limits(config, response, document, now=NOW, throttled=throttled)


def wait(config: RateLimit | None, *headers: tuple[str, str], body: Any = None) -> int | None:
    return limits(config, *headers, body=body, throttled=True).retry_after_s


# R3: every form of a wait or a reset that was seen, with its unit declared.


@pytest.mark.parametrize(
    ("source", "name", "text", "expected"),
    [
        pytest.param({"unit": "delta_s"}, "x-ratelimit-reset", "2", 2, id="delta seconds, Pipedrive"),
        pytest.param({"unit": "delta_s"}, "ratelimit-reset", "26", 26, id="delta seconds, Zendesk"),
        pytest.param({"unit": "delta_s"}, "ratelimit-reset-daily", "69112", 69_112, id="long window, Klaviyo"),
        pytest.param({"unit": "delta_s"}, "x-ratelimit-reset-after", "20.891", 21, id="delta float, Discord"),
        pytest.param({"unit": "delta_s"}, "retry-after", "2.0", 2, id="delta float, Shopify"),
        pytest.param({"unit": "delta_ms"}, "x-rate-limit-time-reset-ms", "28242", 29, id="delta ms, BigCommerce"),
        pytest.param({"unit": "delta_ms"}, "x-ratelimit-daily-reset", "72746000", 72_746, id="delta ms, HighLevel"),
        pytest.param({"unit": "epoch_s"}, "x-rate-limit-reset", str(EPOCH + 60), 60, id="epoch seconds, Okta"),
        pytest.param({"unit": "epoch_s"}, "ratelimit-reset", str(EPOCH + 60), 60, id="epoch seconds, GitLab"),
        pytest.param(
            {"unit": "epoch_ms"}, "x-ratelimit-requests-reset", str(EPOCH * 1000 + 559), 1, id="epoch ms, Linear"
        ),
        pytest.param(
            {"unit": "iso8601"}, "x-rate-limit-reset", "2026-11-23T12:05:09.0580628Z", 310, id="ISO, Timetastic"
        ),
        pytest.param(
            {"unit": "iso8601"}, "x-accesstoken-reset", "2026-11-23T15:00:59+03:00", 59, id="ISO with offset, Zoho"
        ),
        pytest.param({"unit": "iso8601"}, "x-ratelimit-reset", "2026-11-23T12:56Z", 3_360, id="ISO minutes, Jira"),
        pytest.param({"unit": "http_date"}, "x-reset", "Mon, 23 Nov 2026 12:00:30 GMT", 30, id="HTTP-date"),
        pytest.param({"unit": "duration"}, "x-ratelimit-reset-requests", "8.64s", 9, id="duration"),
        pytest.param({"unit": "duration"}, "x-ratelimit-reset-tokens", "1ms", 1, id="duration in ms"),
        pytest.param({"unit": "duration"}, "x-ratelimit-reset-requests", "6m0s", 360, id="duration in minutes"),
        pytest.param({"unit": "duration"}, "x-rate-limit-limit", "1s", 1, id="duration, Timetastic"),
        pytest.param(
            {"unit": "delta_s", "member": "reset"}, "ratelimit", "limit=240; remaining=239; reset=2", 2, id="k=v, Close"
        ),
        pytest.param(
            {"unit": "delta_s", "member": "resets"},
            "zendesk-ratelimit-tickets-index",
            "total=100; remaining=98; resets=30",
            30,
            id="k=v, Zendesk",
        ),
        pytest.param({"unit": "structured"}, "x-wait", "5;why=x", 5, id="structured field"),
        pytest.param(
            {"unit": "delta_ms"}, "x-hubspot-ratelimit-interval-milliseconds", "10000", 10, id="window alone, HubSpot"
        ),
        pytest.param({"unit": "retry_after"}, "retry-after", "60", 60, id="Retry-After in seconds"),
        pytest.param(
            {"unit": "retry_after"}, "retry-after", "Mon, 23 Nov 2026 12:01:00 GMT", 60, id="Retry-After as a date"
        ),
        pytest.param({"unit": "retry_after"}, "retry-after", "66975", 66_975, id="18 hours, Xero"),
    ],
)
def test_R3_every_form_of_a_header(source: dict[str, Any], name: str, text: str, expected: int) -> None:
    """The same, as a wait and as a budget's reset: seconds from the response's Date, rounded up."""
    told = {"header": name, **source}
    config = declared(wait=[told], budgets=[{"name": "b", "reset": told}])

    found = limits(config, (name, text), throttled=True)

    assert expected == found.retry_after_s
    assert (Budget("b", reset_s=expected),) == found.budgets
    assert () == found.notes


@pytest.mark.parametrize(
    ("source", "body", "expected"),
    [
        pytest.param({"body": "retry_after", "unit": "delta_s"}, {"retry_after": 64.57}, 65, id="a number"),
        pytest.param({"body": "wait", "unit": "delta_ms"}, {"wait": "1500"}, 2, id="a text"),
        pytest.param(
            {"body": "error.details[0].retryDelay", "unit": "duration"},
            {"error": {"details": [{"retryDelay": "30s"}]}},
            30,
            id="RetryInfo, Google",
        ),
        pytest.param(
            {"text": "Retry after ([0-9TZ:.-]+)", "unit": "iso8601"},
            {"error": {"message": "User-rate limit exceeded.  Retry after 2026-11-23T12:37:59.000Z"}},
            2_279,
            id="in the message, Gmail",
        ),
        pytest.param(
            {"text": "in the next ([0-9]+) seconds", "unit": "delta_s"},
            b"Slow down. Try again in the next 7 seconds.",
            7,
            id="in a body of plain text",
        ),
        pytest.param(
            {"body": "message", "pattern": "with in '([0-9]+)' secs", "unit": "delta_s"},
            {"message": "Max rate limit '100' exceeded with in '20' secs"},
            20,
            id="in a member, Marketo",
        ),
    ],
)
def test_R3_every_form_of_a_body(source: dict[str, Any], body: Any, expected: int) -> None:
    """A place, a place's part, or a sentence of a body of any type."""
    assert expected == wait(declared(wait=[source]), body=body)


@pytest.mark.parametrize(
    ("source", "name", "text"),
    [
        pytest.param({"unit": "delta_s"}, "x-ratelimit-reset", "+10000000001", id="odd, Ashby"),
        pytest.param({"unit": "delta_s"}, "ratelimit-reset", str(EPOCH), id="an epoch for a delta"),
        pytest.param({"unit": "epoch_s"}, "ratelimit-reset", "26", id="a delta for an epoch"),
        pytest.param({"unit": "epoch_ms"}, "ratelimit-reset", str(EPOCH), id="seconds for milliseconds"),
        pytest.param({"unit": "iso8601"}, "x-reset", "2026-11-23T12:05:09", id="ISO without a zone"),
        pytest.param({"unit": "iso8601"}, "x-reset", "2026-13-23T12:05:09Z", id="no month"),
        pytest.param({"unit": "iso8601"}, "x-reset", "\u0662026-11-23T12:05:09Z", id="other digits"),
        pytest.param({"unit": "duration"}, "x-reset", "8", id="duration without a unit"),
        pytest.param({"unit": "duration"}, "x-reset", "8s garbage", id="duration and more"),
        pytest.param({"unit": "structured"}, "x-reset", "5.5", id="structured decimal"),
        pytest.param({"unit": "http_date"}, "x-reset", "Mon, 23 Nov 2026 12:00:30 EST", id="other zone"),
        pytest.param({"unit": "retry_after"}, "retry-after", "2.0", id="Retry-After with decimals"),
        pytest.param({"unit": "delta_s", "pattern": "in ([0-9]+)"}, "x-reset", "for 5", id="pattern"),
        pytest.param({"unit": "delta_s", "max_s": 10}, "x-reset", "11", id="max_s"),
        pytest.param({"values": {"DAILY": 86_400}}, "x-policy", "HOURLY", id="unknown name"),
    ],
)
def test_R3_what_does_not_fit_is_absent_and_noted(source: dict[str, Any], name: str, text: str) -> None:
    """The unit is declared, never guessed; a note names the field and not its value."""
    found = limits(declared(wait=[{"header": name, **source}]), (name, text), throttled=True)

    assert found.retry_after_s is None
    (note,) = (note for note in found.notes if not note.startswith("no_date"))
    assert note.startswith(f"unfit: {name}") and text not in note


@pytest.mark.parametrize("value", [True, None, [5], {"s": 5}, "soon", -1, 1e300])
def test_R3_a_body_that_says_something_else(value: JsonValue) -> None:
    """Only a null is as good as nothing; all else leaves a note."""
    found = limits(declared(wait=[{"body": "wait", "unit": "delta_s"}]), body={"wait": value}, throttled=True)

    assert (None, value is not None) == (found.retry_after_s, bool(found.notes))


def test_R3_structured_policies_of_several_limits() -> None:
    """Recorded at Monday: three limits in one field, of which one has a window."""
    headers: Headers = (
        ("ratelimit", '"minuteRate";r=1334, "concurrency";r=79, "complexityMinute";r=4999840;t=60'),
        ("ratelimit-policy", '"minuteRate";q=1335;w=60, "concurrency";q=80, "complexityMinute";q=5000000;w=60'),
    )

    found = limits(declared(standard="pair"), *headers)

    assert ("minuteRate", "concurrency", "complexityMinute") == tuple(budget.name for budget in found.budgets)
    assert (
        ("ratelimit-limit", "80"),
        ("ratelimit-remaining", "79"),
        *headers,
    ) == found.headers()


# R4, R6: which wait, and from where.

GITHUB: dict[str, Any] = {
    "wait": [
        {"header": "retry-after", "unit": "retry_after"},
        {"header": "x-ratelimit-reset", "unit": "epoch_s"},
    ],
    "default_wait_s": 60,
}
BOTH: Headers = (("retry-after", "5"), ("x-ratelimit-reset", str(EPOCH + 90)))


@pytest.mark.parametrize(
    ("words", "headers", "expected"),
    [
        ({"choose": "first"}, BOTH, 5),
        ({"choose": "longest"}, BOTH, 90),
        ({}, BOTH, 90),
        ({"choose": "first"}, BOTH[1:], 90),
        ({"choose": "first"}, (("retry-after", "soon"), *BOTH[1:]), 90),
        ({}, (), 60),
        ({"default_wait_s": 0}, (), 0),
    ],
    ids=["first", "longest", "longest is the default", "first there", "first readable", "none", "0 is a wait"],
)
def test_R4_sources_in_order(words: dict[str, Any], headers: Headers, expected: int) -> None:
    """First or longest; the config's own number where the provider says nothing."""
    assert expected == wait(declared(**{**GITHUB, **words}), *headers)


def test_R4_a_fixed_wait() -> None:
    """Airtable documents 30 seconds, and its answers say none."""
    assert 30 == wait(declared(wait=[{"fixed_s": 30}]))


def test_R4_nothing_is_invented() -> None:
    """Without a word of the provider or the config there is no wait."""
    assert None is wait(declared(standard="pair"))
    assert None is wait(None)


@pytest.mark.parametrize(("kind", "expected"), [("burst", 3), ("day", 86_400), ("other", 9)])
def test_R4_a_kind_of_throttle_has_its_own_sources(kind: str, expected: int) -> None:
    """The first throttle that is like the answer decides; the rest is as everywhere."""
    config = declared(
        throttled=[
            {"when": {"body": {"kind": "burst"}}, "wait": [{"fixed_s": 3}]},
            {"when": {"body": {"kind": "day"}}, "wait": [{"fixed_s": 86_400}]},
            {"when": {"body": {"kind": "other"}}},
        ]
    )

    assert expected == wait(config, ("retry-after", "9"), body={"kind": kind})


@pytest.mark.parametrize(
    ("policy", "expected"), [("TEN_SECONDLY_ROLLING", 10), ("SECONDLY", 1), ("DAILY", 86_400), ("NEW", None)]
)
def test_R6_a_policy_name_says_how_long(policy: str, expected: int | None) -> None:
    """HubSpot names the policy in the body, and Xero in a header."""
    table = {"DAILY": 86_400, "SECONDLY": 1, "TEN_SECONDLY_ROLLING": 10}

    assert expected == wait(declared(wait=[{"body": "policyName", "values": table}]), body={"policyName": policy})
    assert expected == wait(declared(wait=[{"header": "X-Problem", "values": table}]), ("x-problem", policy))


def test_R6_an_empty_budget_waits_for_its_window() -> None:
    """Where nobody says when it is restored, a whole window is long enough."""
    interval = {"header": "x-hubspot-ratelimit-interval-milliseconds", "unit": "delta_ms"}
    budget = {"name": "rolling", "remaining": {"header": "x-left"}, "window": interval}
    config = declared(budgets=[budget])

    headers = (("x-left", "0"), ("x-hubspot-ratelimit-interval-milliseconds", "10000"))
    assert 10 == wait(config, *headers)
    assert () == tuple(name for name, _ in limits(config, *headers).headers() if name == "ratelimit-reset")


# R7: several budgets at once.

HUBSPOT: dict[str, Any] = {
    "budgets": [
        {
            "name": "rolling",
            "limit": {"header": "X-HubSpot-RateLimit-Max"},
            "remaining": {"header": "X-HubSpot-RateLimit-Remaining"},
            "window": {"header": "X-HubSpot-RateLimit-Interval-Milliseconds", "unit": "delta_ms"},
        },
        {
            "name": "secondly",
            "limit": {"header": "X-HubSpot-RateLimit-Secondly"},
            "remaining": {"header": "X-HubSpot-RateLimit-Secondly-Remaining"},
            "window": 1,
        },
        {
            "name": "daily",
            "limit": {"header": "X-HubSpot-RateLimit-Daily"},
            "remaining": {"header": "X-HubSpot-RateLimit-Daily-Remaining"},
            "window": {"fixed_s": 86_400},
        },
    ]
}


def test_R7_several_budgets_at_once() -> None:
    """Each is told under its name; the triple tells of the one that is nearest to its end."""
    found = limits(
        declared(**HUBSPOT),
        ("x-hubspot-ratelimit-interval-milliseconds", "10000"),
        ("x-hubspot-ratelimit-max", "110"),
        ("x-hubspot-ratelimit-remaining", "108"),
        ("x-hubspot-ratelimit-secondly", "11"),
        ("x-hubspot-ratelimit-secondly-remaining", "10"),
        ("x-hubspot-ratelimit-daily", "250000"),
        ("x-hubspot-ratelimit-daily-remaining", "249000"),
    )

    assert (
        ("ratelimit-limit", "11"),
        ("ratelimit-remaining", "10"),
        ("ratelimit", '"rolling";r=108, "secondly";r=10, "daily";r=249000'),
        ("ratelimit-policy", '"rolling";q=110;w=10, "secondly";q=11;w=1, "daily";q=250000;w=86400'),
    ) == found.headers()


def test_R7_a_response_that_says_nothing_has_no_budgets() -> None:
    """A search at HubSpot: what is fixed in the config is no news from the provider."""
    assert Limits() == limits(declared(**HUBSPOT))


def test_R7_of_equally_empty_budgets_the_longest_counts() -> None:
    """Also for how long to wait."""
    config = declared(
        budgets=[
            {
                "name": name,
                "remaining": {"header": f"{name}-left"},
                "reset": {"header": f"{name}-in", "unit": "delta_s"},
            }
            for name in ("minute", "day")
        ]
    )
    headers = (("minute-left", "0"), ("minute-in", "9"), ("day-left", "0"), ("day-in", "4000"))

    assert 4_000 == wait(config, *headers)
    assert ("ratelimit-reset", "4000") in limits(config, *headers).headers()


@pytest.mark.parametrize(
    ("header", "limit", "remaining"),
    [
        pytest.param(("x-readratelimit-limit", "100,1000"), 100, 76, id="the first of two, Strava"),
        pytest.param(("x-readratelimit-limit", "100"), None, None, id="another form"),
    ],
)
def test_R7_lists_of_numbers(header: tuple[str, str], limit: int | None, remaining: int | None) -> None:
    """A pattern picks one; where it finds nothing, there is none, and a note."""
    budget = {
        "name": "short",
        "limit": {"header": "x-readratelimit-limit", "pattern": "^([0-9]+),"},
        "used": {"header": "x-readratelimit-usage", "pattern": "^([0-9]+),"},
    }

    found = limits(declared(budgets=[budget]), header, ("x-readratelimit-usage", "24,76"))

    assert [(limit, remaining)] == [(budget.limit, budget.remaining) for budget in found.budgets]
    assert (limit is None) is bool(found.notes)


def test_R7_lines_of_one_header_tell_of_one_limit_each() -> None:
    """Recorded in the field: each line is JSON, and a pattern picks its own."""
    budgets = [
        {"name": name, "remaining": {"header": "x-ratelimit", "pattern": f'"name":"{name}",.*"remaining":([0-9]+)'}}
        for name in ("API", "API_PATH")
    ]
    lines = [f'{{"name":"{name}","limit":50,"remaining":{left}}}' for name, left in (("API", 49), ("API_PATH", 7))]

    found = limits(declared(budgets=budgets), *(("x-ratelimit", line) for line in lines))

    assert [("API", 49), ("API_PATH", 7)] == [(budget.name, budget.remaining) for budget in found.budgets]
    assert () == found.notes


# R8 to R12.


@pytest.mark.parametrize(("throttled", "expected"), [(False, None), (True, 26)])
@pytest.mark.parametrize(
    "config", [None, RateLimit(), RateLimit(default_wait_s=60)], ids=["no words", "words", "default"]
)
def test_R8_retry_after_counts_with_a_throttle_alone(
    config: RateLimit | None, throttled: bool, expected: int | None
) -> None:
    """FreshBooks sends it with every success."""
    found = limits(config, ("retry-after", "26"), throttled=throttled)

    assert (expected, expected is not None) == (found.retry_after_s, bool(found.headers()))


@pytest.mark.parametrize(
    ("text", "remaining"), [("32/40", 8), ("40/40", 0), ("41/40", 0), ("31.2/40", 8), ("0/40", 40)]
)
def test_R9_used_of_a_bucket(text: str, remaining: int) -> None:
    """Shopify says used/bucket; two leak out each second, so that a wait can be computed."""
    name = "X-Shopify-Shop-Api-Call-Limit"
    budget = {
        "name": "bucket",
        "limit": {"header": name, "pattern": "/([0-9.]+)$"},
        "used": {"header": name, "pattern": "^([0-9.]+)/"},
        "refill_per_s": 2,
    }

    (found,) = limits(declared(budgets=[budget]), (name.lower(), text)).budgets

    assert (40, remaining, -((remaining - 40) // 2)) == (found.limit, found.remaining, found.reset_s)


@pytest.mark.parametrize(
    ("text", "used"), [("api-usage=18/5000", 18), ("per-app=17/250(app=x); api-usage=19/5000", 19)]
)
def test_R9_used_in_a_list_of_members(text: str, used: int) -> None:
    """Salesforce says it beside other things."""
    member = {"header": "Sforce-Limit-Info", "member": "api-usage"}
    budget = {"name": "api", "limit": {**member, "pattern": "/([0-9]+)"}, "used": {**member, "pattern": "^([0-9]+)"}}

    (found,) = limits(declared(budgets=[budget]), ("sforce-limit-info", text)).budgets

    assert (5_000, 5_000 - used) == (found.limit, found.remaining)


@pytest.mark.parametrize(
    ("available", "needed", "expected"), [(2.0, 252, 5), (251.9, 252, 1), (0, 2_000, 40), (252, 252, None)]
)
def test_R9_a_wait_computed_from_cost(available: float, needed: int, expected: int | None) -> None:
    """Shopify's GraphQL says what a query needs, what there is, and what comes back each second."""
    at = "extensions.cost"
    budget = {
        "name": "points",
        "limit": {"body": f"{at}.throttleStatus.maximumAvailable"},
        "remaining": {"body": f"{at}.throttleStatus.currentlyAvailable"},
        "refill_per_s": {"body": f"{at}.throttleStatus.restoreRate"},
        "needed": {"body": f"{at}.requestedQueryCost"},
    }
    status: JsonValue = {"maximumAvailable": 2_000.0, "currentlyAvailable": available, "restoreRate": 50.0}
    body = {"extensions": {"cost": {"requestedQueryCost": needed, "throttleStatus": status}}}

    assert expected == wait(declared(budgets=[budget]), body=body)


OKTA: dict[str, Any] = {
    "budgets": [
        {
            "name": "endpoint",
            "limit": {"header": "X-Rate-Limit-Limit"},
            "remaining": {"header": "X-Rate-Limit-Remaining"},
            "reset": {"header": "X-Rate-Limit-Reset", "unit": "epoch_s"},
        }
    ]
}


@pytest.mark.parametrize("skew", [-600, 0, 3_600])
def test_R11_the_responses_own_date_is_the_clock(skew: int) -> None:
    """GitHub, Okta, Intercom: whatever our clock says, the provider's two moments are of one clock."""
    there = datetime.fromtimestamp(EPOCH + skew, tz=UTC)
    headers: Headers = (
        ("date", there.strftime("%a, %d %b %Y %H:%M:%S GMT")),
        ("x-rate-limit-limit", "600"),
        ("x-rate-limit-remaining", "599"),
        ("x-rate-limit-reset", str(EPOCH + skew + 60)),
    )

    found = read_limits(declared(**OKTA), Response(200, headers), ABSENT, now=NOW, throttled=False)

    assert (Budget("endpoint", 600, 599, 60),) == found.budgets


def test_R12_nothing_of_nothing_is_a_concurrency_violation() -> None:
    """Okta says limit 0 and remaining 0; its reset is a hint, and the longer wait is the safe one."""
    found = limits(
        declared(**OKTA),
        ("x-rate-limit-limit", "0"),
        ("x-rate-limit-remaining", "0"),
        ("x-rate-limit-reset", str(EPOCH + 20)),
        throttled=True,
    )

    assert (20, ("concurrency: endpoint",)) == (found.retry_after_s, found.notes)
    assert (
        ("retry-after", "20"),
        ("ratelimit-limit", "0"),
        ("ratelimit-remaining", "0"),
        ("ratelimit-reset", "20"),
        ("ratelimit", '"endpoint";r=0;t=20'),
        ("ratelimit-policy", '"endpoint";q=0'),
    ) == found.headers()


@pytest.mark.parametrize(
    "body", [None, b"", b"Number of allowed requests exceeded", b"<ApiException/>", b"\xff\xfe\x00"], ids=repr
)
def test_R14_a_throttles_body_may_be_anything(body: bytes | None) -> None:
    """Zendesk and Xero send text, XML or nothing: the headers say enough."""
    config = declared(wait=[{"body": "wait", "unit": "delta_s"}, {"header": "retry-after", "unit": "retry_after"}])

    assert 27 == wait(config, ("retry-after", "27"), body=body)


def test_R5_a_wait_of_hours_is_told_as_it_is() -> None:
    """How long is too long is the caller's to decide: nothing is capped."""
    assert 10**9 == wait(None, ("retry-after", str(10**9)))


def test_half_a_surrogate_pair_is_no_number() -> None:
    """RE2 refuses such a text; a caller gets an answer all the same."""
    config = declared(wait=[{"body": "wait", "pattern": "in ([0-9]+)", "unit": "delta_s"}])

    assert 5 == wait(config, body={"wait": "\ud800 in 5"})


def test_what_is_computed_is_exact() -> None:
    """A float would have lost the last second."""
    budget = {"name": "b", "limit": 999_999_999_999_999, "remaining": {"header": "x"}, "refill_per_s": 7}

    (found,) = limits(declared(budgets=[budget]), ("x", "1")).budgets

    assert 142_857_142_857_143 == found.reset_s


def test_notes_are_bounded() -> None:
    """A config with many budgets and a provider gone astray do not fill a log."""
    budgets = [{"name": f"b{n}", "remaining": {"header": f"h{n}"}} for n in range(50)]

    found = limits(declared(budgets=budgets), *((f"h{n}", "x") for n in range(50)))

    assert 20 == len(found.notes)


@pytest.mark.parametrize(
    ("name", "text"), [("x-list", "a" * 100_000), ("x-list", "=;" * 50_000), ("x-list", "1" * 100_000)]
)
def test_hostile_headers_say_nothing(name: str, text: str) -> None:
    """100 kB of anything is unfit, and read in no time."""
    source = {"header": name, "member": "a", "unit": "duration"}

    assert None is wait(declared(wait=[source, {"header": name, "unit": "iso8601"}]), (name, text))


units = st.sampled_from(
    ["delta_s", "delta_ms", "epoch_s", "epoch_ms", "http_date", "iso8601", "duration", "retry_after", "structured"]
)


@given(units, st.text(st.characters(max_codepoint=255), max_size=40) | st.text("0123456789.:-TZsmh+ ", max_size=30))
def test_no_text_raises(unit: str, text: str) -> None:
    """Any header in any unit is a wait that is no negative number, or none and a note."""
    found = limits(declared(wait=[{"header": "x", "unit": unit}]), ("x", text), throttled=True)

    assert (found.retry_after_s is None) or found.retry_after_s >= 0


@given(
    st.dictionaries(
        st.sampled_from("ab"), st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9)
    )
)
def test_no_body_raises(body: dict[str, JsonValue]) -> None:
    """Any body too."""
    config = declared(
        budgets=[{"name": "b", "limit": {"body": "a"}, "used": {"body": "b"}}], wait=[{"body": "a", "unit": "delta_ms"}]
    )

    found = read_limits(config, Response(429), body, now=NOW, throttled=True)

    assert all(budget.remaining is None or budget.remaining >= 0 for budget in found.budgets)


# The words.


@pytest.mark.parametrize(
    ("words", "pointer", "message"),
    [
        ({}, "/rate_limit", "is empty"),
        ({"waits": []}, "/rate_limit/waits", "unknown member"),
        ({"standard": "draft"}, "/rate_limit/standard", "not a valid word"),
        ({"choose": "shortest"}, "/rate_limit/choose", "not a valid word"),
        ({"wait": []}, "/rate_limit/wait", "is empty"),
        ({"wait": [{"header": "x"}]}, "/rate_limit/wait/0", "one of unit, values, fixed_s"),
        ({"wait": [{"unit": "delta_s"}]}, "/rate_limit/wait/0", "one of header, body, text, fixed_s: one is needed"),
        ({"wait": [{"header": "x", "body": "y", "unit": "delta_s"}]}, "/rate_limit/wait/0", "not header and body"),
        ({"wait": [{"header": "x", "unit": "seconds"}]}, "/rate_limit/wait/0/unit", "not a valid word"),
        ({"wait": [{"header": "x y", "unit": "delta_s"}]}, "/rate_limit/wait/0/header", "does not match"),
        ({"wait": [{"body": "a[*]", "unit": "delta_s"}]}, "/rate_limit/wait/0/body", "[*] finds a list"),
        ({"wait": [{"body": "a[", "unit": "delta_s"}]}, "/rate_limit/wait/0/body", "not a path"),
        ({"wait": [{"text": "in (", "unit": "delta_s"}]}, "/rate_limit/wait/0/text", "not a regular expression"),
        ({"wait": [{"text": "in [0-9]+", "unit": "delta_s"}]}, "/rate_limit/wait/0/text", "has 0 groups"),
        ({"wait": [{"text": "(a)(b)", "unit": "delta_s"}]}, "/rate_limit/wait/0/text", "has 2 groups"),
        (
            {"wait": [{"header": "x", "pattern": "(?=a)", "unit": "delta_s"}]},
            "/rate_limit/wait/0/pattern",
            "not a regular",
        ),
        (
            {"wait": [{"text": "(a)", "pattern": "(b)", "unit": "delta_s"}]},
            "/rate_limit/wait/0/pattern",
            'says nothing beside "text"',
        ),
        ({"wait": [{"fixed_s": 5, "unit": "delta_s"}]}, "/rate_limit/wait/0/unit", 'says nothing beside "fixed_s"'),
        (
            {"wait": [{"header": "x", "values": {"a": 1}, "unit": "delta_s"}]},
            "/rate_limit/wait/0/unit",
            'says nothing beside "values"',
        ),
        ({"wait": [{"body": "x", "member": "a", "unit": "delta_s"}]}, "/rate_limit/wait/0/member", 'needs "header"'),
        ({"wait": [{"header": "x", "values": {"a": -1}}]}, "/rate_limit/wait/0/values/a", "out of range"),
        ({"throttled": [{"wait": [{"fixed_s": 5}]}]}, "/rate_limit/throttled/0", '"when" is missing'),
        ({"throttled": [{"when": {"text": "("}}]}, "/rate_limit/throttled/0/when/text", "not a regular expression"),
        ({"budgets": [{"name": "a"}]}, "/rate_limit/budgets/0", "one of remaining, used, reset"),
        ({"budgets": [{"name": "a b", "remaining": {"header": "x"}}]}, "/rate_limit/budgets/0/name", "does not match"),
        (
            {"budgets": [{"name": "a", "remaining": {"header": "x", "unit": "delta_s"}}]},
            "/rate_limit/budgets/0/remaining/unit",
            "not a valid word",
        ),
        ({"budgets": [{"name": "a", "used": {"header": "x"}}]}, "/rate_limit/budgets/0/used", 'needs "limit"'),
        (
            {"budgets": [{"name": "a", "used": {"header": "x"}, "limit": -1}]},
            "/rate_limit/budgets/0/limit",
            "out of range",
        ),
        (
            {"budgets": [{"name": "a", "remaining": {"header": "x"}}] * 2},
            "/rate_limit/budgets/1/name",
            'another budget "a"',
        ),
        (
            {"budgets": [{"name": "a", "remaining": {"header": "x"}, "window": {"header": "y"}}]},
            "/rate_limit/budgets/0/window",
            "one of unit, values, fixed_s",
        ),
    ],
)
def test_a_wrong_word_is_told_with_its_place(words: dict[str, Any], pointer: str, message: str) -> None:
    """Every mistake has its pointer and its reason."""
    with pytest.raises(ConfigWrong) as caught:
        connector(rate_limit=words)

    problems = [problem for problem in caught.value.problems if problem.pointer == pointer]
    assert [message] == [message for problem in problems if message in str(problem)][:1]
    assert all(problem.line for problem in problems)


@pytest.mark.parametrize(
    ("words", "pointer"),
    [
        ({"wait": [{"fixed_s": 1, "x": 1}]}, "/wait/0/x"),
        ({"wait": [{"header": "x", "unit": "delta_s", "units": 1}]}, "/wait/0/units"),
        ({"throttled": [{"when": {"status": 403}, "waits": 1}]}, "/throttled/0/waits"),
        ({"throttled": [{"when": {"state": 403}}]}, "/throttled/0/when/state"),
        ({"budgets": [{"name": "a", "remaining": {"header": "x"}, "left": 1}]}, "/budgets/0/left"),
        ({"budgets": [{"name": "a", "remaining": {"header": "x", "max_s": 1}}]}, "/budgets/0/remaining/max_s"),
        (
            {"budgets": [{"name": "a", "remaining": {"header": "x"}, "window": {"fixed_s": 1, "x": 1}}]},
            "/budgets/0/window/x",
        ),
    ],
)
def test_every_level_is_closed(words: dict[str, Any], pointer: str) -> None:
    """A misspelt word never means its default."""
    with pytest.raises(ConfigWrong) as caught:
        connector(rate_limit=words)

    assert [f"/rate_limit{pointer}"] == [problem.pointer for problem in caught.value.problems]
    assert caught.value.problems[0].message.startswith("unknown member")


def test_the_defaults() -> None:
    """What is not said is Retry-After by the RFC, the longest wait, and nothing of budgets."""
    assert RateLimit(default_wait_s=1) == declared(default_wait_s=1.0)
    assert None is connector().rate_limit
