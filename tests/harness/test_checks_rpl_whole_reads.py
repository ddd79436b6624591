"""RPL, LIM and ERR on reads that take more than their own pages: windows, restarts, single records, parents."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from projects import Description, Project, build

from pytest_connproof.finding import Finding

CURSOR: dict[str, Any] = {"type": "cursor", "cursor_field": "next"}


def got(path: str, query: dict[str, str], body: Any, status: int = 200) -> dict[str, Any]:
    """An exchange, without its id."""
    return {
        "request": {
            "method": "GET",
            "url": f"https://api.rows.example/v1{path}",
            **({"query": [list(pair) for pair in query.items()]} if query else {}),
        },
        "response": {"status": status, "headers": [["content-type", "application/json"]], "json": body},
    }


def page(*ids: int, following: str | None = None) -> dict[str, Any]:
    return {"items": [{"id": number} for number in ids], "next": following}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Builds a project of one resource, `rows`, with these operations and this traffic."""

    def built(exchanges: list[dict[str, Any]], **operations: dict[str, Any]) -> Project:
        said = {
            name: {"method": "GET", "path": f"/{name}", "response_path": "items", **words}
            for name, words in operations.items()
        }
        numbered = [{**exchange, "id": f"rows.list/{number}"} for number, exchange in enumerate(exchanges, 1)]
        lane = {"id": "rows.list", "order": "strict", "exchanges": numbered}
        documents = {
            "connectors/rows/connector.json": {
                "base_url": "https://api.rows.example/v1",
                "auth": {"type": "none"},
                "errors": [{"when": {"status": 410}, "means": "cursor_expired"}],
                "resources": {"rows": said},
            },
            "connectors/rows/recordings/rows.json": {
                "format": "connproof-recording/1",
                "provenance": {"kind": "synthetic", "written_at": "2026-11-01", "source": "invented for the tests"},
                "lanes": [lane],
            },
        }
        monkeypatch.chdir(tmp_path)
        return build(Description("rows", MappingProxyType(documents)), tmp_path)

    return built


def evidence(project: Project) -> list[Any]:
    return [project.judge(check, "rows.list") for check in ("RPL-001", "RPL-002", "RPL-004", "RPL-005")]


WINDOW: dict[str, Any] = {"cap": 2, "field": "id", "param": "since"}
WINDOWS = [
    got("/list", {}, page(1, 2, following="a")),
    got("/list", {"since": "2"}, page(2, 3, following="b")),
    got("/list", {"since": "3"}, page(3)),
]


def test_RPL_passes_on_windows(project: Any) -> None:
    """A record that two windows hold is one record."""
    windowed = project(WINDOWS, list={"key": "id", "pagination": {**CURSOR, "window": WINDOW}})

    assert [{"exchanges": 3}, {"requests": 3}, {"pages": 3}, {"records": 3, "exchanges": 3}] == evidence(windowed)


def test_RPL_001_fails_on_a_window_that_is_not_opened(project: Any) -> None:
    """A cap that is too large leaves the second window unread."""
    exchanges = [got("/list", {}, page(1, 2)), *WINDOWS[1:]]
    windowed = project(exchanges, list={"key": "id", "pagination": {**CURSOR, "window": {**WINDOW, "cap": 3}}})

    with pytest.raises(Finding, match="2 recorded exchanges not asked for"):
        windowed.judge("RPL-001", "rows.list")


def test_RPL_passes_on_a_read_that_is_started_anew(project: Any) -> None:
    """The answer that said that the place is gone is used, and is no page."""
    exchanges = [
        got("/list", {}, page(1, 2, following="a")),
        got("/list", {"next": "a"}, {"error": "gone"}, status=410),
        got("/list", {}, page(1, 2, following="b")),
        got("/list", {"next": "b"}, page(3)),
    ]
    anew = project(exchanges, list={"key": "id", "pagination": {**CURSOR, "on_expired": "restart"}})

    assert [{"exchanges": 4}, {"requests": 4}, {"pages": 3}, {"records": 3, "exchanges": 4}] == evidence(anew)


HYDRATE: dict[str, Any] = {"operation": "get", "param": "id", "from": "id"}
GET: dict[str, Any] = {"path": "/rows/{id}", "response_path": "row"}
SINGLES = [
    got("/list", {}, page(1, 2, following="a")),
    got("/rows/1", {}, {"row": {"id": 1, "name": "n1"}}),
    got("/rows/2", {}, {"row": {"id": 2, "name": "n2"}}),
    got("/list", {"next": "a"}, page(3)),
    got("/rows/3", {}, {"row": {"id": 3, "name": "n3"}}),
]


@pytest.mark.parametrize("merge", [False, True])
def test_RPL_passes_on_records_that_are_asked_for_one_by_one(project: Any, merge: bool) -> None:
    """The records of the caller are those of the single answers; a page is one of the listing's own."""
    hydrated = project(SINGLES, list={"pagination": CURSOR, "hydrate": {**HYDRATE, "merge": merge}}, get=GET)

    assert [{"exchanges": 5}, {"requests": 5}, {"pages": 2}, {"records": 3, "exchanges": 5}] == evidence(hydrated)


@pytest.mark.parametrize(("merge", "exchanges"), [(False, 2), (True, 2), (False, 4), (True, 4)])
def test_RPL_005_counts_no_record_of_a_page_that_broke_off(project: Any, merge: bool, exchanges: int) -> None:
    """A page is given when all of its records are whole: what was asked for before the refusal is asked for again."""
    refused = got(f"/rows/{exchanges // 2 + 1}", {}, {"error": "busy"}, status=429)
    words = {"pagination": CURSOR, "hydrate": {**HYDRATE, "merge": merge}}
    broken = project([*SINGLES[:exchanges], refused], list=words, get=GET)

    records = 2 * (exchanges // 4)
    assert {"records": records, "exchanges": exchanges + 1} == broken.judge("RPL-005", "rows.list")


def test_RPL_005_knows_which_answer_a_record_stands_in(project: Any) -> None:
    """Each record of the caller is the one of its own single answer."""
    hydrated = project(SINGLES, list={"pagination": CURSOR, "hydrate": HYDRATE}, get=GET)
    run = hydrated.subject().run("rows.list")

    assert [{"id": number, "name": f"n{number}"} for number in (1, 2, 3)] == list(run.records)
    assert ["rows.list/1", "rows.list/1", "rows.list/4"] == [str(run.origin_of(index)).split()[1] for index in range(3)]
    assert [2, 3, 5] == list(run.asides)


LISTING: dict[str, Any] = {
    "path": "/t/{tenant}/rows",
    "pagination": {**CURSOR, "seed": {"operation": "token", "field": "token"}},
    "for_each": {"operation": "rows.tenants", "params": {"tenant": "id"}},
    "nested": {"lines": {"response_path": "of", "pagination": {"type": "next_url", "next_url_field": "more"}}},
}
FANNED = [
    got("/tenants", {}, {"items": [{"id": "a"}, {"id": "b"}]}),
    got("/token", {}, {"token": "t0"}),
    got("/t/a/rows", {"next": "t0"}, {"items": [{"id": 1, "lines": {"of": [1], "more": "/v1/lines/2"}}]}),
    got("/lines/2", {}, {"of": [2]}),
    got("/token", {}, {"token": "t1"}),
    got("/t/b/rows", {"next": "t1"}, page(2)),
]
TENANTS: dict[str, Any] = {"list": LISTING, "tenants": {"returns": "list"}, "token": {}}


def test_RPL_passes_on_a_seed_parents_and_nested_lists(project: Any) -> None:
    """Answers that are no pages of the listing are used, and hold none of its records."""
    fanned = project(FANNED, **TENANTS)

    assert [{"exchanges": 6}, {"requests": 6}, {"pages": 2}, {"records": 2, "exchanges": 6}] == evidence(fanned)
    assert "exchange rows.list/6  items[0]" == fanned.subject().run("rows.list").origin_of(1)


@pytest.mark.parametrize(
    ("exchanges", "operations"),
    [
        pytest.param(WINDOWS, {"list": {"key": "id", "pagination": {**CURSOR, "window": WINDOW}}}, id="windows"),
        pytest.param(SINGLES, {"list": {"pagination": CURSOR, "hydrate": HYDRATE}, "get": GET}, id="single records"),
        pytest.param(FANNED, TENANTS, id="seeds, parents and nested lists"),
    ],
)
def test_LIM_004_passes_wherever_such_a_read_is_broken_off(
    project: Any, exchanges: list[dict[str, Any]], operations: dict[str, Any]
) -> None:
    """What was asked for a page that was not whole yet is asked again, and nothing else."""
    assert {"lanes": 1, "breaks": len(exchanges)} == project(exchanges, **operations).judge("LIM-004")


@pytest.mark.parametrize("number", [0, 1, 3])
def test_ERR_001_passes_on_an_error_of_an_operation_that_a_listing_is_read_with(project: Any, number: int) -> None:
    """Its own rules say what its answer means, also where another operation is what was called."""
    refused = got(SINGLES[number]["request"]["url"].partition("/v1")[2], {}, {"state": "locked"}, status=409)
    refused["request"] = SINGLES[number]["request"]
    rule = {"when": {"status": 409}, "means": "forbidden"}
    own = {"list": {"pagination": CURSOR, "hydrate": HYDRATE}, "get": {**GET, "errors": [rule]}}
    hydrated = project([*SINGLES[:number], refused], **own)

    assert {"errors": 1, "codes": 0, "messages": 0} == hydrated.judge("ERR-001")


def test_ERR_002_passes_on_a_single_record_that_has_a_state(project: Any) -> None:
    """An answer is judged as what it answers: a record's own state is no word of the listing's."""
    failed = got("/rows/1", {}, {"row": {"id": 1, "name": "n1", "status": "failed"}})
    listing = {"list": {"pagination": CURSOR, "hydrate": HYDRATE}, "get": GET}

    assert {"answers": 5} == project([SINGLES[0], failed, *SINGLES[2:]], **listing).judge("ERR-002")
