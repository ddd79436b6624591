"""Read one answer of a provider into proposals: where its records stand, what identifies one, what leads on.

A proposal is a place at which the answer itself has something; where it has nothing that looks like one, there is none.
What is proposed holds no value of the answer: it may be a customer's.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from connproof.clock import SystemClock
from connproof.documents import read_json
from connproof.errors import CallWrong, ConfigWrong, MappingFailed
from connproof.mapping import compile_mapping
from connproof.model import FieldRule, UnifiedMapping
from connproof.places import JsonValue, Place
from pytest_connproof.foreign import har
from pytest_connproof.foreign.document import Part

__all__ = ["Sample", "as_expression", "read_sample"]

Record: TypeAlias = dict[str, JsonValue]

_MOST_BYTES: Final = 16 * 1024 * 1024
_DEEPEST: Final = 4  # members down to a listing; what lies deeper belongs to a record
_BESIDE_RECORDS: Final = frozenset({"errors", "included", "links", "messages", "warnings"})
_KEYS: Final = ("id", "uuid", "guid", "key")
_LAST_KEYS: Final = ("number", "code")  # people change them
_CURSORS: Final = frozenset(
    {
        "after",
        "continuation",
        "continuationtoken",
        "cursor",
        "endcursor",
        "nextafter",
        "nextcursor",
        "nextpagetoken",
        "nexttoken",
        "startingafter",
    }
)
_BACKWARD: Final = frozenset({"before", "first", "last", "prev", "previous", "self"})
_WRAPPERS: Final = ("attributes", "fields", "properties")
_UNSAYABLE: Final = re.compile(r"[\x00-\x1f]")  # in a name that no path can lead to
_URL: Final = re.compile(r"https?://|/|\?")
_PLAIN_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS_OF_JSONATA: Final = frozenset({"and", "false", "function", "in", "null", "or", "true"})


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer. `name` is what it is called in messages."""

    name: str
    body: JsonValue = field(repr=False)

    def records(self, response_path: str) -> list[Record]:
        """The records that stand at a path; none where no list of objects stands there."""
        try:
            found = Place.parse(response_path).find(self.body)
        except ValueError:
            return []
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []

    def response_path(self) -> str | None:
        """Where the records stand: of the lists of objects that are nearest to the root, the longest."""
        lists = [(len(names), -len(found), names) for names, found in _lists(self.body)]
        return as_path(min(lists)[2]) if lists else None

    def key(self, response_path: str) -> str | None:
        """The member that tells the records apart: a text or a number in each, no value twice."""
        records = self.records(response_path)
        places = {name: place for record in reversed(records) for place, (name, _) in enumerate(_sayable(record))}
        names = sorted(
            (name for name in places if _rank_of_key(name) is not None),
            key=lambda name: (_rank_of_key(name), places[name]),  # its own id stands before those of others
        )
        return next((as_path((name,)) for name in names if _tells_apart(name, records)), None)

    def next_url_field(self, response_path: str) -> str | None:
        """Where the URL of the next page stands."""
        return self._lead(response_path, url=True)

    def cursor_field(self, response_path: str) -> str | None:
        """Where a cursor of the next page stands."""
        return self._lead(response_path, url=False)

    def _lead(self, response_path: str, *, url: bool) -> str | None:
        found = [
            names
            for names, value in _scalars(self.body)
            if as_path(names) != response_path
            and not {_plain(name) for name in names} & _BACKWARD
            and (_is_next_url(names, value) if url else _is_cursor(names, value))
        ]
        return as_path(min(found, key=len)) if found else None

    def fields(self, schema: Mapping[str, JsonValue], response_path: str) -> dict[str, str]:
        """An expression for each field of a model that a member of the records is named as and has fit values for."""
        records = self.records(response_path)
        members = _members(records)
        properties = schema.get("properties")
        fields: dict[str, str] = {}
        for name in properties if isinstance(properties, dict) else ():
            path = members.get(_plain(name))
            forms = (as_expression(path), f"$id({as_expression(path)})") if path else ()
            fitting = next((form for form in forms if _fits(name, form, schema, records)), None)
            if fitting:
                fields[name] = fitting
        return fields


def read_sample(path: Path) -> Sample:
    """A file that holds the body of one answer. Raises CallWrong; no message shows a value of it."""
    how = "save the body of one answer there, as JSON; or leave --sample out"
    try:
        if not path.is_file():
            raise CallWrong(f"no file at {path}", fix=how)
        if path.stat().st_size > _MOST_BYTES:
            raise CallWrong(
                f"{path} has more than {_MOST_BYTES // 1024 // 1024} MiB", fix="one answer is enough: cut it"
            )
        data = path.read_bytes().removeprefix(codecs.BOM_UTF8)  # some tools save so whatever they save
    except OSError as fault:
        raise CallWrong(f"{path}: {fault.strerror}", fix=how) from None
    try:
        body, _ = read_json(data, str(path))
    except ConfigWrong as wrong:
        first = wrong.problems[0]
        # Line and column say where; the names that lead there may be many.
        raise CallWrong(
            f"{path} is not JSON: line {first.line}, column {first.column}: {first.message}", fix=first.hint or how
        ) from None
    if not isinstance(body, dict | list):
        raise CallWrong(f"{path} holds one value, and no answer with records in it", fix=how)
    if har.unlike(Part(body)) is None:  # type: ignore[arg-type]  # a JsonValue is a Value, but list and dict are invariant
        raise CallWrong(f"{path} is recorded traffic, a HAR file, which is imported afterwards", fix=how)
    return Sample(str(path), body)


def as_path(names: Sequence[str]) -> str:
    """Member names as a config writes a path."""
    quoted = [name.replace("\\", "\\\\").replace('"', '\\"') for name in names]
    steps = [f".{name}" if _PLAIN_NAME.fullmatch(name) else f'["{name}"]' for name in quoted]
    return "".join(steps).removeprefix(".") or "$"


def as_expression(path: str) -> str:
    """A path of a record as JSONata."""
    text = ""
    for step in Place.parse(path).steps:
        if isinstance(step, int):
            text += f"[{step}]"
        elif isinstance(step, str):
            plain = _PLAIN_NAME.fullmatch(step) and step not in _WORDS_OF_JSONATA
            if "`" in step:  # which nothing escapes
                text = f"$lookup({text or '$'}, {json.dumps(step)})"
            else:
                text += f"{'.' if text else ''}{step if plain else f'`{step}`'}"
    return text or "$"


def _plain(name: str) -> str:
    """A name without what naming styles add: nextPageToken, next_page_token and next-page-token are one."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _sayable(members: Mapping[str, JsonValue]) -> Iterator[tuple[str, JsonValue]]:
    return ((name, value) for name, value in members.items() if not _UNSAYABLE.search(name))


def _lists(value: JsonValue, names: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[JsonValue]]]:
    """Every list of objects that is in no list, with the names that lead to it."""
    if isinstance(value, list):
        if value and all(isinstance(one, dict) for one in value):
            yield names, value
    elif isinstance(value, dict) and len(names) < _DEEPEST:
        for name, inner in _sayable(value):
            if _plain(name) not in _BESIDE_RECORDS:
                yield from _lists(inner, (*names, name))


def _scalars(value: JsonValue, names: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], JsonValue]]:
    """Every value beside the lists, with the names that lead to it."""
    if isinstance(value, dict):
        if len(names) < _DEEPEST:
            for name, inner in _sayable(value):
                yield from _scalars(inner, (*names, name))
    elif names and not isinstance(value, list):
        yield names, value


def _is_next_url(names: tuple[str, ...], value: JsonValue) -> bool:
    return isinstance(value, str) and _URL.match(value) is not None and any("next" in _plain(name) for name in names)


def _is_cursor(names: tuple[str, ...], value: JsonValue) -> bool:
    last = _plain(names[-1])
    leads = last in _CURSORS or (last == "next" and isinstance(value, str) and _URL.match(value) is None)
    return leads and isinstance(value, str | int) and not isinstance(value, bool) and value != ""


def _rank_of_key(name: str) -> int | None:
    """How likely a member of this name is a record's own id, 0 first; None where it is none."""
    plain = _plain(name)
    if plain in _KEYS:
        return _KEYS.index(plain)
    if plain in _LAST_KEYS:
        return len(_KEYS) + 1 + _LAST_KEYS.index(plain)
    return len(_KEYS) if plain.endswith("id") else None


def _tells_apart(name: str, records: Sequence[Record]) -> bool:
    values = [record.get(name) for record in records]
    if not all(isinstance(value, str | int) and not isinstance(value, bool) for value in values):
        return False
    return len(set(map(str, values))) == len(values)


def _members(records: Sequence[Record]) -> dict[str, str]:
    """The members of records by their plain names; those one level down where providers wrap all of them."""
    members: dict[str, str] = {}
    for record in records:
        for name, value in _sayable(record):
            members.setdefault(_plain(name), as_path((name,)))
            if name in _WRAPPERS and isinstance(value, dict):
                for inner, _ in _sayable(value):
                    members.setdefault(_plain(inner), as_path((name, inner)))
    return members


def _fits(name: str, expression: str, schema: Mapping[str, JsonValue], records: Sequence[Record]) -> bool:
    """Whether an expression gives, of every record, what the model allows in the field."""
    mapping = UnifiedMapping("sample.record", "sample", (FieldRule(name, expression, "", 0),), "")
    alone = {word: said for word, said in schema.items() if word != "required"}
    try:
        compiled = compile_mapping(mapping, schema=alone, clock=SystemClock(), bindings={})
        for record in records:
            compiled.apply(record)
    except (ConfigWrong, MappingFailed):
        return False
    return True
