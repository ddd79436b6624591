"""The gate as a whole: each way to be wrong turns its own check red, and no word of a config can change unnoticed."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from projects import DEALS, FINDER, ORDERS, Description, Project

from connproof.errors import ConfigWrong
from pytest_connproof.recording import RecordingUnfit

pytest_plugins = ["pytester"]

RECORDING = "recordings/deals.json"
SNAPSHOT = "/snapshots/deals/deals.list.json"
PAGE = "/lanes/0/exchanges"

DOUBTS = {"RPL-001": "inconclusive", "RPL-003": "inconclusive", "RPL-004": "inconclusive", "RPL-005": "inconclusive"}
ALTERED = dict.fromkeys(("RPL-007", "RPL-008", "RPL-009"), "inconclusive")  # faults are put into a lane that is read
UNMATCHED = {
    "RPL-002": "refuted",
    **DOUBTS,
    **ALTERED,
    "PAR-001": "inconclusive",
    "PAR-002": "inconclusive",
    "LIM-004": "inconclusive",
}
UNREAD = ("RPL-006", "PAR-003", "LIM-001", "ERR-001", "MAP-001", "MAP-002", "MAP-003")
UNREAD_TOO = ("OVR-001", "OVR-002", "OVR-003", "OVR-004", "RET-001", "RET-002")
NOTHING_READ = {**UNMATCHED, **dict.fromkeys((*UNREAD, *UNREAD_TOO), "inconclusive")}
BROKEN = {
    "RPL-001": "inconclusive",
    "RPL-004": "refuted",
    "RPL-007": "inconclusive",
    "RPL-008": "inconclusive",
    "RPL-005": "inconclusive",
    "PAR-001": "refuted",
    "PAR-002": "refuted",
    "LIM-004": "inconclusive",
}


@pytest.mark.parametrize("name", ["deals", "finder", "orders"])
def test_a_whole_project_falls_short_of_nothing(request: pytest.FixtureRequest, name: str) -> None:
    """What the other tests break is whole to begin with."""
    project: Project = request.getfixturevalue(name)

    assert {} == project.fallen()


def _own_cursor(deals: Project) -> None:
    deals.change(RECORDING, f"{PAGE}/1/response/json/paging/next/after", "c2")


def _page_twice(deals: Project) -> None:
    _own_cursor(deals)
    deals.change("connector.json", "/resources/deals/list/pagination/allow_repeats", True)


def _one_record_more(deals: Project) -> None:
    records = deals.read(SNAPSHOT)["records"]
    deals.change(SNAPSHOT, "/records", [*records, {**records[0], "id": "106"}])


@pytest.mark.parametrize(
    ("wrong", "fallen"),
    [
        pytest.param(
            lambda deals: deals.edit("connector.json", '"paging.next.after"', '"paging.nxet.after"'),
            {
                "RPL-001": "refuted",
                "PAR-001": "refuted",
                "PAR-002": "refuted",
                "RPL-006": "inconclusive",
                "LIM-004": "inconclusive",
                **ALTERED,
            },
            id="cursor_field",
        ),
        pytest.param(
            lambda deals: deals.edit("connector.json", '"response_path": "results"', '"response_path": "result"'),
            {**BROKEN, "RPL-006": "inconclusive"},
            id="response_path",
        ),
        pytest.param(
            lambda deals: deals.edit("connector.json", '"properties.stage"', '"properties.stoge"'),
            {"PAR-001": "refuted", "PAR-003": "inconclusive"},
            id="mapped expression",
        ),
        pytest.param(
            lambda deals: deals.edit("connector.json", '"deals-2"', '"deals-3"'),
            NOTHING_READ,
            id="header value",
        ),
        pytest.param(
            lambda deals: deals.edit("connector.json", '"x-feature"', '"x-feotures"'),
            {**NOTHING_READ, "REC-002": "refuted"},
            id="header name",
        ),
        pytest.param(
            lambda deals: deals.edit(SNAPSHOT, '"amount": 20', '"amount": 21'),
            {"PAR-001": "refuted"},
            id="snapshot value",
        ),
        pytest.param(_one_record_more, {"PAR-001": "refuted"}, id="record lost"),
        pytest.param(lambda deals: deals.record(deals.exchanges()[:2]), UNMATCHED, id="extra request"),
        pytest.param(
            lambda deals: deals.drop(RECORDING, f"{PAGE}/1/response/json/paging"),
            {"RPL-001": "refuted", "PAR-001": "refuted", "PAR-002": "refuted", **ALTERED},
            id="missing request",
        ),
        pytest.param(_page_twice, UNMATCHED, id="page visited twice"),
        pytest.param(_own_cursor, {**BROKEN, **ALTERED}, id="repeated cursor"),
        pytest.param(
            lambda deals: deals.change("connector.json", "/auth/token_path", "refresh_token"),
            {"RPL-003": "refuted"},
            id="another credential",
        ),
        pytest.param(
            lambda deals: deals.drop(RECORDING, "/lanes/2"),
            {"RPL-001": "inconclusive", "PAR-005": "refuted"},
            id="operation without a recording",
        ),
        pytest.param(
            lambda deals: deals.path(SNAPSHOT).unlink(),
            {"PAR-001": "inconclusive", "PAR-002": "inconclusive"},
            id="no snapshot",
        ),
        pytest.param(
            lambda deals: deals.change(RECORDING, "/provenance/written_at", "2025-11-22"),
            {"REC-004": "inconclusive"},
            id="stale recording",
        ),
        pytest.param(
            lambda deals: deals.change(RECORDING, "/provenance/api_version", "2026-01"),
            {"REC-005": "refuted"},
            id="another version",
        ),
        pytest.param(lambda deals: deals.waive("/amount", "value"), {"PAR-004": "refuted"}, id="unused waiver"),
        pytest.param(
            lambda deals: deals.waive("", "requests", lane="deals.list"),
            {"PAR-004": "refuted"},
            id="unused waiver of requests",
        ),
    ],
)
def test_what_is_wrong_turns_its_own_check_red(
    deals: Project, wrong: Callable[[Project], None], fallen: dict[str, str]
) -> None:
    """The check that it concerns says so; what only follows from it is a doubt, never a pass of its own."""
    wrong(deals)

    assert fallen == deals.fallen()


# Mutants: every member of a config taken out, every value changed.

Path_ = tuple[str, ...]

# Words for people, and what no recorded traffic can tell from what it was.
UNNOTICED = {
    ("deals", "auth/token_path", "out"): "its default is the same",
    ("deals", "resources/deals/list/key", "out"): "the key guards against repetition alone",
    ("deals", "resources/deals/get/key", "out"): "as above",
    ("deals", "connector", "out"): "the folder has the name",
    ("finder", "connector", "out"): "the folder has the name",
    ("finder", "resources/hits/search/key", "out"): "the snapshot knows the key by itself",
    ("orders", "connector", "out"): "the folder has the name",
    ("orders", "auth/key_path", "out"): "its default is the same",
    ("orders", "resources/orders/list/key", "out"): "the key guards against repetition alone",
    ("orders", "resources/orders/get/key", "out"): "as above",
    ("orders", "resources/imports/create/batch/max", "changed"): "no recorded batch is full",
    ("orders", "error_code", "out"): "what is not declared is not missed while the errors name something",
    ("orders", "error_message", "out"): "as above",
    ("orders", "errors/0/when/status", "out"): "the body alone decides here",
    ("orders", "rate_limit/throttled/0/when/status", "out"): "as above",
    ("orders", "rate_limit/throttled/0/wait", "out"): "a wait that is not declared is told to nobody",
    ("orders", "rate_limit/budgets", "out"): "as above, of a quota",
    ("orders", "rate_limit/budgets/0/name", "changed"): "the provider has no name for it",
    ("orders", "rate_limit/budgets/0/limit", "out"): "a part of a quota that is not declared is told to nobody",
    ("orders", "rate_limit/budgets/0/remaining", "out"): "as above",
    ("orders", "rate_limit/budgets/0/reset", "out"): "as above",
}


def _members(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*path, str(name))
            yield from _members(inner, (*path, str(name)))


def _at(value: Any, path: Path_) -> Any:
    for step in path:
        value = value[int(step) if isinstance(value, list) else step]
    return value


def _changed(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else f"{value}x"


def _mutants(description: Description) -> Iterator[Any]:
    name = description.name
    config = description.documents[f"connectors/{name}/connector.json"]
    for path in _members(config):
        here = _at(config, path)
        for how in ("out", *(() if isinstance(here, dict | list) else ("changed",))):
            if (name, "/".join(path), how) not in UNNOTICED:
                yield pytest.param(name, path, how, id=f"{name}:{'/'.join(path)}:{how}")


def _mutate(project: Project, path: Path_, how: str) -> None:
    config = copy.deepcopy(project.read("connector.json"))
    here = _at(config, path[:-1])
    last: Any = int(path[-1]) if isinstance(here, list) else path[-1]
    if how == "out":
        del here[last]
    else:
        here[last] = _changed(here[last])
    project.write("connector.json", config)


def _is_noticed(project: Project) -> bool:
    try:
        return project.fallen() != {}
    except ConfigWrong:
        return True


@pytest.mark.parametrize(("name", "path", "how"), [*_mutants(DEALS), *_mutants(FINDER), *_mutants(ORDERS)])
def test_no_word_of_a_config_changes_unnoticed(
    request: pytest.FixtureRequest, name: str, path: Path_, how: str
) -> None:
    """Take a word out, or change it: some check no longer passes."""
    project: Project = request.getfixturevalue(name)

    _mutate(project, path, how)

    assert _is_noticed(project)


@pytest.mark.parametrize(("name", "path", "how"), [pytest.param(*key, id=":".join(key)) for key in UNNOTICED])
def test_what_goes_unnoticed_is_known(request: pytest.FixtureRequest, name: str, path: str, how: str) -> None:
    """The list of exceptions holds nothing that a check has learnt to notice."""
    project: Project = request.getfixturevalue(name)

    _mutate(project, tuple(path.split("/")), how)

    assert not _is_noticed(project)


# As pytest runs it.


def _run(pytester: pytest.Pytester, project: Project, *arguments: str) -> tuple[int, str]:
    result = pytester.runpytest_inprocess(
        str(project.root / "connectors"), "--rootdir", str(project.root), "--as-of", "2026-11-23", *arguments
    )
    return int(result.ret), result.stdout.str()


def _certificate(project: Project) -> Any:
    return json.loads((project.root / "certificates" / "deals.json").read_text())


def test_a_waived_difference_is_certified_with_its_waiver(deals: Project, pytester: pytest.Pytester) -> None:
    """What is meant does not stand in the way, and stands in the certificate with reason, owner and last day."""
    deals.edit(SNAPSHOT, '"amount": 20', '"amount": 21')
    deals.waive("/amount", "value")

    code, _ = _run(pytester, deals, "--certify")
    certificate = _certificate(deals)

    assert (0, "certified") == (code, certificate["verdict"])
    assert [
        {
            "lane": "*",
            "path": "/amount",
            "kind": "value",
            "reason": "meant to be so",
            "owner": "deals team",
            "expires": "2027-01-01",
        }
    ] == certificate["waivers"]


def test_a_certificate_says_how_tokens_were_refreshed(deals: Project, pytester: pytest.Pytester) -> None:
    """Under which rotation, and in how many orders; null where no token is refreshed."""
    _run(pytester, deals, "--certify")
    before = _certificate(deals)
    token = {"url": "https://id.deals.example/token", "client_auth": "none"}
    auth = {"type": "oauth2", "token_path": "access_token", "token": token, "rotation": {"grace_s": 60}}
    deals.change("connector.json", "/auth", auth)
    account = deals.read("accounts/example.json")["credentials"]
    deals.change("accounts/example.json", "/credentials", {**account, "refresh_token": "example-r", "client_id": "c"})

    code, _ = _run(pytester, deals, "--certify", "-m", "tokens")
    after = _certificate(deals)

    assert (None, 3, 60) == (before["rotation"], code, after["rotation"])
    assert ["TOK-001", "TOK-002", "TOK-003", "TOK-004"] == [*after["evidence"]]
    assert all(evidence["schedules"] > 2 for evidence in after["evidence"].values())


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--certify", "--schedule", "0,1"), "--certify searches all schedules"),
        (("--certify", "--provider-rotation", "none"), "--certify goes by what the config declares"),
        (("--provider-rotation", "strct"), "--provider-rotation strct: write none, strict, or the seconds of grace"),
        (("--provider-case", "records=7 size=3 live_ende"), '--provider-case: no habit of a provider: "live_ende"'),
        (("--provider-case", "records=7 size=3 live_ende"), 'did you mean "live_end"?'),
        (("--provider-rotation", "0"), "--provider-rotation 0: write none, strict, or the seconds of grace"),
    ],
)
def test_what_is_played_by_hand_certifies_nothing(
    deals: Project,
    pytester: pytest.Pytester,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    told: str,
) -> None:
    """One schedule is no search, and another provider is not the one that is declared."""
    code, _ = _run(pytester, deals, *options)

    assert pytest.ExitCode.USAGE_ERROR == code
    assert told in capsys.readouterr().err


def test_a_refuted_run_takes_no_promise_back(deals: Project, pytester: pytest.Pytester) -> None:
    """A field that is gone is refuted today, and tomorrow too: the certificate between keeps what was promised."""
    _run(pytester, deals, "--certify")
    promised = _certificate(deals)["surface"]
    deals.drop("connector.json", "/unified/crm.deal/fields/stage")

    codes = [_run(pytester, deals, "--certify")[0] for _ in range(2)]
    certificate = _certificate(deals)

    assert [1, 1] == codes
    assert ("refuted", promised) == (certificate["verdict"], certificate["surface"])
    assert any(
        reason.startswith("CFG-005: the last certificate promised more: 1 gone") for reason in certificate["reasons"]
    )


def test_a_run_that_takes_snapshots_certifies_nothing(deals: Project, pytester: pytest.Pytester) -> None:
    """Compared with itself everything is equal: the two are refused together; the run after it proves something."""
    for path in deals.path("/snapshots/deals").iterdir():
        path.unlink()

    runs = (["--certify", "--snapshot-update"], ["--snapshot-update"], ["--certify"])
    codes = [_run(pytester, deals, *options)[0] for options in runs]

    assert [pytest.ExitCode.USAGE_ERROR, 0, 0] == codes


@pytest.mark.parametrize("inside", ["connectors", "connectors/deals"])
def test_a_run_from_inside_finds_the_snapshots(deals: Project, monkeypatch: pytest.MonkeyPatch, inside: str) -> None:
    """Where somebody stands decides nothing."""
    monkeypatch.chdir(deals.root / inside)
    file = Path("connector.json") if inside.endswith("deals") else Path("deals/connector.json")
    there = Project(deals.root, "deals")

    subject = type(there.subject())(file, there.subject().settings)

    assert {"deals.get", "deals.list", "deals.list#throttled"} == {*subject.snapshots.lanes()}
    assert ["crm.deal"] == [*subject.models]


def test_a_truncated_recording_is_an_error_of_its_own(deals: Project) -> None:
    """REC-001 cannot be judged, nor can whatever rests on the file; nothing of it passes as an empty recording."""
    text = deals.path(RECORDING).read_text()
    deals.write(RECORDING, text[: len(text) // 2])

    fallen = deals.fallen()

    assert {"REC-001": "error", "CFG-002": "inconclusive", "RPL-001": "inconclusive"}.items() <= fallen.items()
    with pytest.raises(RecordingUnfit):
        deals.judge("REC-001", "deals.json")
