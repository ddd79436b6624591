"""Every listing of every config that there is, read from a provider that does what the config leaves open.

What must come of each case comes: no case is a false alarm. Each listing has its share of twenty seeds;
CONNPROOF_SEEDS=20 plays them all for each, and more play more.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pytest

from connproof.pagination import STRATEGIES
from providers import NAMES, account, loaded
from pytest_connproof.conversation import converse, differences, table
from pytest_connproof.lane_run import credentials_of
from pytest_connproof.provider.habits import HABITS, Case, playable
from pytest_connproof.stage import Stage
from pytest_connproof.subject import Settings, Subject

CONNECTORS: Final = Path(__file__).parents[2] / "connectors"
OWN: Final = MappingProxyType(
    {f"connectors/{path.parent.name}": path for path in sorted(CONNECTORS.glob("*/connector.json"))}
)
SHARE: Final = int(os.environ.get("CONNPROOF_SEEDS", "3"))
CASES: Final = 6
MOST: Final = 400


@cache
def stages(name: str) -> tuple[Stage, ...]:
    """Each listing of a config; those of a connector look as they were recorded."""
    if name not in OWN:
        config = loaded(name)
        return tuple(Stage(config, account(name), one) for one in config.operations() if one.is_list)
    subject = Subject(OWN[name], Settings(as_of=date(2026, 1, 1)))
    return tuple(subject.stage(one.id) for one in subject.connector.operations() if one.is_list)


EVERY: Final = tuple((name, number) for name in (*NAMES, *OWN) for number in range(len(stages(name))))


def drawn(stage: Stage, chance: random.Random) -> Case:
    """A dataset around a multiple of the page size; a few habits that undo nothing, or one that does."""
    size = chance.choice(list(stage.sizes))
    records = max(0, chance.choice([0, 1, *(pages * size + more for pages in (1, 2, 3) for more in (-1, 0, 1))]))
    names = list(playable(stage.terms))
    chance.shuffle(names)
    mild = {name: habit for name in names if (habit := HABITS[name]).must(stage.terms) == "complete"}
    grave = [name for name in names if name not in mild]
    if grave and chance.random() < 0.5:
        chosen = grave[:1]
    else:
        by_group = {habit.group: name for name, habit in mild.items()}
        chosen = list(by_group.values())[: chance.choice([0, 1, 2, 3])]
    habits = {name: chance.choice(list(HABITS[name].values)) for name in chosen}
    return Case(records, size, MappingProxyType(habits))


def played(stage: Stage, case: Case) -> list[str]:
    """What is wrong with what came of a case, and the conversation; [] where nothing is."""
    api = stage.api(case)
    told = converse(api.connector, stage.account, api.operation, api, stage.call(case), most=MOST)
    shown = {name: n for name, n in case.habits.items() if api.shown[name]}
    must = Case(case.records, case.size, shown).must(stage.terms)
    lost = differences(told.records, api.expected)
    is_right = {
        "complete": told.error is None and not lost,
        "either": told.error is not None or not lost,
        "told": told.error is not None,
    }
    if is_right[must] and not told.is_endless:
        return []
    lines = table(told, api.operation, api.expected, credentials_of(stage.account))
    return [f"{api.operation.id}: {case.text}: must be {must}", *lines]


@pytest.mark.parametrize(("name", "number"), EVERY, ids=[f"{name}-{number}" for name, number in EVERY])
def test_no_case_is_a_false_alarm(name: str, number: int) -> None:
    """A few cases of each of the listing's seeds."""
    stage, first = stages(name)[number], EVERY.index((name, number)) * SHARE
    wrong = []
    for seed in range(first, first + SHARE):
        chance = random.Random(seed % max(20, SHARE))
        for _ in range(CASES):
            wrong += played(stage, drawn(stage, chance))

    assert [] == wrong


def test_the_cases_are_not_all_alike() -> None:
    """Over all seeds they have every habit that any config leaves open, and every kind of what must come."""
    drawn_habits, musts, left_open = Counter[str](), Counter[str](), set[str]()
    for stage in (stage for name in (*NAMES, *OWN) for stage in stages(name)):
        left_open.update(playable(stage.terms))
        for seed in range(20):
            chance = random.Random(seed)
            for case in [drawn(stage, chance) for _ in range(CASES)]:
                drawn_habits.update(case.habits)
                musts[case.must(stage.terms)] += 1

    assert {"complete", "either", "told"} == {*musts}
    assert left_open == {*drawn_habits}
    assert len(left_open) >= len(HABITS) - 2


def test_every_strategy_is_played() -> None:
    """There is a config for each."""
    assert {*STRATEGIES} == {stage.paging.type for name in (*NAMES, *OWN) for stage in stages(name)}
