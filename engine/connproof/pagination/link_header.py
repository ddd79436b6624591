"""A Link header (RFC 8288) names the next URL, which is followed as it is."""

from __future__ import annotations

from connproof.draft import Draft
from connproof.links import next_target
from connproof.model import Page, Pagination, Position
from connproof.places import ABSENT, Absent, JsonValue

WORDS = frozenset({"header", "rel", "own_params", "empty_page"})


def first(pagination: Pagination) -> JsonValue | Absent:  # noqa: ARG001 the strategies share one signature
    return ABSENT


def place(draft: Draft, pagination: Pagination, value: JsonValue) -> Draft:
    return draft.following(str(value), keep_own=pagination.own_params == "keep")


def following(pagination: Pagination, position: Position, page: Page) -> JsonValue | Absent:  # noqa: ARG001 as above
    header = page.response.header(pagination.header)
    if header is None:
        return ABSENT
    target = next_target(header, response_url=page.request.url, rel=pagination.rel)
    return ABSENT if target is None else target
