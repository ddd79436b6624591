"""Which exchanges ask for a token: told from the config's auth, for traffic of any account and in any spelling."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connproof import config
from connproof.model import Auth, Request
from pytest_connproof.grants import asks_for_token

REFRESH = b"grant_type=refresh_token&refresh_token=r-1"


def _auth(folder: Path, url: str, **token: Any) -> Auth:
    """The auth of a connector with this token endpoint; what is in braces may be any word."""
    names = {name for name in ("host", "tenant") if f"{{{name}}}" in url}
    document = {
        "base_url": "https://api.shop.example",
        "auth": {"type": "oauth2", "token": {"url": url, "client_auth": "body", **token}},
        "variables": {name: {"pattern": "[a-z0-9_.-]+", "source": "account"} for name in names},
        "resources": {"deals": {"list": {"method": "GET", "path": "/deals", "pagination": {"type": "none"}}}},
    }
    (folder / "shop").mkdir()
    (folder / "shop/connector.json").write_text(json.dumps(document), encoding="utf-8")
    return config.load(folder / "shop").auth


@pytest.mark.parametrize(
    ("declared", "asked"),
    [
        ("https://id.shop.example/token", "https://id.shop.example/token"),
        ("https://ID.shop.example:443/token", "https://id.shop.example/token"),
        ("https://id.shop.example/token", "https://ID.shop.example:443/token"),
        ("https://id.shop.example", "https://id.shop.example/"),
        ("https://id.shop.example/to%7Eken", "https://id.shop.example/to~ken"),
        ("https://id.shop.example/token?request=token", "https://id.shop.example/token?request=token"),
        ("https://{host}/oauth/{tenant}/token", "https://wd2.shop.example:8443/oauth/a%20b/token"),
    ],
    ids=["as it is", "declared with a port", "asked with a port", "no path", "percent", "a query", "of an account"],
)
def test_a_token_request_is_known_by_its_address(tmp_path: Path, declared: str, asked: str) -> None:
    """Whatever spelling of it the config has, and the client."""
    assert asks_for_token(_auth(tmp_path, declared), Request("POST", asked, body=REFRESH))


@pytest.mark.parametrize(
    ("asked", "body"),
    [
        ("https://other.example/oauth/a/token", REFRESH),
        ("https://id.shop.example/oauth/a/b/token", REFRESH),
        ("https://id.shop.example/oauth/a/token/", REFRESH),
        ("/oauth/a/token", REFRESH),
        ("https://id.shop.example/oauth/a/token", b"grant_type=authorization_code&code=c-1"),
    ],
    ids=["another host", "a slash in a word", "a slash more", "no URL", "another grant"],
)
def test_another_request_asks_for_no_token(tmp_path: Path, asked: str, body: bytes) -> None:
    """Neither what goes elsewhere, nor what the endpoint is asked for that the config never asks for."""
    auth = _auth(tmp_path, "https://id.shop.example/oauth/{tenant}/token")

    assert not asks_for_token(auth, Request("POST", asked, body=body))
