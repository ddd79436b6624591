"""What a check reports: evidence in numbers, a finding, or that it cannot tell.

A finding says that the connector falls short. It is an AssertionError, so that any runner shows it as a
failed test; an error of the harness is never one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from connproof.errors import printable, shortened

__all__ = ["Evidence", "Finding", "Inconclusive", "counted", "rows"]

Evidence: TypeAlias = Mapping[str, int]
"""What was counted: exchanges, fields, requests ... A pass without any count is no pass."""


class Finding(AssertionError):
    """The connector falls short: what is wrong, then the block of facts that shows it."""

    def __init__(self, what: str, facts: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.facts = facts

    def __str__(self) -> str:
        return f"{self.what}\n\n{self.facts}".rstrip()


class Inconclusive(Exception):
    """The check could not tell: evidence is missing, stale or was not exercised. Never green."""

    def __init__(self, reason: str, fix: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.reason}\n  fix  {self.fix}" if self.fix else self.reason


def counted(number: int, noun: str) -> str:
    """How many there are of what: "1 record", "2 records"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def rows(facts: Mapping[str, str | Sequence[str]]) -> str:
    """Facts as an aligned block: a label, then one line or several."""
    width = max((len(label) for label in facts), default=0)
    lines = []
    for label, said in facts.items():
        first, *rest = [said] if isinstance(said, str) else [*said] or ["none"]
        lines.append(f"  {label:<{width}}   {shortened(printable(first))}")
        lines += [f"  {'':<{width}}   {shortened(printable(more))}" for more in rest]
    return "\n".join(lines)
