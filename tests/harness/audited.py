"""Small repositories with a history, to be audited."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema

from pytest_connproof import audit

__all__ = ["Repository"]


@dataclass(frozen=True)
class Repository:
    """A folder with git in it; each commit names its author and its day."""

    root: Path

    def begin(self) -> Repository:
        self.root.mkdir(parents=True, exist_ok=True)
        self._git("init", "-q", "-b", "main")
        self._git("config", "user.email", "somebody@example.com")
        self._git("config", "user.name", "Somebody")
        self._git("config", "commit.gpgsign", "false")
        return self

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def remove(self, path: str) -> None:
        (self.root / path).unlink()

    def commit(self, subject: str, *, by: str, on: str) -> None:
        day = f"{on}T12:00:00+00:00"
        self._git("add", "-A")
        self._git(
            "commit", "-q", "-m", subject, "--author", f"{by} <{by.lower()}@example.com>",
            env={"GIT_AUTHOR_DATE": day, "GIT_COMMITTER_DATE": day},
        )  # fmt: skip

    def audited(self, since: str = "2001-01-01") -> dict[str, Any]:
        """The inventory, which fits its schema."""
        document = audit.take(self.root, since=since, progress=lambda *_: None)
        jsonschema.Draft202012Validator(audit.schema()).validate(document)
        return document

    def connector(self, name: str) -> dict[str, Any]:
        (found,) = (one for one in self.audited()["connectors"] if one["name"] == name)
        told: dict[str, Any] = found
        return told

    def _git(self, *arguments: str, env: dict[str, str] | None = None) -> None:
        nobody = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        subprocess.run(
            ["git", "-C", str(self.root), *arguments], check=True, env={**os.environ, **nobody, **(env or {})}
        )
