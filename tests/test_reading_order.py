"""Both packages can be read from top to bottom: no module imports one that stands below it.

The lists here are the order to read in; ARCHITECTURE.md tells them as a story. Source is parsed,
never imported.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Package:
    """A package, its parts in reading order, and the top-level names that it never imports."""

    name: str
    folder: Path
    parts: tuple[str, ...]
    refused: frozenset[str]

    def files(self) -> list[Path]:
        return sorted(self.folder.rglob("*.py"))


ENGINE = Package(
    "connproof",
    ROOT / "engine" / "connproof",
    (
        "errors",
        "clock",
        "places",
        "documents",
        "model",
        "events",
        "links",
        "addresses",
        "scrub",
        "standards",
        "schemas",
        "overrides",
        "config",
        "stores",
        "mapping",
        "decode",
        "network",
        "transport",
        "conditions",
        "ratelimit",
        "outcome",
        "draft",
        "credentials",
        "pagination",
        "auth",
        "tokens",
        "drift",
        "versions",
        "resume",
        "guard",
        "run",
        "live",
        "sync",
        "__init__",
        "named",
        "accounts",
        "cli",
        "__main__",
    ),
    frozenset({"pytest_connproof", "pytest", "_pytest", "hypothesis", "respx", "syrupy", "yaml"}),
)
HARNESS = Package(
    "pytest_connproof",
    ROOT / "harness" / "pytest_connproof",
    (
        "extra",
        "atomic",
        "redact",
        "recording",
        "foreign",
        "spelling",
        "xml_bodies",
        "replay",
        "net",
        "authority",
        "listening",
        "server",
        "answers",
        "quota_texts",
        "grants",
        "provider",
        "schedule",
        "parity",
        "snapshots",
        "finding",
        "lane_tokens",
        "lane_run",
        "conversation",
        "stage",
        "interrupted",
        "drawing",
        "moving",
        "counterfactual",
        "watch",
        "contracts",
        "announced",
        "subject",
        "named",
        "lane_parity",
        "connector_parity",
        "checks",
        "verdict",
        "collect",
        "report",
        "accepting",
        "lanes",
        "importing",
        "recorded",
        "old_code",
        "served",
        "baseline",
        "audit",
        "migrated",
        "migrated_telling",
        "scaffold",
        "commands",
        "plugin",
        "__init__",
    ),
    frozenset(),
)
PACKAGES = (ENGINE, HARNESS)

# Inside a subpackage siblings know nothing of each other, and `__init__` knows them all. What they
# share is told here, in order: each may import those before it, and every other file all of them.
SHARED: dict[str, tuple[str, ...]] = {
    "audit": (
        "facts",
        "sources",
        "grammars",
        "texts",
        "naming",
        "reading",
        "requests",
        "signs",
        "connectors",
        "history",
        "document",
    ),
    "auth": ("signing", "assertion"),
    "counterfactual": ("altered",),
    "commands": ("given", "screen"),
    "config": ("notes", "conditions", "limits", "shapes", "variables", "auth", "paging", "listings"),
    "decode": ("parts",),
    "drift": ("shapes", "reads"),
    "foreign": ("tape", "document", "plain_yaml", "notation", "wire"),
    "model": ("wire", "answers", "limits", "access", "paging", "operations", "mappings", "tokens", "connector"),
    "mapping": ("values", "instants", "patterns", "jsonata", "models", "custom", "paths"),
    "pagination": ("leads",),
    "parity": ("instants", "compare"),
    "provider": (
        "writing",
        "patterns",
        "telling",
        "quotas",
        "slots",
        "places",
        "halves",
        "habits",
        "shape",
        "listing",
        "inside",
        "dialect",
        "odd_answers",
        "authorization",
        "watched",
        "resource",
        "faces",
        "api",
        "forms",
    ),
    "recording": ("parts", "reading", "writing", "assembling"),
    "redact": ("symbols", "proving", "policy", "names", "walk", "shapes", "finds", "replacing", "synthetic"),
    "report": ("terminal", "certificate"),
    "scaffold": ("sample", "document", "faults", "questions", "asking"),
    "schedule": ("loop", "world", "playing", "search"),
    "standards": ("structured", "http_date"),
    "run": (
        "calls",
        "asking",
        "sending",
        "mapped",
        "walk",
        "windows",
        "restarts",
        "nested",
        "hydrated",
        "fanned_out",
        "listing",
    ),
    "tokens": ("timing", "deciding", "judging", "steps", "exchange"),
    "stores": ("keys", "opening", "token_store", "successors", "sealing", "token_rows", "token_transactions"),
}

# What pytest imports at start-up in every environment that has this distribution, wanted or not.
START_UP = ("__init__.py", "plugin.py")


FILES = [
    pytest.param(package, path, id=path.relative_to(ROOT).as_posix())
    for package in PACKAGES
    for path in package.files()
]
PARTS = [pytest.param(package, part, id=f"{package.name}.{part}") for package in PACKAGES for part in package.parts]


def _module(package: Package, path: Path) -> tuple[str, ...]:
    """`pagination/cursor.py` is ("pagination", "cursor"), `run.py` is ("run",)."""
    return path.relative_to(package.folder).with_suffix("").parts


def _imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every absolute import as line and dotted name, one for each name of a `from`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _own_imports(package: Package, path: Path) -> Iterator[tuple[int, tuple[str, ...]]]:
    """What a file imports of its own package, as line and module: `("pagination", "cursor")`."""
    for line, name in _imports(ast.parse(path.read_text(encoding="utf-8"))):
        top, *rest = name.split(".")
        if top == package.name:
            yield line, _resolve(package.folder, rest)


def _resolve(folder: Path, names: list[str]) -> tuple[str, ...]:
    """The module that a dotted name leads to: what is no file or folder is a name in `__init__`."""
    first, *rest = [*names, "__init__"]
    if (folder / f"{first}.py").is_file():
        return (first,)
    if (folder / first).is_dir():
        return (first, *_resolve(folder / first, rest))
    return ("__init__",)


def _place(order: tuple[str, ...], name: str) -> int:
    """Where a name stands in an order; what is not listed stands below everything."""
    return order.index(name) if name in order else len(order)


def _rank(order: tuple[str, ...], name: str) -> int:
    """Where a name stands inside its subpackage."""
    return order.index(name if name in order else "any other file")


def _run_on_import(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """The import statements that run when the module is imported: not a function's, not a type checker's."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
            yield from (inner for other in node.orelse for inner in _run_on_import(other))
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _run_on_import(node)


@pytest.mark.parametrize(("package", "part"), PARTS)
def test_every_part_of_the_order_exists(package: Package, part: str) -> None:
    """The reading order names no module that is not there."""
    spellings = (package.folder / f"{part}.py", package.folder / part / "__init__.py")

    assert any(path.is_file() for path in spellings), f"{package.name} has no {part}"


@pytest.mark.parametrize(("package", "path"), FILES)
def test_file_has_its_place(package: Package, path: Path) -> None:
    """A new module must be given its place in the story before it is merged."""
    part, *_ = _module(package, path)

    assert part in package.parts, f"give {part} its place in {package.name}'s reading order, in {__file__}"


@pytest.mark.parametrize(("package", "path"), FILES)
def test_file_imports_only_what_stands_above_it(package: Package, path: Path) -> None:
    """A reader who comes to this file has read all that it builds on."""
    part, *_ = _module(package, path)
    order = package.parts

    below = [
        f"line {line}: {part} stands before {other[0]} and may not import it"
        for line, other in _own_imports(package, path)
        if _place(order, other[0]) > _place(order, part)
    ]

    assert [] == below


@pytest.mark.parametrize(("package", "path"), FILES)
def test_siblings_do_not_import_each_other(package: Package, path: Path) -> None:
    """Each strategy, scheme, check and report can be read, and deleted, by itself."""
    part, *inner = _module(package, path)
    order = (*SHARED.get(part, ()), "any other file", "__init__")
    own = [(line, other[1]) for line, other in _own_imports(package, path) if other[0] == part and len(other) > 1]
    if inner[1:] == ["__init__"]:  # of a package inside this one: it knows its own files
        own = [(line, name) for line, name in own if name != inner[0]]

    beside = [line for line, name in own if _rank(order, name) >= _rank(order, inner[0])]

    assert [] == beside, f"lines {beside} import what stands beside or below this file inside {part}"


@pytest.mark.parametrize(("package", "path"), FILES)
def test_imports_are_absolute(package: Package, path: Path) -> None:
    """A relative import would hide from the tests here."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    relative = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]

    assert [] == relative, f"lines {relative}: write `from {package.name}...`"


@pytest.mark.parametrize(("package", "path"), FILES)
def test_engine_knows_nothing_of_testing(package: Package, path: Path) -> None:
    """The engine runs in production: no harness, no pytest, not even inside a function."""
    names = {name.split(".")[0] for _, name in _imports(ast.parse(path.read_text(encoding="utf-8")))}

    assert frozenset() == names & package.refused


@pytest.mark.parametrize("name", START_UP)
def test_start_up_imports_only_pytest_and_the_standard_library(name: str) -> None:
    """pytest imports this file in every run, also where the extra is not installed."""
    tree = ast.parse((HARNESS.folder / name).read_text(encoding="utf-8"))

    names = {name.split(".")[0] for statement in _run_on_import(tree) for _, name in _imports(statement)}

    assert set() == names - {"pytest"} - sys.stdlib_module_names
