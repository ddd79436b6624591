"""LIM on recorded throttles passes with something counted, and fails on each way to take, keep or lose one wrongly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from projects import Project

from connproof.errors import ProviderBusy, ProviderDown
from connproof.outcome import error_of
from connproof.resume import resumed
from connproof.run import listing, sending
from pytest_connproof.finding import Finding, Inconclusive

FILE = "recordings/orders.json"
LIST, TOO_FAST, THROTTLED, FORBIDDEN = "/lanes/0", "/lanes/1", "/lanes/2", "/lanes/4"
LIMITS = "/rate_limit"
AT = "connectors/orders/connector.json"


def _refuted(project: Project, check: str) -> Finding:
    with pytest.raises(Finding) as found:
        project.judge(check)
    return found.value


def _doubt(project: Project, check: str) -> str:
    with pytest.raises(Inconclusive) as doubt:
        project.judge(check)
    return str(doubt.value)


@pytest.mark.parametrize(
    ("check", "evidence"),
    [
        ("LIM-001", {"throttles": 2}),
        ("LIM-003", {"answers": 8, "statuses": 2}),
        ("LIM-004", {"lanes": 1, "breaks": 3}),
    ],
)
def test_LIM_passes_with_counts(orders: Project, check: str, evidence: dict[str, int]) -> None:
    """A pass says how much it looked at."""
    assert evidence == orders.judge(check)


@pytest.mark.parametrize(("check", "evidence"), [("LIM-001", {"throttles": 1}), ("LIM-004", {"lanes": 1, "breaks": 3})])
def test_LIM_passes_without_a_word_on_limits(deals: Project, check: str, evidence: dict[str, int]) -> None:
    """A recorded 429 is a throttle whatever the config says, and any listing can be broken off by one."""
    assert evidence == deals.judge(check)


def test_LIM_004_passes_on_a_limited_read(orders: Project) -> None:
    """Who wants three records gets three, also in two parts."""
    orders.change(FILE, f"{LIST}/call", {"limit": 3})
    orders.drop(FILE, f"{LIST}/exchanges/2")

    assert {"lanes": 1, "breaks": 2} == orders.judge("LIM-004")


def test_LIM_004_passes_with_a_dozen_breaks_of_a_long_listing(orders: Project) -> None:
    """Of forty requests twelve are broken off, the first and the last among them."""
    pages = orders.read(FILE)["lanes"][0]["exchanges"]
    first, second = pages[:2]
    long = [first]
    for number in range(2, 41):
        page = {**second, "id": f"long/{number}"}
        page["request"] = {**second["request"], "query": [["from", f"n{number}"]]}
        body = {"orders": [{"id": f"o{number}"}], **({"next": f"n{number + 1}"} if number < 40 else {})}
        page["response"] = {**second["response"], "json": body}
        long.append(page)
    orders.change(FILE, f"{LIST}/exchanges", long)

    assert {"lanes": 1, "breaks": 12} == orders.judge("LIM-004")


# LIM-001


def test_LIM_001_fails_on_a_throttle_by_another_name(orders: Project) -> None:
    """A rule that takes the 429 for a fault of the provider's keeps callers from waiting; it is named with its line."""
    rules = orders.read("connector.json")["errors"]
    orders.change("connector.json", "/errors", [*rules, {"when": {"status": 429}, "means": "transient"}])

    found = _refuted(orders, "LIM-001")

    assert (
        "a throttle is kept from the caller: it is no ProviderBusy\n"
        "\n"
        "  answer   throttled/1   HTTP 429\n"
        f"  means    transient, says {AT}:22   /errors/1\n"
        "  read     orders.list#throttled ended: ProviderDown 429\n"
        "  fix      a throttle is the caller's to wait for: let no rule give it another meaning"
    ) == str(found)


def test_LIM_001_fails_on_an_engine_that_asks_again(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """One request for one: waiting is the caller's."""
    orders.change(FILE, f"{TOO_FAST}/exchanges/1/repeats", True)

    async def again(self: Any, operation: Any, draft: Any, _patience: Any) -> Any:
        request = self.signed(draft)
        response = await self.send(request, draft.url)
        try:
            return self._read(operation, request, response, self._account)
        except ProviderBusy:
            return self._read(operation, request, await self.send(request, draft.url), self._account)

    monkeypatch.setattr(sending.Door, "answer", again)

    assert "a throttle is kept from the caller: another request was sent after it" == _refuted(orders, "LIM-001").what


def test_LIM_001_fails_on_an_engine_without_tokens(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A listing that cannot be gone on with is read from its start, and throttled again."""
    monkeypatch.setattr(listing, "token", lambda *_: None)

    assert "a throttle is kept from the caller: it has no resume token" == _refuted(orders, "LIM-001").what


def test_LIM_001_fails_with_a_doubt_where_none_is_recorded(orders: Project) -> None:
    """What was never seen is not certified."""
    orders.drop(FILE, THROTTLED)
    orders.drop(FILE, TOO_FAST)

    assert "no recording holds a throttle\n  fix  record a lane that ends in one" == _doubt(orders, "LIM-001")


def test_LIM_001_fails_with_a_doubt_on_a_condition_that_nothing_meets(orders: Project) -> None:
    """Each declared throttle is one that was seen."""
    orders.drop(FILE, TOO_FAST)

    assert _doubt(orders, "LIM-001").startswith("no recorded answer is a throttle by /rate_limit/throttled/0\n")


def test_LIM_001_fails_with_a_doubt_on_a_throttle_that_was_not_reached(orders: Project) -> None:
    """A read that ended before it is RPL's to judge."""
    orders.edit("connector.json", '"cursor_field": "next"', '"cursor_field": "nxet"')

    assert "recorded throttles were not asked for: too-fast/2\n  fix  see RPL-001" == _doubt(orders, "LIM-001")


# LIM-003


def test_LIM_003_fails_on_pages_that_are_taken_for_throttles(orders: Project) -> None:
    """A condition on Retry-After alone: this provider sends it with every page."""
    rule = {"when": {"header": {"retry-after": {"present": True}}}}
    orders.change("connector.json", f"{LIMITS}/throttled", [rule])

    found = _refuted(orders, "LIM-003")

    assert "a page with records is taken for a throttle" == found.what
    assert f"answer   orders.list/1   HTTP 200\n  means    throttled, says {AT}:" in found.facts


def test_LIM_003_fails_on_an_engine_that_takes_every_403_for_one(
    orders: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal is no throttle: nobody waits for a permission."""
    real = error_of

    def busy(verdict: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        error = real(verdict, response, *args, **kwargs)
        return ProviderBusy("busy", status=403) if response.status == 403 else error

    monkeypatch.setattr(sending, "error_of", busy)

    found = _refuted(orders, "LIM-003")

    assert "an answer that is no throttle reached the caller as one" == found.what
    assert "answer   forbidden/1   HTTP 403\n  means    forbidden" in found.facts


def test_LIM_003_fails_with_a_doubt_without_a_look_alike(orders: Project) -> None:
    """A 403 is a throttle by its body: only another 403 shows that the body is what decides."""
    orders.drop(FILE, FORBIDDEN)

    assert (
        "no recorded answer has a throttle's status and is none: 403 (/rate_limit/throttled/0/when)\n"
        "  fix  record a lane that ends in one"
    ) == _doubt(orders, "LIM-003")


def test_LIM_003_passes_on_a_throttle_where_one_record_is_wanted(orders: Project) -> None:
    """A body that says that it is a throttle is no record, though a record is what was asked for."""
    rule = {"when": {"status": 200, "body": {"error.code": "locked"}}}
    rules = orders.read("connector.json")["rate_limit"]["throttled"]
    orders.change("connector.json", f"{LIMITS}/throttled", [*rules, rule])

    assert {"answers": 7, "statuses": 2} == orders.judge("LIM-003")


@pytest.mark.parametrize(("status", "needs_one"), [(403, True), (503, False), (420, False), (429, False)])
def test_LIM_003_passes_on_a_status_that_means_nothing_else(orders: Project, status: int, needs_one: bool) -> None:
    """HTTP has another word for 403, none for 420, and a 503 asks to come back too."""
    rules = orders.read("connector.json")["rate_limit"]["throttled"]
    orders.change("connector.json", f"{LIMITS}/throttled", [*rules, {"when": {"status": status}}])
    orders.drop(FILE, FORBIDDEN)
    rules[0]["when"].pop("status")
    orders.change("connector.json", f"{LIMITS}/throttled", [rules[0], {"when": {"status": status}}])

    if needs_one:
        assert _doubt(orders, "LIM-003").startswith("no recorded answer has a throttle's status and is none: 403 ")
    else:
        assert {"answers": 7, "statuses": 1} == orders.judge("LIM-003")


def test_LIM_003_fails_with_a_doubt_where_every_answer_is_a_throttle(orders: Project) -> None:
    """Nothing was told apart from anything."""
    orders.change(FILE, "/lanes", [orders.read(FILE)["lanes"][2]])
    orders.drop("connector.json", f"{LIMITS}/throttled")

    assert "every recorded answer is a throttle\n  fix  record a lane that succeeds" == _doubt(orders, "LIM-003")


# LIM-004


def _resumed_otherwise(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """An engine whose tokens name another position."""
    real = resumed

    def elsewhere(text: str, call: str) -> Any:
        position = real(text, call)
        return replace(position, **{word: change(position) for word, change in changes.items()})

    monkeypatch.setattr(listing, "resumed", elsewhere)


def test_LIM_004_fails_on_a_page_that_is_skipped(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token leads to the page after the one that was refused: its records are lost."""
    _resumed_otherwise(monkeypatch, value=lambda position: "n3" if position.pages == 1 else position.value)

    found = _refuted(orders, "LIM-004")

    assert (
        "orders.list, broken off and gone on with, is not what it is in one\n"
        "\n"
        "  broken off    request 2 of 3, orders.list/2, was answered with 429\n"
        "  in one        5 records\n"
        "  in two        2 and 1 records, then complete\n"
        "  first other   3"
    ) == str(found)


def test_LIM_004_fails_on_a_page_that_is_asked_twice(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token leads to a page that the caller has already."""
    _resumed_otherwise(monkeypatch, value=lambda position: "n2" if position.pages == 2 else position.value)

    found = _refuted(orders, "LIM-004")

    assert "orders.list goes on from its token with a request that was not due" == found.what
    assert "then asked   GET https://api.orders.example/v2/orders\n  which is     asked a second time" in found.facts


def test_LIM_004_fails_on_an_engine_without_tokens(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be gone on with begins anew, and may never end."""
    monkeypatch.setattr(listing, "token", lambda *_: None)

    found = _refuted(orders, "LIM-004")

    assert "orders.list cannot be gone on with after a throttle" == found.what
    assert "ended        ProviderBusy 429\n  token        none" in found.facts


def test_LIM_004_fails_where_a_429_is_no_throttle(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is not told that it is one does not wait."""
    real = error_of

    def down(verdict: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        return ProviderDown("down", status=429) if response.status == 429 else real(verdict, response, *args, **kwargs)

    monkeypatch.setattr(sending, "error_of", down)

    assert "orders.list cannot be gone on with after a throttle" == _refuted(orders, "LIM-004").what


def test_LIM_004_fails_with_a_doubt_without_a_second_page(orders: Project) -> None:
    """A listing of one page has nowhere to go on from."""
    orders.drop(FILE, f"{LIST}/exchanges/0/response/json/next")

    assert _doubt(orders, "LIM-004").startswith("no listing was read past its first page\n")
