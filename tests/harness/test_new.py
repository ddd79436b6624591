"""connproof new, as a new user types it: what is written, what comes next, what is refused."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from beginnings import AUTHS, LISTED, NAMED, PAGE, PAGINATIONS, WHOLE, Command, config, save, there

from connproof.auth import SCHEMES, sign
from connproof.config import load
from connproof.draft import Draft
from connproof.named import faults_of
from connproof.pagination import STRATEGIES
from connproof.schemas import shipped
from connproof.stores import account_in
from pytest_connproof import scaffold
from pytest_connproof.checks import CHECKS
from pytest_connproof.scaffold import QUESTIONS, Answered

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


def write(*words: str) -> None:
    """What the command does with these words, without the command."""
    _, name, *options = words
    given = {flag[2:].replace("-", "_"): text for flag, text in zip(options[::2], options[1::2], strict=True)}
    answered = scaffold.from_options({"connector": name, **given})
    assert isinstance(answered, Answered), answered
    scaffold.write(scaffold.scaffold_of(answered))


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
    code = f"import sys, pytest_connproof.commands; print([name for name in {heavy} if name in sys.modules])"

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


# What is refused. Nothing is written then.


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"connector": "Shop"}, "say shop"),
        ({"connector": "../shop"}, "say shop"),
        ({"connector": "connectors/shop"}, "say shop"),
        ({"connector": "unified"}, "the folder of the unified models"),
        ({"connector": "..."}, "named in small letters"),
        ({"connector": "a" * 65}, f"64 at most, and is written to connectors/NAME: say {'a' * 64}\n"),
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


def test_a_folder_without_permission_is_told_first(
    command: Command, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any question, of which none could help."""
    monkeypatch.setattr(os, "access", lambda *_: False)

    done = command("new")

    assert 2 == done.code
    assert f"nothing can be written in {here}\n  fix  go where the folder of connectors is" in done.text


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
