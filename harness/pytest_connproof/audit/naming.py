"""The words by which a source file can name another: what it imports, its texts, its comments, each with its line.

Told from the syntax tree. Which file a word means is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from pytest_connproof.audit.grammars import parser
from pytest_connproof.audit.texts import arguments_of, callee_of, key_of, name_of, source_of

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["Word", "words_in"]

_STRINGS: Final = frozenset({"string", "template_string"})
_LOADS: Final = frozenset({"import_module", "__import__", "require", "resolve"})
_STATEMENTS: Final = frozenset({"expression_statement", "block", "module"})
_DIRECTIVE: Final = "/// <reference "  # for the compiler, not for people
_LEADING: Final = frozenset({"import_statement", "export_statement", "import_require_clause"})


@dataclass(frozen=True, slots=True)
class Word:
    """`import` has a module and the names that are taken from it; `text` and `comment` what stands there."""

    kind: Literal["import", "text", "comment"]
    text: str
    line: int
    names: tuple[str, ...] = ()


def words_in(language: str, source: bytes) -> tuple[tuple[Word, ...], bool]:
    """The words of a file, in order, and whether the grammar took all of it."""
    root = parser(language).parse(source).root_node
    words: list[Word] = []
    stack = [root]
    while stack:
        node = stack.pop()
        words += _words(node)
        stack += reversed(node.named_children)
    return tuple(words), not root.has_error


def _words(node: Node) -> Iterator[Word]:
    line = node.start_point[0] + 1
    if node.type == "comment":
        text = source_of(node)
        yield from _lines("text" if text.startswith(_DIRECTIVE) else "comment", text, line)
    elif node.type in _STRINGS:
        # A text that is a statement by itself is documentation.
        is_docstring = node.parent is not None and node.parent.type in _STATEMENTS
        loaded = _module(node)
        if loaded is None:
            yield from _lines("comment" if is_docstring else "text", key_of(node), line)
        else:
            yield Word("import", loaded, line)
    elif node.type == "import_from_statement":
        module = node.child_by_field_name("module_name")
        named = node.children_by_field_name("name")
        names = tuple(source_of(one.child_by_field_name("name") or one) for one in named)
        if module is not None:
            yield Word("import", source_of(module), line, names)
    elif node.type == "import_statement":
        for one in node.children_by_field_name("name"):  # of Python: import a.b, c as d
            yield Word("import", source_of(one.child_by_field_name("name") or one), line)


def _lines(kind: Literal["text", "comment"], text: str, first: int) -> Iterator[Word]:
    """A word for each line, so that what is found in it has a line."""
    for number, line in enumerate(text.split("\n"), first):
        yield Word(kind, line, number)


def _module(string: Node) -> str | None:
    """The module that a text means in an import, or in a call that loads it; None for any other text."""
    parent = string.parent
    if parent is None or parent.type in _LEADING:
        return key_of(string) if parent is not None else None
    call = parent.parent
    if call is None or parent.type not in {"arguments", "argument_list"} or arguments_of(call)[:1] != [string]:
        return None
    callee = callee_of(call)
    if callee is None or not (callee.type == "import" or name_of(callee).rpartition(".")[2] in _LOADS):
        return None
    return _from_package(key_of(string), arguments_of(call)[1:])


def _from_package(module: str, beside: Sequence[Node]) -> str:
    """A relative module of Python from the package that stands beside it, if one does."""
    given = [node.child_by_field_name("value") if node.type == "keyword_argument" else node for node in beside]
    package = next((key_of(node) for node in given if node is not None and node.type in _STRINGS), "")
    inner = module.lstrip(".")
    if not package or inner == module or inner.startswith("/"):
        return module
    above = len(module) - len(inner) - 1
    folders = package.split(".")
    return ".".join([*folders[: len(folders) - above], inner])
