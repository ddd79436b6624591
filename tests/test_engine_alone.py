"""The engine is a library for production: it imports where nothing for testing is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

IMPORT_ALL = """
import importlib, pkgutil, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"pytest", "_pytest", "pytest_connproof", "hypothesis", "respx", "syrupy", "yaml"}:
            raise ModuleNotFoundError(f"{name} is for testing; the engine may not need it", name=name)
        return None

sys.meta_path.insert(0, Refuse())
import connproof
for module in pkgutil.walk_packages(connproof.__path__, "connproof."):
    importlib.import_module(module.name)
    print(module.name)
"""


def test_every_engine_module_imports_without_the_extra() -> None:
    """No engine module imports pytest, hypothesis, respx, syrupy or yaml, directly or through a library."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORT_ALL],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT / "tests",
    )

    assert "" == done.stderr
    assert 0 == done.returncode
    assert _modules() == set(done.stdout.split())


def _modules() -> set[str]:
    """What the folder holds: a package without an __init__.py would escape walk_packages."""
    source = ROOT / "engine"
    names = (path.relative_to(source).with_suffix("").parts for path in (source / "connproof").rglob("*.py"))
    return {".".join(parts).removesuffix(".__init__") for parts in names} - {"connproof"}
