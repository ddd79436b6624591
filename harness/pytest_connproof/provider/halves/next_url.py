"""The next page's URL stands in the body."""

from __future__ import annotations

from collections.abc import Iterable

from connproof.model import Leads, Pagination
from connproof.places import Absent, JsonValue, Place
from pytest_connproof.provider.places import Places, Served
from pytest_connproof.provider.slots import Said


def asked(paging: Pagination, said: Said, places: Places) -> int:  # noqa: ARG001 the halves share one signature
    return places.followed(said) or 0


def leads(paging: Pagination, served: Served, places: Places) -> Iterable[tuple[Place | str, JsonValue | Absent]]:
    assert paging.next_url_field is not None, "the schema requires it"
    field = paging.next_url_field
    place = field.alternatives[0].path if isinstance(field, Leads) else field
    url: JsonValue | Absent = places.link(served)
    if served.leads_to is None and "null_end" in places.habits:
        places.fired("null_end")
        url = None
    yield place, url
