"""What a config and its answers say about the end of a version, and when something is due."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from connproof.config import parse
from connproof.errors import ConfigWrong
from connproof.model import ApiVersion, Response
from connproof.places import ABSENT, Place
from connproof.versions import Announcement, announced, days_left, declared, is_known, served, state

NOW = datetime(2026, 11, 23, tzinfo=UTC)
AS_OF = date(2026, 11, 23)
V1 = ApiVersion("v1", "path")
SHOP = ApiVersion("2026-04", "path", deprecation_headers=("x-shop-deprecated-reason",))


def _heard(*headers: tuple[str, str], version: ApiVersion | None = V1, status: int = 200) -> list[tuple[str, ...]]:
    said = announced(Response(status, headers), version, operation="deals.list", now=NOW)
    return [(one.kind, one.by, one.day or "", one.text) for one in said]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ((), []),
        ((("deprecation", "@1688169599"),), [("deprecated", "deprecation", "2023-06-30", "")]),
        ((("deprecation", "@1893456000"),), [("deprecated", "deprecation", "2030-01-01", "")]),
        ((("deprecation", "true"),), [("deprecated", "deprecation", "", "true")]),
        (
            (("deprecation", "Mon, 15 Jun 2026 00:00:00 GMT"), ("sunset", "Mon, 11 Jan 2027 00:00:00 GMT")),
            [
                ("deprecated", "deprecation", "", "Mon, 15 Jun 2026 00:00:00 GMT"),
                ("sunset", "sunset", "2027-01-11", ""),
            ],
        ),
        ((("sunset", "Tue, 30 Jun 2020 00:00:00 GMT"),), [("sunset", "sunset", "2020-06-30", "")]),
        ((("sunset", "soon"),), [("note", "sunset", "", "malformed: sunset")]),
        ((("deprecation", "false"),), []),
        (
            (("link", '<https://docs.example/v1>; rel="deprecation"'),),
            [("deprecated", "link", "", "deprecation: https://docs.example/v1")],
        ),
        (
            (("link", '<https://a.example/v2>; rel="successor-version", </sunset>; rel=sunset'),),
            [
                ("successor", "link", "", "successor-version: https://a.example/v2"),
                ("note", "link", "", "sunset: /sunset"),
            ],
        ),
        (
            (("warning", '299 - "Deprecated Fields: title"'),),
            [("deprecated", "warning", "", "Deprecated Fields: title")],
        ),
        ((("warning", '299 api.example "Slow day", 110 - "stale"'),), [("warning", "warning", "", "Slow day")]),
        ((("warning", "299 " + "x" * 100_000),), []),
        ((("x-shop-deprecated-reason", "https://shop.example/why"),), []),
    ],
)
def test_V2_what_an_answer_announces(headers: tuple[tuple[str, str], ...], expected: list[tuple[str, ...]]) -> None:
    """The headers of the standards, in every form that was met; what cannot be read is a note."""
    assert expected == _heard(*headers)


def test_V2_headers_of_the_provider_are_heard_where_the_config_names_them() -> None:
    """No standard knows them."""
    heard = _heard(("x-shop-deprecated-reason", "https://shop.example/why"), version=SHOP)

    assert [("deprecated", "x-shop-deprecated-reason", "", "https://shop.example/why")] == heard


def test_V2_an_error_announces_too() -> None:
    """A version that is gone says so with its last answer."""
    assert [("sunset", "sunset", "2020-06-30", "")] == _heard(("sunset", "Tue, 30 Jun 2020 00:00:00 GMT"), status=410)


def test_V2_a_long_text_of_the_provider_is_cut() -> None:
    """A report is no place for a page."""
    (_, _, _, text), *_ = _heard(("x-shop-deprecated-reason", "y" * 5_000), version=SHOP)

    assert text.startswith("y" * 200) and len(text) < 300


# What is due.

SUNSET = Announcement("sunset", "sunset", "2027-01-11", operation="deals.list")
DEPRECATED = Announcement("deprecated", "deprecation", "2026-06-15", operation="deals.list")


@pytest.mark.parametrize(
    ("announcement", "within", "expected"),
    [
        (SUNSET, 180, "due"),
        (SUNSET, 49, "due"),
        (SUNSET, 48, "later"),
        (Announcement("sunset", "config", "2026-11-22"), 180, "past"),
        (Announcement("sunset", "config", "2026-11-23"), 0, "due"),
        (Announcement("sunset", "config", "2027-09"), 180, "later"),
        (Announcement("sunset", "config", "2026-11"), 180, "past"),
        (DEPRECATED, 180, "past"),
        (Announcement("deprecated", "deprecation"), 180, "due"),
        (Announcement("served", "x-version", text="2026-07"), 180, "due"),
        (Announcement("successor", "link"), 180, "told"),
        (Announcement("warning", "warning"), 180, "told"),
    ],
)
def test_state_of_an_announcement(announcement: Announcement, within: int, expected: str) -> None:
    """By the day that it names; of a month its first day counts. What names no day is due."""
    assert expected == state(announcement, [announcement], as_of=AS_OF, within=within)


@pytest.mark.parametrize(
    ("sunset", "expected"),
    [
        (SUNSET, "told"),
        (Announcement("sunset", "config", "2027-01-11"), "told"),
        (Announcement("sunset", "sunset", "2027-01-11", operation="deals.get"), "past"),
    ],
)
def test_deprecation_waits_for_its_sunset(sunset: Announcement, expected: str) -> None:
    """What has to be done by when is the sunset's to say: the same operation's, or the config's."""
    assert expected == state(DEPRECATED, [DEPRECATED, sunset], as_of=AS_OF, within=180)


@pytest.mark.parametrize(
    ("day", "expected"), [("2026-11-24", 1), ("2026-11-23", 0), ("2026-10", -53), ("2027-09", 282)]
)
def test_days_left(day: str, expected: int) -> None:
    """Of a month, until its first day."""
    assert expected == days_left(day, AS_OF)


@pytest.mark.parametrize(
    ("announcement", "version", "expected"),
    [
        (SUNSET, None, False),
        (SUNSET, V1, False),
        (SUNSET, ApiVersion("v1", "path", sunset="2027-01-11"), True),
        (SUNSET, ApiVersion("v1", "path", sunset="2027-01"), True),
        (SUNSET, ApiVersion("v1", "path", sunset="2027-01-12"), False),
        (SUNSET, ApiVersion("v1", "path", deprecated="2026-06-15"), False),
        (DEPRECATED, ApiVersion("v1", "path", deprecated="2026-06-15"), True),
        (DEPRECATED, ApiVersion("v1", "path", deprecated="2026-06-14"), False),
        (Announcement("deprecated", "deprecation"), ApiVersion("v1", "path", deprecated="2026-06"), True),
        (Announcement("deprecated", "deprecation"), ApiVersion("v1", "path", sunset="2027-01"), True),
        (Announcement("served", "x-version"), ApiVersion("v1", "path", sunset="2027-01"), False),
    ],
)
def test_what_the_config_knows(announcement: Announcement, version: ApiVersion | None, *, expected: bool) -> None:
    """An announcement is known where the config says the same day, or the month that it is in."""
    assert expected is is_known(announcement, version)


# Which version was served.


@pytest.mark.parametrize(
    ("place", "headers", "document", "expected"),
    [
        (None, (("x-version", "2026-07"),), ABSENT, None),
        ("x-version", (("x-version", "2026-07"),), ABSENT, "2026-07"),
        ("x-version", (), ABSENT, None),
        (Place.parse("meta.version"), (), {"meta": {"version": "2026-07"}}, "2026-07"),
        (Place.parse("meta.version"), (), {"meta": {"version": 3}}, "3"),
        (Place.parse("meta.version"), (), {"meta": {"version": None}}, None),
        (Place.parse("meta.version"), (), {}, None),
        (Place.parse("meta.version"), (), ABSENT, None),
    ],
)
def test_V3_version_that_an_answer_says_it_is_of(
    place: str | Place | None, headers: tuple[tuple[str, str], ...], document: Any, expected: str | None
) -> None:
    """A header, or a place of the body; whoever says nothing is not guessed at."""
    assert expected == served(Response(200, headers), document, ApiVersion("2026-04", "path", served=place))


# What the config says.


def _version(**said: Any) -> ApiVersion:
    document = {
        "base_url": "https://api.example/{api_version}",
        "api_version": {"value": "v1", "in": "path", **said},
        "auth": {"type": "none"},
        "resources": {"rows": {"list": {"method": "GET", "path": "/rows"}}},
    }
    version = parse(json.dumps(document, indent=1).encode(), folder="example").api_version
    assert version is not None
    return version


def test_V2_end_of_a_version_stands_in_the_config() -> None:
    """A known deprecation and a known sunset, with where they are announced."""
    version = _version(deprecated="2026-06-15", sunset="2027-09", notice="https://docs.example/changes")

    assert (
        Announcement("deprecated", "config", "2026-06-15", "https://docs.example/changes"),
        Announcement("sunset", "config", "2027-09", "https://docs.example/changes"),
    ) == declared(version)


def test_V2_config_without_an_end_announces_nothing() -> None:
    """Nothing is known."""
    assert () == declared(_version())


def test_words_of_the_version_reach_the_model() -> None:
    """Header names in lower case, a path as a place."""
    by_header = _version(served={"header": "X-Version"}, deprecation_headers=["X-Deprecated-Reason"])
    by_body = _version(served={"body": "meta.version"})

    assert ("x-version", ("x-deprecated-reason",)) == (by_header.served, by_header.deprecation_headers)
    assert Place.parse("meta.version") == by_body.served


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"sunset": "2027-02-30"}, "/api_version/sunset  2027-02-30 is no day of the calendar"),
        ({"deprecated": "0000-01"}, "/api_version/deprecated  0000-01 is no day of the calendar"),
        ({"sunset": "soon"}, "/api_version/sunset"),
        ({"sunset": "2027-01-01T00:00:00Z"}, "/api_version/sunset"),
        (
            {"deprecated": "2027-09-15", "sunset": "2027-08"},
            "/api_version/sunset  is before deprecated, 2027-09-15 (nothing ends first)",
        ),
        ({"notice": "x"}, '/api_version/notice  says nothing without "deprecated" or "sunset"'),
        ({"served": {}}, "/api_version/served"),
        ({"served": {"header": "x", "body": "y"}}, "/api_version/served"),
        ({"served": {"body": "a["}}, "/api_version/served/body"),
        ({"deprecation_headers": []}, "/api_version/deprecation_headers"),
    ],
)
def test_what_a_version_may_not_say(said: dict[str, Any], message: str) -> None:
    """Each with its place."""
    with pytest.raises(ConfigWrong) as wrong:
        _version(**said)

    assert message in str(wrong.value)


@pytest.mark.parametrize("said", [{"deprecated": "2027-09-15", "sunset": "2027-09"}, {"sunset": "2024-02-29"}])
def test_what_a_version_may_say(said: dict[str, Any]) -> None:
    """A month may be the month of the other day."""
    assert said["sunset"] == _version(**said).sunset
