"""Guard one read against loops and endless listings: it knows everything that the read asked and got."""

from __future__ import annotations

import hashlib
import json

from connproof.errors import LimitExceeded, PaginationLoop, printable
from connproof.model import Operation, Page, Pagination, Position, Request
from connproof.places import ABSENT, Absent, JsonValue
from connproof.transport import shown_url

__all__ = ["Guard", "within"]


class Guard:
    """Refuses what would be asked or was got a second time. It keeps a digest a page, and no record."""

    def __init__(self, paging: Pagination, operation: Operation) -> None:
        self._paging = paging
        self._operation = operation
        self._requests: dict[bytes, int] = {}
        self._pages: dict[bytes, int] = {}
        self._empty = 0  # pages without a record, one after the other

    def bound(self, position: Position) -> None:
        """Refuse a page too many, and one more after so many without a record: that is no progress."""
        within(self._paging, position.pages + 1, position.records)
        if self._empty >= self._paging.max_empty_pages:
            raise PaginationLoop(
                f"{self._empty} pages in a row have no record, and each says that there is more",
                facts={"position": _shown(position)},
                fix='check "stop_field" and where the next position is read from; raise "max_empty_pages" if the '
                "provider's filters leave such gaps",
            )

    def request(self, request: Request, position: Position) -> None:
        """Refuse a request that was made before, not only the last one: A, B, A is a loop too."""
        mark = hashlib.blake2b(
            b"\0".join(
                (request.method.encode(), request.url.encode(), request.body or b"", repr(request.headers).encode())
            ),
            digest_size=16,
        ).digest()
        first = self._requests.setdefault(mark, position.pages + 1)
        if first != position.pages + 1 and not self._paging.allow_repeats:
            raise PaginationLoop(
                f"page {position.pages + 1} would ask again what page {first} asked",
                facts={"position": _shown(position)},
                fix='if the provider repeats a handle on purpose, set "allow_repeats": true; else correct where the '
                "next position is read from",
            )

    def page(self, page: Page, position: Position) -> None:
        """Refuse a page beyond max_records, or whose records came before: the provider ignored the position."""
        within(self._paging, position.pages + 1, position.records + len(page.records))
        self._empty = 0 if page.records else self._empty + 1
        if not page.records or self._paging.allow_repeats or self._paging.type == "none":
            return
        first = page.records[0]
        key = self._operation.key.find(first) if self._operation.key else ABSENT
        # Without a declared key only a page that is the same from first record to last is called a repetition.
        same: JsonValue = [first, page.records[-1], len(page.records)] if isinstance(key, Absent) else key
        mark = hashlib.blake2b(json.dumps(same, sort_keys=True).encode(), digest_size=16).digest()
        before = self._pages.setdefault(mark, position.pages + 1)
        if before != position.pages + 1:
            raise PaginationLoop(
                f"page {position.pages + 1} starts with the record that page {before} started with",
                facts={"position": _shown(position)},
                fix="the provider seems to ignore the position parameter: check its name and where it is sent",
            )


def within(paging: Pagination, pages: int, records: int) -> None:
    """Hold the counts of a read against its declared bounds. Raises LimitExceeded."""
    if pages > paging.max_pages:
        raise LimitExceeded(f"more than {paging.max_pages} pages", fix='raise "max_pages" if the listing is that long')
    if paging.max_records is not None and records > paging.max_records:
        raise LimitExceeded(
            f"more than {paging.max_records} records", fix='raise "max_records" if the listing is that long'
        )


def _shown(position: Position) -> str:
    if isinstance(position.value, Absent):
        return "the first request"
    text = (
        shown_url(position.value)
        if isinstance(position.value, str) and "://" in position.value
        else str(position.value)
    )
    return printable(text[:120])
