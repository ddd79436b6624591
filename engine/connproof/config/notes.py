"""What the parts of a config's reading share: the words in braces, and the list of what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from connproof.addresses import is_address, is_local_name
from connproof.documents import Source
from connproof.errors import Problem
from connproof.links import origin
from connproof.model import Operation
from connproof.places import Absent, JsonValue, Place, PlaceWrong

__all__ = ["BRACES", "CREDENTIALS", "Notes", "origin_fault", "template_texts"]

BRACES: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
CREDENTIALS: Final = re.compile(r"\{([^{}]+)\}")  # in the texts of basic: a path into the credentials

_LOOPBACK = re.compile(r"https?://(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]+)?$")
_HOST = re.compile(r"https?://(\[[^]]*\]|[^:]*)")


class Notes:
    """Everything that is wrong in one document, with where it stands."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Problem] = []

    def wrong(self, pointer: str, message: str, hint: str = "") -> None:
        self.problems.append(self.source.problem(pointer, message, hint))

    def place(self, text: str, pointer: str) -> Place | None:
        """A path, parsed; None, and noted, where it is none."""
        try:
            return Place.parse(text)
        except PlaceWrong as wrong:
            self.wrong(pointer, str(wrong))
            return None

    def one_place(self, text: str, pointer: str) -> Place | None:
        """As `place`, where one value is meant."""
        place = self.place(text, pointer)
        if place is not None and place.is_many:
            self.wrong(pointer, "[*] finds a list, and one value is meant here", "say which: [0], [-1]")
        return place

    def pattern(self, text: str, pointer: str) -> Any:
        """A regular expression (RE2 syntax), compiled; None, and noted, where it is none."""
        import re2  # most connectors have none

        options = re2.Options()
        options.log_errors = False
        try:
            return re2.compile(text, options)
        except re2.error as wrong:
            fault = wrong.args[0].decode(errors="replace")
            hint = "RE2 syntax: no look-around, no back-references"
            self.wrong(pointer, f"is not a regular expression: {fault}", hint)
            return None


def origin_fault(url: str, *, allow_loopback: bool) -> tuple[str, str] | None:
    """Why a URL's origin cannot be pinned, and what to do; None where it can."""
    try:
        found = origin(url)
    except ValueError as wrong:
        return f"is not an origin that can be pinned: {wrong}", ""
    if allow_loopback and _LOOPBACK.match(found):
        return None
    if not found.startswith("https://"):
        return "is not https", "credentials are never sent in the clear"
    host = _HOST.match(found)
    if host is not None and (is_address(host[1]) or is_local_name(host[1])):
        return "is an address or this machine's own name", "name the provider's host: its address is judged when asked"
    return None


def template_texts(operation: Operation) -> str:
    """Every text of an operation in which braces are filled, one a line."""
    body = [] if isinstance(operation.body, Absent) else list(_texts_in(operation.body))
    return "\n".join([operation.path, *(value for _, value in (*operation.query, *operation.headers)), *body])


def _texts_in(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts_in(inner)
