"""VER: the API version: really sent, not about to end unknown to the config, and the one that was served."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from urllib.parse import parse_qsl, unquote, urlsplit

from connproof.config import BRACES
from connproof.model import ApiVersion, Operation, Request
from connproof.versions import days_left, is_known, state
from pytest_connproof.announced import Heard, announcements, known_endings, served_versions
from pytest_connproof.finding import Evidence, Finding, Inconclusive, rows
from pytest_connproof.recording import Exchange, Lane
from pytest_connproof.subject import Subject

_SLOT = "{api_version}"
_FOLLOWING = frozenset({"link_header", "next_url"})


def is_sent(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 the checks share one signature
    """Every recorded request that the config wrote asks for the pinned version, where the config says so."""
    version = _version(subject)
    requests = 0
    for recorded in subject.lanes.values():
        operation = subject.operation(recorded.lane)
        for exchange in subject.answered(recorded.lane):
            slots = list(_slots(subject, version, operation, exchange, recorded.lane))
            requests += bool(slots)
            for slot, expected, seen in slots:
                if expected not in seen:
                    raise Finding(
                        f"{exchange.id} does not ask for version {version.value}",
                        rows(
                            {
                                "expected": f"{slot}  {expected}",
                                "recorded": [f"{slot}  {text}" for text in seen] or "nothing there",
                                "config": f"{subject.line_of('/api_version')} api_version",
                                "evidence": f"{recorded.recording.path.name}  {exchange.pointer}",
                                "fix": "record the version that the config targets, or correct where it is sent",
                            }
                        ),
                    )
    if not requests:
        raise Inconclusive(
            f"no recorded request has a place for version {version.value}", "record or import traffic that asks for it"
        )
    return {"requests": requests}


def nothing_ends_unknown(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 as above
    """No deprecation or sunset is due that the config does not know, and the version has not ended."""
    version, settings = subject.connector.api_version, subject.settings
    endings = {operation.id: operation.ending for operation in subject.connector.operations()}
    heard = announcements(subject.connector, subject.recordings, as_of=settings.as_of)
    among = [one.announcement for one in heard]
    for one in heard:
        due = state(one.announcement, among, as_of=settings.as_of, within=settings.horizon_days)
        ending = endings.get(one.announcement.operation)
        if due in {"past", "due"} and not (is_known(one.announcement, version) or is_known(one.announcement, ending)):
            raise _unknown_end(subject, one)
    for known in known_endings(subject.connector):
        if known.kind == "sunset" and known.day and state(known, (), as_of=settings.as_of, within=0) == "past":
            raise Inconclusive(
                f"the config itself says that {known.operation or 'its version'} ended: sunset {known.day}, "
                f"{-days_left(known.day, settings.as_of)} days before {settings.as_of}",
                "move to what is served, and record it",
            )
    answers = sum(len(subject.answered(lane)) for recording in subject.recordings for lane in recording.lanes)
    return {"answers": answers, "announcements": len(heard)}


def _unknown_end(subject: Subject, one: Heard) -> Finding:
    said, settings = one.announcement, subject.settings
    when = ""
    if said.day:
        left = days_left(said.day, settings.as_of)
        when = f" on {said.day}, {abs(left)} days {'before' if left < 0 else 'after'} {settings.as_of}"
    return Finding(
        f"an answer to {said.operation} announces what the config does not know: {said.kind}{when}",
        rows(
            {
                "said by": f"{said.by}{': ' + said.text if said.text else ''}",
                "evidence": one.where,
                "horizon": f"{settings.horizon_days} days",
                "fix": f'move on; until then say "{said.kind}" in the operation\'s "ending", or in api_version',
            }
        ),
    )


def served_is_asked(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 as above
    """Every answer that says which version it is of is of the one asked for."""
    version = _version(subject)
    heard = served_versions(subject.connector, subject.recordings)
    for one in heard:
        if one.announcement.text != version.value:
            raise Finding(
                "the provider served another version than the one asked for",
                rows(
                    {
                        "asked": f"{version.value}   {subject.line_of('/api_version/value')}",
                        "served": f"{one.announcement.text}   {one.announcement.by}",
                        "evidence": one.where,
                        "fix": "target a version that is served; the one asked for may have ended",
                    }
                ),
            )
    if not heard:
        raise Inconclusive(
            "no recorded answer says which version it is of, though the config says where", "correct api_version.served"
        )
    return {"operations": len(heard)}


def _version(subject: Subject) -> ApiVersion:
    version = subject.connector.api_version
    assert version is not None, "the table of checks asks only where there is one"
    return version


# Where a version stands in a request: what the place is called, what it must hold, and what was recorded there.


def _slots(
    subject: Subject, version: ApiVersion, operation: Operation, exchange: Exchange, lane: Lane
) -> Iterator[tuple[str, str, list[str]]]:
    request, value = exchange.request, version.value
    if version.place == "header":
        name = (version.name or "").lower()
        yield f"header {name}", value, [text for key, text in request.headers if key == name]
        return
    # The provider wrote the address of a page that its own link leads to.
    paging = operation.pagination.type if operation.pagination else ""
    own_address = paging not in _FOLLOWING or exchange is subject.answered(lane)[0]
    if version.place == "query":
        if own_address:
            yield f"query {version.name}", value, [text for key, text in _query(request) if key == version.name]
        return
    if own_address:
        yield from _in_path(subject, version, operation, request)
    for name, template in chain(subject.connector.headers, operation.headers):
        if _SLOT in template:
            yield (
                f"header {name}",
                template.replace(_SLOT, value),
                [text for key, text in request.headers if key == name],
            )
    body = (request.body or b"").decode("utf-8", "replace")
    if _SLOT in str(operation.body):
        yield "body", value, [value] if value in body else []


def _in_path(
    subject: Subject, version: ApiVersion, operation: Operation, request: Request
) -> Iterator[tuple[str, str, list[str]]]:
    """Each segment that holds the version, by itself: other names in braces stand for anything."""
    # A base may be a variable that holds the whole origin: then no "://" stands in it.
    base = subject.connector.base_url.rpartition("://")[2].partition("/")[2]
    segments = [unquote(segment) for segment in urlsplit(request.url).path.split("/")]
    for template in f"{base}/{operation.path}".split("/"):
        if _SLOT in template:
            expected = template.replace(_SLOT, version.value)
            pattern = re.compile(".+".join(re.escape(text) for text in BRACES.split(expected)[::2]))
            found = [segment for segment in segments if pattern.fullmatch(segment)]
            yield "path", expected, [expected] if found else ["/".join(segments)]


def _query(request: Request) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(request.url).query, keep_blank_values=True)
