"""Each DRF check passes on a whole project with contracts, and fails on each way to differ from them."""

from __future__ import annotations

from typing import Any

import pytest
from projects import CHECK, Project

from connproof.errors import ConfigWrong
from pytest_connproof.checks import targets
from pytest_connproof.contracts import contract_path, contract_text
from pytest_connproof.finding import Finding, Inconclusive

FILE = "recordings/deals.json"
CONTRACT = "contract/deals.list.schema.json"
FIRST = "/lanes/0/exchanges/0/response/json/results/0"
RECORD = "/properties/results/items"


def _with_contracts(project: Project) -> Project:
    subject = project.subject()
    for operation, answers in subject.answers.items():
        path = contract_path(project.path("").resolve(), operation)
        path.parent.mkdir(exist_ok=True)
        path.write_text(contract_text(operation, answers.seen))
    return project


@pytest.fixture
def agreed(deals: Project) -> Project:
    """The deals with a contract for each operation, told from their recordings."""
    return _with_contracts(deals)


@pytest.mark.parametrize(
    ("check", "target", "evidence"),
    [
        ("DRF-001", "deals.list", {"answers": 3, "places": 13}),
        ("DRF-001", "deals.get", {"answers": 1, "places": 8}),
        ("DRF-002", "deals.list", {"places": 13, "notes": 0}),
        ("DRF-003", "", {"contracts": 2}),
    ],
)
def test_DRF_passes_with_counts(agreed: Project, check: str, target: str, evidence: dict[str, int]) -> None:
    """A pass says how much it looked at."""
    assert evidence == agreed.judge(check, target)


def test_DRF_passes_where_answers_fit_a_file_that_people_can_read(finder: Project) -> None:
    """The contract of DRF-001 is a schema: one member a line, types on one line."""
    _with_contracts(finder)

    assert (
        "{\n"
        '  "$schema": "https://json-schema.org/draft/2020-12/schema",\n'
        '  "title": "hits.search",\n'
        '  "type": "object",\n'
        '  "properties": {\n'
        '    "hits": {\n'
        '      "type": "array",\n'
        '      "items": {\n'
        '        "type": "object",\n'
        '        "properties": {\n'
        '          "id": {\n'
        '            "type": "integer"\n'
        "          },\n"
        '          "title": {\n'
        '            "type": "string"\n'
        "          }\n"
        "        },\n"
        '        "required": [\n'
        '          "id",\n'
        '          "title"\n'
        "        ]\n"
        "      }\n"
        "    },\n"
        '    "next_page": {\n'
        '      "type": ["string", "null"]\n'
        "    }\n"
        "  },\n"
        '  "required": [\n'
        '    "hits",\n'
        '    "next_page"\n'
        "  ]\n"
        "}\n"
    ) == finder.path("contract/hits.search.schema.json").read_text()


@pytest.mark.parametrize(
    ("check", "expected"),
    [("DRF-001", ["deals.list", "deals.get"]), ("DRF-002", ["deals.list", "deals.get"]), ("DRF-003", [""])],
)
def test_DRF_applies_where_there_are_contracts(agreed: Project, check: str, expected: list[str]) -> None:
    """Judged on each operation that has answers."""
    assert expected == list(targets(CHECK[check], agreed.subject()))


@pytest.mark.parametrize("check", ["DRF-001", "DRF-002", "DRF-003"])
def test_DRF_does_not_apply_without_contracts(deals: Project, check: str) -> None:
    """Nothing was agreed on."""
    assert [] == list(targets(CHECK[check], deals.subject()))


# DRF-001


def test_DRF_001_fails_where_what_the_mapping_reads_is_of_another_type(agreed: Project) -> None:
    """Each place, what was expected, how often something else was seen, and the line that reads it."""
    agreed.change(FILE, f"{FIRST}/properties/amount", "1.5")

    with pytest.raises(Finding) as found:
        agreed.judge("DRF-001", "deals.list")

    assert (
        "1 place that the config reads is not as in the contract\n"
        "\n"
        "  differ     results[*].properties.amount  retyped: number -> string (1 of 5)\n"
        "  read by    connectors/deals/connector.json:43  /unified/crm.deal/fields/amount\n"
        "  contract   connectors/deals/contract/deals.list.schema.json\n"
        "  fix        let the config follow the provider; then connproof drift --update, and review the contract"
    ) == str(found.value)


@pytest.mark.parametrize(
    ("spoil", "place"),
    [
        (
            lambda deals: deals.drop(FILE, f"{FIRST}/properties/stage"),
            "results[*].properties.stage  no_longer_required",
        ),
        (lambda deals: deals.change(FILE, f"{FIRST}/updatedAt", "1 October"), "results[*].updatedAt  reformatted"),
        (lambda deals: deals.change(FILE, f"{FIRST}/id", 101), "results[*].id  retyped"),
        (lambda deals: deals.drop(CONTRACT, "/properties/paging"), "paging  new"),
        (
            lambda deals: deals.change(FILE, "/lanes/0/exchanges/0/response/json/paging", "c2"),
            "paging  retyped",
        ),
        (lambda deals: deals.drop(CONTRACT, f"{RECORD}/properties/id"), "results[*].id  "),
    ],
)
def test_DRF_001_fails_on_each_kind_of_drift_in_what_is_read(agreed: Project, spoil: Any, place: str) -> None:
    """By pagination, by key, by an expression: at the place, or on the way to it."""
    spoil(agreed)
    if "id  " in place and place.endswith("  "):
        agreed.change(CONTRACT, f"{RECORD}/required", ["properties", "updatedAt"])

    with pytest.raises(Finding) as found:
        agreed.judge("DRF-001", "deals.list")

    assert place in found.value.facts


def test_DRF_001_fails_on_an_operation_that_nobody_agreed_on(agreed: Project) -> None:
    """Beside others that have one, a missing contract is a doubt."""
    agreed.path(CONTRACT).unlink()

    with pytest.raises(Inconclusive) as doubt:
        agreed.judge("DRF-001", "deals.list")

    assert (
        "deals.list has no contract, so nothing says what its answers were like\n"
        "  fix  connproof drift deals --update, then review deals.list.schema.json as you would code"
    ) == str(doubt.value)


def test_DRF_001_passes_over_the_shape_of_errors(agreed: Project) -> None:
    """What an error looks like is no part of the contract."""
    agreed.change(FILE, "/lanes/1/exchanges/0/response/json", {"results": "none"})

    assert {"answers": 3, "places": 13} == agreed.judge("DRF-001", "deals.list")


# DRF-002


def test_DRF_002_fails_on_drift_that_nothing_reads(agreed: Project) -> None:
    """It breaks nothing that is known, and nobody has looked yet."""
    agreed.change(CONTRACT, f"{RECORD}/properties/archived", {"type": "boolean"})
    agreed.change(CONTRACT, f"{RECORD}/required", ["archived", "id", "properties", "updatedAt"])

    with pytest.raises(Inconclusive) as doubt:
        agreed.judge("DRF-002", "deals.list")

    assert (
        "the answers differ from the contract in what the config does not read: results[*].archived removed\n"
        "  fix  see connproof drift deals; with --update the contract is what you see, for you to review"
    ) == str(doubt.value)
    assert 3 == agreed.judge("DRF-001", "deals.list")["answers"]


def test_DRF_002_passes_with_a_new_member_that_nothing_reads(agreed: Project) -> None:
    """What is added breaks nobody: it is counted."""
    agreed.change(FILE, f"{FIRST}/archived", False)

    assert {"places": 14, "notes": 1} == agreed.judge("DRF-002", "deals.list")


# DRF-003


@pytest.mark.parametrize(
    ("pointer", "value", "message"),
    [
        (f"{RECORD}/minimum", 1, 'unknown member "minimum"'),
        (f"{RECORD}/typ", "object", 'unknown member "typ" (did you mean "type"?)'),
        ("/properties/results/type", "list", "is not a valid word here"),
        ("/title", "deals.lst", 'is not "deals.list", the operation the file is named by'),
    ],
)
def test_DRF_003_fails_on_a_contract_that_is_none(agreed: Project, pointer: str, value: Any, message: str) -> None:
    """A word that nothing compares would promise what nobody holds."""
    agreed.change(CONTRACT, pointer, value)

    with pytest.raises(ConfigWrong) as wrong:
        agreed.judge("DRF-003")

    assert message in str(wrong.value)
    assert "connectors/deals/contract/deals.list.schema.json:" in str(wrong.value)


def test_DRF_003_fails_on_a_contract_of_no_operation(agreed: Project) -> None:
    """It would be held against nothing."""
    agreed.path(CONTRACT).rename(agreed.path("contract/deal.list.schema.json"))

    with pytest.raises(Finding) as found:
        agreed.judge("DRF-003")

    assert (
        'there is a contract for "deal.list", which is no operation of the config\n'
        "\n"
        "  left over   connectors/deals/contract/deal.list.schema.json\n"
        '  fix         did you mean "deals.list"? else remove it, as connproof drift --update does'
    ) == str(found.value)


def test_contracts_are_part_of_what_a_verdict_rests_on(agreed: Project) -> None:
    """A certificate says which contracts it was given by."""
    before = agreed.subject().digests["contract"]
    agreed.change(CONTRACT, "/description", "reviewed")

    assert before != agreed.subject().digests["contract"]
