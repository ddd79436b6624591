"""Listings that are capped, and listings whose places are forgotten: nothing is lost, and nothing is given twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connproof.errors import (
    ConfigWrong,
    CursorExpired,
    LimitExceeded,
    PaginationLoop,
    ProviderBroke,
    ProviderBusy,
    RequestRefused,
)
from connproof.events import PageRead, ReadEnded
from connproof.model import Request, Response
from connproof.places import JsonValue
from connproof.run import Call, Record
from pieces import BUSY, Serve, asked_for, assert_resumable, connector_of_rows
from scripted import Provider, answer, items, read, rows, scripted

CURSOR: dict[str, Any] = {"type": "cursor", "cursor_field": "next"}
WINDOW: dict[str, Any] = {"cap": 4, "field": "at", "param": "since"}
GONE = {"when": {"status": 410}, "means": "cursor_expired"}
EXPIRED = Response(410, (("content-type", "application/json"),), b'{"error": "expired"}')


def timed(*values: JsonValue) -> list[JsonValue]:
    """Records with the ids 1, 2, ... and these values of the sort field."""
    return [{"id": number, "at": value} for number, value in enumerate(values, 1)]


def capped(records: list[JsonValue], *, cap: int = 4, size: int = 2, refuses: bool = False) -> Callable[[], Serve]:
    """A provider that gives `cap` records of what matches, and then no more, or refuses. A cursor is an offset."""

    def serve(request: Request) -> Response:
        said = asked_for(request)
        since = said.get("since")
        matching = [one for one in records if since is None or str(one["at"]) >= since]  # type: ignore[index,call-overload]  # they are objects
        begin = int(said.get("next", 0))
        if begin >= cap:
            return EXPIRED if refuses else Response(400)
        end = min(begin + size, cap)
        more = end < len(matching) and (refuses or end < cap)
        return answer({"items": matching[begin:end], "next": str(end) if more else None})

    return lambda: serve


def listing(pagination: dict[str, Any], **operation: Any) -> Any:
    """A listing whose records have a key, and whose provider says 410 for a place that is gone."""
    return connector_of_rows({**CURSOR, **pagination}, key="id", errors=[GONE], **operation)


# P21: a new window where the cap is reached.


def test_P21_a_new_window_begins_at_the_last_value() -> None:
    """The bound is the value itself; the record that has it comes again, and is left out."""
    provider = Provider(capped(timed(10, 11, 12, 13, 14, 15))())

    assert timed(10, 11, 12, 13, 14, 15) == read(listing({"window": WINDOW}), provider)
    assert ["/rows", "/rows?next=2", "/rows?since=13", "/rows?since=13&next=2"] == provider.asked


def test_P21_no_page_is_asked_for_that_reaches_beyond_the_cap() -> None:
    """A page size that does not divide the cap: what would reach beyond is refused, so a new window begins before."""
    records = timed(*range(10, 20))

    def serve(request: Request) -> Response:
        said = asked_for(request)
        start, size = int(said.get("offset", 0)), int(said["limit"])
        if start + size > 4:
            return Response(400)
        matching = [one for one in records if str(one["at"]) >= said.get("since", "")]  # type: ignore[index,call-overload]  # they are objects
        return answer({"items": matching[start : start + size]})

    offset: dict[str, Any] = {
        "type": "offset",
        "offset_param": "offset",
        "page_size_param": "limit",
        "default_page_size": 3,
        "short_page": "stop",
    }

    assert records == read(connector_of_rows({**offset, "window": WINDOW}, key="id"), Provider(serve))


@pytest.mark.parametrize(
    "values",
    [
        [],
        [10],
        [10, 11, 12, 13],
        [10, 11, 12, 13, 14],
        [10, 11, 13, 13, 13, 14, 15],
        [10, 11, 12, 13, 13, 13, 14],
        [10, 10, 10, 11, 11, 12, 12, 12, 13, 14, 14],
        list(range(10, 40)),
    ],
    ids=lambda values: f"{len(values)} records",
)
@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_P21_every_record_comes_once(values: list[JsonValue], size: int) -> None:
    """Whatever shares the boundary value, and wherever the read is broken off."""
    assert_resumable(listing({"window": WINDOW}), capped(timed(*values), size=size), timed(*values))


def test_P21_a_window_where_the_provider_refuses_what_is_beyond() -> None:
    """The cap is never asked across: with the cap known, no request is sent that would be refused."""
    provider = Provider(capped(timed(*range(10, 22)), refuses=True)())

    assert timed(*range(10, 22)) == read(listing({"window": WINDOW}), provider)
    assert 0 == len([asked for asked in provider.asked if "next=4" in asked])


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 10])
@pytest.mark.parametrize("size", [4, 5])
def test_P21_a_page_may_be_a_whole_window(size: int, count: int) -> None:
    """Each page opens a window; the listing ends in one that came short and has nothing new."""
    records = timed(*range(10, 10 + count))
    sized = {"page_size_param": "limit", "default_page_size": size, "window": WINDOW}

    assert_resumable(listing(sized), capped(records, size=size), records)


@pytest.mark.parametrize("size", [2, 4])
@pytest.mark.parametrize("count", [4, 5, 9, 10, 23])
def test_P21_a_cap_of_places_is_reached_by_pages_that_came_short(count: int, size: int) -> None:
    """A provider that leaves records out of a page after it counted them has used up its cap before so many came."""
    records = timed(*range(10, 10 + count))

    def serve(request: Request) -> Response:
        said = asked_for(request)
        begin = int(said.get("next", 0))
        matching = [one for one in records if str(one["at"]) >= said.get("since", "")]  # type: ignore[index,call-overload]  # they are objects
        end = min(begin + size, 4)
        seen: list[JsonValue] = [one for one in matching[begin:end] if one["at"] % 3]  # type: ignore[index,call-overload,operator]  # they are objects
        return answer({"items": seen, "next": str(end) if end < min(len(matching), 4) else None})

    sized = {"page_size_param": "limit", "default_page_size": size, "window": WINDOW}

    assert [one for one in records if one["at"] % 3] == read(listing(sized), Provider(serve))  # type: ignore[index,call-overload,operator]  # they are objects


def test_P21_a_window_of_one_value_is_an_error() -> None:
    """No bound leads beyond it: going on would lose records, going round would never end."""
    records: list[Record] = []

    with pytest.raises(ProviderBroke, match="a whole window of records shares one value") as said:
        read(
            listing({"window": WINDOW}),
            Provider(capped(timed(10, 11, 11, 11, 11, 11, 11, 12))()),
            into=records,
        )

    assert {"field": "at", "records in the window": "4"}.items() <= said.value.facts.items()
    assert said.value.resume


def test_P21_the_error_of_one_value_comes_again_when_resumed() -> None:
    """A token does not lead past what cannot be read."""
    config, provider = listing({"window": WINDOW}), Provider(capped(timed(*[11] * 6))())
    with pytest.raises(ProviderBroke) as said:
        read(config, provider)

    with pytest.raises(ProviderBroke, match="shares one value"):
        read(config, provider, Call(resume=said.value.resume))


@pytest.mark.parametrize("value", [None, True, {"a": 1}, [1]], ids=str)
def test_P21_a_record_without_a_value_is_an_error(value: JsonValue) -> None:
    """A listing cannot be sorted by what is not there."""
    with pytest.raises(ProviderBroke, match="no value by which the listing could be sorted"):
        read(listing({"window": WINDOW}), scripted(answer({"items": [{"id": 1, "at": value}]})))


def test_P21_a_record_without_a_key_is_an_error() -> None:
    """It could be given twice, and nobody would know."""
    with pytest.raises(ProviderBroke, match="a record has no key to be told by"):
        read(listing({"window": WINDOW}), scripted(answer({"items": [{"at": 1}]})))


@pytest.mark.parametrize(
    "values", [[1, 3, 2], [3, 1, 2], ["2026-01-02", "2026-01-03", "2026-01-01"]], ids=["up", "down", "times"]
)
def test_P21_a_listing_that_is_not_sorted_is_an_error(values: list[JsonValue]) -> None:
    """A bound would lose what stands out of order."""
    with pytest.raises(ProviderBroke, match="not sorted by the field of its windows"):
        read(listing({"window": WINDOW}), scripted(answer({"items": timed(*values)})))


@pytest.mark.parametrize("values", [[3, 2, 2, 1], ["b", "a", "c"], ["9", "10"]], ids=["down", "words", "numerals"])
def test_P21_an_order_that_we_cannot_judge_is_believed(values: list[JsonValue]) -> None:
    """Descending is an order too; words are sorted in more ways than one."""
    config = listing({"window": {**WINDOW, "cap": 9}})

    assert timed(*values) == read(config, scripted(answer({"items": timed(*values)})))


def test_P21_a_first_bound_stands_in_a_template() -> None:
    """In a body of lists the bound is a text in braces, and the first window has one of its own."""
    config = connector_of_rows(
        {**CURSOR, "cursor_in": "body", "window": {**WINDOW, "in": "template", "param": "since", "first": "0"}},
        key="id",
        method="POST",
        body={"filters": [{"name": "at", "op": "GTE", "value": "{since}"}]},
    )
    provider = scripted(answer({"items": timed(10, 11, 12, 13)}), answer({"items": timed(10, 11, 12, 13)[3:]}))

    assert timed(10, 11, 12, 13) == read(config, provider)
    assert ["0", "13"] == [body["filters"][0]["value"] for body in provider.bodies]  # type: ignore[index,call-overload]  # they are objects


def test_P21_totals_count_the_window_they_stand_in() -> None:
    """A total of the second window is not the whole listing's."""
    config = listing({"window": WINDOW, "total_field": "total"})

    def serve(request: Request) -> Response:
        said = asked_for(request)
        matching = [one for one in timed(*range(10, 19)) if int(one["at"]) >= int(said.get("since", 0))]  # type: ignore[index,call-overload,arg-type]  # they are objects
        begin = int(said.get("next", 0))
        return answer({"items": matching[begin : begin + 2], "total": len(matching), "next": str(begin + 2)})

    assert_resumable(config, lambda: serve, timed(*range(10, 19)))


def test_P21_positions_count_the_whole_read() -> None:
    """Pages and records go on over the windows, on what was given."""
    provider = Provider(capped(timed(*range(10, 16)))())

    read(listing({"window": WINDOW}), provider)

    pages = [event for event in provider.events if isinstance(event, PageRead)]
    assert [(0, 0, 2), (1, 2, 2), (2, 4, 1), (3, 5, 1)] == [
        (page.position.pages, page.position.records, page.records) for page in pages
    ]
    assert ReadEnded("the page names no next one", 4, 6) == provider.events[-1]


def test_P21_bounds_hold_over_all_windows() -> None:
    """Windows do not add up to a read without end."""
    provider = Provider(capped(timed(*range(10, 40)))())

    with pytest.raises(LimitExceeded, match="more than 9 records"):
        read(listing({"window": WINDOW, "max_records": 9}), provider)
    with pytest.raises(LimitExceeded, match="more than 5 pages"):
        read(listing({"window": WINDOW, "max_pages": 5}), provider)


def test_P21_a_loop_inside_a_window_is_one() -> None:
    """The guard of a window sees what it saw before."""
    with pytest.raises(PaginationLoop):
        read(
            listing({"window": {**WINDOW, "cap": 9}}),
            scripted(answer({"items": timed(1), "next": "a"}), answer({"items": timed(1, 2)[1:], "next": "a"})),
        )


# P22: the place is gone.


def forgetting(
    last: int, *, at: int, times: int = 1, size: int = 2, anew: list[JsonValue] | None = None
) -> Callable[[], Serve]:
    """A provider whose cursor at this offset expires, so many times. `anew` are the records that it has after that."""

    def provider() -> Serve:
        left = times
        records = rows(1, last)

        def serve(request: Request) -> Response:
            nonlocal left, records
            begin = int(asked_for(request).get("next", 0))
            if begin == at and left:
                left -= 1
                records = anew or records
                return EXPIRED
            end = begin + size
            return answer({"items": records[begin:end], "next": str(end) if end < len(records) else None})

        return serve

    return provider


def test_P22_by_default_the_read_fails() -> None:
    """The caller is told that the place is gone."""
    with pytest.raises(CursorExpired, match="no longer knows the place"):
        read(listing({}), Provider(forgetting(6, at=4)()))


@pytest.mark.parametrize("at", [0, 2, 4])
def test_P22_a_restart_gives_what_was_not_given(at: int) -> None:
    """The listing is read from its start, and what came before is left out."""
    provider = Provider(forgetting(6, at=at)())

    assert rows(1, 6) == read(listing({"on_expired": "restart"}), provider)
    assert 1 == len([asked for asked in provider.asked[1:] if asked == "/rows"])


@pytest.mark.parametrize("at", [2, 4, 6])
def test_P22_a_restarted_read_can_be_resumed_anywhere(at: int) -> None:
    """Also while it goes through what was given already; then by order, as the keys are not in the token."""
    assert_resumable(listing({"on_expired": "restart"}), forgetting(8, at=at), rows(1, 8))


def test_P22_a_restart_finds_what_moved() -> None:
    """In memory records are known by their keys: what is new stands anywhere, and what is gone is not missed."""
    anew: list[JsonValue] = [{"id": 9}, {"id": 2}, {"id": 1}, {"id": 7}, {"id": 4}, {"id": 5}]
    provider = Provider(forgetting(6, at=4, anew=anew)())

    records = read(listing({"on_expired": "restart"}), provider)

    assert [*rows(1, 4), {"id": 9}, {"id": 7}, {"id": 5}] == records


def test_P22_a_place_that_is_gone_again_before_anything_new_fails() -> None:
    """A read is not started anew for ever."""
    records: list[Record] = []
    provider = Provider(forgetting(6, at=4, times=2)())

    with pytest.raises(CursorExpired) as said:
        read(listing({"on_expired": "restart"}), provider, into=records)

    assert rows(1, 4) == records
    assert "gone again before anything new came" in said.value.fix
    assert 6 == len(provider.requests)


def test_P22_a_read_that_failed_so_can_still_be_resumed() -> None:
    """Its token does not hold the place that is gone, but what to leave out of a read anew."""
    serve = forgetting(6, at=4, times=2)()
    records: list[Record] = []
    with pytest.raises(CursorExpired) as said:
        read(listing({"on_expired": "restart"}), Provider(serve), into=records)

    read(listing({"on_expired": "restart"}), Provider(serve), Call(resume=said.value.resume), into=records)

    assert rows(1, 6) == records


def test_P22_a_restart_after_progress_may_come_again() -> None:
    """Each time that the read got further it may be started anew."""

    def provider() -> Serve:
        expiring = {4, 6}

        def serve(request: Request) -> Response:
            begin = int(asked_for(request).get("next", 0))
            if begin in expiring:
                expiring.remove(begin)
                return EXPIRED
            return answer({"items": rows(begin + 1, begin + 2), "next": str(begin + 2) if begin < 6 else None})

        return serve

    assert_resumable(listing({"on_expired": "restart"}), provider, rows(1, 8))


def resumed_when_gone(anew: list[JsonValue] | None) -> tuple[list[Record], Provider, str]:
    """A read that is throttled after four records, and whose place is gone when it is resumed."""
    serve = forgetting(8, at=4, anew=anew)()
    records: list[Record] = []
    sent = 0

    def respond(request: Request) -> Response:
        nonlocal sent
        sent += 1
        return BUSY if sent == 3 else serve(request)

    with pytest.raises(ProviderBusy) as busy:
        read(listing({"on_expired": "restart"}), Provider(respond), into=records)
    return records, Provider(serve), busy.value.resume or ""


def test_P22_a_resumed_read_leaves_out_by_order() -> None:
    """It has no memory of the keys; the token has a digest of them all, and the same ones come again."""
    records, provider, token = resumed_when_gone(None)

    read(listing({"on_expired": "restart"}), provider, Call(resume=token), into=records)

    assert rows(1, 8) == records


@pytest.mark.parametrize(
    "anew",
    [rows(2, 8), [{"id": 0}, *rows(1, 8)], rows(1, 3), [{"id": 2}, {"id": 1}, *rows(3, 8)]],
    ids=["one is gone", "one is new", "shorter", "another order"],
)
def test_P22_a_resumed_read_of_a_listing_that_changed_fails(anew: list[JsonValue]) -> None:
    """What was given cannot be told from what was not: nothing is given, and the error says why."""
    records, provider, token = resumed_when_gone(anew)

    with pytest.raises(CursorExpired, match="no longer the one that was read") as said:
        read(listing({"on_expired": "restart"}), provider, Call(resume=token), into=records)

    assert rows(1, 4) == records
    assert "read the listing anew" in said.value.fix


def test_P22_beyond_what_memory_holds_records_are_known_by_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long read keeps no keys, and can still be started anew."""
    monkeypatch.setattr("connproof.run.restarts._MOST_KEYS", 3)

    assert_resumable(listing({"on_expired": "restart"}), forgetting(12, at=8), rows(1, 12))


def test_P22_any_answer_may_mean_that_the_place_is_gone() -> None:
    """What says so is the config's: a status with a code in its body."""
    rule = {
        "when": {"status": 422, "body": {"error.type": "LIST_RECORDS_ITERATOR_NOT_AVAILABLE"}},
        "means": "cursor_expired",
    }
    config = connector_of_rows({**CURSOR, "on_expired": "restart"}, key="id", errors=[rule])
    gone = answer({"error": {"type": "LIST_RECORDS_ITERATOR_NOT_AVAILABLE"}}, status=422)
    provider = scripted(items(1, 2, next="a"), gone, items(1, 2, next="b"), items(3))

    assert rows(1, 3) == read(config, provider)


def test_P22_another_error_does_not_restart() -> None:
    """Only the place that is gone does."""
    with pytest.raises(RequestRefused):
        read(listing({"on_expired": "restart"}), scripted(items(1, next="a"), Response(422)))


# P22 with windows.

ON_EXPIRED: dict[str, Any] = {"on_expired": "window", "window": {"field": "at", "param": "since"}}


def test_P22_a_new_window_where_the_place_is_gone() -> None:
    """The read goes on from the last value seen, with what shares it left out."""
    provider = Provider(capped(timed(10, 11, 12, 12, 12, 13), refuses=True)())

    assert timed(10, 11, 12, 12, 12, 13) == read(listing(ON_EXPIRED), provider)
    assert "/rows?since=12" == provider.asked[3]


@pytest.mark.parametrize("values", [[10, 11, 12, 12, 12, 13], list(range(10, 30)), [10, 10, 11, 11, 11, 12, 13]])
def test_P22_windows_opened_by_expiry_can_be_resumed(values: list[JsonValue]) -> None:
    """Wherever the read is broken off."""
    assert_resumable(listing(ON_EXPIRED), capped(timed(*values), refuses=True), timed(*values))


def test_P22_a_window_without_progress_fails() -> None:
    """A place that is gone before anything new came would be gone in the next window too."""
    records: list[Record] = []
    provider = scripted(
        answer({"items": timed(10, 11), "next": "a"}),
        EXPIRED,
        answer({"items": timed(10, 11)[1:], "next": "b"}),
        EXPIRED,
    )

    with pytest.raises(CursorExpired):
        read(listing(ON_EXPIRED), provider, into=records)

    assert timed(10, 11) == records


def test_P22_more_records_of_the_same_value_are_progress() -> None:
    """Expiry may come in the middle of records that share a value, as often as some are new."""
    records = timed(*[7] * 5)

    def provider() -> Serve:
        expiring = {2, 3}

        def serve(request: Request) -> Response:
            begin = int(asked_for(request).get("next", 0))
            if begin in expiring:
                expiring.remove(begin)
                return EXPIRED
            return answer({"items": records[begin : begin + 1], "next": str(begin + 1) if begin < 4 else None})

        return serve

    assert_resumable(listing(ON_EXPIRED), provider, records)


def test_P22_expiry_at_the_first_request_fails() -> None:
    """There is no last value yet."""
    with pytest.raises(CursorExpired):
        read(listing(ON_EXPIRED), scripted(EXPIRED))


# What a config may not say.


@pytest.mark.parametrize(
    ("pagination", "operation", "problem"),
    [
        ({"window": WINDOW}, {}, 'has no "key"'),
        ({"on_expired": "restart"}, {}, 'has no "key"'),
        ({"on_expired": "window"}, {"key": "id"}, '"window" is missing'),
        ({"window": {"field": "at", "param": "p"}}, {"key": "id"}, 'says nothing without "cap"'),
        ({"window": {**WINDOW, "in": "template"}}, {"key": "id", "query": {"q": "{since}"}}, "give it a first value"),
        ({"window": {**WINDOW, "in": "body"}}, {"key": "id"}, "goes into the body"),
        ({"window": {**WINDOW, "in": "header", "param": "Host"}}, {"key": "id"}, "set by the transport alone"),
        ({"window": {"cap": 0, "field": "at", "param": "p"}}, {"key": "id"}, "minimum is 1"),
        ({"window": {"cap": 4, "field": "at[*]", "param": "p"}}, {"key": "id"}, "one value is meant here"),
        ({"window": WINDOW, "bookmark": "next"}, {"key": "id"}, 'cannot stand beside "window"'),
    ],
)
def test_windows_that_could_not_work_are_refused(
    pagination: dict[str, Any], operation: dict[str, Any], problem: str
) -> None:
    """When the config is read, with the place."""
    with pytest.raises(ConfigWrong) as wrong:
        connector_of_rows({**CURSOR, **pagination}, **operation)

    assert problem in str(wrong.value)
