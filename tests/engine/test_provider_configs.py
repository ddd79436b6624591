"""Every provider's config loads without a problem, signs as its provider wants it, and reads its listing whole."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import providers
from connproof.clock import SystemClock
from connproof.config import parse
from connproof.live import check_mappings
from connproof.mapping import load_model
from connproof.model import Response
from connproof.places import JsonValue
from connproof.run import Call
from providers import NAMES, document, loaded, soap
from scripted import answer, scripted

MODELS = Path(__file__).parents[2] / "connectors" / "unified"

PROVIDERS = frozenset(
    {
        "airtable",
        "bamboohr",
        "freshdesk",
        "github",
        "google",
        "greenhouse",
        "hubspot",
        "intercom",
        "jira",
        "marketo",
        "microsoft-graph",
        "netsuite",
        "notion",
        "okta",
        "pipedrive",
        "quickbooks",
        "salesforce",
        "scim",
        "shopify",
        "slack",
        "stripe",
        "workday",
        "xero",
        "zendesk",
        "zoho",
    }
)


@dataclass(frozen=True, slots=True)
class Listing:
    """Two pages of one listing, and what the second request must be: its target and query, and its body."""

    id: str
    target: str
    pages: tuple[Response, ...]
    second: str
    keys: tuple[JsonValue, ...]
    body: JsonValue = None
    operation: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def provider(self) -> str:
        return self.id.partition(":")[0]


def workers(page: int, *ids: int, pages: int = 2) -> Response:
    """A page of a SOAP listing; each worker has two ids."""
    each = "".join(
        f'<wd:Worker><wd:Worker_Reference><wd:ID wd:type="WID">w{n}</wd:ID><wd:ID wd:type="Employee_ID">{n}</wd:ID>'
        f"</wd:Worker_Reference><wd:Worker_Data><wd:Worker_ID>{n}</wd:Worker_ID></wd:Worker_Data></wd:Worker>"
        for n in ids
    )
    return soap(
        '<wd:Get_Workers_Response xmlns:wd="urn:com.workday/bsvc" wd:version="v44.0"><wd:Response_Results>'
        f"<wd:Total_Results>3</wd:Total_Results><wd:Total_Pages>{pages}</wd:Total_Pages>"
        f"<wd:Page_Results>{len(ids)}</wd:Page_Results><wd:Page>{page}</wd:Page></wd:Response_Results>"
        f"<wd:Response_Data>{each}</wd:Response_Data></wd:Get_Workers_Response>"
    )


def link(url: str, rel: str = "next") -> tuple[str, str]:
    return "link", f'<{url}>; rel="{rel}"'


def customers(start: int, *ids: str) -> Response:
    """A page of a query by position."""
    found: JsonValue = {
        "Customer": [{"Id": each, "SyncToken": "0", "DisplayName": "Ann"} for each in ids],
        "startPosition": start,
        "maxResults": len(ids),
    }
    return answer({"QueryResponse": found if ids else {}, "time": "2026-05-14T03:37:43.101-07:00"})


def full(first: int, count: int) -> list[str]:
    return [str(number) for number in range(first, first + count)]


def graphql(cursor: str | None, *ids: str) -> Response:
    page: JsonValue = {"hasNextPage": cursor is not None, "endCursor": cursor}
    return answer({"data": {"customers": {"nodes": [{"id": each} for each in ids], "pageInfo": page}}})


LISTINGS = [
    Listing(
        "hubspot",
        "contacts",
        (
            answer(
                {
                    "results": [{"id": "501", "properties": {"email": "a@ex.test", "my_custom": "7"}}],
                    "paging": {"next": {"after": "502"}},
                },
                ("x-hubspot-ratelimit-interval-milliseconds", "10000"),
                ("x-hubspot-ratelimit-remaining", "108"),
            ),
            answer({"results": [{"id": "502", "properties": {"email": None}}]}),
        ),
        "/crm/v3/objects/contacts?properties=email%2Cfirstname%2Clastname%2Cmy_custom&limit=100&after=502",
        ("501", "502"),
    ),
    Listing(
        "hubspot: search",
        "contacts",
        (
            answer({"total": 2, "results": [{"id": "1"}], "paging": {"next": {"after": "1"}}}),
            answer({"total": 2, "results": [{"id": "2"}]}),
        ),
        "/crm/v3/objects/contacts/search",
        ("1", "2"),
        {
            "filterGroups": [{"filters": [{"propertyName": "hs_object_id", "operator": "GTE", "value": "0"}]}],
            "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            "limit": 200,
            "after": "1",
        },
        operation="search",
    ),
    Listing(
        "salesforce",
        "contacts",
        (
            answer(
                {
                    "totalSize": 2,
                    "done": False,
                    "nextRecordsUrl": "/services/data/v60.0/query/0r8xx0000000001AAA-1",
                    "records": [{"attributes": {"type": "Contact"}, "Id": "003x1", "Email": None, "Tier__c": "Gold"}],
                },
                ("sforce-limit-info", "api-usage=18/5000"),
            ),
            answer({"totalSize": 2, "done": True, "records": [{"Id": "003x2", "Email": "b@ex.test"}]}),
        ),
        "/services/data/v60.0/query/0r8xx0000000001AAA-1",
        ("003x1", "003x2"),
    ),
    Listing(
        "pipedrive",
        "persons",
        (
            answer(
                {
                    "success": True,
                    "data": [{"id": 1, "name": "Ann", "email": [{"label": "work", "value": "a@ex.test"}]}],
                    "additional_data": {
                        "pagination": {"start": 0, "limit": 500, "more_items_in_collection": True, "next_start": 1}
                    },
                },
                ("x-ratelimit-remaining", "79"),
                ("x-ratelimit-reset", "2"),
            ),
            answer(
                {
                    "success": True,
                    "data": [{"id": 2, "name": "Bo"}],
                    "additional_data": {"pagination": {"start": 1, "limit": 500, "more_items_in_collection": False}},
                }
            ),
        ),
        "/api/v1/persons?limit=500&start=1",
        (1, 2),
    ),
    Listing(
        "pipedrive: second version",
        "stages",
        (
            answer({"success": True, "data": [{"id": 1}], "additional_data": {"next_cursor": "eyJ"}}),
            answer({"success": True, "data": [{"id": 2}], "additional_data": {"next_cursor": None}}),
        ),
        "/api/v2/stages?limit=100&cursor=eyJ",
        (1, 2),
    ),
    Listing(
        "zoho",
        "contacts",
        (
            answer(
                {
                    "data": [{"id": "5725767000000411001", "Email": "a@ex.test", "$approved": True, "Tier": None}],
                    "info": {"per_page": 200, "count": 1, "page": 1, "more_records": True, "next_page_token": "c8582"},
                }
            ),
            answer({"data": [{"id": "5725767000000411002"}], "info": {"page": 2, "more_records": False}}),
        ),
        "/crm/v8/Contacts?fields=Email%2CFirst_Name%2CLast_Name%2CTier&per_page=200&page=2",
        ("5725767000000411001", "5725767000000411002"),
    ),
    Listing(
        "greenhouse",
        "candidates",
        (
            answer([{"id": 1, "first_name": "Ann"}], link("https://harvest.greenhouse.io/v3/candidates?cursor=b2Zm")),
            answer([{"id": 2, "first_name": "Bo"}], ("link", "")),
        ),
        "/v3/candidates?cursor=b2Zm",
        (1, 2),
    ),
    Listing(
        "greenhouse-v1",
        "candidates",
        (
            answer(
                [{"id": 1, "first_name": "Ann", "custom_fields": {"desired_level": None}}],
                (
                    "link",
                    (
                        '<https://harvest.greenhouse.io/v1/candidates?page=2&per_page=500>; rel="next", '
                        '<https://harvest.greenhouse.io/v1/candidates?page=2&per_page=500>; rel="last"'
                    ),
                ),
            ),
            answer(
                [{"id": 2, "first_name": "Bo"}],
                (
                    "link",
                    (
                        '<https://harvest.greenhouse.io/v1/candidates?page=1&per_page=500>; rel="prev", '
                        '<https://harvest.greenhouse.io/v1/candidates?page=2&per_page=500>; rel="last"'
                    ),
                ),
            ),
        ),
        "/v1/candidates?page=2&per_page=500",
        (1, 2),
    ),
    Listing(
        "workday",
        "workers",
        (workers(1, 21001, 21002), workers(2, 21003)),
        "/ccx/service/acme_gms/Human_Resources/v44.0/",
        ("21001", "21002", "21003"),
    ),
    Listing(
        "workday-rest",
        "workers",
        (answer({"total": 2, "data": [{"id": "a"}]}), answer({"total": 0, "data": [{"id": "b"}]})),
        "/ccx/api/v1/acme_gms/workers?limit=100&offset=1",
        ("a", "b"),
    ),
    Listing(
        "bamboohr",
        "employees",
        (
            answer(
                {
                    "data": [{"employeeNumber": "1"}],
                    "links": {"next": "..."},
                    "meta": {"page": 1, "pageSize": 100, "totalPages": 2, "totalItems": 2},
                }
            ),
            answer(
                {
                    "data": [{"employeeNumber": "2"}],
                    "links": [],
                    "meta": {"page": 2, "pageSize": 100, "totalPages": 2, "totalItems": 2},
                }
            ),
        ),
        "/api/gateway.php/acme/v2/datasets/employee/data",
        ("1", "2"),
        {"fields": ["employeeNumber", "email"], "pageSize": 100, "page": 2},
    ),
    Listing(
        "netsuite",
        "suiteql",
        (
            answer({"count": 1000, "hasMore": True, "items": [{"id": each} for each in full(1, 1000)], "offset": 0}),
            answer({"count": 1, "hasMore": False, "items": [{"id": "1001"}], "offset": 1000}),
        ),
        "/services/rest/query/v1/suiteql?limit=1000&offset=1000",
        tuple(full(1, 1001)),
        {"q": "SELECT id, companyname FROM customer WHERE id >= 0 ORDER BY id"},
    ),
    Listing(
        "quickbooks",
        "customers",
        (customers(1, *full(1, 100)), customers(101, "101")),
        "/v3/company/4620816365/query?minorversion=75"
        "&query=SELECT%20%2A%20FROM%20Customer%20STARTPOSITION%20101%20MAXRESULTS%20100",
        tuple(full(1, 101)),
    ),
    Listing(
        "xero",
        "contacts",
        (
            answer({"Status": "OK", "pagination": {"page": 1, "pageCount": 2}, "Contacts": [{"ContactID": "a"}]}),
            answer({"Status": "OK", "pagination": {"page": 2, "pageCount": 2}, "Contacts": [{"ContactID": "b"}]}),
        ),
        "/api.xro/2.0/Contacts?pageSize=100&page=2",
        ("a", "b"),
    ),
    Listing(
        "github",
        "issues",
        (
            answer([{"id": 1}], link("https://api.github.com/repositories/1/issues?per_page=100&after=Y3Vy%3D&page=2")),
            answer([{"id": 2}]),
        ),
        "/repositories/1/issues?per_page=100&after=Y3Vy%3D&page=2",
        (1, 2),
        params={"owner": "acme", "repo": "shop"},
    ),
    Listing(
        "slack",
        "users",
        (
            answer({"ok": True, "members": [{"id": "U1"}], "response_metadata": {"next_cursor": "dXNlcjpVMEc="}}),
            answer({"ok": True, "members": [{"id": "U2"}], "response_metadata": {"next_cursor": ""}}),
        ),
        "/api/users.list?limit=200&cursor=dXNlcjpVMEc%3D",
        ("U1", "U2"),
    ),
    Listing(
        "stripe",
        "customers",
        (
            answer({"object": "list", "has_more": True, "data": [{"id": "cus_2", "email": None}]}),
            answer({"object": "list", "has_more": False, "data": [{"id": "cus_1", "email": "a@ex.test"}]}),
        ),
        "/v1/customers?limit=100&starting_after=cus_2",
        ("cus_2", "cus_1"),
    ),
    Listing(
        "zendesk",
        "tickets",
        (
            answer({"tickets": [{"id": 1}], "meta": {"has_more": True, "after_cursor": "eyJv"}}),
            answer({"tickets": [{"id": 2}], "meta": {"has_more": False, "after_cursor": None, "before_cursor": None}}),
        ),
        "/api/v2/tickets.json?page%5Bsize%5D=100&page%5Bafter%5D=eyJv",
        (1, 2),
    ),
    Listing(
        "shopify",
        "customers",
        (
            answer(
                {"customers": [{"id": 1}]},
                link("https://acme.myshopify.com/admin/api/2026-04/customers.json?limit=250&page_info=eyJk"),
                ("x-shopify-shop-api-call-limit", "1/40"),
            ),
            answer(
                {"customers": [{"id": 2}]},
                link("https://acme.myshopify.com/admin/api/2026-04/customers.json?page_info=x", "previous"),
            ),
        ),
        "/admin/api/2026-04/customers.json?limit=250&page_info=eyJk",
        (1, 2),
    ),
    Listing(
        "shopify: GraphQL",
        "customers",
        (graphql("eyJs", "gid://shopify/Customer/1"), graphql(None, "gid://shopify/Customer/2")),
        "/admin/api/2026-04/graphql.json",
        ("gid://shopify/Customer/1", "gid://shopify/Customer/2"),
        {
            "query": "query ($first: Int, $after: String) { customers(first: $first, after: $after)"
            " { nodes { id } pageInfo { hasNextPage endCursor } } }",
            "variables": {"after": "eyJs", "first": 250},
        },
        operation="search",
    ),
    Listing(
        "jira",
        "issues",
        (
            answer({"issues": [{"id": "10001"}], "nextPageToken": "CAEaAggD", "isLast": False}),
            answer({"issues": [{"id": "10002"}], "isLast": True}),
        ),
        f"/ex/jira/{providers.TENANT}/rest/api/3/search/jql"
        "?jql=updated%20%3E%20-30d&fields=summary%2Cupdated%2Ccustomfield_10016&maxResults=100&nextPageToken=CAEaAggD",
        ("10001", "10002"),
    ),
    Listing(
        "jira: a page size that the server lowers",
        "projects",
        (
            answer({"startAt": 0, "maxResults": 1, "total": 2, "isLast": False, "values": [{"id": "1"}]}),
            answer({"startAt": 1, "maxResults": 1, "total": 2, "isLast": True, "values": [{"id": "2"}]}),
        ),
        f"/ex/jira/{providers.TENANT}/rest/api/3/project/search?maxResults=50&startAt=1",
        ("1", "2"),
    ),
    Listing(
        "intercom",
        "contacts",
        (
            answer({"type": "list", "data": [{"id": "1"}], "pages": {"page": 1, "next": {"starting_after": "WzE3"}}}),
            answer({"type": "list", "data": [{"id": "2"}], "pages": {"page": 2, "next": None}}),
        ),
        "/contacts?per_page=150&starting_after=WzE3",
        ("1", "2"),
    ),
    Listing(
        "intercom: articles",
        "articles",
        (
            answer(
                {
                    "data": [{"id": "1"}],
                    "pages": {"page": 0, "next": "https://api.intercom.io/articles?page=2&per_page=1"},
                }
            ),
            answer({"data": [{"id": "2"}], "pages": {"page": 2}}),
        ),
        "/articles?page=2&per_page=1",
        ("1", "2"),
    ),
    Listing(
        "intercom: search",
        "contacts",
        (
            answer({"type": "list", "data": [{"id": "1"}], "pages": {"next": {"page": 2, "starting_after": "WzE3"}}}),
            answer({"type": "list", "data": [{"id": "2"}], "pages": {}}),
        ),
        "/contacts/search",
        ("1", "2"),
        {
            "query": {"field": "created_at", "operator": ">", "value": 0},
            "pagination": {"per_page": 150, "starting_after": "WzE3"},
        },
        operation="search",
    ),
    Listing(
        "intercom: a scroll",
        "contacts",
        (
            answer({"data": [{"id": "1"}], "scroll_param": "s"}),
            answer({"data": [{"id": "2"}], "scroll_param": "s"}),
            answer({"data": [], "scroll_param": "s"}),
        ),
        "/contacts/scroll?scroll_param=s",
        ("1", "2"),
        operation="scroll",
    ),
    Listing(
        "notion",
        "users",
        (
            answer({"object": "list", "results": [{"id": "a"}], "next_cursor": "fe2c", "has_more": True}),
            answer({"object": "list", "results": [{"id": "b"}], "next_cursor": None, "has_more": False}),
        ),
        "/v1/users?page_size=100&start_cursor=fe2c",
        ("a", "b"),
    ),
    Listing(
        "notion: search",
        "pages",
        (
            answer({"object": "list", "results": [{"id": "a"}], "next_cursor": "fe2c", "has_more": True}),
            answer({"object": "list", "results": [{"id": "b"}], "next_cursor": None, "has_more": False}),
        ),
        "/v1/search",
        ("a", "b"),
        {"filter": {"property": "object", "value": "page"}, "page_size": 100, "start_cursor": "fe2c"},
        operation="search",
    ),
    Listing(
        "airtable",
        "records",
        (
            answer({"records": [{"id": "rec1", "fields": {"Name": "x"}}], "offset": "itr1/rec1"}),
            answer({"records": [{"id": "rec2", "fields": {}}]}),
        ),
        "/v0/app1/Contacts?pageSize=100&offset=itr1%2Frec1",
        ("rec1", "rec2"),
        params={"base_id": "app1", "table": "Contacts"},
    ),
    Listing(
        "microsoft-graph",
        "users",
        (
            answer(
                {
                    "value": [{"id": "87d3", "mail": None, "displayName": "Ann"}],
                    "@odata.nextLink": "https://graph.microsoft.com/v1.0/users?%24top=1&$skiptoken=RFNwd",
                }
            ),
            answer({"value": [{"id": "87d4", "mail": "b@ex.test", "displayName": "Bo"}]}),
        ),
        "/v1.0/users?%24top=1&$skiptoken=RFNwd",
        ("87d3", "87d4"),
    ),
    Listing(
        "google",
        "files",
        (
            answer({"kind": "drive#fileList", "files": [{"id": "1x"}], "nextPageToken": "~!!~AI"}),
            answer({"kind": "drive#fileList", "files": [{"id": "2x"}], "nextPageToken": ""}),
        ),
        "/drive/v3/files?q=trashed%20%3D%20false&pageSize=100&pageToken=~%21%21~AI",
        ("1x", "2x"),
    ),
    Listing(
        "marketo",
        "leads",
        (
            answer({"requestId": "a#1", "success": True, "nextPageToken": "GWP", "result": [{"id": 1}]}),
            answer({"requestId": "a#2", "success": True, "result": [{"id": 2}]}),
        ),
        "/rest/v1/leads.json?filterType=email&batchSize=300&nextPageToken=GWP",
        (1, 2),
    ),
    Listing(
        "freshdesk",
        "tickets",
        (
            answer(
                [{"id": 1, "updated_at": "2026-01-02T03:04:05Z"}],
                link("https://acme.freshdesk.com/api/v2/tickets?page=2&per_page=100"),
            ),
            answer([{"id": 2, "updated_at": "2026-01-02T03:04:06Z"}]),
        ),
        "/api/v2/tickets?page=2&per_page=100",
        (1, 2),
    ),
    Listing(
        "okta",
        "users",
        (
            answer(
                [{"id": "00u1"}],
                link("https://acme.okta.com/api/v1/users?limit=200", "self"),
                link("https://acme.okta.com/api/v1/users?after=00u2&limit=200"),
                ("x-rate-limit-remaining", "599"),
            ),
            answer([{"id": "00u2"}], link("https://acme.okta.com/api/v1/users?after=00u2&limit=200", "self")),
        ),
        "/api/v1/users?after=00u2&limit=200",
        ("00u1", "00u2"),
    ),
    Listing(
        "scim",
        "users",
        (
            answer({"totalResults": 2, "startIndex": 0, "itemsPerPage": 1, "Resources": [{"id": "1"}]}),
            answer({"totalResults": 2, "startIndex": 0, "itemsPerPage": 1, "Resources": [{"id": "2"}]}),
        ),
        "/scim/v2/Users?count=100&startIndex=2",
        ("1", "2"),
    ),
    Listing(
        "scim: a cursor",
        "users",
        (
            answer({"totalResults": 2, "nextCursor": "VZUTiy", "Resources": [{"id": "1"}]}),
            answer({"totalResults": 2, "Resources": [{"id": "2"}]}),
        ),
        "/scim/v2/Users?count=100&cursor=VZUTiy",
        ("1", "2"),
        operation="cursor",
    ),
]


@dataclass(frozen=True, slots=True)
class Read:
    """A read of several kinds of requests: what is asked in order, without the origin, and the records."""

    id: str
    target: str
    answers: tuple[Response, ...]
    asked: tuple[str, ...]
    records: tuple[JsonValue, ...]
    operation: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)


READS = [
    Read(
        "marketo: the first token comes from another request",
        "activities",
        (
            answer({"success": True, "moreResult": False, "nextPageToken": "GWP"}),
            answer({"success": True, "moreResult": False, "nextPageToken": "GWQ", "result": [{"id": 1}]}),
        ),
        (
            "/rest/v1/activities/pagingtoken.json?sinceDatetime=2026-01-01T00%3A00%3A00Z",
            "/rest/v1/activities.json?activityTypeIds=1&batchSize=300&nextPageToken=GWP",
        ),
        ({"id": 1},),
        params={"since": "2026-01-01T00:00:00Z"},
    ),
    Read(
        "netsuite: the listing has ids alone",
        "customers",
        (
            answer({"count": 2, "hasMore": False, "items": [{"id": "107"}, {"id": "108"}], "totalResults": 2}),
            answer({"id": "107", "companyName": "Acme"}),
            answer({"title": "Not Found", "status": 404}, status=404),  # deleted since it was listed
        ),
        (
            "/services/rest/record/v1/customer?limit=100&offset=0",
            "/services/rest/record/v1/customer/107?expandSubResources=true",
            "/services/rest/record/v1/customer/108?expandSubResources=true",
        ),
        ({"id": "107", "companyName": "Acme"}, {"id": "108"}),
    ),
    Read(
        "google: so has this one, and no list where it is empty",
        "messages",
        (
            answer({"messages": [{"id": "m1"}], "nextPageToken": "7", "resultSizeEstimate": 1}),
            answer({"id": "m1", "snippet": "Hi"}),
            answer({"resultSizeEstimate": 0}),
        ),
        (
            "/gmail/v1/users/me/messages?maxResults=100",
            "/gmail/v1/users/me/messages/m1",
            "/gmail/v1/users/me/messages?maxResults=100&pageToken=7",
        ),
        ({"id": "m1", "snippet": "Hi"},),
    ),
    Read(
        "xero: once for each tenant",
        "contacts",
        (
            answer([{"tenantId": "t1"}, {"tenantId": "t2"}]),
            answer({"pagination": {"page": 1, "pageCount": 1}, "Contacts": [{"ContactID": "a"}]}),
            answer({"pagination": {"page": 1, "pageCount": 1}, "Contacts": [{"ContactID": "b"}]}),
        ),
        (
            "/connections",
            "/api.xro/2.0/Contacts?pageSize=100&page=1",
            "/api.xro/2.0/Contacts?pageSize=100&page=1",
        ),
        (
            {"ContactID": "a", "_tenant": {"tenantId": "t1"}},
            {"ContactID": "b", "_tenant": {"tenantId": "t2"}},
        ),
        operation="everywhere",
    ),
    Read(
        "salesforce: children have pages of their own",
        "accounts",
        (
            answer(
                {
                    "totalSize": 1,
                    "done": True,
                    "records": [
                        {
                            "Id": "001x",
                            "Contacts": {
                                "totalSize": 2,
                                "done": False,
                                "nextRecordsUrl": "/services/data/v60.0/query/0r8xx-1",
                                "records": [{"Id": "003x1"}],
                            },
                        }
                    ],
                }
            ),
            answer({"totalSize": 2, "done": True, "records": [{"Id": "003x2"}]}),
        ),
        (
            "/services/data/v60.0/query?q=SELECT%20Id%2C%20%28SELECT%20Id%20FROM%20Contacts%29%20FROM%20Account",
            "/services/data/v60.0/query/0r8xx-1",
        ),
        (
            {
                "Id": "001x",
                "Contacts": {
                    "totalSize": 2,
                    "done": False,
                    "nextRecordsUrl": "/services/data/v60.0/query/0r8xx-1",
                    "records": [{"Id": "003x1"}, {"Id": "003x2"}],
                },
            },
        ),
    ),
    Read(
        "stripe: so have the lines of an invoice",
        "invoices",
        (
            answer(
                {
                    "object": "list",
                    "has_more": False,
                    "data": [{"id": "in_1", "lines": {"object": "list", "has_more": True, "data": [{"id": "il_1"}]}}],
                }
            ),
            answer({"object": "list", "has_more": False, "data": [{"id": "il_2"}]}),
        ),
        ("/v1/invoices?limit=100", "/v1/invoices/in_1/lines?limit=100&starting_after=il_1"),
        ({"id": "in_1", "lines": {"object": "list", "has_more": True, "data": [{"id": "il_1"}, {"id": "il_2"}]}},),
    ),
    Read(
        "zendesk: an export goes on with its cursor alone",
        "tickets",
        (
            answer({"tickets": [{"id": 1}], "after_cursor": "MTU3", "end_of_stream": False}),
            answer({"tickets": [{"id": 2}], "after_cursor": "MTU4", "end_of_stream": True}),
        ),
        (
            "/api/v2/incremental/tickets/cursor.json?start_time=1767323045",
            "/api/v2/incremental/tickets/cursor.json?cursor=MTU3",
        ),
        ({"id": 1}, {"id": 2}),
        operation="export",
        params={"start_time": "1767323045"},
    ),
    Read(
        "marketo: assets end by a warning, without a list",
        "programs",
        (answer({"success": True, "warnings": ["No assets found for the given search criteria."]}),),
        ("/rest/asset/v1/programs.json?maxReturn=200&offset=0",),
        (),
    ),
    Read(
        "workday-rest: a report is one answer",
        "report",
        (answer({"Report_Entry": [{"Employee_ID": "21001"}]}),),
        ("/ccx/service/customreport2/acme_gms/lmcneil/Headcount?format=json",),
        ({"Employee_ID": "21001"},),
        params={"owner": "lmcneil", "report": "Headcount"},
    ),
]


@pytest.mark.parametrize("read", READS, ids=lambda read: read.id)
def test_a_read_of_several_requests(read: Read) -> None:
    """Seeds, ids that are filled up, tenants, lists inside records: what is asked, in order, and what comes of it."""
    provider = scripted(*read.answers)
    call = Call(raw=True, params=read.params)

    records = providers.read(loaded(read.id.partition(":")[0]), provider, read.target, read.operation, call)

    assert list(read.records) == records
    assert list(read.asked) == ["/" + request.url.split("/", 3)[3] for request in provider.requests]


def test_every_provider_has_a_config() -> None:
    """The 25 of the checklist; two of them have two APIs, which sign differently, and so two configs."""
    assert {*PROVIDERS, "greenhouse-v1", "workday-rest"} == set(NAMES)
    assert 25 == len(PROVIDERS)


@pytest.mark.parametrize("name", NAMES)
def test_a_config_has_no_problem(name: str) -> None:
    """It loads, and every expression of its mappings fits its unified model."""
    connector = loaded(name)

    check_mappings(connector, {model: load_model(MODELS, model) for model in connector.unified}, SystemClock())


@pytest.mark.parametrize("name", NAMES)
def test_every_config_has_a_listing_that_is_read(name: str) -> None:
    """No config stands here unread."""
    assert name in {listing.provider for listing in LISTINGS}


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: listing.id)
def test_a_listing_reads_whole(listing: Listing) -> None:
    """Two pages as the provider documents them: every record once, and the second request as it wants it."""
    connector, provider = loaded(listing.provider), scripted(*listing.pages)
    operation = connector.resources[listing.target].operations[listing.operation or "list"]

    records = providers.read(
        connector, provider, listing.target, listing.operation, Call(raw=True, params=listing.params)
    )

    assert operation.key is not None
    assert list(listing.keys) == [operation.key.find(each) for each in records]
    asked = provider.requests[1]
    assert listing.second == "/" + asked.url.split("/", 3)[3]
    if listing.body is not None:
        assert listing.body == json.loads(asked.body or b"null")


@pytest.mark.parametrize("name", NAMES)
def test_a_credential_is_sent_as_the_provider_wants_it(name: str) -> None:
    """The header, the scheme's own word, the fixed side of a pair."""
    listing = next(each for each in LISTINGS if each.provider == name)
    provider = scripted(*listing.pages)
    providers.read(loaded(name), provider, listing.target, listing.operation, Call(raw=True, params=listing.params))
    request = provider.requests[0]
    sent = request.header("authorization") or ""

    match name:
        case "shopify":
            assert ("invented-access_token", "") == (request.header("x-shopify-access-token"), sent)
        case "workday":
            assert b"<wsse:Username>invented-username@acme_gms</wsse:Username>" in (request.body or b"")
        case "netsuite":
            assert sent.startswith('OAuth realm="123456_SB1", ')
            assert request.url.startswith("https://123456-sb1.suitetalk.api.netsuite.com/")
        case _:
            assert SENT.get(name, "Bearer invented-access_token") == sent


def pair(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


SENT = {
    "bamboohr": pair("invented-api_key:x"),
    "freshdesk": pair("invented-api_key:X"),
    "greenhouse-v1": pair("invented-api_key:"),
    "okta": "SSWS invented-api_token",
    "stripe": pair("invented-secret_key:"),
    "zendesk": pair("invented-email/token:invented-api_token"),
    "zoho": "Zoho-oauthtoken invented-access_token",
}


@pytest.mark.parametrize(
    ("name", "header", "value"),
    [
        ("bamboohr", "accept", "application/json"),
        ("github", "x-github-api-version", "2022-11-28"),
        ("intercom", "intercom-version", "2.11"),
        ("netsuite", "prefer", "transient"),
        ("notion", "notion-version", "2022-06-28"),
        ("salesforce", "sforce-query-options", "batchSize=2000"),
        ("stripe", "stripe-version", "2026-06-24.dahlia"),
        ("xero", "accept", "application/json"),
        ("xero", "xero-tenant-id", providers.TENANT),
    ],
)
def test_V5_a_mandatory_header_goes_with_every_page(name: str, header: str, value: str) -> None:
    """Without it the provider answers in another format, of another tenant, or not at all."""
    listing = next(each for each in LISTINGS if each.provider == name)
    provider = scripted(*listing.pages)
    providers.read(loaded(name), provider, listing.target, listing.operation, Call(raw=True, params=listing.params))

    assert [value, value] == [request.header(header) for request in provider.requests]


def test_V1_a_version_named_by_a_month_stands_elsewhere_in_the_path() -> None:
    """HubSpot's successors of v3: the version's value and the paths, nothing else of the config."""
    said = json.loads(
        json.dumps(document("hubspot")).replace("/crm/{api_version}/objects/", "/crm/objects/{api_version}/")
    )
    said["api_version"] = {"value": "2026-03", "in": "path"}
    provider = scripted(answer({"results": [{"id": "1"}], "paging": {"next": {"after": "2"}}}), answer({"results": []}))

    providers.read(parse(json.dumps(said).encode(), folder="hubspot"), provider, "contacts")

    assert ["/crm/objects/2026-03/contacts"] * 2 == [urlsplit(request.url).path for request in provider.requests]


@pytest.mark.parametrize("name", [name for name in NAMES if loaded(name).unified])
def test_a_record_becomes_unified(name: str) -> None:
    """The mapping gives the model's records, from the same pages."""
    (mapping,) = loaded(name).unified.values()
    listing = next(each for each in LISTINGS if each.provider == name and each.target == mapping.resource)
    provider = scripted(*listing.pages)
    engine = providers.engine(loaded(name), provider, models={mapping.model: load_model(MODELS, mapping.model)})

    async def whole() -> list[JsonValue]:
        return [each async for each in engine.read(mapping.model, listing.operation, Call(params=listing.params))]

    records = asyncio.run(whole())

    assert [str(key) for key in listing.keys] == [each["id"] for each in records if isinstance(each, dict)]
