"""The next page's URL stands in a Link header (RFC 8288), beside others."""

from __future__ import annotations

from collections.abc import Iterable

from connproof.model import Pagination
from connproof.places import Absent, JsonValue, Place
from pytest_connproof.provider.places import Places, Served
from pytest_connproof.provider.slots import Said


def asked(paging: Pagination, said: Said, places: Places) -> int:  # noqa: ARG001 the halves share one signature
    return places.followed(said) or 0


def leads(paging: Pagination, served: Served, places: Places) -> Iterable[tuple[Place | str, JsonValue | Absent]]:
    url = places.link(served)
    links = []
    if not isinstance(url, Absent) and url:
        links.append(f'<{url}>; rel="{paging.rel}"')
    if "decoys" in places.habits:
        places.fired("decoys")
        links.insert(0, '<https://docs.example.invalid/a,b;c>; rel="deprecation"; title="a, <b>; rel=\\"next\\""')
        links.insert(0, '</help>; title="c, <https://docs.example.invalid/d>; rel=next"; rel=help')
        links.append('<?first=1,2>; rel="first prev"')
    if "lines" in places.habits:
        places.fired("lines")
        for link in links:
            yield paging.header, link.replace("; ", ";").replace('"', "") if "title" not in link else link
    elif links:
        yield paging.header, ", ".join(links)
