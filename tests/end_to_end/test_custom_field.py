"""The customer's own field reaches the unified record of that customer: by one changed document, and no restart."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from connproof.live import Live
from connproof.mapping import load_model
from connproof.model import Response
from connproof.places import JsonValue
from connproof.stores import FileStore
from connproof.transport import HttpxTransport
from loopback import Asked, Loopback
from scripted import answer

ROOT = Path(__file__).parents[2]
ORIGIN = "{instance_url}/services/data/{api_version}"

pytestmark = pytest.mark.skipif(
    not (ROOT / "connectors" / "salesforce").is_dir(), reason="the connectors are not beside the tests"
)


def contact(number: int) -> dict[str, JsonValue]:
    """A contact as the provider has it; every org sends the custom field to whoever asks for it."""
    own = {"Id": f"003{number}", "Name": f"Contact {number}", "Custom_Revenue_Tier__c": f"Tier {number}"}
    return {**own, "CreatedDate": "2026-05-01T07:25:11.000+0000", "LastModifiedDate": "2026-05-01T07:25:11.000+0000"}


def respond(asked: Asked) -> Response:
    """A page that holds what the query names."""
    named = "Custom_Revenue_Tier__c" in asked.target
    records = [{k: v for k, v in contact(n).items() if named or k != "Custom_Revenue_Tier__c"} for n in (1, 2)]
    return answer({"totalSize": 2, "done": True, "records": records})  # type: ignore[dict-item]  # records are JSON


@pytest.fixture
def provider() -> Any:
    with Loopback(respond) as opened:
        yield opened


@pytest.fixture
def connectors(tmp_path: Path, provider: Loopback) -> Path:
    """The repository's connector, asked of a provider on this machine; no account has overrides."""
    folder = tmp_path / "connectors"
    shutil.copytree(ROOT / "connectors" / "unified", folder / "unified")
    home = folder / "salesforce"
    home.mkdir()
    document = (ROOT / "connectors" / "salesforce" / "connector.json").read_text()
    assert 1 == document.count(ORIGIN)
    said = json.loads(document)
    # What the variable of the origin was for stands in the path here: this provider has one origin.
    said["base_url"] = f"{provider.url}/{{instance}}/{{api_version}}"
    said["variables"] = {"instance": {"pattern": "[a-z]+"}}
    (home / "connector.json").write_text(json.dumps(said, indent=2))
    (home / "accounts").mkdir()
    for name in ("acme", "globex"):
        said = {"credentials": {"access_token": f"token-of-{name}"}, "variables": {"instance": name}}
        (home / "accounts" / f"{name}.json").write_text(json.dumps(said, indent=2))
    return folder


def give_field(connectors: Path, account: str) -> None:
    """The one change: this account's document asks for the field and maps it."""
    path = connectors / "salesforce" / "accounts" / f"{account}.json"
    said = json.loads(path.read_text())
    said["overrides"] = {
        "resources": {"contacts": {"list": {"query": {"q": "SELECT Id, Name, Custom_Revenue_Tier__c FROM Contact"}}}},
        "unified": {
            "crm.contact": {
                "custom_fields": None,  # by other names than those that everybody gets
                "fields": {"custom_fields": '{"revenue_tier": Custom_Revenue_Tier__c}'},
            }
        },
    }
    path.write_text(json.dumps(said, indent=2))


def test_a_custom_field_appears_for_one_account_by_one_document(connectors: Path, provider: Loopback) -> None:
    """In one process: before the change nobody has it; after it that account has it on its next read, nobody else."""
    store = FileStore(connectors)
    models = {"crm.contact": load_model(connectors / "unified", "crm.contact")}
    models["crm.account"] = load_model(connectors / "unified", "crm.account")

    async def scenario() -> list[list[JsonValue]]:
        async with HttpxTransport(user_agent="test", allow_loopback=True) as transport:
            live = Live(store, store, transport, models=models, allow_loopback=True)

            async def fields(account: str) -> list[JsonValue]:
                engine = await live.engine("salesforce", account)
                return [
                    record.get("custom_fields") if isinstance(record, dict) else record
                    async for record in engine.read("crm.contact")
                ]

            before = [await fields("acme"), await fields("globex")]
            give_field(connectors, "acme")
            return [*before, await fields("acme"), await fields("globex")]

    acme_before, globex_before, acme_after, globex_after = asyncio.run(scenario())

    assert [[{}, {}], [{}, {}]] == [acme_before, globex_before]
    assert [{"revenue_tier": "Tier 1"}, {"revenue_tier": "Tier 2"}] == acme_after
    assert [{}, {}] == globex_after
    assert ["/acme/", "/globex/", "/acme/", "/globex/"] == ["/".join(t.split("/")[:2]) + "/" for t in provider.targets]


@pytest.mark.parametrize(
    ("account", "level", "document", "rule"),
    [
        ("acme", "account:acme", "accounts/acme.json", '"custom_fields": "'),
        ("globex", "platform base", "connector.json", '"custom_fields": {'),
    ],
)
def test_explain_says_which_level_gave_the_field(
    connectors: Path, account: str, level: str, document: str, rule: str
) -> None:
    """`connproof read salesforce contacts --account A --explain`, as a user types it."""
    give_field(connectors, "acme")
    command = ["read", "salesforce", "contacts", "--account", account, "--explain", "--allow-loopback"]

    done = subprocess.run(
        [sys.executable, "-m", "connproof", *command],
        cwd=connectors.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line.rstrip() for line in done.stdout.splitlines() if "custom_fields" in line]

    assert 0 == done.returncode, done.stderr
    where = f"connectors/salesforce/{document}:{_line_of(connectors / 'salesforce' / document, rule)}"
    assert [True] * 2 == [re.fullmatch(rf".* {level} +{re.escape(where)}", line) is not None for line in lines], lines


def _line_of(path: Path, rule: str) -> int:
    return next(number for number, line in enumerate(path.read_text().splitlines(), 1) if rule in line)


@pytest.mark.parametrize(("account", "expected"), [("acme", {"revenue_tier": "Tier 1"}), ("globex", {})])
def test_the_repositorys_own_account_can_be_tried_on_its_recordings(account: str, expected: JsonValue) -> None:
    """With --replay nothing is asked of any network."""
    command = ["read", "salesforce", "contacts", "--account", account, "--replay", "--limit", "1"]

    done = subprocess.run(
        [sys.executable, "-m", "connproof", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert 0 == done.returncode, done.stderr
    assert expected == json.loads(done.stdout).get("custom_fields")
