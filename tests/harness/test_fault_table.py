"""Every row of the fault table of token refreshes is tested, by a test that is named after it, and a run says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from fault_rows import ROWS, rows_of, told

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize("row", ROWS)
def test_the_row_has_a_test_named_after_it(row: str) -> None:
    """As `pytest -k F01_` finds it."""
    assert row in {row for path in TESTS.rglob("test_*.py") for row in rows_of(path.read_text(encoding="utf-8"))}


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ({"passed": ["a.py::test_other"]}, ""),
        ({"passed": ["a.py::test_F01_one[x]", "a.py::test_F15_F16_two"]}, "3 of 52 rows were run; all hold"),
        ({"passed": ["a.py::test_F01_one"], "failed": ["a.py::test_F02_b"]}, "2 of 52 rows were run; broken: F02"),
        ({"passed": ["a.py::test_F03_one"], "error": ["a.py::test_F03_b"]}, "1 of 52 rows were run; broken: F03"),
        (
            {"passed": ["a.py::test_F03_one"], "skipped": ["a.py::test_F03_b[postgres]"]},
            "1 of 52 rows were run; all hold; some tests were skipped of F03",
        ),
    ],
    ids=["no row", "all passed", "one failed", "no fixture", "one skipped"],
)
def test_a_run_tells_which_rows_hold(outcomes: dict[str, list[str]], expected: str) -> None:
    """A row holds where every test of its was run and passed: one without its server, or its store, shows nothing."""
    assert expected == told(outcomes)
