"""Cassettes of betamax, JSON. They look like Ruby VCR's, and differ in what a response holds.

    {"http_interactions": [{
      "request":  {"method": "GET", "uri": ..., "body": {"encoding": "utf-8", "string": ""}, "headers": {}},
      "response": {"status": {"code": 200, "message": "OK"}, "url": ..., "headers": {},
                   "body": {"encoding": "utf-8", "base64_string": ..., "string": ""}},
      "recorded_at": "2013-09-28T01:25:38"}],
     "recorded_with": "betamax/0.4.1"}

Older ones have `status_code`, and a request body that is a text.
"""

from __future__ import annotations

from pytest_connproof.foreign import wire
from pytest_connproof.foreign.document import Document, Part
from pytest_connproof.foreign.tape import Taped

__all__ = ["NAME", "exchanges", "unlike"]

NAME = "betamax"


def unlike(document: Part) -> str | None:
    """Why the document is none of these; None where it is one."""
    if lacking := document.lacks_list("http_interactions"):
        return lacking
    recorder = document.maybe("recorded_with")
    if recorder is None or not str(recorder.value).startswith("betamax"):
        return '"recorded_with" does not say betamax'
    return None


def exchanges(document: Document) -> tuple[Taped, ...]:
    return tuple(_exchange(part) for part in document.root.member("http_interactions").elements())


def _exchange(part: Part) -> Taped:
    request, response = part.member("request"), part.member("response")
    status = response.maybe("status_code") or response.member("status").member("code")
    recorded_at = part.maybe("recorded_at")
    return Taped(
        wire.request(
            request.member("method"),
            request.member("uri"),
            wire.headers(request.maybe("headers")),
            wire.stored_body(request.maybe("body")),
        ),
        wire.response(
            status, wire.headers(response.maybe("headers")), wire.stored_body(response.maybe("body")), response
        ),
        recorded_at.text() if recorded_at else None,
    )
