"""Real pages of real listings, read by the providers' configs: their records, and whether they say that there is more.

What is expected is found without the engine, by the plain names that the provider documents.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

import providers
from answers import Answered, answers, elements, members
from connproof.config import BRACES
from connproof.events import PageRead
from connproof.model import Connector, Operation
from connproof.places import JsonValue
from connproof.run import Call
from listings import ABSENT, CORPUS
from providers import loaded
from scripted import scripted

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=ABSENT)


@dataclass(frozen=True, slots=True)
class Source:
    """A source, the config that reads it, how its pages hold records, whether more follow, how many there are.

    `pages` is how many the corpus had when this was written: it may get more.
    """

    name: str
    provider: str
    records: Callable[[JsonValue], list[JsonValue]]
    more: Callable[[Answered], bool]
    pages: int


def _at(*names: str) -> Callable[[JsonValue], list[JsonValue]]:
    """The list under these names, one inside the other."""

    def found(document: JsonValue) -> list[JsonValue]:
        for name in names:
            document = members(document).get(name)
        return elements(document)

    return found


def _says(name: str) -> Callable[[Answered], bool]:
    return lambda answered: bool(members(answered.document).get(name))


def _inside(outer: str, name: str) -> Callable[[Answered], bool]:
    return lambda answered: bool(members(members(answered.document).get(outer)).get(name))


def _contacts_or_tenants(document: JsonValue) -> list[JsonValue]:
    return elements(document) or _at("Contacts")(document)


def _pages_left(answered: Answered) -> bool:
    counts = members(members(answered.document).get("pagination"))
    page, count = counts.get("page"), counts.get("pageCount")
    if not isinstance(page, int) or not isinstance(count, int):
        return bool(members(answered.document).get("Contacts"))  # an unpaged answer says nothing of an end
    return page < count and page == 1


def _links_on(answered: Answered) -> bool:
    return 'rel="next"' in (answered.response.header("link") or "")


SOURCES = [
    Source("github/github3.py", "github", elements, _links_on, 1),
    Source("github/octokit-fixtures", "github", elements, _links_on, 2),
    Source("google/nango-google-drive", "google", _at("files"), _says("nextPageToken"), 70),
    Source("greenhouse/greenhouse_io", "greenhouse-v1", elements, _links_on, 3),
    Source("hubspot/nango-hubspot", "hubspot", _at("results"), _inside("paging", "next"), 1),
    Source("microsoft-graph/nango-microsoft", "microsoft-graph", _at("value"), _says("@odata.nextLink"), 3),
    Source("notion/notion-ruby-client", "notion", _at("results"), _says("has_more"), 6),
    Source(
        "salesforce/nango-salesforce",
        "salesforce",
        _at("records"),
        lambda answered: members(answered.document).get("done") is False,
        6,
    ),
    Source("xero/nango-xero", "xero", _contacts_or_tenants, _pages_left, 3),
    Source("zoho/nango-zoho-crm", "zoho", _at("data"), _inside("info", "more_records"), 1),
]


def _listings(source: Source) -> Iterator[tuple[Answered, Operation, dict[str, str]]]:
    """Every recorded page with the operation that asks for it, and its parameters."""
    connector = loaded(source.provider)
    for answered in answers(source.name):
        if not 200 <= answered.response.status < 300 or (answered.response.status == 204):
            continue
        for operation in connector.operations():
            params = _params(connector, operation, answered)
            if params is not None and operation.is_list and operation.for_each is None:
                yield answered, operation, params
                break


def _params(connector: Connector, operation: Operation, answered: Answered) -> dict[str, str] | None:
    base = connector.base_url.partition("://")[2] or connector.base_url  # a variable may be the whole origin
    parts = re.split(BRACES, base.partition("/")[2] + operation.path)
    named = {text for text in parts[1::2] if text != "api_version" and text not in connector.variables}
    pattern = "/?" + "".join(
        (f"(?P<{text}>[^/]+)" if text in named else "[^/]+") if number % 2 else re.escape(text)
        for number, text in enumerate(parts)
    )
    found = re.fullmatch(pattern, urlsplit(answered.request.url).path)
    if found is None or operation.method != answered.request.method:
        return None
    return found.groupdict()


async def _first(
    source: Source, answered: Answered, operation: Operation, params: dict[str, str]
) -> tuple[list[JsonValue], bool]:
    """The records of the page, and whether the engine would ask for another."""
    provider = scripted(answered.response)
    engine = providers.engine(loaded(source.provider), provider)
    pages = engine.pages(operation.resource, operation.name, Call(raw=True, params=params))
    page = await anext(pages)
    await pages.aclose()  # type: ignore[attr-defined] # an async generator has it
    (read,) = [event for event in provider.events if isinstance(event, PageRead)]
    return list(page.records), read.next is not None


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_a_recorded_page_is_read_as_its_provider_means_it(source: Source) -> None:
    """All records, each with its key; and the end is where the provider says so, nowhere else."""
    found = list(_listings(source))
    for answered, operation, params in found:
        records, goes_on = asyncio.run(_first(source, answered, operation, params))

        assert source.records(answered.document) == records, answered.id
        assert source.more(answered) is goes_on, answered.id
        assert operation.key is not None
        assert all(operation.key.find(record) is not None for record in records), answered.id
    assert len(found) >= source.pages
