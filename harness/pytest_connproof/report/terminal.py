"""The table that ends a run: one row a connector, and what each falls short of."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pytest_connproof.verdict import Verdict, Word

__all__ = ["Row", "table"]

_COLOURS: Final[dict[Word, str]] = {
    "certified": "bold green",
    "refuted": "bold red",
    "inconclusive": "bold yellow",
    "error": "bold magenta",
}
_MOST_REASONS: Final = 6


@dataclass(frozen=True, slots=True)
class Row:
    """A connector's line: its verdict, and what the verdict rests on."""

    name: str
    verdict: Verdict
    passed: int
    checks: int
    grade: str = "-"
    baseline: str = "-"
    valid_until: str = "-"


def table(rows: Sequence[Row], *, width: int, colour: bool) -> str:
    """The table as text, with ANSI colours where wanted."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    shown.add_column("connector", no_wrap=True)
    shown.add_column("verdict", no_wrap=True)
    for heading in ("checks", "exchanges", "records", "fields"):
        shown.add_column(heading, justify="right", no_wrap=True)
    shown.add_column("evidence", no_wrap=True)
    shown.add_column("baseline", no_wrap=True)
    shown.add_column("valid until", no_wrap=True)
    for row in rows:
        evidence = row.verdict.evidence
        shown.add_row(
            row.name,
            f"[{_COLOURS[row.verdict.word]}]{row.verdict.word}[/]",
            f"{row.passed}/{row.checks}",
            str(evidence.get("RPL-001", {}).get("exchanges", 0)),
            str(evidence.get("RPL-005", {}).get("records", 0)),
            str(evidence.get("PAR-001", {}).get("fields", 0)),
            row.grade,
            row.baseline,
            row.valid_until,
        )
    text = io.StringIO()
    console = Console(file=text, width=max(width, 120), force_terminal=colour, no_color=not colour, highlight=False)
    console.print(shown)
    for row in rows:
        for reason in row.verdict.reasons[:_MOST_REASONS]:
            console.print(f"{row.name}  {reason}", markup=False, soft_wrap=True)
        if len(row.verdict.reasons) > _MOST_REASONS:
            console.print(f"{row.name}  (+{len(row.verdict.reasons) - _MOST_REASONS} more)", markup=False)
    return text.getvalue()
