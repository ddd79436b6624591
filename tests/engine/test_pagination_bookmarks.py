"""What one run leaves for the next, and what stays the same through all of one: bookmarks and frozen parameters."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connproof.clock import FixedClock
from connproof.errors import ConfigWrong, ForeignNextLink, ProviderBroke, ProviderBusy
from connproof.events import ReadEnded
from connproof.model import Connector, Request, Response
from connproof.places import JsonValue
from connproof.run import Call, Record
from pieces import BUSY, asked_for, assert_resumable, connector_of_rows, numbered, resource
from scripted import Provider, answer, engine, items, rows, scripted

DELTA: dict[str, Any] = {"type": "next_url", "next_url_field": "nextLink", "bookmark": {"field": "deltaLink"}}
SYNC: dict[str, Any] = {
    "type": "cursor",
    "cursor_field": "nextPageToken",
    "cursor_param": "pageToken",
    "bookmark": {"field": "nextSyncToken", "param": "syncToken"},
}
POLL: dict[str, Any] = {"type": "link_header", "empty_page": "stop", "bookmark": "next"}


def run(config: Connector, provider: Provider, resume: str | None = None) -> tuple[list[Record], str | None]:
    """The records of a run, and its bookmark, which the last page and the end of the read agree on."""

    async def whole() -> tuple[list[Record], str | None]:
        records: list[Record] = []
        bookmark: str | None = None
        async for page in engine(config, provider).pages("rows", call=Call(resume=resume)):
            assert bookmark is None, "only the last page has a bookmark"
            records += page.records
            bookmark = page.page.bookmark
        return records, bookmark

    records, bookmark = asyncio.run(whole())
    ended = [event for event in provider.events if isinstance(event, ReadEnded)][-1]
    assert bookmark == ended.bookmark
    return records, bookmark


# P25: where the next run begins.


def test_P25_the_next_run_follows_the_delta_link() -> None:
    """It is followed as it stands, relative forms resolved."""
    config = connector_of_rows(DELTA, query={"select": "id"})
    first = scripted(items(1, nextLink="/v1/rows?page=2"), items(2, deltaLink="/v1/rows/delta?token=a%2Fb"))
    second = scripted(items(3, deltaLink="/v1/rows/delta?token=c"))

    given, bookmark = run(config, first)
    assert (rows(1, 2), rows(3, 3)) == (given, run(config, second, bookmark)[0])
    assert ["/rows/delta?token=a%2Fb"] == second.asked


def test_P25_runs_follow_each_other() -> None:
    """Each run's bookmark is where the next one begins; a run that finds nothing new has one too."""
    config = connector_of_rows(DELTA)
    _, first = run(config, scripted(items(1, deltaLink="/v1/delta?t=1")))
    _, second = run(config, scripted(items(deltaLink="/v1/delta?t=2")), first)
    provider = scripted(items(2, nextLink="/v1/delta?t=2&p=2"), items(3, deltaLink="/v1/delta?t=3"))

    assert rows(2, 3) == run(config, provider, second)[0]
    assert ["/delta?t=2", "/delta?t=2&p=2"] == provider.asked


def test_P25_a_sync_token_has_a_parameter_of_its_own() -> None:
    """It is sent with every request of the next run, beside the cursor of its pages."""
    config = connector_of_rows(SYNC, query={"q": "x"})
    _, bookmark = run(config, scripted(items(1, nextPageToken="p2"), items(2, nextSyncToken="s1")))
    provider = scripted(items(3, nextPageToken="p3"), items(4, nextSyncToken="s2"))

    records, _ = run(config, provider, bookmark)

    assert rows(3, 4) == records
    assert ["/rows?q=x&syncToken=s1", "/rows?q=x&syncToken=s1&pageToken=p3"] == provider.asked


def test_P25_a_run_from_a_bookmark_can_be_broken_off() -> None:
    """Its resume token keeps the bookmark that it began at."""
    config = connector_of_rows(SYNC)
    _, bookmark = run(config, scripted(items(1, nextSyncToken="s1")))
    with pytest.raises(ProviderBusy) as busy:
        run(config, scripted(items(2, nextPageToken="p"), BUSY), bookmark)
    rest = scripted(items(3, nextSyncToken="s2"))

    records, _ = run(config, rest, busy.value.resume)

    assert rows(3, 3) == records
    assert ["/rows?syncToken=s1&pageToken=p"] == rest.asked


def test_P25_a_bookmark_counts_from_zero() -> None:
    """The next run is a read of its own: its pages and records are not the earlier one's."""
    config = connector_of_rows(SYNC)
    _, bookmark = run(config, scripted(items(1, 2, nextSyncToken="s1")))
    provider = scripted(items(3, nextSyncToken="s2"))

    run(config, provider, bookmark)

    assert ReadEnded("the page names no next one", 1, 1, provider.events[-1].bookmark) == provider.events[-1]  # type: ignore[union-attr]  # the end has one


@pytest.mark.parametrize("last", [{}, {"nextSyncToken": None}, {"nextSyncToken": ""}], ids=str)
def test_P25_a_last_page_without_a_bookmark_gives_none(last: dict[str, JsonValue]) -> None:
    """The read is whole, and the caller sees that there is nothing to go on from."""
    assert (rows(1, 1), None) == run(connector_of_rows(SYNC), scripted(items(1, **last)))


def test_P25_a_bookmark_on_an_earlier_page_is_none() -> None:
    """Only the last page's counts."""
    config = connector_of_rows(SYNC)
    provider = scripted(items(1, nextPageToken="p", nextSyncToken="early"), items(2, nextSyncToken="late"))

    _, bookmark = run(config, provider)
    following = scripted(items())
    run(config, following, bookmark)

    assert ["/rows?syncToken=late"] == following.asked


def test_P25_a_bookmark_leads_to_no_other_origin() -> None:
    """A delta link is held to the same rule as any next link: nothing is sent."""
    config = connector_of_rows(DELTA)
    _, bookmark = run(config, scripted(items(1, deltaLink="https://evil.example/delta")))
    provider = scripted()

    with pytest.raises(ForeignNextLink):
        run(config, provider, bookmark)

    assert [] == provider.requests


def test_P25_a_bookmark_that_is_no_url_is_an_error() -> None:
    """It could not be followed."""
    with pytest.raises(ProviderBroke, match="the bookmark is no URL"):
        run(connector_of_rows(DELTA), scripted(items(1, deltaLink={"href": "/x"})))


def test_P25_the_last_key_is_where_the_next_run_begins() -> None:
    """`next` is what the strategy would have asked for: of a keyset the last record's key."""
    config = connector_of_rows(
        {"type": "keyset", "key_field": "id", "key_param": "after", "stop_field": "more", "stop_when": False,
         "bookmark": "next"}
    )  # fmt: skip
    _, bookmark = run(config, scripted(items(1, more=True), items(2, more=False)))
    provider = scripted(items(more=False))

    _, again = run(config, provider, bookmark)
    following = scripted(items(3, more=False))
    run(config, following, again)

    assert (["/rows?after=2"], ["/rows?after=2"]) == (provider.asked, following.asked)


def test_P25_the_next_offset_is_where_the_next_run_begins() -> None:
    """Beyond all that was returned; an empty page stays where it was asked."""
    config = connector_of_rows({"type": "offset", "offset_param": "start", "omit_first": True, "bookmark": "next"})
    _, bookmark = run(config, scripted(items(1, 2), items()))
    provider = scripted(items(3), items())

    assert rows(3, 3) == run(config, provider, bookmark)[0]
    assert ["/rows?start=2", "/rows?start=3"] == provider.asked


def test_P25_a_last_page_that_names_no_next_one_is_no_bookmark() -> None:
    """Its own place would give its records again."""
    config = connector_of_rows({"type": "cursor", "cursor_field": "next", "bookmark": "next"})

    assert (rows(1, 1), None) == run(config, scripted(items(1)))


def test_P25_a_bookmark_that_is_gone_starts_the_whole_listing() -> None:
    """With on_expired the next run is a whole read where the provider forgot the sync token."""
    rule = {"when": {"status": 410}, "means": "cursor_expired"}
    config = connector_of_rows({**SYNC, "on_expired": "restart"}, key="id", errors=[rule])
    _, bookmark = run(config, scripted(items(1, 2, nextSyncToken="s1")))
    provider = scripted(Response(410), items(1, 2, nextPageToken="p"), items(3, nextSyncToken="s2"))

    records, following = run(config, provider, bookmark)

    assert rows(1, 3) == records
    assert ["/rows?syncToken=s1", "/rows", "/rows?pageToken=p"] == provider.asked
    assert following is not None


def test_P25_a_resumed_read_ends_in_the_same_bookmark() -> None:
    """Where it was broken off does not matter."""
    config = connector_of_rows(SYNC)

    def serve(request: Request) -> Response:
        begin = int(asked_for(request).get("pageToken", 0))
        last = {"nextSyncToken": "s"} if begin == 4 else {"nextPageToken": str(begin + 2)}
        return answer({"items": rows(begin + 1, begin + 2), **last})

    assert_resumable(config, lambda: serve, rows(1, 6))


# P26: streams that never end.


def test_P26_an_empty_page_ends_the_run_and_its_link_is_kept() -> None:
    """The next link is always there; the next run polls it."""
    config = connector_of_rows(POLL)
    log = [
        answer(numbered(1, 2), ("link", "</v1/rows?after=2>; rel=next")),
        answer(numbered(), ("link", "</v1/rows?after=2b>; rel=next")),
    ]
    _, bookmark = run(config, scripted(*log))
    provider = scripted(answer(numbered(3), ("link", "</v1/rows?after=3>; rel=next")), answer(numbered()))

    records, again = run(config, provider, bookmark)

    assert rows(3, 3) == records
    assert ["/rows?after=2b", "/rows?after=3"] == provider.asked
    following = scripted(answer(numbered()))
    run(config, following, again)
    assert ["/rows?after=3"] == following.asked


def test_P26_a_poll_that_finds_nothing_keeps_its_place() -> None:
    """Also where the link leads to itself: nothing is asked twice in one run."""
    config = connector_of_rows(POLL)
    here = answer(numbered(), ("link", "</v1/rows?after=9>; rel=next"))
    _, bookmark = run(config, scripted(here))
    provider = scripted(here)

    _, again = run(config, provider, bookmark)

    assert ["/rows?after=9"] == provider.asked
    assert bookmark == again


def test_P26_a_cursor_that_is_always_there() -> None:
    """As a link."""
    paging = {"type": "cursor", "cursor_field": "next", "empty_page": "stop", "bookmark": "next"}
    _, bookmark = run(connector_of_rows(paging), scripted(items(1, next="a"), items(next="a")))
    provider = scripted(items(2, next="b"), items(next="b"))

    assert rows(2, 2) == run(connector_of_rows(paging), provider, bookmark)[0]
    assert ["/rows?next=a", "/rows?next=b"] == provider.asked


# P31: a parameter that is made once.

AT = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)


class PassingClock(FixedClock):
    """A clock on which every look takes a minute."""

    def now(self) -> datetime:
        self._passed += 60
        return super().now()


FROZEN: dict[str, Any] = {"type": "page", "page_param": "page", "frozen": {"param": "as_of"}}


def frozen_read(config: Connector, provider: Provider, resume: str | None = None, *, at: datetime = AT) -> list[Record]:
    async def whole() -> list[Record]:
        reader = engine(config, provider, clock=PassingClock(at))
        return [record async for record in reader.read("rows", call=Call(resume=resume))]

    return asyncio.run(whole())


@pytest.mark.parametrize(
    ("form", "sent"),
    [("iso8601", "2026-01-02T03%3A05%3A05Z"), ("epoch_s", "1767323105"), ("epoch_ms", "1767323105678")],
)
def test_P31_the_time_of_the_start_is_on_every_page(form: str, sent: str) -> None:
    """Made once, from the engine's clock, however long the read takes."""
    config = connector_of_rows({**FROZEN, "frozen": {"param": "as_of", "format": form}})
    provider = scripted(items(1), items(2), items())

    frozen_read(config, provider)

    assert [f"/rows?as_of={sent}&page={page}" for page in (1, 2, 3)] == provider.asked


def test_P31_a_resumed_read_has_the_same_time() -> None:
    """The token keeps it: pages of two moments would not fit together."""
    config = connector_of_rows(FROZEN)
    first, second = scripted(items(1), BUSY), scripted(items(2), items())
    with pytest.raises(ProviderBusy) as busy:
        frozen_read(config, first)

    assert rows(2, 2) == frozen_read(config, second, busy.value.resume, at=AT + timedelta(days=1))
    assert first.asked[0].replace("page=1", "page=2") == second.asked[0]
    assert {"2026-01-02T03:05:05Z"} == {asked_for(request)["as_of"] for request in second.requests}


def test_P31_another_read_has_another_time() -> None:
    """Nothing is remembered between reads but in a token."""
    config, provider, clock = connector_of_rows(FROZEN), scripted(items(), items()), PassingClock(AT)

    async def whole() -> list[Record]:
        return [record async for record in engine(config, provider, clock=clock).read("rows")]

    asyncio.run(whole())
    asyncio.run(whole())

    assert 2 == len(set(provider.asked))


def test_P31_a_run_from_a_bookmark_has_a_time_of_its_own() -> None:
    """A bookmark is a place in the listing, and no moment."""
    config = connector_of_rows({**SYNC, "frozen": {"param": "as_of", "format": "epoch_s"}})
    clock = PassingClock(AT)
    first, second = scripted(items(1, nextSyncToken="s")), scripted(items(nextSyncToken="t"))

    async def pages(provider: Provider, resume: str | None) -> str | None:
        async for page in engine(config, provider, clock=clock).pages("rows", call=Call(resume=resume)):
            return page.page.bookmark
        return None

    bookmark = asyncio.run(pages(first, None))
    asyncio.run(pages(second, bookmark))

    before, after = (int(asked_for(provider.requests[0])["as_of"]) for provider in (first, second))
    assert before < after


def test_P31_a_frozen_read_can_be_broken_off_anywhere() -> None:
    """Every page has the time of the first one, in each of the pieces."""
    seen = set[str]()

    def serve(request: Request) -> Response:
        said = json.loads(request.body or b"")
        seen.add(said["filter"]["as_of"])
        begin = (int(asked_for(request)["page"]) - 1) * 2
        return answer({"items": rows(begin + 1, begin + 2) if begin < 6 else []})

    config = connector_of_rows(
        {**FROZEN, "frozen": {"param": "filter.as_of", "in": "body"}}, method="POST", body={"filter": {"open": True}}
    )

    assert_resumable(config, lambda: serve, rows(1, 6))
    assert seen


@pytest.mark.parametrize(
    ("pagination", "problem"),
    [
        ({"type": "page", "page_param": "p", "bookmark": "next"}, "no place to go on from"),
        ({"type": "offset", "offset_param": "o", "step": "limit", "page_size_param": "n", "default_page_size": 2,
          "bookmark": "next"}, "no place to go on from"),
        ({"type": "offset", "offset_param": "o", "bookmark": {"field": "x"}}, '"param" is missing'),
        ({**SYNC, "bookmark": {"field": "x", "in": "header"}}, 'says nothing without "param"'),
        ({**SYNC, "bookmark": "last"}, "does not match"),
        ({**SYNC, "bookmark": {"field": "x", "param": "b", "in": "body"}}, "goes into the body"),
        ({**FROZEN, "frozen": {"param": "at", "in": "template"}}, "stands nowhere in"),
        ({**FROZEN, "frozen": {"param": "at", "format": "rfc3339"}}, "is not a valid word here"),
    ],
)  # fmt: skip
def test_bookmarks_that_could_not_work_are_refused(pagination: dict[str, Any], problem: str) -> None:
    """When the config is read, with the place."""
    with pytest.raises(ConfigWrong) as wrong:
        resource(list={"pagination": pagination})

    assert problem in str(wrong.value)
