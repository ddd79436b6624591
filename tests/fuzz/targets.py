"""What is fuzzed: each parser that reads what a stranger wrote, with seeds, words, and what must hold of what it gives.

A target takes bytes and says whether it gave a value ("read") or refused by an error of ours ("refused"). Whatever else
it raises is a defect, and so is a value that breaks an assertion here. One table, TARGETS, is what is run.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Literal, TypeAlias
from urllib.parse import urlsplit

import seeds
from seeds import CALL, ROOT, own_configs

from connproof.auth.token_response import TokenGranted, read_token_response, token_document
from connproof.config import layered
from connproof.config import parse as parse_config
from connproof.decode import Format, Limits, decode, decode_as_sent
from connproof.documents import nests_deeper, read_json
from connproof.errors import CallWrong, ConfigWrong, ConnproofError, ForeignNextLink, LimitExceeded, ProviderBroke
from connproof.links import filled, next_target, origin, parse, resolve
from connproof.mapping.jsonata import Expression, parsed
from connproof.mapping.members import members_read
from connproof.mapping.values import ExpressionRefused
from connproof.model import Account, Connector, RateLimit, Request, Response, Secret, XmlFormat
from connproof.outcome import error_of, judged
from connproof.overrides import Layer
from connproof.places import ABSENT, JsonValue, Place, PlaceWrong, put
from connproof.ratelimit import read_limits
from connproof.resume import resumed, token
from connproof.standards import ratelimit_fields
from connproof.standards.http_date import parse_http_date
from connproof.standards.lifecycle import read_lifecycle
from connproof.standards.problem import problem_document, read_problem
from connproof.standards.retry_after import parse_retry_after, read_retry_after
from connproof.standards.structured import read_dictionary, read_item, read_list
from connproof.standards.trace import make_traceparent, read_trace
from connproof.transport import HttpxTransport, _Leaving
from pytest_connproof import foreign, recording
from pytest_connproof.xml_bodies import on_one_line, parts_of

__all__ = ["TARGETS", "Outcome", "Target"]

NOW: Final = datetime(2026, 11, 23, 15, 0, 7, tzinfo=UTC)
PAGE: Final = "https://api.example.com/v1/rows?page=1&q=%2f+a"

Outcome: TypeAlias = Literal["read", "refused"]


@dataclass(frozen=True, slots=True)
class Target:
    """One parser. `share` is how many of a thousand inputs it gets: the cheap ones more."""

    name: str
    share: int
    run: Callable[[bytes], Outcome]
    seeds: Sequence[bytes]
    words: Sequence[bytes]


# What is shared: texts, messages, and what every error of ours must be.


def _refused(error: ConnproofError) -> Outcome:
    """An error of ours has a text, of printable lines, none of them endless."""
    for line in str(error).split("\n"):
        assert line.isprintable(), f"unprintable: {line[:200]!r}"
        assert len(line) < 5_000, f"a line of {len(line)} characters"
    return "refused"


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


_FIRST_LINE: Final = re.compile(r"([0-9]{1,4}) ([1-5][0-9]{2})")


def _message(data: bytes) -> tuple[int, Response]:
    """`VARIANT STATUS`, header lines, an empty line, a body: which words of a config to read by, and what is read."""
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.decode("latin-1").split("\n")
    said = _FIRST_LINE.match(first)
    variant, status = (int(said[1]), int(said[2])) if said else (0, 200)
    pairs = (line.partition(":") for line in lines if ":" in line)
    return variant, Response(status, tuple((name.strip().lower(), text.strip()) for name, _, text in pairs), body)


def _jsonable(value: JsonValue) -> bool:
    """Whether a value is JSON that can be sent on, and no deeper than a body may be."""
    json.dumps(value, allow_nan=False, ensure_ascii=False).encode("utf-8")
    return not nests_deeper(value, Limits().depth)


def _no_more(numbers: Iterable[int | None]) -> bool:
    """Whether each is absent, or a whole number that is not negative."""
    return all(number is None or (type(number) is int and number >= 0) for number in numbers)


@cache
def _connectors() -> tuple[Connector, ...]:
    documents = ((path, json.loads(path.read_bytes())) for path in own_configs())
    return tuple(parse_config(path.read_bytes(), folder=document["connector"]) for path, document in documents)


# Links and URLs.


def _links(data: bytes) -> Outcome:
    text = _text(data)
    try:
        for link in parse(text):
            assert link.target in text and link.relations and "" not in link.relations
            assert all(relation == relation.lower() for relation in link.relations)
            assert "rel" in dict(link.parameters)
        target = next_target(text, response_url=PAGE)
    except (LimitExceeded, ForeignNextLink, ProviderBroke) as error:
        return _refused(error)
    assert target is None or resolve(target, PAGE) == target
    return "read"


_SENDER: Final = HttpxTransport(user_agent="fuzz")


def _urls(data: bytes) -> Outcome:
    reference, _, base = _text(data).partition("\n")
    try:
        base = resolve(base, PAGE)  # what was asked was such a URL itself
    except (LimitExceeded, ForeignNextLink):
        base = PAGE
    try:
        filled("https://{host}.example.com/{path}/x", {"host": reference, "path": base})
    except ValueError as error:
        assert str(error).isprintable()
    try:
        url = resolve(reference, base)
    except (LimitExceeded, ForeignNextLink) as error:
        return _refused(error)
    assert url.isascii() and "#" not in url and resolve(url, PAGE) == url
    # Whoever sends it must see the host that was judged.
    try:
        built = _SENDER._built(Request("GET", url), _Leaving())
    except CallWrong as error:
        return _refused(error)
    seen = (urlsplit(url).hostname or "", built.url.raw_host.decode())
    assert {_host(origin(url))} == {_host(f"//[{host}]" if ":" in host else f"//{host}") for host in seen}
    return "read"


def _host(url: str) -> str:
    """A URL's host in one spelling."""
    there = url.partition("//")[2]
    if there.startswith("["):
        return str(ip_address(there[1:].partition("]")[0]))
    return there.partition(":")[0].rstrip(".").lower()


# Fields that standards define.


def _structured(data: bytes) -> Outcome:
    text = _text(data)
    found = [read(text) for read in (read_item, read_list, read_dictionary)]
    for value, note in found:
        assert (value is None) is bool(note), note
        assert note.isprintable() and len(note) < 200
    return "read" if any(value is not None for value, _ in found) else "refused"


def _dates(data: bytes) -> Outcome:
    text = _text(data)
    date, wait = parse_http_date(text, now=NOW), parse_retry_after(text, now=NOW)
    assert date is None or (date.tzinfo is UTC and date == wait)
    assert not isinstance(wait, int) or _no_more([wait])
    found = read_retry_after(Response(503, (("retry-after", text), ("date", text[::-1]))), now=NOW)
    assert _no_more([found.seconds]) and (found.seconds is None) is (wait is None)
    return "refused" if wait is None else "read"


def _standard_headers(data: bytes) -> Outcome:
    _, response = _message(data)
    triple, dictionary = ratelimit_fields.read_triple(response), ratelimit_fields.read_dictionary_form(response)
    limits, notes = ratelimit_fields.read_limits(response)
    policies, more = ratelimit_fields.read_policies(response)
    for one in (triple, dictionary):
        assert _no_more([one.limit, one.remaining, one.reset_s])
    assert _no_more(number for limit in limits for number in (limit.remaining, limit.reset_s))
    assert _no_more(number for policy in policies for number in (policy.quota, policy.window_s))
    announced = read_lifecycle(response, now=NOW)
    if announced is not None:
        announced.days_left(NOW)
        assert all(when is None or when.tzinfo is UTC for when in (announced.deprecated_at, announced.sunset_at))
    trace = read_trace(response.headers)
    if trace is not None:
        assert trace == read_trace(
            (("traceparent", f"00-{trace.trace_id}-{trace.parent_id}-0{int(trace.sampled)}"),)
        ) or (trace.state is not None)
    assert read_trace((("traceparent", make_traceparent(trace, random=bytes)),)) is not None
    retry = read_retry_after(response, now=NOW)
    assert _no_more([retry.seconds])
    told = (triple.limit, dictionary.limit, *limits, *policies, announced, trace, retry.seconds)
    assert all(note.isprintable() for note in (*triple.notes, *dictionary.notes, *notes, *more, *retry.notes))
    return "refused" if all(one is None for one in told) else "read"


# Rate limits, by the words of every config that has some.


@cache
def _rate_limits() -> tuple[RateLimit, ...]:
    own = (connector.rate_limit for connector in _connectors())
    standard = (RateLimit(standard=form) for form in ("triple", "dictionary", "pair"))
    return (*standard, *(limit for limit in own if limit is not None))


def _limits(data: bytes) -> Outcome:
    variant, response = _message(data)
    config = _rate_limits()[variant % len(_rate_limits())]
    document = decode_as_sent(response).value
    found = read_limits(config, response, document, now=NOW, throttled=response.status >= 400)
    assert _no_more([found.retry_after_s])
    for one in found.budgets:
        assert _no_more([one.limit, one.remaining, one.reset_s, one.window_s, one.wait_s])
    assert all(note.isprintable() and len(note) < 300 for note in found.notes)
    # What callers are given is in the form of the draft: our own reader takes it whole.
    given = Response(200, found.headers())
    _, notes = ratelimit_fields.read_limits(given)
    _, more = ratelimit_fields.read_policies(given)
    assert not (notes or more), (notes, more, given.headers)
    return "read" if found.budgets or found.retry_after_s is not None else "refused"


# Bodies, and what answers mean.

_PLACES: Final = tuple(map(Place.parse, ("rows.row", "row", "a.b")))
_FORMATS: Final[tuple[Format | None, ...]] = (
    *(None, None, "json", "text", XmlFormat()),
    XmlFormat(_PLACES, booleans=tuple(map(Place.parse, ("active", "rows.row.active")))),
    XmlFormat(namespaces="keep", attributes="drop", attribute_prefix="", text="value"),
    XmlFormat(_PLACES, namespaces=(("urn:a", "a"), ("urn:b", "")), booleans=(Place.parse("a"),)),
)


def _bodies(data: bytes) -> Outcome:
    variant, response = _message(data)
    declared = _FORMATS[variant % len(_FORMATS)]
    sent = decode_as_sent(response, declared=declared)
    assert sent.value is ABSENT if sent.kind in {"none", "unreadable"} else sent.value is not ABSENT
    assert sent.value is ABSENT or _jsonable(sent.value)
    _as_a_request(response)
    try:
        value = decode(response, declared=declared)
    except ProviderBroke as error:
        return _refused(error)
    assert value is ABSENT or _jsonable(value)
    return "read"


def _as_a_request(message: Response) -> None:
    """The same bytes as the body of a request: told part by part, and shown on a line that says the same."""
    parts = parts_of(message.body, message.header("content-type") or "")
    assert parts and all(texts for texts in parts.values())
    text = message.body.decode("utf-8", "backslashreplace")
    assert parts_of(text.encode()) == parts_of(on_one_line(text).encode())


def _answers(data: bytes) -> Outcome:
    variant, response = _message(data)
    connector = _connectors()[variant % len(_connectors())]
    document = decode_as_sent(response).value
    problem = read_problem(response, document, declared=bool(variant % 2))
    if problem is not None:
        assert all(isinstance(name, str) for name in problem.violated_policies)
        problem.type_at(PAGE)
        json.dumps(dict(problem.extensions))
    verdict = judged(response, document, connector.errors)
    if verdict.meaning in {"success", "empty"}:
        return "read"
    error = error_of(verdict, response, document, code=connector.error_code, message=connector.error_message)
    assert isinstance(error, ConnproofError) and error.status == response.status
    json.dumps(problem_document(error))
    return _refused(error)


# Places and documents.

_RECORD: Final[JsonValue] = {
    "a": [{"b": [1, 2]}, {"b": None}, 3],
    "b": {"c": {"d": ""}},
    "": 0,
    "a b": [[]],
    "@x": {"é": 1},
}


def _places(data: bytes) -> Outcome:
    text = _text(data)
    try:
        place = Place.parse(text)
    except PlaceWrong as wrong:
        assert 1 <= wrong.column <= len(text) + 1
        return "refused"
    assert str(place) == text
    found = place.find(_RECORD)
    assert not place.is_many or found is ABSENT or isinstance(found, list)
    try:
        written = put({"b": {"c": None}}, place, 1)
    except ValueError as wrong:
        assert not isinstance(wrong, PlaceWrong)
    else:
        assert 1 == place.find(written)
    return "read"


def _documents(data: bytes) -> Outcome:
    try:
        value, source = read_json(data, "doc.json")
    except ConfigWrong as error:
        assert error.problems and all(problem.line >= 1 and problem.column >= 1 for problem in error.problems)
        return _refused(error)
    assert value == json.loads(data) and _jsonable(value)
    lines = data.count(b"\n") + 1
    for pointer in _pointers(value):
        line, column = source.position(pointer)
        assert 1 <= line <= lines and column >= 1
    return "read"


def _pointers(value: JsonValue) -> Iterator[str]:
    if isinstance(value, dict | list):
        for key, inside in value.items() if isinstance(value, dict) else enumerate(value):
            escaped = str(key).replace("~", "~0").replace("/", "~1")
            yield f"/{escaped}"
            yield from (f"/{escaped}{below}" for below in list(_pointers(inside))[:50])


# Configs, and what an account lays over one.


def _config(data: bytes) -> Outcome:
    try:
        connector = parse_config(data, folder="hubspot")
    except ConfigWrong as error:
        assert error.problems
        return _refused(error)
    assert all(type(status) is not float for rule in connector.errors for status in rule.when.statuses)
    for resource in connector.resources.values():
        for operation in resource.operations.values():
            paging = operation.pagination
            assert paging is None or type(paging.max_pages) is int
            assert paging is None or paging.default_page_size is None or type(paging.default_page_size) is int
    return "read"


def _override(data: bytes) -> Outcome:
    base = (ROOT / "connectors/salesforce/connector.json").read_bytes()
    try:
        connector = layered(base, [Layer("account", "acme", data, "accounts/acme.json")], folder="salesforce")
    except ConfigWrong as error:
        assert error.problems and "accounts/acme.json" == error.document
        return _refused(error)
    own = parse_config(base, folder="salesforce")
    assert connector.base_url == own.base_url and connector.auth == own.auth
    return "read"


# Recordings, ours and those of other tools.

_FILE: Final = Path("fuzzed.json")


def _recording(data: bytes) -> Outcome:
    try:
        read = recording.parse(data, _FILE)
    except recording.RecordingUnfit as error:
        assert error.problems
        return _refused(error)
    assert read.lanes and all(lane.exchanges for lane in read.lanes)
    for exchange in read.exchanges():
        assert type(exchange.response.status) is int and isinstance(exchange.response.body, bytes)
    for lane in read.lanes:
        assert lane.call is None or _no_more([lane.call.page_size, lane.call.limit])
    written = recording.dump(read)
    again = recording.parse(written.encode(), _FILE)
    assert [(lane.id, lane.order, lane.call) for lane in read.lanes] == [
        (lane.id, lane.order, lane.call) for lane in again.lanes
    ]
    for before, after in zip(read.exchanges(), again.exchanges(), strict=True):
        assert (before.id, before.response.status) == (after.id, after.response.status)
        assert before.request.method == after.request.method
    assert recording.dump(again) == written
    har = foreign.write_har(
        ((one.request, one.response, read.provenance.recorded_at) for one in read.exchanges()), creator_version="1"
    )
    json.loads(har)
    return "read"


_FOLDER: Final = tempfile.TemporaryDirectory(prefix="connproof-fuzz-")


def _importer(name: str) -> Callable[[bytes], Outcome]:
    """The reader of every foreign format, as it is called; `name` is the file's."""
    path = Path(_FOLDER.name) / name

    def run(data: bytes) -> Outcome:
        path.write_bytes(data)
        try:
            tape = foreign.read(path)
        except foreign.ForeignUnreadable as error:
            return _refused(error)
        assert tape.exchanges
        for one in tape.exchanges:
            assert one.request.url.strip() and type(one.response.status) is int and 100 <= one.response.status <= 599
            assert all(key == key.lower() for key, _ in (*one.request.headers, *one.response.headers))
        # What is written as HAR, reading gives back.
        told = [(one.request, one.response, one.recorded_at) for one in tape.exchanges]
        path.write_text(foreign.write_har(told, creator_version="1"), encoding="utf-8")
        again = foreign.read(path)
        assert [one.response for one in again.exchanges] == [one.response for one in tape.exchanges]
        assert [_sent(one) for one in again.exchanges] == [_sent(one) for one in tape.exchanges]
        return "read"

    return run


def _sent(one: foreign.Taped) -> tuple[object, ...]:
    fields = tuple((name, value) for name, value in one.request.headers if not name.startswith(":"))
    return one.request.method, one.request.url, fields, one.request.body


# Resume tokens, token answers, expressions.


def _resume(data: bytes) -> Outcome:
    """A token as it is given back, or the JSON inside one, whose sum is then right: a sum is no signature."""
    text = _text(data)
    if data[:1] == b"{":
        text = _summed(data)
    try:
        position = resumed(text, CALL)
    except CallWrong as error:
        return _refused(error)
    assert _no_more([position.total, position.pages, position.records])
    assert position == resumed(token(CALL, position), CALL)
    return "read"


def _summed(said: bytes) -> str:
    digest = hashlib.blake2b(said, digest_size=6).digest()
    return base64.urlsafe_b64encode(digest + said).decode().rstrip("=")


@cache
def _token_connectors() -> tuple[Connector, ...]:
    return tuple(one for one in _connectors() if one.auth.token is not None and one.auth.token.answer is not None)


_HELD: Final = Account(
    "acme", {"client_id": "c-0001", "client_secret": "s3cret+/=value", "refresh_token": "r0-old-token"}
)


def _token_answer(data: bytes) -> Outcome:
    variant, response = _message(data)
    auth = _token_connectors()[variant % len(_token_connectors())].auth
    found = read_token_response(auth, _HELD, response, token_document(response), NOW)
    assert "s3cret+/=value" not in repr(found)
    if isinstance(found, TokenGranted):
        shown = replace(found, access_token=Secret("x"), refresh_token=found.refresh_token and Secret("y"))
        assert repr(found) == repr(shown)
        assert all(when is None or when > NOW for when in (found.expires_at, found.refresh_expires_at))
        return "read"
    for text in (found.code, found.description):
        assert text.isprintable() and len(text) < 400 and "s3cret+/=value" not in text
    return "refused"


def _expression(data: bytes) -> Outcome:
    """Compiled and looked at, not run: what runs is held in time by a process of its own."""
    text = _text(data)
    try:
        Expression(text)
        read = members_read(text)
    except ExpressionRefused as refusal:
        assert refusal.message and (len(refusal.message) < 25_000 or len(text) > 10_000)
        return "refused"
    assert read == members_read(text)
    parsed(text)
    return "read"


# The table.


TARGETS: Final[Mapping[str, Target]] = {
    target.name: target
    for target in (
        Target("links", 110, _links, *seeds.LINKS),
        Target("urls", 90, _urls, *seeds.URLS),
        Target("structured-fields", 80, _structured, *seeds.STRUCTURED),
        Target("dates", 60, _dates, *seeds.DATES),
        Target("standard-headers", 50, _standard_headers, *seeds.HEADERS),
        Target("rate-limits", 80, _limits, seeds.limits(len(_rate_limits())), seeds.header_words()),
        Target("bodies", 100, _bodies, *seeds.BODY),
        Target("answers", 50, _answers, *seeds.ANSWERS),
        Target("token-answers", 50, _token_answer, *seeds.TOKENS),
        Target("resume-tokens", 50, _resume, *seeds.RESUME),
        Target("places", 50, _places, *seeds.PLACES),
        Target("documents", 40, _documents, *seeds.DOCUMENT),
        Target("expressions", 50, _expression, seeds.expressions(), seeds.EXPRESSION),
        Target("configs", 30, _config, seeds.configs(), seeds.config_words()),
        Target("overrides", 20, _override, seeds.overrides(), seeds.config_words()),
        Target("recordings", 30, _recording, seeds.recordings(), seeds.CASSETTE),
        Target("har", 20, _importer("har"), seeds.har(), seeds.CASSETTE),
        Target("ruby-vcr", 15, _importer("ruby-vcr"), seeds.RUBY, seeds.CASSETTE),
        Target("vcrpy", 10, _importer("vcrpy"), seeds.VCRPY, (*seeds.CASSETTE, *seeds.YAML[1])),
        Target("betamax", 5, _importer("betamax"), seeds.BETAMAX, seeds.CASSETTE),
        Target("yaml", 10, _importer("yaml"), *seeds.YAML),
    )
}
assert 1_000 == sum(target.share for target in TARGETS.values()), "shares are of a thousand"
