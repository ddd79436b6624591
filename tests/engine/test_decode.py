"""Decoding: what bytes become, what they are refused for, and what an error shows of them."""

from __future__ import annotations

import json
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connproof.decode import Limits, decode
from connproof.errors import LimitExceeded, PageUnreadable
from connproof.model import Response
from connproof.places import ABSENT, JsonValue

JSON = "application/json"


def sent(body: bytes, content_type: str | None = JSON, status: int = 200) -> Response:
    return Response(status, () if content_type is None else (("content-type", content_type),), body)


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "application/json",
        "Application/JSON",
        "application/json;charset=utf-8",
        'application/json ; q=1; Charset="UTF-8"',
        "application/json; charset=us-ascii",
        "application/problem+json",
        "application/vnd.example.v2+json; charset=utf8",
        "text/json",
        "application/json, application/json",
    ],
)
def test_json_is_read_where_the_type_says_so_or_there_is_none(content_type: str | None) -> None:
    """Case and parameters of the type do not matter; without a type the bytes decide."""
    assert {"a": ["\xe9", None]} == decode(sent('{"a": ["\xe9", null]}'.encode(), content_type))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"null", None),
        (b"false", False),
        (b"0", 0),
        (b'""', ""),
        (b"[]", []),
        (b" \r\n\t{} \n", {}),
        (b"123456789012345678901234567890", 123456789012345678901234567890),
        (b"-0", 0),
        (b"1.5e3", 1500.0),
        (b"1e308", 1e308),
        (b"1e-999", 0.0),
        (b'{"a":1,"b":2,"a":3}', {"a": 3, "b": 2}),
        (rb'"\ud83d\ude00"', "\U0001f600"),
        (rb'"\\ud83d"', "\\ud83d"),
        (rb'"\u0000\ud7ff\ue000"', "\x00\ud7ff\ue000"),
        ('"\ufeff\u2028"'.encode(), "\ufeff\u2028"),
    ],
)
def test_values_of_json(body: bytes, expected: JsonValue) -> None:
    """Integers are exact, null is a value, a repeated name keeps its last value, pairs of escapes are one character."""
    value = decode(sent(body))

    assert (type(expected), expected) == (type(value), value)


@pytest.mark.parametrize(
    "response",
    [
        sent(b"", JSON),
        sent(b"", "text/html"),
        sent(b" \r\n\t", JSON),
        sent(b"", None, status=204),
        sent(b"<p>", "text/html", status=204),
    ],
)
def test_E4_nothing_is_absent(response: Response) -> None:
    """A 204, no bytes and blank bytes carry no value, which is not null."""
    assert ABSENT is decode(response)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        pytest.param(b"NaN", "NaN", id="NaN"),
        pytest.param(b'{"a": [-Infinity]}', "-Infinity", id="Infinity"),
        pytest.param(b"[1e999]", "too large", id="overflow"),
        pytest.param(b"[-1.0E+400]", "too large", id="negative-overflow"),
        pytest.param(b"1" * 400 + b".0", "too large", id="overflow-without-exponent"),
        pytest.param(b"1" * 4_301, "4300 digits", id="too-many-digits"),
        pytest.param(rb'["\ud800"]', "surrogate", id="high-surrogate"),
        pytest.param(rb'{"\uDC00": 1}', "surrogate", id="low-surrogate-in-a-name"),
        pytest.param(rb'"\ude00\ud83d"', "surrogate", id="surrogates-in-the-wrong-order"),
        pytest.param(rb'"\\ud83d\ude00"', "surrogate", id="low-surrogate-after-an-escaped-backslash"),
        pytest.param(b'{"a": 1,\n "b": }', "line 2, column 7: ", id="syntax"),
        pytest.param(b'{"a": 1', "line 1, column 8: ", id="cut-off"),
        pytest.param(b'{"a": 1} {}', "line 1, column 10: Extra data", id="two-values"),
        pytest.param(b"{'a': 1}", "line 1, column 2: ", id="single-quotes"),
        pytest.param(b'["a\tb"]', "line 1, column 4: ", id="raw-control-character"),
        pytest.param(b"[1,]", "line 1, column ", id="trailing-comma"),
        pytest.param(b"[01]", "line 1, column 3: ", id="leading-zero"),
        pytest.param(b'"\xe9t\xe9"', "byte 2 is not UTF-8", id="latin-1"),
        pytest.param(b'"\xed\xa0\x80"', "byte 2 is not UTF-8", id="surrogate-as-bytes"),
        pytest.param('{"a": 1}'.encode("utf-16-le"), "line 1, column 2: ", id="utf-16-without-mark"),
        pytest.param(b"\x1f\x8b\x08\x00", "byte 2 is not UTF-8", id="still-compressed"),
        pytest.param(b"<html>", "line 1, column 1: ", id="html-called-json"),
    ],
)
@pytest.mark.parametrize("content_type", [JSON, None])
def test_S25_what_is_not_json_is_refused(body: bytes, fault: str, content_type: str | None) -> None:
    """The error says where the fault is, and the parser's own error, which holds the body, is not kept."""
    with pytest.raises(PageUnreadable, match="is not JSON") as caught:
        decode(sent(body, content_type, status=203))

    assert fault in caught.value.facts["fault"]
    assert 203 == caught.value.status
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        pytest.param(b"\xef\xbb\xbf{}", JSON, "byte order mark", id="utf-8-mark"),
        pytest.param("{}".encode("utf-16"), JSON, "byte order mark", id="utf-16-mark"),
        pytest.param(b"{}", "application/json; charset=ISO-8859-1", "iso-8859-1", id="latin-1"),
        pytest.param(b"{}", 'application/json; charset="utf-16"', "utf-16", id="utf-16"),
    ],
)
def test_S25_json_is_utf_8_alone(body: bytes, content_type: str, expected: str) -> None:
    """Another encoding, marked or declared, is not guessed at."""
    with pytest.raises(PageUnreadable, match=expected):
        decode(sent(body, content_type))


@pytest.mark.parametrize(
    ("body", "content_type", "begins_like"),
    [
        pytest.param(b"\n <!doctype html>", "text/html; charset=utf-8", "HTML or XML", id="html"),
        pytest.param(b"<feed/>", "application/xml-dtd", "HTML or XML", id="no-document-of-xml"),
        pytest.param(b'{"a": 1}', "text/plain", "JSON", id="json-called-text"),
        pytest.param(b'{"a": 1}', "text/javascript", "JSON", id="json-called-javascript"),
        pytest.param(b'{"a": 1}', "application/octet-stream", "JSON", id="json-called-bytes"),
        pytest.param(b'{"a": 1}\n{"a": 2}', "application/x-ndjson", "JSON", id="lines-of-json"),
        pytest.param(b"a,b\n1,2\n", "text/csv", "text", id="csv"),
        pytest.param(b"\x1f\x8b\x08", "application/gzip", "binary data", id="gzip"),
        pytest.param(b"\xef\xbb\xbfa", "text/plain", "a byte order mark", id="mark"),
    ],
)
def test_other_types_are_named_and_not_guessed(body: bytes, content_type: str, begins_like: str) -> None:
    """The error says what type was sent, how many bytes, and what they begin like."""
    with pytest.raises(PageUnreadable) as caught:
        decode(sent(body, content_type))

    assert content_type == caught.value.facts["content type"]
    assert f"{len(body)} bytes, begins like {begins_like}" == caught.value.facts["body"]


def test_S24_of_members_with_one_name_the_last_counts() -> None:
    """In a response, which nobody here wrote, as in every client in the field; in a config they are refused."""
    assert {"a": 3, "b": {"c": None}} == decode(sent(b'{"a": 1, "b": {"c": 1, "c": null}, "a": 3}'))


def test_the_config_may_declare_json() -> None:
    """A provider that calls its JSON something else is read where the config says so."""
    assert {"a": 1} == decode(sent(b'{"a": 1}', "text/plain"), declared="json")


def test_a_declared_format_is_still_checked() -> None:
    """Declaring JSON does not make a page of HTML readable."""
    with pytest.raises(PageUnreadable, match="HTML or XML"):
        decode(sent(b"<html>", "text/html"), declared="json")


@pytest.mark.parametrize("content_type", [JSON, "text/html", "application/json; charset=latin-1"])
@pytest.mark.parametrize(
    "body", [b'{"token": "hidden-1"', b'{"token": "hidden-1\xff"}', b'{"token": "hidden-1", "n": NaN}']
)
def test_no_error_shows_the_body(body: bytes, content_type: str) -> None:
    """Neither the text nor the data of an error has anything of the body but its size and kind."""
    with pytest.raises(PageUnreadable) as caught:
        decode(sent(body, content_type))

    assert "hidden" not in f"{caught.value!r} {caught.value} {caught.value.facts}"


# Limits.


@pytest.mark.parametrize("opened", [b"[", b'{"a":', b'[{"]":', rb'["\"]",', b" [\n"])
@pytest.mark.parametrize("closed", [True, False])
def test_S25_a_hundred_thousand_brackets_fail_fast(opened: bytes, closed: bool) -> None:
    """S25: hostile nesting is a limit exceeded, at once, with no crash of the interpreter."""
    brackets = [{"[": b"]", "{": b"}"}[c] for c in opened.decode() if c in "[{"][::-1]
    body = opened * 100_000 + (b"0" + b"".join(brackets) * 100_000 if closed else b"")
    before = time.perf_counter()

    with pytest.raises(LimitExceeded, match="nested deeper than 200 levels"):
        decode(sent(body))

    assert time.perf_counter() - before < 2


@pytest.mark.parametrize("element", [b"", b'"]]]]"', rb'"\"]]]]"', b"[[1]],[]"])
@pytest.mark.parametrize("depth", [3, 200])
def test_the_bound_on_depth_is_exact(depth: int, element: bytes) -> None:
    """As deep as the bound is read, one deeper is not, whatever brackets stand in strings."""
    deep = b"[" * (depth - 2) + b"[[]]" + (b"," + element if element else b"") + b"]" * (depth - 2)
    limits = Limits(depth=depth)

    assert json.loads(deep) == decode(sent(deep), limits=limits)
    with pytest.raises(LimitExceeded):
        decode(sent(b'{"a":' + deep + b"}"), limits=limits)


def test_a_wide_body_is_not_a_deep_one() -> None:
    """The bound counts levels, not brackets."""
    body = b"[" + b",".join([b'{"a":[]}'] * 10_000) + b"]"

    assert [{"a": []}] * 10_000 == decode(sent(body))


def test_a_bound_above_the_stack_still_fails_cleanly() -> None:
    """Where the config allows more levels than the interpreter has, the error is the same."""
    depth = sys.getrecursionlimit() * 100
    with pytest.raises(LimitExceeded, match="nested deeper"):
        decode(sent(b"[" * depth), limits=Limits(depth=depth))


def test_S29_the_bound_on_bytes_is_exact() -> None:
    """A body of the bound's size is read, one byte more is not, and an unreadable type does not matter."""
    limits = Limits(body_bytes=4)

    assert [12] == decode(sent(b"[12]"), limits=limits)
    with pytest.raises(LimitExceeded, match="larger than 4 bytes"):
        decode(sent(b"[123]", "text/html"), limits=limits)


def test_an_endless_content_type_is_cut() -> None:
    """A header may be as long as all headers together; a message is not."""
    with pytest.raises(PageUnreadable) as refusal:
        decode(sent(b"x", "application/" + "x" * 60_000))

    assert 1_000 > len(str(refusal.value))


# Properties.

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


@given(json_values, st.booleans(), st.sampled_from([None, 1]))
def test_any_value_comes_back(value: JsonValue, ascii_alone: bool, indent: int | None) -> None:
    """Whatever JSON can say is read as it was meant, however it was written."""
    body = json.dumps(value, ensure_ascii=ascii_alone, indent=indent).encode()

    assert value == decode(sent(body))


@given(st.binary(max_size=60), st.sampled_from([None, JSON, "text/html", "application/json; charset=x"]))
def test_any_bytes_give_a_value_or_a_typed_error(body: bytes, content_type: str | None) -> None:
    """No bytes crash the decoder, and what it returns can be written as UTF-8 JSON again."""
    try:
        value = decode(sent(body, content_type))
    except PageUnreadable:
        return

    assert value is ABSENT or json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
