"""What a provider says of its quotas, written where and as a connector's config reads it; and what a caller must hear.

The reverse of reading a rate limit, and made without that reader: numbers are chosen here, written into the answer in
their declared unit at their declared place, and what should come out is reckoned from the numbers, not the texts.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from fractions import Fraction
from itertools import permutations
from types import MappingProxyType
from typing import Final, TypeAlias

from connproof.model import BudgetRule, LimitSource, RateLimit, Response
from connproof.places import Absent, JsonValue, Place
from pytest_connproof.provider.patterns import found_in, spelt
from pytest_connproof.provider.writing import placed

__all__ = ["Number", "Telling", "budgets_of", "heard", "said_in", "tellings", "written"]

_Texts: TypeAlias = Sequence[tuple[LimitSource, str]]

_MOST_IN_A_LINE: Final = 4
_WAIT_S: Final = 37
_SHORT: Final = Fraction(3, 5)  # of a second less, where a unit can say so: whole seconds are rounded up to the same
_FINE: Final = frozenset({"delta_ms", "epoch_ms", "iso8601", "duration"})
_MOMENTS: Final = frozenset({"epoch_s", "epoch_ms", "iso8601", "http_date"})
_WORDS: Final = ("limit", "remaining", "used", "reset", "window", "refill_per_s", "needed")

# The standard forms, as what a config could say of a provider that had thought of them itself.
_STANDARD: Final[Mapping[str, BudgetRule]] = MappingProxyType(
    {
        "triple": BudgetRule(
            "",
            limit=LimitSource(header="ratelimit-limit"),
            remaining=LimitSource(header="ratelimit-remaining"),
            reset=LimitSource(header="ratelimit-reset", unit="delta_s"),
        ),
        "dictionary": BudgetRule(
            "",
            limit=LimitSource(header="ratelimit", member="limit"),
            remaining=LimitSource(header="ratelimit", member="remaining"),
            reset=LimitSource(header="ratelimit", member="reset", unit="delta_s"),
        ),
        "pair": BudgetRule(
            "default",
            limit=LimitSource(header="ratelimit-policy", pattern='^"default";q=([0-9]+)'),
            remaining=LimitSource(header="ratelimit", pattern='^"default";r=([0-9]+)'),
            reset=LimitSource(header="ratelimit", pattern=";t=([0-9]+)", unit="delta_s"),
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Number:
    """What is said at one place: a count, or seconds from now, exactly.

    `name` is how a source that has names for numbers says it; `is_date` spells a Retry-After as a date.
    """

    source: LimitSource
    value: Fraction
    name: str = ""
    is_date: bool = False

    def text(self, sent: float) -> str:
        """As it is written at `sent`, the provider's own time in seconds since 1970."""
        unit, then = self.source.unit, Fraction(int(sent)) + self.value
        if self.name:
            return self.name
        if unit == "http_date" or self.is_date:
            return format_datetime(datetime.fromtimestamp(int(then), UTC), usegmt=True)
        if unit == "iso8601":
            return datetime.fromtimestamp(float(then), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if unit == "duration":
            return f"{float(self.value):g}s"
        counted = then if unit in _MOMENTS else self.value
        return str(int(counted * 1_000 if unit in {"delta_ms", "epoch_ms"} else counted))


@dataclass(frozen=True, slots=True)
class Telling:
    """Numbers that an answer says, in words, and by the pointer of the place that is new in it."""

    what: str
    numbers: tuple[Number, ...] = ()


def budgets_of(config: RateLimit) -> tuple[BudgetRule, ...]:
    """Every quota that the config reads; a standard form last."""
    return (*config.budgets, *([_STANDARD[config.standard]] if config.standard else []))


def tellings(config: RateLimit, waits: Sequence[LimitSource]) -> Iterator[Telling]:
    """What a throttle may say: nothing, each wait by itself, all of them, each quota used up."""
    yield Telling("nothing of how long")
    sources = [source for source in waits if source.fixed is None]
    for source in sources:
        for number in _sayable(source, _WAIT_S):
            yield Telling(f"{_shown(number.value)} s to wait {_place(source)}", (number,))
    if len(sources) > 1:
        each = [next(_sayable(source, _WAIT_S + 7 * index)) for index, source in enumerate(sources)]
        yield Telling("how long to wait, in every place another time", tuple(each))
    budgets = budgets_of(config)
    for empty in budgets:
        owned = (_of_budget(rule, index, is_empty=rule is empty) for index, rule in enumerate(budgets))
        numbers = [number for own in owned for number in own]
        if any(number.source in (empty.remaining, empty.used) for number in numbers):
            named = f'the quota "{empty.name}"' if empty.name else "the quota"
            yield Telling(f"{named} used up", _distinct(numbers))


def _sayable(source: LimitSource, seconds: int) -> Iterator[Number]:
    """How a source can say a time: about so many seconds, or each of its names."""
    if source.values is not None:
        for name, means in source.values.items():
            yield Number(source, Fraction(means), name)
        return
    most = min(seconds, source.max_s or seconds)
    yield Number(source, most - _SHORT if source.unit in _FINE else Fraction(most))
    if source.unit == "retry_after":
        yield Number(source, Fraction(most), is_date=True)


def _of_budget(rule: BudgetRule, index: int, *, is_empty: bool) -> Iterator[Number]:
    """The numbers of a quota of which nothing is left, or nearly all."""
    limit = rule.limit.fixed if rule.limit and rule.limit.fixed is not None else 100 + 10 * index
    left = 0 if is_empty else limit - 1
    refill = rule.refill_per_s.fixed if rule.refill_per_s and rule.refill_per_s.fixed else 2
    counts = {
        "limit": limit,
        "remaining": left,
        "used": limit - left,
        "refill_per_s": refill,
        "needed": left + 9 if is_empty else 1,
    }
    for word in _WORDS:
        source: LimitSource | None = getattr(rule, word)
        if source is None or source.fixed is not None:
            continue
        if word in counts:
            yield Number(source, Fraction(counts[word]))
        else:
            yield next(_sayable(source, (51 if word == "reset" else 61) + 10 * index))


def _distinct(numbers: Iterable[Number]) -> tuple[Number, ...]:
    """One number for each place: of two that are read from the same one, the first."""
    return tuple({_key(number.source): number for number in reversed([*numbers])}.values())


def _key(source: LimitSource) -> tuple[object, ...]:
    return source.header, source.body and source.body.text, source.text, source.member, source.pattern, source.unit


# What a caller must hear.


def heard(
    config: RateLimit, waits: Sequence[LimitSource], numbers: Iterable[Number], *, waiting: bool
) -> dict[str, str]:
    """The normalised headers for these numbers: counts rounded down, times rounded up. `waiting`: it is a throttle."""
    known = {_key(number.source): number.value for number in numbers}
    quotas = [quota for rule in budgets_of(config) if (quota := _quota(rule, known)) is not None]
    found = {"retry-after": _wait(config, waits, known, quotas)} if waiting else {}
    near = min(quotas, key=_nearness, default=_Quota(""))
    found |= {
        "ratelimit-limit": _down(near.limit),
        "ratelimit-remaining": _down(near.remaining),
        "ratelimit-reset": _up(near.reset),
    }
    lists = {
        "ratelimit": [q.item("r", _down(q.remaining), "t", _up(q.reset)) for q in quotas if q.remaining is not None],
        "ratelimit-policy": [q.item("q", _down(q.limit), "w", _up(q.window)) for q in quotas if q.limit is not None],
    }
    named = {name: ", ".join(item for item in items if item) for name, items in lists.items() if lists["ratelimit"]}
    return {name: str(value) for name, value in {**found, **named}.items() if value not in {None, ""}}


@dataclass(frozen=True, slots=True)
class _Quota:
    name: str
    limit: Fraction | None = None
    remaining: Fraction | None = None
    reset: Fraction | None = None
    window: Fraction | None = None
    wait: Fraction | None = None

    def item(self, first: str, value: int | None, second: str, other: int | None) -> str:
        return f'"{self.name}";{first}={value}{f";{second}={other}" if other is not None else ""}' if self.name else ""


def _quota(rule: BudgetRule, known: Mapping[tuple[object, ...], Fraction]) -> _Quota | None:
    """A quota as its numbers say it; None where the answer says nothing of it."""
    said: dict[str, Fraction] = {}
    for word in _WORDS:
        source: LimitSource | None = getattr(rule, word)
        if source is not None and source.fixed is not None:
            said[word] = Fraction(source.fixed)
        elif source is not None and _key(source) in known:
            said[word] = known[_key(source)]
    own = {word for word in said if getattr(rule, word).fixed is None}
    if not own & {"limit", "remaining", "used", "reset"}:
        return None
    limit, left = said.get("limit"), said.get("remaining")
    if left is None and limit is not None and "used" in said:
        left = max(Fraction(0), limit - said["used"])
    reset, window, refill = said.get("reset"), said.get("window"), said.get("refill_per_s")
    if reset is None and refill and limit is not None and left is not None:
        reset = (limit - left) / refill
    wait = (window if reset is None else reset) if left == 0 else None
    if refill and left is not None and said.get("needed", Fraction(0)) > left:
        wait = (said["needed"] - left) / refill
    return _Quota(rule.name, limit, left, reset, window, wait)


def _wait(
    config: RateLimit,
    waits: Sequence[LimitSource],
    known: Mapping[tuple[object, ...], Fraction],
    quotas: Sequence[_Quota],
) -> int | None:
    """How long a throttle says to wait: by its sources, else until the empty quotas are restored, else as usual."""
    told = [Fraction(one.fixed) if one.fixed is not None else known.get(_key(one)) for one in waits]
    said = [value for value in told if value is not None]
    if said:
        return _up(said[0] if config.choose == "first" else max(said))
    empty = [quota.wait for quota in quotas if quota.wait is not None]
    return _up(max(empty)) if empty else config.default_wait_s


def _nearness(quota: _Quota) -> tuple[float, Fraction]:
    longest = Fraction(-1) if quota.reset is None else quota.reset
    if quota.remaining is None:
        return math.inf, -longest
    if quota.remaining == 0 or quota.limit == 0:
        return 0.0, -longest
    return (1.0 if quota.limit is None else float(quota.remaining / quota.limit)), -longest


def _up(exact: Fraction | None) -> int | None:
    return None if exact is None else math.ceil(exact)


def _down(exact: Fraction | None) -> int | None:
    return None if exact is None else math.floor(exact)


# Numbers into an answer.


def said_in(config: RateLimit, waits: Sequence[LimitSource], response: Response) -> tuple[Number, ...]:
    """The counts that an answer already has at declared places, as its condition asks for them."""
    found = []
    for source in (*waits, *(getattr(rule, word) for rule in budgets_of(config) for word in _WORDS)):
        text = "" if source is None or source.fixed is not None else _read(source, response)
        if text and source.values and text in source.values:
            found.append(Number(source, Fraction(source.values[text]), text))
        elif text and text.isdecimal() and source.unit in {"count", "delta_s", "retry_after", "structured"}:
            found.append(Number(source, Fraction(text)))
    return _distinct(found)


def written(response: Response, numbers: Sequence[Number], sent: float) -> Response | None:
    """The answer with these numbers in it; None where no answer is found that says them all at their places."""
    texts = [(number.source, number.text(sent)) for number in numbers]
    done = _with_headers(response, texts)
    done = done and _with_body(done, texts)
    if done is None or any(_read(source, done) != text for source, text in texts):
        return None
    return done


def _with_headers(response: Response, texts: _Texts) -> Response | None:
    named: dict[str, list[tuple[LimitSource, str]]] = {}
    for source, text in texts:
        if source.header is not None:
            named.setdefault(source.header, []).append((source, text))
    kept = [pair for pair in response.headers if pair[0] not in named]
    for header, said in named.items():
        line = _line(said)
        if line is None:
            return None
        kept.append((header, line))
    return replace(response, headers=tuple(kept))


def _line(said: _Texts) -> str | None:
    """A text in which each of these sources finds its own; None where none is found."""
    return next((line for line in _lines(said) if all(_found(one, line) == text for one, text in said)), None)


def _lines(said: _Texts) -> Iterator[str]:
    members = [f"{source.member}={text}" for source, text in said if source.member is not None]
    if members:
        yield ", ".join(members)
    for number in dict.fromkeys(["0", *(text for _, text in said)]):
        parts = [text if one.pattern is None else spelt(one.pattern, text, number=number) for one, text in said]
        samples = [part for part in parts if part is not None]
        yield from samples
        for order in permutations(samples) if len(samples) <= _MOST_IN_A_LINE else ():
            for between in ("", "; ", ", ", " "):
                yield between.join(order)
            yield _overlapping(order)


def _overlapping(parts: Sequence[str]) -> str:
    """The parts in a row, with what one ends and the next begins with only once: `32/` and `/40`."""
    whole = ""
    for part in parts:
        most = next((n for n in range(min(len(whole), len(part)), 0, -1) if whole.endswith(part[:n])), 0)
        whole += part[most:]
    return whole


def _with_body(response: Response, texts: _Texts) -> Response | None:
    inside: dict[str, list[tuple[LimitSource, str]]] = {}
    for source, text in texts:
        if source.body is not None:
            inside.setdefault(source.body.text, []).append((source, text))
    words = [spelt(source.text, text) for source, text in texts if source.text is not None]
    if not inside and not words:
        return response
    try:
        document: JsonValue = json.loads(response.body or b"{}")
    except ValueError:
        return None
    for place, said in inside.items():
        line = _line(said)
        if line is None:
            return None
        is_number = line.isdecimal() and not any(source.values or source.pattern for source, _ in said)
        document = placed(document, Place.parse(place), int(line) if is_number else line)
    for spelling in words:
        document = _holding(document, spelling or "")
    return replace(response, body=json.dumps(document).encode())


def _holding(document: JsonValue, text: str) -> JsonValue:
    """The document with a text somewhere in it: as a member where that is what it spells, else as a message."""
    members = document if isinstance(document, dict) else {}
    try:
        more: JsonValue = json.loads(f"{{{text}}}")
    except ValueError:
        more = {"message": text}
    return {**members, **more} if isinstance(more, dict) else document


def _read(source: LimitSource, response: Response) -> str:
    """What stands at a source's place, "" where nothing does."""
    if source.text is not None:
        return found_in(source.text, response.body.decode("utf-8", "replace")) or ""
    if source.header is not None:
        return _found(source, response.header(source.header) or "")
    try:
        document: JsonValue = json.loads(response.body)
    except ValueError:
        return ""
    found = source.body.find(document) if source.body else None
    is_one = isinstance(found, str | int | float) and not isinstance(found, bool | Absent)
    return _found(source, str(found)) if is_one else ""


def _found(source: LimitSource, line: str) -> str:
    if source.member is not None:
        pairs = (part.partition("=") for part in line.replace(",", ";").split(";"))
        line = next((value.strip() for name, _, value in pairs if name.strip() == source.member), "")
    return line if source.pattern is None else found_in(source.pattern, line) or ""


def _place(source: LimitSource) -> str:
    if source.header is not None:
        return f"in {source.header}"
    return f"at {source.body.text}" if source.body else "in its text"


def _shown(value: Fraction) -> str:
    return str(value.numerator) if value.denominator == 1 else f"{float(value):g}"
