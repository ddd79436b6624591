"""Each PAG check passes with its cases counted, and fails on a config or engine that loses, repeats or never ends."""

from __future__ import annotations

import re
from typing import Any

import pytest
from projects import CHECK, Project

from connproof import pagination, resume
from connproof.errors import CallWrong, ConfigWrong
from connproof.guard import Guard
from connproof.model import Page, Pagination, Position
from connproof.pagination import cursor
from connproof.places import ABSENT, Absent, JsonValue
from connproof.run import listing
from pytest_connproof.checks import pag, targets
from pytest_connproof.contracts import contract_text
from pytest_connproof.finding import Finding, Inconclusive
from pytest_connproof.provider.habits import Case
from pytest_connproof.stage import Played

TARGET = "deals.list"
LIST = "/resources/deals/list"
OFFSET = {"type": "offset", "offset_param": "start", "page_size_param": "limit", "default_page_size": 100}
PAGES = {"type": "page", "page_param": "page", "page_size_param": "limit", "default_page_size": 100}
STRATEGIES: dict[str, dict[str, Any]] = {
    "offset": {**OFFSET, "total_field": "total"},
    "offset by limit": {**OFFSET, "step": "limit", "stop_field": "more", "stop_when": False},
    "page": {**PAGES, "stop_field": "more", "stop_when": False},
    "link_header": {"type": "link_header", "page_size_param": "limit", "default_page_size": 100},
    "next_url": {"type": "next_url", "next_url_field": "next"},
    "keyset": {"type": "keyset", "key_field": "id", "key_param": "after", "stop_field": "more", "stop_when": False},
}


def _refuted(project: Project, check: str, **settings: Any) -> str:
    with pytest.raises(Finding) as found:
        project.judge(check, TARGET, **settings)
    return str(found.value)


def _paged(project: Project, words: dict[str, Any]) -> None:
    project.change("connector.json", f"{LIST}/pagination", words)


@pytest.mark.parametrize(
    ("check", "counted"),
    [
        ("PAG-001", {"cases", "pages", "habits"}),
        ("PAG-002", {"cases", "pages", "habits"}),
        ("PAG-003", {"cases", "pages", "habits", "resumed"}),
        ("PAG-004", {"cases", "pages", "habits"}),
        ("PAG-005", {"cases", "pages", "habits", "reads"}),
        ("PAG-006", {"reads", "changes"}),
    ],
)
def test_PAG_passes_with_its_cases_counted(deals: Project, check: str, counted: set[str]) -> None:
    """A pass says how many cases were played, how many pages were asked for, and how many habits showed."""
    evidence = deals.judge(check, TARGET)

    assert counted == set(evidence)
    assert all(count > 0 for name, count in evidence.items() if name != "habits")


def test_PAG_001_passes_only_where_every_habit_showed(deals: Project) -> None:
    """What the config leaves open was played, all of it."""
    evidence = deals.judge("PAG-001", TARGET)

    assert 14 <= evidence["habits"] <= evidence["cases"]


@pytest.mark.parametrize("words", STRATEGIES.values(), ids=STRATEGIES)
@pytest.mark.parametrize("check", [check for check in CHECK if check.startswith("PAG-") and check < "PAG-007"])
def test_PAG_passes_for_every_strategy(deals: Project, words: dict[str, Any], check: str) -> None:
    """No strategy is refuted that is declared as its provider pages."""
    _paged(deals, words)

    assert deals.judge(check, TARGET)


def test_PAG_001_fails_on_a_short_page_taken_for_the_last(deals: Project) -> None:
    """A provider that gives fewer than asked for, without a word: the finding has it all, the smallest case of it."""
    _paged(deals, {**OFFSET, "short_page": "stop"})

    told = _refuted(deals, "PAG-001")

    assert told.startswith("records are lost, and the read ends as if all was well")
    assert "gives no more than 1 records a page, whatever is asked for" in told
    assert "-> GET /v1/deals?" in told
    assert "ended   as if all was well: a short page" in told
    assert "lost    " in told
    assert "/resources/deals/list/pagination/short_page" in told
    assert "declare max_page_size" in told
    assert '--provider-case "records=2 size=2 lowers"' in told
    assert "cases/PAG-001.json" in told


def test_PAG_001_fails_on_what_is_drawn_with_its_smallest_case(deals: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cursors that are digits, and pages of five asked for: what else was drawn with them is left out."""

    def lossy(draft: Any, paging: Pagination, value: JsonValue) -> Any:
        loses = value == "1" and dict(draft.query)["limit"] == "5"
        return place(draft, paging, "0" if loses else value)

    place = cursor.place
    monkeypatch.setattr(cursor, "place", lossy)

    told = _refuted(deals, "PAG-001", campaign=True)

    assert told.startswith("the read ends in an error, though the provider says nothing that is wrong")
    (case,) = re.findall(r'--provider-case "records=([0-9]+) size=5 (.*)"', told)
    assert "digits" in case[1]
    assert len(case[1].split()) <= 2


def test_PAG_001_fails_on_a_cursor_that_is_judged_by_truth(deals: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """0 is a cursor."""

    def truthy(paging: Pagination, position: Position, page: Page) -> JsonValue | Absent:
        return following(paging, position, page) or ABSENT

    following = cursor.following
    monkeypatch.setattr(cursor, "following", truthy)

    assert "names its places by numbers, from 0 on" in _refuted(deals, "PAG-001")


def test_PAG_002_fails_on_a_request_that_tells_nothing(deals: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The flag says the end, and the engine asks all the same."""
    _paged(deals, {**OFFSET, "stop_field": "more", "stop_when": False})
    monkeypatch.setattr(pagination, "_says_more", lambda *_: None)

    told = _refuted(deals, "PAG-002")

    assert told.startswith("2 requests for 1 page, where 1 tell all")


def test_PAG_003_fails_on_a_token_that_leads_back(deals: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A resume token that stands at the start gives every record again."""
    token = resume.token
    monkeypatch.setattr(
        listing, "token", lambda call, position: token(call, Position() if position.pages else position)
    )

    told = _refuted(deals, "PAG-003")

    assert told.startswith("the read was broken off at request 2, and does not go on from there")
    assert "(the connection breaks off)" in told
    assert "twice   " in told


def test_PAG_004_fails_on_a_read_that_goes_round(deals: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the loop guard a cursor that names itself is followed for ever."""
    monkeypatch.setattr(Guard, "request", lambda *_: None)
    monkeypatch.setattr(Guard, "page", lambda *_: None)

    told = _refuted(deals, "PAG-004")

    assert told.startswith("the read does not end")
    assert "ended   not at all: cut short after" in told


def test_PAG_005_fails_on_state_that_reads_share(deals: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A place that is kept outside of the read: the other read goes on from there."""
    kept: list[JsonValue] = []

    def keeping(paging: Pagination, position: Position, page: Page) -> JsonValue | Absent:
        found = following(paging, position, page)
        kept[:] = [] if isinstance(found, Absent) else [found]
        return found

    place, following = cursor.place, cursor.following
    monkeypatch.setattr(cursor, "following", keeping)
    monkeypatch.setattr(cursor, "place", lambda draft, paging, value: place(draft, paging, kept[0] if kept else value))

    assert _refuted(deals, "PAG-005").startswith("two reads at once, or one after them: ")


def test_PAG_006_fails_on_places_that_shift(deals: Project) -> None:
    """An offset counts what stands before it: a record that goes takes one with it that stayed."""
    _paged(deals, STRATEGIES["offset by limit"])
    deals.change("connector.json", f"{LIST}/provider_facts", {"steady_places": True})

    told = _refuted(deals, "PAG-006")

    assert told.startswith("the read ends in an error while data moves")
    assert "1. a page is read\n     2. a record comes, at 0" in told
    assert "steady_places" in told


@pytest.mark.parametrize("words", [{"window": {"field": "id", "param": "since", "cap": 1000}}], ids=["window"])
def test_PAG_006_is_for_listings_that_are_read_by_their_pages_alone(deals: Project, words: dict[str, Any]) -> None:
    """What is read in windows, or put together, moves by rules of its own."""
    _paged(deals, {"type": "cursor", "cursor_field": "next", **words})

    subject = deals.subject()

    assert [] == list(targets(CHECK["PAG-006"], subject))
    assert [TARGET] == list(targets(CHECK["PAG-001"], subject))


def test_a_case_is_played_again_alone(deals: Project) -> None:
    """As a finding prints it."""
    evidence = deals.judge("PAG-001", TARGET, provider_case="records=7 size=3 live_end")

    assert (1, 1) == (evidence["cases"], evidence["habits"])


def test_a_misspelt_case_says_what_there_is(deals: Project) -> None:
    """The word, and those that are known."""
    with pytest.raises(CallWrong, match='no habit of a provider: "live_ende"'):
        deals.judge("PAG-001", TARGET, provider_case="records=7 size=3 live_ende")


def test_a_pinned_case_is_played_first(deals: Project) -> None:
    """A case that once went wrong is kept in the connector's folder, by operation."""
    before = deals.judge("PAG-001", TARGET)["cases"]
    deals.write("cases/PAG-001.json", {TARGET: ["records=9 size=4 signs decoys"]})

    assert before + 1 == deals.judge("PAG-001", TARGET)["cases"]


@pytest.mark.parametrize(
    ("kept", "says"),
    [
        (["records=1 size=1"], "is no object of cases"),
        ({"deal.list": ["records=1 size=1"]}, "is no operation of the connector"),
    ],
)
def test_a_file_of_cases_that_is_none_is_told(deals: Project, kept: JsonValue, says: str) -> None:
    """With file and place."""
    deals.write("cases/PAG-001.json", kept)

    with pytest.raises(ConfigWrong, match=says):
        deals.judge("PAG-001", TARGET)


def test_another_seed_draws_other_cases(deals: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the same seed the same ones."""
    drawn: list[str] = []
    play = pag._Playing._wrong

    def noted(self: pag._Playing, case: Case) -> Played | None:
        drawn.append(case.text)
        return play(self, case)

    monkeypatch.setattr(pag._Playing, "_wrong", noted)

    def cases(seed: int) -> list[str]:
        drawn.clear()
        deals.judge("PAG-001", TARGET, provider_seed=seed)
        return [*drawn]

    assert cases(1) == cases(1) != cases(2)


BY_LIMIT = {**OFFSET, "step": "limit", "stop_field": "more", "stop_when": False, "short_page": "continue"}
BY_RETURNED = {**OFFSET, "stop_field": "more", "stop_when": False}
LOWERED = {"lowers_page_size": True}
GIVEN_SHORT = {"short_pages": True, "filters_pages": False}
FILTERED = {"short_pages": True, "filters_pages": True, "empty_pages": False}


@pytest.mark.parametrize(
    ("words", "facts", "says"),
    [
        (BY_LIMIT, LOWERED, "gives no more than 1 records a page"),
        (BY_LIMIT, GIVEN_SHORT, "gives one record less on page 1"),
        (BY_RETURNED, FILTERED, "filters the first record of each page out"),
    ],
    ids=["lowered", "short", "filtered"],
)
def test_PAG_001_fails_on_a_step_that_what_is_known_of_the_provider_rules_out(
    deals: Project, words: dict[str, Any], facts: dict[str, Any], says: str
) -> None:
    """What is known of how a provider pages tells a wrong step, and no recording has to."""
    _paged(deals, words)
    deals.change("connector.json", "/provider_facts", facts)

    assert says in _refuted(deals, "PAG-001")


@pytest.mark.parametrize(
    ("words", "facts"),
    [(BY_RETURNED, LOWERED), (BY_RETURNED, GIVEN_SHORT), (BY_LIMIT, FILTERED)],
    ids=["lowered", "short", "filtered"],
)
def test_PAG_001_passes_with_the_step_that_fits_what_is_known(
    deals: Project, words: dict[str, Any], facts: dict[str, Any]
) -> None:
    """The other step copes with it."""
    _paged(deals, words)
    deals.change("connector.json", "/provider_facts", facts)

    assert 0 < deals.judge("PAG-001", TARGET)["cases"]


def test_PAG_001_passes_where_a_short_page_that_no_total_explains_is_an_error(deals: Project) -> None:
    """By the limit, a short page would skip records: where the total is null, or too high, that is told, and right."""
    _paged(deals, {**OFFSET, "step": "limit", "total_field": "total"})

    assert 0 < deals.judge("PAG-001", TARGET)["cases"]


# PAG-007


CONTRACT = "contract/deals.list.schema.json"


@pytest.fixture
def agreed(deals: Project) -> Project:
    """The deals with a contract of what their recordings hold."""
    for operation, answers in deals.subject().answers.items():
        deals.write(f"contract/{operation}.schema.json", contract_text(operation, answers.seen))
    return deals


def _without_recordings(project: Project) -> Project:
    for path in project.path("recordings").iterdir():
        path.unlink()
    return project


@pytest.mark.parametrize(("target", "places"), [(TARGET, 3), ("deals.get", 1)])
def test_PAG_007_passes_with_its_places_counted(agreed: Project, target: str, places: int) -> None:
    """The list, its key and its cursor; no recording is asked."""
    assert {"places": places} == _without_recordings(agreed).judge("PAG-007", target)


def test_PAG_007_applies_where_there_is_a_contract_and_something_is_read(agreed: Project) -> None:
    """An operation whose answer is given as it is reads nothing; one without a contract has nothing to be held to."""
    agreed.drop("connector.json", "/resources/deals/get/key")
    assert [TARGET] == list(targets(CHECK["PAG-007"], agreed.subject()))

    agreed.path(CONTRACT).unlink()
    assert [] == list(targets(CHECK["PAG-007"], agreed.subject()))


def test_PAG_007_passes_beside_a_mapping_that_is_none(agreed: Project) -> None:
    """What is wrong with an expression is for CFG-001 to say; the mapping's places are none of this."""
    agreed.change("connector.json", "/unified/crm.deal/fields/name", "properties.(")

    assert [TARGET, "deals.get"] == list(targets(CHECK["PAG-007"], agreed.subject()))
    assert {"places": 3} == agreed.judge("PAG-007", TARGET)


def test_PAG_007_fails_on_a_cursor_that_no_answer_has(agreed: Project) -> None:
    """Line and pointer of the word, what is not there, what is, and the name that may be meant."""
    agreed.change("connector.json", f"{LIST}/pagination/cursor_field", "paging.next.aftr")

    with pytest.raises(Finding) as found:
        _without_recordings(agreed).judge("PAG-007", TARGET)

    assert (
        "paging.next.aftr is read, and the contract of deals.list has no such place\n"
        "\n"
        "  config     connectors/deals/connector.json:25   /resources/deals/list/pagination/cursor_field\n"
        '  lacks      "aftr" in paging.next\n'
        "  it has     after\n"
        "  contract   connectors/deals/contract/deals.list.schema.json\n"
        '  fix        did you mean "after"? correct the path\n'
        "             where the provider does send it: record that, then connproof drift deals --update"
    ) == str(found.value)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            {"type": "next_url", "next_url_field": "paging.next.link"},
            'paging.next.link is read.*lacks +"link" in paging',
        ),
        ({"type": "next_url", "next_url_field": "paging.next"}, "paging.next is object .* is read as a text"),
        ({"type": "cursor", "cursor_field": ["after", {"path": "links.next", "url_param": "after"}]}, "after is read"),
        (
            {**PAGES, "total_field": "totl"},
            'lacks +"totl" .*it has +more, paging, results, state, total.*did you mean "total"',
        ),
        ({**PAGES, "stop_field": "total", "stop_when": True}, "total is integer .* is read as a boolean.*stop_when"),
        ({**PAGES, "stop_field": "more", "stop_when": "no"}, "more is boolean .* is read as a text"),
        ({**PAGES, "stop_field": "state", "stop_when": "DONE"}, 'state is one of done, more .* is read as "DONE"'),
        ({"type": "keyset", "key_field": "Id", "key_param": "after"}, 'lacks +"Id" in results.*did you mean "id"'),
        ({**OFFSET, "step": "reported", "step_field": "results"}, "results is array .* is read as a text or a number"),
    ],
)
def test_PAG_007_fails_on_a_word_of_a_strategy_that_leads_elsewhere(
    agreed: Project, words: dict[str, Any], says: str
) -> None:
    """Each word of each strategy, by its place and by the class that it needs."""
    _paged(agreed, words)
    for name, said in (("more", {"type": "boolean"}), ("total", {"type": "integer"})):
        agreed.change(CONTRACT, f"/properties/{name}", said)
    agreed.change(CONTRACT, "/properties/state", {"type": "string", "enum": ["done", "more"]})

    with pytest.raises(Finding) as found:
        _without_recordings(agreed).judge("PAG-007", TARGET)

    assert re.search(says, str(found.value), re.DOTALL), str(found.value)


@pytest.mark.parametrize(
    ("pointer", "value", "says"),
    [
        (f"{LIST}/response_path", "result", 'result is read.*did you mean "results"'),
        (f"{LIST}/response_path", "paging", "paging is object .* is read as a list"),
        (f"{LIST}/key", "uid", 'results.uid is read.*lacks +"uid" in results'),
        (
            "/rate_limit",
            {"budgets": [{"name": "a", "remaining": {"body": "cost.left", "unit": "count"}}]},
            "cost.left is",
        ),
    ],
)
def test_PAG_007_fails_on_what_stands_around_the_pages(agreed: Project, pointer: str, value: Any, says: str) -> None:
    """The list of records, their key, and what every answer tells of a quota."""
    agreed.change("connector.json", pointer, value)

    with pytest.raises(Finding) as found:
        _without_recordings(agreed).judge("PAG-007", TARGET)

    assert re.search(says, str(found.value), re.DOTALL), str(found.value)


def test_PAG_007_fails_on_an_answer_that_is_no_list(agreed: Project) -> None:
    """Without a response_path the answer itself is the list."""
    agreed.drop("connector.json", f"{LIST}/response_path")

    with pytest.raises(Finding, match=r"\$ is object in the contract of deals.list, and is read as a list"):
        agreed.judge("PAG-007", TARGET)


@pytest.mark.parametrize(
    "words",
    [
        {"type": "cursor", "cursor_field": ["token", "paging.next.after"], "cursor_param": "after"},
        {**PAGES, "stop_field": "results[0].updatedAt", "stop_when": "never"},
    ],
    ids=["one of several places", "inside an element"],
)
def test_PAG_007_passes_where_one_place_is_enough(agreed: Project, words: dict[str, Any]) -> None:
    """Of several places of a cursor one must be there; a list is passed through."""
    _paged(agreed, words)

    assert {"places"} == set(agreed.judge("PAG-007", TARGET))


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ({"type": "null"}, "paging was never but null"),
        ({"type": "object"}, "paging never had a member"),
        ({"type": "array"}, "paging never had an element"),
    ],
)
def test_PAG_007_doubts_where_the_contract_has_nothing_to_show(
    agreed: Project, schema: dict[str, Any], says: str
) -> None:
    """What was always empty shows neither that a path is right nor that it is wrong."""
    agreed.change(CONTRACT, "/properties/paging", schema)

    with pytest.raises(Inconclusive, match=f"{says}, and {LIST}/pagination/cursor_field reads in it"):
        agreed.judge("PAG-007", TARGET)


@pytest.mark.parametrize("schema", [{}, {"type": "object", "additionalProperties": True}])
def test_PAG_007_passes_what_the_contract_leaves_open(agreed: Project, schema: dict[str, Any]) -> None:
    """A contract may say less than what was seen: what it does not say may be anything."""
    agreed.change(CONTRACT, "/properties/paging", schema)

    assert {"places": 3} == agreed.judge("PAG-007", TARGET)
