"""The pages on checks and the table of checks say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_connproof.checks import CHECKS, FAMILIES, Check

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize("family", FAMILIES)
def test_page_of_a_family_lists_its_checks_and_no_other(family: str) -> None:
    """Each family's page has a row for each of its checks, in order, with the sentence of the table in code."""
    page = (DOCS / "checks" / f"{family}.md").read_text(encoding="utf-8")

    rows = re.findall(r"^\| ([A-Z]{3}-[0-9]{3}) \| (.+?) \|", page, re.MULTILINE)

    assert [(check.id, check.certifies) for check in CHECKS if check.family == family] == rows


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_check_is_explained(check: Check) -> None:
    """Each check has a paragraph of its own that begins with its id."""
    page = (DOCS / "checks" / f"{check.family}.md").read_text(encoding="utf-8")

    assert f"\n**{check.id}**" in page


def test_every_link_between_pages_leads_somewhere() -> None:
    """A relative link in README, ARCHITECTURE, CONTRIBUTING or docs names a file that is there."""
    root = DOCS.parent
    pages = [*root.glob("*.md"), *DOCS.rglob("*.md")]

    broken = [
        f"{page.name}: {target}"
        for page in pages
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]

    assert [] == broken
