"""The pytest plugin as its user meets it: ids, options, exit codes, certificates, and what it says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeAlias
from xml.etree import ElementTree as ET

import pytest
from shop import (
    DAY,
    DEALS,
    Done,
    Project,
    config,
    contract,
    pytest_in_process,
    recording,
    snapshot,
)

from pytest_connproof.checks import CHECKS, rpl

pytest_plugins = ["pytester"]

Run: TypeAlias = Callable[..., Done]


# The shop has one recording with one lane. It maps to no unified model, has no contract, and its provider no versions,
# no limits, no errors, no batches and no refresh.
OF_NO_SHOP = {
    "RPL-009",
    "PAR-003",
    "LIM-001",
    "LIM-002",
    "LIM-003",
    "ERR-001",
    "ERR-003",
    "ERR-004",
    "TOK-001",
    "TOK-002",
    "TOK-003",
    "TOK-004",
    "TOK-005",
    "OVR-001",
    "OVR-002",
    "DRF-003",
    "VER-001",
    "VER-003",
}
OF_CONNECTOR = [check for check in CHECKS if check.scope == "connector" and check.id not in OF_NO_SHOP]
OF_RECORDING = [check for check in CHECKS if check.scope == "recording"]
OF_LANE = [check for check in CHECKS if check.scope in {"lane", "operation"} and check.id not in OF_NO_SHOP]
OF_LISTING = [check for check in CHECKS if check.scope == "listing" and check.id not in OF_NO_SHOP]
ITEMS = len(OF_CONNECTOR) + len(OF_RECORDING) + len(OF_LANE) + len(OF_LISTING)


def of_family(family: str) -> int:
    return sum(check.family == family for check in (*OF_CONNECTOR, *OF_RECORDING, *OF_LANE, *OF_LISTING))


FAILING_TEST = "def test_of_somebody_else():\n    assert False\n"


@pytest.fixture
def shop(pytester: pytest.Pytester) -> Project:
    """A project with one connector, which is certified as it stands."""
    project = Project(pytester.path)
    project.connector()
    return project


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Runs pytest in the current folder."""
    return partial(pytest_in_process, pytester)


def ids(done: Done) -> list[str]:
    """The node ids that `--collect-only -q` lists."""
    return [line for line in done.text.splitlines() if "::" in line]


def words(value: object) -> str:
    """A parameter's name in the id of its test."""
    return " ".join(value) if isinstance(value, list) else str(value)


def failed(done: Done) -> list[str]:
    """The node ids of what failed, by the run's own summary."""
    return [line.split()[1] for line in done.text.splitlines() if line.startswith("FAILED ")]


# What is collected.


@pytest.mark.usefixtures("shop")
def test_ids_say_connector_target_and_check(run: Run) -> None:
    """Each check is one item, the whole connector's without a target, its parity last."""
    file = "connectors/shop/connector.json"

    listed = ids(run("connectors", "--collect-only", "-q"))

    assert listed == [
        *(f"{file}::{check.id}" for check in OF_CONNECTOR if check.family != "par"),
        *(f"{file}::deals.json::{check.id}" for check in OF_RECORDING),
        *(f"{file}::deals.list::{check.id}" for check in CHECKS if check in OF_LANE or check in OF_LISTING),
        *(f"{file}::{check.id}" for check in OF_CONNECTOR if check.family == "par"),
    ]


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (["-k", "shop"], ITEMS),
        (["-k", "deals.list"], len(OF_LANE) + len(OF_LISTING)),
        (["-k", "PAR-001"], 1),
        (["-m", "config"], of_family("cfg")),
        (["-m", "recording"], of_family("rec")),
        (["-m", "replay"], of_family("rpl")),
        (["-m", "parity"], of_family("par")),
        (["-m", "pagination"], of_family("pag")),
        (["-m", "limits"], of_family("lim")),
        (["-m", "errors"], of_family("err")),
        (["-m", "retention"], of_family("ret")),
        (["-m", "connproof"], ITEMS),
        (["-m", "not connproof"], 0),
        (["--deselect", "connectors/shop/connector.json::CFG-001"], ITEMS - 1),
    ],
    ids=words,
)
def test_checks_are_chosen_as_tests_are(run: Run, chosen: list[str], expected: int) -> None:
    """By name, by family and by id, with pytest's own options and its strict markers."""
    assert expected == len(ids(run("connectors", "--collect-only", "-q", "--strict-markers", *chosen)))


@pytest.mark.parametrize(
    "path",
    [
        "connectors",
        "connectors/",
        "./connectors/shop",
        "connectors/shop/connector.json",
        "connectors/shop/../shop/connector.json",
        "{root}/connectors",
        "{root}/connectors/shop/connector.json",
    ],
)
def test_paths_are_given_in_any_form(shop: Project, run: Run, path: str) -> None:
    """Relative or absolute, the folder of connectors, one connector or its file."""
    assert ITEMS == len(ids(run(path.format(root=shop.root), "--collect-only", "-q")))


@pytest.mark.usefixtures("shop")
def test_one_check_runs_by_its_id(run: Run) -> None:
    """What a report names can be pasted behind pytest."""
    done = run("connectors/shop/connector.json::deals.list::PAR-001", "-v")

    assert 0 == done.code
    assert "connectors/shop/connector.json::deals.list::PAR-001 PASSED" in done.text
    assert "1 passed" in done.text


@pytest.mark.usefixtures("shop")
def test_an_id_that_there_is_not_is_refused(run: Run) -> None:
    """A misspelt id is no empty success."""
    done = run("connectors/shop/connector.json::deals.list::PAR-999")

    assert pytest.ExitCode.USAGE_ERROR == done.code
    assert "PAR-999" in done.text


def test_connector_json_elsewhere_is_not_ours(pytester: pytest.Pytester, run: Run) -> None:
    """Other programs have files of this name: at the root, in any folder, in the folder of connectors itself."""
    project = Project(pytester.path)
    for path in ("connector.json", "deploy/connector.json", "deploy/sink/connector.json", "connectors/connector.json"):
        project.write(path, {"tasks.max": "1"})

    done = run()

    assert pytest.ExitCode.NO_TESTS_COLLECTED == done.code
    assert "connproof =" not in done.text


def test_a_connector_elsewhere_is_collected_by_name(pytester: pytest.Pytester, run: Run) -> None:
    """A file that is named outright is meant."""
    Project(pytester.path).connector(connectors="drafts")

    assert ITEMS == len(ids(run("drafts/shop/connector.json", "--collect-only", "-q")))


def test_folders_of_connectors_may_have_another_name(pytester: pytest.Pytester, run: Run) -> None:
    """The ini option says which; then one called connectors is none of ours."""
    project = Project(pytester.path)
    project.connector(connectors="integrations")
    project.connector("other")
    project.write("pytest.ini", "[pytest]\nconnproof_connectors = integrations\n")

    done = run("--certify")

    assert 0 == done.code
    assert ["shop"] == [Path(name).stem for name in project.files() if name.startswith("certificates/")]


def test_two_folders_of_connectors_in_one_run(pytester: pytest.Pytester, run: Run) -> None:
    """Each has its snapshots and its certificates beside it."""
    project = Project(pytester.path)
    project.connector("shop", connectors="crm/connectors")
    project.connector("shop", connectors="erp/connectors")

    done = run("crm/connectors", "erp/connectors", "--certify")

    assert 0 == done.code
    assert {"crm/certificates/shop.json", "erp/certificates/shop.json"} <= set(project.files())
    assert project.read("crm/certificates/shop.json") == project.read("erp/certificates/shop.json")


@pytest.mark.parametrize("name", ["my shop", "bäckerei", "Shop-2"])
def test_folders_have_any_name(pytester: pytest.Pytester, run: Run, name: str) -> None:
    """A space, a letter outside ASCII and a capital are no obstacle."""
    project = Project(pytester.path)
    project.connector(name)

    done = run("connectors", "--certify")
    alone = run(f"connectors/{name}/connector.json::deals.list::PAR-001")

    assert 0 == done.code
    assert name == project.read(f"certificates/{name}.json")["connector"]
    assert "1 passed" in alone.text


@pytest.mark.parametrize(
    ("folder", "path"),
    [(".", "connectors"), ("connectors", "."), ("connectors", "shop"), ("connectors/shop", "connector.json")],
)
def test_from_any_folder(shop: Project, run: Run, monkeypatch: pytest.MonkeyPatch, folder: str, path: str) -> None:
    """Models, snapshots and certificates are found beside the connector, not beside the caller."""
    run("connectors", "--certify")
    first = shop.files()
    monkeypatch.chdir(shop.root / folder)

    done = run(path, "--certify")

    assert 0 == done.code, done.text
    assert first == shop.files()


# Options.


def test_help_tells_the_options(run: Run) -> None:
    """Each with what it does."""
    shown = run("--help").text

    for word in (
        "--certify",
        "--certificates=DIR",
        "--as-of=DATE",
        "--max-age-days=N",
        "--horizon-days=N",
        "connproof_connectors",
    ):
        assert word in shown


def test_markers_are_told(run: Run) -> None:
    """`pytest --markers` names each family."""
    shown = run("--markers").text

    for word in ("connproof", "config", "recording", "replay", "parity", "tokens", "drift", "versions"):
        assert f"@pytest.mark.{word}:" in shown


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("day", ["yesterday", "2026-13-01", "23.11.2026", ""])
def test_a_day_that_is_none_is_refused(run: Run, day: str) -> None:
    """Before anything is run, with the form that is meant."""
    done = run("connectors", f"--as-of={day}")

    assert pytest.ExitCode.USAGE_ERROR == done.code
    assert f"--as-of {day}: not a date; write it as 2026-11-23" in done.text


@pytest.mark.parametrize("update", ["--snapshot-update", "--snapshot-update-new-only"])
def test_a_run_does_not_certify_by_what_it_takes(shop: Project, run: Run, update: str) -> None:
    """A snapshot that nobody has reviewed is no baseline."""
    (shop.root / "snapshots/shop/deals.list.json").unlink()
    before = shop.files()

    done = run("connectors", "--certify", update)

    assert pytest.ExitCode.USAGE_ERROR == done.code
    assert "--certify judges by the snapshots: run --snapshot-update first, and review what it took" in done.text
    assert before == shop.files()


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(("days", "code"), [("22", 0), ("21", 3), ("0", 3)])
def test_age_is_judged_as_of_the_day(run: Run, days: str, code: int) -> None:
    """The last day of a recording counts; a recording one day older proves nothing any more."""
    assert code == run("connectors", "--certify", f"--max-age-days={days}").code


# An ordinary run.


def test_ordinary_run_shows_the_table_and_writes_nothing(shop: Project, run: Run) -> None:
    """It is a test run: the verdict is told, no file is made."""
    before = shop.files()

    done = run("connectors")

    assert 0 == done.code
    assert f"{ITEMS} passed" in done.text
    assert f"shop        certified    {ITEMS}/{ITEMS}           2         3        9   synthetic   engine" in done.text
    assert before == shop.files()


def test_what_is_inconclusive_is_skipped_with_its_reason(shop: Project, run: Run) -> None:
    """Never green: the reason stands in the summary of the skipped, and in the table."""
    (shop.root / "snapshots/shop/deals.list.json").unlink()

    done = run("connectors", "-rs")

    assert 0 == done.code
    assert f"{ITEMS - 3} passed, 3 skipped" in done.text
    assert "deals.list has no snapshot, so there is nothing to compare with" in done.text
    assert f"shop        inconclusive    {ITEMS - 3}/{ITEMS}" in done.text


def test_x_ends_the_run_at_the_first_failure(shop: Project, run: Run) -> None:
    """The rest is counted as not run, and the verdict is what is known."""
    shop.write("snapshots/shop/deals.list.json", snapshot(records=list(DEALS[:2]), requests=[]))

    failing = "connectors/shop/connector.json::deals.list::PAR-001"
    before = ids(run("connectors", "--collect-only", "-q")).index(failing)

    done = run("connectors", "-x", "--certify")

    assert 1 == done.code
    assert [failing] == failed(done)
    assert f"{ITEMS - before - 1} of {ITEMS} checks were not run" in done.text


def test_the_summary_line_says_why(shop: Project, run: Run) -> None:
    """One line a failure: its id, its word and what is wrong."""
    shop.write("snapshots/shop/deals.list.json", snapshot(requests=[]))

    done = run("connectors")

    assert (
        "FAILED connectors/shop/connector.json::deals.list::PAR-002 - REFUTED   2 requests; the baseline made 0"
        in done.text
    )


# Certifying: exit codes.


def test_certified_is_0(shop: Project, run: Run) -> None:
    """Every check that applies passed, with something counted."""
    done = run("connectors", "--certify")

    assert 0 == done.code
    assert "certificates: certificates (1 written)" in done.text
    assert "certified" == shop.read("certificates/shop.json")["verdict"]


def test_refuted_is_1(shop: Project, run: Run) -> None:
    """A finding, also where something else is inconclusive."""
    shop.write("snapshots/shop/deals.list.json", snapshot(records=list(DEALS[:2])))

    done = run("connectors", "--certify", "--max-age-days=1")

    assert 1 == done.code
    assert "connectors/shop/connector.json::deals.list::PAR-001  REFUTED   " in done.text
    assert "refuted" == shop.read("certificates/shop.json")["verdict"]


def test_inconclusive_is_3(shop: Project, run: Run) -> None:
    """Where an ordinary run skips, a certifying one fails."""
    (shop.root / "snapshots/shop/deals.list.json").unlink()

    done = run("connectors", "--certify")

    assert 3 == done.code
    assert "connectors/shop/connector.json::deals.list::PAR-001  INCONCLUSIVE   deals.list has no snapshot" in done.text
    assert 3 == len(failed(done))
    assert "inconclusive" == shop.read("certificates/shop.json")["verdict"]


def test_an_input_that_cannot_be_read_is_2(shop: Project, run: Run) -> None:
    """An error is no verdict: no certificate is written, also where a finding was made."""
    shop.write("connectors/shop/accounts/example.json", "{")
    shop.write("connectors/shop/code.py", "")

    done = run("connectors", "--certify")

    assert 2 == done.code
    assert "certificates/shop.json" not in shop.files()


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (None, 1),
        (("snapshots/shop/deals.list.json", snapshot(records=[])), 1),
        (("connectors/shop/recordings/deals.json", "{"), 2),
        (("snapshots/shop/deals.list.json", None), 1),
    ],
    ids=["certified", "refuted", "error", "inconclusive"],
)
def test_ordinary_tests_that_fail_are_not_covered_up(
    shop: Project, run: Run, broken: tuple[str, object] | None, code: int
) -> None:
    """In a run of checks and tests, a failing test makes it 1 at least."""
    shop.write("tests/test_theirs.py", FAILING_TEST)
    if broken and broken[1] is None:
        (shop.root / broken[0]).unlink()
    elif broken:
        shop.write(*broken)

    assert code == run("connectors", "tests", "--certify").code


def test_ordinary_tests_that_pass_change_nothing(shop: Project, run: Run) -> None:
    """Checks and tests live in one run."""
    shop.write("tests/test_theirs.py", "def test_of_somebody_else():\n    pass\n")

    done = run("connectors", "tests", "--certify")

    assert 0 == done.code
    assert f"{ITEMS + 1} passed" in done.text


def test_a_test_module_that_cannot_be_imported_is_2(shop: Project, run: Run) -> None:
    """pytest stops before any check: nothing is said of the connector."""
    shop.write("tests/test_theirs.py", "import there_is_no_such_module\n")

    done = run("connectors", "tests", "--certify")

    assert 2 == done.code
    assert "certificates/shop.json" not in shop.files()


@pytest.mark.parametrize(
    "arguments", [["tests"], ["connectors", "-k", "nothing"], ["tests", "-k", "nothing"]], ids=words
)
def test_certifying_nothing_is_2(shop: Project, run: Run, arguments: list[str]) -> None:
    """A run that judged no connector certifies none, and says so."""
    shop.write("tests/test_theirs.py", "def test_of_somebody_else():\n    pass\n")

    done = run(*arguments, "--certify")

    assert 2 == done.code
    assert "no check of a connector was run, so nothing is certified" in done.text
    assert "certificates/shop.json" not in shop.files()


def test_collecting_only_certifies_nothing(shop: Project, run: Run) -> None:
    """To look at what there is, is no failure and leaves nothing behind."""
    done = run("connectors", "--certify", "--collect-only")

    assert 0 == done.code
    assert "certificates/shop.json" not in shop.files()


# Certifying: what is written.


@pytest.mark.parametrize("chosen", [["-k", "PAR-001"], ["-m", "replay"]], ids=words)
def test_a_part_of_the_checks_is_inconclusive(shop: Project, run: Run, chosen: list[str]) -> None:
    """Whatever passed: the certificate says how much was not looked at."""
    done = run("connectors", "--certify", *chosen)
    certificate = shop.read("certificates/shop.json")

    assert 3 == done.code
    assert "inconclusive" == certificate["verdict"]
    assert [f"{ITEMS - len(certificate['checks'])} of {ITEMS} checks were not run"] == certificate["reasons"]
    assert certificate["reasons"][0] in done.text


def test_certificates_are_written_where_it_is_said(shop: Project, run: Run) -> None:
    """The folder is made; nothing stands beside the connectors then."""
    done = run("connectors", "--certify", "--certificates", "out/today")

    assert 0 == done.code
    assert "certificates: out/today (1 written)" in done.text
    assert "out/today/shop.json" in shop.files()
    assert "certificates/shop.json" not in shop.files()


def test_certificates_that_cannot_be_written_are_2(shop: Project, run: Run) -> None:
    """A certificate that nobody can read is none: what is in the way is told."""
    shop.write("taken", "a file")

    done = run("connectors", "--certify", "--certificates=taken")

    assert 2 == done.code
    assert "taken/shop.json could not be written: " in done.text
    assert "Traceback" not in done.text


def test_two_connectors_of_one_name_do_not_share_a_certificate(pytester: pytest.Pytester, run: Run) -> None:
    """Where both would be written into one file, neither is."""
    project = Project(pytester.path)
    project.connector("shop", connectors="crm/connectors")
    project.connector("shop", connectors="erp/connectors")

    done = run("crm/connectors", "erp/connectors", "--certify", "--certificates=out")

    assert 2 == done.code
    assert "crm/connectors/shop and erp/connectors/shop have one name" in done.text
    assert "out/shop.json" not in project.files()


def test_two_runs_write_the_same(shop: Project, run: Run) -> None:
    """No time, no host, no chance: byte for byte."""
    run("connectors", "--certify")
    first = shop.files()
    run("connectors", "--certify")

    assert first == shop.files()


def test_the_place_of_the_project_is_not_in_its_certificate(pytester: pytest.Pytester, run: Run) -> None:
    """The same files elsewhere give the same certificate, whatever it says."""
    project = Project(pytester.path)
    for place in ("here", "over there/deep"):
        project.connector(connectors=f"{place}/connectors")
        project.write(f"{place}/connectors/shop/code.py", "")
        project.write(f"{place}/snapshots/shop/deals.list.json", snapshot(records=[]))
    run("here/connectors", "over there/deep/connectors", "--certify")

    first = (project.root / "here/certificates/shop.json").read_bytes()

    assert "refuted" == json.loads(first)["verdict"]
    assert first == (project.root / "over there/deep/certificates/shop.json").read_bytes()


def test_the_order_in_which_files_were_made_is_not_in_the_certificate(pytester: pytest.Pytester, run: Run) -> None:
    """What a folder lists first is chance."""
    project = Project(pytester.path)
    lanes = {name: recording(lanes=[{**recording()["lanes"][0], "id": f"deals.list#{name}"}]) for name in "abc"}
    for lane in lanes.values():
        for exchange in lane["lanes"][0]["exchanges"]:
            exchange["id"] = exchange["id"].replace("deals.list", lane["lanes"][0]["id"])
    for place, order in (("one", "abc"), ("two", "cba")):
        project.connector(connectors=f"{place}/connectors")
        for name in order:
            project.write(f"{place}/connectors/shop/recordings/{name}.json", lanes[name])
    run("one/connectors", "two/connectors", "--certify")

    first = project.read("one/certificates/shop.json")

    assert 6 == sum("has no snapshot" in reason for reason in first["reasons"])
    assert first == project.read("two/certificates/shop.json")


def test_an_item_that_is_named_twice_counts_once(shop: Project, run: Run) -> None:
    """Evidence is not doubled by the way in which checks are chosen."""
    run("connectors", "--certify")
    first = shop.files()

    done = run("connectors", "connectors/shop/connector.json::deals.list::PAR-001", "--keep-duplicates", "--certify")

    assert 0 == done.code
    assert first == shop.files()


def test_workers_write_the_same_certificates(shop: Project) -> None:
    """With pytest-xdist, checks run in any order in several processes: byte for byte, the reasons included."""
    pytest.importorskip("xdist", reason="pytest-xdist is not installed")
    shop.connector("other")
    shop.write("connectors/shop/code.py", "")
    shop.write("snapshots/shop/deals.list.json", snapshot(records=[]))
    shop.write("snapshots/shop/deals.list#gone.json", snapshot(lane="deals.list#gone"))
    alone = shop.run("pytest", "connectors", "--certify", f"--as-of={DAY}")
    first = shop.files()

    done = shop.run("pytest", "connectors", "--certify", f"--as-of={DAY}", "-n2")

    assert 1 == alone.code
    assert 1 == done.code
    assert "refuted" == shop.read("certificates/shop.json")["verdict"]
    assert "certified" == shop.read("certificates/other.json")["verdict"]
    assert first == shop.files()


def test_certify_says_whose_drift_is_not_watched(shop: Project, run: Run) -> None:
    """Without a contract nothing is held against one: no check says so, so the run does."""
    told = "drift is not watched, for want of a contract: shop; connproof drift shop --update writes one"
    without = run("connectors", "--certify").text
    ordinary = run("connectors").text
    shop.write("connectors/shop/contract/deals.list.schema.json", contract("deals.list"))

    assert told in without
    assert told not in ordinary
    assert "drift is not watched" not in run("connectors", "--certify").text


# Certifying: errors.


def test_a_broken_config_is_one_item_with_all_its_problems(shop: Project, run: Run) -> None:
    """Nothing else can be judged then; the connectors beside it are."""
    shop.connector("other")
    broken = config(base_urls="x")
    del broken["base_url"]
    broken["resources"]["deals"]["list"]["method"] = "FETCH"
    shop.write("connectors/shop/connector.json", broken)

    done = run("connectors", "--certify")

    assert 2 == done.code
    assert ["connectors/shop/connector.json::CFG-001"] == failed(done)
    assert "connectors/shop/connector.json::CFG-001  ERROR   connectors/shop/connector.json has 3 problems" in done.text
    assert 3 == done.text.count("\n  connectors/shop/connector.json:")
    assert "certified" == shop.read("certificates/other.json")["verdict"]
    assert "certificates/shop.json" not in shop.files()


def test_a_certificate_of_an_earlier_run_is_not_taken_for_this_one(shop: Project, run: Run) -> None:
    """A run without a verdict writes none, and says that the one that lies there is not its own."""
    run("connectors", "--certify")
    shop.write("connectors/shop/connector.json", {})

    done = run("connectors", "--certify")

    file = shop.root / "certificates" / "shop.json"
    assert f"{file.relative_to(shop.root)} is of an earlier run: this one reached no verdict" in done.text
    assert 2 == done.code


def test_a_truncated_recording_is_an_error(shop: Project, run: Run) -> None:
    """It is never read as an empty one; where it ends is told once."""
    text = json.dumps(recording(), indent=2)
    shop.write("connectors/shop/recordings/deals.json", text[: len(text) // 2])

    done = run("connectors", "--certify")

    assert 2 == done.code
    assert "connectors/shop/connector.json::deals.json::REC-001  ERROR   " in done.text
    assert "in its middle" in done.text
    assert "certificates/shop.json" not in shop.files()


def test_a_defect_of_a_check_is_no_verdict(shop: Project, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A harness that fails says so, with its frames, and certifies nothing."""

    def broken(*_: object) -> object:
        return None + 1  # type: ignore[operator]  # the defect

    monkeypatch.setattr(rpl, "records_in", broken)

    done = run("connectors", "--certify")

    assert 2 == done.code
    assert "connectors/shop/connector.json::deals.list::RPL-005  ERROR   the harness itself failed" in done.text
    assert "TypeError" in done.text
    assert "shop        error" in done.text
    assert "certificates/shop.json" not in shop.files()


@pytest.mark.parametrize(
    "path", ["snapshots/shop/deals.list.json", "connectors/shop/deviations.json"], ids=["snapshot", "deviations"]
)
def test_what_a_certificate_is_made_from_must_be_readable(shop: Project, run: Run, path: str) -> None:
    """Also where no chosen check reads it: an error, not a crash."""
    shop.write(path, "[")

    done = run("connectors", "--certify", "-k", "CFG-001")

    assert 2 == done.code
    assert f"{path} has 1 problem" in done.text
    assert "Traceback" not in done.text
    assert "certificates/shop.json" not in shop.files()


# Interrupted.

WAITING_TEST = """\
import signal, sys

def test_waits(capfd):
    with capfd.disabled():
        print("waiting", flush=True)
    signal.pause()
"""


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        (["connectors", "tests"], "the run was interrupted, so no certificate is written"),
        (["tests", "connectors"], "no check of a connector was run, so nothing is certified"),
    ],
    ids=["after the checks", "before the checks"],
)
@pytest.mark.parametrize("command", [["pytest", "--certify"], ["connproof", "certify"]], ids=words)
def test_ctrl_c_certifies_nothing(shop: Project, command: list[str], paths: list[str], said: str) -> None:
    """Not even what was judged: the old certificate stays, no file is left half written, and the code is 2."""
    shop.write("tests/test_waits.py", WAITING_TEST)
    shop.write("certificates/shop.json", {"verdict": "of an earlier run"})
    before = shop.files()

    done = shop.interrupted(*command, *paths, f"--as-of={DAY}", "-pno:cacheprovider", when="waiting")

    assert 2 == done.code
    assert "KeyboardInterrupt" in done.text
    assert said in done.text
    assert before == shop.files()


# JUnit.


def test_junit_tells_check_and_evidence(shop: Project, run: Run) -> None:
    """Each check is a test case, with what it says as properties."""
    shop.write("snapshots/shop/deals.list.json", snapshot(requests=[]))
    run("connectors", "--junit-xml=out.xml")

    cases = dict(junit(shop.root / "out.xml"))

    assert ITEMS == len(cases)
    assert {
        "connproof.check": "PAR-001",
        "connproof.target": "deals.list",
        "connproof.outcome": "passed",
        "connproof.evidence": '{"records": 3, "fields": 9, "waived": 0, "outcomes": 1}',
        "connproof.reason": "",
    } == cases["connectors.shop.connector.json.deals.list PAR-001"]
    assert {
        "connproof.check": "PAR-002",
        "connproof.target": "deals.list",
        "connproof.outcome": "refuted",
        "connproof.evidence": "{}",
        "connproof.reason": "2 requests; the baseline made 0",
    } == cases["connectors.shop.connector.json.deals.list PAR-002"]


def junit(file: Path) -> Iterator[tuple[str, dict[str, str]]]:
    for case in ET.parse(file).getroot().iter("testcase"):
        properties = {said.attrib["name"]: said.attrib["value"] for said in case.iter("property")}
        properties.pop("connproof.connector")
        yield f"{case.attrib['classname']} {case.attrib['name']}", properties


# Snapshots.


def test_snapshots_are_taken_and_then_hold(shop: Project, run: Run) -> None:
    """What the engine returns is stored as its own word, readable line by line; the next run compares."""
    (shop.root / "snapshots/shop/deals.list.json").unlink()

    run("connectors", "--snapshot-update")
    taken = shop.read("snapshots/shop/deals.list.json")

    assert {**snapshot(), "baseline": taken["baseline"]} == taken
    assert "engine" == taken["baseline"]["kind"]
    assert 0 == run("connectors", "--certify").code


def test_update_replaces_what_has_changed_and_removes_what_is_left_over(shop: Project, run: Run) -> None:
    """A snapshot of the engine's follows; one without a lane goes; what is equal keeps its bytes."""
    shop.connector("other")
    shop.write("snapshots/shop/deals.list.json", snapshot(records=[]))
    shop.write("snapshots/shop/deals.list#gone.json", snapshot(lane="deals.list#gone"))

    before = run("connectors")
    done = run("connectors", "--snapshot-update")

    assert "1 snapshot has no lane" in before.text
    assert 0 == done.code
    assert list(DEALS) == shop.read("snapshots/shop/deals.list.json")["records"]
    assert "snapshots/shop/deals.list#gone.json" not in shop.files()


def test_update_of_new_ones_changes_no_old_one(shop: Project, run: Run) -> None:
    """What is missing is taken; what differs still fails, and what is left over stays."""
    lanes = recording()["lanes"]
    again = json.loads(json.dumps(lanes[0]).replace("deals.list", "deals.list#again"))
    shop.write("connectors/shop/recordings/deals.json", recording(lanes=[*lanes, again]))
    shop.write("snapshots/shop/deals.list.json", snapshot(records=[]))
    shop.write("snapshots/shop/deals.list#gone.json", snapshot(lane="deals.list#gone"))
    before = shop.files()

    done = run("connectors", "--snapshot-update-new-only")

    assert 1 == done.code
    assert ["snapshots/shop/deals.list#again.json"] == sorted(set(shop.files()) - set(before))
    assert before == {name: shop.files()[name] for name in before}


def test_the_old_code_s_snapshot_is_never_overwritten(shop: Project, run: Run) -> None:
    """It is the contract that the config must meet; only people remove it."""
    shop.write(
        "snapshots/shop/deals.list.json",
        snapshot(records=list(DEALS[:2]), baseline={"kind": "old code", "by": "shop.py"}),
    )
    before = shop.files()

    done = run("connectors", "--snapshot-update")

    assert 1 == done.code
    assert ["connectors/shop/connector.json::deals.list::PAR-001"] == failed(done)
    assert before == shop.files()
