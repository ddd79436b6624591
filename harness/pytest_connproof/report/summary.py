"""From the results of a run to its verdicts: one a connector, with its row, its certificate, and the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_connproof.checks.rec import valid_until
from pytest_connproof.collect import expected_checks
from pytest_connproof.report import certificate
from pytest_connproof.report.terminal import Row
from pytest_connproof.subject import Subject
from pytest_connproof.verdict import CheckResult, Verdict, exit_code, judge

__all__ = ["Summary", "exit_status", "of", "row", "write"]


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run says of one connector."""

    subject: Subject
    results: tuple[CheckResult, ...]
    verdict: Verdict

    @property
    def is_verdict(self) -> bool:
        """Whether this is a verdict on the connector, and not an error that kept one from being reached."""
        return self.verdict.word != "error"


def of(subject: Subject, results: Sequence[CheckResult]) -> Summary:
    return Summary(subject, tuple(results), judge(results, expected_checks(subject)))


def row(summary: Summary) -> Row:
    subject, verdict = summary.subject, summary.verdict
    grade, baseline, until = "-", "-", "-"
    if summary.is_verdict:
        last_day = valid_until(subject)
        until = last_day.isoformat() if last_day else "-"
        grade, baseline = certificate.grade(subject), certificate.baselines(subject)
    return Row(
        name=subject.name,
        verdict=verdict,
        passed=sum(result.outcome == "passed" for result in summary.results),
        checks=len(summary.results),
        grade=grade,
        baseline=baseline,
        valid_until=until,
    )


def write(summary: Summary, folder: Path | None) -> Path:
    """Write the certificate; its folder defaults to the one beside the folder of connectors."""
    subject = summary.subject
    document = certificate.certificate(subject, summary.verdict, summary.results)
    return certificate.write(folder or subject.folder.parent.parent / "certificates", subject.name, document)


def exit_status(summaries: Sequence[Summary], session: pytest.Session) -> int:
    """The exit code of a certifying run: 0 certified, 1 refuted, 2 an input or the harness cannot work, 3 inconclusive.

    Ordinary tests that failed in the same run make it 1 at least; an interrupted run or a broken one stays 2.
    """
    status = int(session.exitstatus)
    if status in {pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR}:
        return 2
    code = exit_code({summary.verdict.word for summary in summaries})
    shown = sum(result.outcome != "passed" for summary in summaries for result in summary.results)
    return 1 if code in {0, 3} and session.testsfailed > shown else code
