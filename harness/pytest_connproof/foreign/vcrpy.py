"""Cassettes of Python's vcrpy, version 1, in YAML or JSON.

    interactions:
    - request:  {method: GET, uri: ..., body: null, headers: {Accept: ["*/*"]}}
      response: {status: {code: 200, message: OK}, headers: {}, body: {string: ...}}
    version: 1

`version` is written last, so a cassette without it is cut off. For httpx clients some
versions wrote `status_code` and `content` instead of `status` and `body`.
"""

from __future__ import annotations

import json

from pytest_connproof.foreign import wire
from pytest_connproof.foreign.document import Document, Part
from pytest_connproof.foreign.tape import Taped

__all__ = ["NAME", "exchanges", "unlike"]

NAME = "vcrpy"


def unlike(document: Part) -> str | None:
    """Why the document is none of these; None where it is one."""
    return document.lacks_list("interactions")


def exchanges(document: Document) -> tuple[Taped, ...]:
    root = document.root
    version = root.maybe("version")
    if version is None:
        raise root.unfit('has no "version", which stands last')
    if version.whole() != 1:
        raise version.unfit(f"is {version.whole()}, and only version 1 is known", fix="record it again in version 1")
    return tuple(_exchange(part) for part in root.member("interactions").elements())


def _exchange(part: Part) -> Taped:
    request, response = part.member("request"), part.member("response")
    status = response.maybe("status_code") or response.member("status").member("code")
    body = response.maybe("content") or response.maybe("body")
    recorded_at = part.maybe("recorded_at")
    return Taped(
        wire.request(
            request.member("method"),
            request.member("uri"),
            wire.headers(request.maybe("headers")),
            _request_body(request.maybe("body")),
        ),
        wire.response(status, wire.headers(response.maybe("headers")), wire.stored_body(body), response),
        recorded_at.text() if recorded_at else None,
    )


def _request_body(part: Part | None) -> bytes:
    """A body, or what an asynchronous client was given as `json=`: the bytes that it makes of that."""
    if part is None or not isinstance(part.value, dict | list):
        return wire.stored_body(part)
    try:
        return json.dumps(part.value).encode("utf-8")
    except TypeError:
        raise part.unfit("holds bytes inside a JSON body") from None
