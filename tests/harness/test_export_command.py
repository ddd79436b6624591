"""export as a user types it: what is written, what is refused; and that it can be imported again."""

from __future__ import annotations

import json

import pytest
from shop import Command, Done, Project, config

from pytest_connproof.recording import dump, load


def test_export_and_import_give_the_same_traffic(shop: Project, typed: Command) -> None:
    """HAR holds all that a recording holds of its exchanges."""
    (shop.root / "connectors/bank").mkdir()
    shop.write("connectors/bank/connector.json", config())

    exported = typed("export", "connectors/shop/recordings/deals.json", "--har", "-o", "out/deals.har")
    imported = typed("import", "out/deals.har", "--connector=bank", "--keep=name")

    assert (0, 0) == (exported.code, imported.code), imported.text
    assert "out/deals.har  (2 exchanges)\n" == exported.text
    one, two = (load(shop.root / f"connectors/{name}/recordings/deals.json") for name in ("shop", "bank"))
    assert [(e.id, e.request, e.response) for e in one.exchanges()] == [
        (e.id, e.request, e.response) for e in two.exchanges()
    ]
    assert dump(one).partition('"lanes"')[2] == dump(two).partition('"lanes"')[2]


def test_export_to_the_screen_is_the_file(shop: Project, typed: Command) -> None:
    """Byte for byte, so that it can be piped."""
    typed("export", "connectors/shop/recordings/deals.json", "--har", "-o", "deals.har")

    done = typed("export", "connectors/shop/recordings/deals.json", "--har")

    assert 0 == done.code
    assert (shop.root / "deals.har").read_text(encoding="utf-8") == done.text
    assert 2 == len(json.loads(done.text)["log"]["entries"])


@pytest.mark.usefixtures("shop")
def test_export_needs_a_format(typed: Command) -> None:
    """There is one so far, and it is named."""
    done = typed("export", "connectors/shop/recordings/deals.json")

    assert Done(2, "export needs a format\n  fix  pass --har\n") == done


def test_export_of_what_is_no_recording(shop: Project, typed: Command) -> None:
    """What is wrong with it is told; nothing is written, and what was there stays."""
    shop.write("out.har", "kept")
    before = shop.files()

    wrong = typed("export", "connectors/shop/connector.json", "--har", "-o", "out.har")
    missing = typed("export", "nothing.json", "--har", "-o", "out.har")

    assert (2, 2) == (wrong.code, missing.code)
    assert "connectors/shop/connector.json has 1 problem" in wrong.text
    assert "nothing.json" in missing.text
    assert "cannot be read: No such file or directory" in missing.text
    assert before == shop.files()


def test_export_to_where_no_file_can_be(shop: Project, typed: Command) -> None:
    """A folder of that name is in the way: it is named, and nothing is left behind."""
    (shop.root / "out.har").mkdir()
    before = shop.files()

    done = typed("export", "connectors/shop/recordings/deals.json", "--har", "-o", "out.har")

    assert Done(2, "out.har: Is a directory\n") == done
    assert before == shop.files()
