"""Nothing equal is reported, nothing different is dropped, and each difference has its class and its path."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from connproof.places import ABSENT, PlaceWrong
from pytest_connproof.parity import Comparison, Difference, compare, shown_key

BIG = 2**53 + 1


def told(comparison: Comparison) -> list[tuple[str, str]]:
    return [(difference.path, difference.kind) for difference in comparison.differences]


def field(old: Any, new: Any) -> list[tuple[str, str]]:
    """The differences of two records with one field each, which is left out where the value is ABSENT."""
    records: list[list[Any]] = [[{"id": 7} | ({} if value is ABSENT else {"f": value})] for value in (old, new)]
    return told(compare(*records, key="id"))


SCALARS = [
    (1, 1.0, "type"),
    (1, "1", "type"),
    (1, True, "type"),
    (0, False, "type"),
    (1.0, "1", "type"),
    (1.5, "1.50", "type"),
    (20, "2e1", "type"),
    (True, "true", "type"),
    (False, "False", "type"),
    (0, -0.0, "type"),
    (1767323045, "2026-01-02T03:04:05Z", "type"),
    ("2026-01-02T03:04:05Z", 1767323045000, "type"),
    (0.0, -0.0, "value"),
    (1, 2, "value"),
    (1, 1.5, "value"),
    (0.1 + 0.2, 0.3, "value"),
    (True, False, "value"),
    ("a", "A", "value"),
    ("é", "e\u0301", "value"),
    ("", None, "value"),
    (None, 0, "value"),
    (None, False, "value"),
    (None, [], "value"),
    ({}, None, "value"),
    (None, ABSENT, "null-vs-absent"),
    (ABSENT, None, "null-vs-absent"),
    ("", ABSENT, "missing"),
    ([], ABSENT, "missing"),
    ({}, ABSENT, "missing"),
    (ABSENT, [], "extra"),
    (ABSENT, False, "extra"),
    (BIG, BIG - 1, "precision"),
    (BIG, float(BIG), "precision"),
    (float(BIG), BIG, "precision"),
    (-BIG, 1 - BIG, "precision"),
    pytest.param(10**400, 10**400 + 1, "precision", id="beyond every float"),
    pytest.param(1, 10**400, "value", id="one beyond every float"),
    (2**53, float(2**53), "type"),
    (2**60, float(2**60), "type"),
    (2**53, 2**53 - 1, "value"),
    (BIG, BIG + 2, "value"),
    ([5], 5, "shape"),
    (5, [5], "shape"),
    ([{"a": 1}], {"a": 1}, "shape"),
    ({"id": 5}, 5, "shape"),
    (["a", "b"], ["b", "a"], "order"),
    ([1, 2, 2], [2, 1, 2], "order"),
]


@pytest.mark.parametrize(("old", "new", "kind"), SCALARS)
def test_a_field_differs_in_one_way(old: Any, new: Any, kind: str) -> None:
    """Each pair of values has its class, at the field's path."""
    assert [("/f", kind)] == field(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05+00:00"),
        ("2026-01-02T03:04:05Z", "2026-01-02T05:04:05.000+0200"),
        ("2026-01-02T03:04:05Z", "2026-01-01T22:04:05-05"),
        ("2026-01-02T03:04:05Z", "2026-01-02 03:04:05Z"),
        ("2026-01-02T03:04:05Z", "2026-01-02t03:04:05z"),
        ("2026-01-02T03:04:05Z", "20260102T030405Z"),
        ("2026-01-02T03:04:05Z", "1767323045"),
        ("2026-01-02T03:04:05Z", "1767323045000"),
        ("2026-01-02T03:04:05Z", "1767323045.0"),
        ("2026-01-02T03:04:05Z", "/Date(1767323045000+0200)/"),
        ("1767323045.25", "2026-01-02T03:04:05.250Z"),
        ("2026-01-02T03:04Z", "2026-01-02T03:04:00Z"),
        ("2026-01-02T03:04:05.1Z", "2026-01-02T03:04:05.100000000Z"),
        ("2026-01-02T03:04:05", "2026-01-02 03:04:05.0"),
        ("2026-01-02", "20260102"),
    ],
)
def test_the_same_moment_in_another_notation_is_time(old: str, new: str) -> None:
    """Offsets, precision, separators and epochs do not change the moment."""
    assert [("/f", "time")] == field(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:06Z"),
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05+01:00"),
        ("2026-01-02T03:04:05.1234567Z", "2026-01-02T03:04:05.123456Z"),
        ("2026-01-02T03:04:05", "2026-01-02T03:04:05Z"),
        ("2026-01-02", "2026-01-02T00:00:00Z"),
        ("2026-01-02", "2026-01-02T00:00:00"),
        ("1767323045", "1767323045000"),
        ("1767323045", "1767323045.0"),
        ("20260102", "20260103"),
        ("2026-02-30", "20260230"),
        ("2026-01-02T03:04:60Z", "2026-01-02T03:05:00Z"),
        ("2026-01-02T03:04:05+24:00", "2026-01-01T03:04:05Z"),
        ("2026-01-02T03:0405Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z "),
        pytest.param("2026-01-02T03:04:05Z", f"2026-01-02T03:04:05.{'0' * 5000}Z", id="a fraction without end"),
    ],
)
def test_another_moment_is_another_value(old: str, new: str) -> None:
    """Also where one is local, a day, a bare number, or no moment at all: which instant it is, nobody knows."""
    assert [("/f", "value")] == field(old, new)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (1, "2", [("/f", "type"), ("/f", "value")]),
        (True, "yes", [("/f", "type"), ("/f", "value")]),
        (True, 2, [("/f", "type"), ("/f", "value")]),
        (BIG, str(BIG - 1), [("/f", "type"), ("/f", "value")]),
        (1767323045, "2026-01-02T03:04:06Z", [("/f", "type"), ("/f", "value")]),
        ([5], "5", [("/f", "shape"), ("/f/0", "type")]),
        ([1, 2], 1, [("/f", "shape"), ("/f/1", "missing")]),
        ([], 1, [("/f", "shape"), ("/f/0", "extra")]),
        ({"id": 5}, 6, [("/f", "shape"), ("/f", "value")]),
    ],
)
def test_a_change_of_class_never_hides_a_change_of_value(old: Any, new: Any, expected: list[tuple[str, str]]) -> None:
    """Each is a difference of its own, so that one can be waived without the other."""
    assert expected == field(old, new)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([1, 2, 3], [2, 3], [("/f/0", "missing")]),
        ([1, 3], [1, 2, 3], [("/f/1", "extra")]),
        ([1, None], [1], [("/f/1", "missing")]),
        ([1, 2, 3], [1, 9, 3], [("/f/1", "value")]),
        ([1, 2], [1.0, 2], [("/f/0", "type")]),
        ([{"a": [1, True]}], [{"a": [1, 1]}], [("/f/0/a/1", "type")]),
        ([1, True], [True, 1], [("/f", "order")]),
        ({"a/b": {"~": 1}}, {"a/b": {"~": 2}}, [("/f/a~1b/~0", "value")]),
        ({"0": 1}, {"0": 2}, [("/f/0", "value")]),
        ({"a": 1}, {"b": 1}, [("/f/a", "missing"), ("/f/b", "extra")]),
    ],
)
def test_the_path_leads_to_what_differs(old: Any, new: Any, expected: list[tuple[str, str]]) -> None:
    """Into nested objects and lists; an element that is gone does not make its followers differ."""
    assert expected == field(old, new)


def test_only_an_index_is_generalised() -> None:
    """A member whose name is a number keeps it in the pattern."""
    [difference] = compare([{"f": [{"0": 1}]}], [{"f": [{"0": 2}]}], key=None).differences

    assert ("/f/0/0", "/f/*/0") == (difference.path, difference.pattern)


@pytest.mark.parametrize(
    "flat", [{"address_city": "Ulm"}, {"addressCity": "Ulm"}, {"address.city": "Ulm"}, {"city": "Ulm"}]
)
def test_a_flattened_object_is_a_shape(flat: dict[str, Any]) -> None:
    """In both directions; the leaves are compared with the members that they became."""
    nested: Any = {"address": {"city": "Ulm"}}

    assert [("/address", "shape")] == told(compare([nested], [flat], key=None))
    assert [("/address", "shape")] == told(compare([flat], [nested], key=None))


def test_a_flattened_object_hides_no_other_difference() -> None:
    """A changed, a retyped and an absent leaf are differences of their own."""
    old: Any = {"owner": {"id": 1, "name": "A", "town": None, "tags": ["x"]}}
    new: Any = {"owner_id": "1", "owner_name": "B", "owner_tags": ["x"], "more": 1}

    expected = [
        ("/owner", "shape"),
        ("/owner/id", "type"),
        ("/owner/name", "value"),
        ("/owner/town", "null-vs-absent"),
        ("/more", "extra"),
    ]
    assert expected == told(compare([old], [new], key=None))


def test_members_that_only_sound_alike_are_not_a_flattened_object() -> None:
    """Where no leaf kept its value, one is missing and the other extra."""
    old: list[Any] = [{"owner": {"name": "A"}}]

    assert [("/owner", "missing"), ("/name", "extra")] == told(compare(old, [{"name": "B"}], key=None))


def test_two_leaves_do_not_become_one_member() -> None:
    """One flat member is the counterpart of one leaf only."""
    old: list[Any] = [{"a": {"b": 1, "B": 1}}]

    assert [("/a", "missing"), ("/a_b", "extra")] == told(compare(old, [{"a_b": 1}], key=None))


RECORDS: list[Any] = [{"id": n, "f": f"v{n}"} for n in range(4)]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (RECORDS, RECORDS[:3], [("", "missing", "id=3")]),
        (RECORDS[1:], RECORDS, [("", "extra", "id=0")]),
        (RECORDS, [*RECORDS, RECORDS[1]], [("", "duplicate", "id=1")]),
        ([*RECORDS, RECORDS[1]], RECORDS, [("", "duplicate", "id=1")]),
        ([], [RECORDS[1], RECORDS[1]], [("", "extra", "id=1"), ("", "duplicate", "id=1")]),
        (RECORDS, RECORDS[::-1], [("", "order", "[0]")]),
        (RECORDS, [RECORDS[0], RECORDS[2], RECORDS[1], RECORDS[3]], [("", "order", "[1]")]),
        (RECORDS, [RECORDS[3], RECORDS[1]], [("", "order", "[1]"), ("", "missing", "id=0"), ("", "missing", "id=2")]),
        ([{"id": 1}], [{"id": "1"}], [("/id", "type", "id=1")]),
        ([{"id": 1.0}], [{"id": 1}], [("/id", "type", "id=1.0")]),
        ([{"id": True}], [{"id": 1}], [("", "missing", "id=true"), ("", "extra", "id=1")]),
        ([{"id": 1}], [{}], [("/id", "missing", "id=1")]),
        ([{}], [{"id": 1}], [("/id", "extra", "id=1")]),
        ([{"id": 1}], [{"id": None}], [("/id", "value", "id=1")]),
        ([{"id": None}], [{}], [("/id", "null-vs-absent", "[0]")]),
        ([{"id": [1]}], [{"id": [2]}], [("/id/0", "value", "[0]")]),
        ([{"a": 1}, {"id": 1}], [{"id": 1}, {"a": 2}], [("/a", "value", "[1]"), ("", "order", "[0]")]),
        ([{"a": 1}], [], [("", "missing", "[0]")]),
        ([{}, {"id": 1}, {}], [{}, {}], [("/id", "missing", "id=1"), ("", "missing", "[2]")]),
        (["x"], ["y"], [("", "value", "[0]")]),
    ],
)
def test_records_pair_by_key(old: list[Any], new: list[Any], expected: list[tuple[str, str, str]]) -> None:
    """Whatever their order and the key's class; by position where the key names none."""
    found = compare(old, new, key="id").differences

    assert expected == [(difference.path, difference.kind, difference.key) for difference in found]


def test_a_duplicate_says_how_often() -> None:
    """`old` and `new` are the counts on each side."""
    [difference] = compare(RECORDS, [*RECORDS, RECORDS[0], RECORDS[0]], key="id").differences

    assert Difference("", "", "duplicate", "id=0", 1, 3) == difference


def test_a_differing_copy_of_a_record_is_compared_with_its_like() -> None:
    """The first with a key belongs to the first, the second to the second."""
    old: list[Any] = [{"id": 1, "f": "a"}, {"id": 1, "f": "b"}, {"id": 2}]
    new: list[Any] = [{"id": 2}, {"id": 1, "f": "a"}, {"id": 1, "f": "c"}]

    assert [("/f", "value"), ("", "order")] == told(compare(old, new, key="id"))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([1, 2, 3], [1, 3], [("missing", "[1]")]),
        ([1, 3], [1, 2, 3], [("extra", "[1]")]),
        ([1, 2], [1, 2, 2], [("duplicate", "[2]")]),
        ([1, 1, 2], [1, 2], [("duplicate", "[1]")]),
        ([1, 2, 3], [3, 2, 1], [("order", "[0]")]),
        ([1, 2, 3], [1, 9, 3], [("value", "[1]")]),
        ([1], [True], [("type", "[0]")]),
    ],
)
def test_without_a_key_position_pairs(old: list[Any], new: list[Any], expected: list[tuple[str, str]]) -> None:
    """After what is equal at both ends, so that one record more or less is one difference."""
    found = compare([{"f": f} for f in old], [{"f": f} for f in new], key=None).differences

    assert expected == [(difference.kind, difference.key) for difference in found]


def test_a_key_may_be_nested() -> None:
    """The key is a path, and its last name stands in the record's name."""
    assert 'hs_id="a"' == shown_key({"properties": {"hs_id": "a"}}, "properties.hs_id", 0)
    assert [("/f", "value")] == told(compare([{"p": {"k": 1}, "f": 1}], [{"p": {"k": 1}, "f": 2}], key="p.k"))


def test_a_key_that_is_no_path_is_refused() -> None:
    """PlaceWrong says where reading stopped."""
    with pytest.raises(PlaceWrong, match="a member name"):
        compare([], [], key="a..b")


@pytest.mark.parametrize("value", [(1, 2), {1}, b"x"])
def test_a_value_that_is_not_json_is_refused(value: Any) -> None:
    """Even where both sides have it: two classes that JSON does not have cannot be told apart."""
    with pytest.raises(TypeError, match="is no JSON value"):
        compare([{"f": value}], [{"f": value}], key=None)


def test_subclasses_of_json_classes_are_seen_through() -> None:
    """A list or an object of a library's own class is equal to a plain one, and differs by what is in it."""

    class Rows(list[Any]):
        pass

    class Row(dict[str, Any]):
        pass

    assert [] == told(compare([{"f": Rows([1, Row(a=1)])}], [{"f": [1, {"a": 1}]}], key=None))
    assert [] == told(compare([{"f": [Row(a=1), Row(a=2)]}], [{"f": [{"a": 1}, {"a": 2}]}], key=None))
    assert [("/f/1/a", "type")] == told(
        compare([{"f": Rows([1, Row(a=1)])}], [{"f": Rows([1, Row(a=True)])}], key=None)
    )


def test_the_evidence_counts_leaf_values_with_a_counterpart() -> None:
    """An empty list is one value; what only one side has was not compared."""
    old: list[Any] = [{"id": 1, "tags": ["a", "b"], "none": [], "gone": 1, "o": {"x": 1, "y": None}}, {"id": 2, "f": 1}]
    new: list[Any] = [{"id": 1, "tags": ["a", "c"], "none": [], "o": {"x": 1, "y": None}}, {"id": 3, "f": 1}]

    compared = compare(old, new, key="id")

    assert (2, 2, 6) == (compared.records_old, compared.records_new, compared.fields_compared)


# Properties.


names = st.text(st.sampled_from("ab01/~*._é"), min_size=1, max_size=3)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(2**53 - 2, 2**53 + 3),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, -0.0, 1.0]),
    st.text(max_size=3),
    st.sampled_from(["1", "true", "", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05+00:00", "1767323045"]),
)
values = st.recursive(scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(names, v, max_size=3), max_leaves=8)
keyed = st.lists(st.dictionaries(names, values, max_size=4), max_size=5).map(
    lambda records: [{"id": n, **record} for n, record in enumerate(records)]
)
keys = st.sampled_from(["id", None])
anything = st.lists(values, max_size=5)


@given(anything, keys)
def test_equal_records_have_no_difference(records: list[Any], key: str | None) -> None:
    """A copy is equal to its original, and so is one whose members stand in another order."""
    turned = json.loads(json.dumps(records), object_pairs_hook=lambda pairs: dict(reversed(pairs)))

    assert () == compare(records, copy.deepcopy(records), key=key).differences
    assert () == compare(records, turned, key=key).differences


@given(anything, anything, keys)
def test_no_difference_means_equal(old: list[Any], new: list[Any], key: str | None) -> None:
    """Reported is exactly what would be written as other JSON; and both directions see it."""
    same = json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True)

    assert same is (() == compare(old, new, key=key).differences)
    assert same is (() == compare(new, old, key=key).differences)


def leaves(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The steps to every member and element, those of containers too."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for step, v in inner for path in ((*above, step), *leaves(v, (*above, step)))]


def pointer(steps: tuple[Any, ...]) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def another(value: Any) -> Any:
    """Another value of the same class; for null, which has only one, a text."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case list():
            return [*value, "more"]
        case dict():
            return {**value, "more": 1}
        case _:
            return f"{value or ''}?"


MUTATIONS: dict[str, tuple[Any, set[str]]] = {
    "null a value": (lambda _: None, {"value"}),
    "put another value of its class": (another, {"value", "precision", "extra"}),
    "make it a text": (lambda v: v if isinstance(v, str) else json.dumps(v), {"type", "shape", "value"}),
    "make it a list of itself": (lambda v: [v], {"shape", "extra", "value", "missing", "order"}),
    "make an integer a float": (lambda v: float(v) if type(v) is int else v, {"type", "precision"}),
    "make a boolean a number": (lambda v: int(v) if isinstance(v, bool) else v, {"type"}),
    "round an integer": (lambda v: int(float(v)) if type(v) is int else v, {"precision"}),
}


@given(keyed, keys, st.sampled_from(sorted(MUTATIONS)), st.data())
def test_a_changed_value_is_found(records: list[Any], key: str | None, name: str, data: st.DataObject) -> None:
    """Any single change of a value is a difference of its class, at its path or just below."""
    assume(records)
    at = data.draw(st.integers(0, len(records) - 1))
    below = [path for path in leaves(records[at]) if path != ("id",)]
    assume(below)
    steps = data.draw(st.sampled_from(below))
    new = copy.deepcopy(records)
    *above, last = steps
    holder = new[at]
    for step in above:
        holder = holder[step]
    change, kinds = MUTATIONS[name]
    was = holder[last]
    holder[last] = change(was)
    assume(json.dumps(was) != json.dumps(holder[last]))

    found = compare(records, new, key=key).differences

    assert found
    shown = shown_key(records[at], key, at)
    assert any(
        d.kind in kinds and d.key == shown and (d.path == pointer(steps) or d.path.startswith(f"{pointer(steps)}/"))
        for d in found
    )


@given(keyed, keys, st.data())
def test_a_dropped_member_is_found(records: list[Any], key: str | None, data: st.DataObject) -> None:
    """It is missing, or null against absent, and nothing else differs."""
    assume(records)
    at = data.draw(st.integers(0, len(records) - 1))
    name = data.draw(st.sampled_from(sorted(records[at])))
    new = copy.deepcopy(records)
    was = new[at].pop(name)

    [difference] = compare(records, new, key=key).differences

    kind = "missing" if was is not None else "null-vs-absent"
    assert (pointer((name,)), kind, was, ABSENT) == (difference.path, difference.kind, difference.old, difference.new)


@given(keyed, keys, st.data())
def test_a_dropped_a_repeated_and_a_moved_record_are_found(
    records: list[Any], key: str | None, data: st.DataObject
) -> None:
    """Each is exactly one difference."""
    assume(len(records) > 1)
    at = data.draw(st.integers(0, len(records) - 1))
    to = data.draw(st.integers(0, len(records) - 1).filter(lambda to: to != at))
    swapped = [*records]
    swapped[at], swapped[to] = swapped[to], swapped[at]

    name = shown_key(records[at], key, at)
    assert [Difference("", "", "missing", name, records[at], ABSENT)] == [
        *compare(records, records[:at] + records[at + 1 :], key=key).differences
    ]
    [repeated] = compare(records, [*records, records[at]], key=key).differences
    assert ("duplicate", 1, 2) == (repeated.kind, repeated.old, repeated.new)
    [moved] = compare(records, swapped, key=key).differences
    assert ("order", f"[{min(at, to)}]") == (moved.kind, moved.key)
