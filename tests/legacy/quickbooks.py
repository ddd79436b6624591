"""QuickBooks Online -> our accounting records.

    QBO_REALM_ID=4620816365001 QBO_ACCESS_TOKEN=... python quickbooks.py customers
    QBO_REALM_ID=4620816365001 QBO_ACCESS_TOKEN=... python quickbooks.py customers --id 58
    QBO_REALM_ID=4620816365001 QBO_ACCESS_TOKEN=... python quickbooks.py invoices --updated-since 2026-08-01T00:00:00Z

JSON on stdout. With QBO_REFRESH_TOKEN, QBO_CLIENT_ID and QBO_CLIENT_SECRET an access token that has run out (they
live for an hour) is renewed; QBO_TOKEN_FILE is where the new pair is left for the next run.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import requests

BASE_URL = "https://quickbooks.api.intuit.com/v3/company"
TOKEN_URL = "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"
MINOR_VERSION = 75
PAGE_SIZE = int(os.environ.get("QBO_PAGE_SIZE", "1000"))  # 1000 is the most they give
RETRIES = 5
THROTTLED_FOR = 60  # they never say how long; the limit is one per minute

# What is inactive is left out unless one asks for it by name. Invoices have no Active.
CONDITIONS = {"Customer": ["Active IN (true, false)"], "Account": ["Active IN (true, false)"], "Invoice": []}

session = requests.Session()
session.headers["Accept"] = "application/json"
session.headers["Authorization"] = f"Bearer {os.environ.get('QBO_ACCESS_TOKEN', '')}"


class QuickBooksError(Exception):
    def __init__(self, status, fault):
        self.status = status
        super().__init__(f"QuickBooks answered {status}: {fault}")


def call(path, **params):
    """GET below the company, as JSON. Throttles and dead tokens are dealt with here."""
    url = f"{BASE_URL}/{os.environ['QBO_REALM_ID']}/{path}"
    renewed = False
    for attempt in range(RETRIES):
        response = session.get(url, params={**params, "minorversion": MINOR_VERSION}, timeout=120)
        # Throttled is a 429, and on some clusters still a 403 that says so.
        if response.status_code == 429 or (response.status_code == 403 and "ThrottleExceeded" in response.text):
            print(f"throttled ({attempt + 1}), waiting {THROTTLED_FOR} s", file=sys.stderr)
            time.sleep(THROTTLED_FOR)
            continue
        if response.status_code == 401 and not renewed and os.environ.get("QBO_REFRESH_TOKEN"):
            renew_token()
            renewed = True
            continue
        try:
            body = response.json()
        except ValueError:
            # An XML fault, whatever Accept says. Mostly authentication.
            raise QuickBooksError(response.status_code, response.text[:300]) from None
        # "Fault" for what we asked, "fault" for who we are; and a Fault has been seen in a 200.
        fault = body.get("Fault") or body.get("fault")
        if fault:
            errors = fault.get("Error") or fault.get("error") or [{}]
            message = errors[0].get("Message") or errors[0].get("message")
            detail = errors[0].get("Detail") or errors[0].get("detail")
            raise QuickBooksError(response.status_code, f"{errors[0].get('code')} {message} ({detail})")
        response.raise_for_status()
        return body
    raise QuickBooksError(429, f"still throttled after {RETRIES} attempts")


def renew_token():
    response = requests.post(
        TOKEN_URL,
        auth=(os.environ["QBO_CLIENT_ID"], os.environ["QBO_CLIENT_SECRET"]),
        data={"grant_type": "refresh_token", "refresh_token": os.environ["QBO_REFRESH_TOKEN"]},
        headers={"Accept": "application/json"},
        timeout=60,
    )
    response.raise_for_status()
    token = response.json()
    session.headers["Authorization"] = f"Bearer {token['access_token']}"
    # A new refresh token comes about once a day, the same one otherwise. Always keep what came back.
    os.environ["QBO_REFRESH_TOKEN"] = token["refresh_token"]
    if "QBO_TOKEN_FILE" in os.environ:
        kept = {"access_token": token["access_token"], "refresh_token": token["refresh_token"]}
        Path(os.environ["QBO_TOKEN_FILE"]).write_text(json.dumps(kept))


def query(entity, updated_since=None):
    """Every record of an entity. STARTPOSITION counts from 1; a page that is not full is the last."""
    conditions = list(CONDITIONS[entity])
    if updated_since:
        conditions.append(f"MetaData.LastUpdatedTime > '{updated_since}'")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    start = 1
    while True:
        page = call(
            "query", query=f"SELECT * FROM {entity}{where} ORDERBY Id STARTPOSITION {start} MAXRESULTS {PAGE_SIZE}"
        )
        # No records: no key either.
        records = page["QueryResponse"].get(entity, [])
        yield from records
        if len(records) < PAGE_SIZE:
            return
        start += len(records)


def get(entity, record_id):
    return call(f"{entity.lower()}/{record_id}")[entity]


def present(**fields):
    """Leave out what QuickBooks leaves out."""
    return {name: value for name, value in fields.items() if value is not None}


def ref(record, name):
    return record.get(name, {}).get("value")


def when(text):
    return f"{text[:19]}Z" if text else None


def customer(record):
    phones = [("primary", "PrimaryPhone"), ("alternate", "AlternatePhone"), ("mobile", "Mobile"), ("fax", "Fax")]
    addresses = [("billing", "BillAddr"), ("shipping", "ShipAddr")]
    meta = record.get("MetaData", {})
    return present(
        id=record["Id"],
        name=record.get("DisplayName"),
        first_name=record.get("GivenName"),
        last_name=record.get("FamilyName"),
        emails=[{"email": record["PrimaryEmailAddr"]["Address"]}] if "PrimaryEmailAddr" in record else [],
        phones=[
            {"number": record[name]["FreeFormNumber"], "type": kind}
            for kind, name in phones
            if record.get(name, {}).get("FreeFormNumber")
        ],
        addresses=[address(record[name], kind) for kind, name in addresses if name in record],
        website=record.get("WebAddr", {}).get("URI"),
        tax_number=record.get("PrimaryTaxIdentifier"),
        currency=ref(record, "CurrencyRef"),
        balance=record.get("Balance"),
        parent_id=ref(record, "ParentRef"),
        active=record.get("Active"),
        created_at=when(meta.get("CreateTime")),
        updated_at=when(meta.get("LastUpdatedTime")),
    )


def address(found, kind):
    lines = [found[f"Line{number}"] for number in range(1, 6) if found.get(f"Line{number}")]
    return present(
        street="\n".join(lines) if lines else None,
        city=found.get("City"),
        region=found.get("CountrySubDivisionCode"),
        postal_code=found.get("PostalCode"),
        country=found.get("Country"),
        type=kind,
    )


def invoice(record):
    meta = record.get("MetaData", {})
    subtotals = [line["Amount"] for line in record["Line"] if line["DetailType"] == "SubTotalLineDetail"]
    return present(
        id=record["Id"],
        number=record.get("DocNumber"),
        type="receivable",
        customer_id=ref(record, "CustomerRef"),
        memo=ref(record, "CustomerMemo"),
        currency=ref(record, "CurrencyRef"),
        exchange_rate=record.get("ExchangeRate"),
        issued_on=record.get("TxnDate"),
        due_on=record.get("DueDate"),
        lines=[invoice_line(line) for line in record["Line"] if line["DetailType"] != "SubTotalLineDetail"],
        subtotal=subtotals[0] if subtotals else None,
        tax=record.get("TxnTaxDetail", {}).get("TotalTax"),
        total=record.get("TotalAmt"),
        balance=record.get("Balance"),
        created_at=when(meta.get("CreateTime")),
        updated_at=when(meta.get("LastUpdatedTime")),
        custom_fields={
            field["Name"]: field["StringValue"] for field in record.get("CustomField", []) if "StringValue" in field
        },
    )


def invoice_line(line):
    detail = line.get(line["DetailType"], {})
    in_class = detail.get("ClassRef")
    return present(
        id=line.get("Id"),
        description=line.get("Description"),
        item_id=ref(detail, "ItemRef"),
        account_id=ref(detail, "ItemAccountRef"),
        quantity=detail.get("Qty"),
        unit_price=detail.get("UnitPrice"),
        amount=line.get("Amount"),
        dimensions=[{"name": "class", "value": in_class["name"]}] if in_class else [],
    )


def account(record):
    meta = record.get("MetaData", {})
    return present(
        id=record["Id"],
        code=record.get("AcctNum"),
        name=record.get("Name"),
        description=record.get("Description"),
        classification=record["Classification"].lower() if "Classification" in record else None,
        type=record.get("AccountType"),
        currency=ref(record, "CurrencyRef"),
        balance=record.get("CurrentBalance"),
        parent_id=ref(record, "ParentRef"),
        active=record.get("Active"),
        created_at=when(meta.get("CreateTime")),
        updated_at=when(meta.get("LastUpdatedTime")),
    )


RESOURCES = {"customers": ("Customer", customer), "invoices": ("Invoice", invoice), "accounts": ("Account", account)}


def main():
    parser = argparse.ArgumentParser(description="Read a QuickBooks Online company.")
    parser.add_argument("resource", choices=RESOURCES)
    parser.add_argument("--id")
    parser.add_argument("--updated-since", help="UTC, as 2026-08-01T00:00:00Z")
    options = parser.parse_args()
    entity, mapped = RESOURCES[options.resource]
    try:
        found = [get(entity, options.id)] if options.id else query(entity, options.updated_since)
        records = [mapped(record) for record in found]
    except QuickBooksError as error:
        sys.exit(str(error))
    print(json.dumps(records, indent=1))


if __name__ == "__main__":
    main()
