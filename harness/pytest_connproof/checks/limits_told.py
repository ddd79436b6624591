"""LIM-002: what callers are told of quotas and waits: never more left, nor a shorter time, than the provider said.

What the engine tells is held against a reading of the recorded answers that is made here: from the text at the declared
place, in the declared unit, exact. Nothing of the engine's own reading is used for it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Final, TypeAlias

from connproof.conditions import holds
from connproof.errors import ProviderBusy, ProviderSaid
from connproof.model import RETRY_AFTER, BudgetRule, LimitSource, RateLimit
from connproof.places import Absent, JsonValue
from pytest_connproof.answers import document_in
from pytest_connproof.finding import Evidence, Finding, Inconclusive, rows
from pytest_connproof.lane_run import LaneRun
from pytest_connproof.quota_texts import exact, group, member, pairs, sent_at
from pytest_connproof.replay import Use
from pytest_connproof.subject import Subject

_MOST_DELTA_S: Final = 31 * 24 * 3600  # a longer wait is a moment that was declared as seconds


def limits_are_not_overstated(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 the checks share one signature
    """No answer tells the caller of more left, or of a shorter time, than it said; each declared place was seen."""
    config = subject.connector.rate_limit or RateLimit()
    sources = declared(subject)
    for pointer, source in sources.items():
        _hold_to_its_name(subject, pointer, source)
    seen: set[str] = set()
    answers = 0
    for lane_id in subject.lanes:
        run = subject.run(lane_id)
        for use in run.tally.used:
            reading = _Reading(subject, run, use, lane_id, seen)
            told = reading.budgets(config)
            emitted = _emitted(run, use)
            reading.hold_budgets(told, emitted)
            if isinstance(run.error, ProviderBusy) and use is run.tally.used[-1]:
                reading.hold_wait(config, told, emitted)
            reading.hold_notes()
            answers += 1 if reading.numbers else 0
    if unseen := [pointer for pointer in sources if pointer not in seen]:
        raise Inconclusive(
            f"declared, but never seen: {', '.join(unseen)}",
            "record an answer that has it, or take it out: its unit cannot be held to anything",
        )
    return {"answers": answers, "sources": len(sources)}


# What a place is called.

_UNITS_OF_NAMES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        **dict.fromkeys(("ms", "millis", "milliseconds"), frozenset({"delta_ms", "epoch_ms"})),
        **dict.fromkeys(("secs", "seconds"), frozenset({"delta_s", "epoch_s", "retry_after", "structured"})),
    }
)
_NUMBERS_OF_TIME: Final = frozenset({"delta_s", "delta_ms", "epoch_s", "epoch_ms", "retry_after", "structured"})
_WORDS_OF_A_NAME: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")


def _hold_to_its_name(subject: Subject, pointer: str, source: LimitSource) -> None:
    """Raises Finding where a place is named by one unit of time, and declared as another."""
    name = source.member or source.header or (source.body.last_name if source.body else None) or ""
    words = _WORDS_OF_A_NAME.findall(name)
    fitting = _UNITS_OF_NAMES.get(words[-1].lower() if words else "", _NUMBERS_OF_TIME)
    if _is_time(pointer) and source.values is None and source.unit in _NUMBERS_OF_TIME - fitting:
        raise Finding(
            f'{name} is declared as "{source.unit}", and its name says {words[-1].lower()}',
            rows(
                {
                    "declared": subject.place_of(pointer),
                    "fix": f"""declare {" or ".join(f'"{unit}"' for unit in sorted(fitting))}, as it is sent""",
                }
            ),
        )


def _is_time(pointer: str) -> bool:
    """Whether what stands at a declared place is a time, and no count."""
    return "/wait/" in pointer or pointer.rpartition("/")[2] in {"reset", "window"}


# What was said: an independent reading.

_Told: TypeAlias = Mapping[str, Fraction]  # of one budget: limit, remaining, reset, window; and wait


@dataclass(frozen=True, slots=True)
class _Emitted:
    """What reached the caller: the triple by its names, and each budget of the pair."""

    triple: Mapping[str, int]
    budgets: Mapping[str, Mapping[str, int]]
    notes: tuple[str, ...]


def _emitted(run: LaneRun, use: Use) -> _Emitted:
    event = run.limits.get(use.order)
    headers = dict(event.headers if event else ())
    if isinstance(run.error, ProviderSaid) and use is run.tally.used[-1]:
        headers.update(run.error.limits)
    triple = {name: int(value) for name, value in headers.items() if name not in {"ratelimit", "ratelimit-policy"}}
    return _Emitted(triple, pairs(headers.get("ratelimit", "")), event.notes if event else ())


def declared(subject: Subject) -> dict[str, LimitSource]:
    """Every place that the document itself declares, by its pointer."""
    config = subject.connector.rate_limit or RateLimit()
    found = {pointer: source for _, at, rule in _rules(config) for pointer, source in _sources_of(rule, at)}
    if config.wait != (RETRY_AFTER,) or "wait" in (subject.document.get("rate_limit") or {}):
        found |= {f"/rate_limit/wait/{index}": source for index, source in enumerate(config.wait)}
    for throttle in config.throttled:
        found |= {f"{throttle.pointer}/wait/{index}": source for index, source in enumerate(throttle.wait)}
    read = {pointer: source for pointer, source in found.items() if source.fixed is None}
    return read | ({"/rate_limit/standard": RETRY_AFTER} if config.standard else {})


_WORDS: Final = ("limit", "remaining", "used", "reset", "window", "refill_per_s", "needed")


def _sources_of(rule: BudgetRule, at: str) -> Iterator[tuple[str, LimitSource]]:
    for word in _WORDS:
        source: LimitSource | None = getattr(rule, word)
        if source is not None:
            yield f"{at}/{word}", source


def _rules(config: RateLimit) -> Iterator[tuple[str, str, BudgetRule]]:
    for index, rule in enumerate(config.budgets):
        yield rule.name, f"/rate_limit/budgets/{index}", rule


# The standard forms, as what a config could say of a provider that had thought of them itself.
_TRIPLE: Final = BudgetRule(
    "",
    limit=LimitSource(header="ratelimit-limit", pattern="^([0-9]+)", unit="count"),
    remaining=LimitSource(header="ratelimit-remaining", unit="count"),
    reset=LimitSource(header="ratelimit-reset", unit="delta_s"),
)
_DICTIONARY: Final = BudgetRule(
    "",
    limit=LimitSource(header="ratelimit", member="limit", unit="count"),
    remaining=LimitSource(header="ratelimit", member="remaining", unit="count"),
    reset=LimitSource(header="ratelimit", member="reset", unit="delta_s"),
)


class _Reading:
    """One recorded answer, read by the declared places and units alone."""

    def __init__(self, subject: Subject, run: LaneRun, use: Use, lane_id: str, seen: set[str]) -> None:
        self._subject = subject
        self._exchange = use.exchange
        self._response = use.exchange.response
        self._document = document_in(run.operation, self._response)
        self._notes = run.limits[use.order].notes if use.order in run.limits else ()
        self._seen = seen
        self._now = sent_at(self._response) or subject.day(lane_id)
        self._disputed: set[str] = set()
        self.numbers = 0

    def budgets(self, config: RateLimit) -> dict[str, _Told]:
        age = self._response.header("age") or ""
        if age.isdecimal() and int(age) > 0:
            return {}  # it speaks of an earlier answer
        told = {}
        for name, at, rule in _rules(config):
            if values := self._budget(rule, at):
                told[name] = values
        told |= self._of_standard(config.standard)
        return told

    def _of_standard(self, form: str | None) -> dict[str, _Told]:
        at = "/rate_limit/standard"
        if form == "pair":
            items = pairs(self._response.header("ratelimit") or "")
            self._seen.update([at] if items else [])
            policies = pairs(self._response.header("ratelimit-policy") or "")
            self.numbers += sum(map(len, items.values()))
            names = {"r": "remaining", "t": "reset"}
            return {
                name: {names[key]: Fraction(value) for key, value in values.items() if key in names}
                | ({"limit": Fraction(policies[name]["q"])} if "q" in policies.get(name, {}) else {})
                for name, values in items.items()
                if "r" in values
            }
        rule = {"triple": _TRIPLE, "dictionary": _DICTIONARY}.get(form or "")
        values = self._budget(rule, at) if rule else {}
        self._seen.update([at] if values else [])
        return {"": values} if values else {}

    def _budget(self, rule: BudgetRule, at: str) -> _Told:
        sources = dict(_sources_of(rule, at))
        said = {pointer.rpartition("/")[2]: self.value(pointer, source) for pointer, source in sources.items()}
        if self._disputed & {*sources}:
            return {}  # its lines contradict each other: nobody knows which numbers belong together
        told = {word: value for word, value in said.items() if value is not None}
        own = {word for word, value in told.items() if getattr(rule, word).fixed is None}
        if not own & {"limit", "remaining", "used", "reset"}:
            return {}
        if "remaining" not in told and "used" in told and "limit" in told:
            told["remaining"] = max(Fraction(0), told["limit"] - told["used"])
        refill, left = told.get("refill_per_s"), told.get("remaining")
        if refill and left is not None:
            if "reset" not in told and "limit" in told:
                told["reset"] = max(Fraction(0), told["limit"] - left) / refill
            if (needed := told.get("needed")) is not None and needed > left:
                told["wait"] = (needed - left) / refill
        if left == 0 and "wait" not in told and (later := told.get("reset", told.get("window"))) is not None:
            told["wait"] = later
        return told

    def hold_budgets(self, told: Mapping[str, _Told], emitted: _Emitted) -> None:
        """Raises Finding where more is told than was said, or nothing of it."""
        countable = {name: one for name, one in told.items() if "remaining" in one}
        if countable and "ratelimit-remaining" not in emitted.triple:
            self._refuse("what was said of a quota does not reach the caller", ", ".join(countable), "nothing of it")
        if countable:
            near = min(countable, key=lambda name: (_share(countable[name]), -countable[name].get("reset", -1)))
            own = {name.removeprefix("ratelimit-"): value for name, value in emitted.triple.items()}
            self._hold(near, countable[near], own)
        for name, values in emitted.budgets.items():
            if name in told:
                self._hold(name, told[name], {"remaining": values.get("r"), "reset": values.get("t")})

    def hold_wait(self, config: RateLimit, told: Mapping[str, _Told], emitted: _Emitted) -> None:
        """Raises Finding where a shorter wait is told than was said, or none."""
        sources = [(f"/rate_limit/wait/{index}", source) for index, source in enumerate(config.wait)]
        for throttle in config.throttled:
            if throttle.wait and holds(throttle.when, self._response, self._document):
                sources = [(f"{throttle.pointer}/wait/{index}", source) for index, source in enumerate(throttle.wait)]
                break
        said = [value for pointer, source in sources if (value := self.value(pointer, source)) is not None]
        empty = [one["wait"] for one in told.values() if "wait" in one]
        wanted = said[0] if said and config.choose == "first" else max(said or empty, default=None)
        if wanted is None:
            return
        got = emitted.triple.get("retry-after")
        if got is None or got < wanted:
            self._refuse("a shorter wait is told than the provider said", f"{_shown(wanted)} s", _told(got))

    def hold_notes(self) -> None:
        """Raises Finding where the engine says that a text is not of its unit, and the reading here saw nothing."""
        unfit = [note for note in self._notes if note.startswith("unfit")]
        if unfit:
            self._refuse("what was said of a quota is not of its declared unit", unfit[0], "nothing of it")

    def _hold(self, name: str, said: _Told, got: Mapping[str, int | None]) -> None:
        for word, more_is_worse in (("limit", True), ("remaining", True), ("reset", False)):
            value, most = got.get(word), said.get(word)
            if value is None or most is None:
                continue
            if (value > most) if more_is_worse else (value < most):
                self._refuse(
                    f'more is told of the quota "{name}" than the provider said',
                    f"{word} {_shown(most)}",
                    _told(value),
                )

    def _refuse(self, what: str, said: str, got: str) -> None:
        raise Finding(
            what,
            rows(
                {
                    "answer": f"{self._exchange.id}   HTTP {self._response.status}",
                    "said": said,
                    "told": got,
                    "config": self._subject.place_of("/rate_limit"),
                }
            ),
        )

    # Texts into exact numbers.

    def value(self, pointer: str, source: LimitSource) -> Fraction | None:
        """What one declared place says, exactly; times in seconds from now. None where it says nothing.

        Raises Finding for a text that is not of its unit.
        """
        if source.fixed is not None:
            return Fraction(source.fixed)
        texts = self._texts(source) - {""}
        parts = {_part(text, source) for text in texts} - {""}
        if len(parts) > 1:
            self._disputed.add(pointer)
        if len(parts) > 1 or not texts:
            return None
        text = next(iter(parts), "")
        self._seen.add(pointer)
        self.numbers += 1
        try:
            return self._number(text, source, is_time=_is_time(pointer))
        except (ValueError, OverflowError):
            place = source.header or (source.body.text if source.body else source.text)
            kind = f'unit "{source.unit}"' if source.values is None else "values"
            raise Finding(
                f"{place} is not what {pointer} declares",
                rows(
                    {
                        "declared": f"{kind}   {self._subject.place_of(pointer)}",
                        "answer": f"{self._exchange.id}   HTTP {self._response.status}",
                        "said": f"{text[:40]!r}",
                        "fix": "declare the unit that the provider sends",
                    }
                ),
            ) from None

    def _texts(self, source: LimitSource) -> set[str]:
        """What stands at a place: of a header, line by line, as a line may tell of one quota each."""
        if source.body is not None:
            found: JsonValue | Absent = None
            if not isinstance(self._document, Absent):
                found = source.body.find(self._document)
            is_one = isinstance(found, str | int | float) and not isinstance(found, bool)
            return {str(found).strip() if is_one else ""}
        if source.header is None:
            return {group(source.text or "", self._response.body.decode("utf-8", "replace"))}
        lines = {value.strip() for name, value in self._response.headers if name == source.header}
        if source.unit == "retry_after":
            return {", ".join(lines)}
        return lines if source.member is None else {member(line, source.member) for line in lines}

    def _number(self, text: str, source: LimitSource, *, is_time: bool) -> Fraction:
        if source.values is not None:
            if text not in source.values:
                raise ValueError(text)
            return Fraction(source.values[text])
        number = exact(text, source.unit, self._now)
        if not is_time:
            return number
        bounded = source.unit != "retry_after" or source.max_s is not None
        if bounded and abs(number) > (source.max_s or _MOST_DELTA_S):
            raise ValueError(text)
        return max(Fraction(0), number)


def _part(text: str, source: LimitSource) -> str:
    return text if source.pattern is None else group(source.pattern, text).strip()


def _share(told: _Told) -> Fraction:
    """The part of a quota that is left."""
    left, limit = math.floor(told["remaining"]), told.get("limit")
    if left == 0 or limit == 0:
        return Fraction(0)
    return left / limit if limit is not None else Fraction(1)


def _shown(number: Fraction) -> str:
    return str(number.numerator) if number.denominator == 1 else f"{float(number):.3f}"


def _told(number: int | None) -> str:
    return "nothing" if number is None else str(number)
