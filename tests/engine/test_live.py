"""A change in the store takes effect on the next request of the same process, for whom it is meant and nobody else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from connproof.errors import CallWrong, ConfigWrong, MappingFailed
from connproof.live import Live
from connproof.mapping import CompiledMapping
from connproof.places import JsonValue
from connproof.stores import ConfigStore, DatabaseStore, FileStore, Kept, Key
from scripted import Provider, answer

CONNECTOR: dict[str, Any] = {
    "base_url": "https://api.example/v1",
    "auth": {"type": "bearer"},
    "pagination": {
        "type": "offset",
        "offset_param": "o",
        "page_size_param": "n",
        "default_page_size": 2,
        "short_page": "stop",
    },
    "resources": {"contacts": {"list": {"method": "GET", "path": "/contacts", "response_path": "items"}}},
    "unified": {"crm.contact": {"resource": "contacts", "fields": {"id": "id"}}},
}
RECORD: dict[str, JsonValue] = {"id": 1, "name": "Ann", "tier": "gold"}
BASE, STAGING = Key("shop"), Key("shop", "environment", "staging")
ACME, GLOBEX = Key("shop", "account", "acme"), Key("shop", "account", "globex")


class Counting:
    """A store that tells which documents were read from it."""

    def __init__(self, store: ConfigStore) -> None:
        self._store = store
        self.reads: list[str] = []

    def read(self, key: Key) -> Kept | None:
        self.reads.append(str(key))
        return self._store.read(key)

    def revisions(self, keys: Sequence[Key]) -> tuple[str | None, ...]:
        return self._store.revisions(keys)

    def put(self, key: Key, data: bytes, *, expected: str | None) -> str | None:
        return self._store.put(key, data, expected=expected)


class Shop:
    """A store with one connector and two accounts, and a provider with one record."""

    def __init__(self, folder: Path, store: ConfigStore) -> None:
        files = FileStore(folder)
        self.accounts = folder / "shop" / "accounts"
        self.store = Counting(store)
        self.provider = Provider(lambda _request: answer({"items": [RECORD]}))
        self.live = Live(self.store, files, self.provider, models={})
        self.put(BASE, CONNECTOR)

    def put(self, key: Key, document: Any) -> None:
        [expected] = self.store.revisions([key])
        written = self.store.put(key, json.dumps(document, indent=1).encode(), expected=expected)
        assert written is not None
        self.store.reads.clear()

    def maps(self, key: Key, **fields: str | None) -> None:
        self.put(key, {"overrides": {"unified": {"crm.contact": {"fields": fields}}}})

    def read(self, account: str, environment: str | None = None) -> list[JsonValue]:
        async def whole() -> list[JsonValue]:
            engine = await self.live.engine("shop", account, environment)
            return [record async for record in engine.read("contacts")]

        return asyncio.run(whole())


@pytest.fixture(params=["files", "sqlite"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """Both stores; the accounts' credentials are in files either way."""
    folder = tmp_path / "connectors"
    accounts = folder / "shop" / "accounts"
    accounts.mkdir(parents=True)
    for name in ("acme", "globex"):
        (accounts / f"{name}.json").write_text(json.dumps({"credentials": {"access_token": f"{name}-token"}}))
    if request.param == "files":
        yield Shop(folder, FileStore(folder))
        return
    with closing(DatabaseStore(f"sqlite:///{tmp_path}/configs.db")) as database:
        database.create()
        yield Shop(folder, database)


def test_a_change_takes_effect_on_the_next_read(shop: Shop) -> None:
    """The account's new field is there; another account's records are as they were."""
    before = shop.read("acme"), shop.read("globex")

    shop.maps(ACME, name="name")

    assert ([{"id": 1}], [{"id": 1}]) == before
    assert [{"id": 1, "name": "Ann"}] == shop.read("acme")
    assert [{"id": 1}] == shop.read("globex")


def test_what_was_changed_can_be_changed_back(shop: Shop) -> None:
    """A removed override is gone with the next request."""
    shop.maps(ACME, name="name")
    shop.read("acme")

    shop.put(ACME, {"overrides": {}})

    assert [{"id": 1}] == shop.read("acme")


def test_a_change_of_the_connector_reaches_every_account(shop: Shop) -> None:
    """Below what each of them overrides."""
    shop.maps(ACME, id="name")
    shop.read("acme"), shop.read("globex")

    shop.put(
        BASE, {**CONNECTOR, "unified": {"crm.contact": {"resource": "contacts", "fields": {"id": "tier", "t": "tier"}}}}
    )

    assert [{"id": "Ann", "t": "gold"}] == shop.read("acme")
    assert [{"id": "gold", "t": "gold"}] == shop.read("globex")


def test_an_environment_is_between_the_connector_and_the_account(shop: Shop) -> None:
    """And is laid on only for calls that name it."""
    shop.maps(STAGING, id="tier", name="tier")
    shop.maps(ACME, name="name")

    assert [{"id": "gold", "name": "Ann"}] == shop.read("acme", "staging")
    assert [{"id": "gold", "name": "gold"}] == shop.read("globex", "staging")
    assert [{"id": 1, "name": "Ann"}] == shop.read("acme")


def test_what_did_not_change_is_not_read_again(shop: Shop) -> None:
    """A connector is read once for all its accounts, and after a change only what changed."""
    shop.maps(STAGING, name="tier")
    shop.read("acme", "staging"), shop.read("globex", "staging"), shop.read("acme", "staging")
    first = list(shop.store.reads)

    shop.maps(STAGING, name="name")
    shop.read("acme", "staging")

    assert ["shop", "shop/environment:staging"] == [read for read in first if "account" not in read]
    assert ["shop/environment:staging"] == [read for read in shop.store.reads if "account" not in read]


def test_an_unchanged_account_keeps_its_compiled_mappings(shop: Shop) -> None:
    """And no two accounts share any."""

    def compiled() -> list[CompiledMapping]:
        shop.read("acme"), shop.read("globex")
        return [made.mappings["crm.contact"] for made in shop.live._made.values()]

    first, again = compiled(), compiled()

    assert [id(mapping) for mapping in first] == [id(mapping) for mapping in again]
    assert 2 == len({id(mapping) for mapping in first})


def test_each_account_has_its_own_credentials(shop: Shop) -> None:
    """Read for each engine: new ones are used by the next request."""
    shop.read("acme"), shop.read("globex")
    (shop.accounts / "acme.json").write_text(json.dumps({"credentials": {"access_token": "new"}}))
    shop.read("acme")

    assert ["Bearer acme-token", "Bearer globex-token", "Bearer new"] == [
        request.header("authorization") for request in shop.provider.requests
    ]


def test_an_engine_at_work_is_not_changed(shop: Shop) -> None:
    """A read goes on as it began: the change is for the next one."""

    async def through() -> list[list[JsonValue]]:
        engine = await shop.live.engine("shop", "acme")
        shop.maps(ACME, name="name")
        return [[record async for record in engine.read("contacts")] for _ in range(2)]

    assert [[{"id": 1}], [{"id": 1}]] == asyncio.run(through())


def test_a_broken_expression_is_told_before_anything_is_asked(shop: Shop) -> None:
    """With the account's document; the other account reads on."""
    shop.maps(ACME, name="((")

    with pytest.raises(ConfigWrong) as caught:
        shop.read("acme")

    assert "acme" in caught.value.document
    assert "/overrides/unified/crm.contact/fields/name" == caught.value.problems[0].pointer
    assert [] == shop.provider.requests
    assert [{"id": 1}] == shop.read("globex")


def test_a_repaired_expression_is_used(shop: Shop) -> None:
    """A failure is not remembered."""
    shop.maps(ACME, name="((")
    with pytest.raises(ConfigWrong):
        shop.read("acme")

    shop.maps(ACME, name="name")

    assert [{"id": 1, "name": "Ann"}] == shop.read("acme")


@pytest.mark.parametrize(
    ("connector", "account", "environment", "said"),
    [
        ("nowhere", "acme", None, "no account file"),
        ("shop", "nobody", None, "no account file"),
        ("shop", "acme", "nowhere", "the store has no shop/environment:nowhere"),
        ("../shop", "acme", None, "cannot be the name"),
        ("shop", "../acme", None, "cannot be the name"),
    ],
)
def test_what_is_not_there_is_an_error(
    shop: Shop, connector: str, account: str, environment: str | None, said: str
) -> None:
    """A misspelt environment is not the same as none."""
    with pytest.raises(CallWrong, match=said):
        asyncio.run(shop.live.engine(connector, account, environment))


def test_the_least_recently_asked_is_forgotten(shop: Shop, tmp_path: Path) -> None:
    """Memory is bounded by a number of accounts; a forgotten one is made again."""
    live = Live(shop.store, FileStore(tmp_path / "connectors"), shop.provider, models={}, most=1)

    async def kept() -> list[int]:
        return [len(live._made) for name in ("acme", "globex", "acme") if await live.engine("shop", name)]

    assert [1, 1, 1] == asyncio.run(kept())


def test_messages_of_a_mapping_lead_to_the_layer(shop: Shop) -> None:
    """A record on which an account's expression fails: field, expression, document, line and level."""
    shop.maps(ACME, name="$number(name)")

    with pytest.raises(MappingFailed) as caught:
        shop.read("acme")

    assert "/overrides/unified/crm.contact/fields/name (account:acme)" in str(caught.value)
    assert "Ann" not in str(caught.value)
