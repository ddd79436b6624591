"""Which wrong words of a config are told, and by what: a table of mistakes, each made in a connector that is right.

Three of the connectors are those of the repository. Three are invented, for the strategies that those do not have;
their traffic is invented too, and says so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from projects import Description

__all__ = ["DOES_NOT_APPLY", "INVENTED", "LISTING", "REASONS", "ROWS", "WORDS", "Row", "told"]

WORDS: Final = (
    "cursor path",
    "cursor parameter",
    "stop flag",
    "its polarity",
    "first index",
    "page-size parameter",
    "step",
    "rate-limit unit",
    "throttle matcher",
    "error rule",
    "response path",
    "key",
)

REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "parameter": "a simulated provider speaks the config's own dialect: a name that is wrong is right to it, "
        "and contracts hold answers alone",
        "header": "contracts hold bodies: what stands in a header, and under which name, an answer alone shows",
        "polarity": "the contract says that a boolean stands there, not which one stands on the last page",
        "index": "one that counts from 0 and one that counts from 1 answer alike, each to its own numbers",
        "step": "nothing is said of short pages: both steps are right to some provider; provider_facts would decide",
        "unit": "any number can be seconds, milliseconds or a moment; one that was sent may be too large for it",
        "error": "contracts hold what success looks like, and a simulated error is made of the config's words",
    }
)


@dataclass(frozen=True, slots=True)
class Row:
    """One mistake: a word of a connector's config that says something else than is right.

    `recorded` is a check that tells with recordings, by a finding, or by a doubt if `doubts`. `bare` is one that tells
    without them, or `why` (a word of REASONS) none can. `unsaid` are pointers that are left out before.
    """

    word: str
    connector: str
    pointer: str
    wrong: Any
    recorded: str
    bare: str = ""
    why: str = ""
    doubts: bool = False
    unsaid: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return f"{self.word.replace(' ', '-')}-{self.connector}"

    @property
    def shown(self) -> str:
        """The mistake as a config has it."""
        name = self.pointer.rpartition("/")[2]
        if name == "unit":
            name = f"unit of {self.pointer.removesuffix('/unit').replace('/0', '').rpartition('/')[2]}"
        return f"{name}: {json.dumps(self.wrong)}" + (", provider_facts unsaid" if self.unsaid else "")


LISTING: Final[Mapping[str, str]] = MappingProxyType(
    {
        "github": "issues.list",
        "hubspot": "contacts.list",
        "salesforce": "contacts.list",
        "parts": "parts.list",
        "shelves": "shelves.list",
        "events": "events.list",
    }
)
"""The listing in which the mistakes of a connector are made."""

_LIST: Final = {name: "/resources/" + listing.replace(".", "/") for name, listing in LISTING.items()}
_LIMITS: Final = "/rate_limit/budgets/0"
_THROTTLED: Final = "/rate_limit/throttled"

ROWS: Final[Sequence[Row]] = (
    Row("cursor path", "github", "/pagination/rel", "following", "RPL-001", why="header"),
    Row("cursor path", "hubspot", "/pagination/cursor_field", "paging.after", "RPL-001", "PAG-007"),
    Row("cursor path", "salesforce", "/pagination/next_url_field", "nextUrl", "RPL-004", "PAG-007"),
    Row("cursor path", "events", "/pagination/key_field", "sequence", "RPL-004", "PAG-007"),
    Row("cursor parameter", "hubspot", "/pagination/cursor_param", "cursor", "RPL-002", why="parameter"),
    Row("cursor parameter", "parts", "/pagination/offset_param", "offset", "RPL-002", why="parameter"),
    Row("cursor parameter", "shelves", "/pagination/page_param", "p", "RPL-002", why="parameter"),
    Row("cursor parameter", "events", "/pagination/key_param", "after", "RPL-002", why="parameter"),
    Row("stop flag", "salesforce", "/pagination/stop_field", "finished", "RPL-006", "PAG-007", doubts=True),
    Row("stop flag", "salesforce", "/pagination/stop_field", "totalSize", "RPL-004", "PAG-007"),
    Row("stop flag", "shelves", "/pagination/total_field", "total", "RPL-002", "PAG-007"),
    Row("stop flag", "events", "/pagination/stop_field", "has_more", "RPL-002", "PAG-007"),
    Row("its polarity", "salesforce", "/pagination/stop_when", False, "RPL-004", why="polarity"),
    Row("its polarity", "salesforce", "/pagination/stop_when", "true", "RPL-004", "PAG-007"),
    Row("its polarity", "events", "/pagination/stop_when", True, "RPL-001", why="polarity"),
    Row("first index", "parts", "/pagination/first_offset", 1, "RPL-002", why="index"),
    Row("first index", "shelves", "/pagination/first_page", 0, "RPL-002", why="index"),
    Row("page-size parameter", "github", "/pagination/page_size_param", "page_size", "RPL-002", why="parameter"),
    Row("page-size parameter", "hubspot", "/pagination/page_size_param", "count", "RPL-002", why="parameter"),
    Row("page-size parameter", "parts", "/pagination/page_size_param", "size", "RPL-002", why="parameter"),
    Row("page-size parameter", "shelves", "/pagination/page_size_param", "size", "RPL-002", why="parameter"),
    Row("page-size parameter", "events", "/pagination/page_size_param", "size", "RPL-002", why="parameter"),
    Row("step", "parts", "/pagination/step", "limit", "RPL-004", "PAG-001"),
    Row("step", "parts", "/pagination/step", "limit", "RPL-004", why="step", unsaid=("/provider_facts",)),
    Row("rate-limit unit", "github", f"{_LIMITS}/reset/unit", "delta_s", "LIM-002", why="unit"),
    Row("rate-limit unit", "github", f"{_THROTTLED}/0/wait/0/unit", "delta_s", "LIM-002", why="unit"),
    Row("rate-limit unit", "hubspot", f"{_LIMITS}/window/unit", "delta_s", "LIM-002", "LIM-002"),
    Row("throttle matcher", "github", f"{_THROTTLED}/0/when/header", {"x-left": "0"}, "PAR-001", why="header"),
    Row("throttle matcher", "github", f"{_THROTTLED}/1/when/body/message/matches", "slow down", "PAR-001", why="error"),
    Row(
        "throttle matcher",
        "hubspot",
        f"{_THROTTLED}/0/when/body",
        {"policy": {"present": True}},
        "LIM-001",
        why="error",
        doubts=True,
    ),
    Row(
        "throttle matcher",
        "salesforce",
        f"{_THROTTLED}/0/when/body/[*].errorCode",
        "LIMIT_EXCEEDED",
        "PAR-001",
        why="error",
    ),
    Row("error rule", "github", "/error_message", "msg", "ERR-001", why="error"),
    Row("error rule", "hubspot", "/error_code", ["type"], "ERR-001", why="error"),
    Row(
        "error rule",
        "salesforce",
        "/errors/0/when/body/[*].errorCode",
        "SESSION_INVALID",
        "ERR-003",
        why="error",
        doubts=True,
    ),
    Row("error rule", "salesforce", "/errors/1/when/body/[*].errorCode", "BAD_LOCATOR", "PAR-001", why="error"),
    Row("error rule", "salesforce", "/errors/1/means", "invalid", "PAR-001", why="error"),
    Row("response path", "github", f"{_LIST['github']}/response_path", "items", "RPL-004", "PAG-007"),
    Row("response path", "hubspot", f"{_LIST['hubspot']}/response_path", "result", "RPL-004", "PAG-007"),
    Row("response path", "salesforce", f"{_LIST['salesforce']}/response_path", "rows", "RPL-004", "PAG-007"),
    Row("response path", "parts", f"{_LIST['parts']}/response_path", "parts", "RPL-004", "PAG-007"),
    Row("key", "github", f"{_LIST['github']}/key", "issue_id", "RPL-005", "PAG-007"),
    Row("key", "hubspot", f"{_LIST['hubspot']}/key", "ID", "RPL-005", "PAG-007"),
    Row("key", "salesforce", f"{_LIST['salesforce']}/key", "id", "RPL-005", "PAG-007"),
)

_COUNTS_NOTHING: Final = "each page names the next one: nothing is counted"

DOES_NOT_APPLY: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("cursor parameter", "github"): "the link is followed as it is",
        ("cursor parameter", "salesforce"): "the URL is followed as it is",
        ("stop flag", "github"): "the last page has no next link",
        ("stop flag", "hubspot"): "the last page has no cursor",
        ("its polarity", "github"): "the last page has no next link",
        ("its polarity", "hubspot"): "the last page has no cursor",
        **{("first index", name): _COUNTS_NOTHING for name in ("github", "hubspot", "salesforce")},
        **{("step", name): _COUNTS_NOTHING for name in ("github", "hubspot", "salesforce")},
        ("page-size parameter", "salesforce"): "no page size is sent",
        ("rate-limit unit", "salesforce"): "it tells counts alone, and a count has no other unit",
    }
)
"""Why a word has no row for a connector of the repository."""


def told(rows: Sequence[Row]) -> str:
    """The table, as the page has it and as a run prints it."""
    lines = ["| wrong | connector | said | with recordings | without |", "|---|---|---|---|---|"]
    for row in rows:
        recorded = f"{row.recorded}, as a doubt" if row.doubts else row.recorded
        bare = row.bare or f"undecidable: {row.why}"
        lines.append(f"| {row.word} | {row.connector} | `{row.shown}` | {recorded} | {bare} |")
    decided = sum(1 for row in rows if row.bare)
    lines += ["", f"{len(rows)} mistakes: {len(rows)} told with recordings, {decided} without."]
    return "\n".join(lines)


# The invented ones.


def _exchange(name: str, path: str, query: Mapping[str, object], body: object) -> dict[str, Any]:
    return {
        "id": name,
        "request": {
            "method": "GET",
            "url": f"https://api.stock.example/{path}",
            "query": [[key, str(value)] for key, value in query.items()],
            "headers": [["authorization", "Bearer {{secret:access_token#1}}"]],
        },
        "response": {"status": 200, "headers": [["content-type", "application/json"]], "json": body},
    }


def _invented(
    name: str, words: Mapping[str, object], pages: Sequence[tuple[Mapping[str, object], object]], **more: object
) -> Description:
    listing = {"method": "GET", "path": f"/{name}", "response_path": "items", "key": "id"}
    recording = {
        "format": "connproof-recording/1",
        "provenance": {"kind": "documented", "written_at": "2026-11-01", "source": "invented for the tests"},
        "lanes": [
            {
                "id": f"{name}.list",
                "order": "strict",
                "exchanges": [
                    _exchange(f"{name}.list/{number}", name, query, body)
                    for number, (query, body) in enumerate(pages, 1)
                ],
            }
        ],
    }
    return Description(
        name,
        MappingProxyType(
            {
                f"connectors/{name}/connector.json": {
                    "connector": name,
                    "base_url": "https://api.stock.example",
                    "auth": {"type": "bearer", "token_path": "access_token"},
                    "pagination": dict(words),
                    "resources": {name: {"list": listing}},
                    **more,
                },
                f"connectors/{name}/accounts/example.json": {
                    "name": "example",
                    "credentials": {"access_token": "example-access-token"},
                },
                f"connectors/{name}/recordings/{name}.json": recording,
            }
        ),
    )


def _items(*numbers: int) -> list[dict[str, Any]]:
    return [{"id": f"i{number}", "seq": number, "name": f"Item {number}"} for number in numbers]


_PAGE_SIZE: Final = MappingProxyType({"page_size_param": "limit", "default_page_size": 2})

INVENTED: Final[Sequence[Description]] = (
    _invented(
        "parts",
        {"type": "offset", "offset_param": "start", "total_field": "total", **_PAGE_SIZE},
        [
            ({"start": 0, "limit": 2}, {"items": _items(1, 2), "total": 5}),
            ({"start": 2, "limit": 2}, {"items": _items(3), "total": 5}),
            ({"start": 3, "limit": 2}, {"items": _items(4, 5), "total": 5}),
        ],
        provider_facts={"short_pages": True, "filters_pages": False, "source": "invented for the tests"},
    ),
    _invented(
        "shelves",
        {"type": "page", "page_param": "page", "total_field": "pages", "total_counts": "pages", **_PAGE_SIZE},
        [
            ({"page": number, "limit": 2}, {"items": items, "pages": 3})
            for number, items in enumerate((_items(1, 2), _items(3, 4), _items(5)), 1)
        ],
    ),
    _invented(
        "events",
        {
            "type": "keyset",
            "key_field": "seq",
            "key_param": "since",
            "stop_field": "more",
            "stop_when": False,
            **_PAGE_SIZE,
        },
        [
            ({"limit": 2}, {"items": _items(1, 2), "more": True}),
            ({"limit": 2, "since": 2}, {"items": _items(3, 4), "more": True}),
            ({"limit": 2, "since": 4}, {"items": _items(5), "more": False}),
        ],
    ),
)
