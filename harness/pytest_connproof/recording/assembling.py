"""Make a recording of traffic as it was taken, redacted; and say where a recording is not clean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from connproof.documents import Source
from connproof.errors import Problem
from connproof.model import Request, Response, frozen
from connproof.places import JsonValue
from pytest_connproof.recording.parts import Call, Order, Provenance, Recording, RecordingUnfit, Redaction
from pytest_connproof.recording.reading import parse
from pytest_connproof.recording.writing import (
    as_text,
    document_of,
    dump,
    exchange_document,
    lane_document,
    seen_in,
    seen_in_bodies,
)
from pytest_connproof.redact import ENCODINGS, Policy, proof, redact, synthesised

_LIVE: Final = frozenset({"recorded", "imported"})  # traffic of real accounts


@dataclass(frozen=True, slots=True)
class RawLane:
    """Traffic as it was taken, secrets included, on its way into `assemble`. `repeats`: by place, from 0."""

    id: str
    pairs: tuple[tuple[Request, Response], ...] = field(repr=False)
    order: Order = "strict"
    call: Call | None = None
    repeats: frozenset[int] = frozenset()


def assemble(
    path: Path, *, provenance: Provenance, lanes: Iterable[RawLane], policy: Policy | None = None
) -> Recording:
    """A redacted recording made of traffic as it was taken. Importers and the recorder use it.

    Of live traffic what people wrote becomes made-up words; see `synthesised`.

    The result is what `load` would read from `path` after `save`: nothing is written here. Exchange ids are
    the lane's id, a slash and a number from 1. Raises RecordingUnfit where the traffic cannot be told
    in the format, or where a secret that was found could not be removed everywhere.
    """
    raw = [_raw_document(lane, path) for lane in lanes]
    bare = replace(provenance, redaction=None)
    document = {**document_of(Recording(path, bare, (), Source(path.name))), "lanes": raw}
    redacted = redact(document, policy)
    finished_document, rules = redacted.document, dict(redacted.rules)
    if provenance.kind in _LIVE:
        finished_document, made_up = synthesised(redacted.document, policy or Policy())
        rules |= {"made up": made_up} if made_up else {}
    text = as_text(finished_document)
    recording = parse(text.encode(), path)
    proved = proof(text, redacted.secrets)
    problems = [*seen_in(text, proved), *seen_in_bodies(recording, redacted.secrets)]
    if as_text(document_of(recording)) != text:
        # Written and read again it looks different, so that it is no longer known to be a fixed point.
        problems += unclean(recording, policy)
    if problems:
        raise RecordingUnfit(path, problems)
    note = (f"raw only: {proved.raw_only} of fewer than 6 characters",) if proved.raw_only else ()
    redaction = Redaction(frozen(rules), (*ENCODINGS, *note))
    finished = replace(recording, provenance=replace(recording.provenance, redaction=redaction))
    return parse(dump(finished).encode(), path)


def _raw_document(lane: RawLane, path: Path) -> JsonValue:
    exchanges: list[JsonValue] = []
    for number, (request, response) in enumerate(lane.pairs):
        name = f"{lane.id}/{number + 1}"
        try:
            exchanges.append(exchange_document(name, request, response, repeats=number in lane.repeats))
        except UnicodeDecodeError:
            problem = Problem("", 0, 0, f"{name}: the request's query is not UTF-8, and so cannot be recorded")
            raise RecordingUnfit(path, [problem]) from None
    return lane_document(lane.id, lane.order, lane.call, exchanges)


def unclean(recording: Recording, policy: Policy | None = None) -> tuple[Problem, ...]:
    """Where a recording is not a fixed point of the redactor: rule and place, never the value."""
    return tuple(
        recording.source.problem(
            change.pointer,
            "a header that is not on the allow-list" if change.rule == "header" else f"not redacted: {change.rule}",
            "record it again, or write a placeholder in its place",
        )
        for change in dict.fromkeys(redact(document_of(recording), policy).changes)
    )
