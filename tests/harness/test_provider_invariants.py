"""Each rule sees what breaks it in the histories of provider and store, whichever way the two are woven together."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from token_play import ACCOUNT, KEY, Cast, declared

from connproof.auth import Signing
from connproof.auth.token_request import token_draft, with_tokens
from connproof.clock import Clock
from connproof.errors import RefreshPending
from connproof.model import Account, Request, Secret, TokenPair, TokenRow
from connproof.stores.token_memory import MemoryTokens
from connproof.stores.token_store import Stored
from connproof.tokens import Held, Tokens
from pytest_connproof.provider import AuthorizationServer, Rotation
from pytest_connproof.provider.invariants import Watched, broken
from pytest_connproof.schedule import START, Faults, Scenario, at_once, explore

LIFETIME = 1000.0
LEASE = 10.0


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:
        self.passed += seconds


class Told:
    """A history told by hand: who claims, who asks the provider, what is written."""

    def __init__(self, rotation: Rotation = "strict", store: type[MemoryTokens] = MemoryTokens) -> None:
        self.clock = Hands()
        self.rotation = rotation
        self.server = AuthorizationServer(declared(rotation), ACCOUNT, rotation=rotation, lifetime_s=LIFETIME)
        self.store = Watched(_store(store, self.clock), {KEY: self.server})
        at_once(self.store.connect(KEY, self.server.consent(self.now)))

    @property
    def now(self) -> float:
        return self.clock.now().timestamp()

    @property
    def row(self) -> TokenRow:
        row = at_once(self.store.read(KEY))
        assert row is not None
        return row

    def claimed(self, who: str, *, over_stale: bool = False) -> TokenRow:
        row = at_once(self.store.claim(self.row, owner=who, lease_s=LEASE, over_stale=over_stale))
        assert row is not None
        return row

    def asked(self, who: str, row: TokenRow) -> TokenPair:
        """Present the row's refresh token; the pair that comes next, as it was issued."""
        assert row.refresh is not None
        auth = self.server.connector.auth
        whose = with_tokens(auth, ACCOUNT, access=Secret("unused"), refresh=row.refresh)
        request = token_draft(auth, whose, Signing(self.clock.now(), lambda: "0" * 32)).request()
        self.server.answer(request, self.now, who=who)
        account = self.server.account
        access, refresh = (str(account.credentials[name]) for name in ("access_token", "refresh_token"))
        return TokenPair(Secret(access), Secret(refresh), self.now + LIFETIME, lifetime_s=LIFETIME)

    def called(self, who: str, row: TokenRow) -> None:
        """Call the API with the row's access token."""
        assert row.access is not None
        headers = (("authorization", f"Bearer {row.access.reveal()}"),)
        self.server.serves(Request("GET", "https://api.example/rows", headers), self.now, who=who)

    def broken(self, *, quiet: bool = False) -> list[str]:
        return broken(self.server, self.store.history(KEY), self.rotation, quiet=quiet)


def _store(kind: type[MemoryTokens], clock: Clock) -> MemoryTokens:
    return kind(clock)


def rules(told: list[str]) -> set[str]:
    return {sentence.partition(":")[0] for sentence in told}


def test_an_ordinary_refresh_breaks_nothing() -> None:
    """Claimed, asked, kept, given back."""
    story = Told()
    story.clock.passed = LIFETIME
    mine = story.claimed("A")
    at_once(story.store.keep(mine, story.asked("A", mine)))
    at_once(story.store.release(mine))

    assert [] == story.broken(quiet=True)


def test_I1_a_claim_of_another_is_no_claim_of_ones_own() -> None:
    """A asks while B, who claimed, has not: in whichever order, as two processes have none between them."""
    story = Told()
    seen = story.row
    story.claimed("B")
    story.asked("A", seen)

    assert "I1" in rules(story.broken())


def test_I1_a_lease_that_is_alive_is_not_stale() -> None:
    """Whoever takes a lease that ends in time takes another's, whatever it says of the clock."""
    story = Told()
    story.claimed("A")
    story.claimed("B", over_stale=True)

    assert "I1" in rules(story.broken())


def test_I1_a_lease_that_lies_far_ahead_may_be_taken() -> None:
    """It was written before a clock was set back."""
    story = Told("none")
    story.clock.passed = 3600
    story.claimed("A")
    story.clock.passed = 0
    story.claimed("B", over_stale=True)

    assert [] == story.broken()


def test_I3_a_replay_is_not_excused_by_the_end_that_it_brings() -> None:
    """The access token lived until the replay killed it: that it is refused from then on is no reason."""
    story = Told()
    first = story.claimed("A")
    story.asked("A", first)
    story.clock.passed = LEASE + 1
    again = story.claimed("B")
    story.asked("B", again)
    story.called("B", again)

    assert "I3" in rules(story.broken())


def test_I3_an_access_token_that_was_refused_lives_no_more() -> None:
    """Whoever has seen it refused may ask again."""
    story = Told()
    story.server.end_access()
    first = story.claimed("A")
    story.asked("A", first)
    story.clock.passed = LEASE + 1
    story.called("B", first)
    story.claimed("B")

    assert [] == story.broken()


def test_I4_a_successor_is_not_dropped_where_its_grant_is_still_there() -> None:
    """A store that says "gone" of an account that nobody connected anew has thrown away the only copy."""

    class Drops(MemoryTokens):
        async def keep(self, claimed: TokenRow, pair: TokenPair) -> Stored:
            del claimed, pair
            return "gone"

    story = Told(store=Drops)
    mine = story.claimed("A")
    at_once(story.store.keep(mine, story.asked("A", mine)))

    assert "I4" in rules(story.broken())


def test_I4_a_successor_of_a_grant_that_was_replaced_may_be_dropped() -> None:
    """The owner connected the account anew meanwhile."""
    story = Told()
    mine = story.claimed("A")
    late = story.asked("A", mine)
    at_once(story.store.connect(KEY, story.server.consent(story.now)))

    assert "gone" == at_once(story.store.keep(mine, late))
    assert [] == story.broken()


def test_I7_what_the_provider_takes_counts_and_not_what_is_written() -> None:
    """By its date the access token lives; the provider has ended it, and the refresh token is spent."""
    story = Told()
    story.asked("A", story.claimed("A"))
    story.server.end_access()

    assert "I7" in rules(story.broken(quiet=True))


def test_I8_a_terminal_answer_to_another_is_none() -> None:
    """B gives the account up, and it was A who was refused: B cannot know."""
    story = Told()
    story.clock.passed = LIFETIME
    story.server.revoke()
    story.asked("A", story.claimed("A"))
    story.clock.passed += LEASE + 1
    mine = story.claimed("B")
    at_once(story.store.refuse(mine, state="needs_reauth", reason="revoked"))

    assert {"I8"} == rules(story.broken())


def test_I10_a_caller_whose_token_lives_is_told_of_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer of an early refresh is lost, and whoever asks next is put off although the old token is good."""
    access = Tokens.access

    async def puts_off(self: Tokens, account: Account) -> Held:
        held = await access(self, account)
        row = await self._store.read(KEY)
        if row is not None and row.state == "ambiguous":
            raise RefreshPending("the outcome of a refresh is not known")
        return held

    early = Cast(workers="A", age_s=950, again_s=12)
    faults = Faults(slow=0, lost_answers=1)
    assert explore(Scenario(early, faults, apart=True)).failure is None

    monkeypatch.setattr(Tokens, "access", puts_off)

    failure = explore(Scenario(early, faults, apart=True)).failure
    assert failure is not None
    assert {"I10"} == rules([*failure.broken])
