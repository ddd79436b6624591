"""Come to an answer for every question: from the options, from whoever sits at a terminal, from what a sample proposes.

No answer is taken that the language refuses, and no option is passed over in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from connproof.errors import CallWrong
from pytest_connproof.scaffold.faults import Context
from pytest_connproof.scaffold.questions import QUESTIONS, Question, fault_of
from pytest_connproof.scaffold.sample import Sample, read_sample

__all__ = ["Answered", "Ask", "Given", "Tell", "Unanswered", "from_options", "from_terminal"]

Given: TypeAlias = Mapping[str, str | None]  # by the question's name; None where the option is not there
Ask: TypeAlias = Callable[[Question, str | None], str]  # the question, and what Enter takes
Tell: TypeAlias = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Answered:
    """Every question that applies, with its answer. `proposed` are those that the sample answered."""

    context: Context
    proposed: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The options that are wrong, each with why, and the questions that no option answers."""

    wrong: Mapping[str, str]
    missing: tuple[Question, ...]

    def error(self) -> CallWrong:
        """All of it, for whoever has no terminal to be asked at."""
        needed = {
            question.flag: f"is missing: {question.asks[0].lower()}{question.asks[1:]}" for question in self.missing
        }
        choices = {
            question.flag: f"{needed[question.flag]}: {', '.join(question.choices)}"
            for question in self.missing
            if question.choices
        }
        fix = "give these options too; on a terminal they are asked for" if needed else "give it another value"
        return CallWrong("nothing was written", facts={**self.wrong, **needed, **choices}, fix=fix)


def from_options(given: Given) -> Answered | Unanswered:
    """The answers, where the options and the sample give them all.

    Raises CallWrong for an option that says nothing beside the others.
    """
    answers: dict[str, str] = {}
    sample: Sample | None = None
    wrong: dict[str, str] = {}
    missing: list[Question] = []
    proposed: list[Question] = []
    for question in QUESTIONS:
        text = given.get(question.name)
        if not question.applies(answers):
            if not wrong and not missing:  # else what it belongs to may be what is wrong
                _refuse_idle(question, text)
            continue
        context = Context(answers, sample)
        if text is None:
            text = question.proposes(context)
            if text is None:
                if not (question.from_sample and "--sample" in wrong):  # the right file may say it
                    missing.append(question)
            elif question.from_sample and sample:
                proposed.append(question)
        fault = None if text is None else fault_of(question, text, context)
        if fault:
            wrong[question.flag] = fault
        answers[question.name] = question.stand_in if text is None or fault else text
        if question.name == "sample" and answers["sample"]:
            sample = read_sample(Path(answers["sample"]))
    if wrong or missing:
        return Unanswered(wrong, tuple(missing))
    return Answered(Context(answers, sample), tuple(proposed))


def from_terminal(given: Given, ask: Ask, tell: Tell) -> Answered:
    """The answers of whoever sits there, to all that the options do not say. What is wrong is told, and asked again.

    Raises CallWrong for an option that says nothing beside the answers.
    """
    answers: dict[str, str] = {}
    sample: Sample | None = None
    for question in QUESTIONS:
        text = given.get(question.name)
        if not question.applies(answers):
            _refuse_idle(question, text)
            continue
        context = Context(answers, sample)
        text = ask(question, question.proposes(context)) if text is None else text
        while fault := fault_of(question, text, context):
            tell(f"  {question.flag}  {fault}")
            text = ask(question, question.proposes(context))
        answers[question.name] = text
        if question.name == "sample" and text:
            sample = read_sample(Path(text))
    return Answered(Context(answers, sample), ())


def _refuse_idle(question: Question, text: str | None) -> None:
    if text is not None:
        raise CallWrong(
            f"{question.flag} says nothing here: it is for {question.condition}",
            fix="leave it out, or change what it is for; nothing was written",
        )
