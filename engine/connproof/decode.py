"""Turn the bytes of a response into a value, by what was really sent.

The content type decides, the bytes must agree, and nothing is guessed: a page that is not what it
says it is raises `PageUnreadable`. No declared bound is passed silently, no error holds the body.

JSON is read as RFC 8259 has it between systems: UTF-8, no byte order mark, no NaN, no lone
surrogate. Of members with the same name the last one counts, as in every client in the field.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from connproof.documents import nests_deeper
from connproof.errors import LimitExceeded, PageUnreadable
from connproof.model import Response
from connproof.places import ABSENT, Absent, JsonValue

__all__ = ["Format", "Limits", "decode"]

Format: TypeAlias = Literal["json"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one body may be: `depth` in nested arrays and objects, `body_bytes` after content decoding.

    A depth far above the default is bounded by the interpreter's own stack instead.
    """

    depth: int = 200
    body_bytes: int = 64 * 1024 * 1024


def decode(response: Response, *, limits: Limits = Limits(), declared: Format | None = None) -> JsonValue | Absent:
    """The value that a response carries; ABSENT for a 204, an empty or an all-blank body.

    `declared` is the config's word for the format, and stands above the content type. Without it a
    body is JSON where the type says so, or where there is no type. Integers keep every digit (the
    interpreter's own bound is 4,300). Raises PageUnreadable and LimitExceeded.
    """
    body = response.body
    if len(body) > limits.body_bytes:
        raise LimitExceeded(
            f"the body is larger than {limits.body_bytes:,} bytes",
            status=response.status,
            facts=_seen(response),
            fix="ask for smaller pages",
        )
    if response.status == 204 or not body or body.isspace():
        return ABSENT
    if (declared or _format(response)) == "json":
        return _read_json(response, limits)
    raise _unreadable(
        response,
        f"the body is {_media_type(response)}, and only JSON can be read",
        fix="if the body is JSON all the same, let the config say so; else see whether the URL is an API's",
    )


def _format(response: Response) -> Format | None:
    """The one table of what can be read."""
    media_type = _media_type(response)
    if media_type in {"", "application/json", "text/json"} or media_type.endswith("+json"):
        return "json"
    return None


def _media_type(response: Response) -> str:
    """Lower-case and without parameters; "" where none was sent. Of several lines the first counts."""
    return (response.header("content-type") or "").partition(";")[0].partition(",")[0].strip().lower()


def _charset(response: Response) -> str:
    for parameter in (response.header("content-type") or "").split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.partition(",")[0].strip().strip('"').lower()
    return ""


# JSON. Python's parser takes for JSON what is not; these two say so.


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is too large for any float")
    return number


def _constant(name: str) -> JsonValue:
    raise ValueError(f"{name} is not a JSON value")


_PARSER: Final = json.JSONDecoder(parse_float=_finite, parse_constant=_constant)


def _read_json(response: Response, limits: Limits) -> JsonValue:
    """Parse the body. The errors are raised outside the handlers: the parser's hold the whole body."""
    body = response.body
    if (charset := _charset(response)) not in {"", "utf-8", "utf8", "us-ascii", "ascii"}:
        raise _unreadable(response, f"the body is declared to be {charset}; JSON must be UTF-8")
    if body.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise _unreadable(response, "the body begins with a byte order mark, which JSON must not")
    try:
        value: JsonValue = _PARSER.decode(body.decode("utf-8"))
    except json.JSONDecodeError as error:
        fault = f"line {error.lineno}, column {error.colno}: {error.msg}"
    except UnicodeDecodeError as error:
        fault = f"byte {error.start + 1} is not UTF-8: {error.reason}"
    except RecursionError:  # the interpreter's stack, some 1,000 levels or more
        raise _too_deep(response, limits) from None
    except ValueError as error:  # from the two above, or the interpreter's bound on digits (the time is quadratic)
        fault = str(error)
    else:
        opened = body.count(b"[") + body.count(b"{")  # no value nests deeper than that
        if opened > limits.depth and nests_deeper(value, limits.depth):
            raise _too_deep(response, limits)
        if not _has_lone_surrogate(body, value):
            return value
        fault = "a \\u escape is half of a surrogate pair, which no text can hold"
    raise _unreadable(response, "the body is not JSON", fault=fault)


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


# What an error says of a body without showing it.


def _unreadable(response: Response, what: str, *, fault: str = "", fix: str = "") -> PageUnreadable:
    facts = {**({"fault": fault} if fault else {}), **_seen(response)}
    return PageUnreadable(what, status=response.status, facts=facts, fix=fix)


def _too_deep(response: Response, limits: Limits) -> LimitExceeded:
    return LimitExceeded(
        f"the body is nested deeper than {limits.depth} levels", status=response.status, facts=_seen(response)
    )


def _seen(response: Response) -> dict[str, str]:
    return {
        "status": str(response.status),
        "content type": response.header("content-type") or "none sent",
        "body": f"{len(response.body):,} bytes, begins like {_begins_like(response.body)}",
    }


def _begins_like(body: bytes) -> str:
    match body[:1024].lstrip()[:1]:
        case b"{" | b"[":
            return "JSON"
        case b"<":
            return "HTML or XML"
        case b"\xef" | b"\xff" | b"\xfe":
            return "a byte order mark"
        case b"\x1f" | b"\x00" | b"":
            return "binary data"
        case _:
            return "text"
