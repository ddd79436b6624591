"""What the old code returned against what the config returns: compared, waived, told.

`compare` finds every difference, `waive` takes out those that deviations.json means, `groups` and `render` say the
rest to a person. Read in this order: instants, compare, deviations, render.
"""

from __future__ import annotations

from pytest_connproof.parity.compare import Comparison, Difference, Kind, compare, shown_key
from pytest_connproof.parity.deviations import (
    REQUESTS,
    Deviation,
    Judged,
    Waivable,
    expired,
    load_deviations,
    read_deviations,
    unused,
    waive,
)
from pytest_connproof.parity.render import Group, MappedBy, groups, render, shown_pair

__all__ = [
    "REQUESTS",
    "Comparison",
    "Deviation",
    "Difference",
    "Group",
    "Judged",
    "Kind",
    "MappedBy",
    "Waivable",
    "compare",
    "expired",
    "groups",
    "load_deviations",
    "read_deviations",
    "render",
    "shown_key",
    "shown_pair",
    "unused",
    "waive",
]
