"""What the readings of a body share: how much may be read, what was declared, and what an error may show."""

from __future__ import annotations

import codecs
from collections.abc import Container
from dataclasses import dataclass
from typing import Final

from connproof.errors import LimitExceeded, PageUnreadable
from connproof.model import Response

__all__ = ["Limits", "begins_like", "canonical", "charset", "marked", "media_type", "seen", "too_deep", "unreadable"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one body may be: `depth` in nested arrays and objects, `body_bytes` after content decoding.

    A depth far above the default is bounded by the interpreter's own stack instead.
    """

    depth: int = 200
    body_bytes: int = 64 * 1024 * 1024


def media_type(response: Response) -> str:
    """Lower-case and without parameters; "" where none was sent. Of several lines the first counts."""
    return (response.header("content-type") or "").partition(";")[0].partition(",")[0].strip().lower()


def charset(response: Response) -> str:
    """The content type's charset as it was sent, lower-case; "" where there is none."""
    for parameter in (response.header("content-type") or "").split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.partition(",")[0].strip().strip("\"'").lower()
    return ""


def canonical(name: str, among: Container[str]) -> str | None:
    """One name for all spellings of a charset ("latin1" is "iso8859-1"); None where it is not among these."""
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):  # ValueError: a name with a NUL
        return None
    return found if found in among else None


_MARKS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def marked(body: bytes) -> tuple[str, int] | None:
    """The encoding that a byte order mark at the beginning names, and the mark's length; None without a mark."""
    return next(((name, len(mark)) for mark, name in _MARKS if body.startswith(mark)), None)


# What an error says of a body without showing it.


def unreadable(response: Response, what: str, *, fault: str = "", fix: str = "") -> PageUnreadable:
    facts = {**({"fault": fault} if fault else {}), **seen(response)}
    return PageUnreadable(what, status=response.status, facts=facts, fix=fix)


def too_deep(response: Response, limits: Limits) -> LimitExceeded:
    return LimitExceeded(
        f"the body is nested deeper than {limits.depth} levels", status=response.status, facts=seen(response)
    )


def seen(response: Response) -> dict[str, str]:
    return {
        "status": str(response.status),
        "content type": response.header("content-type") or "none sent",
        "body": f"{len(response.body):,} bytes, begins like {begins_like(response.body)}",
    }


def begins_like(body: bytes) -> str:
    match body[:1024].lstrip()[:1]:
        case b"{" | b"[":
            return "JSON"
        case b"<":
            return "HTML or XML"
        case b"\xef" | b"\xff" | b"\xfe":
            return "a byte order mark"
        case b"\x1f" | b"\x00" | b"":
            return "binary data"
        case _:
            return "text"
