"""The comparison with other people's clients, with a client of our own that needs no installation."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest
from shop import Project

import parity_clients
from comparing import PROGRAMS, Client, Compared, Expected, Listing, compared, unused
from connproof.model import Request
from connproof.places import JsonValue
from expected import EXPECTED
from listings import ABSENT, CORPUS
from table import LISTINGS
from told import failed, told
from traffic import ROOT, Corpus, NotHere, Ours, Traffic

# A distribution that is here wherever the tests run: what is installed is asked for its version.
CLIENT: Final = "pytest"

PROGRAM: Final = """
import json, os, sys, urllib.parse, urllib.request

change, *asked = sys.argv[1:]
deals, query = [], dict(word.split("=") for word in asked)
while True:
    url = os.environ["CONNPROOF_BASE_URL"] + "/deals?" + urllib.parse.urlencode(query)
    signed = {"Authorization": "Bearer " + os.environ["CONNPROOF_ACCESS_TOKEN"]}
    with urllib.request.urlopen(urllib.request.Request(url, headers=signed)) as answer:
        page = json.load(answer)
    deals += page["results"]
    if "paging" not in page or change == "the first page alone":
        break
    query["after"] = page["paging"]["next"]["after"]
if change == "amounts are texts":
    deals = [{**deal, "amount": str(deal["amount"])} for deal in deals]
if change == "a tax of its own":
    deals = [{**deal, "tax": 0} for deal in deals]
print(json.dumps(deals))
"""

TEXTS: Final = (
    Expected(CLIENT, "type", "It makes amounts texts.", paths=("/amount",)),
    Expected(CLIENT, "value", "It makes amounts texts, null too.", paths=("/amount",)),
)
TAX: Final = Expected(CLIENT, "missing", "It has a tax of its own.", values=("0",))


@pytest.fixture
def listing(tmp_path: Path) -> Listing:
    """The deals of the shop, listed by a client that says them as they are."""
    Project(tmp_path).connector()
    program = tmp_path / "list_deals.py"
    program.write_text(PROGRAM, encoding="utf-8")
    return Listing(
        Client(CLIENT, str(program)), Ours("shop", "deals.list", root=tmp_path), ("as it is", "limit=$limit")
    )


def changing(listing: Listing, change: str) -> Listing:
    return replace(listing, arguments=(change, *listing.arguments[1:]))


def test_a_client_that_says_what_the_engine_says(listing: Listing) -> None:
    """Requests and records are counted on both sides, and nothing is told but the row."""
    found = compared(listing, ())

    assert ("synthetic", (2, 2), (), ()) == (found.kind, found.requests, found.faults, found.unexpected)
    assert found.comparison is not None
    assert (3, 3, 9) == (
        found.comparison.records_old,
        found.comparison.records_new,
        found.comparison.fields_compared,
    )
    assert not failed([found], [])
    text = told([found], [])
    row = re.compile(rf"{CLIENT} +\S+ +shop deals\.list +synthetic +2 / 2 +3 / 3 +9 +none")
    assert row.search(text)
    assert text.endswith("1 client, 1 of 1 listings: 3 records, 9 fields compared; 0 differences, none unexpected")


def test_a_difference_that_nobody_expects(listing: Listing) -> None:
    """What the client changes is told, with the first value, and fails."""
    found = compared(changing(listing, "amounts are texts"), ())

    assert ["type", "value", "type"] == [difference.kind for difference in found.unexpected]
    text = told([found], [])
    assert "UNEXPECTED  pytest: shop deals.list: type, 2 at /amount" in text
    assert 'id="d-1" /amount   client "12.5"   engine 12.5' in text
    assert text.endswith("3 differences, 3 unexpected: FAILED")
    assert failed([found], [])


def test_a_difference_that_is_expected(listing: Listing) -> None:
    """What stands in the table is told with its reason, and does not fail."""
    found = compared(changing(listing, "amounts are texts"), TEXTS)

    assert ((), 3) == (found.unexpected, len(found.waived))
    assert [] == unused(TEXTS, [found])
    assert not failed([found], [])
    text = told([found], [])
    assert "pytest: type, 2 at /amount\n" in text
    assert "It makes amounts texts, null too." in text


def test_a_value_of_the_clients_own_is_expected_at_any_path(listing: Listing) -> None:
    """It covers that value where the engine has nothing, and no other: not a text of the same letters."""
    own = changing(listing, "a tax of its own")

    assert () == compared(own, (TAX,)).unexpected
    assert 3 == len(compared(own, (replace(TAX, values=('"0"',)),)).unexpected)


def test_an_expectation_is_of_one_client_and_one_kind(listing: Listing) -> None:
    """Neither another client's, nor another kind of difference at the same path covers one."""
    others = (replace(TEXTS[0], client="another"), replace(TEXTS[0], kind="time"))

    assert 3 == len(compared(changing(listing, "amounts are texts"), others).unexpected)


def test_an_expectation_that_nothing_meets(listing: Listing) -> None:
    """It is told and fails, by path and by value, unless a listing of that client was not compared."""
    found = compared(listing, (TEXTS[0], TAX))

    unmet = unused((TEXTS[0], TAX, replace(TAX, client="another")), [found])

    assert ["pytest: type at /amount", "pytest: missing with 0"] == unmet
    assert failed([found], unmet)
    assert "UNUSED      pytest: type at /amount: expected, and not met any more" in told([found], unmet)
    assert [] == unused((TEXTS[0], TAX), [found, Compared(listing, skipped="it lies elsewhere")])


def test_a_request_that_is_not_recorded(listing: Listing) -> None:
    """The client fails; what it asked for is told with what is recorded, and no credential."""
    found = compared(replace(listing, arguments=("as it is", "limit=7")), ())

    assert found.comparison is None
    text = told([found], [])
    assert "it ended with exit code 1" in text
    assert 'query.limit   recorded "2"   sent "7"' in text
    assert "example-access-token" not in text
    assert " 1 / 2 " in text and "failed" in text
    assert failed([found], [])


def test_a_page_that_is_not_asked_for(listing: Listing) -> None:
    """A client that ends before the recording does is at fault, whatever its records are."""
    found = compared(changing(listing, "the first page alone"), ())

    assert ("not used: deals.list/2",) == found.faults
    assert ["extra"] == [difference.kind for difference in found.unexpected]
    assert failed([found], [])


def test_a_clients_own_way_to_ask(listing: Listing) -> None:
    """Its requests are put into the recorded words, and what was changed is told."""

    def without_count(request: Request) -> Request:
        """It calls the limit a count."""
        return replace(request, url=request.url.replace("count=", "limit="))

    found = compared(replace(listing, arguments=("as it is", "count=2"), spelt=without_count), ())

    assert ((), ()) == (found.faults, found.unexpected)
    assert "pytest: It calls the limit a count." in told([found], [])


def test_a_spelling_that_changes_nothing(listing: Listing) -> None:
    """It is out of date, and a fault."""
    found = compared(replace(listing, spelt=lambda request: request), ())

    assert ("its requests need no other spelling",) == found.faults


def test_a_header_that_the_client_sends_otherwise(listing: Listing) -> None:
    """It is not compared where the listing says so, and that is told."""
    signed = PROGRAM.replace('"Bearer "', '"Token "')
    program = Path(listing.client.program)
    program.write_text(signed, encoding="utf-8")

    assert compared(listing, ()).faults
    found = compared(replace(listing, ignored=("authorization",)), ())

    assert () == found.faults
    assert "pytest: It sends other headers, or none: authorization." in told([found], [])


def test_a_client_that_is_not_installed(listing: Listing) -> None:
    """It is a fault that names what installs it: the session is there to compare it."""
    found = compared(replace(listing, client=Client("no-such-client", "none.py")), ())

    assert ("it is not installed: it is in the dependency group `clients`",) == found.faults
    assert failed([found], [])


def test_traffic_that_is_not_on_this_machine(listing: Listing) -> None:
    """The listing is skipped, and why is told; nothing fails, unless there is nothing else."""

    @dataclass(frozen=True, slots=True)
    class Away:
        name: str = "shop far away"

        def traffic(self) -> Traffic:
            raise NotHere("there is no such folder")

    found = compared(replace(listing, source=Away()), ())

    assert not failed([compared(listing, ()), found], [])
    assert "skipped     pytest: shop far away: there is no such folder" in told([found], [])
    assert failed([found], [])


def test_the_engine_is_held_to_the_recorded_pages(listing: Listing) -> None:
    """A difference of the engine's own is a fault, though client and engine agree."""

    class Otherwise(Traffic):
        @property
        def recorded(self) -> list[JsonValue]:
            return [{"id": "d-1"}]

    @dataclass(frozen=True, slots=True)
    class Source:
        name: str = "shop deals.list"

        def traffic(self) -> Traffic:
            real = listing.source.traffic()
            return Otherwise(real.party, real.lane, real.kind, real.signed)

    found = compared(replace(listing, source=Source()), ())

    assert found.unexpected == ()
    assert ("the engine itself gives other records than are recorded, 4 differences",) == found.faults


def test_the_command(listing: Listing, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It ends with 0 where all is as expected, with 1 where it is not, with 2 for a client that it does not know."""
    monkeypatch.setattr(parity_clients, "LISTINGS", (listing,))
    assert 0 == parity_clients.main([])
    assert "1 client, 1 of 1 listings" in capsys.readouterr().out

    monkeypatch.setattr(parity_clients, "LISTINGS", (changing(listing, "amounts are texts"),))
    assert 1 == parity_clients.main([CLIENT])

    with pytest.raises(SystemExit, match="2"):
        parity_clients.main(["nobody"])
    assert "there is no client nobody: choose from pytest" in capsys.readouterr().err


# The tables.


def test_every_client_of_the_table_is_installed_by_the_session() -> None:
    """The table lists with what the dependency group has, all of it; and expects differences of nobody else."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    group = {re.split("[><=~]", wanted)[0] for wanted in document["dependency-groups"]["clients"]}
    listed = {listing.client.name for listing in LISTINGS}

    assert group == {re.sub("[-_.]+", "-", name).lower() for name in listed}
    assert set() == {one.client for one in EXPECTED} - listed


def test_every_program_is_used() -> None:
    """No program stands in the folder that no client lists with."""
    assert {path.name for path in PROGRAMS.glob("*.py")} == {listing.client.program for listing in LISTINGS}


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: listing.name)
def test_the_engine_gives_what_is_recorded(listing: Listing) -> None:
    """Every listing is read by the engine from its first exchange to its last, every record as it is recorded."""
    if isinstance(listing.source, Corpus) and not CORPUS.is_dir():
        pytest.skip(ABSENT)
    traffic = listing.source.traffic()

    records, tally = traffic.replayed()

    assert traffic.recorded == records
    assert records
    assert ((), len(traffic.lane.exchanges)) == (tally.unused, tally.requests)
