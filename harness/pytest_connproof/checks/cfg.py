"""CFG: the config by itself: valid, pinned to its origins, without secrets, data only, compatible."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path

import connproof
from connproof.clock import SystemClock
from connproof.config import BRACES, CREDENTIALS
from connproof.documents import child, read_json
from connproof.links import origin
from connproof.live import check_mappings
from connproof.places import JsonValue
from connproof.run.asking import Asking
from pytest_connproof.finding import Evidence, Finding, Inconclusive, rows
from pytest_connproof.redact import redact
from pytest_connproof.subject import Subject


def is_valid(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 the checks share one signature
    """Raises what keeps the config, or its example account, from being read: nothing else can be judged then."""
    connector = subject.connector
    subject.account  # noqa: B018 raises CallWrong, ConfigWrong
    parties = subject.parties.values()  # also of every account's overrides
    for each in (connector, *(party.connector for party in parties)):
        check_mappings(each, subject.models, SystemClock())
    return {
        "operations": sum(1 for _ in connector.operations()),
        "expressions": sum(len(mapping.fields) for mapping in connector.unified.values()),
    }


def origins_are_pinned(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 as above
    """Every recorded request went to an origin that the config allows."""
    connector = subject.connector
    every: set[str] = set()
    seen: list[str] = []
    for recorded in subject.lanes.values():
        own = origin(Asking(connector, subject.party(recorded.lane).account).base_url)
        allowed = {own, *connector.allowed_origins}
        every |= allowed
        granting = {exchange.id for exchange in subject.grants(recorded.lane)}
        for exchange in recorded.lane.exchanges:
            seen.append(origin(exchange.request.url))
            if exchange.id not in granting and origin(exchange.request.url) not in allowed:
                raise Finding(
                    f"{exchange.id} was recorded from an origin that the config does not allow",
                    rows(
                        {
                            "recorded": origin(exchange.request.url),
                            "allowed": sorted(allowed),
                            "config": f"{subject.line_of('/base_url')} base_url, allowed_origins",
                            "evidence": f"{recorded.recording.path.name}  {exchange.pointer}",
                            "fix": "correct base_url; or add the origin to allowed_origins, if pages come from it",
                        }
                    ),
                )
    if not seen:
        raise Inconclusive("no recorded request shows where the connector goes", "record or import traffic")
    if idle := sorted(every.difference(seen)):
        raise Inconclusive(
            f"no recorded request went to {', '.join(idle)}, which the config allows",
            "record a page that comes from there, or take it out of allowed_origins",
        )
    return {"requests": len(seen), "origins": len(every)}


def holds_no_secret(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 as above
    """No value of the config, or of an account that stands beside it, looks like a live credential."""
    auth = subject.connector.auth
    value, source = read_json(subject.file.read_bytes(), str(subject.file))
    texts = list(_texts(value, ""))
    for pointer, text in texts:
        if rule := _secret(pointer, text):
            raise _holds_a_secret("the config", rule, f"{source.name}:{source.line(pointer)}  {pointer}")
    if auth.type == "basic" and not CREDENTIALS.search(auth.username + auth.password):
        raise _holds_a_secret("the config", "basic", f"{source.name}:{source.line('/auth')}  /auth")
    accounts = sorted((subject.folder / "accounts").glob("*.json"))
    for path in accounts:
        value, source = read_json(path.read_bytes(), str(path))
        for pointer, text in _texts(value, ""):
            # Every value here is a credential by its name: only a shape tells that it is a live one.
            if found := redact({"provenance": [text]}).changes:
                raise _holds_a_secret("an account", found[0].rule, f"{path}:{source.line(pointer)}  {pointer}")
    return {"texts": len(texts), "accounts": len(accounts)}


def _secret(pointer: str, text: str) -> str:
    """The rule by which a text of the config is a credential: by its shape; by its name too, where it is sent."""
    *above, name = pointer.split("/")
    fixed = BRACES.sub("", text)
    sent = not {"headers", "query", "body"}.isdisjoint(above)
    # The redactor reads bodies, headers and provenance; the last takes any document.
    found = redact({"provenance": {name: fixed} if sent else [fixed]})
    return found.changes[0].rule if found.changes else ""


def _holds_a_secret(where: str, rule: str, at: str) -> Finding:
    fix = "take it out, have it revoked, and let auth read it from the account's credentials"
    if where != "the config":
        fix = "have it revoked, and write an invented one: recordings are replayed with it"
    return Finding(f"{where} holds what looks like a credential: {rule}", rows({"found": at, "fix": fix}))


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
    gone = [name for name, waivers in subject.gone.items() if not waivers]
    if gone:
        raise Finding(
            f"the last certificate promised more: {len(gone)} gone",
            rows(
                {
                    "gone": gone,
                    "certificate": str(subject.last_certificate),
                    "fix": 'put it back; or, if callers know, waive it in deviations.json (lane "*", kind "missing", '
                    f'path "{child("", gone[0])}"), or remove the certificate',
                }
            ),
        )
    return {"promises": len(subject.surface)}


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
    """Every text without a space in the engine's code, and where it stands: how code would name a provider.

    The words of the config language are no names: a connector may be called "search" or "page".
    """
    root = Path(connproof.__file__).parent
    own = set(re.findall(r"[a-z][a-z0-9_-]*", (root / "schema" / "connector.schema.json").read_text().lower()))
    found: dict[str, str] = {}
    for path in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:
                found.setdefault(node.value.lower(), f"{path.relative_to(root.parent)}:{node.lineno}")
    return {word: where for word, where in found.items() if word not in own}
