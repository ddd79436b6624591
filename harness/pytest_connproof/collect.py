"""Connectors x checks as pytest items, with ids that read like what they test.

    connectors/deals/connector.json::deals.list::PAR-001

An item runs one check on one target. Its outcome travels to reports, across xdist's workers too, as the
properties of the test report.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from connproof.documents import child
from connproof.errors import ConnproofError
from pytest_connproof.checks import CHECKS, Check, targets
from pytest_connproof.finding import Finding, Inconclusive
from pytest_connproof.subject import Settings, Subject
from pytest_connproof.verdict import CheckResult, Outcome

__all__ = ["MARKERS", "CheckItem", "ConnectorFile", "expected_checks", "result_of", "subject_of"]

# What `-m` takes, by family.
MARKERS: Final[Mapping[str, pytest.MarkDecorator]] = {
    "cfg": pytest.mark.config,
    "rec": pytest.mark.recording,
    "rpl": pytest.mark.replay,
    "par": pytest.mark.parity,
    "pag": pytest.mark.pagination,
    "lim": pytest.mark.limits,
    "err": pytest.mark.errors,
    "tok": pytest.mark.tokens,
    "map": pytest.mark.mapping,
    "ovr": pytest.mark.overrides,
    "drf": pytest.mark.drift,
    "ver": pytest.mark.versions,
    "ret": pytest.mark.retention,
}

_SUBJECTS = pytest.StashKey[dict[Path, Subject]]()


class ConnectorFile(pytest.File):
    """A connector.json: its checks, then one collector a target."""

    subject: Subject
    certifying: bool

    @classmethod
    def of(cls, parent: pytest.Collector, path: Path, settings: Settings, *, certifying: bool) -> ConnectorFile:
        node: ConnectorFile = cls.from_parent(parent, path=path)
        node.subject = subject_of(path, settings, parent.config)
        node.certifying = certifying
        # Both for all that stands below it. jsonata-python asks the time in a way that Python 3.12 deprecates: where
        # a project makes warnings errors, that is no fault of its mappings.
        node.add_marker("connproof")
        node.add_marker(pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning:jsonata"))
        return node

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        by_target: dict[str, list[Check]] = {}
        for check, target in _applicable(self.subject):
            by_target.setdefault(target, []).append(check)
        whole = by_target.pop("", [])
        # Parity of the connector as a whole is judged last, when its lanes have been.
        for check in whole:
            if check.family != "par":
                yield CheckItem.of(self, self, check, "")
        for target, checks in by_target.items():
            yield Target.of(self, target, checks)
        for check in whole:
            if check.family == "par":
                yield CheckItem.of(self, self, check, "")


class Target(pytest.Collector):
    """A lane, a recording or an operation of a connector."""

    file: ConnectorFile
    checks: list[Check]

    @classmethod
    def of(cls, file: ConnectorFile, name: str, checks: list[Check]) -> Target:
        node: Target = cls.from_parent(file, name=name)
        node.file = file
        node.checks = checks
        return node

    def collect(self) -> Iterator[pytest.Item]:
        for check in self.checks:
            yield CheckItem.of(self, self.file, check, self.name)


class CheckItem(pytest.Item):
    """One check on one target."""

    file: ConnectorFile
    check: Check
    target: str

    @classmethod
    def of(cls, parent: pytest.Collector, file: ConnectorFile, check: Check, target: str) -> CheckItem:
        node: CheckItem = cls.from_parent(parent, name=check.id)
        node.file = file
        node.check = check
        node.target = target
        node.add_marker(MARKERS[check.family])
        return node

    def setup(self) -> None:
        """The network is closed from the first check in a row to the last."""
        self.file.subject.net.open()

    def let_go(self, nextitem: pytest.Item | None) -> None:
        """Give the network back, where what comes next is not a check of the same connector."""
        if not isinstance(nextitem, CheckItem) or nextitem.file is not self.file:
            self.file.subject.net.close()

    def runtest(self) -> None:
        try:
            evidence = self.check.judge(self.file.subject, self.target)
        except Finding as finding:
            self._note("refuted", reason=finding.what)
            raise
        except Inconclusive as doubt:
            self._note("inconclusive", reason=doubt.reason)
            if self.file.certifying:
                raise
            pytest.skip(str(doubt))
        except Exception as error:
            self._note("error", reason=_first_line(error))
            raise
        self._note("passed", evidence)

    def _note(self, outcome: Outcome, evidence: Mapping[str, int] | None = None, reason: str = "") -> None:
        self.user_properties += [
            ("connproof.connector", str(self.file.path)),
            ("connproof.check", self.check.id),
            ("connproof.target", self.target),
            ("connproof.outcome", outcome),
            ("connproof.evidence", json.dumps(dict(evidence or {}))),
            ("connproof.reason", reason),
        ]

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        error = excinfo.value
        if isinstance(error, Finding):
            return _Told(self.nodeid, "REFUTED", str(error))
        if isinstance(error, Inconclusive):
            return _Told(self.nodeid, "INCONCLUSIVE", str(error))
        if isinstance(error, ConnproofError):
            return _Told(self.nodeid, "ERROR", str(error))
        if isinstance(error, OSError):
            return _Told(self.nodeid, "ERROR", f"{error.filename} cannot be read: {error.strerror}")
        # A defect of the harness: its own frames are what somebody needs now.
        frames = super().repr_failure(excinfo, style or "short")
        return _Told(self.nodeid, "ERROR", f"the harness itself failed: {type(error).__name__}", f"\n\n{frames}")

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.file.path, max(0, self._line() - 1), f"{self.target} {self.check.id}".strip()

    def _line(self) -> int:
        """The line of connector.json that the check is about, as far as it can be told."""
        try:
            connector = self.file.subject.connector
        except ConnproofError:
            return 1
        if self.target in connector.unified:
            return connector.source.line(child("/unified", self.target))
        resource, _, name = self.target.partition("#")[0].partition(".")
        return connector.source.line(f"/resources/{resource}/{name}") if name else 1


@dataclass(frozen=True, slots=True)
class _Told:
    """A failure as pytest shows it: whole under its heading, and in one line in the summary and in JUnit.

    pytest takes both from attributes of these names.
    """

    nodeid: str
    word: str
    text: str
    frames: str = ""

    @property
    def reprcrash(self) -> _Told:
        return self

    @property
    def message(self) -> str:
        return f"{self.word}   {self.text}"

    def toterminal(self, screen: Any) -> None:
        screen.line(str(self))

    def __str__(self) -> str:
        return f"{self.nodeid}  {self.message}{self.frames}"


def subject_of(path: Path, settings: Settings, config: pytest.Config) -> Subject:
    """The subject of a connector file: one a run, so that its parts are read once. xdist's controller has its own."""
    known = config.stash.setdefault(_SUBJECTS, {})
    if path not in known:
        known[path] = Subject(_shown(path, Path.cwd()), settings)
    return known[path]


def expected_checks(subject: Subject) -> tuple[tuple[str, str], ...]:
    """Every (check id, target) that applies to a connector, always in the same order."""
    return tuple((check.id, target) for check, target in _applicable(subject))


def result_of(properties: Iterable[tuple[str, object]]) -> tuple[Path, CheckResult] | None:
    """The connector file and the result that a test report carries, None for another test's report."""
    said = {name: str(value) for name, value in properties if name.startswith("connproof.")}
    if "connproof.check" not in said:
        return None
    outcome: Any = said["connproof.outcome"]
    result = CheckResult(
        said["connproof.check"],
        said["connproof.target"],
        outcome,
        json.loads(said["connproof.evidence"]),
        said["connproof.reason"],
    )
    return Path(said["connproof.connector"]), result


def _applicable(subject: Subject) -> Iterator[tuple[Check, str]]:
    """The checks of a connector and their targets.

    Of one that cannot be replayed as it stands, only those that say what cannot be read. The others would take
    the rest for the whole, and an update would throw away the snapshots of lanes that cannot be seen.
    """
    try:
        _ = subject.connector, subject.account, subject.models
    except (ConnproofError, OSError):
        yield CHECKS[0], ""
        return
    whole = len(subject.recordings) == len(subject.recording_files)
    for check in CHECKS:
        if whole or check.id in {"CFG-001", "REC-001"}:
            for target in targets(check, subject):
                yield check, target


def _first_line(error: Exception) -> str:
    return (str(error).split("\n", 1)[0] or type(error).__name__)[:300]


def _shown(path: Path, start: Path) -> Path:
    """The path as messages show it: short, if what stands beside the folder of connectors can be told from it too."""
    return path.relative_to(start) if path.parents[2].is_relative_to(start) else path
