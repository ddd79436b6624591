"""Which client lists what, and how its requests differ from the recorded ones."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from comparing import Client, Listing
from connproof.model import Request
from traffic import Corpus, Ours, Simulated

__all__ = ["LISTINGS"]


def without_last_slash(request: Request) -> Request:
    """It asks /query/?q=, others /query?q=."""
    return replace(request, url=request.url.replace("/query/?", "/query?"))


def bearer(request: Request) -> Request:
    """It calls its token "token", others call it "Bearer"."""
    headers = tuple((name, re.sub("^token ", "Bearer ", value)) for name, value in request.headers)
    return replace(request, headers=headers)


def one_as_true(request: Request) -> Request:
    """It says presence=1, others presence=true."""
    return replace(request, body=(request.body or b"").replace(b"presence=1", b"presence=true"))


def token_in_form(request: Request) -> Request:
    """Its token is in a header, those of its day had it in the form."""
    asked = one_as_true(request)
    return replace(asked, body=(asked.body or b"") + b"&token=token")


def without_index(request: Request) -> Request:
    """It counts what is to be expanded (expand[0]=), others do not (expand[]=)."""
    return replace(request, url=re.sub(r"expand(\[|%5B)[0-9](\]|%5D)", "expand[]", request.url))


def properties_as_one(request: Request) -> Request:
    """It names properties one by one (properties=a&properties=b), others in one list."""
    return _as_one(request, "properties")


def without_nulls(request: Request) -> Request:
    """It sends expand as null and validateQuery as true, which is the default, others neither."""
    body = json.loads(request.body or b"{}")
    kept = {name: value for name, value in body.items() if name not in {"expand", "validateQuery"}}
    return replace(request, body=json.dumps(kept).encode())


def fields_as_one(request: Request) -> Request:
    """It names fields one by one (fields=a&fields=b), others in one list."""
    return _as_one(request, "fields")


def _as_one(request: Request, parameter: str) -> Request:
    """Several parameters of one name as one, their values in a list with commas."""
    url = urlsplit(request.url)
    pairs = parse_qsl(url.query)
    values = ",".join(value for name, value in pairs if name == parameter)
    rest = [(name, value) for name, value in pairs if name != parameter]
    return replace(request, url=url._replace(query=urlencode([*rest, (parameter, values)])).geturl())


def as_query(request: Request) -> Request:
    """It posts the query as a text, others ask for it in the URL."""
    url, text = urlsplit(request.url), (request.body or b"").decode()
    query = urlencode([*parse_qsl(url.query), ("query", text)])
    return replace(request, method="GET", url=url._replace(query=query).geturl(), body=None)


def as_old_query(request: Request) -> Request:
    """It posts the query as a text and names a minor version, others asked for it in the URL and named none."""
    asked = as_query(request)
    return replace(asked, url=asked.url.replace("minorversion=75&", ""))


_SALESFORCE: Final = Client("simple-salesforce", "query_salesforce.py")
_GITHUB: Final = Client("PyGithub", "list_of_github_repository.py")
_SLACK: Final = Client("slack_sdk", "list_slack_users.py")
_STRIPE: Final = Client("stripe", "ask_stripe.py")
_HUBSPOT: Final = Client("hubspot-api-client", "list_hubspot_objects.py")
_JIRA: Final = Client("jira", "ask_jira.py")
_XERO: Final = Client("xero-python", "list_xero_models.py")
_PYXERO: Final = Client("pyxero", "list_xero_dicts.py")
_QUICKBOOKS: Final = Client("python-quickbooks", "query_quickbooks.py")

_NANGO: Final = "{0}/nango-{0}/integrations/{0}/tests/{1}.test.json"
_GITHUB3: Final = "github/github3.py/tests/cassettes/Repository_{0}.json"
_OCTOKIT: Final = "github/octokit-fixtures/scenarios/api.github.com/paginate-issues/normalized-fixture.json"
_SLACK_RUBY: Final = "slack/slack-ruby-client{0}/spec/fixtures/slack/web/paginated_users_list.yml"
_PAY: Final = "stripe/pay/test/vcr_cassettes/test_stripe_{0}.yml"
_PAY_CUT: Final = (("<VENDOR_ID>", "1"), ("<VENDOR_AUTH_CODE>", "x"))
_ACTIVE_PROJECT: Final = "jira/active_project/test/fixtures/vcr_cassettes/jira_adapter/{0}_static.yml"
_QBO_API: Final = "quickbooks/qbo_api/spec/vcr/all/vendors_by_5.yml"

_FIELDS: Final = "summary,description,status,assignee,reporter,created,updated,project,issuetype,duedate,priority"
_TENANT: Final = "7c1d0a52-0000-4000-8000-00000000a001"
_PAGE: Final = "STARTPOSITION {start} MAXRESULTS {count}"

_CUSTOMERS: Final = Simulated(
    "stripe",
    "customers.list",
    records=10,
    size=3,
    record={"object": "customer", "created": 1767323045, "email": None, "livemode": False, "metadata": {}},
    envelope={"object": "list", "url": "/v1/customers"},
)
_FOUND_ISSUES: Final = Simulated(
    "jira",
    "found_issues.list",
    records=250,
    size=100,
    record={"key": "ACME-1", "fields": {"summary": "Roof", "updated": "2026-01-02T03:04:05.000+0000"}},
)

LISTINGS: Final = (
    Listing(_SALESFORCE, Ours("salesforce", "contacts.list"), ("$instance_url", "60.0", "$q"), without_last_slash),
    *(
        Listing(
            _SALESFORCE,
            Corpus("salesforce", f"{what}.list", _NANGO.format("salesforce", file), count=pages),
            ("https://provider.test", "59.0", "$q"),
            without_last_slash,
        )
        for what, file, pages in (
            ("accounts", "articles", 3),
            ("opportunities", "opportunities", 1),
            ("users", "users", 1),
        )
    ),
    Listing(
        _GITHUB,
        Ours("github", "issues.list"),
        ("get_issues", "$owner/$repo", "$per_page", '{"state": "$state"}'),
        bearer,
        ignored=("accept", "x-github-api-version"),
    ),
    Listing(
        _GITHUB,
        Corpus("github", "issues.list", _OCTOKIT, count=5),
        ("get_issues", "octokit-fixture-org/paginate-issues", "$per_page", "{}"),
    ),
    Listing(
        _GITHUB,
        Corpus("github", "issues.list", _GITHUB3.format("issues_state_all"), first=2, count=2),
        ("get_issues", "betamaxpy/betamax", "$per_page", '{"state": "$state"}'),
    ),
    Listing(
        _GITHUB,
        Corpus("github", "refs.list", _GITHUB3.format("refs"), first=1, count=7),
        ("get_git_refs", "sigmavirus24/github3.py", "$per_page", "{}"),
    ),
    Listing(
        _GITHUB,
        Corpus("github", "stargazers.list", _GITHUB3.format("stargazers"), first=2, count=5),
        ("get_stargazers", "betamaxpy/betamax", "$per_page", "{}"),
    ),
    Listing(_SLACK, Corpus("slack", "users.list", _SLACK_RUBY.format(""), count=7), ("5",), one_as_true),
    Listing(
        _SLACK,
        Corpus("slack", "users.list", _SLACK_RUBY.format("-history/2017-08-29-877c4c8"), count=5),
        ("5",),
        token_in_form,
    ),
    Listing(
        _STRIPE,
        Corpus("stripe", "invoice_payments.list", _PAY.format("allows_subscription_quantities"), first=6, cut=_PAY_CUT),
        (
            "invoice_payments",
            '{"payment": {"payment_intent": "$payment_payment_intent", "type": "$payment_type"}, "status": "$status"}',
        ),
    ),
    Listing(
        _STRIPE,
        Corpus("stripe", "charges.get", _PAY.format("allows_subscription_quantities"), first=5, cut=_PAY_CUT),
        ("charges", '{"expand": ["balance_transaction", "payment_intent", "refunds.data.balance_transaction"]}', "$id"),
        without_index,
    ),
    Listing(
        _STRIPE,
        Corpus("stripe", "invoices.get", _PAY.format("allows_subscription_quantities"), first=7, cut=_PAY_CUT),
        ("invoices", '{"expand": ["total_discount_amounts.discount.source.coupon"]}', "$id"),
        without_index,
    ),
    Listing(
        _STRIPE,
        Corpus("stripe", "subscriptions.get", _PAY.format("can_retrieve_subscription"), first=4, cut=_PAY_CUT),
        ("subscriptions", "{}", "$id"),
    ),
    Listing(_STRIPE, _CUSTOMERS, ("customers", '{"limit": $limit}')),
    Listing(_HUBSPOT, Ours("hubspot", "contacts.list"), ("contacts", "$limit", "$properties"), properties_as_one),
    *(
        Listing(
            _HUBSPOT,
            Corpus("hubspot", f"{kind}.list", _NANGO.format("hubspot", f"list-{kind}")),
            (kind, "$limit", "$properties"),
            properties_as_one,
        )
        for kind in ("contacts", "companies", "deals")
    ),
    Listing(
        _JIRA,
        Corpus("jira", "issues.search", _ACTIVE_PROJECT.format("list_issues")),
        ("search", "project = 'LAC' ORDER BY created DESC", _FIELDS),
        without_nulls,
    ),
    Listing(
        _JIRA,
        Corpus("jira", "transitions.list", _ACTIVE_PROJECT.format("transition_issue_success")),
        ("transitions", "$issue"),
    ),
    Listing(
        _JIRA,
        Corpus("jira", "issues.get", _ACTIVE_PROJECT.format("find_issue_success"), first=1),
        ("issue", "$issue", _FIELDS),
    ),
    Listing(_JIRA, _FOUND_ISSUES, ("pages", "$jql", "$fields"), fields_as_one),
    Listing(
        _XERO,
        Ours("xero", "invoices.list"),
        ("get_invoices", "invoices", "$tenant_id", "$pageSize", '{"page_size": $pageSize}'),
    ),
    Listing(
        _XERO,
        Corpus("xero", "contacts.list", _NANGO.format("xero", "contacts"), count=2),
        ("get_contacts", "contacts", _TENANT, "1", '{"order": "$order", "include_archived": "$includeArchived"}'),
    ),
    Listing(
        _XERO,
        Corpus("xero", "purchase_orders.list", _NANGO.format("xero", "purchase-orders"), count=2),
        ("get_purchase_orders", "purchase_orders", _TENANT, "1", "{}"),
    ),
    Listing(
        _PYXERO,
        Ours("xero", "invoices.list"),
        ("invoices", "$tenant_id", "$pageSize", '{"pageSize": $pageSize}'),
    ),
    Listing(
        _PYXERO,
        Corpus("xero", "contacts.list", _NANGO.format("xero", "contacts"), count=2),
        ("contacts", _TENANT, "1", '{"order": "$order", "includeArchived": $includeArchived}'),
    ),
    Listing(
        _PYXERO,
        Corpus("xero", "purchase_orders.list", _NANGO.format("xero", "purchase-orders"), count=2),
        ("purchaseorders", _TENANT, "1", "{}"),
    ),
    *(
        Listing(
            _QUICKBOOKS,
            Ours("quickbooks", lane),
            (entity, "production", "$realm_id", "3", f"SELECT * FROM {what} ORDERBY Id {_PAGE}"),
            as_query,
        )
        for lane, entity, what in (
            ("invoices.list", "Invoice", "Invoice"),
            ("customers.list", "Customer", "Customer WHERE Active IN (true, false)"),
        )
    ),
    Listing(
        _QUICKBOOKS,
        Corpus("quickbooks", "vendors.list", _QBO_API, first=1, count=6),
        ("Vendor", "sandbox", "$company", "5", "SELECT * FROM Vendor MAXRESULTS {count} STARTPOSITION {start}"),
        as_old_query,
    ),
    *(
        Listing(
            _QUICKBOOKS,
            Corpus("quickbooks", f"{name}.list", _NANGO.format("quickbooks", f"list-{name}")),
            (entity, "sandbox", "$company", "100", f"SELECT * FROM {entity} {_PAGE}"),
            as_old_query,
        )
        for name, entity in (("bills", "Bill"), ("estimates", "Estimate"))
    ),
)
