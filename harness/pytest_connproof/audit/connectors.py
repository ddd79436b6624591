"""Put the facts of a tree together: which code belongs to which connector, and what each connector does.

A connector is a host outside that is called. Its name is what the host and the folders and modules that call it have in
common, else what those folders and modules are called. No list of providers is consulted: there is none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Final

from pytest_connproof.audit.facts import FileFacts, Function, Span, words
from pytest_connproof.audit.requests import Request
from pytest_connproof.audit.signs import AUTHS, PAGINGS, Sign
from pytest_connproof.audit.sources import is_test

__all__ = ["Connector", "Endpoint", "Name", "Place", "assigned", "belongs", "named"]

_GENERIC: Final = frozenset(
    {"api", "apis", "app", "apps", "auth", "base", "client", "clients", "code", "common", "config", "connector"}
    | {"connectors", "constants", "core", "fetch", "fetcher", "fetchers", "handler", "handlers", "helper", "helpers"}
    | {"http", "impl", "index", "init", "integration", "integrations", "internal", "job", "jobs", "lambda", "legacy"}
    | {"lib", "libs", "main", "mapper", "mapping", "module", "modules", "old", "package", "packages", "provider"}
    | {"providers", "py", "python", "request", "requests", "rest", "sdk", "server", "service", "services", "shared"}
    | {"source", "sources", "src", "sync", "syncs", "test", "tests", "ts", "js", "typescript", "util", "utils"}
    | {
        "vendors",
        "v",
        "web",
        "worker",
        "workers",
        "pagination",
        "paging",
        "oauth",
        "tokens",
        "token",
        "types",
        "models",
    }
    | {"backend", "adapter", "adapters", "external", "third", "party", "net", "network", "transport", "backfill"}
)
_LOCAL: Final = frozenset({"localhost", "local", "internal", "test", "invalid", "lan", "svc", "cluster"})
_LABELS_OF_ALL: Final = frozenset(
    {"api", "apis", "www", "app", "com", "net", "org", "io", "rest", "oauth", "login", "auth"}
)
_HOLES_FOR_PATHS: Final = frozenset({"path", "endpoint", "url", "uri", "route"})
_HOLE: Final = re.compile(r"\{[^{}]*\}")
_SHORT: Final = 4


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Lines of a file, and what stands there."""

    path: str
    span: Span
    what: str


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """What is called: each once, at its first place. host: "" where only a run knows it."""

    host: str
    path: str
    method: str
    at: Place


@dataclass(frozen=True, slots=True)
class Name:
    """A connector by its hosts, before its files are known.

    `in_names` are the words by which it is known in the names of code, `in_branches` those that code compares with.
    """

    name: str
    hosts: tuple[str, ...]
    seeds: frozenset[str]  # files that call it
    in_names: frozenset[str]
    in_branches: frozenset[str]


@dataclass(frozen=True, slots=True)
class Connector:
    """What a connector consists of, and what it does."""

    name: str
    hosts: tuple[str, ...]
    files: tuple[Place, ...]
    tests: tuple[Place, ...]
    endpoints: tuple[Endpoint, ...]
    auth: tuple[str, ...]
    pagination: tuple[str, ...]
    paging_code: tuple[Place, ...]
    retry_code: tuple[Place, ...]
    token_code: tuple[Place, ...]
    versions: tuple[str, ...]
    functions: tuple[Place, ...]
    branches: tuple[Place, ...]


def named(requests: Mapping[str, Sequence[Request]]) -> tuple[Name, ...]:
    """The connectors that the requests of a tree tell, sorted by name."""
    hosts: dict[str, set[str]] = {}
    callers: dict[str, set[str]] = {}
    unknown: set[str] = set()
    for path, sent in requests.items():
        if is_test(path):
            continue
        outside = {request.host for request in sent if request.host and _is_outside(request.host)}
        for host in outside:
            hosts.setdefault(_site(host), set()).add(host)
            callers.setdefault(_site(host), set()).add(path)
        if not outside and any(not request.host and request.path and request.path != "/" for request in sent):
            unknown.add(path)
    chosen = {site: _chosen(callers[site], hosts[site]) for site in hosts}
    # One name for several hosts means one connector only where it is that of one of them.
    for name, count in Counter(name for name, related in chosen.values()).items():
        sites = [site for site, (other, _) in chosen.items() if other == name]
        if count > 1 and not any(chosen[site][1] for site in sites):
            chosen |= {site: (_label(site), True) for site in sites}
    names: dict[str, Name] = {}
    for site, (name, related) in sorted(chosen.items()):
        label = _label(site)
        own = {label} if len(label) >= _SHORT and label not in _GENERIC else set()
        aliases = frozenset(map(_compact, own | ({name} if related else set())))
        called = Name(name, tuple(sorted(hosts[site])), frozenset(callers[site]), aliases, aliases | {_compact(name)})
        names[name] = _with(names.get(name), called)
    for path in sorted(unknown):
        candidates = _candidates(path)
        if candidates:
            name = next((one for one in candidates if one in names), candidates[0])
            called = Name(name, (), frozenset({path}), frozenset(), frozenset({_compact(name)}))
            names[name] = _with(names.get(name), called)
    return tuple(names[name] for name in sorted(names))


def _with(old: Name | None, new: Name) -> Name:
    if old is None:
        return new
    return Name(
        new.name,
        tuple(sorted({*old.hosts, *new.hosts})),
        old.seeds | new.seeds,
        old.in_names | new.in_names,
        old.in_branches | new.in_branches,
    )


def _site(host: str) -> str:
    """The host without what stands before its own name: two labels, or three under a short one such as co.uk."""
    labels = host.partition(":")[0].split(".")
    deep = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3:] if deep else labels[-2:])


def _is_outside(host: str) -> bool:
    labels = host.partition(":")[0].split(".")
    known = len(labels) > 1 and "{" not in _label(_site(host))
    return known and not set(labels) & _LOCAL and not labels[-1].isdigit()


def _label(site: str) -> str:
    return site.partition(".")[0]


def _compact(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _candidates(path: str) -> list[str]:
    """What the module and the folders of a file are called, without words that any connector has; the nearest first."""
    parts = [PurePosixPath(path).name.partition(".")[0], *reversed(PurePosixPath(path).parts[:-1])]
    kept = ("_".join(word for word in words(part) if word not in _GENERIC and not word.isdigit()) for part in parts)
    return [name for name in dict.fromkeys(kept) if name]


def _chosen(paths: Iterable[str], hosts: Iterable[str]) -> tuple[str, bool]:
    """The name for hosts that these files call, and whether it is the hosts' own."""
    lists = [_candidates(path) for path in sorted(paths)]
    labels = {label for host in hosts for label in host.partition(":")[0].split(".")[:-1]} - _LABELS_OF_ALL
    counts = Counter(name for names in lists for name in names)
    related = [name for name in counts if any(_is_related(_compact(name), _compact(label)) for label in labels)]
    if related:
        return min(related, key=lambda name: (-counts[name], len(name), name)), True
    shared = [name for name in lists[0] if counts[name] == len(lists)]
    label = _label(_site(min(hosts)))
    return (shared[0], False) if shared else (label, True)


def _is_related(name: str, label: str) -> bool:
    if min(len(name), len(label)) < 3:
        return False
    if name == label or (len(name) >= _SHORT and name in label) or (len(label) >= _SHORT and label in name):
        return True
    shared = next((n for n, (a, b) in enumerate(zip(name, label, strict=False)) if a != b), min(len(name), len(label)))
    return shared >= min(_SHORT, len(name), len(label)) or (shared >= 3 and min(len(name), len(label)) <= 6)


def belongs(name: Name, path: str) -> bool:
    """Whether a file is the connector's own, by its calls, its name or its folder."""
    if path in name.seeds:
        return True
    known = _parts(path)
    return any(alias in part for part in known for alias in name.in_names if len(alias) >= _SHORT)


@lru_cache(maxsize=1 << 16)
def _parts(path: str) -> tuple[str, ...]:
    """The folders of a file and its stem, in letters alone: each is asked for by every connector."""
    *folders, name = path.split("/")
    return tuple(_compact(part) for part in (*folders, name.partition(".")[0]))


def assigned(
    names: Sequence[Name],
    files: Mapping[str, FileFacts],
    requests: Mapping[str, Sequence[Request]],
    signs: Mapping[str, Sequence[Sign]],
) -> tuple[Connector, ...]:
    """Each connector with its code."""
    folders = _folders(names)
    owners: dict[str, list[Name]] = {}
    for path in files:
        own = [name for name in names if belongs(name, path)]
        if not own:
            own = [folders[str(folder)] for folder in PurePosixPath(path).parents if str(folder) in folders][:1]
        owners[path] = own
    return tuple(_connector(name, files, requests, signs, owners) for name in names)


def _folders(names: Sequence[Name]) -> dict[str, Name]:
    """The folders that are called as a connector, and in which nobody else's hosts are called."""
    inside: dict[str, list[Name]] = {}
    for name in names:
        above = {str(folder) for path in name.seeds for folder in PurePosixPath(path).parents}
        for folder in above:
            inside.setdefault(folder, []).append(name)
    alone = {folder: own[0] for folder, own in inside.items() if len(own) == 1}
    return {
        folder: name for folder, name in alone.items() if name.name in _candidates(f"{PurePosixPath(folder).name}/_.py")
    }


def _connector(
    name: Name,
    files: Mapping[str, FileFacts],
    requests: Mapping[str, Sequence[Request]],
    signs: Mapping[str, Sequence[Sign]],
    owners: Mapping[str, list[Name]],
) -> Connector:
    whole: list[Place] = []
    tests: list[Place] = []
    functions: list[Place] = []
    branches: list[Place] = []
    endpoints: dict[tuple[str, str, str], Endpoint] = {}
    own_signs: list[tuple[str, Sign]] = []
    for path, facts in files.items():
        own, alone = name in owners[path], [name] == owners[path]
        if not own and not facts.functions and not facts.branches:
            continue
        all_of_it = Place(path, Span(1, max(1, facts.lines)), facts.language)
        if own and is_test(path):
            tests.append(all_of_it)
        if is_test(path):
            continue
        sent = requests.get(path, ())
        # A file of several connectors: those functions that ask one of the hosts, or have its name.
        mine = _functions_of(name, facts, sent)
        if own:
            whole.append(all_of_it)
            for request in sent:
                if (alone or request.host in name.hosts) and not request.told_by_callers and not _is_open(request):
                    at = Place(path, request.span, "")
                    endpoint = Endpoint(request.host, request.path or "", request.method, at)
                    endpoints.setdefault(_shape(endpoint), endpoint)
            own_signs += [(path, sign) for sign in signs.get(path, ()) if alone or sign.function in mine]
        outermost = _outermost(facts)
        functions += [
            Place(path, function.span, function.qualified)
            for number, function in outermost
            if (own and alone) or number in mine
        ]
        branches += [
            Place(path, branch.span, f"{branch.comparison.subject or '?'} is {text}")
            for branch in facts.branches
            for text in branch.comparison.texts
            if _compact(text) in name.in_branches or any(host in text for host in name.hosts)
        ]
    return Connector(
        name.name,
        name.hosts,
        tuple(whole),
        tuple(tests),
        tuple(sorted(endpoints.values())),
        _auth(sign.what for _, sign in own_signs if sign.kind == "auth"),
        tuple(
            kind for kind in PAGINGS if any(sign.kind == "pagination" and sign.what == kind for _, sign in own_signs)
        ),
        _places(own_signs, "pagination"),
        _places(own_signs, "retry"),
        _places(own_signs, "token"),
        tuple(sorted({sign.what for _, sign in own_signs if sign.kind == "version"})),
        tuple(functions),
        tuple(sorted(set(branches))),
    )


def _functions_of(name: Name, facts: FileFacts, sent: Sequence[Request]) -> set[int]:
    asking = {request.function for request in sent if request.host in name.hosts}
    called = {
        number
        for number, function in enumerate(facts.functions)
        if any(_has_name(function.qualified, alias) for alias in name.in_names)
    }
    return (asking | called) - {-1}


def _has_name(identifier: str, alias: str) -> bool:
    return alias in _compact(identifier) if len(alias) >= _SHORT else alias in words(identifier)


def _outermost(facts: FileFacts) -> list[tuple[int, Function]]:
    """The functions that stand in no other."""
    found: list[tuple[int, Function]] = []
    end = 0
    for number, function in enumerate(facts.functions):  # in the order of the file
        if function.span.first > end or not found:
            found.append((number, function))
            end = function.span.last
    return found


def _shape(endpoint: Endpoint) -> tuple[str, str, str]:
    """What makes an endpoint another one: what its holes are called does not."""
    return _HOLE.sub("{}", endpoint.host), _HOLE.sub("{}", endpoint.path), endpoint.method


def _is_open(request: Request) -> bool:
    """Whether the path is the caller's own word, so that the callers tell the endpoints."""
    path = request.path
    if path is None or (path == "/" and not request.host):
        return True
    last = path.rpartition("{")
    hole = last[2].partition("}")[0]
    return bool(last[1]) and hole in _HOLES_FOR_PATHS


def _auth(found: Iterable[str]) -> tuple[str, ...]:
    """The kinds of auth, the most telling first; what OAuth 2 and OAuth 1 are made of is a part of them."""
    kinds = set(found)
    if "oauth2" in kinds:
        kinds -= {"bearer", "basic"}
    if "oauth1" in kinds:
        kinds -= {"hmac"}
    return tuple(kind for kind in AUTHS if kind in kinds)


def _places(signs: Sequence[tuple[str, Sign]], kind: str) -> tuple[Place, ...]:
    """Where the signs of a kind stand: those of the same lines are one place."""
    at: dict[tuple[str, Span], list[str]] = {}
    for path, sign in signs:
        if sign.kind == kind:
            at.setdefault((path, sign.span), []).append(sign.what)
    return tuple(sorted(Place(path, span, ", ".join(sorted(set(what)))) for (path, span), what in at.items()))
