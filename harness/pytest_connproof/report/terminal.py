"""The table that ends a run: one row a connector, and what each falls short of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pytest_connproof.verdict import Verdict, Word

__all__ = ["Row", "fitted", "table"]

# ANSI: bold, and the colour.
_COLOURS: Final[dict[Word, str]] = {
    "certified": "\x1b[1;32m",
    "refuted": "\x1b[1;31m",
    "inconclusive": "\x1b[1;33m",
    "error": "\x1b[1;35m",
}
_PLAIN: Final = "\x1b[0m"
_HEADINGS: Final = (
    "connector",
    "verdict",
    "checks",
    "exchanges",
    "records",
    "fields",
    "evidence",
    "baseline",
    "valid until",
)
_NUMBERS: Final = frozenset({"checks", "exchanges", "records", "fields"})
_GAP: Final = "   "
_MOST_REASONS: Final = 6
_LEAST_ROOM: Final = 20


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


def table(rows: Sequence[Row], *, colour: bool) -> str:
    """The table as text, with ANSI colours where wanted."""
    cells = [_cells(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(_HEADINGS, *cells, strict=True)]
    lines = [_line(_HEADINGS, widths), "\u2500" * (sum(widths) + len(_GAP) * (len(widths) - 1))]
    for row, texts in zip(rows, cells, strict=True):
        line, word = _line(texts, widths), row.verdict.word
        at = widths[0] + len(_GAP)
        lines.append(f"{line[:at]}{_COLOURS[word]}{word}{_PLAIN}{line[at + len(word) :]}" if colour else line)
    for row in rows:
        reasons = row.verdict.reasons
        lines += [f"{row.name}  {reason}" for reason in reasons[:_MOST_REASONS]]
        lines += [f"{row.name}  (+{len(reasons) - _MOST_REASONS} more)"] if len(reasons) > _MOST_REASONS else []
    return "\n".join(lines) + "\n"


def _cells(row: Row) -> tuple[str, ...]:
    evidence = row.verdict.evidence
    return (
        row.name,
        row.verdict.word,
        f"{row.passed}/{row.checks}",
        str(evidence.get("RPL-001", {}).get("exchanges", 0)),
        str(evidence.get("RPL-005", {}).get("records", 0)),
        str(evidence.get("PAR-001", {}).get("fields", 0)),
        row.grade,
        row.baseline,
        row.valid_until,
    )


def _line(texts: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        text.rjust(width) if heading in _NUMBERS else text.ljust(width)
        for heading, text, width in zip(_HEADINGS, texts, widths, strict=True)
    )
    return _GAP.join(padded).rstrip()


def fitted(text: str, room: int) -> str:
    """The text in so many columns, cut where it is longer; never in less than 20, which would say nothing."""
    room = max(room, _LEAST_ROOM)
    return text if len(text) <= room else f"{text[: room - 3]}..."
