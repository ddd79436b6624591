"""`connproof new`: a new connector from answers, by options or at a terminal; what is still to fill is told."""

from __future__ import annotations

import inspect
import shlex
import sys
from typing import Annotated, Any, Final

import typer

from pytest_connproof import scaffold
from pytest_connproof.scaffold import QUESTIONS, Answered, Question, Unanswered

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None)

_DESCRIPTION: Final = """Write a new connector from a few answers: valid at once, and never over anything.

Every question is an option. Where one is missing that is needed, a terminal is asked; without a terminal it is named.

\b
connproof new shop
connproof new shop --base-url https://api.shop.example --auth bearer --resource deals --path /deals --sample page.json
"""


def new(**given: str | None) -> None:
    """Write a new connector from a few answers."""
    scaffold.refuse_place()  # before anybody answers twenty questions
    answered = scaffold.from_options(given)
    if isinstance(answered, Unanswered):
        if not answered.missing or not sys.stdin.isatty():
            raise answered.error()
        answered = _asked(given)
    made = scaffold.scaffold_of(answered)
    scaffold.write(made)
    _tell(made, answered)


def _asked(given: dict[str, str | None]) -> Answered:
    _say("Enter takes what stands in brackets. Ctrl-C ends it, and nothing is written.")
    try:
        return scaffold.from_terminal(given, _ask, _say)
    except typer.Abort:
        _say("")
        raise KeyboardInterrupt from None  # what it is: the command ends as all do when they are interrupted


def _ask(question: Question, proposed: str | None) -> str:
    choices = f" ({', '.join(question.choices)})" if question.choices else ""
    text: str = typer.prompt(
        f"{question.asks}{choices}", default=proposed, show_default=bool(proposed), type=str, err=True
    )
    return text if question.keeps_spaces else text.strip()


def _tell(made: scaffold.Scaffold, answered: Answered) -> None:
    answers = answered.context.answers
    for inside in made.files:
        typer.echo(made.folder / inside)
    told = [
        f"{question.flag} {shlex.quote(answers[question.name])}"
        for question in answered.proposed
        if answers[question.name]
    ]
    if told and answered.context.sample:
        typer.echo(f"from {answered.context.sample.name}: {' '.join(told)}")
    if made.unmapped:
        typer.echo(f"not mapped yet, of {answers['model']}: {', '.join(made.unmapped)}")
    name = made.name
    typer.echo(
        f"""
next, with traffic of {answers["resource"]} in {name}.har, as browsers save it (or a cassette of VCR, vcrpy, betamax):
  connproof check {made.folder.as_posix()}
  connproof import {name}.har --connector {name}
  connproof certify {name}
{(made.folder / "README.md").as_posix()} says what is still to fill, and which check asks for it"""
    )


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _parameter(question: Question) -> inspect.Parameter:
    """A question as typer reads it from a function's signature."""
    choices = f": {', '.join(question.choices)}" if question.choices else ""
    text = f"{question.asks}{choices}."
    said: Any = (
        typer.Argument(metavar=f"[{question.metavar}]", help=text, show_default=False)
        if not question.flag.startswith("-")
        else typer.Option(question.flag, metavar=question.metavar, help=text, show_default=False)
    )
    return inspect.Parameter(
        question.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, said]
    )


# The table of questions is the table of options: neither can lack what the other has.
new.__signature__ = inspect.Signature([_parameter(question) for question in QUESTIONS])  # type: ignore[attr-defined]  # what inspect.signature looks for first
app.command(
    help=_DESCRIPTION,
    epilog="Exit codes: 0 written; 2 an option is wrong or missing, or something is there; 130 interrupted.",
)(new)
