"""The page of bad input promises what tests hold: each of its rows has one, named after it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| (S\d\d) \| .+ \| (?:load|build|answer|record)[^|]* \| (.+) \|$", PAGE, re.MULTILINE))
TESTED = Counter(
    row
    for path in sorted((ROOT / "tests").rglob("test_*.py"))
    for name in re.findall(r"^(?:async )?def test_((?:S\d\d_)+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    for row in re.findall(r"S\d\d", name)
)


def test_every_bad_input_has_one_row() -> None:
    """S01 to S49, in order."""
    assert [f"S{number:02}" for number in range(1, 50)] == list(ROWS)
    assert len(ROWS) == len(re.findall(r"^\| S\d\d ", PAGE, re.MULTILINE))


@pytest.mark.parametrize("row", ROWS)
def test_a_bad_input_is_refused_or_there_is_nothing_to_refuse(row: str) -> None:
    """What is only half done, or is held by nobody, has no other word."""
    assert re.match(r"refused(?:$|[;:, ])|harmless: .", ROWS[row]), ROWS[row]


@pytest.mark.parametrize("row", ROWS)
def test_every_bad_input_is_tested_under_its_id(row: str) -> None:
    """A promise without a test is none."""
    assert row in TESTED, f"no test is named test_{row}_..."


def test_what_is_tested_has_a_row(record_property: Callable[[str, object], None]) -> None:
    """No test names a row that there is not. How many hold each is printed at the end of the run."""
    assert set() == TESTED.keys() - ROWS.keys()
    shown = [f"{row} {TESTED[row]:3}" for row in ROWS]
    lines = ["   ".join(shown[start : start + 7]) for start in range(0, len(shown), 7)]
    record_property("summary", "\n".join([f"test functions for each of {len(ROWS)} rows", *lines]))
