"""Each VER check passes on a whole project with something counted, and fails on each way to be wrong."""

from __future__ import annotations

from typing import Any

import pytest
from projects import CHECK, Project, renew, renewed_exchanges

from pytest_connproof.checks import targets
from pytest_connproof.finding import Finding, Inconclusive

FILE = "recordings/deals.json"
ANSWER = "/lanes/0/exchanges/1/response"
JSON = ["content-type", "application/json"]


def _announce(project: Project, *headers: list[str]) -> None:
    project.change(FILE, f"{ANSWER}/headers", [JSON, *headers])


def _version(project: Project, **said: Any) -> None:
    """Let the config say so of its version too."""
    version = {"value": "2026-07", "in": "header", "name": "x-api-version", **said}
    project.change("connector.json", "/api_version", version)


@pytest.mark.parametrize(
    ("check", "evidence"), [("VER-001", {"requests": 5}), ("VER-002", {"answers": 5, "announcements": 0})]
)
def test_VER_passes_with_counts(deals: Project, check: str, evidence: dict[str, int]) -> None:
    """A pass says how much it looked at."""
    assert evidence == deals.judge(check)


def test_VER_002_passes_without_the_answers_to_token_requests(deals: Project) -> None:
    """They are of another endpoint: nobody looks in them for the end of the API's version, and they are not counted."""
    before = deals.judge("VER-002")["answers"]
    renew(deals)

    assert before + len(renewed_exchanges()) - 1 == deals.judge("VER-002")["answers"]


def test_VER_003_passes_with_counts(deals: Project) -> None:
    """Each operation that says its version is counted."""
    _version(deals, served={"header": "X-Served"})
    _announce(deals, ["x-served", "2026-07"])

    assert {"operations": 1} == deals.judge("VER-003")


@pytest.mark.parametrize(("check", "applies"), [("VER-001", False), ("VER-002", True), ("VER-003", False)])
def test_V1_nothing_is_asked_of_a_provider_without_versions(finder: Project, check: str, *, applies: bool) -> None:
    """What answers announce is heard all the same."""
    assert applies is bool(list(targets(CHECK[check], finder.subject())))


# VER-001


def test_VER_001_fails_on_a_request_of_another_version(deals: Project) -> None:
    """Traffic of another version proves nothing of this one."""
    deals.change(FILE, "/lanes/0/exchanges/1/request/headers/1", ["x-api-version", "2025-01"])

    with pytest.raises(Finding) as found:
        deals.judge("VER-001")

    assert (
        "deals.list/2 does not ask for version 2026-07\n"
        "\n"
        "  expected   header x-api-version  2026-07\n"
        "  recorded   header x-api-version  2025-01\n"
        "  config     connectors/deals/connector.json:4 api_version\n"
        "  evidence   deals.json  /lanes/0/exchanges/1\n"
        "  fix        record the version that the config targets, or correct where it is sent"
    ) == str(found.value)


def _in_path(project: Project, path: str = "/{api_version}/deals") -> None:
    project.change("connector.json", "/base_url", "https://api.deals.example")
    project.change("connector.json", "/api_version", {"value": "v1", "in": "path"})
    project.change("connector.json", "/resources/deals/list/path", path)
    project.change("connector.json", "/resources/deals/get/path", "/{api_version}/deals/{id}")


def _in_query(project: Project) -> None:
    project.change("connector.json", "/api_version", {"value": "100", "in": "query", "name": "limit"})


def _in_body(project: Project) -> None:
    project.change("connector.json", "/api_version", {"value": "urn:v2", "in": "namespace"})
    project.change("connector.json", "/resources/hits/search/body", {"filter": "{api_version}"})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda deals: _in_path(deals, "/{api_version}x/deals"), "path  v1x"),
        (lambda deals: _in_path(deals, "/crm-{api_version}/deals"), "path  crm-v1"),
        (_in_query, "query limit  100"),
        (
            lambda deals: deals.change(
                "connector.json", "/api_version", {"value": "2026-07", "in": "header", "name": "x-other"}
            ),
            "header x-other  2026-07",
        ),
    ],
)
def test_VER_001_fails_wherever_the_config_puts_the_version(deals: Project, change: Any, message: str) -> None:
    """In a segment of the path, a parameter, a header: V1."""
    change(deals)

    with pytest.raises(Finding) as found:
        deals.judge("VER-001")

    assert message in found.value.facts


def test_V1_version_in_the_path_passes(deals: Project) -> None:
    """VER-001: its segment stands in the address of every request."""
    _in_path(deals)

    assert {"requests": 5} == deals.judge("VER-001")


def test_V1_version_behind_an_origin_of_the_account_passes(deals: Project) -> None:
    """VER-001: a base that starts with a variable has a path as any other; A7."""
    _in_path(deals)
    deals.change("connector.json", "/base_url", "{origin}/{api_version}")
    deals.change("connector.json", "/variables", {"origin": {"pattern": "https://[a-z]+\\.deals\\.example"}})
    deals.change("connector.json", "/resources/deals/list/path", "/deals")
    deals.change("connector.json", "/resources/deals/get/path", "/deals/{id}")
    deals.change("accounts/example.json", "/variables", {"origin": "https://api.deals.example"})

    assert {"requests": 5} == deals.judge("VER-001")


def test_V1_version_in_the_query_passes(deals: Project) -> None:
    """VER-001: the parameter has its value. Here the recorded page size stands for one."""
    deals.change("connector.json", "/api_version", {"value": "2", "in": "query", "name": "limit"})
    deals.drop(FILE, "/lanes/2")

    assert {"requests": 4} == deals.judge("VER-001")


def test_V1_version_in_the_body_passes(finder: Project) -> None:
    """VER-001: as a namespace, in the body's text."""
    _in_body(finder)
    for number in (0, 1):
        finder.change("recordings/hits.json", f"/lanes/0/exchanges/{number}/request/json/filter", "urn:v2")

    assert {"requests": 2} == finder.judge("VER-001")


def test_V1_addresses_of_the_provider_are_not_asked(deals: Project) -> None:
    """VER-001: a page that the provider's link leads to has the provider's address."""
    _in_path(deals)
    pagination = {"type": "next_url", "next_url_field": "next"}
    deals.change("connector.json", "/resources/deals/list/pagination", pagination)
    deals.change(FILE, "/lanes/0/exchanges/1/request/url", "https://api.deals.example/pages/2")

    assert {"requests": 3} == deals.judge("VER-001")


def test_VER_001_fails_without_a_request_that_could_say_it(deals: Project) -> None:
    """Where nothing was recorded, nothing is known."""
    deals.change(FILE, "/lanes", [])

    with pytest.raises(Inconclusive, match="no recorded request has a place for version 2026-07"):
        deals.judge("VER-001")


def test_VER_001_fails_where_a_body_lacks_the_version(finder: Project) -> None:
    """V1: as a namespace."""
    _in_body(finder)

    with pytest.raises(Finding, match="does not ask for version urn:v2"):
        finder.judge("VER-001")


# VER-002


def test_VER_002_fails_on_a_sunset_within_the_horizon(deals: Project) -> None:
    """What ends, when, who said so, and how to say that it is known."""
    _announce(deals, ["sunset", "Mon, 11 Jan 2027 00:00:00 GMT"])

    with pytest.raises(Finding) as found:
        deals.judge("VER-002")

    assert (
        "an answer to deals.list announces what the config does not know: "
        "sunset on 2027-01-11, 49 days after 2026-11-23\n"
        "\n"
        "  said by    sunset\n"
        "  evidence   deals.json  exchange deals.list/2\n"
        "  horizon    180 days\n"
        '  fix        move on; until then say "sunset" in the operation\'s "ending", or in api_version'
    ) == str(found.value)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (["sunset", "Tue, 30 Jun 2020 00:00:00 GMT"], "sunset on 2020-06-30, 2337 days before 2026-11-23"),
        (["deprecation", "@1688169599"], "deprecated on 2023-06-30"),
        (["deprecation", "true"], "deprecated"),
        (["link", '<https://docs.example/v1>; rel="deprecation"'], "deprecated"),
        (["warning", '299 - "Deprecated Fields: amount"'], "deprecated"),
    ],
)
def test_VER_002_fails_on_each_way_to_announce_an_end(deals: Project, header: list[str], said: str) -> None:
    """V2: past, without a day, by a link, by a warning."""
    _announce(deals, header)

    with pytest.raises(Finding) as found:
        deals.judge("VER-002")

    assert said in found.value.what


def test_VER_002_fails_on_the_providers_own_header(deals: Project) -> None:
    """V2: where the config names it."""
    _announce(deals, ["x-deals-deprecated-reason", "https://deals.example/why"])
    assert {"answers": 5, "announcements": 0} == deals.judge("VER-002")
    _version(deals, deprecation_headers=["X-Deals-Deprecated-Reason"])

    with pytest.raises(Finding) as found:
        deals.judge("VER-002")

    assert "x-deals-deprecated-reason: https://deals.example/why" in found.value.facts


@pytest.mark.parametrize(
    ("said", "header"),
    [
        ({"sunset": "2027-01-11"}, ["sunset", "Mon, 11 Jan 2027 00:00:00 GMT"]),
        ({"sunset": "2027-01"}, ["sunset", "Mon, 11 Jan 2027 00:00:00 GMT"]),
        ({"deprecated": "2026-06"}, ["deprecation", "true"]),
        ({}, ["sunset", "Mon, 11 Oct 2027 00:00:00 GMT"]),
        ({}, ["sunset", "soon"]),
        ({}, ["link", '<https://a.example/v2>; rel="successor-version"']),
        ({}, ["warning", '299 - "Slow day"']),
    ],
)
def test_V2_what_is_known_or_far_passes(deals: Project, said: dict[str, str], header: list[str]) -> None:
    """VER-002: it is counted. What cannot be read ends nothing."""
    _version(deals, **said)
    _announce(deals, header)

    assert {"answers": 5, "announcements": 1} == deals.judge("VER-002")


def test_V2_horizon_is_the_runs_own(deals: Project) -> None:
    """VER-002: with a shorter one, what is 49 days away is not due, and it passes."""
    _announce(deals, ["sunset", "Mon, 11 Jan 2027 00:00:00 GMT"])

    assert {"answers": 5, "announcements": 1} == deals.judge("VER-002", horizon_days=48)


def test_VER_002_fails_on_a_version_that_ended_by_the_configs_own_word(deals: Project) -> None:
    """Known or not: evidence of what is served no more is a doubt."""
    _version(deals, sunset="2026-11-01")

    with pytest.raises(Inconclusive) as doubt:
        deals.judge("VER-002")

    assert (
        "the config itself says that its version ended: sunset 2026-11-01, 22 days before 2026-11-23\n"
        "  fix  move to what is served, and record it"
    ) == str(doubt.value)


# VER-003


def test_VER_003_fails_where_another_version_was_served(deals: Project) -> None:
    """V3: a provider that has ended a version goes on with another."""
    _version(deals, served={"header": "X-Served"})
    _announce(deals, ["x-served", "2026-10"])

    with pytest.raises(Finding) as found:
        deals.judge("VER-003")

    assert (
        "the provider served another version than the one asked for\n"
        "\n"
        "  asked      2026-07   connectors/deals/connector.json:5\n"
        "  served     2026-10   x-served\n"
        "  evidence   deals.json  exchange deals.list/2\n"
        "  fix        target a version that is served; the one asked for may have ended"
    ) == str(found.value)


def test_VER_003_fails_where_a_body_names_another_version(deals: Project) -> None:
    """V3: at a place of the body."""
    _version(deals, served={"body": "meta.version"})
    deals.change(FILE, f"{ANSWER}/json/meta", {"version": "2026-10"})

    with pytest.raises(Finding, match="another version"):
        deals.judge("VER-003")


def test_VER_003_fails_where_no_answer_says_it(deals: Project) -> None:
    """The config says where; a place that never holds anything is a doubt."""
    _version(deals, served={"header": "X-Served"})

    with pytest.raises(Inconclusive, match="no recorded answer says which version it is of"):
        deals.judge("VER-003")


# The end of one operation.


def test_V2_end_of_an_operation_is_known_by_itself(finder: Project) -> None:
    """VER-002: also where the provider has no versions; what is known passes."""
    header = ["sunset", "Mon, 11 Jan 2027 00:00:00 GMT"]
    finder.change("recordings/hits.json", "/lanes/0/exchanges/0/response/headers", [JSON, header])
    finder.change("connector.json", "/resources/hits/search/ending", {"sunset": "2027-01"})

    assert {"answers": 2, "announcements": 1} == finder.judge("VER-002")


def test_VER_002_fails_where_another_operation_is_known_to_end(deals: Project) -> None:
    """Of one operation nothing follows for another."""
    deals.change("connector.json", "/resources/deals/get/ending", {"sunset": "2027-01"})
    _announce(deals, ["sunset", "Mon, 11 Jan 2027 00:00:00 GMT"])

    with pytest.raises(Finding, match=r"an answer to deals\.list announces"):
        deals.judge("VER-002")


def test_VER_002_fails_on_an_operation_that_ended_by_the_configs_own_word(deals: Project) -> None:
    """As of the version as a whole."""
    deals.change("connector.json", "/resources/deals/get/ending", {"sunset": "2026-10"})

    with pytest.raises(Inconclusive, match=r"the config itself says that deals\.get ended: sunset 2026-10"):
        deals.judge("VER-002")
