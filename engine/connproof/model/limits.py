"""What a config says of rate limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from connproof.model.answers import Condition
from connproof.places import Place

__all__ = [
    "RETRY_AFTER",
    "BudgetRule",
    "LimitSource",
    "LimitUnit",
    "RateLimit",
    "Throttle",
]

LimitUnit: TypeAlias = Literal[
    "count",
    "delta_s",
    "delta_ms",
    "epoch_s",
    "epoch_ms",
    "http_date",
    "iso8601",
    "duration",
    "retry_after",
    "structured",
]


@dataclass(frozen=True, slots=True)
class LimitSource:
    """Where a number of a rate limit stands.

    In one of `header` (lower-case), `body`, `text` (RE2 with one group over the body's text), or nowhere: `fixed`.
    `member` picks the value of one name of a header's list, `pattern` (RE2 with one group) a part of what was found.
    `values` gives seconds for names. What is then left is read as `unit`; seconds beyond `max_s` are no value.
    """

    header: str | None = None
    body: Place | None = None
    text: str | None = None
    fixed: int | None = None
    member: str | None = None
    pattern: str | None = None
    values: Mapping[str, int] | None = None
    unit: LimitUnit = "count"
    max_s: int | None = None


@dataclass(frozen=True, slots=True)
class BudgetRule:
    """One quota and where a response tells of it. None is what the provider does not tell."""

    name: str
    limit: LimitSource | None = None
    remaining: LimitSource | None = None
    used: LimitSource | None = None
    reset: LimitSource | None = None
    window: LimitSource | None = None
    refill_per_s: LimitSource | None = None
    needed: LimitSource | None = None


@dataclass(frozen=True, slots=True)
class Throttle:
    """An answer that is a throttle, and where this one says how long to wait; () where it is as everywhere."""

    when: Condition
    pointer: str
    wait: tuple[LimitSource, ...] = ()


RETRY_AFTER: Final = LimitSource(header="retry-after", unit="retry_after")


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What a connector says of the provider's rate limits. `standard` is the form of the IETF draft's fields."""

    throttled: tuple[Throttle, ...] = ()
    wait: tuple[LimitSource, ...] = (RETRY_AFTER,)
    choose: Literal["first", "longest"] = "longest"
    default_wait_s: int | None = None
    budgets: tuple[BudgetRule, ...] = ()
    standard: Literal["pair", "triple", "dictionary"] | None = None
