"""One answer is the whole listing."""

from __future__ import annotations

from collections.abc import Iterable

from connproof.model import Pagination
from connproof.places import Absent, JsonValue, Place
from pytest_connproof.provider.places import Places, Served
from pytest_connproof.provider.slots import Said


def asked(paging: Pagination, said: Said, places: Places) -> int:  # noqa: ARG001 the halves share one signature
    return 0


def leads(
    paging: Pagination,  # noqa: ARG001 as above
    served: Served,  # noqa: ARG001 as above
    places: Places,  # noqa: ARG001 as above
) -> Iterable[tuple[Place | str, JsonValue | Absent]]:
    return ()
