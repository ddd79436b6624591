"""What is secret or personal becomes a placeholder; what is not stays; and the proof finds what remains."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_connproof.redact import ENCODINGS, Policy, Redacted, proof, redact

TOKEN = "canary-Tok3n/9+x=y"
BASIC = base64.b64encode(b"svc:canary-Tok3n/9+x=y").decode()
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTYifQ.c2lnbmF0dXJl"


def document(request: dict[str, Any] | None = None, response: dict[str, Any] | None = None) -> dict[str, Any]:
    sent = {"method": "GET", "url": "https://api.corp.com/x", **(request or {})}
    came = {"status": 200, **(response or {})}
    return {"lanes": [{"id": "x.list", "exchanges": [{"id": "x.list/1", "request": sent, "response": came}]}]}


def body(value: Any, policy: Policy | None = None) -> Any:
    """The JSON response body after redaction."""
    return answer(redact(document(response={"json": value}), policy))["json"]


def answer(redacted: Redacted) -> Any:
    whole: Any = redacted.document
    return whole["lanes"][0]["exchanges"][0]["response"]


def sent(redacted: Redacted) -> Any:
    whole: Any = redacted.document
    return whole["lanes"][0]["exchanges"][0]["request"]


@pytest.mark.parametrize(
    ("header", "value", "expected"),
    [
        ("authorization", f"Bearer {TOKEN}", "Bearer {{secret:access_token#1}}"),
        ("authorization", f"token {TOKEN}", "token {{secret:access_token#1}}"),
        ("authorization", TOKEN, "{{secret:access_token#1}}"),
        ("authorization", f"Basic {BASIC}", "Basic {{secret:basic#1}}"),
        ("authorization", 'Digest username="u", response="6629fae49393a053"', "Digest {{secret:authorization#1}}"),
        ("proxy-authorization", f"Basic {BASIC}", "Basic {{secret:basic#1}}"),
        ("authorization", f"OAuth {TOKEN}", "OAuth {{secret:access_token#1}}"),
        ("authorization", f"ApiKey {TOKEN}", "ApiKey {{secret:api_key#1}}"),
        ("authorization", "Bearer null", "Bearer null"),
        ("authorization", "Basic \u00b9", "Basic {{secret:basic#1}}"),
        ("x-api-key", TOKEN, "{{secret:api_key#1}}"),
        ("x-api-key", f"Token {TOKEN}", "Token {{secret:api_key#1}}"),
        ("cookie", "sid=abc12345; theme=dark42", "sid={{secret:cookie#1}}; theme={{secret:cookie#2}}"),
        ("set-cookie", "sid=abc12345; Max-Age=360000; Secure", "sid={{secret:cookie#1}}; Max-Age=360000; Secure"),
        ("x-ratelimit-remaining", "98", "98"),
        ("link", '<https://api.corp.com/x?page=2>; rel="next"', '<https://api.corp.com/x?page=2>; rel="next"'),
    ],
)
def test_header(header: str, value: str, expected: str) -> None:
    """A header on the list keeps its name, and of its value what is no secret."""
    redacted = redact(document({"headers": [[header, value]]}))

    assert [[header, expected]] == sent(redacted)["headers"]


def test_header_that_is_not_listed_is_dropped() -> None:
    """Neither its name nor its value is recorded, and the change says where it stood."""
    redacted = redact(document({"headers": [["accept", "*/*"], ["x-forwarded-for", "203.0.113.9"]]}))

    assert [["accept", "*/*"]] == sent(redacted)["headers"]
    assert {"header": 1} == redacted.rules
    assert "/lanes/0/exchanges/0/request/headers/1" == redacted.changes[0].pointer


def test_policy_adds_headers_and_slots() -> None:
    """A config may be responsible for a header that nobody else sends, and may say that it is the credential."""
    policy = Policy(headers=("x-tenant",), slots={"X-Strange": "api_key"})
    redacted = redact(document({"headers": [["x-tenant", "t-1"], ["x-strange", TOKEN]]}), policy)

    assert [["x-tenant", "t-1"], ["x-strange", "{{secret:api_key#1}}"]] == sent(redacted)["headers"]


@pytest.mark.parametrize(("plain", "expected"), [(("Idempotency-Key",), "nonce-1"), ((), "{{secret:api_key#1}}")])
def test_policy_says_which_key_is_no_credential(plain: tuple[str, ...], expected: str) -> None:
    """The key by which a provider knows a write again opens nothing, and a replay sends it again as it was."""
    policy = Policy(headers=("idempotency-key",), plain=plain)

    redacted = redact(document({"headers": [["idempotency-key", "nonce-1"]]}), policy)

    assert [["idempotency-key", expected]] == sent(redacted)["headers"]


@pytest.mark.parametrize(
    ("name", "placeholder"),
    [
        ("access_token", "access_token"),
        ("accessToken", "access_token"),
        ("refresh_token", "refresh_token"),
        ("id_token", "id_token"),
        ("client_secret", "client_secret"),
        ("clientSecret", "client_secret"),
        ("api_key", "api_key"),
        ("apikey", "api_key"),
        ("api-key", "api_key"),
        ("password", "password"),
        ("user_password", "password"),
        ("assertion", "assertion"),
        ("client_assertion", "assertion"),
        ("token", "token"),
        ("sig", "signature"),
        ("signature", "signature"),
        ("X-Amz-Signature", "signature"),
        ("X-Amz-Security-Token", "access_token"),
        ("X-Amz-Credential", "credential"),
        ("auth", "access_token"),
        ("key", "api_key"),
        ("secret", "secret"),
        ("session", "session"),
    ],
)
@pytest.mark.parametrize("place", ["query", "form"])
def test_parameter(place: str, name: str, placeholder: str) -> None:
    """A query parameter or a form field is known by its name, however that is written."""
    redacted = redact(document({place: [["limit", "100"], [name, TOKEN]]}))

    assert [["limit", "100"], [name, f"{{{{secret:{placeholder}#1}}}}"]] == sent(redacted)[place]


# A provider's spelling of a name that always holds a credential, and what its placeholder is called.
STRONG = {
    "accessKey": "access_key",
    "apiSecret": "client_secret",
    "api_token": "api_token",
    "APP_KEY": "api_key",
    "app_secret": "client_secret",
    "auth-key": "api_key",
    "authToken": "access_token",
    "AWSAccessKeyId": "access_key",
    "bearer_token": "access_token",
    "bot_token": "access_token",
    "code_verifier": "code_verifier",
    "consumer_secret": "client_secret",
    "csrfToken": "csrf_token",
    "device_code": "device_code",
    "hmac": "signature",
    "JSESSIONID": "session",
    "jwt": "jwt",
    "oauth_token": "access_token",
    "oauth_verifier": "code",
    "passphrase": "password",
    "passwd": "password",
    "passwords": "password",
    "private_key": "private_key",
    "private-token": "access_token",
    "pwd": "password",
    "SAMLResponse": "assertion",
    "secret_key": "secret_key",
    "sessionKey": "session",
    "session_token": "session",
    "sharedSecret": "client_secret",
    "signing_key": "secret_key",
    "Ocp-Apim-Subscription-Key": "api_key",
    "token_secret": "token_secret",
    "webhook_secret": "secret",
    "old_client_secrets": "client_secret",
    "X-XSRF-TOKEN": "csrf_token",
}
# And of one that holds a credential where the value looks like one.
WEAK = {
    "credential": "credential",
    "secret": "secret",
    "sessionId": "session",
    "SID": "session",
    "sig": "signature",
    "signature": "signature",
    "clone_token": "token",
}


@pytest.mark.parametrize(("name", "placeholder"), [*STRONG.items(), *WEAK.items()])
def test_member(name: str, placeholder: str) -> None:
    """A member is known by its name, glued or in words; a value that looks like nothing tells the two kinds apart."""
    assert {name: f"{{{{secret:{placeholder}#1}}}}"} == body({name: TOKEN})
    assert {name: f"{{{{secret:{placeholder}#1}}}}" if name in STRONG else "no"} == body({name: "no"})


@pytest.mark.parametrize(
    ("name", "placeholder"),
    [
        ("x-session-token", "session"),
        ("x-shop-token", "token"),
        ("secret", "secret"),
        ("x-hub-signature", "signature"),
        ("x-webhook-secret", "secret"),
        ("x-auth", "api_key"),
        ("x-session", "api_key"),
        ("x-credential", "credential"),
        ("x-authorization-key", "api_key"),
    ],
)
def test_header_that_ends_like_a_credential(name: str, placeholder: str) -> None:
    """A header that only a policy lets pass is redacted by how its name ends."""
    redacted = redact(document({"headers": [[name, TOKEN]]}), Policy(headers=(name,)))

    assert [[name, f"{{{{secret:{placeholder}#1}}}}"]] == sent(redacted)["headers"]


def test_header_with_a_scheme_of_its_own() -> None:
    """The scheme stays: a replay sends it from the config."""
    redacted = redact(document({"headers": [["x-shop-token", "Shop a1"]]}), Policy(headers=("x-shop-token",)))

    assert [["x-shop-token", "Shop {{secret:token#1}}"]] == sent(redacted)["headers"]


@pytest.mark.parametrize("word", ["limit", "quota", "ratelimit", "remaining", "throttle", "version"])
def test_header_of_limits_and_versions_is_recorded(word: str) -> None:
    """Every provider calls these headers differently; a word of the name tells."""
    headers = [[f"x-shop-{word}-a", "98"]]

    assert headers == sent(redact(document({"headers": headers})))["headers"]


@pytest.mark.parametrize(
    "beside", ["grant_type", "redirectUri", "client_id", "code_verifier", "client_secret", "state"]
)
def test_one_time_code_is_known_by_its_neighbours(beside: str) -> None:
    """`code` is a secret beside an OAuth parameter, and a country or an error elsewhere."""
    exchange = redact(document({"form": [[beside, "a"], ["code", "4/0AX4XfWi"]]}))
    search = redact(document({"query": [["code", "DE-BY-01"], ["limit", "10"]]}))

    assert ["code", "{{secret:code#1}}"] == sent(exchange)["form"][1]
    assert ["code", "DE-BY-01"] == sent(search)["query"][0]


@pytest.mark.parametrize(
    ("name", "kind"), [("secret", "secret"), ("sig", "signature"), ("X-Amz-Signature", "signature")]
)
def test_strong_parameter(name: str, kind: str) -> None:
    """Among parameters these are credentials whatever they look like."""
    assert [[name, f"{{{{secret:{kind}#1}}}}"]] == sent(redact(document({"query": [[name, "a"]]})))["query"]


def test_key_to_sort_by_is_no_credential() -> None:
    """Among parameters only a bare `key` may be one."""
    query = [["sort_key", "created-at-2"], ["keys", "time,distance"], ["key", "created-at-3"]]

    assert [*query[:2], ["key", "{{secret:api_key#1}}"]] == sent(redact(document({"query": query})))["query"]


def test_code_and_state_of_a_record_are_no_credentials() -> None:
    """Only among parameters does `state` speak of OAuth: an address has both."""
    assert {"code": "DE-BY-01", "state": "Bavaria"} == body({"code": "DE-BY-01", "state": "Bavaria"})


# fmt: off
PAGING = [
    "after", "before", "change", "continuation", "continue", "cursor", "delta", "forward", "iterator", "marker", "more",
    "next", "offset", "page", "pager", "pagination", "paging", "position", "prev", "previous", "resume", "scroll",
    "skip", "start", "sync",
]
# fmt: on


@pytest.mark.parametrize("word", PAGING)
def test_token_that_says_where_the_reading_goes_on_stays(word: str) -> None:
    """In the name, in a header's name, and as the name of the object that holds it."""
    value = {f"{word}_token": TOKEN, word: {"token": TOKEN}}
    headers = [[f"x-{word}-token", TOKEN]]

    assert value == body(value)
    assert headers == sent(redact(document({"headers": headers}), Policy(headers=(f"x-{word}-token",))))["headers"]


@pytest.mark.parametrize(
    "value",
    [
        {"next_page_token": "CiAKGjBpNDd2Nmp2Zml2cXRwYjBpOXA"},
        {"nextPageToken": "CiAKGjBpNDd2Nmp2Zml2cXRwYjBpOXA"},
        {"pageToken": "CiAKGjBpNDd2Nmp2Zml2cXRwYjBpOXA"},
        {"continuation_token": "CiAKGjBpNDd2Nmp2Zml2cXRwYjBpOXA"},
        {"nextSyncToken": "CiAKGjBpNDd2Nmp2Zml2cXRwYjBpOXA"},
        {"cursor": "dXNlcjpVMEc5V0ZYTlo="},
        {"paging": {"next": {"after": "NTI1Cg%3D%3D", "token": "CiAKGjBpNDd2Nmp2Zml2"}}},
        {"key": "PROJ-12345678", "signature": "Best regards, Jo", "code": "NOT_FOUND_404"},
        {"token_type": "Bearer", "expires_in": 3600, "refresh_token_expires_in": 8726400, "password": None},
        {"has_password": True, "password_updated_at": "2026-01-02T03:04:05Z", "secret": "no"},
        {"phone_verified_at": "2026-01-02", "phone_id": "1234567890", "phone_ids": ["1234567890"], "fax": ""},
        {"phone_date": "2026-01-02", "phone_time": 1767312000, "phone": "call me", "mobile": "1" * 60},
        {"email": "jo@example.com", "at": "jo@shop.test", "scp": "git@host.net", "n": "jo@localhost.invalid"},
        {"image": [f"logo@2x.{kind}" for kind in ("png", "jpg", "jpeg", "gif", "svg", "webp", "PNG")]},
        {"x": "Bearer authentication-required", "y": "Basic knowledge12345", "z": "ftp://anonymous@h.net/"},
        {"x": "Authorization: required\nToken: see below\nServer: nginx-1.25.3\n"},
        {"x": f"Basic {base64.b64encode(b'no colon in here').decode()}"},
        {"mobile": "+15550000001", "x": "+15550000001"},
        {
            "token": "ALLUPPER",
            "secret": "12345678901",
            "sig": "lower",
            "signature": "a b c d e f 1",
            "x_token": "s://h.net/1",
        },
        {"password": "***", "pwd": "", "passwd": 0, "token": 1234567890, "cookie": "chocolate=1234567-x"},
        {"next": "https://api.corp.com/x?page_token=CiAKGjBpNDd2Nmp2&limit=2"},
        {"a": "{{secret:access_token#1}}", "access_token": "{{secret:access_token#1}}", "mobile": "+15550000001"},
        {"n": 12345678901234567890, "f": 1.0, "t": True, "z": None, "e": "", "l": [], "o": {}},
    ],
    ids=lambda value: next(iter(value)),
)
def test_what_is_no_secret_stays(value: Any) -> None:
    """Cursors, dates, kinds, reserved addresses and placeholders are left alone."""
    assert json.dumps(value) == json.dumps(body(value))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"access_token": TOKEN}, {"access_token": "{{secret:access_token#1}}"}),
        ({"result": {"access_token": TOKEN}}, {"result": {"access_token": "{{secret:access_token#1}}"}}),
        ({"next": {"access_token": TOKEN}}, {"next": {"access_token": "{{secret:access_token#1}}"}}),
        ({"result": {"token": TOKEN}}, {"result": {"token": "{{secret:token#1}}"}}),
        ({"data": [{"apiKey": TOKEN}]}, {"data": [{"apiKey": "{{secret:api_key#1}}"}]}),
        ({"tokens": [TOKEN]}, {"tokens": ["{{secret:token#1}}"]}),
        ({"password": 12345678}, {"password": "{{secret:password#1}}"}),
        ({"name": "password", "value": "hunter2!"}, {"name": "password", "value": "{{secret:password#1}}"}),
        ({"password": {"value": "hunter2!"}}, {"password": {"value": "{{secret:password#1}}"}}),
        ({"key": "password", "value": "hunter2!"}, {"key": "password", "value": "{{secret:password#1}}"}),
        (
            {"password": {"name": "main", "value": "hunter2!"}},
            {"password": {"name": "main", "value": "{{secret:password#1}}"}},
        ),
        ({"access_token": f"Bearer {TOKEN}"}, {"access_token": "{{secret:access_token#1}}"}),
        ({"apiKeys": [TOKEN]}, {"apiKeys": ["{{secret:api_key#1}}"]}),
        ({"password": {"values": ["hunter2!"]}}, {"password": {"values": ["{{secret:password#1}}"]}}),
        ({"phone": {"number": "+49 170 1234567"}}, {"phone": {"number": "+15550000001"}}),
        (
            {"x": "a\n-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nb"},
            {"x": "a\n{{secret:private_key#1}}\nb"},
        ),
        ({"x": "https://jo:s3cret@h.net/p"}, {"x": "https://%7B%7Bsecret%3Auserinfo%231%7D%7D@h.net/p"}),
        ({"x": "https://tok3n-abc@h.net/p"}, {"x": "https://%7B%7Bsecret%3Auserinfo%231%7D%7D@h.net/p"}),
        (
            {"next": f"https://h.net/x?access_token={quote(TOKEN)}&page=2"},
            {"next": "https://h.net/x?access_token=%7B%7Bsecret%3Aaccess_token%231%7D%7D&page=2"},
        ),
        (
            {"next": f"/x?page=2&access_token={quote(TOKEN, safe='')}"},
            {"next": "/x?page=2&access_token=%7B%7Bsecret%3Aaccess_token%231%7D%7D"},
        ),
        (
            {"raw": json.dumps({"refresh_token": 'a"b\\c123'})},
            {"raw": '{"refresh_token": "{{secret:refresh_token#1}}"}'},
        ),
        (
            {"raw": json.dumps({"in": json.dumps({"refresh_token": "abc12345"})})},
            {"raw": '{"in": "{\\"refresh_token\\": \\"{{secret:refresh_token#1}}\\"}"}'},
        ),
        ({"x": "<a b='c' api_key = 'a&amp;b12345'/>"}, {"x": "<a b='c' api_key = '{{secret:api_key#1}}'/>"}),
        (
            {"raw": '{"Authorization": "Token abc12345-x9"}'},
            {"raw": '{"Authorization": "Token {{secret:access_token#1}}"}'},
        ),
        (
            {"raw": json.dumps({"password": 'hunter/\u00fc"2!'}), "x": 'hunter/\u00fc"2!'},
            {"raw": '{"password": "{{secret:password#1}}"}', "x": "{{secret:password#1}}"},
        ),
        ({"x": f"Authorization: Basic {BASIC}\n"}, {"x": "Authorization: Basic {{secret:basic#1}}\n"}),
        (
            {"x": "https://jo:letter@h.net", "y": "a letter"},
            {"x": "https://%7B%7Bsecret%3Auserinfo%231%7D%7D@h.net", "y": "a letter"},
        ),
        # What looks like a secret inside one, and across its end, is one with it.
        ({"x": f"?api_key=ghp_{'a1' * 18}.x&b=c"}, {"x": "?api_key=%7B%7Bsecret%3Aapi_key%231%7D%7D&b=c"}),
        (
            {"x": "api_key=abc12345-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\nb"},
            {"x": "api_key={{secret:api_key#1}}\nb"},
        ),
        ({"next": "https://h.net/x?to=jo@corp.com"}, {"next": "https://h.net/x?to=person-1@redacted.invalid"}),
        (
            {"mobile": "+49 170 1234567", "x": "call +49 170 1234567!", "y": "https://h.net/?q=%2B49%20170%201234567"},
            {"mobile": "+15550000001", "x": "call +15550000001!", "y": "https://h.net/?q=%2B15550000001"},
        ),
        ({"mobile": "555-0101", "x": "555-0101"}, {"mobile": "+15550000001", "x": "555-0101"}),
        ({"x": "Authorization: abc12345-x9"}, {"x": "Authorization: {{secret:access_token#1}}"}),
        ({"x": "see h.net?api_key=abc12345-x9."}, {"x": "see h.net?api_key={{secret:api_key#1}}."}),
        ({"x": "<a:sessionId>00Dx!abcdefgh</a:sessionId>"}, {"x": "<a:sessionId>{{secret:session#1}}</a:sessionId>"}),
        (
            {"x": "sent Authorization: Bearer abcdef0123456789xyz"},
            {"x": "sent Authorization: Bearer {{secret:access_token#1}}"},
        ),
        ({"jo@corp.com": 1}, {"person-1@redacted.invalid": 1}),
        ({"q": "email=jo%40corp.com"}, {"q": "email=person-1%40redacted.invalid"}),
        ({"mobile": "+49 170 1234567", "phone": "(030) 123-4567"}, {"mobile": "+15550000001", "phone": "+15550000002"}),
        ({"mobilephone": "+49 170 1234567"}, {"mobilephone": "+15550000001"}),
        ({"phones": [{"value": "+49 170 1234567"}]}, {"phones": [{"value": "+15550000001"}]}),
        ({"fax": 493012345678}, {"fax": 15550000001}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_value(value: Any, expected: Any) -> None:
    """A secret or a person is found by its slot, by its shape, inside a URL and inside text."""
    assert expected == body(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("jwt", JWT),
        ("access_token", "xoxb-123456789012-abcdefGHIJ"),
        ("access_token", "xapp-1-A0123456789-abcdefGHIJ"),
        ("access_token", f"ghp_{'a1' * 18}"),
        ("access_token", f"github_pat_{'a1' * 18}"),
        ("access_token", f"glpat-{'a1' * 12}"),
        ("access_token", "pat-na1-01234567-89ab-cdef-0123-456789abcdef"),
        ("access_token", f"ya29.{'a1-_' * 9}"),
        ("access_token", f"00D{'5e' * 6}!{'AQ.1' * 8}"),
        ("access_token", f"EAA{'a1' * 40}"),
        ("access_token", f"secret_{'a1' * 21}"),
        ("access_token", f"ntn_{'a1' * 21}"),
        ("access_token", f"shpat_{'a1' * 16}"),
        ("access_token", f"123456789:{'a1-_b' * 7}"),
        ("refresh_token", f"1//0{'a1' * 20}"),
        ("client_secret", f"GOCSPX-{'a1' * 14}"),
        ("api_key", f"sk_live_{'a1' * 12}"),
        ("api_key", f"sk-{'a1' * 20}"),
        ("api_key", f"AIza{'a1-_b' * 7}"),
        ("api_key", f"SG.{'a1' * 11}.{'a1' * 20}"),
        ("api_key", f"key-{'a1' * 16}"),
        ("access_key", "AKIAABCDEFGHIJKLMNOP"),
        ("secret", f"whsec_{'a1' * 16}"),
    ],
)
def test_shape(name: str, value: str) -> None:
    """What looks like nothing but a credential is one, wherever it stands, and in prose too."""
    assert {"x": f"see {{{{secret:{name}#1}}}} there"} == body({"x": f"see {value} there"})


def test_basic_credentials_in_prose() -> None:
    """They are known by what is inside, and that is known from then on."""
    assert {"x": "-H 'Basic {{secret:basic#1}}'", "y": "was {{secret:password#1}}"} == body(
        {"x": f"-H 'Basic {BASIC}'", "y": f"was {TOKEN}"}
    )


def test_key_as_the_user_of_basic_credentials() -> None:
    """Some providers take the key as the user, and a blank or a word as the password."""
    value = base64.b64encode(f"{TOKEN}:x".encode()).decode()
    redacted = redact(document({"headers": [["authorization", f"Basic {value}"]]}, {"text": [f"was {TOKEN}"]}))

    assert ["was {{secret:api_key#1}}"] == answer(redacted)["text"]


def test_user_of_basic_credentials_is_no_key() -> None:
    """An address or a placeholder is not taken for one."""
    users = [b"jo@corp.com:", b"{{secret:password#1}}:", b"svc:{{secret:password#1}}"]
    headers = [["authorization", f"Basic {base64.b64encode(user).decode()}"] for user in users]

    assert {base64.b64encode(user).decode() for user in users} == set(redact(document({"headers": headers})).secrets)


@pytest.mark.parametrize("name", ["oauth_token", "oauth_consumer_key", "oauth_signature", "token"])
def test_token_in_signed_credentials(name: str) -> None:
    """Where a scheme has parameters, they are replaced together, and each credential among them is known."""
    header = f'OAuth realm="r", {name}="{quote(TOKEN, safe="")}", oauth_nonce="n123456789"'
    redacted = redact(document({"headers": [["authorization", header]]}, {"text": [f"was {TOKEN}, not n123456789"]}))

    assert [["authorization", "OAuth {{secret:authorization#1}}"]] == sent(redacted)["headers"]
    assert ["was {{secret:access_token#1}}, not n123456789"] == answer(redacted)["text"]


def test_password_of_a_url_is_known() -> None:
    """What stood before a host is looked for by itself."""
    assert {"x": "https://%7B%7Bsecret%3Auserinfo%231%7D%7D@h.net", "y": "{{secret:password#1}}"} == body(
        {"x": "https://jo:s3cret-9@h.net", "y": "s3cret-9"}
    )


def test_same_value_same_placeholder() -> None:
    """The token that was issued can be recognised as the one sent, the two of a rotation as different."""
    redacted = redact(
        {
            "lanes": [
                {
                    "exchanges": [
                        {
                            "request": {"form": [["refresh_token", "rt-old-000001"]]},
                            "response": {"json": {"access_token": TOKEN, "refresh_token": "rt-new-000002"}},
                        },
                        {"request": {"headers": [["authorization", f"Bearer {TOKEN}"]]}, "response": {}},
                    ]
                }
            ]
        }
    )

    whole: Any = redacted.document
    first, second = whole["lanes"][0]["exchanges"]
    assert [["refresh_token", "{{secret:refresh_token#1}}"]] == first["request"]["form"]
    assert {
        "access_token": "{{secret:access_token#1}}",
        "refresh_token": "{{secret:refresh_token#2}}",
    } == first["response"]["json"]
    assert [["authorization", "Bearer {{secret:access_token#1}}"]] == second["request"]["headers"]


@pytest.mark.parametrize(
    ("spelt", "expected"),
    [
        (TOKEN, "{{secret:access_token#1}}"),
        (f"z{TOKEN}z", "z{{secret:access_token#1}}z"),
        (quote(TOKEN, safe=""), "%7B%7Bsecret%3Aaccess_token%231%7D%7D"),
        (base64.b64encode(TOKEN.encode()).decode(), "{{secret:encoded#1}}"),
        (base64.b64encode(b"u:" + TOKEN.encode()).decode(), "{{secret:encoded#1}}"),
        (base64.urlsafe_b64encode(b"x:" + TOKEN.encode() + b"zz").decode(), "{{secret:encoded#1}}"),
        (TOKEN.encode().hex(), "{{secret:encoded#1}}"),
        (TOKEN[::-1], "{{secret:encoded#1}}"),
    ],
)
def test_what_is_known_is_replaced_everywhere(spelt: str, expected: str) -> None:
    """A value found in a slot is a secret wherever else it stands; of an encoded one nothing is left around it."""
    redacted = redact(document({"headers": [["authorization", f"Bearer {TOKEN}"]]}, {"json": {"echo": f"<{spelt}>"}}))

    assert {"echo": f"<{expected}>"} == answer(redacted)["json"]
    assert proof(json.dumps(redacted.document), [TOKEN]).clean


def test_secret_in_a_request_url() -> None:
    """The whole of it is a URL, also what follows a quote."""
    redacted = redact(document({"url": f"https://api.corp.com/x('{quote(TOKEN, safe='')}')"}), Policy(secrets=(TOKEN,)))

    assert "https://api.corp.com/x('%7B%7Bsecret%3Asecret%231%7D%7D')" == sent(redacted)["url"]


def test_password_inside_basic_is_known() -> None:
    """The two halves of Basic credentials are looked for, not only their base64."""
    redacted = redact(document({"headers": [["authorization", f"Basic {BASIC}"]]}, {"text": ["a", f"was {TOKEN}"]}))

    assert ["a", "was {{secret:password#1}}"] == answer(redacted)["text"]


def test_plain_word_is_replaced_in_its_slot_only() -> None:
    """A password that is a word such as stands in any text does not rewrite the provider's text."""
    assert {"password": "{{secret:password#1}}", "name": "a letter"} == body({"password": "letter", "name": "a letter"})


@pytest.mark.parametrize("filler", ["access_token", "refresh_token", "authorization", "api_ke"])
def test_filler_is_replaced_in_its_slot_only(filler: str) -> None:
    """A name in a credential's place does not rename the members that are called so, nor is it looked for."""
    redacted = redact(document(response={"json": {"api_key": filler, "access_token": 1, "x": filler}}))

    assert {"api_key": "{{secret:api_key#1}}", "access_token": 1, "x": filler} == answer(redacted)["json"]
    assert () == redacted.secrets


def test_given_secret_is_replaced_even_where_short() -> None:
    """A short secret that the caller names is replaced as a whole word, wherever it stands."""
    assert {"x": "{{secret:secret#1}}, k9zz"} == body({"x": "k9z, k9zz"}, Policy(secrets=("k9z",)))


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_binary_body(pack: Any) -> None:
    """A secret in bytes that are no text, packed or not, is found."""
    data = b"\x00\xff--\r\n" + TOKEN.encode() + b"\x00"
    redacted = redact(
        document({"headers": [["x-api-key", TOKEN]]}, {"base64": base64.b64encode(pack(data)).decode()}),
    )

    after = base64.b64decode(answer(redacted)["base64"])
    plain = gzip.decompress(after) if pack is gzip.compress else after
    assert b"\x00\xff--\r\n{{secret:api_key#1}}\x00" == plain


def test_packed_body_that_holds_nothing_keeps_its_bytes() -> None:
    """It is not packed anew: another time or level would be another body."""
    value = base64.b64encode(gzip.compress(b"nothing here", compresslevel=1, mtime=1)).decode()

    assert value == answer(redact(document(response={"base64": value})))["base64"]


def test_binary_body_names_nobody() -> None:
    """Among bytes an address is chance: an image is not changed for it."""
    value = base64.b64encode(b"\x00\xffjo@corp.com\x00").decode()

    assert value == answer(redact(document(response={"base64": value})))["base64"]


def test_multipart_part() -> None:
    """A part of a form is known by its name."""
    lines = ["--b\r", 'Content-Disposition: form-data; name="password"\r', "\r", "hunter2!\r", "--b--"]

    assert "{{secret:password#1}}\r" == answer(redact(document(response={"text": lines})))["text"][3]


def test_numbers_go_on_after_those_in_use() -> None:
    """A placeholder that stands in the document keeps its meaning; new ones are different."""
    assert {
        "a": "{{secret:password#1}} person-1@redacted.invalid",
        "password": "{{secret:password#2}}",
        "b": "person-2@redacted.invalid",
    } == body(
        {"a": "{{secret:password#1}} person-1@redacted.invalid", "password": "hunter2!", "b": "jo@corp.com"},
    )


def test_phone_found_by_its_value_is_counted_as_one() -> None:
    """In its slot and in a text it is the same rule."""
    redacted = redact(document(response={"json": {"mobile": "+49 170 1234567", "x": "call +49 170 1234567"}}))

    assert {"phone": 2} == redacted.rules


def test_changes_name_place_and_rule_and_never_the_value() -> None:
    """What was changed can be shown to anybody."""
    redacted = redact(document(response={"json": {"a/b": {"password": "hunter2!"}}}))

    assert ["/lanes/0/exchanges/0/response/json/a~1b/password"] == [change.pointer for change in redacted.changes]
    assert "hunter2!" not in repr(redacted.changes)


WORDS = st.sampled_from(
    [
        "password",
        "access_token",
        "token",
        "next_page_token",
        "phone",
        "value",
        "code",
        "client_id",
        "name",
        "email",
        "Bearer ",
        "Basic ",
        "=",
        "&",
        "?",
        '"',
        ": ",
        "\\",
        "\n",
        "@",
        "%40",
        "%",
        "https://h.net/",
        "{{secret:token#1}}",
        "%7B%7Bsecret%3Atoken%231%7D%7D",
        "{{secret:",
        "#1}}",
        "</",
        "<a>",
        "jo@corp.com",
        "person-1@redacted.invalid",
        "+15550000001",
        "+49 170 1234567",
        "hunter2!",
        TOKEN,
        JWT,
        BASIC,
        "eyJ",
        ".",
        "-",
        "s3cretValue",
    ]
)
TEXTS = st.lists(WORDS | st.text(max_size=6), max_size=6).map("".join)
VALUES = st.recursive(
    TEXTS | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS).map(list), max_size=4)
DOCUMENTS = st.builds(
    lambda query, headers, form, lines, value, data: document(
        {"query": query, "headers": headers, "form": form},
        {"headers": headers, "json": value, "text": lines, "base64": base64.b64encode(data).decode()},
    ),
    PAIRS,
    PAIRS,
    PAIRS,
    st.lists(TEXTS, min_size=1, max_size=4),
    VALUES,
    st.binary(max_size=20) | TEXTS.map(lambda text: gzip.compress(text.encode("utf-8", "replace"), mtime=0)),
)


@given(DOCUMENTS)
@settings(max_examples=150, deadline=None)
def test_redacting_twice_changes_nothing(whole: dict[str, Any]) -> None:
    """Every redacted document is a fixed point, and no value that was found is still in it."""
    once = redact(whole)
    twice = redact(once.document)

    assert json.dumps(once.document) == json.dumps(twice.document)
    assert () == twice.changes


@given(st.text(st.characters(codec="utf-8"), min_size=6, max_size=30).map(lambda text: f"{text}x9"), VALUES)
@settings(max_examples=100, deadline=None)
def test_no_given_secret_remains(secret: str, value: Any) -> None:
    """A secret that the caller names stands in no spelling in what comes out."""
    spelt = [secret, quote(secret), base64.b64encode(b"a" + secret.encode()).decode(), secret[::-1]]
    redacted = redact(document(response={"json": [value, *spelt, f"a{secret}b"]}), Policy(secrets=(secret,)))

    assert () == proof(json.dumps(redacted.document, ensure_ascii=False), [secret]).hits


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("raw", TOKEN),
        ("percent", quote(TOKEN, safe="")),
        ("percent", quote(TOKEN, safe="").lower().replace("tok", "Tok")),
        ("percent", "".join(f"%{byte:02x}" for byte in TOKEN.encode())),
        ("base64", base64.b64encode(TOKEN.encode()).decode()),
        ("base64", base64.b64encode(b"a" + TOKEN.encode() + b"b").decode()),
        ("base64", base64.b64encode(b"ab" + TOKEN.encode() + b"c").decode()),
        ("base64", base64.urlsafe_b64encode(b"ab" + TOKEN.encode() + b"c").decode().rstrip("=")),
        ("base64", base64.encodebytes(b"-" * 50 + TOKEN.encode()).decode()),
        ("base64", json.dumps(base64.encodebytes(b"-" * 50 + TOKEN.encode()).decode().split("\n"), indent=2)),
        ("hex", TOKEN.encode().hex()),
        ("hex", TOKEN.encode().hex().upper()),
        ("json-escaped", TOKEN.replace("/", "\\/")),
        ("json-escaped", "".join(f"\\u{ord(c):04x}" for c in TOKEN)),
        ("reversed", TOKEN[::-1]),
        ("jwt", base64.urlsafe_b64encode(json.dumps({"t": TOKEN}).encode()).decode().rstrip("=")),
    ],
)
def test_proof_finds(encoding: str, shown: str) -> None:
    """Each spelling of a secret is found and named."""
    assert encoding in ENCODINGS
    assert encoding in proof(f"... {shown} ...", [TOKEN]).encodings
    assert encoding in proof(f"... {shown} ...".encode(), [TOKEN]).encodings


def test_proof_of_a_clean_text() -> None:
    """Nothing found is said as such."""
    assert proof("nothing here", [TOKEN, "other-secret"]).clean


def test_proof_says_which_and_where_but_not_what() -> None:
    """A hit names a secret by its number, so that it can be reported."""
    found = proof(f"12345{TOKEN}", ["other-secret", TOKEN])

    assert [(1, "raw", 5)] == [(hit.secret, hit.encoding, hit.offset) for hit in found.hits]
    assert TOKEN not in repr(found)


def test_proof_of_short_secrets_is_less_and_says_so() -> None:
    """Fewer than six characters are looked for as a whole word, in no other spelling."""
    inside = proof("abc1xyz YWJjMQ==", ["abc1", ""])
    alone = proof("an abc1.", ["abc1"])

    assert (True, 1, 1) == (inside.clean, inside.raw_only, inside.blank)
    assert ("raw",) == alone.encodings
