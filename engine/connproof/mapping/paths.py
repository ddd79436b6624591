"""The fast path: an expression that only walks member names, as a Python closure.

It means what jsonata-python means or it does not answer: wherever the two could differ the closure
raises `Deoptimised`, and the whole record goes to jsonata-python. A fuller compiled path belongs
behind `closure`; nothing above it would change.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from connproof.mapping.jsonata import owned
from connproof.places import ABSENT, Absent, JsonValue

__all__ = ["Closure", "Deoptimised", "closure"]

Closure: TypeAlias = "Callable[[dict[str, JsonValue]], JsonValue | Absent]"

_PLAIN: Final = frozenset({str, int, bool, type(None)})


class Deoptimised(Exception):
    """A guard fired: this record is not for the fast path. `guard` says which, to be counted."""

    def __init__(self, guard: str) -> None:
        super().__init__(guard)
        self.guard = guard


def closure(ast: Any) -> Closure | None:
    """Compile the syntax tree of `a`, `a.b.c` or `` a.`b c` ``; None for any other.

    The closure takes a record that is an object and gives a value that shares nothing with it, or
    ABSENT. It raises Deoptimised.
    """
    names = _member_names(ast)
    if names is None:
        return None
    if len(names) == 1:
        return _member(names[0])
    if len(names) == 2:
        return _member_of_member(*names)
    return _chain(names)


# What a node or a path may carry beside its name that would give it another meaning.
_MARKS: Final = ("stages", "predicate", "group", "tuple", "focus", "index", "ancestor", "keep_array", "consarray")


def _member_names(ast: Any) -> tuple[str, ...] | None:
    if ast.type != "path" or ast.keep_singleton_array:
        return None
    if any(step.type != "name" for step in ast.steps):
        return None
    if any(getattr(node, mark) for node in (ast, *ast.steps) for mark in _MARKS):
        return None
    return tuple(str(step.value) for step in ast.steps)


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
        except (TypeError, RecursionError) as error:
            raise Deoptimised("a leaf that is no JSON") from error
    raise Deoptimised("a leaf that is no JSON")
