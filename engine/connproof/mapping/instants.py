"""Times and dates as providers write them, to RFC 3339: an instant in UTC, or a calendar day.

The form is declared and never found out: the same digits are seconds for one provider and milliseconds for another.
A value that does not fit its form is an error, which shows of the value its shape alone. An empty text and a date of
zeros mean that there is none: null.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from functools import lru_cache
from typing import Any, Final

__all__ = ["InstantWrong", "date", "instant"]


class InstantWrong(ValueError):
    """A value that is not of its form, or a form that is none. Holds nothing of the value but its shape."""


class _Unfit(ValueError):
    """Why a value is not of its form."""


def instant(value: Any, form: Any = "iso8601") -> str | None:
    """A time to text such as 2026-01-02T03:04:05Z; None for "" and for a date of zeros.

    With milliseconds where the value has a fraction or the form counts them, cut off and not rounded. `form` is
    iso8601, epoch_s, epoch_ms, naive_utc, dotnet, or an object with `zone` and, where the time is not written as ISO
    has it, `format`. Raises InstantWrong.
    """
    if _is_nothing(value):
        return None
    try:
        return _written(_read(value, form))
    except _Unfit as why:
        raise _wrong(value, form, why) from None


def date(value: Any, form: Any = "iso8601") -> str | None:
    """A day to text such as 2026-01-02, as it is written; that of a count since 1970 is the day in UTC.

    Forms as for an instant. iso8601 is a day alone, which may have a zone behind it (2026-01-02-08:00). Raises
    InstantWrong.
    """
    if _is_nothing(value):
        return None
    try:
        day = _iso_day(value) if form == "iso8601" else _read(value, form).local
    except _Unfit as why:
        raise _wrong(value, form, why) from None
    return day.isoformat()[:10]


@dataclass(frozen=True, slots=True)
class _Moment:
    """A time as written: `local` time, how far it is ahead of UTC (None for a day alone), the fraction's digits."""

    local: datetime
    offset: timedelta | None
    fraction: str | None = None


def _is_nothing(value: Any) -> bool:
    return isinstance(value, str) and (not value or value.startswith("0000-00-00"))


def _read(value: Any, form: Any) -> _Moment:
    if isinstance(form, Mapping):
        return _by_words(value, form)
    reader = _FORMS.get(form) if isinstance(form, str) else None
    if reader is None:
        raise InstantWrong(f"there is no such form; the forms are {', '.join(_FORMS)}, or an object with a zone")
    return reader(value)


def _written(moment: _Moment) -> str:
    if moment.offset is None:
        raise _Unfit("it is a day without a time")
    try:
        utc = moment.local - moment.offset
    except OverflowError:
        raise _Unfit("in UTC it is beyond the years 1 to 9999") from None
    fraction = f".{moment.fraction[:3]:0<3}" if moment.fraction else ""
    return f"{utc.isoformat(timespec='seconds')}{fraction}Z"


def _wrong(value: Any, form: Any, why: _Unfit) -> InstantWrong:
    called = form if isinstance(form, str) else "as declared"
    return InstantWrong(f"{_shape(value)} is not {called}: {why}")


def _shape(value: Any) -> str:
    """What a value looks like, and nothing of what it says: digits as 9, letters as a."""
    if isinstance(value, str):
        masked = re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", value[:40]))
        return f'a text like "{masked}"'
    kinds = {bool: "a boolean", int: "an integer", float: "a number", list: "a list", dict: "an object"}
    return next((name for kind, name in kinds.items() if isinstance(value, kind)), "this")


# ISO 8601, as RFC 3339 and its neighbours have it.

_DAY: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:Z|[+-]\d\d:\d\d)?", re.ASCII)
_ISO: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)? ?(Z|z|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)


def _iso_day(value: Any) -> datetime:
    found = _DAY.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise _Unfit("expected a day such as 2026-01-02")
    return _day(*(int(each) for each in found.groups()))


def _iso(value: Any) -> _Moment:
    return _iso_moment(value, None)


def _iso_moment(value: Any, zone: timedelta | None) -> _Moment:
    """With a zone of its own, or with the declared one: never both, never neither."""
    found = _ISO.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise _Unfit("expected a time such as 2026-01-02T03:04:05Z")
    *digits, fraction, own = found.groups()
    if own and zone is not None:
        raise _Unfit("it says a zone of its own; iso8601 reads it")
    if not own and zone is None:
        raise _Unfit('it says no zone; naive_utc or {"zone": ...} would say which is meant')
    year, month, day, hour, minute, second = (int(each or 0) for each in digits)
    local = _time(_day(year, month, day), hour, minute, second)
    return _Moment(local, _offset(own) if own else zone, fraction)


def _naive_utc(value: Any) -> _Moment:
    return _iso_moment(value, timedelta(0))


# Counts since 1970.

_COUNT: Final = re.compile(r"-?\d{1,18}(?:\.\d{1,12})?", re.ASCII)
_DOTNET: Final = re.compile(r"/Date\((-?\d{1,18})([+-]\d{4})?\)/", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - in UTC, as every `local` is beside its offset


def _epoch_s(value: Any) -> _Moment:
    count = _count(value)
    has_fraction = "." in value if isinstance(value, str) else count % 1 != 0
    return _since_epoch(count * 1000, shows_milliseconds=has_fraction)


def _epoch_ms(value: Any) -> _Moment:
    return _since_epoch(_count(value), shows_milliseconds=True)


def _dotnet(value: Any) -> _Moment:
    """The offset behind the count says where it was written; the count is from UTC in any case."""
    found = _DOTNET.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise _Unfit("expected a time such as /Date(1518685950940+0000)/")
    return _since_epoch(Decimal(found[1]), shows_milliseconds=True)


def _count(value: Any) -> Decimal:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    text = repr(value) if number else value
    if not isinstance(text, str) or not _COUNT.fullmatch(text):
        raise _Unfit("expected a number, or a text of digits")
    return Decimal(text)


def _since_epoch(count: Decimal, *, shows_milliseconds: bool) -> _Moment:
    milliseconds = int(count.to_integral_value(ROUND_FLOOR))
    try:
        local = _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        raise _Unfit("it is beyond the years 1 to 9999; is it of another unit?") from None
    return _Moment(local, timedelta(0), f"{milliseconds % 1000:03}" if shows_milliseconds else None)


_FORMS: Final = {
    "iso8601": _iso,
    "epoch_s": _epoch_s,
    "epoch_ms": _epoch_ms,
    "naive_utc": _naive_utc,
    "dotnet": _dotnet,
}


# A pattern of the config's own. No locale, no two-digit year: what would have to be guessed is not there.

_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_DIRECTIVES: Final = {
    "Y": r"(?P<Y>\d{4})",
    "m": r"(?P<m>\d\d?)",
    "b": r"(?P<b>[A-Za-z]{3,9})",
    "d": r"(?P<d>\d\d?)",
    "H": r"(?P<H>\d\d?)",
    "I": r"(?P<I>\d\d?)",
    "M": r"(?P<M>\d\d)",
    "S": r"(?P<S>\d\d)",
    "f": r"(?P<f>\d{1,12})",
    "p": r"(?P<p>[AaPp]\.?[Mm]\.?)",
    "z": r"(?P<z>Z|[+-]\d\d:?\d\d)",
}
_BESIDE_DIGITS: Final = re.compile(
    r"\\d\\d\?\)(?=\(\?P<[YmdHIMSf])"
)  # 2026112 could be two days: one digit will not do


def _by_words(value: Any, form: Mapping[str, Any]) -> _Moment:
    if not form.keys() <= {"format", "zone"} or not form:
        raise InstantWrong("a form that is an object has the members format and zone, and no others")
    zone = _zone(form["zone"]) if "zone" in form else None
    if "format" not in form:
        return _iso_moment(value, zone)
    if not isinstance(form["format"], str):
        raise InstantWrong("a format is a text")
    pattern, directives = _compiled(form["format"])
    found = pattern.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise _Unfit("it is not written as the format says")
    said = found.groupdict()
    month = _month(said["b"]) if "b" in directives else int(said["m"])
    day = _day(int(said["Y"]), month, int(said["d"]))
    if not directives & {"H", "I"}:
        return _Moment(day, None)
    if ("z" in directives) == (zone is not None):
        raise InstantWrong("a format with a time has a zone: either %z in it or the member zone beside it")
    hour = _hour(int(said["I"]), said["p"]) if "I" in directives else int(said["H"])
    local = _time(day, hour, int(said.get("M") or 0), int(said.get("S") or 0))
    return _Moment(local, _offset(said["z"]) if "z" in directives else zone, said.get("f"))


@lru_cache(maxsize=256)
def _compiled(text: str) -> tuple[re.Pattern[str], frozenset[str]]:
    pieces: list[str] = []
    letters: list[str] = []
    for literal, letter in re.findall(r"([^%]+)|%(.?)", text):
        if literal:
            pieces.append(re.escape(literal))
        elif letter not in _DIRECTIVES or letter in letters:
            raise InstantWrong(f"%{letter} may not stand there; a format has, once each, %{' %'.join(_DIRECTIVES)}")
        else:
            pieces.append(_DIRECTIVES[letter])
            letters.append(letter)
    found = frozenset(letters)
    pattern = _BESIDE_DIGITS.sub(r"\\d\\d)", "".join(pieces))
    month = found & {"m", "b"}
    if not {"Y", "d"} <= found or len(month) != 1 or ("I" in found) != ("p" in found) or {"H", "I"} <= found:
        raise InstantWrong("a format has %Y, one of %m and %b, %d, and for the hour either %H or %I with %p")
    return re.compile(pattern, re.ASCII), found


def _month(name: str) -> int:
    """By its English name, whole or of three letters."""
    months = [number for number, month in enumerate(_MONTHS, 1) if name.lower() in {month, month[:3]}]
    if not months:
        raise _Unfit("its month has no English name")
    return months[0]


def _hour(hour: int, half: str) -> int:
    if not 1 <= hour <= 12:
        raise _Unfit("its hour is not one of twelve")
    return hour % 12 + (12 if half[0] in "Pp" else 0)


# What they share.


def _zone(said: Any) -> timedelta:
    if said == "UTC":
        return timedelta(0)
    if isinstance(said, str) and re.fullmatch(r"[+-]\d\d:\d\d", said, re.ASCII):
        return _offset(said)
    raise InstantWrong('a zone is "UTC" or an offset such as "+01:00"; named zones have hours that come twice')


def _offset(text: str) -> timedelta:
    if text in {"Z", "z"}:
        return timedelta(0)
    hours, minutes = int(text[1:3]), int(text[3:].removeprefix(":") or 0)
    if hours > 23 or minutes > 59:
        raise InstantWrong("an offset has at most 23 hours and 59 minutes")
    return timedelta(hours=hours, minutes=minutes) * (-1 if text[0] == "-" else 1)


def _day(year: int, month: int, day: int) -> datetime:
    try:
        return datetime(year, month, day)  # noqa: DTZ001 - local time: the offset is kept beside it
    except ValueError:
        raise _Unfit("there is no such day") from None


def _time(day: datetime, hour: int, minute: int, second: int) -> datetime:
    try:
        return day.replace(hour=hour, minute=minute, second=second)
    except ValueError:
        raise _Unfit("there is no such time of day") from None
