"""Projects that every check passes: built once, then a copy for each test to break. And an empty folder to begin in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from projects import DEALS, FINDER, ORDERS, Description, Project, build, take_snapshots
from shop import Command, Done
from shop import Project as ShopProject

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
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ShopProject:
    """The shop: one connector, which is certified as it stands. The current folder is its root."""
    project = ShopProject(tmp_path)
    project.connector()
    monkeypatch.chdir(tmp_path)
    return project


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """Runs `connproof` in this process, as at a terminal of 100 columns; stdout, then stderr."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
        monkeypatch.delenv(name, raising=False)

    def ran(*arguments: str) -> Done:
        with pytest.raises(SystemExit) as left:
            main(arguments)
        stdout, stderr = capfd.readouterr()
        assert isinstance(left.value.code, int)
        return Done(left.value.code, stdout + stderr)

    return ran


@pytest.fixture
def command(here: Path, typed: Command) -> Command:
    """Runs `connproof` in the empty folder."""
    assert not [*here.iterdir()]
    return typed
