"""The `connproof` command: output, messages, exit codes. In this process, but for what only a process can show."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from connproof.cli import main
from connproof.model import Response
from connproof.stores import DatabaseStore, Key
from loopback import Answer, Asked, Loopback
from scripted import answer, items, rows

Run = Callable[..., tuple[bytes, str]]
ENVIRONMENT = {**{k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}, "COLUMNS": "100", "NO_COLOR": "1"}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Run the command in an empty folder; stdout and stderr of a command that ends with this exit code."""
    monkeypatch.chdir(tmp_path)

    def one(*arguments: str, code: int = 0) -> tuple[bytes, str]:
        with pytest.raises(SystemExit) as left:
            main(arguments)
        stdout, stderr = capfdbinary.readouterr()
        assert code == left.value.code, stderr.decode()
        return stdout, stderr.decode()

    return one


def records(stdout: bytes) -> list[Any]:
    return [json.loads(line) for line in stdout.splitlines()]


def write(folder: Path, name: str, document: Any) -> Path:
    """A connector's connector.json in a folder of its name."""
    file = folder / name / "connector.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(document if isinstance(document, str) else json.dumps(document, indent=1))
    return file


def document(url: str = "https://api.example/v1", **words: Any) -> dict[str, Any]:
    return {
        "base_url": url,
        "auth": {"type": "none"},
        "pagination": {"type": "cursor", "cursor_field": "next"},
        "resources": {
            "rows": {
                "list": {"method": "GET", "path": "/rows", "response_path": "items"},
                "get": {"method": "GET", "path": "/rows/{row_id}"},
            }
        },
        **words,
    }


UNIFIED = {"crm.contact": {"resource": "rows", "fields": {"key": "$string(id)"}}}


def paged(asked: Asked) -> Answer:
    """Three pages and one record."""
    return {
        "/rows": items(1, 2, next="a"),
        "/rows?next=a": items(3, 4, next="b"),
        "/rows?next=b": items(5),
        "/rows/7": answer({"id": 7, "name": "Zoë"}),
    }.get(asked.target, Response(404))


# check


def test_check_says_ok(run: Run, tmp_path: Path) -> None:
    """A connector without a fault is named with ok."""
    file = write(tmp_path, "good", document())

    assert f"{file}: ok\n".encode() == run("check", str(file.parent))[0]


FIVE = """{
 "base_url": "http://api.example",
 "auth": {"type": "bearer", "tokenpath": "x"},
 "pagination": {"type": "cursor", "cursor_field": "a..b"},
 "resources": {
  "rows": {"list": {"method": "FETCH", "path": "rows"}}
 }
}"""


def test_check_shows_every_mistake_with_its_line(run: Run, tmp_path: Path) -> None:
    """Several mistakes are found at once; each has file, line, pointer, and what would be right where that is known."""
    write(tmp_path, "bad", FIVE)

    stdout, messages = run("check", "bad", code=2)

    assert b"" == stdout
    assert "bad/connector.json has 4 problems" in messages
    assert [
        ("2", "/base_url"),
        ("3", "/auth/tokenpath"),
        ("6", "/resources/rows/list/method"),
        ("6", "/resources/rows/list/path"),
    ] == re.findall(r"connector\.json:(\d+):\d+  (\S+)", messages)
    assert 'did you mean "token_path"?' in messages


MEANING = """{
 "base_url": "https://api.example/{tenant}",
 "auth": {"type": "none"},
 "headers": {"Host": "evil.example"},
 "pagination": {"type": "offset", "offset_param": "o", "step": "reported"},
 "resources": {
  "rows": {"list": {"method": "GET", "path": "/rows", "body": {}}}
 },
 "unified": {"crm.contact": {"resource": "row", "fields": {"id": "id"}}}
}"""


def test_check_shows_five_mistakes_of_meaning(run: Run, tmp_path: Path) -> None:
    """What one word says about another is judged at once too, in the document's order."""
    write(tmp_path, "bad", MEANING)

    _, messages = run("check", "bad", code=2)

    assert "has 5 problems" in messages
    assert [
        ("2", "/base_url"),
        ("4", "/headers/Host"),
        ("5", "/pagination/step"),
        ("7", "/resources/rows/list/body"),
        ("9", "/unified/crm.contact/resource"),
    ] == re.findall(r"connector\.json:(\d+):\d+  (\S+)", messages)


def test_check_compiles_every_expression(run: Run, tmp_path: Path) -> None:
    """Bad JSONata is found by check, each with its line, not by the first record."""
    fields = {"a": "id", "b": "name[", "c": "$nosuch(id)", "d": "$eval('1')"}
    file = write(tmp_path, "bad", document(unified={"crm.contact": {"resource": "rows", "fields": fields}}))
    lines = file.read_text().splitlines()

    _, messages = run("check", "bad", code=2)

    found = re.findall(r"connector\.json:(\d+).*?/unified/crm\.contact/fields/(\w)", messages)
    assert {"b", "d"} <= {field for _, field in found}
    assert [] == [field for line, field in found if f'"{field}": ' not in lines[int(line) - 1]]


def test_check_holds_mappings_against_their_models(run: Run, tmp_path: Path) -> None:
    """A field that the model does not have is a mistake of the config."""
    model = tmp_path / "unified" / "crm" / "contact.schema.json"
    model.parent.mkdir(parents=True)
    schema = {"type": "object", "properties": {"id": {"type": "string"}}, "x-key": "id", "additionalProperties": False}
    model.write_text(json.dumps(schema))
    write(tmp_path, "bad", document(unified={"crm.contact": {"resource": "rows", "fields": {"id": "id", "idd": "id"}}}))

    _, messages = run("check", "bad", code=2)

    assert "idd" in messages


def test_check_of_a_folder_of_connectors(run: Run, tmp_path: Path) -> None:
    """A folder of connectors is checked whole: the good ones are named, the bad ones explained."""
    write(tmp_path / "connectors", "bad", FIVE)
    write(tmp_path / "connectors", "good", document())
    write(tmp_path / "connectors", "worse", "{")

    stdout, messages = run("check", "connectors", code=2)

    assert b"connectors/good/connector.json: ok\n" == stdout
    assert "bad/connector.json has 4 problems" in messages
    assert "worse/connector.json has 1 problem\n" in messages


def test_check_goes_on_after_a_missing_folder(run: Run, tmp_path: Path) -> None:
    """A path without a connector is said, with those that are near, and the others are checked all the same."""
    write(tmp_path, "good", document())

    stdout, messages = run("check", "god", "good", code=2)

    assert b"good/connector.json: ok\n" == stdout
    assert "no connector at god" in messages and "good" in messages


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"base_url": "https://a", "base_url": "https://b"}', "stands here a second time"),
        (b"\xff\xfe{\x00", "UTF-16"),
        (b"{}", '"auth" is missing'),
        (b"[" * 100_000, "nested deeper"),
    ],
    ids=["duplicate", "utf-16", "empty", "brackets"],
)
def test_check_survives_any_bytes(run: Run, tmp_path: Path, data: bytes, said: str) -> None:
    """S24, S25: whatever stands in the file, the answer is a message."""
    write(tmp_path, "bad", "").write_bytes(data)

    assert said in run("check", "bad", code=2)[1]


# read


def test_read_streams_a_record_a_line(run: Run, tmp_path: Path) -> None:
    """Records go to stdout as NDJSON; how many there were, and why it ended, to stderr."""
    with Loopback(paged) as provider:
        write(tmp_path, "shop", document(provider.url))
        stdout, messages = run("read", "shop", "rows", "--allow-loopback")

    assert rows(1, 5) == records(stdout)
    assert "3 pages, 5 records; ended by: the page names no next one\n" == messages


def test_read_maps_and_raw_does_not(run: Run, tmp_path: Path) -> None:
    """A resource that one model is mapped from gives that model's records, unless --raw is asked for."""
    with Loopback(paged) as provider:
        write(tmp_path, "shop", document(provider.url, unified=UNIFIED))
        mapped, _ = run("read", "shop", "rows", "--allow-loopback", "--limit", "1")
        raw, _ = run("read", "shop", "crm.contact", "--allow-loopback", "--limit", "1", "--raw")

    assert ([{"key": "1"}], [{"id": 1}]) == (records(mapped), records(raw))


def test_read_ends_at_the_limit(run: Run, tmp_path: Path) -> None:
    """--limit ends the read, and no page beyond it is asked for."""
    with Loopback(paged) as provider:
        write(tmp_path, "shop", document(provider.url))
        stdout, _ = run("read", "shop", "rows", "--allow-loopback", "--limit", "3")

        assert ["/rows", "/rows?next=a"] == provider.targets
    assert rows(1, 3) == records(stdout)


def test_read_of_one_record(run: Run, tmp_path: Path) -> None:
    """An operation that gives one record gives one line, in UTF-8 whatever the locale is."""
    with Loopback(paged) as provider:
        write(tmp_path, "shop", document(provider.url))
        stdout, _ = run("read", "shop", "rows", "--operation", "get", "--param", "row_id=7", "--allow-loopback")

    assert '{"id":7,"name":"Zoë"}\n'.encode() == stdout


def test_read_resumes_after_a_throttle(run: Run, tmp_path: Path) -> None:
    """A 429 ends the read with code 1 and a token; with it the next read gives the rest."""
    busy = [Response(429, (("retry-after", "7"),))]

    def respond(asked: Asked) -> Answer:
        return busy.pop() if asked.target == "/rows?next=a" and busy else paged(asked)

    with Loopback(respond) as provider:
        write(tmp_path, "shop", document(provider.url))
        first, messages = run("read", "shop", "rows", "--allow-loopback", code=1)
        token = re.findall(r"--resume (\S+)", messages)[0]
        rest, _ = run("read", "shop", "rows", "--allow-loopback", "--resume", token)

        assert ["/rows", "/rows?next=a", "/rows?next=a", "/rows?next=b"] == provider.targets
    assert (rows(1, 2), rows(3, 5)) == (records(first), records(rest))
    assert "the provider is throttling: HTTP 429" in messages


def test_read_sends_query_parameters(run: Run, tmp_path: Path) -> None:
    """--query adds a parameter to the call, as often as it is given."""
    with Loopback(lambda _: items()) as provider:
        write(tmp_path, "shop", document(provider.url))
        run("read", "shop", "rows", "--allow-loopback", "--query", "q=a b", "--query", "q=c=d")

        assert ["/rows?q=a%20b&q=c%3Dd"] == provider.targets


def test_read_finds_a_connector_by_its_name(run: Run, tmp_path: Path) -> None:
    """A name alone means the folder of that name under connectors/."""
    with Loopback(paged) as provider:
        write(tmp_path / "connectors", "shop", document(provider.url))

        assert rows(1, 5) == records(run("read", "shop", "rows", "--allow-loopback")[0])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["shop", "rowz"], ['shop has no resource "rowz"', 'did you mean "rows"?']),
        (["shop", "rows", "--operation", "gett"], ['no operation "gett"', 'did you mean "get"?']),
        (["shop", "rows", "--operation", "get"], ['needs the parameter "row_id"']),
        (["shop", "rows", "--param", "row_id"], ["not NAME=VALUE"]),
        (["shop", "rows", "--page-size", "5"], ["rows.list has no page size"]),
        (["shop", "rows", "--resume", "garbage"], ["not a resume token"]),
        (["nowhere", "rows"], ["no connector at nowhere", "shop"]),
        (["shop", "rows", "--account", "none.json"], ["no account file at none.json"]),
        (["shop", "rows", "--limit", "-1"], ["--limit"]),
        (["shop"], ["Missing argument"]),
        (["shop", "rows", "--operation", "get", "--param", "row_id=1", "--param", "row_id=2"], ["the same name twice"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_call_ends_with_code_2(run: Run, tmp_path: Path, arguments: list[str], said: list[str]) -> None:
    """A mistake of the caller's is told before anything is sent, with what to do."""
    write(tmp_path, "shop", document())

    stdout, messages = run("read", *arguments, code=2)

    assert (b"", []) == (stdout, [text for text in said if text not in messages])


def test_plain_http_needs_the_flag(run: Run, tmp_path: Path) -> None:
    """Without --allow-loopback a connector over plain http is refused."""
    write(tmp_path, "shop", document("http://127.0.0.1:9"))

    assert "is not https" in run("read", "shop", "rows", code=2)[1]


def test_failed_mapping_ends_with_code_1(run: Run, tmp_path: Path) -> None:
    """Records before the failure are given; the message names record, field and expression."""
    unified = {"crm.contact": {"resource": "rows", "fields": {"key": "id = 3 ? $uppercase(id) : $string(id)"}}}
    with Loopback(paged) as provider:
        write(tmp_path, "shop", document(provider.url, unified=unified))
        stdout, messages = run("read", "shop", "rows", "--allow-loopback", code=1)

    assert [{"key": "1"}, {"key": "2"}] == records(stdout)
    assert "3 (page 2)" in messages and "$uppercase(id)" in messages


# The account file.


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"credentials": {"access_token": "s3cret" "x": 1}}', "expected"),
        ('{"credentials": {"access_token": s3cret}}', "expected a value"),
        ('{"credentials": "s3cret"}', "expected an object, found a string"),
        ('{"credential": {"access_token": "s3cret"}}', 'did you mean "credentials"?'),
        ('{"credentials": {"token": "s3cret"}}', 'no credential "access_token"'),
        ('{"credentials": {"access_token": "s3cret\\n"}}', "control character"),
        ('{"credentials": {"access_token": ["s3cret"]}}', 'no credential "access_token"'),
        ('{"credentials": {"access_token": "s3cret", "access_token": "s3cret"}}', "a second time"),
        ('["s3cret"]', "expected an object, found a list"),
        ('"s3cret"', "expected an object, found a string"),
        ('{"credentials": {"access_token": "s3cret✓"}}', "authorization"),
        ('{"variables": {"tenant": ["s3cret"]}}', "expected a string, found a list"),
        ('{"name": 5, "credentials": {"access_token": "s3cret"}}', "expected a string, found an integer"),
        ('{"credentials": {"access_token": "s3cret', ""),
    ],
)
def test_no_problem_of_an_account_shows_a_secret(run: Run, tmp_path: Path, text: str, said: str) -> None:
    """Whatever is wrong with an account file, its credentials do not appear in the message."""
    write(tmp_path, "shop", document(auth={"type": "bearer"}))
    (tmp_path / "account.json").write_text(text)

    _, messages = run("read", "shop", "rows", "--account", "account.json", code=2)

    assert said in messages
    assert "s3cr" not in messages


def test_account_signs_the_requests(run: Run, tmp_path: Path) -> None:
    """The credentials of the account file are sent, and appear neither on stdout nor on stderr."""
    with Loopback(lambda _: Response(401, (), b"no: s3cret")) as provider:
        write(tmp_path, "shop", document(provider.url, auth={"type": "bearer"}))
        (tmp_path / "acme.json").write_text('{"credentials": {"access_token": "s3cret"}}')
        stdout, messages = run("read", "shop", "rows", "--account", "acme.json", "--allow-loopback", code=1)

        assert ["Bearer s3cret"] == [asked.header("authorization") for asked in provider.asked]
    assert (b"", False) == (stdout, "s3cret" in messages)
    assert "refused the credentials: HTTP 401" in messages


# raw


@pytest.mark.parametrize(("status", "code"), [(200, 0), (204, 0), (301, 1), (404, 1), (500, 1)])
def test_raw_gives_the_body_byte_for_byte(run: Run, tmp_path: Path, status: int, code: int) -> None:
    """The answer's bytes go to stdout, whatever they are; the code says whether it was a success."""
    body = b"" if status == 204 else b'\xef\xbb\xbf{"a": 1e999}\r\n\x00\xff'
    with Loopback(lambda _: Response(status, (("content-type", "text/x"),), body)) as provider:
        write(tmp_path, "shop", document(provider.url))
        stdout, messages = run("raw", "shop", "GET", "/any?x=%2f+", "--allow-loopback", code=code)

        assert ["/any?x=%2f+"] == provider.targets
    assert body == stdout
    assert f"HTTP {status}  text/x  {len(body)} bytes\n" == messages


def test_raw_sends_method_headers_and_body(run: Run, tmp_path: Path) -> None:
    """The request is the caller's, signed."""
    with Loopback(lambda _: Response(200)) as provider:
        write(tmp_path, "shop", document(provider.url, auth={"type": "bearer"}))
        (tmp_path / "a.json").write_text('{"credentials": {"access_token": "t"}}')
        (tmp_path / "body").write_bytes(b"\x00\xff")
        run(
            "raw", "shop", "post", "/any", "--account", "a.json", "--data", "body", "--header", "X-A: b: c",
            "--allow-loopback"
        )  # fmt: skip

        asked = provider.asked[0]
    assert ("POST", b"\x00\xff", "b: c", "Bearer t") == (
        asked.method,
        asked.body,
        asked.header("x-a"),
        asked.header("authorization"),
    )


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["/x", "--data", "missing"], 2, "missing"),
        (["/x", "--header", "Bearer s3cret"], 2, "not NAME: VALUE"),
        (["x"], 2, "not a path"),
        (["https://evil.example/"], 1, "leave the connector's origins"),
    ],
    ids=["data", "header", "path", "foreign"],
)
def test_raw_refuses(run: Run, tmp_path: Path, arguments: list[str], code: int, said: str) -> None:
    """What cannot be sent is told in words, without what may be a credential."""
    write(tmp_path, "shop", document())

    _, messages = run("raw", "shop", "GET", *arguments, code=code)

    assert said in messages
    assert "s3cret" not in messages


def test_no_answer_ends_with_code_1(run: Run, tmp_path: Path) -> None:
    """A provider that cannot be reached ends the read, with a token to go on."""
    with Loopback(paged) as provider:
        url = provider.url
    write(tmp_path, "shop", document(url))

    _, messages = run("read", "shop", "rows", "--allow-loopback", code=1)

    assert "the exchange broke off" in messages and "--resume" in messages


# Levels: the environment, the account, the store.

LEVELS: dict[str, Any] = {
    "base_url": "https://api.example/v1",
    "auth": {"type": "bearer"},
    "resources": {"rows": {"list": {"method": "GET", "path": "/rows", "response_path": "items"}}},
    "unified": {"crm.contact": {"resource": "rows", "fields": {"key": "id", "kind": '"base"'}}},
}


def layer(folder: Path, name: str, fields: Any, **beside: Any) -> Path:
    """An environment's or an account's document: `accounts/acme`."""
    file = folder / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"overrides": {"unified": {"crm.contact": {"fields": fields}}}, **beside}, indent=1))
    return file


@pytest.fixture
def levels(tmp_path: Path) -> Path:
    """A connector's folder with an environment and two accounts, under connectors/."""
    home = write(tmp_path / "connectors", "shop", LEVELS).parent
    layer(home, "environments/staging", {"kind": '"staging"', "env": "1"})
    layer(home, "accounts/acme", {"kind": '"acme"'}, credentials={"access_token": "acme-token"})
    layer(home, "accounts/plain", {}, credentials={"access_token": "plain-token"})
    return home


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--account", "plain"], {"key": 1, "kind": "base"}),
        (["--account", "acme"], {"key": 1, "kind": "acme"}),
        (["--account", "connectors/shop/accounts/acme.json"], {"key": 1, "kind": "acme"}),
        (["--account", "plain", "--environment", "staging"], {"key": 1, "kind": "staging", "env": 1}),
        (["--account", "acme", "--environment", "staging"], {"key": 1, "kind": "acme", "env": 1}),
    ],
)
def test_read_lays_the_levels_on(run: Run, levels: Path, options: list[str], expected: Any) -> None:
    """By the account's name or the path of its file, and by the environment's name."""
    with Loopback(lambda _: items(1)) as provider:
        write(levels.parent, "shop", {**LEVELS, "base_url": provider.url})
        stdout, _ = run("read", "shop", "rows", *options, "--allow-loopback")

    assert [expected] == records(stdout)
    assert f"Bearer {'acme' if 'acme' in options[1] else 'plain'}-token" == provider.asked[0].header("authorization")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--account", "nobody"], "no account file at connectors/shop/accounts/nobody.json"),
        (["--account", "acme", "--environment", "nowhere"], 'shop has no environment "nowhere"'),
        (["--account", "acme", "--environment", "../staging"], "cannot be the name"),
        (["--account", ".."], "cannot be the name"),
    ],
)
@pytest.mark.usefixtures("levels")
def test_read_refuses_levels_that_are_not_there(run: Run, options: list[str], said: str) -> None:
    """Before anything is sent."""
    assert said in run("read", "shop", "rows", *options, code=2)[1]


def test_read_takes_its_documents_from_a_database(run: Run, levels: Path) -> None:
    """All but the credentials, which are in the account's file."""
    with Loopback(lambda _: items(1)) as provider, closing(DatabaseStore("sqlite:///configs.db")) as store:
        store.create()
        store.put(Key("shop"), json.dumps({**LEVELS, "base_url": provider.url}).encode(), expected=None)
        own = b'{"overrides": {"unified": {"crm.contact": {"fields": {"kind": "\\"stored\\""}}}}}'
        store.put(Key("shop", "account", "plain"), own, expected=None)
        layer(levels, "accounts/plain", {}, credentials={"access_token": "plain-token"}, overrides={})
        options = ["--account", "plain", "--store", "sqlite:///configs.db", "--allow-loopback"]
        stdout, _ = run("read", "shop", "rows", *options)

    assert [{"key": 1, "kind": "stored"}] == records(stdout)
    assert "Bearer plain-token" == provider.asked[0].header("authorization")


@pytest.mark.usefixtures("levels")
def test_overrides_in_a_file_and_a_store_are_not_mixed(run: Run) -> None:
    """Those of the file would not be read; nobody would see why."""
    with closing(DatabaseStore("sqlite:///configs.db")) as store:
        store.create()
        store.put(Key("shop"), json.dumps(LEVELS).encode(), expected=None)

    _, messages = run("read", "shop", "rows", "--account", "acme", "--store", "sqlite:///configs.db", code=2)

    assert "connectors/shop/accounts/acme.json has overrides, and overrides are read from the store" in messages


def test_explain_shows_what_gave_each_field(run: Run, levels: Path) -> None:
    """For each record a table: value, expression, level, and the document with its line."""
    with Loopback(lambda _: items(7, 8)) as provider:
        write(levels.parent, "shop", {**LEVELS, "base_url": provider.url})
        layer(levels, "accounts/acme", {"kind": '"acme"', "gone": "nothing"}, credentials={"access_token": "t"})
        options = ["--account", "acme", "--environment", "staging", "--allow-loopback"]
        stdout, _ = run("read", "shop", "rows", *options, "--explain")

    first, second = stdout.decode().split("record ")[1:]
    assert [
        ["field", "value", "expression", "reads", "level", "where"],
        ["key", "7", "id", "id", "platform base", "connectors/shop/connector.json:19"],
        ["kind", '"acme"', '"acme"', "", "account:acme", "connectors/shop/accounts/acme.json:6"],
        ["env", "1", "1", "", "environment:staging", "connectors/shop/environments/staging.json:7"],
        ["gone", "(left out)", "nothing", "nothing", "account:acme", "connectors/shop/accounts/acme.json:7"],
    ] == columns(first)
    assert ["2", "key  8"] == [second.splitlines()[0], re.sub(" {2,}", "  ", second.splitlines()[2].strip())[:6]]


def columns(table: str) -> list[list[str]]:
    """A table's cells: each column begins where its head does."""
    _, head, *rows = table.splitlines()
    starts = [found.start() for found in re.finditer(r"(?<=  )\S", head)]
    ends = [*starts[1:], None]
    return [[row[start:end].strip() for start, end in zip(starts, ends, strict=True)] for row in (head, *rows)]


@pytest.mark.parametrize("options", [["rows", "--raw"], ["others"]])
def test_explain_needs_one_mapping(run: Run, levels: Path, options: list[str]) -> None:
    """There is nothing to explain in what nothing maps."""
    others = {"others": {"list": {"method": "GET", "path": "/others"}}}
    write(levels.parent, "shop", {**LEVELS, "resources": {**LEVELS["resources"], **others}})

    assert "no one mapping that could be explained" in run("read", "shop", *options, "--explain", code=2)[1]


def test_check_judges_environments_and_accounts(run: Run, levels: Path) -> None:
    """Every document with a fault is named, with its own lines; those without are not."""
    layer(levels, "environments/bad", {"key": "(("})
    (levels / "accounts" / "bad.json").write_text('{"overrides": {"auth": null,\n "base_url": "https://x"}}')

    stdout, messages = run("check", "connectors", code=2)

    assert b"" == stdout
    assert "connectors/shop/environments/bad.json has 1 problem\n" in messages
    assert "connectors/shop/environments/bad.json:6" in messages
    assert "connectors/shop/accounts/bad.json has 2 problems\n" in messages
    assert "connectors/shop/accounts/bad.json:2:2  /overrides/base_url  may not be overridden" in messages
    assert "staging" not in messages
    assert "acme" not in messages


def test_check_judges_accounts_over_environments(run: Run, levels: Path) -> None:
    """What is right by itself may be wrong over an environment: here nothing is left of the fields."""
    layer(levels, "environments/trimmed", {"kind": None})
    sole = {"unified": {"crm.contact": {"fields": {"key": None}}}}
    (levels / "accounts" / "sole.json").write_text(json.dumps({"overrides": sole}, indent=1))

    _, messages = run("check", "connectors/shop", code=2)

    assert ["connectors/shop/accounts/sole.json"] == re.findall(r"(\S+) has \d+ problem", messages)
    assert "/overrides/unified/crm.contact/fields  is empty" in messages


@pytest.mark.usefixtures("levels")
def test_check_is_silent_about_levels_that_are_right(run: Run) -> None:
    """One line for the connector."""
    assert b"connectors/shop/connector.json: ok\n" == run("check", "connectors/shop")[0]


# The process: the module as a command, the pipe, the keyboard, the disk.


def test_module_is_the_command(tmp_path: Path) -> None:
    """`python -m connproof` reads, and its process ends with the command's code."""
    with Loopback(paged) as provider:
        write(tmp_path, "shop", document(provider.url))
        command = [sys.executable, "-m", "connproof", "read", "shop", "rows", "--allow-loopback"]
        whole = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, timeout=60, check=False)
    down = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, timeout=60, check=False)

    assert (0, rows(1, 5), b"3 pages, 5 records") == (whole.returncode, records(whole.stdout), whole.stderr[:18])
    assert (1, b"", b"the exchange broke off") == (down.returncode, down.stdout, down.stderr[:22])


def endless(asked: Asked) -> Answer:
    number = int(asked.target.partition("next=")[2] or 0)
    return items(*range(number * 100, number * 100 + 100), next=number + 1)


def test_closed_pipe_ends_the_read_quietly(tmp_path: Path) -> None:
    """With `| head -1` the reader has what it wanted: no error, no traceback, and the read goes on no longer."""
    with Loopback(endless) as provider:
        write(tmp_path, "shop", document(provider.url))
        command = f'"{sys.executable}" -m connproof read shop rows --allow-loopback'
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {command} | head -1"],
            cwd=tmp_path, env=ENVIRONMENT, capture_output=True, timeout=60, check=False,
        )  # fmt: skip

    assert (0, b'{"id":0}\n', b"") == (done.returncode, done.stdout, done.stderr)


def test_records_are_there_before_the_next_page_is(tmp_path: Path) -> None:
    """NDJSON is a stream: the records of a page can be read while the provider is still busy with the next one."""
    with Loopback(lambda asked: items(1, 2, next="a") if asked.target == "/rows" else None) as provider:
        write(tmp_path, "shop", document(provider.url))
        command = [sys.executable, "-m", "connproof", "read", "shop", "rows", "--allow-loopback"]
        with subprocess.Popen(
            command, cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as child:
            assert child.stdout is not None
            assert [b'{"id":1}\n', b'{"id":2}\n'] == [child.stdout.readline() for _ in range(2)]
            child.kill()


def test_interrupt_ends_with_130_and_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C ends the read at once: code 130, no traceback, the records so far whole, and no file anywhere."""
    with Loopback(lambda asked: items(1, 2, next="a") if asked.target == "/rows" else None) as provider:
        write(tmp_path, "shop", document(provider.url))
        command = [sys.executable, "-m", "connproof", "read", "shop", "rows", "--allow-loopback"]
        with subprocess.Popen(
            command, cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as child:
            assert child.stdout is not None and child.stderr is not None
            first = [child.stdout.readline() for _ in range(2)]
            child.send_signal(signal.SIGINT)
            rest, messages = child.communicate(timeout=60)

    assert (130, [b'{"id":1}\n', b'{"id":2}\n'], b"") == (child.returncode, first, rest)
    assert "interrupted\n" == messages.decode()
    assert [Path("shop"), Path("shop/connector.json")] == sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*"))


def test_read_writes_no_file(run: Run, tmp_path: Path) -> None:
    """S40: a payload is on stdout and nowhere else."""
    with Loopback(paged) as provider:
        write(tmp_path, "shop", document(provider.url))
        before = sorted(tmp_path.rglob("*"))
        run("read", "shop", "rows", "--allow-loopback")

    assert before == sorted(tmp_path.rglob("*"))


def test_unreadable_file_is_told_in_words(run: Run, tmp_path: Path) -> None:
    """What the disk refuses is a message with the file's name."""
    write(tmp_path, "shop", document())
    (tmp_path / "loop.json").symlink_to("loop.json")

    assert "loop.json" in run("read", "shop", "rows", "--account", "loop.json", code=2)[1]


def test_help_lists_the_commands(run: Run) -> None:
    """Without arguments the command says what it can do."""
    _, messages = run(code=2)
    stdout, _ = run("--help")

    assert [] == [name for name in ("check", "read", "raw", "certify") if name not in messages + stdout.decode()]


# Writing, filters, throttles.


def contacts(url: str) -> dict[str, Any]:
    """A connector whose contacts can be filtered and written."""
    operations = {
        "list": {"method": "GET", "path": "/contacts", "response_path": "items"},
        "create": {"method": "POST", "path": "/contacts", "key": "id", "idempotency": {"name": "Idempotency-Key"}},
        "delete": {"method": "DELETE", "path": "/contacts/{id}"},
        "batch": {
            "method": "POST",
            "path": "/batch",
            "batch": {"at": "inputs", "max": 10},
            "elements": {"at": "results", "failed": {"ok": False}, "id": "id", "code": "why"},
        },
    }
    mapping = {
        "resource": "contacts",
        "fields": {"id": "$id(id)"},
        "query": {"state": "s"},
        "write": {"create": {"name": "name"}, "batch": {"name": "name"}},
    }
    return {
        "base_url": url,
        "auth": {"type": "none"},
        "resources": {"contacts": operations},
        "unified": {"crm.contact": mapping},
    }


def written(run: Run, tmp_path: Path, reply: Response, *arguments: str, code: int = 0) -> tuple[Any, str, Asked]:
    """What one write prints: its line, its messages, and the request it made."""
    with Loopback(lambda _: reply) as provider:
        write(tmp_path / "connectors", "crm", contacts(provider.url))
        stdout, stderr = run("write", "crm", *arguments, "--allow-loopback", code=code)
        return json.loads(stdout or b"null"), stderr, provider.asked[0]


def test_write_sends_a_record_from_a_file(run: Run, tmp_path: Path) -> None:
    """What came of it is one line of JSON, the idempotency key included."""
    (tmp_path / "ann.json").write_text('{"name": "Ann"}')

    done, _, asked = written(
        run, tmp_path, answer({"id": 7}, status=201), "crm.contact", "create", "--record", "ann.json", "--key", "k-1"
    )

    assert {"status": 201, "id": "7", "record": {"id": 7}, "idempotency_key": "k-1"} == done
    assert (b'{"name":"Ann"}', "k-1") == (asked.body, asked.header("idempotency-key"))


def test_write_without_a_record_deletes(run: Run, tmp_path: Path) -> None:
    """An operation that sends none needs no file."""
    done, _, asked = written(run, tmp_path, Response(204), "contacts", "delete", "--param", "id=7")

    assert ({"status": 204}, "DELETE", "/contacts/7") == (done, asked.method, asked.target)


def test_write_of_a_batch_exits_1_where_an_element_failed(run: Run, tmp_path: Path) -> None:
    """The fate of each is told."""
    (tmp_path / "two.json").write_text('[{"name": "Ann"}, {"name": "Bo"}]')
    reply = answer({"results": [{"ok": True, "id": "1"}, {"ok": False, "why": "DUP"}]})

    done, _, asked = written(run, tmp_path, reply, "crm.contact", "batch", "--record", "two.json", code=1)

    assert [{"index": 0, "ok": True, "id": "1"}, {"index": 1, "ok": False, "code": "DUP"}] == done["elements"]
    assert b'{"inputs":[{"name":"Ann"},{"name":"Bo"}]}' == asked.body


def test_a_refused_write_shows_what_the_provider_says(run: Run, tmp_path: Path) -> None:
    """Who types the command is the caller: the provider's words are for them."""
    (tmp_path / "ann.json").write_text('{"name": "Ann"}')
    with Loopback(lambda _: answer({"message": "name is\ntaken"}, status=409)) as provider:
        write(tmp_path / "connectors", "crm", {**contacts(provider.url), "error_message": "message"})
        _, stderr = run("write", "crm", "contacts", "create", "--record", "ann.json", "--allow-loopback", code=1)

    assert "crm.contacts.create" in stderr
    assert r"it says      name is\ntaken" in stderr


def test_read_filters_by_the_models_own_words(run: Run, tmp_path: Path) -> None:
    """The config turns them into the provider's parameters."""
    with Loopback(lambda _: items(1)) as provider:
        write(tmp_path / "connectors", "crm", contacts(provider.url))
        run("read", "crm", "crm.contact", "--filter", "state=open", "--allow-loopback")

        assert ["/contacts?s=open"] == provider.targets


def test_read_shows_the_providers_record_beside(run: Run, tmp_path: Path) -> None:
    """With --remote-data, whole."""
    with Loopback(lambda _: answer({"items": [{"id": 1, "own": None}]})) as provider:
        write(tmp_path / "connectors", "crm", contacts(provider.url))
        stdout, _ = run("read", "crm", "crm.contact", "--remote-data", "--allow-loopback")

    assert [{"id": "1", "remote_data": {"id": 1, "own": None}}] == records(stdout)


def test_read_waits_for_a_throttle_only_when_told(run: Run, tmp_path: Path) -> None:
    """Without --wait it ends at once, and says how to go on."""
    replies = [Response(429, (("retry-after", "0"),)), items(1), Response(429, (("retry-after", "0"),))]
    with Loopback(lambda _: replies.pop(0)) as provider:
        write(tmp_path / "connectors", "crm", contacts(provider.url))
        stdout, _ = run("read", "crm", "contacts", "--wait", "5", "--allow-loopback")
        _, stderr = run("read", "crm", "contacts", "--allow-loopback", code=1)

    assert [{"id": "1"}] == records(stdout)
    assert "--resume " in stderr


def test_read_says_where_the_next_run_goes_on(run: Run, tmp_path: Path) -> None:
    """The bookmark that the config names is printed as the option that takes it."""
    replies = [answer({"items": [{"id": 1}], "sync": "s-1"}), answer({"items": [{"id": 2}], "sync": "s-2"})]
    with Loopback(lambda _: replies.pop(0)) as provider:
        said = document(provider.url)
        said["pagination"] = {"type": "cursor", "cursor_field": "next", "bookmark": {"field": "sync"}}
        write(tmp_path / "connectors", "things", said)
        resource = next(iter(said["resources"]))
        _, stderr = run("read", "things", resource, "--allow-loopback")
        bookmark = stderr.partition("--resume ")[2].split()[0]
        stdout, _ = run("read", "things", resource, "--resume", bookmark, "--allow-loopback")

        assert [{"id": 2}] == records(stdout)
        assert provider.targets[1].endswith("next=s-1")


def test_a_limit_that_cuts_the_last_page_leaves_no_bookmark(run: Run, tmp_path: Path) -> None:
    """It would pass over what was not given."""
    with Loopback(lambda _: answer({"items": [{"id": 1}, {"id": 2}], "sync": "s-1"})) as provider:
        said = document(provider.url)
        said["pagination"] = {"type": "cursor", "cursor_field": "next", "bookmark": {"field": "sync"}}
        write(tmp_path / "connectors", "things", said)
        stdout, stderr = run("read", "things", next(iter(said["resources"])), "--limit", "1", "--allow-loopback")

    assert [{"id": 1}] == records(stdout)
    assert "--resume" not in stderr
