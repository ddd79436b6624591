"""The exchanges of every multi-page listing can be found in its file."""

from __future__ import annotations

import pytest

from listings import ABSENT, CORPUS, Case, cases, exchanges_of

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=ABSENT)

# Files in which the listing's path is asked for more often than the listing has pages.
MORE: dict[str, int] = {
    "google/nango-google-drive:tests/documents.test:base/drive/v3/files:3": 71,  # one listing for each folder
    "hubspot/hubspot-api-ruby:vcr_cassettes/find_all_lists:api.hubapi.com/contacts/v1/lists:2": 4,  # other page sizes
    "hubspot/hubspot-ruby:vcr_cassettes/contacts_among_list:api.hubapi.com/contacts/v1/lists/1/contacts/all:2": 4,
    "hubspot/hubspot-ruby:vcr_cassettes/find_all_contacts:api.hubapi.com/contacts/v1/lists/all/contacts/all:5": 8,
    "hubspot/hubspot-ruby:vcr_cassettes/find_all_lists:api.hubapi.com/contacts/v1/lists:2": 4,
    "hubspot/hubspot-ruby-history:vcr_cassettes/find_all_contacts"
    ":api.hubapi.com/contacts/v1/lists/all/contacts/all:5": 8,
    # One more request goes backwards, to newer records.
    "mastodon/Mastodon.py:cassettes/test_fetch_next_previous"
    ":localhost:3000/api/v1/accounts/117020565966271181/statuses:2": 3,
    "mastodon/Mastodon.py:cassettes/test_fetch_next_previous_after_persist"
    ":localhost:3000/api/v1/accounts/117020565966271181/statuses:2": 3,
    "mastodon/Mastodon.py:cassettes/test_fetch_next_previous_from_pagination_info"
    ":localhost:3000/api/v1/accounts/117020565966271181/statuses:2": 3,
    "mastodon/Mastodon.py:cassettes_old_pagination/test_fetch_next_previous"
    ":localhost:3000/api/v1/accounts/1234567890123456/statuses:2": 3,
    "mastodon/Mastodon.py:cassettes_old_pagination/test_fetch_next_previous_from_pagination_info"
    ":localhost:3000/api/v1/accounts/1234567890123456/statuses:2": 3,
    # Forwards, backwards, and both again.
    "mastodon/Mastodon.py:cassettes/test_pagination_iterator"
    ":pi/v1/timelines/tag/fgiztsshwiaqqiztpmmjbtvmescsculuvmgjgopwoeidbcrixp:4": 9,
    "mastodon/Mastodon.py:cassettes/test_pagination_iterator"
    ":pi/v1/timelines/tag/fgiztsshwiaqqiztpmmjbtvmescsculuvmgjgopwoeidbcrixp:3": 9,
    "microsoft-graph/nango-microsoft:tests/directory-roles.test:base/v1.0/directoryRoles/delta:17": 18,
    # A stream asks for the newest records again and again.
    "reddit/praw:cassettes/TestLiveThreadStream.test_updates:oauth.reddit.com/live/ta535s1hq2je:2": 6,
    "reddit/praw:cassettes/TestSubredditStreams.test_comments__with_pause:oauth.reddit.com/r/kakapo/comments/:2": 3,
}

CASES = [pytest.param(case, id=case.id) for case in cases()]


def test_every_case_has_a_name_of_its_own() -> None:
    """A test that fails names one listing, and the table above speaks of listings that exist."""
    names = [case.id for case in cases()]

    assert 129 == len(names) == len(set(names))
    assert set() == set(MORE) - set(names)


@pytest.mark.parametrize("case", CASES)
def test_exchanges_of_a_listing(case: Case) -> None:
    """The pages of a listing are found, also where a next link leads to another path; all were asked the same way."""
    found = exchanges_of(case)

    assert MORE.get(case.id, case.pages) == len(found)
    assert 1 == len({taped.request.method for taped in found})
    assert {200} == {taped.response.status for taped in found}
