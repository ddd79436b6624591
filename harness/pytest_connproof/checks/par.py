"""PAR: parity with the baseline: the same records field by field, the same requests, every field exercised."""

from __future__ import annotations

from pytest_connproof.finding import Evidence, Finding, Inconclusive, rows
from pytest_connproof.lane_parity import idle, lane_parity, mapped_by, matched, unexercised
from pytest_connproof.lane_run import LaneRun
from pytest_connproof.parity import REQUESTS, Deviation, expired, groups, render, shown_key
from pytest_connproof.snapshots import Snapshot
from pytest_connproof.subject import Subject


def records_are_equal(subject: Subject, target: str) -> Evidence:
    """The config returns what the baseline returned, field by field, and ends as it ended."""
    _update(subject, target)
    stored, run = subject.snapshot(target), matched(subject, target)
    if stored.outcome != run.outcome:
        why = str(run.error).split("\n") if run.error else []
        raise Finding(
            f"{target} ended in {run.outcome}; the baseline: {stored.outcome}",
            rows({"records": f"{len(run.records)} of {len(stored.records)}", **({"because": why} if why else {})}),
        )
    parity = lane_parity(subject, target)
    comparison, judged = parity.comparison, parity.judged
    if judged.open:
        fields = len({(d.key, d.path) for d in judged.open})
        total = max(comparison.fields_compared, fields)
        raise Finding(
            f"{fields} of {total} fields differ{'s' if fields == 1 else ''}",
            render(
                groups(comparison, judged.open),
                mapped_by=lambda pattern: mapped_by(subject, run.lane, pattern),
                evidence=lambda key: _evidence(subject, run, stored, key),
                rerun=f'pytest "{subject.file}::{target}::PAR-001"',
            ),
        )
    return {
        "records": len(run.records),
        "fields": comparison.fields_compared,
        "waived": len(judged.waived),
        "outcomes": 1,
    }


def requests_are_equal(subject: Subject, target: str) -> Evidence:
    """The config asks as often, for the same, and in the same order as the baseline: an N+1 is a difference."""
    _update(subject, target)
    matched(subject, target)
    parity = lane_parity(subject, target)
    requests = parity.requests
    if not parity.requests_hold:
        differ = [*(f"- {line}" for line in requests.gone), *(f"+ {line}" for line in requests.new)]
        count = len(requests.now)
        raise Finding(
            f"{count} request{'s' * (count != 1)}; the baseline made {len(requests.before)}",
            rows(
                {
                    "differ": differ or "the same requests in another order, or another number of times",
                    "fix": f'ask as the baseline did; or waive it in deviations.json, with the kind "{REQUESTS}" '
                    'and the path ""',
                }
            ),
        )
    return {"requests": len(requests.now), "waived": int(not requests.are_equal)}


def every_field_is_exercised(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 the checks share one signature
    """Every mapped field has a value in at least one recorded record: what none exercises is named, not assumed."""
    fields = sum(len(mapping.fields) for mapping in subject.connector.unified.values())
    missing = [f"{model}/{rule.name} (line {rule.line})" for model, rule in unexercised(subject)]
    if missing:
        raise Inconclusive(
            f"no recorded record has a value for {', '.join(missing)}", "record one that has, or take the field out"
        )
    return {"fields": fields}


def deviations_are_in_order(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 as above
    """Every waiver is still valid, and still waives something."""
    file = subject.folder / "deviations.json"
    late = [
        f"{file}:{d.line}  {_waives(d)}, until {d.expires}, {d.owner}"
        for d in expired(subject.deviations, subject.settings.as_of)
    ]
    unused = [f"{file}:{d.line}  {_waives(d)}" for d in idle(subject)]
    if late:
        raise Finding(
            f"{len(late)} waiver{'s have' if len(late) != 1 else ' has'} expired",
            rows({"expired": late, "fix": "mend what it waives, or have its owner extend it with a reason"}),
        )
    if unused:
        raise Finding(
            f"{len(unused)} waiver{'s waive' if len(unused) != 1 else ' waives'} nothing",
            rows({"unused": unused, "fix": "the difference is gone: take the waiver out"}),
        )
    return {"waivers": len(subject.deviations), "lanes": len(subject.lanes)}


def every_snapshot_has_a_lane(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 as above
    """No snapshot is left over: one that nothing is compared with proves nothing."""
    left_over = [lane for lane in subject.snapshots.lanes() if lane not in subject.lanes]
    # A recording that cannot be read hides its lanes; and what the old code returned cannot be taken anew.
    if subject.settings.update_snapshots and len(subject.recordings) == len(subject.recording_files):
        for lane in left_over:
            stored = subject.snapshots.read(lane)
            if stored is not None and stored.baseline.kind == "engine":
                subject.snapshots.remove(lane)
    kept = list(subject.snapshots.lanes())
    left_over = [lane for lane in kept if lane not in subject.lanes]
    if left_over:
        raise Finding(
            f"{len(left_over)} snapshot{'s have' if len(left_over) != 1 else ' has'} no lane",
            rows(
                {
                    "left over": [str(subject.snapshots.path(lane)) for lane in left_over],
                    "fix": "restore the recording; or remove the snapshot, as --snapshot-update does",
                }
            ),
        )
    if not kept:
        raise Inconclusive("there is no snapshot", "run with --snapshot-update, then review what it wrote")
    return {"snapshots": len(kept)}


def _waives(deviation: Deviation) -> str:
    return f"{deviation.lane if deviation.kind == REQUESTS else deviation.path} ({deviation.kind})"


def _update(subject: Subject, target: str) -> None:
    """Store what the engine returns, where the run was told to; an old-code baseline is never overwritten."""
    settings = subject.settings
    if not (settings.update_snapshots or settings.update_new_only):
        return
    stored = subject.snapshots.read(target)
    if stored is None or (settings.update_snapshots and stored.baseline.kind == "engine"):
        matched(subject, target)
        taken = subject.taken(target)
        if stored != taken:
            path = subject.snapshots.write(taken)
            raise Inconclusive(
                "the snapshot was taken in this run: compared with itself it proves nothing",
                f"review {path.name} as you would code, then run again without --snapshot-update",
            )


def _evidence(subject: Subject, run: LaneRun, stored: Snapshot, key: str) -> str | None:
    """The exchange and the place from which the record of this key came."""
    for index, record in enumerate(run.records):
        if shown_key(record, stored.key, index) == key:
            where = run.origin_of(index)
            return f"recordings/{subject.lanes[run.lane.id].recording.path.name}  {where}" if where else None
    return None
