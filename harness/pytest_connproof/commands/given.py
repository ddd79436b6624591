"""What several commands make of the words that they are given: a day, a connector's folder, recordings.

A word that means nothing is refused with what would.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

from connproof.errors import CallWrong

__all__ = ["day", "folder", "judged_on", "no_connector", "recordings_in"]


def judged_on(as_of: str) -> date:
    """The day of --as-of; today where it is not given. Raises CallWrong."""
    return day("--as-of", as_of) if as_of else datetime.now().astimezone().date()


def day(option: str, text: str) -> date:
    """A day as an option has it. Raises CallWrong."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CallWrong(f"{option} {text}: not a date", fix="write it as 2026-11-23") from None


def folder(text: str) -> Path:
    """The folder of a connector that may have no config yet. Raises CallWrong."""
    named = Path("connectors") / text
    path = named if named.is_dir() or not Path(text).is_dir() else Path(text)
    if not path.is_dir():
        raise no_connector(text, Path("connectors"), fix=f"make the folder {path} first, or name another")
    return path


def no_connector(text: str, near: Path, fix: str = "name one of these, or a path") -> CallWrong:
    """The error of a connector that is not there: those that are, in the folder `near`."""
    there = sorted(file.parent.name for file in near.glob("*/connector.json"))
    return CallWrong(f"no connector {text}", facts={"there are": ", ".join(there) or "none"}, fix=fix)


def recordings_in(path: Path) -> list[Path]:
    """The recordings that a path means: itself, those in the folder, or in its `recordings`. Raises CallWrong."""
    if path.is_dir():
        inside = path / "recordings"
        return sorted((inside if inside.is_dir() else path).glob("*.json"))
    if not path.exists() and path.name != "recordings":
        raise CallWrong(f"no recording at {path}", fix="name a file of format connproof-recording/1, or a folder")
    return [path] if path.exists() else []
