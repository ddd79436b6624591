"""What drifted, as a table for people and as a document for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from connproof.drift import Difference
from connproof.errors import printable, shortened
from connproof.model import Connector
from pytest_connproof.contracts import Drift
from pytest_connproof.finding import counted

__all__ = ["EXIT_CODES", "Verdict", "as_document", "as_text", "verdict"]

Verdict: TypeAlias = Literal["holds", "drifted", "inconclusive"]
EXIT_CODES: Final[dict[Verdict, int]] = {"holds": 0, "drifted": 1, "inconclusive": 3}

_HEADINGS: Final = ("severity", "kind", "path", "expected", "seen", "read by")
_ORDER: Final = ("block", "warn", "note")
_MOST_CHARACTERS: Final = 60


def verdict(drifts: Sequence[Drift]) -> Verdict:
    """Drifted by one blocking difference; inconclusive where an operation has no contract, or nothing was compared."""
    if any(difference.severity == "block" for drift in drifts for difference in drift.differences or ()):
        return "drifted"
    compared = any(drift.differences is not None for drift in drifts)
    return "holds" if compared and not any(drift.lacks_contract for drift in drifts) else "inconclusive"


def as_text(connector: Connector, drifts: Sequence[Drift]) -> str:
    """A table for each operation that drifted, a line for each that did not, then the sum."""
    lines: list[str] = []
    for drift in drifts:
        told = _of_one(connector, drift)
        lines += [*told, ""] if len(told) > 1 else told
    counts = Counter(difference.severity for drift in drifts for difference in drift.differences or ())
    sums = ", ".join(f"{counts[severity]} {severity}" for severity in _ORDER)
    compared = [drift for drift in drifts if drift.differences is not None]
    answers = sum(drift.answers for drift in compared)
    looked_at = f"{counted(len(compared), 'operation')}, {counted(answers, 'answer')}"
    lines.append(f"{connector.name}  {verdict(drifts)}: {sums}  ({looked_at} compared)")
    return "\n".join(lines) + "\n"


def _of_one(connector: Connector, drift: Drift) -> list[str]:
    if drift.lacks_contract:
        return [f"{drift.operation}  no contract: write it with --update, then review {drift.contract}"]
    if drift.differences is None:
        return [f"{drift.operation}  no answer to compare with {drift.contract}"]
    if not drift.differences:
        return [f"{drift.operation}  as in the contract: {counted(drift.answers, 'answer')}, {drift.places} places"]
    found = sorted(drift.differences, key=lambda difference: _ORDER.index(difference.severity))
    cells = [_HEADINGS, *(_cells(connector, difference) for difference in found)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    table = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return [
        f"{drift.operation}  {counted(len(found), 'difference')} in {drift.places} places from {drift.contract}",
        *table,
    ]


def _cells(connector: Connector, difference: Difference) -> tuple[str, ...]:
    pointer, *more = difference.read_by or ("",)
    read_by = f"{connector.source.name}:{connector.source.line(pointer)}" if pointer else "nothing"
    return (
        difference.severity,
        difference.kind,
        printable(difference.path),
        shortened(printable(difference.expected), _MOST_CHARACTERS),
        shortened(printable(difference.seen), _MOST_CHARACTERS),
        read_by + (f" (+{len(more)} more)" if more else ""),
    )


def as_document(connector: Connector, drifts: Sequence[Drift]) -> dict[str, Any]:
    """The same, whole: every difference with every word of the config that reads its place."""
    return {
        "connector": connector.name,
        "verdict": verdict(drifts),
        "operations": [
            {
                "operation": drift.operation,
                "contract": None if drift.lacks_contract else _shown(drift.contract),
                "answers": drift.answers,
                "places": drift.places,
                "differences": None
                if drift.differences is None
                else [_difference(connector, difference) for difference in drift.differences],
            }
            for drift in drifts
        ],
    }


def _difference(connector: Connector, difference: Difference) -> dict[str, Any]:
    return {
        "severity": difference.severity,
        "kind": difference.kind,
        "path": difference.path,
        "expected": difference.expected,
        "seen": difference.seen,
        "read_by": [{"pointer": pointer, "line": connector.source.line(pointer)} for pointer in difference.read_by],
    }


def _shown(path: Path) -> str:
    return path.as_posix()
