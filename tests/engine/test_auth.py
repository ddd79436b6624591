"""A1: the credentials of the account go where the config says, and appear nowhere else."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from connproof.auth import SCHEMES, sign
from connproof.draft import Draft
from connproof.errors import CallWrong
from connproof.events import PageRead
from connproof.model import Account, Connector, Request, Secret
from connproof.places import JsonValue
from scripted import BASE, Provider, connector, engine, items, read, rows, scripted


def sent(auth: dict[str, Any], **credentials: JsonValue) -> Request:
    """The request that a read of one page sends."""
    provider = scripted(items(1))
    read(connector(auth=auth), provider, account=Account("acme", credentials))
    return provider.requests[0]


def basic(pair: str) -> str:
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


@pytest.mark.parametrize(
    ("auth", "credentials", "name", "value"),
    [
        ({"type": "bearer"}, {"access_token": "t0k"}, "authorization", "Bearer t0k"),
        ({"type": "oauth2"}, {"access_token": "t0k"}, "authorization", "Bearer t0k"),
        (
            {"type": "oauth2", "prefix": "Own-oauthtoken ", "token_path": "oauth.token"},
            {"oauth": {"token": "t0k"}},
            "authorization",
            "Own-oauthtoken t0k",
        ),
        ({"type": "bearer", "prefix": ""}, {"access_token": "t0k"}, "authorization", "t0k"),
        ({"type": "api_key", "in": "header", "name": "X-Access-Token"}, {"api_key": "k3y"}, "x-access-token", "k3y"),
        (
            {"type": "api_key", "in": "header", "name": "Authorization", "prefix": "SSWS ", "key_path": "keys[0]"},
            {"keys": ["k3y"]},
            "authorization",
            "SSWS k3y",
        ),
        ({"type": "basic"}, {"username": "u", "password": "p"}, "authorization", basic("u:p")),
        ({"type": "basic", "password": ""}, {"username": "k3y"}, "authorization", basic("k3y:")),
        (
            {"type": "basic", "username": "", "password": "{api_key}"},
            {"api_key": "k3y"},
            "authorization",
            basic(":k3y"),
        ),
        ({"type": "basic", "username": "{key}", "password": "x"}, {"key": "k3y"}, "authorization", basic("k3y:x")),
        (
            {"type": "basic", "username": "{email}/token", "password": "{api.token}"},
            {"email": "a@b.example", "api": {"token": "pä:ss"}},
            "authorization",
            basic("a@b.example/token:pä:ss"),
        ),
        ({"type": "basic", "username": "", "password": ""}, {}, "authorization", basic(":")),
    ],
    ids=[
        "bearer",
        "oauth2",
        "own prefix and path",
        "no prefix",
        "key in header",
        "prefixed key",
        "basic",
        "blank password",
        "blank username",
        "fixed password",
        "templates",
        "both blank",
    ],
)
def test_A1_credential_in_a_header(
    auth: dict[str, Any], credentials: dict[str, JsonValue], name: str, value: str
) -> None:
    """Each scheme writes its header, once, with prefix and templates as declared."""
    request = sent(auth, **credentials)

    assert [value] == [text for key, text in request.headers if key == name]
    assert f"{BASE}/rows" == request.url


def test_A1_no_credentials() -> None:
    """`none` adds nothing."""
    assert () == sent({"type": "none"}, access_token="t0k").headers


def test_A1_key_in_the_query() -> None:
    """A key in the query is encoded, and stands there once on every page."""
    provider = scripted(items(1, next="c2"), items(2))
    auth = {"type": "api_key", "in": "query", "name": "api key", "prefix": "k-"}

    read(
        connector({"type": "cursor", "cursor_field": "next"}, auth=auth),
        provider,
        account=Account("a", {"api_key": "a&b"}),
    )

    assert ["/rows?api%20key=k-a%26b", "/rows?next=c2&api%20key=k-a%26b"] == provider.asked


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("/v1/rows?page=2", "/rows?page=2&key=k3y"),
        ("/v1/rows?key=k3y&page=2", "/rows?key=k3y&page=2"),
        ("?page=2", "/rows?page=2&key=k3y"),
    ],
)
def test_A1_followed_url_is_signed_too(link: str, url: str) -> None:
    """A next URL gets the key, unless the provider has put it there already."""
    config = connector(
        {"type": "next_url", "next_url_field": "next"}, auth={"type": "api_key", "in": "query", "name": "key"}
    )
    provider = scripted(items(1, next=link), items(2))

    assert rows(1, 2) == read(config, provider, account=Account("a", {"api_key": "k3y"}))
    assert url == provider.asked[1]


def test_A15_further_headers_go_beside_the_credentials() -> None:
    """The connector's own headers are sent with the signed request."""
    provider = scripted(items())
    read(
        connector(auth={"type": "bearer"}, headers={"X-Tenant": "7"}),
        provider,
        account=Account("a", {"access_token": "t"}),
    )

    assert {"authorization": "Bearer t", "x-tenant": "7"} == dict(provider.requests[0].headers)


@pytest.mark.parametrize(
    "credentials", [{}, {"access_token": None}, {"access_token": ""}, {"access_token": 5}, {"access_token": ["t"]}]
)
def test_missing_credential_is_named(credentials: dict[str, JsonValue]) -> None:
    """The message has the account, the path, the config's word, and what there is by name; nothing is sent."""
    provider = scripted()
    account = Account("acme", {"api_key": "s3cret", **credentials})

    with pytest.raises(CallWrong) as said:
        read(connector(auth={"type": "bearer"}), provider, account=account)

    assert 'the account "acme" has no credential "access_token"' == said.value.what
    assert "connector.json /auth/token_path" == said.value.facts["needed by"]
    assert "api_key" in said.value.facts["it has"]
    assert "s3cret" not in str(said.value)
    assert [] == provider.requests


@pytest.mark.parametrize(
    "auth",
    [
        {"type": "bearer", "token_path": "key"},
        {"type": "basic", "username": "{key}", "password": ""},
        {"type": "api_key", "in": "query", "name": "k", "key_path": "key"},
    ],
    ids=["bearer", "basic", "query"],
)
@pytest.mark.parametrize("ending", ["\n", "\r\nx-admin: 1", "\0"])
def test_credential_with_a_control_character_is_refused(auth: dict[str, Any], ending: str) -> None:
    """S13: a line break at the end of a pasted token is the account's fault, and is said without the token."""
    with pytest.raises(CallWrong, match="holds a control character") as said:
        sent(auth, key=f"s3cret{ending}")

    assert "s3cret" not in str(said.value)


def test_credential_that_no_header_can_hold_is_refused() -> None:
    """A character beyond Latin-1 is refused, never cut off or replaced."""
    with pytest.raises(CallWrong, match='the header "authorization"') as said:
        sent({"type": "bearer"}, access_token="s3cret✓")

    assert "s3cret" not in str(said.value)


# Secrets are shown nowhere.

EVERY: dict[str, dict[str, Any]] = {
    "api_key": {"type": "api_key", "in": "query", "name": "key", "key_path": "token"},
    "basic": {"type": "basic", "username": "{token}", "password": "{token}"},
    "bearer": {"type": "bearer", "token_path": "token"},
    "oauth2": {
        "type": "oauth2",
        "token_path": "token",
        "token": {"url": "https://id.example/t", "client_auth": "basic", "client_secret_path": "token"},
    },
    "oauth1": {
        "type": "oauth1",
        **{f"{word}_path": "token" for word in ("consumer_key", "consumer_secret", "token", "token_secret")},
    },
    "session": {
        "type": "session",
        "name": "X-Session",
        "token_path": "token",
        "login": {"url": "https://id.example/login", "params": {"password": "{token}"}},
    },
    "ws_security": {"type": "ws_security", "username": "{token}", "password": "{token}"},
    "none": {"type": "none"},
}
WITH_A_PLACE = {"method": "POST", "encode": "xml", "body": "{ws_security}"}


def test_every_scheme_is_held_against_leaks() -> None:
    """The table below has every scheme that there is."""
    assert SCHEMES.keys() == EVERY.keys()


def _texts(config: Connector, provider: Provider, account: Account) -> list[str]:
    one = engine(config, provider, account=account)

    async def whole() -> list[Any]:
        return [page async for page in one.pages("rows")]

    pages = asyncio.run(whole())
    draft = sign(Draft("POST", BASE, body="{ws_security}"), config.auth, account)
    shown: list[Any] = [draft, account, one, config.auth, *pages, *provider.events, *provider.requests]
    return [text for value in shown for text in (repr(value), str(value))]


@pytest.mark.parametrize("scheme", EVERY)
def test_no_text_of_ours_shows_a_secret(scheme: str) -> None:
    """S34: whatever is printed or logged, account, engine, request, page or event: no credential is in it."""
    provider = scripted(items(1))

    operation = WITH_A_PLACE if scheme == "ws_security" else None
    texts = _texts(connector(operation=operation, auth=EVERY[scheme]), provider, Account("acme", {"token": "s3cret"}))

    coded = base64.b64encode(b"s3cret:s3cret").decode()
    assert any(isinstance(event, PageRead) for event in provider.events)
    assert [] == [text for text in texts if "s3cret" in text or coded in text]


def test_secret_shows_itself_on_demand_alone() -> None:
    """A Secret can be compared and revealed, and prints as nothing."""
    secret = Secret("s3cret")

    assert ("s3cret", True, False) == (secret.reveal(), secret == Secret("s3cret"), secret == Secret("x"))
    assert {secret} == {Secret("s3cret")}
    assert ["Secret(...)"] * 3 == [repr(secret), str(secret), f"{secret}"]
