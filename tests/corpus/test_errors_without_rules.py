"""The search for errors that no rule knows, over the successes of every recorded provider: it finds those, no more."""

from __future__ import annotations

from collections import Counter

import pytest

from answers import Answered, answers
from connproof.model import Operation
from connproof.places import Place
from listings import ABSENT, CORPUS
from pytest_connproof.checks.err import _failures

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=ABSENT)

# The answers with a 2xx that say inside that something failed, by source: each was looked at.
SAY_SO = {
    "greenhouse/greenhouse_io": 2,
    "hubspot/hubspot-api-ruby": 5,
    "instantly/nango-instantly": 1,
    "salesforce/nango-salesforce": 2,
    "shopify/nango-shopify": 30,
    "slack/slack-ruby-client": 4,
    "stripe/pay": 1,
}


def _as_config(answered: Answered) -> Operation:
    """An operation such as a config might have for this answer: its longest list are the records."""
    document = answered.document
    lists = (
        {name: value for name, value in document.items() if isinstance(value, list)}
        if isinstance(document, dict)
        else {}
    )
    longest = max(lists, key=lambda name: len(lists[name]), default=None)
    return Operation(
        "things",
        "read",
        answered.request.method,
        "/",
        "",
        response_path=None if longest is None else Place(longest, (longest,)),
        is_list=answered.request.method == "GET" and (longest is not None or isinstance(document, list)),
    )


def test_E1_every_recorded_error_in_a_success_is_found_and_no_other() -> None:
    """Records with states, error counts of 0 and blank lists of errors are none."""
    sources = [f"{folder.parent.name}/{folder.name}" for folder in sorted(CORPUS.glob("*/*")) if folder.is_dir()]
    successes = {name: [one for one in answers(name) if 200 <= one.response.status < 300] for name in sources}

    found = Counter(
        name for name, every in successes.items() for one in every if any(_failures(_as_config(one), one.document))
    )

    assert 3_000 <= sum(map(len, successes.values()))
    assert SAY_SO == dict(found)
