"""Records are counted: the offset is how many stand before the page."""

from __future__ import annotations

from collections.abc import Iterable

from connproof.model import Pagination
from connproof.places import Absent, JsonValue, Place
from pytest_connproof.provider.places import Places, Served, UnknownPlace
from pytest_connproof.provider.slots import Said


def asked(paging: Pagination, said: Said, places: Places) -> int:  # noqa: ARG001 the halves share one signature
    assert paging.offset_param is not None, "the schema requires it"
    sent = said.find(paging.offset_in, paging.offset_param)
    if isinstance(sent, Absent):
        if paging.omit_first:
            return 0
        raise UnknownPlace(f"the parameter {paging.offset_param} is missing")
    if not str(sent).isdecimal() or int(str(sent)) < paging.first_offset:
        raise UnknownPlace(f"the parameter {paging.offset_param} is no offset")
    return int(str(sent)) - paging.first_offset


def leads(
    paging: Pagination,
    served: Served,
    places: Places,  # noqa: ARG001 as above
) -> Iterable[tuple[Place | str, JsonValue | Absent]]:
    if paging.step_field is not None:
        yield paging.step_field, served.stop - served.start
