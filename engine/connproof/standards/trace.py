"""traceparent (W3C Trace Context) from a caller's headers into data, and into a header of our own.

Whether one of ours is sent to a provider is the connector's to declare; by default none is. A caller's own
header, its tracestate and its baggage are never forwarded: they say who asks.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from connproof.model import Headers

__all__ = ["Trace", "make_traceparent", "read_trace"]

_MOST_CHARACTERS: Final = 1_000
_FORM: Final = re.compile("([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace that goes on. Ids are lower-case hex; `state` is its tracestate, which stays with us."""

    trace_id: str
    parent_id: str
    sampled: bool
    state: str | None = None


def read_trace(headers: Headers) -> Trace | None:
    """The trace of a request that came in, None where it has none that is valid: then a new one starts.

    Header names are lower-case. Of a version that we do not know, the first four fields count.
    """
    lines = [value for name, value in headers if name == "traceparent"]
    if len(lines) != 1 or len(lines[0]) > _MOST_CHARACTERS:
        return None
    found = _FORM.fullmatch(lines[0].strip(" \t"))
    if found is None:
        return None
    version, trace_id, parent_id, flags, more = found.groups()
    if version == "ff" or (version == "00" and more is not None):
        return None
    if not trace_id.strip("0") or not parent_id.strip("0"):
        return None
    states = [value for name, value in headers if name == "tracestate"]
    return Trace(trace_id, parent_id, bool(int(flags, 16) & 1), ",".join(states) if states else None)


def make_traceparent(trace: Trace | None, *, random: Callable[[int], bytes]) -> str:
    """A header value of ours: the same trace, or a new one, under a new parent id.

    `random` gives that many random bytes. Of the flags, only whether the trace is sampled goes on; a new one is not.
    """
    trace_id = trace.trace_id if trace else _id(random(16))
    return f"00-{trace_id}-{_id(random(8))}-{'01' if trace and trace.sampled else '00'}"


def _id(drawn: bytes) -> str:
    return drawn.hex() if any(drawn) else f"{1:0{2 * len(drawn)}x}"  # all zeros are no id
