"""A connector's verdict as a document: deterministic, so that two runs over the same inputs give the same bytes.

No time of day, no duration, no host, no path of a machine. What it says can be recomputed from the digests of
what it rests on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

import connproof
from connproof.places import JsonValue
from pytest_connproof.atomic import write_whole
from pytest_connproof.checks.rec import valid_until
from pytest_connproof.checks.tok import rotation_of
from pytest_connproof.subject import Subject
from pytest_connproof.verdict import CheckResult, Verdict

__all__ = ["FORMAT", "baselines", "certificate", "grade", "write"]

FORMAT: Final = "connproof-certificate/1"

# From the strongest kind of evidence to the weakest.
_KINDS: Final = ("recorded", "imported", "documented", "synthetic")


def certificate(subject: Subject, verdict: Verdict, results: Sequence[CheckResult]) -> dict[str, JsonValue]:
    """The certificate's document."""
    until = valid_until(subject)
    return {
        "format": FORMAT,
        "connector": subject.name,
        "verdict": verdict.word,
        "reasons": [*verdict.reasons],
        "grade": grade(subject),
        "baseline": baselines(subject),
        "valid_until": until.isoformat() if until else None,
        "unverified": [*sorted({fact for recording in subject.recordings for fact in recording.provenance.unverified})],
        "engine": {"name": "connproof", "version": version("connproof"), "digest": engine_digest()},
        "digests": dict(subject.digests),
        "rotation": _rotation(subject, results),
        "evidence": {check: dict(counts) for check, counts in verdict.evidence.items()},
        "checks": [
            {
                "check": result.check,
                "target": result.target,
                "outcome": result.outcome,
                "evidence": dict(result.evidence),
                "reason": result.reason,
            }
            for result in sorted(results, key=lambda result: (result.check, result.target))
        ],
        "waivers": [
            {
                "lane": deviation.lane,
                "path": deviation.path,
                "kind": deviation.kind,
                "reason": deviation.reason,
                "owner": deviation.owner,
                "expires": deviation.expires.isoformat(),
            }
            for deviation in subject.deviations
        ],
        # What callers were promised stays promised until a certificate says less.
        "surface": [*(subject.surface if verdict.word == "certified" else subject.promised)],
    }


def write(folder: Path, name: str, document: dict[str, JsonValue]) -> Path:
    """Write a certificate whole, or not at all."""
    path = folder / f"{name}.json"
    write_whole(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return path


def grade(subject: Subject) -> str:
    """The kinds of evidence among the recordings, the weakest first: a chain is as strong as that."""
    kinds = {recording.provenance.kind for recording in subject.recordings}
    return " + ".join(kind for kind in reversed(_KINDS) if kind in kinds) or "none"


def baselines(subject: Subject) -> str:
    """Who returned what the snapshots hold: the old code, this engine, or both."""
    stored = (subject.snapshots.read(lane) for lane in subject.lanes)
    return " + ".join(sorted({snapshot.baseline.kind for snapshot in stored if snapshot})) or "none"


def _rotation(subject: Subject, results: Sequence[CheckResult]) -> str | int | None:
    """What the provider was taken to do with a used refresh token; None where nothing was refreshed."""
    if not any(result.check.startswith("TOK-") and result.outcome == "passed" for result in results):
        return None
    return rotation_of(subject)


@lru_cache(maxsize=1)
def engine_digest() -> str:
    """SHA-256 over the engine's and the harness's own files."""
    digest = hashlib.sha256()
    for root in (Path(connproof.__file__).parent, Path(__file__).parents[1]):
        for path in sorted(p for p in root.rglob("*") if p.suffix in {".py", ".json"}):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(root.parent).as_posix()}\0{len(content)}\0".encode())
            digest.update(content)
    return f"sha256:{digest.hexdigest()}"
