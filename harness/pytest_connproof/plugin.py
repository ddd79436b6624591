"""pytest hooks and options. Imports nothing but the standard library and pytest at its top.

The entry point exists wherever connproof is installed, with or without its extra: a foreign test suite must
start, and start fast. So each hook does nothing until a connector is collected or an option asks.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

if TYPE_CHECKING:
    from pytest_connproof.report.terminal import Row
    from pytest_connproof.subject import Settings
    from pytest_connproof.verdict import CheckResult


# What `-m` takes, in the order of the families in checks.
_MARKERS = (
    "config",
    "recording",
    "replay",
    "parity",
    "pagination",
    "limits",
    "errors",
    "tokens",
    "mapping",
    "overrides",
    "drift",
    "versions",
    "retention",
)
_UNCHECKED = pytest.StashKey[list[Path]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Called once, at start-up."""
    group = parser.getgroup("connproof", "certifying connectors")
    group.addoption("--certify", action="store_true", help="write certificates; what is inconclusive fails")
    group.addoption(
        "--certificates", metavar="DIR", help="where certificates are written (default: beside connectors/)"
    )
    group.addoption("--as-of", metavar="DATE", help="judge evidence and waivers as on this day (default: today)")
    group.addoption("--max-age-days", metavar="N", type=int, default=365, help="how old a recording may be (365)")
    group.addoption(
        "--horizon-days", metavar="N", type=int, default=180, help="how soon an announced end of a version is due (180)"
    )
    group.addoption("--schedule", metavar="CHOICES", help="play this one schedule (0,1,1) in every token check")
    group.addoption("--campaign", choices=["nightly"], help="nightly: many more drawn schedules and cases")
    group.addoption(
        "--provider-rotation",
        metavar="none|strict|SECONDS",
        help="what the simulated provider does with a used refresh token, whatever the config declares",
    )
    group.addoption("--provider-case", metavar="CASE", help="play this one case (records=7 size=3) of every listing")
    group.addoption("--provider-seed", metavar="N", type=int, default=0, help="draw other cases of listings (0)")
    parser.addini("connproof_connectors", "the name of the folders that hold connectors", default="connectors")


def pytest_configure(config: pytest.Config) -> None:
    """Called once, before collection."""
    config.addinivalue_line("markers", "connproof: a check of a connector")
    for word in _MARKERS:
        config.addinivalue_line("markers", f"{word}: connproof's {word} checks")
    if not hasattr(config, "workerinput"):  # on xdist's workers, the controller reports
        config.pluginmanager.register(_Reports(config), "connproof-reports")
    if config.getoption("as_of") is not None:
        _as_of(config)
    _provider_rotation(config)
    _provider_case(config)
    config.stash[_UNCHECKED] = []
    if config.getoption("certify"):
        _require_extra()
    settings = _settings(config) if config.getoption("certify") else None
    if settings and (settings.update_snapshots or settings.update_new_only):
        raise pytest.UsageError(
            "--certify judges by the snapshots: run --snapshot-update first, and review what it took"
        )
    if settings and settings.schedule is not None:
        raise pytest.UsageError("--certify searches all schedules: play one with --schedule alone")
    if settings and settings.provider_rotation is not None:
        raise pytest.UsageError("--certify goes by what the config declares: try --provider-rotation alone")
    if settings and (settings.provider_case is not None or settings.provider_seed):
        raise pytest.UsageError(
            "--certify plays the same cases each time: try --provider-case or --provider-seed alone"
        )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Called for every file: a connector.json in a folder of connectors is collected, or one named outright."""
    if file_path.name != "connector.json":
        return None
    if file_path.parent.parent.name != parent.config.getini("connproof_connectors") and not parent.session.isinitpath(
        file_path
    ):
        return None
    from pytest_connproof.extra import missing

    if missing():  # whoever has no extra may have other things called so; the summary says it
        parent.config.stash[_UNCHECKED].append(file_path)
        return None
    from pytest_connproof.collect import ConnectorFile

    certifying = bool(parent.config.getoption("certify"))
    return ConnectorFile.of(parent, file_path, _settings(parent.config), certifying=certifying)


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Called after every test: the last check in a row gives the network back."""
    if item.get_closest_marker("connproof") is not None:
        from pytest_connproof.collect import CheckItem

        if isinstance(item, CheckItem):
            item.let_go(nextitem)


class _Reports:
    """Gathers what the checks said; at the end of the run, tells it."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._results: dict[Path, dict[tuple[str, str], CheckResult]] = {}
        self._rows: list[Row] = []
        self._notes: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called for every phase of every test; on xdist's controller, for those of all workers."""
        if report.when != "call" or not report.user_properties:
            return
        from pytest_connproof.collect import result_of

        found = result_of(report.user_properties)
        if found is not None:
            path, result = found
            said = self._results.setdefault(path, {})
            pair = (result.check, result.target)
            # Of a check that was run twice, a pass does not cover up the other.
            if pair not in said or result.outcome != "passed":
                said[pair] = result

    # As near to the end as can be, yet before the summary: syrupy's hook changes the exit code too.
    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> Generator[None, object, object]:
        """Called when all tests have run."""
        others = yield
        certifying = bool(self._config.getoption("certify"))
        if self._config.getoption("collectonly") or not (self._results or certifying):
            return others
        from pytest_connproof.collect import subject_of
        from pytest_connproof.report import summary

        settings = _settings(self._config)
        told = [
            summary.of(subject_of(path, settings, self._config), [*said.values()], certifying=certifying)
            for path, said in sorted(self._results.items())
        ]
        self._rows = [one.row for one in told]
        if certifying:
            session.exitstatus = summary.exit_status(told, session, int(exitstatus))
            if not told:
                self._notes.append("no check of a connector was run, so nothing is certified")
            elif exitstatus in {pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR}:
                self._notes.append("the run was interrupted, so no certificate is written")
            else:
                folder = self._config.getoption("certificates")
                written, faults = summary.write(told, Path(folder) if folder else None)
                self._notes += [f"certificates: {_folders_of(written)}"] if written else []
                self._notes += faults
                subjects = [subject_of(path, settings, self._config) for path in sorted(self._results)]
                if unwatched := [subject.name for subject in subjects if not subject.contracts]:
                    self._notes.append(
                        f"drift is not watched, for want of a contract: {', '.join(unwatched)}; "
                        f"connproof drift {unwatched[0]} --update writes one"
                    )
                session.exitstatus = 2 if faults else session.exitstatus
        return others

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Called after the failures were shown."""
        if unchecked := self._config.stash[_UNCHECKED]:
            from pytest_connproof.extra import HOW_TO_INSTALL

            self._notes.append(f"not checked: {', '.join(path.parent.name for path in unchecked)}; {HOW_TO_INSTALL}")
        if not (self._rows or self._notes):
            return
        from pytest_connproof.report.terminal import table

        terminalreporter.section("connproof")
        if self._rows:
            terminalreporter.write(table(self._rows, colour=terminalreporter.hasmarkup))
        for note in self._notes:
            terminalreporter.write_line(note)


def _require_extra() -> None:
    from pytest_connproof.extra import HOW_TO_INSTALL, missing

    if absent := missing():
        raise pytest.UsageError(f"--certify needs {', '.join(absent)}: {HOW_TO_INSTALL}")


def _settings(config: pytest.Config) -> Settings:
    from pytest_connproof.subject import Settings

    return Settings(
        as_of=_as_of(config),
        max_age_days=config.getoption("max_age_days"),
        horizon_days=config.getoption("horizon_days"),
        update_snapshots=bool(config.getoption("update_snapshots", default=False)),
        update_new_only=bool(config.getoption("update_new_snapshots_only", default=False)),
        schedule=config.getoption("schedule"),
        campaign=config.getoption("campaign") is not None,
        provider_rotation=_provider_rotation(config),
        provider_case=_provider_case(config),
        provider_seed=config.getoption("provider_seed"),
    )


def _as_of(config: pytest.Config) -> date:
    said = config.getoption("as_of")
    if said is None:
        return datetime.now().astimezone().date()
    try:
        return date.fromisoformat(said)
    except ValueError:
        raise pytest.UsageError(f"--as-of {said}: not a date; write it as 2026-11-23") from None


def _provider_rotation(config: pytest.Config) -> Literal["none", "strict"] | int | None:
    said = config.getoption("provider_rotation")
    if said is None or said in {"none", "strict"}:
        return said  # type: ignore[no-any-return]  # pytest does not say what an option is
    if not (said.isascii() and said.isdigit() and int(said) > 0):
        raise pytest.UsageError(f"--provider-rotation {said}: write none, strict, or the seconds of grace")
    return int(said)


def _provider_case(config: pytest.Config) -> str | None:
    said: str | None = config.getoption("provider_case")
    if said is not None:
        from connproof.errors import CallWrong
        from pytest_connproof.provider.habits import Case

        try:
            Case.parse(said)
        except CallWrong as wrong:
            raise pytest.UsageError(f"--provider-case: {wrong}") from None
    return said


def _folders_of(written: list[Path]) -> str:
    folders = sorted({str(path.parent) for path in written})
    return f"{', '.join(folders)} ({len(written)} written)"
