"""A5, A9, A10, A12, S11: what a token endpoint's answer means, and that it shows no token."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connproof.auth.token_response import (
    TokenGranted,
    TokenRefused,
    checked_variables,
    read_token_response,
    token_document,
)
from connproof.errors import ProviderBroke
from connproof.model import Account, Auth, Response, Secret
from connproof.places import ABSENT
from scripted import connector

NOW = datetime(2026, 11, 23, 15, 0, 7, tzinfo=UTC)
HELD = {"client_id": "client-0001", "client_secret": "s3cret+/=value", "refresh_token": "r0-old-refresh-token"}
JSON = ("content-type", "application/json; charset=utf-8")


def auth_of(token: dict[str, Any] | None = None, **words: Any) -> Auth:
    endpoint = {"url": "https://id.example/t", "client_auth": "none", **(token or {})}
    return connector(auth={"type": "oauth2", "token": endpoint}, **words).auth


def read(auth: Auth, response: Response) -> TokenGranted | TokenRefused:
    return read_token_response(auth, Account("acme", HELD), response, token_document(response), NOW)


def answered(document: Any, *headers: tuple[str, str], status: int = 200) -> Response:
    return Response(status, (JSON, *headers), json.dumps(document).encode())


def granted(token: dict[str, Any], document: dict[str, Any], *headers: tuple[str, str]) -> TokenGranted:
    found = read(auth_of(token), answered({"access_token": "a1", **document}, *headers))
    assert isinstance(found, TokenGranted), found
    return found


def refused(token: dict[str, Any], response: Response) -> TokenRefused:
    found = read(auth_of(token), response)
    assert isinstance(found, TokenRefused), found
    return found


def lives(found: TokenGranted) -> float | None:
    """Seconds from now, None where nobody knows."""
    return None if found.expires_at is None else (found.expires_at - NOW).total_seconds()


# Granted.


def test_A9_the_answer_of_the_standard() -> None:
    """RFC 6749, section 5.1."""
    document = {"access_token": "a1", "token_type": "bearer", "expires_in": 1800, "refresh_token": "r1", "scope": "x y"}

    found = read(auth_of(), answered(document))

    assert TokenGranted(Secret("a1"), Secret("r1"), NOW + timedelta(seconds=1800), None, ("x", "y")) == found


@pytest.mark.parametrize(
    ("paths", "document", "token"),
    [
        (["access_token", "authed_user.access_token"], {"authed_user": {"access_token": "user"}}, "user"),
        (["authed_user.access_token", "access_token"], {"access_token": "bot"}, "bot"),
        (["a", "b"], {"a": "", "b": "t"}, "t"),
        (["a", "b"], {"a": None, "b": "t"}, "t"),
        ("data[0].token", {"data": [{"token": "t"}]}, "t"),
        ({"header": "X-Session"}, {}, "from-header"),
    ],
)
def test_A9_a_token_may_stand_elsewhere(paths: Any, document: dict[str, Any], token: str) -> None:
    """At one of several places, or in a header."""
    response = answered(document, ("x-session", "from-header"))

    found = read(auth_of({"response": {"access_token": paths}}), response)

    assert isinstance(found, TokenGranted) and token == found.access_token.reveal()


@pytest.mark.parametrize("document", [{}, {"refresh_token": None}, {"refresh_token": ""}])
def test_A9_without_a_new_refresh_token_there_is_none(document: dict[str, Any]) -> None:
    """F24, F25: the old one stays, as RFC 6749, section 6, has it."""
    assert None is granted({}, document).refresh_token


def test_A9_an_answer_may_be_a_form() -> None:
    """Some providers send one unless they are asked for JSON; the first of two equal names counts."""
    content = (("content-type", "application/x-www-form-urlencoded; charset=utf-8"),)
    body = b"access_token=a%2B1&access_token=a2&expires_in=28800&scope=&refresh_token=r1"

    found = read(auth_of(), Response(200, content, body))

    assert TokenGranted(Secret("a+1"), Secret("r1"), NOW + timedelta(hours=8)) == found


@pytest.mark.parametrize(
    ("content", "body", "path"),
    [
        ("text/plain", b'{"access_token": "t"}', "access_token"),
        ("text/javascript", b'{"access_token": "t"}', "access_token"),
        ("", b'{"access_token": "t"}', "access_token"),
        ("text/xml", b"<r><session><id>t</id></session></r>", "r.session.id"),
        ("application/json", b'"t"', "$"),
    ],
)
def test_A9_an_answer_is_read_by_what_it_carries(content: str, body: bytes, path: str) -> None:
    """A wrong content type loses no token, and some logins answer in XML."""
    response = Response(200, (("content-type", content),) if content else (), body)

    found = read(auth_of({"response": {"access_token": path}}), response)

    assert isinstance(found, TokenGranted) and "t" == found.access_token.reveal()


@pytest.mark.parametrize(
    ("separator", "said", "scope"),
    [(" ", "a b", ("a", "b")), (",", "a b,c", ("a b", "c")), (" ", ["a b", "c"], ("a b", "c")), (" ", 5, ())],
)
def test_A13_granted_scope_is_split_as_it_is_joined(separator: str, said: Any, scope: tuple[str, ...]) -> None:
    """A list stays one; what is neither is nothing."""
    assert scope == granted({"scope_separator": separator}, {"scope": said}).scope


# Lifetimes.


@pytest.mark.parametrize(
    ("words", "document", "seconds", "notes"),
    [
        ({}, {"expires_in": 3600}, 3600, 0),
        ({}, {"expires_in": "3600"}, 3600, 0),
        ({}, {"expires_in": 3600.0}, 3600, 0),
        ({}, {"expires_in": "3600.0"}, 3600, 0),
        ({}, {"expires_in": 7}, 7, 0),
        ({"response": {"expires_in_unit": "ms"}}, {"expires_in": 1500}, 1.5, 0),
        ({"response": {"expires_in_unit": "ms"}}, {"expires_in": "7200000"}, 7200, 0),
        ({"response": {"expires_in": "meta.ttl"}}, {"meta": {"ttl": 60}, "expires_in": 5}, 60, 0),
        ({}, {}, None, 0),
        ({"assumed_lifetime_s": 900}, {}, 900, 0),
        ({"assumed_lifetime_s": 900}, {"expires_in": None}, 900, 0),
        ({"assumed_lifetime_s": 900}, {"expires_in": 60}, 60, 0),
        ({"lifetime_s": 120}, {"expires_in": 60}, 120, 0),
        ({"lifetime_s": 120}, {"expires_in": "soon"}, 120, 0),
        ({}, {"expires_in": 0}, None, 1),
        ({}, {"expires_in": -5}, None, 1),
        ({}, {"expires_in": 1.5}, None, 1),
        ({}, {"expires_in": "abc"}, None, 1),
        ({}, {"expires_in": "٣٦٠٠"}, None, 1),
        ({}, {"expires_in": 10**18}, None, 1),
        ({}, {"expires_in": "9" * 400}, None, 1),
        ({"assumed_lifetime_s": 900}, {"expires_in": 0}, 900, 1),
        ({"assumed_lifetime_s": 900}, {"expires_in": True}, 900, 1),
        ({"assumed_lifetime_s": 900}, {"expires_in": {"s": 60}}, 900, 1),
        ({}, {"expires_in": float("nan")}, None, 1),
        ({}, {"expires_in": float("inf")}, None, 1),
        ({}, {"meta": float("-inf"), "expires_in": 60}, 60, 0),
    ],
)
def test_A5_lifetime(words: dict[str, Any], document: dict[str, Any], seconds: float | None, notes: int) -> None:
    """F26, F27, F28: whole numbers above zero, written either way; anything else counts as not said, with a note.

    The token is granted all the same: a rotated refresh token is never lost over its neighbour.
    """
    found = granted(words, {"refresh_token": "r1", **document})

    assert (seconds, notes, Secret("r1")) == (lives(found), len(found.notes), found.refresh_token)


@pytest.mark.parametrize(
    ("unit", "said", "seconds"),
    [
        ("iso8601", "2026-11-23T16:00:07Z", 3600),
        ("iso8601", "2026-11-23T17:00:07+01:00", 3600),
        ("iso8601", "2026-11-23T16:00:07", 3600),
        ("iso8601", "2026-11-23T16:00:07.500Z", 3600.5),
        ("epoch_s", 1795449607, 3600),
        ("epoch_s", "1795449607", 3600),
        ("epoch_ms", 1795449607000, 3600),
        ("iso8601", "2026-11-23T14:00:07Z", None),
        ("iso8601", "tomorrow", None),
        ("epoch_s", 1795449607000, None),
        ("epoch_ms", 5, None),
    ],
)
def test_A5_end_as_a_date(unit: str, said: Any, seconds: float | None) -> None:
    """Past, or in another unit than declared, it says nothing, with a note."""
    found = granted({"response": {"expires_at": "expires_at", "expires_at_unit": unit}}, {"expires_at": said})

    assert (seconds, seconds is None) == (lives(found), len(found.notes) == 1)


@pytest.mark.parametrize(
    "date", ["Mon, 23 Nov 2026 15:10:07 GMT", "Mon, 23 Nov 2026 14:50:07 GMT"], ids=["ahead", "behind"]
)
def test_A5_a_date_is_by_the_providers_clock(date: str) -> None:
    """F21: only the time between its two dates means the same here. A lifetime needs no clock."""
    words = {"response": {"expires_at": "expires_at"}}
    end = {"Mon, 23 Nov 2026 15:10:07 GMT": "2026-11-23T16:10:07Z"}.get(date, "2026-11-23T15:50:07Z")

    assert 3600 == lives(granted(words, {"expires_at": end}, ("date", date)))
    assert 60 == lives(granted(words, {"expires_at": end, "expires_in": 60}, ("date", date)))


def test_A5_remaining_life_counts_from_now() -> None:
    """A provider that gives the same token again says how much of it is left: the end stays where it is."""
    later = NOW + timedelta(seconds=600)
    response = answered({"access_token": "a1", "expires_in": 2999})

    ends = [
        read_token_response(auth_of(), Account(), response, {"access_token": "a1", "expires_in": left}, now)
        for left, now in ((3599, NOW), (2999, later))
    ]

    assert [NOW + timedelta(seconds=3599)] * 2 == [end.expires_at for end in ends if isinstance(end, TokenGranted)]


@pytest.mark.parametrize(
    ("places", "document", "seconds", "notes"),
    [
        ("refresh_token_expires_in", {"refresh_token_expires_in": 15897600}, 15897600, ()),
        ("refresh_token_expires_in", {"refresh_token_expires_in": "60"}, 60, ()),
        (["idle", "hard"], {"idle": 8726400, "hard": 600}, 600, ()),
        (["idle", "hard"], {"idle": 100}, 100, ()),
        (["idle", "hard"], {"idle": 100, "hard": "x"}, 100, ("hard is no lifetime",)),
        ("idle", {}, None, ()),
    ],
)
def test_A12_the_refresh_tokens_own_end(
    places: Any, document: dict[str, Any], seconds: int | None, notes: tuple[str, ...]
) -> None:
    """Of an idle and a hard one the one that comes first."""
    found = granted({"response": {"refresh_expires_in": places}}, document)

    end = None if seconds is None else NOW + timedelta(seconds=seconds)
    assert (end, notes) == (found.refresh_expires_at, found.notes)


# Refused.


@pytest.mark.parametrize(
    ("status", "document", "kind", "code"),
    [
        (400, {"error": "invalid_grant"}, "revoked", "invalid_grant"),
        (403, {"error": "invalid_grant", "error_description": "Unknown"}, "revoked", "invalid_grant"),
        (200, {"error": "invalid_grant"}, "revoked", "invalid_grant"),
        (200, {"error": "invalid_code"}, "refused", "invalid_code"),
        (200, {"access_token": "a1", "error": "invalid_code"}, "refused", "invalid_code"),
        (200, {"access_token": "a1", "error": {"message": "no"}}, "refused", ""),
        (400, {"error": "invalid_client"}, "misconfigured", "invalid_client"),
        (401, {"error": "invalid_client"}, "misconfigured", "invalid_client"),
        (401, {}, "revoked", ""),
        (400, {"error": "unauthorized_client"}, "misconfigured", "unauthorized_client"),
        (400, {"error": "unsupported_grant_type"}, "misconfigured", "unsupported_grant_type"),
        (400, {"error": "invalid_scope"}, "misconfigured", "invalid_scope"),
        (400, {"error": "invalid_request"}, "refused", "invalid_request"),
        (400, {"error": "something_new"}, "refused", "something_new"),
        (404, {}, "refused", ""),
        (302, {}, "refused", ""),
        (400, {"error": "temporarily_unavailable"}, "transient", "temporarily_unavailable"),
        (429, {"error": "invalid_grant"}, "transient", "invalid_grant"),
        (408, {}, "transient", ""),
        (500, {"error": "invalid_grant"}, "transient", "invalid_grant"),
        (503, {}, "transient", ""),
        (200, {}, "transient", ""),
        (200, {"access_token": None}, "transient", ""),
        (200, {"access_token": ""}, "transient", ""),
        (200, {"access_token": ["a1"], "error": None}, "granted", ""),
        (200, {"access_token": "a\n1"}, "transient", ""),
        (200, ["a1"], "transient", ""),
        (500, {"access_token": "a1"}, "transient", ""),
    ],
)
def test_A10_an_answer_without_a_token(status: int, document: Any, kind: str, code: str) -> None:
    """By its error first, at whatever status; a throttle or a fault is never terminal, whatever its body says."""
    found = read(auth_of(), answered(document, status=status))

    if kind == "granted":
        assert isinstance(found, TokenGranted)
    else:
        assert isinstance(found, TokenRefused)
        assert (kind, status, code) == (found.kind, found.status, found.code)


@pytest.mark.parametrize(
    ("client", "kind"), [("none", "revoked"), ("basic", "misconfigured"), ("id_only", "misconfigured")]
)
def test_A10_a_401_is_about_whoever_said_who_it_is(client: str, kind: str) -> None:
    """The client, where one did; in a login, the account."""
    assert kind == refused({"client_auth": client}, Response(401)).kind


@pytest.mark.parametrize("error", [None, "", False])
def test_A10_an_error_that_says_nothing_is_none(error: Any) -> None:
    """Some providers always send the member."""
    assert Secret("a1") == granted({}, {"error": error}).access_token


@pytest.mark.parametrize(
    ("words", "status", "code", "kind"),
    [
        ({"revoked_when": ["BAD_REFRESH_TOKEN"]}, 400, "BAD_REFRESH_TOKEN", "revoked"),
        ({"revoked_when": ["invalid_code"]}, 200, "invalid_code", "revoked"),
        ({"revoked_when": ["gone"]}, 500, "gone", "revoked"),
        ({"misconfigured_when": ["invalid_grant"]}, 400, "invalid_grant", "misconfigured"),
        ({"transient_when": ["invalid_grant"]}, 400, "invalid_grant", "transient"),
        ({"revoked_when": ["3200"]}, 401, 3200, "revoked"),
        ({"revoked_when": ["other"]}, 400, "BAD_REFRESH_TOKEN", "refused"),
    ],
)
def test_A10_codes_of_the_providers_own(words: dict[str, Any], status: int, code: Any, kind: str) -> None:
    """F36: what a config lists outranks what RFC 6749 says; what nobody lists is not terminal."""
    token = {"response": {"error": ["error", "status"]}, **words}

    assert kind == refused(token, answered({"status": code}, status=status)).kind


@pytest.mark.parametrize(
    ("content", "body"),
    [
        ("text/html", b"<html>access_token</html>"),
        ("application/json", b""),
        ("application/json", b'{"access_token": "a1", "refresh_'),
        ("application/json", b"NaN"),
        ("application/json", b"[" * 100_000),
        ("application/json", b'"' + b"x" * 2_000_000 + b'"'),
        ("application/json", b'{"access_token": "\xff"}'),
    ],
    ids=["html", "empty", "cut off", "no number", "deep", "long", "no text"],
)
def test_A10_a_success_that_is_unreadable_leaves_the_outcome_open(content: str, body: bytes) -> None:
    """F31: the refresh token may have been spent; nothing of the body is kept."""
    response = Response(200, (("content-type", content),), body)

    found = refused({}, response)

    assert ABSENT is token_document(response)
    assert TokenRefused("transient", 200, "", "a success with no object") == found


def test_A10_a_successor_without_an_access_token_is_kept() -> None:
    """F32: it is the only copy of the newest refresh token."""
    found = refused({}, answered({"refresh_token": "r1-the-only-copy"}))

    assert ("transient", Secret("r1-the-only-copy")) == (found.kind, found.refresh_token)


# What is shown.


def test_S34_no_token_is_in_any_text_of_ours() -> None:
    """Granted or refused: neither repr nor notes nor fields hold one in the clear."""
    document = {
        "access_token": "a1-new-access-token",
        "refresh_token": "r1-new-refresh-token",
        "expires_in": "a1-new-access-token",
        "instance_url": "https://secret.example",
    }
    both = [read(auth_of(), answered(document)), read(auth_of(), answered(document, status=400))]

    shown = [repr(found) for found in both]
    shown += [str(getattr(found, field.name)) for found in both for field in fields(found)]
    assert [TokenGranted, TokenRefused] == [type(found) for found in both]
    assert not any("new-" in text or "secret" in text for text in shown)


@pytest.mark.parametrize(
    "echo",
    [
        "bad token r0-old-refresh-token",
        "bad token r0-old-refresh-t...",
        "header Basic " + b64encode(b"client-0001:s3cret+/=value").decode(),
        "got client_secret=s3cret%2B%2F%3Dvalue",
        "new r1-new-refresh-token",
        "assertion eyJhbGciOi.eyJpc3Mi.c2lnbmF0",
    ],
)
def test_S34_what_the_provider_echoes_is_taken_out(echo: str) -> None:
    """Of its code and its description, in whatever spelling."""
    document = {"error": echo, "error_description": echo, "refresh_token": "r1-new-refresh-token"}

    found = refused({}, answered(document, status=400))

    hidden = ("old-refresh", "s3cret", "new-refresh", "eyJ", b64encode(b"client-0001:s3cret+/=value").decode()[8:])
    assert "[credential]" in found.description and "[credential]" in found.code
    assert not any(text in repr(found) for text in hidden)


def test_S48_what_the_provider_says_is_bounded_and_printable() -> None:
    """No colour, no line break, no novel."""
    found = refused({}, answered({"error": "e" * 999, "error_description": "x\x1b[31m\n" + "y" * 99_999}, status=400))

    assert found.description.isprintable() and found.code.isprintable()
    assert (True, True) == (len(found.description) < 400, len(found.code) < 200)
    assert r"x\x1b[31m\n" in found.description


# Variables.

WORDS: dict[str, Any] = {
    "base_url": "{instance}/v1",
    "variables": {
        "instance": {
            "pattern": r"https://[a-z0-9-]+\.my\.example",
            "source": "token_response",
            "path": "instance_url",
        }
    },
}


def test_S11_a_variable_of_the_answer_matches_its_pattern() -> None:
    """Whole: then it may be used."""
    auth = auth_of(**WORDS)
    found = read(auth, answered({"access_token": "a1", "instance_url": "https://na-1.my.example"}))

    assert isinstance(found, TokenGranted)
    assert {"instance": "https://na-1.my.example"} == checked_variables(auth, found)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example",
        "https://na1.my.example.evil.example",
        "https://na1.my.example@evil.example",
        "https://na1.my.example/",
        "http://na1.my.example",
        "https://evil.example/?https://na1.my.example",
    ],
)
def test_S11_a_variable_that_leads_elsewhere_is_refused(url: str) -> None:
    """The token is granted, and kept, before anybody looks; it is sent nowhere."""
    auth = auth_of(**WORDS)
    found = read(auth, answered({"access_token": "a1-new-access-token", "instance_url": url}))

    assert isinstance(found, TokenGranted)
    with pytest.raises(ProviderBroke, match='"instance" does not match its pattern') as said:
        checked_variables(auth, found)
    assert "a1-new" not in str(said.value)


@pytest.mark.parametrize("document", [{}, {"instance_url": None}, {"instance_url": ""}, {"instance_url": {"a": 1}}])
def test_S11_a_variable_that_is_not_said_is_not_there(document: dict[str, Any]) -> None:
    """A refresh often leaves it out: the account's own stays."""
    auth = auth_of(**WORDS)
    found = read(auth, answered({"access_token": "a1", **document}))

    assert isinstance(found, TokenGranted)
    assert {} == checked_variables(auth, found)


def test_S11_a_scope_that_echoes_a_secret_is_not_shown() -> None:
    """The scope is the provider's text: it is the caller's to use, and in no repr."""
    found = granted({}, {"scope": HELD["client_secret"]})

    assert (HELD["client_secret"],) == found.scope
    assert HELD["client_secret"] not in repr(found)
