"""A recorded lane with one thing changed, what must come of it, and how its parts are changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from connproof.errors import ConnproofError
from connproof.model import Connector, Operation, Response
from connproof.outcome import Verdict
from connproof.places import ABSENT, Absent, JsonValue, Place
from pytest_connproof.answers import meaning_of, records_in
from pytest_connproof.provider.writing import placed
from pytest_connproof.recording import Exchange, Lane

__all__ = [
    "Altered",
    "Must",
    "answered_with",
    "as_json",
    "is_of_one_listing",
    "is_read",
    "is_success",
    "json_in",
    "meaning_in",
    "spread",
    "with_records",
]


@dataclass(frozen=True, slots=True)
class Must:
    """What must come of an altered lane.

    One of `errors` ends the read; or, where `complete` is said, it ends by itself after the first so many of the
    recorded records. Either way what it gave before is what the recording gives, in order. A read that `goes_on` gives
    the rest from the error's resume token.
    """

    errors: tuple[type[ConnproofError], ...] = ()
    complete: int | None = None
    goes_on: bool = False

    def __str__(self) -> str:
        words = [error.__name__ for error in self.errors]
        if self.complete is not None:
            words.append(f"an end by itself after {self.complete} records")
        return ", or ".join(words) + ("; then the rest, from its resume token" if self.goes_on else "")


@dataclass(frozen=True, slots=True)
class Altered:
    """A recorded conversation in which one thing is other than it was.

    `at` is the exchange that was altered, `how` says what was done to it. The answers to the exchanges that `lost`
    names never arrive. `index` is the record that was altered, where it is one. `pointer` is the word of the config
    that decides what comes of it, and `fix` what to do where that is wrong.
    """

    fault: str
    at: Exchange
    how: str
    lane: Lane
    must: Must
    pointer: str
    fix: str
    lost: frozenset[str] = frozenset()
    index: int | None = None


def answered_with(lane: Lane, at: Exchange, response: Response) -> Lane:
    """The lane with another answer to one exchange."""
    other = replace(at, response=response, repeats=False)
    return replace(lane, exchanges=tuple(other if exchange is at else exchange for exchange in lane.exchanges))


# What a lane is of.


def is_read(operation: Operation, lane: Lane) -> bool:
    """Whether a lane's call only reads."""
    has_record = lane.call is not None and lane.call.record is not ABSENT
    return operation.is_list or not (has_record or operation.method in {"PUT", "PATCH", "DELETE"})


def is_of_one_listing(operation: Operation) -> bool:
    """Whether all that is asked for a read of this operation are its own pages, one leading to the next."""
    paging = operation.pagination
    if operation.nested or operation.hydrate or operation.for_each or operation.elements:
        return False
    return paging is None or not (
        paging.window or paging.then or paging.seed or paging.continue_with or paging.on_expired != "fail"
    )


def is_success(connector: Connector, operation: Operation, lane: Lane) -> bool:
    """Whether every recorded answer is a success: of an error, nothing more can be told."""
    verdicts = [meaning_in(connector, operation, exchange.response) for exchange in lane.exchanges]
    return bool(verdicts) and all(verdict is not None and verdict.is_success for verdict in verdicts)


def meaning_in(connector: Connector, operation: Operation, response: Response) -> Verdict | None:
    """What an answer means in a read of this operation; None where the operations that it may ask differ in that."""
    asked = (operation,) if is_of_one_listing(operation) else tuple(connector.operations())
    verdicts = [meaning_of(connector, one, response) for one in asked]
    return verdicts[0] if len({verdict.meaning for verdict in verdicts}) == 1 else None


def spread(count: int, most: int) -> Sequence[int]:
    """Which of so many, from 0: each, or of more than `most` the first, the last and some between."""
    if count <= most:
        return range(count)
    return sorted({round(step * (count - 1) / (most - 1)) for step in range(most)})


# What an answer holds.


def json_in(response: Response) -> JsonValue | Absent:
    """The body as JSON; ABSENT where it is none."""
    try:
        document: JsonValue = json.loads(response.body)
    except ValueError:
        return ABSENT
    return document


def as_json(response: Response, document: JsonValue) -> Response:
    """The response with this document for its body."""
    return replace(response, body=json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())


def with_records(operation: Operation, response: Response, records: Sequence[JsonValue]) -> Response | None:
    """The answer with these records in the place of its own; None where they cannot be put there."""
    document = json_in(response)
    if isinstance(document, Absent) or not (operation.is_list or len(records) == 1):
        return None
    value: JsonValue = list(records) if operation.is_list else records[0]
    path: Place | None = operation.response_path
    changed = as_json(response, value if path is None else placed(document, path, value))
    return changed if records_in(operation, changed) == list(records) else None
