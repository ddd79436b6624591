"""RPL-007 to RPL-009 count each fault that they play, and fail where an engine or a config makes other things of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from projects import Project

from connproof import outcome, pagination
from connproof.decode import decode
from connproof.errors import AccessRefused, CallWrong, MappingFailed, PageUnreadable, ProviderDown, ProviderSaid
from connproof.guard import Guard
from connproof.mapping import CompiledMapping
from connproof.resume import resumed
from connproof.run import listing, sending
from connproof.run import mapped as mapped_module
from pytest_connproof.finding import Finding, Inconclusive


@pytest.mark.parametrize(
    ("check", "target", "evidence"),
    [
        ("RPL-007", "deals.list", {"refused": 3, "throttled": 0, "truncated": 6, "html": 3, "reset": 3}),
        ("RPL-007", "deals.get", {"refused": 1, "throttled": 0, "truncated": 2, "html": 1, "reset": 1}),
        ("RPL-008", "deals.list", {"again": 4, "gone": 3, "cut": 1}),
        ("RPL-009", "deals.list", {"retyped": 12, "added": 1}),
        ("RPL-009", "deals.get", {"retyped": 12, "added": 1}),
    ],
)
def test_RPL_passes_with_each_fault_counted(deals: Project, check: str, target: str, evidence: dict[str, int]) -> None:
    """A pass says how often each fault was played."""
    assert evidence == deals.judge(check, target)


def _refuted(project: Project, check: str, target: str = "deals.list") -> Finding:
    with pytest.raises(Finding) as found:
        project.judge(check, target)
    return found.value


@pytest.mark.parametrize("check", ["RPL-007", "RPL-008", "RPL-009"])
def test_RPL_fails_with_a_doubt_where_the_lane_itself_is_not_read(deals: Project, check: str) -> None:
    """What is wrong without any fault is told by the checks of the lane as it was recorded."""
    deals.edit("connector.json", '"response_path": "results"', '"response_path": "result"')

    with pytest.raises(Inconclusive, match=r"^the run ended early: PageUnreadable"):
        deals.judge(check, "deals.list")


def test_RPL_008_fails_with_a_doubt_where_a_page_was_not_asked_for(deals: Project) -> None:
    """A read that stops early has no pages to be altered: RPL-001 says where it stops."""
    deals.edit("connector.json", '"paging.next.after"', '"paging.nxet.after"')

    with pytest.raises(Inconclusive, match=r"^the run did not ask for every recorded exchange\n  fix  see RPL-001"):
        deals.judge("RPL-008", "deals.list")


# RPL-007


def _taken_for(monkeypatch: pytest.MonkeyPatch, error: type[ProviderSaid], is_it: Callable[[Any], bool]) -> None:
    """An engine to which an answer is another error."""
    real = outcome.error_of

    def otherwise(verdict: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        return error("other") if is_it(response) else real(verdict, response, *args, **kwargs)

    monkeypatch.setattr(sending, "error_of", otherwise)


def test_RPL_007_fails_on_refused_credentials_by_another_name(deals: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The finding shows the altered conversation: what was altered, asked, expected, and which line decides."""
    _taken_for(monkeypatch, ProviderDown, lambda response: response.status == 401)

    assert (
        "deals.list, broken off, does not end in the error that it must\n"
        "\n"
        "  altered    deals.list/1: answered with 401 and no body\n"
        "  asked      1  GET /v1/deals?limit=2   deals.list/1   (altered)\n"
        "  came       ProviderDown, after 0 records\n"
        "  expected   AccessRefused; then the rest, from its resume token\n"
        "  config     connectors/deals/connector.json:18   /resources/deals/list\n"
        "  fix        let a rule say auth_expired of what the provider answers to credentials that have ended, and of "
        "nothing else"
    ) == str(_refuted(deals, "RPL-007"))


def test_RPL_007_fails_on_a_throttle_by_another_name(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the form that the connector declares: a 403 with words of its own, taken from what was recorded."""
    _taken_for(monkeypatch, AccessRefused, lambda response: b"too_fast" in response.body)

    facts = _refuted(orders, "RPL-007", "orders.list").facts

    assert "altered    orders.list/1: answered with the recorded 403 of /rate_limit/throttled/0\n" in facts
    assert "came       AccessRefused, after 0 records\n  expected   ProviderBusy; then the rest" in facts


def test_RPL_007_fails_on_a_401_that_means_no_records(deals: Project) -> None:
    """A rule that takes refused credentials for an empty page makes a hole of them; it is named with its line."""
    deals.change("connector.json", "/errors", [{"when": {"status": 401}, "means": "empty"}])

    facts = _refuted(deals, "RPL-007").facts

    assert "came       complete, after 0 records\n  expected   AccessRefused" in facts
    assert re.search(r"config +connectors/deals/connector\.json:\d+   /errors/0\n", facts)


def _lenient(monkeypatch: pytest.MonkeyPatch, body: Any, is_it: Callable[[Any], bool]) -> None:
    """An engine that makes something of a body that cannot be read."""
    real = decode

    def lenient(response: Any, **words: Any) -> Any:
        return body if is_it(response) else real(response, **words)

    monkeypatch.setattr("connproof.run.sending.decode", lenient)


def _is_cut(response: Any) -> bool:
    return bool(response.body[:1] == b"{") and not response.body.endswith(b"}")


def test_RPL_007_fails_on_a_body_that_is_mended(deals: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a page, read as far as it goes, is a hole."""
    _lenient(monkeypatch, {"results": []}, _is_cut)

    found = _refuted(deals, "RPL-007")

    assert "deals.list, broken off, does not end in the error that it must" == found.what
    assert re.search(r"altered +deals.list/1: its body was cut off after (\d+) of \d+ bytes\n", found.facts)
    assert "came       complete, after 0 records\n  expected   PageUnreadable" in found.facts


def test_RPL_007_takes_a_body_that_is_cut_off_for_no_empty_one(deals: Project) -> None:
    """E4: a rule about an empty list says nothing of half a list, which is there and cannot be read."""
    empty = {"when": {"status": 200, "body": {"$": {"blank": True}}}, "means": "not_found"}
    deals.change("connector.json", "/resources/deals/get/errors", [empty])

    played = {"refused": 1, "throttled": 0, "truncated": 2, "html": 1, "reset": 1}
    assert played == deals.judge("RPL-007", "deals.get")


def test_RPL_007_fails_on_a_page_of_html_that_is_an_empty_page(deals: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody's login page, taken for the end of the listing."""
    _lenient(monkeypatch, {"results": []}, lambda response: response.body.startswith(b"<"))

    facts = _refuted(deals, "RPL-007").facts

    assert "altered    deals.list/1: answered with 200 and a page of HTML\n" in facts
    assert "came       complete, after 0 records\n" in facts


def test_RPL_007_fails_on_an_engine_that_tries_again_after_a_reset(
    deals: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One request for one: whether a lost one is repeated is for the caller to say."""
    real = sending.Door.send

    async def again(self: Any, request: Any, shown: str) -> Any:
        try:
            return await real(self, request, shown)
        except ProviderDown:
            return await real(self, request, shown)

    monkeypatch.setattr(sending.Door, "send", again)

    facts = _refuted(deals, "RPL-007").facts

    assert (
        "altered    deals.list/1: the connection was reset before an answer came\n"
        "  asked      1  GET /v1/deals?limit=2   deals.list/1   (altered)\n"
        "             2  GET /v1/deals?limit=2   what is not recorded, or was answered already\n"
        "  came       UnmatchedRequest, after 0 records\n"
    ) in facts


def test_RPL_007_fails_on_an_error_without_a_token(deals: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be gone on with begins anew, and may never end."""
    monkeypatch.setattr(listing, "token", lambda *_: None)

    assert "deals.list cannot be gone on with: its error has no resume token" == _refuted(deals, "RPL-007").what


@pytest.mark.parametrize(
    ("at", "to", "what"),
    [
        ("c2", "c3", "deals.list, broken off and gone on with, is not what it is in one"),
        ("c3", "c2", "deals.list goes on from its token by asking for a page that the caller has already"),
        ("c3", "c9", "deals.list goes on from its token by asking for what is not recorded"),
    ],
)
def test_RPL_007_fails_on_a_token_that_leads_elsewhere(
    deals: Project, monkeypatch: pytest.MonkeyPatch, at: str, to: str, what: str
) -> None:
    """To the page after the one that failed, to one before it, or to none that there is."""
    real = resumed

    def elsewhere(text: str, call: str) -> Any:
        position = real(text, call)
        return replace(position, value=to) if position.value == at else position

    monkeypatch.setattr(listing, "resumed", elsewhere)

    found = _refuted(deals, "RPL-007")

    assert what == found.what
    assert "then asked" in found.facts


# RPL-008


def test_RPL_008_fails_on_an_engine_that_asks_again(deals: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a guard, a page that names itself is asked for for ever."""
    monkeypatch.setattr(Guard, "request", lambda *_: None)

    assert (
        "deals.list is read on behind what its provider served\n"
        "\n"
        "  altered    deals.list/2: names as the next page what deals.list/1 named: itself\n"
        "  asked      1  GET /v1/deals?limit=2   deals.list/1\n"
        "             2  GET /v1/deals?limit=2&after=c2   deals.list/2   (altered)\n"
        "             3  GET /v1/deals?limit=2&after=c2   what is not recorded, or was answered already\n"
        "  came       UnmatchedRequest, after 4 records\n"
        "  expected   PaginationLoop, or an end by itself after 5 records\n"
        "  config     connectors/deals/connector.json:25   /resources/deals/list/pagination/cursor_field\n"
        "  fix        this is a fault of the engine, unless a stop rule ends the read before: correct that one then"
    ) == str(_refuted(deals, "RPL-008"))


def test_RPL_008_fails_on_an_engine_that_takes_a_page_twice(deals: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that ignores the place it is asked for gives the same records under another name."""
    monkeypatch.setattr(Guard, "page", lambda *_: None)

    found = _refuted(deals, "RPL-008")

    assert "deals.list: the caller gets records that were not served, or not in this order" == found.what
    assert "altered       deals.list/2: holds the records of deals.list/1 once more\n" in found.facts
    assert "first other   record 3\n  expected      PaginationLoop\n" in found.facts


def test_RPL_008_fails_on_an_engine_that_takes_a_404_for_the_end(
    deals: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that was named and is not there is no end of the listing."""

    def nothing(response: Any, *given: Any, **words: Any) -> Any:
        return outcome.Verdict("empty") if response.status == 404 else outcome.judged(response, *given, **words)

    monkeypatch.setattr("connproof.run.sending.judged", nothing)

    found = _refuted(deals, "RPL-008")

    assert "deals.list has a hole: it ends as if it were whole" == found.what
    assert "altered    deals.list/3: answered with 404 and no body\n" in found.facts
    assert "came       complete, after 4 records\n  expected   ProviderSaid\n" in found.facts


def test_RPL_008_fails_on_an_empty_page_that_is_no_error_of_its_own(
    deals: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that trips over a page without records says nothing that a caller could act on."""
    real = pagination._end

    def trips(paging: Any, page: Any, *rest: Any, **more: Any) -> Any:
        if not page.records:
            raise CallWrong("no records")
        return real(paging, page, *rest, **more)

    monkeypatch.setattr(pagination, "_end", trips)

    found = _refuted(deals, "RPL-008")

    assert "deals.list ends in another error than it must" == found.what
    assert "altered    deals.list/3: is an empty page\n" in found.facts


def test_RPL_008_fails_on_an_engine_that_stops_on_a_short_page(deals: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that lowers the page size without a word makes every page a short one."""
    real = pagination._end

    def short(paging: Any, page: Any, *rest: Any, **more: Any) -> Any:
        is_short = page.size is not None and len(page.records) < page.size
        return "a short page" if is_short else real(paging, page, *rest, **more)

    monkeypatch.setattr(pagination, "_end", short)

    found = _refuted(deals, "RPL-008")

    assert "deals.list has a hole: it ends as if it were whole" == found.what
    assert "it and the others hold 1 records at most: 5 pages instead of 3\n" in found.facts
    assert "came       complete, after 1 record\n  expected   an end by itself after 5 records\n" in found.facts


# RPL-009


def test_RPL_009_fails_on_a_record_that_is_left_out(deals: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that cannot be mapped is told, and never dropped."""
    real = CompiledMapping.apply

    async def unified(self: Any, records: Any, mapping: Any, *_: Any, **__: Any) -> Any:
        compiled = self.reading(mapping)
        mapped = []
        for record in records:
            with suppress(MappingFailed):
                mapped.append(real(compiled, record))
        return tuple(mapped)

    monkeypatch.setattr(mapped_module.Mapper, "unified", unified)

    found = _refuted(deals, "RPL-009")

    assert "deals.list does not give every record" == found.what
    assert 'altered       deals.list/2: "id" of record 1 on it is a number, and was a text\n' in found.facts
    assert "expected      MappingFailed, or an end by itself after 5 records\n" in found.facts
    assert "/unified/crm.deal/fields/id\n" in found.facts


def test_RPL_009_fails_on_a_record_that_its_model_does_not_allow(
    deals: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes out is held against the model by another validator than the engine's."""
    monkeypatch.setattr(CompiledMapping, "_allowed", lambda *_: None)

    assert "deals.list: a record is given that crm.deal does not allow: /id (type)" == _refuted(deals, "RPL-009").what


@pytest.mark.parametrize(
    ("member", "value", "lacking"),
    [("field", "other", "field"), ("expression", "1", "expression"), ("facts", {"record": "1 (page 1)"}, "record")],
)
def test_RPL_009_fails_on_an_error_that_names_another_place(
    deals: Project, monkeypatch: pytest.MonkeyPatch, member: str, value: Any, lacking: str
) -> None:
    """Record, field and expression: without them nobody finds what has changed."""
    real = mapped_module.Mapper.unified

    async def unified(self: Any, *given: Any, **words: Any) -> Any:
        try:
            return await real(self, *given, **words)
        except MappingFailed as failed:
            setattr(failed, member, value)
            raise

    monkeypatch.setattr(mapped_module.Mapper, "unified", unified)

    assert f"deals.list: the error does not name the {lacking}" == _refuted(deals, "RPL-009").what


def test_RPL_009_fails_on_a_member_that_is_passed_on(deals: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a provider adds is nobody's until a mapping asks for it."""
    real = CompiledMapping.apply

    def passing_on(self: Any, record: Any, **words: Any) -> Any:
        return {
            **real(self, record, **words),
            **{name: record[name] for name in record if name.startswith("connproof")},
        }

    monkeypatch.setattr(CompiledMapping, "apply", passing_on)

    assert "deals.list: a member that nobody asked for changes connproof_new_member" == _refuted(deals, "RPL-009").what


def test_RPL_009_fails_on_a_type_that_breaks_the_read_otherwise(
    deals: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that knows records by a text alone trips over a number."""

    def by_text(self: Any, page: Any, position: Any) -> None:  # noqa: ARG001 the engine's signature
        if not all(isinstance(record["id"], str) for record in page.records):
            raise PageUnreadable("a key that is no text")

    monkeypatch.setattr(Guard, "page", by_text)

    assert "deals.list ends in another error than it must" == _refuted(deals, "RPL-009").what
