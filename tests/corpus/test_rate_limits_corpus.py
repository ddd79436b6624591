"""Real throttles are told as such, with the wait that the provider named, and what only looks like one is not."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest

from answers import Answered, answers, judging, meaning
from connproof.clock import FixedClock
from connproof.errors import ProviderBusy
from listings import ABSENT, CORPUS

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=ABSENT)

CLOCK = FixedClock(datetime(2026, 5, 14, tzinfo=UTC))

# Which config judges which source. Sources of providers that have none are judged by one that says nothing.
JUDGED_BY = {
    "bamboohr/bamboozled": "bamboohr",
    "github/octokit.rb": "github",
    "github/github3.py": "github",
    "google/gspread": "google",
    "google/gspread-history": "google",
    "greenhouse/greenhouse_io": "greenhouse-v1",
    "hubspot/hubspot-ruby": "hubspot",
    "mastodon/Mastodon.py": None,
    "notion/notion-ruby-client": "notion",
    "pipedrive/pipedrive_ruby": "pipedrive",
    "quickbooks/qbo_api": "quickbooks",
    "reddit/praw": None,
    "slack/slack-ruby-client": "slack",
    "stripe/pay": "stripe",
    "twitter/tweepy": None,
}


def _listed() -> list[tuple[str, str, int]]:
    """Source, file and number of throttles of every row of cases.json."""
    if not CORPUS.is_dir():
        return []
    rows = json.loads((CORPUS / "cases.json").read_bytes())["rate_limit"]
    return [(row["source"], row["file"], row["n"]) for row in rows]


@pytest.mark.parametrize(("source", "file", "number"), _listed(), ids=[row[1].split("/")[0] for row in _listed()])
def test_R1_every_recorded_throttle_is_one(source: str, file: str, number: int) -> None:
    """As many as the corpus says there are in this file, each told as a throttle, and with no wait made up."""
    connector = judging(JUDGED_BY[source])
    found = [each for each in answers(source) if each.id.startswith(f"{source}/{file}#")]
    told = [meaning(connector, each, CLOCK) for each in found]

    throttled = [error for error in told if isinstance(error, ProviderBusy)]

    assert number == len(throttled)
    assert {"RESOURCE_EXHAUSTED"} == {error.code for error in throttled}
    assert [None] * number == [error.seconds for error in throttled]


def test_R6_a_wait_may_follow_from_the_name_of_a_window() -> None:
    """These answers name no time, but their sentence names the window: per minute. A config can say what that means."""
    word = {"body": "error.message", "pattern": "'Read requests (per minute) per user'", "values": {"per minute": 60}}
    connector = judging("google", rate_limit={"wait": [word]})
    throttled = [each for each in answers("google/gspread-history") if each.response.status == 429]
    named = [each for each in throttled if b"'Read requests per minute per user'" in each.response.body]

    waits = [getattr(meaning(connector, each, CLOCK), "seconds", None) for each in throttled]

    assert [60 if each in named else None for each in throttled] == waits
    assert len(named) >= 30


def _is_throttle(answered: Answered) -> bool:
    """What every provider here calls one, read without a config: the status, or a 403 that speaks of a limit."""
    status, text = answered.response.status, answered.response.body.decode("utf-8", "replace")
    return status == 429 or (status in {403, 503} and re.search(r"(?i)rate.?limit|quota|throttl", text) is not None)


@pytest.mark.parametrize("source", JUDGED_BY)
def test_R2_what_is_no_throttle_is_never_called_one(source: str) -> None:
    """Every other answer of the source: successes with counters in their headers, missing permissions, faults."""
    connector = judging(JUDGED_BY[source])

    told = [each.id for each in answers(source) if isinstance(meaning(connector, each, CLOCK), ProviderBusy)]

    assert [each.id for each in answers(source) if _is_throttle(each)] == told


def test_R2_the_corpus_has_what_looks_like_a_throttle() -> None:
    """Several providers answer 403 without meaning a limit: the test above has something to tell apart."""
    refused = [each for source in JUDGED_BY for each in answers(source) if each.response.status in {403, 503}]

    assert len([each for each in refused if not _is_throttle(each)]) >= 10
