"""Every row of the fault table of token refreshes is tested, by a test that is named after it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
NAMED = re.compile(r"^def test_(F[0-9]{2})_", re.MULTILINE)


def named_rows() -> set[str]:
    """The ids that stand in the names of tests."""
    texts = (path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py"))
    return {row for text in texts for row in NAMED.findall(text)}


@pytest.mark.parametrize("row", [f"F{number:02}" for number in range(1, 53)])
def test_the_row_has_a_test_named_after_it(row: str) -> None:
    """As `pytest -k test_F01_` finds it."""
    assert row in named_rows()
