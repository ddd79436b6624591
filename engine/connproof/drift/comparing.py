"""A declared shape against a seen one: every difference, and how much it matters.

What the config reads decides: a difference at, above or, where a value is taken as a whole, below a place that
it reads blocks; any other is a warning or a note. A place that was not seen proves nothing: fewer documents than
the contract was made from are no drift.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from connproof.drift.reads import Read
from connproof.drift.shapes import FORMATS, Seen, is_word

__all__ = ["Difference", "Kind", "Severity", "compare"]

Kind: TypeAlias = Literal["new", "removed", "retyped", "reformatted", "enum", "no_longer_required", "newly_required"]
Severity: TypeAlias = Literal["block", "warn", "note"]

_ELEMENT: Final = 0
_MEMBER: Final = 1
_Step: TypeAlias = str | int  # a member's name, any element, any member of a map

# That a member stands in every object is told from many objects alone.
_ENOUGH_OBJECTS: Final = 20
_MOST_SHOWN: Final = 4
_PLAIN = re.compile(r"[^\W\d][\w]*")


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. `path` is written as the config writes places, `.*` for any member of a map.

    `read_by` are the pointers of the config's words that read the place, () where none does.
    """

    kind: Kind
    path: str
    expected: str
    seen: str
    severity: Severity
    read_by: tuple[str, ...] = ()


def compare(contract: Mapping[str, Any], seen: Seen, reads: Sequence[Read] = ()) -> tuple[Difference, ...]:
    """What was seen and is not as the contract says, in the order of the contract's places.

    `contract` is a schema as `Seen.schema` writes it, and may leave out any word of it: what it does not say may
    be anything. `reads` are the places that matter.
    """
    return tuple(_Comparing(reads).walk(contract, seen, ()))


class _Comparing:
    def __init__(self, reads: Sequence[Read]) -> None:
        self._reads = reads

    def walk(self, contract: Mapping[str, Any], seen: Seen, at: tuple[_Step, ...]) -> Iterator[Difference]:
        if "type" in contract:
            allowed = _types(contract)
            others = [kind for kind in seen.kinds if kind not in allowed and not _is_an_integer(kind, allowed)]
            counted = ", ".join(f"{kind} ({_of(seen.types[kind], seen.count)})" for kind in others)
            if others and allowed == ["null"]:
                yield self._found("new", at, "null alone", counted)
            elif others:
                yield self._found("retyped", at, " or ".join(allowed), counted)
        if seen.objects:
            yield from self._members(contract, seen, at)
        if seen.elements is not None and "array" in _types(contract):
            if "items" in contract:
                yield from self.walk(contract["items"], seen.elements, (*at, _ELEMENT))
            else:
                yield self._found("new", (*at, _ELEMENT), "no element", _shape(seen.elements))
        if seen.texts.count and "string" in _types(contract):
            yield from self._texts(contract, seen, at)

    def _members(self, contract: Mapping[str, Any], seen: Seen, at: tuple[_Step, ...]) -> Iterator[Difference]:
        declared: Mapping[str, Any] = contract.get("properties", {})
        required = frozenset(contract.get("required", ()))
        for name in sorted(declared.keys() | required):
            below, here = seen.members.get(name), (*at, name)
            if below is None:
                if name in required:
                    yield self._found("removed", here, "in every object", f"in none of {_count(seen.objects)}")
                continue
            if name in required and below.count < seen.objects:
                yield self._found("no_longer_required", here, "in every object", f"in {_of(below.count, seen.objects)}")
            if name not in required and below.count == seen.objects >= _ENOUGH_OBJECTS:
                yield self._found("newly_required", here, "in some objects", f"in all {_count(seen.objects)}")
            yield from self.walk(declared.get(name, {}), below, here)
        others = sorted(seen.members.keys() - declared.keys() - required)
        anything = contract.get("additionalProperties")
        if isinstance(anything, Mapping) and others:
            yield from self.walk(anything, seen.any_member(others), (*at, _MEMBER))
        elif anything is None and "object" in _types(contract):
            for name in others:
                below = seen.members[name]
                told = f"{_shape(below)}, in {_of(below.count, seen.objects)}"
                yield self._found("new", (*at, name), "not there", told)

    def _texts(self, contract: Mapping[str, Any], seen: Seen, at: tuple[_Step, ...]) -> Iterator[Difference]:
        formats = seen.texts.formats or ()
        if "format" in contract and contract["format"] not in formats:
            yield self._found("reformatted", at, contract["format"], " or ".join(formats) or "texts of another form")
        if "enum" in contract:
            words = seen.texts.words
            if words is None:
                yield self._found("enum", at, _listed(contract["enum"]), "many other texts")
            elif others := sorted(words.keys() - set(contract["enum"])):
                yield self._found("enum", at, _listed(contract["enum"]), _listed(others))

    def _found(self, kind: Kind, at: tuple[_Step, ...], expected: str, seen: str) -> Difference:
        reading = [(read, nearness) for read in self._reads if (nearness := _nearness(read, at))]
        read_by = tuple(dict.fromkeys(read.pointer for read, _ in reading))
        known = expected == "null alone" or all(nearness == "below" for _, nearness in reading)
        severity = _severity(kind, read=bool(reading), known=known)
        return Difference(kind, _written(at), expected, seen, severity, read_by)


def _severity(kind: Kind, *, read: bool, known: bool) -> Severity:
    """What a difference means for who reads the place. `known`: only a part of what is there is new.

    A set of words was told from the words that were met: another one is news, not a breach. That a member now stands
    everywhere breaks nobody. What is new in a value that is taken as a whole, or where null alone was met, goes
    the way of the rest.
    """
    if kind == "newly_required":
        return "note"
    if kind == "enum" or (kind == "new" and known):
        return "warn" if read else "note"
    if kind == "new":
        return "block" if read else "note"
    return "block" if read else "warn"


def _nearness(read: Read, at: tuple[_Step, ...]) -> Literal["at", "below"] | None:
    """Whether a place is, or leads to, what is read ("at"), or is a part of it that is read with it ("below")."""
    names = [step for step in at if step is not _ELEMENT]
    if any(step != name and step is not _MEMBER for step, name in zip(names, read.names, strict=False)):
        return None
    if len(names) <= len(read.names):
        return "at"
    return "below" if read.whole else None


def _written(at: tuple[_Step, ...]) -> str:
    text = ""
    for step in at:
        if step is _ELEMENT:
            text += "[*]"
        elif step is _MEMBER:
            text += ".*"
        elif _PLAIN.fullmatch(str(step)):
            text += f".{step}"
        else:
            quoted = str(step).replace("\\", "\\\\").replace('"', '\\"')
            text += f'["{quoted}"]'
    return text.removeprefix(".") or "$"


def _types(contract: Mapping[str, Any]) -> list[str]:
    """The types that a contract allows. One that names none lets everything through, and looks into nothing."""
    said = contract.get("type", [])
    return said if isinstance(said, list) else [said]


def _is_an_integer(kind: str, allowed: list[str]) -> bool:
    return kind == "integer" and "number" in allowed


def _shape(seen: Seen) -> str:
    kinds = " or ".join(seen.kinds)
    form = seen.texts.formats[0] if seen.texts.formats and "string" in seen.types else ""
    return f"{kinds} ({form})" if form in FORMATS else kinds


def _listed(words: Sequence[Any]) -> str:
    """Words of a set; of what is no word, that it is none: it may be anybody's name."""
    shown = [word if isinstance(word, str) and (not word or is_word(word)) else "(another text)" for word in words]
    told = [f'"{word}"' if word != "(another text)" else word for word in dict.fromkeys(shown)]
    more = f" and {len(told) - _MOST_SHOWN} more" if len(told) > _MOST_SHOWN else ""
    return ", ".join(told[:_MOST_SHOWN]) + more


def _of(part: int, whole: int) -> str:
    return f"all {whole}" if part == whole else f"{part} of {whole}"


def _count(objects: int) -> str:
    return f"{objects} object" + ("s" if objects != 1 else "")
