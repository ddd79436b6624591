"""What one source file says, in words that no programming language owns: functions, calls, comparisons, names.

Facts are told from a syntax tree and judged elsewhere: nothing here is about connectors. Lines count from 1, and the
last one belongs to a span.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

__all__ = [
    "Branch",
    "Call",
    "Comparison",
    "Constant",
    "FileFacts",
    "Function",
    "Hole",
    "Import",
    "Mark",
    "MarkKind",
    "Span",
    "Text",
    "Unparsed",
    "literal",
    "shown",
    "words",
]

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


@dataclass(frozen=True, slots=True)
class Hole:
    """A part of a text that is known only when the program runs, by the name that stands there."""

    name: str


Text: TypeAlias = tuple[str | Hole, ...]
MarkKind: TypeAlias = Literal["sent", "before", "read", "number", "called", "text"]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The lines from first to last."""

    first: int
    last: int

    @property
    def lines(self) -> int:
        return self.last - self.first + 1

    def meets(self, other: Span) -> bool:
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True, slots=True)
class Function:
    """A function or a method; its name with the classes around it, its parameters without `self`."""

    name: str
    qualified: str
    span: Span
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A call: who is called (`self.client.get`), with what, and the name that its result is given, if any.

    `function` is the number of the one around it, or -1.
    """

    callee: str
    arguments: tuple[Text, ...]
    keywords: tuple[tuple[str, Text], ...]  # those of an object that is an argument, too
    function: int
    span: Span
    in_loop: bool
    gives_function: bool  # one of the arguments is a function: this registers rather than asks
    given_to: str = ""

    @property
    def last(self) -> str:
        return self.callee.rpartition(".")[2]

    @property
    def owner(self) -> str:
        """What is called upon: `http` of `self.http.get`; "" for a function that stands alone."""
        return self.callee.rpartition(".")[0].rpartition(".")[2]

    def keyword(self, *names: str) -> Text | None:
        return next((value for name, value in self.keywords if name in names), None)


@dataclass(frozen=True, slots=True)
class Constant:
    """A name that was given a text: known inside `function`, or (-1) everywhere, and given in the function `within`."""

    name: str
    value: Text
    function: int
    within: int
    line: int


@dataclass(frozen=True, slots=True)
class Import:
    """A name that comes from another module: `from module import original as name`."""

    name: str
    module: str
    original: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A name at a place, and how it stands there.

    sent: a key of an object or a dictionary, a keyword, what stands with a sign before a hole in a text; `value`: what
    it is given. before: a word that stands before a hole with nothing but space between.
    read: a key or an attribute that is taken from something. number: compared with. called: the last name of a callee.
    text: a whole text.
    """

    kind: MarkKind
    word: str
    function: int
    span: Span  # of itself
    block: Span  # of the branch or loop around it, or itself
    in_loop: bool
    value: Text = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Texts that something is compared with, in the head of a branch."""

    texts: tuple[str, ...]
    subject: str


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch that is taken where something is one of these texts."""

    comparison: Comparison
    span: Span
    function: int


@dataclass(frozen=True, slots=True)
class Unparsed:
    """What could not be read, and where: line 0 is the whole file."""

    path: str
    line: int
    why: str


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A source file; the path is from the root of the audit, with slashes."""

    path: str
    language: str
    lines: int
    functions: tuple[Function, ...] = ()
    classes: tuple[Function, ...] = ()
    calls: tuple[Call, ...] = ()
    constants: tuple[Constant, ...] = ()
    imports: tuple[Import, ...] = ()
    marks: tuple[Mark, ...] = ()
    branches: tuple[Branch, ...] = ()
    unparsed: tuple[Unparsed, ...] = field(default=())


def words(text: str) -> list[str]:
    """The words of a name, in small letters: `nextPageToken`, `NEXT_PAGE_TOKEN` and `next-page-token` are the same."""
    return [word.lower() for word in _WORD.findall(text)]


def literal(text: Text) -> str | None:
    """The text, where all of it is known."""
    return "".join(str(piece) for piece in text) if all(isinstance(piece, str) for piece in text) else None


def shown(text: Text) -> str:
    """The text as people write it: a hole is its name in braces."""
    return "".join(_pieces(text))


def _pieces(text: Text) -> Iterator[str]:
    for piece in text:
        yield piece if isinstance(piece, str) else f"{{{piece.name.rpartition('.')[2]}}}"
