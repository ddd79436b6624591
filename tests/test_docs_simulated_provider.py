"""The page about the simulated provider is true: its table of habits is the table, and its lines can be played."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from connproof.model import Operation, Pagination, ProviderFacts
from connproof.places import Place
from pytest_connproof.provider.habits import HABITS, Case, Terms

PAGE: Final = (Path(__file__).parents[1] / "docs" / "simulated-provider.md").read_text(encoding="utf-8")
MUSTS: Final = ("complete", "either", "told")


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without its first two lines."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0].partition("\n### ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


TABLE: Final = {name.strip("`"): cells for name, *cells in rows("Habits")}


def configs() -> Iterator[Terms]:
    """What configs may say that habits ask for, in every combination."""
    own: tuple[dict[str, object], ...] = (
        {"type": "cursor", "cursor_field": Place.parse("next"), "cursor_param": "after"},
        {"type": "link_header"},
        {"type": "next_url", "next_url_field": Place.parse("next")},
        {"type": "keyset", "key_field": Place.parse("id"), "key_param": "after"},
        {"type": "page", "page_param": "page", "page_field": Place.parse("page")},
        {"type": "offset", "offset_param": "offset"},
        {"type": "offset", "offset_param": "offset", "step": "limit"},
        {"type": "none"},
    )
    beside = {
        "page_size_param": "limit",
        "reduce_on": (413,),
        "stop_field": Place.parse("more"),
        "stop_when": False,
        "total_field": Place.parse("total"),
    }
    words = itertools.product(
        own, (None, "stop", "continue"), ("stop", "continue"), ("fail", "restart"), ("first", "each"), (False, True)
    )
    for strategy, short, empty, expired, total, missing in words:
        said = {"short_page": short, "empty_page": empty, "on_expired": expired, "total_from": total}
        paging = Pagination(**strategy, **beside, **said)  # type: ignore[arg-type]  # each has its word's class
        listing = Operation(
            "rows", "list", "GET", "/rows", "/rows", response_path=Place.parse("items"), items_may_be_missing=missing
        )
        for fact in (None, True, False):
            yield Terms(listing, paging, ProviderFacts(fact, fact, fact))


CONFIGS: Final = tuple(configs())


def test_the_page_has_every_habit_and_no_other() -> None:
    """In the order of the table."""
    assert [*HABITS] == [*TABLE]


@pytest.mark.parametrize("name", HABITS)
def test_a_row_says_what_the_habit_is(name: str) -> None:
    """What is drawn for it, what the provider does, what must come of it, and which word decides."""
    habit, (drawn, says, must, decides) = HABITS[name], TABLE[name]
    numbers = "" if tuple(habit.values) == (1,) else ", ".join(str(value) for value in habit.values)

    assert (numbers, habit.says.format(n="n"), habit.decides) == (drawn, says, decides.strip("`"))
    assert {habit.must(terms) for terms in CONFIGS if habit.when(terms)} == {
        word for word in MUSTS if f"`{word}`" in must
    }


def test_a_line_on_the_page_is_a_case() -> None:
    """It can be pasted."""
    (line,) = re.findall(r"^```\n(records=.*)\n```$", PAGE, re.MULTILINE)

    assert line == Case.parse(line).text
    assert f'Case.parse("{line}")' in PAGE


def test_each_part_of_a_listing_is_told() -> None:
    """A word of the config that the provider reads has a row."""
    told = " ".join(cells[0] for cells in rows("Listings"))

    assert [] == [word for word in READ if f"`{word}`" not in told]


READ: Final = (
    "query",
    "headers",
    "body",
    "auth",
    "response_path",
    "decode",
    "key",
    "key_field",
    "key_from",
    "cursor_field",
    "cursor_header",
    "next_url_field",
    "page_size_param",
    "stop_field",
    "stop_when",
    "total_field",
    "total_counts",
    "page_field",
    "step_field",
    "own_params",
    "long_url",
    "seed",
    "continue_with",
    "then",
    "window",
    "hydrate",
    "for_each",
    "nested",
    "errors",
    "provider_facts",
)
