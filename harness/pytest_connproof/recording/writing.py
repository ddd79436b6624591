"""Write a recording: the same bytes for the same recording, whole or not at all, and proved clean before.

Bodies stand in the most readable form from which their meaning comes back.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl

from connproof.documents import MAX_DEPTH, read_json
from connproof.errors import ConfigWrong, Problem
from connproof.model import Headers, Request, Response
from connproof.places import ABSENT, Absent, JsonValue
from pytest_connproof.atomic import write_whole
from pytest_connproof.recording.parts import FORMAT, PROVENANCE_TEXTS, Call, Order, Recording, RecordingUnfit
from pytest_connproof.redact import Proof, proof, unzipped


def dump(recording: Recording) -> str:
    """The recording as text: indented by 2, members in fixed order, one name and value to a line."""
    return f"{as_text(document_of(recording))}\n"


def save(recording: Recording, path: Path, secrets: Iterable[str] = ()) -> None:
    """Write the recording, whole or not at all, after its text was proved free of `secrets`.

    Raises RecordingUnfit, and leaves `path` as it was, where a secret is found in it in any spelling.
    """
    text, known = dump(recording), tuple(secrets)
    if problems := [*seen_in(text, proof(text, known)), *seen_in_bodies(recording, known)]:
        raise RecordingUnfit(path, problems)
    write_whole(path, text)


def seen_in(text: str, proved: Proof) -> Iterator[Problem]:
    """Where a text still shows a secret; the secret itself is not told."""
    written = text.encode()
    for hit in proved.hits:
        line = written.count(b"\n", 0, hit.offset) + 1
        yield Problem("", line, 0, f"secret number {hit.secret + 1} is still there, spelt {hit.encoding}")


def seen_in_bodies(recording: Recording, secrets: tuple[str, ...]) -> Iterator[Problem]:
    """Where a body, unpacked, still shows one: the text has it packed."""
    for exchange in recording.exchanges():
        for part, body in (("request", exchange.request.body), ("response", exchange.response.body)):
            for hit in proof(unzipped(body or b"") or body or b"", secrets).hits:
                what = f"secret number {hit.secret + 1} is in the body, {hit.encoding}"
                yield Problem(f"{exchange.pointer}/{part}", 0, 0, what)


def document_of(recording: Recording) -> dict[str, JsonValue]:
    """The recording as the JSON document that is written."""
    provenance = recording.provenance
    said: dict[str, JsonValue] = {
        name: text for name in PROVENANCE_TEXTS if (text := getattr(provenance, name)) is not None
    }
    if provenance.unverified:
        said["unverified"] = list(provenance.unverified)
    if provenance.redaction:
        said["redaction"] = {
            "rules": dict(provenance.redaction.rules),
            "proved": list(provenance.redaction.proved),
        }
    lanes: list[JsonValue] = [
        lane_document(
            lane.id,
            lane.order,
            lane.call,
            [exchange_document(e.id, e.request, e.response, repeats=e.repeats) for e in lane.exchanges],
        )
        for lane in recording.lanes
    ]
    return {"format": FORMAT, "provenance": said, "lanes": lanes}


def lane_document(lane_id: str, order: Order, call: Call | None, exchanges: list[JsonValue]) -> JsonValue:
    """A lane as it is written, of exchanges that are so already."""
    said: dict[str, JsonValue] = {"id": lane_id, "order": order}
    if call is not None:
        said["call"] = {
            **({"account": call.account} if call.account is not None else {}),
            **({"params": dict(call.params)} if call.params else {}),
            **({"filters": dict(call.filters)} if call.filters else {}),
            **({"query": _lists(call.query)} if call.query else {}),
            **({"page_size": call.page_size} if call.page_size is not None else {}),
            **({"limit": call.limit} if call.limit is not None else {}),
            **({"body": call.body} if not isinstance(call.body, Absent) else {}),
            **({"record": call.record} if not isinstance(call.record, Absent) else {}),
        }
    return {**said, "exchanges": exchanges}


def exchange_document(exchange_id: str, request: Request, response: Response, *, repeats: bool = False) -> JsonValue:
    """An exchange as it is written, bodies in the most readable form from which their meaning comes back.

    Raises UnicodeDecodeError where a query is not UTF-8: the format has no word for it.
    """
    url, _, query = request.url.partition("#")[0].partition("?")
    sent: dict[str, JsonValue] = {"method": request.method, "url": url}
    if pairs := parse_qsl(query, keep_blank_values=True, errors="strict"):
        sent["query"] = _lists(pairs)
    if request.headers:
        sent["headers"] = _lists(request.headers)
    sent |= _body(request.body or b"", request.headers, may_be_form=True)
    came: dict[str, JsonValue] = {"status": response.status}
    if response.headers:
        came["headers"] = _lists(response.headers, lower=True)
    came |= _body(response.body, response.headers)
    again: dict[str, JsonValue] = {"repeats": True} if repeats else {}
    return {"id": exchange_id, **again, "request": sent, "response": came}


def _lists(pairs: Iterable[tuple[str, str]], *, lower: bool = False) -> list[JsonValue]:
    return [[name.lower() if lower else name, value] for name, value in pairs]


def _body(body: bytes, headers: Headers, *, may_be_form: bool = False) -> dict[str, JsonValue]:
    if not body:
        return {}
    kind = next((value.lower() for name, value in headers if name.lower() == "content-type"), "")
    if "json" in kind or body.lstrip()[:1] in {b"{", b"["}:
        value = _same_json(body)
        if not isinstance(value, Absent):
            return {"json": value}
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}
    if may_be_form and kind.startswith("application/x-www-form-urlencoded"):
        pairs = parse_qsl(text, keep_blank_values=True)
        if len(pairs) == text.count("&") + 1 and "\ufffd" not in str(pairs):
            return {"form": _lists(pairs)}
    if re.search(_CONTROL, text):
        return {"base64": base64.b64encode(body).decode()}
    lines: list[JsonValue] = list(text.split("\n"))
    return {"text": lines}


_CONTROL: Final = "[\x00-\x08\x0b\x0c\x0e-\x1f]"


def _same_json(body: bytes) -> JsonValue | Absent:
    """The body's value, ABSENT where writing it again would say something else: an equal key or a digit lost."""
    try:
        value, _ = read_json(body, "body")
        json.loads(body, parse_float=_kept)
    except (ConfigWrong, _DigitsLostError):
        return ABSENT
    # The body stands some levels deep in the recording, whose reader counts from its top.
    return value if _depth(value) < MAX_DEPTH - 20 else ABSENT


class _DigitsLostError(Exception):
    pass


def _kept(digits: str) -> float:
    number = float(digits)
    if Decimal(repr(number)) != Decimal(digits):
        raise _DigitsLostError
    return number


def _depth(value: JsonValue) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


_LINE_WIDTH: Final = 120
_PAIRS: Final = frozenset({"query", "headers", "form"})


def as_text(value: JsonValue, path: tuple[str | int, ...] = ()) -> str:
    """A value as text, its first line not indented. `path` says how deep it stands and what it is."""
    pad = "  " * len(path)
    match path:
        case ("lanes", int(), "exchanges", int(), "request" | "response", name, *rest):
            if name not in _PAIRS:
                return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False).replace("\n", f"\n{pad}")
            one_line = json.dumps(value, ensure_ascii=False)
            if rest and len(pad) + len(one_line) < _LINE_WIDTH:
                return one_line
        case ("lanes", int(), "call", "query", int()):
            return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict) and value:
        inner = [f"{json.dumps(name, ensure_ascii=False)}: {as_text(v, (*path, name))}" for name, v in value.items()]
        return "{\n" + ",\n".join(f"{pad}  {line}" for line in inner) + f"\n{pad}}}"
    if isinstance(value, list) and value:
        inner = [as_text(v, (*path, number)) for number, v in enumerate(value)]
        return "[\n" + ",\n".join(f"{pad}  {line}" for line in inner) + f"\n{pad}]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
