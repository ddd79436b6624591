"""connproof migrated: whether old code can be deleted, and each thing that can stand in its way."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any, Final, TypeAlias

import jsonschema
import pytest
from projects import Project
from shop import Done

from connproof.cli import main
from pytest_connproof.old_code import digest_of
from pytest_connproof.report.certificate import certificate, write
from pytest_connproof.verdict import Verdict

pytest.importorskip("tree_sitter_language_pack", reason="the extra [audit] has the grammars")

Told: TypeAlias = Callable[..., Done]

SNAPSHOT: Final = "/snapshots/deals/deals.list.json"
OLD: Final = "/old/deals.py"
DAY: Final = "2026-11-23"


@pytest.fixture
def told(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Told:
    """Runs `connproof migrated deals --legacy old/deals.py ...` as on the projects' day; stdout, then stderr."""
    monkeypatch.setenv("COLUMNS", "200")

    def ran(*options: str, legacy: tuple[str, ...] = ("old/deals.py",), tree: str = ".") -> Done:
        paths = [word for path in legacy for word in ("--legacy", path)]
        with pytest.raises(SystemExit) as left:
            main(["migrated", "deals", *paths, "--tree", tree, f"--as-of={DAY}", *options])
        assert isinstance(left.value.code, int)
        stdout, stderr = capfd.readouterr()
        return Done(left.value.code, stdout + stderr)

    return ran


def certified(project: Project, verdict: Any = "certified", *reasons: str) -> None:
    """A certificate of the project as it stands."""
    document = certificate(project.subject(), Verdict(verdict, reasons, {}), [])
    write(project.path("/certificates"), project.name, document)


def returned(project: Project, lane: str = "deals.list", **baseline: str) -> None:
    """Let a lane's baseline be what the old code returned, as it is today."""
    digest = digest_of([project.path(OLD)])
    said = {"kind": "old code", "by": "python old/deals.py", "commit": "5d0c0f2a9f5b", "digest": digest}
    project.change(f"/snapshots/deals/{lane}.json", "/baseline", {**said, **baseline})


@pytest.fixture
def moved(deals: Project) -> Project:
    """Deals that were moved: old code, its baseline of the list, and a certificate."""
    deals.write(OLD, "def fetch(): ...\n")
    returned(deals)
    certified(deals)
    return deals


@pytest.mark.usefixtures("moved")
def test_old_code_that_nothing_needs_can_be_deleted(told: Told) -> None:
    """What that rests on is told: the certificate, whose baseline, and how many files were looked at."""
    done = told()

    assert 0 == done.code
    assert (
        """\
old/deals.py  can be deleted

  connector    deals
  certificate  certified, of the files of today, until 2027-11-01
  baselines    deals.list  5 records, old code: python old/deals.py, commit 5d0c0f2a9f5b
  fields       6 mapped
  looked at    4 files below deals/
"""
    ) == done.text


def test_what_needs_it_stands_in_the_way(moved: Project, told: Told) -> None:
    """Imports and names, each with its line; tests and documents apart."""
    moved.write("/app/sync.py", "import os\nfrom old.deals import fetch\n")
    moved.write("/Dockerfile", 'CMD ["python", "old/deals.py"]\n')
    moved.write("/tests/test_old.py", "from old import deals\n")
    moved.write("/docs/old.md", "as old/deals.py had it\n")

    done = told()

    assert 1 == done.code
    assert done.text.startswith("old/deals.py  cannot be deleted yet\n")
    assert done.text.endswith(
        """
  in the way
    Dockerfile:1   names old/deals.py
                   take it out, or have it use the connector
    app/sync.py:2  imports old.deals
                   take it out, or have it use the connector

  tests that go with it, or are to be mended
    tests/test_old.py:1  imports old

  spoken of, in comments and documents
    docs/old.md:1  names old/deals.py
"""
    )


def test_tests_alone_do_not_stand_in_the_way(moved: Project, told: Told) -> None:
    """A test of the old code goes with it."""
    moved.write("/tests/test_old.py", "from old import deals\n")

    assert 0 == told().code


@pytest.mark.parametrize(
    ("spoil", "code", "says"),
    [
        (lambda deals: deals.path("/certificates/deals.json").unlink(), 3, "there is no certificate"),
        (lambda deals: deals.write("/certificates/deals.json", "{"), 3, "found the end of the file"),
        (lambda deals: deals.write("/certificates/deals.json", "{}"), 3, "is not of format connproof-certificate/1"),
        (
            lambda deals: deals.edit("connector.json", '"deals-2"', '"deals-2" '),
            3,
            "is of other files than today's: config",
        ),
        (
            lambda deals: deals.change("/certificates/deals.json", "/engine/digest", "sha256:0"),
            3,
            "is of other files than today's: connproof itself",
        ),
        (lambda deals: certified(deals, "inconclusive", "REC-004: too old"), 3, "inconclusive: REC-004: too old"),
        (lambda deals: certified(deals, "refuted", "PAG-001: lost"), 1, "refuted: PAG-001: lost"),
    ],
)
def test_only_a_certificate_of_todays_files_is_one(
    moved: Project, told: Told, spoil: Callable[[Project], None], code: int, says: str
) -> None:
    """None, an unreadable one, one of other files, one that says otherwise: each with how to make one."""
    spoil(moved)

    done = told()

    assert code == done.code
    assert says in done.text
    assert "connproof certify connectors/deals\n" in done.text


def test_a_certificate_that_is_no_longer_valid_is_none(moved: Project, told: Told) -> None:
    """Its recordings are older than they may be."""
    done = told("--as-of=2027-11-02")

    assert 3 == done.code
    assert "was valid until 2027-11-01: the recordings are older than they may be" in done.text
    assert moved.path("/certificates/deals.json").exists()


def test_a_certificate_may_lie_elsewhere(moved: Project, told: Told) -> None:
    """As --certificates wrote it."""
    moved.path("/certificates").rename(moved.root / "out")

    assert 3 == told().code
    assert 0 == told("--certificate", "out/deals.json").code


def test_a_difference_that_is_not_waived_stands_in_the_way(moved: Project, told: Told) -> None:
    """With the command that shows it; a certificate of before does not hide it."""
    moved.edit(SNAPSHOT, '"amount": 20', '"amount": 21')
    moved.change(SNAPSHOT, "/requests", moved.read(SNAPSHOT)["requests"][:2])
    certified(moved)

    done = told()

    assert 1 == done.code
    assert (
        "    deals.list  differs from the old code in /amount (value), what is asked for (requests)\n"
        "                connproof parity connectors/deals --lane deals.list\n"
    ) in done.text


def test_what_is_waived_is_listed(moved: Project, told: Told) -> None:
    """Deviations remain when the old code is gone: until when, whose, and why."""
    moved.edit(SNAPSHOT, '"amount": 20', '"amount": 21')
    moved.waive("/amount", "value")
    certified(moved)

    done = told()

    assert 0 == done.code
    assert "  waived       deals.list  /amount (value) until 2027-01-01, deals team: meant to be so\n" in done.text


def test_another_end_stands_in_the_way(moved: Project, told: Told) -> None:
    """An error in place of the old code's records."""
    moved.edit("connector.json", '"amount": "properties.amount"', '"amount": "$number(properties.dealname)"')
    certified(moved)

    done = told()

    assert 1 == done.code
    assert "deals.list  ended in MappingFailed; the old code: complete" in done.text


def test_a_lane_that_cannot_be_compared_is_not_known(moved: Project, told: Told) -> None:
    """A run that left its recording shows nothing."""
    moved.edit("connector.json", '"deals-2"', '"deals-3"')
    certified(moved)

    done = told()

    assert 3 == done.code
    assert "the run ended at a request that is not in the recording" in done.text


@pytest.mark.parametrize("baseline", [{}, {"by": "sh run.sh old", "digest": "sha256:" + "0" * 64}])
def test_old_code_that_returned_no_baseline_stands_in_its_own_way(
    deals: Project, told: Told, baseline: dict[str, str]
) -> None:
    """Of the engine's own baselines, and of those of other code, none shows what this one gives."""
    deals.write(OLD, "def fetch(): ...\n")
    if baseline:
        returned(deals, **baseline)
    certified(deals)

    done = told()

    assert 1 == done.code
    assert (
        "    old/deals.py  no baseline was returned by this code: what it gives is not known\n"
        "                  connproof baseline connectors/deals LANE --replace -- COMMAND\n"
    ) in done.text


def test_a_baseline_of_another_version_of_it_is_not_its_own(moved: Project, told: Told) -> None:
    """Old code that was changed since may give something else."""
    moved.write(OLD, "def fetch(): return []\n")

    done = told()

    assert 1 == done.code
    assert (
        "    deals.list  its baseline is of another version of this code, or of more than this: python old/deals.py\n"
        "                connproof baseline connectors/deals deals.list --replace -- COMMAND; or name all of the code "
        "with --legacy\n"
    ) in done.text
    assert "no baseline was returned by this code" not in done.text


def test_each_baseline_is_of_the_same_version(moved: Project, told: Told) -> None:
    """One lane was taken anew when the code changed, and another forgotten."""
    returned(moved, "deals.get", digest="sha256:" + "0" * 64)
    certified(moved)

    done = told()

    assert 1 == done.code
    assert "    deals.get  its baseline is of another version of this code" in done.text


def test_a_baseline_may_be_of_the_folder_that_the_code_is_in(moved: Project, told: Told) -> None:
    """As --code named it when it was taken."""
    moved.write("/old/models.py", "MODELS = {}\n")
    returned(moved, digest=digest_of([moved.path("/old")]))
    certified(moved)

    assert 0 == told().code


def test_a_baseline_may_be_of_several_files(moved: Project, told: Told) -> None:
    """The command named two, and one of them is to go."""
    moved.write("/old/models.py", "MODELS = {}\n")
    digest = digest_of([moved.path(OLD), moved.path("/old/models.py")])
    returned(moved, by="python old/deals.py old/models.py", digest=digest)
    certified(moved)

    assert (0, 0) == (told().code, told(legacy=("old/deals.py", "old/models.py")).code)
    assert 0 == told(legacy=("old",)).code


def test_a_listing_that_the_old_code_never_gave_is_said(moved: Project, told: Told) -> None:
    """Of each listing somebody's old code shows what it gave, or somebody says that it gave none."""
    moved.change("connector.json", "/resources/tasks", moved.read("connector.json")["resources"]["deals"])
    recording = json.loads(moved.path("recordings/deals.json").read_text().replace("deals.list", "tasks.list"))
    moved.write("recordings/tasks.json", {**recording, "lanes": [recording["lanes"][0]]})
    moved.write("/snapshots/deals/tasks.list.json", {**moved.read(SNAPSHOT), "lane": "tasks.list"})
    moved.change("/snapshots/deals/tasks.list.json", "/baseline", {"kind": "engine", "by": "connproof 0.1.0"})
    certified(moved)

    asked, told_without = told(), told("--without", "tasks.list")
    returned(moved, "tasks.list", by="python old/tasks.py", digest="sha256:" + "0" * 64)
    certified(moved)
    other = told()

    assert (1, 0, 0) == (asked.code, told_without.code, other.code), asked.text
    assert "    tasks.list  its baseline is this engine's own: nothing shows what the old code returned\n" in asked.text
    again = "connproof baseline connectors/deals tasks.list --replace -- COMMAND"
    assert f"{again}; or --without tasks.list, where the old code never gave it\n" in asked.text
    assert "  other lists  tasks.list  not of the old code, says --without\n" in told_without.text
    assert "  other lists  tasks.list  old code: python old/tasks.py\n" in other.text


def test_a_field_that_no_record_exercises_is_not_known(moved: Project, told: Told) -> None:
    """Nobody knows whether the old code gave it alike."""
    text = moved.path("recordings/deals.json").read_text().replace('"owner": "7"', '"owner": null')
    moved.write("recordings/deals.json", text)
    for name in ("deals.list", "deals.get"):
        path = f"/snapshots/deals/{name}.json"
        moved.change(path, "/records", [{**one, "owner_id": None} for one in moved.read(path)["records"]])
    certified(moved)

    done = told()

    assert 3 == done.code
    assert "  connectors/deals/connector.json:45  no record exercises crm.deal/owner_id\n" in done.text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import deals\n", "app/sync.py:1  imports deals, which may be other code\n"),
        (
            "def f(:  # deals\n",
            "app/sync.py  could not be read: no grammar of its language has all that stands in it\n",
        ),
    ],
)
def test_what_may_need_it_is_not_known(moved: Project, told: Told, text: str, says: str) -> None:
    """A name that may be another's, and a file that cannot be read; --apart says that it is not meant."""
    moved.write("/app/sync.py", text)

    done, without = told(), told("--apart", "app/sync.py")

    assert (3, 0) == (done.code, without.code)
    assert says in done.text


def test_the_baselines_own_words_do_not_need_it(moved: Project, told: Told) -> None:
    """The snapshot and the waivers name the old code, and stay when it goes; so do those of another connector."""
    moved.edit(SNAPSHOT, '"amount": 20', '"amount": 21')
    moved.write("/snapshots/orders/orders.list.json", moved.read(SNAPSHOT))
    moved.write("/connectors/orders/deviations.json", {"reason": "old/deals.py rounded it"})
    moved.waive("/amount", "value")
    moved.change("deviations.json", "/deviations/0/reason", "old/deals.py rounded it")
    certified(moved)

    assert 0 == told().code


@pytest.mark.parametrize("columns", [80, 120])
def test_lines_fit_their_terminal(moved: Project, told: Told, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """Commands and reasons are cut; what is to be done is told whole, and so is a place, on a line of its own."""
    reason = "the old code rounded amounts, which callers took for the provider's own " * 4
    command = "python old/deals.py" + " --pipeline 1042" * 12
    stale = "the recordings are older than anybody would believe, and then some, " * 4
    place = f"app/{'night_' * 20}.py"
    moved.edit(SNAPSHOT, '"amount": 20', '"amount": 21')
    moved.waive("/amount", "value", reason=reason)
    returned(moved, by=command)
    certified(moved, "inconclusive", f"REC-004: {stale}")
    moved.write(f"/{place}", "from old.deals import fetch\n")
    moved.write("/tests/test_old.py", "from old import deals\n")
    monkeypatch.setenv("COLUMNS", str(columns))

    text = told().text
    said = json.loads(told("--json").text)

    assert [f"    {place}:1"] == [line for line in text.splitlines() if len(line) > columns]
    words = " ".join(text.split())
    assert f"inconclusive: REC-004: {stale.strip()} connproof certify connectors/deals" in words
    assert f"{place}:1 imports old.deals take it out, or have it use the connector" in words
    assert "..., commit 5d0c0f2a9f5b" in words
    assert (False, False) == (reason.strip() in words, command in words)
    assert (reason, command) == (said["baselines"][0]["waived"][0]["reason"], said["baselines"][0]["baseline"]["by"])


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        (80, "old/deals.py, old/deals_of_the_year_before.py and 2 more  can be deleted"),
        (60, "old/deals.py and 3 more  can be deleted"),
        (20, "old/deals.py and 3 more  can be deleted"),
        (120, "old/deals.py, old/deals_of_the_year_before.py, old/models.py and 1 more  can be deleted"),
    ],
)
def test_as_many_files_are_named_as_fit(
    moved: Project, told: Told, monkeypatch: pytest.MonkeyPatch, columns: int, shown: str
) -> None:
    """Of the code that is asked about: three at most, and one at least."""
    others = ("old/deals_of_the_year_before.py", "old/models.py", "old/names.py")
    for path in others:
        moved.write(f"/{path}", "ANY = 1\n")
    certified(moved)
    monkeypatch.setenv("COLUMNS", str(columns))

    assert shown == told(legacy=("old/deals.py", *others)).text.splitlines()[0]


def test_the_document_says_the_same(moved: Project, told: Told) -> None:
    """For machines: every obstacle with what to do, and every reference with its file and line."""
    moved.write("/app/sync.py", "from old.deals import fetch\n")
    moved.write("/tests/test_old.py", "from old import deals\n")

    said = json.loads(told("--json").text)
    schema = json.loads((files("pytest_connproof") / "schema" / "migrated.schema.json").read_bytes())

    baseline = {"baseline": moved.read(SNAPSHOT)["baseline"], "lane": "deals.list", "records": 5, "waived": []}
    expected = {
        "format": "connproof-migrated/1",
        "connector": "deals",
        "legacy": ["old/deals.py"],
        "verdict": "cannot be deleted yet",
        "certificate": "certified, of the files of today, until 2027-11-01",
        "baselines": [baseline],
        "other_listings": [],
        "fields": 6,
        "in_the_way": [
            {
                "where": "app/sync.py:1",
                "what": "imports old.deals",
                "fix": "take it out, or have it use the connector",
            }
        ],
        "not_known": [],
        "tests": [{"file": "tests/test_old.py", "line": 1, "how": "imports old"}],
        "mentions": [],
    }
    assert expected == {name: value for name, value in said.items() if name != "files"}
    jsonschema.Draft202012Validator(schema).validate(said)


@pytest.mark.parametrize(
    ("options", "legacy", "says"),
    [
        ((), ("old/orders.py",), "there is no code at old/orders.py"),
        ((), ("empty",), "there is no code in empty"),
        (("--tree", "app"), ("old/deals.py",), "--legacy old/deals.py is not in the tree"),
        (("--tree", "nowhere"), ("old/deals.py",), "nowhere: no such folder"),
        (("--without", "deals.lst"), ("old/deals.py",), "deals has no listing deals.lst\n  there are  deals.list"),
    ],
)
def test_a_wrong_call_is_told(
    moved: Project, told: Told, options: tuple[str, ...], legacy: tuple[str, ...], says: str
) -> None:
    """What there is not."""
    for folder in ("app", "empty"):
        (moved.root / folder).mkdir()

    done = told(*options, legacy=legacy)

    assert 2 == done.code
    assert says in done.text


def test_the_tree_is_the_repository(moved: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where git knows none, it is the current folder."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(moved.root.parent))
    moved.write("/app/sync.py", "from old.deals import fetch\n")

    with pytest.raises(SystemExit) as left:
        main(["migrated", "deals", "--legacy", "old/deals.py", f"--as-of={DAY}"])

    assert 1 == left.value.code
