"""The audit of the code that our connectors replaced says of each handler what a reader of it would say."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from audited import Repository

from connproof.cli import main

ROOT: Final = Path(__file__).parents[2]
LEGACY: Final = ROOT / "tests" / "legacy"
FILES: Final = sorted(file for file in LEGACY.iterdir() if file.suffix in {".py", ".ts"})

pytest.importorskip("tree_sitter_language_pack", reason="the extra [audit] has the grammars")
pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="an audit asks git")


@dataclass(frozen=True, slots=True)
class Handler:
    """What stands in a handler, written down from reading it.

    `tokens`: it has code that asks for tokens; `loops`: how many of its loops ask page by page.
    """

    auth: str
    pagination: tuple[str, ...]
    endpoints: tuple[str, ...]
    tokens: bool = True
    loops: int = 1


HANDLERS: Final[Mapping[str, Handler]] = {
    "greenhouse": Handler(
        auth="oauth2",
        pagination=("link_header",),
        endpoints=(
            "GET harvest.greenhouse.io/v3/candidates",
            "GET harvest.greenhouse.io/v3/jobs",
            "POST auth.greenhouse.io/token",
        ),
    ),
    "hubspot": Handler(
        auth="oauth2",
        pagination=("cursor",),
        endpoints=(
            "GET api.hubapi.com/crm/v3/objects/{type}",
            "GET api.hubapi.com/crm/v3/objects/{type}/{id}",
            "POST api.hubapi.com/oauth/v1/token",
        ),
    ),
    "netsuite": Handler(
        auth="oauth1",
        pagination=("offset",),
        endpoints=(
            "GET {netsuite_account}.suitetalk.api.netsuite.com/services/rest/record/v1/customer",
            "GET {netsuite_account}.suitetalk.api.netsuite.com/services/rest/record/v1/customer/{id}",
            "GET {netsuite_account}.suitetalk.api.netsuite.com/services/rest/record/v1/invoice/{id}",
            "POST {netsuite_account}.suitetalk.api.netsuite.com/services/rest/query/v1/suiteql",
        ),
        tokens=False,
    ),
    "pipedrive": Handler(
        auth="oauth2",
        pagination=("cursor", "offset"),  # of v2 and of v1
        endpoints=(
            "GET api.pipedrive.com/api/v1/organizations",
            "GET api.pipedrive.com/api/v1/organizations/{id}",
            "GET api.pipedrive.com/api/v1/persons",
            "GET api.pipedrive.com/api/v1/persons/{id}",
            "GET api.pipedrive.com/api/v2/deals",
            "GET api.pipedrive.com/api/v2/deals/{id}",
            "POST oauth.pipedrive.com/oauth/token",
        ),
        loops=2,
    ),
    "quickbooks": Handler(
        auth="oauth2",
        pagination=("offset",),  # in the text of a query
        endpoints=(
            "GET quickbooks.api.intuit.com/v3/company/{QBO_REALM_ID}/query",
            "GET quickbooks.api.intuit.com/v3/company/{QBO_REALM_ID}/{entity}/{record_id}",
            "POST oauth.platform.intuit.com/oauth2/v1/tokens/bearer",
        ),
    ),
    "salesforce": Handler(
        auth="oauth2",
        pagination=("next_url",),
        endpoints=(  # the org's host is known to a run alone
            "GET ?/services/data/v60.0/query",
            "GET ?/services/data/v60.0/sobjects/{name}/{record_id}",
            "POST login.salesforce.com/services/oauth2/token",
        ),
    ),
    "workday": Handler(
        auth="ws-security",
        pagination=("page",),
        endpoints=("POST wd2-impl-services1.workday.com/ccx/service/{tenant}/Human_Resources/v44.0",),
        tokens=False,
    ),
    "xero": Handler(
        auth="oauth2",
        pagination=("page",),
        endpoints=(
            "GET api.xero.com/api.xro/2.0/{resource}",
            "GET api.xero.com/api.xro/2.0/{resource}/{record_id}",
            "GET api.xero.com/connections",
            "POST identity.xero.com/connect/token",
        ),
    ),
    "zoho": Handler(
        auth="oauth2",
        pagination=("cursor", "page"),  # pages up to record 2,000, a token beyond, and for deals from the start
        endpoints=(
            "GET www.zohoapis.{dc}/crm/v8/Deals",
            "GET www.zohoapis.{dc}/crm/v8/{module}",
            "GET www.zohoapis.{dc}/crm/v8/{module}/{record_id}",
            "POST accounts.zoho.{dc}/oauth/v2/token",
        ),
        loops=2,
    ),
}


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """What the command says of the old code, as it lies in a repository of its own."""
    team = Repository(tmp_path_factory.mktemp("team")).begin()
    for file in FILES:
        team.write(f"importers/{file.name}", file.read_text(encoding="utf-8"))
    team.commit("Import", by="Ada", on="2024-01-10")
    return {one["name"]: one for one in team.audited()["connectors"]}


def _endpoints(told: Mapping[str, Any]) -> list[str]:
    return sorted(f"{one['method']} {one['host'] or '?'}{one['path']}" for one in told["endpoints"])


def test_every_handler_is_a_connector_and_nothing_else_is(inventory: Mapping[str, Any]) -> None:
    """By the name that its file has; each file was read here."""
    assert [sorted(HANDLERS)] * 2 == [sorted(file.stem for file in FILES), sorted(inventory)]


@pytest.mark.parametrize("name", HANDLERS)
def test_auth_is_told(inventory: Mapping[str, Any], name: str) -> None:
    """One kind each; the bearer token that OAuth 2 gives is no other."""
    assert [HANDLERS[name].auth] == inventory[name]["auth"]


@pytest.mark.parametrize("name", HANDLERS)
def test_pagination_is_told(inventory: Mapping[str, Any], name: str) -> None:
    """All ways that the handler's loops go, and no other; each loop once, and none that only goes over a listing."""
    told = inventory[name]

    assert list(HANDLERS[name].pagination) == told["pagination"]
    assert HANDLERS[name].loops == len({one["line"] for one in told["pagination_code"]})


@pytest.mark.parametrize("name", HANDLERS)
def test_endpoints_are_told(inventory: Mapping[str, Any], name: str) -> None:
    """Each once, with its host as far as the file says it."""
    assert sorted(HANDLERS[name].endpoints) == _endpoints(inventory[name])


@pytest.mark.parametrize("name", HANDLERS)
def test_upkeep_is_found(inventory: Mapping[str, Any], name: str) -> None:
    """Each waits where it is throttled; those that refresh tokens have code for it."""
    told = inventory[name]

    assert (True, HANDLERS[name].tokens) == (bool(told["retry_code"]), bool(told["token_code"]))


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="the checkout has no history")
def test_the_command_reports_them_from_this_repository(capfd: pytest.CaptureFixture[str]) -> None:
    """A folder below `tests` is taken for itself: what lies in it is code, not a test of something else."""
    with pytest.raises(SystemExit) as left:
        main(("audit", str(LEGACY), "--json"))

    told = json.loads(capfd.readouterr().out)
    assert (0, sorted(HANDLERS)) == (left.value.code, [one["name"] for one in told["connectors"]])
    assert [] == [place for one in told["connectors"] for place in one["tests"]]
