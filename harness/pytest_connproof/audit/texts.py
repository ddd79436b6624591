"""The text that an expression makes, as far as the source says it: literals, and holes for what only a run knows.

Python, JavaScript and TypeScript have the same expressions under different names; the names of both stand side by side.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pytest_connproof.audit.facts import Hole, Text

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["WRAPPERS", "arguments_of", "callee_of", "key_of", "name_of", "source_of", "text_of"]

_DEPTH: Final = 24
_PLACE: Final = re.compile(r"\{[^{}]*\}|%[sdi]")
WRAPPERS: Final = frozenset(
    {"parenthesized_expression", "await", "await_expression", "as_expression", "non_null_expression"}
    | {"satisfies_expression", "type_assertion"}
)
_STRINGS: Final = frozenset({"string", "template_string"})
_MEMBERS: Final = frozenset({"attribute", "member_expression"})
_CALLS: Final = frozenset({"call", "call_expression", "new_expression"})
_OR: Final = frozenset({"or", "||", "??"})
_SETTINGS: Final = ("environ.get", "env.get", "getenv")
# What comes of these is still known by the name of what they are given, or of what they are asked of.
_WRITTEN: Final = frozenset(
    {"encodeURI", "encodeURIComponent", "Number", "String", "int", "quote", "quote_plus", "str"}
)
_TRIMMED: Final = frozenset(
    {"lower", "lstrip", "replace", "replaceAll", "rstrip", "strip", "toLowerCase", "toString", "toUpperCase", "trim"}
    | {"upper"}
)


def source_of(node: Node) -> str:
    """The node as it stands in the file."""
    return (node.text or b"").decode("utf-8", "replace")


def name_of(node: Node | None) -> str:
    """`self.client` for an attribute, `client` for a name; the last known name where something else stands between."""
    names: list[str] = []
    while node is not None:
        if node.type in _MEMBERS:
            member = node.child_by_field_name("attribute") or node.child_by_field_name("property")
            names.append(source_of(member) if member else "")
            node = node.child_by_field_name("object")
        elif node.type in WRAPPERS:
            node = node.named_children[0] if node.named_children else None
        elif node.type in _CALLS:
            node = callee_of(node)
        elif node.type in {"subscript", "subscript_expression"}:
            index = node.child_by_field_name("subscript") or node.child_by_field_name("index")
            names.append(key_of(index) if index else "")
            node = node.child_by_field_name("value") or node.child_by_field_name("object")
        else:
            names.append(source_of(node) if node.child_count == 0 else "")
            node = None
    return ".".join(name for name in reversed(names) if name)


def key_of(node: Node | None) -> str:
    """A key: a name, or a text in quotes where it has no hole."""
    if node is None:
        return ""
    if node.type in _STRINGS:
        return "".join(piece for piece in text_of(node) if isinstance(piece, str))
    return source_of(node) if node.child_count == 0 else ""


def callee_of(call: Node) -> Node | None:
    return call.child_by_field_name("function") or call.child_by_field_name("constructor")


def arguments_of(call: Node) -> list[Node]:
    given = call.child_by_field_name("arguments")
    return [node for node in given.named_children if node.type != "comment"] if given is not None else []


def text_of(node: Node | None, depth: int = 0) -> Text:
    """The text of an expression; what cannot be told is a hole, never left out."""
    if node is None or depth > _DEPTH:
        return (Hole(""),)
    kind = node.type
    if kind in _STRINGS:
        return _of_string(node, depth)
    if kind in WRAPPERS or kind == "expression_statement":
        return text_of(node.named_children[0] if node.named_children else None, depth + 1)
    if kind == "concatenated_string":
        return _joined(*(text_of(part, depth + 1) for part in node.named_children))
    if kind in {"binary_operator", "binary_expression", "boolean_operator"}:
        return _of_two(node, depth)
    if kind in _CALLS:
        return _of_call(node, depth)
    return (Hole(name_of(node)),)


def _of_string(node: Node, depth: int) -> Text:
    pieces: list[str | Hole] = []
    for part in node.named_children:
        if part.type in {"string_content", "string_fragment", "escape_sequence"}:
            pieces.append(source_of(part))
        elif part.type in {"interpolation", "template_substitution"}:
            pieces += text_of(part.named_children[0] if part.named_children else None, depth + 1)
    return _joined(tuple(pieces))


def _of_two(node: Node, depth: int) -> Text:
    left = text_of(node.child_by_field_name("left"), depth + 1)
    right = text_of(node.child_by_field_name("right"), depth + 1)
    sign = node.child_by_field_name("operator")
    operator = sign.type if sign is not None else ""
    if operator == "+":
        return _joined(left, right)
    if operator == "%":
        return _filled(left, [right])
    if operator in _OR:  # a default is the best that is known
        return right if any(isinstance(piece, str) for piece in right) else left
    return (Hole(name_of(node)),)


def _of_call(node: Node, depth: int) -> Text:
    callee, given = callee_of(node), arguments_of(node)
    last = name_of(callee).rpartition(".")[2]
    texts = [text_of(one, depth + 1) for one in given[:3]]
    if last == "urljoin" and len(texts) >= 2:
        return _joined(texts[0], texts[1])
    if last == "URL" and texts:
        return _joined(texts[1], texts[0]) if len(texts) > 1 else texts[0]
    if last in _WRITTEN and texts:
        return texts[0]
    addresses = [text for text in texts if text and isinstance(text[0], str) and text[0].startswith("http")]
    if addresses:  # the default of a setting, or a text that is only wrapped
        return addresses[0]
    if len(texts) == 2 and name_of(callee).endswith(_SETTINGS):  # with a default
        return texts[1]
    if callee is not None and callee.type in _MEMBERS:
        whole = text_of(callee.child_by_field_name("object"), depth + 1)
        if last in _TRIMMED or any(isinstance(piece, str) for piece in whole):
            return _filled(whole, texts) if last == "format" else whole
    return (Hole(name_of(callee)),)


def _filled(text: Text, given: list[Text]) -> Text:
    """The places of a format, `{}` or `%s`, as holes or as what is given for them."""
    pieces: list[str | Hole] = []
    rest = list(given)
    for piece in text:
        if isinstance(piece, Hole):
            pieces.append(piece)
            continue
        end = 0
        for place in _PLACE.finditer(piece):
            pieces.append(piece[end : place.start()])
            pieces += rest.pop(0) if rest else (Hole(place[0].strip("{}")),)
            end = place.end()
        pieces.append(piece[end:])
    return _joined(tuple(pieces))


def _joined(*texts: Text) -> Text:
    """One text, with no empty piece and no two literals in a row."""
    pieces: list[str | Hole] = []
    for piece in (piece for text in texts for piece in text):
        if isinstance(piece, str) and pieces and isinstance(pieces[-1], str):
            pieces[-1] += piece
        elif piece != "":
            pieces.append(piece)
    return tuple(pieces)
