"""What the words of a command name: a connector's document, the layers over it, and the account.

A connector and its layers are files of its folder, or documents of a database. An account's credentials are in
its file, wherever its overrides are.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from connproof.clock import SystemClock
from connproof.config import layered, locate
from connproof.errors import CallWrong, ConfigWrong
from connproof.live import check_mappings
from connproof.mapping import load_model
from connproof.model import Account, Connector
from connproof.overrides import Layer, read_layer
from connproof.places import JsonValue
from connproof.stores import ConfigStore, DatabaseStore, FileStore, Key, account_in, as_layer, base

__all__ = ["Named", "faults_of", "in_database", "in_files", "models_of"]


@dataclass(frozen=True, slots=True)
class Named:
    """A connector's document with what is laid over it, and on whose behalf it is asked. `home` is its folder."""

    home: Path
    data: bytes = field(repr=False)
    document: str
    layers: list[Layer]
    account: Account

    def connector(self, *, allow_loopback: bool) -> Connector:
        """Read, with its layers. Raises ConfigWrong."""
        return layered(self.data, self.layers, folder=self.home.name, name=self.document, allow_loopback=allow_loopback)


def in_files(connector: str, account: str | None, environment: str | None, *, unnamed: str | None = None) -> Named:
    """Documents of the connector's folder; `unnamed` is the account where none is named, if there is one.

    Raises CallWrong, ConfigWrong.
    """
    named = Path("connectors") / connector
    file = locate(named if not Path(connector).exists() and named.exists() else Path(connector))
    folder, home = _folder(file), file.resolve().parent
    layers = [] if environment is None else [_environment(folder, home.name, environment)]
    owner = Account()
    if account is None and unnamed is not None and (home / "accounts" / f"{unnamed}.json").exists():
        account = unnamed
    if account is not None:
        owner, own = _account(folder, home.name, account)
        layers.append(own)
    return Named(home, file.read_bytes(), str(file), layers, owner)


def in_database(connector: str, account: str | None, environment: str | None, url: str) -> Named:
    """Documents of a database, but for the account's credentials. Raises CallWrong, ConfigWrong."""
    folder = Path("connectors")
    with closing(DatabaseStore(url)) as store:
        kept = base(store, connector)
        layers = [] if environment is None else [_environment(store, connector, environment)]
        owner = Account()
        if account is not None:
            owner, beside = _account(FileStore(folder), connector, account)
            if read_layer(beside)[0]:
                raise CallWrong(
                    f"{beside.document} has overrides, and overrides are read from the store",
                    fix="put them there, or leave out --store",
                )
            key = Key(connector, "account", beside.name)
            own = store.read(key)
            layers += [] if own is None else [as_layer(key, own)]
    return Named(folder / connector, kept.data, kept.document, layers, owner)


def _folder(file: Path) -> FileStore:
    """The folder of connectors in which a connector.json is; as it was written, where that names it."""
    home = file.resolve().parent
    return FileStore(file.parent.parent if file.parent.name == home.name else home.parent)


def _environment(store: ConfigStore, connector: str, name: str) -> Layer:
    key = Key(connector, "environment", name)
    kept = store.read(key)
    if kept is None:
        raise CallWrong(f'{connector} has no environment "{name}"', fix="name another, or write its document")
    return as_layer(key, kept)


def _account(folder: FileStore, connector: str, account: str) -> tuple[Account, Layer]:
    """What is written as a path is one; a name is that of a file in the connector's folder."""
    path = Path(account)
    if path.suffix == ".json" or path.name != account:
        return account_in(path), Layer("account", path.stem, path.read_bytes(), str(path))
    key = Key(connector, "account", account)
    owner, kept = folder.account(connector, account), folder.read(key)
    assert kept is not None, "the account was read from it"
    return owner, as_layer(key, kept)


def faults_of(file: Path, *, allow_loopback: bool) -> list[str]:
    """What is wrong in a connector's document, else in those of its environments and accounts."""
    home, data = file.resolve().parent, file.read_bytes()

    def fault(*layers: Layer) -> str | None:
        try:
            loaded = layered(data, layers, folder=home.name, name=str(file), allow_loopback=allow_loopback)
            check_mappings(loaded, models_of(loaded, home), SystemClock())
        except ConfigWrong as wrong:
            return str(wrong)
        return None

    if alone := fault():
        return [alone]
    folder = _folder(file)
    environments, accounts = folder.layers(home.name, "environment"), folder.layers(home.name, "account")
    faults = {layer: fault(layer) for layer in (*environments, *accounts)}
    # What is right by itself may still be wrong over an environment.
    together = [
        fault(environment, account)
        for environment in environments
        for account in accounts
        if faults[environment] is None and faults[account] is None
    ]
    return list(dict.fromkeys(text for text in (*faults.values(), *together) if text is not None))


def models_of(connector: Connector, home: Path) -> dict[str, JsonValue]:
    """The unified models that a connector maps to, from the folder beside its own."""
    folder = home.resolve().parent / "unified"
    return {model: load_model(folder, model) for model in connector.unified} if folder.is_dir() else {}
