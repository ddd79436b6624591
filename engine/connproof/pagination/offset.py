"""Requests count records: the next offset is the last one plus a step."""

from __future__ import annotations

from connproof.draft import Draft
from connproof.errors import PageSizeLowered, ProviderBroke
from connproof.model import Page, Pagination, Position
from connproof.places import Absent, JsonValue

WORDS = frozenset(
    {
        "offset_param",
        "offset_in",
        "first_offset",
        "omit_first",
        "then",
        "step",
        "step_field",
        "own_params",
        "empty_page",
    }
)


def first(pagination: Pagination) -> JsonValue | Absent:
    return pagination.first_offset


def place(draft: Draft, pagination: Pagination, value: JsonValue) -> Draft:
    assert pagination.offset_param is not None, "the schema requires it"
    return draft.placed(pagination.offset_in, pagination.offset_param, value)


def following(pagination: Pagination, position: Position, page: Page) -> JsonValue | Absent:
    assert isinstance(position.value, int), "the first offset is a number, and each step adds one"
    step = _step(pagination, page)
    if step <= 0:
        raise ProviderBroke(
            "the read goes on, but the offset cannot move",
            facts={"offset": str(position.value), "step": f"{step} ({pagination.step})"},
            fix='check "stop_field" and "empty_page", or step by "limit"',
        )
    return position.value + step


def _step(pagination: Pagination, page: Page) -> int:
    if pagination.step == "reported":
        return _reported(pagination, page)
    if pagination.step == "returned" or page.size is None:
        return len(page.records)
    if len(page.records) > page.size:
        raise ProviderBroke(
            "a page is longer than the step: the next offset would give records again",
            facts={"asked for": str(page.size), "returned": str(len(page.records))},
            fix='step by "returned", or ask for the page size that the provider gives',
        )
    if len(page.records) < page.size and pagination.short_page != "continue":
        raise PageSizeLowered(
            "a page is shorter than the step: the next offset would skip records",
            facts={"asked for": str(page.size), "returned": str(len(page.records))},
            fix='step by "returned"; or say what a short page means: "short_page": "stop" for the end, "continue" for '
            "gaps that the provider leaves on purpose",
        )
    return page.size


def _reported(pagination: Pagination, page: Page) -> int:
    assert pagination.step_field is not None, "config holds step and step_field together"
    seen = None if isinstance(page.document, Absent) else pagination.step_field.find(page.document)
    if not isinstance(seen, int) or isinstance(seen, bool):
        raise ProviderBroke(
            "the response does not report its page size",
            facts={"step_field": pagination.step_field.text, "seen": type(seen).__name__},
            fix='correct "step_field", or step by "returned"',
        )
    return seen
