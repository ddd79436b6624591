"""Requests count pages."""

from __future__ import annotations

from connproof.draft import Draft
from connproof.model import Page, Pagination, Position
from connproof.places import Absent, JsonValue

WORDS = frozenset({"page_param", "page_in", "first_page", "omit_first", "own_params", "empty_page"})


def first(pagination: Pagination) -> JsonValue | Absent:
    return pagination.first_page


def place(draft: Draft, pagination: Pagination, value: JsonValue) -> Draft:
    assert pagination.page_param is not None, "the schema requires it"
    return draft.placed(pagination.page_in, pagination.page_param, value)


def following(pagination: Pagination, position: Position, page: Page) -> JsonValue | Absent:  # noqa: ARG001 the strategies share one signature
    assert isinstance(position.value, int), "the first page is a number, and each step adds one"
    return position.value + 1
