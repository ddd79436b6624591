"""Traffic in which a token was refreshed is imported whole: sorted into its lane, clean, and it replays.

The tape is of an invented shop, whose deals are read by a client that keeps its own tokens. What it sends and gets is
written here with canaries in the place of every secret.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode

import pytest
from shop import DEALS, Done, Project

from connproof.cli import main
from pytest_connproof.checks import refreshed
from pytest_connproof.checks.rec import is_clean
from pytest_connproof.recording import load
from pytest_connproof.redact import proof
from pytest_connproof.subject import Settings, Subject

Command: TypeAlias = Callable[..., Done]
Exchanged: TypeAlias = tuple[str, str, dict[str, str], str, int, Any]

URL: Final = "https://api.shop.example/v1"
TOKEN_URL: Final = "https://id.shop.example/token"
CLIENT: Final = "canary-client-5d01c7"
SECRET: Final = "canary-secret-77aa+/09"
OLD, NEW = "canary-access-one-18f0", "canary-access-two-92b4"
FIRST, SECOND = "canary-refresh-one-3c6e", "canary-refresh-two-a1d8"
PAIR: Final = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
CANARIES: Final = (CLIENT, SECRET, OLD, NEW, FIRST, SECOND, PAIR)
FORM: Final = "application/x-www-form-urlencoded; charset=UTF-8"
EXPIRED: Final = {"error": "expired"}
GRANTED: Final = {
    "access_token": NEW,
    "refresh_token": SECOND,
    "token_type": "bearer",
    "expires_in": 3600,
    "scope": "deals.read deals.write",
}


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """Runs `connproof` in this process; stdout, then stderr."""
    monkeypatch.setenv("COLUMNS", "200")

    def ran(*arguments: str) -> Done:
        with pytest.raises(SystemExit) as left:
            main(arguments)
        stdout, stderr = capfd.readouterr()
        assert isinstance(left.value.code, int)
        return Done(left.value.code, stdout + stderr)

    return ran


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A connector that refreshes, and has no recording yet; the current folder is its root."""
    project = Project(tmp_path)
    _configured(project)
    (tmp_path / "connectors/shop/recordings/deals.json").unlink()
    monkeypatch.chdir(tmp_path)
    return project


def _configured(project: Project, **token: Any) -> None:
    project.connector(
        auth={"type": "oauth2", "token": {"url": TOKEN_URL, "client_auth": "basic", **token}, "rotation": "strict"}
    )
    credentials = {
        "access_token": "example-access-token",
        "refresh_token": "example-refresh-token",
        "client_id": "example-client",
        "client_secret": "example-client-secret",
    }
    project.write("connectors/shop/accounts/example.json", {"name": "example", "credentials": credentials})


def _page(number: int, token: str = NEW, *, status: int = 200, body: Any = None) -> Exchanged:
    query = "limit=2" + ("&after=c-2" if number == 2 else "")
    pages: tuple[Any, Any] = ({"results": DEALS[:2], "paging": {"next": {"after": "c-2"}}}, {"results": DEALS[2:]})
    said = pages[number - 1] if body is None else body
    return "GET", f"{URL}/deals?{query}", {"Authorization": f"Bearer {token}"}, "", status, said


def _refresh(refresh: str = FIRST, *, status: int = 200, answer: Any = None) -> Exchanged:
    headers = {"Authorization": f"Basic {PAIR}", "Content-Type": FORM}
    body = urlencode({"grant_type": "refresh_token", "refresh_token": refresh})
    return "POST", TOKEN_URL, headers, body, status, GRANTED if answer is None else answer


def _tape(*exchanges: Exchanged) -> str:
    interactions = [
        {
            "request": {
                "method": method.lower(),
                "uri": url,
                "headers": {"User-Agent": ["Faraday"], "Accept": ["*/*"], **{k: [v] for k, v in headers.items()}},
                "body": {"encoding": "UTF-8", "string": body},
            },
            "response": {
                "status": {"code": status, "message": ""},
                "headers": {"Content-Type": ["application/json"], "Set-Cookie": [f"sid={SECRET}"]},
                "body": {"encoding": "UTF-8", "string": json.dumps(answer)},
            },
            "recorded_at": "Tue, 05 May 2026 22:51:34 GMT",
        }
        for method, url, headers, body, status, answer in exchanges
    ]
    return json.dumps({"http_interactions": interactions, "recorded_with": "VCR 6.1.0"})


def _subject() -> Subject:
    return Subject(Path("connectors/shop/connector.json"), Settings(as_of=date(2026, 11, 23)))


REFUSED: Final = (_page(1, OLD, status=401, body=EXPIRED), _refresh(), _page(1), _page(2))
INVALID: Final = {"error": "invalid_grant", "error_description": f"the token {FIRST} was revoked"}

LANES = {
    "refused before the first page": (REFUSED, "complete", 3),
    "refused in the middle": (
        (_page(1, OLD), _page(2, OLD, status=401, body=EXPIRED), _refresh(), _page(2)),
        "complete",
        3,
    ),
    "ended before the first request": ((_refresh(), _page(1), _page(2)), "complete", 3),
    "ended in the middle": ((_page(1, OLD), _refresh(), _page(2)), "complete", 3),
    "tried twice": (
        (_refresh(status=503, answer={"error": "temporarily_unavailable"}), _refresh(), _page(1), _page(2)),
        "complete",
        3,
    ),
    "a grant that was revoked": (
        (_page(1, OLD, status=401, body=EXPIRED), _refresh(status=400, answer=INVALID)),
        "Reauthorise",
        0,
    ),
}


@pytest.mark.parametrize(("exchanges", "outcome", "records"), LANES.values(), ids=LANES)
def test_a_refresh_stands_in_the_lane_that_needed_it(
    shop: Project, command: Command, exchanges: tuple[Exchanged, ...], outcome: str, records: int
) -> None:
    """One lane of all that was sent, in its order; read from it, the same happens with the example account."""
    shop.write("tape.json", _tape(*exchanges))

    done = command("import", "tape.json", "--connector=shop")
    run = _subject().run("deals.list")

    assert 0 == done.code, done.text
    assert f"deals.list {len(exchanges)}" in done.text
    assert (outcome, records, ()) == (run.outcome, len(run.records), run.tally.unused)


@pytest.mark.parametrize("exchanges", [exchanges for exchanges, _, _ in LANES.values()], ids=LANES)
def test_nothing_secret_of_a_refresh_is_left(shop: Project, command: Command, exchanges: tuple[Exchanged, ...]) -> None:
    """Each secret is searched in every spelling: in Basic, form and JSON, in what an error quotes, in cookies."""
    shop.write("tape.json", _tape(*exchanges))

    command("import", "tape.json", "--connector=shop")
    text = (shop.root / "connectors/shop/recordings/tape.json").read_text()

    assert [] == [hit.encoding for hit in proof(text, CANARIES).hits]
    assert is_clean(_subject(), "tape.json")


def test_a_refresh_is_written_with_placeholders(shop: Project, command: Command) -> None:
    """What was sent for the client, what was granted, and that it was sent from then on; words of OAuth stay."""
    shop.write("tape.json", _tape(*REFUSED))
    command("import", "tape.json", "--connector=shop")

    (lane,) = shop.read("connectors/shop/recordings/tape.json")["lanes"]
    refused, refresh, first, second = lane["exchanges"]

    assert {
        "method": "POST",
        "url": TOKEN_URL,
        "headers": [
            ["authorization", "Basic {{secret:basic#1}}"],
            ["content-type", "application/x-www-form-urlencoded"],
        ],
        "form": [["grant_type", "refresh_token"], ["refresh_token", "{{secret:refresh_token#1}}"]],
    } == refresh["request"]
    assert {
        **GRANTED,
        "access_token": "{{secret:access_token#2}}",
        "refresh_token": "{{secret:refresh_token#2}}",
        "scope": refresh["response"]["json"]["scope"],
    } == refresh["response"]["json"]
    assert ["1", "2", "2"] == [
        dict(exchange["request"]["headers"])["authorization"][-3] for exchange in (refused, first, second)
    ]


FORMS = {
    "the client in the body": (
        {"client_auth": "body"},
        ("POST", TOKEN_URL, {"Content-Type": FORM}, "form"),
    ),
    "JSON": (
        {"client_auth": "body", "encode": "json"},
        ("POST", TOKEN_URL, {"Content-Type": "application/json"}, "json"),
    ),
    "the query of a GET": (
        {"client_auth": "body", "encode": "query", "method": "GET"},
        ("GET", TOKEN_URL, {}, "query"),
    ),
    "a word of its own before the pair": (
        {"client_auth": "basic", "client_auth_prefix": "ID "},
        ("POST", TOKEN_URL, {"Content-Type": FORM, "Authorization": f"ID {PAIR}"}, "form"),
    ),
    "a header of the endpoint": (
        {"client_auth": "body", "headers": {"Accept": "*/*"}},
        ("POST", TOKEN_URL, {"Content-Type": FORM}, "form"),
    ),
}


@pytest.mark.parametrize(("declared", "sent"), FORMS.values(), ids=FORMS)
def test_a_refresh_in_another_form(
    shop: Project, command: Command, declared: dict[str, Any], sent: tuple[str, str, dict[str, str], str]
) -> None:
    """Whatever the endpoint takes: imported, clean, replayed, and found to be what the config declares."""
    _configured(shop, **declared)
    (shop.root / "connectors/shop/recordings/deals.json").unlink()
    method, url, headers, form = sent
    said = {"grant_type": "refresh_token", "refresh_token": FIRST, "client_id": CLIENT, "client_secret": SECRET}
    if "Authorization" in headers:
        said = {name: text for name, text in said.items() if not name.startswith("client")}
    url += f"?{urlencode(said)}" if form == "query" else ""
    body = {"form": urlencode(said), "json": json.dumps(said), "query": ""}[form]
    shop.write("tape.json", _tape(REFUSED[0], (method, url, headers, body, 200, GRANTED), *REFUSED[2:]))

    done = command("import", "tape.json", "--connector=shop")
    text = (shop.root / "connectors/shop/recordings/tape.json").read_text()
    subject = _subject()

    assert 0 == done.code, done.text
    assert [] == [hit.encoding for hit in proof(text, CANARIES).hits]
    assert "complete" == subject.run("deals.list").outcome, subject.run("deals.list").unmatched
    assert {"refreshes": 1, "rotated": 1, "refused": 0} == refreshed.refreshes_are_as_declared(subject, "")


@pytest.mark.parametrize(
    ("encode", "content_type"),
    [("json", "application/json"), ("form", "application/x-www-form-urlencoded"), ("query", "")],
)
def test_a_login_with_common_words_is_hidden(shop: Project, command: Command, encode: str, content_type: str) -> None:
    """A PIN, or a user called admin, may stand in any text: what the config calls a credential has its placeholder."""
    params = {"user": "{username}", "pass": "{secret_word}", "pin": "{pin}", "app": "deals"}
    login = {"url": f"{URL}/session", "encode": encode, "params": params, "response": {"access_token": "token"}}
    shop.connector(auth={"type": "session", "name": "X-Session", "login": {**login, "assumed_lifetime_s": 900}})
    (shop.root / "connectors/shop/recordings/deals.json").unlink()
    credentials = {"username": "example-user", "secret_word": "example-word", "pin": "example-pin"}
    shop.write("connectors/shop/accounts/example.json", {"name": "example", "credentials": credentials})
    said = {"user": "admin", "pass": "x", "pin": "48291377", "app": "deals"}
    body = {"json": json.dumps(said), "form": urlencode(said), "query": ""}[encode]
    url = f"{URL}/session" + (f"?{urlencode(said)}" if encode == "query" else "")
    pages = [(method, to, {"X-Session": NEW}, *rest) for method, to, _, *rest in REFUSED[2:]]
    shop.write("tape.json", _tape(("POST", url, {"Content-Type": content_type}, body, 200, {"token": NEW}), *pages))

    done = command("import", "tape.json", "--connector=shop")

    assert 0 == done.code, done.text
    text = (shop.root / "connectors/shop/recordings/tape.json").read_text()
    assert [] == [word for word in ("admin", "48291377", '"x"') if word in text]
    assert [] == [name for name in ("username", "secret_word", "pin") if f"{{{{secret:{name}#1}}}}" not in text]
    assert ("complete", 3) == ((run := _subject().run("deals.list")).outcome, len(run.records)), run.unmatched


def test_a_login_by_a_document_is_hidden(shop: Project, command: Command) -> None:
    """Where the config has a credential in its document, the recording has a placeholder, whatever was sent there."""
    template = "<Login><By>{username}</By><Pin>{pin}</Pin><Key>{key}</Key><Again>{pin}</Again></Login>"
    login = {"url": f"{URL}/session", "encode": "xml", "body": template, "response": {"access_token": "token"}}
    shop.connector(auth={"type": "session", "name": "X-Session", "login": {**login, "assumed_lifetime_s": 900}})
    (shop.root / "connectors/shop/recordings/deals.json").unlink()
    credentials = {"username": "example-user", "pin": "example-pin", "key": "example-key"}
    shop.write("connectors/shop/accounts/example.json", {"name": "example", "credentials": credentials})
    sent = template.format(username="admin", pin="48291377", key="canary-&lt;key&gt;-41")
    headers = {"Content-Type": "text/xml; charset=utf-8"}
    pages = [(method, to, {"X-Session": NEW}, *rest) for method, to, _, *rest in REFUSED[2:]]
    shop.write("tape.json", _tape(("POST", f"{URL}/session", headers, sent, 200, {"token": NEW}), *pages))

    done = command("import", "tape.json", "--connector=shop")

    assert 0 == done.code, done.text
    (lane,) = shop.read("connectors/shop/recordings/tape.json")["lanes"]
    symbols = {name: f"{{{{secret:{name}#1}}}}" for name in credentials}
    assert template.format(**symbols) == "".join(lane["exchanges"][0]["request"]["text"])
    run = _subject().run("deals.list")
    assert ("complete", 3) == (run.outcome, len(run.records)), run.unmatched


def test_a_refresh_goes_with_its_own_call(shop: Project, command: Command) -> None:
    """Of two reads, the one that was refused has it; the other goes on with the token that came of it."""
    other: Exchanged = (
        "GET",
        f"{URL}/deals?limit=2&owner=7",
        {"Authorization": f"Bearer {NEW}"},
        "",
        200,
        {"results": []},
    )
    shop.write("tape.json", _tape(*REFUSED, other))

    done = command("import", "tape.json", "--connector=shop")
    lanes = load(shop.root / "connectors/shop/recordings/tape.json").lanes

    assert 0 == done.code, done.text
    assert [("deals.list", 4), ("deals.list#2", 1)] == [(lane.id, len(lane.exchanges)) for lane in lanes]


def test_all_in_one_lane_begins_with_what_was_called(shop: Project, command: Command) -> None:
    """Of which call a lane is, no token request can tell."""
    shop.write("tape.json", _tape(_refresh(), *REFUSED[2:]))

    done = command("import", "tape.json", "--connector=shop", "--lane=deals.list#ended")

    assert 0 == done.code, done.text
    assert ("complete", 3) == (
        (run := _subject().run("deals.list#ended")).outcome,
        len(run.records),
    )


STRAY = {
    "nothing came after it": (_page(1), _page(2), _refresh()),
    "a code was exchanged": (
        (
            "POST",
            TOKEN_URL,
            {"Content-Type": FORM, "Authorization": f"Basic {PAIR}"},
            urlencode({"grant_type": "authorization_code", "code": SECRET}),
            200,
            GRANTED,
        ),
        _page(1),
        _page(2),
    ),
}


@pytest.mark.parametrize("exchanges", STRAY.values(), ids=STRAY)
def test_a_token_request_of_no_call_is_refused(
    shop: Project, command: Command, exchanges: tuple[Exchanged, ...]
) -> None:
    """It stands in no lane: told like other traffic that no operation fits, and left out where that is said."""
    shop.write("tape.json", _tape(*exchanges))

    refused = command("import", "tape.json", "--connector=shop")
    taken = command("import", "tape.json", "--connector=shop", "--known-only")

    assert 2 == refused.code
    assert "some of the traffic fits no operation of shop" in refused.text
    assert "POST /token" in refused.text
    assert 0 == taken.code, taken.text
    assert "deals.list 2  (1 left out)" in taken.text
