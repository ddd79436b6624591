"""TOK: tokens: workers that refresh at once, answers that are lost and workers that die, in every order that matters.

The connector's own config is played against a simulated provider that speaks its dialect, on a loop that chooses what
happens next. What is judged is what the provider and the store saw, never what a worker thinks.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from connproof.config import BRACES
from connproof.config.notes import template_texts
from connproof.documents import read_json
from connproof.errors import ConfigWrong, ConnproofError
from connproof.model import Connector, Operation, TokenRow
from connproof.run import Call, Engine
from connproof.stores.token_memory import MemoryTokens
from connproof.stores.token_store import TokenStore
from connproof.tokens import Timing, Tokens
from connproof.transport import Transport
from pytest_connproof.finding import Evidence, Finding, Inconclusive, rows
from pytest_connproof.provider import AuthorizationServer, Resource, Rotation, SimulatedProvider
from pytest_connproof.provider.invariants import Asking, Deed, Watched, broken, marks
from pytest_connproof.schedule import (
    Failure,
    Faults,
    Play,
    Scenario,
    World,
    at_once,
    campaign,
    explore,
    headline,
    reaching,
    replay,
    table,
)
from pytest_connproof.subject import Subject

# A look at the store is an event like any other: few of them show as much as many.
_TIMING: Final = Timing(poll_s=4.0, lease_s=10.0, caller_s=60.0)
_MOST: Final = 4_000
_LIFETIME: Final = 3600.0
_LEFT: Final = 100.0  # an access token with so little left is refreshed beside whoever asks for it
_WANTED: Final = ("crashes", "lost_answers", "unknown_outcomes")
_SETTLED: Final = ("ambiguous, then ok", "ambiguous, then needs_reauth")
_DRAWN: Final = 2_000
_DRAWN_LENGTH: Final = 60
_REORDERINGS: Final = 2  # each thing that goes wrong is one


def is_refreshed(subject: Subject) -> bool:
    """Whether the connector says how its access tokens are refreshed, by a refresh token."""
    token = subject.connector.auth.token
    return token is not None and token.grant == "refresh_token"


def rotation_of(subject: Subject) -> Rotation:
    """What the simulated provider does with a used refresh token: as it was told, as the config says, or the worst."""
    said = (subject.settings.provider_rotation, subject.connector.auth.rotation)
    return next((rotation for rotation in said if rotation is not None), "strict")


def one_refresh_for_all(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 the checks share one signature
    """Two workers find the access token ended: one exchange, and both are served."""
    make = partial(_play, subject, ended=True)
    return _explored(subject, "TOK-001", Scenario(make, Faults(slow=0), apart=True))


def a_late_refusal_refreshes_nothing_twice(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 as above
    """The provider refuses an access token before its end, to both, one perhaps when the other has a newer one."""
    make = partial(_play, subject, ended=False)
    return _explored(subject, "TOK-002", Scenario(make, Faults(slow=0), apart=True))


def no_account_is_lost_in_silence(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 as above
    """An answer is lost, and a worker dies at any step: the account goes on, or says why it cannot."""
    make = partial(_play, subject, ended=True, lossy=True)
    faults = Faults(slow=0, crashes=1, lost_answers=1)
    return _explored(subject, "TOK-003", Scenario(make, faults), reorderings=_REORDERINGS, wanted=_WANTED)


def a_lost_answer_ends_no_grant(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 as above
    """The answer of an early refresh is lost: it is asked for again only where the rotation allows it."""
    faults = Faults(slow=0, lost_answers=1)
    return _explored(
        subject, "TOK-004", Scenario(partial(_early, subject), faults, apart=True), wanted=("lost_answers",)
    )


@dataclass(frozen=True, slots=True)
class _Scene:
    """What one execution is made of, besides its workers."""

    server: AuthorizationServer
    store: Watched
    account: str
    rotation: Rotation

    @classmethod
    def of(cls, subject: Subject, world: World, *, age_s: float) -> _Scene:
        """A provider and a store, with the account connected so long ago."""
        connector, rotation = subject.connector, rotation_of(subject)
        name = f"{connector.name}/{subject.account.name}"
        server = AuthorizationServer(connector, subject.account, rotation=rotation, lifetime_s=_LIFETIME)
        store = Watched(MemoryTokens(world.clock()), {name: server})
        at_once(store.connect(name, server.consent(world.now - age_s)))
        return cls(server, store, name, rotation)

    @property
    def row(self) -> TokenRow:
        row = at_once(self.store.read(self.account))
        assert row is not None, "it was connected, and nobody removes it"
        return row

    @property
    def history(self) -> Sequence[Deed]:
        return self.store.history(self.account)

    def broken(self, *, lost: int, quiet: bool = True, askings: Sequence[Asking] = ()) -> list[str]:
        """The rules that any history of an account keeps, judged by what the provider and the store saw."""
        return broken(self.server, self.history, self.rotation, timing=_TIMING, lost=lost, quiet=quiet, askings=askings)


def _play(subject: Subject, world: World, *, ended: bool, lossy: bool = False) -> Play:
    connector, operation = subject.connector, _operation(subject.connector)
    scene = _Scene.of(subject, world, age_s=2 * _LIFETIME if ended else 0)
    if not ended:
        scene.server.end_access()
    transport = reaching(world, SimulatedProvider(scene.server, Resource(connector, operation)))
    shared = world.store(scene.store)

    async def work(worker: str) -> int:
        clock = world.clock()
        tokens = _tokens(connector, transport, shared, world, worker)
        engine = Engine(connector, transport, account=subject.account, clock=clock, tokens=tokens)
        params = dict.fromkeys(BRACES.findall(template_texts(operation)), "1")
        # One record shows that the token was good; the provider here has the same page for every position.
        call = Call(params=params, raw=True, limit=1)
        served = 0
        if operation.is_list:
            async for _ in engine.read(operation.resource, operation.name, call):
                served += 1
        else:
            served += await engine.one(operation.resource, operation.name, call) is not None
        await tokens.drained()
        return served

    workers: dict[str, Coroutine[Any, Any, object]] = {worker: work(worker) for worker in ("A", "B")}
    if lossy:
        return Play(workers, partial(_lost, scene, world), afterwards=partial(work, "later"))
    return Play(workers, partial(_unserved, scene, world))


def _early(subject: Subject, world: World) -> Play:
    scene = _Scene.of(subject, world, age_s=_LIFETIME - _LEFT)
    resource = Resource(subject.connector, _operation(subject.connector))
    transport = reaching(world, SimulatedProvider(scene.server, resource))
    shared = world.store(scene.store)
    askings: list[Asking] = []

    async def asked(worker: str, tokens: Tokens) -> None:
        began = world.loop.time()
        given: object
        try:
            given = await tokens.access(subject.account)
        except ConnproofError as error:
            given = error
        askings.append(Asking(worker, began, world.loop.time(), given, lived=world.loop.time() < _LEFT))

    async def work(worker: str) -> None:
        clock = world.clock()
        tokens = _tokens(subject.connector, transport, shared, world, worker)
        for _ in range(2):
            await asked(worker, tokens)
            await tokens.drained()
            await clock.sleep(_LEFT / 10)

    return Play({"A": work("A"), "B": work("B")}, partial(_ended_early, scene, askings))


def _tokens(connector: Connector, transport: Transport, store: TokenStore, world: World, owner: str) -> Tokens:
    return Tokens(
        store,
        connector,
        transport.send,
        owner=owner,
        clock=world.clock(),
        timing=_TIMING,
        steps=world.step,
        jitter=_middle,
    )


def _ended_early(scene: _Scene, askings: Sequence[Asking]) -> Sequence[str]:
    """What is broken where an account is lost whose access token would have lived on, or a caller hears of trouble."""
    told = scene.broken(lost=1, quiet=False, askings=askings)
    if not scene.server.families[-1]:
        rotation = scene.rotation
        told.append(f"the grant has ended, while its access token lived: a used refresh token is {rotation} there (I3)")
    return told


def _unserved(scene: _Scene, world: World) -> Sequence[str]:
    """What is broken where nothing went wrong: everybody is served, by one exchange."""
    granted = [one for one in scene.server.presentations if one.outcome in {"granted", "replayed"}]
    told = [*_reused(scene), *scene.broken(lost=0)]
    if len(granted) != 1:
        told.append(f"{len(granted)} exchanges, allowed 1: refresh only if the token is still current (I2)")
    for worker, result in world.results.items():
        if isinstance(result, BaseException):
            told.append(f"worker {worker} was not served: {type(result).__name__}")
    return told


def _lost(scene: _Scene, world: World) -> Sequence[str]:
    """What is broken where an answer was lost or a worker died: the account works, or says why it does not (I7)."""
    lost = world.reached["lost_answers"] + len(world.dead)
    told = [*([] if lost else _reused(scene)), *scene.broken(lost=lost)]
    world.reached["unknown_outcomes"] += any(mark in _SETTLED for mark in marks(scene.history))
    state = scene.row.state
    if isinstance(world.results.get("later"), BaseException) and state not in {"needs_reauth", "blocked_config"}:
        told.append(f"nobody can use the account, and the store says {state} (I7)")
    return told


def _reused(scene: _Scene) -> list[str]:
    spent = [one for one in scene.server.presentations if one.outcome in {"reused", "dead"}]
    return [f"RT_{one.number} was presented after it was spent: all access is revoked (I2)" for one in spent]


def _explored(
    subject: Subject, check: str, scenario: Scenario, *, reorderings: int | None = None, wanted: Sequence[str] = ()
) -> Evidence:
    """Play the pinned schedules, then search; with --schedule that one alone, with --campaign drawn ones besides.

    What is `wanted` must have happened in some of them: otherwise they have shown nothing of it.
    """
    if subject.settings.schedule is not None:
        _replayed(subject, scenario, subject.settings.schedule)
        return {"schedules": 1}
    pinned = _pinned(subject, check)
    for schedule in pinned:
        _replayed(subject, scenario, schedule)
    found = explore(scenario, reorderings=reorderings, most=_MOST)
    if found.failure is None and subject.settings.campaign:
        drawn = campaign(scenario, examples=_DRAWN, length=_DRAWN_LENGTH)
        found = replace(found, executions=found.executions + drawn.executions, failure=drawn.failure)
    if found.failure is not None:
        raise _finding(subject, found.failure, headline(found.failure, found.executions))
    if not found.complete:
        raise Inconclusive(
            f"{found.executions} schedules were explored, and there are more",
            "the harness bounds them: report it, with the config",
        )
    if unseen := [what for what in wanted if not found.reached[what]]:
        raise Inconclusive(
            f"{found.executions} schedules were played, and none had {' or '.join(unseen)}",
            "the harness chooses them: report it, with the config",
        )
    return {"schedules": found.executions + len(pinned), **{what: found.reached[what] for what in wanted}}


def _replayed(subject: Subject, scenario: Scenario, schedule: str) -> None:
    """Play one schedule again. Raises CallWrong, ScheduleUnfit, and the Finding where it breaks a rule."""
    played = replay(scenario, schedule)
    if played.broken:
        raise _finding(subject, Failure(played.schedule, played.lines, played.broken), f"schedule {schedule}")


def _pinned(subject: Subject, check: str) -> tuple[str, ...]:
    """The schedules that once failed and were kept: a list of texts in `schedules/<check>.json`."""
    path = subject.folder / "schedules" / f"{check}.json"
    if not path.exists():
        return ()
    value, source = read_json(path.read_bytes(), str(path))
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ConfigWrong(str(path), [source.problem("", "is no list of schedules", 'write ["0,1,1"]')])
    return tuple(str(one) for one in value)


def _finding(subject: Subject, failure: Failure, what: str) -> Finding:
    facts = rows(
        {
            "config": f"{subject.line_of('/auth')} auth",
            "keep": f"connectors/{subject.name}/schedules/, so that it is played in every run",
        }
    )
    return Finding(what, f"{table(failure)}\n{facts}")


def _operation(connector: Connector) -> Operation:
    """The operation that is asked with the token: a listing, else any that sends nothing."""
    every = [one for one in connector.operations() if one.method in {"GET", "POST"} and one.batch is None]
    listing = next((one for one in every if one.is_list and one.for_each is None and one.hydrate is None), None)
    if listing is not None:
        return listing
    single = next((one for one in every if not one.is_list and one.method == "GET"), None)
    if single is None:
        raise Inconclusive("no operation can be asked without sending something", "declare a listing, or get")
    return single


def _middle() -> float:
    return 0.5
