"""connector.json to a Connector: read once, judged whole.

Three steps, each of which reports everything it finds, with JSON pointer, line and column: the JSON
itself, the shipped schema (shape and words), and meaning (what one word says about another).
A Connector that exists is one that passed all three.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import re2

from connproof.documents import Source, child, read_json
from connproof.errors import CallWrong, ConfigWrong, Problem
from connproof.links import origin
from connproof.model import (
    ApiVersion,
    Auth,
    Connector,
    FieldRule,
    Headers,
    Operation,
    Pagination,
    Query,
    Resource,
    UnifiedMapping,
    Variable,
    frozen,
)
from connproof.places import ABSENT, JsonValue, Place, PlaceWrong, put
from connproof.schemas import nearest, shipped

__all__ = ["BRACES", "CREDENTIALS", "load", "load_account_document", "locate", "parse"]

BRACES: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
CREDENTIALS: Final = re.compile(r"\{([^{}]+)\}")  # in the texts of basic: a path into the credentials

_LOOPBACK = re.compile(r"http://(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]+)?$")

# Set by the transport or the framing of HTTP itself: a config that names one could smuggle a request.
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, token
_FORBIDDEN_HEADERS: Final = frozenset(
    {
        "connection",
        "content-length",
        "cookie",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
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

# What a value may not hold where it stands in the host: it would lead to another origin.
_LEADING_ELSEWHERE: Final = ("x/", "x?", "x#", "x\\", "x@x", "x\n")


def locate(path: Path) -> Path:
    """The connector.json that a path means: the file itself, or the one in this folder.

    Raises CallWrong, naming the connectors that are near.
    """
    if path.is_file():
        return path
    if (path / "connector.json").is_file():
        return path / "connector.json"
    near = sorted(other.parent.name for other in path.parent.glob("*/connector.json")) if path.parent.is_dir() else []
    seen = "the folder has no connector.json" if path.is_dir() else "no such file or folder"
    raise CallWrong(
        f"no connector at {path}",
        facts={"seen": seen, **({"there are": ", ".join(near)} if near else {})},
        fix="name a connector's folder or its connector.json",
    )


def load(path: Path, *, allow_loopback: bool = False) -> Connector:
    """Read a connector from its folder or its file. Raises CallWrong, ConfigWrong.

    `allow_loopback` lets base_url be plain http on a loopback address, for tests and benchmarks.
    """
    file = locate(path)
    return parse(file.read_bytes(), folder=file.resolve().parent.name, name=str(file), allow_loopback=allow_loopback)


def parse(data: bytes, *, folder: str, name: str = "connector.json", allow_loopback: bool = False) -> Connector:
    """A connector from the bytes of its document. `folder` is the name its folder gives it."""
    value, source = read_json(data, name)
    problems = shipped("connproof", "connector").problems(value, source)
    if problems:
        raise ConfigWrong(name, _in_order([*problems, *_origin_problems(value, source, allow_loopback=allow_loopback)]))
    reading = _Reading(value, source, folder)
    connector = reading.connector()
    reading.judge(connector, allow_loopback=allow_loopback)
    if reading.problems:
        raise ConfigWrong(name, _in_order(reading.problems))
    return connector


def _in_order(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(set(problems), key=lambda problem: (problem.line, problem.column, problem.message))


def _origin_problems(value: JsonValue, source: Source, *, allow_loopback: bool) -> list[Problem]:
    """What is wrong with the origin alone: it can be judged even where the rest of the document cannot."""
    base_url = value.get("base_url") if isinstance(value, dict) else None
    wrong = (
        _origin_fault(BRACES.sub("x", base_url), allow_loopback=allow_loopback) if isinstance(base_url, str) else None
    )
    return [source.problem("/base_url", *wrong)] if wrong else []


def _origin_fault(url: str, *, allow_loopback: bool) -> tuple[str, str] | None:
    try:
        found = origin(url)
    except ValueError as wrong:
        return f"is not an origin that can be pinned: {wrong}", ""
    if not found.startswith("https://") and not (allow_loopback and _LOOPBACK.match(found)):
        return "is not https", "credentials are never sent in the clear"
    return None


def load_account_document(path: Path) -> dict[str, Any]:
    """An account file's document: `credentials`, `variables`, `name`, each optional.

    Raises CallWrong, ConfigWrong; no message shows a value of it.
    """
    if not path.is_file():
        raise CallWrong(
            f"no account file at {path}", fix='write {"credentials": {...}} there, or name another with --account'
        )
    value, source = read_json(path.read_bytes(), str(path))
    problems = shipped("connproof", "account").problems(value, source)
    if problems or not isinstance(value, dict):
        raise ConfigWrong(str(path), problems)
    return value


class _Reading:
    """One document being read. It is valid by the schema, so only meaning can still be wrong."""

    def __init__(self, value: JsonValue, source: Source, folder: str) -> None:
        if not isinstance(value, dict):
            raise TypeError("the schema lets only objects through")
        self.document: dict[str, Any] = value
        self.source = source
        self.folder = folder
        self.problems: list[Problem] = []

    def connector(self) -> Connector:
        document = self.document
        default = self._pagination(document["pagination"], "/pagination") if "pagination" in document else None
        version = document.get("api_version")
        return Connector(
            name=self.folder,
            title=document.get("title", ""),
            base_url=document["base_url"].rstrip("/"),
            variables=frozen(
                {
                    name: Variable(name, said["pattern"], secret=said.get("secret", False))
                    for name, said in document.get("variables", {}).items()
                }
            ),
            allowed_origins=tuple(document.get("allowed_origins", ())),
            api_version=ApiVersion(version["value"], version["in"], version.get("name"), version.get("source"))
            if version
            else None,
            decode=document.get("decode"),
            headers=_headers(document.get("headers", {})),
            query=_query(document.get("query", {})),
            auth=self._auth(document["auth"]),
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
            source=self.source,
        )

    def _wrong(self, pointer: str, message: str, hint: str = "") -> None:
        self.problems.append(self.source.problem(pointer, message, hint))

    def _place(self, said: Mapping[str, Any], word: str, pointer: str, default: str | None = None) -> Place | None:
        text = said.get(word, default)
        place = None if text is None else self._parsed(text, child(pointer, word))
        if place is not None and place.is_many and word != "response_path":
            self._wrong(child(pointer, word), "[*] finds a list, and one value is meant here", "say which: [0], [-1]")
        return place

    def _parsed(self, text: str, pointer: str) -> Place | None:
        try:
            return Place.parse(text)
        except PlaceWrong as wrong:
            self._wrong(pointer, str(wrong))
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
                self._wrong(child(pointer, word), f"says nothing without {names}")
        if "stop_header" in said and "stop_field" not in said and not isinstance(said["stop_when"], str):
            self._wrong(f"{pointer}/stop_when", "a header is a text, and equals a text alone", "write it in quotes")
        for word in ("stop", "total"):
            if f"{word}_field" in said and f"{word}_header" in said:
                self._wrong(f"{pointer}/{word}_header", f'stands beside "{word}_field"', "keep the one that counts")

    def _with_cursor_param(self, pagination: Pagination) -> Pagination:
        if pagination.cursor_field is None and pagination.cursor_header is None:
            return pagination  # the path is wrong, and that has been said
        name = pagination.cursor_field.last_name if pagination.cursor_field else None
        if name is None:
            self._wrong(
                pagination.pointer,
                '"cursor_param" is missing',
                "its default is the last name of cursor_field, which has none",
            )
            return pagination
        return Pagination(
            **{**{slot: getattr(pagination, slot) for slot in pagination.__slots__}, "cursor_param": name}
        )

    def _auth(self, said: dict[str, Any]) -> Auth:
        common = {"type": said["type"], "pointer": "/auth"}
        match said["type"]:
            case "api_key":
                name = said["name"].lower() if said["in"] == "header" else said["name"]
                key = self._place(said, "key_path", "/auth", "api_key")
                return Auth(**common, key_path=key, name=name, place=said["in"], prefix=said.get("prefix", ""))
            case "basic":
                sides = {word: said.get(word, f"{{{word}}}") for word in ("username", "password")}
                for word, text in sides.items():
                    for path in CREDENTIALS.findall(text):
                        self._parsed(path, f"/auth/{word}")
                return Auth(**common, **sides)
            case "bearer" | "oauth2":
                token = self._place(said, "token_path", "/auth", "access_token")
                return Auth(**common, token_path=token, prefix=said.get("prefix", "Bearer "))
            case _:
                return Auth(**common)

    def _operation(self, resource: str, name: str, said: dict[str, Any], default: Pagination | None) -> Operation:
        pointer = child(child("/resources", resource), name)
        own = self._pagination(said["pagination"], f"{pointer}/pagination") if "pagination" in said else None
        if "returns" in said:
            is_list = said["returns"] == "list"
        else:
            is_list = name in _LISTING_NAMES or (own is not None and own.type != "none")
        if own is not None and own.type != "none" and not is_list:
            self._wrong(
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
            response_path=self._place(said, "response_path", pointer),
            items_may_be_missing=said.get("items_may_be_missing", False),
            key=self._place(said, "key", pointer),
            pagination=(own or default or Pagination("none")) if is_list else None,
            is_list=is_list,
        )

    def _unified(self, model: str, said: dict[str, Any]) -> UnifiedMapping:
        pointer = child("/unified", model)
        rules = tuple(
            FieldRule(field, expression, at := child(f"{pointer}/fields", field), self.source.line(at))
            for field, expression in said["fields"].items()
        )
        return UnifiedMapping(model, said["resource"], rules, pointer)

    # Meaning: what one word says about another.

    def judge(self, connector: Connector, *, allow_loopback: bool) -> None:
        if "connector" in self.document and self.document["connector"] != self.folder:
            self._wrong("/connector", f'is not the name of its folder, "{self.folder}"', "rename one of the two")
        self._judge_base_url(connector, allow_loopback=allow_loopback)
        self._judge_headers(self.document.get("headers", {}), "/headers")
        if connector.auth.type == "api_key" and connector.auth.place == "header":
            self._judge_header_name(connector.auth.name, "/auth/name")
        for operation in connector.operations():
            self._judge_operation(operation)
        for mapping in connector.unified.values():
            if mapping.resource not in connector.resources:
                hint = nearest(mapping.resource, connector.resources)
                self._wrong(f"{mapping.pointer}/resource", f'there is no resource "{mapping.resource}"', hint)
        self._judge_version(connector)

    def _judge_base_url(self, connector: Connector, *, allow_loopback: bool) -> None:
        used = set(BRACES.findall(connector.base_url)) - {"api_version"}
        for name in sorted(used - connector.variables.keys()):
            self._wrong("/base_url", f"{{{name}}} is not declared", "declare it under variables, with a pattern")
        for name in sorted(connector.variables.keys() - used):
            self._wrong(child("/variables", name), "is not used in base_url")
        for variable in connector.variables.values():
            self._judge_pattern(variable, connector.base_url)
        if self._judge_origin(BRACES.sub("x", connector.base_url), "/base_url", allow_loopback=allow_loopback):
            self._judge_path("/".join(["", *connector.base_url.split("/")[3:]]), "/base_url")
        if "?" in connector.base_url or "#" in connector.base_url:
            self._wrong(
                "/base_url", "has a query or a fragment", 'parameters sent with every request stand under "query"'
            )
        for index, allowed in enumerate(connector.allowed_origins):
            at = f"/allowed_origins/{index}"
            if self._judge_origin(allowed, at, allow_loopback=allow_loopback) and origin(allowed) != allowed:
                self._wrong(at, "is not a bare origin", f"write {origin(allowed)}")

    def _judge_origin(self, url: str, pointer: str, *, allow_loopback: bool) -> bool:
        fault = _origin_fault(url, allow_loopback=allow_loopback)
        if fault:
            self._wrong(pointer, *fault)
        return fault is None

    def _judge_path(self, path: str, pointer: str) -> None:
        """A path that a config writes must be sendable as it stands."""
        try:
            origin(f"https://x{path}")
        except ValueError as wrong:
            self._wrong(pointer, str(wrong).partition(": ")[2])
        if not path.isascii():
            self._wrong(pointer, "has a character outside ASCII", "percent-encode it as UTF-8")
        if any(part in {".", ".."} for part in path.split("/")):
            self._wrong(pointer, "has a dot segment")
        if re.search("[{}]", BRACES.sub("", path)):
            self._wrong(pointer, "has a brace that is not around a name", "a name has letters, digits and _ alone")

    def _judge_pattern(self, variable: Variable, base_url: str) -> None:
        pointer = f"{child('/variables', variable.name)}/pattern"
        options = re2.Options()
        options.log_errors = False
        try:
            pattern = re2.compile(variable.pattern, options)
        except re2.error as wrong:
            self._wrong(
                pointer,
                f"is not a regular expression: {wrong.args[0].decode(errors='replace')}",
                "RE2 syntax: no look-around, no back-references",
            )
            return
        host = base_url.partition("//")[2].partition("/")[0]
        through = [text for text in _LEADING_ELSEWHERE if pattern.fullmatch(text)]
        if f"{{{variable.name}}}" in host and through:
            self._wrong(
                pointer, f"lets {through[0]!r} through, which leads to another origin", "allow less: [a-z0-9-]+"
            )

    def _judge_headers(self, said: Mapping[str, str], pointer: str) -> None:
        seen = set[str]()
        for name in said:
            self._judge_header_name(name, child(pointer, name))
            if name.lower() == "authorization":
                self._wrong(child(pointer, name), "credentials stand in auth alone", 'see "auth"')
            if name.lower() in seen:
                self._wrong(child(pointer, name), "stands here a second time: case makes no other header")
            seen.add(name.lower())

    def _judge_header_name(self, name: str, pointer: str) -> None:
        if not _HEADER_NAME.fullmatch(name):
            self._wrong(pointer, f"{name!r} is not a header name")
        if name.lower() in _FORBIDDEN_HEADERS or name.lower().startswith("proxy-"):
            self._wrong(pointer, f'"{name.lower()}" is set by the transport alone')

    def _judge_operation(self, operation: Operation) -> None:
        said = self.document["resources"][operation.resource][operation.name]
        self._judge_headers(said.get("headers", {}), f"{operation.pointer}/headers")
        if operation.method in {"GET", "HEAD"} and operation.body is not ABSENT:
            self._wrong(
                f"{operation.pointer}/body", f"{operation.method} has no body", "send it as POST, or move it to query"
            )
        if "encode" in said and operation.method in {"GET", "HEAD"}:
            self._wrong(f"{operation.pointer}/encode", f"{operation.method} has no body", "leave it out")
        self._judge_path(operation.path, f"{operation.pointer}/path")
        if operation.pagination is not None:
            self._judge_pagination(operation.pagination, operation)

    def _judge_pagination(self, pagination: Pagination, operation: Operation) -> None:
        at = pagination.pointer
        size = pagination.default_page_size
        if size is not None and pagination.page_size_param is None and pagination.step != "limit":
            self._wrong(
                f"{at}/default_page_size", '"page_size_param" is missing', "the size is sent nowhere without it"
            )
        if size is not None and pagination.max_page_size is not None and size > pagination.max_page_size:
            self._wrong(f"{at}/default_page_size", f"{size} is more than max_page_size {pagination.max_page_size}")
        if size is not None and size < pagination.min_page_size:
            self._wrong(f"{at}/default_page_size", f"{size} is less than min_page_size {pagination.min_page_size}")
        if pagination.step == "reported" and pagination.step_field is None:
            self._wrong(f"{at}/step", '"step_field" is missing', "it says where the response reports the step")
        if (pagination.step == "limit" or pagination.short_page == "stop") and size is None:
            word = "step" if pagination.step == "limit" else "short_page"
            self._wrong(f"{at}/{word}", '"default_page_size" is missing', "without it no page is known to be short")
        if pagination.step_field is not None and pagination.step != "reported":
            self._wrong(f"{at}/step_field", 'says nothing without "step": "reported"')
        if pagination.first_cursor is None and (pagination.cursor_in != "body" or operation.encode == "form"):
            self._wrong(f"{at}/first_cursor", "null can stand in a JSON body alone")
        for word, first in (
            ("cursor", pagination.first_cursor is not ABSENT),
            ("offset", not pagination.omit_first),
            ("page", not pagination.omit_first),
            ("key", False),  # nor does the schema let one stand in braces
            ("page_size", size is not None),
        ):
            where, name = getattr(pagination, f"{word}_in"), getattr(pagination, f"{word}_param")
            if name is None:
                continue
            if where == "header":
                self._judge_header_name(name, f"{at}/{word}_param")
            if where == "body":
                self._judge_body_param(name, f"{at}/{word}_param", operation)
            if where == "template":
                self._judge_template_param(name, f"{at}/{word}_param", operation, has_first=first)

    def _judge_body_param(self, name: str, pointer: str, operation: Operation) -> None:
        if operation.method in {"GET", "HEAD"}:
            self._wrong(pointer, f"goes into the body, but {operation.id} is {operation.method}")
        try:
            place = Place.parse(name)
            put({} if operation.body is ABSENT else operation.body, place, None)
        except ValueError as wrong:
            self._wrong(pointer, str(wrong))
            return
        if not place.steps:
            self._wrong(pointer, "would replace the whole body", "name a member")
        elif operation.encode == "form" and len(place.steps) > 1:
            self._wrong(pointer, "leads into a member, and a form has one level", 'quote a name with dots: ["a.b"]')

    def _judge_template_param(self, name: str, pointer: str, operation: Operation, *, has_first: bool) -> None:
        slot = f"{{{name}}}"
        if not BRACES.fullmatch(slot):
            self._wrong(pointer, f"{name!r} cannot stand in braces", "a name has letters, digits and _ alone")
        elif slot not in _template_texts(operation):
            self._wrong(pointer, f"{slot} stands nowhere in {operation.id}'s path, query, headers or body")
        elif not has_first:
            self._wrong(pointer, f"the first request would send {slot} as it stands", "give it a first value")

    def _judge_version(self, connector: Connector) -> None:
        texts = [connector.base_url, *(value for _, value in (*connector.headers, *connector.query))]
        texts += [_template_texts(operation) for operation in connector.operations()]
        used = any("{api_version}" in text for text in texts)
        version = connector.api_version
        if version is not None and version.place == "header" and version.name is not None:
            self._judge_header_name(version.name, "/api_version/name")
        if used and version is None:
            self._wrong("", "{api_version} is used but not declared", 'declare "api_version"')
        if version is not None and version.place in {"path", "namespace"} and not used:
            self._wrong("/api_version/in", f"says {version.place}, but {{api_version}} stands nowhere")


def _template_texts(operation: Operation) -> str:
    """Every text of an operation in which braces are filled."""
    texts: list[str] = [operation.path]
    texts += [value for _, value in (*operation.query, *operation.headers)]
    _gather(operation.body, texts.append)
    return "\n".join(texts)


def _gather(value: Any, note: Callable[[str], object]) -> None:
    if isinstance(value, str):
        note(value)
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            _gather(inner, note)


def _headers(said: Mapping[str, str]) -> Headers:
    return tuple((name.lower(), value) for name, value in said.items())


def _query(said: Mapping[str, Any]) -> Query:
    def texts(value: Any) -> Iterable[str]:
        for one in value if isinstance(value, list) else [value]:
            yield str(one).lower() if isinstance(one, bool) else str(one)

    return tuple((name, text) for name, value in said.items() for text in texts(value))
