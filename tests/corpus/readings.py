"""From a recorded listing to a replayed read: the config that reads it, the lane, the call, what came of it.

A config stands in configs/. Every list operation of it that has the method and path of the listing's first
request reads the listing. What a caller would say (parameters, filters, page size, body, credential) is taken
from that first request; whatever the config is responsible for is taken out of it first, so that the engine has to
put it there. Of the requests after it nothing is used but to match them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from connproof.clock import SystemClock
from connproof.config import BRACES, parse
from connproof.model import Account, Auth, Connector, Operation, Query, Request, Response
from connproof.places import ABSENT, Absent, JsonValue
from formats import ORIGIN
from listings import Case, exchanges_of
from pytest_connproof.foreign import Taped
from pytest_connproof.lane_run import LaneRun, play
from pytest_connproof.recording import Call, Exchange, Lane

CONFIGS: Final = Path(__file__).parent / "configs"

# Which config reads which source. What is not here, or in UNREAD, is a failure.
READ_BY: Final[Mapping[str, str]] = {
    "datadog/datadog-api-client-ruby": "datadog",
    "github/github3.py": "github",
    "github/octokit-fixtures": "github",
    "github/octokit-fixtures-history": "github",
    "github/octokit.rb": "github",
    "google/nango-google-drive": "google-drive",
    "hubspot/hubspot-api-ruby": "hubspot",
    "hubspot/hubspot-ruby": "hubspot-key",
    "hubspot/hubspot-ruby-history": "hubspot-key",
    "instantly/nango-instantly": "instantly",
    "jira/active_project": "basecamp",
    "mastodon/Mastodon.py": "mastodon",
    "microsoft-graph/nango-microsoft": "microsoft-graph",
    "notion/notion-ruby-client": "notion",
    "pennylane/nango-pennylane": "pennylane",
    "reddit/praw": "reddit",
    "salesforce/nango-salesforce": "salesforce",
    "shopify/nango-shopify": "shopify",
    "slack/slack-ruby-client": "slack",
    "slack/slack-ruby-client-history": "slack",
    "strava/nango-strava-web": "strava",
    "supabase/nango-supabase": "supabase",
    "xero/nango-xero": "xero",
}

# Listings of the same providers that go another way: by page number, towards newer records, by a wrong name.
READ_OTHERWISE: Final[Mapping[str, str]] = {
    "github/octokit-fixtures-history:paginate-issues/raw-fixture"
    ":ixture-org/tmp-scenario-paginate-issues-20181010065018491-3kmrr/issues:5": "github-numbered",
    "hubspot/hubspot-ruby:vcr_cassettes/contacts_among_list:api.hubapi.com/contacts/v1/lists/1/contacts/all:2": (
        "hubspot-misspelt"
    ),
    "reddit/praw:cassettes/TestLiveThreadStream.test_updates:oauth.reddit.com/live/ta535s1hq2je:2": "reddit-newer",
    "reddit/praw:cassettes/TestSubredditStreams.test_comments__with_pause:oauth.reddit.com/r/kakapo/comments/:2": (
        "reddit-newer"
    ),
    "reddit/praw:cassettes/TestSubredditStreams.test_submissions:oauth.reddit.com/r/all/new:2": "reddit-newer",
}

# Which exchanges are the listing, from 0, where the file asks for its path more often.
PARTS: Final[Mapping[str, Iterable[int]]] = {
    # One listing for each folder; this is the root's.
    "google/nango-google-drive:tests/documents.test:base/drive/v3/files:3": range(3),
    # The same listing with three page sizes; this is the one that was read further than the first page.
    "hubspot/hubspot-api-ruby:vcr_cassettes/find_all_lists:api.hubapi.com/contacts/v1/lists:2": (2, 3),
    "hubspot/hubspot-ruby:vcr_cassettes/contacts_among_list:api.hubapi.com/contacts/v1/lists/1/contacts/all:2": (1, 3),
    "hubspot/hubspot-ruby:vcr_cassettes/find_all_lists:api.hubapi.com/contacts/v1/lists:2": (1, 3),
    # The position under four names, of which one is the provider's.
    "hubspot/hubspot-ruby:vcr_cassettes/find_all_contacts:api.hubapi.com/contacts/v1/lists/all/contacts/all:5": (6, 7),
    "hubspot/hubspot-ruby-history:vcr_cassettes/find_all_contacts"
    ":api.hubapi.com/contacts/v1/lists/all/contacts/all:5": (6, 7),
    # What follows goes back to the page before.
    "mastodon/Mastodon.py:cassettes/test_fetch_next_previous"
    ":localhost:3000/api/v1/accounts/117020565966271181/statuses:2": range(2),
    "mastodon/Mastodon.py:cassettes/test_fetch_next_previous_after_persist"
    ":localhost:3000/api/v1/accounts/117020565966271181/statuses:2": range(2),
    "mastodon/Mastodon.py:cassettes/test_fetch_next_previous_from_pagination_info"
    ":localhost:3000/api/v1/accounts/117020565966271181/statuses:2": range(2),
    "mastodon/Mastodon.py:cassettes/test_grouped_notification_pagination:localhost:3000/api/v2/notifications:3": (
        range(2)
    ),
    "mastodon/Mastodon.py:cassettes_old_pagination/test_fetch_next_previous"
    ":localhost:3000/api/v1/accounts/1234567890123456/statuses:2": range(2),
    "mastodon/Mastodon.py:cassettes_old_pagination/test_fetch_next_previous_from_pagination_info"
    ":localhost:3000/api/v1/accounts/1234567890123456/statuses:2": range(2),
    # The whole listing forwards; later once more from its second page on.
    "mastodon/Mastodon.py:cassettes/test_pagination_iterator"
    ":pi/v1/timelines/tag/fgiztsshwiaqqiztpmmjbtvmescsculuvmgjgopwoeidbcrixp:4": range(4),
    "mastodon/Mastodon.py:cassettes/test_pagination_iterator"
    ":pi/v1/timelines/tag/fgiztsshwiaqqiztpmmjbtvmescsculuvmgjgopwoeidbcrixp:3": range(5, 8),
    # What follows asks for the newest records again, with other page sizes.
    "reddit/praw:cassettes/TestLiveThreadStream.test_updates:oauth.reddit.com/live/ta535s1hq2je:2": range(2),
    "reddit/praw:cassettes/TestSubredditStreams.test_comments__with_pause:oauth.reddit.com/r/kakapo/comments/:2": (
        range(2)
    ),
}

# Listings that the recorded client left before their end: they are read with a limit. And why it left.
STOPPED: Final[Mapping[str, str]] = {
    "hubspot/hubspot-api-ruby:vcr_cassettes/find_all_lists:api.hubapi.com/contacts/v1/lists:2": "asked for two pages",
    "hubspot/hubspot-ruby:vcr_cassettes/find_all_lists:api.hubapi.com/contacts/v1/lists:2": "asked for two pages",
    "hubspot/hubspot-ruby:vcr_cassettes/find_all_contacts:api.hubapi.com/contacts/v1/lists/all/contacts/all:5": (
        "asked for two pages"
    ),
    "hubspot/hubspot-ruby-history:vcr_cassettes/find_all_contacts"
    ":api.hubapi.com/contacts/v1/lists/all/contacts/all:5": "asked for two pages",
    "mastodon/Mastodon.py:cassettes/test_fetch_next_previous"
    ":localhost:3000/api/v1/accounts/117020565966271181/statuses:2": "turned back",
    "mastodon/Mastodon.py:cassettes/test_fetch_next_previous_after_persist"
    ":localhost:3000/api/v1/accounts/117020565966271181/statuses:2": "turned back",
    "mastodon/Mastodon.py:cassettes/test_fetch_next_previous_from_pagination_info"
    ":localhost:3000/api/v1/accounts/117020565966271181/statuses:2": "turned back",
    "mastodon/Mastodon.py:cassettes/test_grouped_notification_pagination:localhost:3000/api/v2/notifications:3": (
        "turned back"
    ),
    "mastodon/Mastodon.py:cassettes_old_pagination/test_fetch_next_previous"
    ":localhost:3000/api/v1/accounts/1234567890123456/statuses:2": "turned back",
    "mastodon/Mastodon.py:cassettes_old_pagination/test_fetch_next_previous_from_pagination_info"
    ":localhost:3000/api/v1/accounts/1234567890123456/statuses:2": "turned back",
    "reddit/praw:cassettes/TestInbox.test_all__with_limit:oauth.reddit.com/message/inbox/:2": "wanted 128 records",
    "reddit/praw:cassettes/TestSubredditStreams.test_submissions:oauth.reddit.com/r/all/new:2": "a stream has no end",
    "reddit/praw:cassettes/TestSubreddits.test_new:oauth.reddit.com/subreddits/new/:3": "wanted 300 records",
}

# Listings that no config can read, and why.
UNREAD: Final[Mapping[str, str]] = {
    "google/nango-google-drive:tests/permissions.test:base/drive/v3/files:4": (
        "the first recorded page names no next one: what led to the second page was not kept"
    ),
    "hubspot/hubspot-ruby:vcr_cassettes/contacts_among_list:api.hubapi.com/contacts/v1/lists/1/contacts/all:2": (
        "the client sent the position under a name that the provider ignores: its second page is the first again"
    ),
    "mastodon/Mastodon.py:cassettes/test_min_max_id:localhost:3000/api/v1/timelines/home:4": (
        "four windows of time, each asked for by itself: no page leads to another"
    ),
    "mastodon/Mastodon.py:cassettes/test_min_max_id_datetimes:localhost:3000/api/v1/timelines/home:2": (
        "two windows of time, each asked for by itself: no page leads to the other"
    ),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """Exchanges read by one operation: the recorded pages, what stands on them, and what the engine gave, to whom."""

    connector: Connector
    account: Account
    operation: Operation
    lane: Lane
    expected: tuple[JsonValue, ...]
    run: LaneRun

    @property
    def kind(self) -> str:
        """How the operation pages: one of the strategies."""
        assert self.operation.pagination is not None, "every list operation has one"
        return self.operation.pagination.type


@cache
def readings(case: Case) -> tuple[Reading, ...]:
    """The case read by every operation that is made for it; none where no operation is."""
    document = _document(READ_OTHERWISE.get(case.id) or READ_BY[case.source])
    found = exchanges_of(case)
    taped = tuple(found[number] for number in PARTS.get(case.id, range(len(found))))
    return read_by(document, taped, lambda operation: operation.is_list, stopped=case.id in STOPPED)


def read_by(
    document: Mapping[str, Any], found: Sequence[Taped], meant: Callable[[Operation], bool], *, stopped: bool = False
) -> tuple[Reading, ...]:
    """These exchanges, read by every operation of a config that is meant, and made for the first of them.

    `stopped`: the recorded client left the listing before its end.
    """
    taped = tuple(_without_placeholders(each, document) for each in found)
    connector, account = _signed(document, taped[0].request)
    return tuple(
        _read(connector, account, operation, params, taped, stopped=stopped)
        for operation in connector.operations()
        if meant(operation) and (params := _params(connector, operation, taped[0].request)) is not None
    )


def _read(
    connector: Connector,
    account: Account,
    operation: Operation,
    params: Mapping[str, str],
    taped: tuple[Taped, ...],
    *,
    stopped: bool,
) -> Reading:
    expected = tuple(record for each in taped for record in records_on(each.response, operation))
    call = _call(connector, operation, params, taped[0].request, limit=len(expected) if stopped else None)
    exchanges = tuple(
        Exchange(f"{operation.id}/{number}", _matched(each.request, connector.auth), each.response, False, "")
        for number, each in enumerate(taped, 1)
    )
    lane = Lane(operation.id, "strict", call, exchanges, "")
    run = play(connector, operation, lane, account=account, models={}, clock=SystemClock())
    return Reading(connector, account, operation, lane, expected, run)


# The connector, on whose behalf.


@cache
def _document(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((CONFIGS / f"{name}.json").read_bytes())
    return document


def _signed(document: Mapping[str, Any], first: Request) -> tuple[Connector, Account]:
    """The connector, and an account with the credential that the recording kept.

    Some recorders leave the credential out of the request, some put a placeholder in its place: without one
    the config is read with "none", as nothing is left that a signature could be compared with.
    """
    connector = _connector(json.dumps(document))
    auth = connector.auth
    slot = first.headers if auth.place == "header" else tuple(_query(first.url))
    kept = next((value for name, value in slot if name == auth.name), None)
    if auth.type == "none" or kept is None:
        return _connector(json.dumps({**document, "auth": {"type": "none"}})), Account()
    place = auth.token_path or auth.key_path
    return connector, Account(credentials={str(place): kept.removeprefix(auth.prefix)})


@cache
def _connector(document: str) -> Connector:
    return parse(document.encode(), folder="corpus", allow_loopback=True)


# What a caller says, from the first request.


def _params(connector: Connector, operation: Operation, first: Request) -> dict[str, str] | None:
    """The path parameters, None where the operation has another method or path."""
    template = re.split(BRACES, connector.base_url + operation.path)
    pattern = "".join(f"(?P<{text}>[^/]+)" if number % 2 else re.escape(text) for number, text in enumerate(template))
    found = re.fullmatch(pattern, first.url.partition("?")[0]) if operation.method == first.method else None
    return {name: unquote(value) for name, value in found.groupdict().items()} if found else None


def _call(
    connector: Connector, operation: Operation, params: Mapping[str, str], first: Request, *, limit: int | None
) -> Call:
    paging = operation.pagination
    query, body = list(_query(first.url)), _body(first)
    size = None
    if paging is not None and paging.page_size_param is not None:
        place, name = paging.page_size_in, paging.page_size_param
        size = _number(_taken_out(body, name) if place == "body" else dict(query).get(name))
        query = [pair for pair in query if place != "query" or pair[0] != name]
    own = {name for name, _ in (*connector.query, *operation.query)}
    if connector.auth.type == "api_key" and connector.auth.place == "query":
        own.add(connector.auth.name)
    started = {"offset": paging.offset_param, "page": paging.page_param}.get(paging.type) if paging else None
    if paging is not None and started is not None and not paging.omit_first:
        own.add(started)
    return Call(params, size, limit, body, tuple(pair for pair in query if pair[0] not in own))


def _taken_out(body: JsonValue | Absent, path: str) -> JsonValue:
    """The value at a path of names in the body, which loses it."""
    *names, last = path.split(".")
    here: Any = body
    for name in names:
        here = here[name]
    return here.pop(last) if isinstance(here, dict) else None


def _number(value: JsonValue) -> int | None:
    return None if value is None else int(str(value))


def _query(url: str) -> Query:
    return tuple(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def _body(request: Request) -> JsonValue | Absent:
    """The value that the body was written from: JSON, or a form of which each name stands once."""
    if request.body is None:
        return ABSENT
    if "x-www-form-urlencoded" in (request.header("content-type") or ""):
        return dict(parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True))
    value: JsonValue = json.loads(request.body)
    return value


# What is recorded, as far as a config answers for it.

_PLACEHOLDER = re.compile(r"<([A-Z][A-Z_]*[A-Z])>")
_BARE = re.compile(rb"(?<=[:,\[])<[A-Z][A-Z_]*[A-Z]>(?=[,}\]])")


def _without_placeholders(taped: Taped, document: Mapping[str, Any]) -> Taped:
    """The exchange with what its recorder cut out made good, the same way everywhere.

    - `<NAME>` in a URL or a link header is the word NAME: < and > may not stand in a URL
    - `<NAME>` in place of a JSON number is 0
    - a host that was not recorded is the config's
    """
    request, response = taped.request, taped.response
    url = _PLACEHOLDER.sub(r"\1", request.url).replace(ORIGIN, document["base_url"], 1)
    headers = tuple((name, _PLACEHOLDER.sub(r"\1", v) if name == "link" else v) for name, v in response.headers)
    body = _BARE.sub(b"0", response.body)
    return replace(taped, request=replace(request, url=url), response=Response(response.status, headers, body))


def _matched(request: Request, auth: Auth) -> Request:
    """The request with the headers alone that a config answers for: the credential, and the type of a body."""
    names = {auth.name} if auth.type != "none" and auth.place == "header" else set()
    kept = [(name, value) for name, value in request.headers if name in names]
    if request.body is not None:
        kept.append(("content-type", request.header("content-type") or "application/json"))
    return replace(request, headers=tuple(kept))


def records_on(response: Response, operation: Operation) -> Iterator[JsonValue]:
    """The records of a recorded page, found without the engine: by the plain names of the path."""
    value = json.loads(response.body)
    for name in operation.response_path.text.split(".") if operation.response_path else ():
        value = value[name]
    assert isinstance(value, list) or not operation.is_list
    yield from value if operation.is_list else [value]
