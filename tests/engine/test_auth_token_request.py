"""A1, A2, A13: what is asked of a token endpoint: where, how, by what right, and who says so."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from connproof.auth import Signing, sign
from connproof.auth.token_request import Code, pkce, token_draft, token_url, with_tokens
from connproof.draft import Draft
from connproof.errors import CallWrong, ConfigWrong
from connproof.model import Account, Auth, Request, Secret
from scripted import BASE, connector

NOW = datetime(2026, 11, 23, 15, 0, 7, tzinfo=UTC)
FIXED = Signing(NOW, lambda: "0123456789abcdef0123456789abcdef")
URL = "https://id.example/oauth/token"
HELD: dict[str, Any] = {"client_id": "c1", "client_secret": "s+/=%&ä", "refresh_token": "r0", "sub": "user 7"}


def auth_of(token: dict[str, Any], **words: Any) -> Auth:
    return connector(auth={"type": "oauth2", "token": {"url": URL, "client_auth": "none", **token}}, **words).auth


def asked(token: dict[str, Any], account: Account | None = None, code: Code | None = None, **words: Any) -> Request:
    return token_draft(auth_of(token, **words), account or Account("acme", HELD), FIXED, code=code).request()


def form(request: Request) -> dict[str, str]:
    """The members of a form, each of which stands there once."""
    assert "application/x-www-form-urlencoded" == request.header("content-type")
    pairs = parse_qsl((request.body or b"").decode(), keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


# The request itself.


def test_A1_a_refresh_is_a_form_with_the_clients_pair() -> None:
    """RFC 6749, section 6: what most providers want."""
    request = asked({"client_auth": "basic"})

    pair = base64.b64encode("c1:s+/=%&ä".encode()).decode()
    assert ("POST", URL) == (request.method, request.url)
    assert f"Basic {pair}" == request.header("authorization")
    assert {"grant_type": "refresh_token", "refresh_token": "r0"} == form(request)


@pytest.mark.parametrize(
    ("token", "header", "params"),
    [
        ({"client_auth": "none"}, None, {}),
        ({"client_auth": "id_only"}, None, {"client_id": "c1"}),
        ({"client_auth": "body"}, None, {"client_id": "c1", "client_secret": "s+/=%&ä"}),
        (
            {"client_auth": "basic", "client_auth_prefix": "ID "},
            "ID " + base64.b64encode("c1:s+/=%&ä".encode()).decode(),
            {},
        ),
        (
            {"client_auth": "basic", "client_auth_encoded": True},
            "Basic " + base64.b64encode(b"c1:s%2B%2F%3D%25%26%C3%A4").decode(),
            {},
        ),
        (
            {"client_auth": "body", "client_id_path": "sub", "client_secret_path": "client_id"},
            None,
            {"client_id": "user 7", "client_secret": "c1"},
        ),
    ],
    ids=["none", "id only", "body", "own word", "form-encoded pair", "own paths"],
)
def test_A2_client_says_who_it_is(token: dict[str, Any], header: str | None, params: dict[str, str]) -> None:
    """In the Authorization header, among the parameters, or not at all."""
    request = asked({"grant": "client_credentials", **token})

    assert header == request.header("authorization")
    assert {"grant_type": "client_credentials", **params} == form(request)


def test_A2_parameters_as_json() -> None:
    """Numbers and truth values keep their class."""
    request = asked({"encode": "json", "client_auth": "body", "params": {"expires_in": 1800, "expiring": True}})

    assert "application/json" == request.header("content-type")
    assert {
        "grant_type": "refresh_token",
        "refresh_token": "r0",
        "client_id": "c1",
        "client_secret": "s+/=%&ä",
        "expires_in": 1800,
        "expiring": True,
    } == json.loads(request.body or b"")


def test_A2_get_has_its_parameters_in_the_query() -> None:
    """Encoded, beside what the URL has; and no text of ours shows them."""
    token = {"url": f"{URL}?v=1", "method": "GET", "grant": "client_credentials", "client_auth": "body"}
    draft = token_draft(auth_of(token), Account("acme", HELD), FIXED)

    request = draft.request()

    query = "v=1&grant_type=client_credentials&client_id=c1&client_secret=s%2B%2F%3D%25%26%C3%A4"
    assert ("GET", f"{URL}?{query}", None) == (request.method, request.url, request.body)
    assert not any("client_secret" in text for text in (repr(draft), repr(request), str(draft)))


def test_A2_a_post_may_have_its_parameters_in_the_query() -> None:
    """And then it has no body."""
    request = asked({"encode": "query"})

    assert (f"{URL}?grant_type=refresh_token&refresh_token=r0", None) == (request.url, request.body)


def test_A2_further_parameters_and_headers_are_filled() -> None:
    """With credentials and variables; a parameter of the engine's own is replaced."""
    token = {
        "grant": "client_credentials",
        "params": {"sub": "{sub}", "tenant": "t-{tenant}", "grant_type": "own_grant", "n": 5},
        "headers": {"Accept": "application/json", "X-Client": "{client_id}"},
    }
    words: dict[str, Any] = {"base_url": "https://x.example/{tenant}", "variables": {"tenant": {"pattern": "[a-z]+"}}}

    request = asked(token, Account("acme", HELD, {"tenant": "acme"}), **words)

    assert {"grant_type": "own_grant", "sub": "user 7", "tenant": "t-acme", "n": "5"} == form(request)
    assert ("application/json", "c1") == (request.header("accept"), request.header("x-client"))


def test_A2_a_request_may_have_no_parameters() -> None:
    """Then it has no body."""
    assert None is asked({"grant": "none"}).body


@pytest.mark.parametrize(
    ("words", "scope"),
    [
        ({"scope": "a b"}, "a b"),
        ({"scope": ["a", "b"]}, "a b"),
        ({"scope": ["a", "b"], "scope_separator": ","}, "a,b"),
        ({}, None),
    ],
)
def test_A13_scope_has_the_providers_separator(words: dict[str, Any], scope: str | None) -> None:
    """And is sent only where it is declared."""
    assert scope == form(asked(words)).get("scope")


# Where.


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://{region}.id.example/token", "https://eu-1.id.example/token"),
        ("https://id.example/{Tenant}/token?request=token", "https://id.example/ACME_1/token?request=token"),
        ("https://{Tenant}.id.example/{Tenant}", "https://acme-1.id.example/ACME_1"),
        ("{server}/oauth/v2/token", "https://accounts.id.example/oauth/v2/token"),
    ],
)
def test_A13_token_url_has_the_accounts_variables(url: str, expected: str) -> None:
    """In the host, the path, or for the whole origin; a host's form is its own."""
    variables = {
        "region": {"pattern": "[a-z0-9-]+"},
        "tenant": {"pattern": "[A-Za-z0-9_]+", "in_host": "lower_hyphen"},
        "server": {"pattern": r"https://accounts\.id\.[a-z]+"},
    }
    url = url.replace("{Tenant}", "{tenant}")
    used = {name: said for name, said in variables.items() if f"{{{name}}}" in url}
    account = Account("acme", HELD, {"region": "eu-1", "tenant": "ACME_1", "server": "https://accounts.id.example"})

    assert expected == asked({"url": url}, account, variables=used).url


@pytest.mark.parametrize("value", ["evil.example/", "a@evil.example", "evil.example#", "x.evil.example\n", "..", ""])
def test_S05_a_variable_cannot_lead_the_token_elsewhere(value: str) -> None:
    """What its pattern does not allow is refused before anything is written."""
    auth = auth_of({"url": "https://{region}.id.example/t"}, variables={"region": {"pattern": "[a-z0-9-]+"}})

    with pytest.raises(CallWrong, match='the variable "region" of the account "acme" does not match'):
        token_url(auth, Account("acme", HELD, {"region": value}))


@pytest.mark.parametrize("value", ["ä", "a b", "a\\b", "a\nb"])
def test_S05_a_variable_leaves_the_token_url_a_url(value: str) -> None:
    """A pattern may allow too much for a path; then nothing is written."""
    auth = auth_of({"url": "https://id.example/{tenant}/t"}, variables={"tenant": {"pattern": "(?s).+"}})

    with pytest.raises(CallWrong, match="the token URL with the account's variables is not a URL"):
        token_url(auth, Account("acme", HELD, {"tenant": value}))


def test_A13_a_refresh_may_have_its_own_url() -> None:
    """A code is exchanged at the other."""
    auth = auth_of({"refresh_url": "https://id.example/refresh"})
    account = Account("acme", HELD)
    code = Code(Secret("c0de"), "https://app.example/back")

    urls = [token_draft(auth, account, FIXED).url, token_draft(auth, account, FIXED, code=code).url]

    assert ["https://id.example/refresh", URL] == urls


def test_a_connector_without_a_token_endpoint_asks_for_none() -> None:
    """The account's token is all there is, and the message says so."""
    with pytest.raises(CallWrong, match="does not say where a token is asked for"):
        token_draft(connector(auth={"type": "oauth2"}).auth, Account("acme", HELD), FIXED)


# By what right.


def test_A13_a_code_is_exchanged_with_its_verifier() -> None:
    """RFC 6749, section 4.1.3, and RFC 7636, section 4.5."""
    proof = pkce(FIXED)
    code = Code(Secret("c0de"), "https://app.example/back", proof.verifier)

    request = asked({"client_auth": "id_only"}, code=code)

    assert {
        "grant_type": "authorization_code",
        "code": "c0de",
        "redirect_uri": "https://app.example/back",
        "code_verifier": proof.verifier.reveal(),
        "client_id": "c1",
    } == form(request)
    assert not any("c0de" in text or proof.verifier.reveal() in text for text in (repr(code), repr(proof)))


def test_A13_challenge_is_the_hash_of_the_verifier() -> None:
    """RFC 7636: 43 to 128 characters, S256, without padding."""
    proof = pkce(FIXED)

    digest = hashlib.sha256(proof.verifier.reveal().encode()).digest()
    assert re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", proof.verifier.reveal())
    assert (base64.urlsafe_b64encode(digest).decode().rstrip("="), "S256") == (proof.challenge, proof.method)


def test_A13_a_short_verifier_is_refused() -> None:
    """Nonces that are too short would be guessed."""
    with pytest.raises(ValueError, match="43 to 128"):
        pkce(Signing(NOW, lambda: "abc"))


@lru_cache(maxsize=2)
def pem(kind: str) -> tuple[str, Any]:
    """A private key in PEM, and its public half."""
    key = ec.generate_private_key(ec.SECP256R1()) if kind == "ES" else rsa.generate_private_key(65537, 2048)
    return written(key), key.public_key()


def written(key: Any, encryption: Any = None) -> str:
    """A private key as PEM."""
    text: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())
    return text.decode()


UNFIT: dict[str, Callable[[], str]] = {
    "RSA": lambda: pem("RS")[0],
    "public": lambda: pem("RS")[1].public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
    "encrypted": lambda: written(ec.generate_private_key(ec.SECP256R1()), BestAvailableEncryption(b"x")),
    "Ed25519": lambda: written(ed25519.Ed25519PrivateKey.generate()),
    "P-384": lambda: written(ec.generate_private_key(ec.SECP384R1())),
}
SHARED_SECRET = "shared-secret-of-at-least-32-bytes!"


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "HS256"])
def test_A1_private_key_jwt_is_signed_for_the_endpoint(algorithm: str) -> None:
    """RFC 7523, section 3: issuer and subject are the client, the audience is the token URL."""
    secret, public = (SHARED_SECRET, SHARED_SECRET) if algorithm == "HS256" else pem(algorithm[:2])
    token = {
        "grant": "client_credentials",
        "client_auth": "private_key_jwt",
        "jwt": {"algorithm": algorithm, "key_path": "keys.own", "key_id_path": "keys.id"},
    }

    sent = form(asked(token, Account("acme", {**HELD, "keys": {"own": secret, "id": "k1"}})))

    at = int(NOW.timestamp())
    assertion = sent.pop("client_assertion")
    options: Any = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(assertion, public, algorithms=[algorithm], audience=URL, options=options)
    assert {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    } == sent
    assert {"iss": "c1", "sub": "c1", "aud": URL, "iat": at, "exp": at + 300, "jti": FIXED.nonce()} == claims
    assert {"alg": algorithm, "kid": "k1", "typ": "JWT"} == jwt.get_unverified_header(assertion)


def test_A1_jwt_bearer_says_for_whom() -> None:
    """RFC 7523, section 2.1, with claims of the provider's own."""
    words = {
        "algorithm": "RS256",
        "key_path": "key",
        "issuer": "{client_id}@svc",
        "subject": "{sub}",
        "audience": "https://login.example",
        "lifetime_s": 60,
        "claims": {"scope": "read write", "tenant": "{sub}", "n": 1},
    }

    sent = form(asked({"grant": "jwt_bearer", "jwt": words}, Account("acme", {**HELD, "key": pem("RS")[0]})))

    claims = jwt.decode(sent["assertion"], options={"verify_signature": False})
    assert "urn:ietf:params:oauth:grant-type:jwt-bearer" == sent["grant_type"]
    assert {
        "iss": "c1@svc",
        "sub": "user 7",
        "aud": "https://login.example",
        "scope": "read write",
        "tenant": "user 7",
        "n": 1,
        "jti": FIXED.nonce(),
    } == {name: value for name, value in claims.items() if name not in {"iat", "exp"}}
    assert 60 == claims["exp"] - claims["iat"]


def test_A1_an_assertion_may_stand_in_the_header() -> None:
    """Some providers take the signed JWT as a bearer token, with no grant and no body."""
    words = {"algorithm": "RS256", "key_path": "key", "subject": None}

    request = asked(
        {"grant": "none", "client_auth": "bearer_jwt", "jwt": words}, Account("acme", {**HELD, "key": pem("RS")[0]})
    )

    scheme, _, assertion = (request.header("authorization") or "").partition(" ")
    assert ("Bearer", None) == (scheme, request.body)
    assert "sub" not in jwt.decode(assertion, options={"verify_signature": False})


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("RS256", "s3cret-that-is-no-key"),
        ("RS256", "-----BEGIN PRIVATE KEY-----\ns3cret\n-----END PRIVATE KEY-----\n"),
        ("ES256", "RSA"),
        ("HS256", "RSA"),
        ("PS256", "public"),
        ("RS256", "encrypted"),
        ("RS256", "Ed25519"),
        ("ES256", "P-384"),
    ],
    ids=[
        "a word",
        "a broken PEM",
        "another kind",
        "a PEM for a secret",
        "a public key",
        "with a passphrase",
        "another curve's kind",
        "another curve",
    ],
)
def test_S34_a_key_that_is_none_is_told_without_it(algorithm: str, key: str) -> None:
    """The message names the credential's path; the key stands in no line of the traceback."""
    text = UNFIT[key]() if key in UNFIT else key
    token = {"grant": "jwt_bearer", "jwt": {"algorithm": algorithm, "key_path": "keys.own"}}

    with pytest.raises(
        CallWrong, match=f'the credential "keys.own" of the account "acme" is no key for {algorithm}'
    ) as said:
        asked(token, Account("acme", {**HELD, "keys": {"own": text}}))

    told = "".join(traceback.format_exception(said.value))
    assert not any(line in told for line in text.splitlines() if "KEY" not in line)


# A login.


@pytest.mark.parametrize(
    ("login", "content_type", "body"),
    [
        ({}, "application/x-www-form-urlencoded", b"user=u&pass=p%C3%A4%26%22"),
        ({"encode": "json"}, "application/json", '{"user":"u","pass":"pä&\\""}'.encode()),
    ],
)
def test_A16_a_login_is_a_token_request(login: dict[str, Any], content_type: str, body: bytes) -> None:
    """With the account's credentials in its parameters, and nothing of OAuth."""
    said = {"url": "https://api.example/login", "params": {"user": "{user}", "pass": "{pass}"}, **login}
    auth = connector(auth={"type": "session", "name": "X-Session", "login": said}).auth

    request = token_draft(auth, Account("acme", {"user": "u", "pass": 'pä&"'}), FIXED).request()

    assert ("POST", "https://api.example/login", body) == (request.method, request.url, request.body)
    assert (("content-type", content_type),) == request.headers


def test_A2_a_login_may_be_a_document() -> None:
    """In XML, its names in braces filled and escaped."""
    said = {
        "url": "https://api.example/soap",
        "encode": "xml",
        "body": '<login user="{user}"><password>{pass}</password></login>',
        "headers": {"SOAPAction": "login"},
    }
    auth = connector(auth={"type": "session", "name": "X-Session", "login": said}).auth

    request = token_draft(auth, Account("acme", {"user": 'u"', "pass": "<p>&'ä"}), FIXED).request()

    document = ET.fromstring(request.body or b"")
    assert ('u"', "<p>&'ä") == (document.attrib["user"], document.findtext("password"))
    assert (("soapaction", "login"), ("content-type", "text/xml; charset=utf-8")) == request.headers


@pytest.mark.parametrize(
    ("login", "told"),
    [
        ({}, '/auth/login  "params" is missing'),
        ({"encode": "xml"}, '/auth/login/encode  says nothing without "body"'),
        ({"body": "<x/>"}, '/auth/login/body  says nothing without "encode"'),
        (
            {"body": "<x/>", "encode": "xml", "params": {"a": "b"}},
            '/auth/login/body  is all that is sent, and "params"',
        ),
        ({"body": "{a..b}", "encode": "xml"}, "/auth/login/body  not a path"),
        ({"params": {"a": "b"}, "scope": "x"}, "/auth/login/scope  unknown member"),
    ],
)
def test_a_login_that_contradicts_itself_is_refused(login: dict[str, Any], told: str) -> None:
    """Told at its word, first of all."""
    with pytest.raises(ConfigWrong) as said:
        connector(auth={"type": "session", "name": "X-S", "login": {"url": "https://api.example/l", **login}})

    assert any(told in line for line in str(said.value).splitlines())


# Tokens in their places.


def test_new_tokens_stand_where_requests_look_for_them() -> None:
    """At the config's paths, in a copy; without a new refresh token the old one stays."""
    said = {"url": URL, "client_auth": "none", "refresh_token_path": "oauth.refresh"}
    auth = connector(auth={"type": "oauth2", "token_path": "oauth.access", "token": said}).auth
    old = Account("acme", {"client_id": "c1", "oauth": {"access": "a0", "refresh": "r0"}})

    new = with_tokens(auth, old, access=Secret("a1"), refresh=Secret("r1"))
    kept = with_tokens(auth, old, access=Secret("a2"))

    assert {"access": "a0", "refresh": "r0"} == old.credentials["oauth"]
    assert {"access": "a1", "refresh": "r1"} == new.credentials["oauth"]
    assert {"access": "a2", "refresh": "r0"} == kept.credentials["oauth"]
    assert "Bearer a1" == sign(Draft("GET", BASE), auth, new, FIXED).request().header("authorization")
    assert "r1" == form(token_draft(auth, new, FIXED).request())["refresh_token"]


def test_a_place_that_is_taken_is_told() -> None:
    """The account has a text where the config means an object."""
    auth = connector(auth={"type": "oauth2", "token_path": "oauth.access"}).auth

    with pytest.raises(CallWrong, match=r'have no room for "oauth\.access"') as said:
        with_tokens(auth, Account("acme", {"oauth": "s3cret"}), access=Secret("a1-new"))

    assert not any(text in str(said.value) for text in ("s3cret", "a1-new"))


# What is missing or contradicts itself.


@pytest.mark.parametrize(
    ("token", "path", "word"),
    [
        ({}, "refresh_token", "refresh_token_path"),
        ({"client_auth": "basic"}, "client_id", "client_id_path"),
        ({"client_auth": "body"}, "client_secret", "client_secret_path"),
        ({"client_auth": "id_only"}, "client_id", "client_id_path"),
        ({"params": {"sub": "{sub}"}}, "sub", "params/sub"),
        ({"headers": {"X-Sub": "{sub}"}}, "sub", "headers/x-sub"),
    ],
)
def test_a_missing_credential_names_its_path(token: dict[str, Any], path: str, word: str) -> None:
    """And the config's word that asks for it; no other credential is said."""
    held = {name: value for name, value in HELD.items() if name != path}

    with pytest.raises(CallWrong, match=f'the account "acme" has no credential "{path}"') as said:
        asked(token, Account("acme", held))

    assert f"connector.json /auth/token/{word}" == said.value.facts["needed by"]
    assert "s+/=%&ä" not in "".join(traceback.format_exception(said.value))


@pytest.mark.parametrize(
    "token", [{}, {"client_auth": "basic"}, {"client_auth": "body"}, {"params": {"p": "{client_secret}"}}]
)
def test_S13_a_control_character_is_refused(token: dict[str, Any]) -> None:
    """A line break at the end of a pasted secret is told, and the secret is not."""
    held = {name: f"{value}-long\r\n" for name, value in HELD.items()}

    with pytest.raises(CallWrong, match="holds a control character") as said:
        asked(token, Account("acme", held))

    assert "-long" not in str(said.value)


JWT = {"algorithm": "RS256", "key_path": "key"}


@pytest.mark.parametrize(
    ("token", "told"),
    [
        ({"grant": "jwt_bearer"}, '/auth/token/grant  "jwt_bearer" needs "jwt" beside it'),
        ({"client_auth": "private_key_jwt"}, '/auth/token/client_auth  "private_key_jwt" needs "jwt" beside it'),
        ({"client_auth": "bearer_jwt"}, '/auth/token/client_auth  "bearer_jwt" needs "jwt" beside it'),
        ({"jwt": JWT}, "/auth/token/jwt  is used by nothing"),
        ({"jwt": {"algorithm": "RS256"}, "grant": "jwt_bearer"}, '/auth/token/jwt  "key_path" is missing'),
        (
            {"jwt": {**JWT, "algorithm": "none"}, "grant": "jwt_bearer"},
            '/auth/token/jwt/algorithm  "none" is not a valid',
        ),
        (
            {"jwt": JWT, "grant": "jwt_bearer", "client_auth": "private_key_jwt"},
            "/auth/token/client_auth  would need a second assertion",
        ),
        ({"jwt": {**JWT, "issuer": "{a..b}"}, "grant": "jwt_bearer"}, "/auth/token/jwt/issuer  not a path"),
        ({"method": "GET", "encode": "form"}, "/auth/token/encode  GET has no body"),
        (
            {"grant": "client_credentials", "refresh_url": "https://id.example/r"},
            "/auth/token/refresh_url  is never asked",
        ),
        ({"refresh_token_path": "tokens[0]"}, "/auth/token/refresh_token_path  leads into a list"),
        ({"params": {"p": "{a b}"}}, "/auth/token/params/p  not a path"),
        ({"headers": {"Host": "x"}}, "/auth/token/headers/Host  "),
        ({"headers": {"Authorization": "{x}"}}, "/auth/token/headers/Authorization  "),
        ({"response": {"expires_in": "a b"}}, "/auth/token/response/expires_in  not a path"),
        ({"client_auth": "basci"}, 'did you mean "basic"?'),
        ({"grant": "jwt_bearer", "jwt": {**JWT, "keypath": "k"}}, "/auth/token/jwt/keypath  unknown member"),
        ({"response": {"acces_token": "t"}}, "/auth/token/response/acces_token  unknown member"),
        ({"granttype": "x"}, '/auth/token/granttype  unknown member "granttype" (did you mean "grant"?)'),
        ({"url": "http://id.example/t"}, "/auth/token/url  is not https"),
        ({"refresh_url": "http://id.example/t"}, "/auth/token/refresh_url  is not https"),
        ({"url": "https://u:p@id.example/t"}, "/auth/token/url  is not an origin"),
        ({"url": "https://id.example/../t"}, "/auth/token/url  has a dot segment"),
        ({"url": "https://id.example/{t/t"}, "/auth/token/url  "),
        ({"url": "https://id.example/ä"}, "/auth/token/url  has a character outside ASCII"),
        ({"url": "https://127.0.0.1/t"}, "/auth/token/url  is an address"),
        ({"url": "https://id.example/t#f"}, "/auth/token/url  "),
        ({"url": "https://id.example/{client_secret}"}, "/auth/token/url  {client_secret} is not declared"),
    ],
)
def test_a_token_endpoint_that_contradicts_itself_is_refused(token: dict[str, Any], told: str) -> None:
    """One problem, at its word."""
    with pytest.raises(ConfigWrong) as said:
        auth_of(token)

    (line,) = str(said.value).splitlines()[1:]
    assert told in line


@pytest.mark.parametrize(
    ("url", "variable", "told"),
    [
        ("https://{v}.example/t", {"pattern": ".+"}, "which leads to another origin"),
        ("{v}/t", {"pattern": "https://.+"}, "which is any origin"),
        (
            "https://{v}.example/t",
            {"pattern": "[a-z]+", "source": "token_response", "path": "v"},
            "/auth/token/url  {v} comes from a token_response",
        ),
    ],
)
def test_S11_a_token_url_is_pinned_when_the_config_is_loaded(url: str, variable: dict[str, str], told: str) -> None:
    """No variable may lead the client's secret to another origin, and none comes from an answer."""
    with pytest.raises(ConfigWrong) as said:
        auth_of({"url": url}, variables={"v": variable})

    (line,) = str(said.value).splitlines()[1:]
    assert told in line


def test_rotation_is_declared_or_not() -> None:
    """`none`, `strict`, or seconds of grace; it says nothing without a token endpoint."""
    token = {"url": URL, "client_auth": "none"}
    said: list[Any] = ["none", "strict", {"grace_s": 1800}]

    read = [connector(auth={"type": "oauth2", "token": token, "rotation": word}).auth.rotation for word in said]

    assert ["none", "strict", 1800] == read
    with pytest.raises(ConfigWrong, match='"rotation" needs "token" beside it'):
        connector(auth={"type": "oauth2", "rotation": "none"})
    with pytest.raises(ConfigWrong, match="/auth/rotation"):
        connector(auth={"type": "oauth2", "token": token, "rotation": {"grace_s": 60, "grace_m": 1}})


def test_tokens_go_where_they_can_be_written() -> None:
    """A path into a list names no place for a new token."""
    token = {"url": URL, "client_auth": "none"}

    with pytest.raises(ConfigWrong, match="/auth/token_path  leads into a list"):
        connector(auth={"type": "oauth2", "token_path": "tokens[0]", "token": token})
