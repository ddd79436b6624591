"""What became of one request for a token: by its answer, or by what stood in an answer's place."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connproof.errors import CallWrong, ConnproofError, LimitExceeded, ProviderBroke, ProviderDown
from connproof.model import Response, Secret
from connproof.places import JsonValue
from connproof.tokens.judging import Client, Granted, Outcome, Terminal, Transient, judged, unanswered
from scripted import answer
from token_world import ACCOUNT, asking, refusal

NOW = datetime(2026, 5, 14, 12, tzinfo=UTC)
HTML = Response(200, (("content-type", "text/html"),), b"<html>Sign in</html>")
AUTH = asking(revoked_when=["BAD_REFRESH_TOKEN"]).auth


def of(response: Response) -> Outcome:
    return judged(AUTH, ACCOUNT, response, NOW)


def granted(document: JsonValue) -> Granted:
    outcome = of(answer(document))
    assert isinstance(outcome, Granted)
    return outcome


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        pytest.param(refusal("invalid_grant"), Terminal(), id="F33"),
        pytest.param(refusal("BAD_REFRESH_TOKEN"), Terminal(), id="F36 vendor code"),
        pytest.param(refusal("weird"), Transient("refused"), id="F36 unknown"),
        pytest.param(refusal("invalid_client", 401), Client("invalid_client"), id="F35"),
        pytest.param(refusal("unauthorized_client"), Client("unauthorized_client"), id="F35 unauthorized_client"),
        pytest.param(Response(401), Client("http_401"), id="F35 401"),
        pytest.param(answer({"error": "invalid_grant"}), Terminal(), id="F30"),
        pytest.param(answer({"error": "bad", "access_token": "x"}), Transient("refused"), id="F30 with token"),
        pytest.param(answer({"ok": False}), Transient("unreadable_answer"), id="F30 ok false"),
        pytest.param(HTML, Transient("unreadable_answer"), id="F31 html"),
        pytest.param(Response(200), Transient("unreadable_answer"), id="F31 empty"),
        pytest.param(Response(204), Transient("unreadable_answer"), id="F31 204"),
        pytest.param(answer([]), Transient("unreadable_answer"), id="F31 array"),
        pytest.param(answer({"access_token": ""}), Transient("unreadable_answer"), id="F31 empty token"),
        pytest.param(answer({"access_token": None}), Transient("unreadable_answer"), id="F31 null token"),
        pytest.param(
            answer({"refresh_token": "RT9"}), Transient("unreadable_answer", successor=Secret("RT9")), id="F32"
        ),
        pytest.param(Response(429, (("retry-after", "30"),)), Transient("throttled", wait_s=30), id="F37"),
        pytest.param(Response(429), Transient("throttled"), id="F37 no wait"),
        pytest.param(Response(503, (("retry-after", "5"),)), Transient("provider_failed", wait_s=5), id="F38 503"),
        pytest.param(refusal("invalid_grant", 500), Transient("provider_failed"), id="F38 500 says invalid_grant"),
        pytest.param(Response(307, (("location", "https://x.example"),)), Transient("refused"), id="F40"),
    ],
)
def test_an_answer_without_a_token_says_whose_turn_it_is(response: Response, expected: Outcome) -> None:
    """Only invalid_grant, or the config's word for it, is terminal; whatever may have been processed counts as sent."""
    assert expected == of(response)


@pytest.mark.parametrize(
    ("fault", "sent"),
    [
        (None, True),
        (ProviderDown("no whole answer"), True),
        (LimitExceeded("the response body is too long"), True),
        (CallWrong("a header cannot be sent"), False),
    ],
)
def test_what_may_have_been_sent_counts_as_sent(fault: ConnproofError | None, sent: bool) -> None:
    """A refresh token is taken for unspent only where certainly nothing left."""
    assert sent == unanswered(fault).sent


@pytest.mark.parametrize(("said", "expected"), [(False, False), (None, True), (True, True)])
@pytest.mark.parametrize("kind", [ProviderDown, ProviderBroke])
def test_F41_the_transport_says_whether_anything_was_sent(
    kind: type[ProviderDown | ProviderBroke], said: bool | None, expected: bool
) -> None:
    """No connection, no TLS, no public address: nothing left."""
    fault = kind("broke off")
    fault.sent = said

    assert expected == unanswered(fault).sent


def test_a_pair_ends_by_the_stores_clock() -> None:
    """Of the answer only the lifetime counts; the wall clock has no part in it."""
    pair = granted({"access_token": "AT1", "refresh_token": "RT1", "expires_in": 3600}).pair(500.0, NOW)

    assert (Secret("AT1"), Secret("RT1"), 4100.0, 3600.0) == (
        pair.access,
        pair.refresh,
        pair.expires_at,
        pair.lifetime_s,
    )


@pytest.mark.parametrize("said", [{}, {"refresh_token": ""}, {"refresh_token": None}])
def test_F24_an_answer_without_a_refresh_token_keeps_the_one_that_was_used(said: dict[str, JsonValue]) -> None:
    """RFC 6749, section 6; an empty one or null says no more than none."""
    assert granted({"access_token": "AT1", **said}).pair(0.0, NOW).refresh is None


@pytest.mark.parametrize("lifetime", [0, -5, True, "abc", 10**18])
def test_F27_a_token_is_kept_whatever_its_lifetime_says(lifetime: JsonValue) -> None:
    """What cannot be read counts as not said."""
    pair = granted({"access_token": "AT1", "refresh_token": "RT1", "expires_in": lifetime}).pair(0.0, NOW)

    assert (Secret("RT1"), None) == (pair.refresh, pair.expires_at)


def test_no_outcome_shows_a_token() -> None:
    """I14: not in its repr."""
    outcomes = [of(answer({"access_token": "AT-secret", "refresh_token": "RT-secret"}))]
    outcomes += [of(answer({"refresh_token": "RT-secret"}))]

    assert "secret" not in repr(outcomes)
