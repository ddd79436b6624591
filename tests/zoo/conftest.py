"""The good connectors in which the animals are let loose: built once, then a copy for each."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from park import PARK
from projects import DEALS, ORDERS, Project, build, take_snapshots


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Project]:
    """Each good connector by its name, with its snapshots."""
    built = {}
    for description in (PARK, DEALS, ORDERS):
        project = build(description, tmp_path_factory.mktemp(f"whole-{description.name}"))
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(project.root)
            take_snapshots(project)
        built[description.name] = project
    return built


@pytest.fixture
def home(whole: dict[str, Project], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Project]:
    """A copy of a good connector, to be broken. The current folder is its root."""

    def copied(name: str) -> Project:
        root = tmp_path / name
        shutil.copytree(whole[name].root, root)
        monkeypatch.chdir(root)
        return Project(root, name)

    return copied
