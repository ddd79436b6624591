"""What a page names as the next position, where that may stand in several places."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from connproof.errors import ProviderBroke
from connproof.model import Lead, Leads
from connproof.places import ABSENT, Absent, JsonValue, Place

__all__ = ["lead"]


def lead(field: Place | Leads, document: JsonValue) -> JsonValue | Absent:
    """What stands at a place; of several, the first that is a text or a number. ABSENT where none has anything.

    Raises ProviderBroke where something stands at one of several, and no text or number comes of any: the page
    leads on, and stopping would lose what it leads to.
    """
    if isinstance(field, Place):
        return field.find(document)
    unusable: list[str] = []
    for one in field.alternatives:
        seen = one.path.find(document)
        if isinstance(seen, Absent) or seen is None or seen == "":
            continue
        value = seen if one.url_param is None else _parameter(one, seen)
        if isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
            return value
        what = f"{one.url_param} of " if one.url_param else ""
        unusable.append(f"{what}{one.path}: {type(seen).__name__}")
    if unusable:
        raise ProviderBroke(
            "the page names a next one, but not where the config looks for it",
            facts={"seen": "; ".join(unusable)},
            fix="add the place where a text or a number stands",
        )
    return ABSENT


def _parameter(one: Lead, url: JsonValue) -> str | None:
    if not isinstance(url, str):
        return None
    try:
        pairs = parse_qsl(urlsplit(url).query)
    except ValueError:  # no URL at all
        return None
    return next((value for name, value in pairs if name == one.url_param), None)
