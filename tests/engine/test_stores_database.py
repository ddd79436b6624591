"""The table as a store: its addresses, what is told when it fails, and what start-up costs."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from connproof.errors import CallWrong
from connproof.stores import DatabaseStore, Key
from postgres import empty_database

CONNECTOR = {
    "base_url": "https://canary.example.com",
    "auth": {"type": "none"},
    "pagination": {"type": "none"},
    "resources": {"rows": {"list": {"method": "GET", "path": "/rows"}}},
}


@pytest.mark.parametrize("url", ["", "configs.db", "not a url", "nosuch://user:s3cret@host/db", "https://s3cret@host"])
def test_what_is_no_database_is_refused(url: str) -> None:
    """Without the address in the message: it may hold a password."""
    with pytest.raises(CallWrong) as caught:
        DatabaseStore(url)

    assert "sqlite:///configs.db" in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_store_in_memory_is_refused(url: str) -> None:
    """Every thread would have its own."""
    with pytest.raises(CallWrong, match="in memory"):
        DatabaseStore(url)


def test_a_driver_that_is_missing_is_named() -> None:
    """With what to install."""
    with pytest.raises(CallWrong, match="needs pymssql, which is not installed"):
        DatabaseStore("mssql+pymssql://host/db")


def test_a_store_without_its_table_says_so(tmp_path: Path) -> None:
    """What was asked is not shown; where to read on is."""
    with (
        closing(DatabaseStore(f"sqlite:///{tmp_path}/new.db")) as store,
        pytest.raises(CallWrong, match="no such table") as caught,
    ):
        store.revisions([Key("shop")])

    assert "docs/stores.md" in str(caught.value)
    assert "SELECT" not in str(caught.value)


def test_a_server_that_is_not_there_is_told_without_the_password(tmp_path: Path) -> None:
    """The store is named by its host and database."""
    pytest.importorskip("psycopg", reason="needs the extra postgres")

    with (
        closing(DatabaseStore(f"postgresql://user:s3cret@/configs?host={tmp_path}")) as store,
        pytest.raises(CallWrong) as caught,
    ):
        store.read(Key("shop"))

    assert "postgresql:///configs" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_refused_row_is_not_quoted(postgres_url: str) -> None:
    """A server says what is wrong in the first line, and quotes the row below it."""
    import psycopg

    url = empty_database(postgres_url)
    with closing(DatabaseStore(url)) as store:
        store.create()
        document = json.dumps(CONNECTOR).encode()
        written = store.put(Key("shop"), document, expected=None)
        with psycopg.connect(url) as owner:
            owner.execute("ALTER TABLE connproof_documents ADD CHECK (level = '') NOT VALID")

        with pytest.raises(CallWrong, match="violates check constraint") as caught:
            store.put(Key("shop"), document, expected=written)

    assert "canary" not in str(caught.value)


def test_making_the_table_again_changes_nothing(tmp_path: Path) -> None:
    """Every machine may do so when it starts."""
    with closing(DatabaseStore(f"sqlite:///{tmp_path}/configs.db")) as store:
        store.create()
        store.create()

        assert (None,) == store.revisions([Key("shop")])


def test_start_up_does_not_load_the_database_library() -> None:
    """Who reads configs from files has no use for it."""
    asked = "import connproof.cli, sys; print([m for m in ('sqlalchemy', 'psycopg', 'sqlite3') if m in sys.modules])"

    loaded = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert "[]" == loaded.stdout.strip()
