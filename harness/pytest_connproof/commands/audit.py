"""`connproof audit`: the inventory of hand-written connectors, with a line that says how far it is."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, Final

import typer

from connproof.errors import CallWrong
from pytest_connproof import audit as audits
from pytest_connproof.commands import screen

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None)

_WIDTH: Final = 24
_SECONDS: Final = 0.1


@app.command()
def audit(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A repository, or a folder in one.")],
    *,
    since: Annotated[
        str, typer.Option(metavar="TIME", help="How far back the work is counted: 6.months, 2.weeks, 2026-05-31.")
    ] = "6.months",
    as_json: Annotated[
        bool, typer.Option("--json", help="For machines: everything, in format connproof-audit/1.")
    ] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Everything, as a page.")] = False,
    compare: Annotated[
        Path | None, typer.Option(metavar="EARLIER.json", help="What became of an inventory that --json wrote.")
    ] = None,
) -> None:
    """Take the inventory of hand-written connectors: what they call, how, who keeps them up, and at what cost.

    Python, JavaScript and TypeScript are read; nothing is run, and nothing is fetched.

    \b
    connproof audit ../our-product
    connproof audit ../our-product --since 12.months --json > before.json
    connproof audit ../our-product --compare before.json
    """  # noqa: D301 the character that keeps lines apart, not its name
    if as_json and markdown:
        raise CallWrong("--json and --markdown are two forms of one output", fix="choose one")
    before = None if compare is None else audits.earlier(compare)
    bar = _Bar()
    try:
        document = audits.take(path, since=since, progress=bar.show)
    finally:
        bar.clear()
    if before is not None:
        document["compared"] = audits.compared(before, document)
    if as_json:
        screen.put_document(document)
    else:
        typer.echo(audits.as_markdown(document) if markdown else audits.as_text(document), nl=False)


class _Bar:
    """A line on the terminal that says how far it is; nothing where there is none."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._last = 0.0
        self._drawn = False

    def show(self, step: str, done: int, of: int) -> None:
        now = time.monotonic()
        if not self._shown or (done < of and now - self._last < _SECONDS):
            return
        self._last, self._drawn = now, True
        full = _WIDTH * done // of
        sys.stderr.write(f"\r{step:<10} [{'#' * full}{' ' * (_WIDTH - full)}] {done}/{of}")
        sys.stderr.flush()

    def clear(self) -> None:
        if self._drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
