"""Formats that only the corpus has: fixtures of octokit and tests of nango. Read into the same tapes.

They are no product: nobody migrates from them, and what they leave out is made up here. Nango
records neither host nor the bytes of a body: the origin is ORIGIN, and a body is its JSON written anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from connproof.model import Headers, Request, Response
from pytest_connproof import foreign
from pytest_connproof.foreign.wire import without_framing

ORIGIN = "https://provider.test"


def read(path: Path) -> foreign.Tape:
    """Read any recording of the corpus. Raises ForeignUnreadable for what is none."""
    document = _json(path)
    if isinstance(document, list) and document and "scope" in document[0]:
        return foreign.Tape("octokit", path, tuple(_octokit(exchange) for exchange in document))
    if isinstance(document, dict) and {"api", "nango"} <= document.keys():
        return foreign.Tape("nango", path, tuple(_nango(document["api"])))
    return foreign.read(path)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes()) if path.suffix == ".json" else None
    except ValueError:
        return None


def _octokit(exchange: dict[str, Any]) -> foreign.Taped:
    """One entry as nock records it: `scope` is the origin, `rawHeaders` alternate name and value."""
    raw = exchange.get("rawHeaders") or [text for pair in exchange["headers"].items() for text in pair]
    response = exchange["response"]
    request = Request(
        exchange["method"].upper(),
        exchange["scope"].removesuffix(":443") + exchange["path"],
        _headers(exchange["reqheaders"]),
        _body(exchange["body"]) or None,
    )
    fields = tuple((name.lower(), str(value)) for name, value in zip(raw[::2], raw[1::2], strict=True))
    body = bytes.fromhex(response) if exchange.get("responseIsBinary") else _body(response)
    return foreign.Taped(request, Response(exchange["status"], without_framing(fields), body), None)


def _nango(api: dict[str, dict[str, Any]]) -> list[foreign.Taped]:
    """All exchanges: method, then path, then one or a list of `{request, response, status, headers}`."""
    return [
        _nango_exchange(method, path, each)
        for method, paths in api.items()
        for path, entry in paths.items()
        for each in (entry if isinstance(entry, list) else [entry])
    ]


def _nango_exchange(method: str, path: str, entry: dict[str, Any]) -> foreign.Taped:
    sent = entry.get("request", {})
    query = f"?{urlencode(sent['params'])}" if sent.get("params") else ""
    request = Request(
        method.upper(), f"{ORIGIN}{path}{query}", _headers(sent.get("headers", {})), _body(sent.get("data", "")) or None
    )
    fields = without_framing(_headers(entry.get("headers", {})))
    return foreign.Taped(request, Response(entry["status"], fields, _body(entry["response"])), None)


def _headers(fields: dict[str, str]) -> Headers:
    return tuple((name.lower(), str(value)) for name, value in fields.items())  # a count may stand there as a number


def _body(value: object) -> bytes:
    """A text is the body itself; everything else was JSON."""
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).encode("utf-8")
