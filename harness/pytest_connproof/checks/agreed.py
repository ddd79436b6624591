"""What a config reads of every answer against the contract, the reviewed shape of those answers: no recording is asked.

Two documents that people reviewed must not contradict each other. What errors alone have, and what stands in a header,
no contract holds: of that nothing is said here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from connproof.drift import reads_before_mapping
from connproof.model import Connector, Operation, Pagination
from connproof.places import JsonValue
from pytest_connproof.contracts import contract_path, load_contract
from pytest_connproof.finding import Evidence, Finding, Inconclusive, rows
from pytest_connproof.subject import Subject

_Kinds: TypeAlias = frozenset[str]

_MOST_SHOWN: Final = 12
_ANY: Final = frozenset[str]()
_LIST: Final = frozenset({"array"})
_TEXT: Final = frozenset({"string"})
_NUMBER: Final = frozenset({"integer", "number"})
_NAME: Final = _TEXT | _NUMBER

# What may stand where a word reads, by the word; of a list of records, and of a flag, the config says more.
_FITS: Final[Mapping[str, _Kinds]] = MappingProxyType(
    {
        **dict.fromkeys(("key", "cursor_field", "key_field", "bookmark", "window", "seed"), _NAME),
        **dict.fromkeys(("total_field", "step_field", "page_field"), _NAME),
        **dict.fromkeys(("limit", "remaining", "used", "reset", "refill_per_s", "needed"), _NAME),
        "next_url_field": _TEXT,
        "at": _LIST,
    }
)
_BY_CLASS: Final[Mapping[type, _Kinds]] = MappingProxyType(
    {bool: frozenset({"boolean"}), str: _TEXT, int: _NUMBER, float: _NUMBER}
)
_TOLD: Final[Mapping[_Kinds, str]] = MappingProxyType(
    {_LIST: "a list", _TEXT: "a text", _NUMBER: "a number", _NAME: "a text or a number", _BY_CLASS[bool]: "a boolean"}
)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one word reads: places, of which one must be in the contract, and what may stand there (_ANY: whatever)."""

    pointer: str
    places: tuple[tuple[str, ...], ...]
    fits: _Kinds = _ANY
    wanted: JsonValue = None  # of a flag: what it says at the end
    is_everywhere: bool = True  # else it is enough that the answers of one operation have it


@dataclass(frozen=True, slots=True)
class _Stands:
    """What a contract has at a place, or `doubt`: why that cannot be told.

    Of a place that it has not, `lacks` is the first name that is not there, `before` how many more follow it in the
    path, and `has` what is there instead.
    """

    at: str
    schema: Mapping[str, Any] | None = None
    lacks: str = ""
    before: int = 0
    has: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    doubt: str = ""


def what_is_read_stands(subject: Subject, target: str) -> Evidence:
    """Each place that the config reads of every answer is in the contract, with a class that can be read."""
    readings = list(_readings(subject.connector, _operation(subject, target)))
    contract = load_contract(contract_path(subject.folder, target))
    doubts = []
    for reading in readings:
        found = [_look(contract, names) for names in reading.places]
        standing = [one for one in found if one.schema is not None]
        if not standing and not reading.is_everywhere and _stands_elsewhere(subject, reading):
            continue
        if not standing and (doubt := next((one for one in found if one.doubt), None)):
            doubts.append(f"{doubt.at} {doubt.doubt}, and {reading.pointer} reads in it")
        elif not standing:
            _refuse_place(subject, target, reading, found)
        elif not any(_fits(one.schema or {}, reading) for one in standing):
            _refuse_class(subject, target, reading, standing[0])
    if doubts:
        raise Inconclusive(
            f"the contract of {target} does not show what is read: {'; '.join(doubts)}",
            f"record an answer that has it, then connproof drift {subject.name} --update, and review the contract",
        )
    return {"places": sum(len(reading.places) for reading in readings)}


def reads_something(subject: Subject, target: str) -> bool:
    """Whether there is anything to hold against the contract of an operation."""
    return any(_readings(subject.connector, _operation(subject, target)))


def _operation(subject: Subject, target: str) -> Operation:
    return next(one for one in subject.connector.operations() if one.id == target)


# What is read.


def _readings(connector: Connector, operation: Operation) -> Iterator[_Reading]:
    if operation.is_list and operation.response_path is None:
        yield _Reading(operation.pointer, ((),), _LIST)
    places: dict[str, list[tuple[str, ...]]] = {}
    for read in reads_before_mapping(connector, operation):
        if _is_of_every_answer(read.pointer, operation):
            places.setdefault(read.pointer, []).append(read.names)
    for pointer, every in places.items():
        word = pointer.rpartition("/")[2]
        if pointer == f"{operation.pointer}/response_path":
            yield _Reading(pointer, tuple(every), _LIST if operation.is_list else _ANY)
        elif word == "stop_field":
            wanted = next(one.stop_when for one in _pagings(operation) if pointer == f"{one.pointer}/stop_field")
            yield _Reading(pointer, tuple(every), _BY_CLASS.get(type(wanted), _ANY), wanted)
        elif word in {"cursor_field", "next_url_field"}:
            yield _Reading(pointer, tuple(every), _FITS[word])
        else:
            is_everywhere = not pointer.startswith(("/rate_limit", "/api_version"))
            yield from (_Reading(pointer, (names,), _FITS.get(word, _ANY), None, is_everywhere) for names in every)


def _pagings(operation: Operation) -> Iterator[Pagination]:
    own = [operation.pagination] if operation.pagination else []
    for paging in [*own, *(nested.pagination for nested in operation.nested)]:
        yield paging
        if paging.then is not None:
            yield paging.then.pagination


def _is_of_every_answer(pointer: str, operation: Operation) -> bool:
    """Whether a word reads what every answer has, and not what an error has alone."""
    if pointer.startswith(("/rate_limit", "/errors", f"{operation.pointer}/errors")):
        return pointer.startswith("/rate_limit/budgets")
    return not pointer.startswith(f"{operation.pointer}/elements") or pointer.endswith("/at")


# Where it stands.


def _look(schema: Mapping[str, Any], names: Sequence[str], at: str = "") -> _Stands:
    """Follow names through a contract; lists are passed through, as one step for all their elements."""
    kinds = _kinds(schema)
    if kinds == {"null"}:
        return _Stands(at or "$", doubt="was never but null")
    if not names:
        return _Stands(at or "$", schema)
    if not kinds:
        return _Stands(at or "$", {})  # anything
    if "object" not in kinds and "array" in kinds:
        if "items" not in schema:
            return _Stands(at or "$", doubt="never had an element")
        return _look(schema["items"], names, f"{at}[*]")
    if "object" not in kinds:
        return _Stands(at or "$", lacks=names[0], before=len(names) - 1)
    name, *rest = names
    members: Mapping[str, Any] = schema.get("properties", {})
    others = schema.get("additionalProperties", {} if name in schema.get("required", ()) else None)
    below = members.get(name, others if isinstance(others, Mapping) else {} if others else None)
    if below is not None:
        return _look(below, rest, f"{at}.{name}".removeprefix("."))
    if not members:
        return _Stands(at or "$", doubt="never had a member")
    return _Stands(at or "$", lacks=name, before=len(rest), has=members)


def _fits(schema: Mapping[str, Any], reading: _Reading) -> bool:
    kinds = _kinds(schema)
    if not kinds or not reading.fits:
        return True
    if kinds & reading.fits:
        words = schema.get("enum")
        return not (isinstance(reading.wanted, str) and words) or reading.wanted in words
    if "array" in kinds and reading.fits is not _LIST:  # one of its elements may be meant
        return _fits(schema.get("items", {}), reading)
    return False


def _kinds(schema: Mapping[str, Any]) -> _Kinds:
    said = schema.get("type", [])
    return frozenset(said if isinstance(said, list) else [said])


def _stands_elsewhere(subject: Subject, reading: _Reading) -> bool:
    """Whether another operation's contract has it: one place is enough for what each answer may tell of the whole."""
    others = [load_contract(contract_path(subject.folder, one)) for one in subject.contracts]
    return any(_look(other, names).schema is not None for other in others for names in reading.places)


# What is wrong.


def _refuse_place(subject: Subject, target: str, reading: _Reading, found: Sequence[_Stands]) -> None:
    nearly = min(found, key=lambda one: one.before)
    here = f"the answers of {target}" if nearly.at == "$" else nearly.at
    names = sorted(nearly.has)
    raise Finding(
        f"{'.'.join(reading.places[found.index(nearly)])} is read, and the contract of {target} has no such place",
        rows(
            {
                "config": subject.place_of(reading.pointer),
                "lacks": f'"{nearly.lacks}" in {here}',
                "it has": ", ".join(names[:_MOST_SHOWN]) + (", ..." if names[_MOST_SHOWN:] else "") or "no members",
                "contract": str(contract_path(subject.folder, target)),
                "fix": [
                    f"{_nearest(nearly, reading)}correct the path",
                    f"where the provider does send it: record that, then connproof drift {subject.name} --update",
                ],
            }
        ),
    )


def _nearest(nearly: _Stands, reading: _Reading) -> str:
    """The name that may be meant, of those that have the class that is wanted; "" for none."""
    if nearly.before:
        fitting = [name for name, schema in nearly.has.items() if _kinds(schema) & {"object", "array"}]
    else:
        fitting = [name for name, schema in nearly.has.items() if _fits(schema, reading)]
    alike = [name for name in fitting if name.lower() == nearly.lacks.lower()]
    close = alike or get_close_matches(nearly.lacks, fitting, n=1, cutoff=0.6) or (fitting if len(fitting) == 1 else [])
    return f'did you mean "{close[0]}"? ' if close else ""


def _refuse_class(subject: Subject, target: str, reading: _Reading, found: _Stands) -> None:
    schema = found.schema or {}
    words = schema.get("enum")
    wanted, seen = _TOLD[reading.fits], " or ".join(sorted(_kinds(schema)))
    fix = "point it at the place that is meant"
    if reading.pointer.endswith("/stop_field"):
        fix += ', or declare in "stop_when" the value that ends the read, with its class'
    if words and _kinds(schema) & reading.fits:
        wanted, seen = f'"{reading.wanted}"', f"one of {', '.join(map(str, words))}"
    raise Finding(
        f"{found.at} is {seen} in the contract of {target}, and is read as {wanted}",
        rows(
            {
                "config": subject.place_of(reading.pointer),
                "contract": str(contract_path(subject.folder, target)),
                "fix": fix,
            }
        ),
    )
