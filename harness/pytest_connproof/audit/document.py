"""The inventory as a JSON document of format connproof-audit/1, and an earlier one to compare with.

The same tree, commit and time give the same bytes: nothing in it depends on the machine or the clock. Its schema is
schema/audit.schema.json.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from connproof.errors import CallWrong
from pytest_connproof.audit.connectors import Connector, Place
from pytest_connproof.audit.facts import Unparsed
from pytest_connproof.audit.history import Blame, Share, Upkeep
from pytest_connproof.audit.sources import Found

__all__ = ["FORMAT", "as_document", "compared", "earlier", "schema"]

FORMAT: Final = "connproof-audit/1"


def as_document(
    found: Found,
    lines: int,
    connectors: Sequence[Connector],
    *,
    unparsed: Sequence[Unparsed],
    blames: Mapping[str, Blame],
    commit: str | None,
    since: str,
    upkeep: Upkeep | None,
    notes: Sequence[str],
) -> dict[str, Any]:
    """The whole inventory."""
    told = [_connector(connector, blames) for connector in connectors]
    return {
        "format": FORMAT,
        "commit": commit,
        "files": len(found.files),
        "lines": lines,
        "totals": _totals(connectors),
        "connectors": told,
        "history": None if upkeep is None else _history(upkeep, since),
        "not_parsed": [{"file": one.path, "line": one.line, "why": one.why} for one in unparsed],
        "left_out": [{"file": path, "why": why} for path, why in found.left_out],
        "not_read": found.not_read,
        "notes": list(notes),
    }


def _totals(connectors: Sequence[Connector]) -> dict[str, int]:
    files = {place for connector in connectors for place in connector.files}
    functions = {place for connector in connectors for place in connector.functions}
    branches = {place for connector in connectors for place in connector.branches}
    return {
        "connectors": len(connectors),
        "files": len(files),
        "file_lines": _lines(files),
        "functions": len(functions),
        "function_lines": _lines(functions),
        "branches": len(branches),
        "branch_lines": _lines(branches),
    }


def _lines(places: set[Place]) -> int:
    """The lines of the places, each once."""
    return len({(place.path, line) for place in places for line in range(place.span.first, place.span.last + 1)})


def _connector(connector: Connector, blames: Mapping[str, Blame]) -> dict[str, Any]:
    def told(places: Sequence[Place], what: str) -> list[dict[str, Any]]:
        return [_place(place, what, blames) for place in places]

    return {
        "name": connector.name,
        "hosts": list(connector.hosts),
        "auth": list(connector.auth),
        "pagination": list(connector.pagination),
        "versions": list(connector.versions),
        "endpoints": [
            {
                "method": endpoint.method,
                "host": endpoint.host or None,
                "path": endpoint.path,
                "file": endpoint.at.path,
                "line": endpoint.at.span.first,
            }
            for endpoint in connector.endpoints
        ],
        "files": told(connector.files, "language"),
        "tests": told(connector.tests, "language"),
        "functions": told(connector.functions, "name"),
        "branches": told(connector.branches, "when"),
        "pagination_code": told(connector.paging_code, "what"),
        "retry_code": told(connector.retry_code, "what"),
        "token_code": told(connector.token_code, "what"),
        "lines": {
            "files": _lines(set(connector.files)),
            "functions": _lines(set(connector.functions)),
            "branches": _lines(set(connector.branches)),
        },
    }


def _place(place: Place, what: str, blames: Mapping[str, Blame]) -> dict[str, Any]:
    last = blames[place.path].last(place.span) if place.path in blames else None
    return {
        "file": place.path,
        "line": place.span.first,
        "lines": place.span.lines,
        what: place.what,
        "last_changed": None if last is None else {"by": last[0], "on": last[1]},
    }


def _history(upkeep: Upkeep, since: str) -> dict[str, Any]:
    whole, kept = upkeep.everything, upkeep.maintenance
    return {
        "since": since,
        "everything": {"commits": whole.commits, "churn": whole.churn},
        "building": _share(upkeep.building, whole),
        "maintenance": {
            **_share(kept, whole),
            "of_it": {kind: _share(share, kept) for kind, share in upkeep.kinds.items()},
        },
    }


def _share(part: Share, whole: Share) -> dict[str, Any]:
    return {
        "commits": part.commits,
        "churn": part.churn,
        "share_of_commits": round(part.commits / whole.commits, 4) if whole.commits else None,
        "share_of_churn": round(part.churn / whole.churn, 4) if whole.churn else None,
    }


@cache
def schema() -> dict[str, Any]:
    """The published schema of the document."""
    path = Path(__file__).parents[1] / "schema" / "audit.schema.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def earlier(path: Path) -> dict[str, Any]:
    """An inventory that was written before. Raises CallWrong where the file is none."""
    import jsonschema  # only a comparison needs it

    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as fault:
        raise CallWrong(f"{path} is not JSON: {fault}", fix="name a file that connproof audit --json wrote") from None
    wrong = next(jsonschema.Draft202012Validator(schema()).iter_errors(document), None)
    if wrong is not None:
        pointer = "".join(f"/{part}" for part in wrong.absolute_path)
        raise CallWrong(
            f"{path} is no inventory of format {FORMAT}",
            facts={"at": pointer or "/"},
            fix="name a file that connproof audit --json wrote",
        )
    return document


def compared(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """What became of each connector and of the sums: before, now, and by how much it fell (less than 0: it grew)."""
    old = {one["name"]: one["lines"] for one in before["connectors"]}
    new = {one["name"]: one["lines"] for one in now["connectors"]}
    none = {"files": 0, "functions": 0, "branches": 0}
    return {
        "commit": before["commit"],
        "totals": {name: _fallen(count, now["totals"][name]) for name, count in before["totals"].items()},
        "connectors": [
            {
                "name": name,
                "state": "gone" if name not in new else "new" if name not in old else "there",
                "lines": {of: _fallen(old.get(name, none)[of], new.get(name, none)[of]) for of in none},
            }
            for name in sorted({*old, *new})
        ],
    }


def _fallen(before: int, now: int) -> dict[str, Any]:
    return {"before": before, "now": now, "reduction": round((before - now) / before, 4) if before else None}
