"""From the results of a run to its verdicts: one a connector, with its row, its certificate, and the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from connproof.errors import ConnproofError
from connproof.places import JsonValue
from pytest_connproof.checks.rec import valid_until
from pytest_connproof.collect import expected_checks
from pytest_connproof.report import certificate
from pytest_connproof.report.terminal import Row
from pytest_connproof.subject import Subject
from pytest_connproof.verdict import CheckResult, exit_code, judge

__all__ = ["Summary", "exit_status", "of", "write"]


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run says of one connector. No certificate: the run wants none, or an error kept one from being reached."""

    subject: Subject
    row: Row
    certificate: dict[str, JsonValue] | None


def of(subject: Subject, results: Sequence[CheckResult], *, certifying: bool) -> Summary:
    """Judge a connector by its results, in whatever order they came."""
    expected = expected_checks(subject)
    place = {pair: number for number, pair in enumerate(expected)}
    ordered = sorted(results, key=lambda result: place.get((result.check, result.target), len(place)))
    verdict = judge(ordered, expected)
    row = Row(
        name=subject.name,
        verdict=verdict,
        passed=sum(result.outcome == "passed" for result in ordered),
        checks=len(ordered),
    )
    if verdict.word == "error":
        return Summary(subject, row, None)
    try:
        until = valid_until(subject)
        row = replace(
            row,
            grade=certificate.grade(subject),
            baseline=certificate.baselines(subject),
            valid_until=until.isoformat() if until else "-",
        )
        return Summary(subject, row, certificate.certificate(subject, verdict, ordered) if certifying else None)
    except (ConnproofError, OSError) as unreadable:  # something that no check of this run has read
        failed = replace(verdict, word="error", reasons=(str(unreadable), *verdict.reasons))
        return Summary(subject, replace(row, verdict=failed), None)


def write(summaries: Sequence[Summary], folder: Path | None) -> tuple[list[Path], list[str]]:
    """Write the certificates, by default beside the folders of connectors. What was written; what was not, and why."""
    by_file: dict[Path, list[Summary]] = {}
    for one in summaries:
        beside = one.subject.folder.parent.parent / "certificates"
        by_file.setdefault((folder or beside) / f"{one.subject.name}.json", []).append(one)
    written, faults = [], []
    for file, (one, *others) in by_file.items():
        if others:
            names = " and ".join(str(each.subject.folder) for each in (one, *others))
            faults.append(f"{names} have one name: {file} is not written; certify them one after the other")
        elif one.certificate is not None:
            try:
                written.append(certificate.write(file.parent, one.subject.name, one.certificate))
            except OSError as fault:
                faults.append(f"{file} could not be written: {fault.strerror}")
        elif file.exists():
            faults.append(f"{file} is of an earlier run: this one reached no verdict")
    return written, faults


def exit_status(summaries: Sequence[Summary], session: pytest.Session, ended: int) -> int:
    """The exit code of a certifying run: 0 certified, 1 refuted, 2 an input or the harness cannot work, 3 inconclusive.

    `ended` is pytest's own code. Ordinary tests that failed in the same run make it 1 at least; an
    interrupted run or a broken one stays 2.
    """
    if ended in {pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR}:
        return 2
    code = exit_code({summary.row.verdict.word for summary in summaries})
    shown = sum(summary.row.checks - summary.row.passed for summary in summaries)
    # Another plugin may fail the run by its code alone.
    others_failed = session.testsfailed > shown or int(session.exitstatus) != ended
    return 1 if code in {0, 3} and others_failed else code
