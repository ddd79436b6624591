"""`connproof export`: a recording as other tools read it."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from connproof.errors import CallWrong
from pytest_connproof import foreign
from pytest_connproof import recording as recordings
from pytest_connproof.atomic import write_whole

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None)


@app.command()
def export(
    recording: Annotated[Path, typer.Argument(help="A connproof recording.")],
    *,
    har: Annotated[bool, typer.Option("--har", help="As HAR 1.2.")] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The file to write. Default: stdout.")] = None,
) -> None:
    """Export a recording for other tools."""
    if not har:
        raise CallWrong("export needs a format", fix="pass --har")
    loaded = recordings.load(recording)
    exchanges = [
        (exchange.request, exchange.response, loaded.provenance.recorded_at)
        for lane in loaded.lanes
        for exchange in lane.exchanges
    ]
    text = foreign.write_har(exchanges, creator_version=version("connproof"))
    if output is None:
        typer.echo(text, nl=False)
    else:
        write_whole(output, text)
        typer.echo(f"{output}  ({len(exchanges)} exchanges)", err=True)
