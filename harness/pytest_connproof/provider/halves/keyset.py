"""A record's key is sent back; the page goes on after the record that has it.

Where pages go backwards, the rows of `places` do: what stands before a record in the listing comes after it there.
"""

from __future__ import annotations

from collections.abc import Iterable

from connproof.model import Pagination
from connproof.places import Absent, JsonValue, Place
from pytest_connproof.provider.places import Places, Served, UnknownPlace
from pytest_connproof.provider.slots import Said


def asked(paging: Pagination, said: Said, places: Places) -> int:
    assert paging.key_param is not None, "the schema requires it"
    assert paging.key_field is not None, "the schema requires it"
    sent = said.find(paging.key_in, paging.key_param)
    if isinstance(sent, Absent):
        return 0
    for index, held in enumerate(places.rows):
        if str(paging.key_field.find(held.record)) == str(sent):
            return index + 1
    raise UnknownPlace("no record has this key")


def leads(
    paging: Pagination,  # noqa: ARG001 the halves share one signature
    served: Served,  # noqa: ARG001 as above
    places: Places,  # noqa: ARG001 as above
) -> Iterable[tuple[Place | str, JsonValue | Absent]]:
    return ()
