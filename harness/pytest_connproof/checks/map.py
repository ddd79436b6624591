"""MAP: the mapping: one meaning whichever way it runs, a result that its model allows, errors that name their place.

Judged on each unified model, over every record that a recording holds of it.
"""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import jsonschema

from connproof.errors import MappingFailed, printable, shortened
from connproof.mapping import CompiledMapping
from connproof.model import UnifiedMapping
from connproof.places import JsonValue
from pytest_connproof.finding import Evidence, Finding, Inconclusive, rows
from pytest_connproof.subject import Subject

_MARK: Final = "connproof-canary-7f3a"


def fast_path_is_the_reference(subject: Subject, target: str) -> Evidence:
    """Each record, and the first also with what is read of it missing or of another kind, maps alike by both ways."""
    tried = records = 0
    for lane_id, found in _records(subject, target):
        compiled = subject.compiled(lane_id)
        for number, record in enumerate(found, 1):
            records += 1
            for what, variant in (("as recorded", record), *(_variants(record, compiled) if records == 1 else ())):
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
    for lane_id, _ in _records(subject, target):
        for number, record in enumerate(subject.run(lane_id).records, 1):
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
                            "mapped by": subject.line_of(pointer),
                        }
                    ),
                )
    if not records:
        raise Inconclusive(f"no record of {target} reached the caller", "see RPL-002 and RPL-004")
    return {"records": records, "fields": fields}


def errors_name_their_place(subject: Subject, target: str) -> Evidence:
    """A record of another shape maps, or fails with field, expression, line and level named, and no value shown."""
    lane_id, found = _records(subject, target)[0]
    compiled = subject.compiled(lane_id)
    variants = failures = 0
    for what, variant in _variants(_marked(found[0]), compiled):
        variants += 1
        try:
            compiled.apply(variant)
        except Exception as error:  # noqa: BLE001 whatever it is, callers meet it
            failures += 1
            if wrong := _falls_short(error, compiled):
                facts = {
                    "record": f"the first of {lane_id}, {what}",
                    "error": type(error).__name__,
                    "fix": "this is a fault of the engine, not of the connector: report it",
                }
                raise Finding(f"a mapping error falls short: {wrong}", rows(facts)) from None
    if not failures:
        raise Inconclusive(
            f"no change to a record of {target} made its mapping fail", "let the model say what each field may be"
        )
    return {"variants": variants, "errors": failures}


def _falls_short(error: Exception, compiled: CompiledMapping) -> str:
    """What an error about a record lacks or shows too much of, "" where it is as it should be."""
    if not isinstance(error, MappingFailed):
        return "it is no MappingFailed"
    rule = next((rule for rule in compiled.mapping.fields if rule.name == error.field), None)
    wanted = {
        "field": error.field,
        "expression": shortened(printable(error.expression)),
        "level": rule.level if rule else "",
    }
    told = str(error)
    lacking = [name for name, text in wanted.items() if text not in told]
    if not re.search(rf"\b{error.line}\b.{{,2}}{re.escape(error.pointer)}", told):
        lacking.append("line")
    if lacking:
        return f"it does not name its {' and '.join(lacking)}"
    is_shown = _MARK in "".join(traceback.format_exception(error))
    return "it shows a value of the record" if is_shown else ""


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
    except Exception as error:  # noqa: BLE001 MAP-003 says what is wrong with it
        return f"failed with {type(error).__name__}"


def _where(fast: str, reference: str) -> str:
    """The fields in which two outcomes differ, without their values."""
    if fast.startswith("failed") or reference.startswith("failed"):
        return " / ".join(said if said.startswith("failed") else "maps" for said in (fast, reference))
    one, other = json.loads(fast), json.loads(reference)
    parts = [{name: json.dumps(value) for name, value in mapped.items()} for mapped in (one, other)]
    return ", ".join(sorted({name for name, _ in parts[0].items() ^ parts[1].items()}))


def _rule(mapping: UnifiedMapping, where: str) -> str:
    field = where.partition("/")[0]
    return next((rule.pointer for rule in mapping.fields if rule.name == field), mapping.pointer)


_WORD: Final = re.compile(r"\w+")


def _variants(record: JsonValue, compiled: CompiledMapping) -> Iterator[tuple[str, JsonValue]]:
    """The record with each member that an expression may read changed in turn, in the ways in which providers do."""
    texts = [rule.expression for rule in compiled.mapping.fields]
    if compiled.mapping.custom_fields is not None:
        texts += [source.at.text for source in compiled.mapping.custom_fields.sources]
    named = {word for text in texts for word in _WORD.findall(text)}

    def inside(value: JsonValue, path: str) -> Iterator[tuple[str, JsonValue]]:
        if not isinstance(value, dict):
            return
        for name, inner in value.items():
            if not named.isdisjoint(_WORD.findall(name)):
                at = f"{path}{name}"
                yield from ((what, {**value, name: new}) for what, new in inside(inner, f"{at}."))
                yield from _changed(value, name, at)

    yield from inside(record, "")


def _changed(record: Mapping[str, JsonValue], name: str, at: str) -> Iterator[tuple[str, JsonValue]]:
    value = record[name]
    yield f"without {at}", {other: kept for other, kept in record.items() if other != name}
    others: list[tuple[str, JsonValue]] = [
        ("null", None),
        ("a list", [value]),
        ("an empty list", []),
        ("an object", {"value": value}),
        ("a large number", 9_007_199_254_740_993),
        ("true", True),
        ("a text", _MARK),
    ]
    for kind, other in others:
        yield f"with {at} as {kind}", {**record, name: other}


def _marked(record: JsonValue) -> JsonValue:
    """The record with a mark in each of its texts, so that one in a message can be found."""
    if isinstance(record, str):
        return f"{record}{_MARK}"
    if isinstance(record, list):
        return [_marked(inner) for inner in record]
    if isinstance(record, dict):
        return {name: _marked(inner) for name, inner in record.items()}
    return record
