"""Find the source files of a tree: what git has or would add, else what lies there.

Left out are folders of other people's code and of built code, wherever they stand. What is left out, and why, is told.
"""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Final

from connproof.errors import CallWrong

__all__ = ["LANGUAGES", "Found", "everything", "find", "is_test", "repository_of"]

# By the end of a file's name: the grammar that reads it.
LANGUAGES: Final = {
    ".py": "python",
    ".js": "javascript",
    ".jsx": "javascript",
    ".mjs": "javascript",
    ".cjs": "javascript",
    ".ts": "typescript",
    ".mts": "typescript",
    ".cts": "typescript",
    ".tsx": "tsx",
}
# Source code, too, which is counted and not read.
_NOT_READ: Final = {
    ".rb": "Ruby",
    ".go": "Go",
    ".java": "Java",
    ".kt": "Kotlin",
    ".php": "PHP",
    ".cs": "C#",
    ".rs": "Rust",
    ".scala": "Scala",
    ".ex": "Elixir",
    ".swift": "Swift",
    ".vue": "Vue",
    ".svelte": "Svelte",
    ".ipynb": "Jupyter",
}
_OTHERS: Final = frozenset(
    {"node_modules", "vendor", "third_party", "bower_components", "site-packages", "dist", "build", "__pycache__"}
    | {"venv", "__generated__", "coverage"}
)
# What tools keep for themselves, where no git says so; other folders with a dot say how a tree is built and run.
_OF_TOOLS: Final = frozenset(
    {".git", ".hg", ".svn", ".venv", ".tox", ".nox", ".cache", ".direnv", ".eggs", ".idea", ".next", ".nuxt", ".yarn"}
    | {".gradle", ".terraform", ".turbo", ".parcel-cache", ".pnpm-store", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
    | {".hypothesis", ".ipynb_checkpoints", ".svelte-kit"}
)
_MOST_BYTES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """The files to read, sorted; how many there are of languages that are not read; files left out, with the reason."""

    files: tuple[str, ...]
    not_read: dict[str, int]
    left_out: tuple[tuple[str, str], ...]


def find(root: Path) -> Found:
    """The source files below a folder. Raises CallWrong where there is no such folder."""
    if not root.is_dir():
        raise CallWrong(f"{root}: no such folder", fix="name the root of a repository, or a folder in one")
    files: list[str] = []
    not_read: Counter[str] = Counter()
    left_out: list[tuple[str, str]] = []
    for name in sorted(_listed(root)):
        path = PurePosixPath(name)
        if any(part in _OTHERS or (part.startswith(".") and part != "..") for part in path.parts[:-1]):
            continue
        if path.suffix in _NOT_READ:
            not_read[_NOT_READ[path.suffix]] += 1
        if path.suffix not in LANGUAGES:
            continue
        real = root / name
        if real.is_symlink() or not real.is_file():
            continue
        if path.name.endswith((".min.js", ".bundle.js")):
            left_out.append((name, "made by a tool: minified"))
        elif real.stat().st_size > _MOST_BYTES:
            left_out.append((name, f"larger than {_MOST_BYTES:,} bytes"))
        else:
            files.append(name)
    return Found(tuple(files), dict(sorted(not_read.items())), tuple(left_out))


def everything(root: Path) -> list[str]:
    """Every file below a folder, of whatever kind, that git has or would add; sorted, without others' code.

    Raises CallWrong where there is no such folder.
    """
    if not root.is_dir():
        raise CallWrong(f"{root}: no such folder", fix="name the root of a repository, or a folder in one")
    # What git has is nobody's build: a folder of that name may hold the scripts that make one.
    others = _OTHERS - {"build", "dist", "coverage"}
    paths = (name for name in sorted(_listed(root)) if others.isdisjoint(PurePosixPath(name).parts[:-1]))
    return [name for name in paths if (root / name).is_file() and not (root / name).is_symlink()]


def repository_of(path: Path) -> Path | None:
    """The root of the repository that a folder is in; None where it is in none, or git is not installed."""
    command = ["git", "-C", str(path), "rev-parse", "--show-toplevel"]
    try:
        said = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 the caller's own folder
    except FileNotFoundError:
        return None
    return Path(os.fsdecode(said.stdout.rstrip(b"\n"))) if said.returncode == 0 else None


@lru_cache(maxsize=1 << 16)
def is_test(path: str) -> bool:
    """Whether a file is a test by its name or its folder."""
    *folders, name = PurePosixPath(path).parts
    stem = name.split(".")[0]
    inside = {"test", "tests", "__tests__", "spec", "specs", "fixtures", "__mocks__", "mocks"} & set(folders)
    return bool(inside) or stem.startswith("test_") or stem.endswith("_test") or ".test." in name or ".spec." in name


def _listed(root: Path) -> Iterator[str]:
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 the caller's own folder
    except FileNotFoundError:
        yield from _walked(root)
        return
    if listed.returncode:
        yield from _walked(root)
        return
    # A file that is in conflict is listed once for each side.
    yield from dict.fromkeys(os.fsdecode(name) for name in listed.stdout.split(b"\0") if name)


def _walked(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in _OTHERS | _OF_TOOLS]
        inside = Path(folder).relative_to(root)
        yield from ((inside / name).as_posix() for name in names)
