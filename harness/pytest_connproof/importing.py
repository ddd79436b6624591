"""Another tool's file to the recording that is to be written: redacted, and sorted into the lanes of a connector.

What no config is responsible for is left out of requests; nothing is written here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final

from connproof.errors import CallWrong
from connproof.model import Auth, Connector, Request, frozen
from pytest_connproof import foreign
from pytest_connproof import recording as recordings
from pytest_connproof.grants import asks_for_token, credentials_in, with_distinct_credentials
from pytest_connproof.lanes import in_one_lane, no_operation, sort
from pytest_connproof.recording import Provenance, Recording, RecordingUnfit
from pytest_connproof.redact import Policy, policy_for

__all__ = ["imported", "lanes_beside"]

_WITH_CHARSET: Final = re.compile(r"(?i)((?:json|x-www-form-urlencoded)\s*);\s*charset=utf-8$")


def lanes_beside(folder: Path, replaced: Collection[Path]) -> dict[str, Path]:
    """The lanes of the recordings that stay; what cannot be read has none that count."""
    lanes: dict[str, Path] = {}
    for path in sorted((folder / "recordings").glob("*.json")):
        if path not in replaced:
            with suppress(RecordingUnfit):  # REC-001 says so
                lanes |= {lane.id: path for lane in recordings.load(path).lanes}
    return lanes


def imported(
    file: Path,
    target: Path,
    lane: str,
    loaded: Connector | None,
    provenance: Provenance,
    *,
    keep: Sequence[str],
    known_only: bool,
    taken: Collection[str],
) -> tuple[Recording, int]:
    """A foreign file as the recording that is to be written, and how many of its exchanges are left out."""
    tape = foreign.read(file)
    policy = policy_for(loaded) if loaded else Policy(headers=("authorization", "content-type"))
    policy = replace(policy, keep=tuple(keep))
    auth = loaded.auth if loaded else Auth("none")
    pairs = [(_kept(taped.request, policy, auth), taped.response) for taped in tape.exchanges]
    grants = [pair for pair in pairs if asks_for_token(auth, pair[0])]
    policy = replace(
        policy, named=frozen({text: name for pair in grants for text, name in credentials_in(auth, *pair)})
    )
    if loaded is None and not lane:
        raise CallWrong("there is no config yet to sort the traffic by", fix="name the lane: --lane contacts.list")
    lanes, left_out = [in_one_lane(lane, pairs, loaded)] if lane else [], 0
    if loaded and not lane:
        found = sort(pairs, loaded, taken)
        if found.unknown and not (known_only and found.lanes):
            raise no_operation(found.unknown, loaded)
        lanes, left_out = [*found.lanes], len(found.unknown)
    made_up = provenance.kind == "synthetic"
    said = replace(
        provenance,
        source=provenance.source or f"{'made up, and ' if made_up else ''}imported from {tape.format}",
        # Nobody recorded what was made up, whatever time a file has.
        recorded_at=None
        if made_up
        else _first_time([taped.recorded_at for taped in tape.exchanges]) or provenance.recorded_at,
        origin=f"{tape.format}: {file.name}",
    )
    return recordings.assemble(target, provenance=said, lanes=lanes, policy=policy), left_out


def _kept(request: Request, policy: Policy, auth: Auth) -> Request:
    """The request with the headers that the config is responsible for: what a replay compares."""
    is_for_a_token = asks_for_token(auth, request)
    wanted = {"authorization", "content-type", *policy.token_headers} if is_for_a_token else set(policy.headers)
    # A client may send a content type with a GET that has no body; no config is responsible for that.
    wanted -= set() if request.body else {"content-type"}
    headers = tuple((name, value) for name, value in request.headers if name in wanted)
    if is_for_a_token and "content-type" not in policy.token_headers:  # forms and JSON are UTF-8 anyway
        headers = tuple((name, _WITH_CHARSET.sub(r"\1", value)) for name, value in headers)
    kept = Request(request.method, request.url, headers, request.body)
    return with_distinct_credentials(auth, kept) if is_for_a_token else kept


def _first_time(said: Sequence[str | None]) -> str | None:
    """The first time in the recording, as RFC 3339 in UTC; None where it has none that can be read."""
    for text in said:
        if text is None:
            continue
        for read in (datetime.fromisoformat, parsedate_to_datetime):
            try:
                moment = read(text)
            except ValueError:
                continue
            aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return aware.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return None
