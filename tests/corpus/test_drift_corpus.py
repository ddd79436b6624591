"""Real drift: the same listing of a real provider, recorded again years later.

The names asserted here are those by which the recordings differ when their members are counted without the product.
What the configs read decides which of them would have stopped anybody.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import formats
from connproof.config import load
from connproof.drift import Difference, Read, Seen, compare, infer, reads_of
from listings import ABSENT, CORPUS
from readings import CONFIGS

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=ABSENT)

ISSUES = "scenarios/api.github.com/paginate-issues/raw-fixture.json"
HISTORY = "github/octokit-fixtures-history"
DATES = {
    "2018-10": f"{HISTORY}/2018-10-10-8989535/{ISSUES}",
    "2019-01": f"{HISTORY}/2019-01-02-c33ffb7/{ISSUES}",
    "2020-09": f"{HISTORY}/2020-09-04-7120576/{ISSUES}",
    "2022-07": f"{HISTORY}/2022-07-19-b33a6c6/{ISSUES}",
    "now": f"github/octokit-fixtures/{ISSUES}",
}
WEB = "spec/fixtures/slack/web"
USERS = {
    "2015-12": f"slack/slack-ruby-client-history/2015-12-06-cdd8d29/{WEB}/users_list.yml",
    "2017-08": f"slack/slack-ruby-client-history/2017-08-29-877c4c8/{WEB}/paginated_users_list.yml",
    "now": f"slack/slack-ruby-client/{WEB}/users_list.yml",
    "now, in pages": f"slack/slack-ruby-client/{WEB}/paginated_users_list.yml",
}
MEMBERS = "members[*]"
PROFILE = "members[*].profile"


def _seen(file: str, method: str, path: str) -> Seen:
    """The shape of the good answers to this path."""
    return infer(
        json.loads(taped.response.body)
        for taped in formats.read(CORPUS / file).exchanges
        if taped.request.method == method
        and taped.request.url.partition("?")[0].endswith(path)
        and taped.response.status == 200
    )


def _told(found: tuple[Difference, ...]) -> set[tuple[str, str, str]]:
    return {(difference.severity, difference.kind, difference.path) for difference in found}


# Issues of a repository: a bare list.


def _issues(date: str) -> Seen:
    return _seen(DATES[date], "GET", "/issues")


@pytest.mark.parametrize("date", DATES)
def test_issues_were_recorded(date: str) -> None:
    """Each time five pages with thirteen issues: the tests below compare something."""
    seen = _issues(date)

    assert (5, 13) == (seen.count, seen.elements.count if seen.elements else 0)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("2018-10", "2019-01", {}),
        (
            "2019-01",
            "2020-09",
            {"active_lock_reason": "null, in all 13", "performed_via_github_app": "null, in all 13"},
        ),
        (
            "2020-09",
            "2022-07",
            {
                "reactions": "object, in all 13",
                "state_reason": "null, in all 13",
                "timeline_url": "string (uri), in all 13",
            },
        ),
        ("2022-07", "now", {}),
    ],
)
def test_issues_grew(before: str, after: str, expected: dict[str, str]) -> None:
    """Members were added, nothing else: a note for a connector that reads none of them."""
    file = Path(__file__).parents[2] / "connectors" / "github" / "connector.json"
    connector = load(file)
    reads = reads_of(connector, connector.resources["issues"].operations["list"])

    found = compare(_issues(before).schema(), _issues(after), reads)

    assert {("note", "new", f"[*].{name}") for name in expected} == _told(found)
    assert expected == {difference.path.removeprefix("[*]."): difference.seen for difference in found}


def test_issues_of_an_older_date_lack_what_came_later() -> None:
    """The other way round the members are missing from every record: whoever reads one is stopped."""
    reads = [Read(("timeline_url",), "/unified/ticketing.issue/fields/timeline")]

    found = compare(_issues("2022-07").schema(), _issues("2020-09"), reads)

    assert {
        ("warn", "removed", "[*].reactions"),
        ("warn", "removed", "[*].state_reason"),
        ("block", "removed", "[*].timeline_url"),
    } == _told(found)
    assert {"in none of 13 objects"} == {difference.seen for difference in found}


# Users of a workspace: a list in an object, whole at first, later in pages.


def _users(date: str) -> Seen:
    return _seen(USERS[date], "POST", "/users.list")


def _reads() -> tuple[Read, ...]:
    connector = load(CONFIGS / "slack.json")
    (operation,) = [one for one in connector.operations() if one.path.endswith("users.list")]
    return reads_of(connector, operation)


def test_users_came_in_pages_later() -> None:
    """The cursor is what the config reads: that it is there now is no small change. Of the members, many are new."""
    found = compare(_users("2015-12").schema(), _users("2017-08"), _reads())

    assert {("block", "new", "response_metadata")} == {told for told in _told(found) if told[0] == "block"}
    assert {
        ("warn", "no_longer_required", f"{MEMBERS}.presence"),
        ("warn", "reformatted", f"{PROFILE}.email"),
    } == {told for told in _told(found) if told[0] == "warn"}
    assert {
        "cache_ts",
        "offset",
        f"{MEMBERS}.is_app_user",
        f"{MEMBERS}.updated",
        *(
            f"{PROFILE}.{name}"
            for name in ("always_active", "api_app_id", "avatar_hash", "fields", "phone", "skype", "team")
        ),
    } == {difference.path for difference in found if difference.severity == "note"}


def test_users_asked_for_whole_have_no_cursor() -> None:
    """Held against what was recorded in pages, the cursor is gone: that blocks, and names the word that reads it."""
    found = compare(_users("2017-08").schema(), _users("now"), _reads())

    (blocking,) = [difference for difference in found if difference.severity == "block"]
    assert ("removed", "response_metadata", "in none of 1 object") == (blocking.kind, blocking.path, blocking.seen)
    assert any(pointer.endswith("/cursor_field") for pointer in blocking.read_by)


def test_users_have_a_status_and_a_display_name_since() -> None:
    """Eight members of a profile that nobody had in 2017."""
    found = compare(_users("2017-08").schema(), _users("now"), _reads())

    assert {
        "display_name",
        "display_name_normalized",
        "is_custom_image",
        "status_emoji",
        "status_emoji_display_info",
        "status_expiration",
        "status_text",
        "status_text_canonical",
    } == {
        difference.path.removeprefix(f"{PROFILE}.")
        for difference in found
        if difference.kind == "new" and difference.path.startswith(PROFILE)
    }


def test_users_of_today_are_the_same_in_pages_and_whole() -> None:
    """The two recordings that are kept up differ in nothing but the paging itself."""
    found = compare(_users("now").schema(), _users("now, in pages"), _reads())

    assert {("block", "new", "response_metadata"), ("note", "new", "offset")} == _told(found)
