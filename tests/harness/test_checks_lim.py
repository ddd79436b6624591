"""Each LIM check passes on a whole project with something counted, and fails on each way to tell a throttle wrongly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from projects import CHECK, Project

from connproof import ratelimit
from connproof.errors import ProviderBusy, ProviderDown
from connproof.events import LimitsSeen
from connproof.outcome import error_of
from connproof.resume import resumed
from connproof.run import listing, sending
from pytest_connproof.checks import targets
from pytest_connproof.finding import Finding, Inconclusive

FILE = "recordings/orders.json"
LIST, TOO_FAST, THROTTLED, FORBIDDEN = "/lanes/0", "/lanes/1", "/lanes/2", "/lanes/4"
LIMITS = "/rate_limit"
BUDGET = "/rate_limit/budgets/0"
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
        ("LIM-002", {"answers": 10, "sources": 5}),
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


# LIM-002


@pytest.mark.parametrize(
    ("pointer", "unit", "place", "said"),
    [
        (f"{BUDGET}/reset", "delta_s", "x-quota-reset", "'1793527230'"),
        (f"{BUDGET}/reset", "epoch_ms", "x-quota-reset", "'1793527230'"),
        (f"{BUDGET}/reset", "iso8601", "x-quota-reset", "'1793527230'"),
        (f"{BUDGET}/reset", "http_date", "x-quota-reset", "'1793527230'"),
        ("/rate_limit/wait/0", "retry_after", "x-wait", "'1m30s'"),
        ("/rate_limit/wait/0", "delta_ms", "x-wait", "'1m30s'"),
        ("/rate_limit/wait/0", "structured", "x-wait", "'1m30s'"),
    ],
)
def test_LIM_002_fails_on_a_wrong_unit(orders: Project, pointer: str, unit: str, place: str, said: str) -> None:
    """What does not fit names the place, the unit and the line that declares it; no number is made of it."""
    orders.change("connector.json", f"{pointer}/unit", unit)

    found = _refuted(orders, "LIM-002")
    line = orders.subject().connector.source.line(pointer)

    assert f"{place} is not what {pointer} declares" == found.what
    assert f'declared   unit "{unit}"   {AT}:{line}   {pointer}' in found.facts
    assert f"said       {said}" in found.facts


@pytest.mark.parametrize(
    ("source", "units", "says"),
    [
        ({"header": "x-interval-milliseconds"}, ("delta_s", "epoch_s"), "milliseconds"),
        ({"header": "retry-after-ms"}, ("retry_after",), "ms"),
        ({"body": "error.waitSeconds"}, ("delta_ms", "epoch_ms"), "seconds"),
        ({"header": "x-quota", "member": "resetSecs"}, ("delta_ms",), "secs"),
    ],
)
def test_LIM_002_fails_on_a_unit_that_the_name_of_the_place_contradicts(
    orders: Project, source: dict[str, str], units: tuple[str, ...], says: str
) -> None:
    """Whether it was recorded or not: 10000 is as good a number of seconds as of milliseconds."""
    for unit in units:
        orders.change("connector.json", "/rate_limit/wait/0", {**source, "unit": unit})

        assert f'is declared as "{unit}", and its name says {says}' in _refuted(orders, "LIM-002").what


@pytest.mark.parametrize(
    "source",
    [
        {"header": "x-interval-milliseconds", "unit": "delta_ms"},
        {"header": "x-reset-seconds", "unit": "epoch_s"},
        {"header": "x-reset-seconds", "unit": "http_date"},
        {"header": "x-quota-secondly", "unit": "delta_ms"},
        {"header": "x-teams", "unit": "delta_s"},
        {"header": "x-wait-seconds", "values": {"SHORT": 1}},
    ],
    ids=lambda source: source["header"],
)
def test_LIM_002_fails_on_no_name_that_says_the_same_or_nothing(orders: Project, source: dict[str, Any]) -> None:
    """A doubt is left, as the place was never recorded."""
    orders.change("connector.json", "/rate_limit/wait/0", source)

    with pytest.raises(Inconclusive, match="declared, but never seen"):
        orders.judge("LIM-002")


def test_LIM_002_fails_on_a_pattern_that_finds_nothing(orders: Project) -> None:
    """A part that is not there is no value, and no zero."""
    orders.change("connector.json", f"{BUDGET}/limit", {"header": "x-quota-limit", "pattern": "of ([0-9]+)"})

    assert f"x-quota-limit is not what {BUDGET}/limit declares" == _refuted(orders, "LIM-002").what


def test_LIM_002_fails_on_a_name_without_seconds(orders: Project) -> None:
    """Of names each has its seconds."""
    orders.change("connector.json", "/rate_limit/wait/0", {"header": "x-wait", "values": {"short": 60}})

    found = _refuted(orders, "LIM-002")

    assert "x-wait is not what /rate_limit/wait/0 declares" == found.what
    assert "declared   values" in found.facts


@pytest.mark.parametrize(
    ("word", "header"),
    [(f"{BUDGET}/remaining", "x-quota-left"), ("/rate_limit/wait/0", "x-wait")],
)
def test_LIM_002_fails_with_a_doubt_on_a_place_that_no_answer_has(orders: Project, word: str, header: str) -> None:
    """Whatever unit it has would look right."""
    orders.change("connector.json", f"{word}/header", f"{header}-2")

    assert (
        f"declared, but never seen: {word}\n"
        "  fix  record an answer that has it, or take it out: its unit cannot be held to anything"
    ) == _doubt(orders, "LIM-002")


def test_LIM_002_fails_with_a_doubt_on_a_standard_that_is_not_sent(orders: Project) -> None:
    """The form of the draft is declared like any other place."""
    orders.change("connector.json", f"{LIMITS}/standard", "pair")

    assert _doubt(orders, "LIM-002").startswith("declared, but never seen: /rate_limit/standard\n")


@pytest.mark.parametrize("words", ["conditions alone", "a number alone"])
def test_LIM_002_is_judged_where_a_place_is_named(orders: Project, words: str) -> None:
    """Where an answer tells of nothing, nothing can be told wrongly."""
    said = orders.read("connector.json")["rate_limit"]["throttled"]
    limits = {"throttled": [{"when": said[0]["when"]}]} if words == "conditions alone" else {"default_wait_s": 5}
    orders.change("connector.json", LIMITS, limits)

    assert [] == [*targets(CHECK["LIM-002"], orders.subject())]
    assert [""] == [*targets(CHECK["LIM-003"], orders.subject())]


def _told_otherwise(monkeypatch: pytest.MonkeyPatch, **changes: Callable[[Any], Any]) -> None:
    """An engine that changes what it read."""
    real = ratelimit._Reading.budgets

    def changed(*args: Any) -> Iterator[ratelimit.Budget]:
        for budget in real(*args):
            yield replace(budget, **{word: change(getattr(budget, word)) for word, change in changes.items()})

    monkeypatch.setattr(ratelimit._Reading, "budgets", changed)


@pytest.mark.parametrize(
    ("word", "more", "expected"),
    [
        ("remaining", 1, ("remaining 40", "41")),
        ("reset_s", -1, ("reset 30", "29")),
        ("limit", 50, ("limit 50", "100")),
    ],
)
def test_LIM_002_fails_on_an_engine_that_tells_of_more(
    orders: Project, monkeypatch: pytest.MonkeyPatch, word: str, more: int, expected: tuple[str, str]
) -> None:
    """One request more, one second less: whoever believes it is throttled."""
    _told_otherwise(monkeypatch, **{word: lambda number: number + more})

    found = _refuted(orders, "LIM-002")

    assert (
        'more is told of the quota "minute" than the provider said\n'
        "\n"
        "  answer   orders.list/1   HTTP 200\n"
        f"  said     {expected[0]}\n"
        f"  told     {expected[1]}\n"
        f"  config   {AT}:23   /rate_limit"
    ) == str(found)


def test_LIM_002_passes_on_an_engine_that_tells_of_less(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """To wait longer than need be is no harm."""
    _told_otherwise(monkeypatch, remaining=lambda left: max(0, left - 1), reset_s=lambda seconds: seconds + 1)

    assert {"answers": 10, "sources": 5} == orders.judge("LIM-002")


def test_LIM_002_fails_on_an_engine_that_tells_nothing(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quota that was declared and sent is the caller's to know."""
    monkeypatch.setattr(sending, "LimitsSeen", lambda *_: LimitsSeen((), ()))

    assert "what was said of a quota does not reach the caller" == _refuted(orders, "LIM-002").what


@pytest.mark.parametrize(("seconds", "told"), [(1, "1"), (None, "nothing")])
def test_LIM_002_fails_on_an_engine_that_shortens_the_wait(
    orders: Project, monkeypatch: pytest.MonkeyPatch, seconds: int | None, told: str
) -> None:
    """1500 ms are two seconds for whoever waits whole ones."""
    monkeypatch.setattr(ratelimit._Reading, "wait", lambda *_: seconds)

    found = _refuted(orders, "LIM-002")

    assert "a shorter wait is told than the provider said" == found.what
    assert f"said     1.500 s\n  told     {told}\n" in found.facts


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        ("delta_s", "30"),
        ("delta_ms", "30000"),
        ("structured", "30"),
        ("epoch_s", "1793527230"),
        ("epoch_ms", "1793527230000"),
        ("http_date", "Sun, 01 Nov 2026 10:00:30 GMT"),
        ("retry_after", "Sun, 01 Nov 2026 10:00:30 GMT"),
        ("retry_after", "30"),
        ("iso8601", "2026-11-01T12:00:30+02:00"),
        ("duration", "29.9s100ms"),
    ],
)
def test_LIM_002_passes_on_each_unit_where_it_is_what_is_sent(
    orders: Project, monkeypatch: pytest.MonkeyPatch, unit: str, text: str
) -> None:
    """Thirty seconds, however they are written: told as thirty, and a second less is more than was said."""
    recorded = orders.path(FILE).read_text()
    orders.write(FILE, recorded.replace('"1793527230"', f'"{text}"'))
    orders.change("connector.json", f"{BUDGET}/reset/unit", unit)

    assert {"answers": 10, "sources": 5} == orders.judge("LIM-002")

    _told_otherwise(monkeypatch, reset_s=lambda seconds: seconds - 1)

    assert "said     reset 30\n  told     29\n" in _refuted(orders, "LIM-002").facts


@pytest.mark.parametrize(
    ("standard", "headers"),
    [
        ("pair", [["ratelimit", '"day";r=7;t=60'], ["ratelimit-policy", '"day";q=10;w=3600']]),
        ("triple", [["ratelimit-limit", "10"], ["ratelimit-remaining", "7"], ["ratelimit-reset", "60"]]),
        ("dictionary", [["ratelimit", "limit=10, remaining=7, reset=60"]]),
    ],
)
def test_LIM_002_passes_on_the_standard_forms_and_sees_more_than_they_say(
    orders: Project, monkeypatch: pytest.MonkeyPatch, standard: str, headers: list[list[str]]
) -> None:
    """The forms of the draft are read here once more; one request too many is found in each."""
    kept = [["content-type", "application/json"], ["date", "Sun, 01 Nov 2026 10:00:00 GMT"]]
    orders.change(FILE, f"{LIST}/exchanges/0/response/headers", [*kept, *headers])
    orders.change("connector.json", f"{LIMITS}/standard", standard)

    assert {"answers": 10, "sources": 6} == orders.judge("LIM-002")

    _told_otherwise(monkeypatch, remaining=lambda left: left + 1)
    found = _refuted(orders, "LIM-002")

    assert "answer   orders.list/1   HTTP 200\n  said     remaining 7\n  told     8\n" in found.facts


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
