"""One module says "certified", and only where nothing is missing."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pytest_connproof
from pytest_connproof import verdict as module
from pytest_connproof.verdict import EXIT_CODES, CheckResult, Outcome, Verdict, Word, exit_code, judge

WHOLE = (
    CheckResult("CFG-001", "", "passed", {"operations": 1}),
    CheckResult("REC-001", "deals.json", "passed", {"exchanges": 3}),
    CheckResult("RPL-001", "deals.list", "passed", {"exchanges": 3}),
    CheckResult("RPL-005", "deals.list", "passed", {"records": 5}),
    CheckResult("PAR-001", "deals.list", "passed", {"fields": 30, "waived": 0}),
)
EXPECTED = frozenset((result.check, result.target) for result in WHOLE)


def _with(index: int, **changes: object) -> tuple[CheckResult, ...]:
    return tuple(replace(one, **changes) if i == index else one for i, one in enumerate(WHOLE))  # type: ignore[arg-type]  # the names are CheckResult's own


def test_certified_is_said_where_nothing_is_missing() -> None:
    """Every check that applies passed, with something counted."""
    assert Verdict(
        "certified",
        (),
        {
            "CFG-001": {"operations": 1},
            "PAR-001": {"fields": 30, "waived": 0},
            "REC-001": {"exchanges": 3},
            "RPL-001": {"exchanges": 3},
            "RPL-005": {"records": 5},
        },
    ) == judge(WHOLE, EXPECTED)


def test_evidence_is_summed_over_the_targets_of_a_check() -> None:
    """Two lanes count together."""
    more = CheckResult("PAR-001", "deals.get", "passed", {"fields": 6, "waived": 2})

    found = judge([*WHOLE, more], {*EXPECTED, ("PAR-001", "deals.get")})

    assert ("certified", {"fields": 36, "waived": 2}) == (found.word, found.evidence["PAR-001"])


@pytest.mark.parametrize(
    ("index", "what", "reason"),
    [
        (1, {"lanes": 1, "exchanges": 0}, "no exchange is recorded"),
        (2, {"requests": 1}, "no exchange was replayed"),
        (3, {"records": 0, "exchanges": 1}, "no record was read"),
        (4, {"fields": 0, "outcomes": 1}, "no field was compared"),
    ],
)
def test_a_count_that_is_demanded_is_missing(index: int, what: dict[str, int], reason: str) -> None:
    """A pass of every check is no certificate, where nothing was read or compared."""
    assert ("inconclusive", (reason,)) == _told(judge(_with(index, evidence=what), EXPECTED))


@pytest.mark.parametrize("evidence", [{}, {"operations": 0}, {"operations": 0, "expressions": 0}, {"operations": -1}])
def test_a_pass_that_counted_nothing_is_none(evidence: dict[str, int]) -> None:
    """Whoever looked at nothing has seen no fault."""
    found = judge(_with(0, evidence=evidence), EXPECTED)

    assert ("inconclusive", ("CFG-001: passed without counting anything",)) == _told(found)


@pytest.mark.parametrize("index", range(5))
def test_a_check_that_was_not_run(index: int) -> None:
    """A selection proves nothing about what it left out."""
    run = [result for i, result in enumerate(WHOLE) if i != index]

    assert ("inconclusive", ("1 of 5 checks were not run",)) == _told(judge(run, EXPECTED))


@pytest.mark.parametrize(
    ("outcomes", "word"),
    [
        (["inconclusive"], "inconclusive"),
        (["refuted"], "refuted"),
        (["error"], "error"),
        (["refuted", "inconclusive"], "refuted"),
        (["inconclusive", "refuted"], "refuted"),
        (["inconclusive", "refuted", "error"], "error"),
        (["error", "refuted"], "error"),
    ],
)
def test_the_gravest_outcome_decides(outcomes: Sequence[Outcome], word: Word) -> None:
    """An error outranks a finding, a finding outranks a doubt."""
    results = [replace(one, outcome=outcome, reason="so it is") for one, outcome in zip(WHOLE, outcomes, strict=False)]

    assert word == judge([*results, *WHOLE[len(results) :]], EXPECTED).word


def test_every_reason_is_told_the_gravest_first() -> None:
    """Nothing is hidden behind the first."""
    results = (
        replace(WHOLE[0], outcome="inconclusive", reason="a doubt"),
        replace(WHOLE[1], outcome="refuted", reason="a finding"),
        replace(WHOLE[2], outcome="error", reason="an error"),
        *WHOLE[3:],
    )

    assert (
        "error",
        (
            "deals.list::RPL-001: an error",
            "deals.json::REC-001: a finding",
            "CFG-001: a doubt",
        ),
    ) == _told(judge(results, EXPECTED))


@pytest.mark.parametrize("results", [(), WHOLE])
def test_what_is_not_expected_certifies_nothing(results: tuple[CheckResult, ...]) -> None:
    """Without a result there is no evidence, whatever was expected; and evidence is asked for all the same."""
    assert ("certified" if results else "inconclusive") == judge(results, ()).word


RESULTS = st.lists(
    st.builds(
        CheckResult,
        check=st.sampled_from(["CFG-001", "REC-001", "RPL-001", "RPL-005", "PAR-001"]),
        target=st.sampled_from(["", "deals.list"]),
        outcome=st.sampled_from(["passed", "passed", "passed", "refuted", "inconclusive", "error"]),
        evidence=st.dictionaries(
            st.sampled_from(["exchanges", "records", "fields", "operations"]), st.integers(-1, 3), max_size=3
        ),
    ),
    max_size=8,
)
PAIRS = st.sets(st.tuples(st.sampled_from(["CFG-001", "RPL-001"]), st.sampled_from(["", "deals.list"])), max_size=3)


def _is_proved(results: Sequence[CheckResult], expected: set[tuple[str, str]]) -> bool:
    """All conditions of a certificate, said another way than the module says them."""

    def count(check: str, what: str) -> int:
        return sum(result.evidence.get(what, 0) for result in results if result.check == check)

    return (
        {result.outcome for result in results} == {"passed"}
        and all(max(result.evidence.values(), default=0) > 0 for result in results)
        and expected <= {(result.check, result.target) for result in results}
        and min(
            count("REC-001", "exchanges"),
            count("RPL-001", "exchanges"),
            count("RPL-005", "records"),
            count("PAR-001", "fields"),
        )
        > 0
    )


@given(results=RESULTS, expected=PAIRS)
def test_certified_means_all_of_it(results: list[CheckResult], expected: set[tuple[str, str]]) -> None:
    """Certified exactly where every condition holds; and a verdict without reasons is certified."""
    found = judge(results, expected)

    assert _is_proved(results, expected) is (found.word == "certified")
    assert (found.reasons == ()) is (found.word == "certified")


@given(results=RESULTS.map(lambda found: [*WHOLE, *found]))
def test_more_results_never_mend_a_verdict(results: list[CheckResult]) -> None:
    """What is wrong stays wrong, whatever else passes."""
    wrong = replace(WHOLE[0], outcome="refuted", reason="a finding")

    assert judge([*results, wrong], EXPECTED).word in {"refuted", "error"}


@given(st.permutations([*WHOLE, replace(WHOLE[4], target="deals.get", outcome="inconclusive", reason="a doubt")]))
def test_the_order_of_results_decides_nothing(results: list[CheckResult]) -> None:
    """Checks may run in any order, on any worker."""
    assert "inconclusive" == judge(results, EXPECTED).word
    assert [*judge(WHOLE, EXPECTED).evidence] == [*judge(results, EXPECTED).evidence]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), 2),
        (("certified",), 0),
        (("certified", "refuted"), 1),
        (("certified", "inconclusive"), 3),
        (("inconclusive", "refuted"), 1),
        (("refuted", "error", "inconclusive"), 2),
    ],
)
def test_one_exit_code_for_a_run(words: tuple[Word, ...], code: int) -> None:
    """The gravest word; a run over no connector at all certifies nothing."""
    assert code == exit_code(words)
    assert {"certified": 0, "refuted": 1, "error": 2, "inconclusive": 3} == dict(EXIT_CODES)


ROOT = Path(pytest_connproof.__file__ or "").parent
OTHERS = sorted(path for path in ROOT.rglob("*.py") if path != Path(module.__file__))


def _says_certified(tree: ast.AST) -> list[int]:
    """Lines on which the word stands as a text, other than to be compared with or to be looked up."""
    asked = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare | ast.Dict)
        for inner in [*getattr(node, "comparators", []), getattr(node, "left", None), *getattr(node, "keys", [])]
    }
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value == "certified" and id(node) not in asked
    ]


@pytest.mark.parametrize("path", OTHERS, ids=[path.relative_to(ROOT).as_posix() for path in OTHERS])
def test_no_other_module_says_certified(path: Path) -> None:
    """Elsewhere the word is compared with, or it has a colour: nobody else gives it."""
    assert [] == _says_certified(ast.parse(path.read_bytes()))


@pytest.mark.parametrize("path", OTHERS, ids=[path.relative_to(ROOT).as_posix() for path in OTHERS])
def test_no_other_module_makes_a_verdict(path: Path) -> None:
    """A Verdict comes from `judge` alone."""
    calls = [node.func for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.Call)]

    assert "Verdict" not in {getattr(call, "id", getattr(call, "attr", "")) for call in calls}


def test_the_search_finds_what_it_looks_for() -> None:
    """In the verdict's own module the word is said."""
    assert 1 == len(_says_certified(ast.parse('judge("certified")\nword == "certified"\n{"certified": 0}')))
    assert [] != _says_certified(ast.parse(Path(module.__file__).read_bytes()))


def _told(verdict: Verdict) -> tuple[Word, tuple[str, ...]]:
    return verdict.word, verdict.reasons
