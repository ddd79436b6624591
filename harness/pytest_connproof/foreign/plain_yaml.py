"""YAML, event by event, into texts, numbers, lists and mappings. Nothing else is ever constructed.

A tag that asks for an object is refused, aliases are bounded in what they repeat, and what YAML
takes for dates stays the text that stands there: recordings of other tools are hostile until read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NoReturn

import yaml

from connproof.documents import MAX_DEPTH, child
from connproof.errors import shortened
from pytest_connproof.foreign.document import Document, Part, Value, base64_bytes
from pytest_connproof.foreign.tape import CUT, Unfit

__all__ = ["read_yaml"]

_MOST_REPEATED: Final = 1_000_000  # values that aliases may stand for, altogether
_DEEPEST_LINE: Final = 4  # /interactions/3/response/headers: below, the nearest line will do
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # PyYAML may be built without libyaml

# The tags that only say what kind of plain value stands there. Whatever else a tag asks for is refused.
_YAML: Final = "tag:yaml.org,2002:"
_TEXT_TAGS: Final = {
    *("!", "!str", "!ruby/string", "!ruby/sym", "!ruby/symbol"),
    *(_YAML + name for name in ("str", "timestamp", "python/str", "python/unicode")),
}
_BYTES_TAGS: Final = {"!binary", f"{_YAML}binary", f"{_YAML}python/bytes"}
_PLAIN_TAGS: Final = {_YAML + name for name in ("null", "bool", "int", "float")}
_LIST_TAGS: Final = {"!", f"{_YAML}seq", f"{_YAML}python/tuple"}
_MAPPING_TAGS: Final = {"!", f"{_YAML}map"}
_MAPPING_CLASSES: Final = ("!ruby/hash:", "!map:")  # a mapping of a class of its own
_LIST_CLASSES: Final = ("!ruby/array:", "!seq:")
_TEXT_CLASSES: Final = ("!str", "!ruby/string")  # a text with instance variables: the text is its member "str"

_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_WHOLE: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FRACTION: Final = re.compile(r"[-+]?[0-9]{1,17}\.[0-9]{1,17}(?:[eE][-+]?[0-9]{1,2})?")


def read_yaml(text: str) -> Document:
    """Read one YAML document. Raises Unfit."""
    tree = _Tree()
    try:
        tree.grow(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as fault:
        line = fault.problem_mark.line + 1 if fault.problem_mark else 0
        raise Unfit("", f"neither JSON nor YAML: {fault.problem or fault.context}", line=line, fix=CUT) from None
    except yaml.YAMLError:
        raise Unfit("", "neither JSON nor YAML: it holds characters that YAML does not allow", fix=CUT) from None
    return Document(Part(tree.root), tree.line)


@dataclass(slots=True)
class _Open:
    """A list or mapping that has begun: its value so far, and how many values that is."""

    value: list[Value] | dict[str, Value]
    pointer: str
    line: int
    anchor: str | None
    is_text: bool = False
    key: str | None = None
    size: int = 1


class _Tree:
    """Events to values. Without recursion, so that no depth of nesting can exhaust the stack."""

    def __init__(self) -> None:
        self.root: Value = None
        self._lines: dict[str, int] = {}
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Value, int]] = {}
        self._repeated = 0
        self._documents = 0

    def line(self, pointer: str) -> int:
        while pointer and pointer not in self._lines:
            pointer = pointer.rpartition("/")[0]
        return self._lines.get(pointer, 0)

    def grow(self, events: Iterable[yaml.Event]) -> None:
        for event in events:
            line = event.start_mark.line + 1 if event.start_mark else 0
            if isinstance(event, yaml.ScalarEvent):
                self._scalar(event, line)
            elif isinstance(event, yaml.MappingStartEvent):
                tag = event.tag or "!"
                is_text = tag.startswith(_TEXT_CLASSES)
                if not is_text and tag not in _MAPPING_TAGS and not tag.startswith(_MAPPING_CLASSES):
                    self._refuse_tag(tag, line)
                self._begin(_Open({}, self._pointer(), line, event.anchor, is_text))
            elif isinstance(event, yaml.SequenceStartEvent):
                tag = event.tag or "!"
                if tag not in _LIST_TAGS and not tag.startswith(_LIST_CLASSES):
                    self._refuse_tag(tag, line)
                self._begin(_Open([], self._pointer(), line, event.anchor))
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                self._end()
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event.anchor, line)
            elif isinstance(event, yaml.DocumentStartEvent):
                self._documents += 1
                if self._documents > 1:
                    raise Unfit("", "a second document begins", line=line, fix="keep one document in each file")

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> None:
        value = self._value(event, line)
        if event.anchor:
            self._anchors[event.anchor] = (value, 1)
        top = self._open[-1] if self._open else None
        if top is None or top.key is not None or isinstance(top.value, list):
            self._put(value, 1)
            return
        # A key is the text that stands there, whatever it looks like: 200, true, null.
        top.key = value.decode("latin-1") if isinstance(value, bytes) else str(event.value)
        if top.key in top.value:
            raise Unfit(
                child(top.pointer, top.key),
                f"{shortened(repr(top.key), 60)} stands there a second time",
                line=line,
                fix="two values for one name: keep one",
            )

    def _value(self, event: yaml.ScalarEvent, line: int) -> Value:
        text = str(event.value)
        tag = event.tag or "!"
        if tag in _PLAIN_TAGS or (event.tag is None and event.implicit[0]):
            return _plain(text)
        if tag in _BYTES_TAGS:
            try:
                return base64_bytes(text, self._pointer())
            except Unfit as unfit:
                unfit.line = line
                raise
        if tag not in _TEXT_TAGS and not tag.startswith(("!ruby/string:", "!str:")):
            self._refuse_tag(tag, line)
        return text

    def _begin(self, new: _Open) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise Unfit("", f"nested deeper than {MAX_DEPTH} levels", line=new.line, fix=CUT)
        if self._open and isinstance(self._open[-1].value, dict) and self._open[-1].key is None:
            raise Unfit(self._open[-1].pointer, "a key that is no text", line=new.line, fix=CUT)
        if len(self._open) <= _DEEPEST_LINE:
            self._lines[new.pointer] = new.line
        self._open.append(new)

    def _end(self) -> None:
        done = self._open.pop()
        value: Value = _merged(done) if isinstance(done.value, dict) and "<<" in done.value else done.value
        if done.is_text:
            value = done.value.get("str") if isinstance(done.value, dict) else None
            if not isinstance(value, str | bytes):
                raise Unfit(done.pointer, 'a text of a class of its own without "str"', line=done.line, fix=CUT)
        if done.anchor:
            self._anchors[done.anchor] = (value, done.size)
        self._put(value, done.size)

    def _alias(self, anchor: str | None, line: int) -> None:
        if anchor is None or anchor not in self._anchors:
            raise Unfit(self._pointer(), f"*{anchor} stands for what has not ended before it", line=line, fix=CUT)
        value, size = self._anchors[anchor]
        self._repeated += size
        if self._repeated > _MOST_REPEATED:
            raise Unfit(
                self._pointer(),
                f"its aliases stand for more than {_MOST_REPEATED} values",
                line=line,
                fix="no tool records such a file: do not use it",
            )
        top = self._open[-1] if self._open else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            raise Unfit(top.pointer, "a key that is an alias", line=line, fix="write the key out")
        self._put(value, size)

    def _put(self, value: Value, size: int) -> None:
        if not self._open:
            self.root = value
            return
        top = self._open[-1]
        top.size += size
        if isinstance(top.value, list):
            top.value.append(value)
        else:
            assert top.key is not None
            top.value[top.key] = value
            top.key = None

    def _pointer(self) -> str:
        """Where the next value will stand."""
        if not self._open:
            return ""
        top = self._open[-1]
        return child(top.pointer, len(top.value) if isinstance(top.value, list) else top.key or "")

    def _refuse_tag(self, tag: str, line: int) -> NoReturn:
        raise Unfit(
            self._pointer(),
            f"the tag {shortened(tag, 80)} asks for an object, and none is made from a recording",
            line=line,
            fix="record it again with a current version of the tool, or write the value out as plain text",
        )


def _plain(text: str) -> Value:
    """The value of a word without quotes. What YAML reads as dates, octals or yes and no stays text."""
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _FRACTION.fullmatch(text) else text


def _merged(mapping: _Open) -> dict[str, Value]:
    """A mapping with what its `<<` refers to. Members written out win, then the earlier of several mappings."""
    assert isinstance(mapping.value, dict)
    below = mapping.value["<<"]
    whole = {name: value for name, value in mapping.value.items() if name != "<<"}
    for layer in below if isinstance(below, list) else [below]:
        if not isinstance(layer, dict):
            raise Unfit(mapping.pointer, '"<<" refers to what is no mapping', line=mapping.line, fix=CUT)
        whole = {**layer, **whole}
    return whole
