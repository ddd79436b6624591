"""Our engine as an extraction candidate of the comparison kit: one connector config, one read, counted.

Run by the kit with the server's address and a pagination mode; `common` is the kit's own module.
"""

from __future__ import annotations

import json
import os
import sys

sys.path.insert(0, os.environ["CONNPROOF_BENCH_PEERS"])
import common  # type: ignore[import-not-found]  # the kit's module stands outside this project

from connproof import config, sync
from connproof.run import Call
from connproof.transport import HttpxTransport

PAGINATION = {
    "cursor": {"type": "cursor", "cursor_field": "paging.next.after", "page_size_param": "limit"},
    "offset": {"type": "offset", "offset_param": "offset", "page_size_param": "limit", "total_field": "total"},
    "page": {
        "type": "page",
        "page_param": "page",
        "page_size_param": "per_page",
        "total_field": "total_pages",
        "total_counts": "pages",
    },
    "link": {"type": "link_header", "page_size_param": "per_page"},
}


def document() -> bytes:
    """The connector: what the kit's peers do by hand, as data."""
    listing = {"method": "GET", "path": common.PATH[common.MODE], "key": "id"}
    if common.KEY[common.MODE]:
        listing["response_path"] = common.KEY[common.MODE]
    return json.dumps(
        {
            "base_url": common.BASE,
            "auth": {"type": "none"},
            "pagination": {**PAGINATION[common.MODE], "default_page_size": 100},
            "resources": {"contacts": {"list": listing}},
            "unified": {
                "crm.contact": {
                    "resource": "contacts",
                    "fields": {name: ".".join(path) for name, path in common.FIELDS.items()},
                }
            },
        }
    ).encode()


def main() -> None:
    connector = config.parse(document(), folder="bench", allow_loopback=True)
    transport = HttpxTransport(user_agent="connproof-bench", allow_loopback=True)
    common.drive(sync.read(connector, "contacts", call=Call(), transport=transport))


if __name__ == "__main__":
    main()
