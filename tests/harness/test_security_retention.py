"""A whole run is watched: what a provider sent is in what the caller gets, and nowhere else."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from test_security_recordings import found_in

CANARY: Final = "can-pay-4001-Pp9x7Q/+="

# Reads two pages over a real connection with a throttle between them, maps them (here and in the process for layers),
# writes, and meets every kind of failure; all with every logger at its most talkative.
RUN: Final = r"""
import asyncio, faulthandler, hashlib, json, logging, os, sys, traceback

canary = sys.stdin.read()
written = []

def heard(event, arguments):
    is_path = bool(arguments) and isinstance(arguments[0], (str, bytes)) and arguments[0] != os.devnull
    if event == "open" and is_path and arguments[2] & (os.O_WRONLY | os.O_RDWR):
        written.append(str(arguments[0]))
    elif event in {"os.mkdir", "os.rename", "os.link", "os.symlink", "sqlite3.connect", "shutil.copyfile"}:
        written.append(str(arguments[-1 if event == "os.rename" else 0]))

sys.addaudithook(heard)
faulthandler.enable()
logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)

from loopback import Loopback
from connproof.config import layered
from connproof.errors import ConnproofError
from connproof.model import Account, Response
from connproof.overrides import Layer
from connproof.run import Call, Engine
from connproof.transport import HttpxTransport

def answer(document, status=200, *headers):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Response(status, (("content-type", "application/json"), *headers), body)

def page(number):
    row = {"id": number, "name": f"{canary} {number}", "amount": canary}
    return {"items": [row], "next": number + 1 if number < 2 else None}

throttled = []

def respond(asked):
    if asked.method == "POST":
        return answer({"error": canary}, 500, ("x-request-id", "r-1"))
    where = asked.target.partition("?")[0]
    if where == "/rows":
        if "after=2" in asked.target and not throttled:
            throttled.append(1)
            return answer({"error": canary}, 429, ("retry-after", "0"))
        return answer(page(2 if "after=2" in asked.target else 1))
    return {
        "/failed": answer({"error": {"message": canary}}, 500),
        "/cut": answer(json.dumps(page(1)).encode()[:-2]),
        "/text": answer(canary.encode()),
        "/other": answer({"items": canary}),
        "/bad": answer(page(7)),
    }[where]

def listing(path):
    return {"list": {"method": "GET", "path": path, "response_path": "items", "key": "id"}}

with Loopback(respond) as provider:
    resources = {name: listing(f"/{name}") for name in ("rows", "failed", "cut", "text", "other", "bad")}
    resources["rows"]["create"] = {"method": "POST", "path": "/rows", "body": {}}
    base = {
        "base_url": provider.url,
        "auth": {"type": "bearer", "token_path": "access_token"},
        "pagination": {"type": "cursor", "cursor_param": "after", "cursor_field": "next"},
        "resources": resources,
        "unified": {
            "sample.row": {"resource": "rows", "fields": {"id": "id", "name": "$uppercase(name) & name"}},
            "sample.bad": {"resource": "bad", "fields": {"id": "id", "amount": "$number(amount)"}},
        },
    }
    layer = {"overrides": {"unified": {
        "sample.row": {"fields": {"tier": "name & '!'"}},
        "sample.bad": {"fields": {"other": "$number(name)"}},
    }}}
    config = layered(
        json.dumps(base).encode(),
        [Layer("account", "acme", json.dumps(layer).encode(), "acme.json")],
        folder="sample", allow_loopback=True,
    )
    account = Account("acme", {"access_token": "t0ken"})
    events = []

    async def whole():
        got, errors = [], []
        async with HttpxTransport(user_agent="watched", allow_loopback=True) as transport:
            engine = Engine(config, transport, account=account, listener=lambda e: events.append(repr(e)))
            wait = Call(on_throttle="wait", max_wait_s=5)
            async for record in engine.read("rows", call=wait):
                got.append(record)
            for name in ("failed", "cut", "text", "other", "bad"):
                try:
                    async for record in engine.read(name):
                        got.append(record)
                except ConnproofError as error:
                    errors.append(error)
            try:
                await engine.write("rows", "create", {"id": 1, "name": canary}, Call(raw=True))
            except ConnproofError as error:
                errors.append(error)
        for error in errors:
            logging.getLogger("caller").error("it failed", exc_info=error)
            print(error, repr(error))
        return got, len(errors)

    got, errors = asyncio.run(whole(), debug=True)
print("\n".join(events))
digest = hashlib.sha256(json.dumps(got).encode()).hexdigest()
print("RETURNED", json.dumps([len(got), errors, digest, written]))
"""


def watched(folder: Path) -> tuple[list[Any], dict[str, bytes]]:
    """What the run returned, and all that it left: its files, stdout and stderr."""
    home = {
        name: str(folder) for name in ("HOME", "TMPDIR", "TMP", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")
    }
    paths = [str(Path(__file__).parents[1] / "engine")]
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        input=CANARY.encode(),
        capture_output=True,
        cwd=folder,
        env={
            **os.environ,
            **home,
            "PYTHONPATH": os.pathsep.join(paths),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUTF8": "1",
        },
        check=False,
    )
    said = done.stdout.decode()
    assert 0 == done.returncode, done.stderr.decode()[-2_000:]
    (returned,) = [
        json.loads(line.removeprefix("RETURNED ")) for line in said.splitlines() if line.startswith("RETURNED")
    ]
    files = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return returned, {**files, "stdout": done.stdout, "stderr": done.stderr}


@pytest.mark.skipif(os.name != "posix", reason="the process for layers is told apart by POSIX signals")
def test_S40_a_payload_is_in_the_return_value_and_nowhere_else(tmp_path: Path) -> None:
    """No file, cache, log at any level, message, traceback, event or print of a whole run has anything of it."""
    (records, errors, digest, written), left = watched(tmp_path)
    expected = [
        {"id": n, "name": f"{text.upper()}{text}", "tier": f"{text}!"} for n in (1, 2) for text in [f"{CANARY} {n}"]
    ]

    assert (2, 6) == (records, errors)
    assert hashlib.sha256(json.dumps(expected).encode()).hexdigest() == digest
    assert [] == written
    assert b"DEBUG" in left["stderr"]
    assert b"it failed" in left["stderr"]
    assert {"stdout", "stderr"} == set(left)
    assert {} == {name: found for name, data in left.items() if (found := found_in(data, {"payload": CANARY}))}


def test_S40_the_watch_would_see_it(tmp_path: Path) -> None:
    """A run that leaves it in a file, or in a log, is found out: the same search over the same places."""
    program = RUN.replace(
        "got.append(record)", "got.append(record); open('kept', 'w').write(repr(record)); logging.debug(record)"
    )
    assert program != RUN
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=CANARY.encode(),
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "engine"), "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )
    kept = (tmp_path / "kept").read_bytes()

    assert b'"kept"' in done.stdout
    assert [["payload"]] * 2 == [found_in(data, {"payload": CANARY}) for data in (kept, done.stderr)]
