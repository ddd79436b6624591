"""Links: the Link header by RFC 8288, references by RFC 3986, and what is refused by its form."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connproof.errors import ForeignNextLink, LimitExceeded, ProviderBroke
from connproof.links import Link, next_target, origin, parse, resolve
from connproof.model import Response

PAGE = "https://a/items?page=1"


def relations(value: str) -> list[tuple[str, set[str]]]:
    return [(link.target, set(link.relations)) for link in parse(value)]


# The Link header. Ids are those of the project's table of inputs.

NEXT = {"next"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param('<https://a/x?ids=1,2>; rel="next"', [("https://a/x?ids=1,2", NEXT)], id="LK01"),
        pytest.param('<https://a/x?f=a;b>; rel="next"', [("https://a/x?f=a;b", NEXT)], id="LK02"),
        pytest.param("<https://a/x>; rel=next", [("https://a/x", NEXT)], id="LK03"),
        pytest.param('<https://a/x>; REL="Next"', [("https://a/x", NEXT)], id="LK04"),
        pytest.param('<https://a/x>; rel="prev next"', [("https://a/x", {"prev", "next"})], id="LK05"),
        pytest.param(
            '<https://a/x>; rel="http://e.org/x next"', [("https://a/x", {"http://e.org/x", "next"})], id="LK06"
        ),
        pytest.param('<https://a/x>; title="p=1"; rel="next"', [("https://a/x", NEXT)], id="LK07-title"),
        pytest.param('<https://a/x>; x="a=b"; rel="next"', [("https://a/x", NEXT)], id="LK07-own"),
        pytest.param('<https://a/1>; rel="prev"; rel="next"', [("https://a/1", {"prev"})], id="LK08"),
        pytest.param(
            r'<https://a/x>; title="a, <b>; rel=\"next\""; rel="last"', [("https://a/x", {"last"})], id="LK09"
        ),
        pytest.param(
            '<https://a/x>; title="a, <https://b/>; rel=next, <c>"; rel="last"', [("https://a/x", {"last"})], id="LK10"
        ),
        pytest.param('<https://a/x; rel="next"', [], id="LK11"),
        pytest.param('https://a/x; rel="next"', [], id="LK12"),
        pytest.param('<https://a/x,<y>; rel="next"', [("https://a/x,<y", NEXT)], id="LK13"),
        pytest.param('<https://a/x>;;; rel="next"', [("https://a/x", NEXT)], id="LK14"),
        pytest.param('<https://a/x> ; rel = "next"', [("https://a/x", NEXT)], id="LK15-equals"),
        pytest.param(
            "<https://a/1>;rel=prev\t , \t<https://a/3> ; rel=next \t",
            [("https://a/1", {"prev"}), ("https://a/3", NEXT)],
            id="LK15-comma",
        ),
        pytest.param('<https://a/x>; rel="next', [("https://a/x", NEXT)], id="LK16"),
        pytest.param('<https://a/x>; rel="next\\', [("https://a/x", NEXT)], id="LK16-backslash"),
        pytest.param(r'<https://a/x>; rel="ne\xt"', [("https://a/x", NEXT)], id="LK17"),
        pytest.param("<https://a/x>; rel='next'", [("https://a/x", {"'next'"})], id="LK18"),
        pytest.param("<https://a/x>; rel*=UTF-8''next", [], id="LK19"),
        pytest.param("<https://a/x>", [], id="LK20-no-rel"),
        pytest.param('<https://a/x>; rel=""', [], id="LK20-empty-rel"),
        pytest.param("<https://a/x>; rel", [], id="LK20-rel-without-value"),
        pytest.param("", [], id="LK20-empty"),
        pytest.param(
            "<https://a/x>; rel=prev,, ,<https://a/y>; rel=next",
            [("https://a/x", {"prev"}), ("https://a/y", NEXT)],
            id="empty-elements",
        ),
        pytest.param(
            '<https://a/x>; rel="prev"junk, <https://a/y>; rel=next',
            [("https://a/x", {"prev"})],
            id="junk-ends-reading",
        ),
    ],
)
def test_header_is_read_by_the_algorithm_of_rfc_8288(value: str, expected: list[tuple[str, set[str]]]) -> None:
    """What a Link header says, and nothing that only looks like a link."""
    assert expected == relations(value)


def test_first_of_two_equal_parameters_counts_and_all_are_kept() -> None:
    """Only the first rel and the first anchor mean anything; every parameter is told, unquoted, in order."""
    (link,) = parse(r'</x>; Rel=prev; title="a \"b\""; anchor="#1"; rel=next; anchor="#2"; flag')

    assert frozenset({"prev"}) == link.relations
    assert "#1" == link.anchor
    assert (
        ("rel", "prev"),
        ("title", 'a "b"'),
        ("anchor", "#1"),
        ("rel", "next"),
        ("anchor", "#2"),
        ("flag", ""),
    ) == link.parameters


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("<https://a/x>; rel=next", "https://a/x", id="LK03"),
        pytest.param('<https://a/x>; REL="Next"', "https://a/x", id="LK04"),
        pytest.param('<https://a/x>; rel="prev next"', "https://a/x", id="LK05"),
        pytest.param('<https://a/1>; rel="prev"; rel="next"', None, id="LK08"),
        pytest.param('<https://a/x>; title="a, <https://b/>; rel=next, <c>"; rel="last"', None, id="LK10"),
        pytest.param('<https://a/x; rel="next"', None, id="LK11"),
        pytest.param("<https://a/x>; rel='next'", None, id="LK18"),
        pytest.param("<https://a/x>; rel*=UTF-8''next", None, id="LK19"),
        pytest.param("", None, id="LK20"),
        pytest.param('<https://a/1>; rel="next"; anchor="#foo"', None, id="LK21"),
        pytest.param('<https://a/1>; rel="next"; anchor="https://b/items?page=1"', None, id="LK21-other-host"),
        pytest.param('<https://a/1>; rel="next"; anchor="mailto:x"', None, id="LK21-other-scheme"),
        pytest.param('<https://a/1>; rel="next"; anchor="https://a/items?page=1"', "https://a/1", id="LK22"),
        pytest.param(
            '<https://a/1>; rel="next"; anchor="HTTPS://A:443/items?page=1"', "https://a/1", id="LK22-spelt-otherwise"
        ),
        pytest.param('<https://a/1>; rel="next"; anchor="?page=1"', "https://a/1", id="LK22-relative"),
        pytest.param('<https://a/1>; rel="next"; anchor=""', "https://a/1", id="LK22-empty"),
        pytest.param("<https://a/2>; rel=next, <https://a/2>; rel=next", "https://a/2", id="LK23-identical"),
        pytest.param("</2>; rel=next, <https://a/2#x>; rel=next", "https://a/2", id="LK23-same-URL"),
        pytest.param(
            '<https://a/2>; rel=next, <https://a/3>; rel=next; anchor="#x"', "https://a/2", id="LK23-other-anchor"
        ),
        pytest.param("</x?page=2>; rel=next", "https://a/x?page=2", id="LK25-path"),
        pytest.param("<?page=2>; rel=next", "https://a/items?page=2", id="LK25-query"),
        pytest.param("<>; rel=next", PAGE, id="LK26"),
        pytest.param(
            "<javascript:x>; rel=prev, <https://a/2>; rel=next", "https://a/2", id="other-relations-are-not-looked-at"
        ),
    ],
)
def test_next_target(value: str, expected: str | None) -> None:
    """The next page is the one link with that relation that is about this page."""
    assert expected == next_target(value, response_url=PAGE)


def test_another_relation_may_lead_on() -> None:
    """The relation is the config's choice and compared without case."""
    value = "<https://a/2>; rel=Older, <https://a/3>; rel=next"

    assert "https://a/2" == next_target(value, response_url=PAGE, rel="OLDER")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("<https://a/2?k=hidden>; rel=next, <https://a/3>; rel=next", id="LK23-different"),
        pytest.param("<https://a/2?k=hidden>; rel=next, <?page=3>; rel='x', </3>; rel=next", id="LK23-one-relative"),
    ],
)
def test_two_different_next_links_are_ambiguous(value: str) -> None:
    """LK23: which of two next pages is meant is not guessed, and no query is shown."""
    with pytest.raises(ProviderBroke, match="ambiguous_next") as caught:
        next_target(value, response_url=f"{PAGE}&k=hidden")

    assert "https://a/2" in caught.value.facts["targets"]
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["<https://a/1>; rel=prev", "<https://a/3>; rel=next"], id="LK24"),
        pytest.param(["<https://a/1>; rel=prev", "", "<https://a/3>; rel=next"], id="LK24-empty-line"),
        pytest.param(["<https://a/1>; rel=prev, <https://a/3>; rel=next"], id="LK24-one-line"),
    ],
)
def test_several_header_lines_are_one_header(lines: list[str]) -> None:
    """LK24: the lines of a response read like one line joined by commas."""
    response = Response(200, tuple(("link", line) for line in lines))

    assert "https://a/3" == next_target(response.header("link") or "", response_url=PAGE)


@pytest.mark.parametrize(
    "value", [pytest.param("<a>; rel=x," * 10_000, id="LK30-bytes"), pytest.param("<>;rel=x," * 501, id="LK30-links")]
)
def test_headers_are_bounded(value: str) -> None:
    """LK30: too long a header or too many links is an error, never a silent cut."""
    with pytest.raises(LimitExceeded):
        parse(value)


@pytest.mark.parametrize("piece", ["<", ";", "<a>;", '<a>;b="', '<a>;b="\\', ", ", "\t ", '"', "<>;a=", "=", "\\"])
def test_hostile_headers_take_linear_time(piece: str) -> None:
    """LK30: the longest header of any shape is read at once."""
    value = (piece * 65_536)[:65_536]
    before = time.perf_counter()

    assert () == parse(value)

    assert time.perf_counter() - before < 1


@pytest.mark.parametrize(
    "value",
    [
        pytest.param('<https://a/x>; title="\xff\x80\u20ac"; rel=next', id="LK30-quoted"),
        pytest.param("<https://a/x>; title=\xff\x80\x00; rel=next", id="LK30-bare"),
    ],
)
def test_bytes_outside_ascii_do_not_stop_the_reading(value: str) -> None:
    """LK30: a title in any encoding is carried through; the target is still read."""
    assert "https://a/x" == next_target(value, response_url=PAGE)


# LK31. Printing, with every freedom that RFC 8288 gives to whoever writes the header.

TOKEN_CHARACTERS = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
tokens = st.text(TOKEN_CHARACTERS, min_size=1, max_size=8)
texts = st.text(st.characters(codec="ascii", exclude_characters="\x00\r\n"), max_size=12)
spaces = st.sampled_from(["", " ", "\t", "  "])
names = tokens.map(str.lower)


@st.composite
def written_values(draw: st.DrawFn, value: str) -> str:
    if value and set(value) <= set(TOKEN_CHARACTERS) and draw(st.booleans()):
        return value
    return '"' + "".join(f"\\{c}" if c in '"\\' or draw(st.booleans()) else c for c in value) + '"'


@st.composite
def links_and_headers(draw: st.DrawFn) -> tuple[tuple[Link, ...], str]:
    links, lines = [], []
    for target in draw(
        st.lists(st.text(st.characters(codec="ascii", exclude_characters=">\r\n"), max_size=20), max_size=4)
    ):
        relation_types = draw(st.lists(tokens | st.just("http://e.org/x"), min_size=1, max_size=3))
        rel = draw(st.sampled_from([" ", "  "])).join(relation_types)
        others = draw(st.lists(st.tuples(names.filter("rel".__ne__), texts), max_size=3))
        at = draw(st.integers(0, len(others)))
        parameters = [*others[:at], ("rel", rel), *others[at:]]
        line = f"{draw(spaces)}<{target}>"
        for name, value in parameters:
            spelt = draw(st.sampled_from([name, name.upper()]))
            empty = draw(st.sampled_from(["", ";", "; ;"]))
            line += (
                f"{draw(spaces)}{empty};{draw(spaces)}{spelt}{draw(spaces)}={draw(spaces)}{draw(written_values(value))}"
            )
        lines.append(line + draw(spaces))
        links.append(
            Link(
                target,
                frozenset(relation.lower() for relation in relation_types),
                next((value for name, value in parameters if name == "anchor"), None),
                tuple(parameters),
            )
        )
    return tuple(links), draw(st.sampled_from([",", ",,", ", "])).join(lines)


@given(links_and_headers())
def test_LK31_whatever_is_printed_legally_is_read_back(written: tuple[tuple[Link, ...], str]) -> None:
    """LK31: any links, with any legal quoting, white space, case and empty elements, come back the same."""
    links, header = written

    assert links == parse(header)


@given(st.text(max_size=200))
def test_no_header_crashes_the_parser(value: str) -> None:
    """Any text gives links whose targets stand in it."""
    assert all(f"<{link.target}>" in value for link in parse(value))


# References.

BASE = "https://a.example/v1/items?cursor=1&f=%2F"


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("https://a.example/v1/items?cursor=2", "https://a.example/v1/items?cursor=2"),
        ("https://a.example/x?a=%2F%2f%20+&b=%7E~&c=%zz%", "https://a.example/x?a=%2F%2f%20+&b=%7E~&c=%zz%"),
        ("https://a.example/p%2Fq/%2e%2e/r;s=1,2/@me", "https://a.example/p%2Fq/%2e%2e/r;s=1,2/@me"),
        ("https://a.example?x=1", "https://a.example?x=1"),
        ("https://a.example/x?", "https://a.example/x?"),
        ("https://a.example/x?u=https://b/?c#d", "https://a.example/x?u=https://b/?c"),
        ("HTTPS://A.Example:443/X", "HTTPS://A.Example:443/X"),
        ("https://a.example/x?q=[\"{|}^`\\']", "https://a.example/x?q=[\"{|}^`\\']"),
        ("/v2/items?cursor=2", "https://a.example/v2/items?cursor=2"),
        ("/v2//items", "https://a.example/v2//items"),
        ("/../..//evil", "https://a.example//evil"),
        ("?cursor=2%26", "https://a.example/v1/items?cursor=2%26"),
        ("?", "https://a.example/v1/items?"),
        ("other?x=/../", "https://a.example/v1/other?x=/../"),
        ("../x/./y/..", "https://a.example/x/"),
        ("", BASE),
        ("#fragment", BASE),
        ("//evil.example/x", "https://evil.example/x"),
        ("http://a.example:8443/x", "http://a.example:8443/x"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        ("https://a_b.example./x", "https://a_b.example./x"),
        ("/caf\xe9?q=\u20ac%C3%A9", "https://a.example/caf%C3%A9?q=%E2%82%AC%C3%A9"),
    ],
)
def test_reference_is_resolved_without_a_byte_changed(reference: str, expected: str) -> None:
    """LK25, LK27: absolute, path-only and query-only references, as RFC 3986 section 5.2 has them."""
    assert expected == resolve(reference, BASE)


# RFC 3986, section 5.4: reference and target for the base http://a/b/c/d;p?q, without fragments and other schemes.
RFC_3986 = """
g http://a/b/c/g
./g http://a/b/c/g
g/ http://a/b/c/g/
/g http://a/g
//g http://g
?y http://a/b/c/d;p?y
g?y http://a/b/c/g?y
;x http://a/b/c/;x
g;x http://a/b/c/g;x
g;x?y http://a/b/c/g;x?y
. http://a/b/c/
./ http://a/b/c/
.. http://a/b/
../ http://a/b/
../g http://a/b/g
../.. http://a/
../../ http://a/
../../g http://a/g
../../../g http://a/g
../../../../g http://a/g
/./g http://a/g
/../g http://a/g
g. http://a/b/c/g.
.g http://a/b/c/.g
g.. http://a/b/c/g..
..g http://a/b/c/..g
./../g http://a/b/g
./g/. http://a/b/c/g/
g/./h http://a/b/c/g/h
g/../h http://a/b/c/h
g;x=1/./y http://a/b/c/g;x=1/y
g;x=1/../y http://a/b/c/y
g?y/./x http://a/b/c/g?y/./x
g?y/../x http://a/b/c/g?y/../x
"""


@pytest.mark.parametrize(("reference", "expected"), [line.split() for line in RFC_3986.strip().splitlines()])
def test_examples_of_rfc_3986(reference: str, expected: str) -> None:
    """The standard's own examples of resolution."""
    assert expected == resolve(reference, "http://a/b/c/d;p?q")


@pytest.mark.parametrize(
    "reference",
    [
        pytest.param("https:evil", id="LK28-https-without-slashes"),
        pytest.param("https:/evil", id="https-with-one-slash"),
        pytest.param("https:///evil", id="https-with-three-slashes"),
        pytest.param("///evil", id="three-slashes"),
        pytest.param("//", id="no-host"),
        pytest.param("/\\evil", id="LK28-slash-backslash"),
        pytest.param("\\\\evil", id="two-backslashes"),
        pytest.param("https://a.example\\@evil/", id="backslash-in-authority"),
        pytest.param("@evil", id="LK28-at"),
        pytest.param("user:hidden@evil", id="user-without-scheme"),
        pytest.param("x@evil/y", id="user-without-slashes"),
        pytest.param("1.2.3.4:80/x", id="host-and-port-without-slashes"),
        pytest.param("javascript:alert(1)", id="LK28-javascript"),
        pytest.param("javascript://a.example/%0aalert(1)", id="javascript-with-host"),
        pytest.param("file:///etc/passwd", id="LK28-file"),
        pytest.param("ftp://a.example/x", id="ftp"),
        pytest.param("data:text/plain,hidden", id="data"),
        pytest.param("https://user:hidden@a.example/x", id="LK27-userinfo"),
        pytest.param("https://@a.example/x", id="empty-userinfo"),
        pytest.param("//user@a.example/x", id="userinfo-without-scheme"),
        pytest.param("https://a.example/x\r\nhost: evil", id="S31-CRLF"),
        pytest.param("https://a.example/x\ty", id="tab"),
        pytest.param(" https://a.example/x", id="leading-space"),
        pytest.param("https://a.example/x y", id="space"),
        pytest.param("https://a.example/x\x00", id="NUL"),
        pytest.param("https://a.example/x\x7f", id="DEL"),
        pytest.param("https://a.example/x\x85", id="C1"),
        pytest.param("https://a.example/x\u2028", id="line-separator"),
        pytest.param("https://a.example/\ud800", id="half-a-surrogate-pair"),
        pytest.param("https://a/x,<y", id="LK13"),
        pytest.param("https://a.example/x>", id="greater-than"),
        pytest.param("https://\u24d4vil.example/", id="non-ASCII-host"),
        pytest.param("https://a%2eexample/", id="escape-in-host"),
        pytest.param("https://a..example/", id="empty-label"),
        pytest.param("https://.a.example/", id="leading-dot"),
        pytest.param("https://a.example:99999/x", id="port-too-large"),
        pytest.param("https://a.example:0/x", id="port-zero"),
        pytest.param("https://a.example:-1/x", id="port-negative"),
        pytest.param("https://a.example:8a/x", id="port-with-letter"),
        pytest.param("https://a.example:\u0664/x", id="port-in-other-digits"),
        pytest.param("https://a.example:80:80/x", id="two-ports"),
        pytest.param("https://[::1/x", id="open-bracket"),
        pytest.param("https://[1.2.3.4]/x", id="not-IPv6"),
        pytest.param("https://[fe80::1%25eth0]/x", id="zone"),
        pytest.param("https://:80/x", id="port-without-host"),
    ],
)
def test_reference_is_refused_by_its_form(reference: str) -> None:
    """LK13, LK27, LK28, S07, S31: what parsers read differently is an error, with page, reason and no secret."""
    with pytest.raises(ForeignNextLink) as caught:
        resolve(reference, f"{BASE}&token=hidden")

    assert "https://a.example/v1/items" == caught.value.facts["page"]
    assert caught.value.facts["seen"]
    assert caught.value.fix
    assert "hidden" not in str(caught.value)


def test_refusals_hide_the_query_of_the_reference() -> None:
    """A query may hold a credential: scheme, host and path are enough to find the fault."""
    with pytest.raises(ForeignNextLink) as caught:
        resolve("https://b.example:0/items?token=hidden#hidden", BASE)

    assert "https://b.example:0/items: no such port" == caught.value.facts["seen"]


def test_next_target_refuses_what_resolve_refuses() -> None:
    """LK13: a header's link is refused too, not taken for the end of the pages."""
    with pytest.raises(ForeignNextLink):
        next_target('<https://a/x,<y>; rel="next"', response_url=PAGE)


def test_enormous_references_are_refused() -> None:
    """S31: a next link of a megabyte is a limit exceeded."""
    with pytest.raises(LimitExceeded, match="too long"):
        resolve("?cursor=" + "x" * 1_000_000, BASE)


@pytest.mark.parametrize("reference", ["?q=" + "\U0001f600" * 8_000, "x" * 20_000])
def test_references_that_become_enormous_are_refused(reference: str) -> None:
    """S31: also where percent-encoding makes it so, or the URL that it stands on."""
    with pytest.raises(LimitExceeded, match="too long"):
        resolve(reference, f"https://api.example.com/{'y' * 20_000}/")


@given(st.text(max_size=40), st.sampled_from(["", "https://", "//", "/", "?", "https://a.example/", "/\\", "@"]))
def test_whatever_resolves_has_an_origin_and_nothing_unsendable(text: str, prefix: str) -> None:
    """Any reference is either refused or becomes an absolute URL in printable ASCII, stable under resolution."""
    try:
        url = resolve(prefix + text, BASE)
    except ForeignNextLink:
        return

    assert origin(url)
    assert url.isascii() and url.isprintable() and " " not in url
    assert url == resolve(url, BASE)


# Origins.


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/x?y#z", "https://a.example"),
        ("HTTPS://A.Example", "https://a.example"),
        ("https://a.example.", "https://a.example"),
        ("https://a.example:443/", "https://a.example"),
        ("http://a.example:80", "http://a.example"),
        ("https://a.example:", "https://a.example"),
        ("https://a.example:80/", "https://a.example:80"),
        ("http://a.example:443/", "http://a.example:443"),
        ("https://a.example:08443/", "https://a.example:8443"),
        ("https://a.example:65535/", "https://a.example:65535"),
        ("http://127.0.0.1:8000/x", "http://127.0.0.1:8000"),
        ("http://[0:0::0:1]:80/", "http://[::1]"),
        ("http://[2001:DB8::1]:8080/", "http://[2001:db8::1]:8080"),
        ("https://a.example?x=\\", "https://a.example"),
        ("https://a.example/?next=https://user@b/", "https://a.example"),
    ],
)
def test_origin_has_one_spelling(url: str, expected: str) -> None:
    """S06: scheme, host and port compare as text, however they were written."""
    assert expected == origin(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example",
        "//a.example/x",
        "ftp://a.example/",
        "https:a.example",
        "https://",
        "https:///x",
        "https://?x",
        "https://user@a.example/",
        "https://user:pw@a.example/",
        "https://a.example\\@evil/",
        "https://a.example/\\x",
        "https://a.example/\n",
        "https://a.example /",
        "https://a.example:0/",
        "https://a.example:65536/",
        "https://a.example:123456789/",
        "https://a.example:x/",
        "https://\u0430.example/",
        "https://a%2eexample/",
        "https://..",
        "https://[::g]/",
        "https://[1::2::3]/",
    ],
)
def test_what_has_no_origin(url: str) -> None:
    """Relative, foreign, ambiguous and malformed URLs have no origin."""
    with pytest.raises(ValueError, match=r".: \S"):
        origin(url)


# Real headers.

CORPUS = Path(os.environ.get("CONNPROOF_CORPUS", Path(__file__).parents[3] / "shared" / "corpus"))


def recorded_link_headers() -> list[str]:
    found: list[str] = []

    def collect(value: object) -> None:
        if isinstance(value, dict):
            for name, inside in value.items():
                lines = inside if isinstance(inside, list) else [inside]
                # Some recorders wrote placeholders in angle brackets into the targets: no such header was ever sent.
                if name.lower() == "link" and all(isinstance(line, str) and "rel=" in line for line in lines):
                    found.extend(header for header in [", ".join(lines)] if not re.search("<[A-Z_]+>", header))
                collect(inside)
        elif isinstance(value, list):
            for inside in value:
                collect(inside)

    for file in sorted((CORPUS / "github").rglob("*.json")):
        collect(json.loads(file.read_bytes()))
    return found


@pytest.mark.skipif(not (CORPUS / "github").is_dir(), reason="no folder of recorded traffic (CONNPROOF_CORPUS)")
def test_recorded_headers_are_read_whole() -> None:
    """In real headers every bracketed target is found, and a next page wherever one is named."""
    headers = recorded_link_headers()

    assert len(headers) > 20
    assert [header.count("<") for header in headers] == [len(parse(header)) for header in headers]
    assert ['rel="next"' in header for header in headers] == [
        next_target(header, response_url="https://a.example/") is not None for header in headers
    ]
