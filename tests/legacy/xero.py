"""Contacts, invoices and accounts of a Xero organisation, as our accounting records, in JSON on stdout.

    XERO_TOKEN=... XERO_TENANT_ID=... python xero.py invoices
    XERO_TOKEN=... XERO_TENANT_ID=... python xero.py contacts --id bd2270c3-8706-4c11-9cfb-000b551c3f51

XERO_TENANT_ID may be left out where the token reaches one organisation only.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

API = os.environ.get("XERO_API_URL", "https://api.xero.com")
IDENTITY = os.environ.get("XERO_IDENTITY_URL", "https://identity.xero.com")
PAGE_SIZE = int(os.environ.get("XERO_PAGE_SIZE", "100"))
PATIENCE = 120  # seconds; a throttle of the day says to wait for most of it

Record = dict[str, Any]


class XeroClient:
    def __init__(self, token: str, tenant_id: str | None = None) -> None:
        self.http = httpx.Client(timeout=60, headers={"Accept": "application/json"})
        self.http.headers["Authorization"] = f"Bearer {token}"
        self.http.headers["Xero-tenant-id"] = tenant_id or self.only_tenant()

    def only_tenant(self) -> str:
        connections = self.get("/connections")
        if len(connections) != 1:
            raise SystemExit(f"the token reaches {len(connections)} organisations: set XERO_TENANT_ID")
        tenant_id: str = connections[0]["tenantId"]
        return tenant_id

    def get(self, path: str, params: dict[str, str] | None = None, since: str | None = None) -> Any:
        headers = {"If-Modified-Since": since} if since else {}
        while True:
            response = self.http.get(f"{API}{path}", params=params, headers=headers)
            if response.status_code == 429:
                problem = response.headers.get("X-Rate-Limit-Problem", "?")
                wait = int(response.headers.get("Retry-After", "60"))
                if wait > PATIENCE:
                    raise SystemExit(f"Xero's limit per {problem} is reached: try again in {wait // 60} min")
                time.sleep(wait + 1)
                continue
            if response.status_code == 401 and "TokenExpired" in response.text and "XERO_REFRESH_TOKEN" in os.environ:
                self.refresh()
                continue
            response.raise_for_status()
            return response.json()

    def refresh(self) -> None:
        """Refresh tokens are good for one use, and for half an hour more if the answer is lost."""
        answer = httpx.post(
            f"{IDENTITY}/connect/token",
            auth=(os.environ["XERO_CLIENT_ID"], os.environ["XERO_CLIENT_SECRET"]),
            data={"grant_type": "refresh_token", "refresh_token": os.environ["XERO_REFRESH_TOKEN"]},
        )
        answer.raise_for_status()
        token = answer.json()
        os.environ["XERO_REFRESH_TOKEN"] = token["refresh_token"]
        self.http.headers["Authorization"] = f"Bearer {token['access_token']}"

    def pages(self, resource: str, since: str | None = None) -> Iterator[Record]:
        """Always by page: without the parameter there is no paging, and invoices come without their lines."""
        page, last = 1, 1
        while page <= last:
            body = self.get(
                f"/api.xro/2.0/{resource}", params={"page": str(page), "pageSize": str(PAGE_SIZE)}, since=since
            )
            yield from body[resource]
            last = body["pagination"]["pageCount"]
            page += 1

    def all(self, resource: str, since: str | None = None) -> Iterator[Record]:
        """Some have no pages at all, and refuse nothing: they ignore the parameter."""
        yield from self.get(f"/api.xro/2.0/{resource}", since=since)[resource]

    def one(self, resource: str, record_id: str) -> Record:
        found: list[Record] = self.get(f"/api.xro/2.0/{resource}/{record_id}")[resource]
        return found[0]


def net_date(text: str | None) -> str | None:
    """/Date(1776682521490+0000)/: milliseconds, UTC whatever the offset says."""
    found = re.match(r"/Date\((-?\d+)", text or "")
    if found is None:
        return None
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(found[1]))
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def without_none(record: Record) -> Record:
    return {name: value for name, value in record.items() if value is not None}


def to_customer(contact: Record) -> Record:
    balances = contact.get("Balances", {})
    return without_none(
        {
            "id": contact["ContactID"],
            "number": contact.get("AccountNumber"),
            "name": contact["Name"],
            "first_name": contact.get("FirstName"),
            "last_name": contact.get("LastName"),
            "emails": [{"email": contact["EmailAddress"]}] if contact.get("EmailAddress") else [],
            # All four kinds are always there, most of them empty.
            "phones": [to_phone(phone) for phone in contact["Phones"] if phone["PhoneNumber"]],
            # Both kinds too; what was never filled in is left out, or is empty.
            "addresses": [to_address(address) for address in contact["Addresses"] if is_filled(address)],
            "tax_number": contact.get("TaxNumber"),
            "currency": contact.get("DefaultCurrency"),
            "balance": balances["AccountsReceivable"]["Outstanding"] if balances else None,
            "active": contact["ContactStatus"] == "ACTIVE",
            "updated_at": net_date(contact["UpdatedDateUTC"]),
        }
    )


def to_phone(phone: Record) -> Record:
    parts = (phone["PhoneCountryCode"], phone["PhoneAreaCode"], phone["PhoneNumber"])
    return {"number": " ".join(part for part in parts if part), "type": phone["PhoneType"]}


def is_filled(address: Record) -> bool:
    return any(value for name, value in address.items() if name != "AddressType")


def to_address(address: Record) -> Record:
    lines = [address[f"AddressLine{number}"] for number in range(1, 5) if address.get(f"AddressLine{number}")]
    return without_none(
        {
            "street": "\n".join(lines) or None,
            "city": address.get("City"),
            "region": address.get("Region"),
            "postal_code": address.get("PostalCode"),
            "country": address.get("Country"),
            "type": address["AddressType"],
        }
    )


def to_invoice(invoice: Record) -> Record:
    return without_none(
        {
            "id": invoice["InvoiceID"],
            "number": invoice["InvoiceNumber"],
            "type": {"ACCREC": "receivable", "ACCPAY": "payable"}[invoice["Type"]],
            "status": invoice["Status"],
            "customer_id": invoice["Contact"]["ContactID"],
            "reference": invoice.get("Reference"),
            "currency": invoice["CurrencyCode"],
            "exchange_rate": invoice.get("CurrencyRate"),
            "issued_on": invoice["DateString"][:10],
            # Drafts may have none.
            "due_on": invoice["DueDateString"][:10] if "DueDateString" in invoice else None,
            "lines": [to_line(line) for line in invoice["LineItems"]],
            "subtotal": invoice["SubTotal"],
            "tax": invoice["TotalTax"],
            "total": invoice["Total"],
            "balance": invoice["AmountDue"],
            "updated_at": net_date(invoice["UpdatedDateUTC"]),
        }
    )


def to_line(line: Record) -> Record:
    return without_none(
        {
            "id": line["LineItemID"],
            "description": line.get("Description"),
            "item_id": line.get("ItemCode"),
            "account_code": line.get("AccountCode"),
            "quantity": line.get("Quantity"),
            "unit_price": line.get("UnitAmount"),
            "amount": line.get("LineAmount"),
            "tax": line.get("TaxAmount"),
            "dimensions": [{"name": option["Name"], "value": option["Option"]} for option in line["Tracking"]],
        }
    )


def to_account(account: Record) -> Record:
    return without_none(
        {
            "id": account["AccountID"],
            "code": account.get("Code"),
            "name": account["Name"],
            "description": account.get("Description"),
            "classification": account["Class"].lower(),
            "type": account["Type"],
            "currency": account.get("CurrencyCode"),
            "active": account["Status"] == "ACTIVE",
            "updated_at": net_date(account["UpdatedDateUTC"]),
        }
    )


MAPPED = {"contacts": to_customer, "invoices": to_invoice, "accounts": to_account}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("resource", choices=MAPPED)
    parser.add_argument("--id")
    parser.add_argument("--modified-since", help="UTC, as 2026-09-17T00:00:00")
    arguments = parser.parse_args()

    xero = XeroClient(os.environ["XERO_TOKEN"], os.environ.get("XERO_TENANT_ID"))
    resource = arguments.resource.title()
    if arguments.id:
        records = [xero.one(resource, arguments.id)]
    elif resource == "Accounts":
        records = list(xero.all(resource, arguments.modified_since))
    else:
        records = list(xero.pages(resource, arguments.modified_since))
    json.dump([MAPPED[arguments.resource](record) for record in records], sys.stdout, ensure_ascii=False, indent=2)


if __name__ == "__main__":
    main()
