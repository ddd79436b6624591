"""Deprecation and Sunset. Ids are those of the project's table of inputs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connproof.model import Headers, Response
from connproof.standards.lifecycle import Lifecycle, read_lifecycle
from scripted import answer, connector, items, read, rows, scripted

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
SINCE = datetime(2023, 6, 30, 23, 59, 59, tzinfo=UTC)
HTTP_DATE = "Fri, 30 Jun 2023 23:59:59 GMT"


def told(*headers: tuple[str, str], status: int = 200) -> Lifecycle | None:
    return read_lifecycle(Response(status, headers), now=NOW)


def deprecation(*lines: str) -> Lifecycle | None:
    return told(*(("deprecation", line) for line in lines))


def malformed(raw: str) -> Lifecycle:
    return Lifecycle(raw=raw, notes=("malformed: deprecation",))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(["@1688169599"], Lifecycle(deprecated=True, deprecated_at=SINCE), id="DP01"),
        pytest.param(["@4102444800"], Lifecycle(deprecated_at=datetime(2100, 1, 1, tzinfo=UTC)), id="DP02"),
        pytest.param(["@1688169599;a=1"], Lifecycle(deprecated=True, deprecated_at=SINCE), id="DP03"),
        pytest.param(["?1"], Lifecycle(deprecated=True, raw="?1", notes=("old_deprecation",)), id="DP04"),
        pytest.param(["true"], Lifecycle(deprecated=True, raw="true", notes=("old_deprecation",)), id="DP05"),
        pytest.param(["?0"], Lifecycle(raw="?0", notes=("not_deprecated",)), id="DP06"),
        pytest.param(["false"], Lifecycle(raw="false", notes=("not_deprecated",)), id="DP06-token"),
        pytest.param([HTTP_DATE], Lifecycle(deprecated=True, raw=HTTP_DATE, notes=("old_deprecation",)), id="DP07"),
        pytest.param(
            ["1688169599"],
            Lifecycle(deprecated=True, raw="1688169599", notes=("wrong_type: deprecation",)),
            id="DP08-integer",
        ),
        pytest.param(
            ['"@1688169599"'],
            Lifecycle(deprecated=True, raw='"@1688169599"', notes=("wrong_type: deprecation",)),
            id="DP08-string",
        ),
        pytest.param(["@1.5"], malformed("@1.5"), id="DP09-decimal"),
        pytest.param(["@99999999999999"], malformed("@99999999999999"), id="DP09-year"),
        pytest.param(
            ["@-1"],
            Lifecycle(deprecated=True, deprecated_at=datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
            id="DP10",
        ),
        pytest.param(["@1, @2"], malformed("@1, @2"), id="DP11-two-values"),
        pytest.param(["@1", "@2"], malformed("@1, @2"), id="DP11-two-lines"),
        pytest.param([""], malformed(""), id="empty"),
        pytest.param(["@\u0663"], malformed("@\u0663"), id="other-digits"),
        pytest.param(["x " * 50_000], malformed("x " * 100), id="100-kB"),
    ],
)
def test_deprecation(lines: list[str], expected: Lifecycle) -> None:
    """Since when, or that it is; what announces nothing leaves a note alone."""
    assert expected == deprecation(*lines)


@pytest.mark.parametrize(
    ("sunset", "notes"),
    [
        pytest.param("Thu, 29 Jun 2023 00:00:00 GMT", ("past_sunset", "inconsistent_lifecycle"), id="DP12"),
        pytest.param(HTTP_DATE, ("past_sunset",), id="DP12-same-moment"),
    ],
)
def test_a_sunset_before_the_deprecation(sunset: str, notes: tuple[str, ...]) -> None:
    """Both are kept; that they contradict each other is told."""
    found = told(("deprecation", "@1688169599"), ("sunset", sunset))

    assert found is not None
    assert (SINCE, notes) == (found.deprecated_at, found.notes)
    assert found.sunset_at is not None


@pytest.mark.parametrize(
    ("relation", "field"),
    [
        pytest.param("deprecation", ("deprecation", "@1688169599"), id="DP13"),
        pytest.param("sunset", ("sunset", "Mon, 11 Jan 2027 00:00:00 GMT"), id="SU10"),
    ],
)
def test_links_to_documentation_are_text(relation: str, field: tuple[str, str]) -> None:
    """They are told as written; a read asks for its own page and nothing else."""
    link = ("link", f'<https://evil.example/doc>; rel="{relation}"; type="text/html"')
    provider = scripted(answer({"items": rows(1, 1)}, field, link))

    found = told(field, link)

    assert found is not None and ((relation, "https://evil.example/doc"),) == found.links
    assert rows(1, 1) == read(connector(), provider)
    assert ["/rows"] == provider.asked


def test_links_that_cannot_be_read_are_none() -> None:
    """A Link header beyond all bounds spoils nothing."""
    found = told(("deprecation", "?1"), ("link", "<a>; rel=deprecation," * 10_000))

    assert found is not None and () == found.links


def test_DP14_each_response_speaks_for_itself() -> None:
    """What one operation's response announces, another's does not."""
    assert deprecation("@1688169599") is not None
    assert told(("content-type", "application/json")) is None


FUTURE = datetime(2027, 1, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("lines", "expected", "notes"),
    [
        pytest.param(["Mon, 11 Jan 2027 00:00:00 GMT"], FUTURE, (), id="SU01"),
        pytest.param(["Fri, 30 Jun 2023 23:59:59 GMT"], SINCE, ("past_sunset",), id="SU02"),
        pytest.param(["Monday, 11-Jan-27 00:00:00 GMT"], FUTURE, (), id="SU03-RFC-850"),
        pytest.param(["Mon Jan 11 00:00:00 2027"], FUTURE, (), id="SU03-asctime"),
        pytest.param(["@1688169599"], None, ("malformed: sunset",), id="SU04"),
        pytest.param(["2027-01-11"], None, ("malformed: sunset",), id="SU05-ISO"),
        pytest.param(["true"], None, ("malformed: sunset",), id="SU05-true"),
        pytest.param(["soon"], None, ("malformed: sunset",), id="SU05-garbage"),
        pytest.param([""], None, ("malformed: sunset",), id="SU05-empty"),
        pytest.param(["9" * 100_000], None, ("malformed: sunset",), id="SU05-100-kB"),
        pytest.param(["Fri, 31 Dec 9999 23:59:59 GMT"], datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), (), id="SU06"),
        pytest.param(["Mon, 11 Jan 2027 00:00:00 GMT"] * 2, None, ("malformed: sunset",), id="SU07"),
    ],
)
def test_sunset(lines: list[str], expected: datetime | None, notes: tuple[str, ...]) -> None:
    """SU08 too: none of them has a Deprecation beside it."""
    found = told(*(("sunset", line) for line in lines))

    assert Lifecycle(sunset_at=expected, notes=notes) == found


@pytest.mark.parametrize(
    ("sunset", "expected"),
    [
        pytest.param("Mon, 11 Jan 2027 00:00:00 GMT", 48, id="SU01"),
        pytest.param("Mon, 23 Nov 2026 11:00:00 GMT", -1, id="SU02"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 GMT", 2_912_116, id="SU06"),
        pytest.param("never", None, id="SU05"),
    ],
)
def test_days_left(sunset: str, expected: int | None) -> None:
    """Whole days by the clock that is passed in; no arithmetic overflows."""
    found = told(("sunset", sunset))

    assert found is not None and expected == found.days_left(NOW)


def test_SU02_the_call_goes_on() -> None:
    """A sunset in the past is told by nobody's failure: the pages are read to the end."""
    past = ("sunset", "Fri, 30 Jun 2023 23:59:59 GMT")
    provider = scripted(answer({"items": rows(1, 1), "next": "2"}, past), items(2))

    assert rows(1, 2) == read(connector({"type": "cursor", "cursor_field": "next"}), provider)


def test_SU08_needs_no_deprecation() -> None:
    """A sunset alone says that the end is near, and nothing of a deprecation."""
    found = told(("sunset", "Mon, 11 Jan 2027 00:00:00 GMT"))

    assert found is not None and (False, None) == (found.deprecated, found.deprecated_at)


@pytest.mark.parametrize("status", [404, 410])
def test_SU09_is_read_on_an_error_too(status: int) -> None:
    """It may say why the thing is gone."""
    found = told(("sunset", "Fri, 30 Jun 2023 23:59:59 GMT"), status=status)

    assert found is not None and SINCE == found.sunset_at


values = st.text(st.characters(max_codepoint=255), max_size=60)


@given(st.lists(st.tuples(st.sampled_from(["deprecation", "sunset", "link"]), values), max_size=4))
def test_no_headers_raise(headers: list[tuple[str, str]]) -> None:
    """Any texts give data, and only where one of the two fields is there."""
    found = told(*headers)

    assert (found is None) is ({"deprecation", "sunset"}.isdisjoint(dict(headers)))


def test_recorded_pairs_are_read() -> None:
    """Both fields as real APIs send them: HTTP-dates, and a sunset ahead."""
    sent: Headers = (
        ("deprecation", "Mon, 15 Jun 2026 00:00:00 GMT"),
        ("sunset", "Mon, 11 Jan 2027 00:00:00 GMT"),
    )

    found = told(*sent)

    assert Lifecycle(True, None, FUTURE, "Mon, 15 Jun 2026 00:00:00 GMT", (), ("old_deprecation",)) == found
