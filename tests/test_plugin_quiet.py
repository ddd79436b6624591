"""The plugin's entry point is there in every environment that has the engine, extra or no extra.

So somebody else's test suite must start, pass and say nothing of us.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# Other distributions' plugins import what is refused here, so they are switched off by name.
RUN_PYTEST = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"hypothesis", "respx", "syrupy", "yaml", "connproof"}:
            raise ModuleNotFoundError(f"{name} is not imported before a connector is tested", name=name)
        return None

sys.meta_path.insert(0, Refuse())
import pytest
others = ["-pno:respx", "-pno:syrupy", "-pno:hypothesispytest", "-pno:xdist", "-pno:anyio"]
sys.exit(pytest.main([*others, "-pno:cacheprovider", "-Werror", "-q", *sys.argv[1:]]))
"""

SUITE = """
import pytest

@pytest.fixture
def order():
    return {{"lines": [1, 2]}}

@pytest.mark.parametrize("line", [0, 1])
def test_lines(order, line):
    assert order["lines"][line]

def test_plugin_is(pytestconfig):
    assert pytestconfig.pluginmanager.hasplugin("connproof") is {active}
"""


@pytest.mark.parametrize(
    ("options", "active"), [([], True), (["-pno:connproof"], False)], ids=["active", "switched off"]
)
def test_foreign_suite_passes(tmp_path: Path, options: list[str], active: bool) -> None:
    """An unrelated suite passes, without a warning, where only pytest is installed beside the engine."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (tmp_path / "test_orders.py").write_text(SUITE.format(active=active), encoding="utf-8")
    # A file of the same name that is none of ours.
    (tmp_path / "connector.json").write_text('{"tasks.max": "1"}', encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-c", RUN_PYTEST, *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        # As started by hand: nothing of the run that runs this test.
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
    )

    assert "" == done.stderr
    assert 0 == done.returncode, done.stdout
    assert done.stdout.splitlines()[-1].startswith("3 passed in ")
    assert "connproof" not in done.stdout


WITHOUT_EXTRA = """
import importlib.util
import sys

found = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name in {"respx", "syrupy"} else found(name, package)
import pytest
sys.exit(pytest.main(["-pno:respx", "-pno:syrupy", "-pno:cacheprovider", "-q", *sys.argv[1:]]))
"""


def without_extra(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Runs pytest in a project with a connector, and one test beside it, where the extra is not installed."""
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (folder / "test_other.py").write_text("def test_other(): pass\n", encoding="utf-8")
    (folder / "connectors" / "shop").mkdir(parents=True)
    (folder / "connectors" / "shop" / "connector.json").write_text("{}", encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRA, *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
    )


def test_connector_without_the_extra_is_left_alone(tmp_path: Path) -> None:
    """The suite passes as without us, and says what to install for more."""
    done = without_extra(tmp_path)

    assert "not checked: shop; pip install 'connproof[pytest]'" in done.stdout.splitlines()
    assert 0 == done.returncode


def test_certifying_without_the_extra_is_refused(tmp_path: Path) -> None:
    """Who wants a certificate reads what to install instead of a traceback."""
    done = without_extra(tmp_path, "--certify", "connectors")

    assert "ERROR: --certify needs respx, syrupy: pip install 'connproof[pytest]'" in done.stderr.splitlines()
    assert pytest.ExitCode.USAGE_ERROR == done.returncode
