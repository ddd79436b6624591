"""A Structured Field's text into values (RFC 9651): items, lists, dictionaries, with classes that tell types apart.

Parsing is http-sf's. What it lets through by its types is not yet what a field means: whoever reads a field
checks the class and the range of each value. A text that does not parse gives None and a note.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "BareItem",
    "DisplayString",
    "InnerList",
    "Item",
    "Member",
    "Token",
    "natural",
    "read_dictionary",
    "read_item",
    "read_list",
]

_MOST_CHARACTERS: Final = 65_536


@dataclass(frozen=True, slots=True)
class Token:
    """A word without quotes. No str, so that nobody takes one for a String."""

    text: str


@dataclass(frozen=True, slots=True)
class DisplayString:
    """A text in any script."""

    text: str


BareItem: TypeAlias = int | Decimal | str | Token | bytes | bool | datetime | DisplayString


@dataclass(frozen=True, slots=True)
class Item:
    """A value and its parameters, in order; of two with one name the last counts. Dates are aware, in UTC."""

    value: BareItem
    parameters: Mapping[str, BareItem]


@dataclass(frozen=True, slots=True)
class InnerList:
    """Items in parentheses, and the parameters of all of them."""

    items: tuple[Item, ...]
    parameters: Mapping[str, BareItem]


Member: TypeAlias = Item | InnerList


def read_item(text: str) -> tuple[Item | None, str]:
    """The one item of a field, None where there is none; and a note, "" where all is well."""
    parsed, note = _parsed(text, "item")
    return (None if note else _item(parsed)), note


def read_list(text: str) -> tuple[tuple[Member, ...] | None, str]:
    """The members of a list; an empty text is an empty list. Lines of a field are joined by commas before."""
    parsed, note = _parsed(text, "list")
    return (None if note else tuple(_member(one) for one in parsed)), note


def read_dictionary(text: str) -> tuple[dict[str, Member] | None, str]:
    """The members of a dictionary, in order; of two with one name the last counts."""
    parsed, note = _parsed(text, "dictionary")
    return (None if note else {name: _member(one) for name, one in parsed.items()}), note


def natural(value: object) -> int | None:
    """The value where it is an Integer and not negative. A Boolean is none, though Python thinks so."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _parsed(text: str, kind: str) -> tuple[Any, str]:
    import http_sf  # most responses have no structured field that anybody reads

    if len(text) > _MOST_CHARACTERS:
        return None, f"longer than {_MOST_CHARACTERS:,} characters"
    try:
        return http_sf.parse(text.encode("ascii"), tltype=kind), ""
    except UnicodeEncodeError as wrong:
        return None, f"not ASCII at character {wrong.start + 1}"
    except http_sf.StructuredFieldError as wrong:
        return None, f"not a structured {kind} at character {(wrong.position or 0) + 1}"


def _member(parsed: Any) -> Member:
    value, parameters = parsed
    if isinstance(value, list):
        return InnerList(tuple(_item(one) for one in value), _parameters(parameters))
    return _item(parsed)


def _item(parsed: Any) -> Item:
    value, parameters = parsed
    return Item(_bare(value), _parameters(parameters))


def _parameters(parsed: dict[str, Any]) -> dict[str, BareItem]:
    return {name: _bare(value) for name, value in parsed.items()}


def _bare(value: Any) -> BareItem:
    import http_sf

    if isinstance(value, http_sf.Token):
        return Token(str(value))
    if isinstance(value, http_sf.DisplayString):
        return DisplayString(str(value))
    bare: BareItem = value
    return bare
