"""import as a user types it: what becomes of each format, what is refused, and that no secret is written."""

from __future__ import annotations

import base64
import json
import re
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest
from shop import DAY, DEALS, Command, Done, Project, config, recording
from tapes import CANARY, FORMATS, PAGES, RUBY_VCR, TOKEN, URL, VCRPY, vcr

from pytest_connproof import foreign
from pytest_connproof.checks.rec import is_fresh
from pytest_connproof.finding import Inconclusive
from pytest_connproof.recording import load
from pytest_connproof.redact import proof
from pytest_connproof.subject import Settings, Subject


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_becomes_a_recording(shop: Project, typed: Command, name: str) -> None:
    """Headers that no config is responsible for are gone, the credential is a placeholder, the lane its operation's."""
    shop.write("old/Deals list.tape", FORMATS[name])

    done = typed("import", "old/Deals list.tape", "--connector=shop", "--keep=name")
    imported = load(shop.root / "connectors/shop/recordings/deals-list.json")

    assert 0 == done.code, done.text
    assert "imported" == imported.provenance.kind
    assert f"{name}: Deals list.tape" == imported.provenance.origin
    assert f"imported from {name}" == imported.provenance.source
    assert ("deals.list#2",) == tuple(lane.id for lane in imported.lanes)
    (exchange,) = imported.exchanges()
    assert (("authorization", "Bearer {{secret:access_token#1}}"),) == exchange.request.headers
    assert f"{URL}/deals?limit=2" == exchange.request.url
    assert {"results": list(DEALS)} == json.loads(exchange.response.body)


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        ("ruby-vcr", "2026-05-05T22:51:34Z"),
        ("betamax", "2026-05-05T22:51:34Z"),
        ("har", "2026-05-05T22:51:34Z"),
        ("vcrpy", None),
    ],
)
def test_the_time_is_the_file_s(shop: Project, typed: Command, name: str, moment: str | None) -> None:
    """In UTC; where the file has none, it is unknown, and the day of the import is not taken for it."""
    shop.write("old/tape", FORMATS[name])

    done = typed("import", "old/tape", "--connector=shop")

    assert moment == load(shop.root / "connectors/shop/recordings/tape.json").provenance.recorded_at
    assert (moment is None) == ("age        unknown, so REC-004 stays inconclusive" in done.text)


def test_an_import_of_unknown_age_is_not_fresh(shop: Project, typed: Command) -> None:
    """An old cassette does not become new by being imported today."""
    shop.write("old/tape", VCRPY)
    typed("import", "old/tape", "--connector=shop")
    subject = Subject(Path("connectors/shop/connector.json"), Settings(as_of=date(9999, 1, 1), max_age_days=10**7))

    with pytest.raises(Inconclusive, match=r"tape\.json does not say when it was made"):
        is_fresh(subject, "tape.json")


def test_the_day_can_be_said(shop: Project, typed: Command) -> None:
    """For files that do not say it."""
    shop.write("old/tape", VCRPY)

    assert 0 == typed("import", "old/tape", "--connector=shop", "--recorded-at=2026-11-20").code
    assert "2026-11-20T00:00:00Z" == load(shop.root / "connectors/shop/recordings/tape.json").provenance.recorded_at


def test_what_was_imported_is_told(shop: Project, typed: Command) -> None:
    """The file, its lanes, and how much of what was redacted; no value."""
    shop.write("old/tape.json", vcr(*PAGES, headers=TOKEN))

    done = typed("import", "old/tape.json", "--connector=shop", "--source=the old suite", "--api-version=v1")
    imported = load(shop.root / "connectors/shop/recordings/tape.json")

    assert (
        "connectors/shop/recordings/tape.json  from ruby-vcr: tape.json\n"
        "  exchanges  deals.list#2 2\n"
        "  redacted   authorization 2, header 2, made up 3\n"
    ) == done.text
    assert "the old suite" == imported.provenance.source
    assert "v1" == imported.provenance.api_version


def test_what_was_made_up_is_not_called_imported(shop: Project, typed: Command) -> None:
    """Of a stub, say: it has no day of recording, whatever the file says, and nobody's words that would have to go."""
    shop.write("old/tape.json", vcr(*PAGES, headers=TOKEN))

    done = typed("import", "old/tape.json", "--connector=shop", "--made-up")
    imported = load(shop.root / "connectors/shop/recordings/tape.json")

    assert 0 == done.code, done.text
    assert "redacted   authorization 2, header 2\n" in done.text
    assert "age " not in done.text
    said = imported.provenance
    assert ("synthetic", None, "made up, and imported from ruby-vcr") == (said.kind, said.recorded_at, said.source)
    assert {deal["name"] for deal in DEALS} == {
        deal["name"] for one in imported.exchanges() for deal in json.loads(one.response.body)["results"]
    }


def test_what_was_made_up_was_recorded_on_no_day(shop: Project, typed: Command) -> None:
    """One of the two is wrong, and nothing is written."""
    shop.write("old/tape.json", vcr(*PAGES))

    done = typed("import", "old/tape.json", "--connector=shop", "--made-up", "--recorded-at=2026-11-20")

    assert 2 == done.code
    assert "--made-up and --recorded-at contradict each other" in done.text
    assert "connectors/shop/recordings/tape.json" not in shop.files()


SECRETS = {
    "in a header": (vcr(*PAGES, headers={"Authorization": [f"Bearer {CANARY}"]}), [CANARY]),
    "in a header that is dropped": (vcr(*PAGES, headers={"X-Session": [CANARY]}), [CANARY]),
    "in the query": (vcr(("get", f"{URL}/deals?limit=2&api_key={CANARY}", {"results": []})), [CANARY]),
    "in the answer": (vcr(("get", f"{URL}/deals", {"results": [{"id": "1", "access_token": CANARY}]})), [CANARY]),
    "in the answer, and again elsewhere": (
        vcr(
            ("get", f"{URL}/deals", {"refresh_token": CANARY, "results": []}),
            ("get", f"{URL}/deals?q={CANARY}", {"results": [{"note": base64.b64encode(CANARY.encode()).decode()}]}),
        ),
        [CANARY],
    ),
    "a person": (
        vcr(("get", f"{URL}/deals?owner=jane%40corp.com", {"results": [{"owner": "jane@corp.com"}]})),
        ["jane@corp.com"],
    ),
}


@pytest.mark.parametrize("where", SECRETS)
def test_no_secret_is_written(shop: Project, typed: Command, where: str) -> None:
    """Nowhere in the project, in no spelling; the import says nothing of it either."""
    tape, canaries = SECRETS[where]
    shop.write("tape.json", tape)

    done = typed("import", "tape.json", "--connector=shop")
    (shop.root / "tape.json").unlink()

    assert 0 == done.code, done.text
    assert "connectors/shop/recordings/tape.json" in shop.files()
    assert [] == [name for name, content in shop.files().items() if not proof(content, canaries).clean]
    assert proof(done.text, canaries).clean


def test_an_existing_recording_is_not_replaced(shop: Project, typed: Command) -> None:
    """Unless it is said."""
    shop.write("deals.json", vcr(*PAGES, headers=TOKEN))
    before = shop.files()

    refused = typed("import", "deals.json", "--connector=shop")

    assert 2 == refused.code
    assert (
        "connectors/shop/recordings/deals.json is there already\n"
        "  fix  pass --force to replace it, or rename the file\n"
    ) == refused.text
    assert before == shop.files()
    assert 0 == typed("import", "deals.json", "--connector=shop", "--force").code
    assert before != shop.files()


UNREADABLE = {
    "missing": (None, "No such file or directory"),
    "empty": ("", "it is empty"),
    "text": ("hello", "no known tool writes such a file"),
    "cut off": (RUBY_VCR[:400], "cannot read tape as a recording"),
    "without exchanges": ('{"log": {"version": "1.2", "entries": []}}', "it holds no exchange"),
    "our own format": (json.dumps(recording()), "no known tool writes such a file"),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_an_unreadable_file_writes_nothing(shop: Project, typed: Command, what: str) -> None:
    """One message names the file, what is wrong and what to do."""
    content, said = UNREADABLE[what]
    if content is not None:
        shop.write("tape", content)
    before = shop.files()

    done = typed("import", "tape", "--connector=shop")

    assert 2 == done.code
    assert said in done.text
    assert re.search(r"^  fix +\S", done.text, re.MULTILINE), done.text
    assert before == shop.files()


def test_of_several_files_all_are_read_before_one_is_written(shop: Project, typed: Command) -> None:
    """The second is bad: the first is not written either."""
    shop.write("good.json", vcr(*PAGES))
    shop.write("bad.json", "{")
    before = shop.files()

    done = typed("import", "good.json", "bad.json", "--connector=shop")

    assert 2 == done.code
    assert "cannot read bad.json as a recording" in done.text
    assert before == shop.files()


def test_two_files_that_would_become_one_are_refused(shop: Project, typed: Command) -> None:
    """Neither replaces the other."""
    shop.write("a/deals list.json", vcr(*PAGES))
    shop.write("b/deals-list.yml", VCRPY)
    before = shop.files()

    done = typed("import", "a/deals list.json", "b/deals-list.yml", "--connector=shop")

    assert 2 == done.code
    assert "would both become connectors/shop/recordings/deals-list.json" in done.text
    assert before == shop.files()


def test_a_connector_that_there_is_not(shop: Project, typed: Command) -> None:
    """The message names those there are."""
    shop.write("tape.json", vcr(*PAGES))

    done = typed("import", "tape.json", "--connector=shopp")

    assert (
        Done(
            2,
            "no connector shopp\n"
            "  there are  shop\n"
            "  fix        make the folder connectors/shopp first, or name another\n",
        )
        == done
    )


def test_import_before_there_is_a_config(shop: Project, typed: Command) -> None:
    """Traffic may come first; then only the caller can say what it is a call of."""
    (shop.root / "connectors/bank").mkdir()
    shop.write("tape.json", vcr(*PAGES, headers=TOKEN))

    refused = typed("import", "tape.json", "--connector=bank")
    taken = typed("import", "tape.json", "--connector=bank", "--lane=deals.list")

    assert 2 == refused.code
    assert "there is no config yet to sort the traffic by\n  fix  name the lane: --lane contacts.list\n" == refused.text
    assert 0 == taken.code
    (lane,) = load(shop.root / "connectors/bank/recordings/tape.json").lanes
    assert ("deals.list", 2) == (lane.id, len(lane.exchanges))


@pytest.mark.parametrize("lane", ["two words", "#scenario", " ", "deals.list#a#b"])
def test_a_lane_that_is_no_name(shop: Project, typed: Command, lane: str) -> None:
    """Refused, and nothing is written."""
    shop.write("tape.json", vcr(*PAGES))
    before = shop.files()

    done = typed("import", "tape.json", "--connector=shop", f"--lane={lane}")

    assert 2 == done.code, done.text
    assert before == shop.files()


def test_a_lane_of_no_operation(shop: Project, typed: Command) -> None:
    """The nearest one is named."""
    shop.write("tape.json", vcr(*PAGES))

    done = typed("import", "tape.json", "--connector=shop", "--lane=deal.list#again")

    assert Done(2, 'shop has no operation "deal.list"\n  fix  did you mean "deals.list"?\n') == done


STRANGE: Final[tuple[tuple[str, str, Any], ...]] = (
    ("get", f"{URL}/owners/7?token={CANARY}", {}),
    ("post", f"{URL}/deals", {}),
)


def test_traffic_that_no_operation_fits(shop: Project, typed: Command) -> None:
    """It is not left out by itself: what was asked and what there is, are told."""
    shop.write("tape.json", vcr(STRANGE[0], *PAGES, STRANGE[1], STRANGE[1]))
    before = shop.files()

    done = typed("import", "tape.json", "--connector=shop")

    assert (
        Done(
            2,
            "some of the traffic fits no operation of shop\n"
            "  asked      GET /v1/owners/7\n"
            "             POST /v1/deals\n"
            "  there are  deals.list  GET /deals\n"
            "  fix        add the operations to the config first, leave the rest out with --known-only, "
            "or use --lane\n",
        )
        == done
    )
    assert before == shop.files()


def test_traffic_that_no_operation_fits_can_be_left_out(shop: Project, typed: Command) -> None:
    """What another tool recorded on the way to the listing: that it is left out, and how much, is told."""
    shop.write("tape.json", vcr(STRANGE[0], *PAGES, STRANGE[1]))

    done = typed("import", "tape.json", "--connector=shop", "--known-only")

    assert 0 == done.code
    assert "  exchanges  deals.list#2 2  (2 left out)\n" in done.text


def test_an_import_that_would_leave_all_out(shop: Project, typed: Command) -> None:
    """A recording without an exchange is none."""
    shop.write("tape.json", vcr(*STRANGE))
    before = shop.files()

    done = typed("import", "tape.json", "--connector=shop", "--known-only")

    assert 2 == done.code
    assert "some of the traffic fits no operation of shop" in done.text
    assert before == shop.files()


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--recorded-at=soon", "--recorded-at soon: not a date"),
        ("--wrong", "No such option"),
        ("--lane", "requires an argument"),
    ],
)
def test_a_wrong_option(shop: Project, typed: Command, option: str, said: str) -> None:
    """Said before anything is read."""
    shop.write("tape.json", vcr(*PAGES))
    before = shop.files()

    done = typed("import", "tape.json", "--connector=shop", option)

    assert 2 == done.code
    assert said in done.text
    assert before == shop.files()


def test_a_recordings_folder_that_is_none(shop: Project, typed: Command) -> None:
    """What is in the way is named."""
    (shop.root / "connectors/bank").mkdir()
    shop.write("connectors/bank/recordings", "a file")
    shop.write("tape.json", vcr(*PAGES))

    done = typed("import", "tape.json", "--connector=bank", "--lane=deals.list")

    assert Done(2, "connectors/bank/recordings: File exists\n") == done


def test_an_interrupted_import_writes_nothing(shop: Project, typed: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while the second file is read: 130, as of any command."""
    shop.write("one.json", vcr(*PAGES))
    shop.write("two.json", vcr(*PAGES))
    before = shop.files()
    read = foreign.read

    def interrupted(path: Path) -> foreign.Tape:
        if path.name == "two.json":
            raise KeyboardInterrupt
        return read(path)

    monkeypatch.setattr(foreign, "read", interrupted)

    done = typed("import", "one.json", "two.json", "--connector=shop")

    assert Done(130, "interrupted\n") == done
    assert before == shop.files()


def test_imported_traffic_is_certified(shop: Project, typed: Command) -> None:
    """Import, replay, review, certify: the certificate says what kind of evidence it rests on."""
    resources = config()["resources"]
    resources["deals"]["get"] = {"method": "GET", "path": "/deals/{id}", "key": "id"}
    shop.connector("bank", resources=resources)
    (shop.root / "connectors/bank/recordings/deals.json").unlink()
    (shop.root / "snapshots/bank/deals.list.json").unlink()
    shop.write("old/deals.json", vcr(*PAGES, ("get", f"{URL}/deals/d-3", DEALS[2]), headers=TOKEN))

    imported = typed("import", "old/deals.json", "--connector=bank")
    read = shop.run("pytest", "connectors/bank", "-m", "replay", f"--as-of={DAY}")
    taken = shop.run("pytest", "connectors/bank", "--snapshot-update", f"--as-of={DAY}")
    done = typed("certify", "bank", f"--as-of={DAY}")
    certificate = shop.read("certificates/bank.json")

    assert (0, 0, 0, 0) == (imported.code, read.code, taken.code, done.code), done.text
    assert "skipped" not in read.text
    assert ("certified", "imported", "engine") == tuple(certificate[key] for key in ("verdict", "grade", "baseline"))
    assert "2027-05-05" == certificate["valid_until"]
    records = shop.read("snapshots/bank/deals.list.json")["records"]
    assert [(deal["id"], deal["amount"]) for deal in DEALS] == [(deal["id"], deal["amount"]) for deal in records]
    assert {deal["name"] for deal in DEALS}.isdisjoint(deal["name"] for deal in records)
