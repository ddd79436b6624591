"""The official Structured Fields suite, every case through the wrapper that the engine reads with. No exceptions."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connproof.standards.structured import (
    DisplayString,
    InnerList,
    Item,
    Member,
    Token,
    read_dictionary,
    read_item,
    read_list,
)

SUITES = Path(os.environ.get("CONNPROOF_SUITES") or Path(__file__).parents[3] / "shared" / "suites")
SUITE = SUITES / "structured-fields"
READERS = {"item": read_item, "list": read_list, "dictionary": read_dictionary}


def cases() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every case with its name: file, number, and what it is about."""
    for file in sorted(SUITE.glob("*.json")):
        for number, case in enumerate(json.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)):
            yield f"{file.stem}#{number} {case['name'][:50]}", case


CASES = list(cases())


def plain(value: Any) -> Any:
    """What the wrapper gave, in the suite's own notation."""
    match value:
        case None:
            return None
        case dict():
            return [[name, plain(member)] for name, member in value.items()]
        case tuple():
            return [plain(member) for member in value]
        case InnerList():
            return [[plain(item) for item in value.items], parameters(value)]
        case Item():
            return [bare(value.value), parameters(value)]
    raise AssertionError(value)


def parameters(member: Member) -> list[Any]:
    return [[name, bare(value)] for name, value in member.parameters.items()]


def bare(value: Any) -> Any:
    match value:
        case Token():
            return {"__type": "token", "value": value.text}
        case DisplayString():
            return {"__type": "displaystring", "value": value.text}
        case bytes():
            return {"__type": "binary", "value": base64.b32encode(value).decode()}
        case datetime():
            return {"__type": "date", "value": int((value - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())}
    return value


def written(value: Any) -> str:
    """As JSON, in which true is not 1 and 1.0 is not 1."""
    return json.dumps(value, default=float)


@pytest.mark.skipif(not SUITE.is_dir(), reason=f"no Structured Fields suite at {SUITE} (CONNPROOF_SUITES)")
def test_the_suite_is_whole() -> None:
    """The cases below are there: every type, and a good number that must fail."""
    assert 1_500 < len(CASES)
    assert set(READERS) == {case["header_type"] for _, case in CASES}
    assert 800 < sum(case.get("must_fail", False) for _, case in CASES)


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES])
def test_case(case: dict[str, Any]) -> None:
    """What must parse gives the expected values, what must fail gives a note, what may fail does either."""
    value, note = READERS[case["header_type"]](", ".join(case["raw"]))

    seen = plain(value)
    if case.get("must_fail"):
        assert seen is None and note
    elif not (case.get("can_fail") and note):
        assert written(case["expected"]) == written(seen)
