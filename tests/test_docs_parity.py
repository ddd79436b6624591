"""The page about parity is true: each command of its story is run, and prints what the page shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from projects import DEALS, build, take_snapshots

from connproof.cli import main
from pytest_connproof.old_code import digest_of
from pytest_connproof.parity import read_deviations
from pytest_connproof.report.certificate import certificate, write
from pytest_connproof.verdict import Verdict

pytest.importorskip("tree_sitter_language_pack", reason="the extra [audit] has the grammars")

PAGE = (Path(__file__).parents[1] / "docs" / "parity.md").read_text(encoding="utf-8")
SNAPSHOT = "/snapshots/deals/deals.list.json"
DAY = "2026-11-23"


def blocks(heading: str, language: str = "") -> list[str]:
    """The blocks under a heading."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def test_the_story_of_the_page_is_as_it_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A difference is seen, accepted, seen to be waived; then what the old code is still needed for."""
    root = tmp_path / "product"
    project = build(DEALS, root)
    monkeypatch.chdir(root)
    monkeypatch.setenv("COLUMNS", "120")
    take_snapshots(project)
    project.write("/old/deals.py", "def fetch(): ...\n")
    project.write("/app/nightly.py", "import os\n\nfrom old.deals import fetch\n")
    project.write("/tests/test_old_deals.py", "from old.deals import fetch\n")
    said = {"kind": "old code", "by": "python old/deals.py", "commit": "5d0c0f2a9f5b41ce8c1f2a8e4f0b1d77c6a5e310"}
    project.change(SNAPSHOT, "/baseline", {**said, "digest": digest_of([Path("old/deals.py")])})
    project.change(SNAPSHOT, "/requests", [*project.read(SNAPSHOT)["requests"], "GET /v1/deals/101"])
    project.edit("connector.json", '"amount": "properties.amount"', '"amount": "$string(properties.amount)"')
    shown = [*blocks("Field by field"), *blocks("Accepting a difference"), *blocks("When the old code can go")]
    story = iter(shown)
    commands, printed = [], []

    for command in story:
        commands.append(command)
        if "migrated" in command:
            document = certificate(project.subject(), Verdict("certified", (), {}), [])
            write(Path("certificates"), "deals", document)
        with pytest.raises(SystemExit) as left:
            main([*shlex.split(command.replace("\\\n", " "))[1:], f"--as-of={DAY}"])
        printed += [next(story)]
        assert printed[-1] == capfd.readouterr().out
        assert left.value.code in {0, 1}

    assert ["parity", "parity", "parity", "migrated"] == [command.split()[1] for command in commands]


def test_the_waivers_of_the_page_can_be_used() -> None:
    """As they stand."""
    (example,) = blocks("Deviations", "json")

    assert ["type", "requests"] == [one.kind for one in read_deviations(example.encode(), "docs/parity.md")]
