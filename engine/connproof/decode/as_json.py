"""Bytes to a JSON value, as RFC 8259 has it between systems.

UTF-8, no byte order mark, no NaN, no lone surrogate. Of members with the same name the last one
counts, as in every client in the field. Integers keep every digit; the interpreter's own bound is 4,300.
"""

from __future__ import annotations

import json
import math
import re
from typing import Final

from connproof.decode.parts import Limits, charset, marked, too_deep, unreadable
from connproof.documents import nests_deeper
from connproof.model import Response
from connproof.places import JsonValue

__all__ = ["read"]


# Python's parser takes for JSON what is not; these two say so.


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is too large for any float")
    return number


def _constant(name: str) -> JsonValue:
    raise ValueError(f"{name} is not a JSON value")


_PARSER: Final = json.JSONDecoder(parse_float=_finite, parse_constant=_constant)


def read(response: Response, limits: Limits) -> JsonValue:
    """Parse the body. The errors are raised outside the handlers: the parser's hold the whole body."""
    body = response.body
    if (declared := charset(response)) not in {"", "utf-8", "utf8", "us-ascii", "ascii"}:
        raise unreadable(response, f"the body is declared to be {declared}; JSON must be UTF-8")
    if marked(body):
        raise unreadable(response, "the body begins with a byte order mark, which JSON must not")
    try:
        value: JsonValue = _PARSER.decode(body.decode("utf-8"))
    except json.JSONDecodeError as error:
        fault = f"line {error.lineno}, column {error.colno}: {error.msg}"
    except UnicodeDecodeError as error:
        fault = f"byte {error.start + 1} is not UTF-8: {error.reason}"
    except RecursionError:  # the interpreter's stack, some 1,000 levels or more
        raise too_deep(response, limits) from None
    except ValueError as error:  # from the two above, or the interpreter's bound on digits (the time is quadratic)
        fault = str(error)
    else:
        opened = body.count(b"[") + body.count(b"{")  # no value nests deeper than that
        if opened > limits.depth and nests_deeper(value, limits.depth):
            raise too_deep(response, limits)
        if not _has_lone_surrogate(body, value):
            return value
        fault = "a \\u escape is half of a surrogate pair, which no text can hold"
    raise unreadable(response, "the body is not JSON", fault=fault)


_HALF_OF_A_PAIR: Final = re.compile(rb"\\u[dD][89a-fA-F]")


def _has_lone_surrogate(body: bytes, value: JsonValue) -> bool:
    # The search for one byte is many times as fast as any other.
    if b"\\" not in body or not _HALF_OF_A_PAIR.search(body):
        return False
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False
