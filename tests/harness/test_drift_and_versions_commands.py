"""drift and versions, each as a user types it: what is said, what is written, how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from shop import DAY, Command, Done, Project, config, contract, deals, exchange, recording

FILE: Final = "connectors/shop/contract/deals.list.schema.json"
VERSION: Final = {"value": "2026-07", "in": "header", "name": "X-Version"}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with one connector and its contract; the current folder is its root."""
    project = Project(tmp_path)
    project.connector()
    project.write(FILE, contract())
    monkeypatch.chdir(tmp_path)
    return project


def _answered(*bodies: Any, **changes: Any) -> dict[str, Any]:
    """A recording of the shop with these answers."""
    exchanges = [exchange(number, [["limit", "2"]], body) for number, body in enumerate(bodies, 1)]
    return recording(lanes=[{"id": "deals.list", "order": "strict", "exchanges": exchanges}], **changes)


def _deal(**changes: Any) -> dict[str, Any]:
    return {"results": [{**deals()[0], **changes}]}


def _rows(done: Done) -> list[str]:
    """The lines, their columns one space apart."""
    return [" ".join(line.split()) for line in done.text.splitlines()]


# drift


@pytest.mark.usefixtures("shop")
def test_drift_of_what_is_as_agreed(typed: Command) -> None:
    """One line an operation, and the sum."""
    done = typed("drift", "shop")

    assert (
        "deals.list  as in the contract: 2 answers, 9 places\n"
        "shop  holds: 0 block, 0 warn, 0 note  (1 operation, 2 answers compared)\n"
    ) == done.text
    assert 0 == done.code


def test_drift_in_what_the_config_reads_is_1(shop: Project, typed: Command) -> None:
    """A table: what differs, how much, and the line that reads it."""
    shop.write("new.json", _answered(_deal(id=1, amount="12.5", seen=True)))

    done = typed("drift", "shop", "--against", "new.json")

    assert [
        f"deals.list 3 differences in 7 places from {FILE}",
        "severity kind path expected seen read by",
        "block retyped results[*].id string integer (all 1) connectors/shop/connector.json:20",
        "warn retyped results[*].amount number or null string (all 1) nothing",
        "note new results[*].seen not there boolean, in all 1 nothing",
    ] == _rows(done)[:5]
    assert "\n\nshop  drifted: 1 block, 1 warn, 1 note  (1 operation, 1 answer compared)\n" in done.text
    assert 1 == done.code


def test_drift_that_nothing_reads_is_0(shop: Project, typed: Command) -> None:
    """It is told, and stops nobody."""
    shop.write("new.json", _answered(_deal(amount="12.5")))

    done = typed("drift", "shop", "--against", "new.json")

    assert "shop  holds: 0 block, 1 warn, 0 note" in done.text
    assert 0 == done.code


@pytest.mark.parametrize("where", ["newer", "newer/recordings", "newer/recordings/a.json"])
def test_drift_against_a_file_a_folder_or_a_connector(shop: Project, typed: Command, where: str) -> None:
    """Every recording that is there."""
    shop.write("newer/recordings/a.json", _answered(_deal(id=1)))

    assert 1 == typed("drift", "connectors/shop", "--against", where).code


def test_drift_for_machines(shop: Project, typed: Command) -> None:
    """Every difference with each word of the config that reads it."""
    shop.write("new.json", _answered(_deal(id=1)))

    done = typed("drift", "shop", "--against", "new.json", "--json")

    assert {
        "connector": "shop",
        "verdict": "drifted",
        "operations": [
            {
                "operation": "deals.list",
                "contract": FILE,
                "answers": 1,
                "places": 6,
                "differences": [
                    {
                        "severity": "block",
                        "kind": "retyped",
                        "path": "results[*].id",
                        "expected": "string",
                        "seen": "integer (all 1)",
                        "read_by": [{"pointer": "/resources/deals/list/key", "line": 20}],
                    }
                ],
            }
        ],
    } == json.loads(done.text)


def test_drift_without_a_contract_is_3(shop: Project, typed: Command) -> None:
    """What to do stands there."""
    (shop.root / FILE).unlink()

    done = typed("drift", "shop")

    assert f"deals.list  no contract: write it with --update, then review {FILE}" in done.text
    assert "shop  inconclusive" in done.text
    assert 3 == done.code


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (None, "no recording in newer, so nothing was compared"),
        ([], "no answer in newer is one of shop's operations, so nothing was compared: it has deals.list"),
    ],
)
def test_drift_with_nothing_to_compare_is_3(shop: Project, typed: Command, answers: Any, said: str) -> None:
    """Nothing seen is no proof that nothing changed."""
    (shop.root / "newer").mkdir()
    if answers is not None:
        shop.write(
            "newer/a.json",
            recording(lanes=[{"id": "other.list", "order": "strict", "exchanges": [exchange(1, [], {})]}]),
        )

    done = typed("drift", "shop", "--against", "newer")

    assert said in done.text
    assert 3 == done.code


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["shop", "--against", "nowhere.json"], "no recording at nowhere.json"),
        (["shop", "--against", "connectors/shop/connector.json"], "not a recording"),
        (["shop", "--against", "x", "--update"], "a contract is told from the connector's own recordings"),
        (["shpo"], "no connector shpo"),
    ],
)
@pytest.mark.usefixtures("shop")
def test_drift_of_what_cannot_be_used_is_2(typed: Command, arguments: list[str], said: str) -> None:
    """A wrong call, or an input that is none."""
    done = typed("drift", *arguments)

    assert said in done.text
    assert 2 == done.code


def test_drift_from_a_contract_that_is_none_is_2(shop: Project, typed: Command) -> None:
    """With the place."""
    shop.write(FILE, contract(minimum=1))

    done = typed("drift", "shop")

    assert f"{FILE}:" in done.text and 'unknown member "minimum"' in done.text
    assert 2 == done.code


def test_update_writes_what_the_recordings_show(shop: Project, typed: Command) -> None:
    """The same contract as was agreed on, now with its members in order; again, and nothing changes."""
    (shop.root / FILE).unlink()

    first, written = typed("drift", "shop", "--update"), shop.files()
    again = typed("drift", "shop", "--update")

    assert contract() == shop.read(FILE)
    assert f"{FILE}  written  (2 answers)" in first.text
    assert f"{FILE}  unchanged  (2 answers)" in again.text
    assert (0, 0, written) == (first.code, again.code, shop.files())


def test_update_changes_a_contract_that_holds_no_more(shop: Project, typed: Command) -> None:
    """After it, what was seen is what is agreed on: for a person to review."""
    shop.write("connectors/shop/recordings/deals.json", _answered(_deal(id=1)))

    done = typed("drift", "shop", "--update")

    assert f"{FILE}  changed  (1 answer)" in done.text
    assert {"type": "integer"} == shop.read(FILE)["properties"]["results"]["items"]["properties"]["id"]
    assert 0 == done.code


def test_update_takes_out_the_contract_of_an_operation_that_is_gone(shop: Project, typed: Command) -> None:
    """It would be held against nothing."""
    shop.write("connectors/shop/contract/deals.old.schema.json", contract("deals.old"))

    done = typed("drift", "shop", "--update")

    assert "contract/deals.old.schema.json  removed: there is no such operation" in done.text
    assert [FILE] == [path for path in shop.files() if "/contract/" in path]


# versions


def _announcing(shop: Project, version: Any, *headers: list[str]) -> None:
    """Let the shop have a version, and its first answer these headers."""
    shop.write("connectors/shop/connector.json", config(**({"api_version": version} if version else {})))
    document = recording()
    document["lanes"][0]["exchanges"][0]["response"]["headers"] += headers
    shop.write("connectors/shop/recordings/deals.json", document)


@pytest.mark.usefixtures("shop")
def test_versions_of_a_connector_without_one(typed: Command) -> None:
    """Nothing is known, and it says so."""
    done = typed("versions", "--as-of", DAY)

    assert "shop - no api_version - nothing is announced" == _rows(done)[1]
    assert f"nothing is due within 180 days of {DAY}\n" in done.text
    assert 0 == done.code


@pytest.mark.parametrize(
    ("arguments", "state", "code"),
    [
        (["--as-of", DAY], "later", 0),
        (["--as-of", DAY, "--within", "400"], "due", 1),
        (["shop", "--as-of", "2027-06-01"], "due", 1),
        (["connectors", "--as-of", "2027-09-02"], "past", 1),
        (["connectors/shop/connector.json", "--as-of", "2027-09-02", "--within", "0"], "past", 1),
    ],
)
def test_V2_end_that_the_config_knows(
    shop: Project, typed: Command, arguments: list[str], state: str, code: int
) -> None:
    """A row with the day, the days that are left, and the line that says so."""
    _announcing(shop, {**VERSION, "sunset": "2027-09", "notice": "https://shop.example/changes"})

    done = typed("versions", *arguments)

    assert _rows(done)[1].startswith(f"shop 2026-07 header X-Version {state} sunset 2027-09 ")
    assert "config  connectors/shop/connector.json:" in done.text
    assert code == done.code


def test_V2_end_of_an_operation_that_the_config_knows(shop: Project, typed: Command) -> None:
    """The row names the operation and the line."""
    document = config()
    document["resources"]["deals"]["list"]["ending"] = {"sunset": "2026-12-01"}
    shop.write("connectors/shop/connector.json", document)

    done = typed("versions", "shop", "--as-of", DAY)

    assert "due sunset 2026-12-01 8 config deals.list, connectors/shop/connector.json:" in _rows(done)[1]
    assert 1 == done.code


def test_V2_end_that_an_answer_announces(shop: Project, typed: Command) -> None:
    """A deprecation waits for its sunset; the row names header, operation, recording and exchange."""
    _announcing(shop, VERSION, ["deprecation", "@1688169599"], ["sunset", "Mon, 11 Jan 2027 00:00:00 GMT"])

    done = typed("versions", "shop", "--as-of", DAY)

    assert [
        "shop 2026-07 header X-Version due sunset 2027-01-11 49 sunset deals.list, deals.json exchange deals.list/1",
        "told deprecated 2023-06-30 -1242 deprecation deals.list, deals.json exchange deals.list/1",
    ] == _rows(done)[1:3]
    assert "1 past or due within 180 days of 2026-11-23" in done.text
    assert 1 == done.code


def test_V3_another_version_that_was_served(shop: Project, typed: Command) -> None:
    """The one asked for is no longer served: that is due."""
    _announcing(shop, {**VERSION, "served": {"header": "X-Served"}}, ["x-served", "2026-10"])

    done = typed("versions", "shop", "--as-of", DAY)

    assert _rows(done)[1].startswith("shop 2026-07 header X-Version due served: 2026-10 x-served deals.list, ")
    assert 1 == done.code


def test_V3_version_that_was_served_as_asked(shop: Project, typed: Command) -> None:
    """Nothing to tell."""
    _announcing(shop, {**VERSION, "served": {"header": "X-Served"}}, ["x-served", "2026-07"])

    assert 0 == typed("versions", "shop", "--as-of", DAY).code


def test_versions_for_machines(shop: Project, typed: Command) -> None:
    """Every announcement, whole."""
    _announcing(shop, VERSION, ["sunset", "Mon, 11 Jan 2027 00:00:00 GMT"])

    done = typed("versions", "shop", "--as-of", DAY, "--json")

    assert {
        "as_of": DAY,
        "within_days": 180,
        "due": True,
        "connectors": [
            {
                "connector": "shop",
                "file": "connectors/shop/connector.json",
                "api_version": {"value": "2026-07", "in": "header", "source": None},
                "announcements": [
                    {
                        "state": "due",
                        "kind": "sunset",
                        "day": "2027-01-11",
                        "days_left": 49,
                        "operation": "deals.list",
                        "by": "sunset",
                        "text": "",
                        "where": "deals.json  exchange deals.list/1",
                    }
                ],
            }
        ],
    } == json.loads(done.text)


def test_text_of_a_provider_cannot_forge_a_row(shop: Project, typed: Command) -> None:
    """Control characters are shown escaped."""
    reason = {**VERSION, "deprecation_headers": ["x-why"]}
    _announcing(shop, reason, ["x-why", "a\tb"])

    assert r"deprecated: a\tb" in typed("versions", "shop", "--as-of", DAY).text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "no connector at nowhere"),
        (["--as-of", "soon"], "--as-of soon: not a date"),
        (["--within", "-1"], "--within"),
    ],
)
@pytest.mark.usefixtures("shop")
def test_versions_of_what_cannot_be_used_is_2(typed: Command, arguments: list[str], said: str) -> None:
    """A wrong call."""
    done = typed("versions", *arguments)

    assert said in done.text
    assert 2 == done.code
