"""Replace what people wrote by made-up words of the same form: names, free text, addresses, handles.

What is not known to be harmless is replaced, rather than what is known to be personal. Kept are numbers, truth
values, times, identifiers, words of a vocabulary (by the name they stand under), the words that the config itself uses,
and URLs of the provider. A word becomes the same word wherever it stands, so that a full name is still its parts, and
a title in two records is still the same; capitals, punctuation and, while there are enough, lengths stay. The words
are numbered in the order in which they come: done a second time, nothing changes. When a token or a cookie ends is
made up too: it would tell of the account for as long as it lives.

Left as they are: member names, URLs and queries of requests, headers, and bodies that are no text.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from pytest_connproof.redact.names import bare, says_where, words
from pytest_connproof.redact.policy import Policy
from pytest_connproof.redact.proving import unzipped
from pytest_connproof.redact.symbols import PLACEHOLDER, masked, symbols_in

__all__ = ["synthesised"]

# Under a name that ends so stands a word of somebody's vocabulary or an identifier, if it is one word.
# fmt: off
_VOCABULARY: Final = frozenset({
    "action", "category", "channel", "checksum", "class", "code", "country", "currency", "cursor", "digest",
    "direction", "encoding", "entity", "error", "etag", "event", "extension", "flag", "format", "gid", "guid", "hash",
    "id", "kind", "lang", "language", "level", "locale", "locked", "method", "mime", "mode", "model", "object",
    "operation", "order", "permission", "phase", "platform", "priority", "rel", "resource", "result", "revision",
    "scope", "severity", "sha", "sort", "stage", "state", "status", "success", "timezone", "type", "tz", "unit", "uuid",
    "version", "visibility",
})
# An identifier in one word, but a word of any language in the plural or beside others.
_KEYS: Final = frozenset({"key", "number"})
# Of what is granted beside a secret: when.
_GRANTED: Final = frozenset({"exp", "expiration", "expire", "expires", "expiry", "iat", "issued", "nbf"})
_BORN: Final = frozenset({"birth", "birthday", "birthdate", "born", "dob"})
# fmt: on
_ONE_WORD: Final = r"[^\s@]{1,200}"
_SCOPES: Final = r"[a-z0-9_.:/*-]+(?: [a-z0-9_.:/*-]+)*"
_NUMBER: Final = r"[+-]?[0-9]+(?:[.,][0-9]+)*(?:[eE][+-]?[0-9]+)?%?"
_TRUTH: Final = r"(?i:true|false|yes|no|on|off|t|f|y|n|null|none|nil)"
_DAY: Final = r"[0-9]{4}-[0-9]{2}(?:-[0-9]{2})?|[0-9]{1,2}/[0-9]{1,2}/[0-9]{2,4}|[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}"
_CLOCK: Final = (
    r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?: ?[AaPp][Mm])?(?: ?(?:Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}))?"
)
_NAMED_DAY: Final = r"(?:[A-Z][a-z]{2}, )?[0-9]{1,2} [A-Z][a-z]{2} [0-9]{4}"
_TIME: Final = rf"(?:(?:{_DAY}|{_NAMED_DAY})(?:[T ]{_CLOCK})?|{_CLOCK}|/Date\(-?[0-9]+(?:[+-][0-9]{{4}})?\)/)"
_UUID: Final = r"[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}"
_ISSUE: Final = r"[A-Z][A-Z0-9]+-[0-9]+"
_PLAIN: Final = f"{_NUMBER}|{_TRUTH}|{_TIME}|{_UUID}|{_ISSUE}"
# Letters and digits by turns, as no word has them: d4f7a1, 0035g00002XyZ1.
_OPAQUE: Final = r"(?=(?:[A-Za-z_+/=-]*[0-9]+[A-Za-z_+/=-]+){2}[0-9])[A-Za-z0-9_+/=-]{6,}"
_RUN: Final = r"[^\W\d_]+|\d+"
_STRING: Final = r'"(?:[^"\\]|\\.)*"'
_TAG: Final = r"<!--.*?-->|<!\[CDATA\[|\]\]>|<[^>]*>"
_ATTRIBUTE: Final = r"""(?<=\s)([\w:.-]+)(\s*=\s*)("[^"]*"|'[^']*')"""
_ESCAPE: Final = r"%[0-9A-Fa-f]{2}|&(?:[a-z]+|#[0-9]+|#x[0-9A-Fa-f]+);"
_SCHEME: Final = r"\b(?:https?|ftp|ssh|git|data|mailto|tel)(?=:)"
_COOKIE_ENDS: Final = r"(?i)\bexpires=[^;]+"
_INSTANT: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:([T ])[0-9:]+(?:[.,][0-9]+)?)?"
_LEAST_LITERAL: Final = 4  # a shorter one stands inside other words by chance

_EPOCH_S: Final = 1_000_000_000  # a number of seconds that long is a date
_FAR_S: Final = 4_102_444_800
_LONG: Final = 20  # letters, of which a word has fewer
_SPREAD: Final = 7919  # shares no factor with any number of words, so that none comes twice

_CONSONANTS: Final = "zxvqjkwb"
_VOWELS: Final = "oaiu"


def synthesised(document: Any, policy: Policy) -> tuple[Any, int]:
    """A redacted document without what people wrote, and how many texts were changed."""
    work = _Work(document, policy)
    return work.document(document), work.changed


class _Words:
    """Gives out words and digits: the same for the same, another for each other."""

    def __init__(self) -> None:
        self._given: dict[str, str] = {}
        self._next: Counter[tuple[str, int]] = Counter()

    def instead(self, run: str) -> str:
        """For a run of letters or of digits. A capital stands where one stood."""
        known = run.casefold()
        if known not in self._given:
            self._given[known] = self._new("digits" if run.isdecimal() else "letters", len(run))
        made = self._given[known]
        if run.isupper() and len(run) > 1:
            return made.upper()
        return "".join(c.upper() if at < len(run) and run[at].isupper() else c for at, c in enumerate(made))

    def _new(self, kind: str, length: int) -> str:
        while (number := self._next[kind, length]) >= _room(kind, length):
            length += 1
        self._next[kind, length] += 1
        number = (number * _SPREAD + _SPREAD) % _room(kind, length)
        if kind == "digits":
            return f"{number:0{length}d}"
        letters = []
        for place in reversed(range(length)):
            alphabet = _VOWELS if place % 2 else _CONSONANTS
            number, letter = divmod(number, len(alphabet))
            letters.append(alphabet[letter])
        return "".join(reversed(letters))


def _room(kind: str, length: int) -> int:
    """How many words of that length there are."""
    if kind == "digits":
        return int(10**length)
    return int(len(_CONSONANTS) ** ((length + 1) // 2) * len(_VOWELS) ** (length // 2))


class _Work:
    """One document on its way."""

    def __init__(self, document: Any, policy: Policy) -> None:
        self.changed = 0
        self._words = _Words()
        self._keep = frozenset(map(bare, policy.keep))
        self._literals = policy.literals
        asked = [urlsplit(exchange["request"]["url"]) for exchange in _exchanges(document)]
        self._hosts = {url.hostname for url in asked if url.hostname}
        self._paths = {url.path for url in asked}
        self._asked = {value for one in _exchanges(document) for _, value in one["request"].get("query", ())}
        self._origins = re.compile("|".join(rf"https?://{re.escape(host)}(?![\w.-])" for host in sorted(self._hosts)))
        spans = [re.escape(one) for one in sorted(policy.literals, key=len, reverse=True) if len(one) >= _LEAST_LITERAL]
        self._said = re.compile(rf"(?<!\w)(?:{'|'.join(spans)})(?!\w)", re.IGNORECASE) if spans else None
        self._patterns = policy.patterns

    def document(self, document: Any) -> Any:
        lanes = [
            {**lane, **self._call(lane), "exchanges": [self._exchange(one) for one in lane["exchanges"]]}
            for lane in document["lanes"]
        ]
        return {**document, "lanes": lanes}

    def _call(self, lane: dict[str, Any]) -> dict[str, Any]:
        if "call" not in lane:
            return {}
        call = lane["call"]
        return {"call": {**call, **{name: self._json(call[name], "") for name in ("body", "record") if name in call}}}

    def _exchange(self, exchange: dict[str, Any]) -> dict[str, Any]:
        return {**exchange, **{side: self._message(exchange[side]) for side in ("request", "response")}}

    def _message(self, message: dict[str, Any]) -> dict[str, Any]:
        changed = dict(message)
        if "headers" in message:
            changed["headers"] = [[name, self._header(value, name)] for name, value in message["headers"]]
        if "json" in message:
            changed["json"] = self._json(message["json"], "")
        if "form" in message:
            changed["form"] = [[name, self._text(value, name)] for name, value in message["form"]]
        if "text" in message:
            changed["text"] = self._body("\n".join(message["text"])).split("\n")
        if "base64" in message:
            changed["base64"] = self._bytes(message["base64"])
        return changed

    def _header(self, value: str, name: str) -> str:
        made = re.sub(_COOKIE_ENDS, "Expires=Fri, 01 Jan 2100 00:00:00 GMT", value) if name == "set-cookie" else value
        self.changed += made != value
        return made

    def _bytes(self, text: str) -> str:
        inner = unzipped(base64.b64decode(text))
        if inner is None:
            return text
        try:
            seen = inner.decode()
        except UnicodeDecodeError:
            return text
        said = self._body(seen)
        return text if said == seen else base64.b64encode(gzip.compress(said.encode(), mtime=0)).decode()

    def _json(self, value: Any, name: str) -> Any:
        if isinstance(value, str):
            return self._text(value, name)
        if isinstance(value, list):
            return [self._json(inner, name) for inner in value]
        return self._object(value) if isinstance(value, dict) else value

    def _object(self, members: dict[str, Any]) -> dict[str, Any]:
        called = _called(members)
        is_grant = any(isinstance(value, str) and PLACEHOLDER.search(value) for value in members.values())
        made = {}
        for name, value in members.items():
            is_date = is_grant and not _GRANTED.isdisjoint(words(name))
            dated = _far_off(value) if is_date else value
            self.changed += dated != value
            made[name] = self._json(dated, called if name in _CARRIERS and called else name)
        return made

    def _body(self, text: str) -> str:
        """A body that is text: JSON and its kin by their strings, XML by its elements, any other as what it says."""
        start = text.lstrip()[:1]
        if start in {"{", "["}:
            return self._strings(text)
        return self._elements(text) if start == "<" else self._replaced(text)

    def _strings(self, text: str) -> str:
        name = ""

        def string(found: re.Match[str]) -> str:
            nonlocal name
            try:
                said = json.loads(found[0])
            except ValueError:
                return found[0]
            if re.match(r"\s*:", text[found.end() :]):
                name = said
                return found[0]
            made = self._text(said, name)
            return found[0] if made == said else json.dumps(made, ensure_ascii=not re.search(r"[^\x00-\x7f]", found[0]))

        return re.sub(_STRING, string, text)

    def _elements(self, text: str) -> str:
        parts: list[str] = []
        at, name = 0, ""
        for tag in re.finditer(_TAG, text, re.DOTALL):
            parts.append(self._text(text[at : tag.start()], name))
            said = re.match(r"<([\w:.-]+)", tag[0])
            name = said[1].rpartition(":")[2] if said else name
            parts.append(
                re.sub(_ATTRIBUTE, self._attribute, tag[0]) if said else "" if tag[0].startswith("<!--") else tag[0]
            )
            at = tag.end()
        return "".join([*parts, self._text(text[at:], name)])

    def _attribute(self, found: re.Match[str]) -> str:
        name, equals, value = found.groups()
        if name.startswith(("xmlns", "xsi:")):
            return found[0]
        return f"{name}{equals}{value[0]}{self._text(value[1:-1], name)}{value[0]}"

    def _text(self, text: str, name: str) -> str:
        if text[:1] in {"{", "["} and text[-1:] in {"}", "]"} and _is_json(text):
            return self._strings(text)
        if not _BORN.isdisjoint(words(name)) and re.fullmatch(_TIME, text):
            made = re.sub(r"[0-9]+", lambda run: "2000" if len(run[0]) == 4 else "1".zfill(len(run[0])), text)
        else:
            made = text if self._stays(text.strip(), name) else self._replaced(text)
        self.changed += made != text
        return made

    def _stays(self, text: str, name: str) -> bool:
        if not text or bare(name) in self._keep or text in self._literals:
            return True
        parts = words(name)
        last = {parts[-1], parts[-1].removesuffix("s")} if parts else set()
        is_one = re.fullmatch(_ONE_WORD, text) is not None
        if _plain(text):
            return True
        if is_one and text.startswith(("/", "http://", "https://")):
            return self._leads_on(text, name)
        if "scope" in last and re.fullmatch(_SCOPES, text):
            return True
        is_key = not last.isdisjoint(_KEYS) and (any(c.isdigit() for c in text))
        return is_one and (not last.isdisjoint(_VOCABULARY) or is_key or self._is_asked_with(text, name))

    def _leads_on(self, url: str, name: str) -> bool:
        """Whether a URL is one that was asked for, or says where the reading goes on. Others name what is theirs."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        is_ours = not parts.netloc or parts.hostname in self._hosts
        return is_ours and (parts.path in self._paths or says_where(name))

    def _is_asked_with(self, text: str, name: str) -> bool:
        """Whether it says where the reading goes on, and is no word: of a page's title both hold by halves."""
        return says_where(name) and (text in self._asked or any(c.isdigit() for c in text) or len(text) > _LONG)

    def _replaced(self, text: str) -> str:
        """The text with every word another, but for placeholders and what the config looks for."""
        seen = masked(text, [*symbols_in(text), *self._looked_for(text)])
        parts: list[str] = []
        at = 0
        for run in re.finditer(_RUN, seen):
            parts += [text[at : run.start()], self._words.instead(run[0])]
            at = run.end()
        return "".join([*parts, text[at:]])

    def _looked_for(self, text: str) -> Iterator[tuple[int, int]]:
        yield from (found.span() for found in re.finditer(_ESCAPE, text))
        if self._hosts:
            yield from (found.span() for found in self._origins.finditer(text))
        yield from (found.span() for found in re.finditer(_SCHEME, text))
        if self._said is not None:
            yield from (found.span() for found in self._said.finditer(text))
        for pattern in self._patterns:
            import re2  # most connectors have no pattern

            yield from (found.span() for found in re2.finditer(pattern, text))


_CARRIERS: Final = frozenset({"value", "values", "text"})


def _called(members: dict[str, Any]) -> str:
    """{"name": "status", "value": "open"}: what the value is called by."""
    said = next(
        (members[word] for word in ("name", "key", "field", "property") if isinstance(members.get(word), str)), ""
    )
    return said if _CARRIERS & members.keys() else ""


def _far_off(value: Any) -> Any:
    """The end of a grant in its own form, in the year 2100; a lifetime is no date."""
    if isinstance(value, str) and value.isdecimal():
        return str(_far_off(int(value)))
    if isinstance(value, str) and re.fullmatch(_TIME, value):
        return re.sub(_INSTANT, lambda found: f"2100-01-01{found[1] and found[1] + '00:00:00'}", value)
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= _EPOCH_S:
        return _FAR_S if value < _EPOCH_S * 100 else _FAR_S * 1000
    return value


@lru_cache(maxsize=4096)
def _plain(text: str) -> bool:
    return re.fullmatch(f"{_PLAIN}|{_OPAQUE}", text) is not None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _exchanges(document: Any) -> Iterator[Any]:
    for lane in document["lanes"]:
        yield from lane["exchanges"]
