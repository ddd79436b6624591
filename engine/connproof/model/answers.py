"""What a config says of answers: conditions, error rules, the fates of a batch, and how bodies are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from connproof.places import JsonValue, Place

__all__ = [
    "NOWHERE",
    "Condition",
    "Elements",
    "ErrorRule",
    "Format",
    "Meaning",
    "Trait",
    "Words",
    "XmlFormat",
]

Meaning: TypeAlias = Literal[
    "success",
    "empty",
    "throttled",
    "auth_expired",
    "auth_revoked",
    "forbidden",
    "not_found",
    "invalid",
    "cursor_expired",
    "version_gone",
    "transient",
    "failed",
]


@dataclass(frozen=True, slots=True)
class Trait:
    """What a value must be; all that is given must hold.

    `equals` one of these, class included; `matches` an RE2 pattern somewhere in its text; `present` at all; `blank`
    (absent, null, "", [], {}) or not.
    """

    equals: tuple[JsonValue, ...] = ()
    matches: str | None = None
    present: bool | None = None
    blank: bool | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """What a response must be like, in all parts.

    `statuses` are codes or hundreds (404, "4xx"; () any), headers stand by lower-case name, `body` are places of the
    decoded body, `text` is an RE2 pattern somewhere in the body's text. A place with `[*]` holds where it holds for one
    of the elements.
    """

    statuses: tuple[int | str, ...] = ()
    headers: tuple[tuple[str, Trait], ...] = ()
    body: tuple[tuple[Place, Trait], ...] = ()
    text: str | None = None

    @property
    def reads_body(self) -> bool:
        return bool(self.body) or self.text is not None


@dataclass(frozen=True, slots=True)
class Words:
    """Where an answer names a thing: places of its body and names of headers, the first that has a text counts."""

    places: tuple[Place | str, ...] = ()  # a str is a header's lower-case name


NOWHERE: Final = Words()


@dataclass(frozen=True, slots=True)
class ErrorRule:
    """One rule of what a response means. `code` and `message` outrank the connector's own."""

    when: Condition
    means: Meaning
    pointer: str
    code: Words | None = None
    message: Words | None = None


@dataclass(frozen=True, slots=True)
class Elements:
    """Where the results of a batch stand, each with its own fate. Places inside `at` are looked up in an element.

    An element failed where `failed` holds; `failures_at` is a second list, of failed elements alone.
    """

    pointer: str
    at: Place | None = None
    failed: tuple[tuple[Place, Trait], ...] = ()
    failures_at: Place | None = None
    id: Place | None = None
    status: Place | None = None
    code: Words = NOWHERE
    message: Words = NOWHERE


@dataclass(frozen=True, slots=True)
class XmlFormat:
    """How elements become members. The meaning and the default of each word stand in schema/connector.schema.json.

    A place of one name means every element, or attribute, of that name; a longer one is a path from the root element.
    `namespaces` may be pairs of URI and prefix.
    """

    force_list: tuple[Place, ...] = ()
    attributes: Literal["keep", "drop"] = "keep"
    attribute_prefix: str = "@"
    text: str = "#text"
    namespaces: Literal["strip", "keep"] | tuple[tuple[str, str], ...] = "strip"
    booleans: tuple[Place, ...] = ()


Format: TypeAlias = Literal["json", "text"] | XmlFormat
