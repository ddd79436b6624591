"""Draw cases with Hypothesis, and shrink the one that goes wrong to the smallest that does.

The same seed draws the same cases; nothing is kept between runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import MappingProxyType
from typing import Any, TypeVar

from pytest_connproof.provider.habits import HABITS, Case, Must, playable
from pytest_connproof.stage import Stage

__all__ = ["Wrong", "cases", "first_wrong", "quiet", "unhinted"]

_T = TypeVar("_T")
_MOST_HABITS = 4


class Wrong(Exception):
    """A case goes wrong."""


def cases(stage: Stage, *musts: Must) -> Any:
    """A Hypothesis strategy: cases of habits of which one of these must come, at most one of each group.

    At most one habit of a case is such that not all records must come.
    """
    from hypothesis import strategies as st

    names = [name for name in playable(stage.terms) if HABITS[name].must(stage.terms) in musts]

    @st.composite
    def drawn(draw: Any) -> Case:
        size = draw(st.sampled_from(list(stage.sizes)))
        pages, more = draw(st.integers(0, 8 if stage.paging.window else 3)), draw(st.integers(-1, 1))
        chosen = draw(st.lists(st.sampled_from(names), max_size=_MOST_HABITS, unique=True)) if names else []
        habits: dict[str, int] = {}
        groups = set[str]()
        for name in chosen:
            # What contradicts itself in two ways may well agree with itself.
            own = {HABITS[name].group} | ({"contradiction"} if HABITS[name].must(stage.terms) != "complete" else set())
            if not groups & own:
                groups |= own
                habits[name] = draw(st.sampled_from(list(HABITS[name].values)))
        return Case(max(0, pages * size + more), size, MappingProxyType(habits))

    return drawn()


def first_wrong(strategy: Any, play: Callable[[Any], _T | None], *, examples: int, seed: int) -> _T | None:
    """What `play` gives for the smallest drawn value for which it gives anything; None where it never does."""
    from hypothesis import given
    from hypothesis import seed as seeded

    found: _T | None = None

    @seeded(seed)
    @quiet(examples)  # type: ignore[untyped-decorator]  # it is loaded where it is used alone
    @given(strategy)
    def one(value: Any) -> None:
        nonlocal found
        wrong = play(value)
        if wrong is not None:
            found = wrong  # the last one is what it was shrunk to
            raise Wrong

    with suppress(Wrong), unhinted():  # what was found says it
        one()
    return found


def quiet(examples: int) -> Any:
    """Settings with which Hypothesis draws so many examples, keeps none, and leaves the telling to others."""
    from hypothesis import HealthCheck, Phase, Verbosity, settings

    return settings(
        max_examples=examples,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink],
        verbosity=Verbosity.quiet,
    )


@contextmanager
def unhinted() -> Iterator[None]:
    """Draw by the seed alone.

    Newer versions of Hypothesis mix in constants that they find in the modules which happen to be loaded, and write
    them to the current folder: what is drawn would depend on what else runs, and a certificate with it.
    """
    name = "_maybe_draw_constant"
    try:
        from hypothesis.internal.conjecture.providers import HypothesisProvider

        hinted = getattr(HypothesisProvider, name)
    except (ImportError, AttributeError):  # of a version that draws by the seed alone
        yield
        return
    setattr(HypothesisProvider, name, lambda *_, **__: None)
    try:
        yield
    finally:
        setattr(HypothesisProvider, name, hinted)
