"""`connproof versions`: which API version each connector targets, and when that ends."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from connproof import config
from connproof.versions import DEFAULT_HORIZON_DAYS
from pytest_connproof import recording as recordings
from pytest_connproof.commands import given, screen
from pytest_connproof.report import versions as versions_report

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Exit codes: 0 nothing is due; 1 something is past or due; 2 an input cannot be used.")
def versions(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[CONNECTOR]...", help="Connectors, or folders of them. Default: connectors."),
    ] = None,
    *,
    as_of: Annotated[str, typer.Option(metavar="DATE", help="Judge as on this day. Default: today.")] = "",
    within: Annotated[
        int, typer.Option(metavar="DAYS", min=0, help="How soon an announced end is due.")
    ] = DEFAULT_HORIZON_DAYS,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Say which API version each connector targets, and what is known of its end.

    From the configs, and from what recorded answers announce. Nothing is fetched.

    \b
    connproof versions
    connproof versions shop --within 365
    """  # noqa: D301 the character that keeps lines apart, not its name
    day = given.judged_on(as_of)
    targets = []
    for file in _configs(paths or [Path("connectors")]):
        loaded = config.load(file)
        recorded = [recordings.load(path) for path in given.recordings_in(file.parent / "recordings")]
        targets.append(versions_report.target_of(loaded, file, recorded, as_of=day, within=within))
    if as_json:
        screen.put_document(versions_report.as_document(targets, as_of=day, within=within))
    else:
        typer.echo(versions_report.as_text(targets, as_of=day, within=within), nl=False)
    raise typer.Exit(1 if versions_report.is_due(targets) else 0)


def _configs(paths: Sequence[Path]) -> list[Path]:
    """Each connector once: those in a folder of connectors, those named by a path, by a name under connectors/."""
    files: dict[Path, None] = {}
    for path in paths:
        named = path if path.exists() else Path("connectors") / path
        inside = sorted(named.glob("*/connector.json")) if not (named / "connector.json").exists() else []
        files |= dict.fromkeys(inside or [config.locate(named if named.exists() else path)])
    return list(files)
