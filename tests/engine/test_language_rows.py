"""Rows of the language's page that no one part of the engine answers for alone, through the providers' configs."""

from __future__ import annotations

import asyncio

import pytest

import providers
from connproof.errors import AccessRefused, ProviderSaid
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
