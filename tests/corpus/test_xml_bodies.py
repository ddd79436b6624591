"""Every body of XML in the corpus, decoded, beside what ElementTree sees in the same bytes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from connproof.decode import decode, decode_as_sent
from connproof.errors import ProviderBroke
from connproof.model import Response, XmlFormat
from connproof.places import Absent, JsonValue, Place
from listings import ABSENT as NO_CORPUS
from listings import CORPUS

SOURCES = (
    "bamboohr/bamboozled",
    "github/octokit.rb",
    "netsuite/netsuite-gem",
    "quickbooks/quickbooks-ruby",
    "salesforce/CumulusCI",
    "xero/xeroizer",
    "zoho/rubyzoho",
)

# How many bodies of XML a source has, and how many of them its authors left broken: cut off, or with tags that do
# not match. A change here is news about the corpus or about the decoder.
EXPECTED = {
    "bamboohr/bamboozled": (1, 0),
    "github/octokit.rb": (1, 0),
    "netsuite/netsuite-gem": (42, 2),
    "quickbooks/quickbooks-ruby": (162, 11),
    "salesforce/CumulusCI": (5, 0),
    "xero/xeroizer": (230, 0),
    "zoho/rubyzoho": (5, 0),
}

# Elements of which a provider sends none, one or many. The paths are the providers' own.
LISTS = {
    "netsuite/netsuite-gem": (
        "Envelope.Body.updateListResponse.writeResponseList.writeResponse",
        "Envelope.Body.deleteListResponse.writeResponseList.writeResponse",
        "Envelope.Body.searchResponse.searchResult.searchRowList.searchRow",
        "Envelope.Body.searchResponse.searchResult.recordList.record",
        "Envelope.Body.getResponse.readResponse.record.customFieldList.customField",
        "Envelope.Body.addResponse.writeResponse.status.statusDetail",
    ),
    "quickbooks/quickbooks-ruby": (
        "IntuitResponse.QueryResponse.Customer",
        "IntuitResponse.QueryResponse.Vendor",
        "IntuitResponse.QueryResponse.Invoice",
        "IntuitResponse.Invoice.Line",
        "IntuitResponse.SalesReceipt.Line",
        "Report.Rows.Row",
    ),
    "xero/xeroizer": (
        "Response.Contacts.Contact",
        "Response.Invoices.Invoice",
        "Response.Invoices.Invoice.LineItems.LineItem",
        "Response.Invoices.Invoice.Payments.Payment",
        "Response.Contacts.Contact.Phones.Phone",
        "Response.Reports.Report.Rows.Row",
    ),
    "zoho/rubyzoho": ("response.result.Contacts.row", "response.result.Leads.row"),
}

# How often the elements around them hold none, one and many of them.
LENGTHS = {
    "netsuite/netsuite-gem": {"none": 1, "one": 9, "many": 7},
    "quickbooks/quickbooks-ruby": {"none": 79, "one": 2, "many": 17},
    "xero/xeroizer": {"one": 339, "many": 116},
    "zoho/rubyzoho": {"one": 3, "many": 2},
}


@dataclass(frozen=True, slots=True)
class Body:
    name: str
    response: Response


@cache
def bodies(source: str) -> tuple[Body, ...]:
    """Every document of XML in a source: a file of it, a body of raw HTTP, or a text inside a recording."""
    return tuple(body for path in sorted((CORPUS / source).rglob("*")) if path.is_file() for body in _bodies_of(path))


def _bodies_of(path: Path) -> Iterator[Body]:
    raw = path.read_bytes()
    if path.suffix == ".xml":
        texts = [raw.partition(b"\n\n")[2] if raw.startswith(b"HTTP/") else raw]
    elif b"<?xml" in raw and path.suffix in {".json", ".yaml", ".yml"}:
        document = json.loads(raw) if path.suffix == ".json" else yaml.load(raw, yaml.CSafeLoader)
        texts = [text.encode() for text in _texts(document) if text.startswith("<?xml")]
    else:
        texts = []
    for number, text in enumerate(texts, 1):
        if text.strip():
            yield Body(f"{path.name}#{number}", Response(200, (("content-type", "application/xml"),), text))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def tree_of(body: Body) -> ET.Element | None:
    """What ElementTree reads: from a text, where it would refuse a document that calls its ASCII UTF-16."""
    raw = body.response.body
    try:
        return ET.fromstring(raw.decode().partition("?>")[2] if b'"utf-16"' in raw[:60] else raw)
    except ET.ParseError:
        return None


def local(name: str) -> str:
    """The name without its namespace; what speaks of the element itself has the prefix that everybody writes."""
    namespace, _, name = name.rpartition("}")
    prefix = {"{http://www.w3.org/2001/XMLSchema-instance": "xsi:", "{http://www.w3.org/XML/1998/namespace": "xml:"}
    return prefix.get(namespace, "") + name


def quoted(path: tuple[str, ...]) -> Place:
    return Place.parse("$" + "".join(f'["{name}"]' for name in path))


def paths(element: ET.Element, above: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """The path of every element below the root."""
    here = (*above, local(element.tag))
    return {found for inner in element for found in paths(inner, here) | {(*here, local(inner.tag))}}


def wanted(element: ET.Element) -> JsonValue:
    """What an element should become where every element but the root is called a list."""
    text = "".join([element.text or "", *(inner.tail or "" for inner in element)])
    text = "" if text.isspace() else text
    members: dict[str, Any] = {f"@{local(name)}": value for name, value in element.attrib.items()}
    for inner in element:
        members.setdefault(local(inner.tag), []).append(wanted(inner))
    if not members:
        return text or None
    return {**members, **({"#text": text} if text else {})}


def without_empty_lists(value: JsonValue) -> JsonValue:
    """Elements that another element of the same path has, and this one has not."""
    if isinstance(value, dict):
        members = {name: without_empty_lists(inner) for name, inner in value.items() if inner != []}
        return members or None
    return [without_empty_lists(inner) for inner in value] if isinstance(value, list) else value


needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason=NO_CORPUS)


@needs_corpus
@pytest.mark.parametrize("source", SOURCES)
def test_E7_every_body_is_read_or_was_never_xml(source: str) -> None:
    """A body is refused where ElementTree refuses it too, with the typed error."""
    refused = 0
    for body in bodies(source):
        tree = tree_of(body)
        try:
            value = decode(body.response)
        except ProviderBroke:
            assert tree is None, body.name
            refused += 1
        else:
            assert tree is not None, body.name
            assert [local(tree.tag)] == list(value) if isinstance(value, dict) else False, body.name

    assert EXPECTED[source] == (len(bodies(source)), refused)


@needs_corpus
@pytest.mark.parametrize("source", SOURCES)
def test_E7_nothing_of_a_body_is_lost(source: str) -> None:
    """Every element, attribute and text is where ElementTree sees it; every element is a list, as often as it comes."""
    compared = Counter[str]()
    for body in bodies(source):
        tree = tree_of(body)
        if tree is None:
            continue
        forced = tuple(quoted(path) for path in paths(tree))

        value = decode(body.response, declared=XmlFormat(force_list=forced))

        assert not isinstance(value, Absent)
        assert without_empty_lists({local(tree.tag): wanted(tree)}) == without_empty_lists(value), body.name
        compared["elements"] += sum(1 for _ in tree.iter())

    read, refused = EXPECTED[source]
    assert read == refused or compared["elements"] > read


@needs_corpus
@pytest.mark.parametrize("source", LISTS)
def test_E7_none_one_and_many_are_lists(source: str) -> None:
    """As long as ElementTree counts, in every element around them."""
    lengths = Counter[str]()
    for body in bodies(source):
        tree = tree_of(body)
        if tree is None:
            continue
        value = decode(body.response, declared=XmlFormat(force_list=tuple(map(Place.parse, LISTS[source]))))
        for path in LISTS[source]:
            names = path.split(".")
            counts = list(counted([tree] if local(tree.tag) == names[0] else [], names[1:]))
            assert counts == list(lengths_of([value], names)), (body.name, path)
            lengths.update("none" if count == 0 else "one" if count == 1 else "many" for count in counts)

    assert LENGTHS[source] == lengths


def counted(holders: list[ET.Element], names: list[str]) -> Iterator[int]:
    """How many elements of the last name stand in each element that the path leads to."""
    for name in names[:-1]:
        holders = [inner for holder in holders for inner in holder if local(inner.tag) == name]
    yield from (sum(local(inner.tag) == names[-1] for inner in holder) for holder in holders)


def lengths_of(holders: list[Any], names: list[str]) -> Iterator[int]:
    """The same in the decoded value: how long the list is in each."""
    for name in names[:-1]:
        below = [holder[name] for holder in holders if isinstance(holder, dict) and name in holder]
        holders = [each for found in below for each in (found if isinstance(found, list) else [found])]
    yield from (len(holder[names[-1]]) for holder in holders)


@needs_corpus
@pytest.mark.parametrize("source", SOURCES)
def test_E4_every_body_is_told_when_it_comes_as_an_error(source: str) -> None:
    """Called JSON, as providers do: XML where it is XML, else its text."""
    kinds = Counter(
        decode_as_sent(Response(401, (("content-type", "application/json"),), body.response.body)).kind
        for body in bodies(source)
    )

    read, refused = EXPECTED[source]
    assert Counter({"xml": read - refused, "text": refused}) == kinds
