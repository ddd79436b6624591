"""Each TOK check passes with its schedules counted, and fails on a way of refreshing that is known to go wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from projects import CHECK, Project

from connproof.errors import CallWrong, ConfigWrong, RefreshPending
from connproof.model import Account, TokenRow
from connproof.stores.token_memory import MemoryTokens
from connproof.tokens import Held, Tokens
from pytest_connproof.checks import targets, tok
from pytest_connproof.finding import Finding, Inconclusive
from pytest_connproof.schedule import Faults, ScheduleUnfit

IDS = ("TOK-001", "TOK-002", "TOK-003", "TOK-004")
TOKEN = {"url": "https://id.deals.example/oauth/token", "client_auth": "body"}
CREDENTIALS = {
    "access_token": "example-access-token",
    "refresh_token": "example-refresh-token",
    "client_id": "example-client",
    "client_secret": "example-client-secret",
}


@pytest.fixture
def project(deals: Project) -> Project:
    """Deals, whose access tokens end."""
    auth = {"type": "oauth2", "token_path": "access_token", "token": TOKEN, "rotation": "strict"}
    deals.change("connector.json", "/auth", auth)
    deals.change("accounts/example.json", "/credentials", CREDENTIALS)
    return deals


def _refuted(project: Project, check: str, **settings: Any) -> str:
    with pytest.raises(Finding) as found:
        project.judge(check, **settings)
    return str(found.value)


def _choices(told: str) -> str:
    (line,) = [line for line in told.splitlines() if line.strip().startswith("replay ")]
    return line.split()[1]


@pytest.mark.parametrize(
    ("check", "fired"),
    [
        ("TOK-001", set()),
        ("TOK-002", set()),
        ("TOK-003", {"crashes", "lost_answers", "unknown_outcomes"}),
        ("TOK-004", {"lost_answers"}),
    ],
)
def test_TOK_passes_with_its_schedules_counted(project: Project, check: str, fired: set[str]) -> None:
    """A pass says how many schedules were played, and that what can go wrong besides did."""
    evidence = project.judge(check)

    assert {"schedules", *fired} == set(evidence)
    assert 2 < evidence["schedules"] < 2_000
    assert all(count > 0 for count in evidence.values())


@pytest.mark.parametrize("rotation", ["none", {"grace_s": 3600}, None], ids=["none", "grace", "undeclared"])
def test_TOK_003_passes_under_every_rotation(project: Project, rotation: str | dict[str, int] | None) -> None:
    """The simulated provider does with a refresh token what the config says; a config that says nothing, the worst."""
    if rotation is None:
        project.drop("connector.json", "/auth/rotation")
    else:
        project.change("connector.json", "/auth/rotation", rotation)

    assert project.judge("TOK-003")["unknown_outcomes"] > 0


def test_a_grace_of_no_seconds_is_a_grace(project: Project) -> None:
    """0 is what was said, and not that nothing was."""
    assert 0 == tok.rotation_of(project.subject(provider_rotation=0))
    assert "strict" == tok.rotation_of(project.subject())


@pytest.mark.parametrize("more", [{}, {"allow_repeats": True}], ids=["repeats refused", "repeats allowed"])
@pytest.mark.parametrize("check", ["TOK-001", "TOK-002"])
def test_TOK_reads_no_further_than_it_must(project: Project, check: str, more: dict[str, bool]) -> None:
    """A listing by page number has no end at a provider with one page for all: tokens are not to blame for that."""
    paging = {"type": "page", "page_param": "page", **more}
    project.change("connector.json", "/resources/deals/list/pagination", paging)

    assert project.judge(check, schedule="0,1")


@pytest.mark.parametrize("check", IDS)
def test_TOK_passes_where_one_schedule_is_named(project: Project, check: str) -> None:
    """It is the only one that is played."""
    assert {"schedules": 1} == project.judge(check, schedule="0,1")


def test_TOK_passes_with_drawn_schedules_besides(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A campaign plays more than the search."""
    monkeypatch.setattr(tok, "_DRAWN", 20)
    searched = project.judge("TOK-001")["schedules"]

    assert searched + 20 == project.judge("TOK-001", campaign=True)["schedules"]


@pytest.mark.parametrize("check", IDS)
@pytest.mark.parametrize(
    "auth",
    [
        {"type": "bearer", "token_path": "access_token"},
        {"type": "oauth2", "token_path": "access_token"},
        {"type": "oauth2", "token_path": "access_token", "token": {**TOKEN, "grant": "client_credentials"}},
    ],
    ids=["bearer", "no token endpoint", "client credentials"],
)
def test_TOK_is_not_judged_where_nothing_is_refreshed(project: Project, check: str, auth: dict[str, Any]) -> None:
    """A token that is never refreshed cannot be lost in a refresh."""
    assert [""] == list(targets(CHECK[check], project.subject()))

    project.change("connector.json", "/auth", auth)

    assert [] == list(targets(CHECK[check], project.subject()))


def test_TOK_is_inconclusive_where_nothing_can_be_asked(project: Project) -> None:
    """A refresh is needed by a request: where each sends something, none is made up."""
    create = {"method": "POST", "path": "/deals", "body": {"name": "{name}"}, "key": "id"}
    project.change("connector.json", "/resources", {"deals": {"create": create}})
    project.drop("connector.json", "/unified")

    with pytest.raises(Inconclusive) as doubt:
        project.judge("TOK-001")

    assert "no operation can be asked without sending something" in str(doubt.value)


# Ways that go wrong


def _claims_without_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever wants the lease has it."""

    async def claim(self: MemoryTokens, seen: TokenRow, *, owner: str, lease_s: float, **_: bool) -> TokenRow | None:
        kept = self._of(seen)
        assert kept is not None
        epoch, now = kept.row.lease_epoch + 1, self._now()
        return self._write(kept, lease_owner=owner, lease_epoch=epoch, lease_until=now + lease_s)

    monkeypatch.setattr(MemoryTokens, "claim", claim)


def _refreshes_on_every_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal is taken for one of the newest token, whichever was sent."""

    async def rejected(self: Tokens, account: Account, generation: int) -> Held:
        row = await self._store.read(self.key(account))
        assert row is not None and row.generation >= generation
        self._copies.pop(self.key(account), None)
        self._refused[self.key(account)] = row.generation
        return await self._held(account)

    monkeypatch.setattr(Tokens, "rejected", rejected)


def _tells_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A grant that is gone is taken for a provider that is down: it rests for a day."""

    async def refuse(self: MemoryTokens, claimed: TokenRow, **_: str) -> bool:
        return await self.back_off(claimed, not_before=self._now() + 86_400, undo=None)

    monkeypatch.setattr(MemoryTokens, "refuse", refuse)


def test_TOK_001_fails_where_the_lease_keeps_nobody_out(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second worker presents a spent refresh token; the table tells it in HTTP words, and no secret."""
    _claims_without_a_look(monkeypatch)

    told = _refuted(project, "TOK-001")

    assert "-> POST /oauth/token" in told
    assert "presented after it was spent: all access is revoked (I2)" in told
    assert "connectors/deals/connector.json:" in told
    assert "example-" not in told


def test_TOK_002_fails_where_every_refusal_refreshes(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal of the old token that comes after the refresh starts another; one reordering shows it."""
    _refreshes_on_every_refusal(monkeypatch)

    told = _refuted(project, "TOK-002")

    assert "2 exchanges, allowed 1: refresh only if the token is still current (I2)" in told
    assert "smallest: 1 reordering\n" in told


def test_TOK_002_fails_where_a_worker_comes_to_no_end(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks for a newer token for ever is refuted like whoever waits for ever; the harness is not broken."""

    async def rejected(self: Tokens, account: Account, generation: int) -> Held:
        while (row := await self._store.read(self.key(account))) is None or row.generation == generation:
            continue
        raise AssertionError("nobody refreshes")

    monkeypatch.setattr(Tokens, "rejected", rejected)

    assert "worker A has not come to its end after 5,000 events" in _refuted(project, "TOK-002")


def test_TOK_003_fails_where_a_lost_grant_is_not_told(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can use the account any more, and the store says that it will be well."""
    _tells_nobody(monkeypatch)

    told = _refuted(project, "TOK-003")

    assert "nobody can use the account, and the store says ambiguous" in told
    assert "(I7)" in told


@pytest.mark.parametrize("declared", ["none", {"grace_s": 3600}], ids=["none", "grace"])
def test_TOK_004_fails_where_the_provider_is_stricter_than_declared(
    project: Project, declared: str | dict[str, int]
) -> None:
    """The replay that the config calls harmless ends the grant; as it is declared, nothing is wrong (F51)."""
    project.change("connector.json", "/auth/rotation", declared)
    assert {"schedules", "lost_answers"} == set(project.judge("TOK-004"))

    told = _refuted(project, "TOK-004", provider_rotation="strict")

    assert "(lost)" in told
    assert "the grant has ended, while its access token lived: a used refresh token is strict there (I3)" in told


def test_TOK_004_fails_where_a_caller_is_told_of_trouble(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The grant lives, and so does the access token; whoever asks for it is put off all the same."""
    access = Tokens.access

    async def puts_off(self: Tokens, account: Account) -> Held:
        held = await access(self, account)
        row = await self._store.read(self.key(account))
        if row is not None and row.state == "ambiguous":
            raise RefreshPending("the outcome of a refresh is not known")
        return held

    monkeypatch.setattr(Tokens, "access", puts_off)

    assert "had a token that lived, waited 0 s and got RefreshPending" in _refuted(project, "TOK-004")


def test_TOK_002_fails_again_on_the_schedule_that_it_told(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `--schedule` replays is what was found, line by line."""
    _refreshes_on_every_refusal(monkeypatch)
    first = _refuted(project, "TOK-002")

    again = _refuted(project, "TOK-002", schedule=_choices(first))

    assert f"schedule {_choices(first)}" in again
    assert first.splitlines()[1:] == again.splitlines()[1:]


def test_TOK_003_is_inconclusive_where_nothing_went_wrong(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search in which no answer is ever lost shows nothing of lost answers."""
    monkeypatch.setattr(tok, "Faults", lambda **_: Faults(slow=0, crashes=1))

    with pytest.raises(Inconclusive, match="none had lost_answers"):
        project.judge("TOK-003")


# Schedules that are kept


def test_TOK_passes_with_a_kept_schedule_counted(project: Project) -> None:
    """A schedule that once failed is played in every run."""
    searched = project.judge("TOK-001")["schedules"]
    project.write("schedules/TOK-001.json", ["0,1", "1"])

    assert searched + 2 == project.judge("TOK-001")["schedules"]


def test_TOK_001_fails_on_the_kept_schedule_first(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search is not asked for what is known."""
    _claims_without_a_look(monkeypatch)
    project.write("schedules/TOK-001.json", ["0"])

    assert "schedule 0\n" in _refuted(project, "TOK-001")


@pytest.mark.parametrize("document", [{"schedules": []}, [["0"]], "0,1"])
def test_file_of_kept_schedules_is_a_list_of_texts(project: Project, document: Any) -> None:
    """Anything else is told with its place."""
    project.write("schedules/TOK-001.json", json.dumps(document))

    with pytest.raises(ConfigWrong) as wrong:
        project.judge("TOK-001")

    assert "connectors/deals/schedules/TOK-001.json:1" in str(wrong.value)
    assert "is no list of schedules" in str(wrong.value)


def test_schedule_that_is_no_list_of_numbers_is_refused(project: Project) -> None:
    """It is said how one is written."""
    with pytest.raises(CallWrong, match="0,1,1"):
        project.judge("TOK-001", schedule="first,second")


def test_schedule_that_leads_nowhere_is_refused(project: Project) -> None:
    """A choice that there is none of is no verdict."""
    with pytest.raises(ScheduleUnfit):
        project.judge("TOK-001", schedule="9")
