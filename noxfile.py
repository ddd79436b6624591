#!/usr/bin/env -S python3
# /// script
# dependencies = ["nox[uv]>=2024.10"]
# ///
"""Everything that must hold before a change is merged, one session each.

    nox -l              what there is
    nox                 all but bench, fuzz, parity_clients and simulate
    nox -s tests-3.11   one of them

The Pythons are those that pyproject.toml's classifiers name.
"""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

import nox

PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)
OLDEST, NEWEST = PYTHONS[0], PYTHONS[-1]

nox.needs_version = ">=2024.10"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_external_run = True
nox.options.sessions = [
    "certify",
    "tests",
    "typing",
    "style",
    "engine_alone",
    "plugin_quiet",
    "wheel",
    "minimums",
]

IMPORT_EVERY_ENGINE_MODULE = """
import importlib, importlib.util, pkgutil
assert importlib.util.find_spec("pytest") is None, "pytest is here: this proves nothing"
import connproof
names = [module.name for module in pkgutil.walk_packages(connproof.__path__, "connproof.")]
assert names, "no module found"
for name in names:
    importlib.import_module(name)
print(f"{len(names)} engine modules import without pytest")
"""

FOREIGN_SUITE = """
def test_of_somebody_else(tmp_path):
    assert tmp_path.is_dir()
"""

SAY_WHERE_FROM = """
import connproof, pytest_connproof
for package in (connproof, pytest_connproof):
    assert "site-packages" in package.__file__, f"{package.__name__} is the checkout's: {package.__file__}"
"""


def group(name: str) -> tuple[str, ...]:
    """What pyproject.toml's dependency group `name` asks for."""
    return nox.project.dependency_groups(PYPROJECT, name)


@nox.session
def certify(session: nox.Session) -> None:
    """Certify the connectors of this repository: `nox -s certify -- [CONNECTOR] [OPTIONS]`."""
    session.install("-e", ".[pytest]")
    session.run("python", "-m", "connproof", "certify", *session.posargs)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The suite passes against the checkout."""
    session.install("-e", ".[dev]")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session(python=PYTHONS)
def typing(session: nox.Session) -> None:
    """Mypy, strict, finds nothing in the packages, the tests and this file."""
    session.install("-e", ".[dev]", *group("typing"))
    session.run("mypy", *session.posargs)


@nox.session
def style(session: nox.Session) -> None:
    """Ruff finds nothing to mend and nothing to format."""
    session.install(*group("style"))
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", "--check")


@nox.session(python=OLDEST)
def engine_alone(session: nox.Session) -> None:
    """Installed without an extra, the engine imports, and there is no pytest."""
    session.install(".")
    session.run("python", "-c", IMPORT_EVERY_ENGINE_MODULE)


@nox.session(python=NEWEST)
def plugin_quiet(session: nox.Session) -> None:
    """Beside the engine and a bare pytest, somebody else's suite starts and passes."""
    session.install(".", "pytest")
    # Outside the checkout, or pytest would take this repository's configuration.
    with tempfile.TemporaryDirectory() as folder, session.chdir(folder):
        Path("test_foreign.py").write_text(FOREIGN_SUITE, encoding="utf-8")
        session.run("python", "-m", "pytest", "-q", "-W", "error")
        session.run("python", "-m", "pytest", "-q", "-W", "error", "-p", "no:connproof")


@nox.session(python=NEWEST)
def wheel(session: nox.Session) -> None:
    """The built wheel holds exactly the two packages, and the suite passes against it."""
    session.install("build")
    # Not nox's own temporary folder: it lies in the project, and what pytest makes in it would be the project's.
    with tempfile.TemporaryDirectory() as built:
        session.run("python", "-m", "build", "--wheel", "--outdir", built, silent=True)
        (path,) = Path(built).glob("*.whl")
        names = {name.split("/")[0] for name in zipfile.ZipFile(path).namelist()}
        expected = {"connproof", "pytest_connproof", f"connproof-{PYPROJECT['project']['version']}.dist-info"}
        if names != expected:
            session.error(f"{path.name} has {sorted(names)} at its top, expected {sorted(expected)}")
        session.install(f"{path}[dev]")
    session.run("python", "-c", SAY_WHERE_FROM)
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session(python=OLDEST)
def minimums(session: nox.Session) -> None:
    """The suite passes with the oldest versions that pyproject.toml allows."""
    session.install("uv>=0.5")  # Only uv can choose the oldest, whichever backend made the environment.
    python = str(Path(session.bin) / "python")
    session.run("uv", "pip", "install", f"--python={python}", "--resolution=lowest-direct", "-e", ".[dev]")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure against the floors and the peers: `nox -s bench -- [OPTIONS]`."""
    session.install("-e", ".[dev]")
    session.run("python", "tests/bench/run.py", *session.posargs)


@nox.session(python=OLDEST)
def parity_clients(session: nox.Session) -> None:
    """Compare others' API clients with the engine on the same traffic: `nox -s parity_clients -- [CLIENT ...]`."""
    session.install("-e", ".[pytest]", *group("clients"))
    session.run("python", "tests/parity_clients/parity_clients.py", *session.posargs)


@nox.session
def simulate(session: nox.Session) -> None:
    """Keep tokens in a bad world, beside designs that lose them: `nox -s simulate -- [OPTIONS]`."""
    session.install("-e", ".[dev]")
    session.run("python", "tests/bench/simulate.py", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Give the parsers a million inputs that nobody meant for them: `nox -s fuzz -- [OPTIONS]`."""
    session.install("-e", ".[dev]")
    session.run("python", "tests/fuzz/fuzzer.py", *session.posargs)


if __name__ == "__main__":
    nox.main()
