"""What a request says in the places that a config declares: parameters of its path, query, headers, body and templates.

The request is taken apart here, never compared with one that the engine would write. A provider insists on what the
config declares: its path, its own parameters with their own values, each of them once.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from connproof.config import BRACES
from connproof.model import Account, Connector, Operation, Placement, Query, Request
from connproof.places import ABSENT, Absent, JsonValue, Place
from connproof.run.asking import Asking

__all__ = ["Said", "Slots"]

_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Said:
    """A request of one operation, taken apart. `raw` are the pairs of its query as they came, not decoded."""

    request: Request
    query: Query
    raw: tuple[str, ...]
    body: JsonValue | Absent
    named: Mapping[str, str]

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

    def count(self, name: str) -> int:
        """How often the query has this parameter."""
        return sum(key == name for key, _ in self.query)


class Slots:
    """The places of one operation's requests. Raises CallWrong where the account lacks a variable of the base URL."""

    def __init__(self, connector: Connector, account: Account, operation: Operation) -> None:
        self._operation = operation
        asking = Asking(connector, account)
        self.base = asking.base_url
        version = connector.api_version
        known = {**asking.variables, **({"api_version": version.value} if version else {})}
        path = urlsplit(self.base).path + operation.path
        self._path = _pattern(path, known, r"[^/?#]+")
        self._query = [(name, _pattern(text, known)) for name, text in (*connector.query, *operation.query)]
        if version and version.place == "query" and version.name:
            self._query.append((version.name, _pattern(version.value, {})))
        self._headers = [(name, _pattern(text, known)) for name, text in (*connector.headers, *operation.headers)]
        self._known = known

    @property
    def own_names(self) -> frozenset[str]:
        """The parameters of the query that the config itself sends."""
        return frozenset(name for name, _ in self._query)

    def is_for(self, request: Request) -> bool:
        """Whether a request is for this operation, by its method and path."""
        methods = {self._operation.method} | ({"POST"} if self._operation.long_url else set())
        return request.method in methods and self._path.fullmatch(urlsplit(request.url).path) is not None

    def read(self, request: Request) -> Said:
        """Take a request of this operation apart."""
        url = urlsplit(request.url)
        raw = tuple(part for part in url.query.split("&") if part)
        pairs = parse_qsl(url.query, keep_blank_values=True)
        body = _body(request)
        if self._operation.long_url and request.method == "POST" and isinstance(body, dict):
            pairs += [(name, str(value)) for name, value in body.items()]
        named: dict[str, str] = {}
        if found := self._path.fullmatch(url.path):
            named |= {name: unquote(text) for name, text in found.groupdict().items()}
        for name, pattern in self._query:
            named |= _captured(pattern, next((value for key, value in pairs if key == name), ""))
        for name, pattern in self._headers:
            named |= _captured(pattern, request.header(name.lower()) or "")
        named |= self._in_body(request, body)
        return Said(request, tuple(pairs), raw, body, named)

    def lacking(self, said: Said) -> str:
        """The first of the config's own parameters that the request lacks, has twice or has otherwise; "" for none."""
        for name, pattern in self._query:
            values = [value for key, value in said.query if key == name]
            if len(values) > len([one for one, _ in self._query if one == name]):
                return f"the parameter {name} is sent {len(values)} times"
            if not any(pattern.fullmatch(value) for value in values):
                return f"the parameter {name} is not as documented"
        return ""

    def _in_body(self, request: Request, body: JsonValue | Absent) -> dict[str, str]:
        template = self._operation.body
        if isinstance(template, Absent):
            return {}
        named: dict[str, str] = {}
        if isinstance(template, str):
            named |= _captured(_pattern(template, self._known), (request.body or b"").decode("utf-8", "replace"))
            return {name: html.unescape(text) for name, text in named.items()}
        for text, sent in _alike(template, body):
            named |= _captured(_pattern(text, self._known), sent)
        return named


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


def _body(request: Request) -> JsonValue | Absent:
    if request.body is None:
        return ABSENT
    text = request.body.decode("utf-8", "replace")
    if (request.header("content-type") or "").startswith(_FORM):
        return dict(parse_qsl(text, keep_blank_values=True))
    try:
        document: JsonValue = json.loads(text)
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
