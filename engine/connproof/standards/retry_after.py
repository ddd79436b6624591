"""Retry-After into seconds (RFC 9110, section 10.2.3): a delay, or a date held against the response's own Date.

A provider's clock may be wrong, and both of its headers are wrong by the same: their difference is right.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from connproof.model import Response
from connproof.standards.http_date import parse_http_date, sent_at

__all__ = ["RetryAfter", "parse_retry_after", "read_retry_after", "seconds_until"]

_DELAY: Final = re.compile("[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """`seconds` to wait, 0 for now, None where the header is absent or says nothing valid; never capped."""

    seconds: int | None
    notes: tuple[str, ...] = ()


def read_retry_after(response: Response, *, now: datetime) -> RetryAfter:
    """What the header says, whatever the status: whether to wait at all is the caller's to know.

    Two lines are as wrong as two values in one. `now` (aware) stands in for a Date header that is not there.
    """
    text = response.header("retry-after")
    said = None if text is None else parse_retry_after(text, now=now)
    if said is None:
        return RetryAfter(None, () if text is None else ("malformed: retry-after",))
    if isinstance(said, int):
        return RetryAfter(said)
    here = sent_at(response, now=now)
    if here is None:
        return RetryAfter(seconds_until(said, now), ("no_date: held against our own clock",))
    return RetryAfter(seconds_until(said, here))


def parse_retry_after(text: str, *, now: datetime) -> int | datetime | None:
    """A delay in seconds or the time until which to wait; None for what is neither."""
    text = text.strip(" \t")
    return int(text) if _DELAY.fullmatch(text) else parse_http_date(text, now=now)


def seconds_until(then: datetime, here: datetime) -> int:
    """Whole seconds from one time to the other, rounded up; 0 for the past."""
    return max(0, -((here - then) // timedelta(seconds=1)))
