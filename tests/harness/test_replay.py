"""The ledger answers what was recorded, by content, and keeps account of every exchange and every request.

urllib, requests and other clients are not httpx: no net is drawn for them, the engine has no way to call them.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from typing import Any, Literal, NoReturn
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connproof.model import Headers, Request, Response
from pytest_connproof.net import HttpxNet
from pytest_connproof.recording import Exchange, Lane
from pytest_connproof.replay import Ledger, ReplayTransport, UnmatchedRequest

URL = "https://api.deals.example/v1/deals"
JSON = ("content-type", "application/json")
FORM = ("content-type", "application/x-www-form-urlencoded")
XML = ("content-type", "text/xml")
KEY_1, KEY_2 = (quote(f"{{{{secret:key#{number}}}}}") for number in (1, 2))
TOKEN = "Bearer {{secret:access_token#1}}"


def _request(query: str = "", *headers: tuple[str, str], body: bytes | None = None, url: str = URL) -> Request:
    return Request("GET" if body is None else "POST", f"{url}?{query}" if query else url, headers, body)


def _xml(text: str) -> Request:
    return _request("", XML, body=text.encode())


def _lane(
    *requests: Request, order: Literal["strict", "unordered"] = "strict", repeats: frozenset[int] = frozenset()
) -> Lane:
    exchanges = tuple(
        Exchange(f"x/{number}", request, Response(200, (), str(number).encode()), number in repeats, "")
        for number, request in enumerate(requests, 1)
    )
    return Lane("deals.list", order, None, exchanges, "/lanes/0")


def _answers(recorded: Request, sent: Request) -> bool:
    """Whether a ledger of one exchange answers a request."""
    ledger = Ledger(_lane(recorded))
    try:
        ledger.answer(sent)
    except UnmatchedRequest:
        return False
    return True


def _miss(ledger: Ledger, request: Request) -> UnmatchedRequest:
    with pytest.raises(UnmatchedRequest) as missed:
        ledger.answer(request)
    return missed.value


# What is the same request.


@pytest.mark.parametrize(
    ("recorded", "sent"),
    [
        (_request("a=1&b=2"), _request("b=2&a=1")),
        (_request("a=1&a=2"), _request("a=2&a=1")),
        (_request("q=a%20b"), _request("q=a+b")),
        (_request("q=%2f%3A"), _request("q=/:")),
        (_request("q=%C3%BC"), _request("q=ü")),
        (_request("a="), _request("a")),
        (_request(url="https://API.deals.example:443/v1"), _request(url="https://api.deals.example/v1")),
        (_request(url="https://api.deals.example/a%3Ab%7e"), _request(url="https://api.deals.example/a:b~")),
        (_request(url="https://api.deals.example"), _request(url="https://api.deals.example/")),
        (_request("", JSON, body=b'{"a": 1, "b": [true]}'), _request("", JSON, body=b'{"b":[true],"a":1}')),
        (_request("", FORM, body=b"a=1&b=%20"), _request("", FORM, body=b"b=+&a=1")),
        (_request(body=b"\xff\x00"), _request(body=b"\xff\x00")),
    ],
)
def test_another_spelling_is_the_same_request(recorded: Request, sent: Request) -> None:
    """Order and percent-encoding of parameters, default ports, white space of JSON: none is content."""
    assert _answers(recorded, sent)
    assert _answers(sent, recorded)


@pytest.mark.parametrize(
    ("recorded", "sent"),
    [
        (_request("a=1"), _request("a=1&a=1")),
        (_request("a=1&a=1&b=2"), _request("a=1&b=2&b=2")),
        (_request("a=1"), _request("A=1")),
        (_request("a=1"), _request("a=01")),
        (_request("q=a%2Bb"), _request("q=a+b")),
        (_request("a="), _request()),
        (_request(url="https://api.deals.example/v1/a%2Fb"), _request(url="https://api.deals.example/v1/a/b")),
        (_request(url="https://api.deals.example/v1/"), _request(url="https://api.deals.example/v1")),
        (_request(url="https://api.deals.example/v1"), _request(url="https://api.deals.example:8443/v1")),
        (_request(url="https://api.deals.example/v1"), _request(url="http://api.deals.example/v1")),
        (_request(url="https://api.deals.example/v1"), _request(url="https://api.deals.example.evil.example/v1")),
        (_request("", ("x-a", "1")), _request()),
        (_request(), _request("", ("x-a", "1"))),
        (_request("", ("x-a", "1")), _request("", ("x-a", "1 "))),
        (_request("", ("x-a", "1"), ("x-a", "2")), _request("", ("x-a", "1"))),
        (_request("", JSON, body=b"{}"), _request("", JSON)),
        (_request("", JSON, body=b'{"a": 1}'), _request("", JSON, body=b'{"a": 1.0}')),
        (_request("", JSON, body=b'{"a": 1}'), _request("", JSON, body=b'{"a": "1"}')),
        (_request("", JSON, body=b'{"a": 1}'), _request("", JSON, body=b'{"a": true}')),
        (_request("", JSON, body=b'{"a": null}'), _request("", JSON, body=b"{}")),
        (_request("", JSON, body=b'{"a": null}'), _request("", JSON, body=b'{"a": "null"}')),
        (_request("", JSON, body=b'{"a": []}'), _request("", JSON, body=b'{"a": {}}')),
        (_request("", JSON, body=b'{"a": [1, 2]}'), _request("", JSON, body=b'{"a": [2, 1]}')),
        (_request("", JSON, body=b'{"a": ["b"]}'), _request("", JSON, body=b'{"a": {"0": "b"}, "c": 1}')),
        (_request("", FORM, body=b"a=1"), _request("", FORM, body=b"a=1&a=1")),
        (_request("", JSON, body=b"{}"), _request("", FORM, body=b"{}")),
        (_request(body=b"\xff"), _request(body=b"\xfe")),
    ],
)
def test_another_content_is_another_request(recorded: Request, sent: Request) -> None:
    """One parameter more, a number as text, a header that one side lacks: strict, both ways."""
    assert not _answers(recorded, sent)
    assert not _answers(sent, recorded)


def test_a_credential_is_hidden_as_it_was_sent() -> None:
    """A body that is compared whole has its sender's escapes, and a miss shows it in quotes."""
    ledger = Ledger(_lane(_request(body=b"x")), credentials=['p"w/1'])

    shown = [
        str(part)
        for body in (b"k=p%22w%2f1", b'k: p"w/1')
        for part in _miss(ledger, _request(body=body)).misses[0].differences
    ]

    assert ['body   recorded "x"   sent "k=(credential)"', 'body   recorded "x"   sent "k: (credential)"'] == shown


# XML, by meaning.

ENVELOPE = (
    '<e:Envelope xmlns:e="urn:env" xmlns:w="urn:b"><e:Body w:n="1" k="2"><w:Page>1</w:Page>'
    "<w:Note> a &amp; b </w:Note><w:Empty/></e:Body></e:Envelope>"
)


@pytest.mark.parametrize(
    "spelling",
    [
        pytest.param(ENVELOPE.replace("e:", "s:").replace(":e=", ":s="), id="other-prefixes"),
        pytest.param(
            '<Envelope xmlns="urn:env"><Body x:n="1" k="2" xmlns:x="urn:b"><Page xmlns="urn:b">1</Page>'
            "<x:Note> a &amp; b </x:Note><x:Empty/></Body></Envelope>",
            id="default-namespaces",
        ),
        pytest.param(ENVELOPE.replace("><", ">\n  <"), id="indented"),
        pytest.param(f'<?xml version="1.0" encoding="utf-8"?>\n<!-- ours -->{ENVELOPE}\n', id="declared-and-commented"),
        pytest.param(ENVELOPE.replace('w:n="1" k="2"', "k='2'  w:n='1'"), id="attributes-in-another-order"),
        pytest.param(ENVELOPE.replace("<w:Empty/>", "<w:Empty>\n</w:Empty>"), id="empty-with-white-space"),
        pytest.param(ENVELOPE.replace(" a &amp; b ", " a <![CDATA[& b]]> "), id="cdata"),
        pytest.param(ENVELOPE.replace(">1<", ">&#49;<!-- one --><"), id="references-and-comments-in-text"),
    ],
)
def test_xml_in_another_spelling_is_the_same_request(spelling: str) -> None:
    """Prefixes, white space between elements, the order of attributes, how a character is written: none is content."""
    assert _answers(_xml(ENVELOPE), _xml(spelling))
    assert _answers(_xml(spelling), _xml(ENVELOPE))


@pytest.mark.parametrize(
    ("part", "spelling"),
    [
        pytest.param("body/Envelope/Body/Page", ENVELOPE.replace(">1<", ">2<"), id="text"),
        pytest.param("body/Envelope/Body/Note", ENVELOPE.replace(" a &", "a &"), id="white-space-in-a-text"),
        pytest.param("body/Envelope/Body/@k", ENVELOPE.replace('k="2"', 'k="3"'), id="attribute"),
        pytest.param("body/Envelope/Body/@{urn:b}n", ENVELOPE.replace('w:n="1" ', ""), id="attribute-gone"),
        pytest.param("body/Envelope/Body/@n", ENVELOPE.replace('w:n="1"', 'n="1"'), id="attribute-of-no-namespace"),
        pytest.param("body/*", ENVELOPE.replace("urn:env", "urn:env2"), id="root-namespace"),
        pytest.param("body/Envelope/Body/*", ENVELOPE.replace("urn:b", "urn:c"), id="namespace"),
        pytest.param("body/Envelope/Body/Page", ENVELOPE.replace("<w:Page>1</w:Page>", ""), id="element-gone"),
        pytest.param("body/Envelope/Body/Empty[2]", ENVELOPE.replace("<w:Empty/>", "<w:Empty/><w:Empty/>"), id="twice"),
        pytest.param(
            "body/Envelope/Body/*",
            ENVELOPE.replace("<w:Empty/>", "").replace("<w:Page>", "<w:Empty/><w:Page>"),
            id="order-of-elements",
        ),
        pytest.param("body/Envelope/Body", ENVELOPE.replace("<w:Empty/>", "<w:Empty/>x"), id="text-between-elements"),
    ],
)
def test_xml_of_another_content_is_another_request(part: str, spelling: str) -> None:
    """And what differs is named by its path, elements by their own names."""
    assert not _answers(_xml(spelling), _xml(ENVELOPE))

    missed = _miss(Ledger(_lane(_xml(ENVELOPE))), _xml(spelling)).misses[0].differences

    assert part in [difference.part for difference in missed]


def test_the_differing_element_is_named_with_both_texts() -> None:
    """One number in an envelope of many lines: that is all that is told."""
    sent = ENVELOPE.replace(">1<", ">2<").replace("><", ">\n<")

    missed = _miss(Ledger(_lane(_xml(ENVELOPE))), _xml(sent))

    assert ['body/Envelope/Body/Page   recorded "1"   sent "2"'] == [str(part) for part in missed.misses[0].differences]


NAMES = st.tuples(st.sampled_from(["", "urn:a", "urn:b"]), st.sampled_from("cd"))
TREES = st.recursive(
    st.tuples(
        NAMES, st.dictionaries(NAMES, st.sampled_from(["", "1", '<&"']), max_size=2), st.sampled_from(["", "1", " 1<"])
    ),
    lambda inner: st.tuples(NAMES, st.just({}), st.lists(inner, min_size=1, max_size=3)),
    max_leaves=6,
)


def _with_prefixes(tree: Any, prefixes: dict[str, str]) -> str:
    """Each namespace under its prefix, declared where it is used."""
    (uri, name), attributes, inside = tree
    tag = f"{prefixes[uri]}{name}"
    used = {uri, *(space for space, _ in attributes)} - {""}
    declared = "".join(f' xmlns:{prefixes[space][:-1]}="{space}"' for space in sorted(used))
    said = "".join(f" {prefixes[space]}{key}={quoteattr(value)}" for (space, key), value in attributes.items())
    content = escape(inside) if isinstance(inside, str) else "".join(_with_prefixes(one, prefixes) for one in inside)
    return f"<{tag}{declared}{said}>{content}</{tag}>"


def _by_default(tree: Any) -> str:
    """Each namespace of an element as the default one, attributes from last to first, a line for each element."""
    (uri, name), attributes, inside = tree
    said = "".join(
        f" {f'z{at}:' if space else ''}{key}={quoteattr(value)}" + (f' xmlns:z{at}="{space}"' if space else "")
        for at, ((space, key), value) in reversed(list(enumerate(attributes.items())))
    )
    lines = [f'<{name} xmlns="{uri}"{said}>', f"</{name}>"]
    return (
        escape(inside).join(lines)
        if isinstance(inside, str)
        else "\n ".join([lines[0], *map(_by_default, inside), lines[1]])
    )


@given(one=TREES, other=TREES)
def test_xml_bodies_match_by_meaning(one: Any, other: Any) -> None:
    """Two bodies match exactly where they are the same tree, however each of them is written."""
    plain = _with_prefixes(one, {"": "", "urn:a": "a:", "urn:b": "b:"})

    assert _answers(_xml(plain), _xml(_with_prefixes(one, {"": "", "urn:a": "b:", "urn:b": "long-one:"})))
    assert _answers(_xml(plain), _xml(_by_default(one)))
    assert (one == other) is _answers(_xml(plain), _xml(_by_default(other)))


def test_a_type_in_xml_is_its_namespace_and_name() -> None:
    """xsi:type holds a name with a prefix: that prefix too may be any."""

    def typed(prefix: str, uri: str) -> Request:
        schema = "http://www.w3.org/2001/XMLSchema-instance"
        return _xml(f'<a xmlns:x="{schema}" xmlns:{prefix}="{uri}"><b x:type="{prefix}:long">1</b></a>')

    assert _answers(typed("xs", "urn:types"), typed("t", "urn:types"))
    assert not _answers(typed("xs", "urn:types"), typed("xs", "urn:others"))


def test_a_placeholder_in_xml_stands_for_one_text() -> None:
    """A password in an envelope is what the sender's is."""
    recorded = _xml("<a><u>x</u><p>{{secret:password#1}}</p></a>")

    assert _answers(recorded, _xml("<a>\n <u>x</u>\n <p>hunter2</p>\n</a>"))
    assert not _answers(recorded, _xml("<a>\n <u>x</u>\n <p/>\n</a>"))


@pytest.mark.parametrize("content_type", ["text/xml; charset=utf-8", "application/xml", "application/soap+xml"])
def test_xml_is_what_its_content_type_calls_so(content_type: str) -> None:
    """Each type of XML; a text that only looks like it is compared as a text."""
    header = ("content-type", content_type)

    assert _answers(_request("", header, body=b"<a><b/></a>"), _request("", header, body=b"<a> <b></b> </a>"))
    assert not _answers(_request(body=b"<a><b/></a>"), _request(body=b"<a> <b></b> </a>"))


@pytest.mark.parametrize(
    ("hostile", "why"),
    [
        pytest.param('<!DOCTYPE a [<!ENTITY x "1">]><a><b>&x;</b></a>', "a document type", id="entity"),
        pytest.param('<!DOCTYPE a SYSTEM "file:///etc/hostname"><a><b>1</b></a>', "a document type", id="external"),
        pytest.param("<a><b>1</b>", "no element found", id="cut-off"),
        pytest.param("<a><z:b>1</z:b></a>", "unbound prefix", id="unbound-prefix"),
        pytest.param("<a>" * 300 + "</a>" * 300, "deeper than 200", id="deep"),
    ],
)
def test_S32_xml_that_answers_may_not_be_is_not_read_in_requests(hostile: str, why: str) -> None:
    """No entity is ever resolved: such a body is equal to no other text, and the miss says what is wrong with it."""
    missed = _miss(Ledger(_lane(_xml("<a><b>1</b></a>"))), _xml(hostile))

    told = {difference.part: difference.sent for difference in missed.misses[0].differences}
    assert why in told["body as XML"]
    assert {"body/a/b": '"1"'} != told


PAIRS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("123")), min_size=1, max_size=6)


@given(pairs=PAIRS, data=st.data())
def test_a_query_is_a_multiset(pairs: list[tuple[str, str]], data: st.DataObject) -> None:
    """Any order matches; one pair more or less never does."""
    shuffled = data.draw(st.permutations(pairs))
    spoilt = [*pairs, data.draw(st.sampled_from(pairs))]

    def asked(said: list[tuple[str, str]]) -> Request:
        return _request("&".join(f"{name}={value}" for name, value in said))

    assert _answers(asked(pairs), asked(shuffled))
    assert not _answers(asked(pairs), asked(spoilt))
    assert not _answers(asked(spoilt), asked(pairs))


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=3))
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
)


@given(one=VALUES, other=VALUES)
def test_json_bodies_match_by_value_and_class(one: Any, other: Any) -> None:
    """Two bodies match exactly where they would be written as the same JSON, the order of members aside."""

    def asked(value: Any) -> Request:
        return _request("", JSON, body=json.dumps(value).encode())

    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)

    assert same is _answers(asked(one), asked(other))


# The account.


def test_every_exchange_is_used_or_unused_and_every_request_matched_or_not() -> None:
    """Nothing is lost from the account."""
    one, two, three, unknown = (_request(f"page={number}") for number in (1, 2, 3, 9))
    ledger = Ledger(_lane(one, two, three))

    assert b"1" == ledger.answer(one).body
    assert b"2" == ledger.answer(two).body
    _miss(ledger, unknown)
    tally = ledger.tally()

    assert 3 == tally.requests
    assert [(1, "x/1", True), (2, "x/2", True)] == [(use.order, use.exchange.id, use.in_turn) for use in tally.used]
    assert ["x/3"] == [exchange.id for exchange in tally.unused]
    assert [3] == [miss.order for miss in tally.unmatched]


def test_an_exchange_is_used_up() -> None:
    """The same request again is unmatched: it was sent twice, and recorded once."""
    one = _request("page=1")
    ledger = Ledger(_lane(one, _request("page=2")))
    ledger.answer(one)

    missed = _miss(ledger, one)

    assert (2, 2) == (missed.order, missed.times)
    assert [("x/1", 0, 1), ("x/2", 1, None)] == [
        (miss.exchange.id, len(miss.differences), miss.used_by) for miss in missed.misses
    ]


def test_the_same_request_recorded_twice_is_answered_twice() -> None:
    """Polling: the first answer first, then the second, then no more."""
    ledger = Ledger(_lane(_request(), _request()))

    assert [b"1", b"2"] == [ledger.answer(_request()).body for _ in range(2)]
    assert 3 == _miss(ledger, _request()).times


def test_an_exchange_that_repeats_is_never_used_up() -> None:
    """`repeats` answers as often as it is asked, counts as used once, and holds up no turn."""
    poll, page = _request("poll=1"), _request("page=1")
    ledger = Ledger(_lane(poll, page, repeats=frozenset({1})))

    answers = [ledger.answer(request).body for request in (page, poll, poll, poll)]

    assert [b"2", b"1", b"1", b"1"] == answers
    assert ((), ()) == (ledger.tally().unused, ledger.tally().out_of_turn)


@pytest.mark.parametrize(("order", "out_of_turn"), [("strict", ["x/2"]), ("unordered", [])])
def test_a_turn_is_kept_where_the_lane_is_strict(order: Literal["strict", "unordered"], out_of_turn: list[str]) -> None:
    """An exchange used before an earlier one is out of turn; what comes after it is not."""
    one, two = _request("page=1"), _request("page=2")
    ledger = Ledger(_lane(one, two, order=order))

    ledger.answer(two)
    ledger.answer(one)

    assert out_of_turn == [use.exchange.id for use in ledger.tally().out_of_turn]


def test_a_transport_answers_from_its_ledger() -> None:
    """The engine's one seam to the network."""
    transport = ReplayTransport(Ledger(_lane(_request("page=1"))))

    assert b"1" == asyncio.run(transport.send(_request("page=1"))).body


# The nearest.


def test_the_nearest_come_first_with_every_part_that_differs() -> None:
    """Fewest differences first; of two as near, the one that is still unused; two at most."""
    far = _request("page=1&size=2", ("x-a", "1"))
    near, nearer = _request("page=3&size=2"), _request("page=2&size=2")
    ledger = Ledger(_lane(far, nearer, near))
    ledger.answer(nearer)

    missed = _miss(ledger, _request("page=4&size=2"))

    assert ["x/3", "x/2"] == [miss.exchange.id for miss in missed.misses]
    assert ['query.page   recorded "3"   sent "4"'] == [str(part) for part in missed.misses[0].differences]


def test_all_parts_are_compared_not_only_the_first() -> None:
    """Whoever mends one part sees the others too."""
    ledger = Ledger(_lane(_request("a=1&b=2", ("x-a", "1"), JSON, body=b'{"c": [1]}')))
    sent = Request("PUT", "https://other.example/v2?a=2&d=4", (("x-b", "2"), JSON), b'{"c": ["1"]}')

    differences = _miss(ledger, sent).misses[0].differences

    assert [
        'method   recorded "POST"   sent "PUT"',
        'origin   recorded "https://api.deals.example"   sent "https://other.example"',
        'path   recorded "/v1/deals"   sent "/v2"',
        'query.a   recorded "1"   sent "2"',
        'query.b   recorded "2"   sent (not sent)',
        'header.x-a   recorded "1"   sent (not sent)',
        'body/c/0   recorded 1   sent "1"',
        'query.d   recorded (not recorded)   sent "4"',
        'header.x-b   recorded (not recorded)   sent "2"',
    ] == [str(part) for part in differences]


# Placeholders and credentials.


def _signed(token: str, query: str = "") -> Request:
    return _request(query, ("authorization", f"Bearer {token}"))


def test_a_placeholder_stands_for_one_text() -> None:
    """The token of the first request is that of every other: another one is no match."""
    ledger = Ledger(
        _lane(_signed("{{secret:access_token#1}}", "page=1"), _signed("{{secret:access_token#1}}", "page=2"))
    )

    ledger.answer(_signed("one-token", "page=1"))
    missed = _miss(ledger, _signed("another-token", "page=2"))

    assert {"{{secret:access_token#1}}": "one-token"} == ledger.tally().bindings
    assert ["header.authorization"] == [part.part for part in missed.misses[0].differences]
    assert b"2" == ledger.answer(_signed("one-token", "page=2")).body


def test_a_request_that_did_not_match_binds_nothing() -> None:
    """Half a match teaches nothing."""
    ledger = Ledger(_lane(_signed("{{secret:access_token#1}}", "page=1")))

    _miss(ledger, _signed("another-token", "page=2"))

    assert {} == ledger.tally().bindings
    assert b"1" == ledger.answer(_signed("one-token", "page=1")).body


@pytest.mark.parametrize(
    ("sent", "matches"),
    [
        ("a=one&b=one", True),
        ("a=one&b=two", False),
        ("a=&b=", False),
        ("a=one", False),
        ("a=xonex&b=xonex", True),
    ],
)
def test_a_placeholder_is_bound_within_a_request_too(sent: str, matches: bool) -> None:
    """The same placeholder twice in one request: the same text twice, and never none."""
    recorded = _request(f"a={KEY_1}&b={KEY_1}")

    assert matches is _answers(recorded, _request(sent))


def test_two_placeholders_are_two_texts_or_one() -> None:
    """Different placeholders say nothing of each other."""
    assert _answers(_request(f"a={KEY_1}&b={KEY_2}"), _request("a=one&b=two"))


def test_what_stands_around_a_placeholder_is_compared() -> None:
    """The scheme is no part of the credential."""
    assert not _answers(_request("", ("authorization", TOKEN)), _request("", ("authorization", "Token abc")))
    assert not _answers(_request("", ("authorization", TOKEN)), _request("", ("authorization", "Bearer ")))


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        (("authorization", "Token swordfish"), "Token (credential)"),
        (("authorization", "Token other-fish"), "(no credential of the account)"),
        (("x-copy", "swordfish"), "(credential)"),
    ],
)
def test_no_credential_is_shown(header: tuple[str, str], shown: str) -> None:
    """A known credential is replaced; what stands where one was recorded may be one too."""
    ledger = Ledger(_lane(_request("", ("authorization", TOKEN))), credentials=("sword", "swordfish"))

    missed = _miss(ledger, _request("", header))
    told = "\n".join(str(part) for miss in missed.misses for part in miss.differences)

    assert shown in told
    assert "swordfish" not in told and "other-fish" not in told
    assert "swordfish" not in str(missed)


# The net.


@pytest.fixture
def no_socket(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every attempt to connect, and none succeeds."""
    tried: list[str] = []

    def refuse(*address: Any, **named: Any) -> NoReturn:
        tried.append(repr((address, named)))
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    yield tried
    assert [] == tried


def _get(url: str, headers: Headers = ()) -> httpx.Response:
    return httpx.get(url, headers=list(headers))


def _get_async(url: str, headers: Headers = ()) -> httpx.Response:
    async def get() -> httpx.Response:
        async with httpx.AsyncClient() as client:
            return await client.get(url, headers=list(headers))

    return asyncio.run(get())


CLIENTS = pytest.mark.parametrize("get", [_get, _get_async])


@CLIENTS
def test_httpx_is_answered_from_the_ledger(get: Any) -> None:
    """Code that calls httpx by itself plays the same recording, in the same account."""
    ledger = Ledger(_lane(_request("page=1", ("x-a", "1"))))

    with HttpxNet().answering(ledger):
        answer = get(f"{URL}?page=1", (("x-a", "1"),))

    assert (200, b"1") == (answer.status_code, answer.content)
    assert 1 == len(ledger.tally().used)


@CLIENTS
def test_httpx_with_an_unknown_request_is_unmatched(get: Any) -> None:
    """What was not recorded goes nowhere: it fails, and stands in the account."""
    ledger = Ledger(_lane(_request("page=1")))

    with HttpxNet().answering(ledger), pytest.raises(UnmatchedRequest):
        get("https://elsewhere.example/")

    assert 1 == len(ledger.tally().unmatched)


def test_httpx_opens_no_socket(no_socket: list[str]) -> None:
    """Neither an answered call nor an unmatched one reaches the network."""
    ledger = Ledger(_lane(_request("page=1")))

    with HttpxNet().answering(ledger):
        _get(f"{URL}?page=1")
        with pytest.raises(UnmatchedRequest):
            _get("https://elsewhere.example/")

    assert [] == no_socket


@CLIENTS
def test_httpx_without_a_ledger_is_refused(get: Any) -> None:
    """Between two replays the net stays closed."""
    net = HttpxNet()
    net.open()
    try:
        with pytest.raises(httpx.ConnectError, match="the network is closed while connectors are checked"):
            get(URL)
    finally:
        net.close()


def test_httpx_has_the_network_back_afterwards(no_socket_after: list[str]) -> None:
    """What the plugin closes it opens again: other tests of the same run need it."""
    with HttpxNet().answering(Ledger(_lane(_request()))):
        pass

    with pytest.raises(httpx.ConnectError):
        _get("http://127.0.0.1:9/")

    assert 1 == len(no_socket_after)


@pytest.fixture
def no_socket_after(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The attempts to connect, each refused as by a closed port."""
    tried: list[str] = []

    def refuse(address: Any, *_: Any, **__: Any) -> NoReturn:
        tried.append(repr(address))
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", refuse)
    return tried
