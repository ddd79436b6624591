"""A lane in which a token is asked for is replayed with tokens: deterministic, without waiting, and with proof.

What was granted is made up by the replay, so that only an engine that sends it gets on.
"""

from __future__ import annotations

import time
from typing import Any, Final

import pytest
from projects import Project, renew, renewed_exchanges, token_exchange

from connproof.model import Request, Response
from pytest_connproof.lane_run import LaneRun
from pytest_connproof.recording import Exchange, Lane
from pytest_connproof.replay import Ledger, UnmatchedRequest

LANE: Final = "deals.list#renewed"
REPEATED: Final = {"access_token": "{{secret:access_token#2}}", "refresh_token": "{{secret:refresh_token#1}}"}


def _run(project: Project, exchanges: list[dict[str, Any]]) -> LaneRun:
    renew(project, exchanges)
    return project.subject().run(LANE)


def _tokens(run: LaneRun) -> list[str]:
    """The access token of each request, by the last part of what it is."""
    sent = [request.header("authorization") or "" for request in run.requests]
    return [text.removeprefix("Bearer ") for text in sent]


RENEWED = {
    "refused before the first page": (renewed_exchanges(), ["old", "", "new", "new", "new"]),
    "refused in the middle": (renewed_exchanges(at=1), ["old", "old", "", "new", "new"]),
    "ended before the first request": (renewed_exchanges(refused=False), ["", "new", "new", "new"]),
    "ended in the middle": (renewed_exchanges(at=2, refused=False), ["old", "old", "", "new"]),
    "the refresh token stays": (
        renewed_exchanges(token=token_exchange("t", REPEATED)),
        ["old", "", "new", "new", "new"],
    ),
    "trouble, and again": (
        [token_exchange("t0", {"error": "temporarily_unavailable"}, 503), *renewed_exchanges(refused=False)],
        ["", "", "new", "new", "new"],
    ),
}


@pytest.mark.parametrize(("exchanges", "sent"), RENEWED.values(), ids=RENEWED)
def test_the_granted_token_is_sent_from_then_on(
    deals: Project, exchanges: list[dict[str, Any]], sent: list[str]
) -> None:
    """The read is whole, every exchange is used in its turn, and nobody waited."""
    began = time.monotonic()
    run = _run(deals, exchanges)

    named = {"example-access-token": "old", "made-up-access-token-2": "new", "": ""}
    assert ("complete", 5, (), ()) == (run.outcome, len(run.records), run.tally.unused, run.tally.out_of_turn)
    assert sent == [named[token] for token in _tokens(run)]
    assert time.monotonic() - began < 5


def test_a_second_refresh_presents_the_second_refresh_token(deals: Project) -> None:
    """Each successor is kept: who presents the first one again is not answered."""
    third = {"access_token": "{{secret:access_token#3}}", "expires_in": 3600}
    again = token_exchange("again", third)
    again["request"]["form"][1][1] = "{{secret:refresh_token#2}}"
    first, page, *_ = renewed_exchanges(refused=False)
    rest = renewed_exchanges(at=1)[-2:]
    for exchange in rest:
        exchange["request"]["headers"][2][1] = "Bearer {{secret:access_token#3}}"

    run = _run(deals, [first, page, again, *rest])

    assert ("complete", 5, ()) == (run.outcome, len(run.records), run.tally.unused)


REFUSED = {
    "revoked": ({"error": "invalid_grant"}, 400, "Reauthorise"),
    "the client is wrong": ({"error": "invalid_client"}, 401, "ClientMisconfigured"),
    "trouble": ({"error": "temporarily_unavailable"}, 503, "RefreshPending"),
}


@pytest.mark.parametrize(("answer", "status", "outcome"), REFUSED.values(), ids=REFUSED)
def test_a_refresh_that_is_refused_ends_the_lane(
    deals: Project, answer: dict[str, Any], status: int, outcome: str
) -> None:
    """What the caller gets is the lane's outcome; trouble is tried again, so that its exchange repeats."""
    refused, *_ = renewed_exchanges()
    token = {**token_exchange("token", answer, status), "repeats": outcome == "RefreshPending"}

    run = _run(deals, [refused, token])

    assert (outcome, 0, ()) == (run.outcome, len(run.records), run.tally.unused)


def test_a_run_is_the_same_each_time(deals: Project) -> None:
    """No chance, no clock of the machine's: also where trouble is backed off from."""
    refused, *_ = renewed_exchanges()
    trouble = {**token_exchange("token", {"error": "slow_down"}, 429), "repeats": True}

    one, other = _run(deals, [refused, trouble]), _run(deals, [refused, trouble])

    assert (one.requests, str(one.error)) == (other.requests, str(other.error))


def test_a_snapshot_shows_the_refresh_without_credentials(deals: Project) -> None:
    """Neither the account's nor what was granted; of two that begin alike, the longer one is not shown in part."""
    renew(deals)
    subject = deals.subject()

    requests = subject.taken(LANE).requests

    asked = "POST /oauth/token grant_type=refresh_token&refresh_token=(credential)"
    assert f"{asked}&client_id=(credential)&client_secret=(credential)" == requests[1]
    assert not [line for line in requests if "example-" in line or "made-up" in line]


def test_an_ordinary_lane_has_no_tokens(deals: Project) -> None:
    """The other lanes of a connector that refreshes are replayed with the account's access token alone."""
    renew(deals)

    run = deals.subject().run("deals.list")

    assert {} == run.tally.granted
    assert ["example-access-token"] * 3 == _tokens(run)


LOGIN: Final[dict[str, Any]] = {
    "type": "session",
    "name": "X-Session-Token",
    "login": {
        "url": "https://id.deals.example/session",
        "encode": "json",
        "params": {"user": "{username}", "password": "{password}"},
        "response": {"access_token": "token"},
        "assumed_lifetime_s": 900,
    },
}
LOGGED_IN: Final[dict[str, Any]] = {
    "id": "login",
    "request": {
        "method": "POST",
        "url": "https://id.deals.example/session",
        "headers": [["content-type", "application/json"]],
        "json": {"user": "{{secret:username#1}}", "password": "{{secret:password#1}}"},
    },
    "response": {"status": 200, "json": {"token": "{{secret:session_token#1}}"}},
}


@pytest.mark.parametrize("at", [0, 1], ids=["before the first request", "in the middle"])
def test_a_login_stands_in_a_lane_too(deals: Project, at: int) -> None:
    """A session has no refresh token: the login is repeated where it has ended, and its answer is sent from then on."""
    exchanges = renewed_exchanges(token=LOGGED_IN, at=at, refused=at > 0)
    for exchange in exchanges:
        for header in exchange["request"]["headers"]:
            if header[0] == "authorization":
                number = 1 if "#2" in header[1] else 9
                header[:] = ["x-session-token", f"{{{{secret:session_token#{number}}}}}"]
    renew(deals, exchanges)
    deals.change("connector.json", "/auth", LOGIN)
    credentials = {"session_token": "example-session", "username": "ada-example", "password": "example-pass"}
    deals.change("accounts/example.json", "/credentials", credentials)
    subject = deals.subject()

    run = subject.run(LANE)

    assert ("complete", 5, ()) == (run.outcome, len(run.records), run.tally.unused), run.unmatched
    assert {"refreshes": 1, "rotated": 0, "refused": 0} == deals.judge("TOK-005")
    assert deals.judge("RPL-003", LANE)


# The ledger.


def _ledger(body: bytes, content_type: str = "application/json", *, grants: bool = True) -> Ledger:
    first = Request("POST", "https://h.test/token", (("x-token", "{{secret:refresh_token#1}}"),))
    second = Request("GET", "https://h.test/x", (("x-token", "{{secret:access_token#2}}"),))
    exchanges = (
        Exchange("1", first, Response(200, (("content-type", content_type),), body), False, ""),
        Exchange("2", second, Response(200), False, ""),
    )
    return Ledger(Lane("x.list", "strict", None, exchanges, ""), grants=["1"] if grants else [])


def _asked(token: str) -> Request:
    return Request("POST", "https://h.test/token", (("x-token", token),))


BODIES = {
    "JSON": (b'{"a": "{{secret:access_token#2}}"}', "application/json", b'{"a": "made-up-access-token-2"}'),
    "a form": (
        b"a={{secret:refresh_token#1}}",
        "application/x-www-form-urlencoded",
        b"a=%22%3C%26%2B",
    ),
    "JSON that repeats": (b'{"r": "{{secret:refresh_token#1}}"}', "application/json", b'{"r": "\\"<&+"}'),
    "XML": (b"<r>{{secret:refresh_token#1}}</r>", "text/xml", b'<r>"&lt;&amp;+</r>'),
    "a text": (b"r {{secret:refresh_token#1}}", "text/plain", b'r "<&+'),
    "bytes": (b"\xff{{secret:refresh_token#1}}", "text/plain", b'\xff"<&+'),
}


@pytest.mark.parametrize(("body", "content_type", "expected"), BODIES.values(), ids=BODIES)
def test_a_placeholder_in_an_answer_stands_for_a_text(body: bytes, content_type: str, expected: bytes) -> None:
    """For what was sent in its place, else for what is made up; written as the body's form has it."""
    assert expected == _ledger(body, content_type).answer(_asked('"<&+')).body


def test_an_answer_that_grants_nothing_stays_as_it_is() -> None:
    """In records a placeholder is what was redacted, and goes to the caller so."""
    body = b'{"a": "{{secret:access_token#2}}"}'

    assert body == _ledger(body, grants=False).answer(_asked("refresh-token")).body


@pytest.mark.parametrize(("sent", "is_answered"), [("made-up-access-token-2", True), ("another", False)])
def test_what_was_granted_is_what_must_be_sent(sent: str, is_answered: bool) -> None:
    """A placeholder matches any text the first time it is sent; not where an answer has said what it is."""
    ledger = _ledger(b'{"a": "{{secret:access_token#2}}"}')
    ledger.answer(_asked("refresh-token"))
    request = Request("GET", "https://h.test/x", (("x-token", sent),))

    if is_answered:
        assert 200 == ledger.answer(request).status
    else:
        with pytest.raises(UnmatchedRequest):
            ledger.answer(request)
    assert ["{{secret:access_token#2}}"] == [*ledger.tally().granted]


def test_what_was_granted_is_hidden_in_a_miss() -> None:
    """A message shows no token, made up or not."""
    ledger = _ledger(b'{"a": "{{secret:access_token#2}}"}')
    ledger.answer(_asked("refresh-token"))

    with pytest.raises(UnmatchedRequest) as missed:
        ledger.answer(Request("GET", "https://h.test/x", (("x-token", "x made-up-access-token-2"),)))

    assert ['header.x-token   recorded "{{secret:access_token#2}}"   sent "x (credential)"'] == [
        str(part) for part in missed.value.misses[0].differences
    ]
