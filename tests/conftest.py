"""For every test: the same examples each time, no CI around it, and at the end what tests recorded to be seen."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

# A run in the background ignores Ctrl-C, and so would the processes that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples in every run; `--hypothesis-profile=explore` looks for new ones.
settings.register_profile("explore", deadline=None)
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Called by pytest after the last test: what a test recorded as the property `summary`, under the test's name.

    Seen without -s, and under xdist too.
    """
    for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        for text in (str(value) for name, value in report.user_properties if name == "summary"):
            terminalreporter.section(report.nodeid.rpartition("::")[2].replace("_", " ").removeprefix("test "))
            terminalreporter.write_line(text)

    from fault_rows import told

    outcomes = ("passed", "failed", "error", "skipped")
    if said := told({one: [report.nodeid for report in terminalreporter.getreports(one)] for one in outcomes}):
        terminalreporter.section("fault table of token refreshes")
        terminalreporter.write_line(said)

    from zoo_rows import told as told_of_animals

    loose = {
        outcome: [
            str(value)
            for report in terminalreporter.getreports(outcome)
            for name, value in report.user_properties
            if name == "animal"
        ]
        for outcome in ("passed", "failed")
    }
    if said := told_of_animals(loose):
        terminalreporter.section("zoo")
        terminalreporter.write_line(said)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server for the whole run, one for each worker of xdist; its URL."""
    from postgres import NEEDED, cluster, installation

    installed = installation()
    if installed is None:
        pytest.skip(NEEDED)
    pytest.importorskip("psycopg", reason="needs the extra postgres")
    with cluster(installed) as url:
        yield url


@pytest.fixture(autouse=True)
def outside_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an inner pytest prints depends on these: it shortens nothing where it believes that no person reads."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("BUILD_NUMBER", raising=False)
