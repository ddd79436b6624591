"""Turn a provider's record into a record of a unified model, field by field.

Each field of a mapping is one JSONata expression over the record, evaluated by itself: what it gives
depends on no other field. Missing leaves the field out, null is kept. Every mapped record is held
against the model's JSON Schema, and shares no list or object with the record it came from.

An expression that only walks member names never reaches jsonata-python; see `paths`. So the library is
loaded when the first expression needs it: loading it takes longer than replaying a recording.
An expression of an account's layer that does more than walk is evaluated in a process that can be killed: `apart`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from connproof.clock import Clock
from connproof.documents import Source, Standing, child
from connproof.errors import ConfigWrong, MappingFailed, MappingStopped, Problem
from connproof.mapping.custom import CustomFieldsWrong, Gathering
from connproof.mapping.members import members_read
from connproof.mapping.models import Model, as_list, load_model
from connproof.mapping.paths import PLAIN, Deoptimised, Paths, leaf, member_names
from connproof.mapping.values import ExpressionRefused, owned
from connproof.model import FieldRule, UnifiedMapping, frozen
from connproof.places import ABSENT, Absent, JsonValue

if TYPE_CHECKING:
    from concurrent.futures import Future
    from datetime import datetime

    from connproof.mapping.apart import Answer, Apart
    from connproof.mapping.jsonata import Expression, Scope

__all__ = [
    "REMOTE_DATA",
    "ApartMapping",
    "CompiledMapping",
    "ExplainedField",
    "MappingStats",
    "compile_mapping",
    "load_model",
]

REMOTE_DATA: Final = "remote_data"  # what the provider's own record is called beside the fields


@dataclass(frozen=True, slots=True)
class MappingStats:
    """How many records were mapped, and how many of them left the fast path, by the guard that fired.

    `evaluated` names the fields that jsonata-python evaluates for every record.
    """

    records: int
    deoptimised: Mapping[str, int]
    evaluated: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExplainedField:
    """One output field of one record: its value, and where that comes from.

    `level`, `document`, `pointer` and `line` say which expression it is. `paths` is what that may read of the record,
    told from its text; "$" where only the record can say.
    """

    name: str
    value: JsonValue | Absent
    expression: str
    level: str
    document: str
    pointer: str
    line: int
    paths: tuple[str, ...]


_STRANGER: Final = "account"  # the level whose expressions nobody here has read


class _Field:
    """One field. `names` are what its expression walks, None where jsonata-python evaluates it for every record.

    `apart`: in a process of its own, because an account's layer gave it.
    """

    def __init__(self, rule: FieldRule, *, is_list: bool) -> None:
        """Compile. Raises ExpressionRefused."""
        self.rule = rule
        self.is_list = is_list
        self.names = member_names(rule.expression)
        self.apart = self.names is None and rule.level.partition(":")[0] == _STRANGER
        if self.names is None:
            self.expression  # noqa: B018 whether it is one is known before any record is read

    @cached_property
    def expression(self) -> Expression:
        from connproof.mapping.jsonata import Expression

        return Expression(self.rule.expression)

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """The paths that the expression reads of a record, as configs write them."""
        return tuple(_as_place(names) for names in sorted(members_read(self.rule.expression)))


_PLAIN_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _as_place(names: tuple[str, ...]) -> str:
    """Names as configs write a path."""
    escaped = [name.replace("\\", "\\\\").replace('"', '\\"') for name in names]
    steps = [f".{name}" if _PLAIN_NAME.fullmatch(name) else f'["{name}"]' for name in escaped]
    return "".join(steps).removeprefix(".") or "$"


def compile_mapping(
    mapping: UnifiedMapping,
    *,
    schema: JsonValue | None,
    clock: Clock,
    bindings: Mapping[str, JsonValue],
    document: str = "connector.json",
    source: Source | None = None,
    milliseconds: int = 2_000,
    apart: Callable[[], Apart] | None = None,
) -> CompiledMapping:
    """Compile every expression of a mapping, once.

    `schema` is the unified model's JSON Schema, None to check no result. `bindings` are what
    expressions see as `$account`, `$connector`, `$resource` (names without the dollar): nothing
    secret. `document` is how errors name the config; with `source`, they name of its documents the one that gave
    what is wrong. `milliseconds` is what one record may take in jsonata-python, in real time. `apart` gives the
    process for an account's expressions, and is called if there are any; default: one of the mapping's own.

    Raises ConfigWrong with every problem at once: bad expressions, and fields that the model does not
    have or requires and does not get. Of several documents, with those of the first that has any.
    """
    problems: list[tuple[Standing, str, str]] = []
    model = None
    if schema is not None:
        try:
            model = Model(schema)
        except ValueError as error:
            problems.append((Standing(document, mapping.pointer, 0), f"{mapping.model}: {error}", ""))
    fields: list[_Field] = []
    for rule in mapping.fields:
        try:
            fields.append(_Field(rule, is_list=model is not None and rule.name in model.lists))
        except ExpressionRefused as error:
            problems.append((_standing(rule, document), error.message, error.hint))
    problems += _taken_names(mapping, document)
    if model is not None:
        problems += _misfits(mapping, model, source or Source(document))
    if problems:
        first = problems[0][0].document
        raise ConfigWrong(
            first, [Problem(at.pointer, at.line, 0, said, hint) for at, said, hint in problems if at.document == first]
        )

    held = _HeldClock(clock) if any(field.apart for field in fields) else None

    def scope() -> Scope:
        from connproof.mapping.jsonata import Scope

        return Scope(held or clock, bindings, milliseconds)

    if held is None:
        return CompiledMapping(mapping, tuple(fields), model, scope, document)
    sent = {"bindings": dict(bindings), "milliseconds": milliseconds}
    return ApartMapping(
        mapping, tuple(fields), model, scope, document, held=held, apart=(apart or _own_process)(), sent=sent
    )


def _own_process() -> Apart:
    from connproof.mapping.apart import Apart

    return Apart()


def _rules(mapping: UnifiedMapping) -> tuple[FieldRule, ...]:
    """Those of the fields, and that of the custom fields, which is one more."""
    return mapping.fields if mapping.custom_fields is None else (*mapping.fields, mapping.custom_fields.rule)


def _standing(rule: FieldRule, document: str) -> Standing:
    return Standing(rule.document or document, rule.pointer, rule.line, rule.level)


def _taken_names(mapping: UnifiedMapping, document: str) -> Iterator[tuple[Standing, str, str]]:
    custom = mapping.custom_fields
    if custom is not None and any(rule.name == custom.rule.name for rule in mapping.fields):
        what = f"{mapping.model} has an expression for {custom.rule.name!r} already"
        yield _standing(custom.rule, document), what, 'name another field with "into"'
    for rule in _rules(mapping):
        if rule.name == REMOTE_DATA:
            yield _standing(rule, document), f"{REMOTE_DATA} is the provider's own record, for callers who ask", ""


def _misfits(mapping: UnifiedMapping, model: Model, source: Source) -> list[tuple[Standing, str, str]]:
    rules = {rule.name: rule for rule in _rules(mapping)}
    unknown = [
        (_standing(rules[name], source.name), f"{mapping.model} has no field {name!r}", hint)
        for name, hint in model.unknown(rules)
    ]
    missing = [
        (  # a layer that removed the field is told so
            source.standing(child(f"{mapping.pointer}/fields", name)),
            f"{mapping.model} requires the field {name!r}, which is not mapped",
            "",
        )
        for name in model.missing(rules)
    ]
    return unknown + missing


class CompiledMapping:
    """A mapping that is ready to be applied, from one thread at a time. Counts what it does in `stats`."""

    def __init__(
        self,
        mapping: UnifiedMapping,
        fields: tuple[_Field, ...],
        model: Model | None,
        scope: Callable[[], Scope],
        document: str,
    ) -> None:
        self.mapping = mapping
        self._document = document
        self._fields = fields
        self._custom = Gathering(mapping.custom_fields) if mapping.custom_fields is not None else None
        self._paths = Paths()
        self._plan = tuple(
            (field.rule.name, self._paths.add(field.names) if field.names else None, field.is_list, field)
            for field in fields
        )
        self._needs_jsonata = any(field.names is None and not field.apart for field in fields)
        self._model = model
        self._make_scope = scope
        self._records = 0
        self._deoptimised: Counter[str] = Counter()

    @property
    def stats(self) -> MappingStats:
        evaluated = tuple(field.rule.name for field in self._fields if field.names is None)
        return MappingStats(self._records, frozen(self._deoptimised), evaluated)

    @cached_property
    def _scope(self) -> Scope:
        return self._make_scope()

    def apply(self, record: JsonValue, *, remote_data: bool = False) -> dict[str, JsonValue]:
        """One provider record to one unified record, its fields in the config's order.

        With `remote_data`, a copy of the provider's record stands beside them under that name; no model speaks of it.
        Raises MappingFailed: an expression failed, gave what is no JSON, or gave what the model
        does not allow. It names the field, and of the record only the kind of what was seen.
        """
        self._records += 1
        try:
            mapped = self._by_paths(record)
        except Deoptimised as reason:
            self._deoptimised[reason.guard] += 1
            mapped = self._by_jsonata(record)
        if self._custom is not None:
            self._gather(record, mapped, self._custom)
        self._allowed(mapped)
        if remote_data:
            mapped[REMOTE_DATA] = owned(record)
        return mapped

    def apply_by_jsonata(self, record: JsonValue) -> dict[str, JsonValue]:
        """As `apply`, without the fast path: what the mapping means. Counts nothing."""
        mapped = self._by_jsonata(record)
        if self._custom is not None:
            self._gather(record, mapped, self._custom)
        self._allowed(mapped)
        return mapped

    def explained(self, record: JsonValue) -> tuple[ExplainedField, ...]:
        """Every field of the mapping with its value for this record, ABSENT where it is left out. Raises as `apply`."""
        mapped = self.apply_by_jsonata(record)
        reads = {field.rule.name: field.reads for field in self._fields}
        if self.mapping.custom_fields is not None:
            custom = self.mapping.custom_fields
            reads[custom.rule.name] = tuple(source.at.text for source in custom.sources)
        return tuple(
            ExplainedField(
                name=rule.name,
                value=mapped.get(rule.name, ABSENT),
                expression=rule.expression,
                level=rule.level,
                document=rule.document or self._document,
                pointer=rule.pointer,
                line=rule.line,
                paths=reads[rule.name],
            )
            for rule in _rules(self.mapping)
        )

    def _by_paths(self, record: JsonValue) -> dict[str, JsonValue]:
        objects = self._paths.objects(record)
        frame = self._scope.frame() if self._needs_jsonata else None
        mapped: dict[str, JsonValue] = {}
        for name, place, is_list, field in self._plan:
            if place is None:
                value = self._evaluated(field, record, frame)
            else:
                value = objects[place[0]].get(place[1], ABSENT)
                if value.__class__ not in PLAIN:  # most are: a call for each would cost as much as all the rest
                    value = leaf(value)
                if is_list:
                    value = as_list(value)
            if value is not ABSENT:
                mapped[name] = value
        return mapped

    def _by_jsonata(self, record: JsonValue) -> dict[str, JsonValue]:
        frame = self._scope.frame()
        every = ((field.rule.name, self._evaluated(field, record, frame)) for field in self._fields)
        return {name: value for name, value in every if value is not ABSENT}

    def _evaluated(self, field: _Field, record: JsonValue, frame: Any) -> JsonValue | Absent:
        try:
            value = field.expression.evaluate(record, frame)
        except Exception as error:  # noqa: BLE001 the library raises any class
            from connproof.mapping.jsonata import cause_of

            failed = self._failed(field.rule, "its expression failed on a record", {"cause": cause_of(error)})
        else:
            return as_list(value) if field.is_list else value
        raise failed  # not in the handler: the library's error would hang on it, and quotes values

    def _gather(self, record: JsonValue, mapped: dict[str, JsonValue], custom: Gathering) -> None:
        try:
            gathered = custom.of(record)
        except CustomFieldsWrong as error:
            raise self._failed(custom.rule, "cannot be gathered", {"cause": str(error)}) from None
        if gathered is not ABSENT:
            mapped[custom.rule.name] = gathered

    def _allowed(self, mapped: dict[str, JsonValue]) -> None:
        violations = self._model.violations(mapped) if self._model is not None else []
        if not violations:
            return
        first = violations[0]
        rules = {rule.name: rule for rule in _rules(self.mapping)}
        rule = rules.get(first.field, FieldRule("(the record)", "", self.mapping.pointer, 0))
        facts = {"expected": first.expected, "seen": f"{first.seen} at {first.where or '/'}"}
        raise self._failed(rule, "what it gave is not what the model allows", facts)

    def _failed(
        self, rule: FieldRule, what: str, facts: Mapping[str, str], kind: type[MappingFailed] = MappingFailed
    ) -> MappingFailed:
        return kind(
            f"{self.mapping.model} {rule.name}: {what}",
            field=rule.name,
            expression=rule.expression,
            pointer=rule.pointer,
            line=rule.line,
            facts=facts
            if not rule.document
            else {"mapped by": f"{_standing(rule, rule.document)} ({rule.level})", **facts},
        )


class _HeldClock:
    """A clock whose wall time is `at`: the same for all fields of a record, here and apart."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.at = clock.now()

    def now(self) -> datetime:
        return self.at

    def told(self) -> datetime:
        return self._clock.now()

    def monotonic(self) -> float:
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)


class ApartMapping(CompiledMapping):
    """A mapping with expressions of an account's layer, which are evaluated in a process that can be killed.

    It gives what CompiledMapping would, or the same errors, and MappingStopped where that would not end well.
    """

    def __init__(
        self,
        mapping: UnifiedMapping,
        fields: tuple[_Field, ...],
        model: Model | None,
        scope: Callable[[], Scope],
        document: str,
        *,
        held: _HeldClock,
        apart: Apart,
        sent: dict[str, Any],
    ) -> None:
        super().__init__(mapping, fields, model, scope, document)
        self._held = held
        self._apart = apart
        self._strange = tuple(field.rule.name for field in fields if field.apart)
        self._sent = {**sent, "expressions": [field.rule.expression for field in fields if field.apart]}
        self._answers: Mapping[str, Answer] = {}

    def apply(self, record: JsonValue, *, remote_data: bool = False) -> dict[str, JsonValue]:
        """As for any mapping; waits for the other process."""
        self._hear(*self._asked(record))
        return super().apply(record, remote_data=remote_data)

    async def applied(self, record: JsonValue, *, remote_data: bool = False) -> dict[str, JsonValue]:
        """As `apply`, and lets others go on meanwhile."""
        import asyncio  # most mappings never wait

        try:
            asyncio.get_running_loop()
        except RuntimeError:  # a read that is driven by hand has no others
            return self.apply(record, remote_data=remote_data)
        at, answers = self._asked(record)
        await asyncio.wrap_future(answers)
        self._hear(at, answers)  # nothing else of this loop runs from here to the end
        return super().apply(record, remote_data=remote_data)

    def apply_by_jsonata(self, record: JsonValue) -> dict[str, JsonValue]:
        self._hear(*self._asked(record))
        return super().apply_by_jsonata(record)

    def _asked(self, record: JsonValue) -> tuple[datetime, Future[tuple[Answer, ...]]]:
        at = self._held.told()
        return at, self._apart.ask({**self._sent, "now": at.isoformat(), "record": record})

    def _hear(self, at: datetime, answers: Future[tuple[Answer, ...]]) -> None:
        self._held.at = at
        # They end early with one that met a limit.
        self._answers = dict(zip(self._strange, answers.result(), strict=False))

    def _evaluated(self, field: _Field, record: JsonValue, frame: Any) -> JsonValue | Absent:
        if not field.apart:
            return super()._evaluated(field, record, frame)
        answer = self._answers[field.rule.name]
        if answer.ended:
            raise self._failed(
                field.rule, "its expression was stopped on a record", {"limit": answer.ended}, MappingStopped
            )
        if answer.failed:
            raise self._failed(field.rule, "its expression failed on a record", {"cause": answer.failed})
        return as_list(answer.value) if field.is_list else answer.value
