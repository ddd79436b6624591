"""A comparison to what a person reads: one block for each field that differs in one way.

    /properties/amount    type: number -> string    37 of 37 records
        id=101   old 1.5        config "1.5"
        id=102   old 20         config "20"          (+35 more)
    mapped by  connectors/deals/connector.json:88   "amount": "properties.amount"        (platform base)
    fix        "$number(properties.amount)", or waive with a reason in deviations.json

Values are shown shortened, around the first character that differs, with control characters escaped;
the placeholder of a secret is never cut. Every difference is counted in exactly one group.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from connproof.errors import printable, shortened
from connproof.places import ABSENT, Absent, JsonValue
from pytest_connproof.parity.compare import Comparison, Difference, Kind, class_of
from pytest_connproof.parity.instants import moment, same_moment
from pytest_connproof.redact import PLACEHOLDER

__all__ = ["Group", "MappedBy", "groups", "render", "shown_pair"]

_IMPORTANCE: Final[tuple[Kind, ...]] = (
    "missing",
    "extra",
    "duplicate",
    "value",
    "precision",
    "shape",
    "type",
    "null-vs-absent",
    "time",
    "order",
)
_EXAMPLES: Final = 2
_SHOWN_CHARACTERS: Final = 40
_LEAD_CHARACTERS: Final = 10  # shown before the first character that differs
_WAIVE: Final = "or waive with a reason in deviations.json"
_WORDS: Final[dict[Kind, str]] = {
    "missing": "missing: only the baseline has it",
    "extra": "extra: only the config gives it",
    "duplicate": "duplicate: not as often as before",
    "precision": "precision: equal only as floats",
    "time": "time: same moment, other notation",
    "order": "order: the same in another order",
}

_UTC: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?P<millis>\.[0-9]{3})?(?P<zone>Z|\+00:00|\+0000)"
)
_ZONES: Final = {"Z": "Z", "+00:00": "[Z]", "+0000": "[Z0001]"}  # as pictures of XPath say them

_Value: TypeAlias = "JsonValue | Absent"


@dataclass(frozen=True, slots=True)
class Group:
    """All differences of one kind at one path pattern.

    `change` names the classes (`number -> string`), most frequent first, "" where they are not the point.
    `examples` are the first differences, from as many records; `of` is how many records there were.
    """

    pattern: str
    kind: Kind
    change: str
    count: int
    records: int
    of: int
    examples: tuple[Difference, ...]


class MappedBy(NamedTuple):
    """The rule of the config that gives a field: where it stands, its name, its JSONata, its level."""

    file: str
    line: int
    field: str
    expression: str
    level: str


def groups(comparison: Comparison, differences: Sequence[Difference] | None = None) -> tuple[Group, ...]:
    """The differences by path pattern and kind, the gravest first: records, then fields; then by kind and count.

    `differences` are those to group where not all are wanted, such as the open ones.
    """
    together: defaultdict[tuple[str, Kind], list[Difference]] = defaultdict(list)
    for difference in comparison.differences if differences is None else differences:
        together[difference.pattern, difference.kind].append(difference)
    made = [_group(pattern, kind, found, comparison) for (pattern, kind), found in together.items()]
    return tuple(sorted(made, key=lambda g: (g.pattern != "", _IMPORTANCE.index(g.kind), -g.count, g.pattern)))


def render(
    groups: Sequence[Group],
    *,
    mapped_by: Callable[[str], MappedBy | None],
    evidence: Callable[[str], str | None],
    rerun: str,
    most: int = 20,
) -> str:
    """The groups as text, without a final newline; "" for no group. Says how many are left out after `most`.

    `mapped_by` is asked with a group's path pattern, `evidence` with the key of its first example.
    """
    if not groups:
        return ""
    blocks = ["\n".join(_block(group, mapped_by(group.pattern), evidence)) for group in groups[:most]]
    if len(groups) > most:
        blocks.append(f"  (+{len(groups) - most} more kinds of difference)")
    return "\n\n".join(blocks) + f"\n  rerun      {rerun}"


def _group(pattern: str, kind: Kind, found: Sequence[Difference], comparison: Comparison) -> Group:
    by_record: dict[str, Difference] = {}
    for difference in found:
        by_record.setdefault(difference.key, difference)
    both = (comparison.records_old, comparison.records_new)
    of = {"extra": both[1], "duplicate": max(both)}.get(kind, both[0]) if not pattern else both[0]
    examples = tuple(by_record.values())[:_EXAMPLES]
    return Group(pattern, kind, _change(kind, found), len(found), len(by_record), of, examples)


def _change(kind: Kind, found: Sequence[Difference]) -> str:
    if kind not in {"type", "shape", "value", "null-vs-absent"}:
        return ""
    changes: Counter[str] = Counter()
    for difference in found:
        old, new = class_of(difference.old), class_of(difference.new)
        if not {old, new} <= {"integer", "float"}:
            old, new = _as_number(old), _as_number(new)
        if kind == "value" and "null" not in {old, new}:
            continue
        changes["object -> object, nested otherwise" if old == new == "object" else f"{old} -> {new}"] += 1
    return ", ".join(change for change, _ in changes.most_common())


def _as_number(name: str) -> str:
    return "number" if name in {"integer", "float"} else name


def _block(group: Group, mapped: MappedBy | None, evidence: Callable[[str], str | None]) -> Iterator[str]:
    where = shortened(printable(group.pattern), 120) or "(record)"
    what = _WORDS.get(group.kind) or (f"{group.kind}: {group.change}" if group.change else group.kind)
    # A list of records is in another order once, whatever the number of records.
    count = "" if (group.pattern, group.kind) == ("", "order") else f"{group.records} of {group.of} records"
    yield f"  {where}    {what}    {count}".rstrip()
    yield from _examples(group)
    if mapped is not None:
        rule = printable(f"{_quoted(mapped.field)}: {_quoted(mapped.expression)}")
        yield f"  mapped by  {mapped.file}:{mapped.line}   {rule}        ({mapped.level})"
    if seen := evidence(group.examples[0].key):
        yield f"  evidence   {seen}"
    yield f"  fix        {printable(_fix(group, mapped))}, {_WAIVE}"


def _examples(group: Group) -> Iterator[str]:
    shown = [(shortened(printable(e.key), _SHOWN_CHARACTERS), *shown_pair(e)) for e in group.examples]
    keys, olds, news = (max(len(row[i]) for row in shown) for i in range(3))
    more = f"(+{group.records - len(shown)} more)" if group.records > len(shown) else ""
    for row, (key, old, new) in enumerate(shown, 1):
        rest = more if row == len(shown) else ""
        yield f"      {key:<{keys}}   old {old:<{max(olds, 9)}}  config {new:<{max(news, 12)}}  {rest}".rstrip()


# Values.


def shown_pair(difference: Difference) -> tuple[str, str]:
    """The old and the new value of a difference as people are shown them: cut, and nothing in them but print."""
    old, new = difference.old, difference.new
    if difference.kind == "duplicate":
        return f"{old} x", f"{new} x"
    if difference.kind == "order" and isinstance(old, list) and isinstance(new, list) and difference.path:
        first = next(i for i, (was, now) in enumerate(zip(old, new, strict=True)) if _written(was) != _written(now))
        shown = _windowed(_written(old[first]), _written(new[first]))
        return f"[{first}] {shown[0]}", f"[{first}] {shown[1]}"
    return _windowed(_written(old), _written(new))


def _written(value: _Value) -> str:
    if value is ABSENT:
        return "absent"
    if isinstance(value, str) and PLACEHOLDER.fullmatch(value):
        return value
    return json.dumps(value, ensure_ascii=False)


def _windowed(old: str, new: str) -> tuple[str, str]:
    """Two texts from a little before where they part, where that would otherwise be cut off."""
    parts = (i for i, (was, now) in enumerate(zip(old, new, strict=False)) if was != now)
    common = next(parts, min(len(old), len(new)))
    skip = max(0, common - _LEAD_CHARACTERS) if common > _SHOWN_CHARACTERS // 2 else 0
    return _window(old, skip), _window(new, skip)


def _window(text: str, skip: int) -> str:
    if len(text) <= _SHOWN_CHARACTERS:
        return printable(text)
    start, end = skip, skip + _SHOWN_CHARACTERS
    for secret in PLACEHOLDER.finditer(text):
        if secret.start() < start < secret.end():
            start = secret.start()
        if secret.start() < end < secret.end():
            end = secret.end()
    left_out = len(text) - end
    return f"{'...' if start else ''}{printable(text[start:end])}" + (f"... (+{left_out})" if left_out > 0 else "")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


# What to do.


def _fix(group: Group, mapped: MappedBy | None) -> str:
    if not group.pattern:
        return _RECORD_FIXES.get(group.kind, "let the config give a record of the old class")
    name = group.pattern.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
    # The expression of a field above this one gives more than this value: only its place is known.
    whole = mapped is not None and mapped.field == name
    expression = mapped.expression if mapped and whole else "..."
    example = group.examples[0]
    rewritten = _rewritten(group.kind, example.old, example.new, expression)
    if rewritten:
        return _quoted(rewritten) if whole else f"{_quoted(rewritten)} around what gives it"
    if group.kind == "missing":
        return "let the expression give a value for these records" if whole else f"map {_quoted(name)}"
    return _FIELD_FIXES[group.kind]


_RECORD_FIXES: Final[dict[Kind, str]] = {
    "missing": "see that every page is read and no filter is new",
    "extra": "find what kept it out of the baseline: a filter that was sent, or applied to the answer",
    "duplicate": "see that no page is read twice and that the key is the primary key",
    "order": "send the sort parameter that the baseline was read with",
}
_FIELD_FIXES: Final[dict[Kind, str]] = {
    "extra": "take it out of the mapping",
    "duplicate": "let the expression give each element once",
    "value": "compare the expression with what gave the baseline",
    "precision": "keep it an integer: no arithmetic and no $number on it",
    "shape": "give it the old shape in the expression",
    "type": "give it the old class in the expression",
    "null-vs-absent": "give null, or nothing, as the baseline has it",
    "time": "write the moment as the baseline has it: $fromMillis($toMillis(...), picture)",
    "order": "let the expression keep the old order",
}


def _rewritten(kind: Kind, old: _Value, new: _Value, expression: str) -> str | None:
    """JSONata that gives the old class from the expression, None where there is no plain one."""
    classes = class_of(old), class_of(new)
    if kind == "type":
        return _retyped(old, new, expression)
    if kind == "shape" and classes[0] == "list":
        return f"[{expression}]"
    if kind == "shape" and classes[1] == "list":
        return f"({expression})[0]"
    if kind == "null-vs-absent":
        return f"$exists({expression}) ? ({expression}) : null" if new is ABSENT else f"({expression})[$ != null]"
    if kind == "time" and isinstance(old, str) and isinstance(new, str):
        return _renoted(old, new, expression)
    return None


def _retyped(old: _Value, new: _Value, expression: str) -> str | None:
    match _as_number(class_of(old)), _as_number(class_of(new)):
        case "number", "string" if same_moment(str(new), str(old)):
            millis = f"$toMillis({expression})"
            return f"$floor({millis} / 1000)" if _in_seconds(old) else millis
        case "string", "number" if same_moment(str(old), str(new)):
            return f"$fromMillis(({expression}) * 1000)" if _in_seconds(new) else f"$fromMillis({expression})"
        case "number", "number":
            return f"$round({expression})" if isinstance(old, int) else None
        case "number", _:
            return f"$number({expression})"
        case "string", _:
            return f"$string({expression})"
        case "boolean", "string":
            return f'({expression}) = "true"'  # $boolean("false") is true
        case "boolean", _:
            return f"$boolean({expression})"
    return None


def _in_seconds(epoch: _Value) -> bool:
    return isinstance(epoch, int | float) and abs(epoch) < 10**11


def _renoted(old: str, new: str, expression: str) -> str | None:
    """The old notation, where it is a plain one of UTC and $toMillis can read the new one."""
    seen = moment(new)
    notation = _UTC.fullmatch(old)
    if notation is None or seen is None or seen.scale != "instant" or seen.bare or new.startswith("/"):
        return None
    if notation["zone"] == "Z" and notation["millis"]:
        return f"$fromMillis($toMillis({expression}))"
    seconds = "[s01].[f001]" if notation["millis"] else "[s01]"
    picture = f"[Y0001]-[M01]-[D01]T[H01]:[m01]:{seconds}{_ZONES[notation['zone']]}"
    return f'$fromMillis($toMillis({expression}), "{picture}")'
