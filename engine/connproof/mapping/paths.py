"""The fast path: expressions that only walk member names, read without jsonata-python.

It means what jsonata-python means or it does not answer: wherever the two could differ `Deoptimised` is
raised, and the whole record goes to jsonata-python. Which expressions these are is read off the text,
so that a mapping of nothing else never loads the library.
"""

from __future__ import annotations

import math
import re
from typing import Final

from connproof.mapping.values import NotJson, owned
from connproof.places import ABSENT, Absent, JsonValue

__all__ = ["PLAIN", "Deoptimised", "Paths", "leaf", "member_names"]

PLAIN: Final = frozenset({str, int, bool, type(None)})  # the classes of what `leaf` gives as it is

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


class Paths:
    """The paths that a mapping reads. What several of them lead through is looked up once a record."""

    def __init__(self) -> None:
        self._objects: dict[tuple[str, ...], int] = {(): 0}
        self._steps: list[tuple[int, str]] = []

    def add(self, names: tuple[str, ...]) -> tuple[int, str]:
        """Where the member of this path is read: which of `objects`, and its name there."""
        return self._object(names[:-1]), names[-1]

    def _object(self, names: tuple[str, ...]) -> int:
        if names not in self._objects:
            self._steps.append(self.add(names))
            self._objects[names] = len(self._steps)
        return self._objects[names]

    def objects(self, record: JsonValue) -> list[dict[str, JsonValue]]:
        """The record, and each object in it that paths lead through; an empty one where there is none.

        Raises Deoptimised.
        """
        if not isinstance(record, dict):
            raise Deoptimised("a record that is no object")
        found = [record]
        for above, name in self._steps:
            here = found[above].get(name)
            found.append(here if isinstance(here, dict) else _nothing_below(here))
        return found


def _nothing_below(here: JsonValue) -> dict[str, JsonValue]:
    """Below null, and below what is not there, stands nothing. Anything else is jsonata-python's."""
    if here is None:
        return {}
    raise Deoptimised("a list on the way" if isinstance(here, list) else "a scalar on the way")


def leaf(value: JsonValue | Absent) -> JsonValue | Absent:
    """What a path led to, as a value that shares nothing with the record. Raises Deoptimised.

    The last step hands lists and objects through as they are.
    """
    if value is ABSENT or value.__class__ in PLAIN:
        return value
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
