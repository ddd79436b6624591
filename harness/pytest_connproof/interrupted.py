"""Reads of a listing in which one request goes wrong: what the caller heard, and what came of going on.

Exhaustive and the same each time: a few small datasets, each fault in each of its forms, at the first request, the last
one and places between. What must come of a form is said by the form; here it is held against what came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Final

from connproof.errors import ProviderSaid
from connproof.model import Operation
from pytest_connproof.answers import CAUGHT_AS
from pytest_connproof.conversation import Answering, Conversation, converse, differences, table
from pytest_connproof.finding import Finding, Inconclusive, rows
from pytest_connproof.lane_run import credentials_of
from pytest_connproof.provider.api import Api
from pytest_connproof.provider.faults import FAULTS, Faulty, Form, Scene, asked_of
from pytest_connproof.provider.habits import Case
from pytest_connproof.stage import Stage

__all__ = ["Interrupted", "Plan", "interrupted", "told_as_a_finding"]

_LARGE: Final = 10
_SKEWS_S: Final = (420.0, -420.0)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is played of one listing: these faults, on datasets of so many records with so many on a page.

    `every_form`: each form of a fault, not only its first.
    """

    stage: Stage
    faults: Sequence[str]
    sizes: Sequence[tuple[int, int]] = ((5, 2),)
    every_form: bool = True
    counted: Counter[str] = field(default_factory=Counter)

    def plays(self) -> Iterator[Interrupted]:
        """Every form of every fault at every place. Raises Inconclusive where the listing cannot be read at all."""
        known: dict[tuple[str, str], tuple[Form, ...]] = {}
        for case in self.cases():
            asked = _asked(self.stage, case)
            for at in _places(len(asked)):
                operation = asked[at - 1]
                for fault in self.faults:
                    if (fault, operation.id) not in known:
                        scene = Scene(self.stage.connector, operation)
                        forms = FAULTS[fault].forms(scene)
                        known[fault, operation.id] = tuple(forms if self.every_form else islice(forms, 1))
                    for form in known[fault, operation.id]:
                        one = interrupted(self.stage, case, fault, form, at)
                        if one is not None:
                            self.counted[fault] += 1
                            yield one

    def cases(self) -> Iterator[Case]:
        """The datasets: of pages as small as the config lets them be asked for."""
        least = self.stage.sizes[0]
        if least > _LARGE:  # two pages of the smallest that may be asked for show as much, in time
            yield Case(least + 1, least, MappingProxyType({}))
            return
        for records, size in self.sizes:
            scale = max(1, -(-least // size))
            yield Case(records * scale, size * scale, MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A read of which request `at` went wrong, and how it went on from its error's token; None where it did not."""

    stage: Stage
    case: Case
    fault: str
    form: Form
    at: int
    api: Api
    told: Conversation
    rest: Conversation | None

    @property
    def says(self) -> str:
        """What the provider did."""
        return f"{FAULTS[self.fault].says.format(n=self.at)} ({self.form.what})"

    def wrong(self) -> str:
        """What is wrong with what the caller heard; "" where nothing is."""
        told, form, error = self.told, self.form, self.told.error
        if told.is_endless:
            return "the read does not end"
        if form.means == "success":
            return self._disturbed()
        if self._went_on():
            return self.lost()
        if error is None:
            return "what went wrong is taken for the end" if self._is_short() else "what went wrong is passed over"
        if len(told.exchanges) > self.at:
            return "another request was sent after it"
        expected = CAUGHT_AS[form.means]
        if not isinstance(error, expected):
            return f"it reaches the caller as {type(error).__name__}, where {expected.__name__} is due"
        if list(told.records) != list(self.api.expected[: len(told.records)]):
            return "the caller got records that are not the first ones"
        if form.told is not None and isinstance(error, ProviderSaid) and dict(error.limits) != form.told:
            return "what was said of quotas is told otherwise"
        return ""

    def lost(self) -> str:
        """What is wrong with the read as a whole, both parts together; "" where nothing is."""
        error = self.told.error
        if error is not None and self.told.resume is None:
            return "its error has no resume token"
        whole = self.joined()
        if whole.is_endless:
            return "the resumed read does not end"
        if whole.error is not None:
            return f"the resumed read ends in {type(whole.error).__name__}"
        lines = differences(whole.records, self.api.expected)
        words = {line.split()[0] for line in lines}
        if words == {"lost"} and self.form.acts and self.api.listing.paging.allow_repeats:
            return ""  # a handle that moves by itself has moved on: what got lost with an answer cannot be asked for
        named = {"lost": "records are lost", "twice": "records come twice", "strange": "records come that nobody holds"}
        said = [text for word, text in named.items() if word in words]
        return " and ".join(said) or ("the records come in another order" if lines else "")

    def joined(self) -> Conversation:
        """Both parts as one conversation."""
        first, rest = self.told, self.rest
        if rest is None:
            return first
        return replace(rest, exchanges=[*first.exchanges, *rest.exchanges], records=[*first.records, *rest.records])

    def lines(self) -> list[str]:
        """The conversation, as a finding shows it."""
        whole = self.joined()
        got = self.api.expected if self.rest is None and self.told.error is not None else None
        expected = self.api.expected if got is None else tuple(whole.records)
        return table(whole, self.api.operation, expected, credentials_of(self.stage.account))

    def _disturbed(self) -> str:
        """As `wrong`, of an answer that is a success."""
        if self.told.error is not None:
            return f"a success ends the read in {type(self.told.error).__name__}"
        if self.form.told is not None and dict(self.told.limits.get(self.at, ())) != self.form.told:
            return "what was said of quotas is told otherwise"
        return self.lost()

    def _went_on(self) -> bool:
        """Whether the read went on by itself, where the config says how."""
        paging, response = self.stage.paging, self.told.exchanges[self.at - 1].response
        sized = (paging, paging.then.pagination) if paging.then else (paging,)
        may_be_smaller = response is not None and any(response.status in one.reduce_on for one in sized)
        may_be_anew = self.form.means == "cursor_expired" and paging.on_expired != "fail"
        return self.told.error is None and (may_be_smaller or may_be_anew)

    def _is_short(self) -> bool:
        return len(self.told.records) < len(self.api.expected)


def interrupted(stage: Stage, case: Case, fault: str, form: Form, at: int) -> Interrupted | None:
    """Play a read whose request `at` goes wrong, and go on; None where the fault could not be played on that answer."""
    api = stage.api(case)
    faulty = Faulty(api, form, at, skew_s=_SKEWS_S[at % 2])
    told = _read(stage, case, api, faulty)
    if not faulty.was_played:
        return None
    rest = _read(stage, case, api, api, told.resume) if told.resume is not None else None
    return Interrupted(stage, case, fault, form, at, api, told, rest)


def _read(stage: Stage, case: Case, api: Api, provider: Answering, resume: str | None = None) -> Conversation:
    call, most = stage.call(case, resume), stage.most(case)
    return converse(api.connector, stage.account, api.operation, provider, call, most=most)


def _asked(stage: Stage, case: Case) -> list[Operation]:
    """The operations that are asked while a listing is read undisturbed, in their order."""
    played = stage.play(case)
    if played.wrong:
        raise Inconclusive(f"{stage.operation.id} cannot be read undisturbed: {played.wrong}", "see PAG-001")
    asked = asked_of(played.api)
    return [asked(one.request) for one in played.told.exchanges]


def _places(count: int) -> list[int]:
    """The first request, the last one, and one between."""
    return sorted({1, (count + 1) // 2, count})


def told_as_a_finding(one: Interrupted, what: str, file: Path) -> Finding:
    """The conversation, what was said and told of quotas, the line of the config that decides, and what to change."""
    operation, form, source = one.stage.operation, one.form, one.stage.connector.source
    error = one.told.error
    got = error.limits if isinstance(error, ProviderSaid) else one.told.limits.get(one.at, ())
    quotas = {"said": _words(form.told), "told": _words(dict(got))} if form.told not in (None, dict(got)) else {}
    decides = form.pointer or "HTTP decides, and no rule"
    facts: dict[str, str | list[str]] = {
        "provider": [f"holds {one.case.records} records, {one.case.size} on a page", one.says],
        **quotas,
        "config": f"{file}:{source.line(form.pointer or operation.pointer)}   {decides}",
        "fix": FAULTS[one.fault].fix,
    }
    return Finding(f"{operation.id}: {what}", "\n".join([*one.lines(), "", rows(facts)]))


def _words(told: Mapping[str, str] | None) -> str:
    return ", ".join(f"{name} {value}" for name, value in (told or {}).items()) or "nothing"
