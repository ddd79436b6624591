"""Connectors of this repository are certified, with what stands in it and nothing else; the command takes all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from shop import Project

ROOT = Path(__file__).parents[2]
NAMES = ("github", "workday-rest")  # without and with tokens that are refreshed


@pytest.mark.skipif(not (ROOT / "connectors").is_dir(), reason="the connectors are not beside the tests")
def test_connectors_of_this_repository_are_certified(tmp_path: Path) -> None:
    """Twice with the same bytes, as on the day of the newest recording; no file of theirs changes."""
    before = _stamps()
    options = ["--certify", f"--as-of={_newest_day()}", "-pno:cacheprovider"]
    runs = []

    for number in "12":
        folders = [f"connectors/{name}" for name in NAMES]
        done = Project(ROOT).run("pytest", *folders, *options, f"--certificates={tmp_path / number}")
        assert 0 == done.code, done.text
        runs.append({path.name: path.read_bytes() for path in (tmp_path / number).iterdir()})

    first, second = runs
    certificates = {name: json.loads(content) for name, content in first.items()}
    assert [f"{name}.json" for name in NAMES] == sorted(certificates)
    assert {"certified"} == {certificate["verdict"] for certificate in certificates.values()}
    assert first == second
    assert before == _stamps()


def _newest_day() -> str:
    """The test must not age with the recordings: how old they may be, each certifying run says for itself."""
    said = [json.loads(file.read_bytes())["provenance"] for file in ROOT.glob("connectors/*/recordings/*.json")]
    return max(str(provenance.get("recorded_at") or provenance["written_at"])[:10] for provenance in said)


def _stamps() -> dict[Path, int]:
    folders = (ROOT / "connectors", ROOT / "snapshots")
    return {path: path.stat().st_mtime_ns for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()}
