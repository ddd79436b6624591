"""What a connector adds to the rules that hold for everybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from connproof.model import Connector, frozen


@dataclass(frozen=True, slots=True)
class Policy:
    """What may be recorded, and what is secret, beyond the rules that hold for everybody.

    `headers`: further header names that are recorded. `slots`: parameter, member or header names
    that hold a credential, to the name of their placeholder. `secrets`: values known to be secret.
    """

    headers: tuple[str, ...] = ()
    slots: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    secrets: tuple[str, ...] = field(default=(), repr=False)


def policy_for(connector: Connector) -> Policy:
    """What a connector adds: the headers that its config is responsible for, and where its key is sent."""
    auth, version = connector.auth, connector.api_version
    pagings = [operation.pagination for operation in connector.operations() if operation.pagination]
    words = ("cursor", "offset", "page", "key", "page_size")
    placed = [getattr(p, f"{word}_param") for p in pagings for word in words if getattr(p, f"{word}_in") == "header"]
    read = [name for p in pagings for name in (p.cursor_header, p.stop_header, p.total_header, p.header) if name]
    own = [name for headers in (connector.headers, *(o.headers for o in connector.operations())) for name, _ in headers]
    key = [auth.name] if auth.type == "api_key" and auth.place == "header" else []
    named = [version.name] if version and version.place == "header" and version.name else []
    names = {name.lower() for name in (*own, *key, *named, *placed, *read, "authorization", "content-type")}
    return Policy(tuple(sorted(names)), frozen({auth.name: "api_key"} if auth.type == "api_key" else {}))
