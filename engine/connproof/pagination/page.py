"""Requests count pages: the next page is the last one plus one, as counted here or as the response reports it."""

from __future__ import annotations

from connproof.draft import Draft
from connproof.errors import ProviderBroke
from connproof.model import Page, Pagination, Position
from connproof.places import ABSENT, Absent, JsonValue, Place

WORDS = frozenset(
    {"page_param", "page_in", "first_page", "page_field", "omit_first", "then", "own_params", "empty_page"}
)


def first(pagination: Pagination) -> JsonValue | Absent:
    return pagination.first_page


def place(draft: Draft, pagination: Pagination, value: JsonValue) -> Draft:
    assert pagination.page_param is not None, "the schema requires it"
    return draft.placed(pagination.page_in, pagination.page_param, value)


def following(pagination: Pagination, position: Position, page: Page) -> JsonValue | Absent:
    assert isinstance(position.value, int), "the first page is a number, and each step adds one"
    if pagination.page_field is not None:
        return _reported(pagination.page_field, page) + 1
    return position.value + 1


def _reported(field: Place, page: Page) -> int:
    seen = ABSENT if isinstance(page.document, Absent) else field.find(page.document)
    if isinstance(seen, str) and seen.isascii() and seen.isdigit() and len(seen) <= 15:
        seen = int(seen)
    if not isinstance(seen, int) or isinstance(seen, bool):
        raise ProviderBroke(
            "the response does not report its page number",
            facts={"page_field": field.text, "seen": "nothing" if isinstance(seen, Absent) else type(seen).__name__},
            fix='correct "page_field", or leave it out: pages are then counted from first_page on',
        )
    return seen
