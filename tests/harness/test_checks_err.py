"""Each ERR check passes on a whole project with something counted, and fails on each way to take an error for none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from projects import AS_OF, Project

from connproof.errors import ProviderBroke, ProviderSaid
from connproof.model import Meaning
from connproof.outcome import _KINDS, error_of, judged
from connproof.run import Written, sending, writing
from pytest_connproof.answers import CAUGHT_AS
from pytest_connproof.checks import CHECKS, targets
from pytest_connproof.finding import Finding, Inconclusive
from pytest_connproof.subject import Settings, Subject

FILE = "recordings/orders.json"
PAGE = "/lanes/0/exchanges/0/response/json"
FORBIDDEN = "/lanes/4/exchanges/0/response"
LOCKED = "/lanes/5/exchanges/0/response/json"
BATCH = "/lanes/6/exchanges/0/response/json"
AT = "connectors/orders/connector.json"


def _refuted(project: Project, check: str) -> Finding:
    with pytest.raises(Finding) as found:
        project.judge(check)
    return found.value


def _doubt(project: Project, check: str) -> str:
    with pytest.raises(Inconclusive) as doubt:
        project.judge(check)
    return str(doubt.value)


def _line(project: Project, pointer: str) -> int:
    return project.subject().connector.source.line(pointer)


@pytest.mark.parametrize(
    ("check", "evidence"),
    [
        ("ERR-001", {"errors": 4, "codes": 4, "messages": 4}),
        ("ERR-002", {"answers": 6}),
        ("ERR-003", {"rules": 1}),
        ("ERR-004", {"elements": 2, "failed": 1}),
    ],
)
def test_ERR_passes_with_counts(orders: Project, check: str, evidence: dict[str, int]) -> None:
    """A pass says how much it looked at."""
    assert evidence == orders.judge(check)


def test_ERR_is_judged_where_it_means_something(orders: Project, finder: Project) -> None:
    """Without a recorded error, a rule or a batch what successes say is judged, and each listing."""
    applied = []
    for project in (orders, finder):
        subject = Subject(project.root / project.file, Settings(as_of=AS_OF))
        applied.append([check.id for check in CHECKS if check.family == "err" and [*targets(check, subject)]])

    played = ["ERR-005", "ERR-006"]
    assert [["ERR-001", "ERR-002", "ERR-003", "ERR-004", *played], ["ERR-002", *played]] == applied


# ERR-001


def _raises_otherwise(monkeypatch: pytest.MonkeyPatch, status: int, error: ProviderSaid | None) -> None:
    """An engine that raises another error for a status, or, with none, gives its answer as a record."""
    real = error_of

    def other(verdict: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        return error if error and response.status == status else real(verdict, response, *args, **kwargs)

    monkeypatch.setattr(sending, "error_of", other)


def test_ERR_001_passes_on_what_is_caught_by_each_meaning() -> None:
    """The table here and the engine's are written apart, and name the same errors."""
    engines: dict[Meaning | None, type[ProviderSaid]] = {meaning: kind for meaning, (kind, _, _) in _KINDS.items()}

    assert {**engines, None: ProviderBroke} == dict(CAUGHT_AS), "ERR-001"


def test_ERR_001_fails_on_another_error(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who catches a refusal does not catch this."""
    _raises_otherwise(monkeypatch, 403, ProviderBroke("odd", status=403))
    orders.drop(FILE, "/lanes/1")

    assert (
        "a recorded error does not reach the caller as what it is\n"
        "\n"
        "  answer     forbidden/1   HTTP 403\n"
        "  means      forbidden, says its status\n"
        "  expected   AccessRefused 403\n"
        "  read       orders.get#forbidden ended: ProviderBroke 403"
    ) == str(_refuted(orders, "ERR-001"))


def test_ERR_001_fails_on_an_error_that_is_given_as_a_record(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that looks at the status alone takes the 200 for the order."""
    real = judged

    def by_status(response: Any, document: Any, _rules: Any, **kwargs: Any) -> Any:
        return real(response, document, (), **kwargs)

    monkeypatch.setattr(sending, "judged", by_status)
    orders.drop(FILE, "/lanes/1")

    found = _refuted(orders, "ERR-001")

    assert "a recorded error does not reach the caller as what it is" == found.what
    assert f"means      forbidden, says {AT}:{_line(orders, '/errors/0')}   /errors/0" in found.facts
    assert "read       orders.get#locked ended: MappingFailed" in found.facts


def test_ERR_001_fails_on_words_that_lead_nowhere(orders: Project) -> None:
    """The pointers and their lines, and what the body has instead."""
    orders.change("connector.json", "/error_code", "fault.code")
    orders.change("connector.json", "/error_message", "fault.text")

    found = _refuted(orders, "ERR-001")

    assert (
        "a recorded error names no code and no message\n"
        "\n"
        "  answer     too-fast/2   HTTP 403\n"
        f"  declared   {AT}:{_line(orders, '/error_code')}   /error_code\n"
        f"             {AT}:{_line(orders, '/error_message')}   /error_message\n"
        "  it has     error.code, error.text, error.retry_ms"
    ) == str(found)


@pytest.mark.parametrize(("pointer", "word"), [("/error_code", "code"), ("/error_message", "message")])
def test_ERR_001_fails_on_one_word_that_no_error_has(orders: Project, pointer: str, word: str) -> None:
    """One is found in each, the other in none: it is declared wrongly."""
    orders.change("connector.json", pointer, "error.nowhere")

    found = _refuted(orders, "ERR-001")

    assert f"no recorded error names a {word}" == found.what
    assert f"declared    {AT}:{_line(orders, pointer)}   {pointer}\n  looked at   4 answers" in found.facts


def test_ERR_001_passes_where_some_errors_have_no_code(orders: Project) -> None:
    """A provider may name a code for some errors alone, as long as each names something."""
    orders.drop(FILE, f"{FORBIDDEN}/json/error/code")

    assert {"errors": 4, "codes": 3, "messages": 4} == orders.judge("ERR-001")


def test_ERR_001_passes_on_a_proxys_page(orders: Project) -> None:
    """What no part of the provider's API wrote has no place of it."""
    answer = {"status": 502, "headers": [["content-type", "text/html"]], "text": ["<h1>Bad Gateway</h1>"]}
    orders.change(FILE, FORBIDDEN, answer)

    assert {"errors": 4, "codes": 3, "messages": 3} == orders.judge("ERR-001")


def test_ERR_001_passes_on_an_error_without_members(orders: Project) -> None:
    """A listing of none, which a rule calls not found, has no place for a code."""
    answer = {"status": 403, "headers": [["content-type", "application/json"]], "json": []}
    orders.change(FILE, FORBIDDEN, answer)

    assert {"errors": 4, "codes": 3, "messages": 3} == orders.judge("ERR-001")


def test_ERR_001_passes_on_an_error_that_the_read_recovers_from(orders: Project) -> None:
    """A page that was too big is asked for in smaller ones: that error is not the caller's."""
    paging = orders.read("connector.json")["resources"]["orders"]["list"]["pagination"]
    words = {"page_size_param": "n", "default_page_size": 4, "reduce_on": [413]}
    orders.change("connector.json", "/resources/orders/list/pagination", {**paging, **words})
    first, *_ = orders.read(FILE)["lanes"][0]["exchanges"]
    too_big = {**first, "id": "too-big", "response": {**first["response"], "status": 413}}
    exchanges = [
        {**one, "request": {**one["request"], "query": [["n", size]]}} for one, size in ((too_big, "4"), (first, "2"))
    ]
    exchanges[1]["response"] = {**first["response"], "json": {"orders": [{"id": "o1"}]}}
    orders.change(FILE, "/lanes/0/exchanges", exchanges)
    orders.drop(FILE, "/lanes/2")
    orders.drop(FILE, "/lanes/1")

    assert {"errors": 2, "codes": 2, "messages": 2} == orders.judge("ERR-001")


def test_ERR_001_fails_with_a_doubt_on_errors_that_were_not_reached(orders: Project) -> None:
    """A read that ended before them is RPL's to judge."""
    orders.change(FILE, "/lanes", orders.read(FILE)["lanes"][1:2])
    orders.edit("connector.json", '"cursor_field": "next"', '"cursor_field": "nxet"')

    assert "no recorded error was asked for: too-fast/2\n  fix  see RPL-001" == _doubt(orders, "ERR-001")


# ERR-002


@pytest.mark.parametrize(
    ("pointer", "value", "place", "said"),
    [
        (f"{PAGE}/ok", False, "ok", "false"),
        (f"{PAGE}/success", "false", "success", "a text"),
        (f"{PAGE}/Success", False, "Success", "false"),
        (f"{PAGE}/error", "no such segment", "error", "a text"),
        (f"{PAGE}/errors", [{"code": 1}, {"code": 2}], "errors", "a list of 2"),
        (f"{PAGE}/soap:Fault", {"code": "x"}, '["soap:Fault"]', "an object of 1"),
        (f"{PAGE}/status", "error", "status", "a text"),
        (f"{PAGE}/num_errors", 2, "num_errors", "a number"),
        (f"{PAGE}/meta", {"errors": {"region": "late"}}, "meta.errors", "an object of 1"),
        (f"{PAGE}/data", {"rename": {"userErrors": [{"code": 1}]}}, "data.rename.userErrors", "a list of 1"),
        (f"{BATCH}/other", [{"success": False}], "other[*].success", "false"),
        (f"{BATCH}/other", [{"errors": ["twice"]}], "other[*].errors", "a list of 1"),
    ],
)
def test_ERR_002_fails_on_each_way_to_say_so(orders: Project, pointer: str, value: Any, place: str, said: str) -> None:
    """A success that says inside that it is none: the exchange, the place, and what to declare there."""
    orders.change(FILE, pointer, value)
    if pointer.startswith(PAGE):  # the same page stands in another lane
        orders.drop(FILE, "/lanes/1")

    found = _refuted(orders, "ERR-002")

    assert "an answer that is read as a success says that something failed" == found.what
    assert f"place       {place}   {said}\n" in found.facts
    assert f'"errors": [{{"when": {{"body": {{"{place}": ...}}}}, "means": "failed"}}]' in found.facts


def test_ERR_002_fails_on_an_error_without_its_rule(orders: Project) -> None:
    """The rule is gone: the locked order would be read as an order."""
    orders.drop("connector.json", "/errors")

    found = _refuted(orders, "ERR-002")

    assert "answer      locked/1   HTTP 200\n  place       error   an object of 2\n" in found.facts
    assert f"operation   {AT}:{_line(orders, '/resources/orders/get')}   /resources/orders/get\n" in found.facts


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        (f"{PAGE}/errors", []),
        (f"{PAGE}/error", None),
        (f"{PAGE}/error", "0"),
        (f"{PAGE}/errors", 0),
        (f"{PAGE}/ok", True),
        (f"{PAGE}/success", "true"),
        (f"{PAGE}/status", "complete"),
        (f"{PAGE}/numErrors", 0),
        (f"{PAGE}/hasErrors", False),
        (f"{PAGE}/validationErrors", []),
        (f"{PAGE}/orders/0/status", "error"),
        (f"{PAGE}/orders/0/errors", ["a record's own"]),
        ("/lanes/3/exchanges/0/response/json/status", "failed"),
        ("/lanes/3/exchanges/0/response/json/parts", [{"success": False}]),
    ],
)
def test_ERR_002_passes_on_what_only_looks_like_one(orders: Project, pointer: str, value: Any) -> None:
    """Blank members say that nothing failed, and a record's own state is data."""
    orders.change(FILE, pointer, value)

    assert {"answers": 6} == orders.judge("ERR-002")


def test_ERR_002_passes_where_a_rule_says_that_it_is_none(orders: Project) -> None:
    """Who has looked, and knows better, says so in the config."""
    orders.change(FILE, f"{PAGE}/errors", [{"of": "another account"}])
    orders.drop(FILE, "/lanes/1")
    rules = orders.read("connector.json")["errors"]
    harmless = {"when": {"body": {"errors[0].of": {"present": True}}}, "means": "success"}
    orders.change("connector.json", "/errors", [*rules, harmless])

    assert {"answers": 5} == orders.judge("ERR-002")


@pytest.mark.parametrize("member", ["numErrors", "failures"])
def test_ERR_002_passes_on_a_batch_whose_failures_are_told(orders: Project, member: str) -> None:
    """What stands in the declared lists is told element by element; a count of them too."""
    if member == "numErrors":
        orders.change(FILE, f"{BATCH}/numErrors", 1)
    else:
        orders.change(FILE, f"{BATCH}/errors", [{"why": {"code": "LATE"}}])
        orders.change("connector.json", "/resources/imports/create/elements/failures_at", "errors")

    assert {"answers": 6} == orders.judge("ERR-002")


def test_ERR_002_fails_with_a_doubt_without_a_body(orders: Project) -> None:
    """Nothing was looked at."""
    orders.change(FILE, "/lanes", orders.read(FILE)["lanes"][4:5])

    assert "no recorded success has a body\n  fix  record a lane that succeeds" == _doubt(orders, "ERR-002")


# ERR-003


def test_ERR_003_fails_with_a_doubt_on_an_idle_rule(orders: Project) -> None:
    """Its pointer and its meaning; the others are no matter."""
    rules = orders.read("connector.json")["errors"]
    orders.change("connector.json", "/errors", [*rules, {"when": {"status": 410}, "means": "version_gone"}])

    assert (
        "1 of 2 error rules decide on no recorded answer: /errors/1 (version_gone)\n"
        "  fix  record an answer that each is about, or take out a rule that another one always outruns"
    ) == _doubt(orders, "ERR-003")


def test_ERR_003_fails_with_a_doubt_on_a_rule_behind_another(orders: Project) -> None:
    """It holds, and never decides: a rule before it does."""
    rules = orders.read("connector.json")["errors"]
    orders.change("connector.json", "/errors", [*rules, {"when": rules[0]["when"], "means": "invalid"}])

    assert _doubt(orders, "ERR-003").startswith("1 of 2 error rules decide on no recorded answer: /errors/1 (invalid)")


def test_ERR_003_fails_with_a_doubt_on_a_rule_of_another_operation(orders: Project) -> None:
    """An operation's own rule is about its own answers."""
    rules = orders.read("connector.json")["errors"]
    orders.drop("connector.json", "/errors")
    orders.change("connector.json", "/resources/orders/list/errors", rules)

    assert "/resources/orders/list/errors/0 (forbidden)" in _doubt(orders, "ERR-003")


# ERR-004


def test_ERR_004_fails_on_a_wrong_place(orders: Project) -> None:
    """The element that was refused is told as written: which one, and what it has."""
    orders.change("connector.json", "/resources/imports/create/elements/failed", {"ok": False})

    pointer = "/resources/imports/create/elements"
    assert (
        "imports.create: the caller is told that element 2 succeeded\n"
        "\n"
        f"  config   {AT}:{_line(orders, pointer)}   {pointer}\n"
        "  it has   done, status, why.code\n"
        '  fix      correct "failed": what a failing element has at which place'
    ) == str(_refuted(orders, "ERR-004"))


def test_ERR_004_fails_on_an_inverted_word(orders: Project) -> None:
    """Told as failed, what was written is written again."""
    orders.change("connector.json", "/resources/imports/create/elements/failed/done", True)

    assert "imports.create: the caller is told that element 1 failed" == _refuted(orders, "ERR-004").what


@pytest.mark.parametrize(
    "result", [{"success": False}, {"errors": ["twice"]}, {"error": {"code": 7}}, {"status": "failed"}, {"code": 409}]
)
def test_ERR_004_fails_on_each_way_in_which_an_element_says_so(orders: Project, result: dict[str, Any]) -> None:
    """Providers have many; each is told from a success."""
    orders.change(FILE, f"{BATCH}/results/0", result)

    assert "imports.create: the caller is told that element 1 succeeded" == _refuted(orders, "ERR-004").what


def test_ERR_004_fails_on_failures_that_stand_apart(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second list holds failed elements alone: none of them is told as written."""
    orders.change("connector.json", "/resources/imports/create/elements/failures_at", "rest")
    orders.drop(FILE, f"{BATCH}/results/1")
    orders.change(FILE, f"{BATCH}/rest", [{"why": {"code": "LATE"}}])

    assert {"elements": 2, "failed": 1} == orders.judge("ERR-004")

    _written_otherwise(monkeypatch, lambda elements: tuple(replace(element, ok=True) for element in elements))

    assert "imports.create: the caller is told that element 2 succeeded" == _refuted(orders, "ERR-004").what


def _written_otherwise(monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], Any]) -> None:
    """An engine that tells other fates than it read."""
    real = writing.Writing._sent

    async def changed(self: writing.Writing, *args: Any) -> Written:
        written = await real(self, *args)
        return replace(written, elements=change(written.elements))

    monkeypatch.setattr(writing.Writing, "_sent", changed)


def test_ERR_004_fails_on_an_element_that_is_left_out(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose fate is not told is lost, or written twice."""
    _written_otherwise(monkeypatch, lambda elements: elements[:1])

    assert "imports.create: the answers hold 2 results, the caller was told of 1" == _refuted(orders, "ERR-004").what


def test_ERR_004_fails_with_a_doubt_where_the_write_broke(orders: Project) -> None:
    """An engine that refuses the answer tells of no element: RPL-004 says of what."""
    orders.drop(FILE, f"{BATCH}/results/1")

    assert "imports.create ended early: PageUnreadable\n  fix  see RPL-002 and RPL-004" == _doubt(orders, "ERR-004")


def test_ERR_004_fails_with_a_doubt_where_none_failed(orders: Project) -> None:
    """Only a failing element shows that it would be told."""
    orders.change(FILE, f"{BATCH}/results/1", {"id": "o10", "done": True, "status": 201})

    assert _doubt(orders, "ERR-004").startswith("no recorded batch has a failing element\n")
