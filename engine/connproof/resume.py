"""Resume tokens: where a read stood, as a text that its caller can keep.

A token belongs to its call. It holds the position and so what the provider named as the next page; it is checked
against mistyping, and is no signature.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Final

from connproof.errors import CallWrong
from connproof.model import Position, Request
from connproof.places import ABSENT, Absent

__all__ = ["call_digest", "resumed", "token"]

_VERSION: Final = 1


def call_digest(connector: str, operation: str, request: Request, size: int | None) -> str:
    """What tells one call from another: what its first request asks, unsigned, and its page size."""
    said = json.dumps([connector, operation, request.method, request.url, (request.body or b"").hex(), size])
    return hashlib.blake2b(said.encode(), digest_size=9).hexdigest()


def token(call: str, position: Position) -> str:
    """The token of a position in a call. `call` is its digest."""
    value = {} if isinstance(position.value, Absent) else {"v": position.value}
    said = {"f": _VERSION, "c": call, "t": position.total, "p": position.pages, "r": position.records, **value}
    text = json.dumps(said, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_sum(text) + text).decode().rstrip("=")


def _sum(text: bytes) -> bytes:
    """What tells a whole token from one that was cut or mistyped; it is no signature."""
    return hashlib.blake2b(text, digest_size=6).digest()


def resumed(text: str, call: str) -> Position:
    """The position that a token holds. Raises CallWrong for a text that is none, or is another call's."""
    try:
        whole = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        said = json.loads(whole[6:]) if whole[:6] == _sum(whole[6:]) else {}
        version, of = said["f"], said["c"]
        position = Position(said.get("v", ABSENT), said["t"], said["p"], said["r"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise CallWrong("not a resume token", fix="pass the token as it was given, whole") from None
    if version != _VERSION:
        raise CallWrong(f"a resume token of another version: {version}", fix="start the read anew")
    if of != call:
        raise CallWrong("a resume token of another read", fix="resume with the same resource, parameters and page size")
    return position
