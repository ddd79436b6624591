"""What stands for a secret or a person, and how it is known again.

A symbol is never replaced by another: that is what makes a redacted document a fixed point.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from connproof.places import JsonValue

PLACEHOLDER: Final = re.compile(r"\{\{secret:([a-z0-9_]+)#([1-9][0-9]*)\}\}")

# Patterns are kept as texts: `re` compiles them at first use, so that a run which redacts nothing pays nothing.
_IN_A_URL: Final = r"%7[Bb]%7[Bb]secret%3[Aa]([a-z0-9_]+)%23([1-9][0-9]*)%7[Dd]%7[Dd]"
_ANY_PLACEHOLDER: Final = f"(?:{PLACEHOLDER.pattern})|(?:{_IN_A_URL})"
_PERSON: Final = r"person-([1-9][0-9]*)(?:@|%40|\\u0040|&#64;|&#x40;)redacted\.invalid"
_PHONE: Final = r"\+?1555([0-9]{7,})"

# Stands for what has its placeholder already: a character of no name, value or word.
FILL: Final = "\ue000"


def placeholders(text: str) -> list[tuple[int, int]]:
    """Where the placeholders stand in a text."""
    return [found.span() for found in re.finditer(_ANY_PLACEHOLDER, text)] if "secret" in text else []


def symbols_in(text: str) -> list[tuple[int, int]]:
    """Where anything of ours stands in a text: placeholders, people and phone numbers."""
    own = rf"(?:{_PERSON})|(?<![0-9]){_PHONE}(?![0-9])"
    return [*placeholders(text), *(found.span() for found in re.finditer(own, text))]


def masked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text, as long as it was, with FILL in the spans."""
    for start, end in spans:
        text = f"{text[:start]}{FILL * (end - start)}{text[end:]}"
    return text


def is_own_phone(text: str) -> bool:
    """Whether a phone number is one of ours."""
    return re.fullmatch(_PHONE, text) is not None


class Symbols:
    """Gives out the symbols of one document: the same value has the same, and none stands for two values."""

    def __init__(self, document: JsonValue) -> None:
        self._given: dict[tuple[str, str], int] = {}
        self._last: Counter[str] = Counter()
        text = json.dumps(document, ensure_ascii=False)
        for plain, number, quoted, its_number in re.findall(_ANY_PLACEHOLDER, text):
            self._take(plain or quoted, number or its_number)
        # No placeholder's name has an @.
        for kind, own in (("@person", _PERSON), ("@phone", _PHONE)):
            for number in re.findall(own, text):
                self._take(kind, number)

    def secret(self, name: str, value: str) -> str:
        return f"{{{{secret:{name}#{self._number(name, value)}}}}}"

    def person(self, address: str, at: str) -> str:
        """`at` is how the @ is spelt."""
        return f"person-{self._number('@person', address)}{at}redacted.invalid"

    def phone(self, number: str) -> str:
        return f"+1555{self._number('@phone', number):07d}"

    def _take(self, kind: str, number: str) -> None:
        self._last[kind] = max(self._last[kind], int(number))

    def _number(self, kind: str, value: str) -> int:
        if (kind, value) not in self._given:
            self._last[kind] += 1
            self._given[kind, value] = self._last[kind]
        return self._given[kind, value]
