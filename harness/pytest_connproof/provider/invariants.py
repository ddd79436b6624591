"""What a provider and a token store have seen into the rules that were broken, in sentences: "I2: RT_0 was ...".

The rules are those that any history of an account keeps, whatever went wrong in it. They are judged by what the
provider and the store saw, and by nothing that the engine says of itself. Of what two workers did, one at the provider
and one in the store, none was first: a search may play either order for both. So what a worker did at the provider is
held against its own deeds in the store alone, where the provider knows who asked.

    watched = Watched(MemoryTokens(clock), {"shop/acme": server})   # give it to the engine as its store
    broken(server, watched.history("shop/acme"), rotation)          # [] where all is well
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

from connproof.model import Secret, TokenRow
from connproof.tokens import Held, Timing
from pytest_connproof.provider.authorization import AuthorizationServer, Numbered, Presentation, Rotation, numbered
from pytest_connproof.provider.watched import Deed, Watched

__all__ = ["MARKS", "Asking", "Deed", "Watched", "broken", "marks"]

_TERMINAL: Final = frozenset({"reused", "dead", "expired", "superseded", "unknown"})
_SETTLED: Final = frozenset({"needs_reauth", "blocked_config"})
_HOUR: Final = 3600.0

MARKS: Final = (
    "stored by a late holder",
    "candidate kept",
    "candidate promoted",
    "ambiguous, then ok",
    "ambiguous, then needs_reauth",
)
"""What `marks` can find. A campaign that never came by one of them has not shown that it goes well there."""


@dataclass(frozen=True, slots=True)
class Asking:
    """One caller's wait for a token. `lived`: the token that it could have gone on with lived all the while."""

    who: str
    began: float
    ended: float
    result: object
    lived: bool = False


@dataclass(frozen=True, slots=True)
class _History:
    """Everything that the rules look at."""

    server: AuthorizationServer
    deeds: Sequence[Deed]
    rotation: Rotation | None
    timing: Timing
    lost: int
    quiet: bool
    askings: Sequence[Asking]

    @property
    def changes(self) -> Iterator[Deed]:
        return (deed for deed in self.deeds if deed.word != "read")


def broken(
    server: AuthorizationServer,
    history: Sequence[Deed],
    rotation: Rotation | None,
    *,
    timing: Timing | None = None,
    lost: int = 0,
    quiet: bool = False,
    askings: Sequence[Asking] = (),
) -> list[str]:
    """What is broken, each sentence beginning with the invariant's id: "I3: ...".

    `rotation` is what the connector declares, None for nothing. `lost` is how many answers of the provider never
    reached a worker that lived on: so many pairs may be missing without anybody's fault. `quiet` says that everything
    has come to its end, and that somebody has asked for a token since the last one ended. `askings` are what callers
    waited for, for I10.
    """
    whole = _History(server, history, rotation, timing or Timing(), lost, quiet, askings)
    return [f"{name}: {sentence}" for name, rule in _RULES.items() for sentence in dict.fromkeys(rule(whole))]


def marks(history: Sequence[Deed]) -> set[str]:
    """Which of MARKS the history came by."""
    found = set()
    for deed in history:
        before, after, seen = deed.before, deed.after, deed.seen
        if before is None or after is None:
            continue
        is_stored = deed.word == "keep" and deed.result == "stored"
        if is_stored and (before.lease_until < deed.at or (seen and before.lease_epoch != seen.lease_epoch)):
            found.add("stored by a late holder")
        if len(after.candidates) > len(before.candidates):
            found.add("candidate kept")
        if deed.word == "promote" and deed.result is not None:
            found.add("candidate promoted")
        was_unknown = before.state == "ambiguous" or before.intent_count > 1
        if was_unknown and before.state != after.state and after.state in {"ok", "needs_reauth"}:
            found.add(f"ambiguous, then {after.state}")
    return found


# The rules, by their numbers. Each says what is broken.


def _one_exchange_a_lease(whole: _History) -> Iterator[str]:
    holder, ends = 0, -math.inf
    for deed in whole.changes:
        seen, after = deed.seen, deed.after
        if deed.word in {"connect", "remove"}:
            ends = -math.inf
        elif deed.claims and after is not None:
            # What lies further ahead than a lease is long was written before a clock was set back.
            is_stale = deed.over_stale and ends - deed.at > whole.timing.lease_s
            if deed.at <= ends and not is_stale:
                yield (
                    f"{after.lease_owner} claimed epoch {after.lease_epoch} while epoch {holder} had its lease for "
                    f"{ends - deed.at:g} s more"
                )
            holder, ends = after.lease_epoch, after.lease_until
        elif seen is not None and seen.lease_epoch == holder and deed.result is True:
            if deed.word == "beat" and after is not None:
                ends = after.lease_until
            elif deed.word in {"release", "back_off", "undo"}:
                ends = -math.inf
    claims = [deed for deed in whole.deeds if deed.claims]
    for place in _unclaimed(whole, range(len(whole.server.presentations)), claims):
        number = whole.server.presentations[place].number
        yield f"RT_{number} was presented as number {place + 1} without a claim of its own"


def _none_after_its_successor(whole: _History) -> Iterator[str]:
    # A request that was under way when its lease ended may arrive late: what counts is when it was claimed.
    for token in dict.fromkeys(one for _, one in _places(whole)):
        claims = [place for place, deed in enumerate(whole.deeds) if deed.claims and _refresh(deed.after) == token]
        for place in claims:
            if any(_succeeds(earlier, token) for earlier in whole.deeds[:place]):
                yield f"{_named(token)} was claimed although a successor of it was stored"
        presented = [place for place, one in _places(whole) if one == token]
        for place in _unclaimed(whole, presented, [whole.deeds[claim] for claim in claims]):
            if any(_succeeds(deed, token) for deed in whole.deeds if deed.presented <= place):
                yield f"{_named(token)} was presented although a successor of it was stored, and nobody had claimed it"


def _again_by_declaration_alone(whole: _History) -> Iterator[str]:
    first: dict[tuple[str, int], list[Deed]] = {}
    for deed in whole.changes:
        if deed.word == "undo" and deed.result is True and deed.before is not None:
            open_ones = first.get((deed.before.grant_id, deed.before.generation), [])
            if open_ones:
                open_ones.pop()
        if not deed.claims or deed.before is None or deed.before.refresh is None:
            continue
        earlier = first.setdefault((deed.before.grant_id, deed.before.generation), [])
        if earlier and not _may_again(whole, deed, deed.at - earlier[0].at):
            spelt = whole.rotation if isinstance(whole.rotation, str) else f"grace of {whole.rotation} s"
            yield (
                f"{_named(_refresh(deed.before))} was claimed again {deed.at - earlier[0].at:g} s after the first "
                f"time, while its access token lived ({'strict' if whole.rotation is None else spelt})"
            )
        earlier.append(deed)


def _may_again(whole: _History, deed: Deed, since: float) -> bool:
    row = deed.before
    if whole.rotation == "none" or row is None:
        return True
    if isinstance(whole.rotation, int) and whole.timing.is_long(whole.rotation) and since < whole.rotation:
        return True
    access = _numbered(row.access)
    if access is None or (row.expires_at is not None and row.expires_at <= deed.at):
        return True
    return any(
        not one.alive and (one.family, one.number) == (access.family, access.number) and one.who in {"", deed.owner}
        for one in whole.server.served[: deed.served]
    )


def _nothing_discarded(whole: _History) -> Iterator[str]:
    for deed in whole.deeds:
        if deed.pair is None or deed.pair.refresh is None or deed.after is None:
            continue
        # That of a consent which was replaced is of another family.
        given, best = _token(deed.pair.refresh), _best(deed.after)
        if given is not None and best is not None and given[0] == best[0] and given[1] > best[1]:
            yield f"{_named(given)} was received, and is neither current nor a candidate (newest kept: {_named(best)})"
    last = next((deed.after for deed in reversed(whole.deeds) if deed.after is not None), None)
    for deed, following in pairwise([deed for deed in whole.changes if deed.after is not None]):
        if following.word in {"connect", "remove"}:
            continue
        had, has = _best(deed.after), _best(following.after)
        if following.word == "promote" and following.result is not None:
            continue  # what it takes the place of was refused
        if had is not None and (has is None or (has[0] == had[0] and has[1] < had[1])):
            yield f"{_named(had)} was kept, and {following.word} put {_named(has)} in its place"
    if not whole.quiet or last is None:
        return
    best = _best(last)
    missing = [
        one.number
        for one in whole.server.issued
        if one.refresh == one.number and best is not None and one.family == best[0] and one.number > best[1]
    ]
    if len(missing) > whole.lost:
        spelt = ", ".join(f"RT_{number}" for number in missing)
        yield f"{spelt} was issued, {whole.lost} answers were lost, and no pair as new as that is kept"


def _pairs_whole(whole: _History) -> Iterator[str]:
    together = {(one.family, one.number): one.refresh for one in whole.server.issued}
    of: dict[tuple[str, int], tuple[object, ...]] = {}
    for deed in whole.deeds:
        for row in (deed.before, deed.after):
            access, refresh = _numbered(row.access if row else None), _refresh(row)
            if row is None or access is None:
                continue
            if refresh is not None and (access.family, together.get((access.family, access.number))) != refresh:
                yield f"AT_{access.number} and {_named(refresh)} were kept together, and did not come together"
            pair = (access, refresh, row.expires_at)
            if of.setdefault((row.grant_id, row.generation), pair) != pair:
                yield f"generation {row.generation} has had two pairs"


def _generations_grow(whole: _History) -> Iterator[str]:
    for deed in whole.changes:
        before, after = deed.before, deed.after
        if before is None or after is None:
            continue
        differs = (before.access, before.refresh) != (after.access, after.refresh)
        if after.generation < before.generation or (differs and after.generation == before.generation):
            yield f"{deed.word} put generation {after.generation} after generation {before.generation}"
        revived = before.state == "needs_reauth" and after.state != "needs_reauth"
        if revived and deed.word not in {"connect", "keep", "promote", "remove"}:
            yield f"{deed.word} made an account {after.state} that needs a new consent"


def _never_neither(whole: _History) -> Iterator[str]:
    last = whole.deeds[-1].after if whole.deeds else None
    if not whole.quiet or last is None:
        return
    if last.state in _SETTLED:
        if not last.reason:
            yield f"the account is {last.state}, and nothing says why"
        return
    at = whole.deeds[-1].at
    lives = last.access is not None and whole.server.is_live(last.access.reveal(), at)
    if lives and (last.expires_at is None or last.expires_at > at):
        return
    if last.refresh is not None and whole.server.would_grant(last.refresh.reveal(), at):
        return
    yield f"the account is said to be {last.state}, and neither of its tokens is good for anything"


def _lost_by_an_answer_alone(whole: _History) -> Iterator[str]:
    for deed in whole.changes:
        if deed.before is None or deed.after is None:
            continue
        if deed.before.state == "needs_reauth" or deed.after.state != "needs_reauth":
            continue
        refresh = _refresh(deed.before)
        terminal = any(
            (one.family, one.number) == refresh and one.outcome in _TERMINAL and _is_of(one, deed.seen)
            for one in whole.server.presentations[: deed.presented]
        )
        if refresh is not None and not terminal:
            yield f"needs_reauth was written although {_named(refresh)} had no terminal answer"
        if deed.before.candidates:
            yield "needs_reauth was written while a candidate waited"


def _nobody_waits_long(whole: _History) -> Iterator[str]:
    most = whole.timing.caller_s
    for one in whole.askings:
        waited = one.ended - one.began
        if waited > most:
            yield f"{one.who} waited {waited:g} s, and may wait {most:g} s"
        if one.lived and (waited > 0 or not isinstance(one.result, Held)):
            yield f"{one.who} had a token that lived, waited {waited:g} s and got {type(one.result).__name__}"


def _no_storm(whole: _History) -> Iterator[str]:
    times = [one.at for one in whole.server.presentations]
    lifetimes = [one.pair.lifetime_s for one in whole.deeds if one.pair is not None]
    lifetime = min((seconds for seconds in lifetimes if seconds), default=_HOUR)
    most = math.ceil(_HOUR / (lifetime - min(whole.timing.margin_s, lifetime / 5))) + _failures_in_an_hour(whole.timing)
    for place, first in enumerate(times):
        count = sum(1 for at in times[place:] if at - first < _HOUR)
        if count > most:
            yield f"{count} requests for tokens within an hour, where {most} are enough"
            return


def _failures_in_an_hour(timing: Timing) -> int:
    """How many requests the back-off lets through, at half of its jitter, if every one fails; twice over."""
    passed, count = 0.0, 0
    while passed < _HOUR:
        passed += timing.back_off(count, None, 0.5)
        count += 1
    return 2 * count


_RULES: Final = {
    "I1": _one_exchange_a_lease,
    "I2": _none_after_its_successor,
    "I3": _again_by_declaration_alone,
    "I4": _nothing_discarded,
    "I5": _pairs_whole,
    "I6": _generations_grow,
    "I7": _never_neither,
    "I8": _lost_by_an_answer_alone,
    "I10": _nobody_waits_long,
    "I11": _no_storm,
}


# Who did what.


def _unclaimed(whole: _History, places: Iterable[int], claims: Sequence[Deed]) -> Iterator[int]:
    """Which of these presentations are more than the claims that whoever made them had by then."""
    made: Counter[str] = Counter()
    for place in places:
        who = whole.server.presentations[place].who
        made[who] += 1
        if made[who] > sum(1 for deed in claims if deed.presented <= place and who in {"", deed.owner}):
            yield place


def _is_of(one: Presentation, claimed: TokenRow | None) -> bool:
    """Whether a presentation is of whoever has claimed a row, as far as the provider knows who asks."""
    return claimed is None or one.who in {"", claimed.lease_owner}


# Tokens by their family and number.

_Token: TypeAlias = tuple[int, int]


def _numbered(token: Secret | None) -> Numbered | None:
    return None if token is None else numbered(token.reveal())


def _token(token: Secret | None) -> _Token | None:
    known = _numbered(token)
    return None if known is None else (known.family, known.number)


def _refresh(row: TokenRow | None) -> _Token | None:
    return None if row is None else _token(row.refresh)


def _named(token: _Token | None) -> str:
    return "nothing" if token is None else f"RT_{token[1]}"


def _best(row: TokenRow | None) -> _Token | None:
    """The newest refresh token that a row has, current or waiting."""
    if row is None:
        return None
    return max(filter(None, [_refresh(row), *(_token(one.refresh) for one in row.candidates)]), default=None)


def _places(whole: _History) -> list[tuple[int, _Token]]:
    """Each presentation of a token of this provider, by its place among all."""
    return [
        (place, (one.family, one.number))
        for place, one in enumerate(whole.server.presentations)
        if one.family is not None and one.number is not None
    ]


def _succeeds(deed: Deed, token: _Token) -> bool:
    """Whether a successor of a refresh token is current after a deed."""
    kept = _refresh(deed.after)
    return kept is not None and kept[0] == token[0] and kept[1] > token[1]
