"""The response names a cursor; the next request sends it back.

Absent, null and "" all mean that there is none. 0, "0" and false are cursors: presence decides, not truth.
"""

from __future__ import annotations

from connproof.draft import Draft
from connproof.model import Page, Pagination, Position
from connproof.pagination.leads import lead
from connproof.places import ABSENT, Absent, JsonValue

WORDS = frozenset(
    {
        "cursor_field",
        "cursor_header",
        "cursor_param",
        "cursor_in",
        "first_cursor",
        "seed",
        "continue_with",
        "own_params",
        "empty_page",
    }
)


def first(pagination: Pagination) -> JsonValue | Absent:
    return pagination.first_cursor


def place(draft: Draft, pagination: Pagination, value: JsonValue) -> Draft:
    assert pagination.cursor_param is not None, "config gives every cursor its parameter"
    return draft.placed(pagination.cursor_in, pagination.cursor_param, value)


def following(pagination: Pagination, position: Position, page: Page) -> JsonValue | Absent:  # noqa: ARG001 the strategies share one signature
    if pagination.cursor_header is not None:
        seen: JsonValue | Absent = page.response.header(pagination.cursor_header)
    elif pagination.cursor_field is None or isinstance(page.document, Absent):
        return ABSENT
    else:
        seen = lead(pagination.cursor_field, page.document)
    return ABSENT if seen is None or seen == "" else seen
