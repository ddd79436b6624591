"""A deviation waives exactly what it names, until its last day; deviations.json says all its faults at once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connproof.errors import ConfigWrong
from pytest_connproof.parity import Comparison, Deviation, compare, expired, load_deviations, unused, waive

TODAY = date(2026, 6, 30)
MEANT = Deviation(
    lane="deals.list",
    path="/lines/*/amount",
    kind="type",
    reason="amounts are texts since the new API",
    owner="team-crm",
    expires=TODAY,
)
ENTRY = {
    **{name: getattr(MEANT, name) for name in ("lane", "path", "kind", "reason", "owner")},
    "expires": "2026-06-30",
}


@pytest.fixture
def comparison() -> Comparison:
    """Two amounts changed class; one of them changed its value too."""
    old: list[Any] = [{"id": 1, "lines": [{"amount": 1.5}, {"amount": 2}]}]
    new: list[Any] = [{"id": 1, "lines": [{"amount": "1.5"}, {"amount": "3"}]}]
    return compare(old, new, key="id")


@pytest.fixture
def written(tmp_path: Path) -> Any:
    def write(document: Any) -> Path:
        path = tmp_path / "deviations.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document, indent=2), encoding="utf-8")
        return path

    return write


def listed(*entries: Any) -> dict[str, Any]:
    return {"format": "connproof-deviations/1", "deviations": [*entries]}


def test_a_deviation_waives_one_kind_at_one_pattern(comparison: Comparison) -> None:
    """Every index is covered; a change of value at the same path stays open."""
    judged = waive(comparison, [MEANT], "deals.list", TODAY)

    assert [("/lines/0/amount", "type"), ("/lines/1/amount", "type")] == [(d.path, d.kind) for d in judged.waived]
    assert [("/lines/1/amount", "value")] == [(d.path, d.kind) for d in judged.open]
    assert frozenset({MEANT}) == judged.used


@pytest.mark.parametrize(
    "other",
    [
        replace(MEANT, lane="deals.get"),
        replace(MEANT, path="/lines/0/amount"),
        replace(MEANT, path="/lines/*"),
        replace(MEANT, path="/lines/*/amoun"),
        replace(MEANT, path=""),
        replace(MEANT, kind="shape"),
    ],
)
def test_a_deviation_waives_nothing_else(comparison: Comparison, other: Deviation) -> None:
    """Another lane, index, prefix or kind leaves every difference open, and the deviation unused."""
    judged = waive(comparison, [other], "deals.list", TODAY)

    assert (comparison.differences, ()) == (judged.open, judged.waived)
    assert (other,) == unused([other], judged.used, TODAY)


def test_a_star_is_every_lane(comparison: Comparison) -> None:
    """The same field of list and get can be meant once."""
    everywhere = replace(MEANT, lane="*")

    assert frozenset({everywhere}) == waive(comparison, [everywhere], "deals.get", TODAY).used


def test_all_deviations_that_cover_a_difference_are_used(comparison: Comparison) -> None:
    """Neither of two that overlap is called unused."""
    both = [MEANT, replace(MEANT, lane="*")]

    assert () == unused(both, waive(comparison, both, "deals.list", TODAY).used, TODAY)


def test_a_deviation_ends_with_its_last_day(comparison: Comparison) -> None:
    """It still waives on the day it names; on the next it is expired, waives nothing, and is not also unused."""
    tomorrow = date(2026, 7, 1)

    assert () == expired([MEANT], TODAY)
    assert (MEANT,) == expired([MEANT], tomorrow)
    judged = waive(comparison, [MEANT], "deals.list", tomorrow)
    assert (comparison.differences, frozenset()) == (judged.open, judged.used)
    assert () == unused([MEANT], judged.used, tomorrow)


def test_the_file_becomes_deviations_with_their_lines(written: Any) -> None:
    """In the document's order."""
    loaded = load_deviations(written(listed(ENTRY, {**ENTRY, "lane": "*"})))

    assert (MEANT, replace(MEANT, lane="*")) == loaded
    assert [4, 12] == [deviation.line for deviation in loaded]


def test_a_connector_without_the_file_has_no_deviations(tmp_path: Path) -> None:
    """Nothing is meant, so every difference stays open."""
    assert () == load_deviations(tmp_path / "deviations.json")


@pytest.mark.parametrize(
    ("change", "pointer", "message"),
    [
        ({"kind": "types"}, "/kind", '"types" is not a valid word here (did you mean "type"?)'),
        ({"path": "lines"}, "/path", '"lines" does not match'),
        ({"path": "/a~2"}, "/path", '"/a~2" does not match'),
        ({"lane": ""}, "/lane", "is empty"),
        ({"reason": "because"}, "/reason", "says too little"),
        ({"reason": "  \n "}, "/reason", "says too little"),
        ({"owner": " "}, "/owner", "is empty (name who answers for it)"),
        ({"expires": "2026-02-30"}, "/expires", "'2026-02-30' is no day (write it as YYYY-MM-DD)"),
        ({"expires": "20260630"}, "/expires", "'20260630' is no day"),
        ({"expires": "2026-06-30\n"}, "/expires", "is no day"),
        ({"expires": None}, "/expires", "expected a string, found null"),
        ({"note": "x"}, "/note", 'unknown member "note"'),
        ({"kind": "requests", "lane": "deals.list"}, "/path", 'requests have no path (write "")'),
        ({"kind": "requests", "path": ""}, "/lane", "waives the requests of every lane (name the one lane)"),
    ],
)
def test_a_wrong_entry_is_refused(written: Any, change: dict[str, Any], pointer: str, message: str) -> None:
    """With the pointer, the line, what was seen and what to write."""
    with pytest.raises(ConfigWrong) as refused:
        load_deviations(written(listed(ENTRY, {**ENTRY, "lane": "*", **change})))

    [problem] = refused.value.problems
    assert f"/deviations/1{pointer}" == problem.pointer
    assert 12 < problem.line < 21
    assert message in str(problem)


def test_all_faults_are_told_at_once(written: Any) -> None:
    """Those that the schema finds and those that it cannot, in the document's order."""
    unowned = {name: value for name, value in ENTRY.items() if name != "owner"}
    document = listed(
        ENTRY, {**ENTRY, "kind": "typo", "reason": "so"}, {**unowned, "lane": "*", "expires": "soon"}, ENTRY, 5
    )
    with pytest.raises(ConfigWrong) as refused:
        load_deviations(written(document))

    expected = [
        ("/deviations/1/kind", 15),
        ("/deviations/1/reason", 16),
        ("/deviations/2", 20),
        ("/deviations/2/expires", 25),
        ("/deviations/3", 27),
        ("/deviations/4", 35),
    ]
    assert expected == [(problem.pointer, problem.line) for problem in refused.value.problems]
    assert "a second time (first on line 4)" in str(refused.value)


@pytest.mark.parametrize(
    "document", ["[]", '{"format": "connproof-deviations/2", "deviations": []}', '{"format": 1', "{}"]
)
def test_another_document_is_refused(written: Any, document: str) -> None:
    """Never read as an empty list of deviations."""
    with pytest.raises(ConfigWrong, match=r"deviations\.json has \d problem"):
        load_deviations(written(document))
