"""Documents: what a strict reading refuses, and where everything stands."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connproof.documents import MAX_DEPTH, Source, child, read_json
from connproof.errors import ConfigWrong, Problem
from connproof.places import JsonValue


def problems(data: bytes | str) -> tuple[Problem, ...]:
    """What a reading refuses."""
    with pytest.raises(ConfigWrong) as caught:
        read_json(data if isinstance(data, bytes) else data.encode(), "some.json")
    assert "some.json" == caught.value.document
    return caught.value.problems


def seen(data: bytes | str) -> list[tuple[int, int, str]]:
    """Line, column and message of everything that a reading refuses."""
    return [(problem.line, problem.column, problem.message) for problem in problems(data)]


# What is refused.


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        pytest.param("", 1, 1, "expected a value, found the end of the file", id="empty"),
        pytest.param(" \n\t", 2, 2, "expected a value, found the end of the file", id="blank"),
        pytest.param('{"a": 1}\n{', 2, 1, "text after the end of the document: '{'", id="text-after"),
        pytest.param("1 2", 1, 3, "text after the end of the document: '2'", id="number-after"),
        pytest.param("{'a': 1}", 1, 2, 'expected a member name in quotes or "}", found "\'"', id="single-quotes"),
        pytest.param("{\"a\": 'b'}", 1, 7, 'expected a value, found "\'"', id="single-quoted-value"),
        pytest.param("{a: 1}", 1, 2, "expected a member name in quotes or \"}\", found 'a'", id="bare-name"),
        pytest.param(
            '{\n  "a": 1,\n}', 3, 1, "expected a member name in quotes or \"}\", found '}'", id="comma-object"
        ),
        pytest.param("[1,\n]", 2, 1, "expected a value, found ']'", id="comma-array"),
        pytest.param('{"a": 1 "b": 2}', 1, 9, 'expected "," or "}", found \'"\'', id="no-comma-object"),
        pytest.param("[1 2]", 1, 4, 'expected "," or "]", found \'2\'', id="no-comma-array"),
        pytest.param('{"a" 1}', 1, 6, "expected \":\", found '1'", id="no-colon"),
        pytest.param("{\n// why\n}", 2, 1, "expected a member name in quotes or \"}\", found '/'", id="comment"),
        pytest.param("[1, /* x */ 2]", 1, 5, "expected a value, found '/'", id="block-comment"),
        pytest.param("[True]", 1, 2, "expected a value, found 'T'", id="true-of-another-language"),
        pytest.param("truest", 1, 1, "expected a value, found 't'", id="longer-word"),
        pytest.param("[01]", 1, 3, 'expected "," or "]", found \'1\'', id="leading-zero"),
        pytest.param("[+1]", 1, 2, "expected a value, found '+'", id="plus"),
        pytest.param("[.5]", 1, 2, "expected a value, found '.'", id="no-digit-first"),
        pytest.param("-", 1, 1, "expected a value, found '-'", id="minus-alone"),
        pytest.param("\xa01", 1, 1, "expected a value, found '\\xa0'", id="space-of-another-kind"),
        pytest.param("[NaN]", 1, 2, "NaN is not JSON", id="nan"),
        pytest.param('{"a":\n Infinity}', 2, 2, "Infinity is not JSON", id="infinity"),
        pytest.param("[1, -Infinity]", 1, 5, "-Infinity is not JSON", id="minus-infinity"),
        pytest.param("[1e999]", 1, 2, "a number out of range", id="1e999"),
        pytest.param("[-1e999]", 1, 2, "a number out of range", id="minus-1e999"),
        pytest.param('{"a": ' + "9" * 5000 + "}", 1, 7, "a number out of range", id="5000-digits"),
        pytest.param(
            '["a\nb"]',
            1,
            2,
            "a string that does not end, or holds a control character or an unknown escape",
            id="line-break-in-string",
        ),
        pytest.param(
            '["\x00"]',
            1,
            2,
            "a string that does not end, or holds a control character or an unknown escape",
            id="nul-in-string",
        ),
        pytest.param(
            r'["\x41"]',
            1,
            2,
            "a string that does not end, or holds a control character or an unknown escape",
            id="unknown-escape",
        ),
        pytest.param(r'["\ud800"]', 1, 2, "a lone surrogate escape: half a character", id="high-surrogate"),
        pytest.param(r'["\udc00\ud800"]', 1, 2, "a lone surrogate escape: half a character", id="swapped-surrogates"),
        pytest.param(r'{"\udfff": 1}', 1, 2, "a lone surrogate escape: half a character", id="surrogate-in-name"),
    ],
)
def test_a_fault_is_refused_where_it_stands(text: str, line: int, column: int, message: str) -> None:
    """The first fault of the syntax is named, with its line and column."""
    assert [(line, column, message)] == seen(text)


@pytest.mark.parametrize(
    ("data", "line", "column", "message"),
    [
        pytest.param("\ufeff{}".encode(), 1, 1, "starts with a byte order mark", id="bom"),
        pytest.param("{}".encode("utf-16"), 1, 1, "is UTF-16", id="utf-16-le"),
        pytest.param(b"\xfe\xff" + "{}".encode("utf-16-be"), 1, 1, "is UTF-16", id="utf-16-be"),
        pytest.param('{\n "a": "é"}'.encode("latin-1"), 2, 8, "byte 0xe9 is not UTF-8", id="latin-1"),
        pytest.param('"é'.encode() + b"\xff", 1, 3, "byte 0xff is not UTF-8", id="after-a-longer-character"),
        pytest.param(b'"\xed\xa0\x80"', 1, 2, "byte 0xed is not UTF-8", id="encoded-surrogate"),
        pytest.param(b'"\xc3', 1, 2, "byte 0xc3 is not UTF-8", id="half-a-character"),
    ],
)
def test_bytes_that_are_not_plain_utf8_are_refused(data: bytes, line: int, column: int, message: str) -> None:
    """Another encoding is named; the column counts characters, not bytes."""
    assert [(line, column, message)] == seen(data)


@pytest.mark.parametrize("text", ["{}".encode("utf-16-le"), "{}".encode("utf-16-be"), "[1]".encode("utf-32-le")])
def test_an_encoding_without_a_mark_is_refused(text: bytes) -> None:
    """S25: two-byte characters without a byte order mark are no JSON either."""
    assert 1 == len(seen(text))


def test_every_duplicate_is_told_at_once() -> None:
    """S24: each repeated name has its own line, and the line of the first."""
    text = '{\n "a": 1,\n "b": {\n  "c": 1,\n  "c": 2\n },\n "a": 3,\n "a": 4\n}'

    assert [
        "5:3  /b/c  'c' stands here a second time (first on line 4)",
        "7:2  /a  'a' stands here a second time (first on line 2)",
        "8:2  /a  'a' stands here a second time (first on line 2)",
    ] == [str(problem) for problem in problems(text)]


def test_equal_names_by_another_spelling_are_duplicates() -> None:
    """A name is compared by its characters, not by its escapes."""
    assert [(1, 10, "'a' stands here a second time")] == seen(r'{"a": 1, "\u0061": 2}')


def test_the_same_name_in_two_objects_is_no_duplicate() -> None:
    """Only names of one object are compared."""
    value, _ = read_json(b'[{"a": 1}, {"a": 1}]', "x")

    assert [{"a": 1}, {"a": 1}] == value


def test_duplicates_before_a_syntax_fault_are_told_with_it() -> None:
    """A fault that ends the reading does not hide what was seen before it."""
    assert [
        (1, 10, "'a' stands here a second time"),
        (1, 18, "expected a value, found '}'"),
    ] == seen('{"a": 1, "a": [2,}')


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
def test_too_deep_is_refused(opening: str) -> None:
    """S25: 100,000 brackets are an error with a place, never a crash."""
    (problem,) = problems(opening * 100_000)

    assert f"nested deeper than {MAX_DEPTH} levels" == problem.message
    assert 81 > len(problem.pointer)


def test_the_deepest_document_is_read() -> None:
    """The limit itself is allowed, one more level is not."""
    deepest = "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)

    value, _ = read_json(deepest.encode(), "x")

    assert json.loads(deepest) == value
    assert [(1, MAX_DEPTH + 2, f"nested deeper than {MAX_DEPTH} levels")] == seen(f"[{deepest}]")


def test_many_brackets_side_by_side_are_read() -> None:
    """Depth is counted, not brackets."""
    value, _ = read_json(b"[" + b"[]," * 1000 + b"[]]", "x")

    assert [[]] * 1001 == value


SMALL = '{"a": [1.5e3, true, null], "b\\u00e9": {"é": "x\\n", "": false}}'.encode()


@pytest.mark.parametrize("length", range(len(SMALL)))
def test_a_document_cut_off_anywhere_is_refused(length: int) -> None:
    """However a write broke off, reading says so and does not crash."""
    assert 1 == len(seen(SMALL[:length]))


def test_a_fault_shows_no_secret() -> None:
    """What stands beside a fault may be a credential: one character of it is shown."""
    (problem,) = problems('{"credentials": {"token": k3y-of-an-account}}')

    assert "expected a value, found 'k'" == problem.message


def test_a_fault_beside_a_control_character_is_shown_escaped() -> None:
    """S48: a document cannot colour a terminal through its error."""
    assert "\x1b" not in "".join(map(str, problems("[\x1b[31m]")))


@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:\\u0d8ntrfe-+.1 \n', max_size=40).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Nothing but ConfigWrong is ever raised, and what is read is what json.loads reads."""
    try:
        value, _ = read_json(data, "x")
    except ConfigWrong as wrong:
        unplaced = [problem for problem in wrong.problems if not (problem.line and problem.column)]
    else:
        unplaced = [] if value == json.loads(data) else [Problem("", 0, 0, "another value than json.loads reads")]
    assert [] == unplaced


# What is read.

TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=6)
VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES, st.booleans(), st.sampled_from([None, 0, 2]))
def test_a_valid_document_is_read_as_json_reads_it(value: JsonValue, ascii_only: bool, indent: int | None) -> None:
    """Strictness changes no value: classes, order and escapes are those of json.loads."""
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)

    read, _ = read_json(text.encode(), "x")

    assert json.dumps(json.loads(text)) == json.dumps(read)


def pointers(value: JsonValue, pointer: str = "") -> list[tuple[str, str]]:
    """Every pointer of a value, and how the text at its position must start."""
    below: list[tuple[str, str]] = []
    if isinstance(value, dict):
        for name, inner in value.items():
            at = child(pointer, name)
            below += [(at, json.dumps(name)), *pointers(inner, at)[1:]]
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            below += pointers(inner, child(pointer, index))
    opening = json.dumps(value)[: 1 if isinstance(value, dict | list) else None]
    return [(pointer, opening), *below]


@given(VALUES)
def test_every_position_points_at_its_text(value: JsonValue) -> None:
    """A member stands where its name does, an element and the root where the value does."""
    text = json.dumps(value, indent=2)
    _, source = read_json(text.encode(), "x")
    lines = text.split("\n")

    for pointer, expected in pointers(value):
        line, column = source.position(pointer)
        assert lines[line - 1][column - 1 :].startswith(expected), pointer


@given(VALUES)
def test_the_slow_reading_gives_the_same_value(value: JsonValue) -> None:
    """The reading that notes positions and the fast one agree."""
    text = json.dumps(value)
    slow = f"[{text}, {'[' * 150}{']' * 150}, {'[' * 150}{']' * 150}]"  # too many brackets for the fast one

    read, _ = read_json(slow.encode(), "x")

    assert isinstance(read, list)
    assert text == json.dumps(read[0])


@pytest.mark.parametrize(
    ("name", "pointer"),
    [("a", "/a"), ("", "/"), ("a/b", "/a~1b"), ("m~n", "/m~0n"), ("~1", "/~01"), (0, "/0"), (" ", "/ ")],
)
def test_a_pointer_is_escaped(name: str | int, pointer: str) -> None:
    """RFC 6901: ~ is ~0, / is ~1, and the empty name is a name."""
    assert pointer == child("", name)


@pytest.mark.parametrize(
    ("pointer", "position"),
    [
        ("", (1, 1)),
        ("/", (2, 3)),
        ("/a~1b", (3, 3)),
        ("/a~1b/m~0n", (3, 11)),
        ("/list", (4, 3)),
        ("/list/0", (4, 12)),
        ("/list/1", (5, 3)),
    ],
)
def test_a_position_is_found_by_its_pointer(pointer: str, position: tuple[int, int]) -> None:
    """Names with / and ~ and the empty name are found like any other."""
    _, source = read_json(b'{\n  "": 0,\n  "a/b": {"m~n": 1},\n  "list": [1,\n  2]\n}', "x")

    assert position == source.position(pointer)
    assert position[0] == source.line(pointer)


def test_a_pointer_that_leads_nowhere_has_the_position_above() -> None:
    """A missing member is told where it should stand."""
    _, source = read_json(b'{\n "a": {"b": 1}\n}', "x")

    assert (2, 2) == source.position("/a/c/d")
    assert (2, 8) == source.position("/a/b/c")
    assert (1, 1) == source.position("/x")


def test_lines_are_counted_as_editors_do() -> None:
    """A carriage return before a line feed changes nothing."""
    _, source = read_json(b'{\r\n "a": 1,\r\n "b": 2}', "x")

    assert (3, 2) == source.position("/b")


def test_a_source_without_text_knows_no_position() -> None:
    """A value that was never a document has no lines."""
    source = Source("nowhere")

    assert (0, 0) == source.position("/a")
    assert Problem("/a", 0, 0, "is wrong", "mend it") == source.problem("/a", "is wrong", "mend it")


def test_printing_a_source_shows_its_name_alone() -> None:
    """A document may hold credentials."""
    _, source = read_json(b'{"token": "s3cret"}', "account.json")

    assert "Source('account.json')" == repr(source)


def test_positions_cost_one_pass() -> None:
    """The columns of a document of one long line are right at its end."""
    text = "[" + ",".join(["1"] * 20_000) + "]"
    _, source = read_json(text.encode(), "x")

    assert (1, len(text) - 1) == source.position("/19999")
