"""What a provider's texts say of quotas and waits, as exact numbers: by the unit alone, and by nothing of the engine.

Callers are told whole numbers, rounded to the provider's side; what they are told is held against these, which are
never rounded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from connproof.model import Response

__all__ = ["exact", "group", "member", "pairs", "sent_at"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PARTS: Final[Mapping[str, Fraction]] = MappingProxyType(
    {
        "h": Fraction(3600),
        "m": Fraction(60),
        "s": Fraction(1),
        "ms": Fraction(1, 1_000),
        "us": Fraction(1, 1_000_000),
        "\N{MICRO SIGN}s": Fraction(1, 1_000_000),
        "ns": Fraction(1, 1_000_000_000),
    }
)
_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|us|\N{MICRO SIGN}s|ns|h|m|s)", re.ASCII)


def exact(text: str, unit: str, now: datetime) -> Fraction:
    """A text of a unit as a number; of a time in seconds, of a moment from now on.

    Raises ValueError and OverflowError for a text that is not of its unit.
    """
    match unit:
        case "count" | "delta_s":
            return _plain(text)
        case "delta_ms":
            return _plain(text) / 1_000
        case "structured":
            return _plain(text.partition(";")[0].strip(), whole=True)
        case "epoch_s":
            return _plain(text) - _epoch(now)
        case "epoch_ms":
            return _plain(text) / 1_000 - _epoch(now)
        case "iso8601":
            return _epoch(_moment(text)) - _epoch(now)
        case "duration":
            if "".join(number + part for number, part in _DURATION.findall(text)) != text:
                raise ValueError(text)
            return sum((Fraction(number) * _PARTS[part] for number, part in _DURATION.findall(text)), Fraction())
        case "http_date":
            return _epoch(_date(text)) - _epoch(now)
        case _:  # retry_after: seconds, or a date
            return (
                _plain(text, whole=True) if text.isascii() and text.isdecimal() else _epoch(_date(text)) - _epoch(now)
            )


def _plain(text: str, *, whole: bool = False) -> Fraction:
    if not re.fullmatch(r"[0-9]+" if whole else r"[0-9]+(\.[0-9]+)?", text):
        raise ValueError(text)
    return Fraction(text)


def _date(text: str) -> datetime:
    """Raises ValueError, OverflowError."""
    moment = parsedate_to_datetime(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment


def _epoch(moment: datetime) -> Fraction:
    return Fraction((moment - _EPOCH) // timedelta(microseconds=1), 1_000_000)


def sent_at(response: Response) -> datetime | None:
    """The answer's own Date; None where it has none that can be read."""
    try:
        return _date(response.header("date") or "")
    except (ValueError, OverflowError):
        return None


def member(text: str, name: str) -> str:
    """A member's value in a list of NAME=VALUE, "" where it has none of that name."""
    members = (part.partition("=") for part in re.split("[;,]", text))
    return next((value.strip(' \t"') for other, _, value in members if other.strip().lower() == name.lower()), "")


_ITEM: Final = re.compile(r'"((?:[^"\\]|\\.)*)"((?:\s*;\s*[a-z*][a-z0-9_.*-]*(?:=[^;,]*)?)*)')


def pairs(text: str) -> dict[str, dict[str, int]]:
    """The whole numbers of each item of a RateLimit list, by their parameters' names."""
    return {
        name: {
            key.strip(): int(value)
            for key, _, value in (part.partition("=") for part in parameters.split(";"))
            if value.strip().isdecimal()
        }
        for name, parameters in _ITEM.findall(text)
    }


def group(pattern: str, text: str) -> str:
    """The part of a text that a pattern finds, "" where it finds none."""
    import re2  # few connectors declare a pattern; they are in its syntax

    found = re2.search(pattern, text)
    return (found.group(1) or "") if found else ""
