"""The RPL checks on a lane in which a token is refreshed: what passes, and that RPL-003 tells the wrong token."""

from __future__ import annotations

from typing import Any, Final

import pytest
from projects import CHECK, Project, renew, renewed_exchanges, token_exchange

from connproof import auth as schemes
from connproof.auth import token_request
from connproof.draft import Draft
from connproof.model import Account, Auth, Secret
from connproof.run import sending
from connproof.tokens import exchange as token_exchanges
from pytest_connproof.checks import targets
from pytest_connproof.finding import Finding, Inconclusive

LANE: Final = "deals.list#renewed"


@pytest.fixture
def renewed(deals: Project) -> Project:
    """Deals, whose access token is refused before the first page, and refreshed."""
    renew(deals)
    return deals


@pytest.mark.parametrize(
    ("check", "evidence"),
    [
        ("RPL-001", {"exchanges": 5}),
        ("RPL-002", {"requests": 5}),
        ("RPL-003", {"requests": 5, "credentials": 6}),
        ("RPL-004", {"pages": 3}),
        ("RPL-005", {"records": 5, "exchanges": 5}),
    ],
)
def test_RPL_passes_on_a_refresh(renewed: Project, check: str, evidence: dict[str, int]) -> None:
    """The token request is counted as an exchange, and never as a page or a record."""
    assert evidence == renewed.judge(check, LANE)


@pytest.mark.parametrize("check", ["RPL-001", "RPL-003", "RPL-004", "RPL-005"])
def test_RPL_passes_on_a_refresh_that_is_refused(deals: Project, check: str) -> None:
    """A lane that ends in a recorded refusal is there to show it."""
    refused, *_ = renewed_exchanges()
    renew(deals, [refused, token_exchange("token", {"error": "invalid_grant"}, 400)])

    assert deals.judge(check, LANE)


def test_RPL_004_fails_where_nothing_can_be_granted(renewed: Project) -> None:
    """An account without a refresh token is lost, which is no answer of a provider that granted one."""
    renewed.drop("accounts/example.json", "/credentials/refresh_token")

    with pytest.raises(Finding, match="ended in Reauthorise"):
        renewed.judge("RPL-004", LANE)


def test_no_fault_is_derived_of_a_refresh(renewed: Project) -> None:
    """What comes of a fault there is for the tokens' own checks; the other lanes are altered as ever."""
    subject = renewed.subject()

    for check in ("RPL-007", "RPL-008", "RPL-009"):
        assert "deals.list" in [*targets(CHECK[check], subject)]
        assert LANE not in [*targets(CHECK[check], subject)]


def test_every_other_check_passes_with_a_refresh(renewed: Project) -> None:
    """No check takes the token's answer for a page, an error or a version; the baseline alone is lacking."""
    assert {"PAR-001": "inconclusive", "PAR-002": "inconclusive"} == renewed.fallen()


def _as_it_was(auth: Auth, account: Account, **tokens: Secret) -> Account:  # noqa: ARG001 as with_tokens
    return account


def test_RPL_003_fails_on_the_old_token(renewed: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a refresh the old one is sent: the recorded one is named, and which exchange granted it."""
    monkeypatch.setattr(sending, "with_tokens", _as_it_was)

    with pytest.raises(Finding) as found:
        renewed.judge("RPL-003", LANE)

    assert (
        "request 3 carries another credential than deals.list#renewed/3 was recorded with\n"
        "\n"
        "  recorded   {{secret:access_token#2}}\n"
        "  sent       {{secret:access_token#1}}\n"
        "  granted    {{secret:access_token#2}}   by deals.list#renewed/2\n"
        "             {{secret:refresh_token#2}}   by deals.list#renewed/2\n"
        "  auth       connectors/deals/connector.json:12\n"
        "  fix        after a refresh the new token is sent, and the old one never again"
    ) == str(found.value)


def test_RPL_003_fails_where_the_old_token_was_recorded(renewed: Project) -> None:
    """A recording in which a page goes on with the token that was refused is told in the same way."""
    tokens = "recordings/tokens.json"
    renewed.change(tokens, "/lanes/0/exchanges/3/request/headers/2/1", "Bearer {{secret:access_token#1}}")

    with pytest.raises(Finding) as found:
        renewed.judge("RPL-003", LANE)

    assert "request 4 carries another credential than deals.list#renewed/4 was recorded with" == found.value.what


def test_RPL_003_fails_with_a_doubt_on_another_request(renewed: Project) -> None:
    """Where more than the token is other than recorded, RPL-002 tells it."""
    tokens = "recordings/tokens.json"
    renewed.change(tokens, "/lanes/0/exchanges/3/request/query/1/1", "c9")

    with pytest.raises(Inconclusive, match="see RPL-002"):
        renewed.judge("RPL-003", LANE)


def test_RPL_003_fails_on_a_granted_token_outside_its_slot(renewed: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was granted is looked for like the account's own credentials, in what operations send."""
    sign = schemes.sign

    def leaking(draft: Draft, auth: Auth, account: Account, *more: Any) -> Draft:
        signed = sign(draft, auth, account, *more)
        token = str(account.credentials["access_token"])
        return signed.with_header("x-also", token) if token.startswith("made-up") else signed

    monkeypatch.setattr(schemes, "sign", leaking)
    for index in (2, 3, 4):
        headers = f"/lanes/0/exchanges/{index}/request/headers"
        said = renewed.read("recordings/tokens.json")["lanes"][0]["exchanges"][index]["request"]["headers"]
        renewed.change("recordings/tokens.json", headers, [*said, ["x-also", "{{secret:access_token#2}}"]])

    with pytest.raises(Finding) as found:
        renewed.judge("RPL-003", LANE)

    assert "request 3 carries a credential outside its slot" == found.value.what
    assert "header x-also" in found.value.facts


def test_RPL_003_fails_on_a_refresh_token_in_the_address(renewed: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the form is what is declared, no credential belongs into the URL of a token request."""
    draft = token_request.token_draft

    def leaking(auth: Auth, account: Account, *more: Any) -> Draft:
        return draft(auth, account, *more).with_query("hint", str(account.credentials["refresh_token"]))

    monkeypatch.setattr(token_exchanges, "token_draft", leaking)
    renewed.change(
        "recordings/tokens.json", "/lanes/0/exchanges/1/request/query", [["hint", "{{secret:refresh_token#1}}"]]
    )

    with pytest.raises(Finding) as found:
        renewed.judge("RPL-003", LANE)

    assert "request 2 carries a credential outside its slot" == found.value.what
    assert "query hint" in found.value.facts
    assert "what the token request declares" in found.value.facts
