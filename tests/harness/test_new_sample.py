"""connproof new --sample, as a new user types it: what one answer of a provider proposes, and what is no answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from beginnings import CONTACT, LISTED, NAMED, PAGE, WHOLE, Command, config, save

from connproof.clock import SystemClock
from connproof.config import load
from connproof.mapping import compile_mapping
from connproof.model import FieldRule, Operation, Pagination, UnifiedMapping
from connproof.places import Place
from pytest_connproof.scaffold.sample import Sample, as_expression, as_path

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
