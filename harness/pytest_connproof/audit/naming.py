"""The words by which a source file can name another: what it imports, its texts, its comments, each with its line.

Told from the syntax tree. Which file a word means is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
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
        yield from _lines("comment", source_of(node), line)
    elif node.type in _STRINGS:
        # A text that is a statement by itself is documentation.
        is_docstring = node.parent is not None and node.parent.type in _STATEMENTS
        if not _loads(node):
            yield from _lines("comment" if is_docstring else "text", key_of(node), line)
        else:
            yield Word("import", key_of(node), line)
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


def _loads(string: Node) -> bool:
    """Whether a text is the module of an import, or what a call loads."""
    parent = string.parent
    if parent is None or parent.type in _LEADING:
        return parent is not None
    call = parent.parent
    if call is None or parent.type not in {"arguments", "argument_list"} or arguments_of(call)[:1] != [string]:
        return False
    callee = callee_of(call)
    return callee is not None and (callee.type == "import" or name_of(callee).rpartition(".")[2] in _LOADS)
