"""The page of bad input promises what tests hold, and no more."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| (S\d\d) \| .+ \| (?:load|build|answer|record)[^|]* \| (.+) \|$", PAGE, re.MULTILINE))
TESTED = {
    row
    for path in sorted((ROOT / "tests").rglob("test_*.py"))
    for name in re.findall(r"^(?:async )?def test_((?:S\d\d_)+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    for row in re.findall(r"S\d\d", name)
}
HELD = [row for row, state in ROWS.items() if state.startswith(("refused", "harmless"))]


def test_every_bad_input_has_one_row() -> None:
    """S01 to S49, in order."""
    assert [f"S{number:02}" for number in range(1, 50)] == list(ROWS)
    assert len(ROWS) == len(re.findall(r"^\| S\d\d ", PAGE, re.MULTILINE))


@pytest.mark.parametrize("row", ROWS)
def test_a_bad_input_is_refused_or_there_is_a_reason(row: str) -> None:
    """A row that is not done says why, or where else it is held."""
    assert re.match(r"refused(?:$|[;:, ])|harmless: .|partly: .|other tests: .|not there: .", ROWS[row]), ROWS[row]


@pytest.mark.parametrize("row", HELD)
def test_what_is_refused_is_tested_under_its_id(row: str) -> None:
    """A promise without a test is none."""
    assert row in TESTED, f"no test is named test_{row}_..."


@pytest.mark.parametrize("row", sorted(TESTED))
def test_what_is_tested_is_said_to_be_refused(row: str) -> None:
    """A row that has arrived is no longer called half."""
    assert row in HELD


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`(tests/[\w/]+\.py)`", PAGE))))
def test_a_file_of_tests_that_is_named_is_there(path: str) -> None:
    """It may have been given another name."""
    assert (ROOT / path).is_file()
