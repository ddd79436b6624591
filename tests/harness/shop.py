"""A small project as its user has it: a folder of connectors, what was recorded, what was reviewed.

The provider is invented: deals on two pages, the second reached by a cursor.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest

# Loaded before pytester takes note of what is: otherwise each of its runs would load it anew.
from pytest_connproof.report import summary, terminal

__all__ = [
    "DAY",
    "DEALS",
    "LOADED",
    "Command",
    "Done",
    "Json",
    "Project",
    "config",
    "contract",
    "deals",
    "pytest_in_process",
    "recording",
    "snapshot",
]

LOADED: Final = (summary, terminal)

Json: TypeAlias = Any
"""Documents are built here only to be written: a test changes whichever part it is about."""

DAY: Final = "2026-11-23"
"""The day on which every run of these projects judges, so that no test ages."""

DEALS: Final = (
    {"id": "d-1", "name": "Roof", "amount": 12.5},
    {"id": "d-2", "name": "Wall", "amount": None},
    {"id": "d-3", "name": "Door", "amount": 40},
)


def deals() -> list[dict[str, Json]]:
    """The shop's records, for a test to change."""
    return [dict(deal) for deal in DEALS]


def config(**changes: Json) -> dict[str, Json]:
    """The config of the shop; `changes` replace members."""
    return {
        "base_url": "https://api.shop.example/v1",
        "auth": {"type": "bearer", "token_path": "access_token"},
        "pagination": {
            "type": "cursor",
            "cursor_param": "after",
            "cursor_field": "paging.next.after",
            "page_size_param": "limit",
            "default_page_size": 2,
        },
        "resources": {"deals": {"list": {"method": "GET", "path": "/deals", "response_path": "results", "key": "id"}}},
        **changes,
    }


def exchange(number: int, query: list[list[str]], body: Json) -> dict[str, Json]:
    return {
        "id": f"deals.list/{number}",
        "request": {
            "method": "GET",
            "url": "https://api.shop.example/v1/deals",
            "query": query,
            "headers": [["authorization", "Bearer {{secret:access_token#1}}"]],
        },
        "response": {"status": 200, "headers": [["content-type", "application/json"]], "json": body},
    }


def recording(**changes: Json) -> dict[str, Json]:
    """The recording of the shop's deals; `changes` replace members."""
    pages = [
        exchange(1, [["limit", "2"]], {"results": deals()[:2], "paging": {"next": {"after": "c-2"}}}),
        exchange(2, [["limit", "2"], ["after", "c-2"]], {"results": deals()[2:]}),
    ]
    return {
        "format": "connproof-recording/1",
        "provenance": {"kind": "synthetic", "written_at": "2026-11-01", "source": "an invented shop"},
        "lanes": [{"id": "deals.list", "order": "strict", "exchanges": pages}],
        **changes,
    }


def snapshot(**changes: Json) -> dict[str, Json]:
    """What was reviewed for the lane deals.list; `changes` replace members."""
    return {
        "format": "connproof-snapshot/1",
        "lane": "deals.list",
        "baseline": {"kind": "engine", "by": "connproof 0.0.1"},
        "model": None,
        "key": "id",
        "outcome": "complete",
        "requests": ["GET /v1/deals?limit=2", "GET /v1/deals?limit=2&after=c-2"],
        "records": deals(),
        **changes,
    }


def contract(operation: str = "deals.list", **changes: Json) -> dict[str, Json]:
    """What was agreed on for the shop's deals; `changes` replace members."""
    deal = {
        "type": "object",
        "properties": {"amount": {"type": ["number", "null"]}, "id": {"type": "string"}, "name": {"type": "string"}},
        "required": ["amount", "id", "name"],
    }
    after = {"type": "object", "properties": {"after": {"type": "string"}}, "required": ["after"]}
    paging = {"type": "object", "properties": {"next": after}, "required": ["next"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": operation,
        "type": "object",
        "properties": {"paging": paging, "results": {"type": "array", "items": deal}},
        "required": ["results"],
        **changes,
    }


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended: its exit code, and all that a user saw of it."""

    code: int
    text: str


Command: TypeAlias = Callable[..., Done]
"""Runs `connproof` with the words that a user types after it."""


@dataclass(frozen=True, slots=True)
class Project:
    """A folder of connectors and what stands beside it."""

    root: Path

    def connector(self, name: str = "shop", *, connectors: str = "connectors", **changes: Json) -> Path:
        """Write a connector that is certified as it stands, config `changes` aside; returns its folder."""
        folder = self.root / connectors / name
        self.write(f"{connectors}/{name}/connector.json", config(**changes))
        self.write(
            f"{connectors}/{name}/accounts/example.json",
            {"name": "example", "credentials": {"access_token": "example-access-token"}},
        )
        self.write(f"{connectors}/{name}/recordings/deals.json", recording())
        self.write(f"{connectors}/../snapshots/{name}/deals.list.json", snapshot())
        return folder

    def write(self, path: str, content: str | Json) -> Path:
        """Write a text, or a document as JSON."""
        file = Path(os.path.normpath(self.root / path))
        file.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        file.write_text(text, encoding="utf-8")
        return file

    def read(self, path: str) -> Json:
        return json.loads((self.root / path).read_bytes())

    def files(self) -> dict[str, bytes]:
        """Every file but what Python and pytest keep for themselves."""
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and not {"__pycache__", ".pytest_cache"} & set(path.parts)
        }

    def run(self, *arguments: str, cwd: str = ".") -> Done:
        """Run `python -m ARGUMENTS` as by hand; stdout and stderr as one."""
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
            cwd=self.root / cwd,
            env=environment(),
        )
        return Done(done.returncode, done.stdout)

    def interrupted(self, *arguments: str, when: str) -> Done:
        """Run `python -m ARGUMENTS`, and press Ctrl-C when a line of what it says ends with `when`."""
        with subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            cwd=self.root,
            env=environment(),
            start_new_session=True,  # Ctrl-C reaches every process of a terminal, and not this one
        ) as child:
            assert child.stdout is not None
            said = []
            for line in child.stdout:
                said.append(line)
                if line.rstrip().endswith(when):
                    os.killpg(child.pid, signal.SIGINT)
            return Done(child.wait(), "".join(said))


def pytest_in_process(pytester: pytest.Pytester, *arguments: str) -> Done:
    """Run pytest in this process, as on the projects' day and on a wide screen: ten times as fast as `run`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "200")
        plain = ("-pno:hypothesispytest", "-pno:cacheprovider", f"--as-of={DAY}")
        done = pytester.runpytest_inprocess(*plain, *arguments)
    return Done(int(done.ret), f"{done.stdout}{done.stderr}")


def environment() -> Mapping[str, str]:
    """That of a terminal of 120 columns: nothing of the run that runs this test."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))}
    return {**kept, "COLUMNS": "120", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"}
