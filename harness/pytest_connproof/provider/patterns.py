"""A pattern into a text that it matches: the shortest one, with what its group is to find.

Written for the patterns of configs: literals, classes, groups, repetitions, of alternatives the first. What comes out
is a proposal: whoever uses it tries the pattern on it.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["found_in", "spelt"]

_REPEATED: Final = re.compile(r"(\*|\+|\?|\{([0-9]+)(?:,[0-9]*)?\})\??")
_OPENING: Final = re.compile(r"\((?:\?(?:P?<[A-Za-z_0-9]+>|(?P<plain>[a-zA-Z]*:)|(?P<flags>[a-zA-Z]+)\)))?")
_CLASS: Final = re.compile(r"\[\^?\]?(?:\\.|\[:\^?[a-z]+:\]|[^\]\\])*\]")
_ESCAPES: Final = {"d": "0", "s": " ", "w": "x", "S": "x", "D": "x", "W": " ", "n": "\n", "t": "\t", "r": "\r"}
_NOTHING: Final = frozenset("bBAz")


def found_in(pattern: str, text: str) -> str | None:
    """What a pattern's one group finds in a text, or all that it finds where it has none; None for nothing."""
    import re2  # few connectors declare a pattern; they are in its syntax

    found = re2.search(pattern, text)
    if found is None:
        return None
    said: str | None = found.group(min(1, found.re.groups))
    return said


def spelt(pattern: str, said: str | None = None, *, number: str = "0") -> str | None:
    """A text that matches; None where the pattern cannot be read here. Its group is `said`, other numbers `number`."""
    reader = _Reader(pattern, said, number)
    text = reader.either()
    return text if reader.rest == "" else None


class _Reader:
    """A pattern, read from left to right. `rest` is what is left of it."""

    def __init__(self, pattern: str, said: str | None, number: str) -> None:
        self.rest = pattern
        self._said = said
        self._number = number

    def either(self) -> str:
        """Up to the end, or the bracket that closes: the first of the alternatives."""
        first = self._sequence()
        while self.rest.startswith("|"):
            self.rest = self.rest[1:]
            self._sequence()
        return first

    def _sequence(self) -> str:
        text = ""
        while self.rest and self.rest[0] not in "|)":
            one, is_digits = self._atom()
            times, is_open = self._times()
            text += self._number if is_digits and is_open and times else one * times
        return text

    def _times(self) -> tuple[int, bool]:
        """How often what was read must stand there at least, and whether it may stand there more often than once."""
        found = _REPEATED.match(self.rest)
        if found is None:
            return 1, False
        self.rest = self.rest[found.end() :]
        return (int(found[2]) if found[2] else 1 if found[1] == "+" else 0), found[1] == "+"

    def _atom(self) -> tuple[str, bool]:
        """A text for the next part, and whether it is any digit."""
        if found := _OPENING.match(self.rest):
            self.rest = self.rest[found.end() :]
            if found["flags"]:
                return "", False
            inner = self.either()
            self.rest = self.rest.removeprefix(")")
            is_meant = found["plain"] is None and self._said is not None
            return (self._said or "" if is_meant else inner), False
        if found := _CLASS.match(self.rest):
            self.rest = self.rest[found.end() :]
            return _one_of(found[0][1:-1])
        first, self.rest = self.rest[0], self.rest[1:]
        if first == "\\" and self.rest:
            escaped, self.rest = self.rest[0], self.rest[1:]
            return ("" if escaped in _NOTHING else _ESCAPES.get(escaped, escaped)), escaped == "d"
        return {"^": "", "$": "", ".": "x"}.get(first, first), False


def _one_of(members: str) -> tuple[str, bool]:
    """A character of a class, and whether it is any digit."""
    if members.startswith("^"):
        return next(one for one in "x0 -" if one not in members), False
    if members.startswith("\\"):
        return _ESCAPES.get(members[1], members[1]), members == "\\d"
    return members[0], members.startswith("0-9")
