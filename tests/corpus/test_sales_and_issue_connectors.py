"""Real answers of Salesforce, HubSpot and GitHub, read and mapped by the connectors of this repository.

What is expected of a record is found without the engine, in plain Python, by the names that the provider documents. The
recorded versions of Salesforce are others than the connector's: what is looked at here is the same in all of them.
NetSuite's recorded answers are of its SOAP service, which the connector does not speak: none may pass for a listing.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote_plus, urlsplit

import pytest

from answers import Answered, answers
from connproof import config
from connproof.errors import ProviderSaid
from connproof.mapping import load_model
from connproof.model import Account, Response
from connproof.run import Call, Engine
from listings import ABSENT, CORPUS
from scripted import Provider, scripted

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=ABSENT)

CONNECTORS: Final = Path(__file__).parents[2] / "connectors"


@dataclass(frozen=True, slots=True)
class Source:
    """Recorded answers, the operation that reads them, their records, and some unified fields that each must have.

    `asked` is found in what was asked, `GET /path?query` in plain letters. `answers` is how many the corpus had when
    this was written: it may get more.
    """

    name: str
    asked: str
    connector: str
    operation: str
    records: Callable[[Any], list[Any]]
    expected: Callable[[Any], dict[str, Any]]
    answers: int

    @property
    def resource(self) -> str:
        return self.operation.partition(".")[0]

    @property
    def reading(self) -> str:
        return self.operation.partition(".")[2]


def _under(name: str) -> Callable[[Any], list[Any]]:
    return lambda document: list(document[name])


def _alone(document: Any) -> list[Any]:
    return [document]


def _with_colon(text: str) -> str:
    return re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", text)


def _own(raw: Any) -> dict[str, Any]:
    return {name: value for name, value in raw.items() if name.endswith("__c")}


def _named(raw: Any) -> dict[str, Any]:
    return {"id": raw["Id"], "name": raw["Name"], "custom_fields": _own(raw)}


def _article(raw: Any) -> dict[str, Any]:
    return {
        **_named(raw),
        "description": raw["Description"],
        "created_at": _with_colon(raw["CreatedDate"]),
        "updated_at": _with_colon(raw["LastModifiedDate"]),
    }


def _whole_account(raw: Any) -> dict[str, Any]:
    kinds = [kind for kind in ("Billing", "Shipping") if raw[f"{kind}Street"] or raw[f"{kind}City"]]
    return {
        **_article(raw),
        "website": raw["Website"],
        "industry": raw["Industry"],
        "employees": raw["NumberOfEmployees"],
        "phones": [raw["Phone"]] if raw["Phone"] else [],
        "addresses": [raw[f"{kind}City"] for kind in kinds],
        "parent_id": raw["ParentId"],
        "owner_id": raw["OwnerId"],
    }


def _opportunity(raw: Any) -> dict[str, Any]:
    return {
        **_named(raw),
        "amount": raw["Amount"],
        "stage": raw["StageName"],
        "expected_close_on": raw["CloseDate"],
        "owner_id": raw["OwnerId"],
    }


def _object(raw: Any) -> dict[str, Any]:
    return {"id": raw["id"], "created_at": raw["createdAt"], "updated_at": raw["updatedAt"]}


def _contact(raw: Any) -> dict[str, Any]:
    said = raw["properties"]
    return {
        **_object(raw),
        "first_name": said["firstname"],
        "last_name": said["lastname"],
        "emails": [said["email"]] if said["email"] else [],
    }


def _company(raw: Any) -> dict[str, Any]:
    said = raw["properties"]
    return {
        **_object(raw),
        "name": said["name"],
        "industry": said["industry"],
        "phones": [said["phone"]] if said.get("phone") else [],
        "addresses": [said["city"]] if said["city"] or said.get("state") or said.get("country") else [],
    }


def _deal(raw: Any) -> dict[str, Any]:
    said = raw["properties"]
    return {
        **_object(raw),
        "name": said["dealname"],
        "amount": float(said["amount"]) if said["amount"] else None,
        "stage": said["dealstage"],
        "pipeline": said["pipeline"],
        "expected_close_on": said["closedate"] and said["closedate"][:10],
    }


def _issue(raw: Any) -> dict[str, Any]:
    return {
        "id": str(raw["id"]),
        "key": str(raw["number"]),
        "title": raw["title"],
        "description": raw["body"],
        "status": raw["state"],
        "author_id": str(raw["user"]["id"]),
        "labels": [label["name"] for label in raw["labels"]],
        "closed_at": raw["closed_at"],
        "updated_at": raw["updated_at"],
    }


ORG: Final = "salesforce/nango-salesforce"
PORTAL: Final = "hubspot/nango-hubspot"
ISSUES: Final = r"GET /(repos/[^/]+/[^/]+|repositories/\d+)/issues\?"

SOURCES = [
    Source(
        ORG,
        r"/query\?q=SELECT Id, Name, Desc.* FROM Account",
        "salesforce",
        "accounts.list",
        _under("records"),
        _article,
        1,
    ),
    Source(ORG, r"/query(All)?\?q=.* FROM Account LIMIT", "salesforce", "accounts.list", _under("records"), _named, 3),
    Source(ORG, r"GET .*/v\d+\.0/query/0r8", "salesforce", "accounts.list", _under("records"), _named, 3),
    Source(ORG, r"GET .*/sobjects/Account/001", "salesforce", "accounts.get", _alone, _whole_account, 1),
    Source(ORG, r" FROM Opportunity", "salesforce", "opportunities.list", _under("records"), _opportunity, 1),
    Source(PORTAL, r"GET /crm/v3/objects/contacts\?", "hubspot", "contacts.list", _under("results"), _contact, 1),
    Source(PORTAL, r"GET /crm/v3/objects/contacts/\d+\?", "hubspot", "contacts.get", _alone, _contact, 1),
    Source(PORTAL, r"GET /crm/v3/objects/companies\?", "hubspot", "companies.list", _under("results"), _company, 1),
    Source(PORTAL, r"GET /crm/v3/objects/companies/\d+\?", "hubspot", "companies.get", _alone, _company, 1),
    Source(
        PORTAL, r"POST /crm/v3/objects/companies/search", "hubspot", "companies.list", _under("results"), _company, 1
    ),
    Source(PORTAL, r"GET /crm/v3/objects/deals\?", "hubspot", "deals.list", _under("results"), _deal, 1),
    Source(PORTAL, r"GET /crm/v3/objects/deals/\d+\?", "hubspot", "deals.get", _alone, _deal, 1),
    Source(PORTAL, r"POST /crm/v3/objects/deals/search", "hubspot", "deals.search", _under("results"), _deal, 1),
    Source("github/github3.py", ISSUES, "github", "issues.list", list, _issue, 2),
    Source("github/github3.py", r"GET /repos/[^/]+/[^/]+/issues/\d+$", "github", "issues.get", _alone, _issue, 1),
    Source("github/octokit-fixtures", ISSUES, "github", "issues.list", list, _issue, 10),
    Source("github/octokit-fixtures-history", ISSUES, "github", "issues.list", list, _issue, 20),
]

PARAMS: Final[dict[str, dict[str, str]]] = {
    "accounts.get": {"id": "1"},
    "contacts.get": {"id": "1"},
    "companies.get": {"id": "1"},
    "deals.get": {"id": "1"},
    "deals.search": {"modified_since": "2026-01-01T00:00:00Z"},
    "issues.list": {"owner": "o", "repo": "r"},
    "issues.get": {"owner": "o", "repo": "r", "number": "1"},
}


def _asked(answered: Answered) -> str:
    url = urlsplit(answered.request.url)
    return f"{answered.request.method} {url.path}{'?' if url.query else ''}{unquote_plus(url.query)}"


def _recorded(source: Source) -> Iterator[Answered]:
    for answered in answers(source.name):
        if answered.response.status == 200 and re.search(source.asked, _asked(answered)):
            yield answered


@cache
def _loaded(connector: str) -> tuple[Any, Account, dict[str, Any]]:
    loaded = config.load(CONNECTORS / connector)
    said = config.load_account_document(CONNECTORS / connector / "accounts" / "example.json")
    account = Account(credentials=said["credentials"], variables=said.get("variables", {}))
    return loaded, account, {model: load_model(CONNECTORS / "unified", model) for model in loaded.unified}


def _engine(connector: str, provider: Provider) -> Engine:
    loaded, account, models = _loaded(connector)
    return Engine(loaded, provider, account=account, models=models)


async def _mapped(source: Source, answered: Answered) -> list[Any]:
    """What a caller gets of this answer: one page, or the one record."""
    engine = _engine(source.connector, scripted(answered.response))
    call = Call(params=PARAMS.get(source.operation, {}))
    if source.reading == "get":
        return [await engine.one(source.resource, "get", call)]
    pages = engine.pages(source.resource, source.reading, call)
    page = await anext(pages)
    await pages.aclose()  # type: ignore[attr-defined] # an async generator has it
    return list(page.records)


def _told(field: Any) -> Any:
    """A list of emails, phones or addresses as the texts that matter in it."""
    if not isinstance(field, list):
        return field
    names = ("email", "number", "city")
    return [next(one[name] for name in names if name in one) if isinstance(one, dict) else one for one in field]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: f"{source.name}-{source.operation}")
def test_real_answers_are_mapped(source: Source) -> None:
    """Every record arrives, is what its model allows, and says what the provider says."""
    found = list(_recorded(source))
    for answered in found:
        wanted = [source.expected(raw) for raw in source.records(answered.document)]

        mapped = asyncio.run(_mapped(source, answered))

        told = [{name: _told(record.get(name)) for name in one} for one, record in zip(wanted, mapped, strict=True)]
        assert wanted == told, answered.id
    assert len(found) >= source.answers


@pytest.mark.parametrize(
    ("name", "asked", "connector", "resource", "params"),
    [
        (ORG, r"/query(/0r8xx5R2yR|\?q=SELECT Id, Name, Desc)", "salesforce", "accounts", {}),
        ("github/github3.py", ISSUES, "github", "issues", PARAMS["issues.list"]),
        (
            "github/octokit-fixtures",
            r"/(repositories/1000|paginate-issues)/issues\?",
            "github",
            "issues",
            PARAMS["issues.list"],
        ),
    ],
    ids=["salesforce", "github3.py", "octokit-fixtures"],
)
def test_a_real_listing_is_read_to_its_end(
    name: str, asked: str, connector: str, resource: str, params: dict[str, str]
) -> None:
    """Each page is asked for where the one before says, and nothing is asked for beyond the last."""
    pages = [one for one in answers(name) if one.response.status == 200 and re.search(asked, _asked(one))]
    provider = scripted(*(page.response for page in pages))

    async def whole() -> list[Any]:
        engine = _engine(connector, provider)
        return [record async for record in engine.read(resource, call=Call(raw=True, params=params))]

    records = asyncio.run(whole())

    documents: list[Any] = [page.document for page in pages]
    held = [record for one in documents for record in (one["records"] if isinstance(one, dict) else one)]
    assert held == records
    assert [_place(page.request.url) for page in pages[1:]] == [_place(one.url) for one in provider.requests[1:]]
    assert len(pages) >= 2


def _place(url: str) -> tuple[str, str]:
    return urlsplit(url).path, urlsplit(url).query


@pytest.mark.parametrize(
    ("name", "asked", "connector"),
    [
        (ORG, r"^POST .*/sobjects/Account/$", "salesforce"),  # the id, and nothing of the record
        (PORTAL, r"^POST /crm/v3/objects/contacts$", "hubspot"),  # the record
    ],
    ids=["salesforce", "hubspot"],
)
def test_E14_a_recorded_create_tells_the_new_id(name: str, asked: str, connector: str) -> None:
    """Whatever else the answer holds."""
    (answered,) = (one for one in answers(name) if re.search(asked, _asked(one)))
    document: Any = answered.document

    made: Any = asyncio.run(_engine(connector, scripted(answered.response)).write("contacts", "create")).record

    assert document["id"] == made["id"]


def test_E2_recorded_collections_tell_the_fate_of_each() -> None:
    """A 200 in which a record was refused is no success of that record."""
    fates = set[bool]()
    for answered in answers(ORG):
        if "/composite/sobjects" not in _asked(answered):
            continue
        results: Any = answered.document
        engine = _engine("salesforce", scripted(answered.response))

        made = asyncio.run(engine.write_many("contacts", "create_many", [{"last_name": "Quill"} for _ in results]))

        wanted = [(one["success"], one.get("id"), [error["statusCode"] for error in one["errors"]]) for one in results]
        assert wanted == [(one.ok, one.id, [one.code] if one.code else []) for one in made.elements], answered.id
        fates |= {one.ok for one in made.elements}
    assert {True, False} == fates


@pytest.mark.parametrize(
    ("file", "status", "expected"),
    [
        ("expired_session_response", 401, ("auth_expired", "INVALID_SESSION_ID")),
        ("sobject/query_error_response", 400, ("invalid", "INVALID_FIELD")),
        ("sobject/write_error_response", 400, ("invalid", "INVALID_FIELD")),
        ("sobject/sobject_find_error_response", 404, ("not_found", "NOT_FOUND")),
    ],
)
def test_E3_error_lists_are_told_by_their_code(file: str, status: int, expected: tuple[str, str]) -> None:
    """An error is a list, whose first element has the code."""
    body = (CORPUS / "salesforce/restforce/spec/fixtures" / f"{file}.json").read_bytes()
    provider = scripted(Response(status, (("content-type", "application/json"),), body))

    with pytest.raises(ProviderSaid) as said:
        asyncio.run(_engine("salesforce", provider).one("contacts", "get", Call(params={"id": "1"})))

    assert expected == (said.value.meaning, said.value.code)


def test_E6_no_answer_of_netsuites_soap_service_passes_for_a_listing() -> None:
    """What the connector cannot read ends the read in an error, never as a listing without records."""
    bodies = sorted((CORPUS / "netsuite/netsuite-gem/spec/support").rglob("*.xml"))
    for body in bodies:
        provider = scripted(Response(200, (("content-type", "text/xml"),), body.read_bytes()))

        with pytest.raises(ProviderSaid):
            asyncio.run(_first_page(_engine("netsuite", provider)))
    assert len(bodies) >= 42


async def _first_page(engine: Engine) -> Any:
    return await anext(engine.pages("customers", "list", Call(raw=True)))
