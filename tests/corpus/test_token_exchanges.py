"""Token exchanges that others recorded: what we would send is what was sent, and what came back is read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

import formats
from connproof.auth import Signing
from connproof.auth.token_request import token_draft
from connproof.auth.token_response import TokenGranted, read_token_response, token_document
from connproof.config import parse
from connproof.model import Account, Auth
from listings import ABSENT, CORPUS
from pytest_connproof.foreign import Taped

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ROWS: list[dict[str, Any]] = json.loads((CORPUS / "cases.json").read_bytes())["oauth"] if CORPUS.is_dir() else []
CASES = [pytest.param(row, id=Path(row["file"]).stem) for row in ROWS]
INSTALLATION = (
    "github/octokit.rb/spec/cassettes/Octokit_Client_Apps/with_app_installation/with_app_installation_access_token/"
    "_list_app_installation_repositories/allows_auto_pagination.json"
)

pytestmark = pytest.mark.skipif(not ROWS, reason=ABSENT)

# A grant that the language has no word for is one of its parameters.
GRANTS: dict[str, dict[str, Any]] = {
    "refresh_token": {"grant": "refresh_token"},
    "client_credentials": {"grant": "client_credentials"},
    "password": {
        "grant": "none",
        "params": {"grant_type": "password", "username": "{username}", "password": "{password}"},
    },
}


def auth_of(token: dict[str, Any]) -> Auth:
    document = {
        "base_url": "https://api.example.com",
        "auth": {"type": "oauth2", "token": token},
        "resources": {"rows": {"list": {"method": "GET", "path": "/rows"}}},
    }
    return parse(json.dumps(document).encode(), folder="example").auth


def exchange_of(path: Path, ending: str) -> Taped:
    """The exchange of a file whose URL ends so."""
    return next(taped for taped in formats.read(path).exchanges if taped.request.url.endswith(ending))


def members(body: bytes | None) -> list[tuple[str, str]]:
    return sorted(parse_qsl((body or b"").decode(), keep_blank_values=True, strict_parsing=True))


@pytest.mark.parametrize("row", CASES)
def test_A2_we_ask_as_was_asked(row: dict[str, Any]) -> None:
    """Method, URL, form and client authentication are those of the recorded request."""
    taped = exchange_of(CORPUS / row["source"] / row["file"], "/access_token")
    (grant,) = row["grants"]
    held = {**dict(members(taped.request.body)), "client_id": "c", "client_secret": "s"}

    auth = auth_of({"url": taped.request.url, "client_auth": "basic", **GRANTS[grant]})
    ours = token_draft(auth, Account("a", {**held}), Signing(NOW, lambda: "n" * 32)).request()

    assert (taped.request.method, taped.request.url) == (ours.method, ours.url)
    assert members(taped.request.body) == members(ours.body)
    assert taped.request.header("content-type") == ours.header("content-type")
    schemes = [(request.header("authorization") or "").partition(" ")[0] for request in (taped.request, ours)]
    assert ["Basic", "Basic"] == schemes


@pytest.mark.parametrize("row", CASES)
def test_A5_what_was_answered_is_read(row: dict[str, Any]) -> None:
    """Token, lifetime and scope, as they stand in the recorded body."""
    taped = exchange_of(CORPUS / row["source"] / row["file"], "/access_token")
    said = json.loads(taped.response.body)
    auth = auth_of({"url": taped.request.url, "client_auth": "basic"})

    found = read_token_response(auth, Account(), taped.response, token_document(taped.response), NOW)

    assert isinstance(found, TokenGranted)
    assert found.expires_at is not None and said["expires_in"] == (found.expires_at - NOW).total_seconds()
    assert (said["access_token"], ()) == (found.access_token.reveal(), found.notes)
    assert said.get("refresh_token") == (found.refresh_token.reveal() if found.refresh_token else None)
    assert tuple(said["scope"].split()) == found.scope


@pytest.mark.skipif(not (CORPUS / INSTALLATION).is_file(), reason=f"{INSTALLATION} is not in the corpus")
def test_A5_an_end_that_is_a_date_counts_from_the_answers_own() -> None:
    """A token of one hour, answered years ago, lives an hour from when it arrives."""
    taped = exchange_of(CORPUS / INSTALLATION, "/access_tokens")
    auth = auth_of(
        {
            "url": "https://api.example.com/token",
            "grant": "none",
            "client_auth": "bearer_jwt",
            "jwt": {"algorithm": "RS256", "key_path": "key"},
            "response": {"access_token": "token", "expires_at": "expires_at"},
        }
    )

    found = read_token_response(auth, Account(), taped.response, token_document(taped.response), NOW)

    assert isinstance(found, TokenGranted)
    assert found.expires_at is not None and 3600 == (found.expires_at - NOW).total_seconds()
