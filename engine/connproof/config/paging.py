"""The part of a config that says how a listing is read: its pagination, and what is read beside its pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, Literal

from connproof.config.notes import Notes
from connproof.documents import child
from connproof.model import (
    Bookmark,
    ForEach,
    Frozen,
    Hydrate,
    Lead,
    Leads,
    Nested,
    Pagination,
    Placement,
    Seed,
    Then,
    Window,
)
from connproof.places import ABSENT, Place

__all__ = ["read_for_each", "read_hydrate", "read_nested", "read_pagination"]

# A word of pagination that says nothing without one of these beside it.
_NEEDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "stop_when": ("stop_field", "stop_header"),
        "total_counts": ("total_field", "total_header"),
        "total_from": ("total_field", "total_header"),
        "page_size_in": ("page_size_param",),
        "max_page_size": ("page_size_param",),
        "min_page_size": ("page_size_param",),
        "reduce_on": ("page_size_param",),
    }
)
# What a second strategy takes over from the first: page sizes, ends and bounds.
_SHARED: Final = frozenset(
    {
        "page_size_param",
        "page_size_in",
        "default_page_size",
        "max_page_size",
        "min_page_size",
        "reduce_on",
        "stop_field",
        "stop_header",
        "stop_when",
        "total_field",
        "total_header",
        "total_counts",
        "total_from",
        "short_page",
        "max_pages",
        "max_empty_pages",
        "max_records",
        "allow_repeats",
    }
)
_ENDS: Final = (
    ("stop_field", "stop_header", "stop_when"),
    ("total_field", "total_header", "total_counts", "total_from"),
)


def read_pagination(said: Mapping[str, Any], pointer: str, notes: Notes) -> Pagination:
    """The word `pagination` of a connector or an operation, defaults filled in."""
    places: dict[str, Any] = {
        word: _leads(said, word, pointer, notes)
        if word in {"cursor_field", "next_url_field"}
        else read_place(said, word, pointer, notes)
        for word in said
        if word.endswith("_field")
    }
    # Every strategy has its own default for these two; the schema states them.
    follows_urls = said["type"] in {"link_header", "next_url"}
    defaults: dict[str, Any] = {
        "own_params": "drop" if follows_urls else "keep",
        "empty_page": "continue" if follows_urls or said["type"] == "cursor" else "stop",
    }
    # JSON Schema calls 100.0 an integer; sent as it stands, a provider would not.
    words: dict[str, Any] = {
        word: int(value) if isinstance(value, float) and word not in {"first_cursor", "stop_when"} else value
        for word, value in said.items()
        if word not in places
    }
    for word in ("cursor_header", "stop_header", "total_header", "header"):
        if word in words:
            words[word] = words[word].lower()
    parts = _parts(said, pointer, notes)
    pagination = Pagination(**{**defaults, **words, **places, **parts, "pointer": pointer})
    _judge_neighbours(said, pointer, notes)
    if pagination.type == "cursor" and pagination.cursor_param is None:
        return _with_cursor_param(pagination, notes)
    return pagination


def _parts(said: Mapping[str, Any], pointer: str, notes: Notes) -> dict[str, Any]:
    """The words that have words of their own."""
    parts: dict[str, Any] = {}
    if "reduce_on" in said:
        parts["reduce_on"] = tuple(int(status) for status in said["reduce_on"])
    if "then" in said:
        parts["then"] = _then(said, f"{pointer}/then", notes)
    if "seed" in said:
        field = read_place(said["seed"], "field", f"{pointer}/seed", notes)
        parts["seed"] = Seed(said["seed"]["operation"], field) if field else None
    if "window" in said:
        words = {**said["window"]}
        field = read_place(words, "field", f"{pointer}/window", notes)
        cap = int(words["cap"]) if "cap" in words else None
        place: Placement = words.get("in", "query")
        parts["window"] = Window(field, words["param"], place, cap, words.get("first", ABSENT)) if field else None
    if "bookmark" in said:
        parts["bookmark"] = _bookmark(said["bookmark"], f"{pointer}/bookmark", notes)
    if "frozen" in said:
        words = said["frozen"]
        parts["frozen"] = Frozen(words["param"], words.get("in", "query"), words.get("format", "iso8601"))
    return parts


def _then(said: Mapping[str, Any], pointer: str, notes: Notes) -> Then:
    own = said["then"]["pagination"]
    taken = {word for word in said if word in _SHARED and word not in own}
    for words in _ENDS:  # a rule of its own replaces the other's whole
        if any(word in own for word in words):
            taken -= set(words)
    shared = {word: said[word] for word in taken} if own["type"] != "none" else {}
    pagination = read_pagination({**shared, **own}, f"{pointer}/pagination", notes)
    return Then(int(said["then"]["after_records"]), pagination)


def _bookmark(said: Literal["next"] | Mapping[str, Any], pointer: str, notes: Notes) -> Bookmark | None:
    if said == "next":
        return Bookmark()
    assert not isinstance(said, str), "the schema knows one text"
    if "in" in said and "param" not in said:
        notes.wrong(f"{pointer}/in", 'says nothing without "param"')
    field = read_place(said, "field", pointer, notes)
    return Bookmark(field, said.get("param"), said.get("in", "query")) if field else None


def _judge_neighbours(said: Mapping[str, Any], pointer: str, notes: Notes) -> None:
    for word, needed in _NEEDS.items():
        if word in said and not any(other in said for other in needed):
            names = " or ".join(f'"{other}"' for other in needed)
            notes.wrong(child(pointer, word), f"says nothing without {names}")
    if "stop_header" in said and "stop_field" not in said and not isinstance(said["stop_when"], str):
        notes.wrong(f"{pointer}/stop_when", "a header is a text, and equals a text alone", "write it in quotes")
    for word in ("stop", "total"):
        if f"{word}_field" in said and f"{word}_header" in said:
            notes.wrong(f"{pointer}/{word}_header", f'stands beside "{word}_field"', "keep the one that counts")


def _with_cursor_param(pagination: Pagination, notes: Notes) -> Pagination:
    if pagination.cursor_field is None and pagination.cursor_header is None:
        return pagination  # the path is wrong, and that has been said
    name = pagination.cursor_field.last_name if pagination.cursor_field else None
    if name is None:
        notes.wrong(
            pagination.pointer,
            '"cursor_param" is missing',
            "its default is the last name of cursor_field, which has none",
        )
        return pagination
    return replace(pagination, cursor_param=name)


# What is read beside the pages.


def read_nested(said: Mapping[str, Any], pointer: str, notes: Notes) -> tuple[Nested, ...]:
    """The word `nested` of an operation."""
    found = []
    for path, words in said.get("nested", {}).items():
        at = child(f"{pointer}/nested", path)
        place = _names_alone(notes.place(path, at), at, notes)
        inner = read_place(words, "response_path", at, notes)
        _names_alone(inner, f"{at}/response_path", notes)
        pagination = read_pagination(words["pagination"], f"{at}/pagination", notes)
        params = _taken(words, at, notes)
        if place is not None:
            found.append(Nested(place, pagination, at, inner, words.get("operation"), params))
    return tuple(found)


def read_hydrate(said: Mapping[str, Any], pointer: str, notes: Notes) -> Hydrate | None:
    """The word `hydrate` of an operation."""
    if "hydrate" not in said:
        return None
    words = said["hydrate"]
    source = read_place(words, "from", f"{pointer}/hydrate", notes)
    return Hydrate(words["operation"], words["param"], source, words.get("merge", False)) if source else None


def read_for_each(said: Mapping[str, Any], pointer: str, notes: Notes) -> ForEach | None:
    """The word `for_each` of an operation."""
    if "for_each" not in said:
        return None
    words, at = said["for_each"], f"{pointer}/for_each"
    return ForEach(words["operation"], _taken(words, at, notes), at, words.get("into"))


def _taken(said: Mapping[str, Any], pointer: str, notes: Notes) -> tuple[tuple[str, Place], ...]:
    params = said.get("params", {})
    places = ((name, read_place(params, name, f"{pointer}/params", notes)) for name in params)
    return tuple((name, place) for name, place in places if place is not None)


def _names_alone(place: Place | None, pointer: str, notes: Notes) -> Place | None:
    if place is not None and not all(isinstance(step, str) for step in place.steps):
        notes.wrong(pointer, "is a path of member names alone", "the pages are put together there")
        return None
    return place


# Paths.


def _leads(said: Mapping[str, Any], word: str, pointer: str, notes: Notes) -> Place | Leads | None:
    if not isinstance(said[word], list):
        return read_place(said, word, pointer, notes)
    at, found = child(pointer, word), []
    for index, one in enumerate(said[word]):
        here = child(at, index)
        words = {"path": one} if isinstance(one, str) else one
        place = read_place(words, "path", here, notes) if isinstance(one, dict) else notes.one_place(one, here)
        if place is not None:
            found.append(Lead(place, words.get("url_param")))
    return Leads(tuple(found)) if found else None


def read_place(said: Mapping[str, Any], word: str, pointer: str, notes: Notes) -> Place | None:
    """A word that is the path of one value; None where it is not said, or is no path."""
    return notes.one_place(said[word], child(pointer, word)) if word in said else None
