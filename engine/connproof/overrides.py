"""Lay an environment's and an account's document over a connector's, and remember who gave each value.

A layer is a JSON Merge Patch (RFC 7396): a value given replaces, null removes, anything else stays. It may
touch only what `overridable` lists; whatever else it names is refused, all at once, before anything is
merged. What comes out shares no list or object with what went in, so that nothing done for one account
can be seen by another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from connproof.documents import Source, Standing, child, read_json
from connproof.errors import ConfigWrong, Problem
from connproof.places import JsonValue
from connproof.schemas import shipped

__all__ = ["MAX_LAYER_BYTES", "Layer", "LayeredSource", "lay", "merge_patch", "overridable", "read_layer"]

MAX_LAYER_BYTES: Final = 262_144  # ten times what a hundred fields with long expressions take

_ROOT: Final = "/overrides"  # where the patch stands in a layer's document

# Names that lead elsewhere in some language or format that a document passes through.
_REFUSED_NAMES: Final = frozenset({"", "$ref", "__class__", "__proto__", "constructor"})

_LISTED: Final = 8


@dataclass(frozen=True, slots=True)
class Layer:
    """One level's document as it is kept: {"overrides": {...}}. An account's may hold credentials beside them.

    `document` is what messages call it.
    """

    level: Literal["environment", "account"]
    name: str
    data: bytes = field(repr=False)
    document: str

    @property
    def label(self) -> str:
        """`environment:staging`: what a value's level is called."""
        return f"{self.level}:{self.name}"


class LayeredSource(Source):
    """Where each value of a merged document stands: in the document that gave it last.

    A problem is the uppermost layer's: all below it was judged before it was laid on.
    """

    __slots__ = ("_below", "_changed", "_label", "_top")

    def __init__(self, below: Source, top: Source, label: str, changed: frozenset[str]) -> None:
        super().__init__(below.name)
        self._below = below
        self._top = top
        self._label = label
        self._changed = changed

    def problem(self, pointer: str, message: str, hint: str = "") -> Problem:
        return self._top.problem(_ROOT + pointer, message, hint)

    def position(self, pointer: str) -> tuple[int, int]:
        return self._top.position(_ROOT + pointer) if self._gave(pointer) else self._below.position(pointer)

    def standing(self, pointer: str) -> Standing:
        if not self._gave(pointer):
            return self._below.standing(pointer)
        at = _ROOT + pointer
        return Standing(self._top.name, at, self._top.line(at), self._label)

    def _gave(self, pointer: str) -> bool:
        while pointer and pointer not in self._changed:
            pointer = pointer.rpartition("/")[0]
        return bool(pointer)


def read_layer(layer: Layer) -> tuple[dict[str, JsonValue], Source]:
    """A layer's patch, {} where it has none, and where it stands. Raises ConfigWrong.

    The source of an account's document has no text: nothing but its overrides leaves here.
    """
    if len(layer.data) > MAX_LAYER_BYTES:
        seen = f"is {len(layer.data):,} bytes long; a layer has at most {MAX_LAYER_BYTES:,}"
        raise ConfigWrong(layer.document, [Problem("", 0, 0, seen)])
    value, source = read_json(layer.data, layer.document)
    problems = shipped("connproof", layer.level).problems(value, source)
    if problems or not isinstance(value, dict):
        raise ConfigWrong(layer.document, problems)
    patch = value.get("overrides", {})
    assert isinstance(patch, dict), "the schema says so"
    return patch, source if layer.level == "environment" else source.without_text()


def lay(document: dict[str, Any], source: Source, layer: Layer) -> tuple[dict[str, Any], LayeredSource]:
    """The document with the layer on it, and where each value of it stands now.

    Raises ConfigWrong, with the layer's own lines: what `read_layer` raises, and everything in the layer
    that is not overridable or has a name that is refused.
    """
    patch, own = read_layer(layer)
    problems = [*_refused_names(patch, own, _ROOT), *_not_overridable(patch, own, "", overridable(document))]
    if problems:
        raise ConfigWrong(layer.document, sorted(problems, key=lambda problem: (problem.line, problem.column)))
    changed = set[str]()
    merged = _merged(document, patch, "", changed.add)
    assert isinstance(merged, dict), "an object was laid over an object"
    return merged, LayeredSource(source, own, layer.label, frozenset(changed))


def merge_patch(target: JsonValue, patch: JsonValue) -> JsonValue:
    """What RFC 7396 says that the patch makes of the target. It shares nothing with either.

    Members keep the target's order; new ones come after, in the patch's.
    """
    return _merged(target, patch, "", lambda _pointer: None)


def _merged(target: JsonValue, patch: JsonValue, pointer: str, changed: Callable[[str], object]) -> JsonValue:
    """Merge, and tell the pointer of each value that the patch gives or removes."""
    if not isinstance(patch, dict):
        changed(pointer)
        return _copied(patch)
    if not isinstance(target, dict):
        changed(pointer)
        target = {}
    merged: dict[str, JsonValue] = {}
    for name in [*target, *(name for name in patch if name not in target)]:
        at = child(pointer, name)
        if name not in patch:
            merged[name] = _copied(target[name])
        elif patch[name] is not None:
            merged[name] = _merged(target.get(name), patch[name], at, changed)
        else:
            changed(at)
    return merged


def _copied(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {name: _copied(inside) for name, inside in value.items()}
    return [_copied(inside) for inside in value] if isinstance(value, list) else value


def overridable(document: dict[str, Any]) -> tuple[str, ...]:
    """The JSON pointers of what a layer may give, replace or remove in a valid connector document.

    The mappings, each page size beside a pagination that is there, and what an operation declares.
    """
    found = ["/unified"]
    if "pagination" in document:
        found.append("/pagination/default_page_size")
    for resource, operations in document["resources"].items():
        for name, said in operations.items():
            at = child(child("/resources", resource), name)
            if "pagination" in said:
                found.append(f"{at}/pagination/default_page_size")
            for word in said.get("overridable", ()):
                part, _, member = word.partition(".")
                found.append(child(f"{at}/{part}", member))
    return tuple(found)


def _not_overridable(
    patch: dict[str, JsonValue], source: Source, pointer: str, allowed: tuple[str, ...]
) -> Iterator[Problem]:
    for name, value in patch.items():
        at = child(pointer, name)
        if at in allowed:
            continue
        inside = tuple(other for other in allowed if other.startswith(f"{at}/"))
        if inside and isinstance(value, dict):
            yield from _not_overridable(value, source, at, inside)
        elif name not in _REFUSED_NAMES:  # which is said already
            said = "may not be removed by a layer" if value is None else "may not be overridden"
            near = inside or tuple(other for other in allowed if other.startswith(f"{pointer}/")) or allowed
            yield source.problem(_ROOT + at, said, f"overridable here: {_listed(near)}")


def _listed(pointers: tuple[str, ...]) -> str:
    more = f" and {len(pointers) - _LISTED} more" if len(pointers) > _LISTED else ""
    return ", ".join(pointers[:_LISTED]) + more


def _refused_names(value: JsonValue, source: Source, pointer: str) -> Iterator[Problem]:
    """Members that a layer never has, at any depth. The document's own depth is bounded."""
    if isinstance(value, dict):
        for name, inside in value.items():
            at = child(pointer, name)
            if name in _REFUSED_NAMES:
                yield source.problem(at, f"{name!r} may not be a member's name in a layer")
            yield from _refused_names(inside, source, at)
    elif isinstance(value, list):
        for index, element in enumerate(value):
            yield from _refused_names(element, source, child(pointer, index))
