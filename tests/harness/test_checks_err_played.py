"""Each ERR check that is played passes with its errors counted, and fails on an engine that makes a hole of one."""

from __future__ import annotations

from typing import Any

import pytest
from projects import CHECK, Project

from connproof.decode import decode
from connproof.errors import ProviderDown, ProviderSaid
from connproof.model import Page, Request, Response
from connproof.outcome import judged
from connproof.places import ABSENT
from connproof.run import listing, sending
from connproof.run.walk import Walk
from pytest_connproof.checks import targets
from pytest_connproof.finding import Finding, Inconclusive

TARGET = "orders.list"
ERRORS = "/errors"
PLAYED = ("ERR-005", "ERR-006")


def _refuted(project: Project, check: str) -> str:
    with pytest.raises(Finding) as found:
        project.judge(check, TARGET)
    return str(found.value)


@pytest.mark.parametrize(
    ("check", "evidence"),
    [
        ("ERR-005", {"declared_error": 3, "error_beside_records": 3, "refused": 21, "strange": 3}),
        ("ERR-006", {"fault": 15, "cut": 3, "html": 3, "nothing": 3, "reset": 3, "torn": 3, "slow": 3}),
    ],
)
def test_ERR_passes_with_its_errors_counted(orders: Project, check: str, evidence: dict[str, int]) -> None:
    """A pass says how often each fault was played: each form at the first, the middle and the last request."""
    assert evidence == orders.judge(check, TARGET)


@pytest.mark.parametrize("check", PLAYED)
def test_ERR_passes_without_a_word_on_errors(deals: Project, check: str) -> None:
    """What HTTP says of a status is played without a word of the config."""
    assert sum(deals.judge(check, "deals.list").values()) > 0
    assert ["deals.list"] == [*targets(CHECK[check], deals.subject())]


# ERR-005


def test_ERR_005_fails_on_an_error_in_a_200_that_is_taken_as_data(
    orders: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A status alone does not tell: beside records a hole, and without them an answer that fits no config."""

    def by_status(response: Response, document: Any, rules: Any, **more: Any) -> Any:
        return judged(response, document, () if response.status == 200 else rules, **more)

    monkeypatch.setattr(sending, "judged", by_status)

    told = _refuted(orders, "ERR-005")

    assert told.startswith(
        "orders.list: an error in the middle of a listing is not told, or not gone on from: "
        "it reaches the caller as PageUnreadable, where AccessRefused is due\n"
    )
    assert "  config     connectors/orders/connector.json:13   /errors/0\n" in told


def test_ERR_005_fails_on_an_error_beside_records_that_is_passed_over(
    orders: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there are records, an engine may look no further."""

    def trusting(response: Response, document: Any, rules: Any, **more: Any) -> Any:
        has_records = isinstance(document, dict) and document.get("orders")
        return judged(response, document, () if has_records else rules, **more)

    monkeypatch.setattr(sending, "judged", trusting)

    assert _refuted(orders, "ERR-005").splitlines()[0].endswith("what went wrong is passed over")
    assert "gives request 1 its records, and beside them an error that the config declares" in _refuted(
        orders, "ERR-005"
    )


def test_ERR_005_fails_on_an_error_that_is_taken_for_the_end(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The listing just stops; the conversation shows what is lost."""
    real = Walk._page

    async def forgiving(self: Any, *args: Any) -> Page:
        try:
            return await real(self, *args)
        except ProviderSaid as said:
            return Page(Request("GET", ""), Response(said.status or 0), ABSENT, (), None)

    monkeypatch.setattr(Walk, "_page", forgiving)

    told = _refuted(orders, "ERR-005")

    assert told.splitlines()[0].endswith("what went wrong is taken for the end")
    assert "     ended   as if all was well: " in told
    assert "     lost    r0000, r0001, r0002, r0003, r0004\n" in told


def test_ERR_005_fails_on_an_engine_without_tokens(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest cannot be had."""
    monkeypatch.setattr(listing, "token", lambda *_: None)

    assert _refuted(orders, "ERR-005").splitlines()[0].endswith("its error has no resume token")


def test_ERR_005_fails_with_a_doubt_on_a_rule_that_can_never_decide(orders: Project) -> None:
    """A rule behind one that holds wherever it does is never what an answer means."""
    (rule,) = orders.read("connector.json")["errors"]
    orders.change("connector.json", ERRORS, [rule, {**rule, "means": "not_found"}])

    with pytest.raises(Inconclusive, match="no answer can be written from the condition of /errors/1"):
        orders.judge("ERR-005", TARGET)


# ERR-006


def test_ERR_006_fails_on_a_body_that_is_cut_and_taken_for_the_end(
    orders: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be read is not nothing."""

    def lenient(response: Response, **more: Any) -> Any:
        try:
            return decode(response, **more)
        except ProviderSaid:
            return {"orders": []}

    monkeypatch.setattr(sending, "decode", lenient)

    told = _refuted(orders, "ERR-006")

    assert told.splitlines()[0].endswith("what went wrong is taken for the end")
    assert "sends half of the body of its answer to request 1 (the first half of its body)\n" in told
    assert "     lost    r0000, r0001, r0002, r0003, r0004\n" in told


def test_ERR_006_fails_on_no_body_that_is_taken_for_the_end(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is a 200 that lost its body a 204."""
    real = sending.Answer

    def empty(request: Request, response: Response, document: Any, **_: Any) -> sending.Answer:
        return real(request, response, document, says_nothing=True)

    monkeypatch.setattr(sending, "Answer", empty)

    told = _refuted(orders, "ERR-006")

    assert told.splitlines()[0].endswith("what went wrong is taken for the end")
    assert "answers request 1 with 200 and no body" in told


def test_ERR_006_fails_on_a_request_that_is_sent_again(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether to try again is the caller's to say."""
    real = sending.Door.send

    async def again(self: Any, *args: Any) -> Response:
        try:
            return await real(self, *args)
        except ProviderDown:
            return await real(self, *args)

    monkeypatch.setattr(sending.Door, "send", again)

    told = _refuted(orders, "ERR-006")

    assert told.splitlines()[0].endswith("what went wrong is passed over")
    assert "     <- (the connection breaks off)\n" in told


def test_ERR_006_fails_on_a_rule_that_makes_a_fault_an_empty_page(orders: Project) -> None:
    """A config may call nothing empty that is a page of some machine on the way."""
    rules = orders.read("connector.json")["errors"]
    orders.change("connector.json", ERRORS, [*rules, {"when": {"status": 200, "text": "<html"}, "means": "empty"}])

    told = _refuted(orders, "ERR-006")

    assert told.splitlines()[0].endswith("what went wrong is taken for the end")
    assert "   /errors/1\n" in told
