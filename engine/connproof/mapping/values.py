"""What the parts of a mapping share: a text refused, and a value on its way out, which becomes one of our own."""

from __future__ import annotations

import math
from typing import Any, Final

from connproof.places import JsonValue

__all__ = ["ExpressionRefused", "NotJson", "owned"]

_SCALARS: Final = frozenset({str, int, bool, type(None)})


class ExpressionRefused(Exception):
    """A text that is no expression, or one that the library is known to get wrong. `hint` is the way out."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class NotJson(TypeError):
    """A value that no JSON document can hold. Its text says of what kind it is, and nothing of it."""


def owned(value: Any, null: object = None) -> JsonValue:
    """A copy of the value that shares no list or object with it. `null` is another marker that means null.

    Raises NotJson.
    """
    kind = value.__class__
    if kind in _SCALARS or (kind is float and math.isfinite(value)):
        return value  # type: ignore[no-any-return]  # one of the scalars that JsonValue names
    if isinstance(value, dict):
        return {key: owned(inner, null) for key, inner in value.items()}
    if isinstance(value, list):
        return [owned(inner, null) for inner in value]
    if value is null:
        return None
    seen = "a number that is not finite" if kind is float else f"a {kind.__name__}"
    raise NotJson(f"{seen} is no JSON value")
