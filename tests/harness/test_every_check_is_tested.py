"""A check is done when a test shows it failing, and one shows it passing with something counted.

The tests of a check carry its id in their names: `test_CFG_002_fails_on_...`, or stand in a table of passes.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from pytest_connproof.checks import CHECKS

HERE = Path(__file__).parent
IDS = [check.id for check in CHECKS]
FAMILIES = sorted({check.family for check in CHECKS})


def _functions(family: str) -> list[ast.FunctionDef]:
    files = [HERE / f"test_checks_{family}.py", *sorted(HERE.glob(f"test_checks_{family}_*.py"))]
    trees = [ast.parse(file.read_bytes()) for file in files]
    return [node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)]


def _tests(family: str) -> list[ast.FunctionDef]:
    return [function for function in _functions(family) if function.name.startswith("test_")]


def _family(check: str) -> str:
    return check.partition("-")[0].lower()


def _ids_in(name: str) -> set[str]:
    return {f"{family}-{number}" for family, number in re.findall(r"([A-Z]{3})_([0-9]{3})", name)}


def _texts(function: ast.FunctionDef) -> set[str]:
    return {str(node.value) for node in ast.walk(function) if isinstance(node, ast.Constant)}


def _raises(function: ast.FunctionDef, expecting: frozenset[str] = frozenset()) -> bool:
    """Whether a test expects an error, by itself or by calling one of the functions that do."""
    return any(
        (isinstance(node, ast.Attribute) and node.attr == "raises")
        or (isinstance(node, ast.Name) and node.id in expecting)
        for node in ast.walk(function)
    )


@pytest.mark.parametrize("check", IDS)
def test_check_is_seen_failing(check: str) -> None:
    """At least one test named after it expects it to raise."""
    failing = [test.name for test in _tests(_family(check)) if "fails" in test.name and check in _ids_in(test.name)]
    functions = _functions(_family(check))
    expecting = frozenset(one.name for one in functions if one.name.startswith("_") and _raises(one))
    raising = [test.name for test in functions if test.name in failing and _raises(test, expecting)]

    assert [] != raising
    assert failing == raising, "a test that says fails, and expects nothing to"


@pytest.mark.parametrize("check", IDS)
def test_check_is_seen_passing(check: str) -> None:
    """At least one test compares its evidence."""
    passing = [test for test in _tests(_family(check)) if "pass" in test.name]

    assert any(check in _ids_in(test.name) or check in _texts(test) for test in passing)


@pytest.mark.parametrize("family", FAMILIES)
def test_tests_are_of_checks_that_there_are(family: str) -> None:
    """A check that was renumbered or taken out leaves no test behind that seems to test it."""
    named = {check for test in _tests(family) for check in _ids_in(test.name)}

    assert set() == named - set(IDS)


def test_ids_are_unique_and_in_order() -> None:
    """An id is for ever: certificates and waivers name it."""
    assert len(IDS) == len(set(IDS))
    assert [[i for i in IDS if _family(i) == f] for f in FAMILIES] == [
        sorted(i for i in IDS if _family(i) == f) for f in FAMILIES
    ]
