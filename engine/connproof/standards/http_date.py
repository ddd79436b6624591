"""An HTTP-date into a time (RFC 9110, section 5.6.7): all three forms, in ASCII digits, in GMT alone.

The standard library reads more than HTTP allows (other zones), less (a leap second), and two-digit years by
a pivot of its own, so this one follows the RFC alone. Two faults are forgiven that change no meaning: a wrong weekday,
and UTC for GMT, which a large provider writes into every Date.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from connproof.model import Response

__all__ = ["parse_http_date", "sent_at"]

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH: Final = f"(?P<month>{'|'.join(_MONTHS)})"
_TIME: Final = "(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_SHORT: Final = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_LONG: Final = "(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)"

_FORMS: Final = (
    re.compile(rf"{_SHORT}, (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_TIME} (?:GMT|UTC)"),  # IMF-fixdate
    re.compile(rf"{_LONG}, (?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_TIME} GMT"),  # RFC 850
    re.compile(rf"{_SHORT} {_MONTH} (?P<day>[0-9]{{2}}| [0-9]) {_TIME} (?P<year>[0-9]{{4}})"),  # asctime
)


def parse_http_date(text: str, *, now: datetime) -> datetime | None:
    """The time, aware and in UTC; None for what is no HTTP-date. `now` (aware) decides what a two-digit year means."""
    for form in _FORMS:
        if found := form.fullmatch(text.strip(" \t")):
            return _time(found, now.astimezone(UTC))
    return None


def sent_at(response: Response, *, now: datetime) -> datetime | None:
    """When the provider sent the response, by its own clock: the Date header; None where that says nothing."""
    date = response.header("date")
    return None if date is None else parse_http_date(date, now=now)


def _time(found: re.Match[str], now: datetime) -> datetime | None:
    month = _MONTHS.index(found["month"]) + 1
    day, hour, minute, second = (int(found[part]) for part in ("day", "hour", "minute", "second"))
    year = int(found["year"])
    if len(found["year"]) == 2:
        # The latest such year that is not more than 50 years ahead.
        year += 100 * (now.year // 100 + 1)
        ahead = (now.year + 50, now.month, now.day, now.hour, now.minute, now.second)
        while (year, month, day, hour, minute, second) > ahead:
            year -= 100
    try:
        # A leap second is the second after it: datetime knows none.
        time = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
        return time + timedelta(seconds=1) if second == 60 else time if second < 60 else None
    except (ValueError, OverflowError):
        return None
