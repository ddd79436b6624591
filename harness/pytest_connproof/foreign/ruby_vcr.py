"""Cassettes of Ruby's VCR (2.0 and later), in YAML or JSON.

    http_interactions:
    - request:  {method: get, uri: ..., body: {encoding: UTF-8, string: ""}, headers: {Accept: ["*/*"]}}
      response: {status: {code: 200, message: OK}, headers: {}, body: {encoding: UTF-8, base64_string: ...}}
      recorded_at: Tue, 05 Jan 2016 22:51:34 GMT
    recorded_with: VCR 6.1.0

Only method, uri and status are sure to be there: VCR itself replays the rest as absent.
Source: features/cassettes/format.feature of VCR, and real cassettes.
"""

from __future__ import annotations

from pytest_connproof.foreign import wire
from pytest_connproof.foreign.document import Document, Part
from pytest_connproof.foreign.tape import Taped

__all__ = ["NAME", "exchanges", "unlike"]

NAME = "ruby-vcr"


def unlike(document: Part) -> str | None:
    """Why the document is none of these; None where it is one."""
    return document.lacks_list("http_interactions")


def exchanges(document: Document) -> tuple[Taped, ...]:
    root = document.root
    parts = root.member("http_interactions").elements()
    # "recorded_with" is written last. Some strip it; then the end of the last exchange must be there.
    if parts and root.maybe("recorded_with") is None and not _ends(parts[-1]):
        raise parts[-1].unfit("is the last and has no end")
    return tuple(_exchange(part) for part in parts)


def _ends(part: Part) -> bool:
    recorded_at = part.maybe("recorded_at")
    return recorded_at is not None and recorded_at.text().endswith(" GMT")


def _exchange(part: Part) -> Taped:
    request, response = part.member("request"), part.member("response")
    recorded_at = part.maybe("recorded_at")
    return Taped(
        wire.request(
            request.member("method"),
            request.member("uri"),
            wire.headers(request.maybe("headers")),
            wire.stored_body(request.maybe("body")),
        ),
        wire.response(
            response.member("status").member("code"),
            wire.headers(response.maybe("headers")),
            wire.stored_body(response.maybe("body")),
            response,
        ),
        recorded_at.text() if recorded_at else None,
    )
