"""What git knows: who last changed what, and which share of the work was upkeep of connectors.

Upkeep is a change of connector code that was there before: a commit that adds a file builds it. What a change touched
is told from the syntax tree of the file before and after it, and from the commit's subject. Merges are not counted.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final, TypeAlias

from connproof.errors import CallWrong
from pytest_connproof.audit.facts import Span, words
from pytest_connproof.audit.signs import Sign
from pytest_connproof.audit.sources import LANGUAGES

__all__ = [
    "UPKEEP",
    "Blame",
    "Change",
    "Share",
    "Upkeep",
    "blames",
    "changes",
    "head",
    "is_shallow",
    "since_of",
    "upkeep",
]

UPKEEP: Final = ("oauth", "pagination", "rate_limits", "versions")
_NAMED: Final[Mapping[str, frozenset[str]]] = {
    "oauth": frozenset(
        {"oauth", "oauth2", "token", "tokens", "reauth", "auth", "authentication", "credential", "credentials"}
    ),
    "pagination": frozenset(
        {"pagination", "paginate", "paging", "pager", "cursor", "cursors", "page", "pages", "offset"}
    ),
    "rate_limits": frozenset(
        {"ratelimit", "throttle", "throttling", "throttled", "429", "backoff", "retry", "retries"}
    ),
    "versions": frozenset({"deprecated", "deprecation", "sunset", "apiversion"}),
}
_OF_SIGN: Final = {"token": "oauth", "auth": "oauth", "pagination": "pagination", "retry": "rate_limits"}
_BLAMES_AT_ONCE: Final = 4

Signs: TypeAlias = Callable[[str, bytes], Sequence[Sign]]


@dataclass(frozen=True, slots=True)
class Blame:
    """Who last changed each line, and the day; None for what is not committed."""

    lines: tuple[tuple[str, str] | None, ...]

    def last(self, span: Span) -> tuple[str, str] | None:
        """Who changed these lines last, and the day."""
        known = [line for line in self.lines[span.first - 1 : span.last] if line is not None]
        return max(known, key=lambda line: (line[1], line[0]), default=None)


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that a commit took away and put in; an empty span has its last before its first."""

    old: Span
    new: Span

    @property
    def churn(self) -> int:
        return self.old.lines + self.new.lines


@dataclass(frozen=True, slots=True)
class Change:
    """A file as a commit changed it; blobs by their ids, "" for none."""

    path: str
    before: str
    after: str
    hunks: tuple[Hunk, ...]

    @property
    def churn(self) -> int:
        return sum(hunk.churn for hunk in self.hunks)


@dataclass(frozen=True, slots=True)
class Commit:
    subject: str
    changes: tuple[Change, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Share:
    """Commits, and lines added and taken away."""

    commits: int
    churn: int


@dataclass(frozen=True, slots=True)
class Upkeep:
    """All work on source code, the part of it that built connectors, the part that kept them up, and what for."""

    everything: Share
    building: Share
    maintenance: Share
    kinds: Mapping[str, Share]


def head(root: Path) -> str | None:
    """The commit that is checked out; None where there is no git, no repository or no commit."""
    try:
        found = _git(root, "rev-parse", "--verify", "-q", "HEAD")
    except FileNotFoundError:
        return None
    return found.stdout.decode().strip() if not found.returncode else None


def is_shallow(root: Path) -> bool:
    return _git(root, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true"


def since_of(root: Path, text: str) -> int:
    """A time as git writes it, in seconds of the epoch. Raises CallWrong where it is none, which git takes for now."""
    found = _git(root, "rev-parse", f"--since={text}").stdout.decode().strip().partition("=")[2]
    if not found.isdigit() or int(found) >= int(time.time()) - 1:
        raise CallWrong(f"--since {text}: not a time in the past", fix="write it as 6.months, 2.weeks or 2026-11-23")
    return int(found)


def blames(root: Path, paths: Sequence[str], done: Callable[[str], None]) -> dict[str, Blame]:
    """Who last changed each line of these files; a file that git does not have is left out."""

    def one(path: str) -> tuple[str, Blame | None]:
        told = _git(root, "blame", "--line-porcelain", "--", path)
        return path, None if told.returncode else _blame(told.stdout)

    found: dict[str, Blame] = {}
    with ThreadPoolExecutor(_BLAMES_AT_ONCE) as pool:
        for path, blame in pool.map(one, paths):
            done(path)
            if blame is not None:
                found[path] = blame
    return found


def _blame(told: bytes) -> Blame:
    lines: list[tuple[str, str] | None] = []
    commit, author, day = "", "", ""
    for line in told.decode("utf-8", "replace").split("\n"):
        if line.startswith("\t"):
            lines.append((author, day) if commit.strip("0") else None)
            commit = ""
        elif not commit:
            commit = line.partition(" ")[0]
        elif line.startswith("author "):
            author = line[len("author ") :]
        elif line.startswith("author-time "):
            day = time.strftime("%Y-%m-%d", time.gmtime(int(line[len("author-time ") :])))
    return Blame(tuple(lines))


def changes(root: Path, since: int) -> list[Commit]:
    """The commits since then that changed source files below the root, the newest first."""
    ends = [f"*{end}" for end in LANGUAGES]
    told = _git(
        root, "-c", "core.quotePath=false", "log", f"--since=@{since}", "--no-merges", "--relative", "--raw",
        "--no-abbrev", "-p", "-U0", "--no-renames", "--no-color", "--no-ext-diff", "--no-textconv",
        "--src-prefix=a/", "--dst-prefix=b/",
        "--format=%x00%s", "--", *ends,
    )  # fmt: skip
    if told.returncode:
        raise CallWrong("git log failed", facts={"git says": told.stderr.decode("utf-8", "replace").strip()})
    return [_commit(text) for text in told.stdout.decode("utf-8", "replace").split("\0")[1:]]


def _commit(text: str) -> Commit:
    subject, _, rest = text.partition("\n")
    blobs: dict[str, tuple[str, str]] = {}
    hunks: dict[str, list[Hunk]] = {}
    path = ""
    left = 0  # lines of a hunk's body, which may look like anything
    for line in rest.split("\n"):
        if left and line.startswith(("+", "-", "\\")):
            left -= not line.startswith("\\")
        elif line.startswith(":"):
            fields, _, name = line.partition("\t")
            _, _, before, after, _ = fields.split(" ")
            blobs[name] = (before if before.strip("0") else "", after if after.strip("0") else "")
            hunks[name] = []
        elif line.startswith("--- a/"):
            path = line[len("--- a/") :].rstrip("\t")
        elif line.startswith("+++ b/"):
            path = line[len("+++ b/") :].rstrip("\t")
        elif line.startswith("@@ "):
            _, old, new, *_ = line.split(" ")
            hunk = Hunk(_lines(old), _lines(new))
            left = hunk.churn
            hunks.setdefault(path, []).append(hunk)
    made = (Change(name, *ids, tuple(hunks.get(name, ()))) for name, ids in blobs.items())
    return Commit(subject, tuple(change for change in made if change.hunks))


def _lines(text: str) -> Span:
    start, _, count = text[1:].partition(",")
    return Span(int(start), int(start) + int(count or 1) - 1)


def upkeep(root: Path, commits: Sequence[Commit], owned: Callable[[str], bool], signs: Signs) -> Upkeep:
    """The share of the commits that was work on connectors; `signs` tells what stands in a file."""
    wanted = {
        blob: change.path
        for commit in commits
        for change in commit.changes
        if owned(change.path) and change.before and change.after
        for blob in (change.before, change.after)
    }
    known = {blob: signs(wanted[blob], source) for blob, source in _blobs(root, sorted(wanted))}
    building, maintenance = [0, 0], [0, 0]
    kinds = {kind: [0, 0] for kind in UPKEEP}
    for commit in commits:
        own = [change for change in commit.changes if owned(change.path)]
        new = sum(change.churn for change in own if not change.before)
        kept = [change for change in own if change.before]
        churn = sum(change.churn for change in kept)
        building = _plus(building, new)
        maintenance = _plus(maintenance, churn)
        for kind in UPKEEP:
            touched = sum(_touched(change, hunk, kind, known) for change in kept for hunk in change.hunks)
            named = kind in _named(commit.subject)
            kinds[kind] = _plus(kinds[kind], churn if named else touched)
    everything = [change.churn for commit in commits for change in commit.changes]
    return Upkeep(
        Share(sum(1 for commit in commits if commit.changes), sum(everything)),
        Share(*building),
        Share(*maintenance),
        {kind: Share(*kinds[kind]) for kind in UPKEEP},
    )


def _plus(counted: list[int], churn: int) -> list[int]:
    return [counted[0] + (churn > 0), counted[1] + churn]


def _touched(change: Change, hunk: Hunk, kind: str, known: Mapping[str, Sequence[Sign]]) -> int:
    """The lines of a hunk that stand in code of the kind; for versions, those with another version than before."""
    before, after = known.get(change.before, ()), known.get(change.after, ())
    if kind == "versions":
        old = {sign.what for sign in before if sign.kind == "version" and sign.span.meets(hunk.old)}
        new = {sign.what for sign in after if sign.kind == "version" and sign.span.meets(hunk.new)}
        return hunk.churn if old and new and old != new else 0
    return _lines_in(hunk.old, kind, before) + _lines_in(hunk.new, kind, after)


def _lines_in(span: Span, kind: str, signs: Sequence[Sign]) -> int:
    spans = [sign.span for sign in signs if _OF_SIGN.get(sign.kind) == kind and sign.span.meets(span)]
    return (
        sum(any(one.first <= line <= one.last for one in spans) for line in range(span.first, span.last + 1))
        if spans
        else 0
    )


def _named(subject: str) -> set[str]:
    """The kinds that a subject speaks of."""
    said = words(subject)
    pairs = {"".join(pair) for pair in pairwise(said)}
    if "pagetoken" in pairs:
        said = [word for word in said if word not in {"token", "tokens"}]
    kinds = {kind for kind, known in _NAMED.items() if known & ({*said} | pairs)}
    moves = {"upgrade", "migrate", "move", "bump", "switch"} & set(said)
    if moves and any(one == "v" and other.isdigit() for one, other in pairwise(said)):
        kinds.add("versions")
    return kinds


def _blobs(root: Path, ids: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """The contents of these blobs, in one call of git."""
    if not ids:
        return
    told = _git(root, "cat-file", "--batch", given="".join(f"{one}\n" for one in ids).encode()).stdout
    at = 0
    for one in ids:
        end = told.index(b"\n", at)
        head_of = told[at:end].split(b" ")
        at = end + 1
        if head_of[-1] == b"missing":
            continue
        size = int(head_of[2])
        yield one, told[at : at + size]
        at += size + 1


def _git(root: Path, *arguments: str, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", "-C", str(root), *arguments], input=given, capture_output=True, check=False)  # noqa: S603, S607 the caller's own repository, by the git on the path
