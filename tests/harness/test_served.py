"""A lane served to old code that speaks SOAP: its envelope is its own, and what it asks for has to be the recorded."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from shop import Project, config, recording

from connproof.config import locate
from connproof.model import Request
from pytest_connproof.lane_run import asks_for
from pytest_connproof.served import Served
from pytest_connproof.subject import Settings, Subject

URL = "https://api.shop.example/v1/soap"
RECORDED = (
    '<s:Envelope xmlns:s="urn:soap" xmlns:d="urn:deals"><s:Header><d:User>x</d:User></s:Header>'
    "<s:Body><d:List><d:Page>1</d:Page></d:List></s:Body></s:Envelope>"
)
SENT = """<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="urn:soap">
  <Header><User xmlns="urn:deals">x</User></Header>
  <Body>
    <List xmlns="urn:deals">
      <Page>1</Page>
    </List>
  </Body>
</Envelope>
"""


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Served:
    """One exchange of a listing by SOAP."""
    project = Project(tmp_path)
    project.connector()
    listing = {
        "method": "POST",
        "path": "/soap",
        "body": RECORDED,
        "encode": "xml",
        "response_path": "Deals.Deal",
        "pagination": {"type": "none"},
    }
    project.write("connectors/shop/connector.json", config(resources={"deals": {"list": listing}}))
    one = {
        "id": "deals.list/1",
        "request": {
            "method": "POST",
            "url": URL,
            "headers": [
                ["authorization", "Bearer {{secret:access_token#1}}"],
                ["content-type", "text/xml; charset=utf-8"],
            ],
            "text": [RECORDED],
        },
        "response": {"status": 200, "headers": [["content-type", "text/xml"]], "text": ["<Deals/>"]},
    }
    project.write(
        "connectors/shop/recordings/deals.json",
        recording(lanes=[{"id": "deals.list", "order": "strict", "exchanges": [one]}]),
    )
    monkeypatch.chdir(project.root)
    subject = Subject(locate(Path("connectors/shop")), Settings(as_of=date(2026, 11, 23)))
    lane = subject.lanes["deals.list"].lane
    return Served(subject.party(lane), lane)


def asked(body: str) -> Request:
    headers = (("authorization", "Bearer t-1"), ("content-type", "text/xml"), ("soapaction", '""'))
    return Request("POST", URL, headers, body.encode())


def test_an_envelope_of_its_own_is_the_recorded_one(served: Served) -> None:
    """Its prefixes and its lines are its own affair; what is kept of it stands on one line, and is the same request."""
    assert b"<Deals/>" == served.answer(asked(SENT)).body

    (line,) = served.requests
    assert "\n" not in line
    assert asks_for(f"POST /v1/soap {RECORDED}") == asks_for(line)


def test_another_page_is_told_by_the_element(served: Served) -> None:
    """Not the envelope: the one element that is another."""
    assert 501 == served.answer(asked(SENT.replace(">1<", ">2<"))).status

    assert (
        "request 1   POST https://api.shop.example/v1/soap",
        '    deals.list/1   body/Envelope/Body/List/Page   recorded "1"   sent "2"',
    ) == served.facts()["not recorded"]


@pytest.mark.parametrize(
    "element", ["<Password>hunter22</Password>", '<p:Token xmlns:p="urn:p" p:SessionToken="hunter22"/>']
)
def test_a_password_in_an_envelope_is_not_shown(served: Served, element: str) -> None:
    """Where none was recorded either: what the element or the attribute is called tells."""
    assert 501 == served.answer(asked(SENT.replace("</Header>", f"{element}</Header>"))).status

    told = "\n".join(served.facts()["not recorded"])
    assert "sent (credential)" in told
    assert "hunter22" not in told


@pytest.mark.parametrize("body", ['{"password": 48291377}', '{"auth": {"passwords": ["48291377"]}}'])
def test_a_password_in_json_is_not_shown(served: Served, body: str) -> None:
    """Whatever JSON calls its class, and wherever it stands."""
    sent = asked(body)
    headers = [(name, "application/json" if name == "content-type" else value) for name, value in sent.headers]

    assert 501 == served.answer(replace(sent, headers=tuple(headers))).status

    told = "\n".join(served.facts()["not recorded"])
    assert "sent (credential)" in told
    assert "48291377" not in told
