"""The commands `connproof accounts`: what is kept and shown, and that no token is in anything that anybody sees."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import re
import sys
import traceback
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from connproof.cli import main
from connproof.clock import FixedClock
from connproof.model import Secret, TokenPair
from connproof.stores import KEY_VARIABLE, DatabaseTokens, new_key, sealing_from

ACCESS, REFRESH = "canary-access-5f1e77", "canary-refresh-90ab12"
NEXT = "canary-next-77cd34"
CONNECTOR: dict[str, Any] = {
    "base_url": "https://api.example.com",
    "auth": {"type": "oauth2", "token": {"url": "https://id.example.com/token", "client_auth": "body"}},
    "pagination": {"type": "none"},
    "resources": {"rows": {"list": {"method": "GET", "path": "/rows"}}},
}
ANSWER = {"access_token": ACCESS, "refresh_token": REFRESH, "expires_in": 3600, "token_type": "bearer"}

Run = Callable[..., tuple[str, str]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one connector, and a user who has a key and nothing else."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own"))
    monkeypatch.setenv(KEY_VARIABLE, new_key())
    monkeypatch.setenv("CONNPROOF_TOKEN_STORE", f"sqlite:///{tmp_path}/tokens.db")
    write(tmp_path, CONNECTOR)
    (tmp_path / "tokens.json").write_text(json.dumps(ANSWER))
    os.utime(tmp_path / "tokens.json", (1_800_000_000, 1_800_000_000))
    return tmp_path


def write(folder: Path, document: dict[str, Any]) -> None:
    file = folder / "connectors" / "shop" / "connector.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document))


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run `connproof accounts` there; stdout and stderr of a command that ends with this exit code."""
    monkeypatch.chdir(home)

    def one(*arguments: str, code: int = 0) -> tuple[str, str]:
        with pytest.raises(SystemExit) as left:
            main(["accounts", *arguments])
        stdout, stderr = capfd.readouterr()
        assert code == left.value.code, stderr
        return stdout, stderr

    return one


ADD = ("add", "shop", "acme", "--tokens", "tokens.json")


def stdin(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))


def test_an_account_is_added_and_shown(run: Run) -> None:
    """Everything of its tokens but the tokens; a lifetime counts from when the file was written."""
    added, _ = run(*ADD)
    shown, _ = run("show", "shop", "acme")

    assert added == shown
    assert [
        "shop/acme",
        "  state          ok",
        "  generation     1",
        "  access token   ends 2027-01-15 09:00:00Z",
        "  refresh token  ends nobody knows when",
    ] == shown.splitlines()


def test_trouble_is_shown(run: Run, home: Path) -> None:
    """Who is at it, what is unknown and since when, what waits, and whether the client is blocked."""
    run(*ADD)
    asyncio.run(trouble(f"sqlite:///{home}/tokens.db"))

    assert [
        "shop/acme",
        "  state            ambiguous",
        "  reason           timeout",
        "  client blocked   shop (invalid_client), shop:c1 (unauthorized_client)",
        "  generation       1",
        "  access token     ends 2027-01-15 09:00:00Z",
        "  refresh token    ends nobody knows when",
        "  refreshed by     b, until 2100-01-01 00:01:00Z",
        "  outcome unknown  of 2, since 2100-01-01 00:00:00Z",
        "  failures         1",
        "  candidates       1",
    ] == run("show", "shop", "acme")[0].splitlines()


async def trouble(url: str) -> None:
    at = datetime(2100, 1, 1, tzinfo=UTC)
    with closing(DatabaseTokens(url, sealing_from(os.environ), FixedClock(at))) as store:
        for owner in ("a", "b"):
            seen = await store.read("shop/acme")
            assert seen is not None
            held = await store.claim(seen, owner=owner, lease_s=60)
            assert held is not None
            if owner == "a":
                await store.keep_candidate(held, TokenPair(Secret(""), Secret(NEXT)))
                await store.back_off(held, not_before=0.0, undo=None, reason="timeout")
        await store.block_client("shop:c1", "unauthorized_client")
        await store.block_client("shop", "invalid_client")
        await store.block_client("shop2", "invalid_client")


def test_a_client_is_unblocked(run: Run, home: Path) -> None:
    """Those of the connector, each by name; no other's, and not twice."""
    run(*ADD)
    asyncio.run(trouble(f"sqlite:///{home}/tokens.db"))

    told = run("unblock", "shop")[0]

    assert ["shop: unblocked, was invalid_client", "shop:c1: unblocked, was unauthorized_client"] == told.splitlines()
    assert "client blocked" not in run("show", "shop", "acme")[0]
    assert "no OAuth client of shop is blocked" in run("unblock", "shop", code=2)[1]
    assert "shop2: unblocked" in run("unblock", "shop2")[0]


def test_a_connector_may_be_named_by_its_folder(run: Run) -> None:
    """To add an account, and to look at it."""
    run("add", "connectors/shop", "acme", "--tokens", "tokens.json")

    assert "shop/acme" in run("show", "connectors/shop", "acme")[0]
    assert "shop/acme" in run("list", "connectors/shop/")[0]


def test_tokens_are_read_from_stdin(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that they need not be written to a file."""
    stdin(monkeypatch, json.dumps(ANSWER))

    assert "access token   ends 20" in run("add", "shop", "acme", "--tokens", "-")[0]


def test_stdin_is_called_by_its_name(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a message, "-" would look like a slip of the pen."""
    stdin(monkeypatch, "{}")

    assert "stdin has no token in it" in run("add", "shop", "acme", "--tokens", "-", code=2)[1]


def test_tokens_are_read_in_the_connectors_own_dialect(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where its config says that they stand."""
    auth = {**CONNECTOR["auth"], "token": {**CONNECTOR["auth"]["token"], "response": {"access_token": "user.token"}}}
    write(home, {**CONNECTOR, "auth": auth})
    stdin(monkeypatch, json.dumps({"user": {"token": ACCESS}}))

    assert "refresh token  none" in run("add", "shop", "acme", "--tokens", "-")[0]


def test_a_form_is_read(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """As some token endpoints answer."""
    stdin(monkeypatch, f"access_token={ACCESS}&expires_in=28800&refresh_token={REFRESH}")

    assert "generation     1" in run("add", "shop", "acme", "--tokens", "-")[0]


def test_a_refresh_token_alone_is_taken(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """As somebody has it who comes from another system: the first call refreshes."""
    stdin(monkeypatch, json.dumps({"refresh_token": REFRESH}))

    assert "access token   none" in run("add", "shop", "acme", "--tokens", "-")[0]


def test_an_account_that_is_there_is_not_added(run: Run) -> None:
    """Its tokens may be the newest that there are."""
    run(*ADD)

    assert "connproof accounts reauthorise" in run(*ADD, code=2)[1]


def test_a_new_consent_is_the_next_generation(run: Run, home: Path) -> None:
    """For an account that is there."""
    assert "has no tokens here" in run("reauthorise", "shop", "acme", "--tokens", "tokens.json", code=2)[1]
    run(*ADD)
    (home / "tokens.json").write_text(json.dumps({"access_token": NEXT}))

    assert "generation     2" in run("reauthorise", "shop", "acme", "--tokens", "tokens.json")[0]


def test_accounts_are_listed(run: Run, home: Path) -> None:
    """A line each; of one connector, or of all."""
    run(*ADD)
    (home / "tokens.json").write_text(json.dumps({"access_token": NEXT}))
    run("add", "shop", "beta", "--tokens", "tokens.json")

    lines = run("list")[0].splitlines()

    assert "account    state  reason  generation  access ends" == lines[0]
    assert ["shop/acme", "ok", "-", "1", "2027-01-15", "09:00:00Z"] == lines[1].split()
    assert 3 == len(lines)
    assert 1 == len(run("list", "sho")[0].splitlines())


def test_a_removed_account_is_gone(run: Run) -> None:
    """And a second removal says so."""
    run(*ADD)

    assert "shop/acme: removed\n" == run("remove", "shop", "acme")[0]
    assert "has no tokens here" in run("show", "shop", "acme", code=2)[1]
    assert "has no tokens here" in run("remove", "shop", "acme", code=2)[1]


def test_F45_a_token_that_another_account_has_is_refused(run: Run) -> None:
    """The message names the account that has it."""
    run(*ADD)

    assert "has it already  shop/acme" in run("add", "shop", "beta", "--tokens", "tokens.json", code=2)[1]


def test_a_key_is_made(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another each time; and it is one."""
    first, second = run("key")[0].strip(), run("key")[0].strip()

    assert first != second
    monkeypatch.setenv(KEY_VARIABLE, f"{first},{second}")
    run(*ADD)


def test_without_a_key_nothing_is_kept(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says how to make one."""
    monkeypatch.delenv(KEY_VARIABLE)
    monkeypatch.setitem(sys.modules, "keyring", None)

    assert "connproof accounts key" in run(*ADD, code=2)[1]


def test_a_key_may_be_in_the_keyring(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not printed then, and a further one goes before it: what the older sealed still opens."""
    kept: dict[tuple[str, str], str] = {}
    ring = ModuleType("keyring")
    ring.__dict__.update(
        get_password=lambda *place: kept.get(place), set_password=lambda *words: kept.update({words[:2]: words[2]})
    )
    errors = ModuleType("keyring.errors")
    errors.__dict__.update(KeyringError=type("KeyringError", (Exception,), {}), NoKeyringError=KeyError)
    monkeypatch.setitem(sys.modules, "keyring", ring)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    monkeypatch.delenv(KEY_VARIABLE)

    told, _ = run("key", "--keyring")
    run(*ADD)
    run("key", "--keyring")

    assert 2 == len((keys := "".join(kept.values())).split(","))
    assert not [key for key in keys.split(",") if key in told]
    assert "state          ok" in run("show", "shop", "acme")[0]


def test_F50_an_account_under_another_key_is_blocked_and_stays(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the key that it was sealed under it is as before."""
    run(*ADD)
    key = os.environ[KEY_VARIABLE]
    monkeypatch.setenv(KEY_VARIABLE, new_key())

    assert "blocked_config" in run("show", "shop", "acme")[0]
    assert "unreadable" in run("list")[0]

    monkeypatch.setenv(KEY_VARIABLE, f"{new_key()},{key}")
    assert "state          ok" in run("show", "shop", "acme")[0]


def test_what_an_older_key_has_sealed_is_sealed_anew(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the older key may go; nothing is left to do a second time."""
    run(*ADD)
    (home / "tokens.json").write_text(json.dumps({"access_token": NEXT}))
    run("add", "shop", "beta", "--tokens", "tokens.json")
    new = new_key()
    monkeypatch.setenv(KEY_VARIABLE, f"{new},{os.environ[KEY_VARIABLE]}")

    assert "2 accounts sealed anew, 0 were under the newest key\n" == run("reseal")[0]
    assert "0 accounts sealed anew, 2 were under the newest key\n" == run("reseal")[0]

    monkeypatch.setenv(KEY_VARIABLE, new)
    assert "state          ok" in run("show", "shop", "acme")[0]


def test_F50_an_account_that_cannot_be_sealed_anew_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 2, so that nobody throws a key away that is still needed."""
    run(*ADD)
    monkeypatch.setenv(KEY_VARIABLE, new_key())

    stdout, stderr = run("reseal", code=2)

    assert "0 accounts sealed anew, 0 were under the newest key\n" == stdout
    assert "shop/acme" in stderr
    assert "connproof accounts reauthorise" in stderr


def test_without_a_store_named_it_is_the_users_own(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder that nobody else may read."""
    monkeypatch.delenv("CONNPROOF_TOKEN_STORE")
    run(*ADD)

    (file,) = home.rglob("tokens.db")
    assert "connproof" in str(file.parent)
    assert (0o700, 0o600) == (file.parent.stat().st_mode & 0o777, file.stat().st_mode & 0o777)


@pytest.mark.parametrize("name", ["../x", "a/b", "", "a b"])
def test_an_account_has_a_name_that_can_be_kept(run: Run, name: str) -> None:
    """As everywhere else."""
    assert "cannot be the name" in run("add", "shop", name, "--tokens", "tokens.json", code=2)[1]


BROKEN = {
    "no JSON": f'{{"access_token": "{ACCESS}", "refresh_token": "{REFRESH}"',
    "a list": json.dumps([ACCESS, REFRESH]),
    "an error": json.dumps({"error": "invalid_grant", "error_description": f"{REFRESH} is spent"}),
    "null": json.dumps({"access_token": None, "token": ACCESS}),
    "a bare token": ACCESS,
    "nothing": "",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_what_holds_no_token_is_refused(run: Run, home: Path, text: str) -> None:
    """Told without anything that stands in it."""
    (home / "tokens.json").write_text(text)

    stdout, stderr = run(*ADD, code=2)

    assert "tokens.json has no token in it" in stderr
    assert "canary" not in stdout + stderr


def test_a_connector_without_tokens_is_refused(run: Run, home: Path) -> None:
    """An API key stands in the account's file."""
    write(home, {**CONNECTOR, "auth": {"type": "bearer"}})

    assert "no tokens to keep" in run(*ADD, code=2)[1]


def test_a_file_without_end_is_refused(run: Run, home: Path) -> None:
    """Before it is read into memory."""
    (home / "tokens.json").write_text(json.dumps({**ANSWER, "more": "x" * 1024 * 1024}))

    assert "more than 1048576 bytes" in run(*ADD, code=2)[1]


STORES = {
    "another key": ({KEY_VARIABLE: new_key()}, 0),
    "a key cut short": ({KEY_VARIABLE: new_key()[:-5]}, 2),
    "no database": ({"CONNPROOF_TOKEN_STORE": "https://id.example.com/"}, 2),
    "no folder": ({"CONNPROOF_TOKEN_STORE": "sqlite:////no/such/folder/t.db"}, 2),
    "no database file": ({"CONNPROOF_TOKEN_STORE": "sqlite:///tokens.json"}, 2),
}


@pytest.mark.parametrize("case", STORES.values(), ids=STORES)
def test_I14_no_token_is_seen_anywhere(
    run: Run,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    case: tuple[dict[str, str], int],
) -> None:
    """Not in output, message, log or traceback; and in no file of the store. Keys neither."""
    environment, code = case
    caplog.set_level(logging.DEBUG)
    secrets = [ACCESS, REFRESH, NEXT, os.environ[KEY_VARIABLE]]
    secrets += [value for name, value in environment.items() if name == KEY_VARIABLE]
    raised: list[str] = []
    monkeypatch.setattr("connproof.cli._say", lambda text: raised.extend([text, traceback.format_exc()]))
    seen = [*run(*ADD), *run(*ADD, code=2), *run("show", "shop", "acme"), *run("list")]
    (home / "tokens.json").write_text(json.dumps({"access_token": NEXT}))
    seen += run("reauthorise", "shop", "acme", "--tokens", "tokens.json")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    seen += [*run("show", "shop", "acme", code=code), *run("list", code=code), *run("reseal", code=2)]
    seen += run("reauthorise", "shop", "acme", "--tokens", "tokens.json", code=code)

    seen += [record.getMessage() for record in caplog.records]
    stored = b"".join(path.read_bytes() for path in home.glob("tokens.db*"))
    assert "CallWrong" in "".join(raised)
    assert len(stored) > 1000
    assert not [secret for secret in secrets if secret in "".join([*seen, *raised]) or secret.encode() in stored]


def test_no_option_takes_a_token(run: Run) -> None:
    """What stands on a command line is in the shell's history, and in every list of processes."""
    helps = "".join(run(command, "--help")[0] for command in ("add", "reauthorise"))

    assert {"--tokens", "--store", "--help"} == set(re.findall(r"--[a-z]+", helps))
