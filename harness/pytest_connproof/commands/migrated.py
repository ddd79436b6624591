"""`connproof migrated`: whether old code can be deleted, by certificate, parity and every place that names it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from connproof.errors import CallWrong
from pytest_connproof.commands import given, screen

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None)


@app.command(
    epilog="Exit codes: 0 it can be deleted; 1 something stands in its way; 2 an input cannot be used; 3 nothing is "
    "known to stand in its way, but something could not be judged."
)
def migrated(
    connector: Annotated[str, typer.Argument(metavar="CONNECTOR", help="A connector, by folder or name.")],
    *,
    legacy: Annotated[
        list[Path], typer.Option(metavar="PATH", help="The old code's file or folder; once for each, where several.")
    ],
    tree: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Where to look for what needs it. Default: the repository that it is in."),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="LISTING", help="What the old code never gave, such as invoices.list."),
    ] = None,
    apart: Annotated[
        list[Path] | None, typer.Option(metavar="PATH", help="A file or folder whose words mean other code.")
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The certificate. Default: certificates/CONNECTOR.json.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines, in format connproof-migrated/1.")] = False,
    as_of: Annotated[str, typer.Option(metavar="DAY", help="Judge as on this day. Default: today.")] = "",
) -> None:
    """Say whether the old code can be deleted that a connector replaces, or what still stands in its way.

    The certificate, parity with what this very code returned, and every place that imports or names it.

    \b
    connproof migrated shop --legacy old/shop.py
    connproof migrated shop --legacy old/shop --legacy old/shop_models.py --without invoices.list
    """  # noqa: D301 the character that keeps lines apart, not its name
    if find_spec("tree_sitter_language_pack") is None:
        raise CallWrong(
            "connproof migrated needs tree-sitter-language-pack, which is not installed",
            fix="pip install 'connproof[pytest,audit]'",
        )
    from pytest_connproof import migrated_telling  # replays, and grammars: only here
    from pytest_connproof.migrated import judge
    from pytest_connproof.named import subject_named
    from pytest_connproof.subject import Settings

    told = judge(
        subject_named(connector, Settings(as_of=given.judged_on(as_of))),
        legacy,
        tree=tree,
        without=without or (),
        apart=apart or (),
        certificate=certificate,
    )
    if as_json:
        screen.put_document(migrated_telling.as_document(told))
    else:
        text = migrated_telling.as_text(told, width=screen.width(), colour=screen.has_colours())
        typer.echo(text, nl=False)
    raise typer.Exit(migrated_telling.EXIT_CODES[told.verdict])
