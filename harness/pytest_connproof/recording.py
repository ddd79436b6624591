"""Read and write recordings: recorded HTTP traffic as a document that a person can review.

A file becomes a `Recording` of plain requests and responses, and a Recording becomes the same bytes
again: `dump(load(path)) == text` for every file written here. The one invariant: a file that is not
wholly right is refused with line and reason, never read as a shorter or an emptier recording.

What a recording may say is in schema/recording.schema.json. Replaying it is left to `replay`, foreign
formats to `foreign`; both they and a recorder build recordings with `assemble`, which redacts.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import parse_qsl, quote, urlencode

from connproof.documents import MAX_DEPTH, Source, read_json
from connproof.errors import ConfigWrong, ConnproofError, Problem, printable
from connproof.model import Headers, Query, Request, Response, frozen
from connproof.places import ABSENT, Absent, JsonValue
from connproof.schemas import shipped
from pytest_connproof.redact import ENCODINGS, Policy, proof, redact, unzipped

__all__ = [
    "FORMAT",
    "Call",
    "Exchange",
    "Lane",
    "Provenance",
    "RawLane",
    "Recording",
    "RecordingUnfit",
    "Redaction",
    "assemble",
    "document_of",
    "dump",
    "exchange_document",
    "load",
    "parse",
    "save",
    "unclean",
]

FORMAT: Final = "connproof-recording/1"

Kind: TypeAlias = Literal["recorded", "imported", "documented", "synthetic"]
Order: TypeAlias = Literal["strict", "unordered"]


class RecordingUnfit(ConnproofError):
    """A recording that cannot be used as it is; whoever made it must make it again. Holds every problem."""

    def __init__(self, path: Path, problems: Iterable[Problem]) -> None:
        self.path = path
        self.problems = tuple(problems)
        count = len(self.problems)
        super().__init__(f"{path} has {count} problem{'s' if count != 1 else ''}")

    def __str__(self) -> str:
        return "\n".join([printable(self.what), *(f"  {self.path}:{problem}" for problem in self.problems)])


@dataclass(frozen=True, slots=True)
class Redaction:
    """How often each rule of the redactor was applied, and the spellings in which no secret was found."""

    rules: Mapping[str, int]
    proved: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the traffic comes from.

    `recorded` (live traffic) has `recorded_at` (RFC 3339); `imported` has `origin` (the foreign format
    and the file's name); `documented` (from the provider's reference) and `synthetic` (from a simulated
    provider) have `written_at` (a date). `unverified` are facts without a source.
    """

    kind: Kind
    source: str
    recorded_at: str | None = None
    written_at: str | None = None
    recorder: str | None = None
    origin: str | None = None
    api_version: str | None = None
    unverified: tuple[str, ...] = ()
    redaction: Redaction | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """How a lane's operation is called; `query` is sent beside the config's own. None and ABSENT: not said."""

    params: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    page_size: int | None = None
    limit: int | None = None
    body: JsonValue | Absent = ABSENT
    query: Query = ()


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer. `repeats`: the same request may come again. `pointer`: in the file."""

    id: str
    request: Request
    response: Response
    repeats: bool
    pointer: str


@dataclass(frozen=True, slots=True)
class Lane:
    """The exchanges of one call. The id is `contacts.list` or, with a scenario, `contacts.list#throttled`."""

    id: str
    order: Order
    call: Call | None
    exchanges: tuple[Exchange, ...]
    pointer: str

    @property
    def operation(self) -> str:
        return self.id.partition("#")[0]

    @property
    def scenario(self) -> str | None:
        return self.id.partition("#")[2] or None


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording, read. `source` knows the line of everything in the file."""

    path: Path
    provenance: Provenance
    lanes: tuple[Lane, ...]
    source: Source

    def exchanges(self) -> Iterator[Exchange]:
        """Every exchange, in the file's order."""
        for lane in self.lanes:
            yield from lane.exchanges


@dataclass(frozen=True, slots=True)
class RawLane:
    """Traffic as it was taken, secrets included, on its way into `assemble`. `repeats`: by place, from 0."""

    id: str
    pairs: tuple[tuple[Request, Response], ...] = field(repr=False)
    order: Order = "strict"
    call: Call | None = None
    repeats: frozenset[int] = frozenset()


# Reading.


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


_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*("?)|[\[\]{}]', re.DOTALL)


def _ended_early(data: bytes) -> list[Problem]:
    """Whether the file stops in its middle, and where."""
    depth = 0
    in_string = False
    for token in _TOKEN.finditer(data):
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
        **{name: said[name] for name in _PROVENANCE_TEXTS if name in said},
        unverified=tuple(said.get("unverified", ())),
        redaction=Redaction(frozen(redaction["rules"]), tuple(redaction["proved"])) if redaction else None,
    )
    lanes = tuple(_lane(lane, f"/lanes/{number}") for number, lane in enumerate(document["lanes"]))
    return Recording(path, provenance, lanes, source)


_PROVENANCE_TEXTS: Final = ("kind", "recorded_at", "written_at", "source", "recorder", "origin", "api_version")


def _lane(lane: Mapping[str, Any], pointer: str) -> Lane:
    call = lane.get("call")
    exchanges = tuple(
        Exchange(
            id=said["id"],
            request=_request(said["request"]),
            response=Response(
                said["response"]["status"], _pairs(said["response"], "headers"), _bytes(said["response"]) or b""
            ),
            repeats=said.get("repeats", False),
            pointer=f"{pointer}/exchanges/{number}",
        )
        for number, said in enumerate(lane["exchanges"])
    )
    return Lane(lane["id"], lane.get("order", "strict"), None if call is None else _call(call), exchanges, pointer)


def _call(call: Mapping[str, Any]) -> Call:
    params = frozen(call.get("params", {}))
    body, query = call.get("body", ABSENT), _pairs(call, "query")
    return Call(params, call.get("page_size"), call.get("limit"), body, query)


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


# Writing.


def dump(recording: Recording) -> str:
    """The recording as text: indented by 2, members in fixed order, one name and value to a line."""
    return f"{_text(document_of(recording), ())}\n"


def save(recording: Recording, path: Path, secrets: Iterable[str] = ()) -> None:
    """Write the recording, whole or not at all, after the written file was proved free of `secrets`.

    Raises RecordingUnfit, and leaves `path` as it was, where a secret is found in it in any spelling.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        with unfinished.open("xb") as file:
            file.write(dump(recording).encode())
            file.flush()
            os.fsync(file.fileno())
        if problems := _remains(unfinished.read_bytes(), recording, tuple(secrets)):
            raise RecordingUnfit(path, problems)
        os.replace(unfinished, path)  # noqa: PTH105  # the one call that a test must be able to interrupt
    finally:
        unfinished.unlink(missing_ok=True)


def _remains(written: bytes, recording: Recording, secrets: tuple[str, ...]) -> list[Problem]:
    """Where a secret is still to be seen in a file or, unpacked, in a body; the secret itself is not told."""
    problems = []
    for hit in proof(written, secrets).hits:
        line = written.count(b"\n", 0, hit.offset) + 1
        problems.append(Problem("", line, 0, f"secret number {hit.secret + 1} is still there, spelt {hit.encoding}"))
    for exchange in recording.exchanges():
        for part, body in (("request", exchange.request.body), ("response", exchange.response.body)):
            for hit in proof(unzipped(body or b"") or body or b"", secrets).hits:
                pointer = f"{exchange.pointer}/{part}"
                problems.append(
                    Problem(pointer, 0, 0, f"secret number {hit.secret + 1} is in the body, {hit.encoding}")
                )
    return problems


def document_of(recording: Recording) -> dict[str, JsonValue]:
    """The recording as the JSON document that is written."""
    provenance = recording.provenance
    said: dict[str, JsonValue] = {
        name: text for name in _PROVENANCE_TEXTS if (text := getattr(provenance, name)) is not None
    }
    if provenance.unverified:
        said["unverified"] = list(provenance.unverified)
    if provenance.redaction:
        said["redaction"] = {
            "rules": dict(provenance.redaction.rules),
            "proved": list(provenance.redaction.proved),
        }
    lanes: list[JsonValue] = [
        _lane_document(
            lane.id,
            lane.order,
            lane.call,
            [exchange_document(e.id, e.request, e.response, repeats=e.repeats) for e in lane.exchanges],
        )
        for lane in recording.lanes
    ]
    return {"format": FORMAT, "provenance": said, "lanes": lanes}


def _lane_document(lane_id: str, order: Order, call: Call | None, exchanges: list[JsonValue]) -> JsonValue:
    said: dict[str, JsonValue] = {"id": lane_id, "order": order}
    if call is not None:
        said["call"] = {
            **({"params": dict(call.params)} if call.params else {}),
            **({"query": _lists(call.query)} if call.query else {}),
            **({"page_size": call.page_size} if call.page_size is not None else {}),
            **({"limit": call.limit} if call.limit is not None else {}),
            **({"body": call.body} if not isinstance(call.body, Absent) else {}),
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
    if _CONTROL.search(text):
        return {"base64": base64.b64encode(body).decode()}
    lines: list[JsonValue] = list(text.split("\n"))
    return {"text": lines}


_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


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


def _text(value: JsonValue, path: tuple[str | int, ...]) -> str:
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
        inner = [f"{json.dumps(name, ensure_ascii=False)}: {_text(v, (*path, name))}" for name, v in value.items()]
        return "{\n" + ",\n".join(f"{pad}  {line}" for line in inner) + f"\n{pad}}}"
    if isinstance(value, list) and value:
        inner = [_text(v, (*path, number)) for number, v in enumerate(value)]
        return "[\n" + ",\n".join(f"{pad}  {line}" for line in inner) + f"\n{pad}]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


# Redacting.


def assemble(
    path: Path, *, provenance: Provenance, lanes: Iterable[RawLane], policy: Policy | None = None
) -> Recording:
    """A redacted recording made of traffic as it was taken. Importers and the recorder use it.

    The result is what `load` would read from `path` after `save`: nothing is written here. Exchange ids are
    the lane's id, a slash and a number from 1. Raises RecordingUnfit where the traffic cannot be told
    in the format, or where a secret that was found could not be removed everywhere.
    """
    raw = [_raw_document(lane, path) for lane in lanes]
    bare = replace(provenance, redaction=None)
    document = {**document_of(Recording(path, bare, (), Source(path.name))), "lanes": raw}
    redacted = redact(document, policy)
    text = _text(redacted.document, ())
    proved = proof(text, redacted.secrets)
    recording = parse(text.encode(), path)
    problems = [Problem("", 0, 0, f"a secret is still there, spelt {spelling}") for spelling in proved.encodings]
    if _text(document_of(recording), ()) != text:
        # Written and read again it looks different, so that it is no longer known to be a fixed point.
        problems += unclean(recording, policy)
    if problems:
        raise RecordingUnfit(path, problems)
    note = (f"raw only: {proved.raw_only} of fewer than 6 characters",) if proved.raw_only else ()
    redaction = Redaction(redacted.rules, (*ENCODINGS, *note))
    finished = replace(recording, provenance=replace(recording.provenance, redaction=redaction))
    return parse(dump(finished).encode(), path)


def _raw_document(lane: RawLane, path: Path) -> JsonValue:
    exchanges: list[JsonValue] = []
    for number, (request, response) in enumerate(lane.pairs):
        name = f"{lane.id}/{number + 1}"
        try:
            exchanges.append(exchange_document(name, request, response, repeats=number in lane.repeats))
        except UnicodeDecodeError:
            problem = Problem("", 0, 0, f"{name}: the request's query is not UTF-8, and so cannot be recorded")
            raise RecordingUnfit(path, [problem]) from None
    return _lane_document(lane.id, lane.order, lane.call, exchanges)


def unclean(recording: Recording | dict[str, JsonValue], policy: Policy | None = None) -> tuple[Problem, ...]:
    """Where a recording, or its document, is not a fixed point of the redactor: rule and place, never the value."""
    if isinstance(recording, Recording):
        source, document = recording.source, document_of(recording)
    else:
        source, document = Source("recording"), recording
    return tuple(
        source.problem(
            change.pointer,
            "a header that is not on the allow-list" if change.rule == "header" else f"not redacted: {change.rule}",
            "record it again, or write a placeholder in its place",
        )
        for change in dict.fromkeys(redact(document, policy).changes)
    )
