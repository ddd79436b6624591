"""The page of what the config language can say promises what tests hold, and no more."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
SERIES = {"P": 33, "A": 16, "R": 14, "E": 14, "V": 9}

_ROW = re.compile(r"^\| ([A-Z]\d+) \| ([ABC]) \| (.+) \| (works(?:; .+)?|not: .+) \| (.*) ?\|$", re.MULTILINE)
_LINK = re.compile(r"\[(test_[A-Z]\d+_)\]\((\S+)\)")


@dataclass(frozen=True, slots=True)
class Row:
    """One capability: its id, its level, whether it works, and the test that the page links to."""

    id: str
    level: str
    state: str
    test: str

    @property
    def works(self) -> bool:
        return self.state.startswith("works")


PAGE = (DOCS / "language.md").read_text(encoding="utf-8")
ROWS = [Row(id_, level, state, test.strip()) for id_, level, _, state, test in _ROW.findall(PAGE)]
TESTED = {
    id_
    for path in sorted(Path(__file__).parent.rglob("test_*.py"))
    for id_ in re.findall(r"^(?:async )?def test_([PAREV]\d+)_", path.read_text(encoding="utf-8"), re.MULTILINE)
}


def test_every_capability_has_one_row() -> None:
    """The five series, whole and in order; no row that this test cannot read."""
    expected = [f"{letter}{number}" for letter, count in SERIES.items() for number in range(1, count + 1)]

    assert expected == [row.id for row in ROWS]
    assert expected == re.findall(r"^\| ([A-Z]\d+) ", PAGE, re.MULTILINE)


@pytest.mark.parametrize("row", [row for row in ROWS if row.works], ids=lambda row: row.id)
def test_what_works_is_tested_where_the_page_says(row: Row) -> None:
    """A promise without a test is none: the linked file has tests that are named after the row."""
    link = _LINK.fullmatch(row.test)

    assert link is not None, row.test
    assert f"test_{row.id}_" == link[1]
    assert re.search(rf"^(?:async )?def {link[1]}\w", (DOCS / link[2]).read_text(encoding="utf-8"), re.MULTILINE)


def test_what_does_not_work_links_to_no_test() -> None:
    """A capability that has arrived is no longer called missing."""
    missing = [row for row in ROWS if not row.works]

    assert [] == [row.id for row in missing if row.test or row.id in TESTED]


def test_every_id_that_a_test_is_named_after_is_a_row() -> None:
    """A test of a capability that nobody knows is a misspelt one."""
    assert set() == TESTED - {row.id for row in ROWS}


def test_nearly_everything_works() -> None:
    """All of level A and nine tenths of level B."""
    second = [row for row in ROWS if row.level == "B"]

    assert [] == [row.id for row in ROWS if row.level == "A" and not row.works]
    assert len([row for row in second if row.works]) >= 0.9 * len(second)
