"""The page about rate limits is true: what it shows can be used as it stands."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from connproof.config import parse

PAGE = (Path(__file__).parents[1] / "docs" / "rate-limits.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_page_has_examples() -> None:
    """The test below has something to test."""
    assert 4 == len(BLOCKS)


@pytest.mark.parametrize("block", BLOCKS)
def test_an_example_loads(block: str) -> None:
    """In a connector."""
    said = json.loads(block)
    document = {
        "base_url": "https://api.example.com",
        "auth": {"type": "none"},
        "resources": {"rows": {"list": {"method": "GET", "path": "/rows"}}},
        **said,
    }

    assert parse(json.dumps(document).encode(), folder="example").rate_limit
