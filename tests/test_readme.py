"""What the README shows of this repository's connectors is what they are today."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Final

import pytest

from pytest_connproof.checks import CHECKS, targets
from pytest_connproof.subject import Settings, Subject

ROOT: Final = Path(__file__).parents[1]
README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
ROWS: Final = re.findall(r"^([a-z-]+) +certified +([0-9]+)/([0-9]+) +", README, re.MULTILINE)

# What is printed beside a line of a document, and what stands on that line.
LINES: Final = [
    ("connectors/hubspot/connector.json", r"cursor +read from .*connector\.json:([0-9]+)", '"paging.next.after"'),
    ("connectors/salesforce/connector.json", r"id .* connectors/salesforce/connector\.json:([0-9]+)", '"id": "Id"'),
    ("connectors/salesforce/accounts/acme.json", r"custom_fields .*/acme\.json:([0-9]+)", "Custom_Revenue_Tier__c"),
]

pytestmark = pytest.mark.skipif(not (ROOT / "connectors").is_dir(), reason="the connectors are not beside the tests")


def test_every_connector_stands_in_the_table() -> None:
    """And no other."""
    assert sorted(file.parent.name for file in ROOT.glob("connectors/*/connector.json")) == [row[0] for row in ROWS]


@pytest.mark.parametrize(("name", "passed", "checks"), ROWS, ids=[row[0] for row in ROWS])
def test_the_table_counts_the_checks_of_today(name: str, passed: str, checks: str) -> None:
    """All that apply to the connector, of which each passed."""
    subject = Subject(ROOT / "connectors" / name / "connector.json", Settings(as_of=date(2026, 11, 23)))

    assert passed == checks == str(sum(1 for check in CHECKS for _ in targets(check, subject)))


@pytest.mark.parametrize(("document", "printed", "holds"), LINES, ids=[line[0] for line in LINES])
def test_a_line_that_is_shown_is_that_line(document: str, printed: str, holds: str) -> None:
    """Where the README sends somebody, there is what it talks of."""
    found = re.search(printed, README)

    assert found is not None
    assert holds in (ROOT / document).read_text(encoding="utf-8").splitlines()[int(found[1]) - 1]
