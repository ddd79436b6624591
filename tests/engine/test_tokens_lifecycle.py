"""What callers get: a token that lives, at once where there is one, and a plain word where there is none."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from connproof.errors import CallWrong, ClientMisconfigured, Reauthorise, RefreshPending, StoreFailed
from connproof.model import Account, Secret, TokenPair, TokenRow
from connproof.tokens import STEPS, Guards, Held, Timing, Tokens
from scripted import answer, connector
from token_world import ACCOUNT, GRACE, KEY, LIFETIME, World, late, lost, no_answer, refusal
from virtual_time import VirtualClock, run


def held(number: int) -> Held:
    """The pair of a provider that rotates: generation 1 is AT0."""
    return Held(number + 1, Secret(f"AT{number}"))


async def ended(tokens: Tokens) -> None:
    """Let what goes on in the background end."""
    await tokens.drained()


def test_a_live_token_is_served_without_any_exchange() -> None:
    """A store is read once; then the copy serves."""

    async def main() -> None:
        world = World()
        await world.connect(3000)
        tokens = world.worker()

        assert [held(0)] * 3 == [await tokens.access(ACCOUNT) for _ in range(3)]
        assert ["read"] == world.steps
        assert [] == world.endpoint.presented

    run(main)


def test_a_refresh_takes_the_numbered_steps_in_order() -> None:
    """The order that crash and schedule tests stand between."""

    async def main() -> None:
        world = World()
        await world.connect(0)

        assert held(1) == await world.worker().access(ACCOUNT)
        assert list(STEPS) == world.steps

    run(main)


def test_in_the_margin_the_old_token_is_served_and_refreshed_beside() -> None:
    """I10: a caller whose token lives does not wait, not even for a refresh that goes well."""

    async def main() -> None:
        world = World("strict", late(60))
        await world.connect(100)
        tokens = world.worker()

        assert [held(0)] * 5 == [await tokens.access(ACCOUNT) for _ in range(5)]
        assert 0 == world.clock.monotonic()
        await ended(tokens)
        assert held(1) == await tokens.access(ACCOUNT)
        assert ["RT0"] == world.endpoint.tokens

    run(main)


@pytest.mark.parametrize("left", [100, 0], ids=["in the margin", "after the end"])
def test_F01_fifty_callers_make_one_exchange(left: float) -> None:
    """A thundering herd: one POST, and one generation for all."""

    async def main() -> None:
        world = World("strict", late(2))
        await world.connect(left)
        tokens = world.worker()

        first = await asyncio.gather(*(tokens.access(ACCOUNT) for _ in range(50)))
        await ended(tokens)
        second = await asyncio.gather(*(tokens.access(ACCOUNT) for _ in range(50)))

        assert {held(0 if left else 1)} == set(first)
        assert {held(1)} == set(second)
        assert ["RT0"] == world.endpoint.tokens

    run(main)


@pytest.mark.parametrize("first", [-300, 300])
def test_F03_workers_share_one_exchange_whatever_their_clocks_say(first: float) -> None:
    """Leases and lifetimes are judged by the store's clock; the one that lost the claim takes the winner's pair."""

    async def main() -> None:
        world = World("strict", late(5))
        await world.connect(0)
        began = await world.store.now()
        workers = [world.worker(f"W{ahead}", clock=VirtualClock(ahead)) for ahead in (first, -300, 0, 300, 3600)]

        served = await asyncio.gather(*(worker.access(ACCOUNT) for worker in workers))

        assert [held(1)] * 5 == served
        assert ["RT0"] == world.endpoint.tokens
        assert began + 5 + LIFETIME == (await world.row()).expires_at

    run(main)


def test_F10_a_caller_is_told_that_the_refresh_goes_on() -> None:
    """The exchange deadline is not the caller's: the answer that comes after 60 s is kept."""

    async def main() -> None:
        world = World("strict", late(60))
        await world.connect(0)
        tokens = world.worker()

        with pytest.raises(RefreshPending) as pending:
            await tokens.access(ACCOUNT)
        assert 15 == world.clock.monotonic()
        assert (pending.value.seconds or 0) > 0

        await ended(tokens)
        assert held(1) == await tokens.access(ACCOUNT)
        assert ["RT0"] == world.endpoint.tokens

    run(main)


@pytest.mark.parametrize("is_detached", [True, False])
def test_F11_an_exchange_outlives_a_caller_that_is_cancelled(is_detached: bool) -> None:
    """And where that guard is removed, the provider's only copy is lost."""

    async def main() -> None:
        world = World("strict", late(5))
        await world.connect(0)
        tokens = world.worker(guards=Guards(detached=is_detached))
        caller = asyncio.create_task(tokens.access(ACCOUNT))
        await asyncio.sleep(1)

        caller.cancel()
        await asyncio.wait({caller})
        await ended(tokens)

        assert (2 if is_detached else 1) == (await world.row()).generation

    run(main)


def test_A14_one_token_serves_all_that_use_a_connection() -> None:
    """For a day, by three workers of which each asks every minute: no more tokens than have ended."""

    async def main() -> None:
        world = World("strict")
        await world.connect(0)
        workers = [world.worker(name) for name in ("A", "B", "C")]
        for _ in range(24 * 60):
            served = [(await worker.access(ACCOUNT)).generation for worker in workers]
            assert max(served) - min(served) <= 1
            await world.clock.sleep(60)

        assert 24 <= len(world.endpoint.presented) <= 24 * 3600 / 3300 + 1

    run(main)


def test_the_lease_is_kept_alive_while_the_provider_thinks() -> None:
    """No other worker takes over an exchange of 60 s, under a lease of 10."""

    async def main() -> None:
        world = World("none", late(60))
        await world.connect(0)
        first, second = world.worker("A"), world.worker("B")
        with pytest.raises(RefreshPending):
            await first.access(ACCOUNT)
        with pytest.raises(RefreshPending):
            await second.access(ACCOUNT)
        await ended(first)

        assert 1 == len(world.endpoint.presented)
        assert world.steps.count("beat") >= 15

    run(main)


def test_a_lease_that_could_not_be_renewed_is_renewed_soon() -> None:
    """A store that fails over for some seconds gives nobody else the refresh token of a holder that lives."""

    async def main() -> None:
        world = World("strict", late(60))
        await world.connect(0)
        renewed: list[float] = []
        beat = world.store.beat

        async def unsteady(claimed: TokenRow, *, lease_s: float) -> bool:
            at = world.clock.monotonic() - started
            if 3 < at < 9:
                raise StoreFailed("the store fails over")
            renewed.append(at)
            return await beat(claimed, lease_s=lease_s)

        world.swap(beat=unsteady)
        started = world.clock.monotonic()
        first, second = world.worker("A"), world.worker("B")
        for worker in (first, second):
            with pytest.raises(RefreshPending):
                await worker.access(ACCOUNT)
        await ended(first)

        assert 9 <= renewed[0] <= 9.25
        assert ["RT0"] == world.endpoint.tokens

    run(main)


def test_a_refused_token_is_refreshed_once_for_all_who_had_it() -> None:
    """F22: however many callers got the 401."""

    async def main() -> None:
        world = World("strict", late(1))
        await world.connect(3000)
        tokens = world.worker()
        await tokens.access(ACCOUNT)

        assert [held(1)] * 20 == await asyncio.gather(*(tokens.rejected(ACCOUNT, 1) for _ in range(20)))
        assert ["RT0"] == world.endpoint.tokens

    run(main)


def test_F23_a_late_401_refreshes_nothing() -> None:
    """The token of an older generation was refused: there is a newer one already."""

    async def main() -> None:
        world = World()
        await world.connect(3000)
        first, second = world.worker("A"), world.worker("B")
        await second.access(ACCOUNT)
        await first.rejected(ACCOUNT, 1)

        assert [held(1)] * 2 == [await worker.rejected(ACCOUNT, 1) for worker in (first, second)]
        assert ["RT0"] == world.endpoint.tokens

    run(main)


def test_F22_a_new_token_that_is_refused_as_well_is_not_refreshed() -> None:
    """Its age is not the reason, and a refresh for every call would be a storm."""

    async def main() -> None:
        world = World()
        await world.connect(3000)
        tokens = world.worker()

        assert held(1) == await tokens.rejected(ACCOUNT, 1)
        assert [held(1)] * 5 == [await tokens.rejected(ACCOUNT, 2) for _ in range(5)]
        await world.clock.sleep(61)
        assert held(2) == await tokens.rejected(ACCOUNT, 2)

    run(main)


def test_a_newer_pair_of_another_worker_serves_a_second_refusal() -> None:
    """What this worker refreshed a moment ago may have been overtaken."""

    async def main() -> None:
        world = World()
        await world.connect(3000)
        first, second = world.worker("A"), world.worker("B")
        await first.rejected(ACCOUNT, 1)
        await second.rejected(ACCOUNT, 2)

        assert held(2) == await first.rejected(ACCOUNT, 2)

    run(main)


def test_F33_a_revoked_account_must_be_connected_again() -> None:
    """invalid_grant, and the generation did not move: one POST, and the reason is kept."""

    async def main() -> None:
        world = World("strict", refusal("invalid_grant"))
        await world.connect(0)
        tokens = world.worker()

        for _ in range(3):
            with pytest.raises(Reauthorise) as lost_for_good:
                await tokens.access(ACCOUNT)
            assert "revoked" == lost_for_good.value.reason
        assert ["RT0"] == world.endpoint.tokens
        assert ("needs_reauth", "revoked") == ((await world.row()).state, (await world.row()).reason)

    run(main)


def test_a_revoked_account_is_served_while_its_token_lives() -> None:
    """I10: the refresh is refused, the access token is not."""

    async def main() -> None:
        world = World("strict", refusal("invalid_grant"))
        await world.connect(100)
        tokens = world.worker()
        await tokens.access(ACCOUNT)
        await ended(tokens)

        assert held(0) == await tokens.access(ACCOUNT)
        await world.clock.sleep(100)
        with pytest.raises(Reauthorise):
            await tokens.access(ACCOUNT)

    run(main)


def test_F48_an_idle_refresh_token_is_told_apart() -> None:
    """The provider said when it ends."""

    async def main() -> None:
        world = World("strict", refusal("invalid_grant"))
        await world.connect(-90, refresh_expires_at=await world.store.now() - 1)

        with pytest.raises(Reauthorise) as lost_for_good:
            await world.worker().access(ACCOUNT)
        assert "expired_idle" == lost_for_good.value.reason

    run(main)


def test_F35_a_refused_client_blocks_the_client_and_no_account() -> None:
    """N14: every account of it reads why; none is marked, and none is asked for until somebody unblocks it."""

    async def main() -> None:
        world = World("strict", refusal("invalid_client", 401))
        await world.connect(0)
        tokens, other = world.worker("A"), world.worker("B")

        for worker in (tokens, other, tokens):
            with pytest.raises(ClientMisconfigured, match="invalid_client"):
                await worker.access(ACCOUNT)
        assert (["RT0"], "ok") == (world.endpoint.tokens, (await world.row()).state)
        assert not (await world.row()).has_open_intent

        await tokens.unblock(ACCOUNT)
        await world.clock.sleep(10)
        assert held(1) == await tokens.access(ACCOUNT)

    run(main)


def test_F50_what_cannot_be_read_is_the_stores_fault() -> None:
    """Nothing is sent, nothing is overwritten, and nobody is asked to consent again."""

    async def main() -> None:
        world = World()
        row = await world.connect(0)

        async def read(_account: str) -> TokenRow:
            return replace(row, access=None, refresh=None, state="blocked_config", reason="undecryptable")

        world.swap(read=read)  # a store whose key is not here
        with pytest.raises(StoreFailed, match="undecryptable"):
            await world.worker().access(ACCOUNT)
        assert [] == world.endpoint.presented

    run(main)


def test_an_account_that_was_never_connected_is_the_callers_mistake() -> None:
    """It says how to connect it."""

    async def main() -> None:
        with pytest.raises(CallWrong, match="accounts add"):
            await World().worker().access(ACCOUNT)

    run(main)


def test_an_account_without_refresh_token_ends_with_its_token() -> None:
    """There is nothing to present."""

    async def main() -> None:
        world = World()
        await world.connect(10, refresh=None)
        tokens = world.worker()

        assert held(0) == await tokens.access(ACCOUNT)
        await world.clock.sleep(10)
        with pytest.raises(Reauthorise) as lost_for_good:
            await tokens.access(ACCOUNT)
        assert "no_refresh_token" == lost_for_good.value.reason

    run(main)


def test_what_the_account_lacks_is_told_before_anything_is_claimed() -> None:
    """No intent is written for a request that cannot be made."""

    async def main() -> None:
        world = World()
        await world.connect(0)
        with pytest.raises(CallWrong, match="client_secret"):
            await world.worker().access(Account("ada", {"client_id": "client-one"}))
        assert 0 == (await world.row()).lease_epoch

    run(main)


def test_a_connector_without_token_endpoint_keeps_no_tokens() -> None:
    """Said when the worker starts, not when the first token ends."""
    world = World()
    with pytest.raises(CallWrong, match="where a token is asked for"):
        Tokens(world.store, connector(auth={"type": "bearer"}), world.endpoint.send, owner="A")


def test_F15_a_copy_serves_while_the_store_is_down() -> None:
    """I10, without any look at the store."""

    async def main() -> None:
        world = World()
        await world.connect(1000)
        tokens = world.worker(timing=Timing(look_s=1))
        await tokens.access(ACCOUNT)

        async def read(_account: str) -> TokenRow:
            raise StoreFailed("the store is down")

        world.swap(read=read)  # a store that is down
        await world.clock.sleep(500)
        assert held(0) == await tokens.access(ACCOUNT)
        await world.clock.sleep(500)
        with pytest.raises(StoreFailed):
            await tokens.access(ACCOUNT)

    run(main)


def test_a_new_consent_is_seen_within_a_minute() -> None:
    """A copy is looked at again, long before its token ends."""

    async def main() -> None:
        world = World()
        await world.connect(3000)
        tokens = world.worker()
        await tokens.access(ACCOUNT)
        await world.store.connect(KEY, TokenPair(Secret("new"), Secret("RT-new"), None))
        await world.clock.sleep(60)

        assert Held(2, Secret("new")) == await tokens.access(ACCOUNT)

    run(main)


def test_F17_a_store_that_shows_the_past_sends_nothing() -> None:
    """A replica that lags: the claim names the generation it saw, and fails."""

    async def main() -> None:
        world = World("strict")
        old = await world.connect(0)
        await world.worker("A").access(ACCOUNT)
        now = world.store.read

        async def lagging(account: str) -> TokenRow | None:
            return old if world.clock.monotonic() < 5 else await now(account)

        world.swap(read=lagging)  # a replica that lags 5 s
        assert held(1) == await world.worker("B").access(ACCOUNT)
        assert ["RT0"] == world.endpoint.tokens

    run(main)


def test_F17_a_store_that_shows_the_past_takes_no_newer_pair_away() -> None:
    """What this worker stored itself, it knows: the older row is no reason to sign with an older token."""

    async def main() -> None:
        world = World("strict")
        old = await world.connect(100)
        tokens = world.worker(timing=Timing(look_s=1))
        await tokens.rejected(ACCOUNT, 1)

        async def lagging(_account: str) -> TokenRow:
            return old

        world.swap(read=lagging)
        await world.clock.sleep(2)
        assert held(1) == await tokens.access(ACCOUNT)

    run(main)


@pytest.mark.parametrize("jump", [3600, -3600])
def test_F20_a_jump_of_the_clock_costs_one_refresh_at_most(jump: int) -> None:
    """I12; the store's clock is the machine's here."""

    async def main() -> None:
        world = World()
        await world.connect(3000)
        tokens = world.worker()
        await tokens.access(ACCOUNT)
        world.clock.ahead = jump
        for _ in range(20):
            await world.clock.sleep(61)
            await tokens.access(ACCOUNT)
            await ended(tokens)

        assert (1 if jump > 0 else 0) == len(world.endpoint.presented)

    run(main)


def test_F20_a_lease_left_in_the_future_is_taken_over() -> None:
    """N8: its holder is dead, and the clock was set back by an hour."""

    async def main() -> None:
        world = World("none")
        await world.connect(-4000)
        world.clock.ahead = 3600
        claimed = await world.store.claim(await world.row(), owner="dead", lease_s=10)
        assert claimed is not None
        world.clock.ahead = 0

        assert 2 == (await world.worker().access(ACCOUNT)).generation
        assert 10 <= world.clock.monotonic() <= 11

    run(main)


def test_F20_a_live_holder_is_not_overtaken_after_a_jump() -> None:
    """Its beat moves the lease."""

    async def main() -> None:
        world = World("none", late(14))
        await world.connect(-4000)
        world.clock.ahead = 3600
        first = asyncio.create_task(world.worker("A").access(ACCOUNT))
        await asyncio.sleep(0.01)
        world.clock.ahead = 0

        assert 2 == (await world.worker("B").access(ACCOUNT)).generation
        await first
        assert 1 == len(world.endpoint.presented)

    run(main)


def test_F47_an_account_that_hangs_delays_no_other() -> None:
    """There is no lock but each account's own."""

    async def main() -> None:
        world = World("none", late(100))
        await world.connect(0)
        now = await world.store.now()
        await world.store.connect("sample/bob", TokenPair(Secret("B"), Secret("RT-bob"), now))
        tokens = world.worker()
        hanging = asyncio.create_task(tokens.access(ACCOUNT))
        await asyncio.sleep(0.01)
        world.endpoint.plays = [answer({"access_token": "B1", "expires_in": 3600})]

        assert Held(2, Secret("B1")) == await tokens.access(replace(ACCOUNT, name="bob"))
        assert 1 > world.clock.monotonic()
        hanging.cancel()

    run(main)


def test_F46_no_more_exchanges_than_the_bound_are_under_way() -> None:
    """Two hundred accounts end in the same second, and all have their turn."""

    async def main() -> None:
        world = World("none")
        busy = most = 0

        async def send(_request: object) -> object:
            nonlocal busy, most
            busy += 1
            most = max(most, busy)
            await world.clock.sleep(0.1)
            busy -= 1
            return answer({"access_token": "new", "expires_in": 3600})

        now = await world.store.now()
        names = [f"a{number}" for number in range(200)]
        for name in names:
            await world.store.connect(f"sample/{name}", TokenPair(Secret("old"), Secret(f"RT-{name}"), now))
        tokens = world.worker(send=send)

        served = await asyncio.gather(*(tokens.access(replace(ACCOUNT, name=name)) for name in names))

        assert {Held(2, Secret("new"))} == set(served)
        assert 32 == most

    run(main)


def test_client_credentials_need_no_refresh_token() -> None:
    """A grant that presents none may be asked for again at any time, whatever came of the last time."""

    async def main() -> None:
        granted = answer({"access_token": "AT1", "expires_in": 3600})
        world = World("strict", no_answer(), granted, grant="client_credentials")
        await world.connect(0, refresh=None)

        assert Held(2, Secret("AT1")) == await world.worker().access(ACCOUNT)

    run(main)


def test_a_lost_answer_is_asked_for_again_within_the_grace() -> None:
    """The caller that waits gets it."""

    async def main() -> None:
        world = World(GRACE, lost)
        await world.connect(0)

        assert Held(2, Secret("AT2")) == await world.worker().access(ACCOUNT)
        assert ["RT0", "RT0"] == world.endpoint.tokens

    run(main)
