"""What all commands of the harness have in common: their help, and that they are named where they cannot be had."""

from __future__ import annotations

import subprocess
import sys

import pytest
from shop import Command


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("certify", ["connproof certify shop", "0 certified; 1 refuted; 2 ", "3 inconclusive"]),
        (
            "import",
            ["VCR, vcrpy or betamax, or HAR 1.2", "--connector CONNECTOR", "--lane LANE", "--force", "redacted"],
        ),
        ("export", ["--har", "--output", "Default: stdout"]),
    ],
)
def test_help(typed: Command, name: str, words: list[str]) -> None:
    """What it does, what it takes and how it ends."""
    done = typed(name, "--help")

    assert 0 == done.code
    for word in words:
        assert word in " ".join(done.text.split())


@pytest.mark.parametrize("name", ["certify", "drift", "versions", "baseline", "parity", "migrated"])
def test_examples_of_help_have_a_line_each(typed: Command, name: str) -> None:
    """So that they can be copied."""
    lines = typed(name, "--help").text.splitlines()

    examples = [line for line in lines if f"connproof {name}" in line and not line.startswith("Usage")]
    assert 2 <= len(examples)
    assert all(line.startswith(f"  connproof {name}") and 1 == line.count("connproof ") for line in examples)


HELP_WITHOUT_THE_HARNESS = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "pytest_connproof":
            raise ModuleNotFoundError(f"no {name}", name=name)
        return None

sys.meta_path.insert(0, Refuse())
from connproof.cli import main
main(sys.argv[1:])
"""


def without_the_harness(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs `connproof` where nothing of the harness can be imported."""
    code = [sys.executable, "-c", HELP_WITHOUT_THE_HARNESS]
    return subprocess.run([*code, *arguments], capture_output=True, encoding="utf-8", check=False)


def commands_in(text: str) -> set[str]:
    """The names in a help's list of commands."""
    return {line.split()[0] for line in text.partition("Commands:\n")[2].splitlines() if line[2:3].strip()}


def test_every_command_is_listed_where_the_harness_is_missing(typed: Command) -> None:
    """So that nobody takes it for misspelt."""
    assert commands_in(typed("--help").text) == commands_in(without_the_harness("--help").stdout)


def test_a_command_of_a_missing_harness_says_what_to_install() -> None:
    """Whatever it is given."""
    done = without_the_harness("new", "shop", "--base-url", "https://api.shop.example")

    assert 2 == done.returncode
    assert (
        "this command needs pytest_connproof, which is not installed\n  fix  pip install 'connproof[pytest]'\n"
    ) == done.stderr
