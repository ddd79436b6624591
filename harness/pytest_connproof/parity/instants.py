"""A text to the moment it names, so that two notations of one moment can be told from two moments.

    2026-01-02T03:04:05Z   2026-01-02T05:04:05.000+0200   20260102T030405Z
    1767323045   1767323045000   /Date(1767323045000)/
    2026-01-02 03:04:05    a local time: which instant it is, nobody knows
    2026-01-02             a day

An instant, a local time and a day are never the same moment as one another. Fractions of a second are exact
at any length. A leap second and 24:00 name no moment here: two such texts are only texts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Literal

__all__ = ["Moment", "moment", "same_moment"]

_LONGEST = 64  # characters; no notation of a moment is longer, and int() refuses a fraction without end

# ISO 8601, extended or basic, but not mixed; RFC 3339 is a part of it, apart from the space for "T".
_CALENDAR = re.compile(
    r"(?P<year>[0-9]{4})(?P<dash>-?)(?P<month>[0-9]{2})(?P=dash)(?P<day>[0-9]{2})"
    r"(?P<time>[Tt ](?P<hour>[0-9]{2})(?P<colon>:?)(?P<minute>[0-9]{2})"
    r"(?:(?P=colon)(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]+))?)?"
    r"(?P<zone>[Zz]|(?P<sign>[+-])(?P<hours>[0-9]{2})(?::?(?P<minutes>[0-9]{2}))?)?)?"
)
_SECONDS = re.compile(r"[0-9]{9,10}(?:\.[0-9]+)?")  # the years 1973 to 2286, as are the 12 or 13 digits below
_MILLISECONDS = re.compile(r"[0-9]{12,13}")
_WRAPPED = re.compile(r"/Date\((-?[0-9]{1,15})(?:[+-][0-9]{4})?\)/")  # milliseconds; the offset does not move them
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - it is subtracted from local and from UTC times alike


@dataclass(frozen=True, slots=True)
class Moment:
    """`at` is seconds since 1970-01-01, in UTC for an instant. `bare` is true for an epoch as digits alone."""

    scale: Literal["instant", "local", "day"]
    at: Fraction
    bare: bool = False


def moment(text: str) -> Moment | None:
    """The moment that a text names, None where it names none."""
    if len(text) > _LONGEST:
        return None
    if calendar := _CALENDAR.fullmatch(text):
        return _of_calendar(calendar)
    if wrapped := _WRAPPED.fullmatch(text):
        return Moment("instant", Fraction(int(wrapped[1]), 1000))
    if _SECONDS.fullmatch(text):
        return Moment("instant", Fraction(text), bare=True)
    if _MILLISECONDS.fullmatch(text):
        return Moment("instant", Fraction(int(text), 1000), bare=True)
    return None


def same_moment(one: str, other: str) -> bool:
    """Whether two texts name the same moment.

    Two texts of digits never do: 1767323045 and 1767323045000 are as likely two ids, or a wrong unit.
    """
    first, second = moment(one), moment(other)
    if first is None or second is None or (first.bare and second.bare):
        return False
    return (first.scale, first.at) == (second.scale, second.at)


def _of_calendar(part: re.Match[str]) -> Moment | None:
    year, month, day, hour, minute, second = (
        int(part[name] or 0) for name in ("year", "month", "day", "hour", "minute", "second")
    )
    try:
        at = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - the offset is applied below, if there is one
    except ValueError:  # no such day or time
        return None
    seconds = Fraction((at - _EPOCH) // (datetime.resolution * 1_000_000))
    if part["fraction"]:
        seconds += Fraction(int(part["fraction"]), 10 ** len(part["fraction"]))
    if not part["time"]:
        return Moment("day", seconds)
    if not part["zone"]:
        return Moment("local", seconds)
    hours, minutes = int(part["hours"] or 0), int(part["minutes"] or 0)
    if hours > 23 or minutes > 59:
        return None
    offset = 60 * (60 * hours + minutes)
    return Moment("instant", seconds + offset if part["sign"] == "-" else seconds - offset)
