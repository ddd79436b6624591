"""The repository is anybody's: it names no machine that it was written on and no registry it was fed from.

A path of somebody's machine breaks the next clone; an index URL sends every user's install there.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# In every file, recorded traffic included.
NOWHERE = re.compile(
    r"""
      (?<![\w./-]) / (?: work | root | home/\w+ | tmp ) /      # a path that only one machine has
    | \b (?: files\.pythonhosted | pypi | registry\.npmjs | proxy\.golang ) \.org \b
    | --? (?: extra- )? index-url | --find-links | \b (?: PIP | UV ) _ \w* (?: INDEX | FIND_LINKS )
    """,
    re.VERBOSE | re.IGNORECASE,
)

# In what we write ourselves. A recording may hold a ticket's number or a person's title.
NOT_IN_OUR_WORDS = re.compile(
    r"""
      \b (?: issue | ticket ) s? \s* [#]? \d
    | \b (?: fixes | closes | refs ) \s+ [#] \d
    | \b (?: claude | anthropic | chatgpt | openai | llms? | co-authored-by ) \b
    | \b (?: language \s model | system \s prompt | coding \s agent | this \s workplace ) s? \b
    | \b BRIEF\.md \b
    """,
    re.VERBOSE | re.IGNORECASE,
)
OUR_WORDS = {"", ".cfg", ".css", ".html", ".md", ".py", ".sh", ".toml", ".yaml", ".yml"}


def _tracked() -> list[str]:
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        return []
    # This file alone holds the words it looks for.
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    own = Path(__file__).relative_to(ROOT).as_posix()
    return [name for name in listed.split("\0") if name not in {"", own} and (ROOT / name).is_file()]


TRACKED = _tracked()


def _found(pattern: re.Pattern[str], name: str) -> list[str]:
    lines = (ROOT / name).read_text(encoding="utf-8", errors="replace").splitlines()
    return [f"{name}:{number}: {hit[0]}" for number, line in enumerate(lines, 1) for hit in pattern.finditer(line)]


@pytest.mark.parametrize("name", TRACKED)
def test_file_is_anybodys(name: str) -> None:
    """No path of one machine, no package index."""
    assert [] == _found(NOWHERE, name)


@pytest.mark.parametrize("name", [name for name in TRACKED if Path(name).suffix in OUR_WORDS])
def test_words_are_about_the_product(name: str) -> None:
    """A reader needs no tracker and no knowledge of who wrote this how."""
    assert [] == _found(NOT_IN_OUR_WORDS, name)


@pytest.mark.parametrize(
    "line",
    ["open('/tmp/x.json')", "see /root/notes", "--index-url https://x", "PIP_EXTRA_INDEX_URL=x", "https://pypi.org/p"],
)
def test_a_machine_is_seen(line: str) -> None:
    """The test that finds nothing has something to find."""
    assert NOWHERE.search(line)


@pytest.mark.parametrize("line", ["/me/drive/root/children", "me/work/email", "tmp_path / 'root'", "/workspaces/1"])
def test_a_providers_path_is_no_machine(line: str) -> None:
    """A URL's path may have such names inside."""
    assert not NOWHERE.search(line)


@pytest.mark.parametrize("line", ["see issue 12", "issue #12", "fixes #3"])
def test_a_tracker_is_seen(line: str) -> None:
    """A number that only a tracker can explain is found."""
    assert NOT_IN_OUR_WORDS.search(line)
