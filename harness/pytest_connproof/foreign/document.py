"""A document that was read: plain values, each of which knows where it stands.

Readers take it apart by name and kind; whatever is not there, or is of another kind, they refuse
with its pointer, and never with its value, which may be a credential.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from connproof.documents import child
from pytest_connproof.foreign.tape import CUT, Unfit

__all__ = ["Document", "Part", "Value", "base64_bytes"]

Value: TypeAlias = "bool | int | float | str | bytes | list[Value] | dict[str, Value] | None"

_KINDS: Final = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a text",
    bytes: "bytes",
    list: "a list",
    dict: "a mapping",
    type(None): "nothing",
}


@dataclass(frozen=True, slots=True)
class Part:
    """A value of a document and its pointer. Every reading of it may raise Unfit with that pointer."""

    value: Value = field(repr=False)  # may hold a credential
    pointer: str = ""

    @property
    def kind(self) -> str:
        """What is there, in words: `a list`."""
        return _KINDS[type(self.value)]

    def lacks_list(self, name: str) -> str | None:
        """Why this is no mapping with a list of that name; None where it is one."""
        if not isinstance(self.value, dict):
            return f"the document is {self.kind}, not a mapping"
        return None if isinstance(self.value.get(name), list) else f'it has no list "{name}"'

    def maybe(self, name: str) -> Part | None:
        """A member; None where it is absent or null."""
        found = self._mapping().get(name)
        return None if found is None else Part(found, child(self.pointer, name))

    def member(self, name: str) -> Part:
        """A member that must be there."""
        found = self.maybe(name)
        if found is None:
            raise self.unfit(f'has no "{name}"')
        return found

    def members(self) -> list[tuple[str, Part]]:
        return [(name, Part(value, child(self.pointer, name))) for name, value in self._mapping().items()]

    def elements(self) -> list[Part]:
        if not isinstance(self.value, list):
            raise self.unfit(f"is {self.kind}, not a list")
        return [Part(value, child(self.pointer, index)) for index, value in enumerate(self.value)]

    def text(self) -> str:
        """A text. Bytes (a text that its writer could not vouch for) are UTF-8, or else Latin-1 as in HTTP."""
        if isinstance(self.value, bytes):
            try:
                return self.value.decode("utf-8")
            except UnicodeDecodeError:
                return self.value.decode("latin-1")
        if not isinstance(self.value, str):
            raise self.unfit(f"is {self.kind}, not a text")
        return self.value

    def whole(self) -> int:
        """A whole number, also when it stands in quotes."""
        if isinstance(self.value, str) and re.fullmatch(r"[0-9]{1,9}", self.value):
            return int(self.value)
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            raise self.unfit(f"is {self.kind}, not a whole number")
        return self.value

    def unfit(self, why: str, fix: str = CUT) -> Unfit:
        """The objection that this value `why`, to raise."""
        return Unfit(self.pointer, f"{self.pointer or 'the document'} {why}", fix=fix)

    def _mapping(self) -> dict[str, Value]:
        if not isinstance(self.value, dict):
            raise self.unfit(f"is {self.kind}, not a mapping")
        return self.value


@dataclass(frozen=True, slots=True)
class Document:
    """A document's root, and the line (from 1; 0 unknown) of a pointer or of the nearest thing above it."""

    root: Part
    line: Callable[[str], int]


def base64_bytes(text: str, pointer: str) -> bytes:
    """Decode base64, line breaks allowed. Raises Unfit."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise Unfit(pointer, f"{pointer} is not base64", fix="restore the file, or record it again") from None
