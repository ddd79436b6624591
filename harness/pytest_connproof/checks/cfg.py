"""CFG: the config by itself: valid, pinned to its origins, without secrets, data only, compatible."""

from __future__ import annotations

import ast
import json
from functools import lru_cache
from pathlib import Path

import connproof
from connproof.clock import SystemClock
from connproof.documents import child
from connproof.errors import ConfigWrong, Problem
from connproof.links import origin
from connproof.mapping import compile_mapping
from connproof.places import JsonValue
from pytest_connproof.finding import Evidence, Finding, Inconclusive, rows
from pytest_connproof.redact import redact
from pytest_connproof.subject import Subject


def is_valid(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 the checks share one signature
    """Raises ConfigWrong with every problem: nothing else can be judged then."""
    connector = subject.connector
    problems: list[Problem] = []
    for mapping in connector.unified.values():
        try:
            compile_mapping(
                mapping,
                schema=subject.models.get(mapping.model),
                clock=SystemClock(),
                bindings={},
                document=str(subject.file),
            )
        except ConfigWrong as wrong:
            problems += wrong.problems
    if problems:
        raise ConfigWrong(str(subject.file), problems)
    return {
        "operations": sum(1 for _ in connector.operations()),
        "expressions": sum(len(mapping.fields) for mapping in connector.unified.values()),
    }


def origins_are_pinned(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 as above
    """Every recorded request went to an origin that the config allows."""
    connector = subject.connector
    base = connector.base_url
    for name, value in subject.account.variables.items():
        base = base.replace(f"{{{name}}}", value)
    if connector.api_version:
        base = base.replace("{api_version}", connector.api_version.value)
    allowed = {origin(base), *connector.allowed_origins}
    seen = 0
    for recorded in subject.lanes.values():
        for exchange in recorded.lane.exchanges:
            seen += 1
            if origin(exchange.request.url) not in allowed:
                raise Finding(
                    f"{exchange.id} was recorded from an origin that the config does not allow",
                    rows(
                        {
                            "recorded": origin(exchange.request.url),
                            "allowed": sorted(allowed),
                            "config": f"{subject.file}:{connector.source.line('/base_url')} base_url, allowed_origins",
                            "evidence": f"{recorded.recording.path.name}  {exchange.pointer}",
                            "fix": "correct base_url; or add the origin to allowed_origins, if pages come from it",
                        }
                    ),
                )
    if not seen:
        raise Inconclusive("no recorded request shows where the connector goes", "record or import traffic")
    return {"requests": seen, "origins": len(allowed)}


def holds_no_secret(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 as above
    """No value of the config looks like a credential: those belong to accounts."""
    document = json.loads(subject.file.read_bytes())
    subject.connector  # noqa: B018 a config that cannot be read is not judged
    texts = list(_texts(document, ""))
    for pointer, text in texts:
        found = redact({"value": text})
        if found.changes:
            raise Finding(
                f"the config holds what looks like a credential: {found.changes[0].rule}",
                rows(
                    {
                        "config": f"{subject.file}:{subject.connector.source.line(pointer)}  {pointer}",
                        "fix": "take it out, have it revoked, and let auth read it from the account's credentials",
                    }
                ),
            )
    return {"texts": len(texts)}


def is_data_only(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 as above
    """The folder holds data, and the engine does not know the connector: no code beside it, no name of it in code."""
    files = [path for path in sorted(subject.folder.rglob("*")) if path.is_file()]
    strangers = [path for path in files if path.suffix not in {".json", ".md"}]
    if strangers:
        names = [str(path.relative_to(subject.folder)) for path in strangers]
        raise Finding(
            "the connector's folder holds something other than data",
            rows({"found": names, "fix": "say it in the config; what the config cannot say is missing in the engine"}),
        )
    constants = _engine_constants()
    if subject.name in constants:
        raise Finding(
            f'the engine\'s code names "{subject.name}"',
            rows({"found": constants[subject.name], "fix": "let the config decide, not the connector's name"}),
        )
    return {"files": len(files), "constants": len(constants)}


def is_compatible(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 as above
    """Nothing that the last certificate promised is gone: no operation, no unified field."""
    promised = set(surface(subject))
    last = subject.folder.parent.parent / "certificates" / f"{subject.name}.json"
    if last.exists():
        before = set(json.loads(last.read_bytes()).get("surface", ()))
        waived = {deviation.path for deviation in subject.deviations if deviation.kind == "missing"}
        gone = sorted(name for name in before - promised if child("", name) not in waived)
        if gone:
            raise Finding(
                f"the last certificate promised more: {len(gone)} gone",
                rows(
                    {
                        "gone": gone,
                        "certificate": str(last),
                        "fix": 'put it back; or, if callers know, waive it in deviations.json (kind "missing", path '
                        f'"{child("", gone[0])}"), or remove the certificate',
                    }
                ),
            )
    return {"promises": len(promised)}


def surface(subject: Subject) -> tuple[str, ...]:
    """What callers can rely on: each operation, and each field of each unified model."""
    connector = subject.connector
    operations = [operation.id for operation in connector.operations()]
    fields = [f"{mapping.model}/{rule.name}" for mapping in connector.unified.values() for rule in mapping.fields]
    return tuple(sorted([*operations, *fields]))


def _texts(value: JsonValue, pointer: str) -> list[tuple[str, str]]:
    if isinstance(value, str):
        return [(pointer, value)]
    if isinstance(value, dict):
        return [found for name, inner in value.items() for found in _texts(inner, child(pointer, name))]
    if isinstance(value, list):
        return [found for index, inner in enumerate(value) for found in _texts(inner, child(pointer, index))]
    return []


@lru_cache(maxsize=1)
def _engine_constants() -> dict[str, str]:
    """Every one-word text in the engine's code, and where it stands: how code would name a provider."""
    root = Path(connproof.__file__).parent
    found: dict[str, str] = {}
    for path in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
                found.setdefault(node.value, f"{path.relative_to(root.parent)}:{node.lineno}")
    return found
