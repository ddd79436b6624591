"""MAP: the mapping: one meaning whichever way it runs, a result that its model allows, errors that name their place.

Judged on each unified model, over every record that a recording holds of it.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator
from typing import Any, Final

import jsonschema

from connproof.errors import MappingFailed
from connproof.model import UnifiedMapping
from connproof.places import JsonValue
from pytest_connproof.finding import Evidence, Finding, Inconclusive, rows
from pytest_connproof.subject import Subject

_MARK: Final = "connproof-canary-7f3a"


def fast_path_is_the_reference(subject: Subject, target: str) -> Evidence:
    """Each record, and the first also with a member missing, null or of another kind, maps alike by both ways."""
    tried = records = 0
    for lane_id, found in _records(subject, target):
        compiled = subject.compiled(lane_id)
        for number, record in enumerate(found, 1):
            records += 1
            for what, variant in (("as recorded", record), *(_variants(record) if records == 1 else ())):
                tried += 1
                fast, reference = _outcome(compiled.apply, variant), _outcome(compiled.apply_by_jsonata, variant)
                if fast != reference:
                    raise Finding(
                        "the fast path and jsonata-python differ",
                        rows(
                            {
                                "record": f"{number} of {lane_id}, {what}",
                                "differs": _where(fast, reference),
                                "fix": "this is a fault of the engine, not of the connector: report it",
                            }
                        ),
                    )
    return {"records": records, "variants": tried}


def results_meet_the_model(subject: Subject, target: str) -> Evidence:
    """Each mapped record is what the model's JSON Schema allows, by a validator that the engine does not use."""
    model: Any = subject.models[target]
    validator = jsonschema.Draft202012Validator(model, format_checker=jsonschema.FormatChecker())
    records = fields = 0
    for lane_id, found in _records(subject, target):
        for number, record in enumerate(subject.mapped(lane_id, found), 1):
            records += 1
            fields += len(record) if isinstance(record, dict) else 0
            for error in validator.iter_errors(record):
                where = "/".join(map(str, error.absolute_path))
                pointer = _rule(subject.compiled(lane_id).mapping, where)
                raise Finding(
                    f"a mapped record is not what {target} allows",
                    rows(
                        {
                            "record": f"{number} of {lane_id}",
                            "field": f"/{where}",
                            "model": f"{error.validator} {str(error.validator_value)[:80]}",
                            "mapped by": f"{subject.file}:{subject.connector.source.line(pointer)}",
                        }
                    ),
                )
    return {"records": records, "fields": fields}


def errors_name_their_place(subject: Subject, target: str) -> Evidence:
    """A record of another shape maps, or fails with field, expression, line and level named, and no value shown."""
    lane_id, found = _records(subject, target)[0]
    compiled = subject.compiled(lane_id)
    failures = mapped = 0
    for what, variant in _variants(_marked(found[0])):
        try:
            compiled.apply(variant)
            mapped += 1
        except MappingFailed as failed:
            failures += 1
            told = str(failed)
            level = next((rule.level for rule in compiled.mapping.fields if rule.name == failed.field), "")
            lacking = [
                name
                for name, text in (("field", failed.field), ("line", failed.pointer), ("level", level))
                if text not in told
            ]
            if lacking or _MARK in "".join(traceback.format_exception(failed)):
                said = f"it does not name {', '.join(lacking)}" if lacking else "it shows a value of the record"
                facts = {"record": f"the first of {lane_id}, {what}", "error": told.partition("\n")[0]}
                raise Finding(f"a mapping error falls short: {said}", rows(facts)) from None
    return {"variants": failures + mapped, "errors": failures}


def _records(subject: Subject, model: str) -> list[tuple[str, tuple[JsonValue, ...]]]:
    """The raw records that are mapped to a model, by lane. Raises Inconclusive where there is none."""
    lanes = [lane_id for lane_id in subject.lanes if subject.maps(lane_id, model)]
    found = [(lane_id, records) for lane_id in lanes if (records := subject.recorded_records(lane_id))]
    if not found:
        raise Inconclusive(f"no recording holds a record of {model}", "record a lane with records")
    return found


def _outcome(apply: Callable[[JsonValue], JsonValue], record: JsonValue) -> str:
    """What came of mapping a record, as a text that tells classes apart: the record, or the field that failed."""
    try:
        return json.dumps(apply(record), sort_keys=True)
    except MappingFailed as failed:
        return f"failed at {failed.field}"


def _where(fast: str, reference: str) -> str:
    """The fields in which two outcomes differ, without their values."""
    if fast.startswith("failed") or reference.startswith("failed"):
        return " / ".join(said if said.startswith("failed") else "maps" for said in (fast, reference))
    one, other = json.loads(fast), json.loads(reference)
    differing = (name for name in {*one, *other} if json.dumps(one.get(name)) != json.dumps(other.get(name)))
    return ", ".join(sorted(differing))


def _rule(mapping: UnifiedMapping, where: str) -> str:
    field = where.partition("/")[0]
    return next((rule.pointer for rule in mapping.fields if rule.name == field), mapping.pointer)


def _variants(record: JsonValue) -> Iterator[tuple[str, JsonValue]]:
    """The record with each of its members changed in turn, in the ways in which providers do."""
    if not isinstance(record, dict):
        return
    for name, value in record.items():
        rest = {other: kept for other, kept in record.items() if other != name}
        yield f"without {name}", rest
        changed: list[tuple[str, JsonValue]] = [
            ("null", None),
            ("a list", [value]),
            ("an empty list", []),
            ("an object", {"value": value}),
            ("a large number", 9_007_199_254_740_993),
            ("true", True),
            ("a text", _MARK),
        ]
        for kind, other in changed:
            yield f"with {name} as {kind}", {**record, name: other}


def _marked(record: JsonValue) -> JsonValue:
    """The record with a mark in each of its texts, so that one in a message can be found."""
    if isinstance(record, str):
        return f"{record}{_MARK}"
    if isinstance(record, list):
        return [_marked(inner) for inner in record]
    if isinstance(record, dict):
        return {name: _marked(inner) for name, inner in record.items()}
    return record
