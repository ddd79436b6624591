"""What came of every listing, as a person reads it: a table, then every difference by kind, then what may not be."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from comparing import Compared, Expected, Waived
from connproof.errors import printable, shortened
from connproof.places import ABSENT, Absent, JsonValue
from pytest_connproof.parity import Difference, groups

__all__ = ["failed", "told"]

_HEADS: Final = ("client", "", "lane or operation", "traffic", "requests", "records", "fields", "differences")
_SHOWN: Final = 60
_MOST_PATHS: Final = 8


def failed(every: Sequence[Compared], unmet: Sequence[str]) -> bool:
    """Whether something is not as it is said to be, or nothing was compared that could be."""
    compared = any(each.comparison is not None for each in every)
    return bool(unmet) or not compared or any(each.unexpected or each.faults for each in every)


def told(every: Sequence[Compared], unmet: Sequence[str]) -> str:
    """All of it. Requests and records are the client's / the engine's."""
    rows = [_HEADS, *(_row(each) for each in every)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADS) - 1)]
    table = ["  ".join([*map(str.ljust, row, widths), row[-1]]).rstrip() for row in rows]
    parts = [table, list(_asks(every)), list(_expected(every)), list(_wrong(every, unmet)), [_sum(every, unmet)]]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _row(each: Compared) -> tuple[str, ...]:
    listing, compared = each.listing, each.comparison
    begins = (listing.client.name, each.version, listing.source.name, each.kind)
    if each.skipped:
        return (*begins, "-", "-", "-", "skipped")
    requests = f"{each.requests[0]} / {each.requests[1]}"
    if compared is None:
        return (*begins, requests, "-", "-", "failed")
    records = f"{compared.records_old} / {compared.records_new}"
    kinds = Counter(difference.kind for difference in compared.differences)
    differences = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()) or "none"
    return (*begins, requests, records, str(compared.fields_compared), differences)


def _asks(every: Sequence[Compared]) -> Iterator[str]:
    """How clients ask, where that is not how the recorded requests did."""
    said: dict[tuple[str, str], None] = {}  # in order, each once
    for each in every:
        listing = each.listing
        if listing.spelt is not None:
            said[listing.client.name, str(listing.spelt.__doc__)] = None
        if listing.ignored:
            said[listing.client.name, f"It sends other headers, or none: {', '.join(listing.ignored)}."] = None
    if said:
        yield "how they ask, where it is not as recorded"
    yield from (f"  {client}: {words}" for client, words in said)


def _expected(every: Sequence[Compared]) -> Iterator[str]:
    met: dict[Expected, list[Waived]] = {}
    for each in every:
        for waived in each.waived:
            met.setdefault(waived.by, []).append(waived)
    if met:
        yield "differences that are expected, with the first of each (missing: the client alone has it)"
    for by, found in met.items():
        difference = found[0].difference
        paths = list(dict.fromkeys(waived.difference.pattern for waived in found))
        more = f" and {len(paths) - _MOST_PATHS} more" if len(paths) > _MOST_PATHS else ""
        yield f"  {by.client}: {by.kind}, {len(found)} at {', '.join(paths[:_MOST_PATHS])}{more}"
        yield f"    {_shown(difference)}"
        yield f"    {by.reason}"


def _wrong(every: Sequence[Compared], unmet: Sequence[str]) -> Iterator[str]:
    for each in every:
        if each.skipped:
            yield f"skipped     {each.listing.name}: {each.skipped}"
        if each.faults:
            yield f"FAULT       {each.listing.name}"
            yield from (f"            {printable(fault)}" for fault in each.faults)
        for group in groups(each.comparison, each.unexpected) if each.comparison else ():
            where = group.pattern or "(record)"
            yield f"UNEXPECTED  {each.listing.name}: {group.kind}, {group.count} at {where}"
            yield f"            {_shown(group.examples[0])}"
    for words in unmet:
        yield f"UNUSED      {words}: expected, and not met any more; take it out of expected.py"


def _sum(every: Sequence[Compared], unmet: Sequence[str]) -> str:
    done = [each for each in every if each.comparison is not None]
    clients = len({each.listing.client.name for each in done})
    records = sum(each.comparison.records_new for each in done if each.comparison)
    fields = sum(each.comparison.fields_compared for each in done if each.comparison)
    found = sum(len(each.waived) + len(each.unexpected) for each in done)
    unexpected = sum(len(each.unexpected) for each in done)
    text = f"{clients} client{'' if clients == 1 else 's'}, {len(done)} of {len(every)} listings: {records:,} records, "
    text += f"{fields:,} fields compared; {found:,} differences, {unexpected or 'none'} unexpected"
    return f"{text}: FAILED" if failed(every, unmet) else text


def _shown(difference: Difference) -> str:
    where = f"{difference.key} {difference.path}".strip()
    return f"{printable(where)}   client {_value(difference.old)}   engine {_value(difference.new)}"


def _value(value: JsonValue | Absent) -> str:
    return "nothing" if value is ABSENT else shortened(printable(json.dumps(value, ensure_ascii=False)), _SHOWN)
