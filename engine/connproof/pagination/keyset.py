"""The next request names a key of a record on this page."""

from __future__ import annotations

from connproof.draft import Draft
from connproof.errors import ProviderBroke
from connproof.model import Page, Pagination, Position
from connproof.places import ABSENT, Absent, JsonValue

WORDS = frozenset({"key_field", "key_from", "key_param", "key_in", "own_params", "empty_page"})


def first(pagination: Pagination) -> JsonValue | Absent:  # noqa: ARG001 the strategies share one signature
    return ABSENT


def place(draft: Draft, pagination: Pagination, value: JsonValue) -> Draft:
    assert pagination.key_param is not None, "the schema requires it"
    return draft.placed(pagination.key_in, pagination.key_param, value)


def following(pagination: Pagination, position: Position, page: Page) -> JsonValue | Absent:  # noqa: ARG001 as above
    assert pagination.key_field is not None, "the schema requires it"
    if not page.records:
        return ABSENT
    key = pagination.key_field.find(page.records[-1 if pagination.key_from == "last" else 0])
    if isinstance(key, Absent) or key is None or key == "":
        raise ProviderBroke(
            f"the {pagination.key_from} record of the page has no key to go on with",
            facts={"key_field": pagination.key_field.text},
            fix='point "key_field" at a member that every record has',
        )
    return key
