"""`connproof parity`: each lane beside its baseline; and, with --accept, differences into deviations.json."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from connproof.errors import CallWrong
from pytest_connproof.commands import given, screen

if TYPE_CHECKING:
    from pytest_connproof.subject import Subject

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None)


@app.command(
    epilog="Exit codes: 0 parity holds; 1 something differs, or a waiver has expired or waives nothing; 2 an input "
    "cannot be used; 3 nothing differs, but that proves no parity: no baseline, none of old code, a field without a "
    "value. With --accept: 0 written; 1 not accepted; 2 refused."
)
def parity(
    connector: Annotated[str, typer.Argument(metavar="CONNECTOR", help="A connector, by folder or name.")],
    *,
    lane: Annotated[
        list[str] | None,
        typer.Option(metavar="LANE", help="A lane, or a resource, whose list is meant. Default: all lanes."),
    ] = None,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LANE:PATH:KIND",
            help="A difference that is meant, such as deals.list:/amount:type; or LANE, for all that is open in it.",
        ),
    ] = None,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why it is meant, in three words or more.")] = "",
    owner: Annotated[str, typer.Option(metavar="TEXT", help="Who answers for it.")] = "",
    expires: Annotated[
        str, typer.Option(metavar="DAY", help="The last day on which it is waived, within a year.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Write it without being asked.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines, in format connproof-parity/1.")] = False,
    as_of: Annotated[str, typer.Option(metavar="DAY", help="Judge waivers as on this day. Default: today.")] = "",
) -> None:
    """Lay each lane beside its baseline: every mapped field, every difference, and what was asked for.

    \b
    connproof parity shop
    connproof parity shop --lane deals
    connproof parity shop --accept deals.list:/amount:type --reason "a text by design" --owner crm --expires 2027-06-30
    """  # noqa: D301 the character that keeps lines apart, not its name
    from pytest_connproof.connector_parity import connector_parity  # replays: only here
    from pytest_connproof.named import lanes_named, subject_named
    from pytest_connproof.report import parity as parity_report
    from pytest_connproof.subject import Settings

    subject = subject_named(connector, Settings(as_of=given.judged_on(as_of)))
    if accept:
        if lane or as_json:
            raise CallWrong("--accept takes neither --lane nor --json", fix="name the lane in --accept")
        typer.echo(_accept(subject, accept, reason=reason, owner=owner, expires=expires, yes=yes))
        return
    if reason or owner or expires or yes:
        raise CallWrong("--reason, --owner, --expires and --yes are of --accept", fix="name what is to be accepted")
    told = connector_parity(subject, lanes_named(subject, lane or ()))
    if as_json:
        screen.put_document(parity_report.as_document(told))
    else:
        text = parity_report.as_text(told, width=screen.width(), colour=screen.has_colours())
        typer.echo(text, nl=False)
    raise typer.Exit(parity_report.EXIT_CODES[told.verdict])


def _accept(subject: Subject, texts: Sequence[str], *, reason: str, owner: str, expires: str, yes: bool) -> str:
    """Accept differences; what was written. Raises CallWrong; typer.Exit where whoever was asked said no."""
    from pytest_connproof.accepting import NotAccepted, accept, wanted

    for option, text in (("--reason", reason), ("--owner", owner), ("--expires", expires)):
        if not text.strip():
            raise CallWrong(f"--accept needs {option}", fix="a waiver has a reason, an owner and a last day")
    last = given.day("--expires", expires)
    those = [wanted(subject, text) for text in texts]
    if not yes and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CallWrong("there is nobody to ask whether this is meant", fix="look at it first, then pass --yes")

    def ask(shown: str) -> bool:
        typer.echo(shown)
        try:
            return typer.confirm("Is that meant?")
        except typer.Abort:
            typer.echo("")
            raise KeyboardInterrupt from None  # what it is: the command ends as all do when they are interrupted

    try:
        return accept(subject, those, reason=reason, owner=owner, expires=last, ask=None if yes else ask)
    except NotAccepted as declined:
        typer.echo(str(declined), err=True)
        raise typer.Exit(1) from None
