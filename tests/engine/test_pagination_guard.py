"""P18: no read goes round in circles or on for ever, and none ends silently at a bound."""

from __future__ import annotations

from typing import Any

import pytest

from connproof.errors import ConfigWrong, LimitExceeded, PaginationLoop
from connproof.model import Request, Response
from connproof.places import JsonValue
from scripted import Provider, answer, connector, items, read, rows, scripted

CURSOR: dict[str, Any] = {"type": "cursor", "cursor_field": "next"}
NEXT: dict[str, Any] = {"type": "next_url", "next_url_field": "next"}
PAGE: dict[str, Any] = {"type": "page", "page_param": "page"}


@pytest.mark.parametrize(
    ("cursors", "asked"),
    [(["A", "A"], 2), (["A", "B", "A", "B"], 3), (["A", "B", "C", "B"], 4)],
    ids=["A,A", "A,B,A,B", "A,B,C,B"],
)
def test_P18_cursor_that_comes_back_is_a_loop(cursors: list[str], asked: int) -> None:
    """A cursor seen anywhere before ends the read before it is asked again."""
    pages = [items(number, next=cursor) for number, cursor in enumerate(cursors)]
    provider = scripted(*pages)

    with pytest.raises(PaginationLoop, match="would ask again"):
        read(connector(CURSOR), provider)

    assert asked == len(provider.requests)


def test_P18_next_url_that_leads_to_itself_is_a_loop() -> None:
    """The first request counts too: a link back to it is never followed."""
    provider = scripted(items(1, next="/v1/rows"))

    with pytest.raises(PaginationLoop, match="page 2 would ask again what page 1 asked"):
        read(connector(NEXT), provider)

    assert 1 == len(provider.requests)


def test_P18_loop_through_pages_without_records() -> None:
    """Empty pages do not hide a loop."""
    provider = scripted(items(1, next="A"), items(next="B"), items(next="A"))

    with pytest.raises(PaginationLoop):
        read(connector(CURSOR), provider)


def test_S30_pages_without_a_record_do_not_go_on_for_ever() -> None:
    """Each names a new next one, and none has a record: an error after as many as the config allows."""
    provider = scripted(items(1, next="A"), *(items(next=f"B{number}") for number in range(9)))

    with pytest.raises(PaginationLoop, match="3 pages in a row have no record"):
        read(connector({**CURSOR, "max_empty_pages": 3}), provider)

    assert 4 == len(provider.requests)


def test_S30_a_record_between_empty_pages_is_progress() -> None:
    """Only pages in a row count."""
    pages = [items(*([number] if number % 3 == 0 else []), next=f"C{number}") for number in range(9)]

    assert [{"id": 0}, {"id": 3}, {"id": 6}] == read(
        connector({**CURSOR, "max_empty_pages": 3}), scripted(*pages, items())
    )


def test_P18_cursor_in_a_body_is_seen_too() -> None:
    """The whole request counts, not only its URL."""
    config = connector({**CURSOR, "cursor_in": "body", "cursor_param": "after"}, {"method": "POST", "body": {}})

    with pytest.raises(PaginationLoop):
        read(config, scripted(items(1, next="A"), items(2, next="A")))


def test_P18_constant_handle_can_be_allowed() -> None:
    """A scroll handle stays the same while its answers move on: the config says so, and the read goes on."""
    provider = scripted(items(1, next="S"), items(2, next="S"), items(3, next="S"), items(next="S"))

    assert rows(1, 3) == read(connector({**CURSOR, "allow_repeats": True, "empty_page": "stop"}), provider)


def test_P18_same_first_record_twice_is_a_loop() -> None:
    """A provider that ignores the position gives page 1 again: with a key its first record betrays it."""
    provider = scripted(items(1, 2), items(1, 2, 3))
    into: list[Any] = []

    with pytest.raises(PaginationLoop, match="page 2 starts with the record that page 1 started with"):
        read(connector(PAGE, {"key": "id"}), provider, into=into)

    assert rows(1, 2) == into


def test_P18_same_page_twice_is_a_loop_without_a_key() -> None:
    """Without a key a page that comes again from first record to last is a loop."""
    with pytest.raises(PaginationLoop):
        read(connector(PAGE), scripted(items(1, 2), items(3), items(1, 2)))


def test_P18_pages_that_only_begin_alike_are_no_loop_without_a_key() -> None:
    """Two records may be equal: only whole pages are compared where nothing identifies a record."""
    config = connector(PAGE)
    pages: list[JsonValue] = [["a", "b"], ["a", "c"], []]

    assert ["a", "b", "a", "c"] == read(config, scripted(*(answer({"items": page}) for page in pages)))


def endless(request: Request) -> Response:
    """A provider whose listing never ends: each page leads to another."""
    number = int(request.url.partition("next=")[2] or 0) + 1
    return items(number, next=number)


def test_P18_max_pages_ends_in_an_error() -> None:
    """The bound on pages is an error with the way on, never a short result."""
    provider = Provider(endless)
    into: list[Any] = []

    with pytest.raises(LimitExceeded, match="more than 3 pages") as said:
        read(connector({**CURSOR, "max_pages": 3}), provider, into=into)

    assert rows(1, 3) == into
    assert 3 == len(provider.requests)
    assert said.value.resume is not None


def test_P18_max_records_ends_in_an_error() -> None:
    """The bound on records holds on raw records, and the page that passes it is not handed on."""
    into: list[Any] = []

    with pytest.raises(LimitExceeded, match="more than 3 records"):
        read(connector({**CURSOR, "max_records": 3}), scripted(items(1, 2, next="A"), items(3, 4, next="B")), into=into)

    assert rows(1, 2) == into


def test_P18_max_records_holds_on_the_last_page_too() -> None:
    """A listing that ends beyond the bound has passed it all the same."""
    with pytest.raises(LimitExceeded, match="more than 3 records"):
        read(connector({**CURSOR, "max_records": 3}), scripted(items(1, 2, 3, 4)))


def test_P18_bounds_that_are_just_reached_are_no_error() -> None:
    """As many pages and records as allowed may be read."""
    config = connector({**CURSOR, "max_records": 3, "max_pages": 2})

    assert rows(1, 3) == read(config, scripted(items(1, 2, next="A"), items(3)))


def test_P18_endless_empty_pages_end_at_the_bound() -> None:
    """Pages that stay empty while their cursor moves on end at max_pages."""
    provider = Provider(lambda request: items(next=f"{len(request.url)}{request.url[-8:]}x"))

    with pytest.raises(LimitExceeded):
        read(connector({**CURSOR, "max_pages": 5}), provider)

    assert 5 == len(provider.requests)


def test_P18_cursor_beyond_any_url_is_refused() -> None:
    """A cursor of a megabyte is no cursor: it is refused before it is sent."""
    provider = scripted(items(1, next="x" * 1_000_000))

    with pytest.raises(LimitExceeded, match="too long"):
        read(connector(CURSOR), provider)

    assert 1 == len(provider.requests)


@pytest.mark.parametrize(
    ("pagination", "message"),
    [
        ({**CURSOR, "stop_when": False}, "stop_field"),
        ({**CURSOR, "stop_header": "x-more", "stop_when": False}, "a header is a text"),
        ({**CURSOR, "stop_header": "x-more", "stop_when": 0}, "a header is a text"),
        ({**CURSOR, "stop_header": "x-more", "stop_field": "more", "stop_when": "no"}, "stop_header"),
        ({**CURSOR, "total_header": "x-total", "total_field": "total"}, "total_header"),
    ],
    ids=["stop_when alone", "a header is no boolean", "a header is no number", "two stop words", "two totals"],
)
def test_stop_words_that_could_never_work_are_refused(pagination: dict[str, Any], message: str) -> None:
    """A stop rule that no page can fulfil, or of which one half is never read, is found when the config is read."""
    with pytest.raises(ConfigWrong, match=message):
        connector(pagination)
