"""A request on one line shows what was asked, and no credential in any spelling."""

from __future__ import annotations

import pytest

from connproof.model import Request
from pytest_connproof.lane_run import asks_for, shown_request

KEY = "canary/k+1"


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (Request("GET", f"https://h.test/x?key={KEY}&limit=5"), "GET /x?key=(credential)&limit=5"),
        (Request("GET", "https://h.test/x?key=canary%2Fk%2B1"), "GET /x?key=(credential)"),
        (
            Request("POST", "https://h.test", body=b'{"key": "canary/k+1", "n": 1}'),
            'POST  {"key":"(credential)","n":1}',
        ),
        (Request("POST", "https://h.test/x", body=b"\xff<n/>"), "POST /x \\xff<n/>"),
        (Request("GET", "https://h.test/x", (("authorization", KEY),)), "GET /x"),
        (
            Request(
                "POST", "https://h.test/x", body=b"<?xml version='1.0'?>\n<a>\n <k>canary/k+1</k>\n <b x='1'/>\n</a>\n"
            ),
            "POST /x <a><k>(credential)</k><b x='1'/></a>",
        ),
        (Request("POST", "https://h.test/x", body=b"<a\n  x='1'\n  y='2'>b\nc</a>"), "POST /x <a x='1' y='2'>b\nc</a>"),
    ],
    ids=[
        "as it is",
        "percent-encoded",
        "in a body",
        "bytes",
        "in a header",
        "in XML of several lines",
        "in a tag of several lines",
    ],
)
def test_no_credential_is_shown(request_: Request, expected: str) -> None:
    """Snapshots and messages hold what was asked for, never on whose behalf."""
    assert expected == shown_request(request_, [KEY])


@pytest.mark.parametrize("spelt", ["a&amp;b&lt;c'd\"", "a&amp;b&lt;c&apos;d&quot;", "<![CDATA[a&b<c'd\"]]>"])
def test_no_credential_is_shown_escaped(spelt: str) -> None:
    """A password in XML has the escapes that its sender writes."""
    shown = shown_request(Request("POST", "https://h.test/x", body=f"<p>{spelt}</p>".encode()), ["a&b<c'd\""])

    assert "(credential)" in shown
    assert "c'd" not in shown and "apos" not in shown


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", "https://h.test/x?k=p(w)%2Fd%20%22e%2B"),
        Request("GET", "https://h.test/x?k=p%28w%29%2fd%20%22e%2b"),
        Request("POST", "https://h.test/x", body=b"k=p%28w%29%2Fd+%22e%2B"),
        Request("POST", "https://h.test/x", body=b'{"k": "p(w)\\/d \\"e+"}'),
        Request("POST", "https://h.test/x", body=b"<k>p(w)&#x2F;d &#34;e+</k>"),
        Request("POST", "https://h.test/x", body=b'k: "p(w)\\/d \\u0022e\\u002b"'),
    ],
    ids=["as a browser has it", "in lower case", "in a form", "in JSON", "by numbers in XML", "in a text with escapes"],
)
def test_no_credential_is_shown_in_another_spelling(request_: Request) -> None:
    """What one sender percent-encodes or escapes another leaves as it is: also within one and the same credential."""
    shown = shown_request(request_, ['p(w)/d "e+', "p(w"])

    assert 1 == shown.count("(credential)")
    assert "w" not in shown and "e+" not in shown and "2b" not in shown.lower()


def test_blanks_before_a_body_cost_no_time() -> None:
    """Each is looked at once, not once for each blank behind it."""
    assert f"POST /x {' ' * 100_000}<x" == shown_request(
        Request("POST", "https://h.test/x", body=b" " * 100_000 + b"<x"), []
    )


def test_a_credential_may_be_a_part_of_the_word_for_it() -> None:
    """What stands in the place of one credential is not searched for another."""
    assert "GET /x?k=(credential)&b=1" == shown_request(
        Request("GET", "https://h.test/x?k=secret-1&b=1"), ["secret-1", "ed"]
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("GET /x?a=1&b=2", "GET /x?b=2&a=1"),
        ('POST /x {"a":1,"b":2}', 'POST /x {"b": 2, "a": 1}'),
        ("POST /x a=1&b=x+y", "POST /x b=x%20y&a=1"),
        ("POST /x expand[]=a&limit=1", "POST /x limit=1&expand[]=a"),
        (
            'POST /x <e:E xmlns:e="urn:e"><e:P k="1" l="2">1</e:P></e:E>',
            "POST /x <E xmlns='urn:e'> <P l='2' k='1'>1</P> </E>",
        ),
    ],
    ids=["query", "JSON", "form", "form with brackets", "XML"],
)
def test_what_a_request_asks_for_has_many_spellings(one: str, other: str) -> None:
    """The order of parameters, members, fields and attributes, and the prefixes of XML, are no part of it."""
    assert asks_for(one) == asks_for(other)


def test_what_was_asked_for_may_be_half_a_character() -> None:
    """A snapshot is a file that anybody may write; JSON can name what no text holds."""
    assert asks_for("POST /x <a>\ud800</a>") == asks_for("POST /x <a >\ud800</a>")
    assert asks_for("POST /x <a>\ud800</a>") != asks_for("POST /x <a>\ud801</a>")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("POST /x a=1&b=2", "POST /x a=1&b=3"),
        ("POST /x a=1&b=2", "POST /x a=1"),
        ("POST /x a=1", "POST /x a=1&a=1"),
        ("POST /x a=&b=2", "POST /x b=2"),
        ("POST /x b=2 & a=1", "POST /x a=1 & b=2"),
    ],
    ids=["value", "field", "twice", "empty", "a text that is no form"],
)
def test_another_form_asks_for_something_else(one: str, other: str) -> None:
    """Every field of a form counts, however often it stands there; what is no form is a text."""
    assert asks_for(one) != asks_for(other)


@pytest.mark.parametrize(
    "other",
    [
        'POST /x <E xmlns="urn:e"><P>2</P><Q/></E>',
        'POST /x <E xmlns="urn:e"><Q/><P>1</P></E>',
        'POST /x <E xmlns="urn:f"><P>1</P><Q/></E>',
        'POST /x <E xmlns="urn:e"><P>1</P></E>',
        'POST /x <!DOCTYPE E><E xmlns="urn:e"><P>1</P><Q/></E>',
    ],
    ids=["text", "order", "namespace", "element", "a document type"],
)
def test_other_xml_asks_for_something_else(other: str) -> None:
    """By meaning is not by less: text, order, namespace and every element count."""
    assert asks_for('POST /x <E xmlns="urn:e"><P>1</P><Q/></E>') != asks_for(other)
