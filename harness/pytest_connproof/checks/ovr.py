"""OVR: overrides: a layer changes what it says, for its own account, and every field says which layer gave it.

Besides the accounts that lie in the folder, layers are tried that are made here: one that changes nothing, and a probe
for each unified model, which maps a recorded member to a field by configuration alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import jsonschema

from connproof import config
from connproof.clock import FixedClock
from connproof.documents import PLATFORM_BASE
from connproof.errors import MappingFailed
from connproof.events import Event, Listener, PageRead, ignore
from connproof.mapping import CompiledMapping, ExplainedField, compile_mapping
from connproof.model import Account, Connector, FieldRule, UnifiedMapping
from connproof.overrides import Layer, overridable
from connproof.places import JsonValue
from connproof.stores import FileStore
from pytest_connproof.finding import Evidence, Finding, Inconclusive, rows
from pytest_connproof.lane_run import LaneRun, play
from pytest_connproof.subject import Subject

_PROBE: Final = "probe"

Patch: TypeAlias = dict[str, Any]


def nothing_changes_nothing(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 the checks share one signature
    """Under an empty layer, and under one that repeats whatever it may give, connector and records are the same."""
    repeated, values = _repeated(subject)
    lanes = records = 0
    for what, patch in (("an empty layer", {}), ("a layer that repeats the base", repeated)):
        layered = _layered(subject, _layer(patch))
        if differing := _differing(subject.connector, layered):
            raise Finding(
                f"{what} changes the connector",
                rows({"changed": differing, "fix": "this is a fault of the engine, not of the connector: report it"}),
            )
        mappings: dict[str, CompiledMapping] = {}
        for lane_id in _lanes(subject) if patch else ():
            run, other = subject.run(lane_id), _read(subject, lane_id, layered, mappings)
            lanes, records = lanes + 1, records + len(run.records)
            if _told(run) != _told(other):
                raise Finding(f"{what} changes what {lane_id} gives", _differ(run, other))
    return {"values": values, "lanes": lanes, "records": records}


def accounts_are_apart(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 as above
    """What an account reads is the same before and after others were read for, and in turns with them."""
    probes = [_probe(subject, model) for model in subject.connector.unified]
    merged: Patch = {"unified": {name: body for probe in probes for name, body in probe.patch["unified"].items()}}
    others = [
        ("the probe", _layered(subject, _layer(merged)), subject.account),
        *(
            (f"account {name}", party.connector, party.account)
            for name, party in subject.parties.items()
            if name != subject.account.name
        ),
    ]
    readers = [("the example account", config.load(subject.file), subject.account), *others]
    kept: list[dict[str, CompiledMapping]] = [{} for _ in readers]
    lanes = _lanes(subject)
    readings = changed = 0
    for lane_id in lanes:

        def told(index: int, *, between: int | None = None, lane_id: str = lane_id) -> list[tuple[int, str]]:
            """What a reader is told, and what another one is that reads the same after its first page."""
            inner: list[tuple[int, str]] = []

            def also(event: Event) -> None:
                if between is not None and isinstance(event, PageRead) and not inner:
                    inner.extend(told(between))

            _, connector, account = readers[index]
            run = _read(subject, lane_id, connector, kept[index], account=account, listener=also)
            return [(index, _told(run)), *inner]

        alone = [telling for index in range(len(readers)) for _, telling in told(index)]
        changed += alone[0] != alone[1]
        again = [(0, _told(subject.run(lane_id)))]
        for index in reversed(range(len(readers))):
            again += told(index)
        for index in range(1, len(readers)):
            again += told(0, between=index)
        readings += len(again)
        if fallen := [readers[index][0] for index, telling in again if telling != alone[index]]:
            raise Finding(
                f"what {fallen[0]} reads depends on what others read",
                rows(
                    {
                        "lane": lane_id,
                        "others": ", ".join(name for name, _, _ in readers if name != fallen[0]),
                        "fix": "this is a fault of the engine, not of the connector: report it",
                    }
                ),
            )
    if not changed:
        raise Inconclusive("the probe changed no record, so nothing could be seen by others", "record a mapped record")
    return {"accounts": len(readers), "lanes": len(lanes), "readings": readings}


def fields_come_by_configuration(subject: Subject, target: str) -> Evidence:
    """A member that the base does not map reaches the record by a layer alone, and null takes the field away."""
    probe = _probe(subject, target)
    layered = _layered(subject, _layer(probe.patch))
    run = _read(subject, probe.lane, layered, {})
    got = run.records[0] if run.records else None
    if not isinstance(got, dict) or json.dumps(got.get(probe.field)) != json.dumps(probe.expected):
        raise Finding(
            f"a layer that maps {probe.source} does not reach {target}/{probe.field}",
            rows({"lane": probe.lane, "read": run.outcome, "expression": probe.expression}),
        )
    level = next(one.level for one in layered.unified[target].fields if one.name == probe.field)
    if level != f"account:{_PROBE}":
        raise Finding(
            f"{target}/{probe.field} does not say that an account gave it", rows({"level": level, "lane": probe.lane})
        )
    removed = {"unified": {target: {"fields": {probe.field: None}}}}
    without = _layered(subject, replace(_layer(probe.patch), level="environment"), _layer(removed))
    rest = _read(subject, probe.lane, without, {})
    with_it = sum(isinstance(record, dict) and probe.field in record for record in rest.records)
    if with_it or len(rest.records) != len(run.records):
        raise Finding(
            f"null does not take {target}/{probe.field} away",
            rows({"lane": probe.lane, "read": rest.outcome, "has it": f"{with_it} of {len(rest.records)} records"}),
        )
    return {"fields": 1, "records": len(run.records)}


def every_field_says_its_level(subject: Subject, target: str) -> Evidence:
    """Of each field, base or overridden, level, document and line are those that gave its expression."""
    probe = _probe(subject, target)
    record = subject.recorded_records(probe.lane)[0]
    base = _Text(PLATFORM_BASE, str(subject.file), subject.file.read_text(encoding="utf-8"))
    told = 0
    for connector, layer in _levels(subject, probe):
        given = _given(layer, connector.unified[target]) if layer else frozenset()
        try:
            explained = _compiled(subject, probe.lane, connector, target).explained(record)
        except MappingFailed as failed:
            name = layer.label if layer else base.level
            raise Inconclusive(f"{target}/{failed.field} of {name} fails on a record of {probe.lane}") from None
        for field in explained:
            told += 1
            own = layer is not None and field.name in given
            text = _Text(layer.label, layer.document, layer.data.decode()) if layer and own else base
            if wrong := text.contradicted_by(field):
                raise Finding(
                    f"{target}/{field.name} does not say what gave it",
                    rows(
                        {
                            "under": layer.label if layer else base.level,
                            "given by": f"{text.level}   {text.document}",
                            "says": ", ".join(wrong),
                        }
                    ),
                )
    return {"fields": told}


@dataclass(frozen=True, slots=True)
class _Text:
    """A document that gives fields, and the level that it is of."""

    level: str
    document: str
    text: str

    def contradicted_by(self, field: ExplainedField) -> list[str]:
        """What a field says of where it comes from that is not so, if this gave it."""
        name = field.pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
        lines = self.text.splitlines()
        line = lines[field.line - 1] if 0 < field.line <= len(lines) else ""
        spelt = {json.dumps(name), json.dumps(name, ensure_ascii=False)}
        said = {
            f"level {field.level}": field.level == self.level,
            f"document {field.document}": Path(field.document) == Path(self.document),
            # An element of a list has no name.
            f"line {field.line}": any(one in line for one in spelt) or (name.isdecimal() and line.strip() != ""),
        }
        return [what for what, is_so in said.items() if not is_so]


def _levels(subject: Subject, probe: _Probe) -> Iterator[tuple[Connector, Layer | None]]:
    """The base, the base with the probe on it, and with each account's layer."""
    yield subject.connector, None
    layer = _layer(probe.patch)
    yield _layered(subject, layer), layer
    for other in FileStore(subject.folder.parent).layers(subject.name, "account"):
        yield subject.parties[other.name].connector, other


def _given(layer: Layer, mapping: UnifiedMapping) -> frozenset[str]:
    """The fields of a model that a layer gives, wholly or, of custom fields, in part."""
    here: Any = json.loads(layer.data)
    for name in ("overrides", "unified", mapping.model):
        here = here.get(name, {})
    custom = mapping.custom_fields
    own = {custom.rule.name} if custom is not None and "custom_fields" in here else set()
    return frozenset({*here.get("fields", {}), *own})


# Layers that are made here.


@dataclass(frozen=True, slots=True)
class _Probe:
    """A layer that maps a recorded member to a field, and what must come of it in the first record of a lane."""

    lane: str
    field: str
    source: str
    expression: str
    expected: JsonValue
    patch: Patch


def _probe(subject: Subject, model: str) -> _Probe:
    """The first member of a recorded record that the base does not map, and a field that takes it.

    Where every member is mapped already, another field takes one of them. Raises Inconclusive.
    """
    mapping = subject.connector.unified[model]
    lanes = [lane for lane in subject.lanes if subject.maps(lane, model) and not _account_of(subject, lane)]
    for lane_id in sorted(lanes, key=lambda lane: len(subject.run(lane).records)):
        records, given = subject.recorded_records(lane_id), subject.run(lane_id).records
        if not records or len(given) != len(records):
            continue
        base = given[0] if isinstance(given[0], dict) else {}
        for source, value in _members_of(records[0], mapping):
            for field in _fields_for(subject.models[model], mapping, value):
                expression, expected = source, value
                if field == "custom_fields":
                    name = source.rpartition(".")[2]
                    expression, expected = f"{{{json.dumps(name)}: {source}}}", {name: value}
                if json.dumps(base.get(field)) != json.dumps(expected):
                    patch: Patch = {"unified": {model: {"fields": {field: expression}}}}
                    return _Probe(lane_id, field, source, expression, expected, patch)
    raise Inconclusive(f"no recording holds a record of {model} with a member to map", "record a lane with records")


_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS_OF_JSONATA: Final = frozenset({"and", "or", "in", "true", "false", "null", "function"})


def _members_of(record: JsonValue, mapping: UnifiedMapping) -> list[tuple[str, JsonValue]]:
    """The texts and numbers of a record, each with its path; those that the base does not map come first."""

    def walk(value: JsonValue, names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], JsonValue]]:
        if isinstance(value, dict):
            for name, inner in value.items():
                if _NAME.fullmatch(name) and name not in _WORDS_OF_JSONATA:
                    yield from walk(inner, (*names, name))
        elif names and isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
            yield names, value

    mapped = {word for rule in mapping.fields for word in _NAME.findall(rule.expression)}
    found = sorted(walk(record, ()), key=lambda one: one[0][-1] in mapped)
    return [(".".join(names), value) for names, value in found]


def _fields_for(schema: JsonValue, mapping: UnifiedMapping, value: JsonValue) -> list[str]:
    """The fields of a model that may be this value: custom fields first, then those that the base does not map.

    A field that the model requires is left alone.
    """
    said: Any = schema if isinstance(schema, dict) else {}
    properties: Mapping[str, Any] = said.get("properties", {})
    known = {rule.name for rule in mapping.fields}
    optional = [name for name in properties if name not in {"custom_fields", *said.get("required", [])}]
    found = [name for name in sorted(optional, key=lambda name: name in known) if _allows(said, name, value)]
    has_custom = "custom_fields" in properties and mapping.custom_fields is None
    return ["custom_fields", *found] if has_custom else found


def _allows(schema: Mapping[str, Any], field: str, value: JsonValue) -> bool:
    one = {**{name: said for name, said in schema.items() if name == "$defs"}, **schema["properties"][field]}
    return jsonschema.Draft202012Validator(one, format_checker=jsonschema.FormatChecker()).is_valid(value)


def _layer(patch: Patch, level: Literal["environment", "account"] = "account") -> Layer:
    data = json.dumps({"overrides": patch}, indent=2).encode()
    return Layer(level, _PROBE, data, f"a layer of the check ({_PROBE})")


def _layered(subject: Subject, *layers: Layer) -> Connector:
    return config.layered(subject.file.read_bytes(), layers, folder=subject.name, name=str(subject.file))


def _repeated(subject: Subject) -> tuple[Patch, int]:
    """A layer with every value of the document that a layer may give, and how many those are."""
    patch: Patch = {}
    values = 0
    document = dict(subject.document)
    for pointer in overridable(document):
        *above, last = [step.replace("~1", "/").replace("~0", "~") for step in pointer[1:].split("/")]
        here: Any = document
        for step in above:
            here = here.get(step, {})
        if here.get(last) is None:
            continue
        there = patch
        for step in above:
            there = there.setdefault(step, {})
        there[last] = _without_nulls(here[last])
        values += 1
    return patch, values


def _without_nulls(value: Any) -> Any:
    """A patch cannot repeat a null: there it means to remove."""
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return value


# Connectors and readings, compared.


def _differing(one: Connector, other: Connector) -> list[str]:
    """The parts in which two connectors differ, but for which document says what where."""
    first, second = _bare(one), _bare(other)
    return [name for name in first if first[name] != second[name]]


def _bare(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        left_out = {Connector: {"source"}, FieldRule: {"pointer", "level", "line", "document"}}.get(type(value), set())
        return {each.name: _bare(getattr(value, each.name)) for each in fields(value) if each.name not in left_out}
    if isinstance(value, Mapping):
        return [(name, _bare(inner)) for name, inner in value.items()]  # their order is the config's
    if isinstance(value, tuple | list):
        return [_bare(inner) for inner in value]
    return value


def _lanes(subject: Subject) -> Sequence[str]:
    """For each operation whose records are mapped, the lane with most of them."""
    most: dict[str, str] = {}
    for lane_id, recorded in subject.lanes.items():
        operation = recorded.lane.operation
        if _account_of(subject, lane_id) or subject.grants(recorded.lane):  # readers in turns share no token
            continue
        if subject.mapping(recorded.lane) is None or not subject.run(lane_id).records:
            continue
        if operation not in most or len(subject.run(lane_id).records) > len(subject.run(most[operation]).records):
            most[operation] = lane_id
    if not most:
        raise Inconclusive("no recording holds a record that is mapped", "record a lane with records")
    return tuple(most.values())


def _read(
    subject: Subject,
    lane_id: str,
    connector: Connector,
    mappings: dict[str, CompiledMapping],
    *,
    account: Account | None = None,
    listener: Listener = ignore,
) -> LaneRun:
    """A lane as this account reads it, with this account's connector."""
    lane = subject.lanes[lane_id].lane
    resource, _, name = lane.operation.partition(".")
    return play(
        connector,
        connector.resources[resource].operations[name],
        lane,
        account=account or subject.account,
        models=subject.models,
        clock=FixedClock(subject.day(lane_id)),
        mappings=mappings,
        net=subject.net,
        listener=listener,
    )


def _compiled(subject: Subject, lane_id: str, connector: Connector, model: str) -> CompiledMapping:
    bindings: dict[str, JsonValue] = {
        "account": {"name": subject.account.name},
        "connector": {"name": connector.name},
        "resource": {"name": connector.unified[model].resource},
    }
    return compile_mapping(
        connector.unified[model],
        schema=subject.models[model],
        clock=FixedClock(subject.day(lane_id)),
        bindings=bindings,
        document=connector.source.name,
    )


def _account_of(subject: Subject, lane_id: str) -> str | None:
    call = subject.lanes[lane_id].lane.call
    return call.account if call else None


def _told(run: LaneRun) -> str:
    """All that a caller learns of a read."""
    return json.dumps([run.outcome, list(run.records)])


def _differ(one: LaneRun, other: LaneRun) -> str:
    pairs = zip(one.records, other.records, strict=False)
    number = next((n for n, (a, b) in enumerate(pairs, 1) if json.dumps(a) != json.dumps(b)), None)
    return rows(
        {
            "without": f"{one.outcome}, {len(one.records)} records",
            "with": f"{other.outcome}, {len(other.records)} records",
            **({"first other": f"record {number}"} if number else {}),
        }
    )
