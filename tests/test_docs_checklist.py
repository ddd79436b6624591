"""The page of pagination capabilities promises what tests hold, and no more."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "pagination-checklist.md").read_text(encoding="utf-8")
ROWS = {int(number): state for number, state in re.findall(r"^\| P(\d+) \| .+ \| (.+) \|$", PAGE, re.MULTILINE)}
TESTED = {
    int(number)
    for path in sorted((ROOT / "tests").rglob("test_*.py"))
    for number in re.findall(r"^(?:async )?def test_P(\d+)_", path.read_text(encoding="utf-8"), re.MULTILINE)
}


def test_every_capability_has_one_row() -> None:
    """P1 to P33, in order."""
    assert list(range(1, 34)) == [int(number) for number in re.findall(r"^\| P(\d+) ", PAGE, re.MULTILINE)]
    assert list(range(1, 34)) == list(ROWS)


@pytest.mark.parametrize("number", ROWS)
def test_a_capability_works_or_comes_later_for_a_reason(number: int) -> None:
    """There is no third state."""
    assert re.match(r"works(?:$|; .)|comes later: .", ROWS[number]), ROWS[number]


@pytest.mark.parametrize("number", [number for number, state in ROWS.items() if state.startswith("works")])
def test_what_works_is_tested_under_its_id(number: int) -> None:
    """A promise without a test is none."""
    assert number in TESTED, f"no test is named test_P{number}_..."


@pytest.mark.parametrize("number", sorted(TESTED))
def test_what_is_tested_is_said_to_work(number: int) -> None:
    """A capability that has arrived is no longer called later."""
    assert ROWS[number].startswith("works")
