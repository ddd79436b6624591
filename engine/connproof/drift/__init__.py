"""A declared shape against a seen one: what drifted, and whether the config reads it.

`infer` tells the shape of documents, which `Seen.schema` writes as a contract that people review; `compare` holds
what is seen later against it, and `reads_of` says which places matter. All of it is plain
functions over values: nobody here asks a provider.
"""

from __future__ import annotations

from connproof.drift.comparing import Difference, Kind, Severity, compare
from connproof.drift.reads import Read, names_of, reads_before_mapping, reads_of
from connproof.drift.shapes import DIALECT, FORMATS, Seen, infer

__all__ = [
    "DIALECT",
    "FORMATS",
    "Difference",
    "Kind",
    "Read",
    "Seen",
    "Severity",
    "compare",
    "infer",
    "names_of",
    "reads_before_mapping",
    "reads_of",
]
