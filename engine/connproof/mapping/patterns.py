"""A regular expression of a mapping, run by RE2: in time linear in the text, whatever the pattern.

It has the four methods that jsonata-python calls, and three differences from google-re2's own, which
would give wrong values: a replacement text may hold any character, a reference to a group that there
is not is empty, and splitting does not return the groups. A match of no characters is an error in
JSONata, and is one here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import re2

__all__ = ["Pattern", "PatternWrong"]

_GROUP: Final = re.compile(r"\\g<(\d+)>")  # jsonata-python's spelling of $1 in a replacement


class PatternWrong(ValueError):
    """A pattern that RE2 does not have, or one that matched no characters."""


class Pattern:
    """One compiled pattern."""

    __slots__ = ("_regexp",)

    def __init__(self, pattern: str, *, ignore_case: bool, multiline: bool) -> None:
        """Compile. Raises PatternWrong with RE2's own words."""
        options = re2.Options()
        options.case_sensitive = not ignore_case
        options.log_errors = False
        try:
            self._regexp = re2.compile(f"(?m){pattern}" if multiline else pattern, options)
        except re2.error as error:
            words = error.args[0] if error.args else ""
            raise PatternWrong(words.decode() if isinstance(words, bytes) else str(words)) from error

    def search(self, string: str) -> Any:
        return next(self.finditer(string), None)

    def finditer(self, string: str) -> Iterator[Any]:
        for match in self._regexp.finditer(string):
            if match.start() == match.end():
                raise PatternWrong("the pattern matched no characters")
            yield match

    def sub(self, repl: str | Callable[[Any], str], string: str, count: int = 0) -> str:
        pieces = []
        end = 0
        for number, match in enumerate(self.finditer(string), 1):
            pieces += [string[end : match.start()], _expanded(repl, match) if isinstance(repl, str) else repl(match)]
            end = match.end()
            if number == count:
                break
        return "".join([*pieces, string[end:]])

    def split(self, string: str) -> list[str]:
        pieces = []
        end = 0
        for match in self.finditer(string):
            pieces.append(string[end : match.start()])
            end = match.end()
        return [*pieces, string[end:]]


def _expanded(template: str, match: Any) -> str:
    groups = (match.group(), *match.groups())

    def group(reference: re.Match[str]) -> str:
        # $12 is group 12, else group 1 and a "2"; a single digit without a group is nothing.
        digits = reference[1]
        for length in range(len(digits), 0, -1):
            if int(digits[:length]) < len(groups):
                return (groups[int(digits[:length])] or "") + digits[length:]
        return digits[1:]

    return _GROUP.sub(group, template)
