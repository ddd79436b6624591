"""`connproof import`: all files are read, and all of them fit, before one is written."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from connproof import config
from connproof.errors import CallWrong
from pytest_connproof import recording as recordings
from pytest_connproof.commands import given
from pytest_connproof.importing import imported, lanes_beside
from pytest_connproof.recording import Provenance, Recording

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None)


@app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="Recordings of VCR, vcrpy or betamax, or HAR 1.2 files.")],
    *,
    connector: Annotated[
        str, typer.Option(metavar="CONNECTOR", help="The connector's folder, or its name under connectors/.")
    ],
    lane: Annotated[
        str,
        typer.Option(
            metavar="LANE",
            help="Put all into this lane, such as contacts.list. Default: one for each call, by the config.",
        ),
    ] = "",
    source: Annotated[
        str, typer.Option(metavar="TEXT", help="Where the traffic comes from, in words, for its provenance.")
    ] = "",
    recorded_at: Annotated[
        str,
        typer.Option(metavar="DAY", help="The day of the traffic, where a file does not say it, such as 2026-11-23."),
    ] = "",
    api_version: Annotated[
        str, typer.Option(metavar="VERSION", help="The API version of the traffic. Default: the config's.")
    ] = "",
    keep: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MEMBER", help="Keep what people wrote under this name, such as name. Default: none of it."
        ),
    ] = None,
    known_only: Annotated[
        bool, typer.Option("--known-only", help="Leave out the traffic that no operation of the config fits.")
    ] = False,
    made_up: Annotated[
        bool,
        typer.Option(
            "--made-up", help="No provider answered this: it is of a stub, or written by hand. Its words stay."
        ),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a recording of the same name.")] = False,
) -> None:
    """Import other tools' recordings, redacted, into a connector's recordings folder.

    A file is known by its content. All are read before one is written: FILE.yml becomes recordings/FILE.json.
    """
    folder = given.folder(connector)
    loaded = config.load(folder) if (folder / "connector.json").exists() else None
    targets = {file: folder / "recordings" / f"{_stem(file)}.json" for file in files}
    for file, target in targets.items():
        if again := [other for other in targets if other != file and targets[other] == target]:
            raise CallWrong(f"{file} and {again[0]} would both become {target}", fix="rename one, or import it later")
        if target.exists() and not force:
            raise CallWrong(f"{target} is there already", fix="pass --force to replace it, or rename the file")
    if made_up and recorded_at:
        raise CallWrong("--made-up and --recorded-at contradict each other", fix="nobody recorded what was made up")
    provenance = Provenance(
        kind="synthetic" if made_up else "imported",
        source=source,
        recorded_at=_day(recorded_at),
        written_at=datetime.now(UTC).date().isoformat(),
        recorder=f"connproof {version('connproof')}",
        api_version=api_version or (loaded.api_version.value if loaded and loaded.api_version else None),
    )
    read: list[tuple[Recording, int]] = []
    taken = lanes_beside(folder, targets.values())
    if lane and len(targets) > 1:
        raise CallWrong("--lane takes one file: a lane stands in one recording", fix="import them one after the other")
    if taken_by := taken.get(lane):
        raise CallWrong(f"the lane {lane} stands in {taken_by}", fix=f"name a scenario of it: --lane {lane}#another")
    for file, target in targets.items():
        recording, left_out = imported(
            file, target, lane, loaded, provenance, keep=keep or (), known_only=known_only, taken=taken
        )
        taken |= {one.id: target for one in recording.lanes}
        read.append((recording, left_out))
    for recording, left_out in read:
        recording.path.parent.mkdir(parents=True, exist_ok=True)
        recordings.save(recording, recording.path)
        _tell(recording, left_out)


def _tell(recording: Recording, left_out: int) -> None:
    origin, redaction = recording.provenance.origin or "", recording.provenance.redaction
    counts = ", ".join(f"{lane.id} {len(lane.exchanges)}" for lane in recording.lanes)
    typer.echo(f"{recording.path}  from {origin}")
    typer.echo(f"  exchanges  {counts}" + (f"  ({left_out} left out)" if left_out else ""))
    rules = redaction.rules if redaction else {}
    typer.echo(f"  redacted   {', '.join(f'{rule} {count}' for rule, count in rules.items()) or 'nothing'}")
    if recording.provenance.recorded_at is None and recording.provenance.kind == "imported":
        typer.echo(
            "  age        unknown, so REC-004 stays inconclusive: import it again with --recorded-at, and --force"
        )


def _day(text: str) -> str | None:
    """A day as the caller gives it, as RFC 3339: its first moment in UTC."""
    return f"{given.day('--recorded-at', text).isoformat()}T00:00:00Z" if text else None


def _stem(file: Path) -> str:
    return "".join(c if c.isalnum() or c in "._-" else "-" for c in file.stem).lower()
