"""A difference is told with its field, its class, two examples, where it comes from, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from connproof.places import ABSENT
from pytest_connproof.parity import Group, MappedBy, compare, groups, render

RERUN = 'pytest "connectors/deals/connector.json::deals.list::PAR-001"'
AMOUNT = MappedBy("connectors/deals/connector.json", 88, "amount", "properties.amount", "platform base")


def grouped(old: Any, new: Any, *, name: str = "amount", key: str | None = "id") -> tuple[Group, ...]:
    """The groups of two records with one field each."""
    records: list[list[Any]] = [[{"id": 1} | ({} if value is ABSENT else {name: value})] for value in (old, new)]
    return groups(compare(*records, key=key))


def lines(shown: Sequence[Group], mapped: MappedBy | None = AMOUNT) -> list[str]:
    return render(shown, mapped_by=lambda _: mapped, evidence=lambda _: None, rerun=RERUN).split("\n")


def test_the_block_of_a_field() -> None:
    """Exactly the text that the design shows."""
    amounts: list[Any] = [1.5, *[20] * 36]
    old: list[Any] = [{"id": 101 + n, "properties": {"amount": amount}} for n, amount in enumerate(amounts)]
    new: list[Any] = [{"id": 101 + n, "properties": {"amount": str(amount)}} for n, amount in enumerate(amounts)]
    asked = {"id=101": "recordings/deals.json  exchange deals.list/2  results[0].properties.amount"}

    text = render(
        groups(compare(old, new, key="id")),
        mapped_by={"/properties/amount": AMOUNT}.get,
        evidence=asked.get,
        rerun=RERUN,
    )

    expected = """\
  /properties/amount    type: number -> string    37 of 37 records
      id=101   old 1.5        config "1.5"
      id=102   old 20         config "20"          (+35 more)
  mapped by  connectors/deals/connector.json:88   "amount": "properties.amount"        (platform base)
  evidence   recordings/deals.json  exchange deals.list/2  results[0].properties.amount
  fix        "$number(properties.amount)", or waive with a reason in deviations.json
  rerun      pytest "connectors/deals/connector.json::deals.list::PAR-001\""""
    assert expected == text


def test_nothing_to_tell_is_no_text() -> None:
    """Not even the rerun line."""
    assert "" == render((), mapped_by=lambda _: None, evidence=lambda _: None, rerun=RERUN)


def test_groups_come_in_order_of_importance() -> None:
    """Records before fields, lost data before changed notation, more before fewer."""
    old: list[Any] = [{"id": n, "t": "2026-01-02T03:04:05Z", "a": 1, "b": 1} for n in range(3)]
    new: list[Any] = [{"id": n, "t": "2026-01-02T03:04:05+00:00", "b": 2} for n in range(2)]
    new[1]["a"] = "1"

    expected = [
        ("", "missing", 1, 3),
        ("/a", "missing", 1, 3),
        ("/b", "value", 2, 3),
        ("/a", "type", 1, 3),
        ("/t", "time", 2, 3),
    ]
    assert expected == [(g.pattern, g.kind, g.records, g.of) for g in groups(compare(old, new, key="id"))]


def test_a_group_gathers_every_index_and_counts_records_once() -> None:
    """Three elements in two records are one group of three differences in two records."""
    old: list[Any] = [{"id": 1, "l": [{"x": 1}, {"x": 2}]}, {"id": 2, "l": [{"x": 3}]}]
    new: list[Any] = [{"id": 1, "l": [{"x": "1"}, {"x": "2"}]}, {"id": 2, "l": [{"x": "3"}]}]

    [group] = groups(compare(old, new, key="id"))

    assert ("/l/*/x", 3, 2, ["/l/0/x", "/l/0/x"]) == (
        group.pattern,
        group.count,
        group.records,
        [example.path for example in group.examples],
    )


def test_only_the_given_differences_are_grouped() -> None:
    """So that what is waived is not told again; the counts of records stay those of the comparison."""
    compared = compare([{"id": 1, "a": 1, "b": 1}], [{"id": 1, "a": 2, "b": 2}], key="id")

    assert ["/b"] == [group.pattern for group in groups(compared, compared.differences[1:])]


def test_what_is_left_out_is_counted() -> None:
    """A config that is wrong everywhere does not fill the screen."""
    old: list[Any] = [{f"f{n:02}": 1 for n in range(30)}]
    new: list[Any] = [{f"f{n:02}": 2 for n in range(30)}]

    text = render(groups(compare(old, new, key=None)), mapped_by=lambda _: None, evidence=lambda _: None, rerun=RERUN)

    assert "  (+10 more kinds of difference)\n  rerun" in text
    assert ("/f19" in text, "/f20" in text) == (True, False)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (1, 1.0, "type: integer -> float"),
        (1, True, "type: number -> boolean"),
        ("a", None, "value: string -> null"),
        ("a", "b", "value"),
        (None, ABSENT, "null-vs-absent: null -> absent"),
        ([1], 1, "shape: list -> number"),
        (1, ABSENT, "missing: only the baseline has it"),
        (ABSENT, 1, "extra: only the config gives it"),
        (2**53 + 1, 2**53, "precision: equal only as floats"),
        ([1, 2], [2, 1], "order: the same in another order"),
    ],
)
def test_the_change_is_named(old: Any, new: Any, what: str) -> None:
    """In the words of JSON; number stands for integer and float where that is not the point."""
    assert f"  /amount    {what}    1 of 1 records" == lines(grouped(old, new))[0]


@pytest.mark.parametrize(
    ("old", "new", "example"),
    [
        ("a\x1b[31m\n", "b", 'old "a\\u001b[31m\\n"  config "b"'),
        ("\u202eabc", "b", 'old "\\u202eabc"  config "b"'),
        ("{{secret:access_token#1}}", "x", 'old {{secret:access_token#1}}  config "x"'),
        (None, ABSENT, "old null       config absent"),
        ({"b": 1}, 1, 'old {"b": 1}   config 1'),
        (["a", "b", "c"], ["a", "c", "b"], 'old [1] "b"    config [1] "c"'),
        ("x" * 60, "y", f'old "{"x" * 39}... (+22)  config "y"'),
        ("x" * 60 + "1" + "z" * 60, "x" * 60 + "2", f'old ...{"x" * 10}1{"z" * 29}... (+32)  config ...{"x" * 10}2"'),
        (
            f"{'x' * 30}{{{{secret:password#12}}}}yyy",
            "",
            f'old "{"x" * 30}{{{{secret:password#12}}}}... (+4)  config ""',
        ),
        (
            f"{'x' * 20}{{{{secret:password#12}}}}1{'y' * 40}",
            f"{'x' * 20}{{{{secret:password#12}}}}2",
            f'old ...{{{{secret:password#12}}}}1{"y" * 29}... (+12)  config ...{{{{secret:password#12}}}}2"',
        ),
    ],
)
def test_values_are_shown_safely(old: Any, new: Any, example: str) -> None:
    """Shortened around the difference, control characters escaped, a secret's placeholder never cut."""
    assert f"      id=1   {example}" == lines(grouped(old, new))[1]


@pytest.mark.parametrize(
    ("old", "new", "records"),
    [
        (
            [1, 2],
            [1],
            [
                "  (record)    missing: only the baseline has it    1 of 2 records",
                '      id=2   old {"id": 2}  config absent',
            ],
        ),
        (
            [1],
            [1, 1],
            [
                "  (record)    duplicate: not as often as before    1 of 2 records",
                "      id=1   old 1 x        config 2 x",
            ],
        ),
        ([1, 2], [2, 1], ["  (record)    order: the same in another order", "      [0]   old 1          config 2"]),
    ],
)
def test_records_are_told_like_fields(old: list[int], new: list[int], records: list[str]) -> None:
    """By their key, with the whole record shortened."""
    compared = compare([{"id": n} for n in old], [{"id": n} for n in new], key="id")

    assert records == lines(groups(compared), None)[:2]


FIXES = [
    (1, "1", "$number(e)"),
    (1.5, "1.5", "$number(e)"),
    ("1", 1, "$string(e)"),
    ("true", True, "$string(e)"),
    (True, "true", '(e) = "true"'),
    (False, "false", '(e) = "true"'),
    (True, 1, "$boolean(e)"),
    (1, True, "$number(e)"),
    (1, 1.0, "$round(e)"),
    (1767323045, "2026-01-02T03:04:05Z", "$floor($toMillis(e) / 1000)"),
    (1767323045000, "2026-01-02T03:04:05Z", "$toMillis(e)"),
    ("2026-01-02T03:04:05.000Z", 1767323045, "$fromMillis((e) * 1000)"),
    ("2026-01-02T03:04:05.000Z", 1767323045000, "$fromMillis(e)"),
    ("2026-01-02T03:04:05.000Z", "2026-01-02T05:04:05+02:00", "$fromMillis($toMillis(e))"),
    (
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:04:05.000Z",
        '$fromMillis($toMillis(e), "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01]Z")',
    ),
    (
        "2026-01-02T03:04:05+00:00",
        "2026-01-02T03:04:05Z",
        '$fromMillis($toMillis(e), "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01][Z]")',
    ),
    (
        "2026-01-02T03:04:05.250+0000",
        "2026-01-02T03:04:05.25Z",
        '$fromMillis($toMillis(e), "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z0001]")',
    ),
    ([5], 5, "[e]"),
    (5, [5], "(e)[0]"),
]


@pytest.mark.parametrize(("old", "new", "expression"), FIXES)
def test_the_fix_is_the_expression_to_write(old: Any, new: Any, expression: str) -> None:
    """As it stands in connector.json, and it does give what the old code gave."""
    from jsonata import Jsonata  # not above: whoever imports it first decides the recursion limit

    fix = lines(grouped(old, new), AMOUNT._replace(expression="e"))[-2]

    written = expression.replace('"', '\\"')
    assert f'  fix        "{written}", or waive with a reason in deviations.json' == fix
    assert [] == [*compare([old], [Jsonata(expression).evaluate({"e": new})], key=None).differences]


@pytest.mark.parametrize(
    ("old", "new", "mapped", "fix"),
    [
        (None, ABSENT, AMOUNT._replace(expression="a.b"), '"$exists(a.b) ? (a.b) : null"'),
        (ABSENT, None, AMOUNT._replace(expression="a.b"), '"(a.b)[$ != null]"'),
        (1, "1", None, '"$number(...)" around what gives it'),
        (1, "1", AMOUNT._replace(field="lines"), '"$number(...)" around what gives it'),
        (1, ABSENT, None, 'map "amount"'),
        (1, ABSENT, AMOUNT, "let the expression give a value for these records"),
        (ABSENT, 1, AMOUNT, "take it out of the mapping"),
        (1.0, 1, AMOUNT, "give it the old class in the expression"),
        (
            "2026-01-02",
            "20260102",
            AMOUNT,
            "write the moment as the baseline has it: $fromMillis($toMillis(...), picture)",
        ),
        (2**53 + 1, 2**53, AMOUNT, "keep it an integer: no arithmetic and no $number on it"),
        ("a", "b", AMOUNT, "compare the expression with what gave the baseline"),
        ([1, 2], [2, 1], AMOUNT, "let the expression keep the old order"),
    ],
)
def test_where_no_expression_is_plain_the_fix_is_told_in_words(
    old: Any, new: Any, mapped: MappedBy | None, fix: str
) -> None:
    """A rule that gives more than the field is not rewritten whole."""
    assert f"  fix        {fix}, or waive with a reason in deviations.json" == lines(grouped(old, new), mapped)[-2]
