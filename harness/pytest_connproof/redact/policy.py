"""What a connector adds to the rules that hold for everybody."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from types import MappingProxyType
from typing import Final

from connproof.model import Connector, LimitSource, frozen


@dataclass(frozen=True, slots=True)
class Policy:
    """What may be recorded, and what is secret, beyond the rules that hold for everybody.

    `headers`: further header names that are recorded, `token_headers`: those of token requests. `slots`: parameter,
    member or header names that hold a credential, to the name of their placeholder; `plain`: those that hold none,
    whatever they are called.
    `secrets`: values known to be secret; `named`: the same, to the name of their placeholder.

    What people wrote is replaced when traffic is taken, except for `literals`: words that mean something to the config,
    what `patterns` (RE2) of it find, and what stands under the member names `keep`.
    """

    headers: tuple[str, ...] = ()
    token_headers: tuple[str, ...] = ()
    slots: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    plain: tuple[str, ...] = ()
    secrets: tuple[str, ...] = field(default=(), repr=False)
    named: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    literals: frozenset[str] = frozenset()
    patterns: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()


def policy_for(connector: Connector) -> Policy:
    """What a connector adds: the headers that its config is responsible for or reads, and where its key is sent."""
    auth = connector.auth
    key = {"api_key": "api_key", "session": "session_token"}.get(auth.type)
    slots = {name: name for name, _ in auth.headers} | ({auth.name: key} if key else {})
    sent = {"authorization", "content-type", *_sent(connector), *(name for name, _ in auth.headers)}
    if key and auth.place == "header":
        sent.add(auth.name)
    said = list(_said(connector, ""))
    return Policy(
        tuple(sorted({name.lower() for name in {*sent, *_read(connector)}})),
        tuple(name.lower() for name, _ in auth.token.headers) if auth.token else (),
        frozen(slots),
        plain=tuple(sorted({one.idempotency.name for one in connector.operations() if one.idempotency})),
        literals=frozenset(text for text, is_pattern in said if not is_pattern),
        patterns=tuple(dict.fromkeys(text for text, is_pattern in said if is_pattern)),
    )


_QUOTED: Final = re.compile(r"""\"((?:[^"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'""")
_PATTERNS: Final = frozenset({"matches", "text", "pattern"})  # the words of a config whose texts are patterns


def _said(value: object, word: str) -> Iterator[tuple[str, bool]]:
    """Every text of a config, and whether it is a pattern; of an expression the texts that are quoted in it."""
    if isinstance(value, str):
        if word == "expression":
            yield from ((one or other, False) for one, other in _QUOTED.findall(value))
        elif value:
            yield value, word in _PATTERNS
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _said(inner, str(name))
    elif isinstance(value, tuple | list | frozenset):
        for inner in value:
            yield from _said(inner, word)
    elif is_dataclass(value):
        for own in fields(value):
            yield from _said(getattr(value, own.name), own.name)


def _sent(connector: Connector) -> Iterator[str]:
    """The request headers that the config names."""
    for headers in (connector.headers, *(operation.headers for operation in connector.operations())):
        yield from (name for name, _ in headers)
    version = connector.api_version
    if version and version.place == "header" and version.name:
        yield version.name
    for operation in connector.operations():
        if operation.idempotency and operation.idempotency.place == "header":
            yield operation.idempotency.name
        for word in ("cursor", "offset", "page", "key", "page_size"):
            if operation.pagination and getattr(operation.pagination, f"{word}_in") == "header":
                yield getattr(operation.pagination, f"{word}_param")
    for mapping in connector.unified.values():
        yield from (one.param for one in mapping.filters if one.place == "header")


def _read(connector: Connector) -> Iterator[str]:
    """The response headers that the config reads."""
    for operation in connector.operations():
        paging = operation.pagination
        if paging:
            named = (paging.cursor_header, paging.stop_header, paging.total_header, paging.header)
            yield from (name for name in named if name)
        for rule in connector.rules_for(operation):
            yield from (name for name, _ in rule.when.headers)
    for words in (connector.error_code, connector.error_message):
        yield from (place for place in words.places if isinstance(place, str))
    version = connector.api_version
    if version:
        yield from version.deprecation_headers
        if isinstance(version.served, str):
            yield version.served
    limits = connector.rate_limit
    if limits:
        budgets = (source for b in limits.budgets for source in (b.limit, b.remaining, b.used, b.reset, b.window))
        waits = (source for rule in limits.throttled for source in rule.wait)
        yield from (
            source.header
            for source in (*limits.wait, *waits, *budgets)
            if isinstance(source, LimitSource) and source.header
        )
