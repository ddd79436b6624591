"""What every store of configs has in common: how a document is named, and what a store can be asked.

A name becomes part of a path or of a row, and says nothing but itself there: a `Key` that exists has no
separator in it and nothing that climbs. A revision is a digest of the document's bytes: the same exactly
where they are, in whatever store. So it tells what changed since it was read, and who was faster.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol, TypeAlias

from connproof.config import layered
from connproof.documents import PLATFORM_BASE
from connproof.errors import CallWrong
from connproof.model import Account
from connproof.overrides import Layer, read_layer

__all__ = ["AccountStore", "ConfigStore", "Kept", "Key", "Level", "as_layer", "base", "refuse_unfit", "revision_of"]

Level: TypeAlias = Literal["platform base", "environment", "account"]

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}")


@dataclass(frozen=True, slots=True)
class Key:
    """Which document: a connector's own (`name` is ""), or that of one environment or account. Raises CallWrong."""

    connector: str
    level: Level = PLATFORM_BASE
    name: str = ""

    def __post_init__(self) -> None:
        named: list[tuple[str, str]] = [("connector", self.connector)]
        if self.level != PLATFORM_BASE:
            named.append((self.level, self.name))
        for what, name in named:
            if not _NAME.fullmatch(name):
                raise CallWrong(
                    f"{name[:100]!r} cannot be the name of a connector, an environment or an account",
                    facts={"asked for as": what},
                    fix="a name has up to 100 letters, digits and . _ @ + -, and starts with a letter or a digit",
                )
        assert bool(self.name) == (self.level != PLATFORM_BASE), "a layer has a name, the base has its connector's"

    def __str__(self) -> str:
        return self.connector if self.level == PLATFORM_BASE else f"{self.connector}/{self.level}:{self.name}"


@dataclass(frozen=True, slots=True)
class Kept:
    """A document as a store has it. `document` is what messages call it."""

    data: bytes = field(repr=False)
    document: str
    revision: str


class ConfigStore(Protocol):
    """Where configs and overrides are. Never credentials: a document with any is not taken."""

    def read(self, key: Key) -> Kept | None:
        """The document, None where there is none."""
        ...

    def revisions(self, keys: Sequence[Key]) -> tuple[str | None, ...]:
        """What `read` would give as each one's revision, without the documents; None where there is none."""
        ...

    def put(self, key: Key, data: bytes, *, expected: str | None) -> str | None:
        """Write a document over the revision that is expected, None for a new one. Gives its new revision.

        None, and nothing is written, where the store has another revision: somebody was faster. Raises
        ConfigWrong for a document that could not be read back as what its key says.
        """
        ...


class AccountStore(Protocol):
    """Where accounts are: their credentials and variables."""

    def account(self, connector: str, name: str) -> Account:
        """Raises CallWrong where there is none, ConfigWrong."""
        ...


def revision_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def base(store: ConfigStore, connector: str) -> Kept:
    """A connector's own document. Raises CallWrong where the store has none."""
    kept = store.read(Key(connector))
    if kept is None:
        raise CallWrong(f'the store has no connector "{connector}"', fix="put its connector.json there first")
    return kept


def as_layer(key: Key, kept: Kept) -> Layer:
    """The layer that a kept document is."""
    assert key.level != PLATFORM_BASE, "the base is no layer"
    return Layer(key.level, key.name, kept.data, kept.document)


def refuse_unfit(store: ConfigStore, key: Key, data: bytes) -> None:
    """Hold a document that is about to be written against what it must be. Raises CallWrong, ConfigWrong."""
    name = f"the new {key}"
    # Whether a loopback address may be asked is for whoever reads it back to say.
    if key.level == PLATFORM_BASE:
        layered(data, (), folder=key.connector, name=name, allow_loopback=True)
        return
    read_layer(Layer("environment", key.name, data, name))  # which has overrides alone: no credentials come in here
    layered(
        base(store, key.connector).data,
        [Layer(key.level, key.name, data, name)],
        folder=key.connector,
        allow_loopback=True,
    )
