"""TOK-005 passes with its refreshes counted, and fails on each way in which config and recording contradict."""

from __future__ import annotations

from typing import Any, Final

import pytest
from projects import CHECK, Project, renew, renewed_exchanges, token_exchange

from pytest_connproof.checks import targets
from pytest_connproof.finding import Finding, Inconclusive

GRANTED: Final = {
    "access_token": "{{secret:access_token#2}}",
    "refresh_token": "{{secret:refresh_token#2}}",
    "expires_in": 3600,
}
KEPT: Final = {"access_token": "{{secret:access_token#2}}", "expires_in": 3600}
SAME: Final = {**KEPT, "refresh_token": "{{secret:refresh_token#1}}"}


def _with(project: Project, answer: dict[str, Any] | None = None, status: int = 200, **sent: Any) -> Project:
    renew(project, renewed_exchanges(token=token_exchange("token", answer, status, **sent)))
    return project


def _refuted(project: Project) -> str:
    with pytest.raises(Finding) as found:
        project.judge("TOK-005")
    return str(found.value)


def _says(project: Project, word: str, value: Any) -> None:
    project.change("connector.json", f"/auth/{word}", value)


@pytest.mark.parametrize(
    ("answer", "rotation", "rotated"),
    [
        (GRANTED, "strict", 1),
        (GRANTED, {"grace_s": 1800}, 1),
        (GRANTED, None, 1),
        (KEPT, "none", 0),
        (SAME, "none", 0),
        (KEPT, None, 0),
        ({**KEPT, "expires_in": None, "refresh_expires_in": None}, None, 0),
    ],
    ids=["strict", "a grace", "nothing said", "kept", "repeated", "kept, and nothing said", "no end"],
)
def test_TOK_005_passes_with_its_refreshes_counted(
    deals: Project, answer: dict[str, Any], rotation: Any, rotated: int
) -> None:
    """What is recorded is what is declared; a rotation that is not declared is contradicted by nothing."""
    _with(deals, answer)
    if rotation is None:
        deals.drop("connector.json", "/auth/rotation")
    else:
        _says(deals, "rotation", rotation)

    assert {"refreshes": 1, "rotated": rotated, "refused": 0} == deals.judge("TOK-005")


def test_TOK_005_passes_where_one_of_two_refreshes_replaces(deals: Project) -> None:
    """A provider that replaces refresh tokens now and then is strict all the same."""
    exchanges = renewed_exchanges(token=token_exchange("token", KEPT))
    _with(deals)
    lanes = deals.read("recordings/tokens.json")["lanes"]
    numbered = [{**one, "id": f"kept/{number}"} for number, one in enumerate(exchanges, 1)]
    deals.change("recordings/tokens.json", "/lanes", [*lanes, {"id": "deals.list#kept", "exchanges": numbered}])

    assert {"refreshes": 2, "rotated": 1, "refused": 0} == deals.judge("TOK-005")


def test_TOK_005_passes_on_a_refusal_beside_a_refresh(deals: Project) -> None:
    """A refusal that the config has a meaning for is counted."""
    refused = token_exchange("refused", {"error": "gone_away"}, 200)
    _with(deals)
    _says(deals, "token/revoked_when", ["gone_away"])
    lanes = deals.read("recordings/tokens.json")["lanes"]
    more = {"id": "deals.list#gone", "exchanges": [{**renewed_exchanges()[0], "id": "g/1"}, {**refused, "id": "g/2"}]}
    deals.change("recordings/tokens.json", "/lanes", [*lanes, more])

    assert {"refreshes": 1, "rotated": 1, "refused": 1} == deals.judge("TOK-005")


def test_TOK_005_passes_on_a_token_by_the_clients_credentials(deals: Project) -> None:
    """Such a grant has no refresh token to rotate; a recorded request is held to the config all the same."""
    token = token_exchange("token", KEPT)
    token["request"]["form"][0:2] = [["grant_type", "client_credentials"]]
    renew(deals, renewed_exchanges(token=token))
    deals.drop("connector.json", "/auth/rotation")
    _says(deals, "token/grant", "client_credentials")

    assert {"refreshes": 1, "rotated": 0, "refused": 0} == deals.judge("TOK-005")
    assert "complete" == deals.subject().run("deals.list#renewed").outcome


AUTHS: Final[dict[str, tuple[dict[str, Any], bool]]] = {
    "a refresh token": (
        {
            "type": "oauth2",
            "token_path": "access_token",
            "token": {"url": "https://id.deals.example/t", "client_auth": "body"},
        },
        True,
    ),
    "the client's credentials": (
        {
            "type": "oauth2",
            "token_path": "access_token",
            "token": {"url": "https://id.deals.example/t", "client_auth": "body", "grant": "client_credentials"},
        },
        False,
    ),
    "a token that was given": ({"type": "oauth2", "token_path": "access_token"}, False),
    "bearer": ({"type": "bearer", "token_path": "access_token"}, False),
    "a key": ({"type": "api_key", "in": "header", "name": "x-key", "key_path": "access_token"}, False),
    "Basic": ({"type": "basic", "username": "{access_token}", "password": ""}, False),
}


@pytest.mark.parametrize(("auth", "applies"), AUTHS.values(), ids=AUTHS)
def test_TOK_005_applies_to_what_refreshes(deals: Project, auth: dict[str, Any], applies: bool) -> None:
    """A connector that cannot refresh has nothing to prove, and stays certified."""
    deals.change("connector.json", "/auth", auth)

    assert applies == ("" in [*targets(CHECK["TOK-005"], deals.subject())])


def test_TOK_005_fails_with_a_doubt_without_a_refresh(deals: Project) -> None:
    """Who refreshes and does not show it is not certified, and is told what is lacking."""
    _with(deals)
    deals.path("recordings/tokens.json").unlink()

    with pytest.raises(Inconclusive) as doubt:
        deals.judge("TOK-005")

    assert (
        "no recording shows a token being refreshed: what auth declares of it rests on nobody's word\n"
        "  fix  record a lane in which the access token is refused, or has ended, and a new one is granted"
    ) == str(doubt.value)


def test_TOK_005_fails_with_a_doubt_where_every_refresh_is_refused(deals: Project) -> None:
    """Of what a grant looks like, a refusal says nothing."""
    _with(deals, {"error": "invalid_grant"}, 400)

    with pytest.raises(Inconclusive, match="every recorded token request is refused"):
        deals.judge("TOK-005")


def test_TOK_005_fails_on_a_rotation_that_is_declared_none(deals: Project) -> None:
    """The worst of them: a lost answer would be asked for again with a token that is spent."""
    _with(deals)
    _says(deals, "rotation", "none")

    assert (
        'deals.list#renewed/2 replaces the refresh token, and the config says rotation "none"\n'
        "\n"
        "  config     connectors/deals/connector.json:19   /auth/rotation\n"
        "  evidence   tokens.json  /lanes/0/exchanges/1\n"
        '  fix        declare "strict", or {"grace_s": N} where the provider says for how long the old one works'
    ) == _refuted(deals)


@pytest.mark.parametrize(("answer", "given"), [(KEPT, "none"), (SAME, "the same one")], ids=["none", "the same"])
@pytest.mark.parametrize(
    ("rotation", "said"), [("strict", "strict"), ({"grace_s": 1800}, "a grace of 1800 s")], ids=["strict", "a grace"]
)
def test_TOK_005_fails_on_a_rotation_that_nothing_shows(
    deals: Project, answer: dict[str, Any], given: str, rotation: Any, said: str
) -> None:
    """An account would be given up for lost though its refresh token still works."""
    _with(deals, answer)
    _says(deals, "rotation", rotation)

    told = _refuted(deals)

    assert told.startswith(
        f"no recorded refresh replaces the refresh token, and the config declares rotation: {said}\n"
    )
    assert f"deals.list#renewed/2   {given}" in told


REQUESTS: Final[dict[str, tuple[dict[str, Any], dict[str, Any], tuple[str, ...]]]] = {
    "the client is authenticated otherwise": (
        {"client_auth": "basic"},
        {},
        (
            'header.authorization   recorded (not recorded)   sent "Basic (credential)"',
            "body.client_id   recorded",
            "/auth/token/client_auth",
        ),
    ),
    "a parameter is not declared": (
        {},
        {
            "form": [
                ["client_id", "{{secret:client_id#1}}"],
                ["client_secret", "{{secret:client_secret#1}}"],
                ["aud", "x"],
            ]
        },
        ('body.aud   recorded "x"   sent (not sent)', "/auth/token/params"),
    ),
    "a parameter is not recorded": (
        {"params": {"audience": "deals"}},
        {},
        ('body.audience   recorded (not recorded)   sent "deals"', "/auth/token/params"),
    ),
    "the scope": (
        {"scope": ["a", "b"]},
        {},
        ('body.scope   recorded (not recorded)   sent "a b"', "/auth/token/scope"),
    ),
    "JSON": ({"encode": "json"}, {}, ("header.content-type", "/auth/token/encode")),
    "the method": (
        {"method": "GET", "encode": "query"},
        {},
        ('method   recorded "POST"   sent "GET"', "/auth/token/method"),
    ),
    "a header": ({"headers": {"Accept": "text/x"}}, {}, ('header.accept   recorded (not recorded)   sent "text/x"',)),
}


@pytest.mark.parametrize(("declared", "sent", "told"), REQUESTS.values(), ids=REQUESTS)
def test_TOK_005_fails_on_another_token_request(
    deals: Project, declared: dict[str, Any], sent: dict[str, Any], told: tuple[str, ...]
) -> None:
    """Every part that differs is told, with the word of the config that says it; no credential."""
    _with(deals, **sent)
    for word, value in declared.items():
        _says(deals, f"token/{word}", value)

    said = _refuted(deals)

    assert said.startswith("deals.list#renewed/2 asks for a token otherwise than the config declares\n")
    assert [] == [text for text in told if text not in said]
    assert "example-" not in said


ANSWERS: Final[dict[str, tuple[dict[str, Any], dict[str, Any], str, tuple[str, ...]]]] = {
    "the access token is elsewhere": (
        {"data": {"token": "{{secret:access_token#2}}"}},
        {},
        "is a success, and the config finds no access token in it",
        ("looked at   access_token", "it has      data.token", "/auth/token/response/access_token"),
    ),
    "its end is elsewhere": (
        {**{k: v for k, v in GRANTED.items() if k != "expires_in"}, "expires_in_seconds": 3600},
        {},
        'says under "expires_in_seconds" when a token ends, and the config does not read it there',
        ("/auth/token/response/expires_in",),
    ),
    "its end is a date": (
        {**{k: v for k, v in GRANTED.items() if k != "expires_in"}, "expiry": "2026-11-01T01:00:00Z"},
        {},
        'says under "expiry" when a token ends',
        ("or its kin: expires_at for a date",),
    ),
    "its end is no lifetime": ({**GRANTED, "expires_in": "soon"}, {}, "expires_in is no lifetime", ("it has",)),
    "the refresh token's end is not read": (
        {**GRANTED, "x_refresh_expires_in": 86400},
        {},
        'says under "x_refresh_expires_in" when a token ends',
        ("/auth/token/response/refresh_expires_in",),
    ),
    "a place that leads nowhere": (
        {**GRANTED, "scopes": "a"},
        {"token/response": {"scope": "granted.scope"}},
        "scope leads nowhere in every recorded answer of the token endpoint",
        ("looked at   granted.scope", "/auth/token/response/scope"),
    ),
    "a refusal without a meaning": (
        {"error": "nope"},
        {},
        "refuses the token, and the config does not know what that means",
        ("HTTP 200   nope", "revoked_when, misconfigured_when or transient_when"),
    ),
    "a refusal whose code is elsewhere": (
        {"status": "error", "reason": "nope"},
        {},
        "is a success, and the config finds no access token in it",
        ("it has      status, reason",),
    ),
}


@pytest.mark.parametrize(("answer", "declared", "what", "told"), ANSWERS.values(), ids=ANSWERS)
def test_TOK_005_fails_on_an_answer_that_is_read_wrong(
    deals: Project, answer: dict[str, Any], declared: dict[str, Any], what: str, told: tuple[str, ...]
) -> None:
    """What stands where, is the recording's to say."""
    _with(deals, answer)
    for word, value in declared.items():
        _says(deals, word, value)

    said = _refuted(deals)

    assert what in said.partition("\n")[0]
    assert [] == [text for text in told if text not in said]


VARIABLES: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "it does not come": ({"path": "shop"}, 'the variable "shop" comes with a token, says the config, and no recorded'),
    "it is none that may be": ({"path": "at"}, 'the token answer\'s "shop" does not match its pattern'),
}


@pytest.mark.parametrize(("variable", "what"), VARIABLES.values(), ids=VARIABLES)
def test_TOK_005_fails_on_a_variable_of_the_answer(deals: Project, variable: dict[str, Any], what: str) -> None:
    """A base URL that comes with the token is looked for where the recording has it."""
    _with(deals, {**GRANTED, "at": "https://elsewhere.example"})
    declared = {"shop": {"pattern": "[a-z]{1,9}", "source": "token_response", **variable}}
    deals.change("connector.json", "/variables", declared)
    deals.change("connector.json", "/base_url", "https://{shop}.deals.example/v1")
    deals.change("accounts/example.json", "/variables", {"shop": "api"})

    assert _refuted(deals).startswith(what)


def test_TOK_005_fails_on_error_places_that_lead_nowhere(deals: Project) -> None:
    """Where the config says where a refusal is explained, one that was recorded explains it there."""
    _with(deals)
    _says(deals, "token/response", {"error_description": "why"})
    lanes = deals.read("recordings/tokens.json")["lanes"]
    refused = token_exchange("refused", {"error": "invalid_grant", "message": "gone"}, 400)
    more = {"id": "deals.list#gone", "exchanges": [{**renewed_exchanges()[0], "id": "g/1"}, {**refused, "id": "g/2"}]}
    deals.change("recordings/tokens.json", "/lanes", [*lanes, more])

    assert _refuted(deals).startswith("error_description leads nowhere in every recorded answer of the token endpoint")
