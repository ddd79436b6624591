"""A cursor is named in the answer, and asked for where the config sends it."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode

from connproof.model import Lead, Leads, Pagination
from connproof.places import ABSENT, Absent, JsonValue, Place
from pytest_connproof.provider.places import Places, Served, UnknownPlace
from pytest_connproof.provider.slots import Said


def asked(paging: Pagination, said: Said, places: Places) -> int:
    assert paging.cursor_param is not None, "config gives every cursor its parameter"
    sent = said.find(paging.cursor_in, paging.cursor_param)
    first = paging.first_cursor
    if not isinstance(first, Absent) and not paging.omit_first:
        if isinstance(sent, Absent):
            raise UnknownPlace("the first page is asked for without its cursor")
        if str(sent) == str(first):
            return 0
    if isinstance(sent, Absent) or sent is None:
        if paging.seed is not None:
            raise UnknownPlace("the first page is asked for without the cursor that another operation gives")
        return 0
    return places.at(sent)


def leads(paging: Pagination, served: Served, places: Places) -> Iterable[tuple[Place | str, JsonValue | Absent]]:
    name = places.cursor(served)
    if paging.cursor_header is not None:
        yield paging.cursor_header, ABSENT if name in {ABSENT, None, ""} else str(name)
    elif isinstance(paging.cursor_field, Place):
        yield paging.cursor_field, name
    elif isinstance(paging.cursor_field, Leads):
        alternatives = paging.cursor_field.alternatives
        # That nothing follows is said where all the places are: one inside another would still be something.
        outermost = min(alternatives, key=lambda one: len(one.path.steps))
        lead = outermost if served.leads_to is None else alternatives[0]
        yield lead.path, _written(lead, name)


def _written(lead: Lead, name: JsonValue | Absent) -> JsonValue | Absent:
    if lead.url_param is None or name in {ABSENT, None, ""}:
        return name
    return f"https://example.invalid/?{urlencode({lead.url_param: str(name)})}"
