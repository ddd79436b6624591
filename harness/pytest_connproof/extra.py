"""What the extra `connproof[pytest]` brings: the plugin and its commands are there without it, and then say so."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

__all__ = ["HOW_TO_INSTALL", "missing"]

HOW_TO_INSTALL: Final = "pip install 'connproof[pytest]'"


def missing() -> list[str]:
    """The packages that certifying needs and that are not installed."""
    return [name for name in ("pytest", "respx", "syrupy") if find_spec(name) is None]
