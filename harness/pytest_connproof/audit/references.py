"""Find what in a tree needs a file of code: who imports it, who names it, in whatever kind of file.

A source file names it by what it imports and by its texts; any other file by what stands in it. What only speaks of
it, in a comment or a document, is told apart, and so is a test. A name that is put together when the program runs, or
that a pattern such as `old/*.py` stands for, is not seen.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Final, Literal, TypeAlias

from pytest_connproof.audit.facts import FileFacts
from pytest_connproof.audit.naming import Word, words_in
from pytest_connproof.audit.requests import Tree
from pytest_connproof.audit.sources import LANGUAGES, everything, is_test

__all__ = ["Reference", "References", "references_to"]

_Meant: TypeAlias = Literal["this", "may be", ""]
Bearing: TypeAlias = Literal["needs", "may need", "test", "mentions"]

_SCRIPTS: Final = frozenset({".js", ".jsx", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".tsx"})
_COMPILED: Final = {".js": (".ts", ".tsx"), ".jsx": (".tsx",), ".mjs": (".mts",), ".cjs": (".cts",)}
_DOCUMENTS: Final = frozenset({".md", ".mdx", ".rst", ".adoc", ".txt"})
_LISTS: Final = frozenset({"CODEOWNERS", ".gitignore", ".dockerignore", ".gitattributes", ".prettierignore"})
_ROOTS: Final = frozenset({"src", "lib", "app"})
_MOST_PARSED_BYTES: Final = 1_000_000  # a larger one is a tool's work
_PACKAGES: Final = frozenset({"__init__", "index"})
_SIGNS: Final = "@~#$"  # with which an alias of a folder begins
# How what is no source of Python says what Python is to load: a statement, a module to run, a module's function.
_STATEMENT: Final = re.compile(r"\bfrom\s+([\w.]+)\s+import\s+([\w, ]+)|\bimport\s+([\w.]+)")
_RUN: Final = re.compile(r"""(?<!\S)["']?-m[\s"',]+([A-Za-z_][\w.]*)""")
_FUNCTION: Final = re.compile(r"(?<![\w./:@-])([A-Za-z_]\w*):[A-Za-z_]\w*(?![\w:/.-])")
# How a cloud is told the function of a file, whatever its language.
_HANDLER: Final = re.compile(r"""handler["']?\s*[:=]\s*["']?([\w./-]+)\.\w+(?![\w./-])""", re.IGNORECASE)


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """A place that names one of the files: what is there `needs` it, or, where its name alone fits, `may need` it."""

    path: str
    line: int
    how: str
    bearing: Bearing


@dataclass(frozen=True, slots=True)
class References:
    """What names the files, sorted; how many files were looked at; and what could not be read, with the reason."""

    found: tuple[Reference, ...]
    files: int
    unread: tuple[tuple[str, str], ...]

    def of(self, bearing: Bearing) -> tuple[Reference, ...]:
        return tuple(one for one in self.found if one.bearing == bearing)


def references_to(root: Path, targets: Sequence[str], apart: Sequence[str] = ()) -> References:
    """What in a tree names the targets, which are files of it by their paths from its root.

    The targets' own words do not count, nor those of the files and folders in `apart`.
    """
    listed = [path for path in everything(root) if not _below(path, [*targets, *apart])]
    sources = [path for path in listed if PurePosixPath(path).suffix in LANGUAGES]
    # A module of Python is no file of another language, whatever that is called.
    tree = Tree([FileFacts(path, "", 0) for path in [*sources, *targets] if path.endswith(".py")])
    names = {path.rpartition("/")[2] for path in listed}
    aims = [_Target(path, names, tree, root.resolve().parts) for path in targets]
    found: set[Reference] = set()
    unread: list[tuple[str, str]] = []
    for path in listed:
        source = (root / path).read_bytes()
        near = [aim for aim in aims if aim.needle.encode() in source]
        if not near or b"\0" in source[:8_000]:
            continue
        words, whole = _words(path, source)
        found.update(reference for aim in near for word in words for reference in aim.named_by(path, word))
        if not whole:
            unread.append((path, "no grammar of its language has all that stands in it"))
    return References(tuple(sorted(found)), len(listed), tuple(unread))


def _below(path: str, folders: Sequence[str]) -> bool:
    return any(path == one or path.startswith(f"{one}/") for one in folders)


def _words(path: str, source: bytes) -> tuple[tuple[Word, ...], bool]:
    """What a file names things by. Of one that is no source, or that no grammar takes, each line is a text."""
    language = LANGUAGES.get(PurePosixPath(path).suffix) if len(source) <= _MOST_PARSED_BYTES else None
    words, whole = words_in(language, source) if language else ((), True)
    if language and whole:
        return words, True
    lines = source.decode("utf-8", "replace").splitlines()
    plain = tuple(
        Word("comment" if _is_comment(line) else "text", line, number) for number, line in enumerate(lines, 1)
    )
    return (*words, *plain), whole


def _is_comment(line: str) -> bool:
    """Of a config, a script, a Dockerfile: their comments begin alike."""
    text = line.lstrip()
    return text.startswith(("#", "//")) and not text.startswith("#!")


class _Target:
    """One file, and what names it."""

    def __init__(self, path: str, names: set[str], tree: Tree, root: tuple[str, ...]) -> None:
        self._path = path
        self._tree = tree
        self._root = root
        self._parts = PurePosixPath(path).with_suffix("").parts
        self._suffix = PurePosixPath(path).suffix
        # A package is named by its folder.
        if self._parts[-1] in _PACKAGES and len(self._parts) > 1:
            self._module = self._parts[:-1]
        else:
            self._module = self._parts
        self._is_alone = path.rpartition("/")[2] not in names
        # What stands wherever it is named: of a package that is run, the folder.
        self.needle = self._module[-2] if self._module[1:] and self._module[-1] == "__main__" else self._module[-1]

    def named_by(self, path: str, word: Word) -> Iterator[Reference]:
        """What a word of a file says of this one."""
        how, is_sure = self._how(path, word)
        bearing = _bearing(path, word)
        if how and is_sure:
            yield Reference(path, word.line, how, bearing)
        elif how:
            doubtful: Bearing = "may need" if bearing == "needs" else bearing
            yield Reference(path, word.line, f"{how}, which may be other code", doubtful)

    def _how(self, path: str, word: Word) -> tuple[str, bool]:
        """How a word names this file, "" where it does not; and whether nothing else can be meant."""
        if word.kind == "import":
            of: _Meant = ""
            if self._of_script(path):
                of = self._imported_by_script(path, word)
            elif self._suffix == PurePosixPath(path).suffix == ".py":
                of = self._imported(path, word.text, word.names)
            return (f"imports {word.text}", of == "this") if of else ("", False)
        if self._of_script(path) and word.kind == "text" and self._resolves(path, word.text):
            return f"names {word.text}", True
        text = word.text.replace("\\", "/")
        if named := self._named_in(path, text):
            return f"names {named}", True
        named, of = self._loaded_by(path, text)
        return (f"names {named}", of == "this") if of else ("", False)

    def _of_script(self, path: str) -> bool:
        return self._suffix in _SCRIPTS and PurePosixPath(path).suffix in _SCRIPTS

    # Imports of Python.

    def _imported(self, path: str, module: str, names: Sequence[str]) -> _Meant:
        dots = len(module) - len(module.lstrip("."))
        inner = tuple(part for part in module[dots:].split(".") if part)
        tails: list[tuple[str, ...]] = [inner, *((*inner, name) for name in names)]
        if dots:
            folder = PurePosixPath(path).parent.parts
            base = folder[: max(0, len(folder) - dots + 1)]
            return "this" if any((*base, *tail) == self._module for tail in tails) else ""
        return next((of for tail in tails if tail and (of := self._meant(path, tail))), "")

    def _meant(self, path: str, names: tuple[str, ...]) -> _Meant:
        """Whether a module's name from the outside means this file: of several that fit, the nearest does."""
        names = self._from_root(names)
        if self._module[-len(names) :] != names:
            return ""
        if self._tree.imported(FileFacts(path, "", 0), ".".join(names)) != self._path:
            return ""
        # One name alone may be a package's from elsewhere, unless the file lies where it would be found first.
        folder = PurePosixPath(path).parent.parts
        above = self._module[: -len(names)]
        is_at_hand = above == folder or not above or above == folder[: len(above)] or (above[-1] in _ROOTS)
        return "this" if len(names) > 1 or is_at_hand else "may be"

    def _from_root(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """A module's name from the tree's root on, where it begins with the root's own folder."""
        above = len(names) - len(self._module)
        return names[above:] if above > 0 and names[:above] == self._root[-above:] else names

    # Imports of JavaScript and TypeScript.

    def _imported_by_script(self, path: str, word: Word) -> _Meant:
        spelt = word.text
        if spelt.startswith("."):
            return "this" if self._resolves(path, spelt) else ""
        first, *rest = self._bare(spelt).split("/")
        folder = first.lstrip(_SIGNS)
        tail = (folder, *rest) if folder else tuple(rest)
        fits = bool(tail) and self._module[-len(tail) :] == tail
        if not folder:  # as a compiler's paths are written
            return ("this" if len(tail) > 1 else "may be") if fits else ""
        if folder != first:  # an alias: it is called as a folder is, or otherwise
            return "may be" if fits or (len(rest) > 1 and self._module[-len(rest) :] == tuple(rest)) else ""
        return "may be" if fits and (len(tail) > 1 or self._module[:-1] in {(), ("src",)}) else ""

    def _bare(self, spelt: str) -> str:
        base, suffix = posixpath.splitext(spelt)
        return base if suffix in _SCRIPTS else spelt

    def _resolves(self, path: str, spelt: str) -> bool:
        """Whether a relative path in a script leads to this file: as it is, by its ending, or as a folder."""
        if not spelt.startswith(("./", "../")) and spelt not in {".", ".."}:
            return False
        base = posixpath.normpath(posixpath.join(posixpath.dirname(path), spelt))
        stem, suffix = posixpath.splitext(base)
        ends = [base, *(base + end for end in _SCRIPTS), *(f"{base}/index{end}" for end in _SCRIPTS)]
        return self._path in ends or self._path in {stem + end for end in _COMPILED.get(suffix, ())}

    # Its path or its module in a text.

    def _named_in(self, path: str, text: str) -> str:
        for found in self._as_file.finditer(text):
            spelt = tuple(part for part in found[0].split("/") if part not in {"", ".", ".."})
            if self._fits(path, spelt):
                return found[0]
        for found in self._as_stem.finditer(text):
            if self._is_stem(path, found[0]):
                return found[0]
        if self._suffix == ".py" and PurePosixPath(path).suffix not in _SCRIPTS:
            for found in self._as_module.finditer(text):
                spelt = self._from_root(tuple(found[0].split(".")))
                if self._module[-len(spelt) :] == spelt:
                    return found[0]
        return ""

    def _is_stem(self, path: str, spelt: str) -> bool:
        """Whether a path without an ending leads here: from the root, from the file that has it, from an alias."""
        if spelt.startswith(("@/", "~/")):
            tail = tuple(spelt.split("/")[1:])
            return len(tail) > 1 and self._parts[-len(tail) :] == tail
        here = posixpath.normpath(posixpath.join(posixpath.dirname(path), spelt))
        return "/".join(self._parts) in {here, posixpath.normpath(spelt)}

    # What a text says is to be loaded or run.

    def _loaded_by(self, path: str, text: str) -> tuple[str, _Meant]:
        for found in _HANDLER.finditer(text):
            tail = tuple(part for part in re.split(r"[./]+", found[1]) if part)
            if self._is_stem(path, found[1]):
                return found[1], "this"
            if tail and self._module[-len(tail) :] == tail:
                return found[1], "may be"
        suffix = PurePosixPath(path).suffix
        if self._suffix != ".py" or suffix in _SCRIPTS:
            return "", ""
        for found in _FUNCTION.finditer(text):
            if self._meant(path, (found[1],)) == "this":
                return found[0], "may be"  # an image with its tag looks alike
        for said, module, names in _modules(text, is_source=suffix in LANGUAGES):
            if of := self._imported(path, module.strip("."), names):
                return said, of if names else "may be"  # people say "import deals", too
        return "", ""

    def _fits(self, path: str, spelt: tuple[str, ...]) -> bool:
        own = PurePosixPath(self._path).parts
        spelt = (*spelt[:-1], own[-1])  # what it is compiled to is it too
        shorter = min(len(own), len(spelt))
        if own[-shorter:] != spelt[-shorter:]:
            return False
        return shorter > 1 or len(own) == 1 or self._is_alone or PurePosixPath(path).parent.parts == own[:-1]

    @cached_property
    def _as_file(self) -> re.Pattern[str]:
        stem = re.escape(self._parts[-1])
        ends = [self._suffix, *(end for end, own in _COMPILED.items() if self._suffix in own)]
        name = f"{stem}(?:{'|'.join(map(re.escape, ends))})"
        return re.compile(rf"(?<![\w.@+~/-])[\w.@+~/-]*(?<![\w.@+~-]){name}(?![\w-]|\.\w)")

    @cached_property
    def _as_stem(self) -> re.Pattern[str]:
        return re.compile(rf"(?<![\w.@+~/-])(?:[\w.@+~-]+/)+{re.escape(self._parts[-1])}(?![\w/.-])")

    @cached_property
    def _as_module(self) -> re.Pattern[str]:
        return re.compile(rf"(?<![\w./-])(?:\w+\.)+{re.escape(self._module[-1])}(?!\w)")


def _modules(text: str, *, is_source: bool) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The modules of Python that a text loads: as it says it, the module, what is taken from it."""
    for found in _RUN.finditer(text):
        yield f"-m {found[1]}", found[1], ("__main__",)
    if is_source:
        return  # its statements are no texts
    for found in _STATEMENT.finditer(text):
        names = (name.split()[0] for name in (found[2] or "").split(",") if name.strip())
        yield found[0], found[1] or found[3], tuple(names)


def _bearing(path: str, word: Word) -> Bearing:
    if is_test(path):
        return "test"
    name = PurePosixPath(path).name
    is_document = PurePosixPath(path).suffix in _DOCUMENTS and not name.startswith("requirements")
    return "mentions" if word.kind == "comment" or is_document or name in _LISTS else "needs"
