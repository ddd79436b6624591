"""Form bodies: what a config may say, what is sent, page after page, and what is refused."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest

from connproof.errors import CallWrong, ConfigWrong
from connproof.places import JsonValue
from connproof.run import Call
from scripted import connector, items, read, scripted

FORM: dict[str, Any] = {"method": "POST", "encode": "form"}
PAGED = {
    "type": "cursor",
    "cursor_field": "next",
    "cursor_param": "cursor",
    "cursor_in": "body",
    "page_size_param": "limit",
    "page_size_in": "body",
}


def test_position_and_size_are_fields_of_the_form() -> None:
    """Each request is a form of its own: the caller's fields, the page size, the position, each encoded once."""
    provider = scripted(items(1, next="a+b=="), items(2, next=""))
    config = connector(PAGED, {**FORM, "body": {"kind": "open & shut"}})

    assert [{"id": 1}, {"id": 2}] == read(config, provider, Call(page_size=5))
    assert [
        b"kind=open+%26+shut&limit=5",
        b"kind=open+%26+shut&limit=5&cursor=a%2Bb%3D%3D",
    ] == [request.body for request in provider.requests]
    assert {(("content-type", "application/x-www-form-urlencoded"),)} == {each.headers for each in provider.requests}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"a": "", "b": 0, "c": False, "d": 1.5}, [("a", ""), ("b", "0"), ("c", "false"), ("d", "1.5")]),
        ({"a[]": ["x", 2], "b.c": "é"}, [("a[]", "x"), ("a[]", "2"), ("b.c", "é")]),
        ({"none": []}, []),
        ({}, []),
    ],
)
def test_what_the_fields_of_a_form_are(body: JsonValue, expected: list[tuple[str, str]]) -> None:
    """Presence, not truth; a list sends its name several times; names stand as they are written."""
    provider = scripted(items())
    read(connector(None, FORM), provider, Call(body=body))

    assert expected == parse_qsl((provider.requests[0].body or b"").decode(), keep_blank_values=True)


def test_a_text_is_sent_as_it_is() -> None:
    """Whoever writes the body as a text has encoded it, and names its type."""
    provider = scripted(items())
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    read(connector(None, {**FORM, "body": "a=%20", "headers": headers}), provider)

    (request,) = provider.requests
    assert (b"a=%20", "application/x-www-form-urlencoded; charset=utf-8") == (
        request.body,
        request.header("content-type"),
    )


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        ({"a": None}, "null"),
        ({"a": {"b": 1}}, "an object"),
        ({"a": [["b"]]}, "a list"),
        ([1], "an object alone"),
    ],
)
def test_what_is_no_form_is_not_sent(body: JsonValue, seen: str) -> None:
    """A form has one level and no null: there is no one way to write the rest, so none is guessed."""
    provider = scripted()
    with pytest.raises(CallWrong, match=seen):
        read(connector(None, FORM), provider, Call(body=body))

    assert [] == provider.requests


@pytest.mark.parametrize(
    ("pagination", "operation", "pointer"),
    [
        (None, {"encode": "form"}, "/encode"),
        (None, {**FORM, "body": {"a": {"b": 1}}}, "/body/a"),
        (None, {**FORM, "body": {"a": [None]}}, "/body/a/0"),
        (None, {**FORM, "body": [1]}, "/body"),
        (None, {"method": "POST", "encode": "yaml"}, "/encode"),
        (None, {"method": "POST", "encode": "xml", "body": {"a": 1}}, "/body"),
        (None, {"method": "POST", "encode": "text", "body": []}, "/body"),
        ({**PAGED, "cursor_param": "page.cursor"}, FORM, "/pagination/cursor_param"),
        ({**PAGED, "first_cursor": None}, FORM, "/pagination/first_cursor"),
    ],
)
def test_a_config_that_cannot_be_sent_is_refused(
    pagination: dict[str, Any] | None, operation: dict[str, Any], pointer: str
) -> None:
    """What could not be written as a form at the first request is refused when the config is read."""
    with pytest.raises(ConfigWrong) as refused:
        connector(pagination, operation)

    assert [f"/resources/rows/list{pointer}"] == [problem.pointer for problem in refused.value.problems]


def test_a_field_may_have_any_name() -> None:
    """A name with dots or brackets is quoted, as everywhere in the language."""
    provider = scripted(items(1, next="c"), items(2, next=None))
    read(connector({**PAGED, "cursor_param": '["page[after]"]', "page_size_param": '["page.size"]'}, FORM), provider)

    assert [None, b"page%5Bafter%5D=c"] == [request.body for request in provider.requests]
