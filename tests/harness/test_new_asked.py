"""connproof new at a terminal: what is asked, what Enter takes, what is asked again, how it ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from beginnings import AUTHS, LISTED, NAMED, PAGE, PAGINATIONS, WHOLE, Command, config, save, there
from shop import Done, environment

from connproof.cli import main
from pytest_connproof.scaffold import QUESTIONS


@pytest.fixture
def terminal(here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Command]:
    """Runs `connproof` at a terminal at which these lines are typed."""
    assert not [*here.iterdir()]
    master, slave = os.openpty()

    def ran(*arguments: str, typed: list[str]) -> Done:
        os.write(master, "".join(f"{line}\n" for line in typed).encode() + b"\x04")  # and no more
        with pytest.raises(SystemExit) as left:
            main(arguments)
        stdout, stderr = capfd.readouterr()
        assert isinstance(left.value.code, int)
        return Done(left.value.code, stderr + stdout)

    with os.fdopen(slave, encoding="utf-8") as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        yield ran
    os.close(master)


@pytest.mark.parametrize(("auth", "pagination"), [*zip(AUTHS, [*PAGINATIONS, "page"], strict=True)])
def test_questions_and_options_are_two_forms_of_one(
    command: Command, terminal: Command, here: Path, auth: str, pagination: str
) -> None:
    """The same answers, typed or given, write the same connector: options and questions are the same."""
    options = [*NAMED, "--auth", auth, *AUTHS[auth], *LISTED, "--pagination", pagination, *PAGINATIONS[pagination]]
    answers = {
        "connector": "shop",
        **{flag[2:].replace("-", "_"): text for flag, text in zip(*[iter(options[2:])] * 2, strict=True)},
    }
    answers |= {"get_path": "/deals/{id}", "get_response_path": "data"}
    asked: dict[str, str] = {}
    for question in QUESTIONS:
        if question.applies(asked):
            asked[question.name] = answers.get(question.name, "")
    assert answers.keys() <= asked.keys()

    given = command(*options, "--get-path", "/deals/{id}", "--get-response-path", "data")
    first = {path.name: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    (here / "connectors").rename(here / "given")
    typed = terminal("new", typed=[*asked.values()])

    assert (0, 0) == (given.code, typed.code), given.text + typed.text
    assert first == {path.name: path.read_bytes() for path in (here / "connectors").rglob("*") if path.is_file()}


def test_only_what_no_option_says_is_asked(terminal: Command) -> None:
    """In the order of the questions, each with its choices and with what Enter takes."""
    done = terminal(*WHOLE[:-2], typed=["", "", "link_header", "", "", "", ""])

    assert 0 == done.code, done.text
    assert done.text.startswith("Enter takes what stands in brackets. Ctrl-C ends it, and nothing is written.\n")
    assert "What stands before the credential, its space included; a space alone is nothing [Bearer ]:" in done.text
    assert "How one page leads to the next (cursor, offset, page, link_header, next_url, keyset, none):" in done.text
    assert "Base URL" not in done.text
    assert "link_header" == config()["pagination"]["type"]


def test_where_nothing_is_missing_nothing_is_asked(terminal: Command) -> None:
    """A command that was copied from a page runs as it stands."""
    done = terminal(*WHOLE, typed=[])

    assert 0 == done.code, done.text
    assert "Enter" not in done.text


def test_a_wrong_answer_is_told_and_asked_again(terminal: Command) -> None:
    """As often as it takes; so is a wrong option, as somebody is there to be asked."""
    save("connectors/taken/connector.json", "{}")

    done = terminal(
        *("new", "taken", *WHOLE[4:-2]),
        typed=["Shop", "shop", "api.shop.example", "https://api.shop.example", *[""] * 2, "curser", "none", "", ""],
    )

    assert 0 == done.code, done.text
    assert ["CONNECTOR", "CONNECTOR", "--base-url", "--pagination"] == re.findall(r"  (CONNECTOR|--\S+)  ", done.text)
    assert "connectors/taken is there already: connector.json; choose another name" in done.text
    assert 'did you mean "cursor"?' in done.text
    assert "https://api.shop.example" == config()["base_url"]


def test_a_sample_is_proposed_from_at_the_terminal(terminal: Command) -> None:
    """Enter takes it."""
    save("page.json", PAGE)
    asked = ["shop", "https://api.shop.example", "none", "deals", "/deals", "page.json", "", "", "", "", "", "", "", ""]

    done = terminal("new", typed=asked)

    assert 0 == done.code, done.text
    assert "Where the cursor of the next page stands in an answer [paging.next.after]:" in done.text
    assert {"type": "cursor", "cursor_field": "paging.next.after"} == config()["pagination"]


def test_ctrl_c_ends_it_with_nothing_written(here: Path) -> None:
    """In the middle of the questions, in a process of its own: exit code 130, as of every command."""
    master, slave = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "connproof", "new", "shop"],
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env=environment(),
    ) as child:
        os.write(master, b"https://api.shop.example\n")
        assert child.stdout is not None
        said = b""
        while b"on whose behalf" not in said:
            said += os.read(child.stdout.fileno(), 1024)
        child.send_signal(signal.SIGINT)
        rest = child.stdout.read()
    os.close(slave)
    os.close(master)

    assert 130 == child.returncode
    assert rest.endswith(b"\ninterrupted\n")
    assert b"Traceback" not in rest
    assert [] == there(here)
