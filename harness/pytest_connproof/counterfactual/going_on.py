"""How a read that was broken off goes on: what its recording still holds, and whether the parts are the whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from connproof.model import Request
from connproof.places import JsonValue
from pytest_connproof.lane_run import LaneRun
from pytest_connproof.recording import Lane
from pytest_connproof.replay import Ledger, UnmatchedRequest

__all__ = ["asked_before", "first_other", "rest"]


def rest(lane: Lane, broken: LaneRun) -> Lane:
    """What may still be asked after a read of this lane broke off, and for how many records.

    What was asked for a page that the caller did not get is asked again, and the parents of a page that one did: a
    token holds no records. Nothing else is there any more.
    """
    done = _done(broken)
    call = lane.call
    if call is not None and call.limit is not None:
        call = replace(call, limit=call.limit - len(broken.records))
    left = tuple(one for one in lane.exchanges if one.repeats or one.id not in done)
    return replace(lane, exchanges=left, call=call)


def asked_before(lane: Lane, broken: LaneRun, request: Request) -> bool:
    """Whether a request was answered for a page that the caller had got when the read broke off."""
    done = _done(broken)
    before = tuple(exchange for exchange in lane.exchanges if exchange.id in done)
    try:
        Ledger(replace(lane, exchanges=before)).answer(request)
    except UnmatchedRequest:
        return False
    return True


def first_other(wanted: Sequence[JsonValue], got: Sequence[JsonValue]) -> int | None:
    """The first record, from 1, that is not the same in both; None where all are. Types count, an order does not."""
    pairs = zip(map(_text, wanted), map(_text, got), strict=False)
    other = next((number for number, (one, two) in enumerate(pairs, 1) if one != two), None)
    return other or (None if len(wanted) == len(got) else min(len(wanted), len(got)) + 1)


def _done(broken: LaneRun) -> set[str]:
    parents = {order for order, aside in broken.asides.items() if aside.purpose == "for_each"}
    given = broken.tally.used[: broken.asked[-1] if broken.asked else 0]
    return {use.exchange.id for use in given if use.order not in parents}


def _text(record: JsonValue) -> str:
    return json.dumps(record, sort_keys=True)
