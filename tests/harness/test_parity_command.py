"""connproof parity: what it prints of lanes and their baselines, and what --accept writes."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from typing import Any, Final, TypeAlias

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from projects import Project
from shop import Done

from connproof.cli import main
from pytest_connproof.parity import read_deviations
from pytest_connproof.parity.entries import EMPTY, with_entry

Told: TypeAlias = Callable[..., Done]

SNAPSHOT: Final = "/snapshots/deals/deals.list.json"
FILE: Final = "recordings/deals.json"
DAY: Final = "--as-of=2026-11-23"
OLD_CODE: Final = {
    "kind": "old code",
    "by": "python old/deals.py",
    "commit": "5d0c0f2a9f5b41ce8c1f2a8e4f0b1d77c6a5e310 (dirty)",
    "digest": "sha256:" + "0" * 64,
}
WHY: Final = ("--reason", "the old code rounded amounts", "--owner", "deals team", "--expires", "2027-06-30")


@pytest.fixture
def told(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Told:
    """Runs `connproof parity deals ...` as on the projects' day; stdout, then stderr."""
    monkeypatch.delenv("COLUMNS", raising=False)

    def ran(*options: str, connector: str = "deals") -> Done:
        with pytest.raises(SystemExit) as left:
            main(["parity", connector, DAY, *options])
        assert isinstance(left.value.code, int)
        stdout, stderr = capfd.readouterr()
        return Done(left.value.code, stdout + stderr)

    return ran


@pytest.fixture
def moved(deals: Project) -> Project:
    """The deals, with a baseline that old code returned for the list."""
    deals.change(SNAPSHOT, "/baseline", OLD_CODE)
    return deals


def differing(project: Project) -> Project:
    """An amount that the old code had otherwise."""
    project.edit(SNAPSHOT, '"amount": 20', '"amount": 21')
    return project


def document(done: Done) -> Any:
    """What --json printed, which fits its schema."""
    said = json.loads(done.text)
    schema = json.loads((files("pytest_connproof") / "schema" / "parity.schema.json").read_bytes())
    jsonschema.Draft202012Validator(schema).validate(said)
    return said


# The table.


@pytest.mark.usefixtures("moved")
def test_every_mapped_field_has_a_row(told: Told) -> None:
    """Whose baseline it is, how it ended, what was asked for, and each field with its expression and line."""
    done = told("--lane", "deals")

    assert 0 == done.code
    assert (
        """\
deals.list  crm.deal
  baseline  old code: python old/deals.py, commit 5d0c0f2a9f5b (dirty)
  records   5 records
  ended     complete, as the baseline
  requests  3 requests, as the baseline
  mapped    in connectors/deals/connector.json (platform base)
  field        class  records  mapped by
  /id          equal  5 of 5   :41  id
  /name        equal  5 of 5   :42  properties.dealname
  /amount      equal  5 of 5   :43  properties.amount
  /stage       equal  5 of 5   :44  properties.stage
  /owner_id    equal  4 of 5   :45  properties.owner
  /updated_at  equal  5 of 5   :46  updatedAt

deals  parity holds: 1 of 1 lane as the baseline, 0 open differences, 0 waived
  1 of 1 baseline from old code
"""
    ) == done.text


def test_a_difference_has_its_count_and_an_example(moved: Project, told: Told) -> None:
    """Path, class, how many records, old and new, and what gives it."""
    moved.edit("connector.json", '"amount": "properties.amount"', '"amount": "$string(properties.amount)"')

    done = told("--lane", "deals")

    assert 1 == done.code
    assert (
        "  /amount      type   5 of 5   :43  $string(properties.amount)\n"
        '      number -> string:  1.5  ->  "1.5"   at id="101"\n'
    ) in done.text
    assert (
        "deals  parity differs: 0 of 1 lane as the baseline, 1 open difference, 0 waived\n"
        "  1 of 1 baseline from old code\n"
        "  what is meant: --accept deals.list:/amount:type --reason TEXT --owner TEXT --expires DAY\n"
    ) in done.text


def test_a_waived_difference_names_its_waiver(moved: Project, told: Told) -> None:
    """Until when, by which line, and whose it is."""
    differing(moved).waive("/amount", "value")

    done = told()

    assert 0 == done.code
    assert '      21  ->  20   at id="102"\n      waived until 2027-01-01 by connectors/deals/deviations.json:4, ' in (
        done.text
    )
    assert "3 of 3 lanes as the baseline, 0 open differences, 1 waived\n  1 of 3 baselines from old code\n" in done.text


@pytest.mark.parametrize(
    ("path", "expires", "says"),
    [
        ("/amount", "2026-11-22", "its waiver ended on 2026-11-22: connectors/deals/deviations.json:4, deals team"),
        ("/amount", "2026-11-22", "expired        connectors/deals/deviations.json:4  *  /amount (value), until"),
        ("/stage", "2027-01-01", "waives nothing connectors/deals/deviations.json:4  *  /stage (value): take it out"),
    ],
)
def test_a_waiver_out_of_order_is_a_difference(moved: Project, told: Told, path: str, expires: str, says: str) -> None:
    """One that has expired, and one that waives nothing any more: as PAR-004 has it."""
    differing(moved).waive(path, "value", expires=expires)

    done = told()

    assert 1 == done.code
    assert says in done.text


def test_a_waiver_that_waives_nothing_is_a_difference_by_itself(moved: Project, told: Told) -> None:
    """Equal records, and a waiver left over."""
    moved.waive("/stage", "value")

    done = told()

    assert 1 == done.code
    assert "parity differs: 3 of 3 lanes as the baseline, 0 open differences" in done.text


def test_other_requests_are_a_difference(moved: Project, told: Told) -> None:
    """What only one side asked for is listed, and how to waive it."""
    moved.change(SNAPSHOT, "/requests", [*moved.read(SNAPSHOT)["requests"], "GET /v1/deals?limit=2&after=c4"])

    done = told("--lane", "deals")

    assert 1 == done.code
    assert (
        "  requests  3 requests; the baseline made 4: differ\n            - GET /v1/deals?limit=2&after=c4\n"
    ) in done.text
    assert "1 open difference, 0 waived\n" in done.text
    assert "  what is meant: --accept deals.list::requests --reason TEXT " in done.text


def test_another_end_is_a_difference(moved: Project, told: Told) -> None:
    """With the reason that the config's run gave."""
    moved.edit("connector.json", '"amount": "properties.amount"', '"amount": "$number(properties.dealname)"')

    done = told("--lane", "deals")

    assert 1 == done.code
    assert "  records   0 records; the baseline has 5\n  ended     MappingFailed; the baseline: complete\n" in done.text


def test_records_that_are_gone_have_a_row(moved: Project, told: Told) -> None:
    """A record as a whole stands before its fields."""
    records = moved.read(SNAPSHOT)["records"]
    moved.change(SNAPSHOT, "/records", [*records, {**records[0], "id": "106"}])

    done = told("--lane", "deals")

    assert 1 == done.code
    assert "  (record)     missing  1 of 6\n" in done.text
    assert "  /id          equal    5 of 5 " in done.text


def test_a_member_that_nothing_maps_has_a_row(moved: Project, told: Told) -> None:
    """What the old code gave beside is told, and that no field has its name."""
    records = [{**record, "colour/x": "red"} for record in moved.read(SNAPSHOT)["records"]]
    moved.change(SNAPSHOT, "/records", records)

    done = told("--lane", "deals")

    assert 1 == done.code
    assert "  /colour~1x   missing  5 of 5   nothing: no field of this name is mapped\n" in done.text


def test_a_field_without_a_value_anywhere_is_named(moved: Project, told: Told) -> None:
    """Nothing differs, and nothing is proved of that field."""
    text = moved.path(FILE).read_text().replace('"owner": "7"', '"owner": null')
    moved.write(FILE, text)
    for name in ("deals.list", "deals.get"):
        path = f"/snapshots/deals/{name}.json"
        moved.change(path, "/records", [{**one, "owner_id": None} for one in moved.read(path)["records"]])

    done = told()

    assert 3 == done.code
    assert "  /owner_id    no value  0 of 5   :45  properties.owner\n" in done.text
    assert "not exercised  crm.deal/owner_id  connectors/deals/connector.json:45\n" in done.text
    assert done.text.endswith("  no record exercises crm.deal/owner_id\n")


@pytest.mark.usefixtures("deals")
def test_the_engines_own_baselines_are_no_parity_with_old_code(told: Told) -> None:
    """Nothing differs, but what is compared is no old code's."""
    done = told()

    assert 3 == done.code
    assert "  baseline  this engine's own (connproof " in done.text
    assert "parity inconclusive: 3 of 3 lanes as the baseline, 0 open differences, 0 waived\n" in done.text
    assert "no baseline is of old code: they are this engine's own, and show that nothing changed since" in done.text


def test_a_lane_without_a_baseline_is_no_parity(moved: Project, told: Told) -> None:
    """What cannot be compared is told, with what to do."""
    moved.path("/snapshots/deals/deals.get.json").unlink()

    done = told()

    assert 3 == done.code
    assert "  not compared  deals.get has no snapshot, so there is nothing to compare with\n  fix           run" in (
        done.text
    )
    assert "  1 lane could not be compared: deals.get\n" in done.text


@pytest.mark.usefixtures("finder")
def test_records_that_nothing_maps_are_compared_whole(told: Told) -> None:
    """The provider's own records have one row."""
    done = told(connector="finder")

    assert 3 == done.code
    assert "  as the provider has it\n" in done.text
    assert "\n  (record)  equal  " in done.text


def test_no_credential_is_shown(moved: Project, told: Told) -> None:
    """What the old code put into a record by mistake is not printed."""
    records = moved.read(SNAPSHOT)["records"]
    moved.change(SNAPSHOT, "/records", [{**one, "stage": "example-access-token"} for one in records])

    texts = [told().text, told("--json").text]

    assert all("[credential]" in text and "example-access-token" not in text for text in texts)


@pytest.mark.parametrize("columns", [80, 120])
def test_a_table_fits_its_terminal(moved: Project, told: Told, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """Long expressions and commands are cut, and a long path has a line of its own."""
    long = "$string(properties.amount) & '" + "x" * 120 + "'"
    moved.edit("connector.json", '"amount": "properties.amount"', f'"amount": "{long}"')
    records = [{**record, "a" * 50: 1} for record in moved.read(SNAPSHOT)["records"]]
    moved.change(SNAPSHOT, "/records", records)
    moved.change(SNAPSHOT, "/baseline/by", f"python old/deals.py {'--all ' * 30}")
    monkeypatch.setenv("COLUMNS", str(columns))

    lines = told("--lane", "deals").text.splitlines()

    assert columns >= max(len(line) for line in lines if line.startswith(("  /", "   ", "  baseline "))), lines
    assert f"  /{'a' * 50}" in lines


def test_the_document_says_the_same(moved: Project, told: Told) -> None:
    """Every row, and whose waiver it is."""
    differing(moved).waive("/amount", "value")

    said = document(told("--json"))

    first = said["lanes"][0]
    assert ("connproof-parity/1", "deals", "holds", []) == tuple(
        said[name] for name in ("format", "connector", "verdict", "doubts")
    )
    assert ("deals.list", True, OLD_CODE) == (first["lane"], first["holds"], first["baseline"])
    assert {
        "path": "/amount",
        "class": "value",
        "change": "",
        "records": 1,
        "of": 5,
        "example": {"key": 'id="102"', "old": "21", "new": "20"},
        "mapped_by": {
            "file": "connectors/deals/connector.json",
            "line": 43,
            "field": "amount",
            "expression": "properties.amount",
            "level": "platform base",
        },
        "waived_by": {
            "file": "connectors/deals/deviations.json",
            "line": 4,
            "lane": "*",
            "path": "/amount",
            "kind": "value",
            "reason": "meant to be so",
            "owner": "deals team",
            "expires": "2027-01-01",
        },
    } == first["fields"][2]


def test_the_document_has_what_is_out_of_order(moved: Project, told: Told) -> None:
    """A lane without a baseline, another's requests, a waiver that has expired and one that waives nothing."""
    moved.path("/snapshots/deals/deals.get.json").unlink()
    differing(moved).change(SNAPSHOT, "/requests", moved.read(SNAPSHOT)["requests"][:2])
    moved.waive("/amount", "value", expires="2026-11-22")
    waivers = moved.read("deviations.json")["deviations"]
    more = [{**waivers[0], "path": "/stage", "expires": "2027-01-01"}]
    asked = [{**more[0], "lane": "deals.list", "path": "", "kind": "requests"}]
    moved.change("deviations.json", "/deviations", [*waivers, *more, *asked])

    said = document(told("--json"))

    assert "differs" == said["verdict"]
    assert [["/amount"], ["/stage"]] == [
        [one["path"] for one in said[name]] for name in ("waivers_expired", "waivers_unused")
    ]
    assert [True, True, False] == [lane["compared"] for lane in said["lanes"]]
    requests = said["lanes"][0]["requests"]
    assert (False, "requests") == (requests["equal"], requests["waived_by"]["kind"])
    assert ["1 lane could not be compared: deals.get"] == said["doubts"]


@pytest.mark.parametrize(
    ("options", "connector", "says"),
    [
        ((), "dealz", 'there is no connector dealz\n  fix  did you mean "deals"?'),
        (("--lane", "deal"), "deals", "deals has no recorded lane deal\n  there are  deals.list, deals.list#throttled"),
        (("--lane", "deal"), "deals", 'did you mean "deals"?'),
        (("--lane", "deals.gt"), "deals", 'did you mean "deals.get"?'),
        (("--as-of", "soon"), "deals", "--as-of soon: not a date"),
        (("--owner", "crm"), "deals", "--reason, --owner, --expires and --yes are of --accept"),
        (("--accept", "deals", "--json", *WHY), "deals", "--accept takes neither --lane nor --json"),
    ],
)
@pytest.mark.usefixtures("deals")
def test_a_wrong_call_is_told(told: Told, options: tuple[str, ...], connector: str, says: str) -> None:
    """What there is, and the nearest word."""
    done = told(*options, connector=connector)

    assert 2 == done.code
    assert says in done.text


def test_a_recording_that_cannot_be_read_is_told(deals: Project, told: Told) -> None:
    """Its lanes would be left out in silence."""
    deals.write("recordings/more.json", "{")

    done = told()

    assert 2 == done.code
    assert "connectors/deals/recordings/more.json" in done.text


# Accepting.


def test_an_accepted_difference_is_waived(moved: Project, told: Told) -> None:
    """It is shown, written with its reason, owner and last day, and PAR-001 and PAR-004 hold with it."""
    differing(moved)

    done = told("--accept", "deals.list:/amount:value", *WHY, "--yes")

    assert 0 == done.code
    assert (
        "deals.list  /amount  value\n"
        "  1 of 5 records\n"
        '  21  ->  20   at id="102"\n'
        "connectors/deals/deviations.json  written: 1 waiver until 2027-06-30, deals team\n"
    ) == done.text
    assert {
        "format": "connproof-deviations/1",
        "deviations": [
            {
                "lane": "deals.list",
                "path": "/amount",
                "kind": "value",
                "reason": "the old code rounded amounts",
                "owner": "deals team",
                "expires": "2027-06-30",
            }
        ],
    } == moved.read("deviations.json")
    assert 1 == moved.judge("PAR-001", "deals.list")["waived"]
    assert 1 == moved.judge("PAR-004")["waivers"]
    assert 0 == told().code


def test_all_that_is_open_in_a_lane_is_accepted_at_once(moved: Project, told: Told) -> None:
    """Differences of fields and of requests; what is waived already stays as it is."""
    differing(moved).waive("/amount", "value")
    records = [{**one, "stage": "closed"} for one in moved.read(SNAPSHOT)["records"]]
    moved.change(SNAPSHOT, "/records", records)
    moved.change(SNAPSHOT, "/requests", moved.read(SNAPSHOT)["requests"][:2])

    done = told("--accept", "deals", *WHY, "--yes")

    assert 0 == done.code
    written = [(one["path"], one["kind"]) for one in moved.read("deviations.json")["deviations"]]
    assert [("/amount", "value"), ("", "requests"), ("/stage", "value")] == written
    assert "  3 now, 2 in the baseline\n  + GET /v1/deals?limit=2&after=c3\n" in done.text
    assert {"requests": 3, "waived": 1} == moved.judge("PAR-002", "deals.list")
    assert 3 == moved.judge("PAR-004")["waivers"]


def test_an_expired_waiver_is_extended_in_its_place(moved: Project, told: Told) -> None:
    """The file never holds two for one difference."""
    differing(moved).waive("/amount", "value", lane="deals.list", expires="2026-11-22")

    done = told("--accept", "deals.list:/amount:value", *WHY, "--yes")

    assert 0 == done.code
    assert "  extends the waiver of line 4, which ended on 2026-11-22\n" in done.text
    assert ["2027-06-30"] == [one["expires"] for one in moved.read("deviations.json")["deviations"]]


def test_an_engines_own_baseline_is_better_taken_anew(deals: Project, told: Told) -> None:
    """A waiver is possible; but the snapshot can say it without one."""
    differing(deals)

    done = told("--accept", "deals", *WHY, "--yes")

    assert 0 == done.code
    assert (
        "deals.list's baseline is this engine's own: --snapshot-update takes it anew, and needs no waiver" in done.text
    )


@pytest.mark.parametrize(
    ("wanted", "why", "says"),
    [
        ("deals.list:/amount:type", WHY, "deals.list:/amount:type does not differ\n  open  deals.list:/amount:value"),
        ("deals.get", WHY, "nothing is open in deals.get: there is nothing to accept"),
        ("deals.get:/id:value", WHY, "deals.get:/id:value does not differ\n  open  nothing in this lane"),
        ("deals.lst", WHY, 'did you mean "deals.list"?'),
        ("deals.list:amount:value", WHY, "--accept deals.list:amount:value is not LANE:PATH:KIND"),
        ("deals.list:/amount", WHY, "--accept deals.list:/amount is not LANE:PATH:KIND"),
        ("deals", WHY[2:], "--accept needs --reason"),
        ("deals", (*WHY, "--owner", " "), "--accept needs --owner"),
        ("deals", WHY[:4], "--accept needs --expires"),
        (
            "deals",
            (*WHY, "--reason", "so it is?".replace(" it is", "")),
            "--reason says too little\n  fix  say in a few",
        ),
        ("deals", (*WHY, "--expires", "2026-11-22"), "--expires 2026-11-22 is past\n  fix  name a day from 2026-11-23"),
        ("deals", (*WHY, "--expires", "2027-11-25"), "--expires 2027-11-25 is too far away\n  fix  name a day up to"),
        ("deals", (*WHY, "--expires", "soon"), "--expires soon: not a date"),
    ],
)
def test_what_cannot_be_accepted_is_refused(
    moved: Project, told: Told, wanted: str, why: tuple[str, ...], says: str
) -> None:
    """What does not differ, and a waiver without reason, owner or a day within reach; nothing is written."""
    differing(moved)

    done = told("--accept", wanted, *why, "--yes")

    assert 2 == done.code
    assert says in done.text
    assert not moved.path("deviations.json").exists()


def test_what_is_waived_is_not_accepted_again(moved: Project, told: Told) -> None:
    """The line that waives it is named."""
    differing(moved).waive("/amount", "value")
    before = moved.path("deviations.json").read_bytes()

    done = told("--accept", "deals.list:/amount:value", *WHY, "--yes")

    assert 2 == done.code
    assert "deals.list:/amount:value is waived already\n  by  connectors/deals/deviations.json:4" in done.text
    assert before == moved.path("deviations.json").read_bytes()


def test_another_end_is_not_accepted(moved: Project, told: Told) -> None:
    """An error in place of records is no deviation."""
    moved.edit("connector.json", '"amount": "properties.amount"', '"amount": "$number(properties.dealname)"')

    done = told("--accept", "deals", *WHY, "--yes")

    assert 2 == done.code
    assert "mend that first: how a lane ends cannot be waived" in done.text


def test_nobody_is_asked_where_there_is_no_terminal(moved: Project, told: Told) -> None:
    """Without --yes nothing is written."""
    differing(moved)

    done = told("--accept", "deals", *WHY)

    assert 2 == done.code
    assert "there is nobody to ask whether this is meant\n  fix  look at it first, then pass --yes" in done.text
    assert not moved.path("deviations.json").exists()


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 1)])
def test_whoever_sits_at_a_terminal_is_asked(moved: Project, answer: str, code: int) -> None:
    """What would be accepted is shown first; no is no."""
    differing(moved)

    left, said = _at_a_terminal("parity", "deals", DAY, "--accept", "deals", *WHY, answers=answer)

    assert code == left, said
    assert said.index('21  ->  20   at id="102"') < said.index("Is that meant?")
    assert (code == 0) == moved.path("deviations.json").exists()


def test_whoever_breaks_off_at_the_question_is_told_so(moved: Project) -> None:
    """As in every command, and nothing is written."""
    differing(moved)

    left, said = _at_a_terminal("parity", "deals", DAY, "--accept", "deals", *WHY, answers="\x04")

    assert (130, "interrupted") == (left, said.split("\n")[-2].strip()), said
    assert not moved.path("deviations.json").exists()


def test_a_file_that_nobody_may_write_is_left_as_it_is(moved: Project, told: Told) -> None:
    """Its folder would let it be replaced."""
    differing(moved).waive("/amount", "value", lane="deals.list", expires="2026-11-22")
    file = moved.path("deviations.json")
    before = file.read_bytes()
    file.chmod(0o444)

    done = told("--accept", "deals", *WHY, "--yes")

    assert 2 == done.code
    assert done.text.endswith("connectors/deals/deviations.json: is read-only\n")
    assert before == file.read_bytes()


@pytest.mark.usefixtures("moved")
def test_colours_are_for_terminals() -> None:
    """What is equal is green there."""
    left, said = _at_a_terminal("parity", "deals", DAY, "--lane", "deals")

    assert 0 == left
    assert "\x1b[32mequal\x1b[0m" in said
    assert "\x1b[32mparity holds\x1b[0m" in said


def _at_a_terminal(*arguments: str, answers: str = "") -> tuple[int, str]:
    """Run the command with a terminal, type, and take what it showed."""
    parent, child = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "connproof", *arguments],
        stdin=child,
        stdout=child,
        stderr=child,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
    ) as process:
        os.close(child)
        os.write(parent, answers.encode() + b"\n")
        said = b""
        while select.select([parent], [], [], 30)[0]:
            try:
                read = os.read(parent, 65_536)
            except OSError:  # the other end is closed
                break
            said += read
        code = process.wait()
    os.close(parent)
    return code, said.decode()


# The file.

ENTRY: Final = {
    "lane": "deals.list",
    "path": "/b",
    "kind": "type",
    "reason": "it is meant \u2013 really",
    "owner": "crm",
    "expires": "2027-06-30",
}
FIRST: Final = '{"lane": "*", "path": "/a", "kind": "type", "reason": "a b c", "owner": "x", "expires": "2027-01-01"}'
HEAD: Final = '"format": "connproof-deviations/1"'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            EMPTY,
            (
                f'{{\n  {HEAD},\n  "deviations": [\n    {{\n      "lane": "deals.list",\n      "path": "/b",\n'
                '      "kind": "type",\n      "reason": "it is meant \u2013 really",\n      "owner": "crm",\n'
                '      "expires": "2027-06-30"\n    }\n  ]\n}\n'
            ),
        ),
        (
            f'{{\n\t{HEAD}, "deviations": [\n\t\t{FIRST}\n\t]\n}}',
            f'{{\n\t{HEAD}, "deviations": [\n\t\t{FIRST},\n\t\t{json.dumps(ENTRY, ensure_ascii=False)}\n\t]\n}}',
        ),
        (
            f'{{{HEAD}, "deviations": [{FIRST}]}}',
            f'{{{HEAD}, "deviations": [{FIRST},{json.dumps(ENTRY, ensure_ascii=False)}]}}',
        ),
        (f'{{{HEAD}, "deviations":[ ]}}', f'{{{HEAD}, "deviations":[{json.dumps(ENTRY, ensure_ascii=False)}]}}'),
    ],
    ids=["empty", "a line each", "one line", "one line, empty"],
)
def test_an_entry_is_spelt_as_the_others(before: str, after: str) -> None:
    """Tabs, lines and characters stay as they were."""
    assert after == with_entry(before, ENTRY)


def test_a_file_of_another_systems_lines_keeps_them() -> None:
    """No line is added that ends otherwise."""
    text = with_entry(with_entry(EMPTY.replace("\n", "\r\n"), ENTRY), {**ENTRY, "path": "/c"})

    assert "\n" not in text.replace("\r\n", "")
    assert ["/b", "/c"] == [one.path for one in read_deviations(text.encode(), "x")]


WORDS: Final = st.text(alphabet=st.sampled_from('ab"\\]}[{,: \u00e9\n'), min_size=1, max_size=8)


@given(
    reasons=st.lists(WORDS, max_size=4),
    indent=st.sampled_from([None, 0, 1, 2, 4, "\t"]),
    reason=WORDS,
    where=st.integers(-1, 3),
)
def test_a_document_of_any_spelling_takes_an_entry(reasons: list[str], indent: Any, reason: str, where: int) -> None:
    """It then says what it said, and the entry at its place."""
    entries = [{**ENTRY, "path": f"/{number}", "reason": f"a b {text}"} for number, text in enumerate(reasons)]
    document = {"deviations": entries, "format": "connproof-deviations/1"}
    new = {**ENTRY, "reason": f"a b {reason}"}
    index = where if 0 <= where < len(entries) else None

    text = with_entry(json.dumps(document, indent=indent), new, instead_of=index)

    expected = [*entries, new] if index is None else [*entries[:index], new, *entries[index + 1 :]]
    assert {**document, "deviations": expected} == json.loads(text)
