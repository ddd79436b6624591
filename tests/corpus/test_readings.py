"""The listings that other people recorded are read by our configs: every page once, every record, in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from listings import ABSENT, CORPUS, Case, cases
from readings import PARTS, READ_BY, READ_OTHERWISE, STOPPED, UNREAD, Reading, readings

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=ABSENT)

KINDS = {"cursor", "offset", "page", "link_header", "next_url", "keyset"}
READ = [case for case in cases() if case.id not in UNREAD]


def faults(reading: Reading, *, stopped: bool) -> list[str]:
    """What is wrong with a reading, in words; nothing where the engine read what was recorded, all of it, once."""
    run, said = reading.run, []
    if run.unmatched is not None:
        nearest = "; ".join(str(difference) for difference in run.unmatched.misses[0].differences)
        said.append(f"request {run.unmatched.order} is not in the recording: {nearest or 'it was answered before'}")
    if run.error is not None:
        said.append(str(run.error))
    if (visited := [use.exchange.id for use in run.tally.used]) != [each.id for each in reading.lane.exchanges]:
        said.append(f"of {len(reading.lane.exchanges)} recorded pages it visited, in this order, {visited}")
    if len(run.records) != len(reading.expected):
        said.append(f"{len(reading.expected)} records are recorded, {len(run.records)} were read")
    elif run.records != reading.expected:
        said.append("the records are others than the recorded ones, or in another order")
    if not said and stopped is (run.ended is not None):
        said.append("a listing that was left early came to its end" if stopped else "the listing did not end by itself")
    if not said and stopped and run.pages[-1].next is None:
        said.append("a listing that was left early had nothing left")
    return [f"{reading.operation.id} ({reading.kind}): {words}" for words in said]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in READ])
def test_a_listing_is_read(case: Case) -> None:
    """Each operation that is made for a listing visits every page of it once, in order, and gives every record."""
    found = readings(case)

    assert found, "no operation of the config has the listing's method and path"
    assert all(len(reading.lane.exchanges) >= 2 and reading.expected for reading in found), "a listing of one page"
    assert [] == [fault for reading in found for fault in faults(reading, stopped=case.id in STOPPED)]


def test_how_many_listings_are_read(record_property: Callable[[str, object], None]) -> None:
    """At least 100 of the listings, over every way to page; the others are named with the reason."""
    read = [case for case in READ if not any(faults(each, stopped=case.id in STOPPED) for each in readings(case))]
    kinds = Counter(kind for case in read for kind in {reading.kind for reading in readings(case)})
    pages = sum(len(readings(case)[0].lane.exchanges) for case in read)
    records = sum(len(readings(case)[0].expected) for case in read)
    ways = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
    unread = "".join(f"\nnot read: {name}: {why}" for name, why in UNREAD.items())
    record_property(
        "summary", f"read {len(read)} of {len(cases())}: {pages:,} pages, {records:,} records ({ways}){unread}"
    )

    assert len(read) >= 100
    assert set(kinds) == KINDS


def test_the_tables_speak_of_listings_that_exist() -> None:
    """No name in a table is out of date, none is both read and given up, and every source has a config."""
    names = {case.id for case in cases()}

    assert set() == {*READ_OTHERWISE, *PARTS, *STOPPED, *UNREAD} - names
    assert set() == set(STOPPED) & set(UNREAD)
    assert {case.source for case in cases()} == set(READ_BY)


def test_a_position_that_the_provider_ignores_is_noticed() -> None:
    """A recorded client asked for its second page under a wrong name and got the first again: the engine says so."""
    (case,) = (case for case in cases() if "contacts_among_list" in case.id)
    (reading,) = readings(case)

    assert "PaginationLoop" == reading.run.outcome
    assert len(reading.expected) == 2 * len(reading.run.records)


def test_a_lost_record_is_a_fault() -> None:
    """The comparison fails where it must: a record too few, two in another order, a page that nobody asked for."""
    reading = readings(READ[0])[0]
    records, lane = reading.run.records, reading.lane
    fewer = replace(reading, run=replace(reading.run, records=records[:-1]))
    turned = replace(reading, run=replace(reading.run, records=records[::-1]))
    more = replace(reading, lane=replace(lane, exchanges=(*lane.exchanges, replace(lane.exchanges[0], id="more"))))

    assert [[], 1, 1, 1] == [
        faults(reading, stopped=False),
        *(len(faults(wrong, stopped=False)) for wrong in (fewer, turned, more)),
    ]
