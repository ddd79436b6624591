"""Errors: data first, then a text that cannot be forged or flooded."""

from __future__ import annotations

import inspect
import re

import pytest

from connproof import errors
from connproof.errors import (
    ConfigWrong,
    ConnproofError,
    MappingFailed,
    NotFound,
    Problem,
    ProviderBusy,
    ProviderSaid,
    printable,
    shortened,
)


def drawn_tree() -> set[tuple[str, str]]:
    """(class, parent) of every line of the tree in the module's docstring."""
    above: list[tuple[int, str]] = []
    pairs = set[tuple[str, str]]()
    for line in (inspect.getdoc(errors) or "").split("\n"):
        found = re.match(r"(    [│ ├└─]*)([A-Z][A-Za-z]+)(?:\s{2,}\S|$)", line)
        if found is None:
            continue
        above = [(depth, name) for depth, name in above if depth < len(found[1])]
        if above:
            pairs.add((found[2], above[-1][1]))
        above.append((len(found[1]), found[2]))
    return pairs


def test_the_drawn_tree_is_the_real_one() -> None:
    """Whoever reads the docstring may catch by it."""
    real = {
        (name, kind.__bases__[0].__name__)
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, ConnproofError) and kind is not ConnproofError
    }

    assert real == drawn_tree()


def test_every_error_is_public() -> None:
    """__all__ names every class of the module."""
    classes = {name for name, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__}

    assert classes | {"Fact", "printable", "shortened"} == set(errors.__all__)


def test_an_error_says_what_then_facts_then_fix() -> None:
    """Labels stand in one column, in the order in which the facts were given."""
    error = ConnproofError("it broke", facts={"asked": "x.list", "at": "line 3"}, fix="mend it")

    assert "it broke\n  asked  x.list\n  at     line 3\n  fix    mend it" == str(error)


def test_an_error_without_facts_is_one_line() -> None:
    """Nothing is padded where there is nothing to say."""
    assert "it broke" == str(ConnproofError("it broke"))


def test_a_fact_of_several_lines_is_indented() -> None:
    """A list of targets stays below its label; a line break inside a fact starts no line."""
    assert "w\n  targets  a\n           b" == str(ConnproofError("w", facts={"targets": ("a", "b")}))
    assert "w\n  targets  a\\nb" == str(ConnproofError("w", facts={"targets": "a\nb"}))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain \u00e9\u4e2d", "plain \u00e9\u4e2d"),
        ("a\nb", r"a\nb"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\r\t\x00\x7f", r"\r\t\x00\x7f"),
        ("\x9b1m", r"\x9b1m"),
        ("\u202eevil", r"\u202eevil"),
        ("\u2028", r"\u2028"),
        ("\ud800", r"\ud800"),
        ("\xa0", r"\xa0"),
    ],
)
def test_control_characters_are_shown_escaped(text: str, shown: str) -> None:
    """S48: no line, colour or direction of a provider's making."""
    assert shown == printable(text)


@pytest.mark.parametrize(
    "error",
    [
        ConnproofError("\x1b[31m\nforged"),
        ConnproofError("x", facts={"seen": "\x1b[31m\r"}, fix="\x1b[0m"),
        ConfigWrong("evil\x1b\n.json", [Problem("/\x1b", 1, 1, "\x1b", "\x1b")]),
    ],
)
def test_no_part_of_an_error_colours_a_terminal(error: ConnproofError) -> None:
    """S48: what, facts, fix, a document's name and a pointer are all escaped."""
    assert "\x1b" not in str(error)
    assert "\r" not in str(error)
    assert "\nforged" not in str(error)


def test_a_documents_name_is_escaped_on_every_line() -> None:
    """S48: a file's name may hold a line break too."""
    wrong = ConfigWrong("evil\n.json", [Problem("/a", 1, 1, "x")])

    assert "evil\\n.json has 1 problem\n  evil\\n.json:1:1  /a  x" == str(wrong)


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [("abc", 3, "abc"), ("abcd", 3, "abc... (1 more characters)"), ("", 0, "")],
)
def test_a_long_text_is_cut_and_says_so(text: str, most: int, expected: str) -> None:
    """What is left out is counted."""
    assert expected == shortened(text, most)


def test_a_body_given_as_a_fact_is_cut() -> None:
    """No error prints a whole body."""
    error = ConnproofError("w", facts={"seen": "x" * 10_000})

    assert "... (9700 more characters)" in str(error)
    assert 400 > len(str(error))


def test_an_error_keeps_its_data() -> None:
    """Text is derived: what, facts and fix stay apart."""
    facts = {"a": "b"}
    error = ConnproofError("w", facts=facts, fix="f")
    facts["a"] = "changed"

    assert ("w", {"a": "b"}, "f", ("w",)) == (error.what, error.facts, error.fix, error.args)


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        (Problem("/a/b", 3, 5, "is wrong", "mend it"), "3:5  /a/b  is wrong (mend it)"),
        (Problem("", 1, 1, "is wrong"), "1:1  /  is wrong"),
        (Problem("/a", 0, 0, "is wrong"), "/a  is wrong"),
    ],
)
def test_a_problem_says_where_what_and_what_to_do(problem: Problem, expected: str) -> None:
    """The line is left out where it is not known; the root is /."""
    assert expected == str(problem)


def test_a_problem_is_never_endless() -> None:
    """What stands in a hostile document is shown cut, and says so."""
    text = str(Problem("/" + "a" * 100_000, 1, 1, 'unknown member "' + "\0" * 100_000))

    assert 2_200 > len(text)
    assert 2 == text.count(" more characters)")


def test_a_wrong_document_lists_every_problem() -> None:
    """One line each, in the form that editors make a link of."""
    wrong = ConfigWrong("c.json", [Problem("/a", 1, 2, "x"), Problem("/b", 3, 4, "y", "z")])

    assert "c.json has 2 problems\n  c.json:1:2  /a  x\n  c.json:3:4  /b  y (z)" == str(wrong)
    assert "c.json has 1 problem" == ConfigWrong("c.json", wrong.problems[:1]).what


def test_a_failed_mapping_says_field_expression_and_line() -> None:
    """The facts of the field come first."""
    failed = MappingFailed(
        "gave a number",
        field="name",
        expression="$.n",
        pointer="/f/name",
        line=7,
        facts={"value": "1"},
        fix="say $string",
    )

    assert ["field", "expression", "mapped by", "value"] == list(failed.facts)
    assert "line 7 (/f/name)" == failed.facts["mapped by"]
    assert ("name", "$.n", "/f/name", 7) == (failed.field, failed.expression, failed.pointer, failed.line)


def test_what_a_provider_said_has_status_and_headers() -> None:
    """A caller gets the status and the headers as data, and no resume token before one is given."""
    said = NotFound("no such thing", status=404, headers=[("date", "x")])

    assert (404, (("date", "x"),), None) == (said.status, said.headers, said.resume)
    assert (None, ()) == (ProviderSaid("x").status, ProviderSaid("x").headers)
    assert ProviderBusy("x").seconds is None
