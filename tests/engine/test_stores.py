"""The same for every store: what was put is read back, a late writer is told, and nothing else gets in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from connproof.errors import CallWrong, ConfigWrong
from connproof.overrides import Layer, read_layer
from connproof.stores import ConfigStore, DatabaseStore, FileStore, Kept, Key, as_layer, base, revision_of
from postgres import empty_database

CONNECTOR: dict[str, Any] = {
    "base_url": "https://api.example.com",
    "auth": {"type": "bearer"},
    "pagination": {"type": "cursor", "cursor_field": "next", "page_size_param": "limit"},
    "resources": {"contacts": {"list": {"method": "GET", "path": "/contacts"}}},
    "unified": {"crm.contact": {"resource": "contacts", "fields": {"id": "id"}}},
}
BASE = json.dumps(CONNECTOR, indent=1).encode()
STAGING, ACME = Key("shop", "environment", "staging"), Key("shop", "account", "acme")
LAYERS = (STAGING, ACME)


@pytest.fixture(params=["files", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ConfigStore]:
    """An empty store of each kind."""
    if request.param == "files":
        yield FileStore(tmp_path / "connectors")
        return
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/configs.db"
    else:
        url = empty_database(request.getfixturevalue("postgres_url"))
    with closing(DatabaseStore(url)) as database:
        database.create()
        yield database


def patch(**fields: str) -> bytes:
    return json.dumps({"overrides": {"unified": {"crm.contact": {"fields": fields}}}}, indent=1).encode()


def put(store: ConfigStore, key: Key, data: bytes, expected: str | None = None) -> str:
    revision = store.put(key, data, expected=expected)
    assert revision is not None
    return revision


def overrides(store: ConfigStore, key: Key) -> Any:
    kept = store.read(key)
    assert kept is not None
    return read_layer(as_layer(key, kept))[0]


def test_an_empty_store_has_nothing(store: ConfigStore) -> None:
    """No document and no revision; a connector that is asked for is an error."""
    assert [None, None, None] == [store.read(key) for key in (Key("shop"), *LAYERS)]
    assert (None, None, None) == store.revisions([Key("shop"), *LAYERS])
    assert () == store.revisions([])
    with pytest.raises(CallWrong, match='no connector "shop"'):
        base(store, "shop")


def test_a_connector_is_read_back_byte_for_byte(store: ConfigStore) -> None:
    """Lines and columns of messages are those that its author sees."""
    put(store, Key("shop"), BASE)

    assert BASE == base(store, "shop").data


@pytest.mark.parametrize("key", LAYERS, ids=str)
def test_a_layer_is_read_back(store: ConfigStore, key: Key) -> None:
    """By its level and name; another's is not there."""
    put(store, Key("shop"), BASE)
    put(store, key, patch(name="näme"))

    assert {"unified": {"crm.contact": {"fields": {"name": "näme"}}}} == overrides(store, key)
    assert store.read(Key("shop", key.level, "other")) is None


def test_the_same_name_at_two_levels_is_two_documents(store: ConfigStore) -> None:
    """An account may be called like an environment, and like a connector."""
    put(store, Key("shop"), BASE)
    put(store, Key("shop", "environment", "shop"), patch(a="env"))
    put(store, Key("shop", "account", "shop"), patch(b="acc"))

    assert {"a"} == set(overrides(store, Key("shop", "environment", "shop"))["unified"]["crm.contact"]["fields"])
    assert {"b"} == set(overrides(store, Key("shop", "account", "shop"))["unified"]["crm.contact"]["fields"])
    assert BASE == base(store, "shop").data


def test_a_revision_changes_with_its_document_alone(store: ConfigStore) -> None:
    """And what is read has the revision that was asked for before."""
    keys = [Key("shop"), *LAYERS]
    first = put(store, Key("shop"), BASE)
    put(store, STAGING, patch(a="1"))
    before = store.revisions(keys)

    changed = put(store, STAGING, patch(a="2"), expected=before[1])

    assert (first, changed, None) == store.revisions(keys)
    assert changed != before[1]
    assert [changed] == [kept.revision for key in [STAGING] if (kept := store.read(key))]


def test_a_late_writer_is_told_and_writes_nothing(store: ConfigStore) -> None:
    """Who read before somebody else wrote must read again."""
    put(store, Key("shop"), BASE)
    seen = put(store, STAGING, patch(a="1"))
    put(store, STAGING, patch(a="2"), expected=seen)

    assert store.put(STAGING, patch(a="3"), expected=seen) is None
    assert {"a": "2"} == overrides(store, STAGING)["unified"]["crm.contact"]["fields"]


def test_a_new_document_replaces_none(store: ConfigStore) -> None:
    """Without a revision that is expected, a document that is there stays."""
    put(store, Key("shop"), BASE)

    assert store.put(Key("shop"), BASE + b"\n", expected=None) is None
    assert BASE == base(store, "shop").data


def test_a_revision_that_never_was_replaces_nothing(store: ConfigStore) -> None:
    """Not even where there is no document yet."""
    put(store, Key("shop"), BASE)

    assert store.put(STAGING, patch(a="1"), expected=revision_of(b"other")) is None
    assert store.read(STAGING) is None


@pytest.mark.parametrize("there", [False, True], ids=["new", "there"])
def test_of_writers_at_once_one_wins(store: ConfigStore, *, there: bool) -> None:
    """Eight threads with the same expectation, on a new document and on one that is there."""
    put(store, Key("shop"), BASE)
    seen = put(store, STAGING, patch(a="0")) if there else None

    with ThreadPoolExecutor(8) as threads:
        writing = [threads.submit(store.put, STAGING, patch(a=f"1.{n}"), expected=seen) for n in range(8)]
    won = [revision for future in writing if (revision := future.result()) is not None]

    assert 1 == len(won)
    assert tuple(won) == store.revisions([STAGING])


@pytest.mark.parametrize(
    ("key", "data", "said"),
    [
        (Key("shop"), b"{", "member name"),
        (Key("shop"), b'{"base_url": "https://api.example.com"}', '"auth" is missing'),
        (STAGING, b'{"overrides": {"base_url": "https://evil.example"}}', "may not be overridden"),
        (STAGING, patch(Bad="x"), "does not match"),
        (ACME, b'{"overrides": {}, "credentials": {"access_token": "t0ken"}}', 'unknown member "credentials"'),
        (ACME, b'{"overrides": {}, "variables": {}}', 'unknown member "variables"'),
        (STAGING, b"\xff", "not UTF-8"),
    ],
)
def test_what_could_not_be_read_back_is_not_taken(store: ConfigStore, key: Key, data: bytes, said: str) -> None:
    """A connector or a layer that is wrong, and any credentials: they are never in a config store."""
    put(store, Key("shop"), BASE)

    with pytest.raises(ConfigWrong) as caught:
        store.put(key, data, expected=None)

    assert said in str(caught.value)
    assert f"the new {key}" == caught.value.document
    assert "t0ken" not in str(caught.value)
    assert [BASE, None, None] == [kept and kept.data for kept in map(store.read, [Key("shop"), *LAYERS])]


def test_a_layer_needs_its_connector(store: ConfigStore) -> None:
    """Nothing says otherwise what it may override."""
    with pytest.raises(CallWrong, match="no connector"):
        store.put(STAGING, patch(a="1"), expected=None)


def test_messages_name_the_store_and_the_document(store: ConfigStore) -> None:
    """So that a line number leads somewhere."""
    put(store, Key("shop"), BASE)
    put(store, ACME, patch(a="1"))

    kept = store.read(ACME)

    assert kept is not None
    assert "acme" in kept.document
    assert "shop" in kept.document
    assert "overrides" not in repr(kept)


@pytest.mark.parametrize(
    "name",
    [
        "../other",
        "a/b",
        "a\\b",
        "..",
        ".",
        "",
        ".hidden",
        "a\0b",
        "a\n",
        "a b",
        "/etc/passwd",
        "C:x",
        "%2e%2e",
        "x" * 101,
        "é",
        "a;b",
        "'--",
    ],
)
@pytest.mark.parametrize("what", ["connector", "environment", "account"])
def test_S47_a_name_that_is_more_than_a_name_is_refused(what: Any, name: str) -> None:
    """Before it is part of a path or a statement: there is no key with such a name."""
    with pytest.raises(CallWrong, match="cannot be the name"):
        Key(name) if what == "connector" else Key("shop", what, name)


@pytest.mark.parametrize("name", ["acme", "ACME-7", "a@b.example", "0", "x" * 100, "a..b", "a+b_c"])
def test_names_of_accounts_may_be_what_products_use(name: str) -> None:
    """Numbers, addresses of mail, identifiers."""
    assert f"shop/account:{name}" == str(Key("shop", "account", name))


def test_a_kept_document_is_the_layer_that_its_key_says() -> None:
    """With what messages call it."""
    kept = Kept(b"{}", "accounts/acme.json", revision_of(b"{}"))

    assert Layer("account", "acme", b"{}", "accounts/acme.json") == as_layer(ACME, kept)
