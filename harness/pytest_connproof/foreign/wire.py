"""What cassettes store of a message, turned into what the model holds of it.

Whether a tool stored a body compressed or not cannot be seen from its headers: many keep
`content-encoding` beside a body that they have decoded. So the body itself is asked, and one
that is compressed and cannot be decompressed is refused, never passed on.
"""

from __future__ import annotations

import importlib
import re
import zlib
from typing import Any, Final

from connproof.model import Headers, Request, Response
from pytest_connproof.foreign.document import Part, base64_bytes

__all__ = ["headers", "request", "response", "stored_body", "without_framing"]

_MOST_DECODED: Final = 256 * 2**20
_PIECE: Final = 4096
_DECODE: Final = "record it with decoded bodies, or without accept-encoding"
_FRAMING: Final = {"content-encoding", "content-length", "transfer-encoding"}
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TEXT_OF: Final = {True: "true", False: "false"}


def request(method: Part, url: Part, fields: Headers, body: bytes) -> Request:
    """A request. Raises Unfit for what is no HTTP method, and for an empty URL."""
    name = method.text().upper()
    if not _TOKEN.fullmatch(name):
        raise method.unfit("is no HTTP method")
    if not url.text().strip():
        raise url.unfit("is empty: a request needs a URL")
    return Request(name, url.text(), fields, body or None)


def response(status: Part, fields: Headers, body: bytes, where: Part) -> Response:
    """A response whose body is decoded. `where` is what a body that cannot be decoded is blamed on."""
    code = status.whole()
    if not 100 <= code <= 599:
        raise status.unfit(f"is {code}, and no HTTP status")
    return Response(code, without_framing(fields), _decoded(body, fields, where))


def headers(part: Part | None) -> Headers:
    """A mapping of names to one text or a list of texts; each text becomes a line."""
    if part is None:
        return ()
    lines: list[tuple[str, str]] = []
    for name, value in part.members():
        values = value.elements() if isinstance(value.value, list) else [value]
        lines += [(name.lower(), _header_text(each)) for each in values]
    return tuple(lines)


def _header_text(part: Part) -> str:
    # Cassettes edited by hand have numbers, true and nothing where a header's text was meant.
    value = part.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return _TEXT_OF[value]
    return str(value) if isinstance(value, int | float) else part.text()


def without_framing(fields: Headers) -> Headers:
    """The headers that still hold once a body is whole and decoded."""
    return tuple((name, value) for name, value in fields if name not in _FRAMING)


def stored_body(part: Part | None) -> bytes:
    """A body as it was stored: nothing, a text, bytes, or a mapping of `string` or `base64_string`, `encoding`.

    Where both are there and one of them is empty, the other is the body.
    """
    if part is None:
        return b""
    if not isinstance(part.value, dict):
        return _bytes(part, None)
    encoded, text = part.maybe("base64_string"), part.maybe("string")
    if encoded is not None and (encoded.value or text is None):
        return base64_bytes(encoded.text(), encoded.pointer)
    if text is None:
        if "string" in part.value or "base64_string" in part.value:
            return b""
        raise part.unfit('has neither "string" nor "base64_string"', fix="write out what it refers to")
    encoding = part.maybe("encoding")
    return _bytes(text, encoding.text() if encoding else None)


def _bytes(part: Part, encoding: str | None) -> bytes:
    if isinstance(part.value, bytes):
        return part.value
    text = part.text()
    if encoding is not None and encoding.upper() not in {"ASCII-8BIT", "BINARY", "UTF-8"}:
        try:
            return text.encode(encoding)
        except UnicodeError:
            # The text has characters that its encoding lacks: the tools replay it as it stands.
            return _utf8(part, text)
        except (LookupError, ValueError):  # ValueError: a name with a NUL
            raise part.unfit(f"has the unknown encoding {encoding[:40]!r}", fix="store it as base64") from None
    return _utf8(part, text)


def _utf8(part: Part, text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise part.unfit("has half a character (a lone surrogate)", fix="store it as base64") from None


def _decoded(body: bytes, fields: Headers, where: Part) -> bytes:
    named = [word.strip().lower() for name, value in fields if name == "content-encoding" for word in value.split(",")]
    encodings = [word.removeprefix("x-") for word in named if word not in {"", "identity"}]
    if not encodings or not body:
        return body
    if len(encodings) > 1:
        raise where.unfit(f"has {len(encodings)} content encodings; one is the most", fix=_DECODE)
    encoding = encodings[0]
    if encoding == "gzip":
        return _inflated(body, 31, where) if body.startswith(b"\x1f\x8b") else body
    if _is_text(body):
        return body  # no compression gives text: the tool stored the body decoded
    if encoding == "deflate":
        # By RFC 9110 it has a zlib header; some servers leave it out.
        has_header = body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
        return _inflated(body, 15 if has_header else -15, where)
    if encoding == "br":
        return _brotli(body, where)
    raise where.unfit(f"is stored compressed as {encoding[:40]!r}, which is unknown here", fix=_DECODE)


def _is_text(body: bytes) -> bool:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not re.search("[\x00-\x08\x0e-\x1f]", text)


def _inflated(body: bytes, window: int, where: Part) -> bytes:
    """Decompress every member of a stream (gzip may have several), to a bound."""
    whole, rest = bytearray(), body
    while rest:
        inflate = zlib.decompressobj(window)
        try:
            whole += inflate.decompress(rest, _MOST_DECODED + 1 - len(whole))
        except zlib.error:
            raise where.unfit("is stored compressed, and damaged") from None
        _bounded(whole, where)
        if not inflate.eof:
            raise where.unfit("is stored compressed, and cut off")
        rest = inflate.unused_data
    return bytes(whole)


def _brotli(body: bytes, where: Part) -> bytes:
    decoder = _brotli_module()
    if decoder is None:
        raise where.unfit(
            "is stored compressed with Brotli, and no decoder for it is installed",
            fix=f"pip install brotli, or {_DECODE}",
        )
    stream, whole = decoder.Decompressor(), bytearray()
    try:
        # Piece by piece, so that a small body that becomes a huge one is stopped on the way.
        for start in range(0, len(body), _PIECE):
            whole += stream.process(body[start : start + _PIECE])
            _bounded(whole, where)
    except decoder.error:
        raise where.unfit("is stored compressed, and damaged") from None
    if not stream.is_finished():
        raise where.unfit("is stored compressed, and cut off")
    return bytes(whole)


def _brotli_module() -> Any:
    for name in ("brotli", "brotlicffi"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


def _bounded(decoded: bytearray, where: Part) -> None:
    if len(decoded) > _MOST_DECODED:
        raise where.unfit(f"is more than {_MOST_DECODED} bytes once decompressed", fix="do not use this recording")
