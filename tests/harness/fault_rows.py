"""Names of tests into rows of the fault table of token refreshes, and what became of those rows in a run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

__all__ = ["ROWS", "rows_of", "told"]

ROWS: Final = tuple(f"F{number:02}" for number in range(1, 53))
_NAMED: Final = re.compile(r"(?:^|::|def )test_((?:F[0-9]{2}_)+)", re.MULTILINE)


def rows_of(text: str) -> set[str]:
    """The rows that stand at the beginning of the tests' names: test_F15_F16_... is of two."""
    return {row for names in _NAMED.findall(text) for row in names.split("_") if row}


def told(outcomes: Mapping[str, Iterable[str]]) -> str:
    """Whether the rows hold that were run; "" where none was. `outcomes` has the ids of tests by what pytest says."""
    passed, failed, error, skipped = (
        {row for name in outcomes.get(outcome, ()) for row in rows_of(name)}
        for outcome in ("passed", "failed", "error", "skipped")
    )
    run, broken = passed | failed | error, failed | error
    if not (run or skipped):
        return ""
    said = [f"{len(run)} of {len(ROWS)} rows were run", f"broken: {_listed(broken)}" if broken else "all hold"]
    if skipped:
        said.append(f"some tests were skipped of {_listed(skipped)}")
    return "; ".join(said)


def _listed(rows: Iterable[str]) -> str:
    return ", ".join(sorted(rows))
