"""A unified model: its JSON Schema from disk, and records held against it.

A violation is told by field, by what the schema expects and by the kind of what was seen; a value
of the record never appears in it.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jsonschema_rs

from connproof.errors import ConfigWrong, Problem
from connproof.places import ABSENT, Absent, JsonValue

__all__ = ["Model", "Violation", "as_list", "kind_of", "load_model"]

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_SUFFIX: Final = ".schema.json"


def load_model(folder: Path, model: str) -> JsonValue:
    """The JSON Schema of a model such as `crm.contact`: `<folder>/crm/contact.schema.json`.

    Raises ConfigWrong: no such model (it lists those there are), not JSON, no JSON Schema, or no
    `x-key` that names one of its properties.
    """
    if _NAME.fullmatch(model) is None:
        raise _wrong(str(folder), f"{model!r} is no model's name", "a model is <category>.<model>, such as crm.contact")
    file = folder / f"{model.replace('.', '/')}{_SUFFIX}"
    try:
        schema: JsonValue = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise _wrong(str(folder), f"there is no model {model!r}", _models_in(folder)) from None
    except UnicodeDecodeError as error:
        raise _wrong(str(file), f"not UTF-8: {error.reason} at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise ConfigWrong(str(file), [Problem("", error.lineno, error.colno, f"not JSON: {error.msg}")]) from error
    try:
        loaded = Model(schema)
    except ValueError as error:
        raise _wrong(str(file), str(error)) from error
    if not isinstance(schema, dict) or schema.get("x-key") not in loaded.fields:
        raise _wrong(str(file), '"x-key" names none of its properties', "name the property that identifies a record")
    return schema


def _models_in(folder: Path) -> str:
    found = sorted(folder.glob(f"*/*{_SUFFIX}"))
    names = [f"{file.parent.name}.{file.name.removesuffix(_SUFFIX)}" for file in found]
    return f"the models are {', '.join(names)}" if names else "there are no models in this folder"


def _wrong(document: str, message: str, hint: str = "") -> ConfigWrong:
    return ConfigWrong(document, [Problem("", 0, 0, message, hint)])


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that the schema does not allow. `field` is "" where the record as a whole is meant."""

    field: str
    where: str  # JSON pointer within the record
    expected: str
    seen: str


class Model:
    """A schema compiled once. `lists` are the fields whose own `type` says array, or array or null."""

    def __init__(self, schema: JsonValue) -> None:
        """Compile. Raises ValueError for what is no JSON Schema, or refers to one elsewhere."""
        if not isinstance(schema, dict):
            raise ValueError(f"a model's schema must be an object, this is {kind_of(schema)}")  # noqa: TRY004 - one class for all
        try:
            self._validator = jsonschema_rs.validator_for(schema, validate_formats=True, retriever=_retrieve_nothing)
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            raise ValueError(f"not a JSON Schema: {str(error).splitlines()[0]}") from error
        self._schema = schema
        properties = schema.get("properties")
        self.fields: dict[str, JsonValue] = properties if isinstance(properties, dict) else {}
        self.lists = frozenset(name for name, rule in self.fields.items() if _is_array(rule))
        closed = schema.get("additionalProperties") is False or schema.get("unevaluatedProperties") is False
        self._closed = closed and not any(word in schema for word in ("$ref", "allOf", "patternProperties"))

    def unknown(self, names: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Each name that the closed model does not have, with the way out."""
        for name in names:
            if self._closed and name not in self.fields:
                near = difflib.get_close_matches(name, self.fields, n=1)
                yield name, f"did you mean {near[0]}?" if near else f"its fields are {', '.join(self.fields)}"

    def missing(self, names: Iterable[str]) -> list[str]:
        """Each field that the model requires and the names do not have."""
        mapped = set(names)
        required = self._schema.get("required")
        return [str(name) for name in required if name not in mapped] if isinstance(required, list) else []

    def violations(self, record: dict[str, JsonValue]) -> list[Violation]:
        """What the schema does not allow, in the record's own order of fields."""
        if self._validator.is_valid(record):
            return []
        order = {name: position for position, name in enumerate(record)}
        found = [self._violation(error, record) for error in self._validator.iter_errors(record)]
        return sorted(found, key=lambda violation: order.get(violation.field, len(order)))

    def _violation(self, error: jsonschema_rs.ValidationError, record: dict[str, JsonValue]) -> Violation:
        keyword, expected = self._rule(error.schema_path)
        path = list(error.instance_path)
        if keyword == "required":
            path.append(str(error.kind.as_dict()["property"]))
        where = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)
        return Violation(str(path[0]) if path else "", where, expected, kind_of(_at(record, path)))

    def _rule(self, path: Sequence[str | int]) -> tuple[str, str]:
        here: Any = self._schema
        for step in path:
            here = here[step]
        keyword = str(path[-1]) if path else ""
        shown = json.dumps(here) if isinstance(here, (str, int, float, bool)) or keyword in {"type", "enum"} else ""
        return keyword, f"{keyword} {shown}".strip()


def _is_array(rule: JsonValue) -> bool:
    kinds = rule.get("type") if isinstance(rule, dict) else None
    return kinds == "array" or (isinstance(kinds, list) and "array" in kinds and set(kinds) <= {"array", "null"})


def as_list(value: JsonValue | Absent) -> JsonValue:
    """A value where the schema says array, as JSONata's `[...]` forces it: nothing is [], one is a list of one.

    Null stays null, where `[...]` would give a list of null: whether null may stand is the schema's to say.
    """
    if isinstance(value, Absent):
        return []
    return value if value is None or isinstance(value, list) else [value]


def _at(record: JsonValue, path: Sequence[str | int]) -> JsonValue | Absent:
    here: Any = record
    for step in path:
        try:
            here = here[step]
        except (KeyError, IndexError):
            return ABSENT
    return here  # type: ignore[no-any-return]  # a part of a JsonValue


def kind_of(value: JsonValue | Absent) -> str:
    """The kind of a value, with its article, and nothing of its content."""
    if value is ABSENT:
        return "nothing"
    if value is None:
        return "null"
    kinds = {bool: "a boolean", int: "an integer", float: "a number", str: "a string", list: "an array"}
    return kinds.get(value.__class__, "an object")


def _retrieve_nothing(uri: str) -> Any:
    raise ValueError(f"the schema refers to {uri}; a model stands alone")
