"""`connproof certify`: pytest over connectors, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Final

import typer

from connproof.errors import CallWrong
from pytest_connproof.commands.given import no_connector
from pytest_connproof.extra import HOW_TO_INSTALL, missing

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None)

_CANNOT_WORK: Final = 2
_VERDICTS: Final = frozenset({0, 1, 3})


@app.command(
    context_settings={"ignore_unknown_options": True},
    epilog="Exit codes: 0 certified; 1 refuted; 2 an input or the harness cannot work, or the run was interrupted; "
    "3 inconclusive.",
)
def certify(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CONNECTOR",
            help="Connectors, by folder, name or check id (default: all in connectors/); then any options of pytest.",
        ),
    ] = None,
) -> None:
    """Certify connectors and write their certificates: `pytest connectors --certify`, in short.

    \b
    connproof certify
    connproof certify shop --as-of 2026-11-23
    connproof certify shop bank -n 2 --certificates out
    """  # noqa: D301 the character that keeps lines apart, not its name
    if absent := missing():
        raise CallWrong(f"certifying needs {', '.join(absent)}", fix=HOW_TO_INSTALL)
    given = arguments or []
    named = list(takewhile(lambda text: not text.startswith("-"), given))
    options = given[len(named) :]
    paths = [_path_of(text) for text in named]
    if not paths and not any(_holds_connectors(Path(text.partition("::")[0])) for text in options):
        paths = ["connectors"]
        if not Path("connectors").is_dir():
            raise CallWrong(
                "there is no folder named connectors here", fix="name a connector or a folder of connectors"
            )
    # A process of its own: pytest wants to be the first to import the plugin.
    command = [sys.executable, "-m", "pytest", "--certify", *paths, *options]
    with subprocess.Popen(command) as child:  # noqa: S603 the arguments are the caller's own
        while True:
            try:
                code = child.wait()
                break
            except KeyboardInterrupt:
                continue  # the child got the signal too: it ends by itself, and says how far it came
    # pytest's own code for a wrong call is 4, and a killed process has a negative one: neither is a verdict.
    raise typer.Exit(code if code in _VERDICTS else _CANNOT_WORK)


def _path_of(text: str) -> str:
    """What pytest is given for a connector: a path as it is, a name under connectors/ as its file."""
    name, colons, check = text.partition("::")
    if Path(name).exists():
        return text
    file = Path("connectors") / name / "connector.json"
    if not file.exists():
        raise no_connector(name, Path("connectors"))
    return f"{file}{colons}{check}"


def _holds_connectors(path: Path) -> bool:
    """Whether a word among the options is a connector, or a folder of them, and not an option's value."""
    if path.is_file():
        return path.name == "connector.json"
    return (path / "connector.json").exists() or any(path.glob("*/connector.json"))
