"""Hold a document against its JSON Schema: every problem at once, in words a person can act on.

A valid document is recognised by jsonschema-rs, fast. Only a faulty one is read again by jsonschema,
whose errors say most. Unknown members are worked out here, because `unevaluatedProperties` also blames
the words of a branch that failed for another reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from connproof.documents import Source, child
from connproof.errors import Problem
from connproof.places import JsonValue

if TYPE_CHECKING:
    import jsonschema

__all__ = ["ShippedSchema", "nearest", "shipped"]

_CLASSES = {
    "object": "an object",
    "array": "a list",
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}


class ShippedSchema:
    """A JSON Schema (draft 2020-12) that ships with a package."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._fast = jsonschema_rs.Draft202012Validator(document)

    def problems(self, value: JsonValue, source: Source) -> list[Problem]:
        """Everything in the value that the schema refuses, in the document's order."""
        if self._fast.is_valid(value):
            return []
        validator = _explaining_validator()(self.document)
        found = {
            (problem.pointer, problem.message): problem
            for error in validator.iter_errors(value)
            for problem in _problems(error, validator, source)
        }
        # Should the two ever disagree, refusing is safe and silence is not.
        unexplained = [source.problem("", "is not what the schema allows")]
        return sorted(found.values(), key=lambda problem: (problem.line, problem.column)) or unexplained


@lru_cache(maxsize=16)
def shipped(package: str, name: str) -> ShippedSchema:
    """The schema `name` in the package's schema folder, read once."""
    text = files(package).joinpath("schema", f"{name}.schema.json").read_text(encoding="utf-8")
    return ShippedSchema(json.loads(text))


@lru_cache(maxsize=1)
def _explaining_validator() -> type[jsonschema.Draft202012Validator]:
    """The validator of jsonschema, but with the fast one's reading of patterns.

    Python's own has another dialect: its `$` lets a line break at the end through.
    """
    import jsonschema  # only a faulty document pays for the import

    def pattern(_validator: Any, pattern: str, seen: Any, _schema: Any) -> Iterator[jsonschema.ValidationError]:
        if not jsonschema_rs.is_valid({"pattern": pattern}, seen):
            yield jsonschema.ValidationError("does not match")

    extended: type[jsonschema.Draft202012Validator] = jsonschema.validators.extend(  # type: ignore[no-untyped-call]  # its stubs give it no types
        jsonschema.Draft202012Validator, {"pattern": pattern}
    )
    return extended


def nearest(word: str, words: Iterable[str]) -> str:
    """`did you mean "x"?`, or the valid words where none is near."""
    known = sorted(words)
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    return f'did you mean "{close[0]}"?' if close else f"known here: {', '.join(known)}"


def _problems(
    error: jsonschema.ValidationError, validator: jsonschema.Draft202012Validator, source: Source
) -> Iterator[Problem]:
    """One error of jsonschema as problems: what was expected, what was found, the nearest valid word."""
    pointer = ""
    for step in error.absolute_path:
        pointer = child(pointer, step)
    seen: Any = error.instance
    rule: Any = error.validator_value
    match error.validator:
        case "unevaluatedProperties" | "additionalProperties":
            known = _words(error.schema, seen, validator)
            for name in seen:
                if name not in known and not _type_is_unknown(error.schema, seen, validator):
                    yield source.problem(child(pointer, name), f'unknown member "{name}"', nearest(name, known))
        case "required":
            for name in rule:
                if name not in seen:
                    yield source.problem(pointer, f'"{name}" is missing')
        case "dependentRequired":
            for name, needed in rule.items():
                if name in seen:
                    yield from (
                        source.problem(child(pointer, name), f'"{name}" needs "{other}" beside it')
                        for other in needed
                        if other not in seen
                    )
        case "enum":
            words = [v for v in rule if isinstance(v, str)]
            hint = nearest(seen, words) if isinstance(seen, str) else f"known here: {', '.join(words)}"
            yield source.problem(pointer, f"{_shown(seen)} is not a valid word here", hint)
        case "type":
            kinds = rule if isinstance(rule, list) else [rule]
            yield source.problem(pointer, f"expected {_either(kinds)}, found {_class_of(seen)}")
        case "oneOf" | "anyOf":
            needed = [n for branch in rule if branch.keys() == {"required"} for n in branch["required"]]
            if needed and not isinstance(seen, dict):
                return  # what it is instead is told by the rule of its class
            meant = next((index for index, branch in enumerate(rule) if _admits(branch, seen, validator)), None)
            if not needed and meant is not None:
                # Of several forms the one that is of this class was meant: what keeps it from being that is told.
                for inner in error.context or ():
                    if inner.relative_schema_path[0] == meant:
                        yield from _problems(inner, validator, source)
            elif needed:
                given = [name for name in needed if name in seen]
                said = f"not {' and '.join(given)} together" if given else "one is needed"
                yield source.problem(pointer, f"expected one of {', '.join(needed)}: {said}")
            else:
                yield source.problem(pointer, f"{_shown(seen)} is none of the forms that may stand here")
        case "pattern":
            # Under propertyNames the instance is the name itself: point at the member.
            at = child(pointer, seen) if "propertyNames" in error.absolute_schema_path else pointer
            yield source.problem(at, f"{_shown(seen)} does not match {rule}")
        case "minProperties" | "minItems" | "minLength":
            yield source.problem(pointer, "is empty" if not seen else f"is too short: {error.validator} is {rule}")
        case "uniqueItems":
            yield source.problem(pointer, "holds the same thing twice")
        case "minimum" | "maximum" | "maxLength" | "maxItems":
            yield source.problem(pointer, f"{_shown(seen)} is out of range: {error.validator} is {rule}")
        case _:
            yield source.problem(pointer, f"{_shown(seen)} fails {error.validator} {rule!r:.80}")


def _resolved(schema: Any, validator: jsonschema.Draft202012Validator) -> Any:
    definitions: Any = validator.schema
    while isinstance(schema, dict) and "$ref" in schema:
        named = schema["$ref"].removeprefix("#/$defs/")
        schema = {**definitions["$defs"][named], **{k: v for k, v in schema.items() if k != "$ref"}}
    return schema


def _words(schema: Any, instance: Any, validator: jsonschema.Draft202012Validator) -> set[str]:
    """The member names that this schema knows for this instance, through $ref, allOf and if/then."""
    schema = _resolved(schema, validator)
    words = set(schema.get("properties", ()))
    for part in schema.get("allOf", ()):
        words |= _words(part, instance, validator)
    if "if" in schema and "then" in schema and validator.evolve(schema=schema["if"]).is_valid(instance):
        words |= _words(schema["then"], instance, validator)
    return words


def _type_is_unknown(schema: Any, instance: Any, validator: jsonschema.Draft202012Validator) -> bool:
    """Whether a word that chooses the branch is itself wrong: then no other word can be judged."""
    chooser = _resolved(schema, validator).get("properties", {}).get("type", {})
    return "enum" in chooser and instance.get("type") not in chooser["enum"]


def _admits(schema: Any, seen: Any, validator: jsonschema.Draft202012Validator) -> bool:
    """Whether a form is of the class of what was seen."""
    schema = _resolved(schema, validator)
    if "type" in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        return any(validator.is_type(seen, kind) for kind in kinds)
    if "enum" in schema:
        return any(type(word) is type(seen) for word in schema["enum"])
    return any(_admits(branch, seen, validator) for branch in schema.get("anyOf", ()))


def _either(kinds: list[str]) -> str:
    *most, last = [_CLASSES.get(kind, kind) for kind in kinds]
    return f"{', '.join(most)} or {last}" if most else last


def _class_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, dict):
        return "an object"
    return {int: "an integer", float: "a number", str: "a string", list: "a list"}[type(value)]


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return _class_of(value)
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:60]}..."
