"""The page about the config language is true: its documents load, and it leaves no word out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connproof.config import parse
from connproof.schemas import shipped

PAGE = (Path(__file__).parents[1] / "docs" / "connector-config.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
DOCUMENTS = [block for block in BLOCKS if '"base_url"' in block]
FRAGMENTS = [block for block in BLOCKS if '"base_url"' not in block]
SCHEMA = shipped("connproof", "connector").document
STRATEGIES = SCHEMA["$defs"]["pagination"]["properties"]["type"]["enum"]
CODE = " ".join(re.findall(r"```.*?```|`[^`]+`", PAGE, re.DOTALL))


def words(schema: Any) -> Iterator[str]:
    """Every member name and every word that a member may have, anywhere in a schema."""
    if isinstance(schema, list):
        for inner in schema:
            yield from words(inner)
    elif isinstance(schema, dict):
        yield from schema.get("properties", ())
        yield from (word for word in schema.get("enum", ()) if isinstance(word, str))
        for inner in schema.values():
            yield from words(inner)


def test_the_page_has_documents_and_fragments() -> None:
    """The tests below have something to test: one fragment at least for every strategy that has words."""
    assert 2 <= len(DOCUMENTS)
    assert set(STRATEGIES) - {"none"} <= {json.loads(block).get("type") for block in FRAGMENTS}


@pytest.mark.parametrize("block", DOCUMENTS)
def test_a_document_on_the_page_loads(block: str) -> None:
    """A reader may copy it as it stands."""
    assert parse(block.encode(), folder="example").resources


@pytest.mark.parametrize("block", FRAGMENTS)
def test_a_fragment_on_the_page_loads(block: str) -> None:
    """In the place that its type names; without a type, as words of the document."""
    said = json.loads(block)
    place = "pagination" if said.get("type") in STRATEGIES else "auth"
    document = {
        "base_url": "https://api.example.com",
        "auth": {"type": "none"},
        "resources": {"rows": {"list": {"method": "POST", "path": "/rows"}}},
        **({place: said} if "type" in said else said),
    }

    assert parse(json.dumps(document).encode(), folder="example").resources


@pytest.mark.parametrize("word", sorted(set(words(SCHEMA))))
def test_every_word_of_the_schema_is_on_the_page(word: str) -> None:
    """In code, as a word of its own."""
    assert re.search(rf"(?<![\w$.-]){re.escape(word)}(?![\w-])", CODE), f"{word} stands nowhere in the page's code"
