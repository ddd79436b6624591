"""How import sorts traffic into lanes: by the operations of the config, each call into its own."""

from __future__ import annotations

import json
import re
from typing import Any

from shop import Command, Done, Project, config
from tapes import PAGES, URL, vcr

ISSUES = config(
    base_url="https://api.shop.example/{api_version}",
    api_version={"value": "v1", "in": "path"},
    pagination={"type": "link_header", "page_size_param": "per_page", "default_page_size": 100},
    resources={
        "issues": {
            "list": {"method": "GET", "path": "/repos/{owner}/issues", "query": {"state": "all"}, "key": "id"},
            "get": {"method": "GET", "path": "/repos/{owner}/issues/{number}", "key": "id"},
            "recent": {"method": "GET", "path": "/repos/{owner}/issues/recent", "key": "id"},
        },
        "labels": {"list": {"method": "GET", "path": "/labels", "key": "id"}},
    },
)


def lanes_of(shop: Project, typed: Command, *exchanges: tuple[str, str, Any]) -> list[tuple[str, Any, int]]:
    """Id, call and number of exchanges of each lane that the import makes of this traffic."""
    shop.write("connectors/shop/connector.json", ISSUES)
    shop.write("tape.json", vcr(*exchanges))
    done = typed("import", "tape.json", "--connector=shop")
    assert 0 == done.code, done.text
    document = shop.read("connectors/shop/recordings/tape.json")
    return [(lane["id"], lane.get("call"), len(lane["exchanges"])) for lane in document["lanes"]]


def test_lanes_say_how_they_were_called(shop: Project, typed: Command) -> None:
    """What stands in the path, the page's size, and what was asked beyond the config: so a replay asks the same."""
    assert [
        (
            "issues.list",
            {"params": {"owner": "acme co"}, "page_size": 50, "query": [["labels", "bug"]]},
            1,
        ),
        ("issues.get", {"params": {"owner": "acme", "number": "7"}}, 1),
        ("issues.recent", {"params": {"owner": "acme"}}, 1),
        ("labels.list", None, 1),
    ] == lanes_of(
        shop,
        typed,
        ("get", f"{URL}/repos/acme%20co/issues?state=all&per_page=50&labels=bug", []),
        ("get", f"{URL}/repos/acme/issues/7", {}),
        ("get", f"{URL}/repos/acme/issues/recent", {}),
        ("get", f"{URL}/labels?per_page=100", []),
    )


def test_each_call_has_its_lane(shop: Project, typed: Command) -> None:
    """Other arguments are another call, and so is the same request once more."""
    assert [
        ("issues.get", {"params": {"owner": "acme", "number": "7"}}, 1),
        ("issues.get#2", {"params": {"owner": "acme", "number": "8"}}, 1),
        ("issues.get#3", {"params": {"owner": "acme", "number": "7"}}, 1),
    ] == lanes_of(
        shop,
        typed,
        ("get", f"{URL}/repos/acme/issues/7", {}),
        ("get", f"{URL}/repos/acme/issues/8", {}),
        ("get", f"{URL}/repos/acme/issues/7", {}),
    )


def test_lanes_of_other_recordings_are_not_taken_again(shop: Project, typed: Command) -> None:
    """A lane stands in one recording; the one that is replaced does not count, nor one that cannot be read."""
    shop.write("connectors/shop/recordings/broken.json", "{")
    for name in ("one.json", "two.json"):
        shop.write(name, vcr(*PAGES))

    both = typed("import", "one.json", "two.json", "--connector=shop")
    again = typed("import", "two.json", "--connector=shop", "--force")
    named = typed("import", "two.json", "--connector=shop", "--force", "--lane=deals.list")
    two = typed("import", "one.json", "two.json", "--connector=shop", "--force", "--lane=deals.list#b")

    assert ["deals.list#2 2", "deals.list#3 2"] == re.findall("exchanges  (.*)", both.text)
    assert ["deals.list#3 2"] == re.findall("exchanges  (.*)", again.text)
    assert (
        Done(
            2,
            "the lane deals.list stands in connectors/shop/recordings/deals.json\n"
            "  fix  name a scenario of it: --lane deals.list#another\n",
        )
        == named
    )
    assert "--lane takes one file" in two.text


def test_a_next_link_stays_in_its_lane(shop: Project, typed: Command) -> None:
    """Wherever it leads: its path need not be an operation's."""
    shop.write("connectors/shop/connector.json", ISSUES)
    tape = json.loads(
        vcr(
            ("get", f"{URL}/repos/acme/issues", []),
            ("get", f"{URL}/labels", []),
            ("get", f"{URL}/r/7/issues?page=2", []),
        )
    )
    link = f'<{URL}/r/7/issues?page=2>; rel="next"'
    tape["http_interactions"][0]["response"]["headers"]["Link"] = [link]
    shop.write("tape.json", json.dumps(tape))

    done = typed("import", "tape.json", "--connector=shop")

    assert "  exchanges  issues.list 2, labels.list 1\n" in done.text


def test_a_path_must_fit_wholly(shop: Project, typed: Command) -> None:
    """/archive/labels is not /labels, and another version's traffic is none of this one."""
    shop.write("connectors/shop/connector.json", ISSUES)
    for path in ("/v1/archive/labels", "/v2/labels", "/v1/labels/"):
        shop.write("tape.json", vcr(("get", f"https://api.shop.example{path}", [])))

        done = typed("import", "tape.json", "--connector=shop")

        assert 2 == done.code
        assert f"  asked      GET {path}\n" in done.text


def test_operations_that_fit_equally_well(shop: Project, typed: Command) -> None:
    """Which of them was called, only the caller knows."""
    both = {"method": "POST", "path": "/query", "key": "id"}
    shop.write(
        "connectors/shop/connector.json",
        config(pagination={"type": "none"}, resources={"deals": {"list": both}, "owners": {"list": both}}),
    )
    shop.write("tape.json", vcr(("post", f"{URL}/query", [])))

    done = typed("import", "tape.json", "--connector=shop")

    assert (
        Done(
            2,
            "several operations of shop ask POST /v1/query\n"
            "  there are  deals.list, owners.list\n"
            "  fix        name the one that was called with --lane\n",
        )
        == done
    )
