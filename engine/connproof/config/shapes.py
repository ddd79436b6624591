"""The parts of a config that say what shape things have: how a body is read, and where custom fields stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connproof.config.notes import Notes
from connproof.documents import PLATFORM_BASE, child
from connproof.model import CustomFields, CustomSource, FieldRule, Format, XmlFormat
from connproof.places import Place

__all__ = ["read_custom_fields", "read_decode"]


def read_decode(said: Mapping[str, Any], pointer: str, notes: Notes) -> Format | None:
    """The word `decode` of a connector or an operation."""
    words = said.get("decode")
    if not isinstance(words, dict):
        chosen: Format | None = XmlFormat() if words == "xml" else words
        return chosen
    pointer = f"{pointer}/decode"
    prefix, text = words.get("attribute_prefix", "@"), words.get("text", "#text")
    if text.startswith(prefix):
        notes.wrong(f"{pointer}/text", f"begins as attributes do, with {prefix!r}", "an attribute could have this name")
    namespaces = words.get("namespaces", "strip")
    return XmlFormat(
        force_list=_elements(words, "force_list", pointer, notes),
        attributes=words.get("attributes", "keep"),
        attribute_prefix=prefix,
        text=text,
        namespaces=tuple(namespaces.items()) if isinstance(namespaces, dict) else namespaces,
        booleans=_elements(words, "booleans", pointer, notes),
    )


def _elements(said: Mapping[str, Any], word: str, pointer: str, notes: Notes) -> tuple[Place, ...]:
    found = []
    for index, text in enumerate(said.get(word, ())):
        at = child(f"{pointer}/{word}", index)
        place = notes.place(text, at)
        if place is None:
            continue
        if not place.steps or any(not isinstance(step, str) for step in place.steps):
            notes.wrong(at, "is a path of element names alone", "lists on the way are looked into")
        else:
            found.append(place)
    return tuple(found)


def read_custom_fields(said: Mapping[str, Any], pointer: str, notes: Notes) -> CustomFields | None:
    """The word `custom_fields` of a unified mapping. Of several layers it is the last one's that gave a part of it."""
    if "custom_fields" not in said:
        return None
    words, pointer = said["custom_fields"], f"{pointer}/custom_fields"
    parts = [notes.source.standing(at) for at in _pointers(words, pointer)]
    at = max(parts, key=lambda part: _LEVELS.index(part.level.partition(":")[0]))  # of equals the outermost
    rule = FieldRule(words.get("into", "custom_fields"), "(custom fields)", at.pointer, at.line, at.level, at.document)
    sources, at_sources = words["from"], f"{pointer}/from"
    if isinstance(sources, dict):
        return CustomFields(rule, (_source(sources, at_sources, notes),))
    return CustomFields(rule, tuple(_source(one, child(at_sources, n), notes) for n, one in enumerate(sources)))


_LEVELS = (PLATFORM_BASE, "environment", "account")


def _pointers(value: Any, pointer: str) -> Iterator[str]:
    yield pointer
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _pointers(inner, child(pointer, name))


def _source(said: Mapping[str, Any], pointer: str, notes: Notes) -> CustomSource:
    keys = said.get("keys", {})
    bare = said.get("names") == "bare"
    if "at" not in said and "keys" not in said:
        notes.wrong(pointer, "would take the whole record", 'say "at", or which "keys"')
    if bare and not keys.keys() & {"prefix", "suffix"}:
        notes.wrong(f"{pointer}/names", 'says nothing without a "prefix" or a "suffix" among the keys')
    if "value" in said and "typed_by" in said:
        notes.wrong(f"{pointer}/typed_by", 'stands beside "value"', "keep the one that counts")
    if "key" in said and "at" not in said:
        notes.wrong(f"{pointer}/key", "is of a list's elements, and no list is named", 'say "at"')
    if "key" in said and not said.keys() & {"value", "typed_by"}:
        notes.wrong(f"{pointer}/key", "says where the name stands, and nothing where the value does", 'say "value"')
    if "pattern" in keys:
        notes.pattern(keys["pattern"], f"{pointer}/keys/pattern")
    places = {word: notes.one_place(said[word], child(pointer, word)) for word in _PLACES if word in said}
    return CustomSource(
        at=places.get("at") or Place.parse("$"),
        prefix=keys.get("prefix", ""),
        suffix=keys.get("suffix", ""),
        pattern=keys.get("pattern"),
        exceptions=frozenset(keys.get("except", ())),
        bare=bare,
        key=places.get("key"),
        value=places.get("value"),
        typed_by=places.get("typed_by"),
    )


_PLACES = ("at", "key", "value", "typed_by")
