"""REC: the recordings as evidence: readable, clean, honest about where they come from, fresh, of this version."""

from __future__ import annotations

from datetime import date, timedelta

from connproof.schemas import nearest
from pytest_connproof.finding import Evidence, Finding, Inconclusive, counted, rows
from pytest_connproof.recording import Recording, unclean
from pytest_connproof.redact import policy_for
from pytest_connproof.subject import Subject


def is_readable(subject: Subject, target: str) -> Evidence:
    """Raises RecordingUnfit with every problem: a corrupt recording is an error, never an empty one."""
    recording = subject.recording(target)
    return {"lanes": len(recording.lanes), "exchanges": sum(len(lane.exchanges) for lane in recording.lanes)}


def is_clean(subject: Subject, target: str) -> Evidence:
    """The recording is a fixed point of the redactor: nothing in it looks like a live secret or a person."""
    recording = subject.recording(target)
    problems = unclean(recording, policy_for(subject.connector))
    if problems:
        raise Finding(
            f"{counted(len(problems), 'value')} of {target} would be redacted",
            rows(
                {
                    "found": [f"{recording.path}:{problem}" for problem in problems[:8]],
                    "fix": "if any of it is real, have it revoked first; then import or record anew, which redacts",
                }
            ),
        )
    return {"bytes": recording.path.stat().st_size}


def provenance_is_stated(subject: Subject, target: str) -> Evidence:
    """The recording says what kind of evidence it is, from where, and, of real traffic, what took it and cleaned it."""
    recording = subject.recording(target)
    provenance = recording.provenance
    # The format itself demands a source and a date or an origin; a blank one says nothing.
    needed = ["source", *(["recorder", "redaction"] if provenance.kind in {"recorded", "imported"} else [])]
    missing = [name for name in needed if not _said(getattr(provenance, name))]
    if missing:
        raise Finding(
            f'a recording of kind "{provenance.kind}" must say its {" and its ".join(missing)}',
            rows(
                {
                    "recording": f"{recording.path}:{recording.source.line('/provenance')}",
                    "fix": 'say it truthfully; what was written by hand is of kind "documented"',
                }
            ),
        )
    return {"statements": len(needed)}


def _said(value: object) -> bool:
    return bool(value.strip() if isinstance(value, str) else value)


def is_fresh(subject: Subject, target: str) -> Evidence:
    """The recording is not older than the run allows, on the day the run judges by."""
    settings = subject.settings
    made = made_on(subject.recording(target))
    if made is None:
        raise Inconclusive(
            f"{target} does not say when it was made",
            "state recorded_at under provenance; what was written by hand states written_at",
        )
    # On another side of the world it may be tomorrow already.
    if made > settings.as_of + timedelta(days=1):
        raise Finding(
            f"{target} says that it was made after the day of this run",
            rows({"made": made.isoformat(), "as of": settings.as_of.isoformat(), "fix": "correct the provenance"}),
        )
    age = (settings.as_of - made).days
    if age > settings.max_age_days:
        raise Inconclusive(
            f"{target} is stale: made {made}, {age} days before {settings.as_of} (at most {settings.max_age_days})",
            "record it anew, or allow more with --max-age-days",
        )
    return {"recordings": 1}


def has_the_version(subject: Subject, target: str) -> Evidence:
    """The traffic is of the API version that the config targets."""
    recorded = subject.recording(target).provenance.api_version
    version = subject.connector.api_version
    if version is None and recorded is None:
        return {"recordings": 1}
    if version is None or recorded is None:
        silent, other = ("the config", recorded) if version is None else (target, version.value if version else "")
        raise Inconclusive(
            f"{silent} does not say its API version; the other says {other}", 'state "api_version" in both'
        )
    if recorded != version.value:
        raise Finding(
            f"{target} was made with another API version",
            rows(
                {
                    "config": f"{version.value}   {subject.line_of('/api_version/value')}",
                    "recording": f"{recorded}   {target} /provenance/api_version",
                    "fix": "record the version that the config targets",
                }
            ),
        )
    return {"recordings": 1, "versions": 1}


def lanes_are_known(subject: Subject, target: str) -> Evidence:
    """Every lane replays an operation that the config has."""
    recording = subject.recording(target)
    known = [operation.id for operation in subject.connector.operations()]
    for lane in recording.lanes:
        if lane.operation not in known:
            line = recording.source.line(lane.pointer)
            raise Finding(
                f'the lane "{lane.id}" replays an operation that the config does not have',
                rows({"lane": f"{recording.path}:{line}", "fix": nearest(lane.operation, known)}),
            )
    others = {lane.id: other for other in subject.recordings if other is not recording for lane in other.lanes}
    for lane in recording.lanes:
        if lane.id in others:
            line = recording.source.line(lane.pointer)
            raise Finding(
                f'the lane "{lane.id}" stands in two recordings: only one would be replayed',
                rows(
                    {
                        "lane": f"{recording.path}:{line}",
                        "also in": str(others[lane.id].path),
                        "fix": f"tell them apart by a scenario: {lane.operation}#another",
                    }
                ),
            )
    return {"lanes": len(recording.lanes)}


def made_on(recording: Recording) -> date | None:
    """The day on which a recording was made, by its own word; of imported traffic, not the day of the import."""
    provenance = recording.provenance
    written_at = None if provenance.kind == "imported" else provenance.written_at
    said = provenance.recorded_at or written_at
    return date.fromisoformat(said[:10]) if said else None


def valid_until(subject: Subject) -> date | None:
    """The last day on which every recording of a connector is fresh."""
    days = [made_on(recording) for recording in subject.recordings]
    known = [day for day in days if day is not None]
    return min(known) + timedelta(days=subject.settings.max_age_days) if known else None
