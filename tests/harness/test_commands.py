"""certify, import and export, each as a user types it: what is said, what is written, how it ends."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest
from shop import DAY, DEALS, Done, Project, config, recording

from connproof.cli import main
from pytest_connproof import foreign
from pytest_connproof.checks.rec import is_fresh
from pytest_connproof.finding import Inconclusive
from pytest_connproof.recording import dump, load
from pytest_connproof.redact import proof
from pytest_connproof.subject import Settings, Subject

Command: TypeAlias = Callable[..., Done]

CANARY = "canary-7f3a9e51c2d84b60"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with one connector, which is certified as it stands; the current folder is its root."""
    project = Project(tmp_path)
    project.connector()
    monkeypatch.chdir(tmp_path)
    return project


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """Runs `connproof` in this process; stdout, then stderr."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
        monkeypatch.delenv(name, raising=False)

    def ran(*arguments: str) -> Done:
        with pytest.raises(SystemExit) as left:
            main(arguments)
        stdout, stderr = capfd.readouterr()
        assert isinstance(left.value.code, int)
        return Done(left.value.code, stdout + stderr)

    return ran


# certify


def test_certify_certifies_all_there_are(shop: Project, command: Command) -> None:
    """Without a name: the folder of connectors."""
    shop.connector("other")

    done = command("certify", f"--as-of={DAY}", "-q")

    assert 0 == done.code, done.text
    assert {"certificates/other.json", "certificates/shop.json"} <= set(shop.files())


@pytest.mark.parametrize(
    "named",
    [["shop"], ["connectors/shop"], ["connectors/shop/connector.json"], ["-q", "connectors/shop"]],
    ids=" ".join,
)
def test_certify_takes_names_and_paths(shop: Project, command: Command, named: list[str]) -> None:
    """As the other commands do; paths after an option too."""
    shop.connector("other")

    done = command("certify", *named, f"--as-of={DAY}")

    assert 0 == done.code, done.text
    assert "certificates/shop.json" in shop.files()
    assert "certificates/other.json" not in shop.files()


@pytest.mark.usefixtures("shop")
def test_certify_takes_the_id_of_a_check(command: Command) -> None:
    """One check is no certificate."""
    done = command("certify", "shop::deals.list::PAR-001", f"--as-of={DAY}")

    assert 3 == done.code, done.text
    assert "1 failed" not in done.text
    assert "checks were not run" in done.text


@pytest.mark.parametrize("option", [["-k", "shop"], ["--certificates", "out/today"], ["-m", "connproof"]], ids=" ".join)
def test_an_option_s_value_is_no_connector(shop: Project, command: Command, option: list[str]) -> None:
    """Also where a folder of that name is there."""
    for name in ("shop", "out/today", "connproof"):
        (shop.root / name).mkdir(parents=True)
    shop.write("tests/test_theirs.py", "def test_of_somebody_else():\n    assert False\n")

    done = command("certify", f"--as-of={DAY}", *option)

    assert 0 == done.code, done.text
    assert "test_theirs" not in done.text


@pytest.mark.usefixtures("shop")
def test_certify_passes_options_on(command: Command) -> None:
    """Whatever pytest has, it can be told."""
    done = command("certify", "shop", f"--as-of={DAY}", "--certificates=out", "--collect-only", "-q", "-k", "CFG-001")

    assert 0 == done.code, done.text
    assert "connectors/shop/connector.json::CFG-001" in done.text
    assert "CFG-002" not in done.text


@pytest.mark.parametrize("code", [1, 3])
def test_certify_ends_as_the_verdict_says(shop: Project, command: Command, code: int) -> None:
    """The exit code is the run's."""
    if code == 1:
        shop.write("connectors/shop/code.py", "")
    else:
        (shop.root / "snapshots/shop/deals.list.json").unlink()

    assert code == command("certify", f"--as-of={DAY}").code


def test_certify_of_what_there_is_not(shop: Project, command: Command) -> None:
    """The message names what there is; nothing is run."""
    shop.connector("other")

    done = command("certify", "shopp")

    assert Done(2, "no connector shopp\n  there are  other, shop\n  fix        name one of these, or a path\n") == done


def test_certify_without_a_folder_of_connectors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    """The message says what is looked for."""
    monkeypatch.chdir(tmp_path)

    done = command("certify")

    assert 2 == done.code
    assert "there is no folder named connectors here\n  fix  name a connector or a folder of connectors\n" == done.text


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("--as-of=soon", "--as-of soon: not a date"),
        ("--max-age-days=soon", "invalid int value: 'soon'"),
        ("--no-such-option", "unrecognized arguments: --no-such-option"),
        ("connectors/nothing", "no connector connectors/nothing"),
        ("shop::NO-001", "NO-001"),
    ],
)
@pytest.mark.usefixtures("shop")
def test_a_wrong_call_is_2(command: Command, wrong: str, said: str) -> None:
    """pytest's own code for it means nothing here."""
    done = command("certify", wrong)

    assert 2 == done.code
    assert said in done.text


# import


def vcr(*exchanges: tuple[str, str, Any], headers: dict[str, list[str]] | None = None) -> str:
    """A cassette of Ruby's VCR in JSON: method, URL and response body of each exchange."""
    interactions = [
        {
            "request": {"method": method, "uri": url, "headers": headers or {"User-Agent": ["Faraday"]}},
            "response": {
                "status": {"code": 200, "message": "OK"},
                "headers": {"Content-Type": ["application/json"], "Server": ["nginx"]},
                "body": {"encoding": "UTF-8", "string": body if isinstance(body, str) else json.dumps(body)},
            },
            "recorded_at": "Tue, 05 May 2026 22:51:34 GMT",
        }
        for method, url, body in exchanges
    ]
    return json.dumps({"http_interactions": interactions, "recorded_with": "VCR 6.1.0"})


URL = "https://api.shop.example/v1"
PAGES = (
    ("get", f"{URL}/deals?limit=2", {"results": DEALS[:2], "paging": {"next": {"after": "c-2"}}}),
    ("get", f"{URL}/deals?limit=2&after=c-2", {"results": DEALS[2:]}),
)
TOKEN = {"Authorization": [f"Bearer {CANARY}"], "User-Agent": ["Faraday"]}

RUBY_VCR = f"""\
http_interactions:
- request:
    method: get
    uri: {URL}/deals?limit=2
    headers:
      Authorization: [Bearer {CANARY}]
      User-Agent: [Faraday]
  response:
    status: {{code: 200, message: OK}}
    headers:
      Content-Type: [application/json]
      Server: [nginx]
    body:
      encoding: UTF-8
      string: '{json.dumps({"results": DEALS})}'
  recorded_at: Tue, 05 May 2026 22:51:34 GMT
recorded_with: VCR 6.1.0
"""
VCRPY = f"""\
interactions:
- request:
    body: null
    headers:
      Authorization: [Bearer {CANARY}]
      User-Agent: [python-requests]
    method: GET
    uri: {URL}/deals?limit=2
  response:
    body:
      string: '{json.dumps({"results": DEALS})}'
    headers:
      Content-Type: [application/json]
      Server: [nginx]
    status: {{code: 200, message: OK}}
version: 1
"""
BETAMAX = json.dumps(
    {
        "http_interactions": [
            {
                "request": {
                    "method": "GET",
                    "uri": f"{URL}/deals?limit=2",
                    "body": {"encoding": "utf-8", "string": ""},
                    "headers": {"Authorization": [f"Bearer {CANARY}"], "User-Agent": ["python-requests"]},
                },
                "response": {
                    "status": {"code": 200, "message": "OK"},
                    "url": f"{URL}/deals?limit=2",
                    "headers": {"Content-Type": ["application/json"], "Content-Encoding": ["gzip"]},
                    "body": {
                        "encoding": "utf-8",
                        "base64_string": base64.b64encode(
                            gzip.compress(json.dumps({"results": DEALS}).encode(), mtime=0)
                        ).decode(),
                    },
                },
                "recorded_at": "2026-05-05T22:51:34",
            }
        ],
        "recorded_with": "betamax/0.9.0",
    }
)
HAR = json.dumps(
    {
        "log": {
            "version": "1.2",
            "creator": {"name": "a browser", "version": "1"},
            "entries": [
                {
                    "startedDateTime": "2026-05-06T00:51:34.000+02:00",
                    "time": 1,
                    "cache": {},
                    "timings": {},
                    "request": {
                        "method": "GET",
                        "url": f"{URL}/deals?limit=2",
                        "headers": [
                            {"name": ":authority", "value": "api.shop.example"},
                            {"name": "Authorization", "value": f"Bearer {CANARY}"},
                            {"name": "Cookie", "value": f"session={CANARY}"},
                        ],
                    },
                    "response": {
                        "status": 200,
                        "headers": [{"name": "Content-Type", "value": "application/json"}],
                        "content": {"size": 9, "mimeType": "application/json", "text": json.dumps({"results": DEALS})},
                    },
                }
            ],
        }
    }
)
FORMATS = {"ruby-vcr": RUBY_VCR, "vcrpy": VCRPY, "betamax": BETAMAX, "har": HAR}


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_becomes_a_recording(shop: Project, command: Command, name: str) -> None:
    """Headers that no config is responsible for are gone, the credential is a placeholder, the lane its operation's."""
    shop.write("old/Deals list.tape", FORMATS[name])

    done = command("import", "old/Deals list.tape", "--connector=shop", "--keep=name")
    imported = load(shop.root / "connectors/shop/recordings/deals-list.json")

    assert 0 == done.code, done.text
    assert "imported" == imported.provenance.kind
    assert f"{name}: Deals list.tape" == imported.provenance.origin
    assert f"imported from {name}" == imported.provenance.source
    assert ("deals.list#2",) == tuple(lane.id for lane in imported.lanes)
    (exchange,) = imported.exchanges()
    assert (("authorization", "Bearer {{secret:access_token#1}}"),) == exchange.request.headers
    assert f"{URL}/deals?limit=2" == exchange.request.url
    assert {"results": list(DEALS)} == json.loads(exchange.response.body)


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        ("ruby-vcr", "2026-05-05T22:51:34Z"),
        ("betamax", "2026-05-05T22:51:34Z"),
        ("har", "2026-05-05T22:51:34Z"),
        ("vcrpy", None),
    ],
)
def test_the_time_is_the_file_s(shop: Project, command: Command, name: str, moment: str | None) -> None:
    """In UTC; where the file has none, it is unknown, and the day of the import is not taken for it."""
    shop.write("old/tape", FORMATS[name])

    done = command("import", "old/tape", "--connector=shop")

    assert moment == load(shop.root / "connectors/shop/recordings/tape.json").provenance.recorded_at
    assert (moment is None) == ("age        unknown, so REC-004 stays inconclusive" in done.text)


def test_an_import_of_unknown_age_is_not_fresh(shop: Project, command: Command) -> None:
    """An old cassette does not become new by being imported today."""
    shop.write("old/tape", VCRPY)
    command("import", "old/tape", "--connector=shop")
    subject = Subject(Path("connectors/shop/connector.json"), Settings(as_of=date(9999, 1, 1), max_age_days=10**7))

    with pytest.raises(Inconclusive, match=r"tape\.json does not say when it was made"):
        is_fresh(subject, "tape.json")


def test_the_day_can_be_said(shop: Project, command: Command) -> None:
    """For files that do not say it."""
    shop.write("old/tape", VCRPY)

    assert 0 == command("import", "old/tape", "--connector=shop", "--recorded-at=2026-11-20").code
    assert "2026-11-20T00:00:00Z" == load(shop.root / "connectors/shop/recordings/tape.json").provenance.recorded_at


def test_what_was_imported_is_told(shop: Project, command: Command) -> None:
    """The file, its lanes, and how much of what was redacted; no value."""
    shop.write("old/tape.json", vcr(*PAGES, headers=TOKEN))

    done = command("import", "old/tape.json", "--connector=shop", "--source=the old suite", "--api-version=v1")
    imported = load(shop.root / "connectors/shop/recordings/tape.json")

    assert (
        "connectors/shop/recordings/tape.json  from ruby-vcr: tape.json\n"
        "  exchanges  deals.list#2 2\n"
        "  redacted   authorization 2, header 2, made up 3\n"
    ) == done.text
    assert "the old suite" == imported.provenance.source
    assert "v1" == imported.provenance.api_version


def test_what_was_made_up_is_not_called_imported(shop: Project, command: Command) -> None:
    """Of a stub, say: it has no day of recording, whatever the file says, and nobody's words that would have to go."""
    shop.write("old/tape.json", vcr(*PAGES, headers=TOKEN))

    done = command("import", "old/tape.json", "--connector=shop", "--made-up")
    imported = load(shop.root / "connectors/shop/recordings/tape.json")

    assert 0 == done.code, done.text
    assert "redacted   authorization 2, header 2\n" in done.text
    assert "age " not in done.text
    said = imported.provenance
    assert ("synthetic", None, "made up, and imported from ruby-vcr") == (said.kind, said.recorded_at, said.source)
    assert {deal["name"] for deal in DEALS} == {
        deal["name"] for one in imported.exchanges() for deal in json.loads(one.response.body)["results"]
    }


def test_what_was_made_up_was_recorded_on_no_day(shop: Project, command: Command) -> None:
    """One of the two is wrong, and nothing is written."""
    shop.write("old/tape.json", vcr(*PAGES))

    done = command("import", "old/tape.json", "--connector=shop", "--made-up", "--recorded-at=2026-11-20")

    assert 2 == done.code
    assert "--made-up and --recorded-at contradict each other" in done.text
    assert "connectors/shop/recordings/tape.json" not in shop.files()


SECRETS = {
    "in a header": (vcr(*PAGES, headers={"Authorization": [f"Bearer {CANARY}"]}), [CANARY]),
    "in a header that is dropped": (vcr(*PAGES, headers={"X-Session": [CANARY]}), [CANARY]),
    "in the query": (vcr(("get", f"{URL}/deals?limit=2&api_key={CANARY}", {"results": []})), [CANARY]),
    "in the answer": (vcr(("get", f"{URL}/deals", {"results": [{"id": "1", "access_token": CANARY}]})), [CANARY]),
    "in the answer, and again elsewhere": (
        vcr(
            ("get", f"{URL}/deals", {"refresh_token": CANARY, "results": []}),
            ("get", f"{URL}/deals?q={CANARY}", {"results": [{"note": base64.b64encode(CANARY.encode()).decode()}]}),
        ),
        [CANARY],
    ),
    "a person": (
        vcr(("get", f"{URL}/deals?owner=jane%40corp.com", {"results": [{"owner": "jane@corp.com"}]})),
        ["jane@corp.com"],
    ),
}


@pytest.mark.parametrize("where", SECRETS)
def test_no_secret_is_written(shop: Project, command: Command, where: str) -> None:
    """Nowhere in the project, in no spelling; the import says nothing of it either."""
    tape, canaries = SECRETS[where]
    shop.write("tape.json", tape)

    done = command("import", "tape.json", "--connector=shop")
    (shop.root / "tape.json").unlink()

    assert 0 == done.code, done.text
    assert "connectors/shop/recordings/tape.json" in shop.files()
    assert [] == [name for name, content in shop.files().items() if not proof(content, canaries).clean]
    assert proof(done.text, canaries).clean


def test_an_existing_recording_is_not_replaced(shop: Project, command: Command) -> None:
    """Unless it is said."""
    shop.write("deals.json", vcr(*PAGES, headers=TOKEN))
    before = shop.files()

    refused = command("import", "deals.json", "--connector=shop")

    assert 2 == refused.code
    assert (
        "connectors/shop/recordings/deals.json is there already\n"
        "  fix  pass --force to replace it, or rename the file\n"
    ) == refused.text
    assert before == shop.files()
    assert 0 == command("import", "deals.json", "--connector=shop", "--force").code
    assert before != shop.files()


UNREADABLE = {
    "missing": (None, "No such file or directory"),
    "empty": ("", "it is empty"),
    "text": ("hello", "no known tool writes such a file"),
    "cut off": (RUBY_VCR[:400], "cannot read tape as a recording"),
    "without exchanges": ('{"log": {"version": "1.2", "entries": []}}', "it holds no exchange"),
    "our own format": (json.dumps(recording()), "no known tool writes such a file"),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_an_unreadable_file_writes_nothing(shop: Project, command: Command, what: str) -> None:
    """One message names the file, what is wrong and what to do."""
    content, said = UNREADABLE[what]
    if content is not None:
        shop.write("tape", content)
    before = shop.files()

    done = command("import", "tape", "--connector=shop")

    assert 2 == done.code
    assert said in done.text
    assert re.search(r"^  fix +\S", done.text, re.MULTILINE), done.text
    assert before == shop.files()


def test_of_several_files_all_are_read_before_one_is_written(shop: Project, command: Command) -> None:
    """The second is bad: the first is not written either."""
    shop.write("good.json", vcr(*PAGES))
    shop.write("bad.json", "{")
    before = shop.files()

    done = command("import", "good.json", "bad.json", "--connector=shop")

    assert 2 == done.code
    assert "cannot read bad.json as a recording" in done.text
    assert before == shop.files()


def test_two_files_that_would_become_one_are_refused(shop: Project, command: Command) -> None:
    """Neither replaces the other."""
    shop.write("a/deals list.json", vcr(*PAGES))
    shop.write("b/deals-list.yml", VCRPY)
    before = shop.files()

    done = command("import", "a/deals list.json", "b/deals-list.yml", "--connector=shop")

    assert 2 == done.code
    assert "would both become connectors/shop/recordings/deals-list.json" in done.text
    assert before == shop.files()


def test_a_connector_that_there_is_not(shop: Project, command: Command) -> None:
    """The message names those there are."""
    shop.write("tape.json", vcr(*PAGES))

    done = command("import", "tape.json", "--connector=shopp")

    assert (
        Done(
            2,
            "no connector shopp\n"
            "  there are  shop\n"
            "  fix        make the folder connectors/shopp first, or name another\n",
        )
        == done
    )


def test_import_before_there_is_a_config(shop: Project, command: Command) -> None:
    """Traffic may come first; then only the caller can say what it is a call of."""
    (shop.root / "connectors/bank").mkdir()
    shop.write("tape.json", vcr(*PAGES, headers=TOKEN))

    refused = command("import", "tape.json", "--connector=bank")
    taken = command("import", "tape.json", "--connector=bank", "--lane=deals.list")

    assert 2 == refused.code
    assert "there is no config yet to sort the traffic by\n  fix  name the lane: --lane contacts.list\n" == refused.text
    assert 0 == taken.code
    (lane,) = load(shop.root / "connectors/bank/recordings/tape.json").lanes
    assert ("deals.list", 2) == (lane.id, len(lane.exchanges))


@pytest.mark.parametrize("lane", ["two words", "#scenario", " ", "deals.list#a#b"])
def test_a_lane_that_is_no_name(shop: Project, command: Command, lane: str) -> None:
    """Refused, and nothing is written."""
    shop.write("tape.json", vcr(*PAGES))
    before = shop.files()

    done = command("import", "tape.json", "--connector=shop", f"--lane={lane}")

    assert 2 == done.code, done.text
    assert before == shop.files()


def test_a_lane_of_no_operation(shop: Project, command: Command) -> None:
    """The nearest one is named."""
    shop.write("tape.json", vcr(*PAGES))

    done = command("import", "tape.json", "--connector=shop", "--lane=deal.list#again")

    assert Done(2, 'shop has no operation "deal.list"\n  fix  did you mean "deals.list"?\n') == done


STRANGE: Final[tuple[tuple[str, str, Any], ...]] = (
    ("get", f"{URL}/owners/7?token={CANARY}", {}),
    ("post", f"{URL}/deals", {}),
)


def test_traffic_that_no_operation_fits(shop: Project, command: Command) -> None:
    """It is not left out by itself: what was asked and what there is, are told."""
    shop.write("tape.json", vcr(STRANGE[0], *PAGES, STRANGE[1], STRANGE[1]))
    before = shop.files()

    done = command("import", "tape.json", "--connector=shop")

    assert (
        Done(
            2,
            "some of the traffic fits no operation of shop\n"
            "  asked      GET /v1/owners/7\n"
            "             POST /v1/deals\n"
            "  there are  deals.list  GET /deals\n"
            "  fix        add the operations to the config first, leave the rest out with --known-only, "
            "or use --lane\n",
        )
        == done
    )
    assert before == shop.files()


def test_traffic_that_no_operation_fits_can_be_left_out(shop: Project, command: Command) -> None:
    """What another tool recorded on the way to the listing: that it is left out, and how much, is told."""
    shop.write("tape.json", vcr(STRANGE[0], *PAGES, STRANGE[1]))

    done = command("import", "tape.json", "--connector=shop", "--known-only")

    assert 0 == done.code
    assert "  exchanges  deals.list#2 2  (2 left out)\n" in done.text


def test_an_import_that_would_leave_all_out(shop: Project, command: Command) -> None:
    """A recording without an exchange is none."""
    shop.write("tape.json", vcr(*STRANGE))
    before = shop.files()

    done = command("import", "tape.json", "--connector=shop", "--known-only")

    assert 2 == done.code
    assert "some of the traffic fits no operation of shop" in done.text
    assert before == shop.files()


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--recorded-at=soon", "--recorded-at soon: not a date"),
        ("--wrong", "No such option"),
        ("--lane", "requires an argument"),
    ],
)
def test_a_wrong_option(shop: Project, command: Command, option: str, said: str) -> None:
    """Said before anything is read."""
    shop.write("tape.json", vcr(*PAGES))
    before = shop.files()

    done = command("import", "tape.json", "--connector=shop", option)

    assert 2 == done.code
    assert said in done.text
    assert before == shop.files()


def test_a_recordings_folder_that_is_none(shop: Project, command: Command) -> None:
    """What is in the way is named."""
    (shop.root / "connectors/bank").mkdir()
    shop.write("connectors/bank/recordings", "a file")
    shop.write("tape.json", vcr(*PAGES))

    done = command("import", "tape.json", "--connector=bank", "--lane=deals.list")

    assert Done(2, "connectors/bank/recordings: File exists\n") == done


def test_an_interrupted_import_writes_nothing(shop: Project, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while the second file is read: 130, as of any command."""
    shop.write("one.json", vcr(*PAGES))
    shop.write("two.json", vcr(*PAGES))
    before = shop.files()
    read = foreign.read

    def interrupted(path: Path) -> foreign.Tape:
        if path.name == "two.json":
            raise KeyboardInterrupt
        return read(path)

    monkeypatch.setattr(foreign, "read", interrupted)

    done = command("import", "one.json", "two.json", "--connector=shop")

    assert Done(130, "interrupted\n") == done
    assert before == shop.files()


# import: lanes

ISSUES = config(
    base_url="https://api.shop.example/{api_version}",
    api_version={"value": "v1", "in": "path"},
    pagination={"type": "link_header", "page_size_param": "per_page", "default_page_size": 100},
    resources={
        "issues": {
            "list": {"method": "GET", "path": "/repos/{owner}/issues", "query": {"state": "all"}, "key": "id"},
            "get": {"method": "GET", "path": "/repos/{owner}/issues/{number}", "key": "id"},
            "recent": {"method": "GET", "path": "/repos/{owner}/issues/recent", "key": "id"},
        },
        "labels": {"list": {"method": "GET", "path": "/labels", "key": "id"}},
    },
)


def lanes_of(shop: Project, command: Command, *exchanges: tuple[str, str, Any]) -> list[tuple[str, Any, int]]:
    """Id, call and number of exchanges of each lane that the import makes of this traffic."""
    shop.write("connectors/shop/connector.json", ISSUES)
    shop.write("tape.json", vcr(*exchanges))
    done = command("import", "tape.json", "--connector=shop")
    assert 0 == done.code, done.text
    document = shop.read("connectors/shop/recordings/tape.json")
    return [(lane["id"], lane.get("call"), len(lane["exchanges"])) for lane in document["lanes"]]


def test_lanes_say_how_they_were_called(shop: Project, command: Command) -> None:
    """What stands in the path, the page's size, and what was asked beyond the config: so a replay asks the same."""
    assert [
        (
            "issues.list",
            {"params": {"owner": "acme co"}, "page_size": 50, "query": [["labels", "bug"]]},
            1,
        ),
        ("issues.get", {"params": {"owner": "acme", "number": "7"}}, 1),
        ("issues.recent", {"params": {"owner": "acme"}}, 1),
        ("labels.list", None, 1),
    ] == lanes_of(
        shop,
        command,
        ("get", f"{URL}/repos/acme%20co/issues?state=all&per_page=50&labels=bug", []),
        ("get", f"{URL}/repos/acme/issues/7", {}),
        ("get", f"{URL}/repos/acme/issues/recent", {}),
        ("get", f"{URL}/labels?per_page=100", []),
    )


def test_each_call_has_its_lane(shop: Project, command: Command) -> None:
    """Other arguments are another call, and so is the same request once more."""
    assert [
        ("issues.get", {"params": {"owner": "acme", "number": "7"}}, 1),
        ("issues.get#2", {"params": {"owner": "acme", "number": "8"}}, 1),
        ("issues.get#3", {"params": {"owner": "acme", "number": "7"}}, 1),
    ] == lanes_of(
        shop,
        command,
        ("get", f"{URL}/repos/acme/issues/7", {}),
        ("get", f"{URL}/repos/acme/issues/8", {}),
        ("get", f"{URL}/repos/acme/issues/7", {}),
    )


def test_lanes_of_other_recordings_are_not_taken_again(shop: Project, command: Command) -> None:
    """A lane stands in one recording; the one that is replaced does not count, nor one that cannot be read."""
    shop.write("connectors/shop/recordings/broken.json", "{")
    for name in ("one.json", "two.json"):
        shop.write(name, vcr(*PAGES))

    both = command("import", "one.json", "two.json", "--connector=shop")
    again = command("import", "two.json", "--connector=shop", "--force")
    named = command("import", "two.json", "--connector=shop", "--force", "--lane=deals.list")
    two = command("import", "one.json", "two.json", "--connector=shop", "--force", "--lane=deals.list#b")

    assert ["deals.list#2 2", "deals.list#3 2"] == re.findall("exchanges  (.*)", both.text)
    assert ["deals.list#3 2"] == re.findall("exchanges  (.*)", again.text)
    assert (
        Done(
            2,
            "the lane deals.list stands in connectors/shop/recordings/deals.json\n"
            "  fix  name a scenario of it: --lane deals.list#another\n",
        )
        == named
    )
    assert "--lane takes one file" in two.text


def test_a_next_link_stays_in_its_lane(shop: Project, command: Command) -> None:
    """Wherever it leads: its path need not be an operation's."""
    shop.write("connectors/shop/connector.json", ISSUES)
    tape = json.loads(
        vcr(
            ("get", f"{URL}/repos/acme/issues", []),
            ("get", f"{URL}/labels", []),
            ("get", f"{URL}/r/7/issues?page=2", []),
        )
    )
    link = f'<{URL}/r/7/issues?page=2>; rel="next"'
    tape["http_interactions"][0]["response"]["headers"]["Link"] = [link]
    shop.write("tape.json", json.dumps(tape))

    done = command("import", "tape.json", "--connector=shop")

    assert "  exchanges  issues.list 2, labels.list 1\n" in done.text


def test_a_path_must_fit_wholly(shop: Project, command: Command) -> None:
    """/archive/labels is not /labels, and another version's traffic is none of this one."""
    shop.write("connectors/shop/connector.json", ISSUES)
    for path in ("/v1/archive/labels", "/v2/labels", "/v1/labels/"):
        shop.write("tape.json", vcr(("get", f"https://api.shop.example{path}", [])))

        done = command("import", "tape.json", "--connector=shop")

        assert 2 == done.code
        assert f"  asked      GET {path}\n" in done.text


def test_operations_that_fit_equally_well(shop: Project, command: Command) -> None:
    """Which of them was called, only the caller knows."""
    both = {"method": "POST", "path": "/query", "key": "id"}
    shop.write(
        "connectors/shop/connector.json",
        config(pagination={"type": "none"}, resources={"deals": {"list": both}, "owners": {"list": both}}),
    )
    shop.write("tape.json", vcr(("post", f"{URL}/query", [])))

    done = command("import", "tape.json", "--connector=shop")

    assert (
        Done(
            2,
            "several operations of shop ask POST /v1/query\n"
            "  there are  deals.list, owners.list\n"
            "  fix        name the one that was called with --lane\n",
        )
        == done
    )


# From another tool's recording to a certificate.


def test_imported_traffic_is_certified(shop: Project, command: Command) -> None:
    """Import, replay, review, certify: the certificate says what kind of evidence it rests on."""
    resources = config()["resources"]
    resources["deals"]["get"] = {"method": "GET", "path": "/deals/{id}", "key": "id"}
    shop.connector("bank", resources=resources)
    (shop.root / "connectors/bank/recordings/deals.json").unlink()
    (shop.root / "snapshots/bank/deals.list.json").unlink()
    shop.write("old/deals.json", vcr(*PAGES, ("get", f"{URL}/deals/d-3", DEALS[2]), headers=TOKEN))

    imported = command("import", "old/deals.json", "--connector=bank")
    read = shop.run("pytest", "connectors/bank", "-m", "replay", f"--as-of={DAY}")
    taken = shop.run("pytest", "connectors/bank", "--snapshot-update", f"--as-of={DAY}")
    done = command("certify", "bank", f"--as-of={DAY}")
    certificate = shop.read("certificates/bank.json")

    assert (0, 0, 0, 0) == (imported.code, read.code, taken.code, done.code), done.text
    assert "skipped" not in read.text
    assert ("certified", "imported", "engine") == tuple(certificate[key] for key in ("verdict", "grade", "baseline"))
    assert "2027-05-05" == certificate["valid_until"]
    records = shop.read("snapshots/bank/deals.list.json")["records"]
    assert [(deal["id"], deal["amount"]) for deal in DEALS] == [(deal["id"], deal["amount"]) for deal in records]
    assert {deal["name"] for deal in DEALS}.isdisjoint(deal["name"] for deal in records)


# export


def test_export_and_import_give_the_same_traffic(shop: Project, command: Command) -> None:
    """HAR holds all that a recording holds of its exchanges."""
    (shop.root / "connectors/bank").mkdir()
    shop.write("connectors/bank/connector.json", config())

    exported = command("export", "connectors/shop/recordings/deals.json", "--har", "-o", "out/deals.har")
    imported = command("import", "out/deals.har", "--connector=bank", "--keep=name")

    assert (0, 0) == (exported.code, imported.code), imported.text
    assert "out/deals.har  (2 exchanges)\n" == exported.text
    one, two = (load(shop.root / f"connectors/{name}/recordings/deals.json") for name in ("shop", "bank"))
    assert [(e.id, e.request, e.response) for e in one.exchanges()] == [
        (e.id, e.request, e.response) for e in two.exchanges()
    ]
    assert dump(one).partition('"lanes"')[2] == dump(two).partition('"lanes"')[2]


def test_export_to_the_screen_is_the_file(shop: Project, command: Command) -> None:
    """Byte for byte, so that it can be piped."""
    command("export", "connectors/shop/recordings/deals.json", "--har", "-o", "deals.har")

    done = command("export", "connectors/shop/recordings/deals.json", "--har")

    assert 0 == done.code
    assert (shop.root / "deals.har").read_text(encoding="utf-8") == done.text
    assert 2 == len(json.loads(done.text)["log"]["entries"])


@pytest.mark.usefixtures("shop")
def test_export_needs_a_format(command: Command) -> None:
    """There is one so far, and it is named."""
    done = command("export", "connectors/shop/recordings/deals.json")

    assert Done(2, "export needs a format\n  fix  pass --har\n") == done


def test_export_of_what_is_no_recording(shop: Project, command: Command) -> None:
    """What is wrong with it is told; nothing is written, and what was there stays."""
    shop.write("out.har", "kept")
    before = shop.files()

    wrong = command("export", "connectors/shop/connector.json", "--har", "-o", "out.har")
    missing = command("export", "nothing.json", "--har", "-o", "out.har")

    assert (2, 2) == (wrong.code, missing.code)
    assert "connectors/shop/connector.json has 1 problem" in wrong.text
    assert "nothing.json" in missing.text
    assert "cannot be read: No such file or directory" in missing.text
    assert before == shop.files()


def test_export_to_where_no_file_can_be(shop: Project, command: Command) -> None:
    """A folder of that name is in the way: it is named, and nothing is left behind."""
    (shop.root / "out.har").mkdir()
    before = shop.files()

    done = command("export", "connectors/shop/recordings/deals.json", "--har", "-o", "out.har")

    assert Done(2, "out.har: Is a directory\n") == done
    assert before == shop.files()


# Help.


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("certify", ["connproof certify shop", "0 certified; 1 refuted; 2 ", "3 inconclusive"]),
        (
            "import",
            ["VCR, vcrpy or betamax, or HAR 1.2", "--connector CONNECTOR", "--lane LANE", "--force", "redacted"],
        ),
        ("export", ["--har", "--output", "Default: stdout"]),
    ],
)
def test_help(command: Command, name: str, words: list[str]) -> None:
    """What it does, what it takes and how it ends."""
    done = command(name, "--help")

    assert 0 == done.code
    for word in words:
        assert word in " ".join(done.text.split())


@pytest.mark.parametrize("name", ["certify", "drift", "versions", "baseline", "parity", "migrated"])
def test_examples_of_help_have_a_line_each(command: Command, name: str) -> None:
    """So that they can be copied."""
    lines = command(name, "--help").text.splitlines()

    examples = [line for line in lines if f"connproof {name}" in line and not line.startswith("Usage")]
    assert 2 <= len(examples)
    assert all(line.startswith(f"  connproof {name}") and 1 == line.count("connproof ") for line in examples)
