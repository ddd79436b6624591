"""`connproof drift`: recorded answers and contracts, to what differs; and contracts written anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from connproof import config
from connproof.errors import CallWrong
from connproof.model import Connector
from pytest_connproof import contracts
from pytest_connproof import recording as recordings
from pytest_connproof.atomic import write_whole
from pytest_connproof.commands import given, screen
from pytest_connproof.contracts import Answers
from pytest_connproof.report import drift as drift_report

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Exit codes: 0 the contract holds; 1 blocking drift; 2 an input cannot be used; 3 inconclusive.")
def drift(
    connector: Annotated[str, typer.Argument(metavar="CONNECTOR", help="A connector, by folder or name.")],
    *,
    against: Annotated[
        Path | None,
        typer.Option(metavar="RECORDING", help="Another recording, or a folder of them. Default: the connector's own."),
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Write the contracts anew from the connector's recordings; review them.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines: every difference, whole.")] = False,
) -> None:
    """Hold the shape of recorded answers against the connector's contract.

    What the config reads decides: a difference in what it reads blocks, any other warns or is a note.

    \b
    connproof drift shop --update
    connproof drift shop
    connproof drift shop --against newer.json
    """  # noqa: D301 the character that keeps lines apart, not its name
    folder = given.folder(connector)
    loaded = config.load(folder)
    if update and against is not None:
        raise CallWrong(
            "a contract is told from the connector's own recordings",
            fix="leave --against out; or import the recording first",
        )
    files = given.recordings_in(folder / "recordings" if against is None else against)
    answers = contracts.answers_of(loaded, [recordings.load(file) for file in files])
    if update:
        _update_contracts(loaded, folder, answers)
    drifts = contracts.drift_of(loaded, folder, answers)
    if as_json:
        screen.put_document(drift_report.as_document(loaded, drifts))
    else:
        typer.echo(drift_report.as_text(loaded, drifts), nl=False)
        if not answers:
            typer.echo(_nothing_to_compare(loaded, files, against or folder / "recordings"), err=True)
    raise typer.Exit(drift_report.EXIT_CODES[drift_report.verdict(drifts)])


def _update_contracts(loaded: Connector, folder: Path, answers: Mapping[str, Answers]) -> None:
    """Write a contract for each operation that has answers; take out those of operations that there are no more."""
    for operation, found in answers.items():
        path = contracts.contract_path(folder, operation)
        text = contracts.contract_text(operation, found.seen)
        before = path.read_text(encoding="utf-8") if path.exists() else None
        if before != text:
            write_whole(path, text)
        word = "written" if before is None else "unchanged" if before == text else "changed"
        typer.echo(f"{path}  {word}  ({found.count} answer{'s' if found.count != 1 else ''})", err=True)
    known = {operation.id for operation in loaded.operations()}
    for operation in contracts.contracted(folder):
        if operation not in known:
            contracts.contract_path(folder, operation).unlink()
            typer.echo(f"{contracts.contract_path(folder, operation)}  removed: there is no such operation", err=True)


def _nothing_to_compare(loaded: Connector, files: Sequence[Path], where: Path) -> str:
    if not files:
        return f"no recording in {where}, so nothing was compared: record or import traffic first"
    known = ", ".join(operation.id for operation in loaded.operations())
    return f"no answer in {where} is one of {loaded.name}'s operations, so nothing was compared: it has {known}"
