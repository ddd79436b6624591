"""The folder as a store: what lies where, what stays untouched, and where no link leads."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from connproof.errors import CallWrong, ConfigWrong
from connproof.stores import FileStore, Key, revision_of

BASE = json.dumps(
    {
        "base_url": "https://api.example.com",
        "auth": {"type": "bearer"},
        "resources": {"contacts": {"list": {"method": "GET", "path": "/contacts"}}},
        "unified": {"crm.contact": {"resource": "contacts", "fields": {"id": "id"}}},
    }
).encode()
PATCH = b'{"overrides": {"unified": {"crm.contact": {"fields": {"name": "n"}}}}}'
ACME = Key("shop", "account", "acme")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of connectors with one in it, and one account with credentials."""
    home = tmp_path / "connectors"
    (home / "shop" / "accounts").mkdir(parents=True)
    (home / "shop" / "connector.json").write_bytes(BASE)
    account = {"name": "Acme", "credentials": {"access_token": "t0ken"}, "variables": {"region": "eu"}}
    (home / "shop" / "accounts" / "acme.json").write_text(json.dumps(account))
    return home


def test_documents_lie_where_people_look_for_them(folder: Path) -> None:
    """Beside the connector, by level and name."""
    store = FileStore(folder)

    written = [store.put(Key("shop", level, "new"), PATCH, expected=None) for level in ("environment", "account")]

    assert [revision_of(PATCH), revision_of(PATCH)] == written
    assert PATCH == (folder / "shop" / "environments" / "new.json").read_bytes()
    assert PATCH == (folder / "shop" / "accounts" / "new.json").read_bytes()


def test_overrides_are_written_beside_the_credentials(folder: Path) -> None:
    """Which stay as they are, with the name and the variables."""
    store, file = FileStore(folder), folder / "shop" / "accounts" / "acme.json"
    before = json.loads(file.read_bytes())

    store.put(ACME, PATCH, expected=store.revisions([ACME])[0])

    assert {**before, **json.loads(PATCH)} == json.loads(file.read_bytes())
    assert "t0ken" == store.account("shop", "acme").credentials["access_token"]


def test_an_accounts_file_is_for_its_owner_alone(folder: Path) -> None:
    """A new one; one that is there keeps who may read it."""
    store, there = FileStore(folder), folder / "shop" / "accounts" / "acme.json"
    there.chmod(0o640)

    store.put(Key("shop", "account", "new"), PATCH, expected=None)
    store.put(ACME, PATCH, expected=store.revisions([ACME])[0])

    assert 0o600 == (folder / "shop" / "accounts" / "new.json").stat().st_mode & 0o777
    assert 0o640 == there.stat().st_mode & 0o777


def test_a_write_leaves_one_whole_file(folder: Path) -> None:
    """And nothing else beside it."""
    store = FileStore(folder)

    store.put(ACME, PATCH, expected=store.revisions([ACME])[0])

    assert ["acme.json"] == [file.name for file in (folder / "shop" / "accounts").iterdir()]


def test_a_write_that_fails_leaves_the_old_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk loses nothing and leaves nothing."""
    store, file = FileStore(folder), folder / "shop" / "accounts" / "acme.json"
    before = file.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.put(ACME, PATCH, expected=revision_of(before))

    assert before == file.read_bytes()
    assert ["acme.json"] == [left.name for left in file.parent.iterdir()]


def test_an_account_is_read_with_its_name(folder: Path) -> None:
    """Its own, else the file's; its overrides are not part of it."""
    store = FileStore(folder)
    (folder / "shop" / "accounts" / "other.json").write_bytes(PATCH)

    acme, other = store.account("shop", "acme"), store.account("shop", "other")

    assert ("Acme", {"region": "eu"}) == (acme.name, dict(acme.variables))
    assert ("other", {}) == (other.name, dict(other.credentials))


def test_an_account_that_is_not_there_is_an_error(folder: Path) -> None:
    """It says where a file was looked for."""
    with pytest.raises(CallWrong, match=r"no account file at .*accounts/nobody\.json"):
        FileStore(folder).account("shop", "nobody")


def test_the_layers_of_a_folder_are_listed(folder: Path) -> None:
    """By name, without files that are being written."""
    (folder / "shop" / "accounts" / "b.json").write_bytes(PATCH)
    (folder / "shop" / "accounts" / ".c.json").write_bytes(b"half a fi")

    assert ["acme", "b"] == [layer.name for layer in FileStore(folder).layers("shop", "account")]
    assert [] == FileStore(folder).layers("shop", "environment")


@pytest.mark.parametrize("level", ["environment", "account"])
def test_S46_a_link_that_leads_out_is_not_followed(folder: Path, tmp_path: Path, level: str) -> None:
    """Not to read, not to look, not to write, not to list."""
    secret = tmp_path / "secret.json"
    secret.write_bytes(b'{"overrides": {}}')
    place = folder / "shop" / {"environment": "environments", "account": "accounts"}[level]
    place.mkdir(exist_ok=True)
    (place / "out.json").symlink_to(secret)
    store, key = FileStore(folder), Key("shop", level, "out")  # type: ignore[arg-type]  # one of the two words

    for asked in (
        lambda: store.read(key),
        lambda: store.revisions([key]),
        lambda: store.put(key, PATCH, expected=None),
        lambda: store.layers("shop", key.level),  # type: ignore[arg-type]  # as above
    ):
        with pytest.raises(CallWrong, match="leads out of the folder"):
            asked()
    assert b'{"overrides": {}}' == secret.read_bytes()


def test_S46_credentials_are_not_read_through_a_link_that_leads_out(folder: Path, tmp_path: Path) -> None:
    """An account's file is in the folder."""
    (tmp_path / "elsewhere.json").write_bytes(b"{}")
    (folder / "shop" / "accounts" / "out.json").symlink_to(tmp_path / "elsewhere.json")

    with pytest.raises(CallWrong, match="leads out of the folder"):
        FileStore(folder).account("shop", "out")


def test_S46_a_connector_folder_that_is_a_link_out_is_not_followed(folder: Path, tmp_path: Path) -> None:
    """Nor the whole of it."""
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "connector.json").write_bytes(BASE)
    (folder / "foreign").symlink_to(tmp_path / "foreign")

    with pytest.raises(CallWrong, match="leads out of the folder"):
        FileStore(folder).read(Key("foreign"))


def test_a_link_inside_the_folder_is_followed(folder: Path) -> None:
    """As clusters mount their files; a write replaces what it leads to."""
    home = folder / "shop" / "environments"
    home.mkdir()
    (folder / "shop" / "data.json").write_bytes(b'{"overrides": {}}')
    (home / "staging.json").symlink_to(folder / "shop" / "data.json")
    store, key = FileStore(folder), Key("shop", "environment", "staging")

    store.put(key, PATCH, expected=store.revisions([key])[0])

    assert (home / "staging.json").is_symlink()
    assert PATCH == (folder / "shop" / "data.json").read_bytes()


def test_a_change_within_one_tick_of_the_clock_is_seen(folder: Path) -> None:
    """The revision is of the bytes: not of their number, nor of their time."""
    store, file = FileStore(folder), folder / "shop" / "connector.json"
    before, times = store.revisions([Key("shop")]), file.stat()
    file.write_bytes(BASE.replace(b"contacts", b"contakts"))
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))

    assert before != store.revisions([Key("shop")])


def test_an_accounts_file_that_is_wrong_is_not_written_over(folder: Path) -> None:
    """Its credentials could not be kept."""
    file = folder / "shop" / "accounts" / "acme.json"
    file.write_bytes(b'{"credentials": {"access_token": "t0ken"')

    with pytest.raises(ConfigWrong) as caught:
        FileStore(folder).put(ACME, PATCH, expected=revision_of(file.read_bytes()))

    assert "t0ken" not in str(caught.value)
    assert b'{"credentials": {"access_token": "t0ken"' == file.read_bytes()
