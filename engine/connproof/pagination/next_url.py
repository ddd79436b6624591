"""The response body names the next URL, which is followed as it is.

Absolute, path-only and query-only forms are resolved against the request's own URL; no byte of it is
encoded again.
"""

from __future__ import annotations

from connproof.draft import Draft
from connproof.errors import ProviderBroke
from connproof.links import resolve
from connproof.model import Page, Pagination, Position
from connproof.pagination.leads import lead
from connproof.places import ABSENT, Absent, JsonValue

WORDS = frozenset({"next_url_field", "own_params", "empty_page"})


def first(pagination: Pagination) -> JsonValue | Absent:  # noqa: ARG001 the strategies share one signature
    return ABSENT


def place(draft: Draft, pagination: Pagination, value: JsonValue) -> Draft:
    return draft.following(str(value), keep_own=pagination.own_params == "keep")


def following(pagination: Pagination, position: Position, page: Page) -> JsonValue | Absent:  # noqa: ARG001 as above
    assert pagination.next_url_field is not None, "the schema requires it"
    seen = ABSENT if isinstance(page.document, Absent) else lead(pagination.next_url_field, page.document)
    if isinstance(seen, Absent) or seen is None or seen == "":
        return ABSENT
    if not isinstance(seen, str):
        raise ProviderBroke(
            "the next URL is not a text",
            facts={"next_url_field": pagination.next_url_field.text, "seen": type(seen).__name__},
            fix='point "next_url_field" at the URL itself',
        )
    return resolve(seen, page.request.url)
