"""Lead through a recording's document: every text in it, with what stands there."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from connproof.documents import child
from pytest_connproof.redact.names import TEXT, Slot, bare, holds_the_value, is_recorded, slot_of
from pytest_connproof.redact.policy import Policy
from pytest_connproof.redact.proving import unzipped
from pytest_connproof.redact.symbols import is_own_phone


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands, and what it is."""

    pointer: str
    slot: Slot


Visit: TypeAlias = Callable[[str, Place], str]
_Step: TypeAlias = Callable[[Any, str], Any]


class Walk:
    """One walk over a document: the same document with each text as `visit` gives it back."""

    def __init__(self, policy: Policy, visit: Visit, drop: Callable[[str], None]) -> None:
        self._policy = policy
        self._visit = visit
        self._drop = drop

    def document(self, document: Any) -> Any:
        return self._members(document, "", {"provenance": self._json, "lanes": self._each(self._lane)})

    def _members(self, value: Any, pointer: str, steps: Mapping[str, _Step]) -> Any:
        return {
            name: steps[name](inner, child(pointer, name)) if name in steps else inner for name, inner in value.items()
        }

    def _each(self, step: _Step) -> _Step:
        def every(value: Any, pointer: str) -> Any:
            return [step(inner, child(pointer, number)) for number, inner in enumerate(value)]

        return every

    def _lane(self, lane: Any, pointer: str) -> Any:
        exchanges = self._each(self._exchange)
        return self._members(lane, pointer, {"id": self._json, "call": self._call, "exchanges": exchanges})

    def _call(self, call: Any, pointer: str) -> Any:
        return self._members(call, pointer, {"params": self._json, "query": self._parameters, "body": self._json})

    def _exchange(self, exchange: Any, pointer: str) -> Any:
        steps: dict[str, _Step] = {"id": self._json, "request": self._message, "response": self._message}
        return self._members(exchange, pointer, steps)

    def _message(self, message: Any, pointer: str) -> Any:
        steps: dict[str, _Step] = {
            "url": self._url,
            "query": self._parameters,
            "headers": self._headers,
            "json": self._json,
            "form": self._parameters,
            "text": self._lines,
            "base64": self._bytes,
        }
        return self._members(message, pointer, steps)

    def _url(self, url: str, pointer: str) -> str:
        return self._visit(url, Place(pointer, Slot("url")))

    def _parameters(self, pairs: list[list[str]], pointer: str) -> list[list[str]]:
        beside = frozenset(bare(name) for name, _ in pairs)
        replaced = []
        for number, (name, value) in enumerate(pairs):
            at = child(pointer, number)
            slot = slot_of(name, self._policy, "parameter", beside=beside)
            texts = ((name, Place(f"{at}/0", Slot("name"))), (value, Place(f"{at}/1", slot)))
            replaced.append([self._visit(text, place) for text, place in texts])
        return replaced

    def _headers(self, pairs: list[list[str]], pointer: str) -> list[list[str]]:
        kept = []
        for number, (name, value) in enumerate(pairs):
            at = child(pointer, number)
            if is_recorded(name, self._policy):
                slot = slot_of(name, self._policy, "header")
                kept.append([name, self._visit(value, Place(f"{at}/1", slot))])
            else:
                self._drop(at)
        return kept

    def _lines(self, lines: list[str], pointer: str) -> list[str]:
        return self._visit("\n".join(lines), Place(pointer, TEXT)).split("\n")

    def _bytes(self, text: str, pointer: str) -> str:
        data = base64.b64decode(text)
        inner = unzipped(data)
        seen = (data if inner is None else inner).decode("latin-1")
        said = self._visit(seen, Place(pointer, Slot("binary")))
        if said == seen:
            return text
        changed = said.encode("latin-1")
        return base64.b64encode(changed if inner is None else gzip.compress(changed, mtime=0)).decode()

    def _json(self, value: Any, pointer: str, slot: Slot = TEXT, parent: str = "") -> Any:
        if isinstance(value, str):
            return self._visit(value, Place(pointer, slot))
        if isinstance(value, list):
            return [self._json(inner, child(pointer, number), slot, parent) for number, inner in enumerate(value)]
        if isinstance(value, dict):
            return self._object(value, pointer, slot, parent)
        if isinstance(value, int) and abs(value) > 99_999:
            digits = str(value)
            said = self._visit(digits, Place(pointer, TEXT if slot.kind == "weak" else slot))
            return value if said == digits else int(said) if is_own_phone(said) else said
        return value

    def _object(self, members: dict[str, Any], pointer: str, above: Slot, parent: str) -> dict[str, Any]:
        beside = frozenset(map(bare, members))
        # {"name": "password", "value": "..."}
        called = next((members[word] for word in ("name", "key") if isinstance(members.get(word), str)), "")
        replaced = {}
        for name, inner in members.items():
            at = child(pointer, name)
            slot = slot_of(name, self._policy, "member", beside=beside, parent=parent)
            if slot == TEXT and holds_the_value(name):
                slot = slot_of(called, self._policy, "member", parent=parent) if above == TEXT else above
            replaced[self._visit(name, Place(at, Slot("name")))] = self._json(inner, at, slot, name)
        return replaced
