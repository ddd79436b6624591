"""The kit's harness corpus (100 cases of 3 exchanges and 30 expected records) as a connproof project.

The expected records become old-code baselines, so that what the kit's peers assert is what PAR-001 compares.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from connproof.model import Request, Response
from pytest_connproof.lane_run import shown_request
from pytest_connproof.recording import FORMAT, exchange_document
from pytest_connproof.snapshots import Baseline, Snapshot, SnapshotFolder


def build(cases: Path, project: Path, fields: dict[str, tuple[str, ...]]) -> int:
    """Write the project; how many cases it has."""
    folder = project / "connectors" / "contacts"
    (folder / "recordings").mkdir(parents=True)
    files = sorted(cases.glob("case_*.json"))
    base_url = ""
    for file in files:
        case: dict[str, Any] = json.loads(file.read_bytes())
        lane = f"contacts.list#{file.stem.replace('_', '-')}"
        pairs = [(_request(exchange["request"]), _response(exchange["response"])) for exchange in case["exchanges"]]
        url = urlsplit(pairs[0][0].url)
        base_url = f"{url.scheme}://{url.netloc}"
        exchanges = [exchange_document(f"{lane}/{n}", *pair) for n, pair in enumerate(pairs, 1)]
        _write(
            folder / "recordings" / f"{file.stem}.json",
            {
                "format": FORMAT,
                "provenance": {
                    "kind": "synthetic",
                    "source": "the comparison kit's generator",
                    "written_at": "2026-11-23",
                },
                "lanes": [{"id": lane, "order": "strict", "exchanges": exchanges}],
            },
        )
        requests = tuple(shown_request(request, ()) for request, _ in pairs)
        SnapshotFolder(project / "snapshots" / "contacts").write(
            Snapshot(
                lane=lane,
                baseline=Baseline("old code", "the comparison kit's hand-written mapping"),
                model="crm.contact",
                key="id",
                outcome="complete",
                requests=requests,
                records=tuple(case["expected"]),
            )
        )
    _write(folder / "connector.json", _connector(base_url, fields))
    _write(project / "connectors" / "unified" / "crm" / "contact.schema.json", _model(fields))
    return len(files)


def _connector(base_url: str, fields: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    listing = {"method": "GET", "path": "/crm/v3/objects/contacts", "response_path": "results", "key": "id"}
    return {
        "base_url": base_url,
        "auth": {"type": "none"},
        "pagination": {
            "type": "cursor",
            "cursor_field": "paging.next.after",
            "page_size_param": "limit",
            "default_page_size": 10,
        },
        "resources": {"contacts": {"list": listing}},
        "unified": {
            "crm.contact": {"resource": "contacts", "fields": {name: ".".join(path) for name, path in fields.items()}}
        },
    }


def _model(fields: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "x-key": "id",
        "properties": {name: {"type": ["string", "null"]} for name in fields},
        "unevaluatedProperties": False,
    }


def _request(said: dict[str, Any]) -> Request:
    return Request(said["method"], said["url"])


def _response(said: dict[str, Any]) -> Response:
    return Response(said["status"], tuple(said["headers"].items()), said["body"].encode())


def _write(path: Path, document: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
