"""Say certified, refuted or inconclusive. The one place that may say "certified", and it demands evidence.

A connector is certified only if every check that applies was run, each passed with something counted, and
the counts that matter most are not zero. Whatever is missing makes it inconclusive, with the reason; one
finding makes it refuted; an input or a harness that cannot work makes it an error, which is no verdict.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

__all__ = ["EXIT_CODES", "CheckResult", "Outcome", "Verdict", "Word", "exit_code", "judge"]

Outcome: TypeAlias = Literal["passed", "refuted", "inconclusive", "error"]
Word: TypeAlias = Literal["certified", "refuted", "inconclusive", "error"]

EXIT_CODES: Final[Mapping[Word, int]] = MappingProxyType({"certified": 0, "refuted": 1, "error": 2, "inconclusive": 3})

# What a certificate rests on: (check, what it counts). Each sum must be more than nothing.
_DEMANDED: Final = (
    ("REC-001", "exchanges", "no exchange is recorded"),
    ("RPL-001", "exchanges", "no exchange was replayed"),
    ("RPL-005", "records", "no record was read"),
    ("PAR-001", "fields", "no field was compared"),
)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What came of one check on one target. `reason` is the first line of what it said."""

    check: str
    target: str
    outcome: Outcome
    evidence: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The word, every reason against "certified", and the evidence: check id to its summed counts."""

    word: Word
    reasons: tuple[str, ...]
    evidence: Mapping[str, Mapping[str, int]]


def judge(results: Sequence[CheckResult], expected: Collection[tuple[str, str]]) -> Verdict:
    """The verdict on one connector.

    `expected` are the (check, target) pairs that apply to it: a run that left some out proves nothing
    about them.
    """
    errors = [_said(result) for result in results if result.outcome == "error"]
    findings = [_said(result) for result in results if result.outcome == "refuted"]
    doubts = [_said(result) for result in results if result.outcome == "inconclusive"]
    doubts += [
        f"{_where(result)}: passed without counting anything"
        for result in results
        if result.outcome == "passed" and not any(count > 0 for count in result.evidence.values())
    ]
    evidence = _summed(results)
    run = {(result.check, result.target) for result in results}
    if left_out := [pair for pair in expected if pair not in run]:
        doubts.append(f"{len(left_out)} of {len(expected)} checks were not run")
    elif not errors:  # what an error left uncounted is no further reason
        doubts += [why for check, what, why in _DEMANDED if evidence.get(check, {}).get(what, 0) <= 0]
    if errors:
        return Verdict("error", (*errors, *findings, *doubts), evidence)
    if findings:
        return Verdict("refuted", (*findings, *doubts), evidence)
    if doubts:
        return Verdict("inconclusive", tuple(doubts), evidence)
    return Verdict("certified", (), evidence)


def exit_code(words: Collection[Word]) -> int:
    """One exit code for a run: an error outranks a finding, a finding outranks a doubt. No connector at all: 2."""
    for word in ("error", "refuted", "inconclusive"):
        if word in words:
            return EXIT_CODES[word]
    return EXIT_CODES["certified"] if words else EXIT_CODES["error"]


def _summed(results: Sequence[CheckResult]) -> Mapping[str, Mapping[str, int]]:
    sums: dict[str, dict[str, int]] = {}
    for result in sorted(results, key=lambda result: (result.check, result.target)):
        if result.outcome == "passed":
            of_check = sums.setdefault(result.check, {})
            for what, count in result.evidence.items():
                of_check[what] = of_check.get(what, 0) + count
    return sums


def _where(result: CheckResult) -> str:
    return f"{result.target}::{result.check}" if result.target else result.check


def _said(result: CheckResult) -> str:
    return f"{_where(result)}: {result.reason}"
