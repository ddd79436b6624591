"""HAR 1.2, what browsers and proxies export: read it and write it.

    {"log": {"version": "1.2", "creator": {...}, "entries": [{
      "startedDateTime": "2026-11-20T09:14:02.000Z", "time": 0, "cache": {}, "timings": {...},
      "request":  {"method": "GET", "url": ..., "headers": [{"name": ..., "value": ...}], "postData": {...}},
      "response": {"status": 200, "headers": [...], "content": {"size": 2, "mimeType": ..., "text": "{}"}}}]}}

By the format, content stands decoded from its content encoding, and text in UTF-8 whatever its
charset was; reading puts it back into its charset. What `write_har` writes, reading gives back.
Members that begin with "_" are other people's extensions and are ignored, with one exception of our own:
`postData._encoding` is "base64" for a body that is no text, which 1.2 has no word for (the 1.3
proposal says `postData.encoding`, and that is read too).

Source: http://www.softwareishard.com/blog/har-12-spec/
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, urlencode

from connproof.model import Headers, Request, Response
from pytest_connproof.foreign import wire
from pytest_connproof.foreign.document import Document, Part, base64_bytes
from pytest_connproof.foreign.tape import Taped

__all__ = ["NAME", "exchanges", "unlike", "write_har"]

NAME = "har"

_FORM: Final = "application/x-www-form-urlencoded"
_NO_DATE: Final = "1970-01-01T00:00:00.000Z"  # the format demands a date; nobody recorded anything then


def unlike(document: Part) -> str | None:
    """Why the document is none of these; None where it is one."""
    if not isinstance(document.value, dict):
        return f"the document is {document.kind}, not a mapping"
    log = document.value.get("log")
    if not isinstance(log, dict) or not isinstance(log.get("entries"), list):
        return 'it has no "log" with a list "entries"'
    return None


def exchanges(document: Document) -> tuple[Taped, ...]:
    return tuple(_exchange(part) for part in document.root.member("log").member("entries").elements())


def _exchange(part: Part) -> Taped:
    request, response = part.member("request"), part.member("response")
    if response.member("status").value == 0:
        raise part.unfit("has no response (status 0)", fix="it was blocked or cancelled: delete this entry")
    taped = wire.request(request.member("method"), _url(request), _headers(request), _request_body(request))
    fields = wire.without_framing(_headers(response))
    body = _response_body(response, fields, taped.method)
    started = part.maybe("startedDateTime")
    recorded_at = started.text() if started and started.value != _NO_DATE else None
    return Taped(taped, wire.response(response.member("status"), fields, body, response), recorded_at)


def _url(request: Part) -> Part:
    """The URL as it stands; some tools keep its query only in `queryString`."""
    url, query = request.member("url"), request.maybe("queryString")
    if query is None or not query.elements() or "?" in url.text():
        return url
    return Part(f"{url.text()}?{urlencode(_pairs(query))}", url.pointer)


def _headers(message: Part) -> Headers:
    """Header lines. What HTTP/2 says of method and URL (":path") is no header."""
    fields = message.maybe("headers")
    pairs = _pairs(fields) if fields else []
    return tuple((name.lower(), value) for name, value in pairs if not name.startswith(":"))


def _pairs(part: Part) -> list[tuple[str, str]]:
    """A list of `{"name": ..., "value": ...}`; a value that is absent is empty."""
    found: list[tuple[str, str]] = []
    for element in part.elements():
        value = element.maybe("value")
        found.append((element.member("name").text(), value.text() if value else ""))
    return found


def _request_body(request: Part) -> bytes:
    data = request.maybe("postData")
    if data is None:
        return b""
    mime = data.maybe("mimeType")
    mime_type = mime.text() if mime else ""
    text, params = data.maybe("text"), data.maybe("params")
    if text is not None and (text.value or params is None or not params.elements()):
        return _bytes(text, data.maybe("_encoding") or data.maybe("encoding"), mime_type)
    if params is None or not params.elements():
        return b""
    if mime_type.partition(";")[0].strip().lower() != _FORM:
        raise data.unfit(
            "has only parameters, and the bytes that were sent cannot be told from them", fix="record its text"
        )
    return urlencode(_pairs(params)).encode("ascii")


def _response_body(response: Part, fields: Headers, method: str) -> bytes:
    content = response.maybe("content")
    text = content.maybe("text") if content else None
    if content is not None and text is not None:
        spoken = [value for name, value in fields if name == "content-type"]
        mime = content.maybe("mimeType")
        return _bytes(text, content.maybe("encoding"), spoken[0] if spoken else mime.text() if mime else "")
    sizes = (content.maybe("size") if content else None, response.maybe("bodySize"))
    empty = any(size is not None and size.value == 0 for size in sizes)
    if not empty and method != "HEAD" and response.member("status").whole() not in {204, 205, 304}:
        raise response.unfit("has no content: its body was not saved", fix='export "HAR with content"')
    return b""


def _bytes(text: Part, encoding: Part | None, mime_type: str) -> bytes:
    if encoding is not None:
        if encoding.text() != "base64":
            raise encoding.unfit('is neither absent nor "base64"')
        return base64_bytes(text.text(), text.pointer)
    charset = _charset(mime_type)
    try:
        return text.text().encode(charset)
    except UnicodeError:
        raise text.unfit(f"has characters that its charset {charset} lacks", fix="store it as base64") from None


def _charset(mime_type: str) -> str:
    """The charset that a content type names, UTF-8 where it names none or an unknown one."""
    message = Message()
    message["content-type"] = mime_type
    named = message.get_content_charset("utf-8")
    try:
        "".encode(named)
    except (LookupError, ValueError):  # ValueError: a name with a NUL
        return "utf-8"
    return named


def write_har(exchanges: Iterable[tuple[Request, Response, str | None]], *, creator_version: str) -> str:
    """A HAR 1.2 document, ending in a newline; equal input gives equal text.

    Each exchange comes with the time at which it was recorded: ISO 8601 or an HTTP date, None where
    nobody knows. Where it is unknown or neither of the two, 1970 is written, and its text as the entry's comment.
    """
    entries = [_entry(request, response, recorded_at) for request, response, recorded_at in exchanges]
    log = {"version": "1.2", "creator": {"name": "connproof", "version": creator_version}, "entries": entries}
    return json.dumps({"log": log}, indent=2, ensure_ascii=False) + "\n"


def _entry(request: Request, response: Response, recorded_at: str | None) -> dict[str, object]:
    started = _date_time(recorded_at)
    entry: dict[str, object] = {
        "startedDateTime": started or _NO_DATE,
        "time": 0,
        "request": _written_request(request),
        "response": _written_response(response),
        "cache": {},
        "timings": {"blocked": -1, "dns": -1, "connect": -1, "send": 0, "wait": 0, "receive": 0, "ssl": -1},
    }
    return entry if started or recorded_at is None else {**entry, "comment": f"recorded at: {recorded_at}"}


def _written_request(request: Request) -> dict[str, object]:
    written: dict[str, object] = {
        "method": request.method,
        "url": request.url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _named(request.headers),
        "queryString": _named(parse_qsl(request.url.partition("#")[0].partition("?")[2], keep_blank_values=True)),
        "headersSize": -1,
        "bodySize": len(request.body or b""),
    }
    if request.body:
        mime_type = request.header("content-type") or ""
        text, encoding = _text(request.body, mime_type)
        written["postData"] = {
            "mimeType": mime_type,
            "params": [],
            "text": text,
            **({"_encoding": encoding} if encoding else {}),
        }
    return written


def _written_response(response: Response) -> dict[str, object]:
    mime_type = response.header("content-type") or ""
    text, encoding = _text(response.body, mime_type)
    content = {"size": len(response.body), "mimeType": mime_type, "text": text}
    return {
        "status": response.status,
        "statusText": HTTPStatus(response.status).phrase if response.status in _STATUSES else "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _named(response.headers),
        "content": {**content, "encoding": encoding} if encoding else content,
        "redirectURL": response.header("location") or "",
        "headersSize": -1,
        "bodySize": -1,
    }


_STATUSES: Final = frozenset(int(status) for status in HTTPStatus)


def _named(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _text(body: bytes, mime_type: str) -> tuple[str, str | None]:
    """A body as text where that leads back to the same bytes, else as base64."""
    charset = _charset(mime_type)
    try:
        text = body.decode(charset)
        if text.encode(charset) == body:
            return text, None
    except UnicodeError:
        pass  # no text in its charset: written as base64 below
    return base64.b64encode(body).decode("ascii"), "base64"


def _date_time(recorded_at: str | None) -> str | None:
    """ISO 8601 with a time zone, as the format wants it. A time without one is taken for UTC."""
    if recorded_at is None:
        return None
    try:
        moment = datetime.fromisoformat(recorded_at)
    except ValueError:
        try:
            moment = parsedate_to_datetime(recorded_at)
            return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        except (ValueError, OverflowError):  # no date, or one that no year holds
            return None
    if "T" not in recorded_at:
        return None
    return recorded_at if moment.tzinfo else f"{recorded_at}Z"
