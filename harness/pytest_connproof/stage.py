"""A listing on a stage: one connector's config, a simulated provider that speaks it, and the cases that are played.

What must come of a case is said by its habits, as far as they showed: a habit that no answer had demands nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from connproof.config import BRACES
from connproof.config.notes import template_texts
from connproof.model import Account, Connector, Operation, Pagination
from connproof.pagination import template_names
from connproof.run import Call
from pytest_connproof.conversation import Answering, Conversation, converse, differences, table
from pytest_connproof.lane_run import credentials_of
from pytest_connproof.provider.api import Api, scaled
from pytest_connproof.provider.habits import HABITS, Case, Must, Terms, playable
from pytest_connproof.provider.shape import Shape

__all__ = ["Played", "Stage", "orderly", "singly"]

_SIZES: Final = (1, 2, 3, 5)
_SPARE: Final = 40  # requests beyond all that could be needed, after which a read does not end


@dataclass(frozen=True, slots=True)
class Played:
    """A case as it was played, and the API that it was played against."""

    case: Case
    terms: Terms
    api: Api
    told: Conversation
    credentials: tuple[str, ...] = ()

    @property
    def must(self) -> Must:
        """What must come of it, by the habits that showed."""
        shown = {name: n for name, n in self.case.habits.items() if self.api.shown[name]}
        return replace(self.case, habits=shown).must(self.terms)

    @property
    def wrong(self) -> str:
        """What is wrong with what came of it; "" where nothing is."""
        told, lost = self.told, bool(differences(self.told.records, self.api.expected))
        if told.is_endless:
            return "the read does not end"
        if self.must == "told":
            return (
                ""
                if told.error is not None
                else "the read ends as if all was well, though the provider contradicts itself"
            )
        if told.error is not None:
            if self.must == "complete":
                return "the read ends in an error, though the provider says nothing that is wrong"
            return "" if not _repeats(told.records) else "records come twice, and then an error"
        return _what(self) if lost else ""

    def lines(self) -> list[str]:
        """The conversation, as a finding shows it."""
        return table(self.told, self.api.operation, self.api.expected, self.credentials)


@dataclass(frozen=True, slots=True)
class Stage:
    """Where one listing is played. `shapes` is what records look like, by operation, where recordings show that."""

    connector: Connector
    account: Account
    operation: Operation
    shapes: Mapping[str, Shape] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def paging(self) -> Pagination:
        assert self.operation.pagination is not None, "config gives every listing a pagination"
        return self.operation.pagination

    @property
    def shape(self) -> Shape:
        """What its records look like."""
        return self.shapes.get(self.operation.id, Shape())

    @property
    def terms(self) -> Terms:
        return Terms(self.operation, self.paging, self.operation.provider_facts)

    @property
    def sizes(self) -> Sequence[int]:
        """The page sizes that are played: small ones, as far as the config lets them be asked for."""
        paging = self.paging
        if paging.page_size_param is None:
            return _SIZES
        allowed = [size for size in _SIZES if size >= paging.min_page_size]
        most = paging.max_page_size
        return [size for size in allowed if most is None or size <= most] or [paging.min_page_size]

    def api(self, case: Case) -> Api:
        """A new provider that holds and does what the case says."""
        connector, operation = scaled(self.connector, self.operation, case.size)
        return Api(connector, self.account, operation, case, shapes=self.shapes)

    def call(self, case: Case, resume: str | None = None) -> Call:
        """The call that reads it, with a text for each name in braces."""
        size = case.size if self.paging.page_size_param is not None else None
        return Call(params=frozen_params(self.connector, self.operation), page_size=size, raw=True, resume=resume)

    def most(self, case: Case) -> int:
        """More requests than a read of this case could need."""
        return _SPARE + 6 * (case.records + 2) * (3 if self.operation.for_each else 1)

    def play(self, case: Case, *, api: Api | None = None, provider: Answering | None = None) -> Played:
        """Play a case: read the listing once, to its end."""
        api = api or self.api(case)
        told = converse(
            api.connector,
            self.account,
            api.operation,
            provider or api,
            self.call(case),
            most=self.most(case),
        )
        return Played(case, self.terms, api, told, credentials_of(self.account))


def frozen_params(connector: Connector, operation: Operation) -> Mapping[str, str]:
    """A text for each name in braces that the caller fills: none for what paging, parents or the account fill."""
    names = set(BRACES.findall(template_texts(operation))) - template_names(operation.pagination)
    names -= {*connector.variables, "api_version", "ws_security"}
    if operation.for_each is not None:
        names -= {name for name, _ in operation.for_each.params}
    return MappingProxyType(dict.fromkeys(sorted(names), "1"))


def orderly(stage: Stage) -> Iterator[Case]:
    """A provider without any habit, with datasets around every multiple of the page size, and none."""
    for size in stage.sizes[:3]:
        multiples = range(1, 9 if stage.paging.window else 4)
        around = {pages * size + more for pages in multiples for more in (-1, 0, 1)}
        for records in sorted({0, 1, *around}):
            yield Case(records, size, MappingProxyType({}))


def singly(stage: Stage, *musts: Must) -> Iterator[Case]:
    """Each habit that the config leaves open, by itself, of which one of these must come."""
    size = max(size for size in stage.sizes if size <= max(3, stage.sizes[0]))
    for name in playable(stage.terms):
        if HABITS[name].must(stage.terms) in musts:
            for value in HABITS[name].values:
                # More pages than a circle has, and never so few that a habit of the second has nothing to show.
                yield Case(max(3, value) * size + 1, size, MappingProxyType({name: value}))
                if HABITS[name].group in {"items", "end"}:
                    yield Case(0, size, MappingProxyType({name: value}))


def _repeats(records: Sequence[object]) -> bool:
    seen: list[object] = []
    for record in records:
        if record in seen:
            return True
        seen.append(record)
    return False


def _what(played: Played) -> str:
    words = {line.split()[0] for line in differences(played.told.records, played.api.expected)}
    said = {"lost": "records are lost", "twice": "records come twice", "strange": "records come that nobody holds"}
    told = [said[word] for word in said if word in words]
    return f"{' and '.join(told)}, and the read ends as if all was well" if told else "records come in another order"
