"""What a tree needs an old file for: imports and names of every kind, told from what only looks alike."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("tree_sitter_language_pack", reason="the extra [audit] has the grammars")

from pytest_connproof.audit.references import References, references_to


def found(root: Path, target: str, **files: str) -> References:
    """What names the target in a tree of the target and these files."""
    for name, text in {target: "x = 1\n", **files}.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return references_to(root, [target])


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("app/sync.py", "from old.deals import fetch"),
        ("app/sync.py", "from old import deals"),
        ("app/sync.py", "from old import config, deals as handler"),
        ("app/sync.py", "from old import (\n    deals,\n)"),
        ("app/sync.py", "import old.deals as handler"),
        ("app/sync.py", "import os, old.deals"),
        ("app/sync.py", "def late():\n    from old.deals import fetch"),
        ("app/sync.py", "module = importlib.import_module('old.deals')"),
        ("app/sync.py", "module = __import__('old.deals')"),
        ("app/sync.py", "module = import_module('.deals', 'old')"),
        ("app/sync.py", "module = import_module('..deals', package='old.inner')"),
        ("app/sync.py", "from product.old.deals import fetch"),
        ("app/sync.py", "from ..old.deals import fetch"),
        ("app/sync.py", "from ..old import deals"),
        ("old/__init__.py", "from . import deals"),
        ("old/other.py", "from .deals import fetch"),
        ("old/other.py", "import deals"),
        ("old/inner/other.py", "from ..deals import fetch"),
    ],
)
def test_python_that_imports_it_needs_it(tmp_path: Path, path: str, line: str) -> None:
    """Absolute and relative, of the module or from it, at the top or late."""
    references = found(tmp_path / "product", "old/deals.py", **{path: f"import sys\n{line}\n"})

    assert [(path, "needs")] == [(one.path, one.bearing) for one in references.found]
    assert references.found[0].line >= 2
    assert references.found[0].how.startswith("imports ")


@pytest.mark.parametrize(
    "line",
    [
        "from new.deals import fetch",
        "from product.new.deals import fetch",
        "module = import_module('.deals', 'new')",
        "from old.deals_v2 import fetch",
        "from old import dealers",
        "import old",
        "from .deals import fetch",
        "deals = 1",
        "self.old.deals.fetch()",
        "print('deals')",
        "requests.get('https://api.example/old/deals')",
        "path = 'older/old/deals2.py'",
    ],
)
def test_python_that_names_something_else_does_not(tmp_path: Path, line: str) -> None:
    """Another module, an attribute, an address."""
    assert () == found(tmp_path, "old/deals.py", **{"app/sync.py": line + "\n", "new/deals.py": ""}).found


@pytest.mark.parametrize(
    ("target", "path", "expected"),
    [
        ("deals.py", "app/sync.py", "needs"),
        ("src/deals.py", "app/sync.py", "needs"),
        ("src/deals.py", "scripts/run.py", "needs"),
        ("old/deals.py", "old/inner/run.py", "needs"),
        ("old/deals.py", "app/sync.py", "may need"),
        ("old/deals.py", "tests/test_sync.py", "test"),
    ],
)
def test_one_name_alone_means_it_where_it_is_at_hand(tmp_path: Path, target: str, path: str, expected: str) -> None:
    """Elsewhere a package from outside may have the same name: that is not known, and said."""
    references = found(tmp_path, target, **{path: "import deals\n"})

    assert [expected] == [one.bearing for one in references.found]
    assert (expected != "needs") == ("which may be other code" in references.found[0].how)


def test_a_file_of_another_language_is_no_module(tmp_path: Path) -> None:
    """The same name beside it hides nothing."""
    files = {"old/deals.ts": "", "app/sync.py": "from old.deals import fetch\n"}

    assert ["needs"] == [one.bearing for one in found(tmp_path, "old/deals.py", **files).found]


def test_of_two_modules_of_one_name_the_nearest_is_meant(tmp_path: Path) -> None:
    """`handlers.deals` in one service is not that of another."""
    files = {"b/handlers/deals.py": "", "b/run.py": "from handlers.deals import fetch\n"}

    assert () == found(tmp_path, "a/handlers/deals.py", **files).found
    assert ("b/run.py",) == tuple(one.path for one in references_to(tmp_path, ["b/handlers/deals.py"]).found)


@pytest.mark.parametrize(
    "line",
    [
        'import { deals } from "../old/deals";',
        'import { deals } from "../old/deals.js";',
        'import { deals } from "../old/deals.ts";',
        'import "../old/deals";',
        'import deals = require("../old/deals");',
        'export * from "../old/deals";',
        'const { deals } = require("../old/deals");',
        'require("../old/deals").run();',
        "const deals = await import(`../old/deals`);",
        'type Deal = import("../old/deals").Deal;',
        'import { deals } from "@/old/deals";',
    ],
)
@pytest.mark.parametrize("path", ["app/sync.ts", "app/sync.tsx"])
def test_a_script_that_imports_it_needs_it(tmp_path: Path, path: str, line: str) -> None:
    """Imports, exports, requires: with, without and with the compiled ending."""
    references = found(tmp_path, "old/deals.ts", **{path: f"// first\n{line}\n"})

    assert [(path, 2, "needs")] == [(one.path, one.line, one.bearing) for one in references.found]
    assert references.found[0].how.startswith("imports ")


@pytest.mark.parametrize(
    "line",
    [
        'jest.mock("../old/deals");',
        '/// <reference path="../old/deals.ts" />',
        'const path = join(__dirname, "..", "old", "deals.js");',
        'new Worker(new URL("../old/deals.ts", import.meta.url));',
        'spawn("node", ["old/deals.ts"]);',
    ],
)
def test_a_script_that_names_it_needs_it(tmp_path: Path, line: str) -> None:
    """What is no import, but loads it."""
    references = found(tmp_path, "old/deals.ts", **{"app/sync.js": line + "\n"})

    assert ["needs"] == [one.bearing for one in references.found]


@pytest.mark.parametrize(
    "line",
    [
        'import { deals } from "../new/deals";',
        'import { deals } from "./old/deals";',
        'import { deals } from "deals";',
        'import { deals } from "@org/deals";',
        'import { deals } from "@app/new/deals";',
        'import { deals } from "#new/deals.js";',
        'fetch("/old/deals");',
        "this.old.deals();",
    ],
)
def test_a_script_that_names_something_else_does_not(tmp_path: Path, line: str) -> None:
    """Another file, a package, an address."""
    assert () == found(tmp_path, "old/deals.ts", **{"app/sync.ts": line + "\n"}).found


@pytest.mark.parametrize("spelt", ["@app/old/deals", "@old/deals", "#old/deals.js", "$lib/old/deals", "old/deals"])
def test_an_alias_may_mean_it(tmp_path: Path, spelt: str) -> None:
    """What it stands for is said in a compiler's own settings: that is not known, and said."""
    references = found(tmp_path, "old/deals.ts", **{"app/sync.ts": f'import {{ deals }} from "{spelt}";\n'})

    assert [f"imports {spelt}, which may be other code"] == [one.how for one in references.of("may need")]


@pytest.mark.parametrize("spelt", ["../old/table", "../old/table.js", "../old/table.jsx", "../old/table.tsx"])
def test_a_component_is_imported_by_what_it_is_compiled_to(tmp_path: Path, spelt: str) -> None:
    """A compiler that keeps its syntax makes .jsx of it, another .js."""
    references = found(tmp_path, "old/table.tsx", **{"app/page.tsx": f'import {{ Table }} from "{spelt}";\n'})

    assert ["needs"] == [one.bearing for one in references.found]


def test_a_folder_is_imported_by_its_name(tmp_path: Path) -> None:
    """index.ts and __init__.py."""
    script = found(tmp_path, "old/deals/index.ts", **{"app/sync.ts": 'import x from "../old/deals";\n'})
    package = found(tmp_path, "lib/deals/__init__.py", **{"app/sync.py": "from lib.deals import fetch\n"})

    assert ["app/sync.ts"] == [one.path for one in script.found]
    assert ["app/sync.py"] == [one.path for one in package.found]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("Dockerfile", "COPY old/deals.py /app/deals.py"),
        ("Dockerfile", 'CMD ["python", "/app/old/deals.py"]'),
        (".github/workflows/ci.yml", "      run: python old/deals.py --all"),
        ("scripts/nightly.sh", "cd $ROOT/old && python deals.py"),
        ("scripts/nightly.bat", "python old\\deals.py"),
        ("Makefile", "\tpython -m old.deals"),
        ("pyproject.toml", 'deals = "old.deals:main"'),
        ("config/jobs.json", '{"job": "old/deals"}'),
        ("app/sync.py", "subprocess.run(['python', 'old/deals.py'])"),
        ("app/sync.py", "path = ROOT / 'old' / 'deals.py'"),
        ("app/sync.py", "task = 'old.deals.fetch'"),
        ("main.go", 'exec.Command("python", "old/deals.py")'),
        ("Dockerfile", 'CMD ["python", "-c", "from old import deals; deals.run()"]'),
        ("notebooks/deals.ipynb", '    "from old import config, deals as handler\\n",'),
        ("app/fast.pyx", "from old import deals"),
        ("serverless.yml", "    handler: old/deals.fetch"),
        ("main.tf", '  handler = "old/deals.fetch"'),
        ("app/page.vue", "import { deals } from '@/old/deals'"),
    ],
)
def test_whatever_names_it_needs_it(tmp_path: Path, path: str, line: str) -> None:
    """Configs, scripts, CI, containers, and other languages; with the line."""
    references = found(tmp_path, "old/deals.py", **{path: f"\n\n{line}\n"})

    assert [(path, 3, "needs")] == [(one.path, one.line, one.bearing) for one in references.found]
    assert references.found[0].how.startswith("names ")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("README.md", "Run `python old/deals.py`."),
        (".github/workflows/ci.yml", "  # was: python old/deals.py"),
        ("app/sync.py", "# as old/deals.py had it"),
        ("app/sync.py", "x = 1  # see old/deals.py"),
        ("app/sync.py", 'def f():\n    """As old/deals.py had it."""'),
        (".dockerignore", "old/deals.py"),
        ("README.md", "handler: deals.fetch"),
    ],
)
def test_what_only_speaks_of_it_does_not_need_it(tmp_path: Path, path: str, line: str) -> None:
    """Documents, comments, lists of what to leave out."""
    references = found(tmp_path, "old/deals.py", **{path: f"{line}\n"})

    assert [(path, "mentions")] == [(one.path, one.bearing) for one in references.found]


@pytest.mark.parametrize("line", ["python other/deals.py", "python deals.py", "python old/deals.pyx", "the deals"])
def test_a_config_that_names_something_else_does_not(tmp_path: Path, line: str) -> None:
    """Another file of its name, where there is one."""
    files = {"other/deals.py": "", "scripts/run.sh": f"{line}\n"}

    assert () == found(tmp_path, "old/deals.py", **files).found


@pytest.mark.parametrize(
    ("target", "path", "line", "expected"),
    [
        ("deals.py", "Makefile", "\tpython -m deals --all", "needs"),
        ("deals.py", "Dockerfile", 'CMD ["python", "-m", "deals"]', "needs"),
        ("deals.py", "run.sh", 'python -c "from deals import run; run()"', "needs"),
        ("deals.py", "run.sh", 'python -c "import deals"', "may need"),
        ("deals.py", "pyproject.toml", 'sync = "deals:main"', "may need"),
        ("old/__main__.py", "Makefile", "\tpython -m old", "needs"),
        ("old/deals.py", "Makefile", "\tcd old && python -m deals", "may need"),
        ("old/deals.py", "template.yaml", "      Handler: deals.fetch", "may need"),
        ("old/deals.py", "compose.yml", "    image: deals:latest", None),
        ("old/deals.py", "jobs.yml", "    handler: new/deals.fetch", None),
        ("deals.py", "jobs.yml", "    url: http://deals:8080", None),
    ],
)
def test_a_module_of_one_name_is_run_by_it(
    tmp_path: Path, target: str, path: str, line: str, expected: str | None
) -> None:
    """What is plain to see is a need; where another may have its name, that is said."""
    references = found(tmp_path, target, **{path: f"{line}\n"})

    assert ([expected] if expected else []) == [one.bearing for one in references.found]


def test_tests_are_told_apart(tmp_path: Path) -> None:
    """By their folder or their name."""
    text = "from old.deals import fetch\n"
    references = found(tmp_path, "old/deals.py", **{"tests/test_old.py": text, "app/deals_test.py": text})

    assert {"app/deals_test.py", "tests/test_old.py"} == {one.path for one in references.of("test")}


def test_the_files_themselves_and_what_is_apart_do_not_count(tmp_path: Path) -> None:
    """What is deleted with it, and what was said to mean other code."""
    text = "from old.deals import fetch\n"
    found(tmp_path, "old/deals.py", **{"old/more.py": text, "app/sync.py": text})

    assert ["app/sync.py"] == [one.path for one in references_to(tmp_path, ["old/deals.py", "old/more.py"]).found]
    assert () == references_to(tmp_path, ["old/deals.py"], ["app", "old/more.py"]).found


def test_what_no_grammar_takes_is_told_and_searched(tmp_path: Path) -> None:
    """A fault hides nothing that is written out, and what it may hide is said."""
    references = found(tmp_path, "old/deals.py", **{"app/sync.py": "def f(:\n    run('old/deals.py'\n"})

    assert [("app/sync.py", 2, "needs")] == [(one.path, one.line, one.bearing) for one in references.found]
    assert ["app/sync.py"] == [path for path, _ in references.unread]


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
def test_what_git_ignores_is_not_looked_at(tmp_path: Path) -> None:
    """A build, an environment: neither is part of the tree."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    files = {".gitignore": "out/\n", "out/sync.py": "from old.deals import fetch\n"}

    assert () == found(tmp_path, "old/deals.py", **files).found


def test_without_git_others_code_is_not_looked_at(tmp_path: Path) -> None:
    """Packages and caches are left out by their names; what builds the tree is not."""
    text = "from old.deals import fetch\n"
    files = {"node_modules/x/a.py": text, ".cache/a.py": text, ".circleci/config.yml": "run: old/deals.py\n"}

    assert [".circleci/config.yml"] == [one.path for one in found(tmp_path, "old/deals.py", **files).found]
