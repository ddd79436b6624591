"""Projects that every check passes: built once, then a copy for each test to break. And an empty folder to begin in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from beginnings import Command
from projects import DEALS, FINDER, ORDERS, Description, Project, build, take_snapshots
from shop import Done

from connproof.cli import main


def _built(description: Description, folder: Path) -> Project:
    project = build(description, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        take_snapshots(project)
    return project


@pytest.fixture(scope="session")
def whole_deals(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return _built(DEALS, tmp_path_factory.mktemp("whole-deals"))


@pytest.fixture(scope="session")
def whole_finder(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return _built(FINDER, tmp_path_factory.mktemp("whole-finder"))


@pytest.fixture(scope="session")
def whole_orders(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return _built(ORDERS, tmp_path_factory.mktemp("whole-orders"))


def _copy(project: Project, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    root = folder / project.name
    shutil.copytree(project.root, root)
    monkeypatch.chdir(root)
    return Project(root, project.name)


@pytest.fixture
def deals(whole_deals: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Deals: cursor over three pages, bearer token, version header, a unified model. The current folder is its root."""
    return _copy(whole_deals, tmp_path, monkeypatch)


@pytest.fixture
def finder(whole_finder: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A finder: cursor in a POSTed body, API key in the query, no unified model. The current folder is its root."""
    return _copy(whole_finder, tmp_path, monkeypatch)


@pytest.fixture
def orders(whole_orders: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Orders: quotas in own words, an error in a 200, a batch, two accounts. The current folder is its root."""
    return _copy(whole_orders, tmp_path, monkeypatch)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(here: Path, capfd: pytest.CaptureFixture[str]) -> Command:
    """Runs `connproof` in this process, in the empty folder; stdout, then stderr."""
    assert not [*here.iterdir()]

    def ran(*arguments: str) -> Done:
        with pytest.raises(SystemExit) as left:
            main(arguments)
        stdout, stderr = capfd.readouterr()
        assert isinstance(left.value.code, int)
        return Done(left.value.code, stdout + stderr)

    return ran
