"""Bytes to one text, by the charset that the content type names; UTF-8 where it names none.

Nothing is replaced and nothing is guessed: a byte that the charset does not have is an error.
"""

from __future__ import annotations

from typing import Final

from connproof.decode.parts import canonical, charset, marked, unreadable
from connproof.model import Response

__all__ = ["read"]

_CHARSETS: Final = frozenset({"utf-8", "ascii", "iso8859-1", "cp1252", "utf-16"})


def read(response: Response) -> str:
    """The whole body as a text, without its byte order mark. Raises PageUnreadable."""
    body = response.body
    declared = charset(response)
    encoding = canonical(declared or "utf-8", _CHARSETS)
    if encoding is None:
        raise unreadable(
            response,
            f"the body is declared to be {declared[:40]}, which is not read as text",
            fix="texts are read in utf-8, us-ascii, iso-8859-1, windows-1252, and utf-16 with a byte order mark",
        )
    mark = marked(body)
    if mark and not mark[0].startswith(encoding if declared else mark[0]):
        raise unreadable(response, f"the body is declared to be {declared} and begins with the mark of {mark[0]}")
    if mark:
        encoding, skipped = mark
        body = body[skipped:]
    elif encoding == "utf-16":
        raise unreadable(response, "the body is declared to be utf-16 and has no byte order mark")
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as error:
        fault = f"byte {error.start + 1}: {error.reason}"
    raise unreadable(response, f"the body is not {encoding}", fault=fault)
