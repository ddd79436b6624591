"""What a response says of rate limits, in one shape: how long to wait, and what is left of each quota.

Providers say it in headers, bodies and sentences, as seconds, milliseconds, moments and names. The config says where
and in which unit; nothing is guessed from a name or a magnitude. Every time that comes out is in whole seconds from
the response's own Date, rounded up, and every count is rounded to the provider's side: what comes out is never more
permissive than what was said. What does not fit its declaration is absent, with a note that never holds the value.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final, TypeAlias, TypeVar

from connproof.conditions import holds
from connproof.model import BudgetRule, Headers, LimitSource, RateLimit, Response
from connproof.places import Absent, JsonValue, Place
from connproof.standards import ratelimit_fields
from connproof.standards.http_date import parse_http_date, sent_at
from connproof.standards.problem import read_problem
from connproof.standards.retry_after import parse_retry_after
from connproof.standards.structured import natural, read_item

__all__ = ["Budget", "Limits", "read_limits"]

_T = TypeVar("_T")
_Exact: TypeAlias = int | Fraction  # an int where it is whole, which costs a tenth

_MOST_DELTA_S: Final = 31 * 24 * 3600
_MOST_TEXT: Final = 64 * 1024  # of a body is searched: a throttle says so early
_MOST_NOTES: Final = 20


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left of one quota. None is what the provider did not say.

    `reset_s` is when it is restored, `window_s` how long one period is, `wait_s` how long a request must wait that
    this budget has no room for; None where it has. `partition` is the provider's key of who shares it.
    """

    name: str
    limit: int | None = None
    remaining: int | None = None
    reset_s: int | None = None
    window_s: int | None = None
    unit: str = "requests"
    partition: bytes | None = None
    wait_s: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What one response says. `retry_after_s` is None unless it is a throttle that says how long.

    `violated` are the names of the policies that a problem document says were exceeded. `notes` are for drift.
    """

    retry_after_s: int | None = None
    budgets: tuple[Budget, ...] = ()
    notes: tuple[str, ...] = ()
    violated: tuple[str, ...] = ()

    @property
    def nearest(self) -> Budget | None:
        """The budget that is closest to its end: the smallest part is left; of equals the one that takes longest."""
        return min(self.budgets, key=_distance, default=None)

    def headers(self) -> Headers:
        """The same for a caller, in the names of draft-ietf-httpapi-ratelimit-headers; all times are seconds from now.

        The triple (to -06) tells of the nearest budget, the pair (from -08) of all that have a name.
        """
        near = self.nearest or Budget("")
        numbers = {
            "retry-after": self.retry_after_s,
            "ratelimit-limit": near.limit,
            "ratelimit-remaining": near.remaining,
            "ratelimit-reset": near.reset_s,
        }
        triple = tuple((name, str(number)) for name, number in numbers.items() if number is not None)
        # A name is all that the draft requires: to leave out a budget whose window is unknown would hide its end.
        named = [budget for budget in self.budgets if budget.name]
        limits = ", ".join(_limit_item(budget) for budget in named if budget.remaining is not None)
        policies = ", ".join(_policy_item(budget) for budget in named if budget.limit is not None)
        pair = (("ratelimit", limits), ("ratelimit-policy", policies if limits else ""))
        return (*triple, *((name, text) for name, text in pair if text))


_NOTHING: Final = Limits()
_UNSAID: Final = RateLimit()


def read_limits(
    rate_limit: RateLimit | None, response: Response, document: JsonValue | Absent, *, now: datetime, throttled: bool
) -> Limits:
    """What this response says, by the config's words. `document` is the decoded body, ABSENT where there is none.

    `now` (aware) stands in where the response has no Date. `throttled` says that the answer is a throttle: only then
    is there anything to wait for, as some providers send Retry-After with every success. Without words of a config,
    Retry-After alone is read. Nothing is capped: how long is too long is the caller's to know. Never raises.
    """
    config = rate_limit or _UNSAID
    if not throttled and not config.budgets and config.standard is None:
        return _NOTHING
    reading = _Reading(response, document, now)
    budgets = tuple(reading.budgets(config))
    if not throttled:
        return Limits(None, budgets, reading.noted())
    problem = read_problem(response, document)
    violated = problem.violated_policies if problem else ()
    wait = reading.wait(config, budgets, violated)
    return Limits(wait, budgets, reading.noted(), violated)


def _distance(budget: Budget) -> tuple[float, int]:
    longest = -1 if budget.reset_s is None else budget.reset_s
    if budget.remaining is None:
        return math.inf, -longest
    if budget.remaining == 0 or budget.limit == 0:
        return 0.0, -longest
    return (1.0 if budget.limit is None else budget.remaining / budget.limit), -longest


def _restored(reset: int | None, window: int | None) -> int | None:
    """When a budget has room again: at its reset, or after a whole window where none is said."""
    return window if reset is None else reset


def _parts(whole: int, part: int) -> int:
    """How many parts make the whole, rounded up; exact, as a float is not."""
    return -(-whole // part)


def _limit_item(budget: Budget) -> str:
    reset = "" if budget.reset_s is None else f";t={budget.reset_s}"
    return f"{_quoted(budget.name)};r={budget.remaining}{reset}{_partition(budget)}"


def _policy_item(budget: Budget) -> str:
    unit = "" if budget.unit == "requests" else f";qu={_quoted(budget.unit)}"
    window = f";w={budget.window_s}" if budget.window_s else ""
    return f"{_quoted(budget.name)};q={budget.limit}{unit}{window}{_partition(budget)}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _partition(budget: Budget) -> str:
    return "" if budget.partition is None else f";pk=:{base64.b64encode(budget.partition).decode()}:"


class _Reading:
    """One response, read source by source; what does not fit is noted."""

    def __init__(self, response: Response, document: JsonValue | Absent, now: datetime) -> None:
        self._response = response
        self._document = document
        self._now = now
        self._sent: datetime | None = None
        self._lines: dict[str, set[str]] = {}
        for name, value in response.headers:
            if text := value.strip(" \t"):
                self._lines.setdefault(name, set()).add(text)
        self._notes: dict[str, None] = {}

    def noted(self) -> tuple[str, ...]:
        return tuple(self._notes)[:_MOST_NOTES]

    def budgets(self, config: RateLimit) -> Iterator[Budget]:
        age = _number(self._response.header("age") or "")
        if age and (config.budgets or config.standard):
            self._notes["cached: budgets are of an older response"] = None
            return
        for rule in config.budgets:
            budget = self._budget(rule)
            if budget is not None:
                yield budget
        if config.standard == "pair":
            yield from self._pair()
        elif config.standard is not None:
            yield from self._one(config.standard)

    def wait(self, config: RateLimit, budgets: tuple[Budget, ...], violated: tuple[str, ...]) -> int | None:
        """Seconds to wait: what the sources say, else what the empty budgets say, else the config's own word."""
        own = next((t.wait for t in config.throttled if holds(t.when, self._response, self._document)), ())
        said = (seconds for source in own or config.wait if (seconds := self.seconds(source)) is not None)
        found = next(said, None) if config.choose == "first" else max(said, default=None)
        if found is not None:
            return found
        empty = [
            _restored(budget.reset_s, budget.window_s) if budget.name in violated else budget.wait_s
            for budget in budgets
        ]
        return max((wait for wait in empty if wait is not None), default=config.default_wait_s)

    # Budgets.

    def _budget(self, rule: BudgetRule) -> Budget | None:
        times = (rule.reset, rule.window)
        limit, remaining = self.count(rule.limit), self.count(rule.remaining)
        used = self.count(rule.used, up=True)
        reset, window = (None if source is None else self.seconds(source) for source in times)
        refill, needed = self.count(rule.refill_per_s), self.count(rule.needed, up=True)
        sources = (rule.limit, rule.remaining, rule.used, rule.refill_per_s, rule.needed, *times)
        if any(source and f"conflicting_lines: {source.header}" in self._notes for source in sources):
            return None  # nobody knows which of the numbers belong together
        if remaining is None and limit is not None and used is not None:
            remaining = max(0, limit - used)
        told = [(rule.limit, limit), (rule.remaining, remaining), (rule.used, used), (rule.reset, reset)]
        if not any(source is not None and source.fixed is None and value is not None for source, value in told):
            return None
        if reset is None and refill and limit is not None and remaining is not None:
            reset = _parts(max(0, limit - remaining), refill)
        wait = _restored(reset, window) if remaining == 0 else None
        if refill and needed is not None and remaining is not None and needed > remaining:
            wait = _parts(needed - remaining, refill)
        if limit == remaining == 0:
            self._notes[f"concurrency: {rule.name}"] = None
        return Budget(rule.name, limit, remaining, reset, window, wait_s=wait)

    def _pair(self) -> Iterator[Budget]:
        limits, notes = ratelimit_fields.read_limits(self._response)
        policies, more = ratelimit_fields.read_policies(self._response)
        self._notes.update(dict.fromkeys((*notes, *more)))
        known = {(policy.name, policy.partition): policy for policy in policies}
        for left in limits:
            reset = self._delta(left.reset_s, "ratelimit")
            policy = known.get((left.name, left.partition)) or known.get((left.name, None))
            quota, window, unit = (policy.quota, policy.window_s, policy.unit) if policy else (None, None, "requests")
            wait = _restored(reset, window) if left.remaining == 0 else None
            yield Budget(left.name, quota, left.remaining, reset, window, unit, left.partition, wait)

    def _one(self, form: str) -> Iterator[Budget]:
        fields = ratelimit_fields
        one = fields.read_triple(self._response) if form == "triple" else fields.read_dictionary_form(self._response)
        policies, more = fields.read_policies(self._response)
        self._notes.update(dict.fromkeys((*one.notes, *more)))
        reset = self._delta(one.reset_s, "ratelimit-reset" if form == "triple" else "ratelimit")
        if one.limit is None and one.remaining is None and reset is None:
            return
        windows = {policy.window_s for policy in policies if policy.quota == one.limit}
        window = windows.pop() if len(windows) == 1 else None
        wait = _restored(reset, window) if one.remaining == 0 else None
        yield Budget("", one.limit, one.remaining, reset, window, wait_s=wait)

    def _delta(self, seconds: int | None, field: str) -> int | None:
        """Seconds that a standard field says: more than a month of them are a moment, which is not what it means."""
        if seconds is not None and seconds > _MOST_DELTA_S:
            self._notes[f"unfit: {field} is no delta_s"] = None
            return None
        return seconds

    # Sources.

    def count(self, source: LimitSource | None, *, up: bool = False) -> int | None:
        """A count, a part of one rounded down, or `up`; None where there is none."""
        if source is None or source.fixed is not None:
            return None if source is None else source.fixed
        text = self._text(source)
        if not text:
            return None
        if source.unit == "structured":
            item, _ = read_item(text)
            number = None if item is None else natural(item.value)
        else:
            exact = _number(text)
            number = None if exact is None else math.ceil(exact) if up else math.floor(exact)
        return self._fitting(number, source)

    def seconds(self, source: LimitSource) -> int | None:
        """Seconds from now, rounded up, never negative; None where there are none."""
        if source.fixed is not None:
            return source.fixed
        text = self._text(source)
        if not text:
            return None
        if source.values is not None:
            return self._fitting(source.values.get(text), source)
        exact = self._exact(text, source)
        most = source.max_s or (None if source.unit == "retry_after" else _MOST_DELTA_S)
        if exact is None or (most is not None and not -most <= exact <= most):
            return self._fitting(None, source)
        return max(0, math.ceil(exact))

    def _exact(self, text: str, source: LimitSource) -> _Exact | None:
        """Seconds from now, as they were said: before now is negative."""
        match source.unit:
            case "delta_s" | "count":
                return _number(text)
            case "delta_ms":
                return _scaled(_number(text), 1_000)
            case "duration":
                return _duration(text)
            case "structured":
                item, _ = read_item(text)
                return None if item is None else natural(item.value)
            case "epoch_s":
                return self._from_now(_number(text))
            case "epoch_ms":
                return self._from_now(_scaled(_number(text), 1_000))
            case "iso8601":
                return self._from_now(_iso8601(text))
            case "http_date":
                return self._from_now(_epoch(parse_http_date(text, now=self._now)))
            case "retry_after":
                said = parse_retry_after(text, now=self._now)
                return said if isinstance(said, int) else self._from_now(_epoch(said))

    def _from_now(self, epoch: _Exact | None) -> _Exact | None:
        """The provider's moment against the provider's own clock: where one is wrong, the other is by the same."""
        if epoch is None:
            return None
        if self._sent is None:
            self._sent = sent_at(self._response, now=self._now)
        if self._sent is None:
            self._notes["no_date: held against our own clock"] = None
        here = _epoch(self._sent or self._now)
        assert here is not None  # a moment has an epoch
        return epoch - here

    def _text(self, source: LimitSource) -> str:
        """What stands at the source's place, "" where nothing does or what is there cannot be it.

        Lines of a header may tell of one limit each: the pattern says which. Lines that differ are none.
        """
        texts = self._texts(source) - {""}
        parts = texts if source.pattern is None else {_first_group(source.pattern, text) for text in texts} - {""}
        if len(parts) > 1:
            self._notes[f"conflicting_lines: {source.header}"] = None
            return ""
        if texts and not parts:
            self._fitting(None, source)
        return next(iter(parts), "").strip()

    def _texts(self, source: LimitSource) -> set[str]:
        if source.body is not None:
            return {self._body_text(source.body, source)}
        if source.text is not None:
            return {_first_group(source.text, self._response.body[:_MOST_TEXT].decode("utf-8", "replace"))}
        assert source.header is not None  # a source that is not fixed has one of three places
        lines = self._lines.get(source.header, set())
        if source.unit == "retry_after":  # two lines of it are as wrong as two values in one
            return {self._response.header(source.header) or ""}
        return lines if source.member is None else {_member(line, source.member) for line in lines}

    def _body_text(self, place: Place, source: LimitSource) -> str:
        found = None if isinstance(self._document, Absent) else place.find(self._document)
        if isinstance(found, str | int | float) and not isinstance(found, bool):
            return str(found)
        if found is not None and not isinstance(found, Absent):
            self._fitting(None, source)
        return ""

    def _fitting(self, value: _T | None, source: LimitSource) -> _T | None:
        if value is None:
            place = source.header or (source.body.text if source.body else "the body's text")
            self._notes[f"unfit: {place} is no {source.unit if source.values is None else 'known name'}"] = None
        return value


# Texts into exact numbers, in ASCII digits.

_NUMBER: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,15})?")
_DURATION: Final = re.compile(r"(?:[0-9]{1,15}(?:\.[0-9]{1,15})?(?:h|ms|m|s|us|µs|ns)){1,6}")
_PART: Final = re.compile(r"([0-9.]+)(h|ms|m|s|us|µs|ns)")
_PER_SECOND: Final = {
    "h": Fraction(1, 3600),
    "m": Fraction(1, 60),
    "s": Fraction(1),
    "ms": Fraction(1_000),
    "us": Fraction(1_000_000),
    "µs": Fraction(1_000_000),
    "ns": Fraction(1_000_000_000),
}
_ISO: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,15}))?)?"
    r"(?:Z|([+-])([0-9]{2}):?([0-9]{2}))"
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _number(text: str) -> _Exact | None:
    if not _NUMBER.fullmatch(text):
        return None
    return Fraction(text) if "." in text else int(text)


def _scaled(number: _Exact | None, parts: int) -> Fraction | None:
    return None if number is None else Fraction(number, parts)


def _duration(text: str) -> Fraction | None:
    """`8.64s`, `1ms`, `6m0s`."""
    if not _DURATION.fullmatch(text):
        return None
    return sum((Fraction(number) / _PER_SECOND[unit] for number, unit in _PART.findall(text)), Fraction())


def _iso8601(text: str) -> Fraction | None:
    """The epoch of a moment with its zone, in minutes or finer. Without a zone it is none: it would be a guess."""
    found = _ISO.fullmatch(text)
    if found is None:
        return None
    day, minute, second, part, sign, hours, minutes = found.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{minute}:00+00:00")
    except ValueError:
        return None
    offset = int(f"{sign or '+'}1") * (int(hours or 0) * 3600 + int(minutes or 0) * 60)
    whole = _epoch(moment)
    assert whole is not None  # a moment has an epoch
    return whole + int(second or 0) + Fraction(f"0.{part or 0}") - offset


def _epoch(moment: datetime | None) -> Fraction | None:
    return None if moment is None else Fraction((moment - _EPOCH) // timedelta(microseconds=1), 1_000_000)


def _member(text: str, name: str) -> str:
    """The value of one name in `limit=240; remaining=239`, separated by semicolons or commas."""
    parts = (part.partition("=") for part in re.split("[;,]", text))
    return next((value.strip(' \t"') for other, _, value in parts if other.strip().lower() == name.lower()), "")


def _first_group(pattern: str, text: str) -> str:
    found = _compiled(pattern).search(text.encode(errors="replace").decode())  # RE2 refuses half a surrogate pair
    return "" if found is None else found.group(1) or ""


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    import re2  # most connectors have no pattern

    return re2.compile(pattern)
