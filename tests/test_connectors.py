"""Every connector in the repository is data that the engine reads, and says honestly where its evidence comes from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from connproof import config
from connproof.clock import SystemClock
from connproof.mapping import compile_mapping, load_model
from connproof.places import JsonValue
from pytest_connproof import recording
from pytest_connproof.redact import PLACEHOLDER, policy_for, redact

CONNECTORS = Path(__file__).parents[1] / "connectors"
FOLDERS = sorted(file.parent for file in CONNECTORS.glob("*/connector.json"))
RECORDINGS = sorted(CONNECTORS.glob("*/recordings/*.json"))
ACCOUNTS = sorted(CONNECTORS.glob("*/accounts/*.json"))
MAPPED = [
    pytest.param(folder, model, id=f"{folder.name}-{model}")
    for folder in FOLDERS
    for model in json.loads((folder / "connector.json").read_bytes()).get("unified", {})
]


def _name(path: Path) -> str:
    return path.relative_to(CONNECTORS).as_posix()


def _texts(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _looks_secret(text: str) -> bool:
    """Whether a text is taken for a credential, or for one that was replaced, by what it looks like alone."""
    exchange: JsonValue = {
        "id": "a.get/1",
        "request": {"method": "GET", "url": "https://a.example/"},
        "response": {"status": 200, "json": {"said": text}},
    }
    found = redact({"lanes": [{"id": "a.get", "exchanges": [exchange]}]}).changes
    return bool(found) or PLACEHOLDER.search(text) is not None


def test_there_are_connectors() -> None:
    """The tests below have something to look at."""
    assert {"github", "hubspot", "salesforce"} <= {folder.name for folder in FOLDERS}


@pytest.mark.parametrize("folder", FOLDERS, ids=_name)
def test_config_loads(folder: Path) -> None:
    """The document is a connector of its folder's name."""
    assert folder.name == config.load(folder).name


@pytest.mark.parametrize(("folder", "model"), MAPPED)
def test_mapping_compiles_against_its_model(folder: Path, model: str) -> None:
    """Each expression can be compiled, and the model has each field and requires none that is not mapped."""
    mapping = config.load(folder).unified[model]

    compiled = compile_mapping(
        mapping, schema=load_model(CONNECTORS / "unified", model), clock=SystemClock(), bindings={}
    )

    assert mapping == compiled.mapping


@pytest.mark.parametrize("folder", FOLDERS, ids=_name)
def test_every_operation_has_a_key(folder: Path) -> None:
    """Without a primary key, records can be compared only by their order; what came of a batch has its own."""
    keys = {one.id: one.elements.id if one.elements else one.key for one in config.load(folder).operations()}

    assert [] == [operation for operation, key in keys.items() if key is None]


@pytest.mark.parametrize("folder", FOLDERS, ids=_name)
def test_every_operation_has_a_lane_and_every_lane_an_operation(folder: Path) -> None:
    """What is declared is exercised, and what is exercised is declared."""
    operations = {operation.id for operation in config.load(folder).operations()}

    lanes = [lane.operation for file in RECORDINGS if folder in file.parents for lane in recording.load(file).lanes]

    assert operations == set(lanes)


def test_connectors_hold_no_python() -> None:
    """Adding a connector is adding data."""
    assert [] == [_name(file) for file in CONNECTORS.rglob("*.py*") if "__pycache__" not in file.parts]


@pytest.mark.parametrize("file", RECORDINGS, ids=_name)
def test_recording_says_that_it_is_documented(file: Path) -> None:
    """No traffic of a real account is in the repository; each file names its sources and its day."""
    provenance = recording.load(file).provenance

    assert "documented" == provenance.kind
    assert provenance.written_at
    assert provenance.source.strip()


@pytest.mark.parametrize("file", RECORDINGS, ids=_name)
def test_recording_has_the_form_that_is_written(file: Path) -> None:
    """A rewritten file differs from the one before only where something was changed."""
    assert recording.dump(recording.load(file)) == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("file", RECORDINGS, ids=_name)
def test_recording_holds_nothing_to_redact(file: Path) -> None:
    """Neither a credential nor a person."""
    assert () == recording.unclean(recording.load(file), policy_for(config.load(file.parents[1])))


@pytest.mark.parametrize("file", ACCOUNTS, ids=_name)
def test_credentials_are_plainly_invented(file: Path) -> None:
    """Nobody who finds one in a log has to ask whether it must be revoked."""
    credentials = config.load_account_document(file)["credentials"]

    assert [] == [name for name in credentials if any(map(_looks_secret, _texts(credentials[name])))]


@pytest.mark.parametrize(
    "text", ["ghp_" + "a1B2" * 9, "00D5e000000" + "EXam" + "!" + "A1b2C3d4E5f6G7h8I9j0K1", "{{secret:access_token#1}}"]
)
def test_what_looks_secret_is_seen(text: str) -> None:
    """The test that finds nothing has something to find."""
    assert _looks_secret(text)
