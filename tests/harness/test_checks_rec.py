"""Each REC check passes on a whole project with something counted, and fails on each way to be wrong."""

from __future__ import annotations

from typing import Any

import pytest
from projects import Project

from pytest_connproof.finding import Finding, Inconclusive
from pytest_connproof.recording import RecordingUnfit

FILE = "recordings/deals.json"
RECORD = "/lanes/0/exchanges/0/response/json/results/0"
LIVE_LOOKING = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"


@pytest.mark.parametrize(
    ("check", "evidence"),
    [
        ("REC-001", {"lanes": 3, "exchanges": 5}),
        ("REC-003", {"statements": 1}),
        ("REC-004", {"recordings": 1}),
        ("REC-005", {"recordings": 1, "versions": 1}),
        ("REC-006", {"lanes": 3}),
    ],
)
def test_REC_passes_with_counts(deals: Project, check: str, evidence: dict[str, int]) -> None:
    """A pass says how much it looked at."""
    assert evidence == deals.judge(check, "deals.json")


def test_REC_002_passes_with_counts(deals: Project) -> None:
    """The whole file was looked through."""
    assert {"bytes": deals.path(FILE).stat().st_size} == deals.judge("REC-002", "deals.json")


# REC-001


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "  connectors/deals/recordings/deals.json:1:1  /  is empty (restore the file, or record it again)"),
        ("{}", 'not a recording: it has no member "format" that says "connproof-recording/1"'),
        ('{"format": "connproof-recording/2"}', 'unknown format "connproof-recording/2"'),
        ('{"format": "connproof-recording/1", "format": "x"}', "'format' stands here a second time"),
    ],
)
def test_REC_001_fails_on_what_is_no_recording(deals: Project, text: str, message: str) -> None:
    """A file that cannot be read whole is an error with its place, never an empty recording."""
    deals.write(FILE, text)

    with pytest.raises(RecordingUnfit) as unfit:
        deals.judge("REC-001", "deals.json")

    assert message in str(unfit.value)


def test_REC_001_fails_on_a_truncated_recording(deals: Project) -> None:
    """A recording that stops in its middle says where."""
    text = deals.path(FILE).read_text()
    deals.write(FILE, text[: text.index('"deals.list/2"')])

    with pytest.raises(RecordingUnfit) as unfit:
        deals.judge("REC-001", "deals.json")

    assert "connectors/deals/recordings/deals.json has 2 problems" == str(unfit.value).split("\n")[0]
    assert "in its middle (restore the file, or record it again)" in str(unfit.value)


def test_REC_001_fails_on_an_exchange_that_stands_twice(deals: Project) -> None:
    """Two exchanges of one id cannot be told apart in any message."""
    deals.change(FILE, "/lanes/0/exchanges/1/id", "deals.list/1")

    with pytest.raises(RecordingUnfit, match=r"a second exchange 'deals\.list/1' \(the first is on line"):
        deals.judge("REC-001", "deals.json")


# REC-002


@pytest.mark.parametrize(
    ("pointer", "value", "rule"),
    [
        ("/lanes/0/exchanges/0/request/headers/2/1", f"Bearer {LIVE_LOOKING}", "not redacted: authorization"),
        (
            "/lanes/0/exchanges/0/response/json/results/0/properties/dealname",
            LIVE_LOOKING,
            "not redacted: access_token",
        ),
        (f"{RECORD}/properties/owner", "ada@corp.com", "not redacted: email"),
        ("/lanes/0/exchanges/0/response/headers/0/0", "x-internal-host", "a header that is not on the allow-list"),
    ],
)
def test_REC_002_fails_on_what_the_redactor_would_change(deals: Project, pointer: str, value: str, rule: str) -> None:
    """One finding with its line, and never the value itself."""
    deals.change(FILE, pointer, value)

    with pytest.raises(Finding) as found:
        deals.judge("REC-002", "deals.json")

    assert "1 value of deals.json would be redacted" == found.value.what
    assert rule in found.value.facts
    assert value not in str(found.value)


def test_REC_002_fails_with_the_line_and_what_to_do(deals: Project) -> None:
    """Whoever reads the message knows to have the credential revoked first."""
    deals.change(FILE, "/lanes/0/exchanges/0/request/headers/2/1", f"Bearer {LIVE_LOOKING}")
    line = deals.subject().recording("deals.json").source.line("/lanes/0/exchanges/0/request/headers/2/1")

    with pytest.raises(Finding) as found:
        deals.judge("REC-002", "deals.json")

    lines = str(found.value).split("\n")
    assert "1 value of deals.json would be redacted" == lines[0]
    assert lines[2].startswith(f"  found   connectors/deals/recordings/deals.json:{line}:")
    assert lines[2].endswith(
        "/lanes/0/exchanges/0/request/headers/2/1  not redacted: authorization (record it again, or write a "
        "placeholder in its place)"
    )
    assert (
        "  fix     if any of it is real, have it revoked first; then import or record anew, which redacts" == lines[3]
    )


# REC-003

TAKEN = {"kind": "recorded", "recorded_at": "2026-11-01T08:00:00Z", "source": "a sandbox", "api_version": "2026-07"}


def test_REC_003_passes_on_real_traffic_that_says_how_it_was_taken(deals: Project) -> None:
    """What was recorded by a program, which redacted it, says both."""
    redaction = {"rules": {"authorization": 5}, "proved": ["raw"]}
    deals.change(FILE, "/provenance", {**TAKEN, "recorder": "connproof 0.1.0", "redaction": redaction})

    assert {"statements": 3} == deals.judge("REC-003", "deals.json")


def test_REC_003_fails_on_a_file_written_by_hand_that_calls_itself_recorded(deals: Project) -> None:
    """Nothing is called recorded that no program recorded."""
    deals.change(FILE, "/provenance", TAKEN)

    with pytest.raises(Finding) as found:
        deals.judge("REC-003", "deals.json")

    assert (
        'a recording of kind "recorded" must say its recorder and its redaction\n'
        "\n"
        "  recording   connectors/deals/recordings/deals.json:3\n"
        '  fix         say it truthfully; what was written by hand is of kind "documented"'
    ) == str(found.value)


def test_REC_003_fails_on_a_blank_source(deals: Project) -> None:
    """A blank says nothing."""
    deals.change(FILE, "/provenance/source", " ")

    with pytest.raises(Finding, match='a recording of kind "documented" must say its source'):
        deals.judge("REC-003", "deals.json")


@pytest.mark.parametrize("word", ["source", "written_at", "kind"])
def test_REC_003_fails_on_provenance_that_the_format_demands(deals: Project, word: str) -> None:
    """Without them a file is no recording."""
    deals.drop(FILE, f"/provenance/{word}")

    with pytest.raises(RecordingUnfit, match=f'"{word}" is missing'):
        deals.judge("REC-003", "deals.json")


# REC-004


def test_REC_004_passes_on_its_last_day(deals: Project) -> None:
    """Fresh means: not older than the run allows, that day included."""
    assert {"recordings": 1} == deals.judge("REC-004", "deals.json", max_age_days=22)


def test_REC_004_fails_on_a_stale_recording(deals: Project) -> None:
    """Old evidence is no finding, and no pass."""
    with pytest.raises(Inconclusive) as doubt:
        deals.judge("REC-004", "deals.json", max_age_days=21)

    assert (
        "deals.json is stale: made 2026-11-01, 22 days before 2026-11-23 (at most 21)\n"
        "  fix  record it anew, or allow more with --max-age-days"
    ) == str(doubt.value)


def test_REC_004_passes_a_recording_from_where_it_is_tomorrow_already(deals: Project) -> None:
    """A recorder east of the run may be a day ahead of it."""
    deals.change(FILE, "/provenance/written_at", "2026-11-24")

    assert {"recordings": 1} == deals.judge("REC-004", "deals.json")


def test_REC_004_fails_on_a_recording_of_the_future(deals: Project) -> None:
    """Nobody records the traffic of the day after tomorrow."""
    deals.change(FILE, "/provenance/written_at", "2026-11-25")

    with pytest.raises(Finding) as found:
        deals.judge("REC-004", "deals.json")

    assert (
        "deals.json says that it was made after the day of this run\n"
        "\n"
        "  made    2026-11-25\n"
        "  as of   2026-11-23\n"
        "  fix     correct the provenance"
    ) == str(found.value)


def test_REC_004_fails_on_a_recording_without_a_day(deals: Project) -> None:
    """What does not say when it was made may be of any age."""
    provenance = {"kind": "imported", "source": "an old suite", "origin": "har: a.har", "api_version": "2026-07"}
    deals.change(FILE, "/provenance", provenance)

    with pytest.raises(Inconclusive, match=r"deals\.json does not say when it was made"):
        deals.judge("REC-004", "deals.json")


# REC-005


def test_REC_005_fails_on_another_version(deals: Project) -> None:
    """Traffic of another version says nothing of this one."""
    deals.change(FILE, "/provenance/api_version", "2025-01")

    with pytest.raises(Finding) as found:
        deals.judge("REC-005", "deals.json")

    assert (
        "deals.json was made with another API version\n"
        "\n"
        "  config      2026-07   connectors/deals/connector.json:5\n"
        "  recording   2025-01   deals.json /provenance/api_version\n"
        "  fix         record the version that the config targets"
    ) == str(found.value)


@pytest.mark.parametrize(
    ("file", "pointer", "message"),
    [
        (FILE, "/provenance/api_version", "deals.json does not say its API version; the other says 2026-07"),
        ("connector.json", "/api_version", "the config does not say its API version; the other says 2026-07"),
    ],
)
def test_REC_005_fails_where_one_side_is_silent(deals: Project, file: str, pointer: str, message: str) -> None:
    """A version that one side does not say cannot be compared."""
    deals.drop(file, pointer)

    with pytest.raises(Inconclusive, match=message):
        deals.judge("REC-005", "deals.json")


def test_REC_005_passes_where_the_provider_has_no_versions(finder: Project) -> None:
    """Neither side says one: there is none."""
    assert {"recordings": 1} == finder.judge("REC-005", "hits.json")


# REC-006


def test_REC_006_fails_on_a_lane_of_no_operation(deals: Project) -> None:
    """A lane that replays nothing would be evidence of nothing."""
    deals.change(FILE, "/lanes/0/id", "deal.list")

    with pytest.raises(Finding) as found:
        deals.judge("REC-006", "deals.json")

    assert (
        'the lane "deal.list" replays an operation that the config does not have\n'
        "\n"
        "  lane   connectors/deals/recordings/deals.json:10\n"
        '  fix    did you mean "deals.list"?'
    ) == str(found.value)


@pytest.mark.parametrize("target", ["deals.json", "more.json"])
def test_REC_006_fails_on_a_lane_in_two_recordings(deals: Project, target: str) -> None:
    """Lanes are known by their ids: of two with one id, only one would ever be replayed."""
    document: Any = deals.read(FILE)
    deals.write("recordings/more.json", {**document, "lanes": document["lanes"][:1]})

    with pytest.raises(Finding) as found:
        deals.judge("REC-006", target)

    assert 'the lane "deals.list" stands in two recordings: only one would be replayed' == found.value.what
    assert "also in   connectors/deals/recordings/" in found.value.facts
    assert "fix       tell them apart by a scenario: deals.list#another" in found.value.facts
