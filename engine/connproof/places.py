"""Name a place in a document, the one small way that configs do.

    paging.next.after      member names, dot-separated
    ["@odata.nextLink"]    a name with other characters, quoted in brackets
    results[0], rows[-1]   an element of an array, counted from either end
    orders[*].id           every element
    $                      the root

A strict subset of RFC 9535 JSONPath, with the leading `$.` optional, and with one place to a path: `[*]`
looks into arrays alone and gives one list. Looking always tells absent from null, from "" and from
a value: an absent place is `ABSENT`, never None.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

__all__ = ["ABSENT", "Absent", "JsonValue", "Place", "PlaceWrong", "put"]

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"


class Absent(enum.Enum):
    """The type of ABSENT: nothing stands at this place, not even null."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False


ABSENT: Final = Absent.ABSENT


_MOST_SHOWN: Final = 200


class PlaceWrong(ValueError):
    """A text that names no place. `column` (from 1) is where reading stopped."""

    def __init__(self, text: str, column: int, expected: str) -> None:
        shown = repr(text) if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]!r}..."
        super().__init__(f"not a path: expected {expected} at character {column} of {shown}")
        self.text = text
        self.column = column
        self.expected = expected


class _Every(enum.Enum):
    EVERY = "*"


_EVERY: Final = _Every.EVERY
_Step: TypeAlias = str | int | _Every

# RFC 9535: member-name-shorthand, index-selector, and name-selector with the plainest escapes.
# What a name may not have is said, not what it may: a class of a million characters takes long to compile.
_NAME = re.compile("[^\x00-@\\[-^`{-\x7f\ud800-\udfff][^\x00-/:-@\\[-^`{-\x7f\ud800-\udfff]*")
_INDEX = re.compile(r"\[(0|-?[1-9][0-9]{0,8})\]")
_QUOTED = re.compile(
    r"""\[("(?:[^"\\\x00-\x1f\ud800-\udfff]|\\["\\/])*"|'(?:[^'\\\x00-\x1f\ud800-\udfff]|\\['\\/])*')\]"""
)
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Place:
    """A parsed path. `text` is the path as the config has it."""

    text: str
    steps: tuple[_Step, ...]

    @staticmethod
    def parse(text: str) -> Place:
        """Read a path. Raises PlaceWrong."""
        return _parse(text)

    @property
    def is_many(self) -> bool:
        """Whether the path has a `[*]`, and so finds a list."""
        return _EVERY in self.steps

    @property
    def last_name(self) -> str | None:
        """The last member name, None for a path that ends in an index or is the root."""
        last = self.steps[-1] if self.steps else None
        return last if isinstance(last, str) else None

    def find(self, document: JsonValue) -> JsonValue | Absent:
        """What stands here, or ABSENT. With `[*]`: the list of all that stands there."""
        here: JsonValue = document
        for position, step in enumerate(self.steps):
            if isinstance(step, str):
                if not isinstance(here, dict) or step not in here:
                    return ABSENT
                here = here[step]
            elif isinstance(step, int):
                if not isinstance(here, list) or not -len(here) <= step < len(here):
                    return ABSENT
                here = here[step]
            else:
                if not isinstance(here, list):
                    return ABSENT
                rest = Place(self.text, self.steps[position + 1 :])
                found = [rest.find(element) for element in here]
                present: list[JsonValue] = [value for value in found if value is not ABSENT]
                return [v for inner in present if isinstance(inner, list) for v in inner] if rest.is_many else present
        return here

    def __str__(self) -> str:
        return self.text


def put(document: JsonValue, place: Place, value: JsonValue) -> JsonValue:
    """A copy of the document with the value at the place; missing objects on the way are made.

    A null on the way counts as missing. Only member names lead anywhere: a place with an index, or
    with a list, a text or a number on its way, raises ValueError.
    """
    if not place.steps:
        return value
    first, *rest = place.steps
    if not isinstance(first, str):
        raise ValueError(  # noqa: TRY004 the path's text is wrong, not its class
            f"cannot write to {place.text!r}: only member names can be written to"
        )
    if document is not None and not isinstance(document, dict):
        raise ValueError(f"cannot write to {place.text!r}: {first!r} would be a member of a {type(document).__name__}")
    below = document or {}
    return {**below, first: put(below.get(first), Place(place.text, tuple(rest)), value)}


_MOST_STEPS: Final = 200  # no document that is read nests deeper


@lru_cache(maxsize=4096)
def _parse(text: str) -> Place:
    steps: list[_Step] = []
    at = 0
    if text.startswith("$"):
        at = 1
    elif not text:
        raise PlaceWrong(text, 1, "a member name")
    while at < len(text):
        if len(steps) == _MOST_STEPS:
            raise PlaceWrong(text, at + 1, f"the end: a path has at most {_MOST_STEPS} steps,")
        step, at = _read_step(text, at, first=at == 0)
        steps.append(step)
    return Place(text, tuple(steps))


def _read_step(text: str, at: int, *, first: bool) -> tuple[_Step, int]:
    if text.startswith("[*]", at):
        return _EVERY, at + 3
    if index := _INDEX.match(text, at):
        return int(index[1]), index.end()
    if quoted := _QUOTED.match(text, at):
        return _ESCAPED.sub(r"\1", quoted[1][1:-1]), quoted.end()
    if text.startswith("[", at):
        raise PlaceWrong(text, at + 2, 'a number, * or a quoted name, then "]"')
    if not first:
        if not text.startswith(".", at):
            raise PlaceWrong(text, at + 1, '"." or "[" (quote other characters: ["@odata.nextLink"])')
        at += 1
    name = _NAME.match(text, at)
    if name is None:
        raise PlaceWrong(text, at + 1, 'a member name (quote other characters: ["@odata.nextLink"])')
    return name[0], name.end()
