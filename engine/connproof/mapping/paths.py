"""The fast path: an expression that only walks member names, as a Python closure.

It means what jsonata-python means or it does not answer: wherever the two could differ the closure
raises `Deoptimised`, and the whole record goes to jsonata-python. Which expressions these are is read
off the text, so that a mapping of nothing else never loads the library. A fuller compiled path belongs
behind `closure`; nothing above it would change.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from connproof.mapping.values import NotJson, owned
from connproof.places import ABSENT, Absent, JsonValue

__all__ = ["Closure", "Deoptimised", "closure", "member_names"]

Closure: TypeAlias = "Callable[[dict[str, JsonValue]], JsonValue | Absent]"

_PLAIN: Final = frozenset({str, int, bool, type(None)})

_NAME: Final = r"(?:[A-Za-z_][A-Za-z0-9_]*|`[^`]+`)"
_NAMES: Final = re.compile(rf"{_NAME}(?:\.{_NAME})*")
_OTHER_WORDS: Final = frozenset({"and", "or", "in", "true", "false", "null", "function"})
_MOST_CHARACTERS: Final = 150  # far below where the length or the number of steps could be refused


class Deoptimised(Exception):
    """A guard fired: this record is not for the fast path. `guard` says which, to be counted."""

    def __init__(self, guard: str) -> None:
        super().__init__(guard)
        self.guard = guard


def member_names(text: str) -> tuple[str, ...] | None:
    """The names of `a`, `a.b.c` or `` a.`b c` ``; None for any other text, which may mean the same or not."""
    if len(text) > _MOST_CHARACTERS or not _NAMES.fullmatch(text):
        return None
    names = re.findall(_NAME, text)
    return None if _OTHER_WORDS.intersection(names) else tuple(name.strip("`") for name in names)


def closure(names: tuple[str, ...]) -> Closure:
    """Read what these names lead to.

    The closure takes a record that is an object and gives a value that shares nothing with it, or
    ABSENT. It raises Deoptimised.
    """
    if len(names) == 1:
        return _member(names[0])
    if len(names) == 2:
        return _member_of_member(*names)
    return _chain(names)


def _member(name: str) -> Closure:
    def read(record: dict[str, JsonValue]) -> JsonValue | Absent:
        value = record.get(name, ABSENT)
        return value if value.__class__ in _PLAIN else _leaf(value)

    return read


def _member_of_member(first: str, second: str) -> Closure:
    def read(record: dict[str, JsonValue]) -> JsonValue | Absent:
        here: Any = record.get(first)
        if here.__class__ is not dict:
            return _nothing_below(here)
        value = here.get(second, ABSENT)
        return value if value.__class__ in _PLAIN else _leaf(value)

    return read


def _chain(names: tuple[str, ...]) -> Closure:
    *above, last = names

    def read(record: dict[str, JsonValue]) -> JsonValue | Absent:
        here: Any = record
        for name in above:
            here = here.get(name)
            if here.__class__ is not dict:
                return _nothing_below(here)
        value = here.get(last, ABSENT)
        return value if value.__class__ in _PLAIN else _leaf(value)

    return read


def _nothing_below(here: JsonValue) -> Absent:
    """Below null, and below what is not there, stands nothing. Anything else is jsonata-python's."""
    if here is None:
        return ABSENT
    raise Deoptimised("a list on the way" if isinstance(here, list) else "a scalar on the way")


def _leaf(value: JsonValue | Absent) -> JsonValue | Absent:
    """A leaf that is no plain scalar. The last step hands lists and objects through as they are."""
    if value is ABSENT:
        return ABSENT
    if value.__class__ is float:
        if math.isfinite(value):
            return value
        raise Deoptimised("a number that is not finite")
    if value.__class__ is list or value.__class__ is dict:
        try:
            return owned(value)
        except (NotJson, RecursionError) as error:
            raise Deoptimised("a leaf that is no JSON") from error
    raise Deoptimised("a leaf that is no JSON")
