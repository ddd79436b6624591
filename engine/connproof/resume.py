"""Resume tokens: where a read stood, as a text that its caller can keep.

A token belongs to its call. It holds the position and so what the provider named as the next page; it is checked
against mistyping, and is no signature.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable
from typing import Any, Final

from connproof.documents import read_json
from connproof.errors import CallWrong, ConfigWrong
from connproof.model import Position, Request, frozen
from connproof.places import ABSENT, Absent, JsonValue

__all__ = ["call_digest", "packed", "resumed", "token", "unpacked"]

# Positions without a state are written as they always were.
_VERSION: Final = 1
_STATED_VERSION: Final = 2


def call_digest(connector: str, operation: str, request: Request, size: int | None, parts: Iterable[str] = ()) -> str:
    """What tells one call from another: what its first request asks, unsigned, and its page size.

    `parts` are the words of the config on which it depends what a position holds.
    """
    said = [connector, operation, request.method, request.url, (request.body or b"").hex(), size, *parts]
    return hashlib.blake2b(json.dumps(said).encode(), digest_size=9).hexdigest()


def packed(position: Position) -> dict[str, JsonValue]:
    """A position as a JSON value."""
    value = {} if isinstance(position.value, Absent) else {"v": position.value}
    state: dict[str, JsonValue] = {"s": dict(position.state)} if position.state else {}
    return {"t": position.total, "p": position.pages, "r": position.records, **value, **state}


def unpacked(said: Any) -> Position:
    """The position that `packed` made this of. Raises KeyError, TypeError, ValueError for anything else."""
    position = Position(said.get("v", ABSENT), said["t"], said["p"], said["r"], frozen(said.get("s", {})))
    counts = (position.pages, position.records, *(() if position.total is None else (position.total,)))
    if not all(type(count) is int and count >= 0 for count in counts):
        raise ValueError("a count that is none")
    return position


def token(call: str, position: Position) -> str:
    """The token of a position in a call. `call` is its digest."""
    said = {"f": _STATED_VERSION if position.state else _VERSION, "c": call, **packed(position)}
    text = json.dumps(said, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_sum(text) + text).decode().rstrip("=")


def _sum(text: bytes) -> bytes:
    """What tells a whole token from one that was cut or mistyped; it is no signature."""
    return hashlib.blake2b(text, digest_size=6).digest()


def resumed(text: str, call: str) -> Position:
    """The position that a token holds. Raises CallWrong for a text that is none, or is another call's."""
    try:
        whole = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        said: Any = read_json(whole[6:], "the token")[0] if whole[:6] == _sum(whole[6:]) else {}
        version, of = said["f"], said["c"]
        position = unpacked(said)
    except (binascii.Error, ConfigWrong, ValueError, KeyError, TypeError, AttributeError):
        raise CallWrong("not a resume token", fix="pass the token as it was given, whole") from None
    if version not in (_VERSION, _STATED_VERSION):  # no set: it may be anything, a list too
        raise CallWrong(f"a resume token of another version: {version!s:.40}", fix="start the read anew")
    if of != call:
        raise CallWrong("a resume token of another read", fix="resume with the same resource, parameters and page size")
    return position
