"""A document that the schema lets through, as a Connector: paths parsed, defaults filled in, names resolved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from connproof.config.auth import read_auth
from connproof.config.conditions import read_elements, read_errors, read_words
from connproof.config.limits import read_rate_limit
from connproof.config.notes import Notes
from connproof.config.shapes import read_custom_sources, read_decode
from connproof.config.variables import read_variables
from connproof.documents import child
from connproof.model import (
    ApiVersion,
    Batch,
    Connector,
    CustomFields,
    FieldRule,
    Filter,
    Headers,
    Idempotency,
    LongUrl,
    Operation,
    Pagination,
    Query,
    Resource,
    UnifiedMapping,
    Words,
    frozen,
)
from connproof.places import ABSENT, Place, PlaceWrong

__all__ = ["read"]

_LISTING_NAMES: Final = frozenset({"list", "search"})

# A word of pagination that says nothing without one of these beside it.
_NEEDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "stop_when": ("stop_field", "stop_header"),
        "total_counts": ("total_field", "total_header"),
        "total_from": ("total_field", "total_header"),
        "page_size_in": ("page_size_param",),
        "max_page_size": ("page_size_param",),
        "min_page_size": ("page_size_param",),
    }
)


def read(document: dict[str, Any], folder: str, notes: Notes) -> Connector:
    """The connector that a valid document says. What cannot be read as it stands is noted."""
    return _Reading(document, folder, notes).connector()


class _Reading:
    def __init__(self, document: dict[str, Any], folder: str, notes: Notes) -> None:
        self._document = document
        self._folder = folder
        self._notes = notes
        self._decode = read_decode(document, "", notes)

    def connector(self) -> Connector:
        document = self._document
        default = self._pagination(document["pagination"], "/pagination") if "pagination" in document else None
        version = document.get("api_version")
        variables = frozen(read_variables(document.get("variables", {}), self._notes))
        return Connector(
            name=self._folder,
            title=document.get("title", ""),
            base_url=document["base_url"].rstrip("/"),
            variables=variables,
            allowed_origins=tuple(document.get("allowed_origins", ())),
            api_version=self._version(version) if version else None,
            decode=self._decode,
            headers=_headers(document.get("headers", {})),
            query=_query(document.get("query", {})),
            auth=read_auth(document["auth"], variables, self._notes),
            resources=frozen(
                {
                    name: Resource(
                        name,
                        frozen({op: self._operation(name, op, said, default) for op, said in operations.items()}),
                    )
                    for name, operations in document["resources"].items()
                }
            ),
            unified=frozen({model: self._unified(model, said) for model, said in document.get("unified", {}).items()}),
            errors=read_errors(document.get("errors", []), "/errors", self._notes),
            error_code=self._words("error_code"),
            error_message=self._words("error_message"),
            rate_limit=read_rate_limit(document["rate_limit"], "/rate_limit", self._notes)
            if "rate_limit" in document
            else None,
            source=self._notes.source,
        )

    def _version(self, said: dict[str, Any]) -> ApiVersion:
        served = said.get("served", {})
        header = served.get("header")
        return ApiVersion(
            value=said["value"],
            place=said["in"],
            name=said.get("name"),
            source=said.get("source"),
            deprecated=said.get("deprecated"),
            sunset=said.get("sunset"),
            notice=said.get("notice"),
            served=header.lower() if header else self._place(served, "body", "/api_version/served"),
            deprecation_headers=tuple(name.lower() for name in said.get("deprecation_headers", ())),
        )

    def _words(self, word: str) -> Words:
        return read_words(self._document.get(word, []), f"/{word}", self._notes)

    def _place(self, said: Mapping[str, Any], word: str, pointer: str, default: str | None = None) -> Place | None:
        text = said.get(word, default)
        place = None if text is None else self._parsed(text, child(pointer, word))
        if place is not None and place.is_many and word != "response_path":
            self._notes.wrong(
                child(pointer, word), "[*] finds a list, and one value is meant here", "say which: [0], [-1]"
            )
        return place

    def _parsed(self, text: str, pointer: str) -> Place | None:
        try:
            return Place.parse(text)
        except PlaceWrong as wrong:
            self._notes.wrong(pointer, str(wrong))
            return None

    def _pagination(self, said: dict[str, Any], pointer: str) -> Pagination:
        places = {word: self._place(said, word, pointer) for word in said if word.endswith("_field")}
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
        pagination = Pagination(**{**defaults, **words, **places, "pointer": pointer})
        self._judge_neighbours(said, pointer)
        if pagination.type == "cursor" and pagination.cursor_param is None:
            return self._with_cursor_param(pagination)
        return pagination

    def _judge_neighbours(self, said: dict[str, Any], pointer: str) -> None:
        for word, needed in _NEEDS.items():
            if word in said and not any(other in said for other in needed):
                names = " or ".join(f'"{other}"' for other in needed)
                self._notes.wrong(child(pointer, word), f"says nothing without {names}")
        if "stop_header" in said and "stop_field" not in said and not isinstance(said["stop_when"], str):
            self._notes.wrong(
                f"{pointer}/stop_when", "a header is a text, and equals a text alone", "write it in quotes"
            )
        for word in ("stop", "total"):
            if f"{word}_field" in said and f"{word}_header" in said:
                self._notes.wrong(
                    f"{pointer}/{word}_header", f'stands beside "{word}_field"', "keep the one that counts"
                )

    def _with_cursor_param(self, pagination: Pagination) -> Pagination:
        if pagination.cursor_field is None and pagination.cursor_header is None:
            return pagination  # the path is wrong, and that has been said
        name = pagination.cursor_field.last_name if pagination.cursor_field else None
        if name is None:
            self._notes.wrong(
                pagination.pointer,
                '"cursor_param" is missing',
                "its default is the last name of cursor_field, which has none",
            )
            return pagination
        return Pagination(
            **{**{slot: getattr(pagination, slot) for slot in pagination.__slots__}, "cursor_param": name}
        )

    def _operation(self, resource: str, name: str, said: dict[str, Any], default: Pagination | None) -> Operation:
        pointer = child(child("/resources", resource), name)
        own = self._pagination(said["pagination"], f"{pointer}/pagination") if "pagination" in said else None
        if "returns" in said:
            is_list = said["returns"] == "list"
        else:
            is_list = name in _LISTING_NAMES or (own is not None and own.type != "none")
        if own is not None and own.type != "none" and not is_list:
            self._notes.wrong(
                f"{pointer}/pagination", "an operation that returns one record has no pages", 'say "returns": "list"'
            )
        return Operation(
            resource=resource,
            name=name,
            method=said["method"],
            path=said["path"],
            pointer=pointer,
            query=_query(said.get("query", {})),
            headers=_headers(said.get("headers", {})),
            body=said.get("body", ABSENT),
            encode=said.get("encode", "json"),
            decode=read_decode(said, pointer, self._notes) or self._decode,
            response_path=self._place(said, "response_path", pointer),
            items_may_be_missing=said.get("items_may_be_missing", False),
            key=self._place(said, "key", pointer),
            pagination=(own or default or Pagination("none")) if is_list else None,
            overridable=tuple(said.get("overridable", ())),
            is_list=is_list,
            errors=read_errors(said.get("errors", []), f"{pointer}/errors", self._notes),
            elements=read_elements(said["elements"], f"{pointer}/elements", self._notes)
            if "elements" in said
            else None,
            idempotency=_idempotency(said),
            batch=self._batch(said, pointer),
            long_url=LongUrl(int(said["long_url"]["over"]), _query(said["long_url"].get("form", {})))
            if "long_url" in said
            else None,
        )

    def _batch(self, said: dict[str, Any], pointer: str) -> Batch | None:
        place = self._place(said["batch"], "at", f"{pointer}/batch") if "batch" in said else None
        return Batch(place, int(said["batch"]["max"])) if place is not None else None

    def _unified(self, model: str, said: dict[str, Any]) -> UnifiedMapping:
        pointer = child("/unified", model)
        rules = tuple(
            self._rule(field, expression, child(f"{pointer}/fields", field))
            for field, expression in said["fields"].items()
        )
        custom: CustomFields | None = None
        if "custom_fields" in said:
            at = f"{pointer}/custom_fields"
            rule = self._rule(said["custom_fields"].get("into", "custom_fields"), "(custom fields)", at)
            custom = CustomFields(rule, read_custom_sources(said["custom_fields"], at, self._notes))
        return UnifiedMapping(
            model,
            said["resource"],
            rules,
            pointer,
            custom,
            filters=tuple(
                self._filter(name, words, child(f"{pointer}/query", name))
                for name, words in said.get("query", {}).items()
            ),
            writes=frozen(
                {
                    operation: self._writes(fields, child(f"{pointer}/write", operation))
                    for operation, fields in said.get("write", {}).items()
                }
            ),
        )

    def _filter(self, name: str, said: str | dict[str, Any], pointer: str) -> Filter:
        words: dict[str, Any] = {"param": said} if isinstance(said, str) else said
        rule = self._rule(name, words["value"], f"{pointer}/value") if "value" in words else None
        return Filter(name, words["param"], words.get("in", "query"), rule, words.get("otherwise", ""), pointer)

    def _writes(self, said: dict[str, str], pointer: str) -> tuple[FieldRule, ...]:
        for path in said:
            self._parsed(path, child(pointer, path))
        return tuple(self._rule(path, expression, child(pointer, path)) for path, expression in said.items())

    def _rule(self, field: str, expression: str, pointer: str) -> FieldRule:
        at = self._notes.source.standing(pointer)
        return FieldRule(field, expression, at.pointer, at.line, at.level, at.document)


def _idempotency(said: dict[str, Any]) -> Idempotency | None:
    if "idempotency" not in said:
        return None
    name, place = said["idempotency"]["name"], said["idempotency"].get("in", "header")
    return Idempotency(name.lower() if place == "header" else name, place)


def _headers(said: Mapping[str, str]) -> Headers:
    return tuple((name.lower(), value) for name, value in said.items())


def _query(said: Mapping[str, Any]) -> Query:
    def texts(value: Any) -> Iterable[str]:
        for one in value if isinstance(value, list) else [value]:
            yield str(one).lower() if isinstance(one, bool) else str(one)

    return tuple((name, text) for name, value in said.items() for text in texts(value))
