"""A body of XML as named parts, so that two bodies are compared by what they mean.

What counts: elements, their order, attributes, texts, and namespaces by their URI. What does not: prefixes, white space
between elements, the order of attributes, comments, and how a character is written. A body that the engine's decoder
would refuse in an answer is not read: it has its text alone, and what is wrong with it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from connproof.decode import Limits
from connproof.errors import ProviderBroke
from connproof.model import Response

__all__ = ["is_xml", "on_one_line", "parts_of"]

_LIMITS: Final = Limits()
_DECLARATION: Final = re.compile(r"\A<\?xml\s[^>]*\?>")
_BETWEEN: Final = re.compile(r">\s+<")
_TAG: Final = re.compile(r"<[^<>]*>")
_WHITE_SPACE: Final = " \t\r\n"  # XML 1.0, S
_TYPE: Final = "{http://www.w3.org/2001/XMLSchema-instance}type"


def is_xml(media_type: str) -> bool:
    """Whether a media type, in lower case and without parameters, is one of XML."""
    return media_type in {"application/xml", "text/xml"} or media_type.endswith("+xml")


def parts_of(body: bytes, content_type: str = "text/xml; charset=utf-8") -> Mapping[str, tuple[str, ...]]:
    """The body part by part: `body/Order/Line[2]` a text, `body/Order/@id` an attribute, `body/Order/*` the children.

    Elements go by their own names, and children are said in their order; one of another namespace than its parent's is
    `{URI}name`, as an attribute of any is. Of a body that is not read, the parts are `body` and `body as XML`.
    """
    from connproof.decode import as_xml  # most connectors send no XML

    try:
        root = _parsed(as_xml.checked(Response(200, (("content-type", content_type),), body), _LIMITS))
    except ProviderBroke as refused:
        fault = str(refused.facts.get("fault") or refused.what)
    except ParseError as wrong:  # what only a parser that knows namespaces sees
        fault = str(wrong)
    else:
        return {"body/*": (root.tag,), **dict(_parts(root, f"body/{_local(root.tag)}"))}
    return {"body": (body.decode("utf-8", "backslashreplace"),), "body as XML": (fault,)}


def on_one_line(text: str) -> str:
    """A text of XML without its declaration, lines in tags and white space between them, where that is all it loses."""
    short = _BETWEEN.sub("><", _DECLARATION.sub("", text.strip()).strip())
    short = _TAG.sub(lambda tag: " ".join(line.strip() for line in tag[0].splitlines()), short)
    return short if parts_of(short.encode()) == parts_of(text.encode()) else text


def _parsed(text: str) -> Element:
    """The root element. Raises ParseError."""
    parser: XMLParser[Element] = XMLParser(target=_Resolving())  # noqa: S314 the text has no document type
    parser.feed(text)
    return parser.close()


class _Resolving(TreeBuilder):
    """Elements as they are built; the name that an xsi:type holds is resolved as theirs are."""

    def __init__(self) -> None:
        super().__init__()
        self._scope: list[tuple[str, str]] = []

    def start_ns(self, prefix: str, uri: str) -> None:
        self._scope.append((prefix, uri))

    def end_ns(self, _prefix: str) -> None:
        self._scope.pop()

    def start(self, tag: str, attributes: dict[str, str]) -> Element:
        if _TYPE in attributes:
            attributes[_TYPE] = self._resolved(attributes[_TYPE])
        return super().start(tag, attributes)

    def _resolved(self, name: str) -> str:
        prefix, _, local = name.strip().rpartition(":")
        uri = next((uri for known, uri in reversed(self._scope) if known == prefix), "")
        return f"{{{uri}}}{local}" if uri else name


def _parts(element: Element, path: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """An element and all that it holds. White space alone is no text, as in an answer."""
    texts = tuple(text if text and text.strip(_WHITE_SPACE) else "" for text in _texts(element))
    if not len(element) or any(texts):
        yield path, texts
    for name, value in element.attrib.items():
        yield f"{path}/@{name}", (value,)
    if not len(element):
        return
    own = _namespace(element.tag)
    yield f"{path}/*", tuple(_local(child.tag) if _namespace(child.tag) == own else child.tag for child in element)
    times: Counter[str] = Counter()
    for child in element:
        name = _local(child.tag)
        times[name] += 1
        yield from _parts(child, f"{path}/{name}" if times[name] == 1 else f"{path}/{name}[{times[name]}]")


def _texts(element: Element) -> Iterator[str | None]:
    """The text before, between and after the children."""
    yield element.text
    yield from (child.tail for child in element)


def _namespace(tag: str) -> str:
    return tag[1:].partition("}")[0] if tag.startswith("{") else ""


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
