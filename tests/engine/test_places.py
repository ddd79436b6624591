"""Places: reading a path, looking there, writing there."""

from __future__ import annotations

import copy
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connproof.places import ABSENT, Absent, JsonValue, Place, PlaceWrong, put

DOCUMENT: JsonValue = {
    "paging": {"next": {"after": "c-2"}, "prev": None, "first": "", "flag": False, "count": 0},
    "@odata.nextLink": "https://a/2",
    "a.b": {"c]": 1, 'd"': 2, "e'": 3, "f\\": 4, "": 5, "g/": 6},
    "results": [{"id": 1}, {"id": None}, {}, {"id": 4}],
    "orders": [{"lines": [{"id": 1}, {"id": 2}]}, {"lines": []}, {"lines": None}, {}, {"lines": [{"id": 3}]}],
    "matrix": [[1, 2], [], [3]],
    "0": "a name",
    "na\xefve": "\u2713",
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("paging.next.after", "c-2"),
        ("$.paging.next.after", "c-2"),
        ('$["paging"].next["after"]', "c-2"),
        ("['paging']['next']['after']", "c-2"),
        ('["@odata.nextLink"]', "https://a/2"),
        ('["a.b"]["c]"]', 1),
        (r'["a.b"]["d\""]', 2),
        ("""["a.b"]['d"']""", 2),
        (r"""["a.b"]['e\'']""", 3),
        (r'["a.b"]["f\\"]', 4),
        ('["a.b"][""]', 5),
        (r'["a.b"]["g\/"]', 6),
        ('["0"]', "a name"),
        ("na\xefve", "\u2713"),
        ("results[0].id", 1),
        ("results[-1].id", 4),
        ("results[3].id", 4),
        ("results[-4].id", 1),
        ("results[*].id", [1, None, 4]),
        ("results[*]", [{"id": 1}, {"id": None}, {}, {"id": 4}]),
        ("orders[*].lines[*].id", [1, 2, 3]),
        ("orders[*].lines[0].id", [1, 3]),
        ("orders[*].lines", [[{"id": 1}, {"id": 2}], [], None, [{"id": 3}]]),
        ("matrix[*]", [[1, 2], [], [3]]),
        ("matrix[*][*]", [1, 2, 3]),
        ("matrix[*][0]", [1, 3]),
        ("orders[1].lines[*].id", []),
        ("$", DOCUMENT),
    ],
)
def test_what_stands_at_a_place(path: str, expected: JsonValue) -> None:
    """Names, quoted names, indexes from both ends, every element, the root."""
    assert expected == Place.parse(path).find(DOCUMENT)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("paging.prev", None),
        ("paging.first", ""),
        ("paging.flag", False),
        ("paging.count", 0),
        ("paging.last", ABSENT),
        ("paging.prev.after", ABSENT),
        ("paging.first.after", ABSENT),
        ("paging[0]", ABSENT),
        ("paging[*]", ABSENT),
        ("results.id", ABSENT),
        ('results["0"]', ABSENT),
        ("results[4]", ABSENT),
        ("results[-5]", ABSENT),
        ("paging.next.after[0]", ABSENT),
        ("orders[2].lines[*].id", ABSENT),
        ("missing[*].id", ABSENT),
        ("results[*].other", []),
    ],
)
def test_absent_is_not_null_and_not_empty(path: str, expected: JsonValue | Absent) -> None:
    """Absent, null, "", false, zero and an empty list are six different answers."""
    found = Place.parse(path).find(DOCUMENT)

    assert (type(expected), expected) == (type(found), found)


@pytest.mark.parametrize("document", [None, True, 1, 1.5, "paging", [], {}])
def test_any_document_can_be_looked_into(document: JsonValue) -> None:
    """A body that is no object has nothing at a name, and itself at the root."""
    assert ABSENT is Place.parse("paging.next").find(document)
    assert document == Place.parse("$").find(document)


def test_absent_is_false_and_says_its_name() -> None:
    """ABSENT reads well in a failed test and in a condition."""
    assert "ABSENT" == repr(ABSENT)
    assert not ABSENT


@pytest.mark.parametrize(
    ("path", "column", "expected"),
    [
        ("", 1, "a member name"),
        (".", 1, "a member name"),
        (".paging", 1, "a member name"),
        ("$.", 3, "a member name"),
        ("$paging", 2, '"." or "["'),
        ("$$", 2, '"." or "["'),
        ("paging.", 8, "a member name"),
        ("paging..next", 8, "a member name"),
        ("$..next", 3, "a member name"),
        ("paging. next", 8, "a member name"),
        ("paging next", 7, '"." or "["'),
        ("next-page", 5, '"." or "["'),
        ("@odata.nextLink", 1, "a member name"),
        ("a.0", 3, "a member name"),
        ("0", 1, "a member name"),
        ("a.*", 3, "a member name"),
        ("a[", 3, "a number"),
        ("a[]", 3, "a number"),
        ("a[01]", 3, "a number"),
        ("a[-0]", 3, "a number"),
        ("a[+1]", 3, "a number"),
        ("a[1", 3, "a number"),
        ("a[ 1 ]", 3, "a number"),
        ("a[1:2]", 3, "a number"),
        ("a[0,1]", 3, "a number"),
        ("a[1234567890]", 3, "a number"),
        ("a[\u0661]", 3, "a number"),
        ("a[?@.b]", 3, "a number"),
        ("a[b]", 3, "a number"),
        ('a["b]', 3, "a number"),
        ("a[\"b']", 3, "a number"),
        (r'a["\n"]', 3, "a number"),
        (r'a["\u0041"]', 3, "a number"),
        (r"""a["\'"]""", 3, "a number"),
        ('a["\n"]', 3, "a number"),
        ('a["\ud800"]', 3, "a number"),
        ("a\ud800", 2, '"." or "["'),
        ("a].b", 2, '"." or "["'),
        ("a[0]b", 5, '"." or "["'),
        ("a.[0]", 3, "a member name"),
        ("a\n", 2, '"." or "["'),
    ],
)
def test_what_names_no_place(path: str, column: int, expected: str) -> None:
    """What is not in the subset is refused where reading stopped, and the error says what was expected."""
    with pytest.raises(PlaceWrong) as caught:
        Place.parse(path)

    assert (path, column) == (caught.value.text, caught.value.column)
    assert caught.value.expected.startswith(expected)
    assert f"at character {column} of" in str(caught.value)


def test_a_name_that_must_be_quoted_is_told_how() -> None:
    """The commonest mistake, a name with other characters, gets its remedy."""
    with pytest.raises(PlaceWrong, match=r"quote other characters: \[\"@odata.nextLink\"\]"):
        Place.parse("next-page")


@pytest.mark.parametrize(
    ("path", "is_many", "last_name"),
    [
        ("$", False, None),
        ("a", False, "a"),
        ("a.b", False, "b"),
        ("a[0]", False, None),
        ("a[*]", True, None),
        ("a[*].id", True, "id"),
        ('a["*"]', False, "*"),
    ],
)
def test_what_a_place_says_of_itself(path: str, is_many: bool, last_name: str | None) -> None:
    """Whether it finds a list, what its last name is, and its text as the config has it."""
    place = Place.parse(path)

    assert (is_many, last_name, path) == (place.is_many, place.last_name, str(place))


def test_long_paths_are_read_in_linear_time() -> None:
    """A quoted name without an end does not keep the reader."""
    before = time.perf_counter()

    with pytest.raises(PlaceWrong):
        Place.parse('a["' + r"\\" * 200_000)

    assert time.perf_counter() - before < 1


@pytest.mark.parametrize(
    ("document", "path", "expected"),
    [
        ({}, "limit", {"limit": 9}),
        ({"a": 1}, "limit", {"a": 1, "limit": 9}),
        ({"limit": 1, "a": 1}, "limit", {"limit": 9, "a": 1}),
        ({}, "page.limit", {"page": {"limit": 9}}),
        ({"page": {"after": "x"}}, "page.limit", {"page": {"after": "x", "limit": 9}}),
        ({"page": None}, "page.limit", {"page": {"limit": 9}}),
        ({"page": {"limit": {"a": 1}}}, "page.limit", {"page": {"limit": 9}}),
        ({}, '["a.b"]["@c"]', {"a.b": {"@c": 9}}),
        (None, "limit", {"limit": 9}),
        ([1], "$", 9),
    ],
)
def test_put_makes_what_is_missing_and_keeps_the_rest(document: JsonValue, path: str, expected: JsonValue) -> None:
    """A value is written at its place; objects on the way are made, what stands beside stays."""
    assert expected == put(document, Place.parse(path), 9)


def test_put_leaves_the_document_as_it_was() -> None:
    """Writing gives a copy: the config's own body is the same for the next page."""
    document: JsonValue = {"page": {"after": "x"}}
    before = copy.deepcopy(document)

    put(document, Place.parse("page.limit"), 9)

    assert before == document


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"a": [{}]}, "a[0]"),
        ({"a": [{}]}, "a[0].b"),
        ({"a": [{}]}, "a[*].b"),
        ({"a": [1]}, "a.b"),
        ({"a": "x"}, "a.b"),
        ({"a": False}, "a.b"),
        ({"a": 0}, "a.b.c"),
        ([1], "a"),
        ("", "a"),
    ],
)
def test_put_never_overwrites_on_its_way(document: JsonValue, path: str) -> None:
    """An index cannot be written to, and a list, text or number on the way is not silently lost."""
    with pytest.raises(ValueError, match="cannot write to"):
        put(document, Place.parse(path), 9)


# Properties.

names = st.text(st.characters(min_codepoint=0x20, exclude_categories=["Cs"]), max_size=6)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


def quoted(name: str, quote: str) -> str:
    return "[" + quote + name.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote + "]"


@given(st.lists(names, min_size=1, max_size=4), st.sampled_from("'\""), json_values)
def test_what_was_put_is_found(path: list[str], quote: str, value: JsonValue) -> None:
    """Any name without control characters can be quoted, written to and found again."""
    place = Place.parse("".join(quoted(name, quote) for name in path))

    assert path[-1] == place.last_name
    assert value == place.find(put({}, place, value))


@given(json_values)
def test_every_value_in_a_document_can_be_named(document: JsonValue) -> None:
    """Each name and index, from either end, finds what Python's own indexing finds."""
    match document:
        case dict():
            assert document == {name: Place.parse(quoted(name, '"')).find(document) for name in document}
        case list():
            count = len(document)
            assert document == [Place.parse(f"[{index}]").find(document) for index in range(count)]
            assert document == [Place.parse(f"[{index - count}]").find(document) for index in range(count)]
            assert document == Place.parse("[*]").find(document)
        case _:
            assert ABSENT is Place.parse("[0]").find(document)


@given(st.text(max_size=12) | st.text("$.[]*\"'\\ab01-", max_size=12), json_values)
def test_any_text_is_a_place_or_refused(text: str, document: JsonValue) -> None:
    """Reading a path never crashes, and looking never raises."""
    try:
        place = Place.parse(text)
    except PlaceWrong:
        return

    found = place.find(document)
    assert found is ABSENT or not place.is_many or isinstance(found, list)


@pytest.mark.parametrize("step", [".a", "[0]", "[*]", '["a"]'])
def test_a_path_without_end_is_none(step: str) -> None:
    """What is deeper than any document leads nowhere, and its text is not shown whole."""
    deepest = Place.parse("a" + step * 199)

    assert 200 == len(deepest.steps)
    with pytest.raises(PlaceWrong, match="at most 200 steps") as wrong:
        Place.parse("a" + step * 20_000)
    assert 400 > len(str(wrong.value))
