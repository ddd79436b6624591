"""The table that ends a run: what stands where, and in which colour."""

from __future__ import annotations

from pytest_connproof.report.terminal import Row, table
from pytest_connproof.verdict import Verdict

CERTIFIED = Row(
    "deals",
    Verdict("certified", (), {"RPL-001": {"exchanges": 12}, "RPL-005": {"records": 3}, "PAR-001": {"fields": 1234}}),
    passed=20,
    checks=20,
    grade="documented",
    baseline="engine",
    valid_until="2027-11-23",
)
REFUTED = Row("a-long-name", Verdict("refuted", tuple(f"reason {n}" for n in range(1, 9)), {}), passed=1, checks=20)


def test_columns_are_as_wide_as_what_stands_in_them() -> None:
    """Texts stand to the left, numbers to the right, and no line ends in spaces."""
    first, rule, *rows = table([CERTIFIED, REFUTED], colour=False).splitlines()[:4]

    assert [
        "connector     verdict     checks   exchanges   records   fields   evidence     baseline   valid until",
        "deals         certified    20/20          12         3     1234   documented   engine     2027-11-23",
        "a-long-name   refuted       1/20           0         0        0   -            -          -",
    ] == [first, *rows]
    assert {"─"} == set(rule)
    assert len(first) == len(rule)


def test_reasons_stand_below_and_end_in_a_count() -> None:
    """Each reason against a certificate has a line of its own; of many, six are told and the others counted."""
    lines = table([CERTIFIED, REFUTED], colour=False).splitlines()[4:]

    assert [*(f"a-long-name  reason {n}" for n in range(1, 7)), "a-long-name  (+2 more)"] == lines


def test_colour_is_the_verdict_s_alone() -> None:
    """With colour the table says the same, and only the verdict's word is coloured."""
    plain, coloured = (table([CERTIFIED, REFUTED], colour=colour) for colour in (False, True))

    words = {"\x1b[1;32mcertified\x1b[0m": "certified", "\x1b[1;31mrefuted\x1b[0m": "refuted"}
    assert [1, 1] == [coloured.count(word) for word in words]
    for word, bare in words.items():
        coloured = coloured.replace(word, bare)
    assert plain == coloured
