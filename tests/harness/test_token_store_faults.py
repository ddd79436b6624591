"""The store fails at every call that a refresh makes of it, one after the other, once or until it is repaired.

As SQLite tests itself: the 1st call fails, then the 2nd, and so on until a whole run comes through. Whatever fails, no
spent token is presented, and afterwards every account can be used or says why not.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import NamedTuple

import pytest
from fault_store import EVERY, WRITES
from token_stage import ACCOUNT, ENDED, Process, Stage, Stores, empty_store, numbers, run

from connproof.errors import ClientMisconfigured, ConnproofError, Reauthorise, RefreshPending, StoreFailed
from connproof.tokens import Timing

ABOUT_TO_END = 60.0  # for so long the access token lives on when the refresh begins
QUIET = Timing().back_off_most_s + 30.0  # whatever has to be waited for is over by then, and a new token lives


class Story(NamedTuple):
    """What the provider answers to the first refresh, if not as usual; the calls of the store that this refresh makes
    once it has claimed the account; what comes of each presentation; and what a caller may be told. `reason`: why the
    owner must consent again, if that is so.
    """

    answer: str
    calls: tuple[str, ...]
    presented: tuple[str, ...]
    told: tuple[type[ConnproofError], ...] = (RefreshPending,)
    reason: str = ""


STORIES = {
    "granted": Story("", ("keep", "release"), ("granted",)),
    "a refresh token alone": Story("refresh token alone", ("keep_candidate", "back_off"), ("granted", "granted")),
    "throttled": Story("429, seconds", ("back_off",), ("put off", "granted")),
    "no such client": Story(
        "invalid_client", ("block_client", "back_off"), ("put off", "granted"), (RefreshPending, ClientMisconfigured)
    ),
    "revoked": Story("revoked", ("read", "refuse", "release"), ("dead",), (RefreshPending, Reauthorise), "revoked"),
}


store = empty_store("sqlite", "postgres")


def test_every_call_of_the_store_is_known() -> None:
    """The names come from the protocol itself; without them nothing would fail."""
    assert {"now", "read", "claim", "keep", "release", "client_block"} < set(EVERY)
    assert {"now", "read", "accounts", "client_block"} == set(EVERY) - set(WRITES)


@pytest.mark.parametrize("acts", [False, True], ids=["not done", "done"])
@pytest.mark.parametrize("times", [1, None], ids=["once", "until repaired"])
@pytest.mark.parametrize("left", [ENDED, ABOUT_TO_END], ids=["ended", "about to end"])
@pytest.mark.parametrize(
    ("store", "story"),
    [("sqlite", "granted"), ("postgres", "granted"), *(("memory", story) for story in STORIES)],
    indirect=["store"],
)
def test_F15_F16_F19_a_store_that_fails_at_any_call_loses_nothing(
    store: Stores, story: str, left: float, times: int | None, *, acts: bool
) -> None:
    """Strict, so that nothing may be presented twice. A caller whose token lives is told of no trouble."""
    failed: list[str] = []
    while came := run(partial(failing, store, STORIES[story], left, len(failed) + 1, times, acts=acts)):
        failed.append(came)
    calls = ["now", "read", "client_block", "claim", *STORIES[story].calls]
    assert calls == (failed if left == ABOUT_TO_END else failed[: len(calls)])  # who has no token looks again


async def failing(store: Stores, story: Story, left: float, at: int, times: int | None, *, acts: bool) -> str:
    """One run, in which the `at`-th call fails; which one that was, "" where it did not come to that."""
    stage = await Stage(store).connected(1000)
    if story.answer:
        stage.server.plan(story.answer)
    worker = Process(stage, "A")
    before = await worker.access()
    await stage.clock.sleep(1000 - left)
    worker.store.fails(*EVERY, at=at, times=times, acts=acts)

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
    first = worker.store.failed[0] if worker.store.failed else ""
    await hold_to(stage, story, claims=1 + (acts and first == "claim"))
    return first


async def hold_to(stage: Stage, story: Story, *, claims: int) -> None:
    """The next worker gets a token that the provider takes, or is told why there is none.

    After two `claims` of one generation nobody knows whether the first was followed by a request.
    """
    other = Process(stage, "B")
    if story.reason:
        lost = await other.refused(Reauthorise)
        row = await stage.row()
        assert (story.reason if claims == 1 else "rotation_response_lost") == lost.reason == row.reason
        assert "needs_reauth" == row.state
        assert [*story.presented] == stage.outcomes
        return
    try:
        held = await other.patient()
    except ClientMisconfigured:
        await stage.store.block_client(other.tokens.client(ACCOUNT), "")  # somebody puts the client right
        await stage.clock.sleep(QUIET)
        held = await other.patient()
    newest, row = stage.server.issued[-1].number, await stage.row()
    assert (held.generation, newest, newest) == numbers(row)
    assert ("ok", ()) == (row.state, row.candidates)
    assert 1 == await other.reads()
    assert [*story.presented] == stage.outcomes
