"""What stands in traffic and is secret is in no artefact, in no spelling; and nothing is asked of anybody meanwhile."""

from __future__ import annotations

import base64
import gzip
import json
import re
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest
from shop import DAY, DEALS, Project, environment, pytest_in_process
from test_recording import CANARIES, JWT, KNOWN, TRAFFIC

from connproof.model import Request, Response
from pytest_connproof import foreign
from pytest_connproof.recording import Provenance, RawLane, assemble, document_of, load, save, unclean
from pytest_connproof.redact import Policy

pytest_plugins = ["pytester"]

_RUN: Final = re.compile(rb"[A-Za-z0-9+/_-]{8,}")
_HEX: Final = re.compile(rb"(?:[0-9a-fA-F]{2}){6,}")
_PERCENT: Final = re.compile(rb"%([0-9a-fA-F]{2})")
_UNICODE: Final = re.compile(rb"\\u00([0-9a-fA-F]{2})")


def layers(data: bytes, depth: int = 3) -> Iterator[bytes]:
    """The data, and all that it holds in one encoding or another, some levels deep."""
    yield data
    if not depth:
        return
    for inner in {*_decoded(data)} - {data}:
        yield from layers(inner, depth - 1)


def _decoded(data: bytes) -> Iterator[bytes]:
    yield _PERCENT.sub(lambda found: bytes.fromhex(found[1].decode()), data)
    unwrapped = data.replace(b"\\n", b"").replace(b"\n", b"")
    yield _UNICODE.sub(lambda found: bytes.fromhex(found[1].decode()), data).replace(b"\\/", b"/").replace(b'\\"', b'"')
    yield data.replace(b"\\\\", b"\\")
    for run in _RUN.findall(unwrapped):
        plain = run.replace(b"-", b"+").replace(b"_", b"/")
        for skipped in range(4):  # one of these meets the boundary, whatever stands before
            whole = plain[skipped:]
            yield base64.b64decode(whole[: len(whole) - (len(whole) % 4 == 1)] + b"===")
    for run in _HEX.findall(data):
        yield bytes.fromhex(run.decode())
    for at in (found.start() for found in re.finditer(rb"\x1f\x8b\x08", data)):
        try:
            yield zlib.decompressobj(wbits=31).decompress(data[at:])
        except zlib.error:
            continue


def found_in(data: bytes, canaries: dict[str, str]) -> list[str]:
    """The slots whose canary the data holds, forwards or backwards, in any layer of it."""
    seen = list(layers(data))
    return [
        slot
        for slot, canary in canaries.items()
        if any(text in layer for layer in seen for text in (canary.encode(), canary[::-1].encode()))
    ]


HIDDEN: dict[str, Callable[[bytes], bytes]] = {
    "raw": lambda text: text,
    **{f"base64 at {n}": lambda text, n=n: base64.b64encode(b"x" * n + text + b"yy") for n in range(3)},  # type: ignore[misc]  # mypy does not know lambdas with defaults
    "base64 of a URL": lambda text: base64.urlsafe_b64encode(b"??" + text),
    "hex": lambda text: text.hex().upper().encode(),
    "percent": lambda text: quote(text.decode(), safe="").encode(),
    "every byte percent": lambda text: "".join(f"%{byte:02x}" for byte in text).encode(),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text.decode())).encode(),
    "unicode escapes": lambda text: "".join(f"\\u{byte:04x}" for byte in text).encode(),
    "reversed": lambda text: text[::-1],
    "gzip": lambda text: gzip.compress(text * 3),
    "gzip in base64": lambda text: base64.b64encode(gzip.compress(text)),
    "base64 in a URL's query": lambda text: quote(base64.b64encode(text).decode(), safe="").encode(),
}


@pytest.mark.parametrize("form", HIDDEN)
def test_S36_the_search_finds_every_form(form: str) -> None:
    """A search that finds nothing proves nothing: what it is to find is found in the middle of a file."""
    canary = "can-any-0099/+Zz="
    data = b'{"a": "' + HIDDEN[form](canary.encode()) + b'", "b": 1}'

    assert ["it"] == found_in(data, {"it": canary})
    assert [] == found_in(data, {"it": "can-any-0098/+Zz="})


LIVE = Provenance("imported", "a test", recorder="connproof", origin="a tape", written_at="2026-11-23")


def test_S36_no_canary_of_any_slot_is_in_anything_that_recording_leaves(tmp_path: Path) -> None:
    """Header, path, query, form, JSON in JSON, Basic, cookie, JWT, presigned URL, multipart, gzip, XML, bytes, token
    responses: neither in the file, nor in its export, nor in what objects and messages say of themselves."""
    policy = Policy(secrets=tuple(CANARIES[name] for name in KNOWN))
    recording = assemble(
        tmp_path / "contacts.json", provenance=LIVE, lanes=[RawLane("contacts.list", TRAFFIC)], policy=policy
    )
    save(recording, recording.path)
    loaded = load(recording.path)
    exchanges = [(e.request, e.response, None) for e in loaded.exchanges()]
    artefacts = {
        "file": recording.path.read_bytes(),
        "document": json.dumps(document_of(loaded)).encode(),
        "export": foreign.write_har(exchanges, creator_version="0").encode(),
        "objects": repr((recording, loaded, [e.request.headers for e in loaded.exchanges()])).encode(),
        "bodies": b"\n".join(e.response.body + (e.request.body or b"") for e in loaded.exchanges()),
        "messages": "\n".join(map(str, unclean(loaded))).encode(),
    }
    raw = repr([(r.url, r.headers, r.body, a.headers, a.body) for r, a in TRAFFIC]).encode()

    assert {} == {
        name: slots for name, data in artefacts.items() if (slots := found_in(data, {**CANARIES, "jwt": JWT}))
    }
    assert set(CANARIES) - {"packed", "binary"} <= set(found_in(raw, CANARIES)) | {"xml", "json", "query", "form"}


SHOP: Final = {
    "header": "can-hdr-1001-Aa9x7Q",
    "query": "can-qry-1002-Bb/+=9x7Q",
    "basic": "can-bas-1005-Ee9x7Q",
    "cookie": "can-cke-1006-Ff9x7Q",
    "token": "can-tok-1007-Gg9x7Q",
    "escaped": "can-jsn-1004-Dd9x7Q",
    "presigned": "can1008a1b2c3d4e5f60718293a4b5c6d",
}


def _har() -> str:
    """Two pages of the shop's deals, as a browser would have saved them, with a secret in every slot."""

    def page(query: str, body: Any) -> tuple[Request, Response, str | None]:
        basic = base64.b64encode(f"app:{SHOP['basic']}".encode()).decode()
        headers = (
            ("authorization", f"Bearer {SHOP['token']}"),
            ("x-api-key", SHOP["header"]),
            ("cookie", f"sid={SHOP['cookie']}"),
            ("proxy-authorization", f"Basic {basic}"),
        )
        answer = Response(
            200,
            (("content-type", "application/json"), ("set-cookie", f"sid={SHOP['cookie']}; Path=/")),
            json.dumps(body).encode(),
        )
        return Request("GET", f"https://api.shop.example/v1/deals?{query}", headers), answer, "2026-11-01T00:00:00Z"

    file = f"https://s3.corp.com/f?X-Amz-Signature={SHOP['presigned']}&X-Amz-Date=20261120"
    first = [{**DEALS[0], "file": file}, {**DEALS[1], "raw": json.dumps({"password": SHOP["escaped"]})}]
    key = quote(SHOP["query"], safe="")
    return foreign.write_har(
        [
            page(f"limit=2&api_key={key}", {"results": first, "paging": {"next": {"after": "c-2"}}}),
            page(
                f"limit=2&api_key={key}&after=c-2",
                {"results": [DEALS[2]], "echo": base64.b64encode(key.encode()).decode()},
            ),
        ],
        creator_version="0",
    )


def test_S36_no_canary_is_in_anything_that_certifying_leaves(pytester: pytest.Pytester) -> None:
    """From a saved session to a certificate: every file of the project, and all that the commands say."""
    tmp_path = pytester.path
    shop = Project(tmp_path)
    folder = shop.connector()
    for made_before in (folder / "recordings/deals.json", tmp_path / "snapshots/shop/deals.list.json"):
        made_before.unlink()
    tape = tmp_path / "session.har"
    tape.write_text(_har(), encoding="utf-8")
    assert set(SHOP) == set(found_in(tape.read_bytes(), SHOP))

    said = [
        shop.run("connproof", "import", "session.har", "--connector=shop", "--lane=deals.list"),
        pytest_in_process(pytester, "connectors", "--snapshot-update", "-vv", "-l"),
        pytest_in_process(pytester, "connectors", "--certify"),
        shop.run("connproof", "drift", "shop", "--update"),
        shop.run("connproof", "export", "connectors/shop/recordings/session.json", "--har", "-o", "out.har"),
    ]
    tape.unlink()
    files = {**shop.files(), **{f"stdout {n}": done.text.encode() for n, done in enumerate(said)}}

    assert 0 == said[0].code, said[0].text
    assert {"connectors/shop/recordings/session.json", "certificates/shop.json", "out.har"} <= set(files)
    assert {} == {name: slots for name, data in files.items() if (slots := found_in(data, SHOP))}


def test_S39_no_snapshot_and_no_certificate_has_a_part_of_a_token(pytester: pytest.Pytester) -> None:
    """Records may hold tokens: of one that was recorded no four letters in a row are in what is reviewed and kept."""
    tmp_path = pytester.path
    shop = Project(tmp_path)
    folder = shop.connector()
    (folder / "recordings/deals.json").unlink()
    (tmp_path / "snapshots/shop/deals.list.json").unlink()
    token, ends = "Zq8vXk2mWt5yRb7uPd3g", "2026-11-23T18:40:17Z"
    deal = {"id": "d-1", "name": "", "amount": 1, "access_token": token, "expires_at": ends}
    request = Request("GET", "https://api.shop.example/v1/deals?limit=2", (("authorization", f"Bearer {token}"),))
    answer = Response(200, (("content-type", "application/json"),), json.dumps({"results": [deal]}).encode())
    tape = foreign.write_har([(request, answer, "2026-11-01T00:00:00Z")], creator_version="0")
    (tmp_path / "session.har").write_text(tape, encoding="utf-8")
    shop.run("connproof", "import", "session.har", "--connector=shop", "--lane=deals.list")
    (tmp_path / "session.har").unlink()
    pytest_in_process(pytester, "connectors", "--snapshot-update")
    pytest_in_process(pytester, "connectors", "--certify")
    kept = {name: data.decode() for name, data in shop.files().items() if "accounts/" not in name}

    parts = [token[at : at + 4] for at in range(len(token) - 3)]
    assert "{{secret:access_token#1}}" in kept["snapshots/shop/deals.list.json"]
    assert {} == {name: found for name, text in kept.items() if (found := [p for p in (*parts, ends) if p in text])}


# Nobody is asked.

_ALONE: Final = """
import os, sys

ASKING = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.bind"}
STARTING = {"subprocess.Popen", "os.posix_spawn", "os.exec", "os.system", "os.fork", "os.forkpty"}

def heard(event, arguments):
    if event in ASKING | STARTING:
        os.write(2, f"asked: {event} {arguments!r}\\n".encode())
        os._exit(99)

sys.addaudithook(heard)
PROGRAM
"""


def _alone(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program in a process that ends at once when it looks up a name, connects, or starts another."""
    return subprocess.run(
        [sys.executable, "-c", _ALONE.replace("PROGRAM", program)],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment(),
        check=False,
    )


@pytest.mark.parametrize(
    "program",
    [
        "import socket; socket.getaddrinfo('localhost', 80)",
        "import socket; socket.socket().connect(('127.0.0.1', 9))",
        "import subprocess; subprocess.run(['true'])",
    ],
    ids=["a name", "a connection", "a program"],
)
def test_S38_the_guard_ends_whoever_asks(program: str, tmp_path: Path) -> None:
    """So that silence means something."""
    assert 99 == _alone(program, tmp_path).returncode


def test_S38_nobody_is_asked_whether_a_secret_works(tmp_path: Path) -> None:
    """Import, the search for secrets, and the checks of recordings, over keys that look like those of known vendors."""
    shop = Project(tmp_path)
    shop.connector()
    keys = [
        "sk_" + "live_4eC39HqLyjWDarjtT1zdp7dc",
        "gh" + "p_16C7e42F292c6912E7710c838347Ae178B4a",
        "AKIA" + "IOSFODNN7EXAMPLE",
    ]
    deals = [{"id": f"x-{n}", "name": key, "amount": 1, "token": key} for n, key in enumerate(keys)]
    request = Request("GET", "https://api.shop.example/v1/deals?limit=3", (("authorization", f"Bearer {keys[0]}"),))
    answer = Response(200, (("content-type", "application/json"),), json.dumps({"results": deals}).encode())
    tape = foreign.write_har([(request, answer, "2026-11-01T00:00:00Z")], creator_version="0")
    (tmp_path / "session.har").write_text(tape, encoding="utf-8")

    imported = _alone(
        "from connproof.cli import main; main(['import', 'session.har', '--connector=shop', '--lane=deals.list#keys'])",
        tmp_path,
    )
    checked = _alone(
        f"import pytest; pytest.main(['connectors', '-k', 'REC', '--as-of={DAY}', '-p', 'no:cacheprovider'])",
        tmp_path,
    )

    assert (0, "") == (imported.returncode, imported.stderr), imported.stdout
    assert "passed" in checked.stdout, checked.stdout + checked.stderr
    assert "asked:" not in checked.stderr
    assert [] == found_in((tmp_path / "connectors/shop/recordings/session.json").read_bytes(), dict(enumerate(keys)))  # type: ignore[arg-type]  # numbers name them as well
