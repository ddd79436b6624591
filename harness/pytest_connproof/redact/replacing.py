"""Replace what is secret or personal by symbols, round after round, until nothing changes.

Each round learns what is secret from the whole document, then replaces it, in every spelling,
in the whole document: a token may be seen before the answer that issues it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from types import MappingProxyType
from urllib.parse import quote, unquote

from connproof.places import JsonValue
from pytest_connproof.redact.finds import Find, secrets_in
from pytest_connproof.redact.policy import Policy
from pytest_connproof.redact.proving import SHORT, spellings, whole_word
from pytest_connproof.redact.shapes import EMAIL, IN_URL, RUN, is_person, is_phone, tells
from pytest_connproof.redact.symbols import PLACEHOLDER, Symbols, masked, placeholders
from pytest_connproof.redact.walk import Place, Walk


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was replaced or dropped: where it stood and by which rule. Never the value."""

    pointer: str
    rule: str


@dataclass(frozen=True, slots=True)
class Redacted:
    """A redacted document, what was changed, and the values that `proof` must no longer find in it."""

    document: JsonValue
    changes: tuple[Change, ...]
    secrets: tuple[str, ...] = field(repr=False)

    @property
    def rules(self) -> Mapping[str, int]:
        """How often each rule was applied, by name."""
        return MappingProxyType(dict(sorted(Counter(change.rule for change in self.changes).items())))


def redact(document: JsonValue, policy: Policy | None = None) -> Redacted:
    """The document with every secret and every piece of personal data replaced."""
    work = _Work(policy or Policy(), Symbols(document))
    while True:
        following = work.once(document)
        # JSON keeps 1 and 1.0 and true apart; Python's == does not.
        if json.dumps(following) == json.dumps(document):
            return Redacted(document, tuple(work.changes), tuple(work.known()))
        document = following


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    text: str
    rule: str


@dataclass(frozen=True, slots=True)
class _Search:
    """What finds known values in any spelling. `values`: a spelling to its value, None where it is encoded."""

    pattern: re.Pattern[str]
    values: Mapping[str, str | None]


class _Work:
    """What was learnt about one document: which values are secret, and what stands for each."""

    def __init__(self, policy: Policy, symbols: Symbols) -> None:
        self.changes: list[Change] = []
        self._policy = policy
        # The second round, and the check of a clean recording, see the same texts again.
        self._secrets_in = cache(partial(secrets_in, policy=policy))
        self._symbols = symbols
        self._names = {value: name for value, name in policy.named.items() if tells(value)}
        self._everywhere = {*self._names, *(secret for secret in policy.secrets if secret)}
        self._phones: set[str] = set()

    def known(self) -> list[str]:
        """Every value that must not be found again, the longest first."""
        return sorted(self._everywhere, key=lambda value: (-len(value), value))

    def once(self, document: JsonValue) -> JsonValue:
        """One round: learn what is secret, then replace it."""
        finds: dict[Place, tuple[Find, ...]] = {}
        left: list[str] = []

        def learn(text: str, place: Place) -> str:
            if place.slot.kind == "phone" and is_phone(text):
                self._phones.add(text)
                return text
            if found := self._secrets_in(text, place.slot):
                finds[place] = found
            left.append(masked(text, (find.span for find in found if find.span)))
            return text

        def replace(text: str, place: Place) -> str:
            return self._replaced(text, place, finds.get(place, ()), search)

        Walk(self._policy, learn, lambda _: None).document(document)
        # A slot's name says more than a shape's: it is heard first.
        for find in sorted((f for found in finds.values() for f in found), key=lambda f: not f.by_slot):
            self._names.setdefault(find.value, find.name)
            if tells(find.value):
                self._everywhere.add(find.value)
        search = self._search("\n".join(left))
        following: JsonValue = Walk(self._policy, replace, self._dropped).document(document)
        return following

    def _dropped(self, pointer: str) -> None:
        self.changes.append(Change(pointer, "header"))

    def _search(self, left: str) -> _Search | None:
        """What finds the known values that still stand in the text `left`; None where none does."""
        values: dict[str, str | None] = {}
        patterns: dict[str, str] = {}
        for value in self.known():
            if len(value) < SHORT:
                values[value] = value
                patterns[value] = whole_word(value)
                continue
            for encoding, needles in spellings(value).items():
                plain = encoding in {"raw", "percent", "json-escaped"}
                for needle in (needle for needle in needles if needle in left):
                    values.setdefault(needle, value if plain else None)
                    patterns.setdefault(needle, re.escape(needle))
        for phone in sorted(self._phones):
            for spelt in (phone, quote(phone, safe="")):
                if len(phone) >= 9 and spelt in left:
                    values.setdefault(spelt, phone)
                    patterns.setdefault(spelt, rf"(?<![0-9]){re.escape(spelt)}(?![0-9])")
        longest_first = sorted(patterns, key=lambda needle: (-len(needle), needle))
        return _Search(re.compile("|".join(map(patterns.__getitem__, longest_first))), values) if patterns else None

    def _replaced(self, text: str, place: Place, finds: tuple[Find, ...], search: _Search | None) -> str:
        if place.slot.kind == "phone" and text in self._phones:
            self.changes.append(Change(place.pointer, "phone"))
            return self._symbols.phone(text)
        edits = [_Edit(*find.span, self._symbol(find.value), find.rule) for find in finds if find.span]
        seen = masked(text, [*placeholders(text), *((edit.start, edit.end) for edit in edits)])
        if search:
            by_value = list(self._by_value(seen, search))
            seen = masked(seen, ((edit.start, edit.end) for edit in by_value))
            edits += by_value
        if place.slot.kind != "binary" and ("@" in seen or "40" in seen):
            edits += self._people(seen)
        if not edits:
            return text
        self.changes += (Change(place.pointer, edit.rule) for edit in edits)
        return _edited(text, edits, [(0, len(text))] if place.slot.kind == "url" else None)

    def _by_value(self, seen: str, search: _Search) -> Iterator[_Edit]:
        at = 0
        while found := search.pattern.search(seen, at):
            start, at = found.span()
            value = search.values[found[0]]
            if value is None:
                # An encoded secret is part of something longer, which cannot be kept without its middle.
                start = _reach(seen, start, -1)
                at = _reach(seen, at, +1)
                value = seen[start:at]
                self._names.setdefault(value, "encoded")
            symbol = self._symbol(value)
            spelt = quote(symbol, safe="") if found[0] != value and "%" in found[0] else symbol
            yield _Edit(start, at, spelt, "phone" if value in self._phones else self._names.get(value, "secret"))

    def _people(self, seen: str) -> Iterator[_Edit]:
        for found in re.finditer(EMAIL, seen):
            local, at, domain = found.group("local", "at", "domain")
            if is_person(local, domain):
                yield _Edit(*found.span(), self._symbols.person(f"{unquote(local)}@{domain}", at), "email")

    def _symbol(self, value: str) -> str:
        """What stands for a secret or a phone number."""
        if value in self._phones:
            return self._symbols.phone(value)
        return self._symbols.secret(self._names.setdefault(value, "secret"), value)


def _reach(text: str, at: int, step: int) -> int:
    """How far a run of base64 or hex characters goes from here."""
    while 0 <= (here := at if step > 0 else at - 1) < len(text) and re.fullmatch(RUN, text[here]):
        at += step
    return at


def _edited(text: str, edits: list[_Edit], urls: list[tuple[int, int]] | None) -> str:
    """The text with its edits; inside a URL a placeholder is percent-encoded."""
    urls = urls or [found.span() for found in re.finditer(IN_URL, text)]
    parts: list[str] = []
    at = 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        in_url = any(start <= edit.start < end for start, end in urls)
        new = quote(edit.text, safe="") if in_url and PLACEHOLDER.fullmatch(edit.text) else edit.text
        parts += [text[at : edit.start], new]
        at = edit.end
    return "".join([*parts, text[at:]])
