"""The tutorial is true: its files and its commands, in an empty folder and in their order, print what the page shows.

Days, durations and the number of checks are not held: they change with the calendar and with the product.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from shop import environment

PAGE: Final = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text(encoding="utf-8")
INSTALLS: Final = "python -m pip install"

_BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAMED: Final = re.compile(r"`([\w./-]+)`[^`\n]*:\n\n\Z")
_COMMAND: Final = re.compile(r"^\$ ((?:.*\\\n)*.*)\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Command:
    """A line after a prompt, and what the page shows below it."""

    line: str
    shows: str


@dataclass(frozen=True, slots=True)
class File:
    """A file to be written; or, where `is_change`, lines of it to be changed."""

    path: str
    text: str
    is_change: bool


def steps() -> Iterator[Command | File]:
    """What a reader does, from top to bottom. The installation is not for a test: it runs where that was done."""
    for block in _BLOCK.finditer(PAGE):
        language, text = block.groups()
        if language != "console":
            named = _NAMED.search(PAGE[: block.start()])
            path = named[1] if named else "connectors/shop/connector.json"
            yield File(path, text, is_change=language == "diff")
            continue
        parts = _COMMAND.split(text)
        assert parts[0] == "", f"output before the first command: {parts[0]}"
        for line, shows in zip(parts[1::2], parts[2::2], strict=True):
            if not line.startswith(INSTALLS):
                yield Command(line, shows)


STEPS: Final = tuple(steps())


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What each command printed, in order, when the page was followed: by its line, as a command may come again."""
    folder = tmp_path_factory.mktemp("tutorial")
    printed: dict[str, list[str]] = {}
    for step in STEPS:
        if isinstance(step, Command):
            printed.setdefault(step.line, []).append(run(step.line, folder))
        else:
            put(folder / step.path, step)
    return printed


def run(line: str, folder: Path) -> str:
    """A command line as a reader types it; the `connproof` and `python` are those that run this test."""
    done = subprocess.run(
        ["sh", "-c", line],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
        cwd=folder,
        env={**environment(), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
    )
    return done.stdout


def put(path: Path, step: File) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = step.text
    if step.is_change:
        lines = text.splitlines(keepends=True)
        old, new = ("".join(line[1:] for line in lines if line[0] in kept) for kept in (" -", " +"))
        before = path.read_text(encoding="utf-8")
        assert 1 == before.count(old), f"{old!r} stands {before.count(old)} times in {path}"
        text = before.replace(old, new)
    path.write_text(text, encoding="utf-8")


def held(text: str) -> list[str]:
    """The lines of an output without what is not held, and however its columns are filled."""
    text = re.sub(r"\b\d{4}-\d\d-\d\d\b(?!T)", "DAY", text)
    text = re.sub(r"\b\d+/\d+\b", "N/N", re.sub(r"\b\d+\.\d+s\b", "SECONDS", text))
    return [re.sub(r"─+|(?<=\S)\s+", " ", line).rstrip() for line in text.splitlines()]


def shown(pattern: str) -> re.Pattern[str]:
    """What the page shows as a pattern: `...` on a line of its own stands for any lines."""
    parts = ["(?:.*\n)*?" if line == "..." else f"{re.escape(line)}\n" for line in held(pattern)]
    return re.compile("".join(parts))


COMMANDS: Final = [step for step in STEPS if isinstance(step, Command)]


@pytest.mark.parametrize(
    ("command", "turn"),
    [(one, sum(other.line == one.line for other in COMMANDS[:at])) for at, one in enumerate(COMMANDS)],
    ids=lambda value: value.line.split(" -")[0] if isinstance(value, Command) else str(value),
)
def test_a_command_prints_what_the_page_shows(followed: dict[str, list[str]], command: Command, turn: int) -> None:
    """Line by line."""
    printed = followed[command.line][turn]

    assert shown(command.shows).fullmatch("".join(f"{line}\n" for line in held(printed))), printed


def test_every_command_of_the_way_is_there() -> None:
    """From the first word of a config to leave to delete what it replaces."""
    words = [command.line.split()[1] for command in COMMANDS]

    way = ["new", "check", "import", "read", "baseline", "parity", "parity", "parity", "drift", "certify", "migrated"]
    assert way == words


def test_what_certify_says_is_certified() -> None:
    """Of evidence that says itself that it was made up."""
    (certify,) = [command for command in COMMANDS if " certify " in command.line]

    assert re.search(r"^shop +certified +\S+ +2 +3 +15 +synthetic +old code ", certify.shows, re.MULTILINE)
