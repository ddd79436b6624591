"""What holds of every token answer and every signed URL, whatever stands in it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from hypothesis import example, given
from hypothesis import strategies as st
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, Client

from connproof.auth import Signing, sign
from connproof.auth.token_response import TokenGranted, TokenRefused, read_token_response, token_document
from connproof.draft import Draft
from connproof.model import Account, Response
from scripted import BASE, connector

NOW = datetime(2026, 11, 23, 15, 0, 7, tzinfo=UTC)
FIXED = Signing(NOW, lambda: "0123456789abcdef0123456789abcdef")
ENDPOINT = {
    "url": "https://id.example/t",
    "client_auth": "none",
    "response": {
        "expires_at": "expires_at",
        "refresh_expires_in": ["refresh_expires_in", "hard"],
        "error": ["error.code", "error"],
    },
}
OAUTH2 = connector(auth={"type": "oauth2", "token": ENDPOINT}).auth
OAUTH1 = connector(auth={"type": "oauth1"}).auth
SIGNER = Account("a", {"consumer_key": "ck", "consumer_secret": "cs", "token": "tk", "token_secret": "ts"})

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALARS: Any = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.sampled_from(["code", "x"]), SCALARS, max_size=2)
WORDS = ["access_token", "refresh_token", "expires_in", "expires_at", "refresh_expires_in", "hard", "scope", "error"]
STATUSES = st.sampled_from([200, 201, 204, 302, 400, 401, 403, 429, 500])
DATES = st.sampled_from(["", "Mon, 23 Nov 2026 15:00:07 GMT", "yesterday", "Mon, 99 Nov 0000 00:00:00 GMT"])


CONTENTS = st.sampled_from(["application/json", "text/html", "application/x-www-form-urlencoded", ""])
PAIRS = st.tuples(TEXTS, TEXTS)


def read(response: Response) -> TokenGranted | TokenRefused:
    return read_token_response(OAUTH2, Account(), response, token_document(response), NOW)


@given(st.dictionaries(st.sampled_from([*WORDS, "error_description"]), VALUES) | VALUES, STATUSES, DATES)
@example({"access_token": "a", "expires_at": "0001-01-01T00:00:00+23:59"}, 200, "")
@example({"access_token": "a", "expires_at": "9999-12-31T23:59:59-23:59"}, 200, "")
@example({"access_token": "a", "expires_in": 10**17}, 200, "")
def test_A10_every_answer_is_granted_or_refused(document: Any, status: int, date: str) -> None:
    """Nothing that a provider can write ends in an exception, or in a token that is empty or has already ended."""
    headers = (("content-type", "application/json"), ("date", date))

    found = read(Response(status, headers, json.dumps(document).encode()))

    if isinstance(found, TokenGranted):
        assert 200 <= status < 300
        assert found.access_token.reveal().isprintable() and found.access_token.reveal()
        assert found.expires_at is None or found.expires_at > NOW
        assert found.refresh_expires_at is None or found.refresh_expires_at > NOW
    else:
        assert isinstance(found, TokenRefused) and status == found.status
        assert (found.code + found.description).isprintable()


@given(st.binary(max_size=200), CONTENTS)
def test_A10_every_body_is_granted_or_refused(body: bytes, content: str) -> None:
    """Nor does anything that is no document."""
    assert isinstance(read(Response(200, (("content-type", content),), body)), TokenGranted | TokenRefused)


@given(st.lists(PAIRS, max_size=4), st.lists(PAIRS, max_size=2, unique_by=lambda pair: pair[0]))
def test_A11_every_query_is_signed_as_another_implementation_does(
    query: list[tuple[str, str]], common: list[tuple[str, str]]
) -> None:
    """Whatever names and values: duplicates, blanks, and every character of Unicode."""
    draft = Draft("GET", f"{BASE}/rows", query=tuple(query), common=tuple(common))
    request = sign(draft, OAUTH1, SIGNER, FIXED).request()
    client = Client(
        "ck",
        "cs",
        "tk",
        "ts",
        signature_method=SIGNATURE_HMAC_SHA256,
        nonce=FIXED.nonce(),
        timestamp=str(int(NOW.timestamp())),
    )

    _, headers, _ = client.sign(request.url)

    theirs, ours = (
        unquote(re.findall('oauth_signature="([^"]*)"', header)[0])
        for header in (headers["Authorization"], request.header("authorization") or "")
    )
    assert theirs == ours
