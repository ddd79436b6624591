"""One refresh and all that can go wrong with it: what is kept, what is presented again, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any

import pytest

from connproof.errors import Reauthorise, RefreshPending, StoreFailed
from connproof.events import Event, RequestSent, ResponseReceived, TokenRefreshed
from connproof.model import Response, Secret, TokenPair
from connproof.places import JsonValue
from connproof.tokens import Guards, Held, Tokens
from scripted import answer
from token_world import ACCOUNT, GRACE, KEY, Endpoint, Play, World, late, lost, no_answer, refusal
from virtual_time import run

HTML = Response(200, (("content-type", "text/html"),), b"<html>Sign in</html>")


class Crashed(BaseException):
    """A worker that dies at a step."""


def crashing(at: str) -> Callable[[str], Awaitable[None]]:
    """Die at this step."""

    async def watch(step: str) -> None:
        if step == at:
            raise Crashed

    return watch


async def dies(world: World, at: str) -> None:
    """A worker sets out to refresh, and dies at this step; its heart stops with it."""
    with pytest.raises(Crashed):
        await world.worker("dying", steps=crashing(at)).access(ACCOUNT)


async def refreshed(tokens: Tokens, *, patience: int = 100) -> Held:
    """The token after as many tries as it takes."""
    for _ in range(patience):
        try:
            return await tokens.access(ACCOUNT)
        except RefreshPending as pending:
            await asyncio.sleep(pending.seconds or 1)
    raise AssertionError("it never came")


@pytest.mark.parametrize(
    ("at", "sent"), [("claim", 1), ("claimed", 1), ("send", 1), ("sent", 2), ("parsed", 2), ("keep", 2)]
)
@pytest.mark.parametrize("rotation", ["none", GRACE])
def test_F06_a_crash_at_any_step_is_recovered_where_a_replay_is_allowed(
    rotation: JsonValue, at: str, sent: int
) -> None:
    """F04 to F06: the next holder comes after the lease, and presents the token again."""

    async def main() -> None:
        world = World(rotation)
        await world.connect(0)
        await dies(world, at)

        assert 2 == (await refreshed(world.worker())).generation
        assert sent == len(world.endpoint.presented)
        assert world.clock.monotonic() < 12

    run(main)


@pytest.mark.parametrize("at", ["kept", "release", "released"])
def test_F08_a_pair_that_was_kept_is_served_whoever_died_since(at: str) -> None:
    """Nobody waits for the dead worker's lease."""

    async def main() -> None:
        world = World("strict")
        await world.connect(0)
        await dies(world, at)

        assert Held(2, Secret("AT1")) == await world.worker().access(ACCOUNT)
        assert (["RT0"], 0) == (world.endpoint.tokens, world.clock.monotonic())

    run(main)


def test_F06_a_strict_rotation_that_was_lost_is_said_aloud() -> None:
    """The provider's only copy of the pair died with the worker: one replay, and then the reason."""

    async def main() -> None:
        world = World("strict")
        await world.connect(0)
        await dies(world, "parsed")

        with pytest.raises(Reauthorise) as lost_for_good:
            await refreshed(world.worker())
        assert "rotation_response_lost" == lost_for_good.value.reason
        assert ["RT0", "RT0"] == world.endpoint.tokens

    run(main)


def test_F05_a_strict_token_is_presented_again_at_the_end_of_the_access_token() -> None:
    """Not before: until then a replay could kill what lives. The provider never acted, so all is well."""

    async def main() -> None:
        world = World("strict", no_answer())
        await world.connect(100)
        tokens = world.worker()
        for _ in range(99):
            assert Held(1, Secret("AT0")) == await tokens.access(ACCOUNT)
            await asyncio.sleep(1)
        assert (["RT0"], "ambiguous") == (world.endpoint.tokens, (await world.row()).state)

        await asyncio.sleep(1)
        assert Held(2, Secret("AT1")) == await tokens.access(ACCOUNT)
        assert ([0, 100], "ok") == (world.endpoint.times, (await world.row()).state)

    run(main)


def test_removing_the_intent_replays_a_strict_token_too_early() -> None:
    """I19: with that guard gone, the family is revoked while its access token lives."""

    async def main() -> None:
        world = World("strict", lost)
        await world.connect(100)
        tokens = world.worker(guards=Guards(intent=False))
        for _ in range(30):
            await tokens.access(ACCOUNT)
            await asyncio.sleep(1)

        assert ["RT0", "RT0"] == world.endpoint.tokens
        assert world.endpoint.is_revoked

    run(main)


@pytest.mark.parametrize(
    "play",
    [no_answer(), refusal("server_error", 500), Response(502), HTML, Response(204), answer([]), late(200)],
    ids=["reset", "500", "502", "html", "204", "array", "hang"],
)
def test_F09_an_unknown_outcome_is_kept_as_such(play: Play) -> None:
    """F09, F31, F38: one presentation, the intent stays, and the old token is served."""

    async def main() -> None:
        world = World("strict", play)
        await world.connect(150)
        tokens = world.worker()
        await tokens.access(ACCOUNT)
        await tokens.drained()

        row = await world.row()
        assert ("ambiguous", True, 1, 1) == (row.state, row.has_open_intent, row.intent_count, row.fail_count)
        assert (["RT0"], 0) == (world.endpoint.tokens, row.lease_until)
        assert Held(1, Secret("AT0")) == await tokens.access(ACCOUNT)

    run(main)


def test_F41_nothing_was_sent_and_so_nothing_is_unknown() -> None:
    """The intent is taken back, and the next try follows the back-off, not the rotation."""

    async def main() -> None:
        world = World("strict", no_answer(sent=False), no_answer(sent=False))
        await world.connect(100)
        tokens = world.worker()
        await tokens.access(ACCOUNT)
        await tokens.drained()
        row = await world.row()
        assert ("ok", False, "unreachable", 1) == (row.state, row.has_open_intent, row.reason, row.fail_count)

        for _ in range(4):
            await tokens.access(ACCOUNT)
            await tokens.drained()
            await asyncio.sleep(1)
        assert [0, 1, 3] == world.endpoint.times
        assert Held(2, Secret("AT1")) == await tokens.access(ACCOUNT)

    run(main)


def test_N2_taking_back_an_attempt_leaves_an_older_intent() -> None:
    """What somebody else may have sent stays unknown."""

    async def main() -> None:
        world = World("strict", no_answer(), no_answer(sent=False))
        await world.connect(10)
        tokens = world.worker()
        await tokens.access(ACCOUNT)
        await asyncio.sleep(10)
        world.endpoint.current = 1
        with pytest.raises(Reauthorise) as lost_for_good:
            await refreshed(tokens)

        assert "rotation_response_lost" == lost_for_good.value.reason
        assert 3 == len(world.endpoint.presented)

    run(main)


@pytest.mark.parametrize(
    ("said", "seconds"), [(("retry-after", "40"), 40), (("retry-after", "Thu, 14 May 2026 12:00:50 GMT"), 50)]
)
def test_F37_a_throttle_of_the_token_endpoint_is_waited_for_by_all(said: tuple[str, str], seconds: int) -> None:
    """The old token is served; another worker waits too; once it has ended, callers are told how long."""

    async def main() -> None:
        world = World("none", Response(429, (said,)))
        await world.connect(20)
        first, second = world.worker("A"), world.worker("B")
        await first.access(ACCOUNT)
        await first.drained()
        for _ in range(20):
            assert 1 == (await second.access(ACCOUNT)).generation
            await asyncio.sleep(1)

        with pytest.raises(RefreshPending) as pending:
            await second.access(ACCOUNT)
        assert seconds - 20 == pending.value.seconds
        await asyncio.sleep(seconds - 20)
        assert 2 == (await second.access(ACCOUNT)).generation
        assert [0, seconds] == world.endpoint.times

    run(main)


def test_F38_ten_failures_back_off_and_a_success_resets() -> None:
    """Each wait is within its bound, and the next trouble starts anew."""

    async def main() -> None:
        world = World("none", *[Response(503)] * 10)
        await world.connect(0)

        assert 2 == (await refreshed(world.worker(jitter=lambda: 1.0))).generation
        times = world.endpoint.times
        waits = [later - earlier for earlier, later in pairwise(times)]
        bounds = [min(2.0 * 2**failures, 900) for failures in range(10)]
        assert all(bound <= wait <= bound + 16 for bound, wait in zip(bounds, waits, strict=True)), waits
        row = await world.row()
        assert ("ok", 0, False) == (row.state, row.fail_count, row.has_open_intent)

    run(main)


@pytest.mark.parametrize("rotation", ["none", GRACE, "strict"])
def test_F39_a_week_of_trouble_revokes_nothing(rotation: JsonValue) -> None:
    """Only the provider's word is terminal; every 15 minutes somebody asks again (N5)."""

    async def main() -> None:
        week = 7 * 86_400
        world = World(rotation)
        down: list[Play | None] = [no_answer()] * 5000
        world.endpoint.plays = down
        await world.connect(0)
        tokens = world.worker(jitter=lambda: 0.9)
        while world.clock.monotonic() < week:
            with pytest.raises(RefreshPending) as pending:
                await tokens.access(ACCOUNT)
            await asyncio.sleep(pending.value.seconds or 1)
        tries = len(world.endpoint.presented)
        assert week / 900 * 0.9 < tries < week / 700
        assert "ambiguous" == (await world.row()).state

        world.endpoint.plays = []
        assert 2 == (await refreshed(tokens)).generation
        assert "ok" == (await world.row()).state

    run(main)


def test_F36_what_nobody_understands_is_tried_and_then_shown() -> None:
    """N13: never silently terminal; after five tries the reason says that somebody must look."""

    async def main() -> None:
        world = World("none", *[refusal("weird")] * 5)
        await world.connect(0)
        tokens = world.worker()
        with pytest.raises(RefreshPending, match="needs_attention"):
            await tokens.access(ACCOUNT)

        assert ("needs_attention", "ambiguous") == ((await world.row()).reason, (await world.row()).state)
        assert 5 == len(world.endpoint.presented)

    run(main)


def test_F40_a_redirect_is_not_followed() -> None:
    """One request, to the token URL."""

    async def main() -> None:
        events: list[Event] = []
        world = World("strict", Response(307, (("location", "https://elsewhere.example/token"),)))
        await world.connect(100)
        tokens = world.worker(listener=events.append)
        await tokens.access(ACCOUNT)
        await tokens.drained()

        assert ["https://id.example/token"] == [one.request.url for one in events if isinstance(one, RequestSent)]

    run(main)


def test_F34_a_refusal_after_the_generation_moved_is_no_verdict() -> None:
    """Another worker was faster: its pair is used."""

    async def main() -> None:
        async def overtaken(_endpoint: Endpoint, _token: str) -> Response:
            row = await world.row()
            assert "stored" == await world.store.keep(row, TokenPair(Secret("AT9"), Secret("RT9"), None))
            return refusal("invalid_grant")

        world = World("strict", overtaken)
        await world.connect(0)

        assert Held(2, Secret("AT9")) == await world.worker().access(ACCOUNT)
        assert "ok" == (await world.row()).state

    run(main)


@pytest.mark.parametrize("method", ["read", "refuse"])
def test_F33_a_refusal_is_written_until_the_store_takes_it(method: str) -> None:
    """The next worker would spend the token once more, and take the refusal for that of a lost rotation."""

    async def main() -> None:
        world = World("strict")
        await world.connect(0)
        world.endpoint.is_revoked = True
        does = getattr(world.store, method)

        async def failing(*args: Any, **named: Any) -> Any:
            if len(world.endpoint.presented) == 1 and world.steps.count(method) < 4:
                raise StoreFailed("the connection is gone")
            return await does(*args, **named)

        world.swap(**{method: failing})  # a store that fails over
        with pytest.raises(Reauthorise) as told:
            await world.worker().access(ACCOUNT)
        assert (["RT0"], "revoked") == (world.endpoint.tokens, told.value.reason)

    run(main)


def test_F33_a_refusal_promotes_a_candidate() -> None:
    """A late successor was kept: the account goes on with it, and nobody consents again."""

    async def main() -> None:
        world = World(GRACE, refusal("invalid_grant"))
        await world.connect(0)
        row = await world.row()
        assert await world.store.keep_candidate(row, TokenPair(Secret("AT8"), Secret("RT8"), 2e9))

        assert Held(2, Secret("AT8")) == await world.worker().access(ACCOUNT)
        assert "promote" in world.steps

    run(main)


def test_F32_a_refresh_token_without_access_token_is_kept_and_used() -> None:
    """Its predecessor, which is spent, is never presented again."""

    async def main() -> None:
        async def half(endpoint: Endpoint, token: str) -> Response:
            endpoint.act(token)
            return answer({"refresh_token": "RT1"})

        world = World("strict", half)
        await world.connect(100)
        tokens = world.worker()
        assert Held(1, Secret("AT0")) == await tokens.access(ACCOUNT)
        await tokens.drained()
        assert ["RT1"] == [one.refresh.reveal() for one in (await world.row()).candidates]
        await asyncio.sleep(100)

        assert Secret("AT2") == (await refreshed(tokens)).access
        assert ["RT0", "RT1"] == world.endpoint.tokens

    run(main)


@pytest.mark.parametrize("more", [{"refresh_token": None}, {"refresh_token": ""}])
def test_F25_a_kept_refresh_token_serves_the_next_generation(more: dict[str, JsonValue]) -> None:
    """The generation grows all the same."""

    async def main() -> None:
        plain = answer({"access_token": "AT1", "expires_in": 3600, **more})
        world = World("none", plain)
        await world.connect(0)

        assert 2 == (await world.worker().access(ACCOUNT)).generation
        assert Secret("RT0") == (await world.row()).refresh

    run(main)


@pytest.mark.parametrize("said", [0, -5, "abc", 10**18])
def test_F27_a_lifetime_that_says_nothing_is_the_configs(said: JsonValue) -> None:
    """The token is kept first, and whoever listens is told."""

    async def main() -> None:
        events: list[Event] = []
        world = World("strict", assumed_lifetime_s=600)
        world.endpoint.lifetime = said
        await world.connect(0)
        await world.worker(listener=events.append).access(ACCOUNT)

        row = await world.row()
        assert (Secret("RT1"), 600) == (row.refresh, row.lifetime_s)
        assert TokenRefreshed(KEY, 2, ("expires_in is no lifetime",)) == events[-1]

    run(main)


def test_F29_a_short_lifetime_is_no_storm() -> None:
    """20 s each: within ten minutes about as many refreshes as tokens have ended."""

    async def main() -> None:
        world = World("strict")
        world.endpoint.lifetime = 20
        await world.connect(0)
        tokens = world.worker()
        for _ in range(600):
            await tokens.access(ACCOUNT)
            await asyncio.sleep(1)

        assert 600 / 20 <= len(world.endpoint.presented) <= 600 / 16 + 1

    run(main)


@pytest.mark.parametrize("failures", [1, 7])
def test_F16_a_pair_is_written_until_the_store_takes_it(failures: int) -> None:
    """A failover between the provider's answer and the commit loses nothing: a new transaction each time."""

    async def main() -> None:
        world = World("strict")
        await world.connect(0)
        keep, left = world.store.keep, [None] * failures

        async def failing(*args: Any) -> Any:
            if left:
                left.pop()
                raise StoreFailed("the connection is gone")
            return await keep(*args)

        world.swap(keep=failing)  # a store that fails over
        tokens = world.worker()
        assert Held(2, Secret("AT1")) == await refreshed(tokens)
        assert (["RT0"], 2) == (world.endpoint.tokens, (await world.row()).generation)

    run(main)


def test_N1_a_commit_whose_acknowledgement_was_lost_is_ones_own() -> None:
    """The second write finds its own pair: no candidate comes of it."""

    async def main() -> None:
        world = World("strict")
        await world.connect(0)
        keep, asked = world.store.keep, []

        async def unacknowledged(*args: Any) -> Any:
            fate = await keep(*args)
            asked.append(fate)
            if len(asked) == 1:
                raise StoreFailed("the connection is gone")
            return fate

        world.swap(keep=unacknowledged)  # a store whose word is lost
        assert Held(2, Secret("AT1")) == await world.worker().access(ACCOUNT)
        assert (["stored", "own"], ()) == (asked, (await world.row()).candidates)

    run(main)


@pytest.mark.parametrize("left", [100, 0])
def test_F19_a_store_that_takes_no_claim_sends_nothing(left: int) -> None:
    """The claim is the probe: read-only or full, it is found before anything is spent."""

    async def main() -> None:
        async def full(*_args: Any, **_named: Any) -> None:
            raise StoreFailed("no space left")

        world = World("strict")
        await world.connect(left)
        world.swap(claim=full)  # a disk that is full
        tokens = world.worker()
        if left:
            assert Held(1, Secret("AT0")) == await tokens.access(ACCOUNT)
            await tokens.drained()
        else:
            with pytest.raises(StoreFailed, match="no space"):
                await tokens.access(ACCOUNT)
        assert [] == world.endpoint.presented

    run(main)


def test_F12_a_late_holder_is_heard_while_nobody_refreshed() -> None:
    """Its lease has ended and is another's: the pair it brings is the only copy, and is taken."""

    async def main() -> None:
        world = World("strict", late(3))
        await world.connect(0)
        tokens = world.worker("A")
        first = asyncio.create_task(tokens.access(ACCOUNT))
        await asyncio.sleep(1)
        row = await world.row()
        claimed = await world.store.claim(row, owner="B", lease_s=10, over_stale=True)
        assert claimed is not None
        assert Held(2, Secret("AT1")) == await first
        assert "B" == (await world.row()).lease_owner

    run(main)


def test_F13_a_late_successor_becomes_a_candidate() -> None:
    """Another worker has refreshed since: its pair stays, and the late one is not thrown away."""

    async def main() -> None:
        async def overtaken(endpoint: Endpoint, token: str) -> Response:
            acted = endpoint.act(token)
            await world.store.keep(other, TokenPair(Secret("AT9"), Secret("RT9"), 2e9))
            return acted

        world = World(GRACE, overtaken)
        claimed = await world.store.claim(await world.connect(0), owner="B", lease_s=0.001)
        assert claimed is not None
        other = claimed
        await asyncio.sleep(1)

        assert Held(2, Secret("AT9")) == await world.worker().access(ACCOUNT)
        assert ["RT1"] == [one.refresh.reveal() for one in (await world.row()).candidates]

    run(main)


def test_F43_a_consent_during_a_refresh_wins() -> None:
    """The late pair is of another grant: it is dropped, and is no candidate either."""

    async def main() -> None:
        async def meanwhile(endpoint: Endpoint, token: str) -> Response:
            await world.store.connect(KEY, TokenPair(Secret("new"), Secret("RT-new"), 2e9))
            return endpoint.act(token)

        world = World("strict", meanwhile)
        await world.connect(0)

        assert Held(2, Secret("new")) == await world.worker().access(ACCOUNT)
        assert () == (await world.row()).candidates

    run(main)


def test_F44_a_removed_account_does_not_come_back() -> None:
    """Removed while its refresh was on its way."""

    async def main() -> None:
        async def meanwhile(endpoint: Endpoint, token: str) -> Response:
            await world.store.remove(KEY)
            return endpoint.act(token)

        world = World("strict", meanwhile)
        await world.connect(100)
        tokens = world.worker()
        await tokens.access(ACCOUNT)
        await tokens.drained()

        assert await world.store.read(KEY) is None

    run(main)


def test_a_worker_that_was_held_up_before_sending_sends_nothing() -> None:
    """Step 4: by now another may think that it is dead; its intent is taken back."""

    async def main() -> None:
        world = World("strict")
        await world.connect(0)

        async def slow(step: str) -> None:
            if step == "claimed" and world.clock.monotonic() < 5:
                await asyncio.sleep(6)

        assert Held(2, Secret("AT1")) == await world.worker(steps=slow).access(ACCOUNT)
        assert 1 == len(world.endpoint.presented)
        assert world.endpoint.times[0] > 6

    run(main)


@pytest.mark.parametrize(("rereads", "presented"), [(True, 1), (False, 10)])
def test_the_second_look_finds_a_candidate_of_an_earlier_generation(*, rereads: bool, presented: int) -> None:
    """I19: without that guard a spent token is presented again and again, while the successor waits beside it."""

    async def main() -> None:
        world = World(GRACE, *[refusal("invalid_grant")] * 10)
        claimed = await world.store.claim(await world.connect(0), owner="B", lease_s=0.001)
        assert claimed is not None
        await world.store.keep_candidate(claimed, TokenPair(Secret("AT8"), Secret("RT8"), 2e9))
        assert "stored" == await world.store.keep(claimed, TokenPair(Secret("AT7"), Secret("RT7"), 1.0))
        await asyncio.sleep(1)
        tokens = world.worker(guards=Guards(reread=rereads))
        caller = asyncio.ensure_future(tokens.access(ACCOUNT))
        await asyncio.wait({caller}, timeout=2.4)

        assert presented == len(world.endpoint.presented)
        assert rereads == caller.done()
        caller.cancel()

    run(main)


def test_A3_a_new_refresh_token_is_kept_before_anybody_is_served() -> None:
    """Also where many ask at once; the next refresh presents the new one."""

    async def main() -> None:
        world = World("strict", late(2))
        await world.connect(0)
        seen: list[tuple[int, list[str]]] = []

        async def caller(tokens: Tokens) -> None:
            held = await tokens.access(ACCOUNT)
            row = await world.row()
            seen.append((held.generation, [secret.reveal() for secret in (row.access, row.refresh) if secret]))

        workers = [world.worker("A"), world.worker("B")]
        await asyncio.gather(*(caller(tokens) for tokens in workers * 10))
        await asyncio.sleep(3600)
        await asyncio.gather(*(caller(tokens) for tokens in workers * 10))

        assert [(2, ["AT1", "RT1"])] * 20 + [(3, ["AT2", "RT2"])] * 20 == seen
        assert ["RT0", "RT1"] == world.endpoint.tokens

    run(main)


def test_listeners_see_the_exchange_and_its_end() -> None:
    """As any request of the engine; the tokens are in none of their reprs."""

    async def main() -> None:
        events: list[Event] = []
        world = World("strict")
        await world.connect(0)
        await world.worker(listener=events.append).access(ACCOUNT)

        assert [RequestSent, ResponseReceived, TokenRefreshed] == [type(event) for event in events]
        assert TokenRefreshed(KEY, 2) == events[-1]
        assert not any(word in repr(events) for word in ("RT0", "RT1", "AT1", "invented"))

    run(main)
