"""The fields that an account itself defined, gathered from wherever a provider keeps them into one object.

Names and values are the provider's: no value changes its class, null stays null, and what is absent is left out. The
order is the record's. Two fields of one name are an error, never one of the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connproof.mapping.models import kind_of
from connproof.mapping.values import owned
from connproof.model import CustomFields, CustomSource
from connproof.places import ABSENT, Absent, JsonValue, Place

__all__ = ["CustomFieldsWrong", "Gathering"]


class CustomFieldsWrong(ValueError):
    """A record whose custom fields are not where or what the config says. Names fields, and shows no value."""


class Gathering:
    """The word `custom_fields` of one mapping, its patterns compiled."""

    def __init__(self, custom: CustomFields) -> None:
        self.rule = custom.rule
        self._sources = tuple((source, _pattern(source)) for source in custom.sources)

    def of(self, record: JsonValue) -> dict[str, JsonValue] | Absent:
        """Every custom field of a record, sharing nothing with it; ABSENT where the record has none of the places.

        Raises CustomFieldsWrong.
        """
        gathered: dict[str, JsonValue] = {}
        found_any = False
        for source, pattern in self._sources:
            holder = source.at.find(record)
            if isinstance(holder, Absent):
                continue
            found_any = True
            for key, value in _fields(holder, source):
                if not _is_custom(key, source, pattern):
                    continue
                name = key.removeprefix(source.prefix).removesuffix(source.suffix) if source.bare else key
                if name in gathered:
                    raise CustomFieldsWrong(f'two custom fields are called "{name[:80]}"')
                gathered[name] = owned(value)
        return gathered if found_any else ABSENT


def _pattern(source: CustomSource) -> Any:
    if source.pattern is None:
        return None
    import re2  # most mappings have no pattern

    return re2.compile(source.pattern)


def _is_custom(key: str, source: CustomSource, pattern: Any) -> bool:
    return (
        key.startswith(source.prefix)
        and key.endswith(source.suffix)
        and key not in source.exceptions
        and (pattern is None or pattern.fullmatch(key) is not None)
    )


def _fields(holder: JsonValue, source: CustomSource) -> Iterator[tuple[str, JsonValue]]:
    """Each name and value that stand here; a member without a value is left out."""
    for key, member in _members(holder, source):
        value = _value(key, member, source)
        if not isinstance(value, Absent):
            yield key, value


def _members(holder: JsonValue, source: CustomSource) -> Iterator[tuple[str, JsonValue]]:
    if not holder and (holder is None or isinstance(holder, list | dict)):
        return  # null and both kinds of empty mean none: what serialises an empty object as [] is in the field
    if source.key is not None and isinstance(holder, list):
        for element in holder:
            yield _name(source.key.find(element), source.key), element
    elif source.key is None and isinstance(holder, dict):
        yield from holder.items()
    else:
        expected = "an object" if source.key is None else "a list"
        raise CustomFieldsWrong(f"{source.at} is {kind_of(holder)}, and should be {expected}")


def _name(found: JsonValue | Absent, key: Place) -> str:
    if isinstance(found, str) or (isinstance(found, int) and not isinstance(found, bool)):
        return str(found)
    raise CustomFieldsWrong(f"the name at {key} is {kind_of(found)}, and should be a text or an integer")


def _value(key: str, member: JsonValue, source: CustomSource) -> JsonValue | Absent:
    if source.value is not None:
        return source.value.find(member)
    if source.typed_by is None:
        return member
    type_name = source.typed_by.find(member)
    if not isinstance(type_name, str) or not isinstance(member, dict):
        seen = f"{source.typed_by} of it is {kind_of(type_name)}" if isinstance(member, dict) else kind_of(member)
        raise CustomFieldsWrong(f'"{key[:80]}" does not say of what type it is: {seen}')
    return member.get(type_name, ABSENT)
