"""Real answers of bookkeeping providers, read by the connectors that are in the repository: every record, mapped.

What is expected is found without the engine, by the plain names that the provider documents.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import pytest

import providers
from answers import Answered, answers, elements, members
from connproof.config import BRACES, load
from connproof.mapping import load_model
from connproof.model import Connector, Operation
from connproof.places import JsonValue
from connproof.run import Call
from listings import ABSENT, CORPUS
from scripted import scripted

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=ABSENT)

CONNECTORS = Path(__file__).parents[2] / "connectors"


@dataclass(frozen=True, slots=True)
class Source:
    """A source, the connector that reads it, and by resource what an answer holds and what a mapped record says of it.

    `answers` is how many the corpus had when this was written: it may get more.
    """

    name: str
    connector: str
    held: Mapping[str, Callable[[JsonValue], list[JsonValue] | None]]
    said: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]]
    answers: int


def _under(name: str) -> Callable[[JsonValue], list[JsonValue] | None]:
    """The list of this name; None where the answer has no such member."""
    return lambda document: elements(members(document)[name]) if name in members(document) else None


def _asked_for(name: str) -> Callable[[JsonValue], list[JsonValue] | None]:
    """What a query gave, or the one record; None where the answer is of another kind."""

    def found(document: JsonValue) -> list[JsonValue] | None:
        given = members(members(document).get("QueryResponse")).get(name)
        return elements(given) or ([members(document)[name]] if name in members(document) else None)

    return found


def _of_contact(contact: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": contact["ContactID"],
        "name": contact["Name"],
        "emails": [{"email": text} for text in [contact.get("EmailAddress")] if text],
        "active": contact["ContactStatus"] == "ACTIVE",
    }


def _of_account(account: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": account["AccountID"],
        "code": account.get("Code"),
        "classification": account["Class"].lower(),
        "currency": account.get("CurrencyCode"),
    }


def _of_invoice(invoice: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": invoice["Id"],
        "number": invoice["DocNumber"],
        "customer_id": invoice["CustomerRef"]["value"],
        "total": invoice["TotalAmt"],
        "balance": invoice["Balance"],
        "custom_fields": {one["Name"]: one["StringValue"] for one in invoice["CustomField"] if "StringValue" in one},
    }


def _of_customer(customer: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": customer["Id"],
        "name": customer["DisplayName"],
        "parent_id": customer.get("ParentRef", {}).get("value"),
        "balance": customer["Balance"],
        "active": customer["Active"],
    }


def _of_ledger_account(account: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": account["Id"],
        "name": account["Name"],
        "classification": account["Classification"].lower(),
        "type": account["AccountType"],
        "balance": account["CurrentBalance"],
    }


SOURCES = [
    Source(
        "quickbooks/nango-quickbooks",
        "quickbooks",
        MappingProxyType({"customers": _asked_for("Customer"), "accounts": _asked_for("Account")}),
        MappingProxyType({"customers": _of_customer, "accounts": _of_ledger_account}),
        4,
    ),
    Source(
        "quickbooks/qbo_api",
        "quickbooks",
        MappingProxyType({"customers": _asked_for("Customer"), "invoices": _asked_for("Invoice")}),
        MappingProxyType({"customers": _of_customer, "invoices": _of_invoice}),
        4,
    ),
    Source(
        "xero/nango-xero",
        "xero",
        MappingProxyType({"contacts": _under("Contacts"), "accounts": _under("Accounts")}),
        MappingProxyType({"contacts": _of_contact, "accounts": _of_account}),
        5,
    ),
]


def _pattern(connector: Connector, operation: Operation) -> str:
    """The operation's path, wherever it starts: recorders leave the host out, and say `base` for it."""
    version = connector.api_version.value if connector.api_version else ""
    parts = re.split(BRACES, operation.path.replace("{api_version}", version))
    return ".*" + "".join("[^/]+" if number % 2 else re.escape(text) for number, text in enumerate(parts))


def _read(source: Source) -> Iterator[tuple[Answered, Operation]]:
    """Every recorded answer to an operation that reads one of the resources."""
    connector = load(CONNECTORS / source.connector)
    for answered in answers(source.name):
        path = urlsplit(answered.request.url).path
        for operation in connector.operations():
            if operation.resource not in source.held or operation.method != "GET" or answered.response.status != 200:
                continue
            if answered.request.method != "GET" and not path.endswith("/query"):  # a query may be posted too
                continue
            is_of_it = re.fullmatch(_pattern(connector, operation), path)
            if is_of_it and source.held[operation.resource](answered.document) is not None:
                yield answered, operation
                break


async def _mapped(source: Source, answered: Answered, operation: Operation) -> list[Any]:
    """What a caller gets of this answer: one page, or the one record."""
    connector = load(CONNECTORS / source.connector)
    models = {model: load_model(CONNECTORS / "unified", model) for model in connector.unified}
    engine = providers.engine(connector, scripted(answered.response), models=models)
    if not operation.is_list:
        return [await engine.one(operation.resource, operation.name, Call(params={"id": "1"}))]
    pages = engine.pages(operation.resource, operation.name, Call())
    page = await anext(pages)
    await pages.aclose()  # type: ignore[attr-defined] # an async generator has it
    return list(page.records)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_real_answers_are_mapped(source: Source) -> None:
    """Every record arrives, is what its model allows, and says what the provider says."""
    found = list(_read(source))
    for answered, operation in found:
        held = source.held[operation.resource](answered.document) or []
        wanted = [source.said[operation.resource](members(record)) for record in held]

        mapped = asyncio.run(_mapped(source, answered, operation))

        assert wanted == [{name: record.get(name) for name in wanted[0]} for record in mapped], answered.id
    assert len(found) >= source.answers
    assert {operation.resource for _, operation in found} == {*source.held}
