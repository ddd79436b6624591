"""The words of this folder: a tape is another tool's recording, read.

A tape has at least one exchange, and each of them is whole: request and response, as they were
stored. A file that cannot be read so ends in `ForeignUnreadable`, never in a shorter tape.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connproof.errors import ConnproofError, Fact
from connproof.model import Request, Response

__all__ = ["CUT", "ForeignUnreadable", "Tape", "Taped", "Unfit"]

CUT: Final = "it may be cut off or edited by hand: restore it, or record it again"


@dataclass(frozen=True, slots=True)
class Taped:
    """One exchange of a tape.

    The URL stands as it was recorded, placeholders included. Header names are lower-case, each
    recorded value a line of its own. An empty request body is None: on the wire nothing tells
    the two apart. The response body is free of any content encoding, and the headers that spoke of
    its encoding, framing and length are gone. `recorded_at` is the file's own text, None where it has none.
    """

    request: Request
    response: Response
    recorded_at: str | None


@dataclass(frozen=True, slots=True)
class Tape:
    """A file of another tool: its format's name, where it is, its exchanges in the file's order."""

    format: str
    path: Path
    exchanges: tuple[Taped, ...]


class Unfit(Exception):
    """A reader's objection: the pointer (RFC 6901) of what it refuses, why, and what to do.

    `line` (from 1) is 0 where only the pointer is known.
    """

    def __init__(self, pointer: str, why: str, *, line: int = 0, fix: str = "") -> None:
        super().__init__(why)
        self.pointer = pointer
        self.why = why
        self.line = line
        self.fix = fix


class ForeignUnreadable(ConnproofError):
    """A file that is no whole recording of a known tool.

    `line` counts from 1, 0 where unknown. `refusals` says of each format that was tried why it
    did not read the file.
    """

    def __init__(self, path: Path, unfit: Unfit, refusals: Mapping[str, str]) -> None:
        self.path = path
        self.line = unfit.line
        self.pointer = unfit.pointer
        self.refusals = dict(refusals)
        facts: dict[str, Fact] = {"file": f"{path}:{unfit.line}" if unfit.line else str(path)}
        if unfit.pointer:
            facts["at"] = unfit.pointer
        if refusals:
            facts["tried"] = tuple(f"{name}: {why}" for name, why in refusals.items())
        super().__init__(f"cannot read {path.name} as a recording: {unfit.why}", facts=facts, fix=unfit.fix)
