"""A provider to test against: it speaks a connector's own dialect, told from the config alone.

Read in this order: how answers are written, how requests are read, what odd answers there are, who gets which token,
the API behind it, and the face by which an engine of this process reaches it all. `over_http` is for other processes.
"""

from __future__ import annotations

from pytest_connproof.provider.authorization import (
    AuthorizationServer,
    Issued,
    Numbered,
    Outcome,
    Presentation,
    Rotation,
    Served,
    numbered,
)
from pytest_connproof.provider.dialect import Dialect
from pytest_connproof.provider.faces import Arrival, Delivery, InProcess, Side, SimulatedProvider
from pytest_connproof.provider.odd_answers import ANSWERS, Acts, OddAnswer
from pytest_connproof.provider.resource import Resource

__all__ = [
    "ANSWERS",
    "Acts",
    "Arrival",
    "AuthorizationServer",
    "Delivery",
    "Dialect",
    "InProcess",
    "Issued",
    "Numbered",
    "OddAnswer",
    "Outcome",
    "Presentation",
    "Resource",
    "Rotation",
    "Served",
    "Side",
    "SimulatedProvider",
    "numbered",
]
