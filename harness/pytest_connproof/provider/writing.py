"""Write an answer as a config reads it: each value at its place, in a body of JSON or XML.

The reverse of decoding and looking up: what is written at a place is what the place finds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Literal, TypeAlias

from connproof.model import Headers, Response
from connproof.places import ABSENT, Absent, JsonValue, Place

__all__ = ["Form", "answered", "at_places", "dated", "placed"]

Form: TypeAlias = Literal["json", "xml"]


def placed(document: JsonValue, place: Place, value: JsonValue) -> JsonValue:
    """The document with the value at the place. Objects and lists on the way are made; `[*]` and `[-1]` are `[0]`."""
    return _placed(document, place.steps, value)


def _placed(here: JsonValue, steps: Sequence[object], value: JsonValue) -> JsonValue:
    if not steps:
        return value
    first, rest = steps[0], steps[1:]
    if isinstance(first, str):
        members = here if isinstance(here, dict) else {}
        return {**members, first: _placed(members.get(first), rest, value)}
    index = first if isinstance(first, int) and first > 0 else 0
    elements: list[JsonValue] = list(here) if isinstance(here, list) else []
    elements += [None] * (index + 1 - len(elements))
    elements[index] = _placed(elements[index], rest, value)
    return elements


def at_places(
    values: Iterable[tuple[Place | str, JsonValue | Absent]], form: Form = "json"
) -> tuple[JsonValue, Headers]:
    """The document and the headers (a str is a header's name) that hold these values; what is ABSENT stands nowhere.

    A document of XML has one root element, that of the first value: what belongs under another one is left out.
    """
    document: JsonValue = {}
    headers: Headers = ()
    root: object = None
    for place, value in values:
        if value is ABSENT:
            continue
        if isinstance(place, str):
            headers = (*headers, (place, value if isinstance(value, str) else json.dumps(value)))
            continue
        root = root or place.steps[0]
        if form == "json" or place.steps[0] == root:
            document = placed(document, place, value)
    return document, headers


def answered(document: JsonValue, *headers: tuple[str, str], status: int = 200, form: Form = "json") -> Response:
    """A response with this document for its body."""
    if form == "xml":
        import xmltodict  # most connectors read JSON

        members = _worded(document) if isinstance(document, dict) else {}
        body, kind = xmltodict.unparse(members) if len(members) == 1 else "", "text/xml; charset=utf-8"
    else:
        body, kind = json.dumps(document), "application/json"
    return Response(status, (("content-type", kind), *headers), body.encode())


def _worded(value: JsonValue) -> Any:
    """The value with true and false as XML has them, in elements and in attributes."""
    if isinstance(value, dict):
        return {name: _worded(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_worded(inner) for inner in value]
    return str(value).lower() if isinstance(value, bool) else value


def dated(now: float) -> tuple[str, str]:
    """The Date header of an answer that is sent at this time, in seconds since 1970."""
    return "date", format_datetime(datetime.fromtimestamp(int(now), UTC), usegmt=True)
