"""Small connectors to certify, as data: each becomes a folder that the checks pass, for tests to break.

Nothing here was recorded: the traffic is invented for an invented provider, and says so. Snapshots are taken
by the product itself.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from connproof.errors import ConnproofError
from pytest_connproof.checks import CHECKS, Check, targets
from pytest_connproof.finding import Evidence, Finding, Inconclusive
from pytest_connproof.subject import Settings, Subject

AS_OF: Final = date(2026, 11, 23)
CHECK: Final[Mapping[str, Check]] = MappingProxyType({check.id: check for check in CHECKS})


@dataclass(frozen=True)
class Description:
    """What a project holds: documents by their path below the root."""

    name: str
    documents: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Project:
    """A connector folder with all that stands around it. The current folder is its root, so that paths are short."""

    root: Path
    name: str

    @property
    def file(self) -> Path:
        return Path("connectors") / self.name / "connector.json"

    def path(self, inside: str) -> Path:
        """A path below the connector's folder; one below the root where it starts with a slash."""
        return self.root / inside[1:] if inside.startswith("/") else self.root / self.file.parent / inside

    def read(self, inside: str) -> Any:
        return json.loads(self.path(inside).read_text())

    def write(self, inside: str, document: Any) -> None:
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(document if isinstance(document, str) else json.dumps(document, indent=2) + "\n")

    def edit(self, inside: str, old: str, new: str) -> None:
        """Replace a text that stands exactly once in a file."""
        text = self.path(inside).read_text()
        assert 1 == text.count(old), f"{old!r} stands {text.count(old)} times in {inside}"
        self.path(inside).write_text(text.replace(old, new))

    def change(self, inside: str, pointer: str, value: Any) -> None:
        """Set what a document says at a JSON pointer."""
        document = here = self.read(inside)
        *above, last = [step.replace("~1", "/") for step in pointer[1:].split("/")]
        for step in above:
            here = here[int(step) if isinstance(here, list) else step]
        here[int(last) if isinstance(here, list) else last] = value
        self.write(inside, document)

    def drop(self, inside: str, pointer: str) -> None:
        """Take out what a document says at a JSON pointer."""
        document = here = self.read(inside)
        *above, last = [step.replace("~1", "/") for step in pointer[1:].split("/")]
        for step in above:
            here = here[int(step) if isinstance(here, list) else step]
        del here[int(last) if isinstance(here, list) else last]
        self.write(inside, document)

    def waive(
        self, path: str, kind: str, *, lane: str = "*", expires: str = "2027-01-01", reason: str = "meant to be so"
    ) -> None:
        """Write deviations.json with this one waiver."""
        waiver = {"lane": lane, "path": path, "kind": kind, "reason": reason, "owner": "deals team"}
        document = {"format": "connproof-deviations/1", "deviations": [{**waiver, "expires": expires}]}
        self.write("deviations.json", document)

    def exchanges(self, lane: int = 0) -> list[dict[str, Any]]:
        """The exchanges of a lane of deals.json, to be changed and written back with `record`."""
        found: list[dict[str, Any]] = self.read("recordings/deals.json")["lanes"][lane]["exchanges"]
        return found

    def record(self, exchanges: list[dict[str, Any]], lane: int = 0) -> None:
        self.change("recordings/deals.json", f"/lanes/{lane}/exchanges", exchanges)

    def subject(self, **settings: Any) -> Subject:
        return Subject(self.file, Settings(**{"as_of": AS_OF, **settings}))

    def judge(self, check: str, target: str = "", **settings: Any) -> Evidence:
        """What one check says of the project as it now stands: evidence, or what it raises."""
        return CHECK[check].judge(self.subject(**settings), target)

    def fallen(self, **settings: Any) -> dict[str, str]:
        """Every check that does not pass, and what it is instead: what a whole run of the project would say."""
        subject = self.subject(**settings)
        fallen: dict[str, str] = {}
        for check in CHECKS:
            for target in targets(check, subject):
                outcome = _outcome(check, subject, target)
                if outcome != "passed" and fallen.get(check.id) != "refuted":
                    fallen[check.id] = outcome
        return fallen


def _outcome(check: Check, subject: Subject, target: str) -> str:
    try:
        evidence = check.judge(subject, target)
    except Finding:
        return "refuted"
    except Inconclusive:
        return "inconclusive"
    except ConnproofError:
        return "error"
    return "passed" if any(count > 0 for count in evidence.values()) else "inconclusive"


def build(description: Description, root: Path) -> Project:
    """Write the documents; let the product take the snapshots."""
    project = Project(root, description.name)
    for path, document in description.documents.items():
        project.write(f"/{path}", document)
    return project


def take_snapshots(project: Project) -> None:
    subject = project.subject(update_snapshots=True)
    for target in targets(CHECK["PAR-001"], subject):
        with suppress(Inconclusive):  # a snapshot that was just taken proves nothing yet
            CHECK["PAR-001"].judge(subject, target)


# A provider of deals: a cursor over three pages, a bearer token, a version header, a unified model.


def _deal(number: int, **properties: Any) -> dict[str, Any]:
    return {
        "id": str(number),
        "properties": {"dealname": f"Deal {number}", "amount": 1.5, "stage": "open", "owner": "7", **properties},
        "updatedAt": f"2026-10-{number % 100:02}T08:00:00Z",
    }


def _exchange(name: str, request: dict[str, Any], body: Any, status: int = 200) -> dict[str, Any]:
    response = {"status": status, "headers": [["content-type", "application/json"]], "json": body}
    return {"id": name, "request": request, "response": response}


def _asked(path: str, *query: list[str]) -> dict[str, Any]:
    return {
        "method": "GET",
        "url": f"https://api.deals.example/v1/{path}",
        **({"query": list(query)} if query else {}),
        "headers": [
            ["x-feature", "deals-2"],
            ["x-api-version", "2026-07"],
            ["authorization", "Bearer {{secret:access_token#1}}"],
        ],
    }


PROVENANCE: Final = MappingProxyType(
    {
        "kind": "documented",
        "written_at": "2026-11-01",
        "source": "invented for the tests",
        "api_version": "2026-07",
    }
)

DEALS: Final = Description(
    "deals",
    MappingProxyType(
        {
            "connectors/deals/connector.json": {
                "connector": "deals",
                "base_url": "https://api.deals.example/v1",
                "api_version": {"value": "2026-07", "in": "header", "name": "x-api-version"},
                "headers": {"x-feature": "deals-2"},
                "auth": {"type": "bearer", "token_path": "access_token"},
                "resources": {
                    "deals": {
                        "list": {
                            "method": "GET",
                            "path": "/deals",
                            "response_path": "results",
                            "key": "id",
                            "pagination": {
                                "type": "cursor",
                                "cursor_field": "paging.next.after",
                                "page_size_param": "limit",
                                "default_page_size": 2,
                            },
                        },
                        "get": {"method": "GET", "path": "/deals/{id}", "key": "id"},
                    }
                },
                "unified": {
                    "crm.deal": {
                        "resource": "deals",
                        "fields": {
                            "id": "id",
                            "name": "properties.dealname",
                            "amount": "properties.amount",
                            "stage": "properties.stage",
                            "owner_id": "properties.owner",
                            "updated_at": "updatedAt",
                        },
                    }
                },
            },
            "connectors/unified/crm/deal.schema.json": {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "title": "Deal",
                "x-key": "id",
                "type": "object",
                "properties": {
                    "id": {"type": "string"},
                    "name": {"type": ["string", "null"]},
                    "amount": {"type": ["number", "string", "null"]},
                    "stage": {"type": ["string", "null"]},
                    "owner_id": {"type": ["string", "null"]},
                    "updated_at": {"type": ["string", "null"]},
                },
                "required": ["id"],
                "additionalProperties": False,
            },
            "connectors/deals/accounts/example.json": {
                "name": "example",
                "credentials": {
                    "access_token": "example-access-token",
                    "refresh_token": "example-refresh-token",
                },
            },
            "connectors/deals/recordings/deals.json": {
                "format": "connproof-recording/1",
                "provenance": dict(PROVENANCE),
                "lanes": [
                    {
                        "id": "deals.list",
                        "order": "strict",
                        "exchanges": [
                            _exchange(
                                "deals.list/1",
                                _asked("deals", ["limit", "2"]),
                                {
                                    "results": [_deal(101), _deal(102, amount=20)],
                                    "paging": {"next": {"after": "c2"}},
                                },
                            ),
                            _exchange(
                                "deals.list/2",
                                _asked("deals", ["limit", "2"], ["after", "c2"]),
                                {
                                    "results": [_deal(103, stage="won"), _deal(104, owner=None)],
                                    "paging": {"next": {"after": "c3"}},
                                },
                            ),
                            _exchange(
                                "deals.list/3",
                                _asked("deals", ["limit", "2"], ["after", "c3"]),
                                {"results": [_deal(105)]},
                            ),
                        ],
                    },
                    {
                        "id": "deals.list#throttled",
                        "order": "strict",
                        "exchanges": [
                            _exchange("throttled/1", _asked("deals", ["limit", "2"]), {"error": "slow down"}, 429)
                        ],
                    },
                    {
                        "id": "deals.get",
                        "order": "strict",
                        "call": {"params": {"id": "101"}},
                        "exchanges": [_exchange("deals.get/1", _asked("deals/101"), _deal(101))],
                    },
                ],
            },
        }
    ),
)


# The same provider of deals, whose access tokens end: what its connector says then, and a refresh in its traffic.

RENEWED_AUTH: Final = MappingProxyType(
    {
        "type": "oauth2",
        "token_path": "access_token",
        "token": {"url": "https://id.deals.example/oauth/token", "client_auth": "body"},
        "rotation": "strict",
    }
)
RENEWED_CREDENTIALS: Final = MappingProxyType(
    {
        "access_token": "example-access-token",
        "refresh_token": "example-refresh-token",
        "client_id": "example-client",
        "client_secret": "example-client-secret",
    }
)


def token_exchange(
    name: str,
    answer: dict[str, Any] | None = None,
    status: int = 200,
    form: list[list[str]] | None = None,
    headers: list[list[str]] | None = None,
) -> dict[str, Any]:
    """A refresh, as RENEWED_AUTH has it; by default a new pair is granted."""
    granted = {
        "access_token": "{{secret:access_token#2}}",
        "refresh_token": "{{secret:refresh_token#2}}",
        "expires_in": 3600,
    }
    client = [["client_id", "{{secret:client_id#1}}"], ["client_secret", "{{secret:client_secret#1}}"]]
    request = {
        "method": "POST",
        "url": "https://id.deals.example/oauth/token",
        "headers": [["content-type", "application/x-www-form-urlencoded"], *(headers or [])],
        "form": [["grant_type", "refresh_token"], ["refresh_token", "{{secret:refresh_token#1}}"], *(form or client)],
    }
    return _exchange(name, request, granted if answer is None else answer, status)


def renewed_exchanges(
    *, token: dict[str, Any] | None = None, at: int = 0, refused: bool = True
) -> list[dict[str, Any]]:
    """The three pages of deals.list; before page `at` (from 0) the access token is refused, or ends, and is renewed."""
    (lane, *_) = DEALS.documents["connectors/deals/recordings/deals.json"]["lanes"]
    pages = copy.deepcopy(lane["exchanges"])  # whoever changes what is given changes no other project
    old, new = "{{secret:access_token#1}}", "{{secret:access_token#2}}"
    said = _exchange("refused", pages[at]["request"], {"error": "token expired"}, 401)
    after = [json.loads(json.dumps(page).replace(old, new)) for page in pages[at:]]
    return [*pages[:at], *([said] if refused else []), token or token_exchange("token"), *after]


def renew(project: Project, exchanges: list[dict[str, Any]] | None = None, lane: str = "deals.list#renewed") -> None:
    """Make a project of deals one whose access tokens end, with one more lane in a file of its own."""
    project.change("connector.json", "/auth", dict(RENEWED_AUTH))
    project.change("accounts/example.json", "/credentials", dict(RENEWED_CREDENTIALS))
    said = renewed_exchanges() if exchanges is None else exchanges
    numbered = [{**one, "id": f"{lane}/{number}"} for number, one in enumerate(said, 1)]
    lanes = [{"id": lane, "order": "strict", "exchanges": numbered}]
    recording = {"format": "connproof-recording/1", "provenance": dict(PROVENANCE), "lanes": lanes}
    project.write("recordings/tokens.json", recording)


# A search: the cursor in a POSTed body, an API key in the query, records as the provider gives them.


def _searched(**body: Any) -> dict[str, Any]:
    return {
        "method": "POST",
        "url": "https://search.example/query",
        "query": [["key", "{{secret:api_key#1}}"]],
        "headers": [["content-type", "application/json"]],
        "json": {"filter": {"open": True}, **body},
    }


FINDER: Final = Description(
    "finder",
    MappingProxyType(
        {
            "connectors/finder/connector.json": {
                "connector": "finder",
                "base_url": "https://search.example",
                "auth": {"type": "api_key", "in": "query", "name": "key"},
                "resources": {
                    "hits": {
                        "search": {
                            "method": "POST",
                            "path": "/query",
                            "body": {"filter": {"open": True}},
                            "response_path": "hits",
                            "key": "id",
                            "pagination": {
                                "type": "cursor",
                                "cursor_field": "next_page",
                                "cursor_param": "page.token",
                                "cursor_in": "body",
                            },
                        }
                    }
                },
            },
            "connectors/finder/accounts/example.json": {"credentials": {"api_key": "example-api-key"}},
            "connectors/finder/recordings/hits.json": {
                "format": "connproof-recording/1",
                "provenance": {"kind": "documented", "written_at": "2026-11-01", "source": "invented for the tests"},
                "lanes": [
                    {
                        "id": "hits.search",
                        "order": "strict",
                        "exchanges": [
                            _exchange(
                                "hits.search/1",
                                _searched(),
                                {
                                    "hits": [{"id": 1, "title": "First hit"}, {"id": 2, "title": "Second hit"}],
                                    "next_page": "p2",
                                },
                            ),
                            _exchange(
                                "hits.search/2",
                                _searched(page={"token": "p2"}),
                                {"hits": [{"id": 3, "title": "Third hit"}], "next_page": None},
                            ),
                        ],
                    }
                ],
            },
        }
    ),
)


# A provider of orders: a throttle that is a 403 and one that is a 429, quotas in headers of its own, errors inside a
# 200, batches whose elements fail one by one, and an account with fields of its own.


def _order(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"o{number}", "title": f"Order {number}", "total": 12.5, "region": f"north {number}", **more}


def _quota(left: int, *more: list[str]) -> list[list[str]]:
    return [
        ["content-type", "application/json"],
        ["date", "Sun, 01 Nov 2026 10:00:00 GMT"],
        ["x-quota-left", str(left)],
        ["x-quota-limit", "50"],
        ["x-quota-reset", "1793527230"],
        *more,
    ]


def _ordered(
    name: str, path: str, body: Any, *query: list[str], status: int = 200, left: int = 40, **more: Any
) -> dict[str, Any]:
    """`more`: the request's method, the JSON that is sent, and the answer's headers besides its quota."""
    sent = {"json": more["sent"]} if "sent" in more else {}
    kind = [["content-type", "application/json"]] if sent else []
    request = {
        "method": more.get("method", "GET"),
        "url": f"https://api.orders.example/v2/{path}",
        **({"query": list(query)} if query else {}),
        "headers": [*kind, ["x-key", "{{secret:api_key#1}}"]],
        **sent,
    }
    headers = _quota(left, *more.get("headers", []))
    return {"id": name, "request": request, "response": {"status": status, "headers": headers, "json": body}}


def _failed(code: str, text: str, **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "text": text, **more}}


def _lane(name: str, *exchanges: dict[str, Any], **call: Any) -> dict[str, Any]:
    said = {"call": call} if call else {}
    return {"id": name, "order": "strict", **said, "exchanges": list(exchanges)}


_FIRST: Final = _ordered(
    "orders.list/1", "orders", {"orders": [_order(1), _order(2)], "next": "n2"}, headers=[["retry-after", "0"]]
)

ORDERS: Final = Description(
    "orders",
    MappingProxyType(
        {
            "connectors/orders/connector.json": {
                "connector": "orders",
                "base_url": "https://api.orders.example/v2",
                "auth": {"type": "api_key", "in": "header", "name": "x-key", "key_path": "api_key"},
                "error_code": "error.code",
                "error_message": "error.text",
                "errors": [{"when": {"status": 200, "body": {"error.code": "locked"}}, "means": "forbidden"}],
                "rate_limit": {
                    "throttled": [
                        {
                            "when": {"status": 403, "body": {"error.code": "too_fast"}},
                            "wait": [{"body": "error.retry_ms", "unit": "delta_ms"}],
                        }
                    ],
                    "wait": [{"header": "x-wait", "unit": "duration"}],
                    "budgets": [
                        {
                            "name": "minute",
                            "limit": {"header": "x-quota-limit"},
                            "remaining": {"header": "x-quota-left"},
                            "reset": {"header": "x-quota-reset", "unit": "epoch_s"},
                        }
                    ],
                },
                "resources": {
                    "orders": {
                        "list": {
                            "method": "GET",
                            "path": "/orders",
                            "response_path": "orders",
                            "key": "id",
                            "pagination": {"type": "cursor", "cursor_field": "next", "cursor_param": "from"},
                        },
                        "get": {"method": "GET", "path": "/orders/{id}", "key": "id"},
                    },
                    "imports": {
                        "create": {
                            "method": "POST",
                            "path": "/imports",
                            "batch": {"at": "orders", "max": 3},
                            "elements": {
                                "at": "results",
                                "failed": {"done": False},
                                "id": "id",
                                "code": "why.code",
                            },
                        }
                    },
                },
                "unified": {
                    "sales.order": {
                        "resource": "orders",
                        "fields": {"id": "id", "title": "title", "total": "total"},
                    }
                },
            },
            "connectors/unified/sales/order.schema.json": {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "title": "Order",
                "x-key": "id",
                "type": "object",
                "properties": {
                    "id": {"type": "string"},
                    "title": {"type": ["string", "null"]},
                    "total": {"type": ["number", "null"]},
                    "custom_fields": {"type": ["object", "null"], "additionalProperties": True},
                },
                "required": ["id"],
                "additionalProperties": False,
            },
            "connectors/orders/accounts/example.json": {"credentials": {"api_key": "example-api-key"}},
            "connectors/orders/accounts/north.json": {
                "credentials": {"api_key": "northern-api-key"},
                "overrides": {"unified": {"sales.order": {"fields": {"title": "$uppercase(title)"}}}},
            },
            "connectors/orders/recordings/orders.json": {
                "format": "connproof-recording/1",
                "provenance": {"kind": "documented", "written_at": "2026-11-01", "source": "invented for the tests"},
                "lanes": [
                    _lane(
                        "orders.list",
                        _FIRST,
                        _ordered(
                            "orders.list/2",
                            "orders",
                            {"orders": [_order(3), _order(4)], "next": "n3"},
                            ["from", "n2"],
                            left=39,
                        ),
                        _ordered("orders.list/3", "orders", {"orders": [_order(5)]}, ["from", "n3"], left=38),
                    ),
                    _lane(
                        "orders.list#too-fast",
                        {**_FIRST, "id": "too-fast/1"},
                        _ordered(
                            "too-fast/2",
                            "orders",
                            _failed("too_fast", "wait a little", retry_ms=1500),
                            ["from", "n2"],
                            status=403,
                            left=0,
                        ),
                    ),
                    _lane(
                        "orders.list#throttled",
                        _ordered(
                            "throttled/1",
                            "orders",
                            _failed("quota", "wait more"),
                            status=429,
                            left=0,
                            headers=[["x-wait", "1m30s"]],
                        ),
                    ),
                    _lane("orders.get", _ordered("orders.get/1", "orders/o1", _order(1)), params={"id": "o1"}),
                    _lane(
                        "orders.get#forbidden",
                        _ordered("forbidden/1", "orders/o7", _failed("not_yours", "another's"), status=403),
                        params={"id": "o7"},
                    ),
                    _lane(
                        "orders.get#locked",
                        _ordered("locked/1", "orders/o8", _failed("locked", "somebody edits it")),
                        params={"id": "o8"},
                    ),
                    _lane(
                        "imports.create",
                        _ordered(
                            "imports.create/1",
                            "imports",
                            {
                                "results": [
                                    {"id": "o9", "done": True, "status": 201},
                                    {"done": False, "status": 409, "why": {"code": "TWICE"}},
                                ]
                            },
                            method="POST",
                            sent={"orders": [{"title": "Order 9"}, {"title": "Order 1"}]},
                        ),
                        record=[{"title": "Order 9"}, {"title": "Order 1"}],
                    ),
                ],
            },
        }
    ),
)
