"""Zoho CRM to unified records: `python zoho.py contacts --dc eu`, printed as JSON.

Needs ZOHO_CLIENT_ID, ZOHO_CLIENT_SECRET and the customer's ZOHO_REFRESH_TOKEN. The data centre is the one that the
customer signed up in: their tokens are worth nothing in another.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx

Record = dict[str, Any]

DATA_CENTRES = ("com", "eu", "in", "com.au", "com.cn", "jp", "ca")

ADDRESS_PARTS = {"street": "Street", "city": "City", "region": "State", "postal_code": "Zip", "country": "Country"}
COMPANY_ADDRESS_PARTS = {**ADDRESS_PARTS, "postal_code": "Code"}  # Mailing_Zip, but Billing_Code

# v8 wants every field by name, 50 at most.
CONTACT_FIELDS = (
    "First_Name,Last_Name,Full_Name,Email,Secondary_Email,Phone,Mobile,Home_Phone,Other_Phone,Title,Account_Name,"
    "Mailing_Street,Mailing_City,Mailing_State,Mailing_Zip,Mailing_Country,"
    "Other_Street,Other_City,Other_State,Other_Zip,Other_Country,Owner,Created_Time,Modified_Time"
)
ACCOUNT_FIELDS = (
    "Account_Name,Description,Website,Industry,Employees,Phone,"
    "Billing_Street,Billing_City,Billing_State,Billing_Code,Billing_Country,"
    "Shipping_Street,Shipping_City,Shipping_State,Shipping_Code,Shipping_Country,"
    "Parent_Account,Owner,Created_Time,Modified_Time"
)
DEAL_FIELDS = (
    "Deal_Name,Description,Amount,Stage,Probability,Account_Name,Contact_Name,Closing_Date,Reason_For_Loss__s,"
    "Owner,Created_Time,Modified_Time"
)

LAST_RECORD_BY_PAGE = 2000


class Zoho:
    def __init__(self, dc: str) -> None:
        self.accounts_url = f"https://accounts.zoho.{dc}"
        self.http = httpx.Client(base_url=f"https://www.zohoapis.{dc}/crm/v8", timeout=30.0)
        self.login()

    def login(self) -> None:
        """Access tokens live an hour, and no more than ten are given in ten minutes: one for each run."""
        answer = httpx.post(
            f"{self.accounts_url}/oauth/v2/token",
            data={
                "grant_type": "refresh_token",
                "refresh_token": os.environ["ZOHO_REFRESH_TOKEN"],
                "client_id": os.environ["ZOHO_CLIENT_ID"],
                "client_secret": os.environ["ZOHO_CLIENT_SECRET"],
            },
        )
        granted = answer.raise_for_status().json()
        if "error" in granted:  # with status 200
            sys.exit(f"Zoho gives no token: {granted['error']}")
        # token_type says Bearer, which Zoho itself does not accept.
        self.http.headers["Authorization"] = f"Zoho-oauthtoken {granted['access_token']}"

    def request(self, path: str, params: dict[str, str | int] | None, headers: dict[str, str]) -> Record | None:
        logged_in_again = False
        throttled = 0
        while True:
            answer = self.http.get(path, params=params, headers=headers)
            if answer.status_code in (204, 304):  # nothing there; nothing new
                return None
            if answer.is_success:
                body: Record = answer.json()
                return body
            try:
                code = answer.json().get("code")
            except ValueError:
                code = None
            if code == "INVALID_TOKEN" and not logged_in_again:
                self.login()
                logged_in_again = True
            elif answer.status_code == 429 and throttled < 5:
                throttled += 1
                time.sleep(int(answer.headers.get("Retry-After", 10 * throttled)))
            else:
                sys.exit(f"Zoho answers {path} with {answer.status_code} {code}: {answer.text[:300]}")

    def pages(self, module: str, fields: str, per_page: int, headers: dict[str, str]) -> Iterator[Record]:
        """Page by page; Zoho takes page numbers for 2,000 records, and beyond them a token from the page before."""
        page = 1
        params: dict[str, str | int] = {"fields": fields, "per_page": per_page, "page": page}
        while body := self.request(f"/{module}", params, headers):
            yield from body["data"]
            if not body["info"]["more_records"]:
                break
            page += 1
            params["page"] = page
            if page * per_page > LAST_RECORD_BY_PAGE:
                params.pop("page")
                params["page_token"] = body["info"]["next_page_token"]

    def deals(self, fields: str, per_page: int, headers: dict[str, str]) -> Iterator[Record]:
        """Deals came later, when there were tokens from the first page on."""
        params: dict[str, str | int] = {"fields": fields, "per_page": per_page}
        while body := self.request("/Deals", params, headers):
            yield from body["data"]
            token = body["info"].get("next_page_token")
            if token is None:
                break
            params["page_token"] = token

    def one(self, module: str, record_id: str) -> list[Record]:
        body = self.request(f"/{module}/{record_id}", None, {})
        return body["data"] if body else []


def contact(record: Record) -> Record:
    unified = common(record)
    unified["first_name"] = record["First_Name"]
    unified["last_name"] = record["Last_Name"]
    unified["name"] = record["Full_Name"]
    unified["job_title"] = record["Title"]
    unified["account_id"] = lookup(record["Account_Name"])
    unified["emails"] = []
    if record["Email"]:
        unified["emails"].append({"email": record["Email"]})
    if record["Secondary_Email"]:
        unified["emails"].append({"email": record["Secondary_Email"], "type": "secondary"})
    unified["phones"] = []
    if record["Phone"]:
        unified["phones"].append({"number": record["Phone"]})
    for kind in ("Mobile", "Home_Phone", "Other_Phone"):
        if record[kind]:
            unified["phones"].append({"number": record[kind], "type": kind.split("_")[0].lower()})
    unified["addresses"] = [
        *address(record, "Mailing", ADDRESS_PARTS),
        *address(record, "Other", ADDRESS_PARTS),
    ]
    return unified


def account(record: Record) -> Record:
    unified = common(record)
    unified["name"] = record["Account_Name"]
    unified["description"] = record["Description"]
    unified["website"] = record["Website"]
    unified["industry"] = record["Industry"]
    unified["employees"] = record["Employees"]
    unified["parent_id"] = lookup(record["Parent_Account"])
    unified["phones"] = [{"number": record["Phone"]}] if record["Phone"] else []
    unified["addresses"] = [
        *address(record, "Billing", COMPANY_ADDRESS_PARTS),
        *address(record, "Shipping", COMPANY_ADDRESS_PARTS),
    ]
    return unified


def deal(record: Record) -> Record:
    unified = common(record)
    unified["name"] = record["Deal_Name"]
    unified["description"] = record["Description"]
    unified["amount"] = record["Amount"]
    unified["stage"] = record["Stage"]
    unified["probability"] = record["Probability"]
    unified["account_id"] = lookup(record["Account_Name"])
    unified["contact_id"] = lookup(record["Contact_Name"])
    unified["expected_close_on"] = record["Closing_Date"]
    unified["lost_reason"] = record["Reason_For_Loss__s"]
    return unified


def common(record: Record) -> Record:
    return {
        "id": record["id"],
        "owner_id": lookup(record["Owner"]),
        "created_at": record["Created_Time"],
        "updated_at": record["Modified_Time"],
    }


def lookup(value: Record | None) -> str | None:
    return value["id"] if value else None


def address(record: Record, prefix: str, parts: dict[str, str]) -> list[Record]:
    found = {ours: record[f"{prefix}_{theirs}"] for ours, theirs in parts.items()}
    return [{**found, "type": prefix.lower()}] if any(found.values()) else []


MODULES: dict[str, tuple[str, str, Callable[[Record], Record]]] = {
    "contacts": ("Contacts", CONTACT_FIELDS, contact),
    "accounts": ("Accounts", ACCOUNT_FIELDS, account),
    "deals": ("Deals", DEAL_FIELDS, deal),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("resource", choices=MODULES)
    parser.add_argument("--dc", choices=DATA_CENTRES, default="com")
    parser.add_argument("--id")
    parser.add_argument("--modified-since", help="2026-11-01T00:00:00+03:00")
    parser.add_argument("--custom-fields", default="", help="API names, with commas: each customer has their own")
    parser.add_argument("--per-page", type=int, default=200)
    args = parser.parse_args()

    module, fields, mapped = MODULES[args.resource]
    custom = [name for name in args.custom_fields.split(",") if name]
    fields = ",".join([fields, *custom])
    headers = {"If-Modified-Since": args.modified_since} if args.modified_since else {}

    zoho = Zoho(args.dc)
    if args.id:
        records = zoho.one(module, args.id)
    elif module == "Deals":
        records = list(zoho.deals(fields, args.per_page, headers))
    else:
        records = list(zoho.pages(module, fields, args.per_page, headers))

    unified = [{**mapped(record), "custom_fields": {name: record[name] for name in custom}} for record in records]
    print(json.dumps(unified, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
