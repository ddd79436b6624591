"""Each CFG check passes on a whole project with something counted, and fails on each way to be wrong."""

from __future__ import annotations

from typing import Any

import pytest
from projects import Project

from connproof import config
from connproof.errors import ConfigWrong, ConnproofError
from pytest_connproof.finding import Finding, Inconclusive

CONFIG = "connectors/deals/connector.json"


@pytest.mark.parametrize(
    ("check", "evidence"),
    [
        ("CFG-001", {"operations": 2, "expressions": 6}),
        ("CFG-002", {"requests": 5, "origins": 1}),
        ("CFG-003", {"texts": 25, "accounts": 1}),
        ("CFG-005", {"promises": 8}),
    ],
)
def test_CFG_passes_with_counts(deals: Project, check: str, evidence: dict[str, int]) -> None:
    """A pass says how much it looked at."""
    assert evidence == deals.judge(check)


def test_CFG_004_passes_with_counts(deals: Project) -> None:
    """Three files of data, and every constant of the engine."""
    found = deals.judge("CFG-004")

    assert 3 == found["files"]
    assert 100 < found["constants"]


# CFG-001


@pytest.mark.parametrize(
    ("pointer", "value", "message"),
    [
        (
            "/auth/token_pth",
            "x",
            'connector.json:15:5  /auth/token_pth  unknown member "token_pth" (did you mean "token_path"?)',
        ),
        ("/base_url", "http://api.deals.example", "/base_url  is not https (credentials are never sent in the clear)"),
        ("/unified/crm.deal/fields/amount", "properties.amount +", "/unified/crm.deal/fields/amount"),
        ("/unified/crm.deal/fields/amuont", "properties.amount", "did you mean amount?"),
        ("/connector", "deal", 'is not the name of its folder, "deals"'),
    ],
)
def test_CFG_001_fails_on_a_config_that_says_what_it_may_not(
    deals: Project, pointer: str, value: str, message: str
) -> None:
    """A wrong config is an error with its place, never a verdict."""
    deals.change("connector.json", pointer, value)

    with pytest.raises(ConfigWrong) as wrong:
        deals.judge("CFG-001")

    assert message in str(wrong.value)


def test_CFG_001_fails_on_a_model_that_is_not_there(deals: Project) -> None:
    """A mapping to no model cannot be judged."""
    deals.path("/connectors/unified/crm/deal.schema.json").unlink()

    with pytest.raises(ConfigWrong, match=r"there is no model 'crm\.deal'"):
        deals.judge("CFG-001")


def test_CFG_001_fails_on_a_second_member_of_the_same_name(deals: Project) -> None:
    """JSON's last one wins in silence; not here."""
    deals.edit("connector.json", '"amount": "properties.amount"', '"amount": "a", "amount": "properties.amount"')

    with pytest.raises(ConfigWrong, match="'amount' stands here a second time"):
        deals.judge("CFG-001")


# CFG-002


def test_CFG_002_fails_on_a_request_to_another_origin(deals: Project) -> None:
    """Traffic from elsewhere would send the credential elsewhere."""
    deals.change("recordings/deals.json", "/lanes/0/exchanges/1/request/url", "https://cdn.deals.example/v1/deals")

    with pytest.raises(Finding) as found:
        deals.judge("CFG-002")

    assert (
        "deals.list/2 was recorded from an origin that the config does not allow\n"
        "\n"
        "  recorded   https://cdn.deals.example\n"
        "  allowed    https://api.deals.example\n"
        "  config     connectors/deals/connector.json:3 base_url, allowed_origins\n"
        "  evidence   deals.json  /lanes/0/exchanges/1\n"
        "  fix        correct base_url; or add the origin to allowed_origins, if pages come from it"
    ) == str(found.value)


def test_CFG_002_fails_on_an_origin_that_no_request_went_to(deals: Project) -> None:
    """A widened allow-list is not certified: nothing shows that the provider has pages there."""
    deals.change("connector.json", "/allowed_origins", ["https://elsewhere.example"])

    with pytest.raises(Inconclusive) as doubt:
        deals.judge("CFG-002")

    assert (
        "no recorded request went to https://elsewhere.example, which the config allows\n"
        "  fix  record a page that comes from there, or take it out of allowed_origins"
    ) == str(doubt.value)


def test_CFG_002_fails_without_traffic(deals: Project) -> None:
    """Without a request there is nothing to look at."""
    deals.path("recordings/deals.json").unlink()

    with pytest.raises(Inconclusive, match="no recorded request shows where the connector goes"):
        deals.judge("CFG-002")


# CFG-003

LIVE_LOOKING = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"


@pytest.mark.parametrize(
    ("pointer", "value", "rule"),
    [
        ("/title", LIVE_LOOKING, "access_token"),
        ("/headers/x-feature", LIVE_LOOKING, "access_token"),
        ("/headers/x-auth-token", "swordfish9", "access_token"),
        ("/query", {"api_key": "swordfish9"}, "api_key"),
        ("/resources/deals/list/query", {"client_secret": "swordfish9"}, "client_secret"),
        ("/auth/prefix", f"Bearer {LIVE_LOOKING}", "access_token"),
        ("/auth", {"type": "basic", "username": "me", "password": "swordfish9"}, "basic"),
    ],
)
def test_CFG_003_fails_on_a_credential_in_the_config(deals: Project, pointer: str, value: Any, rule: str) -> None:
    """By its shape anywhere, by its name where it is sent; the message never shows it."""
    deals.change("connector.json", pointer, value)

    with pytest.raises(Finding) as found:
        deals.judge("CFG-003")

    assert f"the config holds what looks like a credential: {rule}" == found.value.what
    assert CONFIG in found.value.facts
    assert "swordfish9" not in str(found.value) and LIVE_LOOKING not in str(found.value)


def test_CFG_003_fails_with_the_line(deals: Project) -> None:
    """The message leads to the line, and says what to do."""
    deals.change("connector.json", "/headers/x-auth-token", "swordfish9")
    line = config.load(deals.file).source.line("/headers/x-auth-token")

    with pytest.raises(Finding) as found:
        deals.judge("CFG-003")

    assert (
        "the config holds what looks like a credential: access_token\n"
        "\n"
        f"  found   connectors/deals/connector.json:{line}  /headers/x-auth-token\n"
        "  fix     take it out, have it revoked, and let auth read it from the account's credentials"
    ) == str(found.value)


def test_CFG_003_fails_on_a_live_looking_credential_of_the_example_account(deals: Project) -> None:
    """The example account is in the repository too: its credentials are invented."""
    deals.change("accounts/example.json", "/credentials/access_token", LIVE_LOOKING)

    with pytest.raises(Finding) as found:
        deals.judge("CFG-003")

    assert "an account holds what looks like a credential: access_token" == found.value.what
    assert "connectors/deals/accounts/example.json:4  /credentials/access_token" in found.value.facts
    assert LIVE_LOOKING not in str(found.value)


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/query", {"token": "{token}"}),
        ("/headers/x-page-token-name", "after"),
        ("/auth", {"type": "basic", "username": "{key}", "password": "x"}),
    ],
)
def test_CFG_003_lets_pass_what_is_no_credential(deals: Project, pointer: str, value: Any) -> None:
    """A text in braces is filled by the caller; a blank side of Basic is the provider's habit."""
    deals.change("connector.json", pointer, value)

    assert 0 < deals.judge("CFG-003")["texts"]


# CFG-004


@pytest.mark.parametrize("name", ["transform.py", "hook.js", "recordings/old.yaml", ".env"])
def test_CFG_004_fails_on_anything_but_data(deals: Project, name: str) -> None:
    """A connector is data: no code beside it, no other file."""
    deals.write(name, "x")

    with pytest.raises(Finding) as found:
        deals.judge("CFG-004")

    assert (
        "the connector's folder holds something other than data\n"
        "\n"
        f"  found   {name}\n"
        "  fix     say it in the config; what the config cannot say is missing in the engine"
    ) == str(found.value)


@pytest.mark.parametrize("name", ["gzip", "x-request-id"])
def test_CFG_004_fails_on_a_connector_that_the_engine_names(deals: Project, name: str) -> None:
    """A connector's name in the engine's code would be code for one provider; a hyphen hides none."""
    deals.path("connector.json").parent.rename(deals.path(f"/connectors/{name}"))
    renamed = Project(deals.root, name)
    renamed.change("connector.json", "/connector", name)

    with pytest.raises(Finding) as found:
        renamed.judge("CFG-004")

    assert f'the engine\'s code names "{name}"' == found.value.what
    assert "connproof/" in found.value.facts
    assert "let the config decide, not the connector's name" in found.value.facts


def test_CFG_004_passes_a_connector_called_like_a_word_of_the_config(deals: Project) -> None:
    """The words of the config language stand in the engine for themselves."""
    deals.path("connector.json").parent.rename(deals.path("/connectors/cursor"))
    renamed = Project(deals.root, "cursor")
    renamed.change("connector.json", "/connector", "cursor")

    evidence = renamed.judge("CFG-004")

    assert evidence["constants"] > 0


# CFG-005

PROMISED = ["crm.deal/amount", "crm.deal/id", "deals.get", "deals.list"]


def _certified(project: Project, surface: Any) -> None:
    project.write("/certificates/deals.json", {"surface": surface})


def test_CFG_005_passes_where_nothing_is_gone(deals: Project) -> None:
    """A surface may grow."""
    _certified(deals, PROMISED)

    assert {"promises": 8} == deals.judge("CFG-005")


def test_CFG_005_fails_on_a_field_that_is_gone(deals: Project) -> None:
    """What the last certificate promised, callers rely on."""
    _certified(deals, [*PROMISED, "crm.deal/probability", "deals.create"])

    with pytest.raises(Finding) as found:
        deals.judge("CFG-005")

    assert (
        "the last certificate promised more: 2 gone\n"
        "\n"
        "  gone          crm.deal/probability\n"
        "                deals.create\n"
        "  certificate   certificates/deals.json\n"
        '  fix           put it back; or, if callers know, waive it in deviations.json (lane "*", kind "missing", '
        'path "/crm.deal~1probability"), or remove the certificate'
    ) == str(found.value)


def test_CFG_005_waived_is_in_order_for_PAR_004_too(deals: Project) -> None:
    """A waiver of something that is gone is used: the two checks do not contradict each other."""
    _certified(deals, [*PROMISED, "crm.deal/probability"])
    deals.waive("/crm.deal~1probability", "missing")

    assert {"promises": 8} == deals.judge("CFG-005")
    assert 1 == deals.judge("PAR-004")["waivers"]


def test_CFG_005_fails_on_an_expired_waiver(deals: Project) -> None:
    """A waiver waives until its last day."""
    _certified(deals, [*PROMISED, "crm.deal/probability"])
    deals.waive("/crm.deal~1probability", "missing", expires="2026-11-22")

    with pytest.raises(Finding, match="the last certificate promised more: 1 gone"):
        deals.judge("CFG-005")


@pytest.mark.parametrize("document", ["{", "[]", {}, {"surface": "deals.list"}])
def test_CFG_005_fails_on_a_certificate_that_cannot_be_read(deals: Project, document: Any) -> None:
    """A certificate that says nothing is an error: otherwise emptying it would take every promise back."""
    deals.write("/certificates/deals.json", document)

    with pytest.raises(ConnproofError, match=r"certificates/deals\.json has 1 problem"):
        deals.judge("CFG-005")
