"""Rate limits, row by row of the project's table of inputs: what goes in, and what a caller gets.

Two rows are met otherwise than a test of the normaliser could: trailers never become headers (RL33), which only a wire
can show, and a 429 is raised at once (RL32), which only a read can.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connproof.errors import ProviderBusy
from connproof.model import RateLimit, Request, Response
from connproof.places import ABSENT
from connproof.ratelimit import Budget, Limits, read_limits
from connproof.standards import ratelimit_fields as fields
from connproof.standards.ratelimit_fields import Policy, ServiceLimit, Triple
from connproof.transport import HttpxTransport
from loopback import Loopback
from scripted import connector, read, scripted

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
DATE = ("date", "Mon, 23 Nov 2026 11:50:00 GMT")  # ten minutes off our own clock
SENT = int(datetime(2026, 11, 23, 11, 50, 0, tzinfo=UTC).timestamp())
TRIPLE, PAIR = RateLimit(standard="triple"), RateLimit(standard="pair")


def said(rate_limit: RateLimit | None, *headers: tuple[str, str], throttled: bool = False) -> Limits:
    """What a response with these headers and a Date says."""
    return read_limits(rate_limit, Response(200, (DATE, *headers)), ABSENT, now=NOW, throttled=throttled)


def vendor(**source: Any) -> RateLimit:
    """A budget whose reset stands in a vendor's header."""
    budget = {"name": "b", "reset": {"header": "X-RateLimit-Reset", **source}}
    declared = connector(rate_limit={"budgets": [budget]}).rate_limit
    assert declared is not None
    return declared


@pytest.mark.parametrize(
    ("text", "source", "expected"),
    [
        pytest.param("60", {"unit": "delta_s"}, 60, id="RL01"),
        pytest.param(f"{SENT + 90}", {"unit": "epoch_s"}, 90, id="RL02"),
        pytest.param(f"{SENT + 90}.25", {"unit": "epoch_s"}, 91, id="RL02-ceil"),
        pytest.param(f"{SENT - 5}", {"unit": "epoch_s"}, 0, id="RL02-past"),
        pytest.param(f"{SENT + 90}001", {"unit": "epoch_ms"}, 91, id="RL03"),
        pytest.param(f"{SENT + 90}", {"unit": "delta_s"}, None, id="RL04"),
        pytest.param("60", {"unit": "epoch_s"}, None, id="RL04-the-other-way"),
        pytest.param("2026-11-23T11:50:30Z", {"unit": "iso8601"}, 30, id="RL05-ISO"),
        pytest.param("Mon, 23 Nov 2026 11:50:30 GMT", {"unit": "http_date"}, 30, id="RL05-HTTP"),
        pytest.param("0.5", {"unit": "delta_s"}, 1, id="RL06"),
        pytest.param('"60"', {"unit": "delta_s"}, None, id="RL08-vendor"),
        pytest.param('"60"', {"unit": "delta_s", "pattern": '"([0-9]+)"'}, 60, id="RL08-declared"),
        pytest.param("-1", {"unit": "delta_s"}, None, id="RL09"),
        pytest.param("1234567890123456", {"unit": "delta_s", "max_s": 10**16}, None, id="RL10-vendor"),
        pytest.param("10, 20", {"unit": "delta_s"}, None, id="RL14-vendor"),
        pytest.param("\u0663", {"unit": "delta_s"}, None, id="RL15-arabic"),
        pytest.param("\xb2", {"unit": "delta_s"}, None, id="RL15-superscript"),
        pytest.param("1_000", {"unit": "delta_s"}, None, id="RL15-underscore"),
        pytest.param("+5", {"unit": "delta_s"}, None, id="RL15-plus"),
        pytest.param("0x10", {"unit": "delta_s"}, None, id="RL15-hex"),
        pytest.param("1e3", {"unit": "delta_s"}, None, id="RL15-exponent"),
        pytest.param("", {"unit": "delta_s"}, None, id="RL29-vendor"),
    ],
)
def test_a_vendors_reset_is_read_as_declared(text: str, source: dict[str, Any], expected: int | None) -> None:
    """Seconds from the response's own Date, or nothing and a note; an empty field says nothing at all."""
    limits = said(vendor(**source), ("x-ratelimit-reset", text))

    if expected is None:
        unit = source["unit"]
        assert Limits(notes=(f"unfit: x-ratelimit-reset is no {unit}",) if text else ()) == limits
    else:
        assert Limits(budgets=(Budget("b", reset_s=expected),)) == limits
        assert (("ratelimit-reset", str(expected)),) == limits.headers()


def test_RL02_without_a_date_our_own_clock_must_do() -> None:
    """And it is told that it did."""
    response = Response(200, (("x-ratelimit-reset", str(int(NOW.timestamp()) + 7)),))

    limits = read_limits(vendor(unit="epoch_s"), response, ABSENT, now=NOW, throttled=False)

    assert ((Budget("b", reset_s=7),), ("no_date: held against our own clock",)) == (limits.budgets, limits.notes)


def triple(limit: str | None, remaining: str | None, reset: str | None) -> Limits:
    names = {"ratelimit-limit": limit, "ratelimit-remaining": remaining, "ratelimit-reset": reset}
    return said(TRIPLE, *((name, text) for name, text in names.items() if text is not None))


@pytest.mark.parametrize(
    ("texts", "numbers", "notes"),
    [
        pytest.param(("100", "50", "60"), (100, 50, 60), (), id="RL01"),
        pytest.param(("100", "50", str(SENT)), (100, 50, None), ("unfit: ratelimit-reset is no delta_s",), id="RL04"),
        pytest.param(("100;x=1", "50;y", "60"), (100, 50, 60), (), id="parameters-are-ignored"),
        pytest.param(("100", "50", "0.5"), (100, 50, None), ("malformed: ratelimit-reset",), id="RL07"),
        pytest.param(("100", "50", '"60"'), (100, 50, None), ("malformed: ratelimit-reset",), id="RL08"),
        pytest.param(("100", "-1", "60"), (100, None, 60), ("malformed: ratelimit-remaining",), id="RL09"),
        pytest.param(("1234567890123456", "5", "60"), (None, 5, 60), ("malformed: ratelimit-limit",), id="RL10"),
        pytest.param(("100, 100;w=60", "5", "60"), (100, 5, 60), (), id="RL11"),
        pytest.param(("10, 10;w=1, 150;w=60", "5", "1"), (10, 5, 1), (), id="RL11-recorded"),
        pytest.param(("100", "5, 6", "60"), (100, None, 60), ("malformed: ratelimit-remaining",), id="RL14-remaining"),
        pytest.param(("100", "5", "60, 60"), (100, 5, None), ("malformed: ratelimit-reset",), id="RL14-reset"),
        pytest.param(("100", "\u0663", "60"), (100, None, 60), ("malformed: ratelimit-remaining",), id="RL15-arabic"),
        pytest.param(
            ("100", "\xb2", "60"), (100, None, 60), ("malformed: ratelimit-remaining",), id="RL15-superscript"
        ),
        pytest.param(
            ("100", "1_000", "60"), (100, None, 60), ("malformed: ratelimit-remaining",), id="RL15-underscore"
        ),
        pytest.param(("100", "+5", "60"), (100, None, 60), ("malformed: ratelimit-remaining",), id="RL15-plus"),
        pytest.param(("100", "0x10", "60"), (100, None, 60), ("malformed: ratelimit-remaining",), id="RL15-hex"),
        pytest.param(("100", "1e3", "60"), (100, None, 60), ("malformed: ratelimit-remaining",), id="RL15-exponent"),
        pytest.param(("100", "50", None), (100, 50, None), ("missing: ratelimit-reset",), id="RL31"),
        pytest.param(("100", None, "60"), (100, None, 60), (), id="remaining-is-optional"),
    ],
)
def test_the_triple(
    texts: tuple[str, str | None, str | None], numbers: tuple[int | None, ...], notes: tuple[str, ...]
) -> None:
    """Each field is an Integer by itself; what is malformed is absent, never a zero."""
    limits = triple(*texts)

    limit, remaining, reset = numbers
    assert (Budget("", limit, remaining, reset),) == limits.budgets
    assert notes == limits.notes
    emitted = zip(("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"), numbers, strict=True)
    assert tuple((name, str(number)) for name, number in emitted if number is not None) == limits.headers()


@pytest.mark.parametrize(
    "texts", [pytest.param(("", "", ""), id="RL29"), pytest.param((None, None, None), id="absent")]
)
def test_an_empty_triple_says_nothing(texts: tuple[str | None, str | None, str | None]) -> None:
    """No limits, and no error."""
    assert Limits() == triple(*texts)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(["100", "100"], (Triple(100, 5, 60)), id="RL13-same"),
        pytest.param(["100", "200"], Triple(notes=("conflicting_lines: ratelimit-limit",)), id="RL13-different"),
    ],
)
def test_two_lines_of_one_field(lines: list[str], expected: Triple) -> None:
    """Equal lines are one; lines that differ make all three absent, as nobody knows which belong together."""
    headers = (*(("ratelimit-limit", line) for line in lines), ("ratelimit-remaining", "5"), ("ratelimit-reset", "60"))

    assert expected == fields.read_triple(Response(200, headers))


@pytest.mark.parametrize(
    ("lines", "budgets", "notes"),
    [
        pytest.param(["5", "5"], (Budget("b", 9, 5),), (), id="RL13-vendor-same"),
        pytest.param(["5", "6"], (), ("conflicting_lines: x-left",), id="RL13-vendor-different"),
    ],
)
def test_two_lines_of_a_vendors_header(lines: list[str], budgets: tuple[Budget, ...], notes: tuple[str, ...]) -> None:
    """The same for a budget: none of its numbers is told."""
    budget = {"name": "b", "limit": {"header": "x-most"}, "remaining": {"header": "x-left"}}
    config = connector(rate_limit={"budgets": [budget]}).rate_limit

    limits = said(config, ("x-most", "9"), *(("x-left", line) for line in lines))

    assert (budgets, notes) == (limits.budgets, limits.notes)


def policies(text: str) -> tuple[tuple[Policy, ...], tuple[str, ...]]:
    return fields.read_policies(Response(200, (("ratelimit-policy", text),)))


NO_POLICIES: tuple[tuple[Policy, ...], tuple[str, ...]] = ((), ("malformed: ratelimit-policy",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("10;w=1, 50;w=60", ((Policy(None, 10, 1), Policy(None, 50, 60)), ()), id="RL12"),
        pytest.param(
            '"burst";q=100;w=60,"daily";q=1000;w=86400',
            ((Policy("burst", 100, 60), Policy("daily", 1000, 86_400)), ()),
            id="RL17",
        ),
        pytest.param(
            '"u";q=65535;qu="content-bytes";w=10;pk=:aGk=:',
            ((Policy("u", 65_535, 10, "content-bytes", b"hi"),), ()),
            id="RL25",
        ),
        pytest.param("default;q=50", NO_POLICIES, id="RL18"),
        pytest.param('"a";w=60', NO_POLICIES, id="RL20"),
        pytest.param('"a";q=5;w=0', NO_POLICIES, id="RL27-window"),
        pytest.param('"a";q=-1;w=60', NO_POLICIES, id="RL27-quota"),
        pytest.param('"a";q=5;w=1.5', NO_POLICIES, id="RL27-decimal"),
        pytest.param('"a";q=5;qu=requests', NO_POLICIES, id="unit-is-no-string"),
        pytest.param('"a";q=5;pk="x"', NO_POLICIES, id="partition-is-no-bytes"),
        pytest.param('"a";q=5, 10;w=1', NO_POLICIES, id="both-forms-at-once"),
        pytest.param('("a" "b");q=5', NO_POLICIES, id="RL24"),
        pytest.param("", ((), ()), id="RL29"),
    ],
)
def test_policies(text: str, expected: tuple[tuple[Policy, ...], tuple[str, ...]]) -> None:
    """In the new form or the old, whole or not at all."""
    assert expected == policies(text)


def test_RL12_the_old_form_tells_the_window_of_the_triple() -> None:
    """It has no names, so there is no new pair to be made of it."""
    limits = said(TRIPLE, ("ratelimit-limit", "50"), ("ratelimit-reset", "9"), ("ratelimit-policy", "10;w=1, 50;w=60"))

    assert (Budget("", 50, None, 9, 60),) == limits.budgets
    assert (("ratelimit-limit", "50"), ("ratelimit-reset", "9")) == limits.headers()


def service_limits(*lines: str) -> tuple[tuple[ServiceLimit, ...], tuple[str, ...]]:
    return fields.read_limits(Response(200, tuple(("ratelimit", line) for line in lines)))


NO_LIMITS: tuple[tuple[ServiceLimit, ...], tuple[str, ...]] = ((), ("malformed: ratelimit",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('"default";r=50;t=30', ((ServiceLimit("default", 50, 30),), ()), id="RL16"),
        pytest.param("default;r=50", NO_LIMITS, id="RL18"),
        pytest.param('"a";r=-1;t=5', NO_LIMITS, id="RL19-negative"),
        pytest.param('"a";r=5.5', NO_LIMITS, id="RL19-decimal"),
        pytest.param('"a";r="5"', NO_LIMITS, id="RL19-string"),
        pytest.param('"a";r=?1', NO_LIMITS, id="RL19-boolean"),
        pytest.param('"a";r=5;t=-1', NO_LIMITS, id="RL19-reset"),
        pytest.param('"a";t=5', NO_LIMITS, id="RL20"),
        pytest.param('"a";r=5;r=7', ((ServiceLimit("a", 7),), ()), id="RL21"),
        pytest.param('"a";r=0;t=50, "b";r=3', ((ServiceLimit("a", 0, 50), ServiceLimit("b", 3)), ()), id="RL22"),
        pytest.param('"a";r=5,', NO_LIMITS, id="RL23-comma"),
        pytest.param('"a" ;r=5', NO_LIMITS, id="RL23-space"),
        pytest.param('"a";R=6', NO_LIMITS, id="RL23-upper-case"),
        pytest.param("'a';r=5", NO_LIMITS, id="RL23-quotes"),
        pytest.param('"\xe9";r=5', NO_LIMITS, id="RL23-not-ASCII"),
        pytest.param('("a" "b");r=5', NO_LIMITS, id="RL24"),
        pytest.param(
            '"a";r=5;pk=:cHsdsRa894==:', ((ServiceLimit("a", 5, None, b"p{\x1d\xb1\x16\xbc\xf7"),), ()), id="RL25"
        ),
        pytest.param('"a";r=5;zz=1', ((ServiceLimit("a", 5),), ()), id="RL26"),
        pytest.param("limit=100, remaining=5, reset=30", NO_LIMITS, id="RL28"),
        pytest.param("", ((), ()), id="RL29"),
        pytest.param('"a";r=5, ' * 20_000, NO_LIMITS, id="100-kB"),
    ],
)
def test_service_limits(text: str, expected: tuple[tuple[ServiceLimit, ...], tuple[str, ...]]) -> None:
    """The new form, whole or not at all: "Malformed RateLimit header fields MUST be ignored"."""
    before = time.perf_counter()

    assert expected == service_limits(text)

    assert time.perf_counter() - before < 1


def test_RL22_the_emptiest_of_two_limits_is_told() -> None:
    """Lines of a list are one list."""
    limits = said(PAIR, ("ratelimit", '"a";r=0;t=50'), ("ratelimit", '"b";r=3'))

    assert ("a", "b") == tuple(budget.name for budget in limits.budgets)
    pair = ("ratelimit", '"a";r=0;t=50, "b";r=3')
    assert (("ratelimit-remaining", "0"), ("ratelimit-reset", "50"), pair) == limits.headers()


def test_RL25_a_limit_has_the_policy_of_its_own_partition() -> None:
    """Of two policies with one name, the one with the same key."""
    limits = said(
        PAIR,
        ("ratelimit-policy", '"a";q=100;w=60;pk=:aGk=:, "a";q=10;w=60;qu="content-bytes";pk=:aG8=:'),
        ("ratelimit", '"a";r=5;t=1;pk=:aG8=:'),
    )

    assert (Budget("a", 10, 5, 1, 60, "content-bytes", b"ho"),) == limits.budgets
    assert ("ratelimit", '"a";r=5;t=1;pk=:aG8=:') == limits.headers()[3]
    assert ("ratelimit-policy", '"a";q=10;qu="content-bytes";w=60;pk=:aG8=:') == limits.headers()[4]


@pytest.mark.parametrize(
    ("policy", "limit"),
    [
        pytest.param('"a";q=10', 10, id="RL25-for-all"),
        pytest.param('"a";q=10;pk=:aGk=:', None, id="RL25-of-another"),
    ],
)
def test_a_policy_without_a_partition_is_for_all_of_them(policy: str, limit: int | None) -> None:
    """That of another partition says nothing of this one."""
    limits = said(PAIR, ("ratelimit-policy", policy), ("ratelimit", '"a";r=5;pk=:aG8=:'))

    assert [limit] == [budget.limit for budget in limits.budgets]


@pytest.mark.parametrize(
    ("form", "budgets"),
    [
        pytest.param("dictionary", (Budget("", 100, 5, 30),), id="RL28-declared"),
        pytest.param("pair", (), id="RL28-other-form"),
        pytest.param(None, (), id="RL28-not-declared"),
    ],
)
def test_the_dictionary_of_draft_07_is_read_where_declared(form: Any, budgets: tuple[Budget, ...]) -> None:
    """A form is never guessed."""
    limits = said(RateLimit(standard=form), ("ratelimit", "limit=100, remaining=5;x, reset=30"))

    assert budgets == limits.budgets


@pytest.mark.parametrize(
    ("form", "text"),
    [
        pytest.param("pair", f'"a";r=5;t={SENT}', id="RL04-pair"),
        pytest.param("dictionary", f"limit=9, remaining=5, reset={SENT}", id="RL04-dictionary"),
    ],
)
def test_a_moment_where_seconds_are_due(form: Any, text: str) -> None:
    """Never "reset in 56 years": what is left is told, and the reset is not."""
    limits = said(RateLimit(standard=form), ("ratelimit", text))

    assert (5, None) == ((limits.budgets[0].remaining, limits.budgets[0].reset_s))
    assert ("unfit: ratelimit is no delta_s",) == limits.notes


@pytest.mark.parametrize("text", ["limit=100", "limit=100, reset=1.5", "limit=(1 2), reset=1", "limit=100 reset=1"])
def test_a_malformed_dictionary_is_ignored(text: str) -> None:
    """RL28: limit and reset are required there, and Integers."""
    assert Limits(notes=("malformed: ratelimit",)) == said(RateLimit(standard="dictionary"), ("ratelimit", text))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param((("ratelimit", '"a";r=0;t=5'), ("retry-after", "60")), 60, id="RL30"),
        pytest.param((("ratelimit", '"a";r=0;t=90'), ("retry-after", "60")), 60, id="RL30-earlier"),
        pytest.param((("ratelimit", '"a";r=0;t=5, "b";r=0;t=7, "c";r=1;t=99'),), 7, id="without-Retry-After"),
        pytest.param((("ratelimit", '"a";r=3;t=5'),), None, id="RL32-none-is-empty"),
        pytest.param((), None, id="RL32"),
    ],
)
def test_what_a_throttle_says_to_wait(headers: tuple[tuple[str, str], ...], expected: int | None) -> None:
    """Retry-After takes precedence; without it, the longest of the limits that are used up; else nobody said."""
    assert expected == said(PAIR, *headers, throttled=True).retry_after_s


def test_RL32_a_429_is_raised_at_once() -> None:
    """With no header, no number is invented."""
    provider = scripted(Response(429))

    with pytest.raises(ProviderBusy) as caught:
        read(connector(rate_limit={"standard": "pair"}), provider)

    assert (1, None) == (len(provider.requests), caught.value.seconds)
    assert Limits() == read_limits(PAIR, Response(429), ABSENT, now=NOW, throttled=True)


@pytest.mark.parametrize(
    ("age", "budgets"),
    [
        pytest.param("7", (), id="RL33-age"),
        pytest.param("0", (Budget("a", None, 5),), id="RL33-age-0"),
        pytest.param("old", (Budget("a", None, 5),), id="RL33-no-age"),
    ],
)
def test_a_cached_response_says_nothing_of_now(age: str, budgets: tuple[Budget, ...]) -> None:
    """What was left when it was stored may be gone."""
    limits = said(PAIR, ("ratelimit", '"a";r=5'), ("age", age))

    assert budgets == limits.budgets
    assert (() if budgets else ("cached: budgets are of an older response",)) == limits.notes


def test_RL33_a_trailer_is_no_header() -> None:
    """What follows a body never reaches the normaliser: the transport drops it."""
    wire = b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nRateLimit: "a";r=5\r\n\r\n'

    async def exchange(url: str) -> Response:
        async with HttpxTransport(user_agent="test/1", allow_loopback=True) as transport:
            return await transport.send(Request("GET", f"{url}/"))

    with Loopback(lambda _: wire) as provider:
        response = asyncio.run(exchange(provider.url))

    assert (b"{}", None) == (response.body, response.header("ratelimit"))


# RL34. Never more permissive than the provider, for any mix of forms, units and malformed texts.

numbers = st.integers(0, 10**6)
pieces = st.one_of(
    numbers.map(str),
    numbers.map(lambda n: f"{n}.{n % 7}"),
    st.sampled_from(["", "-1", '"5"', "1e3", "\u0663", "9" * 16, "0", "5, 6", "5, 6;w=7"]),
    st.text(max_size=5),
)
UNITS: dict[str, float] = {"delta_s": 1, "delta_ms": 1000, "epoch_s": 1, "epoch_ms": 1000}


def provider_said(text: str, unit: str) -> float | None:
    """What the provider means, worked out in another way than the engine's."""
    if not text or set(text.replace(".", "", 1)) - set("0123456789") or text[0] == "." or text[-1] == ".":
        return None
    return float(text) / UNITS[unit] - (SENT if unit.startswith("epoch") else 0)


@given(st.tuples(pieces, pieces, pieces), st.sampled_from(sorted(UNITS)), st.booleans())
def test_RL34_a_vendors_numbers_never_grow_more_permissive(
    texts: tuple[str, str, str], unit: str, throttled: bool
) -> None:
    """Remaining is at most, and reset at least, what was said; or absent. Epochs lie some way ahead of the Date."""
    limit, left, reset = texts
    if unit.startswith("epoch") and reset.isascii() and reset.isdigit():
        reset = str((SENT + int(reset)) * int(UNITS[unit]))
    budget = {
        "name": "b",
        "limit": {"header": "l"},
        "remaining": {"header": "r"},
        "reset": {"header": "t", "unit": unit},
    }
    config = connector(rate_limit={"budgets": [budget]}).rate_limit

    headers = dict(said(config, ("l", limit), ("r", left), ("t", reset), throttled=throttled).headers())

    meant_left, meant_reset = provider_said(left.strip(" \t"), "delta_s"), provider_said(reset.strip(" \t"), unit)
    if "ratelimit-remaining" in headers:
        assert meant_left is not None and int(headers["ratelimit-remaining"]) <= meant_left
    if "ratelimit-reset" in headers:
        assert meant_reset is not None and int(headers["ratelimit-reset"]) >= meant_reset - 1e-6


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1), numbers, numbers, st.binary(max_size=9))
def test_the_pair_that_is_told_is_read_back(name: str, left: int, quota: int, partition: bytes) -> None:
    """What we emit is what the draft says, whatever a provider calls its policy."""
    budget = Budget(name, quota, left, 7, 60, "requests", partition, 7 if left == 0 else None)

    headers = dict(Limits(budgets=(budget,)).headers())

    pair = tuple((field, headers[field]) for field in ("ratelimit", "ratelimit-policy"))
    assert (budget,) == said(PAIR, *pair).budgets


@given(st.lists(st.tuples(st.sampled_from("abc"), numbers, numbers | st.none(), numbers | st.none()), max_size=4))
def test_RL34_what_is_told_is_one_of_the_providers_budgets(
    rows: list[tuple[str, int, int | None, int | None]],
) -> None:
    """Numbers of two limits are never mixed; and no limit has a smaller part left than the one that is told."""
    text = ", ".join(f'"{name}";r={left}' + ("" if reset is None else f";t={reset}") for name, left, reset, _ in rows)
    policy = ", ".join(f'"{name}";q={quota};w=60' for name, _, _, quota in rows if quota is not None)

    limits = said(PAIR, ("ratelimit", text), ("ratelimit-policy", policy))

    headers = dict(limits.headers())
    told = (headers.get("ratelimit-remaining"), headers.get("ratelimit-reset"))
    assert told in [(str(left), None if reset is None else str(reset)) for _, left, reset, _ in rows] or not rows
    parts = [b.remaining / b.limit for b in limits.budgets if b.limit and b.remaining is not None]
    near = limits.nearest
    if near is not None and near.limit and near.remaining is not None:
        assert near.remaining / near.limit <= min(parts)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["ratelimit", "ratelimit-limit", "ratelimit-reset", "ratelimit-policy", "age", "date", "retry-after"]
            ),
            st.text(st.characters(max_codepoint=255), max_size=40),
        ),
        max_size=5,
    )
)
def test_no_headers_raise(headers: list[tuple[str, str]]) -> None:
    """Any texts, in any form that is declared, give limits."""
    for form in ("pair", "triple", "dictionary"):
        limits = read_limits(RateLimit(standard=form), Response(429, tuple(headers)), ABSENT, now=NOW, throttled=True)

        assert all(text.isascii() and text.isprintable() for _, text in limits.headers())
