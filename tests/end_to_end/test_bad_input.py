"""Bad input, as a user meets it: one message that says what is wrong, where, what was seen and what to do."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from shop import DAY, Done, Project, config, deals, pytest_in_process, recording, snapshot

from pytest_connproof.atomic import write_whole

pytest_plugins = ["pytester"]

Break: TypeAlias = Callable[[Project], object]

CONFIG = "connectors/shop/connector.json"
RECORDING = "connectors/shop/recordings/deals.json"
SNAPSHOT = "snapshots/shop/deals.list.json"
LIVE_LOOKING = "ghp_" + "a1B2" * 9  # the shape of a real credential, and none


@pytest.fixture
def shop(pytester: pytest.Pytester) -> Project:
    """A project with one connector, which is certified as it stands; the current folder is its root."""
    project = Project(pytester.path)
    project.connector()
    return project


def certify(project: Project, *arguments: str) -> Done:
    return project.run("connproof", "certify", f"--as-of={DAY}", "-pno:cacheprovider", *arguments)


def failures(done: Done) -> str:
    """What is shown of the failed checks, without the headings."""
    whole = done.text.partition("= FAILURES =")[2].partition("= connproof =")[0]
    return "\n".join(line for line in whole.splitlines()[1:] if not line.startswith(("____", "====")))


def misspelt_key(project: Project) -> None:
    wrong = config()
    wrong["pagination"]["cursor_parm"] = wrong["pagination"].pop("cursor_param")
    project.write(CONFIG, wrong)


def wrong_type(project: Project) -> None:
    wrong = config()
    wrong["pagination"]["default_page_size"] = "two"
    project.write(CONFIG, wrong)


def several(project: Project) -> None:
    wrong = config(pagination={"type": "curser"}, titel="Shop")
    del wrong["auth"]
    project.write(CONFIG, wrong)


def truncated_recording(project: Project) -> None:
    text = (project.root / RECORDING).read_text()
    project.write(RECORDING, text[: text.index('"d-2"')])


def unreadable_recording(project: Project) -> None:
    (project.root / RECORDING).unlink()
    (project.root / RECORDING).mkdir()


def no_account(project: Project) -> None:
    (project.root / "connectors/shop/accounts/example.json").unlink()


def broken_account(project: Project) -> None:
    project.write("connectors/shop/accounts/example.json", '{"credentials": ["example-access-token"]}\n')


# What cannot be read is told once, by the one check that is left: exit code 2, and no certificate.

UNREADABLE: dict[str, tuple[Break, str]] = {
    "a misspelt key": (
        misspelt_key,
        """\
connectors/shop/connector.json::CFG-001  ERROR   connectors/shop/connector.json has 1 problem
  connectors/shop/connector.json:12:5  /pagination/cursor_parm  unknown member "cursor_parm" \
(did you mean "cursor_param"?)
""",
    ),
    "a wrong type": (
        wrong_type,
        """\
connectors/shop/connector.json::CFG-001  ERROR   connectors/shop/connector.json has 1 problem
  connectors/shop/connector.json:12:5  /pagination/default_page_size  expected an integer, found a string
""",
    ),
    "several problems at once": (
        several,
        """\
connectors/shop/connector.json::CFG-001  ERROR   connectors/shop/connector.json has 3 problems
  connectors/shop/connector.json:1:1  /  "auth" is missing
  connectors/shop/connector.json:4:5  /pagination/type  "curser" is not a valid word here (did you mean "cursor"?)
  connectors/shop/connector.json:16:3  /titel  unknown member "titel" (did you mean "title"?)
""",
    ),
    "a config that is no JSON": (
        lambda project: project.write(CONFIG, '{"base_url": "https://api.shop.example/v1",}\n'),
        """\
connectors/shop/connector.json::CFG-001  ERROR   connectors/shop/connector.json has 1 problem
  connectors/shop/connector.json:1:44  /  expected a member name in quotes or "}", found '}'
""",
    ),
    "an account that is missing": (
        no_account,
        """\
connectors/shop/connector.json::CFG-001  ERROR   shop has no example account
  expected at  connectors/shop/accounts/example.json
  needed by    auth "bearer"
  fix          write invented credentials there: recordings are replayed with them
""",
    ),
    "an account that is none": (
        broken_account,
        """\
connectors/shop/connector.json::CFG-001  ERROR   connectors/shop/accounts/example.json has 1 problem
  connectors/shop/accounts/example.json:1:2  /credentials  expected an object, found a list
""",
    ),
    "a truncated recording": (
        truncated_recording,
        """\
connectors/shop/connector.json::deals.json::REC-001  ERROR   connectors/shop/recordings/deals.json has 2 problems
  connectors/shop/recordings/deals.json:47:25  /  ends at line 47, byte 1092, in its middle \
(restore the file, or record it again)
  connectors/shop/recordings/deals.json:47:25  /lanes/0/exchanges/0/response/json/results/1/id  expected a value, \
found the end of the file
""",
    ),
    "an unreadable recording": (
        unreadable_recording,
        """\
connectors/shop/connector.json::deals.json::REC-001  ERROR   connectors/shop/recordings/deals.json has 1 problem
  connectors/shop/recordings/deals.json:/  cannot be read: Is a directory
""",
    ),
    "a recording of another format": (
        lambda project: project.write(RECORDING, recording(format="connproof-recording/2")),
        """\
connectors/shop/connector.json::deals.json::REC-001  ERROR   connectors/shop/recordings/deals.json has 1 problem
  connectors/shop/recordings/deals.json:2:3  /format  unknown format "connproof-recording/2" \
(this connproof reads connproof-recording/1)
""",
    ),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_what_cannot_be_read_is_told_once(shop: Project, pytester: pytest.Pytester, what: str) -> None:
    """Line, place, what was seen and what was meant; and a certificate of an earlier run stays as it was."""
    breaks, said = UNREADABLE[what]
    breaks(shop)
    shop.write("certificates/shop.json", {"surface": []})
    before = shop.files()

    done = pytest_in_process(pytester, "connectors", "--certify")

    assert said == failures(done) + "\n"
    assert 2 == done.code
    assert before == shop.files()


# What can be read and falls short is a verdict, and its certificate says so.


def live_secret(project: Project) -> None:
    told = recording()
    told["lanes"][0]["exchanges"][1]["response"]["json"]["results"][0]["name"] = LIVE_LOOKING
    project.write(RECORDING, told)
    project.write(SNAPSHOT, snapshot(records=[*deals()[:2], {**deals()[2], "name": LIVE_LOOKING}]))


def cursor_that_leads_nowhere(project: Project) -> None:
    wrong = config()
    wrong["pagination"]["cursor_field"] = "paging.nxt.after"
    project.write(CONFIG, wrong)


def another_content_type(project: Project) -> None:
    told = recording()
    answer = told["lanes"][0]["exchanges"][1]["response"]
    del answer["json"]
    told["lanes"][0]["exchanges"][1]["response"] = {**answer, "text": ["<html>busy</html>"]}
    project.write(RECORDING, told)


FALLS_SHORT: dict[str, tuple[Break, int, str]] = {
    "a secret that looks live": (
        live_secret,
        1,
        """\
connectors/shop/connector.json::deals.json::REC-002  REFUTED   1 value of deals.json would be redacted

  found   connectors/shop/recordings/deals.json:94:19  /lanes/0/exchanges/1/response/json/results/0/name  \
not redacted: access_token (record it again, or write a placeholder in its place)
  fix     if any of it is real, have it revoked first; then import or record anew, which redacts
""",
    ),
    "a missing snapshot": (
        lambda project: (project.root / SNAPSHOT).unlink(),
        3,
        """\
connectors/shop/connector.json::deals.list::PAR-001  INCONCLUSIVE   deals.list has no snapshot, \
so there is nothing to compare with
  fix  run with --snapshot-update, then review deals.list.json as you would code
""",
    ),
    "a cursor path that leads nowhere": (
        cursor_that_leads_nowhere,
        1,
        """\
connectors/shop/connector.json::deals.list::RPL-001  REFUTED   deals.list: 1 recorded exchange not asked for

  unused     deals.list/2
  ended by   the page names no next one, after 1 request
  cursor     read from "paging.nxt.after" (connector.json:10); the recording offers "paging.next.after"
  ledger     1 used, 0 unmatched, 1 unused (deals.list/2)
  fix        correct what the next page is read from; or take out of the recording what no caller needs
""",
    ),
    "an answer that is not what its content type says": (
        another_content_type,
        1,
        """\
connectors/shop/connector.json::deals.list::RPL-004  REFUTED   deals.list ended in PageUnreadable

  the body is not JSON
    asked         shop.deals.list, page 2, after 2 records
    config        connectors/shop/connector.json:7 /pagination
    fault         line 1, column 1: Expecting value
    status        200
    content type  application/json
    body          17 bytes, begins like HTML or XML
""",
    ),
}


@pytest.mark.parametrize("what", FALLS_SHORT)
def test_what_falls_short_is_told(shop: Project, pytester: pytest.Pytester, what: str) -> None:
    """What is wrong, where, what was seen and what to do; never a credential or a whole body."""
    breaks, code, said = FALLS_SHORT[what]
    breaks(shop)

    done = pytest_in_process(pytester, "connectors", "--certify")

    assert said in failures(done) + "\n"
    assert LIVE_LOOKING not in done.text
    assert "<html>" not in done.text
    assert code == done.code
    assert {1: "refuted", 3: "inconclusive"}[code] == shop.read("certificates/shop.json")["verdict"]


# Folders that are not there.


def test_no_folder_of_connectors(tmp_path: Path) -> None:
    """The message says what is looked for, and where it can be said otherwise."""
    done = certify(Project(tmp_path))

    assert (
        Done(
            2,
            "there is no folder named connectors here\n  fix  name a connector or a folder of connectors\n",
        )
        == done
    )


def test_no_such_connector(shop: Project) -> None:
    """The message names those there are."""
    done = shop.run("connproof", "certify", "shoop")

    assert Done(2, "no connector shoop\n  there are  shop\n  fix        name one of these, or a path\n") == done


def test_a_folder_of_connectors_without_one(tmp_path: Path) -> None:
    """Nothing was judged, so nothing is certified."""
    (tmp_path / "connectors").mkdir()

    done = certify(Project(tmp_path))

    assert 2 == done.code
    assert "no check of a connector was run, so nothing is certified" in done.text


def test_no_recordings(shop: Project, pytester: pytest.Pytester) -> None:
    """Every operation without evidence is named."""
    shutil.rmtree(shop.root / "connectors/shop/recordings")
    (shop.root / SNAPSHOT).unlink()

    done = pytest_in_process(pytester, "connectors", "--certify")

    assert 3 == done.code
    assert (
        "connectors/shop/connector.json::deals.list::RPL-001  INCONCLUSIVE   no recording exercises deals.list\n"
        '  fix  add a lane "deals.list" to a recording\n'
    ) in failures(done)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
@pytest.mark.parametrize("path", [CONFIG, RECORDING, "connectors/shop/accounts/example.json"])
def test_a_file_that_may_not_be_read(shop: Project, pytester: pytest.Pytester, path: str) -> None:
    """The file and the system's own reason."""
    (shop.root / path).chmod(0)

    done = pytest_in_process(pytester, "connectors", "--certify")

    assert 2 == done.code
    assert path in failures(done)
    assert "Permission denied" in failures(done)
    assert "Traceback" not in done.text


# Nothing is written half.


@pytest.mark.parametrize("breaks", [truncated_recording, unreadable_recording])
def test_an_update_keeps_the_snapshots_of_lanes_that_cannot_be_seen(
    shop: Project, pytester: pytest.Pytester, breaks: Break
) -> None:
    """A broken recording must not throw away what was reviewed."""
    breaks(shop)
    before = shop.files()

    done = pytest_in_process(pytester, "connectors", "--snapshot-update")

    assert 1 == done.code
    assert before == shop.files()


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), OSError(28, "No space left on device")], ids=["Ctrl-C", "disk"])
@pytest.mark.parametrize("moment", ["os.fsync", "pathlib.Path.chmod", "pathlib.Path.replace"])
def test_a_write_that_is_cut_short_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str, fault: BaseException
) -> None:
    """Whenever it happens: the old file whole, and nothing beside it."""
    file = tmp_path / "certificates" / "shop.json"
    write_whole(file, "old\n")

    def cut_short(*_: object) -> None:
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(moment, cut_short)
        with pytest.raises(type(fault)):
            write_whole(file, "new\n")

    assert ["shop.json"] == [path.name for path in file.parent.iterdir()]
    assert "old\n" == file.read_text()


CUT_SHORT = """\
import os, pytest_connproof.atomic

def interrupted(file):
    print("writing", flush=True)
    raise KeyboardInterrupt

def pytest_sessionfinish():
    os.fsync = interrupted
"""


def test_ctrl_c_while_certificates_are_written(shop: Project) -> None:
    """No partial file, and no certificate but the old one."""
    shop.write("certificates/shop.json", {"surface": []})
    shop.write("conftest.py", CUT_SHORT)
    before = shop.files()

    done = shop.run("connproof", "certify", f"--as-of={DAY}", "-pno:cacheprovider", "-s")

    assert "writing" in done.text
    assert 2 == done.code
    assert before == shop.files()


def test_ctrl_c_while_snapshots_are_taken(shop: Project) -> None:
    """What was there is there; what is new is whole or missing."""
    for name in ("bank", "zoo"):
        shop.connector(name)
    for name in ("bank", "shop", "zoo"):
        (shop.root / f"snapshots/{name}/deals.list.json").unlink()
    shop.write(
        "conftest.py",
        "def pytest_runtest_setup(item):\n"
        "    if item.nodeid == 'connectors/shop/connector.json::deals.list::PAR-002':\n"
        "        raise KeyboardInterrupt\n",
    )

    done = shop.run("pytest", "connectors", "--snapshot-update", f"--as-of={DAY}", "-pno:cacheprovider")
    taken = {name for name in shop.files() if name.startswith("snapshots/")}

    assert 2 == done.code
    assert {"snapshots/bank/deals.list.json", "snapshots/shop/deals.list.json"} == taken
    for name in taken:
        assert deals() == json.loads(shop.files()[name])["records"]
