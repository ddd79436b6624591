"""PAG: pagination: every record once and in order, whatever the provider does that the config leaves open.

The config is read against a simulated provider that speaks its dialect: datasets around every multiple of the page
size, each habit by itself, and cases that Hypothesis draws. What is judged is what the caller got and what the
provider was asked, never what the engine thinks of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from connproof.documents import read_json
from connproof.errors import ConfigWrong
from connproof.model import Operation, Request
from connproof.model.paging import Pagination
from pytest_connproof.conversation import alternately, converse, differences, table
from pytest_connproof.counterfactual import spread
from pytest_connproof.drawing import cases, first_wrong
from pytest_connproof.finding import Evidence, Finding, Inconclusive, counted, rows
from pytest_connproof.moving import moves
from pytest_connproof.provider.api import Api
from pytest_connproof.provider.faces import Arrival
from pytest_connproof.provider.habits import HABITS, Case, Must, playable
from pytest_connproof.stage import Played, Stage, orderly, singly
from pytest_connproof.subject import Subject

_DRAWN: Final = 60
_MOVES: Final = 60
_MOST_BREAKS: Final = 12  # of one case
_CAMPAIGN: Final = 5_000


def every_record_arrives_once(subject: Subject, target: str) -> Evidence:
    """A listing that stands still: complete and in order, whatever the provider does that contradicts nothing."""
    stage = subject.stage(target)
    return _Playing(subject, "PAG-001", stage).all("complete", first=orderly(stage))


def no_request_too_many(subject: Subject, target: str) -> Evidence:
    """As many requests as the strategy needs to know the end; a few more, where a habit costs them."""
    stage = subject.stage(target)
    playing = _Playing(subject, "PAG-002", stage)
    for case in playing.chosen((*orderly(stage), *singly(stage, "complete"))):
        played = playing.play(case)
        allowed = _allowed(played) * played.api.listings
        if played.api.answers > allowed and played.told.error is None:
            playing.refuse(played, f"{played.api.answers} requests for {_pages(case)}, where {allowed} tell all")
    return playing.evidence()


def it_goes_on_from_any_page(subject: Subject, target: str) -> Evidence:
    """Broken off at any request, and resumed with the token that came with the error: nothing lost, nothing twice."""
    stage = subject.stage(target)
    playing = _Playing(subject, "PAG-003", stage)
    small = [case for case in orderly(stage) if case.size == playing.size and case.records > case.size]
    resumed = 0
    for case in playing.chosen((*small, *singly(stage, "complete"))):
        resumed += _broken_everywhere(playing, case)
    if not resumed:
        raise Inconclusive("no read could be broken off", "see PAG-001")
    return {**playing.evidence(), "resumed": resumed}


def contradictions_are_told(subject: Subject, target: str) -> Evidence:
    """A provider that contradicts itself or leads in circles: an error, and never an endless read or a loss."""
    return _Playing(subject, "PAG-004", subject.stage(target)).all("told", "either")


def reads_share_nothing(subject: Subject, target: str) -> Evidence:
    """Two reads at the same time, and one after them, through one engine: each as if it were alone."""
    stage = subject.stage(target)
    playing = _Playing(subject, "PAG-005", stage)
    for case in playing.chosen(orderly(stage)):
        api = stage.api(case)
        both = alternately(
            api.connector, stage.account, api.operation, api, [stage.call(case)] * 2, most=2 * stage.most(case)
        )
        for told in (*both, playing.play(case, api=api).told):
            played = Played(case, stage.terms, api, told, subject.credentials)
            if played.wrong:
                playing.refuse(played, f"two reads at once, or one after them: {played.wrong}")
    return {**playing.evidence(), "reads": 3 * playing.count}


def moving_data_loses_nothing(subject: Subject, target: str) -> Evidence:
    """Records come, go and change places between pages: what was there all along arrives, and once."""
    stage, settings = subject.stage(target), subject.settings
    examples = _CAMPAIGN if settings.campaign else _MOVES
    wrong, played, changes = moves(stage, examples=examples, seed=settings.provider_seed)
    if wrong is not None:
        facts = {
            "provider": f"holds {wrong.case.records} records at first, {wrong.case.size} on a page",
            "config": _line(subject, stage.paging, ""),
            "fix": "if places shift when records come or go, say so in provider_facts: steady_places false",
            "again": f'pytest "{subject.file}::{target}::PAG-006" --provider-seed {settings.provider_seed}',
        }
        raise Finding(wrong.wrong, "\n".join([*wrong.lines, "", rows(facts)]))
    if not changes:
        raise Inconclusive(
            "nothing moved while the listing was read", "the harness chooses: report it, with the config"
        )
    return {"reads": played, "changes": changes}


def is_plain(operation: Operation) -> bool:
    """Whether a listing is read by its pages alone: what else its records are made of moves by rules of its own."""
    paging = operation.pagination
    beside = (operation.for_each, operation.hydrate, paging.window if paging else None, paging.then if paging else None)
    return not operation.nested and not any(beside)


@dataclass
class _Playing:
    """The cases that one check plays of one listing, and what they have shown."""

    subject: Subject
    check: str
    stage: Stage
    count: int = 0
    pages: int = 0
    shown: Counter[str] = field(default_factory=Counter)

    @property
    def size(self) -> int:
        sizes = self.stage.sizes
        return max(size for size in sizes if size <= max(3, sizes[0]))

    def chosen(self, made: Iterable[Case]) -> Iterator[Case]:
        """The one case that was asked for; else those that were pinned, and those that are made."""
        if self.subject.settings.provider_case is not None:
            yield Case.parse(self.subject.settings.provider_case)
            return
        yield from pinned(self.subject, self.check, self.stage.operation)
        yield from made

    def play(self, case: Case, *, api: Api | None = None) -> Played:
        """Play a case; raises the Finding where it goes wrong."""
        played = self.stage.play(case, api=api)
        self._count(played)
        if played.wrong:
            smallest = played if api is not None else self._smaller(played)
            self.refuse(smallest, smallest.wrong)
        return played

    def _smaller(self, wrong: Played) -> Played:
        """The smallest listing with these habits that goes wrong in the same way."""
        if self.subject.settings.provider_case is not None:
            return wrong
        for size in (size for size in self.stage.sizes if size <= wrong.case.size):
            around = {pages * size + more for pages in range(4) for more in (-1, 0, 1)}
            for records in sorted(count for count in around if 0 <= count < wrong.case.records):
                played = self.stage.play(replace(wrong.case, records=records, size=size))
                if played.wrong == wrong.wrong:
                    return played
        return wrong

    def all(self, *musts: Must, first: Iterable[Case] = ()) -> Evidence:
        """Play the chosen cases, each habit by itself, and drawn ones; a drawn one that goes wrong is shrunk first."""
        stage, settings = self.stage, self.subject.settings
        for case in self.chosen((*first, *singly(stage, *musts))):
            self.play(case)
        if settings.provider_case is None:
            examples = _CAMPAIGN if settings.campaign else _DRAWN
            wrong = first_wrong(cases(stage, *musts), self._wrong, examples=examples, seed=settings.provider_seed)
            if wrong is not None:
                self.refuse(wrong, wrong.wrong)
            self._demand(musts)
        return self.evidence()

    def _wrong(self, case: Case) -> Played | None:
        played = self.stage.play(case)
        self._count(played)
        return played if played.wrong else None

    def _count(self, played: Played) -> None:
        self.count += 1
        self.pages += played.api.answers
        self.shown.update({name: 1 for name in played.case.habits if played.api.shown[name]})

    def _demand(self, musts: tuple[Must, ...]) -> None:
        terms = self.stage.terms
        playable_ones = [name for name in playable(terms) if HABITS[name].must(terms) in musts]
        if unseen := [name for name in playable_ones if not self.shown[name]]:
            raise Inconclusive(
                f"{self.count} cases were played, and in none the provider showed: {', '.join(unseen)}",
                "the harness chooses them: report it, with the config",
            )

    def evidence(self) -> Evidence:
        return {"cases": self.count, "pages": self.pages, "habits": len(self.shown)}

    def refuse(self, played: Played, what: str, lines: list[str] | None = None) -> None:
        """Raise the Finding: the conversation, the line of the config that decides, and what to change."""
        raise Finding(what, "\n".join([*(lines or played.lines()), "", rows(self._facts(played))]))

    def _facts(self, played: Played) -> Mapping[str, str | list[str]]:
        case, subject = played.case, self.subject
        habits = [HABITS[name] for name in case.habits]
        held = f"{case.records} records, {case.size} on a page"
        word = next((habit.decides for habit in habits if habit.decides), "")
        fixes = [habit.fix for habit in habits if habit.fix]
        node = f"{subject.file}::{self.stage.operation.id}::{self.check}"
        return {
            "provider": [f"holds {held}", *case.told()],
            "config": _line(subject, self.stage.paging, word),
            "fix": fixes or [_FIXES[self.stage.paging.type]],
            "again": f'pytest "{node}" --provider-case "{case.text}"',
            "keep": f'"{self.stage.operation.id}": ["{case.text}"] in {subject.folder}/cases/{self.check}.json',
        }


_FIXES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "cursor": "check cursor_field, cursor_param and where it is sent",
        "offset": "check offset_param, first_offset and step",
        "page": "check page_param and first_page",
        "link_header": "check header and rel",
        "next_url": "check next_url_field",
        "keyset": "check key_field and key_param, and that the listing is sorted by it",
        "none": "check response_path",
    }
)


def _line(subject: Subject, paging: Pagination, word: str) -> str:
    """Where the word of the config stands that decides; of a word that is not said, what would say it."""
    source, pointer = subject.connector.source, f"{paging.pointer}/{word}"
    if word and source.line(pointer) != source.line(f"{paging.pointer}/\0"):
        return f"{subject.file}:{source.line(pointer)} {pointer}"
    unsaid = f"   ({word} is not said)" if word else ""
    return f"{subject.file}:{source.line(paging.pointer)} {paging.pointer}{unsaid}"


def _pages(case: Case) -> str:
    return counted(max(1, -(-case.records // case.size)), "page")


def _needed(paging: Pagination, case: Case) -> int:
    """How many requests it takes to know that a listing has ended, of a provider without any habit."""
    pages = max(1, -(-case.records // case.size))
    is_led = paging.type in {"cursor", "link_header", "next_url"}
    is_told = paging.stop_field or paging.stop_header or paging.total_field or paging.total_header
    if is_led or is_told or not case.records:
        return pages
    is_full = case.records % case.size == 0
    return pages if paging.short_page == "stop" and not is_full else pages + 1


def _allowed(played: Played) -> int:
    """How many requests a read of one listing may make: those that tell all, and what a habit or a window costs."""
    case, paging = played.case, played.api.listing.paging
    size = case.habits.get("lowers") or case.habits.get("refuses_size") or case.size
    needed = _needed(paging, replace(case, size=size))
    if paging.window is not None and paging.window.cap is not None:
        needed += 2 * (case.records // paging.window.cap)
    if not case.habits:
        return needed
    return 2 * needed + 2 if {"forgets", "refuses_size"} & set(case.habits) else needed + 2


class _Breaking:
    """The API behind a connection that breaks off at one request, before it arrives."""

    def __init__(self, api: Api, at: int) -> None:
        self._api = api
        self._left = at

    def arrive(self, request: Request, now: float, *, who: str = "") -> Arrival:
        self._left -= 1
        if self._left == 0:
            return Arrival("no act, no answer")
        return self._api.arrive(request, now, who=who)


def _broken_everywhere(playing: _Playing, case: Case) -> int:
    """Break the read of a case off at its requests, and go on; how often that was done."""
    stage = playing.stage
    places = spread(len(playing.play(case).told.exchanges), _MOST_BREAKS)
    for at in (place + 1 for place in places):
        api = stage.api(case)
        before = stage.play(case, api=api, provider=_Breaking(api, at))
        if before.told.resume is None:
            playing.refuse(before, f"the read was broken off at request {at}, and says not how to go on")
        after = converse(
            api.connector,
            stage.account,
            api.operation,
            api,
            stage.call(case, before.told.resume),
            most=stage.most(case),
        )
        both = replace(after, records=[*before.told.records, *after.records])
        if after.error is not None or after.is_endless or differences(both.records, api.expected):
            lines = [
                *table(before.told, api.operation, before.told.records, playing.subject.credentials),
                "     resumed",
            ]
            lines += table(both, api.operation, api.expected, playing.subject.credentials)
            playing.refuse(before, f"the read was broken off at request {at}, and does not go on from there", lines)
    return len(places)


def pinned(subject: Subject, check: str, operation: Operation) -> tuple[Case, ...]:
    """The cases that once went wrong and were kept: a list by operation in `cases/<check>.json`."""
    path = subject.folder / "cases" / f"{check}.json"
    if not path.exists():
        return ()
    value, source = read_json(path.read_bytes(), str(path))
    known = {one.id for one in subject.connector.operations()}
    if not isinstance(value, dict) or not all(isinstance(kept, list) for kept in value.values()):
        wrong = source.problem("", "is no object of cases", 'write {"contacts.list": ["records=7 size=3"]}')
        raise ConfigWrong(str(path), [wrong])
    if strange := [name for name in value if name not in known]:
        raise ConfigWrong(
            str(path), [source.problem(f"/{strange[0]}", "is no operation of the connector", "take it out")]
        )
    kept = value.get(operation.id, [])
    assert isinstance(kept, list)
    return tuple(Case.parse(str(one)) for one in kept)
