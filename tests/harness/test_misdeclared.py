"""Every mistake of the table is told as the table says, with recordings and without, and the page shows the table."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest
from misdeclared_rows import DOES_NOT_APPLY, INVENTED, LISTING, REASONS, ROWS, WORDS, Row, told
from projects import AS_OF, CHECK, Project, build, take_snapshots

from connproof.errors import ConnproofError
from pytest_connproof import stage
from pytest_connproof.checks import CHECKS, Check, pag, targets
from pytest_connproof.contracts import contract_text
from pytest_connproof.finding import Finding, Inconclusive
from pytest_connproof.subject import Settings, Subject

ROOT = Path(__file__).parents[2]
REPOSITORY = ("github", "hubspot", "salesforce")

# The other checks of tokens play what TOK-001 plays in thousands of orders, and take seconds.
JUDGED = [check for check in CHECKS if check.family != "tok" or check.id == "TOK-001"]


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Project]:
    """Each connector as it is right, with recordings, contracts and snapshots, for a test to copy."""
    projects = {}
    for name in REPOSITORY:
        root = tmp_path_factory.mktemp(name)
        for folder in (f"connectors/{name}", "connectors/unified", f"snapshots/{name}"):
            shutil.copytree(ROOT / folder, root / folder)
        projects[name] = Project(root, name)
    for description in INVENTED:
        project = build(description, tmp_path_factory.mktemp(description.name))
        for operation, answers in _subject(project).answers.items():
            project.write(f"contract/{operation}.schema.json", contract_text(operation, answers.seen))
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(project.root)
            take_snapshots(project)
        projects[description.name] = project
    return projects


@pytest.fixture
def copied(right: Mapping[str, Project], tmp_path: Path) -> Callable[[str, bool], Project]:
    """A connector to make a mistake in; without recordings, its snapshots are gone too."""

    def copy(name: str, recordings: bool) -> Project:
        root = tmp_path / f"{'with' if recordings else 'without'}"
        shutil.copytree(right[name].root, root)
        project = Project(root, name)
        if not recordings:
            shutil.rmtree(project.path("recordings"))
            shutil.rmtree(project.path(f"/snapshots/{name}"))
        return project

    return copy


def _subject(project: Project) -> Subject:
    return Subject(project.root / project.file, Settings(as_of=AS_OF))


def _outcomes(project: Project, checks: Iterable[Check]) -> dict[str, str]:
    """What becomes of each check; of one that is judged on operations, of the listing that mistakes are made in."""
    subject, outcomes = _subject(project), {}
    for check in checks:
        is_of_operations = check.scope in {"listing", "contract"}
        judged = [LISTING[project.name]] if is_of_operations else targets(check, subject)
        outcomes[check.id] = _worst(check, subject, judged)
    return outcomes


def _worst(check: Check, subject: Subject, judged: Iterable[str]) -> str:
    worst = "passed"
    for target in judged:
        try:
            check.judge(subject, target)
        except Finding:
            return "refuted"
        except Inconclusive:
            worst = "inconclusive"
        except ConnproofError as error:
            pytest.fail(f"{check.id} {target}: {error}")
    return worst


def _mistaken(project: Project, row: Row) -> Project:
    for pointer in row.unsaid:
        project.drop("connector.json", pointer)
    project.change("connector.json", row.pointer, row.wrong)
    return project


@pytest.mark.parametrize("name", LISTING)
def test_connector_without_a_mistake_is_right(name: str, right: Mapping[str, Project]) -> None:
    """Nothing is found in any of them before the mistakes are made: each check that tells of one passes."""
    rows = [row for row in ROWS if row.connector == name]
    telling = sorted({check for row in rows for check in (row.recorded, row.bare) if check})

    assert dict.fromkeys(telling, "passed") == _outcomes(right[name], [CHECK[one] for one in telling])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_mistake_is_told_with_recordings(row: Row, copied: Callable[[str, bool], Project]) -> None:
    """By the check that the table names."""
    project = _mistaken(copied(row.connector, True), row)

    assert {row.recorded: "inconclusive" if row.doubts else "refuted"} == _outcomes(project, [CHECK[row.recorded]])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_mistake_without_recordings_is_told_by_what_the_table_says(
    row: Row, copied: Callable[[str, bool], Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the check that the table names, which need not be the only one; where it is undecidable, by none."""
    for module, name, fewer in ((pag, "_DRAWN", 4), (pag, "_MOVES", 4), (stage, "_SIZES", (2,))):
        monkeypatch.setattr(module, name, fewer)  # none of the mistakes is about rare cases
    project = _mistaken(copied(row.connector, False), row)
    outcomes = _outcomes(project, [CHECK[row.bare]] if row.bare else JUDGED)

    assert ([row.bare] if row.bare else []) == [check for check, outcome in outcomes.items() if outcome == "refuted"]


def test_every_word_has_a_row_for_each_connector_or_says_why_not() -> None:
    """Of the connectors of the repository; of the invented ones there are the words that those do not have."""
    there = {(row.word, row.connector) for row in ROWS}
    needed = {(word, name) for word in WORDS for name in REPOSITORY}

    assert needed == (there & needed) | set(DOES_NOT_APPLY)
    assert set() == there & set(DOES_NOT_APPLY)
    assert set(WORDS) == {row.word for row in ROWS}


def test_what_is_undecidable_says_why() -> None:
    """A row has a check or a reason, and no reason is left over."""
    assert [] == [row.id for row in ROWS if bool(row.bare) == bool(row.why)]
    assert set(REASONS) == {row.why for row in ROWS if row.why}


def test_table_of_misdeclared_words_is_on_its_page(record_property: Callable[[str, object], None]) -> None:
    """And is printed at the end of a run."""
    record_property("summary", told(ROWS))
    page = (ROOT / "docs" / "misdeclared.md").read_text(encoding="utf-8")

    assert told(ROWS) in page
    assert [] == [word for word, why in REASONS.items() if f"**{word}**: {why}." not in page]
