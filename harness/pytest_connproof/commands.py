"""The harness's own commands: certify, import, export, drift, versions, baseline, parity, migrated.

The `connproof` command finds them by entry point.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from connproof import config
from connproof.errors import CallWrong
from connproof.model import Auth, Connector, Request, frozen
from connproof.versions import DEFAULT_HORIZON_DAYS
from pytest_connproof import contracts, foreign
from pytest_connproof import recording as recordings
from pytest_connproof.atomic import write_whole
from pytest_connproof.contracts import Answers
from pytest_connproof.extra import HOW_TO_INSTALL, missing
from pytest_connproof.grants import asks_for_token, credentials_in, with_distinct_credentials
from pytest_connproof.lanes import in_one_lane, no_operation, sort
from pytest_connproof.recording import Provenance, Recording, RecordingUnfit
from pytest_connproof.redact import Policy, policy_for
from pytest_connproof.report import drift as drift_report
from pytest_connproof.report import versions as versions_report

if TYPE_CHECKING:
    from pytest_connproof.subject import Subject

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None)

_CANNOT_WORK: Final = 2
_WIDTH: Final = 120  # of what goes into a file
_VERDICTS: Final = frozenset({0, 1, 3})
_WITH_CHARSET: Final = re.compile(r"(?i)((?:json|x-www-form-urlencoded)\s*);\s*charset=utf-8$")


@app.command(
    context_settings={"ignore_unknown_options": True},
    epilog="Exit codes: 0 certified; 1 refuted; 2 an input or the harness cannot work, or the run was interrupted; "
    "3 inconclusive.",
)
def certify(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CONNECTOR",
            help="Connectors, by folder, name or check id (default: all in connectors/); then any options of pytest.",
        ),
    ] = None,
) -> None:
    """Certify connectors and write their certificates: `pytest connectors --certify`, in short.

    \b
    connproof certify
    connproof certify shop --as-of 2026-11-23
    connproof certify shop bank -n 2 --certificates out
    """  # noqa: D301 the character that keeps lines apart, not its name
    if absent := missing():
        raise CallWrong(f"certifying needs {', '.join(absent)}", fix=HOW_TO_INSTALL)
    given = arguments or []
    named = list(takewhile(lambda text: not text.startswith("-"), given))
    options = given[len(named) :]
    paths = [_path_of(text) for text in named]
    if not paths and not any(_holds_connectors(Path(text.partition("::")[0])) for text in options):
        paths = ["connectors"]
        if not Path("connectors").is_dir():
            raise CallWrong(
                "there is no folder named connectors here", fix="name a connector or a folder of connectors"
            )
    # A process of its own: pytest wants to be the first to import the plugin.
    command = [sys.executable, "-m", "pytest", "--certify", *paths, *options]
    with subprocess.Popen(command) as child:  # noqa: S603 the arguments are the caller's own
        while True:
            try:
                code = child.wait()
                break
            except KeyboardInterrupt:
                continue  # the child got the signal too: it ends by itself, and says how far it came
    # pytest's own code for a wrong call is 4, and a killed process has a negative one: neither is a verdict.
    raise typer.Exit(code if code in _VERDICTS else _CANNOT_WORK)


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
    folder = _folder(connector)
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
    imported: list[tuple[Recording, int]] = []
    taken = _lanes_beside(folder, targets.values())
    if lane and len(targets) > 1:
        raise CallWrong("--lane takes one file: a lane stands in one recording", fix="import them one after the other")
    if taken_by := taken.get(lane):
        raise CallWrong(f"the lane {lane} stands in {taken_by}", fix=f"name a scenario of it: --lane {lane}#another")
    for file, target in targets.items():
        recording, left_out = _imported(
            file, target, lane, loaded, provenance, keep=keep or (), known_only=known_only, taken=taken
        )
        taken |= {one.id: target for one in recording.lanes}
        imported.append((recording, left_out))
    for recording, left_out in imported:
        recording.path.parent.mkdir(parents=True, exist_ok=True)
        recordings.save(recording, recording.path)
        _tell(recording, left_out)


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
        typer.echo(text, nl=False)
    else:
        write_whole(output, text)
        typer.echo(f"{output}  ({len(exchanges)} exchanges)", err=True)


@app.command(epilog="Exit codes: 0 the contract holds; 1 blocking drift; 2 an input cannot be used; 3 inconclusive.")
def drift(
    connector: Annotated[str, typer.Argument(metavar="CONNECTOR", help="A connector, by folder or name.")],
    *,
    against: Annotated[
        Path | None,
        typer.Option(metavar="RECORDING", help="Another recording, or a folder of them. Default: the connector's own."),
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Write the contracts anew from the connector's recordings; review them.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines: every difference, whole.")] = False,
) -> None:
    """Hold the shape of recorded answers against the connector's contract.

    What the config reads decides: a difference in what it reads blocks, any other warns or is a note.

    \b
    connproof drift shop --update
    connproof drift shop
    connproof drift shop --against newer.json
    """  # noqa: D301 the character that keeps lines apart, not its name
    folder = _folder(connector)
    loaded = config.load(folder)
    if update and against is not None:
        raise CallWrong(
            "a contract is told from the connector's own recordings",
            fix="leave --against out; or import the recording first",
        )
    files = _recordings_in(folder / "recordings" if against is None else against)
    answers = contracts.answers_of(loaded, [recordings.load(file) for file in files])
    if update:
        _update_contracts(loaded, folder, answers)
    drifts = contracts.drift_of(loaded, folder, answers)
    if as_json:
        typer.echo(json.dumps(drift_report.as_document(loaded, drifts), indent=2, ensure_ascii=False))
    else:
        typer.echo(drift_report.as_text(loaded, drifts), nl=False)
        if not answers:
            typer.echo(_nothing_to_compare(loaded, files, against or folder / "recordings"), err=True)
    raise typer.Exit(drift_report.EXIT_CODES[drift_report.verdict(drifts)])


@app.command(epilog="Exit codes: 0 nothing is due; 1 something is past or due; 2 an input cannot be used.")
def versions(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[CONNECTOR]...", help="Connectors, or folders of them. Default: connectors."),
    ] = None,
    *,
    as_of: Annotated[str, typer.Option(metavar="DATE", help="Judge as on this day. Default: today.")] = "",
    within: Annotated[
        int, typer.Option(metavar="DAYS", min=0, help="How soon an announced end is due.")
    ] = DEFAULT_HORIZON_DAYS,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Say which API version each connector targets, and what is known of its end.

    From the configs, and from what recorded answers announce. Nothing is fetched.

    \b
    connproof versions
    connproof versions shop --within 365
    """  # noqa: D301 the character that keeps lines apart, not its name
    day = _date("--as-of", as_of) if as_of else datetime.now().astimezone().date()
    targets = []
    for file in _configs(paths or [Path("connectors")]):
        loaded = config.load(file)
        recorded = [recordings.load(path) for path in _recordings_in(file.parent / "recordings")]
        targets.append(versions_report.target_of(loaded, file, recorded, as_of=day, within=within))
    if as_json:
        document = versions_report.as_document(targets, as_of=day, within=within)
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        typer.echo(versions_report.as_text(targets, as_of=day, within=within), nl=False)
    raise typer.Exit(1 if versions_report.is_due(targets) else 0)


@app.command(
    epilog="Exit codes: 0 stored, or returned as it is stored; 1 no baseline: the old code failed, asked for what is "
    "not recorded, or returned something else; 2 an input cannot be used."
)
def baseline(
    connector: Annotated[str, typer.Argument(metavar="CONNECTOR", help="A connector, by folder or name.")],
    resource: Annotated[
        str, typer.Argument(metavar="RESOURCE", help="A resource, whose list is meant; or a lane, such as deals.get.")
    ],
    command: Annotated[
        list[str], typer.Argument(metavar="-- COMMAND...", help="Runs the old code; prints its records as JSON.")
    ],
    *,
    env: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=TEXT",
            help="A variable of the old code. In braces: base_url, origin, what the example account has.",
        ),
    ] = None,
    code: Annotated[
        list[Path] | None,
        typer.Option(metavar="PATH", help="The old code's file or folder. Default: the files that the command names."),
    ] = None,
    also: Annotated[
        list[str] | None, typer.Option(metavar="LANE", help="A further lane whose exchanges may answer.")
    ] = None,
    ignore_header: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A recorded header that the old code sends otherwise.")
    ] = None,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", min=0.1, help="End the old code after that.")] = 300.0,
    replace_stored: Annotated[
        bool, typer.Option("--replace", help="Overwrite a snapshot that is there and differs.")
    ] = False,
) -> None:
    """Run the old code on recorded traffic, and store what it returns as the baseline.

    It finds it at CONNPROOF_BASE_URL, or at its own host through the proxy of HTTPS_PROXY. It prints a JSON list.

    \b
    connproof baseline shop deals -- python old/deals.py
    connproof baseline shop deals --env 'SHOP_TOKEN={access_token}' --code old -- node old/deals.js
    """  # noqa: D301 the character that keeps lines apart, not its name
    from pytest_connproof.baseline import NoBaseline, take  # servers, certificates: only here

    try:
        said = take(
            connector,
            resource,
            command,
            env=env or (),
            code=code or (),
            also=also or (),
            ignored=ignore_header or (),
            timeout_s=timeout,
            replace_stored=replace_stored,
        )
    except NoBaseline as refused:
        typer.echo(str(refused), err=True)
        raise typer.Exit(1) from None
    typer.echo(said)


@app.command(
    epilog="Exit codes: 0 parity holds; 1 something differs, or a waiver has expired or waives nothing; 2 an input "
    "cannot be used; 3 nothing differs, but that proves no parity: no baseline, none of old code, a field without a "
    "value. With --accept: 0 written; 1 not accepted; 2 refused."
)
def parity(
    connector: Annotated[str, typer.Argument(metavar="CONNECTOR", help="A connector, by folder or name.")],
    *,
    lane: Annotated[
        list[str] | None,
        typer.Option(metavar="LANE", help="A lane, or a resource, whose list is meant. Default: all lanes."),
    ] = None,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LANE:PATH:KIND",
            help="A difference that is meant, such as deals.list:/amount:type; or LANE, for all that is open in it.",
        ),
    ] = None,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why it is meant, in three words or more.")] = "",
    owner: Annotated[str, typer.Option(metavar="TEXT", help="Who answers for it.")] = "",
    expires: Annotated[
        str, typer.Option(metavar="DAY", help="The last day on which it is waived, within a year.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Write it without being asked.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines, in format connproof-parity/1.")] = False,
    as_of: Annotated[str, typer.Option(metavar="DAY", help="Judge waivers as on this day. Default: today.")] = "",
) -> None:
    """Lay each lane beside its baseline: every mapped field, every difference, and what was asked for.

    \b
    connproof parity shop
    connproof parity shop --lane deals
    connproof parity shop --accept deals.list:/amount:type --reason "a text by design" --owner crm --expires 2027-06-30
    """  # noqa: D301 the character that keeps lines apart, not its name
    from pytest_connproof.connector_parity import connector_parity  # replays: only here
    from pytest_connproof.named import lanes_named, subject_named
    from pytest_connproof.report import parity as parity_report
    from pytest_connproof.subject import Settings

    day = _date("--as-of", as_of) if as_of else datetime.now().astimezone().date()
    subject = subject_named(connector, Settings(as_of=day))
    if accept:
        if lane or as_json:
            raise CallWrong("--accept takes neither --lane nor --json", fix="name the lane in --accept")
        typer.echo(_accept(subject, accept, reason=reason, owner=owner, expires=expires, yes=yes))
        return
    if reason or owner or expires or yes:
        raise CallWrong("--reason, --owner, --expires and --yes are of --accept", fix="name what is to be accepted")
    told = connector_parity(subject, lanes_named(subject, lane or ()))
    if as_json:
        typer.echo(json.dumps(parity_report.as_document(told), indent=2, ensure_ascii=False))
    else:
        width = shutil.get_terminal_size((_WIDTH, 24)).columns
        typer.echo(parity_report.as_text(told, width=width, colour=_has_colours()), nl=False)
    raise typer.Exit(parity_report.EXIT_CODES[told.verdict])


@app.command(
    epilog="Exit codes: 0 it can be deleted; 1 something stands in its way; 2 an input cannot be used; 3 nothing is "
    "known to stand in its way, but something could not be judged."
)
def migrated(
    connector: Annotated[str, typer.Argument(metavar="CONNECTOR", help="A connector, by folder or name.")],
    *,
    legacy: Annotated[
        list[Path], typer.Option(metavar="PATH", help="The old code's file or folder; once for each, where several.")
    ],
    tree: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Where to look for what needs it. Default: the repository that it is in."),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="LISTING", help="What the old code never gave, such as invoices.list."),
    ] = None,
    apart: Annotated[
        list[Path] | None, typer.Option(metavar="PATH", help="A file or folder whose words mean other code.")
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The certificate. Default: certificates/CONNECTOR.json.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines, in format connproof-migrated/1.")] = False,
    as_of: Annotated[str, typer.Option(metavar="DAY", help="Judge as on this day. Default: today.")] = "",
) -> None:
    """Say whether the old code can be deleted that a connector replaces, or what still stands in its way.

    The certificate, parity with what this very code returned, and every place that imports or names it.

    \b
    connproof migrated shop --legacy old/shop.py
    connproof migrated shop --legacy old/shop --legacy old/shop_models.py --without invoices.list
    """  # noqa: D301 the character that keeps lines apart, not its name
    if find_spec("tree_sitter_language_pack") is None:
        raise CallWrong(
            "connproof migrated needs tree-sitter-language-pack, which is not installed",
            fix="pip install 'connproof[pytest,audit]'",
        )
    from pytest_connproof import migrated_telling  # replays, and grammars: only here
    from pytest_connproof.migrated import judge
    from pytest_connproof.named import subject_named
    from pytest_connproof.subject import Settings

    day = _date("--as-of", as_of) if as_of else datetime.now().astimezone().date()
    told = judge(
        subject_named(connector, Settings(as_of=day)),
        legacy,
        tree=tree,
        without=without or (),
        apart=apart or (),
        certificate=certificate,
    )
    if as_json:
        typer.echo(json.dumps(migrated_telling.as_document(told), indent=2, ensure_ascii=False))
    else:
        typer.echo(migrated_telling.as_text(told, colour=_has_colours()), nl=False)
    raise typer.Exit(migrated_telling.EXIT_CODES[told.verdict])


def _accept(subject: Subject, texts: Sequence[str], *, reason: str, owner: str, expires: str, yes: bool) -> str:
    """Accept differences; what was written. Raises CallWrong; typer.Exit where whoever was asked said no."""
    from pytest_connproof.accepting import NotAccepted, accept, wanted

    for option, text in (("--reason", reason), ("--owner", owner), ("--expires", expires)):
        if not text.strip():
            raise CallWrong(f"--accept needs {option}", fix="a waiver has a reason, an owner and a last day")
    last = _date("--expires", expires)
    those = [wanted(subject, text) for text in texts]
    if not yes and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CallWrong("there is nobody to ask whether this is meant", fix="look at it first, then pass --yes")

    def ask(shown: str) -> bool:
        typer.echo(shown)
        try:
            return typer.confirm("Is that meant?")
        except typer.Abort:
            typer.echo("")
            raise KeyboardInterrupt from None  # what it is: the command ends as all do when they are interrupted

    try:
        return accept(subject, those, reason=reason, owner=owner, expires=last, ask=None if yes else ask)
    except NotAccepted as declined:
        typer.echo(str(declined), err=True)
        raise typer.Exit(1) from None


def _has_colours() -> bool:
    """Whether what is printed goes to a terminal whose user has not said that colours are not wanted."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _configs(paths: Sequence[Path]) -> list[Path]:
    """Each connector once: those in a folder of connectors, those named by a path, by a name under connectors/."""
    files: dict[Path, None] = {}
    for path in paths:
        named = path if path.exists() else Path("connectors") / path
        inside = sorted(named.glob("*/connector.json")) if not (named / "connector.json").exists() else []
        files |= dict.fromkeys(inside or [config.locate(named if named.exists() else path)])
    return list(files)


def _update_contracts(loaded: Connector, folder: Path, answers: Mapping[str, Answers]) -> None:
    """Write a contract for each operation that has answers; take out those of operations that there are no more."""
    for operation, found in answers.items():
        path = contracts.contract_path(folder, operation)
        text = contracts.contract_text(operation, found.seen)
        before = path.read_text(encoding="utf-8") if path.exists() else None
        if before != text:
            write_whole(path, text)
        word = "written" if before is None else "unchanged" if before == text else "changed"
        typer.echo(f"{path}  {word}  ({found.count} answer{'s' if found.count != 1 else ''})", err=True)
    known = {operation.id for operation in loaded.operations()}
    for operation in contracts.contracted(folder):
        if operation not in known:
            contracts.contract_path(folder, operation).unlink()
            typer.echo(f"{contracts.contract_path(folder, operation)}  removed: there is no such operation", err=True)


def _recordings_in(path: Path) -> list[Path]:
    """The recordings that a path means: itself, those in the folder, or those of the connector in the folder."""
    if path.is_dir():
        inside = path / "recordings"
        return sorted((inside if inside.is_dir() else path).glob("*.json"))
    if not path.exists() and path.name != "recordings":
        raise CallWrong(f"no recording at {path}", fix="name a file of format connproof-recording/1, or a folder")
    return [path] if path.exists() else []


def _nothing_to_compare(loaded: Connector, files: Sequence[Path], where: Path) -> str:
    if not files:
        return f"no recording in {where}, so nothing was compared: record or import traffic first"
    known = ", ".join(operation.id for operation in loaded.operations())
    return f"no answer in {where} is one of {loaded.name}'s operations, so nothing was compared: it has {known}"


def _path_of(text: str) -> str:
    """What pytest is given for a connector: a path as it is, a name under connectors/ as its file."""
    name, colons, check = text.partition("::")
    if Path(name).exists():
        return text
    file = Path("connectors") / name / "connector.json"
    if not file.exists():
        raise _no_connector(name, Path("connectors"))
    return f"{file}{colons}{check}"


def _holds_connectors(path: Path) -> bool:
    """Whether a word among the options is a connector, or a folder of them, and not an option's value."""
    if path.is_file():
        return path.name == "connector.json"
    return (path / "connector.json").exists() or any(path.glob("*/connector.json"))


def _folder(text: str) -> Path:
    """The folder of a connector that may have no config yet."""
    named = Path("connectors") / text
    path = named if named.is_dir() or not Path(text).is_dir() else Path(text)
    if not path.is_dir():
        raise _no_connector(text, Path("connectors"), fix=f"make the folder {path} first, or name another")
    return path


def _no_connector(text: str, near: Path, fix: str = "name one of these, or a path") -> CallWrong:
    there = sorted(file.parent.name for file in near.glob("*/connector.json"))
    return CallWrong(f"no connector {text}", facts={"there are": ", ".join(there) or "none"}, fix=fix)


def _lanes_beside(folder: Path, replaced: Collection[Path]) -> dict[str, Path]:
    """The lanes of the recordings that stay; what cannot be read has none that count."""
    lanes: dict[str, Path] = {}
    for path in sorted((folder / "recordings").glob("*.json")):
        if path not in replaced:
            with suppress(RecordingUnfit):  # REC-001 says so
                lanes |= {lane.id: path for lane in recordings.load(path).lanes}
    return lanes


def _imported(
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


def _day(text: str) -> str | None:
    """A day as the caller gives it, as RFC 3339: its first moment in UTC."""
    return f"{_date('--recorded-at', text).isoformat()}T00:00:00Z" if text else None


def _date(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CallWrong(f"{option} {text}: not a date", fix="write it as 2026-11-23") from None


def _stem(file: Path) -> str:
    return "".join(c if c.isalnum() or c in "._-" else "-" for c in file.stem).lower()
