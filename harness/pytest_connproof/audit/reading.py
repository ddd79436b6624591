"""Read one source file into facts, through its syntax tree.

A file with a fault is read as far as its tree goes, and the fault is told with its line: the rest of the file counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final, cast

from pytest_connproof.audit.facts import (
    Branch,
    Call,
    Comparison,
    Constant,
    FileFacts,
    Function,
    Import,
    Mark,
    MarkKind,
    Span,
    Text,
    Unparsed,
    words,
)
from pytest_connproof.audit.grammars import parser
from pytest_connproof.audit.texts import WRAPPERS, arguments_of, callee_of, key_of, name_of, source_of, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["read"]

_FUNCTIONS: Final = frozenset(
    {"function_definition", "function_declaration", "generator_function_declaration", "method_definition"}
    | {"arrow_function", "function_expression", "generator_function"}
)
_CLASSES: Final = frozenset({"class_definition", "class_declaration", "abstract_class_declaration", "class"})
_LOOPS: Final = frozenset({"while_statement", "for_statement", "do_statement", "for_in_statement"})
_EACH: Final = frozenset({"for_statement", "for_in_statement"})
_TRIES: Final = frozenset({"try_statement"})
_CALLS: Final = frozenset({"call", "call_expression", "new_expression"})
_IFS: Final = frozenset({"if_statement", "elif_clause", "ternary_expression", "conditional_expression"})
_CASES: Final = frozenset({"switch_case", "case_clause"})
_ASSIGNS: Final = frozenset(
    {"assignment", "assignment_expression", "variable_declarator", "named_expression", "augmented_assignment"}
    | {"public_field_definition", "field_definition", "default_parameter", "typed_default_parameter"}
    | {"augmented_assignment_expression"}
)
_MEMBERS: Final = frozenset({"attribute", "member_expression"})
_SUBSCRIPTS: Final = frozenset({"subscript", "subscript_expression"})
_SET: Final = frozenset({"set", "append", "setdefault", "header", "setHeader", "query"})
_ADDRESSES: Final = frozenset({"address", "endpoint", "href", "link", "path", "uri", "url"})
_SENT_BEFORE: Final = re.compile(r"([A-Za-z_][\w.\[\]:-]*)\W{0,3}$")
_SELF: Final = frozenset({"self", "cls"})


@dataclass(frozen=True, slots=True)
class _Around:
    """What stands around a node."""

    function: int = -1
    names: tuple[str, ...] = ()
    in_loop: bool = False
    block: Span | None = None
    decorates: bool = False


def read(path: str, language: str, source: bytes, *, deeply: bool) -> FileFacts:
    """The facts of a file. Where `deeply` is false, only its length, and what cannot be read."""
    tree = parser(language).parse(source)
    facts = FileFacts(path, language, source.count(b"\n") + (not source.endswith(b"\n") and source != b""))
    if tree.root_node.has_error:
        facts = replace(facts, unparsed=(_fault(path, tree.root_node),))
    return _Reader(facts).read(tree.root_node) if deeply else facts


def _fault(path: str, root: Node) -> Unparsed:
    """The first fault of a tree that has one."""
    node = root
    while not (node.is_error or node.is_missing):
        node = next(child for child in node.children if child.has_error or child.is_missing)
    line = node.start_point[0] + 1
    if node.is_missing:
        return Unparsed(path, line, f"{node.type} is missing")
    return Unparsed(path, line, "no grammar of the language has what stands here")


class _Reader:
    """Walks a tree once."""

    def __init__(self, facts: FileFacts) -> None:
        self._facts = facts
        self._functions: list[Function] = []
        self._classes: list[Function] = []
        self._calls: list[Call] = []
        self._constants: list[Constant] = []
        self._imports: list[Import] = []
        self._marks: list[Mark] = []
        self._branches: list[Branch] = []

    def read(self, root: Node) -> FileFacts:
        stack = [(root, _Around())]
        while stack:
            node, around = stack.pop()
            inside = self._visit(node, around)
            # What a loop goes over is made once, outside of it.
            once = node.child_by_field_name("right") if node.type in _EACH else None
            stack += [(child, around if child == once else inside) for child in reversed(node.named_children)]
        return replace(
            self._facts,
            functions=tuple(self._functions),
            classes=tuple(self._classes),
            calls=tuple(self._calls),
            constants=tuple(self._constants),
            imports=tuple(self._imports),
            marks=tuple(self._marks),
            branches=tuple(self._branches),
        )

    def _visit(self, node: Node, around: _Around) -> _Around:
        """Take down what the node says; what stands around its children."""
        kind = node.type
        if kind in _FUNCTIONS:
            return self._function(node, around)
        if kind in _CLASSES:
            return self._class(node, around)
        if kind in _CALLS:
            self._call(node, around)
            return replace(around, decorates=False)
        if kind in _ASSIGNS:
            self._assignment(node, around)
        elif kind == "pair":
            self._pair(node, around)
        elif kind == "keyword_argument":
            self._sent(key_of(node.child_by_field_name("name")), node.child_by_field_name("value"), node, around)
        elif kind in _SUBSCRIPTS or kind in _MEMBERS:
            self._taken(node, around)
        elif kind == "shorthand_property_identifier":
            self._mark("sent", source_of(node), node, around)
        elif kind in {"string", "template_string"}:
            self._string(node, around)
        elif kind == "regex_pattern":
            self._mark("text", source_of(node), node, around)
        elif kind in {"comparison_operator", "binary_expression"}:
            self._numbers(node, around)
        elif kind in _IFS or kind in _CASES:
            return self._branch(node, around)
        elif kind in {"import_from_statement", "import_statement"}:
            self._import(node)
        elif kind in _LOOPS:
            return replace(around, in_loop=True, block=_span(node))
        elif kind in _TRIES:
            return replace(around, block=_span(node))
        elif kind == "decorator":
            return replace(around, decorates=True)
        return around

    def _function(self, node: Node, around: _Around) -> _Around:
        named = node.child_by_field_name("name")
        name = source_of(named) if named is not None else _given_name(node)
        if not name and around.function >= 0:
            return around  # a function without a name belongs to the one around it
        parent = node.parent
        decorated = parent is not None and parent.type == "decorated_definition"
        span = _span(cast("Node", parent) if decorated else node)
        names = (*around.names, name or "(anonymous)")
        self._functions.append(Function(names[-1], ".".join(names), span, _parameters(node)))
        return _Around(len(self._functions) - 1, names)

    def _class(self, node: Node, around: _Around) -> _Around:
        name = key_of(node.child_by_field_name("name")) or "(anonymous)"
        names = (*around.names, name)
        self._classes.append(Function(name, ".".join(names), _span(node), ()))
        return _Around(-1, names)

    def _call(self, node: Node, around: _Around) -> None:
        callee = name_of(callee_of(node))
        given = arguments_of(node)
        keywords: list[tuple[str, Text]] = []
        plain: list[Text] = []
        for one in given:
            if one.type == "keyword_argument":
                pairs = [one]
            elif one.type in {"object", "dictionary"}:
                pairs = one.named_children
                plain.append(text_of(one))
            else:
                pairs = []
                plain.append(text_of(one))
            for pair in pairs:
                if pair.type == "shorthand_property_identifier":
                    keywords.append((source_of(pair), text_of(pair)))
                elif pair.type in {"pair", "keyword_argument"}:
                    key = pair.child_by_field_name("key") or pair.child_by_field_name("name")
                    keywords.append((key_of(key), text_of(pair.child_by_field_name("value"))))
        last = callee.rpartition(".")[2]
        self._mark("called", last, node, around)
        if last in _SET and len(given) == 2 and given[0].type in {"string", "template_string"}:
            self._sent(key_of(given[0]), given[1], node, around)
        elif last in {"get", "pop", "has"} and given and given[0].type == "string":
            self._mark("read", key_of(given[0]), node, around)
        if last == "require" and plain:
            self._required(node, plain[0])
        if not around.decorates:
            functions = any(one.type in _FUNCTIONS or one.type == "lambda" for one in given)
            self._calls.append(
                Call(
                    callee,
                    tuple(plain),
                    tuple(keywords),
                    around.function,
                    _span(node),
                    around.in_loop,
                    functions,
                    _given_to(node),
                )
            )

    def _assignment(self, node: Node, around: _Around) -> None:
        left = node.child_by_field_name("left") or node.child_by_field_name("name")
        left = left or node.child_by_field_name("property")
        right = node.child_by_field_name("right") or node.child_by_field_name("value")
        if left is None or right is None:
            return
        if left.type in _SUBSCRIPTS:
            index = left.child_by_field_name("subscript") or left.child_by_field_name("index")
            if index is not None and index.type == "string":
                self._sent(key_of(index), right, node, around)
        elif left.type == "member_expression":
            self._sent(key_of(left.child_by_field_name("property")), right, node, around)
        name = name_of(left).rpartition(".")[2]
        value = text_of(right)
        # A name and another make an address too, though the file does not say which.
        is_known = any(isinstance(piece, str) for piece in value) or (len(value) > 1 and _ADDRESSES & set(words(name)))
        if name and is_known:
            outside = around.function if left.type == "identifier" else -1
            self._constants.append(Constant(name, value, outside, around.function, _span(node).first))

    def _pair(self, node: Node, around: _Around) -> None:
        key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
        self._sent(key_of(key), value, node, around)
        text = text_of(value)
        if key is not None and text and isinstance(text[0], str) and text[0].startswith(("http", "/")):
            self._constants.append(Constant(key_of(key), text, -1, around.function, _span(node).first))

    def _sent(self, word: str, value: Node | None, node: Node, around: _Around) -> None:
        if word:
            self._mark("sent", word, node, around, text_of(value))

    def _taken(self, node: Node, around: _Around) -> None:
        """A key or an attribute that is read, unless it is given something here, or called."""
        parent = node.parent
        if parent is not None and parent.type in _ASSIGNS and parent.child_by_field_name("left") == node:
            return
        if parent is not None and parent.type in _CALLS and callee_of(parent) == node:
            return
        word = key_of(
            node.child_by_field_name("attribute")
            or node.child_by_field_name("property")
            or node.child_by_field_name("subscript")
            or node.child_by_field_name("index")
        )
        if word:
            self._mark("read", word, node, around)

    def _string(self, node: Node, around: _Around) -> None:
        text = text_of(node)
        self._mark("text", "".join(piece for piece in text if isinstance(piece, str)), node, around, text)
        for piece, after in pairwise(text):
            found = _SENT_BEFORE.search(piece) if isinstance(piece, str) and not isinstance(after, str) else None
            if found:
                behind = str(piece)[found.end(1) :]
                kind: MarkKind = "before" if behind.isspace() else "sent"
                self._mark(kind, found[1].rpartition(":")[2], node, around, (after,))
        for piece in text:
            for name in re.findall(r"[?&]([\w.\[\]-]+)=", piece) if isinstance(piece, str) else ():
                self._mark("sent", name, node, around)

    def _numbers(self, node: Node, around: _Around) -> None:
        for number in node.named_children:
            values = number.named_children if number.type in {"tuple", "list", "set", "array"} else [number]
            for value in values:
                if value.type in {"integer", "number"}:
                    self._mark("number", source_of(value), node, around)

    def _branch(self, node: Node, around: _Around) -> _Around:
        subject, texts = _compared(node)
        body = node.child_by_field_name("consequence") or node
        span = Span(_span(node).first, _span(body if node.type in _IFS else node).last)
        if texts:
            self._branches.append(Branch(Comparison(texts, subject), span, around.function))
        return replace(around, block=span)

    def _import(self, node: Node) -> None:
        module = node.child_by_field_name("module_name") or node.child_by_field_name("source")
        if module is None:  # import a.b as c
            for one in node.named_children:
                original = source_of(one.child_by_field_name("name") or one)
                alias = one.child_by_field_name("alias")
                self._imports.append(Import(source_of(alias) if alias else original, original, ""))
            return
        origin = key_of(module) or source_of(module)
        stack = [child for child in node.named_children if child != module]
        while stack:
            one = stack.pop(0)
            if one.type in {"aliased_import", "import_specifier"}:
                original = source_of(one.child_by_field_name("name") or one)
                alias = one.child_by_field_name("alias")
                self._imports.append(Import(source_of(alias) if alias else original, origin, original))
            elif one.type == "dotted_name":
                self._imports.append(Import(source_of(one), origin, source_of(one)))
            elif one.type == "identifier":
                self._imports.append(Import(source_of(one), origin, "default"))
            else:
                stack = [*one.named_children, *stack]

    def _required(self, node: Node, module: Text) -> None:
        parent = node.parent
        if parent is None or parent.type != "variable_declarator" or not isinstance(module[0], str):
            return
        pattern = parent.child_by_field_name("name")
        if pattern is None:
            return
        names = pattern.named_children if pattern.type == "object_pattern" else [pattern]
        for one in names:
            original = source_of(one.child_by_field_name("key") or one)
            self._imports.append(Import(source_of(one.child_by_field_name("value") or one), module[0], original))

    def _mark(
        self,
        kind: MarkKind,
        word: str,
        node: Node,
        around: _Around,
        value: Text = (),
    ) -> None:
        span = _span(node)
        self._marks.append(Mark(kind, word, around.function, span, around.block or span, around.in_loop, value))


def _compared(node: Node) -> tuple[str, tuple[str, ...]]:
    """What the head of a branch compares, and the texts with which it does."""
    if node.type == "switch_case":
        switch = node.parent.parent if node.parent is not None else None
        subject = name_of(switch.child_by_field_name("value")) if switch is not None else ""
        return subject, _texts([node.child_by_field_name("value")])
    if node.type == "case_clause":
        match = node.parent.parent if node.parent is not None else None
        subject = name_of(match.child_by_field_name("subject")) if match is not None else ""
        return subject, _texts([one for one in node.named_children if one.type == "case_pattern"])
    head = node.child_by_field_name("condition")
    if head is None and node.type == "conditional_expression" and len(node.named_children) == 3:
        head = node.named_children[1]
    subject, texts = "", list[str]()
    stack = [head] if head is not None else []
    while stack:
        one = stack.pop(0)
        sides = one.named_children
        if one.type in {"comparison_operator", "binary_expression"} and _is_equality(one):
            texts += _texts(sides)
            subject = subject or next((name_of(side) for side in sides if not _texts([side])), "")
        elif one.type in _CALLS and name_of(callee_of(one)).rpartition(".")[2] in {
            "includes",
            "startswith",
            "startsWith",
        }:
            callee = callee_of(one)
            owner = callee.child_by_field_name("object") if callee is not None else None
            texts += _texts([owner, *arguments_of(one)])
        else:
            stack += sides
    return subject, tuple(dict.fromkeys(texts))


def _is_equality(node: Node) -> bool:
    return any(child.type in {"==", "===", "in", "is", "!=", "!==", "not in"} for child in node.children)


def _texts(nodes: list[Node | None] | list[Node]) -> tuple[str, ...]:
    """The texts among the nodes and right inside them."""
    found: list[str] = []
    stack = [node for node in nodes if node is not None]
    while stack:
        one = stack.pop(0)
        if one.type == "string":
            found.append(key_of(one))
        elif one.type in {"tuple", "list", "set", "array", "case_pattern", "union_pattern", "parenthesized_expression"}:
            stack += one.named_children
    return tuple(found)


def _given_name(node: Node) -> str:
    """The name that a function without one is given: a variable's, a key's, a field's."""
    parent = node.parent
    if parent is None:
        return ""
    if parent.type in {"variable_declarator", "public_field_definition"}:
        return key_of(parent.child_by_field_name("name"))
    if parent.type in {"pair", "field_definition"}:
        return key_of(parent.child_by_field_name("key") or parent.child_by_field_name("property"))
    if parent.type == "assignment_expression":
        return name_of(parent.child_by_field_name("left")).rpartition(".")[2]
    return ""


def _given_to(call: Node) -> str:
    """The name that a call's result is given: `client` in `self.client = Client()`; "" where it is given none."""
    node, parent = call, call.parent
    while parent is not None and parent.type in WRAPPERS:
        node, parent = parent, parent.parent
    if parent is None or parent.type not in _ASSIGNS:
        return ""
    left = parent.child_by_field_name("left") or parent.child_by_field_name("name")
    left = left or parent.child_by_field_name("property")
    return "" if left is None or left == node else name_of(left).rpartition(".")[2]


def _parameters(node: Node) -> tuple[str, ...]:
    given = node.child_by_field_name("parameters") or node.child_by_field_name("parameter")
    if given is None:
        return ()
    names = []
    for one in [given] if given.type == "identifier" else given.named_children:
        inner = one.child_by_field_name("name") or one.child_by_field_name("pattern") or one.child_by_field_name("left")
        if inner is None and one.type == "typed_parameter":
            inner = one.named_children[0]
        names.append(source_of(inner or one))
    return tuple(name for number, name in enumerate(names) if not (number == 0 and name in _SELF))


def _span(node: Node) -> Span:
    return Span(node.start_point[0] + 1, node.end_point[0] + 1)
