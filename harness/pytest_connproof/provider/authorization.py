"""A simulated authorization server: who may have which token, decided from the requests that came, in their order.

It grants numbered pairs: AT_n and RT_n came in one answer, so that a torn pair shows. No I/O and no clock: the caller
says what time it is. Every presentation of a refresh token is kept with what came of it, and at any time at most
one family of tokens is alive; a family that ended stays dead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from connproof.auth.token_request import with_tokens
from connproof.model import Account, Connector, Request, Response, Secret, TokenPair
from connproof.places import ABSENT
from pytest_connproof.provider.dialect import Asked, Dialect, Fault, Grant
from pytest_connproof.provider.odd_answers import ANSWERS, ELSEWHERE, Acts, Occasion

__all__ = ["AuthorizationServer", "Issued", "Numbered", "Outcome", "Presentation", "Rotation", "Served", "numbered"]

Rotation: TypeAlias = Literal["none", "strict"] | int
"""What becomes of a refresh token when it is used: it stays; it is spent; or it is spent, and works again for so many
seconds after its first use, as long as its successor was not used."""

Outcome: TypeAlias = Literal[
    "granted",  # as it should be
    "replayed",  # spent, and granted once more, as its grace had not ended
    "superseded",  # never used; a later replay had a newer successor, and that one counts
    "reused",  # spent: the whole family ended with this presentation
    "dead",  # of a family that had ended
    "expired",  # unused for too long
    "unknown",  # no token of this server, or none at all
    "refused",  # the request was wrong; nobody looked at its token
    "put off",  # the provider answered without looking: a throttle, a fault of its own
    "unseen",  # the request was lost before it was acted on
]
_GRANTED: Final = frozenset({"granted", "replayed"})
_NUMBERED: Final = re.compile(r"(?P<prefix>.+)\.(?P<family>[0-9]+)\.(?P<kind>AT|RT)_(?P<number>[0-9]+)")


@dataclass(frozen=True, slots=True)
class Numbered:
    """What a token's text says: whose it is, of which family, access or refresh, and the number of its pair."""

    prefix: str
    family: int
    kind: Literal["AT", "RT"]
    number: int

    def __str__(self) -> str:
        return f"{self.prefix}.{self.family}.{self.kind}_{self.number}"


def numbered(token: str) -> Numbered | None:
    """What a token's text says; None for one that no simulated server wrote."""
    found = _NUMBERED.fullmatch(token)
    if found is None:
        return None
    return Numbered(
        found["prefix"], int(found["family"]), "AT" if found["kind"] == "AT" else "RT", int(found["number"])
    )


@dataclass(frozen=True, slots=True)
class Presentation:
    """One request for a token. `number` is its refresh token's, None where it has none of this server.

    `who` is whoever the face says asked; `answer` is the name of the odd answer that was given, "" for none.
    """

    number: int | None
    at: float
    outcome: Outcome
    family: int | None = None
    who: str = ""
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Issued:
    """One pair. `refresh` is the number of the refresh token that goes with the access token of this `number`.

    It is the same where the pair has one of its own, a smaller one where that stays, None where the grant has none.
    """

    family: int
    number: int
    refresh: int | None
    at: float
    who: str = ""


@dataclass(frozen=True, slots=True)
class Served:
    """One request with an access token: its number (None for no token of this server), and whether it was alive."""

    number: int | None
    at: float
    alive: bool
    family: int | None = None
    who: str = ""


@dataclass(slots=True)
class _Refresh:
    touched: float  # issued, or last used
    first_used: float | None = None


@dataclass(slots=True)
class _Family:
    """One consent of the owner and all tokens that came of it."""

    number: int
    alive: bool = True
    newest: int = -1
    current: int | None = None  # the refresh token that is good
    previous: int | None = None  # whose use led to it
    refresh: dict[int, _Refresh] = field(default_factory=dict)
    access: dict[int, float] = field(default_factory=dict)  # number to when it ends
    grants: int = 0


@dataclass(slots=True)
class _Due:
    name: str
    left: int | None
    acts: Acts


class AuthorizationServer:
    """One account's grants at one provider.

    `lifetime_s` is how long an access token lives; by default what the config says of it, else an hour. `idle_s` is
    how long a refresh token may lie unused, None for ever. `rotates` is how often a new refresh token is given: 1 with
    every grant, 0 never, k with every k-th; by default never with "none" and always else. With `single_access` a new
    access token ends those before it. `clock_offset_s` is by how much the provider's clock is ahead. `prefix` begins
    every token; servers of several accounts need different ones. Raises CallWrong as `Dialect` does.
    """

    def __init__(
        self,
        connector: Connector,
        account: Account,
        *,
        rotation: Rotation,
        lifetime_s: float | None = None,
        idle_s: float | None = None,
        rotates: int | None = None,
        single_access: bool = False,
        clock_offset_s: float = 0.0,
        prefix: str | None = None,
        elsewhere: str = ELSEWHERE,
        alternative: int = 0,
    ) -> None:
        self.connector = connector
        self.dialect = Dialect(connector.auth, account, alternative=alternative)
        endpoint = connector.auth.token
        assert endpoint is not None, "the dialect has refused a config without one"
        self._account = account
        self._rotation = rotation
        told = (lifetime_s, endpoint.lifetime_s, endpoint.assumed_lifetime_s)
        self._lifetime_s: float = next((seconds for seconds in told if seconds is not None), 3600)
        self._idle_s = idle_s
        self._rotates = rotates if rotates is not None else int(rotation != "none")
        self._single_access = single_access
        self._clock_offset_s = clock_offset_s
        self._prefix = prefix if prefix is not None else re.sub(r"[^A-Za-z0-9]+", "-", account.name)
        self._elsewhere = elsewhere
        self._families: list[_Family] = []
        self._due: list[_Due] = []
        self._presentations: list[Presentation] = []
        self._issued: list[Issued] = []
        self._served: list[Served] = []

    # What the owner and the provider's people do.

    def consent(self, now: float) -> TokenPair:
        """The owner connects: a new family with its pair 0. The family before it ends."""
        self.revoke()
        family = self._opened()
        number = self._issue(family, now, "", used=None, rotates=True)
        return TokenPair(
            Secret(self._text(family, "AT", number)),
            Secret(self._text(family, "RT", number)),
            expires_at=now + self._lifetime_s,
            refresh_expires_at=None if self._idle_s is None else now + self._idle_s,
            lifetime_s=self._lifetime_s,
        )

    def revoke(self) -> None:
        """The consent is withdrawn: no token of any family is good any more."""
        for family in self._families:
            family.alive = False

    def end_access(self) -> None:
        """Every access token given so far is dead, before its time; refresh tokens stay."""
        for family in self._families:
            family.access = dict.fromkeys(family.access, float("-inf"))

    def plan(self, name: str, *, times: int | None = 1, acts: Acts | None = None) -> None:
        """Answer oddly, by a name in ANSWERS, once its turn comes; `times` None is from then on for ever.

        `acts` replaces what the provider does first. One that grants waits for a request that is granted.
        """
        self._due.append(_Due(name, times, acts or ANSWERS[name].acts))

    def ordinary(self) -> None:
        """Nothing odd is due any more."""
        self._due.clear()

    # What is asked of it.

    def is_asked(self, request: Request) -> bool:
        """Whether a request is for the token endpoint."""
        return self.dialect.is_asked(request)

    def is_for(self, request: Request) -> bool:
        """Whether a request presents a token of this account's server."""
        token = self.dialect.refresh_in(request) if self.is_asked(request) else self.dialect.token_in(request)
        known = numbered(token or "")
        return known is not None and known.prefix == self._prefix

    def answer(self, request: Request, now: float, *, who: str = "") -> Response:
        """What the token endpoint answers at `now`, in seconds since 1970; by then it has acted.

        What is asked of another path is no presentation.
        """
        at = now + self._clock_offset_s
        asked = self.dialect.read(request, at)
        if not self.is_asked(request):
            assert isinstance(asked, Fault), "the dialect knows its path"
            return self.dialect.faulted(asked, at)
        outcome: Outcome = "refused" if isinstance(asked, Fault) else self._fate(asked, now)
        due = self._take_due(outcome)
        acts = None if due is None else due.acts
        if acts == "nothing":
            outcome = "put off"
        elif acts == "revokes":
            self.revoke()
            outcome = "dead" if outcome in _GRANTED else outcome
        self._present(request, now, outcome, who, "" if due is None else due.name)
        grant = None
        if isinstance(asked, Asked) and outcome in _GRANTED:
            grant = self._granted(asked, now, who, keeps=acts == "keeps")
        if due is not None:
            presented = self.dialect.refresh_in(request) or ""
            return ANSWERS[due.name].write(Occasion(self.dialect, grant, at, presented, self._elsewhere))
        if grant is not None:
            return self.dialect.granted(grant, at)
        if isinstance(asked, Fault):
            return self.dialect.faulted(asked, at)
        return self.dialect.refused(self.dialect.code_of("revoked"), at)

    def unseen(self, request: Request, now: float, *, who: str = "") -> None:
        """A request for a token was sent, and lost before it was acted on."""
        self._present(request, now, "unseen", who)

    def serves(self, request: Request, now: float, *, who: str = "") -> bool:
        """Whether the access token in the config's slot is alive at `now`."""
        access = self.dialect.token_in(request) or ""
        family, number = self._family_with(access, "AT")
        alive = self.is_live(access, now)
        self._served.append(Served(number, now, alive, family.number if family else None, who))
        return alive

    def would_grant(self, refresh: str, now: float) -> bool:
        """Whether this refresh token would be granted at `now`; nothing happens."""
        return self._fate(Asked(refresh), now) in _GRANTED

    def is_live(self, access: str, now: float) -> bool:
        """Whether this access token is alive at `now`; nothing happens."""
        family, number = self._family_with(access, "AT")
        if family is None or number is None:
            return False
        return family.alive and now < family.access.get(number, float("-inf"))

    # What came of it.

    @property
    def presentations(self) -> tuple[Presentation, ...]:
        """Every request for a token, in order."""
        return tuple(self._presentations)

    @property
    def issued(self) -> tuple[Issued, ...]:
        """Every pair, in order."""
        return tuple(self._issued)

    @property
    def served(self) -> tuple[Served, ...]:
        """Every request with an access token, in order."""
        return tuple(self._served)

    @property
    def families(self) -> tuple[bool, ...]:
        """Of each family from the first, whether it is alive."""
        return tuple(family.alive for family in self._families)

    @property
    def account(self) -> Account:
        """The account with its newest tokens where its credentials have them, dead or alive."""
        if not self._families:
            return self._account
        family = self._families[-1]
        access = Secret(self._text(family, "AT", family.newest))
        refresh = None if family.current is None else Secret(self._text(family, "RT", family.current))
        return with_tokens(self.connector.auth, self._account, access=access, refresh=refresh)

    # How it decides.

    def _fate(self, asked: Asked, now: float) -> Outcome:
        """What presenting a token comes to. A grant that presents none is the client's own."""
        if asked.refresh is None:
            return "granted"
        family, number = self._family_with(asked.refresh, "RT")
        if family is None or number is None:
            return "unknown"
        if not family.alive:
            return "dead"
        token = family.refresh[number]
        if self._rotation != "none" and number != family.current:
            if token.first_used is None:
                return "superseded"
            is_graced = self._rotation != "strict" and number == family.previous
            if not is_graced or now - token.first_used > int(self._rotation):
                return "reused"
            return "replayed"
        if self._idle_s is not None and now - token.touched > self._idle_s:
            return "expired"
        return "granted"

    def _take_due(self, outcome: Outcome) -> _Due | None:
        """The odd answer whose turn it is; one that grants waits for a request that is granted."""
        if not self._due:
            return None
        due = self._due[0]
        # What is spent already cannot stay.
        waits = {"rotates": outcome not in _GRANTED, "keeps": outcome != "granted"}
        if waits.get(due.acts, False):
            return None
        if due.left is not None:
            due.left -= 1
            if due.left == 0:
                del self._due[0]
        return due

    def _present(self, request: Request, now: float, outcome: Outcome, who: str, answer: str = "") -> None:
        family, number = self._family_with(self.dialect.refresh_in(request), "RT")
        if family is not None and outcome == "reused":
            family.alive = False
        of = None if family is None else family.number
        self._presentations.append(Presentation(number, now, outcome, of, who, answer))

    def _granted(self, asked: Asked, now: float, who: str, *, keeps: bool) -> Grant:
        if asked.refresh is None:
            family = self._families[-1] if self.families[-1:] == (True,) else self._opened()
            number, rotates = self._issue(family, now, who, used=None, rotates=False), False
        else:
            found, used = self._family_with(asked.refresh, "RT")
            assert found is not None, "only a token that is known is granted"
            assert used is not None, "only a token that is known is granted"
            family = found
            is_turn = self._rotates > 0 and (family.grants + 1) % self._rotates == 0
            is_spent = self._rotation != "none" and used != family.current
            rotates = not keeps and (is_turn or is_spent)
            number = self._issue(family, now, who, used=used, rotates=rotates)
        return Grant(
            self._text(family, "AT", number),
            self._text(family, "RT", number) if rotates else ABSENT,
            self._lifetime_s,
            self._idle_s if rotates else None,
        )

    def _issue(self, family: _Family, now: float, who: str, *, used: int | None, rotates: bool) -> int:
        """A new pair of the family, by the use of a refresh token; its number."""
        family.newest += 1
        number = family.newest
        if self._single_access:
            family.access.clear()
        family.access[number] = now + self._lifetime_s
        if used is not None:
            family.grants += 1
            family.refresh[used].touched = now
        if rotates:
            family.refresh[number] = _Refresh(now)
            family.current, family.previous = number, used
            if used is not None and family.refresh[used].first_used is None:
                family.refresh[used].first_used = now
        refresh = number if rotates else used
        self._issued.append(Issued(family.number, number, refresh, now, who))
        return number

    def _opened(self) -> _Family:
        self._families.append(_Family(len(self._families) + 1))
        return self._families[-1]

    def _text(self, family: _Family, kind: Literal["AT", "RT"], number: int) -> str:
        return str(Numbered(self._prefix, family.number, kind, number))

    def _family_with(self, token: str | None, kind: Literal["AT", "RT"]) -> tuple[_Family | None, int | None]:
        """The family that a token was given in, and its number; None for one that was never given."""
        known = numbered(token or "")
        if known is None or (known.prefix, known.kind) != (self._prefix, kind):
            return None, None
        if not 1 <= known.family <= len(self._families):
            return None, None
        family = self._families[known.family - 1]
        given = family.refresh if kind == "RT" else range(family.newest + 1)
        return (family, known.number) if known.number in given else (None, None)
