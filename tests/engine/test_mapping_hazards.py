"""The known hazards H1 to H20 of jsonata-python, one test or more each: what the wrapper makes of them.

A test says in its name or its sentence whether the hazard is refused, made right, or a known loss that
an author must know. When an upgrade of the library changes one, its test tells.
"""

from __future__ import annotations

import copy
import subprocess
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from connproof.clock import FixedClock
from connproof.errors import ConfigWrong, MappingFailed
from connproof.mapping import CompiledMapping, compile_mapping
from connproof.model import FieldRule, UnifiedMapping
from connproof.places import JsonValue

CLOCK = FixedClock(datetime(2024, 5, 6, 12, tzinfo=UTC))
MISSING = "(missing)"


def compiled(
    expressions: Mapping[str, str], schema: JsonValue | None = None, milliseconds: int = 2_000
) -> CompiledMapping:
    rules = tuple(FieldRule(name, text, f"/fields/{name}", 1) for name, text in expressions.items())
    mapping = UnifiedMapping("crm.contact", "contacts", rules, "/unified")
    return compile_mapping(mapping, schema=schema, clock=CLOCK, bindings={}, milliseconds=milliseconds)


def given(text: str, record: JsonValue, milliseconds: int = 2_000) -> JsonValue:
    """What one expression gives, MISSING for nothing."""
    return compiled({"x": text}, milliseconds=milliseconds).apply(record).get("x", MISSING)


A123: JsonValue = {"a": [1, 2, 3]}


@pytest.mark.parametrize(
    "text",
    [
        *("a[1] ?? 0", "a[1] ?: 0", "a[-1] ?? 0", "a[-1] ?: 0", "(a[-1]) ?? 0", "a[1].b ?? 0", "a.b[1] ?? 0"),
        *("$string(a[1]) ?? 0", "[a[1]] ?? 0", "a#$i[$i=1] ?? 0", "b ?? c ?? a[1] ?? 0", "a[b=-1] ?? 0"),
        *("a[b=-1].c ?? 0", "-5 ?: 99", "-5 ?? 99", '{"k": -5} ?? 0', "[1,2,3][-1] ?: 42", "[1,2,3][-1] ?? 42"),
        *('[true][-1] ?: "no"', "a[0] ?? 0", 'a[b="x"].c ?? "d"', "function($x){$x[1]}(a) ?? 0", "(a ?? b[0]) ?? 0"),
    ],
)
def test_h1_a_default_after_a_predicate_is_refused(text: str) -> None:
    """The library would give a wrong value; the refusal says how to write it."""
    with pytest.raises(ConfigWrong, match=r"on the left of \?\? or \?: .*write \(\$x := "):
        compiled({"x": text})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("($x := a[1]; $x ?? 0)", 2),
        ("$exists(a[1]) ? a[1] : 0", 2),
        ("a[-1] ? a[-1] : 0", 3),
        ("b ?? a[1]", 2),
        ("b ?? -5", -5),
        ("-b ?? 0", 0),
        ("(0-5) ?? 0", -5),
        ("a ?? 0", [1, 2, 3]),
        ("b ?: c ?: 'd'", "d"),
        ("b[] ?? 'd'", "d"),
    ],
)
def test_h1_the_safe_ways_are_right(text: str, expected: JsonValue) -> None:
    """What the refusal recommends, and defaults that nothing is applied to twice, give the right value."""
    assert expected == given(text, A123)


@pytest.mark.parametrize("given_id", [1000000000000001, 1234567890123456, 5890840712243076, 10152368852405295])
def test_h2_big_ids_are_whole_with_id_and_by_path(given_id: int) -> None:
    """Made right: $id keeps every digit, and so does a plain path."""
    mapped = compiled({"text": "$id(a)", "url": '"u/" & $id(a)', "plain": "a"}).apply({"a": given_id})

    assert {"text": str(given_id), "url": f"u/{given_id}", "plain": given_id} == mapped


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("$string(a)", 1234567890123456, "1.23456789012346e+15"),
        ("$string(a)", 999999999999999, "999999999999999"),
        ('"u/" & a', 10152368852405295, "u/1.01523688524053e+16"),
        ("a+0", 9007199254740993, 9007199254740992),
        ("a*1", 2**63 + 1, 9223372036854775808),
        ("$number(a)", "9007199254740993", 9007199254740992),
        ("9007199254740993", 0, 9007199254740992),
        ("$string(1e20)", 0, "1e+20"),
    ],
)
def test_h2_a_known_loss_without_id(text: str, value: JsonValue, expected: JsonValue) -> None:
    """Known loss: $string, & and arithmetic round big integers."""
    assert expected == given(text, {"a": value})


def test_h3_one_mapping_in_many_threads_mixes_no_records() -> None:
    """Made right: a fresh frame per record, so that $$ is always one's own record."""
    mapping = compiled({"b": "$$.id & ''", "c": "items.{'i': v, 'root': $$.id}[]"})
    wrong: list[int] = []

    def work(start: int) -> None:
        for number in range(start, start + 100):
            mapped = mapping.apply({"id": number, "items": [{"v": 1}, {"v": 2}]})
            if {"b": str(number), "c": [{"i": 1, "root": number}, {"i": 2, "root": number}]} != mapped:
                wrong.append(number)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=work, args=(start,)) for start in range(0, 800, 100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)

    assert [] == wrong


def test_h3_no_record_is_kept_alive() -> None:
    """Made right: after a record is mapped, its engine holds nothing of it."""
    mapping = compiled({"x": "$$.a & ''"})
    mapping.apply({"a": "hunter2"})

    engine = mapping._fields[0].expression._engine
    assert (None, {}) == (engine.input, dict(engine.environment.bindings))


def test_h4_another_mapping_may_be_applied_between() -> None:
    """Made right: mappings made and applied in between change nothing for the first."""
    first = compiled({"x": "$map(a, function($v){$v & $$.id})"})
    second = compiled({"x": "$map(a, function($v){$v & $$.id})"})

    assert {"x": ["1p", "2p"]} == first.apply({"a": [1, 2], "id": "p"})
    assert {"x": ["1q", "2q"]} == second.apply({"a": [1, 2], "id": "q"})
    assert {"x": ["1r", "2r"]} == first.apply({"a": [1, 2], "id": "r"})


def test_h5_time_is_read_anew_for_each_record_and_stands_still_within() -> None:
    """Made right: $now and $millis are the clock's at the record, the same in all of its fields."""

    class Running(FixedClock):
        def now(self) -> datetime:
            self._passed += 1
            return super().now()

    rules = tuple(FieldRule(name, "$millis()", "", 1) for name in "ab")
    mapping = compile_mapping(
        UnifiedMapping("m", "r", rules, ""), schema=None, clock=Running(datetime(2024, 1, 1, tzinfo=UTC)), bindings={}
    )
    first, second = mapping.apply({}), mapping.apply({})

    assert first["a"] == first["b"]
    assert {"a": 1704067202000, "b": 1704067202000} == second


def test_h6_the_time_bound_counts_from_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made right: a mapping that was compiled long ago has all of its time for each record."""
    from jsonata.timebox import Timebox

    passed = [0]
    monkeypatch.setattr(Timebox, "current_milli_time", staticmethod(lambda: passed[0]))
    mapping = compiled({"x": "1+1"})
    passed[0] += 1_000_000

    assert {"x": 2} == mapping.apply({})


def test_h7_no_depth_leaks() -> None:
    """Made right: neither failing records, nor many, nor long ones end in a stack overflow that is none."""
    failing = compiled({"x": "$number(a)"})
    for _ in range(300):
        with pytest.raises(MappingFailed, match="ValueError"):
            failing.apply({"a": "bad"})

    long = given('[r.{"t":[a,b],"u":[b,a]}]', {"r": [{"a": 1, "b": 2}] * 1000})

    assert [{"t": [1, 2], "u": [2, 1]}] * 1000 == long


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('$contains("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", /^(a+)+$/)', False),
        ('$match("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", /(a|aa)+$/)', MISSING),
    ],
)
def test_h8_no_pattern_hangs(text: str, expected: JsonValue) -> None:
    """Made right: RE2 needs no more than linear time."""
    assert expected == given(text, {})


@pytest.mark.parametrize(
    "text",
    [
        "([1,2]; $map([1..400000],function($v){$v*2}); 1)",
        "[1, $reduce([1..400000],function($a,$b){$a+$b})]",
        '{"k":[1,[1..300000].{"x":$,"y":$}]}',
        '{"k":[a, [1..300000].($*2+1)]}',
        '([1,2]; [1..300000].{"x":$string($)}; 1)',
        "($f:=function(){$f()};$f())",
    ],
)
def test_h8_and_h9_long_work_is_stopped(text: str) -> None:
    """Made right: the time bound stops it. (Single native calls, such as a huge $pad, it does not.)"""
    with pytest.raises(MappingFailed, match="timeout"):
        given(text, {}, milliseconds=100)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("($f:=function($n){1+$f($n+1)};$f(0))", "RecursionError"),
        ("($f:=function($n){1+$g($n)};$g:=function($n){1+$f($n)};$f(0))", "RecursionError"),
        ("[1..1000000000]", "D2014"),
    ],
)
def test_h9_runaways_end_in_our_error(text: str, words: str) -> None:
    """Made right: recursion and a huge range fail as a mapping fails."""
    with pytest.raises(MappingFailed, match=words):
        given(text, {})


@pytest.mark.parametrize("text", ["(" * 3000 + "1" + ")" * 3000, "[" * 3000 + "]" * 3000, " & ".join(['"a"'] * 3000)])
def test_h9_deep_texts_are_refused(text: str) -> None:
    """Refused: nesting is counted while it is parsed."""
    with pytest.raises(ConfigWrong, match="levels deep"):
        compiled({"x": text})


@pytest.mark.parametrize(
    "text", ["$eval('1')", "($e := $eval; $e('1'))", "'1' ~> $eval", "$map(['1'], $eval)", "[$eval]"]
)
def test_h9_eval_is_refused(text: str) -> None:
    """Refused, however it is reached."""
    with pytest.raises(ConfigWrong, match=r"\$eval is not allowed"):
        compiled({"x": text})


def test_h10_importing_leaves_the_recursion_limit() -> None:
    """Made right: the process keeps the limit that it had."""
    module = "connproof.mapping.jsonata"
    program = f"import sys; sys.setrecursionlimit(1234); import {module}; print(sys.getrecursionlimit())"
    seen = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "1234\n" == seen.stdout


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('$number("Hello")', 0),
        ("1/a", 0),
        ("$toMillis(a)", None),
        ('$toMillis("foo")', 0),
        ("$sort(a)", [{"a": 1}, {"a": 2}]),
        ("$fromMillis(1e15)", 0),
        ("$fromMillis(a)", 123456789012345678901),
        ("$power(-2, 1/3)", 0),
        ("$power(100, 1000)", 0),
        ('$parseInteger("x","0")', 0),
        ('$decodeUrl("%E0%A4%A")', 0),
        ('$contains("Hello World", nothing)', 0),
        ("$id(1, 2)", 0),
    ],
)
def test_h11_every_failure_is_our_error(text: str, value: JsonValue) -> None:
    """Made right: whatever class the library raises, it is a MappingFailed that says what it was, and hides it."""
    with pytest.raises(MappingFailed) as caught:
        given(text, {"a": value})

    assert caught.value.facts["cause"]
    assert caught.value.__context__ is None


def test_h11_a_failure_of_the_parser_is_our_error() -> None:
    """Made right: a KeyError of the parser is a bad expression."""
    with pytest.raises(ConfigWrong, match="not a JSONata expression"):
        compiled({"x": "[1!2]"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", None),
        ("b", MISSING),
        ("$string(a)", "null"),
        ('a & "x"', "nullx"),
        ("$exists(a)", True),
        ("a = null", True),
        ('a ?? "d"', None),
        ('a ?: "d"', "d"),
        ("$uppercase(b)", MISSING),
        ("b * 2", MISSING),
        ("$string(b)", MISSING),
    ],
)
def test_h12_null_is_not_missing(text: str, expected: JsonValue) -> None:
    """Made right at the top of a field; how functions treat null is the library's."""
    assert expected == given(text, {"a": None})


@pytest.mark.parametrize(
    "text", ["$uppercase(a)", "$number(a)", "$length(a)", "$substring(a,0,3)", "a*2", "a<2", "$toMillis(a)"]
)
def test_h12_null_in_a_function_fails_loudly(text: str) -> None:
    """Right: nothing is invented for null."""
    with pytest.raises(MappingFailed):
        given(text, {"a": None})


@pytest.mark.parametrize(
    "text", ['$contains(a,"x")', "$join(a)", '$lookup({"A":"b"}, a)', "$max(a)", "$sum(a)", "$reverse(a)", "$sort(a)"]
)
def test_h12_a_known_loss_null_becomes_missing(text: str) -> None:
    """Known loss: these give nothing for null, where JSONata raises or gives null."""
    assert given(text, {"a": None}) == MISSING


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("a%2", 1.5, 1),
        ("true in [1,2]", 0, True),
        ('"p-" & a', -0.0, "p--0"),
        ("$string(a)", -0.0, "-0"),
        ('$toMillis("2018-02-03 11:15:33")', 0, 1517656533000),
        ('$length("\\uD834\\uDD1E")', 0, 2),
        ('$formatNumber(0.123, "#.e9")', 0, "1e-1"),
    ],
)
def test_h13_a_known_loss(text: str, value: JsonValue, expected: JsonValue) -> None:
    """Known loss: a wrong value that the wrapper cannot see."""
    assert expected == given(text, {"a": value})


@pytest.mark.parametrize("text", ["t.n", "t.n[]", "[t.n]", "$map(t, function($v){$v.n})"])
@pytest.mark.parametrize(
    ("record", "expected"),
    [({"t": [{"n": 1}]}, [1]), ({"t": []}, []), ({}, []), ({"t": [{"n": 1}, {"n": 2}]}, [1, 2])],
)
def test_h14_an_array_stays_an_array(text: str, record: JsonValue, expected: JsonValue) -> None:
    """Made right: where the model says array, one is a list of one and none an empty list."""
    schema: JsonValue = {"properties": {"x": {"type": "array"}}}

    assert {"x": expected} == compiled({"x": text}, schema).apply(record)


@pytest.mark.parametrize(("text", "expected"), [("t.n", 1), ("t.n[]", [1]), ("[t.n]", [1]), ("t[n=1]", {"n": 1})])
def test_h14_without_a_model_one_collapses(text: str, expected: JsonValue) -> None:
    """JSONata's own rule, where no schema says array."""
    assert expected == given(text, {"t": [{"n": 1}]})


@pytest.mark.parametrize("value", [1, 1.0, 2**63, 1e300, -0.0])
def test_h15_numbers_keep_their_class(value: float) -> None:
    """Right: a path keeps int and float apart."""
    assert repr(value) == repr(given("a", {"a": value}))


@pytest.mark.parametrize("text", ["a", "(a)", "[a]", "{'k': a}"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), datetime(2024, 1, 1, tzinfo=UTC), (1, 2), {1}])
def test_h15_foreign_values_do_not_pass(text: str, value: JsonValue) -> None:
    """Refused: what is no JSON is no result, nor inside one."""
    with pytest.raises(MappingFailed):
        given(text, {"a": value})


@pytest.mark.parametrize(
    "text",
    [
        *("o", "[o]", "{'k': o}", "$sort(l)", "$append(l, 1)", "$reverse(l)", "$merge([o, {'n': 9}])"),
        *("$ ~> |o|{'n': 9}|", "e{n: n}", "e{'k': $}", "$map(l, function($v){$v + 1})", "e.{'k': $}", "$distinct(l)"),
    ],
)
def test_h16_a_record_is_never_changed_nor_shared(text: str) -> None:
    """Made right: not even grouping an empty list, to which the library appends."""
    record: JsonValue = {"o": {"n": 1}, "l": [3, 1, 2], "e": []}
    before = copy.deepcopy(record)
    mapped = compiled({"x": text}).apply(record)
    for value in mapped.values():
        if isinstance(value, dict | list):
            value.clear()

    assert before == record


def test_h17_lists_are_plain_lists() -> None:
    """Made right: no list class of the library leaves, also inside."""
    value = given("{'k': [1..5], 'l': a.n}", {"a": [{"n": 1}, {"n": 2}]})

    assert isinstance(value, dict)
    assert [list, list] == [type(inner) for inner in value.values()]
    assert {"k": [1, 2, 3, 4, 5], "l": [1, 2]} == value


def test_h18_calling_what_is_no_function_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Made right: the library would print the value that was called, which may be the record's."""
    with pytest.raises(MappingFailed, match="non-function"):
        given("($f := secret; $f(1))", {"secret": "hunter2"})

    assert ("", "") == tuple(capsys.readouterr())


@pytest.mark.parametrize("text", ['{"f":function($x){$x}}', '{"f":$string}', '{"m":/a/}', "function($x){$x}", "[$id]"])
def test_h19_no_function_leaves(text: str) -> None:
    """Refused: a function or a pattern is no JSON."""
    with pytest.raises(MappingFailed, match="is no JSON value"):
        given(text, {})


# Found beside H1 to H20: google-re2 as the regex engine of the library.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('$replace("axb", /x/, "ü€😀")', "aü€😀b"),
        ('$replace("axb", /x/, "\\\\n")', "a\\nb"),
        ('$replace("265USD", /([0-9]+)USD/, "$0$1$2")', "265USD265"),
        ('$replace("ab", /(a)(b)/, "$2$1$12$3")', "baa2"),
        ('$replace("x.x.x", /x/, "y", 2)', "y.y.x"),
        ('$split("a1b22c", /(\\d+)/)', ["a", "b", "c"]),
        ('$match("é1ö2", /\\d/).index', [1, 3]),
        ('$replace("2024-01-02T03:04:05+0200", /(\\d\\d)(\\d\\d)$/, "$1:$2")', "2024-01-02T03:04:05+02:00"),
        ('$contains("ABC", /b/i)', True),
        ('$match("a\\nb", /^b/m).match', "b"),
    ],
)
def test_re2_patterns_give_what_jsonata_says(text: str, expected: JsonValue) -> None:
    """Made right: google-re2's own replacement mangles text that is not ASCII and fails on absent groups."""
    assert expected == given(text, {})


@pytest.mark.parametrize("text", ['$replace("abc", /x*/, "-")', '$match("abc", /x*/)', '$split("abc", /x*/)'])
def test_a_match_of_no_characters_is_an_error(text: str) -> None:
    """As JSONata has it, instead of a match between any two characters."""
    with pytest.raises(MappingFailed, match="matched no characters"):
        given(text, {})
