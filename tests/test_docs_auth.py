"""The page about auth is true: its examples load, and what it says works is tested under its id."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from connproof.auth import SCHEMES
from connproof.config import parse

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "auth.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
ROWS = {int(number): state for number, state in re.findall(r"^\| A(\d+) \| .+ \| (.+) \|$", PAGE, re.MULTILINE)}
TESTED = {
    int(number)
    for path in sorted((ROOT / "tests").rglob("test_*.py"))
    for number in re.findall(r"^(?:async )?def test_A(\d+)_", path.read_text(encoding="utf-8"), re.MULTILINE)
}
VARIABLES = {"tenant": {"pattern": "[a-z0-9]+"}, "account_id": {"pattern": "[0-9]+(-sb[0-9])?"}}


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_loads(example: str) -> None:
    """In a connector that declares the variables it uses, and whose only operation has a SOAP body."""
    used: dict[str, Any] = {name: said for name, said in VARIABLES.items() if f"{{{name}}}" in example}
    document = {
        "base_url": "https://api.example.com",
        "variables": used,
        "auth": json.loads(example),
        "resources": {"rows": {"list": {"method": "POST", "path": "/rows", "encode": "xml", "body": "{ws_security}"}}},
    }

    assert json.loads(example)["type"] == parse(json.dumps(document).encode(), folder="example").auth.type


def test_every_type_has_an_example() -> None:
    """Whatever a config can name, but for `none`, which has nothing to show."""
    assert SCHEMES.keys() - {"none"} == {json.loads(example)["type"] for example in EXAMPLES}


def test_every_capability_has_one_row() -> None:
    """A1 to A16, in order, each of which works or comes later for a reason."""
    assert list(range(1, 17)) == list(ROWS)
    assert [] == [state for state in ROWS.values() if not re.match(r"works(?:$|; .)|comes later: .", state)]


@pytest.mark.parametrize("number", [number for number, state in ROWS.items() if state.startswith("works")])
def test_what_works_is_tested_under_its_id(number: int) -> None:
    """A promise without a test is none."""
    assert number in TESTED, f"no test is named test_A{number}_..."
