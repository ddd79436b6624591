"""Find the requests that the files of a tree send: method, host and path, as far as the source says them.

A request is a call of an HTTP verb, or of a function that fetches, with an address: whole, or a path where the file or
a module that it imports has a base address. A function that sends what its caller names is followed to its callers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from pytest_connproof.audit.facts import Call, FileFacts, Hole, Span, Text, literal, shown, words
from pytest_connproof.audit.sources import is_test

__all__ = ["Request", "Tree", "requests_of"]

_VERBS: Final = frozenset({"get", "post", "put", "patch", "delete", "head", "options"})
_ASKING: Final = frozenset(
    {"request", "fetch", "urlopen", "axios", "got", "ky", "superagent", "needle", "send", "stream"}
)
_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_URL_WORDS: Final = frozenset({"url", "uri", "endpoint", "link", "href"})
_BASE_WORDS: Final = frozenset({"base", "url", "uri", "host", "api", "endpoint", "root", "server", "domain", "prefix"})
_CLIENT_WORDS: Final = frozenset({"client", "http", "session", "api", "axios", "requests", "httpx", "request"})
_FOR_TOKENS: Final = frozenset({"auth", "authorize", "identity", "login", "oauth", "sso", "token"})
_BASES: Final = ("base_url", "baseURL", "baseUrl", "base_uri", "prefixUrl", "prefix_url")
_SELVES: Final = frozenset({"self", "this", "cls", "super"})
_BEHIND_A_HOST: Final = re.compile(r"(?<=[a-z0-9])\{[^{}]*\}$", re.IGNORECASE)  # a path: a part of a host has a dot
_SLASHES: Final = re.compile("/+")
_ROUNDS: Final = 3  # a caller of a caller of a function that sends
_DEPTH: Final = 6


@dataclass(frozen=True, slots=True)
class Request:
    """A request at a place. host: "" where only a run knows it. path: None where nothing of it is known."""

    method: str
    host: str
    path: str | None
    function: int
    span: Span
    in_loop: bool
    address: Text  # what is known of the whole
    told_by_callers: bool  # of a function whose callers name what it asks for


@dataclass(frozen=True, slots=True)
class _Sender:
    """A function that sends what its caller names; `of` is the class whose method it is."""

    name: str
    of: str
    parameters: tuple[str, ...]
    method: Text
    address: Text


@dataclass(frozen=True, slots=True)
class _Asked:
    """A call that sends.

    `through` is the function that sends for it, after the file of that; None where the call sends itself. `names`:
    it gives that function a text for a part of the address.
    """

    call: Call
    method: Text
    address: Text
    through: tuple[str, _Sender] | None
    names: bool


class Tree:
    """The files of a tree, and which of them a module's name means."""

    def __init__(self, files: Sequence[FileFacts]) -> None:
        self.files: Mapping[str, FileFacts] = {facts.path: facts for facts in files}
        self._by_stem: dict[str, list[tuple[str, ...]]] = {}
        self._paths: dict[tuple[str, ...], str] = {}
        for path in self.files:
            parts = _module_parts(path)
            if parts:
                self._by_stem.setdefault(parts[-1], []).append(parts)
                self._paths.setdefault(parts, path)

    def imported(self, facts: FileFacts, module: str) -> str | None:
        """The file that a module's name means in this file; of several the one that stands nearest."""
        names = tuple(
            part for part in module.replace("/", ".").split(".") if part and part not in {"js", "ts", "@", "~"}
        )
        here = PurePosixPath(facts.path).parent.parts
        if not names:
            return None
        fits = [parts for parts in self._by_stem.get(names[-1], ()) if parts[-len(names) :] == names]
        if not fits and len(names) > 1:  # from package.module import a class of it
            return None
        near = max(fits, key=lambda parts: (_common(parts, here), -len(parts), parts), default=None)
        found = self._paths[near] if near is not None else None
        return found if found != facts.path else None


def _module_parts(path: str) -> tuple[str, ...]:
    parts = PurePosixPath(path).with_suffix("").parts
    return parts[:-1] if parts[-1] in {"__init__", "index"} else parts


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def requests_of(tree: Tree) -> dict[str, tuple[Request, ...]]:
    """The requests of each file that has one."""
    scopes = {path: _Scope(tree, facts) for path, facts in tree.files.items()}
    senders: dict[str, dict[str, _Sender]] = {path: {} for path in scopes}
    for _ in range(_ROUNDS):
        new = {path: _senders(scope, _in_reach(tree, scope.facts, senders)) for path, scope in scopes.items()}
        if new == senders:
            break
        senders = new
    asked = {path: _asked(scope, _in_reach(tree, scope.facts, senders)) for path, scope in scopes.items()}
    callers = [one for path, sent in asked.items() if not is_test(path) for one in sent]
    named = frozenset(one.through for one in callers if one.through and one.names)
    found = {path: _requests(scope, asked[path], named) for path, scope in scopes.items()}
    return {path: requests for path, requests in found.items() if requests}


class _Scope:
    """What the names of one file mean."""

    def __init__(self, tree: Tree, facts: FileFacts) -> None:
        self.facts = facts
        self._own: dict[tuple[int, str], tuple[Text, int]] = {}  # the value, and the function that gave it
        for constant in facts.constants:
            self._own.setdefault((constant.function, constant.name), (constant.value, constant.within))
        self._imported: dict[str, tuple[Text, int]] = {}
        self._modules: dict[str, str | None] = {}  # the file that an imported name comes from, if it is of this tree
        self._made: dict[str, Call] = {}
        for call in facts.calls:
            if call.given_to:
                self._made.setdefault(call.given_to, call)
        self._bases = _bases(facts)
        for one in facts.imports:
            path = tree.imported(facts, one.module)
            self._modules.setdefault(one.name.partition(".")[0], path)
            if path is None:
                continue
            other = tree.files[path]
            self._bases = self._bases or _bases(other)
            for constant in other.constants:
                if constant.function < 0 and constant.name in {one.original, one.name}:
                    self._imported.setdefault(one.name, (constant.value, -1))
        self.parameters = [set(function.parameters) for function in facts.functions]

    def resolved(self, text: Text, function: int, depth: int = 0) -> Text:
        """The text with its holes filled as far as constants are known."""
        pieces: list[str | Hole] = []
        for piece in text:
            value = self._value(piece, function) if isinstance(piece, Hole) and depth < _DEPTH else None
            pieces += (piece,) if value is None else self.resolved(value[0], value[1], depth + 1)
        joined: list[str | Hole] = []
        for piece in pieces:
            if isinstance(piece, str) and joined and isinstance(joined[-1], str):
                joined[-1] += piece
            else:
                joined.append(piece)
        return tuple(joined)

    def _value(self, hole: Hole, function: int) -> tuple[Text, int] | None:
        name = hole.name.rpartition(".")[2]
        if (function, name) in self._own:
            own = self._own[function, name]
            return None if any(isinstance(piece, Hole) and piece.name == hole.name for piece in own[0]) else own
        if function >= 0 and hole.name in self.parameters[function]:
            return None
        found = self._own.get((-1, name), self._imported.get(name))
        if found is None:
            return None
        return (
            None
            if any(isinstance(piece, Hole) and piece.name.rpartition(".")[2] == name for piece in found[0])
            else found
        )

    def base(self, hole: Hole | None = None) -> str | None:
        """The base address of the file; the one that a hole may stand for, if there is one. Without its scheme."""
        fits = (value for name, value in self._bases if hole is None or _may_be(hole.name, name))
        found = next(fits, None)
        return None if found is None else shown(self.resolved(found, -1)).partition("://")[2].rstrip("/")

    def after_base(self, call: Call, address: Text) -> Text:
        """The address after the base of the client that is called upon, where the file says which that is."""
        client = self._made.get(call.owner)
        base = self.resolved(client.keyword(*_BASES) or (), client.function) if client is not None else ()
        parameters = self.parameters[call.function] if call.function >= 0 else set()
        is_known = any(isinstance(piece, str) for piece in address) or _holes(address) & parameters
        return (*base, "/", *address) if _is_address(base) and not _is_address(address) and is_known else address

    def means(self, call: Call, sender: _Sender) -> bool:
        """Whether a call by the name of a function that sends is one of it, by what it is called upon."""
        owner = call.owner
        if owner in _SELVES or not owner:
            return bool(owner) == bool(sender.of)
        made = self._made.get(owner)
        origin = (made or call).callee.partition(".")[0]
        if origin in self._modules:
            return self._modules[origin] is not None
        if made is not None and made.last == sender.of:
            return True
        # Anything may have a `get`.
        return sender.name.lower() not in _VERBS or bool(set(words(owner)) & {*_CLIENT_WORDS, *words(sender.of)})


def _bases(facts: FileFacts) -> tuple[tuple[str, Text], ...]:
    """The base addresses that a file names, but for those at which only tokens are had."""
    named = [(constant.name, constant.value) for constant in facts.constants if constant.function < 0]
    named += [pair for call in facts.calls for pair in call.keywords]
    own = [constant for constant in facts.constants if constant.function >= 0]
    named += [(constant.name, constant.value) for constant in own if "base" in words(constant.name)]
    return tuple(
        (name, value)
        for name, value in dict.fromkeys(named)
        if _BASE_WORDS & set(words(name)) and not _FOR_TOKENS & set(words(name)) and _is_address(value)
    )


def _may_be(one: str, other: str) -> bool:
    """Whether two names of base addresses may mean the same: `self.base_url` any, `instance_url` not `BILLING_URL`."""
    ours, theirs = set(words(one)) - _BASE_WORDS, set(words(other)) - _BASE_WORDS
    return ours <= theirs or theirs <= ours


def _is_address(text: Text) -> bool:
    return bool(text) and isinstance(text[0], str) and text[0].startswith(("https://", "http://"))


def _in_reach(
    tree: Tree, facts: FileFacts, senders: Mapping[str, Mapping[str, _Sender]]
) -> dict[str, tuple[_Sender, str]]:
    """The functions that send, by name, with the file of each: the file's own and those of modules that it imports."""
    reach: dict[str, tuple[_Sender, str]] = {}
    for path in [*(tree.imported(facts, one.module) for one in facts.imports), facts.path]:
        if path is not None:
            reach |= {name: (sender, path) for name, sender in senders[path].items()}
    return reach


def _senders(scope: _Scope, reach: Mapping[str, tuple[_Sender, str]]) -> dict[str, _Sender]:
    found: dict[str, _Sender] = {}
    for one in _asked(scope, reach):
        if one.call.function < 0:
            continue
        function = scope.facts.functions[one.call.function]
        if _holes(one.address) & set(function.parameters):
            within = function.qualified.rpartition(".")[0].rpartition(".")[2]
            of = within if any(within == one.name for one in scope.facts.classes) else ""
            found.setdefault(function.name, _Sender(function.name, of, function.parameters, one.method, one.address))
    return found


def _holes(text: Text) -> set[str]:
    return {piece.name for piece in text if isinstance(piece, Hole)}


def _asked(scope: _Scope, reach: Mapping[str, tuple[_Sender, str]]) -> list[_Asked]:
    """The calls that send, with the method and the address of each."""
    found = []
    for call in scope.facts.calls:
        if call.gives_function:
            continue
        plain = _plain(call)
        sender = reach.get(call.last)
        if sender is not None and not scope.means(call, sender[0]):
            sender = None
        is_own = sender is not None and call.function >= 0 and _is_own(scope, call, sender[0])
        through, names = None, False
        if is_own and call.owner in {"", *_SELVES}:
            continue  # a function that calls itself adds no request to its own
        if plain is not None and (sender is None or is_own or not _is_relative(scope, plain[1], call)):
            method, address = plain[0], scope.after_base(call, plain[1])
        elif sender is not None:
            method, address = _through(call, sender[0])
            through, names = (sender[1], sender[0]), _names(scope, call, sender[0])
        else:
            continue
        method, address = scope.resolved(method, call.function), scope.resolved(address, call.function)
        found.append(_Asked(call, method, address, through, names))
    return found


def _names(scope: _Scope, call: Call, sender: _Sender) -> bool:
    """Whether the caller gives a text for a part of the address."""
    given = (value for name, value in _given(call, sender).items() if name in _holes(sender.address))
    return any(isinstance(piece, str) for value in given for piece in scope.resolved(value, call.function))


def _is_relative(scope: _Scope, address: Text, call: Call) -> bool:
    return not _is_address(scope.resolved(address, call.function))


def _is_own(scope: _Scope, call: Call, sender: _Sender) -> bool:
    return scope.facts.functions[call.function].name == sender.name


def _plain(call: Call) -> tuple[Text, Text] | None:
    """Method and address of a call that is a request by its own name."""
    last = call.last.lower()
    if last not in _VERBS | _ASKING and call.last != "Request":
        return None
    given = list(call.arguments)
    method: Text = (last.upper(),) if last in _VERBS else call.keyword("method") or ()
    if given and literal(given[0]) is not None and (literal(given[0]) or "").upper() in _METHODS:
        method = given.pop(0)
    elif last in {"request", "stream"} and len(given) > 1 and isinstance(given[0][0], Hole):
        words_of = set(words(given[0][0].name))
        if words_of & {"method", "verb"}:
            method = given.pop(0)
    address = call.keyword("url", "uri") or (given[0] if given else None)
    if not address:
        return None
    if not method:
        method = ("POST",) if call.keyword("data", "body", "json") else ("GET",)
    return method, address


def _through(call: Call, sender: _Sender) -> tuple[Text, Text]:
    """What a function that sends makes of a call of it."""
    given = _given(call, sender)

    def filled(text: Text) -> Text:
        pieces: list[str | Hole] = []
        for piece in text:
            pieces += given.get(piece.name, (piece,)) if isinstance(piece, Hole) else (piece,)
        return tuple(pieces)

    return filled(sender.method), filled(sender.address)


def _given(call: Call, sender: _Sender) -> dict[str, Text]:
    return dict(zip(sender.parameters, call.arguments, strict=False)) | dict(call.keywords)


def _requests(scope: _Scope, asked: Sequence[_Asked], named: frozenset[tuple[str, _Sender]]) -> tuple[Request, ...]:
    """`named` are the functions for which a caller says by a text what they ask for."""
    told = {(sender.name, sender.address) for path, sender in named if path == scope.facts.path}
    found = []
    for one in asked:
        call = one.call
        placed = _placed(scope, call, one.address)
        if placed is None:
            continue
        verb = (literal(one.method) or "").upper()
        host, path = placed
        around = scope.facts.functions[call.function].name if call.function >= 0 else ""
        found.append(
            Request(
                verb if verb in _METHODS else "?",
                host,
                path,
                call.function,
                call.span,
                call.in_loop,
                one.address,
                (around, one.address) in told,
            )
        )
    return tuple(found)


def _placed(scope: _Scope, call: Call, address: Text) -> tuple[str, str | None] | None:
    """Host and path of an address; None where it is none."""
    through = call.last.lower() not in _VERBS | _ASKING
    if _is_address(address):
        # A whole address that is given where a path is expected stands for itself.
        return _split(shown(address).partition("?")[0].rpartition("://")[2])
    first = address[0] if address else ""
    rest = next((piece for piece in address if isinstance(piece, str)), "")
    if isinstance(first, str) and first.startswith("/"):
        base = scope.base()
        if base is None:
            return ("", _path(shown(address))) if through else None
        return _split(base + shown(address))
    if isinstance(first, Hole) and rest.startswith("/"):
        own = call.function >= 0 and first.name in scope.parameters[call.function]
        base = scope.base(first) if not own and _BASE_WORDS & set(words(first.name)) else None
        return ("", _path(shown(address[1:]))) if base is None else _split(base + shown(address[1:]))
    if isinstance(first, Hole):
        named = set(words(first.name)) & _URL_WORDS or set(words(call.callee.rpartition(".")[0])) & _CLIENT_WORDS
        certain = call.last in {"fetch", "urlopen", "axios"}
        return ("", None) if named or certain or through else None
    base = scope.base()
    if base is not None and set(words(call.owner)) & _CLIENT_WORDS and isinstance(first, str) and " " not in first:
        return _split(f"{base}/{shown(address)}")
    return None


def _split(rest: str) -> tuple[str, str]:
    cut = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
    behind = _BEHIND_A_HOST.search(rest[:cut])
    cut = behind.start() if behind else cut
    host = rest[:cut].lower().rpartition("@")[2]
    return "" if host.startswith("{") and host.find("}") == len(host) - 1 else host, _path(rest[cut:])


def _path(text: str) -> str:
    path = text.partition("?")[0].partition("#")[0]
    return "/" + _SLASHES.sub("/", path).strip("/")
