"""A1, A11, A15, A16: the schemes that do more than put one credential into one slot."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import traceback
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote
from xml.etree import ElementTree as ET

import pytest
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, Client

from connproof.auth import Signing, sign
from connproof.config import parse
from connproof.draft import Draft
from connproof.errors import CallWrong, ConfigWrong
from connproof.model import Account, Auth, Request
from connproof.places import JsonValue
from connproof.run import Call
from scripted import BASE, connector, items, read, rows, scripted

NOW = datetime(2026, 11, 23, 15, 0, 7, tzinfo=UTC)
FIXED = Signing(NOW, lambda: "0123456789abcdef0123456789abcdef")
TBA = {"consumer_key": "ck", "consumer_secret": "c&s%", "token": "tk", "token_secret": "tß s"}


def auth_of(said: dict[str, Any], **words: Any) -> Auth:
    return connector(auth=said, **words).auth


def signed(said: dict[str, Any], draft: Draft, account: Account, **words: Any) -> Request:
    return sign(draft, auth_of(said, **words), account, FIXED).request()


def oauth_words(request: Request) -> dict[str, str]:
    """The members of the Authorization header, decoded."""
    header = request.header("authorization")
    assert header is not None and header.startswith("OAuth ")
    return {name: unquote(value) for name, value in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', header)}


# OAuth 1.


def test_A11_signature_is_the_hmac_of_the_base_string() -> None:
    """The base string of RFC 5849, section 3.4.1, written out by hand, and signed by the hmac module."""
    draft = Draft("GET", f"{BASE}/rows?b=2%203", query=(("a", "x y"), ("a", "ä"), ("c@", "")))
    base = (
        "GET&https%3A%2F%2Fapi.example%2Fv1%2Frows&"
        "a%3D%25C3%25A4%26a%3Dx%2520y%26b%3D2%25203%26c%2540%3D%26"
        "oauth_consumer_key%3Dck%26oauth_nonce%3D0123456789abcdef0123456789abcdef%26"
        "oauth_signature_method%3DHMAC-SHA256%26oauth_timestamp%3D1795446007%26oauth_token%3Dtk%26oauth_version%3D1.0"
    )
    key = f"{quote('c&s%', safe='~')}&{quote('tß s', safe='~')}"
    expected = base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha256).digest()).decode()

    words = oauth_words(signed({"type": "oauth1"}, draft, Account("a", TBA)))

    assert expected == words["oauth_signature"]
    assert "realm" not in words


@pytest.mark.parametrize(
    ("method", "url", "query", "form"),
    [
        ("GET", "/rows", (), None),
        ("GET", "/rows?q=SELECT%20*%20FROM%20t&limit=1000&offset=0", (), None),
        ("GET", "/rows?x=1&x=1&x=0", (("x", "2"), ("y", "a=b&c")), None),
        ("GET", "/rows/a%2Fb%20c;v=1", (("~", "-._~!*'()"),), None),
        ("GET", "/rows?plus=a+b&empty=&none", (), None),
        ("DELETE", "/rows/1", (), None),
        ("POST", "/rows?page=2", (), {"b": ["2", "1"], "a": "é & =", "z": True}),
    ],
    ids=["plain", "encoded", "duplicates", "path", "plus and empty", "delete", "form"],
)
def test_A11_signature_is_that_of_another_implementation(
    method: str, url: str, query: tuple[tuple[str, str], ...], form: JsonValue
) -> None:
    """Query, duplicates, encoded bytes and form body are signed as oauthlib's own client signs them."""
    draft = Draft(method, f"https://API.example:443{url}", query=query, encode="form")
    if form is not None:
        draft = Draft(method, draft.url, body=form, encode="form")
    client = Client(
        "ck",
        "c&s%",
        "tk",
        "tß s",
        signature_method=SIGNATURE_HMAC_SHA256,
        nonce=FIXED.nonce(),
        timestamp=str(int(NOW.timestamp())),
        realm="ACME_SB1",
    )

    request = signed({"type": "oauth1", "realm": "ACME_SB1"}, draft, Account("a", TBA))
    content = {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}
    body = request.body.decode() if request.body else None
    _, headers, _ = client.sign(request.url, method, body=body, headers=content)  # type: ignore[arg-type]  # its stubs know literal methods alone

    theirs = Request(method, request.url, (("authorization", headers["Authorization"]),))
    assert oauth_words(theirs) == oauth_words(request)


def test_A11_bytes_that_are_no_text_are_signed_as_they_are() -> None:
    """A followed URL may hold %FF: it keeps its value, and the request goes out unchanged."""
    request = signed({"type": "oauth1"}, Draft("GET", f"{BASE}/rows?c=%ff%2f"), Account("a", TBA))

    again = signed({"type": "oauth1"}, Draft("GET", f"{BASE}/rows?c=%FF/"), Account("a", TBA))
    assert f"{BASE}/rows?c=%ff%2f" == request.url
    assert oauth_words(again)["oauth_signature"] == oauth_words(request)["oauth_signature"]


def test_A11_a_new_page_is_a_new_signature() -> None:
    """What differs in the query differs in the signature; so does another time or nonce."""
    drafts = [Draft("GET", f"{BASE}/rows", common=(("offset", str(n)),)) for n in (0, 1000)]
    auth, account = auth_of({"type": "oauth1"}), Account("a", TBA)
    later = Signing(NOW.replace(second=8), FIXED.nonce)
    other = Signing(NOW, lambda: "f" * 32)

    contexts = [(drafts[0], FIXED), (drafts[1], FIXED), (drafts[0], later), (drafts[0], other)]
    seen = {oauth_words(sign(draft, auth, account, ctx).request())["oauth_signature"] for draft, ctx in contexts}

    assert 4 == len(seen)


@pytest.mark.parametrize(
    ("words", "realm"),
    [
        ({"realm": "{account_id}"}, "123456-sb1"),
        ({"realm": "{account_id}", "realm_format": "upper_underscore"}, "123456_SB1"),
        ({"realm": "{realm}"}, 'R"1'),
        ({"realm": "fixed"}, "fixed"),
    ],
)
def test_A11_realm_is_a_text_with_the_accounts_own_form(words: dict[str, str], realm: str) -> None:
    """A host writes the account one way, the realm another; a realm's quotes are escaped, not encoded."""
    config = connector(
        auth={"type": "oauth1", **words},
        base_url="https://{account_id}.api.example",
        variables={"account_id": {"pattern": "[0-9]+(-sb[0-9])?"}},
    )
    account = Account("a", {**TBA, "realm": 'R"1'}, {"account_id": "123456-sb1"})

    header = sign(Draft("GET", BASE), config.auth, account, FIXED).request().header("authorization") or ""

    assert header.startswith('OAuth realm="{}", oauth_consumer_key="ck"'.format(realm.replace('"', '\\"')))


def test_A11_realm_is_not_signed() -> None:
    """RFC 5849, section 3.4.1.3.1, leaves it out."""
    plain = signed({"type": "oauth1"}, Draft("GET", BASE), Account("a", TBA))
    named = signed({"type": "oauth1", "realm": "X"}, Draft("GET", BASE), Account("a", TBA))

    assert oauth_words(plain)["oauth_signature"] == oauth_words(named)["oauth_signature"]


@pytest.mark.parametrize("name", TBA)
def test_A11_missing_credential_names_its_path(name: str) -> None:
    """Each of the four is named by itself, with the config's word, and the others stay unsaid."""
    held = {key: value for key, value in TBA.items() if key != name}

    with pytest.raises(CallWrong, match=f'no credential "{name}"') as said:
        signed({"type": "oauth1"}, Draft("GET", BASE), Account("a", {**held}))

    assert f"connector.json /auth/{name}_path" == said.value.facts["needed by"]
    assert not any(value in "".join(traceback.format_exception(said.value)) for value in ("c&s%", "tß s"))


# WS-Security.

ENVELOPE = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">'
    "<s:Header>{ws_security}</s:Header><s:Body><q/></s:Body></s:Envelope>"
)
WSSE = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}"
WSU = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd}"


def soap(said: dict[str, Any], account: Account, body: str = ENVELOPE) -> ET.Element:
    """The UsernameToken of a signed SOAP request."""
    words: dict[str, Any] = {
        "operation": {"method": "POST", "encode": "xml", "body": ENVELOPE},
        "variables": {"tenant": {"pattern": "[a-z0-9_]+"}},
    }
    config = connector(auth={"type": "ws_security", **said}, base_url="https://x.example/{tenant}", **words)
    sent = sign(Draft("POST", BASE, body=body), config.auth, account, FIXED).request().body or b""
    token = ET.fromstring(sent).find(f".//{WSSE}Security/{WSSE}UsernameToken")
    assert token is not None
    return token


def test_A1_ws_security_puts_a_username_token_into_the_header() -> None:
    """User name and password are texts of XML, whatever characters they have."""
    account = Account("a", {"username": "isu", "password": "p<&>\"'ä ✓]]>"}, {"tenant": "acme_1"})

    token = soap({"username": "{username}@{tenant}"}, account)

    assert "isu@acme_1" == token.findtext(f"{WSSE}Username")
    password = token.find(f"{WSSE}Password")
    assert password is not None and "p<&>\"'ä ✓]]>" == password.text
    assert password.attrib["Type"].endswith("#PasswordText")
    assert [f"{WSSE}Username", f"{WSSE}Password"] == [element.tag for element in token]


def test_A1_ws_security_digest_is_that_of_the_profile() -> None:
    """Base64(SHA-1(nonce + created + password)), with nonce and time beside it."""
    token = soap({"digest": True}, Account("a", {"username": "u", "password": "pä"}, {"tenant": "t"}))

    nonce = base64.b64decode(token.findtext(f"{WSSE}Nonce") or "")
    created = token.findtext(f"{WSU}Created") or ""
    expected = hashlib.sha1(nonce + created.encode() + "pä".encode()).digest()
    password = token.find(f"{WSSE}Password")
    assert (FIXED.nonce().encode(), "2026-11-23T15:00:07Z") == (nonce, created)
    assert password is not None and base64.b64encode(expected).decode() == password.text
    assert password.attrib["Type"].endswith("#PasswordDigest")


@pytest.mark.parametrize(
    "body", ["<s:Envelope/>", ENVELOPE.replace("<q/>", "<q>{ws_security}</q>")], ids=["no place", "two places"]
)
def test_A1_ws_security_has_one_place(body: str) -> None:
    """A value of the call that holds the braces would carry the password into the data: nothing is written."""
    with pytest.raises(CallWrong, match=r"must have \{ws_security\} once") as said:
        soap({}, Account("a", {"username": "u", "password": "s3cret"}, {"tenant": "t"}), body)

    assert "s3cret" not in str(said.value)


def test_A1_ws_security_refuses_what_no_xml_holds() -> None:
    """U+FFFF is a text, and no character of XML 1.0."""
    with pytest.raises(CallWrong, match='"password" of the account "a" has a character that no XML may have') as said:
        soap({}, Account("a", {"username": "u", "password": "s3cret\uffff"}, {"tenant": "t"}))

    assert "s3cret" not in str(said.value)


def test_A1_ws_security_wants_its_place_in_every_body() -> None:
    """An operation that could not be signed is told when the config is loaded."""
    with pytest.raises(ConfigWrong, match=r'"body" is no text that has \{ws_security\} once'):
        connector(operation={"method": "POST", "encode": "xml", "body": "<q/>"}, auth={"type": "ws_security"})
    with pytest.raises(ConfigWrong, match='"encode" is not "xml"'):
        connector(operation={"method": "POST", "body": ENVELOPE}, auth={"type": "ws_security"})


# A session, and headers beside.

LOGIN = {"url": "https://api.example/login", "encode": "json", "params": {"user": "{user}", "pass": "{pass}"}}


def test_A16_session_token_goes_into_its_header() -> None:
    """The token that a login gave is sent under the config's name, and no credential of the login is."""
    said = {"type": "session", "name": "X-Session", "prefix": "sid ", "login": LOGIN}

    request = signed(said, Draft("GET", BASE), Account("a", {"user": "u", "pass": "p", "session_token": "t0k"}))

    assert (("x-session", "sid t0k"),) == request.headers


def test_A16_session_without_a_login_yet_names_the_path() -> None:
    """Until somebody has logged in there is no token."""
    with pytest.raises(CallWrong, match='no credential "session_token"'):
        signed({"type": "session", "name": "X-Session", "login": LOGIN}, Draft("GET", BASE), Account("a"))


@pytest.mark.parametrize(
    ("said", "first"),
    [
        ({"type": "bearer"}, ("authorization", "Bearer t0k")),
        ({"type": "oauth2"}, ("authorization", "Bearer t0k")),
        ({"type": "api_key", "in": "header", "name": "x-key", "key_path": "access_token"}, ("x-key", "t0k")),
    ],
    ids=["bearer", "oauth2", "api_key"],
)
def test_A15_a_scheme_sends_further_headers_with_credentials(said: dict[str, Any], first: tuple[str, str]) -> None:
    """A second credential, or a variable, in a header of its own."""
    headers = {"X-App-Key": "app {app.key}", "X-Tenant": "{tenant}"}
    config = connector(
        auth={**said, "headers": headers},
        base_url="https://x.example/{tenant}",
        variables={"tenant": {"pattern": "[a-z]+"}},
    )
    account = Account("a", {"access_token": "t0k", "app": {"key": "k3y"}, "tenant": "wrong"}, {"tenant": "acme"})

    request = sign(Draft("GET", BASE), config.auth, account, FIXED).request()

    assert {"x-app-key": "app k3y", "x-tenant": "acme", first[0]: first[1]} == dict(request.headers)


def test_A15_a_variable_must_match_its_pattern() -> None:
    """In a header of auth as anywhere else."""
    config = connector(
        auth={"type": "bearer", "headers": {"X-Tenant": "{tenant}"}},
        base_url="https://x.example/{tenant}",
        variables={"tenant": {"pattern": "[a-z]+"}},
    )

    with pytest.raises(CallWrong, match='the variable "tenant" of the account "a" does not match its pattern'):
        sign(Draft("GET", BASE), config.auth, Account("a", {"access_token": "t"}, {"tenant": "a\nb"}), FIXED)
    with pytest.raises(CallWrong, match='the account "a" has no variable "tenant"'):
        sign(Draft("GET", BASE), config.auth, Account("a", {"access_token": "t"}), FIXED)


def test_without_a_context_time_and_nonces_are_the_machines() -> None:
    """Two requests of one draft have two nonces, of 128 bits."""
    auth, account = auth_of({"type": "oauth1"}), Account("a", TBA)

    nonces = {oauth_words(sign(Draft("GET", BASE), auth, account).request())["oauth_nonce"] for _ in range(2)}

    assert [True, True] == [re.fullmatch("[0-9a-f]{32}", nonce) is not None for nonce in nonces]


@pytest.mark.parametrize(
    ("auth", "told"),
    [
        (
            {"type": "oauth1", "realm_format": "upper_underscore"},
            ['/auth/realm_format  says nothing without "realm"'],
        ),
        ({"type": "oauth1", "realm": "{a..b}"}, ["/auth/realm  not a path"]),
        ({"type": "bearer", "headers": {"Authorization": "{x}"}}, ["/auth/headers/Authorization  "]),
        ({"type": "bearer", "headers": {"Host": "{x}"}}, ["/auth/headers/Host  "]),
        ({"type": "bearer", "headers": {"X-A": "{a..b}"}}, ["/auth/headers/X-A  not a path"]),
        ({"type": "session", "name": "Host", "login": LOGIN}, ["/auth/name  "]),
        ({"type": "session", "name": "X", "login": {**LOGIN, "grant": "none"}}, ["/auth/login/grant  unknown member"]),
        ({"type": "bearer", "rotation": "none"}, ["/auth/rotation  unknown member"]),
    ],
)
def test_a_scheme_that_contradicts_itself_is_refused(auth: dict[str, Any], told: list[str]) -> None:
    """Each problem stands at its word."""
    with pytest.raises(ConfigWrong) as said:
        connector(auth=auth)

    lines = str(said.value).splitlines()[1:]
    assert len(told) == len(lines)
    assert all(text in line for text, line in zip(told, lines, strict=True)), lines


def test_the_shortest_oauth2_is_valid_for_ever() -> None:
    """The example of the design."""
    auth = parse(
        b'{"base_url": "https://api.example", "auth": {"type": "oauth2", "token_path": "access_token"},'
        b' "resources": {"contacts": {"list": {"method": "GET", "path": "/contacts"}}}}',
        folder="x",
    ).auth

    assert ("oauth2", "access_token", "Bearer ", None, None) == (
        auth.type,
        str(auth.token_path),
        auth.prefix,
        auth.token,
        auth.rotation,
    )


def test_A1_ws_security_signs_a_read_from_end_to_end() -> None:
    """A value of the call is escaped, the token stands in the header, and the body says what it is."""
    body = ENVELOPE.replace("<q/>", "<q>{term}</q>")
    config = connector(
        operation={"method": "POST", "encode": "xml", "body": body},
        auth={"type": "ws_security", "username": "{username}@acme"},
    )
    provider = scripted(items(1))
    account = Account("a", {"username": "u", "password": "p&"})

    assert rows(1, 1) == read(config, provider, Call(params={"term": "</q><x>"}), account=account)

    (request,) = provider.requests
    sent = ET.fromstring(request.body or b"")
    assert "</q><x>" == sent.findtext(".//q")
    assert ["u@acme", "p&"] == [sent.findtext(f".//{WSSE}{name}") for name in ("Username", "Password")]
    assert "text/xml; charset=utf-8" == request.header("content-type")


def test_A11_every_page_is_signed_as_it_goes_out() -> None:
    """The positions that pagination adds are signed: each page's signature is that of its own URL."""
    config = connector(
        {"type": "offset", "offset_param": "offset", "page_size_param": "limit", "default_page_size": 2},
        auth={"type": "oauth1"},
    )
    provider = scripted(items(1, 2), items(3, 4), items())
    account = Account("a", TBA)

    assert rows(1, 4) == read(config, provider, account=account)

    for request in provider.requests:
        said = oauth_words(request)
        client = Client(
            "ck",
            "c&s%",
            "tk",
            "tß s",
            signature_method=SIGNATURE_HMAC_SHA256,
            nonce=said["oauth_nonce"],
            timestamp=said["oauth_timestamp"],
        )
        _, headers, _ = client.sign(request.url)
        assert said == oauth_words(Request("GET", request.url, (("authorization", headers["Authorization"]),)))
    assert 3 == len({oauth_words(request)["oauth_signature"] for request in provider.requests})
