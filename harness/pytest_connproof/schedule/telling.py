"""A failing schedule as a table in HTTP words: a column for each worker, and one for what the provider did.

No secret is shown: requests by method and path, tokens by the names that the scenario gave them.
"""

from __future__ import annotations

from connproof.errors import printable
from pytest_connproof.schedule.playing import Failure, Performance, spelled

__all__ = ["headline", "table"]

_GAP = "  "


def headline(failure: Failure, executions: int) -> str:
    """How it was found: "after 10 schedules; smallest: 2 reorderings"."""
    count = failure.reorderings
    return f"after {executions} schedules; smallest: {count} reordering{'' if count == 1 else 's'}"


def table(failure: Failure | Performance) -> str:
    """What happened, numbered; then what is broken, and the schedule with which it happens again."""
    workers = list(dict.fromkeys(sorted(line.worker for line in failure.lines)))
    rows = [["#", *(f"worker {worker}" for worker in workers), "provider"]]
    for number, line in enumerate(failure.lines, 1):
        cells = [printable(line.words) if line.worker == worker else "" for worker in workers]
        rows.append([str(number), *cells, printable(line.provider)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    numbered = [
        _GAP + _GAP.join([row[0].rjust(widths[0]), *map(str.ljust, row[1:], widths[1:])]).rstrip() for row in rows
    ]
    ends = [f"  broken   {printable(sentence)}" for sentence in failure.broken]
    return "\n".join([*numbered, *ends, f"  replay   {spelled(failure.schedule)}"])
