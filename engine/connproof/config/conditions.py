"""The parts of a config that look at a response: conditions, error rules, and where answers name things."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from connproof.config.notes import Notes
from connproof.documents import child
from connproof.model import Condition, Elements, ErrorRule, Trait, Words
from connproof.places import Place

__all__ = ["read_condition", "read_elements", "read_errors", "read_words"]


def read_errors(said: list[dict[str, Any]], pointer: str, notes: Notes) -> tuple[ErrorRule, ...]:
    """The rules of `errors`, in their order."""
    return tuple(
        ErrorRule(
            when=read_condition(rule["when"], f"{at}/when", notes),
            means=rule["means"],
            pointer=at,
            code=read_words(rule["code"], f"{at}/code", notes) if "code" in rule else None,
            message=read_words(rule["message"], f"{at}/message", notes) if "message" in rule else None,
        )
        for index, rule in enumerate(said)
        for at in [child(pointer, index)]
    )


def read_condition(said: dict[str, Any], pointer: str, notes: Notes) -> Condition:
    """A condition, its paths parsed and its patterns tried."""
    statuses = said.get("status", [])
    if "text" in said:
        notes.pattern(said["text"], f"{pointer}/text")
    return Condition(
        # JSON Schema calls 429.0 an integer.
        statuses=tuple(
            int(said) if isinstance(said, float) else said
            for said in (statuses if isinstance(statuses, list) else [statuses])
        ),
        headers=tuple(
            (name.lower(), _as_text(_trait(trait, child(f"{pointer}/header", name), notes)))
            for name, trait in said.get("header", {}).items()
        ),
        body=_traits(said.get("body", {}), f"{pointer}/body", notes),
        text=said.get("text"),
    )


def read_words(said: Any, pointer: str, notes: Notes) -> Words:
    """Where an answer names something: a path, a header, or a list of both."""
    found: list[Place | str] = []
    for index, one in enumerate(said if isinstance(said, list) else [said]):
        at = child(pointer, index) if isinstance(said, list) else pointer
        if isinstance(one, dict):
            found.append(one["header"].lower())
        elif (place := notes.place(one, at)) is not None:
            found.append(place)
    return Words(tuple(found))


def read_elements(said: dict[str, Any], pointer: str, notes: Notes) -> Elements:
    """The words of `elements`."""

    def place(word: str) -> Place | None:
        return notes.place(said[word], child(pointer, word)) if word in said else None

    def words(word: str) -> Words:
        return read_words(said[word], child(pointer, word), notes) if word in said else Words()

    return Elements(
        pointer=pointer,
        at=place("at"),
        failed=_traits(said.get("failed", {}), f"{pointer}/failed", notes),
        failures_at=place("failures_at"),
        id=place("id"),
        status=place("status"),
        code=words("code"),
        message=words("message"),
    )


def _traits(said: Mapping[str, Any], pointer: str, notes: Notes) -> tuple[tuple[Place, Trait], ...]:
    found: list[tuple[Place, Trait]] = []
    for path, trait in said.items():
        at = child(pointer, path)
        place = notes.place(path, at)
        if place is not None:
            found.append((place, _trait(trait, at, notes)))
    return tuple(found)


def _trait(said: Any, pointer: str, notes: Notes) -> Trait:
    if isinstance(said, list):
        return Trait(equals=tuple(said))
    if not isinstance(said, dict):
        return Trait(equals=(said,))
    if "matches" in said:
        notes.pattern(said["matches"], f"{pointer}/matches")
    return Trait(matches=said.get("matches"), present=said.get("present"), blank=said.get("blank"))


def _as_text(trait: Trait) -> Trait:
    """A header is a text: `"x-remaining": 0` means the text "0"."""
    return replace(trait, equals=tuple(one if isinstance(one, str) else json.dumps(one) for one in trait.equals))
