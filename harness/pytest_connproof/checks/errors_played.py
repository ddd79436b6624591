"""ERR, played: errors and broken answers at any point of a read, against the simulated API: none is ever a hole.

Each ends the read as what the config, or HTTP, calls it; what was not read comes with the resumed read.
"""

from __future__ import annotations

from typing import Final

from pytest_connproof.finding import Evidence, Inconclusive
from pytest_connproof.interrupted import Plan, told_as_a_finding
from pytest_connproof.provider.faults import Scene, unplayable
from pytest_connproof.subject import Subject

_SAID: Final = ("declared_error", "error_beside_records", "refused", "strange")
_BROKEN: Final = ("fault", "cut", "html", "nothing", "reset", "torn", "slow")


def errors_are_no_holes(subject: Subject, target: str) -> Evidence:
    """An error at any point of a listing, also inside a 200, ends the read as what it is, and the rest can be had."""
    stage = subject.stage(target)
    counted = _played(subject, target, _SAID, "an error in the middle of a listing")
    missing = [one for one in unplayable(Scene(stage.connector, stage.operation)) if "/throttled/" not in one]
    if missing:
        raise Inconclusive(
            f"no answer can be written from the condition of {', '.join(missing)}",
            "another rule decides before it, or its pattern is none that can be spelt out: simplify it",
        )
    return counted


def what_breaks_is_no_end(subject: Subject, target: str) -> Evidence:
    """A fault, a body that is cut, missing or of another kind, a broken or slow connection: an error, and no page."""
    return _played(subject, target, _BROKEN, "what breaks on the way")


def _played(subject: Subject, target: str, faults: tuple[str, ...], what: str) -> Evidence:
    plan = Plan(subject.stage(target), faults)
    for one in plan.plays():
        if wrong := one.wrong() or one.lost():
            raise told_as_a_finding(one, f"{what} is not told, or not gone on from: {wrong}", subject.file)
    return plan.counted
