"""Connectors of this repository are certified, with what stands in it and nothing else; the command takes all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from shop import Project

from connproof.cli import main

ROOT = Path(__file__).parents[2]
# What is asked for holds the moment of reading, so that only the replay's own clock asks for what was recorded.
AT_A_MOMENT = {("workday", "workers"), ("workday", "organizations")}
LISTINGS = [
    (file.parent.name, resource)
    for file in sorted(ROOT.glob("connectors/*/connector.json"))
    for resource, operations in json.loads(file.read_bytes())["resources"].items()
    if "list" in operations and (file.parent.name, resource) not in AT_A_MOMENT
]
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


@pytest.mark.parametrize(("name", "resource"), LISTINGS, ids=[" ".join(pair) for pair in LISTINGS])
def test_a_listing_is_read_from_its_recordings(
    name: str, resource: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Without an account, a parameter or a page size: as whom and how it was recorded."""
    monkeypatch.chdir(ROOT)

    with pytest.raises(SystemExit) as left:
        main(["read", name, resource, "--replay"])

    stdout, stderr = capfd.readouterr()
    assert 0 == left.value.code, stderr
    assert [json.loads(line) for line in stdout.splitlines()]


def _newest_day() -> str:
    """The test must not age with the recordings: how old they may be, each certifying run says for itself."""
    said = [json.loads(file.read_bytes())["provenance"] for file in ROOT.glob("connectors/*/recordings/*.json")]
    return max(str(provenance.get("recorded_at") or provenance["written_at"])[:10] for provenance in said)


def _stamps() -> dict[Path, int]:
    folders = (ROOT / "connectors", ROOT / "snapshots")
    return {path: path.stat().st_mtime_ns for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()}
