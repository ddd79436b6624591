"""Who may have which token: rotation and its grace, reuse, families, odd answers, and the history of it all."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from connproof.auth import Signing
from connproof.auth.token_request import token_draft, with_tokens
from connproof.auth.token_response import TokenGranted, TokenRefused, read_token_response, token_document
from connproof.model import Account, Request, Secret
from connproof.standards.http_date import sent_at
from pytest_connproof.provider import (
    ANSWERS,
    AuthorizationServer,
    Issued,
    Numbered,
    Presentation,
    Rotation,
    Served,
    numbered,
)
from scripted import BASE, connector

NOW = datetime(2026, 11, 23, 15, 0, 7, tzinfo=UTC)
AT = NOW.timestamp()
SIGNING = Signing(NOW, lambda: "0123456789abcdef")
OWNER = Account("acme", {"client_id": "c1", "client_secret": "s1"})
LIFETIME = 600


def server_of(
    rotation: Rotation = "strict", token: dict[str, Any] | None = None, **options: Any
) -> AuthorizationServer:
    """A server that knows one consent, given at AT."""
    auth = {"type": "oauth2", "token": {"url": "https://id.example/t", "client_auth": "body", **(token or {})}}
    server = AuthorizationServer(connector(auth=auth), OWNER, rotation=rotation, **{"lifetime_s": LIFETIME, **options})
    server.consent(AT)
    return server


def token(number: int, kind: str = "RT", family: int = 1) -> str:
    return f"acme.{family}.{kind}_{number}"


def asking(server: AuthorizationServer, refresh: str) -> Request:
    """The engine's request with this refresh token."""
    auth = server.connector.auth
    whose = with_tokens(auth, OWNER, access=Secret("unused"), refresh=Secret(refresh))
    return token_draft(auth, whose, SIGNING).request()


def present(server: AuthorizationServer, refresh: str, after: float = 0, who: str = "") -> str:
    """Present a refresh token so many seconds after the consent; what came of it."""
    server.answer(asking(server, refresh), AT + after, who=who)
    return server.presentations[-1].outcome


def reading(server: AuthorizationServer, refresh: str, after: float = 0) -> TokenGranted | TokenRefused:
    """What the engine makes of the answer."""
    response = server.answer(asking(server, refresh), AT + after)
    now = NOW + timedelta(seconds=after)
    return read_token_response(server.connector.auth, OWNER, response, token_document(response), now)


def calling(access: str) -> Request:
    return Request("GET", f"{BASE}/rows", (("authorization", f"Bearer {access}"),))


def is_live(server: AuthorizationServer, access: str, after: float = 0) -> bool:
    """Whether the API would serve a request with it."""
    return server.serves(calling(access), AT + after)


# Rotation.


def test_strict_spends_a_refresh_token() -> None:
    """Each use gives the next pair; AT_n and RT_n came together."""
    server = server_of()

    assert "granted" == present(server, token(0))
    assert "granted" == present(server, token(1))
    assert [0, 1, 2] == [issued.number for issued in server.issued]
    assert [0, 1, 2] == [issued.refresh for issued in server.issued]


def test_strict_takes_reuse_for_theft() -> None:
    """The family ends: the newest refresh token and every access token with it."""
    server = server_of()
    present(server, token(0))

    assert "reused" == present(server, token(0))
    assert "dead" == present(server, token(1))
    assert not is_live(server, token(1, "AT"))
    assert (False,) == server.families


@pytest.mark.parametrize(("after", "outcome"), [(40, "replayed"), (40.1, "reused")])
def test_grace_counts_from_the_first_use(after: float, outcome: str) -> None:
    """Not from the last: a replay does not make it longer."""
    server = server_of(30)
    present(server, token(0), 10)
    present(server, token(0), 39)

    assert outcome == present(server, token(0), after)


def test_grace_ends_with_the_use_of_the_successor() -> None:
    """Whoever has the successor does not need the one before it."""
    server = server_of(30)
    present(server, token(0))
    present(server, token(1))

    assert "reused" == present(server, token(0), 1)
    assert "dead" == present(server, token(2), 1)


def test_grace_replay_has_a_successor_of_its_own() -> None:
    """Only the newest one counts; the one that was overtaken is refused, and ends nothing."""
    server = server_of(30)
    present(server, token(0))

    assert "replayed" == present(server, token(0), 1)
    assert "superseded" == present(server, token(1), 2)
    assert "granted" == present(server, token(2), 3)


def test_none_keeps_a_refresh_token() -> None:
    """It works for ever, and no other is given."""
    server = server_of("none")

    assert ["granted"] * 3 == [present(server, token(0), after) for after in (0, 1, 10**6)]
    assert [0, 0, 0, 0] == [issued.refresh for issued in server.issued]
    assert reading(server, token(0)).refresh_token is None


def test_none_may_give_a_new_one_now_and_then() -> None:
    """With every second grant; those before it stay good."""
    server = server_of("none", rotates=2)

    given = [reading(server, token(0)).refresh_token for _ in range(4)]

    assert [None, token(2), None, token(4)] == [one and one.reveal() for one in given]
    assert "granted" == present(server, token(2))
    assert "granted" == present(server, token(0))


def test_strict_may_rotate_now_and_then() -> None:
    """A use that does not rotate does not spend either."""
    server = server_of("strict", rotates=2)

    assert ["granted", "granted", "reused"] == [present(server, token(0)) for _ in range(3)]
    assert [0, 0, 2] == [issued.refresh for issued in server.issued]


def test_a_refresh_token_may_lie_unused_too_long() -> None:
    """It is refused; used in time, its time begins anew."""
    server = server_of("none", idle_s=100)

    assert "granted" == present(server, token(0), 100)
    assert "granted" == present(server, token(0), 200)
    assert "expired" == present(server, token(0), 300.1)


def test_the_idle_time_is_told_where_the_config_reads_it() -> None:
    """With the refresh token that it belongs to."""
    server = server_of(token={"response": {"refresh_expires_in": "refresh_ends"}}, idle_s=100)

    found = reading(server, token(0))

    assert isinstance(found, TokenGranted)
    assert NOW + timedelta(seconds=100) == found.refresh_expires_at


# Access tokens.


@pytest.mark.parametrize(
    ("said", "lifetime_s", "expected"),
    [
        ({}, None, 3600),
        ({"lifetime_s": 7200}, None, 7200),
        ({"assumed_lifetime_s": 900}, None, 900),
        ({"lifetime_s": 7200}, 60, 60),
        ({"lifetime_s": 7200}, 0, 0),
    ],
)
def test_a_lifetime_is_the_configs_unless_said(said: dict[str, Any], lifetime_s: float | None, expected: float) -> None:
    """What the config assumes is what the provider does; 0 is a lifetime."""
    pair = server_of(token=said, lifetime_s=lifetime_s).consent(AT)

    assert (expected, AT + expected) == (pair.lifetime_s, pair.expires_at)


def test_an_access_token_lives_its_time() -> None:
    """Rotation does not end it."""
    server = server_of()
    present(server, token(0), 100)

    assert is_live(server, token(0, "AT"), LIFETIME - 0.1)
    assert not is_live(server, token(0, "AT"), LIFETIME)
    assert is_live(server, token(1, "AT"), LIFETIME)


def test_an_access_token_may_end_with_the_next() -> None:
    """Where the provider lets one be alive at a time."""
    server = server_of(single_access=True)
    present(server, token(0))

    assert not is_live(server, token(0, "AT"))
    assert is_live(server, token(1, "AT"))


def test_access_tokens_may_end_before_their_time() -> None:
    """Nobody said why; the refresh token is still good."""
    server = server_of()
    server.end_access()

    assert not is_live(server, token(0, "AT"))
    assert "granted" == present(server, token(0))
    assert is_live(server, token(1, "AT"))


@pytest.mark.parametrize("held", ["bearer acme.1.AT_0", "Bearer acme.1.RT_0", "Bearer other.1.AT_0", "Bearer ", ""])
def test_what_is_no_access_token_of_ours_is_dead(held: str) -> None:
    """Another slot, another kind, another account's."""
    server = server_of()

    assert not server.serves(Request("GET", f"{BASE}/rows", (("authorization", held),)), AT)
    assert (Served(None, AT, alive=False),) == server.served


# Families.


def test_a_new_consent_ends_the_one_before() -> None:
    """Its tokens are dead, and have another prefix."""
    server = server_of()
    pair = server.consent(AT + 5)

    assert (token(0, "AT", 2), token(0, "RT", 2)) == (pair.access.reveal(), pair.refresh and pair.refresh.reveal())
    assert "dead" == present(server, token(0), 6)
    assert (False, True) == server.families
    assert "granted" == present(server, token(0, family=2), 6)


def test_a_consent_gives_what_a_store_keeps() -> None:
    """Both tokens, and when they end."""
    server = server_of(idle_s=50)

    pair = server.consent(AT)

    assert (AT + LIFETIME, AT + 50, LIFETIME) == (pair.expires_at, pair.refresh_expires_at, pair.lifetime_s)


def test_the_account_has_the_newest_tokens() -> None:
    """Where its credentials have them, so that an engine can go on from there."""
    server = server_of()
    present(server, token(0))

    assert (token(1, "AT"), token(1)) == tuple(
        server.account.credentials[name] for name in ("access_token", "refresh_token")
    )


def test_a_grant_without_a_refresh_token_needs_no_consent() -> None:
    """The client itself is the owner."""
    auth = {
        "type": "oauth2",
        "token": {"url": "https://id.example/t", "client_auth": "body", "grant": "client_credentials"},
    }
    server = AuthorizationServer(connector(auth=auth), OWNER, rotation="none", lifetime_s=LIFETIME)
    request = token_draft(server.connector.auth, OWNER, SIGNING).request()

    answers = [json.loads(server.answer(request, AT).body)["access_token"] for _ in range(2)]

    assert [token(0, "AT"), token(1, "AT")] == answers
    assert (Issued(1, 0, None, AT), Issued(1, 1, None, AT)) == server.issued
    assert is_live(server, token(1, "AT"))


def test_would_grant_changes_nothing() -> None:
    """It says what a presentation would come to."""
    server = server_of()

    assert server.would_grant(token(0), AT)
    assert not server.would_grant(token(1), AT)
    assert () == server.presentations
    assert (True,) == server.families


@pytest.mark.parametrize("text", ["", "acme.1.RT_", "acme.RT_1", "acme.1.XT_1", "acme.1.RT_1 "])
def test_a_text_that_is_no_token_has_no_number(text: str) -> None:
    """Only what a server wrote is read."""
    assert numbered(text) is None


def test_a_tokens_text_tells_all() -> None:
    """Whose, which family, which kind, which pair."""
    assert Numbered("a.b", 2, "AT", 17) == numbered("a.b.2.AT_17")
    assert "a.b.2.AT_17" == str(Numbered("a.b", 2, "AT", 17))


# The history.


def test_every_presentation_is_kept() -> None:
    """When, which token, what came of it, and who it was."""
    server = server_of()
    present(server, token(0), 1, who="w1")
    server.unseen(asking(server, token(1)), AT + 2, who="w2")
    present(server, token(0), 3, who="w2")
    present(server, "made up", 4)

    assert (
        Presentation(0, AT + 1, "granted", 1, "w1"),
        Presentation(1, AT + 2, "unseen", 1, "w2"),
        Presentation(0, AT + 3, "reused", 1, "w2"),
        Presentation(None, AT + 4, "unknown"),
    ) == server.presentations
    assert (Issued(1, 0, 0, AT), Issued(1, 1, 1, AT + 1, "w1")) == server.issued


def test_every_use_of_an_access_token_is_kept() -> None:
    """With its number, so that a stale one is seen."""
    server = server_of()
    server.serves(calling(token(0, "AT")), AT + 1, who="w1")
    server.serves(calling(token(0, "AT")), AT + LIFETIME, who="w2")

    assert (Served(0, AT + 1, True, 1, "w1"), Served(0, AT + LIFETIME, False, 1, "w2")) == server.served


# Odd answers.


@pytest.mark.parametrize("name", ANSWERS)
def test_every_odd_answer_is_given_once(name: str) -> None:
    """In its turn, and the next answer is an ordinary one again."""
    server = server_of()
    server.plan(name)

    present(server, token(0))
    present(server, token(len(server.issued) - 1))

    assert [name, ""] == [presentation.answer for presentation in server.presentations]


@pytest.mark.parametrize(
    ("name", "spends"),
    [(name, odd.acts == "rotates") for name, odd in ANSWERS.items() if odd.acts in {"rotates", "nothing", "keeps"}],
)
def test_what_an_odd_answer_spends(name: str, spends: bool) -> None:
    """Where it rotated, the token that was presented is spent, whatever the answer says; else it is good."""
    server = server_of()
    server.plan(name)
    present(server, token(0))

    assert ("reused" if spends else "granted") == present(server, token(0))


@pytest.mark.parametrize("name", [name for name, odd in ANSWERS.items() if odd.acts == "revokes"])
def test_an_odd_answer_may_end_the_family(name: str) -> None:
    """What says that a token is bad comes from a provider that has ended it."""
    server = server_of()
    server.plan(name)

    assert "dead" == present(server, token(0))
    assert (False,) == server.families


GRANTED: dict[str, tuple[str | None, float | None]] = {
    "the clock is ahead": (token(1), LIFETIME),
    "the clock is behind": (token(1), LIFETIME),
    "no refresh token": (None, LIFETIME),
    "empty refresh token": (None, LIFETIME),
    "null refresh token": (None, LIFETIME),
    "same refresh token": (token(0), LIFETIME),
    "lifetime in quotes": (token(1), LIFETIME),
    "lifetime as a float": (token(1), LIFETIME),
    "lifetime as a float in quotes": (token(1), LIFETIME),
    "lifetime 0": (token(1), None),
    "lifetime below 0": (token(1), None),
    "lifetime true": (token(1), None),
    "lifetime a word": (token(1), None),
    "lifetime of ages": (token(1), None),
    "lifetime NaN": (token(1), None),
    "lifetime NaN in quotes": (token(1), None),
    "no lifetime": (token(1), None),
    "lifetime below the margin": (token(1), 20),
}
REFUSED: dict[str, tuple[str, int, str]] = {
    "error in a success": ("revoked", 200, "invalid_grant"),
    "not ok in a success": ("transient", 200, ""),
    "page of HTML": ("transient", 200, ""),
    "empty body": ("transient", 200, ""),
    "body cut off": ("transient", 200, ""),
    "a list": ("transient", 200, ""),
    "no content": ("transient", 204, ""),
    "refresh token alone": ("transient", 200, ""),
    "revoked": ("revoked", 400, "invalid_grant"),
    "invalid_client": ("misconfigured", 401, "invalid_client"),
    "invalid_client with a 400": ("misconfigured", 400, "invalid_client"),
    "unauthorized_client": ("misconfigured", 400, "unauthorized_client"),
    "misconfigured": ("misconfigured", 400, "invalid_client"),
    "401 and no word": ("misconfigured", 401, ""),
    "vendor code": ("refused", 400, "BAD_REFRESH_TOKEN"),
    "vendor code elsewhere": ("refused", 400, ""),
    "vendor code in a success": ("refused", 200, "bad_refresh_token"),
    "already revoked": ("refused", 400, "invalid_request"),
    "unknown code": ("refused", 400, "E1000"),
    "429, seconds": ("transient", 429, ""),
    "429, date": ("transient", 429, ""),
    "429": ("transient", 429, ""),
    "500": ("transient", 500, ""),
    "502 with a page": ("transient", 502, ""),
    "503, seconds": ("transient", 503, ""),
    "504 after it granted": ("transient", 504, ""),
    "transient": ("transient", 503, "temporarily_unavailable"),
    "302": ("refused", 302, ""),
    "307": ("refused", 307, ""),
    "308": ("refused", 308, ""),
}


def test_every_odd_answer_has_its_reading() -> None:
    """The two tables above are whole."""
    assert set(ANSWERS) == set(GRANTED) | set(REFUSED)


@pytest.mark.parametrize(("name", "expected"), GRANTED.items())
def test_an_odd_answer_that_grants(name: str, expected: tuple[str | None, float | None]) -> None:
    """The engine has the access token, the refresh token that there is, and the lifetime that can be read."""
    server = server_of()
    server.plan(name)

    found = reading(server, token(0))

    assert isinstance(found, TokenGranted)
    assert token(1, "AT") == found.access_token.reveal()
    left = None if found.expires_at is None else (found.expires_at - NOW).total_seconds()
    assert expected == (found.refresh_token and found.refresh_token.reveal(), left)


@pytest.mark.parametrize(("name", "expected"), REFUSED.items())
def test_an_odd_answer_that_grants_nothing(name: str, expected: tuple[str, int, str]) -> None:
    """The engine sees no success in it."""
    server = server_of()
    server.plan(name)

    found = reading(server, token(0))

    assert isinstance(found, TokenRefused)
    assert expected == (found.kind, found.status, found.code)


def test_a_refresh_token_alone_is_a_successor() -> None:
    """The engine has it in its hand."""
    server = server_of()
    server.plan("refresh token alone")

    found = reading(server, token(0))

    assert token(1) == (found.refresh_token and found.refresh_token.reveal())


@pytest.mark.parametrize(("name", "offset_s"), [("the clock is ahead", 600), ("the clock is behind", -600)])
def test_a_wrong_clock_shows_in_every_time(name: str, offset_s: int) -> None:
    """In the Date and in an absolute end alike, so that the time between them is right."""
    server = server_of(token={"response": {"expires_at": "until", "expires_at_unit": "epoch_s"}})
    server.plan(name)

    response = server.answer(asking(server, token(0)), AT)

    assert int(AT) + offset_s + LIFETIME == json.loads(response.body)["until"]
    assert NOW + timedelta(seconds=offset_s) == sent_at(response, now=NOW)


def test_a_provider_may_live_by_a_wrong_clock() -> None:
    """Always, and not in one answer alone."""
    server = server_of(clock_offset_s=-600)

    response = server.answer(asking(server, token(0)), AT)

    assert NOW - timedelta(seconds=600) == sent_at(response, now=NOW)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("429, seconds", "120"), ("429, date", "Mon, 23 Nov 2026 15:02:07 GMT"), ("429", None), ("503, seconds", "120")],
)
def test_a_throttle_says_how_long(name: str, expected: str | None) -> None:
    """In seconds, as a date, or not at all."""
    server = server_of()
    server.plan(name)

    assert expected == server.answer(asking(server, token(0)), AT).header("retry-after")


def test_a_redirect_leads_where_the_test_says() -> None:
    """To a server of the test's own, which must never be asked."""
    server = server_of(elsewhere="http://127.0.0.1:1/token")
    server.plan("307")

    response = server.answer(asking(server, token(0)), AT)

    assert (307, "http://127.0.0.1:1/token") == (response.status, response.header("location"))


@pytest.mark.parametrize(
    ("name", "word", "code"),
    [
        ("revoked", "revoked_when", "gone"),
        ("misconfigured", "misconfigured_when", "no_such_app"),
        ("transient", "transient_when", "later"),
    ],
)
def test_an_odd_answer_has_the_providers_own_code(name: str, word: str, code: str) -> None:
    """Where the config declares one, the engine reads its meaning from it."""
    server = server_of(token={word: [code]})
    server.plan(name)

    found = reading(server, token(0))

    assert isinstance(found, TokenRefused)
    assert (name, code) == (found.kind, found.code)


def test_an_outage_lasts_until_it_is_over() -> None:
    """Every answer, for as long as the test wants."""
    server = server_of()
    server.plan("500", times=None)

    during = [present(server, token(0), after) for after in range(3)]
    server.ordinary()

    assert ["put off"] * 3 == during
    assert "granted" == present(server, token(0))


def test_what_is_planned_comes_in_order() -> None:
    """So often, then the next."""
    server = server_of()
    server.plan("500", times=2)
    server.plan("429")

    for _ in range(4):
        present(server, token(0))

    assert ["500", "500", "429", ""] == [presentation.answer for presentation in server.presentations]


def test_an_odd_answer_may_act_otherwise() -> None:
    """A page of HTML may come from a proxy before the provider, or from one behind it."""
    server = server_of()
    server.plan("page of HTML", acts="nothing")
    present(server, token(0))

    assert "granted" == present(server, token(0))


def test_an_odd_grant_waits_for_a_grant() -> None:
    """What is refused is refused in the ordinary way, and the odd answer is not used up."""
    server = server_of()
    server.plan("lifetime 0")

    present(server, "made up")
    present(server, token(0))

    assert [("unknown", ""), ("granted", "lifetime 0")] == [(one.outcome, one.answer) for one in server.presentations]


def test_what_is_spent_cannot_be_kept() -> None:
    """An answer without a refresh token waits while a spent one is replayed: it would leave the client with nothing."""
    server = server_of(30)
    present(server, token(0))
    server.plan("no refresh token")
    present(server, token(0))
    present(server, token(2))

    assert ["", "", "no refresh token"] == [presentation.answer for presentation in server.presentations]
    assert [0, 1, 2, 2] == [issued.refresh for issued in server.issued]


# All of it, in any order.


class Provider(RuleBasedStateMachine):
    """Presents what was ever issued, in any order, at any time, in any mode."""

    @initialize(
        rotation=st.sampled_from(["none", "strict", 30]),
        rotates=st.sampled_from([None, 1, 2]),
        idle_s=st.sampled_from([None, 120]),
    )
    def begin(self, rotation: Rotation, rotates: int | None, idle_s: float | None) -> None:
        self.rotation = rotation
        self.server = server_of(rotation, rotates=rotates, idle_s=idle_s)
        self.now = 0.0
        self.asked: list[tuple[int | None, float]] = []
        self.ended: set[int] = set()
        self.spent: set[tuple[int, int]] = set()

    @rule(seconds=st.sampled_from([1, 29, 31, 200]))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @rule()
    def connect(self) -> None:
        self.server.consent(AT + self.now)

    @rule()
    @precondition(lambda self: len(self.server.families) > 1)
    def withdraw(self) -> None:
        self.server.revoke()

    @rule(name=st.sampled_from([*ANSWERS]))
    def plan(self, name: str) -> None:
        self.server.plan(name)

    @rule(data=st.data())
    def present(self, data: st.DataObject) -> None:
        family = data.draw(st.integers(1, len(self.server.families)))
        number = data.draw(st.integers(0, max(issued.number for issued in self.server.issued)))
        text = token(number, family=family)
        expected, before = self.server.would_grant(text, AT + self.now), len(self.server.issued)

        self.server.answer(asking(self.server, text), AT + self.now)
        last, new = self.server.presentations[-1], self.server.issued[before:]
        acted = last.outcome in {"granted", "replayed"}
        is_odd = last.answer != "" and ANSWERS[last.answer].acts in {"nothing", "revokes"}
        assert acted is (expected and not is_odd)
        assert int(acted) == len(new)
        self.spent |= {(family, number) for one in new if one.refresh == one.number}
        known = any((one.family, one.refresh) == (family, number) for one in self.server.issued)
        self.asked.append((number if known else None, AT + self.now))

    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        issued = data.draw(st.sampled_from(self.server.issued))
        assert issued.refresh is not None
        text = token(issued.refresh, family=issued.family)
        self.server.unseen(asking(self.server, text), AT + self.now)
        self.asked.append((issued.refresh, AT + self.now))

    def _good(self) -> set[tuple[int, int]]:
        every = {(one.family, one.refresh) for one in self.server.issued if one.refresh is not None}
        return {(f, n) for f, n in every if self.server.would_grant(token(n, family=f), AT + self.now)}

    @invariant()
    def at_most_one_family_is_alive(self) -> None:
        if hasattr(self, "server"):
            assert sum(self.server.families) <= 1
            assert {family for family, _ in self._good()} <= {len(self.server.families)}

    @invariant()
    def at_most_so_many_refresh_tokens_are_good(self) -> None:
        if hasattr(self, "server") and self.rotation != "none":
            assert len(self._good()) <= (1 if self.rotation == "strict" else 2)

    @invariant()
    def what_has_ended_stays_dead(self) -> None:
        if hasattr(self, "server"):
            ended = {number for number, alive in enumerate(self.server.families, 1) if not alive}
            assert self.ended <= ended
            self.ended = ended
            for one in self.server.issued:
                if one.family in ended:
                    assert not self.server.is_live(token(one.number, "AT", one.family), AT)

    @invariant()
    def what_is_spent_is_never_good_again(self) -> None:
        if hasattr(self, "server") and self.rotation == "strict":
            assert set() == self._good() & self.spent

    @invariant()
    def presentations_are_counted_exactly(self) -> None:
        if hasattr(self, "server"):
            assert self.asked == [(one.number, one.at) for one in self.server.presentations]


TestProvider = Provider.TestCase
TestProvider.settings = settings(max_examples=60, stateful_step_count=25)
