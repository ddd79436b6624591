"""Rate limits as real APIs sent them, through the words that a connector would declare.

What a recorder's proxy added is not looked at: each case reads headers of which the provider is known to be the author.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

import formats
from connproof.config import parse
from connproof.model import RateLimit, Response
from connproof.places import ABSENT
from connproof.ratelimit import read_limits
from connproof.standards.lifecycle import read_lifecycle
from listings import ABSENT as NO_CORPUS
from listings import CORPUS
from pytest_connproof.foreign import ForeignUnreadable

NOW = datetime(2026, 11, 23, tzinfo=UTC)
REWRITTEN = "Tue, 10 Oct 2017 16:00:00 GMT"  # one recorder put the same date, and a reset of its own, into all it kept


def budget(family: str, unit: str | None = None, **words: Any) -> dict[str, Any]:
    """A family of headers: its limit, what remains, and its reset."""
    reset = {} if unit is None else {"reset": {"header": f"{family}-reset", "unit": unit}}
    left = {"limit": {"header": f"{family}-limit"}, "remaining": {"header": f"{family}-remaining"}}
    return {"name": "quota", **left, **reset, **words}


def milliseconds(family: str, name: str) -> dict[str, Any]:
    """A family with an interval in place of a reset."""
    return {
        "name": name,
        "limit": {"header": f"{family}-max"},
        "remaining": {"header": f"{family}-remaining"},
        "window": {
            "header": f"{family}-interval-milliseconds" if "hubspot" in family else f"{family}-interval-ms",
            "unit": "delta_ms",
        },
    }


def in_json(policy: str, member: str) -> dict[str, str]:
    """One line of the header for each policy, as JSON."""
    return {"header": "x-ratelimit", "pattern": f'"name":"{policy}",.*"{member}":([0-9]+)'}


# Folder, the header that the provider itself sends, its budgets, and the longest reset that makes sense.
CASES: list[tuple[str, str, list[dict[str, Any]], int]] = [
    ("github", "x-ratelimit-resource", [budget("x-ratelimit", "epoch_s")], 3_600),
    ("twitter", "x-rate-limit-reset", [budget("x-rate-limit", "epoch_s")], 900),
    ("pennylane", "ratelimit-reset", [budget("ratelimit", "epoch_s")], 60),
    ("mastodon", "x-ratelimit-reset", [budget("x-ratelimit", "iso8601")], 24 * 3_600),
    ("reddit", "x-ratelimit-used", [{k: v for k, v in budget("x-ratelimit", "delta_s").items() if k != "limit"}], 600),
    (
        "pipedrive",
        "x-ratelimit-reset",
        [budget("x-ratelimit", "delta_s"), budget("x-daily-ratelimit-token", name="daily")],
        10,
    ),
    ("hubspot", "x-hubspot-ratelimit-max", [milliseconds("x-hubspot-ratelimit", "rolling")], 0),
    (
        "trello",
        "x-rate-limit-member-max",
        [milliseconds(f"x-rate-limit-{name}", name) for name in ("api-key", "api-token", "member")],
        0,
    ),
    (
        "strava",
        "x-readratelimit-usage",
        [
            {
                "name": name,
                "limit": {"header": "x-readratelimit-limit", "pattern": pattern},
                "used": {"header": "x-readratelimit-usage", "pattern": pattern},
            }
            for name, pattern in (("quarter", "^([0-9]+),"), ("day", ",([0-9]+)$"))
        ],
        0,
    ),
    (
        "shopify",
        "x-shopify-shop-api-call-limit",
        [
            {
                "name": "bucket",
                "limit": {"header": "x-shopify-shop-api-call-limit", "pattern": "/([0-9]+)$"},
                "used": {"header": "x-shopify-shop-api-call-limit", "pattern": "^([0-9]+)/"},
            }
        ],
        0,
    ),
    (
        "salesforce",
        "sforce-limit-info",
        [
            {
                "name": "day",
                "limit": {"header": "sforce-limit-info", "member": "api-usage", "pattern": "/([0-9]+)$"},
                "used": {"header": "sforce-limit-info", "member": "api-usage", "pattern": "^([0-9]+)/"},
            }
        ],
        0,
    ),
    (
        "jira",
        "x-ratelimit",
        [{"name": "api", "limit": in_json("API", "limit"), "remaining": in_json("API", "remaining")}],
        0,
    ),
]


def declared(budgets: list[dict[str, Any]]) -> RateLimit:
    document = {
        "base_url": "https://api.example",
        "auth": {"type": "none"},
        "resources": {"rows": {"list": {"method": "GET", "path": "/rows"}}},
        "rate_limit": {"budgets": budgets},
    }
    found = parse(json.dumps(document).encode(), folder="sample").rate_limit
    assert found is not None
    return found


def responses(folder: str) -> list[Response]:
    """Every recorded response of a folder of the corpus; some recorders kept numbers in headers."""
    found: list[Response] = []
    for path in sorted((CORPUS / folder).rglob("*")):
        try:
            exchanges = formats.read(path).exchanges if path.is_file() else ()
        except ForeignUnreadable:
            continue
        for taped in exchanges:
            headers = tuple((name, str(value)) for name, value in taped.response.headers)
            found.append(Response(taped.response.status, headers, taped.response.body))
    return found


@pytest.mark.skipif(not CORPUS.is_dir(), reason=NO_CORPUS)
@pytest.mark.parametrize(("folder", "header", "budgets", "longest"), CASES, ids=[case[0] for case in CASES])
def test_R3_recorded_limits_are_read(folder: str, header: str, budgets: list[dict[str, Any]], longest: int) -> None:
    """Each number is found and makes sense: what is left is no more than the limit, and the reset is near."""
    config = declared(budgets)
    moments = any(rule.reset and rule.reset.unit in {"epoch_s", "iso8601"} for rule in config.budgets)
    dated = [
        one for one in responses(folder) if one.header("date") != REWRITTEN and (one.header("date") or not moments)
    ]
    told = [one for one in dated if one.header(header) is not None]

    read = [read_limits(config, one, ABSENT, now=NOW, throttled=False) for one in told]

    assert told
    assert {()} == {limits.notes for limits in read}
    assert all(limits.budgets for limits in read)
    seen = [budget for limits in read for budget in limits.budgets]
    assert all(b.remaining is not None and (b.limit is None or b.remaining <= b.limit) for b in seen)
    assert longest >= max((b.reset_s for b in seen if b.reset_s is not None), default=0)


@pytest.mark.skipif(not CORPUS.is_dir(), reason=NO_CORPUS)
@pytest.mark.parametrize("folder", sorted(path.name for path in CORPUS.glob("*") if path.is_dir()))
def test_no_recorded_response_raises(folder: str) -> None:
    """Whatever is declared for it: a wrong declaration gives notes, and never a reset in 56 years."""
    month = 31 * 24 * 3_600
    for response in responses(folder):
        for form in ("pair", "triple", "dictionary"):
            limits = read_limits(RateLimit(standard=form), response, ABSENT, now=NOW, throttled=True)
            assert all(budget.reset_s is None or budget.reset_s <= month for budget in limits.budgets)
        read_lifecycle(response, now=NOW)
