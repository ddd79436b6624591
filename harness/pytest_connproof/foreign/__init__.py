"""Read the recordings of other tools, and write HAR for them.

A file is known by what is in it, never by its name: it is read once, as JSON or YAML, and shown to
each format of the table. The first that is not unlike it reads it, wholly or not at all.

To add one: write a file here with NAME, `unlike` and `exchanges`, then list it in FORMATS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pytest_connproof.foreign import betamax, har, ruby_vcr, vcrpy
from pytest_connproof.foreign.document import Document, Part
from pytest_connproof.foreign.har import write_har
from pytest_connproof.foreign.notation import parse
from pytest_connproof.foreign.tape import ForeignUnreadable, Tape, Taped, Unfit

__all__ = ["FORMATS", "ForeignUnreadable", "Format", "Tape", "Taped", "read", "write_har"]


@dataclass(frozen=True, slots=True)
class Format:
    """A tool's way to store exchanges. `unlike` says why a document is none of its own, None where it is."""

    name: str
    unlike: Callable[[Part], str | None]
    exchanges: Callable[[Document], tuple[Taped, ...]]


# betamax stands before Ruby's VCR: its cassettes have the same outline, and say whose they are.
FORMATS: Final = (
    Format(betamax.NAME, betamax.unlike, betamax.exchanges),
    Format(ruby_vcr.NAME, ruby_vcr.unlike, ruby_vcr.exchanges),
    Format(vcrpy.NAME, vcrpy.unlike, vcrpy.exchanges),
    Format(har.NAME, har.unlike, har.exchanges),
)


def read(path: Path) -> Tape:
    """Read a recording of any known tool; at least one exchange, each of them whole.

    Raises ForeignUnreadable for everything else, naming line and pointer where they are known.
    """
    refusals: dict[str, str] = {}
    try:
        document = parse(path.read_bytes())
    except OSError as fault:
        raise ForeignUnreadable(path, Unfit("", fault.strerror or str(fault), fix="name a file"), {}) from fault
    except Unfit as unfit:
        raise ForeignUnreadable(path, unfit, {}) from None
    for known in FORMATS:
        why = known.unlike(document.root)
        if why is not None:
            refusals[known.name] = why
            continue
        try:
            exchanges = known.exchanges(document)
        except Unfit as unfit:
            unfit.line = unfit.line or document.line(unfit.pointer)
            raise ForeignUnreadable(path, unfit, {**refusals, known.name: unfit.why}) from None
        if not exchanges:
            empty = Unfit("", "it holds no exchange", fix="record it again, or leave it out")
            raise ForeignUnreadable(path, empty, {**refusals, known.name: "it holds no exchange"})
        return Tape(known.name, path, exchanges)
    unknown = Unfit("", "no known tool writes such a file", fix=f"export it as HAR; known: {', '.join(refusals)}")
    raise ForeignUnreadable(path, unknown, refusals)
