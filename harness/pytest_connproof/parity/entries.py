"""The text of deviations.json and entries for it, to the text with them: every other character stays as it was.

An entry is added after the last one, spelt as that one is, or takes the place of one that there is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

__all__ = ["EMPTY", "with_entry"]

EMPTY: Final = '{\n  "format": "connproof-deviations/1",\n  "deviations": []\n}\n'

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_DECODER: Final = json.JSONDecoder()


class _Span(NamedTuple):
    start: int
    end: int


def with_entry(text: str, entry: Mapping[str, str], *, instead_of: int | None = None) -> str:
    """The text with an entry more, or with it in the place of the one of this index.

    The text is a document that `read_deviations` takes.
    """
    start = next(value.start for name, value in _members(text) if name == "deviations")
    entries = [*_elements(text, start)]
    if instead_of is not None:
        old = entries[instead_of]
        return text[: old.start] + _written(entry, text, old) + text[old.end :]
    if entries:
        last = entries[-1]
        return text[: last.end] + "," + _before(text, last.start) + _written(entry, text, last) + text[last.end :]
    return text[: start + 1] + _alone(entry, text, start) + text[text.index("]", start) :]


def _members(text: str) -> Iterator[tuple[str, _Span]]:
    """The members of the document's object, with the places of their values."""
    at = _space(text, 0) + 1
    while text[at := _space(text, at)] != "}":
        name, at = _DECODER.raw_decode(text, at)
        start = _space(text, _space(text, at) + 1)
        _, at = _DECODER.raw_decode(text, start)
        yield name, _Span(start, at)
        at = _space(text, at)
        at += text[at] == ","


def _elements(text: str, start: int) -> Iterator[_Span]:
    at = start + 1
    while text[at := _space(text, at)] != "]":
        _, end = _DECODER.raw_decode(text, at)
        yield _Span(at, end)
        at = _space(text, end)
        at += text[at] == ","


def _space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _before(text: str, at: int) -> str:
    """The space that stands before a place, back to the character before it."""
    return text[len(text[:at].rstrip(" \t\r\n")) : at]


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _indent(text: str, at: int) -> str:
    """The space at the beginning of the line on which a place stands."""
    line = text[text.rfind("\n", 0, at) + 1 :]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _written(entry: Mapping[str, str], text: str, like: _Span) -> str:
    """An entry on one line, or over several, as another one is."""
    other = text[like.start : like.end]
    if "\n" not in other:
        return json.dumps(entry, ensure_ascii=False)
    first = _space(text, like.start + 1)
    return _over_lines(entry, _indent(text, first), _indent(text, like.end - 1), _newline(text))


def _alone(entry: Mapping[str, str], text: str, start: int) -> str:
    """An entry as the first of a list: one step further in than the list, where the document has lines."""
    if "\n" not in text.strip():
        return json.dumps(entry, ensure_ascii=False)
    step = _indent(text, start)
    newline = _newline(text)
    return f"{newline}{step * 2}{_over_lines(entry, step * 3, step * 2, newline)}{newline}{step}"


def _over_lines(entry: Mapping[str, str], inner: str, outer: str, newline: str) -> str:
    members = [f"{inner}{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in entry.items()]
    return f"{{{newline}{f',{newline}'.join(members)}{newline}{outer}}}"
