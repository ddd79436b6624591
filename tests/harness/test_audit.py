"""What the audit says of a team's own connectors: each claim on a small repository, in each of the languages."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest
from audited import Repository

from connproof.cli import main
from connproof.errors import CallWrong
from pytest_connproof import audit

pytest.importorskip("tree_sitter_language_pack", reason="the extra [audit] has the grammars")
pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="an audit asks git")

Command: TypeAlias = Callable[..., tuple[int, str, str]]

PYTHON: Final = """\
import time
import requests

BASE_URL = "https://api.acmecrm.com/v2"


class AcmeClient:
    def __init__(self, token):
        self.session = requests.Session()
        self.token = token

    def _get(self, path, params=None):
        for attempt in range(5):
            response = self.session.get(
                f"{BASE_URL}{path}", headers={"Authorization": f"Bearer {self.token}"}, params=params
            )
            if response.status_code == 429:
                time.sleep(int(response.headers.get("Retry-After", "1")))
                continue
            return response.json()

    def refresh(self, refresh_token):
        got = requests.post(
            "https://login.acmecrm.com/oauth/token",
            data={"grant_type": "refresh_token", "refresh_token": refresh_token},
        ).json()
        return got["access_token"], got["expires_in"]

    def contacts(self):
        cursor = None
        while True:
            page = self._get("/contacts", {"cursor": cursor, "limit": 100})
            yield from page["results"]
            cursor = page["next_cursor"]
            if not cursor:
                return

    def deal(self, deal_id):
        return self._get(f"/deals/{deal_id}")
"""
TYPESCRIPT: Final = """\
import axios from "axios";
const client = axios.create({
  baseURL: "https://rest.ledgerly.io/api",
  headers: { "X-Api-Key": process.env.LEDGERLY_KEY },
});
export async function listInvoices(): Promise<Invoice[]> {
  const all: Invoice[] = [];
  let offset = 0;
  while (true) {
    const { data } = await client.get("/invoices", { params: { offset, limit: 50 } });
    all.push(...data.items);
    if (data.items.length < 50) break;
    offset += 50;
  }
  return all;
}
export const getInvoice = (id: string) => client.get(`/invoices/${id}`);
"""
JAVASCRIPT: Final = """\
export async function* people(token) {
  let url = `https://hr.peoplebase.net/people?per_page=100`;
  while (url) {
    const response = await fetch(url, { headers: { Authorization: "Basic " + btoa(token + ":") } });
    if (response.status === 429) {
      await sleep(1000);
      continue;
    }
    yield* await response.json();
    const link = response.headers.get("link");
    const next = link && link.split(",").find((one) => one.includes('rel="next"'));
    url = next ? next.slice(1, next.indexOf(">")) : null;
  }
}
"""
REGISTRY: Final = """\
def records(provider, account):
    if provider == "acme":
        return acme(account)
    elif provider in ("ledgerly", "other"):
        return 1
    return None


def acme(account):
    return account


def add(one, other):
    return one + other
"""


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Three connectors that Ada wrote, and a file that chooses between them."""
    made = Repository(tmp_path / "product").begin()
    made.write("integrations/acme.py", PYTHON)
    made.write("integrations/ledgerly/client.ts", TYPESCRIPT)
    made.write("integrations/peoplebase.js", JAVASCRIPT)
    made.write("app/registry.py", REGISTRY)
    made.write("app/sums.py", "def total(rows):\n    return sum(rows)\n")
    made.commit("Begin", by="Ada", on="2024-01-10")
    return made


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """Runs `connproof audit` in this process: exit code, stdout, stderr."""
    monkeypatch.setenv("COLUMNS", "100")

    def ran(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main(("audit", *arguments))
        stdout, stderr = capfd.readouterr()
        assert isinstance(left.value.code, int)
        return left.value.code, stdout, stderr

    return ran


def _alone(tmp_path: Path, path: str, text: str) -> dict[str, Any]:
    """The one connector of a repository with one file."""
    made = Repository(tmp_path / "one").begin()
    made.write(path, text)
    made.commit("Begin", by="Ada", on="2024-01-10")
    (found,) = made.audited()["connectors"]
    told: dict[str, Any] = found
    return told


def _endpoints(connector: dict[str, Any]) -> list[str]:
    return [f"{one['method']} {one['host'] or '?'}{one['path']}" for one in connector["endpoints"]]


def test_connectors_are_found_by_what_they_call(repository: Repository) -> None:
    """Each has the name that its host and its module have in common; other code is no connector."""
    assert ["acme", "ledgerly", "peoplebase"] == [one["name"] for one in repository.audited()["connectors"]]


@pytest.mark.parametrize(
    ("name", "endpoints"),
    [
        (
            "acme",
            [
                "GET api.acmecrm.com/v2/contacts",
                "GET api.acmecrm.com/v2/deals/{deal_id}",
                "POST login.acmecrm.com/oauth/token",
            ],
        ),
        ("ledgerly", ["GET rest.ledgerly.io/api/invoices", "GET rest.ledgerly.io/api/invoices/{id}"]),
        ("peoplebase", ["GET hr.peoplebase.net/people"]),
    ],
)
def test_endpoints_are_told_with_their_callers(repository: Repository, name: str, endpoints: list[str]) -> None:
    """A base address, a wrapper that is given a path, and a variable are followed; a wrapper itself is no endpoint."""
    assert endpoints == _endpoints(repository.connector(name))


@pytest.mark.parametrize(
    ("name", "auth", "pagination"),
    [
        ("acme", ["oauth2"], ["cursor"]),
        ("ledgerly", ["api_key"], ["offset"]),
        ("peoplebase", ["basic"], ["link_header"]),
    ],
)
def test_auth_and_pagination_are_told(
    repository: Repository, name: str, auth: list[str], pagination: list[str]
) -> None:
    """Of each language one: what is sent to sign, and what a loop sends or follows to go on."""
    found = repository.connector(name)

    assert (auth, pagination) == (found["auth"], found["pagination"])


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        ("auth=OAuth1(KEY, SECRET)", "oauth1"),
        ('auth=("user", PASSWORD)', "basic"),
        ('headers={"Authorization": "Bearer " + TOKEN}', "bearer"),
        ('headers={"X-API-Token": TOKEN}', "api_key"),
        ('params={"api_key": KEY}', "api_key"),
        ('data="<wsse:Security><wsse:UsernameToken>" + USER', "ws-security"),
    ],
)
def test_kinds_of_auth(tmp_path: Path, lines: str, kind: str) -> None:
    """Told by the words of HTTP and OAuth, in whatever form the call has."""
    text = f'import requests\n\ndef one():\n    return requests.post("https://api.shopkeep.com/x", {lines})\n'

    assert [kind] == _alone(tmp_path, "shopkeep.py", text)["auth"]


@pytest.mark.parametrize(
    ("sent", "going_on", "kind"),
    [
        ('params={"page": page, "per_page": 50}', "page += 1", "page"),
        ('params={"offset": page, "limit": 50}', "page += 50", "offset"),
        ('params={"since_id": page}', 'page = body["rows"][-1]["id"]', "keyset"),
        ('params={"page_token": page}', 'page = body["next_page_token"]', "cursor"),
        ("", 'url = body["nextRecordsUrl"]', "next_url"),
        ("", 'url = response.links["next"]["url"]', "link_header"),
        ('params={"q": f"select * from rows startposition {page} maxresults 9"}', "page += 9", "offset"),
    ],
)
def test_kinds_of_pagination(tmp_path: Path, sent: str, going_on: str, kind: str) -> None:
    """Told by what the loop sends anew, or by the address that it follows."""
    text = (
        "import requests\n\ndef rows():\n    page, url = 1, None\n"
        f'    while True:\n        response = requests.get(url or "https://api.shopkeep.com/rows", {sent})\n'
        f"        body = response.json()\n        yield from body\n        {going_on}\n"
    )

    assert [kind] == _alone(tmp_path, "shopkeep.py", text)["pagination"]


def test_one_request_pages_nothing(tmp_path: Path) -> None:
    """A parameter named page without a loop is not pagination."""
    text = 'import requests\n\ndef one(page):\n    requests.get("https://api.shopkeep.com/x", params={"page": page})\n'

    assert [] == _alone(tmp_path, "shopkeep.py", text)["pagination"]


@pytest.mark.parametrize(
    ("name", "line", "what"), [("acme", 17, "retry-after, status 429, wait"), ("peoplebase", 5, "status 429, wait")]
)
def test_retry_code_is_told_with_its_lines(repository: Repository, name: str, line: int, what: str) -> None:
    """The branch that waits, and the reasons to think so."""
    assert [(line, what)] == [(one["line"], one["what"]) for one in repository.connector(name)["retry_code"]]


def test_token_code_is_told_with_its_lines(repository: Repository) -> None:
    """The function that asks for a token, whole."""
    (found,) = repository.connector("acme")["token_code"]

    assert ("integrations/acme.py", 22, 6) == (found["file"], found["line"], found["lines"])


def test_branches_for_one_connector_are_told(repository: Repository) -> None:
    """Where other code asks which connector it is, the branch counts to that connector."""
    (found,) = repository.connector("acme")["branches"]
    (other,) = repository.connector("ledgerly")["branches"]

    assert ("app/registry.py", 2, 2, "provider is acme") == (
        found["file"],
        found["line"],
        found["lines"],
        found["when"],
    )
    assert (4, 2, "provider is ledgerly") == (other["line"], other["lines"], other["when"])


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("app/choose.ts", 'switch (kind) {\n  case "acme":\n    run();\n    break;\n}\n', 2),
        ("app/choose.js", 'const x = 1;\nif (kind === "acme") {\n  run();\n}\n', 2),
        ("app/choose.py", 'match kind:\n    case "acme" | "other":\n        run()\n', 2),
    ],
)
def test_branches_of_each_language(repository: Repository, path: str, text: str, line: int) -> None:
    """A switch, a comparison and a match are branches alike."""
    repository.write(path, text)

    assert line in [one["line"] for one in repository.connector("acme")["branches"] if one["file"] == path]


def test_functions_with_the_name_count_wherever_they_stand(repository: Repository) -> None:
    """A function that is called as the connector is its own, also in a file that is not."""
    functions = [(one["file"], one["name"], one["lines"]) for one in repository.connector("acme")["functions"]]

    assert ("integrations/acme.py", "AcmeClient.deal", 2) in functions
    assert [] == [name for file, name, _ in functions if name == "add"]


def test_whoever_changed_last_is_named(repository: Repository) -> None:
    """Of a file, and of each function in it."""
    repository.write("integrations/acme.py", PYTHON.replace("/deals/", "/opportunities/"))
    repository.commit("Deals are opportunities", by="Grace", on="2024-02-20")

    found = repository.connector("acme")

    assert [{"by": "Grace", "on": "2024-02-20"}] == [one["last_changed"] for one in found["files"]]
    by = {one["name"]: one["last_changed"]["by"] for one in found["functions"]}
    assert ("Grace", "Ada") == (by["AcmeClient.deal"], by["AcmeClient.contacts"])


def test_what_is_not_committed_names_nobody(repository: Repository) -> None:
    """A new file is in the inventory, without an author."""
    repository.write("integrations/newly.js", 'fetch("https://api.newly.com/x");\n')

    assert [None] == [one["last_changed"] for one in repository.connector("newly")["files"]]


def _changed(repository: Repository, old: str, new: str, subject: str) -> dict[str, Any]:
    """The history after one change of the Python connector."""
    repository.write("integrations/acme.py", PYTHON.replace(old, new))
    repository.commit(subject, by="Grace", on="2024-02-20")
    history: dict[str, Any] = repository.audited()["history"]
    return history


def test_building_is_not_upkeep(repository: Repository) -> None:
    """What a connector was when it came is told apart from the changes since."""
    history = repository.audited()["history"]

    assert (1, 0) == (history["building"]["commits"], history["maintenance"]["commits"])


@pytest.mark.parametrize(
    ("old", "new", "subject", "kinds"),
    [
        ('"grant_type": "refresh_token"', '"grant_type":"refresh_token"', "Mend", {"oauth": 2}),
        ('cursor = page["next_cursor"]', 'cursor = page.get("next_cursor")', "Mend", {"pagination": 2}),
        ('"Retry-After", "1"', '"Retry-After", "2"', "Mend", {"rate_limits": 2}),
        ("acmecrm.com/v2", "acmecrm.com/v3", "Mend", {"versions": 2}),
        ("/deals/", "/opportunities/", "Mend", {}),
        ("/deals/", "/opportunities/", "Move to v3 of their API", {"versions": 2}),
        ("/deals/", "/opportunities/", "Work around throttling", {"rate_limits": 2}),
        ("/deals/", "/opportunities/", "Mend the page token", {"pagination": 2}),
    ],
    ids=["oauth", "pagination", "rate-limits", "versions", "none", "says-version", "says-throttle", "says-page-token"],
)
def test_upkeep_is_told_by_what_was_touched_and_said(
    repository: Repository, old: str, new: str, subject: str, kinds: dict[str, int]
) -> None:
    """The lines that were touched decide, and where the subject names a kind, all of the commit is of it."""
    maintenance = _changed(repository, old, new, subject)["maintenance"]

    assert kinds == {kind: share["churn"] for kind, share in maintenance["of_it"].items() if share["commits"]}
    assert (1, 2) == (maintenance["commits"], maintenance["churn"])


def test_shares_are_of_all_work(repository: Repository) -> None:
    """One commit of three, and two lines of all that were changed."""
    repository.write("app/sums.py", "def total(rows):\n    return 1\n")
    repository.commit("Sum", by="Ada", on="2024-02-01")

    history = _changed(repository, "/deals/", "/opportunities/", "Mend")

    assert (3, 0.3333) == (history["everything"]["commits"], history["maintenance"]["share_of_commits"])
    assert round(2 / history["everything"]["churn"], 4) == history["maintenance"]["share_of_churn"]


def test_what_is_older_does_not_count(repository: Repository) -> None:
    """--since bounds the work that is counted, not the inventory."""
    repository.write("app/sums.py", "def total(rows):\n    return 1\n")
    repository.commit("Sum", by="Ada", on="2024-02-01")

    document = repository.audited(since="2024-01-20")

    assert (1, 3) == (document["history"]["everything"]["commits"], document["totals"]["connectors"])


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("broken.py", 'import requests\n\ndef one(:\n    return requests.get("https://api.brokenly.com/x")\n', 3),
        ("broken.ts", 'const a: string = "x";\nfetch("https://api.brokenly.com/x" "y");\n', 2),
        ("broken.js", 'fetch("https://api.brokenly.com/x");\nconst = 3;\n', 2),
    ],
)
def test_what_cannot_be_parsed_is_named_with_its_line(repository: Repository, path: str, text: str, line: int) -> None:
    """A file with a fault is told, and read as far as it goes."""
    repository.write(path, text)

    assert [(path, line)] == [(one["file"], one["line"]) for one in repository.audited()["not_parsed"]]


def test_other_languages_are_counted(repository: Repository) -> None:
    """What is not read is not passed over in silence."""
    repository.write("integrations/acme.rb", "puts 1\n")
    repository.write("app/all.min.js", "x()\n")

    document = repository.audited()

    assert {"Ruby": 1} == document["not_read"]
    assert ["app/all.min.js"] == [one["file"] for one in document["left_out"]]


def test_a_host_that_only_a_run_knows(tmp_path: Path) -> None:
    """The module's name stands in for the host, and the endpoints are told without one."""
    text = (
        "import requests\n\ndef rows(instance_url, token):\n    url = f'{instance_url}/services/data/v58.0/query'\n"
        "    while url:\n        body = requests.get(url, headers={'Authorization': f'Bearer {token}'}).json()\n"
        "        yield from body['records']\n        url = body.get('nextRecordsUrl')\n"
    )

    found = _alone(tmp_path, "legacy/salesy.py", text)

    assert ("salesy", ["GET ?/services/data/v58.0/query"]) == (found["name"], _endpoints(found))
    assert (["bearer"], ["next_url"]) == (found["auth"], found["pagination"])


@pytest.mark.parametrize(
    ("path", "text", "name", "endpoint"),
    [
        (
            "zonely.ts",
            "const read = (dc: string) => fetch(`https://www.zonely.${dc}/crm/v6/Contacts`);\n",
            "zonely",
            "GET www.zonely.{dc}/crm/v6/Contacts",
        ),
        (
            "tenants.py",
            (
                "import requests\n\nclass Tenants:\n    def __init__(self, tenant, host='impl.tenantly.com'):\n"
                "        self.url = f'https://{host}/service/{tenant}'\n\n    def read(self):\n"
                "        return requests.post(self.url, data='x')\n"
            ),
            "tenants",
            "POST impl.tenantly.com/service/{tenant}",
        ),
    ],
    ids=["data centres", "a default host"],
)
def test_a_host_that_is_known_in_part(tmp_path: Path, path: str, text: str, name: str, endpoint: str) -> None:
    """A data centre stands in braces; a parameter's default is what is known of it."""
    found = _alone(tmp_path, path, text)

    assert (name, [endpoint]) == (found["name"], _endpoints(found))


def test_two_hosts_in_one_file_are_two_connectors(tmp_path: Path) -> None:
    """A file that calls two belongs to both, each with its own endpoints."""
    made = Repository(tmp_path / "two").begin()
    made.write(
        "app/sync.py",
        'import requests\n\ndef one():\n    requests.get("https://api.firstly.com/a")\n\n'
        'def two():\n    requests.get("https://api.secondly.com/b")\n',
    )

    found = {one["name"]: _endpoints(one) for one in made.audited()["connectors"]}

    assert {"firstly": ["GET api.firstly.com/a"], "secondly": ["GET api.secondly.com/b"]} == found


@pytest.mark.parametrize(
    "text",
    [
        'app.get("/users", (request, response) => response.json([]));\n',
        'const name = map.get("/key");\n',
        'fetch("http://localhost:3000/x");\n',
        '// fetch("https://api.commented.com/x")\nconst note = "see https://docs.noted.com/x";\n',
    ],
    ids=["a route", "a lookup", "itself", "not called"],
)
def test_what_calls_nobody_outside_is_no_connector(tmp_path: Path, text: str) -> None:
    """A route of one's own, a lookup, a server on this machine, an address in a comment."""
    made = Repository(tmp_path / "none").begin()
    made.write("server.js", text)

    assert [] == made.audited()["connectors"]


def test_tests_are_counted_apart(repository: Repository) -> None:
    """A connector's tests are no part of its lines."""
    repository.write("tests/test_acme.py", PYTHON)

    found = repository.connector("acme")

    assert ["tests/test_acme.py"] == [one["file"] for one in found["tests"]]
    assert PYTHON.count("\n") == found["lines"]["files"]


def test_the_same_tree_gives_the_same_bytes(repository: Repository) -> None:
    """An inventory can be committed and compared."""
    assert json.dumps(repository.audited()) == json.dumps(repository.audited())


def test_comparing_shows_the_reduction(repository: Repository, command: Command, tmp_path: Path) -> None:
    """A connector that was moved to a config is gone, with all its lines."""
    earlier = tmp_path / "earlier.json"
    earlier.write_text(json.dumps(repository.audited()), encoding="utf-8")
    repository.remove("integrations/acme.py")

    code, out, _ = command(str(repository.root), "--compare", str(earlier), "--json", "--since", "2001-01-01")

    compared = json.loads(out)["compared"]
    acme = compared["connectors"][0]
    lines = PYTHON.count("\n")
    assert 0 == code
    assert ("acme", "gone", {"before": lines, "now": 0, "reduction": 1.0}) == (
        acme["name"],
        acme["state"],
        acme["lines"]["files"],
    )
    assert {"before": 3, "now": 2, "reduction": 0.3333} == compared["totals"]["connectors"]


def test_comparing_needs_an_inventory(repository: Repository, command: Command, tmp_path: Path) -> None:
    """A file of another kind is refused, with what to do."""
    other = tmp_path / "other.json"
    other.write_text("{}", encoding="utf-8")

    code, _, err = command(str(repository.root), "--compare", str(other))

    assert 2 == code
    assert "other.json is no inventory of format connproof-audit/1" in err


def test_text_and_markdown_say_the_same(repository: Repository, command: Command) -> None:
    """People get a table, with no bar where there is no terminal."""
    code, text, err = command(str(repository.root), "--since", "2001-01-01")
    _, page, _ = command(str(repository.root), "--since", "2001-01-01", "--markdown")

    assert (0, "") == (code, err)
    assert "acme        oauth2   cursor       3          1" in text
    assert "| acme | oauth2 | cursor | 3 | 1 |" in page


def test_a_time_that_is_none_is_refused(repository: Repository, command: Command) -> None:
    """Git takes what it does not know for now, and would count nothing."""
    code, _, err = command(str(repository.root), "--since", "sometimes")

    assert (2, True) == (code, "--since sometimes: not a time in the past" in err)


def test_without_git_there_is_an_inventory_all_the_same(tmp_path: Path) -> None:
    """Without a history nobody is named, and it says so."""
    (tmp_path / "acme.py").write_text(PYTHON, encoding="utf-8")

    document = audit.take(tmp_path, since="6.months", progress=lambda *_: None)

    assert (1, None) == (document["totals"]["connectors"], document["history"])
    assert "no git history here" in document["notes"][0]


def test_without_the_grammars_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named; nothing else is said to be wrong."""
    monkeypatch.setattr(audit, "find_spec", lambda _: None)

    with pytest.raises(CallWrong) as wrong:
        audit.take(tmp_path, since="6.months", progress=lambda *_: None)

    assert "pip install 'connproof[audit]'" == wrong.value.fix


def test_progress_is_told_to_the_end(repository: Repository) -> None:
    """Whoever shows it gets every step, the last included."""
    told: list[tuple[str, int, int]] = []

    audit.take(repository.root, since="2001-01-01", progress=lambda *step: told.append(step))

    assert [("reading", 5, 5), ("asking git", 4, 4)] == [step for step in told if step[1] == step[2]]
