"""The places of a simulated listing: what is named as the next one, and what a request means that names it.

A place is named after the record before it, so that it stays where it is when records come or go; a provider whose
places are not steady counts them instead. What was never named is not known.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from connproof.draft import encoded
from connproof.places import ABSENT, Absent, JsonValue
from pytest_connproof.provider.slots import Said

__all__ = ["Held", "Places", "Served", "UnknownPlace"]

_START = float("-inf")


class UnknownPlace(Exception):
    """The request names a place that the provider does not know. The text says what is wrong with it."""


@dataclass(slots=True)
class Held:
    """A record that the provider holds, and where it stands among the others."""

    order: float
    record: JsonValue
    is_hidden: bool = False  # counted, and then filtered out


@dataclass(frozen=True, slots=True)
class Served:
    """A page as it is served: the rows from `start` to before `stop`, `shown` of them.

    `leads_to` is the index of the first row of the next page; None where no page follows.
    """

    said: Said
    number: int
    size: int
    start: int
    stop: int
    shown: tuple[JsonValue, ...]
    leads_to: int | None


@dataclass(slots=True)
class _Named:
    after: float | int
    size: int
    query: tuple[str, ...] = ()


@dataclass
class Places:
    """What the provider has named so far. `spelt` makes a cursor's n-th name; `token` is its parameter in links.

    `rows` is what the listing holds now, in its order. `fired` says that a habit showed.
    """

    habits: Mapping[str, int]
    steady: bool
    token: str
    own: Callable[[Said], Sequence[tuple[str, str]]]
    fired: Callable[[str], None]
    repeats: bool = False
    rows: Sequence[Held] = ()
    size: int = 1
    _named: dict[str, _Named] = field(default_factory=dict)
    _handles: dict[str, int] = field(default_factory=dict)

    # Cursors.

    def cursor(self, served: Served) -> JsonValue | Absent:
        """The name of the place where the next page begins; how nothing is said where none follows."""
        if served.leads_to is None:
            for habit, nothing in (("null_end", None), ("blank_end", "")):
                if habit in self.habits:
                    self.fired(habit)
                    return nothing
            return ABSENT
        if self.repeats:
            handle = self._handle(served)
            self._handles[handle] = served.leads_to
            return handle
        return self._name(served.leads_to, served.size)

    def at(self, sent: JsonValue | Absent) -> int:
        """The index of the row that a name leads to. Raises UnknownPlace."""
        text = _text(sent)
        if text in self._handles:
            return self._handles[text]
        if text not in self._named:
            raise UnknownPlace("no such place was ever named")
        named = self._named[text]
        self.size = named.size
        if not self.steady:
            return int(named.after)
        return bisect.bisect_right(self.rows, named.after, key=lambda held: held.order)

    def sized(self, sent: JsonValue | Absent) -> int | None:
        """The page size that a name was given with."""
        named = self._named.get(_text(sent))
        return named.size if named else None

    def seed(self) -> JsonValue:
        """The name of the first place."""
        return self._name(0, self.size)

    def _handle(self, served: Served) -> str:
        sent = next((value for key, value in served.said.query if value in self._handles), None)
        if isinstance(served.said.body, dict):
            sent = sent or next(
                (v for v in served.said.body.values() if isinstance(v, str) and v in self._handles), None
            )
        return sent or f"handle-{len(self._handles) + 1}"

    def _name(self, index: int, size: int) -> JsonValue:
        after: float | int = index
        if self.steady:
            after = (
                self.rows[index - 1].order if 0 < index <= len(self.rows) else _START if index == 0 else float("inf")
            )
        for text, named in self._named.items():
            if (named.after, named.size) == (after, size) and not named.query:
                return int(text) if "numbers" in self.habits else text
        name = self._spelt(len(self._named))
        self._named[_text(name)] = _Named(after, size)
        return name

    def _spelt(self, number: int) -> JsonValue:
        for habit, spell in _SPELLINGS.items():
            if habit in self.habits:
                self.fired(habit)
                return spell(number)
        return f"c{number + 1}"

    # Links.

    def link(self, served: Served) -> str | Absent:
        """The URL of the next page; how nothing is said where none follows."""
        if served.leads_to is None:
            if "blank_end" in self.habits:
                self.fired("blank_end")
                return ""
            return ABSENT
        token = _text(self._name(served.leads_to, served.size))
        pairs = [encoded(((self.token, token),))]
        pairs += [encoded((pair,)) for pair in self.own(served.said)]
        for habit, extra in (("twice", ["x_tag=a", "x_tag=b"]), ("percents", ["x_note=%C3%A9%2Fa%20b%2B"])):
            if habit in self.habits:
                self.fired(habit)
                pairs += extra
        self._named[token].query = tuple(pairs)
        path = served.said.request.url.partition("?")[0]
        return self._formed(path, "&".join(pairs))

    def followed(self, said: Said) -> int | None:
        """The index that a followed link leads to; None where the request follows none. Raises UnknownPlace."""
        sent = said.find("query", self.token)
        if isinstance(sent, Absent):
            return None
        index = self.at(sent)
        wanted = self._named[_text(sent)].query
        if lacking := [pair for pair in wanted if said.raw.count(pair) != wanted.count(pair)]:
            raise UnknownPlace(f"the link is not followed as it was given: {unquote(lacking[0]).partition('=')[0]}")
        return index

    def _formed(self, url: str, query: str) -> str:
        host, slash, path = url.partition("://")[2].partition("/")
        if "foreign" in self.habits:
            self.fired("foreign")
            return f"https://elsewhere.invalid/{path}?{query}"
        if "path_only" in self.habits:
            self.fired("path_only")
            return f"{slash}{path}?{query}"
        if "query_only" in self.habits:
            self.fired("query_only")
            return f"?{query}"
        scheme = url.partition("://")[0]
        if "own_port" in self.habits and ":" not in host:
            self.fired("own_port")
            host = f"{host}:{443 if scheme == 'https' else 80}"
        return f"{scheme}://{host}/{path}?{query}"


def _text(sent: JsonValue | Absent) -> str:
    return str(sent).lower() if isinstance(sent, bool) else "" if sent is ABSENT else str(sent)


_SPELLINGS: Mapping[str, Callable[[int], JsonValue]] = {
    "numbers": lambda n: n,
    "digits": str,
    "signs": lambda n: f"a+b%2F&c=#{n} /?;",
    "letters": lambda n: f"\u0439\u00e9\u4e2d{n}",
    "blanks": lambda n: " " * (n + 1),
    "long": lambda n: f"{n}" + "x" * 2_000,
}
