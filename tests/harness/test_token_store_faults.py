"""The store fails at every call that a refresh makes of it, one after the other, once or until it is repaired.

As SQLite tests itself: the 1st call fails, then the 2nd, and so on until a whole run comes through. Whatever fails, no
spent token is presented, and afterwards every account can be used or says why not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
from token_stage import ACCOUNT, Process, Stage, StageClock, run, stores

from connproof.errors import ClientMisconfigured, ConnproofError, Reauthorise, RefreshPending, StoreFailed
from connproof.stores import TokenStore
from connproof.tokens import Held, Timing
from pytest_connproof.provider import numbered

Stores = Callable[[StageClock], TokenStore]

EVERY_CALL = tuple(name for name in vars(TokenStore) if not name.startswith("_"))
ENDED, ABOUT_TO_END = -1.0, 60.0  # for so long the access token lives on when the refresh begins
QUIET = Timing().back_off_most_s + 30.0  # whatever has to be waited for is over by then, and a new token lives


class Story(NamedTuple):
    """What the provider answers to the first refresh, if not as usual, what comes of each presentation, and what a
    caller may be told. `reasons`: why the owner must consent again, if that is so. A verdict that was not written
    down is asked for a second time, and by then an answer may have been lost.
    """

    answer: str
    presented: tuple[str, ...]
    told: tuple[type[ConnproofError], ...] = (RefreshPending,)
    reasons: tuple[str, ...] = ()


STORIES = {
    "granted": Story("", ("granted",)),
    "a refresh token alone": Story("refresh token alone", ("granted", "granted")),
    "throttled": Story("429, seconds", ("put off", "granted")),
    "no such client": Story("invalid_client", ("put off", "granted"), (ClientMisconfigured,)),
    "revoked": Story("revoked", ("dead",), (Reauthorise,), ("revoked", "rotation_response_lost")),
}


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    """A new store for every run."""
    with stores(request.param, tmp_path) as make:
        yield make


def test_every_call_of_the_store_is_known() -> None:
    """The names come from the protocol itself; without them nothing would fail."""
    assert {"now", "read", "claim", "keep", "release", "client_block"} < set(EVERY_CALL)


@pytest.mark.parametrize("acts", [False, True], ids=["not done", "done"])
@pytest.mark.parametrize("times", [1, None], ids=["once", "until repaired"])
@pytest.mark.parametrize("left", [ENDED, ABOUT_TO_END], ids=["ended", "about to end"])
@pytest.mark.parametrize(
    ("store", "story"), [("sqlite", "granted"), *(("memory", story) for story in STORIES)], indirect=["store"]
)
def test_F15_F16_F19_a_store_that_fails_at_any_call_loses_nothing(
    store: Stores, story: str, left: float, times: int | None, *, acts: bool
) -> None:
    """Strict, so that nothing may be presented twice. A caller whose token lives is told of no trouble."""
    failed, number = True, 0
    while failed:
        number += 1
        failed = run(partial(failing, store, STORIES[story], left, number, times, acts=acts))
    assert number > 4  # now, read, claim, and what is written after it


async def failing(store: Stores, story: Story, left: float, at: int, times: int | None, *, acts: bool) -> bool:
    """One run, in which the `at`-th call fails; whether it came to that."""
    stage = await Stage(store).connected(1000)
    if story.answer:
        stage.server.plan(story.answer)
    worker = Process(stage, "A")
    before = await worker.access()
    await stage.clock.sleep(1000 - left)
    worker.store.fails(*EVERY_CALL, at=at, times=times, acts=acts)

    if left == ABOUT_TO_END:
        assert before == await worker.access()
    else:
        with suppress(StoreFailed, *story.told):
            assert 2 <= (await worker.access()).generation
    await stage.clock.sleep(30)
    calls, failed = worker.store.calls.count("claim"), worker.store.failed.count("claim")
    assert len(stage.presented) <= calls - failed

    worker.store.recovers()
    await stage.clock.sleep(QUIET)
    await hold_to(stage, story)
    return bool(worker.store.failed)


async def hold_to(stage: Stage, story: Story) -> None:
    """The next worker gets a token that the provider takes, or is told why there is none."""
    other = Process(stage, "B")
    if story.reasons:
        with pytest.raises(Reauthorise) as lost:
            await other.patient()
        assert lost.value.reason in story.reasons
        assert "needs_reauth" == (await stage.row()).state
        assert stage.outcomes in ([*story.presented], [*story.presented] * 2)
        return
    try:
        held = await other.patient()
    except ClientMisconfigured:
        await stage.store.block_client(other.tokens.client(ACCOUNT), "")  # somebody puts the client right
        await stage.clock.sleep(QUIET)
        held = await other.patient()
    assert stage.server.issued[-1].number == number_of(held)
    assert 1 == await other.reads()
    assert [*story.presented] == stage.outcomes


def number_of(held: Held) -> int:
    known = numbered(held.access.reveal())
    assert known is not None
    return known.number
