"""Turn the bytes of a file, JSON or YAML, into a document. Strictly: what is odd is refused with its line.

Refused are two equal keys, a file that is empty, cut off or no UTF-8, and text after the end.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from importlib.util import find_spec
from typing import Final, NoReturn

from connproof.documents import MAX_DEPTH, Source, read_json
from connproof.errors import ConfigWrong
from pytest_connproof.extra import HOW_TO_INSTALL
from pytest_connproof.foreign.document import Document, Part, Value
from pytest_connproof.foreign.tape import CUT, Unfit

__all__ = ["parse"]

_MOST_BYTES: Final = 256 * 2**20

# One half of a character outside the basic plane, escaped, without the other half beside it.
_HALF: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]"
)


def parse(data: bytes) -> Document:
    """Read JSON or YAML, whichever it is. Raises Unfit."""
    if len(data) > _MOST_BYTES:
        raise Unfit("", f"it has {len(data)} bytes, the most is {_MOST_BYTES}", fix="split it, or record less at once")
    try:
        text = data.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        raise Unfit(
            "",
            f"byte {fault.start + 1} is not UTF-8 text",
            line=line,
            fix="export it as HAR, or as a JSON or YAML cassette; save it as UTF-8",
        ) from None
    if not text.strip():
        raise Unfit("", "it is empty", fix="record it again")
    if text.lstrip()[0] in "{[":
        return _json(text)
    if find_spec("yaml") is None:
        raise Unfit("", "it is YAML, and PyYAML is not installed", fix=HOW_TO_INSTALL)
    # Here, so that PyYAML is imported when somebody reads a cassette in YAML, and not before.
    from pytest_connproof.foreign.plain_yaml import read_yaml

    return read_yaml(text)


def _json(text: str) -> Document:
    try:
        value: Value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError):
        value = _slow_json(text)
    if _HALF.search(text) or _is_deep(value):
        value = _slow_json(text)
    return Document(Part(value), Source("", text).line)


def _slow_json(text: str) -> Value:
    """Read again, slowly: to refuse what json.loads lets pass, and to know the line of it."""
    try:
        value, _ = read_json(text.encode("utf-8"), "")
    except ConfigWrong as wrong:
        first = wrong.problems[0]
        raise Unfit(first.pointer, f"not JSON: {first.message}", line=first.line, fix=CUT) from None
    return value  # type: ignore[return-value]  # a JsonValue is a Value, but list and dict are invariant


def _unique(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate key")
    return members


def _is_deep(value: Value) -> bool:
    level: list[Value] = [value]
    for _ in range(MAX_DEPTH + 1):
        boxes = [box for box in level if isinstance(box, dict | list)]
        level = [inner for box in boxes for inner in (box.values() if isinstance(box, dict) else box)]
    return bool(level)


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(digits)
    return number


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)
