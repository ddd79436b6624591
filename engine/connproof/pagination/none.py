"""One response is the whole listing."""

from __future__ import annotations

from connproof.draft import Draft
from connproof.model import Page, Pagination, Position
from connproof.places import ABSENT, Absent, JsonValue

WORDS = frozenset[str]()


def first(pagination: Pagination) -> JsonValue | Absent:  # noqa: ARG001 the strategies share one signature
    return ABSENT


def place(draft: Draft, pagination: Pagination, value: JsonValue) -> Draft:  # noqa: ARG001 as above
    return draft


def following(pagination: Pagination, position: Position, page: Page) -> JsonValue | Absent:  # noqa: ARG001 as above
    return ABSENT
