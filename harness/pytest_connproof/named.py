"""The words of a caller to what they mean: a connector, and lanes of its recordings.

A word that means nothing is refused with the nearest that does; a connector whose recordings cannot all be read, too,
for they would hide its lanes.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from connproof import config
from connproof.errors import CallWrong
from connproof.schemas import nearest
from pytest_connproof.subject import Settings, Subject

__all__ = ["lane_named", "lanes_named", "subject_named"]


def subject_named(text: str, settings: Settings) -> Subject:
    """The connector of this name under connectors/, or at this path. Raises CallWrong, RecordingUnfit."""
    named = Path("connectors") / text
    path = named if named.is_dir() else Path(text)
    if not path.exists():
        there = [file.parent.name for file in Path("connectors").glob("*/connector.json")]
        fix = nearest(text, there) if there else "run it beside the folder connectors, or name a path"
        raise CallWrong(f"there is no connector {text}", fix=fix)
    subject = Subject(config.locate(path), settings)
    for recording in subject.recording_files:
        subject.recording(recording.name)
    return subject


def lane_named(subject: Subject, text: str) -> str:
    """The lane of this id, or that of the resource's list. Raises CallWrong."""
    found = text if text in subject.lanes else f"{text}.list"
    if found not in subject.lanes:
        raise CallWrong(
            f"{subject.name} has no recorded lane {text}",
            facts={"there are": ", ".join(subject.lanes) or "none"},
            fix=_nearest(subject, text),
        )
    return found


def _nearest(subject: Subject, text: str) -> str:
    """What to do where no lane is of this name."""
    if not subject.lanes:
        return "record or import its traffic first"
    lists = [lane.removesuffix(".list") for lane in subject.lanes if lane.endswith(".list")]
    return nearest(text, [*subject.lanes, *lists])


def lanes_named(subject: Subject, texts: Iterable[str]) -> tuple[str, ...]:
    """The lanes that the texts name, each once; all of them where none is named. Raises CallWrong."""
    return tuple(dict.fromkeys(lane_named(subject, text) for text in texts)) or tuple(subject.lanes)
