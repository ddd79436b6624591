"""The inventory for people: as text, and as Markdown for a page or a review. Both are told from the document alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from connproof.errors import printable, shortened
from pytest_connproof.finding import counted

__all__ = ["as_markdown", "as_text"]

Row: TypeAlias = Sequence[str]
_Table: TypeAlias = Callable[[Row, Sequence[Row]], list[str]]

_MOST: Final = 20
_KINDS: Final = {"oauth": "OAuth", "pagination": "pagination", "rate_limits": "rate limits", "versions": "versions"}


def as_text(document: Mapping[str, Any]) -> str:
    """The sums, a table of connectors, who changed what last, the history, and what could not be read."""
    return _told(document, _columns, lambda text: [text, ""], most=_MOST)


def as_markdown(document: Mapping[str, Any]) -> str:
    """The same, whole."""
    return _told(document, _piped, lambda text: [f"## {text}", ""], most=None)


def _told(document: Mapping[str, Any], table: _Table, heading: Callable[[str], list[str]], *, most: int | None) -> str:
    totals = document["totals"]
    own = f"{counted(totals['files'], 'file')} ({totals['file_lines']} lines)"
    whole = f"{counted(document['files'], 'source file')}, {document['lines']} lines"
    lines = [f"{whole}: {counted(totals['connectors'], 'connector')} in {own}", ""]

    def part(title: str, headings: Row, rows: Sequence[Row]) -> None:
        shown = rows if most is None else rows[:most]
        if rows:
            lines.extend([*heading(title), *table(headings, shown)])
            lines.extend([f"(+{len(rows) - len(shown)} more: --json or --markdown has all)"] * (len(shown) < len(rows)))
            lines.append("")

    connectors = document["connectors"]
    part("Connectors", _OF_CONNECTOR, [_connector(one) for one in connectors])
    part("Endpoints", ("connector", "method", "endpoint", "at"), [row for one in connectors for row in _endpoints(one)])
    for title, name, what in (
        ("Provider-specific files", "files", "language"),
        ("Provider-specific functions", "functions", "name"),
        ("Provider-specific branches", "branches", "when"),
        ("Pagination code", "pagination_code", "what"),
        ("Retry code", "retry_code", "what"),
        ("Token code", "token_code", "what"),
    ):
        rows = [_place(one["name"], place, what) for one in connectors for place in one[name]]
        part(title, ("connector", "at", "lines", what, "last changed by", "on"), rows)
    if document["history"] is not None:
        part(f"Work since {document['history']['since']}", _OF_SHARE, _shares(document["history"]))
    if "compared" in document:
        part("Compared with the earlier audit", ("what", "before", "now", "reduction"), _fallen(document["compared"]))
    part("Not parsed", ("at", "why"), [(f"{one['file']}:{one['line']}", one["why"]) for one in document["not_parsed"]])
    part("Left out", ("file", "why"), [(one["file"], one["why"]) for one in document["left_out"]])
    part("Not read", ("language", "files"), [(name, str(count)) for name, count in document["not_read"].items()])
    lines += [printable(note) for note in document["notes"]]
    return "\n".join(lines).rstrip("\n") + "\n"


_OF_CONNECTOR: Final = (
    "connector",
    "auth",
    "pagination",
    "endpoints",
    "files",
    "lines",
    "functions",
    "branches",
    "retry code",
    "token code",
)
_STATES: Final = {"gone": " (gone)", "new": " (new)", "there": ""}
_OF_SHARE: Final = ("work", "commits", "share", "lines changed", "share")


def _connector(one: Mapping[str, Any]) -> Row:
    return (
        one["name"],
        ", ".join(one["auth"]) or "-",
        ", ".join(one["pagination"]) or "-",
        str(len(one["endpoints"])),
        str(len(one["files"])),
        str(one["lines"]["files"]),
        str(len(one["functions"])),
        str(len(one["branches"])),
        str(len(one["retry_code"])),
        str(len(one["token_code"])),
    )


def _endpoints(one: Mapping[str, Any]) -> list[Row]:
    return [
        (one["name"], at["method"], f"{at['host'] or '?'}{at['path']}", f"{at['file']}:{at['line']}")
        for at in one["endpoints"]
    ]


def _place(name: str, place: Mapping[str, Any], what: str) -> Row:
    last = place["last_changed"] or {"by": "(not committed)", "on": ""}
    return (name, f"{place['file']}:{place['line']}", str(place["lines"]), place[what], last["by"], last["on"])


def _shares(history: Mapping[str, Any]) -> list[Row]:
    whole, kept = history["everything"], history["maintenance"]
    return [
        ("all of the source code", str(whole["commits"]), "", str(whole["churn"]), ""),
        _share("new connector code", history["building"]),
        _share("upkeep of connectors", kept),
        *(_share(f"  of it {_KINDS[kind]}", share) for kind, share in kept["of_it"].items()),
    ]


def _share(name: str, share: Mapping[str, Any]) -> Row:
    commits, churn = share["share_of_commits"], share["share_of_churn"]
    return name, str(share["commits"]), _percent(commits), str(share["churn"]), _percent(churn)


def _fallen(comparison: Mapping[str, Any]) -> list[Row]:
    sums = [(name.replace("_", " "), change) for name, change in comparison["totals"].items()]
    each = [
        (f"{one['name']}{_STATES[one['state']]}: lines of {of}", change)
        for one in comparison["connectors"]
        for of, change in one["lines"].items()
    ]
    return [
        (name, str(change["before"]), str(change["now"]), _percent(change["reduction"])) for name, change in sums + each
    ]


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _columns(headings: Row, rows: Sequence[Row]) -> list[str]:
    cells = [headings, *([shortened(printable(text), 70) for text in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def _piped(headings: Row, rows: Sequence[Row]) -> list[str]:
    cells = [headings, ["---"] * len(headings), *rows]
    return ["| " + " | ".join(printable(text).replace("|", "\\|") for text in row) + " |" for row in cells]
