"""What the tests of `connproof new` answer it: every kind of auth and of paging, a page, a model; and what it wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from shop import Command

__all__ = ["AUTHS", "CONTACT", "LISTED", "NAMED", "PAGE", "PAGINATIONS", "WHOLE", "Command", "config", "save", "there"]

NAMED: Final = ("new", "shop", "--base-url", "https://api.shop.example/v1")
LISTED: Final = ("--resource", "deals", "--path", "/deals", "--response-path", "data", "--key", "id")
WHOLE: Final = (*NAMED, "--auth", "bearer", *LISTED, "--pagination", "none")
AUTHS: Final = {
    "none": (),
    "api_key": ("--key-in", "header", "--key-name", "X-Api-Key"),
    "basic": ("--username", "{email}/token", "--password", "{api_token}"),
    "bearer": ("--prefix", "Token "),
    "oauth2": ("--token-url", "https://id.shop.example/token", "--client-auth", "body", "--scope", "deals.read"),
    "oauth1": ("--realm", "shop"),
    "ws_security": (),
    "session": (
        *("--session-header", "X-Session", "--login-url", "https://{region}.shop.example/login"),
        *("--login-params", "username, password", "--login-token", "session.id"),
    ),
}
PAGINATIONS: Final = {
    "none": (),
    "cursor": ("--cursor-field", "paging.next.after"),
    "offset": ("--offset-param", "start", "--page-size-param", "limit", "--page-size", "50"),
    "page": ("--page-param", "page", "--first-page", "0"),
    "link_header": ("--page-size-param", "per_page", "--page-size", "100"),
    "next_url": ("--next-url-field", '["@odata.nextLink"]'),
    "keyset": ("--keyset-param", "starting_after"),
}
PAGE: Final = {
    "data": [
        {"id": 17, "name": "Ada", "createdAt": "2026-01-01T00:00:00Z", "owner_id": 4, "secret": "canary-6b1f"},
        {"id": 18, "name": None, "createdAt": "2026-01-02T00:00:00Z", "owner_id": None, "secret": "canary-6b1f"},
    ],
    "paging": {"next": {"after": "18"}},
}
CONTACT: Final[dict[str, Any]] = {
    "x-key": "id",
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "name": {"type": ["string", "null"]},
        "email": {"type": ["string", "null"]},
        "created_at": {"type": ["string", "null"]},
        "owner_id": {"type": ["string", "null"]},
        "secret": {"type": "number"},
    },
    "required": ["id"],
    "additionalProperties": False,
}


def save(path: str, document: Any) -> str:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return path


def config(name: str = "shop") -> Any:
    return json.loads(Path(f"connectors/{name}/connector.json").read_bytes())


def there(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))
