"""What several commands ask of where they print to: how wide it is, whether it has colours; and a document on it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from typing import Any, Final

import typer

__all__ = ["has_colours", "put_document", "width"]

_OF_A_FILE: Final = 120


def width() -> int:
    """The columns of the terminal, or of COLUMNS; 120 for what goes into a file or a pipe."""
    return shutil.get_terminal_size((_OF_A_FILE, 24)).columns


def has_colours() -> bool:
    """Whether what is printed goes to a terminal whose user has not said that colours are not wanted."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def put_document(document: Mapping[str, Any]) -> None:
    """Print a document for machines."""
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
