"""Recordings of other tools: read wholly or refused with a reason, and HAR that reads back as it was."""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import sys
import textwrap
import zlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from connproof.model import Request, Response
from pytest_connproof.foreign import FORMATS, ForeignUnreadable, Tape, notation, read, write_har

Write = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Puts content into a file whose name says nothing."""

    def put(content: str | bytes) -> Path:
        path = tmp_path / "recording"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return put


def base64_text(body: bytes) -> str:
    return base64.b64encode(body).decode()


def only(tape: Tape) -> tuple[Request, Response]:
    assert 1 == len(tape.exchanges)
    return tape.exchanges[0].request, tape.exchanges[0].response


def refused(path: Path) -> ForeignUnreadable:
    with pytest.raises(ForeignUnreadable) as refusal:
        read(path)
    return refusal.value


def vcr_json(*, request: dict[str, Any] | None = None, response: dict[str, Any] | None = None) -> str:
    exchange = {
        "request": {"method": "get", "uri": "https://api.test/rows", **(request or {})},
        "response": {"status": {"code": 200, "message": "OK"}, **(response or {})},
        "recorded_at": "Tue, 05 Jan 2016 22:51:34 GMT",
    }
    return json.dumps({"http_interactions": [exchange], "recorded_with": "VCR 6.1.0"})


def vcrpy_yaml(body: str = "null", response: str = "{status: {code: 200, message: OK}, headers: {}}") -> str:
    return textwrap.dedent(f"""\
        interactions:
        - request:
            method: GET
            uri: https://api.test/rows
            headers: {{}}
            body: {body}
          response: {response}
        version: 1
        """)


def har_json(*, request: dict[str, Any] | None = None, response: dict[str, Any] | None = None) -> str:
    entry = {
        "startedDateTime": "2026-11-20T09:14:02.000Z",
        "request": {"method": "GET", "url": "https://api.test/rows", "headers": [], **(request or {})},
        "response": {
            "status": 200,
            "headers": [],
            "content": {"size": 2, "mimeType": "", "text": "{}"},
            **(response or {}),
        },
    }
    return json.dumps({"log": {"version": "1.2", "creator": {"name": "a", "version": "1"}, "entries": [entry]}})


VCR_YAML = """\
---
http_interactions:
- request:
    method: post
    uri: https://api.test/rows?q=%20a
    body:
      encoding: UTF-8
      string: '{"name":"\u00e9"}'
    headers:
      Content-Type:
      - application/json
      Accept:
      - text/html
      - application/json
  response:
    status:
      code: 201
      message: Created
    headers:
      Set-Cookie:
      - a=1
      - b=2
      Content-Length:
      - '11'
      Transfer-Encoding:
      - chunked
    body:
      encoding: ASCII-8BIT
      string: !binary |-
        eyJuYW1lIjoi6SJ9
    http_version:
  recorded_at: Tue, 05 Jan 2016 22:51:34 GMT
recorded_with: VCR 6.1.0
"""


# Each format.


def test_ruby_vcr_in_yaml(write: Write) -> None:
    """A YAML cassette gives method, URL, header lines, bodies in bytes, and when it was recorded."""
    path = write(VCR_YAML)

    tape = read(path)

    assert ("ruby-vcr", path) == (tape.format, tape.path)
    request, response = only(tape)
    assert ("POST", "https://api.test/rows?q=%20a") == (request.method, request.url)
    assert (
        ("content-type", "application/json"),
        ("accept", "text/html"),
        ("accept", "application/json"),
    ) == request.headers
    assert '{"name":"\u00e9"}'.encode() == request.body
    assert Response(201, (("set-cookie", "a=1"), ("set-cookie", "b=2")), b'{"name":"\xe9"}') == response
    assert "Tue, 05 Jan 2016 22:51:34 GMT" == tape.exchanges[0].recorded_at


def test_ruby_vcr_in_json(write: Write) -> None:
    """A JSON cassette with an exact body says the same in base64, with line breaks."""
    body = base64_text(b"\x00\xff" * 40)
    broken = f"{body[:60]}\n{body[60:]}\n"

    tape = read(write(vcr_json(response={"body": {"encoding": "ASCII-8BIT", "base64_string": broken}})))

    assert "ruby-vcr" == tape.format
    assert b"\x00\xff" * 40 == only(tape)[1].body


def test_vcr_needs_only_method_url_and_status(write: Write) -> None:
    """VCR replays an exchange written by hand without headers and bodies, so it can be read."""
    assert (Request("GET", "https://api.test/rows"), Response(200)) == only(read(write(vcr_json())))


def test_vcr_without_recorder_is_read_to_its_end(write: Write) -> None:
    """Some projects strip the last line; the end of the last exchange shows that nothing else is missing."""
    assert 1 == len(read(write(VCR_YAML.replace("recorded_with: VCR 6.1.0\n", ""))).exchanges)


@pytest.mark.parametrize("bodies", ["body: {string: '{}'}", "content: '{}'"])
@pytest.mark.parametrize("status", ["status: {code: 200, message: OK}", "status_code: 200, http_version: HTTP/1.1"])
def test_vcrpy_in_yaml(write: Write, bodies: str, status: str) -> None:
    """A cassette of vcrpy, also with the words that some versions used for httpx clients."""
    tape = read(write(vcrpy_yaml(response=f"{{{status}, headers: {{ETag: [x]}}, {bodies}}}")))

    assert "vcrpy" == tape.format
    assert (Request("GET", "https://api.test/rows"), Response(200, (("etag", "x"),), b"{}")) == only(tape)
    assert tape.exchanges[0].recorded_at is None


def test_vcrpy_in_json(write: Write) -> None:
    """The same cassette in JSON is told from the other JSON formats by what is in it."""
    exchange = {
        "request": {"method": "POST", "uri": "https://api.test/rows", "body": "a=1", "headers": {}},
        "response": {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": "{}"}},
    }
    tape = read(write(json.dumps({"version": 1, "interactions": [exchange]})))

    assert "vcrpy" == tape.format
    assert (Request("POST", "https://api.test/rows", (), b"a=1"), Response(200, (), b"{}")) == only(tape)


@pytest.mark.parametrize("status", [{"status": {"code": 404, "message": "Not Found"}}, {"status_code": 404}])
@pytest.mark.parametrize(
    "body", [{"base64_string": "e30=", "string": ""}, {"string": "{}"}, {"base64_string": "", "string": "{}"}]
)
def test_betamax(write: Write, status: dict[str, Any], body: dict[str, str]) -> None:
    """betamax: headers as texts or lists, the body in either member, the status in either spelling."""
    exchange = {
        "request": {"method": "GET", "uri": "https://api.test/a", "body": "", "headers": {"Accept": "*/*"}},
        "response": {
            "url": "https://api.test/a",
            "headers": {"X-A": ["1"]},
            "body": {"encoding": "utf-8", **body},
            **status,
        },
        "recorded_at": "2013-09-28T01:25:38",
    }
    tape = read(write(json.dumps({"http_interactions": [exchange], "recorded_with": "betamax/0.4.1"})))

    assert "betamax" == tape.format
    assert (
        Request("GET", "https://api.test/a", (("accept", "*/*"),)),
        Response(404, (("x-a", "1"),), b"{}"),
    ) == only(tape)
    assert "2013-09-28T01:25:38" == tape.exchanges[0].recorded_at


def test_har(write: Write) -> None:
    """HAR: pseudo headers and extensions are left out, and the framing headers of the response."""
    fields = [{"name": ":path", "value": "/rows"}, {"name": "Accept", "value": "*/*"}]
    answer = [{"name": "Content-Encoding", "value": "br"}, {"name": "X-A", "value": "1"}, {"name": "x-a", "value": "2"}]
    request = {"headers": fields, "_priority": "High", "cookies": []}

    tape = read(write("\ufeff" + har_json(request=request, response={"headers": answer, "_transferSize": 3})))

    assert "har" == tape.format
    assert (
        Request("GET", "https://api.test/rows", (("accept", "*/*"),)),
        Response(200, (("x-a", "1"), ("x-a", "2")), b"{}"),
    ) == only(tape)
    assert "2026-11-20T09:14:02.000Z" == tape.exchanges[0].recorded_at


# Bodies, as tools store them.


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ("null", None),
        ("''", None),
        ("plain text", b"plain text"),
        ("2026-11-20", b"2026-11-20"),
        ("!!binary AP8=", b"\x00\xff"),
        ("!!python/unicode 'a'", b"a"),
        ("{list_id: '84839422', private: true, score: 1.5}", b'{"list_id": "84839422", "private": true, "score": 1.5}'),
        ("[1, null]", b"[1, null]"),
    ],
)
def test_request_bodies_of_vcrpy(write: Write, stored: str, expected: bytes | None) -> None:
    """A request body is the bytes that were sent; nothing and an empty text are both no body."""
    assert expected == only(read(write(vcrpy_yaml(stored))))[0].body


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (None, b""),
        ("old", b"old"),
        ({"encoding": "UTF-8", "string": "\u00e9"}, b"\xc3\xa9"),
        ({"encoding": "ISO-8859-1", "string": "\u00e9"}, b"\xe9"),
        ({"encoding": "Windows-1252", "string": "\u20ac"}, b"\x80"),
        ({"encoding": "ASCII-8BIT", "string": "\u00e9"}, b"\xc3\xa9"),
        ({"encoding": "US-ASCII", "string": "\u00e9"}, b"\xc3\xa9"),
        ({"encoding": None, "string": "a"}, b"a"),
        ({"encoding": "UTF-8", "string": "\U0001f600"}, "\U0001f600".encode()),
        ({"encoding": "UTF-8", "string": None}, b""),
        ({"base64_string": "/w=="}, b"\xff"),
    ],
)
def test_response_bodies_of_vcr(write: Write, stored: object, expected: bytes) -> None:
    """A text goes back into the encoding that it was taken from, as VCR does it."""
    assert expected == only(read(write(vcr_json(response={"body": stored}))))[1].body


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("!str {str: text, '@charset': utf-8}", b"text"),
        ("!ruby/string:Net::Body text", b"text"),
        ("! '12'", b"12"),
        ("!binary dGV4dA==", b"text"),
    ],
)
def test_tags_of_texts_are_read_as_texts(write: Write, tag: str, expected: bytes) -> None:
    """Ruby marks texts of other classes; the text is what the format needs, and nothing is made of the class."""
    text = VCR_YAML.replace("!binary |-\n        eyJuYW1lIjoi6SJ9", tag)

    assert expected == only(read(write(text)))[1].body


RAW_DEFLATE = zlib.compressobj(wbits=-15)


@pytest.mark.parametrize(
    ("encoding", "stored"),
    [
        ("gzip", gzip.compress(b'{"a":1}', mtime=0)),
        ("x-gzip", gzip.compress(b'{"a":1}', mtime=0)),
        ("GZIP", gzip.compress(b'{"a"', mtime=0) + gzip.compress(b":1}", mtime=0)),
        ("deflate", zlib.compress(b'{"a":1}')),
        ("deflate", RAW_DEFLATE.compress(b'{"a":1}') + RAW_DEFLATE.flush()),
        ("identity", b'{"a":1}'),
        ("gzip", b'{"a":1}'),
        ("br", b'{"a":1}'),
        ("zstd", b'{"a":1}'),
    ],
)
def test_content_encodings(write: Write, encoding: str, stored: bytes) -> None:
    """A body stored compressed is decoded, one stored decoded beside its old header is left alone."""
    body = {"encoding": "ASCII-8BIT", "base64_string": base64_text(stored)}
    headers = {"Content-Encoding": [encoding], "content-length": ["9"], "X-A": ["1"]}

    assert (
        Response(200, (("x-a", "1"),), b'{"a":1}')
        == only(read(write(vcr_json(response={"body": body, "headers": headers}))))[1]
    )


class FakeBrotli(ModuleType):
    """Stands in for the optional decoder: gives back what follows the first byte."""

    error = ValueError

    class Decompressor:
        def process(self, piece: bytes) -> bytes:
            return piece[1:]

        def is_finished(self) -> bool:
            return True


def brotli_cassette() -> str:
    body = {"encoding": "ASCII-8BIT", "base64_string": base64_text(b"\x8b{}")}
    return vcr_json(response={"body": body, "headers": {"Content-Encoding": ["br"]}})


def test_brotli_with_a_decoder(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a Brotli decoder is installed, it is used."""
    monkeypatch.setitem(sys.modules, "brotli", FakeBrotli("brotli"))

    assert b"{}" == only(read(write(brotli_cassette())))[1].body


def test_brotli_without_a_decoder(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none is installed, the message says what to install."""
    monkeypatch.setitem(sys.modules, "brotli", None)
    monkeypatch.setitem(sys.modules, "brotlicffi", None)

    refusal = refused(write(brotli_cassette()))

    assert "no decoder for it is installed" in refusal.what
    assert refusal.fix.startswith("pip install brotli")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"mimeType": "application/json; charset=utf-8", "text": '{"a":"\u00e9"}'}, b'{"a":"\xc3\xa9"}'),
        ({"mimeType": "text/plain; charset=iso-8859-1", "text": "\u00e9"}, b"\xe9"),
        ({"mimeType": "text/plain; charset=klingon", "text": "\u00e9"}, b"\xc3\xa9"),
        (
            {
                "mimeType": "application/x-www-form-urlencoded; charset=UTF-8",
                "params": [{"name": "a b", "value": "\u00e9&"}],
            },
            b"a+b=%C3%A9%26",
        ),
        ({"mimeType": "application/x-www-form-urlencoded", "text": "", "params": [{"name": "a"}]}, b"a="),
        ({"mimeType": "a/b", "text": "/w==", "encoding": "base64"}, b"\xff"),
        ({"mimeType": "a/b", "text": "/w==", "_encoding": "base64"}, b"\xff"),
        ({"mimeType": "", "text": ""}, None),
        ({"mimeType": "", "params": []}, None),
        (None, None),
    ],
)
def test_request_bodies_of_har(write: Write, data: object, expected: bytes | None) -> None:
    """postData is a text, or parameters of a form; the text stands in Unicode whatever its charset was."""
    assert expected == only(read(write(har_json(request={"method": "POST", "postData": data}))))[0].body


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ({"content": {"size": 1, "mimeType": "image/png", "text": "/w==", "encoding": "base64"}}, b"\xff"),
        ({"content": {"size": 1, "mimeType": "text/plain; charset=latin-1", "text": "\u00e9"}}, b"\xe9"),
        ({"content": {"size": 0, "mimeType": ""}}, b""),
        ({"content": {"size": -1, "mimeType": ""}, "bodySize": 0}, b""),
        ({"content": {"size": -1, "mimeType": ""}, "status": 304}, b""),
        ({"content": {"size": -1, "mimeType": ""}, "status": 204}, b""),
    ],
)
def test_response_bodies_of_har(write: Write, response: dict[str, Any], expected: bytes) -> None:
    """content is a text or base64; none at all is right only where there was no body."""
    assert expected == only(read(write(har_json(response=response))))[1].body


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.test/rows", "https://api.test/rows?q=a+b&n=1"),
        ("https://api.test/rows?q=a%20b", "https://api.test/rows?q=a%20b"),
    ],
)
def test_query_of_har(write: Write, url: str, expected: str) -> None:
    """The URL is authority for its query; where it has none, the parameters are it."""
    query = [{"name": "q", "value": "a b"}, {"name": "n", "value": "1"}]

    assert expected == only(read(write(har_json(request={"url": url, "queryString": query}))))[0].url


def test_header_values_written_by_hand(write: Write) -> None:
    """Numbers, booleans and nothing, where a header's text was meant, are the texts that they look like."""
    headers = {"A": [1, True], "B": None, "C": 2.5, "D": False}

    assert (("a", "1"), ("a", "true"), ("b", ""), ("c", "2.5"), ("d", "false")) == only(
        read(write(vcr_json(response={"headers": headers})))
    )[1].headers


# YAML, as it is really written.


def test_aliases_and_merges_are_followed(write: Write) -> None:
    """Cassettes kept by hand share headers and statuses by alias; what is written out wins over what is merged."""
    cassette = """\
interactions:
- request: {method: GET, uri: 'https://api.test/1', headers: &sent {A: [x], B: [y]}}
  response: &ok {status: {code: 200, message: OK}, headers: {}, body: {string: one}}
- request: {method: GET, uri: 'https://api.test/2', headers: {<<: *sent, B: [z]}}
  response: *ok
version: 1
"""
    first, second = read(write(cassette)).exchanges

    assert (("a", "x"), ("b", "y")) == first.request.headers
    assert (("a", "x"), ("b", "z")) == second.request.headers
    assert first.response == second.response


def test_keys_stay_texts(write: Write) -> None:
    """A key that looks like a number, a truth value or a date is a header name like any other."""
    response = "{status: {code: 200}, headers: {200: [a], true: [b], 2026-11-20: [c], !binary WA==: [d]}}"

    assert (("200", "a"), ("true", "b"), ("2026-11-20", "c"), ("x", "d")) == only(
        read(write(vcrpy_yaml(response=response)))
    )[1].headers


# Refusals.


def alias_bomb() -> str:
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 9)]
    return "\n".join(["l0: &l0 [lol]", *levels])


@pytest.mark.parametrize(
    ("content", "line", "what"),
    [
        ("", 0, "empty"),
        (" \n\t\n", 0, "empty"),
        (b"\x89PNG\r\n\x1a\n", 1, "byte 1 is not UTF-8"),
        (b"a: 1\nb: \xff\n", 2, "byte 9 is not UTF-8"),
        ("just a note\n", 0, "no known tool"),
        ("<?xml version='1.0'?>\n<a/>\n", 0, "no known tool"),
        ("[]", 0, "no known tool"),
        ('{"a": 1}', 0, "no known tool"),
        ('{\n"http_interactions": [{"request"', 2, "not JSON"),
        ('{"a": 1,\n "a": 2}', 2, "second time"),
        ('{"a": NaN}', 1, "not JSON"),
        ("[" * 100_000, 1, "nested deeper"),
        ("[" * 250 + "]" * 250, 1, "nested deeper"),
        ("a: 1\n b: 2\n", 2, "neither JSON nor YAML"),
        ("a: \x07\n", 0, "characters"),
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("interactions: []\nversion: 1\ninteractions: []\n", 3, "second time"),
        ("a: &x [*x]\n", 1, "has not ended"),
        ("? [a]\n: b\n", 1, "key that is no text"),
        ("a: &x b\n*x : c\n", 2, "key that is an alias"),
        ("a: {<<: text}\n", 1, "no mapping"),
        ("- " * 300 + "a\n", 1, "nested deeper"),
        ("x: !!python/object/apply:os.system [ls]\n", 1, "asks for an object"),
        ("a:\n- !ruby/object:Gem::Installer {i: x}\n", 2, "asks for an object"),
        ("--- !ruby/struct:VCR::HTTPInteraction\na: b\n", 1, "asks for an object"),
        ("a: !ruby/regexp /x/\n", 1, "asks for an object"),
        ("a: !!binary '****'\n", 1, "not base64"),
        ("a: !str {b: c}\n", 1, 'without "str"'),
        (alias_bomb(), 7, "aliases stand for more than"),
    ],
)
def test_no_cassette(write: Write, content: str | bytes, line: int, what: str) -> None:
    """What is no recording is refused, with its line where there is one."""
    refusal = refused(write(content))

    assert what in refusal.what
    assert line == refusal.line


@pytest.mark.parametrize(
    ("content", "pointer", "what"),
    [
        (vcr_json(request={"method": ""}), "/http_interactions/0/request/method", "no HTTP method"),
        (vcr_json(request={"uri": " "}), "/http_interactions/0/request/uri", "empty"),
        (vcr_json(request={"uri": 5}), "/http_interactions/0/request/uri", "a number, not a text"),
        (vcr_json(request={"uri": None}), "/http_interactions/0/request", 'no "uri"'),
        (vcr_json(request={"headers": []}), "/http_interactions/0/request/headers", "a list, not a mapping"),
        (vcr_json(response={"status": 200}), "/http_interactions/0/response/status", "not a mapping"),
        (vcr_json(response={"status": {"code": 99}}), "/http_interactions/0/response/status/code", "no HTTP status"),
        (vcr_json(response={"status": {"code": "OK"}}), "/http_interactions/0/response/status/code", "whole number"),
        (vcr_json(response={"headers": {"A": {"b": 1}}}), "/http_interactions/0/response/headers/A", "not a text"),
        (vcr_json(response={"body": {}}), "/http_interactions/0/response/body", 'neither "string"'),
        (vcr_json(response={"body": {"string": {"a": 1}}}), "/http_interactions/0/response/body/string", "a mapping"),
        (
            vcr_json(response={"body": {"base64_string": "e3=*"}}),
            "/http_interactions/0/response/body/base64_string",
            "not base64",
        ),
        (
            vcr_json(response={"body": {"string": "a", "encoding": "EBCDIC-X"}}),
            "/http_interactions/0/response/body/string",
            "unknown encoding 'EBCDIC-X'",
        ),
        (vcr_json(response={"body": "\ud83d"}), "/http_interactions/0/response/body", "half a character"),
        (vcr_json(response={"body": "\ude00 \U0001f600"}), "/http_interactions/0/response/body", "half a character"),
        (
            vcr_json(response={"body": {"string": "a", "encoding": "utf-8\0"}}),
            "/http_interactions/0/response/body/string",
            "unknown encoding",
        ),
        (
            har_json(response={"status": [], "content": {"size": 7, "mimeType": ""}}),
            "/log/entries/0/response/status",
            "a list, not a whole number",
        ),
        ('{"a": 1e999}', "/a", "out of range"),
        ('{"http_interactions": [], "recorded_with": "VCR 6.1.0"}', "", "no exchange"),
        ('{"http_interactions": [{}]}', "/http_interactions/0", "has no end"),
        ('{"interactions": []}', "", 'no "version"'),
        ('{"interactions": [], "version": 2}', "/version", "only version 1"),
        ('{"interactions": [{"include": "a"}], "version": 1}', "/interactions/0", 'no "request"'),
        (vcrpy_yaml("{a: !!binary AP8=}"), "/interactions/0/request/body", "bytes inside"),
        (har_json(response={"status": 0}), "/log/entries/0", "no response"),
        (har_json(response={"content": {"size": 7, "mimeType": ""}}), "/log/entries/0/response", "not saved"),
        (har_json(response={"content": {"size": -1, "mimeType": ""}}), "/log/entries/0/response", "not saved"),
        (
            har_json(request={"postData": {"mimeType": "multipart/form-data", "params": [{"name": "a"}]}}),
            "/log/entries/0/request/postData",
            "only parameters",
        ),
        (
            har_json(response={"content": {"mimeType": "", "text": "a", "encoding": "rot13"}}),
            "/log/entries/0/response/content/encoding",
            'neither absent nor "base64"',
        ),
        (
            har_json(response={"content": {"mimeType": "text/plain; charset=ascii", "text": "\u00e9"}}),
            "/log/entries/0/response/content/text",
            "its charset ascii lacks",
        ),
        (
            har_json(response={"content": {"mimeType": "text/plain; charset=idna", "text": "..a"}}),
            "/log/entries/0/response/content/text",
            "its charset idna lacks",
        ),
    ],
)
def test_exchange_that_is_not_whole(write: Write, content: str, pointer: str, what: str) -> None:
    """One exchange that cannot be read refuses the file, and the message points at it."""
    refusal = refused(write(content))

    assert what in refusal.what
    assert pointer == refusal.pointer
    assert refusal.fix


@pytest.mark.parametrize(
    ("encoding", "stored", "what"),
    [
        ("gzip", gzip.compress(b"{}" * 50, mtime=0)[:-9], "cut off"),
        ("gzip", b"\x1f\x8b\x08\x00damaged, as by a text replaced in it", "damaged"),
        ("deflate", b"\x07\xff\xfe", "damaged"),
        ("zstd", b"\x28\xb5\x2f\xfd\x00", "'zstd'"),
        ("gzip, br", b"\x1f\x8b", "2 content encodings"),
    ],
)
def test_body_that_cannot_be_decoded(write: Write, encoding: str, stored: bytes, what: str) -> None:
    """A compressed body that cannot be opened is never handed on as if it were the answer."""
    body = {"encoding": "ASCII-8BIT", "base64_string": base64_text(stored)}

    refusal = refused(write(vcr_json(response={"body": body, "headers": {"Content-Encoding": [encoding]}})))

    assert what in refusal.what
    assert "/http_interactions/0/response" == refusal.pointer


def test_decompression_is_bounded(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small file does not become a huge body."""
    monkeypatch.setattr("pytest_connproof.foreign.wire._MOST_DECODED", 1000)
    body = {"encoding": "ASCII-8BIT", "base64_string": base64_text(gzip.compress(bytes(1001), mtime=0))}

    refusal = refused(write(vcr_json(response={"body": body, "headers": {"Content-Encoding": ["gzip"]}})))

    assert "more than 1000 bytes" in refusal.what


def test_size_is_bounded(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is larger than any recording is not even parsed."""
    monkeypatch.setattr("pytest_connproof.foreign.notation._MOST_BYTES", 10)

    assert "the most is 10" in refused(write(VCR_YAML)).what


EXCHANGE_ENDS = VCR_YAML.index("\nrecorded_with")


@pytest.mark.parametrize("kept", range(0, EXCHANGE_ENDS, 7))
def test_truncated_yaml_is_refused(write: Write, kept: int) -> None:
    """Wherever a cassette is cut inside its last exchange, even inside the date that ends it, it is refused."""
    assert refused(write(VCR_YAML[:kept])).fix


@pytest.mark.parametrize("cut", range(1, 200, 11))
def test_truncated_json_is_refused(write: Write, cut: int) -> None:
    """JSON that is cut off anywhere is refused."""
    assert "not JSON" in refused(write(vcr_json()[:-cut])).what


def test_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file is a refusal too, with the system's own words."""
    assert "No such file" in refused(tmp_path / "nowhere.yml").what


def test_message_names_file_line_formats_and_fix(write: Write) -> None:
    """The whole text of a refusal: what, where, what was tried and why it was refused, what to do."""
    path = write(VCR_YAML.replace("code: 201", "code: none"))

    assert textwrap.dedent(f"""\
        cannot read recording as a recording: /http_interactions/0/response/status/code is a text, not a whole number
          file   {path}:17
          at     /http_interactions/0/response/status/code
          tried  betamax: "recorded_with" does not say betamax
                 ruby-vcr: /http_interactions/0/response/status/code is a text, not a whole number
          fix    it may be cut off or edited by hand: restore it, or record it again""") == str(refused(path))


def test_message_for_an_unknown_kind_names_every_format(write: Write) -> None:
    """Each format says for itself why the file is none of its own."""
    assert {known.name for known in FORMATS} == set(refused(write('{"a": 1}')).refusals)


def test_message_shows_no_value(write: Write) -> None:
    """What stands in a recording may be a credential; a refusal names its place and its kind."""
    content = vcr_json(request={"headers": {"Authorization": {"Bearer": "s3cr3t"}}, "uri": "https://s3cr3t.test"})

    assert "s3cr3t" not in str(refused(write(content)))


# HAR, written.


EXCHANGES = [
    (
        Request("GET", "https://api.test/rows?q=a%20b&empty=", (("accept", "*/*"), ("x-a", "1"), ("x-a", "2"))),
        Response(200, (("content-type", "application/json"), ("link", "<x>; rel=next")), b'{"name": "\xc3\xa9"}'),
        "2026-11-20T09:14:02.123Z",
    ),
    (
        Request("POST", "https://api.test/rows", (("content-type", "text/plain; charset=iso-8859-1"),), b"\xe9"),
        Response(201, (("content-type", "text/plain; charset=iso-8859-1"), ("location", "/rows/1")), b"\xe9"),
        "2026-11-20T10:14:02+01:00",
    ),
    (
        Request("PUT", "https://api.test/blob", (("content-type", "application/octet-stream"),), b"\x00\xff"),
        Response(599, (), b"\x89PNG\xff"),
        None,
    ),
    (Request("DELETE", "https://api.test/rows/1"), Response(204), None),
    (Request("HEAD", "https://api.test/rows"), Response(200, (("etag", '"x"'),)), None),
    (
        Request(
            "POST", "https://api.test/form", (("content-type", "application/x-www-form-urlencoded"),), b"a=1&b=%20"
        ),
        Response(200, (("content-type", "text/plain; charset=utf-16"),), b"\xff\xfea"),
        None,
    ),
]


def test_har_reads_back_as_it_was_written(write: Write) -> None:
    """Every method, URL, header line, body and time survives the way out and back."""
    tape = read(write(write_har(EXCHANGES, creator_version="1.2.3")))

    assert EXCHANGES == [(taped.request, taped.response, taped.recorded_at) for taped in tape.exchanges]


def test_har_is_the_same_each_time() -> None:
    """Equal input gives equal text, so that a file in a repository does not change by itself."""
    assert write_har(EXCHANGES, creator_version="1") == write_har(iter(EXCHANGES), creator_version="1")


# What HAR 1.2 makes mandatory; the types are what a value must be an instance of.
MANDATORY: dict[str, dict[str, type]] = {
    "entry": {"startedDateTime": str, "time": int, "request": dict, "response": dict, "cache": dict, "timings": dict},
    "request": {
        "method": str,
        "url": str,
        "httpVersion": str,
        "cookies": list,
        "headers": list,
        "queryString": list,
        "headersSize": int,
        "bodySize": int,
    },
    "response": {
        "status": int,
        "statusText": str,
        "httpVersion": str,
        "cookies": list,
        "headers": list,
        "content": dict,
        "redirectURL": str,
        "headersSize": int,
        "bodySize": int,
    },
    "content": {"size": int, "mimeType": str},
    "timings": {"send": int, "wait": int, "receive": int},
}


@pytest.mark.parametrize("number", range(len(EXCHANGES)))
def test_har_has_every_mandatory_member(number: int) -> None:
    """Other tools refuse a HAR that lacks a member, so none is left out."""
    log = json.loads(write_har(EXCHANGES, creator_version="1.2.3"))["log"]
    entry = log["entries"][number]
    parts = {
        "entry": entry,
        "request": entry["request"],
        "response": entry["response"],
        "content": entry["response"]["content"],
        "timings": entry["timings"],
    }

    assert ("1.2", {"name": "connproof", "version": "1.2.3"}) == (log["version"], log["creator"])
    assert MANDATORY == {
        name: {key: type(part[key]) for key in MANDATORY[name] if key in part} for name, part in parts.items()
    }


@pytest.mark.parametrize(
    ("recorded_at", "started", "comment"),
    [
        (None, "1970-01-01T00:00:00.000Z", None),
        ("2026-11-20T09:14:02Z", "2026-11-20T09:14:02Z", None),
        ("2013-09-28T01:25:38", "2013-09-28T01:25:38Z", None),
        ("Tue, 05 Jan 2016 22:51:34 GMT", "2016-01-05T22:51:34Z", None),
        ("2016-01-05", "1970-01-01T00:00:00.000Z", "recorded at: 2016-01-05"),
        ("last week", "1970-01-01T00:00:00.000Z", "recorded at: last week"),
    ],
)
def test_times_in_har(recorded_at: str | None, started: str, comment: str | None) -> None:
    """HAR wants an instant; what is none is not lost, but stands in the comment."""
    written = write_har([(Request("GET", "https://api.test/"), Response(200), recorded_at)], creator_version="1")

    entry = json.loads(written)["log"]["entries"][0]
    assert (started, comment) == (entry["startedDateTime"], entry.get("comment"))


def test_yaml_where_nothing_reads_it(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has not installed the extra is told how; HAR needs none."""
    monkeypatch.setattr(notation, "find_spec", lambda _: None)

    with pytest.raises(ForeignUnreadable, match="it is YAML, and PyYAML is not installed") as refused:
        read(write(vcrpy_yaml()))
    assert "pip install 'connproof[pytest]'" in str(refused.value)


def test_start_up_does_not_wait_for_yaml() -> None:
    """PyYAML is imported when a cassette in YAML is read, and not before."""
    code = "import sys, pytest_connproof.foreign; sys.exit('yaml' in sys.modules)"

    assert 0 == subprocess.run([sys.executable, "-c", code], check=False).returncode


@pytest.mark.parametrize("charset", ["utf-8\\u0000", "no-such"])
def test_har_with_a_charset_that_is_none(write: Write, charset: str) -> None:
    """A charset that no text can be put into is taken for UTF-8, as any other that is unknown."""
    text = har_json(response={"content": {"size": 2, "mimeType": "text/plain; charset=CHARSET", "text": "..\u00e9"}})

    tape = read(write(text.replace("CHARSET", charset)))

    assert "..\u00e9".encode() == only(tape)[1].body


@pytest.mark.parametrize("encoding", ["idna", "undefined"])
def test_vcr_text_that_its_encoding_cannot_hold(write: Write, encoding: str) -> None:
    """A text that an encoding refuses, for whatever reason, is replayed as it stands."""
    tape = read(write(vcr_json(response={"body": {"string": "..a", "encoding": encoding}})))

    assert b"..a" == only(tape)[1].body


def test_har_of_a_url_that_cannot_be_taken_apart() -> None:
    """What no parser takes for a URL is written as it stands."""
    written = write_har([(Request("GET", "https://[/a?b=c"), Response(200), None)], creator_version="1")

    request = json.loads(written)["log"]["entries"][0]["request"]
    assert ("https://[/a?b=c", [{"name": "b", "value": "c"}]) == (request["url"], request["queryString"])


@pytest.mark.parametrize("recorded_at", ["Tue, 05 Jan 99999999999 22:51:34 GMT", "Fri, 31 Dec 9999 23:59:59 -2359"])
def test_har_of_a_date_that_no_clock_shows(recorded_at: str) -> None:
    """A date beyond all years is none, and stands in the comment."""
    written = write_har([(Request("GET", "https://api.test/"), Response(200), recorded_at)], creator_version="1")

    assert f"recorded at: {recorded_at}" == json.loads(written)["log"]["entries"][0]["comment"]
