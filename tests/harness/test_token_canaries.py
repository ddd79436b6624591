"""No token and no secret of a client is in anything that a refresh leaves behind (I14, S40).

Every odd answer of a token endpoint is lived through with known values in every slot. Then all that was left is
searched for them, in every spelling: logs, messages, tracebacks with the engine's local variables, what objects say of
themselves, the files of the store, recordings, certificates, and what the commands print.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import logging
import string
import time
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from projects import Project

from connproof.auth import Signing
from connproof.auth.token_request import token_draft
from connproof.cli import main
from connproof.events import Event
from connproof.model import Account, Connector, Request, Response
from connproof.stores import KEY_VARIABLE, DatabaseTokens, new_key
from connproof.stores.sealing import Sealing
from connproof.tokens import Timing, Tokens
from pytest_connproof.provider import ANSWERS, AuthorizationServer, InProcess, Resource, SimulatedProvider
from pytest_connproof.recording import Provenance, RawLane, assemble, dump
from scripted import connector

TOKEN = "kanarie-5e1ab7c9d3"  # begins every token of the simulated provider
CLIENT_SECRET = "kan/arie+9f27&1d8c=e04b"
ACCOUNT = Account("acme", {"client_id": "c:1", "client_secret": CLIENT_SECRET, "refresh_token": f"{TOKEN}.0.RT_0"})
TIMING = Timing(caller_s=1.0, poll_s=0.001)  # the first back-off is longer than a caller waits: nobody sleeps
SEALED_WITH = new_key()
SECRETS = (TOKEN, CLIENT_SECRET, SEALED_WITH)
_UNRESERVED = frozenset(string.ascii_letters + string.digits + "-._~")
ENGINE = str(Path(main.__code__.co_filename).parent)


def spellings(secret: str) -> Iterator[bytes]:
    """A secret as it is, and as it looks in hexadecimal, percent-encoded, and anywhere inside base64."""
    raw = secret.encode()
    yield raw
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    for form in ("%{:02x}", "%{:02X}"):
        every = [form.format(byte) for byte in raw]
        yield "".join(every).encode()
        yield "".join(
            chr(byte) if chr(byte) in _UNRESERVED else spelt for byte, spelt in zip(raw, every, strict=True)
        ).encode()
    yield json.dumps(secret)[1:-1].encode()
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            # What stands beside it changes the letters at both ends.
            yield encode(b"\0" * before + raw)[(4 if before else 0) : -4]


SPELT = [spelt for secret in SECRETS for spelt in spellings(secret)]


def found(seen: str | bytes) -> list[bytes]:
    """The spellings of the secrets that are there."""
    searched = seen.encode("utf-8", "surrogatepass") if isinstance(seen, str) else seen
    return [spelt for spelt in SPELT if spelt in searched]


@pytest.mark.parametrize("secret", SECRETS, ids=["token", "client secret", "key"])
def test_every_spelling_is_found(secret: str) -> None:
    """The search itself can fail: what it is to find is found in the middle of other text."""
    inside = f"some words, {secret}, others".encode()
    spelt = [inside, inside.hex().encode(), *(base64.b64encode(b"x" * n + inside) for n in range(3))]

    assert [True] * len(spelt) == [bool(found(text)) for text in spelt]


# Every odd answer, over a store in a file.


@dataclass
class Left:
    """What one run has left behind."""

    texts: list[str] = field(default_factory=list)
    kept: list[object] = field(default_factory=list)

    def failed(self, error: BaseException) -> None:
        """An error's text, and its traceback with the local variables of the engine's own frames."""
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        self.texts += [str(error), repr(error), "".join(traceback.format_exception(error))]
        chain: list[traceback.TracebackException] = [told]
        while chain:
            one = chain.pop()
            self.texts += [f"{f.name} {f.locals}" for f in one.stack if f.filename.startswith(ENGINE)]
            chain += [cause for cause in (one.__cause__, one.__context__) if cause is not None]
        self.kept.append(getattr(error, "facts", None))


def declared(client_auth: str) -> Connector:
    token = {"url": "https://id.example/token", "client_auth": client_auth}
    return connector(auth={"type": "oauth2", "rotation": "strict", "token": token})


@contextmanager
def objects_from_here() -> Iterator[None]:
    """What is alive by now is left out of `gc.get_objects`: after many other tests that is most of the process."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def of_the_engine() -> list[str]:
    """What every object of the engine that is alive and was made since says of itself."""
    alive = [one for one in gc.get_objects() if not isinstance(one, type)]
    return [repr(one) for one in alive if str(type(one).__module__).startswith("connproof.")]


async def refreshed(url: str, what: str, client_auth: str, left: Left) -> None:
    """Connect an account whose token has ended, and refresh it as often as the answer is odd."""
    config = declared(client_auth)
    server = AuthorizationServer(config, ACCOUNT, rotation="strict", lifetime_s=600, prefix=TOKEN)
    provider = SimulatedProvider(server, Resource(config, next(config.operations())))
    transport = InProcess(provider, time.time)

    async def send(request: Request) -> Response:
        if what == "a bug":
            raise RuntimeError("nobody has thought of this")
        left.kept.append(request)
        return await transport.send(request)

    if what in ANSWERS:
        server.plan(what)
    elif what == "lost answer":
        provider.plan("acts, no answer")
    transport.unreachable = what == "unreachable"
    with closing(DatabaseTokens(url, Sealing([SEALED_WITH]))) as store:
        store.create()
        row = await store.connect("sample/acme", server.consent(time.time() - 1000))
        left.kept += [store, row, ACCOUNT]
        events: list[Event] = []
        tokens = Tokens(store, config, send, owner="A", timing=TIMING, jitter=lambda: 0.99, listener=events.append)
        for asking in (tokens.access, lambda account: tokens.rejected(account, 2)):
            try:
                left.kept.append(await asking(ACCOUNT))
            except Exception as error:  # noqa: BLE001  # whatever comes is looked into
                left.failed(error)
        await tokens.drained()
        left.kept += [tokens, vars(tokens), await store.read("sample/acme"), *events]
        said = of_the_engine()
        assert any(one.startswith("TokenRow(") for one in said)  # the search comes by what it is about
        left.texts += said


WRONG = [*ANSWERS, "nothing", "lost answer", "unreachable", "a bug"]


@pytest.mark.parametrize(("client_auth", "wrong"), [("body", WRONG), ("basic", ["nothing", "revoked", *WRONG[-3:]])])
def test_I14_no_secret_is_in_anything_that_a_refresh_leaves(
    client_auth: str,
    wrong: list[str],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Whatever the answer: not in logs, errors, tracebacks, objects, nor in the bytes of the store with its log."""
    caplog.set_level(logging.DEBUG)
    for number, what in enumerate(wrong):
        left = Left()
        with objects_from_here():
            asyncio.run(refreshed(f"sqlite:///{tmp_path}/{number}.db", what, client_auth, left), debug=number == 0)
        left.texts += [repr(one) for one in left.kept]
        left.texts += [f"{record.getMessage()} {record.__dict__}" for record in caplog.records]
        caplog.clear()
        assert not {text[:300] for text in left.texts if found(text)}, what

    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert len(wrong) <= len(files)
    assert not {name for name, data in files.items() if found(data)}
    assert [] == found("".join(capfd.readouterr()))


def test_I14_the_write_ahead_log_holds_no_secret(tmp_path: Path) -> None:
    """While the store is open its newest rows are in the log alone."""
    config = declared("body")
    server = AuthorizationServer(config, ACCOUNT, rotation="strict", prefix=TOKEN)
    with closing(DatabaseTokens(f"sqlite:///{tmp_path}/t.db", Sealing([SEALED_WITH]))) as store:
        store.create()
        asyncio.run(store.connect("sample/acme", server.consent(time.time())))
        files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    assert b"sample/acme" in files["t.db-wal"]
    assert not {name for name, data in files.items() if found(data)}


# What a run of tests leaves.


@pytest.mark.parametrize("client_auth", ["basic", "body"])
@pytest.mark.parametrize("what", [None, *ANSWERS])
def test_I14_a_recorded_token_exchange_holds_no_secret(what: str | None, client_auth: str) -> None:
    """The request and its answer, as a recorder takes them: what can be written has no secret in it."""
    server = AuthorizationServer(declared(client_auth), ACCOUNT, rotation="strict", prefix=TOKEN)
    server.consent(time.time())
    if what is not None:
        server.plan(what)
    request = token_draft(server.connector.auth, server.account, Signing.at()).request()
    assert found(request.body or b"")
    lane = RawLane("rows.list", ((request, server.answer(request, time.time())),))

    recording = assemble(
        Path("rows.json"), provenance=Provenance("synthetic", "a test", written_at="2026-11-23"), lanes=[lane]
    )

    assert [] == found(dump(recording))


pytest_plugins = ["pytester"]


def test_I14_a_certificate_and_its_run_hold_no_secret(deals: Project, pytester: pytest.Pytester) -> None:
    """The checks of tokens, for an account whose credentials are known."""
    token = {"url": "https://id.deals.example/token", "client_auth": "body"}
    auth = {"type": "oauth2", "token_path": "access_token", "token": token, "rotation": "strict"}
    deals.change("connector.json", "/auth", auth)
    held = {
        "access_token": f"{TOKEN}.a",
        "refresh_token": f"{TOKEN}.r",
        "client_id": "c",
        "client_secret": CLIENT_SECRET,
    }
    deals.change("accounts/example.json", "/credentials", held)
    before = {path for path in deals.root.rglob("*") if path.is_file()}

    arguments = ["--rootdir", str(deals.root), "--as-of", "2026-11-23", "--certify", "-m", "tokens", "-vv", "-l"]
    result = pytester.runpytest_inprocess(str(deals.root / "connectors"), *arguments)

    written = {path for path in deals.root.rglob("*") if path.is_file()} - before
    assert "deals.json" in {path.name for path in written}
    assert not {path.name for path in written if found(path.read_bytes())}
    assert [] == found(result.stdout.str() + result.stderr.str())


# What the commands print.


def test_I14_the_commands_for_accounts_print_no_secret(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whether they do as they are told, or refuse."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(KEY_VARIABLE, SEALED_WITH)
    monkeypatch.setenv("CONNPROOF_TOKEN_STORE", f"sqlite:///{tmp_path}/tokens.db")
    auth = {"type": "oauth2", "token": {"url": "https://id.example.com/token", "client_auth": "body"}}
    listing = {"rows": {"list": {"method": "GET", "path": "/rows"}}}
    config: dict[str, Any] = {"base_url": "https://api.example.com", "auth": auth, "resources": listing}
    folder = tmp_path / "connectors" / "shop"
    folder.mkdir(parents=True)
    (folder / "connector.json").write_text(json.dumps({**config, "pagination": {"type": "none"}}))
    (tmp_path / "good.json").write_text(json.dumps({"access_token": f"{TOKEN}.a", "refresh_token": f"{TOKEN}.r"}))
    (tmp_path / "bad.json").write_text(json.dumps({"error": "invalid_grant", "error_description": f"{TOKEN}.r"}))

    commands = (
        ("add", "shop", "acme", "--tokens", "good.json"),
        ("add", "shop", "acme", "--tokens", "good.json"),
        ("add", "shop", "other", "--tokens", "good.json"),
        ("add", "shop", "third", "--tokens", "bad.json"),
        ("list",),
        ("show", "shop", "acme"),
        ("reauthorise", "shop", "acme", "--tokens", "bad.json"),
        ("reauthorise", "shop", "acme", "--tokens", "good.json"),
        ("remove", "shop", "acme"),
    )
    codes = []
    for command in commands:
        with pytest.raises(SystemExit) as ended:
            main(["accounts", *command])
        codes.append(ended.value.code)

    assert {0, 2} == set(codes)
    assert [] == found("".join(capfd.readouterr()) + "".join(record.getMessage() for record in caplog.records))
    assert not {path.name for path in tmp_path.glob("tokens.db*") if found(path.read_bytes())}
