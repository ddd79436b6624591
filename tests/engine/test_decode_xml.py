"""XML: what elements become, what is refused, and what an answer really is when it may be an error."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connproof.decode import Limits, Sent, decode, decode_as_sent
from connproof.errors import LimitExceeded, PageUnreadable
from connproof.model import Response, XmlFormat
from connproof.places import ABSENT, JsonValue, Place

XML = "application/xml"


def sent(body: bytes | str, content_type: str | None = XML, status: int = 200) -> Response:
    raw = body.encode() if isinstance(body, str) else body
    return Response(status, () if content_type is None else (("content-type", content_type),), raw)


def words(**said: Any) -> XmlFormat:
    """As the config says them: paths as texts."""
    for word in said.keys() & {"force_list", "booleans"}:
        said[word] = tuple(Place.parse(text) for text in said[word])
    return XmlFormat(**said)


def read(body: bytes | str, **said: Any) -> Any:
    return decode(sent(body), declared=words(**said))


# E7: what elements become.


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param("<a>x</a>", {"a": "x"}, id="text"),
        pytest.param("<a/>", {"a": None}, id="empty"),
        pytest.param("<a></a>", {"a": None}, id="empty-pair"),
        pytest.param("<a>\n  </a>", {"a": None}, id="white-space-alone"),
        pytest.param("<a> x\n</a>", {"a": " x\n"}, id="white-space-around-text-stays"),
        pytest.param("<a>0</a>", {"a": "0"}, id="a-number-is-a-text"),
        pytest.param("<a><b>1</b><c/></a>", {"a": {"b": "1", "c": None}}, id="children"),
        pytest.param("<a>\n <b>1</b>\n <b>2</b>\n</a>", {"a": {"b": ["1", "2"]}}, id="twice-is-a-list"),
        pytest.param("<a><b>1</b><c/><b>2</b></a>", {"a": {"b": ["1", "2"], "c": None}}, id="twice-apart"),
        pytest.param('<a k="1"/>', {"a": {"@k": "1"}}, id="attribute"),
        pytest.param('<a k=" ">x</a>', {"a": {"@k": " ", "#text": "x"}}, id="attribute-and-text"),
        pytest.param('<a k="1">\n<b/></a>', {"a": {"@k": "1", "b": None}}, id="attribute-and-child"),
        pytest.param("<a><![CDATA[<b>&amp;]]></a>", {"a": "<b>&amp;"}, id="cdata"),
        pytest.param("<a>x<![CDATA[y]]>z</a>", {"a": "xyz"}, id="cdata-amid-text"),
        pytest.param("<a>&lt;&#233;&#x1F600;&apos;</a>", {"a": "<\xe9\U0001f600'"}, id="references"),
        pytest.param("<a><!-- no --><b>x<!-- no -->y</b></a>", {"a": {"b": "xy"}}, id="comments"),
        pytest.param("<?pi no?><a><?pi no?>x</a><!-- no -->", {"a": "x"}, id="processing-instructions"),
        pytest.param("<a>x<b>1</b>y</a>", {"a": {"b": "1", "#text": "xy"}}, id="mixed"),
        pytest.param('<?xml version="1.0"?>\r\n<a>x\r\ny</a>', {"a": "x\ny"}, id="line-ends"),
    ],
)
def test_E7_an_element_becomes_a_member(body: str, expected: JsonValue) -> None:
    """Every value is a text, null where an element is empty; one name twice is a list."""
    assert expected == read(body)


@pytest.mark.parametrize("force", ["r.ws.w", "w"])
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param("<r><ws><w>1</w></ws></r>", ["1"], id="one"),
        pytest.param("<r><ws><w/></ws></r>", [None], id="one-empty"),
        pytest.param("<r><ws><w>1</w><x/><w>2</w></ws></r>", ["1", "2"], id="many"),
        pytest.param('<r><ws><w k="1"/></ws></r>', [{"@k": "1"}], id="one-object"),
    ],
)
def test_E7_one_and_many_are_lists_alike(force: str, body: str, expected: JsonValue) -> None:
    """By path and by name."""
    assert expected == read(body, force_list=[force])["r"]["ws"]["w"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param("<r><ws/></r>", {"r": {"ws": {"w": []}}}, id="empty"),
        pytest.param("<r><ws> \n </ws></r>", {"r": {"ws": {"w": []}}}, id="blank"),
        pytest.param("<r><ws><x>1</x></ws></r>", {"r": {"ws": {"x": "1", "w": []}}}, id="others-alone"),
        pytest.param('<r><ws k="1"/></r>', {"r": {"ws": {"@k": "1", "w": []}}}, id="attributes-alone"),
        pytest.param("<r><ws/><ws><w>1</w></ws></r>", {"r": {"ws": [{"w": []}, {"w": ["1"]}]}}, id="in-a-list"),
        pytest.param("<r><ws>no</ws></r>", {"r": {"ws": "no"}}, id="a-text-is-no-container"),
        pytest.param("<r><x/></r>", {"r": {"x": None}}, id="no-container-no-list"),
    ],
)
def test_E7_an_empty_container_holds_an_empty_list(body: str, expected: JsonValue) -> None:
    """Where the element around it is there. Where it is not, nothing is made up."""
    assert expected == read(body, force_list=["r.ws.w"])


def test_E7_lists_inside_lists() -> None:
    """The outer one is made before the inner one is looked for, in whatever order the config has them."""
    forced = ["r.i.ls.l", "r.i"]

    assert {"r": {"i": [{"ls": {"l": ["1"]}}]}} == read("<r><i><ls><l>1</l></ls></i></r>", force_list=forced)
    assert {"r": {"i": [{"ls": {"l": []}}, {"x": None}]}} == read("<r><i><ls/></i><i><x/></i></r>", force_list=forced)
    assert {"r": {"i": []}} == read("<r/>", force_list=forced)


def test_E7_a_path_means_one_place_and_a_name_every() -> None:
    """A path forces nothing beside its own place."""
    body = "<r><w>1</w><ws><w>2</w></ws></r>"

    assert {"r": {"w": "1", "ws": {"w": ["2"]}}} == read(body, force_list=["r.ws.w"])
    assert {"r": {"w": ["1"], "ws": {"w": ["2"]}}} == read(body, force_list=["w"])


SOAP = '<e:E xmlns:e="urn:env" xmlns:wd="urn:b"><wd:ID wd:type="WID" xml:lang="en">3</wd:ID></e:E>'


@pytest.mark.parametrize(
    ("namespaces", "expected"),
    [
        pytest.param("strip", {"E": {"ID": {"@type": "WID", "@xml:lang": "en", "#text": "3"}}}, id="strip"),
        pytest.param(
            "keep",
            {
                "e:E": {
                    "@xmlns:e": "urn:env",
                    "@xmlns:wd": "urn:b",
                    "wd:ID": {"@wd:type": "WID", "@xml:lang": "en", "#text": "3"},
                }
            },
            id="keep",
        ),
        pytest.param(
            (("urn:env", ""), ("urn:b", "w")),
            {"E": {"w:ID": {"@w:type": "WID", "@xml:lang": "en", "#text": "3"}}},
            id="own-prefixes",
        ),
        pytest.param(
            (("urn:env", ""),),
            {"E": {"urn:b:ID": {"@urn:b:type": "WID", "@xml:lang": "en", "#text": "3"}}},
            id="a-uri-that-is-not-named",
        ),
    ],
)
def test_E7_namespaces(namespaces: Any, expected: JsonValue) -> None:
    """Left out, as written, or under the config's own prefixes, which do not change when the sender's do."""
    assert expected == read(SOAP, namespaces=namespaces)


def test_E7_attributes_of_one_name_are_refused_not_lost() -> None:
    """Without their namespaces one would overwrite the other."""
    body = '<a xmlns:x="urn:x" type="1" x:type="2"/>'

    with pytest.raises(PageUnreadable, match="keep the namespaces"):
        read(body)
    assert "2" == read(body, namespaces="keep")["a"]["@x:type"]


def test_E7_what_speaks_of_an_element_is_not_its_data() -> None:
    """`xsi:type` may stand beside `type`, under whatever prefix it was written."""
    body = '<a xmlns:i="http://www.w3.org/2001/XMLSchema-instance" type="1" i:type="2"/>'

    assert {"a": {"@type": "1", "@xsi:type": "2"}} == read(body)


def test_E7_attributes_may_be_dropped_or_named_otherwise() -> None:
    """An element without children is then a text alone."""
    body = '<a k="1"><b k="2">x</b></a>'

    assert {"a": {"b": "x"}} == read(body, attributes="drop")
    assert {"a": {"$k": "1", "b": {"$k": "2", "$": "x"}}} == read(body, attribute_prefix="$", text="$")


@pytest.mark.parametrize(("text", "expected"), [("1", True), ("true", True), ("0", False), (" false ", False)])
@pytest.mark.parametrize("named", ["r.on", "on"])
def test_E7_booleans_are_declared(text: str, expected: bool, named: str) -> None:
    """By path and by name; with attributes it is their element's text."""
    assert expected is read(f"<r><on>{text}</on></r>", booleans=[named])["r"]["on"]


@pytest.mark.parametrize("named", ["r.on", "on"])
def test_E7_what_is_no_boolean_stays_a_text(named: str) -> None:
    """Nothing is guessed; an empty element is null, and what is not declared is a text."""
    assert {"r": {"on": ["yes", None, True], "off": "0"}} == read(
        "<r><on>yes</on><on/><on>1</on><off>0</off></r>", booleans=[named]
    )


def test_E7_booleans_of_attributes_and_beside_them() -> None:
    """An attribute is named with its prefix."""
    body = '<r><on k="1" n="1">0</on></r>'

    assert {"r": {"on": {"@k": True, "@n": "1", "#text": False}}} == read(body, booleans=['r.on["@k"]', "r.on"])
    assert {"r": {"on": {"@k": True, "@n": "1", "#text": "0"}}} == read(body, booleans=['["@k"]'])


# Encodings.


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param("<a>\xe9</a>".encode(), XML, id="utf-8"),
        pytest.param("\ufeff<a>\xe9</a>".encode(), XML, id="utf-8-mark"),
        pytest.param('<?xml version="1.0" encoding="ISO-8859-1"?><a>\xe9</a>'.encode("latin-1"), XML, id="declared"),
        pytest.param("<a>\xe9</a>".encode("latin-1"), "text/xml; charset=iso-8859-1", id="content-type"),
        pytest.param("<?xml version='1.0' encoding='windows-1252'?><a>\xe9</a>".encode("cp1252"), XML, id="cp1252"),
        pytest.param('<?xml version="1.0" encoding="UTF-16"?><a>\xe9</a>'.encode("utf-16"), XML, id="utf-16"),
        pytest.param('<?xml version="1.0"?><a>\xe9</a>'.encode("utf-16-be"), XML, id="utf-16-without-mark"),
        pytest.param('<?xml version="1.0" encoding="utf-16"?><a>&#233;</a>', XML, id="ascii-called-utf-16"),
        pytest.param("<a>\xe9</a>".encode("utf-16"), "text/xml; charset=utf-16", id="utf-16-content-type"),
        pytest.param('<?xml version="1.0" encoding="utf-8"?><a>&#233;</a>', "text/xml; charset=us-ascii", id="ascii"),
    ],
)
def test_S25_a_declared_encoding_is_read(body: bytes | str, content_type: str) -> None:
    """By its mark, by the content type, or by the document's own word; else it is UTF-8."""
    assert {"a": "\xe9"} == decode(sent(body, content_type))


@pytest.mark.parametrize(
    ("body", "content_type", "said"),
    [
        pytest.param(
            '<?xml version="1.0" encoding="ISO-8859-1"?><a>\xe9</a>',
            "text/xml; charset=utf-8",
            "the content type says utf-8, the document says iso8859-1",
            id="type-against-document",
        ),
        pytest.param('<?xml version="1.0" encoding="UTF-16"?><a>\xe9</a>', XML, "has no mark", id="not-utf-16"),
        pytest.param(
            b"\xef\xbb\xbf<?xml version='1.0' encoding='latin-1'?><a>\xc3\xa9</a>",
            XML,
            "bytes say",
            id="mark-against-it",
        ),
        pytest.param("<a/>".encode("utf-16"), "text/xml; charset=utf-8", "contradicted", id="utf-16-called-utf-8"),
        pytest.param(
            '<?xml version="1.0" encoding="utf-16le"?><a/>'.encode("utf-16-be"), XML, "contradicted", id="byte-order"
        ),
        pytest.param(b"<a>\xe9</a>", XML, "is not utf-8", id="not-utf-8"),
        pytest.param("<a/>", "text/xml; charset=utf-7", "utf-7, which is not read", id="utf-7"),
        pytest.param("<?xml version='1.0' encoding='rot13'?><n/>", XML, "rot13, which is not read", id="no-charset"),
        pytest.param("<a/>", "text/xml; charset=x-unknown", "x-unknown, which is not read", id="unknown"),
    ],
)
def test_S25_an_encoding_that_is_contradicted_is_refused(body: bytes | str, content_type: str, said: str) -> None:
    """Whoever is right, the text could be another than was meant."""
    with pytest.raises(PageUnreadable) as caught:
        decode(sent(body, content_type))

    assert said.partition("bytes say")[0] in str(caught.value)


# S32, S25: what is refused.

LAUGHS = "".join(f'<!ENTITY l{n} "{"".join([f"&l{n - 1};"] * 10)}">' for n in range(1, 10))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(f'<!DOCTYPE a [<!ENTITY l0 "lol">{LAUGHS}]><a>&l9;</a>', id="billion-laughs"),
        pytest.param(f'<!DOCTYPE a [<!ENTITY x "{"x" * 50_000}">]><a>{"&x;" * 50_000}</a>', id="quadratic"),
        pytest.param('<!DOCTYPE a [<!ENTITY x "hi">]><a>&x;</a>', id="internal-entity"),
        pytest.param('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', id="external-entity"),
        pytest.param('<!DOCTYPE a [<!ENTITY % x SYSTEM "https://x.example/d"> %x;]><a/>', id="parameter-entity"),
        pytest.param('<!DOCTYPE a SYSTEM "https://x.example/a.dtd"><a/>', id="external-dtd"),
        pytest.param("<!DOCTYPE a><a/>", id="empty-dtd"),
        pytest.param('<!DOCTYPE a [<!ATTLIST a k CDATA "made up">]><a/>', id="default-attribute"),
        pytest.param('<?xml version="1.0"?><!-- <!DOCTYPE --> <!DOCTYPE a [ ]><a/>', id="after-a-comment"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_S32_a_document_type_is_refused(body: str, encoding: str) -> None:
    """Before anything is built, in any encoding, and without a byte being fetched or multiplied."""
    response = sent(body.encode(encoding))
    tracemalloc.start()
    try:
        with pytest.raises(PageUnreadable, match="document type") as caught:
            decode(response)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert caught.value.__context__ is None
    assert peak < 10 * len(response.body) + 100_000
    assert Sent("text", body) == decode_as_sent(response) or "utf-16" == encoding


def test_S32_what_looks_like_one_in_a_text_is_a_text() -> None:
    """Inside CDATA and comments it means nothing."""
    assert {"a": "<!DOCTYPE a>"} == read("<a><!-- <!DOCTYPE a> --><![CDATA[<!DOCTYPE a>]]></a>")


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        pytest.param("<a>", "no element found", id="cut-off"),
        pytest.param("<a></b>", "mismatched tag", id="mismatched"),
        pytest.param("<a/><b/>", "junk after", id="two-roots"),
        pytest.param("<a>&hidden;</a>", "undefined entity", id="unknown-entity"),
        pytest.param("<a>&#xD800;</a>", "invalid character number", id="lone-surrogate"),
        pytest.param("<a>&#0;</a>", "invalid character number", id="nul"),
        pytest.param("<a>\x01</a>", "invalid token", id="control-character"),
        pytest.param("<a k=1/>", "not well-formed", id="unquoted"),
        pytest.param('<a k="1" k="1"/>', "duplicate attribute", id="attribute-twice"),
        pytest.param("<x:a/>", "unbound prefix", id="unknown-prefix"),
        pytest.param("hidden", "syntax error", id="no-markup"),
        pytest.param('{"a": "hidden"}', "not well-formed", id="json-called-xml"),
        pytest.param(" <?xml version='1.0'?><a/>", "not at start", id="space-before-the-declaration"),
    ],
)
def test_S25_what_is_no_xml_is_refused(body: str, fault: str) -> None:
    """With line and column, without a word of the body."""
    with pytest.raises(PageUnreadable, match="is not XML") as caught:
        read(body)

    assert fault in caught.value.facts["fault"]
    assert "hidden" not in f"{caught.value!r} {caught.value}"
    assert caught.value.__context__ is None


def test_S25_the_bound_on_depth_is_exact() -> None:
    """Elements count as objects do."""
    limits = Limits(depth=7)

    assert isinstance(decode(sent("<a>" * 7 + "</a>" * 7), limits=limits), dict)
    with pytest.raises(LimitExceeded, match="7 levels"):
        decode(sent("<a>" * 8 + "</a>" * 8), limits=limits)


def test_S25_a_hundred_thousand_elements_deep_fail_fast() -> None:
    """Nothing is built before the depth is known."""
    with pytest.raises(LimitExceeded, match="200 levels"):
        decode(sent("<a>" * 100_000))


def test_S29_a_body_beyond_its_bound_is_not_looked_into() -> None:
    """An error for a page, unreadable for an answer."""
    response = sent("<a>" + "x" * 100 + "</a>")

    with pytest.raises(LimitExceeded, match="50 bytes"):
        decode(response, limits=Limits(body_bytes=50))
    assert Sent("unreadable", ABSENT) == decode_as_sent(response, limits=Limits(body_bytes=50))


# E4: what was really sent.

FAULT = (
    '<IntuitResponse time="t"><Fault type="AUTH"><Error code="100"><Detail>no</Detail></Error></Fault></IntuitResponse>'
)
ERROR: JsonValue = {"@code": "100", "Detail": "no"}
FAULT_READ: JsonValue = {"IntuitResponse": {"@time": "t", "Fault": {"@type": "AUTH", "Error": ERROR}}}


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        pytest.param('{"a": 1}', "application/json", Sent("json", {"a": 1}), id="json"),
        pytest.param(FAULT, "application/xml", Sent("xml", FAULT_READ), id="xml"),
        pytest.param(FAULT, "application/json", Sent("xml", FAULT_READ), id="xml-called-json"),
        pytest.param(FAULT, None, Sent("xml", FAULT_READ), id="xml-without-a-type"),
        pytest.param(FAULT, "text/plain", Sent("xml", FAULT_READ), id="xml-called-text"),
        pytest.param('{"a": 1}', "text/xml", Sent("json", {"a": 1}), id="json-called-xml"),
        pytest.param('{"a": 1}', "text/plain", Sent("json", {"a": 1}), id="json-called-text"),
        pytest.param("Too many requests", "text/plain", Sent("text", "Too many requests"), id="text"),
        pytest.param("Too many requests", "application/json", Sent("text", "Too many requests"), id="text-called-json"),
        pytest.param("Too many requests", None, Sent("text", "Too many requests"), id="text-without-a-type"),
        pytest.param("1", "text/plain", Sent("text", "1"), id="a-number-is-a-text"),
        pytest.param("1", "application/json", Sent("json", 1), id="a-number-called-json"),
        pytest.param("<html><p>no</p></html>", "text/html", Sent("text", "<html><p>no</p></html>"), id="html"),
        pytest.param(
            "<!doctype html><p>", "application/json", Sent("text", "<!doctype html><p>"), id="html-called-json"
        ),
        pytest.param("<!doctype html><p>", None, Sent("text", "<!doctype html><p>"), id="html-without-a-type"),
        pytest.param('{"a": 1', "application/json", Sent("text", '{"a": 1'), id="json-cut-off"),
        pytest.param(b"no\xe9", "text/plain; charset=latin-1", Sent("text", "no\xe9"), id="latin-1"),
        pytest.param(b"no\xe9", "text/plain", Sent("unreadable", ABSENT), id="not-utf-8"),
        pytest.param(b"\x1f\x8b\x08\xff", "application/json", Sent("unreadable", ABSENT), id="still-compressed"),
        pytest.param("", "application/json", Sent("none", ABSENT), id="nothing"),
        pytest.param(" \n", "text/plain", Sent("none", ABSENT), id="blank"),
    ],
)
def test_E4_an_answer_is_read_by_what_was_sent(body: bytes | str, content_type: str | None, expected: Sent) -> None:
    """Whatever was asked for, and whatever the content type calls it; never an error."""
    assert expected == decode_as_sent(sent(body, content_type, 401))
    assert expected == decode_as_sent(sent(body, content_type, 401), declared="json")


def test_E4_the_configs_words_for_xml_hold_for_errors_too() -> None:
    """Paths of error rules then lead where those of pages do."""
    answer = decode_as_sent(sent(FAULT, status=401), declared=words(attributes="drop", force_list=["Error"]))

    assert {"IntuitResponse": {"Fault": {"Error": [{"Detail": "no"}]}}} == answer.value


@pytest.mark.parametrize(
    "content_type", ["application/xml", "text/xml; charset=utf-8", "application/soap+xml", "TEXT/XML"]
)
def test_E4_a_page_of_xml_is_read_by_its_type(content_type: str) -> None:
    """Without a word in the config."""
    assert {"a": "x"} == decode(sent("<a>x</a>", content_type))


@pytest.mark.parametrize("body", [FAULT, "<html/>", "no"])
def test_E4_a_page_is_held_to_its_declaration(body: str) -> None:
    """What helps to tell an error would, on a page, be a guess."""
    with pytest.raises(PageUnreadable, match="not JSON"):
        decode(sent(body, "application/xml"), declared="json")
    with pytest.raises(PageUnreadable, match="only JSON and XML"):
        decode(sent(body, "text/html"))


@pytest.mark.parametrize("declared", [None, "json", "text", XmlFormat()])
@pytest.mark.parametrize(
    ("body", "status"), [(b"", 200), (b" \r\n", 200), (b"", 204), (b"<p>", 204), (b"{", 304), (b"", 304)]
)
def test_E4_nothing_is_absent(body: bytes, status: int, declared: Any) -> None:
    """No bytes, blank bytes, a 204 and a 304, whatever was declared and whatever stands in them."""
    assert ABSENT is decode(sent(body, "text/html", status), declared=declared)
    assert Sent("none", ABSENT) == decode_as_sent(sent(body, "text/html", status), declared=declared)


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        pytest.param("n\xe9e".encode(), "text/plain", "n\xe9e", id="utf-8"),
        pytest.param("n\xe9e".encode(), None, "n\xe9e", id="no-type"),
        pytest.param(b"\xef\xbb\xbfa", "text/csv; charset=utf-8", "a", id="mark"),
        pytest.param(b"n\xe9e", "text/plain; charset=ISO-8859-1", "n\xe9e", id="latin-1"),
        pytest.param(b"\x80", 'text/plain; charset="windows-1252"', "\u20ac", id="windows-1252"),
        pytest.param(b"a", "text/plain; charset=us-ascii", "a", id="ascii"),
        pytest.param("n\xe9e".encode("utf-16"), "text/plain; charset=utf-16", "n\xe9e", id="utf-16"),
        pytest.param(b'{"a": 1}', "application/json", '{"a": 1}', id="json-as-text"),
        pytest.param(b" a\r\n", "text/plain", " a\r\n", id="as-it-is"),
    ],
)
def test_E4_a_declared_text_is_one_text(body: bytes, content_type: str | None, expected: str) -> None:
    """In the charset that the content type names."""
    assert expected == decode(sent(body, content_type), declared="text")


@pytest.mark.parametrize(
    ("body", "content_type", "said"),
    [
        pytest.param(b"\xe9", "text/plain", "byte 1", id="not-utf-8"),
        pytest.param(b"\xe9", "text/plain; charset=us-ascii", "not ascii", id="not-ascii"),
        pytest.param(b"a", "text/plain; charset=utf-16", "no byte order mark", id="utf-16-without-mark"),
        pytest.param(b"a", "text/plain; charset=utf-7", "utf-7", id="utf-7"),
        pytest.param(b"a", "text/plain; charset=base64", "base64", id="no-charset"),
        pytest.param(b"\xff\xfea\x00", "text/plain; charset=utf-8", "begins with the mark", id="contradicted"),
        pytest.param(b"\x81", "text/plain; charset=windows-1252", "byte 1", id="undefined-byte"),
    ],
)
def test_S25_a_text_in_another_charset_is_refused(body: bytes, content_type: str, said: str) -> None:
    """Nothing is replaced, nothing is guessed."""
    with pytest.raises(PageUnreadable, match=said):
        decode(sent(body, content_type), declared="text")


# E8: nothing that looks like a number becomes one.


def test_E8_xml_keeps_every_digit() -> None:
    """An id, a time and an amount are the texts that were sent."""
    body = "<r><id>5725767000000411001</id><ts>1700000000.000100</ts><n>1.10</n><z>007</z></r>"

    assert {"r": {"id": "5725767000000411001", "ts": "1700000000.000100", "n": "1.10", "z": "007"}} == read(body)


NAMES = st.sampled_from(["a", "b", "c"])
TEXTS = st.none() | st.text(st.characters(categories=["L", "N", "P"]), min_size=1)
TREES = st.recursive(
    TEXTS,
    lambda below: st.dictionaries(NAMES, below | st.lists(below, min_size=2, max_size=3), min_size=1),
    max_leaves=9,
)


def written(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(written(name, each) for each in value)
    if isinstance(value, dict):
        return f"<{name}>\n{''.join(written(each, inner) for each, inner in value.items())}\n</{name}>"
    escaped = (value or "").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<{name}>{escaped}</{name}>"


@given(tree=TREES)
def test_E7_any_tree_comes_back(tree: JsonValue) -> None:
    """Written as elements and read again."""
    assert {"r": tree} == read(written("r", tree))


@given(
    body=st.binary(max_size=60) | st.text("<>a/&;!? \"'=\xe9", max_size=60).map(str.encode),
    content_type=st.sampled_from([XML, None, "text/plain"]),
)
def test_S25_any_bytes_give_a_value_or_a_typed_error(body: bytes, content_type: str | None) -> None:
    """Nothing else is ever raised."""
    response = sent(body, content_type)

    answer = decode_as_sent(response)
    try:
        page = decode(response, declared=XmlFormat())
    except PageUnreadable:
        page = ABSENT

    assert page is ABSENT or answer.kind in {"xml", "json", "text"}
    assert (answer.kind in {"none", "unreadable"}) == (answer.value is ABSENT)
