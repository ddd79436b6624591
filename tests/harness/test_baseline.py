"""connproof baseline: real old code in other processes, against recordings on loopback."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

import pytest
from shop import DAY, DEALS, Done, Json, Project, config, environment, exchange, recording

from connproof.cli import main

Taken: TypeAlias = Callable[..., Done]

SNAPSHOT: Final = "snapshots/shop/deals.list.json"

# As a team wrote it: its base URL and its token come from outside, its client is the standard library's.
PLAIN: Final = """
import json, os, urllib.parse, urllib.request

deals, query = [], {"limit": "2"}
while True:
    url = os.environ["CONNPROOF_BASE_URL"] + "/deals?" + urllib.parse.urlencode(query)
    headers = {"Authorization": "Bearer " + os.environ["SHOP_TOKEN"], "X-Team": "crm"}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
        page = json.load(answer)
    deals += page["results"]
    if "paging" not in page:
        break
    query["after"] = page["paging"]["next"]["after"]
print(json.dumps(deals))
"""

# Its host is fixed: it is reached through the proxy, with the authority of the run.
FIXED: Final = """
import json, httpx

deals, query = [], {"limit": "2"}
with httpx.Client(base_url="https://api.shop.example/v1", headers={"Authorization": "Bearer of-the-old-code"}) as shop:
    while True:
        page = shop.get("/deals", params=query).raise_for_status().json()
        deals += page["results"]
        if "paging" not in page:
            break
        query["after"] = page["paging"]["next"]["after"]
print(json.dumps(deals))
"""

NODE: Final = """
const http = require("http");
const get = (path) => new Promise((resolve, reject) => {
  const headers = { authorization: `Bearer ${process.env.CONNPROOF_ACCESS_TOKEN}` };
  http.get(process.env.CONNPROOF_BASE_URL + path, { headers }, (answer) => {
    let text = "";
    answer.on("data", (part) => { text += part; });
    answer.on("end", () => resolve(JSON.parse(text)));
  }).on("error", reject);
});
(async () => {
  let deals = [], after = "";
  do {
    const page = await get(`/deals?limit=2${after && `&after=${after}`}`);
    deals = deals.concat(page.results);
    after = page.paging ? page.paging.next.after : "";
  } while (after);
  console.log(JSON.stringify(deals));
})();
"""

# Node by its fixed host: a tunnel through the proxy, and TLS that trusts NODE_EXTRA_CA_CERTS.
NODE_FIXED: Final = """
const http = require("http"), https = require("https");
const proxy = new URL(process.env.HTTPS_PROXY);
const get = (path) => new Promise((resolve, reject) => {
  http.request({ host: proxy.hostname, port: proxy.port, method: "CONNECT", path: "api.shop.example:443" })
    .on("connect", (_, socket) => {
      const headers = { authorization: "Bearer of-the-old-code" };
      https.get({ host: "api.shop.example", path, headers, socket, agent: false }, (answer) => {
        let text = "";
        answer.on("data", (part) => { text += part; });
        answer.on("end", () => resolve(JSON.parse(text)));
      }).on("error", reject);
    }).on("error", reject).end();
});
(async () => {
  const one = await get("/v1/deals?limit=2");
  const two = await get(`/v1/deals?after=${one.paging.next.after}&limit=2`);
  console.log(JSON.stringify([...one.results, ...two.results]));
})();
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The shop, its old code, and no baseline yet; the current folder is its root. Temporary files lie beside."""
    project = Project(tmp_path / "project")
    project.connector()
    (project.root / SNAPSHOT).unlink()
    project.write("old/plain.py", PLAIN)
    project.write("old/fixed.py", FIXED)
    monkeypatch.chdir(project.root)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    monkeypatch.setenv("SHOP_TOKEN", "inherited-token-8d1f0c")
    return project


@pytest.fixture
def taken(capfd: pytest.CaptureFixture[str]) -> Taken:
    """Runs `connproof baseline shop deals ... -- COMMAND`; stdout, then stderr."""

    def ran(*command: str, options: tuple[str, ...] = (), resource: str = "deals") -> Done:
        with pytest.raises(SystemExit) as left:
            main(["baseline", "shop", resource, *options, "--", *command])
        stdout, stderr = capfd.readouterr()
        assert isinstance(left.value.code, int)
        return Done(left.value.code, stdout + stderr)

    return ran


def python(shop: Project, text: str) -> tuple[str, str]:
    """A command that runs this as the old code."""
    shop.write("old/odd.py", text)
    return sys.executable, "old/odd.py"


def reads(what: str) -> str:
    """Old code that reads both pages as it should, and then does this with `deals`."""
    return PLAIN.replace("print(json.dumps(deals))", what)


# What is stored.


def test_the_old_codes_records_become_the_baseline(shop: Project, taken: Taken) -> None:
    """What it printed, what it asked for, and who it was."""
    done = taken(sys.executable, "old/plain.py")

    assert 0 == done.code, done.text
    stored = shop.read(SNAPSHOT)
    digest = stored["baseline"].pop("digest")
    assert {
        "format": "connproof-snapshot/1",
        "lane": "deals.list",
        "baseline": {"kind": "old code", "by": f"{Path(sys.executable).name} old/plain.py"},
        "model": None,
        "key": "id",
        "outcome": "complete",
        "requests": ["GET /v1/deals?limit=2", "GET /v1/deals?limit=2&after=c-2"],
        "records": list(DEALS),
    } == stored
    assert digest.startswith("sha256:")
    assert "2 used, 0 not recorded, 0 not used" in done.text


@pytest.mark.parametrize("name", ["plain", "fixed"])
def test_a_baseline_is_reproduced_byte_for_byte(shop: Project, taken: Taken, name: str) -> None:
    """By its base URL or by its own host: the file that is there, and one that is written anew."""
    taken(sys.executable, f"old/{name}.py")
    before = shop.files()

    again = taken(sys.executable, f"old/{name}.py")
    kept = shop.files()
    (shop.root / SNAPSHOT).unlink()
    anew = taken(sys.executable, f"old/{name}.py")

    assert f"{SNAPSHOT}  unchanged" in again.text
    assert f"{SNAPSHOT}  written" in anew.text
    assert before == kept == shop.files()


def test_the_records_are_those_of_a_reviewed_snapshot(shop: Project, taken: Taken) -> None:
    """Old code and engine return the same bytes, and ask for the same: only who returned it differs."""
    reviewed = {**_engine_made(shop), "baseline": None}

    done = taken(sys.executable, "old/fixed.py", options=("--replace",))

    assert 0 == done.code, done.text
    assert json.dumps(reviewed) == json.dumps({**shop.read(SNAPSHOT), "baseline": None})


@pytest.mark.parametrize("text", [NODE, NODE_FIXED], ids=["plain", "fixed"])
def test_old_code_may_be_of_another_language(shop: Project, taken: Taken, text: str) -> None:
    """Node gives the same records as Python, by the base URL and through the tunnel."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no Node on this machine")
    shop.write("old/deals.cjs", text)

    done = taken(node, "old/deals.cjs")

    assert 0 == done.code, done.text
    assert list(DEALS) == shop.read(SNAPSHOT)["records"]


def test_the_config_is_certified_against_the_old_code(shop: Project, taken: Taken) -> None:
    """PAR-001 compares with what the old code returned, and the certificate says so."""
    taken(sys.executable, "old/fixed.py")

    done = shop.run("connproof", "certify", "shop", f"--as-of={DAY}")

    assert 0 == done.code, done.text
    assert "old code" == shop.read("certificates/shop.json")["baseline"]


def test_a_bug_of_the_old_code_is_a_difference(shop: Project, taken: Taken) -> None:
    """What it lost is stored truthfully, and told at once; the engine, which loses nothing, differs from it."""
    lossy = taken(*python(shop, PLAIN.replace('if "paging" not in page:', "if True:")))
    done = shop.run("pytest", "connectors", f"--as-of={DAY}", "-k", "PAR-001")

    assert 0 == lossy.code, lossy.text
    assert "not used   deals.list/2" in lossy.text
    assert 1 == done.code
    assert "PAR-001" in done.text
    assert "d-3" in done.text


def test_the_commit_is_said(shop: Project, taken: Taken) -> None:
    """That which is checked out; where the code differs from it, that too; a later commit alone changes nothing."""

    def git(*words: str) -> str:
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@shop.example", "-c", "commit.gpgsign=false")
        return subprocess.run(["git", *who, *words], check=True, capture_output=True, text=True).stdout.strip()

    if shutil.which("git") is None:
        pytest.skip("there is no git on this machine")
    git("init", "-q")
    git("add", "old")
    git("commit", "-qm", "The old code")
    taken(sys.executable, "old/plain.py")
    first = shop.read(SNAPSHOT)["baseline"]["commit"]
    git("commit", "-qm", "Something else", "--allow-empty")
    again = taken(sys.executable, "old/plain.py")
    shop.write("old/plain.py", PLAIN + "# changed\n")
    changed = taken(sys.executable, "old/plain.py", options=("--replace",))

    assert git("rev-parse", "HEAD~1") == first
    assert "unchanged" in again.text
    assert 0 == changed.code
    assert f"{git('rev-parse', 'HEAD')} (dirty)" == shop.read(SNAPSHOT)["baseline"]["commit"]


# What is overwritten.


@pytest.mark.parametrize("kind", ["engine", "old code"])
def test_another_snapshot_is_overwritten_only_when_asked(shop: Project, taken: Taken, kind: str) -> None:
    """Whoever returned it: first it is told what differs, and --replace does it."""
    other = {**_engine_made(shop), "baseline": {"kind": kind, "by": "somebody"}}
    other["records"][1]["name"] = "Wall and window"
    shop.write(SNAPSHOT, other)
    before = shop.files()

    refused = taken(sys.executable, "old/plain.py")
    kept = shop.files()
    replaced = taken(sys.executable, "old/plain.py", options=("--replace",))

    assert 1 == refused.code
    assert f"{SNAPSHOT} is there already, and differs\n  it is       {kind} (somebody)" in refused.text
    assert "the records: 3 there, 3 now; 1 difference of members" in refused.text
    assert before == kept
    assert 0 == replaced.code
    assert list(DEALS) == shop.read(SNAPSHOT)["records"]


def test_one_is_not_true(shop: Project, taken: Taken) -> None:
    """Python calls 40 and 40.0 equal; callers in other languages do not."""
    taken(sys.executable, "old/plain.py")
    shop.write(SNAPSHOT, (shop.root / SNAPSHOT).read_text().replace('"amount": 40', '"amount": 40.0'))

    assert 1 == taken(sys.executable, "old/plain.py").code


def _engine_made(shop: Project) -> Json:
    """What the engine returns, as a snapshot."""
    shop.run("pytest", "connectors", f"--as-of={DAY}", "--snapshot-update", "-q")
    return shop.read(SNAPSHOT)


# What is not recorded.


def test_a_request_that_is_not_recorded_is_told_with_the_nearest(shop: Project, taken: Taken) -> None:
    """All parts that differ; what was printed nevertheless is not stored."""
    more = (
        "httpx.get('https://api.shop.example/v1/deals?limit=2&archived=1', headers={'Authorization': 'Bearer other'})"
    )

    done = taken(*python(shop, FIXED.replace("print(", f"{more}\nprint(")))

    assert 1 == done.code
    assert "the old code made 1 request that no recording holds" in done.text
    assert "request 3   GET https://api.shop.example/v1/deals\n" in done.text
    assert 'query.archived   recorded (not recorded)   sent "1"' in done.text
    assert 'header.authorization   recorded "Bearer {{secret:access_token#1}}"   sent (' in done.text
    assert "of-the-old-code" not in done.text
    assert not (shop.root / SNAPSHOT).exists()


def test_a_credential_that_is_called_otherwise_is_told_by_what_it_is_called(shop: Project, taken: Taken) -> None:
    """Clients say "token" for "Bearer": without that word, the two would be told to be the same."""
    shop.write("old/plain.py", PLAIN.replace("Bearer ", "token "))

    done = taken(sys.executable, "old/plain.py", options=("--env", "SHOP_TOKEN={access_token}"))

    assert 1 == done.code
    told = 'header.authorization   recorded "Bearer {{secret:access_token#1}}"   sent "token (credential)"'
    assert told in done.text
    assert "example-access-token" not in done.text


def test_another_host_is_not_reached(shop: Project, taken: Taken) -> None:
    """What goes through the proxy ends there: nothing is passed on."""
    elsewhere = FIXED.replace("print(", "print(httpx.get('https://telemetry.example/v1?a=1').status_code)\nprint(")
    done = taken(*python(shop, elsewhere))

    assert 1 == done.code
    assert "GET https://telemetry.example/v1" in done.text


def test_the_same_page_twice_is_not_recorded_twice(shop: Project, taken: Taken) -> None:
    """A loop of the old code is none of the recording."""
    done = taken(*python(shop, FIXED.replace('query["after"] = page', 'query["after_"] = page')))

    assert 1 == done.code
    assert "deals.list/1" in done.text
    assert "query.after_" in done.text


def test_an_answer_of_its_own_is_no_baseline(shop: Project, taken: Taken) -> None:
    """Records that no recording gave may come from anywhere."""
    done = taken(*python(shop, "print([])"))

    assert 1 == done.code
    assert "asked for nothing that is recorded" in done.text


def test_a_header_can_be_left_out_of_the_comparison(shop: Project, taken: Taken) -> None:
    """The old code sends no version; without the option that is a difference."""
    shop.write("connectors/shop/connector.json", config(headers={"X-Version": "3"}))
    recorded = recording()
    for one in recorded["lanes"][0]["exchanges"]:
        one["request"]["headers"].insert(0, ["x-version", "3"])
    shop.write("connectors/shop/recordings/deals.json", recorded)

    strict = taken(sys.executable, "old/plain.py")
    ignoring = taken(sys.executable, "old/plain.py", options=("--ignore-header", "X-Version"))

    assert 1 == strict.code
    assert 'header.x-version   recorded "3"   sent (not sent)' in strict.text
    assert 0 == ignoring.code, ignoring.text


def test_a_further_lane_may_answer(shop: Project, taken: Taken) -> None:
    """What the old code reads beside is named with --also."""
    recorded = recording()
    one = exchange(1, [], {"id": "me"})
    one["id"], one["request"]["url"] = "users.list/1", "https://api.shop.example/v1/users"
    recorded["lanes"].append({"id": "users.list", "order": "strict", "exchanges": [one]})
    shop.write("connectors/shop/recordings/deals.json", recorded)
    resources = {
        **config()["resources"],
        "users": {
            "list": {"method": "GET", "path": "/users", "response_path": "results", "pagination": {"type": "none"}}
        },
    }
    shop.write("connectors/shop/connector.json", config(resources=resources))
    command = python(
        shop, FIXED.replace("    while True:", "    shop.get('/users').raise_for_status()\n    while True:")
    )

    alone = taken(*command)
    beside = taken(*command, options=("--also", "users"))

    assert 1 == alone.code
    assert 0 == beside.code, beside.text
    assert "GET /v1/users" == shop.read(SNAPSHOT)["requests"][0]


# How the old code gets at it.


def test_the_old_codes_own_words_are_filled_in(shop: Project, taken: Taken) -> None:
    """Its variables have its names; the account's values are the example's, and shown nowhere."""
    text = PLAIN.replace("CONNPROOF_BASE_URL", "SHOP_URL")
    say = f"{text}import sys\nprint(os.environ['SHOP_TOKEN'], file=sys.stderr)\nsys.exit(3)\n"
    options = ("--env", "SHOP_URL={base_url}", "--env", "SHOP_TOKEN={access_token}")

    good = taken(*python(shop, text), options=options)
    bad = taken(*python(shop, say), options=options)

    assert 0 == good.code, good.text
    assert "the old code ended with exit code 3" in bad.text
    assert "[credential]" in bad.text
    assert "example-access-token" not in bad.text


def test_a_word_that_there_is_not(shop: Project, taken: Taken) -> None:
    """It is said which there are."""
    done = taken(sys.executable, "old/plain.py", options=("--env", "SHOP_TOKEN={token}"))

    assert 2 == done.code
    assert "--env SHOP_TOKEN: there is no token to fill in" in done.text
    assert "access_token, base_url, origin" in done.text
    assert shop.files().keys().isdisjoint({SNAPSHOT})


def test_next_links_lead_to_the_server(shop: Project, taken: Taken) -> None:
    """Code that follows them stays on loopback; the same URL inside a record is left alone."""
    self_url = "https://api.shop.example/v1/deals?page=2"
    one = exchange(1, [], {"results": [{"id": "d-1", "url": self_url}], "next": self_url})
    two = exchange(2, [["page", "2"]], {"results": [{"id": "d-2", "url": "https://api.shop.example/v1"}]})
    shop.write(
        "connectors/shop/recordings/deals.json",
        recording(lanes=[{"id": "deals.list", "order": "strict", "exchanges": [one, two]}]),
    )
    shop.write("connectors/shop/connector.json", config(pagination={"type": "next_url", "next_url_field": "next"}))
    follows = """
import json, os, urllib.request

deals, url = [], os.environ["CONNPROOF_BASE_URL"] + "/deals"
while url:
    assert url.startswith(os.environ["CONNPROOF_ORIGIN"]), url
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Authorization": "Bearer x"})) as answer:
        page = json.load(answer)
    deals, url = deals + page["results"], page.get("next")
print(json.dumps(deals))
"""
    done = taken(*python(shop, follows))

    assert 0 == done.code, done.text
    assert ["d-1", "d-2"] == [deal["id"] for deal in shop.read(SNAPSHOT)["records"]]


def test_a_token_is_granted_as_to_the_example_account(shop: Project, taken: Taken) -> None:
    """Old code that fetches its token first gets one, at the endpoint that the config names."""
    auth = {
        "type": "oauth2",
        "token_path": "access_token",
        "token": {"url": "https://login.shop.example/token", "client_auth": "body"},
        "rotation": "strict",
    }
    shop.write("connectors/shop/connector.json", config(auth=auth))
    words = ("access_token", "refresh_token", "client_id", "client_secret")
    shop.write(
        "connectors/shop/accounts/example.json", {"credentials": {word: f"example-{word}-value" for word in words}}
    )
    fetch = """
form = {"grant_type": "refresh_token", "refresh_token": "whatever"}
token = httpx.post("https://login.shop.example/token", data=form).raise_for_status().json()["access_token"]
"""
    text = FIXED.replace("import json, httpx\n", f"import json, httpx\n{fetch}")
    done = taken(*python(shop, text.replace('"Bearer of-the-old-code"', '"Bearer " + token')))

    assert 0 == done.code, done.text
    assert "1 granted, as to the example account" in done.text
    assert ["GET /v1/deals?limit=2", "GET /v1/deals?limit=2&after=c-2"] == shop.read(SNAPSHOT)["requests"]


# What goes wrong.


@pytest.mark.parametrize(
    ("ends", "says"),
    [
        ("pass", "the old code printed nothing on stdout"),
        ("print('3 deals')", "the old code's stdout is no JSON"),
        ("print('3 deals')", "begins 3 deals"),
        ("print(json.dumps({'results': deals}))", "the old code printed an object, not a JSON list of objects"),
        ("print(json.dumps([*deals, 'd-4']))", "element 3 (line 1) of what the old code printed is a text"),
        ('print(\'[{"a": 1, "a": 2}]\')', '"a"'),
        ("print('[{\"a\": NaN}]')", "NaN"),
        ("import sys; print('no quota', file=sys.stderr); sys.exit(7)", "the old code ended with exit code 7"),
        ("import sys; print('no quota', file=sys.stderr); sys.exit(7)", "it said no quota"),
        (
            "print(json.dumps([{'token': os.environ['SHOP_TOKEN']}]))",
            "record 0 that the old code printed holds a credential",
        ),
    ],
)
def test_what_cannot_be_a_baseline_is_told(shop: Project, taken: Taken, ends: str, says: str) -> None:
    """Each in its own words, with the ledger where it helps; nothing is written, nothing is left."""
    command = python(shop, reads(ends))
    before = shop.files()

    done = taken(*command)

    assert 1 == done.code
    assert says in " ".join(done.text.split())
    assert "inherited-token" not in done.text
    assert before == shop.files()
    assert [] == list((shop.root.parent / "temporary").iterdir())


def test_old_code_that_takes_too_long_is_ended(shop: Project, taken: Taken) -> None:
    """With what it started, and what it had said."""
    waits = "import subprocess, sys; print('waiting', file=sys.stderr, flush=True); subprocess.run(['sleep', '60'])"
    started = time.monotonic()

    done = taken(*python(shop, reads(waits)), options=("--timeout", "1"))

    assert 1 == done.code
    assert "the old code was ended after 1 s" in done.text
    assert "waiting" in done.text
    assert 30 > time.monotonic() - started
    assert not (shop.root / SNAPSHOT).exists()


def test_ctrl_c_leaves_nothing(shop: Project) -> None:
    """Neither a snapshot, nor a temporary file, nor the old code itself."""
    temporary, ready = shop.root.parent / "temporary", shop.root / "ready"
    os.mkfifo(ready)
    waits = "open('ready', 'w').write(str(os.getpid())); import time; time.sleep(60)"
    command = [sys.executable, "-m", "connproof", "baseline", "shop", "deals", "--", *python(shop, reads(waits))]
    heard = os.open(ready, os.O_RDWR)
    with subprocess.Popen(
        command,
        cwd=shop.root,
        env={**environment(), "TMPDIR": str(temporary), "SHOP_TOKEN": "x"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as child:
        assert [heard] == select.select([heard], [], [], 60)[0]
        old_code = int(os.read(heard, 100))
        os.close(heard)
        child.send_signal(signal.SIGINT)
        text, _ = child.communicate()

    assert 130 == child.returncode
    assert "interrupted\n" == text
    assert not (shop.root / SNAPSHOT).exists()
    assert [] == list(temporary.iterdir())
    with pytest.raises(ProcessLookupError):
        os.kill(old_code, 0)


def test_a_client_that_does_not_trust_the_authority_is_told(shop: Project, taken: Taken) -> None:
    """It brings its own list of authorities: the host that it did not believe is named."""
    own = FIXED.replace("import json, httpx", "import json, httpx, ssl").replace(
        "httpx.Client(", "httpx.Client(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), "
    )

    done = taken(*python(shop, own))

    assert 1 == done.code
    assert "api.shop.example: the authority of SSL_CERT_FILE was refused" in done.text


@pytest.mark.parametrize(
    ("resource", "command", "says"),
    [
        ("orders", ("python", "old/plain.py"), "shop has no recorded lane orders\n  there are  deals.list"),
        ("deals", ("no-such-program", "old/plain.py"), "no-such-program cannot be started"),
        ("deals", ("npm", "run", "deals"), "the command names no file, so it cannot be said which code it runs"),
    ],
)
def test_a_wrong_call_is_told(shop: Project, taken: Taken, resource: str, command: tuple[str, ...], says: str) -> None:
    """What there is, or what to name."""
    done = taken(*command, resource=resource)

    assert 2 == done.code
    assert says in done.text
    assert SNAPSHOT not in shop.files()


def test_code_may_be_a_folder(shop: Project, taken: Taken) -> None:
    """Its digest is over all files in it: one that is imported counts."""
    shop.write("old/names.py", "LIMIT = '2'\n")
    options = ("--code", "old")
    taken(sys.executable, "old/plain.py", options=options)
    shop.write("old/names.py", "LIMIT = '3'\n")

    done = taken(sys.executable, "old/plain.py", options=options)

    assert 1 == done.code
    assert "differs in  who returned it: the command or the code" in done.text


def test_a_get_prints_its_record(shop: Project, taken: Taken) -> None:
    """One record may stand without a list around it."""
    one = exchange(1, [], DEALS[0])
    one["id"], one["request"]["url"] = "deals.get/1", "https://api.shop.example/v1/deals/d-1"
    lane = {"id": "deals.get", "order": "strict", "call": {"params": {"id": "d-1"}}, "exchanges": [one]}
    shop.write("connectors/shop/recordings/deals.json", recording(lanes=[lane]))
    get = {"get": {"method": "GET", "path": "/deals/{id}", "key": "id"}}
    shop.write("connectors/shop/connector.json", config(resources={"deals": get}))
    text = """
import httpx
print(httpx.get("https://api.shop.example/v1/deals/d-1", headers={"Authorization": "Bearer x"}).text)
"""
    done = taken(*python(shop, text), resource="deals.get")

    assert 0 == done.code, done.text
    assert [DEALS[0]] == shop.read("snapshots/shop/deals.get.json")["records"]
