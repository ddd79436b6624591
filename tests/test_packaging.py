"""What is published is what was meant: all of the two packages, and nothing that merely lay around."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SOURCES = (ROOT / "engine" / "connproof", ROOT / "harness" / "pytest_connproof")

OBJECTS = [
    *PROJECT["scripts"].values(),
    *(target for entries in PROJECT["entry-points"].values() for target in entries.values()),
]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist, built in this process from a copy of what git has or would add."""
    backend = pytest.importorskip("hatchling.build", reason="hatchling builds the distribution; the extra [dev] has it")
    tree = tmp_path_factory.mktemp("tree")
    for name in _versioned():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tree / name)
    # What a build must leave out.
    (tree / "engine" / "connproof" / "__pycache__").mkdir()
    (tree / "engine" / "connproof" / "__pycache__" / "run.cpython-311.pyc").write_bytes(b"")
    (tree / ".venv").mkdir()
    (tree / ".venv" / "pyvenv.cfg").write_text("", encoding="utf-8")
    (tree / "tokens.json").write_text("{}", encoding="utf-8")
    folder = tmp_path_factory.mktemp("built")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tree)
        backend.build_wheel(str(folder))
        backend.build_sdist(str(folder))
    return folder


def _versioned() -> list[str]:
    """Every file of the checkout that git has, or would add."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("needs a git checkout, to know which files belong to the project")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return sorted(name for name in listed if name and (ROOT / name).is_file())


def _wheel(folder: Path) -> set[str]:
    (path,) = folder.glob("*.whl")
    return set(zipfile.ZipFile(path).namelist())


def _sdist(folder: Path) -> set[str]:
    (path,) = folder.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        return {member.name.split("/", 1)[1] for member in archive.getmembers() if member.isfile()}


def test_wheel_has_two_packages(built: Path) -> None:
    """site-packages receives `connproof` and `pytest_connproof`, never a name like `engine` or `tests`."""
    top = {name.split("/")[0] for name in _wheel(built)}

    assert {"connproof", "pytest_connproof", f"connproof-{PROJECT['version']}.dist-info"} == top


def test_wheel_has_every_file_of_the_packages(built: Path) -> None:
    """Schemas, templates and py.typed are installed with the code that reads them."""
    versioned = {name.split("/", 1)[1] for name in _versioned() if name.startswith(("engine/", "harness/"))}

    assert versioned == {name for name in _wheel(built) if ".dist-info/" not in name}


@pytest.mark.parametrize("package", SOURCES, ids=lambda path: path.name)
def test_package_is_typed(built: Path, package: Path) -> None:
    """A type checker reads our annotations in somebody else's project."""
    assert f"{package.name}/py.typed" in _wheel(built)


def test_sdist_has_what_the_readme_needs(built: Path) -> None:
    """Both README commands work in an unpacked sdist: nothing under connectors, snapshots or tests is left out."""
    folders = ("engine/", "harness/", "connectors/", "snapshots/", "tests/", "docs/")
    needed = {name for name in _versioned() if name.startswith(folders)} | {"noxfile.py", "pyproject.toml", "README.md"}

    assert set() == needed - _sdist(built)


def test_sdist_has_nothing_that_lay_around(built: Path) -> None:
    """A virtual environment or a stray file with tokens in the working folder is not published."""
    assert {"PKG-INFO"} == _sdist(built) - set(_versioned())


@pytest.mark.parametrize("target", OBJECTS)
def test_entry_point_leads_somewhere(target: str) -> None:
    """Every name that pyproject.toml publishes can be imported."""
    module, _, attribute = target.partition(":")

    found = importlib.import_module(module)

    assert not attribute or callable(getattr(found, attribute))


def test_dev_extra_has_the_pytest_extra() -> None:
    """The test command needs one install and no second thought."""
    assert "connproof[pytest]" in PROJECT["optional-dependencies"]["dev"]
