"""RPL, RET and ERR on a provider that answers in XML: what is looked at in JSON is looked at there too."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from projects import Description, Project, build

from pytest_connproof.finding import Finding, Inconclusive

XML: list[list[str]] = [["content-type", "text/xml"]]


def _answer(number: int, *names: str) -> list[str]:
    items = [f"<Row><Id>{number}{at}</Id><Name>{name}</Name></Row>" for at, name in enumerate(names)]
    return [f"<Rows><Total>2</Total><Data>{''.join(items)}</Data></Rows>"]


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Two pages of rows, and a throttle that a proxy answers with a page of its own."""
    url = "https://api.rows.example/v1/rows"

    def exchange(lane: str, page: int, status: int, headers: list[list[str]], text: list[str]) -> dict[str, Any]:
        return {
            "id": f"{lane}/{page}",
            "request": {"method": "GET", "url": url, "query": [["page", str(page)]]},
            "response": {"status": status, "headers": headers, "text": text},
        }

    first = _answer(1, "Rope &amp; net", "Sail")
    busy = ["<html><body>Too many requests</body></html>"]
    lanes = {
        "rows.list": [(200, XML, first), (200, XML, _answer(2, "Oar"))],
        "rows.list#busy": [(200, XML, first), (429, [["content-type", "text/html"]], busy)],
    }
    recorded = [
        {"id": lane, "order": "strict", "exchanges": [exchange(lane, at, *one) for at, one in enumerate(answers, 1)]}
        for lane, answers in lanes.items()
    ]
    listing = {
        "method": "GET",
        "path": "/rows",
        "response_path": "Rows.Data.Row",
        "pagination": {"type": "page", "page_param": "page", "total_field": "Rows.Total", "total_counts": "pages"},
    }
    documents = {
        "connectors/rows/connector.json": {
            "base_url": "https://api.rows.example/v1",
            "auth": {"type": "none"},
            "decode": {"type": "xml", "force_list": ["Rows.Data.Row"]},
            "error_code": "Fault.Code",
            "resources": {"rows": {"list": listing}},
        },
        "connectors/rows/recordings/rows.json": {
            "format": "connproof-recording/1",
            "provenance": {"kind": "synthetic", "written_at": "2026-11-01", "source": "invented for the tests"},
            "lanes": recorded,
        },
    }
    monkeypatch.chdir(tmp_path)
    return build(Description("rows", MappingProxyType(documents)), tmp_path)


def test_RPL_001_fails_on_a_cursor_beside_the_one_in_the_XML(rows: Project) -> None:
    """The hint names the place in the XML at which the next page stands."""
    words = {"type": "cursor", "cursor_field": "Rows.Nxet", "cursor_param": "page"}
    rows.change("connector.json", "/resources/rows/list/pagination", words)
    lane = rows.read("recordings/rows.json")["lanes"][0]
    first, second = lane["exchanges"]
    del first["request"]["query"]
    first["response"]["text"] = ["<Rows><Data><Row><Id>10</Id></Row></Data><Next>2</Next></Rows>"]
    rows.change("recordings/rows.json", "/lanes", [{**lane, "exchanges": [first, second]}])

    with pytest.raises(Finding) as found:
        rows.judge("RPL-001", "rows.list")

    assert 'read from "Rows.Nxet"' in found.value.facts
    assert 'the recording offers "Rows.Next"' in found.value.facts


def test_RPL_006_finds_what_the_paging_reads_in_XML(rows: Project) -> None:
    """A total is one in either form."""
    assert {"listings": 1, "pages": 2} == rows.judge("RPL-006")


def test_RPL_006_fails_with_a_doubt_on_a_total_that_is_not_in_the_XML(rows: Project) -> None:
    """Where no page has it, nothing shows what the config reads there."""
    rows.change("connector.json", "/resources/rows/list/pagination/total_field", "Rows.Sum")

    with pytest.raises(Inconclusive, match=r'total_field "Rows\.Sum" of rows\.list'):
        rows.judge("RPL-006")


def test_RET_001_marks_the_texts_of_XML(rows: Project) -> None:
    """Three names arrive with the canary; a name that needs escaping stays one text."""
    assert {"lanes": 1, "canaries": 3} == rows.judge("RET-001")


def test_ERR_001_takes_a_page_of_HTML_for_no_XML(rows: Project) -> None:
    """Such a page names no code and need not, even where it is well-formed."""
    assert 1 == rows.judge("ERR-001")["errors"]
