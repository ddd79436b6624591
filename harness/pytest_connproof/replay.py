"""Answer an engine from a recording, and keep account of what was used.

Every request is matched by content: method, URL, query as a multiset, the body in its declared form, and
every header that the config is responsible for. Never by position: answering "the next one" would hide a
pagination loop. The ledger knows each exchange as used or unused and each request as matched or not;
it says the nearest misses with all parts that differ, and shows no credential.

A placeholder such as {{secret:access_token#1}} stands for one unknown text: whatever is sent in its
place must be the same text wherever the placeholder stands. In the answer to a token request it stands for what
was sent in its place before; or else for a text that is made up there, and that must be sent from then on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Final
from urllib.parse import quote, unquote, unquote_plus, urlsplit
from xml.sax.saxutils import escape

from connproof.documents import child
from connproof.errors import ProviderDown
from connproof.links import origin
from connproof.model import Request, Response
from connproof.places import JsonValue
from pytest_connproof.recording import Exchange, Lane
from pytest_connproof.redact import PLACEHOLDER
from pytest_connproof.spelling import hidden
from pytest_connproof.xml_bodies import is_xml, parts_of

__all__ = ["Granted", "Ledger", "Miss", "ReplayTransport", "Tally", "UnmatchedRequest", "Use", "address"]

_NOTHING: Final = "(not sent)"
_UNRECORDED: Final = "(not recorded)"
_HIDDEN: Final = "(no credential of the account)"
_SHOWN_MISSES: Final = 2

Parts = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Use:
    """A request and the exchange that answered it.

    `order` is the request's number, from 1; `grants`: a token was asked for.
    """

    order: int
    exchange: Exchange
    in_turn: bool
    grants: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """One part in which a request differs from a recorded one: `query.after`, `header.accept`, `body/limit`."""

    part: str
    recorded: str
    sent: str

    def __str__(self) -> str:
        return f"{self.part}   recorded {self.recorded}   sent {self.sent}"


@dataclass(frozen=True, slots=True)
class Miss:
    """A recorded exchange that a request is not. No difference: it was used already, by request `used_by`."""

    exchange: Exchange
    differences: tuple[Difference, ...]
    used_by: int | None


@dataclass(frozen=True, slots=True)
class Granted:
    """A text that was made up for a placeholder in the answer to a token request, and which exchange that was."""

    text: str
    exchange: Exchange


@dataclass(frozen=True, slots=True)
class Tally:
    """What a replay used. `used` in the order of the requests, `unused` in the recording's order.

    `bindings` has what each placeholder stands for, `granted` which of these were made up in answers.
    """

    requests: int
    used: tuple[Use, ...]
    unused: tuple[Exchange, ...]
    unmatched: tuple[UnmatchedRequest, ...]
    bindings: Mapping[str, str]
    granted: Mapping[str, Granted] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def out_of_turn(self) -> tuple[Use, ...]:
        return tuple(use for use in self.used if not use.in_turn)


class UnmatchedRequest(Exception):
    """A request that the recording does not hold, or holds fewer times than it was sent."""

    def __init__(self, request: Request, order: int, times: int, misses: Sequence[Miss]) -> None:
        super().__init__(f"request {order} is not in the recording")
        self.request = request
        self.order = order
        self.times = times  # how often this very request was sent, this time included
        self.misses = tuple(misses)


class Ledger:
    """One lane being replayed.

    `credentials` are the texts that no message may show. `grants` are the ids of the exchanges that ask for a token.
    """

    def __init__(self, lane: Lane, *, credentials: Sequence[str] = (), grants: Collection[str] = ()) -> None:
        self.lane = lane
        self._grants = frozenset(grants)
        self._credentials = tuple(text for text in credentials if len(text) >= 4)
        self._recorded = [_parts(exchange.request) for exchange in lane.exchanges]
        self._by_address: dict[tuple[str, ...], list[int]] = {}
        for index, parts in enumerate(self._recorded):
            self._by_address.setdefault(_address(parts), []).append(index)
        self._used_by: dict[int, int] = {}
        self._uses: list[Use] = []
        self._unmatched: list[UnmatchedRequest] = []
        self._sent: list[Request] = []
        self._bindings: dict[str, str] = {}
        self._granted: dict[str, Granted] = {}

    def answer(self, request: Request) -> Response:
        """The recorded answer to this request. Raises UnmatchedRequest."""
        self._sent.append(request)
        order = len(self._sent)
        parts = _parts(request)
        for index in self._by_address.get(_address(parts), ()):
            exchange = self.lane.exchanges[index]
            if index in self._used_by and not exchange.repeats:
                continue
            bindings = dict(self._bindings)
            if not _differences(self._recorded[index], parts, bindings):
                return self._use(index, order, bindings)
        unmatched = UnmatchedRequest(request, order, sum(sent == request for sent in self._sent), self._misses(parts))
        self._unmatched.append(unmatched)
        raise unmatched

    def tally(self) -> Tally:
        """The account so far."""
        unused = tuple(exchange for index, exchange in enumerate(self.lane.exchanges) if index not in self._used_by)
        unmatched, bindings, granted = tuple(self._unmatched), dict(self._bindings), dict(self._granted)
        return Tally(len(self._sent), tuple(self._uses), unused, unmatched, bindings, granted)

    def _use(self, index: int, order: int, bindings: dict[str, str]) -> Response:
        self._bindings = bindings
        earlier = (i for i, exchange in enumerate(self.lane.exchanges[:index]) if not exchange.repeats)
        in_turn = self.lane.order == "unordered" or all(i in self._used_by for i in earlier)
        self._used_by.setdefault(index, order)
        exchange = self.lane.exchanges[index]
        grants = exchange.id in self._grants
        self._uses.append(Use(order, exchange, in_turn, grants))
        return self._filled(exchange) if grants else exchange.response

    def _filled(self, exchange: Exchange) -> Response:
        """The answer to a token request with a text for each placeholder: a client must be able to send them back."""
        response = exchange.response
        escaped = _ESCAPES[_form_of(response)]

        def text_for(found: re.Match[str]) -> str:
            placeholder = found[0]
            if placeholder not in self._bindings:
                text = f"made-up-{found[1].replace('_', '-')}-{found[2]}"
                self._bindings[placeholder] = text
                self._granted[placeholder] = Granted(text, exchange)
            return self._bindings[placeholder]

        body = PLACEHOLDER.sub(lambda found: escaped(text_for(found)), response.body.decode("utf-8", "surrogateescape"))
        headers = tuple((name, PLACEHOLDER.sub(text_for, value)) for name, value in response.headers)
        return replace(response, headers=headers, body=body.encode("utf-8", "surrogateescape"))

    def _misses(self, parts: Parts) -> list[Miss]:
        """The recorded exchanges that are nearest, with all that differs, hidden where it is secret."""
        misses = []
        for index, recorded in enumerate(self._recorded):
            found = _differences(recorded, parts, dict(self._bindings))
            shown = tuple(Difference(d.part, d.recorded, self._hidden(d.sent, d.recorded)) for d in found)
            misses.append(Miss(self.lane.exchanges[index], shown, self._used_by.get(index)))
        # The nearest first; of two equally near, the one that is still to be used.
        misses.sort(key=lambda miss: (len(miss.differences), miss.used_by is not None))
        return misses[:_SHOWN_MISSES]

    def _hidden(self, sent: str, recorded: str) -> str:
        """What was sent, each credential of the account replaced; wholly hidden where it may be another one."""
        shown = hidden(sent, (*(granted.text for granted in self._granted.values()), *self._credentials))
        if sent == _NOTHING or shown != sent:
            return shown
        return _HIDDEN if PLACEHOLDER.search(recorded) else sent


class ReplayTransport:
    """A transport that answers from a ledger: no network, no HTTP client.

    `lost` are the exchanges, by id, whose answers never arrive: they are asked for, and the connection is reset.
    """

    def __init__(self, ledger: Ledger, *, lost: Collection[str] = ()) -> None:
        self._ledger = ledger
        self._lost = lost

    async def send(self, request: Request) -> Response:
        response = self._ledger.answer(request)
        if self._lost and self._ledger.tally().used[-1].exchange.id in self._lost:
            raise ProviderDown("the exchange broke off", facts={"seen": "connection reset"})
        return response


_ESCAPES: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType(
    {
        "json": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
        "form": lambda text: quote(text, safe=""),
        "xml": escape,
        "text": str,
    }
)


def _form_of(response: Response) -> str:
    """How a text has to be written in this body."""
    start = response.body.lstrip()[:1]
    if start in {b"{", b"["}:
        return "json"
    if start == b"<":
        return "xml"
    return "form" if "x-www-form-urlencoded" in (response.header("content-type") or "") else "text"


def address(url: str) -> tuple[str, str]:
    """A URL's origin and path, each in one spelling. Raises ValueError, as `origin` does."""
    # An encoded slash is no slash: /a%2Fb is one segment.
    segments = (quote(unquote(part), safe="!$&'()*+,;=:@~") for part in urlsplit(url).path.split("/"))
    return origin(url), "/".join(segments) or "/"


def _address(parts: Parts) -> tuple[str, ...]:
    return (*parts["method"], *parts["origin"], *parts["path"])


def _parts(request: Request) -> Parts:
    """A request as named parts, each a sorted tuple of texts: what matching compares."""
    parts = {"method": (request.method.upper(),), **_url_parts(request.url)}
    for name, value in request.headers:
        parts[f"header.{name}"] = (*parts.get(f"header.{name}", ()), value)
    if request.body is not None:
        parts.update(_body_parts(request.body, request.header("content-type") or ""))
    return parts


@lru_cache(maxsize=1024)  # what was recorded is asked for again, in the same words
def _url_parts(url: str) -> Parts:
    at, path = address(url)
    parts = {"origin": (at,), "path": (path,)}
    for name, value in _pairs(urlsplit(url).query):
        parts[f"query.{name}"] = tuple(sorted((*parts.get(f"query.{name}", ()), value)))
    return MappingProxyType(parts)


def _pairs(query: str) -> list[tuple[str, str]]:
    split = (pair.partition("=") for pair in query.split("&") if pair)
    return [(unquote_plus(name), unquote_plus(value)) for name, _, value in split]


def _body_parts(body: bytes, content_type: str) -> Parts:
    """The body in its declared form: JSON leaf by leaf, XML and forms likewise, anything else whole."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        try:
            return dict(_leaves(json.loads(body), "body"))
        except ValueError:
            return {"body": (repr(body),)}
    if kind == "application/x-www-form-urlencoded":
        parts: dict[str, tuple[str, ...]] = {}
        for name, value in _pairs(body.decode("utf-8", "replace")):
            parts[f"body.{name}"] = tuple(sorted((*parts.get(f"body.{name}", ()), value)))
        return parts or {"body": ("",)}
    if is_xml(kind):
        return parts_of(body, content_type)
    return {"body": (body.decode("utf-8", "backslashreplace"),)}


def _leaves(value: JsonValue, pointer: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _leaves(inner, child(pointer, name))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from _leaves(inner, child(pointer, index))
    else:
        yield pointer, (value if isinstance(value, str) else f"\0{json.dumps(value)}",)


def _differences(recorded: Parts, sent: Parts, bindings: dict[str, str]) -> list[Difference]:
    """Where two requests differ. Placeholders of the recording are bound on the way, into `bindings`."""
    found = []
    for part in dict.fromkeys((*recorded, *sent)):
        old, new = recorded.get(part), sent.get(part)
        if old is None or new is None or len(old) != len(new) or not _all_same(old, new, bindings):
            found.append(Difference(part, _shown(old, _UNRECORDED), _shown(new, _NOTHING)))
    return found


def _all_same(old: tuple[str, ...], new: tuple[str, ...], bindings: dict[str, str]) -> bool:
    return all(a == b or _stands_for(a, b, bindings) for a, b in zip(old, new, strict=True))


def _stands_for(recorded: str, sent: str, bindings: dict[str, str]) -> bool:
    """Whether `sent` is `recorded` with each placeholder replaced by the one text that it stands for."""
    pattern, at, names = "", 0, []
    for placeholder in PLACEHOLDER.finditer(recorded):
        pattern += re.escape(recorded[at : placeholder.start()]) + "(.+?)"
        at = placeholder.end()
        names.append(placeholder[0])
    match = re.fullmatch(pattern + re.escape(recorded[at:]), sent, re.DOTALL) if names else None
    return match is not None and all(
        bindings.setdefault(name, text) == text for name, text in zip(names, match.groups(), strict=True)
    )


def _shown(values: tuple[str, ...] | None, absent: str) -> str:
    if values is None:
        return absent
    texts = (value[1:] if value.startswith("\0") else json.dumps(value, ensure_ascii=False) for value in values)
    return ", ".join(text if len(text) <= 120 else f"{text[:120]}..." for text in texts)
