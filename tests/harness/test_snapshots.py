"""A snapshot is one file a lane, whole or not there, and never another lane's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connproof.errors import ConfigWrong
from pytest_connproof.atomic import write_whole
from pytest_connproof.snapshots import Baseline, Snapshot, SnapshotFolder

LANES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
TRICKY = st.text("aAbB%2f.#/\\: ~ßSsİi\u0131ẞäÄ", min_size=1, max_size=6)


def _snapshot(lane: str = "deals.list", **changes: Any) -> Snapshot:
    whole: dict[str, Any] = {
        "lane": lane,
        "baseline": Baseline("old code", "deals.py 1.4"),
        "model": "crm.deal",
        "key": "id",
        "outcome": "complete",
        "requests": ("GET /v1/deals?limit=2",),
        "records": ({"id": "101", "amount": 1.5, "tags": [], "näme": "Übung", "none": None}, 7),
    }
    return Snapshot(**{**whole, **changes})


@pytest.mark.parametrize(
    ("lane", "name"),
    [
        ("deals.list", "deals.list.json"),
        ("deals.list#throttled", "deals.list#throttled.json"),
        ("Deals.list", "%44eals.list.json"),
        ("deals/list", "deals%2flist.json"),
        ("deals%2flist", "deals%252flist.json"),
        ("../deals", "..%2fdeals.json"),
        ("däls", "d%c3%a4ls.json"),
    ],
)
def test_a_file_is_named_after_its_lane(tmp_path: Path, lane: str, name: str) -> None:
    """Plain ids read as they are; whatever a file system could take otherwise is spelt out."""
    assert tmp_path / name == SnapshotFolder(tmp_path).path(lane)


@given(one=LANES | TRICKY, other=LANES | TRICKY)
@example("a", "A")
@example("a/b", "a%2fb")
@example("straße", "strasse")
@example("\u0131", "i")  # the dotless one
@example("a ", "a")
@example("a.", "a")
def test_no_two_lanes_share_a_file(one: str, other: str) -> None:
    """Neither as they are spelt, nor where a file system folds case or drops what stands at the end."""
    folder = SnapshotFolder(Path("snapshots"))
    names = [folder.path(lane).name for lane in (one, other)]

    assert (one == other) is (names[0].casefold() == names[1].casefold())


@given(lane=LANES | TRICKY)
def test_a_files_name_stays_in_its_folder_and_leads_back_to_its_lane(lane: str) -> None:
    """No id is a path to somewhere else, and none is a name that a file system refuses."""
    path = SnapshotFolder(Path("snapshots")).path(lane)

    assert Path("snapshots") == path.parent
    assert path.name.isascii() and set(path.name).isdisjoint('/\\:*?"<>| \0')


def test_the_lanes_are_told_by_their_files(tmp_path: Path) -> None:
    """Every spelling leads back."""
    folder = SnapshotFolder(tmp_path)
    lanes = {"deals.list", "Deals.list", "deals/list", "däls#ü"}
    for lane in lanes:
        folder.write(_snapshot(lane))

    assert lanes == set(folder.lanes())


def test_a_snapshot_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Nothing is lost on the way to disk: classes of numbers, null, empty lists, other scripts."""
    folder = SnapshotFolder(tmp_path / "not" / "there" / "yet")

    folder.write(_snapshot())

    assert _snapshot() == folder.read("deals.list")


RECORDS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(records=st.lists(RECORDS.filter(lambda value: "\\ud" not in ascii(value)), max_size=4))
def test_any_records_come_back(tmp_path_factory: pytest.TempPathFactory, records: list[Any]) -> None:
    """A baseline is what it was, down to 1 and 1.0."""
    folder = SnapshotFolder(tmp_path_factory.mktemp("any"))
    folder.write(_snapshot(records=tuple(records)))

    found = folder.read("deals.list")

    assert found is not None
    assert repr(tuple(records)) == repr(found.records)


def test_the_same_snapshot_is_the_same_bytes(tmp_path: Path) -> None:
    """Text that a person reviews: indented, in a fixed order, in its own script, ended by a newline."""
    first, second = (SnapshotFolder(tmp_path / name).write(_snapshot()).read_bytes() for name in ("a", "b"))

    assert first == second
    assert b'{\n  "format": "connproof-snapshot/1",\n  "lane": "deals.list",\n' == first[:62]
    assert "Übung".encode() in first and first.endswith(b"}\n")


def test_no_file_is_no_snapshot(tmp_path: Path) -> None:
    """Nothing there is None: whoever asks says what that means."""
    assert SnapshotFolder(tmp_path).read("deals.list") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "deals.list.json has 1 problem"),
        ("{}", '"format" is missing'),
        ("[]", "deals.list.json has 1 problem"),
        ('{"format": "connproof-snapshot/1", "format": "x"}', "a second time"),
    ],
)
def test_a_file_that_is_no_snapshot_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    """A corrupted baseline is never an empty one."""
    folder = SnapshotFolder(tmp_path)
    folder.path("deals.list").write_text(text)

    with pytest.raises(ConfigWrong) as wrong:
        folder.read("deals.list")

    assert message in str(wrong.value)


def test_a_snapshot_of_another_lane_is_an_error(tmp_path: Path) -> None:
    """A file that was renamed by hand is found."""
    folder = SnapshotFolder(tmp_path)
    folder.write(_snapshot("deals.get")).rename(folder.path("deals.list"))

    with pytest.raises(ConfigWrong) as wrong:
        folder.read("deals.list")

    assert "/lane  is not the lane that the file is named after, deals.list" in str(wrong.value)


def test_a_snapshot_is_removed(tmp_path: Path) -> None:
    """One file goes, the others stay."""
    folder = SnapshotFolder(tmp_path)
    folder.write(_snapshot("deals.list"))
    folder.write(_snapshot("deals.get"))

    folder.remove("deals.list")

    assert ["deals.get"] == list(folder.lanes())


# Written whole, or not at all.


class _Interrupted(BaseException):
    pass


def _interrupt(*_: object, **__: object) -> None:
    raise _Interrupted


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace", "pathlib.Path.chmod"])
def test_an_interrupt_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Ctrl-C while a snapshot is written costs neither the old baseline nor leaves half a file."""
    folder = SnapshotFolder(tmp_path)
    path = folder.write(_snapshot())
    before = path.read_bytes()
    monkeypatch.setattr(step, _interrupt)

    with pytest.raises(_Interrupted):
        folder.write(_snapshot(outcome="PaginationLoop"))

    assert before == path.read_bytes()
    assert [path] == [*tmp_path.iterdir()]


def test_an_interrupt_leaves_no_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there was none there is none."""
    monkeypatch.setattr("os.fsync", _interrupt)

    with pytest.raises(_Interrupted):
        write_whole(tmp_path / "new" / "x.json", "{}")

    assert [] == [*(tmp_path / "new").iterdir()]


def test_a_file_is_written_for_everybody_to_read(tmp_path: Path) -> None:
    """A temporary file is private to its owner; what it becomes is not."""
    write_whole(tmp_path / "x.json", "ü")

    assert ("ü", 0o644) == ((tmp_path / "x.json").read_text(), (tmp_path / "x.json").stat().st_mode & 0o777)
