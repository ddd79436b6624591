"""LIM-002 passes on each unit and each standard form as it is sent, and fails where more is told than was said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from projects import CHECK, Project

from connproof import ratelimit
from connproof.events import LimitsSeen
from connproof.run import sending
from pytest_connproof.checks import targets
from pytest_connproof.finding import Finding, Inconclusive

FILE = "recordings/orders.json"
LIST = "/lanes/0"
LIMITS = "/rate_limit"
BUDGET = "/rate_limit/budgets/0"
AT = "connectors/orders/connector.json"


def _refuted(project: Project) -> Finding:
    with pytest.raises(Finding) as found:
        project.judge("LIM-002")
    return found.value


def _doubt(project: Project) -> str:
    with pytest.raises(Inconclusive) as doubt:
        project.judge("LIM-002")
    return str(doubt.value)


def test_LIM_002_passes_with_counts(orders: Project) -> None:
    """A pass says how many answers it read, and how many places are declared."""
    assert {"answers": 10, "sources": 5} == orders.judge("LIM-002")


@pytest.mark.parametrize(
    ("pointer", "unit", "place", "said"),
    [
        (f"{BUDGET}/reset", "delta_s", "x-quota-reset", "'1793527230'"),
        (f"{BUDGET}/reset", "epoch_ms", "x-quota-reset", "'1793527230'"),
        (f"{BUDGET}/reset", "iso8601", "x-quota-reset", "'1793527230'"),
        (f"{BUDGET}/reset", "http_date", "x-quota-reset", "'1793527230'"),
        ("/rate_limit/wait/0", "retry_after", "x-wait", "'1m30s'"),
        ("/rate_limit/wait/0", "delta_ms", "x-wait", "'1m30s'"),
        ("/rate_limit/wait/0", "structured", "x-wait", "'1m30s'"),
    ],
)
def test_LIM_002_fails_on_a_wrong_unit(orders: Project, pointer: str, unit: str, place: str, said: str) -> None:
    """What does not fit names the place, the unit and the line that declares it; no number is made of it."""
    orders.change("connector.json", f"{pointer}/unit", unit)

    found = _refuted(orders)
    line = orders.subject().connector.source.line(pointer)

    assert f"{place} is not what {pointer} declares" == found.what
    assert f'declared   unit "{unit}"   {AT}:{line}   {pointer}' in found.facts
    assert f"said       {said}" in found.facts


@pytest.mark.parametrize(
    ("source", "units", "says"),
    [
        ({"header": "x-interval-milliseconds"}, ("delta_s", "epoch_s"), "milliseconds"),
        ({"header": "retry-after-ms"}, ("retry_after",), "ms"),
        ({"body": "error.waitSeconds"}, ("delta_ms", "epoch_ms"), "seconds"),
        ({"header": "x-quota", "member": "resetSecs"}, ("delta_ms",), "secs"),
    ],
)
def test_LIM_002_fails_on_a_unit_that_the_name_of_the_place_contradicts(
    orders: Project, source: dict[str, str], units: tuple[str, ...], says: str
) -> None:
    """Whether it was recorded or not: 10000 is as good a number of seconds as of milliseconds."""
    for unit in units:
        orders.change("connector.json", "/rate_limit/wait/0", {**source, "unit": unit})

        assert f'is declared as "{unit}", and its name says {says}' in _refuted(orders).what


@pytest.mark.parametrize(
    "source",
    [
        {"header": "x-interval-milliseconds", "unit": "delta_ms"},
        {"header": "x-reset-seconds", "unit": "epoch_s"},
        {"header": "x-reset-seconds", "unit": "http_date"},
        {"header": "x-quota-secondly", "unit": "delta_ms"},
        {"header": "x-teams", "unit": "delta_s"},
        {"header": "x-wait-seconds", "values": {"SHORT": 1}},
    ],
    ids=lambda source: source["header"],
)
def test_LIM_002_fails_on_no_name_that_says_the_same_or_nothing(orders: Project, source: dict[str, Any]) -> None:
    """A doubt is left, as the place was never recorded."""
    orders.change("connector.json", "/rate_limit/wait/0", source)

    with pytest.raises(Inconclusive, match="declared, but never seen"):
        orders.judge("LIM-002")


@pytest.mark.parametrize("text", ["Sun, 01 Nov 99999999999999999999 10:00:00 GMT", "yesterday"])
def test_LIM_002_passes_on_an_answer_whose_date_is_none(orders: Project, text: str) -> None:
    """An answer of which nobody knows when it was sent was sent when it was recorded."""
    said = orders.read(FILE)["lanes"][0]["exchanges"][2]["response"]["headers"]
    headers = [[name, text if name == "date" else value] for name, value in said]
    orders.change(FILE, f"{LIST}/exchanges/2/response/headers", headers)

    assert said != headers
    assert {"answers": 10, "sources": 5} == orders.judge("LIM-002")


def test_LIM_002_fails_on_a_pattern_that_finds_nothing(orders: Project) -> None:
    """A part that is not there is no value, and no zero."""
    orders.change("connector.json", f"{BUDGET}/limit", {"header": "x-quota-limit", "pattern": "of ([0-9]+)"})

    assert f"x-quota-limit is not what {BUDGET}/limit declares" == _refuted(orders).what


def test_LIM_002_fails_on_a_name_without_seconds(orders: Project) -> None:
    """Of names each has its seconds."""
    orders.change("connector.json", "/rate_limit/wait/0", {"header": "x-wait", "values": {"short": 60}})

    found = _refuted(orders)

    assert "x-wait is not what /rate_limit/wait/0 declares" == found.what
    assert "declared   values" in found.facts


@pytest.mark.parametrize(
    ("word", "header"),
    [(f"{BUDGET}/remaining", "x-quota-left"), ("/rate_limit/wait/0", "x-wait")],
)
def test_LIM_002_fails_with_a_doubt_on_a_place_that_no_answer_has(orders: Project, word: str, header: str) -> None:
    """Whatever unit it has would look right."""
    orders.change("connector.json", f"{word}/header", f"{header}-2")

    assert (
        f"declared, but never seen: {word}\n"
        "  fix  record an answer that has it, or take it out: its unit cannot be held to anything"
    ) == _doubt(orders)


def test_LIM_002_fails_with_a_doubt_on_a_standard_that_is_not_sent(orders: Project) -> None:
    """The form of the draft is declared like any other place."""
    orders.change("connector.json", f"{LIMITS}/standard", "pair")

    assert _doubt(orders).startswith("declared, but never seen: /rate_limit/standard\n")


@pytest.mark.parametrize("words", ["conditions alone", "a number alone"])
def test_LIM_002_is_judged_where_a_place_is_named(orders: Project, words: str) -> None:
    """Where an answer tells of nothing, nothing can be told wrongly."""
    said = orders.read("connector.json")["rate_limit"]["throttled"]
    limits = {"throttled": [{"when": said[0]["when"]}]} if words == "conditions alone" else {"default_wait_s": 5}
    orders.change("connector.json", LIMITS, limits)

    assert [] == [*targets(CHECK["LIM-002"], orders.subject())]
    assert [""] == [*targets(CHECK["LIM-003"], orders.subject())]


def _told_otherwise(monkeypatch: pytest.MonkeyPatch, **changes: Callable[[Any], Any]) -> None:
    """An engine that changes what it read."""
    real = ratelimit._Reading.budgets

    def changed(*args: Any) -> Iterator[ratelimit.Budget]:
        for budget in real(*args):
            yield replace(budget, **{word: change(getattr(budget, word)) for word, change in changes.items()})

    monkeypatch.setattr(ratelimit._Reading, "budgets", changed)


@pytest.mark.parametrize(
    ("word", "more", "expected"),
    [
        ("remaining", 1, ("remaining 40", "41")),
        ("reset_s", -1, ("reset 30", "29")),
        ("limit", 50, ("limit 50", "100")),
    ],
)
def test_LIM_002_fails_on_an_engine_that_tells_of_more(
    orders: Project, monkeypatch: pytest.MonkeyPatch, word: str, more: int, expected: tuple[str, str]
) -> None:
    """One request more, one second less: whoever believes it is throttled."""
    _told_otherwise(monkeypatch, **{word: lambda number: number + more})

    found = _refuted(orders)

    assert (
        'more is told of the quota "minute" than the provider said\n'
        "\n"
        "  answer   orders.list/1   HTTP 200\n"
        f"  said     {expected[0]}\n"
        f"  told     {expected[1]}\n"
        f"  config   {AT}:23   /rate_limit"
    ) == str(found)


def test_LIM_002_passes_on_an_engine_that_tells_of_less(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """To wait longer than need be is no harm."""
    _told_otherwise(monkeypatch, remaining=lambda left: max(0, left - 1), reset_s=lambda seconds: seconds + 1)

    assert {"answers": 10, "sources": 5} == orders.judge("LIM-002")


def test_LIM_002_fails_on_an_engine_that_tells_nothing(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quota that was declared and sent is the caller's to know."""
    monkeypatch.setattr(sending, "LimitsSeen", lambda *_: LimitsSeen((), ()))

    assert "what was said of a quota does not reach the caller" == _refuted(orders).what


@pytest.mark.parametrize(("seconds", "told"), [(1, "1"), (None, "nothing")])
def test_LIM_002_fails_on_an_engine_that_shortens_the_wait(
    orders: Project, monkeypatch: pytest.MonkeyPatch, seconds: int | None, told: str
) -> None:
    """1500 ms are two seconds for whoever waits whole ones."""
    monkeypatch.setattr(ratelimit._Reading, "wait", lambda *_: seconds)

    found = _refuted(orders)

    assert "a shorter wait is told than the provider said" == found.what
    assert f"said     1.500 s\n  told     {told}\n" in found.facts


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        ("delta_s", "30"),
        ("delta_ms", "30000"),
        ("structured", "30"),
        ("epoch_s", "1793527230"),
        ("epoch_ms", "1793527230000"),
        ("http_date", "Sun, 01 Nov 2026 10:00:30 GMT"),
        ("retry_after", "Sun, 01 Nov 2026 10:00:30 GMT"),
        ("retry_after", "30"),
        ("iso8601", "2026-11-01T12:00:30+02:00"),
        ("duration", "29.9s100ms"),
    ],
)
def test_LIM_002_passes_on_each_unit_where_it_is_what_is_sent(
    orders: Project, monkeypatch: pytest.MonkeyPatch, unit: str, text: str
) -> None:
    """Thirty seconds, however they are written: told as thirty, and a second less is more than was said."""
    recorded = orders.path(FILE).read_text()
    orders.write(FILE, recorded.replace('"1793527230"', f'"{text}"'))
    orders.change("connector.json", f"{BUDGET}/reset/unit", unit)

    assert {"answers": 10, "sources": 5} == orders.judge("LIM-002")

    _told_otherwise(monkeypatch, reset_s=lambda seconds: seconds - 1)

    assert "said     reset 30\n  told     29\n" in _refuted(orders).facts


@pytest.mark.parametrize(
    ("standard", "headers"),
    [
        ("pair", [["ratelimit", '"day";r=7;t=60'], ["ratelimit-policy", '"day";q=10;w=3600']]),
        ("triple", [["ratelimit-limit", "10"], ["ratelimit-remaining", "7"], ["ratelimit-reset", "60"]]),
        ("dictionary", [["ratelimit", "limit=10, remaining=7, reset=60"]]),
    ],
)
def test_LIM_002_passes_on_the_standard_forms_and_sees_more_than_they_say(
    orders: Project, monkeypatch: pytest.MonkeyPatch, standard: str, headers: list[list[str]]
) -> None:
    """The forms of the draft are read here once more; one request too many is found in each."""
    kept = [["content-type", "application/json"], ["date", "Sun, 01 Nov 2026 10:00:00 GMT"]]
    orders.change(FILE, f"{LIST}/exchanges/0/response/headers", [*kept, *headers])
    orders.change("connector.json", f"{LIMITS}/standard", standard)

    assert {"answers": 10, "sources": 6} == orders.judge("LIM-002")

    _told_otherwise(monkeypatch, remaining=lambda left: left + 1)
    found = _refuted(orders)

    assert "answer   orders.list/1   HTTP 200\n  said     remaining 7\n  told     8\n" in found.facts
