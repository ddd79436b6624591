"""Structured Fields: what the wrapper gives for each type, and that nothing malformed goes further."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connproof.standards.structured import (
    DisplayString,
    InnerList,
    Item,
    Token,
    natural,
    read_dictionary,
    read_item,
    read_list,
)

READERS: tuple[Callable[[str], tuple[object, str]], ...] = (read_item, read_list, read_dictionary)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", 5),
        ("-5.50", Decimal("-5.50")),
        ('"a b"', "a b"),
        ("a/b", Token("a/b")),
        (":aGk=:", b"hi"),
        ("?1", True),
        ("@0", datetime(1970, 1, 1, tzinfo=UTC)),
        ('%"f%c3%bc"', DisplayString("fü")),
    ],
)
def test_every_type_has_its_class(text: str, expected: object) -> None:
    """A reader tells a Token from a String by its class alone."""
    item, note = read_item(text)

    assert (Item, "") == (type(item), note)
    assert item is not None and (type(expected), expected) == (type(item.value), item.value)


def test_lists_hold_items_and_inner_lists() -> None:
    """Parameters stand where they were written."""
    members, _ = read_list('a;x, ("b" 1;y=2);z="w"')

    inner = InnerList((Item("b", {}), Item(1, {"y": 2})), {"z": "w"})
    assert (Item(Token("a"), {"x": True}), inner) == members


def test_dictionaries_keep_the_last_of_two() -> None:
    """As the RFC says; a key alone is true."""
    members, _ = read_dictionary("a=1, b, a=2")

    assert {"a": Item(2, {}), "b": Item(True, {})} == members


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("text", ["\u0663", "\xb2", "é", "1" * 100_000, "a;" * 50_000, "(" * 100_000, '"', "\ud800"])
def test_what_does_not_parse_is_none_and_a_note(read: Callable[[str], tuple[object, str]], text: str) -> None:
    """Neither odd digits nor 100 kB raise or take long; the note does not repeat the text."""
    before = time.perf_counter()

    value, note = read(text)

    assert value is None and note and text not in note
    assert time.perf_counter() - before < 1


@given(st.text(st.characters(max_codepoint=255), max_size=60) | st.text('"()=;,:?@%-.0123456789abc \\', max_size=60))
def test_no_text_raises(text: str) -> None:
    """Any header text is a value or a note, never both."""
    for read in READERS:
        value, note = read(text)

        assert (value is None) is bool(note)


@pytest.mark.parametrize(
    ("value", "expected"), [(0, 0), (7, 7), (-1, None), (True, None), (Decimal(5), None), ("5", None)]
)
def test_natural_numbers(value: object, expected: int | None) -> None:
    """An Integer that is not negative, and nothing that Python would take for one."""
    assert expected == natural(value)
