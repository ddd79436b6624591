"""No mapped field of a connector here can be dropped, or take another's place, without a baseline that says so."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final, TypeAlias

import pytest

from connproof import config
from connproof.mapping.members import members_read
from connproof.model import Connector, FieldRule, UnifiedMapping, frozen
from pytest_connproof.checks.par import records_are_equal
from pytest_connproof.finding import Finding
from pytest_connproof.subject import Settings, Subject

Change: TypeAlias = Callable[[UnifiedMapping], UnifiedMapping]

CONNECTORS: Final = Path(__file__).parents[2] / "connectors"
MAPPED: Final = [
    pytest.param(file, model, id=f"{file.parent.name}-{model}")
    for file in sorted(CONNECTORS.glob("*/connector.json"))
    for model in config.load(file).unified
]
# Two spellings of one thing, of which no record has both: which of them is looked for first makes no difference.
SAME: Final = {
    ("netsuite", "accounting.account"): (  # the record's name of a member, and the name of its column in SuiteQL
        "acctNumber for acctnumber in code",
        "accountsearchdisplaynamecopy for acctName in name",
    )
}
# What is quoted, a variable or a number stays; a name with anything but word characters stands in backquotes.
PART: Final = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`|\$\w*|[0-9]+|\w+|.', re.DOTALL)


def _dropped(mapping: UnifiedMapping) -> Iterator[tuple[str, Change]]:
    for rule in mapping.fields:
        yield f"without {rule.name}", _without(rule.name)
    if mapping.custom_fields is not None:
        yield "without custom_fields", lambda mapping: replace(mapping, custom_fields=None)


def _swapped(mapping: UnifiedMapping) -> Iterator[tuple[str, Change]]:
    for one, other in itertools.combinations(mapping.fields, 2):
        expressions = {one.name: other.expression, other.name: one.expression}
        yield f"{one.name} for {other.name}", _with(expressions)


def _swapped_inside(mapping: UnifiedMapping) -> Iterator[tuple[str, Change]]:
    """Two of the names that one expression reads, each where the other stood."""
    for rule in mapping.fields:
        names = sorted({path[-1] for path in members_read(rule.expression) if path})
        for one, other in itertools.combinations(names, 2):
            expression = _renamed(rule.expression, {one: other, other: one})
            yield f"{one} for {other} in {rule.name}", _with({rule.name: expression})


def _without(name: str) -> Change:
    return lambda mapping: replace(mapping, fields=tuple(rule for rule in mapping.fields if rule.name != name))


def _with(expressions: Mapping[str, str]) -> Change:
    def changed(rule: FieldRule) -> FieldRule:
        return replace(rule, expression=expressions.get(rule.name, rule.expression))

    return lambda mapping: replace(mapping, fields=tuple(map(changed, mapping.fields)))


def _renamed(expression: str, names: Mapping[str, str]) -> str:
    return "".join(
        _quoted(names[part.strip("`")]) if part.strip("`") in names else part for part in PART.findall(expression)
    )


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) else f"`{name}`"


def _survives(whole: Subject, model: str, change: Change) -> bool:
    """Whether each lane of the model returns what its baseline says, with another mapping."""

    def changed(connector: Connector) -> Connector:
        return replace(connector, unified=frozen({**connector.unified, model: change(connector.unified[model])}))

    mutant = Subject(whole.file, whole.settings)
    mutant.account, mutant.models, mutant.lanes = whole.account, whole.models, whole.lanes
    mutant.deviations = whole.deviations
    mutant.connector = changed(whole.connector)
    mutant.parties = {name: replace(party, connector=changed(party.connector)) for name, party in whole.parties.items()}
    for lane in whole.lanes:
        if whole.maps(lane, model) and whole.snapshot(lane).records:
            try:
                records_are_equal(mutant, lane)
            except Finding:
                return False
    return True


@pytest.mark.parametrize(("file", "model"), MAPPED)
@pytest.mark.parametrize("changes", [_dropped, _swapped, _swapped_inside], ids=lambda changes: changes.__name__[1:])
def test_a_field_that_is_lost_or_exchanged_is_told(
    file: Path, model: str, changes: Callable[[UnifiedMapping], Iterator[tuple[str, Change]]]
) -> None:
    """PAR-001 refutes each of them; whole, the mapping returns what the baselines say."""
    whole = Subject(file, Settings(as_of=date(2026, 11, 23)))
    mapping = whole.connector.unified[model]
    same = SAME.get((file.parent.name, model), ()) if changes is _swapped_inside else ()

    assert _survives(whole, model, lambda mapping: mapping)
    assert [*same] == [name for name, change in changes(mapping) if _survives(whole, model, change)]
