"""What each provider's answers mean, by its config: expired tokens, throttles and their waits, errors, batches."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

import providers
from connproof.errors import AccessRefused, ProviderBusy, ProviderSaid
from connproof.model import Response
from connproof.places import JsonValue
from connproof.run import Call
from providers import loaded, soap, xml
from scripted import answer, scripted

PARAMS = {"github": {"owner": "acme", "repo": "shop"}, "airtable": {"base_id": "app1", "table": "T"}}


def refused(name: str, target: str, response: Response) -> ProviderSaid:
    """The error that a listing of this provider ends in whose first answer this is."""
    with pytest.raises(ProviderSaid) as caught:
        providers.read(loaded(name), scripted(response), target, call=Call(raw=True, params=PARAMS.get(name, {})))
    return caught.value


def marketo(code: str) -> Response:
    return answer({"requestId": "e42b", "success": False, "errors": [{"code": code, "message": "..."}]})


FAULT: JsonValue = {
    "warnings": None,
    "fault": {
        "error": [{"message": "message=AuthenticationFailed; errorCode=003200; statusCode=401", "code": "3200"}],
        "type": "AUTHENTICATION",
    },
    "queryResponse": None,
    "time": 1633520295688,
}

SESSION: JsonValue = [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]


@pytest.mark.parametrize(
    ("name", "target", "response", "code"),
    [
        pytest.param("salesforce", "contacts", answer(SESSION, status=401), "INVALID_SESSION_ID", id="salesforce"),
        pytest.param("slack", "users", answer({"ok": False, "error": "token_expired"}), "token_expired", id="slack"),
        pytest.param("marketo", "leads", marketo("601"), "601", id="marketo, invalid"),
        pytest.param("marketo", "leads", marketo("602"), "602", id="marketo, expired"),
        pytest.param("zoho", "contacts", answer({"code": "INVALID_TOKEN"}, status=401), "INVALID_TOKEN", id="zoho"),
        pytest.param("quickbooks", "customers", answer(FAULT, status=401), "3200", id="quickbooks, JSON"),
        pytest.param(
            "quickbooks",
            "customers",
            xml(
                '<IntuitResponse><Fault type="AUTHENTICATION"><Error code="3200"/></Fault></IntuitResponse>', status=401
            ),
            "3200",
            id="quickbooks, XML",
        ),
        pytest.param(
            "workday",
            "workers",
            soap("<Fault><faultcode>SOAP-ENV:Client.authenticationError</faultcode></Fault>", status=500),
            "SOAP-ENV:Client.authenticationError",
            id="workday, a fault",
        ),
        pytest.param("github", "issues", answer({"message": "Bad credentials"}, status=401), "", id="any 401"),
    ],
)
def test_A6_an_expired_token_is_known_by_status_and_body(name: str, target: str, response: Response, code: str) -> None:
    """Whatever the status is: this is the answer after which a token is refreshed."""
    error = refused(name, target, response)

    assert (AccessRefused, "auth_expired") == (type(error), error.meaning)
    assert code == error.code or not code


@pytest.mark.parametrize(
    ("name", "target", "response", "meaning"),
    [
        pytest.param("slack", "users", answer({"ok": False, "error": "missing_scope"}), "forbidden", id="no scope"),
        pytest.param("slack", "users", answer({"ok": False, "error": "token_revoked"}), "auth_revoked", id="revoked"),
        pytest.param("marketo", "leads", marketo("603"), "forbidden", id="no right"),
        pytest.param("marketo", "leads", marketo("610"), "failed", id="another code"),
        pytest.param("salesforce", "contacts", answer([{"errorCode": "X"}], status=403), "forbidden", id="a 403"),
        pytest.param(
            "workday",
            "workers",
            soap("<Fault><faultcode>SOAP-ENV:Client.validationError</faultcode></Fault>", status=500),
            "invalid",
            id="another fault",
        ),
        pytest.param("workday", "workers", Response(500, (), b"oops"), "transient", id="a plain 500"),
    ],
)
def test_A6_what_no_new_token_would_change_is_not_called_expired(
    name: str, target: str, response: Response, meaning: str
) -> None:
    """A refresh for each of these would be in vain; some providers count them."""
    assert meaning == refused(name, target, response).meaning


def fates(name: str, target: str, operation: str, response: Response) -> list[tuple[bool, str | None, str]]:
    """What is told of each element of a batch of two: whether it was written, its id, its code or else its message."""
    engine = providers.engine(loaded(name), scripted(response))
    written = asyncio.run(engine.write_many(target, operation, [{"a": 1}, {"a": 2}], Call(raw=True)))
    return [(element.ok, element.id, element.code or element.message) for element in written.elements]


def fault(code: str) -> JsonValue:
    return {"Error": [{"Message": "...", "Detail": "...", "code": code, "element": ""}], "type": "ValidationFault"}


@pytest.mark.parametrize(
    ("name", "target", "operation", "response", "expected"),
    [
        pytest.param(
            "hubspot",
            "contacts",
            "create_many",
            answer(
                {
                    "status": "COMPLETE",
                    "results": [{"id": "501"}],
                    "numErrors": 1,
                    "errors": [{"status": "error", "category": "VALIDATION_ERROR", "message": "..."}],
                },
                status=207,
            ),
            [(True, "501", ""), (False, None, "VALIDATION_ERROR")],
            id="hubspot",
        ),
        pytest.param(
            "salesforce",
            "contacts",
            "create_many",
            answer(
                [
                    {"id": "003x", "success": True, "errors": []},
                    {"success": False, "errors": [{"statusCode": "REQUIRED_FIELD_MISSING", "fields": ["LastName"]}]},
                ]
            ),
            [(True, "003x", ""), (False, None, "REQUIRED_FIELD_MISSING")],
            id="salesforce, a collection",
        ),
        pytest.param(
            "salesforce",
            "contacts",
            "composite",
            answer(
                {
                    "compositeResponse": [
                        {"body": {"id": "003x", "success": True}, "httpStatusCode": 201, "referenceId": "a"},
                        {"body": [{"errorCode": "NOT_FOUND"}], "httpStatusCode": 404, "referenceId": "b"},
                    ]
                }
            ),
            [(True, "003x", ""), (False, None, "NOT_FOUND")],
            id="salesforce, a composite",
        ),
        pytest.param(
            "salesforce",
            "contacts",
            "batch",
            answer(
                {
                    "hasErrors": True,
                    "results": [
                        {"statusCode": 201, "result": {"id": "003x"}},
                        {"statusCode": 412, "result": [{"errorCode": "BATCH_PROCESSING_HALTED"}]},
                    ],
                }
            ),
            [(True, "003x", ""), (False, None, "BATCH_PROCESSING_HALTED")],
            id="salesforce, a batch",
        ),
        pytest.param(
            "salesforce",
            "contacts",
            "graph",
            answer({"graphs": [{"graphId": "1", "isSuccessful": True}, {"graphId": "2", "isSuccessful": False}]}),
            [(True, "1", ""), (False, "2", "")],
            id="salesforce, graphs",
        ),
        pytest.param(
            "zoho",
            "contacts",
            "create_many",
            answer(
                {
                    "data": [
                        {"code": "SUCCESS", "details": {"id": "57257"}, "message": "record added", "status": "success"},
                        {"code": "MANDATORY_NOT_FOUND", "details": {}, "message": "...", "status": "error"},
                    ]
                },
                status=207,
            ),
            [(True, "57257", ""), (False, None, "MANDATORY_NOT_FOUND")],
            id="zoho",
        ),
        pytest.param(
            "quickbooks",
            "customers",
            "batch",
            answer(
                {"BatchItemResponse": [{"Customer": {"Id": "58"}, "bId": "1"}, {"Fault": fault("610"), "bId": "2"}]}
            ),
            [(True, "1", ""), (False, "2", "610")],
            id="quickbooks",
        ),
        pytest.param(
            "xero",
            "contacts",
            "create_many",
            answer(
                {
                    "Contacts": [
                        {"ContactID": "bd22", "ValidationErrors": []},
                        {"ContactID": "0000", "ValidationErrors": [{"Message": "The name is taken"}]},
                    ]
                }
            ),
            [(True, "bd22", ""), (False, "0000", "The name is taken")],
            id="xero",
        ),
        pytest.param(
            "marketo",
            "leads",
            "upsert_many",
            answer(
                {
                    "success": True,
                    "result": [
                        {"id": 50, "status": "created"},
                        {"status": "skipped", "reasons": [{"code": "1007", "message": "Multiple leads match"}]},
                    ],
                }
            ),
            [(True, "50", ""), (False, None, "1007")],
            id="marketo",
        ),
    ],
)
def test_E2_each_element_of_a_batch_has_its_own_fate(
    name: str, target: str, operation: str, response: Response, expected: list[tuple[bool, str | None, str]]
) -> None:
    """One fails inside a 2xx, the other is written: each provider says so in its own shape."""
    assert expected == fates(name, target, operation, response)


@pytest.mark.parametrize(
    ("name", "operation", "response"),
    [
        ("salesforce", "create_many", answer([{"errorCode": "INVALID_FIELD", "message": "..."}], status=400)),
        ("marketo", "upsert_many", marketo("1003")),
        ("quickbooks", "batch", answer({"Fault": fault("4000"), "time": "..."})),
    ],
)
def test_E2_a_batch_that_failed_whole_is_an_error(name: str, operation: str, response: Response) -> None:
    """Nothing was written, and no element has a fate: that is not a batch in which nothing failed."""
    target = next(r for r, found in loaded(name).resources.items() if operation in found.operations)
    with pytest.raises(ProviderSaid):
        fates(name, target, operation, response)


NOW = datetime(2026, 5, 14, 14, 37, 29, tzinfo=UTC)
DATE = ("date", "Thu, 14 May 2026 14:37:29 GMT")
SOON = str(int(NOW.timestamp()) + 60)
RESET = ("x-rate-limit-reset", SOON)
COST: JsonValue = {
    "requestedQueryCost": 112,
    "throttleStatus": {"maximumAvailable": 2000, "currentlyAvailable": 12, "restoreRate": 50},
}
THROTTLED: JsonValue = [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]


def said(*headers: tuple[str, str], status: int = 429, body: JsonValue = None) -> Response:
    return answer(body, DATE, *headers, status=status)


def after(seconds: str) -> tuple[str, str]:
    return "retry-after", seconds


@pytest.mark.parametrize(
    ("name", "target", "response", "seconds"),
    [
        ("hubspot", "contacts", said(body={"errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING"}), 10),
        ("hubspot", "contacts", said(body={"errorType": "RATE_LIMIT", "policyName": "DAILY"}), 86_400),
        ("pipedrive", "persons", said(("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "2")), 2),
        ("zoho", "contacts", said(body={"code": "TOO_MANY_REQUESTS", "status": "error"}), None),
        ("greenhouse", "candidates", said(after("7"), ("x-ratelimit-remaining", "0")), 7),
        ("bamboohr", "directory", said(after("30"), status=503), 30),
        ("bamboohr", "directory", said(after("30")), 30),
        ("netsuite", "customers", said(body={"o:errorDetails": [{"o:errorCode": "CONCURRENCY_LIMIT_EXCEEDED"}]}), None),
        ("netsuite", "customers", said(status=400, body={"error": {"code": "SSS_REQUEST_LIMIT_EXCEEDED"}}), None),
        ("quickbooks", "customers", said(body={"fault": {"error": [{"code": "3001"}], "type": "SERVICE"}}), 60),
        ("quickbooks", "customers", xml("<e>message=ThrottleExceeded; errorCode=003001</e>", status=403), 60),
        ("xero", "contacts", said(after("27"), ("x-rate-limit-problem", "minute")), 27),
        ("xero", "contacts", said(("x-rate-limit-problem", "day")), 86_400),
        ("slack", "users", said(after("30"), body={"ok": False, "error": "ratelimited"}), 30),
        ("stripe", "customers", said(body={"error": {"code": "rate_limit"}}), None),
        ("zendesk", "tickets", Response(429, (after("58"), ("content-type", "text/plain")), b"Number of allowed"), 58),
        ("shopify", "customers", said(after("2.0"), ("x-shopify-shop-api-call-limit", "40/40")), 2),
        ("shopify", "customers", said(status=200, body={"errors": THROTTLED, "extensions": {"cost": COST}}), 2),
        ("jira", "issues", said(after("5"), ("x-ratelimit-reset", "2026-05-14T14:56Z")), 5),
        ("jira", "issues", said(("x-ratelimit-reset", "2026-05-14T14:38Z")), 31),
        ("jira", "issues", said(after("9"), status=503), 9),
        ("intercom", "contacts", said(("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", SOON)), 60),
        ("notion", "users", said(after("12"), body={"code": "rate_limited"}), 12),
        ("notion", "users", said(after("12"), status=529, body={"code": "service_overload"}), 12),
        ("airtable", "records", said(body={"errors": [{"error": "RATE_LIMIT_REACHED"}]}), 30),
        ("microsoft-graph", "users", said(after("10"), body={"error": {"code": "TooManyRequests"}}), 10),
        ("microsoft-graph", "users", said(body={"error": {"code": "UnknownError", "message": ""}}), None),
        ("marketo", "leads", marketo("606"), 20),
        ("marketo", "leads", marketo("607"), 86_400),
        ("marketo", "leads", marketo("615"), None),
        ("freshdesk", "tickets", said(after("42")), 42),
        ("okta", "users", said(*((f"x-rate-limit-{word}", "0") for word in ("limit", "remaining")), RESET), 60),
        ("scim", "users", said(after("5"), body={"status": "429"}), 5),
        ("workday-rest", "workers", said(), None),
    ],
)
def test_R4_each_provider_says_in_its_own_way_how_long(
    name: str, target: str, response: Response, seconds: int | None
) -> None:
    """A header, a name, a sentence, the documentation, or nothing: then nothing is made up."""
    error = refused(name, target, response)

    assert isinstance(error, ProviderBusy)
    assert seconds == error.seconds


@pytest.mark.parametrize(
    ("name", "target", "response", "meaning"),
    [
        ("bamboohr", "directory", said(status=503), "transient"),
        (
            "netsuite",
            "customers",
            said(status=400, body={"o:errorDetails": [{"o:errorCode": "USER_ERROR"}]}),
            "invalid",
        ),
        ("notion", "users", said(status=409, body={"code": "conflict_error"}), "transient"),
        ("stripe", "customers", said(body={"error": {"code": "lock_timeout"}}), "transient"),
        ("quickbooks", "customers", said(status=403, body={"Fault": {"Error": [{"code": "3100"}]}}), "forbidden"),
        ("xero", "contacts", said(status=403, body={"Title": "Forbidden"}), "forbidden"),
        ("shopify", "customers", said(status=200, body={"errors": [{"message": "Field is missing"}]}), "failed"),
        ("marketo", "leads", marketo("611"), "transient"),
    ],
)
def test_R2_each_providers_look_alike_is_no_throttle(name: str, target: str, response: Response, meaning: str) -> None:
    """The same status, or the same shape, and something else."""
    assert meaning == refused(name, target, response).meaning


def oauth(code: str, message: str) -> JsonValue:
    """`{"error": {"code", "message"}}`, as several have it."""
    return {"error": {"code": code, "message": message}}


ERRORS: list[tuple[str, str, Response, str, str, str]] = [
    (
        "hubspot",
        "contacts",
        said(status=400, body={"category": "VALIDATION_ERROR", "message": "Not valid", "errors": []}),
        "invalid",
        "VALIDATION_ERROR",
        "Not valid",
    ),
    (
        "salesforce",
        "contacts",
        said(status=400, body=[{"errorCode": "MALFORMED_QUERY", "message": "unexpected token"}]),
        "invalid",
        "MALFORMED_QUERY",
        "unexpected token",
    ),
    (
        "salesforce",
        "contacts",
        said(status=410, body=[{"errorCode": "GONE", "message": "m"}]),
        "version_gone",
        "GONE",
        "m",
    ),
    (
        "pipedrive",
        "persons",
        said(status=401, body={"success": False, "error": "unauthorized access", "errorCode": 401}),
        "auth_expired",
        "401",
        "unauthorized access",
    ),
    (
        "zoho",
        "contacts",
        said(status=400, body={"code": "API_NOT_SUPPORTED", "message": "m", "details": {}, "status": "error"}),
        "version_gone",
        "API_NOT_SUPPORTED",
        "m",
    ),
    (
        "greenhouse",
        "candidates",
        said(status=422, body={"message": "Validation error", "errors": [{"message": "is missing", "field": "type"}]}),
        "invalid",
        "type",
        "is missing",
    ),
    (
        "bamboohr",
        "directory",
        Response(403, (("x-bamboohr-error-message", "Insufficient permissions"),)),
        "forbidden",
        "Insufficient permissions",
        "Insufficient permissions",
    ),
    (
        "netsuite",
        "customers",
        said(
            status=400,
            body={"title": "Bad Request", "o:errorDetails": [{"detail": "d", "o:errorCode": "INVALID_ID"}]},
        ),
        "invalid",
        "INVALID_ID",
        "d",
    ),
    (
        "quickbooks",
        "customers",
        said(status=400, body={"Fault": {"Error": [{"Message": "m", "Detail": "d", "code": "4000"}]}}),
        "invalid",
        "4000",
        "d",
    ),
    (
        "xero",
        "contacts",
        said(
            status=400,
            body={"ErrorNumber": 10, "Message": "m", "Elements": [{"ValidationErrors": [{"Message": "taken"}]}]},
        ),
        "invalid",
        "10",
        "taken",
    ),
    (
        "xero",
        "contacts",
        said(status=401, body={"Type": None, "Title": "Unauthorized", "Detail": "TokenExpired: token expired"}),
        "auth_expired",
        "Unauthorized",
        "TokenExpired: token expired",
    ),
    (
        "github",
        "issues",
        said(status=404, body={"message": "Not Found", "status": "404"}),
        "not_found",
        "404",
        "Not Found",
    ),
    (
        "stripe",
        "customers",
        said(status=400, body=oauth("parameter_missing", "m")),
        "invalid",
        "parameter_missing",
        "m",
    ),
    (
        "zendesk",
        "tickets",
        said(status=422, body={"error": "RecordInvalid", "description": "d", "details": {}}),
        "invalid",
        "RecordInvalid",
        "d",
    ),
    ("zendesk", "tickets", said(status=403, body={"error": {"title": "T", "message": "m"}}), "forbidden", "T", "m"),
    (
        "shopify",
        "customers",
        said(status=401, body={"errors": "[API] Invalid"}),
        "auth_expired",
        "",
        "[API] Invalid",
    ),
    ("shopify", "customers", said(status=422, body={"errors": {"email": ["is taken"]}}), "invalid", "", "is taken"),
    ("jira", "issues", said(status=400, body={"errorMessages": ["No X"], "errors": {}}), "invalid", "", "No X"),
    (
        "intercom",
        "contacts",
        said(status=401, body={"type": "error.list", "errors": [{"code": "unauthorized", "message": "m"}]}),
        "auth_expired",
        "unauthorized",
        "m",
    ),
    (
        "notion",
        "users",
        said(status=400, body={"code": "missing_version", "message": "m"}),
        "version_gone",
        "missing_version",
        "m",
    ),
    ("airtable", "records", said(status=404, body={"error": "NOT_FOUND"}), "not_found", "NOT_FOUND", ""),
    (
        "airtable",
        "records",
        said(status=422, body={"error": {"type": "INVALID_REQUEST_UNKNOWN", "message": "m"}}),
        "invalid",
        "INVALID_REQUEST_UNKNOWN",
        "m",
    ),
    ("microsoft-graph", "users", said(status=404, body=oauth("NotFound", "m")), "not_found", "NotFound", "m"),
    (
        "google",
        "files",
        said(status=400, body=[{"error": {"status": "INVALID_ARGUMENT", "message": "m"}}]),
        "invalid",
        "INVALID_ARGUMENT",
        "m",
    ),
    (
        "freshdesk",
        "tickets",
        said(
            status=400,
            body={"description": "Validation failed", "errors": [{"field": "email", "code": "invalid_value"}]},
        ),
        "invalid",
        "invalid_value",
        "Validation failed",
    ),
    (
        "okta",
        "users",
        said(
            status=400,
            body={"errorCode": "E0000002", "errorSummary": "s", "errorCauses": [{"errorSummary": "why"}]},
        ),
        "invalid",
        "E0000002",
        "why",
    ),
    (
        "scim",
        "users",
        said(status=400, body={"status": "400", "scimType": "invalidFilter", "detail": "d"}),
        "invalid",
        "invalidFilter",
        "d",
    ),
    (
        "workday-rest",
        "workers",
        said(status=401, body={"error": "invalid_token"}),
        "auth_expired",
        "invalid_token",
        "invalid_token",
    ),
]


@pytest.mark.parametrize(
    ("name", "target", "response", "expected"),
    [(name, target, response, rest) for name, target, response, *rest in ERRORS],
)
def test_E3_each_provider_says_in_its_own_shape_what_is_wrong(
    name: str, target: str, response: Response, expected: list[str]
) -> None:
    """A root list, an object or a text, either case, a name with a colon, a header: meaning, code and words."""
    error = refused(name, target, response)

    assert expected == [error.meaning, error.code, error.message]


def test_E14_a_second_delete_is_a_success() -> None:
    """Pipedrive: 410 with `success: true`."""
    engine = providers.engine(loaded("pipedrive"), scripted(answer({"success": True, "data": {"id": 1}}, status=410)))
    written = asyncio.run(engine.write("persons", "delete", call=Call(raw=True, params={"id": "1"})))

    assert (410, {"id": 1}) == (written.status, written.record)
