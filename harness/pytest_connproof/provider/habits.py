"""What a provider may do that its connector's config does not say: one table of habits, and cases made of them.

Each habit is held to the words of the config, and to the facts that it declares of its provider: what these rule out is
never played. What must come of a habit stands beside it. To add one: a row in HABITS, and what it does in `listing`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from connproof.errors import CallWrong
from connproof.model import Operation, Pagination, ProviderFacts, XmlFormat
from connproof.schemas import nearest

__all__ = ["HABITS", "Case", "Habit", "Must", "Terms", "playable"]

Must: TypeAlias = Literal["complete", "either", "told"]
"""What must come of a habit: every record once and in order; that, or an error that says why not; an error.
Never a read that ends as if all was well, and has lost or repeated a record; never one that does not end."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a config says of a listing, as far as habits ask: its operation, its strategy, and the provider's facts."""

    operation: Operation
    paging: Pagination
    facts: ProviderFacts

    @property
    def is_led(self) -> bool:
        """Whether each page names the next one."""
        return self.paging.type in {"cursor", "link_header", "next_url"}

    @property
    def follows(self) -> bool:
        return self.paging.type in {"link_header", "next_url"}

    @property
    def steps(self) -> bool:
        """Whether the next offset is the last one plus the page size, however many records came."""
        return self.paging.type == "offset" and self.paging.step == "limit"

    @property
    def counts_records(self) -> bool:
        """Whether positions are counted by the records that came."""
        return self.paging.type == "offset" and not self.steps

    @property
    def has_flag(self) -> bool:
        return self.paging.stop_field is not None or self.paging.stop_header is not None

    @property
    def has_total(self) -> bool:
        return self.paging.total_field is not None or self.paging.total_header is not None

    @property
    def asks_size(self) -> bool:
        return self.paging.page_size_param is not None

    @property
    def may_lower(self) -> bool:
        """Whether the provider may give fewer than were asked for, without a word."""
        said = self.facts.lowers_page_size
        return self.asks_size and (self.paging.max_page_size is None if said is None else said)

    @property
    def may_be_short(self) -> bool:
        """Whether a page may be short, and not be the last."""
        said = self.facts.short_pages
        return self.paging.short_page != "stop" if said is None else said

    @property
    def may_filter(self) -> bool:
        """Whether records may be left out of a page after it was counted."""
        said = self.facts.filters_pages
        return (self.may_be_short and not self.counts_records) if said is None else said

    @property
    def is_given_short(self) -> bool:
        """Whether pages are known to be short without anything filtered out: an offset then counts what came."""
        return self.facts.short_pages is True and self.facts.filters_pages is False

    @property
    def may_be_empty(self) -> bool:
        """Whether a page may be empty, and not be the last."""
        said = self.facts.empty_pages
        return (self.paging.empty_page == "continue" or self.has_flag) if said is None else said

    @property
    def has_place(self) -> bool:
        """Whether the list stands at a place, and is not the whole body."""
        return self.operation.response_path is not None and bool(self.operation.response_path.steps)

    @property
    def is_json(self) -> bool:
        return not isinstance(self.operation.decode, XmlFormat) and self.operation.decode != "text"


@dataclass(frozen=True, slots=True)
class Habit:
    """One habit. `values` are what may be drawn for it; 1 stands for a habit that there is or is not.

    Of one `group` a provider has one habit at a time: two of them would undo each other. Where a read gets it wrong,
    `decides` is the word of the config on which it depends, and `fix` what to do.
    """

    group: str
    says: str
    must: Callable[[Terms], Must]
    when: Callable[[Terms], bool]
    values: Sequence[int] = (1,)
    decides: str = ""
    fix: str = ""


def _complete(_: Terms) -> Must:
    return "complete"


def _either(_: Terms) -> Must:
    return "either"


def _told(_: Terms) -> Must:
    return "told"


def _unless_it_steps(terms: Terms) -> Must:
    return "either" if terms.steps else "complete"


def _unless_the_total_tells(terms: Terms) -> Must:
    """Where positions step by the limit, a short page ends in an error unless the total or `short_page` explains it."""
    return "either" if terms.steps and terms.paging.short_page is None else "complete"


def _names_position(terms: Terms) -> bool:
    """Whether the body or a header names the next position in a form that can be nothing, null or an empty text."""
    return terms.paging.type == "next_url" or (terms.paging.type == "cursor" and terms.paging.cursor_header is None)


def _spells(terms: Terms) -> bool:
    paging = terms.paging
    return paging.type == "cursor" and not paging.allow_repeats and paging.first_cursor not in {0, "0"}


def _spells_freely(terms: Terms) -> bool:
    """Whether cursors may have any character: they stand in no header and in no XML."""
    paging = terms.paging
    return _spells(terms) and paging.cursor_header is None and paging.cursor_in != "header" and terms.is_json


def _loops(terms: Terms) -> bool:
    return not terms.paging.allow_repeats and terms.paging.type != "none"


HABITS: Final[Mapping[str, Habit]] = MappingProxyType(
    {
        # The size of a page.
        "lowers": Habit(
            "size",
            "gives no more than {n} records a page, whatever is asked for",
            lambda t: "complete" if t.facts.lowers_page_size is True else _unless_it_steps(t),
            lambda t: t.may_lower and t.paging.min_page_size == 1,
            (1, 2),
            decides="short_page",
            fix="declare max_page_size if up to there as many come as are asked for; let no short page end the read",
        ),
        "generous": Habit(
            "size",
            "gives {n} records more than asked for",
            _unless_it_steps,
            lambda t: t.asks_size and t.facts.lowers_page_size is not False,
            (1, 2),
            decides="step",
            fix='step by "returned"',
        ),
        "short": Habit(
            "size",
            "gives one record less on page {n}, in the middle",
            _complete,
            lambda t: (
                t.may_be_short
                and (t.is_led or t.paging.type == "keyset" or t.counts_records or (t.steps and t.is_given_short))
            ),
            (1, 2),
            decides="short_page",
            fix="let no short page end the read; or say in provider_facts that short_pages is false, with its source",
        ),
        "filtered": Habit(
            "size",
            "filters the first record of each page out, after it was counted",
            _complete,
            lambda t: (
                t.may_filter
                and (t.facts.filters_pages is True or not t.steps or t.paging.short_page == "continue")
                and t.paging.type != "none"
            ),
            decides="short_page",
            fix="let no short page end the read; or say in provider_facts that short_pages is false, with its source",
        ),
        "hollow": Habit(
            "size",
            "filters every record of page {n} out: an empty page in the middle",
            lambda t: "either" if t.counts_records or t.paging.type == "keyset" else _unless_it_continues(t),
            lambda t: t.may_be_empty and t.paging.type != "none" and t.paging.short_page != "stop",
            (1, 2),
            decides="empty_page",
            fix="let no empty page end the read; or say in provider_facts that empty_pages is false, with its source",
        ),
        "refuses_size": Habit(
            "size",
            "refuses a page of more than {n} records as too large",
            _complete,
            lambda t: bool(t.paging.reduce_on) and t.asks_size and t.paging.min_page_size == 1,
            (1, 2),
            decides="reduce_on",
            fix="see which statuses mean that a page is too large",
        ),
        # How nothing is said.
        "null_items": Habit(
            "items",
            "says null for a list without records",
            _complete,
            lambda t: t.is_json and t.has_place,
            decides="response_path",
            fix="point it at the list",
        ),
        "no_items": Habit(
            "items",
            "leaves the list out where it has no records",
            lambda t: "complete" if t.operation.items_may_be_missing else "either",
            lambda t: t.is_json and t.has_place,
            decides="items_may_be_missing",
            fix="set it where the provider leaves an empty list out",
        ),
        "no_content": Habit(
            "items",
            "answers 204 where nothing is left",
            _complete,
            lambda t: t.is_json and not t.steps,
            decides="empty_page",
            fix="an empty answer is an empty page",
        ),
        "null_end": Habit(
            "end",
            "says null where no page follows",
            _complete,
            lambda t: _names_position(t) and t.is_json,
            fix="null is no next page",
        ),
        "blank_end": Habit(
            "end",
            "says an empty text where no page follows",
            _complete,
            _names_position,
            fix="an empty text is no next page",
        ),
        "live_end": Habit(
            "live",
            "names a next page on the last one, which is empty",
            _complete,
            lambda t: t.is_led,
            decides="empty_page",
            fix="an empty page that names no next one is the end",
        ),
        # What a cursor is like.
        "numbers": Habit(
            "spelling", "names its places by numbers, from 0 on", _complete, lambda t: _spells(t) and t.is_json
        ),
        "digits": Habit("spelling", 'names its places by digits, from "0" on', _complete, _spells),
        "signs": Habit("spelling", "has + % & # = / ? and blanks in its cursors", _complete, _spells_freely),
        "letters": Habit("spelling", "has letters of other scripts in its cursors", _complete, _spells_freely),
        "blanks": Habit("spelling", "has cursors of blanks alone", _complete, _spells_freely),
        "long": Habit("spelling", "has cursors of 2,000 characters", _complete, _spells),
        # What a link is like.
        "path_only": Habit("link", "gives the path of the next page alone", _complete, lambda t: t.follows),
        "query_only": Habit("link", "gives the query of the next page alone", _complete, lambda t: t.follows),
        "own_port": Habit("link", "names the port that goes without saying", _complete, lambda t: t.follows),
        "twice": Habit("query", "has a parameter of its own in its link, twice", _complete, lambda t: t.follows),
        "percents": Habit("query", "has bytes in its link that are encoded already", _complete, lambda t: t.follows),
        "decoys": Habit(
            "header",
            "sends links of other relations beside the next one, with commas in them",
            _complete,
            lambda t: t.paging.type == "link_header",
        ),
        "lines": Habit(
            "header",
            "sends its links in several header lines, without quotes or spaces",
            _complete,
            lambda t: t.paging.type == "link_header",
        ),
        # What contradicts itself, or leads round in circles.
        "itself": Habit(
            "way",
            "names page {n} as its own next page",
            _told,
            lambda t: t.is_led and _loops(t),
            (1, 2),
            decides="allow_repeats",
            fix="leave it out: a place that comes back is a loop",
        ),
        "circle": Habit(
            "way",
            "leads from page {n} back to the first",
            _told,
            lambda t: t.is_led and _loops(t),
            (2, 3, 5),
            decides="allow_repeats",
            fix="leave it out: a place that comes back is a loop",
        ),
        "deaf": Habit(
            "way",
            "gives its first page, whatever place is asked for, and names new next ones",
            _told,
            _loops,
            fix="check the name of the parameter, and where it is sent; declare the key of the records",
        ),
        "no_progress": Habit(
            "way",
            "gives empty pages for ever, and says that there is more",
            _told,
            lambda t: t.may_be_empty,
            decides="max_empty_pages",
            fix="lower it",
        ),
        "foreign": Habit("way", "leads to another host", _told, lambda t: t.follows),
        "forgets": Habit(
            "way",
            "no longer knows the place when page {n} is asked for, once",
            lambda t: "told" if t.paging.on_expired == "fail" else "complete",
            lambda t: t.is_led or t.paging.type == "keyset",
            (2, 3),
            decides="on_expired",
            fix="declare in errors what says that a place is gone (cursor_expired), and in on_expired what to do",
        ),
        "worded_flag": Habit(
            "flag",
            'says "true" and "false" where it should say true and false',
            _told,
            lambda t: t.paging.stop_field is not None and isinstance(t.paging.stop_when, bool) and t.is_json,
            decides="stop_when",
            fix="declare the value as the provider sends it, with its class",
        ),
        "no_flag": Habit(
            "flag",
            "says neither that there is more nor that there is not",
            _either,
            lambda t: t.has_flag,
            decides="stop_field",
            fix="check its path",
        ),
        "eager_flag": Habit(
            "flag",
            "says to the end that there is more",
            _either,
            lambda t: t.has_flag,
            decides="stop_field",
            fix="check its path, and the polarity of stop_when",
        ),
        # Totals.
        "worded_total": Habit("total", "says its total as a text", _complete, lambda t: t.has_total),
        "null_total": Habit(
            "total",
            "says null for its total",
            _unless_the_total_tells,
            lambda t: t.paging.total_field is not None and t.is_json,
        ),
        "high_total": Habit(
            "total",
            "says {n} too many for its total",
            _unless_the_total_tells,
            lambda t: t.has_total,
            (1, 3),
            decides="total_field",
            fix="an empty page ends the read before a total is reached",
        ),
        "growing_total": Habit(
            "total",
            "says one more for its total with every page",
            _unless_the_total_tells,
            lambda t: t.has_total,
            decides="total_field",
            fix="an empty page ends the read before a total is reached",
        ),
        "zero_total": Habit(
            "total",
            "says 0 for its total from the second page on",
            lambda t: "complete" if t.paging.total_from == "first" else "either",
            lambda t: t.has_total,
            decides="total_from",
            fix='set it to "first" if only the first page has the total',
        ),
        "wrong_echo": Habit(
            "way",
            "says that every page is the first",
            _told,
            lambda t: t.paging.page_field is not None,
            decides="page_field",
            fix="leave it out: pages are then counted from first_page on",
        ),
    }
)
"""Each habit by its name, in the order of docs/simulated-provider.md."""


def _unless_it_continues(terms: Terms) -> Must:
    return "either" if terms.steps and terms.paging.short_page != "continue" else "complete"


def playable(terms: Terms, *, must: Must | None = None) -> tuple[str, ...]:
    """The habits that a config leaves open, by name; with `must`, those of which this must come."""
    return tuple(
        name for name, habit in HABITS.items() if habit.when(terms) and (must is None or habit.must(terms) == must)
    )


_WORD = re.compile(r"([a-z_]+)(?:=([0-9]+))?")


@dataclass(frozen=True, slots=True)
class Case:
    """What a provider holds and how it behaves: so many records, so many on a page, and its habits."""

    records: int
    size: int
    habits: Mapping[str, int]

    @property
    def text(self) -> str:
        """On one line, as it can be played again: `records=7 size=3 lowers=2 null_end`."""
        habits = (name if n == 1 else f"{name}={n}" for name, n in self.habits.items())
        return " ".join([f"records={self.records}", f"size={self.size}", *habits])

    @classmethod
    def parse(cls, text: str) -> Case:
        """Read such a line. Raises CallWrong."""
        said: dict[str, int] = {}
        for word in text.split():
            found = _WORD.fullmatch(word)
            if found is None or (found[1] not in HABITS and found[1] not in {"records", "size"}):
                raise CallWrong(
                    f'no habit of a provider: "{word}"',
                    facts={"as": "records=7 size=3 lowers=2 null_end"},
                    fix=nearest(word.partition("=")[0], ["records", "size", *HABITS]),
                )
            if found[1] in said or (found[1] in {"records", "size"} and found[2] is None):
                raise CallWrong(f'not to be told how many: "{word}"', facts={"seen": text}, fix="say it once, with =N")
            said[found[1]] = int(found[2] or 1)
        if said.get("size", 0) < 1 or "records" not in said:
            raise CallWrong("a case says records=N and size=N, with at least one record a page", facts={"seen": text})
        return cls(said.pop("records"), said.pop("size"), MappingProxyType(said))

    def told(self) -> list[str]:
        """What the provider does, a sentence for each habit."""
        return [HABITS[name].says.format(n=n) for name, n in self.habits.items()]

    def must(self, terms: Terms) -> Must:
        """What must come of it: the most lenient of what must come of its habits, an error before all else."""
        musts = {HABITS[name].must(terms) for name in self.habits}
        return "told" if "told" in musts else "either" if "either" in musts else "complete"
