"""A failing schedule as a table in HTTP words: a column for each worker, and one for what the provider did.

No secret is shown: requests by method and path, tokens by the names that the scenario gave them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from connproof.errors import printable
from pytest_connproof.schedule.playing import Failure, Performance, spelled
from pytest_connproof.schedule.world import WAKES, Line

__all__ = ["headline", "table"]

_GAP = "  "
_REMEMBERED: Final = 4
_FIRST_ROWS: Final = 60
_LAST_ROWS: Final = 20  # of what is longer: where something comes to no end, they are all alike


def headline(failure: Failure, executions: int) -> str:
    """How it was found: "after 10 schedules; smallest: 2 reorderings"."""
    count = failure.reorderings
    return f"after {executions} schedules; smallest: {count} reordering{'' if count == 1 else 's'}"


def table(failure: Failure | Performance) -> str:
    """What happened, numbered; then what is broken, and the schedule with which it happens again.

    A worker that does over and over what it has just done (a heartbeat, a look at the store) is told once, and of a
    long table the middle is left out: numbers are missing then. The seconds stand there where time passes.
    """
    workers = list(dict.fromkeys(sorted(line.worker for line in failure.lines)))
    rows = [["#", "s", *(f"worker {worker}" for worker in workers), "provider"]]
    told = list(_new(failure.lines))
    if len(told) > _FIRST_ROWS + _LAST_ROWS:
        told = [*told[:_FIRST_ROWS], *told[-_LAST_ROWS:]]
    for number, line in told:
        cells = [printable(line.words) if line.worker == worker else "" for worker in workers]
        rows.append([str(number), f"{line.at:.1f}".removesuffix(".0"), *cells, printable(line.provider)])
    if not any(line.at for line in failure.lines):
        rows = [[row[0], *row[2:]] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    drawn = [_GAP + _GAP.join([row[0].rjust(widths[0]), *map(str.ljust, row[1:], widths[1:])]).rstrip() for row in rows]
    ends = [f"  broken   {printable(sentence)}" for sentence in failure.broken]
    return "\n".join([*drawn, *ends, f"  replay   {spelled(failure.schedule)}"])


def _new(lines: Sequence[Line]) -> Iterator[tuple[int, Line]]:
    """The lines that tell something new of their worker, with their numbers."""
    lately: dict[str, dict[str, float]] = {}
    for number, line in enumerate(lines, 1):
        if line.words == WAKES:
            continue
        said = lately.setdefault(line.worker, {})
        again = said.get(line.words, line.at) < line.at and not line.provider
        if not again and len(said) >= _REMEMBERED:
            said.clear()
        said[line.words] = line.at
        if not again:
            yield number, line
