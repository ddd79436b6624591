"""What a request says in the places that a config declares: parameters of its path, query, headers, body and templates.

The request is taken apart here, never compared with one that the engine would write. A provider insists on what the
config declares: its path, its own parameters with their own values, each of them once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.sax.saxutils import escape, unescape

from connproof.config import BRACES
from connproof.model import Account, Connector, Operation, Pagination, Placement, Query, Request
from connproof.places import ABSENT, Absent, JsonValue, Place, put
from connproof.run.asking import Asking

__all__ = ["Said", "Slots"]

_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Said:
    """A request of one operation, taken apart. `raw` are the pairs of its query as they came, not decoded.

    `lacks_query` is the first of the config's own parameters that the query lacks, has twice or has otherwise, `lacks`
    what is so of its headers and its body; "" for none.
    """

    request: Request
    query: Query
    raw: tuple[str, ...]
    body: JsonValue | Absent
    named: Mapping[str, str]
    lacks_query: str = ""
    lacks: str = ""

    def find(self, where: Placement, name: str) -> JsonValue | Absent:
        """What is sent there under this name; ABSENT where nothing is."""
        match where:
            case "query":
                return next((value for key, value in self.query if key == name), ABSENT)
            case "header":
                sent = self.request.header(name.lower())
                return ABSENT if sent is None else sent
            case "template":
                return self.named.get(name, ABSENT)
            case "body":
                return ABSENT if isinstance(self.body, Absent) else Place.parse(name).find(self.body)


class Slots:
    """The places of one operation's requests. Raises CallWrong where the account lacks a variable of the base URL."""

    def __init__(self, connector: Connector, account: Account, operation: Operation) -> None:
        self._operation = operation
        asking = Asking(connector, account)
        self.base = asking.base_url
        version = connector.api_version
        stated = {"api_version": version.value} if version else {}
        self._known = {**asking.variables, **stated}
        in_path = {name: quote(text, safe="") for name, text in asking.variables.items()}
        self._path = _pattern(urlsplit(self.base).path + operation.path, in_path | stated, r"[^/?#]+")
        common, headers = [*connector.query], dict(connector.headers)
        if version and version.name and version.place == "query":
            common.append((version.name, version.value))
        if version and version.name and version.place == "header":
            headers[version.name] = version.value
        self._paged = frozenset(_placements(operation.pagination))
        own = {name for name, _ in operation.query}
        query = [*operation.query, *(pair for pair in common if pair[0] not in own)]
        self._query = [(name, _pattern(text, self._known)) for name, text in query]
        texts = {name.lower(): text for name, text in (*headers.items(), *operation.headers)}
        self._headers = {name: _pattern(text, self._known) for name, text in texts.items()}

    @property
    def own_names(self) -> frozenset[str]:
        """The parameters of the query that the config itself sends."""
        return frozenset({name for name, _ in self._query} | {name for where, name in self._paged if where == "query"})

    def is_for(self, request: Request) -> bool:
        """Whether a request is for this operation, by its method and path."""
        methods = {self._operation.method} | ({"POST"} if self._operation.long_url else set())
        return request.method in methods and self._path.fullmatch(urlsplit(request.url).path) is not None

    def read(self, request: Request) -> Said:
        """Take a request of this operation apart."""
        url = urlsplit(request.url)
        raw = tuple(part for part in url.query.split("&") if part)
        pairs = parse_qsl(url.query, keep_blank_values=True)
        form = _form(request)
        body: JsonValue | Absent = _body(request) if form is None else {name: text for name, text in form}  # noqa: C416 a dict of texts is none of values
        if form is not None and self._is_long(request):
            pairs, body = [*pairs, *form], ABSENT
            raw += tuple((request.body or b"").decode("utf-8", "replace").split("&"))
        named: dict[str, str] = {}
        if found := self._path.fullmatch(url.path):
            named |= {name: unquote(text) for name, text in found.groupdict().items()}
        for name, pattern in self._query:
            named |= _captured(pattern, next((value for key, value in pairs if key == name), ""))
        for name, pattern in self._headers.items():
            named |= _captured(pattern, request.header(name) or "")
        named |= self._in_body(request, body)
        lacks = self._lacks_header(request) or self._lacks_in_body(request, body, form or [])
        return Said(request, tuple(pairs), raw, body, named, self._lacks_query(request, pairs), lacks)

    def _is_long(self, request: Request) -> bool:
        return self._operation.long_url is not None and request.method == "POST"

    def _lacks_query(self, request: Request, pairs: list[tuple[str, str]]) -> str:
        for name, pattern in self._query:
            values = [value for key, value in pairs if key == name]
            if len(values) > len([one for one, _ in self._query if one == name]):
                return f"the parameter {name} is sent {len(values)} times"
            if ("query", name) not in self._paged and not any(pattern.fullmatch(value) for value in values):
                return f"the parameter {name} is not as documented"
        sent = [name for name, _ in pairs]
        if twice := [name for where, name in sorted(self._paged) if where == "query" and sent.count(name) > 1]:
            return f"the parameter {twice[0]} is sent {sent.count(twice[0])} times"
        if self._operation.long_url is not None and self._is_long(request):
            for pair in self._operation.long_url.form:
                if pair not in pairs:
                    return f"the parameter {pair[0]} is not as documented"
        return ""

    def _lacks_header(self, request: Request) -> str:
        paged = {name.lower() for where, name in self._paged if where == "header"}
        for name, pattern in self._headers.items():
            if name in paged:
                continue
            sent = request.header(name)
            if sent is None or not pattern.fullmatch(sent):
                return f"the header {name} is not as documented"
        return ""

    def _lacks_in_body(self, request: Request, body: JsonValue | Absent, form: list[tuple[str, str]]) -> str:
        template = self._operation.body
        if isinstance(template, Absent):
            return ""
        if isinstance(template, str):
            is_alike = self._text_of(template).fullmatch((request.body or b"").decode("utf-8", "replace"))
            return "" if is_alike else "the body is not as documented"
        for place in (Place.parse(name) for where, name in self._paged if where == "body"):
            if not isinstance(body, Absent) and not isinstance(sent := place.find(body), Absent):
                template = put(template, place, sent)
        if isinstance(template, dict) and form:
            several = {name for name, value in template.items() if isinstance(value, list)}
            names = [name for name, _ in form if name not in several]
            if len(names) > len(set(names)):
                return "the body has a parameter twice"
            body = {name: [v for n, v in form if n == name] if name in several else text for name, text in form}
        return "" if self._agrees(template, body, is_form=bool(form)) else "the body is not as documented"

    def _agrees(self, template: JsonValue, sent: JsonValue | Absent, *, is_form: bool) -> bool:
        """Whether everything that the config has in a body stands there, whatever stands beside it."""
        if isinstance(template, str):
            return isinstance(sent, str) and _pattern(template, self._known).fullmatch(sent) is not None
        if isinstance(template, dict):
            return isinstance(sent, dict) and all(
                self._agrees(inner, sent.get(name, ABSENT), is_form=is_form) for name, inner in template.items()
            )
        if isinstance(template, list):
            return (
                isinstance(sent, list)
                and len(sent) == len(template)
                and all(self._agrees(one, other, is_form=is_form) for one, other in zip(template, sent, strict=True))
            )
        return sent == (json.dumps(template) if is_form else template) and (is_form or type(sent) is type(template))

    def _in_body(self, request: Request, body: JsonValue | Absent) -> dict[str, str]:
        template = self._operation.body
        if isinstance(template, Absent):
            return {}
        if isinstance(template, str):
            named = _captured(self._text_of(template), (request.body or b"").decode("utf-8", "replace"))
            return {name: self._unescaped(text) for name, text in named.items()}
        found: dict[str, str] = {}
        for text, sent in _alike(template, body):
            found |= _captured(_pattern(text, self._known), sent)
        return found

    def _text_of(self, template: str) -> re.Pattern[str]:
        """What a body that is a text looks like: in XML, what is filled in is escaped."""
        if self._operation.encode != "xml":
            return _pattern(template, self._known)
        return _pattern(template, {name: _as_xml(text) for name, text in self._known.items()})

    def _unescaped(self, text: str) -> str:
        return unescape(text, {"&quot;": '"', "&apos;": "'"}) if self._operation.encode == "xml" else text


def _as_xml(text: str) -> str:
    return escape(text, {'"': "&quot;", "'": "&apos;"})


def _placements(paging: Pagination | None) -> Iterator[tuple[Placement, str]]:
    """Where paging writes, over whatever the config has there."""
    if paging is None:
        return
    words = ("cursor", "offset", "page", "key", "page_size")
    sent = [(getattr(paging, f"{word}_in"), getattr(paging, f"{word}_param")) for word in words]
    sent += [(part.place, part.param) for part in (paging.window, paging.frozen, paging.bookmark) if part is not None]
    yield from ((where, name) for where, name in sent if name is not None)
    if paging.then is not None:
        yield from _placements(paging.then.pagination)


def _pattern(text: str, known: Mapping[str, str], one: str = ".*?") -> re.Pattern[str]:
    """What a text with names in braces matches: each captures what stands there, a known one is its value."""
    parts, at, seen = "", 0, set[str]()
    for found in BRACES.finditer(text):
        parts += re.escape(text[at : found.start()])
        name = found[1]
        if name in known:
            parts += re.escape(known[name])
        elif name in seen:
            parts += f"(?P={name})"
        else:
            parts += f"(?P<{name}>{one})"
            seen.add(name)
        at = found.end()
    return re.compile(parts + re.escape(text[at:]), re.DOTALL)


def _captured(pattern: re.Pattern[str], text: str) -> dict[str, str]:
    found = pattern.fullmatch(text)
    return found.groupdict() if found else {}


def _form(request: Request) -> list[tuple[str, str]] | None:
    """The pairs of a form; None for any other body."""
    if request.body is None or not (request.header("content-type") or "").startswith(_FORM):
        return None
    return parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)


def _body(request: Request) -> JsonValue | Absent:
    if request.body is None:
        return ABSENT
    try:
        document: JsonValue = json.loads(request.body.decode("utf-8", "replace"))
    except ValueError:
        return ABSENT
    return document


def _alike(template: JsonValue, sent: JsonValue | Absent) -> Iterator[tuple[str, str]]:
    """The texts of a body's template, each with the text that was sent in its place."""
    if isinstance(template, str):
        if isinstance(sent, str):
            yield template, sent
    elif isinstance(template, dict) and isinstance(sent, dict):
        for name, inner in template.items():
            yield from _alike(inner, sent.get(name, ABSENT))
    elif isinstance(template, list) and isinstance(sent, list):
        for inner, other in zip(template, sent, strict=False):
            yield from _alike(inner, other)
