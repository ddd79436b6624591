"""What each provider's token endpoint is asked, and how its answer is read, as its config says."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from connproof.auth import Signing
from connproof.auth.token_request import token_draft
from connproof.auth.token_response import (
    TokenGranted,
    TokenRefused,
    checked_variables,
    read_token_response,
    token_document,
)
from connproof.model import Request, Response
from connproof.places import JsonValue
from providers import NAMES, account, loaded
from scripted import answer

NOW = datetime(2026, 5, 14, 14, 37, 29, tzinfo=UTC)
FIXED = Signing(NOW, lambda: "0123456789abcdef")
PAIR = "Basic " + base64.b64encode(b"invented-client_id:invented-client_secret").decode()
REFRESH = {"grant_type": "refresh_token", "refresh_token": "invented-refresh_token"}
IN_BODY = {"client_id": "invented-client_id", "client_secret": "invented-client_secret"}

ASKING = [name for name in NAMES if loaded(name).auth.token is not None]


def asked(name: str) -> Request:
    """The request for a token of this provider's account."""
    return token_draft(loaded(name).auth, account(name), FIXED).request()


def parameters(request: Request) -> dict[str, str]:
    """The parameters, wherever they are sent: in a form, in JSON, in the query of a GET."""
    kind, body = request.header("content-type") or "", (request.body or b"").decode()
    if kind == "application/json":
        found: dict[str, str] = json.loads(body)
        return found
    return dict(parse_qsl(urlsplit(request.url).query if request.method == "GET" else body, strict_parsing=True))


def answered(name: str, response: Response) -> TokenGranted | TokenRefused:
    """What the endpoint's answer is read as."""
    return read_token_response(loaded(name).auth, account(name), response, token_document(response), NOW)


def granted(name: str, document: JsonValue) -> TokenGranted:
    """The token in such an answer."""
    read = answered(name, answer(document))
    assert isinstance(read, TokenGranted)
    return read


@pytest.mark.parametrize(
    ("name", "url", "pair", "expected"),
    [
        ("airtable", "https://airtable.com/oauth2/v1/token", PAIR, REFRESH),
        ("google", "https://oauth2.googleapis.com/token", None, {**REFRESH, **IN_BODY}),
        (
            "greenhouse",
            "https://auth.greenhouse.io/token",
            PAIR,
            {"grant_type": "client_credentials", "sub": "7"},
        ),
        ("hubspot", "https://api.hubapi.com/oauth/v1/token", None, {**REFRESH, **IN_BODY}),
        ("jira", "https://auth.atlassian.com/oauth/token", None, {**REFRESH, **IN_BODY}),
        (
            "marketo",
            "https://123-abc-456.mktorest.com/identity/oauth/token",
            None,
            {"grant_type": "client_credentials", **IN_BODY},
        ),
        (
            "microsoft-graph",
            "https://login.microsoftonline.com/acme.example/oauth2/v2.0/token",
            None,
            {"grant_type": "client_credentials", "scope": "https://graph.microsoft.com/.default", **IN_BODY},
        ),
        ("notion", "https://api.notion.com/v1/oauth/token", PAIR, REFRESH),
        ("pipedrive", "https://oauth.pipedrive.com/oauth/token", PAIR, REFRESH),
        ("quickbooks", "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer", PAIR, REFRESH),
        ("salesforce", "https://login.salesforce.com/services/oauth2/token", None, {**REFRESH, **IN_BODY}),
        ("slack", "https://slack.com/api/oauth.v2.access", None, {**REFRESH, **IN_BODY}),
        ("workday-rest", "https://wd2-impl-services1.workday.com/ccx/oauth2/acme_gms/token", PAIR, REFRESH),
        ("xero", "https://identity.xero.com/connect/token", PAIR, REFRESH),
        ("zoho", "https://accounts.zoho.eu/oauth/v2/token", None, {**REFRESH, **IN_BODY}),
    ],
)
def test_A2_a_token_is_asked_for_as_the_provider_wants_it(
    name: str, url: str, pair: str | None, expected: dict[str, str]
) -> None:
    """Where, by what right, and who says so."""
    request = asked(name)

    assert url == request.url.partition("?")[0]
    assert pair == request.header("authorization")
    assert expected == parameters(request)


@pytest.mark.parametrize("name", ASKING)
def test_A2_it_is_asked_in_the_form_that_the_provider_reads(name: str) -> None:
    """A form, as the standard has it, JSON at two of them, and the query of a GET at one."""
    request = asked(name)
    sent = (request.method, request.header("content-type"))

    match name:
        case "jira" | "notion":
            assert ("POST", "application/json") == sent
        case "marketo":
            assert ("GET", None) == sent
        case _:
            assert ("POST", "application/x-www-form-urlencoded") == sent


@pytest.mark.parametrize(
    ("name", "document", "lives"),
    [
        ("hubspot", {"access_token": "a", "token_type": "bearer", "refresh_token": "r", "expires_in": 1800}, 1800),
        (
            "salesforce",
            {"access_token": "a", "issued_at": "1778769449000", "instance_url": "https://x.salesforce.com"},
            None,
        ),
        ("marketo", {"access_token": "a", "token_type": "bearer", "expires_in": 117, "scope": "api@ex.test"}, 117),
        ("google", {"access_token": "a", "expires_in": 3599, "scope": "drive"}, 3599),
        ("slack", {"ok": True, "access_token": "a"}, None),
    ],
)
def test_A5_each_provider_says_how_long_a_token_lives(name: str, document: JsonValue, lives: int | None) -> None:
    """Or does not: then nobody knows, and an answer that means it is expired ends it."""
    assert (None if lives is None else NOW + timedelta(seconds=lives)) == granted(name, document).expires_at


@pytest.mark.parametrize(
    ("name", "document", "expected"),
    [
        (
            "salesforce",
            {"access_token": "a", "instance_url": "https://acme.my.salesforce.com"},
            {"instance_url": "https://acme.my.salesforce.com"},
        ),
        (
            "pipedrive",
            {"access_token": "a", "api_domain": "https://acme.pipedrive.com"},
            {"api_domain": "https://acme.pipedrive.com"},
        ),
        (
            "zoho",
            {"access_token": "a", "api_domain": "https://www.zohoapis.in"},
            {"api_domain": "https://www.zohoapis.in"},
        ),
    ],
)
def test_A7_the_answer_says_where_the_api_is(name: str, document: JsonValue, expected: dict[str, str]) -> None:
    """The base URL comes with the token, and is held against its pattern."""
    assert expected == dict(checked_variables(loaded(name).auth, granted(name, document)))


def test_A9_a_users_token_stands_elsewhere() -> None:
    """Slack: under `authed_user`, where there is no bot's."""
    user = granted("slack", {"ok": True, "authed_user": {"access_token": "invented-user"}})

    assert "invented-user" == user.access_token.reveal()


@pytest.mark.parametrize(
    ("name", "response", "kind"),
    [
        ("zoho", answer({"error": "invalid_code"}), "revoked"),
        ("slack", answer({"ok": False, "error": "token_revoked"}), "revoked"),
        ("jira", answer({"error": "invalid_grant", "error_description": "Unknown or invalid"}, status=403), "revoked"),
        ("xero", answer({"error": "invalid_client"}, status=400), "misconfigured"),
        ("google", Response(503), "transient"),
    ],
)
def test_A10_each_provider_refuses_in_its_own_way(name: str, response: Response, kind: str) -> None:
    """Inside a 200, with a 403, without a body."""
    read = answered(name, response)

    assert isinstance(read, TokenRefused)
    assert kind == read.kind


def test_A12_a_refresh_token_ends_too() -> None:
    """QuickBooks: after 100 days unless it is used, and once and for all after years; the nearer end counts."""
    read = granted(
        "quickbooks",
        {
            "access_token": "a",
            "expires_in": 3600,
            "refresh_token": "r",
            "x_refresh_token_expires_in": 8_726_400,
            "x_refresh_token_hard_expires_in": 157_680_000,
        },
    )

    assert NOW + timedelta(seconds=8_726_400) == read.refresh_expires_at
