"""`connproof read --tokens`: the account's tokens come from their store, and are refreshed there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from connproof.cli import main
from connproof.model import Response
from connproof.stores import KEY_VARIABLE, new_key
from loopback import Asked, Loopback
from scripted import answer, items

Run = Callable[..., tuple[str, str]]


class Provider:
    """An API that takes AT1 alone, and a token endpoint that gives it for RT0, once."""

    def __init__(self) -> None:
        self.presented: list[str] = []

    def respond(self, asked: Asked) -> Response:
        if asked.target == "/token":
            token = parse_qs(asked.body.decode())["refresh_token"][0]
            self.presented.append(token)
            if self.presented == ["RT0"]:
                return answer({"access_token": "AT1", "refresh_token": "RT1", "expires_in": 3600})
            return answer({"error": "invalid_grant"}, status=400)
        return items(1, 2) if asked.header("authorization") == "Bearer AT1" else Response(401)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command in a folder of its own; what it writes, if it ends with this exit code."""
    monkeypatch.setenv(KEY_VARIABLE, new_key())
    monkeypatch.chdir(tmp_path)

    def one(*arguments: str, code: int = 0) -> tuple[str, str]:
        with pytest.raises(SystemExit) as left:
            main(arguments)
        written = capfd.readouterr()
        assert code == left.value.code, written.err
        return written.out, written.err

    return one


def prepare(folder: Path, url: str) -> str:
    """A connector, an account that has its client and no token, and the answer of its consent; the store's URL."""
    document: dict[str, Any] = {
        "base_url": url,
        "auth": {
            "type": "oauth2",
            "token": {"url": f"{url}/token", "client_auth": "body"},
            "rotation": "strict",
        },
        "pagination": {"type": "none"},
        "resources": {"rows": {"list": {"method": "GET", "path": "/rows", "response_path": "items"}}},
    }
    home = folder / "connectors" / "shop"
    (home / "accounts").mkdir(parents=True)
    (home / "connector.json").write_text(json.dumps(document))
    client = {"client_id": "client-one", "client_secret": "invented-client-secret"}
    (home / "accounts" / "acme.json").write_text(json.dumps({"credentials": client}))
    (folder / "consent.json").write_text(json.dumps({"access_token": "AT0", "refresh_token": "RT0"}))
    return f"sqlite:///{folder}/tokens.db"


def test_a_read_signs_with_the_kept_token_and_refreshes_it(tmp_path: Path, run: Run) -> None:
    """The first read's 401 leads to a refresh; the second and a raw request start with the new token."""
    provider = Provider()
    with Loopback(provider.respond) as loopback:
        store = prepare(tmp_path, loopback.url)
        common = ("--account", "acme", "--tokens", store, "--allow-loopback")
        run("accounts", "add", "shop", "acme", "--tokens", "consent.json", "--store", store)

        rows = [run("read", "shop", "rows", *common)[0] for _ in range(2)]
        raw, _ = run("raw", "shop", "GET", "/rows", *common)
        shown, _ = run("accounts", "show", "shop", "acme", "--store", store)

    assert ['{"id":1}\n{"id":2}\n'] * 2 == rows
    assert {"items": [{"id": 1}, {"id": 2}]} == json.loads(raw)
    assert (["RT0"], True) == (provider.presented, "generation     2" in shown)


def test_a_lost_account_is_told_of_by_what_to_do(tmp_path: Path, run: Run) -> None:
    """Exit 1; no token in what is said."""
    provider = Provider()
    provider.presented.append("by a thief")
    with Loopback(provider.respond) as loopback:
        store = prepare(tmp_path, loopback.url)
        run("accounts", "add", "shop", "acme", "--tokens", "consent.json", "--store", store)
        _, said = run("read", "shop", "rows", "--account", "acme", "--tokens", store, "--allow-loopback", code=1)

    assert "must be connected again" in said
    assert "revoked" in said
    assert not {"AT0", "RT0", "invented"} & set(said.split())


def test_a_replay_takes_no_tokens(tmp_path: Path, run: Run) -> None:
    """A recording is signed with none."""
    store = prepare(tmp_path, "http://127.0.0.1:1")
    _, said = run("read", "shop", "rows", "--replay", "--tokens", store, "--allow-loopback", code=2)

    assert "leave out --tokens" in said
