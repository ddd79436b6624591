"""Real answers of Pipedrive, Zoho CRM and Greenhouse, read and mapped by the connectors of this repository.

What is expected of a record is found without the engine, in plain Python, by the names that the provider documents.
Where the recorded traffic is of an older version than the connector's, what both versions have is looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from answers import Answered, answers
from connproof import config
from connproof.mapping import load_model
from connproof.model import Account
from connproof.run import Call, Engine
from listings import ABSENT, CORPUS
from scripted import scripted

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=ABSENT)

CONNECTORS: Final = Path(__file__).parents[2] / "connectors"


@dataclass(frozen=True, slots=True)
class Source:
    """Recorded pages, the resource that reads them, their records, and some unified fields that each must have.

    `pages` is how many the corpus had when this was written: it may get more.
    """

    name: str
    path: str
    connector: str
    resource: str
    records: Callable[[Any], list[Any]]
    expected: Callable[[Any], dict[str, Any]]
    pages: int


def _data(document: Any) -> list[Any]:
    return document["data"] or []


def _utc(text: str | None) -> str | None:
    """A moment as RFC 3339 in UTC; without an offset it is UTC already."""
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    whole = moment.astimezone(UTC) if moment.tzinfo else moment
    return whole.strftime("%Y-%m-%dT%H:%M:%SZ")


def _primary_first(entries: list[Any]) -> list[str]:
    given = [entry for entry in entries if entry["value"]]
    return [entry["value"] for entry in sorted(given, key=lambda entry: not entry["primary"])]


def _person(raw: Any) -> dict[str, Any]:
    return {
        "id": str(raw["id"]),
        "name": raw["name"],
        "emails": _primary_first(raw["email"]),
        "phones": _primary_first(raw["phone"]),
        "account_id": raw["org_id"] and str(raw["org_id"]["value"]),
        "owner_id": str(raw["owner_id"]["value"]),
        "created_at": _utc(raw["add_time"]),
        "updated_at": _utc(raw["update_time"]),
    }


def _organization(raw: Any) -> dict[str, Any]:
    return {
        "id": str(raw["id"]),
        "name": raw["name"],
        "owner_id": str(raw["owner_id"]["value"]),
        "addresses": [raw["address"]] if raw["address"] else [],
        "created_at": _utc(raw["add_time"]),
        "updated_at": _utc(raw["update_time"]),
    }


def _contact(raw: Any) -> dict[str, Any]:
    return {
        "id": raw["id"],
        "name": raw["Full_Name"],
        "last_name": raw["Last_Name"],
        "emails": [email for email in (raw["Email"], raw["Secondary_Email"]) if email],
        "account_id": raw["Account_Name"] and raw["Account_Name"]["id"],
        "custom_fields": {},
        "created_at": raw["Created_Time"],
        "updated_at": raw["Modified_Time"],
    }


def _deal(raw: Any) -> dict[str, Any]:
    return {
        "id": raw["id"],
        "name": raw["Deal_Name"],
        "amount": raw["Amount"],
        "stage": raw["Stage"],
        "contact_id": raw["Contact_Name"] and raw["Contact_Name"]["id"],
        "expected_close_on": raw["Closing_Date"],
        "custom_fields": {},
        "updated_at": raw["Modified_Time"],
    }


def _candidate(raw: Any) -> dict[str, Any]:
    return {
        "id": str(raw["id"]),
        "first_name": raw["first_name"],
        "emails": [entry["value"] for entry in raw["email_addresses"]],
        "phones": [entry["value"] for entry in raw["phone_numbers"]],
        "created_at": _utc(raw["created_at"]),
    }


def _job(raw: Any) -> dict[str, Any]:
    return {
        "id": str(raw["id"]),
        "name": raw["name"],
        "number": raw["requisition_id"],
        "status": raw["status"],
        "opened_at": _utc(raw["opened_at"]),
        "closed_at": _utc(raw["closed_at"]),
    }


SOURCES = [
    Source("pipedrive/nango-pipedrive", "/v1/persons", "pipedrive", "persons", _data, _person, 2),
    Source("pipedrive/nango-pipedrive", "/v1/organizations", "pipedrive", "organizations", _data, _organization, 2),
    Source("pipedrive/pipedrive_ruby", "/v1/organizations/", "pipedrive", "organizations", _data, _organization, 1),
    Source("zoho/nango-zoho-crm", "/crm/v2/Contacts", "zoho", "contacts", _data, _contact, 1),
    Source("zoho/nango-zoho-crm", "/crm/v2/Deals", "zoho", "deals", _data, _deal, 1),
    Source("greenhouse/greenhouse_io", "/v1/candidates", "greenhouse", "candidates", list, _candidate, 2),
    Source("greenhouse/greenhouse_io", "/v1/jobs", "greenhouse", "jobs", list, _job, 1),
]


def _told(field: Any) -> Any:
    """A list of emails, phones or addresses as the texts that matter in it."""
    if not isinstance(field, list):
        return field
    return [next(entry[name] for name in ("email", "number", "street") if name in entry) for entry in field]


def _engine(connector: str, answered: Answered) -> Engine:
    loaded = config.load(CONNECTORS / connector)
    said = config.load_account_document(CONNECTORS / connector / "accounts" / "example.json")
    account = Account(credentials=said["credentials"], variables=said.get("variables", {}))
    models = {model: load_model(CONNECTORS / "unified", model) for model in loaded.unified}
    return Engine(loaded, scripted(answered.response), account=account, models=models)


def _recorded(source: Source, method: str = "GET") -> Iterator[Answered]:
    for answered in answers(source.name):
        if answered.request.method == method and urlsplit(answered.request.url).path == source.path:
            yield answered


async def _first_page(source: Source, answered: Answered) -> list[Any]:
    pages = _engine(source.connector, answered).pages(source.resource, "list", Call())
    page = await anext(pages)
    await pages.aclose()  # type: ignore[attr-defined] # an async generator has it
    return list(page.records)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: f"{source.name}-{source.resource}")
def test_a_recorded_page_becomes_unified_records(source: Source) -> None:
    """Every record of it, in order, with its values where they belong."""
    pages = list(_recorded(source))
    for answered in pages:
        expected = [source.expected(raw) for raw in source.records(answered.document)]

        records = asyncio.run(_first_page(source, answered))

        told = [
            {name: _told(record[name]) for name in wanted} for record, wanted in zip(records, expected, strict=True)
        ]
        assert expected == told, answered.id
    assert len(pages) >= source.pages


def test_E14_a_recorded_delete_is_a_success_though_it_is_gone() -> None:
    """410 with the id of the person that was deleted."""
    (answered,) = (one for one in answers("pipedrive/nango-pipedrive") if one.request.method == "DELETE")

    engine = _engine("pipedrive", answered)
    written = asyncio.run(engine.write("persons", "delete", call=Call(params={"id": "11"})))

    assert (410, {"id": 11}) == (written.status, written.record)


def test_E2_recorded_answers_to_created_contacts_tell_their_ids() -> None:
    """Each element's id stands in its own result."""
    created = list(_recorded(SOURCES[3], "POST"))
    for answered in created:
        document: Any = answered.document

        made = asyncio.run(_engine("zoho", answered).write_many("contacts", "create", [{"last_name": "Quill"}]))

        assert [result["details"]["id"] for result in document["data"]] == [element.id for element in made.elements]
    assert created
