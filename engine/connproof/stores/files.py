"""The store that is a folder: `<connector>/connector.json`, and beside it `environments/` and `accounts/`.

An account's file also holds its credentials. They stay as they are when its overrides are written, and no
document that is put may have any. A path that leads out of the folder, by whatever links, is not followed.

One `FileStore` writes at a time: between the look and the write of a second one, a change could be lost. Who
writes from several processes shares a database.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Literal

from connproof.config import load_account_document
from connproof.documents import PLATFORM_BASE, read_json
from connproof.errors import CallWrong
from connproof.model import Account, frozen
from connproof.overrides import Layer
from connproof.stores.keys import Kept, Key, as_layer, refuse_unfit, revision_of

__all__ = ["FileStore", "account_in"]

_FOLDERS = {"environment": "environments", "account": "accounts"}


class FileStore:
    """Configs, overrides and accounts in a folder of connectors."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writing = Lock()

    def read(self, key: Key) -> Kept | None:
        path = self._path(key)
        data = self._data(path)
        return None if data is None else Kept(data, str(path), revision_of(data))

    def revisions(self, keys: Sequence[Key]) -> tuple[str | None, ...]:
        # The bytes are read, and not only when they were changed: two changes may fall into one tick of that clock.
        every = (self._data(self._path(key)) for key in keys)
        return tuple(None if data is None else revision_of(data) for data in every)

    def put(self, key: Key, data: bytes, *, expected: str | None) -> str | None:
        refuse_unfit(self, key, data)
        path = self._path(key)
        with self._writing:
            there = self._data(path)
            if (None if there is None else revision_of(there)) != expected:
                return None
            if key.level == "account" and there is not None:
                data = _with_overrides_of(there, data, str(path))
            _write(path.resolve(), data, private=key.level == "account")
        return revision_of(data)

    def layers(self, connector: str, level: Literal["environment", "account"]) -> list[Layer]:
        """Every layer of this level that lies in the folder, by name. Raises CallWrong."""
        files = sorted((self._folder / connector / _FOLDERS[level]).glob("[!.]*.json"))
        kept = [(key := Key(connector, level, file.stem), self.read(key)) for file in files]
        return [as_layer(key, found) for key, found in kept if found is not None]

    def account(self, connector: str, name: str) -> Account:
        """An account from its file. Raises CallWrong, ConfigWrong; no message shows a value of it."""
        path = self._path(Key(connector, "account", name))
        self._inside(path)
        return account_in(path)

    def _path(self, key: Key) -> Path:
        home = self._folder / key.connector
        if key.level == PLATFORM_BASE:
            return home / "connector.json"
        return home / _FOLDERS[key.level] / f"{key.name}.json"

    def _data(self, path: Path) -> bytes | None:
        try:
            return self._inside(path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _inside(self, path: Path) -> Path:
        """Where the path really leads. Raises CallWrong where that is not in the folder."""
        real = path.resolve()
        if not real.is_relative_to(self._folder.resolve()):
            raise CallWrong(
                f"{path} leads out of the folder of connectors; it was not read",
                facts={"folder": str(self._folder)},
                fix="put the file itself there, not a link",
            )
        return real


def account_in(path: Path) -> Account:
    """The account that a file holds. Its name is the file's, unless it says another. Raises CallWrong, ConfigWrong."""
    said = load_account_document(path)
    return Account(said.get("name", path.stem), frozen(said.get("credentials", {})), frozen(said.get("variables", {})))


def _with_overrides_of(there: bytes, new: bytes, name: str) -> bytes:
    document, _ = read_json(there, name)
    patch, _ = read_json(new, name)
    assert isinstance(document, dict)
    assert isinstance(patch, dict), "it was read as a layer"
    merged = {**document, "overrides": patch.get("overrides", {})}
    return f"{json.dumps(merged, ensure_ascii=False, indent=2)}\n".encode()


def _write(path: Path, data: bytes, *, private: bool) -> None:
    """Replace a file as a whole: whoever reads it meanwhile has the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        with suppress(FileNotFoundError):
            shutil.copymode(path, beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
