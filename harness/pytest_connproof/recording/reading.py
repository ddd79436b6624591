"""Read a recording: bytes to a Recording, or every problem in the file with its line.

A file that is not wholly right is refused, never read as a shorter or an emptier recording.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from connproof.documents import Source, read_json
from connproof.errors import ConfigWrong, Problem
from connproof.model import Request, Response, frozen
from connproof.places import ABSENT, JsonValue
from connproof.schemas import shipped
from pytest_connproof.recording.parts import (
    FORMAT,
    PROVENANCE_TEXTS,
    Call,
    Exchange,
    Lane,
    Provenance,
    Recording,
    RecordingUnfit,
    Redaction,
)


def load(path: Path) -> Recording:
    """Read a recording. Raises RecordingUnfit with every problem in the file."""
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise RecordingUnfit(path, [Problem("", 0, 0, f"cannot be read: {fault.strerror}")]) from None
    return parse(data, path)


def parse(data: bytes, path: Path) -> Recording:
    """Read a recording's bytes; `path` is only what messages call it. Raises RecordingUnfit."""
    try:
        document, source = read_json(data, path.name)
    except ConfigWrong as wrong:
        ended = _ended_early(data)
        raise RecordingUnfit(path, [*ended, *wrong.problems]) from None
    problems = _format_problems(document, source)
    if not problems:
        found = shipped("pytest_connproof", "recording").problems(document, source)
        problems = [_without_value(problem) for problem in found]
    if not problems and isinstance(document, dict):
        recording = _recording(document, path, source)
        problems = list(_contradictions(recording))
        if not problems:
            return recording
    raise RecordingUnfit(path, problems)


_TOKEN: Final = rb'(?s)"(?:[^"\\]|\\.)*("?)|[\[\]{}]'


def _ended_early(data: bytes) -> list[Problem]:
    """Whether the file stops in its middle, and where."""
    depth = 0
    in_string = False
    for token in re.finditer(_TOKEN, data):
        in_string = token[0].startswith(b'"') and not token[1]
        depth += {b"{": 1, b"[": 1, b"}": -1, b"]": -1}.get(token[0], 0)
    if data.strip() and depth <= 0 and not in_string:
        return []
    line = data.count(b"\n") + 1
    column = len(data) - data.rfind(b"\n")
    what = f"ends at line {line}, byte {len(data)}, in its middle" if data.strip() else "is empty"
    return [Problem("", line, column, what, "restore the file, or record it again")]


def _format_problems(document: JsonValue, source: Source) -> list[Problem]:
    seen = document.get("format", ABSENT) if isinstance(document, dict) else ABSENT
    if seen == FORMAT:
        return []
    if isinstance(seen, str):
        reads = f"this connproof reads {FORMAT}"
        return [source.problem("/format", f"unknown format {json.dumps(seen[:60], ensure_ascii=False)}", reads)]
    return [source.problem("", f'not a recording: it has no member "format" that says "{FORMAT}"')]


def _without_value(problem: Problem) -> Problem:
    # A request or a response may hold a credential, wherever it is wrong.
    message = re.sub(r"^.*(?= (?:does not match|fails) )", "the value", problem.message)
    return replace(problem, message=message) if re.search("/(?:request|response)/", problem.pointer) else problem


def _recording(document: Mapping[str, Any], path: Path, source: Source) -> Recording:
    said = document["provenance"]
    redaction = said.get("redaction")
    provenance = Provenance(
        **{name: said[name] for name in PROVENANCE_TEXTS if name in said},
        unverified=tuple(said.get("unverified", ())),
        redaction=Redaction(frozen(redaction["rules"]), tuple(redaction["proved"])) if redaction else None,
    )
    lanes = tuple(_lane(lane, f"/lanes/{number}") for number, lane in enumerate(document["lanes"]))
    return Recording(path, provenance, lanes, source)


def _lane(lane: Mapping[str, Any], pointer: str) -> Lane:
    call = lane.get("call")
    exchanges = tuple(
        Exchange(
            id=said["id"],
            request=_request(said["request"]),
            response=Response(
                int(said["response"]["status"]), _pairs(said["response"], "headers"), _bytes(said["response"]) or b""
            ),
            repeats=said.get("repeats", False),
            pointer=f"{pointer}/exchanges/{number}",
        )
        for number, said in enumerate(lane["exchanges"])
    )
    return Lane(lane["id"], lane.get("order", "strict"), None if call is None else _call(call), exchanges, pointer)


def _call(call: Mapping[str, Any]) -> Call:
    params = frozen(call.get("params", {}))
    return Call(
        params,
        _whole(call, "page_size"),
        _whole(call, "limit"),
        call.get("body", ABSENT),
        _pairs(call, "query"),
        call.get("account"),
        call.get("record", ABSENT),
        frozen(call.get("filters", {})),
    )


def _whole(said: Mapping[str, Any], name: str) -> int | None:
    """JSON Schema calls 60.0 an integer."""
    return int(said[name]) if name in said else None


def _request(said: Mapping[str, Any]) -> Request:
    query = _pairs(said, "query")
    url = f"{said['url']}?{urlencode(query, quote_via=quote, safe='')}" if query else said["url"]
    return Request(said["method"], url, _pairs(said, "headers"), _bytes(said))


def _pairs(said: Mapping[str, Any], name: str) -> tuple[tuple[str, str], ...]:
    return tuple((key, value) for key, value in said.get(name, ()))


def _bytes(said: Mapping[str, Any]) -> bytes | None:
    if "json" in said:
        return _compact(said["json"])
    if "form" in said:
        return urlencode(_pairs(said, "form")).encode()
    if "text" in said:
        return "\n".join(said["text"]).encode()
    if "base64" in said:
        return base64.b64decode(said["base64"])
    return None


def _compact(value: JsonValue) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _contradictions(recording: Recording) -> Iterator[Problem]:
    """What no schema can say: names that stand twice, dates that do not exist."""
    problem = recording.source.problem
    for name, read in (("recorded_at", datetime.fromisoformat), ("written_at", date.fromisoformat)):
        if said := getattr(recording.provenance, name):
            try:
                read(said)
            except ValueError:
                yield problem(f"/provenance/{name}", f"{said} is no date", "RFC 3339, such as 2026-11-20T09:14:02Z")
    for what, named in (("lane", recording.lanes), ("exchange", tuple(recording.exchanges()))):
        first: dict[str, str] = {}
        for one in named:
            if one.id in first:
                line = recording.source.line(f"{first[one.id]}/id")
                yield problem(f"{one.pointer}/id", f"a second {what} {one.id!r}", f"the first is on line {line}")
            first.setdefault(one.id, one.pointer)
