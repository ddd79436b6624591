"""What recorded answers say, read without the engine's loop: what each means, and the records in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from connproof.decode import decode, decode_as_sent
from connproof.errors import (
    AccessRefused,
    CursorExpired,
    NotFound,
    ProviderBroke,
    ProviderBusy,
    ProviderDown,
    ProviderFailed,
    ProviderSaid,
    RequestRefused,
    VersionGone,
)
from connproof.model import Connector, Meaning, Operation, Response
from connproof.outcome import Verdict, judged
from connproof.places import Absent, JsonValue

__all__ = ["CAUGHT_AS", "document_in", "meaning_of", "records_in"]

# What a caller catches, by the word that the rules give.
CAUGHT_AS: Final[Mapping[Meaning | None, type[ProviderSaid]]] = MappingProxyType(
    {
        "throttled": ProviderBusy,
        "auth_expired": AccessRefused,
        "auth_revoked": AccessRefused,
        "forbidden": AccessRefused,
        "not_found": NotFound,
        "invalid": RequestRefused,
        "cursor_expired": CursorExpired,
        "version_gone": VersionGone,
        "transient": ProviderDown,
        "failed": ProviderFailed,
        None: ProviderBroke,
    }
)


def meaning_of(connector: Connector, operation: Operation, response: Response) -> Verdict:
    """What the config's rules, or the status, make of an answer."""
    return judged(response, document_in(operation, response), connector.rules_for(operation), conditional=True)


def document_in(operation: Operation, response: Response) -> JsonValue | Absent:
    """The decoded body: JSON by the standard library's parser, all else by the engine's; ABSENT where there is none."""
    body = response.body
    if body[:1] in {b"{", b"["}:
        try:
            document: JsonValue = json.loads(body)
        except ValueError:  # as the engine has it: what cannot be read is there all the same
            return decode_as_sent(response, declared=operation.decode).value
        return document
    if response.status >= 400:  # what is declared is declared of successes
        return decode_as_sent(response, declared=operation.decode).value
    try:
        return decode(response, declared=operation.decode)
    except ProviderSaid:
        return decode_as_sent(response, declared=operation.decode).value


def records_in(operation: Operation, response: Response) -> list[JsonValue]:
    """The records of an answer that is a success; of an operation that gives one, the one."""
    document = document_in(operation, response)
    if isinstance(document, Absent):
        return [] if operation.is_list else [None]
    found = operation.response_path.find(document) if operation.response_path else document
    if not operation.is_list:
        return [] if isinstance(found, Absent) else [found]
    return found if isinstance(found, list) else []
