"""LIM: throttles and quotas: a throttle reaches the caller at once, what is told is never more than the provider said.

What the engine tells is held against a reading of the recorded answers that is made here: from the text at the declared
place, in the declared unit, exact. Nothing of the engine's own reading is used for it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from fractions import Fraction
from http import HTTPStatus
from types import MappingProxyType
from typing import Final, TypeAlias

from connproof.conditions import holds
from connproof.errors import ProviderBusy, ProviderSaid
from connproof.model import RETRY_AFTER, BudgetRule, Condition, LimitSource, Operation, RateLimit, Response
from connproof.places import Absent, JsonValue
from pytest_connproof.answers import document_in, meaning_of, records_in
from pytest_connproof.counterfactual import answered_with, asked_before, first_other, rest, spread
from pytest_connproof.finding import Evidence, Finding, Inconclusive, rows
from pytest_connproof.lane_run import LaneRun
from pytest_connproof.recording import Exchange
from pytest_connproof.replay import Use
from pytest_connproof.subject import Subject

_MOST_BREAKS: Final = 12  # of one lane: a long one is broken off at its start, at its end and at places between
_MOST_DELTA_S: Final = 31 * 24 * 3600  # a longer wait is a moment that was declared as seconds


def throttles_reach_the_caller(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 the checks share one signature
    """Each recorded throttle ends its read as ProviderBusy, with no request after it; a listing's has a token."""
    throttles, unused = 0, []
    for lane_id, exchange in _exchanges(subject):
        meaning = meaning_of(subject.connector, subject.operation(subject.lanes[lane_id].lane), exchange.response)
        if exchange.response.status != HTTPStatus.TOO_MANY_REQUESTS and meaning.meaning != "throttled":
            continue
        run = subject.run(lane_id)
        use = next((use for use in run.tally.used if use.exchange is exchange), None)
        if use is None:
            unused.append(exchange.id)
            continue
        throttles += 1
        if wrong := _kept_from_the_caller(run, use):
            rule = meaning.rule
            means = f"{meaning.meaning}, says {_at(subject, rule.pointer)}" if rule else str(meaning.meaning)
            raise Finding(
                f"a throttle is kept from the caller: {wrong}",
                rows(
                    {
                        "answer": f"{exchange.id}   HTTP {exchange.response.status}",
                        "means": means,
                        "read": f"{lane_id} ended: {run.outcome}",
                        "fix": "a throttle is the caller's to wait for: let no rule give it another meaning",
                    }
                ),
            )
    if unused:
        raise Inconclusive(f"recorded throttles were not asked for: {', '.join(unused)}", "see RPL-001")
    if not throttles:
        raise Inconclusive("no recording holds a throttle", "record a lane that ends in one")
    if unmet := _unmet(subject):
        raise Inconclusive(f"no recorded answer is a throttle by {', '.join(unmet)}", "record a lane that ends in one")
    return {"throttles": throttles}


def limits_are_not_overstated(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 as above
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


def look_alikes_are_no_throttles(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 as above
    """Beside each throttle there is an answer of its status that is none, and what holds records is a page."""
    answers, others = 0, set[int]()
    for lane_id, exchange in _exchanges(subject):
        operation = subject.operation(subject.lanes[lane_id].lane)
        response, run = exchange.response, subject.run(lane_id)
        meaning = meaning_of(subject.connector, operation, response)
        last = run.tally.used[-1].exchange if run.tally.used else None
        if meaning.meaning == "throttled":
            if 200 <= response.status < 300 and _holds_records(operation, response):
                raise Finding(
                    "a page with records is taken for a throttle",
                    rows(
                        {
                            "answer": f"{exchange.id}   HTTP {response.status}",
                            "means": f"throttled, says {_at(subject, meaning.rule.pointer) if meaning.rule else ''}",
                            "fix": "say in the condition what a throttle alone has; "
                            "some providers send Retry-After with every answer",
                        }
                    ),
                )
            continue
        if response.status == HTTPStatus.TOO_MANY_REQUESTS:
            continue
        if last is exchange and isinstance(run.error, ProviderBusy):
            raise Finding(
                "an answer that is no throttle reached the caller as one",
                rows({"answer": f"{exchange.id}   HTTP {response.status}", "means": str(meaning.meaning)}),
            )
        answers += 1
        others.add(response.status)
    if doubtful := [
        f"{said} ({rule.pointer}/when)"
        for rule in (subject.connector.rate_limit or RateLimit()).throttled
        for said in rule.when.statuses
        if _needs_a_look_alike(rule.when, said) and not any(_is_status(status, said) for status in others)
    ]:
        raise Inconclusive(
            f"no recorded answer has a throttle's status and is none: {', '.join(doubtful)}",
            "record a lane that ends in one",
        )
    if not answers:
        raise Inconclusive("every recorded answer is a throttle", "record a lane that succeeds")
    return {"answers": answers, "statuses": len(others)}


def nothing_is_lost_to_a_throttle(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 as above
    """A listing with a 429 in the place of any of its answers goes on from its token: same records, nothing twice."""
    lanes = breaks = 0
    paged = {operation.id for operation in subject.paged}
    for lane_id, recorded in subject.lanes.items():
        if recorded.lane.operation not in paged or subject.grants(recorded.lane):  # what was refreshed is not again
            continue
        run = subject.run(lane_id)
        if run.unmatched is not None or run.error is not None or len(run.pages) < 2:
            continue
        lanes += 1
        for number in spread(len(run.tally.used), _MOST_BREAKS):
            _broken_off(subject, lane_id, run, number)
            breaks += 1
    if not lanes:
        raise Inconclusive("no listing was read past its first page", "see RPL-006, or record a lane of several pages")
    return {"lanes": lanes, "breaks": breaks}


# LIM-001.


def _kept_from_the_caller(run: LaneRun, use: Use) -> str:
    if run.tally.requests > use.order:
        return "another request was sent after it"
    if not isinstance(run.error, ProviderBusy):
        return "it is no ProviderBusy"
    if run.operation.is_list and run.error.resume is None:
        return "it has no resume token"
    return ""


def _unmet(subject: Subject) -> list[str]:
    """The declared throttles that no recorded answer is, by pointer."""
    answers = [
        (exchange.response, document_in(subject.operation(subject.lanes[lane_id].lane), exchange.response))
        for lane_id, exchange in _exchanges(subject)
    ]
    rules = subject.connector.rate_limit.throttled if subject.connector.rate_limit else ()
    return [rule.pointer for rule in rules if not any(holds(rule.when, *answer) for answer in answers)]


# LIM-003.


def _holds_records(operation: Operation, response: Response) -> bool:
    """Whether records stand in an answer, and not only something that could be taken for the one."""
    found = records_in(operation, response)
    return (
        bool(found)
        if operation.is_list
        else operation.response_path is not None and any(isinstance(one, dict) for one in found)
    )


def _needs_a_look_alike(when: Condition, said: int | str) -> bool:
    """Whether a status means something else too: the condition says more than it, or HTTP has a word for it."""
    if said == HTTPStatus.TOO_MANY_REQUESTS:
        return False
    if when != Condition(statuses=when.statuses):
        return True
    return isinstance(said, int) and said in {*HTTPStatus} and said < HTTPStatus.INTERNAL_SERVER_ERROR


def _is_status(status: int, said: int | str) -> bool:
    return status == said or f"{status // 100}xx" == said


# LIM-004.


def _broken_off(subject: Subject, lane_id: str, whole: LaneRun, number: int) -> None:
    """Break a read off at one request and go on. Raises Finding."""
    lane = subject.lanes[lane_id].lane
    at = whole.tally.used[number].exchange
    throttle = Response(429, (("retry-after", "1"),))
    broken = subject.replayed(lane_id, answered_with(lane, at, throttle))
    where = f"request {number + 1} of {len(whole.tally.used)}, {at.id}, was answered with 429"
    token = broken.error.resume if isinstance(broken.error, ProviderSaid) else None
    if not isinstance(broken.error, ProviderBusy) or token is None:
        raise Finding(
            f"{lane_id} cannot be gone on with after a throttle",
            rows({"broken off": where, "ended": broken.outcome, "token": "none" if token is None else "there is one"}),
        )
    resumed = subject.replayed(lane_id, rest(lane, broken), resume=token)
    if resumed.unmatched is not None:
        asked = resumed.unmatched.request
        raise Finding(
            f"{lane_id} goes on from its token with a request that was not due",
            rows(
                {
                    "broken off": where,
                    "then asked": f"{asked.method} {asked.url.partition('?')[0]}",
                    "which is": "asked a second time" if asked_before(lane, broken, asked) else "not recorded",
                }
            ),
        )
    other = first_other(whole.records, (*broken.records, *resumed.records))
    if other is not None or resumed.error is not None:
        raise Finding(
            f"{lane_id}, broken off and gone on with, is not what it is in one",
            rows(
                {
                    "broken off": where,
                    "in one": f"{len(whole.records)} records",
                    "in two": f"{len(broken.records)} and {len(resumed.records)} records, then {resumed.outcome}",
                    "first other": "none" if other is None else str(other),
                }
            ),
        )


# LIM-002: what a place is called.

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
    is_time = "/wait/" in pointer or pointer.rpartition("/")[2] in {"reset", "window"}
    if is_time and source.values is None and source.unit in _NUMBERS_OF_TIME - fitting:
        raise Finding(
            f'{name} is declared as "{source.unit}", and its name says {words[-1].lower()}',
            rows(
                {
                    "declared": _at(subject, pointer),
                    "fix": f"""declare {" or ".join(f'"{unit}"' for unit in sorted(fitting))}, as it is sent""",
                }
            ),
        )


# LIM-002: an independent reading.

_Told: TypeAlias = Mapping[str, Fraction]  # of one budget: limit, remaining, reset, window; and wait


class _Unfit(ValueError):
    """A text that is not of its declared unit."""


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
    return _Emitted(triple, _pairs(headers.get("ratelimit", "")), event.notes if event else ())


_ITEM: Final = re.compile(r'"((?:[^"\\]|\\.)*)"((?:\s*;\s*[a-z*][a-z0-9_.*-]*(?:=[^;,]*)?)*)')


def _pairs(text: str) -> dict[str, dict[str, int]]:
    """The whole numbers of each item of a RateLimit list, by their parameters' names."""
    return {
        name: {
            key.strip(): int(value)
            for key, _, value in (part.partition("=") for part in parameters.split(";"))
            if value.strip().isdecimal()
        }
        for name, parameters in _ITEM.findall(text)
    }


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
        self._now = _sent(self._response) or subject.day(lane_id)
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
            items = _pairs(self._response.header("ratelimit") or "")
            self._seen.update([at] if items else [])
            policies = _pairs(self._response.header("ratelimit-policy") or "")
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
            value, exact = got.get(word), said.get(word)
            if value is None or exact is None:
                continue
            if (value > exact) if more_is_worse else (value < exact):
                self._refuse(
                    f'more is told of the quota "{name}" than the provider said',
                    f"{word} {_shown(exact)}",
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
                    "config": _at(self._subject, "/rate_limit"),
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
        is_time = "/wait/" in pointer or pointer.rpartition("/")[2] in {"reset", "window"}
        try:
            return self._number(text, source, is_time=is_time)
        except (ValueError, OverflowError):
            place = source.header or (source.body.text if source.body else source.text)
            kind = f'unit "{source.unit}"' if source.values is None else "values"
            raise Finding(
                f"{place} is not what {pointer} declares",
                rows(
                    {
                        "declared": f"{kind}   {_at(self._subject, pointer)}",
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
            return {_group(source.text or "", self._response.body.decode("utf-8", "replace"))}
        lines = {value.strip() for name, value in self._response.headers if name == source.header}
        if source.unit == "retry_after":
            return {", ".join(lines)}
        return lines if source.member is None else {_member(line, source.member) for line in lines}

    def _number(self, text: str, source: LimitSource, *, is_time: bool) -> Fraction:
        if source.values is not None:
            if text not in source.values:
                raise _Unfit(text)
            return Fraction(source.values[text])
        exact = _exact(text, source.unit, self._now)
        if not is_time:
            return exact
        bounded = source.unit != "retry_after" or source.max_s is not None
        if bounded and abs(exact) > (source.max_s or _MOST_DELTA_S):
            raise _Unfit(text)
        return max(Fraction(0), exact)


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PARTS: Final = {
    "h": Fraction(3600),
    "m": Fraction(60),
    "s": Fraction(1),
    "ms": Fraction(1, 1_000),
    "us": Fraction(1, 1_000_000),
    "\N{MICRO SIGN}s": Fraction(1, 1_000_000),
    "ns": Fraction(1, 1_000_000_000),
}
_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|us|\N{MICRO SIGN}s|ns|h|m|s)", re.ASCII)


def _exact(text: str, unit: str, now: datetime) -> Fraction:
    """A text of a unit as a number; of a moment, the seconds from now. Raises ValueError."""
    match unit:
        case "count" | "delta_s":
            return _plain(text)
        case "delta_ms":
            return _plain(text) / 1_000
        case "structured":
            return _plain(text.partition(";")[0].strip(), whole=True)
        case "epoch_s":
            return _plain(text) - _epoch(now)
        case "epoch_ms":
            return _plain(text) / 1_000 - _epoch(now)
        case "iso8601":
            return _epoch(_moment(text)) - _epoch(now)
        case "duration":
            if "".join(number + part for number, part in _DURATION.findall(text)) != text:
                raise _Unfit(text)
            return sum((Fraction(number) * _PARTS[part] for number, part in _DURATION.findall(text)), Fraction())
        case "http_date":
            return _epoch(_date(text)) - _epoch(now)
        case _:  # retry_after: seconds, or a date
            return (
                _plain(text, whole=True) if text.isascii() and text.isdecimal() else _epoch(_date(text)) - _epoch(now)
            )


def _plain(text: str, *, whole: bool = False) -> Fraction:
    if not re.fullmatch(r"[0-9]+" if whole else r"[0-9]+(\.[0-9]+)?", text):
        raise _Unfit(text)
    return Fraction(text)


def _date(text: str) -> datetime:
    """Raises ValueError."""
    moment = parsedate_to_datetime(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise _Unfit(text)
    return moment


def _epoch(moment: datetime) -> Fraction:
    return Fraction((moment - _EPOCH) // timedelta(microseconds=1), 1_000_000)


def _sent(response: Response) -> datetime | None:
    """The answer's own Date."""
    try:
        return _date(response.header("date") or "")
    except (ValueError, TypeError):
        return None


def _member(text: str, name: str) -> str:
    pairs = (part.partition("=") for part in re.split("[;,]", text))
    return next((value.strip(' \t"') for other, _, value in pairs if other.strip().lower() == name.lower()), "")


def _part(text: str, source: LimitSource) -> str:
    return text if source.pattern is None else _group(source.pattern, text).strip()


def _group(pattern: str, text: str) -> str:
    import re2  # few connectors declare a pattern; they are in its syntax

    found = re2.search(pattern, text)
    return (found.group(1) or "") if found else ""


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


# What the checks share.


def _exchanges(subject: Subject) -> Iterator[tuple[str, Exchange]]:
    for lane_id, recorded in subject.lanes.items():
        for exchange in subject.answered(recorded.lane):
            yield lane_id, exchange


def has_a_throttle(subject: Subject) -> bool:
    """Whether a recording holds an answer that is a throttle by HTTP's own word."""
    return any(exchange.response.status == HTTPStatus.TOO_MANY_REQUESTS for _, exchange in _exchanges(subject))


def _at(subject: Subject, pointer: str) -> str:
    return f"{subject.file}:{subject.connector.source.line(pointer)}   {pointer}"
