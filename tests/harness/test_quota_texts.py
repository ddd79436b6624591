"""What a provider's texts say of quotas and waits: exact numbers, or no number at all."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from fractions import Fraction

import pytest

from connproof.model import Response
from pytest_connproof.quota_texts import exact, group, member, pairs, sent_at

NOW = datetime(2026, 11, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("unit", "text", "number"),
    [
        ("count", "40", 40),
        ("count", "0.5", Fraction(1, 2)),
        ("delta_s", "1.5", Fraction(3, 2)),
        ("delta_ms", "1500", Fraction(3, 2)),
        ("structured", "30;comment=later", 30),
        ("epoch_s", "1793527230", 30),
        ("epoch_s", "1793527199", -1),
        ("epoch_ms", "1793527200001", Fraction(1, 1000)),
        ("iso8601", "2026-11-01T12:00:30+02:00", 30),
        ("http_date", "Sun, 01 Nov 2026 10:00:30 GMT", 30),
        ("retry_after", "30", 30),
        ("retry_after", "Sun, 01 Nov 2026 10:00:30 GMT", 30),
        ("duration", "1m30s", 90),
        ("duration", "1h0.5ms", Fraction(7200001, 2000)),
        ("duration", "7\N{MICRO SIGN}s", Fraction(7, 1_000_000)),
    ],
)
def test_text_of_each_unit_is_its_exact_number(unit: str, text: str, number: Fraction | int) -> None:
    """Nothing is rounded, and a moment is counted from now on."""
    assert number == exact(text, unit, NOW)


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        ("count", " "),
        ("count", "-1"),
        ("count", "1e3"),
        ("delta_s", "\N{ARABIC-INDIC DIGIT THREE}"),
        ("structured", "1.5"),
        ("iso8601", "2026-11-01T10:00:30"),
        ("duration", "30"),
        ("duration", "1m 30s"),
        ("http_date", "1793527230"),
        ("retry_after", "1.5"),
    ],
)
def test_text_of_another_unit_is_no_number(unit: str, text: str) -> None:
    """What does not fit whole is refused, and never read as far as it goes."""
    with pytest.raises(ValueError, match=re.escape(text)):
        exact(text, unit, NOW)


def test_answer_says_when_it_was_sent() -> None:
    """Moments are counted from the answer's own clock."""
    assert datetime(2026, 11, 1, 10, tzinfo=UTC) == sent_at(_dated("Sun, 01 Nov 2026 10:00:00 GMT"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "today",
        "Sun, 41 Nov 2026 10:00:00 GMT",
        "Sun, 01 Nov 99999999999999999999 10:00:00 GMT",
        "Sun, 01 Nov 2026 10:00:00 +99999999999999",
    ],
)
def test_answer_with_a_date_that_is_none_does_not_say_when(text: str) -> None:
    """A date that nobody can have meant is no date, however its digits run on."""
    assert sent_at(_dated(text)) is None


def _dated(text: str) -> Response:
    return Response(200, (("date", text),))


@pytest.mark.parametrize(
    ("text", "value"), [("limit=10, Reset=60", "60"), ('reset="60";w=1', "60"), ("limit=10", ""), ("", "")]
)
def test_member_is_found_by_its_name(text: str, value: str) -> None:
    """Names have no case, and values no quotes."""
    assert value == member(text, "reset")


def test_pairs_are_the_whole_numbers_of_each_item() -> None:
    """A parameter that is no whole number is nobody's number."""
    text = '"day";r=7;t=60;pk=:YQ==:, "hour";r=1.5;q=10'

    assert {"day": {"r": 7, "t": 60}, "hour": {"q": 10}} == pairs(text)


@pytest.mark.parametrize(("text", "part"), [("7 of 10", "10"), ("7", ""), ("7 of ", "")])
def test_group_is_the_part_that_a_pattern_finds(text: str, part: str) -> None:
    """What is not there is no value."""
    assert part == group("of ([0-9]+)?", text)
