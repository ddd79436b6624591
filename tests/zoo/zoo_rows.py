"""What became of each animal of the zoo in a run: a line for each, and the check that caught it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

__all__ = ["told"]


def told(outcomes: Mapping[str, Iterable[str]]) -> str:
    """One line an animal; "" where none was let loose. `outcomes` has "name, tab, check" by what pytest says."""
    caught, missed = (sorted({*outcomes.get(outcome, ())}) for outcome in ("passed", "failed"))
    pairs = [(*one.split("\t"), "caught by") for one in caught]
    pairs += [(*one.split("\t"), "NOT CAUGHT as it should be by") for one in missed]
    width = max((len(name) for name, *_ in pairs), default=0)
    return "\n".join(f"{name:<{width}}   {what} {check}" for name, check, what in pairs)
