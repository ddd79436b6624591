"""traceparent. Ids are those of the project's table of inputs."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connproof.errors import CallWrong
from connproof.run import Call
from connproof.standards.trace import Trace, make_traceparent, read_trace
from scripted import answer, connector, items, read, rows, scripted

ID = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
VALID = f"00-{ID}-{PARENT}-01"


def random(count: int) -> bytes:
    return bytes(range(1, count + 1))


def incoming(*lines: str) -> Trace | None:
    return read_trace(tuple(("traceparent", line) for line in lines))


def test_TP01_the_trace_goes_on_under_our_own_parent() -> None:
    """The same trace id, a parent id of ours, sampled as it was."""
    trace = incoming(VALID)

    assert Trace(ID, PARENT, sampled=True) == trace
    assert f"00-{ID}-0102030405060708-01" == make_traceparent(trace, random=random)


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([VALID.upper()], id="TP02"),
        pytest.param([f"00-{ID.upper()}-{PARENT}-01"], id="TP02-trace-id"),
        pytest.param([f"00-{'0' * 32}-{PARENT}-01"], id="TP03-trace-id"),
        pytest.param([f"00-{ID}-{'0' * 16}-01"], id="TP03-parent-id"),
        pytest.param([f"ff-{ID}-{PARENT}-01"], id="TP04"),
        pytest.param([f"{VALID}-what"], id="TP05-extra"),
        pytest.param([f"{VALID}-"], id="TP05-trailing"),
        pytest.param([f"01-{ID}-{PARENT}"], id="TP07"),
        pytest.param([f"01-{ID}-{PARENT}-0"], id="TP07-flags"),
        pytest.param([f"01-{ID}-{PARENT}-01what"], id="TP07-no-dash"),
        pytest.param([f"00-{ID[1:]}-{PARENT}-01"], id="TP08-short"),
        pytest.param([f"00-{ID}a-{PARENT}-01"], id="TP08-long"),
        pytest.param([f"00-{ID[:-1]}g-{PARENT}-01"], id="TP08-not-hex"),
        pytest.param([f"00-{ID}- {PARENT}-01"], id="TP08-space"),
        pytest.param([f"00-{ID[:-1]}\u0663-{PARENT}-01"], id="TP08-other-digits"),
        pytest.param([""], id="TP08-empty"),
        pytest.param([], id="absent"),
        pytest.param([VALID, VALID], id="TP09"),
        pytest.param([f"{VALID}\r\n"], id="TP13-CRLF"),
        pytest.param([f"{VALID}\n"], id="TP13-LF"),
        pytest.param([f"01-{ID}-{PARENT}-01-{'x' * 100_000}"], id="TP13-100-kB"),
    ],
)
def test_what_is_invalid_starts_a_new_trace(lines: list[str]) -> None:
    """The whole header is ignored; the new trace has ids of ours and is not sampled."""
    trace = incoming(*lines)

    assert trace is None
    assert "00-0102030405060708090a0b0c0d0e0f10-0102030405060708-00" == make_traceparent(trace, random=random)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(f"01-{ID}-{PARENT}-01-what", id="TP06"),
        pytest.param(f"01-{ID}-{PARENT}-01", id="TP06-nothing-more"),
        pytest.param(f"fe-{ID}-{PARENT}-01-", id="TP06-newest"),
    ],
)
def test_of_a_newer_version_the_first_four_fields_count(line: str) -> None:
    """What follows is for those who know it."""
    assert Trace(ID, PARENT, sampled=True) == incoming(line)


@pytest.mark.parametrize(("flags", "ours"), [("ff", "01"), ("fe", "00"), ("03", "01"), ("00", "00")])
def test_TP10_only_the_sampled_bit_is_read(flags: str, ours: str) -> None:
    """The other bits are not copied."""
    made = make_traceparent(incoming(f"00-{ID}-{PARENT}-{flags}"), random=random)

    assert made.endswith(f"-{ours}")


@pytest.mark.parametrize(("line", "state"), [(VALID, "a=1,b=2"), ("00-invalid", None)], ids=["valid", "invalid"])
def test_TP11_tracestate_lives_by_its_traceparent(line: str, state: str | None) -> None:
    """With an invalid one it is dropped."""
    trace = read_trace((("traceparent", line), ("tracestate", "a=1"), ("tracestate", "b=2")))

    assert state == (trace.state if trace else None)


def test_TP12_nothing_of_the_callers_reaches_the_provider() -> None:
    """Requests have the headers that the config says: no cookie that was set, and no other has a way in."""
    config = connector({"type": "cursor", "cursor_field": "next"}, headers={"x-own": "1"})
    first = answer(
        {"items": rows(1, 1), "next": "2"}, ("set-cookie", "a=1"), ("traceparent", VALID), ("baggage", "b=1")
    )
    provider = scripted(first, items(2))

    assert rows(1, 2) == read(config, provider)

    assert [(("x-own", "1"),)] * 2 == [request.headers for request in provider.requests]


@pytest.mark.parametrize("name", ["traceparent", "tracestate", "baggage", "cookie"])
def test_TP12_a_call_has_no_parameter_that_becomes_a_header(name: str) -> None:
    """Nothing is sent under such a name, and the caller is told."""
    provider = scripted()

    with pytest.raises(CallWrong, match=name):
        read(connector(), provider, Call(params={name: VALID}))

    assert [] == provider.requests


def test_an_id_is_never_all_zeros() -> None:
    """Not even where chance has it so."""
    made = make_traceparent(None, random=bytes)

    assert read_trace((("traceparent", made),)) is not None


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=8, max_size=8), st.booleans())
def test_what_is_made_is_valid(trace_id: bytes, parent_id: bytes, sampled: bool) -> None:
    """Whatever is drawn, and whatever it goes on from."""
    drawn = {16: trace_id, 8: parent_id}
    before = Trace(ID, PARENT, sampled)

    made = read_trace((("traceparent", make_traceparent(before, random=drawn.__getitem__)),))

    assert made is not None and (ID, sampled) == (made.trace_id, made.sampled)
    assert read_trace((("traceparent", make_traceparent(None, random=drawn.__getitem__)),)) is not None


@given(st.text(max_size=80))
def test_no_text_raises(text: str) -> None:
    """Anything but a traceparent is none."""
    before = time.perf_counter()

    assert incoming(text) is None

    assert time.perf_counter() - before < 0.5
