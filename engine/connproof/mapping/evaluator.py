"""The process in which expressions of strangers are evaluated: a line of JSON in, a line of JSON out for each.

What comes in is expressions, a record and the values bound to names; what goes out is JSON. It opens nothing, and it
ends when it needs more than it was given, by the kernel's hand where the system has one for it, also in the
middle of a native call. `apart` starts it and says what its end meant.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, BinaryIO, Final

from connproof.clock import FixedClock
from connproof.mapping.jsonata import Expression, Scope, cause_of
from connproof.places import ABSENT, JsonValue

__all__ = ["main"]

_HAS_TIMERS: Final = hasattr(signal, "setitimer")  # not on Windows


def main() -> None:
    """Answer requests until there are none. The first line says the bounds."""
    replies = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # a library that prints says nothing to whoever reads the replies
    requests = sys.stdin.buffer
    bounds = json.loads(requests.readline())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for whoever asks
    _confine(bounds["memory_bytes"])
    _reply(replies, b"ready")
    compiled: dict[str, Expression] = {}
    while True:
        _arm("ITIMER_REAL", bounds["idle_s"] if compiled else 0)  # whoever started this is about to ask
        line = requests.readline()
        _arm("ITIMER_REAL", 0)
        if not line:
            return
        _arm("ITIMER_PROF", bounds["cpu_s"])
        for reply in _replies(line, compiled, bounds["result_bytes"]):
            _reply(replies, reply)
        _arm("ITIMER_PROF", 0)


def _confine(memory_bytes: int) -> None:
    """Bound what the process may have, as far as the system can: memory, no file written, no core dump."""
    try:
        import resource
    except ImportError:  # Windows has no such bounds
        return
    for bound, most in (("RLIMIT_AS", memory_bytes), ("RLIMIT_FSIZE", 0), ("RLIMIT_CORE", 0)):
        try:
            resource.setrlimit(getattr(resource, bound), (most, most))
        except (AttributeError, ValueError, OSError):  # macOS refuses a bound on memory; the others hold
            continue


def _arm(timer: str, seconds: float) -> None:
    """Let the kernel end this process after so much time; 0 is never. The signals' own default is to kill."""
    if _HAS_TIMERS:
        signal.setitimer(getattr(signal, timer), seconds)


def _reply(replies: BinaryIO, line: bytes) -> None:
    replies.write(line + b"\n")
    replies.flush()


def _replies(line: bytes, compiled: dict[str, Expression], most: int) -> Iterator[bytes]:
    """The answer to each expression of a request, in their order; after one that needed too much none follows."""
    try:
        asked = json.loads(line)
        frame = _frame(asked)
        for text in asked["expressions"]:
            if text not in compiled:
                compiled[text] = Expression(text)
            answer = _evaluated(compiled[text], asked["record"], frame)
            if len(answer) > most:
                yield b'{"ended": "result"}'
                return
            yield answer
    except MemoryError:
        yield b'{"ended": "memory"}'


def _frame(asked: Mapping[str, Any]) -> Any:
    clock = FixedClock(datetime.fromisoformat(asked["now"]).astimezone(UTC))
    return Scope(clock, asked["bindings"], asked["milliseconds"]).frame()


def _evaluated(expression: Expression, record: JsonValue, frame: Any) -> bytes:
    try:
        value = expression.evaluate(record, frame)
        return json.dumps({} if value is ABSENT else {"value": value}).encode()
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 the library raises any class
        return json.dumps({"failed": cause_of(error)}).encode()
