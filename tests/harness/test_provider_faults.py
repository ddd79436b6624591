"""What goes wrong on the way: numbers stand where configs look for them, and each fault is played for every config."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

import providers
from connproof import ratelimit
from connproof.model import Account, Connector, Request, Response
from connproof.run import Call
from pytest_connproof.conversation import converse
from pytest_connproof.interrupted import Plan, interrupted
from pytest_connproof.provider.api import Api
from pytest_connproof.provider.faults import FAULTS, Faulty, Form, Scene, unplayable
from pytest_connproof.provider.habits import Case
from pytest_connproof.provider.patterns import found_in, spelt
from pytest_connproof.provider.quotas import heard, tellings, written
from pytest_connproof.stage import Stage
from scripted import connector

DOCS = Path(__file__).parents[2] / "docs"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
DATE = ("date", "Thu, 01 Jan 2026 00:00:00 GMT")
CURSOR = {"type": "cursor", "cursor_field": "next"}


# Patterns.


@pytest.mark.parametrize(
    ("pattern", "said", "text"),
    [
        ("^([0-9]+)/", "32", "32/"),
        ("/([0-9]+)$", "40", "/40"),
        (r"\bapi-usage=[0-9]+/([0-9]+)", "40", "api-usage=0/40"),
        (r'"retryDelay":\s*"([0-9.]+s)"', "3s", '"retryDelay":"3s"'),
        ("(?i)retry after ([0-9TZ:.+-]+)", "2026-01-01T00:00:00Z", "retry after 2026-01-01T00:00:00Z"),
        (r"(?:too fast|slow) (\d+)", "7", "too fast 7"),
        (r"[^;]{3};(x|y)", "x", "xxx;x"),
    ],
)
def test_a_pattern_is_spelt_with_what_its_group_finds(pattern: str, said: str, text: str) -> None:
    """The shortest text; tried on the pattern, it is found there."""
    assert text == spelt(pattern, said)
    assert said == found_in(pattern, text)


def test_a_pattern_that_cannot_be_read_is_none() -> None:
    """A bracket too many is left over."""
    assert spelt("a)b") is None


# Quotas.


UNITS: dict[str, tuple[str, str]] = {
    "delta_s": ("37", "37"),
    "delta_ms": ("36400", "37"),
    "duration": ("36.4s", "37"),
    "structured": ("37", "37"),
    "epoch_s": ("1767225637", "37"),
    "epoch_ms": ("1767225636400", "37"),
    "iso8601": ("2026-01-01T00:00:36.400Z", "37"),
    "http_date": ("Thu, 01 Jan 2026 00:00:37 GMT", "37"),
    "retry_after": ("37", "37"),
}


def _limited(**words: Any) -> Connector:
    return connector(CURSOR, rate_limit=words)


@pytest.mark.parametrize("unit", UNITS)
def test_a_wait_is_written_in_its_unit(unit: str) -> None:
    """Parts of a second where the unit can say them; the caller hears the next whole one."""
    said, told = UNITS[unit]
    limits = _limited(wait=[{"header": "x-wait", "unit": unit}]).rate_limit
    assert limits is not None

    _, telling, *_ = tellings(limits, limits.wait)
    response = written(Response(429), telling.numbers, NOW.timestamp())

    assert response is not None
    assert said == response.header("x-wait")
    assert {"retry-after": told} == heard(limits, limits.wait, telling.numbers, waiting=True)


PLACES: dict[str, dict[str, Any]] = {
    "header": {"limit": {"header": "x-limit"}, "remaining": {"header": "x-left"}},
    "member": {"limit": {"header": "x-all", "member": "total"}, "remaining": {"header": "x-all", "member": "left"}},
    "body": {"limit": {"body": "quota.limit"}, "remaining": {"body": "quota.left"}},
    "patterns in one": {
        "limit": {"header": "x-all", "pattern": "/([0-9]+)$"},
        "used": {"header": "x-all", "pattern": "^([0-9]+)/"},
    },
    "text": {"limit": {"text": "of ([0-9]+) calls"}, "remaining": {"header": "x-left"}},
}


@pytest.mark.parametrize("place", PLACES)
def test_a_quota_is_written_where_it_is_read(place: str) -> None:
    """The engine finds there what was written, and tells what was reckoned from the numbers."""
    said = {"name": "all", **PLACES[place], "reset": {"header": "x-reset", "unit": "epoch_s"}}
    limits = _limited(budgets=[said]).rate_limit
    assert limits is not None
    *_, telling = tellings(limits, limits.wait)

    response = written(Response(429, (DATE,)), telling.numbers, NOW.timestamp())

    assert response is not None
    document = json.loads(response.body or b"{}")
    read = ratelimit.read_limits(limits, response, document, now=NOW, throttled=True)
    expected = {
        "retry-after": "51",
        "ratelimit-limit": "100",
        "ratelimit-remaining": "0",
        "ratelimit-reset": "51",
        "ratelimit": '"all";r=0;t=51',
        "ratelimit-policy": '"all";q=100',
    }
    assert expected == heard(limits, limits.wait, telling.numbers, waiting=True)
    assert expected == dict(read.headers())


@pytest.mark.parametrize("standard", ["triple", "pair", "dictionary"])
def test_the_standard_forms_are_played(standard: str) -> None:
    """Like a quota that the config had declared word by word."""
    config = _limited(standard=standard)
    plan = Plan(Stage(config, Account("acme"), _listing(config)), ("too_many",))

    wrong = [one.wrong() for one in plan.plays() if one.wrong()]
    (used_up,) = [form for form in FAULTS["too_many"].forms(Scene(config, _listing(config))) if "used up" in form.what]

    assert [] == wrong
    assert used_up.told is not None
    assert ("51", "0") == (used_up.told["ratelimit-reset"], used_up.told["ratelimit-remaining"])


def test_what_is_said_first_or_longest_is_what_is_told() -> None:
    """Two places say another time each."""
    waits = [{"header": "x-wait", "unit": "delta_s"}, {"header": "retry-after", "unit": "retry_after"}]

    told = []
    for choose in ("first", "longest"):
        limits = _limited(wait=waits, choose=choose).rate_limit
        assert limits is not None
        *_, both = tellings(limits, limits.wait)
        told.append(heard(limits, limits.wait, both.numbers, waiting=True)["retry-after"])

    assert ["37", "44"] == told


# One request goes wrong.


def _listing(config: Connector) -> Any:
    return config.resources["rows"].operations["list"]


@pytest.fixture(name="stage")
def _stage() -> Stage:
    config = connector(CURSOR)
    return Stage(config, Account("acme"), _listing(config))


def test_the_one_request_goes_wrong_and_no_other(stage: Stage) -> None:
    """Those before it and after it are answered."""
    case = Case(5, 2, MappingProxyType({}))
    api = stage.api(case)
    (form,) = FAULTS["nothing"].forms(Scene(stage.connector, stage.operation))
    faulty = Faulty(api, form, 2)

    bodies = [
        len((faulty.arrive(Request("GET", "https://api.example/v1/rows"), 0.0).response or Response(0)).body)
        for _ in range(3)
    ]

    assert [True, False, True] == [size > 0 for size in bodies]
    assert faulty.was_played


def test_what_cannot_be_played_on_an_answer_is_not_counted(stage: Stage) -> None:
    """Half of no body is none."""
    form = Form("nothing", None, lambda _answer, _sent: None)

    assert interrupted(stage, Case(5, 2, MappingProxyType({})), "cut", form, 1) is None


def test_a_connection_that_breaks_off_and_a_slow_one_are_told_as_the_network_tells_them(stage: Stage) -> None:
    """Nothing of a request that was not taken was sent; of the others it was."""
    told = {}
    for fault in ("reset", "torn", "slow"):
        (form,) = FAULTS[fault].forms(Scene(stage.connector, stage.operation))
        api: Api = stage.api(Case(3, 2, MappingProxyType({})))
        said = converse(
            stage.connector, stage.account, stage.operation, Faulty(api, form, 1), Call(raw=True), most=9
        ).error
        told[fault] = (str(said).splitlines()[0], getattr(said, "sent", None))

    assert {
        "reset": ("the exchange broke off", False),
        "torn": ("the exchange broke off", True),
        "slow": ("no whole answer within 60 seconds", True),
    } == told


# Every config.


def _of(name: str) -> list[Stage]:
    config, account = providers.loaded(name), providers.account(name)
    return [Stage(config, account, one) for one in config.operations() if one.is_list]


@pytest.mark.parametrize("name", providers.NAMES)
def test_no_fault_is_a_false_alarm(name: str) -> None:
    """Each fault, for each listing of a provider as its documentation has it: told, and gone on from."""
    wrong, counted = [], Counter[str]()
    for stage in _of(name):
        plan = Plan(stage, [*FAULTS], every_form=stage.sizes[0] == 1)
        wrong += [f"{one.says}: {one.wrong() or one.lost()}" for one in plan.plays() if one.wrong() or one.lost()]
        counted += plan.counted

    assert [] == wrong
    assert {"refused", "cut", "nothing", "reset", "torn", "slow", "polite"} <= set(counted)


@pytest.mark.parametrize("fault", FAULTS)
def test_what_must_come_of_a_fault_is_what_its_forms_mean(fault: str) -> None:
    """A throttle is one, an error is no success, and what is to change nothing is a success."""
    stages = [stage for name in providers.NAMES for stage in _of(name)]
    forms = [form for stage in stages for form in FAULTS[fault].forms(Scene(stage.connector, stage.operation))]

    kinds = {"throttled": "throttle", "success": "as if nothing"}

    assert {FAULTS[fault].must} == {kinds.get(str(form.means), "error") for form in forms}


@pytest.mark.parametrize("name", providers.NAMES)
def test_every_rule_of_every_config_can_be_played(name: str) -> None:
    """Whatever throttles and errors are declared, an answer is written for each."""
    assert [] == [rule for stage in _of(name) for rule in unplayable(Scene(stage.connector, stage.operation))]


def test_every_declared_place_is_written_somewhere() -> None:
    """Each place under `wait` and each quota of each config is said in a throttle."""
    missing = []
    for name in providers.NAMES:
        config = providers.loaded(name)
        listing = next(one for one in config.operations() if one.is_list)
        scene = Scene(config, listing)
        whats = [form.what for fault in ("declared_throttle", "too_many") for form in FAULTS[fault].forms(scene)]
        quotas = [f'"{rule.name}" used up' for rule in scene.limits.budgets if rule.remaining or rule.used]
        sources = [*scene.limits.wait, *(one for rule in scene.limits.throttled for one in rule.wait)]
        places = [one.header or (one.body.text if one.body else "in its text") for one in sources if one.fixed is None]
        missing += [f"{name}: {said}" for said in (*quotas, *places) if not any(said in what for what in whats)]

    assert [] == missing


# The page.


def test_page_tells_every_fault_as_the_table_does() -> None:
    """A row for each, in order: what the provider does, what must come of it, and for whom."""
    page = (DOCS / "simulated-provider.md").read_text(encoding="utf-8")
    section = page.partition("## What goes wrong on the way")[2].partition("\n## ")[0]

    rows = re.findall(r"^\| `([a-z_]+)` \| (.+?) \| (.+?) \| (.+?) \|$", section, re.MULTILINE)

    table = [(name, one.says.replace("{n}", "n"), one.must, one.played_for) for name, one in FAULTS.items()]
    assert table == rows
