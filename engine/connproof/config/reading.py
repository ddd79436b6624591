"""A document that the schema lets through, as a Connector: paths parsed, defaults filled in, names resolved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from connproof.config.auth import read_auth
from connproof.config.conditions import read_elements, read_errors, read_words
from connproof.config.limits import read_rate_limit
from connproof.config.notes import Notes
from connproof.config.paging import read_for_each, read_hydrate, read_nested, read_pagination
from connproof.config.shapes import read_custom_fields, read_decode
from connproof.config.variables import read_variables
from connproof.documents import child
from connproof.model import (
    ApiVersion,
    Batch,
    Connector,
    Ending,
    FieldRule,
    Filter,
    Headers,
    Idempotency,
    LongUrl,
    Operation,
    Pagination,
    ProviderFacts,
    Query,
    Resource,
    UnifiedMapping,
    Words,
    frozen,
)
from connproof.places import ABSENT, Place

__all__ = ["read"]

_LISTING_NAMES: Final = frozenset({"list", "search"})


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
        default: Pagination | None = None
        if "pagination" in document:
            default = read_pagination(document["pagination"], "/pagination", self._notes)
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
        if text is None:
            return None
        read = self._notes.place if word == "response_path" else self._notes.one_place
        return read(text, child(pointer, word))

    def _operation(self, resource: str, name: str, said: dict[str, Any], default: Pagination | None) -> Operation:
        pointer = child(child("/resources", resource), name)
        own = None
        if "pagination" in said:
            own = read_pagination(said["pagination"], f"{pointer}/pagination", self._notes)
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
            nested=read_nested(said, pointer, self._notes),
            hydrate=read_hydrate(said, pointer, self._notes),
            for_each=read_for_each(said, pointer, self._notes),
            provider_facts=ProviderFacts(
                **{**self._document.get("provider_facts", {}), **said.get("provider_facts", {})}
            ),
            overridable=tuple(said.get("overridable", ())),
            is_list=is_list,
            errors=read_errors(said.get("errors", []), f"{pointer}/errors", self._notes),
            elements=read_elements(said["elements"], f"{pointer}/elements", self._notes)
            if "elements" in said
            else None,
            ending=Ending(**said["ending"]) if "ending" in said else None,
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
        return UnifiedMapping(
            model,
            said["resource"],
            rules,
            pointer,
            read_custom_fields(said, pointer, self._notes),
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
            self._notes.place(path, child(pointer, path))
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
