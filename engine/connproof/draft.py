"""A request being written: base, query, headers, body and the texts in braces, before it is signed.

A draft is a value; each step gives a new one. The config's texts have their braces filled before anything that comes
from outside is placed, so that no cursor is ever read as a template. Nothing is encoded until `request`; a
followed URL never is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Literal
from urllib.parse import quote, unquote, urlencode

from connproof.errors import CallWrong, LimitExceeded, ProviderBroke
from connproof.model import Headers, LongUrl, Placement, Query, Request
from connproof.places import ABSENT, Absent, JsonValue, Place, put

__all__ = ["Draft", "as_text", "encoded", "has_parameter", "segment", "without_parameter", "xml_text"]

_BRACES = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_NO_SEGMENTS: Final = frozenset({"", ".", ".."})
_MOST_URL_CHARACTERS: Final = 32_768
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # all but XML 1.0's Char
_IN_XML: Final = MappingProxyType(str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}))
_TYPES: Final = MappingProxyType(
    {
        "json": "application/json",
        "form": "application/x-www-form-urlencoded",
        "xml": "text/xml; charset=utf-8",
        "text": "text/plain; charset=utf-8",
    }
)


def as_text(value: JsonValue) -> str:
    """A scalar as it stands in a query or a header: true for True, digits for a number.

    Raises ProviderBroke for what has no such form.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return json.dumps(value)
    kind = "null" if value is None else "an object" if isinstance(value, dict) else "a list"
    raise ProviderBroke(f"{kind} cannot be sent back as a parameter", fix="point the path at a text or a number")


def segment(name: str, value: str) -> str:
    """One encoded path segment. Raises CallWrong for what could lead elsewhere: "", ".", ".."."""
    if value in _NO_SEGMENTS:
        raise CallWrong(f'the path parameter "{name}" is {value!r}', fix="a path parameter is one non-empty segment")
    return quote(value, safe="")


def xml_text(text: str) -> str | None:
    """A text as character data, or as an attribute's value; None where it has a character that no XML may have."""
    return None if _NOT_IN_XML.search(text) else text.translate(_IN_XML)


def encoded(query: Query) -> str:
    """Query pairs in their percent-encoded form."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query)


def has_parameter(url: str, name: str) -> bool:
    """Whether a URL's query has a parameter of this name."""
    pairs = url.partition("?")[2].partition("#")[0].split("&")
    return any(unquote(pair.partition("=")[0].replace("+", " ")) == name for pair in pairs)


def without_parameter(url: str, name: str) -> str:
    """The URL without the parameters of this name; every other byte stays."""
    path, question, query = url.partition("?")
    kept = [pair for pair in query.split("&") if unquote(pair.partition("=")[0].replace("+", " ")) != name]
    return f"{path}{question if kept else ''}{'&'.join(kept)}"


@dataclass(frozen=True, slots=True)
class Draft:
    """A request before it is encoded.

    `common` is sent beside `query`; names that stand in `query` or in `url` win. `encode` is how a body that
    is no text is written. A URL that `long_url` finds too long is sent as a form.
    """

    method: str
    url: str
    query: Query = ()
    headers: Headers = ()
    body: JsonValue | Absent = ABSENT
    common: Query = ()
    encode: Literal["json", "form", "xml", "text"] = "json"
    long_url: LongUrl | None = None

    def __repr__(self) -> str:  # signed, it holds a credential
        return f"Draft({self.method} {self.url.split('?', 1)[0]})"

    def placed(self, where: Placement, name: str, value: JsonValue) -> Draft:
        """The draft with a value at its place; one that stood there is replaced.

        Raises ProviderBroke for a value that may not stand there: it comes from the provider.
        """
        if where == "query":
            return self.with_query(name, as_text(value))
        if where == "header":
            text = as_text(value)
            if not _HEADER_VALUE.fullmatch(text):
                raise ProviderBroke(
                    f'the header "{name.lower()}" would hold a character that no header may hold',
                    fix="nothing was sent; report it to the provider",
                )
            return self.with_header(name, text)
        if where == "template":
            return self._in_braces(name, as_text(value))
        body: JsonValue = {} if isinstance(self.body, Absent) else self.body
        try:
            return replace(self, body=put(body, Place.parse(name), value))
        except ValueError as wrong:  # config has judged its own body: this one is the caller's
            raise CallWrong(f"the body has no place for {name!r}", facts={"seen": str(wrong)}) from None

    def filled(self, texts: Mapping[str, str]) -> Draft:
        """The draft with {name} replaced by its text in query, headers and body. Braces that nobody fills stay.

        In a body of XML the text is escaped: it can be character data or an attribute's value, never markup.
        """
        if not texts:
            return self

        def fill(text: str) -> str:
            return _BRACES.sub(lambda found: texts.get(found[1], found[0]), text)

        def fill_body(text: str) -> str:
            if self.encode != "xml":
                return fill(text)
            return _BRACES.sub(
                lambda found: _in_xml(found[1], texts[found[1]]) if found[1] in texts else found[0], text
            )

        return replace(
            self,
            query=tuple((name, fill(value)) for name, value in self.query),
            headers=tuple((name, fill(value)) for name, value in self.headers),
            body=self.body if isinstance(self.body, Absent) else _each_text(self.body, fill_body),
            common=tuple((name, fill(value)) for name, value in self.common),
        )

    def _in_braces(self, name: str, text: str) -> Draft:
        braces, url = f"{{{name}}}", self.url
        if braces in url:
            if text in _NO_SEGMENTS:
                raise ProviderBroke(f'"{name}" is {text!r}, which is no segment of a path', fix="nothing was sent")
            url = url.replace(braces, segment(name, text))
        return replace(self.filled({name: text}), url=url)

    def with_query(self, name: str, value: str) -> Draft:
        kept = tuple(pair for pair in self.query if pair[0] != name)
        return replace(self, query=(*kept, (name, value)))

    def with_header(self, name: str, value: str) -> Draft:
        lower = name.lower()
        kept = tuple(pair for pair in self.headers if pair[0] != lower)
        return replace(self, headers=(*kept, (lower, value)))

    def following(self, url: str, *, keep_own: bool) -> Draft:
        """The draft that follows a URL as it stands; own parameters are dropped, or added where it lacks them."""
        own = tuple(pair for pair in self.query if not has_parameter(url, pair[0]))
        return replace(self, url=url, query=own if keep_own else (), common=self.common if keep_own else ())

    def request(self) -> Request:
        """The one form that goes out. Raises CallWrong, LimitExceeded for what may not."""
        own = {name for name, _ in self.query}
        lacking = (pair for pair in self.common if pair[0] not in own and not has_parameter(self.url, pair[0]))
        query = (*lacking, *self.query)
        url = self.url
        if query:
            url = f"{url}{'&' if '?' in url else '?'}{encoded(query)}"
        if self.long_url is not None and len(url) > self.long_url.over and isinstance(self.body, Absent):
            path, _, asked = url.partition("?")
            form = "&".join(part for part in (asked, encoded(self.long_url.form)) if part)
            short = replace(self, method="POST", url=path, query=(), common=(), body=form, long_url=None)
            return short.with_header("content-type", _TYPES["form"]).request()
        if len(url) > _MOST_URL_CHARACTERS:
            raise LimitExceeded(
                "the URL would be too long",
                facts={"seen": f"{len(url):,} characters", "most": f"{_MOST_URL_CHARACTERS:,}"},
            )
        headers = self.headers
        for name, value in headers:
            if not (_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)):
                raise CallWrong(
                    f'the header "{name}" has a character that no header may have',
                    fix="control characters and characters beyond Latin-1 are refused, never cut off",
                )
        body = self._body()
        is_typed = not isinstance(self.body, str) or self.encode in {"xml", "text"}
        if isinstance(body, bytes) and is_typed and all(n != "content-type" for n, _ in headers):
            headers = (*headers, ("content-type", _TYPES[self.encode]))
        return Request(self.method, url, headers, body)

    def _body(self) -> bytes | None:
        if isinstance(self.body, Absent):
            return None
        if isinstance(self.body, str):
            return self.body.encode()
        if self.encode == "form":
            return urlencode(_fields(self.body)).encode()
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode()


def _in_xml(name: str, text: str) -> str:
    escaped = xml_text(text)
    if escaped is None:
        raise CallWrong(
            f'"{name}" has a character that no XML may have',
            fix="write it without; it is neither left out nor replaced",
        )
    return escaped


def _each_text(value: JsonValue, change: Callable[[str], str]) -> JsonValue:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_each_text(inner, change) for inner in value]
    if isinstance(value, dict):
        return {name: _each_text(inner, change) for name, inner in value.items()}
    return value


def _fields(body: JsonValue) -> list[tuple[str, str]]:
    if not isinstance(body, dict):
        raise CallWrong("a form is written from an object alone", fix="give the body's members by name")
    pairs = ((name, one) for name, value in body.items() for one in (value if isinstance(value, list) else [value]))
    try:
        return [(name, as_text(one)) for name, one in pairs]
    except ProviderBroke as wrong:
        raise CallWrong(f"the body is no form: {wrong.what}", fix="a form has one level, and no null") from None
