"""Each PAR check passes on a whole project with something counted, and fails on each way to be wrong."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from projects import Project

from connproof.errors import ConfigWrong
from pytest_connproof.finding import Finding, Inconclusive

FILE = "recordings/deals.json"
SNAPSHOT = "/snapshots/deals/deals.list.json"
UNMATCHED = "the run ended at a request that is not in the recording\n  fix  see RPL-002"


@pytest.mark.parametrize(
    ("check", "target", "evidence"),
    [
        ("PAR-001", "deals.list", {"records": 5, "fields": 30, "waived": 0, "outcomes": 1}),
        ("PAR-001", "deals.list#throttled", {"records": 0, "fields": 0, "waived": 0, "outcomes": 1}),
        ("PAR-002", "deals.list", {"requests": 3, "waived": 0}),
        ("PAR-003", "", {"fields": 6}),
        ("PAR-004", "", {"waivers": 0, "lanes": 3}),
        ("PAR-005", "", {"snapshots": 3}),
    ],
)
def test_PAR_passes_with_counts(deals: Project, check: str, target: str, evidence: dict[str, int]) -> None:
    """A pass says how much was compared."""
    assert evidence == deals.judge(check, target)


# PAR-001


def test_PAR_001_fails_on_another_type(deals: Project) -> None:
    """One field, in every record, in another class: how many, two examples, the expression, the evidence, the fix."""
    deals.edit("connector.json", '"amount": "properties.amount"', '"amount": "$string(properties.amount)"')

    with pytest.raises(Finding) as found:
        deals.judge("PAR-001", "deals.list")

    assert (
        "5 of 30 fields differ\n"
        "\n"
        "  /amount    type: number -> string    5 of 5 records\n"
        '      id="101"   old 1.5        config "1.5"\n'
        '      id="102"   old 20         config "20"          (+3 more)\n'
        '  mapped by  connectors/deals/connector.json:43   "amount": "$string(properties.amount)"'
        "        (platform base)\n"
        "  evidence   recordings/deals.json  exchange deals.list/1  results[0]\n"
        '  fix        "$number($string(properties.amount))", or waive with a reason in deviations.json\n'
        '  rerun      pytest "connectors/deals/connector.json::deals.list::PAR-001"'
    ) == str(found.value)


def test_PAR_001_fails_on_one_character_of_an_expression(deals: Project) -> None:
    """A mapped field that is no longer given."""
    deals.edit("connector.json", '"properties.stage"', '"properties.stages"')

    with pytest.raises(Finding) as found:
        deals.judge("PAR-001", "deals.list")

    assert "5 of 25 fields differ" == found.value.what
    assert "/stage    missing: only the baseline has it    5 of 5 records" in found.value.facts
    assert 'connector.json:44   "stage": "properties.stages"' in found.value.facts


def test_PAR_001_fails_on_one_character_of_a_snapshot(deals: Project) -> None:
    """The baseline's value is the contract."""
    deals.edit(SNAPSHOT, '"amount": 20', '"amount": 21')

    with pytest.raises(Finding) as found:
        deals.judge("PAR-001", "deals.list")

    assert "1 of 30 fields differs" == found.value.what
    assert '  /amount    value    1 of 5 records\n      id="102"   old 21         config 20\n' in found.value.facts
    assert "  evidence   recordings/deals.json  exchange deals.list/1  results[1]\n" in found.value.facts


def test_PAR_001_fails_on_a_record_lost(deals: Project) -> None:
    """The baseline has one more record than the config gives."""
    snapshot = deals.read(SNAPSHOT)
    deals.change(SNAPSHOT, "/records", [*snapshot["records"], {**snapshot["records"][0], "id": "106"}])

    with pytest.raises(Finding) as found:
        deals.judge("PAR-001", "deals.list")

    assert "1 of 30 fields differs" == found.value.what
    assert "(record)    missing: only the baseline has it    1 of 6 records" in found.value.facts
    assert 'id="106"' in found.value.facts


@pytest.mark.parametrize(
    ("records", "facts"),
    [
        (lambda records: records[:-1], "(record)    extra: only the config gives it    1 of 5 records"),
        (lambda records: records[::-1], "(record)    order: the same in another order"),
        (lambda records: [*records, records[0]], "(record)    duplicate: not as often as before"),
    ],
)
def test_PAR_001_fails_on_other_records(deals: Project, records: Any, facts: str) -> None:
    """One more, another order, not as often."""
    deals.change(SNAPSHOT, "/records", records(deals.read(SNAPSHOT)["records"]))

    with pytest.raises(Finding) as found:
        deals.judge("PAR-001", "deals.list")

    assert facts in found.value.facts


def test_PAR_001_fails_on_another_end(deals: Project) -> None:
    """Where the old code gave records, an error is a difference, whatever the records."""
    deals.edit("connector.json", '"amount": "properties.amount"', '"amount": "$number(properties.dealname)"')

    with pytest.raises(Finding) as found:
        deals.judge("PAR-001", "deals.list")

    assert "deals.list ended in MappingFailed; the baseline: complete" == found.value.what
    assert found.value.facts.startswith("  records   0 of 5\n  because   ")


def test_PAR_001_fails_on_another_status(deals: Project) -> None:
    """Two errors are not one."""
    deals.change("/snapshots/deals/deals.list#throttled.json", "/outcome", "ProviderDown 503")

    with pytest.raises(Finding) as found:
        deals.judge("PAR-001", "deals.list#throttled")

    assert "deals.list#throttled ended in ProviderBusy 429; the baseline: ProviderDown 503" == found.value.what


@pytest.mark.parametrize("check", ["PAR-001", "PAR-002"])
def test_PAR_001_and_PAR_002_fails_without_a_snapshot(deals: Project, check: str) -> None:
    """Nothing to compare with is a doubt, and says what to do."""
    deals.path(SNAPSHOT).unlink()

    with pytest.raises(Inconclusive) as doubt:
        deals.judge(check, "deals.list")

    assert (
        "deals.list has no snapshot, so there is nothing to compare with\n"
        "  fix  run with --snapshot-update, then review deals.list.json as you would code"
    ) == str(doubt.value)


@pytest.mark.parametrize("check", ["PAR-001", "PAR-002"])
def test_PAR_001_and_PAR_002_fails_with_a_doubt_after_an_unknown_request(deals: Project, check: str) -> None:
    """What only follows from another finding is no second one: RPL-002 says what is wrong."""
    deals.edit("connector.json", '"deals-2"', '"deals-3"')

    with pytest.raises(Inconclusive) as doubt:
        deals.judge(check, "deals.list")

    assert UNMATCHED == str(doubt.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"records": [', '"records": ', "deals.list.json has"),
        ('"connproof-snapshot/1"', '"connproof-snapshot/9"', "/format"),
        ('"lane": "deals.list"', '"lane": "deals.get"', "is not the lane that the file is named after, deals.list"),
        ('"outcome": "complete"', '"outcom": "complete"', '"outcome" is missing'),
        ('"kind": "engine"', '"kind": "somebody"', "/baseline/kind"),
    ],
)
def test_PAR_001_fails_on_a_corrupted_snapshot(deals: Project, old: str, new: str, message: str) -> None:
    """A baseline that cannot be read is an error with its place, not an empty baseline."""
    deals.edit(SNAPSHOT, old, new)

    with pytest.raises(ConfigWrong) as wrong:
        deals.judge("PAR-001", "deals.list")

    assert message in str(wrong.value)


@pytest.mark.parametrize("settings", [{"update_snapshots": True}, {"update_new_only": True}])
def test_PAR_001_fails_with_a_doubt_in_the_run_that_took_the_snapshot(
    deals: Project, settings: dict[str, bool]
) -> None:
    """What was just taken equals itself; only the next run proves something."""
    deals.path(SNAPSHOT).unlink()

    with pytest.raises(Inconclusive) as doubt:
        deals.judge("PAR-001", "deals.list", **settings)

    assert (
        "the snapshot was taken in this run: compared with itself it proves nothing\n"
        "  fix  review deals.list.json as you would code, then run again without --snapshot-update"
    ) == str(doubt.value)
    assert 30 == deals.judge("PAR-001", "deals.list")["fields"]


def test_PAR_001_passes_where_an_update_changes_nothing(deals: Project) -> None:
    """An update over an equal snapshot takes none."""
    assert 30 == deals.judge("PAR-001", "deals.list", update_snapshots=True)["fields"]


def _old_code(project: Project) -> None:
    project.change(SNAPSHOT, "/baseline", {"kind": "old code", "by": "deals.py 1.4"})
    project.edit(SNAPSHOT, '"amount": 20', '"amount": 21')


def test_PAR_001_fails_on_the_old_codes_baseline_in_an_update_too(deals: Project) -> None:
    """What the old code returned is evidence: no update overwrites it."""
    _old_code(deals)
    before = deals.path(SNAPSHOT).read_bytes()

    with pytest.raises(Finding, match="1 of 30 fields differs"):
        deals.judge("PAR-001", "deals.list", update_snapshots=True)

    assert before == deals.path(SNAPSHOT).read_bytes()


def test_PAR_001_takes_only_missing_snapshots_where_only_new_ones_are_wanted(deals: Project) -> None:
    """An update of new ones leaves those that there are."""
    deals.edit(SNAPSHOT, '"amount": 20', '"amount": 21')

    with pytest.raises(Finding, match="1 of 30 fields differs"):
        deals.judge("PAR-001", "deals.list", update_new_only=True)


def test_PAR_001_fails_with_a_doubt_rather_than_take_a_snapshot_of_half_a_run(deals: Project) -> None:
    """A run that left its recording is no baseline."""
    deals.edit("connector.json", '"deals-2"', '"deals-3"')
    before = deals.path(SNAPSHOT).read_bytes()

    with pytest.raises(Inconclusive):
        deals.judge("PAR-001", "deals.list", update_snapshots=True)

    assert before == deals.path(SNAPSHOT).read_bytes()


def test_PAR_001_passes_with_a_waiver_and_counts_it(deals: Project) -> None:
    """A difference that is meant is waived, and the evidence says so."""
    deals.edit(SNAPSHOT, '"amount": 20', '"amount": 21')
    deals.waive("/amount", "value")

    assert {"records": 5, "fields": 30, "waived": 1, "outcomes": 1} == deals.judge("PAR-001", "deals.list")
    assert {"waivers": 1, "lanes": 3} == deals.judge("PAR-004")


@pytest.mark.parametrize(
    ("path", "kind", "lane", "expires"),
    [
        ("/amount", "type", "*", "2027-01-01"),
        ("/amount", "value", "deals.get", "2027-01-01"),
        ("/amount", "value", "*", "2026-11-22"),
        ("/amount/x", "value", "*", "2027-01-01"),
        ("", "value", "*", "2027-01-01"),
    ],
)
def test_PAR_001_fails_on_what_a_waiver_does_not_name(
    deals: Project, path: str, kind: str, lane: str, expires: str
) -> None:
    """A waiver of another kind, lane, path or day waives nothing."""
    deals.edit(SNAPSHOT, '"amount": 20', '"amount": 21')
    deals.waive(path, kind, lane=lane, expires=expires)

    with pytest.raises(Finding, match="1 of 30 fields differs"):
        deals.judge("PAR-001", "deals.list")


def test_PAR_001_fails_and_names_the_accounts_own_expression(deals: Project) -> None:
    """A lane that was called for an account is mapped by what that account's layer says, and that is named."""
    overrides = {"unified": {"crm.deal": {"fields": {"amount": "properties.amount + 1"}}}}
    account = {"credentials": {"access_token": "example-access-token"}, "overrides": overrides}
    deals.write("accounts/north.json", json.dumps(account))
    lane = deals.read(FILE)["lanes"][0]
    deals.change(FILE, "/lanes/0", {**lane, "call": {"account": "north"}})

    with pytest.raises(Finding) as found:
        deals.judge("PAR-001", "deals.list")

    assert (
        '  mapped by  connectors/deals/accounts/north.json:1   "amount": "properties.amount + 1"'
        "        (account:north)\n"
    ) in found.value.facts


# PAR-002


def test_PAR_002_fails_on_other_requests(deals: Project) -> None:
    """Fewer requests than the old code made, and for something else."""
    requests = deals.read(SNAPSHOT)["requests"]
    deals.change(SNAPSHOT, "/requests", ["GET /v1/deals?limit=9", *requests])

    with pytest.raises(Finding) as found:
        deals.judge("PAR-002", "deals.list")

    assert (
        "3 requests; the baseline made 4\n\n  differ   - GET /v1/deals?limit=9\n"  # this line is the old code's alone
        '  fix      ask as the baseline did; or waive it in deviations.json, with the kind "requests" and the path ""'
    ) == str(found.value)


def test_PAR_002_fails_on_one_request_more(deals: Project) -> None:
    """An N+1 is a difference, though the records are equal."""
    requests = deals.read(SNAPSHOT)["requests"]
    deals.change(SNAPSHOT, "/requests", requests[:2])

    with pytest.raises(Finding) as found:
        deals.judge("PAR-002", "deals.list")

    assert (
        "3 requests; the baseline made 2\n\n  differ   + GET /v1/deals?limit=2&after=c3\n"  # the config's alone
        '  fix      ask as the baseline did; or waive it in deviations.json, with the kind "requests" and the path ""'
    ) == str(found.value)


def test_PAR_002_passes_on_another_spelling(deals: Project) -> None:
    """Other clients put a query in another order, and encode more."""
    requests = ["GET /v1/deals?limit=2", "GET /v1/deals?%61fter=c%32&limit=2", "GET /v1/%64eals?after=c3&limit=2"]
    deals.change(SNAPSHOT, "/requests", requests)

    assert {"requests": 3, "waived": 0} == deals.judge("PAR-002", "deals.list")


@pytest.mark.parametrize("change", [lambda lines: lines[::-1], lambda lines: [*lines, lines[0]]])
def test_PAR_002_fails_on_another_order_or_number(deals: Project, change: Any) -> None:
    """The same requests, but not in the same order, or not as often."""
    deals.change(SNAPSHOT, "/requests", change(deals.read(SNAPSHOT)["requests"]))

    with pytest.raises(Finding, match="the same requests in another order, or another number of times"):
        deals.judge("PAR-002", "deals.list")


def test_PAR_002_passes_with_a_waiver_of_the_lanes_requests_and_counts_it(deals: Project) -> None:
    """Old code that asked once more is waived by name, and the waiver is used."""
    requests = deals.read(SNAPSHOT)["requests"]
    deals.change(SNAPSHOT, "/requests", [*requests, requests[-1]])
    deals.waive("", "requests", lane="deals.list")

    assert {"requests": 3, "waived": 1} == deals.judge("PAR-002", "deals.list")
    assert {"waivers": 1, "lanes": 3} == deals.judge("PAR-004")


@pytest.mark.parametrize(("lane", "expires"), [("deals.get", "2027-01-01"), ("deals.list", "2026-11-22")])
def test_PAR_002_fails_on_requests_that_no_valid_waiver_names(deals: Project, lane: str, expires: str) -> None:
    """A waiver of another lane, or of yesterday, waives nothing."""
    deals.change(SNAPSHOT, "/requests", deals.read(SNAPSHOT)["requests"][:2])
    deals.waive("", "requests", lane=lane, expires=expires)

    with pytest.raises(Finding, match="3 requests; the baseline made 2"):
        deals.judge("PAR-002", "deals.list")


def test_PAR_001_fails_though_the_requests_are_waived(deals: Project) -> None:
    """Another number of requests is no licence for other records."""
    deals.edit(SNAPSHOT, '"amount": 20', '"amount": 21')
    deals.waive("", "requests", lane="deals.list")

    with pytest.raises(Finding, match="1 of 30 fields differs"):
        deals.judge("PAR-001", "deals.list")


# PAR-003


def test_PAR_003_fails_on_a_field_that_no_record_exercises(deals: Project) -> None:
    """A mapped field without a value anywhere is named, with its line."""
    text = deals.path(FILE).read_text()
    deals.write(FILE, text.replace('"owner": "7"', '"owner": null'))

    with pytest.raises(Inconclusive) as doubt:
        deals.judge("PAR-003")

    assert (
        "no recorded record has a value for crm.deal/owner_id (line 45)\n"
        "  fix  record one that has, or take the field out"
    ) == str(doubt.value)


@pytest.mark.parametrize("expression", ["properties.nothing", "properties.nothing & ''", "null"])
def test_PAR_003_fails_on_an_expression_that_never_gives_anything(deals: Project, expression: str) -> None:
    """Absent, null and an empty text are no values."""
    deals.change("connector.json", "/unified/crm.deal/fields/owner_id", expression)

    with pytest.raises(Inconclusive, match=r"crm\.deal/owner_id"):
        deals.judge("PAR-003")


def test_PAR_003_passes_where_zero_and_false_are_values(deals: Project) -> None:
    """0 is a value."""
    text = deals.path(FILE).read_text()
    deals.write(FILE, text.replace('"amount": 1.5', '"amount": 0').replace('"amount": 20', '"amount": 0'))

    assert {"fields": 6} == deals.judge("PAR-003")


# PAR-004


def test_PAR_004_fails_on_an_expired_waiver(deals: Project) -> None:
    """A waiver's last day is its last day, whatever it still waives."""
    deals.edit(SNAPSHOT, '"amount": 20', '"amount": 21')
    deals.waive("/amount", "value", expires="2026-11-22")

    with pytest.raises(Finding) as found:
        deals.judge("PAR-004")

    assert (
        "1 waiver has expired\n"
        "\n"
        "  expired   connectors/deals/deviations.json:4  /amount (value), until 2026-11-22, deals team\n"
        "  fix       mend what it waives, or have its owner extend it with a reason"
    ) == str(found.value)


def test_PAR_004_passes_on_a_waivers_last_day(deals: Project) -> None:
    """The day it names is still one of its days."""
    deals.edit(SNAPSHOT, '"amount": 20', '"amount": 21')
    deals.waive("/amount", "value", expires="2026-11-23")

    assert 1 == deals.judge("PAR-004", as_of=date(2026, 11, 23))["waivers"]


def test_PAR_004_fails_on_an_unused_waiver(deals: Project) -> None:
    """A difference that is gone needs no waiver, which would hide the next one."""
    deals.waive("/amount", "value")

    with pytest.raises(Finding) as found:
        deals.judge("PAR-004")

    assert (
        "1 waiver waives nothing\n"
        "\n"
        "  unused   connectors/deals/deviations.json:4  /amount (value)\n"
        "  fix      the difference is gone: take the waiver out"
    ) == str(found.value)


def test_PAR_004_fails_on_a_waiver_of_requests_that_do_not_differ(deals: Project) -> None:
    """Once the requests are the same, what waives them would hide the next N+1."""
    deals.edit(SNAPSHOT, '"amount": 20', '"amount": 21')  # another difference of the lane is no use of it
    deals.waive("", "requests", lane="deals.list")

    with pytest.raises(Finding) as found:
        deals.judge("PAR-004")

    assert (
        "1 waiver waives nothing\n"
        "\n"
        "  unused   connectors/deals/deviations.json:4  deals.list (requests)\n"
        "  fix      the difference is gone: take the waiver out"
    ) == str(found.value)


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/deviations/0/reason", "why not"),
        ("/deviations/0/owner", " "),
        ("/deviations/0/kind", "any"),
        ("/deviations/0/expires", "2026-02-30"),
    ],
)
def test_PAR_004_fails_on_waivers_that_cannot_be_read(deals: Project, pointer: str, value: str) -> None:
    """A waiver without a reason, an owner, one kind and a day is an error."""
    deals.waive("/amount", "value")
    deals.change("deviations.json", pointer, value)

    with pytest.raises(ConfigWrong, match="/deviations/0/"):
        deals.judge("PAR-004")


# PAR-005


def test_PAR_005_fails_on_a_snapshot_without_a_lane(deals: Project) -> None:
    """A baseline that nothing is compared with proves nothing."""
    deals.drop(FILE, "/lanes/1")

    with pytest.raises(Finding) as found:
        deals.judge("PAR-005")

    assert (
        "1 snapshot has no lane\n"
        "\n"
        "  left over   snapshots/deals/deals.list#throttled.json\n"
        "  fix         restore the recording; or remove the snapshot, as --snapshot-update does"
    ) == str(found.value)


def test_PAR_005_removes_it_in_an_update(deals: Project) -> None:
    """An update takes out what is left over, and keeps the others."""
    deals.drop(FILE, "/lanes/1")

    assert 2 == deals.judge("PAR-005", update_snapshots=True)["snapshots"]
    assert ["deals.get.json", "deals.list.json"] == sorted(p.name for p in deals.path("/snapshots/deals").iterdir())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda deals: deals.drop(FILE, "/lanes/0"),  # the lane of the old code's baseline is gone
        lambda deals: deals.write(FILE, "{"),  # no lane can be read
    ],
)
def test_PAR_005_fails_rather_than_remove_the_old_codes_baseline(deals: Project, spoil: Any) -> None:
    """What the old code returned cannot be taken anew: no update removes it."""
    _old_code(deals)
    spoil(deals)

    with pytest.raises(Finding, match="no lane"):
        deals.judge("PAR-005", update_snapshots=True)

    assert deals.path(SNAPSHOT).exists()


def test_PAR_005_fails_rather_than_remove_what_belongs_to_a_recording_that_cannot_be_read(deals: Project) -> None:
    """A truncated recording must not cost the baselines of its lanes."""
    deals.write(FILE, "{")

    with pytest.raises(Finding, match="3 snapshots have no lane"):
        deals.judge("PAR-005", update_snapshots=True)

    assert 3 == len([*deals.path("/snapshots/deals").iterdir()])


def test_PAR_005_fails_without_any_snapshot(deals: Project) -> None:
    """No baseline at all is a doubt."""
    for path in [*deals.path("/snapshots/deals").iterdir()]:
        path.unlink()

    with pytest.raises(Inconclusive) as doubt:
        deals.judge("PAR-005")

    assert ("there is no snapshot\n  fix  run with --snapshot-update, then review what it wrote") == str(doubt.value)
