"""The words of `rate_limit`: conditions, and where numbers stand in which unit, their patterns tried."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from connproof.config.conditions import read_condition
from connproof.config.notes import Notes
from connproof.documents import child
from connproof.model import RETRY_AFTER, BudgetRule, LimitSource, RateLimit, Throttle, frozen

__all__ = ["read_rate_limit"]


def read_rate_limit(said: dict[str, Any], pointer: str, notes: Notes) -> RateLimit:
    """The words of `rate_limit`. Budgets of one name are noted: a caller could not tell them apart."""
    seen = set[str]()
    for index, rule in enumerate(said.get("budgets", [])):
        if rule["name"] in seen:
            at = f"{pointer}/budgets/{index}/name"
            notes.wrong(at, f'there is another budget "{rule["name"]}"', "give each its own name")
        seen.add(rule["name"])
    return RateLimit(
        throttled=tuple(
            Throttle(
                when=read_condition(rule["when"], f"{at}/when", notes),
                pointer=at,
                wait=_sources(rule.get("wait", []), f"{at}/wait", notes),
            )
            for index, rule in enumerate(said.get("throttled", []))
            for at in [f"{pointer}/throttled/{index}"]
        ),
        wait=_sources(said["wait"], f"{pointer}/wait", notes) if "wait" in said else (RETRY_AFTER,),
        choose=said.get("choose", "longest"),
        default_wait_s=_whole(said.get("default_wait_s")),
        budgets=tuple(
            BudgetRule(
                rule["name"],
                **{
                    word: _source(value, f"{pointer}/budgets/{index}/{word}", notes)
                    for word, value in rule.items()
                    if word != "name"
                },
            )
            for index, rule in enumerate(said.get("budgets", []))
        ),
        standard=said.get("standard"),
    )


def _sources(said: Iterable[Any], pointer: str, notes: Notes) -> tuple[LimitSource, ...]:
    return tuple(_source(one, child(pointer, index), notes) for index, one in enumerate(said))


def _source(said: Any, pointer: str, notes: Notes) -> LimitSource:
    if not isinstance(said, dict):
        return LimitSource(fixed=int(said))
    for word in ("text", "pattern"):
        if word in said:
            _one_group(said[word], f"{pointer}/{word}", notes)
    useless = {
        "text": [("pattern", "a text's own group is what is meant")],
        "fixed_s": [(word, "a fixed wait is read from nowhere") for word in ("pattern", "unit", "values", "max_s")],
        "values": [(word, "names have no unit") for word in ("unit", "max_s")],
    }
    for word, others in useless.items():
        for other, why in others:
            if word in said and other in said:
                notes.wrong(f"{pointer}/{other}", f'says nothing beside "{word}"', why)
    return LimitSource(
        header=said["header"].lower() if "header" in said else None,
        body=notes.one_place(said["body"], f"{pointer}/body") if "body" in said else None,
        text=said.get("text"),
        fixed=_whole(said.get("fixed_s")),
        member=said.get("member"),
        pattern=said.get("pattern"),
        values=frozen({name: int(seconds) for name, seconds in said["values"].items()}) if "values" in said else None,
        unit=said.get("unit", "count"),
        max_s=_whole(said.get("max_s")),
    )


def _one_group(text: str, pointer: str, notes: Notes) -> None:
    compiled = notes.pattern(text, pointer)
    if compiled is not None and compiled.groups != 1:
        hint = "(?:...) is a group that says nothing"
        notes.wrong(pointer, f"has {compiled.groups} groups, and one says what is meant", hint)


def _whole(said: float | None) -> int | None:
    """JSON Schema calls 60.0 an integer."""
    return None if said is None else int(said)
