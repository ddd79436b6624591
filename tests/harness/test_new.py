"""connproof new, as a new user types it: what is written, what is asked, what is refused, how it ends."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest
from shop import Done, environment

from connproof.auth import SCHEMES, sign
from connproof.cli import main
from connproof.clock import SystemClock
from connproof.config import load
from connproof.draft import Draft
from connproof.mapping import compile_mapping
from connproof.model import FieldRule, Operation, Pagination, UnifiedMapping
from connproof.named import faults_of
from connproof.pagination import STRATEGIES
from connproof.places import Place
from connproof.schemas import shipped
from connproof.stores import account_in
from pytest_connproof import scaffold
from pytest_connproof.checks import CHECKS
from pytest_connproof.scaffold import QUESTIONS, Answered
from pytest_connproof.scaffold.sample import Sample, as_expression, as_path

Command: TypeAlias = Callable[..., Done]

NAMED: Final = ("new", "shop", "--base-url", "https://api.shop.example/v1")
LISTED: Final = ("--resource", "deals", "--path", "/deals", "--response-path", "data", "--key", "id")
WHOLE: Final = (*NAMED, "--auth", "bearer", *LISTED, "--pagination", "none")
AUTHS: Final = {
    "none": (),
    "api_key": ("--key-in", "header", "--key-name", "X-Api-Key"),
    "basic": ("--username", "{email}/token", "--password", "{api_token}"),
    "bearer": ("--prefix", "Token "),
    "oauth2": ("--token-url", "https://id.shop.example/token", "--client-auth", "body", "--scope", "deals.read"),
    "oauth1": ("--realm", "shop"),
    "ws_security": (),
    "session": (
        *("--session-header", "X-Session", "--login-url", "https://{region}.shop.example/login"),
        *("--login-params", "username, password", "--login-token", "session.id"),
    ),
}
PAGINATIONS: Final = {
    "none": (),
    "cursor": ("--cursor-field", "paging.next.after"),
    "offset": ("--offset-param", "start", "--page-size-param", "limit", "--page-size", "50"),
    "page": ("--page-param", "page", "--first-page", "0"),
    "link_header": ("--page-size-param", "per_page", "--page-size", "100"),
    "next_url": ("--next-url-field", '["@odata.nextLink"]'),
    "keyset": ("--keyset-param", "starting_after"),
}
CLIENTS: Final = [
    ("refresh_token", "basic"),
    ("refresh_token", "id_only"),
    ("refresh_token", "none"),
    ("client_credentials", "body"),
    ("client_credentials", "private_key_jwt"),
    ("client_credentials", "bearer_jwt"),
    ("jwt_bearer", "none"),
    ("jwt_bearer", "basic"),
]
PAGE: Final = {
    "data": [
        {"id": 17, "name": "Ada", "createdAt": "2026-01-01T00:00:00Z", "owner_id": 4, "secret": "canary-6b1f"},
        {"id": 18, "name": None, "createdAt": "2026-01-02T00:00:00Z", "owner_id": None, "secret": "canary-6b1f"},
    ],
    "paging": {"next": {"after": "18"}},
}
CONTACT: Final[dict[str, Any]] = {
    "x-key": "id",
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "name": {"type": ["string", "null"]},
        "email": {"type": ["string", "null"]},
        "created_at": {"type": ["string", "null"]},
        "owner_id": {"type": ["string", "null"]},
        "secret": {"type": "number"},
    },
    "required": ["id"],
    "additionalProperties": False,
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(here: Path, capfd: pytest.CaptureFixture[str]) -> Command:
    """Runs `connproof` in this process, in the empty folder; stdout, then stderr."""
    assert not [*here.iterdir()]

    def ran(*arguments: str) -> Done:
        with pytest.raises(SystemExit) as left:
            main(arguments)
        stdout, stderr = capfd.readouterr()
        assert isinstance(left.value.code, int)
        return Done(left.value.code, stdout + stderr)

    return ran


def save(path: str, document: Any) -> str:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return path


def write(*words: str) -> None:
    """What the command does with these words, without the command."""
    _, name, *options = words
    given = {flag[2:].replace("-", "_"): text for flag, text in zip(options[::2], options[1::2], strict=True)}
    answered = scaffold.from_options({"connector": name, **given})
    assert isinstance(answered, Answered), answered
    scaffold.write(scaffold.scaffold_of(answered))


def config(name: str = "shop") -> Any:
    return json.loads(Path(f"connectors/{name}/connector.json").read_bytes())


def there(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))


# What is written.


@pytest.mark.parametrize(("auth", "pagination"), [*itertools.product(AUTHS, PAGINATIONS)])
@pytest.mark.usefixtures("here")
def test_every_auth_with_every_pagination_is_valid_at_once(auth: str, pagination: str) -> None:
    """`connproof check` finds nothing; the example account has whatever signs a request."""
    write(*NAMED, "--auth", auth, *AUTHS[auth], *LISTED, "--pagination", pagination, *PAGINATIONS[pagination])

    assert [] == faults_of(Path("connectors/shop/connector.json"), allow_loopback=False)
    assert (auth, pagination) == (config()["auth"]["type"], config()["pagination"]["type"])
    loaded, account = load(Path("connectors/shop")), account_in(Path("connectors/shop/accounts/example.json"))
    body = next(loaded.operations()).body
    assert sign(Draft("POST", "https://api.shop.example/v1/deals", body=body), loaded.auth, account)


@pytest.mark.parametrize(("grant", "client"), CLIENTS)
@pytest.mark.usefixtures("here")
def test_every_grant_is_valid_at_once(grant: str, client: str) -> None:
    """With what signs an assertion, where there is one."""
    jwt = ("--jwt-algorithm", "RS256") if "jwt" in f"{grant} {client}" else ()
    token = ("--token-url", "https://id.shop.example/token", "--grant", grant, "--client-auth", client, *jwt)

    write(*NAMED, "--auth", "oauth2", *token, *LISTED, "--pagination", "none")

    assert [] == faults_of(Path("connectors/shop/connector.json"), allow_loopback=False)
    assert bool(jwt) == ("jwt" in config()["auth"]["token"])


def test_the_table_of_combinations_is_the_language_s() -> None:
    """A type that the language gets is one that `new` has to know."""
    assert (SCHEMES.keys(), STRATEGIES.keys()) == (AUTHS.keys(), PAGINATIONS.keys())


@pytest.mark.parametrize(
    ("question", "definition", "word"),
    [
        ("auth", "auth", "type"),
        ("pagination", "pagination", "type"),
        ("client_auth", "token_endpoint", "client_auth"),
        ("jwt_algorithm", "assertion", "algorithm"),
        ("key_in", "auth_api_key", "in"),
    ],
)
def test_choices_are_the_words_of_the_language(question: str, definition: str, word: str) -> None:
    """All of them, and no other."""
    (asked,) = [one for one in QUESTIONS if one.name == question]
    words = shipped("connproof", "connector").document["$defs"][definition]["properties"][word]["enum"]

    assert sorted(words) == sorted(asked.choices)


def test_a_connector_is_written_as_those_of_this_project_are(command: Command, here: Path) -> None:
    """A config, an example account, a page for people, a place for recordings."""
    done = command(*WHOLE, "--get-path", "/deals/{id}", "--get-response-path", "data")

    assert 0 == done.code, done.text
    inside = ["README.md", "accounts", "accounts/example.json", "connector.json", "recordings"]
    assert ["connectors", "connectors/shop", *(f"connectors/shop/{name}" for name in inside)] == there(here)
    assert {
        "connector": "shop",
        "base_url": "https://api.shop.example/v1",
        "auth": {"type": "bearer"},
        "pagination": {"type": "none"},
        "resources": {
            "deals": {
                "list": {"method": "GET", "path": "/deals", "response_path": "data", "key": "id"},
                "get": {"method": "GET", "path": "/deals/{id}", "response_path": "data", "key": "id"},
            }
        },
    } == config()
    account = json.loads(Path("connectors/shop/accounts/example.json").read_bytes())
    assert {"name": "example", "credentials": {"access_token": "example-access-token"}} == account


def test_what_differs_between_accounts_is_a_variable(command: Command) -> None:
    """The example account has a value for it, and the pattern lets nothing through that leads elsewhere."""
    done = command("new", "shop", "--base-url", "https://{tenant}.shop.example/v1/", *WHOLE[4:])

    assert 0 == done.code, done.text
    assert "https://{tenant}.shop.example/v1" == config()["base_url"]
    assert {"tenant": {"pattern": "[A-Za-z0-9_-]+"}} == config()["variables"]
    assert {"tenant": "example"} == json.loads(Path("connectors/shop/accounts/example.json").read_bytes())["variables"]


def test_nothing_that_nobody_said_is_claimed(command: Command) -> None:
    """No rotation, no limit, no error rule, no version: the page for people has them as what is to fill."""
    done = command(
        *NAMED, "--auth", "oauth2", *AUTHS["oauth2"], *LISTED, "--pagination", "cursor", *PAGINATIONS["cursor"]
    )
    page = Path("connectors/shop/README.md").read_text()

    assert 0 == done.code, done.text
    unknown = ("rotation", "rate_limit", "errors", "api_version", "provider_facts", "max_page_size", "owner", "docs")
    assert [] == [word for word in unknown if word in json.dumps(config())]
    assert [] == [word for word in unknown if f"`{word}`" not in page]


@pytest.mark.parametrize("auth", AUTHS)
@pytest.mark.usefixtures("here")
def test_the_page_names_words_and_checks_that_there_are(auth: str) -> None:
    """Whoever looks one up finds it."""
    write(*NAMED, "--auth", auth, *AUTHS[auth], *LISTED[:-2], "--pagination", "cursor", *PAGINATIONS["cursor"])
    page = Path("connectors/shop/README.md").read_text()
    words = {word for row in page.splitlines() if row.startswith("| ") for word in re.findall(r"`([a-z_]+)`", row)}

    assert set() == set(re.findall(r"\b[A-Z]{3}-\d{3}\b", page)) - {check.id for check in CHECKS}
    assert set() == words - set(re.findall(r"\w+", json.dumps(shipped("connproof", "connector").document))) - {"region"}
    assert {"key", "rate_limit"} <= words


@pytest.mark.parametrize(
    ("auth", "prefix"),
    [("bearer", "Bearer "), ("bearer", ""), ("bearer", " "), ("api_key", "Token "), ("api_key", " ")],
)
def test_a_prefix_is_written_where_it_is_not_the_default(command: Command, auth: str, prefix: str) -> None:
    """None at all is one too, which a terminal, where Enter takes the default, says by a space."""
    options = AUTHS["api_key"] if auth == "api_key" else ()

    command(*NAMED, "--auth", auth, *options, "--prefix", prefix, *LISTED, "--pagination", "none")

    default = "Bearer " if auth == "bearer" else ""
    meant = prefix if prefix.strip() else ""
    assert (None if meant == default else meant) == config()["auth"].get("prefix")


def test_a_login_s_parameters_may_have_hyphens(command: Command) -> None:
    """A credential's name has none: the account has it with an underscore."""
    login = (
        "--session-header",
        "X-Session",
        "--login-url",
        "https://api.shop.example/in",
        "--login-params",
        "user-name",
    )

    done = command(*NAMED, "--auth", "session", *login, *LISTED, "--pagination", "none")

    assert 0 == done.code, done.text
    assert {"user-name": "{user_name}"} == config()["auth"]["login"]["params"]
    account = json.loads(Path("connectors/shop/accounts/example.json").read_bytes())
    assert "example-user-name" == account["credentials"]["user_name"]


# The next three commands.


def test_the_next_three_commands_work_as_they_are_printed(command: Command) -> None:
    """The config is valid, the traffic is imported, and certify says what is missing."""
    done = command(*NAMED, "--auth", "bearer", *LISTED, "--pagination", "cursor", *PAGINATIONS["cursor"])
    lines = [line.split() for line in done.text.splitlines() if line.startswith("  connproof ")]
    save("shop.har", har([PAGE, {"data": [], "paging": {}}]))

    ended = [command(*words[1:]) for words in lines]

    assert ["check", "import", "certify"] == [words[1] for words in lines]
    assert [0, 0, 3] == [one.code for one in ended], "\n".join(one.text for one in ended)
    assert "connectors/shop/recordings/shop.json" in ended[1].text
    assert re.search(r"^shop +inconclusive ", ended[2].text, re.MULTILINE)


def har(pages: list[Any]) -> Any:
    """Made-up traffic in the form in which browsers save it."""
    urls = ["https://api.shop.example/v1/deals", "https://api.shop.example/v1/deals?after=18"]
    entries = [
        {
            "startedDateTime": "2026-11-20T08:00:00Z",
            "time": 1,
            "request": {
                "method": "GET",
                "url": url,
                "httpVersion": "HTTP/1.1",
                "headers": [{"name": "Authorization", "value": "Bearer made-up-token-5d1c"}],
                "queryString": [],
                "cookies": [],
                "headersSize": -1,
                "bodySize": 0,
            },
            "response": {
                "status": 200,
                "statusText": "OK",
                "httpVersion": "HTTP/1.1",
                "headers": [{"name": "Content-Type", "value": "application/json"}],
                "cookies": [],
                "content": {"size": 1, "mimeType": "application/json", "text": json.dumps(page)},
                "redirectURL": "",
                "headersSize": -1,
                "bodySize": -1,
            },
            "cache": {},
            "timings": {"send": 0, "wait": 1, "receive": 0},
        }
        for url, page in zip(urls, pages, strict=True)
    ]
    return {"log": {"version": "1.2", "creator": {"name": "made up", "version": "1"}, "entries": entries}}


def test_it_needs_nothing_of_what_certifying_needs() -> None:
    """Whoever begins may have installed no extra yet."""
    heavy = ("hypothesis", "pytest", "respx", "syrupy", "tree_sitter_language_pack", "yaml")
    code = f"import sys, pytest_connproof.new_command; print([name for name in {heavy} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)

    assert "[]\n" == done.stdout


def test_the_page_has_every_question() -> None:
    """docs/new.md, in the order in which they are asked, each with its choices and with what it is asked after."""
    page = (Path(__file__).parents[2] / "docs" / "new.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in row] for row in re.findall(r"^\| `([^`]+)` \| (.*) \| (.*)\|$", page, re.MULTILINE)
    ]
    expected = [
        [
            question.flag,
            question.asks
            + (f": {', '.join(f'`{choice}`' for choice in question.choices)}" if question.choices else ""),
            f"`{question.condition}`" if question.condition else "",
        ]
        for question in QUESTIONS
    ]

    assert expected == rows


# What a sample tells.

CURSOR: Final = ("--response-path data", "--key id", "--pagination cursor", "--cursor-field paging.next.after")
SAMPLES: Final = {
    "a cursor": (PAGE, CURSOR),
    "a URL": (
        {"value": [{"Id": "a"}, {"Id": "b"}], "@odata.nextLink": "https://api.shop.example/v1/deals?skip=2"},
        ("--response-path value", "--key Id", "--pagination next_url", """--next-url-field '["@odata.nextLink"]'"""),
    ),
    "a token": (
        {"result": {"items": [{"deal_id": 1, "name": "x"}, {"deal_id": 2, "name": "x"}]}, "nextPageToken": "t"},
        ("--response-path result.items", "--key deal_id", "--pagination cursor", "--cursor-field nextPageToken"),
    ),
    "names with dots, marks and control characters": (
        {
            "a.b": {"x\nrows": [{"id": 1}], "rows": [{"line\tid": 1, "user.id": 1}, {"line\tid": 2, "user.id": 2}]},
            "next\x1f": {"cursor": "17"},
            "next": "18",
        },
        (
            """--response-path '["a.b"].rows'""",
            """--key '["user.id"]'""",
            "--pagination cursor",
            "--cursor-field next",
        ),
    ),
    "a link beside the one before": (
        {"links": {"prev": "/deals?page=1", "next": "/deals?page=3"}, "deals": [{"id": "a", "next": "/x"}]},
        ("--response-path deals", "--key id", "--pagination next_url", "--next-url-field links.next"),
    ),
}


@pytest.mark.parametrize("case", SAMPLES)
def test_a_sample_proposes_what_it_shows(command: Command, case: str) -> None:
    """Options need not say it, and the command says what it took."""
    page, told = SAMPLES[case]

    done = command(
        *NAMED, "--auth", "none", "--resource", "deals", "--path", "/deals", "--sample", save("page.json", page)
    )

    assert 0 == done.code, done.text
    assert f"from page.json: {' '.join(told)}\n" in done.text
    assert 0 == command("check", "connectors/shop").code


def test_a_sample_that_tells_nothing_is_not_named(command: Command) -> None:
    """What was said was said by options."""
    page = {"data": [{"id": True}]}
    said = ("--response-path", "data", "--pagination", "none")

    done = command(*NAMED, "--auth", "none", *LISTED[:4], *said, "--sample", save("page.json", page))

    assert 0 == done.code, done.text
    assert "from page.json" not in done.text


def test_a_sample_may_begin_with_a_byte_order_mark(command: Command) -> None:
    """Some tools write one before whatever they save."""
    Path("page.json").write_text(json.dumps(PAGE), encoding="utf-8-sig")

    done = command(*NAMED, "--auth", "none", *LISTED[:4], "--sample", "page.json")

    assert 0 == done.code, done.text


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "page.json is not JSON: line 1, column 1: expected a value, found the end of the file (save the body"),
        (b"<data/>", "line 1, column 1: expected a value, found '<' (save the body of one answer there, as JSON"),
        (b'{"data":\n "canary', "line 2, column 2: a string that does not end"),
        (b'{"data": [{"a": "canary",\n "a": 2}]}', "line 2, column 2: 'a' stands here a second time (first on line 1)"),
        (b"[\xe9]", "line 1, column 2: byte 0xe9 is not UTF-8 (save the file as UTF-8)"),
        (b'"canary"', "page.json holds one value, and no answer with records in it"),
        (b'{"log": {"version": "1.2", "entries": [{"id": "canary"}]}}', "page.json is recorded traffic, a HAR file"),
    ],
    ids=["empty", "XML", "cut off", "a name twice", "Latin-1", "a text", "HAR"],
)
def test_a_sample_that_cannot_be_read_is_told(command: Command, data: bytes, said: str) -> None:
    """Where it is wrong, with no value of it; what the right one may say is not asked for."""
    Path("page.json").write_bytes(data)

    done = command(*NAMED, "--auth", "none", *LISTED[:4], "--sample", "page.json")

    assert 2 == done.code
    assert said in done.text
    assert "canary" not in done.text
    assert "is missing" not in done.text


def test_a_sample_that_may_not_be_read_is_told(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a wrong answer, so that a terminal asks again."""
    save("page.json", PAGE)

    def refused(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refused)

    done = command(*NAMED, "--auth", "none", *LISTED[:4], "--sample", "page.json")

    assert 2 == done.code
    assert "  --sample  page.json: Permission denied (save the body of one answer there" in done.text


def first_pages() -> Iterator[Any]:
    """The first page of each JSON listing of this repository's connectors, and what their configs say of it."""
    for file in sorted((Path(__file__).parents[2] / "connectors").glob("*/connector.json")):
        loaded = load(file)
        for recording in sorted(file.parent.glob("recordings/*.json")):
            for lane in json.loads(recording.read_bytes())["lanes"]:
                resource, _, name = lane["id"].partition(".")
                page = lane["exchanges"][0]["response"].get("json")
                if page is not None and name == "list":
                    operation = loaded.resources[resource].operations["list"]
                    yield pytest.param(page, operation, id=f"{file.parent.name} {lane['id']}")


@pytest.mark.parametrize(("page", "operation"), [*first_pages()])
def test_what_a_sample_proposes_is_what_a_config_says(page: Any, operation: Operation) -> None:
    """Of providers that nobody thought of when it was written: the records, their key, and no other way on."""
    sample = Sample("page.json", page)
    path = sample.response_path()
    assert path is not None
    paging = operation.pagination or Pagination("none")
    later = paging.then.pagination if paging.then else paging
    places = (paging.cursor_field, paging.next_url_field, later.cursor_field)

    assert (operation.response_path.text if operation.response_path else "$") == path
    assert sample.key(path) in {operation.key and operation.key.text, "id"}
    assert (sample.cursor_field(path) or sample.next_url_field(path)) in {
        None,
        *(place.text for place in places if place),
    }


@pytest.mark.parametrize(
    ("page", "missing"),
    [
        ([{"id": 1}, {"id": 1}], ("--pagination",)),
        ({"data": []}, ("--response-path", "--pagination")),
        ({"data": [{"id": True}], "next": None, "cursor": ""}, ("--pagination",)),
    ],
    ids=["a list itself", "an empty page", "a last page"],
)
def test_what_a_sample_does_not_show_is_asked_for(command: Command, page: Any, missing: tuple[str, ...]) -> None:
    """Nothing is guessed: a value that stands twice is no key, and a page that leads nowhere says nothing of pages."""
    done = command(
        *NAMED, "--auth", "none", "--resource", "deals", "--path", "/deals", "--sample", save("page.json", page)
    )

    assert 2 == done.code
    assert missing == tuple(re.findall(r"^  (--[a-z-]+) +is missing", done.text, re.MULTILINE))


def test_fields_are_mapped_by_name_where_the_sample_fits_the_model(command: Command) -> None:
    """In the model's order; a number is told as an id, and what no value fits stays to be mapped."""
    save("connectors/unified/crm/contact.schema.json", CONTACT)

    done = command(
        *(*NAMED, "--auth", "none", "--resource", "people", "--path", "/people"),
        *("--sample", save("page.json", PAGE), "--model", "crm.contact"),
    )

    assert 0 == done.code, done.text
    assert "not mapped yet, of crm.contact: email, secret\n" in done.text
    fields = {"id": "$id(id)", "name": "name", "created_at": "createdAt", "owner_id": "$id(owner_id)"}
    assert {"crm.contact": {"resource": "people", "fields": fields}} == config()["unified"]
    assert [*fields] == [*config()["unified"]["crm.contact"]["fields"]]
    assert "`email`, `secret`" in Path("connectors/shop/README.md").read_text()
    assert 0 == command("check", "connectors/shop").code


def test_without_a_sample_the_id_alone_is_mapped(command: Command) -> None:
    """A key of any name."""
    save("connectors/unified/crm/contact.schema.json", CONTACT)

    done = command(*WHOLE[:-3], 'props["person-id"]', "--pagination", "none", "--model", "crm.contact")

    assert 0 == done.code, done.text
    assert {"id": "$id(props.`person-id`)"} == config()["unified"]["crm.contact"]["fields"]
    assert 0 == command("check", "connectors/shop").code


@pytest.mark.parametrize("name", ["a`id", "a.id", "and", 'a"id', "a\\\\id", "ïd"])
def test_a_key_of_any_name_is_an_expression(name: str) -> None:
    """One that finds what the path finds."""
    record: dict[str, Any] = {"in": {name: "17", "other": "18"}}
    path = as_path(("in", name))

    mapping = UnifiedMapping("crm.contact", "people", (FieldRule("id", as_expression(path), "", 0),), "")
    found = compile_mapping(mapping, schema=CONTACT, clock=SystemClock(), bindings={}).apply(record)

    assert {"id": "17"} == found
    assert "17" == Place.parse(path).find(record)


def test_nothing_of_a_sample_is_written_or_shown(command: Command, here: Path) -> None:
    """It may be a customer's."""
    save("connectors/unified/crm/contact.schema.json", CONTACT)
    sample = save("../page.json", PAGE)

    done = command(*NAMED, "--auth", "none", *LISTED[:4], "--sample", sample, "--model", "crm.contact")

    assert 0 == done.code, done.text
    assert "canary" not in done.text
    assert [] == [path for path in here.rglob("*") if path.is_file() and "canary" in path.read_text()]


# What is refused. Nothing is written then.


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"connector": "Shop"}, "say shop"),
        ({"connector": "../shop"}, "say shop"),
        ({"connector": "connectors/shop"}, "say shop"),
        ({"connector": "unified"}, "the folder of the unified models"),
        ({"connector": "..."}, "named in small letters"),
        ({"--base-url": "api.shop.example"}, "a URL begins with its scheme: https://api.shop.example"),
        ({"--base-url": "http://api.shop.example"}, "is not https (credentials are never sent in the clear)"),
        ({"--base-url": "https://10.0.0.1/v1"}, "name the provider's host"),
        ({"--base-url": "https://me:pw@api.shop.example"}, "a user name or password stands before the host"),
        ({"--base-url": "me:pw@api.shop.example"}, "begins with its scheme: https://api.shop.example"),
        ({"--base-url": "https://api.shop.example?v=1"}, 'stand under "query"'),
        ({"--base-url": "https://api.shop.example/{api_version}"}, "write the version itself"),
        ({"--base-url": "{host}/v1"}, "a URL begins with its scheme"),
        ({"--auth": "beare"}, 'did you mean "bearer"?'),
        ({"--pagination": "curser"}, 'did you mean "cursor"?'),
        ({"--path": "deals"}, "a path begins with a slash: /deals"),
        ({"--path": "https://api.shop.example/deals"}, "give what comes after that"),
        ({"--path": "/deals?limit=2"}, 'parameters stand under "query"'),
        ({"--path": "/a/../deals"}, "has a dot segment"),
        ({"--resource": "my deals"}, "a resource is named in letters"),
        ({"--response-path": "data..rows"}, "not a path: expected"),
        ({"--key": "rows[*].id"}, "[*] finds a list, and one value is meant here"),
        ({"--pagination": "page", "--page-param": "page", "--first-page": "one"}, '"one" is no whole number'),
        (
            {"--pagination": "offset", "--offset-param": "o", "--page-size-param": "n", "--page-size": "0"},
            "at least one",
        ),
        ({"--auth": "api_key", "--key-in": "header", "--key-name": "X Key"}, "'x key' is not a header name"),
        ({"--auth": "api_key", "--key-in": "header", "--key-name": "Host"}, '"host" is set by the transport alone'),
        ({"--auth": "basic", "--password": "hunter-pw-2"}, "--password  a credential stands in the account"),
        (
            {"--auth": "basic", "--username": "sk-pw-1", "--password": ""},
            "--username  a credential stands in the account",
        ),
        (
            {"--auth": "basic", "--username": "{user}", "--password": "{user.word}"},
            "--password  {user} is a text, so that {user.word} cannot stand inside it",
        ),
        (
            {"--auth": "basic", "--username": "{user.name}", "--password": "{user}"},
            "--password  {user} is a text, so that {user.name} cannot stand inside it",
        ),
        ({"--get-path": "deals/{id}", "--get-response-path": "$"}, "a path begins with a slash: /deals/{id}"),
        ({"--sample": "page.json"}, "no file at page.json (save the body of one answer there"),
        ({"--model": "crm.contcat"}, "there is no model 'crm.contcat' (there are no models in this folder)"),
        ({"--model": "crm.contcat"}, "written by hand, as connectors/unified/crm/contcat.schema.json"),
        ({"--pagination": "cursor", "--cursor-field": "next[0]"}, "--cursor-param  is missing"),
    ],
    ids=lambda value: " ".join(value.values()) if isinstance(value, dict) else "",
)
def test_a_wrong_answer_is_told_with_its_option(
    command: Command, here: Path, options: dict[str, str], said: str
) -> None:
    """What is wrong with it, and what to do; exit code 2."""
    right = dict(zip(WHOLE[2::2], WHOLE[3::2], strict=True))
    named, words = options.get("connector", "shop"), {**right, **options}
    words.pop("connector", None)

    done = command("new", named, *(text for pair in words.items() for text in pair))

    assert 2 == done.code
    assert said in done.text
    assert done.text.startswith("nothing was written\n")
    assert "pw" not in done.text
    assert [] == there(here)


def test_all_that_is_wrong_or_missing_is_told_at_once(command: Command) -> None:
    """In the order of the questions; what depends on a wrong answer is not judged."""
    done = command("new", "Shop", "--base-url", "shop.example", "--auth", "key", "--token-url", "x", "--path", "deals")

    assert 2 == done.code
    labels = re.findall(r"^  (\S+)  +", done.text, re.MULTILINE)
    assert ["CONNECTOR", "--base-url", "--auth", "--path"] == labels[:4]
    assert ["--resource", "--response-path", "--pagination", "fix"] == labels[4:]


@pytest.mark.parametrize(
    ("option", "belongs"),
    [("--offset-param", "--pagination offset"), ("--token-url", "--auth oauth2"), ("--page-size", "--page-size-param")],
)
def test_an_option_that_says_nothing_is_refused(command: Command, here: Path, option: str, belongs: str) -> None:
    """Rather than passed over: whoever gave it meant something."""
    done = command(*WHOLE, option, "5")

    assert 2 == done.code
    assert f"{option} says nothing here: it is for {belongs}\n" in done.text
    assert [] == there(here)


def test_an_unknown_option_is_told_with_the_nearest(command: Command) -> None:
    """As every command does."""
    done = command(*WHOLE, "--bas-url", "https://x.example")

    assert 2 == done.code
    assert "--base-url" in done.text


@pytest.mark.parametrize("inside", ["connector.json", "recordings/deals.json", "notes.txt"])
def test_what_is_there_is_named_and_left(command: Command, here: Path, inside: str) -> None:
    """Whatever it is."""
    save(f"connectors/shop/{inside}", "mine")

    done = command(*WHOLE)

    assert 2 == done.code
    assert f"connectors/shop is there already: {inside.partition('/')[0]}; choose another name" in done.text
    assert "mine" == Path(f"connectors/shop/{inside}").read_text()
    assert 1 == len([path for path in here.rglob("*") if path.is_file()])


def test_a_file_in_the_place_of_the_connectors_stays(command: Command, here: Path) -> None:
    """Whoever typed it is in the wrong folder."""
    save("connectors", "mine")

    done = command(*WHOLE)

    assert 2 == done.code
    assert "connectors is a file here\n  fix  go where the folder of connectors is, or is to be\n" == done.text
    assert ["connectors"] == there(here)


def test_an_empty_folder_is_filled(command: Command) -> None:
    """Somebody made it with mkdir, as the name of what is to come."""
    Path("connectors/shop").mkdir(parents=True)

    assert 0 == command(*WHOLE).code
    assert 0 == command("check", "connectors/shop").code


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["full", "Ctrl-C"])
def test_nothing_is_left_half_written(
    command: Command, here: Path, monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    """Not even the folder of connectors, where there was none."""
    written = Path.write_text

    def broken(path: Path, *arguments: Any, **options: Any) -> int:
        if path.name == "README.md":
            raise fault
        return written(path, *arguments, **options)

    monkeypatch.setattr(Path, "write_text", broken)

    done = command(*WHOLE)

    assert (130 if isinstance(fault, KeyboardInterrupt) else 2) == done.code
    assert [] == there(here)


def test_a_connector_that_came_in_between_stays(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two people with one name: the second is told."""
    check = scaffold._refuse_faults

    def slow(home: Path) -> None:
        check(home)
        save("connectors/shop/connector.json", "theirs")

    monkeypatch.setattr(scaffold, "_refuse_faults", slow)

    done = command(*WHOLE)

    assert 2 == done.code
    assert "connectors/shop is there already" in done.text
    assert ["connector.json"] == there(Path("connectors/shop"))
    assert ["shop"] == [path.name for path in Path("connectors").iterdir()]


# What is asked.


@pytest.fixture
def terminal(here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Command]:
    """Runs `connproof` at a terminal at which these lines are typed."""
    assert not [*here.iterdir()]
    master, slave = os.openpty()

    def ran(*arguments: str, typed: list[str]) -> Done:
        os.write(master, "".join(f"{line}\n" for line in typed).encode() + b"\x04")  # and no more
        with pytest.raises(SystemExit) as left:
            main(arguments)
        stdout, stderr = capfd.readouterr()
        assert isinstance(left.value.code, int)
        return Done(left.value.code, stderr + stdout)

    with os.fdopen(slave, encoding="utf-8") as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        yield ran
    os.close(master)


@pytest.mark.parametrize(("auth", "pagination"), [*zip(AUTHS, [*PAGINATIONS, "page"], strict=True)])
def test_questions_and_options_are_two_forms_of_one(
    command: Command, terminal: Command, here: Path, auth: str, pagination: str
) -> None:
    """The same answers, typed or given, write the same connector: options and questions are the same."""
    options = [*NAMED, "--auth", auth, *AUTHS[auth], *LISTED, "--pagination", pagination, *PAGINATIONS[pagination]]
    answers = {
        "connector": "shop",
        **{flag[2:].replace("-", "_"): text for flag, text in zip(*[iter(options[2:])] * 2, strict=True)},
    }
    answers |= {"get_path": "/deals/{id}", "get_response_path": "data"}
    asked: dict[str, str] = {}
    for question in QUESTIONS:
        if question.applies(asked):
            asked[question.name] = answers.get(question.name, "")
    assert answers.keys() <= asked.keys()

    given = command(*options, "--get-path", "/deals/{id}", "--get-response-path", "data")
    first = {path.name: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    (here / "connectors").rename(here / "given")
    typed = terminal("new", typed=[*asked.values()])

    assert (0, 0) == (given.code, typed.code), given.text + typed.text
    assert first == {path.name: path.read_bytes() for path in (here / "connectors").rglob("*") if path.is_file()}


def test_only_what_no_option_says_is_asked(terminal: Command) -> None:
    """In the order of the questions, each with its choices and with what Enter takes."""
    done = terminal(*WHOLE[:-2], typed=["", "", "link_header", "", "", "", ""])

    assert 0 == done.code, done.text
    assert done.text.startswith("Enter takes what stands in brackets. Ctrl-C ends it, and nothing is written.\n")
    assert "What stands before the credential, its space included; a space alone is nothing [Bearer ]:" in done.text
    assert "How one page leads to the next (cursor, offset, page, link_header, next_url, keyset, none):" in done.text
    assert "Base URL" not in done.text
    assert "link_header" == config()["pagination"]["type"]


def test_where_nothing_is_missing_nothing_is_asked(terminal: Command) -> None:
    """A command that was copied from a page runs as it stands."""
    done = terminal(*WHOLE, typed=[])

    assert 0 == done.code, done.text
    assert "Enter" not in done.text


def test_a_wrong_answer_is_told_and_asked_again(terminal: Command) -> None:
    """As often as it takes; so is a wrong option, as somebody is there to be asked."""
    save("connectors/taken/connector.json", "{}")

    done = terminal(
        *("new", "taken", *WHOLE[4:-2]),
        typed=["Shop", "shop", "api.shop.example", "https://api.shop.example", *[""] * 2, "curser", "none", "", ""],
    )

    assert 0 == done.code, done.text
    assert ["CONNECTOR", "CONNECTOR", "--base-url", "--pagination"] == re.findall(r"  (CONNECTOR|--\S+)  ", done.text)
    assert "connectors/taken is there already: connector.json; choose another name" in done.text
    assert 'did you mean "cursor"?' in done.text
    assert "https://api.shop.example" == config()["base_url"]


def test_a_sample_is_proposed_from_at_the_terminal(terminal: Command) -> None:
    """Enter takes it."""
    save("page.json", PAGE)
    asked = ["shop", "https://api.shop.example", "none", "deals", "/deals", "page.json", "", "", "", "", "", "", "", ""]

    done = terminal("new", typed=asked)

    assert 0 == done.code, done.text
    assert "Where the cursor of the next page stands in an answer [paging.next.after]:" in done.text
    assert {"type": "cursor", "cursor_field": "paging.next.after"} == config()["pagination"]


def test_ctrl_c_ends_it_with_nothing_written(here: Path) -> None:
    """In the middle of the questions, in a process of its own: exit code 130, as of every command."""
    master, slave = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "connproof", "new", "shop"],
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env=environment(),
    ) as child:
        os.write(master, b"https://api.shop.example\n")
        assert child.stdout is not None
        said = b""
        while b"on whose behalf" not in said:
            said += os.read(child.stdout.fileno(), 1024)
        child.send_signal(signal.SIGINT)
        rest = child.stdout.read()
    os.close(slave)
    os.close(master)

    assert 130 == child.returncode
    assert rest.endswith(b"\ninterrupted\n")
    assert b"Traceback" not in rest
    assert [] == there(here)
