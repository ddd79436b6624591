"""Every recorded answer of a source of the corpus, and what a provider's config makes of it.

The configs are those of the engine's tests, with one operation that takes any answer in place of their own. Some
recorders put `<NAME>` in place of digits of a JSON number: they are 1 here.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final

import formats
from connproof.clock import FixedClock, SystemClock
from connproof.config import parse
from connproof.errors import ProviderSaid
from connproof.model import Connector, Request, Response
from connproof.places import JsonValue
from connproof.run import Engine, Written
from listings import CORPUS
from providers import document
from pytest_connproof.foreign import ForeignUnreadable
from scripted import scripted

__all__ = ["Answered", "answers", "elements", "judging", "meaning", "members", "written"]

_BARE = re.compile(rb"(?<=[:,\[ 0-9])(?:<[A-Z][A-Z_]*[A-Z]>)+(?=[,}\]\s0-9])")


@dataclass(frozen=True, slots=True)
class Answered:
    """One recorded answer, and what it is called in a message: its file, and its number there."""

    id: str
    request: Request
    response: Response
    document: JsonValue


@cache
def answers(source: str) -> tuple[Answered, ...]:
    """Every recorded answer of a source that is JSON, in the order of files and exchanges; () without the corpus."""
    return tuple(_answers(source))


def _answers(source: str) -> Iterator[Answered]:
    for path in sorted((CORPUS / source).rglob("*")):
        if not path.is_file():
            continue
        try:
            tape = formats.read(path)
        except ForeignUnreadable:  # a licence, a body without its request
            continue
        for number, taped in enumerate(tape.exchanges, 1):
            body = _BARE.sub(b"1", taped.response.body)
            try:
                value = json.loads(body)
            except ValueError:
                continue
            response = Response(taped.response.status, taped.response.headers, body)
            yield Answered(f"{path.relative_to(CORPUS)}#{number}", taped.request, response, value)


# A provider that has a flag for success and no config in the engine's tests.
_FLAG: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "errors": [{"when": {"status": "2xx", "body": {"success": False}}, "means": "failed"}],
        "error_code": "error.code",
        "error_message": ["error.message", "error"],
    }
)


def judging(provider: str | None, elements: Mapping[str, Any] | None = None, **words: Any) -> Connector:
    """A provider's config, its errors and rate limits, with one operation for any answer.

    Without a provider: a flag for success. `elements` are the words by which the operation finds a batch's results;
    `words` replace the config's own.
    """
    said = _FLAG if provider is None else document(provider)
    kept = {word: said[word] for word in ("errors", "rate_limit", "error_code", "error_message") if word in said}
    operation: dict[str, Any] = {"method": "POST", "path": "/any", "decode": "json"}
    if elements is not None:
        operation["elements"] = dict(elements)
    config = {"base_url": "https://provider.test", "auth": {"type": "none"}, **kept, **words}
    config["resources"] = {"any": {"send": operation}}
    return parse(json.dumps(config).encode(), folder=provider or "flag")


def meaning(connector: Connector, answered: Answered, clock: FixedClock | None = None) -> ProviderSaid | None:
    """The error that the config calls this answer, None where it is a success."""
    try:
        written(connector, answered, clock)
    except ProviderSaid as said:
        return said
    return None


def written(connector: Connector, answered: Answered, clock: FixedClock | None = None) -> Written:
    """What comes of a write that is answered like this. Raises ProviderSaid."""
    provider = scripted(answered.response)
    return asyncio.run(Engine(connector, provider, clock=clock or SystemClock()).write("any", "send"))


def members(value: JsonValue) -> Mapping[str, JsonValue]:
    """The members of an object; none of anything else."""
    return value if isinstance(value, dict) else {}


def elements(value: JsonValue) -> list[JsonValue]:
    """The elements of a list; none of anything else."""
    return value if isinstance(value, list) else []
