"""P32: a page that was too big is asked for again with half its size."""

from __future__ import annotations

from typing import Any

import pytest

from connproof.errors import ConfigWrong, ProviderDown, ProviderSaid, RequestRefused
from connproof.model import Request, Response
from connproof.run import Call, Record
from pieces import Serve, asked_for, assert_resumable, connector_of_rows
from scripted import Provider, answer, read, rows

SIZED: dict[str, Any] = {"page_size_param": "limit", "default_page_size": 8, "reduce_on": [413, 500]}
OFFSET: dict[str, Any] = {"type": "offset", "offset_param": "start", **SIZED}
CURSOR: dict[str, Any] = {"type": "cursor", "cursor_field": "next", **SIZED}


def bearing(most: int, last: int, *, from_record: int = 0, status: int = 413) -> Serve:
    """A provider that refuses pages of more than `most` records from this record on. Offsets, which are its cursors."""

    def serve(request: Request) -> Response:
        said = asked_for(request)
        begin, size = int(said.get("start", said.get("next", 0))), int(said["limit"])
        if size > most and begin + size > from_record:
            return Response(status)
        end = min(begin + size, last)
        return answer({"items": rows(begin + 1, end), "next": str(end) if end < last else None})

    return serve


def test_P32_a_page_that_is_too_big_is_halved_until_it_is_not() -> None:
    """The same position is asked for; the read goes on with the size that worked."""
    provider = Provider(bearing(2, 7))

    assert rows(1, 7) == read(connector_of_rows(OFFSET), provider)
    assert [("8", "0"), ("4", "0"), ("2", "0"), ("2", "2"), ("2", "4"), ("2", "6"), ("2", "7")] == [
        (asked_for(request)["limit"], asked_for(request)["start"]) for request in provider.requests
    ]


@pytest.mark.parametrize("paging", [OFFSET, CURSOR], ids=["offset", "cursor"])
@pytest.mark.parametrize("from_record", [0, 8, 20])
def test_P32_a_reduced_read_can_be_broken_off_anywhere(paging: dict[str, Any], from_record: int) -> None:
    """The token keeps the size that worked; no record is lost where it changed."""
    assert_resumable(
        connector_of_rows(paging), lambda: bearing(3, 30, from_record=from_record, status=500), rows(1, 30)
    )


def test_P32_a_short_page_is_short_of_what_was_asked_for() -> None:
    """A page of the reduced size is no short page."""
    config = connector_of_rows({**OFFSET, "short_page": "stop"})
    provider = Provider(bearing(4, 9))

    assert rows(1, 9) == read(config, provider)
    assert "a short page" == provider.ended


def test_P32_the_error_is_raised_where_the_smallest_page_is_too_big() -> None:
    """Down to the least that the provider takes, and not below."""
    records: list[Record] = []
    provider = Provider(bearing(2, 9))

    with pytest.raises(RequestRefused) as said:
        read(connector_of_rows({**OFFSET, "min_page_size": 3}), provider, into=records)

    assert ["8", "4", "3"] == [asked_for(request)["limit"] for request in provider.requests]
    assert (413, []) == (said.value.status, records)
    assert said.value.resume


@pytest.mark.parametrize("status", [429, 503, 404, 400])
def test_P32_no_other_status_reduces(status: int) -> None:
    """Only those that the config names: a throttle is none of them."""
    provider = Provider(lambda _: Response(status))

    with pytest.raises(ProviderSaid):
        read(connector_of_rows(OFFSET), provider)

    assert 1 == len(provider.requests)


def test_P32_a_callers_page_size_is_reduced_too() -> None:
    """Whoever chose the size, it was too big."""
    provider = Provider(bearing(2, 3))

    assert rows(1, 3) == read(connector_of_rows(OFFSET), provider, Call(page_size=5))
    assert ["5", "2"] == [asked_for(request)["limit"] for request in provider.requests[:2]]


def test_P32_a_followed_url_has_its_size_in_it() -> None:
    """It is followed byte for byte: there is nothing to reduce, and the error goes to the caller."""
    config = connector_of_rows({"type": "next_url", "next_url_field": "next", **SIZED})
    answers = iter([answer({"items": rows(1, 8), "next": "/v1/rows?p=2&limit=8"}), Response(500)])
    provider = Provider(lambda _: next(answers))

    with pytest.raises(ProviderDown):
        read(config, provider)

    assert 2 == len(provider.requests)


@pytest.mark.parametrize(
    ("pagination", "problem"),
    [
        ({"type": "page", "page_param": "page", **SIZED}, "would shift the pages"),
        ({"type": "offset", "offset_param": "o", "reduce_on": [500]}, 'says nothing without "page_size_param"'),
        ({**OFFSET, "reduce_on": [200]}, "out of range"),
        ({**OFFSET, "reduce_on": []}, "is empty"),
        ({**OFFSET, "reduce_on": ["413"]}, "expected an integer"),
    ],
)
def test_P32_what_could_not_work_is_refused(pagination: dict[str, Any], problem: str) -> None:
    """When the config is read, with the place."""
    with pytest.raises(ConfigWrong) as wrong:
        connector_of_rows(pagination)

    assert problem in str(wrong.value)
