"""Expressions of an account's layer: the same values as anybody's, and no harm where they are made to do some."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connproof.clock import Clock, FixedClock
from connproof.config import layered
from connproof.errors import ConfigWrong, MappingFailed, MappingStopped
from connproof.mapping import ApartMapping, CompiledMapping, compile_mapping
from connproof.mapping.apart import Answer, Apart, Bounds
from connproof.model import Account, Connector, FieldRule, UnifiedMapping
from connproof.overrides import Layer
from connproof.places import JsonValue
from connproof.run import Call, Record
from scripted import BASE, engine, items, scripted

NOON = FixedClock(datetime(2024, 5, 6, 12, 0, 0, 123_456, tzinfo=UTC))
MIB = 1024 * 1024
TIGHT = Bounds(cpu_s=0.3, memory_bytes=160 * MIB, result_bytes=MIB)

posix_only = pytest.mark.skipif(os.name != "posix", reason="the kernel's limits are those of POSIX")


@pytest.fixture(scope="module")
def roomy() -> Apart:
    """A process with the bounds that there are by default, for expressions that keep within them."""
    return Apart()


@pytest.fixture(scope="module")
def tight() -> Apart:
    """A process with bounds that a test meets fast."""
    return Apart(TIGHT)


def of_an_account(
    fields: Mapping[str, str],
    apart: Apart,
    *,
    level: str = "account:acme",
    bindings: Mapping[str, JsonValue] | None = None,
    clock: Clock = NOON,
) -> CompiledMapping:
    """A mapping whose fields a layer gave; one called `ours` is the platform's."""
    rules = tuple(
        FieldRule(
            name, text, f"/fields/{name}", 7, **({} if name == "ours" else {"level": level, "document": "acme.json"})
        )
        for name, text in fields.items()
    )
    mapping = UnifiedMapping("crm.contact", "contacts", rules, "/unified")
    return compile_mapping(mapping, schema=None, clock=clock, bindings=bindings or {}, apart=lambda: apart)


# What runs where.


def test_W8_what_the_fast_path_covers_and_what_the_platform_says_runs_here() -> None:
    """Whoever wrote it: a walk over names ends by itself. Anything else of an account's goes elsewhere."""
    apart = Apart()
    walked = of_an_account({"a": "x", "b": "x.y.z"}, apart)
    trusted = [of_an_account({"a": "x & ''"}, apart, level=level) for level in ("platform base", "environment:live")]

    assert [CompiledMapping] * 3 == [type(one) for one in (walked, *trusted)]
    assert [{"a": [1]}, {"a": "1"}, {"a": "1"}] == [
        walked.apply({"x": [1]}),
        *(one.apply({"x": 1}) for one in trusted),
    ]
    assert None is apart.process_id


def test_W8_one_process_serves_many_records_and_mappings(roomy: Apart) -> None:
    """It is started once, and only where a layer's expression is evaluated."""
    one, other = of_an_account({"a": "x + 1"}, roomy), of_an_account({"a": "x & '!'"}, roomy)

    first = one.apply({"x": 1})
    started = roomy.process_id

    assert [{"a": 2}, {"a": 3}, {"a": "3!"}] == [first, one.apply({"x": 2}), other.apply({"x": 3})]
    assert started == roomy.process_id != os.getpid()


def test_W8_the_fields_of_a_record_keep_their_order_and_share_one_moment(roomy: Apart) -> None:
    """Ours and theirs between each other, and time stands still in a record."""

    class Running(FixedClock):
        def now(self) -> datetime:
            self._passed += 1
            return super().now()

    clock = Running(datetime(2024, 1, 1, tzinfo=UTC))
    mapped = of_an_account({"a": "$millis()", "ours": "$millis()", "c": "x", "d": "$now()"}, roomy, clock=clock).apply(
        {"x": 1}
    )

    assert ["a", "ours", "c", "d"] == list(mapped)
    assert mapped["a"] == mapped["ours"]


def test_W8_a_field_that_the_fast_path_gave_up_is_the_same(roomy: Apart) -> None:
    """A list on the way sends the whole record to the library; what the other process said stays said."""
    mapping = of_an_account({"ours": "x.y", "b": "$sum(x.y)"}, roomy)

    assert {"ours": [1, 2], "b": 3} == mapping.apply({"x": [{"y": 1}, {"y": 2}]})
    assert {"a list on the way": 1} == dict(mapping.stats.deoptimised)


def test_W8_explained_tells_of_both(roomy: Apart) -> None:
    """The table of a record's fields has the values of another process too."""
    explained = of_an_account({"ours": "x", "b": "x + 1"}, roomy).explained({"x": 1})

    assert [("ours", 1, "platform base"), ("b", 2, "account:acme")] == [(e.name, e.value, e.level) for e in explained]


def test_W8_errors_come_in_the_order_of_the_fields(roomy: Apart) -> None:
    """The first field that fails is the one that is named, wherever it was evaluated."""
    for fields in ({"ours": "$number('x')", "b": "$number('y')"}, {"b": "$number('y')", "ours": "$number('x')"}):
        with pytest.raises(MappingFailed) as failed:
            of_an_account(fields, roomy).apply({})
        assert next(iter(fields)) == failed.value.field


# The same as in process.


def _pairs() -> Iterator[tuple[str, JsonValue]]:
    """Every expression of the tests of hazards, of the shapes and of the page on mappings, with awkward records."""
    from test_mapping_hazards import A123  # its tables are part of the mapping tests

    texts = [
        *(
            "a",
            "a.b",
            "a[0]",
            "a[-1]",
            "[a]",
            "a[]",
            "[a.b]",
            "a.b[]",
            '{"k":a}',
            '{"k":[a.b]}',
            "a.{'k':b}",
            "$exists(a)",
        ),
        *(
            "a=null",
            'a="x"',
            'a ? "y" : "n"',
            'a ?? "d"',
            'a ?: "d"',
            "$string(a)",
            'a & ""',
            "$number(a)",
            "$boolean(a)",
        ),
        *("$not(a)", "$type(a)", "$uppercase(a)", "$trim(a)", "$length(a)", "$substring(a,0,2)", '$split(a,"-")'),
        *('$join(a,",")', '$contains(a,"x")', '$replace(a,"-","")', "$toMillis(a)", "$fromMillis(a)", "a+1", "a*100"),
        *(
            "a/100",
            "a%2",
            "-a",
            "$round(a,1)",
            "$floor(a)",
            "$sum(a)",
            "$max(a)",
            "$count(a)",
            "$keys(a)",
            "$lookup(a,'b')",
        ),
        *(
            "$map(a,function($v){$v})",
            "$filter(a,function($v){$v>1})",
            "a[$>1]",
            "a[b=1].b",
            "$sort(a)",
            "$distinct(a)",
        ),
        *(
            "$reverse(a)",
            "$append(a,1)",
            'a in [1,"x"]',
            "a~>$string",
            "$single(a)",
            "a^(b)",
            "$match(a,/x/)",
            "**.b",
            "*",
        ),
        *(
            "$each(a,function($v,$k){$k})",
            "$spread(a)",
            "$sift(a,function($v){$v})",
            "(a;b)",
            "($x:=a;$x)",
            "a and true",
        ),
        *(
            "$.a",
            "$$.a",
            "a.$string()",
            '$parseInteger(a,"0")',
            "$zip(a,a)",
            "$error(a)",
            '$assert(a=1,"no")',
            "$id(a)",
        ),
        *(
            "$instant(a)",
            "$date(a)",
            "$now()",
            "$millis()",
            "$account.name & a",
            "$formatNumber(a,'0.00')",
            "$string",
        ),
        *(
            "function($x){$x}",
            "$encodeUrlComponent(a)",
            "$base64encode(a)",
            "$formatBase(a,16)",
            "$power(a,2)",
            "$nowhere()",
        ),
    ]
    values: list[Any] = [
        *(
            None,
            "",
            0,
            False,
            True,
            1,
            1.0,
            1.5,
            -1,
            -0.0,
            1e-7,
            1e15,
            1e21,
            2**53 + 2,
            123456789012345678901,
            "x",
            " X-y ",
        ),
        *(
            "12",
            "é😀z",
            "\ud83d",
            "2024-01-02T03:04:05Z",
            "2024-01-02",
            [],
            [1],
            [None],
            [1, 2, 3],
            ["x", "y"],
            [[1], [2, 3]],
        ),
        *({}, {"b": 1}, {"b": None}, {"b": []}, {"b": [5]}, [{"b": 1}], [{"b": 1}, {"b": None}, {}], [{"b": [1]}]),
    ]
    records: list[Any] = [A123, [], None, {}, [{"a": 1}, {"a": 2}], *({"a": value} for value in values)]
    return ((text, record) for text in texts for record in records)


def _outcome(mapping: CompiledMapping, record: JsonValue) -> str:
    """Value and classes, or the error as it is printed; without who gave the expression."""
    try:
        return repr(mapping.apply(record))
    except MappingFailed as failed:
        return repr((type(failed), failed.what, failed.field, failed.facts.get("cause")))


def test_W8_apart_means_what_it_means_here(roomy: Apart) -> None:
    """Value, class and error are those of the engine's own process, for every expression over every record."""
    bindings: dict[str, JsonValue] = {"account": {"name": "acme"}}
    by_text: dict[str, list[JsonValue]] = {}
    for text, record in _pairs():
        by_text.setdefault(text, []).append(record)
    differ = []
    for text, records in by_text.items():
        # Behind a call of ours, so that walks over names leave this process too.
        here = of_an_account({"x": f"({text})"}, roomy, level="platform base", bindings=bindings)
        there = of_an_account({"x": f"({text})"}, roomy, bindings=bindings)
        assert (CompiledMapping, ApartMapping) == (type(here), type(there))
        pairs = [(record, _outcome(here, record), _outcome(there, record)) for record in records]
        differ += [(text, *pair) for pair in pairs if pair[1] != pair[2]]

    assert [] == differ


# What is stopped.

LOOPS = {
    "tail recursion": "($f := function() { $f() }; $f())",
    "mutual recursion": "($f := function($n) { $g($n) }; $g := function($n) { $f($n) }; $f(0))",
    "an endless doubling of work": "($f := function($n) { $n > 60 ? 1 : $f($n + 1) + $f($n + 1) }; $f(0))",
}
GROWTHS = {
    "ten million numbers": "[1..10000000]",
    "a cross product": "[1..3000].([1..3000])",
    "a cross product that is counted": "$count([1..3000].([1..3000]))",
    "padding": '$pad("x", 2e8)',
    "padding that is measured": '$length($pad("x", 2e9))',
    "string doubling": '($d := function($s, $n) { $n = 0 ? $s : $d($s & $s, $n - 1) }; $d("x", 34))',
    "a long text that is a result": '$pad("x", 3000000)',
}


def _stopped(text: str, apart: Apart) -> MappingStopped:
    with pytest.raises(MappingStopped) as stopped:
        of_an_account({"ours": "id", "tier": text}, apart).apply({"id": 1})
    return stopped.value


@posix_only
@pytest.mark.parametrize("text", LOOPS.values(), ids=LOOPS)
def test_S17_what_never_ends_is_killed(tight: Apart, text: str) -> None:
    """By the kernel, when its CPU time is up; the next record gets a process of its own."""
    assert "0.3 s of CPU time" == _stopped(text, tight).limit
    assert None is tight.process_id
    assert {"x": 2} == of_an_account({"x": "1 + 1"}, tight).apply({})


def test_S17_what_never_ends_is_killed_by_the_clock_too() -> None:
    """The bound that every system has, Windows too."""
    assert "0.2 s of time" == _stopped(LOOPS["tail recursion"], Apart(Bounds(cpu_s=60, wall_s=0.2))).limit


def test_S17_recursion_without_an_end_is_an_error_like_any_other(roomy: Apart) -> None:
    """The interpreter's own limit stops it, and the process lives on."""
    mapping = of_an_account({"tier": "($f := function($n) { 1 + $f($n + 1) }; $f(0))"}, roomy)
    with pytest.raises(MappingFailed, match="RecursionError"):
        mapping.apply({})

    assert None is not roomy.process_id


@pytest.mark.parametrize("text", ['$eval("1")', '($e := $eval; $e("1"))', '"1" ~> $eval', '$map(["1"], $eval)'])
def test_S17_eval_is_refused_at_load(text: str) -> None:
    """Under its own name, also where it is only handed on."""
    with pytest.raises(ConfigWrong, match=r"\$eval is not allowed"):
        of_an_account({"tier": text}, Apart())


def test_S17_the_root_is_the_record_and_nothing_above_it(roomy: Apart) -> None:
    """`$$` is the record, wherever it is said, and `%` has no way out of it."""
    mapping = of_an_account({"root": "($$)", "in": "a.($$)"}, roomy)
    record: JsonValue = {"a": {"b": 1}}

    assert {"root": record, "in": record} == mapping.apply(record)
    with pytest.raises(ConfigWrong, match="S0217"):
        of_an_account({"up": "a.b.(%.%.%)"}, roomy)


@posix_only
@pytest.mark.parametrize("text", GROWTHS.values(), ids=GROWTHS)
def test_S18_what_grows_without_measure_is_ended(tight: Apart, text: str) -> None:
    """By the bound on memory, on CPU time or on the result, whichever it meets first; never by this process."""
    assert _stopped(text, tight).limit in {"160 MiB of memory", "0.3 s of CPU time", "1 MiB of result"}
    assert {"x": 2} == of_an_account({"x": "1 + 1"}, tight).apply({})


@posix_only
@pytest.mark.parametrize(
    ("name", "limit"),
    [("padding", "160 MiB of memory"), ("a long text that is a result", "1 MiB of result")],
)
def test_S18_the_error_says_which_bound_it_was(tight: Apart, name: str, limit: str) -> None:
    """Memory and results are told apart."""
    assert limit == _stopped(GROWTHS[name], tight).limit


@pytest.mark.parametrize("pattern", ["(a+)+$", "(.*a){20}", "(a|aa)+$", "(a|a?)+$"])
def test_S19_no_pattern_takes_exponential_time(tight: Apart, pattern: str) -> None:
    """RE2 is linear: what hangs elsewhere has its answer here, within the CPU time of a test."""
    text = "a" * 19 + "b" * 21 + "\n"

    assert {"x": False} == of_an_account({"x": f"$contains(x, /^{pattern}/)"}, tight).apply({"x": text})


@pytest.mark.parametrize("pattern", [r"(a)\1", "(?=a)", "(?<!a)b", "(a{1000}){1000}", "(?>a+)b"])
def test_S19_a_pattern_that_RE2_does_not_have_is_refused_at_load(pattern: str) -> None:
    """Look-around, back-references, and repetitions that multiply."""
    with pytest.raises(ConfigWrong, match="a pattern cannot be compiled"):
        of_an_account({"x": f"$contains(x, /{pattern}/)"}, Apart())


def test_S20_defaults_inside_defaults_are_refused_at_load() -> None:
    """The library reads each left side twice, so that thirty inside each other would take it years."""
    text = "a"
    for _ in range(30):
        text = f"({text} ?? b)"
    with pytest.raises(ConfigWrong, match="takes more than 733 steps"):
        of_an_account({"x": text}, Apart())


def test_S20_a_few_defaults_inside_each_other_are_read() -> None:
    """As deep as somebody might write them."""
    assert {"x": 4} == of_an_account({"x": "(((((a ?? b) ?? c) ?? d) ?? e))"}, Apart()).apply({"d": 4})


def test_S20_alternatives_that_multiply_are_explained_at_once(roomy: Apart) -> None:
    """Two to the power of two hundred paths are told as the whole record."""
    (explained,) = of_an_account({"x": ".".join(["(x ? a : b)"] * 80)}, roomy).explained({})

    assert ("$",) == explained.paths


# Who says so, and who goes on.


def _overridden(text: str, **words: Any) -> Connector:
    """A connector whose field `tier` an account's layer gave."""
    base = {
        "base_url": BASE,
        "auth": {"type": "none"},
        "resources": {
            "rows": {
                "list": {"method": "GET", "path": "/rows", "response_path": "items", "key": "id"},
                "create": {"method": "POST", "path": "/rows", "body": {}},
            }
        },
        "unified": {"sample.row": {"resource": "rows", "fields": {"id": "id"}}},
    }
    layer = {"overrides": {"unified": {"sample.row": {"fields": {"tier": text}, **words}}}}
    document = json.dumps(layer, indent=1).encode()
    return layered(json.dumps(base).encode(), [Layer("account", "acme", document, "acme.json")], folder="sample")


@posix_only
def test_S17_the_error_names_the_record_the_expression_and_the_level() -> None:
    """Whoever reads it knows whose expression it was, where it stands, and on which record."""
    loop = LOOPS["tail recursion"]
    provider = scripted(items(41, 42))

    async def read() -> list[Record]:
        return [record async for record in engine(_overridden(loop), provider, apart=Apart(TIGHT)).read("rows")]

    with pytest.raises(MappingStopped) as stopped:
        asyncio.run(read())

    assert (
        "sample.row tier: its expression was stopped on a record\n"
        "  connector   sample.rows.list as sample.row\n"
        "  record      1 (page 1) id=41\n"
        "  field       tier\n"
        "  expression  ($f := function() { $f() }; $f())\n"
        "  mapped by   acme.json:6 /overrides/unified/sample.row/fields/tier (account:acme)\n"
        "  limit       0.3 s of CPU time"
    ) == str(stopped.value)


@posix_only
def test_S17_others_go_on_while_a_process_is_killed() -> None:
    """One loop: what another account reads is read to its end before the first one's process is ended."""
    order: list[str] = []

    async def read(name: str, text: str, apart: Apart) -> None:
        provider = scripted(items(1, 2, 3))
        try:
            async for record in engine(_overridden(text), provider, apart=apart).read("rows"):
                order.append(f"{name} {record['id'] if isinstance(record, dict) else record}")  # noqa: PERF401 in turns
        except MappingStopped as stopped:
            order.append(f"{name} {stopped.limit}")

    async def both() -> None:
        await asyncio.gather(read("one", LOOPS["tail recursion"], Apart(TIGHT)), read("other", "id", Apart(TIGHT)))

    asyncio.run(both())

    assert ["other 1", "other 2", "other 3", "one 0.3 s of CPU time"] == order


@posix_only
def test_S17_one_and_the_same_process_serves_two_reads_in_turns(tight: Apart) -> None:
    """Engines may share it: after a kill the other's question has a new process, and no answer is mistaken."""

    async def read(text: str) -> list[Record] | str:
        try:
            return [one async for one in engine(_overridden(text), scripted(items(1, 2)), apart=tight).read("rows")]
        except MappingStopped as stopped:
            return stopped.limit

    async def both() -> Any:
        return await asyncio.gather(read(LOOPS["tail recursion"]), read("id * 10"))

    assert ["0.3 s of CPU time", [{"id": 1, "tier": 10}, {"id": 2, "tier": 20}]] == asyncio.run(both())


@posix_only
def test_S17_writes_and_filters_are_held_to_it_too(tight: Apart) -> None:
    """Whatever of a layer is evaluated: what a write sends, and what a filter asks for."""
    loop = LOOPS["tail recursion"]
    written = _overridden("id", write={"create": {"name": loop}})
    filtered = _overridden("id", query={"named": {"param": "q", "value": loop}})

    async def write() -> None:
        await engine(written, scripted(), apart=tight).write("rows", "create", {"id": 1})

    async def read() -> list[Record]:
        call = Call(filters={"named": "x"})
        return [one async for one in engine(filtered, scripted(), apart=tight).read("rows", call=call)]

    for ask in (write, read):
        with pytest.raises(MappingStopped, match=r"0\.3 s of CPU time"):
            asyncio.run(ask())


# What the process knows, and how it lives.


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks into /proc")
def test_S33_the_process_has_no_credential(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither in its environment, nor in its arguments, nor in a file that this process has open."""
    monkeypatch.setenv("CONNPROOF_TOKEN_KEY", "canary-0f-the-environment")
    with (tmp_path / "tokens.db").open("w+b") as kept:
        os.set_inheritable(kept.fileno(), True)
        apart = Apart()
        of_an_account({"x": "y + 1"}, apart).apply({"y": 1})
        process = Path(f"/proc/{apart.process_id}")
        opened = {str(one.readlink()).partition(":")[0] for one in (process / "fd").iterdir()}
        seen = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()

    assert {"pipe", "/dev/null"} == opened
    assert b"canary" not in seen
    assert b"connproof.mapping.evaluator" in seen


def test_S33_what_is_sent_is_expressions_a_record_and_what_is_bound() -> None:
    """An account's credentials and variables stay here."""
    asked: list[dict[str, Any]] = []

    class Listening(Apart):
        def ask(self, request: dict[str, Any]) -> Future[tuple[Answer, ...]]:
            asked.append(request)
            return super().ask(request)

    account = Account("acme", {"access_token": "canary-0f-the-account"}, {"region": "canary-0f-a-variable"})
    running = engine(_overridden("$keys($account)"), scripted(items(7)), account=account, apart=Listening())

    async def read() -> list[Record]:
        return [one async for one in running.read("rows")]

    assert [{"id": 7, "tier": "name"}] == asyncio.run(read())
    (request,) = asked
    assert {"expressions", "record", "bindings", "now", "milliseconds"} == set(request)
    assert (["$keys($account)"], {"id": 7}) == (request["expressions"], request["record"])
    assert {
        "account": {"name": "acme"},
        "connector": {"name": "sample"},
        "resource": {"name": "rows"},
    } == request["bindings"]


def test_W8_what_the_library_prints_is_no_answer(roomy: Apart) -> None:
    """It prints the values of some records that it fails on; the pipe of the answers is another."""
    mapping = of_an_account({"x": "$sort(a, function($l, $r) { 1 })", "y": "$map(a, 1)"}, roomy)
    with pytest.raises(MappingFailed):
        mapping.apply({"a": [3, 2]})

    assert {"z": 2} == of_an_account({"z": "1 + 1"}, roomy).apply({})


@posix_only
def test_W8_a_process_that_nobody_asks_leaves_and_the_next_question_starts_another() -> None:
    """So that a thousand accounts do not hold a thousand processes; nobody notices."""
    apart = Apart(Bounds(idle_s=0.01))
    mapping = of_an_account({"x": "y + 1"}, apart)
    mapping.apply({"y": 1})
    left = apart.process_id
    assert left is not None
    os.waitid(os.P_PID, left, os.WEXITED | os.WNOWAIT)

    assert {"x": 3} == mapping.apply({"y": 2})
    assert left != apart.process_id


@posix_only
def test_W8_a_process_that_somebody_else_ends_is_told_and_replaced() -> None:
    """Such as the system, when it has no memory left."""
    apart = Apart()
    mapping = of_an_account({"x": "y + 1"}, apart)
    mapping.apply({"y": 1})
    assert apart.process_id is not None
    os.kill(apart.process_id, signal.SIGKILL)

    with pytest.raises(MappingStopped, match=r"its process ended \(exit code -9\)"):
        mapping.apply({"y": 2})
    assert {"x": 4} == mapping.apply({"y": 3})


@posix_only
def test_W8_no_process_outlives_whoever_asked_it() -> None:
    """Neither a mapping that is dropped, nor one that is still held when the interpreter ends."""
    apart = Apart()
    of_an_account({"x": "y + 1"}, apart).apply({"y": 1})
    process = apart.process_id
    assert process is not None
    del apart
    gc.collect()

    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


@posix_only
def test_W8_a_fork_has_a_process_of_its_own_and_the_end_of_both_ends_all() -> None:
    """As a server with workers has it, whose master has mapped a record already: no answer reaches the other."""
    program = """
import os
from connproof.mapping.apart import Apart

apart = Apart()

def asked(number):
    request = {"expressions": ["a"], "record": {"a": number}, "bindings": {}, "milliseconds": 2000}
    answers = apart.ask({**request, "now": "2024-01-01T00:00:00+00:00"}).result()
    print(answers[0].value, apart.process_id, flush=True)

asked(1)
if os.fork() == 0:
    asked(2)
else:
    os.wait()
    asked(3)
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True)
    rows = [[int(word) for word in line.split()] for line in done.stdout.splitlines()]
    (first, one), (second, other), (third, again) = rows

    assert (1, 2, 3, one) == (first, second, third, again)
    assert one != other
    for process in (one, other):
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_W8_a_process_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As any other end of it."""
    monkeypatch.setattr(sys, "executable", str(Path(sys.executable).parent / "no-such-python"))

    with pytest.raises(MappingStopped, match="no process could be started"):
        of_an_account({"x": "y + 1"}, Apart()).apply({"y": 1})
