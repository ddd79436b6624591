"""Workers and organizations out of Workday's Human_Resources SOAP service.

    export WORKDAY_HOST=wd2-impl-services1.workday.com WORKDAY_TENANT=acme WORKDAY_USER=ISU_sync WORKDAY_PASSWORD=...
    python workday.py workers
    python workday.py workers --wid 3aa5550b7fe348b98d7b5741afc65534

Workers become our employee records. Organizations are printed as Workday has them, for the warehouse.
"""

import argparse
import json
import os
import sys
import time
from datetime import UTC, datetime
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import requests

VERSION = "v44.0"
HOST = os.environ.get("WORKDAY_HOST", "wd2-impl-services1.workday.com")

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
BSVC = "urn:com.workday/bsvc"
NS = {"soapenv": SOAP, "bsvc": BSVC}
TYPE = f"{{{BSVC}}}type"
DESCRIPTOR = f"{{{BSVC}}}Descriptor"

ENVELOPE = """<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:bsvc="urn:com.workday/bsvc">
  <soapenv:Header>
    <wsse:Security
        xmlns:wsse="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd">
      <wsse:UsernameToken>
        <wsse:Username>{user}@{tenant}</wsse:Username>
        <wsse:Password
            Type="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText"
            >{password}</wsse:Password>
      </wsse:UsernameToken>
    </wsse:Security>
  </soapenv:Header>
  <soapenv:Body>
    <bsvc:Get_{things}_Request bsvc:version="{version}">
      {asked}
      {group}
    </bsvc:Get_{things}_Request>
  </soapenv:Body>
</soapenv:Envelope>
"""

PAGE = """
      <bsvc:Response_Filter>
        <bsvc:As_Of_Entry_DateTime>{as_of}</bsvc:As_Of_Entry_DateTime>
        <bsvc:Page>{page}</bsvc:Page>
        <bsvc:Count>{count}</bsvc:Count>
      </bsvc:Response_Filter>
"""

ONE = """
      <bsvc:Request_References>
        <bsvc:{thing}_Reference>
          <bsvc:ID bsvc:type="WID">{wid}</bsvc:ID>
        </bsvc:{thing}_Reference>
      </bsvc:Request_References>
"""

# By default those who have left are left out.
ALL_WORKERS = """
      <bsvc:Request_Criteria>
        <bsvc:Exclude_Inactive_Workers>false</bsvc:Exclude_Inactive_Workers>
      </bsvc:Request_Criteria>
"""

WORKER_GROUP = """
      <bsvc:Response_Group>
        <bsvc:Include_Reference>true</bsvc:Include_Reference>
        <bsvc:Include_Personal_Information>true</bsvc:Include_Personal_Information>
        <bsvc:Include_Employment_Information>true</bsvc:Include_Employment_Information>
        <bsvc:Include_Organizations>true</bsvc:Include_Organizations>
      </bsvc:Response_Group>
"""


class WorkdayFault(Exception):
    pass


def send(things, asked, group=""):
    """Send an envelope; the Get_..._Response in the answer's body."""
    tenant = os.environ["WORKDAY_TENANT"]
    envelope = ENVELOPE.format(
        user=escape(os.environ["WORKDAY_USER"]),
        tenant=escape(tenant),
        password=escape(os.environ["WORKDAY_PASSWORD"]),
        things=things,
        version=VERSION,
        asked=asked,
        group=group,
    )
    for attempt in range(1, 6):
        response = requests.post(
            f"https://{HOST}/ccx/service/{tenant}/Human_Resources/{VERSION}",
            data=envelope.encode("utf-8"),
            headers={"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'},
            timeout=300,
        )
        if response.status_code in (429, 503):
            time.sleep(float(response.headers.get("Retry-After", 10 * attempt)))
            continue
        try:
            body = ET.fromstring(response.content).find("soapenv:Body", NS)
        except ET.ParseError:
            body = None
        if body is None:  # some proxy's page
            raise WorkdayFault(f"HTTP {response.status_code}: {response.text[:200]!r}")
        # A fault is a 500, whoever is to blame for it.
        fault = body.find("soapenv:Fault", NS)
        if fault is not None:
            raise WorkdayFault(f"{fault.findtext('faultcode')}: {fault.findtext('faultstring')}")
        response.raise_for_status()
        return body[0]
    raise WorkdayFault("throttled five times in a row")


def read_all(things, count, as_of, criteria="", group=""):
    """Page by page, all as of one moment: who is hired while we read would move everybody else by one."""
    thing = things.rstrip("s")
    page, pages = 1, 1
    while page <= pages:
        answer = send(things, criteria + PAGE.format(as_of=as_of, page=page, count=count), group)
        yield from answer.findall(f"bsvc:Response_Data/bsvc:{thing}", NS)
        pages = int(answer.findtext("bsvc:Response_Results/bsvc:Total_Pages", "1", NS))
        page += 1


def read_one(things, wid, group=""):
    thing = things.rstrip("s")
    answer = send(things, ONE.format(thing=thing, wid=escape(wid)), group)
    return answer.findall(f"bsvc:Response_Data/bsvc:{thing}", NS)


# From elements to records.


def text(element, path):
    return element.findtext(path, None, NS) if element is not None else None


def id_of(reference, kind):
    """A reference has the same thing's ids side by side."""
    if reference is None:
        return None
    for found in reference.findall("bsvc:ID", NS):
        if found.get(TYPE) == kind:
            return found.text
    return None


def day(value):
    """2024-02-01-08:00: the day in the tenant's zone. We keep the day."""
    return value[:10] if value else None


def truth(value):
    return None if value is None else value in ("1", "true")


def usage(element):
    return id_of(element.find("bsvc:Usage_Data/bsvc:Type_Data/bsvc:Type_Reference", NS), "Communication_Usage_Type_ID")


def kept(record):
    return {name: value for name, value in record.items() if value is not None}


def employee(worker):
    reference = worker.find("bsvc:Worker_Reference", NS)
    data = worker.find("bsvc:Worker_Data", NS)
    personal = data.find("bsvc:Personal_Data", NS)
    legal = personal.find("bsvc:Name_Data/bsvc:Legal_Name_Data/bsvc:Name_Detail_Data", NS)
    preferred = personal.find("bsvc:Name_Data/bsvc:Preferred_Name_Data/bsvc:Name_Detail_Data", NS)
    shown = preferred if preferred is not None else legal
    status = data.find("bsvc:Employment_Data/bsvc:Worker_Status_Data", NS)
    job = primary_job(data)
    position = job.find("bsvc:Position_Data", NS) if job is not None else None
    return kept(
        {
            "id": id_of(reference, "WID"),
            "number": text(data, "bsvc:Worker_ID"),
            "type": "contingent" if id_of(reference, "Contingent_Worker_ID") else "employee",
            "first_name": text(legal, "bsvc:First_Name"),
            "last_name": text(legal, "bsvc:Last_Name"),
            "name": shown.get(f"{{{BSVC}}}Formatted_Name"),
            "emails": [
                kept({"email": text(email, "bsvc:Email_Address"), "type": usage(email)})
                for email in personal.findall("bsvc:Contact_Data/bsvc:Email_Address_Data", NS)
            ],
            "phones": [phone(found) for found in personal.findall("bsvc:Contact_Data/bsvc:Phone_Data", NS)],
            "addresses": [address(found) for found in personal.findall("bsvc:Contact_Data/bsvc:Address_Data", NS)],
            "job_title": text(position, "bsvc:Business_Title"),
            "department": department(job),
            "location": text(position, "bsvc:Business_Site_Summary_Data/bsvc:Name"),
            "manager_id": manager(position),
            "active": truth(text(status, "bsvc:Active")),
            "hired_on": day(text(status, "bsvc:Hire_Date")),
            "terminated_on": day(text(status, "bsvc:Termination_Date")),
            "custom_fields": custom_ids(personal),
        }
    )


def primary_job(data):
    for job in data.findall("bsvc:Employment_Data/bsvc:Worker_Job_Data", NS):
        if truth(job.get(f"{{{BSVC}}}Primary_Job")):
            return job
    return None  # whoever has left has none


def department(job):
    """The supervisory organization; the others are companies, cost centers, business units..."""
    if job is None:
        return None
    for organization in job.iter(f"{{{BSVC}}}Organization_Data"):
        kind = id_of(organization.find("bsvc:Organization_Type_Reference", NS), "Organization_Type_ID")
        if kind == "SUPERVISORY":
            return text(organization, "bsvc:Organization_Name")
    return None


def manager(position):
    if position is None:
        return None
    # Twice where somebody has two: the first is the one whom Workday shows.
    return id_of(position.find("bsvc:Manager_as_of_last_detected_manager_change_Reference", NS), "WID")


def phone(found):
    number = found.get(f"{{{BSVC}}}E164_Formatted_Phone") or text(found, "bsvc:Phone_Number")
    device = id_of(found.find("bsvc:Phone_Device_Type_Reference", NS), "Phone_Device_Type_ID")
    return kept({"number": number, "type": device})


def address(found):
    lines = [line.text for line in found.findall("bsvc:Address_Line_Data", NS) if line.text]
    country = found.find("bsvc:Country_Reference", NS)
    return kept(
        {
            "street": "\n".join(lines) if lines else None,
            "city": text(found, "bsvc:Municipality"),
            "region": text(found, "bsvc:Country_Region_Descriptor"),
            "postal_code": text(found, "bsvc:Postal_Code"),
            "country": id_of(country, "ISO_3166-1_Alpha-2_Code"),
            "type": usage(found),
        }
    )


def custom_ids(personal):
    """The ids that the tenant made up (badge, locker); some people have several of a kind."""
    found: dict[str | None, list[str | None]] = {}
    for custom in personal.findall("bsvc:Identification_Data/bsvc:Custom_ID/bsvc:Custom_ID_Data", NS):
        kind = id_of(custom.find("bsvc:ID_Type_Reference", NS), "Custom_ID_Type_ID")
        found.setdefault(kind, []).append(text(custom, "bsvc:ID"))
    return {kind: ids[0] if len(ids) == 1 else ids for kind, ids in found.items()}


def as_it_is(element):
    """An element for the warehouse: attributes with an @, ids always a list, what is 0 or 1 a truth value."""
    name = element.tag.partition("}")[2]
    if not len(element) and not element.attrib:
        return truth(element.text) if name == "Inactive" else element.text
    record = {f"@{key.partition('}')[2]}": value for key, value in element.attrib.items()}
    for child in element:
        key = child.tag.partition("}")[2]
        if key == "ID":
            record.setdefault(key, []).append(as_it_is(child))
        else:
            record[key] = as_it_is(child)
    if element.text and element.text.strip():
        record["#text"] = element.text
    return record


RESOURCES = {
    "workers": ("Workers", employee, ALL_WORKERS, WORKER_GROUP),
    "organizations": ("Organizations", as_it_is, "", ""),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("resource", choices=RESOURCES)
    parser.add_argument("--wid")
    parser.add_argument("--count", type=int, default=100, help="records on a page, 999 at most")
    parser.add_argument("--as-of", help="read as of this moment instead of now, as 2026-11-23T00:00:00Z")
    options = parser.parse_args()

    things, mapped, criteria, group = RESOURCES[options.resource]
    try:
        if options.wid:
            elements = read_one(things, options.wid, group)
        else:
            as_of = options.as_of or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            elements = read_all(things, options.count, as_of, criteria, group)
        records = [mapped(element) for element in elements]
    except WorkdayFault as fault:
        print(f"Workday: {fault}", file=sys.stderr)
        sys.exit(1)
    json.dump(records, sys.stdout, indent=2)


if __name__ == "__main__":
    main()
