"""Each animal of the zoo is caught by its own check, which tells what is wrong; what is good is never caught."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from animals import ANIMALS, Animal
from known_bad import BAD
from park import LISTINGS, PARK
from projects import AS_OF, CHECK, DEALS, ORDERS, Project, build, take_snapshots

from pytest_connproof.drawing import cases, first_wrong
from pytest_connproof.finding import Finding
from pytest_connproof.provider.habits import Case, Must
from pytest_connproof.stage import Played, Stage
from pytest_connproof.subject import Settings, Subject

Home = Callable[[str], Project]

ROOT = Path(__file__).parents[2]
CONNECTORS = ("github", "hubspot", "netsuite", "pipedrive", "salesforce", "xero", "zoho")
SEEDS = int(os.environ.get("CONNPROOF_SEEDS", "20"))
DRAWN = 4  # cases a seed, check and listing: each seed draws others
MUSTS: tuple[tuple[Must, ...], ...] = (("complete",), ("told", "either"))  # as PAG-001 and PAG-004 draw them

PAGING_TELLS = ("->", "<-", "ended", "provider", "config", "fix", "again")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Project]:
    """Each good connector by its name, with its snapshots."""
    built = {}
    for description in (PARK, DEALS, ORDERS):
        project = build(description, tmp_path_factory.mktemp(f"whole-{description.name}"))
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(project.root)
            take_snapshots(project)
        built[description.name] = project
    return built


@pytest.fixture
def home(whole: dict[str, Project], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Project]:
    """A copy of a good connector, to be broken. The current folder is its root."""

    def copied(name: str) -> Project:
        root = tmp_path / name
        shutil.copytree(whole[name].root, root)
        monkeypatch.chdir(root)
        return Project(root, name)

    return copied


@pytest.mark.parametrize("animal", ANIMALS, ids=lambda animal: animal.name)
def test_animal_is_caught_by_its_own_check(
    animal: Animal, home: Home, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    """Where other ground is laid, the check passes on it; with the animal on it, it says what that does wrong."""
    record_property("animal", f"{animal.name}\t{animal.check}")
    project = home(animal.home)
    for way in animal.ground:
        way.let_loose(project, monkeypatch)
    if animal.ground:
        assert any(count > 0 for count in project.judge(animal.check, animal.at).values())

    animal.way.let_loose(project, monkeypatch)
    with pytest.raises(Finding) as caught:
        project.judge(animal.check, animal.at)

    told = str(caught.value)
    wanted = (*animal.tells, *(PAGING_TELLS if animal.check.startswith("PAG") else ()))
    assert [] == [words for words in wanted if words not in told]


@pytest.mark.parametrize("name", ["deals", "orders"])
def test_what_is_good_falls_short_of_nothing(home: Home, name: str) -> None:
    """The connectors that animals are let loose in pass every check as they are."""
    assert {} == home(name).fallen()


@pytest.mark.parametrize("listing", LISTINGS)
def test_good_listings_pass_every_check_of_paging(home: Home, listing: str) -> None:
    """Each kind of listing in the park, before it has an animal."""
    park = home("park")

    assert all(
        any(count > 0 for count in park.judge(check, listing).values())
        for check in ("PAG-001", "PAG-002", "PAG-003", "PAG-004", "PAG-005", "PAG-006")
    )


@pytest.mark.parametrize("name", ["park", *CONNECTORS])
def test_no_seed_raises_a_false_alarm(home: Home, name: str) -> None:
    """Whatever a seed makes the provider do, a good config is never found wrong. CONNPROOF_SEEDS: how many seeds."""
    file = home(name).file if name == "park" else ROOT / "connectors" / name / "connector.json"
    subject = Subject(file, Settings(as_of=AS_OF))
    stages = [subject.stage(operation.id) for operation in subject.paged]

    def wrong(stage: Stage, case: Case) -> Played | None:
        played = stage.play(case)
        return played if played.wrong else None

    alarms = []
    for seed in range(SEEDS):
        for stage in stages:
            for musts in MUSTS:
                found = first_wrong(cases(stage, *musts), partial(wrong, stage), examples=DRAWN, seed=seed)
                if found is not None:
                    alarms.append(f"seed {seed}, {stage.operation.id}, {found.case.text}: {found.wrong}")

    assert [] == alarms


@pytest.mark.parametrize("name", CONNECTORS)
def test_a_connector_is_green_with_another_seed(name: str) -> None:
    """The checks themselves, as --provider-seed has them draw."""
    subject = Subject(ROOT / "connectors" / name / "connector.json", Settings(as_of=AS_OF, provider_seed=SEEDS))
    listing = subject.paged[-1].id

    assert all(0 < CHECK[check].judge(subject, listing)["cases"] for check in ("PAG-001", "PAG-004"))


def test_the_page_has_every_animal() -> None:
    """docs/zoo.md shows the table as it is, and names those that are kept elsewhere."""
    page = (ROOT / "docs" / "zoo.md").read_text(encoding="utf-8")

    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| `([^`|]+)` \| ([A-Z]{3}-[0-9]{3}) \|$", page, re.MULTILINE)

    assert [(one.name, one.wrong, str(one.way), one.check) for one in ANIMALS] == rows
    assert [name for name in BAD if f"`{name}`" not in page] == []


def test_names_are_told_apart() -> None:
    """A name is one animal's, and there are as many as were promised."""
    assert len(ANIMALS) == len({animal.name for animal in ANIMALS})
    assert 25 <= len(ANIMALS)
