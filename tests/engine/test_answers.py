"""What an answer means: the config's rules in their order, then the status code."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connproof.errors import (
    AccessRefused,
    ConfigWrong,
    CursorExpired,
    NotFound,
    PageUnreadable,
    ProviderBroke,
    ProviderBusy,
    ProviderDown,
    ProviderFailed,
    ProviderSaid,
    RequestRefused,
    VersionGone,
)
from connproof.model import Account, Response, frozen
from connproof.places import JsonValue
from scripted import answer, connector, items, read, scripted


def asked(response: Response, **words: Any) -> list[JsonValue]:
    """What a listing gives whose one answer this is."""
    return read(connector(**words), scripted(response))


def refused(response: Response, **words: Any) -> ProviderSaid:
    """The error that a listing ends in whose one answer this is."""
    with pytest.raises(ProviderSaid) as caught:
        asked(response, **words)
    return caught.value


def rule(means: str, **when: JsonValue) -> dict[str, JsonValue]:
    """One rule."""
    return {"when": when, "means": means}


OK_FALSE = [rule("failed", status="2xx", body={"ok": False})]


@pytest.mark.parametrize(
    ("document", "errors"),
    [
        pytest.param({"ok": False, "error": "invalid_auth"}, OK_FALSE, id="a flag"),
        pytest.param({"success": "false"}, [rule("failed", body={"success": ["false", False]})], id="a flag as text"),
        pytest.param({"Fault": {}}, [rule("failed", body={"Fault": {"present": True}})], id="a member"),
        pytest.param({"data": None, "errors": [{}]}, [rule("failed", body={"errors": {"blank": False}})], id="a list"),
        pytest.param(
            [{"errorCode": "X"}], [rule("failed", body={"[0].errorCode": {"present": True}})], id="a root list"
        ),
    ],
)
def test_E1_an_error_inside_a_200_is_an_error(document: JsonValue, errors: JsonValue) -> None:
    """A page that says in its body that it failed is never read as a page without records."""
    error = refused(answer(document), errors=errors, operation={"items_may_be_missing": True})

    assert (ProviderFailed, 200) == (type(error), error.status)


@pytest.mark.parametrize("document", [{"ok": True, "items": [{"id": 1}]}, {"items": [{"id": 1}]}])
def test_E1_a_200_that_no_rule_speaks_of_is_a_page(document: JsonValue) -> None:
    """A rule holds only for what it names; absent is not false."""
    assert [{"id": 1}] == asked(answer(document), errors=OK_FALSE)


def test_E1_an_error_mid_stream_leaves_no_hole() -> None:
    """The second of three pages fails inside a 200: the read stops there, and goes on from there."""
    config = connector({"type": "page", "page_param": "page"}, errors=OK_FALSE)
    records: list[JsonValue] = []
    with pytest.raises(ProviderFailed) as caught:
        read(config, scripted(items(1, 2), answer({"ok": False})), into=records)

    assert [{"id": 1}, {"id": 2}] == records
    assert caught.value.resume is not None


@pytest.mark.parametrize(
    ("said", "body", "header", "expected"),
    [
        pytest.param("error", {"error": "rate"}, None, "rate", id="a path"),
        pytest.param(["[0].errorCode", "error"], [{"errorCode": "X1"}], None, "X1", id="a root list"),
        pytest.param(["error.type", "error"], {"error": "plain"}, None, "plain", id="an object or a text"),
        pytest.param(
            ["error.type", "error"], {"error": {"type": "T"}}, None, "T", id="an object or a text, the object"
        ),
        pytest.param(
            "errors[*].code", {"errors": [{}, {"code": "second"}]}, None, "second", id="the first that has one"
        ),
        pytest.param(["Code", "code"], {"code": 3200}, None, "3200", id="either case, a number"),
        pytest.param(["e", {"header": "X-Error"}], {}, "Bad id", "Bad id", id="a header"),
        pytest.param("e", {"e": ""}, None, "", id="nowhere"),
    ],
)
def test_E3_a_code_is_found_at_several_places(
    said: JsonValue, body: JsonValue, header: str | None, expected: str
) -> None:
    """Several alternatives, in order: the first that holds a text or a number."""
    headers = () if header is None else (("x-error", header),)

    error = refused(answer(body, *headers, status=400), error_code=said)

    assert expected == error.code


def test_E3_the_message_is_the_callers_and_in_no_text() -> None:
    """What a provider says in words may quote what was sent: it stands in an attribute alone."""
    error = refused(answer({"message": "ann@example.test is taken"}, status=409), error_message="message")

    assert "ann@example.test is taken" == error.message
    assert "ann@" not in str(error)


def test_E3_a_code_that_could_quote_what_was_sent_is_in_no_text() -> None:
    """A code is a word; a sentence in its place is not shown."""
    error = refused(answer({"code": "no Ann here"}, status=409), error_code="code")

    assert "no Ann here" == error.code
    assert "Ann" not in str(error)


MEANINGS: list[tuple[str, type[ProviderSaid]]] = [
    ("throttled", ProviderBusy),
    ("auth_expired", AccessRefused),
    ("auth_revoked", AccessRefused),
    ("forbidden", AccessRefused),
    ("not_found", NotFound),
    ("invalid", RequestRefused),
    ("cursor_expired", CursorExpired),
    ("version_gone", VersionGone),
    ("transient", ProviderDown),
    ("failed", ProviderFailed),
]


@pytest.mark.parametrize(("means", "kind"), MEANINGS)
def test_E5_every_meaning_is_the_error_of_whoever_must_act(means: str, kind: type[ProviderSaid]) -> None:
    """A rule outranks the status; the error names its line in the config."""
    error = refused(answer({"c": 1}, status=418), errors=[rule(means, status=418)])

    assert (kind, means, 418) == (type(error), error.meaning, error.status)
    assert "/errors/0" in str(error)


def test_E5_the_first_rule_that_holds_decides() -> None:
    """An operation's own rules are asked first, then the connector's, in their order."""
    words: dict[str, Any] = {
        "operation": {"errors": [rule("invalid", status=400, body={"code": 7})]},
        "errors": [rule("transient", status="4xx"), rule("failed", status=400)],
    }

    assert "invalid" == refused(answer({"code": 7}, status=400), **words).meaning
    assert "transient" == refused(answer({"code": 8}, status=400), **words).meaning


def test_E6_null_and_missing_lists_are_empty_where_the_config_says_so() -> None:
    """`data: null` is an empty page always; a missing list only where it may be missing."""
    assert [] == asked(answer({"items": None}))
    assert [] == asked(answer({}), operation={"items_may_be_missing": True})
    with pytest.raises(PageUnreadable):
        asked(answer({}))


def test_E4_an_error_of_another_content_type_is_still_classified() -> None:
    """XML or text to a client that asked for JSON: the status and the rules decide, not the decoder."""
    xml = Response(
        401, (("content-type", "application/xml"),), b"<F><Error code='3200'>AuthenticationFailed</Error></F>"
    )
    text = Response(403, (("content-type", "text/plain"),), b"Rate limit exceeded")
    rules = [rule("throttled", status=403, text="Rate limit"), rule("auth_expired", text="code='3200'")]

    assert "auth_expired" == refused(xml, errors=rules).meaning
    assert "throttled" == refused(text, errors=rules).meaning


def test_E4_a_page_of_another_content_type_is_unreadable() -> None:
    """A 200 that is HTML is no page, whatever it says."""
    html = Response(200, (("content-type", "text/html"),), b"<html>Log in</html>")

    assert isinstance(refused(html), PageUnreadable)
    assert "auth_expired" == refused(html, errors=[rule("auth_expired", status=200, text="Log in")]).meaning


@pytest.mark.parametrize("status", [200, 201, 202, 203, 206, 207])
def test_E14_every_2xx_is_a_success(status: int) -> None:
    """201, 202 and 207 too."""
    assert [{"id": 1}] == asked(answer({"items": [{"id": 1}]}, status=status))


def test_E14_a_410_may_be_a_success() -> None:
    """A provider that answers 410 with success to a second delete is understood where the config says so."""
    gone = answer({"success": True, "items": []}, status=410)

    assert [] == asked(gone, errors=[rule("success", status=410, body={"success": True})])
    assert isinstance(
        refused(answer({"success": False}, status=410), errors=[rule("success", body={"success": True})]), NotFound
    )


def test_E14_empty_is_a_success_without_records() -> None:
    """A 404 that means "none" is an empty page where the config says so, whatever its body."""
    assert [] == asked(answer({"error": "none"}, status=404), errors=[rule("empty", status=404)])


@pytest.mark.parametrize("sent", ["If-Modified-Since", "If-None-Match"])
def test_V6_a_304_is_empty_for_whoever_asked_conditionally(sent: str) -> None:
    """Nothing is new since then: no records, and no error."""
    assert [] == asked(Response(304), operation={"headers": {sent: "x"}})


def test_V6_a_304_that_nobody_asked_for_is_an_error() -> None:
    """Without a condition there was nothing to be unmodified: silence would lose records."""
    assert isinstance(refused(Response(304)), ProviderBroke)


THROTTLED = {
    "throttled": [
        {"when": {"status": 403, "text": "(?i)rate limit"}},
        {"when": {"status": 503, "header": {"retry-after": {"present": True}}}},
    ]
}


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(answer({"message": "You have exceeded a secondary rate limit"}, status=403), id="403 by its text"),
        pytest.param(Response(503, (("retry-after", "7"),), b""), id="503 by a header"),
        pytest.param(answer({}, status=429), id="429 always"),
    ],
)
def test_R1_a_throttle_is_what_the_config_says(response: Response) -> None:
    """A status, and besides a header, a place in the body or a text."""
    assert "throttled" == refused(response, rate_limit=THROTTLED).meaning


@pytest.mark.parametrize(
    ("response", "means"),
    [
        pytest.param(answer({"message": "Resource not accessible"}, status=403), "forbidden", id="an ordinary 403"),
        pytest.param(Response(503, (), b""), "transient", id="a 503 without the header"),
        pytest.param(answer({"message": "rate limit"}, status=400), "invalid", id="another status"),
    ],
)
def test_R2_a_look_alike_is_no_throttle(response: Response, means: str) -> None:
    """What lacks one part of the condition is what its status says."""
    assert means == refused(response, rate_limit=THROTTLED).meaning


def test_R2_a_200_with_retry_after_is_a_page() -> None:
    """Some providers send Retry-After with every answer."""
    assert [{"id": 1}] == asked(answer({"items": [{"id": 1}]}, ("retry-after", "26")))


@pytest.mark.parametrize(
    ("response", "code"),
    [
        pytest.param(answer({"errors": [{"code": "606"}]}), "606", id="a 200 with a code"),
        pytest.param(answer({"errors": [{"extensions": {"code": "THROTTLED"}}]}), "THROTTLED", id="GraphQL"),
    ],
)
def test_R1_a_throttle_inside_a_200(response: Response, code: str) -> None:
    """It is a throttle for the caller too, with the code that says so."""
    throttled = [
        {"when": {"status": 200, "body": {"errors[*].code": ["606", "607"]}}},
        {"when": {"status": 200, "body": {"errors[*].extensions.code": "THROTTLED"}}},
    ]

    error = refused(
        response, rate_limit={"throttled": throttled}, error_code=["errors[0].code", "errors[0].extensions.code"]
    )

    assert (ProviderBusy, code) == (type(error), error.code)


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"", "application/json"), (b"Too many requests", "text/plain"), (b"<e>slow down</e>", "application/xml")],
)
def test_R14_a_throttles_body_may_be_anything(body: bytes, kind: str) -> None:
    """Text, XML or nothing: a 429 is a throttle."""
    error = refused(Response(429, (("content-type", kind), ("retry-after", "3")), body))

    assert isinstance(error, ProviderBusy)
    assert 3 == error.seconds


@pytest.mark.parametrize("status", [409, 423])
def test_R13_what_may_be_tried_again_is_declared(status: int) -> None:
    """A conflict or a lock is transient where the config says so: the caller's to try again, not ours."""
    provider = scripted(answer({}, status=status))
    with pytest.raises(ProviderDown):
        read(connector(errors=[rule("transient", status=[409, 423])]), provider)

    assert 1 == len(provider.requests)


@pytest.mark.parametrize(
    "response",
    [
        answer([{"errorCode": "NOT_FOUND", "message": "retired"}], status=410),
        answer({"code": "API_NOT_SUPPORTED"}, status=400),
    ],
)
def test_V4_a_retired_version_is_named_as_such(response: Response) -> None:
    """410, or a 400 with a code: the connector's author must act."""
    errors = [rule("version_gone", status=410), rule("version_gone", status=400, body={"code": "API_NOT_SUPPORTED"})]

    assert isinstance(refused(response, errors=errors), VersionGone)


@pytest.mark.parametrize(
    ("trait", "holds", "fails"),
    [
        (1, [1, 1.0], [True, "1", None, 2]),
        (True, [True], [1, "true", False]),
        ("x", ["x"], ["X", ["x"], None]),
        (None, [None], [0, "", False]),
        ([1, "a"], [1, "a"], [2, "1"]),
        ({"matches": "^4[0-9]"}, ["440", "40", 41], ["x4", None, [40]]),
        ({"present": True}, [None, 0, "", {}], []),
        ({"blank": True}, [None, "", [], {}], [0, False, " ", [None]]),
        ({"blank": False}, [0, False, " "], [None, "", []]),
    ],
)
def test_a_trait_tells_classes_apart(trait: JsonValue, holds: list[JsonValue], fails: list[JsonValue]) -> None:
    """Equal means equal in class too; presence, not truth."""
    errors: JsonValue = [rule("failed", body={"v": trait})]
    seen = {json.dumps(value): _is_failed({"v": value, "items": []}, errors) for value in (*holds, *fails)}

    assert dict.fromkeys(map(json.dumps, holds), True) | dict.fromkeys(map(json.dumps, fails), False) == seen


def _is_failed(document: JsonValue, errors: JsonValue) -> bool:
    try:
        asked(answer(document), errors=errors)
    except ProviderFailed:
        return True
    return False


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([{"when": {}, "means": "failed"}], "/errors/0/when  is empty"),
        ([rule("gone", status=410)], '"gone" is not a valid word here'),
        ([rule("failed", status=99)], "/errors/0/when/status"),
        ([rule("failed", stattus=500)], 'unknown member "stattus" (did you mean "status"?)'),
        ([rule("failed", text="(")], "/errors/0/when/text  is not a regular expression"),
        ([rule("failed", body={"a": {"matches": "(?=x)"}})], "/errors/0/when/body/a/matches  is not a regular"),
        ([rule("failed", body={"a..b": 1})], "/errors/0/when/body/a..b  not a path"),
    ],
)
def test_a_rule_that_cannot_hold_is_refused(errors: JsonValue, expected: str) -> None:
    """When the config is loaded, with the place of the mistake."""
    with pytest.raises(ConfigWrong) as caught:
        connector(errors=errors)

    assert expected in str(caught.value)


@pytest.mark.parametrize("echo", ["Bearer s3cret/token+value", "czNjcmV0L3Rva2VuK3ZhbHVl", "s3cret%2Ftoken%2Bvalue"])
def test_S34_what_a_provider_echoes_of_our_credential_reaches_nobody(echo: str) -> None:
    """In the message, the code and the headers of an error it is taken out, in whatever encoding."""
    who = Account("acme", credentials=frozen({"access_token": "s3cret/token+value"}))
    config = connector(auth={"type": "bearer"}, error_code="code", error_message="message")
    response = answer({"code": echo, "message": f"bad header: {echo}"}, ("x-request-id", echo), status=401)
    with pytest.raises(AccessRefused) as caught:
        read(config, scripted(response), account=who)
    error = caught.value

    assert "bad header: " in error.message
    assert not [text for text in (error.code, error.message, str(error), str(error.headers)) if echo[-12:] in text]


@pytest.mark.parametrize("status", [409.0, [409.0]])
def test_a_status_written_as_a_float_is_that_status(status: JsonValue) -> None:
    """JSON Schema calls 409.0 an integer: a rule that says so holds, and is not silently dead."""
    error = refused(answer({}, status=409), errors=[rule("transient", status=status)])

    assert ProviderDown is type(error)
