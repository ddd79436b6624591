"""The command in a hostile environment and against a hostile provider: a process, a wire, and what a person sees."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from connproof.model import Headers, Response
from loopback import Loopback

CANARY = "c4nary-S3cret-0f-Th1s-t3st"


@pytest.fixture
def provider() -> Iterator[Loopback]:
    with Loopback(lambda _: Response(404)) as provider:
        yield provider


def connproof(folder: Path, base_url: str, *flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Read `rows` as an account whose key stands in the query; HOME is the folder."""
    said = {
        "base_url": base_url,
        "auth": {"type": "api_key", "in": "query", "name": "api_key", "key_path": "key"},
        "pagination": {"type": "next_url", "next_url_field": "next"},
        "resources": {"rows": {"list": {"method": "GET", "path": "/rows", "response_path": "items"}}},
    }
    (folder / "shop").mkdir()
    (folder / "shop" / "connector.json").write_text(json.dumps(said))
    (folder / "account.json").write_text(json.dumps({"credentials": {"key": CANARY}}))
    kept = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    return subprocess.run(
        [sys.executable, "-m", "connproof", "read", "shop", "rows", "--account", "account.json", *flags],
        cwd=folder,
        env={**kept, "HOME": str(folder), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_S16_proxy_and_netrc_of_the_environment_are_traps_that_nothing_falls_into(
    provider: Loopback, tmp_path: Path
) -> None:
    """The request goes straight to the provider, with the account's credential and no other."""
    provider.respond = lambda _: Response(200, (("content-type", "application/json"),), b'{"items": [{"id": 1}]}')
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login trap password trap\ndefault login trap password trap\n")
    (tmp_path / ".netrc").chmod(0o600)
    with Loopback(lambda _: Response(500)) as trap:
        names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")

        done = connproof(
            tmp_path,
            provider.url,
            "--allow-loopback",
            **dict.fromkeys(names, trap.url),
            NETRC=str(tmp_path / ".netrc"),
        )

    assert (0, '{"id":1}\n') == (done.returncode, done.stdout), done.stderr
    assert [] == trap.asked
    assert [f"/rows?api_key={CANARY}"] == provider.targets
    assert None is provider.asked[0].header("authorization")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_S02_loopback_is_refused_unless_it_is_asked_for(provider: Loopback, tmp_path: Path, scheme: str) -> None:
    """At load, with the line; nothing is sent."""
    done = connproof(tmp_path, provider.url.replace("http", scheme, 1))

    assert 2 == done.returncode
    assert "connector.json:1:2  /base_url  is " in done.stderr
    assert [] == provider.asked


ANSI = "\x1b[2K\x1b[31mERROR all records deleted\x1b[0m"


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (401, (("www-authenticate", f"Bearer {CANARY}"),), f"bad key {CANARY}\n{ANSI}".encode()),
        (302, (("location", f"/rows?api_key={CANARY}"),), b""),
        (200, (("content-type", f"x/{CANARY[:6]}\x85{ANSI[:4]}"),), b"{}"),
        (200, (), json.dumps({"items": [], "next": f"https://evil.example/{ANSI}?api_key={CANARY}"}).encode()),
        (200, (), json.dumps({"items": [], "next": f"https://evil.example/?api_key={CANARY}"}).encode()),
        (200, (), json.dumps({"items": 1, ANSI: CANARY}).encode()),
    ],
    ids=["401", "302", "content type", "ANSI link", "foreign link", "no list"],
)
def test_S34_S48_what_a_person_sees_is_plain_and_holds_no_credential(
    provider: Loopback, tmp_path: Path, status: int, headers: Headers, body: bytes
) -> None:
    """One message, without a traceback, a colour or the key; S35: and no query of a URL."""
    provider.respond = lambda _: Response(status, (*headers, ("content-type", "application/json")), body)

    done = connproof(tmp_path, provider.url, "--allow-loopback")

    assert 1 == done.returncode
    assert "shop.rows.list" in done.stderr
    shown = f"{done.stdout}{done.stderr.partition('  resume with')[0]}"  # a token belongs to whoever asked
    assert "Traceback" not in shown and "api_key" not in shown and CANARY not in shown
    assert all(line.isprintable() for line in shown.splitlines())
