"""`connproof baseline`: what the old code returns of recorded traffic, stored as what a connector is held against."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None)


@app.command(
    epilog="Exit codes: 0 stored, or returned as it is stored; 1 no baseline: the old code failed, asked for what is "
    "not recorded, or returned something else; 2 an input cannot be used."
)
def baseline(
    connector: Annotated[str, typer.Argument(metavar="CONNECTOR", help="A connector, by folder or name.")],
    resource: Annotated[
        str, typer.Argument(metavar="RESOURCE", help="A resource, whose list is meant; or a lane, such as deals.get.")
    ],
    command: Annotated[
        list[str], typer.Argument(metavar="-- COMMAND...", help="Runs the old code; prints its records as JSON.")
    ],
    *,
    env: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=TEXT",
            help="A variable of the old code. In braces: base_url, origin, what the example account has.",
        ),
    ] = None,
    code: Annotated[
        list[Path] | None,
        typer.Option(metavar="PATH", help="The old code's file or folder. Default: the files that the command names."),
    ] = None,
    also: Annotated[
        list[str] | None, typer.Option(metavar="LANE", help="A further lane whose exchanges may answer.")
    ] = None,
    ignore_header: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A recorded header that the old code sends otherwise.")
    ] = None,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", min=0.1, help="End the old code after that.")] = 300.0,
    replace_stored: Annotated[
        bool, typer.Option("--replace", help="Overwrite a snapshot that is there and differs.")
    ] = False,
) -> None:
    """Run the old code on recorded traffic, and store what it returns as the baseline.

    It finds it at CONNPROOF_BASE_URL, or at its own host through the proxy of HTTPS_PROXY. It prints a JSON list.

    \b
    connproof baseline shop deals -- python old/deals.py
    connproof baseline shop deals --env 'SHOP_TOKEN={access_token}' --code old -- node old/deals.js
    """  # noqa: D301 the character that keeps lines apart, not its name
    from pytest_connproof.baseline import NoBaseline, take  # servers, certificates: only here

    try:
        said = take(
            connector,
            resource,
            command,
            env=env or (),
            code=code or (),
            also=also or (),
            ignored=ignore_header or (),
            timeout_s=timeout,
            replace_stored=replace_stored,
        )
    except NoBaseline as refused:
        typer.echo(str(refused), err=True)
        raise typer.Exit(1) from None
    typer.echo(said)
