"""Pages are counted: each is as long as is asked for, and stands where its number says."""

from __future__ import annotations

from collections.abc import Iterable

from connproof.model import Pagination
from connproof.places import Absent, JsonValue, Place
from pytest_connproof.provider.places import Places, Served, UnknownPlace
from pytest_connproof.provider.slots import Said


def asked(paging: Pagination, said: Said, places: Places) -> int:
    assert paging.page_param is not None, "the schema requires it"
    sent = said.find(paging.page_in, paging.page_param)
    if isinstance(sent, Absent):
        if paging.omit_first:
            return 0
        raise UnknownPlace(f"the parameter {paging.page_param} is missing")
    if not str(sent).isdecimal() or int(str(sent)) < paging.first_page:
        raise UnknownPlace(f"the parameter {paging.page_param} is no page")
    return (int(str(sent)) - paging.first_page) * places.size


def leads(paging: Pagination, served: Served, places: Places) -> Iterable[tuple[Place | str, JsonValue | Absent]]:
    if paging.page_field is not None:
        number = paging.first_page + served.start // served.size
        if "wrong_echo" in places.habits and served.start:
            places.fired("wrong_echo")
            number = paging.first_page
        yield paging.page_field, number
