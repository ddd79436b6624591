"""A page in a log, in a traceback, or wherever asyncio prints what a task gave: how much it is, and none of it."""

from __future__ import annotations

from connproof.model import Page, Position, Request, Response
from connproof.places import JsonValue
from connproof.run import MappedPage

PERSON: JsonValue = {"email": "jane@corp.example"}
PAGE = Page(Request("GET", "https://api.example/rows"), Response(200), [PERSON, PERSON], (PERSON, PERSON))


def test_a_page_prints_without_its_records() -> None:
    """Records are personal data, and printing a hundred of them costs more than reading them."""
    assert "Page(2 records)" == repr(PAGE)


def test_a_mapped_page_prints_without_its_records() -> None:
    """What is mapped is no less personal, and the page that it came from stands in it."""
    assert "MappedPage(1 records)" == repr(MappedPage(PAGE, Position(), (PERSON,)))
