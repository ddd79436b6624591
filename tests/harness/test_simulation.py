"""The simulation beside other designs, in small: ours is never silently dead, the known-bad ones lose accounts."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from simulate import HOURS, Cell, Run, Sum, lived, tables
from simulated import MIXES, ROTATIONS
from token_designs import DESIGNS, OURS

PAGE = Path(__file__).parents[2] / "docs" / "simulation.md"


# Seeds with which the mix's own fault comes in the first exchanges.
SEEDS = {
    "slow 5 %": 5,
    "slow 5 %, crash 0.5 %": 288,
    "slow 1 %, lost response 1 %": 6,
    "slow 1 %, failover 1 %": 14,
    "all: 5 %, 0.5 %, 1 %, 1 %": 26,
}


@pytest.mark.parametrize("rotation", ROTATIONS)
@pytest.mark.parametrize("mix", MIXES)
def test_ours_is_never_silently_dead(mix: str, rotation: str) -> None:
    """In each mix the account is usable, or said to be lost over a rotation that nobody received."""
    run = lived(Cell(rotation, mix, OURS), SEEDS[mix], hours=2)

    assert not run.was_silent
    assert run.verdict == "usable" or (run.verdict == "lost" and run.unreceived > 0)


@pytest.mark.parametrize(
    ("design", "mix"),
    [
        ("no lock", "slow 5 %"),
        ("TTL key, blind write", "slow 5 %"),
        ("lease + epoch fence", "slow 5 %"),
        ("row lock over HTTP", "slow 1 %, failover 1 %"),
    ],
)
def test_known_bad_designs_lose_an_account_that_ours_keeps(design: str, mix: str) -> None:
    """A strict provider, the same faults from the same seed: no rotation was lost on the way, but by the design."""
    theirs, ours = (lived(Cell("strict", mix, name), SEEDS[mix], hours=2) for name in (design, OURS))

    assert ("lost", 0) == (theirs.verdict, theirs.unreceived)
    assert "usable" == ours.verdict


@pytest.mark.parametrize("mix", ["slow 5 %, crash 0.5 %", "slow 1 %, lost response 1 %"])
def test_what_nobody_received_is_said_aloud(mix: str) -> None:
    """A strict provider has no second copy: all that can be done is to say so. One with a grace has one."""
    strict, grace = (lived(Cell(rotation, mix, OURS), SEEDS[mix], hours=2) for rotation in ROTATIONS)

    assert ("lost", "rotation_response_lost", 1) == (strict.verdict, strict.reason, strict.unreceived)
    assert ("usable", "", 1) == (grace.verdict, grace.reason, grace.unreceived)


def test_one_integer_is_one_run() -> None:
    """The same seed does the same again; another one does not."""
    cell = Cell("strict", "slow 5 %", "no lock")

    assert lived(cell, 1, hours=2) == lived(cell, 1, hours=2)
    assert lived(cell, 1, hours=2) != lived(cell, 5, hours=2)


def test_tables_count_what_became_of_the_accounts() -> None:
    """One row a mix, one column a design, and in each cell as many accounts as there were seeds."""
    usable = Run("usable", was_silent=False, unreceived=0, replays=0, refreshes=9, false=False)
    ended = replace(usable, verdict="lost", was_silent=True, unreceived=2, replays=3)

    text = tables({Cell("strict", "slow 5 %", OURS): Sum([usable, usable, ended])})

    assert ["2 / 1 / 0", "1", "1 / 1.00"] == re.findall(r"^\| slow 5 % +\| (.+?) +\|$", text, re.MULTILINE)


def test_page_shows_every_mix_and_design() -> None:
    """docs/simulation.md has the tables of the mixes and designs that there are."""
    page = PAGE.read_text(encoding="utf-8")

    assert [] == [mix for mix in MIXES if page.count(f"| {mix} ") != 3 * len(ROTATIONS)]
    assert [] == [design for design in DESIGNS if design not in page]
    assert f"{HOURS} h" in page
