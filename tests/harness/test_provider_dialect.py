"""The simulated token endpoint speaks each config's dialect, and refuses what that provider would refuse."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from connproof.auth import Signing, sign
from connproof.auth.token_request import token_draft
from connproof.auth.token_response import (
    TokenGranted,
    TokenRefused,
    checked_variables,
    read_token_response,
    token_document,
)
from connproof.draft import Draft
from connproof.errors import CallWrong
from connproof.model import Account, Connector, Request, Response
from providers import NAMES, account, loaded
from pytest_connproof.provider import ANSWERS, AuthorizationServer, Presentation
from scripted import connector

NOW = datetime(2026, 11, 23, 15, 0, 7, tzinfo=UTC)
AT = NOW.timestamp()
SIGNING = Signing(NOW, lambda: "0123456789abcdef0123456789abcdef")
LIFETIME = 1234
URL = "https://id.example/oauth/token"
HELD: dict[str, Any] = {"client_id": "c:1", "client_secret": "s+/=%&ä", "refresh_token": "none yet", "sub": "user 7"}

ASKING = [name for name in NAMES if loaded(name).auth.token is not None]


def provider(config: Connector, whose: Account, **options: Any) -> AuthorizationServer:
    """A server with a consent of the account's owner."""
    server = AuthorizationServer(config, whose, rotation="strict", lifetime_s=LIFETIME, **options)
    server.consent(AT)
    return server


def asked(server: AuthorizationServer, whose: Account | None = None) -> Request:
    """The engine's own request for a token, with the tokens that the account has by now."""
    return token_draft(server.connector.auth, whose or server.account, SIGNING).request()


def read(server: AuthorizationServer, response: Response, now: datetime = NOW) -> TokenGranted | TokenRefused:
    """What the engine makes of an answer."""
    return read_token_response(server.connector.auth, server.account, response, token_document(response), now)


def granted(server: AuthorizationServer) -> TokenGranted:
    """What the engine makes of the answer to its own request."""
    found = read(server, server.answer(asked(server), AT))
    assert isinstance(found, TokenGranted), found
    return found


def with_token(token: dict[str, Any], whose: Account | None = None, **options: Any) -> AuthorizationServer:
    """A server for a connector with this token endpoint."""
    auth = {"type": "oauth2", "token": {"url": URL, "client_auth": "none", **token}}
    return provider(connector(auth=auth), whose or Account("acme", HELD), **options)


def outcomes(server: AuthorizationServer) -> list[str]:
    return [presentation.outcome for presentation in server.presentations]


# Every provider of the configs that tests have.


@pytest.mark.parametrize("name", ASKING)
def test_server_and_engine_understand_each_other(name: str) -> None:
    """The engine's request is granted, and its answer is read: with the next pair, and its lifetime."""
    server = provider(loaded(name), account(name))
    rotates = loaded(name).auth.token.grant == "refresh_token"  # type: ignore[union-attr]  # ASKING has those alone that have one

    found = granted(server)

    assert "acme.1.AT_1" == found.access_token.reveal()
    assert ("acme.1.RT_1" if rotates else None) == (found.refresh_token and found.refresh_token.reveal())
    assert NOW + timedelta(seconds=LIFETIME) == found.expires_at
    assert () == found.notes


@pytest.mark.parametrize("name", ASKING)
def test_the_access_token_is_seen_in_the_configs_slot(name: str) -> None:
    """A request that the engine signs with it is served."""
    server = provider(loaded(name), account(name))
    request = sign(Draft("GET", "https://api.example"), server.connector.auth, server.account, SIGNING).request()

    assert server.serves(request, AT)
    assert [(0, True)] == [(served.number, served.alive) for served in server.served]


@pytest.mark.parametrize("name", ASKING)
def test_every_alternative_place_is_read(name: str) -> None:
    """Where a config names several places for one value, the last one holds it just as well."""
    server = provider(loaded(name), account(name), alternative=9)

    assert "acme.1.AT_1" == granted(server).access_token.reveal()


@pytest.mark.parametrize("name", ASKING)
def test_a_wrong_client_is_refused(name: str) -> None:
    """As misconfigured, and the refresh token is not spent."""
    server = provider(loaded(name), account(name))
    whose = Account("acme", {**server.account.credentials, "client_secret": "of another"}, server.account.variables)

    found = read(server, server.answer(asked(server, whose), AT))

    assert isinstance(found, TokenRefused)
    assert ("misconfigured", 401) == (found.kind, found.status)
    assert ["refused"] == outcomes(server)
    assert "acme.1.AT_1" == granted(server).access_token.reveal()


@pytest.mark.parametrize("name", [name for name in ASKING if loaded(name).auth.token.grant == "refresh_token"])  # type: ignore[union-attr]  # as above
def test_an_unknown_refresh_token_is_refused(name: str) -> None:
    """By the provider's own word for it, which the config knows as revoked."""
    server = provider(loaded(name), account(name))

    found = read(server, server.answer(asked(server, account(name)), AT))

    assert isinstance(found, TokenRefused)
    assert "revoked" == found.kind
    assert [Presentation(None, AT, "unknown")] == list(server.presentations)


@pytest.mark.parametrize("name", ["pipedrive", "salesforce", "zoho"])
def test_the_answer_says_what_the_config_takes_from_it(name: str) -> None:
    """Where the API is: variables that come with a token."""
    server = provider(loaded(name), account(name))
    expected = {n: server.account.variables[n] for n, v in loaded(name).variables.items() if v.source != "account"}

    assert expected == dict(checked_variables(server.connector.auth, granted(server)))


def _moved(request: Request) -> Request:
    return replace(request, url=f"{request.url}/v2")


def _got(request: Request) -> Request:
    return replace(request, method="PUT")


def _written(**texts: str) -> Callable[[Request], Request]:
    """Each of these texts replaced wherever it stands."""

    def change(request: Request) -> Request:
        url, body = request.url, (request.body or b"").decode()
        for old, new in texts.items():
            url, body = url.replace(old, new), body.replace(old, new)
        return replace(request, url=url, body=body.encode() or None)

    return change


@pytest.mark.parametrize("name", ASKING)
@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        pytest.param(_got, 405, "", id="another method"),
        pytest.param(_written(grant_type="grant"), 400, "invalid_request", id="another name"),
        pytest.param(
            _written(refresh_token="password", client_credentials="password"),
            400,
            "unsupported_grant_type",
            id="another grant",
        ),
    ],
)
def test_a_request_that_is_wrong_is_refused(
    name: str, change: Callable[[Request], Request], status: int, code: str
) -> None:
    """As RFC 6749 says; a refresh token in it is not spent."""
    server = provider(loaded(name), account(name))

    found = read(server, server.answer(change(asked(server)), AT))

    assert isinstance(found, TokenRefused)
    assert (status, code) == (found.status, found.code)
    assert ["refused"] == outcomes(server)


@pytest.mark.parametrize("name", ASKING)
def test_another_path_is_no_token_endpoint(name: str) -> None:
    """A 404, and nobody counts it as a presentation."""
    server = provider(loaded(name), account(name))
    request = asked(server)
    path, question, query = request.url.partition("?")

    response = server.answer(replace(request, url=f"{path}/v2{question}{query}"), AT)

    assert 404 == response.status
    assert () == server.presentations


# What a token endpoint can be told to want, one by one.

_PEMS: dict[str, Callable[[], rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey]] = {
    "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
}


@cache
def key(algorithm: str) -> str:
    """A private key for an algorithm, as an account has it."""
    if algorithm == "HS256":
        return "a shared secret of more than thirty-two bytes"
    made = _PEMS[algorithm]()
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def signing(algorithm: str, **words: Any) -> dict[str, Any]:
    return {"algorithm": algorithm, "key_path": "key", "key_id_path": "key_id", **words}


XML = (
    '<e:Envelope xmlns:e="urn:e"><e:Body v="1"><login>'
    "<by>{client_id}</by><with>{refresh_token}</with>"
    "</login></e:Body></e:Envelope>"
)

TOKENS: dict[str, dict[str, Any]] = {
    "form": {"client_auth": "body"},
    "basic": {"client_auth": "basic"},
    "basic, own prefix": {"client_auth": "basic", "client_auth_prefix": "ID "},
    "basic, encoded": {"client_auth": "basic", "client_auth_encoded": True},
    "id only": {"client_auth": "id_only"},
    "no client": {},
    "own paths": {"client_auth": "body", "client_id_path": "sub", "client_secret_path": "client_id"},
    "json": {"encode": "json", "client_auth": "body", "params": {"expiring": True, "days": 5}},
    "query": {"encode": "query", "client_auth": "body"},
    "query of a URL with one": {"encode": "query", "url": f"{URL}?v=1"},
    "GET": {"method": "GET", "grant": "client_credentials", "client_auth": "body"},
    "scope": {"scope": ["a", "b"], "scope_separator": ","},
    "params": {"params": {"who": "is {sub}", "n": 5, "yes": True}, "headers": {"X-App": "{client_id}"}},
    "own grant": {"grant": "none", "params": {"grant_type": "own", "old": "{refresh_token}"}},
    "refresh URL": {"refresh_url": "https://id.example/oauth/refresh"},
    "signed client": {"client_auth": "private_key_jwt", "jwt": signing("RS256")},
    "signed client, ES256": {"client_auth": "private_key_jwt", "jwt": signing("ES256", audience="https://id.example")},
    "signed header": {"client_auth": "bearer_jwt", "jwt": signing("HS256", subject=None)},
    "signed grant": {"grant": "jwt_bearer", "jwt": signing("RS256", issuer="{sub}", claims={"scope": "x", "n": 1})},
    "xml": {
        "encode": "xml",
        "body": XML,
        "grant": "none",
        "response": {"access_token": "r.token", "refresh_token": "r.next", "expires_in": "r.ends", "error": "f.code"},
    },
}
del TOKENS["signed header"]["jwt"]["subject"]


def owner(token: dict[str, Any]) -> Account:
    """An account with all that a token endpoint may ask for."""
    algorithm = token["jwt"]["algorithm"] if "jwt" in token else "HS256"
    return Account("acme", {**HELD, "key": key(algorithm), "key_id": "k1"})


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS.keys())
def test_every_way_to_ask_is_understood(token: dict[str, Any]) -> None:
    """Each form, each client authentication, each grant: read by the server, and its answer by the engine."""
    server = with_token(token, owner(token))

    found = granted(server)

    assert "acme.1.AT_1" == found.access_token.reveal()
    assert NOW + timedelta(seconds=LIFETIME) == found.expires_at
    assert ["granted"] == outcomes(server)


CHANGED: dict[str, tuple[str, str, tuple[int, str]]] = {
    "basic": ("client_secret", "wrong", (401, "invalid_client")),
    "basic, own prefix": ("client_id", "wrong", (401, "invalid_client")),
    "basic, encoded": ("client_secret", "s /=%&ä", (401, "invalid_client")),
    "form": ("client_id", "wrong", (401, "invalid_client")),
    "json": ("client_secret", "wrong", (401, "invalid_client")),
    "GET": ("client_secret", "wrong", (401, "invalid_client")),
    "id only": ("client_id", "wrong", (401, "invalid_client")),
    "signed client": ("client_id", "wrong", (401, "invalid_client")),
    "signed header": ("key", "another secret of more than thirty-two bytes", (401, "invalid_client")),
    "signed client, ES256": ("key_id", "k2", (401, "invalid_client")),
    "signed grant": ("sub", "wrong", (400, "invalid_grant")),
    "params": ("sub", "wrong", (400, "invalid_grant")),
    "xml": ("client_id", "wrong", (401, "invalid_grant")),
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_wrong_credential_is_refused(name: str) -> None:
    """Whose client, whose key, whose name: with the status and the word that say which."""
    member, value, expected = CHANGED[name]
    server = with_token(TOKENS[name], owner(TOKENS[name]))
    whose = Account("acme", {**server.account.credentials, member: value})

    found = read(server, server.answer(asked(server, whose), AT))

    assert isinstance(found, TokenRefused)
    assert expected == (found.status, found.code)
    assert ["refused"] == outcomes(server)


@pytest.mark.parametrize(
    ("name", "other", "expected"),
    [
        ("form", {"encode": "json"}, "invalid_request"),
        ("query of a URL with one", {"url": URL}, "invalid_request"),
        ("form", {"params": {"grant_type": "password"}}, "unsupported_grant_type"),
        ("scope", {"scope": ["a"]}, "invalid_scope"),
        ("scope", {"scope_separator": " "}, "invalid_scope"),
        ("json", {"params": {"expiring": 1, "days": 5}}, "invalid_request"),
        ("json", {"params": {"expiring": True}}, "invalid_request"),
        ("params", {"headers": {}}, "invalid_request"),
        ("own grant", {"params": {"grant_type": "refresh_token", "old": "{refresh_token}"}}, "unsupported_grant_type"),
        ("xml", {"body": XML.replace("with>", "through>")}, "invalid_request"),
        ("xml", {"body": XML.replace("urn:e", "urn:other")}, "invalid_request"),
        ("xml", {"body": XML.replace('v="1"', 'v="2"')}, "invalid_request"),
    ],
)
def test_a_config_that_says_otherwise_is_refused(name: str, other: dict[str, Any], expected: str) -> None:
    """A connector that asks in another way than this provider's is told so, and spends nothing."""
    token = TOKENS[name]
    server = with_token(token, owner(token))
    wrong = with_token({**token, **other}, owner(token))

    found = read(server, server.answer(asked(wrong), AT))

    assert isinstance(found, TokenRefused)
    assert (400, expected) == (found.status, found.code)
    assert ["refused"] == outcomes(server)


def test_no_refresh_token_is_a_wrong_request() -> None:
    """It is missing, not unknown."""
    server = with_token({})
    request = asked(server)

    response = server.answer(replace(request, body=b"grant_type=refresh_token"), AT)

    assert (400, "invalid_request") == (response.status, json.loads(response.body)["error"])


def test_a_parameter_may_stand_once() -> None:
    """RFC 6749, section 3.2."""
    server = with_token({})
    request = asked(server)

    response = server.answer(replace(request, body=(request.body or b"") + b"&grant_type=refresh_token"), AT)

    assert (400, "invalid_request") == (response.status, json.loads(response.body)["error"])


def test_a_parameter_that_nobody_declared_is_ignored() -> None:
    """RFC 6749, section 3.2."""
    server = with_token({})
    request = asked(server)

    response = server.answer(replace(request, body=(request.body or b"") + b"&" + urlencode({"x": "y"}).encode()), AT)

    assert 200 == response.status


@pytest.mark.parametrize("late_s", [301, -61])
def test_an_assertion_holds_for_its_time_alone(late_s: int) -> None:
    """It ends as it says, and it may not come from the future."""
    token = TOKENS["signed client"]
    server = with_token(token, owner(token))

    assert 401 == server.answer(asked(server), AT + late_s).status


def test_a_client_that_cannot_be_checked_cannot_be_simulated() -> None:
    """An account without its client's secret is a mistake of the test, and is said at once."""
    with pytest.raises(CallWrong, match='no credential "client_secret"'):
        with_token({"client_auth": "body"}, Account("acme", {"client_id": "c1"}))


def test_a_connector_without_a_token_endpoint_cannot_be_simulated() -> None:
    """It has nothing to ask."""
    with pytest.raises(CallWrong, match="no token endpoint"):
        AuthorizationServer(connector(auth={"type": "bearer"}), Account("acme", HELD), rotation="none")


LOGIN = {
    "type": "session",
    "name": "X-Session",
    "prefix": "S ",
    "login": {
        "url": URL,
        "encode": "json",
        "params": {"user": "{sub}", "password": "{client_secret}"},
        "response": {"access_token": "session.id"},
    },
}


def test_a_login_is_a_token_request_too() -> None:
    """Its token is seen in the header that the config names."""
    server = AuthorizationServer(connector(auth=LOGIN), Account("acme", HELD), rotation="none", lifetime_s=LIFETIME)

    assert "acme.1.AT_0" == granted(server).access_token.reveal()
    assert server.serves(Request("GET", "https://api.example", (("x-session", "S acme.1.AT_0"),)), AT)
    assert not server.serves(Request("GET", "https://api.example", (("x-session", "acme.1.AT_0"),)), AT)


def test_a_login_with_a_wrong_password_is_refused() -> None:
    """The account's own credentials are, and its owner must act."""
    server = AuthorizationServer(connector(auth=LOGIN), Account("acme", HELD), rotation="none", lifetime_s=LIFETIME)

    found = read(server, server.answer(asked(server, Account("acme", {**HELD, "client_secret": "wrong"})), AT))

    assert isinstance(found, TokenRefused)
    assert ("revoked", 401) == (found.kind, found.status)


# Odd answers in every dialect.


def fired(server: AuthorizationServer) -> list[str]:
    """Each odd answer asked for once; those that were given. A family that has ended is begun anew."""
    for name in ANSWERS:
        server.plan(name)
        if True not in server.families:
            server.consent(AT)
        server.answer(asked(server), AT)
    return [presentation.answer for presentation in server.presentations]


@pytest.mark.parametrize("name", ASKING)
def test_every_provider_can_answer_oddly(name: str) -> None:
    """Each odd answer can be written in each dialect."""
    assert list(ANSWERS) == fired(provider(loaded(name), account(name)))


@pytest.mark.parametrize("name", ["query", "GET", "json", "own grant", "signed client, ES256", "xml"])
def test_every_way_to_ask_can_be_answered_oddly(name: str) -> None:
    """XML too, and grants that present no token."""
    assert list(ANSWERS) == fired(with_token(TOKENS[name], owner(TOKENS[name])))


# How the answer is written.


def answer_to(token: dict[str, Any], **options: Any) -> Any:
    """The body of the answer that grants."""
    server = with_token(token, owner(token), **options)
    return json.loads(server.answer(asked(server), AT).body)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            {"scope": "scope"},
            {"access_token": "acme.1.AT_1", "refresh_token": "acme.1.RT_1", "expires_in": 1234},
        ),
        (
            {
                "access_token": "data.tokens[0].value",
                "refresh_token": 'data["re-fresh"]',
                "expires_in": "data.ttl",
                "expires_in_unit": "ms",
            },
            {"data": {"tokens": [{"value": "acme.1.AT_1"}], "re-fresh": "acme.1.RT_1", "ttl": 1_234_000}},
        ),
        (
            {"expires_at": "until"},
            {"access_token": "acme.1.AT_1", "refresh_token": "acme.1.RT_1", "until": "2026-11-23T15:20:41Z"},
        ),
        (
            {"expires_at": "until", "expires_at_unit": "epoch_s"},
            {"access_token": "acme.1.AT_1", "refresh_token": "acme.1.RT_1", "until": int(AT) + 1234},
        ),
        (
            {"expires_at": "until", "expires_at_unit": "epoch_ms"},
            {"access_token": "acme.1.AT_1", "refresh_token": "acme.1.RT_1", "until": (int(AT) + 1234) * 1000},
        ),
    ],
    ids=["the standard's", "own places", "a time", "epoch", "epoch in ms"],
)
def test_the_answer_stands_where_the_config_looks(said: dict[str, Any], expected: dict[str, Any]) -> None:
    """Nested places are made, lifetimes are in their unit, and times in their form."""
    assert {**expected, "token_type": "Bearer"} == answer_to({"response": said})
    assert NOW + timedelta(seconds=LIFETIME) == granted(with_token({"response": said})).expires_at


def test_the_answer_of_xml_is_xml() -> None:
    """Under the root that the access token has."""
    server = with_token(TOKENS["xml"], owner(TOKENS["xml"]))

    response = server.answer(asked(server), AT)

    assert "text/xml; charset=utf-8" == response.header("content-type")
    assert b"<r><token>acme.1.AT_1</token><next>acme.1.RT_1</next><ends>1234</ends></r>" in response.body


def test_a_token_may_come_in_a_header() -> None:
    """Where the config looks for it there."""
    server = with_token({"response": {"access_token": {"header": "X-Token"}}})

    response = server.answer(asked(server), AT)

    assert "acme.1.AT_1" == response.header("x-token")
    assert "acme.1.AT_2" == granted(server).access_token.reveal()


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ({}, {"error": "invalid_grant"}),
        ({"revoked_when": ["GONE", "bad"]}, {"error": "GONE"}),
        ({"response": {"error": "fault.code"}}, {"fault": {"code": "invalid_grant"}}),
    ],
)
def test_a_refusal_has_the_providers_words(token: dict[str, Any], expected: dict[str, Any]) -> None:
    """Its codes, and where it says them."""
    server = with_token(token)
    server.revoke()

    response = server.answer(asked(server), AT)

    assert (400, expected) == (response.status, json.loads(response.body))


def test_the_clients_pair_is_one_text() -> None:
    """An id that has a colon is known by the whole pair, and by no other split of it."""
    server = with_token({"client_auth": "basic"})
    pair = base64.b64encode("c:1:s+/=%&ä".encode()).decode()

    assert f"Basic {pair}" == asked(server).header("authorization")
    assert "acme.1.AT_1" == granted(server).access_token.reveal()
