"""The multi-page listings that the corpus is known to hold, and the exchanges of each.

`cases.json` of the corpus names file and path of a listing. A listing goes on where its next
link leads, also to another path: some providers name the next page by a number or a query id.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import formats
from pytest_connproof.foreign import Tape, Taped

CORPUS = Path(os.environ.get("CONNPROOF_CORPUS") or Path(__file__).parents[3] / "shared" / "corpus")
ABSENT = f"no corpus of recorded traffic at {CORPUS}; CONNPROOF_CORPUS names another folder"

_NEXT = re.compile(r'<([^>]*)>[^,]*;\s*rel="?next"?', re.IGNORECASE)
_CUT = 70  # cases.json keeps this many characters of host and path, from the end

_Address = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Case:
    """A listing: in which file of which source, at which host and path, of which kinds, of how many pages.

    `linked` counts the pages that a link or cursor of the page before leads to. `path` is its last 70
    characters; the host of a source that recorded none is `base`.
    """

    source: str
    file: str
    path: str
    kinds: tuple[str, ...]
    pages: int
    linked: int

    @property
    def id(self) -> str:
        """Source, file, path and pages, since a file may hold several listings, and even of one path."""
        return f"{self.source}:{Path(self.file).parent.name}/{Path(self.file).stem}:{self.path}:{self.pages}"

    @property
    def location(self) -> Path:
        return CORPUS / self.source / self.file


def cases() -> list[Case]:
    """Every listing of two or more pages, in the order of cases.json; none where the corpus is absent."""
    if not CORPUS.is_dir():
        return []
    rows = json.loads((CORPUS / "cases.json").read_bytes())["multi_page"]
    return [
        Case(row["source"], row["file"], row["path"], tuple(row["kinds"]), row["pages"], row["linked"]) for row in rows
    ]


def exchanges_of(case: Case) -> tuple[Taped, ...]:
    """The exchanges of the file at the case's method and path, and where their next links lead, in the file's order.

    They may be more than the case's pages: a file can hold several listings of one path. cases.json names no
    method: it is GET wherever GET is sent to that path, else the only one that is.
    """
    exchanges = _tape(case.location).exchanges
    methods = {taped.request.method for taped in exchanges if _is_at(taped, case.path)}
    (method,) = {"GET"} & methods or methods
    candidates = [taped for taped in exchanges if taped.request.method == method]
    found = {number for number, taped in enumerate(candidates) if _is_at(taped, case.path)}
    waiting = sorted(found)
    while waiting:
        onwards = _onwards(candidates[waiting.pop()])
        more = {number for number, taped in enumerate(candidates) if _address(taped.request.url) in onwards} - found
        found |= more
        waiting += more
    return tuple(candidates[number] for number in sorted(found))


@cache
def _tape(path: Path) -> Tape:
    return formats.read(path)


def _is_at(taped: Taped, path: str) -> bool:
    url = taped.request.url.partition("?")[0].partition("://")[2]
    host, slash, rest = url.replace("provider.test", "base").partition("/")
    whole = host.removesuffix(":443") + slash + rest
    return whole[-_CUT:] == path


def _onwards(taped: Taped) -> set[_Address]:
    """Where a page's `Link` header, or a text at the top of its body, leads."""
    links = _NEXT.findall(taped.response.header("link") or "")
    try:
        body = json.loads(taped.response.body)
    except ValueError:
        body = None
    texts = [text for text in body.values() if isinstance(text, str)] if isinstance(body, dict) else []
    return {_address(text) for text in [*links, *texts] if text.startswith(("/", "http"))}


def _address(url: str) -> _Address:
    """Path and query of a URL: what is left of it where the host was not recorded."""
    parts = urlsplit(url)
    return parts.path, tuple(sorted(parse_qsl(parts.query, keep_blank_values=True)))
