"""A good connector with a listing of every kind, as data: where the animals of the zoo are let loose.

The provider is invented. Nothing of it is recorded: its listings are judged before a simulated provider alone.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

from projects import Description

__all__ = ["LISTINGS", "PARK"]


def _listing(pagination: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"method": "GET", "path": "/{name}", "response_path": "rows", "key": "id", "pagination": pagination, **more}


_OFFSET: Final = {"type": "offset", "offset_param": "skip", "page_size_param": "take", "default_page_size": 50}
_PAGE: Final = {"type": "page", "page_param": "page", "page_size_param": "per", "default_page_size": 50}
_CURSOR: Final = {"type": "cursor", "cursor_field": "paging.next", "cursor_param": "after"}
_NEXT: Final = {"type": "next_url", "next_url_field": "links.next", "page_size_param": "per", "default_page_size": 50}

_LISTINGS: Final[dict[str, dict[str, Any]]] = {
    "counted": _listing({**_OFFSET, "step": "returned"}),
    "striding": _listing({**_OFFSET, "step": "limit", "short_page": "continue", "max_page_size": 100}),
    "totalled": _listing({**_OFFSET, "step": "returned", "total_field": "total"}),
    "numbered": _listing(_PAGE),
    "flagged": _listing({**_PAGE, "stop_field": "more", "stop_when": False}),
    "named": _listing(_CURSOR),
    "led": _listing(_NEXT, query={"open": "true"}),
    "linked": _listing({"type": "link_header", "page_size_param": "per", "default_page_size": 50}),
    "keyed": _listing({"type": "keyset", "key_field": "id", "key_param": "above"}),
    "marked": _listing({"type": "cursor", "cursor_header": "X-Next-Place", "cursor_param": "after"}),
    "leaves": _listing(
        _CURSOR,
        path="/branches/{branch}/leaves",
        for_each={"operation": "numbered.list", "params": {"branch": "id"}},
    ),
    "stones": _listing(
        {**_OFFSET, "step": "returned"},
        response_path="Stones.Stone",
        items_may_be_missing=True,
        decode={"type": "xml", "force_list": ["Stones.Stone"]},
    ),
}

LISTINGS: Final = tuple(f"{name}.list" for name in _LISTINGS)

PARK: Final = Description(
    "park",
    MappingProxyType(
        {
            "connectors/park/connector.json": {
                "connector": "park",
                "base_url": "https://api.park.example/v1",
                "auth": {"type": "bearer", "token_path": "access_token"},
                "resources": {
                    name: {"list": {**said, "path": said["path"].replace("{name}", name)}}
                    for name, said in _LISTINGS.items()
                },
            },
            "connectors/park/accounts/example.json": {"credentials": {"access_token": "example-access-token"}},
        }
    ),
)
