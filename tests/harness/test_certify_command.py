"""certify as a user types it: what is run, what is said, how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from shop import DAY, Command, Done, Project


def test_certify_certifies_all_there_are(shop: Project, typed: Command) -> None:
    """Without a name: the folder of connectors."""
    shop.connector("other")

    done = typed("certify", f"--as-of={DAY}", "-q")

    assert 0 == done.code, done.text
    assert {"certificates/other.json", "certificates/shop.json"} <= set(shop.files())


@pytest.mark.parametrize(
    "named",
    [["shop"], ["connectors/shop"], ["connectors/shop/connector.json"], ["-q", "connectors/shop"]],
    ids=" ".join,
)
def test_certify_takes_names_and_paths(shop: Project, typed: Command, named: list[str]) -> None:
    """As the other commands do; paths after an option too."""
    shop.connector("other")

    done = typed("certify", *named, f"--as-of={DAY}")

    assert 0 == done.code, done.text
    assert "certificates/shop.json" in shop.files()
    assert "certificates/other.json" not in shop.files()


@pytest.mark.usefixtures("shop")
def test_certify_takes_the_id_of_a_check(typed: Command) -> None:
    """One check is no certificate."""
    done = typed("certify", "shop::deals.list::PAR-001", f"--as-of={DAY}")

    assert 3 == done.code, done.text
    assert "1 failed" not in done.text
    assert "checks were not run" in done.text


@pytest.mark.parametrize("option", [["-k", "shop"], ["--certificates", "out/today"], ["-m", "connproof"]], ids=" ".join)
def test_an_option_s_value_is_no_connector(shop: Project, typed: Command, option: list[str]) -> None:
    """Also where a folder of that name is there."""
    for name in ("shop", "out/today", "connproof"):
        (shop.root / name).mkdir(parents=True)
    shop.write("tests/test_theirs.py", "def test_of_somebody_else():\n    assert False\n")

    done = typed("certify", f"--as-of={DAY}", *option)

    assert 0 == done.code, done.text
    assert "test_theirs" not in done.text


@pytest.mark.usefixtures("shop")
def test_certify_passes_options_on(typed: Command) -> None:
    """Whatever pytest has, it can be told."""
    done = typed("certify", "shop", f"--as-of={DAY}", "--certificates=out", "--collect-only", "-q", "-k", "CFG-001")

    assert 0 == done.code, done.text
    assert "connectors/shop/connector.json::CFG-001" in done.text
    assert "CFG-002" not in done.text


@pytest.mark.parametrize("code", [1, 3])
def test_certify_ends_as_the_verdict_says(shop: Project, typed: Command, code: int) -> None:
    """The exit code is the run's."""
    if code == 1:
        shop.write("connectors/shop/code.py", "")
    else:
        (shop.root / "snapshots/shop/deals.list.json").unlink()

    assert code == typed("certify", f"--as-of={DAY}").code


def test_certify_of_what_there_is_not(shop: Project, typed: Command) -> None:
    """The message names what there is; nothing is run."""
    shop.connector("other")

    done = typed("certify", "shopp")

    assert Done(2, "no connector shopp\n  there are  other, shop\n  fix        name one of these, or a path\n") == done


def test_certify_without_a_folder_of_connectors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: Command
) -> None:
    """The message says what is looked for."""
    monkeypatch.chdir(tmp_path)

    done = typed("certify")

    assert 2 == done.code
    assert "there is no folder named connectors here\n  fix  name a connector or a folder of connectors\n" == done.text


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("--as-of=soon", "--as-of soon: not a date"),
        ("--max-age-days=soon", "invalid int value: 'soon'"),
        ("--no-such-option", "unrecognized arguments: --no-such-option"),
        ("connectors/nothing", "no connector connectors/nothing"),
        ("shop::NO-001", "NO-001"),
    ],
)
@pytest.mark.usefixtures("shop")
def test_a_wrong_call_is_2(typed: Command, wrong: str, said: str) -> None:
    """pytest's own code for it means nothing here."""
    done = typed("certify", wrong)

    assert 2 == done.code
    assert said in done.text
