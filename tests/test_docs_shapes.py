"""The pages about decoding and mapping are true: what they say that a body or a value becomes, it becomes."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connproof.clock import FixedClock
from connproof.config import parse
from connproof.decode import decode, decode_as_sent
from connproof.mapping import compile_mapping
from connproof.mapping.jsonata import Expression
from connproof.model import FieldRule, Response, UnifiedMapping

DOCS = Path(__file__).parents[1] / "docs"
DECODING = (DOCS / "decoding.md").read_text(encoding="utf-8")
MAPPING = (DOCS / "mapping.md").read_text(encoding="utf-8")


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without its first two lines and without code marks."""
    section = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip("|"))] for line in lines]


def code(cell: str) -> str:
    """The code in a cell."""
    found = re.search(r"`([^`]+)`", cell)
    assert found is not None, cell
    return found[1]


def loaded(words: dict[str, Any]) -> Any:
    document = {
        "base_url": "https://api.example",
        "auth": {"type": "none"},
        "resources": {"rows": {"list": {"method": "GET", "path": "/rows"}}},
        **words,
    }
    return parse(json.dumps(document).encode(), folder="sample")


def mapped(expression: str, record: Any) -> Any:
    mapping = UnifiedMapping("crm.contact", "rows", (FieldRule("x", expression, "/x", 1),), "/")
    clock = FixedClock(datetime(2026, 1, 1, tzinfo=UTC))
    return compile_mapping(mapping, schema=None, clock=clock, bindings={}).apply(record).get("x")


def test_the_example_of_xml_becomes_what_the_page_says() -> None:
    """The three blocks belong together."""
    (body,) = re.findall(r"```xml\n(.*?)```", DECODING, re.DOTALL)
    words, expected = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", DECODING, re.DOTALL))

    response = Response(200, (("content-type", "text/xml"),), body.encode())

    assert expected == decode(response, declared=loaded({"decode": words}).decode)


@pytest.mark.parametrize("row", rows(DECODING, "Answers that may be errors")[:3], ids=lambda row: row[0])
def test_an_error_is_what_the_page_says(row: list[str]) -> None:
    """Body and content type in one cell, what is seen in the other."""
    body, content_type = re.findall(r"`([^`]+)`", row[0])
    expected = {"the object": body, "the text": json.dumps(body)}.get(row[1]) or code(row[1])

    answer = decode_as_sent(Response(400, (("content-type", content_type),), body.encode()))

    assert json.loads(expected) == answer.value


@pytest.mark.parametrize("row", rows(MAPPING, "Times and days"), ids=lambda row: row[1])
def test_a_time_becomes_what_the_page_says(row: list[str]) -> None:
    """A row without a form goes on with the one above it; digits alone are a number."""
    table = rows(MAPPING, "Times and days")
    form = next(other[0] for other in table[table.index(row) :: -1] if other[0])
    text = code(row[1])

    given = mapped(f"$instant(a, {code(form)})", {"a": int(text) if text.isdigit() else text})

    assert code(row[2]) == given


@pytest.mark.parametrize("row", rows(MAPPING, "Custom fields"), ids=lambda row: row[0])
def test_a_place_of_custom_fields_is_one(row: list[str]) -> None:
    """A reader may copy it as it stands."""
    words = {"resource": "rows", "fields": {"id": "id"}, "custom_fields": {"from": json.loads(code(row[1]))}}

    assert loaded({"unified": {"crm.contact": words}}).unified["crm.contact"].custom_fields.sources


@pytest.mark.parametrize("row", rows(MAPPING, "Shapes that vary"), ids=lambda row: row[0])
def test_an_expression_on_the_page_is_one(row: list[str]) -> None:
    """What it gives is tested under the name of its capability."""
    assert Expression(code(row[1]))
