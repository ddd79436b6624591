"""The server's half of each pagination strategy: which records a request asks for, and what its answer leads on with.

Each half reads requests and writes answers by the config's words, and shares nothing with the engine's own half.
To add one: write a file here with `asked` and `leads`, then list it in HALVES.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, Protocol, cast

from connproof.model import Pagination
from connproof.places import Absent, JsonValue, Place
from pytest_connproof.provider.halves import cursor, keyset, link_header, next_url, none, offset, page
from pytest_connproof.provider.places import Places, Served
from pytest_connproof.provider.slots import Said

__all__ = ["HALVES", "Half"]


class Half(Protocol):
    """What a strategy's server half offers."""

    def asked(self, paging: Pagination, said: Said, places: Places) -> int:
        """The index of the first record that a request asks for. Raises UnknownPlace."""

    def leads(
        self, paging: Pagination, served: Served, places: Places
    ) -> Iterable[tuple[Place | str, JsonValue | Absent]]:
        """What the answer says of the next page: at a place of its body, or in a header of that name."""


HALVES: Final[Mapping[str, Half]] = MappingProxyType(
    {
        name: cast("Half", module)
        for name, module in {
            "cursor": cursor,
            "offset": offset,
            "page": page,
            "link_header": link_header,
            "next_url": next_url,
            "keyset": keyset,
            "none": none,
        }.items()
    }
)
