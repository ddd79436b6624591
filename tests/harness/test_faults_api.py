"""Fault table, API side: access tokens refused before their time, answers that come late, throttles between pages."""

from __future__ import annotations

import asyncio

import pytest
from token_stage import LIFETIME, Process, Stage, Stores, empty_store, numbers, run

from connproof.errors import AccessRefused, ProviderBusy
from connproof.model import Request, Response
from connproof.run import Call
from scripted import answer, items

store = empty_store("sqlite", "postgres")


def test_F22_a_token_refused_before_its_end_is_refreshed_once(store: Stores) -> None:
    """One forced refresh, and the request again with the new token."""

    async def main() -> None:
        stage = await Stage(store).connected(LIFETIME)
        a = Process(stage, "A")
        assert 1 == await a.reads()
        stage.server.end_access()

        assert 1 == await a.reads()

        assert [(0, "granted")] == stage.presented
        assert [(0, True), (0, False), (1, True)] == [(one.number, one.alive) for one in stage.server.served]
        assert (2, 1, 1) == numbers(await stage.row())

    run(main)


def test_F22_an_api_that_refuses_every_token_is_not_argued_with(store: Stores) -> None:
    """The second refusal is the caller's; ten minutes of reads make no loop, and no account is marked for it."""

    async def main() -> None:
        stage = await Stage(store).connected(LIFETIME)
        a = Process(stage, "A")
        stage.api.refuses_all = True
        with pytest.raises(AccessRefused):
            await a.reads()
        assert ([(0, "granted")], [0, 1]) == (stage.presented, [one.number for one in stage.server.served])
        for _ in range(10):
            with pytest.raises(AccessRefused):
                await a.reads()
        assert (1, 12) == (len(stage.presented), len(stage.server.served))

        for _ in range(120):
            await asyncio.sleep(5)
            with pytest.raises(AccessRefused):
                await a.reads()
        assert len(stage.presented) <= 11  # one a minute
        row = await stage.row()
        assert ("ok", "") == (row.state, row.reason)
        stage.api.refuses_all = False
        assert 1 == await a.reads()

    run(main)


def test_F23_a_401_that_comes_late_refreshes_nothing(store: Stores) -> None:
    """Two reads with AT_0; one is refused late, when AT_1 is there: it goes on with that."""

    async def main() -> None:
        stage = await Stage(store).connected(LIFETIME)
        a, b = Process(stage, "A"), Process(stage, "B")
        stage.server.end_access()
        stage.provider.plan("late", side="api")
        late = a.does(a.reads())
        await asyncio.sleep(1)
        assert 1 == await b.reads()
        assert [(0, "granted")] == stage.presented
        a.wire.release()

        assert 1 == await late
        assert [(0, "granted")] == stage.presented
        assert [0, 0, 1, 1] == [one.number for one in stage.server.served]

    run(main)


def test_F23_in_one_process_too(store: Stores) -> None:
    """Whoever was refused first has refreshed for all."""

    async def main() -> None:
        stage = await Stage(store).connected(LIFETIME)
        a = Process(stage, "A")
        stage.server.end_access()

        assert [1] * 20 == await asyncio.gather(*[a.does(a.reads()) for _ in range(20)])
        assert 2 == (await a.rejected(1)).generation
        assert [(0, "granted")] == stage.presented

    run(main)


PAGES = {"type": "cursor", "cursor_field": "next"}
BUDGET = {
    "name": "minute",
    "limit": {"header": "x-limit", "unit": "count"},
    "remaining": {"header": "x-left", "unit": "count"},
    "reset": {"header": "x-reset", "unit": "delta_ms"},
}
THROTTLE = (("retry-after", "30"), ("x-limit", "100"), ("x-left", "0"), ("x-reset", "29001"))


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_F52_a_throttle_between_pages_is_the_callers_at_once(store: Stores) -> None:
    """One request more and no retry; wait, limits and resume token are in the error, and no token is touched."""
    throttled = [True]

    def serve(request: Request) -> Response:
        if "c2" not in request.url:
            return items(1, 2, next="c2")
        return answer({}, *THROTTLE, status=429) if throttled[0] else items(3, next=None)

    async def main() -> None:
        words = {"pagination": PAGES, "rate_limit": {"budgets": [BUDGET]}}
        stage = await Stage(store, serve=serve, beside=words).connected(LIFETIME)
        a = Process(stage, "A")
        got: list[object] = []

        async def whole(call: Call | None = None) -> None:
            async for record in a.engine().read("rows", call=call):
                got.append(record)  # noqa: PERF401  # those before the error count

        began = stage.time
        with pytest.raises(ProviderBusy) as caught:
            await a.does(whole())

        busy = caught.value
        assert (began, 2, 2) == (stage.time, len(stage.server.served), len(got))
        limits = {name: value for name, value in busy.limits if name not in {"ratelimit", "ratelimit-policy"}}
        fields = {"ratelimit-limit": "100", "ratelimit-remaining": "0", "ratelimit-reset": "30"}
        assert (30, {"retry-after": "30", **fields}) == (busy.seconds, limits)
        assert busy.resume is not None
        throttled.clear()
        throttled.append(False)
        await a.does(whole(Call(resume=busy.resume)))
        assert [{"id": 1}, {"id": 2}, {"id": 3}] == got
        assert (3, []) == (len(stage.server.served), stage.presented)

    run(main)
