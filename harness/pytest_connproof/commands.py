"""The harness's own commands: certify, import, export. The `connproof` command finds them by entry point."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final

import typer

from connproof import config
from connproof.errors import CallWrong
from connproof.model import Connector, Request, Response
from pytest_connproof import foreign
from pytest_connproof import recording as recordings
from pytest_connproof.recording import Provenance, RawLane
from pytest_connproof.redact import Policy, policy_for

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None)

_USAGE: Final = 2
_PYTEST_USAGE: Final = 4


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def certify(context: typer.Context) -> None:
    """Certify connectors: `pytest connectors --certify`, any of pytest's options after it.

    Exit codes: 0 certified, 1 refuted, 2 an input or the harness cannot work, 3 inconclusive.
    """
    given = list(context.args)
    paths = [text for text in given if not text.startswith("-") and Path(text.partition("::")[0]).exists()]
    if not paths and not Path("connectors").is_dir():
        raise CallWrong("there is no folder named connectors here", fix="name a connector or a folder of connectors")
    # A process of its own: pytest wants to be the first to import the plugin.
    command = [sys.executable, "-m", "pytest", "--certify", *([] if paths else ["connectors"]), *given]
    with subprocess.Popen(command) as child:  # noqa: S603 the arguments are the caller's own
        while True:
            try:
                code = child.wait()
                break
            except KeyboardInterrupt:
                continue  # the child got the signal too: it ends by itself, and says how far it came
    # pytest's own code for a wrong call is 4; ours is 2, and 4 means nothing here.
    raise typer.Exit(_USAGE if code == _PYTEST_USAGE else code)


@app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="Recordings of VCR, vcrpy, betamax, or HAR 1.2 files.")],
    *,
    connector: Annotated[str, typer.Option(help="The connector's folder, or its name under connectors/.")],
    lane: Annotated[str, typer.Option(help="The lane's id. Default: the operation that the traffic fits.")] = "",
    source: Annotated[str, typer.Option(help="Where the traffic comes from, in words, for its provenance.")] = "",
    api_version: Annotated[str, typer.Option(help="The API version of the traffic. Default: the config's.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace a recording of the same name.")] = False,
) -> None:
    """Import other tools' recordings, redacted, into a connector's recordings folder."""
    folder = _folder(connector)
    loaded = config.load(folder) if (folder / "connector.json").exists() else None
    for file in files:
        tape = foreign.read(file)
        target = folder / "recordings" / f"{_stem(file)}.json"
        if target.exists() and not force:
            raise CallWrong(f"{target} is there already", fix="pass --force to replace it, or rename the file")
        policy = policy_for(loaded) if loaded else Policy(headers=("authorization", "content-type"))
        pairs = tuple((_kept(taped.request, policy), taped.response) for taped in tape.exchanges)
        recording = recordings.assemble(
            target,
            provenance=Provenance(
                kind="imported",
                source=source or f"imported from {tape.format}",
                recorded_at=_recorded_at([taped.recorded_at for taped in tape.exchanges]),
                written_at=datetime.now(UTC).date().isoformat(),
                recorder=f"connproof {version('connproof')}",
                origin=f"{tape.format}: {file.name}",
                api_version=api_version or (loaded.api_version.value if loaded and loaded.api_version else None),
            ),
            lanes=_lanes(pairs, lane, loaded),
            policy=policy,
        )
        target.parent.mkdir(parents=True, exist_ok=True)
        recordings.save(recording, target)
        counts = ", ".join(f"{one.id}: {len(one.exchanges)}" for one in recording.lanes)
        typer.echo(f"{target}  from {tape.format}  ({counts} exchanges)")
        rules = recording.provenance.redaction.rules if recording.provenance.redaction else {}
        typer.echo(f"  redacted  {', '.join(f'{rule} {count}' for rule, count in rules.items()) or 'nothing'}")


@app.command()
def export(
    recording: Annotated[Path, typer.Argument(help="A connproof recording.")],
    *,
    har: Annotated[bool, typer.Option("--har", help="As HAR 1.2.")] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The file to write. Default: stdout.")] = None,
) -> None:
    """Export a recording for other tools."""
    if not har:
        raise CallWrong("export needs a format", fix="pass --har")
    loaded = recordings.load(recording)
    exchanges = [
        (exchange.request, exchange.response, loaded.provenance.recorded_at)
        for lane in loaded.lanes
        for exchange in lane.exchanges
    ]
    text = foreign.write_har(exchanges, creator_version=version("connproof"))
    if output is None:
        typer.echo(text)
    else:
        output.write_text(text, encoding="utf-8")


def _folder(text: str) -> Path:
    named = Path("connectors") / text
    path = named if named.is_dir() or not Path(text).is_dir() else Path(text)
    if not path.is_dir():
        near = sorted(p.parent.name for p in Path("connectors").glob("*/connector.json"))
        raise CallWrong(
            f"no connector folder {path}",
            facts={"there are": ", ".join(near) or "none"},
            fix="make the folder first, or name another",
        )
    return path


def _kept(request: Request, policy: Policy) -> Request:
    """The request with the headers that the config is responsible for: what a replay compares."""
    # A client may send a content type with a GET that has no body; no config is responsible for that.
    wanted = set(policy.headers) - (set() if request.body else {"content-type"})
    headers = tuple((name, value) for name, value in request.headers if name in wanted)
    return Request(request.method, request.url, headers, request.body)


def _lanes(pairs: Sequence[tuple[Request, Response]], lane: str, loaded: Connector | None) -> list[RawLane]:
    """All in one lane, where it was named; else a lane for each operation whose method and path the traffic fits."""
    if lane:
        return [RawLane(lane, tuple(pairs))]
    if loaded is None:
        raise CallWrong("there is no config yet to sort the traffic by", fix="name the lane: --lane contacts.list")
    sorted_in: dict[str, list[tuple[Request, Response]]] = {}
    for request, response in pairs:
        sorted_in.setdefault(_operation_of(request, loaded), []).append((request, response))
    return [RawLane(name, tuple(found)) for name, found in sorted_in.items()]


def _operation_of(request: Request, loaded: Connector) -> str:
    import re
    from urllib.parse import urlsplit

    path = urlsplit(request.url).path
    for operation in loaded.operations():
        shape = re.sub(r"\\\{[a-z_0-9]+\\\}", "[^/]+", re.escape(operation.path))
        if request.method == operation.method and re.search(f"{shape}$", path):
            return operation.id
    raise CallWrong(
        f"no operation of {loaded.name} asks {request.method} {path}",
        fix="add the operation to the config first, or name the lane yourself with --lane",
    )


def _recorded_at(said: Sequence[str | None]) -> str | None:
    """The first time in the recording, as RFC 3339 in UTC; None where it has none that can be read."""
    from email.utils import parsedate_to_datetime

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


def _stem(file: Path) -> str:
    return "".join(c if c.isalnum() or c in "._-" else "-" for c in file.stem).lower()
