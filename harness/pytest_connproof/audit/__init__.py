"""Take the inventory of the connectors that a team wrote by hand: what they call, how, and what their upkeep costs.

A tree of source files, and what git knows of it, become a document (`document`), which `telling` puts into words.
The tree is only read: nothing in it is run, nothing is fetched. What could not be read is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Any, Final, TypeAlias

from connproof.errors import CallWrong
from pytest_connproof.audit import history
from pytest_connproof.audit.connectors import Name, assigned, belongs, named
from pytest_connproof.audit.document import as_document, compared, earlier, schema
from pytest_connproof.audit.facts import FileFacts
from pytest_connproof.audit.reading import read
from pytest_connproof.audit.requests import Tree, requests_of
from pytest_connproof.audit.signs import Sign, signs_of
from pytest_connproof.audit.sources import LANGUAGES, find
from pytest_connproof.audit.telling import as_markdown, as_text

__all__ = ["Progress", "as_markdown", "as_text", "compared", "earlier", "schema", "take"]

Progress: TypeAlias = Callable[[str, int, int], None]

# A file without any of these sends no request that could be told; it is parsed, but not walked.
_SENDS: Final = (b"://", b"fetch", b"axios", b"request", b"http")


def take(root: Path, *, since: str, progress: Progress) -> dict[str, Any]:
    """The inventory of a tree. `progress` is told the step, how many are done, and of how many.

    Raises CallWrong where there is no such folder, `since` is no time, or the grammars are not installed.
    """
    if find_spec("tree_sitter_language_pack") is None:
        raise CallWrong(
            "connproof audit needs tree-sitter-language-pack, which is not installed",
            fix="pip install 'connproof[audit]'",
        )
    found = find(root)
    commit = history.head(root)
    start = None if commit is None else history.since_of(root, since)
    files: dict[str, FileFacts] = {}
    for number, path in enumerate(found.files, 1):
        source = (root / path).read_bytes()
        files[path] = read(path, _language(path), source, deeply=any(word in source for word in _SENDS))
        progress("reading", number, len(found.files))
    names = named(requests_of(Tree(list(files.values()))))
    for path in _concerned(root, names, files):
        files[path] = read(path, _language(path), (root / path).read_bytes(), deeply=True)
    requests = requests_of(Tree(list(files.values())))
    names = named(requests)
    signs = {path: signs_of(facts, requests.get(path, ())) for path, facts in files.items() if facts.marks}
    connectors = assigned(names, files, requests, signs)
    notes, blames, upkeep = [], dict[str, history.Blame](), None
    if start is None:
        notes.append("no git history here: nobody is named, and no share of the work is told")
    else:
        owned = {place.path for one in connectors for place in one.files}
        asked = sorted(owned | {place.path for one in connectors for place in (*one.functions, *one.branches)})
        asked_for = count(1)
        blames = history.blames(root, asked, lambda _: progress("asking git", next(asked_for), len(asked)))
        commits = history.changes(root, start)
        upkeep = history.upkeep(
            root, commits, lambda path: path in owned or any(belongs(name, path) for name in names), _signs_in
        )
        if history.is_shallow(root):
            notes.append("the clone is shallow: git knows only a part of the history")
    return as_document(
        found,
        sum(facts.lines for facts in files.values()),
        connectors,
        unparsed=[one for facts in files.values() for one in facts.unparsed],
        blames=blames,
        commit=commit,
        since=since,
        upkeep=upkeep,
        notes=notes,
    )


def _concerned(root: Path, names: Iterable[Name], files: Mapping[str, FileFacts]) -> list[str]:
    """The files not walked yet that may be a connector's, or name one."""
    aliases = {alias.encode() for name in names for alias in name.in_branches}
    seeds = {PurePosixPath(path).parent for name in names for path in name.seeds}
    found = []
    for path, facts in files.items():
        if facts.marks:
            continue
        source = (root / path).read_bytes().lower().replace(b"_", b"").replace(b"-", b"")
        near = not seeds.isdisjoint(PurePosixPath(path).parents)
        if near or any(alias in source for alias in aliases):
            found.append(path)
    return found


def _signs_in(path: str, source: bytes) -> tuple[Sign, ...]:
    """The signs of a file as it was once, read by itself."""
    facts = read(path, _language(path), source, deeply=True)
    requests = requests_of(Tree([facts]))
    return signs_of(facts, requests.get(path, ()))


def _language(path: str) -> str:
    return LANGUAGES[PurePosixPath(path).suffix]
