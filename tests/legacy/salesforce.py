"""Sync contacts, accounts and opportunities out of a customer's Salesforce org.

    SF_INSTANCE_URL=https://acme.my.salesforce.com SF_ACCESS_TOKEN=... python salesforce.py contacts
    SF_INSTANCE_URL=https://acme.my.salesforce.com SF_ACCESS_TOKEN=... python salesforce.py contacts --id 0035e00000EXm

Prints a JSON list of our unified records. SF_REFRESH_TOKEN, SF_CLIENT_ID and SF_CLIENT_SECRET are needed only for orgs
whose sessions end while we read.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import requests

log = logging.getLogger("salesforce")

API_VERSION = "v60.0"
LOGIN_URL = os.environ.get("SF_LOGIN_URL", "https://login.salesforce.com")  # test.salesforce.com for sandboxes
TIMEOUT = 60
MAX_ATTEMPTS = 4

CONTACT_FIELDS = [
    "Id",
    "FirstName",
    "LastName",
    "Name",
    "Email",
    "Phone",
    "MobilePhone",
    "Title",
    "AccountId",
    "Account.Name",
    "OwnerId",
    "MailingAddress",
    "CreatedDate",
    "LastModifiedDate",
]

ACCOUNT_FIELDS = [
    "Id",
    "Name",
    "Description",
    "Website",
    "Industry",
    "NumberOfEmployees",
    "Phone",
    "BillingAddress",
    "ShippingAddress",
    "ParentId",
    "OwnerId",
    "CreatedDate",
    "LastModifiedDate",
]

OPPORTUNITY_FIELDS = [
    "Id",
    "Name",
    "Description",
    "Amount",
    "StageName",
    "IsClosed",
    "IsWon",
    "Probability",
    "AccountId",
    "ContactId",
    "OwnerId",
    "CloseDate",
    "CreatedDate",
    "LastModifiedDate",
]


class SalesforceError(Exception):
    """Salesforce said no: its error code, and its words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"HTTP {status} {code}: {message}")
        self.code = code


class SalesforceClient:
    def __init__(self, instance_url: str, access_token: str) -> None:
        self.instance_url = instance_url.rstrip("/")
        self.session = requests.Session()
        # A hint only: big records come in smaller batches whatever we ask for.
        self.session.headers["Sforce-Query-Options"] = "batchSize=2000"
        self._use_token(access_token)

    def query(self, soql: str) -> Iterator[dict[str, Any]]:
        result = self._get(f"/services/data/{API_VERSION}/query", params={"q": soql})
        while True:
            yield from result["records"]
            if result["done"]:
                break
            # A path without the host, with the API version in it.
            result = self._get(result["nextRecordsUrl"])

    def sobject(self, name: str, record_id: str) -> dict[str, Any]:
        return self._get(f"/services/data/{API_VERSION}/sobjects/{name}/{record_id}")

    def _get(self, path: str, params: dict[str, str] | None = None) -> dict[str, Any]:
        refreshed = False
        for attempt in range(1, MAX_ATTEMPTS + 1):
            response = self.session.get(self.instance_url + path, params=params, timeout=TIMEOUT)
            if response.status_code == 401 and not refreshed and "SF_REFRESH_TOKEN" in os.environ:
                # There is no expires_in: we learn that a session has ended when it has.
                self._refresh_token()
                refreshed = True
                continue
            if response.status_code in (429, 502, 503) and attempt < MAX_ATTEMPTS:
                delay = float(response.headers.get("Retry-After", 2**attempt))
                log.warning("HTTP %s from %s, again in %s s", response.status_code, path, delay)
                time.sleep(delay)
                continue
            if response.status_code >= 400:
                raise self._error(response)
            usage = response.headers.get("Sforce-Limit-Info")
            if usage:
                log.info("%s", usage)
            body: dict[str, Any] = response.json()
            return body
        raise SalesforceError(401, "INVALID_SESSION_ID", "the session was refused again after a refresh")

    def _refresh_token(self) -> None:
        response = requests.post(
            f"{LOGIN_URL}/services/oauth2/token",
            data={
                "grant_type": "refresh_token",
                "refresh_token": os.environ["SF_REFRESH_TOKEN"],
                "client_id": os.environ["SF_CLIENT_ID"],
                "client_secret": os.environ["SF_CLIENT_SECRET"],
            },
            timeout=TIMEOUT,
        )
        response.raise_for_status()
        self._use_token(response.json()["access_token"])

    def _use_token(self, access_token: str) -> None:
        self.session.headers["Authorization"] = f"Bearer {access_token}"

    @staticmethod
    def _error(response: requests.Response) -> SalesforceError:
        try:
            first = response.json()[0]
        except (ValueError, LookupError, TypeError):  # a proxy's page, or an OAuth error, which is an object
            return SalesforceError(response.status_code, "UNKNOWN", response.text[:200])
        if first.get("errorCode") == "REQUEST_LIMIT_EXCEEDED":
            # 24 rolling hours: no use waiting here, the next run picks it up.
            log.error("the org's API requests are used up: %s", response.headers.get("Sforce-Limit-Info"))
        return SalesforceError(response.status_code, first.get("errorCode", "UNKNOWN"), first.get("message", ""))


def to_contact(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": record["Id"],
        "first_name": record["FirstName"],
        "last_name": record["LastName"],
        "name": record["Name"],
        "emails": [{"email": record["Email"]}] if record["Email"] else [],
        "phones": phones((record["Phone"], "work"), (record["MobilePhone"], "mobile")),
        "addresses": addresses((record["MailingAddress"], "mailing")),
        "job_title": record["Title"],
        "account_id": record["AccountId"],
        "owner_id": record["OwnerId"],
        "created_at": timestamp(record["CreatedDate"]),
        "updated_at": timestamp(record["LastModifiedDate"]),
        "custom_fields": custom_fields(record),
    }


def to_account(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": record["Id"],
        "name": record["Name"],
        "description": record["Description"],
        "website": record["Website"],
        "industry": record["Industry"],
        "employees": record["NumberOfEmployees"],
        "phones": [{"number": record["Phone"]}] if record["Phone"] else [],
        "addresses": addresses((record["BillingAddress"], "billing"), (record["ShippingAddress"], "shipping")),
        "parent_id": record["ParentId"],
        "owner_id": record["OwnerId"],
        "created_at": timestamp(record["CreatedDate"]),
        "updated_at": timestamp(record["LastModifiedDate"]),
        "custom_fields": custom_fields(record),
    }


def to_deal(record: dict[str, Any]) -> dict[str, Any]:
    deal = {
        "id": record["Id"],
        "name": record["Name"],
        "description": record["Description"],
        "amount": record["Amount"],
        "status": ("won" if record["IsWon"] else "lost") if record["IsClosed"] else "open",
        "stage": record["StageName"],
        "probability": record["Probability"],
        "account_id": record["AccountId"],
        "contact_id": record["ContactId"],
        "owner_id": record["OwnerId"],
        "expected_close_on": record["CloseDate"],
        "created_at": timestamp(record["CreatedDate"]),
        "updated_at": timestamp(record["LastModifiedDate"]),
        "custom_fields": custom_fields(record),
    }
    if "CurrencyIsoCode" in record:  # only in orgs with several currencies, and a query that names it fails elsewhere
        deal["currency"] = record["CurrencyIsoCode"]
    return deal


def phones(*numbers: tuple[str | None, str]) -> list[dict[str, str]]:
    return [{"number": number, "type": kind} for number, kind in numbers if number]


def addresses(*compounds: tuple[dict[str, Any] | None, str]) -> list[dict[str, Any]]:
    found = []
    for compound, kind in compounds:
        # An address of which nothing is filled in comes as null, or as an object of nulls, depending on the org.
        if not compound or not any(compound.get(part) for part in ("street", "city", "state", "postalCode", "country")):
            continue
        found.append(
            {
                "street": compound["street"],
                "city": compound["city"],
                "region": compound["state"],
                "postal_code": compound["postalCode"],
                "country": compound["country"],
                "type": kind,
            }
        )
    return found


def timestamp(text: str | None) -> str | None:
    """2026-05-01T07:25:37.000+0000, which JavaScript's Date in old Safaris and half of our customers cannot read."""
    if text is None:
        return None
    return f"{text[:-2]}:{text[-2:]}"


def custom_fields(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name.endswith("__c")}


RESOURCES = {
    "contacts": ("Contact", CONTACT_FIELDS, to_contact),
    "accounts": ("Account", ACCOUNT_FIELDS, to_account),
    "opportunities": ("Opportunity", OPPORTUNITY_FIELDS, to_deal),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("resource", choices=sorted(RESOURCES))
    parser.add_argument("--id", help="one record, with all the fields that the org has")
    parser.add_argument("--updated-after", help="2026-05-05T00:00:00Z")
    args = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO)

    client = SalesforceClient(os.environ["SF_INSTANCE_URL"], os.environ["SF_ACCESS_TOKEN"])
    sobject, fields, mapped = RESOURCES[args.resource]
    if args.id:
        records = [client.sobject(sobject, args.id)]
    else:
        soql = f"SELECT {', '.join(fields)} FROM {sobject}"
        if args.updated_after:
            soql += f" WHERE LastModifiedDate > {args.updated_after}"
        records = list(client.query(soql))
    json.dump([mapped(record) for record in records], sys.stdout, indent=2)


if __name__ == "__main__":
    main()
