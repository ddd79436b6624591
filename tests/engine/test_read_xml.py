"""A provider of XML, read as any other: pages, singletons, nothing at all, errors, and a unified record."""

from __future__ import annotations

from typing import Any

import pytest

from connproof.errors import AccessRefused, PageUnreadable
from connproof.model import Response
from scripted import connector, read, scripted

WORKER = '<wd:Worker><wd:ID wd:type="WID">{0}</wd:ID><wd:Active>{1}</wd:Active></wd:Worker>'

CONFIG: dict[str, Any] = {
    "pagination": {
        "type": "page",
        "page_param": "page",
        "total_field": "Workers.Results.Total_Pages",
        "total_counts": "pages",
    },
    "operation": {
        "response_path": "Workers.Data.Worker",
        "items_may_be_missing": True,
        "decode": {"type": "xml", "force_list": ["Workers.Data.Worker"], "booleans": ["Active"]},
    },
}


def page(total: int, *ids: str, container: bool = True) -> Response:
    """Workers as SOAP has them: text alone, and with one of them no sign that there could be more."""
    workers = "".join(WORKER.format(number, int(number) % 2) for number in ids)
    data = f"<wd:Data>{workers}</wd:Data>" if container else ""
    results = f"<wd:Results><wd:Total_Pages>{total}</wd:Total_Pages></wd:Results>"
    body = f"<wd:Workers xmlns:wd='urn:x'>{results}{data}</wd:Workers>"
    return Response(200, (("content-type", "text/xml; charset=utf-8"),), body.encode())


def worker(number: str) -> dict[str, Any]:
    return {"ID": {"@type": "WID", "#text": number}, "Active": number in {"1", "3"}}


def test_E7_a_listing_of_xml_is_read_to_its_end() -> None:
    """A page of two and a page of one are read alike; the total is a text of digits."""
    provider = scripted(page(2, "1", "2"), page(2, "3"))

    assert [worker("1"), worker("2"), worker("3")] == read(connector(**CONFIG), provider)
    assert ["/rows?page=1", "/rows?page=2"] == provider.asked


@pytest.mark.parametrize("container", [True, False])
def test_E7_an_empty_listing_of_xml_is_empty(container: bool) -> None:
    """Whether the element around the records is empty or not there."""
    assert [] == read(connector(**CONFIG), scripted(page(0, container=container)))


def test_E4_a_page_of_html_is_no_empty_listing() -> None:
    """A sign-in page may be XML by chance: with another root element nothing of this listing can be missing in it."""
    html = Response(200, (("content-type", "text/html"),), b"<html><body><p>Please sign in.</p></body></html>")

    with pytest.raises(PageUnreadable, match=r'"Workers\.Data\.Worker" leads nowhere'):
        read(connector(**CONFIG), scripted(page(2, "1", "2"), html))


def test_E7_without_its_words_a_single_element_is_no_list() -> None:
    """The engine says so; nothing is made a list by guessing."""
    config = connector(operation={"response_path": "Workers.Data.Worker"})

    with pytest.raises(PageUnreadable):
        read(config, scripted(page(1, "1")))


def test_E8_records_of_xml_are_mapped_with_every_digit() -> None:
    """From bytes to a unified record."""
    config = connector(
        **CONFIG,
        unified={
            "hris.worker": {
                "resource": "rows",
                "fields": {"id": '$id(ID."#text")', "kind": 'ID."@type"', "active": "Active"},
            }
        },
    )

    records = read(config, scripted(page(1, "900719925474099301")), target="hris.worker")

    assert [{"id": "900719925474099301", "kind": "WID", "active": True}] == records


FAULT = b'<R><Fault type="AUTH"><Error code="100"><Message>No entry</Message></Error></Fault></R>'


@pytest.mark.parametrize("content_type", ["application/xml", "application/json", "text/plain"])
def test_E4_an_error_in_xml_is_told_to_a_client_of_json(content_type: str) -> None:
    """Its code and its message stand in the error, whatever the content type calls it."""
    config = connector(error_code='R.Fault.Error["@code"]', error_message="R.Fault.Error.Message")
    answer = Response(401, (("content-type", content_type),), FAULT)

    with pytest.raises(AccessRefused) as caught:
        read(config, scripted(answer))

    assert ("100", "No entry") == (caught.value.code, caught.value.message)


def test_E4_an_error_in_xml_inside_a_200_is_found_by_a_rule() -> None:
    """Rules see what was sent; a page that no rule speaks of is held to its declaration."""
    answer = Response(200, (("content-type", "application/xml"),), FAULT)
    rule = {"when": {"body": {'R.Fault["@type"]': "AUTH"}}, "means": "forbidden"}

    with pytest.raises(AccessRefused):
        read(connector(decode="json", errors=[rule]), scripted(answer))
    with pytest.raises(PageUnreadable):
        read(connector(decode="json"), scripted(answer))
