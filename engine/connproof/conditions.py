"""Whether a response is like a condition says, and what it names where."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from connproof.model import Condition, Response, Trait, Words
from connproof.places import ABSENT, Absent, JsonValue, Place

__all__ = ["all_hold", "holds", "named"]

_MOST_TEXT = 64 * 1024  # of a body is searched by `text`: an answer that means something says so early


def holds(condition: Condition, response: Response, document: JsonValue | Absent) -> bool:
    """Whether every part of the condition holds. `document` is the decoded body, ABSENT where there is none."""
    return (
        (not condition.statuses or any(_is_status(response.status, said) for said in condition.statuses))
        and all(_is(trait, _header(response, name)) for name, trait in condition.headers)
        and all_hold(condition.body, document)
        and (condition.text is None or _finds(condition.text, _text(response)))
    )


def all_hold(traits: Iterable[tuple[Place, Trait]], document: JsonValue | Absent) -> bool:
    """Whether every place of a document is what its trait says."""
    return all(_holds_at(place, trait, document) for place, trait in traits)


def named(words: Words, response: Response | None, document: JsonValue | Absent) -> str:
    """The first text or number that these words lead to; "" where none does."""
    for place in words.places:
        if isinstance(place, str):
            found: JsonValue | Absent = ABSENT if response is None else _header(response, place)
        else:
            found = ABSENT if isinstance(document, Absent) else place.find(document)
        if isinstance(found, list):
            found = found[0] if found else ABSENT
        if isinstance(found, int | float) and not isinstance(found, bool):
            return str(found)
        if isinstance(found, str) and found.strip():
            return found.strip()
    return ""


def _holds_at(place: Place, trait: Trait, document: JsonValue | Absent) -> bool:
    found = ABSENT if isinstance(document, Absent) else place.find(document)
    if place.is_many and isinstance(found, list):
        return any(_is(trait, element) for element in found) if found else _is(trait, ABSENT)
    return _is(trait, found)


def _is(trait: Trait, seen: JsonValue | Absent) -> bool:
    if trait.present is not None and trait.present is (seen is ABSENT):
        return False
    if trait.blank is not None and trait.blank is not _is_blank(seen):
        return False
    if trait.equals and not any(_same(one, seen) for one in trait.equals):
        return False
    return trait.matches is None or (isinstance(seen, str | int | float) and _finds(trait.matches, _shown(seen)))


def _is_blank(seen: JsonValue | Absent) -> bool:
    return seen is ABSENT or seen is None or (isinstance(seen, str | list | dict) and not seen)


def _same(one: JsonValue, seen: JsonValue | Absent) -> bool:
    """Equal, and of one class: true is not 1, and 1 is not "1". A whole float is the integer it writes."""
    if isinstance(one, bool) or isinstance(seen, bool):
        return one is seen
    return one == seen and isinstance(one, str) is isinstance(seen, str)


def _shown(seen: str | float) -> str:
    return seen if isinstance(seen, str) else str(seen).lower() if isinstance(seen, bool) else str(seen)


def _is_status(status: int, said: int | str) -> bool:
    return status == said if isinstance(said, int) else f"{status // 100}xx" == said


def _header(response: Response, name: str) -> JsonValue | Absent:
    value = response.header(name)
    return ABSENT if value is None else value


def _text(response: Response) -> str:
    return response.body[:_MOST_TEXT].decode("utf-8", "replace")


def _finds(pattern: str, text: str) -> bool:
    return _compiled(pattern).search(text) is not None


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    import re2  # most connectors have no pattern

    return re2.compile(pattern)
