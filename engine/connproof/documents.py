"""Read a JSON document that a person wrote: strictly, and knowing where everything stands.

`json.loads` keeps the last of two equal keys, takes NaN, and forgets lines. A document read here
has none of these, and its `Source` can say the line and column of every value in it.
The positions are worked out only when somebody asks: a document without faults costs little
more than json.loads.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from itertools import chain
from typing import Final, NoReturn

from connproof.errors import ConfigWrong, Problem
from connproof.places import JsonValue

__all__ = ["MAX_DEPTH", "PLATFORM_BASE", "Source", "Standing", "child", "nests_deeper", "read_json"]

MAX_DEPTH: Final = 200
PLATFORM_BASE: Final = "platform base"

_SPACE = re.compile(r"[ \t\n\r]*")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORD = re.compile(r"[A-Za-z]+|-Infinity")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_WORDS: Final[dict[str, JsonValue]] = {"true": True, "false": False, "null": None}


def child(pointer: str, name: str | int) -> str:
    """The JSON pointer (RFC 6901) of a member or an element."""
    return f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one value stands: the document, the JSON pointer and the line in it, and the level that gave it."""

    document: str
    pointer: str
    line: int  # from 1, 0 where unknown
    level: str = PLATFORM_BASE

    def __str__(self) -> str:
        return f"{self.document}:{self.line} {self.pointer}"


class Source:
    """Where each value of a document stands: JSON pointer to line and column, both from 1."""

    __slots__ = ("_positions", "_text", "name")

    def __init__(self, name: str, text: str = "") -> None:
        self.name = name
        self._text = text
        self._positions: dict[str, tuple[int, int]] | None = None

    def position(self, pointer: str) -> tuple[int, int]:
        """Line and column of a pointer, or of the nearest thing above it; (0, 0) where unknown."""
        if self._positions is None:
            walk = _Walk(self._text)
            if self._text:
                walk.document()
            self._positions = walk.positions
        while pointer and pointer not in self._positions:
            pointer = pointer.rpartition("/")[0]
        return self._positions.get(pointer, (0, 0))

    def line(self, pointer: str) -> int:
        return self.position(pointer)[0]

    def problem(self, pointer: str, message: str, hint: str = "") -> Problem:
        """A problem at this pointer of the document."""
        return Problem(pointer, *self.position(pointer), message, hint)

    def standing(self, pointer: str) -> Standing:
        """The document, line and level of the value at this pointer. A document by itself is the platform base."""
        return Standing(self.name, pointer, self.line(pointer))

    def without_text(self) -> Source:
        """The same positions, and no text: for a document that holds more than is to be kept."""
        settled = Source(self.name)
        self.position("")
        settled._positions = self._positions
        return settled

    def __repr__(self) -> str:
        return f"Source({self.name!r})"


def read_json(data: bytes, name: str) -> tuple[JsonValue, Source]:
    """A document's value and its source. `name` is what messages call the document.

    Raises ConfigWrong with the line and column of: bytes that are not UTF-8, a byte order mark, a
    syntax fault, every duplicate key, NaN and Infinity, a number out of range, a lone
    surrogate, nesting deeper than MAX_DEPTH.
    """
    text = _decoded(data, name)
    try:
        value: JsonValue = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_finite)
        opened = text.count("[") + text.count("{")  # no value nests deeper than that
        if not _SURROGATE_ESCAPE.search(text) and (opened <= MAX_DEPTH or not nests_deeper(value, MAX_DEPTH)):
            return value, Source(name, text)
    except (ValueError, RecursionError):
        value = None
    walk = _Walk(text)
    try:
        value = walk.document()
    except _Stopped as stopped:
        raise ConfigWrong(name, [*walk.problems, stopped.problem]) from None
    if walk.problems:
        raise ConfigWrong(name, walk.problems)
    return value, Source(name, text)


def _decoded(data: bytes, name: str) -> str:
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise ConfigWrong(name, [Problem("", 1, 1, "is UTF-16", "save it as UTF-8 without a byte order mark")])
    if data.startswith(b"\xef\xbb\xbf"):
        raise ConfigWrong(name, [Problem("", 1, 1, "starts with a byte order mark", "save it as UTF-8 without one")])
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as fault:
        before = data[: fault.start].decode("utf-8")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        seen = f"byte 0x{data[fault.start]:02x} is not UTF-8"
        raise ConfigWrong(name, [Problem("", line, column, seen, "save the file as UTF-8")]) from None


_CONTAINERS: Final = frozenset({list, dict})


def nests_deeper(value: JsonValue, depth: int) -> bool:
    """Whether a parsed document nests more arrays and objects than `depth`. Level by level, without a stack."""
    level: list[JsonValue] = [value] if value.__class__ in _CONTAINERS else []
    while level and depth:
        inside = chain.from_iterable([here.values() if isinstance(here, dict) else here for here in level])  # type: ignore[misc]  # containers alone
        level = [element for element in inside if element.__class__ in _CONTAINERS]
        depth -= 1
    return bool(level)


def _unique(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate key")
    return members


def _refuse(word: str) -> NoReturn:
    raise ValueError(word)


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(digits)
    return number


class _Stopped(Exception):
    def __init__(self, problem: Problem) -> None:
        self.problem = problem


class _Walk:
    """The slow reading: notes positions, gathers duplicate keys, stops at the first syntax fault."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.positions: dict[str, tuple[int, int]] = {}
        self.problems: list[Problem] = []
        self._line = 1
        self._line_start = 0
        self._counted = 0

    def document(self) -> JsonValue:
        at = self._space(0)
        value, at = self._value(at, "", 0)
        at = self._space(at)
        if at < len(self.text):
            self._stop(at, "", f"text after the end of the document: {self._seen(at)}")
        return value

    def _position(self, at: int) -> tuple[int, int]:
        # Called with growing `at`, so that the whole reading counts each newline once.
        newlines = self.text.count("\n", self._counted, at)
        if newlines:
            self._line += newlines
            self._line_start = self.text.rfind("\n", self._counted, at) + 1
        self._counted = max(at, self._counted)
        return self._line, at - self._line_start + 1

    def _stop(self, at: int, pointer: str, message: str, hint: str = "") -> NoReturn:
        raise _Stopped(Problem(pointer, *self._position(at), message, hint))

    def _seen(self, at: int) -> str:
        # One character: what stands here may be a credential that somebody forgot to quote.
        return repr(self.text[at]) if at < len(self.text) else "the end of the file"

    def _space(self, at: int) -> int:
        match = _SPACE.match(self.text, at)
        return match.end() if match else at

    def _value(self, at: int, pointer: str, depth: int) -> tuple[JsonValue, int]:
        self.positions.setdefault(pointer, self._position(at))
        if depth > MAX_DEPTH:
            self._stop(at, pointer[:80], f"nested deeper than {MAX_DEPTH} levels")
        opening = self.text[at : at + 1]
        if opening == "{":
            return self._object(at, pointer, depth)
        if opening == "[":
            return self._array(at, pointer, depth)
        if opening == '"':
            return self._string(at, pointer)
        if number := _NUMBER.match(self.text, at):
            return self._number(number, pointer)
        if (word := _WORD.match(self.text, at)) and word[0] in _WORDS:
            return _WORDS[word[0]], word.end()
        if word and word[0] in {"NaN", "Infinity", "-Infinity"}:
            self._stop(at, pointer, f"{word[0]} is not JSON", "use null, or leave the member out")
        return self._stop(at, pointer, f"expected a value, found {self._seen(at)}")

    def _object(self, at: int, pointer: str, depth: int) -> tuple[JsonValue, int]:
        members: dict[str, JsonValue] = {}
        at = self._space(at + 1)
        if self.text.startswith("}", at):
            return members, at + 1
        while True:
            if not self.text.startswith('"', at):
                self._stop(at, pointer, f'expected a member name in quotes or "}}", found {self._seen(at)}')
            position = self._position(at)
            name, at = self._string(at, pointer)
            below = child(pointer, name)
            if name in members:
                first = self.positions[below][0]
                self.problems.append(
                    Problem(below, *position, f"{name!r} stands here a second time", f"first on line {first}")
                )
            else:
                self.positions[below] = position
            at = self._space(at)
            if not self.text.startswith(":", at):
                self._stop(at, below, f'expected ":", found {self._seen(at)}')
            members[name], at = self._value(self._space(at + 1), below, depth + 1)
            at = self._space(at)
            if self.text.startswith("}", at):
                return members, at + 1
            if not self.text.startswith(",", at):
                self._stop(at, below, f'expected "," or "}}", found {self._seen(at)}')
            at = self._space(at + 1)

    def _array(self, at: int, pointer: str, depth: int) -> tuple[JsonValue, int]:
        elements: list[JsonValue] = []
        at = self._space(at + 1)
        if self.text.startswith("]", at):
            return elements, at + 1
        while True:
            element, at = self._value(at, child(pointer, len(elements)), depth + 1)
            elements.append(element)
            at = self._space(at)
            if self.text.startswith("]", at):
                return elements, at + 1
            if not self.text.startswith(",", at):
                self._stop(at, pointer, f'expected "," or "]", found {self._seen(at)}')
            at = self._space(at + 1)

    def _string(self, at: int, pointer: str) -> tuple[str, int]:
        match = _STRING.match(self.text, at)
        if match is None:
            self._stop(at, pointer, "a string that does not end, or holds a control character or an unknown escape")
        value: str = json.loads(match[0])
        if _SURROGATE.search(value):
            self._stop(at, pointer, "a lone surrogate escape: half a character", "write the character itself")
        return value, match.end()

    def _number(self, match: re.Match[str], pointer: str) -> tuple[JsonValue, int]:
        try:
            value: JsonValue = json.loads(match[0], parse_float=_finite)
        except ValueError:
            self._stop(match.start(), pointer, "a number out of range", "write it as a string")
        return value, match.end()
