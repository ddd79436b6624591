"""What the old code returned and what the config returns, to the differences between them.

Equal means: both would be written as the same JSON, the order of members aside. So 1, 1.0, "1" and true are
four things, and null is not absent. Nothing equal is reported, nothing different is dropped, and each
difference says one thing only: 1 against "2" is a `type` and a `value`, [1, 2] against 1 is a `shape` and
a `missing`, so that a waiver of the one never hides the other.

    missing, extra   a record, a member or a list's element stands on one side only
    null-vs-absent   a member is null on one side and absent on the other
    type             the same value in another class: 1, 1.0, "1", true
    value            another value; also null against anything, and a local time against an instant
    time             the same moment in another notation (see instants.py)
    precision        integers beyond 2^53 that are equal only after rounding to a float
    shape            a list for a scalar, an object for a list, an object for its flattened members
    order            the same records, or the same elements, in another order: once per list
    duplicate        a key stands more often on one side; `old` and `new` say how often

Records are paired by key. The class of a key does not matter for pairing, so "1" for 1 is a difference of that
field and not two foreign records. Where a key is absent, null or no scalar, or where none is declared,
position pairs. Lists are compared by position, after what is equal at both ends.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from connproof.documents import child
from connproof.places import ABSENT, Absent, JsonValue, Place
from pytest_connproof.parity.instants import same_moment

__all__ = ["Comparison", "Difference", "Kind", "class_of", "compare", "shown_key"]

Kind: TypeAlias = Literal[
    "missing", "extra", "type", "value", "null-vs-absent", "order", "shape", "time", "precision", "duplicate"
]

_PLAIN: Final = frozenset((str, int, bool, type(None)))
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
_NOT_A_LETTER = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference in one record.

    `path` is a JSON pointer (RFC 6901) in the record, "" for the record itself; in `pattern`, the index of
    a list's element is `*`. `key` shows the record's key (`id=101`), or its position (`[3]`), counted from 0.
    """

    path: str
    pattern: str
    kind: Kind
    key: str
    old: JsonValue | Absent
    new: JsonValue | Absent


@dataclass(frozen=True, slots=True)
class Comparison:
    """All differences, and the evidence: records on each side, leaf values that had a counterpart."""

    differences: tuple[Difference, ...]
    records_old: int
    records_new: int
    fields_compared: int


class _At(NamedTuple):
    key: str
    path: str = ""
    pattern: str = ""

    def member(self, name: str) -> _At:
        return _At(self.key, child(self.path, name), child(self.pattern, name))

    def element(self, index: int) -> _At:
        return _At(self.key, f"{self.path}/{index}", f"{self.pattern}/*")

    def difference(self, kind: Kind, old: JsonValue | Absent, new: JsonValue | Absent) -> Difference:
        return Difference(self.path, self.pattern, kind, self.key, old, new)


def compare(old: Sequence[JsonValue], new: Sequence[JsonValue], *, key: str | None) -> Comparison:
    """Every difference between two lists of records. `key` is the primary key's path, None for none.

    Raises places.PlaceWrong for a key that is no path, TypeError for a value that JSON does not have.
    """
    found: list[Difference] = []
    if key is None:
        leaves = _by_position(old, new, found)
    else:
        place = Place.parse(key)
        leaves = _by_key(_Side.of(old, place), _Side.of(new, place), found)
    return Comparison(tuple(found), len(old), len(new), leaves)


def shown_key(record: JsonValue, key: str | None, position: int) -> str:
    """How a difference names a record: `id=101`, or `[3]` where it has no usable key."""
    if key is None:
        return f"[{position}]"
    place = Place.parse(key)
    value = place.find(record)
    if _key_text(value) is None:
        return f"[{position}]"
    return f"{place.last_name or place.text}={json.dumps(value, ensure_ascii=False)}"


def class_of(value: JsonValue | Absent) -> str:
    """JSON's word for a value's class, with integer and float told apart. Raises TypeError for any other value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    for name, kind in (("string", str), ("integer", int), ("float", float), ("object", dict), ("list", list)):
        if isinstance(value, kind):
            return name
    if value is ABSENT:
        return "absent"
    raise TypeError(f"{type(value).__name__} is no JSON value: turn it into one before comparing")


# Records.


def _by_position(old: Sequence[JsonValue], new: Sequence[JsonValue], found: list[Difference]) -> int:
    start, end, leaves = _ends(old, new)
    olds, news = old[start : len(old) - end], new[start : len(new) - end]
    if _reordered(olds, news):
        found.append(Difference("", "", "order", f"[{start}]", olds[0], news[0]))
        return leaves + sum(map(_leaves, olds))
    for position, (was, now) in enumerate(zip(olds, news, strict=False), start):
        leaves += _value(was, now, _At(f"[{position}]"), found)
    if len(olds) != len(news):
        times = Counter(map(_canonical, old)), Counter(map(_canonical, new))
        found += _left_over(olds, news, start, *times)
    return leaves


def _left_over(
    olds: Sequence[JsonValue], news: Sequence[JsonValue], start: int, times_old: Counter[str], times_new: Counter[str]
) -> Iterator[Difference]:
    """The longer side's last records: each foreign to the other side, or there too but less often."""
    shared = min(len(olds), len(news))
    for position, record in enumerate([*olds[shared:], *news[shared:]], start + shared):
        at, written = _At(f"[{position}]"), _canonical(record)
        if 0 < times_old[written] != times_new[written] > 0:
            yield at.difference("duplicate", times_old[written], times_new[written])
        elif len(olds) > len(news):
            yield at.difference("missing", record, ABSENT)
        else:
            yield at.difference("extra", ABSENT, record)


@dataclass(frozen=True, slots=True)
class _Side:
    """The records of one side, and their keys as text: None where a record has none to pair by."""

    records: Sequence[JsonValue]
    key: Place
    texts: tuple[str | None, ...]

    @staticmethod
    def of(records: Sequence[JsonValue], key: Place) -> _Side:
        return _Side(records, key, tuple(_key_text(key.find(record)) for record in records))

    def name(self, position: int) -> str:
        return shown_key(self.records[position], self.key.text, position)


def _by_key(old: _Side, new: _Side, found: list[Difference]) -> int:
    # Equal lists of keys pair as they stand, repeated keys and all.
    same_keys = old.texts == new.texts
    pairs = [(i, i) for i in range(len(old.records))] if same_keys else _paired(old.texts, new.texts)
    leaves = 0
    for i, j in pairs:
        was, now = old.records[i], new.records[j]
        agreed = _agree(was, now)
        if not agreed:
            agreed = _value(was, now, _At(new.name(j) if old.texts[i] is None else old.name(i)), found)
        leaves += agreed
    if not same_keys:
        found += _moved(old, new, pairs)
        found += _unpaired(old, new, pairs)
    return leaves


def _paired(texts_old: Sequence[str | None], texts_new: Sequence[str | None]) -> list[tuple[int, int]]:
    """Positions of the records that belong together, in the old order.

    The first with a key to the first with it, the second to the second; then, where at least one has
    no key, those at the same position; then those without a key in turn.
    """
    waiting: defaultdict[str | None, deque[int]] = defaultdict(deque)
    for j, text in enumerate(texts_new):
        waiting[text].append(j)
    nameless = waiting.pop(None, deque())
    pairs = {i: waiting[text].popleft() for i, text in enumerate(texts_old) if text is not None and waiting[text]}
    free = {*range(len(texts_new))} - {*pairs.values()}
    for i, text in enumerate(texts_old):
        if i not in pairs and i in free and (text is None or texts_new[i] is None):
            pairs[i] = i
            free.discard(i)
    rest = [i for i, text in enumerate(texts_old) if text is None and i not in pairs]
    pairs |= zip(rest, [j for j in nameless if j in free], strict=False)
    return sorted(pairs.items())


def _moved(old: _Side, new: _Side, pairs: Sequence[tuple[int, int]]) -> Iterator[Difference]:
    for (i, _), (belongs_to, j) in zip(pairs, sorted(pairs, key=lambda pair: pair[1]), strict=True):
        if i != belongs_to:
            yield Difference("", "", "order", f"[{i}]", old.key.find(old.records[i]), new.key.find(new.records[j]))
            return


def _unpaired(old: _Side, new: _Side, pairs: Sequence[tuple[int, int]]) -> Iterator[Difference]:
    times_old, times_new = Counter(old.texts), Counter(new.texts)
    for i in _foreign(old.texts, {i for i, _ in pairs}, times_new):
        yield Difference("", "", "missing", old.name(i), old.records[i], ABSENT)
    for j in _foreign(new.texts, {j for _, j in pairs}, times_old):
        yield Difference("", "", "extra", new.name(j), ABSENT, new.records[j])
    for text in {**times_old, **times_new}:
        was, now = times_old[text], times_new[text]
        if text is not None and was != now and max(was, now) > 1:
            name = old.name(old.texts.index(text)) if was else new.name(new.texts.index(text))
            yield Difference("", "", "duplicate", name, was, now)


def _foreign(texts: Sequence[str | None], paired: set[int], others: Counter[str | None]) -> Iterator[int]:
    """Positions of records without a partner whose key the other side does not have; a repeated key once."""
    seen: set[str] = set()
    for position, text in enumerate(texts):
        if position not in paired and (text is None or (not others[text] and text not in seen)):
            yield position
            if text is not None:
                seen.add(text)


def _key_text(value: JsonValue | Absent) -> str | None:
    """A key as text, the same for 1, 1.0 and "1"; None where there is none to pair by."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value) if isinstance(value, int) else None


# Values. Each function returns how many leaf values it compared.


def _value(old: JsonValue, new: JsonValue, at: _At, found: list[Difference]) -> int:
    if isinstance(old, dict) and isinstance(new, dict):
        return _object(old, new, at, found)
    if isinstance(old, list) and isinstance(new, list):
        return _list(old, new, at, found)
    if old is not None and new is not None:
        if isinstance(old, list) or isinstance(new, list):
            found.append(at.difference("shape", old, new))
            return _list(old if isinstance(old, list) else [old], new if isinstance(new, list) else [new], at, found)
        if isinstance(old, dict) or isinstance(new, dict):
            kinds: tuple[Kind, ...] = ("shape",) if _holds(old, new) or _holds(new, old) else ("shape", "value")
            found.extend(at.difference(kind, old, new) for kind in kinds)
            return 1
    found.extend(at.difference(kind, old, new) for kind in _scalar(old, new))
    return 1


def _object(old: dict[str, JsonValue], new: dict[str, JsonValue], at: _At, found: list[Difference]) -> int:
    leaves = 0 if old or new else 1
    for name, was in old.items():
        if name in new:
            leaves += _agree(was, new[name]) or _value(was, new[name], at.member(name), found)
    missing = {name: was for name, was in old.items() if name not in new}
    extra = {name: now for name, now in new.items() if name not in old}
    if missing and extra:
        leaves += _flattened(missing, extra, at, found)
    for name, was in missing.items():
        found.append(at.member(name).difference("missing" if was is not None else "null-vs-absent", was, ABSENT))
    for name, now in extra.items():
        found.append(at.member(name).difference("extra" if now is not None else "null-vs-absent", ABSENT, now))
    return leaves


def _flattened(missing: dict[str, JsonValue], extra: dict[str, JsonValue], at: _At, found: list[Difference]) -> int:
    """Take out of both the objects that the other side has as flat members, and compare their leaves."""
    leaves = 0
    for nests, flats, nested_is_old in ((missing, extra, True), (extra, missing, False)):
        for name, nested in [*nests.items()]:
            if not isinstance(nested, dict) or not (names := _flat_names(name, nested, flats)):
                continue
            flat: dict[str, JsonValue] = {flat_name: flats.pop(flat_name) for flat_name in names.values()}
            del nests[name]
            pair: tuple[JsonValue, JsonValue] = (nested, flat) if nested_is_old else (flat, nested)
            found.append(at.member(name).difference("shape", *pair))
            for steps, inner in _paths(nested):
                leaf_at = at.member(name)
                for step in steps:
                    leaf_at = leaf_at.member(step)
                if steps not in names:
                    null_and_absent = (inner, ABSENT) if nested_is_old else (ABSENT, inner)
                    found.append(leaf_at.difference("null-vs-absent", *null_and_absent))
                else:
                    outer = flat[names[steps]]
                    leaves += _agree(inner, outer) or _value(
                        *((inner, outer) if nested_is_old else (outer, inner)), leaf_at, found
                    )
    return leaves


def _flat_names(
    name: str, nested: dict[str, JsonValue], flats: dict[str, JsonValue]
) -> dict[tuple[str, ...], str] | None:
    """Which flat member each leaf of an object became: `address.city` as address_city, addressCity or city.

    None unless every leaf that is not null has one, and at least one of them kept its value.
    """
    known = {_letters(flat): flat for flat in flats}
    names: dict[tuple[str, ...], str] = {}
    kept = False
    for steps, value in _paths(nested):
        flat = known.get(_letters(name, *steps)) or known.get(_letters(*steps))
        if flat is not None and flat not in names.values():
            names[steps] = flat
            kept = kept or _agree(value, flats[flat]) > 0
        elif value is not None:
            return None
    return names if kept else None


def _letters(*names: str) -> str:
    return _NOT_A_LETTER.sub("", "".join(names)).casefold()


def _paths(value: JsonValue, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], JsonValue]]:
    """The leaves of nested objects, with the member names that lead to each. A list is a leaf."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _paths(inner, (*above, name))
    else:
        yield above, value


def _list(old: list[JsonValue], new: list[JsonValue], at: _At, found: list[Difference]) -> int:
    if not old and not new:
        return 1
    start, end, leaves = _ends(old, new)
    olds, news = old[start : len(old) - end], new[start : len(new) - end]
    if _reordered(olds, news):
        found.append(at.difference("order", old, new))
        return leaves + sum(map(_leaves, olds))
    for index, (was, now) in enumerate(zip(olds, news, strict=False), start):
        leaves += _value(was, now, at.element(index), found)
    shared = start + min(len(olds), len(news))
    for index, was in enumerate(olds[len(news) :], shared):
        found.append(at.element(index).difference("missing", was, ABSENT))
    for index, now in enumerate(news[len(olds) :], shared):
        found.append(at.element(index).difference("extra", ABSENT, now))
    return leaves


def _holds(outer: JsonValue, value: JsonValue) -> bool:
    return isinstance(outer, dict) and any(_agree(leaf, value) for _, leaf in _paths(outer))


# Scalars.


def _scalar(old: JsonValue, new: JsonValue) -> tuple[Kind, ...]:
    """In which ways two scalars, of which either may be null, differ: empty where they do not."""
    classes = class_of(old), class_of(new)
    if "null" in classes:
        return () if old is new else ("value",)
    if isinstance(old, str) and isinstance(new, str):
        return () if old == new else ("time",) if same_moment(old, new) else ("value",)
    if classes == ("boolean", "boolean"):
        return () if old == new else ("value",)
    if "boolean" not in classes and isinstance(old, int | float) and isinstance(new, int | float):
        return _number(old, new)
    return ("type",) if _same_meaning(old, new) else ("type", "value")


def _number(old: float, new: float) -> tuple[Kind, ...]:
    if old == new:  # exact, also between int and float
        if isinstance(old, int) is not isinstance(new, int):
            return ("type",)
        return () if isinstance(old, int) or math.copysign(1, old) == math.copysign(1, new) else ("value",)
    whole = isinstance(old, int) or isinstance(new, int)
    # Up to 2^53 every integer is a float of its own, so this can only be beyond.
    return ("precision",) if whole and _as_float(old) == _as_float(new) else ("value",)


def _as_float(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _same_meaning(one: JsonValue, other: JsonValue) -> bool:
    """Whether two scalars of different classes say the same: 1.5 and "1.5", true and "True", true and 1."""
    texts = [value for value in (one, other) if isinstance(value, str)]
    if not texts:
        return one == other
    text, value = texts[0], other if isinstance(one, str) else one
    if isinstance(value, bool):
        return text.casefold() == str(value).casefold()
    if _NUMBER.fullmatch(text):
        return Decimal(text) == Decimal(value if isinstance(value, int) else repr(value))
    return same_moment(text, str(value))


# Equality that tells 1, 1.0 and true apart.


def _agree(old: JsonValue, new: JsonValue) -> int:
    """How many leaf values two equal values have; 0 where they differ, or only the long way can tell."""
    kind = type(old)
    if kind is not type(new) or old != new:
        return 0
    if kind is dict or kind is list:
        return _alike(old, new)
    if kind is float:
        return 0 if old == 0 and repr(old) != repr(new) else 1  # 0.0 == -0.0
    return 1 if kind in _PLAIN else 0


def _alike(old: Any, new: Any) -> int:
    """`_agree` of two objects or two lists for which == holds: then only numbers can still differ, by class.

    Every equal record takes this path. So it makes no string, and looks only where a class can differ.
    """
    leaves = len(old)
    names = old if type(old) is dict else range(leaves)
    for name in names:
        was = old[name]
        kind = type(was)
        if kind is str or was is None:
            continue
        now = new[name]
        if kind is not type(now):
            return 0
        if kind is dict or kind is list:
            inner = _alike(was, now)
            if not inner:
                return 0
            leaves += inner - 1
        elif kind is float:
            if was == 0 and repr(was) != repr(now):
                return 0
        elif kind is not int and kind is not bool:  # a subclass: == may be its own
            return 0
    return leaves or 1


def _leaves(value: JsonValue) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return sum(map(_leaves, inner)) or 1


def _ends(old: Sequence[JsonValue], new: Sequence[JsonValue]) -> tuple[int, int, int]:
    """How many elements agree at the start and at the end, and how many leaf values they have."""
    start = end = leaves = 0
    shorter = min(len(old), len(new))
    while start < shorter and (agreed := _agree(old[start], new[start])):
        start, leaves = start + 1, leaves + agreed
    while end < shorter - start and (agreed := _agree(old[-1 - end], new[-1 - end])):
        end, leaves = end + 1, leaves + agreed
    return start, end, leaves


def _reordered(old: Sequence[JsonValue], new: Sequence[JsonValue]) -> bool:
    if len(old) != len(new) or len(old) < 2:
        return False
    olds, news = [*map(_canonical, old)], [*map(_canonical, new)]
    return olds != news and Counter(olds) == Counter(news)


def _canonical(value: JsonValue) -> str:
    """A text that is the same for two values exactly when they are equal."""
    return json.dumps(value, sort_keys=True)
