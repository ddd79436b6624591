"""What a worker may do with an account's row, and when: pure decisions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connproof.model import Candidate, Secret, TokenRow
from connproof.tokens.deciding import (
    MaySend,
    Plan,
    Promote,
    Refuse,
    Rest,
    Rotation,
    Wait,
    decided,
    lives,
    rotation_of,
)
from connproof.tokens.timing import Timing

NOW = 10_000.0
TIMING = Timing()
GRACE = 1800

LIVE = TokenRow("a/b", "grant", 3, Secret("AT3"), Secret("RT3"), expires_at=NOW + 3000, lifetime_s=3600)
DUE = replace(LIVE, expires_at=NOW + 10)
ENDED = replace(LIVE, expires_at=NOW)


def opened(row: TokenRow, seconds_ago: float = 60) -> TokenRow:
    """The row with an intent of its own generation, of which nobody knows the outcome."""
    return replace(row, intent_generation=row.generation, intent_first_at=NOW - seconds_ago, intent_count=1)


def plan(row: TokenRow, rotation: Rotation = "strict", *, refused: int | None = None, unmoved: bool = False) -> Plan:
    return decided(row, NOW, rotation=rotation, refreshes=True, timing=TIMING, refused=refused, unmoved=unmoved)


def test_a_token_that_lives_rests_until_its_margin() -> None:
    """Nothing is asked before the margin begins."""
    margin = TIMING.margin("a/b", 3600)

    assert Rest(NOW + 3000 - margin) == plan(LIVE)


def test_a_token_of_unknown_lifetime_rests_until_it_is_refused() -> None:
    """F28: without a lifetime the provider's 401 is the only sign."""
    assert Rest(None) == plan(replace(LIVE, expires_at=None, lifetime_s=None))


@pytest.mark.parametrize("row", [DUE, ENDED, replace(LIVE, access=None)], ids=["due", "ended", "none"])
def test_a_token_that_ends_may_be_refreshed(row: TokenRow) -> None:
    """In the margin, after the end, and where there is no access token."""
    assert MaySend() == plan(row)


def test_a_refused_token_may_be_refreshed_before_its_end() -> None:
    """A 401 says more than any lifetime."""
    assert MaySend() == plan(LIVE, refused=3)
    assert isinstance(plan(LIVE, refused=2), Rest)


@pytest.mark.parametrize(
    ("row", "rotation", "expected"),
    [
        pytest.param(opened(DUE), "none", MaySend(), id="none: a replay is harmless"),
        pytest.param(opened(DUE), GRACE, MaySend(), id="grace: within it"),
        pytest.param(opened(DUE, GRACE - 2), GRACE, MaySend(), id="grace: just within"),
        pytest.param(opened(DUE, GRACE - 0.5), GRACE, Rest(NOW + 10), id="grace: within the clocks' error of its end"),
        pytest.param(opened(DUE, GRACE + 1), GRACE, Rest(NOW + 10), id="grace: after it, the token lives"),
        pytest.param(opened(ENDED, GRACE + 1), GRACE, MaySend(), id="grace: after it, the token has ended"),
        pytest.param(opened(DUE, -3600), GRACE, Rest(NOW + 10), id="grace: the intent lies ahead"),
        pytest.param(opened(DUE), "strict", Rest(NOW + 10), id="strict: the token lives"),
        pytest.param(opened(ENDED), "strict", MaySend(), id="strict: the token has ended"),
    ],
)
def test_A4_an_unknown_outcome_is_asked_again_by_the_declared_rotation(
    row: TokenRow, rotation: Rotation, expected: Plan
) -> None:
    """I3: a token that was presented is presented again only where that can harm nothing."""
    assert expected == plan(row, rotation)


@pytest.mark.parametrize("intents", [2, 7])
def test_after_the_end_a_strict_token_is_presented_on_the_schedule(intents: int) -> None:
    """N5: once nothing alive can be harmed, no number of ambiguous answers ends the trying."""
    row = replace(opened(ENDED), intent_count=intents, state="ambiguous")

    assert MaySend() == plan(row)


def test_an_intent_of_an_older_generation_is_none() -> None:
    """Its successor was stored: the outcome is known."""
    assert MaySend() == plan(replace(opened(DUE), intent_generation=2))


@pytest.mark.parametrize(("row", "expected"), [(DUE, Rest(NOW + 10)), (ENDED, Promote())])
def test_a_successor_without_access_token_takes_over_at_the_end(row: TokenRow, expected: Plan) -> None:
    """F32: its predecessor is not presented again, and the access token is used up first."""
    assert expected == plan(replace(opened(row), candidates=(Candidate(3, Secret("RT4")),)), GRACE)


def test_another_workers_lease_is_waited_for() -> None:
    """Whoever has the lease is at it."""
    assert Wait(NOW + 7, leased=True) == plan(replace(DUE, lease_until=NOW + 7))


def test_a_back_off_is_waited_for() -> None:
    """Every worker leaves the account alone until then."""
    assert Wait(NOW + 7) == plan(replace(DUE, not_before=NOW + 7))


@pytest.mark.parametrize(
    ("row", "leased"),
    [(replace(DUE, lease_until=NOW + 3600), True), (replace(DUE, not_before=NOW + 86_400 + 3600), False)],
)
def test_what_lies_too_far_ahead_is_stale(row: TokenRow, leased: bool) -> None:
    """N8: after a clock was set back, only a row that moves has somebody at it."""
    assert Wait(max(row.lease_until, row.not_before), leased=leased, stale=True) == plan(row)
    assert MaySend(over_stale=True) == plan(row, unmoved=True)


def test_a_stale_lease_does_not_allow_a_replay() -> None:
    """The dead holder's intent stays what it is."""
    assert Rest(NOW + 10) == plan(replace(opened(DUE), lease_until=NOW + 3600), unmoved=True)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (replace(DUE, state="needs_reauth", reason="revoked"), Refuse("revoked")),
        (replace(DUE, state="blocked_config", reason="undecryptable"), Refuse("undecryptable")),
        (replace(DUE, refresh=None), Refuse("no_refresh_token")),
        (replace(DUE, state="needs_reauth", candidates=(Candidate(2, Secret("x")),)), Promote()),
        (replace(DUE, refresh=None, candidates=(Candidate(2, Secret("x")),)), Promote()),
    ],
)
def test_a_lost_account_is_told_of_or_goes_on_with_a_candidate(row: TokenRow, expected: Plan) -> None:
    """I8: nobody is asked to consent again while a candidate is left."""
    assert expected == plan(row)


@pytest.mark.parametrize(
    ("row", "refused", "expected"),
    [
        (LIVE, None, True),
        (ENDED, None, False),
        (replace(LIVE, access=None), None, False),
        (LIVE, 3, False),
        (LIVE, 2, True),
        (replace(LIVE, expires_at=None), None, True),
        (replace(LIVE, state="needs_reauth"), None, True),
    ],
)
def test_a_token_lives_until_its_end_whatever_its_state(row: TokenRow, refused: int | None, expected: bool) -> None:
    """I10: the state is about the refresh, and not about the access token."""
    assert expected == lives(row, NOW, refused=refused)


@pytest.mark.parametrize(
    ("declared", "refreshes", "expected"),
    [
        ("none", True, "none"),
        ("strict", True, "strict"),
        (None, True, "strict"),
        (1800, True, 1800),
        (30, True, 30),
        (22, True, "strict"),
        ("strict", False, "none"),
        (None, False, "none"),
    ],
)
def test_a_short_grace_or_none_declared_is_strict(
    declared: Rotation | None, refreshes: bool, expected: Rotation
) -> None:
    """N11: a grace that a crash could outlast is not relied on; a grant without refresh tokens spends none."""
    assert expected == rotation_of(declared, refreshes=refreshes, timing=TIMING)


@pytest.mark.parametrize("lifetime", [20, 300, 3600, 86_400])
def test_F29_the_margin_is_a_share_of_a_short_lifetime(lifetime: int) -> None:
    """Between 10 and 20 % of it, and never more than is configured."""
    margins = [TIMING.margin(f"a/{number}", lifetime) for number in range(200)]
    most = min(300, lifetime / 5)

    assert all(most / 2 <= margin <= most for margin in margins)
    assert max(margins) - min(margins) > most / 3
    assert margins == [TIMING.margin(f"a/{number}", lifetime) for number in range(200)]


@pytest.mark.parametrize(
    ("failures", "asked", "jitter", "expected"),
    [
        (0, None, 0.5, 1.0),
        (1, None, 0.5, 2.0),
        (4, None, 1.0, 32.0),
        (9, None, 1.0, 900.0),
        (10_000, None, 1.0, 900.0),
        (0, None, 0.0, 0.25),
        (0, 60, 0.5, 60.0),
        (9, 60, 1.0, 900.0),
        (0, 10**9, 0.5, 86_400.0),
    ],
)
def test_F38_back_off_grows_with_full_jitter_to_its_cap(
    failures: int, asked: float | None, jitter: float, expected: float
) -> None:
    """Base 2 s, factor 2, cap 15 min; what the provider asks for outranks it, up to a day."""
    assert expected == TIMING.back_off(failures, asked, jitter)
