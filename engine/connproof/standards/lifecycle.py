"""Deprecation (RFC 9745) and Sunset (RFC 8594) into what a provider has announced about an operation.

Both are hints: the call goes on. They say something of the response they stand on, so of one operation,
never of the whole connector. Links to documentation are text; nothing is fetched.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connproof.errors import ConnproofError
from connproof.links import parse
from connproof.model import Response
from connproof.standards.http_date import parse_http_date
from connproof.standards.structured import Token, read_item

__all__ = ["Lifecycle", "read_lifecycle"]

_FIELDS: Final = frozenset({"deprecation", "sunset"})
_RELATIONS: Final = frozenset({"deprecation", "sunset"})
_MOST_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """What is announced. `deprecated` is as of the time that was passed in.

    `deprecated_at` is None where no date is known, and lies ahead where the deprecation does. `raw` is the text of
    a Deprecation field that names no date of its own form. `links` are targets as written: (relation, reference).
    """

    deprecated: bool = False
    deprecated_at: datetime | None = None
    sunset_at: datetime | None = None
    raw: str = ""
    links: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    def days_left(self, now: datetime) -> int | None:
        """Whole days until the sunset, negative after it; None where there is none."""
        return None if self.sunset_at is None else (self.sunset_at - now).days


def read_lifecycle(response: Response, *, now: datetime) -> Lifecycle | None:
    """What a response announces, whatever its status; None where it has neither field. `now` is aware."""
    if not any(name in _FIELDS for name, _ in response.headers):
        return None
    deprecated, since, raw, notes = _deprecation(response.header("deprecation"), now)
    sunset, more = _sunset(response.header("sunset"), now)
    if since is not None and sunset is not None and sunset < since:
        more = (*more, "inconsistent_lifecycle")
    return Lifecycle(deprecated, since, sunset, raw, _links(response.header("link")), (*notes, *more))


def _deprecation(text: str | None, now: datetime) -> tuple[bool, datetime | None, str, tuple[str, ...]]:
    if text is None:
        return False, None, "", ()
    raw = text[:_MOST_SHOWN]
    item, note = read_item(text)
    if item is None:
        # Older servers send a date of the other kind. Garbage announces nothing.
        old = bool(note) and parse_http_date(text, now=now) is not None
        return (True, None, raw, ("old_deprecation",)) if old else (False, None, raw, ("malformed: deprecation",))
    if isinstance(item.value, datetime):
        return item.value <= now, item.value, "", ()
    if item.value is False or item.value == Token("false"):
        return False, None, raw, ("not_deprecated",)
    if item.value is True or item.value == Token("true"):
        return True, None, raw, ("old_deprecation",)
    return True, None, raw, ("wrong_type: deprecation",)


def _sunset(text: str | None, now: datetime) -> tuple[datetime | None, tuple[str, ...]]:
    if text is None:
        return None, ()
    sunset = parse_http_date(text, now=now)
    if sunset is None:
        return None, ("malformed: sunset",)
    return sunset, ("past_sunset",) if sunset < now else ()


def _links(text: str | None) -> tuple[tuple[str, str], ...]:
    try:
        links = parse(text or "")
    except ConnproofError:  # too long to be read: whoever follows links says so, here they are only told
        return ()
    return tuple((relation, link.target) for link in links for relation in sorted(link.relations & _RELATIONS))
