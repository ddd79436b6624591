"""Documents to their shape: what stands at each place, counted, and told as a JSON Schema.

The schema is a subset of draft 2020-12 and depends on the documents alone, not on their order: it is a file that
people review, so a change of one field is a change of one line. Counts stay here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from connproof.places import JsonValue

__all__ = ["DIALECT", "FORMATS", "MOST_WORDS", "Seen", "Texts", "infer", "is_word"]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

# In the order in which a schema lists them.
_TYPES: Final = ("object", "array", "string", "number", "integer", "boolean", "null")
_TYPE_OF: Final[Mapping[type, str]] = MappingProxyType(
    {dict: "object", list: "array", str: "string", float: "number", int: "integer", bool: "boolean", type(None): "null"}
)

# The forms of a text that a schema states. The two that JSON Schema does not have are times as RFC 3339 does not
# write them: a provider that changes from one to the other breaks who reads them.
_DAY = r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?"
FORMATS: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {
        "date-time": re.compile(rf"{_DAY}[Tt]{_TIME}(?:[Zz]|[+-][0-9]{{2}}:[0-9]{{2}})"),
        "date-time-basic-offset": re.compile(rf"{_DAY}T{_TIME}[+-][0-9]{{4}}"),
        "date-time-local": re.compile(rf"{_DAY}[T ]{_TIME}"),
        "date": re.compile(_DAY),
        "uuid": re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"),
        "email": re.compile(r"[^\s@<>]+@[^\s@<>.]+(?:\.[^\s@<>.]+)+"),
        "uri": re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s<>]+"),
    }
)

# A closed set of words: few, each met again and again. One word alone may be a set of one or chance, and the same
# few ids may come again: what has a digit, a space or more than 32 characters is no word of a set.
MOST_WORDS: Final = 8
_SIGHTINGS_OF_A_WORD: Final = 3
_SIGHTINGS_FOR_EACH: Final = 10
_WORD = re.compile(r"[A-Za-z][A-Za-z_.-]{0,31}")

# Members that are named by ids, or by so many other names that no object has half of them, are a map: numbers, long
# hexadecimal texts, texts of six characters with three digits, e-mail addresses, what stands for a secret.
_ID = re.compile(
    r"[0-9]+|[0-9A-Fa-f-]{16,}|(?=(?:[A-Za-z_-]*[0-9]){3})[A-Za-z0-9_-]{6,}|[^\s@]+@[^\s@]+\.[^\s@]+|\{\{.+\}\}"
)
_NAMES_OF_A_MAP: Final = 24


def is_word(text: str) -> bool:
    """Whether a text could be one of a closed set."""
    return _WORD.fullmatch(text) is not None


class Texts:
    """The texts of one place: how many, which formats all of them have, and which they were while they are few."""

    __slots__ = ("count", "empty", "formats", "words")

    def __init__(self) -> None:
        self.count = 0
        self.empty = 0
        self.formats: tuple[str, ...] | None = None  # None: no text that is not empty
        self.words: dict[str, int] | None = {}  # None: more than MOST_WORDS

    def add(self, text: str) -> None:
        if not text:
            self.empty += 1
            return
        self.count += 1
        if self.formats is None or self.formats:
            candidates = FORMATS if self.formats is None else self.formats
            self.formats = tuple(name for name in candidates if FORMATS[name].fullmatch(text))
        if self.words is not None:
            self.words[text] = self.words.get(text, 0) + 1
            if len(self.words) > MOST_WORDS:
                self.words = None

    def merge(self, other: Texts) -> None:
        self.count += other.count
        self.empty += other.empty
        if self.formats is None or other.formats is None:
            self.formats = other.formats if self.formats is None else self.formats
        else:
            self.formats = tuple(name for name in self.formats if name in other.formats)
        if self.words is not None and other.words is not None:
            for word, count in other.words.items():
                self.words[word] = self.words.get(word, 0) + count
        if self.words is None or other.words is None or len(self.words) > MOST_WORDS:
            self.words = None

    @property
    def closed_set(self) -> list[str]:
        """The words, sorted, where these are a closed set; else []."""
        words = self.words
        if words is None or len(words) < 2 or self.count < _SIGHTINGS_FOR_EACH * len(words):
            return []
        met_again = all(count >= _SIGHTINGS_OF_A_WORD and is_word(word) for word, count in words.items())
        return sorted(words) if met_again else []


class Seen:
    """What stood at one place of all documents, counted."""

    __slots__ = ("count", "elements", "members", "texts", "types")

    def __init__(self) -> None:
        self.count = 0
        self.types: dict[str, int] = {}
        self.members: dict[str, Seen] = {}
        self.elements: Seen | None = None
        self.texts = Texts()

    def add(self, value: JsonValue) -> None:
        """Count a value and all in it."""
        self.count += 1
        kind = _TYPE_OF[value.__class__]
        self.types[kind] = self.types.get(kind, 0) + 1
        if isinstance(value, dict):
            members = self.members
            for name, inner in value.items():
                below = members.get(name)
                if below is None:
                    below = members[name] = Seen()
                below.add(inner)
        elif isinstance(value, list):
            if self.elements is None and value:
                self.elements = Seen()
            for inner in value:
                self.elements.add(inner)  # type: ignore[union-attr]  # made above, if there is an element
        elif isinstance(value, str):
            self.texts.add(value)

    def merge(self, other: Seen) -> None:
        """Count what another counted too."""
        self.count += other.count
        for kind, count in other.types.items():
            self.types[kind] = self.types.get(kind, 0) + count
        for name, below in other.members.items():
            self.members.setdefault(name, Seen()).merge(below)
        if other.elements is not None:
            self.elements = self.elements or Seen()
            self.elements.merge(other.elements)
        self.texts.merge(other.texts)

    @property
    def objects(self) -> int:
        return self.types.get("object", 0)

    @property
    def places(self) -> int:
        """How many places there are here and below."""
        below = sum(member.places for member in self.members.values())
        return 1 + below + (self.elements.places if self.elements else 0)

    @property
    def kinds(self) -> list[str]:
        """The types, in a schema's order; "number" stands for integers too where both were seen."""
        return [kind for kind in _TYPES if kind in self.types and not (kind == "integer" and "number" in self.types)]

    @property
    def is_map(self) -> bool:
        """Whether the members are named by data: all by ids, or by many names of which no object has half."""
        names = self.members
        if names and all(_ID.fullmatch(name) for name in names):
            return True
        return len(names) >= _NAMES_OF_A_MAP and all(2 * below.count < self.objects for below in names.values())

    def any_member(self, names: Iterable[str] | None = None) -> Seen:
        """The members as one, whatever they are called."""
        merged = Seen()
        for name in self.members if names is None else names:
            merged.merge(self.members[name])
        return merged

    def schema(self) -> dict[str, Any]:
        """The shape as a JSON Schema, its members in a fixed order."""
        kinds = self.kinds
        said: dict[str, Any] = {"type": kinds[0] if len(kinds) == 1 else kinds} if kinds else {}
        if "string" in self.types:
            said |= self._form_of_texts(kinds)
        if "object" in self.types:
            if self.is_map:
                said["additionalProperties"] = self.any_member().schema()
            elif self.members:
                said["properties"] = {name: self.members[name].schema() for name in sorted(self.members)}
                if required := sorted(name for name, below in self.members.items() if below.count == self.objects):
                    said["required"] = required
        if self.elements is not None:
            said["items"] = self.elements.schema()
        return said

    def _form_of_texts(self, kinds: list[str]) -> dict[str, Any]:
        if self.texts.formats:
            return {"format": self.texts.formats[0]}
        words: list[Any] = self.texts.closed_set
        if not words or set(kinds) - {"string", "null"}:
            return {}
        return {"enum": [*([""] if self.texts.empty else []), *words, *([None] if "null" in kinds else [])]}


def infer(documents: Iterable[JsonValue]) -> Seen:
    """What stands at each place of these documents."""
    seen = Seen()
    for document in documents:
        seen.add(document)
    return seen
