"""Read and write recordings: recorded HTTP traffic as a document that a person can review.

A file becomes a `Recording` of plain requests and responses, and a Recording becomes the same bytes
again: `dump(load(path)) == text` for every file written here. The one invariant: a file that is not
wholly right is refused with line and reason, never read as a shorter or an emptier recording.

What a recording may say is in schema/recording.schema.json. Replaying it is left to `replay`, foreign
formats to `foreign`; both they and a recorder build recordings with `assemble`, which redacts.
"""

from __future__ import annotations

from pytest_connproof.recording.assembling import RawLane, assemble, unclean
from pytest_connproof.recording.parts import (
    FORMAT,
    Call,
    Exchange,
    Lane,
    Provenance,
    Recording,
    RecordingUnfit,
    Redaction,
)
from pytest_connproof.recording.reading import load, parse
from pytest_connproof.recording.writing import document_of, dump, exchange_document, save

__all__ = [
    "FORMAT",
    "Call",
    "Exchange",
    "Lane",
    "Provenance",
    "RawLane",
    "Recording",
    "RecordingUnfit",
    "Redaction",
    "assemble",
    "document_of",
    "dump",
    "exchange_document",
    "load",
    "parse",
    "save",
    "unclean",
]
