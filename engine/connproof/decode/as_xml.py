"""Bytes of XML to a JSON value, as the config's words for it say.

An element becomes a member of its parent: a text, null where it is empty, or an object where it has
attributes or children; elements of one name become a list where they are several, or where the config says
list. Every value is a text, unless the config calls it a boolean. Comments and processing instructions
are left out; of text between elements the place is lost, never a character that is no white space.

A document type is refused, and with it every entity: what is read stands in the body itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final
from xml.parsers import expat

import xmltodict

from connproof.decode.parts import Limits, canonical, charset, marked, too_deep, unreadable
from connproof.errors import PageUnreadable
from connproof.model import Response, XmlFormat
from connproof.places import JsonValue, Place

__all__ = ["checked", "read"]


def read(response: Response, limits: Limits, words: XmlFormat) -> JsonValue:
    """Parse the body: an object with one member, the root element. Raises PageUnreadable and LimitExceeded.

    The errors are raised outside the handlers: a parser's error leads to the whole body.
    """
    text = checked(response, limits)
    try:
        value = _parsed(text, words)
    except expat.ExpatError as error:
        fault = str(error)
    except _Refused as error:
        fault = error.fault
    else:
        return _shaped(value, words)
    raise _not_read(response, fault)


def checked(response: Response, limits: Limits) -> str:
    """The body as a text that any parser may read: well-formed, of bounded depth, without a document type.

    Whether each prefix is declared is not looked at. Raises PageUnreadable and LimitExceeded.
    """
    text = _text(response)
    try:
        _look_through(text, limits.depth)
    except _TooDeep:
        raise too_deep(response, limits) from None
    except expat.ExpatError as error:
        fault = str(error)
    except _Refused as error:
        fault = error.fault
    else:
        return text
    raise _not_read(response, fault)


def _not_read(response: Response, fault: str) -> PageUnreadable:
    return unreadable(response, "the body is not XML that can be read", fault=fault)


class _Refused(Exception):
    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault


class _TooDeep(Exception):
    pass


# From bytes to text: the mark, the content type and the document itself may each name the encoding.

_DECLARED: Final = re.compile(rb"<\?xml\s[^>]{0,200}?\sencoding\s*=\s*[\"']([A-Za-z][A-Za-z0-9._-]{0,39})[\"']")
# Those in which ASCII bytes mean ASCII, so that no markup can hide in another reading of the same bytes.
_ENCODINGS: Final = frozenset(
    {"utf-8", "ascii", "koi8-r", "koi8-u", "gbk", "gb2312", "euc_jp", "euc_kr"}
    | {f"iso8859-{part}" for part in range(1, 17)}
    | {f"cp{page}" for page in (1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258)}
)
_WIDE: Final = frozenset({"utf-16", "utf-16-le", "utf-16-be"})
_UNMARKED: Final = ((b"<\x00?\x00", "utf-16-le"), (b"\x00<\x00?", "utf-16-be"))


def _text(response: Response) -> str:
    body = response.body
    mark, skipped = marked(body) or (None, 0)
    body = body[skipped:]
    bytewise = mark or next((name for start, name in _UNMARKED if body.startswith(start)), None)
    head = body[:512].decode(bytewise, "ignore").encode("ascii", "ignore") if bytewise in _WIDE else body[:512]
    own = _DECLARED.match(head)
    named = {
        "the bytes": bytewise,
        "the content type": charset(response) or None,
        "the document": own[1].decode() if own and not _is_plainly_wrong(own[1], body) else None,
    }
    names = {who: _known(response, who, name) for who, name in named.items() if name}
    if not _agree(set(names.values()), body):
        words = ", ".join(f"{who} says {name}" for who, name in names.items())
        raise unreadable(response, "the body's encoding is contradicted", fault=words)
    encoding = bytewise or next(iter(names.values()), "utf-8")
    if encoding in _WIDE and not bytewise:
        raise unreadable(response, f"the body is declared to be {encoding} and is not", fault="it has no mark of it")
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as error:
        fault = f"byte {error.start + 1 + skipped}: {error.reason}"
    raise unreadable(response, f"the body is not {encoding}", fault=fault)


def _is_plainly_wrong(declared: bytes, body: bytes) -> bool:
    """Whether ASCII alone is called UTF-16: where a program writes to a text and only then to bytes, it comes so."""
    return canonical(declared.decode(), _WIDE) is not None and body.isascii() and b"\0" not in body


def _known(response: Response, who: str, name: str) -> str:
    known = canonical(name, _ENCODINGS | _WIDE)
    if known is None:
        raise unreadable(response, f"{who} says that the body is {name[:40]}, which is not read")
    return known


def _agree(names: set[str], body: bytes) -> bool:
    """Whether the names mean the same for this body: that of ASCII alone is the same in all but the wide ones."""
    families = {"utf-16" if name in _WIDE else name for name in names}
    if "utf-16" in families:
        return families == {"utf-16"} and not {"utf-16-le", "utf-16-be"} <= names
    return len(families) <= 1 or body.isascii()


# From text to a value.


def _look_through(text: str, depth: int) -> None:
    """Refuse what must not even be read: before anything is built, and in the parser's own time."""
    parser = expat.ParserCreate("utf-8")
    open_elements = 0

    def start(_name: str, _attributes: object) -> None:
        nonlocal open_elements
        open_elements += 1
        if open_elements > depth:
            raise _TooDeep

    def end(_name: str) -> None:
        nonlocal open_elements
        open_elements -= 1

    def document_type(*_: object) -> None:
        raise _Refused(f"line {parser.CurrentLineNumber}: a document type, which may define entities, is refused")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = document_type
    parser.Parse(text.encode("utf-8"), True)


# Attributes of these speak of the element (xsi:type, xsi:nil, xml:lang), and may stand beside one of the same name
# that is data: where prefixes are resolved they have the ones that everybody writes.
_WELL_KNOWN: Final = {
    "http://www.w3.org/XML/1998/namespace": "xml",
    "http://www.w3.org/2001/XMLSchema-instance": "xsi",
}


class _Stripped(dict[str, str]):
    """Every other namespace to no prefix."""

    def __missing__(self, uri: str) -> str:
        return ""


def _parsed(text: str, words: XmlFormat) -> JsonValue:
    prefix, inner_text = words.attribute_prefix, words.text
    declarations = f"{prefix}xmlns"  # where the library puts what it resolved
    resolves = words.namespaces != "keep"
    forced, booleans = _names(words.force_list), _names(words.booleans)

    # What becomes of each attribute, each element and each text: a pair, or None to leave it out.
    def kept(_path: object, name: str, value: Any) -> tuple[str, Any] | None:
        if value.__class__ is str:
            if value.isspace() and not name.startswith(prefix):
                return None if name == inner_text else (name, None)  # the indentation of children, or an empty element
            return (name, _boolean(value)) if name in booleans else (name, value)
        return None if resolves and name == declarations else (name, value)

    parsed: JsonValue = xmltodict.parse(
        text,
        process_namespaces=resolves,
        namespaces=_prefixes(words.namespaces) if resolves else None,
        xml_attribs=words.attributes == "keep",
        attr_prefix=prefix,
        cdata_key=inner_text,
        dict_constructor=_members,  # type: ignore[arg-type]  # its types want a class, where it only calls
        strip_whitespace=False,
        postprocessor=kept,  # type: ignore[arg-type]  # its types forget that None leaves out
        force_list=forced,
    )
    return parsed


def _names(places: tuple[Place, ...]) -> frozenset[str]:
    """Those that are a name alone."""
    return frozenset(step for place in places if len(place.steps) == 1 for step in place.steps if isinstance(step, str))


def _prefixes(namespaces: str | tuple[tuple[str, str], ...]) -> dict[str, str]:
    """URI to prefix; a URI that a config does not name stands before the name itself."""
    return _Stripped(_WELL_KNOWN) if isinstance(namespaces, str) else {**_WELL_KNOWN, **dict(namespaces)}


def _members(pairs: Iterable[tuple[str, Any]] = ()) -> dict[str, Any]:
    every = list(pairs)
    members = dict(every)
    if len(members) != len(every):
        raise _Refused("two attributes of an element have one name without their namespaces: keep the namespaces")
    return members


# What the config says about places. Lists on the way are looked into: XML does not know them.


def _shaped(value: JsonValue, words: XmlFormat) -> JsonValue:
    for place in sorted(words.force_list, key=lambda place: len(place.steps)):  # a container before what it holds
        for container, name in _containers(value, place, made=True):
            found = container.get(name, [])
            container[name] = found if isinstance(found, list) else [found]
    for place in words.booleans:
        for container, name in _containers(value, place, made=False):
            if name in container:
                container[name] = _booleans(container[name], words.text)
    return value


def _containers(value: JsonValue, place: Place, *, made: bool) -> Iterator[tuple[dict[str, JsonValue], str]]:
    """Each object in which the last name of the path stands, or may stand; an empty element is `made` one."""
    *way, last = [step for step in place.steps if isinstance(step, str)]
    if not way:
        return  # a name alone: that was the parser's
    holders: list[JsonValue] = [value]
    for name in way:
        below: list[JsonValue] = []
        for holder in holders:
            if not isinstance(holder, dict) or name not in holder:
                continue
            found = holder[name]
            if made:
                found = holder[name] = _opened(found)
            below += found if isinstance(found, list) else [found]
        holders = below
    yield from ((holder, last) for holder in holders if isinstance(holder, dict))


def _opened(found: JsonValue) -> JsonValue:
    """An empty element as an object without members."""
    if isinstance(found, list):
        return [{} if element is None else element for element in found]
    return {} if found is None else found


_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}  # XML Schema, xs:boolean


def _boolean(text: str) -> bool | str:
    """What is no boolean stays the text it is: the model's schema then says so, and names the record."""
    return _BOOLEANS.get(text.strip(), text)


def _booleans(value: JsonValue, inner_text: str) -> JsonValue:
    if isinstance(value, str):
        return _boolean(value)
    if isinstance(value, list):
        return [_booleans(element, inner_text) for element in value]
    if isinstance(value, dict) and inner_text in value:
        return {**value, inner_text: _booleans(value[inner_text], inner_text)}
    return value
